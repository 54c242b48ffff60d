//! From an export to the rules of pf that pfSense makes of it.
//!
//! Followed: `src/etc/inc/filter.inc` of pfSense, as its output shows it (versions 2.7.2, 2.8, 2.9). Rules about other
//! protocols than TCP and UDP are left out, as are labels, logging, queues and timeouts.

mod bridges;
mod filter;
mod forward;
mod names;
mod one_to_one;
mod outbound;
mod reserved;
mod services;
mod system;

pub(super) use names::parse_net;

use super::config::{Addressing, Config, Interface, Local, Place};
use super::lines::{default_gateway, is_tunnel, outside, there};
use crate::dialect::pf::ast::{Entry, On, Ruleset, Table, Unread};
pub use crate::dialect::{Known, LeftOut};
use crate::model::{self, Family, Origin, RouteTarget};
use ipnet::IpNet;
use std::net::IpAddr;

/// The rules, and what is left out of them.
#[derive(Debug, Clone, Default)]
pub struct Generated {
    /// The rules.
    pub rules: Ruleset,
    /// Rules that are on, but are not loaded.
    pub left_out: Vec<LeftOut>,
}

/// Makes the rules. `interfaces`: with all addresses that are known by now, also those that come from the line.
pub fn generate(config: &Config, interfaces: &[model::Interface], known: &Known) -> Generated {
    let mut g =
        Generator { config, interfaces, known, out: Generated::default(), loading: Vec::new(), proxy_port: 19000 };
    g.out.rules.off = config.system.filter_off;
    g.out.rules.statements = config.statements;
    g.out.rules.all_named = true;
    // Before 2.8 pf's own default held: states are not bound.
    g.out.rules.if_bound = config.system.if_bound.unwrap_or(g.since_2_8());
    for (place, why) in &config.unread {
        let origin = Origin { at: *place, has_lines: true, ..Origin::default() };
        g.out.rules.unread.push(Unread { origin, why: why.as_str().into() });
    }
    g.groups();
    g.network_tables();
    g.reserved_tables();
    g.one_to_one();
    g.outbound();
    g.forwards();
    g.one_to_one_reflection();
    g.system_rules();
    g.user_rules();
    g.last_rules();
    g.out
}

struct Generator<'a> {
    config: &'a Config,
    interfaces: &'a [model::Interface],
    known: &'a Known,
    out: Generated,
    /// Aliases that are being put together, outermost first.
    loading: Vec<String>,
    /// Next port of the reflection proxies.
    proxy_port: u16,
}

/// The last port of the reflection proxies, one budget for all forwards (`filter_generate_reflection_proxy`).
const LAST_PROXY_PORT: u16 = 19990;

impl<'a> Generator<'a> {
    fn enabled(&self) -> impl Iterator<Item = &'a Interface> + use<'a> {
        self.config.interfaces.iter().filter(|i| i.enabled)
    }

    /// The export comes from 2.8 or later, as its format says.
    fn since_2_8(&self) -> bool {
        self.config.version.is_none_or(|v| v >= (23, 4))
    }

