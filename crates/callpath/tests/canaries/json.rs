//! Kinds of files in JSON: a canary under every key.

use super::*;
use serde_json::{Value, json};

/// What is kept of a kind of file in JSON, by promise.
pub(super) struct Kept {
    dialect: &'static str,
    /// Keys of which the text stays, unless it is a credential: names and what decides.
    keys: &'static [&'static str],
    /// Keys of which a text goes, and what stands deeper is looked at.
    inner: &'static [&'static str],
    /// Keys of texts for people.
    texts: &'static [&'static str],
}

/// `nft -j list ruleset` (libnftables-json(5)), as far as the corpus shows it.
const RULES: Kept = Kept {
    dialect: "nftables-json",
    keys: &[
        "&",
        "accept",
        "addr",
        "burst",
        "bytes",
        "chain",
        "concat",
        "counter",
        "ct",
        "ct helper",
        "data",
        "dnat",
        "drop",
        "elem",
        "expr",
        "family",
        "fib",
        "field",
        "flags",
        "goto",
        "handle",
        "hook",
        "inv",
        "json_schema_version",
        "jump",
        "key",
        "l3proto",
        "left",
        "len",
        "level",
        "limit",
        "log",
        "mangle",
        "map",
        "masquerade",
        "match",
        "meta",
        "metainfo",
        "mod",
        "mode",
        "name",
        "nftables",
        "numgen",
        "offset",
        "op",
        "packets",
        "payload",
        "per",
        "policy",
        "port",
        "prio",
        "protocol",
        "range",
        "rate",
        "redirect",
        "reject",
        "result",
        "return",
        "right",
        "rt",
        "rule",
        "set",
        "snat",
        "stmt",
        "table",
        "target",
        "tcp option",
        "type",
        "typeof",
        "val",
        "value",
        "vmap",
        "xt",
    ],
    inner: &["prefix"],
    texts: &["comment"],
};

/// `ip -j addr`, `ip -j route`, `ip -j rule`.
pub(super) const ADDRESSES: Kept = Kept {
    dialect: "iproute",
    keys: &[
        "addr_info",
        "address",
        "broadcast",
        "dev",
        "dst",
        "family",
        "flags",
        "gateway",
        "group",
        "ifname",
        "local",
        "master",
        "metric",
        "pref",
        "prefixlen",
        "prefsrc",
        "priority",
        "protocol",
        "scope",
        "src",
        "table",
    ],
    inner: &[],
    texts: &[],
};

/// A number that no file holds.
const NUMBER: u64 = 471_147_114_711;

/// A canary in the place of every value that is not kept, in the shape of a credential for texts, and under ten keys that no
/// object has.
pub(super) fn in_every_key(value: &mut Value, kept: &Kept, turn: &mut usize) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| in_every_key(v, kept, turn)),
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                if kept.texts.contains(&&**key) {
                    *value = TEXTS[value.to_string().len() % TEXTS.len()].into();
                } else if kept.keys.contains(&&**key) || kept.inner.contains(&&**key) && !value.is_string() {
                    in_every_key(value, kept, turn);
                } else {
                    *value = hidden(value);
                }
            }
            // Two of them in each, in turn: the files of the corpus have thousands of objects.
            for _ in 0..2 {
                let key = UNKNOWN[*turn % UNKNOWN.len()];
                object.insert(key.to_owned(), under(*turn));
                *turn += 3;
            }
            if turn.is_multiple_of(4) {
                object.insert(ADDRESS.to_owned(), CANARY.into());
                object.insert("Canary-1 canary".to_owned(), NUMBER.into());
            }
        }
        _ => {}
    }
}

/// The same kind of value, as a canary.
fn hidden(value: &Value) -> Value {
    match value {
        Value::String(_) => CANARY.into(),
        Value::Number(_) => NUMBER.into(),
        Value::Array(list) => list.iter().map(hidden).collect(),
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), hidden(value))).collect(),
        other => other.clone(),
    }
}

/// A value of any kind; what stands deeper has keys that are kept elsewhere.
fn under(n: usize) -> Value {
    match n % 4 {
        0 => CANARY.into(),
        1 => NUMBER.into(),
        2 => json!([CANARY, NUMBER, { "comment": CANARY, "name": CANARY, "ifname": CANARY, "dst": [CANARY] }]),
        _ => json!({ "comment": CANARY, "name": { "name": CANARY }, "table": NUMBER, "addr_info": [CANARY] }),
    }
}

/// Every key of the objects of a value.
fn keys(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| keys(v, out)),
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            out.insert(key.clone());
            keys(value, out);
        }),
        _ => {}
    }
}

/// Another value under a key, wherever it stands.
fn put(value: &mut Value, key: &str, new: &Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| put(v, key, new)),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                if name == key {
                    value.clone_from(new);
                } else {
                    put(value, key, new);
                }
            }
        }
        _ => {}
    }
}

