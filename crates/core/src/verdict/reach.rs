//! From an answer of the trace to a judgement about every packet that was asked.
//!
//! Variables are quantified over: a packet gets through for certain when it does for all values of all variables
//! (whatever a device chooses, whatever nobody knows), it fails for certain when it fails for all, else it is unknown.

use super::replay::Replay;
use crate::cube::{self, Cube, Dim, Set, VarId, merge};
use crate::model::{DoubtId, OriginId, Part, TOLD};
use crate::site::Host;
use crate::trace::{Answer, Choice, Did, Disposition, Journey, Network, Phase, RoundTrip, TraceStep, Val};
use crate::vocabulary::Undecided;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// What is certain about a set of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// They get through, whatever happens.
    Open,
    /// They do not, whatever happens.
    Closed,
    /// It depends on something that is not known.
    Unknown,
}

/// How one round trip ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ending {
    /// As wanted.
    Works,
    /// As wanted, after packets of the other side had opened the way.
    Punched,
    /// A packet of this phase was lost or ended in the wrong place.
    Lost(Phase),
    /// The answer came back from another address or port than the one that was asked.
    WrongSource,
    /// The request reached the server, at another port than the one that was asked.
    OtherPort,
    /// It cannot be said.
    Unknown(Phase),
}

impl Ending {
    /// Media flows.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Works | Self::Punched)
    }
}

/// Packets with the same fate.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    /// The packets, without variables; disjoint.
    pub cubes: Vec<Cube>,
    /// What is certain about them.
    pub certainty: Certainty,
    /// A round trip that shows it, as index into the answer.
    pub trip: usize,
    /// How that trip ended.
    pub ending: Ending,
    /// Doubts that decide, as device and doubt; sorted.
    pub doubts: Vec<(usize, DoubtId)>,
    /// What else leaves it open: choices of devices, shared sessions, too many doubts; sorted.
    pub also: Vec<Undecided>,
    /// Rules that ended its packets, each with its device, in order of appearance.
    pub rules: Vec<(usize, OriginId)>,
    /// Lists that are kept elsewhere (device and doubt): all of this is said of addresses that are on none of them.
    pub except: Vec<(usize, DoubtId)>,
    /// The way of one packet, once it was asked for.
    followed: OnceCell<RoundTrip>,
}

impl Region {
    /// Packets of the region that take the trip that shows it.
    pub fn shown(&self, answer: &Answer) -> Cube {
        let taken = Cube { parts: answer.trips[self.trip].asked.parts.clone(), vars: Vec::new() };
        self.cubes.iter().find_map(|c| c.and(&taken)).unwrap_or_else(|| self.cubes[0].clone())
    }

    /// The way of one packet of the region, which is followed once.
    pub fn told(&self, answer: &Answer, replay: &Replay<'_>) -> &RoundTrip {
        let again = || replay.of(answer, &answer.trips[self.trip], &self.shown(answer), self.ending);
        self.followed.get_or_init(again)
    }

    /// The values of one header field.
    pub fn part(&self, part: Part) -> Set {
        Set::union(self.cubes.iter().map(|c| c.part(part).clone()))
    }
}

/// What counts as reaching the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Goal {
    /// Host where the request must end.
    pub host: Host,
    /// A socket must be listening there; the internet's services are taken to listen.
    pub listening: bool,
    /// The port must be the one that was asked: media clients are told the server's own.
    pub same_port: bool,
    /// A router on which programs relay connections: where they send them is not in its rules.
    pub relay: Option<usize>,
    /// A helper that rewrites what packets say is not what the product wants: what comes of it is open.
    pub no_helper: bool,
    /// The internet: answers to it have to leave by the line by which the question came.
    pub internet: Option<usize>,
}

/// How a round trip ended, seen from a goal.
pub(crate) fn ending(trip: &RoundTrip, goal: Goal, asker: usize) -> Ending {
    let ended = arrival(trip, goal, asker);
    let helped = || helpers(trip).next().is_some();
    if goal.no_helper && ended.is_good() && helped() {
        return Ending::Unknown(Phase::Request);
    }
    // Providers drop packets from addresses of another line (BCP 38, RFC 2827); not all of them do.
    if ended == Ending::Works && goal.internet == Some(asker) && crossed(trip).is_some() {
        return Ending::Unknown(Phase::Reply);
    }
    ended
}

