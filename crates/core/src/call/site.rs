//! The network of a site: its gateways, its servers, everybody who calls, and the segments between them.

mod callers;
mod front;
mod nets;

use super::address::is_link_local;
use super::containers;
use super::gateway::{self, Router};
use super::kernel;
use super::reach::Host;
use super::server::{self, Server};
use super::stated::INSIDE;
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::dialect::{Counts, Entry, Known, LeftOut};
use crate::manifest::{At, GatewayKind, Manifest, Place};
use crate::model::{Device, Family, Interface, Route, RouteTarget, SourceId};
use crate::profile::Instance;
use crate::snapshot::{InputError, Snapshot};
use crate::trace::Network;
use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::Range;

/// Segment number of the internet.
const INTERNET_SEGMENT: usize = 0;

/// What was read, before devices are joined.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// Gateways from the internet inwards; a stated box is only the first, and absent here.
    routers: Vec<Router>,
    /// Routers of callers.
    callers: Vec<Router>,
    servers: Vec<Server>,
    /// Server of each instance.
    server_of: Vec<usize>,
}

/// What is assumed about an outer address that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// The gateway has the public address itself.
    OnGateway,
    /// Another box stands in front of it.
    BoxInFront,
}

/// People in one place.
#[derive(Debug, Clone)]
pub(super) struct Vantage {
    /// Where.
    pub place: Place,
    /// For reports: `anyone on the internet`, `your network 192.168.1.0/24`.
    pub name: String,
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
pub(super) struct Site {
    /// Devices.
    pub network: Network,
    /// Index of the internet.
    pub internet: usize,
    /// Device of each instance's server.
    pub server_of: Vec<usize>,
    /// Servers with the devices that stand for their containers: first and last.
    pub containers: Vec<(usize, (usize, usize))>,
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
    /// Rules that are on but not loaded: device and rule.
    pub left_out: Vec<(usize, LeftOut)>,
    /// The first router that is read, and its interface towards the internet. Absent behind a box that is stated: what
    /// lies between the two is nobody's line.
    pub outermost: Option<(usize, usize)>,
}

impl Parts {
    /// Reads everything that the manifest names.
    ///
    /// # Errors
    /// Files or facts that are missing or broken.
    pub fn read(snapshot: &Snapshot, manifest: &Manifest, instances: &[Instance]) -> Result<Self, InputError> {
        let many = manifest.gateways.iter().filter(|g| matches!(g.kind, GatewayKind::Read { .. })).count() > 1;
        let mut routers = Vec::new();
        let behind = |g: &&crate::manifest::Gateway| matches!(g.kind, GatewayKind::Stated(_)) && g.line.is_none();
        if let Some(stated) = manifest.gateways.iter().skip(1).find(behind) {
            let head = stated.span.start..stated.span.start + "[[gateway]]".len();
            return Err(InputError::in_manifest(head, "a stated box stands behind another")
                .help("only the outermost gateway can be stated: list gateways from the internet inwards"));
        }
        for (i, g) in manifest.gateways.iter().enumerate().filter(|(_, g)| g.line.is_none()) {
            let name = if let Some(label) = &g.label {
                label.value.clone()
            } else {
                let base = gateway::kind_name(snapshot, g);
                if many { format!("{base} {}", i + 1) } else { base.into() }
            };
            routers.extend(gateway::read(snapshot, g, (i, &name), &manifest.deploys, manifest.gateways.len() == 1)?);
        }
        let mut callers = Vec::new();
        for (i, c) in manifest.callers.iter().enumerate() {
            let name = format!("the router of {}", c.label.as_ref().map_or("", |l| &l.value));
            callers.extend(gateway::read(snapshot, c, (manifest.gateways.len() + i, &name), &[], false)?);
        }
        let (servers, server_of) = server::read_all(
            snapshot,
            instances,
            manifest.gateways.iter().all(|g| matches!(g.kind, GatewayKind::Filter(_))),
        )?;
        Ok(Self { routers, callers, servers, server_of })
    }

    /// Nothing says which address the outermost gateway has.
    pub fn outer_address_unknown(&self, manifest: &Manifest) -> bool {
        let stated_box = matches!(manifest.gateways.first().map(|g| &g.kind), Some(GatewayKind::Stated(_)));
        !stated_box && self.routers.first().is_some_and(|r| r.wan.is_none()) && public_v4(manifest).is_some()
    }

    /// A device has both its configuration and the rules in force.
    pub fn has_both(&self) -> bool {
        self.routers.iter().any(|r| r.pending.has_both())
    }

    /// Name of the outermost gateway.
    pub fn outer_name(&self) -> &str {
        self.routers.first().map_or("the server", |r| &r.device.name)
    }

