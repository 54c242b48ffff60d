//! Facts of the manifest that are read and whose meaning is not followed yet: paths that depend on one are unknown, and
//! say why. Nothing that was stated is left aside without a word.

use super::Judge;
use crate::manifest::{At, Manifest, Place};
use crate::snapshot::Snapshot;
use crate::verdict::{Judgement, Path, Verdict};
use crate::vocabulary::{LegKind, Where};
use crate::way::DoubtLine;

/// A fact, and what depends on it.
struct Later {
    /// What is not followed.
    what: String,
    /// What would decide it.
    supply: String,
    /// Number of the instance; absent: the whole site.
    instance: Option<usize>,
    /// Place of the callers whom it concerns; absent: everybody.
    place: Option<Place>,
    /// Media depends on it, and what is no media.
    parts: (bool, bool),
}

impl Later {
    fn concerns(&self, path: &Path) -> bool {
        self.instance.is_none_or(|i| i == path.instance)
            && self.place.as_ref().is_none_or(|p| Where::At(p.clone()) == path.vantage)
    }

    fn leg(&self, kind: &LegKind) -> bool {
        if kind.carries_media() { self.parts.0 } else { self.parts.1 }
    }
}

/// All such facts of a manifest.
fn all(snapshot: &Snapshot, manifest: &Manifest) -> Vec<Later> {
    let line =
        |span: &std::ops::Range<usize>| crate::site::gateway::at_line(snapshot, &At { value: (), span: span.clone() });
    let until = |key: &str, place: String| format!("`{key}` ({place}) is read and not followed yet");
    let mut out = Vec::new();
    let site = |what: String, supply: &str| Later {
        what,
        supply: supply.into(),
        instance: None,
        place: None,
        parts: (true, true),
    };
    for (place, _) in &manifest.dns {
        out.push(Later {
            place: Some(place.value.clone()),
            parts: (false, true),
            ..site(until("dns", line(&place.span)), "leave it out where the name leads to the public address")
        });
    }
    for (n, deploy) in manifest.deploys.iter().enumerate() {
        let own =
            |what: String, supply: &str, parts: (bool, bool)| Later { instance: Some(n), parts, ..site(what, supply) };
        if let Some(file) = deploy.config.first() {
            let supply = "name the rules in `firewall`, and leave the rest out to judge the server without it";
            out.push(own(until("config", line(&file.span)), supply, (true, true)));
        }
    }
    out
}

/// What is not followed yet of what one flow depends on: of these instances, and, where they are asked by the name, of
/// what it leads to at this place.
pub(super) fn of_flow(judge: &Judge<'_>, whom: &[usize], named_at: Option<&Place>) -> Vec<DoubtLine> {
    let concerns = |fact: &Later| match (fact.instance, &fact.place) {
        (Some(n), _) => whom.contains(&n),
        (None, Some(place)) => named_at == Some(place),
        (None, None) => true,
    };
    let facts = all(judge.snapshot, judge.manifest).into_iter().filter(concerns);
    facts.map(|f| DoubtLine::of_site(f.what, f.supply)).collect()
}

/// Makes paths unknown that depend on such a fact.
pub(super) fn apply(snapshot: &Snapshot, manifest: &Manifest, judgement: &mut Judgement) {
    let facts = all(snapshot, manifest);
    if facts.is_empty() {
        return;
    }
    let Judgement { paths, failures, exposures, closed, searched, .. } = judgement;
    for path in paths {
        let here: Vec<&Later> = facts.iter().filter(|f| f.concerns(path)).collect();
        let mut changed = false;
        for leg in &mut path.legs {
            let doubts: Vec<DoubtLine> = here
                .iter()
                .filter(|f| f.leg(&leg.kind))
                .map(|f| DoubtLine::of_site(f.what.clone(), f.supply.clone()))
                .collect();
            if doubts.is_empty() {
                continue;
            }
            changed = true;
            leg.verdict = Verdict::Unknown;
            for a in &mut leg.any_of {
                a.doubt(doubts.clone());
                failures.retain(|f| f.path != path.id || f.requirement.id != a.requirement.id);
            }
        }
        // What fails in another part fails.
        if changed && path.legs.iter().all(|l| l.verdict != Verdict::Fails) {
            path.verdict = Verdict::Unknown;
            path.note = None;
        }
    }
    let whole = |instance: usize| {
        facts.iter().any(|f| f.parts.0 && f.place.is_none() && f.instance.is_none_or(|i| i == instance))
    };
    for exposure in exposures {
        exposure.unknown |= whole(exposure.instance);
    }
    if (0..manifest.deploys.len()).any(whole) {
        closed.clear();
        searched.clear();
    }
}
