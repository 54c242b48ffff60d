//! `callpath render`: a product's whole recipe for one firewall.

use crate::folder::Also;
use crate::shell::Shell;
use crate::{NO_ANSWER, gather, known, save};
use callpath_core::change::Step;
use callpath_core::dialect;
use callpath_core::render::{Rendered, render, targets};
use callpath_core::report::columns;
use callpath_core::snapshot::{InputError, Snapshot, Source};
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
    let rendered = match gathered.error {
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
        Some(out) => write(arguments, &r, out, &gathered.snapshot),
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

fn numbered(steps: &[Step]) -> String {
    let mut out = String::new();
    for (n, step) in steps.iter().enumerate() {
        let mut lines = vec![format!("{}. {}", n + 1, step.place)];
        lines.extend(step.lines.iter().map(|l| format!("     {l}")));
        if let (true, Some(last)) = (step.save, lines.last_mut()) {
            let gap = 67usize.saturating_sub(columns(last)).max(2);
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

/// The user's own file, not the one without secrets, with the changes in it.
fn write(arguments: &Arguments, r: &Rendered, out: &Path, snapshot: &Snapshot) -> Result<String, InputError> {
    let name = gather::shown(out);
    let site = if arguments.site.is_dir() {
        arguments.site.clone()
    } else {
        arguments.site.parent().map(Path::to_path_buf).unwrap_or_default()
    };
    if !r.file.is_empty() && r.patches.is_empty() {
        return Err(InputError::about(name, format!("nothing would be changed in {}", r.file))
            .help("callpath check says what works, what does not, and why"));
    }
    if r.file.is_empty() {
        let known = targets().join(", ");
        return Err(InputError::about(name, "there is no configuration to put the changes into")
            .help(format!("name its configuration in callpath.toml (firewalls: {known}), or follow --guide")));
    }
    if !r.others.is_empty() {
        let message = format!("the changes go into {} and {}: one copy cannot hold them", r.file, r.others.join(", "));
        return Err(InputError::about(name, message).help("follow --guide, which names the firewall of each step"));
    }
    let original = gather::read(&site.join(&r.file), &r.file, gather::MAX_BYTES)
        .map_err(|(message, help)| InputError::about(r.file.as_str(), message).help(help))?;
    // What was planned for one text is not put into another.
    let planned = r.source.and_then(|id| snapshot.source(id)).map(|s| s.text.as_str());
    if planned != Some(dialect::without_secrets(original.clone()).as_str()) {
        return Err(InputError::about(r.file.as_str(), format!("`{}` is not the file that was read", r.file))
            .help("if the file changes now, try again"));
    }
    let patches: Vec<_> = r.patches.iter().collect();
    let text = dialect::apply(&original, &patches)
        .map_err(|e| InputError::about(r.file.as_str(), e.0).help("follow --guide instead"))?;
    // Who loads the copy must be able to take it back, whatever happens in between.
    let mut undo_file = out.as_os_str().to_owned();
    undo_file.push(".undo.txt");
    let undo_file = PathBuf::from(undo_file);
    for file in [&undo_file, out] {
        free(file, &site, &arguments.site, snapshot, arguments.force)?;
    }
    let like = [site.join(&r.file)];
    put(&undo_file, &undo(r), arguments.force, &like)?;
    put(out, &text, arguments.force, &like)?;
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

/// Nothing is lost when this file is written.
fn free(file: &Path, site: &Path, named: &Path, snapshot: &Snapshot, force: bool) -> Result<(), InputError> {
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    let name = gather::shown(file);
    if !force {
        return Err(InputError::about(name.as_str(), format!("`{name}` is there already"))
            .help("choose another name, or replace it with --force"));
    }
    let real = file.canonicalize().ok();
    let own = |source: &Source| real.is_some() && site.join(&source.name).canonicalize().ok() == real;
    let read = real.is_some() && named.canonicalize().ok() == real;
    if read || snapshot.sources.iter().any(own) {
        return Err(InputError::about(name.as_str(), format!("`{name}` is a file of the site itself"))
            .help("choose another name: what callpath reads is never overwritten"));
    }
    Ok(())
}

fn put(file: &Path, text: &str, force: bool, like: &[PathBuf]) -> Result<(), InputError> {
    save::save(file, text, force, like).map_err(|e| save::failed(file, &e))
}
