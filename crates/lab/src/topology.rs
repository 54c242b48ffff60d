//! The networks of the campaign: the same description makes namespaces and the model.

mod networks;

pub use networks::{double, facing, guarded, single};

use crate::namespace::{Failure, Namespace, command};
use callpath_core::cube::Set;
use callpath_core::model::{Device, Family, Interface, Pipeline, Route, RouteTarget, RoutingRule, prefix_range};
use callpath_core::trace::Network;
use ipnet::IpNet;
use networks::net;
use std::fmt::Write;
use std::net::IpAddr;

/// An interface of a router.
#[derive(Debug, Clone)]
pub struct Port {
    /// Name inside the router.
    pub name: &'static str,
    /// Addresses with their networks.
    pub addresses: Vec<IpNet>,
    /// Segment number.
    pub segment: usize,
    /// Interface group.
    pub group: u32,
}

/// A router: a namespace with a ruleset.
#[derive(Debug, Clone)]
pub struct Router {
    /// Name.
    pub name: &'static str,
    /// Interfaces.
    pub ports: Vec<Port>,
    /// Default next hops.
    pub defaults: Vec<IpAddr>,
    /// Further routes: destination and next hop.
    pub routes: Vec<(IpNet, IpAddr)>,
    /// Packets with a mark leave by another default route: mark, mask, next hop.
    pub marked: Vec<(u32, u32, IpAddr)>,
}

/// The first of the tables for marked packets.
const MARKED_TABLE: u32 = 100;

/// Hosts on a segment, played by this process.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Name.
    pub name: &'static str,
    /// Segment number.
    pub segment: usize,
    /// Networks of the segment, with these hosts' first address.
    pub nets: Vec<IpNet>,
    /// All addresses of these hosts.
    pub own_v4: Set,
    /// The same for IPv6.
    pub own_v6: Set,
    /// Their default routers; none: they know only what `routes` says.
    pub defaults: Vec<IpAddr>,
    /// Further routes.
    pub routes: Vec<(IpNet, IpAddr)>,
}

impl Hosts {
    /// Their addresses of one family.
    pub fn own(&self, family: Family) -> &Set {
        match family {
            Family::V4 => &self.own_v4,
            Family::V6 => &self.own_v6,
        }
    }
}

/// A network. Devices of the model are the routers first, then the hosts.
#[derive(Debug, Clone)]
pub struct Topology {
    /// Name for reports.
    pub name: &'static str,
    /// Routers.
    pub routers: Vec<Router>,
    /// Hosts.
    pub hosts: Vec<Hosts>,
    /// Segments on which hosts are.
    pub segments: usize,
    /// Beginning of the names of the segments' other ends.
    pub wire: &'static str,
}

/// A router that exists.
#[derive(Debug)]
pub struct Built {
    /// Its namespace.
    pub space: Namespace,
    /// Hardware addresses of its interfaces, in order.
    pub macs: Vec<[u8; 6]>,
}

impl Topology {
    /// The model; pipelines are filled in later, router by router.
    pub fn network(&self, pipelines: Vec<Pipeline>) -> Network {
        let mut devices = Vec::new();
        for (router, pipeline) in self.routers.iter().zip(pipelines) {
            let interfaces = router
                .ports
                .iter()
                .map(|p| Interface {
                    name: p.name.into(),
                    group: p.group,
                    addresses: p.addresses.clone(),
                    segment: p.segment,
                    ..Interface::default()
                })
                .collect::<Vec<_>>();
            let nets: Vec<&[IpNet]> = router.ports.iter().map(|p| &p.addresses[..]).collect();
            devices.push(Device {
                name: router.name.into(),
                interfaces,
                routes: [routes(&nets, &router.defaults, &router.routes), marked_routes(&nets, router)].concat(),
                routing_rules: routing_rules(router),
                pipeline,
                forwards: true,
                drops_own_source: true,
                ..Device::default()
            });
        }
        for hosts in &self.hosts {
            let iface = Interface {
                name: "eth0".into(),
                addresses: hosts.nets.clone(),
                hosts_v4: hosts.own_v4.clone(),
                hosts_v6: hosts.own_v6.clone(),
                segment: hosts.segment,
                ..Interface::default()
            };
            devices.push(Device {
                name: hosts.name.into(),
                interfaces: vec![iface],
                routes: routes(&[&hosts.nets], &hosts.defaults, &hosts.routes),
                ..Device::default()
            });
        }
        Network { devices: devices.into(), ..Network::default() }
    }

