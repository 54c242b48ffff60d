//! What everybody reaches: every port of every address is asked from everywhere, and the answers are pieces with fates.

use crate::cube::{Cube, Set, overlay};
use crate::manifest::{Place, Proto};
use crate::model::{Family, Part, SourceId};
use crate::report::Loss;
use crate::site::{Site, Vantage};
use crate::trace::{Answer, Ask, Detail, Disposition, Network, Phase, Question, RoundTrip, Val};
use crate::vocabulary::{PortSet, port_ranges};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write;

/// A header field where packets end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Where {
    /// As it was asked, plus this.
    Asked(u128),
    /// This value.
    Fixed(u128),
    /// A device picks one of these.
    OneOf(Set),
}

/// Where a conversation takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub device: usize,
    pub address: Where,
    pub port: Where,
    /// A rule that lets them in names the port: somebody meant it to be reached.
    pub named: bool,
}

/// What becomes of packets in one of the cases that nobody can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    Lost,
    /// It cannot be said.
    Open,
    At(Service),
}

/// Packets with all the fates that they may have.
pub(super) struct Piece {
    pub cube: Cube,
    pub fates: Vec<Fate>,
    /// Devices by which they come, answers included.
    pub devices: Vec<usize>,
}

/// Somebody who asks.
pub(super) struct Asker {
    pub vantage: Option<Vantage>,
    pub name: String,
    pub device: usize,
    pub from: Set,
}

/// What everybody reaches in a network.
pub(super) struct Reached {
    /// All that was asked was answered.
    pub whole: bool,
    /// Everybody who asks, with all packets as disjoint pieces.
    pub askers: Vec<(Asker, Family, Vec<Piece>)>,
}

impl Reached {
    /// Asks for everything from everywhere.
    pub fn of(site: &Site) -> Self {
        // That has work of its own.
        let mut site = site.clone();
        site.network.budget = site.network.budget.for_another_site();
        let mut out = Vec::new();
        for family in [Family::V4, Family::V6] {
            for asker in askers(&site, family) {
                let answer = everything(&site.network, &question(&asker, family));
                if site.network.budget.left() == 0 {
                    return Self { whole: false, askers: Vec::new() };
                }
                let all = pieces(&answer, &site, asker.device);
                out.push((asker, family, all));
            }
        }
        Self { whole: true, askers: out }
    }
}

/// Gives each piece that fares otherwise than before to `each`, with the pieces that hold its packets now. `all`: what was
/// asked before, of which those are compared that are `wanted`.
pub(super) fn differing<'p>(
    all: &'p [Piece],
    now: &'p [Piece],
    wanted: impl Fn(&Piece) -> bool,
    mut each: impl FnMut(&'p Piece, &[&'p Piece]),
) {
    // Pieces are disjoint: one that is as it was meets no other, and most are.
    let by_cube: FxHashMap<&Cube, usize> = now.iter().enumerate().map(|(n, p)| (&p.cube, n)).collect();
    let kept: FxHashSet<usize> = all.iter().filter_map(|p| by_cube.get(&p.cube)).copied().collect();
    let others: Vec<&Piece> = now.iter().enumerate().filter(|(n, _)| !kept.contains(n)).map(|(_, p)| p).collect();
    for piece in all.iter().filter(|p| wanted(p)) {
        match by_cube.get(&piece.cube).map(|n| &now[*n]) {
            // What fares as before is not looked at.
            Some(same) if same.fates == piece.fates => {}
            Some(same) => each(piece, &[same]),
            None => each(piece, &others),
        }
    }
}

/// Everybody who sends: callers at each place, and every described host for itself.
pub(super) fn askers(site: &Site, family: Family) -> Vec<Asker> {
    let mut out: Vec<Asker> = site
        .vantages
        .iter()
        .map(|v| Asker {
            name: v.name.clone(),
            device: v.device,
            // Documentation addresses too: examples have them.
            from: v.sources(family).or(&reachable(site, v, family)),
            vantage: Some(v.clone()),
        })
        .collect();
    for (device, d) in site.network.devices.iter().enumerate() {
        let groups = d.interfaces.iter().any(|i| !i.hosts_v4.is_empty() || !i.hosts_v6.is_empty());
        if groups || site.vantages.iter().any(|v| v.device == device) {
            continue;
        }
        let own = d.own_addresses(family);
        out.push(Asker { vantage: None, name: d.name.to_string(), device, from: own });
    }
    out.retain(|a| !a.from.is_empty());
    out
}

