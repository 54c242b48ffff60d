//! `callpath render`: a product's whole recipe for one firewall.

use crate::copies::{Copies, numbered};
use crate::folder::Also;
use crate::gather::Gathered;
use crate::shell::Shell;
use crate::{NO_ANSWER, gather, known};
use callpath_core::render::{Rendered, render, targets};
use callpath_core::snapshot::InputError;
use callpath_core::visible::line;
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What to render, and in which form.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The firewall
    #[arg(value_parser = known::targets())]
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
    /// Write a copy of your configuration with the changes in it, and before it FILE.undo.txt: how to take it back
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Let --out replace files of an earlier run; never those that callpath.toml names
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    also: Also,
}

/// Renders; the exit code.
pub fn run(arguments: &Arguments, shell: &Shell) -> u8 {
    let gathered = gather::site(&arguments.site, &arguments.also);
    let rendered = match gathered.error.clone() {
        Some(error) => Err(error),
        None => render(&arguments.target, &gathered.snapshot),
    };
    let outcome = rendered.and_then(|r| match &arguments.out {
        // A snapshot comes from elsewhere: the names in it are those of another machine's files.
        Some(out) if gathered.from_snapshot => Err(InputError::about(
            gather::shown(out),
            "a snapshot holds no configuration as it was: no copy of it can be made",
        )
        .help("name the folder of the site, not a snapshot of it; or follow --guide")),
        Some(out) => write(arguments, &r, out, &gathered),
        None if arguments.undo => Ok(undo(&r)),
        None => Ok(guide(&r)),
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

fn guide(r: &Rendered) -> String {
    let mut out = numbered(&r.guide);
    out.push_str(&left_out(r));
    if r.complete && r.guide.is_empty() {
        out.push_str("nothing is missing: callpath check says what works\n");
    } else if r.guide.is_empty() {
        out.push_str("no change is known that would help: callpath check says what is wrong, or not known, and why\n");
    } else if r.complete {
        let _ = writeln!(out, "\nall of it is in {} already", line(r.file.clone()));
    } else if r.whole && r.file.is_empty() {
        let not_given = r.about.map_or("", |a| a.words.not_given);
        let _ = writeln!(out, "\n{not_given}: what is there already is not known");
    } else if r.whole {
        let _ = writeln!(
            out,
            "\nthis is the whole recipe, with what {} has already; --out FILE writes a copy with only what is missing",
            line(r.file.clone())
        );
    }
    out
}

/// What the recipe leaves out, and why.
fn left_out(r: &Rendered) -> String {
    let mut out = String::new();
    if !r.notes.is_empty() {
        out.push_str("\nnot part of it\n");
    }
    for note in &r.notes {
        let _ = writeln!(out, "  {note}");
    }
    out
}

fn undo(r: &Rendered) -> String {
    if r.undo.is_empty() { "nothing is to be taken back: nothing would be changed\n".into() } else { numbered(&r.undo) }
}

/// The user's own file with the changes in it, and before it how to take it back.
fn write(arguments: &Arguments, r: &Rendered, out: &Path, gathered: &Gathered) -> Result<String, InputError> {
    let name = gather::shown(out);
    if !r.file.is_empty() && r.patches.is_empty() {
        return Err(InputError::about(name, format!("nothing would be changed in {}", r.file))
            .help("callpath check says what works, what does not, and why"));
    }
    let Some(source) = r.source.and_then(|id| gathered.snapshot.source(id)).filter(|_| !r.file.is_empty()) else {
        let known = targets().join(", ");
        return Err(InputError::about(name, "there is no configuration to put the changes into")
            .help(format!("name its configuration in callpath.toml (firewalls: {known}), or follow --guide")));
    };
    if !r.others.is_empty() {
        let message = format!("the changes go into {} and {}: one copy cannot hold them", r.file, r.others.join(", "));
        return Err(InputError::about(name, message).help("follow --guide, which names the firewall of each step"));
    }
    let copies = Copies::new(gathered, &arguments.site, arguments.force);
    let text = copies.changed(source, &r.patches.iter().collect::<Vec<_>>())?;
    // Who loads the copy must be able to take it back, whatever happens in between.
    let mut undo_file = out.as_os_str().to_owned();
    undo_file.push(".undo.txt");
    let undo_file = PathBuf::from(undo_file);
    for file in [&undo_file, out] {
        copies.free(file)?;
    }
    let like = [copies.own(source)];
    copies.put(&undo_file, &undo(r), &like)?;
    copies.put(out, &text, &like)?;
    let how = r.about.map_or("", |a| a.words.load);
    let (undo_name, name) = (line(gather::shown(&undo_file)), line(name));
    let mut said = format!(
        "wrote {undo_name}, how to take it back\nwrote {name}, {} with the changes in it; {how}\n",
        line(r.file.clone())
    );
    if !r.elsewhere.is_empty() {
        said.push_str("\nto be done elsewhere, not in the copy\n");
        said.push_str(&numbered(&r.elsewhere));
    }
    said.push_str(&left_out(r));
    Ok(said)
}
