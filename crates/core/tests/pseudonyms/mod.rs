//! A canary in every place of the grammar of every kind of file: under pseudonyms none survives, in whatever notation, and
//! verdicts, causes and lines stay.

mod places;

use callpath_core::check::analyze;
use callpath_core::dialect::without_secrets;
use callpath_core::manifest;
use callpath_core::redact::{Key, redact};
use callpath_core::report::{FORMATS, Style};
use callpath_core::snapshot::{Snapshot, Source};
use serde_json::Value;
use std::path::Path;

/// What a place may hold, as [`places`] mark it, and canaries of that kind.
const FORMS: &[(&str, &[&str])] = &[
    // Without quotation marks, as most languages have names.
    ("«name»", &["canary", "Canary", "CANARY", "canary_4711", "xcanary7", "drop-canary", "lan-canary", "eth-canary.1"]),
    // The beginning of names.
    ("«stem»", &["canary", "eth-canary", "br-canary"]),
    // In quotation marks.
    (
        "«any»",
        &[
            "canary",
            "the canary's office",
            "voice.canary.sh",
            "canary.conf",
            "rules.canary.md",
            "canary@canary.sh",
            "https://canary:canary@canary.so/canary?canary=canary#canary",
            "/srv/canary/canary.sh",
            "xn--canary-kva.de",
            "cänary.example",
            "canary=drop",
            "accept-canary",
            "id:canary",
            "descr=canary",
            "USER_RULE: canary",
            "+49 711 47114711471",
            "00-16-3e-ca-9a-77",
            "81.2.69.160",
            "user@81.2.69.160",
        ],
    ),
    (
        "«host»",
        &["voice.canary.sh", "canary.conf", "canary.debug", "xn--canary-kva.de", "a.canary.co.uk", "CANARY.example"],
    ),
    ("«v4»", &["81.2.69.160"]),
    ("«number»", &["0x510245a0", "1359103392", "0xa0450251"]),
    (
        "«v6»",
        &[
            "2a02:5102:45a0::ca9a",
            "64:ff9b::81.2.69.160",
            "64:ff9b::5102:45a0",
            "::ffff:81.2.69.160",
            "2002:5102:45a0::7",
            "fe80::216:3eff:feca:9a77",
        ],
    ),
    ("«mac»", &["00:16:3e:ca:9a:77", "00:16:3E:CA:9A:77"]),
];

/// What no text with pseudonyms holds, in small letters.
const CANARIES: &[&str] = &[
    "canary",
    "cänary",
    "4711471",
    "81.2.69.160",
    "510245a0",
    "5102:45a0",
    "1359103392",
    "a0450251",
    "2a02:",
    "ca9a",
    "ca:9a",
    "feca",
    "ca-9a",
    "xn--",
];

/// A template with the canaries of one round.
fn planted(template: &str, round: usize) -> String {
    FORMS.iter().fold(template.to_owned(), |text, (mark, forms)| {
        let mut parts = text.split(mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for (n, part) in parts.enumerate() {
            out += forms[(round + n) % forms.len()];
            out += part;
        }
        out
    })
}

/// Rounds after which every place had every canary of its kind.
fn rounds() -> usize {
    FORMS.iter().map(|(_, forms)| forms.len()).max().unwrap_or(1)
}

fn found(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let hit = |canary: &&&str| {
        lower.find(**canary).map(|at| {
            let start = (0..=at.saturating_sub(40)).rev().find(|i| lower.is_char_boundary(*i)).unwrap_or(0);
            let end = (at + 40..lower.len()).find(|i| lower.is_char_boundary(*i)).unwrap_or(lower.len());
            format!("{canary} in …{}…", &lower[start..end].replace('\n', "⏎"))
        })
    };
    CANARIES.iter().filter_map(|c| hit(&c)).collect()
}

/// Verdicts of all paths, codes of findings, and all lines that are named, in their order.
type Outcome = (Vec<String>, Vec<String>, Vec<u64>);

fn outcome(snapshot: &Snapshot) -> Result<Outcome, String> {
    let report = analyze(snapshot).map_err(|e| format!("{:?}", e.at.map(|(id, _)| id)))?;
    let json = FORMATS.iter().find(|f| f.name == "json").expect("JSON");
    let json: Value = serde_json::from_str(&(json.print)(&report, Style { colour: false })).expect("JSON");
    let words = |list: &str, key: &str| -> Vec<String> {
        let list = json[list].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|v| v[key].as_str().expect("a word").to_owned()).collect()
    };
    let mut lines = Vec::new();
    numbers(&json["findings"], &mut lines);
    Ok((words("paths", "verdict"), words("findings", "code"), lines))
}