/// Addresses of the internet that are nobody's of this site.
pub(super) fn reachable(site: &Site, v: &Vantage, family: Family) -> Set {
    if v.place == Place::Internet { site.network.devices[v.device].own_addresses(family) } else { Set::empty() }
}

pub(super) fn question(asker: &Asker, family: Family) -> Question {
    let parts = [
        asker.from.clone(),
        Set::range(0, family.max_address()),
        Set::range(1, 65535),
        Set::range(1, 65535),
        Set::from_ranges([Proto::Tcp, Proto::Udp].map(|p| (u128::from(p.number()), u128::from(p.number())))),
    ];
    Question { from: asker.device, family, packets: Cube { parts, vars: Vec::new() } }
}

pub(super) fn everything(network: &Network, question: &Question) -> Answer {
    Ask { named: true, ..Ask::new(network, question, Detail::Fate) }.answer(Phase::Next)
}

/// An answer as disjoint pieces.
pub(super) fn pieces(answer: &Answer, site: &Site, asker: usize) -> Vec<Piece> {
    let fates: Vec<Fate> = answer.trips.iter().map(|t| fate(answer, site, t, asker)).collect();
    let piece = |cube: Cube, held: &[usize]| {
        let mut out = Piece { cube, fates: Vec::new(), devices: Vec::new() };
        for trip in held {
            if !out.fates.contains(&fates[*trip]) {
                out.fates.push(fates[*trip].clone());
            }
            let trip = &answer.trips[*trip];
            let journeys = [Some(&trip.request), trip.reply.as_ref(), trip.next.as_ref()];
            for hop in journeys.into_iter().flatten().flat_map(|j| &j.hops) {
                if !out.devices.contains(&hop.device) {
                    out.devices.push(hop.device);
                }
            }
        }
        out
    };
    let alone = |index: &usize| answer.trips[*index].asked.vars.is_empty();
    let (alone, others): (Vec<usize>, Vec<usize>) = (0..answer.trips.len()).partition(alone);
    let mut out: Vec<Piece> = alone.into_iter().map(|n| piece(answer.trips[n].asked.clone(), &[n])).collect();
    let cubes: Vec<&Cube> = others.iter().map(|index| &answer.trips[*index].asked).collect();
    out.extend(overlay(&cubes).into_iter().map(|(cube, held)| {
        let held: Vec<usize> = held.into_iter().map(|t| others[t]).collect();
        piece(cube, &held)
    }));
    out
}

pub(super) fn fate(answer: &Answer, site: &Site, trip: &RoundTrip, asker: usize) -> Fate {
    let last = trip.request.last();
    let value = |v: Val| match v {
        Val::Part(Part::Dst | Part::DstPort, shift) => Where::Asked(shift),
        Val::Const(c) => Where::Fixed(c),
        Val::Var(v) => Where::OneOf(answer.variables[v.0 as usize].domain.clone()),
        Val::Part(..) => Where::OneOf(Set::empty()),
    };
    let there = || {
        let (address, port) = (value(last.header.dst), value(last.header.dport));
        Fate::At(Service { device: last.device, address, port, named: last.named })
    };
    match &trip.request.end {
        // A host that nobody described: the packet is on its way there.
        Disposition::NeighborUnreachable => return there(),
        // What a box of which no rules are read receives itself is not known, and no change of what it passes on
        // changes it.
        Disposition::Delivered { .. } if site.network.devices[last.device].forwards && !is_read(site, last.device) => {
            return Fate::Lost;
        }
        Disposition::Delivered { .. } => {}
        end if end.is_unknown() => return Fate::Open,
        _ => return Fate::Lost,
    }
    match (&trip.reply, &trip.next) {
        (Some(reply), _) if reply.end.is_unknown() => Fate::Open,
        (Some(reply), Some(next)) if reply.last().device == asker => match &next.end {
            Disposition::Delivered { .. } => there(),
            end if end.is_unknown() => Fate::Open,
            _ => Fate::Lost,
        },
        _ => Fate::Lost,
    }
}

/// Rules of this device were read; a box that is stated has none.
pub(super) fn is_read(site: &Site, device: usize) -> bool {
    site.files.get(device).copied().flatten().is_some_and(|file| file != SourceId::MANIFEST)
}

/// A device that only one of two sites has: there the address alone tells whether a service is the same.
pub(super) const ELSEWHERE: usize = usize::MAX;

