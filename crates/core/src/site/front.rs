//! The public address, and a box in front of everything.

use super::chain::{self, Link};
use super::{Builder, Case, INTERNET_SEGMENT, public_v4};
use crate::cube::Set;
use crate::manifest::{At, Entry, GatewayKind, Model, Place, Source, StatedBox, Traffic, show_ranges};
use crate::model::{Family, Interface, RouteTarget};
use crate::site::address::{self, is_public, is_shared, one};
use crate::site::gateway::{self, Router, Wan, at_line};
use crate::site::server::Server;
use crate::site::stated::{self, INSIDE, OUTSIDE, Stated};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

/// Shortest prefix of a network in which servers are taken to be neighbours: nobody's home is larger.
const LARGEST_HOME: u8 = 16;

/// A device and its interface that leads to the next one.
type Way = (usize, usize);

impl Builder<'_> {
    /// Of several lines that tell their addresses only when they come up, one has the public address: which?
    fn one_line(&self, router: &Router, public: IpAddr) -> Result<(), InputError> {
        let untold = |i: &&Interface| i.leased && !i.addresses.iter().any(|n| n.addr().is_ipv4());
        let lines: Vec<&Interface> = router.device.interfaces.iter().filter(untold).collect();
        let (Some(stated), [_, _, ..]) = (public_v4(self.manifest), &lines[..]) else { return Ok(()) };
        let names: Vec<String> = lines.iter().map(|i| format!("{} ({})", i.shown(), i.name)).collect();
        Err(stated.error(format!("which line of {} has {public}: {}?", router.device.name, names.join(" or "))).help(
            format!("state it in its [[gateway]] table: `interfaces = {{ {} = \"{public}/24\" }}`", lines[0].name),
        ))
    }

    pub(super) fn find_public(&mut self, servers: &[Server]) -> Result<Option<IpAddr>, InputError> {
        if let Some(a) = public_v4(self.manifest) {
            self.assumptions.push(format!("the internet sees {} ({})", a.value, at_line(self.snapshot, a)));
            return Ok(Some(a.value));
        }
        let stated = self.manifest.gateways.iter().filter(|g| g.line.is_none()).find_map(|g| match &g.kind {
            GatewayKind::Filter(_) => None,
            GatewayKind::Stated(stated) => Some(stated.wan.as_ref().map(|w| w.value)),
            GatewayKind::Read { .. } => Some(None),
        });
        let wan = self.routers.first().and_then(|r| r.wan.as_ref()).map(|w| w.address);
        let wan = stated.flatten().or(wan).filter(|a| is_public(*a));
        let own = servers.iter().flat_map(|s| &s.addresses).map(|n| n.value.addr());
        let direct = own.clone().find(|a| a.is_ipv4() && is_public(*a)).filter(|_| self.only_filters());
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

    /// A box in front that nobody described: there because the public address is not on the first device. Its index.
    /// `first`: the first device that is no filter; `before`: the last filter before it.
    pub(super) fn front_box(
        &mut self,
        case: Case,
        first: Option<Link>,
        before: Option<usize>,
    ) -> Result<Option<usize>, InputError> {
        let Some(public) = self.public else {
            return match first {
                Some(Link::Stated(g)) => {
                    let name = chain::name(self.manifest, g);
                    let span = &self.manifest.gateways[g].span;
                    Err(InputError::in_manifest(
                        span.start..span.start + "[[gateway]]".len(),
                        format!("no public IPv4 address is given, and what {name} does to IPv6 cannot be stated"),
                    )
                    .help("add the public IPv4 address to `address`, or read the configuration of this router"))
                }
                _ => Ok(None),
            };
        };
        match first {
            Some(Link::Stated(g)) => Ok(self.box_before_stated(g, public, before)),
            Some(Link::Router(_)) => self.box_before_router(case, public, before),
            _ => self.box_before_servers(public, before),
        }
    }

    /// A stated box whose own outer address is not the public one.
    fn box_before_stated(&mut self, g: usize, public: IpAddr, before: Option<usize>) -> Option<usize> {
        let GatewayKind::Stated(said) = &self.manifest.gateways[g].kind else { return None };
        let wan = said.wan.as_ref().filter(|w| !self.public_addresses().contains(&w.value))?;
        let name = chain::name(self.manifest, g);
        let net = neighbourhood(wan.value);
        if said.inside.iter().any(|n| n.value.contains(&wan.value)) {
            return None;
        }
        let free = address::hosts(net).minus(&one(wan.value)).min().map(|v| Family::V4.address(v));
        let inner = free?;
        let why =
            format!("its outer address {} (stated in {}) is not {public}", wan.value, at_line(self.snapshot, wan));
        Some(self.in_front_of(&name, &why, (public, wan.value), IpNet::new_assert(inner, net.prefix_len()), before))
    }

    /// A box of which nothing is known, in front of something. `to`: the public address, and what it leads to.
    fn in_front_of(
        &mut self,
        name: &str,
        why: &str,
        (public, next): (IpAddr, IpAddr),
        inside: IpNet,
        before: Option<usize>,
    ) -> usize {
        let label = format!("the box in front of {name}");
        self.assumptions.push(format!("another router stands in front of {name}: {why}"));
        self.no_v6 = Some(format!("IPv6: what {label} does to it is not known"));
        // A provider that shares an address between customers forwards nothing to any of them (RFC 6598).
        let forwards = if is_shared(next) { Traffic::None } else { Traffic::Unknown };
        let assumed = Stated {
            name: &label,
            outside: &[public.into()],
            hop: self.hop_of(before),
            inside: &[inside],
            next,
            servers: &[],
            forwards: &forwards,
            words: Model::general(),
            hairpin: None,
            sources: &|_| None,
            at: None,
        };
        let device = stated::device(&assumed);
        self.push_box(device, before)
    }

    fn hop_of(&self, before: Option<usize>) -> Option<IpAddr> {
        before.and_then(|b| super::address_of(&self.devices[b].interfaces[INSIDE], Family::V4))
    }

    /// A router that is read and has another outer address.
    fn box_before_router(
        &mut self,
        case: Case,
        public: IpAddr,
        before: Option<usize>,
    ) -> Result<Option<usize>, InputError> {
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
        let on_line = router.device.interfaces[outer].addresses.iter().any(|n| n.contains(&public));
        if !holds && on_line && self.hosts().contains(&public) {
            self.assumptions.push(format!(
                "{public} is the server's own address, in the network of {}: no second router is in front of {name}",
                router.device.interfaces[outer].shown()
            ));
            return Ok(None);
        }
        let (net, why) = match (&router.wan, case) {
            _ if holds => {
                let why = router.wan.as_ref().filter(|w| w.address == public).map(|w| w.why.clone());
                let why = why.unwrap_or_else(|| {
                    let line = router.device.interfaces.iter().find(|i| i.line && holds_address(i, public));
                    line.map_or_else(|| "on an inner interface".into(), |i| format!("the address of {}", i.shown()))
                });
                self.assumptions.push(format!("{public} is on {name} itself ({why}), so no second router is in front"));
                return Ok(None);
            }
            (None, Case::OnGateway) => {
                self.one_line(&router, public)?;
                self.routers[0].device.interfaces[outer].addresses.push(public.into());
                return Ok(None);
            }
            // RFC 7335: never anybody's own network, so it cannot collide with one.
            (None, Case::BoxInFront) => {
                let net: IpNet = IpNet::new_assert(std::net::Ipv4Addr::new(192, 0, 0, 2).into(), 29);
                self.routers[0].device.interfaces[outer].addresses.push(net);
                self.routers[0].device.interfaces[outer].placeholder = true;
                self.routers[0].wan = Some(Wan { address: net.addr(), why: "an address nobody knows".into() });
                (net, "its outer address is not known".to_owned())
            }
            (Some(w), _) => {
                let net = router.device.interfaces[outer].addresses.iter().find(|n| n.addr() == w.address);
                let mut net = net.copied().unwrap_or_else(|| w.address.into());
                if net.prefix_len() == net.max_prefix_len() {
                    // Only the address is known: the smallest network in which it can have a neighbour.
                    net = neighbourhood(w.address);
                    let list = &mut self.routers[0].device.interfaces[outer].addresses;
                    list.retain(|n| n.addr() != w.address);
                    list.push(net);
                }
                (net, format!("its outer address {} ({}) is not {public}", w.address, w.why))
            }
        };
        let next = net.addr();
        let hop =
            router.device.routes.iter().find(|r| gateway::is_default(r, Family::V4)).and_then(|r| match r.target {
                RouteTarget::Via(_, hop) => hop.filter(|h| net.contains(h)),
                _ => None,
            });
        let own = self.routers[0].device.interfaces[outer].owned(Family::V4);
        let free = address::hosts(net).minus(&own).minus(&one(next)).min().map(|v| Family::V4.address(v));
        let Some(inner) = hop.or(free) else { return Ok(None) };
        let inside = IpNet::new_assert(inner, net.prefix_len());
        Ok(Some(self.in_front_of(&name, &why, (public, next), inside, before)))
    }

    /// A box as its owner states it, and the interface of the device before that leads to it.
    pub(super) fn stated_box(
        &mut self,
        g: usize,
        said: &StatedBox,
        before: Option<usize>,
    ) -> Result<(crate::model::Device, Option<Way>), InputError> {
        let name = chain::name(self.manifest, g);
        let (inside, forwards) = (&said.inside[0], &said.forwards);
        let public = self.public_addresses();
        if let Some(net) = said.inside.iter().find(|n| public.iter().any(|a| n.value.contains(a))) {
            let held = public.iter().find(|a| net.value.contains(*a)).map(ToString::to_string).unwrap_or_default();
            return Err(net
                .error(format!(
                    "the public address {held} lies in the inner network of {name}, so {name} translates nothing"
                ))
                .help(format!(
                    "state it as a filter: `passes = {}` in place of `inside`, `forwards` and `hairpin`",
                    as_passes(&said.forwards.value)
                )));
        }
        let (outside, way) = self.outside_of(g, said, before)?;
        let next = self.next_inwards(g, said)?;
        if !said.inside.iter().any(|n| n.value.contains(&next)) {
            return Err(inside
                .error(format!("{name} would forward to {next}, which is not in its network"))
                .help("check `inside`, the `wan` of the next gateway and the target in `forwards`"));
        }
        self.agrees(g, &name, next, forwards)?;
        self.assumptions.push(format!("{name}: as you stated ({})", at_line(self.snapshot, inside)));
        self.no_v6 = Some(format!("IPv6: what {name} does to it is not stated"));
        let networks: Vec<IpNet> = said.inside.iter().map(|n| n.value).collect();
        let hop = way.and_then(|(d, i)| super::address_of(&self.devices[d].interfaces[i], Family::V4));
        let last = !self.manifest.gateways.iter().skip(g + 1).any(|o| o.line.is_none());
        let servers = if last { self.hosts() } else { Vec::new() };
        let stated = Stated {
            name: &name,
            outside: &outside,
            hop,
            inside: &networks,
            next,
            servers: &servers,
            forwards: &forwards.value,
            words: said.words,
            hairpin: said.hairpin,
            sources: &|source| self.sources(source),
            at: Some(inside.span.clone()),
        };
        let device = stated::device(&stated);
        self.nexts.push((self.devices.len(), next));
        Ok((device, way))
    }

    /// Outer addresses of a stated box, and where it is connected.
    fn outside_of(
        &self,
        g: usize,
        said: &StatedBox,
        before: Option<usize>,
    ) -> Result<(Vec<IpNet>, Option<Way>), InputError> {
        let outermost = before.is_none_or(|b| self.filters.contains(&b) && self.entries.is_empty());
        let public: Vec<IpNet> = self.public_addresses().into_iter().filter(IpAddr::is_ipv4).map(IpNet::from).collect();
        if outermost {
            let own = said.wan.as_ref().map(|w| IpNet::from(w.value));
            let mut all: Vec<IpNet> = own.into_iter().collect();
            all.extend(public.into_iter().filter(|p| Some(*p) != own));
            return Ok((all, before.map(|b| (b, INSIDE))));
        }
        let Some(before) = before else { return Ok((public, None)) };
        let told = self.nexts.iter().rev().map(|(_, next)| *next).next();
        let address = said.wan.as_ref().map(|w| w.value).or(told);
        let Some(way) = address.and_then(|a| self.leads_to(before, Some(a))) else {
            let name = chain::name(self.manifest, g);
            return Err(self.not_connected(g, &name, before, said.wan.as_ref().map(|w| w.value)));
        };
        let nets = &self.devices[before].interfaces[way].addresses;
        let address = address.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        let length = nets.iter().find(|n| n.contains(&address)).map_or(32, IpNet::prefix_len);
        Ok((vec![IpNet::new_assert(address, length)], Some((before, way))))
    }

    /// The device to which a stated box forwards what names no target.
    fn next_inwards(&self, g: usize, said: &StatedBox) -> Result<IpAddr, InputError> {
        if let Traffic::All(Some(to)) = &said.forwards.value {
            return Ok(*to);
        }
        let name = chain::name(self.manifest, g);
        let inside = &said.inside[0];
        let mut further = self.manifest.gateways.iter().enumerate().skip(g + 1).filter(|(_, o)| o.line.is_none());
        let next = further.find(|(_, o)| !matches!(o.kind, GatewayKind::Filter(_)));
        let known = match next.map(|(n, o)| (n, &o.kind)) {
            Some((_, GatewayKind::Stated(o))) => o.wan.as_ref().map(|w| w.value),
            Some((n, _)) => self.routers.iter().find(|r| r.number == n).and_then(|r| r.wan.as_ref()).map(|w| w.address),
            None => {
                let host = self.manifest.deploys.iter().flat_map(|d| &d.host).find(|h| h.value.is_ipv4());
                return host.map(|h| h.value).ok_or_else(|| {
                    inside
                        .error(format!(
                            "no server behind {name} has an IPv4 address; what it does to IPv6 cannot be stated"
                        ))
                        .help("add the server's IPv4 address to `host`, or read the configuration of this router")
                });
            }
        };
        // All entries name one target: that is the next device.
        let targets: Vec<IpAddr> = match &said.forwards.value {
            Traffic::Some(list) => list.iter().filter_map(|e| e.target).collect(),
            _ => Vec::new(),
        };
        let target = targets.first().filter(|t| targets.iter().all(|o| o == *t)).copied();
        known.or(target).ok_or_else(|| {
            inside
                .error(format!("which address of {} does {name} forward to?", inside.value))
                .help("name it in the next [[gateway]] table: `wan = \"192.168.0.2\"`")
        })
    }

    /// What the next router says of its own address is not overruled by what is stated of its neighbour.
    fn agrees(&self, g: usize, name: &str, next: IpAddr, forwards: &At<Traffic>) -> Result<(), InputError> {
        let mut further = self.manifest.gateways.iter().enumerate().skip(g + 1).filter(|(_, o)| o.line.is_none());
        let Some((n, _)) = further.find(|(_, o)| !matches!(o.kind, GatewayKind::Filter(_))) else { return Ok(()) };
        let Some(router) = self.routers.iter().find(|r| r.number == n) else { return Ok(()) };
        let held = router.device.interfaces[router.outer_v4].addresses.iter().any(|n| n.addr() == next);
        match &router.wan {
            Some(wan) if wan.address != next && !held => Err(forwards
                .error(format!("{name} forwards to {next}, and the next router has {}", wan.address))
                .help("calls end at the box then: correct `forwards`, or save the router's addresses again")),
            _ => Ok(()),
        }
    }

    /// What a stated box forwards to.
    pub(super) fn next_of(&self, device: usize) -> Option<IpAddr> {
        self.nexts.iter().find(|(d, _)| *d == device).map(|(_, next)| *next)
    }

    /// Addresses that an entry of traffic names; none where it says nothing, or where everybody outside is meant.
    pub(super) fn sources(&self, source: &Source) -> Option<Set> {
        match source {
            Source::Net(net) => Some(address::prefix_set(*net)),
            Source::Place(Place::Net(name)) => {
                let nets = self.manifest.nets.iter().filter(|n| n.name.value == *name);
                Some(Set::union(nets.flat_map(|n| &n.prefixes).map(|p| address::prefix_set(p.value))))
            }
            Source::Place(Place::Peer(name)) => {
                let peers = self.manifest.peers.iter().filter(|p| p.name.value == *name);
                Some(Set::union(peers.flat_map(|p| &p.address).map(|p| address::prefix_set(p.value))))
            }
            Source::Place(Place::Admin) => {
                let admins = self.manifest.deploys.iter().flat_map(|d| &d.admin);
                Some(Set::union(admins.map(|p| address::prefix_set(p.value))))
            }
            Source::Place(Place::Caller(name)) => {
                let (_, own) = self.caller_lines.iter().find(|(n, _)| n == name)?;
                Some(own.clone())
            }
            Source::Place(Place::Internet | Place::Lan | Place::Own) => None,
        }
    }

    /// Without any gateway, a server that does not have the public address itself stands behind a box that nobody
    /// described.
    fn box_before_servers(&mut self, public: IpAddr, before: Option<usize>) -> Result<Option<usize>, InputError> {
        let hosts = self.hosts();
        let Some(next) = hosts.first().copied().filter(|_| !hosts.contains(&public)) else { return Ok(None) };
        let net = common_net(&hosts);
        if net.prefix_len() < LARGEST_HOME {
            let last = self.manifest.deploys.iter().rev().flat_map(|d| &d.host).find(|h| h.value.is_ipv4());
            let error = last.map_or_else(|| InputError::in_manifest(0..0, ""), |h| h.error(""));
            return Err(InputError { message: "nothing says how these servers are connected".into(), ..error }
                .help("describe the routers between them and the internet: a [[gateway]] table for each"));
        }
        let taken = Set::union(hosts.iter().map(|h| one(*h)));
        let free = address::hosts(net).minus(&taken).min();
        let Some(inner) = free.map(|v| Family::V4.address(v)) else { return Ok(None) };
        self.assumptions.push(format!(
            "a router stands between {public} and {next}, and nothing describes it; their network is taken to be {}",
            net.trunc()
        ));
        let name = "the router in front of your server";
        self.no_v6 = Some(format!("IPv6: what {name} does to it is not known"));
        let inside = IpNet::new_assert(inner, net.prefix_len());
        let (servers, forwards) = (&hosts, &Traffic::Unknown);
        let (inside, sources) = (&[inside][..], &|_: &Source| None);
        let (outside, hop) = (&[public.into()][..], self.hop_of(before));
        let words = Model::general();
        let assumed =
            Stated { name, outside, hop, inside, next, servers, forwards, words, hairpin: None, sources, at: None };
        let device = stated::device(&assumed);
        Ok(Some(self.push_box(device, before)))
    }

    /// Nothing translates before the servers.
    pub(super) fn only_filters(&self) -> bool {
        let mut way_in = self.manifest.gateways.iter().filter(|g| g.line.is_none());
        way_in.all(|g| matches!(g.kind, GatewayKind::Filter(_)))
    }

    /// IPv4 addresses of all servers.
    pub(super) fn hosts(&self) -> Vec<IpAddr> {
        let all = self.manifest.deploys.iter().flat_map(|d| &d.host).map(|h| h.value);
        all.filter(IpAddr::is_ipv4).collect()
    }

    /// Adds an assumed box behind the last filter, or at the internet.
    fn push_box(&mut self, mut device: crate::model::Device, before: Option<usize>) -> usize {
        device.interfaces[OUTSIDE].segment =
            before.map_or(INTERNET_SEGMENT, |b| self.devices[b].interfaces[INSIDE].segment);
        for i in INSIDE..device.interfaces.len() {
            device.interfaces[i].segment = self.segment();
        }
        self.arrived(before, &device, OUTSIDE);
        self.entries.push((self.devices.len(), OUTSIDE));
        self.devices.push(device);
        self.devices.len() - 1
    }
}

