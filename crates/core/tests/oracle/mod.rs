//! Random models, the interpreter, and the comparison of both with the trace. The fuzz target `trace` drives it too.

#[cfg(test)]
mod campaign;
pub mod generate;
pub mod interpret;
#[cfg(test)]
mod large;
mod translate;
mod values;

use callpath_core::cube::{Cube, Dim, Set, VarId};
use callpath_core::model::{Action, Device, DoubtId, Family, NatTarget, OriginId, Part, Step};
use callpath_core::trace::{
    Answer, Choice, Detail, Did, Disposition, Header, Journey, Network, Phase, Question, RoundTrip, Val, Variable,
};
use generate::{Maker, PORTS, Random, addresses};
use interpret::{Talk, Tuple, Walk, World, converse};

fn answer_to(device: usize, doubt: DoubtId) -> u128 {
    (device as u128 * 7 + u128::from(doubt.0) * 3) % 4
}

fn pick(rule: OriginId, part: Part, lo: u128, hi: u128) -> u128 {
    lo + (u128::from(rule.0) * 11 + part as u128 * 5) % (hi - lo + 1)
}

fn evade(device: usize, nth: usize, lo: u128, hi: u128) -> u128 {
    lo + (device as u128 * 5 + nth as u128 * 7 + 2) % (hi - lo + 1)
}

/// What stands open is answered alike on both sides.
pub const WORLD: World = World { doubt: answer_to, pick, evade };

/// Values of variables, in their order.
type Values = Vec<(VarId, u128)>;

