//! What else of a server the internet reaches, and whether it may.

use super::proxy::by_proxy;
use super::{CLIENT_PORTS, Judge};
use crate::cube::{Cube, Dim, Set};
use crate::manifest::{Admin, Proto};
use crate::model::{Family, Part, address_value};
use crate::profile::{Instance, Proxied};
use crate::requirement::{Level, Party, Requirement};
use crate::site::Host;
use crate::site::address::{is_public, prefix_set};
use crate::trace::{Answer, Ask, Choice, Detail, Disposition, Phase, Question, RoundTrip, Val};
use crate::verdict::reach::{Certainty, Ending, Goal, Region, ending, exposed, regions};
use crate::verdict::replay::{Replay, judged};
use crate::verdict::{Doubt, Elsewhere, Exposure, Followed, Judgement, Reached, Searched};
use crate::vocabulary::{PortSet, port_ranges, port_set};
use std::net::IpAddr;

/// Every port of an instance's host, by one address and protocol.
struct Search<'a> {
    n: usize,
    instance: &'a Instance,
    proto: Proto,
    family: Family,
    /// The senders that may reach nothing but what calls need.
    from: &'a Set,
    /// The address that is asked.
    address: IpAddr,
    /// It is the one that callers are told.
    is_told: bool,
}

impl Judge<'_> {
    /// The addresses of an instance's host of which every port is asked.
    pub(super) fn searched(&self, instance: &Instance, out: &mut Vec<Searched>) {
        // Ports that nobody stated may be anywhere: what else is reached cannot be said then.
        let here =
            |i: &&Instance| i.deploy.host.iter().any(|h| instance.deploy.host.iter().any(|o| o.value == h.value));
        let not_stated = self.instances.iter().filter(here).flat_map(|i| &i.requirements).any(|r| r.example);
        if instance.opens_itself() || not_stated {
            return;
        }
        for family in [Family::V4, Family::V6] {
            let host = instance.deploy.own(family);
            let asked = self.asked(instance, family);
            let Some(host) = host.filter(|_| !asked.is_empty()) else { continue };
            // A line whose address no input tells is not asked.
            let by = asked.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            let by = self.site.has_unnamed_line(family).then_some(by);
            let line = Searched { host: host.to_string(), family, by };
            if !out.contains(&line) {
                out.push(line);
            }
        }
    }

    /// Every address by which the internet may reach an instance's host, as far as it is known: the one that callers are
    /// told first, then those of other lines, and the host's own.
    fn asked(&self, instance: &Instance, family: Family) -> Vec<IpAddr> {
        let told = self.told(instance, family).filter(|_| family == Family::V4 || self.site.no_v6.is_none());
        let Some(told) = told else { return Vec::new() };
        let mut out = vec![told];
        let own = instance.deploy.host.iter().map(|h| h.value).filter(|a| Family::of(*a) == family && is_public(*a));
        for address in self.site.outer_addresses(family).into_iter().chain(own) {
            if !out.contains(&address) {
                out.push(address);
            }
        }
        out
    }

    /// What else of the server the internet reaches, and where else its packets are sent.
    pub(super) fn exposures(&self, n: usize, instance: &Instance, out: &mut Judgement) {
        // What it opens besides, nothing tells.
        if instance.opens_itself() {
            return;
        }
        let everybody = &self.site.vantages[0];
        for family in [Family::V4, Family::V6] {
            let admins = instance.deploy.admin.iter().filter(|a| Family::of(a.value.addr()) == family);
            let from = admins.fold(everybody.sources(family).clone(), |s, a| s.minus(&prefix_set(a.value)));
            for (index, address) in self.asked(instance, family).into_iter().enumerate() {
                for proto in [Proto::Tcp, Proto::Udp] {
                    let search = Search { n, instance, proto, family, from: &from, address, is_told: index == 0 };
                    self.search(&search, out);
                }
            }
        }
    }

    fn search(&self, s: &Search<'_>, out: &mut Judgement) {
        let parts = [
            s.from.clone(),
            Set::one(address_value(s.address)),
            Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1),
            Set::range(1, 65535),
            Set::one(u128::from(s.proto.number())),
        ];
        let question =
            Question { from: self.site.internet, family: s.family, packets: Cube { parts, vars: Vec::new() } };
        let network = &self.site.network;
        let here = self.site.host_of(self.site.server_of[s.n]);
        let goal = Goal {
            host: here,
            listening: false,
            same_port: false,
            relay: self.relay(),
            no_helper: false,
            internet: None,
        };
        let judge = |t: &RoundTrip| if exposed(t, here) { Ending::Works } else { ending(t, goal, usize::MAX) };
        let (answer, endings) = judged(Ask::new(network, &question, Detail::Ends), Phase::Request, judge);
        let found = regions(&answer, network, &endings);
        let again = |question: &Question, world: &[(Choice, u128)]| {
            judged(Ask { world, ..Ask::new(network, question, Detail::Rules) }, Phase::Request, judge)
        };
        let replay = Replay { from: question.from, family: question.family, again: &again };
        for region in found.iter().filter(|r| r.certainty != Certainty::Closed) {
            let mut left = region.part(Part::DstPort);
            // All trips of the region that arrive, with their own inside ports.
            for trip in answer.trips.iter().filter(|t| exposed(t, here)) {
                let ports = region.cubes.iter().fold(Set::empty(), |all, c| {
                    let meets = c.parts.iter().zip(&trip.asked.parts).all(|(a, b)| a.intersects(b));
                    if meets { all.or(&c.part(Part::DstPort).and(trip.asked.part(Part::DstPort))) } else { all }
                });
                left = left.minus(&ports);
                self.reaches(s, (&answer, region, &replay), (trip, &ports), out);
            }
            // Nothing says that the rest is stopped.
            if !left.is_empty()
                && let Some(trip) = answer.trips.get(region.trip)
            {
                self.reaches(s, (&answer, region, &replay), (trip, &left), out);
            }
        }
        for trip in &answer.trips {
            self.leads(s, trip, here, out);
        }
    }

    /// Packets of a region for these ports arrive, or perhaps.
    fn reaches(
        &self,
        s: &Search<'_>,
        (answer, region, replay): (&Answer, &Region, &Replay<'_>),
        (trip, ports): (&RoundTrip, &Set),
        out: &mut Judgement,
    ) {
        if ports.is_empty() {
            return;
        }
        // Where the work did not suffice, a forward may stand behind.
        let (inside, shift) = match trip.request.last().header.dport {
            _ if trip.request.end.gave_up() => (Set::range(1, 65535), None),
            Val::Part(Part::DstPort, k) => (ports.shifted(k), Some(k)),
            Val::Const(c) => (Set::one(c), None),
            Val::Part(..) | Val::Var(_) => (Set::range(1, 65535), None),
        };
        let unknown = region.certainty == Certainty::Unknown;
        let ended =
            if exposed(trip, self.site.host_of(self.site.server_of[s.n])) { Ending::Works } else { region.ending };
        // One packet for these ports shows by which rules they come.
        let told = |ports: &Set| {
            let here = trip.asked.with(Dim::Part(Part::DstPort), trip.asked.part(Part::DstPort).and(ports));
            let here = region.cubes.iter().find_map(|c| c.and(&here)).unwrap_or_else(|| trip.asked.clone());
            let apart = if unknown { Vec::new() } else { replay.by_rules(answer, trip, &here) };
            let all = Set::union(apart.iter().map(|(p, _)| p.clone()));
            if all == *ports { apart } else { vec![(ports.clone(), replay.of(answer, trip, &here, ended))] }
        };
        let arrives = |inside: Set, outside: Set, trip: RoundTrip| Reached {
            instance: s.n,
            proto: s.proto,
            family: s.family,
            inside,
            outside,
            forbidden: None,
            at: None,
            admins: true,
            unknown,
            trip,
        };
        for socket in administration(s.instance, s.proto, &inside) {
            let outside = shift.map_or(ports.clone(), |k| socket.shifted(0u128.wrapping_sub(k)));
            for (outside, told) in told(&outside) {
                let socket = shift.map_or_else(|| socket.clone(), |k| outside.shifted(k));
                out.reached.push(arrives(socket, outside, told));
            }
        }
        let last = trip.request.last();
        let in_container =
            last.device != self.site.server_of[s.n] && exposed(trip, self.site.host_of(self.site.server_of[s.n]));
        let at = match last.header.dst {
            Val::Const(address) if in_container => Some(s.family.address(address)),
            _ => None,
        };
        let found = self.not_needed(s, (&inside, ports), shift, in_container);
        let found = found.into_iter().flat_map(|(socket, outside, forbidden)| {
            let pieces = told(&outside).into_iter();
            pieces.map(move |(outside, told)| {
                let socket = shift.map_or_else(|| socket.clone(), |k| outside.shifted(k));
                (socket, outside, forbidden.clone(), told)
            })
        });
        for (socket, outside, forbidden, told) in found {
            let shown = |set: &Set| PortSet { proto: s.proto, ports: port_ranges(set) };
            let line = Exposure {
                instance: s.n,
                socket: shown(&socket),
                outside: shown(&outside),
                family: s.family,
                by: (!s.is_told).then_some(s.address),
                at,
                forbidden: forbidden.clone(),
                unknown,
                doubts: Doubt::of(region),
                from: s.from.clone(),
                packets: Box::new(Followed::new(answer, region, told.clone())),
                case: self.site.case,
            };
            out.reached.push(Reached {
                forbidden,
                at,
                admins: for_admins_only(s.instance, s.proto, &socket),
                ..arrives(socket.clone(), outside.clone(), told)
            });
            add(&mut out.exposures, line);
        }
    }

    /// Ports of the server and of those that are asked for, which no call needs, each with why it must be closed.
    fn not_needed(
        &self,
        s: &Search<'_>,
        (inside, ports): (&Set, &Set),
        shift: Option<u128>,
        in_container: bool,
    ) -> Vec<(Set, Set, Option<String>)> {
        let back = |inside: &Set| shift.map_or_else(|| ports.clone(), |k| inside.shifted(0u128.wrapping_sub(k)));
        let unwanted = |set: &Set| self.unwanted(s.n, s.instance, s.proto, set);
        // Ports of a container are its image's: what calls need, and what must be closed, is also what is asked outside.
        if in_container {
            let there = |outside: &Set| shift.map_or_else(|| inside.clone(), |k| outside.shifted(k));
            let pieces = unwanted(ports).into_iter();
            pieces
                .flat_map(|(outside, why)| match why {
                    Some(why) => vec![(there(&outside), outside, Some(why))],
                    None => unwanted(&there(&outside))
                        .into_iter()
                        .map(|(i, why)| (i.clone(), back(&i).and(&outside), why))
                        .collect(),
                })
                .collect()
        } else {
            // Pages are asked for by their port outside, whichever the server has for them.
            let pages = pages(s.instance, s.proto, s.family);
            let pieces = unwanted(inside).into_iter().map(|(inside, why)| (inside.clone(), back(&inside), why));
            let needed = |(inside, outside, why): (Set, Set, Option<String>)| {
                let rest = if why.is_none() { outside.minus(&pages) } else { outside };
                (!rest.is_empty()).then(|| (shift.map_or(inside, |k| rest.shifted(k)), rest, why))
            };
            pieces.filter_map(needed).collect()
        }
    }

    /// A forward leads to a host that the manifest does not describe.
    fn leads(&self, s: &Search<'_>, trip: &RoundTrip, here: Host, out: &mut Judgement) {
        let last = trip.request.last();
        let device = &self.site.network.devices[last.device];
        let described = exposed(trip, here) || self.site.server_of.contains(&last.device);
        let gone = match trip.request.end {
            Disposition::Delivered { .. } => !described && !device.forwards && last.device != self.site.internet,
            Disposition::NeighborUnreachable | Disposition::NoRoute => true,
            _ => false,
        };
        // Only a translation leads to an address that was not asked.
        let Val::Const(to) = last.header.dst else { return };
        if !gone || to == address_value(s.address) {
            return;
        }
        let ports = trip.asked.part(Part::DstPort);
        let line = Elsewhere {
            host: s.family.address(to).to_string(),
            outside: PortSet { proto: s.proto, ports: port_ranges(ports) },
            family: s.family,
            by: (!s.is_told).then(|| s.address.to_string()),
            unknown: !trip.asked.vars.is_empty(),
        };
        out.led.push((s.proto, ports.clone()));
        if !out.elsewhere.iter().any(|e| Elsewhere { unknown: line.unknown, ..e.clone() } == line) {
            out.elsewhere.push(line);
        }
    }

    /// Parts of these ports of a host that nothing on it wants to be reached by: the ports and why they must not be.
    fn unwanted(&self, n: usize, instance: &Instance, proto: Proto, inside: &Set) -> Vec<(Set, Option<String>)> {
        let server = self.site.server_of[n];
        let same_host =
            || self.instances.iter().zip(&self.site.server_of).filter(|(_, s)| **s == server).map(|(i, _)| i);
        let set = |r: &Requirement| port_set(&r.ports);
        let here = |r: &&Requirement| r.proto == proto && r.to == Party::Server;
        // Who administers from everywhere lets everybody in.
        let anywhere = super::parties::anywhere(instance);
        let admins = |level: Level| level.is_admins() && !anywhere;
        let wanted = same_host().flat_map(|i| &i.requirements).filter(here);
        let wanted = wanted
            .filter(|r| r.level != Level::Forbidden && !admins(r.level) && !r.example)
            .fold(Set::empty(), |all, r| all.or(&set(r)));
        let mut rest = inside.minus(&wanted);
        let mut out = Vec::new();
        for r in instance.requirements.iter().filter(here).filter(|r| r.level == Level::Forbidden || admins(r.level)) {
            let hit = set(r).and(&rest);
            if !hit.is_empty() {
                rest = rest.minus(&hit);
                let why = if r.level.is_admins() {
                    format!("{}: only for the administrator", r.purpose)
                } else {
                    r.purpose.clone()
                };
                out.push((hit, Some(why)));
            }
        }
        // Any of them may be one of those ports of the host that nobody stated.
        let not_stated = same_host().flat_map(|i| &i.requirements).filter(here).any(|r| r.example);
        if !rest.is_empty() && !not_stated {
            out.push((rest, None));
        }
        out
    }
}

