//! `fates.yaml`: flows with what became of real packets, one mapping in braces each.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A flow and what became of it.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names)] // the name in the file
pub struct Fate {
    pub file: String,
    pub from: String,
    pub proto: String,
    pub dst: IpAddr,
    pub port: u16,
    pub sport: u16,
    /// `delivered`, `local`, `rejected`, `dropped`, `limited`.
    pub fate: String,
    pub to: Option<String>,
    pub to_port: Option<u16>,
    pub at: Option<String>,
    pub source: Option<String>,
    pub sport_out: Option<String>,
    pub reply: Option<String>,
    /// A program of the host took it and sent it on.
    pub via: Option<String>,
    pub passed_are: Option<String>,
    pub why: String,
}

impl Fate {
    /// Number of the transport protocol; absent where packets of a call are of another kind.
    pub fn number(&self) -> Option<u8> {
        match self.proto.as_str() {
            "tcp" => Some(6),
            "udp" => Some(17),
            _ => None,
        }
    }

    /// Short, and the only one of its kind.
    pub fn name(&self) -> String {
        format!("{} {} {} {} {}", self.file, self.from, self.proto, self.dst, self.port)
    }
}

pub fn fates(text: &str) -> Vec<Fate> {
    let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.split("- {").skip(1).map(|item| fate(&mapping(item))).collect()
}

/// `key: value, key: 'value', key: [list]` up to the closing brace.
fn mapping(item: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut rest = item;
    while let Some((key, after)) = rest.split_once(':') {
        let after = after.trim_start();
        let (value, next) = match after.as_bytes().first() {
            Some(b'\'') => {
                let end = quoted(after);
                (after[1..end].replace("''", "'"), &after[end + 1..])
            }
            Some(b'[') => {
                let mut end = 1;
                while !after[end..].starts_with(']') {
                    end += if after[end..].starts_with('\'') { quoted(&after[end..]) + 1 } else { 1 };
                }
                (after[1..end].to_owned(), &after[end + 1..])
            }
            Some(b'"') => {
                let end = after[1..].find('"').map_or(after.len() - 1, |i| i + 1);
                (after[1..end].to_owned(), &after[end + 1..])
            }
            _ => {
                let end = after.find([',', '}']).unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        out.insert(key.trim_matches([' ', ',', '{']).to_owned(), value);
        rest = next.trim_start_matches(',');
        if rest.trim_start().starts_with('}') {
            break;
        }
    }
    out
}

/// Where the quote that begins a text is closed.
fn quoted(text: &str) -> usize {
    let mut end = 1;
    loop {
        end += text[end..].find('\'').expect("a closing quote");
        if !text[end + 1..].starts_with('\'') {
            return end;
        }
        end += 2;
    }
}

fn fate(m: &BTreeMap<String, String>) -> Fate {
    let get = |k: &str| m.get(k).cloned();
    let must = |k: &str| get(k).unwrap_or_else(|| panic!("{k} is missing in {m:?}"));
    let port = |k: &str| get(k).map(|s| s.parse().unwrap_or_else(|_| panic!("{k} in {m:?}")));
    Fate {
        file: must("file"),
        from: must("from"),
        proto: must("proto"),
        dst: must("dst").parse().expect("address"),
        port: port("port").unwrap_or(0),
        sport: port("sport").unwrap_or(20001),
        fate: must("fate"),
        to: get("to"),
        to_port: port("to_port"),
        at: get("at"),
        source: get("source"),
        sport_out: get("sport_out"),
        reply: get("reply"),
        via: get("via"),
        passed_are: get("passed_are"),
        why: get("why").unwrap_or_default(),
    }
}
