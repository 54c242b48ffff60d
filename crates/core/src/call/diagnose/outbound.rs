//! What a server sends out leaves with the wrong source: the gaps, and what would translate it rightly.

use super::Found;
use super::say::{bare, plain};
use crate::call::address;
use crate::call::analyze::{Analysis, Judge};
use crate::call::learned::{Line, Stray};
use crate::change::{Intent, Wanted};
use crate::finding::{Gap, Lack, Severity};
use crate::model::Device;
use crate::report::Finding;
use crate::snapshot::Snapshot;
use ipnet::IpNet;
use std::net::IpAddr;

/// Callers who are told an address that a server learned outside, and by which media does not come: one gap a server.
pub(super) fn strayed(a: &Analysis) -> Vec<Gap> {
    let mut out: Vec<Gap> = Vec::new();
    for s in &a.strayed {
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
            ..bare(Lack::OutboundAs(stray.named()), device.name.to_string(), vec![s.ports.clone()], story)
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

/// Servers whose packets leave with another address than the one by which they are called, where that matters.
pub(super) fn strays(snapshot: &Snapshot, a: &Analysis, found: &[Found]) -> Vec<Finding> {
    let known = |f: &Found| matches!(f.gap.lack, Lack::OutboundNat { .. });
    if found.iter().any(known) {
        return Vec::new();
    }
    let mut out: Vec<Finding> = Vec::new();
    // Where calls fail by it, that is said there.
    let said = |s: &Stray| found.iter().any(|f| f.gap.lack == Lack::OutboundAs(s.named()) && f.gap.host == Some(s.own));
    let strays = Judge::new(snapshot, &a.manifest, &a.instances, &a.site).strays();
    for stray in strays.into_iter().filter(|s| !said(s)) {
        let instance = &a.instances[stray.instance];
        let (label, seen, public) = (instance.label(), stray.seen, stray.public);
        let private = !address::is_public(seen);
        let learns = instance.told_as_learned();
        // Which address it hears by another line is no fault of a rule.
        if stray.line != Line::Same {
            if learns {
                out.extend(by_another_line(a, &stray, label));
            }
            continue;
        }
        let trunk = a.manifest.peers.iter().find(|p| {
            p.uses.iter().any(|u| instance.requirements.iter().any(|r| r.id == u.value))
                && p.address.iter().any(|n| address::is_public(n.value.addr()))
        });
        let story = match trunk {
            _ if learns => {
                format!(
                    "where {label} asks a STUN server for its address, it tells callers {seen}; set {public} there, or translate to it"
                )
            }
            Some(peer) if private => {
                format!("{} gets what {label} sends from {seen}, to which no answer leads", peer.name.value)
            }
            Some(peer) => {
                format!("{} gets what {label} sends from {seen}, and may know {public} only", peer.name.value)
            }
            None if private => {
                format!(
                    "media that {label} sends first, and whatever else it asks outside, comes from {seen}, to which no answer leads"
                )
            }
            None if instance.answers().is_some() => {
                format!("phones get media that {label} sends first from {seen}, and are told {public}")
            }
            // With ICE, callers answer wherever a check comes from (RFC 8445 7.3.1.3).
            None => continue,
        };
        let lack = if private { Lack::OutboundNat { other: false } } else { Lack::OutboundAs(stray.named()) };
        let name = a.site.network.devices[stray.router].name.to_string();
        let gap = Gap { host: Some(stray.own), asked: Some(public), ..bare(lack, name, Vec::new(), story) };
        if let Some(finding) = plain(&gap) {
            out.push(Finding { severity: Severity::Warning, ..finding });
        }
    }
    out
}

/// A server that leaves by another line than the one by which it is called, and asks there for its address.
fn by_another_line(a: &Analysis, stray: &Stray, label: &str) -> Option<Finding> {
    let device = &a.site.network.devices[stray.router];
    let line = if stray.line == Line::Elsewhere { &device.name } else { device.interfaces[stray.leaves].shown() };
    let public = stray.public;
    let story = format!(
        "where {label} asks a STUN server for its address, its packets leave by {line}, and people call it by {public}; set \
         {public} there, and state it: told = {{ internet = \"public\" }}"
    );
    let gap = Gap {
        who: "callers".into(),
        ..bare(Lack::Told(stray.named().into_iter().collect()), label.to_owned(), Vec::new(), story)
    };
    plain(&gap).map(|f| Finding { severity: Severity::Warning, ..f })
}
