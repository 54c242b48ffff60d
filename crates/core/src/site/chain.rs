//! The way in: boxes, filters and routers one behind the other, from the internet inwards.

use super::{Builder, Case, INTERNET_SEGMENT, address_of, known};
use crate::dialect::Files;
use crate::dialect::iproute::MAIN;
use crate::manifest::{Filter, GatewayKind, Manifest, Passes, StatedBox, Traffic};
use crate::model::{Device, Family, Interface, Route, RouteTarget, SourceId};
use crate::site::address::is_public;
use crate::site::filter;
use crate::site::gateway::{self, Router};
use crate::site::stated::{INSIDE, OUTSIDE};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

/// An element of the way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// A router that is read: its number among them.
    Router(usize),
    /// A box that is stated: its number among the manifest's gateways.
    Stated(usize),
    /// A filter without NAT: its number among the manifest's gateways.
    Filter(usize),
}

/// What the manifest calls its gateways that have no label.
pub(super) fn name(manifest: &Manifest, gateway: usize) -> String {
    let Some(g) = manifest.gateways.get(gateway) else { return String::new() };
    if let Some(label) = &g.label {
        return label.value.clone();
    }
    let alike = |o: &&crate::manifest::Gateway| std::mem::discriminant(&o.kind) == std::mem::discriminant(&g.kind);
    let many = manifest.gateways.iter().filter(alike).count() > 1;
    let base = match &g.kind {
        GatewayKind::Filter(_) => "the filter in front",
        _ => "the box in front",
    };
    if many { format!("{base} ({})", gateway + 1) } else { base.to_owned() }
}

/// By which interface each router is reached from the one before it, where nothing says so: it has an address in one of
/// its networks. The way that its own packets take is another line then, as behind a tunnel from a rented server.
pub(super) fn enter(manifest: &Manifest, links: &[Link], routers: &mut [Router]) {
    let mut before: Option<(String, Vec<IpNet>)> = None;
    for link in links {
        match link {
            Link::Filter(_) => {}
            Link::Stated(g) => {
                if let Some(GatewayKind::Stated(stated)) = manifest.gateways.get(*g).map(|g| &g.kind) {
                    before = Some((name(manifest, *g), stated.inside.iter().map(|n| n.value).collect()));
                }
            }
            Link::Router(r) => {
                let router = &mut routers[*r];
                let said = matches!(
                    manifest.gateways.get(router.number).map(|g| &g.kind),
                    Some(GatewayKind::Read { wan: Some(_), .. })
                );
                if let Some((name, nets)) = before.as_ref().filter(|_| !said) {
                    enter_by(router, name, nets);
                }
                let outer = router.outer_v4;
                let inner = router.device.interfaces.iter().enumerate().filter(|(i, _)| *i != outer);
                let nets =
                    inner.flat_map(|(_, f)| &f.addresses).copied().filter(|n| n.prefix_len() < n.max_prefix_len());
                before = Some((router.device.name.to_string(), nets.collect()));
            }
        }
    }
}

fn enter_by(router: &mut Router, before: &str, nets: &[IpNet]) {
    let inside = |n: &&IpNet| nets.iter().any(|net| net.addr() != n.addr() && net.contains(&n.addr()));
    let holds = |i: &Interface| i.addresses.iter().find(inside).map(IpNet::addr);
    let found: Vec<(usize, IpAddr)> =
        router.device.interfaces.iter().enumerate().filter_map(|(i, f)| holds(f).map(|a| (i, a))).collect();
    let [(entry, address)] = found[..] else { return };
    if entry == router.outer_v4 {
        return;
    }
    router.device.interfaces[router.outer_v4].line = true;
    let shown = router.device.interfaces[entry].shown().to_owned();
    router.outer_why =
        format!("{shown} is the way in of {}: its address {address} is in a network of {before}", router.device.name);
    if router.outer_v6 == router.outer_v4 {
        router.outer_v6 = entry;
    }
    router.outer_v4 = entry;
    router.wan = Some(gateway::Wan { address, why: format!("the address of {shown}") });
}