/// A device that sends answers by another line than the one by which the questions came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crossed {
    /// The device.
    pub device: usize,
    /// Its interface by which questions come.
    pub came: usize,
    /// Its interface by which answers leave.
    pub leaves: usize,
}

/// The first device on the way back that sends answers by another line, if one does.
pub(crate) fn crossed(trip: &RoundTrip) -> Option<Crossed> {
    let came = |device: usize| trip.request.hops.iter().rev().find(|h| h.device == device)?.in_iface;
    trip.reply.as_ref()?.hops.iter().find_map(|hop| {
        let (came, leaves) = (came(hop.device)?, hop.out_iface?);
        (came != leaves).then_some(Crossed { device: hop.device, came, leaves })
    })
}

/// Helpers to which the first packet's session was given, each with its device.
pub(crate) fn helpers(trip: &RoundTrip) -> impl Iterator<Item = (usize, DoubtId)> + '_ {
    trip.request.hops.iter().flat_map(|hop| {
        hop.steps.iter().filter_map(|step| match step.did {
            Did::Helper(doubt) => Some((hop.device, doubt)),
            _ => None,
        })
    })
}

fn arrival(trip: &RoundTrip, goal: Goal, asker: usize) -> Ending {
    let lost = |phase, journey: &Journey| {
        if journey.end.is_unknown() { Ending::Unknown(phase) } else { Ending::Lost(phase) }
    };
    let arrived = |j: &Journey| match j.end {
        Disposition::Delivered { listening } => goal.host.has(j.last().device) && (listening || !goal.listening),
        _ => false,
    };
    if !arrived(&trip.request) {
        let taken = matches!(trip.request.end, Disposition::Delivered { listening: true });
        if taken && goal.relay == Some(trip.request.last().device) {
            return Ending::Unknown(Phase::Request);
        }
        return lost(Phase::Request, &trip.request);
    }
    if goal.same_port && !same_port(trip) {
        return Ending::OtherPort;
    }
    let Some(reply) = &trip.reply else { return Ending::Lost(Phase::Reply) };
    if !matches!(reply.end, Disposition::Delivered { .. }) || reply.last().device != asker {
        return lost(Phase::Reply, reply);
    }
    match &trip.next {
        None => Ending::WrongSource,
        Some(next) if arrived(next) => Ending::Works,
        Some(next) => lost(Phase::Next, next),
    }
}

/// Only the first packet counts: does it end at the host, whatever port was asked?
pub(crate) fn exposed(trip: &RoundTrip, host: Host) -> bool {
    matches!(trip.request.end, Disposition::Delivered { .. }) && host.has(trip.request.last().device)
}

fn same_port(trip: &RoundTrip) -> bool {
    match trip.request.last().header.dport {
        Val::Part(Part::DstPort, 0) => true,
        Val::Const(c) => trip.asked.part(Part::DstPort).single() == Some(c),
        Val::Part(..) | Val::Var(_) => false,
    }
}

