//! Text and JSON of one ruleset, as real `nft` wrote them, mean the same.

use super::*;
use crate::dialect::nft::{json, text};
use crate::model::SourceId;
use crate::model::print::pipeline;
use crate::snapshot::Source;
use std::path::Path;

fn of_text(t: &str) -> (Pipeline, Coverage) {
    let ruleset = text::parse(SourceId(0), &[Source { name: "r.nft".into(), text: t.into() }]).expect("reads");
    let mut p = Pipeline::default();
    let coverage = lower(&ruleset, true, &mut p);
    (p, coverage)
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
        // JSON names an xtables extension and no more, where the text of the same rule spells it out, and leaves out
        // the device of an ingress chain: there it must leave open what the text decides.
        let open = |j: &str| j.contains("xtables") || j.contains("on some device");
        let (a, b): (Vec<&str>, Vec<&str>) = a.lines().zip(b.lines()).filter(|(_, j)| !open(j)).unzip();
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
            for d in p.doubts.iter().filter(|d| d.unread) {
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
    println!("{read} files of the corpus: {all:?}");
    assert!(all.unread * 50 <= all.statements, "{all:?}");
}

#[test]
fn flags_are_compared_as_the_kernel_is_told_to() {
    // What `nft --debug=netlink` 1.0.6 prints for each: a mask, or the plain value.
    let (p, _) = of_text(
        "table ip t {\n chain c {\n  ct state != established,related accept\n  ct state ! new accept\n  tcp flags != syn accept\n  \
         tcp flags syn,ack accept\n  tcp flags == syn accept\n  tcp flags & (fin|syn) == syn accept\n  tcp flags syn / syn,ack accept\n }\n}\n",
    );
    let text = pipeline(&p);
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|l| l.ends_with("accept")).skip_while(|l| !l.starts_with("state")).collect();
    assert_eq!(
        lines,
        [
            "state not in {6}, accept",
            "state & 0x8 in {0}, accept",
            "protocol in {6}, tcp flags not in {2}, accept",
            "protocol in {6}, tcp flags & 0x12 not in {0}, accept",
            "protocol in {6}, tcp flags in {2}, accept",
            "protocol in {6}, tcp flags & 0x3 in {2}, accept",
            "protocol in {6}, tcp flags & 0x12 in {2}, accept",
        ]
    );
}

#[test]
fn what_a_statement_needs_of_a_packet_holds_where_listings_leave_it_out() {
    let (p, _) = of_text(
        "table inet t {\n set s { type ipv4_addr; flags dynamic; }\n map h { type inet_service : ct helper; elements = { 5060 : \"sip\" } }\n \
         chain c {\n  reject with icmp host-unreachable\n  add @s { ip saddr } drop\n  meter m { tcp dport . ip6 saddr counter } drop\n  \
         ct helper set udp dport map { 5060 : \"sip\" } accept\n  ct helper set udp dport map @h accept\n  counter name tcp dport map { 80-90 : \"c\" } accept\n }\n}\n",
    );
    let text = pipeline(&p);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| l.contains("in {")).collect();
    assert_eq!(
        lines,
        [
            "family in {2}, reject with icmp host-unreachable",
            "family in {2}, drop",
            "protocol in {6}, family in {10}, drop",
            "protocol in {17}, destination port in {5060}, accept",
            "protocol in {17}, destination port in {5060}, accept",
            "protocol in {6}, destination port in {80-90}, accept",
        ]
    );
}
