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
    /// `OpenVPN` servers and clients, switched off ones too.
    pub openvpn: Vec<OpenVpn>,
    /// `IPsec`, when it is on.
    pub ipsec: Option<Ipsec>,
    /// The firewall's own servers of dial-in tunnels.
    pub dial_in: Vec<DialIn>,
    /// Tunnels without encryption (GIF, GRE): device and own end.
    pub plain_tunnels: Vec<(String, IpNet)>,
    /// Bridges.
    pub bridges: Vec<Bridge>,
    /// Which rules what they pass on meets.
    pub bridging: Bridging,
    /// Captive portals that are on.
    pub portals: Vec<Portal>,
    /// Packages that are installed.
    pub packages: Vec<Package>,
    /// Programs of the firewall itself that take connections and pass them on.
    pub relays: Vec<Relay>,
    /// Hosts of the network may ask for forwards (`UPnP` & NAT-PMP).
    pub upnp: bool,
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

/// A server or client of `OpenVPN`.
#[derive(Debug, Clone)]
pub struct OpenVpn {
    /// Device that it makes: `ovpns1`, `ovpnc2`.
    pub device: String,
    /// It is on.
    pub enabled: bool,
    /// Networks of the tunnel.
    pub tunnel: Vec<IpNet>,
    /// Families (IPv4, IPv6) in which it makes a gateway.
    pub gateway: [bool; 2],
}

/// Tunnels of `IPsec`.
#[derive(Debug, Clone, Default)]
pub struct Ipsec {
    /// Other ends.
    pub peers: Vec<IpsecPeer>,
    /// What goes through which tunnel.
    pub policies: Vec<Policy>,
    /// Networks of mobile clients.
    pub clients: Vec<IpNet>,
    /// Devices of routed tunnels (VTI), with the families of their other ends.
    pub routed: Vec<(String, [bool; 2])>,
}

impl Ipsec {
    /// Networks behind tunnels.
    pub fn remote(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.policies.iter().map(|p| p.remote)
    }
}

/// Other end of an `IPsec` tunnel.
#[derive(Debug, Clone)]
pub struct IpsecPeer {
    /// Interface by which it is reached.
    pub interface: String,
    /// Its address; absent: any.
    pub address: Option<IpAddr>,
}

/// What goes through a tunnel of `IPsec`, and only that.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Networks here.
    pub local: Local,
    /// Addresses that these are translated to.
    pub translated: Option<Local>,
    /// Network there.
    pub remote: IpNet,
    /// Clients that dial in have such a policy each.
    pub mobile: bool,
}

/// A network of the firewall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// This one.
    Net(IpNet),
    /// That of an interface.
    Interface(String),
}

/// A server of dial-in tunnels: its hosts come in by a device of their own each.
#[derive(Debug, Clone)]
pub struct DialIn {
    /// Name of its tab, and of the group of its devices: `l2tp`, `pppoe`.
    pub tab: &'static str,
    /// Network of its clients.
    pub clients: IpNet,
}

/// A captive portal: who has not signed in gets no further.
#[derive(Debug, Clone)]
pub struct Portal {
    /// Name of its zone.
    pub zone: String,
    /// Interfaces where it stands.
    pub interfaces: Vec<String>,
    /// Where it stands in the export.
    pub at: Place,
}

/// A program of the firewall itself that takes connections and passes them on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// What it is: `haproxy`.
    pub name: String,
    /// Protocol numbers.
    pub protocols: Vec<u8>,
    /// Ports on the firewall; absent: they are not known.
    pub ports: Option<Vec<(u16, u16)>>,
    /// It passes on pages, so that a site's reverse proxy may be it.
    pub pages: bool,
    /// Where it stands.
    pub at: Place,
}

/// An installed package.
#[derive(Debug, Clone)]
pub struct Package {
    /// Name.
    pub name: String,
    /// It may add rules of its own when rules are made, which are not in the export (`discover_pkg_rules`).
    pub writes_rules: bool,
    /// The switch by which it does so is on, where callpath knows that switch.
    pub switched_on: Option<bool>,
    /// Interfaces of which it takes packets, where its settings name them; else it may be any.
    pub inbound: Vec<String>,
    /// Where it stands.
    pub at: Place,
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
    /// What is for tunnels obeys the gateway of a rule too.
    pub no_negation: bool,
    /// No rules for the other ends of tunnels.
    pub no_vpn_rules: bool,
    /// Room for the entries of tables, when it was set.
    pub table_entries: Option<u64>,
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
#[allow(clippy::struct_excessive_bools)] // each is one switch of the page
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
    /// Automatic translation leaves out what leaves by it (a switch of old versions).
    pub no_nat: bool,
    /// Where it stands.
    pub at: Place,
}

/// A named gateway.
#[allow(clippy::struct_excessive_bools)] // each is one switch of the page
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
    /// Marked as down, or gone.
    pub down: bool,
    /// Switched off: as if it were not there.
    pub disabled: bool,
    /// Its address is told by the line; made by the firewall itself when the export does not hold it.
    pub dynamic: bool,
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

/// A bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Device: `bridge0`.
    pub device: String,
    /// Names of the members.
    pub members: Vec<String>,
    /// Some members do not talk to each other ("private ports").
    pub secluded: bool,
    /// Where it stands.
    pub at: Place,
}

/// Tunables of bridges, with what pfSense sets by itself (`globals.inc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bridging {
    /// `net.link.bridge.pfil_member`.
    pub by_member: bool,
    /// `net.link.bridge.pfil_bridge`.
    pub by_bridge: bool,
    /// `net.link.bridge.pfil_local_phys`: members are also asked about what is for the firewall.
    pub local: bool,
}

impl Default for Bridging {
    fn default() -> Self {
        Self { by_member: true, by_bridge: false, local: false }
    }
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
    /// Name by which another one stands on it.
    pub id: Option<String>,
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
    /// It stands among the floating rules.
    pub floats: bool,
    /// A floating rule with a direction of its own.
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
    /// "Invert match" of the source.
    pub source_not: bool,
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
    /// Family, where the outer address is written by a name.
    pub family: Family,
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
    /// Outer prefix; absent: the line delegates it.
    pub outer: Option<IpNet>,
    /// Where it stands.
    pub at: Place,
}
