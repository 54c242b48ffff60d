//! `callpath diff`.

use crate::folder::Also;
use crate::shell::Shell;
use crate::{NO_ANSWER, gather};
use callpath_core::check::diff;
use callpath_core::report::{DIFF_FORMATS, Side};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::path::PathBuf;

/// Two sites, and how the comparison is printed.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The site before: a directory with a callpath.toml, such a file, or a snapshot
    old: PathBuf,
    /// The site after
    new: PathBuf,
    /// How to print what differs
    #[arg(long, value_parser = formats(), default_value = DIFF_FORMATS[0].name)]
    format: String,
    #[command(flatten)]
    also: Also,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(DIFF_FORMATS.iter().map(|f| PossibleValue::new(f.name).help(f.about)))
}

/// Compares and prints; the exit code: 1 where somebody loses.
pub fn run(arguments: &Arguments, shell: &Shell) -> u8 {
    let gather = |site| gather::site(site, &arguments.also);
    let (old, new) = (gather(&arguments.old), gather(&arguments.new));
    let unread = [&old, &new].into_iter().find_map(|g| g.error.as_ref().map(|e| (g, e)));
    if let Some((site, error)) = unread {
        shell.error(error, &site.snapshot);
        return NO_ANSWER;
    }
    match diff(&old.snapshot, &new.snapshot) {
        Ok(diff) => {
            let format = DIFF_FORMATS.iter().find(|f| f.name == arguments.format).unwrap_or(&DIFF_FORMATS[0]);
            Shell::print(&(format.print)(&diff));
            u8::from(diff.loses())
        }
        Err((side, error)) => {
            shell.error(&error, if side == Side::Old { &old.snapshot } else { &new.snapshot });
            NO_ANSWER
        }
    }
}
