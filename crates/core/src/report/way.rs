//! The way of a packet, what stops it, and where the statements stand that do.

use schemars::JsonSchema;
use serde::Serialize;

/// Where and why packets stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stop {
    /// `dropped`, `rejected`, `no-route`, `own-address`, `nobody-listens`, `other-host`, `other-port`,
    /// `wrong-source`, `martian-source`, `martian-destination`, `not-unicast`, `not-forwarding`, `no-neighbour`,
    /// `loop`, `unknown`.
    pub kind: &'static str,
    /// Which packet: `request`, `reply`, `next`.
    pub packet: &'static str,
    /// Device.
    pub device: String,
    /// Hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<&'static str>,
    /// What happens, in a sentence about one such packet.
    pub what: String,
    /// The rule or policy that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// All other rules that end packets of these, by file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Rules>,
}

/// Rules of one file, by their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rules {
    /// File.
    pub source: String,
    /// How many they are.
    pub count: usize,
    /// Their lines as ranges, `4-1003,1010`: every line of a range is such a rule.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lines: String,
    /// Their handles as ranges, where the file has no lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub handles: String,
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DoubtLine {
    /// What.
    pub what: String,
    /// What to supply; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub supply: String,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Something that happened to a packet on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// Which packet: `request`, `reply`, `next`.
    pub packet: &'static str,
    /// Device.
    pub device: String,
    /// Hook; absent where it arrives or leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<&'static str>,
    /// `sends`, `arrives by wan0`, `rule`, `policy accept`, `policy drop`, `leaves by lan0`, …
    pub action: String,
    /// Addresses at that point: `caller -> 203.0.113.5:50000`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header: String,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Where a statement stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Origin {
    /// File.
    pub source: String,
    /// Line, from 1, where the source has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Object that holds it: `table inet filter, chain forward`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// Its handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<u64>,
    /// The statement itself, one line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Origin {
    /// `ruleset.nft:31`, or the object and handle.
    pub fn place(&self) -> String {
        match (self.line, self.handle) {
            (Some(line), _) => format!("{}:{line}", self.source),
            (None, Some(handle)) => format!("{}, {}, handle {handle}", self.source, self.object),
            (None, None) if self.source.is_empty() => self.object.clone(),
            (None, None) if self.object.is_empty() => self.source.clone(),
            (None, None) => format!("{}, {}", self.source, self.object),
        }
    }
}
