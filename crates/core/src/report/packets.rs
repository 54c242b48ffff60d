//! Sets of packets as a report shows them: disjoint boxes of ports, senders and the senders' ports.

use crate::cube::{Cube, Set};
use crate::manifest::{PortRanges, show_ranges};
use crate::model::{Family, Part};
use crate::vocabulary::{port_ranges, port_set};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;

/// Packets to each of these ports, from each of these senders and ports of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct Packets {
    /// The ports that are asked, as first and last of each range; empty where nobody stated them.
    pub ports: PortRanges,
    /// The senders' addresses, as first and last of each range; absent where it is everybody who asks there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<(IpAddr, IpAddr)>,
    /// The senders' ports, as first and last of each range; absent where it is every port that they send from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_ports: PortRanges,
}

/// Of so many ranges of addresses each is shown.
const MOST: usize = 2;

impl Packets {
    /// To these ports, from everybody.
    pub fn to(ports: PortRanges) -> Self {
        Self { ports, from: Vec::new(), source_ports: Vec::new() }
    }

    /// Disjoint cubes as disjoint boxes. `everybody` and `all`: the senders and their ports that were asked about.
    pub(crate) fn of(cubes: &[Cube], family: Family, everybody: &Set, all: &Set) -> Vec<Self> {
        let boxes = cubes.iter().map(|c| [Part::DstPort, Part::Src, Part::SrcPort].map(|p| c.part(p).clone()));
        let mut boxes: Vec<[Set; 3]> = boxes.collect();
        // Boxes that differ in one field alone are one.
        for field in [0, 1, 2, 0] {
            let mut joined: Vec<[Set; 3]> = Vec::new();
            for one in boxes {
                let same = |known: &&mut [Set; 3]| (0..3).all(|f| f == field || known[f] == one[f]);
                match joined.iter_mut().find(same) {
                    Some(known) => known[field] = known[field].or(&one[field]),
                    None => joined.push(one),
                }
            }
            boxes = joined;
        }
        let addresses =
            |set: &Set| set.ranges().iter().map(|(lo, hi)| (family.address(*lo), family.address(*hi))).collect();
        let shown = |[ports, from, sources]: [Set; 3]| Self {
            ports: port_ranges(&ports),
            from: if from == *everybody { Vec::new() } else { addresses(&from) },
            source_ports: if sources == *all { Vec::new() } else { port_ranges(&sources) },
        };
        boxes.into_iter().map(shown).collect()
    }

    /// The senders for a person: the first few, and how many more; empty for everybody.
    pub fn senders(&self) -> String {
        let text = self.from.iter().take(MOST).map(shown).collect::<Vec<_>>().join(", ");
        let more = self.from.len().saturating_sub(MOST);
        if more > 0 { format!("{text} and {more} more ranges") } else { text }
    }

    /// The ports for a person.
    pub fn ports_shown(&self) -> String {
        if self.ports.is_empty() { crate::requirement::NOT_STATED.to_owned() } else { show_ranges(&self.ports) }
    }
}

/// The ports of all of these.
pub(super) fn all_ports<'p>(packets: impl Iterator<Item = &'p Packets>) -> PortRanges {
    port_ranges(&ports_of(packets))
}

/// Ports by their senders, whichever ports these send from: what everybody sends is not told again of some.
pub(super) fn by_senders(packets: &[Packets]) -> Vec<(PortRanges, &Packets)> {
    let mut senders: Vec<&Packets> = Vec::new();
    for one in packets {
        if senders.iter().all(|s| s.from != one.from) {
            senders.push(one);
        }
    }
    let ports = |of: &Packets| ports_of(packets.iter().filter(|p| p.from == of.from));
    let everybody = ports_of(packets.iter().filter(|p| p.from.is_empty()));
    let told = senders.into_iter().filter_map(|s| {
        let here = if s.from.is_empty() { ports(s) } else { ports(s).minus(&everybody) };
        (!here.is_empty() || s.ports.is_empty()).then(|| (port_ranges(&here), s))
    });
    told.collect()
}

fn ports_of<'p>(packets: impl Iterator<Item = &'p Packets>) -> Set {
    Set::union(packets.map(|p| port_set(&p.ports)))
}

fn shown((lo, hi): &(IpAddr, IpAddr)) -> String {
    if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(src: (u128, u128), sport: (u128, u128), dport: (u128, u128)) -> Cube {
        let range = |(lo, hi)| Set::range(lo, hi);
        let mut cube = Cube { parts: [(); 5].map(|()| Set::one(0)), vars: Vec::new() };
        for (part, set) in [(Part::Src, range(src)), (Part::SrcPort, range(sport)), (Part::DstPort, range(dport))] {
            cube = cube.with(crate::cube::Dim::Part(part), set);
        }
        cube
    }

    #[test]
    fn what_is_no_box_is_told_in_several_that_have_no_packet_in_common() {
        // One sender reaches port 10 alone; nobody reaches port 20.
        let cubes = [cube((1, 4), (7, 9), (10, 10)), cube((6, 9), (7, 9), (10, 10)), cube((1, 9), (7, 9), (20, 20))];
        let told = Packets::of(&cubes, Family::V4, &Set::range(1, 9), &Set::range(7, 9));
        let shown: Vec<_> = told.iter().map(|p| (p.ports_shown(), p.senders(), p.source_ports.len())).collect();
        let expected = [("10", "0.0.0.1-0.0.0.4, 0.0.0.6-0.0.0.9", 0), ("20", "", 0)];
        assert_eq!(shown, expected.map(|(ports, from, n)| (ports.to_owned(), from.to_owned(), n)));
    }

    #[test]
    fn ranges_next_to_each_other_are_one_box() {
        let cubes = [cube((1, 9), (7, 7), (10, 10)), cube((1, 9), (8, 9), (10, 10)), cube((1, 9), (7, 9), (11, 20))];
        let told = Packets::of(&cubes, Family::V4, &Set::range(1, 9), &Set::range(7, 9));
        assert_eq!(told, [Packets::to(vec![(10, 20)])]);
    }
}
