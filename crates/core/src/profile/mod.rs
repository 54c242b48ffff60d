//! Products as data: which ports each needs, why, and what it tells its clients.
//!
//! A profile is a file in `profiles/`; [`PROFILES`] lists them all. A profile can build on another, its `base`.

mod base;
mod expand;
pub mod overlap;

pub use base::parse;
pub use expand::{Instance, apply, instance};

use crate::manifest::Proto;
use crate::requirement::{Level, Party};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Every profile: name and text.
pub const PROFILES: &[(&str, &str)] = &[
    ("livekit", include_str!("../../../../profiles/livekit.toml")),
    ("spokes", include_str!("../../../../profiles/spokes.toml")),
    ("reflector", include_str!("../../../../profiles/reflector.toml")),
    ("plugnmeet", include_str!("../../../../profiles/plugnmeet.toml")),
    ("difuse", include_str!("../../../../profiles/difuse.toml")),
    ("nethvoice", include_str!("../../../../profiles/nethvoice.toml")),
];

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
    /// The profile that it builds on: what is not said here is taken from there.
    pub base: Option<String>,
    /// Rows of the base, by id, that it does not have.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Name that its document gives to a firewall's alias for the public address.
    pub alias: Option<String>,
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
    /// What depends on the server reaching itself by its own public name or address.
    #[serde(rename = "self")]
    pub itself: Option<Advice>,
    /// Why the router must turn calls from inside to the public address back in.
    pub hairpin: Option<Advice>,
    /// Its document wants the helpers (ALG) of routers switched off: what it says about them. Packets of such a product
    /// that a rule gives to a helper are not known to work.
    pub helper: Option<Advice>,
    /// What else is to be set on the server.
    #[serde(default)]
    pub advice: Vec<Advice>,
    /// Where other texts of the product say something else, and belongs to no row.
    #[serde(default)]
    pub note: Vec<Advice>,
    /// What no answer can be given about, and why.
    #[serde(default)]
    pub not_judged: Vec<String>,
}

/// A way to install it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Name in manifests.
    pub name: String,
    /// Other words for it: an installer's flags.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it means.
    pub about: String,
    /// The server itself holds the public address: what this product then does about its own firewall.
    pub holds_address: Option<HoldsAddress>,
    /// Pages come without TLS in this mode: what browsers then refuse.
    pub plain_http: Option<String>,
    /// Document and key.
    pub source: String,
}

/// What a product does about the firewall of a server that holds the public address itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldsAddress {
    /// It opens every port that it needs by itself, whichever these are.
    OpensItself,
    /// Nothing is known: the firewall is to be given like any other.
    Unknown,
}

/// Ports that a deployment can change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name in `with`.
    pub name: String,
    /// Ports unless the manifest says otherwise.
    pub default: String,
    /// The default is only an example of the document: every installation has others.
    #[serde(default)]
    pub example: bool,
    /// Where the product shows those of an installation, when the default is only an example.
    pub shown: Option<String>,
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
    /// Instances on one host can share it.
    #[serde(default)]
    pub shared: bool,
    /// What a reverse proxy can answer in place of the server.
    pub proxied: Option<Proxied>,
    /// Ports that each participant of a call takes.
    pub per_participant: Option<u16>,
    /// Who sends first, where `from` says too little.
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

/// What clients are told about where media goes: the public IPv4 address, and the server's own IPv6 address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Where they read it.
    pub by: ToldBy,
    /// Which kind of ICE agent the server is (RFC 8445 2.5); absent without ICE.
    pub ice: Option<Ice>,
    /// Clients know a STUN server, so that they can tell their public address.
    #[serde(default)]
    pub stun: bool,
    /// Where the server sends media without ICE.
    pub answers: Option<Answers>,
    /// Callers in networks that the server counts as local are told its own address.
    #[serde(default)]
    pub own_inside: bool,
    /// What the product calls its list of local networks, where its document says so.
    pub local_setting: Option<String>,
    /// What the product calls the setting, where its document says so.
    pub setting: Option<String>,
    /// In a sentence.
    pub about: String,
    /// Document and key.
    pub source: String,
}

/// A statement with its source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// In a sentence.
    pub about: String,
    /// Document and key.
    pub source: String,
}

/// Where clients read the address for media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToldBy {
    /// In ICE candidates (RFC 8445).
    Ice,
    /// In the SDP's connection line (RFC 8866 5.7), without ICE.
    Sdp,
}

/// Where a server without ICE sends media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// To the source that it sees (`rtp_symmetric` of Asterisk, what rtpengine does unless told otherwise).
    Source,
    /// To the address in the caller's SDP.
    Sdp,
}

/// What a reverse proxy answers. Media is never among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxied {
    /// Pages and signalling, on the port that people type.
    Pages,
    /// What comes with them on a port of its own: redirects, certificates.
    Beside,
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

/// A profile by name, with what it takes from its base.
pub fn find(name: &str) -> Option<Profile> {
    // The texts are part of the program; a test reads every one of them.
    base::read(name).ok()
}

#[cfg(test)]
mod documents;
#[cfg(test)]
mod tests;