    /// Builds the routers. The segments' other ends are in this process's namespace.
    ///
    /// # Errors
    /// When a program or the kernel refuses.
    pub fn build(&self) -> Result<Vec<Built>, Failure> {
        let mut built = Vec::new();
        for router in &self.routers {
            let space = Namespace::new()?;
            std::fs::metadata(space.path()).map_err(|e| format!("a namespace has no path: {e}"))?;
            built.push((router, space));
        }
        let mut done: Vec<usize> = Vec::new();
        for (i, (router, space)) in built.iter().enumerate() {
            for port in &router.ports {
                if done.contains(&port.segment) {
                    continue;
                }
                done.push(port.segment);
                let peer = built[i + 1..]
                    .iter()
                    .find_map(|(r, s)| r.ports.iter().find(|p| p.segment == port.segment).map(|p| (p.name, s.path())));
                let mut batch = String::new();
                if let Some((name, path)) = peer {
                    let _ = writeln!(batch, "link add tmpa type veth peer name tmpb");
                    let _ = writeln!(batch, "link set tmpa netns {} name {}", space.path(), port.name);
                    let _ = writeln!(batch, "link set tmpb netns {path} name {name}");
                } else {
                    let wire = format!("{}{}", self.wire, port.segment);
                    let _ = writeln!(batch, "link add {wire} type veth peer name tmpb");
                    let _ = writeln!(batch, "link set {wire} arp off up");
                    let _ = writeln!(batch, "link set tmpb netns {} name {}", space.path(), port.name);
                }
                command("ip", &["-batch", "-"], &batch)?;
            }
        }
        let built: Vec<Built> =
            built.into_iter().map(|(router, space)| self.configure(router, space)).collect::<Result<_, _>>()?;
        self.introduce(&built)?;
        Ok(built)
    }

    /// Tells routers of each other's hardware addresses: the lab keeps neighbour discovery quiet.
    fn introduce(&self, built: &[Built]) -> Result<(), Failure> {
        for (router, own) in self.routers.iter().zip(built) {
            let mut batch = String::new();
            for port in &router.ports {
                for (other, other_built) in self.routers.iter().zip(built).filter(|(r, _)| r.name != router.name) {
                    for (peer, mac) in
                        other.ports.iter().zip(&other_built.macs).filter(|(p, _)| p.segment == port.segment)
                    {
                        for address in &peer.addresses {
                            let (address, mac) = (address.addr(), mac_text(*mac));
                            let _ =
                                writeln!(batch, "neigh replace {address} lladdr {mac} dev {} nud permanent", port.name);
                        }
                    }
                }
            }
            own.space.command("ip", &["-batch", "-"], &batch)?;
        }
        Ok(())
    }

    fn configure(&self, router: &Router, space: Namespace) -> Result<Built, Failure> {
        space.inside(settings)??;
        let mut batch = String::from("link set lo up\n");
        for port in &router.ports {
            for address in &port.addresses {
                let nodad = if address.addr().is_ipv6() { " nodad" } else { "" };
                let _ = writeln!(batch, "addr add {address} dev {}{nodad}", port.name);
            }
            let _ = writeln!(batch, "link set {} group {} up", port.name, port.group);
        }
        for (hosts, port) in
            self.hosts.iter().filter_map(|h| Some((h, router.ports.iter().find(|p| p.segment == h.segment)?)))
        {
            for (n, address) in neighbours(hosts).into_iter().enumerate() {
                let mac = mac_text(host_mac(self.index_of(hosts), n));
                let _ = writeln!(batch, "neigh replace {address} lladdr {mac} dev {} nud permanent", port.name);
            }
        }
        // `-6` cannot stand inside a batch line, and `default` means IPv4 there: addresses say the family.
        let all = |hop: &IpAddr| if hop.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
        for hop in &router.defaults {
            let _ = writeln!(batch, "route replace {} via {hop}", all(hop));
        }
        for (to, hop) in &router.routes {
            let _ = writeln!(batch, "route replace {to} via {hop}");
        }
        for (n, (_, _, hop)) in router.marked.iter().enumerate() {
            let _ = writeln!(batch, "route add {} via {hop} table {}", all(hop), MARKED_TABLE as usize + n);
        }
        space.command("ip", &["-batch", "-"], &batch)?;
        for (n, (mark, mask, hop)) in router.marked.iter().enumerate() {
            let family = if hop.is_ipv4() { "-4" } else { "-6" };
            let (mark, table) = (format!("{mark:#x}/{mask:#x}"), (MARKED_TABLE as usize + n).to_string());
            let rule = [family, "rule", "add", "fwmark", &mark, "lookup", &table, "pref", &table];
            space.command("ip", &rule, "")?;
        }
        let listing = space.command("ip", &["-o", "link"], "")?;
        let macs = router.ports.iter().map(|p| mac_of(&listing, p.name)).collect::<Option<Vec<_>>>();
        Ok(Built { space, macs: macs.ok_or("a router's hardware addresses cannot be read")? })
    }

