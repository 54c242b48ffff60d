//! `callpath.toml`: what stands between the internet and the servers, and what runs on them.
//!
//! [`parse`] checks everything that can be checked without the files that the manifest names. Every value keeps its
//! place in the text, so that later errors can point at it too.

pub(crate) mod change;
mod facts;
mod first;
mod kernel;
mod models;
mod raw;
mod read;
mod route;
mod secrets;
mod traffic;
mod value;
mod vocabulary;

pub use crate::vocabulary::{Place, PortRanges, Proto, show_ranges};
pub use facts::{Admin, NameAt, OwnFirewall, Proxy, ProxyAt, Told, ToldTo};
pub use first::First;
pub use models::Model;
pub use route::StatedRoute;
pub use secrets::without_secrets;
pub use traffic::{Entry, Source, Traffic};
pub use value::parse_ports;
pub(crate) use vocabulary::WORDS;

use crate::dialect::kernel::Facts;
use crate::model::Family;
use crate::profile::{Answers, Ice};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

/// A value and its place in the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the manifest.
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// The same place with another value.
    pub fn with<U>(&self, value: U) -> At<U> {
        At { value, span: self.span.clone() }
    }

    /// An error at this place.
    pub fn error(&self, message: impl Into<String>) -> InputError {
        InputError::in_manifest(self.span.clone(), message)
    }
}

/// A checked manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The site's name.
    pub name: Option<At<String>>,
    /// Public addresses; the first of each family is meant where none is named.
    pub address: Vec<At<IpAddr>>,
    /// Places where the name leads elsewhere, at most one address of each family.
    pub dns: Vec<(At<Place>, Vec<At<IpAddr>>)>,
    /// From where the site is administered; absent: not judged.
    pub admin: Option<At<Admin>>,
    /// Routers and firewalls, from the internet inwards.
    pub gateways: Vec<Gateway>,
    /// Networks from which people call, beside those that follow from interfaces.
    pub nets: Vec<Net>,
    /// Machines that talk with a server and are no callers.
    pub peers: Vec<Peer>,
    /// Routers of callers on the internet; the label is the caller's name.
    pub callers: Vec<Gateway>,
    /// Installed products; at least one.
    pub deploys: Vec<Deploy>,
}

/// A router or firewall.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The whole table's place.
    pub span: Range<usize>,
    /// Name for reports.
    pub label: Option<At<String>>,
    /// Name of the further line to the internet that it ends; absent: it is on the way in of the site's address.
    pub line: Option<At<String>>,
    /// How it is known.
    pub kind: GatewayKind,
}

/// How a gateway is known.
#[derive(Debug, Clone)]
pub enum GatewayKind {
    /// From its configuration.
    Read {
        /// Configuration files as the manifest names them.
        files: Vec<At<String>>,
        /// Files that are loaded when it starts, where `files` say what is in force.
        boot: Vec<At<String>>,
        /// Address of the outer interface.
        wan: Option<At<IpAddr>>,
        /// Interfaces with addresses, as stated.
        interfaces: Vec<StatedInterface>,
        /// Routes, as stated.
        routes: Vec<At<StatedRoute>>,
        /// What its aliases and tables hold, as stated: addresses and networks.
        aliases: Vec<StatedAlias>,
        /// Settings of its kernel, as stated.
        kernel: Facts,
    },
    /// As its owner states.
    Stated(StatedBox),
    /// A filter that translates nothing.
    Filter(Filter),
}

/// A box that translates, as its owner states it.
#[derive(Debug, Clone)]
pub struct StatedBox {
    /// Outer address; absent: the public one, or the one that the box before it forwards to.
    pub wan: Option<At<IpAddr>>,
    /// Inner addresses, at least one.
    pub inside: Vec<At<IpNet>>,
    /// What it forwards.
    pub forwards: At<Traffic>,
    /// It turns calls from inside to its public address back in; not stated: not known.
    pub hairpin: Option<bool>,
    /// How its own pages call all this.
    pub words: &'static Model,
}

/// A filter that translates nothing: a provider's firewall, a security group.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What it lets in.
    pub passes: Passes,
    /// What it lets out.
    pub out: At<Traffic>,
    /// It lets answers pass by themselves.
    pub tracks: bool,
    /// What it stands before; absent: everything behind it.
    pub guards: Option<Vec<At<IpNet>>>,
    /// A key that is stated beside its configuration, which says it too.
    pub beside: Option<At<&'static str>>,
}

/// How it is known what a filter lets in.
#[derive(Debug, Clone)]
pub enum Passes {
    /// As its owner states.
    Stated(At<Traffic>),
    /// From its configuration.
    Files(Vec<At<String>>),
}

/// An interface's name, and its addresses as far as they are known.
pub type StatedInterface = (At<String>, Vec<At<IpNet>>);

/// An alias, and what it holds.
pub type StatedAlias = (At<String>, Vec<IpNet>);

