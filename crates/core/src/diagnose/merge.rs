//! Gaps that are one cause become one.

use crate::change::{Intent, Packets, Wanted};
use crate::finding::{Gap, Lack, Near};
use crate::model::OriginId;
use crate::verdict::Judged;
use crate::vocabulary::PortSet;

/// Gaps about the same statement or the same wanted thing are one.
pub(super) fn add(a: &Judged, out: &mut Vec<Gap>, gap: Gap) {
    let place = |g: &Gap| {
        let id = g.wanted.as_ref().and_then(|w| w.nearest)?;
        Some(a.site.network.devices[g.device].pipeline.origin(id).at).filter(|at| at.end > 0)
    };
    let mended = matches!(
        gap.lack,
        Lack::Forward { near: Near::Ports | Near::Protocol | Near::Target | Near::Shift | Near::Disabled, .. }
    );
    let same = |g: &&mut Gap| {
        if mended && g.device == gap.device && near(g) == near(&gap) && place(g).is_some() && place(g) == place(&gap) {
            return true;
        }
        g.device == gap.device
            && g.lack == gap.lack
            && match (&g.wanted, &gap.wanted) {
                (Some(x), Some(y)) => x.intent == y.intent || by_other_interface(&g.lack, x, y),
                _ => g.doubt == gap.doubt && g.ports == gap.ports,
            }
    };
    match out.iter_mut().find(same) {
        Some(known) => {
            let other = match (&known.wanted, &gap.wanted) {
                (Some(have), Some(more)) => by_other_interface(&known.lack, have, more),
                _ => false,
            };
            if let (Some(have), Some(more)) =
                (known.wanted.as_mut().and_then(packets_mut), gap.wanted.as_ref().and_then(packets))
            {
                if other {
                    let new = more.in_ifaces.iter().filter(|name| !have.in_ifaces.contains(name));
                    let new: Vec<_> = new.cloned().collect();
                    have.in_ifaces.extend(new);
                } else if have.in_ifaces != more.in_ifaces {
                    have.in_ifaces.clear();
                }
            }
            for path in gap.paths {
                if !known.paths.contains(&path) {
                    known.paths.push(path);
                }
            }
        }
        None => out.push(gap),
    }
}

/// The same is wanted for what comes by another interface: one change does both.
fn by_other_interface(lack: &Lack, a: &Wanted, b: &Wanted) -> bool {
    if !matches!(lack, Lack::Forward { inside: true, .. } | Lack::Filter { answers: false, .. })
        || (a.nearest, a.deciding) != (b.nearest, b.deciding)
    {
        return false;
    }
    let (Some(x), Some(y)) = (packets(a), packets(b)) else { return false };
    // Where any interface is meant, no list of names widens it.
    if x.in_ifaces.is_empty() || y.in_ifaces.is_empty() {
        return false;
    }
    let mut there = b.clone();
    if let Some(packets) = packets_mut(&mut there) {
        packets.in_ifaces.clone_from(&x.in_ifaces);
    }
    there.intent == a.intent
}

/// Packets that a forward or a filter is wanted for.
fn packets(wanted: &Wanted) -> Option<&Packets> {
    match &wanted.intent {
        Intent::Forward { packets, .. } | Intent::Allow { packets, .. } => Some(packets),
        _ => None,
    }
}

fn packets_mut(wanted: &mut Wanted) -> Option<&mut Packets> {
    match &mut wanted.intent {
        Intent::Forward { packets, .. } | Intent::Allow { packets, .. } => Some(packets),
        _ => None,
    }
}

/// Packets of a wanted forward.
fn forwarded(gap: &mut Gap) -> Option<&mut Packets> {
    let wanted = gap.wanted.as_mut().filter(|w| matches!(w.intent, Intent::Forward { .. }))?;
    packets_mut(wanted)
}

fn near(gap: &Gap) -> Option<Near> {
    match gap.lack {
        Lack::Forward { near, .. } => Some(near),
        _ => None,
    }
}

/// A forward that is missing outside is missing inside too: that is one cause, and the new forward serves both.
pub(super) fn inside_after_outside(gaps: &mut Vec<Gap>) {
    let inner = |g: &Gap| matches!(g.lack, Lack::Forward { inside: true, .. } | Lack::OwnAddress | Lack::SourceNat);
    let outer = |g: &Gap| matches!(g.lack, Lack::Forward { inside: false, .. } | Lack::SharedAddress);
    let covers = |o: &Gap, g: &Gap| o.family == g.family && o.device == g.device && overlaps(&o.ports, &g.ports);
    for n in 0..gaps.len() {
        let served = outer(&gaps[n]) && gaps.iter().any(|g| inner(g) && covers(&gaps[n], g));
        if let (true, Some(packets)) = (served, forwarded(&mut gaps[n])) {
            packets.in_ifaces.clear();
        }
    }
    let outside: Vec<Gap> = gaps.iter().filter(|g| outer(g)).cloned().collect();
    let inside: Vec<Gap> = gaps.iter().filter(|g| inner(g)).cloned().collect();
    for gap in gaps.iter_mut().filter(|g| outer(g)) {
        for path in inside.iter().filter(|g| covers(gap, g)).flat_map(|g| g.paths.clone()).collect::<Vec<_>>() {
            if !gap.paths.contains(&path) {
                gap.paths.push(path);
            }
        }
    }
    gaps.retain(|g| !(inner(g) && outside.iter().any(|o| covers(o, g))));
    // What a filter says about packets of a forward that is to change shows after the change.
    let changing: Vec<(usize, Packets)> =
        gaps.iter_mut().filter_map(|g| Some((g.device, forwarded(g)?.clone()))).collect();
    gaps.retain(|g| match (&g.lack, g.wanted.as_ref().map(|w| &w.intent)) {
        (Lack::Filter { answers: false, .. }, Some(Intent::Allow { packets: p, .. })) => !changing
            .iter()
            .any(|(d, c)| *d == g.device && c.family == p.family && c.proto == p.proto && c.ports == p.ports),
        _ => true,
    });
    // What is mended anyway is not also too wide.
    let mended: Vec<OriginId> =
        gaps.iter().filter(|g| g.lack != Lack::Wider && g.wanted.is_some()).flat_map(|g| g.at.clone()).collect();
    gaps.retain(|g| g.lack != Lack::Wider || !g.at.iter().any(|id| mended.contains(id)));
}

/// Some of the ports are the same, or nothing is said of either's.
fn overlaps(a: &[PortSet], b: &[PortSet]) -> bool {
    a == b || a.iter().any(|x| b.iter().any(|y| x.meets(y)))
}