/// Groups what was asked by fate; `endings` says for each trip how it ended.
pub(crate) fn regions(answer: &Answer, network: &Network, endings: &[Ending]) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let mut found: FxHashMap<Key, usize> = FxHashMap::default();
    for (cube, trips) in overlay(answer) {
        let (trips, except) = off_lists(answer, network, trips, endings);
        let works = trips.iter().filter(|t| endings[**t].is_good()).count();
        let unknown = trips.iter().any(|t| matches!(endings[*t], Ending::Unknown(_)));
        let certainty = match (works == trips.len(), works == 0, unknown) {
            (true, _, _) => Certainty::Open,
            (_, true, false) => Certainty::Closed,
            _ => Certainty::Unknown,
        };
        let firm = if certainty == Certainty::Open { firm_if(answer, network, &trips, endings) } else { Vec::new() };
        let certainty = if firm.is_empty() { certainty } else { Certainty::Unknown };
        // A trip that shows what is wrong, when something is or may be.
        let first_of = |wanted: &dyn Fn(Ending) -> bool| trips.iter().copied().find(|t| wanted(endings[*t]));
        let trip = first_of(&|e| !e.is_good()).or_else(|| first_of(&|e| e == Ending::Works)).unwrap_or(trips[0]);
        let (doubts, also) = match certainty {
            _ if !firm.is_empty() => (firm, Vec::new()),
            Certainty::Unknown => doubts(answer, network, &trips, endings),
            Certainty::Open | Certainty::Closed => Default::default(),
        };
        let trip = if endings[trip] == Ending::Works {
            let helped =
                trips.iter().find(|t| endings[**t] == Ending::Punched && !stands_alone(answer, **t, &trips, endings));
            helped.copied().unwrap_or(trip)
        } else {
            trip
        };
        let punched = endings[trip] == Ending::Punched;
        let place = place(answer, trip, endings[trip], certainty);
        let rules = place.as_ref().map_or_else(Vec::new, |place| ended_by(answer, place));
        let key = Key { certainty, punched, place, doubts: doubts.clone(), also: also.clone(), except: except.clone() };
        if let Some(region) = found.get(&key) {
            let region: &mut Region = &mut regions[*region];
            region.cubes.push(cube);
        } else {
            found.insert(key, regions.len());
            regions.push(Region {
                cubes: vec![cube],
                certainty,
                trip,
                ending: endings[trip],
                doubts,
                also,
                rules,
                except,
                followed: OnceCell::new(),
            });
        }
    }
    if regions.len() > TOLD {
        regions = told_as_one(answer, regions);
    }
    for region in &mut regions {
        merge(&mut region.cubes);
    }
    regions.sort_by_key(|r| (r.part(Part::DstPort).min(), r.certainty));
    regions
}

/// Regions that differ in the rule that ended their packets, or in what is not known, as one.
fn told_as_one(answer: &Answer, regions: Vec<Region>) -> Vec<Region> {
    let mut out: Vec<Region> = Vec::new();
    let mut found: FxHashMap<_, usize> = FxHashMap::default();
    for region in regions {
        let place = place(answer, region.trip, region.ending, region.certainty);
        let place = place.map(|(ending, device, step, end)| {
            let by_rule = matches!(step.as_ref().map(|s| &s.did), Some(Did::Rule(_) | Did::SomeRule));
            let end = if let Disposition::Unknown(_) = end { Disposition::TooManyDoubts } else { end };
            (ending, device, step.map(|s| s.hook), by_rule, end)
        });
        let key = (region.certainty, region.ending == Ending::Punched, place, region.except.clone());
        let Some(at) = found.get(&key) else {
            found.insert(key, out.len());
            out.push(region);
            continue;
        };
        let into = &mut out[*at];
        into.cubes.extend(region.cubes);
        into.rules.extend(region.rules);
        into.doubts.extend(region.doubts);
        into.also.extend(region.also);
    }
    for region in &mut out {
        region.doubts.sort_unstable();
        region.doubts.dedup();
        region.also.sort_unstable();
        region.also.dedup();
        let mut known = FxHashSet::default();
        region.rules.retain(|rule| known.insert(*rule));
    }
    out
}

/// The rules that ended packets at a place.
fn ended_by(answer: &Answer, place: &(Ending, usize, Option<TraceStep>, Disposition)) -> Vec<(usize, OriginId)> {
    let Some(Did::Rule(rule)) = place.2.as_ref().map(|step| &step.did) else { return Vec::new() };
    let told = (place.1, *rule);
    match answer.stands_for.get(&told) {
        Some(rules) => rules.iter().map(|rule| (place.1, *rule)).collect(),
        None => vec![told],
    }
}

