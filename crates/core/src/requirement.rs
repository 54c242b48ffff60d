//! What a deployment needs from the network: who must, or must not, reach whom, by which ports.

use crate::manifest::{PortRanges, Proto, show_ports};

/// One end of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// Whoever calls, from every place where callers are.
    Callers,
    /// Whoever administers the server.
    Admin,
    /// The server itself.
    Server,
    /// Services on the internet: STUN servers, certificate authorities, trunks.
    Internet,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Without it calls fail.
    Required,
    /// Without it some callers fail.
    Recommended,
    /// Nice to have.
    Optional,
    /// Nobody may reach it.
    Forbidden,
    /// The administrator must reach it, nobody else may.
    Admin,
}

/// Somebody reaches somebody by some ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Name within the instance: `media-udp`.
    pub id: String,
    /// Part of a call that it belongs to: `signal`, `media`; empty for forbidden ones.
    pub leg: String,
    /// Alternatives have the same name here; the preferred one comes first.
    pub any_of: Option<String>,
    /// Who sends first.
    pub from: Party,
    /// Who is asked.
    pub to: Party,
    /// Transport protocol.
    pub proto: Proto,
    /// Ports that are asked.
    pub ports: PortRanges,
    /// How much it matters.
    pub level: Level,
    /// Only for callers at these places; elsewhere it is optional. Empty: everywhere.
    pub at: Vec<String>,
    /// Bound only while a call lasts.
    pub on_demand: bool,
    /// Several instances on a host can share it: a reverse proxy.
    pub shared: bool,
    /// What it is for.
    pub purpose: String,
    /// Document and key.
    pub source: String,
}

impl Requirement {
    /// Protocol and ports: `udp 50000-60000`.
    pub fn what(&self) -> String {
        format!("{} {}", self.proto.name(), show_ports(&self.ports))
    }

    /// The level for callers at a place (`internet`, `lan`, `net:guests`, `self`, `admin`).
    pub fn level_at(&self, place: &str) -> Level {
        let kind = place.split(':').next().unwrap_or(place);
        let here = self.at.is_empty() || self.at.iter().any(|a| a == kind);
        if here { self.level } else { Level::Optional }
    }
}
