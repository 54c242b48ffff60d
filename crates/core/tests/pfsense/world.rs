//! A firewall with networks around it, from a configuration or from rules.

use crate::pfsense::facts::Facts;
use crate::pfsense::fates::Fate;
use callpath_core::cube::{Cube, Set};
use callpath_core::dialect::pf;
use callpath_core::dialect::pfsense::{generate, read, secrets};
use callpath_core::model::{
    Device, Family, Hook, Interface, Part, Route, RouteTarget, SourceId, address_value, prefix_range,
};
use callpath_core::trace::{Answer, Did, Network, Question};
use ipnet::IpNet;
use std::net::IpAddr;

pub struct World {
    pub network: Network,
    pub router: usize,
    pub from_rules: bool,
    internet: usize,
    /// Groups of hosts behind each inner interface: device, network.
    inner: Vec<(usize, IpNet)>,
    /// Addresses that flows ask for.
    targets: Vec<IpAddr>,
}

impl World {
    pub fn of_config(name: &str, xml: &str, rules: &str, facts: &Facts) -> Self {
        let (config, mut device, known) = base(name, xml, rules, facts);
        let generated = generate::generate(&config, &device.interfaces, &known);
        pf::lower::lower(&generated.rules, &mut device);
        Self::around(device, &config, false)
    }

    pub fn of_rules(name: &str, xml: &str, rules: &str, facts: &Facts) -> Self {
        let (config, mut device, known) = base(name, xml, rules, facts);
        let mut parsed = pf::text::parse(SourceId(0), rules);
        assert!(parsed.unread.is_empty(), "{name}: {:?}", parsed.unread);
        for (alias, entries) in &known.tables {
            if let Some(table) = parsed.tables.get_mut(alias.as_str()) {
                table.entries = entries.clone().into();
                table.unknown = None;
            }
        }
        let tunnels = device.interfaces.iter().filter(|i| i.name.starts_with("ovpn")).map(|i| i.name.clone());
        parsed.groups.insert("openvpn".into(), tunnels.collect());
        for (group, members) in &config.groups {
            let devices = members.iter().filter_map(|m| config.interfaces.iter().find(|i| i.enabled && i.name == *m));
            parsed.groups.insert(group.as_str().into(), devices.map(|i| i.device.as_str().into()).collect());
        }
        parsed.all_named = true;
        pf::lower::lower(&parsed, &mut device);
        Self::around(device, &config, true)
    }

