//! The network of a site: its gateways, its servers, everybody who calls, and the segments between them.

use super::address::{hosts, internet, is_link_local, is_public, one, prefix_set};
use super::gateway::{self, Router, Wan, at_line};
use super::server::{self, Server};
use super::stated::{self, INSIDE, OUTSIDE, Stated};
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::dialect::nft::lower::Coverage;
use crate::manifest::{At, Forwards, GatewayKind, Manifest, Place};
use crate::model::{Device, Family, Interface, Route, RouteTarget, SourceId};
use crate::profile::Instance;
use crate::snapshot::{InputError, Snapshot};
use crate::trace::Network;
use ipnet::IpNet;
use std::net::IpAddr;

/// Segment number of the internet.
const INTERNET_SEGMENT: usize = 0;

/// What was read, before devices are joined.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// Gateways from the internet inwards; a stated box is only the first, and absent here.
    routers: Vec<Router>,
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
    /// Everybody who may call, except the servers themselves and the administrator.
    pub vantages: Vec<Vantage>,
    /// Public IPv4 address.
    pub public: Option<IpAddr>,
    /// Why calls from the internet by IPv6 are not judged, if so.
    pub no_v6: Option<String>,
    /// What is taken as given.
    pub assumptions: Vec<String>,
    /// Rulesets that were read.
    pub rulesets: Vec<(SourceId, Coverage)>,
}

impl Parts {
    /// Reads everything that the manifest names.
    ///
    /// # Errors
    /// Files or facts that are missing or broken.
    pub fn read(snapshot: &Snapshot, manifest: &Manifest, instances: &[Instance]) -> Result<Self, InputError> {
        let many = manifest.gateways.len() > 1;
        let mut routers = Vec::new();
        for (i, g) in manifest.gateways.iter().enumerate() {
            let name = match &g.label {
                Some(label) => label.value.clone(),
                None if many => format!("router {}", i + 1),
                None => "router".into(),
            };
            routers.extend(gateway::read(snapshot, g, &name, &manifest.deploys)?);
        }
        let (servers, server_of) = server::read_all(snapshot, instances)?;
        Ok(Self { routers, servers, server_of })
    }

    /// Nothing says which address the outermost gateway has.
    pub fn outer_address_unknown(&self, manifest: &Manifest) -> bool {
        let stated_box = matches!(manifest.gateways.first().map(|g| &g.kind), Some(GatewayKind::Stated { .. }));
        !stated_box && self.routers.first().is_some_and(|r| r.wan.is_none()) && public_v4(manifest).is_some()
    }

    /// Name of the outermost gateway.
    pub fn outer_name(&self) -> &str {
        self.routers.first().map_or("the server", |r| &r.device.name)
    }
}

fn public_v4(manifest: &Manifest) -> Option<&At<IpAddr>> {
    manifest.address.iter().find(|a| a.value.is_ipv4())
}

/// Joins what was read.
///
/// # Errors
/// Addresses that contradict each other, or that nothing tells.
pub(super) fn build(snapshot: &Snapshot, manifest: &Manifest, parts: &Parts, case: Case) -> Result<Site, InputError> {
    let mut b = Builder {
        snapshot,
        manifest,
        devices: Vec::new(),
        routers: parts.routers.clone(),
        segments: 1,
        public: None,
        no_v6: None,
        assumptions: Vec::new(),
        vantages: Vec::new(),
    };
    b.public = b.find_public(&parts.servers)?;
    let front_box = b.front_box(case)?;
    let first_router = b.devices.len();
    b.add_routers(front_box)?;
    let server_base = b.devices.len();
    b.add_servers(&parts.servers, first_router)?;
    let server_of = parts.server_of.iter().map(|s| server_base + s).collect();
    let internet = b.add_internet(first_router, server_base)?;
    b.add_callers(first_router, server_base, internet)?;
    let rulesets = parts
        .routers
        .iter()
        .flat_map(|r| &r.rulesets)
        .chain(parts.servers.iter().flat_map(|s| &s.rulesets))
        .copied()
        .collect();
    Ok(Site {
        network: Network { devices: b.devices },
        internet,
        server_of,
        vantages: b.vantages,
        public: b.public,
        no_v6: b.no_v6,
        assumptions: b.assumptions,
        rulesets,
    })
}

