//! Pages and signalling that a reverse proxy answers: on another host, on the firewall itself, from outside, on another
//! outer port. Media never.

use super::ask::Caller;
use super::views::{self, Does};
use super::{CLIENT_PORTS, Judge};
use crate::cube::{Cube, Set};
use crate::manifest::{ProxyAt, show_ranges};
use crate::model::{Family, address_value};
use crate::profile::{Instance, Proxied};
use crate::requirement::{Party, Requirement};
use crate::trace::{Answer, Ask, Detail, Disposition, Hop, Phase, Question, Val};
use crate::verdict::reach::{Goal, exposed};
use crate::vocabulary::{LegKind, port_set, show_set};
use crate::way::DoubtLine;

impl Judge<'_> {
    /// Where pages and signalling must end.
    pub(super) fn proxy_goal(&self, n: usize) -> Goal {
        let at = self.instances[n].deploy.proxy.as_ref().and_then(|p| p.value.at.as_ref()).map(|a| &a.value);
        let device = match at {
            Some(ProxyAt::Gateway) => self.outermost_with_public(),
            _ => self.site.proxy_of[n],
        };
        // On which port of its host it listens is its own affair, unless that is stated: by its port, or by another one
        // outside.
        let outer = self.instances[n].deploy.proxy.as_ref().is_some_and(|p| p.value.outer.is_some());
        let listening = matches!(at, Some(ProxyAt::Host(_, Some(_)))) || at.is_none() && outer;
        let host = self.site.host_of(device.unwrap_or(self.site.server_of[n]));
        Goal {
            host,
            listening,
            same_port: false,
            relay: self.relay(),
            internet: Some(self.site.internet),
            no_helper: false,
        }
    }

    pub(crate) fn outermost_with_public(&self) -> Option<usize> {
        let public = address_value(self.site.public?);
        let holds = |d: &crate::model::Device| d.forwards && d.own_addresses(Family::V4).contains(public);
        self.site.network.devices.iter().position(holds)
    }

    /// Nobody said where the proxy is, and what the internet sends to its port ends where one may be: a router forwards it
    /// to another host, or lets it in to itself, or forwards another port to the one that a proxy has. What would be
    /// changed for the server may be the proxy's.
    pub(super) fn perhaps_elsewhere(&self, caller: &Caller<'_>, r: &Requirement) -> Option<DoubtLine> {
        let instance = &self.instances[caller.n];
        if r.proxied != Some(Proxied::Pages) || instance.deploy.proxy.is_some() {
            return None;
        }
        let answer = self.asked_outside(caller, r, Detail::Rules);
        let ports = port_set(&r.ports);
        let server = self.site.host_of(self.site.server_of[caller.n]);
        let label = instance.label();
        let typed = show_ranges(&r.ports);
        for trip in answer.trips.iter().filter(|t| !exposed(t, server)) {
            if let Some((hop, to)) =
                trip.request.hops.iter().find_map(|h| Some((h, self.forwarded_to(h, caller.family)?)))
            {
                let address = caller.family.address(to);
                let known = self.site.network.devices.iter();
                let mut known = known.filter(|d| d.own_addresses(caller.family).contains(to));
                // To the next router, to the server itself, or to a proxy that is known: no other host.
                if known.any(|d| d.forwards) || instance.deploy.host.iter().any(|h| h.value == address) {
                    continue;
                }
                // Where media goes too, no proxy is meant: the whole server is another host. And who answers redirects
                // answers pages.
                if self.media_goes_to(caller, to) || self.answers_beside(caller) {
                    return None;
                }
                let router = &self.site.network.devices[hop.device].name;
                return Some(DoubtLine::of_site(
                    format!(
                        "whether {address}, to which {router} forwards {}, is the proxy that passes pages and signalling on to {label}",
                        r.what()
                    ),
                    format!(
                        "say where the proxy is, in the [[deploy]] table: `proxy = \"{address}:{typed}\"`, or \"outside\" (a CDN)"
                    ),
                ));
            }
            let hop = trip.request.last();
            let router = &self.site.network.devices[hop.device];
            if !router.forwards || router.is_host {
                continue;
            }
            let taken = matches!(trip.request.end, Disposition::Delivered { .. });
            if taken && self.let_in(hop, &ports) {
                return Some(DoubtLine::of_site(
                    format!(
                        "whether a proxy on {} itself, which lets {} in, passes pages and signalling on to {label}",
                        router.name,
                        r.what()
                    ),
                    "say where the proxy is, in the [[deploy]] table: `proxy = \"gateway\"`, or its address".into(),
                ));
            }
            if let Some((outer, to)) = self.other_outer_port(hop.device, caller.family, r) {
                let to = caller.family.address(to);
                return Some(DoubtLine::of_site(
                    format!(
                        "whether people type port {outer}, which {} forwards to port {typed} of {to}: {typed} itself is not forwarded",
                        router.name
                    ),
                    format!(
                        "say by which port people reach it, in the [[deploy]] table: `proxy = {{ at = \"{to}:{typed}\", outer = {outer} }}`"
                    ),
                ));
            }
        }
        None
    }

    /// What becomes of packets from the internet for a row.
    fn asked_outside(&self, caller: &Caller<'_>, r: &Requirement, detail: Detail) -> Answer {
        let everybody = &self.site.vantages[0];
        let from = everybody.sources(caller.family).clone();
        let client = Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let parts = [from, caller.to.clone(), client, port_set(&r.ports), Set::one(u128::from(r.proto.number()))];
        let packets = Cube { parts, vars: Vec::new() };
        let question = Question { from: everybody.device, family: caller.family, packets };
        Ask::new(&self.site.network, &question, detail).answer(Phase::Request)
    }

    /// What comes with pages on a port of its own reaches the server.
    fn answers_beside(&self, caller: &Caller<'_>) -> bool {
        let server = self.site.host_of(self.site.server_of[caller.n]);
        let beside = |r: &&Requirement| r.proxied == Some(Proxied::Beside);
        let rows = self.instances[caller.n].requirements.iter().filter(beside);
        rows.into_iter().any(|r| self.asked_outside(caller, r, Detail::Fate).trips.iter().any(|t| exposed(t, server)))
    }

    /// Media of the instance is forwarded to this address.
    fn media_goes_to(&self, caller: &Caller<'_>, to: u128) -> bool {
        let media = |r: &&Requirement| r.leg == LegKind::Media && r.to == Party::Server && !r.example;
        self.instances[caller.n].requirements.iter().filter(media).any(|r| {
            let answer = self.asked_outside(caller, r, Detail::Fate);
            let hops = answer.trips.iter().flat_map(|t| &t.request.hops);
            hops.filter_map(|h| self.forwarded_to(h, caller.family)).any(|there| there == to)
        })
    }

    /// The address that a router's forward gave the packet.
    fn forwarded_to(&self, hop: &Hop, family: Family) -> Option<u128> {
        let device = &self.site.network.devices[hop.device];
        if !device.forwards || device.is_host {
            return None;
        }
        match hop.header.dst {
            // A loopback address is a program on the router.
            Val::Const(to) if !family.address(to).is_loopback() => Some(to),
            _ => None,
        }
    }

    /// A rule of the device lets just these ports in.
    fn let_in(&self, hop: &Hop, ports: &Set) -> bool {
        let device = &self.site.network.devices[hop.device];
        hop.rules().any(|id| {
            views::rule(device, id).is_some_and(|v| {
                v.does == Does::Accept && v.asks.ports.is_some_and(|p| ports.is_subset(&p) && p.count() < 1024)
            })
        })
    }

    /// A forward of one other port to the one that is asked: the other port, and the host.
    fn other_outer_port(&self, device: usize, family: Family, r: &Requirement) -> Option<(String, u128)> {
        let ports = port_set(&r.ports);
        let forwards = views::forwards(&self.site.network.devices[device], family);
        forwards.into_iter().filter(|v| !v.dormant && v.asks.proto_fits(r.proto.number())).find_map(|v| {
            let Does::Forward { to: Some((lo, hi)), .. } = v.does else { return None };
            let outer = v.asks.ports.as_ref()?;
            let inside = v.shifted()?;
            (lo == hi && inside == ports && outer.single().is_some()).then(|| (show_set(outer), lo))
        })
    }
}

/// Rows as they are asked where a proxy is stated: by the outer port, and without those that the site does not answer.
pub(crate) fn by_proxy(instance: &Instance, rows: &[&Requirement], family: Family) -> Vec<Requirement> {
    let Some(proxy) = instance.deploy.proxy.as_ref().map(|p| &p.value) else {
        return rows.iter().map(|r| (*r).clone()).collect();
    };
    let answered = |r: &Requirement| match proxy.at.as_ref().map(|a| &a.value) {
        _ if r.proxied.is_none() => true,
        Some(ProxyAt::Outside) => false,
        Some(ProxyAt::Host(ip, _)) => Family::of(*ip) == family,
        Some(ProxyAt::Gateway) | None => true,
    };
    let outer = |r: &Requirement| proxy.outer.as_ref().filter(|_| r.proxied == Some(Proxied::Pages)).map(|o| o.value);
    let asked = |r: &&Requirement| match outer(r) {
        Some(port) => Requirement { ports: vec![(port, port)], ..(*r).clone() },
        None => (*r).clone(),
    };
    rows.iter().filter(|r| answered(r)).map(asked).collect()
}
