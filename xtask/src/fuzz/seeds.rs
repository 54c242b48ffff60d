//! First inputs of a campaign: what the repository holds in examples, scenarios, fixtures, profiles and tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes the seeds of a target into a folder; how many.
pub fn write(root: &Path, target: &str, into: &Path) -> Result<usize, String> {
    let texts = match target {
        "manifest" => collect(root, "callpath.toml", &["crates/core/src/manifest/tests.rs", "crates/callpath/tests"]),
        "profile" => files(&root.join("profiles"), ".toml").iter().filter_map(|p| fs::read(p).ok()).collect(),
        "nft_text" => rulesets(root),
        "nft_json" => listed(&rulesets(root))
            .chain(literals_in(root, &["crates/core/src/dialect/nft/json/tests.rs", "crates/callpath/tests"]))
            .filter(|t| t.starts_with(b"{"))
            .collect(),
        "config_xml" => collect(root, ".xml", &["crates/core/tests/pfsense_fields", "crates/core/src/dialect/pfsense"])
            .into_iter()
            .filter(|t| t.starts_with(b"<"))
            .collect(),
        "rules_debug" => {
            collect(root, ".debug", &["crates/core/src/dialect/pf/text/tests.rs", "crates/callpath/tests/bad_files.rs"])
        }
        "files" => sites(root).iter().map(together).collect(),
        "snapshot" => sites(root).iter().map(snapshot).collect(),
        "printing" => names(root),
        _ => choices(),
    };
    let _ = fs::remove_dir_all(into);
    fs::create_dir_all(into).map_err(|e| format!("{}: {e}", into.display()))?;
    let all: BTreeSet<Vec<u8>> = texts.into_iter().filter(|t: &Vec<u8>| !t.is_empty()).collect();
    for (n, text) in all.iter().enumerate() {
        fs::write(into.join(format!("{n:04}")), text).map_err(|e| format!("{}: {e}", into.display()))?;
    }
    if all.is_empty() { Err(format!("no seeds for {target}")) } else { Ok(all.len()) }
}

/// Files with this end, in examples and scenarios, and the strings of tests.
fn collect(root: &Path, end: &str, tests: &[&str]) -> Vec<Vec<u8>> {
    let plain = ["examples", "fixtures", "crates/core/src"].iter().flat_map(|d| files(&root.join(d), end));
    let mut out: Vec<Vec<u8>> = plain.filter_map(|p| fs::read(p).ok()).collect();
    for path in ["scenarios", "fixtures"].iter().flat_map(|d| files(&root.join(d), ".md")) {
        let text = fs::read_to_string(path).unwrap_or_default();
        out.extend(blocks(root, &text, end).into_iter().map(String::into_bytes));
    }
    out.extend(literals_in(root, tests));
    out
}

/// Files of a site, each with its name.
type Site = Vec<(String, String)>;

/// The examples, and the scenarios with all their files.
fn sites(root: &Path) -> Vec<Site> {
    let example = |name: &str| -> Site {
        let folder = root.join("examples").join(name);
        let paths = files(&folder, "").into_iter();
        let file = |p: PathBuf| {
            let name = p.strip_prefix(&folder).unwrap_or(&p).to_string_lossy().into_owned();
            Some((name, fs::read_to_string(&p).ok()?))
        };
        paths.filter_map(file).collect()
    };
    let mut out: Vec<Site> = ["linux-router", "spokes", "reflector"].map(example).into();
    for path in files(&root.join("scenarios"), ".md") {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut site = example(example_of(&text));
        for piece in text.split("\n```").skip(1).step_by(2) {
            let Some((info, body)) = piece.split_once('\n') else { continue };
            let Some((kind, name)) =
                info.split_once(' ').filter(|(kind, _)| !["report", "cure", "trace"].contains(kind))
            else {
                continue;
            };
            let old = site.iter().position(|(n, _)| n == name);
            let new = match old {
                Some(at) if kind == "diff" => patched(&site[at].1, body),
                _ => format!("{body}\n"),
            };
            site.retain(|(n, _)| n != name);
            site.insert(old.unwrap_or(site.len()), (name.to_owned(), new));
        }
        out.push(site);
    }
    out
}

/// The files of a router, each behind a line with its name; the manifest is the target's own.
fn together(site: &Site) -> Vec<u8> {
    let files = site.iter().filter(|(name, _)| name != "callpath.toml");
    files.flat_map(|(name, text)| ["=== ", name, "\n", text]).collect::<String>().into_bytes()
}

/// The site as `callpath snapshot` writes it.
fn snapshot(site: &Site) -> Vec<u8> {
    let quoted = |text: &str| {
        let inside = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
        format!("\"{inside}\"")
    };
    let source = |(name, text): &(String, String)| format!("{{\"name\":{},\"text\":{}}}", quoted(name), quoted(text));
    let sources = site.iter().map(source).collect::<Vec<_>>().join(",\n");
    format!("{{\"schema\":\"callpath.snapshot/1\",\"callpath\":\"0\",\"sources\":[\n{sources}]}}\n").into_bytes()
}

/// Choices of a site and of places, and behind them the names that the tests try.
fn names(root: &Path) -> Vec<Vec<u8>> {
    let texts = files(&root.join("crates/core/tests/hostile"), ".rs")
        .into_iter()
        .chain([root.join("crates/core/tests/hostile.rs")]);
    let names = texts.filter_map(|p| fs::read_to_string(p).ok()).flat_map(|t| literals(&t)).filter(|n| n.len() < 100);
    let mut byte = bytes();
    let mut name = |name: String| {
        let choices: Vec<u8> = (0..24).map(|_| byte()).collect();
        [choices, name.into_bytes()].concat()
    };
    names.map(&mut name).collect()
}

