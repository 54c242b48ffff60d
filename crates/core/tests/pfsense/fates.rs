//! `fates.yaml`: flows with their fates, one mapping in braces each.

use crate::mapping::mappings;
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
    mappings(text).iter().map(fate).collect()
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
