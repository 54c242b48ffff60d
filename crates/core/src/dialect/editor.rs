//! Changes of configuration files: each dialect plans its own.

use super::of_text;
use crate::change::{Context, Planned, Refused, Step, Wanted};
use crate::manifest::change as stated;
use crate::model::{Device, SourceId};
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// Plans changes of one file, which it read once.
pub trait Editor {
    /// The change that a wanted thing needs.
    ///
    /// # Errors
    /// Why it cannot be done.
    fn plan(&self, wanted: &Wanted, on: &On<'_>) -> Result<Planned, Refused>;
}

/// Where a change is planned.
#[derive(Debug, Clone, Copy)]
pub struct On<'a> {
    /// The device as it is judged now; wanted things name its origins.
    pub device: &'a Device,
    /// The file before any change of this run.
    pub original: &'a str,
    /// Names and manner.
    pub context: &'a Context,
}

/// A product's whole recipe for one system.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The change of the file.
    pub patch: crate::change::Patch,
    /// Everything, for a person, whether it is there already or not.
    pub guide: Vec<Step>,
    /// How to take back what is missing now.
    pub undo: Vec<Step>,
    /// Nothing is missing.
    pub complete: bool,
}

/// Files of one snapshot, each opened once for all changes that are planned.
#[derive(Default)]
pub struct Opened(RefCell<FxHashMap<SourceId, Rc<dyn Editor>>>);

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.borrow().keys()).finish()
    }
}

impl Opened {
    /// Closes them all: what was read of a large file need not stay while its changes are tried.
    pub fn close(&self) {
        self.0.borrow_mut().clear();
    }

    fn editor(&self, snapshot: &Snapshot, file: SourceId) -> Rc<dyn Editor> {
        let mut known = self.0.borrow_mut();
        known.entry(file).or_insert_with(|| open(snapshot, file).into()).clone()
    }
}

fn open(snapshot: &Snapshot, file: SourceId) -> Box<dyn Editor> {
    let text = snapshot.text(file);
    if file == SourceId::MANIFEST {
        return Box::new(stated::StatedBoxes::new(text));
    }
    let dialect = of_text(text);
    let title = dialect.map_or("this kind of file", |d| d.about().title);
    dialect.and_then(|d| d.editor(snapshot, file)).unwrap_or_else(|| Box::new(ByHand(title)))
}

/// Files whose changes are not printed.
struct ByHand(&'static str);

impl Editor for ByHand {
    fn plan(&self, _: &Wanted, _: &On<'_>) -> Result<Planned, Refused> {
        Err(Refused(format!("changes of {} are not printed", self.0)))
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
    opened.editor(snapshot, file).plan(wanted, &On { device, original, context })
}