/// A network from which people call.
#[derive(Debug, Clone)]
pub struct Net {
    /// Name without `net:`.
    pub name: At<String>,
    /// Its addresses.
    pub prefixes: Vec<At<IpNet>>,
    /// Interface of the gateway that leads to it.
    pub behind: Option<At<String>>,
    /// It is a tunnel, or it is none; absent: nobody says.
    pub tunnel: Option<At<bool>>,
}

/// A machine that talks with a server and is no caller: a trunk, another node, a backup target.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Name without `peer:`.
    pub name: At<String>,
    /// Its addresses.
    pub address: Vec<At<IpNet>>,
    /// Rows of the product that it uses.
    pub uses: Vec<At<String>>,
}

/// An installed product.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// The whole table's place.
    pub span: Range<usize>,
    /// Profile name.
    pub system: At<String>,
    /// Name for reports; the system's when not given.
    pub label: At<String>,
    /// Own addresses, at most one of each family.
    pub host: Vec<At<IpAddr>>,
    /// Public addresses, where they are not the first of the site, at most one of each family.
    pub address: Vec<At<IpAddr>>,
    /// Mode of installation.
    pub mode: Option<At<String>>,
    /// Ports that differ from the profile's.
    pub with: BTreeMap<String, (Range<usize>, At<PortRanges>)>,
    /// Features switched on.
    pub on: Vec<At<String>>,
    /// Features switched off.
    pub off: Vec<At<String>>,
    /// Places from which people call; absent: all.
    pub clients: Option<Vec<At<Place>>>,
    /// Addresses from which it is administered: those that `admin_from` names, and those of networks that it names.
    pub admin: Vec<At<IpNet>>,
    /// From where it is administered, as stated here or for the whole site.
    pub admin_from: Option<At<Admin>>,
    /// Files of the server's own firewall.
    pub firewall: Vec<At<String>>,
    /// Files that are loaded when it starts, where `firewall` says what is in force.
    pub boot: Vec<At<String>>,
    /// Settings of its kernel, as stated.
    pub kernel: Facts,
    /// What is stated of its own firewall in place of files.
    pub own_firewall: Option<At<OwnFirewall>>,
    /// Files of the host.
    pub config: Vec<At<String>>,
    /// Where pages and signalling are answered, if not by the product's own host.
    pub proxy: Option<At<Proxy>>,
    /// Which address it tells whom; absent: as its profile says.
    pub told: Vec<(At<Place>, At<Vec<Told>>)>,
    /// The server's interface.
    pub interface: Option<At<String>>,
    /// Which kind of ICE agent it is, where that differs from the profile.
    pub ice: Option<At<Ice>>,
    /// Whether its clients know a STUN server, where that differs from the profile.
    pub stun: Option<At<bool>>,
    /// Where it sends media without ICE, where that differs from the profile.
    pub answers: Option<At<Answers>>,
    /// Networks that it counts as local; absent: its own.
    pub local: Option<Vec<At<IpNet>>>,
}

impl Gateway {
    /// The files that it names.
    pub fn files(&self) -> impl Iterator<Item = &At<String>> {
        let (files, boot): (&[_], &[_]) = match &self.kind {
            GatewayKind::Read { files, boot, .. } => (files, boot),
            GatewayKind::Filter(Filter { passes: Passes::Files(files), .. }) => (files, &[]),
            GatewayKind::Stated(_) | GatewayKind::Filter(_) => (&[], &[]),
        };
        files.iter().chain(boot)
    }
}

impl Deploy {
    /// Its own address of a family.
    pub fn own(&self, family: Family) -> Option<IpAddr> {
        self.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family)
    }

    /// The files that it names.
    pub fn files(&self) -> impl Iterator<Item = &At<String>> {
        self.firewall.iter().chain(&self.boot).chain(&self.config)
    }
}

impl Manifest {
    /// All files that the manifest names, each once.
    pub fn files(&self) -> Vec<&At<String>> {
        let gateways = self.gateways.iter().chain(&self.callers).flat_map(Gateway::files);
        let mut all: Vec<&At<String>> = Vec::new();
        for file in gateways.chain(self.deploys.iter().flat_map(Deploy::files)) {
            if all.iter().all(|f| f.value != file.value) {
                all.push(file);
            }
        }
        all
    }
}

impl Manifest {
    /// What is named at this place is a host's file, which may be of a kind that is not read yet.
    pub fn is_service_file(&self, span: &Range<usize>) -> bool {
        self.deploys.iter().flat_map(|d| &d.config).any(|f| f.span == *span)
    }
}

/// Reads and checks a manifest.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str) -> Result<Manifest, InputError> {
    read::manifest(text)
}

/// The JSON schema of the manifest, for editors.
pub fn schema() -> String {
    let schema = schemars::schema_for!(raw::Manifest);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// The candidate most like a word, if one is like it at all.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(word, c), c))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// Help for a name that is not among the known ones.
pub fn known_names<'a>(word: &str, what: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list: Vec<&str> = known.clone().into_iter().collect();
    if let Some(like) = did_you_mean(word, known) {
        return format!("did you mean `{like}`?");
    }
    if list.is_empty() { format!("there are no {what}") } else { format!("{what}: {}", list.join(", ")) }
}

#[cfg(test)]
mod tests;
