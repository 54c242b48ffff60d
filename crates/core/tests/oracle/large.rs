//! Large random rulesets: thousands of rules, jumps deeper than the kernel's, sets and maps.
//!
//! Fates of everything at once are compared with the interpreter, packet by packet, and with all rules of each packet
//! asked alone: a fate is the projection of the rules. `CALLPATH_LARGE_RULESETS` sets how many are made.

use super::generate::{Maker, Random};
use super::{assert_agreed_in, draw, maker, question};
use callpath_core::cube::{Cube, Set};
use callpath_core::trace::{Answer, Ask, Budget, Detail, Disposition, Network, Phase, Question, RoundTrip};

/// Rules of the largest ruleset.
const MOST: usize = 2_000;

/// Jumps nest this deep; the kernel's stack holds sixteen.
const DEEPEST: usize = 20;

fn wanted() -> u64 {
    std::env::var("CALLPATH_LARGE_RULESETS").ok().and_then(|n| n.parse().ok()).unwrap_or(200)
}

/// Sizes up to the largest, as many small ones as large ones.
fn size(random: &mut Random) -> usize {
    let most = 20 << random.below(7);
    (most / 2 + random.below(most)).min(MOST)
}

fn network(maker: &mut Maker) -> Network {
    let mut net = maker.network();
    let (rules, depth) = (size(&mut maker.random), maker.random.below(DEEPEST + 1));
    net.devices[0].pipeline = maker.large(rules, depth);
    net.budget = Budget::of_a_run();
    net
}

fn gave_up(trip: &RoundTrip) -> bool {
    let ends = [Phase::Request, Phase::Reply, Phase::Next].into_iter().filter_map(|p| trip.journey(p));
    ends.into_iter().any(|j| matches!(j.end, Disposition::TooMuch(_)))
}

/// The piece of a packet, where nothing is open.
fn piece<'a>(answer: &'a Answer, packet: &[u128; 5]) -> Option<&'a RoundTrip> {
    answer.trips.iter().find(|t| t.asked.contains(packet))
}

/// Where and how a round trip's packets end. Whether the sender hears of a refusal is said only where that holds for all
/// packets of a piece, and pieces differ.
fn ends(trip: &RoundTrip) -> Vec<(usize, Disposition)> {
    let end = |end: &Disposition| match end {
        Disposition::Unheard(kind) => Disposition::Rejected(kind.clone()),
        end => end.clone(),
    };
    let phases = [Phase::Request, Phase::Reply, Phase::Next];
    phases.into_iter().filter_map(|p| trip.journey(p)).map(|j| (j.last().device, end(&j.end))).collect()
}

#[test]
fn fates_of_large_rulesets_are_those_of_each_packet_and_its_rules() {
    let (mut compared, mut open, mut rules) = (0_u64, 0_u64, 0);
    for seed in 1..=wanted() {
        let mut maker = maker(Random::seeded(seed), false);
        let net = network(&mut maker);
        rules += net.devices[0].pipeline.chains.iter().map(|c| c.rules.len()).sum::<usize>();
        let q = question(&net, &mut maker.random, maker.family);
        if q.packets.is_empty() {
            continue;
        }
        for detail in [Detail::Fate, Detail::Ends] {
            let net = Network { budget: Budget::of_a_run(), ..net.clone() };
            let answer = Ask::new(&net, &q, detail).answer(Phase::Next);
            for _ in 0..40 {
                let packet = draw(&mut maker.random, &answer, &q);
                let Some(trip) = piece(&answer, &packet).filter(|_| packet[2] != packet[3]) else { continue };
                if gave_up(trip) {
                    open += 1;
                    continue;
                }
                compared += 1;
                let seed = format!("{seed} ({detail:?})");
                assert_agreed_in(detail, (&net, &q), &answer, &packet, &seed);
                // The same packet alone, with every rule that it meets.
                let parts = packet.map(Set::one);
                let alone = Question { packets: Cube { parts, vars: Vec::new() }, ..q.clone() };
                let told = Ask::new(&net, &alone, Detail::Rules).answer(Phase::Next);
                assert_agreed_in(Detail::Rules, (&net, &alone), &told, &packet, &seed);
                // Where a packet may be of a session that another one opened, several pieces are right.
                let all: Vec<_> = answer.trips.iter().filter(|t| t.asked.contains(&packet)).map(ends).collect();
                let alone: Vec<_> = told.trips.iter().map(ends).collect();
                assert!(all.iter().any(|e| alone.contains(e)), "seed {seed}, packet {packet:?}: {all:?}, {alone:?}");
            }
        }
    }
    println!("{rules} rules in {} rulesets: {compared} packets compared, {open} given up", wanted());
    assert!(compared > 20 * wanted(), "few packets");
    assert!(open * 10 < compared, "most rulesets are asked to their end");
}
