//! Networks behind another router inside, as `[[net]]` names them.

use super::{Builder, Vantage, address_of, everything};
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::manifest::{At, Net, Place};
use crate::model::{Device, Family, Interface, Route, RouteTarget};
use crate::site::address::{hosts, one};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

impl Builder<'_> {
    /// A network behind another router inside, as `[[net]]` names it.
    pub(super) fn routed_net(&mut self, index: usize, server_base: usize) -> Result<(), InputError> {
        let net = self.manifest.nets[index].clone();
        let mut hosts_v4 = Set::empty();
        let mut hosts_v6 = Set::empty();
        let mut place: Option<(usize, usize)> = None;
        let mut hops = Vec::new();
        for prefix in &net.prefixes {
            let wanted = prefix.value;
            let (d, i, hop) = self.way_to(&net, prefix, server_base)?;
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
        let name = format!("{} {shown}", net.name.value);
        self.vantages.push(Vantage {
            place: Place::Net(net.name.value.clone()),
            name: name.clone(),
            net: shown,
            device: self.devices.len(),
            v4,
            v6,
            segment: gateway.segment,
        });
        self.devices.push(Device { name: name.into(), interfaces: vec![iface], routes, ..Device::default() });
        Ok(())
    }

    /// The device and interface that lead to a prefix, and the next hop.
    fn way_to(
        &mut self,
        net: &Net,
        prefix: &At<IpNet>,
        server_base: usize,
    ) -> Result<(usize, usize, Option<IpAddr>), InputError> {
        let wanted = prefix.value;
        let mut best: Option<(u8, usize, usize, Option<IpAddr>)> = None;
        for (d, device) in self.devices.iter().enumerate().take(server_base) {
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
            let at = (0..server_base).find_map(|d| self.devices[d].interface(&behind.value).map(|i| (d, i)));
            at.ok_or_else(|| {
                let known = self.devices[..server_base].iter().flat_map(|d| &d.interfaces).map(|i| &*i.name);
                let known: Vec<&str> = known.collect();
                behind
                    .error(format!("no gateway has an interface `{}`", behind.value))
                    .help(crate::manifest::known_names(&behind.value, "interfaces", known))
            })
        });
        Ok(match (best, stated.transpose()?) {
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
        })
    }
}
