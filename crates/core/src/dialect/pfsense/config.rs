//! What an export says, before it becomes rules.

use crate::model::{Family, SourceSpan};
use ipnet::IpNet;
use std::net::IpAddr;

/// An export.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `<version>`: of the configuration format.
    pub version: Option<(u32, u32)>,
    /// System-wide settings.
    pub system: System,
    /// Interfaces in order, disabled ones too.
    pub interfaces: Vec<Interface>,
    /// Named gateways.
    pub gateways: Vec<Gateway>,
    /// Names of the default gateways (IPv4, IPv6), or of groups.
    pub default_gateway: [Option<String>; 2],
    /// Groups of gateways: name and members with their tier.
    pub gateway_groups: Vec<(String, Vec<(String, u8)>)>,
    /// Static routes: network or alias, name of the gateway.
    pub routes: Vec<(String, String)>,
    /// Aliases.
    pub aliases: Vec<Alias>,
    /// Interface groups: name and members.
    pub groups: Vec<(String, Vec<String>)>,
    /// Virtual addresses.
    pub virtual_addresses: Vec<VirtualAddress>,
    /// Port forwards.
    pub forwards: Vec<Forward>,
    /// Outbound translation.
    pub outbound: Outbound,
    /// 1:1 translation.
    pub one_to_one: Vec<OneToOne>,
    /// Network prefix translation.
    pub npt: Vec<Npt>,
    /// Filter rules.
    pub rules: Vec<Rule>,
    /// An `OpenVPN` server or client is on: tunnel networks of the servers.
    pub openvpn: Option<Vec<IpNet>>,
    /// `IPsec` is on: networks behind it.
    pub ipsec: Option<Vec<IpNet>>,
    /// Other ends of `IPsec` tunnels: interface and address.
    pub ipsec_peers: Vec<(String, IpAddr)>,
    /// DHCP is served on these interfaces.
    pub dhcp: Vec<String>,
    /// Schedules: name and when they hold.
    pub schedules: Vec<(String, Holds)>,
    /// Statements that were not understood: where and why.
    pub unread: Vec<(Place, String)>,
    /// Statements of nat, filter, aliases, interfaces and gateways.
    pub statements: usize,
}

/// A place in the export.
pub type Place = SourceSpan;

/// When a schedule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// At all times.
    Always,
    /// On days that no calendar has.
    Never,
    /// Now and then.
    Sometimes,
}

/// System-wide settings.
#[allow(clippy::struct_excessive_bools)] // each is one switch of the page
#[derive(Debug, Clone, Default)]
pub struct System {
    /// "NAT Reflection mode for port forwards: disabled".
    pub reflection_off: bool,
    /// "… Pure NAT".
    pub reflection_pure: bool,
    /// "Enable automatic outbound NAT for Reflection".
    pub reflection_helper: bool,
    /// "Enable NAT Reflection for 1:1 NAT".
    pub reflection_one_to_one: bool,
    /// "Disable reply-to on WAN rules".
    pub no_reply_to: bool,
    /// States are bound to their interface; absent: the version's default.
    pub if_bound: Option<bool>,
    /// "Allow IPv6".
    pub ipv6: bool,
    /// "Disable all packet filtering".
    pub filter_off: bool,
    /// Rules of gateways that are down are left out.
    pub skip_down: bool,
    /// "Bypass firewall rules for traffic on the same interface".
    pub bypass_static_routes: bool,
    /// Link-local IPv4 addresses are not blocked.
    pub link_local: bool,
    /// No anti-lockout rule.
    pub no_lockout_rule: bool,
    /// Ports that the anti-lockout rule opens.
    pub admin_ports: Vec<u16>,
    /// Place of the element that switches reflection off.
    pub reflection_at: Option<Place>,
}

/// How an interface gets its address in a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressing {
    /// None.
    None,
    /// This one.
    Static(IpNet),
    /// From the line: DHCP, PPP, prefix delegation. The backup does not hold it.
    Line(String),
}

