//! One packet's way, by device: what came, which rules acted, what left.

use crate::report::{Action, End, Ends, Origin, Piece, Step};
use crate::trace::Phase;

/// A packet's way from its sender to where it ends.
pub(super) struct Way<'r> {
    /// Which packet.
    pub packet: Phase,
    pub hops: Vec<Hop<'r>>,
}

/// What one device does to a packet.
pub(super) struct Hop<'r> {
    pub device: &'r str,
    /// Interface by which it came; absent at the sender.
    pub by: Option<&'r str>,
    /// Addresses with which it came: `caller -> 203.0.113.5:50000`.
    pub came: &'r Ends,
    /// Rules that somebody wrote, in the order in which they acted.
    pub rules: Vec<&'r Origin>,
    /// Whether it belongs to a call that the device knows.
    pub session: Option<&'r str>,
    /// Interface by which it left.
    pub out: Option<&'r str>,
    /// Addresses with which it left or ended.
    pub left: &'r Ends,
}

/// The ways of all packets of a piece.
pub(super) fn ways(piece: &Piece) -> Vec<Way<'_>> {
    let mut ways: Vec<Way<'_>> = Vec::new();
    for step in &piece.steps {
        if ways.last().is_none_or(|w| w.packet != step.packet) {
            ways.push(Way { packet: step.packet, hops: Vec::new() });
        }
        if let Some(way) = ways.last_mut() {
            add(&mut way.hops, step);
        }
    }
    ways
}

fn add<'r>(hops: &mut Vec<Hop<'r>>, step: &'r Step) {
    let arrives = step.action == Action::Arrives;
    if arrives || hops.last().is_none_or(|h| h.device != step.device) {
        // By the loopback it comes without a word.
        let came = match hops.last() {
            Some(before) if step.header.is_empty() => before.left,
            _ => &step.header,
        };
        let by = step.by.as_deref().filter(|_| arrives);
        hops.push(Hop { device: &step.device, by, came, rules: Vec::new(), session: None, out: None, left: came });
    }
    let Some(hop) = hops.last_mut() else { return };
    match (step.hook, &step.origin) {
        (None, _) => {
            if step.action == Action::Leaves {
                hop.out = step.by.as_deref();
            }
            if !step.header.is_empty() {
                hop.left = &step.header;
            }
        }
        (Some(_), Some(o)) => {
            let written = o.line.is_some() || o.handle.is_some();
            // One statement can act twice: a forward that also changes the source on the way out.
            let told = hop.rules.iter().any(|r| r.place() == o.place() && r.text == o.text);
            if written && step.action == Action::Rule && !told {
                hop.rules.push(o);
            }
        }
        (Some(_), None) => {
            hop.session = match step.action {
                Action::KnownAnswer => Some("belongs to a call that it let through"),
                Action::FitsNoSession => Some("fits no call that it let through"),
                _ => hop.session,
            };
        }
    }
}

impl Hop<'_> {
    /// How its addresses changed here, in words.
    pub fn changes(&self) -> Vec<String> {
        let change = |what: &str, old: &End, new: &End| (old != new).then(|| format!("{what} becomes {new}"));
        let (came, left) = (self.came, self.left);
        [change("source", &came.from, &left.from), change("destination", &came.to, &left.to)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Name of a packet, for people.
pub(super) fn packet(packet: Phase) -> &'static str {
    match packet {
        Phase::Request => "request",
        Phase::Reply => "answer",
        Phase::Next => "next packet",
    }
}
