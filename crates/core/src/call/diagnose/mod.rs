//! Why calls fail, and what to change: each gap gets its cause, a change that closes it, and a proof that it does.
//!
//! The proof is made with what would be printed: the change is put into the user's own files, these are read again, and
//! every path is judged again. Gaps that show only then (behind the first) are found in the next round.

mod blocks;
mod gaps;
mod merge;
mod say;
pub(super) mod views;

use super::analyze::{Analysis, run};
use crate::change::{Context, Planned};
use crate::dialect::{self, Patch};
use crate::finding::{Cause, Gap, Lack, Severity, cause};
use crate::model::SourceId;
use crate::report::{Finding, Verdict};
use crate::snapshot::Snapshot;

/// Gaps hide behind each other at most this deep.
const MAX_ROUNDS: usize = 8;

/// A gap with its cause and what closes it.
struct Found {
    gap: Gap,
    cause: &'static Cause,
    /// Where the change goes, and the change; or why there is none.
    change: Result<(SourceId, Planned), String>,
    /// Statements to show, as places in the files as given.
    at: Vec<crate::report::Mark>,
}

impl Found {
    /// What is only good to know is no part of the cure.
    fn cures(&self) -> bool {
        self.cause.severity != Severity::Note
    }
}

/// Findings about a site.
pub(super) fn findings(snapshot: &Snapshot, first: &Analysis) -> (Vec<Finding>, Vec<(SourceId, Patch)>) {
    let mut found: Vec<Found> = Vec::new();
    let mut changed = snapshot.clone();
    // Changes are made in the configuration: where the rules in force are given too, causes are looked for in what it
    // would make.
    let intended = first.intended.as_ref().and_then(|_| run(snapshot, true).ok());
    let start = intended.as_ref().unwrap_or(first);
    let mut analysis: Option<Analysis> = None;
    for round in 0..MAX_ROUNDS {
        let now = analysis.as_ref().unwrap_or(start);
        let fresh = look(snapshot, &changed, now, round, &found);
        if fresh.is_empty() {
            break;
        }
        found.extend(fresh);
        let Some(next) = with(snapshot, &found, |n| found[n].cures()) else { break };
        let Ok(again) = run(&next, true) else { break };
        changed = next;
        analysis = Some(again);
    }
    let last = analysis.as_ref().unwrap_or(start);
    if intended.is_some() {
        // What was not understood stands in the rules in force.
        let unread = look(snapshot, snapshot, first, 0, &found);
        found.extend(unread.into_iter().filter(|f| f.gap.lack == Lack::NotUnderstood));
    }
    let mut proven = prove(snapshot, &found, last);
    try_notes(snapshot, &mut found, last, &mut proven);
    let mut out = say::findings(snapshot, &found, &proven);
    out.extend(say::notes(first));
    out.extend(say::misled(first));
    out.extend(say::hole_punching(first, &found));
    if let Some(finding) = say::apply_forgotten(snapshot, first) {
        out.insert(0, finding);
    }
    out.sort_by_key(|f| f.severity);
    let patches =
        found.into_iter().filter(Found::cures).filter_map(|f| f.change.ok()).map(|(id, p)| (id, p.patch)).collect();
    (out, patches)
}

/// Gaps that were not seen before, each with its change.
fn look(original: &Snapshot, changed: &Snapshot, now: &Analysis, round: usize, known: &[Found]) -> Vec<Found> {
    let mut out: Vec<Found> = Vec::new();
    for gap in gaps::gaps(now) {
        let Some(cause) = cause(&gap) else { continue };
        // Later rounds look only for what stood behind a change.
        if round > 0 && (gap.wanted.is_none() || cause.severity != Severity::Error) {
            continue;
        }
        let seen = |f: &&Found| {
            f.cause.code == cause.code
                && f.gap.device == gap.device
                && f.gap.wanted == gap.wanted
                && f.gap.what == gap.what
        };
        if known.iter().chain(&out).find(seen).is_some() {
            continue;
        }
        let change = plan(original, changed, now, &gap);
        // One change may serve several: it is one finding.
        let same = |f: &&mut Found| {
            f.cause.code == cause.code
                && matches!((&f.change, &change), (Ok((a, x)), Ok((b, y))) if a == b && x.patch == y.patch)
        };
        if let Some(known) = out.iter_mut().find(same) {
            for path in gap.paths {
                if !known.gap.paths.contains(&path) {
                    known.gap.paths.push(path);
                }
            }
            continue;
        }
        let at = if round == 0 { say::marks(original, now, &gap, change.as_ref().ok()) } else { Vec::new() };
        out.push(Found { gap, cause, change, at });
    }
    out
}

