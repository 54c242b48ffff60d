//! A set of integers as sorted, disjoint, non-adjacent closed intervals.

use smallvec::SmallVec;
use std::fmt;

type Intervals = SmallVec<[(u128, u128); 1]>;

/// A set of unsigned integers: ports, addresses (IPv4 as 0..2³², IPv6 as 128 bits), protocol numbers, marks,
/// interface names ([`crate::model::iface_value`]).
///
/// Intervals are closed, sorted, disjoint and never adjacent, so two equal sets are equal values.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Set(Intervals);

impl Set {
    /// The empty set.
    pub fn empty() -> Self {
        Self(Intervals::new())
    }

    /// One value.
    pub fn one(v: u128) -> Self {
        Self::range(v, v)
    }

    /// All values from `lo` to `hi`, both included; empty when `lo > hi`.
    pub fn range(lo: u128, hi: u128) -> Self {
        if lo > hi { Self::empty() } else { Self(smallvec::smallvec![(lo, hi)]) }
    }

    /// The union of closed intervals in any order.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u128, u128)>) -> Self {
        let mut v: Vec<(u128, u128)> = ranges.into_iter().filter(|(lo, hi)| lo <= hi).collect();
        v.sort_unstable();
        let mut out = Intervals::new();
        for (lo, hi) in v {
            match out.last_mut() {
                Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
                _ => out.push((lo, hi)),
            }
        }
        Self(out)
    }

    /// The intervals, sorted.
    pub fn ranges(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// No value at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only value, if there is exactly one.
    pub fn single(&self) -> Option<u128> {
        match self.0[..] {
            [(lo, hi)] if lo == hi => Some(lo),
            _ => None,
        }
    }

    /// Smallest value.
    pub fn min(&self) -> Option<u128> {
        self.0.first().map(|r| r.0)
    }

    /// Largest value.
    pub fn max(&self) -> Option<u128> {
        self.0.last().map(|r| r.1)
    }

    /// How many values, saturating at `u128::MAX`.
    pub fn count(&self) -> u128 {
        self.0.iter().fold(0u128, |n, (lo, hi)| n.saturating_add((hi - lo).saturating_add(1)))
    }

    /// Is `v` in the set?
    pub fn contains(&self, v: u128) -> bool {
        let i = self.0.partition_point(|r| r.1 < v);
        self.0.get(i).is_some_and(|r| r.0 <= v)
    }

    /// Do the two share a value?
    pub fn intersects(&self, other: &Self) -> bool {
        if let ([a], [b]) = (&self.0[..], &other.0[..]) {
            return a.0 <= b.1 && b.0 <= a.1;
        }
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
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
        let mut j = 0;
        self.0.iter().all(|a| {
            while other.0.get(j).is_some_and(|b| b.1 < a.0) {
                j += 1;
            }
            other.0.get(j).is_some_and(|b| b.0 <= a.0 && a.1 <= b.1)
        })
    }

    /// Values in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if let ([a], [b]) = (&self.0[..], &other.0[..]) {
            return Self::range(a.0.max(b.0), a.1.min(b.1));
        }
        let mut out = Intervals::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            let (lo, hi) = (a.0.max(b.0), a.1.min(b.1));
            if lo <= hi {
                out.push((lo, hi));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        Self(out)
    }

    /// Values of `self` that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut out = Intervals::new();
        let mut j = 0;
        for &(mut lo, hi) in &self.0 {
            while other.0.get(j).is_some_and(|b| b.1 < lo) {
                j += 1;
            }
            let mut k = j;
            let mut done = false;
            while let Some(&(blo, bhi)) = other.0.get(k).filter(|b| b.0 <= hi) {
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
        Self(out)
    }

    /// Values in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self::from_ranges(self.0.iter().chain(&other.0).copied())
    }

    /// Every value moved by `k`, modulo 2¹²⁸.
    #[must_use]
    pub fn shifted(&self, k: u128) -> Self {
        if k == 0 {
            return self.clone();
        }
        Self::from_ranges(self.0.iter().flat_map(|(lo, hi)| {
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

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (lo, hi)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            if lo == hi { write!(f, "{comma}{lo}")? } else { write!(f, "{comma}{lo}-{hi}")? }
        }
        f.write_str("}")
    }
}
