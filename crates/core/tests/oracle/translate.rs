//! Address translation, one packet at a time, as the kernel does it (`net/netfilter/nf_nat_core.c`).
#![allow(clippy::many_single_char_names)]

use super::interpret::{Interpreter, LO, Outcome, Packet, Tuple, inverse};
use callpath_core::model::{Family, NatTarget, OriginId, Part, Side, Translate, address_value, prefix_range};
use callpath_core::trace::{Choice, Disposition};

/// So many ports of a forward are tried one after the other.
const MAX_ATTEMPTS: u128 = 128;

/// What a rule asks for (`struct nf_nat_range2`).
struct Range {
    addresses: Option<(u128, u128)>,
    ports: Option<(u128, u128)>,
    random: bool,
    /// The rule; without one a packet stays as it is where it can.
    rule: Option<OriginId>,
}

impl Range {
    /// `nf_in_range`
    fn holds(&self, address: u128, port: u128) -> bool {
        let within = |range: Option<(u128, u128)>, v: u128| range.is_none_or(|(lo, hi)| lo <= v && v <= hi);
        within(self.addresses, address) && within(self.ports, port)
    }
}

/// A port is replaced by one of its class.
fn class(port: u128) -> (u128, u128) {
    match port {
        0..=511 => (1, 511),
        512..=1023 => (600, 1023),
        _ => (1024, 65535),
    }
}

