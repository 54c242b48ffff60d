//! A set of integers as sorted, disjoint, non-adjacent closed intervals.

use rustc_hash::FxHasher;
use smallvec::SmallVec;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Interval = (u128, u128);

/// Intervals under construction.
type Open = SmallVec<[Interval; 4]>;

/// Most sets are one interval. The others may be thousands, and the pieces of a question share them.
#[derive(Clone)]
enum Intervals {
    Few(Option<[Interval; 1]>),
    Many(Arc<[Interval]>, Hashed),
}

/// The hash of a list, once it was asked for; 0 before.
#[derive(Default)]
struct Hashed(AtomicU64);

impl Clone for Hashed {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Hashed {
    fn of(&self, list: &[Interval]) -> u64 {
        let known = self.0.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        let mut hasher = FxHasher::default();
        list.hash(&mut hasher);
        let hash = hasher.finish().max(1);
        self.0.store(hash, Ordering::Relaxed);
        hash
    }
}

/// A set of unsigned integers: ports, addresses (IPv4 as 0..2³², IPv6 as 128 bits), protocol numbers, marks,
/// interface names ([`crate::model::iface_value`]).
///
/// Intervals are closed, sorted, disjoint and never adjacent, so two equal sets are equal values.
#[derive(Clone)]
pub struct Set(Intervals);

impl Set {
    /// The empty set.
    pub fn empty() -> Self {
        Self(Intervals::Few(None))
    }

    /// One value.
    pub fn one(v: u128) -> Self {
        Self::range(v, v)
    }

    /// All values from `lo` to `hi`, both included; empty when `lo > hi`.
    pub fn range(lo: u128, hi: u128) -> Self {
        if lo > hi { Self::empty() } else { Self(Intervals::Few(Some([(lo, hi)]))) }
    }

    /// The union of closed intervals in any order.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u128, u128)>) -> Self {
        let mut v: Vec<(u128, u128)> = ranges.into_iter().filter(|(lo, hi)| lo <= hi).collect();
        v.sort_unstable();
        let mut out = Open::new();
        for (lo, hi) in v {
            match out.last_mut() {
                Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
                _ => out.push((lo, hi)),
            }
        }
        out.into()
    }

    /// Values in any of these.
    pub fn union(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut sets = sets.into_iter();
        match (sets.next(), sets.next()) {
            (None, _) => Self::empty(),
            (Some(one), None) => one,
            (Some(a), Some(b)) => {
                let all = [a, b].into_iter().chain(sets);
                Self::from_ranges(all.flat_map(|s| s.ranges().to_vec()))
            }
        }
    }

    /// The intervals, sorted.
    pub fn ranges(&self) -> &[(u128, u128)] {
        match &self.0 {
            Intervals::Few(few) => few.as_ref().map_or(&[], |one| one),
            Intervals::Many(many, _) => many,
        }
    }

