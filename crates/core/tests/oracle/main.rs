//! The trace against an interpreter that looks at single packets and shares no code with it.
//!
//! `CALLPATH_ORACLE_PACKETS` sets how many packets are compared; by default a million.

mod generate;
mod interpret;
mod translate;
mod values;

use callpath_core::cube::{Cube, Set};
use callpath_core::model::{DoubtId, Family, OriginId, Part};
use callpath_core::trace::{
    Answer, Choice, Did, Disposition, Header, Journey, Network, Phase, Question, RoundTrip, Val, ask,
};
use generate::{Maker, PORTS, Random, addresses, plant};
use interpret::{Tuple, Walk, World, converse};

fn answer_to(device: usize, doubt: DoubtId) -> u128 {
    (device as u128 * 7 + u128::from(doubt.0) * 3) % 4
}

fn pick(rule: OriginId, part: Part, lo: u128, hi: u128) -> u128 {
    lo + (u128::from(rule.0) * 11 + part as u128 * 5) % (hi - lo + 1)
}

const WORLD: World = World { doubt: answer_to, pick };

/// Is this piece the one for a packet in this world?
fn is_for(answer: &Answer, trip: &RoundTrip, packet: &[u128; 5]) -> bool {
    trip.asked.contains(packet)
        && trip.asked.vars.iter().all(|(var, set)| {
            let variable = &answer.variables[var.0 as usize];
            set.contains(match variable.choice {
                Choice::Doubt { device, doubt } => answer_to(device, doubt),
                Choice::Device { rule, part, .. } => {
                    let (lo, hi) = (variable.domain.min().unwrap_or(0), variable.domain.max().unwrap_or(0));
                    pick(rule, part, lo, hi)
                }
                Choice::SameSession { .. } | Choice::Clash { .. } | Choice::Order => return true,
            })
        })
}

fn number(answer: &Answer, value: Val, packet: &[u128; 5]) -> u128 {
    match value {
        Val::Const(c) => c,
        Val::Part(part, shift) => packet[part as usize].wrapping_add(shift),
        Val::Var(var) => {
            let variable = &answer.variables[var.0 as usize];
            match variable.choice {
                Choice::Device { rule, part, .. } => {
                    pick(rule, part, variable.domain.min().unwrap_or(0), variable.domain.max().unwrap_or(0))
                }
                Choice::Doubt { device, doubt } => answer_to(device, doubt),
                Choice::SameSession { .. } | Choice::Clash { .. } | Choice::Order => 0,
            }
        }
    }
}

fn header(answer: &Answer, h: &Header, packet: &[u128; 5]) -> Tuple {
    [h.src, h.dst, h.sport, h.dport].map(|v| number(answer, v, packet))
}

fn compare(answer: &Answer, journey: &Journey, walk: &Walk, packet: &[u128; 5]) -> Result<(), String> {
    let steps: Vec<(usize, _, Did)> =
        journey.hops.iter().flat_map(|h| h.steps.iter().map(move |s| (h.device, s.hook, s.did.clone()))).collect();
    let end_matches = journey.end == walk.end;
    let header = header(answer, &journey.last().header, packet);
    if end_matches && steps == walk.steps && (header == walk.header || matches!(walk.end, Disposition::Loop)) {
        return Ok(());
    }
    Err(format!(
        "trace: {:?} {header:?}\n  {steps:?}\ninterpreter: {:?} {:?}\n  {:?}",
        journey.end, walk.end, walk.header, walk.steps
    ))
}

/// Round trips with more doubts than are followed say so, and agree with anything from there on.
fn gave_up(trip: &RoundTrip) -> bool {
    let all = [Phase::Request, Phase::Reply, Phase::Next];
    all.iter().filter_map(|p| trip.journey(*p)).any(|j| j.end == Disposition::TooManyDoubts)
}

fn question(net: &Network, random: &mut Random, family: Family) -> Question {
    let from = random.below(net.devices.len());
    let pool = addresses(family);
    let own = net.devices[from].own_addresses(family);
    let mut dst: Vec<(u128, u128)> = Vec::new();
    for _ in 0..5 {
        let first = random.pick(&pool);
        dst.push((first, first + u128::from(random.bits() % 4)));
    }
    dst.push((pool[1], pool[1]));
    let parts =
        [own, Set::from_ranges(dst), Set::range(1, 65535), Set::range(1, 65535), Set::from_ranges([(6, 6), (17, 17)])];
    Question { from, family, packets: Cube { parts, vars: Vec::new() } }
}

