//! Judgement over answers made by hand.

use super::*;
use crate::model::{Device, OriginId};
use crate::trace::{Header, Hop, Variable};
use std::sync::Arc;

fn header() -> Header {
    let part = |p| Val::Part(p, 0);
    Header { src: part(Part::Src), dst: part(Part::Dst), sport: part(Part::SrcPort), dport: part(Part::DstPort) }
}

fn journey_to(device: usize, end: Disposition) -> Arc<Journey> {
    let hop = Hop { device, in_iface: None, out_iface: None, steps: Vec::new(), header: header(), named: false };
    Arc::new(Journey { hops: vec![hop], end })
}

fn arrives(device: usize) -> Arc<Journey> {
    journey_to(device, Disposition::Delivered { listening: true })
}

fn cube(ports: (u128, u128), vars: &[(u32, (u128, u128))]) -> Cube {
    let parts = [Set::range(1, 9), Set::one(5), Set::range(1024, 65535), Set::range(ports.0, ports.1), Set::one(17)];
    Cube { parts, vars: vars.iter().map(|(v, (lo, hi))| (VarId(*v), Set::range(*lo, *hi))).collect() }
}

/// Asker 0, server 1.
fn trip(asked: Cube, request: Arc<Journey>, reply: Option<Arc<Journey>>, next: Option<Arc<Journey>>) -> RoundTrip {
    RoundTrip { asked, request, reply, next }
}

fn good(asked: Cube) -> RoundTrip {
    trip(asked, arrives(1), Some(arrives(0)), Some(arrives(1)))
}

fn dropped(asked: Cube) -> RoundTrip {
    trip(asked, journey_to(2, Disposition::Dropped), None, None)
}

fn doubt(n: u32) -> Variable {
    Variable { domain: Set::range(0, 1), choice: Choice::Doubt { device: 2, doubt: DoubtId(n) } }
}

/// What is certain about which ports, and how many doubts decide.
type Judged = (Certainty, Vec<(u128, u128)>, usize);

fn judge(trips: Vec<RoundTrip>, variables: Vec<Variable>) -> Vec<Judged> {
    let network =
        Network { devices: vec![Device::default(), Device::default(), Device::default()].into(), ..Network::default() };
    let goal =
        Goal { host: Host::alone(1), listening: true, same_port: true, relay: None, no_helper: false, internet: None };
    let answer = Answer { trips, variables, stands_for: rustc_hash::FxHashMap::default() };
    let endings: Vec<Ending> = answer.trips.iter().map(|t| ending(t, goal, 0)).collect();
    let regions = regions(&answer, &network, &endings);
    let volume: u128 = regions.iter().flat_map(|r| &r.cubes).map(Cube::volume).sum();
    let all = answer.trips.iter().fold(Set::empty(), |s, t| s.or(t.asked.part(Part::DstPort)));
    assert_eq!(volume, all.count() * 9 * 64512, "the regions are what was asked, each packet once");
    regions.iter().map(|r| (r.certainty, r.part(Part::DstPort).ranges().to_vec(), r.doubts.len())).collect()
}

#[test]
fn without_doubts_every_piece_is_certain() {
    let found = judge(
        vec![good(cube((50000, 50099), &[])), dropped(cube((50100, 50100), &[])), good(cube((50101, 50200), &[]))],
        vec![],
    );
    assert_eq!(
        found,
        [(Certainty::Open, vec![(50000, 50099), (50101, 50200)], 0), (Certainty::Closed, vec![(50100, 50100)], 0)]
    );
}

#[test]
fn a_doubt_that_decides_is_unknown_and_one_that_does_not_is_no_matter() {
    let split = judge(vec![good(cube((1, 9), &[(0, (1, 1))])), dropped(cube((1, 9), &[(0, (0, 0))]))], vec![doubt(7)]);
    assert_eq!(split, [(Certainty::Unknown, vec![(1, 9)], 1)]);
    let same = judge(vec![good(cube((1, 9), &[(0, (1, 1))])), good(cube((1, 9), &[(0, (0, 0))]))], vec![doubt(7)]);
    assert_eq!(same, [(Certainty::Open, vec![(1, 9)], 0)]);
    let lost =
        judge(vec![dropped(cube((1, 9), &[(0, (1, 1))])), dropped(cube((1, 9), &[(0, (0, 0))]))], vec![doubt(7)]);
    assert_eq!(lost, [(Certainty::Closed, vec![(1, 9)], 0)]);
}