    fn interface(&self, name: &str) -> Option<&'a Interface> {
        self.enabled().find(|i| i.name == name)
    }

    fn addresses(&self, iface: &Interface, family: Family) -> Vec<IpNet> {
        let here = self.interfaces.iter().find(|i| *i.name == *iface.device);
        let all = here.into_iter().flat_map(|i| &i.addresses).copied();
        all.filter(|n| Family::of(n.addr()) == family && !link_local(n.addr())).collect()
    }

    /// The interface's own address, not its virtual ones.
    fn address(&self, iface: &Interface, family: Family) -> Option<IpNet> {
        let set = if family == Family::V4 { &iface.v4 } else { &iface.v6 };
        match set {
            Addressing::Static(net) if Family::of(net.addr()) == family => Some(*net),
            // Tunnels bring their own.
            Addressing::None if !is_tunnel(&iface.device) && self.plain_tunnel(iface).next().is_none() => None,
            _ => {
                let mut all = self.addresses(iface, family).into_iter();
                all.find(|n| !self.config.virtual_addresses.iter().any(|v| v.net.addr() == n.addr()))
            }
        }
    }

    fn plain_tunnel(&self, iface: &Interface) -> impl Iterator<Item = IpNet> + use<'_> {
        let device = iface.device.clone();
        self.config.plain_tunnels.iter().filter(move |(d, _)| *d == device).map(|(_, n)| *n)
    }

    /// An address that the line tells and nothing here does.
    fn address_untold(&self, iface: &Interface, family: Family) -> bool {
        let set = if family == Family::V4 { &iface.v4 } else { &iface.v6 };
        let off = family == Family::V6 && !self.config.system.ipv6;
        matches!(set, Addressing::Line(_))
            && !off
            && self.has_lease(iface, family)
            && self.address(iface, family).is_none()
    }

    fn has_lease(&self, iface: &Interface, family: Family) -> bool {
        !self.known.no_lease.contains(&(iface.device.clone(), family))
    }

    /// It leads outside. Only of DHCP it is the lease that decides (`interface_has_gateway`).
    fn outside(&self, iface: &Interface, family: Family) -> bool {
        let dhcp = matches!(&iface.v4, Addressing::Line(how) if how == "dhcp");
        outside(self.config, iface, family) && (family == Family::V6 || !dhcp || self.has_lease(iface, family))
    }

    /// A line with a gateway, and its address as far as it is known (`get_interface_gateway`).
    fn hop(&self, iface: &Interface, family: Family) -> Option<Hop> {
        if !outside(self.config, iface, family) || iface.device.starts_with("ipsec") {
            return None;
        }
        let index = usize::from(family == Family::V6);
        let named = iface.gateway[index].as_ref();
        let gateway = named.and_then(|name| self.config.gateways.iter().find(|g| g.name == *name));
        let set = if family == Family::V4 { &iface.v4 } else { &iface.v6 };
        match gateway.and_then(|g| g.address) {
            Some(address) => (Family::of(address) == family).then_some(Hop(Some(address))),
            None if matches!(set, Addressing::Static(_)) => None,
            None => self.has_lease(iface, family).then(|| {
                // A gateway of this line that stands under another name.
                let told = |g: &&crate::dialect::pfsense::config::Gateway| {
                    g.dynamic && g.interface == iface.name && g.family == family
                };
                Hop(self.config.gateways.iter().find(told).and_then(|g| g.address))
            }),
        }
    }

    /// Interfaces of a rule by the name of the interface, group or tab.
    fn on(&self, name: &str) -> Option<On> {
        let one = |name: &str| Some(On { negate: false, names: vec![name.into()] });
        if let Some(iface) = self.interface(name) {
            return one(&iface.device);
        }
        let group = self.config.groups.iter().any(|(g, _)| g == name);
        if group || self.tabs().contains(&name) { one(name) } else { None }
    }

    /// Tabs of services that make devices of their own (`filter_generate_optcfg_array`).
    fn tabs(&self) -> Vec<&'static str> {
        let mut out: Vec<&'static str> = self.config.dial_in.iter().map(|d| d.tab).collect();
        out.dedup();
        out.extend(self.config.ipsec.is_some().then_some("enc0"));
        out.extend((!self.config.openvpn.is_empty()).then_some("openvpn"));
        out
    }

    fn groups(&mut self) {
        for (name, members) in &self.config.groups {
            let devices = members.iter().filter_map(|m| self.interface(m)).map(|i| i.device.as_str().into());
            let devices: Vec<Box<str>> = devices.collect();
            self.out.rules.groups.insert(name.as_str().into(), devices);
        }
        // Tunnel devices belong to a group of their kind.
        let tunnels = self.interfaces.iter().filter(|i| i.name.starts_with("ovpn")).map(|i| i.name.clone());
        self.out.rules.groups.insert("openvpn".into(), tunnels.collect());
        for tab in self.config.dial_in.iter().map(|d| d.tab) {
            let devices = self.interfaces.iter().filter(|i| i.name.starts_with(tab)).map(|i| i.name.clone());
            self.out.rules.groups.insert(tab.into(), devices.collect());
        }
    }

    /// `<LAN__NETWORK>` and its like: networks and virtual addresses of an interface. A group has those of its members.
    fn network_tables(&mut self) {
        for iface in self.enabled() {
            let origin = Origin { at: iface.at, has_lines: true, ..Origin::default() };
            self.network_table(&iface.name, &[iface], &[Family::V4, Family::V6], origin);
        }
        // 2.7 gives groups no IPv6 networks.
        let families: &[Family] = if self.since_2_8() { &[Family::V4, Family::V6] } else { &[Family::V4] };
        for (name, members) in &self.config.groups {
            let members: Vec<&Interface> = members.iter().filter_map(|m| self.interface(m)).collect();
            self.network_table(name, &members, families, Origin::default());
        }
    }

    fn network_table(&mut self, name: &str, of: &[&Interface], families: &[Family], origin: Origin) {
        let mut table = Table { origin, ..Table::default() };
        let mut entries: Vec<Entry> = Vec::new();
        let mut open: Vec<Family> = Vec::new();
        for iface in of {
            for family in families {
                entries.extend(self.addresses(iface, *family).into_iter().map(|n| Entry::Net(n.trunc())));
                if self.address_untold(iface, *family) {
                    table.unknown.get_or_insert_with(|| names::untold(iface, *family));
                    open.push(*family);
                }
            }
            let virt = self.config.virtual_addresses.iter().filter(|v| v.interface == iface.name);
            let virt = virt.filter(|v| families.contains(&Family::of(v.net.addr())));
            entries.extend(virt.map(|v| Entry::Net(v.net.trunc())));
        }
        table.only = open.first().copied().filter(|f| open.iter().all(|o| o == f));
        table.entries = entries.into();
        self.out.rules.tables.insert(network_table(name).into(), table);
    }

    fn leave_out(&mut self, at: Place, rule: &str, why: impl Into<String>) {
        self.out.left_out.push(LeftOut { at, rule: rule.to_owned(), why: why.into() });
    }
}