    fn index_of(&self, hosts: &Hosts) -> usize {
        self.hosts.iter().position(|h| h.name == hosts.name).unwrap_or(0)
    }
}

/// Addresses that a router must know by hardware address: single hosts and next hops; not the far-away internet.
fn neighbours(hosts: &Hosts) -> Vec<IpAddr> {
    let mut out: Vec<IpAddr> = Vec::new();
    for net in &hosts.nets {
        let family = Family::of(net.addr());
        let (lo, hi) = prefix_range(*net);
        for &(a, b) in hosts.own(family).and(&Set::range(lo, hi)).ranges() {
            out.extend((a..=b.min(a + 16)).map(|v| family.address(v)));
        }
    }
    out
}

/// A hardware address of the lab's own: group of hosts, and host.
fn host_mac(group: usize, host: usize) -> [u8; 6] {
    let byte = |n: usize| u8::try_from(n).unwrap_or(0xff);
    [0x02, 0xca, 0x11, 0x00, byte(group), byte(host)]
}

/// Which hosts a frame is for.
pub fn group_of(mac: &[u8]) -> Option<usize> {
    (mac.get(..4)? == [0x02, 0xca, 0x11, 0x00]).then(|| usize::from(mac[4]))
}

fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

fn mac_of(listing: &str, name: &str) -> Option<[u8; 6]> {
    let line = listing.lines().find(|l| l.contains(&format!(" {name}@")) || l.contains(&format!(" {name}:")))?;
    let text = line.split("link/ether ").nth(1)?.split_whitespace().next()?;
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(text.split(':')) {
        *to = u8::from_str_radix(from, 16).ok()?;
    }
    Some(mac)
}

/// Kernel settings of a router. Traffic that the kernel starts by itself would disturb what is counted.
fn settings() -> Result<(), Failure> {
    let values = [
        ("ipv4/ip_forward", "1"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
        ("ipv4/conf/all/send_redirects", "0"),
        ("ipv4/conf/default/send_redirects", "0"),
        ("ipv4/ip_early_demux", "0"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv6/conf/default/forwarding", "1"),
        ("ipv6/conf/all/accept_dad", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
        ("ipv6/conf/default/router_solicitations", "0"),
        ("ipv6/conf/default/addr_gen_mode", "1"),
    ];
    for (key, value) in values {
        let path = format!("/proc/sys/net/{key}");
        std::fs::write(&path, value).map_err(|e| format!("{path} cannot be set: {e}"))?;
    }
    // A packet that waited for a neighbour would keep its session, and the session its port.
    for iface in ["wan0", "lan0", "dmz0", "eth0"] {
        for key in [
            "ipv4/conf/IF/rp_filter",
            "ipv4/conf/IF/send_redirects",
            "ipv4/neigh/IF/unres_qlen_bytes",
            "ipv6/neigh/IF/unres_qlen_bytes",
        ] {
            // A router need not have every interface.
            let _ = std::fs::write(format!("/proc/sys/net/{}", key.replace("IF", iface)), "0");
        }
    }
    Ok(())
}

/// Default routes for marked packets, each in its own table.
fn marked_routes(nets: &[&[IpNet]], router: &Router) -> Vec<Route> {
    let mut out = Vec::new();
    for (table, (_, _, hop)) in (MARKED_TABLE..).zip(&router.marked) {
        out.extend(routes(nets, &[*hop], &[]).into_iter().map(|r| Route { table, ..r }));
    }
    out
}

/// Rules that send marked packets to their tables, then everything to the main table.
fn routing_rules(router: &Router) -> Vec<RoutingRule> {
    let rule = |priority, family, mark, table| RoutingRule { mark, ..RoutingRule::every(priority, family, table) };
    let marked = (MARKED_TABLE..).zip(&router.marked);
    let marked = marked.map(|(n, (mark, mask, hop))| rule(n, Family::of(*hop), Some((*mark, *mask)), n));
    let main = [Family::V4, Family::V6].map(|family| rule(32766, family, None, 254));
    if router.marked.is_empty() { Vec::new() } else { marked.chain(main).collect() }
}

fn routes(nets: &[&[IpNet]], defaults: &[IpAddr], more: &[(IpNet, IpAddr)]) -> Vec<Route> {
    let default = |hop: &IpAddr| (if hop.is_ipv4() { net("0.0.0.0/0") } else { net("::/0") }, *hop);
    let all = defaults.iter().map(default).chain(more.iter().copied());
    all.map(|(to, hop)| {
        let iface = nets.iter().position(|list| list.iter().any(|n| n.contains(&hop))).unwrap_or(0);
        Route { to, target: RouteTarget::Via(iface, Some(hop)), table: 254, metric: 0 }
    })
    .collect()
}
