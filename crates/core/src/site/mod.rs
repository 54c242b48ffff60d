//! The network of a site: its gateways, its servers, everybody who calls, and the segments between them.

pub(crate) mod address;
mod callers;
mod chain;
mod containers;
mod filter;
mod front;
pub(crate) mod gateway;
mod guess;
mod host;
mod kernel;
mod lines;
mod nets;
mod parts;
mod server;
mod servers;
mod shares;
mod stated;

pub(crate) use host::Host;
pub(crate) use lines::is_invented;
pub(crate) use parts::{LastRead, Parts};

use crate::change::Step;
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::dialect::{Counts, Files, LeftOut};
use crate::manifest::{At, GatewayKind, Manifest, Place};
use crate::model::{Device, Family, Interface, OriginId, Route, RouteTarget, SourceId};
use crate::snapshot::{InputError, Snapshot};
use crate::trace::{Budget, Network};
use address::{is_link_local, is_public};
use gateway::Router;
use ipnet::IpNet;
use parts::{empty_includes, known, public_v4};
use server::Server;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How to settle which way a server answers.
const SERVER_ROUTES: &str = "add what `ip -j addr` and `ip -j route` print on the server to `firewall`";

/// Segment number of the internet.
const INTERNET_SEGMENT: usize = 0;

/// What is assumed about an outer address that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// The gateway has the public address itself.
    OnGateway,
    /// Another box stands in front of it.
    BoxInFront,
}

/// People in one place.
#[derive(Debug, Clone)]
pub(crate) struct Vantage {
    /// Where.
    pub place: Place,
    /// For reports: `anyone on the internet`, `your network 192.168.1.0/24`.
    pub name: String,
    /// The first network in which they are, as it is shown; empty for the internet.
    pub net: String,
    /// Device that sends for them.
    pub device: usize,
    /// Their addresses.
    pub v4: Set,
    /// Their IPv6 addresses.
    pub v6: Set,
    /// Segment that they are on.
    pub segment: usize,
}

impl Vantage {
    /// Their addresses in a family.
    pub fn sources(&self, family: Family) -> &Set {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

/// The joined network.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Devices.
    pub network: Network,
    /// What is assumed about an outer address that is not known.
    pub case: Case,
    /// Index of the internet.
    pub internet: usize,
    /// Device of each instance's server.
    pub server_of: Vec<usize>,
    /// Servers with the devices that stand for their containers: first and last.
    pub containers: Vec<(usize, (usize, usize))>,
    /// The rule, on the internet, that ends packets for ports of a shared address that are other customers'.
    pub share: Option<OriginId>,
    /// Device of each instance's reverse proxy, where it has a host of its own.
    pub proxy_of: Vec<Option<usize>>,
    /// Everybody who may call, except the servers themselves and the administrator.
    pub vantages: Vec<Vantage>,
    /// Public IPv4 address.
    pub public: Option<IpAddr>,
    /// Why calls from the internet by IPv6 are not judged, if so.
    pub no_v6: Option<String>,
    /// A router has further lines to the internet, by whose addresses nobody is judged to call.
    pub further_lines: bool,
    /// What is taken as given.
    pub assumptions: Vec<String>,
    /// Rulesets that were read.
    pub rulesets: Vec<(SourceId, Counts)>,
    /// File with the rules of each device, if it has one that can be changed.
    pub files: Vec<Option<SourceId>>,
    /// Texts with rules of each device, and the file that a change of what stands there goes into.
    pub owners: Vec<Vec<(SourceId, SourceId)>>,
    /// Devices whose configuration and rules in force are given, with how the configuration is put in force.
    pub loads: Vec<Load>,
    /// Rules that are on but not loaded: device and rule.
    pub left_out: Vec<(usize, LeftOut)>,
    /// The first router that is read, and its interface towards the internet. Absent behind a box that is stated: what
    /// lies between the two is nobody's line.
    pub outermost: Option<(usize, usize)>,
    /// Filters without NAT.
    pub filters: Vec<usize>,
    /// Devices that translate on the way in, from the internet inwards, with the interface by which calls come in.
    pub entries: Vec<(usize, usize)>,
}

/// The manifest; a gateway whose configuration is that of a filter on a wire is a filter.
///
/// # Errors
/// As [`parse`](crate::manifest::parse).
pub(crate) fn manifest(snapshot: &Snapshot) -> Result<Manifest, InputError> {
    let mut manifest = crate::manifest::parse(snapshot.manifest())?;
    for gateway in &mut manifest.gateways {
        if let Some(filter) = filter::of_files(snapshot, gateway)? {
            gateway.kind = GatewayKind::Filter(filter);
        }
    }
    Ok(manifest)
}

/// How a device's configuration is put in force.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The device.
    pub device: usize,
    /// What to do.
    pub steps: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
}

