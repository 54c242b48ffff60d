//! Rules of JSON listings print as the text listing of the same ruleset has them.

use super::*;
use crate::dialect::nft::{ast::Ruleset, json, text};
use crate::model::SourceId;
use crate::snapshot::Source;
use std::path::Path;

/// Rules with their places, chain by chain.
fn rules(r: &Ruleset) -> Vec<&Rule> {
    r.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules).collect()
}

/// Takes out what the syntax tree does not keep: counts, and what logs and limits say.
fn plain(listed: &str) -> String {
    let words: Vec<&str> = listed.split_whitespace().collect();
    let mut out: Vec<&str> = Vec::new();
    let mut i = 0;
    while i < words.len() {
        out.push(words[i]);
        i += if words[i] == "counter" && words.get(i + 1) == Some(&"packets") { 5 } else { 1 };
    }
    out.join(" ")
}

/// Statements whose operands are not kept, or of which JSON says less than the text.
fn is_kept(listed: &str) -> bool {
    !["log", "limit", "xt ", "#", "ct count", "quota", "…"].iter().any(|w| listed.contains(w))
}

#[test]
fn rules_of_json_listings_print_as_text_listings_have_them() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/derived");
    let mut texts: Vec<_> = std::fs::read_dir(dir).map(|d| d.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    texts.retain(|p: &std::path::PathBuf| p.to_string_lossy().ends_with(".listed.nft"));
    let (mut equal, mut all) = (0, 0);
    for path in &texts {
        let listed = std::fs::read_to_string(path).expect("text");
        let json_path = path.to_string_lossy().replace(".listed.nft", ".json");
        let from_json = json::parse(SourceId(0), &std::fs::read_to_string(json_path).expect("json")).expect("reads");
        let sources = [Source { name: "l.nft".into(), text: listed.clone() }];
        let from_text = text::parse(SourceId(0), &sources).expect("reads");
        for (a, b) in rules(&from_text).into_iter().zip(rules(&from_json)) {
            let wanted = plain(&listed[a.at.start as usize..a.at.end as usize]);
            let got = rule(b);
            if !is_kept(&wanted) || !is_kept(&got) {
                continue;
            }
            all += 1;
            if wanted == got {
                equal += 1;
            } else {
                println!("{}\n  listed  {wanted}\n  printed {got}", path.display());
            }
        }
    }
    println!("{equal} of {all} rules of {} listings of the corpus print as nft lists them", texts.len());
    assert!(equal * 100 >= all * 98, "{equal} of {all}");
}
