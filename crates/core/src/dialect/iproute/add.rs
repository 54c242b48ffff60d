//! Routes and routing rules of dumps, put into a device.

use super::{DumpedRoute, DumpedRule, Leads};
use crate::model::{Device, Doubt, DoubtId, DoubtKind, Holds, Interface, Origin, Route, RouteTarget};
use std::net::IpAddr;

/// Index of an interface; one that no address dump names has no addresses.
fn interface(device: &mut Device, name: &str) -> usize {
    device.interface(name).unwrap_or_else(|| {
        device.interfaces.push(Interface { name: name.into(), ..Interface::default() });
        device.interfaces.len() - 1
    })
}

/// Adds a route of a dump; interfaces that it names and nothing else does have no addresses.
pub fn add_route(device: &mut Device, route: &DumpedRoute) {
    let target = match &route.leads {
        Leads::Nowhere => RouteTarget::Blackhole,
        Leads::Refused => RouteTarget::Unreachable,
        Leads::Next => RouteTarget::Next,
        Leads::Here => RouteTarget::Own,
        Leads::Out(hops) => {
            // Packets to loopback addresses are delivered before routes are looked at.
            let mut ways: Vec<(usize, Option<IpAddr>)> = Vec::new();
            for hop in hops.iter().filter(|h| &*h.dev != "lo") {
                // A next hop of the other family (RFC 5549) is a neighbour's; on a link with one neighbour it is the
                // same as none.
                let via = hop.via.filter(|h| h.is_ipv4() == route.to.addr().is_ipv4());
                ways.push((interface(device, &hop.dev), via));
            }
            match ways[..] {
                [] => return,
                [(index, via)] => RouteTarget::Via(index, via),
                _ => {
                    let what = format!("which of several next hops {} takes to {}", device.name, route.to);
                    let supply = "give a route dump in which only the next hop in use stands";
                    RouteTarget::OneOf(ways.into(), open(device, what, supply))
                }
            }
        }
    };
    device.routes.push(Route { to: route.to, target, table: route.table, metric: route.metric });
}

/// Takes routing rules over; what of them is not followed becomes a doubt of the device.
pub fn add_rules(device: &mut Device, rules: &[DumpedRule]) {
    for dumped in rules {
        let mut rule = dumped.rule.clone();
        if let Some(more) = &dumped.open {
            let what = format!(
                "whether the routing rule {} of {} with `{}` is for such packets",
                rule.priority, device.name, more.what
            );
            let doubt = open(device, what, "if calls do not depend on the rule, leave it out of the file");
            rule.own = Holds::Unknown(doubt);
            if more.passing && rule.passing == Holds::Yes {
                rule.passing = Holds::Unknown(doubt);
            }
        }
        device.routing_rules.push(rule);
    }
}

/// A doubt that stands at no place of a ruleset.
fn open(device: &mut Device, what: String, supply: &str) -> DoubtId {
    let origin = device.pipeline.add_origin(Origin::default());
    let doubt = Doubt { origin, what: what.into(), supply: supply.into(), fixed: false, kind: DoubtKind::Fact };
    device.pipeline.add_doubt(doubt)
}