/// Joins what was read.
///
/// # Errors
/// Addresses that contradict each other, or that nothing tells.
pub(crate) fn build(
    snapshot: &Snapshot,
    manifest: &Manifest,
    parts: &Parts,
    (case, intended): (Case, bool),
    budget: &Budget,
) -> Result<Site, InputError> {
    let parts = parts.intended.as_deref().filter(|_| intended).unwrap_or(parts);
    let mut b = Builder {
        intended,
        caller_lines: parts.callers.iter().zip(&manifest.callers).map(caller_line).collect(),
        rulesets: Vec::new(),
        left_out: Vec::new(),
        snapshot,
        manifest,
        devices: Vec::new(),
        routers: parts.routers.clone(),
        wires: &parts.wires,
        segments: 1,
        public: None,
        no_v6: None,
        further_lines: false,
        assumptions: Vec::new(),
        vantages: Vec::new(),
        assumed: Vec::new(),
        filters: Vec::new(),
        stated: Vec::new(),
        entries: Vec::new(),
        router_at: Vec::new(),
        behind: Vec::new(),
        nexts: Vec::new(),
        files: Vec::new(),
        read: Vec::new(),
        innermost: None,
        lines: Vec::new(),
        invented: 0,
    };
    b.public = b.find_public(&parts.servers)?;
    b.assumptions.extend(empty_includes(snapshot, parts));
    let mut routers = b.routers.clone();
    for router in &mut routers {
        b.mark_tunnels(&mut router.device);
        if router.files.has_linux_settings() {
            lines::further_lines(&mut router.device, router.outer_v4);
        }
    }
    b.routers = routers;
    b.add_chain(&parts.chain, case, given(snapshot, parts))?;
    b.add_lines(&parts.lines)?;
    let server_base = b.devices.len();
    b.add_servers(&parts.servers)?;
    let server_of = parts.server_of.iter().map(|s| server_base + s).collect();
    let proxy_of = parts.proxy_of.iter().map(|s| s.map(|s| server_base + s)).collect();
    let bridges = bridges(manifest, parts, &b.devices, server_base);
    b.assumptions.extend(bridges);
    let internet = b.add_internet(server_base);
    let share = b.share_ports(internet);
    b.add_callers(server_base, internet)?;
    for (router, described) in parts.callers.iter().zip(&manifest.callers) {
        b.add_described(router, described, internet)?;
    }
    let containers = b.add_containers(&parts.servers, server_base);
    let mut files = vec![None; b.devices.len()];
    for (device, file) in &b.files {
        files[*device] = Some(*file);
    }
    let (mut owners, mut loads) = (vec![Vec::new(); b.devices.len()], Vec::new());
    let servers = parts.servers.iter().enumerate().map(|(i, server)| (server_base + i, &server.files));
    for (device, read) in b.read.iter().map(|(d, f)| (*d, f)).chain(servers.clone()) {
        owners[device] = read.owners();
        loads.extend(read.load().map(|(steps, undo)| Load { device, steps, undo }));
    }
    for (device, read) in servers {
        files[device] = read.file();
    }
    let first = b.entries.iter().copied().find(|(d, _)| !b.assumed.contains(d));
    // Of a stated box without an outer address nobody knows more than the public one.
    let outermost = first.filter(|(d, i)| b.router_at.contains(d) || !b.holds_public(*d, *i));
    let mut rulesets = b.rulesets;
    rulesets.extend(parts.servers.iter().flat_map(|s| &s.rulesets));
    Ok(Site {
        network: Network { devices: b.devices.into(), budget: budget.for_another_site() },
        case,
        internet,
        server_of,
        containers,
        share,
        proxy_of,
        vantages: b.vantages,
        public: b.public,
        no_v6: b.no_v6,
        further_lines: b.further_lines,
        assumptions: b.assumptions,
        rulesets,
        files,
        owners,
        loads,
        left_out: b.left_out,
        outermost,
        filters: b.filters,
        entries: b.entries,
    })
}

