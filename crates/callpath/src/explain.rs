//! `callpath explain`: what a finding means, who notices it, and what to do.

use crate::NO_ANSWER;
use crate::shell::Shell;
use callpath_core::finding::{CAUSES, Cause, find};
use callpath_core::manifest::known_names;
use callpath_core::report::explained;
use callpath_core::snapshot::{InputError, Snapshot};
use std::fmt::Write;

/// Explains one code, or lists all; the exit code.
pub fn run(code: Option<&str>, shell: &Shell) -> u8 {
    let Some(code) = code else {
        Shell::print(&listed(CAUSES));
        return 0;
    };
    // As reports print it: `error[hairpin-missing]`.
    let plain = code.split_once('[').map_or(code, |(_, rest)| rest.trim_end_matches(']'));
    let word = plain.trim().to_lowercase().replace(['_', ' '], "-");
    let near: Vec<&Cause> = match find(&word) {
        Some(cause) => vec![cause],
        None => CAUSES.iter().copied().filter(|c| !word.is_empty() && c.code.contains(&word)).collect(),
    };
    if let [cause] = near[..] {
        Shell::print(&format!("{}[{}]: {}\n\n{}", cause.severity.word(), cause.code, cause.title, explained(cause)));
        0
    } else if !near.is_empty() {
        Shell::print(&listed(&near));
        0
    } else {
        let help = known_names(plain, "findings", CAUSES.iter().map(|c| c.code));
        let error = InputError::about(code, "there is no finding with this code").help(help);
        shell.error(&error, &Snapshot::default());
        NO_ANSWER
    }
}

/// Codes with their titles.
fn listed(causes: &[&Cause]) -> String {
    let width = causes.iter().map(|c| c.code.len()).max().unwrap_or(0);
    causes.iter().fold(String::new(), |mut out, c| {
        let _ = writeln!(out, "{:width$}  {}", c.code, c.title);
        out
    })
}