    #[allow(clippy::too_many_lines)] // one network, piece by piece
    pub fn around(
        mut device: Device,
        config: &callpath_core::dialect::pfsense::config::Config,
        from_rules: bool,
    ) -> Self {
        let default = |d: &Device, i: usize| {
            d.routes.iter().any(|r| r.to.prefix_len() == 0 && matches!(r.target, RouteTarget::Via(x, _) if x == i))
        };
        let gateways: Vec<usize> = config
            .interfaces
            .iter()
            .filter(|i| i.enabled && (i.gateway[0].is_some() && !is_private(&i.v4) || from_line(&i.v4)))
            .filter_map(|i| device.interface(&i.device))
            .collect();
        let outer: Vec<usize> = (0..device.interfaces.len())
            .filter(|i| default(&device, *i) || gateways.contains(i) || &*device.interfaces[*i].name == "em0")
            .collect();
        let mut targets: Vec<IpAddr> = Vec::new();
        let mut inner_nets = Vec::new();
        for (i, iface) in device.interfaces.iter_mut().enumerate() {
            iface.segment = if outer.contains(&i) { 0 } else { i + 1 };
            targets.extend(iface.addresses.iter().map(IpNet::addr));
            if !outer.contains(&i) {
                inner_nets.extend(iface.addresses.iter().filter(|n| !link_local(**n)).map(|n| (i, *n)));
            }
        }
        // Static routes lead to hosts behind the same segment.
        let main: Vec<Route> = device.routes.iter().filter(|r| r.to.prefix_len() > 0).cloned().collect();
        for route in &main {
            if let RouteTarget::Via(i, _) = route.target {
                inner_nets.push((i, route.to));
            }
        }
        let mut devices = vec![device.clone()];
        let mut inner = Vec::new();
        for i in (0..device.interfaces.len()).filter(|i| !outer.contains(i)) {
            let own = &device.interfaces[i];
            let nets: Vec<IpNet> = inner_nets.iter().filter(|(x, _)| *x == i).map(|(_, n)| *n).collect();
            let all = |family: Family| {
                let ranges = nets.iter().filter(|n| Family::of(n.addr()) == family).map(|n| prefix_range(n.trunc()));
                let hops = main.iter().filter_map(|r| match r.target {
                    RouteTarget::Via(x, Some(h)) if x == i && Family::of(h) == family => {
                        Some((address_value(h), address_value(h)))
                    }
                    _ => None,
                });
                Set::from_ranges(ranges.chain(hops)).minus(&own.owned(family))
            };
            let iface = Interface {
                name: "eth0".into(),
                segment: i + 1,
                hosts_v4: all(Family::V4),
                hosts_v6: all(Family::V6),
                ..Interface::default()
            };
            let gateway = |family| own.addresses.iter().map(IpNet::addr).find(|a| Family::of(*a) == family);
            let routes =
                [Family::V4, Family::V6].into_iter().filter_map(|f| gateway(f).map(|g| (f, g))).flat_map(|(f, g)| {
                    let via = |to, hop| Route { to, target: RouteTarget::Via(0, hop), table: 254, metric: 0 };
                    [via(IpNet::from(g), None), via(IpNet::new_assert(f.address(0), 0), Some(g))]
                });
            inner.extend(nets.iter().map(|n| (devices.len(), *n)));
            devices.push(Device {
                name: format!("inner {i}").into(),
                interfaces: vec![iface],
                routes: routes.collect(),
                ..Device::default()
            });
        }
        let site = |family: Family| {
            let own = device.interfaces.iter().fold(Set::empty(), |all, i| all.or(&i.owned(family)));
            let nets =
                inner_nets.iter().filter(|(_, n)| Family::of(n.addr()) == family).map(|(_, n)| prefix_range(n.trunc()));
            let prefix: IpNet = "2001:db8:ab00::/48".parse().expect("net");
            let delegated = if family == Family::V6 { vec![prefix_range(prefix)] } else { Vec::new() };
            own.or(&Set::from_ranges(nets.chain(delegated)))
        };
        let mut iface = Interface { name: "internet".into(), segment: 0, ..Interface::default() };
        iface.hosts_v4 = Set::range(0x0100_0000, 0xdfff_ffff).minus(&site(Family::V4));
        iface.hosts_v6 = Set::range(1 << 120, (0xff << 120) - 1).minus(&site(Family::V6));
        let mut routes = Vec::new();
        for i in &outer {
            for net in &device.interfaces[*i].addresses {
                routes.push(Route { to: net.addr().into(), target: RouteTarget::Via(0, None), table: 254, metric: 0 });
            }
        }
        for set in outer.iter().map(|i| &device.interfaces[*i].hosts_v4) {
            for (lo, _) in set.ranges() {
                routes.push(Route {
                    to: Family::V4.address(*lo).into(),
                    target: RouteTarget::Via(0, None),
                    table: 254,
                    metric: 0,
                });
                targets.push(Family::V4.address(*lo));
            }
        }
        let v6 = outer
            .iter()
            .flat_map(|i| &device.interfaces[*i].addresses)
            .map(IpNet::addr)
            .find(|a| matches!(a, IpAddr::V6(v) if !v.is_unicast_link_local()));
        if let Some(hop) = v6 {
            let to: IpNet = "2001:db8:ab00::/48".parse().expect("net");
            routes.push(Route { to, target: RouteTarget::Via(0, Some(hop)), table: 254, metric: 0 });
        }
        let internet = devices.len();
        devices.push(Device { name: "internet".into(), interfaces: vec![iface], routes, ..Device::default() });
        for extra in [
            "185.10.10.10",
            "192.168.1.50",
            "192.168.20.50",
            "84.20.30.40",
            "2001:db8:ab00:1::50",
            "2001:db8:ab00:9::50",
            "2a00:1450::5",
            "10.99.0.5",
            "127.0.0.1",
            "10.50.0.9",
        ] {
            targets.push(extra.parse().expect("address"));
        }
        targets.sort();
        targets.dedup();
        Self {
            network: Network { devices: devices.into(), ..Network::default() },
            router: 0,
            from_rules,
            internet,
            inner,
            targets,
        }
    }

    /// Every vantage, every target, every port, both protocols and families.
    pub fn questions(&self) -> Vec<Question> {
        let mut out = Vec::new();
        let sources = |family: Family| -> Vec<(usize, Set)> {
            let all = self.inner.iter().filter(|(_, n)| Family::of(n.addr()) == family);
            let mut list: Vec<(usize, Set)> = all
                .map(|(d, _)| (*d, self.network.devices[*d].own_addresses(family)))
                .filter(|(_, s)| !s.is_empty())
                .collect();
            list.push((self.internet, self.network.devices[self.internet].own_addresses(family)));
            list.push((self.router, self.network.devices[self.router].own_addresses(family)));
            list.dedup_by_key(|(d, _)| *d);
            list
        };
        for target in &self.targets {
            let family = Family::of(*target);
            for (from, set) in sources(family) {
                let parts = [
                    set,
                    Set::one(address_value(*target)),
                    Set::range(1, 65535),
                    Set::range(1, 65535),
                    Set::from_ranges([(6, 6), (17, 17)]),
                ];
                out.push(Question { from, family, packets: Cube { parts, vars: Vec::new() } });
            }
        }
        out
    }

