//! The public address, and a box in front of everything.

use super::{Builder, Case, INTERNET_SEGMENT, public_v4};
use crate::call::address::{self, is_public, is_shared, one};
use crate::call::gateway::{self, Wan, at_line};
use crate::call::server::Server;
use crate::call::stated::{self, INSIDE, OUTSIDE, Stated};
use crate::cube::Set;
use crate::manifest::{Gateway, GatewayKind, Place, Source, Traffic};
use crate::model::{Family, RouteTarget};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

/// Shortest prefix of a network in which servers are taken to be neighbours: nobody's home is larger.
const LARGEST_HOME: u8 = 16;

/// What a stated box is called that has no label.
const UNNAMED: &str = "the box in front";

impl Builder<'_> {
    pub(super) fn find_public(&mut self, servers: &[Server]) -> Result<Option<IpAddr>, InputError> {
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
    pub(super) fn front_box(&mut self, case: Case) -> Result<Option<usize>, InputError> {
        let first = self.manifest.gateways.first();
        let stated = first.filter(|g| matches!(g.kind, GatewayKind::Stated(_)));
        let Some(public) = self.public else {
            return stated.map_or(Ok(None), |g| {
                let name = g.label.as_ref().map_or(UNNAMED, |l| &l.value);
                let head = g.span.start..g.span.start + "[[gateway]]".len();
                Err(InputError::in_manifest(
                    head,
                    format!("no public IPv4 address is given, and what {name} does to IPv6 cannot be stated"),
                )
                .help("add the public IPv4 address to `address`, or read the configuration of this router"))
            });
        };
        if let Some(gateway) = stated {
            return self.stated_box(gateway, public).map(Some);
        }
        let Some(router) = self.routers.first().cloned() else { return self.box_before_servers(public) };
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
        let label = format!("the box in front of {name}");
        self.assumptions.push(format!("another router stands in front of {name}: {why}"));
        self.no_v6 = Some(format!("IPv6: what {label} does to it is not known"));
        // A provider that shares an address between customers forwards nothing to any of them (RFC 6598).
        let forwards = if is_shared(next) { Traffic::None } else { Traffic::Unknown };
        let assumed = Stated {
            name: &label,
            public,
            inside: &[inside],
            next,
            servers: &[],
            forwards: &forwards,
            hairpin: None,
            sources: &|_| None,
            at: None,
        };
        Ok(Some(self.push_box(stated::device(&assumed))))
    }

    /// The box as its owner states it.
    fn stated_box(&mut self, gateway: &Gateway, public: IpAddr) -> Result<usize, InputError> {
        let GatewayKind::Stated(said) = &gateway.kind else {
            return Err(InputError::in_manifest(gateway.span.clone(), "this gateway is read, not stated"));
        };
        let (forwards, hairpin) = (&said.forwards, said.hairpin);
        let inside = &said.inside[0];
        let name = gateway.label.as_ref().map_or(UNNAMED, |l| &l.value);
        let next = match (&forwards.value, self.routers.first()) {
            (Traffic::All(Some(to)), _) => *to,
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
                None => {
                    return Err(inside
                        .error(format!(
                            "no server behind {name} has an IPv4 address; what it does to IPv6 cannot be stated"
                        ))
                        .help("add the server's IPv4 address to `host`, or read the configuration of this router"));
                }
            },
        };
        if !said.inside.iter().any(|n| n.value.contains(&next)) {
            return Err(inside
                .error(format!("{name} would forward to {next}, which is not in its network"))
                .help("check `inside`, the `wan` of the next gateway and the target in `forwards`"));
        }
        if let Some(router) = self.routers.first() {
            // What the router itself says of its address is not overruled by what is stated of its neighbour.
            let held = router.device.interfaces[router.outer_v4].addresses.iter().any(|n| n.addr() == next);
            match &router.wan {
                Some(wan) if wan.address != next && !held => {
                    return Err(forwards
                        .error(format!("{name} forwards to {next}, and the next router has {}", wan.address))
                        .help("calls end at the box then: correct `forwards`, or save the router's addresses again"));
                }
                Some(_) => {}
                None => {
                    self.routers[0].wan = Some(Wan { address: next, why: format!("what {name} forwards to") });
                }
            }
        }
        self.assumptions.push(format!("{name}: as you stated ({})", at_line(self.snapshot, inside)));
        self.no_v6 = Some(format!("IPv6: what {name} does to it is not stated"));
        let at = Some(inside.span.clone());
        let networks: Vec<IpNet> = said.inside.iter().map(|n| n.value).collect();
        let stated = Stated {
            name,
            public,
            inside: &networks,
            next,
            servers: &self.hosts(),
            forwards: &forwards.value,
            hairpin,
            sources: &|source| self.sources(source),
            at,
        };
        let device = stated::device(&stated);
        Ok(self.push_box(device))
    }

    /// Addresses that an entry of traffic names; none where it says nothing, or where everybody outside is meant.
    fn sources(&self, source: &Source) -> Option<Set> {
        match source {
            Source::Net(net) => Some(address::prefix_set(*net)),
            Source::Place(Place::Net(name)) => {
                let nets = self.manifest.nets.iter().filter(|n| n.name.value == *name);
                Some(nets.flat_map(|n| &n.prefixes).fold(Set::empty(), |all, p| all.or(&address::prefix_set(p.value))))
            }
            Source::Place(Place::Peer(name)) => {
                let peers = self.manifest.peers.iter().filter(|p| p.name.value == *name);
                Some(peers.flat_map(|p| &p.address).fold(Set::empty(), |all, p| all.or(&address::prefix_set(p.value))))
            }
            Source::Place(Place::Admin) => {
                let admins = self.manifest.deploys.iter().flat_map(|d| &d.admin);
                Some(admins.fold(Set::empty(), |all, p| all.or(&address::prefix_set(p.value))))
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
    fn box_before_servers(&mut self, public: IpAddr) -> Result<Option<usize>, InputError> {
        let hosts = self.hosts();
        let Some(next) = hosts.first().copied().filter(|_| !hosts.contains(&public)) else { return Ok(None) };
        let net = common_net(&hosts);
        if net.prefix_len() < LARGEST_HOME {
            let last = self.manifest.deploys.iter().rev().flat_map(|d| &d.host).find(|h| h.value.is_ipv4());
            let error = last.map_or_else(|| InputError::in_manifest(0..0, ""), |h| h.error(""));
            return Err(InputError { message: "nothing says how these servers are connected".into(), ..error }
                .help("describe the routers between them and the internet: a [[gateway]] table for each"));
        }
        let taken = hosts.iter().fold(Set::empty(), |all, h| all.or(&one(*h)));
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
        let assumed = Stated { name, public, inside, next, servers, forwards, hairpin: None, sources, at: None };
        Ok(Some(self.push_box(stated::device(&assumed))))
    }

    /// IPv4 addresses of all servers.
    fn hosts(&self) -> Vec<IpAddr> {
        let all = self.manifest.deploys.iter().flat_map(|d| &d.host).map(|h| h.value);
        all.filter(IpAddr::is_ipv4).collect()
    }

    pub(super) fn push_box(&mut self, mut device: crate::model::Device) -> usize {
        device.interfaces[OUTSIDE].segment = INTERNET_SEGMENT;
        for i in INSIDE..device.interfaces.len() {
            device.interfaces[i].segment = self.segment();
        }
        self.devices.push(device);
        self.devices.len() - 1
    }
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
