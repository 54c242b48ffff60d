//! Words of the tables as values of arguments: help and completions list them.

use callpath_core::finding::CAUSES;
use callpath_core::profile::{PROFILES, find};
use callpath_core::render;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::Error;
use clap::{Arg, Command};
use std::ffi::OsStr;

/// Takes any word: who looks it up says best what is wrong with it.
#[derive(Debug, Clone)]
pub struct Known(fn() -> Vec<PossibleValue>);

/// Products.
pub fn products() -> Known {
    Known(|| {
        let about = |name: &str| find(name).map_or_else(String::new, |p| p.about);
        PROFILES.iter().map(|(name, _)| PossibleValue::new(*name).help(about(name))).collect()
    })
}

/// Codes of findings.
pub fn codes() -> Known {
    Known(|| CAUSES.iter().map(|c| PossibleValue::new(c.code).help(c.title)).collect())
}

/// Firewalls that recipes are printed for.
pub fn targets() -> Known {
    Known(|| render::targets().into_iter().map(PossibleValue::new).collect())
}

impl TypedValueParser for Known {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter()))
    }
}
