//! The proof: with all changes every path works, and without any one of them something fails.

use super::Found;
use super::judged::Analysis;
use super::trial::{TOO_MUCH, again, gaps, with};
use crate::snapshot::Snapshot;
use crate::verdict::Verdict;

/// What was shown about the changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Proven {
    /// With all changes every path works.
    pub all: bool,
    /// Without this finding's change, something fails: by finding.
    pub each: Vec<bool>,
    /// Paths that work only with all changes.
    pub paths: Vec<String>,
}

fn works(a: &Analysis) -> bool {
    a.judged.verdict() == Verdict::Works
}

/// The paths that work.
fn working(a: &Analysis) -> impl Iterator<Item = &String> {
    a.judged.judgement.paths.iter().filter(|p| p.verdict == Verdict::Works).map(|p| &p.id)
}

/// Tries all changes but one, for each. `last`: what was judged with all of them.
pub(super) fn prove(snapshot: &Snapshot, found: &[Found], last: &Analysis) -> Proven {
    let mut out = Proven { all: works(last), each: vec![false; found.len()], paths: working(last).cloned().collect() };
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
pub(super) fn try_notes(snapshot: &Snapshot, found: &mut [Found], last: &Analysis, proven: &mut Proven) {
    for n in 0..found.len() {
        if found[n].cures() || found[n].change.is_err() {
            continue;
        }
        let tried = with(snapshot, found, |i| i == n || found[i].proposed() || proven.each[i]);
        let closes = |s: &Snapshot, a: &Analysis| {
            !gaps(s, a).iter().any(|g| g.lack == found[n].gap.lack && g.ports == found[n].gap.ports)
        };
        let tried = tried.and_then(|s| again(&s, last).map(|a| (s, a)));
        let holds = tried.as_ref().is_some_and(|(s, a)| working(a).count() >= working(last).count() && closes(s, a));
        proven.each[n] = holds;
        if !holds {
            let did_not = "what would be printed was tried, and did not do it";
            found[n].change = Err(if tried.is_some() { did_not } else { TOO_MUCH }.into());
        }
    }
}