/// What is taken as given of kernels and files.
fn given(snapshot: &Snapshot, parts: &Parts) -> Vec<String> {
    let mut given = Vec::new();
    if !parts.routers.is_empty() {
        // Only Linux has such a check apart from its rules.
        let linux = parts.routers.iter().filter(|r| r.files.has_linux_settings()).map(|r| (&r.device, &r.kernel));
        given.extend(kernel::given(snapshot, linux.clone()));
        given.extend(kernel::no_helpers(linux).filter(|_| parts.no_helper));
    }
    for server in &parts.servers {
        given.extend(kernel::told(snapshot, &server.device, &server.kernel));
        given.extend(server.files.given_order(&server.device.name));
    }
    for router in &parts.routers {
        given.extend(router.files.given(&router.device.name));
        given.extend(router.files.given_order(&router.device.name));
    }
    given
}

/// What is taken as given of the bridges by which servers are joined. Where nobody calls from inside, nothing stays
/// within a bridge.
fn bridges(manifest: &Manifest, parts: &Parts, devices: &[Device], server_base: usize) -> Vec<String> {
    let inside = |c: &At<Place>| !matches!(c.value, Place::Internet | Place::Caller(_) | Place::Admin);
    if !manifest.deploys.iter().any(|d| d.clients.as_ref().is_none_or(|list| list.iter().any(inside))) {
        return Vec::new();
    }
    let joined: Vec<usize> = devices[server_base..].iter().flat_map(|d| &d.interfaces).map(|i| i.segment).collect();
    let joins = |i: &Interface| i.segment != INTERNET_SEGMENT && joined.contains(&i.segment);
    let mut out = Vec::new();
    for router in parts.routers.iter().filter(|r| r.files.has_linux_settings()) {
        let device = devices[..server_base].iter().find(|d| d.name == router.device.name);
        out.extend(device.map(|d| kernel::bridges(d, &router.kernel, joins)).unwrap_or_default());
    }
    out
}

/// A described caller's name, and the addresses of its outer interface.
fn caller_line((router, gateway): (&Router, &crate::manifest::Gateway)) -> (String, Set) {
    let addresses = router.device.interfaces.get(router.outer_v4).map_or(&[][..], |i| &i.addresses);
    let outer = addresses.iter().map(ipnet::IpNet::addr).filter(IpAddr::is_ipv4);
    let own = Set::union(outer.chain(router.wan.as_ref().map(|w| w.address)).map(address::one));
    (gateway.label.as_ref().map_or_else(String::new, |l| l.value.clone()), own)
}

struct Builder<'a> {
    /// What configurations ask for, not what is in force.
    intended: bool,
    /// Outer addresses of callers whose routers are described.
    caller_lines: Vec<(String, Set)>,
    rulesets: Vec<(SourceId, Counts)>,
    left_out: Vec<(usize, LeftOut)>,
    snapshot: &'a Snapshot,
    manifest: &'a Manifest,
    devices: Vec<Device>,
    routers: Vec<Router>,
    /// Files of the filters that are read, by their number in the manifest.
    wires: &'a BTreeMap<usize, Files>,
    segments: usize,
    public: Option<IpAddr>,
    no_v6: Option<String>,
    further_lines: bool,
    assumptions: Vec<String>,
    vantages: Vec<Vantage>,
    /// Boxes that nobody described.
    assumed: Vec<usize>,
    /// Filters without NAT.
    filters: Vec<usize>,
    /// Boxes that are stated.
    stated: Vec<usize>,
    /// Devices that translate on the way in, with the interface by which calls come in.
    entries: Vec<(usize, usize)>,
    /// Devices of the routers that are read.
    router_at: Vec<usize>,
    /// Filters, with the device and interface before each; absent: the internet.
    behind: Vec<(usize, Option<(usize, usize)>)>,
    /// Stated boxes, and the address that they forward to where they name none.
    nexts: Vec<(usize, IpAddr)>,
    /// Files in which devices can be changed.
    files: Vec<(usize, SourceId)>,
    /// What the files of devices say.
    read: Vec<(usize, Files)>,
    /// The last device on the way in.
    innermost: Option<usize>,
    /// Boxes that end further lines.
    lines: Vec<usize>,
    /// How many addresses were invented for lines.
    invented: u8,
}

