//! What the internet reaches and no call needs.

use crate::call::views::{self, Does, View};
use crate::change::{Intent, Packets, Wanted};
use crate::cube::Set;
use crate::finding::{Gap, Lack};
use crate::model::{Family, Part};
use crate::trace::Val;
use crate::verdict::{Judged, Reached};
use crate::vocabulary::{PortSet, port_ranges};

/// What would close what was reached; nothing where that is not certain.
pub(super) fn exposed(a: &Judged, r: &Reached) -> Option<Gap> {
    if r.unknown {
        return None;
    }
    let devices = &a.site.network.devices;
    let asked = r.trip.asked.part(Part::Dst).single().map(|v| r.family.address(v))?;
    let hop = r.trip.request.hops.iter().find(|h| a.site.files.get(h.device).is_some_and(Option::is_some))?;
    let device = &devices[hop.device];
    let rules: Vec<View> = hop.rules().filter_map(|id| views::rule(device, id)).collect();
    let forward = rules.iter().find(|v| matches!(v.does, Does::Forward { .. }));
    let accept = rules.iter().rev().find(|v| v.does == Does::Accept && device.pipeline.origin(v.origin).has_lines);
    let nearest = forward.or(accept).map(|v| v.origin);
    let host = a.instances[r.instance].deploy.own(r.family)?;
    // Where it ends: in a container, at the address that was asked, or at the server's own.
    let to = match r.trip.request.last().header.dst {
        Val::Const(address) => r.family.address(address),
        Val::Part(Part::Dst, 0) => asked,
        Val::Part(..) | Val::Var(_) => host,
    };
    let packets = Packets {
        family: r.family,
        proto: r.proto,
        ports: port_ranges(&r.outside),
        from: Vec::new(),
        // What the server's own interface is called need not be known, unless it passes packets on to a container.
        in_ifaces: hop
            .in_iface
            .filter(|_| hop.device != a.site.server_of[r.instance] || (to != host && to != asked))
            .and_then(|i| device.interfaces.get(i))
            .map(|i| i.name.clone())
            .into_iter()
            .collect(),
        out_iface: None,
    };
    let admins = a.instances[r.instance].deploy.admin.iter().map(|a| a.value);
    let admins: Vec<ipnet::IpNet> = admins.filter(|a| r.admins && Family::of(a.addr()) == r.family).collect();
    // Who administers is not known: closing would shut him out.
    let closes = !r.admins || !admins.is_empty();
    let intent = Intent::Close { packets, address: asked, to, inside: port_ranges(&r.inside), except: admins };
    let set = |s: &Set| PortSet { proto: r.proto, ports: port_ranges(s) };
    // Whoever is told to enlarge a range is not told to close the ports beside it.
    if r.forbidden.is_none()
        && !r.admins
        && a.instances.iter().flat_map(|i| &i.requirements).any(|q| q.proto == r.proto && q.too_small())
    {
        return None;
    }
    let at = r.at.map_or_else(String::new, |at| format!(" of the container {at}"));
    let by = if r.inside == r.outside { String::new() } else { format!(" by {}", set(&r.outside)) };
    let why = r.forbidden.as_ref().map_or_else(String::new, |w| format!(" ({w})"));
    let lack = match (&r.forbidden, r.admins) {
        (Some(_), _) => Lack::Exposed,
        (None, true) => Lack::Administration,
        (None, false) => Lack::Wider,
    };
    let story = format!("the internet reaches {}{at}{by}{why}", set(&r.inside));
    Some(Gap {
        device: hop.device,
        wanted: closes.then(|| Wanted { intent, nearest, deciding: None, name: "close".into() }),
        host: Some(host),
        asked: Some(asked),
        family: r.family,
        who: "internet".into(),
        at: nearest.into_iter().collect(),
        ..Gap::bare(lack, device.name.to_string(), vec![set(&r.inside)], story)
    })
}
