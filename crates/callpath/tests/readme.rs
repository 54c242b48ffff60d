//! What the README shows is what the program prints, and its commands exist.

mod sites;

use sites::{Block, blocks, root, shows};
use std::fs;
use std::process::Command;

/// The report of a scenario (the scenarios' own test compares it with what the program prints), or of an example.
fn report(of: &str) -> String {
    if of.starts_with("examples/") {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(["check", of]).current_dir(root()).output();
        return String::from_utf8(output.expect("callpath runs").stdout).expect("text");
    }
    let text = fs::read_to_string(root().join(of)).expect("a scenario");
    let block = text.split("```report").nth(1).expect("a report");
    let (_, rest) = block.split_once('\n').expect("lines");
    rest.split("```").next().expect("an end").to_owned()
}

#[test]
fn the_reports_in_the_readme_are_real() {
    let text = fs::read_to_string(root().join("README.md")).expect("README");
    let shown: Vec<Block> = blocks(&text).into_iter().filter(|b| b.info.starts_with("text ")).collect();
    assert!(!shown.is_empty(), "a report");
    for block in shown {
        let of = block.info.trim_start_matches("text ");
        shows(&block.lines, &report(of)).unwrap_or_else(|why| panic!("{of}: {why}"));
    }
}

#[test]
fn the_commands_in_the_readme_exist() {
    let help = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).arg("--help").output().expect("runs");
        assert!(output.status.success(), "{args:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(help(&["check"]).contains("--format"));
    assert!(help(&["import"]).contains("--unread") && help(&["import"]).contains("--summary"));
    for command in ["ports", "render", "init", "snapshot", "explain", "schema"] {
        help(&[command]);
    }
    assert!(help(&[]).contains("Exit codes: 0"));
}
