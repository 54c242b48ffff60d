//! Changes of one backup: planned, put together, and shown.

use super::config::Config;
use super::edit::Edit;
use super::{guide, plan, read, recipe, splice};
use crate::change::{Context, Edits, Patch, Planned, Refused, Step, StepKind, Wanted};
use crate::dialect::{Editor, On, Recipe};
use crate::model::SourceId;
use crate::profile::Instance;
use crate::snapshot::{ReadError, Snapshot};

/// A change of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupChange {
    /// Edits.
    Edits(Vec<Edit>),
    /// What forwards no longer carry: all such wishes about a forward are one edit.
    Narrow(Vec<plan::Narrow>),
}

/// A backup to be changed.
pub(super) struct Backup {
    text: String,
    config: Result<Config, Refused>,
}

impl Backup {
    /// Reads it.
    pub fn new(snapshot: &Snapshot, file: SourceId) -> Self {
        let text = snapshot.text(file);
        Self { text: text.to_owned(), config: read::read(file, text).map_err(|e| Refused(e.message)) }
    }
}

impl Editor for Backup {
    fn plan(&self, wanted: &Wanted, on: &On<'_>) -> Result<Planned, Refused> {
        let config = self.config.as_ref().map_err(Clone::clone)?;
        let plan::Plan { mut change, marks } = plan::plan(config, on.device, wanted, on.context)?;
        if let BackupChange::Edits(edits) = &mut change {
            plan::rebase((&self.text, config), on.original, edits);
        }
        Ok(Planned { patch: Patch::new(change), marks })
    }
}

impl Edits for BackupChange {
    fn apply(text: &str, all: &[&Self]) -> Result<String, Refused> {
        let edits = joined(text, all)?;
        if edits.is_empty() {
            return Ok(text.to_owned());
        }
        splice::apply(text, &edits).map_err(|e| Refused(e.0))
    }

    fn steps(text: &str, all: &[&Self]) -> (Vec<Step>, Vec<Step>) {
        let edits = joined(text, all).unwrap_or_default();
        let (there, back) = guide::both_ways(&edits, text);
        (shown(there), shown(back))
    }
}

/// All edits of a backup, one for each forward.
fn joined(text: &str, all: &[&BackupChange]) -> Result<Vec<Edit>, Refused> {
    let (mut out, mut less) = (Vec::new(), Vec::new());
    for change in all {
        match change {
            BackupChange::Edits(edits) => edits.iter().for_each(|edit| add(&mut out, edit)),
            BackupChange::Narrow(list) => less.extend(list),
        }
    }
    if !less.is_empty() {
        // What is left is counted from what the other edits made of it.
        let made =
            if out.is_empty() { text.to_owned() } else { splice::apply(text, &out).map_err(|e| Refused(e.0))? };
        for edit in plan::narrow(&made, &less)? {
            add(&mut out, &edit);
        }
    }
    Ok(out)
}

/// Edits of one forward are one edit: the last word about a field counts.
fn add(all: &mut Vec<Edit>, edit: &Edit) {
    if all.contains(edit) {
        return;
    }
    if let Edit::SetForward { forward, set } = edit
        && let Some(known) = all.iter_mut().find_map(|e| match e {
            Edit::SetForward { forward: f, set } if f == forward => Some(set),
            _ => None,
        })
    {
        for field in set {
            known.retain(|k| std::mem::discriminant(k) != std::mem::discriminant(field));
            known.push(field.clone());
        }
        return;
    }
    all.push(edit.clone());
}

/// A product's whole recipe.
pub(super) fn whole(
    file: Option<(&str, SourceId)>,
    instances: &[Instance],
    context: &Context,
) -> Result<Recipe, ReadError> {
    if let Some((text, id)) = file {
        read::read(id, text)?;
    }
    let edits = recipe::recipe(instances, context);
    let (guide, undo, complete) = recipe::guide(file.map(|f| f.0), &edits);
    let patch = Patch::new(BackupChange::Edits(edits));
    Ok(Recipe { patch, guide: shown(guide), undo: shown(undo), complete })
}

fn shown(list: Vec<guide::Step>) -> Vec<Step> {
    let step = |s: guide::Step| {
        let kind = if s.applies() { StepKind::Apply } else { StepKind::Page(s.menus().to_owned()) };
        Step { place: s.page, lines: s.lines, save: s.save, kind }
    };
    list.into_iter().map(step).collect()
}
