//! A router with a forward, and what becomes of packets: expectations by hand.

use super::*;
use crate::model::{
    Action, ChainId, Device, Families, Family, Hook, Interface, KeyField, Lookup, NatTarget, Origin, Pipeline, Policy,
    Route, RouteTarget, Rule, Side, Stage, StageKind, Step, Translate, iface_value,
};

const WAN: u128 = 0xcb00_7105; // 203.0.113.5
const SERVER: u128 = 0xc0a8_0132; // 192.168.1.50

fn ip(s: &str) -> u128 {
    crate::model::address_value(s.parse().expect("address"))
}

fn to(addr: u128) -> NatTarget {
    NatTarget::To { addr: Some((addr, addr)), v6: false, port: None, keep_host_bits: false }
}

fn translate(side: Side, target: NatTarget) -> Step {
    Step::Act(Action::Translate(Translate { side, target: Arc::new(Lookup::fixed(target)), random: false }))
}

struct Builder(Pipeline);

impl Builder {
    fn chain(&mut self, rules: Vec<Vec<Step>>) -> ChainId {
        let rules = rules
            .into_iter()
            .map(|steps| Rule { steps: steps.into(), origin: self.0.add_origin(Origin::default()) })
            .collect();
        let origin = self.0.add_origin(Origin::default());
        self.0.add_chain("c", origin, rules)
    }

    fn stage(&mut self, hook: Hook, kind: StageKind) {
        self.0.hooks[hook as usize].push(Stage { kind, families: Families::BOTH, interfaces: None });
    }
}

/// `hairpin`: also forward what comes from inside; `snat`: and make the server answer through the router.
fn network(hairpin: bool, snat: bool) -> Network {
    let mut b = Builder(Pipeline::default());
    let mut forward = vec![Step::is(KeyField::Header(Part::DstPort), Set::range(50000, 50499))];
    if !hairpin {
        forward.push(Step::is(KeyField::InIface, Set::one(iface_value("wan"))));
    }
    forward.push(Step::is(KeyField::Header(Part::Dst), Set::one(WAN)));
    forward.push(translate(Side::Destination, to(SERVER)));
    let dnat = b.chain(vec![forward]);
    let mut post = vec![vec![
        Step::is(KeyField::OutIface, Set::one(iface_value("wan"))),
        translate(Side::Source, NatTarget::OutgoingAddress { port: None }),
    ]];
    if snat {
        post.push(vec![
            Step::is(KeyField::OutIface, Set::one(iface_value("lan"))),
            Step::is(KeyField::InIface, Set::one(iface_value("lan"))),
            translate(Side::Source, NatTarget::OutgoingAddress { port: None }),
        ]);
    }
    let snat = b.chain(post);
    let hole = b.chain(vec![vec![Step::is(KeyField::Header(Part::DstPort), Set::one(50100)), Step::Act(Action::Drop)]]);
    b.stage(Hook::Prerouting, StageKind::Track);
    b.stage(Hook::Prerouting, StageKind::Translate { side: Side::Destination, chains: vec![(dnat, Policy::Accept)] });
    b.stage(Hook::Output, StageKind::Track);
    b.stage(Hook::Forward, StageKind::Filter { chain: hole, policy: Policy::Accept, reroute: false });
    b.stage(Hook::Postrouting, StageKind::Translate { side: Side::Source, chains: vec![(snat, Policy::Accept)] });
    let iface = |name: &str, net: &str, segment| Interface {
        name: name.into(),
        addresses: vec![net.parse().expect("net")],
        segment,
        ..Interface::default()
    };
    let via = |to: &str, hop: &str| Route {
        to: to.parse().expect("net"),
        target: RouteTarget::Via(0, Some(hop.parse().expect("ip"))),
        table: 254,
        metric: 0,
    };
    let router = Device {
        name: "router".into(),
        interfaces: vec![iface("wan", "203.0.113.5/24", 0), iface("lan", "192.168.1.1/24", 1)],
        routes: vec![via("0.0.0.0/0", "203.0.113.1")],
        pipeline: b.0,
        forwards: true,
        drops_own_source: true,
        ..Device::default()
    };
    let server = Device {
        name: "server".into(),
        interfaces: vec![iface("eth0", "192.168.1.50/24", 1)],
        routes: vec![via("0.0.0.0/0", "192.168.1.1")],
        ..Device::default()
    };
    let host = |name: &str, net: &str, segment, hosts: Set, hop: &str| Device {
        name: name.into(),
        interfaces: vec![Interface { hosts_v4: hosts, ..iface("x", net, segment) }],
        routes: vec![via("0.0.0.0/0", hop)],
        ..Device::default()
    };
    let world = Set::range(0, ip("203.0.112.255")).or(&Set::range(ip("203.0.114.0"), u128::from(u32::MAX)));
    let lan = Set::range(ip("192.168.1.60"), ip("192.168.1.69"));
    let mut internet = host(
        "internet",
        "203.0.113.1/24",
        0,
        world.minus(&Set::range(ip("192.168.0.0"), ip("192.168.255.255"))),
        "203.0.113.1",
    );
    internet.routes.clear();
    Network {
        devices: vec![router, server, internet, host("lan", "192.168.1.60/24", 1, lan, "192.168.1.1")].into(),
        ..Network::default()
    }
}

