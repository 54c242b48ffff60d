//! Findings about servers whose packets leave with another address than the one by which they are called.

use super::Found;
use super::findings::plain;
use crate::finding::{Gap, Lack, Severity};
use crate::report::Finding;
use crate::site::address;
use crate::verdict::{Judged, Line, Stray};

/// Servers whose packets leave with another address than the one by which they are called, where that matters.
pub(super) fn findings(a: &Judged, strays: &[Stray], found: &[Found]) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    // Where calls fail by it, that is said there.
    let said = |s: &Stray| found.iter().any(|f| f.gap.lack == Lack::OutboundAs(s.named()) && f.gap.host == Some(s.own));
    for stray in strays.iter().filter(|s| !said(s)) {
        let instance = &a.instances[stray.instance];
        let (label, seen, public) = (instance.label(), stray.seen, stray.public);
        let private = !address::is_public(seen);
        let learns = instance.told_as_learned();
        // Which address it hears by another line is no fault of a rule.
        if stray.line != Line::Same {
            if learns {
                out.extend(by_another_line(a, stray, label));
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
        let gap = Gap { host: Some(stray.own), asked: Some(public), ..Gap::bare(lack, name, Vec::new(), story) };
        if let Some(finding) = plain(&gap) {
            out.push(Finding { severity: Severity::Warning, ..finding });
        }
    }
    out
}

/// A server that leaves by another line than the one by which it is called, and asks there for its address.
fn by_another_line(a: &Judged, stray: &Stray, label: &str) -> Option<Finding> {
    let device = &a.site.network.devices[stray.router];
    let line = if stray.line == Line::Elsewhere { &device.name } else { device.interfaces[stray.leaves].shown() };
    let public = stray.public;
    let story = format!(
        "where {label} asks a STUN server for its address, its packets leave by {line}, and people call it by {public}; set \
         {public} there, and state it: told = {{ internet = \"public\" }}"
    );
    let gap = Gap {
        who: "callers".into(),
        ..Gap::bare(Lack::Told(stray.named().into_iter().collect()), label.to_owned(), Vec::new(), story)
    };
    plain(&gap).map(|f| Finding { severity: Severity::Warning, ..f })
}
