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
    if cubes.len() < 2 {
        return;
    }
    // Cubes are large: they stay at their places until the end.
    let mut gone = vec![false; cubes.len()];
    for part in ORDER {
        unite(cubes, 0..gone.len(), Dim::Part(part), &mut gone);
    }
    let mut holders: BTreeMap<VarId, Vec<usize>> = BTreeMap::new();
    for (n, cube) in cubes.iter().enumerate().filter(|(n, _)| !gone[*n]) {
        for (var, _) in &cube.vars {
            holders.entry(*var).or_default().push(n);
        }
    }
    for (var, holders) in holders.into_iter().filter(|(_, all)| all.len() > 1) {
        unite(cubes, holders, Dim::Var(var), &mut gone);
    }
    let mut at = 0;
    cubes.retain(|_| {
        at += 1;
        !gone[at - 1]
    });
}

/// Unites those of these cubes that are equal but for one dimension; the first of each holds the union.
fn unite(cubes: &mut [Cube], among: impl IntoIterator<Item = usize>, dim: Dim, gone: &mut [bool]) {
    // Cubes by their hash: the last of them, and the one before it.
    let mut last: FxHashMap<u64, usize> = FxHashMap::default();
    let mut kept: Vec<Kept> = Vec::new();
    'cubes: for at in among {
        if gone[at] {
            continue;
        }
        let set = cubes[at].take(dim);
        let hash = FxBuildHasher.hash_one(&cubes[at]);
        let head = last.get(&hash).copied();
        let mut next = head;
        while let Some(n) = next {
            if cubes[kept[n].at] == cubes[at] {
                kept[n].more.push(set);
                gone[at] = true;
                continue 'cubes;
            }
            next = kept[n].before;
        }
        last.insert(hash, kept.len());
        kept.push(Kept { at, set, more: Vec::new(), before: head });
    }
    for Kept { at, set, more, .. } in kept {
        let all = if more.is_empty() { set } else { Set::union([set].into_iter().chain(more)) };
        cubes[at].put(dim, all);
    }
}

/// A cube without one of its dimensions.
struct Kept {
    at: usize,
    set: Set,
    /// The same dimension of equal cubes.
    more: Vec<Set>,
    /// Another cube of the same hash.
    before: Option<usize>,
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
    let whole = |n: Named<K>| (n.name, Set::union([n.set].into_iter().chain(n.more)));
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
