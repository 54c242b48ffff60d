//! What a change takes, and from whom: packets that got somewhere before it and do not get there after it.
//!
//! Everybody of the site asks for every port of every address, once before and once after; both answers are compared
//! packet by packet. What may be lost is only what a product must keep closed, and what was wanted of the port itself.

use crate::call::Judge;
use crate::call::proxy::by_proxy;
use crate::cube::{Cube, Dim, Set, overlay};
use crate::manifest::{Manifest, Place, Proto};
use crate::model::{Family, Part, RouteTarget, SourceId, address_value};
use crate::profile::Instance;
use crate::report::Loss;
use crate::requirement::{Level, Party, Requirement};
use crate::site::address::prefix_set;
use crate::site::{Site, Vantage};
use crate::snapshot::Snapshot;
use crate::trace::{Answer, Ask, Detail, Disposition, Network, Phase, Question, RoundTrip, Val};
use crate::vocabulary::{PortSet, port_ranges, port_set};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write;

/// Whether changes are compared with what was reached before them. Off: for tests, which show that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Changes that take something stand apart.
    On,
    /// Nothing is compared.
    Off,
}

/// What is wanted of the site that is changed.
pub(super) struct Wishes<'a> {
    pub snapshot: &'a Snapshot,
    pub manifest: &'a Manifest,
    pub instances: &'a [Instance],
}

/// A header field where packets end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Where {
    /// As it was asked, plus this.
    Asked(u128),
    /// This value.
    Fixed(u128),
    /// A device picks one of these.
    OneOf(Set),
}

/// Where a conversation takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    device: usize,
    address: Where,
    port: Where,
    /// A rule that lets them in names the port: somebody meant it to be reached.
    named: bool,
}

/// What becomes of packets in one of the cases that nobody can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Lost,
    /// It cannot be said.
    Open,
    At(Service),
}

/// Packets with all the fates that they may have.
struct Piece {
    cube: Cube,
    fates: Vec<Fate>,
    /// Devices by which they come, answers included.
    devices: Vec<usize>,
}

/// Somebody who asks.
struct Asker {
    vantage: Option<Vantage>,
    name: String,
    device: usize,
    from: Set,
}

/// What everybody reaches in a network.
pub(super) struct Reached {
    /// All that was asked was answered.
    pub whole: bool,
    askers: Vec<(Asker, Family, Vec<Piece>)>,
}

impl Reached {
    /// Asks for everything from everywhere.
    pub fn of(site: &Site) -> Self {
        let mut out = Vec::new();
        for family in [Family::V4, Family::V6] {
            for asker in askers(site, family) {
                let answer = everything(&site.network, &question(&asker, family));
                if site.network.budget.left() == 0 {
                    return Self { whole: false, askers: Vec::new() };
                }
                let mut had = pieces(&answer, site, asker.device);
                had.retain(|p| p.fates.iter().any(|f| *f != Fate::Lost));
                out.push((asker, family, had));
            }
        }
        Self { whole: true, askers: out }
    }

    /// What was reached and is not `after`. `changed`: the devices whose rules differ.
    pub fn taken(&self, wishes: &Wishes<'_>, before: &Site, after: &Site, changed: &[usize]) -> Vec<Loss> {
        let mut out = Vec::new();
        if before.network.devices.len() != after.network.devices.len() {
            return out;
        }
        for (asker, family, all) in &self.askers {
            let mut had = all.iter().filter(|p| p.devices.iter().any(|d| changed.contains(d))).peekable();
            if had.peek().is_none() {
                continue;
            }
            let new = everything(&after.network, &question(asker, *family));
            let has = pieces(&new, after, asker.device);
            // Pieces are disjoint: one that is as it was meets no other, and most are.
            let now: FxHashMap<&Cube, usize> = has.iter().enumerate().map(|(n, p)| (&p.cube, n)).collect();
            let kept: FxHashSet<usize> = all.iter().filter_map(|p| now.get(&p.cube)).copied().collect();
            let others: Vec<&Piece> =
                has.iter().enumerate().filter(|(n, _)| !kept.contains(n)).map(|(_, p)| p).collect();
            let told = told(wishes, before, *family);
            let compare = Compare { wishes, before, asker, family: *family, has: &has, changed, told };
            for piece in had {
                match now.get(&piece.cube).map(|n| &has[*n]) {
                    // What fares as before is not looked at.
                    Some(same) if same.fates == piece.fates => {}
                    Some(same) => compare.piece(piece, &[same], &mut out),
                    None => compare.piece(piece, &others, &mut out),
                }
            }
        }
        joined(out)
    }
}

