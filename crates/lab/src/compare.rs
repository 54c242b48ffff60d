//! What the trace says of a single packet, and whether the kernel agrees.

use crate::packet::{Stage, Tuple};
use crate::wire::Place;
use callpath_core::cube::{Cube, Set};
use callpath_core::model::OriginId;
use callpath_core::trace::{Answer, Did, Disposition, Header, Journey, Phase, RoundTrip, Val};

/// What became of one packet, as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was not sent, because its predecessor did not arrive.
    NotSent,
    /// It came out nowhere.
    Gone,
    /// It came out here with this header.
    Arrived(Place, Tuple),
}

/// The fates of a round trip's three packets.
pub type Fates = [Fate; 3];

/// Stages in order.
pub const STAGES: [Stage; 3] = [Stage::Request, Stage::Reply, Stage::Next];

/// The phase of the trace that a stage is.
pub fn phase(stage: Stage) -> Phase {
    match stage {
        Stage::Request => Phase::Request,
        Stage::Reply => Phase::Reply,
        Stage::Next => Phase::Next,
    }
}

/// Round trips of an answer that contain a packet, for some values of the variables.
pub fn candidates<'a>(answer: &'a Answer, packet: &Tuple) -> Vec<&'a RoundTrip> {
    answer.trips.iter().filter(|t| t.asked.contains(&packet.parts)).collect()
}

/// Does this round trip say that the fates are possible? `routers`: devices below this number are routers.
pub fn allows(answer: &Answer, trip: &RoundTrip, packet: &Tuple, fates: &Fates, routers: usize) -> bool {
    for (stage, fate) in STAGES.iter().zip(fates) {
        match (trip.journey(phase(*stage)), fate) {
            (None, Fate::NotSent) => {}
            (None, _) | (Some(_), Fate::NotSent) => return false,
            // From here on the trace says nothing.
            (Some(journey), _) if ends_open(journey) => return true,
            (Some(journey), fate) if agrees(answer, trip, journey, packet, fate, routers) => {}
            (Some(_), _) => return false,
        }
    }
    true
}

pub(crate) fn ends_open(journey: &Journey) -> bool {
    journey.end.is_unknown()
}

/// Where a journey ends visibly.
pub(crate) fn end_place(journey: &Journey, routers: usize) -> Option<Place> {
    let device = journey.last().device;
    let place = if device < routers { Place::Router(device) } else { Place::Hosts(device - routers) };
    match journey.end {
        Disposition::Delivered { .. } => Some(place),
        // Hosts that are not addressed still see the packet on their segment.
        Disposition::NotForwarding
        | Disposition::MartianSource
        | Disposition::NotUnicast
        | Disposition::MartianDestination
            if device >= routers && journey.last().in_iface.is_some() =>
        {
            Some(place)
        }
        _ => None,
    }
}

fn agrees(answer: &Answer, trip: &RoundTrip, journey: &Journey, packet: &Tuple, fate: &Fate, routers: usize) -> bool {
    match (end_place(journey, routers), fate) {
        (None, Fate::Gone) => true,
        (Some(place), Fate::Arrived(seen, tuple)) => {
            place == *seen && header_agrees(answer, &trip.asked, &journey.last().header, packet, tuple)
        }
        _ => false,
    }
}

fn header_agrees(answer: &Answer, cube: &Cube, header: &Header, asked: &Tuple, seen: &Tuple) -> bool {
    [header.src, header.dst, header.sport, header.dport].iter().zip(seen.parts).all(|(value, seen)| match value {
        Val::Const(c) => *c == seen,
        Val::Part(part, shift) => asked.parts[*part as usize].wrapping_add(*shift) == seen,
        Val::Var(var) => {
            let restricted = cube.vars.iter().find(|(v, _)| v == var).map(|(_, s)| s);
            let domain: &Set = restricted.unwrap_or(&answer.variables[var.0 as usize].domain);
            domain.contains(seen)
        }
    })
}

/// The trace leaves the round trip's fate open at this stage or before.
pub fn is_open(trip: &RoundTrip) -> bool {
    STAGES.iter().filter_map(|s| trip.journey(phase(*s))).any(ends_open)
}

/// Rules that act on the round trip's packets, as (device, rule), one entry for each time.
pub fn rules(trip: &RoundTrip) -> Vec<(usize, OriginId)> {
    STAGES
        .iter()
        .filter_map(|s| trip.journey(phase(*s)))
        .flat_map(|j| &j.hops)
        .flat_map(|h| h.steps.iter().map(move |s| (h.device, &s.did)))
        .filter_map(|(device, did)| if let Did::Rule(origin) = did { Some((device, *origin)) } else { None })
        .collect()
}
