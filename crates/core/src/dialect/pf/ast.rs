//! The rules of pf as its own generators write them, after macros and lists were expanded.
//!
//! pfSense and `OPNsense` write such a text (`/tmp/rules.debug`) and their readers of configurations make this tree
//! directly. Semantics: pf.conf(5) and `sys/netpfil/pf/pf.c` of FreeBSD.

use crate::model::{DoubtKind, Family, Origin};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that decides about packets.
#[derive(Debug, Clone, Default)]
pub struct Ruleset {
    /// Sets of addresses by name.
    pub tables: BTreeMap<Box<str>, Table>,
    /// Interface groups: name and member devices.
    pub groups: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// The device's interfaces and groups are all that its configuration names: a device that is not among them is
    /// another one for certain. Else the name in a rule may be another word for one of them.
    pub all_named: bool,
    /// Translation of what leaves, in order (`nat`, `no nat`).
    pub nat: Vec<Rule>,
    /// Translation both ways, in order (`binat`).
    pub binat: Vec<Rule>,
    /// Translation of what comes in, in order (`rdr`, `no rdr`).
    pub rdr: Vec<Rule>,
    /// Filter rules in order.
    pub filter: Vec<Rule>,
    /// Rules of which the text does not tell what they are, nor whether they translate: before all others.
    pub first: Vec<Rule>,
    /// Forwards that are switched off.
    pub dormant_rdr: Vec<Rule>,
    /// Filter rules that are switched off.
    pub dormant_filter: Vec<Rule>,
    /// States are bound to the interface where they began (`set state-policy if-bound`).
    pub if_bound: bool,
    /// Bridges, and who is asked about what they pass on.
    pub bridges: Vec<Bridge>,
    /// Interfaces that are not filtered (`set skip on`).
    pub skip: Vec<Box<str>>,
    /// pf is switched off: everything passes, nothing is translated.
    pub off: bool,
    /// Statements that were not understood and may change anything.
    pub unread: Vec<Unread>,
    /// Statements that were taken in.
    pub statements: usize,
}

/// A bridge between interfaces. What it passes on meets pf as it comes in by one member and as it goes out by another
/// (`bridge_forward` and `bridge_pfil` of FreeBSD's `sys/net/if_bridge.c`); what is sent to an address of the device, or
/// comes from one, is no such packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Its device.
    pub device: Box<str>,
    /// Devices of its members.
    pub members: Vec<Box<str>>,
    /// The one interface, a member or the bridge itself, that has addresses.
    pub holder: Box<str>,
    /// Whose rules are asked.
    pub asks: Asks,
    /// Where it stands.
    pub origin: Origin,
}

/// Whose rules are asked about what a bridge passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// Nobody's.
    Nobody,
    /// Those of its members (`net.link.bridge.pfil_member`).
    Members,
    /// Its own (`net.link.bridge.pfil_bridge`).
    Itself,
    /// What becomes of these packets is not followed.
    Open(Unknown),
}

/// A set of addresses.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What it holds, as far as the text says.
    pub entries: Arc<Vec<Entry>>,
    /// What else may be in it, and how to find out; absent when the text says it all.
    pub unknown: Option<Unknown>,
    /// Only addresses of this family may be in it beside its entries.
    pub only: Option<Family>,
    /// A list of others' addresses that is kept elsewhere, such as a block list.
    pub listed: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// An entry of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// An address or network.
    Net(IpNet),
    /// A range of IPv4 addresses (closed).
    Range(u32, u32),
    /// Not these.
    Not(IpNet),
}

/// Something that the text leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unknown {
    /// What, for a person.
    pub what: Box<str>,
    /// What to supply.
    pub supply: Box<str>,
    /// What kind of thing it is.
    pub kind: DoubtKind,
}

/// A statement that was not understood.
#[derive(Debug, Clone)]
pub struct Unread {
    /// Where it stands.
    pub origin: Origin,
    /// Why it was not understood.
    pub why: Box<str>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Lets it through.
    Pass,
    /// Drops it, or answers it.
    Block {
        /// With an answer to the sender.
        answer: bool,
    },
    /// Only its side effects.
    Match,
    /// Leaves it untranslated (`no nat`, `no rdr`, `no binat`).
    No,
    /// Translates it.
    Translate(Pool),
}

/// Direction in which a rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As the packet comes in by an interface.
    In,
    /// As it leaves by one.
    Out,
}