/// The next hop of a line that has one; a backup does not hold what the line tells when it comes up.
#[derive(Debug, Clone, Copy)]
struct Hop(Option<IpAddr>);

fn network_table(interface: &str) -> String {
    format!("{}__NETWORK", interface.to_uppercase())
}

fn link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(a) if a.is_unicast_link_local())
}

/// The device that an export describes: interfaces with the addresses that it holds, and routes.
pub fn device(config: &Config, name: &str) -> model::Device {
    let mut out =
        model::Device { name: name.into(), forwards: true, loopback_by_translation: true, ..model::Device::default() };
    for iface in config.interfaces.iter().filter(|i| i.enabled) {
        let fixed = [&iface.v4, &iface.v6].into_iter().filter_map(|a| match a {
            Addressing::Static(net) => Some(*net),
            _ => None,
        });
        let mut addresses: Vec<IpNet> = fixed.collect();
        let virt = config.virtual_addresses.iter().filter(|v| v.interface == iface.name);
        let (own, answered): (Vec<_>, Vec<_>) = virt.partition(|v| ["carp", "ipalias"].contains(&v.mode.as_str()));
        addresses.extend(own.iter().map(|v| v.net));
        addresses.extend(config.plain_tunnels.iter().filter(|(d, _)| *d == iface.device).map(|(_, n)| *n));
        let mut made =
            model::Interface { name: iface.device.as_str().into(), addresses, ..model::Interface::default() };
        made.label = iface.descr.as_str().into();
        let private = |n: &IpNet| matches!(n.addr(), IpAddr::V4(a) if a.is_private());
        // A gateway in a private network may as well be an inner router.
        made.leased = matches!(iface.v4, Addressing::Line(_));
        made.line = outside(config, iface, Family::V4) && !made.addresses.iter().any(private);
        for v in answered {
            let (lo, hi) = model::prefix_range(v.net.trunc());
            let set = crate::cube::Set::range(lo, hi);
            if v.net.addr().is_ipv4() {
                made.hosts_v4 = made.hosts_v4.or(&set);
            } else {
                made.hosts_v6 = made.hosts_v6.or(&set);
            }
        }
        out.interfaces.push(made);
    }
    for server in config.openvpn.iter().filter(|o| o.enabled && o.device.starts_with("ovpns")) {
        let nets = server.tunnel.iter().filter_map(|n| Some(IpNet::new_assert(n.hosts().next()?, n.prefix_len())));
        match out.interface(&server.device) {
            Some(i) if !out.interfaces[i].addresses.is_empty() => {}
            Some(i) => out.interfaces[i].addresses.extend(nets),
            None => out.interfaces.push(model::Interface {
                name: server.device.as_str().into(),
                addresses: nets.collect(),
                ..model::Interface::default()
            }),
        }
    }
    for (i, server) in config.dial_in.iter().enumerate() {
        let clients = server.clients;
        if let Some(first) = clients.hosts().next() {
            out.interfaces.push(model::Interface {
                name: format!("{}{i}", server.tab).into(),
                addresses: vec![IpNet::new_assert(first, clients.prefix_len())],
                ..model::Interface::default()
            });
        }
    }
    if config.ipsec.is_some() {
        out.interfaces.push(model::Interface { name: "enc0".into(), ..model::Interface::default() });
    }
    routes(config, &mut out);
    tunnels(config, &mut out);
    out
}

