//! Lines beside the way in: further boxes to the internet, a server's own line, and tunnels.

use super::{Builder, INTERNET_SEGMENT, Server, chain, known};
use crate::cube::Set;
use crate::manifest::{GatewayKind, Model, StatedBox, Traffic};
use crate::model::{
    Action, Device, Doubt, DoubtKind, Families, Family, Hook, Interface, KeyField, Origin, Part, Policy, Route,
    RouteTarget, Rule, Stage, StageKind, Step, Ways, iface_value, nfproto, prefix_range,
};
use crate::site::address::{hosts, is_public, one};
use crate::site::gateway::{Router, at_line, is_default};
use crate::site::stated::{self, INSIDE, OUTSIDE, Stated};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// A line of a server itself, of which nothing is described.
pub(super) struct OwnLine {
    /// Segment on the inner side.
    segment: usize,
    /// Address of the router there.
    inner: IpNet,
    /// The server's address there.
    server: IpAddr,
    /// The server's name.
    name: String,
}

impl Builder<'_> {
    /// Says of each interface whether it is a tunnel: as the manifest says, else as it was read, else by its name.
    pub(super) fn mark_tunnels(&self, device: &mut Device) {
        for iface in &mut device.interfaces {
            let nets = &self.manifest.nets;
            let said = nets
                .iter()
                .filter(|n| n.prefixes.iter().any(|p| holds(iface, p.value)))
                .find_map(|n| n.tunnel.as_ref());
            iface.tunnel = match said {
                Some(said) => said.value,
                None => iface.tunnel || crate::dialect::iproute::named_as_tunnel(&iface.name),
            };
        }
    }

    /// A tunnel has ends: the manifest names none of which no device holds an address.
    pub(super) fn check_tunnels(&self) -> Result<(), InputError> {
        for net in self.manifest.nets.iter().filter(|n| n.tunnel.as_ref().is_some_and(|t| t.value)) {
            let held = |p: IpNet| self.devices.iter().flat_map(|d| &d.interfaces).any(|i| holds(i, p));
            if let Some(prefix) = net.prefixes.iter().find(|p| !held(p.value)) {
                return Err(prefix.error(format!("no device has an address in the tunnel {}", prefix.value)).help(
                    "add its address to `interfaces` of the gateway at its end, or what `ip -j addr` prints there",
                ));
            }
        }
        Ok(())
    }

    /// The manifest says that this network is a tunnel.
    pub(super) fn said_tunnel(&self, iface: &Interface) -> bool {
        let said = self.manifest.nets.iter().filter(|n| n.tunnel.as_ref().is_some_and(|t| t.value));
        said.flat_map(|n| &n.prefixes).any(|p| holds(iface, p.value))
    }

    /// Boxes that end further lines; their networks are the site's.
    pub(super) fn add_lines(&mut self, routers: &[Router]) -> Result<(), InputError> {
        for (g, gateway) in self.manifest.gateways.iter().enumerate() {
            let Some(line) = &gateway.line else { continue };
            let mut device = match &gateway.kind {
                GatewayKind::Stated(said) => self.stated_line(g, said, &line.value)?,
                _ => match routers.iter().find(|r| r.number == g) {
                    Some(router) => self.read_line(router),
                    None => continue,
                },
            };
            let outer = match routers.iter().find(|r| r.number == g) {
                Some(router) => router.outer_v4,
                None => OUTSIDE,
            };
            if let Some(line) = device.interfaces.get_mut(outer) {
                line.line = true;
            }
            for i in 0..device.interfaces.len() {
                device.interfaces[i].segment = if i == outer {
                    INTERNET_SEGMENT
                } else {
                    self.shared_segment(&device.interfaces[i], self.devices.len()).unwrap_or_else(|| self.segment())
                };
            }
            self.assumptions.push(format!(
                "{} ends the line `{}` ({}): calls to its address are not judged",
                device.name,
                line.value,
                at_line(self.snapshot, line)
            ));
            // What is read can be blamed, and changed.
            if let Some(router) = routers.iter().find(|r| r.number == g) {
                self.files.extend(router.files.file().map(|file| (self.devices.len(), file)));
                self.read.push((self.devices.len(), router.files.clone()));
            }
            self.lines.push(self.devices.len());
            self.devices.push(device);
        }
        Ok(())
    }

    /// The segment of a gateway that has the same network. With the same address it is another network: every host with
    /// containers calls its own so.
    fn shared_segment(&self, iface: &Interface, gateways: usize) -> Option<usize> {
        let same = |n: &IpNet| {
            let mut own = iface.addresses.iter().filter(|o| o.trunc() == n.trunc());
            own.next().is_some_and(|o| o.addr() != n.addr())
        };
        let inner =
            self.devices.iter().take(gateways).flat_map(|d| &d.interfaces).filter(|i| i.segment != INTERNET_SEGMENT);
        inner
            .filter(|i| i.addresses.iter().any(|n| n.prefix_len() < n.max_prefix_len() && same(n)))
            .map(|i| i.segment)
            .next()
    }

    fn stated_line(&mut self, g: usize, said: &StatedBox, line: &str) -> Result<Device, InputError> {
        let name = chain::name(self.manifest, g);
        let inside: Vec<IpNet> = said.inside.iter().map(|n| n.value).collect();
        let public = said.wan.as_ref().map(|w| w.value).filter(|a| is_public(*a));
        if let Some(wan) = said.wan.as_ref().filter(|w| self.public_addresses().contains(&w.value)) {
            return Err(wan
                .error(format!(
                    "{} is an address of the site, and `line` says that this box is another line",
                    wan.value
                ))
                .help("leave `line` out: the box is on the way in of `address`"));
        }
        let placeholder = public.is_none();
        let outside = public.unwrap_or_else(|| self.nobodys());
        self.further_lines = true;
        if public.is_none() {
            self.assumptions.push(format!("the internet sees the line `{line}` by an address that is not stated"));
        }
        let hosts = self.hosts();
        let next = hosts.iter().find(|h| inside.iter().any(|n| n.contains(*h))).copied();
        let Some(next) = next.or_else(|| free_of(inside[0])) else { return Ok(Device::default()) };
        let stated = Stated {
            name: &name,
            outside: &[outside.into()],
            hop: None,
            inside: &inside,
            next,
            servers: &[],
            forwards: &said.forwards.value,
            words: said.words,
            hairpin: said.hairpin,
            sources: &|source| self.sources(source),
            at: Some(said.inside[0].span.clone()),
        };
        let mut device = stated::device(&stated);
        device.interfaces[OUTSIDE].placeholder = placeholder;
        Ok(device)
    }

    fn read_line(&mut self, router: &Router) -> Device {
        let mut device = router.device.clone();
        self.mark_tunnels(&mut device);
        if !device.interfaces[router.outer_v4].addresses.iter().any(|n| n.addr().is_ipv4()) {
            let address = self.nobodys();
            device.interfaces[router.outer_v4].addresses.push(address.into());
            device.interfaces[router.outer_v4].placeholder = true;
        }
        self.default_routes(&mut device, router, None);
        self.rulesets.extend(&router.rulesets);
        let known = known(self.manifest, router.number);
        let lowered = router.files.lower_waiting(&mut device, &known, self.intended);
        self.rulesets.extend(lowered.iter().map(|(id, l)| (*id, l.counts)));
        device
    }

    /// An address that no configuration can name (RFC 7335), for a line of which none is known.
    fn nobodys(&mut self) -> IpAddr {
        self.invented += 1;
        IpAddr::V4(Ipv4Addr::new(192, 0, 0, 64_u8.saturating_add(self.invented)))
    }

    /// Where the further interfaces of a server lead.
    pub(super) fn further_interfaces(&mut self, device: &mut Device, server: &Server, gateways: usize) -> Vec<OwnLine> {
        let mut own = Vec::new();
        for i in 0..device.interfaces.len() {
            if i == server.interface {
                continue;
            }
            let iface = &device.interfaces[i];
            let public = iface.addresses.iter().any(|n| n.addr().is_ipv4() && is_public(n.addr()));
            let segment = match self.shared_segment(iface, gateways) {
                Some(shared) => shared,
                None if public && !iface.tunnel => INTERNET_SEGMENT,
                None => self.segment(),
            };
            device.interfaces[i].segment = segment;
            let iface = &device.interfaces[i];
            let hop = device.routes.iter().find_map(|r| match r.target {
                RouteTarget::Via(at, hop) if at == i && r.to.prefix_len() == 0 && r.to.addr().is_ipv4() => hop,
                _ => None,
            });
            let net = iface.addresses.iter().find(|n| n.addr().is_ipv4() && hop.is_some_and(|h| n.contains(&h)));
            let held = |hop: IpAddr| {
                let others = self.devices.iter().flat_map(|d| &d.interfaces).filter(|o| o.segment == segment);
                others.flat_map(|o| &o.addresses).any(|n| n.addr() == hop)
            };
            if let (Some(hop), Some(net)) = (hop, net)
                && segment != INTERNET_SEGMENT
                && !iface.tunnel
                && !held(hop)
            {
                own.push(OwnLine {
                    segment,
                    inner: IpNet::new_assert(hop, net.prefix_len()),
                    server: net.addr(),
                    name: device.name.to_string(),
                });
            }
        }
        own
    }

    /// The routers of servers' own lines, of which nothing is described.
    pub(super) fn add_own_lines(&mut self, lines: &[OwnLine]) {
        for line in lines {
            let outside = self.nobodys();
            let name = format!("the router {} of {}'s own line", line.inner.addr(), line.name);
            self.assumptions.push(format!(
                "{} has a line of its own by {}: the router there translates what leaves and lets answers in; describe it in \
                 a [[gateway]] table with `line`, `inside` and `forwards` to judge more of it",
                line.name,
                line.inner.addr()
            ));
            let stated = Stated {
                name: &name,
                outside: &[outside.into()],
                hop: None,
                inside: &[line.inner],
                next: line.server,
                servers: &[],
                forwards: &Traffic::Unknown,
                words: Model::general(),
                hairpin: None,
                sources: &|_| None,
                at: None,
            };
            let mut device = stated::device(&stated);
            device.interfaces[OUTSIDE].segment = INTERNET_SEGMENT;
            device.interfaces[OUTSIDE].line = true;
            device.interfaces[OUTSIDE].placeholder = true;
            self.further_lines = true;
            device.interfaces[INSIDE].segment = line.segment;
            self.devices.push(device);
        }
    }
}

