//! Text and JSON of one ruleset, as real `nft` wrote them, mean the same.

mod changes;
mod matches;
mod stages;
mod translation;

use super::*;
use crate::dialect::nft::{json, text};
use crate::model::print::pipeline;
use crate::model::{DoubtKind, SourceId};
use crate::snapshot::Source;
use std::path::Path;

fn of_text(t: &str) -> (Pipeline, Coverage) {
    let ruleset = text::parse(SourceId(0), &[Source { name: "r.nft".into(), text: t.into() }]).expect("reads");
    let mut p = Pipeline::default();
    let coverage = lower(&ruleset, true, &mut p);
    (p, coverage)
}

/// The model of one rule in a table of this family, which may hold `more` before its chain.
fn rule_with(family: &str, more: &str, rule: &str) -> String {
    let table = format!("table {family} t {{\n {more}\n chain other {{\n }}\n chain c {{\n  {rule}\n }}\n}}\n");
    let (p, _) = of_text(&table);
    pipeline(&p).lines().last().unwrap_or_default().trim().to_owned()
}

fn rule(family: &str, rule: &str) -> String {
    rule_with(family, "", rule)
}

/// Each rule of a family lowers to the line beside it.
fn check(family: &str, cases: &[(&str, &str)]) {
    for (text, model) in cases {
        assert_eq!(rule(family, text), *model, "{family}: {text}");
    }
}

fn of_json(t: &str) -> (Pipeline, Coverage) {
    let ruleset = json::parse(SourceId(0), t).expect("reads");
    let mut p = Pipeline::default();
    let coverage = lower(&ruleset, false, &mut p);
    (p, coverage)
}

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")
}

fn files(dir: &str, end: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(corpus().join(dir)) else { return Vec::new() };
    let mut out: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    out.retain(|p| p.to_string_lossy().ends_with(end));
    out.sort();
    out
}

/// The chain that stands in front of an ingress chain without device.
fn is_front(chain: &str) -> bool {
    chain.lines().next().is_some_and(|l| l.starts_with("chain ") && l.ends_with(" on some device"))
}

/// Lines that differ, for a readable failure.
fn difference(a: &[&str], b: &[&str]) -> String {
    let pairs = a.iter().zip(b).filter(|(x, y)| x != y).take(5);
    pairs
        .flat_map(|(x, y)| {
            [
                "text ", x, "
json ", y, "
",
            ]
        })
        .collect()
}

#[test]
fn listings_in_text_and_json_give_the_same_model() {
    let (mut pairs, mut lines) = (0, 0);
    for path in files("derived", ".listed.nft") {
        let other = path.to_string_lossy().replace(".listed.nft", ".json");
        let (text, json) =
            (std::fs::read_to_string(&path).expect("text"), std::fs::read_to_string(&other).expect("json"));
        let (a, b) = (pipeline(&of_text(&text).0), pipeline(&of_json(&json).0));
        // JSON of nft 1.0.6 leaves out the device of an ingress chain: a chain in front says so.
        let b: Vec<&str> = b.split("\n\n").filter(|chain| !is_front(chain)).flat_map(str::lines).collect();
        let a: Vec<&str> = a.split("\n\n").flat_map(str::lines).collect();
        assert_eq!(a.len(), b.len(), "{}", path.display());
        // It names an xtables extension and no more, where the text of the same rule spells it out. In both cases JSON
        // must leave open what the text decides.
        let open = |json: &str| json.contains("xtables") || json.contains("on some device");
        let (a, b): (Vec<&str>, Vec<&str>) = a.into_iter().zip(b).filter(|(_, json)| !open(json)).unzip();
        lines += a.len();
        assert!(a == b, "{}:\n{}", path.display(), difference(&a, &b));
        pairs += 1;
    }
    println!("compared {pairs} pairs of listings of the corpus, {lines} lines of the model");
}

#[test]
fn nearly_every_statement_of_the_corpus_is_understood() {
    let mut all = Coverage::default();
    let mut read = 0;
    for (dir, end) in [("nftables", ".nft"), ("derived", ".nft"), ("lab-dumps", ".nft")] {
        for path in files(dir, end) {
            let (p, c) = of_text(&std::fs::read_to_string(&path).expect("text"));
            for d in p.doubts.iter().filter(|d| d.kind == DoubtKind::Unread) {
                println!("{}: {}", path.display(), d.what);
            }
            all.add(c);
            read += 1;
        }
    }
    for (dir, end) in [("nftables-json", ".json"), ("derived", ".json"), ("lab-dumps", ".nft.json")] {
        for path in files(dir, end) {
            all.add(of_json(&std::fs::read_to_string(&path).expect("json")).1);
            read += 1;
        }
    }
    let kinds: Vec<String> = StatementKind::ALL
        .iter()
        .zip(all.kinds)
        .filter(|(_, (n, _))| *n > 0)
        .map(|(kind, (n, open))| format!("{} {n} ({open} open)", kind.name()))
        .collect();
    println!(
        "{read} files of the corpus: {} statements, {} understood, {} approximated, {} unread; {}",
        all.statements,
        all.understood,
        all.approximated,
        all.unread,
        kinds.join(", ")
    );
    assert_eq!(all.statements, all.understood + all.approximated + all.unread);
    assert!(all.unread * 50 <= all.statements, "{all:?}");
}