fn plan(original: &Snapshot, changed: &Snapshot, now: &Analysis, gap: &Gap) -> Result<(SourceId, Planned), String> {
    let wanted = gap.wanted.as_ref().ok_or_else(String::new)?;
    let file = now.site.files.get(gap.device).copied().flatten();
    let Some(file) = file else {
        return Err(format!("the configuration of {} is not here: the change is to be made there by hand", gap.name));
    };
    let before = original.source(file).map_or("", |s| &s.text);
    let context = Context {
        name: now.manifest.name.as_ref().map(|n| n.value.clone()),
        address: now.site.public,
        alias: now.instances.iter().find_map(|i| i.profile.alias.clone()),
        second_router: false,
    };
    let device = &now.site.network.devices[gap.device];
    let planned = dialect::plan(changed, before, file, device, wanted, &context).map_err(|r| r.0)?;
    let now = changed.source(file).map_or("", |s| &s.text);
    if dialect::apply(now, &[&planned.patch]).is_ok_and(|text| text == now) {
        return Err(format!("{} already has what would be changed; why it does not act was not found", gap.name));
    }
    Ok((file, planned))
}

/// The snapshot with the changes of some findings.
fn with(snapshot: &Snapshot, found: &[Found], wanted: impl Fn(usize) -> bool) -> Option<Snapshot> {
    let mut out = snapshot.clone();
    let chosen: Vec<(SourceId, &Patch)> = found
        .iter()
        .enumerate()
        .filter(|(n, _)| wanted(*n))
        .filter_map(|(_, f)| f.change.as_ref().ok().map(|(id, p)| (*id, &p.patch)))
        .collect();
    let mut files: Vec<SourceId> = chosen.iter().map(|(id, _)| *id).collect();
    files.sort_unstable();
    files.dedup();
    for id in files {
        let patches: Vec<&Patch> = chosen.iter().filter(|(i, _)| *i == id).map(|(_, p)| *p).collect();
        let source = out.sources.get_mut(usize::from(id.0))?;
        source.text = dialect::apply(&source.text, &patches).ok()?;
    }
    Some(out)
}

/// What was shown about the changes.
#[derive(Debug, Clone, Default)]
struct Proven {
    /// With all changes every path works.
    all: bool,
    /// Without this finding's change, something fails: by finding.
    each: Vec<bool>,
    /// Paths that work only with all changes.
    paths: Vec<String>,
}

fn prove(snapshot: &Snapshot, found: &[Found], last: &Analysis) -> Proven {
    let works = |a: &Analysis| a.report.verdict == Verdict::Works;
    let mut out = Proven { all: works(last), each: vec![false; found.len()], paths: Vec::new() };
    out.paths = last.report.paths.iter().filter(|p| p.verdict == Verdict::Works).map(|p| p.id.clone()).collect();
    if !out.all {
        return out;
    }
    for (n, f) in found.iter().enumerate() {
        if f.change.is_err() || !f.cures() {
            continue;
        }
        let without = with(snapshot, found, |i| i != n && found[i].cures()).and_then(|s| run(&s, true).ok());
        out.each[n] = without.is_some_and(|a| !works(&a));
    }
    out
}

/// Tries what may be done besides, one after the other: a change that does not close what it should, or that costs a
/// call, is not printed.
fn try_notes(snapshot: &Snapshot, found: &mut [Found], last: &Analysis, proven: &mut Proven) {
    let working = |a: &Analysis| a.report.paths.iter().filter(|p| p.verdict == Verdict::Works).count();
    for n in 0..found.len() {
        if found[n].cures() || found[n].change.is_err() {
            continue;
        }
        let tried = with(snapshot, found, |i| i == n || found[i].cures() || proven.each[i]);
        let closes =
            |a: &Analysis| !gaps::gaps(a).iter().any(|g| g.lack == found[n].gap.lack && g.what == found[n].gap.what);
        let holds = tried.and_then(|s| run(&s, true).ok()).is_some_and(|a| working(&a) >= working(last) && closes(&a));
        proven.each[n] = holds;
        if !holds {
            found[n].change = Err("what would be printed was tried, and did not do it".into());
        }
    }
}
