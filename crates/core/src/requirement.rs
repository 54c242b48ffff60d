//! What a deployment needs from the network: who must, or must not, reach whom, by which ports.

use crate::manifest::{PortRanges, Proto, show_ranges};
use crate::profile::{Advice, Proxied};
use crate::vocabulary::{LegKind, Where};

/// What stands for the ports of a requirement that every installation has others for, and nobody stated.
pub const NOT_STATED: &str = "ports not stated";

/// One end of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// Whoever calls, from every place where callers are.
    Callers,
    /// Phones in networks of the site.
    Phones,
    /// Machines that talk with the server and are no callers: `[[peer]]`.
    Peers,
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
    /// The administrator may want to reach it, nobody else may.
    #[serde(rename = "optional-admin")]
    OptionalAdmin,
}

impl Level {
    /// Nobody but the administrator may reach it.
    pub fn is_admins(self) -> bool {
        matches!(self, Self::Admin | Self::OptionalAdmin)
    }

    /// No call and nobody's work hangs on it.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Optional | Self::OptionalAdmin)
    }
}

/// Somebody reaches somebody by some ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Name within the instance: `media-udp`.
    pub id: String,
    /// Part of a call that it belongs to.
    pub leg: LegKind,
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
    /// Several instances on a host can share it: a reverse proxy.
    pub shared: bool,
    /// Features without which it would not be there.
    pub when: Vec<String>,
    /// Key of `with` that changes the ports.
    pub parameter: String,
    /// The ports are only an example of the document; this installation has others, and nothing is judged by these.
    pub example: bool,
    /// Where the product shows the ports of an installation.
    pub shown: Option<String>,
    /// What a reverse proxy can answer in place of the server.
    pub proxied: Option<Proxied>,
    /// Ports that each participant of a call takes.
    pub per_participant: Option<u16>,
    /// Who sends first, where `from` says too little: `the other nodes`.
    pub who: Option<String>,
    /// What its document calls it: the description of a forward.
    pub label: Option<String>,
    /// What other texts of the product say about it.
    pub note: Option<Advice>,
    /// What it is for.
    pub purpose: String,
    /// Document and key.
    pub source: String,
}

impl Requirement {
    /// Protocol and ports: `udp 50000-60000`. An example of a document is nobody's port, and is not shown as one.
    pub fn what(&self) -> String {
        if self.example {
            return format!("{} {NOT_STATED}", self.proto.name());
        }
        format!("{} {}", self.proto.name(), show_ranges(&self.ports))
    }

    /// How to say which ports these are, where nobody stated them.
    pub fn state_ports(&self) -> String {
        let shown = self.shown.as_ref().map_or_else(String::new, |s| format!(" ({s} shows them)"));
        format!("state them in its [[deploy]] table: `with = {{ {} = … }}`{shown}", self.parameter)
    }

    /// Number of ports.
    pub fn count(&self) -> u32 {
        self.ports.iter().map(|(lo, hi)| u32::from(*hi) - u32::from(*lo) + 1).sum()
    }

    /// Participants for whom the ports suffice; nothing when all share one port.
    pub fn capacity(&self) -> Option<u32> {
        let each = u32::from(self.per_participant?.max(1));
        Some(self.count() / each).filter(|_| self.count() > each)
    }

    /// The range is used up before two participants have their ports.
    pub fn too_small(&self) -> bool {
        self.per_participant.is_some_and(|each| self.count() > 1 && self.count() < 2 * u32::from(each))
    }

    /// Who sends first, for people.
    pub fn sender(&self) -> &str {
        match (&self.who, self.from) {
            (Some(who), _) => who,
            (None, Party::Callers) => "everyone who calls",
            (None, Party::Phones) => "phones in networks of the site",
            (None, Party::Peers) => "machines that use it",
            (None, Party::Admin) => "you, the administrator",
            (None, Party::Server) => "the server, outwards",
            (None, Party::Internet) => "services on the internet",
        }
    }

    /// The level for those who ask from there.
    pub fn level_at(&self, vantage: &Where) -> Level {
        let here = self.at.is_empty() || self.at.iter().any(|a| a == vantage.kind());
        if here { self.level } else { Level::Optional }
    }
}
