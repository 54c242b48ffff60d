//! `cargo xtask ci`: what continuous integration runs, step by step.

use crate::task::{cargo, judge};
use crate::{deny, fuzz, msrv, tools};
use std::time::{Duration, Instant};

/// Packets of the short campaign that belongs to the tests.
const SHORT_CAMPAIGN: &str = "20000";
/// Pairs of parties of the short campaign that belongs to the tests.
const FEW_PAIRS: &str = "5000";
/// Filters on a wire that belong to the tests.
const FEW_FILTERS: &str = "24";

/// A step: its name, and what it does.
type Step = (&'static str, fn() -> Result<(), String>);

/// Every step, the quick ones first.
const STEPS: &[Step] = &[
    ("programs", tools::needed),
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("dependencies", deny::check),
    ("msrv", msrv::check),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])),
    ("fuzz", fuzz::compiles),
    ("tests", || cargo(&["test", "--workspace", "--locked"])),
    ("changes", || judge("changes", &[])),
    ("packets", || judge("differential", &["--packets", SHORT_CAMPAIGN])),
    ("pairs", || judge("differential", &["--pairs", FEW_PAIRS])),
    ("filters", || judge("differential", &["--filters", FEW_FILTERS])),
    ("grid", || judge("grid", &["--tenth"])),
];

/// Runs all steps, or those that are named, and says how long each took. The first that fails ends it.
pub fn run(only: &[String]) -> Result<(), String> {
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|(known, _)| known != name)) {
        let names: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no step is called `{unknown}`; steps: {}", names.join(", ")));
    }
    let mut took: Vec<(&str, Duration)> = Vec::new();
    let mut outcome = Ok(());
    for (name, step) in STEPS.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|o| o == name)) {
        eprintln!("== {name}");
        let start = Instant::now();
        let done = step();
        took.push((name, start.elapsed()));
        eprintln!("== {name}: {}, {}", if done.is_ok() { "good" } else { "FAILED" }, shown(start.elapsed()));
        if let Err(why) = done {
            outcome = Err(format!("{name}: {why}"));
            break;
        }
    }
    eprintln!("\n{}", summary(&took));
    outcome
}

fn summary(took: &[(&str, Duration)]) -> String {
    let lines = took.iter().map(|(name, time)| format!("  {name:<14}{:>8}", shown(*time)));
    let all = took.iter().map(|(_, time)| *time).sum();
    lines.chain([format!("  {:<14}{:>8}", "all", shown(all))]).collect::<Vec<_>>().join("\n")
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f32())
    } else {
        format!("{}:{:02} min", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::root;

    #[test]
    fn what_contributors_run_is_what_runs() {
        let read = |file: &str| std::fs::read_to_string(root().join(file)).expect(file);
        assert!(read(".ci/run").ends_with("\nexec cargo xtask ci\n"));
        for file in ["README.md", "CONTRIBUTING.md"] {
            assert!(read(file).contains("`cargo xtask ci`"), "{file} names the command");
        }
    }

    #[test]
    fn durations_are_listed_with_their_sum() {
        let took = [("one", Duration::from_millis(1500)), ("two", Duration::from_secs(119))];
        assert_eq!(summary(&took), "  one              1.5 s\n  two           1:59 min\n  all           2:00 min");
        assert!(run(&["tset".into()]).is_err_and(|e| e.contains("steps: programs, format")));
    }
}