/// Routing tables of the policies of `IPsec`: `route-to` and `reply-to` come before them, all else behind.
const POLICIES: u32 = 0x6000_0000;

/// What a policy of `IPsec` names goes into its tunnel, whatever the routes say.
fn tunnels(config: &Config, out: &mut model::Device) {
    let Some(device) = out.interface("enc0") else { return };
    let mut some = false;
    for (number, policy) in config.ipsec.iter().flat_map(|i| &i.policies).enumerate() {
        let family = Family::of(policy.remote.addr());
        let Some(local) = local_net(config, &policy.local, family) else { continue };
        let table = POLICIES + u32::try_from(number).unwrap_or(0);
        let to = IpNet::new_assert(family.address(0), 0);
        out.routes.push(model::Route { to, target: RouteTarget::Via(device, None), table, metric: 0 });
        let (from, to) = (Some(local), Some(policy.remote));
        out.routing_rules.push(model::RoutingRule { from, to, ..model::RoutingRule::every(1000, family, table) });
        some = true;
    }
    if some {
        for family in [Family::V4, Family::V6] {
            let main = crate::dialect::iproute::MAIN;
            out.routing_rules.push(model::RoutingRule::every(u32::MAX, family, main));
        }
    }
}

/// A network that a tunnel names, as far as the export holds it.
fn local_net(config: &Config, local: &Local, family: Family) -> Option<IpNet> {
    match local {
        Local::Net(net) => Some(net.trunc()).filter(|n| Family::of(n.addr()) == family),
        Local::Interface(name) => {
            let iface = config.interfaces.iter().find(|i| i.enabled && i.name == *name)?;
            match if family == Family::V4 { &iface.v4 } else { &iface.v6 } {
                Addressing::Static(net) => Some(net.trunc()),
                Addressing::None | Addressing::Line(_) => None,
            }
        }
    }
}

fn routes(config: &Config, out: &mut model::Device) {
    let device_of = |name: &str| config.interfaces.iter().find(|i| i.enabled && i.name == name).map(|i| &*i.device);
    let gateway = |name: &str| config.gateways.iter().find(|g| g.name == name && there(config, g));
    let main = crate::dialect::iproute::MAIN;
    for (to, name) in &config.routes {
        let Ok(to) = to.parse::<IpNet>() else { continue };
        // Null4 and Null6 drop (`return_gateways_array`).
        if ["Null4", "Null6"].contains(&name.as_str()) {
            out.routes.push(model::Route { to, target: RouteTarget::Blackhole, table: main, metric: 0 });
            continue;
        }
        let Some(gateway) = gateway(name) else { continue };
        let index = device_of(&gateway.interface).and_then(|d| out.interface(d));
        if let Some(i) = index {
            let target = RouteTarget::Via(i, gateway.address);
            out.routes.push(model::Route { to, target, table: main, metric: 0 });
        }
    }
    for family in [Family::V4, Family::V6] {
        let Some(gateway) = default_gateway(config, family) else { continue };
        let Some(i) = device_of(&gateway.interface).and_then(|d| out.interface(d)) else { continue };
        let hop = gateway.address.filter(|h| Family::of(*h) == family);
        let to = IpNet::new_assert(family.address(0), 0);
        out.routes.push(model::Route { to, target: RouteTarget::Via(i, hop), table: main, metric: 0 });
    }
}