    /// Where its user sees the address of its outer interface.
    pub fn outer_address_shown(&self) -> &'static str {
        self.routers.first().map_or("", |r| r.pending.outer_address_shown())
    }
}

fn public_v4(manifest: &Manifest) -> Option<&At<IpAddr>> {
    manifest.address.iter().find(|a| a.value.is_ipv4())
}

/// Joins what was read.
///
/// # Errors
/// Addresses that contradict each other, or that nothing tells.
pub(super) fn build(
    snapshot: &Snapshot,
    manifest: &Manifest,
    parts: &Parts,
    case: Case,
    intended: bool,
) -> Result<Site, InputError> {
    let line = |(router, gateway): (&Router, &crate::manifest::Gateway)| {
        let own = router.wan.as_ref().map_or_else(Set::empty, |w| super::address::one(w.address));
        (gateway.label.as_ref().map_or_else(String::new, |l| l.value.clone()), own)
    };
    let mut b = Builder {
        intended,
        caller_lines: parts.callers.iter().zip(&manifest.callers).map(line).collect(),
        rulesets: Vec::new(),
        left_out: Vec::new(),
        snapshot,
        manifest,
        devices: Vec::new(),
        routers: parts.routers.clone(),
        segments: 1,
        public: None,
        no_v6: None,
        further_lines: false,
        assumptions: Vec::new(),
        vantages: Vec::new(),
    };
    b.public = b.find_public(&parts.servers)?;
    let front_box = b.front_box(case)?;
    if !parts.routers.is_empty() {
        // Only Linux has such a check apart from its rules.
        let linux = parts.routers.iter().filter(|r| !r.pending.is_some()).map(|r| (&r.device, &r.kernel));
        b.assumptions.extend(kernel::given(snapshot, linux));
    }
    for server in &parts.servers {
        b.assumptions.extend(kernel::told(snapshot, &server.device, &server.kernel));
    }
    for router in &parts.routers {
        b.assumptions.extend(router.pending.taken_as_given(&router.device.name));
    }
    let first_router = b.devices.len();
    b.add_routers(front_box);
    let server_base = b.devices.len();
    b.add_servers(&parts.servers, first_router)?;
    let server_of = parts.server_of.iter().map(|s| server_base + s).collect();
    let internet = b.add_internet(first_router, server_base);
    b.add_callers(first_router, server_base, internet)?;
    for (router, described) in parts.callers.iter().zip(&manifest.callers) {
        b.add_described(router, described, internet)?;
    }
    let containers = b.add_containers(&parts.servers, server_base);
    let mut files = vec![None; b.devices.len()];
    let stated = matches!(manifest.gateways.first().map(|g| &g.kind), Some(GatewayKind::Stated(_)));
    if stated && parts.routers.is_empty() && first_router > 0 {
        // What is stated of a box stands in the manifest. A router behind it cures more, and its owner can reach it.
        files[0] = Some(SourceId(0));
    }
    for (i, router) in parts.routers.iter().enumerate() {
        let config = router.pending.config.as_ref().map(|(id, _)| *id);
        let effective = router.pending.effective.as_ref().map(|(id, _)| *id);
        files[first_router + i] = config.or(effective).or_else(|| router.rulesets.first().map(|r| r.0));
    }
    for (i, server) in parts.servers.iter().enumerate() {
        if let Some(file) = files.get_mut(server_base + i) {
            *file = server.rulesets.first().map(|r| r.0);
        }
    }
    let mut rulesets = b.rulesets;
    rulesets.extend(parts.servers.iter().flat_map(|s| &s.rulesets));
    Ok(Site {
        network: Network { devices: b.devices },
        internet,
        server_of,
        containers,
        vantages: b.vantages,
        public: b.public,
        no_v6: b.no_v6,
        further_lines: b.further_lines,
        assumptions: b.assumptions,
        rulesets,
        files,
        left_out: b.left_out,
        outermost: b.routers.first().filter(|_| !stated).map(|r| (first_router, r.outer_v4)),
    })
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
    segments: usize,
    public: Option<IpAddr>,
    no_v6: Option<String>,
    further_lines: bool,
    assumptions: Vec<String>,
    vantages: Vec<Vantage>,
}

