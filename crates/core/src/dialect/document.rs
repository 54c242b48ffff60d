//! What was read of a file, and what a device is made from.

use super::builder::DeviceBuilder;
use super::includes::EmptyInclude;
use super::interface::About;
use super::iproute::{DumpedRoute, DumpedRule};
use super::{kernel, pf};
use crate::change::Step;
use crate::model::{Device, Family, Interface, SourceId, SourceSpan};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

pub use pf::ast::Entry;

/// What was read of a file. Immutable, and shared by all devices that have it.
pub trait Document: fmt::Debug + Send + Sync {
    /// Its dialect.
    fn about(&self) -> &'static About;

    /// The files that it consists of, its own first.
    fn sources(&self) -> &[SourceId];

    /// How much of it is statements.
    fn statements(&self) -> usize {
        0
    }

    /// Whose packets it is about; none: it holds facts only.
    fn engine(&self) -> Option<Engine> {
        self.about().engine
    }

    /// What it tells.
    fn standing(&self) -> Standing {
        self.about().standing
    }

    /// Adds what it tells beside rules. The order of documents does not matter. `name`: what the file is called.
    ///
    /// # Errors
    /// When another document says otherwise.
    fn facts(&self, _into: &mut Facts, _name: &str) -> Result<(), Contradiction> {
        Ok(())
    }

    /// Its facts line by line, as `import` shows them. `text`: the file.
    fn shown(&self, _text: &str) -> Vec<String> {
        Vec::new()
    }

    /// Rules can only be understood once all addresses of the device are known.
    fn waits(&self) -> bool {
        false
    }

    /// Adds its rules to the device. Nothing is an error: what is not understood is counted, and taints its packets.
    fn lower(&self, facts: &Facts, known: &Known, into: &mut DeviceBuilder<'_>) -> Coverage;

    /// The objects that it makes, as its engine names them: `inet filter` for a table of netfilter.
    fn objects(&self) -> Vec<String> {
        Vec::new()
    }

    /// What becomes of an object that another document made, once this one is loaded.
    fn made(&self, _object: &str) -> Made {
        Made::Own
    }

    /// How it is put in force: what to do, and how to take it back. None: such a file is not loaded. `name`: what the file
    /// is called; `others`: objects in force that it does not make.
    fn load(&self, _name: &str, _others: &[String]) -> Option<(Vec<Step>, Vec<Step>)> {
        None
    }

    /// What is taken as given about rules that come and go while the firewall of this name runs.
    fn given(&self, _name: &str) -> Option<String> {
        None
    }

    /// Patterns of includes that no file of the device fits.
    fn empty_includes(&self) -> &[EmptyInclude] {
        &[]
    }
}

/// What decides about packets on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// pf of the BSDs.
    Pf,
    /// netfilter of Linux.
    Netfilter,
    /// A firewall that is a model of its own.
    Own,
    /// A filter on a wire, without addresses and routes of its own: a security group, a network ACL. Its rules stand in
    /// the hook `forward`, and its interfaces are [`WIRE`].
    Wire,
}

/// Interfaces of a filter on a wire: outside, inside.
pub const WIRE: [&str; 2] = ["outside", "inside"];

impl Engine {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pf => "pf",
            Self::Netfilter => "nftables",
            Self::Own => "a firewall of its own",
            Self::Wire => "a filter without addresses",
        }
    }

    /// Settings of Linux decide beside its rules.
    pub fn has_linux_settings(self) -> bool {
        matches!(self, Self::Netfilter | Self::Own)
    }

    /// How its kernel treats packets beside rules.
    pub(crate) fn behave(self, device: &mut Device) {
        if self == Self::Pf {
            device.drops_own_source = false;
            device.loopback_by_translation = true;
        }
    }
}

/// What a document tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A configuration: the rules that a system will make of it.
    Intended,
    /// The rules that its kernel holds.
    InForce,
    /// Addresses, routes, settings: no rules.
    Facts,
}

/// What becomes of an object of one document once another one is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The other document makes it itself, in its place.
    Own,
    /// It is removed, and not made again: the program that made it may do that.
    Removed,
    /// Something of it is changed.
    Changed,
    /// It stays as it is.
    Left,
}

/// What documents of a device tell beside rules.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Interfaces of an address dump.
    pub interfaces: Option<Vec<Interface>>,
    /// Routes of route dumps.
    pub routes: Option<Vec<DumpedRoute>>,
    /// Routing rules of rule dumps.
    pub rules: Vec<DumpedRule>,
    /// Settings of the kernel.
    pub kernel: kernel::Facts,
    /// The device, as a configuration describes it: addresses and routes.
    pub described: Option<Device>,
    /// The configuration from which rules of pf in force were made.
    pub made_from: Option<Arc<dyn pf::MadeFrom>>,
}

/// Two documents of a device say different things: why one is refused, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// What is known of a device beside its documents.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Addresses of names that stand in aliases.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// Contents of aliases, as its user sees them.
    pub tables: BTreeMap<String, Vec<Entry>>,
    /// Ports of pages that are answered on the firewall itself, closed ranges.
    pub pages: Vec<(u16, u16)>,
    /// Devices whose line tells no gateway, or no address, at the time of which is asked.
    pub no_lease: BTreeSet<(String, Family)>,
}

/// A rule that is on, but not among those that are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands.
    pub at: SourceSpan,
    /// Description of the rule.
    pub rule: String,
    /// Why.
    pub why: String,
}

/// What came of a document's rules.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// How much was understood.
    pub counts: Counts,
    /// Rules that are on but are not loaded.
    pub left_out: Vec<LeftOut>,
}

impl From<Counts> for Coverage {
    fn from(counts: Counts) -> Self {
        Self { counts, left_out: Vec::new() }
    }
}

/// How much of a configuration was understood, in statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that may decide about packets.
    pub statements: usize,
    /// Modelled exactly, or known not to change any fate.
    pub understood: usize,
    /// Followed both ways, because the text does not decide them.
    pub approximated: usize,
    /// Not understood: they taint the packets that may meet them.
    pub unread: usize,
}

impl Counts {
    /// Adds another ruleset's figures.
    pub fn add(&mut self, other: Self) {
        self.statements += other.statements;
        self.understood += other.understood;
        self.approximated += other.approximated;
        self.unread += other.unread;
    }
}
