//! The kernel as judge of every change of nftables that the reports of the examples, the scenarios and the planted faults
//! print: `nft` takes the lines over the rules as they were given, they add what the changed text holds, and the lines that
//! take them back leave what was there.

#[path = "../../core/tests/hostile/shell.rs"]
mod shell;

#[path = "../../core/tests/planted.rs"]
mod planted;

use crate::sites::{root, sites, snapshot};
use callpath_core::check::{Gate, proposals};
use callpath_core::dialect::{Patch, apply, recognise, steps};
use callpath_core::model::SourceId;
use callpath_core::report::Report;
use callpath_core::snapshot::Snapshot;
use planted::FAULTS;
use shell::{Blocks, Change, all_judged, load, record};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The changes of each file of nftables, with what is printed for a shell.
fn changes(about: &str, site: &Snapshot) -> Vec<Change> {
    let Ok((proposals, report)) = proposals(site, Gate::On) else { return Vec::new() };
    let mut patches = proposals.changes;
    patches.extend(proposals.apart);
    let mut out = Vec::new();
    for (index, source) in site.sources.iter().enumerate().skip(1) {
        let id = SourceId(u16::try_from(index).expect("a few files"));
        let here: Vec<&Patch> = patches.iter().filter(|(source, _)| *source == id).map(|(_, patch)| patch).collect();
        if here.is_empty() || recognise(id, &source.text).is_ok_and(|d| d.about().name != "nftables") {
            continue;
        }
        let after = apply(&source.text, &here).expect("the changes can be made together");
        let (lines, undo) = printed(&report, &source.name);
        // A statement that is taken out of the file has no lines that go together with others.
        let in_the_file = steps(&source.text, &here).0.iter().all(|s| s.shell().is_none());
        assert!(in_the_file || !lines.is_empty(), "{about}: {} changes, and nothing is printed for it", source.name);
        let before = source.text.clone();
        out.push(Change { about: format!("{about}: {}", source.name), before, after, lines, undo, words: None });
    }
    out
}

/// What is printed for a shell about a file, and how it is taken back.
fn printed(report: &Report, file: &str) -> (String, String) {
    let (mut lines, mut undo) = (String::new(), String::new());
    let changes = report.findings.iter().flat_map(|f| f.change.iter().chain(&f.apart)).filter(|c| c.file == file);
    for change in changes {
        for (out, steps) in [(&mut lines, &change.steps), (&mut undo, &change.undo)] {
            let shell = steps.iter().filter(|s| s.shell().is_some()).flat_map(|s| &s.lines);
            for line in shell.filter(|l| l.starts_with("nft ")) {
                *out += line;
                out.push('\n');
            }
        }
    }
    (lines, undo)
}

/// Gives each change once to the kernel, and each of its blocks to a shell whose commands only write down that they ran.
fn judged(name: &str, changes: Vec<Change>) {
    let mut seen = BTreeSet::new();
    let changes: Vec<Change> =
        changes.into_iter().filter(|c| seen.insert((c.before.clone(), c.lines.clone()))).collect();
    assert!(!changes.is_empty(), "{name}: no change of nftables");
    let mut blocks = Blocks::new();
    for change in &changes {
        for block in [&change.lines, &change.undo].into_iter().filter(|b| !b.is_empty()) {
            blocks.entry(block.clone()).or_insert_with(|| change.about.clone());
        }
    }
    record(name, &blocks);
    let judged = load(name, &changes);
    println!("{name}: {} of {} changes loaded by the kernel", judged.loaded, changes.len());
    all_judged(name, &judged, &[]);
}

#[test]
fn the_kernel_takes_the_changes_of_examples_and_scenarios() {
    let work = std::env::temp_dir().join(format!("callpath-pasted-{}", std::process::id()));
    let mut all = Vec::new();
    for dir in sites(&work) {
        let about = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // A scenario may be about a manifest that cannot be read.
        let manifest = std::fs::read_to_string(dir.join("callpath.toml")).expect("a manifest");
        if callpath_core::manifest::parse(&manifest).is_ok() {
            all.extend(changes(&about, &snapshot(&dir)));
        }
    }
    std::fs::remove_dir_all(&work).expect("clean up");
    judged("scenarios", all);
}

#[test]
fn the_kernel_takes_the_changes_of_planted_faults() {
    let mut all = Vec::new();
    for fault in FAULTS {
        let dir: PathBuf = root().join("examples").join(fault.example);
        let mut site = snapshot(&dir);
        for (file, from, to) in fault.edits {
            let source = site.sources.iter_mut().find(|s| s.name == *file).expect("faults name files that there are");
            source.text = source.text.replacen(from, to, 1);
        }
        all.extend(changes(&format!("{}: {:?}", fault.cause, fault.edits), &site));
    }
    judged("faults", all);
}
