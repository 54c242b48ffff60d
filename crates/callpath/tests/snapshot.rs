//! A snapshot gives the site's own report, and one with pseudonyms the same verdicts and nothing that tells whose it is.

use crate::sites;

use callpath_core::dialect::{Standing, recognise, ruleset, without_secrets};
use callpath_core::model::{Pipeline, SourceId};
use callpath_core::redact::{Key, redact};
use callpath_core::snapshot::{Snapshot, Source};
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn callpath(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(dir).output().expect("callpath runs")
}

/// Some keys.
const KEY: Key = Key::new(*b"a key for a test");
const OTHER: Key = Key::new(*b"and another key.");

/// Writes a file that nobody else can read.
fn private(file: &Path, text: &str) {
    fs::write(file, text).expect("written");
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
}

/// Exit code, verdicts in the order of paths, and codes of findings.
fn outcome(output: &Output) -> (Option<i32>, Vec<String>, Vec<String>) {
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let words = |list: &str, key: &str| -> Vec<String> {
        let list = json[list].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|v| v[key].as_str().expect("a word").to_owned()).collect()
    };
    (output.status.code(), words("paths", "verdict"), words("findings", "code"))
}

/// What hides nothing: addresses that stay by design.
fn constant(ip: IpAddr) -> bool {
    let blocks = [
        "0.0.0.0/8",
        "127.0.0.0/8",
        "224.0.0.0/3",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "192.88.99.0/24",
        "::/96",
        "ff00::/8",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "fe80::/112",
    ];
    // The blocks themselves, as everybody writes them.
    let names = [
        "10.0.0.0",
        "172.16.0.0",
        "192.168.0.0",
        "100.64.0.0",
        "169.254.0.0",
        "198.18.0.0",
        "fe80::",
        "fc00::",
        "fd00::",
        "2000::",
        "2001::",
        "2002::",
        "2001:db8::",
        "::ffff:0.0.0.0",
        "2002:a00::",
        "2002:7f00::",
        "2002:a9fe::",
        "2002:ac10::",
        "2002:c0a8::",
        "2002:e000::",
    ];
    let within = |block: &&str| {
        let (net, bits) = block.split_once('/').expect("a length");
        let (net, bits): (IpAddr, u32) = (net.parse().expect("a block"), bits.parse().expect("a length"));
        match (ip, net) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros() >= bits,
            (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros() >= bits,
            _ => false,
        }
    };
    blocks.iter().any(within) || names.iter().any(|n| n.parse() == Ok(ip))
}

/// All addresses of a text, cut out otherwise than the program does it.
fn addresses(text: &str) -> BTreeSet<IpAddr> {
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || ".:_".contains(c)));
    let ips = parts.filter_map(|p| p.trim_end_matches(['.']).parse().ok());
    ips.filter(|ip| !constant(*ip)).collect()
}

/// Descriptions, host names and user names of a backup, comments of rules: those that stand nowhere else in the text. What
/// does may be an interface, a table or an alias there, which keep their names.
fn tell_tales(text: &str) -> BTreeSet<String> {
    let mut places: Vec<Range<usize>> = Vec::new();
    if text.trim_start().starts_with('<') {
        let Ok(document) = roxmltree::Document::parse(text) else { return BTreeSet::new() };
        let telling = ["descr", "detail", "hostname", "domain", "description", "url", "username"];
        for node in document.descendants().filter(roxmltree::Node::is_text) {
            let of = node.parent().map_or("", |p| p.tag_name().name());
            let user = of == "name" && node.ancestors().any(|a| a.has_tag_name("user"));
            if telling.contains(&of) || user {
                places.push(node.range());
            }
        }
    } else {
        for mark in ["comment \"", "\"comment\": \""] {
            for (at, _) in text.match_indices(mark) {
                let start = at + mark.len();
                places.push(start..start + text[start..].find('"').unwrap_or(0));
            }
        }
    }
    let mut elsewhere = text.to_owned();
    places.sort_by_key(|p| std::cmp::Reverse(p.start));
    for place in &places {
        elsewhere.replace_range(place.clone(), " ");
    }
    let cdata = |t: &str| t.trim().trim_start_matches("<![CDATA[").trim_end_matches("]]>").trim().to_owned();
    let mut out: BTreeSet<String> = places.into_iter().map(|p| cdata(&text[p])).collect();
    // pfSense names interfaces itself: WAN, LAN, OPT1. Others are words of its own.
    let numbered = |t: &str, name: &str| t.strip_prefix(name).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let given = |t: &str| numbered(t, "OPT") || numbered(t, "VLAN") || ["pfSense", "{HOSTNAME}"].contains(&t);
    out.retain(|t| {
        t.len() > 3
            && !elsewhere.contains(t.as_str())
            && !t.chars().all(|c| "*|".contains(c) || c.is_whitespace())
            && !given(t)
    });
    out
}

