//! Fewer cubes for the same packets.

use super::Part;
use super::{Cube, Dim, Set, VarId};
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
    let mut known = ByHash::default();
    // Cubes without the dimension, and its sets in them and in their equals.
    let mut kept: Vec<(usize, Set, Vec<Set>)> = Vec::new();
    for at in among {
        if gone[at] {
            continue;
        }
        let set = cubes[at].take(dim);
        match known.find_or_add(&cubes[at], |n| cubes[kept[n].0] == cubes[at]) {
            Some(n) => {
                kept[n].2.push(set);
                gone[at] = true;
            }
            None => kept.push((at, set, Vec::new())),
        }
    }
    for (at, set, more) in kept {
        cubes[at].put(dim, Set::union([set].into_iter().chain(more)));
    }
}

/// Sets with equal names united, in the order of the first of each.
pub fn united<K: Eq + Hash>(named: impl IntoIterator<Item = (K, Set)>) -> Vec<(K, Set)> {
    let mut known = ByHash::default();
    let mut out: Vec<(K, Set, Vec<Set>)> = Vec::new();
    for (name, set) in named {
        match known.find_or_add(&name, |n| out[n].0 == name) {
            Some(n) => out[n].2.push(set),
            None => out.push((name, set, Vec::new())),
        }
    }
    out.into_iter().map(|(name, set, more)| (name, Set::union([set].into_iter().chain(more)))).collect()
}

/// Numbers of values that stand elsewhere, by the hash of each: no value is copied to be found again.
#[derive(Default)]
struct ByHash {
    /// The last number of each hash.
    last: FxHashMap<u64, usize>,
    /// For each number the one before it of the same hash.
    before: Vec<Option<usize>>,
}

impl ByHash {
    /// The number of a value that is known; one that is not gets the next number.
    fn find_or_add(&mut self, value: &impl Hash, equal: impl Fn(usize) -> bool) -> Option<usize> {
        let hash = FxBuildHasher.hash_one(value);
        let head = self.last.get(&hash).copied();
        let found = std::iter::successors(head, |n| self.before[*n]).find(|n| equal(*n));
        if found.is_none() {
            self.last.insert(hash, self.before.len());
            self.before.push(head);
        }
        found
    }
}
