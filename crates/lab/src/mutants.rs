//! Bugs planted into a copy of the workspace: the campaign must find every one, else its agreement means nothing.

use crate::namespace::Failure;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Folders of patches, and the campaign that must find them: its option, and how long it is.
const CAMPAIGNS: [(&str, &str, &str); 2] =
    [("crates/lab/mutants", "--packets", "20000"), ("crates/lab/mutants/pairs", "--pairs", "5000")];

/// How the copy is built: a bug changes one file, and the campaign is short, so that building quickly counts for more than
/// the fastest program. Who sets one of these keeps it.
const QUICK: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "true"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

/// What became of one planted bug.
#[derive(Debug)]
pub struct Outcome {
    /// Name of the patch.
    pub name: String,
    /// The campaign went red.
    pub caught: bool,
    /// What the campaign said last, or why there was none.
    pub said: String,
}

fn run(program: &str, args: &[&str], dir: &Path) -> Result<Output, Failure> {
    Command::new(program)
        .args(args)
        .current_dir(dir)
        .envs(QUICK.iter().filter(|(name, _)| std::env::var_os(name).is_none()).copied())
        // Inside of a repository, `git apply` would skip files that are not the repository's own.
        .env("GIT_CEILING_DIRECTORIES", dir.parent().unwrap_or(dir))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("`{program}` cannot be run: {e}"))
}

fn must(program: &str, args: &[&str], dir: &Path) -> Result<String, Failure> {
    let output = run(program, args, dir)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{program} {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr)))
}

/// Copies what git knows of the workspace, with changes that are not committed yet.
fn copy(workspace: &Path, to: &Path) -> Result<(), Failure> {
    let listing = must("git", &["ls-files", "-z", "-c", "-o", "--exclude-standard"], workspace)?;
    for name in listing.split('\0').filter(|n| !n.is_empty()) {
        let (from, target) = (workspace.join(name), to.join(name));
        if !from.is_file() {
            continue;
        }
        let parent = target.parent().unwrap_or(to);
        std::fs::create_dir_all(parent).map_err(|e| format!("{} cannot be made: {e}", parent.display()))?;
        std::fs::copy(&from, &target).map_err(|e| format!("{name} cannot be copied: {e}"))?;
    }
    Ok(())
}

fn patches(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{} cannot be read: {e}", dir.display()))?;
    let mut out: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    out.retain(|p| p.extension().is_some_and(|e| e == "patch"));
    out.sort();
    if out.is_empty() { Err(format!("{} holds no patches", dir.display())) } else { Ok(out) }
}

/// Plants each bug into a copy and runs the short campaign on it.
///
/// # Errors
/// When the copy cannot be made or a program is missing.
pub fn mutants(workspace: &Path) -> Result<Vec<Outcome>, Failure> {
    let workspace = &workspace.canonicalize().map_err(|e| format!("{} is not there: {e}", workspace.display()))?;
    let place = workspace.join("target/mutants");
    let work = place.join("workspace");
    // A copy of an earlier run would keep files that are gone since.
    let _ = std::fs::remove_dir_all(&work);
    copy(workspace, &work)?;
    let mut out = Vec::new();
    let mut planned = Vec::new();
    for (dir, option, length) in CAMPAIGNS {
        planned.extend(patches(&workspace.join(dir))?.into_iter().map(|patch| (patch, [option, length])));
    }
    for (patch, asked) in planned {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        eprintln!("planting {name}");
        let file = patch.to_string_lossy();
        let outcome = if let Err(why) = must("git", &["apply", &file], &work) {
            Outcome { name, caught: false, said: format!("does not apply: {why}") }
        } else {
            let outcome = campaign(name, asked, &work, &place)?;
            must("git", &["apply", "-R", &file], &work)?;
            outcome
        };
        eprintln!("  {}", outcome.said);
        out.push(outcome);
    }
    Ok(out)
}

fn campaign(name: String, asked: [&str; 2], work: &Path, place: &Path) -> Result<Outcome, Failure> {
    let target = place.join("target").to_string_lossy().into_owned();
    let build = ["build", "--release", "--locked", "--quiet", "--target-dir", &target, "--package", "callpath-lab"];
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    if let Err(why) = must(&cargo, &build, work) {
        return Ok(Outcome { name, caught: false, said: format!("does not build: {why}") });
    }
    let program = format!("{target}/release/differential");
    let fixtures = place.join("fixtures").to_string_lossy().into_owned();
    let [option, length] = asked;
    let args = [option, length, "--most", "1", "--minimise", "0", "--fixtures", &fixtures];
    let output = run(&program, &args, work)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().last().unwrap_or("the campaign said nothing").to_owned();
    let caught = output.status.code() == Some(1) && !said.ends_with("mismatches: 0");
    // The next bug must not trip over this one's fixtures.
    let _ = std::fs::remove_dir_all(&fixtures);
    Ok(Outcome { name, caught, said })
}
