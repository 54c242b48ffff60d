//! What two parties send each other, and a third one: who, where to, in which order.

use crate::compare::Fate;
use crate::packet::{Tuple, UDP};
use crate::topology::Topology;
use crate::wire::Place;
use callpath_core::cube::{Cube, Set};
use callpath_core::model::{Family, Part};
use callpath_core::trace::{Header, Question, Val};

/// Where packets go: an address and a port, in terms of what is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    /// Address.
    pub addr: Val,
    /// Port.
    pub port: Val,
}

impl Aim {
    /// A packet from here to there.
    pub fn to(self, other: Self) -> Header {
        Header { src: self.addr, sport: self.port, dst: other.addr, dport: other.port }
    }
}

/// One who sends.
#[derive(Debug, Clone, Copy)]
pub struct Party {
    /// Where.
    pub place: Place,
    /// Address.
    pub addr: u128,
    /// Port.
    pub port: u128,
    /// Ports that are asked about, this one among them: the trace follows all of them together.
    pub ports: (u128, u128),
}

/// One packet of a script. Packets are numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A party sends to what it was told.
    Blind(usize, Aim),
    /// A packet is sent again.
    Again(usize),
    /// Whoever got a packet sends to where it came from.
    Answer(usize),
    /// A party sends to where another one saw a packet come from, as a STUN server tells.
    Seen(usize, usize),
}

/// Two parties, a third one, and what they send.
#[derive(Debug, Clone)]
pub struct Script {
    /// Address family.
    pub family: Family,
    /// The first asks; its address and ports, and those of the second, are what is asked about.
    pub parties: [Party; 3],
    /// Packets in order.
    pub events: Vec<Event>,
}

/// Device of the model at a place.
pub fn device(place: Place, routers: usize) -> usize {
    match place {
        Place::Router(router) => router,
        Place::Hosts(group) => routers + group,
    }
}

impl Script {
    /// The first packets, as the trace is asked about them.
    pub fn question(&self, routers: usize) -> Question {
        let [a, b, _] = &self.parties;
        let ports = |p: &Party| Set::range(p.ports.0, p.ports.1);
        let parts = [Set::one(a.addr), Set::one(b.addr), ports(a), ports(b), Set::one(u128::from(UDP))];
        let packets = Cube { parts, vars: Vec::new() };
        Question { from: device(a.place, routers), family: self.family, packets }
    }

    /// The values of the question that this script is about.
    pub fn asked(&self) -> [u128; 5] {
        let [a, b, _] = &self.parties;
        [a.addr, b.addr, a.port, b.port, u128::from(UDP)]
    }

    /// A party's own address and port.
    pub fn own(&self, party: usize) -> Aim {
        match party {
            0 => Aim { addr: Val::Part(Part::Src, 0), port: Val::Part(Part::SrcPort, 0) },
            1 => Aim { addr: Val::Part(Part::Dst, 0), port: Val::Part(Part::DstPort, 0) },
            _ => Aim { addr: Val::Const(self.parties[party].addr), port: Val::Const(self.parties[party].port) },
        }
    }

    /// The value of a term; none for what a device picks.
    pub fn value(&self, term: Val) -> Option<u128> {
        match term {
            Val::Const(value) => Some(value),
            Val::Part(part, shift) => Some(self.asked()[part as usize].wrapping_add(shift)),
            Val::Var(_) => None,
        }
    }

    fn tuple(&self, header: Header) -> Option<Tuple> {
        let [src, dst, sport, dport] = [header.src, header.dst, header.sport, header.dport].map(|v| self.value(v));
        Some(Tuple { family: self.family, parts: [src?, dst?, sport?, dport?, u128::from(UDP)] })
    }

    /// A packet as it is sent, after what became of those before; none if it presupposes one that did not arrive.
    pub fn packet(
        &self,
        number: usize,
        sent: &[Option<(Place, Tuple)>],
        fates: &[Fate],
        topology: &Topology,
    ) -> Option<(Place, Tuple)> {
        let arrived = |n: usize| match fates[n] {
            Fate::Arrived(place @ Place::Router(_), seen) => Some((place, seen)),
            Fate::Arrived(place @ Place::Hosts(group), seen) => {
                topology.hosts[group].own(seen.family).contains(seen.parts[1]).then_some((place, seen))
            }
            _ => None,
        };
        match self.events[number] {
            Event::Blind(party, aim) => Some((self.parties[party].place, self.tuple(self.own(party).to(aim))?)),
            Event::Again(n) => sent[n],
            Event::Answer(n) => arrived(n).map(|(place, seen)| (place, seen.inverse())),
            Event::Seen(party, n) => {
                let [src, _, sport, ..] = arrived(n)?.1.parts;
                let from = &self.parties[party];
                let parts = [from.addr, src, from.port, sport, u128::from(UDP)];
                Some((from.place, Tuple { family: self.family, parts }))
            }
        }
    }

    /// The second party sends before the first one does.
    pub fn outer_first(&self) -> bool {
        let sends = |event: &Event| match event {
            Event::Blind(party, aim) if *aim != self.own(2) => Some(*party),
            Event::Seen(party, _) => Some(*party),
            _ => None,
        };
        self.events.iter().find_map(sends) == Some(1)
    }

    /// The script without one packet; none if another one presupposes it, or nothing is left.
    pub fn without(&self, number: usize) -> Option<Self> {
        let mut events = self.events.clone();
        events.remove(number);
        for event in &mut events {
            if let Event::Again(n) | Event::Answer(n) | Event::Seen(_, n) = event {
                if *n == number {
                    return None;
                }
                *n -= usize::from(*n > number);
            }
        }
        (!events.is_empty()).then(|| Self { events, ..self.clone() })
    }
}
