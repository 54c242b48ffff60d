//! Rooms of the library and their directions: which may use which. A room uses those below it, so nothing goes in circles;
//! every exception is listed with its reason.

use crate::sources::{rust_files, without_tests};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Rooms from the lowest to the highest, each with those that it uses.
const ROOMS: &[(&str, &[&str])] = &[
    ("counters", &[]),
    ("visible", &[]),
    ("page", &["visible"]),
    ("secrets", &[]),
    ("xml", &["secrets"]),
    ("cube", &[]),
    ("model", &["cube", "visible"]),
    ("trace", &["counters", "cube", "model"]),
    ("vocabulary", &["cube", "model"]),
    ("snapshot", &["model", "visible"]),
    ("change", &["model", "visible", "vocabulary"]),
    ("manifest", &["change", "model", "secrets", "snapshot", "visible", "vocabulary"]),
    ("profile", &["cube", "manifest", "model", "snapshot", "vocabulary"]),
    ("requirement", &["manifest", "profile", "vocabulary"]),
    (
        "dialect",
        &[
            "change",
            "counters",
            "cube",
            "manifest",
            "model",
            "profile",
            "requirement",
            "secrets",
            "snapshot",
            "visible",
            "vocabulary",
            "xml",
        ],
    ),
    ("redact", &["dialect", "manifest", "profile", "secrets", "snapshot", "xml"]),
    ("way", &["manifest", "model", "trace", "vocabulary"]),
    ("finding", &["change", "model", "vocabulary", "way"]),
    (
        "site",
        &[
            "change",
            "cube",
            "dialect",
            "manifest",
            "model",
            "profile",
            "requirement",
            "snapshot",
            "trace",
            "vocabulary",
        ],
    ),
    ("verdict", &["cube", "manifest", "model", "profile", "requirement", "site", "trace", "vocabulary", "way"]),
    (
        "call",
        &[
            "cube",
            "manifest",
            "model",
            "profile",
            "requirement",
            "site",
            "snapshot",
            "trace",
            "verdict",
            "vocabulary",
            "way",
        ],
    ),
    (
        "report",
        &[
            "change",
            "cube",
            "finding",
            "manifest",
            "model",
            "page",
            "requirement",
            "trace",
            "verdict",
            "visible",
            "vocabulary",
            "way",
        ],
    ),
    (
        "explain",
        &[
            "call",
            "cube",
            "dialect",
            "manifest",
            "model",
            "profile",
            "report",
            "requirement",
            "site",
            "snapshot",
            "trace",
            "verdict",
            "vocabulary",
            "way",
        ],
    ),
    (
        "diagnose",
        &[
            "call",
            "change",
            "cube",
            "explain",
            "finding",
            "manifest",
            "model",
            "profile",
            "requirement",
            "site",
            "snapshot",
            "trace",
            "verdict",
            "vocabulary",
        ],
    ),
    (
        "check",
        &[
            "call",
            "change",
            "cube",
            "diagnose",
            "dialect",
            "explain",
            "finding",
            "manifest",
            "model",
            "profile",
            "report",
            "requirement",
            "site",
            "snapshot",
            "trace",
            "verdict",
            "vocabulary",
            "way",
        ],
    ),
    (
        "query",
        &[
            "call",
            "check",
            "cube",
            "explain",
            "manifest",
            "model",
            "profile",
            "report",
            "site",
            "snapshot",
            "trace",
            "verdict",
            "visible",
            "vocabulary",
            "way",
        ],
    ),
    (
        "render",
        &[
            "change",
            "check",
            "dialect",
            "manifest",
            "model",
            "profile",
            "report",
            "requirement",
            "site",
            "snapshot",
            "visible",
        ],
    ),
    ("ports", &["dialect", "manifest", "page", "profile", "report", "requirement", "snapshot", "vocabulary"]),
];

