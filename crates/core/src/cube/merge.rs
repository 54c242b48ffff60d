//! Fewer cubes for the same packets.

use super::{Cube, Dim, Set, VarId};
use crate::model::Part;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::hash::Hash;

/// Parts in the order in which merging pays most: rules cut sources and ports finest.
const ORDER: [Part; 5] = [Part::Src, Part::DstPort, Part::SrcPort, Part::Dst, Part::Proto];

/// Unites cubes that differ in one header field or one variable only. Disjoint cubes stay disjoint, and the union stays
/// the same.
pub fn merge(cubes: &mut Vec<Cube>) {
    for part in ORDER {
        if cubes.len() < 2 {
            return;
        }
        let all = std::mem::take(cubes);
        *cubes = without(all, |cube| std::mem::take(&mut cube.parts[part as usize]), Dim::Part(part));
    }
    let mut holders: BTreeMap<VarId, usize> = BTreeMap::new();
    for (var, _) in cubes.iter().flat_map(|c| &c.vars) {
        *holders.entry(*var).or_default() += 1;
    }
    for (var, _) in holders.into_iter().filter(|(_, n)| *n > 1) {
        let (having, mut out): (Vec<Cube>, Vec<Cube>) =
            std::mem::take(cubes).into_iter().partition(|c| c.get(Dim::Var(var)).is_some());
        out.extend(without(having, |cube| cube.take(var), Dim::Var(var)));
        *cubes = out;
    }
}

/// Sets with equal names united, in the order of the first of each.
pub fn united<K: Clone + Eq + Hash>(named: impl IntoIterator<Item = (K, Set)>) -> Vec<(K, Set)> {
    let mut known: FxHashMap<K, usize> = FxHashMap::default();
    let mut out: Vec<(K, Vec<Set>)> = Vec::new();
    for (name, set) in named {
        if let Some(at) = known.get(&name) {
            out[*at].1.push(set);
        } else {
            known.insert(name.clone(), out.len());
            out.push((name, vec![set]));
        }
    }
    let whole = |sets: Vec<Set>| match <[Set; 1]>::try_from(sets) {
        Ok([set]) => set,
        Err(sets) => Set::from_ranges(sets.iter().flat_map(|s| s.ranges().iter().copied())),
    };
    out.into_iter().map(|(name, sets)| (name, whole(sets))).collect()
}

/// One cube for those that are equal once a dimension is taken out of them.
fn without(cubes: Vec<Cube>, take: impl Fn(&mut Cube) -> Set, dim: Dim) -> Vec<Cube> {
    let apart = cubes.into_iter().map(|mut cube| {
        let set = take(&mut cube);
        (cube, set)
    });
    let back = |(mut cube, set): (Cube, Set)| {
        cube.put(dim, set);
        cube
    };
    united(apart).into_iter().map(back).collect()
}
