//! From an export to the rules of pf that pfSense makes of it.
//!
//! Followed: `src/etc/inc/filter.inc` of pfSense, as its output shows it (versions 2.7.2, 2.8, 2.9). Rules about other
//! protocols than TCP and UDP are left out, as are labels, logging, queues and timeouts.

mod filter;
mod forward;
mod names;
mod outbound;
mod system;

pub(super) use names::parse_net;

use super::config::{Addressing, Config, Interface, Place};
use crate::dialect::pf::ast::{Entry, On, Ruleset, Table, Unread};
use crate::model::{self, Family, Origin, RouteTarget};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known beside the export.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Addresses of names that stand in aliases.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// Contents of aliases, as Diagnostics > Tables shows them.
    pub tables: BTreeMap<String, Vec<Entry>>,
}

/// A rule that pfSense leaves out of what it loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands.
    pub at: Place,
    /// Description of the rule.
    pub rule: String,
    /// Why.
    pub why: String,
}

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
            Addressing::None => None,
            _ => {
                let mut all = self.addresses(iface, family).into_iter();
                all.find(|n| !self.config.virtual_addresses.iter().any(|v| v.net.addr() == n.addr()))
            }
        }
    }

    /// A line with a gateway, and its address as far as it is known.
    fn hop(&self, iface: &Interface, family: Family) -> Option<Hop> {
        if !outside(iface, family) || ["ovpn", "ipsec"].iter().any(|t| iface.device.starts_with(t)) {
            return None;
        }
        let index = usize::from(family == Family::V6);
        let named = iface.gateway[index].as_ref();
        let gateway = named.and_then(|name| self.config.gateways.iter().find(|g| g.name == *name));
        Some(Hop(gateway.and_then(|g| g.address)))
    }

    /// Interfaces of a rule by the name of the interface, group or tab.
    fn on(&self, name: &str) -> Option<On> {
        let one = |name: &str| Some(On { negate: false, names: vec![name.into()] });
        if let Some(iface) = self.interface(name) {
            return one(&iface.device);
        }
        let group = self.config.groups.iter().any(|(g, _)| g == name);
        let tab = match name {
            "openvpn" => self.config.openvpn.is_some(),
            "enc0" => self.config.ipsec.is_some(),
            _ => false,
        };
        if group || tab { one(name) } else { None }
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
    }

    /// `<LAN__NETWORK>` and its like: networks and virtual addresses of an interface.
    fn network_tables(&mut self) {
        for iface in self.enabled() {
            let mut entries: Vec<Entry> = Vec::new();
            for family in [Family::V4, Family::V6] {
                entries.extend(self.addresses(iface, family).into_iter().map(|n| Entry::Net(n.trunc())));
            }
            let virt = self.config.virtual_addresses.iter().filter(|v| v.interface == iface.name);
            entries.extend(virt.map(|v| Entry::Net(v.net.trunc())));
            let origin = Origin { at: iface.at, has_lines: true, ..Origin::default() };
            let table = Table { entries: entries.into(), unknown: None, origin };
            self.out.rules.tables.insert(network_table(&iface.name).into(), table);
        }
    }

    fn leave_out(&mut self, at: Place, rule: &str, why: impl Into<String>) {
        self.out.left_out.push(LeftOut { at, rule: rule.to_owned(), why: why.into() });
    }
}

/// The next hop of a line that has one; a backup does not hold what the line tells when it comes up.
#[derive(Debug, Clone, Copy)]
struct Hop(Option<IpAddr>);

