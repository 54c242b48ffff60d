//! Servers in the networks of gateways, and the containers on them.

use super::containers;
use super::gateway;
use super::server::{self, Server};
use super::stated::INSIDE;
use super::{Builder, INTERNET_SEGMENT, SERVER_ROUTES, address_of, full, is_bridged, is_outside, lines, most_specific};
use crate::dialect::Known;
use crate::manifest::At;
use crate::model::{Device, Family, RouteTarget};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::Range;

impl Builder<'_> {
    pub(super) fn add_servers(&mut self, servers: &[Server]) -> Result<(), InputError> {
        // Servers stand in the networks of gateways, never in those of each other.
        let gateways = 0..self.devices.len();
        let mut own = Vec::new();
        for server in servers {
            let mut device = server.device.clone();
            self.mark_tunnels(&mut device);
            let mut tunnel: Vec<IpAddr> = Vec::new();
            let mut segment = None;
            let mut nets = Vec::new();
            for address in &server.addresses {
                // What a box does to IPv6 of which nothing was read is not judged.
                if self.routers.is_empty() && !self.entries.is_empty() && address.value.addr().is_ipv6() {
                    continue;
                }
                if let Some(filter) = self.innermost.filter(|d| self.filters.contains(d)) {
                    segment = Some(self.behind_filter(filter, &device, server, address.value.addr()));
                    let hop = address_of(&self.devices[filter].interfaces[INSIDE], Family::of(address.value.addr()));
                    nets.push((address.value, hop));
                    continue;
                }
                let Some((d, i, net)) = self.holder(address, &gateways)? else {
                    if self.innermost.is_none() {
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
                // Beside the provider's router the bridge's own device is none.
                let gateway = gateway.as_ref().map(IpNet::addr).filter(|_| here != INTERNET_SEGMENT);
                let full = IpNet::new_assert(address.value.addr(), net.prefix_len());
                let in_tunnel = self.devices[d].interfaces[i].tunnel;
                if in_tunnel {
                    device.interfaces[server.interface].tunnel = true;
                    tunnel.extend(gateway);
                }
                // Nothing sends what is for others into a tunnel unless a route says so.
                nets.push((full, gateway.filter(|_| !in_tunnel)));
            }
            // One without any address here is never asked; its place in the list stays.
            let invented = server::attach(&mut device, server, segment.unwrap_or(INTERNET_SEGMENT), &nets);
            for hop in tunnel {
                let family = Family::of(hop);
                if !server.routes_dumped[usize::from(family == Family::V6)] {
                    lines::doubtful_default(&mut device, server.interface, (family, Some(hop)), SERVER_ROUTES);
                }
            }
            let known = self.innermost.is_none_or(|d| !self.filters.contains(&d));
            if !invented.is_empty() && known {
                let hops: Vec<String> = invented.iter().map(ToString::to_string).collect();
                let hops = hops.join(" and ");
                self.assumptions.push(format!("{} sends what is not for its own network to {hops}", device.name));
            }
            own.extend(self.further_interfaces(&mut device, server, gateways.end));
            let lowered = server.files.lower_waiting(&mut device, &Known::default(), self.intended);
            self.rulesets.extend(lowered.iter().map(|(id, l)| (*id, l.counts)));
            self.devices.push(device);
        }
        // Servers stand one after the other.
        self.add_own_lines(&own);
        self.check_tunnels()
    }

    /// A server whose only neighbour outwards is a filter; the segment between them.
    pub(super) fn behind_filter(&mut self, filter: usize, device: &Device, server: &Server, address: IpAddr) -> usize {
        let hops = device.routes.iter().filter_map(|r| match r.target {
            RouteTarget::Via(i, Some(hop)) if i == server.interface => Some(hop),
            _ => None,
        });
        let hops: Vec<IpAddr> = hops.collect();
        self.guard(filter, &[address], &hops);
        self.devices[filter].interfaces[INSIDE].segment
    }

    /// Containers on servers, after all other devices: each server that has some, with its first and last one.
    pub(super) fn add_containers(&mut self, servers: &[Server], server_base: usize) -> Vec<(usize, (usize, usize))> {
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
    pub(super) fn holder(
        &self,
        address: &At<IpNet>,
        gateways: &Range<usize>,
    ) -> Result<Option<(usize, usize, IpNet)>, InputError> {
        let ip = address.value.addr();
        let mut found: Vec<(usize, usize, IpNet)> = Vec::new();
        for (d, device) in self.devices.iter().enumerate().take(gateways.end).skip(gateways.start) {
            let mut here: Vec<(usize, usize, IpNet)> = Vec::new();
            for (i, iface) in device.interfaces.iter().enumerate() {
                if is_outside(device, i) && !is_bridged(device, i) {
                    continue;
                }
                // A further line into a network does not make it another one.
                let shared = |(o, other): (usize, &Device)| {
                    !self.lines.contains(&o) && other.interfaces.iter().any(|f| f.segment == iface.segment)
                };
                if self.lines.contains(&d) && self.devices[gateways.clone()].iter().enumerate().any(shared) {
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
