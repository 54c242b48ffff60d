//! The trace against an interpreter that looks at single packets and shares no code with it.
//!
//! `CALLPATH_ORACLE_PACKETS` sets how many packets are compared; by default a million, and in short tests a tenth of it.

use super::generate::{Maker, Random, plant};
use super::interpret::converse;
use super::{Agreed, WORLD, assert_agreed_in, assert_whole, draw, maker, question, question_to_hosts};
use callpath_core::model::Family;
use callpath_core::trace::{Ask, Detail, Disposition, Network, Phase, Question, ask};

fn wanted() -> u64 {
    std::env::var("CALLPATH_ORACLE_PACKETS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| crate::length::length(1_000_000, 100_000))
}

/// What a campaign came to.
#[derive(Default)]
struct Tally {
    compared: u64,
    /// Packets that the trace gave up.
    open: u64,
    /// Packets for which a device picked another address or port because one was taken.
    evaded: u64,
}

/// How networks are made, and what is asked about them.
type Kind = (fn(&mut Maker) -> Network, fn(&Network, &mut Random, Family) -> Question);

const ANY: Kind = (Maker::network, question);
const CROWDED: Kind = (Maker::crowded, question_to_hosts);

fn run(detail: Detail, doubts: bool, (make, question): Kind, packets: u64) -> Tally {
    let Tally { mut compared, mut open, mut evaded } = Tally::default();
    let mut seed = 0;
    while compared < packets {
        seed += 1;
        let mut maker = maker(Random::seeded(seed), doubts);
        let net = make(&mut maker);
        for _ in 0..3 {
            let q = question(&net, &mut maker.random, maker.family);
            if q.packets.is_empty() {
                continue;
            }
            let answer = Ask::new(&net, &q, detail).answer(Phase::Next);
            if !doubts {
                assert_whole(&answer, &q, &seed.to_string());
            }
            for _ in 0..100 {
                let packet = draw(&mut maker.random, &answer, &q);
                if packet[2] == packet[3] {
                    continue;
                }
                compared += 1;
                match assert_agreed_in(detail, (&net, &q), &answer, &packet, &seed.to_string()) {
                    Agreed::Open => open += 1,
                    Agreed::Evaded => evaded += 1,
                    Agreed::Alike => {}
                }
            }
        }
    }
    println!("{detail:?}: {compared} packets compared, {open} given up, {evaded} evaded a taken address or port");
    Tally { compared, open, evaded }
}

#[test]
fn the_piece_that_holds_a_packet_says_what_the_interpreter_says() {
    for detail in [Detail::Rules, Detail::Ends, Detail::Fate] {
        let tally = run(detail, false, ANY, wanted());
        assert_eq!(tally.open, 0, "nothing in these models is open");
    }
}

#[test]
fn so_it_does_in_every_world_where_something_is_open() {
    for detail in [Detail::Rules, Detail::Ends, Detail::Fate] {
        let tally = run(detail, true, ANY, wanted() / 4);
        assert!(tally.open * 20 < tally.compared, "most conversations bear few doubts");
    }
}

#[test]
fn what_another_session_holds_is_evaded() {
    for detail in [Detail::Rules, Detail::Ends, Detail::Fate] {
        let tally = run(detail, true, CROWDED, wanted() / 4);
        assert!(tally.open * 20 < tally.compared, "most conversations bear few doubts");
        assert!(tally.evaded * 200 > tally.compared, "few packets find taken what they would become");
    }
}

#[test]
fn a_planted_unknown_makes_exactly_those_packets_unknown_that_meet_it() {
    let mut met = 0;
    for seed in 0..400 {
        let mut maker = maker(Random::seeded(seed), false);
        let mut net = maker.network();
        let Some(doubt) = plant(&mut net.devices[0].pipeline, &mut maker.random) else { continue };
        let q = question(&net, &mut maker.random, maker.family);
        if q.packets.is_empty() {
            continue;
        }
        let answer = ask(&net, &q);
        for _ in 0..100 {
            let packet = draw(&mut maker.random, &answer, &q);
            if packet[2] == packet[3] {
                continue;
            }
            let tuple = [packet[0], packet[1], packet[2], packet[3]];
            let walks = converse(&net, q.from, maker.family, tuple, packet[4], &WORLD).walks;
            let meets = walks.iter().any(|w| w.end == Disposition::Unknown(doubt));
            let trips = answer.trips.iter().filter(|t| t.asked.contains(&packet));
            let unknown = trips.filter(|t| {
                [Phase::Request, Phase::Reply, Phase::Next]
                    .iter()
                    .filter_map(|p| t.journey(*p))
                    .any(|j| j.end == Disposition::Unknown(doubt))
            });
            assert_eq!(unknown.count() > 0, meets, "seed {seed}, packet {packet:?}");
            met += u64::from(meets);
        }
    }
    println!("{met} packets met a planted unknown");
    assert!(met > 500);
}
