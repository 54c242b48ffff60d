//! `callpath fix`: the change that `check` proposes and has checked, as steps or as copies of the files.

use crate::copies::{Copies, numbered};
use crate::folder::Also;
use crate::gather::Gathered;
use crate::shell::Shell;
use crate::{NO_ANSWER, gather};
use callpath_core::check::changes;
use callpath_core::dialect::{Patch, certain};
use callpath_core::model::SourceId;
use callpath_core::report::{Effect, Plan, Report, Severity, Verdict, paragraph, plans};
use callpath_core::snapshot::{InputError, Snapshot, Source};
use callpath_core::visible::{line, named};
use clap::Args;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// What to repair, and in which form.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A directory with a callpath.toml, or such a file
    #[arg(default_value = ".")]
    site: PathBuf,
    /// How to take it back
    #[arg(long, conflicts_with = "out")]
    undo: bool,
    /// Write copies of the changed files into this directory, with steps.txt and undo.txt
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Let --out replace files of an earlier run; never those that callpath.toml names
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    also: Also,
}

/// Some path does not work, and no checked change repairs it.
const NOT_REPAIRED: u8 = 1;

/// Prints or writes the change; the exit code.
pub fn run(arguments: &Arguments, shell: &Shell) -> u8 {
    let gathered = gather::site(&arguments.site, &arguments.also);
    let judged = match gathered.error.clone() {
        Some(error) => Err(error),
        None => changes(&gathered.snapshot),
    };
    let done = judged.and_then(|(patches, report)| {
        let plans = match checked(&report) {
            Ok(plans) => plans,
            Err(refused) => return Ok((refused, NOT_REPAIRED)),
        };
        let text = match &arguments.out {
            Some(out) if !plans.is_empty() => write(arguments, &gathered, out, &plans, &patches)?,
            _ if arguments.undo => undo(&plans),
            _ => steps(&report, &plans),
        };
        Ok((text, 0))
    });
    match done {
        Ok((text, code)) => {
            Shell::print(&text);
            code
        }
        Err(error) => {
            shell.error(&error, &gathered.snapshot);
            NO_ANSWER
        }
    }
}

/// The plans with which every path works; none where all works already.
///
/// # Errors
/// Why there are none, for the person who asked.
fn checked(report: &Report) -> Result<Vec<Plan<'_>>, String> {
    if report.verdict == Verdict::Works {
        return Ok(Vec::new());
    }
    let cure: Vec<Plan<'_>> =
        plans(report).into_iter().filter(|p| matches!(p.effect, Effect::Checked | Effect::Partial)).collect();
    let repairs = report.findings.iter().filter(|f| f.severity != Severity::Note && f.change.is_some());
    if !cure.is_empty() && cure.iter().all(|p| p.effect == Effect::Checked) && repairs.clone().all(|f| f.verified) {
        return Ok(cure);
    }
    let mut out =
        format!("{}\n\nno change of these files was checked to make every call work:\n", paragraph(&report.headline));
    for finding in report.findings.iter().filter(|f| f.severity != Severity::Note) {
        let why = match (&finding.refused, &finding.apart, &finding.change) {
            (Some(refused), ..) => refused.as_str(),
            (_, Some(_), _) => "the change that would repair it takes something from somebody",
            (_, _, Some(_)) => "its change repairs a part, but more is needed",
            _ => "it is nothing that a change of these files repairs",
        };
        let _ = writeln!(out, "  {}: {}", finding.code, line(why.to_owned()));
    }
    out.push_str("callpath check says what to do about each, and which steps help in part\n");
    Err(out)
}

/// The steps, by device.
fn steps(report: &Report, plans: &[Plan<'_>]) -> String {
    if plans.is_empty() {
        return "nothing is to be repaired: every call path works\n".into();
    }
    let mut out = paragraph(&report.headline);
    out.push_str("\nchecked: every call path works after these steps, and nothing that gets through\nnow is lost\n");
    out.push_str(&by_device(plans, |p| &p.steps));
    out.push_str("\ncallpath fix --undo prints how to take it back: print that before you begin;\ncallpath fix --out DIR writes copies of your files with the changes in them\n");
    out
}

/// The way back, the last change first.
fn undo(plans: &[Plan<'_>]) -> String {
    if plans.is_empty() {
        return "nothing is to be taken back: nothing would be changed\n".into();
    }
    by_device(plans, |p| &p.undo).trim_start().to_owned()
}

fn by_device<'p>(plans: &'p [Plan<'_>], list: impl Fn(&'p Plan<'_>) -> &'p Vec<callpath_core::change::Step>) -> String {
    let mut out = String::new();
    for plan in plans {
        let _ = writeln!(out, "\non {}\n{}", named(plan.device), numbered(list(plan)).trim_end());
    }
    out
}

/// Writes the way back, the steps, and a copy of each changed file.
fn write(
    arguments: &Arguments,
    gathered: &Gathered,
    out: &Path,
    plans: &[Plan<'_>],
    patches: &[(SourceId, Patch)],
) -> Result<String, InputError> {
    let snapshot: &Snapshot = &gathered.snapshot;
    if gathered.from_snapshot {
        // The names in it are those of another machine's files.
        let message = "a snapshot holds no configuration as it was: no copy of it can be made";
        return Err(InputError::about(gather::shown(out), message)
            .help("name the folder of the site, not a snapshot of it; or follow the steps without --out"));
    }
    let copies = Copies::new(gathered, &arguments.site, arguments.force);
    let mut ids: Vec<SourceId> = patches.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let sources: Vec<(&Source, Vec<&Patch>)> = ids
        .iter()
        .filter_map(|id| {
            Some((snapshot.source(*id)?, patches.iter().filter(|(i, _)| i == id).map(|(_, p)| p).collect()))
        })
        .collect();
    let like: Vec<PathBuf> = sources.iter().map(|(source, _)| copies.own(source)).collect();
    // Everything is ready before the first file is written.
    let mut files = vec![(out.join("undo.txt"), undo(plans), "how to take it back".to_owned())];
    files.push((out.join("steps.txt"), by_device(plans, |p| &p.steps).trim_start().to_owned(), "what to do".into()));
    for (source, patches) in &sources {
        let how = certain(&source.text).map_or("", |dialect| dialect.about().words.load);
        let about = format!(
            "{} with the changes in it{}{how}",
            line(source.name.clone()),
            if how.is_empty() { "" } else { "; " }
        );
        files.push((out.join(inside(&source.name)), copies.changed(source, patches)?, about));
    }
    for (n, (file, ..)) in files.iter().enumerate() {
        if files[..n].iter().any(|(other, ..)| other == file) {
            let name = gather::shown(file);
            return Err(InputError::about(name.as_str(), format!("two files would be written as `{name}`"))
                .help("follow the steps without --out"));
        }
        copies.free(file)?;
    }
    let mut said = String::new();
    for (file, text, about) in &files {
        let folder = file.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).map_err(|e| crate::save::failed(folder, &e))?;
        copies.put(file, text, &like)?;
        let _ = writeln!(said, "wrote {}, {about}", line(gather::shown(file)));
    }
    said.push_str(match sources.len() {
        0 => "no file is to be changed: follow steps.txt\n",
        _ => "your own files are as they were: load the copies, or follow steps.txt\n",
    });
    Ok(said)
}

/// Where a file's copy lies in the directory: as in the site, or by its name alone where it lies outside.
fn inside(name: &str) -> PathBuf {
    let path = Path::new(name);
    let plain = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if plain { path.to_path_buf() } else { path.file_name().map(PathBuf::from).unwrap_or_default() }
}