fn question(from: usize, src: Set) -> Question {
    let parts = [src, Set::one(WAN), Set::range(1024, 65535), Set::range(49990, 50510), Set::one(17)];
    Question { from, family: Family::V4, packets: Cube { parts, vars: Vec::new() } }
}

fn ports(answer: &Answer, good: impl Fn(&RoundTrip) -> bool) -> Set {
    Set::from_ranges(
        answer.trips.iter().filter(|t| good(t)).flat_map(|t| t.asked.part(Part::DstPort).ranges().to_vec()),
    )
}

fn works(t: &RoundTrip) -> bool {
    t.next.as_ref().is_some_and(|j| matches!(j.end, Disposition::Delivered { .. }) && j.last().device == 1)
}

#[test]
fn from_outside_all_but_the_hole_arrive_and_the_pieces_are_a_partition() {
    let net = network(false, false);
    let q = question(2, Set::range(ip("198.51.100.1"), ip("198.51.100.200")));
    let answer = ask(&net, &q);
    assert_eq!(ports(&answer, works), Set::from_ranges([(50000, 50099), (50101, 50499)]));
    let volume: u128 = answer.trips.iter().map(|t| t.asked.volume()).sum();
    assert_eq!(volume, q.packets.volume());
    assert!(answer.trips.len() < 10, "a hole and two ends need few pieces, got {}", answer.trips.len());
}

#[test]
fn from_inside_only_a_hairpin_with_source_nat_works() {
    let src = || Set::one(ip("192.168.1.60"));
    let none = ask(&network(false, false), &question(3, src()));
    assert!(ports(&none, works).is_empty());
    assert!(none.trips.iter().all(|t| t.request.last().device == 0), "they end at the router's own address");

    let half = ask(&network(true, false), &question(3, src()));
    assert!(ports(&half, works).is_empty());
    let wrong = ports(&half, |t| {
        t.next.is_none()
            && t.reply.as_ref().is_some_and(|r| r.last().device == 3 && r.last().header.src == Val::Const(SERVER))
    });
    assert!(wrong.contains(50000), "answered, but from the server's inner address");

    let full = ask(&network(true, true), &question(3, src()));
    assert_eq!(ports(&full, works), Set::from_ranges([(50000, 50099), (50101, 50499)]));
}

