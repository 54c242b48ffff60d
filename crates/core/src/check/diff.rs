//! Two sites: who fares otherwise, which packets end elsewhere, and which statements differ.

use super::harm::{Compare, Wishes, told};
use super::judged::{Analysis, judge};
use super::reach::{Asker, ELSEWHERE, Fate, Piece, Reached, differing, joined, loss, worse};
use crate::cube::{Cube, Dim, Set};
use crate::explain;
use crate::explain::story::origin;
use crate::manifest::{Place, Proto};
use crate::model::{Family, OriginId, Part, SourceId};
use crate::report::{DIFF_SCHEMA, Diff, Loss, PathChange, Report, Side, Statement, Tool};
use crate::site::Site;
use crate::snapshot::{InputError, Places, Snapshot};
use crate::trace::Budget;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// One of the two sites.
struct Judged<'s> {
    snapshot: &'s Snapshot,
    analysis: Analysis,
    report: Report,
    reached: Reached,
}

/// Compares two sites.
///
/// # Errors
/// Input from which no answer follows, and the side on which it stands.
pub fn diff(old: &Snapshot, new: &Snapshot) -> Result<Diff, (Side, InputError)> {
    let judged = |side, snapshot| judged(snapshot).map_err(|e| (side, e));
    let (old, new) = (judged(Side::Old, old)?, judged(Side::New, new)?);
    let mut statements = statements(&old, &new, Side::Old);
    statements.extend(self::statements(&new, &old, Side::New));
    let (lost, closed) = changes(&old, &new);
    let (gained, opened) = changes(&new, &old);
    Ok(Diff {
        schema: DIFF_SCHEMA,
        tool: Tool { name: "callpath", version: env!("CARGO_PKG_VERSION") },
        old: old.report.verdict,
        new: new.report.verdict,
        paths: paths(&old.report, &new.report),
        lost,
        gained,
        closed,
        opened,
        statements,
    })
}

fn judged(snapshot: &Snapshot) -> Result<Judged<'_>, InputError> {
    let analysis = judge(snapshot, false, &Budget::of_a_run(), &Rc::default())?;
    let report = explain::report(snapshot, &analysis.judged);
    let reached = Reached::of(&analysis.judged.site);
    if !reached.whole {
        let name = snapshot.source(SourceId::MANIFEST).map_or("", |s| s.name.as_str());
        let message = "these rules ask more than one run may: what everybody reaches was not asked to the end";
        return Err(InputError::about(name, message).help("callpath check judges the call paths of each site"));
    }
    Ok(Judged { snapshot, analysis, report, reached })
}

/// Rows that fare otherwise, in the order of the old site; then those that are new.
fn paths(old: &Report, new: &Report) -> Vec<PathChange> {
    let find = |report: &Report, id: &str| report.paths.iter().find(|p| p.id == id).map(|p| p.verdict);
    let before = old.paths.iter().map(|p| (p, Some(p.verdict), find(new, &p.id)));
    let fresh = new.paths.iter().filter(|p| find(old, &p.id).is_none()).map(|p| (p, None, Some(p.verdict)));
    before
        .chain(fresh)
        .filter(|(_, old, new)| old != new)
        .map(|(p, old, new)| PathChange { id: p.id.clone(), who: p.who.clone(), old, new })
        .collect()
}

/// What is reached in the one and not in the other; second: of that, ports which the one's product keeps closed to those who
/// ask for them.
fn changes(one: &Judged<'_>, other: &Judged<'_>) -> (Vec<Loss>, Vec<Loss>) {
    let (site, theirs) = (&one.analysis.judged.site, &other.analysis.judged.site);
    let judged = &one.analysis.judged;
    let wishes = Wishes { snapshot: one.snapshot, manifest: &judged.manifest, instances: &judged.instances };
    let (devices, gone) = devices(site, theirs);
    // A host on the internet that only this site describes: that it is reached tells nothing about rules.
    let outside = |device: usize, family| {
        let there = theirs.vantages.iter().filter(|v| v.place == Place::Internet);
        let there = Set::union(there.map(|v| theirs.network.devices[v.device].own_addresses(family)));
        gone.contains(&device) && site.network.devices[device].own_addresses(family).intersects(&there)
    };
    let (mut open, mut forbidden) = (Vec::new(), Vec::new());
    for (asker, family, had) in &one.reached.askers {
        let Some(has) = has(asker, *family, had, other, &devices) else { continue };
        let told = told(&wishes, site, *family);
        let compare = Compare { wishes: &wishes, before: site, asker, family: *family, has: &has, changed: &[], told };
        differing(
            had,
            &has,
            |_| true,
            |piece, now| {
                for (fate, packets) in worse_off(piece, now, &gone) {
                    if matches!(fate, Fate::At(service) if outside(service.device, *family)) {
                        continue;
                    }
                    for proto in [Proto::Tcp, Proto::Udp] {
                        let number = Set::one(u128::from(proto.number()));
                        let asked = packets.part(Part::Proto).and(&number);
                        if asked.is_empty() {
                            continue;
                        }
                        let asked = packets.with(Dim::Part(Part::Proto), asked);
                        let allowed = compare.minus_forbidden(fate, proto, asked.clone());
                        let ports = Set::union(allowed.iter().map(|c| c.part(Part::DstPort).clone()));
                        let shut = asked.part(Part::DstPort).minus(&ports);
                        let told = |cube: &Cube| loss(site, (asker, *family), fate, proto, cube, &[]);
                        open.extend(allowed.iter().map(told));
                        if !shut.is_empty() {
                            forbidden.push(told(&asked.with(Dim::Part(Part::DstPort), shut)));
                        }
                    }
                }
            },
        );
    }
    (joined(open), joined(forbidden))
}

