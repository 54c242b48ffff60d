//! One question to a chain of 1,000 and 10,000 rules of `ClassBench`: which packets of a media range are dropped, and by
//! which rule? Beside it, in the same run, the linear scan of single packets that must agree.
//!
//! `cargo bench -p callpath-core --bench acl`. The rules are addresses, ports and protocols of filters
//! that `ClassBench` made, read from `corpus/acl` in a folder `shared` beside the repository; the actions are added here:
//! every third a drop; in the middle a drop of udp 50500-50599; at the end an accept of udp to the host's 50000-60000.

use callpath_core::cube::{Cube, Set};
use callpath_core::model::{
    Action, Device, Families, Family, Hook, Interface, KeyField, Origin, Part, Pipeline, Policy, Route, RouteTarget,
    Rule, Stage, StageKind, Step, address_value,
};
use callpath_core::trace::{Answer, Did, Disposition, Network, Question, ask_requests};
use std::path::Path;
use std::time::{Duration, Instant};

type Bounds = [(u128, u128); 5];

struct Acl(Vec<(Bounds, bool)>);

fn ip(s: &str) -> u128 {
    address_value(s.parse().expect("address"))
}

fn prefix(s: &str) -> (u128, u128) {
    let (addr, len) = s.split_once('/').expect("prefix");
    let bits = 32 - len.parse::<u32>().expect("length");
    let size = (1u128 << bits) - 1;
    let lo = ip(addr) & !size;
    (lo, lo | size)
}

fn read(path: &Path) -> Acl {
    let text = std::fs::read_to_string(path).expect("corpus file");
    let mut rules = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.trim_start_matches('@').split_whitespace().collect();
        let port = |i: usize| (fields[i].parse().expect("port"), fields[i + 2].parse().expect("port"));
        let number = |s: &str| u128::from_str_radix(s.trim_start_matches("0x"), 16).expect("hex");
        let (proto, mask) = fields[8].split_once('/').expect("proto");
        let protos = if number(mask) == 0 { (0, 255) } else { (number(proto), number(proto)) };
        rules.push(([prefix(fields[0]), prefix(fields[1]), port(2), port(5), protos], n % 3 == 2));
    }
    let any = (0, u128::from(u32::MAX));
    let middle = rules.len() / 2;
    rules.insert(middle, ([any, any, (0, 65535), (50500, 50599), (17, 17)], true));
    let host = (ip("192.168.77.10"), ip("192.168.77.10"));
    rules.push(([any, host, (0, 65535), (50000, 60000), (17, 17)], false));
    Acl(rules)
}

fn network(acl: &Acl) -> Network {
    let mut pipeline = Pipeline::default();
    let full = |part: Part| match part {
        Part::Src | Part::Dst => (0, u128::from(u32::MAX)),
        Part::Proto => (0, 255),
        _ => (0, 65535),
    };
    let rules = acl.0.iter().map(|(bounds, drop)| {
        let mut steps = Vec::new();
        for part in [Part::Src, Part::Dst, Part::SrcPort, Part::DstPort, Part::Proto] {
            let (lo, hi) = bounds[part as usize];
            if (lo, hi) != full(part) {
                steps.push(Step::is(KeyField::Header(part), Set::range(lo, hi)));
            }
        }
        steps.push(Step::Act(if *drop { Action::Drop } else { Action::Accept }));
        Rule { steps: steps.into(), origin: pipeline.add_origin(Origin::default()) }
    });
    let rules: Vec<Rule> = rules.collect();
    let origin = pipeline.add_origin(Origin::default());
    let chain = pipeline.add_chain("forward", origin, rules);
    let kind = StageKind::Filter { chain, policy: Policy::Drop, reroute: false };
    pipeline.hooks[Hook::Forward as usize].push(Stage { kind, families: Families::BOTH, interfaces: None });
    let iface = |name: &str, net: &str, segment| Interface {
        name: name.into(),
        addresses: vec![net.parse().expect("net")],
        segment,
        ..Interface::default()
    };
    let default = |hop: &str| Route {
        to: "0.0.0.0/0".parse().expect("net"),
        target: RouteTarget::Via(0, Some(hop.parse().expect("ip"))),
        table: 254,
        metric: 0,
    };
    let router = Device {
        interfaces: vec![iface("wan", "198.18.0.2/30", 0), iface("lan", "192.168.77.1/24", 1)],
        pipeline,
        forwards: true,
        ..Device::default()
    };
    let host = Device { interfaces: vec![iface("eth0", "192.168.77.10/24", 1)], ..Device::default() };
    let world = Device {
        interfaces: vec![iface("x", "198.18.0.1/30", 0)],
        routes: vec![default("198.18.0.2")],
        ..Device::default()
    };
    Network { devices: vec![router, host, world].into(), ..Network::default() }
}