fn same_outcome(dir: &Path, wrong: &mut Vec<String>) {
    let plain = callpath(dir, &["check"]);
    let wanted = outcome(&callpath(dir, &["check", "--format", "json"]));
    let written = callpath(dir, &["snapshot", "-o", "bug.json"]);
    // Two keys: by chance an address is the pseudonym of another, but not under both.
    let keys = [KEY, OTHER].map(|key| key.file());
    for (name, key) in ["key1", "key2"].iter().zip(&keys) {
        private(&dir.join(name), key);
    }
    let redacted = callpath(dir, &["snapshot", "--redact-key", "key1", "-o", "hidden.json"]);
    for (output, file) in [(&written, "bug.json"), (&redacted, "hidden.json")] {
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{}: {file} is not written: {said}", dir.display()));
            return;
        }
    }
    let again = callpath(dir, &["check", "bug.json"]);
    if (&again.stdout, &again.stderr, again.status) != (&plain.stdout, &plain.stderr, plain.status) {
        wrong.push(format!("{}: another report from its snapshot", dir.display()));
    }
    let all = fs::read_to_string(dir.join("bug.json")).expect("a snapshot");
    let mut left = addresses(&without_newlines(&all));
    for args in [&["check", "hidden.json"][..], &["check", "--redact-key", "key2"]] {
        let output = callpath(dir, &[args, &["--format", "json"]].concat());
        let now = outcome(&output);
        if now != wanted {
            let said = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{}: {args:?}\n  was {wanted:?}\n  is  {now:?}\n{said}", dir.display()));
        }
        let shown = String::from_utf8(output.stdout).expect("text");
        left = addresses(&shown).intersection(&left).copied().collect();
    }
    if !left.is_empty() {
        wrong.push(format!("{}: it shows {left:?}", dir.display()));
    }
}

/// Line ends of texts in JSON are letters behind a backslash.
fn without_newlines(json: &str) -> String {
    json.replace("\\n", " ").replace("\\t", " ")
}

#[test]
fn a_snapshot_gives_the_same_verdicts_with_and_without_pseudonyms() {
    let work = std::env::temp_dir().join(format!("callpath-snapshot-{}", std::process::id()));
    let sites = sites::sites(&work);
    assert!(sites.len() >= 13, "examples and scenarios");
    let mut wrong = Vec::new();
    for dir in &sites {
        same_outcome(dir, &mut wrong);
    }
    println!("{} sites", sites.len());
    let again = callpath(&sites[0], &["snapshot", "-o", "bug.json"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    fs::remove_dir_all(&work).expect("clean up");
    assert!(again.status.code() == Some(2) && said.contains("not overwritten"), "{said}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
    out.sort();
}

#[test]
fn nothing_of_the_corpus_is_left_and_as_much_is_understood() {
    let mut list = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in [
        "../shared/corpus/pfsense",
        "../shared/corpus/nftables",
        "../shared/corpus/nftables-json",
        "../shared/corpus/derived",
        "../shared/corpus/lab-dumps",
        "fixtures",
        "examples",
    ] {
        files(&root.join(folder), &mut list);
    }
    let (mut read, mut wrong) = (0, Vec::new());
    for path in &list {
        let Ok(text) = fs::read_to_string(path) else { continue };
        let id = SourceId(1);
        let Ok(dialect) = recognise(id, &text) else { continue };
        let text = without_secrets(text);
        let old =
            Snapshot { sources: vec![Source::default(), Source { name: "x".into(), text }], directory: String::new() };
        let new = redact(&old, &KEY);
        let counts = |s: &Snapshot| {
            if dialect.about().standing == Standing::Facts {
                return dialect.read(s, id).map(|_| None).map_err(|e| e.message);
            }
            ruleset(s, id, dialect, &mut Pipeline::default()).map(|c| Some(c.counts)).map_err(|_| "refused".to_owned())
        };
        let Ok(before) = counts(&old) else { continue };
        read += 1;
        let name = path.strip_prefix(&root).unwrap_or(path).display();
        let after = counts(&new);
        if after != Ok(before) {
            wrong.push(format!("{name}: was {before:?}, is {after:?}"));
        }
        let (was, is) = (&old.sources[1].text, &new.sources[1].text);
        // By chance an address is the pseudonym of another, but not under several keys.
        let mut left = addresses(was);
        for key in 1..3 {
            let other = redact(&old, &Key::new([key; 16]));
            left = addresses(&other.sources[1].text).intersection(&left).copied().collect();
        }
        // The ends of a range keep the bits that they do not share.
        left.retain(|ip| !was.contains(&format!("{ip}-")) && !was.contains(&format!("-{ip}")));
        if !left.is_empty() {
            wrong.push(format!("{name}: still there: {left:?}"));
        }
        let told: Vec<String> = tell_tales(was).into_iter().filter(|t| is.contains(t.as_str())).collect();
        if !told.is_empty() {
            wrong.push(format!("{name}: still there: {told:?}"));
        }
        if redact(&old, &KEY).sources != new.sources {
            wrong.push(format!("{name}: another result the second time"));
        }
    }
    println!("{read} of {} files read", list.len());
    assert!(read >= 10, "the repository's own files at least");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
