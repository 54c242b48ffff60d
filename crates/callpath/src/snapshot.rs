//! `callpath snapshot`.

use crate::folder::Also;
use crate::gather::{self, Gathered, shown};
use crate::pseudonyms::Redact;
use crate::shell::Shell;
use crate::{NO_ANSWER, save};
use callpath_core::manifest;
use callpath_core::snapshot::Snapshot;
use callpath_core::visible::line;
use clap::Args;
use std::path::PathBuf;

/// What goes where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A directory with a callpath.toml, such a file, or a snapshot
    #[arg(default_value = ".")]
    site: PathBuf,
    /// The file to write; an existing one is never overwritten
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    redact: Redact,
    #[command(flatten)]
    also: Also,
}

/// Writes a snapshot; the exit code.
pub fn run(arguments: &Arguments, shell: &Shell) -> u8 {
    let key = match arguments.redact.key() {
        Ok(key) => key,
        Err(error) => {
            shell.error(&error, &Snapshot::default());
            return NO_ANSWER;
        }
    };
    let Gathered { snapshot, error, files, .. } = gather::site(&arguments.site, &arguments.also).redacted(key.as_ref());
    let text = if key.is_some() { snapshot.redacted_json() } else { snapshot.json() };
    // A manifest that cannot be read is what some bug reports are about; a file that is not there helps nobody.
    let unreadable = snapshot.sources.len() == 1 && manifest::parse(snapshot.manifest()).is_err();
    let outcome = match error {
        Some(error) if !unreadable => Err(error),
        _ => save::save(&arguments.output, &text, false, &files).map_err(|e| save::failed(&arguments.output, &e)),
    };
    match outcome {
        Ok(()) => {
            let (file, count) = (line(shown(&arguments.output)), snapshot.sources.len());
            let texts = if count == 1 { "text" } else { "texts" };
            Shell::print(&format!(
                "wrote {file}: {count} {texts}, without secrets; look through it before you send it\n"
            ));
            0
        }
        Err(error) => {
            shell.error(&error, &snapshot);
            NO_ANSWER
        }
    }
}