#[test]
fn doubts_that_meet_only_some_ports_leave_the_others_alone() {
    let found = judge(
        vec![
            good(cube((1, 4), &[(0, (1, 1))])),
            dropped(cube((1, 4), &[(0, (0, 0))])),
            good(cube((5, 9), &[(1, (1, 1))])),
            good(cube((5, 6), &[(1, (0, 0))])),
            dropped(cube((7, 9), &[(1, (0, 0))])),
        ],
        vec![doubt(7), doubt(8)],
    );
    assert_eq!(
        found,
        [
            (Certainty::Unknown, vec![(1, 4)], 1),
            (Certainty::Open, vec![(5, 6)], 0),
            (Certainty::Unknown, vec![(7, 9)], 1)
        ]
    );
}

#[test]
fn only_doubts_that_make_the_difference_are_named() {
    let found = judge(
        vec![
            good(cube((1, 9), &[(0, (1, 1)), (1, (0, 0))])),
            good(cube((1, 9), &[(0, (1, 1)), (1, (1, 1))])),
            dropped(cube((1, 9), &[(0, (0, 0)), (1, (0, 0))])),
            dropped(cube((1, 9), &[(0, (0, 0)), (1, (1, 1))])),
        ],
        vec![doubt(7), doubt(8)],
    );
    assert_eq!(found, [(Certainty::Unknown, vec![(1, 9)], 1)]);
}

#[test]
fn a_port_that_a_device_chooses_is_open_when_every_choice_is() {
    let choice = Variable {
        domain: Set::range(1024, 65535),
        choice: Choice::Device { device: 2, rule: OriginId(0), part: Part::SrcPort },
    };
    let all = judge(
        vec![good(cube((1, 9), &[(0, (1024, 2000))])), good(cube((1, 9), &[(0, (2001, 65535))]))],
        vec![choice.clone()],
    );
    assert_eq!(all[0].0, Certainty::Open);
    let some = judge(
        vec![good(cube((1, 9), &[(0, (1024, 2000))])), dropped(cube((1, 9), &[(0, (2001, 65535))]))],
        vec![choice],
    );
    assert_eq!(some[0].0, Certainty::Unknown);
}

#[test]
fn each_way_to_fail_has_its_own_ending() {
    let goal =
        Goal { host: Host::alone(1), listening: true, same_port: true, relay: None, no_helper: false, internet: None };
    let ends = |t: RoundTrip| ending(&t, goal, 0);
    let any = || cube((1, 9), &[]);
    assert_eq!(ends(good(any())), Ending::Works);
    assert_eq!(ends(dropped(any())), Ending::Lost(Phase::Request));
    assert_eq!(ends(trip(any(), arrives(2), None, None)), Ending::Lost(Phase::Request), "delivered elsewhere");
    let idle = journey_to(1, Disposition::Delivered { listening: false });
    assert_eq!(ends(trip(any(), idle, None, None)), Ending::Lost(Phase::Request), "nobody listens");
    let lost = Some(journey_to(2, Disposition::Dropped));
    assert_eq!(ends(trip(any(), arrives(1), lost.clone(), None)), Ending::Lost(Phase::Reply));
    assert_eq!(ends(trip(any(), arrives(1), Some(arrives(0)), None)), Ending::WrongSource);
    assert_eq!(ends(trip(any(), arrives(1), Some(arrives(0)), lost)), Ending::Lost(Phase::Next));
    let unknown = journey_to(2, Disposition::Unknown(DoubtId(0)));
    assert_eq!(ends(trip(any(), unknown, None, None)), Ending::Unknown(Phase::Request));
    let mut shifted = Journey::clone(&arrives(1));
    shifted.hops[0].header.dport = Val::Part(Part::DstPort, 1000);
    assert_eq!(ends(trip(any(), Arc::new(shifted), Some(arrives(0)), Some(arrives(1)))), Ending::OtherPort);
}
