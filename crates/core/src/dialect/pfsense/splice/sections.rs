//! The sections of a configuration and their entries, in a tree that changes are spliced into.

use super::Refused;
use crate::xml;
use std::ops::Deref;

pub(in crate::dialect::pfsense) use crate::xml::{El, Splice, child, children};

/// A configuration with its bytes.
pub(in crate::dialect::pfsense) struct Tree<'a>(xml::Tree<'a>);

impl<'a> Deref for Tree<'a> {
    type Target = xml::Tree<'a>;

    fn deref(&self) -> &xml::Tree<'a> {
        &self.0
    }
}

/// Roots that an export has: the whole configuration, or one area (Diagnostics > Backup & Restore, "Backup area").
const ROOTS: [&str; 5] = ["pfsense", "nat", "filter", "aliases", "system"];

impl<'a> Tree<'a> {
    pub fn read(text: &'a str) -> Result<Self, Refused> {
        let tree = xml::Tree::read(text).map_err(|broken| {
            let line = text[..broken.at].matches('\n').count() + 1;
            Refused(format!("this is not well-formed XML: {} in line {line}", broken.why))
        })?;
        let root = tree.root().tag_name().name();
        if !ROOTS.contains(&root) {
            return Err(Refused(format!("the file begins with <{root}>, a configuration of pfSense with <pfsense>")));
        }
        Ok(Self(tree))
    }

    /// A section; absent when a whole configuration has none.
    pub fn section(&self, name: &str) -> Result<Option<El<'_>>, Refused> {
        let root = self.root();
        match root.tag_name().name() {
            "pfsense" => Ok(child(root, name)),
            here if here == name => Ok(Some(root)),
            here => Err(Refused(format!(
                "the file holds only <{here}>, and this change needs <{name}> too: give the whole configuration \
                 (Diagnostics > Backup & Restore, Backup area: All)"
            ))),
        }
    }

    /// The elements of a section by name; none when the section is elsewhere.
    pub fn entries(&self, section: &str, name: &str) -> Vec<El<'_>> {
        self.section(section).ok().flatten().map_or_else(Vec::new, |s| children(s, name).collect())
    }

    /// Whether any element of this name has this text.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.root().descendants().any(|n| n.has_tag_name(name) && own_text(n) == value)
    }
}

/// The text directly in an element, without white space around it.
pub(in crate::dialect::pfsense) fn own_text(element: El) -> String {
    xml::own_text(element).unwrap_or_default().into_owned()
}

/// The text of a child; empty when there is none.
pub(in crate::dialect::pfsense) fn text(element: El, name: &str) -> String {
    child(element, name).map(own_text).unwrap_or_default()
}