impl Builder<'_> {
    fn segment(&mut self) -> usize {
        self.segments += 1;
        self.segments - 1
    }

    fn add_routers(&mut self, front_box: Option<usize>) {
        let mut before: Option<(usize, usize)> = front_box.map(|b| (b, INSIDE));
        for index in 0..self.routers.len() {
            let router = self.routers[index].clone();
            let mut device = router.device.clone();
            if let Some(wan) = &router.wan
                && !device.interfaces[router.outer_v4].addresses.iter().any(|n| n.addr() == wan.address)
            {
                device.interfaces[router.outer_v4].addresses.push(wan.address.into());
            }
            for i in 0..device.interfaces.len() {
                // A further line ends at the internet too.
                let further = device.interfaces[i].line && i != router.outer_v4 && i != router.outer_v6;
                device.interfaces[i].segment = if further { INTERNET_SEGMENT } else { self.segment() };
                if further {
                    self.further_lines = true;
                    self.assumptions.push(format!(
                        "{} of {} is another line to the internet: calls to its address are not judged",
                        device.interfaces[i].shown(),
                        device.name
                    ));
                }
            }
            let outer_segment = match before {
                None => INTERNET_SEGMENT,
                Some((d, i)) => self.devices[d].interfaces[i].segment,
            };
            device.interfaces[router.outer_v4].segment = outer_segment;
            device.interfaces[router.outer_v6].segment = outer_segment;
            self.default_routes(&mut device, &router, before);
            self.rulesets.extend(&router.rulesets);
            if router.pending.is_some() {
                let known = known(self.manifest, router.number);
                let lowered = router.pending.lower(&mut device, &known, self.intended);
                self.rulesets.extend(lowered.counts);
                let here = self.devices.len();
                self.left_out.extend(lowered.left_out.into_iter().map(|l| (here, l)));
            }
            if before.is_none() {
                self.assumptions.push(router.outer_why.clone());
            }
            self.devices.push(device);
            before = self.inner_of(index);
        }
    }

    /// The interface of the router just added that leads to the next one.
    fn inner_of(&self, index: usize) -> Option<(usize, usize)> {
        let next = self.routers.get(index + 1)?;
        let last = self.devices.len() - 1;
        let wan = next.wan.as_ref().map(|w| w.address);
        let holds = |i: &Interface| i.addresses.iter().any(|n| wan.is_some_and(|w| n.contains(&w)));
        self.devices[last].interfaces.iter().position(holds).map(|i| (last, i))
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

    fn add_servers(&mut self, servers: &[Server], first_router: usize) -> Result<(), InputError> {
        // Servers stand in the networks of gateways, never in those of each other.
        let start = if self.routers.is_empty() { 0 } else { first_router };
        let gateways = start..self.devices.len();
        for server in servers {
            let mut device = server.device.clone();
            let mut segment = None;
            let mut nets = Vec::new();
            for address in &server.addresses {
                // What a box does to IPv6 of which nothing was read is not judged.
                if self.routers.is_empty() && first_router > 0 && address.value.addr().is_ipv6() {
                    continue;
                }
                let Some((d, i, net)) = self.holder(address, &gateways)? else {
                    if self.manifest.gateways.is_empty() {
                        segment = Some(INTERNET_SEGMENT);
                        nets.push((address.value, None));
                    }
                    continue;
                };
                let here = self.devices[d].interfaces[i].segment;
                if segment.is_some_and(|s| s != here) {
                    return Err(address
                        .error(format!(
                            "{} and the server's other address lie in different networks",
                            address.value.addr()
                        ))
                        .help("give addresses of one interface of the server"));
                }
                segment = Some(here);
                let gateway = most_specific(&self.devices[d].interfaces[i].addresses, address.value.addr());
                let gateway = gateway.as_ref().map(IpNet::addr);
                let full = IpNet::new_assert(address.value.addr(), net.prefix_len());
                nets.push((full, gateway));
            }
            // One without any address here is never asked; its place in the list stays.
            let invented = server::attach(&mut device, server, segment.unwrap_or(INTERNET_SEGMENT), &nets);
            if !invented.is_empty() {
                let hops: Vec<String> = invented.iter().map(ToString::to_string).collect();
                let hops = hops.join(" and ");
                self.assumptions.push(format!("{} sends what is not for its own network to {hops}", device.name));
            }
            for i in 0..device.interfaces.len() {
                if i != server.interface {
                    device.interfaces[i].segment = self.segment();
                }
            }
            self.devices.push(device);
        }
        Ok(())
    }

    /// Containers on servers, after all other devices: each server that has some, with its first and last one.
    fn add_containers(&mut self, servers: &[Server], server_base: usize) -> Vec<(usize, (usize, usize))> {
        let mut out = Vec::new();
        for (n, server) in servers.iter().enumerate() {
            let index = server_base + n;
            let found = containers::on(&mut self.devices[index], server.interface);
            let first = self.devices.len();
            self.devices.extend(found.devices);
            if self.devices.len() > first {
                out.push((index, (first, self.devices.len() - 1)));
                let shown = found.addresses.iter().take(4).map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let more = match found.addresses.len().saturating_sub(4) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                self.assumptions.push(format!(
                    "{} passes on what its rules forward to its containers ({shown}{more}); what arrives there is taken: \
                     which service listens there is not given",
                    self.devices[index].name
                ));
            }
        }
        out
    }

    /// The gateway's interface whose network holds a server's address. Of several networks of one gateway the most
    /// specific one leads there (longest prefix); an interface may have several addresses of one network.
    fn holder(
        &self,
        address: &At<IpNet>,
        gateways: &Range<usize>,
    ) -> Result<Option<(usize, usize, IpNet)>, InputError> {
        let ip = address.value.addr();
        let mut found: Vec<(usize, usize, IpNet)> = Vec::new();
        for (d, device) in self.devices.iter().enumerate().take(gateways.end).skip(gateways.start) {
            let mut here: Vec<(usize, usize, IpNet)> = Vec::new();
            for (i, iface) in device.interfaces.iter().enumerate() {
                if iface.segment == INTERNET_SEGMENT && is_outside(device, i) {
                    continue;
                }
                let net = most_specific(&iface.addresses, ip).filter(|n| n.prefix_len() < full(ip));
                here.extend(net.map(|n| (d, i, n)));
            }
            let longest = here.iter().map(|(_, _, n)| n.prefix_len()).max();
            found.extend(here.into_iter().filter(|(_, _, n)| Some(n.prefix_len()) == longest));
        }
        let names = |found: &[(usize, usize, IpNet)]| {
            let one = |(d, i, n): &(usize, usize, IpNet)| {
                format!("{} of {} ({n})", self.devices[*d].interfaces[*i].name, self.devices[*d].name)
            };
            found.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        if let Some((d, i, _)) =
            found.iter().find(|(d, i, _)| self.devices[*d].interfaces[*i].addresses.iter().any(|n| n.addr() == ip))
        {
            return Err(address
                .error(format!(
                    "{ip} is {}'s own address on {}",
                    self.devices[*d].name, self.devices[*d].interfaces[*i].name
                ))
                .help("`host` is the server's address"));
        }
        match found[..] {
            [one] => Ok(Some(one)),
            [] if gateways.is_empty() => Ok(None),
            [] => Err(gateway::no_network(address.error(""), ip, &self.devices[gateways.clone()])),
            _ => Err(address
                .error(format!("{ip} lies in the networks of several interfaces: {}", names(&found)))
                .help("give address dumps in which only one interface holds it")),
        }
    }
}

impl Site {
    /// A server with the containers on it.
    pub fn host_of(&self, server: usize) -> Host {
        let containers = self.containers.iter().find(|(of, _)| *of == server).map(|(_, range)| *range);
        Host { device: server, containers }
    }

    /// Addresses of the site's devices on the internet.
    pub fn outer_addresses(&self, family: Family) -> Vec<IpAddr> {
        let nets = self.outer_interfaces().flat_map(|i| &i.addresses).map(IpNet::addr);
        nets.filter(|a| Family::of(*a) == family && !is_link_local(*a)).collect()
    }

    /// A line to the internet whose address in this family no input tells: by it nothing is asked.
    pub fn has_unnamed_line(&self, family: Family) -> bool {
        let named = |i: &Interface| i.addresses.iter().any(|a| Family::of(a.addr()) == family);
        self.further_lines && self.outer_interfaces().any(|i| i.line && !named(i))
    }

    fn outer_interfaces(&self) -> impl Iterator<Item = &Interface> {
        let devices = self.network.devices.iter().take(self.internet);
        devices.flat_map(|d| &d.interfaces).filter(|i| i.segment == INTERNET_SEGMENT)
    }

    /// Who calls this instance's server from its own network and from elsewhere: only one network is `lan`.
    pub fn vantages_of(&self, server: usize) -> Vec<Vantage> {
        let segment: Vec<usize> = self.network.devices[server].interfaces.iter().map(|i| i.segment).collect();
        let rename = |v: &Vantage| {
            let mut v = v.clone();
            if v.place == Place::Lan && !segment.contains(&v.segment) {
                // Its name ends in its prefix.
                v.place = Place::Net(v.name.rsplit(' ').next().unwrap_or_default().to_owned());
            }
            v
        };
        self.vantages.iter().map(rename).collect()
    }
}

fn is_outside(device: &Device, iface: usize) -> bool {
    device.interfaces[iface].segment == INTERNET_SEGMENT
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

/// What the manifest says about names and aliases, for one of its gateways.
fn known(manifest: &Manifest, gateway: usize) -> Known {
    let mut out = Known::default();
    if let Some(name) = &manifest.name
        && !manifest.address.is_empty()
    {
        out.names.insert(name.value.clone(), manifest.address.iter().map(|a| a.value).collect());
    }
    if let Some(GatewayKind::Read { aliases, .. }) = manifest.gateways.get(gateway).map(|g| &g.kind) {
        for (name, members) in aliases {
            out.tables.insert(name.value.clone(), members.iter().map(|n| Entry::Net(*n)).collect());
        }
    }
    out
}
