//! What becomes of a flow's packets by the trace, in the words of `fates.yaml`.

use crate::generated::fates::Fate;
use crate::generated::world::{RELAY, World};
use callpath_core::cube::Cube;
use callpath_core::model::Family;
use callpath_core::trace::{Answer, Choice, Disposition, RoundTrip, Val};
use std::net::IpAddr;

/// One way in which a flow may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub end: &'static str,
    pub device: String,
    pub to: Option<IpAddr>,
    pub to_port: Option<u128>,
    pub source: Option<IpAddr>,
    pub sport: Option<u128>,
    pub reply: &'static str,
    /// A program of the device that sends on takes it.
    pub relayed: bool,
}

/// What comparing came to.
pub enum Verdict {
    Agrees,
    Wrong,
    /// With what is not known.
    Unknown(Vec<String>),
}

pub fn value(v: Val, packet: &Cube) -> Option<u128> {
    match v {
        Val::Part(p, k) => packet.part(p).single().map(|x| x.wrapping_add(k)),
        Val::Const(c) => Some(c),
        Val::Var(_) => None,
    }
}

fn seen(trip: &RoundTrip, packet: &Cube, family: Family, world: &World) -> Seen {
    let last = trip.request.last();
    let header = last.header;
    let ip = |v: Val| value(v, packet).map(|x| family.address(x));
    let device = &world.network.devices[last.device];
    let here = last.device == 0;
    let (mut end, mut relayed) = match &trip.request.end {
        Disposition::Delivered { listening } if here => ("local", *listening),
        Disposition::Delivered { .. } => ("delivered", false),
        Disposition::Rejected(_) => ("rejected", false),
        end if end.is_unknown() => ("unknown", false),
        // Dropped, unheard; and what the kernel itself refuses is silence for the sender, as far as the fates tell.
        _ => ("dropped", false),
    };
    if relayed && device.endpoints.iter().all(|e| &*e.name != RELAY) {
        relayed = false;
    }
    if end == "local" && relayed {
        end = "relayed";
    }
    let unknown = |j: &callpath_core::trace::Journey| j.end.is_unknown();
    let reply = match (&trip.reply, &trip.next) {
        (Some(j), _) if unknown(j) => "unknown",
        (_, Some(j)) if unknown(j) => "unknown",
        (_, Some(j)) if matches!(j.end, Disposition::Delivered { .. }) => "ok",
        (_, Some(_)) => "lost later",
        (Some(j), None) if matches!(j.end, Disposition::Delivered { .. }) => "asymmetric",
        _ => "none",
    };
    Seen {
        end,
        device: device.name.to_string(),
        to: ip(header.dst),
        to_port: value(header.dport, packet),
        source: ip(header.src),
        sport: value(header.sport, packet),
        reply,
        relayed,
    }
}

/// Does one way agree with what was seen?
fn agrees(fate: &Fate, source: IpAddr, s: &Seen) -> bool {
    let end = match (fate.fate.as_str(), fate.via.is_some()) {
        ("delivered", true) => "relayed",
        (other, _) => other,
    };
    // Where a program takes a port, "local" means it as well.
    let fits = s.end == end || (end == "local" && s.end == "relayed");
    if !fits {
        return false;
    }
    if end == "local" {
        return s.to_port == Some(u128::from(fate.to_port.unwrap_or(fate.port)));
    }
    if end == "relayed" {
        return reply_fits(fate, s);
    }
    if end != "delivered" {
        return true;
    }
    let to = fate.to.as_deref().is_none_or(|to| match to.rsplit_once(':') {
        Some((a, p)) => {
            s.to.is_some_and(|t| a.trim_matches(['[', ']']) == t.to_string())
                && s.to_port.is_some_and(|t| p == t.to_string())
        }
        None => false,
    });
    let at = fate.at.as_deref().is_none_or(|at| at == s.device);
    let wanted = match fate.source.as_deref() {
        Some("unchanged") => Some(source),
        Some(other) => other.parse().ok(),
        None => s.source,
    };
    let kept = s.sport == Some(u128::from(fate.sport));
    let sport = fate.sport_out.as_deref().is_none_or(|w| (w == "kept") == kept);
    to && at && wanted == s.source && sport && reply_fits(fate, s)
}

fn reply_fits(fate: &Fate, s: &Seen) -> bool {
    match fate.reply.as_deref() {
        None => true,
        Some("ok") => s.reply == "ok",
        Some("asymmetric") => s.reply == "asymmetric" || s.reply == "none",
        Some(_) => s.reply != "ok" && s.reply != "unknown",
    }
}

pub fn verdict(fate: &Fate, source: IpAddr, world: &World, answer: &Answer, packet: &Cube) -> (Verdict, Vec<Seen>) {
    let family = Family::of(fate.dst);
    let trips: Vec<&RoundTrip> = answer.trips.iter().filter(|t| world.can_be(answer, t)).collect();
    assert!(!trips.is_empty(), "{}: no way is left", fate.name());
    let ways: Vec<Seen> = trips.iter().map(|t| seen(t, packet, family, world)).collect();
    let mut distinct = ways.clone();
    distinct.dedup();
    let doubts = || {
        let mut out = Vec::new();
        for trip in &trips {
            let ends = [Some(&trip.request), trip.reply.as_ref(), trip.next.as_ref()];
            for journey in ends.into_iter().flatten() {
                let device = journey.hops.last().map_or(0, |h| h.device);
                match &journey.end {
                    Disposition::Unknown(doubt) => {
                        let doubts = &world.network.devices[device].pipeline.doubts;
                        out.push(doubts[doubt.0 as usize].what.to_string());
                    }
                    Disposition::TooManyDoubts => out.push("too many doubts".into()),
                    Disposition::TooScattered => out.push("a mask over too many addresses".into()),
                    _ => {}
                }
            }
            for (var, _) in &trip.asked.vars {
                if let Choice::Doubt { device, doubt } = answer.variables[var.0 as usize].choice {
                    out.push(world.network.devices[device].pipeline.doubts[doubt.0 as usize].what.to_string());
                }
            }
        }
        out.sort();
        out.dedup();
        out
    };
    let unknown = |s: &Seen| s.end == "unknown" || s.reply == "unknown";
    let limited = fate.fate == "limited";
    let passes = |s: &Seen| Some(s.end) == fate.passed_are.as_deref();
    let verdict = if limited {
        // Both must be seen: that a limit decides, and what becomes of packets within it.
        match (distinct.iter().any(passes), distinct.iter().any(|s| !passes(s) && !unknown(s))) {
            (true, true) => Verdict::Agrees,
            _ if distinct.iter().any(unknown) => Verdict::Unknown(doubts()),
            _ => Verdict::Wrong,
        }
    } else if distinct.iter().all(|s| agrees(fate, source, s)) {
        Verdict::Agrees
    } else if distinct.iter().any(|s| agrees(fate, source, s) || unknown(s)) {
        Verdict::Unknown(doubts())
    } else {
        Verdict::Wrong
    };
    (verdict, distinct)
}
