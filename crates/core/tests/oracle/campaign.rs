//! The trace against an interpreter that looks at single packets and shares no code with it.
//!
//! `CALLPATH_ORACLE_PACKETS` sets how many packets are compared; by default a million.

use super::generate::{Random, plant};
use super::interpret::converse;
use super::{WORLD, assert_agreed_in, assert_whole, draw, maker, question};
use callpath_core::trace::{Ask, Detail, Disposition, Phase, ask};

fn wanted() -> u64 {
    std::env::var("CALLPATH_ORACLE_PACKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000)
}

fn run(detail: Detail, doubts: bool, packets: u64) -> (u64, u64) {
    let (mut compared, mut seed, mut open) = (0, 0, 0);
    while compared < packets {
        seed += 1;
        let mut maker = maker(Random::seeded(seed), doubts);
        let net = maker.network();
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
                if !assert_agreed_in(detail, (&net, &q), &answer, &packet, &seed.to_string()) {
                    open += 1;
                }
            }
        }
    }
    (compared, open)
}

#[test]
fn the_piece_that_holds_a_packet_says_what_the_interpreter_says() {
    for detail in [Detail::Rules, Detail::Ends, Detail::Fate] {
        let (compared, open) = run(detail, false, wanted());
        println!("{detail:?}: {compared} packets compared, {open} given up");
        assert_eq!(open, 0, "nothing in these models is open");
    }
}

#[test]
fn so_it_does_in_every_world_where_something_is_open() {
    for detail in [Detail::Rules, Detail::Ends, Detail::Fate] {
        let (compared, open) = run(detail, true, wanted() / 4);
        println!("{detail:?}: {compared} packets compared, {open} given up");
        assert!(open * 20 < compared, "most conversations bear few doubts");
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
            let walks = converse(&net, q.from, maker.family, tuple, packet[4], &WORLD);
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
