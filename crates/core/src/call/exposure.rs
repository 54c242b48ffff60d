//! What else of a server the internet reaches, and whether it may.

use super::address::prefix_set;
use super::analyze::{CLIENT_PORTS, Judge, Reached, family_name, show_set};
use super::reach::{Certainty, Ending, Goal, ending, exposed, regions};
use crate::cube::{Cube, Set};
use crate::manifest::Proto;
use crate::model::{Family, Part, address_value};
use crate::profile::Instance;
use crate::report::{Exposure, Searched};
use crate::requirement::{Level, Party, Requirement};
use crate::trace::{Answer, Question, Val, ask_requests};
use std::net::IpAddr;

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
            let host = instance.deploy.host.iter().map(|h| h.value).find(|h| Family::of(*h) == family);
            let (Some(host), Some(told)) = (host, self.asked(instance, family)) else { continue };
            // A further line has addresses of its own, and an IPv6 address that is translated may be reached as it is.
            let further = self.site.further_lines || family == Family::V6 && told != host;
            let line =
                Searched { host: host.to_string(), family: family_name(family), by: further.then(|| told.to_string()) };
            if !out.contains(&line) {
                out.push(line);
            }
        }
    }

    /// The address by which the internet is judged to reach an instance.
    fn asked(&self, instance: &Instance, family: Family) -> Option<IpAddr> {
        self.told(instance, family).filter(|_| family == Family::V4 || self.site.no_v6.is_none())
    }

    /// What else of the server the internet reaches.
    pub(super) fn exposures(&self, n: usize, instance: &Instance, out: &mut Vec<Exposure>) {
        // What it opens besides, nothing tells.
        if instance.opens_itself() {
            return;
        }
        let server = self.site.server_of[n];
        let everybody = &self.site.vantages[0];
        for family in [Family::V4, Family::V6] {
            let Some(told) = self.asked(instance, family) else { continue };
            let admins = instance.deploy.admin.iter().filter(|a| Family::of(a.value.addr()) == family);
            let from = admins.fold(everybody.sources(family).clone(), |s, a| s.minus(&prefix_set(a.value)));
            for proto in [Proto::Tcp, Proto::Udp] {
                let parts = [
                    from.clone(),
                    Set::one(address_value(told)),
                    Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1),
                    Set::range(1, 65535),
                    Set::one(u128::from(proto.number())),
                ];
                let packets = Cube { parts, vars: Vec::new() };
                let question = Question { from: self.site.internet, family, packets };
                let answer = ask_requests(&self.site.network, &question);
                self.exposed_by(n, instance, server, &answer, proto, family, &from, out);
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // one answer and what it was about
    fn exposed_by(
        &self,
        n: usize,
        instance: &Instance,
        server: usize,
        answer: &Answer,
        proto: Proto,
        family: Family,
        from: &Set,
        out: &mut Vec<Exposure>,
    ) {
        let story = self.story(family, from);
        // Ports of the host as (inside, outside) sets, by what they are for.
        let found = regions(answer, &self.site.network, |t| {
            if exposed(t, server) {
                Ending::Works
            } else {
                ending(t, Goal { device: server, listening: false, same_port: false, relay: self.relay() }, usize::MAX)
            }
        });
        for region in found.iter().filter(|r| r.certainty != Certainty::Closed) {
            // All trips of the region that arrive, with their own inside ports.
            for trip in answer.trips.iter().filter(|t| exposed(t, server)) {
                let ports = region.cubes.iter().fold(Set::empty(), |all, c| {
                    let meets = c.parts.iter().zip(&trip.asked.parts).all(|(a, b)| a.intersects(b));
                    if meets { all.or(&c.part(Part::DstPort).and(trip.asked.part(Part::DstPort))) } else { all }
                });
                if ports.is_empty() {
                    continue;
                }
                let (inside, shift) = match trip.request.last().header.dport {
                    Val::Part(Part::DstPort, k) => (ports.shifted(k), Some(k)),
                    Val::Const(c) => (Set::one(c), None),
                    Val::Part(..) | Val::Var(_) => (Set::range(1, 65535), None),
                };
                for (socket, forbidden) in self.unwanted(n, instance, proto, &inside) {
                    let outside = match shift {
                        Some(k) => socket.shifted(0u128.wrapping_sub(k)),
                        None => ports.clone(),
                    };
                    let unknown = region.certainty == Certainty::Unknown;
                    let shown = |s: &Set| format!("{} {}", proto.name(), show_set(s));
                    let (steps, _, _) = story.of(answer, region);
                    let line = Exposure {
                        instance: instance.label().to_owned(),
                        socket: shown(&socket),
                        outside: shown(&outside),
                        family: family_name(family),
                        forbidden,
                        unknown,
                        steps,
                    };
                    let same = |e: &Exposure| {
                        e.socket == line.socket
                            && e.outside == line.outside
                            && e.family == line.family
                            && e.instance == line.instance
                    };
                    self.reached.borrow_mut().push(Reached {
                        instance: n,
                        proto,
                        family,
                        inside: socket.clone(),
                        outside: outside.clone(),
                        forbidden: line.forbidden.clone(),
                        unknown,
                        trip: trip.clone(),
                    });
                    match out.iter_mut().find(|e| same(e)) {
                        // What somebody certainly reaches is not in doubt because others only may.
                        Some(known) if known.unknown && !unknown => *known = line,
                        Some(_) => {}
                        None => out.push(line),
                    }
                }
            }
        }
    }

    /// Parts of these ports of a host that nothing on it wants to be reached by: the ports and why they must not be.
    fn unwanted(&self, n: usize, instance: &Instance, proto: Proto, inside: &Set) -> Vec<(Set, Option<String>)> {
        let server = self.site.server_of[n];
        let same_host =
            || self.instances.iter().zip(&self.site.server_of).filter(|(_, s)| **s == server).map(|(i, _)| i);
        let set = |r: &Requirement| Set::from_ranges(r.ports.iter().map(|(lo, hi)| (u128::from(*lo), u128::from(*hi))));
        let here = |r: &&Requirement| r.proto == proto && r.to == Party::Server;
        let wanted = same_host().flat_map(|i| &i.requirements).filter(here);
        let wanted = wanted
            .filter(|r| r.level != Level::Forbidden && !r.level.is_admins() && !r.example)
            .fold(Set::empty(), |all, r| all.or(&set(r)));
        let mut rest = inside.minus(&wanted);
        let mut out = Vec::new();
        for r in
            instance.requirements.iter().filter(here).filter(|r| r.level == Level::Forbidden || r.level.is_admins())
        {
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
