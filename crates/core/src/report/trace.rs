//! The answer about one flow. The types are the JSON format `callpath.trace/1`; the text form is made from these alone.

use super::{Piece, Reach, Tool};
use crate::manifest::PortRanges;
use crate::model::Family;
use crate::visible::named;
use crate::vocabulary::PortSet;
use crate::way::{StopKind, words};
use schemars::JsonSchema;
use serde::Serialize;

/// The format's name and version.
pub const TRACE_SCHEMA: &str = "callpath.trace/1";

/// What `callpath trace --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "callpath.trace/1")]
pub struct Trace {
    /// Always `callpath.trace/1`.
    #[schemars(extend("const" = TRACE_SCHEMA))]
    pub schema: &'static str,
    /// What made it.
    pub tool: Tool,
    /// Who sends, as it was typed.
    pub from: String,
    /// Whom they ask, as it was typed.
    pub to: String,
    /// Protocol and ports: `udp 50000-50499`.
    #[schemars(with = "String")]
    pub ports: PortSet,
    /// Ports that they are sent from, where these were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_ports: PortRanges,
    /// `open`: all of it gets through, the answer comes back, and so does the next packet. `closed`: none of it does.
    pub reach: Reach,
    /// The packets of each sender to each address.
    pub flows: Vec<TracedFlow>,
    /// What was not traced, and why.
    pub not_traced: Vec<String>,
    /// What was taken as given.
    pub assumptions: Vec<String>,
}

/// The packets of one sender to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TracedFlow {
    /// Who sends, for people.
    pub who: String,
    /// The address that is asked.
    pub asked: String,
    /// `ipv4` or `ipv6`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub family: Family,
    /// Packets by fate.
    pub pieces: Vec<TracedPiece>,
}

/// Packets with one fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TracedPiece {
    /// Where and how they end.
    pub disposition: Disposition,
    /// The device at which they end; empty where that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// They do not get through, and this device takes the first packet of some of them nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
    /// The packets, what stops them, and the way of one.
    #[serde(flatten)]
    pub piece: Piece,
}

/// How packets end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// A service takes them and answers.
    Accepted,
    /// A host takes them; whether a service answers there is not known.
    Delivered,
    /// A rule or a chain's policy drops them.
    Denied,
    /// They are rejected.
    Rejected,
    /// No route leads on.
    NoRoute,
    /// No device of a network has the address.
    NeighbourUnreachable,
    /// Another device takes them.
    TakenElsewhere,
    /// They arrive where nothing is known to listen, or at another port than the one that was asked.
    NobodyListens,
    /// They arrive, and the answer or the next packet does not, or comes from another address.
    AnswerLost,
    /// A device refuses their addresses.
    AddressesRefused,
    /// A device does not pass them on.
    NotForwarded,
    /// They go in circles.
    Loop,
    /// It is not known.
    Unknown,
}

impl Disposition {
    /// Of packets that stop so; `later`: it is the answer or the next packet that does.
    pub(crate) fn stopped(kind: StopKind, later: bool) -> Self {
        match kind {
            StopKind::Unknown => Self::Unknown,
            StopKind::WrongSource => Self::AnswerLost,
            _ if later => Self::AnswerLost,
            StopKind::Dropped => Self::Denied,
            StopKind::Rejected => Self::Rejected,
            StopKind::NoRoute => Self::NoRoute,
            StopKind::OwnAddress | StopKind::OtherHost => Self::TakenElsewhere,
            StopKind::NobodyListens | StopKind::OtherPort => Self::NobodyListens,
            StopKind::MartianSource | StopKind::MartianDestination | StopKind::NotUnicast | StopKind::ReversePath => {
                Self::AddressesRefused
            }
            StopKind::NotForwarding | StopKind::SamePort => Self::NotForwarded,
            StopKind::NoNeighbour => Self::NeighbourUnreachable,
            StopKind::Loop => Self::Loop,
        }
    }

    /// It for a person, before the name of a device.
    fn words(self) -> &'static str {
        match self {
            Self::Accepted => "accepted by",
            Self::Delivered => "delivered to",
            Self::Denied => "denied by",
            Self::Rejected => "rejected by",
            Self::NoRoute => "no route at",
            Self::NeighbourUnreachable => "neighbour unreachable at",
            Self::TakenElsewhere => "taken by",
            Self::NobodyListens => "nobody listens at",
            Self::AnswerLost => "answer lost at",
            Self::AddressesRefused => "addresses refused by",
            Self::NotForwarded => "not forwarded by",
            Self::Loop => "loop at",
            Self::Unknown => "unknown",
        }
    }
}

impl TracedPiece {
    /// How and where its packets end, for a person: `denied by router (forward)`.
    pub(crate) fn ends(&self) -> String {
        let hook = self.piece.stop.as_ref().filter(|_| self.disposition != Disposition::Unknown).and_then(|s| s.hook);
        let hook = hook.map_or_else(String::new, |hook| format!(" ({hook})"));
        let device = if self.device.is_empty() { String::new() } else { format!(" {}", named(&self.device)) };
        format!("{}{device}{hook}", self.disposition.words())
    }
}

impl Trace {
    /// It as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The pieces of all senders.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &TracedPiece> {
        self.flows.iter().flat_map(|f| &f.pieces)
    }
}
