//! `callpath check`.

use crate::folder::Also;
use crate::pseudonyms::Redact;
use crate::shell::Shell;
use crate::{NO_ANSWER, gather};
use callpath_core::check::analyze;
use callpath_core::report::{FORMATS, Format, Style, Verdict};
use callpath_core::snapshot::Snapshot;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::path::Path;

/// Judges a site and prints the report; the exit code.
pub fn run(site: &Path, also: &Also, format: &Format, redact: &Redact, shell: &Shell) -> u8 {
    let key = match redact.key() {
        Ok(key) => key,
        Err(error) => {
            shell.error(&error, &Snapshot::default());
            return NO_ANSWER;
        }
    };
    let gathered = gather::site(site, also).redacted(key.as_ref());
    let report = match gathered.error {
        Some(error) => Err(error),
        None => analyze(&gathered.snapshot),
    };
    match report {
        Err(error) => {
            shell.error(&error, &gathered.snapshot);
            NO_ANSWER
        }
        Ok(report) => {
            Shell::print(&(format.print)(&report, Style { colour: shell.colour }));
            u8::from(report.verdict != Verdict::Works)
        }
    }
}

/// A format by its name; the help lists them.
pub fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|f| PossibleValue::new(f.name).help(f.about));
    PossibleValuesParser::new(values)
        .map(|name| FORMATS.iter().find(|f| f.name == name).expect("only names of the table are taken"))
}
