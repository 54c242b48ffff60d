//! Devices: interfaces, addresses, routes.

use super::{DoubtId, Family, Pipeline, address_value};
use crate::cube::Set;
use ipnet::IpNet;
use std::net::IpAddr;

/// A router, a server, or a group of hosts that send and receive alike (a caller's network, the internet).
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // facts, each on its own
pub struct Device {
    /// Name for reports: `router`, `server 192.168.1.50`, `the internet`.
    pub name: Box<str>,
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// Routes of the main table, and of others by number. Directly connected networks need not be listed: they follow
    /// from the interfaces' addresses.
    pub routes: Vec<Route>,
    /// Policy routing rules, by priority; empty: the main table decides.
    pub routing_rules: Vec<RoutingRule>,
    /// What it does to packets.
    pub pipeline: Pipeline,
    /// It passes packets on that are not for itself.
    pub forwards: bool,
    /// Products run on it: what ends at it has arrived, also where it passes packets on to its containers.
    pub is_host: bool,
    /// Drops packets that arrive with one of its own IPv4 addresses as source, as Linux does ("martian source").
    pub drops_own_source: bool,
    /// Packets that a translation sent to a loopback address are delivered (FreeBSD), not dropped as on Linux.
    pub loopback_by_translation: bool,
    /// Sockets that answer; a packet delivered elsewhere on this device finds nobody.
    pub endpoints: Vec<Endpoint>,
}

/// An interface.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // facts, each on its own
pub struct Interface {
    /// Name as rules use it.
    pub name: Box<str>,
    /// Name as its pages call it, where that is another: `WAN`.
    pub label: Box<str>,
    /// It leads to a provider: nobody of the site calls from there.
    pub line: bool,
    /// It is a tunnel: at its other end are those who hold an address of its network, and nobody else.
    pub tunnel: bool,
    /// The line tells its IPv4 address.
    pub leased: bool,
    /// Group number (`ip link set group`), 0 if never set.
    pub group: u32,
    /// Own addresses with their networks, primary first.
    pub addresses: Vec<IpNet>,
    /// Further IPv4 addresses that this device answers for on the segment: a group of hosts.
    pub hosts_v4: Set,
    /// The same for IPv6.
    pub hosts_v6: Set,
    /// How many interfaces are its ports, if that is known: none, and it is no bridge.
    pub ports: Option<u16>,
    /// No file says its address: one from a range that no host has stands for it.
    pub placeholder: bool,
    /// It stands for the ports of a bridge whose address another interface of the device holds.
    pub stands_for_ports: bool,
    /// What it does with packets that arrive, apart from rules.
    pub settings: Settings,
    /// Index into the network's segments; interfaces with the same segment reach each other directly.
    pub segment: usize,
}

/// What an interface does with packets that arrive, apart from rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// IPv4 packets are not passed on, on a device that forwards.
    pub keeps_v4: bool,
    /// The same for IPv6.
    pub keeps_v6: bool,
    /// What it does with loopback destinations.
    pub loopback: Loopback,
    /// How it checks where answers to a packet would go; IPv4 alone has this check apart from rules.
    pub way_back: WayBack,
    /// As a bridge it shows the IPv4 packets that it passes on to the device's rules.
    pub bridge_v4: Option<Bridge>,
    /// The same for IPv6.
    pub bridge_v6: Option<Bridge>,
}

/// A bridge whose packets meet the device's rules (`br_netfilter`): those between two ports, and those that a
/// translation turns back into it. A bridge sends nothing out by the port that it came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bridge {
    /// How many ports it has, if that is known.
    pub ports: Option<u16>,
    /// How those who talk are joined to it: 0, it is no bridge (or their ports are the same, where it is known to be
    /// one); 1, by the same port; any other value, by different ports.
    pub joined: DoubtId,
}

/// What an interface does with loopback destinations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Loopback {
    /// Packets to them end here.
    #[default]
    Refused,
    /// They are delivered.
    Accepted,
    /// Nobody knows: 1 of this doubt means delivered.
    Unknown(DoubtId),
}

/// How an interface checks where answers to a packet would go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WayBack {
    /// Not at all.
    #[default]
    Unchecked,
    /// There must be a route to the source.
    Any {
        /// Routing rules see the packet's mark.
        marked: bool,
    },
    /// The route to the source must lead out by this interface.
    Same {
        /// Routing rules see the packet's mark.
        marked: bool,
    },
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RouteTarget {
    /// Out by the interface with this index, to this next hop, or to the destination itself.
    Via(usize, Option<IpAddr>),
    /// Silently discarded.
    Blackhole,
    /// Answered "unreachable" or "prohibited".
    Unreachable,
    /// Delivered to the device itself, whatever the address.
    Own,
    /// No way in this table: the next routing rule decides (`throw`).
    Next,
    /// One of several ways, each an interface with a next hop; nobody knows which, and this doubt says so.
    OneOf(Box<[(usize, Option<IpAddr>)]>, DoubtId),
}

