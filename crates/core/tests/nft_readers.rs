//! Both nftables readers against listings: those of the corpus, and those that `nft` here prints for our fixtures.

use callpath_core::dialect::nft::ast::{Expr, Rule, Ruleset, Stmt};
use callpath_core::dialect::nft::{json, text};
use callpath_core::model::{SourceId, SourceSpan};
use callpath_core::snapshot::{ReadError, Source};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fixtures that `nft` 1.0.6 loads on an ordinary kernel.
const LOADED: &[&str] = &["payload", "flags", "meta", "nat", "sets", "statements", "written"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> Source {
    let path = root().join("fixtures/nft").join(format!("{name}.nft"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Source { name: format!("fixtures/nft/{name}.nft"), text }
}

fn read_text(name: &str, text: String) -> Result<Ruleset, ReadError> {
    text::parse(SourceId(0), &[Source { name: name.into(), text }])
}

/// Files of a corpus folder whose names end so.
fn corpus(folder: &str, end: &str) -> Vec<PathBuf> {
    let folder = root().join("../shared/corpus").join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.retain(|p| p.to_string_lossy().ends_with(end));
    files.sort();
    files
}

fn rules(ruleset: &Ruleset) -> impl Iterator<Item = &Rule> {
    ruleset.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules)
}

/// All that was not understood.
fn unread(ruleset: &Ruleset) -> Vec<String> {
    let in_rules = rules(ruleset).flat_map(|r| &r.stmts).filter_map(|s| match s {
        Stmt::Unread(text) => Some(text.to_string()),
        _ => None,
    });
    ruleset.unread.iter().map(|u| format!("{} ({})", u.text, u.why)).chain(in_rules).collect()
}

/// Takes away what the two listings do not both show: places, handles, comments, bodies of objects, and the devices of
/// netdev chains (JSON of nft 1.0.6 has none). Elements of sets come in the order of a hash table with a seed.
fn comparable(mut ruleset: Ruleset) -> Ruleset {
    let nowhere = SourceSpan::default();
    for table in &mut ruleset.tables {
        table.at = nowhere;
        table.sets.sort_by(|a, b| a.name.cmp(&b.name));
        for set in &mut table.sets {
            set.at = nowhere;
            set.elems.sort_by_key(|e| format!("{e:?}"));
        }
        table.objects.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
        for object in &mut table.objects {
            object.body = "".into();
        }
        for chain in &mut table.chains {
            chain.at = nowhere;
            if let Some(base) = &mut chain.base {
                base.devices.clear();
            }
            for rule in &mut chain.rules {
                rule.at = nowhere;
                rule.handle = None;
                rule.comment = None;
                rule.stmts.iter_mut().for_each(sort_stmt);
            }
        }
    }
    ruleset
}

fn sort_stmt(stmt: &mut Stmt) {
    match stmt {
        Stmt::Match { right, .. } | Stmt::Mangle(_, right) | Stmt::Vmap(_, right) => sort_set(right),
        Stmt::Nat { addr, port, .. } => addr.iter_mut().chain(port).for_each(sort_set),
        _ => {}
    }
}

fn sort_set(expr: &mut Expr) {
    match expr {
        Expr::Set(elems) => elems.sort_by_key(|e| format!("{e:?}")),
        Expr::Map(sides) => sort_set(&mut sides.1),
        _ => {}
    }
}

/// The differences between two rulesets, rule by rule.
fn differences(one: &Ruleset, other: &Ruleset) -> Vec<String> {
    let mut out = Vec::new();
    if one.tables.len() != other.tables.len() {
        out.push(format!("{} tables, {} tables", one.tables.len(), other.tables.len()));
    }
    for (a, b) in one.tables.iter().zip(&other.tables) {
        let mut note = |what: &str, a: &dyn std::fmt::Debug, b: &dyn std::fmt::Debug| {
            out.push(format!("{what}:\n  {a:?}\n  {b:?}"));
        };
        if (a.family, &a.name, a.dormant) != (b.family, &b.name, b.dormant) {
            note("table", &(a.family, &a.name, a.dormant), &(b.family, &b.name, b.dormant));
        }
        if a.objects != b.objects {
            note("objects", &a.objects, &b.objects);
        }
        if a.sets.len() != b.sets.len() || a.chains.len() != b.chains.len() {
            note("sets and chains", &(a.sets.len(), a.chains.len()), &(b.sets.len(), b.chains.len()));
        }
        for (a, b) in a.sets.iter().zip(&b.sets).filter(|(a, b)| a != b) {
            note("set", a, b);
        }
        for (a, b) in a.chains.iter().zip(&b.chains) {
            if (&a.name, &a.base, a.rules.len()) != (&b.name, &b.base, b.rules.len()) {
                note("chain", &(&a.name, &a.base, a.rules.len()), &(&b.name, &b.base, b.rules.len()));
            }
            for (a, b) in a.rules.iter().zip(&b.rules).filter(|(a, b)| a != b) {
                note("rule", &a.stmts, &b.stmts);
            }
        }
    }
    out
}

/// A rule that JSON shows in part only: extensions of xtables, which the text listing translates.
fn without_extensions(text: &mut Ruleset, json: &mut Ruleset) {
    for (a, b) in text.tables.iter_mut().zip(&mut json.tables) {
        for (a, b) in a.chains.iter_mut().zip(&mut b.chains) {
            for (a, b) in a.rules.iter_mut().zip(&mut b.rules) {
                if b.stmts.iter().any(|s| matches!(s, Stmt::Xt(_))) {
                    (a.stmts, b.stmts) = (Vec::new(), Vec::new());
                }
            }
        }
    }
}

#[test]
fn every_corpus_file_is_read_and_only_missing_includes_are_left_over() {
    let (mut files, mut statements, mut left) = (0, 0, Vec::new());
    let texts = [("nftables", ".nft"), ("lab-dumps", ".nft"), ("derived", ".nft")];
    let jsons = [("nftables-json", ".json"), ("derived", ".json"), ("lab-dumps", ".nft.json")];
    let found = |folders: &[(&str, &str)]| folders.iter().flat_map(|(f, e)| corpus(f, e)).collect::<Vec<_>>();
    for path in found(&texts).into_iter().chain(found(&jsons)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a text");
        let is_json = path.extension().is_some_and(|e| e == "json");
        let read = if is_json { json::parse(SourceId(0), &text) } else { read_text(&name, text) };
        let ruleset = read.unwrap_or_else(|e| panic!("{name}: {e:?}"));
        files += 1;
        statements += rules(&ruleset).map(|r| r.stmts.len()).sum::<usize>();
        left.extend(unread(&ruleset).into_iter().map(|u| format!("{name}: {u}")));
    }
    println!("read {files} corpus files with {statements} statements; left over: {left:#?}");
    left.retain(|l| !l.contains("was not given"));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn text_and_json_listings_of_the_corpus_are_the_same_tree() {
    let pairs = corpus("derived", ".listed.nft");
    for path in &pairs {
        let listing = std::fs::read_to_string(path).expect("a text");
        let json = path.to_string_lossy().replace(".listed.nft", ".json");
        let json = std::fs::read_to_string(json).expect("its JSON");
        let mut text = comparable(read_text("listing", listing).expect("reads"));
        let mut json = comparable(json::parse(SourceId(0), &json).expect("reads"));
        without_extensions(&mut text, &mut json);
        assert_eq!(differences(&text, &json), Vec::<String>::new(), "{}", path.display());
    }
    println!("compared {} pairs of the corpus", pairs.len());
}

/// Loads a ruleset in a namespace of its own and lists it: as text and as JSON.
fn listings(source: &Path) -> (String, String) {
    const SEPARATOR: &str = "=====\n";
    let script = "nft -f \"$1\" && nft -a list ruleset && echo ===== && nft -j list ruleset";
    let directory = source.parent().expect("a folder");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", script, "sh"])
        .arg(source.file_name().expect("a file"))
        .current_dir(directory)
        .output()
        .expect("unshare starts; it is part of util-linux");
    assert!(
        output.status.success(),
        "nft did not load {} in a user namespace: {}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let output = String::from_utf8(output.stdout).expect("text");
    let (text, json) = output.split_once(SEPARATOR).expect("two listings");
    (text.into(), json.into())
}

/// Handles of the rules in chains that have a name.
fn handles(ruleset: &Ruleset) -> Vec<Option<u64>> {
    let chains = ruleset.tables.iter().flat_map(|t| &t.chains).filter(|c| !c.name.starts_with("__chain"));
    chains.flat_map(|c| &c.rules).map(|r| r.handle).collect()
}

#[test]
fn what_nft_lists_for_our_fixtures_is_the_same_tree_as_text_as_json_and_as_written() {
    let mut wrong = Vec::new();
    for name in LOADED {
        let sources = [fixture(name), fixture("written-names")];
        let written = text::parse(SourceId(0), &sources).expect("the fixture reads");
        assert_eq!(unread(&written), Vec::<String>::new(), "{name}");
        let (text, json) = listings(&root().join("fixtures/nft").join(format!("{name}.nft")));
        let text = read_text("listing", text).expect("the listing reads");
        let json = json::parse(SourceId(0), &json).expect("the JSON reads");
        assert_eq!(unread(&text), Vec::<String>::new(), "{name}");
        assert_eq!(unread(&json), Vec::<String>::new(), "{name}");
        let count = rules(&text).count();
        assert_eq!(handles(&text), handles(&json), "{name}");
        let (written, text, json) = (comparable(written), comparable(text), comparable(json));
        println!("{name}: {count} rules compared");
        wrong.extend(differences(&text, &json).into_iter().map(|d| format!("{name}, text and JSON: {d}")));
        wrong.extend(differences(&written, &text).into_iter().map(|d| format!("{name}, written and listed: {d}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_other_kernels_and_versions_know_is_read_too() {
    let ruleset = text::parse(SourceId(0), &[fixture("unloadable")]).expect("reads");
    assert_eq!(unread(&ruleset), Vec::<String>::new());
    let chains = ruleset.tables.iter().flat_map(|t| &t.chains);
    let shown: Vec<String> = chains
        .flat_map(|c| {
            let devices = c.base.as_ref().map(|b| b.devices.join(" ")).unwrap_or_default();
            let rules = c.rules.iter().map(|r| format!("{:?}", r.stmts));
            std::iter::once(format!("{}: {devices}", c.name)).chain(rules).collect::<Vec<_>>()
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// A generator of the same numbers each time (the constants are those of Numerical Recipes).
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % end.max(1)
    }
}

/// A copy that was cut off or altered at a few places.
fn altered(text: &str, numbers: &mut Numbers) -> String {
    const BYTES: &[u8] = b"{}();:$@\"\\-.,/x0 \n!#&|=[]*<a";
    let mut bytes = text.as_bytes().to_vec();
    if numbers.below(3) == 0 {
        bytes.truncate(numbers.below(text.len()));
    }
    for _ in 0..numbers.below(4) {
        let at = numbers.below(bytes.len());
        let byte = BYTES[numbers.below(BYTES.len())];
        match numbers.below(3) {
            0 if !bytes.is_empty() => bytes[at] = byte,
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => bytes.insert(at, byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn cut_off_and_altered_texts_never_panic() {
    let mut texts: Vec<String> = LOADED.iter().map(|n| fixture(n).text).collect();
    texts.push(fixture("unloadable").text);
    let read =
        |paths: Vec<PathBuf>| paths.into_iter().filter_map(|p| std::fs::read_to_string(p).ok()).collect::<Vec<_>>();
    texts.extend(read(corpus("nftables", ".nft")));
    let names = fixture("written-names");
    let mut numbers = Numbers(7);
    for text in &texts {
        for _ in 0..1_000 {
            let source = Source { name: "altered.nft".into(), text: altered(text, &mut numbers) };
            let _ = text::parse(SourceId(0), &[source, names.clone()]);
        }
    }
    let mut jsons = read(corpus("nftables-json", ".json"));
    let (_, listed) = listings(&root().join("fixtures/nft/nat.nft"));
    jsons.push(listed);
    for json in &jsons {
        for _ in 0..1_000 {
            let _ = json::parse(SourceId(0), &altered(json, &mut numbers));
        }
    }
    println!("{} texts and {} JSON texts, 1,000 alterations each", texts.len(), jsons.len());
}