/// The trips of addresses that are on no list of which only the name is known, where these get further than those on
/// one: a list of blocked senders is an exception, not a doubt. And those lists. Where only addresses on a list get
/// through, or where it makes no difference, all trips.
fn off_lists(
    answer: &Answer,
    network: &Network,
    trips: Vec<usize>,
    endings: &[Ending],
) -> (Vec<usize>, Vec<(usize, DoubtId)>) {
    let list = |var: &VarId| match answer.variables[var.0 as usize].choice {
        Choice::Doubt { device, doubt } => {
            network.devices[device].pipeline.lists.contains_key(&doubt).then_some((device, doubt))
        }
        _ => None,
    };
    let off = |t: &usize| {
        let vars = &answer.trips[*t].asked.vars;
        vars.iter().all(|(var, set)| list(var).is_none() || set.contains(0))
    };
    let (off, on): (Vec<usize>, Vec<usize>) = trips.iter().partition(|t| off(t));
    let bad = |t: &usize| !endings[*t].is_good();
    if on.is_empty() || !on.iter().any(bad) || off.iter().all(bad) {
        return (trips, Vec::new());
    }
    let lists: BTreeSet<_> = on
        .iter()
        .filter(|t| bad(t))
        .flat_map(|t| &answer.trips[*t].asked.vars)
        .filter(|(_, set)| !set.contains(0))
        .filter_map(|(var, _)| list(var))
        .collect();
    (off, lists.into_iter().collect())
}

/// Doubts on which it depends whether packets get through by themselves or by hole punching only: a rule that perhaps
/// lets them in. None where holes come of choices that devices make anew each time.
fn firm_if(answer: &Answer, network: &Network, trips: &[usize], endings: &[Ending]) -> Vec<(usize, DoubtId)> {
    let helped = |t: usize| endings[t] == Ending::Punched && !stands_alone(answer, t, trips, endings);
    if !trips.iter().any(|t| helped(*t)) || !trips.iter().any(|t| endings[*t] == Ending::Works) {
        return Vec::new();
    }
    let alone: Vec<Ending> = (0..endings.len())
        .map(|t| if trips.contains(&t) && helped(t) { Ending::Lost(Phase::Request) } else { endings[t] })
        .collect();
    if separating(answer, trips, &alone).is_empty() {
        return Vec::new();
    }
    doubts(answer, network, trips, &alone).0
}

/// The same world, up to who sends first, has a way that needs no help.
fn stands_alone(answer: &Answer, helped: usize, trips: &[usize], endings: &[Ending]) -> bool {
    let world = |t: usize| {
        let vars = answer.trips[t].asked.vars.iter();
        vars.filter(|(v, _)| answer.variables[v.0 as usize].choice != Choice::Order)
    };
    trips.iter().filter(|t| endings[**t] == Ending::Works).any(|alone| {
        world(*alone)
            .all(|(var, set)| answer.trips[helped].asked.get(Dim::Var(*var)).is_some_and(|here| here.is_subset(set)))
    })
}

/// What makes two fates the same for a report.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    certainty: Certainty,
    punched: bool,
    also: Vec<Undecided>,
    place: Option<(Ending, usize, Option<TraceStep>, Disposition)>,
    doubts: Vec<(usize, DoubtId)>,
    except: Vec<(usize, DoubtId)>,
}

fn place(
    answer: &Answer,
    trip: usize,
    ending: Ending,
    certainty: Certainty,
) -> Option<(Ending, usize, Option<TraceStep>, Disposition)> {
    if certainty == Certainty::Open {
        return None;
    }
    let journey = journey(&answer.trips[trip], ending)?;
    let last = journey.last();
    Some((ending, last.device, last.steps.last().cloned(), journey.end.clone()))
}

/// The journey that shows how a trip ended.
pub(crate) fn journey(trip: &RoundTrip, ending: Ending) -> Option<&Journey> {
    match ending {
        Ending::Works | Ending::Punched => trip.next.as_deref().or(Some(&trip.request)),
        Ending::Lost(phase) | Ending::Unknown(phase) => trip.journey(phase),
        Ending::WrongSource => trip.reply.as_deref(),
        Ending::OtherPort => Some(&trip.request),
    }
}

