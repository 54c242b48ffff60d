//! Which kind of file a text is, also of those that are not read: one row for each kind, with what it is in words, what to
//! give instead and how to state the box. A text is compared with the signs of all rows; the one whose signs say most is
//! its kind, and two that say nearly as much leave it open. Signs are what stands throughout such a file: its heading may
//! be missing.

mod binary;
mod clouds;
mod linux;
mod others;
mod routers;
mod services;
mod sign;

use super::interface::Dialect;
pub use binary::of_bytes;
use sign::Sample;
pub use sign::{Sign, Unit, key, line, tag};

/// One kind of file that is not read.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Short name, of this one alone.
    pub name: &'static str,
    /// It tells what passes and what is translated, so that it may be read one day.
    pub has_rules: bool,
    /// What it is, in words: `what iptables-save prints`.
    pub what: &'static str,
    /// What to give instead, or where to look.
    pub instead: &'static str,
    /// How to state the box; empty where there is nothing to state.
    pub state: &'static str,
    /// What speaks for it and against it.
    pub signs: &'static [Sign],
}

impl Kind {
    /// It is the file that names all others.
    pub fn is_manifest(&self) -> bool {
        self.name == others::MANIFEST
    }

    /// What a user is told who gives one: what it is, and what to do.
    pub fn message(&self) -> (String, String) {
        let unread = if self.has_rules { ", which callpath does not read yet" } else { "" };
        let todo: Vec<&str> = [self.instead, self.state].into_iter().filter(|t| !t.is_empty()).collect();
        (format!("this is {}{unread}", self.what), todo.join("; "))
    }
}

/// A box that forwards.
pub const ROUTER: &str = "or state the box: a [[gateway]] table with `inside = \"192.168.1.1/24\"` (its own inner address), \
                          `forwards = [\"udp/…\", \"tcp/…\"]` and `hairpin = true` or `false`";
/// A filter without translation.
const FILTER: &str = "or state the filter: a [[gateway]] table with `passes = [\"udp/…\", \"tcp/…\"]`";
/// A filter that lets no answer pass by itself.
const STATELESS: &str =
    "or state the filter: a [[gateway]] table with `passes = [\"udp/…\", \"tcp/…\"]` and `tracks = false`";
/// A host's own firewall, or that of a router.
const HOST: &str = "or say that it is not known: `firewall = \"unknown\"` in the [[deploy]] table of a server; of a router, \
                    state what it forwards: `inside`, `forwards` and `hairpin` in its [[gateway]] table";
/// A service.
const SERVICE: &str = "it may stand in `config` of the [[deploy]] table of its host";
/// Nothing to state.
pub const NOTHING: &str = "";

/// Every kind that belongs to no dialect.
const TABLES: [&[Kind]; 5] = [linux::KINDS, routers::KINDS, clouds::KINDS, services::KINDS, others::KINDS];

/// Every kind that is not read, each once: those that belong to no dialect, and other files of systems that are read.
pub fn unread(dialects: &[&'static dyn Dialect]) -> impl Iterator<Item = &'static Kind> {
    TABLES.iter().flat_map(|table| table.iter()).chain(dialects.iter().flat_map(|d| d.others()))
}

/// What a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidate {
    /// A file that is read.
    Read(&'static dyn Dialect),
    /// One that is not, by the place of its row.
    Unread(&'static Kind),
}

impl Candidate {
    /// Its short name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Read(dialect) => dialect.about().name,
            Self::Unread(kind) => kind.name,
        }
    }

    /// What it is, in words.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Read(dialect) => dialect.about().what,
            Self::Unread(kind) => kind.what,
        }
    }
}

impl PartialEq for Kind {
    /// A kind has one name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kind {}

/// How much the signs of all kinds say about a text, in tenths; those first that say most. No row's place decides.
pub fn weighed(dialects: &[&'static dyn Dialect], text: &str) -> Vec<(i32, Candidate)> {
    let sample = Sample::new(text);
    let read = dialects.iter().map(|d| (sample.weigh(d.signs()), Candidate::Read(*d)));
    let unread = unread(dialects).map(|k| (sample.weigh(k.signs), Candidate::Unread(k)));
    let mut out: Vec<(i32, Candidate)> = read.chain(unread).filter(|(weight, _)| *weight > 0).collect();
    out.sort_by_key(|(weight, candidate)| (std::cmp::Reverse(*weight), candidate.name()));
    out
}

/// So much has to speak for a kind, in tenths: one sign that is nearly enough alone, or two that belong to it.
pub const ENOUGH: i32 = 50;
/// So much overrules how a text begins.
pub const MUCH: i32 = 100;

/// Two kinds of which neither is surer: the second has more than four fifths of the first.
pub fn is_close(first: i32, second: i32) -> bool {
    5 * second > 4 * first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::DIALECTS;

    #[test]
    fn every_kind_is_named_once_and_says_what_to_do() {
        let kinds: Vec<&Kind> = unread(DIALECTS).collect();
        assert!(kinds.len() > 80, "{}", kinds.len());
        let dialects = DIALECTS.iter().map(|d| d.about().name);
        let mut names: Vec<&str> = kinds.iter().map(|k| k.name).chain(dialects).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        for kind in kinds {
            let texts = [kind.what, kind.instead, kind.state];
            assert!(texts.iter().all(|t| !t.starts_with(char::is_uppercase) || kind.instead == *t), "{}", kind.name);
            assert!(!kind.what.is_empty() && texts.iter().all(|t| !t.ends_with('.')), "{}", kind.name);
            // A kind with rules names both ways on: another file, and how to state the box.
            let told = !kind.instead.is_empty() && !kind.state.is_empty();
            assert!(told || !kind.has_rules, "{}", kind.name);
            assert!(kind.signs.iter().filter(|s| s.weight > 0).count() > 0, "{}", kind.name);
        }
    }

    #[test]
    fn signs_say_something() {
        let all = unread(DIALECTS).map(|k| (k.name, k.signs));
        for (name, signs) in all.chain(DIALECTS.iter().map(|d| (d.about().name, d.signs()))) {
            for (n, sign) in signs.iter().enumerate() {
                let (Unit::Line(text) | Unit::Key(text) | Unit::Tag(text)) = sign.unit;
                assert!(text.chars().any(char::is_alphanumeric) || text.len() > 2 || sign.weight < 3, "{name}: {text}");
                assert!(sign.weight != 0 && !text.contains("  "), "{name}: {text}");
                assert!(signs[..n].iter().all(|other| other.unit != sign.unit), "{name}: {text} twice");
            }
        }
    }
}