impl Interpreter<'_> {
    /// Another session of the device has the tuple of this one's answers (`nf_nat_used_tuple`).
    pub fn taken(&self, s: usize, tuple: Tuple) -> bool {
        let (device, answer) = (self.sessions[s].device, inverse(tuple));
        self.sessions.iter().enumerate().any(|(n, other)| {
            n != s && other.device == device && other.confirmed && (other.original == answer || other.reply == answer)
        })
    }

    /// What a rule makes of a new session.
    pub fn set_up(&mut self, p: &mut Packet, s: usize, t: &Translate, target: &NatTarget, rule: OriginId) -> Outcome {
        let now = inverse(self.sessions[s].reply);
        let (old, old_port) = if t.side == Side::Destination { (now[1], now[3]) } else { (now[0], now[2]) };
        let one = |address: u128| Some((address, address));
        let mut moved = None;
        let (addresses, port) = match target {
            NatTarget::To { addr: Some((lo, hi)), port, keep_host_bits: true, .. } => {
                let host = lo ^ hi;
                (one(old & host | lo & !host), *port)
            }
            NatTarget::To { addr, port, .. } => (*addr, *port),
            NatTarget::Moved { addr, by, .. } => {
                moved = Some((old_port + u128::from(*by)) % 65536);
                (addr.map(|(lo, _)| (lo, lo)), None)
            }
            NatTarget::OutgoingAddress { port } | NatTarget::IncomingAddress { port } => {
                let outgoing = matches!(target, NatTarget::OutgoingAddress { .. });
                let Some(address) = (if outgoing { self.masquerade(p) } else { self.redirect(p) }) else {
                    p.end = Some(Disposition::Dropped);
                    return Outcome::Ended;
                };
                (one(address), *port)
            }
        };
        let ports = port.map(|(lo, hi)| (u128::from(lo.min(hi)), u128::from(lo.max(hi))));
        let range = Range { addresses, ports, random: t.random, rule: Some(rule) };
        match t.side {
            Side::Source => self.bind_source(s, &range, moved),
            Side::Destination => self.bind_destination(s, &range, moved),
        }
        Outcome::Translated
    }

    /// What becomes of a new session for which no rule decides (`nf_nat_alloc_null_binding`).
    pub fn keep(&mut self, s: usize, side: Side) {
        if side == Side::Source {
            let own = inverse(self.sessions[s].reply)[0];
            self.bind_source(s, &Range { addresses: Some((own, own)), ports: None, random: false, rule: None }, None);
        }
    }

    /// `get_unique_tuple` for sources.
    fn bind_source(&mut self, s: usize, range: &Range, moved: Option<u128>) {
        let now = inverse(self.sessions[s].reply);
        let chosen = self.source(s, now, range, moved);
        if chosen != now {
            let session = &mut self.sessions[s];
            (session.reply[1], session.reply[3], session.snat) = (chosen[0], chosen[2], true);
        }
    }

    fn source(&mut self, s: usize, now: Tuple, range: &Range, moved: Option<u128>) -> Tuple {
        let stays = !range.random && moved.is_none() && range.holds(now[0], now[2]);
        if stays && !self.taken(s, now) {
            return now;
        }
        if !range.random && !stays && moved.is_none() {
            let known = self.known_source(s, now, range).map(|(a, p)| [a, now[1], p, now[3]]);
            if let Some(known) = known.filter(|t| !self.taken(s, *t)) {
                return known;
            }
        }
        let mut t = now;
        if let Some((lo, hi)) = range.addresses {
            t[0] = if lo == hi { lo } else { self.choose(s, range, Part::Src, (lo, hi), stays) };
        }
        t[2] = moved.unwrap_or(t[2]);
        let (lo, hi) = range.ports.unwrap_or_else(|| class(t[2]));
        if lo == hi {
            t[2] = lo;
            return t;
        }
        let fits = moved.is_some() || !range.random && (range.ports.is_none() || lo <= t[2] && t[2] <= hi);
        if fits && !self.taken(s, t) {
            return t;
        }
        let first = self.choose(s, range, Part::SrcPort, (lo, hi), fits);
        let mut free = (0..=hi - lo).map(|n| lo + (first - lo + n) % (hi - lo + 1));
        t[2] = free.find(|port| !self.taken(s, [t[0], t[1], *port, t[3]])).unwrap_or(first);
        if let Some((_, value)) = self.choices.last_mut() {
            *value = t[2];
        }
        t
    }

    /// What the newest session of the same sender was translated to, if the rule allows that (`find_appropriate_src`).
    fn known_source(&self, s: usize, now: Tuple, range: &Range) -> Option<(u128, u128)> {
        let device = self.sessions[s].device;
        let others = self.sessions.iter().enumerate().rev();
        others
            .filter(|(n, o)| *n != s && o.device == device && o.confirmed)
            .filter(|(_, o)| (o.original[0], o.original[2]) == (now[0], now[2]))
            .map(|(_, o)| (o.reply[1], o.reply[3]))
            .find(|(address, port)| range.holds(*address, *port))
    }

    /// A device picks: by a rule, or because what a packet would have become is taken.
    fn choose(&mut self, s: usize, range: &Range, part: Part, (lo, hi): (u128, u128), clash: bool) -> u128 {
        let device = self.sessions[s].device;
        let (choice, value) = match range.rule {
            Some(rule) if !clash => (Choice::Device { device, rule, part }, (self.world.pick)(rule, part, lo, hi)),
            _ => (Choice::Clash { device }, (self.world.evade)(device, self.choices.len(), lo, hi)),
        };
        self.choices.push((choice, value));
        value
    }

    /// `get_unique_tuple` for destinations.
    fn bind_destination(&mut self, s: usize, range: &Range, moved: Option<u128>) {
        let now = inverse(self.sessions[s].reply);
        let mut t = now;
        if let Some((lo, hi)) = range.addresses {
            t[1] = if lo == hi { lo } else { self.choose(s, range, Part::Dst, (lo, hi), false) };
        }
        t[3] = moved.unwrap_or(t[3]);
        if let Some((lo, hi)) = range.ports {
            let fits = !range.random && lo <= t[3] && t[3] <= hi;
            if lo == hi {
                t[3] = lo;
            } else if !fits || self.taken(s, t) {
                let first = if range.random { self.choose(s, range, Part::DstPort, (lo, hi), false) } else { lo };
                let mut tried =
                    (0..=hi - lo).take(MAX_ATTEMPTS as usize).map(|n| lo + (first - lo + n) % (hi - lo + 1));
                t[3] = tried.find(|port| !self.taken(s, [t[0], t[1], t[2], *port])).unwrap_or(first);
                if let Some((_, value)) = self.choices.last_mut().filter(|_| range.random) {
                    *value = t[3];
                }
            }
        }
        if t != now {
            let session = &mut self.sessions[s];
            (session.reply[0], session.reply[2], session.dnat) = (t[1], t[3], true);
        }
    }

    fn masquerade(&self, p: &Packet) -> Option<u128> {
        let of_family = |n: &&ipnet::IpNet| Family::of(n.addr()) == self.family;
        let device = self.device(p);
        if p.out_iface == Some(LO) {
            if self.family == Family::V6 {
                return Some(p.header[1]);
            }
            return device
                .interfaces
                .iter()
                .flat_map(|i| &i.addresses)
                .find(of_family)
                .map(|n| address_value(n.addr()));
        }
        let nets: Vec<_> = device.interfaces[p.out_iface?].addresses.iter().filter(of_family).collect();
        let near = nets.iter().find(|n| {
            let (lo, hi) = prefix_range(***n);
            lo <= p.next_hop && p.next_hop <= hi
        });
        near.or(nets.first()).map(|n| address_value(n.addr()))
    }

    fn redirect(&self, p: &Packet) -> Option<u128> {
        match p.in_iface {
            None | Some(LO) => Some(if self.family == Family::V4 { 0x7f00_0001 } else { 1 }),
            Some(i) => {
                let list = &self.device(p).interfaces[i].addresses;
                list.iter().find(|n| Family::of(n.addr()) == self.family).map(|n| address_value(n.addr()))
            }
        }
    }
}