fn question((first, last): (u128, u128), protos: Set) -> Question {
    // Sources that no router takes for martians, so that the scan and the trace are asked the same.
    let src = Set::range(ip("1.0.0.0"), ip("126.255.255.255")).or(&Set::range(ip("128.0.0.0"), ip("191.255.255.255")));
    let parts = [src, Set::one(ip("192.168.77.10")), Set::range(0, 65535), Set::range(first, last), protos];
    Question { from: 2, family: Family::V4, packets: Cube { parts, vars: Vec::new() } }
}

/// The rule that decides a packet, by looking at one after the other.
fn scan(acl: &Acl, packet: &[u128; 5]) -> Option<usize> {
    acl.0.iter().position(|(b, _)| b.iter().zip(packet).all(|((lo, hi), v)| lo <= v && v <= hi))
}

fn decided(answer: &Answer, packet: &[u128; 5]) -> Option<usize> {
    let mut found = answer.trips.iter().filter(|t| t.asked.contains(packet));
    let trip = found.next().expect("every packet is in a piece");
    assert!(found.next().is_none(), "pieces are disjoint");
    let steps = trip.request.hops.iter().flat_map(|h| &h.steps);
    let rule = steps.filter_map(|s| if let Did::Rule(o) = s.did { Some(o.0 as usize) } else { None }).next_back();
    assert!(rule.is_some() || trip.request.end == Disposition::Dropped);
    rule
}

fn median(mut f: impl FnMut() -> usize) -> (Duration, usize) {
    let mut times = Vec::new();
    let mut n = 0;
    for _ in 0..9 {
        let start = Instant::now();
        n = f();
        times.push(start.elapsed());
    }
    times.sort();
    (times[4], n)
}

fn main() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/acl");
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        u128::from(seed)
    };
    println!(
        "{:<10} {:>7} {:>12} {:>8} {:>12} {:>8} {:>14}",
        "set", "n", "media range", "pieces", "all ports", "pieces", "scan 200,000"
    );
    for set in ["acl1", "fw1", "fw4", "ipc1"] {
        for size in [1000, 10000] {
            let acl = read(&dir.join(format!("{set}_{size}.rules")));
            let net = network(&acl);
            let media = question((50000, 60000), Set::one(17));
            let all = question((0, 65535), Set::from_ranges([(6, 6), (17, 17)]));
            let (t_media, n_media) = median(|| ask_requests(&net, &media).trips.len());
            let (t_all, n_all) = median(|| ask_requests(&net, &all).trips.len());
            let answer = ask_requests(&net, &all);
            let packets: Vec<[u128; 5]> = (0..200_000)
                .map(|n| {
                    let pick = |s: &Set, r: u128| {
                        let i = (r >> 32) as usize % s.ranges().len();
                        let (lo, hi) = s.ranges()[i];
                        match r % 4 {
                            0 => lo,
                            1 => hi,
                            _ => lo + (r >> 8) % (hi - lo + 1),
                        }
                    };
                    // Half of the packets at the ends of the pieces, half at the ends of the rules.
                    let mut packet: [u128; 5] = if n % 2 == 0 {
                        let piece = &answer.trips[random() as usize % answer.trips.len()];
                        std::array::from_fn(|i| pick(&piece.asked.parts[i], random()))
                    } else {
                        let rule = &acl.0[random() as usize % acl.0.len()].0;
                        std::array::from_fn(|i| pick(&Set::range(rule[i].0, rule[i].1), random()))
                    };
                    if !all.packets.part(Part::Src).contains(packet[0]) {
                        packet[0] = ip("8.8.8.8");
                    }
                    packet[1] = ip("192.168.77.10");
                    packet[4] = if packet[4] == 6 { 6 } else { 17 };
                    packet
                })
                .collect();
            let start = Instant::now();
            let scanned: Vec<Option<usize>> = packets.iter().map(|p| scan(&acl, p)).collect();
            let t_scan = start.elapsed();
            for (packet, rule) in packets.iter().zip(scanned) {
                assert_eq!(decided(&answer, packet), rule, "{set}_{size} {packet:?}");
            }
            println!(
                "{:<10} {:>7} {:>9.2} ms {:>8} {:>9.2} ms {:>8} {:>11.0} ms",
                format!("{set}_{size}"),
                acl.0.len(),
                t_media.as_secs_f64() * 1e3,
                n_media,
                t_all.as_secs_f64() * 1e3,
                n_all,
                t_scan.as_secs_f64() * 1e3
            );
        }
    }
}
