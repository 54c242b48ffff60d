//! Prints changes into a copy of the user's `config.xml`: bytes outside of the changed elements stay as they are.
//!
//! A restore replaces a whole section (`restore_config_section` of pfSense's `backup.inc`), so what is printed is
//! always the whole file that was given, never a fragment.

pub(super) mod alias;
mod entry;
pub(super) mod field;
#[cfg(test)]
pub(super) mod fixture;
mod forward;
pub(super) mod outbound;
mod rule;
pub(super) mod sections;

use super::edit::Edit;
use crate::xml::{Item, spliced};
use sections::{Splice, Tree, child, children};
use std::cell::OnceCell;
use std::ops::Range;

pub(super) use entry::{End, Forward, What, descr};
pub(super) use forward::{known, what_is_left};
pub(super) use rule::Tab;

/// Why a change cannot be printed into a file, for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// A changed configuration and the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The whole file.
    pub xml: String,
    /// What takes the changes back, in this order.
    pub undo: Vec<UndoStep>,
}

/// One replacement that takes a change back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoStep {
    /// Bytes of the file as the steps before left it.
    pub at: Range<usize>,
    /// What must stand there.
    pub found: String,
    /// What stood there before the change.
    pub put: String,
}

/// The changed file; the same bytes when everything is there already.
///
/// # Errors
/// [`Refused`] when the file is no configuration of pfSense, when a section that a change needs is not in it, or when
/// an entry that a change names does not exist.
pub fn apply(xml: &str, edits: &[Edit]) -> Result<String, Refused> {
    print(xml, edits).map(|p| p.xml)
}

/// The changed file with its undo.
///
/// Numbers in the edits count the entries of the file as given. A file that these very edits made of another one is
/// recognised, although their numbers no longer fit it: it stays as it is.
///
/// # Errors
/// As for [`apply`].
pub fn print(xml: &str, edits: &[Edit]) -> Result<Printed, Refused> {
    if done(xml, edits) {
        return Ok(Printed { xml: xml.to_owned(), undo: Vec::new() });
    }
    let work = Work::run(xml, edits)?;
    Ok(Printed { xml: work.xml, undo: work.undo.into_iter().rev().collect() })
}

/// Takes printed changes back: the file as it was before, byte for byte.
///
/// # Errors
/// [`Refused`] when the file is not the one that was printed.
pub fn undo(xml: &str, steps: &[UndoStep]) -> Result<String, Refused> {
    let mut xml = xml.to_owned();
    for step in steps {
        if xml.get(step.at.clone()) != Some(step.found.as_str()) {
            return Err(Refused("the file was changed since: restore the copy that you saved before".into()));
        }
        xml.replace_range(step.at.clone(), &step.put);
    }
    Ok(xml)
}

/// Whether these edits made this file: without what they add, they make it again.
///
/// Needed where an edit names a filter rule by number, because an added rule moves the numbers behind it.
pub(super) fn done(xml: &str, edits: &[Edit]) -> bool {
    // A filter rule that a forward was to get may have been there before.
    edits.iter().any(Edit::counts_rules)
        && [true, false].into_iter().any(|associated| {
            without_added(xml, edits, associated)
                .and_then(|before| Work::run(&before, edits).ok())
                .is_some_and(|again| again.xml == xml)
        })
}

/// The file without the elements that the edits add; absent when one of them is not there.
fn without_added(xml: &str, edits: &[Edit], associated: bool) -> Option<String> {
    let tree = Tree::read(xml).ok()?;
    let mut added = Vec::new();
    for edit in edits {
        match edit {
            Edit::AddForward(new) => {
                let at = forward::find(&tree, new)?;
                added.push(at);
                added.extend(forward::linked(&tree, at));
            }
            Edit::SetForward { forward: number, set } if associated && forward::associates(set) => {
                let at = *tree.entries("nat", "rule").get(*number)?;
                added.push(forward::linked(&tree, at)?);
            }
            Edit::AddPass(new) => added.push(rule::find(&tree, new, None)?),
            _ => {}
        }
    }
    added.dedup();
    let removed = added.iter().map(|node| tree.remove(*node)).collect();
    (!added.is_empty()).then(|| spliced(xml, removed))
}

/// A configuration while edits are made on it.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub xml: String,
    undo: Vec<UndoStep>,
    /// Where each filter rule of the file as given is now. Counted when that is read first.
    rules: OnceCell<Vec<Option<usize>>>,
}