/// An interface.
#[derive(Debug, Clone)]
pub struct Interface {
    /// `wan`, `lan`, `opt1`.
    pub name: String,
    /// Device: `em0`.
    pub device: String,
    /// As its page calls it.
    pub descr: String,
    /// It is on.
    pub enabled: bool,
    /// IPv4 address.
    pub v4: Addressing,
    /// IPv6 address.
    pub v6: Addressing,
    /// Configured gateways (IPv4, IPv6).
    pub gateway: [Option<String>; 2],
    /// "Block private networks".
    pub block_private: bool,
    /// "Block bogon networks".
    pub block_bogons: bool,
    /// Where it stands.
    pub at: Place,
}

/// A named gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Name.
    pub name: String,
    /// Interface.
    pub interface: String,
    /// Address; absent: the line tells it.
    pub address: Option<IpAddr>,
    /// Family.
    pub family: Family,
    /// Marked as down or disabled.
    pub down: bool,
    /// Old style: `<defaultgw>`.
    pub default: bool,
}

/// An alias.
#[derive(Debug, Clone)]
pub struct Alias {
    /// Name.
    pub name: String,
    /// `host`, `network`, `port`, `url`, `urltable` …
    pub kind: String,
    /// Members.
    pub members: Vec<String>,
    /// Where it stands.
    pub at: Place,
}

/// A virtual address.
#[derive(Debug, Clone)]
pub struct VirtualAddress {
    /// `carp`, `ipalias`, `proxyarp`, `other`.
    pub mode: String,
    /// Interface.
    pub interface: String,
    /// Address and network.
    pub net: IpNet,
}

/// Source or destination of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct End {
    /// The element is there at all.
    pub present: bool,
    /// `<any>`.
    pub any: bool,
    /// `<network>`: `wanip`, `lan`, `(self)` …
    pub network: Option<String>,
    /// `<address>`: address, network or alias.
    pub address: Option<String>,
    /// "Invert match".
    pub not: bool,
    /// Port, range (`50000-50499`) or alias.
    pub port: Option<String>,
}

/// Reflection of a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reflects {
    /// As the system says.
    Default,
    /// NAT + Proxy.
    Proxy,
    /// Pure NAT.
    Pure,
    /// Off.
    Off,
}

/// A port forward.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Number among the `<nat><rule>` elements.
    pub index: usize,
    /// "Disable this rule".
    pub disabled: bool,
    /// "No RDR".
    pub nordr: bool,
    /// Interface or group.
    pub interface: String,
    /// Family.
    pub family: Family,
    /// Protocol as written, lower case; absent: any.
    pub protocol: Option<String>,
    /// Source.
    pub source: End,
    /// Destination.
    pub destination: End,
    /// Redirect target.
    pub target: Option<String>,
    /// First port there, or alias.
    pub local_port: Option<String>,
    /// Description.
    pub descr: String,
    /// Filter rule association: empty, `pass`, `nat_…`.
    pub associated: String,
    /// Reflection.
    pub reflection: Reflects,
    /// Where it stands.
    pub at: Place,
}

impl Forward {
    /// Its ports count: of other protocols, or of any, pfSense writes none into the rule.
    pub fn has_ports(&self) -> bool {
        self.protocol.as_deref().is_some_and(has_ports)
    }
}

/// A protocol, lower case, for which pfSense writes ports into a rule.
pub fn has_ports(protocol: &str) -> bool {
    ["tcp", "udp", "tcp/udp"].contains(&protocol)
}

