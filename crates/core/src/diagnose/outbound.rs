//! What a server sends out leaves with the wrong source: what would translate it rightly.

use crate::change::{Intent, Wanted};
use crate::finding::{Gap, Lack};
use crate::model::Device;
use crate::verdict::{Judged, Line};
use ipnet::IpNet;
use std::net::IpAddr;

/// Callers who are told an address that a server learned outside, and by which media does not come: one gap a server.
pub(super) fn strayed(a: &Judged) -> Vec<Gap> {
    let mut out: Vec<Gap> = Vec::new();
    for s in &a.judgement.strayed {
        let (stray, label) = (s.stray, a.instances[s.stray.instance].label());
        let device = &a.site.network.devices[stray.router];
        if let Some(known) = out.iter_mut().find(|g| g.host == Some(stray.own) && g.device == stray.router) {
            if !known.paths.contains(&s.path) {
                known.paths.push(s.path.clone());
            }
            if !known.ports.contains(&s.ports) {
                known.ports.push(s.ports.clone());
            }
            continue;
        }
        let line = device.interfaces.get(stray.leaves).map_or("", |i| i.shown());
        let by = if stray.line == Line::Same { String::new() } else { format!(" by {line}, another line,") };
        let story = format!(
            "{label} asks a STUN server for its address. Its packets leave{by} as {}, so it tells callers that address, \
             by which media does not come in as it does by {}",
            stray.seen, stray.public
        );
        // An address of one line does not leave by another.
        let rules = a.site.files.get(stray.router).is_some_and(Option::is_some) && stray.line == Line::Same;
        let wanted = rules.then(|| wanted(device, stray.leaves, stray.own.into(), Some(stray.public)));
        out.push(Gap {
            device: stray.router,
            wanted,
            host: Some(stray.own),
            asked: Some(stray.public),
            paths: vec![s.path.clone()],
            who: s.place.to_string(),
            ..Gap::bare(Lack::OutboundAs(stray.named()), device.name.to_string(), vec![s.ports.clone()], story)
        });
    }
    out
}

/// What these hosts send out by an interface gets this address, or that of the interface where it has one alone.
pub(super) fn wanted(device: &Device, leaves: usize, from: IpNet, to: Option<IpAddr>) -> Wanted {
    let iface = &device.interfaces[leaves];
    let several = iface.addresses.iter().filter(|n| n.addr().is_ipv4()).count() != 1;
    let to = to.filter(|a| several || iface.addresses.iter().all(|n| n.addr() != *a));
    let intent = Intent::Outbound { from, out: iface.name.clone(), to };
    Wanted { intent, nearest: None, deciding: None, name: "outbound".into() }
}
