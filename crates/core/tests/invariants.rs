//! Invariant 2 of ARCHITECTURE.md: what follows packets and what tells people of it never asks who wrote a configuration.

use crate::sources;
use callpath_core::dialect::DIALECTS;
use std::fs;
use std::path::{Path, PathBuf};

const FOLDERS: &[&str] = &["cube", "model", "trace", "way", "report"];

/// What is compiled into the library: no comments, and not the tests at the end of a file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, l)| *l != "mod tests {");
    lines.map(|(n, l)| (n + 1, l.replace("://", ":  ").find("//").map_or(l, |at| &l[..at])))
}

/// Words that stand for a dialect: its names, also inside of longer words, if they are no common letters.
fn vendor(word: &str) -> bool {
    let names = DIALECTS.iter().flat_map(|d| [d.about().name, d.about().title]).chain(["nft"]).map(str::to_lowercase);
    let word = word.to_lowercase();
    names.into_iter().any(|name| word == name || name.len() > 3 && word.contains(&name))
}

#[test]
fn no_vendor_is_named_where_packets_are_followed_and_told_about() {
    assert!(vendor("nftables") && vendor("PfSense") && vendor("pf") && !vendor("prefix"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = FOLDERS.iter().flat_map(|folder| sources::files(&root.join(folder))).collect();
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

/// Rooms outside of a dialect's folder that name it all the same.
const NAMED: &[(&str, &str, &str)] = &[
    ("pf", "dialect/document.rs", "pf is the engine of several systems, as netfilter is"),
    ("pf", "dialect/pfsense/", "pfSense is a generator of rules of pf"),
    ("nft", "dialect/document.rs", "netfilter as people call it"),
];

/// Folders of dialects with rules, and the names of what stands in each. Dumps and settings are facts of any device.
fn dialects(root: &Path) -> Vec<(String, Vec<&'static str>)> {
    let mut out: Vec<(String, Vec<&'static str>)> = Vec::new();
    for about in DIALECTS.iter().map(|d| d.about()).filter(|a| a.engine.is_some()) {
        let said = format!("name: \"{}\",", about.name);
        let folder = fs::read_dir(root.join("dialect")).expect("a folder").flatten().find(|folder| {
            let text = ["dialect.rs", "mod.rs"].map(|file| fs::read_to_string(folder.path().join(file)));
            text.into_iter().flatten().any(|text| text.contains(&said))
        });
        let folder =
            folder.unwrap_or_else(|| panic!("no folder has {said}")).file_name().into_string().expect("a name");
        match out.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, names)) => names.push(about.name),
            None => out.push((folder, vec![about.name])),
        }
    }
    out
}

/// How many times a line of code names the folder as a module, or is about a text that is one of the names.
fn names(line: &str, folder: &str, names: &[&str]) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let is_use = line.trim_start().trim_start_matches("pub ").starts_with("use ");
    let module = |(at, _): &(usize, &str)| {
        let (before, after) = (&line[..*at], &line[at + folder.len()..]);
        let whole = !before.ends_with(word) && !after.starts_with(word);
        whole && (is_use || after.starts_with("::") || before.ends_with("mod "))
    };
    let texts = line.split('"').skip(1).step_by(2);
    line.match_indices(folder).filter(module).count() + texts.filter(|text| names.contains(text)).count()
}

#[test]
fn a_dialect_is_its_folder_and_its_lines_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = sources::files(&root);
    files.extend(sources::files(&root.join("../../callpath/src")));
    let of_tests = |name: &str| name.trim_end_matches(".rs").ends_with("tests");
    files.retain(|f| !f.components().any(|c| of_tests(&c.as_os_str().to_string_lossy())));
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|f| {
            let name = f.strip_prefix(&root).unwrap_or(f).display().to_string();
            (name, fs::read_to_string(f).unwrap_or_default())
        })
        .collect();
    let all = dialects(&root);
    assert!(all.len() >= 3, "{all:?}");
    let mut faults = Vec::new();
    for (folder, own) in &all {
        let inside = format!("dialect/{folder}/");
        let excused = |file: &str| NAMED.iter().any(|(f, room, _)| f == folder && file.starts_with(room));
        let mut in_table = 0;
        for (file, text) in texts.iter().filter(|(file, _)| !file.starts_with(&inside) && !excused(file)) {
            for (number, line) in code(text) {
                let times = names(line, folder, own);
                if file == "dialect/mod.rs" {
                    in_table += times;
                } else if times > 0 {
                    faults.push(format!("{file}:{number}: {}", line.trim()));
                }
            }
        }
        // The module, and a line for each of its kinds of files.
        assert_eq!(in_table, 1 + own.len(), "{folder} in dialect/mod.rs");
    }
    assert!(faults.is_empty(), "the dialect has to say this:\n{}", faults.join("\n"));
}
