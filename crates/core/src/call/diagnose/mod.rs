//! Why calls fail, and what to change: each gap gets its cause, a change that closes it, and a proof that it does.
//!
//! The proof is made with what would be printed: the change is put into the user's own files, these are read again, and
//! every path is judged again. Gaps that show only then (behind the first) are found in the next round.

mod blocks;
mod gaps;
mod harm;
#[cfg(test)]
mod harm_tests;
mod merge;
mod outbound;
mod say;
pub(super) mod views;

pub use harm::Gate;

use super::analyze::{Analysis, network, run};
use super::site::LastRead;
use crate::change::{Context, Intent, Manner, Planned};
use crate::dialect::{self, Opened, Patch};
use crate::finding::{Cause, Gap, Lack, Severity, cause};
use crate::model::SourceId;
use crate::report::{Finding, Loss, Verdict};
use crate::snapshot::{InputError, Snapshot};
use crate::trace::Budget;
use std::cell::OnceCell;
use std::rc::Rc;

/// Gaps hide behind each other at most this deep.
const MAX_ROUNDS: usize = 8;

/// A gap with its cause and what closes it.
struct Found {
    gap: Gap,
    cause: &'static Cause,
    /// Where the change goes, and the change; or why there is none.
    change: Result<(SourceId, Planned), String>,
    /// What the change takes, and from whom: such a change stands apart.
    takes: Vec<Loss>,
    /// Statements to show, as places in the files as given.
    at: Vec<crate::report::Mark>,
    /// The round in which it showed: behind so many changes.
    round: usize,
}

impl Found {
    /// What is only good to know is no part of the cure.
    fn cures(&self) -> bool {
        self.cause.severity != Severity::Note
    }

    /// It is a part of what is proposed: it cures, and takes nothing from anybody.
    fn proposed(&self) -> bool {
        self.cures() && self.takes.is_empty()
    }
}

/// Its change ends what got through: it comes after all that lets something through.
fn closes(gap: &Gap) -> bool {
    matches!(gap.wanted.as_ref().map(|w| &w.intent), Some(Intent::Close { .. }))
}

/// Changes of a site's files.
#[derive(Debug, Clone, Default)]
pub struct Proposals {
    /// What is proposed: it takes nothing from anybody.
    pub changes: Vec<(SourceId, Patch)>,
    /// What would cure as well, and takes something.
    pub apart: Vec<(SourceId, Patch)>,
}

/// What was found, and what was shown about it.
struct Search {
    found: Vec<Found>,
    proven: Proven,
}

/// Findings about a site.
pub(super) fn findings(snapshot: &Snapshot, first: &Analysis, gate: Gate) -> (Vec<Finding>, Proposals) {
    let Search { found, proven } = search(snapshot, first, gate);
    let mut out = say::findings(snapshot, &found, &proven);
    out.extend(say::notes(first));
    out.extend(say::misled(first));
    out.extend(outbound::strays(snapshot, first, &found));
    out.extend(say::hole_punching(first, &found));
    if let Some(finding) = say::apply_forgotten(snapshot, first) {
        out.insert(0, finding);
    }
    out.sort_by_key(|f| f.severity);
    let mut proposals = Proposals::default();
    for f in found.into_iter().filter(Found::cures) {
        let list = if f.takes.is_empty() { &mut proposals.changes } else { &mut proposals.apart };
        list.extend(f.change.ok().map(|(id, p)| (id, p.patch)));
    }
    (out, proposals)
}