/// One of the addresses that stand for those that nobody knows.
pub(crate) fn is_invented(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.octets()[..3] == [192, 0, 0],
        IpAddr::V6(a) => a.is_unicast_link_local() && a.segments()[4] == 0xf117,
    }
}

/// An interface has an address of a network.
fn holds(iface: &Interface, net: IpNet) -> bool {
    iface.addresses.iter().any(|n| net.contains(&n.addr()))
}

fn free_of(net: IpNet) -> Option<IpAddr> {
    hosts(net).minus(&one(net.addr())).min().map(|v| Family::V4.address(v))
}

/// Interfaces by which a device sends to the internet, apart from its outer one: further lines, unless they are tunnels.
pub(super) fn further_lines(device: &mut Device, outer: usize) {
    let mut found = Vec::new();
    for route in device.routes.iter().filter(|r| r.to.prefix_len() == 0) {
        if let RouteTarget::Via(i, _) = route.target
            && i != outer
        {
            found.push(i);
        }
    }
    for i in found {
        let iface = &mut device.interfaces[i];
        let known = iface.addresses.iter().any(|n| n.addr().is_ipv4());
        if known && !iface.tunnel {
            iface.line = true;
        }
    }
}

/// Nothing says that what leaves by a tunnel for the rest of the world goes there: a default route is taken, and what
/// depends on it is unknown.
pub(super) fn doubtful_default(
    device: &mut Device,
    iface: usize,
    (family, hop): (Family, Option<IpAddr>),
    supply: &str,
) {
    if device.routes.iter().any(|r| is_default(r, family)) {
        return;
    }
    device.routes.push(Route {
        to: super::everything(family),
        target: RouteTarget::Via(iface, hop),
        table: crate::dialect::iproute::MAIN,
        metric: u32::MAX,
    });
    let name = device.interfaces[iface].name.clone();
    let own = device.interfaces[iface].addresses.iter().find(|n| Family::of(n.addr()) == family);
    let shown = own.map_or_else(|| name.to_string(), |n| n.trunc().to_string());
    let near = device.interfaces[iface].addresses.iter().filter(|n| Family::of(n.addr()) == family);
    let near = near.map(|n| prefix_range(n.trunc()));
    let far = Set::from_ranges(near).complement();
    let doubt_of =
        format!("whether {} sends its answers back into the tunnel {shown}, or out by another line", device.name);
    let pipeline = &mut device.pipeline;
    let origin = pipeline.add_origin(Origin { object: "the way out is not given".into(), ..Origin::default() });
    let doubt = pipeline.add_doubt(Doubt {
        origin,
        what: doubt_of.into(),
        supply: supply.into(),
        fixed: true,
        kind: DoubtKind::Fact,
    });
    let steps = vec![
        Step::is(KeyField::OutIface, Set::one(iface_value(&name))),
        Step::is(KeyField::Family, Set::one(if family == Family::V4 { nfproto::IPV4 } else { nfproto::IPV6 })),
        Step::is(KeyField::Header(Part::Dst), far),
        Step::Act(Action::Unmodelled(Ways::Anything, doubt)),
    ];
    let chain = pipeline.add_chain("way out", origin, vec![Rule { steps: steps.into(), origin }]);
    pipeline.hooks[Hook::Postrouting as usize].push(Stage {
        kind: StageKind::Filter { chain, policy: Policy::Accept, reroute: false },
        families: Families::BOTH,
        interfaces: None,
    });
}
