//! The device of a configuration with what surrounds it.

use crate::generated::fates::Fate;
use crate::generated::folder::Folder;
use crate::generated::seen::value;
use callpath_core::cube::Set;
use callpath_core::dialect::iproute::Leads;
use callpath_core::model::{
    Bridge, Device, Doubt, DoubtKind, Endpoint, Family, Interface, Loopback, Origin, Pipeline, Route, RouteTarget,
    Settings, WayBack, address_value, prefix_range,
};
use callpath_core::trace::{Answer, Choice, Network, RoundTrip};
use ipnet::IpNet;
use std::net::IpAddr;

/// Name of the program that takes published ports.
pub const RELAY: &str = "docker-proxy";

pub struct World {
    pub network: Network,
    /// Names of vantages with device and addresses; the device itself is 0.
    hosts: Vec<(String, usize, Vec<IpAddr>)>,
    /// Bridges send back by the port that a packet came in by.
    hairpin: bool,
}

/// Networks that lie behind the device without being on one of its interfaces.
const BEHIND: &[&str] = &["10.99.0.0/24", "2001:db8:1::/48"];

fn via(to: IpNet, iface: usize, hop: Option<IpAddr>) -> Route {
    Route { to, target: RouteTarget::Via(iface, hop), table: 254, metric: 0 }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap_or_else(|_| panic!("{text} is no network"))
}

fn default_of(family: Family) -> IpNet {
    IpNet::new_assert(family.address(0), 0)
}

impl World {
    pub fn of(folder: &Folder, configuration: &str, pipeline: Pipeline, family: Family) -> Self {
        let mut device = device(folder, configuration);
        device.pipeline = pipeline;
        settle(folder, configuration, &mut device);
        let containers = folder.containers(configuration);
        for relay in folder.relays(configuration) {
            let bind = (!relay.bind.is_unspecified()).then_some(relay.bind);
            // A socket of IPv6 without an address takes IPv4 as well; Docker opens one for each family.
            if relay.bind.is_unspecified() && Family::of(relay.bind) != family {
                continue;
            }
            let ports = (relay.port, relay.port);
            device.endpoints.push(Endpoint {
                proto: relay.proto,
                ports,
                bind,
                name: RELAY.into(),
                answers_as_routed: bind.is_none(),
            });
        }
        let hairpin = folder.hairpin(configuration);
        let mut world = Self { network: Network::default(), hosts: Vec::new(), hairpin };
        let named = named_hosts(folder);
        let outer = outer(&device);
        for (index, iface) in device.interfaces.iter_mut().enumerate() {
            iface.segment = index;
        }
        let inner: Vec<IpNet> = device
            .interfaces
            .iter()
            .enumerate()
            .filter(|(i, _)| !outer.contains(i))
            .flat_map(|(_, iface)| iface.addresses.iter().map(IpNet::trunc))
            .chain(BEHIND.iter().map(|n| net(n)))
            .collect();
        world.network.devices.push(device);
        for index in 0..world.network.devices[0].interfaces.len() {
            world.segment(index, outer.contains(&index), &named);
        }
        world.outside(outer[0], &inner, &named);
        for container in &containers {
            world.container(container);
        }
        let own = world.network.devices[0].interfaces[outer[0]].addresses.iter().map(IpNet::addr).collect();
        world.hosts.push(("host".into(), 0, own));
        world
    }