    /// No value at all.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Intervals::Few(None))
    }

    /// The only value, if there is exactly one.
    pub fn single(&self) -> Option<u128> {
        match *self.ranges() {
            [(lo, hi)] if lo == hi => Some(lo),
            _ => None,
        }
    }

    /// Smallest value.
    pub fn min(&self) -> Option<u128> {
        self.ranges().first().map(|r| r.0)
    }

    /// Largest value.
    pub fn max(&self) -> Option<u128> {
        self.ranges().last().map(|r| r.1)
    }

    /// How many values, saturating at `u128::MAX`.
    pub fn count(&self) -> u128 {
        self.ranges().iter().fold(0u128, |n, (lo, hi)| n.saturating_add((hi - lo).saturating_add(1)))
    }

    /// Both are the same list in memory.
    fn is_shared_with(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Intervals::Many(a, _), Intervals::Many(b, _)) if Arc::ptr_eq(a, b))
    }

    /// Is `v` in the set?
    pub fn contains(&self, v: u128) -> bool {
        let i = self.ranges().partition_point(|r| r.1 < v);
        self.ranges().get(i).is_some_and(|r| r.0 <= v)
    }

    /// Do the two share a value?
    pub fn intersects(&self, other: &Self) -> bool {
        match (self.ranges(), other.ranges()) {
            ([a], [b]) => return a.0 <= b.1 && b.0 <= a.1,
            ([one], many) | (many, [one]) => return meets(many, *one),
            _ => {}
        }
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.ranges().get(i), other.ranges().get(j)) {
            if a.1 < b.0 {
                i += 1;
            } else if b.1 < a.0 {
                j += 1;
            } else {
                return true;
            }
        }
        false
    }

    /// Is every value of `self` in `other`?
    pub fn is_subset(&self, other: &Self) -> bool {
        if let [(lo, hi)] = self.ranges() {
            let at = other.ranges().partition_point(|b| b.1 < *lo);
            return other.ranges().get(at).is_some_and(|b| b.0 <= *lo && *hi <= b.1);
        }
        if self.is_shared_with(other) {
            return true;
        }
        let mut j = 0;
        self.ranges().iter().all(|a| {
            while other.ranges().get(j).is_some_and(|b| b.1 < a.0) {
                j += 1;
            }
            other.ranges().get(j).is_some_and(|b| b.0 <= a.0 && a.1 <= b.1)
        })
    }

    /// Values in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self.ranges(), other.ranges()) {
            ([a], [b]) => return Self::range(a.0.max(b.0), a.1.min(b.1)),
            ([one], _) => return other.within(*one),
            (_, [one]) => return self.within(*one),
            _ if self.is_shared_with(other) => return self.clone(),
            _ => {}
        }
        let mut out = Open::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.ranges().get(i), other.ranges().get(j)) {
            let (lo, hi) = (a.0.max(b.0), a.1.min(b.1));
            if lo <= hi {
                out.push((lo, hi));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        out.into()
    }

    /// Values of `self` that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        if let [one] = other.ranges() {
            return self.without(*one);
        }
        let mut out = Open::new();
        let mut j = 0;
        for &(mut lo, hi) in self.ranges() {
            while other.ranges().get(j).is_some_and(|b| b.1 < lo) {
                j += 1;
            }
            let mut k = j;
            let mut done = false;
            while let Some(&(blo, bhi)) = other.ranges().get(k).filter(|b| b.0 <= hi) {
                if blo > lo {
                    out.push((lo, blo - 1));
                }
                if bhi >= hi {
                    done = true;
                    break;
                }
                lo = bhi + 1;
                k += 1;
            }
            if !done {
                out.push((lo, hi));
            }
        }
        out.into()
    }

    /// Values inside one interval.
    fn within(&self, (lo, hi): Interval) -> Self {
        let all = self.ranges();
        let here = &all[touched(all, (lo, hi))];
        match here {
            [] => Self::empty(),
            [first, .., last] if here.len() == all.len() && first.0 >= lo && last.1 <= hi => self.clone(),
            _ => {
                let mut out = Open::from_slice(here);
                let last = here.len() - 1;
                out[0].0 = out[0].0.max(lo);
                out[last].1 = out[last].1.min(hi);
                out.into()
            }
        }
    }

    /// Values outside one interval.
    fn without(&self, (lo, hi): Interval) -> Self {
        let all = self.ranges();
        let here = touched(all, (lo, hi));
        if here.is_empty() {
            return self.clone();
        }
        let (first, last) = (all[here.start], all[here.end - 1]);
        let mut out = Open::with_capacity(all.len() + 1);
        out.extend_from_slice(&all[..here.start]);
        if first.0 < lo {
            out.push((first.0, lo - 1));
        }
        if last.1 > hi {
            out.push((hi + 1, last.1));
        }
        out.extend_from_slice(&all[here.end..]);
        out.into()
    }

    /// Values in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        match (self.ranges(), other.ranges()) {
            ([], _) => return other.clone(),
            (_, []) => return self.clone(),
            _ if self.is_shared_with(other) => return self.clone(),
            _ => {}
        }
        let (mut a, mut b) = (self.ranges().iter().copied().peekable(), other.ranges().iter().copied().peekable());
        let mut out = Open::new();
        while let Some((lo, hi)) = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x <= y => a.next(),
            (Some(_), None) => a.next(),
            _ => b.next(),
        } {
            match out.last_mut() {
                Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
                _ => out.push((lo, hi)),
            }
        }
        out.into()
    }

    /// Every value moved by `k`, modulo 2¹²⁸.
    #[must_use]
    pub fn shifted(&self, k: u128) -> Self {
        if k == 0 {
            return self.clone();
        }
        Self::from_ranges(self.ranges().iter().flat_map(|(lo, hi)| {
            let (lo, hi) = (lo.wrapping_add(k), hi.wrapping_add(k));
            if lo <= hi { [(lo, hi), (1, 0)] } else { [(lo, u128::MAX), (0, hi)] }
        }))
    }

    /// All values up to 2¹²⁸ − 1 that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::range(0, u128::MAX).minus(self)
    }
}

