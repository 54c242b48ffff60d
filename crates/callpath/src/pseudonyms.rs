//! `--redact`: whether pseudonyms are wanted, and the key that makes them.

use crate::gather::{self, reason, shown};
use callpath_core::redact::Key;
use callpath_core::snapshot::InputError;
use clap::Args;
use std::fs::{self, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file with a key is a line; larger ones are something else.
const MOST_BYTES: u64 = 1 << 20;

/// What is replaced, and by which key.
#[derive(Debug, Default, Args)]
pub struct Redact {
    /// Replace all addresses, names, paths, descriptions and comments by pseudonyms; verdicts and lines stay
    #[arg(long)]
    redact: bool,
    /// The same by the key in this file, so that later runs give the same pseudonyms; where there is none, one is made
    #[arg(long, value_name = "FILE")]
    redact_key: Option<PathBuf>,
}

impl Redact {
    /// The key of this run, if pseudonyms are wanted: a new one, unless a file is named.
    pub fn key(&self) -> Result<Option<Key>, InputError> {
        match &self.redact_key {
            Some(file) => of_file(file).map(Some),
            None if self.redact => random().map(Some),
            None => Ok(None),
        }
    }
}

fn random() -> Result<Key, InputError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        InputError::about("--redact", format!("the system gives no random numbers: {e}"))
            .help("without them pseudonyms could be guessed; try it on another machine")
    })?;
    Ok(Key::new(bytes))
}

fn of_file(file: &Path) -> Result<Key, InputError> {
    let name = shown(file);
    if file.symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound) {
        return new_file(file, &name);
    }
    let refuse = |message: String, help: &str| Err(InputError::about(&*name, message).help(help));
    let text = gather::read(file, &name, MOST_BYTES);
    let text = text.map_err(|(message, help)| InputError::about(&*name, message).help(help))?;
    let Some(key) = Key::of_file(&text) else {
        return refuse(
            format!("`{name}` holds no key for pseudonyms"),
            "name a file that is not there yet: it is made, with a new key in it; no file is overwritten",
        );
    };
    match fs::metadata(file) {
        Ok(about) if open_to_others(&about) => refuse(
            format!("others can read the key in `{name}`"),
            "whoever has it can tell what a pseudonym stands for: `chmod 600` it, or name a new file",
        ),
        _ => Ok(key),
    }
}

/// A new file that nobody else can read; one that is there is never written to.
fn new_file(file: &Path, name: &str) -> Result<Key, InputError> {
    let key = random()?;
    let failed = |e: &Error| {
        InputError::about(name, format!("`{name}` cannot be written: {}", reason(e)))
            .help("choose another place, in which you may write")
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(file).map_err(|e| failed(&e))?;
    let written = made.write_all(key.file().as_bytes()).and_then(|()| made.sync_all());
    if let Err(e) = written {
        let _ = fs::remove_file(file);
        return Err(failed(&e));
    }
    Ok(key)
}

/// May anybody but its owner read it?
#[cfg(unix)]
fn open_to_others(about: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0
}

/// What other systems allow is not known here.
#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}
