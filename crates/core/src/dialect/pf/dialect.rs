//! Rules of pf as a file of their own: `/tmp/rules.debug`.

use super::ast::{Entry, Ruleset};
use super::{MadeFrom, lower, secrets, signs, text, vocabulary};
use crate::dialect::{
    About, Claim, Coverage, DeviceBuilder, Dialect, Document, Engine, Export, Facts, Known, Limits, Sign, Sniff,
    Standing, Words,
};
use crate::model::SourceId;
use crate::redact::Redactor;
use crate::snapshot::{InputError, Snapshot};
use std::sync::Arc;

/// Rules of pf.
pub struct Pf;

static ABOUT: About = About {
    name: "pf",
    title: "pf rules",
    what: "rules of pf",
    engine: Some(Engine::Pf),
    standing: Standing::InForce,
    is_system: false,
    offered: true,
    export: Export {
        file: "/tmp/rules.debug of pfSense",
        instead: "",
        again: "",
        second: ("a second list of pf's rules for the same device", "give the newest /tmp/rules.debug only"),
    },
    limits: Limits { bytes: 4 << 20, called: "a list of rules", statements: 50_000, zero_bytes: false },
    words: Words { outer_address: "`ifconfig` shows it", ask_outer: "", load: "", not_given: "" },
    target: None,
};

impl Dialect for Pf {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        if !text.is_markup() && text::is_pf(text.start) { Claim::Sure } else { Claim::No }
    }

    fn signs(&self) -> &'static [Sign] {
        signs::SIGNS
    }

    fn without_secrets(&self, text: &str) -> String {
        secrets::blank(text)
    }

    fn vocabulary(&self) -> &'static str {
        vocabulary::WORDS
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        with.pf(text)
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let rules = text::parse(file, snapshot.text(file));
        ABOUT.limits.countable(file, rules.statements)?;
        Ok(Arc::new(Rules { file: [file], rules }))
    }

    #[cfg(test)]
    fn standard(&self) -> Option<crate::dialect::standard::Standard> {
        Some(super::standard::standard())
    }
}

/// The rules of one file.
#[derive(Debug)]
struct Rules {
    file: [SourceId; 1],
    rules: Ruleset,
}

impl Document for Rules {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sources(&self) -> &[SourceId] {
        &self.file
    }

    fn waits(&self) -> bool {
        true
    }

    fn lower(&self, facts: &Facts, known: &Known, into: &mut DeviceBuilder<'_>) -> Coverage {
        let mut rules = self.rules.clone();
        for (name, entries) in &known.tables {
            if let Some(table) = rules.tables.get_mut(name.as_str()) {
                (table.entries, table.unknown) = (entries.clone().into(), None);
            }
        }
        if let Some(from) = &facts.made_from {
            let made = from.rules(&into.device.interfaces, known);
            (rules.groups, rules.bridges) = (made.groups, made.bridges);
            rules.all_named = true;
            fill_names(&mut rules, &**from, known);
        }
        lower::lower(&rules, into.device).into()
    }

    fn given(&self, name: &str) -> Option<String> {
        Some(format!("packages and services of {name} add no rules while it runs (UPnP, captive portal, block lists)"))
    }
}

/// Tables of names are empty in the rules: the configuration says which names, and what these are is known.
fn fill_names(rules: &mut Ruleset, from: &dyn MadeFrom, known: &Known) {
    for (name, members) in from.aliases() {
        let Some(table) = rules.tables.get_mut(name).filter(|t| t.unknown.is_some()) else {
            continue;
        };
        let mut entries: Vec<Entry> = Vec::new();
        let all = members.iter().all(|m| {
            let addresses = known.names.get(m).cloned().or_else(|| m.parse().ok().map(|a| vec![a]));
            entries.extend(addresses.iter().flatten().map(|a| Entry::Net((*a).into())));
            addresses.is_some()
        });
        if all && !members.is_empty() {
            (table.entries, table.unknown) = (entries.into(), None);
        }
    }
}