impl Builder<'_> {
    /// Everything between the internet and the servers.
    /// `given`: what is taken as given of all of it.
    pub(super) fn add_chain(&mut self, links: &[Link], case: Case, given: Vec<String>) -> Result<(), InputError> {
        let lead = links.iter().take_while(|l| matches!(l, Link::Filter(_))).count();
        let mut before = None;
        for link in &links[..lead] {
            before = Some(self.add_link(*link, before)?);
        }
        if let Some(assumed) = self.front_box(case, links[lead..].first().copied(), before)? {
            self.assumed.push(assumed);
            before = Some(assumed);
        }
        self.assumptions.extend(given);
        for link in &links[lead..] {
            before = Some(self.add_link(*link, before)?);
        }
        self.innermost = before;
        Ok(())
    }

    fn add_link(&mut self, link: Link, before: Option<usize>) -> Result<usize, InputError> {
        match link {
            Link::Router(index) => self.add_router(index, before),
            Link::Stated(g) => {
                let gateway = &self.manifest.gateways[g];
                let GatewayKind::Stated(stated) = &gateway.kind else {
                    return Err(InputError::in_manifest(gateway.span.clone(), "this gateway is read, not stated"));
                };
                self.add_stated(g, stated, before)
            }
            Link::Filter(g) => {
                let gateway = &self.manifest.gateways[g];
                let GatewayKind::Filter(filter) = &gateway.kind else {
                    return Err(InputError::in_manifest(gateway.span.clone(), "this gateway is no filter"));
                };
                self.add_filter(g, filter, before)
            }
        }
    }

    /// The interface of the device before that leads to an address; of a filter and of an assumed box the only one.
    pub(super) fn leads_to(&self, before: usize, next: Option<IpAddr>) -> Option<usize> {
        if self.filters.contains(&before) || self.assumed.contains(&before) {
            return Some(INSIDE);
        }
        let device = &self.devices[before];
        let outer = self.entries.iter().find(|(d, _)| *d == before).map(|(_, i)| *i);
        let holds = |(i, f): &(usize, &Interface)| {
            Some(*i) != outer && f.addresses.iter().any(|n| next.is_some_and(|a| n.contains(&a)))
        };
        device.interfaces.iter().enumerate().find(holds).map(|(i, _)| i)
    }

    /// Neither the one before nor this one says how they are connected.
    pub(super) fn not_connected(
        &self,
        gateway: usize,
        name: &str,
        before: usize,
        address: Option<IpAddr>,
    ) -> InputError {
        let span = self.manifest.gateways.get(gateway).map_or(0, |g| g.span.start);
        let before = &self.devices[before];
        let nets: Vec<String> = before
            .interfaces
            .iter()
            .flat_map(|i| &i.addresses)
            .filter(|n| n.addr().is_ipv4() && n.prefix_len() < 32)
            .map(|n| n.trunc().to_string())
            .collect();
        let address = address
            .map_or_else(|| "its outer address is not known".into(), |a| format!("{a} is in none of its networks"));
        InputError::in_manifest(
            span..span + "[[gateway]]".len(),
            format!("nothing says how {name} is connected to {}: {address}", before.name),
        )
        .help(format!(
            "add `wan = \"<address>\"`, its address in one of {}; gateways are listed from the internet inwards",
            nets.join(", ")
        ))
    }

    /// A device on the way in is there: filters before it get its addresses.
    pub(super) fn arrived(&mut self, before: Option<usize>, device: &Device, outer: usize) {
        let Some(filter) = before.filter(|b| self.filters.contains(b)) else { return };
        let own: Vec<IpAddr> = device.interfaces[outer].addresses.iter().map(IpNet::addr).collect();
        let hops: Vec<IpAddr> = device
            .routes
            .iter()
            .filter_map(|r| match r.target {
                RouteTarget::Via(i, Some(hop)) if i == outer && !own.contains(&hop) => Some(hop),
                _ => None,
            })
            .collect();
        self.guard(filter, &own, &hops);
    }

    /// What a filter leads to: these neighbours directly, and all that is public by them. `hops`: addresses by which
    /// they send outwards.
    pub(super) fn guard(&mut self, filter: usize, own: &[IpAddr], hops: &[IpAddr]) {
        // Behind a box that translates, none of them lies further inwards.
        let public = if self.entries.is_empty() { self.public_addresses() } else { Vec::new() };
        let direct = own.iter().map(|a| (*a, None));
        let by = |a: &IpAddr| own.iter().copied().find(|o| o.is_ipv4() == a.is_ipv4());
        let further = public.iter().filter(|a| !own.contains(a)).filter_map(|a| by(a).map(|hop| (*a, Some(hop))));
        let routes: Vec<(IpAddr, Option<IpAddr>)> = direct.chain(further).collect();
        let device = &mut self.devices[filter];
        for hop in hops {
            if !device.interfaces[INSIDE].addresses.iter().any(|n| n.addr() == *hop) {
                device.interfaces[INSIDE].addresses.push((*hop).into());
            }
        }
        for (to, hop) in routes {
            let target = RouteTarget::Via(INSIDE, hop);
            device.routes.push(Route { to: to.into(), target, table: MAIN, metric: 0 });
        }
    }

    fn add_router(&mut self, index: usize, before: Option<usize>) -> Result<usize, InputError> {
        if self.routers[index].wan.is_none() && before.is_some_and(|b| self.stated.contains(&b)) {
            // What its neighbour forwards to is known before it is.
            if let Some(next) = before.and_then(|b| self.next_of(b)) {
                let why = format!("what {} forwards to", before.map_or("", |b| &self.devices[b].name));
                self.routers[index].wan = Some(gateway::Wan { address: next, why });
            }
        }
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
            let named = device.interfaces[i].addresses.iter().any(|n| self.public == Some(n.addr()));
            if further && !named {
                self.further_lines = true;
                self.assumptions.push(format!(
                    "{} of {} is another line to the internet: calls to its address are not judged",
                    device.interfaces[i].shown(),
                    device.name
                ));
            }
        }
        let wan = router.wan.as_ref().map(|w| w.address);
        let way = match before {
            None => None,
            Some(b) => match self.leads_to(b, wan) {
                Some(i) => Some((b, i)),
                None => return Err(self.not_connected(router.number, &device.name, b, wan)),
            },
        };
        let outer_segment = way.map_or(INTERNET_SEGMENT, |(d, i)| self.devices[d].interfaces[i].segment);
        device.interfaces[router.outer_v4].segment = outer_segment;
        device.interfaces[router.outer_v6].segment = outer_segment;
        if before.is_some_and(|b| self.filters.contains(&b))
            && address_of(&device.interfaces[router.outer_v6], Family::V6).is_none()
        {
            // A line without an IPv6 address of its own: any next hop does.
            let address = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0xf117, 0, 1, 1);
            device.interfaces[router.outer_v6].addresses.push(IpAddr::from(address).into());
        }
        self.default_routes(&mut device, &router, way);
        self.rulesets.extend(&router.rulesets);
        let (known, here) = (known(self.manifest, router.number), self.devices.len());
        for (file, lowered) in router.files.lower_waiting(&mut device, &known, self.intended) {
            self.rulesets.push((file, lowered.counts));
            self.left_out.extend(lowered.left_out.into_iter().map(|l| (here, l)));
        }
        let outer = [router.outer_v4, router.outer_v6];
        let further = device.interfaces.iter().enumerate().any(|(i, f)| f.line && !outer.contains(&i));
        if before.is_none_or(|b| self.filters.contains(&b)) || further {
            self.assumptions.push(router.outer_why.clone());
        }
        for (index, family) in [Family::V4, Family::V6].into_iter().enumerate() {
            let hop = way.and_then(|(d, i)| address_of(&self.devices[d].interfaces[i], family));
            let known = router.has_default[index] || router.routes_dumped[index];
            if device.interfaces[router.outer_v4].tunnel && !known && hop.is_some() {
                let supply = "add what `ip -j route` prints to `config`, or name its `routes`";
                super::lines::doubtful_default(&mut device, router.outer_v4, (family, hop), supply);
            }
        }
        if let Some((b, _)) = way {
            self.pass_by(b, &device.interfaces[router.outer_v4].addresses);
        }
        self.arrived(before, &device, router.outer_v4);
        self.beyond(&mut device, router.outer_v4, before);
        if let Some(file) = router.files.file() {
            self.files.push((self.devices.len(), file));
        }
        self.read.push((self.devices.len(), router.files.clone()));
        self.entries.push((self.devices.len(), router.outer_v4));
        self.router_at.push(self.devices.len());
        self.devices.push(device);
        Ok(self.devices.len() - 1)
    }

    /// Behind a filter lie neighbours of the device before it: that one asks the filter for them.
    fn pass_by(&mut self, mut device: usize, addresses: &[IpNet]) {
        while let Some((_, Some((before, iface)))) = self.behind.iter().find(|(f, _)| *f == device).copied() {
            let hop = address_of(&self.devices[device].interfaces[OUTSIDE], Family::V4);
            for net in addresses.iter().filter(|n| n.addr().is_ipv4()) {
                self.devices[before].routes.push(Route {
                    to: net.addr().into(),
                    target: RouteTarget::Via(iface, hop),
                    table: MAIN,
                    metric: 0,
                });
            }
            device = before;
        }
    }

    /// Neighbours of a device lie beyond the filter between them, though its network says that they are beside it.
    fn beyond(&self, device: &mut Device, outer: usize, before: Option<usize>) {
        let Some(filter) = before.filter(|b| self.filters.contains(b)) else { return };
        let mut at = filter;
        while let Some((_, Some((before, iface)))) = self.behind.iter().find(|(f, _)| *f == at).copied() {
            at = before;
            for address in self.devices[before].interfaces[iface].addresses.iter().map(IpNet::addr) {
                let hop = address_of(&self.devices[filter].interfaces[INSIDE], Family::of(address));
                let target = RouteTarget::Via(outer, hop);
                device.routes.push(Route { to: address.into(), target, table: MAIN, metric: 0 });
            }
        }
    }

    /// Public networks behind a filter lie behind the next device.
    pub(super) fn lead_to_inner_networks(&mut self, server_base: usize) {
        for filter in self.filters.clone() {
            let Some((next, entry)) = self.entries.iter().copied().find(|(d, _)| *d > filter) else { continue };
            let inner = self.devices[next..server_base].iter().enumerate().flat_map(|(n, d)| {
                let outer = self.entries.iter().find(|(e, _)| *e == next + n).map(|(_, i)| *i);
                d.interfaces.iter().enumerate().filter(move |(i, _)| Some(*i) != outer).flat_map(|(_, f)| &f.addresses)
            });
            let nets: Vec<IpNet> = inner.map(IpNet::trunc).filter(|n| is_public(n.addr())).collect();
            for to in nets {
                let hop = address_of(&self.devices[next].interfaces[entry], Family::of(to.addr()));
                if hop.is_some() {
                    let target = RouteTarget::Via(INSIDE, hop);
                    self.devices[filter].routes.push(Route { to, target, table: MAIN, metric: 0 });
                }
            }
        }
    }

    fn add_filter(&mut self, g: usize, said: &Filter, before: Option<usize>) -> Result<usize, InputError> {
        let name = name(self.manifest, g);
        let next = self.outer_after(g);
        let way = match before {
            None => None,
            Some(b) => match self.leads_to(b, next) {
                Some(i) => Some((b, i)),
                None => return Err(self.not_connected(g, &name, b, next)),
            },
        };
        let unknown = Traffic::Unknown;
        let (passes, span) = match &said.passes {
            Passes::Stated(passes) => (&passes.value, passes.span.clone()),
            Passes::Files(files) => (&unknown, files.first().map_or(0..0, |f| f.span.clone())),
        };
        let guards: Option<Vec<IpNet>> = said.guards.as_ref().map(|l| l.iter().map(|n| n.value).collect());
        let hops =
            [Family::V4, Family::V6].map(|f| way.and_then(|(d, i)| address_of(&self.devices[d].interfaces[i], f)));
        let stated = filter::Stated {
            name: &name,
            number: self.filters.len(),
            passes,
            out: &said.out.value,
            tracks: said.tracks,
            guards: guards.as_deref(),
            sources: &|s| self.sources(s),
            read: matches!(said.passes, Passes::Files(_)),
            at: span.clone(),
            hops,
        };
        let read = self.wires.get(&g);
        let mut device = match read {
            Some(files) => {
                let (device, counts) = filter::read(&stated, files);
                self.rulesets.extend(counts);
                device
            }
            None => filter::device(&stated),
        };
        device.interfaces[OUTSIDE].segment =
            way.map_or(INTERNET_SEGMENT, |(d, i)| self.devices[d].interfaces[i].segment);
        device.interfaces[INSIDE].segment = self.segment();
        let out = match &said.out.value {
            Traffic::All(_) => "everything goes out",
            _ => "what goes out is stated",
        };
        let answers = if said.tracks { "answers pass by themselves" } else { "answers need a rule of their own" };
        let place = gateway::at_line(self.snapshot, &crate::manifest::At { value: (), span });
        self.assumptions.push(match read {
            Some(_) => format!("{name} translates nothing and has no address: it is a filter ({place})"),
            None => format!("{name} translates nothing, as you stated ({place}); {out}, {answers}"),
        });
        let here = self.devices.len();
        self.files.extend(read.and_then(Files::file).map(|file| (here, file)));
        if let Some((d, _)) = way {
            self.pass_by(d, &device.interfaces[OUTSIDE].addresses);
        }
        self.arrived(before, &device, OUTSIDE);
        self.filters.push(here);
        self.behind.push((here, way));
        if matches!(&said.passes, Passes::Stated(t) if matches!(t.value, Traffic::Some(_) | Traffic::None)) {
            self.files.push((here, SourceId::MANIFEST));
        }
        self.devices.push(device);
        Ok(here)
    }

    /// Outer address of the box or router behind a filter.
    fn outer_after(&self, filter: usize) -> Option<IpAddr> {
        self.manifest.gateways.iter().enumerate().skip(filter + 1).filter(|(_, g)| g.line.is_none()).find_map(
            |(n, g)| match &g.kind {
                GatewayKind::Filter(_) => None,
                GatewayKind::Stated(stated) => Some(stated.wan.as_ref().map(|w| w.value)),
                GatewayKind::Read { .. } => {
                    let router = self.routers.iter().find(|r| r.number == n)?;
                    Some(router.wan.as_ref().map(|w| w.address))
                }
            },
        )?
    }

    fn add_stated(&mut self, g: usize, said: &StatedBox, before: Option<usize>) -> Result<usize, InputError> {
        let (stated, way) = self.stated_box(g, said, before)?;
        let mut device = stated;
        device.interfaces[OUTSIDE].segment =
            way.map_or(INTERNET_SEGMENT, |(d, i)| self.devices[d].interfaces[i].segment);
        for i in INSIDE..device.interfaces.len() {
            device.interfaces[i].segment = self.segment();
        }
        let here = self.devices.len();
        if let Some((d, _)) = way {
            self.pass_by(d, &device.interfaces[OUTSIDE].addresses);
        }
        self.arrived(before, &device, OUTSIDE);
        self.beyond(&mut device, OUTSIDE, before);
        // A router behind it cures more, and its owner can reach it.
        let read = self.manifest.gateways.iter().skip(g + 1);
        if !read.filter(|o| o.line.is_none()).any(|o| matches!(o.kind, GatewayKind::Read { .. })) {
            self.files.push((here, SourceId::MANIFEST));
        }
        self.entries.push((here, OUTSIDE));
        self.stated.push(here);
        self.devices.push(device);
        Ok(here)
    }

    /// All addresses by which the internet reaches the site.
    pub(super) fn public_addresses(&self) -> Vec<IpAddr> {
        let stated = self.manifest.address.iter().chain(self.manifest.deploys.iter().flat_map(|d| &d.address));
        let mut out: Vec<IpAddr> = Vec::new();
        for address in stated.map(|a| a.value).chain(self.public) {
            if !out.contains(&address) {
                out.push(address);
            }
        }
        out
    }
}
