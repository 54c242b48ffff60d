//! `callpath explain`: what a finding means, who notices it, and what to do.

use crate::NO_ANSWER;
use crate::shell::Shell;
use callpath_core::finding::{CAUSES, find};
use callpath_core::manifest::known_names;
use callpath_core::report::explained;
use callpath_core::snapshot::{InputError, Snapshot};
use std::fmt::Write;

/// Explains one code, or lists all; the exit code.
pub fn run(code: Option<&str>, shell: &Shell) -> u8 {
    let Some(code) = code else {
        let width = CAUSES.iter().map(|c| c.code.len()).max().unwrap_or(0);
        let mut out = String::new();
        for c in CAUSES {
            let _ = writeln!(out, "{:width$}  {}", c.code, c.title);
        }
        Shell::print(&out);
        return 0;
    };
    // As reports print it: `error[hairpin-missing]`.
    let plain = code.split_once('[').map_or(code, |(_, rest)| rest.trim_end_matches(']'));
    if let Some(cause) = find(plain) {
        Shell::print(&format!("{}[{}]: {}\n\n{}", cause.severity.word(), cause.code, cause.title, explained(cause)));
        0
    } else {
        let help = known_names(plain, "findings", CAUSES.iter().map(|c| c.code));
        let error = InputError::about(code, "there is no finding with this code").help(help);
        shell.error(&error, &Snapshot::default());
        NO_ANSWER
    }
}
