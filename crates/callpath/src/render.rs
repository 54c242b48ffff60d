//! `callpath render`: a product's whole recipe for one firewall.

use crate::shell::Shell;
use crate::{NO_ANSWER, gather};
use callpath_core::change::Step;
use callpath_core::dialect;
use callpath_core::render::{Rendered, TARGETS, render};
use callpath_core::snapshot::InputError;
use clap::Args;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What to render, and in which form.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The firewall: pfsense, nftables
    target: String,
    /// A directory with a callpath.toml, or such a file
    #[arg(default_value = ".")]
    site: PathBuf,
    /// Steps to click, in the words of the firewall's own menus (the default)
    #[arg(long, conflicts_with_all = ["undo", "out"])]
    guide: bool,
    /// How to take it back
    #[arg(long, conflicts_with = "out")]
    undo: bool,
    /// Write a copy of your configuration with the changes in it; never overwrites a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Renders; the exit code.
pub fn run(arguments: &Arguments, shell: &Shell) -> u8 {
    let gathered = gather::site(&arguments.site);
    let rendered = match gathered.error {
        Some(error) => Err(error),
        None => render(&arguments.target, &gathered.snapshot),
    };
    let outcome = rendered.and_then(|r| match &arguments.out {
        Some(out) => write(arguments, &r, out),
        None if arguments.undo => Ok(undo(&r)),
        None => Ok(guide(arguments, &r)),
    });
    match outcome {
        Ok(text) => {
            Shell::print(&text);
            0
        }
        Err(error) => {
            shell.error(&error, &gathered.snapshot);
            NO_ANSWER
        }
    }
}

fn numbered(steps: &[Step]) -> String {
    let mut out = String::new();
    for (n, step) in steps.iter().enumerate() {
        let mut lines = vec![format!("{}. {}", n + 1, step.place)];
        lines.extend(step.lines.iter().map(|l| format!("     {l}")));
        if let (true, Some(last)) = (step.save, lines.last_mut()) {
            let gap = 67usize.saturating_sub(last.chars().count()).max(2);
            last.push_str(&" ".repeat(gap));
            last.push_str("Save");
        }
        for line in lines {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

fn guide(arguments: &Arguments, r: &Rendered) -> String {
    let mut out = numbered(&r.guide);
    if !r.notes.is_empty() {
        out.push_str("\nnot part of it\n");
        for note in &r.notes {
            let _ = writeln!(out, "  {note}");
        }
    }
    if r.guide.is_empty() {
        out.push_str("nothing is missing: callpath check says what works\n");
    } else if r.complete {
        let _ = writeln!(out, "\nall of it is in {} already", r.file);
    } else if arguments.target == "pfsense" && r.file.is_empty() {
        out.push_str("\nno backup of pfSense is given: what is there already is not known\n");
    }
    out
}

fn undo(r: &Rendered) -> String {
    if r.undo.is_empty() { "nothing is to be taken back: nothing would be changed\n".into() } else { numbered(&r.undo) }
}

/// The user's own file, not the one without secrets, with the changes in it.
fn write(arguments: &Arguments, r: &Rendered, out: &Path) -> Result<String, InputError> {
    let name = gather::shown(out);
    let site = if arguments.site.is_dir() {
        arguments.site.clone()
    } else {
        arguments.site.parent().map(Path::to_path_buf).unwrap_or_default()
    };
    if r.file.is_empty() {
        let known = TARGETS.join(", ");
        return Err(InputError::about(name, "there is no configuration to put the changes into")
            .help(format!("name a backup in callpath.toml (systems: {known}), or follow --guide")));
    }
    if !r.others.is_empty() {
        let message = format!("the changes go into {} and {}: one copy cannot hold them", r.file, r.others.join(", "));
        return Err(InputError::about(name, message).help("follow --guide, which names the firewall of each step"));
    }
    let original = gather::read(&site.join(&r.file), &r.file, u64::MAX)
        .map_err(|(message, help)| InputError::about(r.file.as_str(), message).help(help))?;
    let patches: Vec<_> = r.patches.iter().collect();
    let text = dialect::apply(&original, &patches)
        .map_err(|e| InputError::about(r.file.as_str(), e.0).help("follow --guide instead"))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(out).map_err(|e| {
        let help = match e.kind() {
            ErrorKind::AlreadyExists => "choose another name: files are never overwritten",
            _ => "choose another place",
        };
        InputError::about(name.as_str(), format!("`{name}` cannot be written: {}", gather::reason(&e))).help(help)
    })?;
    file.write_all(text.as_bytes())
        .map_err(|e| InputError::about(name.as_str(), format!("`{name}` is not complete: {}", gather::reason(&e))))?;
    let how = if arguments.target == "pfsense" {
        "restore it with Diagnostics > Backup & Restore; the firewall restarts then"
    } else {
        "check it with `nft -c -f`, then load it"
    };
    Ok(format!("wrote {name}, {} with the changes in it; {how}\n", r.file))
}
