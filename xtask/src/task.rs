//! The tasks themselves: each is a few commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Real calls as judge. Arguments go to the lab's program.
pub fn grid(args: &[String]) -> Result<(), String> {
    let mut all = vec!["run", "--release", "--locked", "--package", "callpath-lab", "--bin", "grid", "--"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all)
}

/// The kernel as judge. Arguments go to the lab's program.
pub fn differential(args: &[String]) -> Result<(), String> {
    let mut all = vec!["run", "--release", "--locked", "--package", "callpath-lab", "--bin", "differential", "--"];
    let root = root();
    let root = root.to_string_lossy();
    for arg in args {
        all.push(arg);
        if arg == "--mutants" {
            // Bugs are planted into a copy of the workspace.
            all.push(&root);
        }
    }
    cargo(&all)
}

/// The workspace's tests with shorter campaigns.
pub fn short_tests(args: &[String]) -> Result<(), String> {
    let args = args.iter().map(String::as_str);
    let all: Vec<&str> = ["test", "--workspace", "--locked"].into_iter().chain(args).collect();
    cargo_with(&root(), &[("CALLPATH_SHORT", "1")], &all)
}

/// One of the lab's programs as the tests build it: its release build would compile the whole core once more.
pub fn judge(program: &str, args: &[&str]) -> Result<(), String> {
    // Not `build`: it leaves features of dev-dependencies aside, and compiles most of the workspace once more.
    cargo(&["test", "--workspace", "--locked", "--no-run"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    run_in(&root(), &target.join("debug").join(program).to_string_lossy(), args)
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Runs cargo with its output on ours.
pub fn cargo(args: &[&str]) -> Result<(), String> {
    cargo_with(&root(), &[], args)
}

/// Runs cargo in a folder with more in its environment.
pub fn cargo_with(folder: &Path, more: &[(&str, &str)], args: &[&str]) -> Result<(), String> {
    // Inside `cargo xtask` this is the cargo that runs it.
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(&program);
    // A fresh clone is built once: what a second build would use again is half of what a build writes. The places that
    // debug information names are those of a backtrace; a failed test names its own without.
    if std::env::var_os("CI").is_some() {
        command.envs([("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_PROFILE_TEST_DEBUG", "0")]);
    }
    command.args(args).current_dir(folder).envs(more.iter().copied());
    finish(&mut command, &format!("{program} {}", args.join(" ")))
}

/// Runs a command with its output on ours.
pub fn run(program: &str, args: &[&str]) -> Result<(), String> {
    run_in(Path::new("."), program, args)
}

/// The same in a folder.
pub fn run_in(folder: &Path, program: &str, args: &[&str]) -> Result<(), String> {
    finish(Command::new(program).args(args).current_dir(folder), &format!("{program} {}", args.join(" ")))
}

fn finish(command: &mut Command, shown: &str) -> Result<(), String> {
    eprintln!("> {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("failed ({status}): {shown}")),
        Err(e) => Err(format!("cannot run {shown}: {e}")),
    }
}

/// What a command prints.
pub fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let shown = format!("{program} {}", args.join(" "));
    match Command::new(program).args(args).stderr(Stdio::inherit()).output() {
        Ok(out) if out.status.success() => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok(out) => Err(format!("failed ({}): {shown}", out.status)),
        Err(e) => Err(format!("cannot run {program}: {e}")),
    }
}
