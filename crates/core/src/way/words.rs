//! How fields of a report are written for programs.

use crate::manifest::{Proto, show_ranges};
use crate::model::Family;
use crate::trace::Phase;
use serde::Serializer;
use std::fmt::Display;

/// Something that has a word in the format.
pub(crate) trait Word: Copy {
    /// The word.
    fn word(self) -> &'static str;
}

impl Word for Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Next => "next",
        }
    }
}

impl Word for Family {
    fn word(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}

impl Word for Proto {
    fn word(self) -> &'static str {
        self.name()
    }
}

/// Its word.
pub(crate) fn word<S: Serializer>(value: &impl Word, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(value.word())
}

/// As it is shown.
pub(crate) fn shown<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Numbers as ranges: `4-1003,1010`.
pub(crate) fn ranges<S: Serializer, T: Display + PartialEq>(list: &[(T, T)], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&show_ranges(list))
}
