//! What a server learns that asks outside for its own address (STUN): the address with which its packets come there.

use super::told::stated;
use super::{CLIENT_PORTS, Judge};
use crate::cube::{Cube, Set};
use crate::manifest::{Place, Proto, Told};
use crate::model::{Family, Part, address_value};
use crate::profile::Instance;
use crate::requirement::{Party, Requirement};
use crate::site::address::is_public;
use crate::site::is_invented;
use crate::trace::{Ask, Detail, Disposition, Phase, Question, Val};
use crate::verdict::{Exit, Line, Seen, Stray};
use crate::vocabulary::{LegKind, port_set};
use std::net::IpAddr;

/// Port of STUN servers (RFC 8489 9), where the product has no row that names another.
const STUN: u128 = 3478;

/// What a product that asks outside for its address tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learns {
    /// The address by which it is called, as far as is known.
    Public,
    /// Another one of the same line.
    Another(Stray),
    /// That of another line.
    OtherLine(Stray),
    /// It is open which.
    Open,
}

impl Instance {
    /// The row by which the product asks outside for its own address.
    pub(crate) fn asks_for_its_address(&self) -> Option<&Requirement> {
        let asks = |r: &&Requirement| r.from == Party::Server && r.to == Party::Internet && r.leg == LegKind::Address;
        self.requirements.iter().find(asks)
    }

    /// Where nothing is stated, it tells what it hears there. One that is set to an address for callers outside tells
    /// that to others too.
    pub(crate) fn told_as_learned(&self) -> bool {
        let set = stated(self, &Place::Internet).is_some_and(|list| !list.value.contains(&Told::Stun));
        self.asks_for_its_address().is_some() && !set
    }
}

impl Judge<'_> {
    /// Servers whose packets come to the internet with another address than the site's, in IPv4.
    pub(crate) fn strays(&self) -> Vec<Stray> {
        (0..self.instances.len()).filter_map(|n| self.stray(n, self.seen_by_stun(n, Family::V4))).collect()
    }

    /// The other address with which a server's packets leave.
    fn stray(&self, n: usize, seen: Seen) -> Option<Stray> {
        let (own, public) = self.called(n)?;
        let Seen::As(seen, (router, iface)) = seen else { return None };
        let device = &self.site.network.devices[router];
        let leaves = iface?;
        let holds = |i: &crate::model::Interface| i.addresses.iter().any(|a| a.addr() == public);
        let line = match holds(device.interfaces.get(leaves)?) {
            true => Line::Same,
            false if device.interfaces.iter().any(holds) => Line::Other,
            false => Line::Elsewhere,
        };
        (seen != public).then_some(Stray { instance: n, own, seen, public, router, leaves, line })
    }

    /// A server's own IPv4 address, and the one by which it is called.
    fn called(&self, n: usize) -> Option<(IpAddr, IpAddr)> {
        let instance = &self.instances[n];
        let own = instance.deploy.own(Family::V4)?;
        let public = self.told(instance, Family::V4).filter(|_| self.site.public.is_some())?;
        Some((own, public))
    }

    /// What a product tells that asks outside for its IPv4 address; absent where it does not ask. A private address, or
    /// no answer, is a fault of the way out, which is judged by itself. Behind a tunnel, whose other end is called, the
    /// product is taken to be set to the address there.
    pub(crate) fn learns(&self, n: usize, family: Family) -> Option<Learns> {
        if family != Family::V4 || !self.instances[n].told_as_learned() {
            return None;
        }
        let seen = self.seen_by_stun(n, family);
        Some(match (seen, self.stray(n, seen)) {
            (_, Some(stray)) if stray.line == Line::Other => Learns::OtherLine(stray),
            (_, Some(stray)) if stray.line == Line::Same && is_public(stray.seen) => Learns::Another(stray),
            (Seen::Open, _) => Learns::Open,
            _ => Learns::Public,
        })
    }

    /// The address that callers at a place are told, where the server learned it outside and it is another one.
    pub(crate) fn learned_another(&self, n: usize, place: &Place) -> Option<Stray> {
        let asks = match stated(&self.instances[n], place) {
            None => self.instances[n].told_as_learned(),
            Some(list) => list.value.contains(&Told::Stun),
        };
        self.stray(n, self.seen_by_stun(n, Family::V4))
            .filter(|s| asks && s.line != Line::Elsewhere && s.named().is_some_and(is_public))
    }

    /// The address with which the server's packets come to the internet, and by which device they do.
    pub(crate) fn seen_by_stun(&self, n: usize, family: Family) -> Seen {
        let known = self.seen.borrow().iter().find(|(i, f, _)| (*i, *f) == (n, family)).map(|(.., seen)| *seen);
        if let Some(seen) = known {
            return seen;
        }
        let seen = self.ask_stun(n, family);
        self.seen.borrow_mut().push((n, family, seen));
        seen
    }

    fn ask_stun(&self, n: usize, family: Family) -> Seen {
        let instance = &self.instances[n];
        let host = instance.deploy.own(family);
        let Some(host) = host else { return Seen::Nothing };
        let own = self.site.source_of(self.site.server_of[n], host);
        let parts = [
            Set::one(address_value(own)),
            self.site.vantages[0].sources(family).clone(),
            Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1),
            instance.asks_for_its_address().map_or_else(|| Set::one(STUN), |r| port_set(&r.ports)),
            Set::one(u128::from(Proto::Udp.number())),
        ];
        let packets = Cube { parts, vars: Vec::new() };
        let question = Question { from: self.site.server_of[n], family, packets };
        let answer = Ask::new(&self.site.network, &question, Detail::Fate).answer(Phase::Request);
        // No answer comes to a private source: by it nothing is learned, and the way out is judged by itself.
        let mut seen: Option<(u128, Exit)> = None;
        for trip in &answer.trips {
            let there = trip.request.last();
            if !matches!(trip.request.end, Disposition::Delivered { .. }) || there.device != self.site.internet {
                return Seen::Unanswered;
            }
            let source = match there.header.src {
                Val::Const(c) => c,
                Val::Part(Part::Src, by) => address_value(own).wrapping_add(by),
                Val::Part(..) | Val::Var(_) => return Seen::Open,
            };
            let by = trip.request.hops.iter().rev().nth(1).map_or((there.device, None), |h| (h.device, h.out_iface));
            let answered = |s: u128| is_public(family.address(s)) || is_invented(family.address(s));
            match seen {
                // By whichever way: the address counts.
                Some((known, _)) if known == source => {}
                Some((known, _)) if answered(known) && !answered(source) => {}
                Some((known, _)) if answered(known) => return Seen::Open,
                Some(_) | None => seen = Some((source, by)),
            }
        }
        seen.map_or(Seen::Open, |(s, by)| Seen::As(family.address(s), by))
    }
}
