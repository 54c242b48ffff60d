//! Scripts as text, for fixtures.

use super::script::{Aim, Event, Party, Script};
use crate::wire::Place;
use callpath_core::model::{Family, Part, address_value};
use callpath_core::trace::Val;
use std::fmt::{Display, Formatter};
use std::net::IpAddr;

const NAMES: [char; 3] = ['a', 'b', 'c'];

impl Script {
    /// A term, in the parties' names where it is one of theirs.
    fn term(&self, value: Val, address: bool) -> String {
        match value {
            Val::Part(Part::Src | Part::SrcPort, 0) => "a".into(),
            Val::Part(Part::Dst | Part::DstPort, 0) => "b".into(),
            Val::Const(v) if address => self.family.address(v).to_string(),
            Val::Const(v) => v.to_string(),
            other => format!("{other:?}"),
        }
    }
}

impl Display for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (name, p) in NAMES.iter().zip(&self.parties) {
            let place = match p.place {
                Place::Router(n) => format!("router {n}"),
                Place::Hosts(n) => format!("hosts {n}"),
            };
            let addr = self.family.address(p.addr);
            writeln!(f, "{name}: {place} {addr} port {} among {} {}", p.port, p.ports.0, p.ports.1)?;
        }
        for (n, event) in self.events.iter().enumerate() {
            match event {
                Event::Blind(who, to) => {
                    let (addr, port) = (self.term(to.addr, true), self.term(to.port, false));
                    writeln!(f, "{n} {} sends to {addr} port {port}", NAMES[*who])?;
                }
                Event::Again(of) => writeln!(f, "{n} again {of}")?,
                Event::Answer(of) => writeln!(f, "{n} answer to {of}")?,
                Event::Seen(who, of) => writeln!(f, "{n} {} sends to the source of {of}", NAMES[*who])?,
            }
        }
        Ok(())
    }
}

/// Reads a script out of a fixture.
pub fn parse(fixture: &str) -> Option<Script> {
    let mut parties = Vec::new();
    let mut events = Vec::new();
    let mut family = Family::V4;
    for line in fixture.lines().take_while(|l| !l.starts_with("router ")) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["a:" | "b:" | "c:", kind, n, addr, "port", port, "among", lo, hi] => {
                let addr: IpAddr = addr.parse().ok()?;
                let n = n.parse().ok()?;
                let place = if kind == "router" { Place::Router(n) } else { Place::Hosts(n) };
                family = Family::of(addr);
                let ports = (lo.parse().ok()?, hi.parse().ok()?);
                parties.push(Party { place, addr: address_value(addr), port: port.parse().ok()?, ports });
            }
            [_, who, "sends", "to", "the", "source", "of", of] => {
                events.push(Event::Seen(index(who)?, of.parse().ok()?));
            }
            [_, who, "sends", "to", addr, "port", port] => {
                let addr = match addr {
                    "a" => Val::Part(Part::Src, 0),
                    "b" => Val::Part(Part::Dst, 0),
                    literal => Val::Const(address_value(literal.parse().ok()?)),
                };
                let port = match port {
                    "a" => Val::Part(Part::SrcPort, 0),
                    "b" => Val::Part(Part::DstPort, 0),
                    number => Val::Const(number.parse().ok()?),
                };
                events.push(Event::Blind(index(who)?, Aim { addr, port }));
            }
            [_, "again", of] => events.push(Event::Again(of.parse().ok()?)),
            [_, "answer", "to", of] => events.push(Event::Answer(of.parse().ok()?)),
            _ => {}
        }
    }
    Some(Script { family, parties: parties.try_into().ok()?, events })
}

fn index(name: &str) -> Option<usize> {
    NAMES.iter().position(|n| name.len() == 1 && name.starts_with(*n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let party = |n: usize, port| Party {
            place: if n == 0 { Place::Router(1) } else { Place::Hosts(n) },
            addr: 0x0808_0404 + n as u128,
            port,
            ports: (port - 1, port + 2),
        };
        let aim = Aim { addr: Val::Const(0xcb00_7105), port: Val::Part(Part::SrcPort, 0) };
        let events = vec![Event::Blind(1, aim), Event::Again(0), Event::Answer(1), Event::Seen(1, 0)];
        let script = Script { family: Family::V4, parties: [party(0, 5000), party(1, 6000), party(2, 7000)], events };
        let text = script.to_string();
        let read = parse(&text).expect("a printed script is read");
        assert_eq!(read.events, script.events);
        assert_eq!(read.to_string(), text);
    }
}
