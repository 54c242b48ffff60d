//! Words that several rooms use: who calls from where, ports of a protocol, and lists in a sentence. What a report prints
//! of them is a name that programs may read.

use crate::cube::Set;
use crate::model::ChainId;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::fmt::{self, Display};

/// Transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Proto {
    /// IANA protocol number.
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Port ranges, both ends included, sorted and disjoint.
pub type PortRanges = Vec<(u16, u16)>;

/// Closed ranges of ports or other numbers as people write them: `7881`, `50000-60000`.
pub fn show_ranges<T: Display + PartialEq>(ranges: &[(T, T)]) -> String {
    let show = |(lo, hi): &(T, T)| if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") };
    ranges.iter().map(show).collect::<Vec<_>>().join(",")
}

/// Where a caller is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Anywhere on the internet.
    Internet,
    /// The server's own network.
    Lan,
    /// Another inner network.
    Net(String),
    /// The server itself.
    Own,
    /// A caller on the internet whose router is described.
    Caller(String),
    /// Where the administrator is.
    Admin,
    /// A machine that is no caller.
    Peer(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Internet => f.write_str("internet"),
            Self::Lan => f.write_str("lan"),
            Self::Net(name) => write!(f, "net:{name}"),
            Self::Caller(name) => write!(f, "caller:{name}"),
            Self::Own => f.write_str("self"),
            Self::Admin => f.write_str("admin"),
            Self::Peer(name) => write!(f, "peer:{name}"),
        }
    }
}

/// From where a path is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Where {
    /// A place of the manifest.
    At(Place),
    /// The server, on its own way out.
    Outwards,
}

impl Where {
    /// What kind of place it is, without the name: `net`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::At(Place::Internet) => "internet",
            Self::At(Place::Lan) => "lan",
            Self::At(Place::Net(_)) => "net",
            Self::At(Place::Caller(_)) => "caller",
            Self::At(Place::Own) => "self",
            Self::At(Place::Admin) => "admin",
            Self::At(Place::Peer(_)) => "peer",
            Self::Outwards => "server",
        }
    }

    /// These are calls; else it is the administrator, a machine, or the server on its own way out.
    pub fn calls(&self) -> bool {
        !matches!(self, Self::At(Place::Admin | Place::Peer(_)) | Self::Outwards)
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(place) => place.fmt(f),
            Self::Outwards => f.write_str(self.kind()),
        }
    }
}

/// As it is printed.
impl PartialEq<str> for Where {
    fn eq(&self, printed: &str) -> bool {
        let own = self.to_string();
        own == printed
    }
}

impl PartialEq<&str> for Where {
    fn eq(&self, printed: &&str) -> bool {
        *self == **printed
    }
}

impl Serialize for Where {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A public address of their own, nothing in between.
    Public,
    /// A home router: endpoint-independent mapping, address-and-port-dependent filtering, silent to strangers.
    Home,
    /// A mobile or corporate network: every conversation has a port of its own.
    Symmetric,
    /// A network that lets no UDP out.
    UdpBlocked,
    /// Inside: a program that shows its own addresses, such as a browser that may use the microphone.
    App,
    /// Inside: a browser that may not use the microphone yet, and hides its addresses (mDNS names).
    Listening,
}

impl CallerKind {
    /// Name in path ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Home => "home",
            Self::Symmetric => "symmetric",
            Self::UdpBlocked => "udp-blocked",
            Self::App => "app",
            Self::Listening => "listening",
        }
    }
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who sends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Opener {
    /// Who calls.
    Caller,
    /// The server.
    Server,
    /// The administrator.
    Admin,
    /// A machine that is no caller.
    Peer,
}

/// Part of a call that a row of a profile belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LegKind {
    /// Voice and video.
    Media,
    /// The same, through the product's relay.
    Relay,
    /// What tells a server its own address.
    Address,
    /// Another one, by the name that the profile gives it: `signal`. Empty for what nobody may reach.
    Other(String),
}

impl LegKind {
    /// By its name in a profile.
    pub fn of(name: &str) -> Self {
        match name {
            "media" => Self::Media,
            "relay" => Self::Relay,
            "address" => Self::Address,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Media => "media",
            Self::Relay => "relay",
            Self::Address => "address",
            Self::Other(name) => name,
        }
    }

    /// Voice and video, by themselves or through a relay: for these a server tells ports and an address.
    pub fn carries_media(&self) -> bool {
        matches!(self, Self::Media | Self::Relay)
    }
}

/// As it is printed.
impl PartialEq<&str> for LegKind {
    fn eq(&self, printed: &&str) -> bool {
        self.name() == *printed
    }
}

impl Serialize for LegKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// What leaves it open how packets fare, beside the doubts of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undecided {
    /// A rule of a device asks for bits of addresses in too many places.
    TooScattered(usize),
    /// The rules of a device fall into too many cases; the chain at which it stopped.
    TooMuch(usize, ChainId),
    /// Too many unknown statements of a device at once.
    TooManyDoubts(usize),
    /// Where a program on a device sends connections that it takes.
    Program(usize),
    /// Whether a provider passes on what a device sends from an address of another line.
    Provider {
        /// The device.
        device: usize,
        /// Its interface by which questions come.
        came: usize,
        /// Its interface by which answers leave.
        leaves: usize,
    },
    /// Which address a device chooses.
    Address(usize),
    /// Which packets a device takes for one session.
    Session(usize),
    /// Which port a device chooses.
    Port(usize),
    /// Which side sends first.
    WhoFirst,
}

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

/// As it is printed.
impl PartialEq<&str> for PortSet {
    fn eq(&self, printed: &&str) -> bool {
        let own = self.to_string();
        own == *printed
    }
}

impl Serialize for PortSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Ranges of ports as a set.
pub(crate) fn port_set(ranges: &[(u16, u16)]) -> Set {
    Set::from_ranges(ranges.iter().map(|(lo, hi)| (u128::from(*lo), u128::from(*hi))))
}

/// Ports of a set as ranges.
pub(crate) fn port_ranges(set: &Set) -> PortRanges {
    let port = |v: u128| u16::try_from(v).unwrap_or(u16::MAX);
    set.ranges().iter().map(|(lo, hi)| (port(*lo), port(*hi))).collect()
}

/// Ports of a set, as text.
pub(crate) fn show_set(set: &Set) -> String {
    show_ranges(&port_ranges(set))
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
