//! Changes of configuration files, by dialect.

use super::pfsense::edit::Edit;
use super::{Dialect, nft, of_text, pfsense};
use crate::change::{Context, Intent, MarkRole, Planned, Printed, Refused, Step, Wanted};
use crate::manifest::change::{self as stated, Statement};
use crate::model::{Device, SourceId};
use crate::profile::Instance;
use crate::snapshot::{ReadError, Snapshot};
use crate::visible::named;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// The manifest is the first text of every snapshot.
const MANIFEST: SourceId = SourceId(0);

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {
    /// Edits of an export.
    PfSense(Vec<pfsense::edit::Edit>),
    /// What forwards of an export no longer carry: all such wishes about a forward are one edit.
    Narrow(Vec<pfsense::plan::Narrow>),
    /// What is stated of a box, in the manifest, and what the box is called.
    Stated(String, Vec<Statement>),
    /// Words that are taken out, and leave blanks: all other places stay as they are.
    Blanked {
        /// First byte.
        at: usize,
        /// The words.
        words: String,
        /// What to do.
        steps: Vec<Step>,
        /// How to take it back.
        undo: Vec<Step>,
    },
    /// Text that is added at the end, with what to do by hand.
    Added {
        /// The text.
        text: String,
        /// What to do.
        steps: Vec<Step>,
        /// How to take it back.
        undo: Vec<Step>,
    },
}

/// Files of one snapshot, each read once for all changes that are planned.
#[derive(Debug, Default)]
pub struct Opened {
    nft: RefCell<FxHashMap<SourceId, Rc<Result<nft::change::Plan, Refused>>>>,
}

impl Opened {
    fn nft(&self, snapshot: &Snapshot, file: SourceId) -> Rc<Result<nft::change::Plan, Refused>> {
        let mut known = self.nft.borrow_mut();
        let open = || Rc::new(nft::change::Plan::new(file, &super::includes::of_device(snapshot, file)));
        known.entry(file).or_insert_with(open).clone()
    }
}

/// The change that a wanted thing needs. `original`: the file before any change of this run; `opened`: what was read of
/// this snapshot.
///
/// # Errors
/// Why it cannot be done.
pub fn plan(
    (snapshot, opened): (&Snapshot, &Opened),
    original: &str,
    file: SourceId,
    device: &Device,
    wanted: &Wanted,
    context: &Context,
) -> Result<Planned, Refused> {
    let text = snapshot.source(file).map_or("", |s| &s.text);
    if file == MANIFEST {
        // What a stated device does stands at its place in the manifest.
        let at = device.pipeline.origins.first().map_or(0, |o| o.at.start as usize);
        let statements = stated::plan(text, at, &wanted.intent)?;
        return Ok(Planned { patch: Patch::Stated(device.name.to_string(), statements), marks: Vec::new() });
    }
    let dialect = of_text(text);
    match dialect.map(|d| d.name) {
        Some("pfsense") => {
            let mut planned = pfsense::plan::plan(file, text, device, wanted, context)?;
            if let Patch::PfSense(edits) = &mut planned.patch {
                pfsense::plan::rebase(text, original, edits);
            }
            Ok(planned)
        }
        Some("nftables") if matches!(wanted.intent, Intent::NoHelper { .. }) => {
            nft::change::without_helper(file, &snapshot.sources, device, wanted)
        }
        Some("nftables") => {
            let plan = (*opened.nft(snapshot, file)).clone()?;
            let printed = plan.print(&device.pipeline, std::slice::from_ref(wanted))?;
            Ok(added(text, printed, device, wanted))
        }
        _ => match dialect.and_then(|d| d.plain) {
            Some(plain) => Ok(added(text, (plain.print)(text, std::slice::from_ref(wanted))?, device, wanted)),
            None => Err(cannot(dialect)),
        },
    }
}