/// Do any of these intervals share a value with this one?
fn meets(all: &[Interval], (lo, hi): Interval) -> bool {
    let ([first, ..], [.., last]) = (all, all) else { return false };
    if hi < first.0 || last.1 < lo {
        return false;
    }
    all.get(all.partition_point(|r| r.1 < lo)).is_some_and(|r| r.0 <= hi)
}

/// Which of these intervals share a value with this one.
fn touched(all: &[Interval], (lo, hi): Interval) -> Range<usize> {
    let start = all.partition_point(|r| r.1 < lo);
    start..start + all[start..].partition_point(|r| r.0 <= hi)
}

impl From<Open> for Set {
    /// Sorted, disjoint and not adjacent already.
    fn from(intervals: Open) -> Self {
        Self(match intervals[..] {
            [] => Intervals::Few(None),
            [one] => Intervals::Few(Some([one])),
            _ => Intervals::Many(intervals[..].into(), Hashed::default()),
        })
    }
}

impl Default for Set {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Intervals::Many(a, _), Intervals::Many(b, _)) => Arc::ptr_eq(a, b) || a == b,
            _ => self.ranges() == other.ranges(),
        }
    }
}

impl Eq for Set {}

impl Hash for Set {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Intervals::Few(few) => few.hash(state),
            Intervals::Many(list, hashed) => hashed.of(list).hash(state),
        }
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (lo, hi)) in self.ranges().iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            if lo == hi { write!(f, "{comma}{lo}")? } else { write!(f, "{comma}{lo}-{hi}")? }
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets of values up to 11, for each subset of ten of them; also at the upper end of the range.
    fn sets(offset: u128) -> Vec<Set> {
        let of = |bits: u32| Set::from_ranges((0..10).filter(|i| bits >> i & 1 == 1).map(|i| (offset + i, offset + i)));
        (0..1024).map(of).collect()
    }

    #[test]
    fn operations_agree_with_trying_every_value() {
        for offset in [0, u128::MAX - 9] {
            let all = sets(offset);
            let values = || (0..10).map(|i| offset + i);
            let same = |set: &Set, holds: &dyn Fn(u128) -> bool| {
                let canonical = set.ranges().windows(2).all(|w| w[0].1 + 1 < w[1].0);
                canonical && values().all(|v| set.contains(v) == holds(v)) && set.count() <= 10
            };
            for (n, a) in all.iter().enumerate() {
                for b in all.iter().skip(n % 7).step_by(7) {
                    assert!(same(&a.and(b), &|v| a.contains(v) && b.contains(v)), "{a:?} and {b:?}");
                    assert!(same(&a.or(b), &|v| a.contains(v) || b.contains(v)), "{a:?} or {b:?}");
                    assert!(same(&a.minus(b), &|v| a.contains(v) && !b.contains(v)), "{a:?} minus {b:?}");
                    let shared = values().any(|v| a.contains(v) && b.contains(v));
                    assert_eq!(a.intersects(b), shared, "{a:?} intersects {b:?}");
                    let inside = values().all(|v| !a.contains(v) || b.contains(v));
                    assert_eq!(a.is_subset(b), inside, "{a:?} in {b:?}");
                }
            }
        }
    }
}
