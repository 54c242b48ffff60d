//! Words of verdicts: types that programs read in a report, too.

use crate::model::Family;
use crate::vocabulary::PortSet;
use crate::way::words;
use schemars::JsonSchema;
use serde::Serialize;

/// A verdict, best first: the worst path decides for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Calls get through, whatever is not known.
    Works,
    /// They get through in a worse way, or not for everybody.
    Degraded,
    /// It depends on something that is not known.
    Unknown,
    /// They do not get through.
    Fails,
}

impl Verdict {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Fails => "fails",
        }
    }
}

/// What is true about a set of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// All get through.
    Open,
    /// All do, but only because packets of the other side open the way.
    Punched,
    /// All do when the right side sends first, and nobody decides which does.
    Chance,
    /// None does.
    Closed,
    /// Some do.
    Partly,
    /// It depends on something that is not known.
    Unknown,
}

/// How media gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// By UDP: the caller's packets are let in.
    Udp,
    /// By UDP: the server sends first, to an address that leads to the caller.
    Direct,
    /// By UDP, only because packets of both sides open the way for each other.
    HolePunching,
    /// By UDP, when the right side sends first, and nobody decides which does.
    ByChance,
    /// By TCP.
    Tcp,
    /// By a relay (TURN).
    Relay,
    /// Not at all.
    None,
}

/// A share of an alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// So many ports get through.
    Ports {
        /// How many.
        open: u64,
        /// Of how many.
        of: u64,
    },
    /// So many of the ports that callers send from do not get through, or not in the best way.
    SourcePorts {
        /// How many.
        worse: u64,
        /// Of how many.
        of: u64,
    },
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ports { open, of } => write!(f, "{open} of {of} ports"),
            Self::SourcePorts { worse, of } => write!(f, "{worse} of {of} source ports"),
        }
    }
}

/// A port that must stay closed, and does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Closed {
    /// The ports: `tcp 5432`.
    #[schemars(with = "String")]
    pub ports: PortSet,
    /// What they are for.
    pub purpose: String,
}

/// Ports by which the internet is led to a host that the manifest does not describe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Elsewhere {
    /// The host's address.
    pub host: String,
    /// The ports outside: `tcp 5432`.
    #[schemars(with = "String")]
    pub outside: PortSet,
    /// `ipv4` or `ipv6`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub family: Family,
    /// The address that is asked, where it is not the one that callers are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// It may lead there or not: something is not known.
    pub unknown: bool,
}

/// A host of which every port was asked from the internet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Searched {
    /// Its address.
    pub host: String,
    /// `ipv4` or `ipv6`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub family: Family,
    /// The address that was asked, where the internet may know it by others too: another line, another address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