/// The server and somebody outside send to each other, from port 40000 to port 5000; both from where `order` says.
fn meeting(order: [usize; 2]) -> Vec<(Vec<Arc<Journey>>, Vec<Choice>)> {
    let net = network(false, false);
    let outside = ip("198.51.100.1");
    let parts = [Set::one(SERVER), Set::one(outside), Set::one(40000), Set::one(5000), Set::one(17)];
    let packets = Cube { parts, vars: Vec::new() };
    let question = Question { from: 1, family: Family::V4, packets };
    let (mut talk, branch) = Talk::new(&Ask::new(&net, &question, Detail::Rules));
    let mut open = vec![(branch.expect("packets"), Vec::new())];
    for from in order {
        let header = if from == 1 { as_asked() } else { Header { dst: Val::Const(WAN), ..as_asked().inverse() } };
        let mut next = Vec::new();
        for (branch, journeys) in open {
            for (branch, journey) in talk.send(branch, from, header, Phase::Request) {
                let mut journeys: Vec<Arc<Journey>> = journeys.clone();
                journeys.push(journey);
                next.push((branch, journeys));
            }
        }
        open = next;
    }
    let choices = |journeys: &[Arc<Journey>]| {
        let ports = journeys.iter().filter_map(|j| talk.variable(j.last().header.sport));
        ports.map(|v| v.choice).collect()
    };
    open.into_iter().map(|(_, journeys)| (choices(&journeys), journeys)).map(|(c, j)| (j, c)).collect()
}

#[test]
fn whoever_sends_first_opens_the_way_or_takes_the_port() {
    let [(journeys, choices)] = &meeting([1, 2])[..] else { panic!("one fate") };
    assert_eq!(journeys[1].last().device, 1, "let in by the server's own packet");
    assert!(choices.is_empty());
    let [(journeys, choices)] = &meeting([2, 1])[..] else { panic!("one fate") };
    assert_eq!(journeys[0].last().device, 0, "no forward for this port: it ends at the router");
    assert_eq!(choices[..], [Choice::Clash { device: 0 }], "the router has the port's tuple already");
}

#[test]
fn a_sender_hears_of_a_refusal_only_if_the_device_may_send_it() {
    let related = || Step::is(KeyField::CtState, Set::one(crate::model::ct_state::RELATED));
    let icmp = || Step::is(KeyField::Header(Part::Proto), Set::one(1));
    let port = || Step::is(KeyField::Header(Part::SrcPort), Set::range(0, 65535));
    let by_wan = || Step::is(KeyField::OutIface, Set::one(iface_value("wan")));
    let unknown_type = || Step::is(KeyField::Absent, Set::one(3));
    let accept = || Step::Act(Action::Accept);
    for (kind, rules, heard) in [
        ("tcp reset", vec![], false),
        ("port-unreachable", vec![], false),
        ("port-unreachable", vec![vec![related(), accept()]], true),
        ("port-unreachable", vec![vec![icmp(), by_wan(), accept()]], true),
        ("port-unreachable", vec![vec![port(), accept()]], false),
        // Which type of ICMP is asked for is not followed.
        ("port-unreachable", vec![vec![unknown_type(), accept()]], true),
    ] {
        let mut net = network(false, false);
        let mut b = Builder(std::mem::take(&mut net.devices[0].pipeline));
        let refuse = b.chain(vec![vec![Step::Act(Action::Reject(kind.into()))]]);
        let own = b.chain(rules);
        b.stage(Hook::Input, StageKind::Filter { chain: refuse, policy: Policy::Accept, reroute: false });
        b.stage(Hook::Output, StageKind::Filter { chain: own, policy: Policy::Drop, reroute: false });
        net.devices[0].pipeline = b.0;
        let answer = ask(&net, &question(2, Set::one(ip("198.51.100.7"))));
        let refused = ports(&answer, |t| t.request.end == Disposition::Rejected(kind.into()));
        let silent = ports(&answer, |t| t.request.end == Disposition::Unheard(kind.into()));
        let closed = Set::from_ranges([(49990, 49999), (50500, 50510)]);
        let none = Set::empty();
        assert_eq!((&refused, &silent), if heard { (&closed, &none) } else { (&none, &closed) }, "{kind}");
    }
}