impl Work {
    pub fn new(xml: &str) -> Result<Self, Refused> {
        let work = Self { xml: xml.to_owned(), undo: Vec::new(), rules: OnceCell::new() };
        work.read()?;
        Ok(work)
    }

    fn run(xml: &str, edits: &[Edit]) -> Result<Self, Refused> {
        let mut work = Self { xml: xml.to_owned(), undo: Vec::new(), rules: OnceCell::new() };
        for edit in edits {
            work.edit(edit)?;
        }
        Ok(work)
    }

    /// Makes one edit; whether it changed anything.
    pub fn edit(&mut self, edit: &Edit) -> Result<bool, Refused> {
        let steps = self.undo.len();
        match edit {
            Edit::AddForward(new) => self.add_forward(new)?,
            Edit::SetForward { forward, set } => {
                for field in set {
                    self.set_forward(*forward, field)?;
                }
            }
            Edit::AddAlias { name, kind, members, descr } => self.add_alias(name, kind, members, descr)?,
            Edit::SetAlias { name, members } => self.set_alias(name, members)?,
            Edit::AddPass(new) => self.add_pass(new)?,
            Edit::SetRule { rule, set } => {
                for field in set {
                    self.set_rule(*rule, field)?;
                }
            }
            Edit::OutboundMode(mode) => self.set_outbound_mode(mode)?,
            Edit::AddOutbound(new) => self.add_outbound(new)?,
            Edit::ReflectionHelper(on) => {
                self.set_system(Item::Text("enablenatreflectionhelper", "yes".into()), *on)?;
            }
            Edit::NoReplyTo(on) => self.set_system(Item::Empty("disablereplyto"), *on)?,
        }
        Ok(self.undo.len() > steps)
    }

    /// The present text. A large one takes long, so each step of an edit reads it once.
    fn read(&self) -> Result<Tree<'_>, Refused> {
        let tree = Tree::read(&self.xml)?;
        self.rules.get_or_init(|| (0..tree.entries("filter", "rule").len()).map(Some).collect());
        Ok(tree)
    }

    /// Where a filter rule of the file as given is now.
    pub fn rule_now(&self, rule: usize) -> Result<usize, Refused> {
        let rules = self.rules.get().map_or(&[][..], Vec::as_slice);
        rules.get(rule).copied().flatten().ok_or_else(|| Refused(format!("there is no filter rule number {rule}")))
    }

    /// Splices what `find` finds in the present text.
    fn change(&mut self, find: impl FnOnce(&Tree) -> Result<Vec<Splice>, Refused>) -> Result<(), Refused> {
        let splices = find(&self.read()?)?;
        self.splice(splices);
        Ok(())
    }

    fn splice(&mut self, mut splices: Vec<Splice>) {
        splices.sort_by_key(|s| std::cmp::Reverse(s.at.start));
        for Splice { at, text } in splices {
            let old = self.xml[at.clone()].to_owned();
            if old == text {
                continue;
            }
            self.xml.replace_range(at.clone(), &text);
            self.undo.push(UndoStep { at: at.start..at.start + text.len(), found: text, put: old });
        }
    }

    /// A switch of the system, which counts by presence (pfSense's `system_advanced_firewall.inc`).
    fn set_system(&mut self, item: Item, on: bool) -> Result<(), Refused> {
        let key_name = item.name();
        self.change(|tree| {
            let system = tree.section("system")?;
            let key = system.and_then(|s| child(s, key_name));
            Ok(match (on, key) {
                (true, None) => vec![in_section(tree, "system", item)?],
                (false, Some(_)) => {
                    system.iter().flat_map(|s| children(*s, key_name)).map(|k| tree.remove(k)).collect()
                }
                _ => Vec::new(),
            })
        })
    }
}

/// At the end of a section, before its separators; the section is made when a whole configuration has none.
fn in_section(tree: &Tree, name: &'static str, item: Item) -> Result<Splice, Refused> {
    Ok(match tree.section(name)? {
        None => tree.append(tree.root(), &Item::Node(name, vec![item])),
        Some(section) => match child(section, "separator") {
            Some(separator) => tree.before(separator, &item),
            None => tree.append(section, &item),
        },
    })
}

/// A value that a field of pfSense's pages and an XML file can hold.
fn writable(value: &str) -> Result<&str, Refused> {
    if value.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
        return Err(Refused(format!("{value:?} has a character that a field of pfSense cannot hold")));
    }
    Ok(value.trim())
}

#[cfg(test)]
pub(super) mod tests;
