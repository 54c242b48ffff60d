//! Words that several rooms use: ports of a protocol, and lists in a sentence.

use crate::manifest::{PortRanges, Proto, show_ranges};
use std::fmt;

/// Ports of one protocol: `udp 50000-60000`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PortSet {
    /// The protocol.
    pub proto: Proto,
    /// The ports, as closed ranges.
    pub ports: PortRanges,
}

impl PortSet {
    /// A port is in both.
    pub fn meets(&self, other: &Self) -> bool {
        let meet = |(lo, hi): &(u16, u16)| other.ports.iter().any(|(from, to)| lo <= to && from <= hi);
        self.proto == other.proto && self.ports.iter().any(meet)
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.proto.name(), show_ranges(&self.ports))
    }
}

/// A port, or the ends of a range in ascending order: `5060`, `50000-50499`, `50000:50499`.
pub(crate) fn port_range(text: &str) -> Option<(u16, u16)> {
    let (lo, hi) = text.split_once(['-', ':']).unwrap_or((text, text));
    let (lo, hi) = (lo.trim().parse::<u16>().ok()?, hi.trim().parse::<u16>().ok()?);
    Some((lo.min(hi), lo.max(hi)))
}

/// Several things in a sentence: `tcp 443, udp 50000-60000 and tcp 7881`.
pub(crate) fn list<T: ToString>(parts: &[T]) -> String {
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    match &parts[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => parts.concat(),
    }
}
