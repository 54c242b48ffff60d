//! Pseudonyms for what tells whose configuration it is.
//!
//! What a language itself defines stays: an explicit list of words for each kind of file
//! ([`crate::dialect::Dialect::vocabulary`]), numbers, signs, and where lines end. Every other name, address, path and text gets a pseudonym, and comments go. The texts are cut by the
//! readers' own tokenisers and parsers; of one that cannot be cut nothing is left.
//!
//! A pseudonym follows from the original and from a [`Key`]. Without the key, pseudonyms tell which originals are the same,
//! which addresses share how many first bits, which names begin alike where a rule asks for it, in which order files stand,
//! and nothing else.

mod address;
mod error;
mod json;
mod key;
mod manifest;
mod name;
mod scan;
mod settings;
mod words;
mod xml;

pub(crate) use address::length;
pub use error::redact_error;
pub use key::Key;

use crate::dialect::{of_text, without_secrets};
use crate::manifest as site;
use crate::secrets;
use crate::snapshot::{Snapshot, Source};
use address::Addresses;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

/// What pseudonyms keep, in words for people who get a text with them.
pub const KEPT: &str = "Pseudonyms keep which names and addresses are the same, how many first bits two addresses share, \
     whether an address is private, special or of a documentation network, the order of files, small numbers (ports, VLANs, \
     lengths, times), lines, and the words of the languages themselves. Without the key of the run nothing else can be \
     worked out.";

/// What has been seen and replaced so far. Readers give it the pieces of their texts.
pub struct Redactor {
    key: Key,
    addresses: Addresses,
    /// Names with their pseudonyms, and whose a pseudonym is.
    names: HashMap<String, String>,
    taken: HashMap<String, String>,
    /// Beginnings of names for which rules ask.
    stems: HashSet<String>,
    /// Names of files, without their endings, and beginnings of those for which a pattern asks.
    files: BTreeSet<String>,
    file_stems: BTreeSet<String>,
    /// The texts are looked through, and nothing is replaced yet.
    looking: bool,
}

impl Redactor {
    pub(crate) fn new(key: Key) -> Self {
        Self {
            key,
            addresses: Addresses::new(key),
            names: HashMap::new(),
            taken: HashMap::new(),
            stems: HashSet::new(),
            files: BTreeSet::new(),
            file_stems: BTreeSet::new(),
            looking: true,
        }
    }

    /// A text with pseudonyms; one that cannot be read is replaced whole.
    fn source(&mut self, index: usize, text: &str) -> String {
        let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        let body = &text[mark.len()..];
        let new = if index == 0 {
            self.manifest(body)
        } else {
            of_text(body).and_then(|dialect| dialect.redacted(body, self))
        };
        format!("{mark}{}", new.unwrap_or_else(|| secrets::all(body)))
    }
}

/// The snapshot with pseudonyms for all that no language defines: addresses, names, paths, descriptions. Comments go.
///
/// Addresses keep their common prefixes and whether they are private; verdicts and lines stay the same.
#[must_use]
pub fn redact(snapshot: &Snapshot, key: &Key) -> Snapshot {
    run(snapshot, key).0
}

/// The same, and what made it.
fn run(snapshot: &Snapshot, key: &Key) -> (Snapshot, Redactor) {
    let mut redactor = Redactor::new(*key);
    let texts: Vec<(&str, String)> = snapshot
        .sources
        .iter()
        .enumerate()
        .map(|(i, s)| (&*s.name, if i == 0 { site::without_secrets(&s.text) } else { without_secrets(s.text.clone()) }))
        .collect();
    // Once to see all addresses, patterns and files, and once to replace them.
    for (index, (name, text)) in texts.iter().enumerate() {
        redactor.path(name);
        redactor.source(index, text);
    }
    redactor.looking = false;
    let replaced = texts
        .iter()
        .enumerate()
        .map(|(index, (name, text))| Source { name: redactor.path(name), text: redactor.source(index, text) });
    let sources = replaced.collect();
    (Snapshot { sources, directory: String::new() }, redactor)
}

/// Parts of a text with what stands there instead, in their order; all else stays.
#[derive(Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Another text in the place of a part.
    pub fn put(&mut self, part: Range<usize>, new: String) {
        self.0.push((part, new));
    }

    /// The text with them.
    pub fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(part, _)| part.start);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (part, new) in self.0 {
            if part.start >= at {
                out += &text[at..part.start];
                out += &new;
                at = part.end;
            }
        }
        out + &text[at..]
    }
}
