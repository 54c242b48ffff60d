//! Sending packets, and catching them where they come out.

use super::run::Bench;
use crate::compare::{Fate, Fates};
use crate::namespace::Failure;
use crate::packet::{Mark, Stage, Tuple, build};
use crate::wire::{Place, Seen, forget_sessions};
use callpath_core::model::address_value;
use std::time::Duration;

impl Bench {
    /// Every router forgets its sessions, and nothing is under way any more.
    pub(crate) fn forget(&mut self) -> Result<(), Failure> {
        for built in &self.built {
            built.space.inside(forget_sessions)??;
        }
        self.drain();
        Ok(())
    }

    /// Numbers for so many packets; the first of them.
    pub(super) fn number(&mut self, packets: usize) -> u32 {
        let first = self.next_trip;
        let count = u32::try_from(packets).unwrap_or(0);
        // Sequence numbers are eight times the trip's number.
        self.next_trip = if first > (1 << 28) { 1 } else { first + count };
        first
    }

    /// Sends packets that have nothing to do with each other; what became of each.
    pub(crate) fn wave(&mut self, packets: &[(Place, Tuple)]) -> Result<Vec<Fate>, Failure> {
        let (first, stage) = (self.number(packets.len()), Stage::Request);
        let mut fates: Vec<Fates> = vec![[Fate::Gone; 3]; packets.len()];
        let mut sent = 0;
        for (trip, ((from, tuple), fate)) in (first..).zip(packets.iter().zip(&mut fates)) {
            match self.send(*from, *tuple, Mark { trip, stage })? {
                Some(direct) => fate[0] = Fate::Arrived(direct, *tuple),
                None => sent += 1,
            }
        }
        self.collect(sent, first, stage, &mut fates);
        Ok(fates.into_iter().map(|f| f[0]).collect())
    }

    /// Sends a packet. Present: it reached these hosts without meeting a router.
    pub(super) fn send(&self, from: Place, tuple: Tuple, mark: Mark) -> Result<Option<Place>, Failure> {
        let packet = build(tuple, mark);
        let group = match from {
            Place::Router(router) => {
                self.inside[router].send(tuple, &packet)?;
                return Ok(None);
            }
            Place::Hosts(group) => group,
        };
        let hosts = &self.topology.hosts[group];
        if hosts.own(tuple.family).contains(tuple.parts[1]) {
            return Ok(Some(from));
        }
        let Some(hop) = next_hop(hosts, tuple) else { return Ok(None) };
        let port = self.topology.routers.iter().enumerate().find_map(|(r, router)| {
            let index = router.ports.iter().position(|p| {
                p.segment == hosts.segment && p.addresses.iter().any(|n| address_value(n.addr()) == hop)
            })?;
            Some((r, index))
        });
        if let Some((router, index)) = port {
            self.segments[hosts.segment].send(self.built[router].macs[index], tuple.family, &packet)?;
            return Ok(None);
        }
        let neighbour = self
            .topology
            .hosts
            .iter()
            .position(|h| h.segment == hosts.segment && h.name != hosts.name && h.own(tuple.family).contains(hop));
        Ok(neighbour.map(Place::Hosts))
    }

    fn drain(&self) -> Vec<Seen> {
        let mut out = Vec::new();
        self.segments.iter().for_each(|s| s.drain(&mut out));
        self.inside.iter().for_each(|i| i.drain(&mut out));
        out
    }

    /// Packets cross a namespace while they are sent; a short silence means that all are through.
    pub(super) fn collect(&self, sent: usize, first: u32, stage: Stage, fates: &mut [Fates]) {
        let (mut quiet, mut arrived) = (0, 0);
        while quiet < 3 && arrived < sent {
            let seen = self.drain();
            quiet = if seen.is_empty() { quiet + 1 } else { 0 };
            for s in seen.iter().filter(|s| s.mark.stage == stage) {
                let index = s.mark.trip.checked_sub(first).and_then(|i| usize::try_from(i).ok());
                if let Some(fate) = index.and_then(|i| fates.get_mut(i)) {
                    arrived += 1;
                    fate[stage as usize] = Fate::Arrived(s.place, s.tuple);
                }
            }
            if quiet > 0 {
                std::thread::sleep(Duration::from_micros(400));
            }
        }
    }
}

/// Where hosts send a packet: to itself on their segment, or to a router; longest prefix first.
fn next_hop(hosts: &crate::topology::Hosts, tuple: Tuple) -> Option<u128> {
    let dst = tuple.dst();
    let local = hosts.nets.iter().map(|n| (n.trunc(), tuple.parts[1]));
    let routes = hosts.routes.iter().map(|(to, hop)| (*to, address_value(*hop)));
    let defaults = hosts.defaults.iter().filter_map(|hop| {
        let all = if hop.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
        Some((all.parse().ok()?, address_value(*hop)))
    });
    let found = local.chain(routes).chain(defaults).filter(|(net, _): &(ipnet::IpNet, u128)| net.contains(&dst));
    found.max_by_key(|(net, _)| net.prefix_len()).map(|(_, hop)| hop)
}
