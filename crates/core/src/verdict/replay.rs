//! One packet of a set, followed again with every rule that it meets: fates are decided with sets, and explained with a
//! packet.

use super::reach::Ending;
use crate::cube::{Cube, Dim, Set, VarId};
use crate::model::{Family, OriginId, Part, TOLD};
use crate::trace::{Answer, Ask, Choice, Phase, Question, RoundTrip};

/// Follows the packets of a question in one world with every rule that they meet, and tells how each trip ended.
pub(crate) type Again<'a> = dyn Fn(&Question, &[(Choice, u128)]) -> (Answer, Vec<Ending>) + 'a;

/// The answer to a question, and how each trip of it ended.
pub(crate) fn judged(ask: Ask<'_>, until: Phase, judge: impl Fn(&RoundTrip) -> Ending) -> (Answer, Vec<Ending>) {
    let answer = ask.answer(until);
    let endings = answer.trips.iter().map(judge).collect();
    (answer, endings)
}

/// Packets of an answer that was given in fates.
pub(crate) struct Replay<'a> {
    /// Device that sends them.
    pub from: usize,
    /// Their family.
    pub family: Family,
    /// The same question for fewer packets.
    pub again: &'a Again<'a>,
}

impl Replay<'_> {
    /// The way of one of these packets of a trip that ended so. The trip itself where no packet of it is found again: its
    /// fate counts.
    pub fn of(&self, answer: &Answer, trip: &RoundTrip, cube: &Cube, ending: Ending) -> RoundTrip {
        let packet = packet(cube);
        let packets = Cube { parts: packet.map(Set::one), vars: Vec::new() };
        let (answer, endings) = self.followed(answer, trip, packets, &packet);
        let found = endings.iter().position(|e| *e == ending);
        let found = found.or_else(|| endings.iter().position(|e| e.is_good() == ending.is_good()));
        found.map_or_else(|| trip.clone(), |n| answer.trips[n].clone())
    }

    /// The ways of such packets to all ports of the cube, where they fare well, each with its ports: those that meet the
    /// same rules are together. Nothing where these are more than are told one by one.
    pub fn by_rules(&self, answer: &Answer, trip: &RoundTrip, cube: &Cube) -> Vec<(Set, RoundTrip)> {
        if cube.part(Part::DstPort).ranges().len() > TOLD {
            return Vec::new();
        }
        let packet = packet(cube);
        let packets = Cube { parts: packet.map(Set::one), vars: Vec::new() };
        let packets = packets.with(Dim::Part(Part::DstPort), cube.part(Part::DstPort).clone());
        let (answer, endings) = self.followed(answer, trip, packets, &packet);
        let mut out: Vec<(Set, RoundTrip)> = Vec::new();
        for (trip, _) in answer.trips.into_iter().zip(endings).filter(|(_, e)| e.is_good()) {
            let ports = trip.asked.part(Part::DstPort);
            match out.iter().position(|(_, known)| met(known).eq(met(&trip))) {
                Some(at) => out[at].0 = out[at].0.or(ports),
                None if out.len() == TOLD => return Vec::new(),
                None => out.push((ports.clone(), trip)),
            }
        }
        out
    }

    /// Packets in the world of a trip, for which `packet` stands.
    fn followed(&self, answer: &Answer, trip: &RoundTrip, packets: Cube, packet: &[u128; 5]) -> (Answer, Vec<Ending>) {
        let value = |(var, set): &(VarId, Set)| (answer.variables[var.0 as usize].choice, other_than(packet, set));
        let world: Vec<(Choice, u128)> = trip.asked.vars.iter().map(value).collect();
        (self.again)(&Question { from: self.from, family: self.family, packets }, &world)
    }
}

/// The rules that the first packet met, each with its device.
fn met(trip: &RoundTrip) -> impl Iterator<Item = (usize, OriginId)> + '_ {
    trip.request.hops.iter().flat_map(|hop| hop.rules().map(|rule| (hop.device, rule)))
}

/// A packet that stands for others: the lowest value of each field, but no address that ends in zeros.
fn packet(cube: &Cube) -> [u128; 5] {
    [Part::Src, Part::Dst, Part::SrcPort, Part::DstPort, Part::Proto].map(|part| example(cube, part))
}

/// The value of a field that stands for others.
pub(crate) fn example(cube: &Cube, part: Part) -> u128 {
    let set = cube.part(part);
    let lowest = set.min().unwrap_or_default();
    let plain = matches!(part, Part::Src | Part::Dst) && lowest.trailing_zeros() >= 8 && set.contains(lowest + 1);
    if plain { lowest + 1 } else { lowest }
}

/// A value of a set that is none of the packet's own: what a device picks equals those only by luck.
fn other_than(packet: &[u128; 5], set: &Set) -> u128 {
    let own = Set::from_ranges(packet.iter().map(|v| (*v, *v)));
    set.minus(&own).max().or_else(|| set.max()).unwrap_or_default()
}