/// Rooms that use one above them, and why.
const UPWARDS: &[(&str, &str, &str)] = &[
    ("snapshot", "manifest", "a file with a snapshot is read with the manifest's own rules for secrets"),
    ("snapshot", "dialect", "and with those of every dialect"),
    ("snapshot", "redact", "and says whether names in it are pseudonyms"),
    ("manifest", "dialect", "a box that is stated is changed like one that is read"),
    ("manifest", "profile", "the products' names and keys are checked where they are read"),
    ("profile", "requirement", "a profile is expanded into requirements"),
    ("dialect", "redact", "the words that each dialect keeps are its own"),
];

/// The room of a module, which is given by its path: `site/lines`.
fn room(module: &str) -> &str {
    module.split('/').next().unwrap_or_default()
}

/// Modules that are there in tests alone: `mod toy;` after `#[cfg(test)]`.
fn in_tests(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let of = move |n: usize| {
        let rest = lines[n..].iter().find(|l| !l.starts_with("#["))?;
        rest.strip_prefix("mod ").and_then(|l| l.strip_suffix(';'))
    };
    let marked = text.lines().enumerate().filter(|(_, l)| *l == "#[cfg(test)]").map(|(n, _)| n);
    marked.filter_map(of)
}

/// Rooms that a text names: the word after each `crate::`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let lines = without_tests(text).lines().filter(|l| !l.trim_start().starts_with("//"));
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    lines.flat_map(|l| l.split("crate::").skip(1)).filter_map(move |rest| rest.split(|c| !word(c)).next())
}

/// Rooms that each room uses, with a file that does.
fn uses() -> BTreeMap<(String, String), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    let name = |p: &Path| p.strip_prefix(&root).expect("inside").to_string_lossy().replace('\\', "/");
    let texts: Vec<(String, String)> =
        files.iter().map(|p| (name(p), fs::read_to_string(p).expect("a source"))).collect();
    let mut tests = BTreeSet::new();
    for (file, text) in &texts {
        let folder = file.strip_suffix("mod.rs").map_or_else(|| file.replace(".rs", "/"), str::to_owned);
        tests.extend(in_tests(text).map(|module| format!("{folder}{module}")));
    }
    let mut out = BTreeMap::new();
    for (file, text) in &texts {
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
        if module == "lib" || module.ends_with("tests") || tests.iter().any(|t| module.starts_with(t.as_str())) {
            continue;
        }
        for used in named(text) {
            let from = room(module);
            if from != used && !used.is_empty() {
                out.entry((from.to_owned(), used.to_owned())).or_insert_with(|| file.clone());
            }
        }
    }
    out
}

#[test]
fn rooms_use_those_below_them() {
    let uses = uses();
    let at = |room: &str| ROOMS.iter().position(|(name, _)| *name == room);
    let upwards = |from: &str, to: &str| UPWARDS.iter().any(|(f, t, _)| *f == from && *t == to);
    let mut wrong = Vec::new();
    for ((from, to), file) in &uses {
        let allowed = at(from).is_some_and(|n| ROOMS[n].1.contains(&to.as_str()));
        if !allowed && !upwards(from, to) {
            wrong.push(format!("{file}: `{from}` uses `{to}`"));
        }
    }
    assert!(wrong.is_empty(), "not in the table:\n{}", wrong.join("\n"));
    for (n, (room, below)) in ROOMS.iter().enumerate() {
        for other in *below {
            assert!(at(other).is_some_and(|o| o < n), "`{other}` stands below `{room}`");
            assert!(uses.contains_key(&((*room).to_owned(), (*other).to_owned())), "`{room}` does not use `{other}`");
        }
    }
    for (from, to, why) in UPWARDS {
        assert!(
            uses.contains_key(&((*from).to_owned(), (*to).to_owned())),
            "`{from}` does not use `{to}` any more: {why}"
        );
    }
}

#[test]
fn rooms_are_told_apart() {
    assert_eq!(room("site/lines"), "site");
    assert_eq!(room("verdict"), "verdict");
    let text = "use crate::verdict::reach::Region;\nlet x = crate::model::Family::V4;\n// crate::report\n";
    assert_eq!(named(text).collect::<Vec<_>>(), ["verdict", "model"]);
    assert_eq!(in_tests("#[cfg(test)]\nmod toy;\n#[cfg(test)]\nuse super::x;\n").collect::<Vec<_>>(), ["toy"]);
}