    /// Device and address of a flow's sender.
    pub fn sender(&self, fate: &Fate, family: Family) -> Result<(usize, IpAddr), String> {
        let given: Option<IpAddr> = fate.src.parse().ok();
        let text = match (fate.from.as_str(), family) {
            ("internet" | "isp-lan", _) => return Ok((self.internet, given.ok_or("no source")?)),
            ("firewall", _) => {
                let iface = self.network.devices[0].interfaces.iter().find(|i| &*i.name == "em0").ok_or("no em0")?;
                let own =
                    iface.addresses.iter().map(IpNet::addr).find(|a| Family::of(*a) == family).ok_or("no address")?;
                return Ok((0, own));
            }
            ("lan", Family::V4) => "192.168.1.100",
            ("voip", Family::V4) => "192.168.20.100",
            _ => "",
        };
        let source = given.or_else(|| text.parse().ok()).ok_or("no source")?;
        let owner =
            (1..self.internet).find(|d| self.network.devices[*d].own_addresses(family).contains(address_value(source)));
        owner.map(|d| (d, source)).ok_or_else(|| format!("nobody has {source}"))
    }

    /// Trackers of the rules that decided about the request on one side.
    pub fn trackers(&self, answer: &Answer, packet: &Cube, out: bool) -> Vec<u64> {
        let hook = if out { Hook::Postrouting } else { Hook::Prerouting };
        let pipeline = &self.network.devices[0].pipeline;
        let of = |t: &callpath_core::trace::RoundTrip| {
            let hop = t.request.hops.iter().find(|h| h.device == 0)?;
            let last = hop.steps.iter().rev().filter(|s| s.hook == hook).find_map(|s| match s.did {
                Did::Rule(id) => Some(id),
                _ => None,
            })?;
            pipeline.origin(last).handle
        };
        let trips = answer.trips.iter().filter(|t| t.asked.part(Part::DstPort).intersects(packet.part(Part::DstPort)));
        trips.filter_map(of).collect()
    }
}

fn base(
    name: &str,
    xml: &str,
    rules: &str,
    facts: &Facts,
) -> (callpath_core::dialect::pfsense::config::Config, Device, generate::Known) {
    let mut config = read::read(SourceId(0), &secrets::blank(xml)).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    // As a restore does: the format is brought up to the running version first.
    let (name, version) = name.split_once(' ').unwrap_or((name, ""));
    config.version = Some(if version == "v2.7.2" { (23, 3) } else { (24, 5) });
    // No packages were on that machine.
    config.packages.clear();
    for gateway in config.gateways.iter_mut().filter(|g| g.address.is_none()) {
        let device = config.interfaces.iter().find(|i| i.name == gateway.interface).map(|i| &i.device);
        gateway.address = device.and_then(|d| facts.lease(name, d, gateway.family));
    }
    for gateway in &mut config.gateways {
        // A gateway that the machine had no address of is an empty macro.
        let empty = format!("GW{} = \"", gateway.name);
        let empty = |l: &str| l.strip_prefix(&empty).is_some_and(|v| v.trim_matches(['"', ' ']).is_empty());
        gateway.down |= facts.down(name, &gateway.name) || rules.lines().any(empty);
    }
    let mut device = generate::device(&config, "router");
    let hand_written = !name.as_bytes()[0].is_ascii_digit();
    for (of, nets) in facts.addresses(name, hand_written) {
        if let Some(i) = device.interface(&of) {
            for net in nets {
                if !device.interfaces[i].addresses.iter().any(|n| n.addr() == net.addr()) {
                    device.interfaces[i].addresses.push(net);
                }
            }
        }
    }
    let mut known = facts.known(name);
    for iface in &config.interfaces {
        for family in [Family::V4, Family::V6] {
            let told = facts.lease(name, &iface.device, family).is_some();
            // What was supplied for files of other people stands in a sentence.
            let supplied = !hand_written && family == Family::V4 && !iface.device.starts_with("ovpn");
            if !told && !supplied {
                known.no_lease.insert((iface.device.clone(), family));
            }
        }
    }
    // Lists from URLs that were not there when the rules were made.
    for alias in config.aliases.iter().filter(|a| a.kind.starts_with("url")) {
        known.tables.entry(alias.name.clone()).or_default();
    }
    (config, device, known)
}

fn link_local(net: IpNet) -> bool {
    matches!(net.addr(), IpAddr::V6(a) if a.is_unicast_link_local())
}

fn from_line(v4: &callpath_core::dialect::pfsense::config::Addressing) -> bool {
    matches!(v4, callpath_core::dialect::pfsense::config::Addressing::Line(_))
}

/// A LAN with a gateway in it is still a LAN.
fn is_private(v4: &callpath_core::dialect::pfsense::config::Addressing) -> bool {
    matches!(v4, callpath_core::dialect::pfsense::config::Addressing::Static(net)
        if matches!(net.addr(), IpAddr::V4(a) if a.is_private()))
}
