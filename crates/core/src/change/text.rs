//! Changes that are pieces of text, with what to do by hand.

use super::{Edits, MarkRole, Patch, Planned, Printed, Refused, Step, Wanted};
use crate::model::{Device, OriginId};
use crate::visible::named;

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChange {
    /// What happens to the text.
    pub edit: TextEdit,
    /// What to do.
    pub steps: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
}

/// What happens to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextEdit {
    /// Words are taken out, and leave blanks: all other places stay as they are.
    Blanked {
        /// First byte.
        at: usize,
        /// The words.
        words: String,
    },
    /// Text is added at the end.
    Added(String),
}

impl Edits for TextChange {
    fn apply(text: &str, all: &[&Self]) -> Result<String, Refused> {
        let mut out = text.to_owned();
        for change in all {
            match &change.edit {
                TextEdit::Blanked { at, words } => {
                    let here = *at..at + words.len();
                    if out.get(here.clone()) != Some(words) {
                        return Err(Refused(format!("`{words}` is not at its place any more")));
                    }
                    out.replace_range(here, &" ".repeat(words.len()));
                }
                TextEdit::Added(text) => out.push_str(text),
            }
        }
        Ok(out)
    }

    fn steps(_: &str, all: &[&Self]) -> (Vec<Step>, Vec<Step>) {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        for change in all {
            join(&mut there, &change.steps, false);
            join(&mut back, &change.undo, true);
        }
        (there, back)
    }
}

/// Adds steps; those at the same place are one.
pub(crate) fn join(all: &mut Vec<Step>, more: &[Step], before: bool) {
    for step in more {
        match all.iter_mut().find(|s| s.place == step.place && !s.save) {
            Some(known) => {
                let fresh: Vec<String> = step.lines.iter().filter(|l| !known.lines.contains(l)).cloned().collect();
                let at = if before { 0 } else { known.lines.len() };
                known.lines.splice(at..at, fresh);
            }
            None => all.push(step.clone()),
        }
    }
}

/// What was printed for a wanted thing on a device, as a change that only adds to `text`.
pub(crate) fn added(text: &str, printed: Printed, device: &Device, wanted: &Wanted) -> Planned {
    let more = printed.text.strip_prefix(text).unwrap_or_default().to_owned();
    let place = |id: Option<OriginId>| {
        let at = device.pipeline.origin(id?);
        at.has_lines.then_some(at.at)
    };
    let marks = match (place(wanted.nearest), place(wanted.deciding)) {
        (Some(at), _) => vec![(at, MarkRole::Nearest)],
        (None, Some(at)) => vec![(at, MarkRole::Place)],
        (None, None) => Vec::new(),
    };
    let named = |steps: Vec<Step>| {
        let name = |s: Step| Step { place: s.place.replace("the device", &named(&device.name)), ..s };
        steps.into_iter().map(name).collect()
    };
    let (steps, undo) = (named(printed.steps), named(printed.undo));
    Planned { patch: Patch::new(TextChange { edit: TextEdit::Added(more), steps, undo }), marks }
}
