//! One round: gaps that were not seen before, each with the smallest change that closes it and takes nothing.

use super::harm::Gate;
use super::trial::{State, TOO_MUCH, losses, not_tried, patched};
use super::{Found, closes, findings};
use crate::change::{Context, Manner, Planned, Refused};
use crate::dialect::{self, Opened, Patch};
use crate::finding::{Cause, Gap, Severity, cause};
use crate::model::SourceId;
use crate::report::Loss;
use crate::snapshot::Snapshot;

/// Where gaps are looked for.
pub(super) struct Look<'a> {
    /// The files as given.
    pub start: &'a State,
    /// The files with the changes so far.
    pub now: &'a State,
    /// How often files were changed.
    pub round: usize,
    /// Everything is opened that has to be.
    pub closing: bool,
    /// Whether changes are compared with what was reached before them.
    pub gate: Gate,
    /// Files as given that were opened to plan changes, and those with the changes so far.
    pub opened: [Opened; 2],
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

/// A change that takes something, or that could not be tried.
struct Taking {
    file: SourceId,
    patch: Patch,
    losses: Result<Vec<Loss>, String>,
}

impl<'a> Look<'a> {
    /// In the files as given, before any change.
    pub fn new(start: &'a State, gate: Gate) -> Self {
        Self { start, now: start, round: 0, closing: false, gate, opened: Default::default() }
    }
}

impl Look<'_> {
    /// Gaps that were not seen before, each with its change; and whether all changes together take nothing.
    pub fn fresh(&self, known: &[Found]) -> (Vec<Found>, bool) {
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
            let given = &self.start.snapshot;
            let marks = |state: &State, gap: &Gap, change: &Result<(SourceId, Planned), String>| {
                findings::marks(&state.snapshot, &state.analysis.judged, gap, change.as_ref().ok())
            };
            let at = match first {
                _ if self.round == 0 => marks(self.now, &gap, &change),
                // Places are those of the files as given.
                Some(first) => {
                    let there = plan(given, (self.start, &self.opened[0]), &first, Manner::Least);
                    marks(self.start, &first, &there)
                }
                None => {
                    let there = marks(self.now, &gap, &change);
                    there.into_iter().filter_map(|m| findings::as_given(given, m)).collect()
                }
            };
            out.push(Found { gap, cause, change, takes, at, round: self.round });
        }
        (out, together)
    }

    /// Gaps that were not seen before, each with its smallest change.
    fn candidates(&self, known: &[Found]) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = Vec::new();
        let at_first = if self.closing { self.start.gaps() } else { &[] };
        for gap in self.now.gaps() {
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
            let change = self.plan(gap, Manner::Least);
            out.push(Candidate { gap: gap.clone(), cause, first, change, takes: Vec::new() });
        }
        self.opened[1].close();
        out
    }

    /// A change of the files as they are now.
    fn plan(&self, gap: &Gap, manner: Manner) -> Result<(SourceId, Planned), String> {
        plan(&self.start.snapshot, (self.now, &self.opened[1]), gap, manner)
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
            let beside = self.plan(&candidate.gap, Manner::Beside).ok();
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
        let with = patched(&self.start.snapshot, known.iter().filter(|f| f.cures()), more)
            .ok_or_else(|| not_tried("it does not go together with what is changed before it"))?;
        losses(self.now, &with)
    }
}

/// A change that closes a gap in the files as they are in a state.
///
/// # Errors
/// Why there is none.
fn plan(
    given: &Snapshot,
    (state, opened): (&State, &Opened),
    gap: &Gap,
    manner: Manner,
) -> Result<(SourceId, Planned), String> {
    let wanted = gap.wanted.as_ref().ok_or_else(String::new)?;
    let (changed, now) = (&*state.snapshot, &state.analysis.judged);
    let (number, name) = gap.place();
    // What decides is changed by its owner; what is missing goes where changes of the device go.
    let decides = wanted.deciding.or(wanted.nearest).and_then(|statement| now.site.owner(number, statement));
    let Some(file) = decides.or(now.site.files.get(number).copied().flatten()) else {
        return Err(format!("the configuration of {name} is not here: the change is to be made there by hand"));
    };
    let before = given.text(file);
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
    let several = now.site.owners.get(number).is_some_and(|all| all.iter().any(|(_, own)| *own != file));
    let refused = |r: Refused| match given.source(file).filter(|_| several) {
        Some(owner) => format!("what decides on {name} stands in {}: {}", owner.name, r.0),
        None => r.0,
    };
    let planned = dialect::plan((changed, opened), before, file, device, wanted, &context).map_err(refused)?;
    let now = changed.text(file);
    if dialect::apply(now, &[&planned.patch]).is_ok_and(|text| text == now) {
        return Err(format!("{name} already has what would be changed; why it does not act was not found"));
    }
    Ok((file, planned))
}
