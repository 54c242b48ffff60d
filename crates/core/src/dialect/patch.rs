//! Changes of configuration files, by dialect.

use super::{DIALECTS, Dialect, pfsense};
use crate::change::{Context, Planned, Refused, Step, Wanted};
use crate::model::{Device, SourceId};
use crate::snapshot::Snapshot;

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {
    /// Edits of an export.
    PfSense(Vec<pfsense::edit::Edit>),
    /// Lines that are added at the end of a script, and how each is taken back.
    Script {
        /// Commands, one a line.
        commands: Vec<String>,
        /// Commands that take them back.
        undo: Vec<String>,
    },
}

/// The change that a wanted thing needs. `original`: the file before any change of this run.
///
/// # Errors
/// Why it cannot be done.
pub fn plan(
    snapshot: &Snapshot,
    original: &str,
    file: SourceId,
    device: &Device,
    wanted: &Wanted,
    context: &Context,
) -> Result<Planned, Refused> {
    let text = snapshot.source(file).map_or("", |s| &s.text);
    let dialect = DIALECTS.iter().find(|d| (d.looks_like)(text));
    match dialect.map(|d| d.name) {
        Some("pfsense") => {
            let mut planned = pfsense::plan::plan(file, text, device, wanted, context)?;
            if let Patch::PfSense(edits) = &mut planned.patch {
                pfsense::plan::rebase(text, original, edits);
            }
            Ok(planned)
        }
        _ => Err(cannot(dialect)),
    }
}

fn cannot(dialect: Option<&Dialect>) -> Refused {
    let what = dialect.map_or("this kind of file", |d| d.title);
    Refused(format!("changes of {what} are not printed"))
}

/// A file with changes made in it.
///
/// # Errors
/// Why one cannot be made.
pub fn apply(text: &str, patches: &[&Patch]) -> Result<String, Refused> {
    let edits = edits(patches);
    let mut out = text.to_owned();
    if !edits.is_empty() {
        out = pfsense::splice::apply(text, &edits).map_err(|e| Refused(e.0))?;
    }
    for patch in patches {
        if let Patch::Script { commands, .. } = patch {
            if !out.ends_with('\n') {
                out.push('\n');
            }
            for line in commands {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    Ok(out)
}

/// What to do by hand, and how to take it back.
pub fn steps(text: &str, device: &str, patches: &[&Patch]) -> (Vec<Step>, Vec<Step>) {
    let edits = edits(patches);
    let shown = |list: Vec<pfsense::guide::Step>| {
        let step = |s: pfsense::guide::Step| Step { place: s.page, lines: s.lines, save: s.save };
        list.into_iter().map(step).collect::<Vec<_>>()
    };
    let mut there = shown(pfsense::guide::steps(&edits, text));
    let mut back = shown(pfsense::guide::undo_steps(&edits, text));
    let scripts = patches.iter().filter_map(|p| match p {
        Patch::Script { commands, undo } => Some((commands, undo)),
        Patch::PfSense(_) => None,
    });
    let (commands, undo): (Vec<_>, Vec<_>) = scripts.unzip();
    let place = format!("on {device}, as root");
    let step = |lines: Vec<String>| Step { place: place.clone(), lines, save: false };
    if !commands.is_empty() {
        there.push(step(commands.into_iter().flatten().map(|c| format!("nft {c}")).collect()));
        back.push(step(undo.into_iter().rev().flatten().cloned().collect()));
    }
    (there, back)
}

fn edits(patches: &[&Patch]) -> Vec<pfsense::edit::Edit> {
    let lists = patches.iter().filter_map(|p| match p {
        Patch::PfSense(edits) => Some(edits),
        Patch::Script { .. } => None,
    });
    let mut out: Vec<pfsense::edit::Edit> = Vec::new();
    for edit in lists.flatten() {
        if !out.contains(edit) {
            out.push(edit.clone());
        }
    }
    out
}
