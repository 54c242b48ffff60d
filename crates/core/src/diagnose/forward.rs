//! Packets that no forward sends to the server, or a wrong one.

use super::{Look, last_rule};
use crate::call::views::{self, Does, Field, Packet, PortChange, View};
use crate::change::{Intent, Packets, Wanted};
use crate::cube::Set;
use crate::finding::{Gap, Lack, Near};
use crate::manifest::ProxyAt;
use crate::model::{Family, OriginId, address_value, iface_value};
use crate::profile::Proxied;
use crate::requirement::{Level, Party};
use crate::site::address::is_link_local;
use crate::trace::{Hop, Journey};
use crate::vocabulary::{PortSet, port_ranges, port_set};
use std::cell::LazyCell;
use std::net::IpAddr;

impl Look<'_> {
    /// The hop and rule that gave the packet another destination than was asked.
    pub(super) fn translated<'j>(&self, j: &'j Journey) -> Option<(&'j Hop, View)> {
        j.hops.iter().filter(|h| self.is_router(h.device)).find_map(|h| {
            let mut rules = h.rules().filter_map(|id| views::rule(&self.net()[h.device], id));
            let found = rules.find(|v| matches!(v.does, Does::Forward { .. }))?;
            Some((h, found))
        })
    }

    pub(super) fn astray(&self, j: &Journey, near: Near) -> Option<Gap> {
        let (hop, view) = self.translated(j)?;
        let mut gap = self.base(Lack::Forward { near, inside: false }, hop.device);
        gap.at = vec![view.origin];
        gap.wanted = self.forward_wanted(hop, Some(view.origin), Some(view.origin), false);
        Some(gap)
    }

    pub(super) fn forward_wanted(
        &self,
        hop: &Hop,
        nearest: Option<OriginId>,
        deciding: Option<OriginId>,
        hairpin: bool,
    ) -> Option<Wanted> {
        let port = self.port_inside().ok()?;
        let packets = Packets {
            family: self.f.family,
            proto: self.f.requirement.proto,
            ports: self.ports(),
            from: self.admins(),
            in_ifaces: self.iface_name(hop.device, hop.in_iface).into_iter().collect(),
            out_iface: None,
        };
        let intent =
            Intent::Forward { packets, address: self.asked()?, to: self.next_hop_inside(hop.device)?, port, hairpin };
        Some(Wanted { intent, nearest, deciding, name: self.name() })
    }

    /// The proxy's own port, where it is another one than the port outside; an error where nothing tells it.
    fn port_inside(&self) -> Result<Option<u16>, ()> {
        let r = &self.f.requirement;
        let instance = &self.a.instances[self.f.instance];
        let proxy = instance.deploy.proxy.as_ref().filter(|_| r.proxied == Some(Proxied::Pages));
        let Some((outer, at)) = proxy.and_then(|p| Some((p.value.outer.as_ref()?.value, p.value.at.as_ref()))) else {
            return Ok(None);
        };
        let port = match at.map(|a| &a.value) {
            Some(ProxyAt::Host(_, port)) => port.ok_or(())?,
            Some(ProxyAt::Gateway | ProxyAt::Outside) => return Ok(None),
            None => match instance.requirements.iter().find(|own| own.id == r.id).map(|own| &own.ports[..]) {
                Some([(lo, hi)]) if lo == hi => *lo,
                _ => return Err(()),
            },
        };
        Ok(Some(port).filter(|p| *p != outer))
    }

    /// Where a device sends packets for the server: to it, or to the next router inwards.
    pub(super) fn next_hop_inside(&self, device: usize) -> Option<IpAddr> {
        let host = self.host()?;
        let own = &self.net()[device];
        let direct = own.interfaces.iter().flat_map(|i| &i.addresses).any(|n| n.contains(&host));
        let routed = own.routes.iter().any(|r| r.to.prefix_len() > 0 && r.to.contains(&host));
        if direct || routed {
            return Some(host);
        }
        let (inner, entry) = self.a.site.entries.iter().find(|(d, _)| *d > device)?;
        let addresses = self.net()[*inner].interfaces[*entry].addresses.iter().map(ipnet::IpNet::addr);
        addresses.filter(|a| Family::of(*a) == self.f.family).find(|a| !is_link_local(*a))
    }

    /// The packet ends at this router, and no forward there applied.
    pub(super) fn forward(&self, device: usize, hop: &Hop) -> Option<Gap> {
        let in_name = self.iface_name(device, hop.in_iface)?;
        let packet = Packet {
            iface: iface_value(&in_name),
            proto: self.f.requirement.proto.number(),
            dst: self.value(hop.header.dst)?,
            ports: self.failing(),
        };
        let (near, nearest, leads) = self.nearest(device, &packet);
        let inside = self.inside();
        let lack = match near {
            Near::Address => match self.stale(device, nearest) {
                Lack::Alias => Lack::Alias,
                _ if inside && self.outer(device) != self.asked() => Lack::OwnAddress,
                other => other,
            },
            near => Lack::Forward { near, inside },
        };
        let mut gap = self.base(lack, device);
        gap.at = nearest.into_iter().collect();
        gap.leads = leads;
        if gap.lack == Lack::Alias {
            // What keeps an alias up to date is not in the rules.
            gap.ports = Vec::new();
        } else {
            // Who types another port keeps it.
            let kept = near == Near::Shift && gap.signalling;
            gap.wanted = self.forward_wanted(hop, nearest.filter(|_| !kept), last_rule(hop), inside);
        }
        Some(gap)
    }

    /// A forward asks for an address that is neither the device's own nor the one that was asked: an alias out of date.
    fn stale(&self, device: usize, nearest: Option<OriginId>) -> Lack {
        let view = nearest.and_then(|id| views::rule(&self.net()[device], id));
        let asks = view.and_then(|v| v.asks.dst);
        if asks.is_some_and(|s| !s.intersects(&self.net()[device].own_addresses(self.f.family))) {
            Lack::Alias
        } else {
            Lack::Forward { near: Near::Nothing, inside: self.inside() }
        }
    }

    /// The forward that is nearly the wanted one; where it leads to the wanted ports from others, the others.
    fn nearest(&self, device: usize, packet: &Packet) -> (Near, Option<OriginId>, Vec<PortSet>) {
        let host = self.next_hop_inside(device).map(address_value);
        let own = LazyCell::new(|| self.net()[device].own_addresses(self.f.family));
        let mut best: Option<(u8, Near, View)> = None;
        for view in views::forwards(&self.net()[device], self.f.family) {
            let Does::Forward { to, ports } = view.does else { continue };
            let here = to.is_some_and(|(lo, hi)| lo == hi && Some(lo) == host);
            let differs = view.differs(packet);
            let overlap = view.asks.ports.as_ref().is_some_and(|s| s.intersects(&self.wanted_ports()));
            let near = match (here, view.dormant, &differs[..]) {
                (true, true, []) => Some((1, Near::Disabled)),
                (_, true, _) => None,
                (true, _, [Field::Interface]) if self.inside() => Some((0, Near::Interface)),
                (true, _, [Field::Ports]) if view.shifted().is_some_and(|s| s.intersects(&self.failing())) => {
                    Some((2, Near::Shift))
                }
                (true, _, [Field::Ports]) if overlap => Some((2, Near::Ports)),
                (true, _, [Field::Protocol]) if !self.needed(&view) => Some((3, Near::Protocol)),
                (true, _, [Field::Address] | [Field::Interface, Field::Address]) if ports == PortChange::Same => {
                    // An alias that is out of date was made for this; a forward for the own address was not.
                    let foreign = view.asks.dst.as_ref().is_some_and(|s| !s.intersects(&own));
                    Some((if foreign { 4 } else { 5 }, Near::Address))
                }
                (false, _, []) => Some((6, Near::Target)),
                _ => None,
            };
            if let Some((rank, near)) = near
                && best.as_ref().is_none_or(|b| rank < b.0)
            {
                best = Some((rank, near, view));
            }
        }
        let Some((_, near, view)) = best else { return (Near::Nothing, None, Vec::new()) };
        let outside = view.asks.ports.as_ref().filter(|_| near == Near::Shift);
        let leads = outside.map(|ports| PortSet { proto: self.f.requirement.proto, ports: port_ranges(ports) });
        (near, Some(view.origin), leads.into_iter().collect())
    }

    fn wanted_ports(&self) -> Set {
        port_set(&self.f.requirement.ports)
    }

    /// Something else on the host needs this forward as it is.
    fn needed(&self, view: &View) -> bool {
        let host = self.host();
        let same = self.a.instances.iter().filter(|i| i.deploy.host.iter().any(|h| Some(h.value) == host));
        same.flat_map(|i| &i.requirements).any(|r| {
            r.to == Party::Server
                && r.level != Level::Forbidden
                && view.asks.proto_fits(r.proto.number())
                && view.asks.ports.as_ref().is_some_and(|s| {
                    r.ports.iter().any(|(lo, hi)| s.intersects(&Set::range(u128::from(*lo), u128::from(*hi))))
                })
        })
    }
}
