//! Pseudonyms in XML, whichever dialect it is of.

use super::Redactor;
use crate::xml::{El, Rename, renamed};

/// Gives what an element says another form.
pub(crate) type Said = fn(&mut Redactor, El, &str) -> String;

impl Redactor {
    /// The text with pseudonyms and without comments; nothing when it is not well-formed. What a text in an element means,
    /// the dialect says.
    pub(crate) fn xml(&mut self, text: &str, said: Said) -> Option<String> {
        renamed(text, &mut With { redactor: self, said })
    }
}

struct With<'r> {
    redactor: &'r mut Redactor,
    said: Said,
}

impl Rename for With<'_> {
    fn name(&mut self, name: &str) -> String {
        self.redactor.name(name)
    }

    fn value(&mut self, value: &str) -> String {
        self.redactor.scan(value)
    }

    fn said(&mut self, node: El, text: &str) -> String {
        (self.said)(self.redactor, node, text)
    }
}
