//! Which pairs talk, and what they send.

use super::script::{Aim, Event, Party, Script};
use crate::random::Random;
use crate::wire::Place;
use callpath_core::model::{Family, address_value};
use callpath_core::trace::Val;
use std::collections::HashSet;

/// Who may be a party.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    /// Where.
    pub place: Place,
    /// IPv4 addresses.
    pub v4: &'static [&'static str],
    /// IPv6 addresses.
    pub v6: &'static [&'static str],
    /// The address that the other side knows it by; none: its own.
    pub face: Option<&'static str>,
}

/// Ports at which rules often begin or end, and those that they forward to.
const NEAR: [u128; 12] = [407, 511, 519, 707, 1023, 1031, 5007, 20007, 32768, 40007, 50000, 60007];

/// Ports of a batch. Every party of every pair has one of its own: no pair meets another one's sessions.
#[derive(Debug, Default)]
pub struct Ports(HashSet<u128>);

impl Ports {
    fn draw(&mut self, random: &mut Random) -> u128 {
        loop {
            let port = match random.below(20) {
                0 => random.between(1, 511),
                1..=2 => random.between(512, 1023),
                3..=7 => *random.pick(&NEAR),
                _ => random.between(1024, 65535),
            };
            if self.0.insert(port) {
                return port;
            }
        }
    }
}

fn party(random: &mut Random, ports: &mut Ports, spot: &Spot, six: bool) -> Party {
    let list = if six { spot.v6 } else { spot.v4 };
    let addr = address_value(random.pick(list).parse().expect("an address literal"));
    let port = ports.draw(random);
    // Two parties' ranges have at most 64 ports in common: so many are compared one by one.
    let (below, above) = if random.chance(50) { (0, 0) } else { (random.between(0, 30), random.between(0, 30)) };
    Party { place: spot.place, addr, port, ports: (port.saturating_sub(below).max(1), (port + above).min(65535)) }
}

/// Draws a pair and its script.
pub fn script(random: &mut Random, ports: &mut Ports, inner: &[Spot], outer: &[Spot]) -> Script {
    let six = random.chance(12) && [inner, outer].iter().all(|l| l.iter().all(|s| !s.v6.is_empty()));
    let a = *random.pick(inner);
    let b = loop {
        let list = if random.chance(85) { outer } else { inner };
        let b = *random.pick(list);
        if b.place != a.place {
            break b;
        }
    };
    let list = if random.chance(80) { &outer[outer.len() - 1..] } else { inner };
    let c = *random.pick(list);
    let spots = [a, b, c];
    let parties = spots.map(|spot| party(random, ports, &spot, six));
    let mut script = Script { family: if six { Family::V6 } else { Family::V4 }, parties, events: Vec::new() };
    let aims = [aim(random, &script, &spots, 0), aim(random, &script, &spots, 1)];
    let length = 2 + random.below(5);
    let first = random.below(2);
    if random.chance(30) {
        // What a STUN server tells: one side asks it, and the other side is told what it saw.
        let asks = random.below(2);
        let stun = script.own(2);
        script.events.push(Event::Blind(asks, stun));
        if random.chance(50) {
            script.events.push(Event::Answer(0));
        }
        script.events.push(Event::Seen(1 - asks, 0));
        script.events.push(Event::Blind(asks, aims[1 - asks]));
    } else {
        script.events.push(Event::Blind(first, aims[1 - first]));
        script.events.push(Event::Blind(1 - first, aims[first]));
    }
    while script.events.len() < length {
        let sent = script.events.len();
        let last = random.below(sent);
        let event = match random.below(10) {
            0..=2 => Event::Again(last),
            3..=7 => Event::Answer(last),
            8 => Event::Blind(random.below(2), script.own(2)),
            _ => {
                let who = random.below(2);
                Event::Blind(who, aims[1 - who])
            }
        };
        script.events.push(event);
    }
    script
}

/// What others send to when they mean this party.
fn aim(random: &mut Random, script: &Script, spots: &[Spot; 3], of: usize) -> Aim {
    let own = script.own(of);
    let Some(face) = spots[of].face.filter(|_| script.family == Family::V4) else { return own };
    let face = Val::Const(address_value(face.parse().expect("an address literal")));
    match random.below(10) {
        0..=6 => Aim { addr: face, port: own.port },
        7 => Aim { addr: face, port: Val::Const(*random.pick(&NEAR)) },
        _ => own,
    }
}