fn rulesets(root: &Path) -> Vec<Vec<u8>> {
    let tests = ["crates/core/src/dialect/nft/text/tests.rs", "crates/core/src/dialect/nft/lower/tests"];
    collect(root, ".nft", &tests)
}

/// Files below a folder.
fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    if dir.is_file() {
        return vec![dir.to_owned()];
    }
    let Ok(list) = fs::read_dir(dir) else { return Vec::new() };
    let mut out: Vec<PathBuf> = list.flatten().flat_map(|e| files(&e.path(), end)).collect();
    out.retain(|p| p.to_string_lossy().ends_with(end));
    out.sort();
    out
}

/// Files in the fenced blocks of a document; a `diff` is made in the file of the example that it changes.
fn blocks(root: &Path, text: &str, end: &str) -> Vec<String> {
    let example = example_of(text);
    let mut out = Vec::new();
    for piece in text.split("\n```").skip(1).step_by(2) {
        let Some((info, body)) = piece.split_once('\n') else { continue };
        let name = info.split(' ').nth(1).unwrap_or(info);
        if !(name.ends_with(end) || end == ".nft" && info == "nft") {
            continue;
        }
        if !info.starts_with("diff ") {
            out.push(format!("{body}\n"));
            continue;
        }
        let old = fs::read_to_string(root.join("examples").join(example).join(name)).unwrap_or_default();
        out.push(patched(&old, body));
    }
    out
}

/// The example that a scenario changes.
fn example_of(text: &str) -> &str {
    text.lines().next().and_then(|l| l.strip_prefix("example: ")).unwrap_or("linux-router")
}

/// A file with a scenario's `diff` made in it.
fn patched(old: &str, diff: &str) -> String {
    let side = |skip: char| -> String {
        let lines = diff.lines().filter(|l| !l.starts_with(skip));
        lines.map(|l| l.get(1..).unwrap_or_default().to_owned() + "\n").collect()
    };
    old.replacen(&side('+'), &side('-'), 1)
}

/// Strings in tests that look like inputs.
fn literals_in(root: &Path, places: &[&str]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let paths: Vec<PathBuf> = places.iter().flat_map(|p| files(&root.join(p), ".rs")).collect();
    let texts = paths.into_iter().filter_map(|p| fs::read_to_string(p).ok());
    texts.flat_map(|t| literals(&t)).filter(|l| l.len() > 12).map(String::into_bytes)
}

/// The strings of a program.
fn literals(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let before = &rest[..at];
        rest = &rest[at + 1..];
        let hashes = before.len() - before.trim_end_matches('#').len();
        if before.trim_end_matches('#').ends_with('r') {
            let Some((inside, behind)) = rest.split_once(&format!("\"{}", "#".repeat(hashes))) else { break };
            out.push(inside.to_owned());
            rest = behind;
        } else if before.ends_with('\'') {
            // A character.
        } else {
            let (inside, behind) = unescaped(rest);
            out.push(inside);
            rest = behind;
        }
    }
    out
}

/// A string up to its closing quote, and what follows.
fn unescaped(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((at, '\n')) => {
                    let indent = text[at + 1..].find(|c: char| !c.is_whitespace()).unwrap_or(0);
                    chars = text.char_indices();
                    if at + indent > 0 {
                        chars.nth(text[..=at + indent].chars().count() - 1);
                    }
                }
                Some((_, other)) => out.push(other),
                None => {}
            },
            _ => out.push(c),
        }
    }
    (out, "")
}

/// Rulesets as `nft -j` lists them, each loaded into a network namespace of its own; where that is not possible, none.
fn listed(rulesets: &[Vec<u8>]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let file = std::env::temp_dir().join(format!("callpath-seed-{}.nft", std::process::id()));
    let mut out = Vec::new();
    for ruleset in rulesets {
        if fs::write(&file, ruleset).is_err() {
            break;
        }
        let script = "nft -f \"$1\" && nft -j list ruleset";
        let command =
            Command::new("unshare").args(["-Urn", "sh", "-c", script, "sh"]).arg(&file).env("PATH", path()).output();
        out.extend(command.ok().filter(|o| o.status.success()).map(|o| o.stdout));
    }
    let _ = fs::remove_file(&file);
    out.into_iter()
}

/// Where administrators' programs are, too.
fn path() -> String {
    std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin"
}

/// Numbers without an order (Knuth's MMIX constants).
fn bytes() -> impl FnMut() -> u8 {
    let mut state: u64 = 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    }
}

/// Choices for the trace: numbers without an order, and every fault of every example alone.
fn choices() -> Vec<Vec<u8>> {
    let mut byte = bytes();
    let mut out: Vec<Vec<u8>> =
        (0..64u8).map(|n| [n % 4].into_iter().chain((0..600).map(|_| byte())).collect()).collect();
    for (example, fault) in (0..3).flat_map(|e| (0..40).map(move |f| (e, f))) {
        out.push(vec![2, example, 1, fault, 0]);
        out.push(vec![2, example, 2, fault, byte(), 1, byte(), byte(), byte(), byte(), byte()]);
    }
    out
}