    /// Hosts of one network: those with names, and all others as one.
    fn segment(&mut self, index: usize, outer: bool, named: &[(String, Vec<IpAddr>)]) {
        let router = self.network.devices[0].interfaces[index].clone();
        let nets: Vec<IpNet> =
            router.addresses.iter().map(IpNet::trunc).filter(|n| n.prefix_len() != n.max_prefix_len()).collect();
        let in_net = |a: &IpAddr| nets.iter().find(|n| n.contains(a)).copied();
        let own = |family: Family| router.addresses.iter().map(IpNet::addr).find(|a| Family::of(*a) == family);
        let mut taken: Vec<IpAddr> = router.addresses.iter().map(IpNet::addr).collect();
        for (name, addresses) in named {
            let here: Vec<IpNet> =
                addresses.iter().filter_map(|a| in_net(a).map(|n| IpNet::new_assert(*a, n.prefix_len()))).collect();
            // An outer network belongs to the outside, except for a neighbour in it.
            if here.is_empty() || (outer && name != "neigh" && name != "isp2") {
                continue;
            }
            taken.extend(here.iter().map(IpNet::addr));
            let more = addresses.iter().filter(|a| in_net(a).is_none()).map(|a| IpNet::from(*a));
            let mut iface = Interface { name: "eth0".into(), segment: index, ..Interface::default() };
            iface.addresses = here.iter().copied().chain(more).collect();
            let mut routes = Vec::new();
            for family in [Family::V4, Family::V6] {
                if let Some(hop) = own(family).filter(|_| here.iter().any(|n| Family::of(n.addr()) == family)) {
                    routes.push(via(default_of(family), 0, Some(hop)));
                }
            }
            self.hosts.push((name.clone(), self.network.devices.len(), addresses.clone()));
            let name = name.as_str().into();
            self.network.devices.push(Device { name, interfaces: vec![iface], routes, ..Device::default() });
        }
        if outer {
            return;
        }
        let mut iface = Interface { name: "eth0".into(), segment: index, ..Interface::default() };
        let rest = |family: Family| {
            let all = nets.iter().filter(|n| Family::of(n.addr()) == family).map(|n| prefix_range(*n));
            let gone =
                taken.iter().filter(|a| Family::of(**a) == family).map(|a| (address_value(*a), address_value(*a)));
            Set::from_ranges(all).minus(&Set::from_ranges(gone))
        };
        // Containers are hosts of their own.
        if &*router.name == "docker0" || router.name.starts_with("br-") && router.name.len() > 10 {
            return;
        }
        (iface.hosts_v4, iface.hosts_v6) = (rest(Family::V4), rest(Family::V6));
        let routes = [Family::V4, Family::V6]
            .into_iter()
            .filter_map(|f| own(f).map(|hop| (f, hop)))
            .flat_map(|(f, hop)| [via(hop.into(), 0, None), via(default_of(f), 0, Some(hop))]);
        let routes = routes.collect();
        self.network.devices.push(Device {
            name: format!("others behind {}", router.name).into(),
            interfaces: vec![iface],
            routes,
            ..Device::default()
        });
    }

    /// All that is beyond the gateway.
    fn outside(&mut self, outer: usize, inner: &[IpNet], named: &[(String, Vec<IpAddr>)]) {
        let router = self.network.devices[0].interfaces[outer].clone();
        let mut iface = Interface { name: "outside".into(), segment: outer, ..Interface::default() };
        let hops: Vec<IpAddr> = self.network.devices[0]
            .routes
            .iter()
            .filter(|r| r.to.prefix_len() == 0)
            .filter_map(|r| match r.target {
                RouteTarget::Via(i, hop) if i == outer => hop,
                _ => None,
            })
            .collect();
        let site = |family: Family| {
            let nets = inner.iter().chain(&router.addresses).filter(|n| Family::of(n.addr()) == family);
            Set::from_ranges(nets.map(|n| prefix_range(n.trunc())))
        };
        let hop = |family: Family| {
            let own = hops.iter().filter(|h| Family::of(**h) == family);
            Set::from_ranges(own.map(|h| (address_value(*h), address_value(*h))))
        };
        let v4 = Set::range(0x0100_0000, 0xdfff_ffff).minus(&Set::range(0x7f00_0000, 0x7fff_ffff));
        iface.hosts_v4 = v4.minus(&site(Family::V4)).or(&hop(Family::V4));
        iface.hosts_v6 = Set::range(1 << 120, (0xfe << 120) - 1).minus(&site(Family::V6)).or(&hop(Family::V6));
        let device = self.network.devices.len();
        let mut routes: Vec<Route> = router.addresses.iter().map(|n| via(n.trunc(), 0, None)).collect();
        let own_v6 =
            router.addresses.iter().map(IpNet::addr).find(|a| matches!(a, IpAddr::V6(v) if !v.is_unicast_link_local()));
        if let Some(hop) = own_v6 {
            routes.push(via(net("2001:db8:1::/48"), 0, Some(hop)));
        }
        for (name, addresses) in named {
            let outside = addresses.iter().any(|a| {
                let set = if a.is_ipv4() { &iface.hosts_v4 } else { &iface.hosts_v6 };
                set.contains(address_value(*a))
            });
            if outside && !self.hosts.iter().any(|(n, ..)| n == name) {
                self.hosts.push((name.clone(), device, addresses.clone()));
            }
        }
        let name = "the internet".into();
        self.network.devices.push(Device { name, interfaces: vec![iface], routes, ..Device::default() });
    }

