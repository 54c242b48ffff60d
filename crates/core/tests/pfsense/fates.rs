//! `fates.yaml`: flows with their fates, one mapping in braces each.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A flow and what becomes of it.
#[allow(clippy::struct_field_names)] // the words of the file
#[derive(Debug)]
pub struct Fate {
    pub file: String,
    pub from: String,
    pub src: String,
    pub proto: String,
    pub dst: IpAddr,
    pub port: u16,
    pub sport: u16,
    pub fate: String,
    pub to: Option<String>,
    pub source: Option<String>,
    pub sport_out: Option<String>,
    pub rule: Option<String>,
    pub reply: Option<String>,
    pub side_out: bool,
    pub why: String,
}

pub fn fates(text: &str) -> Vec<Fate> {
    let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.split("- {").skip(1).map(|item| fate(&mapping(item))).collect()
}

/// `key: value, key: 'value'` up to the closing brace.
fn mapping(item: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut rest = item;
    while let Some((key, after)) = rest.split_once(':') {
        let after = after.trim_start();
        let (value, next) = if let Some(quoted) = after.strip_prefix('\'') {
            let mut end = 0;
            while let Some(i) = quoted[end..].find('\'') {
                end += i;
                if quoted[end + 1..].starts_with('\'') {
                    end += 2;
                } else {
                    break;
                }
            }
            (quoted[..end].replace("''", "'"), &quoted[end + 1..])
        } else {
            let end = after.find([',', '}']).unwrap_or(after.len());
            (after[..end].trim().to_owned(), &after[end..])
        };
        out.insert(key.trim_matches([' ', ',', '{']).to_owned(), value);
        rest = next.trim_start_matches(',');
        if rest.trim_start().starts_with('}') {
            break;
        }
    }
    out
}

fn fate(m: &BTreeMap<String, String>) -> Fate {
    let get = |k: &str| m.get(k).cloned();
    let must = |k: &str| get(k).unwrap_or_else(|| panic!("{k} is missing in {m:?}"));
    Fate {
        file: must("file"),
        from: must("from"),
        src: get("src").unwrap_or_default(),
        proto: must("proto"),
        dst: must("dst").parse().expect("address"),
        port: must("port").parse().expect("port"),
        sport: get("sport").map_or(40000, |s| s.parse().expect("port")),
        fate: must("fate"),
        to: get("to"),
        source: get("source"),
        sport_out: get("sport_out"),
        rule: get("rule"),
        reply: get("reply"),
        side_out: get("side").is_some_and(|s| s == "out"),
        why: get("why").unwrap_or_default(),
    }
}
