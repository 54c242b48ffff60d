//! The tasks themselves: each is a few commands.

use std::path::Path;
use std::process::Command;

/// Packets of the short campaign that belongs to the tests.
const SHORT_CAMPAIGN: &str = "20000";
/// Pairs of parties of the short campaign that belongs to the tests.
const FEW_PAIRS: &str = "5000";

/// Everything that continuous integration runs.
pub fn test() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    cargo(&["test", "--workspace", "--locked"])?;
    cargo(&["run", "--release", "--locked", "--package", "callpath-lab", "--bin", "changes"])?;
    differential(&["--packets".into(), SHORT_CAMPAIGN.into()])?;
    differential(&["--pairs".into(), FEW_PAIRS.into()])?;
    grid(&["--tenth".into()])
}

/// Real calls as judge. Arguments go to the lab's program.
pub fn grid(args: &[String]) -> Result<(), String> {
    let mut all = vec!["run", "--release", "--locked", "--package", "callpath-lab", "--bin", "grid", "--"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all)
}

/// The kernel as judge. Arguments go to the lab's program.
pub fn differential(args: &[String]) -> Result<(), String> {
    let mut all = vec!["run", "--release", "--locked", "--package", "callpath-lab", "--bin", "differential", "--"];
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for arg in args {
        all.push(arg);
        if arg == "--mutants" {
            // Bugs are planted into a copy of the workspace.
            all.push(root);
        }
    }
    cargo(&all)
}

fn cargo(args: &[&str]) -> Result<(), String> {
    // Inside `cargo xtask` this is the cargo that runs it.
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    run(&program, args)
}

/// Runs a command with its output on ours.
pub fn run(program: &str, args: &[&str]) -> Result<(), String> {
    run_in(Path::new("."), program, args)
}

/// The same in a folder.
pub fn run_in(folder: &Path, program: &str, args: &[&str]) -> Result<(), String> {
    let shown = format!("{program} {}", args.join(" "));
    eprintln!("> {shown}");
    match Command::new(program).args(args).current_dir(folder).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("failed ({status}): {shown}")),
        Err(e) => Err(format!("cannot run {program}: {e}")),
    }
}