    /// The outside knows a way to a private network through the device.
    pub fn routed_back(&mut self, to: &str) {
        let router = &self.network.devices[0];
        let hop = router.interfaces[outer(router)[0]].addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv4);
        let outside = self.network.devices.iter_mut().find(|d| &*d.name == "the internet").expect("outside");
        outside.routes.push(via(net(to), 0, hop));
    }

    fn container(&mut self, container: &crate::generated::folder::Container) {
        let router = &self.network.devices[0];
        let mut interfaces: Vec<Interface> = Vec::new();
        for address in &container.addresses {
            let bridge = router.interfaces.iter().find(|i| i.addresses.iter().any(|n| n.contains(&address.addr())));
            let segment = bridge.unwrap_or_else(|| panic!("{}: {address}", container.name)).segment;
            match interfaces.iter_mut().find(|i| i.segment == segment) {
                Some(iface) => iface.addresses.push(*address),
                None => interfaces.push(Interface {
                    name: format!("eth{}", interfaces.len()).into(),
                    segment,
                    addresses: vec![*address],
                    ..Interface::default()
                }),
            }
        }
        let mut routes = Vec::new();
        for family in [Family::V4, Family::V6] {
            let hop = container.gateways.iter().find(|g| Family::of(**g) == family);
            let by = |hop: &IpAddr| interfaces.iter().position(|i| i.addresses.iter().any(|n| n.contains(hop)));
            if let Some((hop, iface)) = hop.and_then(|h| by(h).map(|i| (*h, i))) {
                routes.push(via(default_of(family), iface, Some(hop)));
            }
        }
        let addresses = container.addresses.iter().map(IpNet::addr).collect();
        let name = format!("c:{}", container.name);
        self.hosts.push((name.clone(), self.network.devices.len(), addresses));
        self.network.devices.push(Device { name: name.into(), interfaces, routes, ..Device::default() });
    }

    /// Can it be, where each container has a port of its own on its bridge? Where packets go back by the port that
    /// they came in by, rules see them as those between two ports.
    pub fn can_be(&self, answer: &Answer, trip: &RoundTrip) -> bool {
        let device = &self.network.devices[0];
        let joins = device.interfaces.iter().flat_map(|i| [i.settings.bridge_v4, i.settings.bridge_v6]).flatten();
        let joins: Vec<Choice> = joins.map(|b| Choice::Doubt { device: 0, doubt: b.joined }).collect();
        let header = trip.request.last().header;
        let to = value(header.dst, &trip.asked);
        let sender = &self.network.devices[trip.request.hops[0].device];
        let to_itself =
            sender.interfaces.iter().flat_map(|i| &i.addresses).any(|n| Some(address_value(n.addr())) == to);
        // Values as `Bridge.joined` has them.
        let same_port = to_itself && !self.hairpin;
        let holds = if same_port { Set::one(1) } else { Set::range(2, 3) };
        let mut vars = trip.asked.vars.iter().filter(|(v, _)| joins.contains(&answer.variables[v.0 as usize].choice));
        vars.all(|(_, values)| !values.and(&holds).is_empty())
    }

    /// Device and address of a flow's sender.
    pub fn sender(&self, fate: &Fate) -> Option<(usize, IpAddr)> {
        let family = Family::of(fate.dst);
        let name = match fate.from.as_str() {
            "inetr" | "inetc" | "inetpriv" => "inet",
            "rtr" => "host",
            "lan6" => "lan",
            other => other,
        };
        let (_, device, addresses) = self.hosts.iter().find(|(n, ..)| n == name)?;
        if name == "host" {
            return Some((0, self.own_source(fate.dst)?));
        }
        addresses.iter().find(|a| Family::of(**a) == family).map(|a| (*device, *a))
    }

    /// The address with which the device itself sends to another (`inet_select_addr`, RFC 6724 5).
    pub fn own_source(&self, to: IpAddr) -> Option<IpAddr> {
        let device = &self.network.devices[0];
        let own = device.interfaces.iter().flat_map(|i| &i.addresses).map(IpNet::addr);
        if to.is_loopback() || own.clone().any(|a| a == to) {
            return Some(to);
        }
        let family = Family::of(to);
        let routes = device.routes.iter().filter(|r| r.to.contains(&to)).map(|r| (r.to.prefix_len(), &r.target));
        let far = routes.max_by_key(|(length, _)| *length).and_then(|(_, target)| match target {
            RouteTarget::Via(i, _) => Some(*i),
            _ => None,
        });
        let near = device.interfaces.iter().position(|i| i.addresses.iter().any(|n| n.contains(&to)));
        let iface = &device.interfaces[near.or(far)?];
        iface.addresses.iter().map(IpNet::addr).find(|a| Family::of(*a) == family && !link_local(*a))
    }
}

fn link_local(a: IpAddr) -> bool {
    matches!(a, IpAddr::V6(v) if v.is_unicast_link_local())
}

/// Interfaces that lead outside: the one with the default route first.
fn outer(device: &Device) -> Vec<usize> {
    let by_default = device.routes.iter().filter(|r| r.to.prefix_len() == 0).filter_map(|r| match r.target {
        RouteTarget::Via(i, _) => Some(i),
        _ => None,
    });
    let mut out: Vec<usize> = by_default.collect();
    let second = device.interfaces.iter().position(|i| i.addresses.iter().any(|n| *n == net("45.79.100.2/30")));
    out.extend(second);
    let mut seen = Vec::new();
    out.retain(|i| {
        !seen.contains(i) && {
            seen.push(*i);
            true
        }
    });
    out
}

