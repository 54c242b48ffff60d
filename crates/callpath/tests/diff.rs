//! `callpath diff`: who gains, who loses, and what differs.

use crate::sites::{blocks, example, lay_out, root, scenarios};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn diff(args: &[&Path], format: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
    let output = command.arg("diff").args(args).args(["--format", format]).output().expect("callpath runs");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("text"))
}

/// A copy of an example, and what becomes of its rules.
fn variant(name: &str, change: impl Fn(&str) -> String) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("callpath-diff-{name}-{}", std::process::id()));
    lay_out("", "", &[], &dir);
    let rules = dir.join("ruleset.nft");
    fs::write(&rules, change(&fs::read_to_string(&rules).expect("rules"))).expect("write");
    dir
}

#[test]
fn every_scenario_differs_from_its_example_as_it_says() {
    let (mut worse, mut same) = (0, 0);
    for file in scenarios() {
        let name = file.file_stem().and_then(|n| n.to_str()).expect("a name");
        let text = fs::read_to_string(&file).expect("a scenario");
        let report = blocks(&text).into_iter().find(|b| b.info.starts_with("report ")).expect("a report");
        if report.info.starts_with("report exit 2") {
            continue;
        }
        let base = root().join("examples").join(example(&text));
        let dir = std::env::temp_dir().join(format!("callpath-diff-{name}-{}", std::process::id()));
        lay_out(name, &text, &blocks(&text), &dir);
        let about = file.display();
        let (code, json) = diff(&[&base, &dir], "json");
        let found: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{about}: {e}: {json}"));
        let paths = found["paths"].as_array().expect("paths");
        if report.info.contains("differs: ") && paths.iter().all(|p| p.get("old").is_some()) {
            worse += 1;
            assert_eq!(code, Some(1), "{about}: {json}");
            assert!(!paths.is_empty(), "{about}: {json}");
        }
        // What is lost by the one is gained by the other.
        let (_, back) = diff(&[&dir, &base], "json");
        let back: serde_json::Value = serde_json::from_str(&back).expect("JSON");
        assert_eq!((&found["lost"], &found["gained"]), (&back["gained"], &back["lost"]), "{about}");
        if worse % 4 == 0 {
            let (code, said) = diff(&[&dir, &dir], "text");
            same += usize::from(code == Some(0));
            assert!(said.starts_with("SAME") && !said.contains("statements"), "{about}: {said}");
        }
        fs::remove_dir_all(&dir).expect("clean up");
    }
    println!("{worse} fare worse than their example, {same} are as they are");
    assert!(worse >= 40 && same >= 10, "{worse} {same}");
}

#[test]
fn rules_in_other_words_are_the_same() {
    let base = root().join("examples/linux-router");
    let range = "udp dport 50000-60000";
    let dir = variant("words", |rules| {
        assert!(rules.contains(range));
        // Two halves for the whole, wherever it stands.
        rules
            .lines()
            .flat_map(|l| {
                let halves = ["udp dport 50000-54999", "udp dport 55000-60000"];
                if l.contains(range) { halves.map(|h| l.replace(range, h)).to_vec() } else { vec![l.to_owned()] }
            })
            .collect::<Vec<_>>()
            .join("\n")
    });
    let (code, said) = diff(&[&base, &dir], "text");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("SAME  nobody gains and nobody loses"), "{said}");
    assert!(said.contains("after ruleset.nft:"), "the statements are named: {said}");
    fs::remove_dir_all(&dir).expect("clean up");
}

#[test]
fn what_is_lost_and_gained_is_named_with_its_ports() {
    let base = root().join("examples/linux-router");
    let dir = variant("range", |rules| rules.replace("udp dport 50000-60000 dnat", "udp dport 50000-50499 dnat"));
    let (code, said) = diff(&[&base, &dir], "text");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("LOSES") && said.contains("udp 50500-60000 of 203.0.113.5"), "{said}");
    let (code, said) = diff(&[&dir, &base], "markdown");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("**GAINS**") && said.contains("### gained"), "{said}");
    fs::remove_dir_all(&dir).expect("clean up");
}

#[test]
fn bad_input_is_named() {
    let base = root().join("examples/linux-router");
    let (code, said) = diff(&[&base, Path::new("/nowhere")], "text");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("/nowhere"), "{said}");
    let dir = variant("bad", |_| "<?xml version=\"1.0\"?><pfsense>".into());
    let (code, said) = diff(&[&base, &dir], "json");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("ruleset.nft"), "{said}");
    fs::remove_dir_all(&dir).expect("clean up");
}
