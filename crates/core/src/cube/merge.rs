//! Fewer cubes for the same packets.

use super::{Cube, Dim, Set};
use crate::model::Part;
use rustc_hash::FxHashMap;

/// Parts in the order in which merging pays most: rules cut sources and ports finest.
const ORDER: [Part; 5] = [Part::Src, Part::DstPort, Part::SrcPort, Part::Dst, Part::Proto];

/// Unites cubes that differ in one header field only. Disjoint cubes stay disjoint, and the union stays the same.
pub fn merge(cubes: &mut Vec<Cube>) {
    for part in ORDER {
        if cubes.len() < 2 {
            return;
        }
        let mut groups: FxHashMap<Cube, Vec<(u128, u128)>> = FxHashMap::default();
        let mut order: Vec<Cube> = Vec::with_capacity(cubes.len());
        for mut cube in cubes.drain(..) {
            let set = std::mem::take(&mut cube.parts[part as usize]);
            if let Some(ranges) = groups.get_mut(&cube) {
                ranges.extend_from_slice(set.ranges());
            } else {
                order.push(cube.clone());
                groups.insert(cube, set.ranges().to_vec());
            }
        }
        cubes.extend(order.into_iter().map(|mut cube| {
            let ranges = groups.remove(&cube).unwrap_or_default();
            cube.put(Dim::Part(part), Set::from_ranges(ranges));
            cube
        }));
    }
}
