//! The parts of a call, the ways to do each, and the packets of a way by their fate.

use super::packets::{all_ports, by_senders};
use super::{DoubtLine, How, Packets, Reach, Share, Step, Stop, Verdict};
use crate::manifest::{PortRanges, Proto};
use crate::vocabulary::{LegKind, Opener};
use crate::way::{Reason, words};
use schemars::JsonSchema;
use serde::Serialize;

/// A part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Leg {
    /// `signal`, `media`, …
    #[schemars(with = "String")]
    pub kind: LegKind,
    /// Whom it goes to: the site's name or the address that clients are told.
    pub to: String,
    /// Verdict.
    pub verdict: Verdict,
    /// How media gets through; absent for other parts, and where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// Ways to do it, the preferred one first.
    pub any_of: Vec<Alternative>,
    /// Ways that do not apply to these callers, by the requirement's name: of UDP where their network blocks it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_for_them: Vec<String>,
}

/// A way to do a part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Alternative {
    /// Requirement's name.
    pub requirement: String,
    /// Protocol and ports: `udp 50000-60000`.
    pub what: String,
    /// Protocol.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub proto: Proto,
    /// Ports, as first and last of each range; empty where nobody stated them.
    pub ports: PortRanges,
    /// What it is for.
    pub purpose: String,
    /// Who sends first.
    pub opener: Opener,
    /// All pieces together.
    pub reach: Reach,
    /// Share of the ports that get through, when it is neither all nor none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// Ports by fate.
    pub pieces: Vec<Piece>,
}

/// Ports with the same fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Piece {
    /// The packets. No two pieces of an alternative have one in common, and together they are all of its.
    pub packets: Vec<Packets>,
    /// Fate.
    pub reach: Reach,
    /// Where a packet ends: device and address.
    pub ends_at: String,
    /// What stops it, unless it gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// What is not known and decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<DoubtLine>,
    /// Lists of addresses that are kept elsewhere, such as block lists: this holds for addresses on none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// The way of one such packet.
    pub steps: Vec<Step>,
}

impl Piece {
    /// Ports about which a fact is missing.
    pub(crate) fn unknown(ports: PortRanges, doubts: Vec<DoubtLine>) -> Self {
        Self {
            packets: vec![Packets::to(ports)],
            reach: Reach::Unknown,
            ends_at: String::new(),
            stop: None,
            doubts,
            except: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// All of its ports.
    pub(crate) fn ports(&self) -> PortRanges {
        all_ports(self.packets.iter())
    }

    /// Its ports, for a person.
    pub(crate) fn ports_shown(&self) -> String {
        Packets::to(self.ports()).ports_shown()
    }

    /// Its packets for a person: ports, with their senders where these are not everybody. The senders' own ports are told
    /// as a share.
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        by_senders(&self.packets)
            .into_iter()
            .map(|(ports, senders)| (Packets::to(ports).ports_shown(), senders.senders()))
            .collect()
    }

    /// What is told of it, as data.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match (&self.stop, self.doubts.first()) {
            (Some(stop), _) if self.reach != Reach::Unknown => Some(stop.reason()),
            (_, Some(doubt)) => Some(Reason::Doubt(doubt.key.clone())),
            _ => None,
        }
    }
}
