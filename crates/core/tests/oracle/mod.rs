//! Random models, the interpreter, and the comparison of both with the trace. The fuzz target `trace` drives it too.

#[cfg(test)]
mod campaign;
pub mod generate;
pub mod interpret;
#[cfg(test)]
mod large;
mod translate;
mod values;

use callpath_core::cube::{Cube, Set, VarId};
use callpath_core::model::{Action, Device, DoubtId, Family, NatTarget, OriginId, Part, Step};
use callpath_core::trace::{
    Answer, Choice, Detail, Did, Disposition, Header, Journey, Network, Phase, Question, RoundTrip, Val,
};
use generate::{Maker, PORTS, Random, addresses};
use interpret::{Tuple, Walk, World, converse};

fn answer_to(device: usize, doubt: DoubtId) -> u128 {
    (device as u128 * 7 + u128::from(doubt.0) * 3) % 4
}

fn pick(rule: OriginId, part: Part, lo: u128, hi: u128) -> u128 {
    lo + (u128::from(rule.0) * 11 + part as u128 * 5) % (hi - lo + 1)
}

/// What stands open is answered alike on both sides.
pub const WORLD: World = World { doubt: answer_to, pick };

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

fn compare(detail: Detail, answer: &Answer, journey: &Journey, walk: &Walk, packet: &[u128; 5]) -> Result<(), String> {
    let steps: Vec<(usize, _, Did)> =
        journey.hops.iter().flat_map(|h| h.steps.iter().map(move |s| (h.device, s.hook, s.did.clone()))).collect();
    // The interpreter does not follow how senders are told that their packet was rejected.
    let end_matches = match &journey.end {
        Disposition::Unheard(kind) => walk.end == Disposition::Rejected(kind.clone()),
        end => *end == walk.end,
    };
    let header = header(answer, &journey.last().header, packet);
    let steps_match = match detail {
        Detail::Rules => steps == walk.steps,
        // What ended the packet is told, and nothing else.
        Detail::Ends | Detail::Fate => {
            let told = |did: Did| match did {
                Did::Rule(_) if detail == Detail::Fate => Did::SomeRule,
                did => did,
            };
            let last = walk.steps.last().map(|(device, hook, did)| (*device, *hook, told(did.clone())));
            let decided = journey.last().steps.last().map(|s| (journey.last().device, s.hook, s.did.clone()));
            match walk.end {
                Disposition::Dropped | Disposition::Rejected(_) => decided.is_some() && decided == last,
                _ => decided.is_none() || decided == last,
            }
        }
    };
    if end_matches && steps_match && (header == walk.header || matches!(walk.end, Disposition::Loop)) {
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
    all.iter()
        .filter_map(|p| trip.journey(*p))
        .any(|j| matches!(j.end, Disposition::TooManyDoubts | Disposition::TooScattered))
}

/// Random packets that a random device sends.
pub fn question(net: &Network, random: &mut Random, family: Family) -> Question {
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
pub fn draw(random: &mut Random, answer: &Answer, q: &Question) -> [u128; 5] {
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

/// A maker whose choices follow from a source of numbers.
pub fn maker(mut random: Random, doubts: bool) -> Maker {
    let family = if random.chance(60) { Family::V4 } else { Family::V6 };
    Maker { random, family, doubts }
}

/// Two packets of one flow may be one session or two: then several pieces are right.
fn same_session(answer: &Answer) -> bool {
    answer.variables.iter().any(|v| matches!(v.choice, Choice::SameSession { .. }))
}

/// Where nothing is open the pieces are the question, and none of them stands twice. `seed` names it.
pub fn assert_whole(answer: &Answer, q: &Question, seed: &str) {
    assert!(answer.variables.iter().all(|v| matches!(v.choice, Choice::SameSession { .. })), "seed {seed}");
    let volume: u128 = answer.trips.iter().map(|t| t.asked.volume()).sum();
    if answer.variables.is_empty() {
        assert_eq!(volume, q.packets.volume(), "the pieces are not the question, seed {seed}");
    }
}

/// A port that one device picked and another moves, or an address that another maps onto its network: the trace knows
/// only that it is some port, or some address of that network.
fn moved_after_a_pick(net: &Network, answer: &Answer, trip: &RoundTrip) -> bool {
    let any = |var: &VarId| {
        let variable = &answer.variables[var.0 as usize];
        match variable.choice {
            Choice::Device { part: Part::Src | Part::Dst, device, rule } => maps_networks(&net.devices[device], rule),
            Choice::Device { .. } => variable.domain == Set::range(0, 65535),
            _ => false,
        }
    };
    let all = [Phase::Request, Phase::Reply, Phase::Next];
    let headers = all.iter().filter_map(|p| trip.journey(*p)).flat_map(|j| &j.hops).map(|h| h.header);
    let named = headers.flat_map(|h| [h.src, h.dst, h.sport, h.dport]).filter_map(|v| match v {
        Val::Var(var) => Some(var),
        _ => None,
    });
    named.chain(trip.asked.vars.iter().map(|(var, _)| *var)).any(|var| any(&var))
}

fn maps_networks(device: &Device, rule: OriginId) -> bool {
    let rules = device.pipeline.chains.iter().flat_map(|c| &c.rules).filter(|r| r.origin == rule);
    let targets = rules.flat_map(|r| &r.steps).filter_map(|step| match step {
        Step::Act(Action::Translate(translate)) => Some(&translate.target),
        _ => None,
    });
    targets
        .flat_map(|t| t.entries.iter().map(|(_, to)| to).chain(&t.default))
        .any(|to| matches!(to, NatTarget::To { keep_host_bits: true, .. }))
}

/// The piece that holds this packet says what the interpreter says; false where the trace gave up.
pub fn assert_agreed(net: &Network, q: &Question, answer: &Answer, packet: &[u128; 5], seed: &str) -> bool {
    assert_agreed_in(Detail::Rules, (net, q), answer, packet, seed)
}

/// The same for an answer that tells only fates, or rules too.
pub fn assert_agreed_in(
    detail: Detail,
    (net, q): (&Network, &Question),
    answer: &Answer,
    packet: &[u128; 5],
    seed: &str,
) -> bool {
    let here = || answer.trips.iter().filter(|t| t.asked.contains(packet));
    let trips: Vec<&RoundTrip> = here().filter(|t| is_for(answer, t, packet)).collect();
    if trips.iter().any(|t| gave_up(t)) || here().any(|t| moved_after_a_pick(net, answer, t)) {
        return false;
    }
    let context = || format!("seed {seed}, from {}, packet {packet:?}", q.from);
    assert!(same_session(answer) || trips.len() == 1, "{} pieces, {}", trips.len(), context());
    let tuple = [packet[0], packet[1], packet[2], packet[3]];
    let walks = converse(net, q.from, q.family, tuple, packet[4], &WORLD);
    let verdicts: Vec<Result<(), String>> = trips
        .iter()
        .map(|trip| {
            let phases = [Phase::Request, Phase::Reply, Phase::Next];
            let journeys: Vec<&Journey> = phases.iter().filter_map(|p| trip.journey(*p)).collect();
            for (journey, walk) in journeys.iter().zip(&walks) {
                compare(detail, answer, journey, walk, packet)?;
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
    true
}
