//! The way of a packet as it is told, what stops it, and where the statements stand that do.

pub(crate) mod words;

use crate::manifest::show_ranges;
use crate::model::DoubtId;
use crate::trace::Phase;
use crate::vocabulary::Undecided;
use schemars::JsonSchema;
use serde::Serialize;

/// Where and why packets stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stop {
    /// How.
    pub kind: StopKind,
    /// Which packet: `request`, `reply`, `next`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub packet: Phase,
    /// Device.
    pub device: String,
    /// Hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<&'static str>,
    /// What happens, in a sentence about one such packet.
    pub what: String,
    /// Addresses of that packet there.
    #[serde(skip)]
    pub(crate) ends: Ends,
    /// The rule or policy that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// All other rules that end packets of these, by file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Rules>,
}

impl Stop {
    /// What is told by it, as data.
    pub(crate) fn reason(&self) -> Reason {
        let (device, ends, origin) = (self.device.clone(), self.ends.clone(), self.origin.clone());
        Reason::Stop(Box::new(StopReason {
            kind: self.kind,
            packet: self.packet,
            device,
            hook: self.hook,
            ends,
            origin,
        }))
    }
}

/// How packets stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopKind {
    /// A rule or the end of a chain drops them.
    Dropped,
    /// They are rejected.
    Rejected,
    /// No route leads on.
    NoRoute,
    /// A device takes them for itself.
    OwnAddress,
    /// They arrive where nothing is known to listen.
    NobodyListens,
    /// They arrive at another host.
    OtherHost,
    /// They arrive at another port than the one that clients were told.
    OtherPort,
    /// The answer comes from another address than the one that was asked.
    WrongSource,
    /// Their source cannot come from there.
    MartianSource,
    /// Their destination does not leave a host.
    MartianDestination,
    /// They are for several hosts.
    NotUnicast,
    /// A host does not pass packets on.
    NotForwarding,
    /// Nobody in a network has the address.
    NoNeighbour,
    /// They go in circles.
    Loop,
    /// A bridge does not send them back by the port that they came in by.
    SamePort,
    /// Answers to them would not leave by the interface that they came in by.
    ReversePath,
    /// What becomes of them is not known.
    Unknown,
}

/// Source and destination of a packet at some point: `caller -> 203.0.113.5:50000`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Ends {
    /// Source.
    pub from: End,
    /// Destination.
    pub to: End,
}

/// One end of a packet's way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct End {
    /// Address, or what it stands for.
    pub host: String,
    /// Port, where it says something.
    pub port: Option<String>,
    /// How both are written.
    pub form: EndForm,
}

/// How an end is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EndForm {
    /// `203.0.113.5:50000`
    #[default]
    Plain,
    /// `[2001:db8::5]:50000`
    Brackets,
    /// `the outer address of the router, port 50000`
    Words,
}

impl Ends {
    pub(crate) fn is_empty(&self) -> bool {
        self.from.host.is_empty() && self.to.host.is_empty()
    }
}

impl std::fmt::Display for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() { Ok(()) } else { write!(f, "{} -> {}", self.from, self.to) }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.port, self.form) {
            (None, _) => f.write_str(&self.host),
            (Some(port), EndForm::Plain) => write!(f, "{}:{port}", self.host),
            (Some(port), EndForm::Brackets) => write!(f, "[{}]:{port}", self.host),
            (Some(port), EndForm::Words) => write!(f, "{}, port {port}", self.host),
        }
    }
}

/// Why packets stop or may stop, as data: what two texts share that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// They stop so.
    Stop(Box<StopReason>),
    /// This decides, and is not known.
    Doubt(DoubtKey),
}

/// How and where packets stop, and what decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopReason {
    kind: StopKind,
    packet: Phase,
    pub(crate) device: String,
    hook: Option<&'static str>,
    pub(crate) ends: Ends,
    pub(crate) origin: Option<Origin>,
}

/// What a doubt is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DoubtKey {
    /// A doubt of a device.
    Of(usize, DoubtId),
    /// The choice of a device, and what like that is open.
    Undecided(Undecided),
    /// A fact of the site that is not stated.
    Site,
}

