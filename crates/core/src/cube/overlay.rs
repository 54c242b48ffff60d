//! Where cubes that overlap do so.

use super::Part;
use super::{Cube, Set};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Fields in the order in which they are cut.
const ORDER: [Part; 5] = [Part::Src, Part::Dst, Part::DstPort, Part::SrcPort, Part::Proto];

/// Cuts packets into disjoint cubes, each with the cubes of the list (as indices, ascending) that hold all of it; none
/// of the others holds any of it. Variables are left aside.
pub fn overlay(cubes: &[&Cube]) -> Vec<(Cube, Vec<usize>)> {
    let mut out = Vec::new();
    let all: Vec<usize> = (0..cubes.len()).filter(|i| !cubes[*i].parts.iter().any(Set::is_empty)).collect();
    if !all.is_empty() {
        cut(cubes, all, &ORDER, &mut Default::default(), &mut out);
    }
    // The order must follow from the question alone, not from the shapes that cutting gives.
    out.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| values(&a.0).cmp(&values(&b.0))));
    out
}

fn values(cube: &Cube) -> [&[(u128, u128)]; 5] {
    cube.parts.each_ref().map(Set::ranges)
}

fn cut(cubes: &[&Cube], held: Vec<usize>, fields: &[Part], chosen: &mut [Set; 5], out: &mut Vec<(Cube, Vec<usize>)>) {
    let [field, fields @ ..] = fields else {
        out.push((Cube { parts: chosen.clone(), vars: Vec::new() }, held));
        return;
    };
    for (values, held) in atoms(cubes, held, *field) {
        chosen[*field as usize] = values;
        cut(cubes, held, fields, chosen, out);
    }
}

/// Values of one field that the same cubes hold, with these cubes.
fn atoms(cubes: &[&Cube], held: Vec<usize>, field: Part) -> Vec<(Set, Vec<usize>)> {
    // Most cubes share their set with others: each different one is looked at once.
    let mut number: FxHashMap<&Set, usize> = FxHashMap::default();
    let mut holders: Vec<Vec<usize>> = Vec::new();
    for index in held {
        let n = *number.entry(cubes[index].part(field)).or_insert_with(|| {
            holders.push(Vec::new());
            holders.len() - 1
        });
        holders[n].push(index);
    }
    if holders.len() == 1 {
        return number.into_keys().cloned().zip(holders).collect();
    }
    // A sweep over all ends of intervals: (where, begins, set).
    let mut ends: Vec<(u128, bool, usize)> = Vec::new();
    for (set, n) in &number {
        for (lo, hi) in set.ranges() {
            ends.push((*lo, true, *n));
            ends.extend(hi.checked_add(1).map(|after| (after, false, *n)));
        }
    }
    ends.sort_unstable();
    let mut found: FxHashMap<Vec<usize>, usize> = FxHashMap::default();
    let mut ranges: Vec<Vec<(u128, u128)>> = Vec::new();
    let mut active: BTreeSet<usize> = BTreeSet::new();
    for (i, (at, begins, n)) in ends.iter().enumerate() {
        if *begins {
            active.insert(*n);
        } else {
            active.remove(n);
        }
        let last = ends.get(i + 1).map_or(u128::MAX, |next| next.0.wrapping_sub(1));
        let here = ends.get(i + 1).is_none_or(|next| next.0 > *at);
        if here && !active.is_empty() {
            let n = *found.entry(active.iter().copied().collect()).or_insert_with(|| {
                ranges.push(Vec::new());
                ranges.len() - 1
            });
            ranges[n].push((*at, last));
        }
    }
    let together = |sets: Vec<usize>| {
        let mut all: Vec<usize> = sets.into_iter().flat_map(|n| holders[n].iter().copied()).collect();
        all.sort_unstable();
        all
    };
    found.into_iter().map(|(sets, n)| (Set::from_ranges(ranges[n].iter().copied()), together(sets))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(src: &[(u128, u128)], ports: &[(u128, u128)]) -> Cube {
        let set = |ranges: &[(u128, u128)]| Set::from_ranges(ranges.iter().copied());
        let parts = [set(src), Set::one(5), Set::range(1, u128::MAX), set(ports), Set::one(17)];
        Cube { parts, vars: Vec::new() }
    }

    #[test]
    fn every_packet_is_in_one_piece_which_names_all_cubes_that_hold_it() {
        let cubes = [
            cube(&[(0, 7)], &[(0, 7)]),
            cube(&[(4, 9)], &[(0, 3), (6, 9)]),
            cube(&[(0, 1), (5, 5), (8, 9)], &[(2, 6)]),
            cube(&[(0, 7)], &[(0, 7)]),
            cube(&[], &[(0, 9)]),
        ];
        let pieces = overlay(&cubes.iter().collect::<Vec<_>>());
        for (src, port) in (0..10).flat_map(|s| (0..10).map(move |p| (s, p))) {
            let packet = [src, 5, u128::MAX, port, 17];
            let holders: Vec<usize> = (0..cubes.len()).filter(|i| cubes[*i].contains(&packet)).collect();
            let here: Vec<&Vec<usize>> = pieces.iter().filter(|(c, _)| c.contains(&packet)).map(|(_, h)| h).collect();
            match here[..] {
                [] => assert!(holders.is_empty(), "{packet:?}"),
                [named] => assert_eq!(*named, holders, "{packet:?}"),
                _ => panic!("{packet:?} is in {} pieces", here.len()),
            }
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(overlay(&[]).is_empty());
        assert!(overlay(&[&cube(&[], &[])]).is_empty());
    }
}
