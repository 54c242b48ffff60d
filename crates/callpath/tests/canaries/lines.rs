//! Kinds of files that have lines: rules as text, settings, the pattern of a dialect.

use super::json::{ADDRESSES, in_every_key};
use super::*;

/// Rules as text with a canary behind every line, in every comment and in every quotation for people.
fn rules(text: &str, words: &[&str], hidden: &[&str]) -> String {
    let mut out = String::new();
    let mut n = 0;
    for line in text.lines() {
        let mut line = line.to_owned();
        for word in words.iter().chain(hidden) {
            let mut at = 0;
            while let Some(start) = line[at..].find(&format!("{word} \"")).map(|i| at + i + word.len() + 2) {
                let Some(end) = line[start..].find('"').map(|i| start + i) else { break };
                n += 1;
                let canary = if hidden.contains(word) { CANARY } else { TEXTS[n % TEXTS.len()] };
                line.replace_range(start..end, canary);
                at = start + canary.len() + 1;
            }
        }
        if let Some(at) = line.find('#').filter(|at| !line[*at..].starts_with("# xt_") && !line.contains('"')) {
            line.truncate(at);
            line += "# canary";
        }
        out += &line;
        if !line.ends_with('\\') && !line.contains("# xt_") {
            let _ = write!(out, " # canary {ADDRESS}");
        }
        out.push('\n');
    }
    out
}

/// Words before quotations of rules of nftables that are names, files or values, and so stay; all others hide theirs.
const QUOTED: &[&str] = &[
    // What begins a line goes on with the one above: a list of names.
    "",
    "iifname",
    "oifname",
    "iif",
    "oif",
    "!=",
    "==",
    "{",
    ",",
    "include",
    "device",
    "devices",
    "=",
    "type",
    "name",
    "helper",
    "set",
    "ibrname",
    "obrname",
    "ibriport",
    "obriport",
    "sdif",
    "sdifname",
    "iifkind",
    "oifkind",
    "iifgroup",
    "oifgroup",
    "hour",
    "time",
    "day",
    "goto",
    "jump",
    "chain",
    "table",
    "add",
    "rule",
    "ip",
    "ip6",
    "inet",
    ":",
    ".",
    "-",
    "timeout",
    "expectation",
    "limit",
    "quota",
    "counter",
    "synproxy",
    "level",
    "group",
    "skuid",
    "skgid",
    "element",
    "delete",
    "create",
    "map",
    "priority",
    "policy",
];

/// Quotations of a line: the word before each, and what is between its marks.
fn quotations(line: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let marks: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
    let word = |at: usize| line[..at].trim_end().rsplit([' ', '\t', '"']).next().unwrap_or_default().to_owned();
    marks.chunks_exact(2).map(|pair| (word(pair[0]), pair[0] + 1..pair[1])).collect()
}

#[test]
pub(super) fn no_quotation_of_rules_speaks() {
    let mut words = BTreeSet::new();
    for (path, text) in of_kinds(&["nft"], |d| d.about().name == "nftables") {
        blanked(&path.display().to_string(), &rules(&text, &["comment"], &["prefix"]));
        // Every quotation of a kind once in each file: a word that is a canary, and a credential.
        let mut seen = BTreeSet::new();
        let (mut plain, mut shaped) = (String::new(), String::new());
        for line in text.lines() {
            let mut variants = [line.to_owned(), line.to_owned()];
            for (word, at) in quotations(line).into_iter().rev().filter(|_| !line.trim_start().starts_with('#')) {
                // A comment names a rule.
                if word == "comment" {
                    variants[0].replace_range(at.clone(), TEXTS[words.len() % TEXTS.len()]);
                    variants[1].replace_range(at, TEXTS[seen.len() % TEXTS.len()]);
                    continue;
                }
                // Behind a sign stands what its left side is.
                if !QUOTED.contains(&&*word) && !word.ends_with(|c: char| "=!,:.<>-@$/{(".contains(c)) {
                    variants[0].replace_range(at.clone(), CANARY);
                }
                variants[1].replace_range(at, if seen.insert(word.clone()) { ADDRESS } else { SHAPED });
                words.insert(word);
            }
            for (out, line) in [&mut plain, &mut shaped].into_iter().zip(&variants) {
                *out += line;
                out.push('\n');
            }
        }
        blanked(&path.display().to_string(), &plain);
        blanked(&path.display().to_string(), &shaped);
    }
    println!("quotations behind {words:?}");
    let mut extra = String::from(
        "table inet more { # canary\n comment \"password=canary\"\n set s { type ipv4_addr; comment \"api key canary1\"; \
         elements = { 10.0.0.1 comment \"canary1:canary2@lists.example\" }; }\n chain c { log prefix \"canary\" accept comment \
         \"https://canary@lists.example/canary\"\n meta secmark set \"canary\"\n PrivateKey = canary\n",
    );
    for name in UNKNOWN {
        let _ = writeln!(
            extra,
            "  {name} \"canary\"\n  tcp dport 22 {name} \"canary\" accept\n  {name}: \"canary\" # {name} canary"
        );
        if !["note", "owner"].contains(name) {
            let _ = writeln!(extra, "  {name} canary\n  {name} = canary\n  {name}: canary canary");
        }
    }
    let planted = rules(&example("linux-router/ruleset.nft"), &["comment"], &["prefix"]) + &extra + " }\n}\n";
    let manifest = example("linux-router/callpath.toml").replace("config = [", "config = [\"sysctl.txt\", ");
    let [addresses, routes, routes6] = ["ip-addr", "ip-route", "ip-6-route"].map(|f| {
        let mut value = serde_json::from_str(&example(&format!("linux-router/{f}.json"))).expect("JSON");
        in_every_key(&mut value, &ADDRESSES, &mut 0);
        value.to_string()
    });
    let files = [
        ("callpath.toml", &*manifest),
        ("ruleset.nft", &planted),
        ("sysctl.txt", &settings()),
        ("ip-addr.json", &addresses),
        ("ip-route.json", &routes),
        ("ip-6-route.json", &routes6),
    ];
    silent("nft", &files, Some("nftables"));
}