#[test]
fn every_way_to_give_up_is_unknown_and_no_other_end_is() {
    let given_up = [
        Disposition::Unknown(crate::model::DoubtId(0)),
        Disposition::TooManyDoubts,
        Disposition::TooScattered,
        Disposition::TooMuch(ChainId(0)),
    ];
    assert!(given_up.iter().all(Disposition::is_unknown));
    let known = [Disposition::Delivered { listening: false }, Disposition::Dropped, Disposition::NoRoute];
    assert!(!known.iter().any(Disposition::is_unknown));
}

/// A sender that masquerades what it begins, and a router that translates to four addresses and tracks no answers.
fn untracked_answers() -> Network {
    let iface = |name: &str, nets: &[&str], segment| Interface {
        name: name.into(),
        addresses: nets.iter().map(|net| net.parse().expect("net")).collect(),
        segment,
        ..Interface::default()
    };
    let via = |hop: &str| Route {
        to: "0.0.0.0/0".parse().expect("net"),
        target: RouteTarget::Via(0, Some(hop.parse().expect("ip"))),
        table: 254,
        metric: 0,
    };
    let translating = |target: NatTarget| {
        let mut b = Builder(Pipeline::default());
        let answers = Step::is(KeyField::InIface, Set::one(iface_value("lan")));
        let untrack = b.chain(vec![vec![answers, Step::Act(Action::Untrack)]]);
        let snat = b.chain(vec![vec![translate(Side::Source, target)]]);
        b.stage(Hook::Prerouting, StageKind::Filter { chain: untrack, policy: Policy::Accept, reroute: false });
        for hook in [Hook::Prerouting, Hook::Output] {
            b.stage(hook, StageKind::Track);
        }
        let chains = vec![(snat, Policy::Accept)];
        b.stage(Hook::Postrouting, StageKind::Translate { side: Side::Source, chains });
        b.0
    };
    let pool = Some((ip("10.0.0.8"), ip("10.0.0.11")));
    let sender = Device {
        interfaces: vec![iface("x", &["10.0.0.2/24", "10.0.0.9/24"], 0)],
        routes: vec![via("10.0.0.1")],
        pipeline: translating(NatTarget::OutgoingAddress { port: None }),
        ..Device::default()
    };
    let router = Device {
        interfaces: vec![iface("wan", &["10.0.0.1/24"], 0), iface("lan", &["192.168.1.1/24"], 1)],
        pipeline: translating(NatTarget::To { addr: pool, v6: false, port: None, keep_host_bits: false }),
        forwards: true,
        ..Device::default()
    };
    let server = Device {
        interfaces: vec![iface("eth0", &["192.168.1.50/24"], 1)],
        routes: vec![via("192.168.1.1")],
        ..Device::default()
    };
    Network { devices: vec![sender, router, server].into(), ..Network::default() }
}

#[test]
fn a_third_packet_with_a_session_of_its_own_evades_the_first_one() {
    let net = untracked_answers();
    let parts = [
        Set::one(ip("10.0.0.9")),
        Set::one(SERVER),
        Set::range(2000, 65535),
        Set::range(5000, 5010),
        Set::one(6), // it is picked up in the middle
    ];
    let answer = ask(&net, &Question { from: 0, family: Family::V4, packets: Cube { parts, vars: Vec::new() } });
    let thirds: Vec<Header> = answer.trips.iter().filter_map(|t| Some(t.next.as_ref()?.last().header)).collect();
    let evades = |value: Val| matches!(value, Val::Var(var) if matches!(answer.variables[var.0 as usize].choice, Choice::Clash { device: 1 }));
    // The router picks another address; where that is the taken one again, another port.
    assert!(thirds.iter().all(|h| evades(h.src)), "{thirds:?}");
    assert!(thirds.iter().any(|h| evades(h.sport)) && thirds.iter().any(|h| !evades(h.sport)), "{thirds:?}");
}