/// One line for what is reached in one way.
fn add(lines: &mut Vec<Exposure>, line: Exposure) {
    let same = |e: &Exposure| {
        (&e.socket, &e.outside, e.family, e.instance, e.by, e.at)
            == (&line.socket, &line.outside, line.family, line.instance, line.by, line.at)
    };
    match lines.iter_mut().find(|e| same(e)) {
        // A port that some senders certainly reach is certain, even if others only may reach it.
        Some(known) if known.unknown && !line.unknown => *known = line,
        Some(known) if known.unknown => {
            for doubt in line.doubts {
                if !known.doubts.contains(&doubt) {
                    known.doubts.push(doubt);
                }
            }
        }
        Some(_) => {}
        None => lines.push(line),
    }
}

/// Ports by which pages are asked for.
fn pages(instance: &Instance, proto: Proto, family: Family) -> Set {
    let rows: Vec<&Requirement> =
        instance.requirements.iter().filter(|r| r.proxied == Some(Proxied::Pages) && r.proto == proto).collect();
    Set::union(by_proxy(instance, &rows, family).iter().map(|r| port_set(&r.ports)))
}

/// Ports by which it is administered, and which its document lets others reach too: where they do, it is good to know.
fn administration(instance: &Instance, proto: Proto, inside: &Set) -> Vec<Set> {
    if matches!(instance.deploy.admin_from.as_ref().map(|a| &a.value), Some(Admin::Anywhere)) {
        return Vec::new();
    }
    let here = |r: &&Requirement| {
        r.proto == proto
            && r.to == Party::Server
            && r.from == Party::Admin
            && matches!(r.level, Level::Required | Level::Recommended)
    };
    let sets = instance.requirements.iter().filter(here).map(|r| port_set(&r.ports).and(inside));
    sets.filter(|s| !s.is_empty()).collect()
}

/// All of them are for the administrator, and for nobody else.
fn for_admins_only(instance: &Instance, proto: Proto, socket: &Set) -> bool {
    let here = |r: &&Requirement| r.proto == proto && r.to == Party::Server && r.level.is_admins();
    let all = Set::union(instance.requirements.iter().filter(here).map(|r| port_set(&r.ports)));
    socket.is_subset(&all)
}