/// Looks for causes, round by round.
fn search(snapshot: &Snapshot, first: &Analysis, gate: Gate) -> Search {
    let mut found: Vec<Found> = Vec::new();
    let mut changed = snapshot.clone();
    // Changes are made in the configuration: where the rules in force are given too, causes are looked for in what it
    // would make.
    let intended = first.intended.as_ref().and_then(|_| again(snapshot, first));
    let start = intended.as_ref().unwrap_or(first);
    let mut analysis: Option<Analysis> = None;
    // All changes of a round together took something, or could not be tried together.
    let mut apart = false;
    // The last changes could not be judged.
    let mut unseen = false;
    // What closes comes last: nothing is closed before what has to stay open is.
    let mut closing = false;
    let mut round = 0;
    // What everybody reaches at first, and now.
    let (reached, mut later) = (OnceCell::new(), OnceCell::new());
    while round < MAX_ROUNDS {
        let now = analysis.as_ref().unwrap_or(start);
        let reached = if analysis.is_some() { &later } else { &reached };
        let at_first = Look::new(snapshot, start, gate, reached);
        let (fresh, together) = Look { changed: &changed, now, round, closing, ..at_first }.fresh(&found);
        apart |= !together;
        if fresh.is_empty() {
            if closing {
                break;
            }
            closing = true;
            continue;
        }
        round += 1;
        found.extend(fresh);
        let next = with(snapshot, &found, |n| found[n].cures());
        // Nothing could be changed: what is judged stays as it is.
        if next.as_ref().is_some_and(|next| next.sources == changed.sources) {
            continue;
        }
        let Some((next, then)) = next.and_then(|next| again(&next, first).map(|then| (next, then))) else {
            unseen = true;
            break;
        };
        changed = next;
        analysis = Some(then);
        later = OnceCell::new();
    }
    let mut last = analysis;
    if found.iter().any(|f| f.cures() && !f.takes.is_empty()) {
        last = with(snapshot, &found, |n| found[n].proposed()).and_then(|s| again(&s, first));
    }
    let last = last.as_ref().unwrap_or(start);
    if intended.is_some() {
        // What was not understood stands in the rules in force.
        let (unread, _) = Look::new(snapshot, first, gate, &OnceCell::new()).fresh(&found);
        found.extend(unread.into_iter().filter(|f| f.gap.lack == Lack::NotUnderstood));
    }
    let mut proven = prove(snapshot, &found, last);
    if unseen {
        proven = Proven { each: vec![false; found.len()], ..Proven::default() };
    }
    if gate == Gate::On && apart && !harmless_together(snapshot, &found, start, &reached) {
        proven = Proven { paths: proven.paths, each: vec![false; found.len()], all: false };
    }
    try_notes(snapshot, &mut found, last, &mut proven);
    Search { found, proven }
}

/// Whether all that is proposed takes nothing from anybody, also where one change meets another.
fn harmless_together(
    snapshot: &Snapshot,
    found: &[Found],
    start: &Analysis,
    reached: &OnceCell<harm::Reached>,
) -> bool {
    if !found.iter().any(|f| f.proposed() && f.change.is_ok()) {
        return true;
    }
    let with_all = with(snapshot, found, |n| found[n].proposed());
    with_all.is_some_and(|changed| losses(snapshot, &changed, start, reached).is_ok_and(|l| l.is_empty()))
}

/// What a changed site does not reach that it reached before.
///
/// # Errors
/// Why it could not be tried.
fn losses(
    from: &Snapshot,
    to: &Snapshot,
    before: &Analysis,
    reached: &OnceCell<harm::Reached>,
) -> Result<Vec<Loss>, String> {
    let budget = &before.site.network.budget;
    // Everybody asks for everything: that has work of its own.
    let reached = reached.get_or_init(|| {
        let mut site = before.site.clone();
        site.network.budget = budget.for_another_site();
        harm::Reached::of(&site)
    });
    // What was not asked to the end says nothing.
    if !reached.whole {
        return Err(TOO_MUCH.into());
    }
    let after = reread(to, before, network)?;
    let differs = |id: &SourceId| from.source(*id).map(|s| &s.text) != to.source(*id).map(|s| &s.text);
    let devices = before.site.files.iter().enumerate();
    let changed: Vec<usize> = devices.filter(|(_, f)| f.as_ref().is_some_and(differs)).map(|(d, _)| d).collect();
    let wishes = harm::Wishes { snapshot: from, manifest: &before.manifest, instances: &before.instances };
    let lost = reached.taken(&wishes, &before.site, &after, &changed);
    if after.network.budget.left() > 0 { Ok(lost) } else { Err(TOO_MUCH.into()) }
}

/// The site with changes, judged; nothing where the run's work does not suffice.
fn again(snapshot: &Snapshot, first: &Analysis) -> Option<Analysis> {
    // What was not asked to the end shows nothing.
    reread(snapshot, first, run).ok().filter(|a| a.site.network.budget.left() > 0)
}

/// What is made of files with changes: reading them is work of the run.
fn reread<T>(
    changed: &Snapshot,
    before: &Analysis,
    read: impl FnOnce(&Snapshot, bool, &Budget, &Rc<LastRead>) -> Result<T, InputError>,
) -> Result<T, String> {
    let budget = &before.site.network.budget;
    if !budget.read(changed.sources.iter().map(|s| s.text.len()).sum()) {
        return Err(TOO_MUCH.into());
    }
    read(changed, true, budget, &before.read).map_err(|e| not_tried(&e.message))
}

/// A change that takes something, or that could not be tried.
struct Taking {
    file: SourceId,
    patch: Patch,
    losses: Result<Vec<Loss>, String>,
}

/// Why a change is not printed.
const TOO_MUCH: &str =
    "what would be printed could not be tried: it asks more of these rules than one run may; change them by hand";

/// The same, where the files could not be read with the change.
fn not_tried(why: &str) -> String {
    format!("what would be printed could not be tried: {why}")
}

