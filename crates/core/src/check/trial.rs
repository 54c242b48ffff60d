//! Files with changes in them, read again and judged again.

use super::Found;
use super::harm::{self, taken};
use super::judged::{Analysis, judge, network};
use super::reach::Reached;
use crate::dialect::{self, Patch};
use crate::finding::Gap;
use crate::model::SourceId;
use crate::report::Loss;
use crate::site::LastRead;
use crate::snapshot::{InputError, Snapshot, Source};
use crate::trace::Budget;
use std::cell::OnceCell;
use std::rc::Rc;

/// Texts, and what was judged of them. What is missing and what is reached is looked for where it is asked, once.
pub(super) struct State {
    /// The texts.
    pub snapshot: Rc<Snapshot>,
    /// What was judged.
    pub analysis: Rc<Analysis>,
    gaps: OnceCell<Vec<Gap>>,
    reached: OnceCell<Reached>,
}

impl State {
    /// What was judged of these texts.
    pub fn of(snapshot: &Rc<Snapshot>, analysis: &Rc<Analysis>) -> Self {
        let (snapshot, analysis) = (Rc::clone(snapshot), Rc::clone(analysis));
        Self { snapshot, analysis, gaps: OnceCell::new(), reached: OnceCell::new() }
    }

    /// What is missing.
    pub fn gaps(&self) -> &[Gap] {
        self.gaps.get_or_init(|| gaps(&self.snapshot, &self.analysis))
    }

    /// What everybody reaches.
    fn reached(&self) -> &Reached {
        self.reached.get_or_init(|| Reached::of(&self.analysis.judged.site))
    }
}

/// What is missing.
pub(super) fn gaps(snapshot: &Snapshot, analysis: &Analysis) -> Vec<Gap> {
    let gaps = crate::diagnose::gaps(snapshot, &analysis.judged);
    #[cfg(test)]
    let gaps = super::codes::of_gaps(gaps);
    gaps
}

/// Whether all that is proposed takes nothing from anybody, also where one change meets another.
pub(super) fn harmless_together(start: &State, found: &[Found]) -> bool {
    if !found.iter().any(|f| f.proposed() && f.change.is_ok()) {
        return true;
    }
    let with_all = with(&start.snapshot, found, |n| found[n].proposed());
    with_all.is_some_and(|changed| losses(start, &changed).is_ok_and(|l| l.is_empty()))
}

/// What a changed site does not reach that it reached before.
///
/// # Errors
/// Why it could not be tried.
pub(super) fn losses(before: &State, to: &Snapshot) -> Result<Vec<Loss>, String> {
    let reached = before.reached();
    // What was not asked to the end says nothing.
    if !reached.whole {
        return Err(TOO_MUCH.into());
    }
    let (from, judged) = (&*before.snapshot, &before.analysis.judged);
    let after = reread(to, &before.analysis, network)?;
    let differs = |id: &SourceId| from.source(*id).map(|s| &s.text) != to.source(*id).map(|s| &s.text);
    let devices = 0..judged.site.network.devices.len();
    let changed: Vec<usize> = devices.filter(|d| judged.site.texts(*d).any(|text| differs(&text))).collect();
    let wishes = harm::Wishes { snapshot: from, manifest: &judged.manifest, instances: &judged.instances };
    let lost = taken(reached, &wishes, &judged.site, &after, &changed);
    if after.network.budget.left() > 0 { Ok(lost) } else { Err(TOO_MUCH.into()) }
}

/// The site with changes, judged; nothing where the run's work does not suffice.
pub(super) fn again(snapshot: &Snapshot, first: &Analysis) -> Option<Analysis> {
    // What was not asked to the end shows nothing.
    reread(snapshot, first, judge).ok().filter(|a| a.judged.site.network.budget.left() > 0)
}

/// What is made of files with changes: reading them is work of the run.
fn reread<T>(
    changed: &Snapshot,
    before: &Analysis,
    read: impl FnOnce(&Snapshot, bool, &Budget, &Rc<LastRead>) -> Result<T, InputError>,
) -> Result<T, String> {
    let budget = &before.judged.site.network.budget;
    if !budget.read(changed.sources.iter().map(|s| s.text.len()).sum()) {
        return Err(TOO_MUCH.into());
    }
    read(changed, true, budget, &before.read).map_err(|e| not_tried(&e.message))
}

/// Why a change is not printed.
pub(super) const TOO_MUCH: &str =
    "what would be printed could not be tried: it asks more of these rules than one run may; change them by hand";

/// The same, where the files could not be read with the change.
pub(super) fn not_tried(why: &str) -> String {
    format!("what would be printed could not be tried: {why}")
}

/// The snapshot with the changes of some findings.
pub(super) fn with(snapshot: &Snapshot, found: &[Found], wanted: impl Fn(usize) -> bool) -> Option<Snapshot> {
    patched(snapshot, found.iter().enumerate().filter(|(n, _)| wanted(*n)).map(|(_, f)| f), &[])
}

/// The snapshot with the changes of these findings, and some more.
pub(super) fn patched<'f>(
    snapshot: &Snapshot,
    found: impl Iterator<Item = &'f Found>,
    more: &'f [(SourceId, Patch)],
) -> Option<Snapshot> {
    let mut chosen: Vec<(SourceId, &Patch)> =
        found.filter_map(|f| f.change.as_ref().ok().map(|(id, p)| (*id, &p.patch))).collect();
    chosen.extend(more.iter().map(|(id, patch)| (*id, patch)));
    let changed = |(n, source): (usize, &Source)| {
        let patches: Vec<&Patch> =
            chosen.iter().filter(|(id, _)| usize::from(id.0) == n).map(|(_, patch)| *patch).collect();
        // A large text is not copied only to be replaced.
        let text =
            if patches.is_empty() { source.text.clone() } else { dialect::apply(&source.text, &patches).ok()? };
        Some(Source { name: source.name.clone(), text })
    };
    let sources = snapshot.sources.iter().enumerate().map(changed).collect::<Option<_>>()?;
    Some(Snapshot { sources, directory: snapshot.directory.clone() })
}
