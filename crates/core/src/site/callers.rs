//! Everybody who calls: the internet, and the networks behind the gateways.

use super::{Builder, INTERNET_SEGMENT, Vantage, everything, full};
use crate::cube::Set;
use crate::dialect::Known;
use crate::dialect::iproute::MAIN;
use crate::manifest::{Gateway, Place};
use crate::model::{Device, Family, Interface, Route, RouteTarget, address_value};
use crate::site::address::{hosts, internet, is_link_local, is_public, one, prefix_set};
use crate::site::gateway::Router;
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

impl Builder<'_> {
    pub(super) fn add_internet(&mut self, server_base: usize) -> usize {
        self.lead_to_inner_networks(server_base);
        let index = self.devices.len();
        let mut iface = Interface { name: "internet".into(), segment: INTERNET_SEGMENT, ..Interface::default() };
        let mut routes = Vec::new();
        let (site_v4, site_v6) = (self.site_addresses(Family::V4), self.site_addresses(Family::V6));
        let mut extra_v4 = Set::empty();
        let mut extra_v6 = Set::empty();
        let mut nobody = Set::empty();
        for device in &self.devices {
            for (i, outer) in device.interfaces.iter().enumerate().filter(|(_, f)| f.segment == INTERNET_SEGMENT) {
                for net in &outer.addresses {
                    let set = prefix_set(*net);
                    if net.addr().is_ipv4() && net.prefix_len() < 31 {
                        // First and last address of a network are no host's.
                        nobody = nobody.or(&one(net.network())).or(&one(net.broadcast()));
                    }
                    if net.addr().is_ipv4() { extra_v4 = extra_v4.or(&set) } else { extra_v6 = extra_v6.or(&set) }
                }
                let ways = device.routes.iter().flat_map(|r| r.target.ways());
                for hop in ways.filter(|(via, _)| *via == i).filter_map(|(_, hop)| hop) {
                    if hop.is_ipv4() {
                        extra_v4 = extra_v4.or(&one(hop));
                    } else {
                        extra_v6 = extra_v6.or(&one(hop));
                    }
                }
            }
        }
        let peers = self.manifest.peers.iter().flat_map(|p| &p.address);
        let others = self.manifest.deploys.iter().flat_map(|d| &d.admin).chain(peers);
        for admin in others.filter(|a| is_public(a.value.addr())) {
            let set = prefix_set(admin.value);
            if admin.value.addr().is_ipv4() { extra_v4 = extra_v4.or(&set) } else { extra_v6 = extra_v6.or(&set) }
        }
        iface.hosts_v4 = internet(Family::V4).or(&extra_v4).minus(&site_v4);
        iface.hosts_v6 = internet(Family::V6).or(&extra_v6).minus(&site_v6);
        self.internet_routes(&mut routes);
        self.vantages.push(Vantage {
            place: Place::Internet,
            name: "anyone on the internet".into(),
            net: String::new(),
            device: index,
            v4: internet(Family::V4).minus(&site_v4).minus(&nobody),
            v6: internet(Family::V6).minus(&site_v6),
            segment: INTERNET_SEGMENT,
        });
        // Who sends to another line of the site by a provider's router is passed on.
        let forwards = self.invented > 0 || !self.lines.is_empty();
        let interfaces = vec![iface];
        self.devices.push(Device { name: "the internet".into(), interfaces, routes, forwards, ..Device::default() });
        index
    }

    /// All addresses that belong to the site: interfaces, inner networks, the public addresses.
    pub(super) fn site_addresses(&self, family: Family) -> Set {
        let mut all: Vec<(u128, u128)> = Vec::new();
        let mut add = |ip: IpAddr, set: Set| {
            if Family::of(ip) == family {
                all.extend_from_slice(set.ranges());
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
        for ip in self.public_addresses() {
            add(ip, one(ip));
        }
        Set::from_ranges(all)
    }

    /// How the internet reaches the site: directly on the outer segment, the rest by the outermost device.
    pub(super) fn internet_routes(&mut self, routes: &mut Vec<Route>) {
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
                && let (Some(router), Some(at)) = (self.routers.first(), self.router_at.first().copied())
            {
                // A point-to-point line without an IPv6 address of its own: any next hop does.
                let address: IpNet =
                    IpNet::new_assert(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(), 128);
                let outer = router.outer_v6;
                self.devices[at].interfaces[outer].addresses.push(address);
                routes.push(direct(address.addr()));
                hop = Some(address.addr());
            }
            let Some(hop) = hop else { continue };
            let via = |to: IpNet| Route { to, target: RouteTarget::Via(0, Some(hop)), table: MAIN, metric: 1 };
            let told = self.public_addresses().into_iter();
            let described = self.devices.iter().enumerate().filter(|(d, _)| !self.assumed.contains(d));
            let inner = described
                .flat_map(|(_, d)| &d.interfaces)
                .filter(|i| i.segment != INTERNET_SEGMENT)
                .flat_map(|i| i.addresses.iter().map(IpNet::trunc))
                .filter(|n| is_public(n.addr()));
            let wanted = told.filter(|a| !on_segment.contains(a)).map(IpNet::from).chain(inner);
            let list: Vec<Route> = wanted.filter(|n| Family::of(n.addr()) == family).map(via).collect();
            routes.extend(list);
        }
    }

    pub(super) fn add_callers(&mut self, server_base: usize, internet: usize) -> Result<(), InputError> {
        let servers: Vec<(usize, Set)> = self.devices[server_base..internet]
            .iter()
            .flat_map(|d| &d.interfaces)
            .map(|i| (i.segment, i.owned(Family::V4).or(&i.owned(Family::V6))))
            .collect();
        let mut inner = Vec::new();
        for (d, device) in self.devices.iter().enumerate().take(server_base) {
            let line = self.lines.contains(&d);
            let transfer = |segment: usize| {
                let others = self.devices[..server_base].iter().enumerate().filter(|(o, _)| *o != d);
                // A further line into a network makes it no transfer network; who calls there is asked once.
                let others = others.filter(|(o, _)| line || !self.lines.contains(o));
                others.flat_map(|(_, o)| &o.interfaces).any(|i| i.segment == segment)
            };
            for (i, iface) in device.interfaces.iter().enumerate() {
                let lan = servers.iter().any(|(s, _)| *s == iface.segment);
                // Ends of a tunnel call nobody; where none of them is known, they are people who dial in.
                let ends = iface.tunnel && lan || self.said_tunnel(iface);
                if !self.filters.contains(&d)
                    && iface.segment != INTERNET_SEGMENT
                    && !ends
                    && (lan && !line || !transfer(iface.segment))
                {
                    inner.push((d, i, lan));
                }
            }
        }
        // Tunnels are no networks from which people call.
        let said = |n: &crate::manifest::Net| n.tunnel.as_ref().is_some_and(|t| t.value);
        let mut named: Vec<bool> = self.manifest.nets.iter().map(said).collect();
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
                    let words = format!("{name} {shown}");
                    (Place::Net(name), words)
                }
                (false, None) => (Place::Net(iface.shown().to_owned()), format!("{} {shown}", iface.shown())),
            };
            let taken = servers.iter().filter(|(s, _)| *s == iface.segment).map(|(_, set)| set);
            let taken = taken.fold(self.next_hops(), |all, s| all.or(s));
            self.group(place, name, &nets, &taken, iface.segment, &iface);
        }
        for (index, done) in named.into_iter().enumerate() {
            if !done {
                self.routed_net(index, server_base)?;
            }
        }
        Ok(())
    }

    /// A caller whose own router is known, and everybody behind it.
    pub(super) fn add_described(
        &mut self,
        router: &Router,
        described: &Gateway,
        internet: usize,
    ) -> Result<(), InputError> {
        let name = described.label.as_ref().map_or("", |l| &l.value).to_owned();
        let head = || InputError::in_manifest(described.span.start..described.span.start + "[[caller]]".len(), "");
        let mut device = router.device.clone();
        let wan: Vec<IpAddr> = device.interfaces[router.outer_v4].addresses.iter().map(IpNet::addr).collect();
        if !wan.iter().any(|a| is_public(*a)) {
            let message = format!("the public address of {} is not known", device.name);
            return Err(InputError { message, ..head() }
                .help("add `wan = \"<its public address>\"`; behind a provider's NAT, leave the table out"));
        }
        if let Some(taken) = wan.iter().find(|a| self.site_addresses(Family::of(**a)).contains(address_value(**a))) {
            let message = format!("{taken} of {} is an address of the site itself", device.name);
            return Err(InputError { message, ..head() }.help("a caller on the internet has another one"));
        }
        for i in 0..device.interfaces.len() {
            device.interfaces[i].segment = self.segment();
        }
        device.interfaces[router.outer_v4].segment = INTERNET_SEGMENT;
        device.interfaces[router.outer_v6].segment = INTERNET_SEGMENT;
        self.default_routes(&mut device, router, None);
        self.rulesets.extend(&router.rulesets);
        let lowered = router.files.lower_waiting(&mut device, &Known::default(), self.intended);
        self.rulesets.extend(lowered.iter().map(|(id, l)| (*id, l.counts)));
        // The rest of the internet passes its packets on.
        let own = Set::union(wan.iter().map(|a| one(*a)));
        let everybody = &mut self.devices[internet];
        everybody.forwards = true;
        let direct = |a: &IpAddr| Route { to: (*a).into(), target: RouteTarget::Via(0, None), table: MAIN, metric: 0 };
        everybody.routes.extend(wan.iter().map(direct));
        // Its provider's router is one of them.
        let line = &device.interfaces[router.outer_v4];
        let nets = line.addresses.iter().filter(|n| n.addr().is_ipv4()).map(|n| prefix_set(*n));
        let ways = device.routes.iter().flat_map(|r| r.target.ways()).filter(|(i, _)| *i == router.outer_v4);
        let hops = ways.filter_map(|(_, hop)| hop.filter(IpAddr::is_ipv4).map(one));
        let near = Set::union(nets.chain(hops));
        // Callers of one provider share its network: none of their addresses is anybody else's.
        let lines = Set::union(self.caller_lines.iter().map(|(_, line)| line.clone()));
        let hosts = &mut everybody.interfaces[0].hosts_v4;
        *hosts = hosts.or(&near).minus(&own).minus(&lines);
        self.vantages[0].v4 = self.vantages[0].v4.minus(&own);
        let inner = device.interfaces.iter().enumerate().find(|(i, f)| {
            let lan = f.addresses.iter().any(|n| n.addr().is_ipv4() && n.prefix_len() < 31);
            lan && *i != router.outer_v4 && *i != router.outer_v6
        });
        let Some((_, iface)) = inner else {
            let message = format!("{} has no network behind it", device.name);
            return Err(InputError { message, ..head() }
                .help("add its inner interface: interfaces = { lan = \"192.168.178.1/24\" }"));
        };
        let iface = iface.clone();
        self.devices.push(device);
        let nets: Vec<IpNet> = iface.addresses.iter().copied().filter(|n| n.addr().is_ipv4()).collect();
        self.group(Place::Caller(name.clone()), name, &nets, &Set::empty(), iface.segment, &iface);
        Ok(())
    }

    /// Routers that a gateway's routes lead to: they are nobody's callers.
    fn next_hops(&self) -> Set {
        let routes = self.devices.iter().flat_map(|d| &d.routes);
        let hops = routes.flat_map(|r| r.target.ways()).filter_map(|(_, hop)| hop);
        Set::union(hops.map(one))
    }

    /// Hosts on a segment, with the gateway on it as their router.
    pub(super) fn group(
        &mut self,
        place: Place,
        name: String,
        nets: &[IpNet],
        taken: &Set,
        segment: usize,
        gateway: &Interface,
    ) {
        let mut iface = Interface { name: "eth0".into(), segment, ..Interface::default() };
        let mut routes = Vec::new();
        for net in nets {
            let family = Family::of(net.addr());
            let free = hosts(*net).minus(&gateway.owned(family)).minus(taken);
            let Some(first) = free.min() else { continue };
            let own = IpNet::new_assert(family.address(first), net.prefix_len());
            if !iface.addresses.contains(&own) {
                iface.addresses.push(own);
            }
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
        let first = nets.iter().find(|n| n.addr().is_ipv4()).or(nets.first());
        let net = first.map(|n| n.trunc().to_string()).unwrap_or_default();
        self.vantages.push(Vantage { place, name: name.clone(), net, device: self.devices.len(), v4, v6, segment });
        self.devices.push(Device { name: name.into(), interfaces: vec![iface], routes, ..Device::default() });
    }
}