/// Where gaps are looked for.
struct Look<'a> {
    original: &'a Snapshot,
    /// With the changes so far.
    changed: &'a Snapshot,
    /// What was judged first.
    start: &'a Analysis,
    /// What is judged now.
    now: &'a Analysis,
    round: usize,
    /// Everything is opened that has to be.
    closing: bool,
    gate: Gate,
    /// What everybody reaches now.
    reached: &'a OnceCell<harm::Reached>,
    /// Files as given that were opened to plan changes, and those with the changes so far.
    opened: [Opened; 2],
}

/// A gap that was not seen before.
struct Candidate {
    gap: Gap,
    cause: &'static Cause,
    /// As it was seen in the files as given.
    first: Option<Gap>,
    change: Result<(SourceId, Planned), String>,
    takes: Vec<Loss>,
}

impl<'a> Look<'a> {
    /// In the files as given, before any change.
    fn new(original: &'a Snapshot, start: &'a Analysis, gate: Gate, reached: &'a OnceCell<harm::Reached>) -> Self {
        let opened = Default::default();
        Self { original, changed: original, start, now: start, round: 0, closing: false, gate, reached, opened }
    }
}

impl Look<'_> {
    /// Gaps that were not seen before, each with its change; and whether all changes together take nothing.
    fn fresh(&self, known: &[Found]) -> (Vec<Found>, bool) {
        let mut candidates = self.candidates(known);
        let together = self.weigh(&mut candidates, known);
        let mut out: Vec<Found> = Vec::new();
        for Candidate { gap, cause, first, change, takes } in candidates {
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
            let at = match first {
                _ if self.round == 0 => say::marks(self.original, self.now, &gap, change.as_ref().ok()),
                // Places are those of the files as given.
                Some(first) => {
                    let there =
                        plan(self.original, (self.original, &self.opened[0]), self.start, &first, Manner::Least);
                    say::marks(self.original, self.start, &first, there.as_ref().ok())
                }
                None => {
                    let there = say::marks(self.changed, self.now, &gap, change.as_ref().ok());
                    there.into_iter().filter_map(|m| say::as_given(self.original, m)).collect()
                }
            };
            out.push(Found { gap, cause, change, takes, at, round: self.round });
        }
        (out, together)
    }

    /// Gaps that were not seen before, each with its smallest change.
    fn candidates(&self, known: &[Found]) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = Vec::new();
        let at_first = if self.closing { gaps::gaps(self.start) } else { &[] };
        for gap in gaps::gaps(self.now) {
            let Some(cause) = cause(gap) else { continue };
            if closes(gap) != self.closing {
                continue;
            }
            // Later rounds look only for what stood behind a change.
            let same = |g: &&Gap| g.lack == gap.lack && g.device == gap.device && g.ports == gap.ports;
            let first = at_first.iter().find(same).cloned();
            if self.round > 0 && first.is_none() && (gap.wanted.is_none() || cause.severity != Severity::Error) {
                continue;
            }
            let seen = |c: &'static Cause, g: &Gap| {
                c.code == cause.code && g.device == gap.device && g.wanted == gap.wanted && g.ports == gap.ports
            };
            if known.iter().any(|f| seen(f.cause, &f.gap)) || out.iter().any(|c| seen(c.cause, &c.gap)) {
                continue;
            }
            let change = plan(self.original, (self.changed, &self.opened[1]), self.now, gap, Manner::Least);
            out.push(Candidate { gap: gap.clone(), cause, first, change, takes: Vec::new() });
        }
        out
    }

    /// What each change takes; where another way to the same end takes nothing, that is the change. Whether the smallest
    /// changes take nothing all together.
    fn weigh(&self, candidates: &mut [Candidate], known: &[Found]) -> bool {
        if self.gate == Gate::Off {
            return true;
        }
        let mut changes: Vec<(SourceId, Patch)> = Vec::new();
        for (file, planned) in candidates.iter().filter_map(|c| c.change.as_ref().ok()) {
            if !changes.iter().any(|(id, patch)| id == file && *patch == planned.patch) {
                changes.push((*file, planned.patch.clone()));
            }
        }
        let mut taking = Vec::new();
        let together = self.taking(&changes, known, &mut taking);
        for candidate in candidates {
            let Ok((file, least)) = &candidate.change else { continue };
            let Some(Taking { losses, .. }) = taking.iter().find(|t| t.file == *file && t.patch == least.patch) else {
                continue;
            };
            let losses = match losses {
                Ok(losses) => losses,
                Err(why) => {
                    candidate.change = Err(why.clone());
                    continue;
                }
            };
            let changed = (self.changed, &self.opened[1]);
            let beside = plan(self.original, changed, self.now, &candidate.gap, Manner::Beside).ok();
            let harmless = |(id, b): &(SourceId, Planned)| {
                b != least && self.takes(&[(*id, b.patch.clone())], known).is_ok_and(|t| t.is_empty())
            };
            let beside = beside.filter(harmless);
            match beside {
                Some(beside) => candidate.change = Ok(beside),
                None => candidate.takes.clone_from(losses),
            }
        }
        together
    }

    /// Adds those of the changes that take something by themselves, or that could not be tried. All are tried at once, and
    /// halves of them where something is lost: as a rule nothing is. Whether all together take nothing.
    fn taking(&self, changes: &[(SourceId, Patch)], known: &[Found], out: &mut Vec<Taking>) -> bool {
        if changes.is_empty() {
            return true;
        }
        let losses = self.takes(changes, known);
        match changes {
            _ if losses.as_ref().is_ok_and(Vec::is_empty) => return true,
            [(file, patch)] => out.push(Taking { file: *file, patch: patch.clone(), losses }),
            _ => {
                let (first, second) = changes.split_at(changes.len() / 2);
                self.taking(first, known, out);
                self.taking(second, known, out);
            }
        }
        false
    }

    /// What some more changes take together.
    ///
    /// # Errors
    /// Why it could not be tried.
    fn takes(&self, more: &[(SourceId, Patch)], known: &[Found]) -> Result<Vec<Loss>, String> {
        let with = patched(self.original, known.iter().filter(|f| f.cures()), more)
            .ok_or_else(|| not_tried("it does not go together with what is changed before it"))?;
        losses(self.changed, &with, self.now, self.reached)
    }
}

