//! What the README shows is what the program prints, and its commands exist.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

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
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).expect("README");
    let mut parts = text.split("```text ");
    let mut wanted = parts.next().expect("a beginning").to_owned();
    let mut shown = 0;
    for part in parts {
        let (of, rest) = part.split_once('\n').expect("what it is the report of");
        let (_, after) = rest.split_once("```").expect("an end");
        for piece in ["```text ", of, "\n", &report(of), "```", after] {
            wanted += piece;
        }
        shown += 1;
    }
    assert!(shown >= 2, "a site that works, and one that fails");
    if std::env::var_os("CALLPATH_BLESS").is_some() {
        fs::write(&path, wanted).expect("write");
    } else {
        assert!(text == wanted, "CALLPATH_BLESS=1 cargo test -p callpath --test readme writes it anew");
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
