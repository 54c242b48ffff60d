//! Readers of native firewall configurations, one folder per dialect.

mod files;
pub mod includes;
pub mod iproute;
pub mod kernel;
pub mod nft;
mod patch;
mod pending;
pub mod pf;
pub mod pfsense;
pub mod toy;

pub use files::{Kind, left_out, recognise, ruleset};
pub(crate) use files::{Readings, expand};
pub use patch::{Opened, Patch, Recipe, apply, plan, recipe, steps};
pub(crate) use pending::Pending;
pub use pf::ast::Entry;
pub use pfsense::generate::{Known, LeftOut};
pub(crate) use pfsense::{end_of_object, telling};

use crate::change::{Printed, Refused, Wanted};
use crate::model::{Pipeline, SourceId};
use crate::secrets;

/// A kind of configuration file that is read.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Short name.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// How a user gets the file.
    pub file: &'static str,
    /// Where its user sees the address of the outer interface.
    pub outer_address: &'static str,
    /// The file belongs to this system alone, so that reports can call the device by its name.
    pub is_system: bool,
    /// Messages that ask for a file name it; a pattern or an unfinished dialect is read, but not asked for.
    pub offered: bool,
    /// Kinds of files that belong to it; a [`Plain`] dialect has its own.
    pub kinds: &'static [Kind],
    /// The text without secrets, of the same length.
    pub without_secrets: fn(&str) -> String,
    /// How it is read and changed, where one text alone says everything; other dialects have their ways in `files` and
    /// `patch`.
    pub plain: Option<Plain>,
}

/// A dialect has one name.
impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}

/// Reader and printer of a dialect whose text says everything: no includes, no addresses from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Plain {
    /// Recognises a text, without its mark of byte order and what is blank before it.
    pub looks_like: fn(&str) -> bool,
    /// Fills a device's pipeline. Nothing is an error: what is not understood is counted, and taints its packets.
    pub read: fn(SourceId, &str, &mut Pipeline) -> Counts,
    /// The text with wanted things added, and what to do by hand.
    pub print: fn(&str, &[Wanted]) -> Result<Printed, Refused>,
}

/// Every dialect. Which one a text belongs to is what [`recognise`] says.
pub const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "pfsense",
        title: "pfSense",
        file: "Diagnostics > Backup & Restore > Download (config.xml)",
        outer_address: "pfSense shows it in Status > Interfaces",
        is_system: true,
        offered: true,
        kinds: &[Kind::PfSense],
        without_secrets: pfsense::secrets::blank,
        plain: None,
    },
    Dialect {
        name: "pf",
        title: "pf rules",
        file: "/tmp/rules.debug of pfSense",
        outer_address: "`ifconfig` shows it",
        is_system: false,
        offered: true,
        kinds: &[Kind::Pf],
        without_secrets: pf::secrets::blank,
        plain: None,
    },
    Dialect {
        name: "nftables",
        title: "nftables",
        file: "`nft list ruleset` or `nft -j list ruleset`",
        outer_address: "`ip addr` shows it",
        is_system: false,
        offered: true,
        kinds: &[Kind::NftText, Kind::NftJson],
        without_secrets: nft::secrets::blank,
        plain: None,
    },
    toy::DIALECT,
];

/// The dialect of a text; none for a file that holds no rules, or that is refused.
pub fn of_text(text: &str) -> Option<&'static Dialect> {
    match recognise(SourceId(0), text).ok()? {
        Kind::Plain(dialect) => Some(dialect),
        kind => DIALECTS.iter().find(|d| d.kinds.contains(&kind)),
    }
}

/// The files that hold rules, for a message that asks for one.
pub fn wanted_files() -> String {
    let offered = DIALECTS.iter().filter(|d| d.offered);
    offered.map(|d| format!("{}: {}", d.title, d.file)).collect::<Vec<_>>().join("; ")
}

/// A text without the secrets that its kind of file holds. Same length, same lines.
///
/// XML that is none of them may still be a broken or partial backup. Of a text of another kind nothing is left.
#[must_use]
#[allow(clippy::needless_pass_by_value)] // the original is gone then
pub fn without_secrets(text: String) -> String {
    let kind = secret_kind(&text);
    let less = without_secrets_of(kind, &text);
    // Without them it may be a text of no kind any more: then nothing of it is kept.
    if secret_kind(&less) == kind { less } else { secrets::all(&less) }
}

/// The kind of file by whose list of what is kept a text is read; none, where nothing is kept.
fn secret_kind(text: &str) -> Option<Kind> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') || text.contains("<pfsense") {
        return Some(Kind::PfSense);
    }
    recognise(SourceId(0), text).ok()
}

fn without_secrets_of(kind: Option<Kind>, text: &str) -> String {
    match kind {
        Some(Kind::PfSense) => pfsense::secrets::blank(text),
        Some(Kind::Kernel) => kernel::without_secrets(text),
        Some(Kind::IpRoute) => iproute::without_secrets(text),
        Some(Kind::Plain(dialect)) => (dialect.without_secrets)(text),
        Some(kind) => DIALECTS
            .iter()
            .find(|d| d.kinds.contains(&kind))
            .map_or_else(|| secrets::all(text), |d| (d.without_secrets)(text)),
        None => secrets::all(text),
    }
}

/// How much of a configuration was understood, in statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that may decide about packets.
    pub statements: usize,
    /// Modelled exactly, or known not to change any fate.
    pub understood: usize,
    /// Followed both ways, because the text does not decide them.
    pub approximated: usize,
    /// Not understood: they taint the packets that may meet them.
    pub unread: usize,
}

impl Counts {
    /// Adds another ruleset's figures.
    pub fn add(&mut self, other: Self) {
        self.statements += other.statements;
        self.understood += other.understood;
        self.approximated += other.approximated;
        self.unread += other.unread;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_named_once_and_says_what_it_is() {
        for (n, dialect) in DIALECTS.iter().enumerate() {
            assert!(DIALECTS.iter().skip(n + 1).all(|d| d.name != dialect.name), "{}", dialect.name);
            for text in [dialect.title, dialect.file, dialect.outer_address] {
                let unfinished = text.is_empty() || dialect.offered && text.contains("TODO");
                assert!(!unfinished, "{}: {text}", dialect.name);
            }
            let empty = dialect.plain.is_some_and(|p| (p.looks_like)(""));
            assert!(!empty, "{}: an empty text is none of its", dialect.name);
            assert_eq!(dialect.plain.is_some(), dialect.kinds.is_empty(), "{}: how it is recognised", dialect.name);
        }
        assert!(wanted_files().starts_with("pfSense: ") && !wanted_files().contains("toy"));
    }
}
