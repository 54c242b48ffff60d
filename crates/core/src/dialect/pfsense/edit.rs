//! Changes of a pfSense configuration as a person makes them on its pages, and as data: one list prints as guide, as
//! XML and as undo.

/// One change, on one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Firewall > NAT > Port Forward: a new entry at the end, with its associated filter rule at the end of its
    /// interface's rules.
    AddForward(NewForward),
    /// The same page, an existing entry; its associated filter rule follows, as pfSense's own page makes it follow.
    SetForward {
        /// Number among the `<nat><rule>` elements, from 0.
        forward: usize,
        /// Fields that change.
        set: Vec<ForwardField>,
    },
    /// Firewall > Aliases: a new one.
    AddAlias {
        /// Name.
        name: String,
        /// `host`, `network` or `port`.
        kind: &'static str,
        /// Members: addresses, names, networks or ports.
        members: Vec<String>,
        /// Description.
        descr: String,
    },
    /// The same page, an existing alias gets other members.
    SetAlias {
        /// Name.
        name: String,
        /// All members from now on.
        members: Vec<String>,
    },
    /// Firewall > Rules > an interface: a new pass rule.
    AddPass(NewPass),
    /// The same page, an existing rule.
    SetRule {
        /// Number among the `<filter><rule>` elements, from 0.
        rule: usize,
        /// Fields that change.
        set: Vec<RuleField>,
    },
    /// Firewall > NAT > Outbound: how rules come about: `automatic`, `hybrid`, `advanced` ("Manual"), `disabled`.
    OutboundMode(&'static str),
    /// The same page: a new rule before all others.
    AddOutbound(NewOutbound),
    /// System > Advanced > Firewall & NAT: "Enable automatic outbound NAT for Reflection".
    ReflectionHelper(bool),
    /// The same page: "Disable reply-to on WAN rules".
    NoReplyTo(bool),
}

impl Edit {
    /// It names a filter rule by its number.
    pub(super) fn counts_rules(&self) -> bool {
        match self {
            Self::SetRule { .. } => true,
            Self::AddPass(new) => new.before.is_some(),
            _ => false,
        }
    }
}

/// A new port forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewForward {
    /// Interface as the configuration names it: `wan`.
    pub interface: String,
    /// IPv6 instead of IPv4.
    pub v6: bool,
    /// `tcp`, `udp`, `tcp/udp`.
    pub protocol: &'static str,
    /// Addresses that it answers for.
    pub destination: Destination,
    /// First and last port.
    pub ports: (u16, u16),
    /// Host inside.
    pub target: String,
    /// First port there.
    pub local_port: u16,
    /// NAT reflection of this entry.
    pub reflection: Reflection,
    /// Only from this address, network or alias; absent: any.
    pub source: Option<String>,
    /// Description.
    pub descr: String,
}

/// Destination of a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// "WAN address" of an interface: `wan` is written as `<network>wanip</network>`.
    InterfaceAddress(String),
    /// "Single host or alias".
    Address(String),
}

/// "NAT reflection" of a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reflection {
    /// "Use system default": no element.
    Default,
    /// "Enable (NAT + Proxy)".
    Proxy,
    /// "Enable (Pure NAT)".
    PureNat,
    /// "Disable".
    Disable,
}

/// A field of a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardField {
    /// Protocol.
    Protocol(&'static str),
    /// Destination.
    Destination(Destination),
    /// Destination port range.
    Ports(u16, u16),
    /// Redirect target IP.
    Target(String),
    /// Redirect target port.
    LocalPort(u16),
    /// NAT reflection.
    Reflection(Reflection),
    /// "Disable this rule".
    Disabled(bool),
    /// Source: address, network or alias; absent: any.
    Source(Option<String>),
    /// Filter rule association: `true` adds an associated filter rule where none is (dangling or "None").
    Associated(bool),
}

/// A new pass rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPass {
    /// Interface as the configuration names it.
    pub interface: String,
    /// IPv6 instead of IPv4.
    pub v6: bool,
    /// `tcp`, `udp`.
    pub protocol: &'static str,
    /// Address, network or alias; absent: any.
    pub source: Option<String>,
    /// Host that may be reached.
    pub destination: String,
    /// First and last port.
    pub ports: (u16, u16),
    /// Stands before this `<filter><rule>` (number from 0); absent: at the end.
    pub before: Option<usize>,
    /// "Quick" on the Floating page instead of an interface's own: for what floating rules block.
    pub floating: bool,
    /// Description.
    pub descr: String,
}

/// A new rule of outbound translation, for every protocol and destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutbound {
    /// Interface as the configuration names it.
    pub interface: String,
    /// IPv6 instead of IPv4.
    pub v6: bool,
    /// Network or address inside.
    pub source: String,
    /// Address that they get; absent: the interface's.
    pub target: Option<String>,
    /// Description.
    pub descr: String,
}

/// A field of a filter rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleField {
    /// Protocol.
    Protocol(&'static str),
    /// Destination port range.
    Ports(u16, u16),
    /// Destination address.
    Destination(String),
    /// "Disable this rule".
    Disabled(bool),
    /// Action: `pass`, `block`.
    Action(&'static str),
    /// Source: address, network or alias; absent: any.
    Source(Option<String>),
    /// Gateway; absent: "Default".
    Gateway(Option<String>),
    /// "Disable reply-to".
    NoReplyTo(bool),
}
