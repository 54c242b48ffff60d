//! What has to become true on a device, in words of the model, and what a dialect prints for it.

mod patch;
mod text;

pub use patch::{Edits, Patch, apply, steps};
pub use text::{TextChange, TextEdit};
pub(crate) use text::{added, join};

use crate::model::{Family, OriginId};
use crate::vocabulary::Proto;
use ipnet::IpNet;
use std::net::IpAddr;

/// Something that a device does not do yet and should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub intent: Intent,
    /// An existing statement that is nearly it, or that stands in its way; the dialect edits it where it can.
    pub nearest: Option<OriginId>,
    /// The statement that decides today: a rule, or the end of a chain.
    pub deciding: Option<OriginId>,
    /// What it is for, as people will read it in the rule's description: `Spokes LiveKit UDP`.
    pub name: String,
}

/// A network as configurations name it: one address without its length.
pub(crate) fn network(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.trunc().to_string() }
}

/// A text as one word of a POSIX shell, whatever it holds (POSIX.1-2024, Shell Command Language, 2.2.2).
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Packets of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packets {
    /// Family.
    pub family: Family,
    /// Protocol.
    pub proto: Proto,
    /// Destination ports, closed ranges.
    pub ports: Vec<(u16, u16)>,
    /// Only from these senders; empty: from everybody.
    pub from: Vec<IpNet>,
    /// Device interfaces by which they come; none: any.
    pub in_ifaces: Vec<Box<str>>,
    /// Device interface by which they leave; absent: any, or the device itself is meant.
    pub out_iface: Option<Box<str>>,
}

/// The closed set of intents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// What comes for `address` goes on to `to`, to the same ports unless one is named. Includes that filters let it pass.
    Forward {
        /// Packets as they arrive; their ports are what is asked outside.
        packets: Packets,
        /// Address that is asked.
        address: IpAddr,
        /// Host inside.
        to: IpAddr,
        /// The one port there, where it is another than the one that is asked.
        port: Option<u16>,
        /// They come from inside, to the public address.
        hairpin: bool,
    },
    /// Packets for a host pass the device's filters, in this hook or at the end of this chain.
    Allow {
        /// Packets as the filter sees them.
        packets: Packets,
        /// Their destination.
        to: IpAddr,
        /// For the device itself, not through it.
        input: bool,
    },
    /// Answers to packets that were let in pass the device's filters.
    AllowAnswers {
        /// Family.
        family: Family,
        /// For the device itself, not through it.
        input: bool,
    },
    /// Packets that were turned back inside leave with the device's own address, so that answers return by it.
    SourceNat {
        /// Packets as they leave, to the host.
        packets: Packets,
        /// The host.
        to: IpAddr,
    },
    /// What these hosts send out by an interface leaves with this address, or with that of the interface.
    Outbound {
        /// The hosts: one, or a network.
        from: IpNet,
        /// The interface by which they leave.
        out: Box<str>,
        /// The address; absent: the interface's own.
        to: Option<IpAddr>,
    },
    /// Answers leave by the interface by which their questions came.
    AnswersBack {
        /// Family.
        family: Family,
        /// That interface.
        came: Box<str>,
        /// The device's own address there, where it is the one that is asked.
        own: Option<IpAddr>,
    },
    /// What was forwarded to a host leaves with the device's own address, so that answers return by it.
    Masked {
        /// The host.
        to: IpAddr,
        /// The interface by which it leaves.
        out: Box<str>,
    },
    /// No helper of connection tracking gets these packets: the statement that gives them away goes.
    NoHelper {
        /// Protocol.
        proto: Proto,
        /// Destination ports, closed ranges.
        ports: Vec<(u16, u16)>,
    },
    /// Nobody from outside reaches these ports of a host.
    Close {
        /// Packets as they arrive; their ports are what is asked outside.
        packets: Packets,
        /// Address that is asked.
        address: IpAddr,
        /// Host inside.
        to: IpAddr,
        /// Ports there.
        inside: Vec<(u16, u16)>,
        /// These senders still may.
        except: Vec<IpNet>,
    },
}

/// A dialect's form of a list of wanted things.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Printed {
    /// The file as it would be after the change.
    pub text: String,
    /// What to do, in the words of the firewall's own tool.
    pub steps: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
}

/// One step for a person: where, and what to type or choose there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Step {
    /// The page, or how to run the lines.
    pub place: String,
    /// What to enter, choose or run.
    pub lines: Vec<String>,
    /// It ends with "Save".
    pub save: bool,
    /// What kind of step it is.
    #[serde(skip)]
    pub kind: StepKind,
}

/// What kind of step it is: reports join some, and leave some out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StepKind {
    /// By hand, in words.
    #[default]
    Hand,
    /// On this page of a firewall's own user interface.
    Page(String),
    /// What was saved on a page takes effect.
    Apply,
    /// The lines are for one shell, as they are; this prints them alone.
    Shell(&'static str),
    /// In the manifest: what was done on a box is written down.
    Manifest,
}

impl Step {
    /// A step by hand.
    pub fn by_hand(place: impl Into<String>, lines: Vec<String>) -> Self {
        Self { place: place.into(), lines, save: false, kind: StepKind::Hand }
    }

    /// What prints the lines alone, where they are for one shell.
    pub fn shell(&self) -> Option<&'static str> {
        match self.kind {
            StepKind::Shell(prints) => Some(prints),
            _ => None,
        }
    }
}

/// How a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// The smallest edit.
    #[default]
    Least,
    /// What stands there stays as it is for everybody who uses it; something is added beside it.
    Beside,
}

/// What a dialect may use for names and descriptions.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Name that people outside ask for.
    pub name: Option<String>,
    /// Public address.
    pub address: Option<IpAddr>,
    /// What the product calls an alias for it.
    pub alias: Option<String>,
    /// The public address is on another router in front.
    pub second_router: bool,
    /// How it is done.
    pub manner: Manner,
}

/// A change for one wanted thing, and the places that it is about, each with a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The change.
    pub patch: Patch,
    /// Places in the file.
    pub marks: Vec<(crate::model::SourceSpan, MarkRole)>,
}

/// What a statement is to the gap that is told, or what its dialect says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkRole {
    /// It is nearly what is wanted.
    Nearest,
    /// Before it goes what is wanted.
    Place,
    /// It decides.
    Decides,
    /// It is a setting of an object, by this name.
    Setting(String),
    /// It is what was stated of a box.
    Stated,
    /// It leads past the rule that would let the packets pass.
    LeadsPast,
    /// In words of the dialect: how its owner described what stands there, and what is said about it.
    Named(String, String),
    /// In words of the dialect.
    Told(String),
}

/// Why a dialect cannot print something: for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);