fn silent_json(name: &str, value: &Value) {
    let text = value.to_string();
    let got = blanked(name, &text);
    assert!(!got.contains("4711471147"), "{name}: a number stays");
    assert!(serde_json::from_str::<Value>(&got).is_ok(), "{name}: it is still JSON");
}

#[test]
pub(super) fn no_key_of_json_speaks() {
    for kept in [&RULES, &ADDRESSES] {
        // Small ones first: the first that has a key is taken for it.
        let mut files = of_kinds(&["json"], |d| d.about().name == kept.dialect);
        files.sort_by_key(|(_, text)| text.len());
        let mut all = BTreeSet::new();
        let mut stays = BTreeSet::new();
        for (path, text) in &files {
            let name = path.display().to_string();
            let value: Value = serde_json::from_str(text).expect("JSON");
            let mut planted = value.clone();
            in_every_key(&mut planted, kept, &mut 0);
            silent_json(&name, &planted);
            // Cut off anywhere.
            let planted = planted.to_string();
            for at in planted.match_indices(CANARY).map(|(i, _)| i + 3).step_by(101).take(20) {
                blanked("cut off", &planted[..at]);
            }
            // Each key alone, the first times that it is met: what is no text there as a text too.
            let mut here = BTreeSet::new();
            keys(&value, &mut here);
            for key in here.into_iter().filter(|key| all.insert(key.clone())) {
                let text = kept.texts.contains(&&*key);
                for canary in TEXTS.iter().filter(|_| text).copied().chain([ADDRESS, SHAPED]) {
                    let mut planted = value.clone();
                    put(&mut planted, &key, &canary.into());
                    silent_json(&format!("{name}: {key}"), &planted);
                }
                let mut planted = value.clone();
                put(&mut planted, &key, &CANARY.into());
                if !text && !shown(&without_secrets(planted.to_string())).is_empty() {
                    stays.insert(key);
                }
            }
        }
        println!("{}: {} files, {} keys, of which {} stay", kept.dialect, files.len(), all.len(), stays.len());
        if !files.is_empty() {
            let promised: BTreeSet<String> = kept.keys.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(stays, promised, "{}: what stays of the corpus is what this test promises", kept.dialect);
        }
    }
}

#[test]
fn what_is_said_about_json_with_a_canary_under_a_key_is_silent() {
    let manifest = example("linux-router/callpath.toml").replace("ruleset.nft", "ruleset.json");
    let rules: Value = serde_json::from_str(RULESET).expect("JSON");
    let mut files = vec![("ruleset.json", rules, &RULES)];
    for file in ["ip-addr.json", "ip-route.json", "ip-6-route.json"] {
        files.push((file, serde_json::from_str(&example(&format!("linux-router/{file}"))).expect("JSON"), &ADDRESSES));
    }
    let mut runs = 0;
    let mut told = |name: &str, changed: usize, value: &Value| {
        let texts: Vec<(&str, String)> = files
            .iter()
            .enumerate()
            .map(|(n, (file, old, _))| (*file, if n == changed { value.to_string() } else { old.to_string() }))
            .collect();
        let mut given = vec![("callpath.toml", &*manifest)];
        given.extend(texts.iter().map(|(file, text)| (*file, &**text)));
        let out = said("json", &given, Some("nftables"));
        assert!(shown(&out).is_empty(), "{name}: {:?}", shown(&out));
        assert!(!out.contains("4711471147"), "{name}: a number");
        runs += 1;
        out
    };
    for (n, (file, value, kept)) in files.iter().enumerate() {
        let mut planted = value.clone();
        in_every_key(&mut planted, kept, &mut 0);
        assert!(told(file, n, &planted).contains("wrote a.json"), "{file}: a snapshot was to be written");
        let mut here = BTreeSet::new();
        keys(value, &mut here);
        for key in here {
            let canary = if kept.keys.contains(&&*key) || kept.texts.contains(&&*key) { ADDRESS } else { CANARY };
            let mut planted = value.clone();
            put(&mut planted, &key, &canary.into());
            told(&format!("{file}: {key}"), n, &planted);
        }
    }
    println!("{runs} sites");
}

/// A ruleset with what rulesets of the corpus have.
const RULESET: &str = r#"{"nftables": [
{"metainfo": {"version": "1.0.6", "release_name": "x", "json_schema_version": 1}},
{"table": {"family": "ip", "name": "t", "handle": 1}},
{"set": {"family": "ip", "name": "s", "table": "t", "type": "ipv4_addr", "handle": 2, "flags": ["interval"], "elem": [{"range": ["10.0.0.1", "10.0.0.9"]}, {"elem": {"val": "10.1.0.0", "comment": "x"}}]}},
{"chain": {"family": "ip", "table": "t", "name": "c", "handle": 3, "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 4, "comment": "calls", "expr": [
 {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "wan"}},
 {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": {"range": [50000, 60000]}}},
 {"counter": {"packets": 0, "bytes": 0}}, {"log": {"prefix": "x", "level": "info"}}, {"accept": null}]}},
{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 5, "expr": [
 {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"jump": {"target": "c"}}]}}
]}"#;