/// A rule.
#[allow(clippy::struct_excessive_bools)] // each is one word of the syntax
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// A program that reads and rewrites what is said in these packets takes them.
    pub helper: bool,
    /// Asked only in this direction.
    pub direction: Option<Direction>,
    /// The first such rule that matches decides; otherwise the last one that matches.
    pub quick: bool,
    /// Interfaces, groups or devices; absent: all.
    pub on: Option<On>,
    /// Only this family.
    pub family: Option<Family>,
    /// Protocol numbers; empty: all.
    pub protocols: Vec<u8>,
    /// Source.
    pub from: Hosts,
    /// Source ports; absent: all. Numbers of ports, closed ranges.
    pub source_ports: Option<Vec<(u16, u16)>>,
    /// Destination.
    pub to: Hosts,
    /// Destination ports; absent: all.
    pub ports: Option<Vec<(u16, u16)>>,
    /// Passed packets begin a state.
    pub state: State,
    /// A TCP packet that begins a state need not be a first one.
    pub any_flags: bool,
    /// Packets of the protocols that the trace follows never match (ICMP types, a user).
    pub never: bool,
    /// Sends packets, or their answers, another way than routing does.
    pub route: Option<Route>,
    /// Label put on the packet.
    pub tag: Option<Box<str>>,
    /// Only packets with (`true`) or without this label.
    pub tagged: Option<(bool, Box<str>)>,
    /// `rdr pass`: no filter rule is asked about what it translated.
    pub pass: bool,
    /// States, sources or rates are limited: beyond the limit packets are dropped.
    pub limited: Option<Box<str>>,
    /// Part of it was not understood: it may match and do anything.
    pub doubt: Option<Unknown>,
    /// It was understood, but what it does is decided by something that the text does not hold: it may do anything.
    pub open: Option<Unknown>,
    /// The rule counts only if this is so (a schedule, a guess at the sender's system).
    pub when: Option<Unknown>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Interfaces of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct On {
    /// All but these.
    pub negate: bool,
    /// Devices or groups.
    pub names: Vec<Box<str>>,
}

/// States that a rule begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// `keep state`, which is also pf's default.
    #[default]
    Keep,
    /// `keep state (sloppy)`: answers that the firewall does not see are no obstacle.
    Sloppy,
    /// `no state`: answers are judged by rules.
    None,
}

/// Addresses of one side of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// All but these.
    pub negate: bool,
    /// Which; empty: all.
    pub list: Vec<Host>,
}

impl Hosts {
    /// One.
    pub fn one(host: Host) -> Self {
        Self { negate: false, list: vec![host] }
    }

    /// Is nothing asked?
    pub fn is_any(&self) -> bool {
        self.list.is_empty()
    }
}

/// An address expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address or network.
    Net(IpNet),
    /// A table's entries.
    Table(Box<str>),
    /// Addresses of an interface: `(em0)`.
    Address(Box<str>),
    /// Its first address of a family alone: `(em0:0)`.
    First(Box<str>),
    /// Networks of an interface: `em0:network`.
    Network(Box<str>),
    /// The network of its first address of a family alone: `em0:network:0`.
    FirstNetwork(Box<str>),
    /// All addresses of the device: `(self)`.
    Own,
    /// Something that the text leaves open.
    Unknown(Unknown),
}

/// New address and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// One of these addresses; several are used in turn.
    pub addresses: Vec<PoolAddress>,
    /// The port.
    pub port: PoolPort,
    /// Host bits are kept (`bitmask`, `binat`).
    pub bitmask: bool,
}

/// An address to translate to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolAddress {
    /// An address, or a network to choose from.
    Net(IpNet),
    /// The addresses of an interface, in turn.
    Address(Box<str>),
    /// The first address of an interface.
    First(Box<str>),
    /// Entries of a table, in turn.
    Table(Box<str>),
}

/// The port after a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolPort {
    /// As it was.
    Same,
    /// Any of these, drawn at random (source), closed.
    Random(u16, u16),
    /// Moved so that the first port of the rule becomes this one (destination).
    From(u16),
    /// This one, whatever it was (destination).
    One(u16),
}

/// Another way than routing's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Answers go this way (`reply-to`), not the packet itself (`route-to`).
    pub reply: bool,
    /// Interfaces with next hops; several are used in turn.
    pub hops: Vec<(Box<str>, Option<std::net::IpAddr>)>,
}

impl Rule {
    /// Why it may do anything, and whether that is because it was not understood.
    pub fn anything(&self) -> Option<(&Unknown, bool)> {
        self.doubt.as_ref().map(|u| (u, true)).or(self.open.as_ref().map(|u| (u, false)))
    }

    /// A rule that matches everything.
    pub fn new(action: Action, origin: Origin) -> Self {
        Self {
            action,
            helper: false,
            direction: None,
            quick: false,
            on: None,
            family: None,
            protocols: Vec::new(),
            from: Hosts::default(),
            source_ports: None,
            to: Hosts::default(),
            ports: None,
            state: State::Keep,
            any_flags: false,
            never: false,
            route: None,
            tag: None,
            tagged: None,
            pass: false,
            limited: None,
            doubt: None,
            open: None,
            when: None,
            origin,
        }
    }
}
