//! `callpath import`: what was understood of a configuration.

use crate::shell::Shell;
use crate::{NO_ANSWER, gather};
use callpath_core::dialect::{Counts, Standing, recognise, ruleset, without_secrets};
use callpath_core::model::{DoubtKind, Pipeline, SourceId, print};
use callpath_core::snapshot::{InputError, Places, Snapshot, Source, line_column};
use callpath_core::visible::line;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Shows what was understood; the exit code.
pub fn run(files: &[PathBuf], unread: bool, summary: Option<&Path>, shell: &Shell) -> u8 {
    if let Some(dir) = summary {
        return figures(dir, shell);
    }
    let mut snapshot = Snapshot { sources: vec![Source::default()], directory: String::new() };
    let mut code = 0;
    for file in files {
        let name = gather::shown(file);
        let text = match gather::read(file, &name, gather::MAX_BYTES) {
            Ok(text) => match recognise(SourceId(0), &text) {
                Ok(_) => without_secrets(text),
                // A file that is not of a known kind is quoted nowhere.
                Err(refused) => {
                    let (row, column) = line_column(&text, refused.at.as_ref().map_or(0, |(_, span)| span.start));
                    let place = format!("{name}:{row}:{column}");
                    shell.error(&InputError::about(place, refused.message).help(refused.help), &snapshot);
                    code = NO_ANSWER;
                    continue;
                }
            },
            Err((message, help)) => {
                shell.error(&InputError::about(name, message).help(help), &snapshot);
                return NO_ANSWER;
            }
        };
        snapshot.sources.push(Source { name, text });
    }
    for index in 1..snapshot.sources.len() {
        let id = SourceId(u16::try_from(index).unwrap_or(u16::MAX));
        match one(&snapshot, id, unread, files.len() > 1) {
            Ok(text) => Shell::print(&text),
            Err(error) => {
                shell.error(&error, &snapshot);
                code = NO_ANSWER;
            }
        }
    }
    code
}

fn one(snapshot: &Snapshot, id: SourceId, only_unread: bool, heading: bool) -> Result<String, InputError> {
    let source = &snapshot.sources[usize::from(id.0)];
    let mut out = String::new();
    if heading && !only_unread {
        let _ = writeln!(out, "# {}", line(source.name.clone()));
    }
    let dialect = recognise(id, &source.text)?;
    if dialect.about().standing == Standing::Facts {
        let document = dialect.read(snapshot, id)?;
        for shown in document.shown(&source.text).into_iter().filter(|_| !only_unread) {
            let _ = writeln!(out, "{}", line(shown));
        }
        return Ok(out);
    }
    let mut pipeline = Pipeline::default();
    let coverage = ruleset(snapshot, id, dialect, &mut pipeline)?;
    if only_unread {
        let places = Places::of(snapshot);
        for doubt in pipeline.doubts.iter().filter(|d| d.kind == DoubtKind::Unread) {
            let origin = pipeline.origin(doubt.origin);
            let given = snapshot.source(origin.at.source).filter(|_| origin.has_lines);
            let at = places.line_column(origin.at.source, origin.at.start as usize);
            let place = if let (Some(s), Some((line, column))) = (given, at) {
                format!("{}:{line}:{column}", s.name)
            } else {
                let handle = origin.handle.map_or_else(String::new, |h| format!(", handle {h}"));
                format!("{}: {}{handle}", source.name, origin.object)
            };
            let _ = writeln!(out, "{}", line(format!("{place}: {}", doubt.what)));
        }
        return Ok(out);
    }
    let Counts { statements, understood, approximated, .. } = coverage.counts;
    if statements > 0 && understood + approximated == 0 {
        let first = source.text.lines().next().map_or(0, str::len);
        let message = format!("none of its {statements} statements is understood");
        let help = format!("check that these are {}, as the system itself prints them", dialect.about().what);
        return Err(InputError::at(id, 0..first, message).help(help));
    }
    out += &print::pipeline(&pipeline);
    if !coverage.left_out.is_empty() {
        let _ = writeln!(out, "\n# on, but not among these rules:");
    }
    let places = Places::of(snapshot);
    for rule in &coverage.left_out {
        let (row, _) = places.line_column(rule.at.source, rule.at.start as usize).unwrap_or_default();
        let text = format!("#   {}:{row}: \"{}\": {}", source.name, rule.rule, rule.why);
        let _ = writeln!(out, "{}", line(text));
    }
    let _ = writeln!(out, "\n# {}", figure(&coverage.counts));
    Ok(out)
}

fn figure(c: &Counts) -> String {
    let known = c.understood + c.approximated;
    let percent = if c.statements == 0 { 100.0 } else { ratio(known, c.statements) };
    format!(
        "{} statements: {} understood, {} approximated, {} not understood ({percent:.1} % known)",
        c.statements, c.understood, c.approximated, c.unread
    )
}

#[allow(clippy::cast_precision_loss)] // a percentage of counts far below 2⁵²
fn ratio(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all as f64
}

/// Figures for each file under a directory and in all.
fn figures(dir: &Path, shell: &Shell) -> u8 {
    let mut files = Vec::new();
    if let Err(e) = collect(dir, &mut files) {
        let error =
            InputError::about(gather::shown(dir), format!("this directory cannot be read: {}", gather::reason(&e)));
        shell.error(&error.help("name a directory with configuration files"), &Snapshot::default());
        return NO_ANSWER;
    }
    files.sort();
    let mut total = Counts::default();
    let (mut read, mut refused) = (0, 0);
    let mut out = String::new();
    let inside = dir.canonicalize().ok();
    for file in &files {
        let name = gather::shown(file);
        // The folder may be a stranger's, and what its links lead to is not what was named.
        let here = file.canonicalize().ok().zip(inside.as_ref()).is_none_or(|(real, dir)| real.starts_with(dir));
        let given = if here {
            gather::read(file, &name, gather::MAX_BYTES)
        } else {
            Err(("a link that leads out of this directory".to_owned(), String::new()))
        };
        let outcome = given.map_err(|(message, _)| message).and_then(|text| {
            recognise(SourceId(1), &text).map_err(|e| e.message)?;
            let text = without_secrets(text);
            let snapshot = Snapshot {
                sources: vec![Source::default(), Source { name: name.clone(), text }],
                directory: String::new(),
            };
            let id = SourceId(1);
            let dialect = recognise(id, &snapshot.sources[1].text).map_err(|e| e.message)?;
            if dialect.about().standing == Standing::Facts {
                return dialect.read(&snapshot, id).map(|_| None).map_err(|e| e.message);
            }
            let coverage = ruleset(&snapshot, id, dialect, &mut Pipeline::default());
            coverage.map(|c| Some(c.counts)).map_err(|e| e.message)
        });
        match outcome {
            Ok(Some(counts)) => {
                read += 1;
                total.add(counts);
                let _ = writeln!(out, "{}: {}", line(name), figure(&counts));
            }
            Ok(None) => {
                let _ = writeln!(out, "{}: addresses, routes, routing rules or settings", line(name));
            }
            Err(message) => {
                refused += 1;
                let _ = writeln!(out, "{}", line(format!("{name}: not read: {message}")));
            }
        }
    }
    let _ = writeln!(out, "\n{read} rulesets, {refused} files not read; {}", figure(&total));
    Shell::print(&out);
    u8::from(read == 0) * NO_ANSWER
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        // Links to folders are not followed: they may lead in circles.
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