/// Rules of one file, by their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rules {
    /// File.
    pub source: String,
    /// How many they are.
    pub count: usize,
    /// Their lines as ranges, `4-1003,1010`: every line of a range is such a rule.
    #[serde(serialize_with = "words::ranges", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "String")]
    pub lines: Vec<(u128, u128)>,
    /// Their handles as ranges, where the file has no lines.
    #[serde(serialize_with = "words::ranges", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "String")]
    pub handles: Vec<(u128, u128)>,
}

impl Rules {
    /// The places of the first few, as `file:4-1003`; nothing where the file has no lines.
    pub(crate) fn first(&self, most: usize) -> Option<String> {
        let shown = self.lines.get(..most).unwrap_or(&self.lines);
        let more = if self.lines.len() > most { ",…" } else { "" };
        (!shown.is_empty()).then(|| format!("{}:{}{more}", self.source, show_ranges(shown)))
    }
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
    /// What it is about.
    #[serde(skip)]
    pub(crate) key: DoubtKey,
}

impl DoubtLine {
    /// A fact of the site that is not stated, and how to state it.
    pub(crate) fn of_site(what: String, supply: String) -> Self {
        Self { what, supply, origin: None, key: DoubtKey::Site }
    }
}

/// Something that happened to a packet on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// Which packet: `request`, `reply`, `next`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub packet: Phase,
    /// Device.
    pub device: String,
    /// Hook; absent where it arrives or leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<&'static str>,
    /// The hook is on the way out of the device.
    #[serde(skip)]
    pub(crate) outwards: bool,
    /// What.
    pub action: Action,
    /// Interface by which it arrives or leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Addresses at that point: `caller -> 203.0.113.5:50000`.
    #[serde(serialize_with = "words::shown", skip_serializing_if = "Ends::is_empty")]
    #[schemars(with = "String")]
    pub header: Ends,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// What happened to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Its sender sends it.
    Sends,
    /// It arrives by an interface.
    Arrives,
    /// It leaves by an interface.
    Leaves,
    /// A rule acts.
    Rule,
    /// A chain ends, and its policy is to accept.
    PolicyAccept,
    /// A chain ends, and its policy is to drop.
    PolicyDrop,
    /// It begins a session.
    NewSession,
    /// It belongs to a session.
    KnownSession,
    /// It answers in a session.
    KnownAnswer,
    /// It belongs to no session.
    FitsNoSession,
    /// A device takes it.
    Takes,
    /// A device drops it.
    Drops,
    /// A device rejects it.
    Rejects,
    /// A device has no route for it.
    NoRoute,
    /// A device refuses its addresses.
    RefusesAddresses,
    /// A device refuses it, because its answer would go another way.
    AnswerElsewhere,
    /// A bridge does not send it back by the same port.
    SamePort,
    /// It is for several hosts.
    NotUnicast,
    /// A host does not pass it on.
    NotForwarding,
    /// Nobody has the address.
    NoNeighbour,
    /// A device sees it again.
    Loop,
    /// What a device does is not known.
    MayDoAnything,
}

impl Action {
    /// What it says of a packet at its device.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Sends => "sends",
            Self::Arrives => "arrives",
            Self::Leaves => "leaves",
            Self::Rule => "rule",
            Self::PolicyAccept => "policy accept",
            Self::PolicyDrop => "policy drop",
            Self::NewSession => "new session",
            Self::KnownSession => "known session",
            Self::KnownAnswer => "known session, answer",
            Self::FitsNoSession => "fits no session",
            Self::Takes => "takes it",
            Self::Drops => "drops it",
            Self::Rejects => "rejects it",
            Self::NoRoute => "has no route",
            Self::RefusesAddresses => "refuses its addresses",
            Self::AnswerElsewhere => "refuses it: its answer would go another way",
            Self::SamePort => "does not send it back by the same port",
            Self::NotUnicast => "does not send it on: not a single host's address",
            Self::NotForwarding => "does not pass it on",
            Self::NoNeighbour => "finds nobody with that address",
            Self::Loop => "sees it again",
            Self::MayDoAnything => "may do anything to it",
        }
    }
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
