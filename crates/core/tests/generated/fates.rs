//! `fates.yaml`: flows with what became of real packets, one mapping in braces each.

use crate::mapping::mappings;
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
    mappings(text).iter().map(fate).collect()
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