fn plan(
    original: &Snapshot,
    (changed, opened): (&Snapshot, &Opened),
    now: &Analysis,
    gap: &Gap,
    manner: Manner,
) -> Result<(SourceId, Planned), String> {
    let wanted = gap.wanted.as_ref().ok_or_else(String::new)?;
    let (number, name) = gap.place();
    let file = now.site.files.get(number).copied().flatten();
    let Some(file) = file else {
        return Err(format!("the configuration of {name} is not here: the change is to be made there by hand"));
    };
    let before = original.text(file);
    let budget = &now.site.network.budget;
    if !budget.read(before.len()) {
        return Err(TOO_MUCH.into());
    }
    let context = Context {
        name: now.manifest.name.as_ref().map(|n| n.value.clone()),
        address: now.site.public,
        alias: now.instances.iter().find_map(|i| i.profile.alias.clone()),
        second_router: false,
        manner,
    };
    let device = &now.site.network.devices[number];
    let planned = dialect::plan((changed, opened), before, file, device, wanted, &context).map_err(|r| r.0)?;
    let now = changed.text(file);
    if dialect::apply(now, &[&planned.patch]).is_ok_and(|text| text == now) {
        return Err(format!("{name} already has what would be changed; why it does not act was not found"));
    }
    Ok((file, planned))
}

/// The snapshot with the changes of some findings.
fn with(snapshot: &Snapshot, found: &[Found], wanted: impl Fn(usize) -> bool) -> Option<Snapshot> {
    patched(snapshot, found.iter().enumerate().filter(|(n, _)| wanted(*n)).map(|(_, f)| f), &[])
}

/// The snapshot with the changes of these findings, and some more.
fn patched<'f>(
    snapshot: &Snapshot,
    found: impl Iterator<Item = &'f Found>,
    more: &'f [(SourceId, Patch)],
) -> Option<Snapshot> {
    let mut out = snapshot.clone();
    let mut chosen: Vec<(SourceId, &Patch)> =
        found.filter_map(|f| f.change.as_ref().ok().map(|(id, p)| (*id, &p.patch))).collect();
    chosen.extend(more.iter().map(|(id, patch)| (*id, patch)));
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
        if f.change.is_err() || !f.proposed() {
            continue;
        }
        let without = with(snapshot, found, |i| i != n && found[i].proposed()).and_then(|s| again(&s, last));
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
        let tried = with(snapshot, found, |i| i == n || found[i].proposed() || proven.each[i]);
        let closes =
            |a: &Analysis| !gaps::gaps(a).iter().any(|g| g.lack == found[n].gap.lack && g.ports == found[n].gap.ports);
        let tried = tried.and_then(|s| again(&s, last));
        let holds = tried.as_ref().is_some_and(|a| working(a) >= working(last) && closes(a));
        proven.each[n] = holds;
        if !holds {
            let did_not = "what would be printed was tried, and did not do it";
            found[n].change = Err(if tried.is_some() { did_not } else { TOO_MUCH }.into());
        }
    }
}
