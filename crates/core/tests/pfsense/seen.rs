//! What becomes of a packet, in words that configurations and rules have in common.

use callpath_core::cube::Cube;
use callpath_core::model::Family;
use callpath_core::trace::{Answer, Disposition, Journey, RoundTrip, Val};

/// How one packet's conversation went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub end: String,
    pub to: String,
    pub source: String,
    pub sport: String,
    pub reply: String,
}

fn value(v: Val, packet: &Cube) -> Option<u128> {
    match v {
        Val::Part(p, k) => packet.part(p).single().map(|x| x.wrapping_add(k)),
        Val::Const(c) => Some(c),
        Val::Var(_) => None,
    }
}

fn seen(trip: &RoundTrip, packet: &Cube, family: Family, router: usize) -> Seen {
    let journey: &Journey = &trip.request;
    let h = journey.last().header;
    let ip = |v: Val| value(v, packet).map_or("chosen".to_owned(), |x| family.address(x).to_string());
    let port = |v: Val| value(v, packet).map_or("chosen".to_owned(), |x| x.to_string());
    let here = journey.last().device == router;
    let end = match &journey.end {
        Disposition::Delivered { .. } if here => "local",
        Disposition::Delivered { .. } => "delivered",
        Disposition::Dropped | Disposition::Rejected(_) if here => "blocked",
        end if end.is_unknown() => "unknown",
        _ => "misrouted",
    };
    let reply = match (&trip.reply, &trip.next) {
        (_, Some(_)) => "ok",
        (Some(_), None) => "lost or from elsewhere",
        (None, _) => "none",
    };
    let blocked = end == "blocked";
    Seen {
        end: end.to_owned(),
        to: if blocked { String::new() } else { format!("{}:{}", ip(h.dst), port(h.dport)) },
        source: if blocked { String::new() } else { ip(h.src) },
        sport: if blocked { String::new() } else { port(h.sport) },
        reply: reply.to_owned(),
    }
}

/// All ways that one packet's conversation can go.
pub fn one(answer: &Answer, packet: &Cube, family: Family, router: usize) -> Vec<Seen> {
    let mut all: Vec<Seen> =
        answer.trips.iter().filter(|t| holds(&t.asked, packet)).map(|t| seen(t, packet, family, router)).collect();
    all.sort();
    all.dedup();
    all
}

fn holds(cube: &Cube, packet: &Cube) -> bool {
    cube.parts.iter().zip(&packet.parts).all(|(a, b)| b.is_subset(a))
}
