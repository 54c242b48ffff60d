//! Large random rulesets: thousands of rules, jumps deeper than the kernel's, sets and maps.
//!
//! Fates of everything at once are compared with the interpreter, packet by packet, and with all rules of each packet
//! asked alone: a fate is the projection of the rules. `CALLPATH_LARGE_RULESETS` sets how many are made.

use super::generate::{Maker, Random};
use super::interpret::converse;
use super::{WORLD, assert_agreed_in, draw, maker, question};
use callpath_core::cube::{Cube, Set};
use callpath_core::model::{Action, ChainId, Pipeline, Step, Test, Verdicted};
use callpath_core::trace::{Answer, Ask, Budget, Detail, Disposition, Network, Phase, Question, RoundTrip};

/// Rules of the largest ruleset.
const MOST: usize = 2_000;

/// Jumps nest this deep; the kernel's stack holds sixteen.
const DEEPEST: usize = 20;

fn wanted() -> u64 {
    std::env::var("CALLPATH_LARGE_RULESETS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| crate::length::length(200, 50))
}

/// Sizes up to the largest, as many small ones as large ones.
fn size(random: &mut Random) -> usize {
    let most = 20 << random.below(8);
    (most / 2 + random.below(most)).min(MOST)
}

/// What rulesets are made of.
#[derive(Default)]
struct Made {
    rules: usize,
    largest: usize,
    /// Rulesets by how deep their chains nest.
    nested: [usize; DEEPEST + 1],
    /// Conditions that name more than one interval.
    sets: usize,
    /// Conditions on rows of a set of two fields.
    pairs: usize,
    /// Maps from values to verdicts.
    maps: usize,
}

impl Made {
    fn add(&mut self, pipeline: &Pipeline) {
        let rules = pipeline.chains.iter().map(|c| c.rules.len()).sum();
        self.rules += rules;
        self.largest = self.largest.max(rules);
        // Chains lead only to those before them.
        let mut depths: Vec<usize> = Vec::new();
        for chain in pipeline.chains.iter() {
            let mut depth = 0;
            for step in chain.rules.iter().flat_map(|r| &r.steps) {
                let mut leads = |to: ChainId| depth = depth.max(depths[to.0 as usize] + 1);
                match step {
                    Step::Match(m) => match &m.test {
                        Test::In(set) => self.sets += usize::from(set.ranges().len() > 1),
                        Test::Boxes(_) => self.pairs += 1,
                    },
                    Step::Act(Action::Jump(to)) => leads(*to),
                    Step::Act(Action::Verdict(lookup)) => {
                        self.maps += 1;
                        for (_, verdict) in &lookup.entries {
                            if let Verdicted::Jump(to) = verdict {
                                leads(*to);
                            }
                        }
                    }
                    Step::Act(_) => {}
                }
            }
            depths.push(depth);
        }
        self.nested[depths.into_iter().max().unwrap_or(0)] += 1;
    }
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
    let (mut compared, mut open, mut made) = (0_u64, 0_u64, Made::default());
    // Packets by how deep they get.
    let mut reached = [0_u64; DEEPEST + 1];
    for seed in 1..=wanted() {
        let mut maker = maker(Random::seeded(seed), false);
        let net = network(&mut maker);
        made.add(&net.devices[0].pipeline);
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
                let [src, dst, sport, dport, proto] = packet;
                reached[converse(&net, q.from, q.family, [src, dst, sport, dport], proto, &WORLD).deepest] += 1;
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
    let Made { rules, largest, nested, sets, pairs, maps } = made;
    println!("{rules} rules in {} rulesets: {compared} packets compared, {open} given up", wanted());
    println!("the largest has {largest} rules; {sets} sets, {pairs} of two fields, {maps} maps");
    println!("rulesets by how deep their chains nest: {nested:?}; packets by how deep they get: {reached:?}");
    let deep = usize::try_from(wanted() / 100).unwrap_or(0);
    assert!(wanted() < 100 || largest >= MOST && nested[DEEPEST] >= deep, "{largest} rules, {nested:?}");
    assert!([sets, pairs, maps].iter().all(|n| *n >= deep), "{sets} sets, {pairs} of two fields, {maps} maps");
    assert!(wanted() < 100 || reached[17] > 0, "no packet gets deeper than the kernel's stack: {reached:?}");
    assert!(compared > 20 * wanted(), "few packets");
    assert!(open * 10 < compared, "most rulesets are asked to their end");
}