/// `"192.168.1.100, 2001:db8:1:1::100 (lan6)"` of `facts.toml`: a host's addresses, up to words about it.
fn named_hosts(folder: &Folder) -> Vec<(String, Vec<IpAddr>)> {
    let mut out: Vec<(String, Vec<IpAddr>)> = Vec::new();
    for (name, value) in folder.facts["hosts"].as_table().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default().replace(" (lan6)", "");
        let addresses: Vec<IpAddr> = text.split([',', ';']).map_while(|part| part.trim().parse().ok()).collect();
        if !addresses.is_empty() && name != "inetpriv" {
            out.push((name.clone(), addresses));
        }
    }
    out
}

/// What the folder tells of the kernel, put into the device. A folder that tells nothing leaves all as it is.
fn settle(folder: &Folder, configuration: &str, device: &mut Device) {
    let facts = folder.kernel(configuration);
    let calls = [Family::V4, Family::V6].map(|f| facts.bridge_calls(f) == Some(true));
    for iface in &mut device.interfaces {
        let name = &iface.name;
        let marked = facts.reverse_mark(name) == Some(true);
        // The dumps of addresses name the ports of each bridge; other folders have no settings.
        let joined = iface.ports.filter(|n| *n > 0 && calls.contains(&true)).map(|_| {
            let origin = device.pipeline.add_origin(Origin::default());
            device.pipeline.add_doubt(Doubt {
                origin,
                what: format!("by which ports {name} joins those who talk").into(),
                supply: "".into(),
                fixed: true,
                kind: DoubtKind::Fact,
            })
        });
        let bridge = |calls: bool| joined.filter(|_| calls).map(|joined| Bridge { ports: iface.ports, joined });
        iface.settings = Settings {
            keeps_v4: facts.forwards(Family::V4, name) == Some(false),
            keeps_v6: facts.forwards(Family::V6, name) == Some(false),
            loopback: match facts.route_localnet(name) {
                Some(true) => Loopback::Accepted,
                _ => Loopback::Refused,
            },
            way_back: match facts.rp_filter(name) {
                None | Some(0) => WayBack::Unchecked,
                Some(1) => WayBack::Same { marked },
                Some(_) => WayBack::Any { marked },
            },
            bridge_v4: bridge(calls[0]),
            bridge_v6: bridge(calls[1]),
        };
    }
}

fn device(folder: &Folder, configuration: &str) -> Device {
    let mut device = Device { name: "device".into(), drops_own_source: true, forwards: true, ..Device::default() };
    let Some(router) = folder.facts.get("router").and_then(|r| r.as_table()) else {
        device.interfaces = folder.interfaces(configuration);
        for route in folder.routes(configuration) {
            let Leads::Out(hops) = &route.leads else { continue };
            let Some(index) = device.interface(&hops[0].dev) else { continue };
            device.routes.push(via(route.to, index, hops[0].via));
        }
        return device;
    };
    let double = configuration == "double-nat";
    for (name, list) in router {
        let nets: Vec<IpNet> = list.as_array().into_iter().flatten().filter_map(|n| n.as_str()?.parse().ok()).collect();
        if nets.is_empty() {
            continue;
        }
        let mut iface = Interface { name: name.as_str().into(), addresses: nets, ..Interface::default() };
        if name == "eth1" && folder.name == "openwrt" {
            match configuration {
                "double-nat" => iface.addresses = vec![net("192.168.0.2/24")],
                "snat" => iface.addresses.push(net("203.0.113.11/24")),
                "pppoe" => {
                    iface.name = "pppoe-wan".into();
                    iface.addresses[0] = net("203.0.113.10/32");
                }
                _ => {}
            }
        }
        device.interfaces.push(iface);
    }
    let wan = if folder.name == "vyos" {
        "eth0"
    } else if configuration == "pppoe" {
        "pppoe-wan"
    } else {
        "eth1"
    };
    let wan = device.interface(wan).expect("outer interface");
    let hop = if double { "192.168.0.1" } else { "203.0.113.1" };
    let hop = (configuration != "pppoe").then(|| hop.parse().expect("address"));
    device.routes.push(via(default_of(Family::V4), wan, hop));
    if !double {
        device.routes.push(via(default_of(Family::V6), wan, "2001:db8:ffff::1".parse().ok()));
    }
    if folder.name == "openwrt" {
        let lan = device.interface("br-lan").expect("inner interface");
        device.routes.push(via(net("10.99.0.0/24"), lan, "192.168.1.2".parse().ok()));
    }
    device
}
