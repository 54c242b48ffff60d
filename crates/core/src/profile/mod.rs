//! Products as data: which ports each needs, why, and what it tells its clients.
//!
//! A profile is a file in `profiles/`; [`PROFILES`] lists them all.

mod expand;

pub use expand::{Instance, instance};

use crate::manifest::Proto;
use crate::requirement::{Level, Party};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Every profile: name and text.
pub const PROFILES: &[(&str, &str)] = &[("livekit", include_str!("../../../../profiles/livekit.toml"))];

/// A product's description.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name in manifests.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What it is, in a line.
    pub about: String,
    /// Documents by short name; `source` fields begin with one of these names.
    pub documents: BTreeMap<String, String>,
    /// Ways to install it, the default first.
    pub mode: Vec<Mode>,
    /// Ports that a deployment can change.
    pub parameter: Vec<Parameter>,
    /// What can be switched on or off.
    #[serde(default)]
    pub feature: Vec<Feature>,
    /// What it needs.
    pub row: Vec<Row>,
    /// What clients are told.
    pub told: Told,
}

/// A way to install it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Name in manifests.
    pub name: String,
    /// What it means.
    pub about: String,
    /// Document and key.
    pub source: String,
}

/// Ports that a deployment can change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name in `with`.
    pub name: String,
    /// Ports unless the manifest says otherwise.
    pub default: String,
    /// What they are for.
    pub about: String,
    /// Document and key.
    pub source: String,
}

/// Something that can be switched on or off.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Name in `on` and `off`.
    pub name: String,
    /// On unless the manifest says otherwise.
    pub default: bool,
    /// What it means.
    pub about: String,
    /// Document and key.
    pub source: String,
}

/// A requirement before parameters and features are known. Fields as in [`crate::requirement::Requirement`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Name.
    pub id: String,
    /// Part of a call.
    #[serde(default)]
    pub leg: String,
    /// Group of alternatives.
    pub any_of: Option<String>,
    /// Who sends first.
    pub from: Party,
    /// Who is asked.
    pub to: Party,
    /// Protocol.
    pub proto: Proto,
    /// Name of the parameter that holds the ports.
    pub ports: String,
    /// How much it matters.
    pub level: Level,
    /// Places for whose callers it matters that much.
    #[serde(default)]
    pub at: Vec<String>,
    /// Only in these modes.
    #[serde(default)]
    pub mode: Vec<String>,
    /// Only with all these features.
    #[serde(default)]
    pub when: Vec<String>,
    /// Bound only while a call lasts.
    #[serde(default)]
    pub on_demand: bool,
    /// Instances on one host can share it.
    #[serde(default)]
    pub shared: bool,
    /// What it is for.
    pub purpose: String,
    /// Document and key.
    pub source: String,
}

/// What clients are told about where media goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Which address.
    pub address: ToldAddress,
    /// Which kind of ICE agent the server is (RFC 8445 2.5).
    pub ice: Ice,
    /// In a sentence.
    pub about: String,
    /// Document and key.
    pub source: String,
}

/// Which address clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToldAddress {
    /// The public IPv4 address, and the server's own IPv6 address.
    Public,
}

/// Kinds of ICE agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ice {
    /// Sends connectivity checks itself.
    Full,
    /// Only answers them.
    Lite,
}

/// A profile by name.
pub fn find(name: &str) -> Option<Profile> {
    let (_, text) = PROFILES.iter().find(|(n, _)| *n == name)?;
    // The texts are part of the program; a test reads every one of them.
    toml::from_str(text).ok()
}

#[cfg(test)]
mod tests;