/// What is forwarded, as a filter would say it.
fn as_passes(forwards: &Traffic) -> String {
    let list = match forwards {
        Traffic::All(_) => return "\"all\"".into(),
        Traffic::None => return "\"none\"".into(),
        Traffic::Unknown => return "\"unknown\"".into(),
        Traffic::Some(list) => list,
    };
    let entry = |e: &Entry| match e.what {
        Some((proto, lo, hi)) => format!("\"{}/{}\"", proto.name(), show_ranges(&[(lo, hi)])),
        None => "\"all\"".into(),
    };
    format!("[{}]", list.iter().map(entry).collect::<Vec<_>>().join(", "))
}

/// The network that holds all of these addresses: usually a /24, as homes have it.
fn common_net(hosts: &[IpAddr]) -> IpNet {
    let holds = |bits: &u8| {
        let net = IpNet::new_assert(hosts[0], *bits);
        hosts.iter().all(|h| net.contains(h))
    };
    IpNet::new_assert(hosts[0], (0..=24).rev().find(holds).unwrap_or(0))
}

/// The smallest IPv4 network in which this address is neither the first nor the last.
fn neighbourhood(address: IpAddr) -> IpNet {
    let fits = |bits: u8| {
        let net = IpNet::new_assert(address, bits);
        address != net.network() && address != net.broadcast()
    };
    let bits = (8..=30).rev().find(|b| fits(*b)).unwrap_or(8);
    IpNet::new_assert(address, bits)
}

fn holds_address(iface: &Interface, ip: IpAddr) -> bool {
    iface.addresses.iter().any(|n| n.addr() == ip)
}