/// The same service, for these packets?
pub(super) fn same(a: &Service, b: &Service, packets: &Cube) -> bool {
    let equal = |x: &Where, y: &Where, part: Part| {
        let one = |w: &Where| match w {
            Where::Asked(shift) => packets.part(part).single().map(|v| v.wrapping_add(*shift)),
            Where::Fixed(v) => Some(*v),
            Where::OneOf(_) => None,
        };
        x == y || one(x).is_some_and(|v| one(y) == Some(v))
    };
    let one = a.device == b.device || a.device == ELSEWHERE || b.device == ELSEWHERE;
    one && equal(&a.address, &b.address, Part::Dst) && equal(&a.port, &b.port, Part::DstPort)
}

/// These packets had this fate, and have a worse one.
pub(super) fn worse(had: &Piece, has: &Piece, fate: &Fate, packets: &Cube) -> bool {
    let Fate::At(service) = fate else {
        // Perhaps it was open: it may not be closed for certain.
        return has.fates.iter().all(|f| *f == Fate::Lost);
    };
    let here = |f: &Fate| matches!(f, Fate::At(s) if same(s, service, packets));
    let certain = had.fates.iter().all(here);
    !has.fates.iter().any(|f| here(f) || *f == Fate::Open) || certain && !has.fates.iter().all(here)
}

/// Packets of an asker, and where they end, for the report. `changed`: devices whose rules differ.
pub(super) fn loss(
    site: &Site,
    (asker, family): (&Asker, Family),
    fate: &Fate,
    proto: Proto,
    packets: &Cube,
    changed: &[usize],
) -> Loss {
    let asked = packets.part(Part::Dst);
    let of = match fate {
        Fate::At(service) => name(site, family, service, packets),
        Fate::Open | Fate::Lost => "what may be reached there".to_owned(),
    };
    let senders = packets.part(Part::Src);
    let few = senders.count() <= 4 && *senders != asker.from;
    Loss {
        of,
        ports: vec![PortSet { proto, ports: port_ranges(packets.part(Part::DstPort)) }],
        asked: if asked.count() > 16 { String::new() } else { show_addresses(asked, family) },
        own: matches!(fate, Fate::At(s) if changed.contains(&s.device)),
        who: vec![if few { show_addresses(senders, family) } else { asker.name.clone() }],
    }
}

/// A host and its port as people know them.
fn name(site: &Site, family: Family, service: &Service, packets: &Cube) -> String {
    let one = |w: &Where, part: Part| match w {
        Where::Asked(shift) => packets.part(part).single().map(|v| v.wrapping_add(*shift)),
        Where::Fixed(v) => Some(*v),
        Where::OneOf(_) => None,
    };
    let device = &site.network.devices[service.device];
    match one(&service.address, Part::Dst).map(|v| family.address(v)) {
        Some(address) if service.address != Where::Asked(0) || !device.forwards => {
            let port = match (&service.port, one(&service.port, Part::DstPort)) {
                (Where::Asked(0), _) => String::new(),
                (_, Some(port)) if address.is_ipv6() => format!(" (port {port})"),
                (_, Some(port)) => format!(":{port}"),
                _ => String::new(),
            };
            format!("{address}{port}")
        }
        _ => device.name.to_string(),
    }
}

/// The first few ranges of addresses, as text.
fn show_addresses(set: &Set, family: Family) -> String {
    let show = |(lo, hi): &(u128, u128)| {
        let (a, b) = (family.address(*lo), family.address(*hi));
        if lo == hi { a.to_string() } else { format!("{a}-{b}") }
    };
    let ranges = set.ranges();
    let mut text = ranges.iter().take(2).map(show).collect::<Vec<_>>().join(", ");
    if ranges.len() > 2 {
        let _ = write!(text, " and {} more ranges", ranges.len() - 2);
    }
    text
}

/// What is lost in the same way is said once.
pub(super) fn joined(losses: Vec<Loss>) -> Vec<Loss> {
    let mut out: Vec<Loss> = Vec::new();
    for loss in losses {
        let same = |l: &&mut Loss| l.of == loss.of && l.ports == loss.ports && l.asked == loss.asked;
        match out.iter_mut().find(same) {
            Some(known) => {
                for who in loss.who {
                    if !known.who.contains(&who) {
                        known.who.push(who);
                    }
                }
            }
            None => out.push(loss),
        }
    }
    let mut joined: Vec<Loss> = Vec::new();
    for loss in out {
        let same = |l: &&mut Loss| l.of == loss.of && l.who == loss.who && l.asked == loss.asked;
        match joined.iter_mut().find(same) {
            Some(known) => {
                known.ports.extend(loss.ports);
                known.own |= loss.own;
            }
            None => joined.push(loss),
        }
    }
    joined
}
