//! Address translation, one packet at a time.
#![allow(clippy::many_single_char_names, clippy::cast_possible_truncation)]

use super::interpret::{Interpreter, LO, Outcome, Packet};
use callpath_core::model::{Family, NatTarget, OriginId, Part, Side, Translate, address_value, prefix_range};
use callpath_core::trace::Disposition;

impl Interpreter<'_> {
    pub fn set_up(&mut self, p: &mut Packet, s: usize, t: &Translate, target: &NatTarget, rule: OriginId) -> Outcome {
        let (a, q) = if t.side == Side::Destination { (1, 3) } else { (0, 2) };
        let part = |i: usize| [Part::Src, Part::Dst, Part::SrcPort, Part::DstPort][i];
        let (old, old_port) = (p.header[a], p.header[q]);
        let mut keep_port = false;
        let (address, ports) = match target {
            NatTarget::To { addr: None, port, .. } => (old, *port),
            NatTarget::To { addr: Some((lo, hi)), port, keep_host_bits: true, .. } => {
                let host = lo ^ hi;
                (old & host | lo & !host, *port)
            }
            NatTarget::To { addr: Some((lo, hi)), port, .. } if lo < hi => {
                let in_ports = port.is_none_or(|(x, y)| u128::from(x) <= old_port && old_port <= u128::from(y));
                if t.side == Side::Source && !t.random && *lo <= old && old <= *hi && in_ports {
                    keep_port = true;
                    (old, *port)
                } else {
                    ((self.world.pick)(rule, part(a), *lo, *hi), *port)
                }
            }
            NatTarget::To { addr: Some((lo, _)), port, .. } => (*lo, *port),
            NatTarget::Moved { addr, by, .. } => {
                let to = ((old_port + u128::from(*by)) % 65536) as u16;
                (addr.map_or(old, |(lo, _)| lo), Some((to, to)))
            }
            NatTarget::OutgoingAddress { port } => {
                if let Some(address) = self.masquerade(p) {
                    (address, *port)
                } else {
                    p.end = Some(Disposition::Dropped);
                    return Outcome::Ended;
                }
            }
            NatTarget::IncomingAddress { port } => {
                if let Some(address) = self.redirect(p) {
                    (address, *port)
                } else {
                    p.end = Some(Disposition::Dropped);
                    return Outcome::Ended;
                }
            }
        };
        let new_port = match ports {
            _ if keep_port => old_port,
            None if t.random && t.side == Side::Source => {
                let (lo, hi) = match old_port {
                    0..=511 => (1, 511),
                    512..=1023 => (600, 1023),
                    _ => (1024, 65535),
                };
                (self.world.pick)(rule, part(q), lo, hi)
            }
            None => old_port,
            Some((lo, hi)) => {
                let (lo, hi) = (u128::from(lo.min(hi)), u128::from(lo.max(hi)));
                match () {
                    () if lo == hi => lo,
                    () if t.random => (self.world.pick)(rule, part(q), lo, hi),
                    () if lo <= old_port && old_port <= hi => old_port,
                    () if t.side == Side::Destination => lo,
                    () => (self.world.pick)(rule, part(q), lo, hi),
                }
            }
        };
        if (address, new_port) != (old, old_port) {
            let session = &mut self.sessions[s];
            match t.side {
                Side::Destination => {
                    (session.reply[0], session.reply[2], session.dnat) = (address, new_port, true);
                }
                Side::Source => (session.reply[1], session.reply[3], session.snat) = (address, new_port, true),
            }
        }
        Outcome::Translated
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
