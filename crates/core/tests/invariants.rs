//! Invariant 2 of ARCHITECTURE.md: what follows packets and what tells people of it never asks who wrote a configuration.

use callpath_core::dialect::DIALECTS;
use std::fs;
use std::path::{Path, PathBuf};

const FOLDERS: &[&str] = &["cube", "model", "trace", "report"];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of the library") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// What is compiled into the library: no comments, and not the tests at the end of a file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, l)| *l != "mod tests {");
    lines.map(|(n, l)| (n + 1, l.replace("://", ":  ").find("//").map_or(l, |at| &l[..at])))
}

/// Words that stand for a dialect: its names, also inside of longer words, if they are no common letters.
fn vendor(word: &str) -> bool {
    let names = DIALECTS.iter().flat_map(|d| [d.name, d.title]).chain(["nft"]).map(str::to_lowercase);
    let word = word.to_lowercase();
    names.into_iter().any(|name| word == name || name.len() > 3 && word.contains(&name))
}

#[test]
fn no_vendor_is_named_where_packets_are_followed_and_told_about() {
    assert!(vendor("nftables") && vendor("PfSense") && vendor("pf") && !vendor("prefix"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&root.join(folder), &mut files);
    }
    files.retain(|f| !f.ends_with("tests.rs"));
    assert!(files.len() > 30, "{files:?}");
    let mut named = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a source");
        for (number, line) in code(&text) {
            if line.split(|c: char| !c.is_alphanumeric()).any(vendor) {
                named.push(format!("{}:{number}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(named.is_empty(), "the dialect has to say this:\n{}", named.join("\n"));
}
