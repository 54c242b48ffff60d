//! `callpath fix`: what it writes makes every call work, and what is not checked is refused.

use crate::sites::{blocks, lay_out, root, scenarios};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn callpath(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
    let output = command.args(args).current_dir(dir).output().expect("callpath runs");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("text"))
}

/// The folder of a scenario.
fn scenario(file: &Path) -> PathBuf {
    let name = file.file_stem().and_then(|n| n.to_str()).expect("a name");
    let text = fs::read_to_string(file).expect("a scenario");
    let dir = std::env::temp_dir().join(format!("callpath-fix-{name}-{}", std::process::id()));
    lay_out(name, &text, &blocks(&text), &dir);
    dir
}

/// Every file below a folder, with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    out
}

#[test]
fn copies_of_every_scenario_work_and_nothing_else_is_changed() {
    let (mut repaired, mut refused, mut whole) = (0, 0, 0);
    for file in scenarios() {
        let text = fs::read_to_string(&file).expect("a scenario");
        let dir = scenario(&file);
        let about = file.display();
        let before = files(&dir);
        let verdict =
            ["exit 0", "exit 1", "exit 2"].iter().position(|exit| text.contains(&format!("```report {exit}")));
        let (code, said) = callpath(&dir, &["fix", "--out", "fixed"]);
        match (verdict, code) {
            (Some(0), _) => {
                whole += 1;
                assert_eq!(code, Some(0), "{about}: {said}");
                assert!(said.starts_with("nothing is to be repaired"), "{about}: {said}");
            }
            (Some(1), Some(0)) => {
                repaired += 1;
                let steps = fs::read_to_string(dir.join("fixed/steps.txt")).expect("steps");
                assert_eq!(callpath(&dir, &["fix"]).1.matches(&steps).count(), 1, "{about}: {steps}");
                let back = fs::read_to_string(dir.join("fixed/undo.txt")).expect("the way back");
                assert_eq!(callpath(&dir, &["fix", "--undo"]), (Some(0), back), "{about}");
                let mut copied = 0;
                for (copy, bytes) in files(&dir.join("fixed")) {
                    let own = dir.join(copy.strip_prefix(dir.join("fixed")).expect("below it"));
                    if own.exists() {
                        assert_eq!(before.get(&own), fs::read(&own).ok().as_ref(), "{about}: it was changed in place");
                        fs::write(&own, bytes).expect("the copy is put into place");
                        copied += 1;
                    }
                }
                // What is to be loaded is no change of a file.
                assert_eq!(text.contains("```cure works"), copied > 0, "{about}: {said}");
                assert_eq!(said.contains("no file is to be changed"), copied == 0, "{about}: {said}");
                assert_eq!(callpath(&dir, &["check"]).0 == Some(0), copied > 0, "{about}: with the copies");
            }
            (Some(1), Some(1)) => {
                refused += 1;
                assert!(said.contains("no change of these files was checked"), "{about}: {said}");
                assert_eq!(files(&dir), before, "{about}: something was written");
            }
            (Some(2), Some(2)) => {}
            other => panic!("{about}: {other:?}: {said}"),
        }
        fs::remove_dir_all(&dir).expect("clean up");
    }
    println!("{repaired} repaired, {refused} refused, {whole} work already");
    assert!(repaired >= 30 && refused >= 10 && whole >= 5);
}

#[test]
fn files_that_are_there_are_kept() {
    let dir = scenario(&root().join("scenarios/udp-forward-missing.md"));
    assert_eq!(callpath(&dir, &["fix", "--out", "fixed"]).0, Some(0));
    let before = files(&dir);
    let (code, said) = callpath(&dir, &["fix", "--out", "fixed"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is there already") && said.contains("--force"), "{said}");
    assert_eq!(callpath(&dir, &["fix", "--out", "fixed", "--force"]).0, Some(0));
    // The site's own folder: its files are never written over.
    let (code, said) = callpath(&dir, &["fix", "--out", ".", "--force"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is a file of the site itself"), "{said}");
    assert_eq!(files(&dir), before);
    fs::write(dir.join("file"), "").expect("write");
    let (code, said) = callpath(&dir, &["fix", "--out", "file"]);
    assert_eq!(code, Some(2), "{said}");
    fs::remove_dir_all(&dir).expect("clean up");
}

#[test]
fn nothing_of_a_snapshot_is_written() {
    let dir = scenario(&root().join("scenarios/udp-forward-missing.md"));
    assert_eq!(callpath(&dir, &["snapshot", "-o", "then.json"]).0, Some(0));
    let (code, said) = callpath(&dir, &["fix", "then.json", "--out", "fixed"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("a snapshot holds no configuration as it was") && !dir.join("fixed").exists(), "{said}");
    assert_eq!(callpath(&dir, &["fix", "then.json"]).0, Some(0));
    fs::remove_dir_all(&dir).expect("clean up");
}

#[test]
fn a_site_is_found_from_a_folder_in_it() {
    let dir = scenario(&root().join("scenarios/udp-forward-missing.md"));
    let below = dir.join("notes/old");
    fs::create_dir_all(&below).expect("folders");
    let (code, said) = callpath(&below, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("livekit on 192.168.1.50"), "{said}");
    let (code, said) = callpath(&below, &["fix", "--out", "fixed"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(below.join("fixed/ruleset.nft").exists(), "{said}");
    // The site's own files are kept from there too.
    let (code, said) = callpath(&below, &["fix", "--out", "../..", "--force"]);
    assert_eq!(code, Some(2), "{said}");
    fs::remove_dir_all(&dir).expect("clean up");
}

#[test]
fn a_cause_is_explained_by_a_part_of_its_code() {
    let here = root();
    let (code, whole) = callpath(&here, &["explain", "hairpin-missing"]);
    assert_eq!(code, Some(0), "{whole}");
    for word in ["HAIRPIN-MISSING", "error[hairpin-missing]", "hairpin missing"] {
        assert_eq!(callpath(&here, &["explain", word]), (Some(0), whole.clone()), "{word}");
    }
    let (code, several) = callpath(&here, &["explain", "hairpin"]);
    assert!(code == Some(0) && several.contains("hairpin-missing"), "{several}");
    assert_eq!(callpath(&here, &["explain", "tea"]).0, Some(2));
}
