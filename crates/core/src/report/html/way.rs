//! One packet's way, by device: what came, which rules acted, what left.

use crate::report::{Origin, Piece, Step};

/// A packet's way from its sender to where it ends.
pub(super) struct Way<'r> {
    /// `request`, `reply`, `next`.
    pub packet: &'static str,
    pub hops: Vec<Hop<'r>>,
}

/// What one device does to a packet.
pub(super) struct Hop<'r> {
    pub device: &'r str,
    /// Interface by which it came; absent at the sender.
    pub by: Option<&'r str>,
    /// Addresses with which it came: `caller -> 203.0.113.5:50000`.
    pub came: &'r str,
    /// Rules that somebody wrote, in the order in which they acted.
    pub rules: Vec<&'r Origin>,
    /// Whether it belongs to a call that the device knows.
    pub session: Option<&'r str>,
    /// Interface by which it left.
    pub out: Option<&'r str>,
    /// Addresses with which it left or ended.
    pub left: &'r str,
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
    let by = step.action.strip_prefix("arrives by ").filter(|_| step.hook.is_none());
    if by.is_some() || hops.last().is_none_or(|h| h.device != step.device) {
        // By the loopback it comes without a word.
        let came = if step.header.is_empty() { hops.last().map_or("", |h| h.left) } else { &step.header };
        hops.push(Hop { device: &step.device, by, came, rules: Vec::new(), session: None, out: None, left: came });
    }
    let Some(hop) = hops.last_mut() else { return };
    match (step.hook, &step.origin) {
        (None, _) => {
            hop.out = step.action.strip_prefix("leaves by ").or(hop.out);
            if !step.header.is_empty() {
                hop.left = &step.header;
            }
        }
        (Some(_), Some(o)) => {
            let written = o.line.is_some() || o.handle.is_some();
            // One statement can act twice: a forward that also changes the source on the way out.
            let told = hop.rules.iter().any(|r| r.place() == o.place() && r.text == o.text);
            if written && step.action == "rule" && !told {
                hop.rules.push(o);
            }
        }
        (Some(_), None) => {
            hop.session = match &*step.action {
                "known session, answer" => Some("belongs to a call that it let through"),
                "fits no session" => Some("fits no call that it let through"),
                _ => hop.session,
            };
        }
    }
}

impl Hop<'_> {
    /// How its addresses changed here, in words.
    pub fn changes(&self) -> Vec<String> {
        let ((from, to), (now_from, now_to)) = (ends(self.came), ends(self.left));
        let change = |what: &str, old: &str, new: &str| (old != new).then(|| format!("{what} becomes {new}"));
        [change("source", from, now_from), change("destination", to, now_to)].into_iter().flatten().collect()
    }
}

/// Source and destination.
pub(super) fn ends(header: &str) -> (&str, &str) {
    header.split_once(" -> ").unwrap_or((header, ""))
}

/// Name of a packet, for people.
pub(super) fn packet(packet: &str) -> &'static str {
    match packet {
        "request" => "request",
        "reply" => "answer",
        _ => "next packet",
    }
}