/// Fates of a piece that some of its packets have no longer, with these packets. `gone`: devices that only this site has.
fn worse_off<'p>(had: &'p Piece, now: &[&Piece], gone: &[usize]) -> Vec<(&'p Fate, Cube)> {
    let known = |device: usize| if gone.contains(&device) { ELSEWHERE } else { device };
    let bare = at(had, known);
    let mut out = Vec::new();
    for has in now {
        let Some(packets) = had.cube.and(&has.cube) else { continue };
        for (fate, bare_fate) in had.fates.iter().zip(&bare.fates) {
            if *fate != Fate::Lost && worse(&bare, has, bare_fate, &packets) {
                out.push((fate, packets.clone()));
            }
        }
    }
    out
}

/// A piece with other numbers of devices.
fn at(piece: &Piece, device: impl Fn(usize) -> usize) -> Piece {
    let fates = piece.fates.iter().map(|fate| match fate {
        Fate::At(service) => {
            let mut service = service.clone();
            service.device = device(service.device);
            Fate::At(service)
        }
        other => other.clone(),
    });
    Piece { cube: piece.cube.clone(), fates: fates.collect(), devices: Vec::new() }
}

/// What the same asker reaches in the other site, by the devices of this one. Nothing where the other site does not know who
/// asks: rows tell of those.
fn has(asker: &Asker, family: Family, had: &[Piece], other: &Judged<'_>, devices: &[usize]) -> Option<Vec<Piece>> {
    let same = |(a, f, _): &&(Asker, Family, Vec<Piece>)| a.name == asker.name && *f == family;
    let (theirs, _, pieces) = other.reached.askers.iter().find(same)?;
    let mut out: Vec<Piece> = pieces.iter().map(|piece| at(piece, |device| devices[device])).collect();
    // Senders that the other site does not count to this asker reach nothing there. The internet is every address outside
    // of the site: another public address changes no caller.
    let strangers = asker.from.minus(&theirs.from);
    if strangers.is_empty() || asker.vantage.as_ref().is_some_and(|v| v.place == Place::Internet) {
        return Some(out);
    }
    let rest = had.iter().map(|p| p.cube.with(Dim::Part(Part::Src), p.cube.part(Part::Src).and(&strangers)));
    let rest = rest.filter(|c| !c.is_empty());
    out.extend(rest.map(|cube| Piece { cube, fates: vec![Fate::Lost], devices: Vec::new() }));
    Some(out)
}

/// For each device of the other site the one of the same name here; and those here that the other site has not.
fn devices(here: &Site, there: &Site) -> (Vec<usize>, Vec<usize>) {
    let names = |site: &Site| site.network.devices.iter().map(|d| d.name.to_string()).collect::<Vec<_>>();
    let (own, theirs) = (names(here), names(there));
    let find = |name: &String| own.iter().position(|n| n == name).unwrap_or(ELSEWHERE);
    let gone = own.iter().enumerate().filter(|(_, name)| !theirs.contains(name)).map(|(n, _)| n).collect();
    (theirs.iter().map(find).collect(), gone)
}

/// Statements of the one that the other has not, or not as often: the order is left aside.
fn statements(one: &Judged<'_>, other: &Judged<'_>, side: Side) -> Vec<Statement> {
    let mut known: FxHashMap<(String, String), usize> = FxHashMap::default();
    for (_, key) in listed(other) {
        *known.entry(key).or_default() += 1;
    }
    let mut out: Vec<Statement> = Vec::new();
    for (place, key) in listed(one) {
        match known.get_mut(&key).filter(|n| **n > 0) {
            Some(n) => *n -= 1,
            None => out.push(Statement { side, place, text: key.1 }),
        }
    }
    out
}

/// All statements with their places, by the file or object that holds them and their words: lines of texts, and of listings
/// in JSON what was read of them.
fn listed(site: &Judged<'_>) -> Vec<(String, (String, String))> {
    let places = Places::of(site.snapshot);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = Vec::new();
    let is_json = |text: &str| text.trim_start().starts_with(['{', '[']);
    for source in site.snapshot.sources.iter().filter(|s| !is_json(&s.text)) {
        for (n, line) in source.text.lines().enumerate().map(|(n, line)| (n + 1, words(line))) {
            // What only ends a block, and what only comments, says nothing.
            if line.chars().any(char::is_alphanumeric) && !line.starts_with('#') {
                out.push((format!("{}:{n}", source.name), (source.name.clone(), line)));
            }
        }
    }
    let json = |id| site.snapshot.source(id).is_some_and(|s| is_json(&s.text));
    for device in site.analysis.judged.site.network.devices.iter() {
        let ids = (0..u32::try_from(device.pipeline.origins.len()).unwrap_or(u32::MAX)).map(OriginId);
        for id in ids.filter(|id| json(device.pipeline.origin(*id).at.source)) {
            let at = origin(&places, device, id);
            out.push((at.place(), (at.object.clone(), words(&at.text))));
        }
    }
    out
}