impl Builder<'_> {
    fn segment(&mut self) -> usize {
        self.segments += 1;
        self.segments - 1
    }

    /// A device's interface has the public address.
    fn holds_public(&self, device: usize, iface: usize) -> bool {
        let first = self.devices[device].interfaces[iface].addresses.first().map(IpNet::addr);
        first.is_some_and(|a| self.public_addresses().contains(&a))
    }

    /// Where nothing says otherwise, the default route leads out.
    fn default_routes(&mut self, device: &mut Device, router: &Router, before: Option<(usize, usize)>) {
        for (family, outer) in [(Family::V4, router.outer_v4), (Family::V6, router.outer_v6)] {
            let hop = before.and_then(|(d, i)| address_of(&self.devices[d].interfaces[i], family));
            let link: Vec<IpNet> = device.interfaces[outer].addresses.iter().map(IpNet::trunc).collect();
            for route in device.routes.iter_mut().filter(|r| hop.is_some() && Family::of(r.to.addr()) == family) {
                // Behind another box, "out by this interface" means by that box, in any table.
                if route.target == RouteTarget::Via(outer, None) && !link.iter().any(|n| n.contains(&route.to)) {
                    route.target = RouteTarget::Via(outer, hop);
                }
            }
            let index = usize::from(family == Family::V6);
            // A table that was given without a default route has none.
            if router.has_default[index] || router.routes_dumped[index] {
                continue;
            }
            // Nor has a tunnel one, unless a route says so.
            if device.interfaces[outer].tunnel && before.is_some() {
                continue;
            }
            let own = |n: &IpNet| Family::of(n.addr()) == family && !is_link_local(n.addr());
            let asked = self.manifest.deploys.iter().flat_map(|d| &d.host).any(|h| Family::of(h.value) == family);
            if asked && device.interfaces.iter().flat_map(|i| &i.addresses).any(own) {
                let name = if family == Family::V6 { "IPv6" } else { "IPv4" };
                self.assumptions.push(format!(
                    "{}'s default {name} route leads out by {}: no {name} routes are given",
                    device.name,
                    device.interfaces[outer].shown()
                ));
            }
            device.routes.push(Route {
                to: everything(family),
                target: RouteTarget::Via(outer, hop),
                table: MAIN,
                metric: 0,
            });
        }
    }
}

impl Site {
    /// The file that a change of a device's statement goes into.
    pub fn owner(&self, device: usize, statement: OriginId) -> Option<SourceId> {
        let source = self.network.devices[device].pipeline.origins.get(statement.0 as usize)?.at.source;
        self.owners.get(device)?.iter().find(|(part, _)| *part == source).map(|(_, own)| *own)
    }

    /// The texts with a device's rules.
    pub fn texts(&self, device: usize) -> impl Iterator<Item = SourceId> {
        let owners = self.owners.get(device).into_iter().flatten().map(|(part, _)| *part);
        self.files.get(device).copied().flatten().into_iter().chain(owners)
    }

    /// A server with the containers on it.
    pub fn host_of(&self, server: usize) -> Host {
        let containers = self.containers.iter().find(|(of, _)| *of == server).map(|(_, range)| *range);
        Host { device: server, containers }
    }

