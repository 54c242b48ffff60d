//! Which packets are sent: at the ends of the pieces that the trace answers with, one off on both sides, and anywhere.

use crate::packet::Tuple;
use crate::random::Random;
use crate::topology::Topology;
use callpath_core::cube::{Cube, Set};
use callpath_core::model::{Family, address_value};
use callpath_core::trace::{Answer, Ask, Detail, Network, Phase, Question, ask};
use std::collections::HashSet;

/// A question with its answer.
#[derive(Debug)]
pub struct Asked {
    /// Sending device.
    pub from: usize,
    /// What was asked.
    pub question: Question,
    /// What the trace said, with every rule.
    pub answer: Answer,
    /// The same in less detail: what ended packets, and their fates alone.
    pub brief: [(Detail, Answer); 2],
}

/// A packet to send.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Sending device.
    pub from: usize,
    /// Header.
    pub tuple: Tuple,
}

fn addresses(list: &[&str]) -> Set {
    Set::from_ranges(list.iter().map(|s| {
        let (lo, hi) = s.split_once('-').unwrap_or((s, s));
        let value = |a: &str| address_value(a.parse().expect("an address literal"));
        (value(lo), value(hi))
    }))
}

/// Destinations that are asked for.
fn destinations(family: Family) -> Set {
    match family {
        Family::V4 => addresses(&[
            "203.0.113.5-203.0.113.6",
            "192.168.1.1",
            "192.168.1.50-192.168.1.51",
            "192.168.1.60-192.168.1.63",
            "10.9.0.1-10.9.0.2",
            "10.9.0.5-10.9.0.6",
            "10.77.1.0-10.77.1.7",
            "8.8.4.4",
            "198.51.100.7",
        ]),
        Family::V6 => addresses(&[
            "2001:db8:ffff::5",
            "2001:db8:1::1",
            "2001:db8:1::50-2001:db8:1::51",
            "2001:db8:1::60-2001:db8:1::63",
            "2001:db8:9::1-2001:db8:9::2",
            "2001:db8:9::5-2001:db8:9::6",
            "2001:4860::8",
        ]),
    }
}

/// Sources on the internet that are asked for.
fn far(family: Family) -> Set {
    match family {
        Family::V4 => addresses(&["8.8.4.0-8.8.4.255", "198.51.100.0-198.51.100.15"]),
        Family::V6 => addresses(&["2001:4860::-2001:4860::ff"]),
    }
}

/// Asks from every device, for both families.
pub fn ask_all(topology: &Topology, network: &Network) -> Vec<Asked> {
    let routers = topology.routers.len();
    let mut all = Vec::new();
    for from in 0..network.devices.len() {
        for family in [Family::V4, Family::V6] {
            let own = network.devices[from].own_addresses(family);
            let src = if from == routers { own.and(&far(family)) } else { own.clone() };
            let mut dst = destinations(family);
            if from >= routers {
                // What hosts say to each other on their segment meets no router; routers' addresses do.
                let hosts = &topology.hosts[from - routers];
                for other in topology.hosts.iter().filter(|h| h.segment == hosts.segment) {
                    dst = dst.minus(other.own(family));
                }
            }
            let ports = Set::range(1, 65535);
            let parts = [src, dst, ports.clone(), ports, Set::from_ranges([(6, 6), (17, 17)])];
            let question = Question { from, family, packets: Cube { parts, vars: Vec::new() } };
            let answer = ask(network, &question);
            let brief = [Detail::Ends, Detail::Fate]
                .map(|detail| (detail, Ask::new(network, &question, detail).answer(Phase::Next)));
            all.push(Asked { from, question, answer, brief });
        }
    }
    all
}

/// A value at an end of one of the set's intervals, one off, or inside.
fn near(random: &mut Random, set: &Set, domain: &Set) -> Option<u128> {
    let ranges = set.ranges();
    let &(lo, hi) = ranges.get(random.below(ranges.len().max(1)))?;
    let value = match random.below(6) {
        0 => lo,
        1 => hi,
        2 => lo.wrapping_sub(1),
        3 => hi.wrapping_add(1),
        _ => random.between(lo, hi),
    };
    Some(if domain.contains(value) { value } else { lo })
}

/// Draws packets. Within a batch every packet of a protocol has its own source port: else the kernel's port choice
/// depends on what came before.
pub fn draw(random: &mut Random, asked: &[Asked], count: usize) -> Vec<Probe> {
    let mut used: HashSet<(u128, u128)> = HashSet::new();
    let mut out = Vec::new();
    let mut tries = 0;
    while out.len() < count && tries < count * 20 {
        tries += 1;
        let a = &asked[random.below(asked.len())];
        if a.answer.trips.is_empty() {
            continue;
        }
        let trip = &a.answer.trips[random.below(a.answer.trips.len())];
        let mut parts = [0u128; 5];
        for (i, part) in parts.iter_mut().enumerate() {
            let domain = &a.question.packets.parts[i];
            let set = if random.chance(92) { &trip.asked.parts[i] } else { domain };
            *part = near(random, set, domain).unwrap_or_default();
        }
        let ports = &trip.asked.parts[2];
        let mut again = 0;
        while used.contains(&(parts[4], parts[2])) && again < 5 {
            again += 1;
            let &(lo, hi) = &ports.ranges()[random.below(ports.ranges().len())];
            parts[2] = random.between(lo, hi);
        }
        // Of a socket that calls itself from the port that it calls, through the router, both directions have one
        // tuple: no call does that.
        let itself = parts[2] == parts[3];
        if itself || !used.insert((parts[4], parts[2])) {
            continue;
        }
        out.push(Probe { from: a.from, tuple: Tuple { family: a.question.family, parts } });
    }
    out
}