fn numbers(value: &Value, out: &mut Vec<u64>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| numbers(v, out)),
        Value::Object(object) => object.iter().for_each(|(key, value)| match value {
            Value::Number(n) if key == "line" => out.extend(n.as_u64()),
            _ => numbers(value, out),
        }),
        _ => {}
    }
}

fn site(files: &[(&str, String)]) -> Snapshot {
    let source = |(name, text): &(&str, String)| Source { name: (*name).to_owned(), text: text.clone() };
    Snapshot { sources: files.iter().map(source).collect(), directory: "/srv/canary/".into() }
}

/// No canary survives in this site or in a report about it, and it is judged as before.
fn hidden(about: &str, old: &Snapshot, wrong: &mut Vec<String>) {
    if let Err(error) = analyze(old) {
        wrong.push(format!("{about}: it is not read: {}", error.render(old, false)));
    }
    no_canary(about, old, wrong);
}

/// The same of one that may be broken.
fn no_canary(about: &str, old: &Snapshot, wrong: &mut Vec<String>) {
    let old = &read(old);
    let key = Key::new(*b"a key for a test");
    let new = redact(old, &key);
    let mut say = |what: String| wrong.push(format!("{about}: {what}"));
    for (was, is) in old.sources.iter().zip(&new.sources) {
        found(&is.name).into_iter().chain(found(&is.text)).for_each(|f| say(format!("{}: {f}", was.name)));
        if was.text.lines().count() != is.text.lines().count() {
            say(format!("{}: another number of lines", was.name));
        }
    }
    let (before, after) = (outcome(old), outcome(&new));
    if before != after {
        say(format!("was {before:?}\n    is  {after:?}"));
        if std::env::var_os("CALLPATH_SHOW").is_some() {
            new.sources.iter().for_each(|s| println!("=== {}\n{}", s.name, s.text));
        }
    }
    match analyze(&new) {
        Ok(report) => FORMATS.iter().for_each(|format| {
            let text = (format.print)(&report, Style { colour: false });
            for canary in found(&text) {
                say(format!("report as {}: {canary}", format.name));
            }
        }),
        Err(error) => found(&error.render(&new, false)).into_iter().for_each(|f| say(format!("error: {f}"))),
    }
}

/// The site as the program reads it: without its secrets.
fn read(site: &Snapshot) -> Snapshot {
    let source = |(n, s): (usize, &Source)| {
        let text = if n == 0 { manifest::without_secrets(&s.text) } else { without_secrets(s.text.clone()) };
        Source { name: s.name.clone(), text }
    };
    Snapshot { sources: site.sources.iter().enumerate().map(source).collect(), directory: site.directory.clone() }
}

fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(file);
    std::fs::read_to_string(path).expect("the example")
}

/// A Linux router with a canary in every place.
fn linux(round: usize) -> Vec<(&'static str, String)> {
    let fill = |text: &str| planted(text, round);
    let rules = example("linux-router/ruleset.nft");
    let [addresses, routes, routes6] =
        ["ip-addr", "ip-route", "ip-6-route"].map(|f| example(&format!("linux-router/{f}.json")));
    let added = |list: &str, more: &str| format!("{},\n{}]\n", list.trim_end().trim_end_matches(']'), fill(more));
    let files = "config = [\"canary/10-canary.nft\", \"canary/canary-addr.json\", \"route.canary.json\", \"r6.json\", \"rule.json\", \
                 \"sysctl.canary.txt\"]";
    let toml = example("linux-router/callpath.toml")
        .replace("config = [\"ruleset.nft\", \"ip-addr.json\", \"ip-route.json\", \"ip-6-route.json\"]", files);
    vec![
        ("callpath.toml", fill(&format!("{}{}", toml, places::MANIFEST))),
        ("canary/10-canary.nft", format!("{}{rules}{}", fill(places::NFT_FIRST), fill(places::NFT))),
        ("canary/canary-addr.json", added(&addresses, places::IP_ADDR)),
        ("route.canary.json", added(&routes, places::IP_ROUTE)),
        ("r6.json", routes6),
        ("rule.json", fill(places::IP_RULE)),
        ("sysctl.canary.txt", fill(places::SYSCTL)),
        ("canary/canary.d/20-canary.nft", fill(places::NFT_INCLUDED)),
    ]
}

