//! Dumps of addresses, routes and routing rules as files that are read.

use super::{Dump, DumpedRule, Leads, parse, signs, without_secrets};
use crate::dialect::{
    About, Claim, Contradiction, Coverage, DeviceBuilder, Dialect, Document, Export, Facts, Known, Limits, Sign, Sniff,
    Standing, Words,
};
use crate::model::SourceId;
use crate::redact::Redactor;
use crate::snapshot::{InputError, Snapshot};
use std::sync::Arc;

/// `ip -j addr`, `ip -j route`, `ip -j rule`.
pub struct IpRoute;

static ABOUT: About = About {
    name: "iproute",
    title: "iproute2",
    what: "addresses or routes of a Linux router",
    engine: None,
    standing: Standing::Facts,
    is_system: false,
    offered: false,
    export: Export { file: "`ip -j addr`, `ip -j route`, `ip -j rule`", instead: "", again: "", second: ("", "") },
    limits: Limits { bytes: 8 << 20, called: "a list of addresses or routes", statements: 50_000, zero_bytes: false },
    words: Words { outer_address: "`ip addr` shows it", ask_outer: "", load: "", not_given: "" },
    target: None,
};

impl Dialect for IpRoute {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        // Those of addresses, routes and rules; a list without any key is an empty one.
        let list = text.start.strip_prefix('[').map(str::trim_start).filter(|t| t.starts_with(['{', ']']));
        let keys = || text.has_key(&["ifname", "dst", "priority"]) || !text.start.contains('"');
        if list.is_some() && keys() { Claim::Sure } else { Claim::No }
    }

    fn signs(&self) -> &'static [Sign] {
        signs::SIGNS
    }

    fn without_secrets(&self, text: &str) -> String {
        without_secrets(text)
    }

    fn vocabulary(&self) -> &'static str {
        super::vocabulary::WORDS
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        with.json(text)
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let dump = parse(file, snapshot.text(file))?;
        Ok(Arc::new(Dumped { file: [file], dump }))
    }
}

/// One dump.
#[derive(Debug)]
struct Dumped {
    file: [SourceId; 1],
    dump: Dump,
}

impl Document for Dumped {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sources(&self) -> &[SourceId] {
        &self.file
    }

    fn facts(&self, into: &mut Facts, _: &str) -> Result<(), Contradiction> {
        match &self.dump {
            Dump::Addresses(_) if into.interfaces.is_some() => {
                return Err(Contradiction {
                    message: "a second `ip -j addr` dump for the same device".into(),
                    help: "give one; it holds the addresses of both families",
                });
            }
            Dump::Addresses(list) => into.interfaces = Some(list.clone()),
            Dump::Routes(list) => into.routes.get_or_insert_default().extend(list.iter().cloned()),
            Dump::Rules(list) => into.rules.extend(list.iter().cloned()),
            Dump::Empty => {}
        }
        Ok(())
    }

    fn shown(&self, _: &str) -> Vec<String> {
        match &self.dump {
            Dump::Addresses(list) => {
                let line = |i: &crate::model::Interface| {
                    let addresses: Vec<String> = i.addresses.iter().map(ToString::to_string).collect();
                    format!("interface {}: {}", i.name, addresses.join(" "))
                };
                list.iter().map(line).collect()
            }
            Dump::Routes(list) => {
                let line = |r: &super::DumpedRoute| {
                    let leads = match &r.leads {
                        Leads::Out(hops) => hops.iter().fold(String::new(), |all, h| {
                            let via = h.via.map_or_else(String::new, |v| format!(" via {v}"));
                            format!("{all}{via} dev {}", h.dev)
                        }),
                        Leads::Nowhere | Leads::Refused => " discarded".into(),
                        Leads::Here => " local".into(),
                        Leads::Next => " left to the next rule".into(),
                    };
                    format!("route {}{leads} table {} metric {}", r.to, r.table, r.metric)
                };
                list.iter().map(line).collect()
            }
            Dump::Rules(list) => {
                let line = |DumpedRule { rule: r, open }: &DumpedRule| {
                    let open = open.as_ref().map_or_else(String::new, |o| format!(" (not followed: {})", o.what));
                    let (family, from, to) = (r.family, r.from, r.to);
                    format!("rule {}: {family:?} from {from:?} to {to:?} table {}{open}", r.priority, r.table)
                };
                list.iter().map(line).collect()
            }
            Dump::Empty => vec!["an empty list".into()],
        }
    }

    fn lower(&self, _: &Facts, _: &Known, _: &mut DeviceBuilder<'_>) -> Coverage {
        Coverage::default()
    }
}