fn doubts(
    answer: &Answer,
    network: &Network,
    trips: &[usize],
    endings: &[Ending],
) -> (Vec<(usize, DoubtId)>, Vec<Undecided>) {
    let separating = separating(answer, trips, endings);
    let mut doubts = BTreeSet::new();
    let mut also = BTreeSet::new();
    for trip in trips.iter().map(|t| (&answer.trips[*t], endings[*t])) {
        for (var, _) in trip.0.asked.vars.iter().filter(|(v, _)| separating.is_empty() || separating.contains(v)) {
            match answer.variables[var.0 as usize].choice {
                Choice::Doubt { device, doubt } => {
                    doubts.insert((device, doubt));
                }
                Choice::Device { device, part: Part::SrcPort | Part::DstPort, .. } | Choice::Clash { device } => {
                    also.insert(Undecided::Port(device));
                }
                Choice::Device { device, .. } => {
                    also.insert(Undecided::Address(device));
                }
                Choice::Order => {
                    also.insert(Undecided::WhoFirst);
                }
                Choice::SameSession { device } => {
                    also.insert(Undecided::Session(device));
                }
            }
        }
        let journey = journey(trip.0, trip.1);
        if let (Ending::Unknown(Phase::Reply), Some(c), Some(_)) = (trip.1, crossed(trip.0), &trip.0.next) {
            also.insert(Undecided::Provider { device: c.device, came: c.came, leaves: c.leaves });
            continue;
        }
        if matches!(trip.1, Ending::Unknown(_)) && trip.0.next.is_some() && helpers(trip.0).next().is_some() {
            doubts.extend(helpers(trip.0));
            continue;
        }
        match journey.map(|j| (&j.end, j.last().device)) {
            Some((Disposition::Unknown(doubt), device)) => {
                doubts.insert((device, *doubt));
            }
            Some((Disposition::Delivered { listening: true }, device)) if network.devices[device].is_router() => {
                also.insert(Undecided::Program(device));
            }
            Some((Disposition::TooManyDoubts, device)) => {
                also.insert(Undecided::TooManyDoubts(device));
            }
            Some((Disposition::TooMuch(chain), device)) => {
                also.insert(Undecided::TooMuch(device, *chain));
            }
            Some((Disposition::TooScattered, device)) => {
                also.insert(Undecided::TooScattered(device));
            }
            _ => {}
        }
    }
    (doubts.into_iter().collect(), also.into_iter().collect())
}

/// Variables whose value alone makes the difference between two trips with different endings.
fn separating(answer: &Answer, trips: &[usize], endings: &[Ending]) -> BTreeSet<VarId> {
    let mut out = BTreeSet::new();
    for (n, a) in trips.iter().enumerate() {
        for b in &trips[n + 1..] {
            if endings[*a].is_good() == endings[*b].is_good() {
                continue;
            }
            let (a, b) = (&answer.trips[*a].asked, &answer.trips[*b].asked);
            let differ = |(var, set): &&(VarId, Set)| b.get(Dim::Var(*var)).is_some_and(|other| !other.intersects(set));
            let mut differing = a.vars.iter().filter(differ);
            if let (Some((var, _)), None) = (differing.next(), differing.next()) {
                out.insert(*var);
            }
        }
    }
    out
}

/// Disjoint cubes of packets, each with all trips that such a packet may take.
fn overlay(answer: &Answer) -> Vec<(Cube, Vec<usize>)> {
    // Without variables a trip holds for all their values: no other one is for these packets.
    let alone = |index: &usize| answer.trips[*index].asked.vars.is_empty();
    let (alone, others): (Vec<usize>, Vec<usize>) = (0..answer.trips.len()).partition(alone);
    let mut out: Vec<_> = alone.into_iter().map(|index| (answer.trips[index].asked.clone(), vec![index])).collect();
    let cubes: Vec<&Cube> = others.iter().map(|index| &answer.trips[*index].asked).collect();
    let pieces = cube::overlay(&cubes).into_iter();
    out.extend(pieces.map(|(cube, trips)| (cube, trips.into_iter().map(|t| others[t]).collect())));
    out
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
