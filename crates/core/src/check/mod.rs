//! Checks a site: judges it, looks for what is missing, changes the files, reads what changed and judges again.
//!
//! This is the loop of the command: site → judgement → gaps → plans → files with changes → judgement. Gaps that show only
//! then (behind the first) are found in the next round. The proof is made with what would be printed: the change is put
//! into the user's own files, these are read again, and every path is judged again.

#[cfg(test)]
mod codes;
mod diff;
mod findings;
mod harm;
#[cfg(test)]
mod harm_tests;
mod judged;
mod proof;
mod reach;
mod round;
mod strays;
mod trial;

pub use diff::diff;
pub use harm::Gate;
pub(crate) use judged::{Cases, cases};

use crate::call::Judge;
use crate::change::{Intent, Planned};
use crate::dialect::Patch;
use crate::explain;
use crate::finding::{Cause, Gap, Lack, Severity};
use crate::model::SourceId;
use crate::report::{Finding, Loss, Mark, Report};
use crate::snapshot::{InputError, Snapshot};
use crate::trace::Budget;
use judged::{Analysis, judge};
use proof::{Proven, prove, try_notes};
use round::Look;
use std::rc::Rc;
use trial::{State, again, harmless_together, with};

/// Gaps hide behind each other at most this deep.
const MAX_ROUNDS: usize = 8;

/// Changes of a site's files.
#[derive(Debug, Clone, Default)]
pub struct Proposals {
    /// What is proposed: it takes nothing from anybody.
    pub changes: Vec<(SourceId, Patch)>,
    /// What would cure as well, and takes something.
    pub apart: Vec<(SourceId, Patch)>,
}

/// Judges a site.
///
/// # Errors
/// Input from which no answer follows.
pub fn analyze(snapshot: &Snapshot) -> Result<Report, InputError> {
    changes(snapshot).map(|(_, report)| report)
}

/// The report, and every change that it proposes.
///
/// # Errors
/// Input from which no answer follows.
pub fn changes(snapshot: &Snapshot) -> Result<(Vec<(SourceId, Patch)>, Report), InputError> {
    proposals(snapshot, Gate::On).map(|(proposals, report)| (proposals.changes, report))
}

/// The same with what stands apart because it takes something; without the gate nothing stands apart.
///
/// # Errors
/// Input from which no answer follows.
pub fn proposals(snapshot: &Snapshot, gate: Gate) -> Result<(Proposals, Report), InputError> {
    let first = Rc::new(judge(snapshot, false, &Budget::of_a_run(), &Rc::default())?);
    let mut report = explain::report(snapshot, &first.judged);
    #[cfg(test)]
    codes::of_report(&mut report);
    let cure = cure(snapshot, &first, gate);
    report.findings = told(snapshot, &first, &cure);
    crate::report::lines(&mut report);
    let mut proposals = Proposals::default();
    for f in cure.found.into_iter().filter(Found::cures) {
        let list = if f.takes.is_empty() { &mut proposals.changes } else { &mut proposals.apart };
        list.extend(f.change.ok().map(|(id, p)| (id, p.patch)));
    }
    Ok((proposals, report))
}

/// A gap with its cause and what closes it.
struct Found {
    gap: Gap,
    cause: &'static Cause,
    /// Where the change goes, and the change; or why there is none.
    change: Result<(SourceId, Planned), String>,
    /// What the change takes, and from whom: such a change stands apart.
    takes: Vec<Loss>,
    /// Statements to show, as places in the files as given.
    at: Vec<Mark>,
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

/// What was found, and what was shown about it.
struct Cure {
    found: Vec<Found>,
    proven: Proven,
}

/// Looks for causes and their cures, round by round.
fn cure(snapshot: &Snapshot, first: &Rc<Analysis>, gate: Gate) -> Cure {
    let given = Rc::new(snapshot.clone());
    let mut found: Vec<Found> = Vec::new();
    // Changes are made in the configuration: where the rules in force are given too, causes are looked for in what it
    // would make.
    let intended = first.intended.as_ref().and_then(|_| again(snapshot, first)).map(Rc::new);
    let start = State::of(&given, intended.as_ref().unwrap_or(first));
    let mut changed: Option<State> = None;
    // All changes of a round together took something, or could not be tried together.
    let mut apart = false;
    // The last changes could not be judged.
    let mut unseen = false;
    // What closes comes last: nothing is closed before what has to stay open is.
    let mut closing = false;
    let mut round = 0;
    while round < MAX_ROUNDS {
        let now = changed.as_ref().unwrap_or(&start);
        let (fresh, together) = Look { now, round, closing, ..Look::new(&start, gate) }.fresh(&found);
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
        if next.as_ref().is_some_and(|next| next.sources == now.snapshot.sources) {
            continue;
        }
        let Some((next, then)) = next.and_then(|next| again(&next, first).map(|then| (next, then))) else {
            unseen = true;
            break;
        };
        changed = Some(State::of(&Rc::new(next), &Rc::new(then)));
    }
    let mut last = changed.map(|state| state.analysis);
    if found.iter().any(|f| f.cures() && !f.takes.is_empty()) {
        last = with(snapshot, &found, |n| found[n].proposed()).and_then(|s| again(&s, first)).map(Rc::new);
    }
    let last = last.as_ref().unwrap_or(&start.analysis);
    if intended.is_some() {
        // What was not understood stands in the rules in force.
        let (unread, _) = Look::new(&State::of(&given, first), gate).fresh(&found);
        found.extend(unread.into_iter().filter(|f| f.gap.lack == Lack::NotUnderstood));
    }
    let mut proven = prove(snapshot, &found, last);
    if unseen {
        proven = Proven { each: vec![false; found.len()], ..Proven::default() };
    }
    if gate == Gate::On && apart && !harmless_together(&start, &found) {
        proven = Proven { paths: proven.paths, each: vec![false; found.len()], all: false };
    }
    try_notes(snapshot, &mut found, last, &mut proven);
    Cure { found, proven }
}

/// What was found, for the report: the worst first.
fn told(snapshot: &Snapshot, first: &Analysis, cure: &Cure) -> Vec<Finding> {
    let Cure { found, proven } = cure;
    let judged = &first.judged;
    let mut out = findings::findings(snapshot, found, proven);
    out.extend(findings::notes(judged));
    out.extend(findings::misled(judged));
    // Where nothing translates what a server sends, that is said.
    if !found.iter().any(|f| matches!(f.gap.lack, Lack::OutboundNat { .. })) {
        let strays = Judge::of(snapshot, judged).strays();
        out.extend(strays::findings(judged, &strays, found));
    }
    out.extend(findings::hole_punching(judged, found));
    if let Some(finding) = findings::apply_forgotten(snapshot, first) {
        out.insert(0, finding);
    }
    out.sort_by_key(|f| f.severity);
    out
}
