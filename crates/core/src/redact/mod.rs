//! Pseudonyms for what tells whose configuration it is.
//!
//! The same original has the same pseudonym in every text of a snapshot, and the texts mean the same as before. It all
//! follows from the snapshot itself: no clock, no chance.

mod address;
mod json;
mod manifest;
mod rules;
mod words;
mod xml;

use crate::dialect::{kernel, pf, without_secrets};
use crate::manifest as site;
use crate::snapshot::{Snapshot, Source};
use address::{Addresses, Hardware, hash};
use std::collections::BTreeMap;

/// What has been replaced so far.
#[derive(Default)]
struct Redactor {
    addresses: Addresses,
    hardware: Hardware,
    /// Pseudonyms of each kind, with how many originals there are.
    names: BTreeMap<(&'static str, String), usize>,
    counts: BTreeMap<&'static str, usize>,
}

impl Redactor {
    /// A pseudonym: what it is, and which one of them.
    fn name(&mut self, kind: &'static str, original: &str) -> String {
        let counts = &mut self.counts;
        let number = self.names.entry((kind, original.to_owned())).or_insert_with(|| {
            let count = counts.entry(kind).or_default();
            *count += 1;
            *count
        });
        format!("{kind}{number}")
    }

    /// A host's pseudonym.
    fn host(&mut self, original: &str) -> String {
        self.name("host", &original.to_ascii_lowercase()) + ".example"
    }

    /// A description's or comment's pseudonym. Space around it stays, and nothing stays nothing.
    fn description(&mut self, original: &str) -> String {
        let body = original.trim();
        if body.is_empty() { original.to_owned() } else { original.replacen(body, &self.name("text", body), 1) }
    }

    /// An interface's name for people; those that every firewall has stay.
    fn interface(&mut self, original: &str) -> String {
        let upper = original.trim().to_ascii_uppercase();
        let common = upper.trim_end_matches(|c: char| c.is_ascii_digit());
        if ["WAN", "LAN", "OPT", ""].contains(&common) { original.to_owned() } else { self.name("NET", &upper) }
    }

    fn text(&mut self, index: usize, text: &str) -> String {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if index == 0 {
            self.manifest(text)
        } else if kernel::looks_like(start) {
            // Only settings that decide about packets are left of it, and no value of these tells whose it is.
            text.to_owned()
        } else if start.starts_with('<') || text.contains("<pfsense") {
            self.xml(text)
        } else if start.starts_with(['{', '['])
            && let Some(new) = self.json(start)
        {
            new
        } else {
            self.rules(text, pf::text::is_pf(text))
        }
    }
}

/// The snapshot with pseudonyms for addresses, host names, users, descriptions and comments.
///
/// Addresses keep their common prefixes and whether they are private; verdicts stay the same. Names of files, tables,
/// chains, aliases and gateways stay.
#[must_use]
pub fn redact(snapshot: &Snapshot) -> Snapshot {
    let mut redactor = Redactor::default();
    let texts: Vec<(&str, String)> = snapshot
        .sources
        .iter()
        .enumerate()
        .map(|(i, s)| (&*s.name, if i == 0 { site::without_secrets(&s.text) } else { without_secrets(s.text.clone()) }))
        .collect();
    // Once to see all addresses, and once to replace them.
    for (index, (_, text)) in texts.iter().enumerate() {
        redactor.text(index, text);
    }
    redactor.addresses.settle(hash(&texts));
    let replaced = texts
        .iter()
        .enumerate()
        .map(|(index, (name, text))| Source { name: (*name).to_owned(), text: redactor.text(index, text) });
    Snapshot { sources: replaced.collect(), directory: String::new() }
}