    /// Addresses of the site's devices on the internet.
    pub fn outer_addresses(&self, family: Family) -> Vec<IpAddr> {
        // Behind a filter the first device that translates has them.
        let first = self.entries.first().map(|(d, i)| &self.network.devices[*d].interfaces[*i]);
        let guarded = first.into_iter().flat_map(|i| &i.addresses).map(IpNet::addr).filter(|a| is_public(*a));
        let nets = self.outer_interfaces().flat_map(|i| &i.addresses).map(IpNet::addr).chain(guarded);
        let mut out: Vec<IpAddr> = Vec::new();
        for address in nets.filter(|a| Family::of(*a) == family && !is_link_local(*a) && !lines::is_invented(*a)) {
            if !out.contains(&address) {
                out.push(address);
            }
        }
        out
    }

    /// A line to the internet whose address in this family no input tells: by it nothing is asked.
    pub fn has_unnamed_line(&self, family: Family) -> bool {
        let named =
            |i: &Interface| i.addresses.iter().any(|a| Family::of(a.addr()) == family && !lines::is_invented(a.addr()));
        self.further_lines && self.outer_interfaces().any(|i| i.line && !named(i))
    }

    fn outer_interfaces(&self) -> impl Iterator<Item = &Interface> {
        let devices = self.network.devices.iter().take(self.internet);
        devices.flat_map(|d| &d.interfaces).filter(|i| i.segment == INTERNET_SEGMENT)
    }

    /// The address from which a server sends to the internet when its program names none: that of the interface by
    /// which its route leads there (`ip_route_output_key_hash`, net/ipv4/route.c), which may be another than `host`'s.
    pub fn source_of(&self, server: usize, host: IpAddr) -> IpAddr {
        let device = &self.network.devices[server];
        let family = Family::of(host);
        let defaults = device.routes.iter().filter(|r| gateway::is_default(r, family));
        let Some(RouteTarget::Via(out, hop)) = defaults.min_by_key(|r| r.metric).map(|r| r.target.clone()) else {
            return host;
        };
        let own = || device.interfaces[out].addresses.iter().filter(|n| Family::of(n.addr()) == family);
        if own().any(|n| n.addr() == host) || own().next().is_none() {
            return host;
        }
        let near = own().find(|n| hop.is_some_and(|h| n.contains(&h)));
        near.or(own().next()).map_or(host, IpNet::addr)
    }

    /// Who calls this instance's server from its own network and from elsewhere: only one network is `lan`.
    pub fn vantages_of(&self, server: usize) -> Vec<Vantage> {
        let segment: Vec<usize> = self.network.devices[server].interfaces.iter().map(|i| i.segment).collect();
        let rename = |v: &Vantage| {
            let mut v = v.clone();
            if v.place == Place::Lan && !segment.contains(&v.segment) {
                v.place = Place::Net(v.net.clone());
            }
            v
        };
        self.vantages.iter().map(rename).collect()
    }
}

fn is_outside(device: &Device, iface: usize) -> bool {
    device.interfaces[iface].segment == INTERNET_SEGMENT
}

/// Others are joined to its network by a bridge of the device.
fn is_bridged(device: &Device, iface: usize) -> bool {
    device.interfaces.iter().any(|f| f.stands_for_ports && f.segment == device.interfaces[iface].segment)
}

fn full(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The first of the longest networks that hold an address.
fn most_specific(nets: &[IpNet], ip: IpAddr) -> Option<IpNet> {
    let holds = nets.iter().filter(|n| n.contains(&ip));
    holds.min_by_key(|n| std::cmp::Reverse(n.prefix_len())).copied()
}

/// The default route's destination.
pub(super) fn everything(family: Family) -> IpNet {
    IpNet::new_assert(family.address(0), 0)
}

/// An interface's address in a family, a global one if it has one.
pub(super) fn address_of(iface: &Interface, family: Family) -> Option<IpAddr> {
    let all = || iface.addresses.iter().map(IpNet::addr).filter(|a| Family::of(*a) == family);
    all().find(|a| !is_link_local(*a)).or_else(|| all().next())
}