/// Variables that a piece speaks of, each once.
fn variables_of(trip: &RoundTrip) -> Vec<VarId> {
    let all = [Phase::Request, Phase::Reply, Phase::Next];
    let headers = all.iter().filter_map(|p| trip.journey(*p)).map(|j| j.last().header);
    let named = headers.flat_map(|h| [h.src, h.dst, h.sport, h.dport]).filter_map(|v| match v {
        Val::Var(var) => Some(var),
        _ => None,
    });
    let mut out: Vec<VarId> = named.chain(trip.asked.vars.iter().map(|(var, _)| *var)).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// All ways in which a piece's variables can be what the devices chose: variables of one kind are made in the order in
/// which the choices are. A piece speaks only of those that still matter.
fn worlds(answer: &Answer, trip: &RoundTrip, choices: &[(Choice, u128)]) -> Vec<Values> {
    let mut out: Vec<(Values, Vec<usize>)> = vec![(Vec::new(), Vec::new())];
    for var in variables_of(trip) {
        let Variable { choice, domain } = &answer.variables[var.0 as usize];
        let made = || choices.iter().enumerate().filter(|(_, (c, _))| c == choice);
        let known = match choice {
            Choice::Doubt { device, doubt } => Some(answer_to(*device, *doubt)),
            Choice::Device { rule, part, .. } => {
                Some(pick(*rule, *part, domain.min().unwrap_or(0), domain.max().unwrap_or(0)))
            }
            Choice::Clash { .. } => None,
            Choice::SameSession { .. } | Choice::Order => continue,
        };
        let mut next = Vec::new();
        for (values, used) in out {
            let after = used.iter().filter(|n| choices[**n].0 == *choice).max().map_or(0, |n| n + 1);
            let mut ways: Vec<_> = made().filter(|(n, _)| *n >= after).map(|(n, (_, v))| (Some(n), *v)).collect();
            if ways.is_empty() {
                // A device that knows what the same sender became does not choose: any value will do.
                ways.extend(known.map(|value| (None, value)));
            }
            for (n, value) in ways {
                let (mut values, mut used) = (values.clone(), used.clone());
                values.push((var, value));
                used.extend(n);
                next.push((values, used));
            }
        }
        out = next;
    }
    out.into_iter().map(|(values, _)| values).filter(|values| holds(trip, values)).collect()
}

/// Is this piece the one for these values of its variables?
fn holds(trip: &RoundTrip, values: &Values) -> bool {
    let of = |var: &VarId| values.iter().find(|(v, _)| v == var).map(|(_, value)| *value);
    trip.asked.vars.iter().all(|(var, set)| of(var).is_none_or(|value| set.contains(value)))
}

fn number(values: &Values, value: Val, packet: &[u128; 5]) -> u128 {
    match value {
        Val::Const(c) => c,
        Val::Part(part, shift) => packet[part as usize].wrapping_add(shift),
        Val::Var(var) => values.iter().find(|(v, _)| *v == var).map_or(0, |(_, value)| *value),
    }
}

fn header(values: &Values, h: &Header, packet: &[u128; 5]) -> Tuple {
    [h.src, h.dst, h.sport, h.dport].map(|v| number(values, v, packet))
}

fn compare(detail: Detail, values: &Values, journey: &Journey, walk: &Walk, packet: &[u128; 5]) -> Result<(), String> {
    let steps: Vec<(usize, _, Did)> =
        journey.hops.iter().flat_map(|h| h.steps.iter().map(move |s| (h.device, s.hook, s.did.clone()))).collect();
    // The interpreter does not follow how senders are told that their packet was rejected.
    let end_matches = match &journey.end {
        Disposition::Unheard(kind) => walk.end == Disposition::Rejected(kind.clone()),
        end => *end == walk.end,
    };
    let header = header(values, &journey.last().header, packet);
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

/// What a router sends from any of its addresses to hosts behind the next one.
#[allow(dead_code)] // not every test that includes this asks so
pub fn question_to_hosts(net: &Network, random: &mut Random, family: Family) -> Question {
    let from = usize::from(random.chance(20));
    let pool = addresses(family);
    let parts = [
        net.devices[from].own_addresses(family),
        Set::range(pool[2], pool[3]),
        Set::range(1, 65535),
        Set::range(1, 65535),
        Set::from_ranges([(6, 6), (17, 17)]),
    ];
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

/// A device chose twice for one purpose: a piece that speaks of one of them does not say of which.
fn chose_again(choices: &[(Choice, u128)]) -> bool {
    choices.iter().enumerate().any(|(n, (choice, value))| choices[..n].iter().any(|(c, v)| c == choice && v != value))
}

/// A device picked, out of many, just a port that the packet has: such luck the trace leaves aside.
fn lucky(choices: &[(Choice, u128)], packet: &[u128; 5]) -> bool {
    choices.iter().any(|(choice, value)| {
        !matches!(choice, Choice::Device { part: Part::Src | Part::Dst, .. }) && packet[2..4].contains(value)
    })
}

/// Where nothing is open the pieces are the question, and none of them stands twice. `seed` names it.
pub fn assert_whole(answer: &Answer, q: &Question, seed: &str) {
    let closed = |v: &Variable| matches!(v.choice, Choice::SameSession { .. } | Choice::Clash { .. });
    assert!(answer.variables.iter().all(closed), "seed {seed}");
    let mut named: Vec<VarId> = answer.trips.iter().flat_map(|t| t.asked.vars.iter().map(|(var, _)| *var)).collect();
    named.sort_unstable();
    named.dedup();
    let size = |cube: &Cube| {
        let domain = |var: &VarId| &answer.variables[var.0 as usize].domain;
        let count = |var| cube.get(Dim::Var(var)).map_or(domain(&var).count(), Set::count);
        named.iter().try_fold(cube.volume(), |n, var| n.checked_mul(count(*var)))
    };
    let pieces: Option<Vec<u128>> = answer.trips.iter().map(|t| size(&t.asked)).collect();
    // More than fit are not counted.
    if let (Some(pieces), Some(whole)) = (pieces, size(&q.packets)) {
        assert_eq!(pieces.into_iter().sum::<u128>(), whole, "the pieces are not the question, seed {seed}");
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

/// What the comparison of a packet came to, where nothing differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    /// The trace gave up.
    Open,
    /// Trace and interpreter say the same.
    Alike,
    /// They do, and a device picked another address or port because one was taken.
    Evaded,
}

/// The piece that holds this packet says what the interpreter says.
pub fn assert_agreed(net: &Network, q: &Question, answer: &Answer, packet: &[u128; 5], seed: &str) -> Agreed {
    assert_agreed_in(Detail::Rules, (net, q), answer, packet, seed)
}

/// The same for an answer that tells only fates, or rules too.
pub fn assert_agreed_in(
    detail: Detail,
    (net, q): (&Network, &Question),
    answer: &Answer,
    packet: &[u128; 5],
    seed: &str,
) -> Agreed {
    let here = || answer.trips.iter().filter(|t| t.asked.contains(packet));
    let tuple = [packet[0], packet[1], packet[2], packet[3]];
    let Talk { walks, choices, .. } = converse(net, q.from, q.family, tuple, packet[4], &WORLD);
    let trips: Vec<(&RoundTrip, Vec<Values>)> =
        here().map(|t| (t, worlds(answer, t, &choices))).filter(|(_, worlds)| !worlds.is_empty()).collect();
    if trips.iter().any(|(t, _)| gave_up(t))
        || here().any(|t| moved_after_a_pick(net, answer, t))
        || lucky(&choices, packet)
    {
        return Agreed::Open;
    }
    let context = || format!("seed {seed}, from {}, packet {packet:?}, {choices:?}", q.from);
    assert!(
        same_session(answer) || trips.len() == 1 || !trips.is_empty() && chose_again(&choices),
        "{} pieces, {}",
        trips.len(),
        context()
    );
    let verdicts: Vec<Result<(), String>> = trips
        .iter()
        .flat_map(|(trip, worlds)| worlds.iter().map(move |values| (trip, values)))
        .map(|(trip, values)| {
            let phases = [Phase::Request, Phase::Reply, Phase::Next];
            let journeys: Vec<&Journey> = phases.iter().filter_map(|p| trip.journey(*p)).collect();
            for (journey, walk) in journeys.iter().zip(&walks) {
                compare(detail, values, journey, walk, packet)?;
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
    if choices.iter().any(|(choice, _)| matches!(choice, Choice::Clash { .. })) {
        Agreed::Evaded
    } else {
        Agreed::Alike
    }
}