#[test]
fn no_canary_of_a_linux_router_survives() {
    let mut wrong = Vec::new();
    for round in 0..rounds() {
        hidden(&format!("linux {round}"), &site(&linux(round)), &mut wrong);
    }
    done(&wrong);
}

#[test]
fn no_canary_of_rules_in_json_survives() {
    let mut wrong = Vec::new();
    for round in 0..rounds() {
        let mut files = linux(round);
        files[0].1 = files[0].1.replace("10-canary.nft", "canary.json");
        files[1] = ("canary/canary.json", planted(places::NFT_JSON, round));
        hidden(&format!("json {round}"), &site(&files), &mut wrong);
    }
    done(&wrong);
}

#[test]
fn no_canary_of_pf_survives() {
    let mut wrong = Vec::new();
    for round in 0..rounds() {
        let toml = example("spokes/callpath.toml").replace(
            "\"pfsense/config.xml\"",
            "\"canary.debug\"\ninterfaces = { igb0 = \"203.0.113.5/24\", igb1 = \"192.168.1.1/24\" }",
        );
        let files = [("callpath.toml", toml), ("canary.debug", planted(places::PF, round))];
        hidden(&format!("pf {round}"), &site(&files), &mut wrong);
    }
    done(&wrong);
}

#[test]
fn no_canary_of_a_backup_survives() {
    let mut wrong = Vec::new();
    let base = example("spokes/pfsense/config.xml");
    for round in 0..rounds() {
        let mut text = base.clone();
        for (before, part) in places::PFSENSE {
            assert!(text.contains(before), "{before}");
            text = text.replacen(before, &format!("{}{before}", planted(part, round).replace('&', "&amp;")), 1);
        }
        let toml = example("spokes/callpath.toml").replace("pfsense/config.xml", "pfsense/config.canary.xml");
        hidden(
            &format!("backup {round}"),
            &site(&[("callpath.toml", toml), ("pfsense/config.canary.xml", text)]),
            &mut wrong,
        );
    }
    done(&wrong);
}

#[test]
fn what_cannot_be_read_is_replaced_whole() {
    let mut wrong = Vec::new();
    let rules = example("linux-router/ruleset.nft");
    let backup = example("spokes/pfsense/config.xml");
    for broken in places::BROKEN_MANIFESTS {
        let text = planted(&format!("{broken}\n{}", example("linux-router/callpath.toml")), 0);
        no_canary(broken, &site(&[("callpath.toml", text)]), &mut wrong);
    }
    for (name, text) in [
        ("r.nft", format!("{rules}\ntable ip canary {{ chain canary {{ \"canary\n")),
        ("r.nft", format!("{rules}\n\\ canary voice.canary.sh 81.2.69.160\n")),
        ("r.json", "{\"nftables\": [{\"table\": {\"name\": \"canary\"}}, canary 81.2.69.160".into()),
        ("c.xml", backup.replacen("</filter>", "<descr>canary</filter>", 1)),
        ("c.xml", backup.replacen("</filter>", "<canary>81.2.69.160</filter>", 1)),
        ("c.xml", backup.replacen("<pfsense>", "<!DOCTYPE canary [<!ENTITY a 'canary'>]><pfsense>", 1)),
        ("other", "canary = canary\n81.2.69.160\n".into()),
    ] {
        let toml = example("spokes/callpath.toml").replace("pfsense/config.xml", name);
        let old = site(&[("callpath.toml", toml), (name, text)]);
        let new = redact(&old, &Key::new([1; 16]));
        for source in &new.sources {
            wrong.extend(found(&source.text));
        }
    }
    done(&wrong);
}

#[test]
fn another_key_gives_other_pseudonyms_and_the_same_key_the_same() {
    let old = site(&linux(0));
    let [a, b, c] = [[1; 16], [1; 16], [2; 16]].map(|key| redact(&old, &Key::new(key)));
    assert_eq!(a.sources, b.sources);
    assert_ne!(a.sources, c.sources);
}

fn done(wrong: &[String]) {
    let mut kinds: Vec<&str> = wrong.iter().map(|w| w.split_once(": ").map_or(w.as_str(), |(_, w)| w)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert!(wrong.is_empty(), "{} times, of {} kinds:\n{}", wrong.len(), kinds.len(), kinds.join("\n"));
}