struct Builder<'a> {
    snapshot: &'a Snapshot,
    manifest: &'a Manifest,
    devices: Vec<Device>,
    routers: Vec<Router>,
    segments: usize,
    public: Option<IpAddr>,
    no_v6: Option<String>,
    assumptions: Vec<String>,
    vantages: Vec<Vantage>,
}

impl Builder<'_> {
    fn segment(&mut self) -> usize {
        self.segments += 1;
        self.segments - 1
    }

    fn find_public(&mut self, servers: &[Server]) -> Result<Option<IpAddr>, InputError> {
        if let Some(a) = public_v4(self.manifest) {
            self.assumptions.push(format!("the internet sees {} ({})", a.value, at_line(self.snapshot, a)));
            return Ok(Some(a.value));
        }
        let wan = self.routers.first().and_then(|r| r.wan.as_ref()).map(|w| w.address).filter(|a| is_public(*a));
        let own = servers.iter().flat_map(|s| &s.addresses).map(|n| n.value.addr());
        let direct = own.clone().find(|a| a.is_ipv4() && is_public(*a)).filter(|_| self.manifest.gateways.is_empty());
        let has_v6 =
            self.manifest.address.iter().any(|a| a.value.is_ipv6()) || own.clone().any(|a| a.is_ipv6() && is_public(a));
        match wan.or(direct) {
            Some(a) => {
                self.assumptions.push(format!("the internet sees {a}, the outer address"));
                Ok(Some(a))
            }
            None if has_v6 => Ok(None),
            None => Err(InputError::in_manifest(0..0, "nothing says by which address the internet reaches the server")
                .help("add your public address: `address = \"203.0.113.5\"`; a page such as https://ip.me shows it")),
        }
    }

    /// A box in front of everything: stated, or there because the public address is not on the gateway. Its index.
    fn front_box(&mut self, case: Case) -> Result<Option<usize>, InputError> {
        let Some(public) = self.public else { return Ok(None) };
        let first = self.manifest.gateways.first();
        if let Some(GatewayKind::Stated { inside, forwards, hairpin }) = first.map(|g| &g.kind) {
            let name = first.and_then(|g| g.label.as_ref()).map_or("the box in front", |l| &l.value);
            let next = match (&forwards.value, self.routers.first()) {
                (Forwards::All(Some(to)), _) => *to,
                (_, Some(router)) => match &router.wan {
                    Some(w) => w.address,
                    None => {
                        return Err(inside
                            .error(format!("which address of {} does {name} forward to?", inside.value))
                            .help("name it in the next [[gateway]] table: `wan = \"192.168.0.2\"`"));
                    }
                },
                (_, None) => match self.manifest.deploys.iter().flat_map(|d| &d.host).find(|h| h.value.is_ipv4()) {
                    Some(host) => host.value,
                    None => return Ok(None),
                },
            };
            if !inside.value.contains(&next) {
                return Err(inside
                    .error(format!("{name} would forward to {next}, which is not in its network"))
                    .help("check `inside`, the `wan` of the next gateway and the target in `forwards`"));
            }
            if let Some(router) = self.routers.first()
                && router.wan.as_ref().is_none_or(|w| w.address != next)
            {
                self.routers[0].wan = Some(Wan { address: next, why: format!("what {name} forwards to") });
            }
            self.assumptions.push(format!("{name}: as you stated ({})", at_line(self.snapshot, inside)));
            self.no_v6 = Some(format!("IPv6: what {name} does to it is not stated"));
            let at = inside.span.clone();
            return Ok(Some(self.push_box(name, public, inside.value, next, &forwards.value, *hairpin, at)));
        }
        let Some(router) = self.routers.first().cloned() else { return Ok(None) };
        let name = router.device.name.clone();
        let outer = router.outer_v4;
        // Its own address, or one of a public network behind it.
        let holds = router
            .device
            .interfaces
            .iter()
            .enumerate()
            .any(|(i, f)| f.addresses.iter().any(|n| n.addr() == public || i != outer && n.contains(&public)));
        let (net, why) = match (&router.wan, case) {
            _ if holds => {
                let why =
                    router.wan.as_ref().filter(|w| w.address == public).map_or("on an inner interface", |w| &w.why);
                self.assumptions.push(format!("{public} is on {name} itself ({why}), so no second router is in front"));
                return Ok(None);
            }
            (None, Case::OnGateway) => {
                self.routers[0].device.interfaces[outer].addresses.push(public.into());
                return Ok(None);
            }
            // RFC 7335: never anybody's own network, so it cannot collide with one.
            (None, Case::BoxInFront) => {
                let net: IpNet = IpNet::new_assert(std::net::Ipv4Addr::new(192, 0, 0, 2).into(), 29);
                self.routers[0].device.interfaces[outer].addresses.push(net);
                self.routers[0].wan = Some(Wan { address: net.addr(), why: "an address nobody knows".into() });
                (net, "its outer address is not known".to_owned())
            }
            (Some(w), _) => {
                let net = router.device.interfaces[outer].addresses.iter().find(|n| n.addr() == w.address);
                let net = net.copied().unwrap_or_else(|| w.address.into());
                (net, format!("its outer address {} ({}) is not {public}", w.address, w.why))
            }
        };
        let next = net.addr();
        let hop =
            router.device.routes.iter().find(|r| gateway::is_default(r, Family::V4)).and_then(|r| match r.target {
                RouteTarget::Via(_, hop) => hop.filter(|h| net.contains(h)),
                _ => None,
            });
        let free = hosts(net).minus(&one(next)).min().map(|v| Family::V4.address(v));
        let Some(inner) = hop.or(free) else { return Ok(None) };
        let inside = IpNet::new_assert(inner, net.prefix_len());
        let label = format!("the box in front of {name}");
        self.assumptions.push(format!("another router stands in front of {name}: {why}"));
        self.no_v6 = Some(format!("IPv6: what {label} does to it is not known"));
        let at = public_v4(self.manifest).map_or(0..0, |a| a.span.clone());
        Ok(Some(self.push_box(&label, public, inside, next, &Forwards::Unknown, None, at)))
    }

    #[allow(clippy::too_many_arguments)] // the fields of a stated box, one by one
    fn push_box(
        &mut self,
        name: &str,
        public: IpAddr,
        inside: IpNet,
        next: IpAddr,
        forwards: &Forwards,
        hairpin: Option<bool>,
        at: std::ops::Range<usize>,
    ) -> usize {
        let mut device = stated::device(&Stated { name, public, inside, next, forwards, hairpin, at });
        device.interfaces[OUTSIDE].segment = INTERNET_SEGMENT;
        device.interfaces[INSIDE].segment = self.segment();
        self.devices.push(device);
        self.devices.len() - 1
    }

    fn add_routers(&mut self, front_box: Option<usize>) -> Result<(), InputError> {
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
                device.interfaces[i].segment = self.segment();
            }
            let outer_segment = match before {
                None => INTERNET_SEGMENT,
                Some((d, i)) => self.devices[d].interfaces[i].segment,
            };
            device.interfaces[router.outer_v4].segment = outer_segment;
            device.interfaces[router.outer_v6].segment = outer_segment;
            self.default_routes(&mut device, &router, before);
            if before.is_none() {
                self.assumptions.push(router.outer_why.clone());
            }
            self.devices.push(device);
            before = self.inner_of(index);
        }
        Ok(())
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
            if router.has_default[usize::from(family == Family::V6)] || router.routes_dumped && family == Family::V4 {
                continue;
            }
            if router.routes_dumped && !device.routes.iter().any(|r| Family::of(r.to.addr()) == family) {
                // Only the other family's routes were dumped.
                self.assumptions.push(format!(
                    "{}'s default IPv6 route leads out by {}: no IPv6 routes are given",
                    device.name, device.interfaces[outer].name
                ));
            }
            let hop = before.and_then(|(d, i)| address_of(&self.devices[d].interfaces[i], family));
            device.routes.push(Route {
                to: everything(family),
                target: RouteTarget::Via(outer, hop),
                table: MAIN,
                metric: 0,
            });
        }
    }

    fn add_servers(&mut self, servers: &[Server], first_router: usize) -> Result<(), InputError> {
        for server in servers {
            let mut device = server.device.clone();
            let mut segment = None;
            let mut nets = Vec::new();
            for address in &server.addresses {
                let Some((d, i, net)) = self.holder(address, first_router)? else {
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
                let gateway = self.devices[d].interfaces[i]
                    .addresses
                    .iter()
                    .find(|n| n.contains(&address.value.addr()))
                    .map(IpNet::addr);
                let full = IpNet::new_assert(address.value.addr(), net.prefix_len());
                nets.push((full, gateway));
            }
            let Some(segment) = segment else { continue };
            server::attach(&mut device, server, segment, &nets);
            for i in 0..device.interfaces.len() {
                if i != server.interface {
                    device.interfaces[i].segment = self.segment();
                }
            }
            self.devices.push(device);
        }
        Ok(())
    }

    /// The gateway's interface whose network holds a server's address.
    fn holder(&self, address: &At<IpNet>, first_router: usize) -> Result<Option<(usize, usize, IpNet)>, InputError> {
        let ip = address.value.addr();
        let start = if self.routers.is_empty() { 0 } else { first_router };
        let mut found: Vec<(usize, usize, IpNet)> = Vec::new();
        for (d, device) in self.devices.iter().enumerate().skip(start) {
            for (i, iface) in device.interfaces.iter().enumerate() {
                if iface.segment == INTERNET_SEGMENT && is_outside(device, i) {
                    continue;
                }
                let nets = iface.addresses.iter().filter(|n| n.contains(&ip) && n.prefix_len() < full(ip));
                found.extend(nets.map(|n| (d, i, *n)));
            }
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
            [] if self.devices.is_empty() => Ok(None),
            [] => {
                let all: Vec<(usize, usize, IpNet)> = self
                    .devices
                    .iter()
                    .enumerate()
                    .skip(start)
                    .flat_map(|(d, dev)| dev.interfaces.iter().enumerate().map(move |(i, f)| (d, i, f)))
                    .flat_map(|(d, i, f)| f.addresses.iter().map(move |n| (d, i, *n)))
                    .filter(|(_, _, n)| n.addr().is_ipv4() == ip.is_ipv4() && !is_link_local(n.addr()))
                    .collect();
                let known = if all.is_empty() { "none of that family".to_owned() } else { names(&all) };
                Err(address
                    .error(format!("no gateway has an interface in the network of {ip}"))
                    .help(format!("interfaces: {known}; check `host`, or add the interface that leads to the server")))
            }
            _ => Err(address
                .error(format!("{ip} lies in the networks of several interfaces: {}", names(&found)))
                .help("give address dumps in which only one interface holds it")),
        }
    }

    fn add_internet(&mut self, first_router: usize, server_base: usize) -> Result<usize, InputError> {
        let index = self.devices.len();
        let mut iface = Interface { name: "internet".into(), segment: INTERNET_SEGMENT, ..Interface::default() };
        let mut routes = Vec::new();
        let (site_v4, site_v6) = (self.site_addresses(Family::V4), self.site_addresses(Family::V6));
        let mut extra_v4 = Set::empty();
        let mut extra_v6 = Set::empty();
        for device in &self.devices {
            for (i, outer) in device.interfaces.iter().enumerate().filter(|(_, f)| f.segment == INTERNET_SEGMENT) {
                for net in &outer.addresses {
                    let set = prefix_set(*net);
                    if net.addr().is_ipv4() { extra_v4 = extra_v4.or(&set) } else { extra_v6 = extra_v6.or(&set) }
                }
                for route in &device.routes {
                    if let RouteTarget::Via(via, Some(hop)) = route.target
                        && via == i
                    {
                        if hop.is_ipv4() {
                            extra_v4 = extra_v4.or(&one(hop))
                        } else {
                            extra_v6 = extra_v6.or(&one(hop))
                        }
                    }
                }
            }
        }
        for admin in self.manifest.deploys.iter().flat_map(|d| &d.admin).filter(|a| is_public(a.value.addr())) {
            let set = prefix_set(admin.value);
            if admin.value.addr().is_ipv4() { extra_v4 = extra_v4.or(&set) } else { extra_v6 = extra_v6.or(&set) }
        }
        iface.hosts_v4 = internet(Family::V4).or(&extra_v4).minus(&site_v4);
        iface.hosts_v6 = internet(Family::V6).or(&extra_v6).minus(&site_v6);
        self.internet_routes(first_router, server_base, &mut routes);
        self.vantages.push(Vantage {
            place: Place::Internet,
            name: "anyone on the internet".into(),
            device: index,
            v4: internet(Family::V4).minus(&site_v4),
            v6: internet(Family::V6).minus(&site_v6),
            segment: INTERNET_SEGMENT,
        });
        self.devices.push(Device { name: "the internet".into(), interfaces: vec![iface], routes, ..Device::default() });
        Ok(index)
    }

    /// All addresses that belong to the site: interfaces, inner networks, the public addresses.
    fn site_addresses(&self, family: Family) -> Set {
        let mut all = Set::empty();
        let mut add = |ip: IpAddr, set: Set| {
            if Family::of(ip) == family {
                all = all.or(&set);
            }
        };
        for iface in self.devices.iter().flat_map(|d| &d.interfaces) {
            for net in &iface.addresses {
                // Every link has the link-local network; only this address of it is the site's.
                let inner = iface.segment != INTERNET_SEGMENT && !is_link_local(net.addr());
                add(net.addr(), if inner { prefix_set(*net) } else { one(net.addr()) });
            }
        }
        for net in self.manifest.nets.iter().flat_map(|n| &n.prefixes) {
            add(net.value.addr(), prefix_set(net.value));
        }
        for ip in self.manifest.address.iter().map(|a| a.value).chain(self.public) {
            add(ip, one(ip));
        }
        all
    }

    /// How the internet reaches the site: directly on the outer segment, the rest by the outermost device.
    fn internet_routes(&mut self, first_router: usize, server_base: usize, routes: &mut Vec<Route>) {
        let on_segment: Vec<IpAddr> = self
            .devices
            .iter()
            .flat_map(|d| &d.interfaces)
            .filter(|i| i.segment == INTERNET_SEGMENT)
            .flat_map(|i| i.addresses.iter().map(IpNet::addr))
            .collect();
        let direct = |ip: IpAddr| Route { to: ip.into(), target: RouteTarget::Via(0, None), table: MAIN, metric: 0 };
        routes.extend(on_segment.iter().copied().map(direct));
        for family in [Family::V4, Family::V6] {
            let of_family = on_segment.iter().copied().filter(|a| Family::of(*a) == family);
            let mut hop = of_family.clone().find(|a| !is_link_local(*a)).or_else(|| of_family.clone().next());
            if family == Family::V6
                && hop.is_none()
                && self.no_v6.is_none()
                && let Some(router) = self.routers.first()
            {
                // A point-to-point line without an IPv6 address of its own: any next hop does.
                let address: IpNet =
                    IpNet::new_assert(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(), 128);
                let outer = router.outer_v6;
                self.devices[first_router].interfaces[outer].addresses.push(address);
                routes.push(direct(address.addr()));
                hop = Some(address.addr());
            }
            let Some(hop) = hop else { continue };
            let via = |to: IpNet| Route { to, target: RouteTarget::Via(0, Some(hop)), table: MAIN, metric: 1 };
            let told = self.manifest.address.iter().map(|a| a.value).chain(self.public);
            let inner = self.devices[first_router.min(server_base)..]
                .iter()
                .flat_map(|d| &d.interfaces)
                .filter(|i| i.segment != INTERNET_SEGMENT)
                .flat_map(|i| i.addresses.iter().map(IpNet::trunc))
                .filter(|n| is_public(n.addr()));
            let wanted = told.filter(|a| !on_segment.contains(a)).map(IpNet::from).chain(inner);
            let list: Vec<Route> = wanted.filter(|n| Family::of(n.addr()) == family).map(via).collect();
            routes.extend(list);
        }
    }

    fn add_callers(&mut self, first_router: usize, server_base: usize, internet: usize) -> Result<(), InputError> {
        let servers: Vec<(usize, Set)> = self.devices[server_base..internet]
            .iter()
            .flat_map(|d| &d.interfaces)
            .map(|i| (i.segment, i.owned(Family::V4).or(&i.owned(Family::V6))))
            .collect();
        let mut inner = Vec::new();
        for (d, device) in self.devices.iter().enumerate().take(server_base) {
            let transfer = |segment: usize| {
                let others = self.devices[..server_base].iter().enumerate().filter(|(o, _)| *o != d);
                others.flat_map(|(_, o)| &o.interfaces).any(|i| i.segment == segment)
            };
            for (i, iface) in device.interfaces.iter().enumerate() {
                let lan = servers.iter().any(|(s, _)| *s == iface.segment);
                if d >= first_router.min(server_base)
                    && iface.segment != INTERNET_SEGMENT
                    && (lan || !transfer(iface.segment))
                {
                    inner.push((d, i, lan));
                }
            }
        }
        // The box in front serves the server itself when there is no gateway behind it.
        if self.routers.is_empty() && server_base > 0 {
            inner = vec![(0, INSIDE, true)];
        }
        let mut named: Vec<bool> = vec![false; self.manifest.nets.len()];
        for (d, i, lan) in inner {
            let iface = self.devices[d].interfaces[i].clone();
            let nets: Vec<IpNet> = iface
                .addresses
                .iter()
                .copied()
                .filter(|n| !is_link_local(n.addr()) && n.prefix_len() + 2 <= full(n.addr()))
                .collect();
            if nets.is_empty() {
                continue;
            }
            let by_name = self
                .manifest
                .nets
                .iter()
                .position(|n| n.prefixes.iter().any(|p| nets.iter().any(|x| x.trunc() == p.value.trunc())));
            if let Some(n) = by_name {
                named[n] = true;
            }
            let list = nets.iter().filter(|n| n.addr().is_ipv4()).chain(nets.iter().filter(|n| n.addr().is_ipv6()));
            let shown = list.map(|n| n.trunc().to_string()).next().unwrap_or_default();
            let (place, name) = match (lan, by_name) {
                (true, _) => (Place::Lan, format!("your network {shown}")),
                (false, Some(n)) => {
                    let name = self.manifest.nets[n].name.value.clone();
                    let words = format!("{name}: {shown}");
                    (Place::Net(name), words)
                }
                (false, None) => (Place::Net(iface.name.to_string()), format!("{}: {shown}", iface.name)),
            };
            let taken = servers.iter().filter(|(s, _)| *s == iface.segment).map(|(_, set)| set);
            let taken = taken.fold(iface.owned(Family::V4), |all, s| all.or(s));
            self.group(place, name, &nets, &taken, iface.segment, &iface);
        }
        for (index, done) in named.into_iter().enumerate() {
            if !done {
                self.routed_net(index, first_router, server_base)?;
            }
        }
        Ok(())
    }

    /// Hosts on a segment, with the gateway on it as their router.
    fn group(&mut self, place: Place, name: String, nets: &[IpNet], taken: &Set, segment: usize, gateway: &Interface) {
        let mut iface = Interface { name: "eth0".into(), segment, ..Interface::default() };
        let mut routes = Vec::new();
        for net in nets {
            let family = Family::of(net.addr());
            let free = hosts(*net).minus(&gateway.owned(family)).minus(taken);
            let Some(first) = free.min() else { continue };
            iface.addresses.push(IpNet::new_assert(family.address(first), net.prefix_len()));
            match family {
                Family::V4 => iface.hosts_v4 = iface.hosts_v4.or(&free),
                Family::V6 => iface.hosts_v6 = iface.hosts_v6.or(&free),
            }
            let target = RouteTarget::Via(0, Some(net.addr()));
            if !routes.iter().any(|r: &Route| Family::of(r.to.addr()) == family) {
                routes.push(Route { to: everything(family), target, table: MAIN, metric: 0 });
            }
        }
        let (v4, v6) = (iface.owned(Family::V4), iface.owned(Family::V6));
        self.vantages.push(Vantage { place, name: name.clone(), device: self.devices.len(), v4, v6, segment });
        self.devices.push(Device { name: name.into(), interfaces: vec![iface], routes, ..Device::default() });
    }

    /// A network behind another router inside, as `[[net]]` names it.
    fn routed_net(&mut self, index: usize, first_router: usize, server_base: usize) -> Result<(), InputError> {
        let net = self.manifest.nets[index].clone();
        let mut hosts_v4 = Set::empty();
        let mut hosts_v6 = Set::empty();
        let mut place: Option<(usize, usize)> = None;
        let mut hops = Vec::new();
        for prefix in &net.prefixes {
            let wanted = prefix.value;
            let mut best: Option<(u8, usize, usize, Option<IpAddr>)> = None;
            for (d, device) in self.devices.iter().enumerate().take(server_base).skip(first_router) {
                for route in
                    device.routes.iter().filter(|r| r.table == MAIN && r.to.prefix_len() > 0 && r.to.contains(&wanted))
                {
                    if let RouteTarget::Via(i, hop) = route.target
                        && best.is_none_or(|b| b.0 < route.to.prefix_len())
                    {
                        best = Some((route.to.prefix_len(), d, i, hop));
                    }
                }
            }
            let stated = net.behind.as_ref().map(|behind| {
                let at =
                    (first_router..server_base).find_map(|d| self.devices[d].interface(&behind.value).map(|i| (d, i)));
                at.ok_or_else(|| {
                    let known =
                        self.devices[first_router..server_base].iter().flat_map(|d| &d.interfaces).map(|i| &*i.name);
                    let known: Vec<&str> = known.collect();
                    behind
                        .error(format!("no gateway has an interface `{}`", behind.value))
                        .help(crate::manifest::known_names(&behind.value, "interfaces", known))
                })
            });
            let (d, i, hop) = match (best, stated.transpose()?) {
                (Some((_, d, i, hop)), None) => (d, i, hop),
                (Some((_, d, i, hop)), Some(at)) if at == (d, i) => (d, i, hop),
                (Some((_, d, i, _)), Some(_)) => {
                    let leads = &self.devices[d].interfaces[i].name;
                    return Err(prefix
                        .error(format!("{}'s route to {wanted} leads out by {leads}", self.devices[d].name))
                        .help(format!("write `behind = \"{leads}\"`, or save the routes again")));
                }
                (None, Some((d, i))) => {
                    self.devices[d].routes.push(Route {
                        to: wanted,
                        target: RouteTarget::Via(i, None),
                        table: MAIN,
                        metric: 0,
                    });
                    (d, i, None)
                }
                (None, None) => {
                    return Err(prefix
                        .error(format!("nothing says where {wanted} is"))
                        .help("add `behind = \"<interface of the gateway>\"`, or what `ip -j route` prints"));
                }
            };
            if place.is_some_and(|p| p != (d, i)) {
                return Err(prefix
                    .error("the prefixes of this network lie behind different interfaces")
                    .help("give each its own [[net]] table"));
            }
            place = Some((d, i));
            hops.extend(hop);
            let set = hosts(wanted);
            if wanted.addr().is_ipv4() { hosts_v4 = hosts_v4.or(&set) } else { hosts_v6 = hosts_v6.or(&set) }
        }
        let Some((d, i)) = place else { return Ok(()) };
        let gateway = self.devices[d].interfaces[i].clone();
        let mut iface = Interface { name: "eth0".into(), segment: gateway.segment, ..Interface::default() };
        let (v4, v6) = (hosts_v4.clone(), hosts_v6.clone());
        for hop in hops {
            if hop.is_ipv4() { hosts_v4 = hosts_v4.or(&one(hop)) } else { hosts_v6 = hosts_v6.or(&one(hop)) }
        }
        iface.hosts_v4 = hosts_v4;
        iface.hosts_v6 = hosts_v6;
        // Another group on the same segment must not answer for the inner router.
        for device in &mut self.devices {
            for other in &mut device.interfaces {
                if other.segment == gateway.segment && !other.hosts_v4.is_empty() {
                    other.hosts_v4 = other.hosts_v4.minus(&iface.hosts_v4);
                    other.hosts_v6 = other.hosts_v6.minus(&iface.hosts_v6);
                }
            }
        }
        let mut routes = Vec::new();
        for family in [Family::V4, Family::V6] {
            if let Some(hop) = address_of(&gateway, family) {
                routes.push(Route { to: hop.into(), target: RouteTarget::Via(0, None), table: MAIN, metric: 0 });
                routes.push(Route {
                    to: everything(family),
                    target: RouteTarget::Via(0, Some(hop)),
                    table: MAIN,
                    metric: 0,
                });
            }
        }
        let shown = net.prefixes.first().map(|p| p.value.to_string()).unwrap_or_default();
        let name = format!("{}: {shown}", net.name.value);
        self.vantages.push(Vantage {
            place: Place::Net(net.name.value.clone()),
            name: name.clone(),
            device: self.devices.len(),
            v4,
            v6,
            segment: gateway.segment,
        });
        self.devices.push(Device { name: name.into(), interfaces: vec![iface], routes, ..Device::default() });
        Ok(())
    }
}

impl Site {
    /// Who calls this instance's server from its own network and from elsewhere: only one network is `lan`.
    pub fn vantages_of(&self, server: usize) -> Vec<Vantage> {
        let segment: Vec<usize> = self.network.devices[server].interfaces.iter().map(|i| i.segment).collect();
        let rename = |v: &Vantage| {
            let mut v = v.clone();
            if v.place == Place::Lan && !segment.contains(&v.segment) {
                v.place = Place::Net(v.name.clone());
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

/// The default route's destination.
pub(super) fn everything(family: Family) -> IpNet {
    IpNet::new_assert(family.address(0), 0)
}

/// An interface's address in a family, a global one if it has one.
fn address_of(iface: &Interface, family: Family) -> Option<IpAddr> {
    let all = || iface.addresses.iter().map(IpNet::addr).filter(|a| Family::of(*a) == family);
    all().find(|a| !is_link_local(*a)).or_else(|| all().next())
}