/// A packet at the ends of a piece's intervals, one off, at a port of the rules, or anywhere.
fn draw(random: &mut Random, answer: &Answer, q: &Question) -> [u128; 5] {
    let trip = &answer.trips[random.below(answer.trips.len())];
    std::array::from_fn(|i| {
        let (set, domain) = (&trip.asked.parts[i], &q.packets.parts[i]);
        let (lo, hi) = set.ranges()[random.below(set.ranges().len())];
        let value = match random.below(8) {
            0..=1 => lo,
            2..=3 => hi,
            4 => lo.wrapping_sub(1),
            5 => hi.wrapping_add(1),
            6 if i == 2 || i == 3 => random.pick(PORTS),
            _ => lo + u128::from(random.bits()) % (hi - lo + 1),
        };
        if domain.contains(value) { value } else { lo }
    })
}

fn maker(seed: u64, doubts: bool) -> Maker {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let family = if random.chance(60) { Family::V4 } else { Family::V6 };
    Maker { random, family, doubts }
}

fn wanted() -> u64 {
    std::env::var("CALLPATH_ORACLE_PACKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000)
}

fn run(doubts: bool, packets: u64) -> (u64, u64) {
    let (mut compared, mut seed, mut open) = (0, 0, 0);
    while compared < packets {
        seed += 1;
        let mut maker = maker(seed, doubts);
        let net = maker.network();
        for _ in 0..3 {
            let q = question(&net, &mut maker.random, maker.family);
            if q.packets.is_empty() {
                continue;
            }
            let answer = ask(&net, &q);
            if !doubts {
                assert!(answer.variables.iter().all(|v| matches!(v.choice, Choice::SameSession { .. })), "seed {seed}");
                let volume: u128 = answer.trips.iter().map(|t| t.asked.volume()).sum();
                if answer.variables.is_empty() {
                    assert_eq!(volume, q.packets.volume(), "the pieces are not the question, seed {seed}");
                }
            }
            for _ in 0..100 {
                let packet = draw(&mut maker.random, &answer, &q);
                if packet[2] == packet[3] {
                    continue;
                }
                let trips: Vec<&RoundTrip> = answer.trips.iter().filter(|t| is_for(&answer, t, &packet)).collect();
                let same = answer.variables.iter().any(|v| matches!(v.choice, Choice::SameSession { .. }));
                let context = || format!("seed {seed}, from {}, packet {packet:?}", q.from);
                compared += 1;
                if trips.iter().any(|t| gave_up(t)) {
                    open += 1;
                    continue;
                }
                assert!(same || trips.len() == 1, "{} pieces, {}", trips.len(), context());
                let tuple = [packet[0], packet[1], packet[2], packet[3]];
                let walks = converse(&net, q.from, maker.family, tuple, packet[4], &WORLD);
                let verdicts: Vec<Result<(), String>> = trips
                    .iter()
                    .map(|trip| {
                        let phases = [Phase::Request, Phase::Reply, Phase::Next];
                        let journeys: Vec<&Journey> = phases.iter().filter_map(|p| trip.journey(*p)).collect();
                        for (journey, walk) in journeys.iter().zip(&walks) {
                            compare(&answer, journey, walk, &packet)?;
                        }
                        if journeys.len() == walks.len() { Ok(()) } else { Err("another number of packets".into()) }
                    })
                    .collect();
                assert!(
                    verdicts.iter().any(Result::is_ok),
                    "{}\n{}",
                    context(),
                    verdicts.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("\n")
                );
            }
        }
    }
    (compared, open)
}

#[test]
fn the_piece_that_holds_a_packet_says_what_the_interpreter_says() {
    let (compared, open) = run(false, wanted());
    println!("{compared} packets compared, {open} given up");
    assert_eq!(open, 0, "nothing in these models is open");
}

#[test]
fn so_it_does_in_every_world_where_something_is_open() {
    let (compared, open) = run(true, wanted() / 4);
    println!("{compared} packets compared, {open} given up");
    assert!(open * 20 < compared, "most conversations bear few doubts");
}

#[test]
fn a_planted_unknown_makes_exactly_those_packets_unknown_that_meet_it() {
    let mut met = 0;
    for seed in 0..400 {
        let mut maker = maker(seed, false);
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