impl RouteTarget {
    /// The ways out that it may mean.
    pub fn ways(&self) -> Vec<(usize, Option<IpAddr>)> {
        match self {
            Self::Via(iface, hop) => vec![(*iface, *hop)],
            Self::OneOf(list, _) => list.to_vec(),
            Self::Blackhole | Self::Unreachable | Self::Own | Self::Next => Vec::new(),
        }
    }
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Destination.
    pub to: IpNet,
    /// Where it leads.
    pub target: RouteTarget,
    /// Table number; 254 is the main table.
    pub table: u32,
    /// Lower is preferred among routes to the same destination.
    pub metric: u32,
}

/// A policy routing rule; the first whose conditions hold and that has a way decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingRule {
    /// Order.
    pub priority: u32,
    /// Family it applies to.
    pub family: Family,
    /// It is for the packets that do not meet the conditions.
    pub inverted: bool,
    /// Source prefix.
    pub from: Option<IpNet>,
    /// Destination prefix.
    pub to: Option<IpNet>,
    /// Incoming interface name.
    pub iif: Option<Box<str>>,
    /// Packet mark: value and mask.
    pub mark: Option<(u32, u32)>,
    /// Transport protocol number.
    pub proto: Option<u8>,
    /// Source ports.
    pub sports: Option<(u16, u16)>,
    /// Destination ports.
    pub dports: Option<(u16, u16)>,
    /// Whether further conditions hold for packets that are passed on.
    pub passing: Holds,
    /// The same for packets that the device itself sends.
    pub own: Holds,
    /// What it does.
    pub action: RuleAction,
    /// Table to look in.
    pub table: u32,
    /// Packets for the device's own addresses obey it too, as with pf's `route-to`.
    pub even_own: bool,
}

impl RoutingRule {
    /// A rule for every packet of a family: look in this table.
    pub fn every(priority: u32, family: Family, table: u32) -> Self {
        Self {
            priority,
            family,
            inverted: false,
            from: None,
            to: None,
            iif: None,
            mark: None,
            proto: None,
            sports: None,
            dports: None,
            passing: Holds::Yes,
            own: Holds::Yes,
            action: RuleAction::LookUp { longer_than: None, not_group: None },
            table,
            even_own: false,
        }
    }
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nobody knows: 1 of this doubt means that it does.
    Unknown(DoubtId),
}

/// What a routing rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleAction {
    /// Looks in its table, and lets go on what it finds no way for there.
    LookUp {
        /// Routes whose prefix is not longer than this are no way (`suppress_prefixlength`).
        longer_than: Option<u8>,
        /// Routes by interfaces of this group are no way (`suppress_ifgroup`).
        not_group: Option<u32>,
    },
    /// Ends the packet.
    Discard,
    /// Goes on with the first rule of this priority.
    GoTo(u32),
    /// Nothing.
    Nothing,
}

/// A socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Transport protocol number.
    pub proto: u8,
    /// Ports.
    pub ports: (u16, u16),
    /// Bound address; absent: all of the device's addresses.
    pub bind: Option<IpAddr>,
    /// What listens there, for reports.
    pub name: Box<str>,
    /// Its answers by UDP come from the address that routing picks for the caller, not from the one that was called: a
    /// socket of no address whose program does not ask which one that was (`IP_PKTINFO`, ip(7)).
    pub answers_as_routed: bool,
}

impl Device {
    /// It stands between others: it passes packets on, and no product runs on it.
    pub fn is_router(&self) -> bool {
        self.forwards && !self.is_host
    }

    /// All addresses that packets are delivered to: own and of the hosts it stands for.
    pub fn own_addresses(&self, family: Family) -> Set {
        Set::from_ranges(self.interfaces.iter().flat_map(|i| i.owned_ranges(family)))
    }

    /// Index of an interface by name.
    pub fn interface(&self, name: &str) -> Option<usize> {
        self.interfaces.iter().position(|i| &*i.name == name)
    }
}

impl Interface {
    /// The bridge that it is, where its packets of this family meet rules.
    pub fn bridge(&self, family: Family) -> Option<Bridge> {
        match family {
            Family::V4 => self.settings.bridge_v4,
            Family::V6 => self.settings.bridge_v6,
        }
    }

    /// Packets of this family that arrive here are passed on, on a device that forwards.
    pub fn passes_on(&self, family: Family) -> bool {
        match family {
            Family::V4 => !self.settings.keeps_v4,
            Family::V6 => !self.settings.keeps_v6,
        }
    }

    /// Its name for people.
    pub fn shown(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }

    /// Addresses on this interface: own and of the hosts it stands for.
    pub fn owned(&self, family: Family) -> Set {
        Set::from_ranges(self.owned_ranges(family))
    }

    fn owned_ranges(&self, family: Family) -> impl Iterator<Item = (u128, u128)> + '_ {
        let hosts = match family {
            Family::V4 => &self.hosts_v4,
            Family::V6 => &self.hosts_v6,
        };
        let own = self.addresses.iter().filter(move |n| Family::of(n.addr()) == family).map(|n| {
            let v = address_value(n.addr());
            (v, v)
        });
        own.chain(hosts.ranges().iter().copied())
    }
}
