//! Fewer cubes for the same packets.

use super::{Cube, Dim, Set, VarId};
use crate::model::Part;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

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
    let mut holders: BTreeMap<VarId, Vec<usize>> = BTreeMap::new();
    for (n, cube) in cubes.iter().enumerate() {
        for (var, _) in &cube.vars {
            holders.entry(*var).or_default().push(n);
        }
    }
    // Cubes stay at their places: there may be as many variables as cubes.
    let mut gone = vec![false; cubes.len()];
    for (var, holders) in holders.into_iter().filter(|(_, all)| all.len() > 1) {
        unite_at(cubes, &holders, var, &mut gone);
    }
    let mut at = 0;
    cubes.retain(|_| {
        at += 1;
        !gone[at - 1]
    });
}

/// Unites those of these cubes that are equal but for a variable, which all of them have; the first of each holds the union.
fn unite_at(cubes: &mut [Cube], holders: &[usize], var: VarId, gone: &mut [bool]) {
    // Cubes by their hash: the last of them, and the one before it.
    let mut last: FxHashMap<u64, usize> = FxHashMap::default();
    let mut kept: Vec<(usize, Vec<Set>, Option<usize>)> = Vec::new();
    'cubes: for n in holders.iter().copied().filter(|n| !gone[*n]).collect::<Vec<_>>() {
        let set = cubes[n].take(var);
        let hash = FxBuildHasher.hash_one(&cubes[n]);
        let head = last.get(&hash).copied();
        let mut next = head;
        while let Some(k) = next {
            let (first, sets, before) = &mut kept[k];
            if cubes[*first] == cubes[n] {
                sets.push(set);
                gone[n] = true;
                continue 'cubes;
            }
            next = *before;
        }
        last.insert(hash, kept.len());
        kept.push((n, vec![set], head));
    }
    for (n, sets, _) in kept {
        cubes[n].put(Dim::Var(var), Set::union(sets));
    }
}

/// Sets with equal names united, in the order of the first of each.
pub fn united<K: Eq + Hash>(named: impl IntoIterator<Item = (K, Set)>) -> Vec<(K, Set)> {
    // Names by their hash, without a copy of each: the last of them, and the one before it.
    let mut last: FxHashMap<u64, usize> = FxHashMap::default();
    let mut out: Vec<Named<K>> = Vec::new();
    'named: for (name, set) in named {
        let hash = FxBuildHasher.hash_one(&name);
        let head = last.get(&hash).copied();
        let mut next = head;
        while let Some(n) = next {
            if out[n].name == name {
                out[n].more.push(set);
                continue 'named;
            }
            next = out[n].before;
        }
        last.insert(hash, out.len());
        out.push(Named { name, set, more: Vec::new(), before: head });
    }
    let whole = |n: Named<K>| match n.more.is_empty() {
        true => (n.name, n.set),
        false => (n.name, Set::union([n.set].into_iter().chain(n.more))),
    };
    out.into_iter().map(whole).collect()
}

/// Sets of one name.
struct Named<K> {
    name: K,
    set: Set,
    more: Vec<Set>,
    /// Another name of the same hash.
    before: Option<usize>,
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
