//! Who asks first: of sets in order, the values that no earlier one holds.

use super::Set;
use std::collections::BTreeMap;

/// For each set the values that none before it holds.
pub fn first_come<'s>(sets: impl IntoIterator<Item = &'s Set>) -> Vec<Set> {
    // Stretches that are taken, by where they begin; disjoint and not adjacent.
    let mut taken: BTreeMap<u128, u128> = BTreeMap::new();
    let own = |set: &Set| {
        let mut own = Vec::new();
        for (lo, hi) in set.ranges() {
            free(&taken, *lo, *hi, &mut own);
            take(&mut taken, *lo, *hi);
        }
        Set::from_ranges(own)
    };
    sets.into_iter().map(own).collect()
}

/// Adds what is free of a stretch.
fn free(taken: &BTreeMap<u128, u128>, lo: u128, hi: u128, out: &mut Vec<(u128, u128)>) {
    let before = taken.range(..=lo).next_back().filter(|(_, end)| **end >= lo);
    let Some(mut from) = before.map_or(Some(lo), |(_, end)| end.checked_add(1)) else { return };
    if from > hi {
        return;
    }
    for (start, end) in taken.range(from..=hi) {
        if *start > from {
            out.push((from, start - 1));
        }
        let Some(after) = end.checked_add(1) else { return };
        from = after;
    }
    if from <= hi {
        out.push((from, hi));
    }
}

/// Adds a stretch to those that are taken.
fn take(taken: &mut BTreeMap<u128, u128>, mut lo: u128, mut hi: u128) {
    if let Some((start, end)) = taken.range(..=lo).next_back().map(|(s, e)| (*s, *e))
        && end.checked_add(1).is_none_or(|after| after >= lo)
    {
        lo = start;
        hi = hi.max(end);
    }
    while let Some((start, end)) = taken.range(lo..).next().map(|(s, e)| (*s, *e)) {
        if hi.checked_add(1).is_some_and(|after| after < start) {
            break;
        }
        taken.remove(&start);
        hi = hi.max(end);
    }
    taken.insert(lo, hi);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_what_none_before_it_holds() {
        for offset in [0, u128::MAX - 7] {
            let sets: Vec<Set> = (0..64_u32)
                .map(|n| {
                    let bits = n.wrapping_mul(2_654_435_761) >> 24;
                    Set::from_ranges((0..8).filter(|i| bits >> i & 1 == 1).map(|i| (offset + i, offset + i)))
                })
                .collect();
            for some in sets.windows(5) {
                let mut before = Set::empty();
                for (set, own) in some.iter().zip(first_come(some)) {
                    assert_eq!(own, set.minus(&before));
                    before = before.or(set);
                }
            }
        }
    }
}
