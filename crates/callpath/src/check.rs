//! `callpath check`.

use crate::shell::Shell;
use crate::{Format, NO_ANSWER, gather};
use callpath_core::call::analyze;
use callpath_core::report::{Style, Verdict, html, text};
use std::path::Path;

/// Judges a site and prints the report; the exit code.
pub fn run(site: &Path, format: Format, redact: bool, shell: &Shell) -> u8 {
    let gathered = gather::site(site).redacted(redact);
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
            match format {
                Format::Text => Shell::print(&text(&report, Style { colour: shell.colour })),
                Format::Json => Shell::print(&report.json()),
                Format::Html => Shell::print(&html(&report)),
            }
            u8::from(report.verdict != Verdict::Works)
        }
    }
}