/// A filter rule.
#[allow(clippy::struct_excessive_bools)] // each is one switch of the page
#[derive(Debug, Clone)]
pub struct Rule {
    /// Number among the `<filter><rule>` elements.
    pub index: usize,
    /// Tracker.
    pub tracker: Option<u64>,
    /// `pass`, `block`, `reject`, `match`.
    pub action: String,
    /// "Disable this rule".
    pub disabled: bool,
    /// Interfaces, groups or tabs; empty for a floating rule: all.
    pub interfaces: Vec<String>,
    /// `inet`, `inet6`, `inet46`.
    pub families: Vec<Family>,
    /// Protocol as written; absent: any.
    pub protocol: Option<String>,
    /// The element itself is missing, which is not the same as empty.
    pub protocol_missing: bool,
    /// A floating rule.
    pub floating: bool,
    /// Quick; other than floating rules always are.
    pub quick: bool,
    /// `in`, `out`, `any`.
    pub direction: String,
    /// Source.
    pub source: End,
    /// Destination.
    pub destination: End,
    /// `keep state`, `sloppy state`, `synproxy state`, `none`.
    pub state: Option<String>,
    /// Gateway or group.
    pub gateway: Option<String>,
    /// "Disable reply-to".
    pub no_reply_to: bool,
    /// Schedule.
    pub schedule: Option<String>,
    /// Limits, as text.
    pub limited: Option<String>,
    /// "Any flags".
    pub any_flags: bool,
    /// Label to put on packets.
    pub tag: Option<String>,
    /// Only packets with this label.
    pub tagged: Option<(bool, String)>,
    /// Operating system or hardware address of the sender, priorities: packets of calls may match or not.
    pub narrowed: Option<String>,
    /// No packet that begins a call matches: ICMP only, or flags that a first packet of TCP does not have.
    pub never: bool,
    /// Description.
    pub descr: String,
    /// `associated-rule-id`.
    pub associated: Option<String>,
    /// Where it stands.
    pub at: Place,
}

/// Outbound translation.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    /// `automatic`, `hybrid`, `advanced`, `disabled`.
    pub mode: String,
    /// Manual rules.
    pub rules: Vec<OutboundRule>,
}

/// A rule of outbound translation.
#[allow(clippy::struct_excessive_bools)] // each is one switch of the page
#[derive(Debug, Clone)]
pub struct OutboundRule {
    /// "Disable this rule".
    pub disabled: bool,
    /// Interface.
    pub interface: String,
    /// Family; absent: both.
    pub family: Option<Family>,
    /// Protocol.
    pub protocol: Option<String>,
    /// Source: network, alias, `any`, `(self)`.
    pub source: Option<String>,
    /// Source port.
    pub source_port: Option<String>,
    /// Destination.
    pub destination: End,
    /// Destination port.
    pub port: Option<String>,
    /// Address to translate to; absent: the interface's.
    pub target: Option<String>,
    /// Prefix length of the target.
    pub target_bits: Option<String>,
    /// Ports to translate to.
    pub nat_port: Option<String>,
    /// "Static port".
    pub static_port: bool,
    /// "Do not NAT".
    pub no_nat: bool,
    /// Description.
    pub descr: String,
    /// Where it stands.
    pub at: Place,
}

/// 1:1 translation.
#[allow(clippy::struct_excessive_bools)] // each is one switch of the page
#[derive(Debug, Clone)]
pub struct OneToOne {
    /// "Disable this rule".
    pub disabled: bool,
    /// "Do not perform binat".
    pub nobinat: bool,
    /// Interface.
    pub interface: String,
    /// Outer address.
    pub external: String,
    /// Inner addresses.
    pub source: End,
    /// Only with these.
    pub destination: End,
    /// Reflection; absent: as the system says.
    pub reflection: Option<bool>,
    /// Description.
    pub descr: String,
    /// Where it stands.
    pub at: Place,
}

/// Network prefix translation.
#[derive(Debug, Clone)]
pub struct Npt {
    /// "Disable this rule".
    pub disabled: bool,
    /// Interface.
    pub interface: String,
    /// Inner prefix.
    pub inner: IpNet,
    /// Outer prefix.
    pub outer: IpNet,
    /// Where it stands.
    pub at: Place,
}