#[test]
pub(super) fn no_comment_of_rules_speaks() {
    let files = of_kinds(&["debug"], |d| d.about().name == "pf");
    for (path, text) in &files {
        blanked(&path.display().to_string(), &rules(text, &["label"], &[]));
        // What is in quotes is a label or the value of a macro: addresses and interfaces, and credentials as little.
        let shaped: String = text
            .lines()
            .map(|line| {
                let mut line = line.to_owned();
                for (_, at) in quotations(&line).into_iter().rev() {
                    line.replace_range(at, if line.len() % 2 == 0 { ADDRESS } else { SHAPED });
                }
                line + "\n"
            })
            .collect();
        blanked(&path.display().to_string(), &shaped);
    }
    if let Some((_, text)) = files.first() {
        let mut planted = rules(text, &["label"], &[]);
        for name in UNKNOWN {
            let _ = writeln!(planted, "{name} canary\n{name}: canary\nset {name} canary\nno {name} canary");
            // A macro can have any name that is none of a credential.
            if !["note", "owner"].contains(name) {
                let _ = writeln!(planted, "{name} = \"canary\" canary");
            }
            let _ = writeln!(planted, "pass in quick on lan {name} \"canary\" # canary");
        }
        let manifest = example("spokes/callpath.toml").replace("pfsense/config.xml", "rules.debug");
        silent("pf", &[("callpath.toml", &manifest), ("rules.debug", &planted)], None);
    }
}

/// Settings with canaries in all that decides nothing.
fn settings() -> String {
    let mut out = String::from(
        "# canary\nkernel.hostname = canary\nnet.ipv4.ip_forward = 1\nkernel.random.boot_id = canary\n; canary\ncanary\n\
         net.core.x = https://canary\nnot a setting = canary\n",
    );
    for name in UNKNOWN {
        let _ = writeln!(out, "{name} = canary\nkernel.{name} = canary\nnet.{name}=canary # canary\n{name} canary");
    }
    out
}

#[test]
pub(super) fn no_setting_speaks() {
    for (path, text) in of_kinds(&["txt"], |d| d.about().name == "sysctl") {
        let planted: String = text
            .lines()
            .map(|line| {
                line.split_once('=').map_or("canary\n".into(), |(name, _)| format!("{name}= canary # canary\n"))
            })
            .collect();
        blanked(&path.display().to_string(), &planted);
    }
    let out = blanked("settings", &settings());
    assert!(out.contains("net.ipv4.ip_forward = 1"), "{out}");
    // A setting that decides and has no number is an error with its line.
    let manifest = example("linux-router/callpath.toml").replace("config = [", "config = [\"sysctl.txt\", ");
    for value in [CANARY, ADDRESS, "4711canary", "1 canary"] {
        let text = format!("kernel.ostype = Linux\nnet.ipv4.conf.all.rp_filter = {value}\n");
        let out = said("settings", &[("callpath.toml", &manifest), ("sysctl.txt", &text)], None);
        assert!(shown(&out).is_empty(), "{value}: {:?}", shown(&out));
    }
}