/// A change that only adds text.
fn added(text: &str, printed: Printed, device: &Device, wanted: &Wanted) -> Planned {
    let more = printed.text.strip_prefix(text).unwrap_or_default().to_owned();
    let place = |id: Option<crate::model::OriginId>| {
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
    Planned { patch: Patch::Added { text: more, steps: named(printed.steps), undo: named(printed.undo) }, marks }
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
    let edits = edits(text, patches)?;
    let mut out = text.to_owned();
    if !edits.is_empty() {
        out = pfsense::splice::apply(text, &edits).map_err(|e| Refused(e.0))?;
    }
    let statements = statements(patches);
    if !statements.is_empty() {
        out = stated::apply(&out, &statements)?;
    }
    for patch in patches {
        match patch {
            Patch::Blanked { at, words, .. } => blank(&mut out, *at, words)?,
            Patch::Added { text, .. } => out.push_str(text),
            Patch::PfSense(_) | Patch::Narrow(_) | Patch::Stated(..) => {}
        }
    }
    Ok(out)
}

fn blank(text: &mut String, at: usize, words: &str) -> Result<(), Refused> {
    let here = at..at + words.len();
    if text.get(here.clone()) != Some(words) {
        return Err(Refused(format!("`{words}` is not at its place any more")));
    }
    text.replace_range(here, &" ".repeat(words.len()));
    Ok(())
}

/// What to do by hand, and how to take it back.
pub fn steps(text: &str, patches: &[&Patch]) -> (Vec<Step>, Vec<Step>) {
    let edits = edits(text, patches).unwrap_or_default();
    let (there, back) = pfsense::guide::both_ways(&edits, text);
    let (mut there, mut back) = (shown(there), shown(back));
    let mut devices: Vec<&String> = Vec::new();
    for patch in patches {
        if let Patch::Stated(device, _) = patch
            && !devices.contains(&device)
        {
            devices.push(device);
        }
    }
    for device in devices {
        let here: Vec<&Patch> =
            patches.iter().copied().filter(|p| matches!(p, Patch::Stated(d, _) if d == device)).collect();
        let (more, undo) = stated::steps(device, &statements(&here));
        join(&mut there, &more, false);
        join(&mut back, &undo, true);
    }
    for patch in patches {
        if let Patch::Added { steps, undo, .. } | Patch::Blanked { steps, undo, .. } = patch {
            join(&mut there, steps, false);
            join(&mut back, undo, true);
        }
    }
    (there, back)
}

/// Steps at the same place are one.
fn join(all: &mut Vec<Step>, more: &[Step], before: bool) {
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

/// All edits of an export, one for each forward.
fn edits(text: &str, patches: &[&Patch]) -> Result<Vec<Edit>, Refused> {
    let lists = patches.iter().filter_map(|p| match p {
        Patch::PfSense(edits) => Some(edits),
        Patch::Added { .. } | Patch::Blanked { .. } | Patch::Stated(..) | Patch::Narrow(_) => None,
    });
    let mut out: Vec<Edit> = Vec::new();
    for edit in lists.flatten() {
        add(&mut out, edit);
    }
    let less: Vec<&pfsense::plan::Narrow> =
        patches.iter().filter_map(|p| if let Patch::Narrow(list) = p { Some(list) } else { None }).flatten().collect();
    if !less.is_empty() {
        // What is left is counted from what the other edits made of it.
        let made = if out.is_empty() {
            text.to_owned()
        } else {
            pfsense::splice::apply(text, &out).map_err(|e| Refused(e.0))?
        };
        for edit in pfsense::plan::narrow(&made, &less)? {
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

fn statements<'p>(patches: &[&'p Patch]) -> Vec<&'p Statement> {
    let lists = patches.iter().filter_map(|p| match p {
        Patch::Stated(_, list) => Some(list),
        Patch::Added { .. } | Patch::Blanked { .. } | Patch::PfSense(_) | Patch::Narrow(_) => None,
    });
    let mut out: Vec<&Statement> = Vec::new();
    for statement in lists.flatten() {
        if !out.contains(&statement) {
            out.push(statement);
        }
    }
    out
}

/// A product's whole recipe for one system.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The change of the file.
    pub patch: Patch,
    /// Everything, for a person, whether it is there already or not.
    pub guide: Vec<Step>,
    /// How to take back what is missing now.
    pub undo: Vec<Step>,
    /// Nothing is missing.
    pub complete: bool,
}

/// The recipe for a system by its name. None: the system has no recipe of its own, only the changes that `check` finds.
///
/// # Errors
/// A file that cannot be read.
pub fn recipe(
    target: &str,
    file: Option<(&str, SourceId)>,
    instances: &[Instance],
    context: &Context,
) -> Result<Option<Recipe>, ReadError> {
    if target != "pfsense" {
        return Ok(None);
    }
    if let Some((text, id)) = file {
        pfsense::read::read(id, text)?;
    }
    let edits = pfsense::recipe::recipe(instances, context);
    let (guide, undo, complete) = pfsense::recipe::guide(file.map(|f| f.0), &edits);
    Ok(Some(Recipe { patch: Patch::PfSense(edits), guide: shown(guide), undo: shown(undo), complete }))
}

fn shown(list: Vec<pfsense::guide::Step>) -> Vec<Step> {
    list.into_iter().map(|s| Step { place: s.page, lines: s.lines, save: s.save, shell: None }).collect()
}
