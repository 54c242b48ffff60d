//! What rules read, and what they look up: plain numbers.
#![allow(clippy::option_option, clippy::unused_self)]

use super::interpret::{Interpreter, LO, Packet, Tracked, Tuple};
use callpath_core::model::{
    Family, Hook, Key, KeyField, Lookup, MarkFrom, MarkValue, Part, TupleDir, TupleIface, address_value, iface_value,
};
use callpath_core::trace::Phase;

impl Interpreter<'_> {
    pub fn look_up<T: Clone>(&self, p: &Packet, hook: Hook, lookup: &Lookup<T>) -> Option<T> {
        let values: Vec<u128> = lookup.keys.iter().map(|k| self.value(p, hook, *k)).collect::<Option<_>>()?;
        let found = lookup.entries.iter().find(|(row, _)| row.iter().zip(&values).all(|(set, v)| has(set, *v)));
        found.map(|(_, v)| v.clone()).or_else(|| lookup.default.clone())
    }

    pub fn mark(&self, p: &Packet, value: MarkValue) -> Option<u128> {
        let start = match value.from {
            MarkFrom::Zero => 0,
            MarkFrom::Mark => p.mark,
            MarkFrom::CtMark => match p.tracked {
                Tracked::In(s, _) => self.sessions[s].mark,
                _ => return None,
            },
            MarkFrom::Unknown(doubt) => (self.world.doubt)(p.device, doubt),
        };
        Some(start & u128::from(value.and) ^ u128::from(value.xor))
    }

    pub fn value(&self, p: &Packet, hook: Hook, key: Key) -> Option<u128> {
        let session = match p.tracked {
            Tracked::In(s, reply) => Some((&self.sessions[s], reply)),
            _ => None,
        };
        let header = |t: Tuple, part: Part| if part == Part::Proto { self.proto } else { t[part as usize] };
        let in_iface = if hook == Hook::Output { None } else { p.in_iface };
        let name = |i: Option<usize>| match i {
            None => 0,
            Some(LO) => iface_value("lo"),
            Some(i) => iface_value(&self.device(p).interfaces[i].name),
        };
        let group =
            |i: Option<usize>| i.map(|i| if i == LO { 0 } else { u128::from(self.device(p).interfaces[i].group) });
        let value = match key.field {
            KeyField::Header(part) => header(p.header, part),
            KeyField::Family => {
                if self.family == Family::V4 {
                    2
                } else {
                    10
                }
            }
            KeyField::InIface => name(in_iface),
            KeyField::OutIface => name(p.seen_out),
            KeyField::InGroup => group(in_iface)?,
            KeyField::OutGroup => group(p.seen_out)?,
            KeyField::Mark => p.mark,
            KeyField::CtState => match (p.tracked, session) {
                (Tracked::Untracked, _) => 64,
                (_, Some((s, reply))) => {
                    if reply || s.seen_reply {
                        2
                    } else {
                        8
                    }
                }
                _ => 1,
            },
            KeyField::CtStatus => {
                let (s, _) = session?;
                let bits = [(s.seen_reply, 2), (s.assured, 4), (s.confirmed, 8), (s.snat, 16), (s.dnat, 32)];
                bits.iter().filter(|(on, _)| *on).map(|(_, b)| b).sum()
            }
            KeyField::CtDirection => u128::from(session?.1),
            KeyField::CtMark => session?.0.mark,
            KeyField::CtTuple(TupleDir::Original, part) => header(session?.0.original, part),
            KeyField::CtTuple(TupleDir::Reply, part) => header(session?.0.reply, part),
            KeyField::AddressKind { of, on } => {
                self.kind(p, header(p.header, of), on.map(|o| side(o, in_iface, p.seen_out)))
            }
            KeyField::RouteIface { of, on, .. } => {
                let address = header(p.header, of);
                let only = on.map(|o| side(o, in_iface, p.seen_out));
                if hook == Hook::Prerouting && only == Some(Some(LO)) {
                    iface_value("lo")
                } else if self.own(p.device, address) || self.loopback(address) || self.multicast(address) {
                    0
                } else {
                    match self.best(p.device, address) {
                        Some((i, _)) if only.is_none_or(|o| o == Some(i)) => name(Some(i)),
                        _ => 0,
                    }
                }
            }
            KeyField::TcpFlags if self.proto == 6 => match p.phase {
                Phase::Request => 2,
                Phase::Reply => 18,
                Phase::Next => 16,
            },
            KeyField::Constant(c) => u128::from(c),
            KeyField::Unknown(doubt, _) => (self.world.doubt)(p.device, doubt),
            KeyField::Absent | KeyField::TcpFlags | KeyField::WithinRate(_) => return None,
        };
        Some(key.mask.map_or(value, |m| value & m))
    }

    fn kind(&self, p: &Packet, address: u128, only: Option<Option<usize>>) -> u128 {
        let local = match only {
            Some(Some(LO)) => self.loopback(address),
            Some(Some(i)) => {
                let iface = &self.device(p).interfaces[i];
                let hosts = if self.family == Family::V4 { &iface.hosts_v4 } else { &iface.hosts_v6 };
                iface
                    .addresses
                    .iter()
                    .any(|n| Family::of(n.addr()) == self.family && address_value(n.addr()) == address)
                    || hosts.ranges().iter().any(|(lo, hi)| *lo <= address && address <= *hi)
            }
            _ => self.own(p.device, address) || self.loopback(address),
        };
        match self.family {
            _ if local => 2,
            Family::V4 if self.broadcast(p.device, address) => 3,
            Family::V6 if self.broadcast(p.device, address) => 4,
            _ if self.multicast(address) => 5,
            Family::V6
                if !self.own(p.device, address)
                    && !self.loopback(address)
                    && self.best(p.device, address).is_none() =>
            {
                7
            }
            _ => 1,
        }
    }
}

fn side(on: TupleIface, in_iface: Option<usize>, out_iface: Option<usize>) -> Option<usize> {
    match on {
        TupleIface::In => in_iface,
        TupleIface::Out => out_iface,
    }
}

pub fn has(set: &callpath_core::cube::Set, v: u128) -> bool {
    set.ranges().iter().any(|(lo, hi)| *lo <= v && v <= *hi)
}