/// Everybody who sends: callers at each place, and every described host for itself.
fn askers(site: &Site, family: Family) -> Vec<Asker> {
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
fn reachable(site: &Site, v: &Vantage, family: Family) -> Set {
    if v.place == Place::Internet { site.network.devices[v.device].own_addresses(family) } else { Set::empty() }
}

fn question(asker: &Asker, family: Family) -> Question {
    let parts = [
        asker.from.clone(),
        Set::range(0, family.max_address()),
        Set::range(1, 65535),
        Set::range(1, 65535),
        Set::from_ranges([Proto::Tcp, Proto::Udp].map(|p| (u128::from(p.number()), u128::from(p.number())))),
    ];
    Question { from: asker.device, family, packets: Cube { parts, vars: Vec::new() } }
}

fn everything(network: &Network, question: &Question) -> Answer {
    Ask { named: true, ..Ask::new(network, question, Detail::Fate) }.answer(Phase::Next)
}

/// An answer as disjoint pieces.
fn pieces(answer: &Answer, site: &Site, asker: usize) -> Vec<Piece> {
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

fn fate(answer: &Answer, site: &Site, trip: &RoundTrip, asker: usize) -> Fate {
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
fn is_read(site: &Site, device: usize) -> bool {
    site.files.get(device).copied().flatten().is_some_and(|file| file != SourceId::MANIFEST)
}

/// The same service, for these packets?
fn same(a: &Service, b: &Service, packets: &Cube) -> bool {
    let equal = |x: &Where, y: &Where, part: Part| {
        let one = |w: &Where| match w {
            Where::Asked(shift) => packets.part(part).single().map(|v| v.wrapping_add(*shift)),
            Where::Fixed(v) => Some(*v),
            Where::OneOf(_) => None,
        };
        x == y || one(x).is_some_and(|v| one(y) == Some(v))
    };
    a.device == b.device && equal(&a.address, &b.address, Part::Dst) && equal(&a.port, &b.port, Part::DstPort)
}

/// These packets had this fate, and have a worse one.
fn worse(had: &Piece, has: &Piece, fate: &Fate, packets: &Cube) -> bool {
    let Fate::At(service) = fate else {
        // Perhaps it was open: it may not be closed for certain.
        return has.fates.iter().all(|f| *f == Fate::Lost);
    };
    let here = |f: &Fate| matches!(f, Fate::At(s) if same(s, service, packets));
    let certain = had.fates.iter().all(here);
    !has.fates.iter().any(|f| here(f) || *f == Fate::Open) || certain && !has.fates.iter().all(here)
}

/// The addresses that callers are told, and those by which routers on the way are asked for them.
fn told(wishes: &Wishes<'_>, site: &Site, family: Family) -> Set {
    let judge = Judge::new(wishes.snapshot, wishes.manifest, wishes.instances, site);
    let told = wishes.instances.iter().filter_map(|i| judge.told(i, family));
    let outer = site.network.devices.iter().filter(|d| d.forwards).flat_map(|d| {
        let ways = d.routes.iter().filter(|r| r.to.prefix_len() == 0 && Family::of(r.to.addr()) == family);
        let ways = ways.filter_map(|r| if let RouteTarget::Via(i, _) = r.target { Some(i) } else { None });
        ways.filter_map(|i| d.interfaces.get(i)).flat_map(|i| &i.addresses).map(ipnet::IpNet::addr)
    });
    let all = told.chain(outer.filter(|a| Family::of(*a) == family));
    Set::union(all.map(|a| Set::one(address_value(a))))
}

struct Compare<'a> {
    wishes: &'a Wishes<'a>,
    before: &'a Site,
    asker: &'a Asker,
    family: Family,
    has: &'a [Piece],
    changed: &'a [usize],
    told: Set,
}

impl Compare<'_> {
    /// Compares a piece with what its packets are now.
    fn piece(&self, had: &Piece, now: &[&Piece], out: &mut Vec<Loss>) {
        for has in now {
            let Some(packets) = had.cube.and(&has.cube) else { continue };
            for (n, fate) in had.fates.iter().enumerate() {
                let repeated = had.fates[..n].iter().any(|f| match (f, fate) {
                    (Fate::At(a), Fate::At(b)) => same(a, b, &packets),
                    (a, b) => a == b,
                });
                if !repeated && *fate != Fate::Lost && worse(had, has, fate, &packets) {
                    self.lost(fate, &packets, out);
                }
            }
        }
    }

    /// Notes what is lost, except what is meant to be.
    fn lost(&self, fate: &Fate, packets: &Cube, out: &mut Vec<Loss>) {
        for proto in [Proto::Tcp, Proto::Udp] {
            let number = Set::one(u128::from(proto.number()));
            if !packets.part(Part::Proto).intersects(&number) {
                continue;
            }
            let of_proto = packets.with(Dim::Part(Part::Proto), number);
            for rest in self.minus_forbidden(fate, proto, of_proto) {
                self.minus_wanted(fate, proto, rest, out);
            }
        }
    }

    /// The device is an instance's host, or a container on it.
    fn is_at(&self, instance: usize, device: usize) -> bool {
        self.before.server_of.get(instance).is_some_and(|s| self.before.host_of(*s).has(device))
    }

    /// Packets that do not end at a port that must stay closed to their senders.
    fn minus_forbidden(&self, fate: &Fate, proto: Proto, packets: Cube) -> Vec<Cube> {
        let Fate::At(service) = fate else { return vec![packets] };
        let outside =
            self.asker.vantage.as_ref().is_some_and(|v| matches!(v.place, Place::Internet | Place::Caller(_)));
        if !outside && !packets.part(Part::Dst).is_subset(&self.told) {
            return vec![packets];
        }
        let mut rest = vec![packets];
        for (n, instance) in self.wishes.instances.iter().enumerate() {
            if !self.is_at(n, service.device) {
                continue;
            }
            let admins = instance.deploy.admin.iter().filter(|a| Family::of(a.value.addr()) == self.family);
            let admins = Set::union(admins.map(|a| prefix_set(a.value)));
            for r in instance.requirements.iter().filter(|r| r.proto == proto && r.to == Party::Server) {
                let allowed = match r.level {
                    Level::Forbidden => Set::empty(),
                    level if level.is_admins() && !admins.is_empty() => admins.clone(),
                    _ => continue,
                };
                // A container has its image's ports: there what is asked outside tells as well.
                let container = self.before.server_of.get(n) != Some(&service.device);
                let shut = match &service.port {
                    Where::Asked(0) => port_set(&r.ports),
                    _ if container && packets_within(&rest, &port_set(&r.ports)) => port_set(&r.ports),
                    Where::Asked(shift) => port_set(&r.ports).shifted(0u128.wrapping_sub(*shift)),
                    Where::Fixed(port) if port_set(&r.ports).contains(*port) => Set::range(0, 65535),
                    _ => continue,
                };
                let cut = |cube: Cube| {
                    let open = cube.with(Dim::Part(Part::DstPort), cube.part(Part::DstPort).minus(&shut));
                    let may = cube.with(Dim::Part(Part::DstPort), cube.part(Part::DstPort).and(&shut));
                    let may = may.with(Dim::Part(Part::Src), may.part(Part::Src).and(&allowed));
                    [open, may]
                };
                rest = rest.into_iter().flat_map(cut).filter(|c| !c.is_empty()).collect();
            }
        }
        rest
    }

    /// What was asked by the product's own callers is meant to end elsewhere, unless it served another host there.
    fn minus_wanted(&self, fate: &Fate, proto: Proto, packets: Cube, out: &mut Vec<Loss>) {
        if let Fate::At(service) = fate
            && service.address == Where::Asked(0)
            && self.before.network.devices[service.device].forwards
            && packets.part(Part::Dst).is_subset(&self.told)
            && self.elsewhere(service, &packets)
        {
            return;
        }
        let told = &self.told;
        let mut rest = vec![packets];
        for (n, instance) in self.wishes.instances.iter().enumerate() {
            let asked = |r: &&Requirement| {
                r.proto == proto && r.to == Party::Server && r.level != Level::Forbidden && !r.example
            };
            for r in instance.requirements.iter().filter(asked) {
                let ports = self.asked_for(fate, n, r);
                let mut next = Vec::new();
                for cube in rest {
                    let own = cube.with(Dim::Part(Part::Dst), cube.part(Part::Dst).and(told));
                    let own = own.with(Dim::Part(Part::DstPort), own.part(Part::DstPort).and(&ports));
                    if own.is_empty() || !self.may_move(fate, n, r, &own) {
                        next.push(cube);
                        continue;
                    }
                    let elsewhere = cube.part(Part::Dst).minus(told);
                    let others = cube.part(Part::DstPort).minus(&ports);
                    let here = cube.part(Part::Dst).and(told);
                    next.push(cube.with(Dim::Part(Part::Dst), elsewhere));
                    next.push(cube.with(Dim::Part(Part::Dst), here).with(Dim::Part(Part::DstPort), others));
                }
                rest = next.into_iter().filter(|c| !c.is_empty()).collect();
            }
        }
        for cube in rest {
            out.push(self.loss(fate, proto, &cube));
        }
    }

    /// Ports outside that belong to a row: its own, or its proxy's, and for media those that led to them. Callers are told the row's ports
    /// alone, so a media port serves no one by another port outside.
    fn asked_for(&self, fate: &Fate, instance: usize, r: &Requirement) -> Set {
        let asked = by_proxy(&self.wishes.instances[instance], &[r], self.family);
        let own = port_set(asked.first().map_or(&r.ports, |r| &r.ports));
        let Fate::At(service) = fate else { return own };
        if !self.is_at(instance, service.device) || !is_media(r) {
            return own;
        }
        match &service.port {
            Where::Asked(shift) => own.or(&own.shifted(0u128.wrapping_sub(*shift))),
            Where::Fixed(port) if own.contains(*port) => Set::range(0, 65535),
            Where::Fixed(_) | Where::OneOf(_) => own,
        }
    }

    /// Packets for a product's own port: nobody else was served there.
    fn may_move(&self, fate: &Fate, instance: usize, r: &Requirement, packets: &Cube) -> bool {
        let Fate::At(service) = fate else { return true };
        if self.is_at(instance, service.device) {
            // Media is for this product's callers alone; pages at another port may be somebody's way in.
            return is_media(r);
        }
        let device = &self.before.network.devices[service.device];
        if !device.forwards {
            return false;
        }
        // A program on the router relays them; or it takes whatever comes, or stays reachable for the same people.
        service.address != Where::Asked(0) || !service.named || self.elsewhere(service, packets)
    }

    /// The same senders still reach this port of the device at another of its addresses.
    fn elsewhere(&self, service: &Service, packets: &Cube) -> bool {
        let own = self.before.network.devices[service.device].own_addresses(self.family);
        let others = own.minus(packets.part(Part::Dst));
        let here = |f: &Fate| matches!(f, Fate::At(s) if s.device == service.device && s.address == service.address && s.port == service.port);
        let mut rest = vec![packets.clone()];
        for piece in self.has.iter().filter(|p| p.fates.iter().all(here)) {
            if piece.cube.part(Part::Dst).intersects(&others) {
                rest = rest.iter().flat_map(|cube| without(cube, &piece.cube)).collect();
            }
        }
        rest.is_empty()
    }

    fn loss(&self, fate: &Fate, proto: Proto, packets: &Cube) -> Loss {
        let asked = packets.part(Part::Dst);
        let of = match fate {
            Fate::At(service) => self.name(service, packets),
            Fate::Open | Fate::Lost => "what may be reached there".to_owned(),
        };
        let senders = packets.part(Part::Src);
        let few = senders.count() <= 4 && *senders != self.asker.from;
        Loss {
            of,
            ports: vec![PortSet { proto, ports: port_ranges(packets.part(Part::DstPort)) }],
            asked: if asked.count() > 16 { String::new() } else { show_addresses(asked, self.family) },
            own: matches!(fate, Fate::At(s) if self.changed.contains(&s.device)),
            who: vec![if few { show_addresses(senders, self.family) } else { self.asker.name.clone() }],
        }
    }

    /// A host and its port as people know them.
    fn name(&self, service: &Service, packets: &Cube) -> String {
        let one = |w: &Where, part: Part| match w {
            Where::Asked(shift) => packets.part(part).single().map(|v| v.wrapping_add(*shift)),
            Where::Fixed(v) => Some(*v),
            Where::OneOf(_) => None,
        };
        let device = &self.before.network.devices[service.device];
        match one(&service.address, Part::Dst).map(|v| self.family.address(v)) {
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

/// All of them ask for one of these ports.
fn packets_within(packets: &[Cube], ports: &Set) -> bool {
    packets.iter().all(|c| c.part(Part::DstPort).is_subset(ports))
}

/// Packets that differ from all of these in more than the address that is asked.
fn without(packets: &Cube, these: &Cube) -> Vec<Cube> {
    let mut inside = packets.clone();
    let mut out = Vec::new();
    for part in [Part::Src, Part::SrcPort, Part::DstPort, Part::Proto] {
        let dim = Dim::Part(part);
        out.push(inside.with(dim, inside.part(part).minus(these.part(part))));
        inside = inside.with(dim, inside.part(part).and(these.part(part)));
    }
    out.retain(|c| !c.is_empty());
    out
}

/// Voice and video, by themselves or through the product's relay.
fn is_media(r: &Requirement) -> bool {
    r.leg.carries_media()
}

/// What is lost in the same way is said once.
fn joined(losses: Vec<Loss>) -> Vec<Loss> {
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