/// It leads to the internet: a gateway is set, or the line tells one (`interface_has_gateway`).
fn outside(iface: &Interface, family: Family) -> bool {
    let (set, index) = if family == Family::V4 { (&iface.v4, 0) } else { (&iface.v6, 1) };
    let tunnel = ["ovpn", "ipsec"].iter().any(|t| iface.device.starts_with(t));
    let line = match set {
        Addressing::Line(how) => how != "track6",
        Addressing::None | Addressing::Static(_) => false,
    };
    iface.gateway[index].is_some() || line || tunnel
}

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
        let mut made =
            model::Interface { name: iface.device.as_str().into(), addresses, ..model::Interface::default() };
        made.label = iface.descr.as_str().into();
        let private = |n: &IpNet| matches!(n.addr(), IpAddr::V4(a) if a.is_private());
        // A gateway in a private network may as well be an inner router.
        made.line = outside(iface, Family::V4) && !made.addresses.iter().any(private);
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
    for tunnel in config.openvpn.iter().flatten().enumerate().map(|(i, net)| (format!("ovpns{}", i + 1), *net)) {
        let (device, net) = tunnel;
        if out.interface(&device).is_none()
            && let Some(first) = net.hosts().next()
        {
            let addresses = vec![IpNet::new_assert(first, net.prefix_len())];
            out.interfaces.push(model::Interface { name: device.into(), addresses, ..model::Interface::default() });
        } else if let Some(i) = out.interface(&device)
            && out.interfaces[i].addresses.is_empty()
            && let Some(first) = net.hosts().next()
        {
            out.interfaces[i].addresses.push(IpNet::new_assert(first, net.prefix_len()));
        }
    }
    if config.ipsec.is_some() {
        out.interfaces.push(model::Interface { name: "enc0".into(), ..model::Interface::default() });
    }
    routes(config, &mut out);
    out
}

fn routes(config: &Config, out: &mut model::Device) {
    let device_of = |name: &str| config.interfaces.iter().find(|i| i.enabled && i.name == name).map(|i| &*i.device);
    let gateway = |name: &str| config.gateways.iter().find(|g| g.name == name);
    for (to, name) in &config.routes {
        let (Ok(to), Some(gateway)) = (to.parse::<IpNet>(), gateway(name)) else { continue };
        let index = device_of(&gateway.interface).and_then(|d| out.interface(d));
        if let Some(i) = index {
            let target = RouteTarget::Via(i, gateway.address);
            out.routes.push(model::Route { to, target, table: crate::dialect::iproute::MAIN, metric: 0 });
        }
    }
    for net in config.ipsec.iter().flatten() {
        if let Some(i) = out.interface("enc0") {
            let target = RouteTarget::Via(i, None);
            out.routes.push(model::Route { to: *net, target, table: crate::dialect::iproute::MAIN, metric: 0 });
        }
    }
    for (family, index) in [(Family::V4, 0), (Family::V6, 1)] {
        let named = config.default_gateway[index].as_deref();
        let tier = |group: &[(String, u8)]| {
            let first = group.iter().map(|m| m.1).min();
            group.iter().find(|m| Some(m.1) == first).map(|m| m.0.clone())
        };
        let group = config.gateway_groups.iter().find(|g| Some(g.0.as_str()) == named).and_then(|g| tier(&g.1));
        let by_name = group.as_deref().or(named).and_then(gateway);
        let of_family = || config.gateways.iter().filter(|g| g.family == family && !g.down);
        // Without a choice the one marked as default, else the first on an interface that leads outside.
        let chosen = by_name
            .or_else(|| of_family().find(|g| g.default))
            .or_else(|| {
                of_family().find(|g| {
                    config.interfaces.iter().any(|i| i.enabled && i.gateway[index].as_deref() == Some(&g.name))
                })
            })
            .or_else(|| of_family().find(|g| g.interface == "wan"));
        let line = config.interfaces.iter().find(|i| {
            let set = if family == Family::V4 { &i.v4 } else { &i.v6 };
            i.enabled && matches!(set, Addressing::Line(how) if how != "track6")
        });
        let target = match (chosen, line) {
            (Some(g), _) => device_of(&g.interface).and_then(|d| out.interface(d)).map(|i| (i, g.address)),
            (None, Some(iface)) => out.interface(&iface.device).map(|i| (i, None)),
            (None, None) => None,
        };
        if let Some((i, hop)) = target {
            let to = IpNet::new_assert(family.address(0), 0);
            let hop = hop.filter(|h| Family::of(*h) == family);
            let target = RouteTarget::Via(i, hop);
            out.routes.push(model::Route { to, target, table: crate::dialect::iproute::MAIN, metric: 0 });
        }
    }
}
