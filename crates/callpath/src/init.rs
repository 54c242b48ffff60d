//! `callpath init`: asks what cannot be found out, and writes a first callpath.toml.

use crate::gather::MANIFEST;
use crate::shell::Shell;
use crate::{NO_ANSWER, known, save};
use callpath_core::manifest::{self, First};
use callpath_core::profile::{PROFILES, instance};
use callpath_core::snapshot::{InputError, Snapshot, Source};
use clap::Args;
use std::io::{BufRead, ErrorKind, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Answers that are known already.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The directory in which callpath.toml is written
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The product
    #[arg(long, value_name = "NAME", value_parser = known::products())]
    system: Option<String>,
    /// The server's own address
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// The name that people type
    #[arg(long)]
    name: Option<String>,
    /// The public address
    #[arg(long)]
    address: Option<String>,
    /// A configuration file of the router, relative to DIRECTORY; may be repeated
    #[arg(long, value_name = "FILE")]
    config: Vec<String>,
}

/// Writes a manifest; the exit code.
pub fn run(arguments: Arguments, shell: &Shell) -> u8 {
    let mut snapshot = Snapshot::default();
    match write(arguments, &mut snapshot) {
        Ok((file, complete)) => {
            let next = if complete { "" } else { "write your public address into it, then " };
            Shell::print(&format!("wrote {}; next: {next}callpath check\n", file.display()));
            0
        }
        Err(error) => {
            shell.error(&error, &snapshot);
            NO_ANSWER
        }
    }
}

/// The file that was written, and whether it holds all that `check` needs.
fn write(arguments: Arguments, snapshot: &mut Snapshot) -> Result<(PathBuf, bool), InputError> {
    let directory = arguments.directory.clone();
    let file = if directory == Path::new(".") { PathBuf::from(MANIFEST) } else { directory.join(MANIFEST) };
    let shown = file.display().to_string();
    let exists = || {
        InputError::about(shown.as_str(), "there is a manifest already; it is not overwritten")
            .help("change it by hand, or name another directory: `callpath init <directory>`")
    };
    // A link that leads nowhere is somebody's file too.
    if file.symlink_metadata().is_ok() {
        return Err(exists());
    }
    if !directory.is_dir() {
        let error = InputError::about(directory.display().to_string(), "there is no such directory");
        return Err(error.help("make it first, or run `callpath init` in the directory itself"));
    }
    let text = ask(arguments)?.text();
    snapshot.sources.push(Source { name: MANIFEST.into(), text: text.clone() });
    // What would be refused by `check` is refused now.
    let manifest = manifest::parse(&text)?;
    manifest.deploys.iter().try_for_each(|d| instance(d).map(|_| ()))?;
    // Between the look above and now somebody else may have written one, which is kept.
    match save::save(&file, &text, false, None) {
        Ok(()) => Ok((file, !manifest.address.is_empty())),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(exists()),
        Err(e) => Err(InputError::about(shown.as_str(), format!("cannot be written: {e}"))
            .help("check that the directory is yours to write in")),
    }
}

/// What was not given is asked.
fn ask(arguments: Arguments) -> Result<First, InputError> {
    let Arguments { system, host, mut name, mut address, config, .. } = arguments;
    if name.is_none() && address.is_none() {
        let answer = question("public name or address by which people reach it", "--name or --address")?;
        if answer.parse::<IpAddr>().is_ok() { address = Some(answer) } else { name = Some(answer) }
    }
    let known: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    let system = match system {
        Some(system) => system,
        None => question(&format!("product ({})", known.join(", ")), "--system")?,
    };
    let host = match host {
        Some(host) => host,
        None => question("the server's own address, such as 192.168.1.50", "--host")?,
    };
    Ok(First { name, address, system, host, config })
}

fn question(what: &str, flag: &str) -> Result<String, InputError> {
    // Questions go where errors go: what is printed stays free of them.
    let _ = write!(std::io::stderr().lock(), "{what}: ");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match line.trim() {
        "" => {
            let why = if matches!(read, Ok(n) if n > 0) { "an empty answer" } else { "no answer: the input ended" };
            let _ = writeln!(std::io::stderr().lock());
            Err(InputError { at: None, ..InputError::in_manifest(0..0, format!("{why} for: {what}")) }
                .help(format!("answer, or give it by {flag}")))
        }
        answer => Ok(answer.to_owned()),
    }
}
