//! Fewer cubes for the same packets.

use super::{Cube, Dim, Set, VarId};
use crate::model::Part;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

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
        *cubes = united(all, |cube| std::mem::take(&mut cube.parts[part as usize]), Dim::Part(part));
    }
    let mut holders: BTreeMap<VarId, usize> = BTreeMap::new();
    for (var, _) in cubes.iter().flat_map(|c| &c.vars) {
        *holders.entry(*var).or_default() += 1;
    }
    for (var, _) in holders.into_iter().filter(|(_, n)| *n > 1) {
        let (having, mut out): (Vec<Cube>, Vec<Cube>) =
            std::mem::take(cubes).into_iter().partition(|c| c.get(Dim::Var(var)).is_some());
        out.extend(united(having, |cube| cube.take(var), Dim::Var(var)));
        *cubes = out;
    }
}

/// One cube for those that are equal once a dimension is taken out of them, in the order of their first ones.
fn united(cubes: Vec<Cube>, take: impl Fn(&mut Cube) -> Set, dim: Dim) -> Vec<Cube> {
    let mut groups: FxHashMap<Cube, usize> = FxHashMap::default();
    let mut sets: Vec<Vec<Set>> = Vec::new();
    let mut order: Vec<Cube> = Vec::with_capacity(cubes.len());
    for mut cube in cubes {
        let set = take(&mut cube);
        if let Some(at) = groups.get(&cube) {
            sets[*at].push(set);
        } else {
            groups.insert(cube.clone(), order.len());
            order.push(cube);
            sets.push(vec![set]);
        }
    }
    for (cube, sets) in order.iter_mut().zip(sets) {
        let whole = match <[Set; 1]>::try_from(sets) {
            Ok([set]) => set,
            Err(sets) => Set::from_ranges(sets.iter().flat_map(|s| s.ranges().iter().copied())),
        };
        cube.put(dim, whole);
    }
    order
}
