//! What a change takes, and from whom: packets that got somewhere before it and do not get there after it.
//!
//! Everybody of the site asks for every port of every address, once before and once after; both answers are compared
//! packet by packet. What may be lost is only what a product must keep closed, and what was wanted of the port itself.

use super::reach::{
    Asker, Fate, Piece, Reached, Service, Where, differing, everything, joined, loss, pieces, question, same, worse,
};
use crate::call::Judge;
use crate::call::proxy::by_proxy;
use crate::cube::{Cube, Dim, Set};
use crate::manifest::{Manifest, Place, Proto};
use crate::model::{Family, Part, RouteTarget, address_value};
use crate::profile::Instance;
use crate::report::Loss;
use crate::requirement::{Level, Party, Requirement};
use crate::site::Site;
use crate::site::address::prefix_set;
use crate::snapshot::Snapshot;
use crate::vocabulary::port_set;

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

/// What was reached and is not `after`. `changed`: the devices whose rules differ.
pub(super) fn taken(
    reached: &Reached,
    wishes: &Wishes<'_>,
    before: &Site,
    after: &Site,
    changed: &[usize],
) -> Vec<Loss> {
    let mut out = Vec::new();
    if before.network.devices.len() != after.network.devices.len() {
        return out;
    }
    for (asker, family, all) in &reached.askers {
        let arrives = |p: &Piece| p.fates.iter().any(|f| *f != Fate::Lost);
        let wanted = |p: &Piece| arrives(p) && p.devices.iter().any(|d| changed.contains(d));
        if !all.iter().any(wanted) {
            continue;
        }
        let new = everything(&after.network, &question(asker, *family));
        let has = pieces(&new, after, asker.device);
        let told = told(wishes, before, *family);
        let compare = Compare { wishes, before, asker, family: *family, has: &has, changed, told };
        differing(all, &has, wanted, |piece, now| compare.piece(piece, now, &mut out));
    }
    joined(out)
}

/// The addresses that callers are told, and those by which routers on the way are asked for them.
pub(super) fn told(wishes: &Wishes<'_>, site: &Site, family: Family) -> Set {
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

pub(super) struct Compare<'a> {
    pub wishes: &'a Wishes<'a>,
    pub before: &'a Site,
    pub asker: &'a Asker,
    pub family: Family,
    /// What is reached then.
    pub has: &'a [Piece],
    pub changed: &'a [usize],
    /// Addresses that callers are told.
    pub told: Set,
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
    pub fn minus_forbidden(&self, fate: &Fate, proto: Proto, packets: Cube) -> Vec<Cube> {
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
            out.push(loss(self.before, (self.asker, self.family), fate, proto, &cube, self.changed));
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
