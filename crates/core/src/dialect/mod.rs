//! Readers of native firewall configurations, one folder per dialect.

mod files;
pub mod iproute;
pub mod nft;
mod patch;
mod pending;
pub mod pf;
pub mod pfsense;
pub mod toy;

use crate::model::SourceId;
pub(crate) use files::read;
pub use files::{Kind, left_out, recognise, ruleset};
pub use patch::{Patch, Recipe, apply, plan, recipe, steps};
pub(crate) use pending::Pending;
pub use pf::ast::Entry;
pub use pfsense::generate::{Known, LeftOut};

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
    /// Kinds of files that belong to it.
    pub kinds: &'static [Kind],
    /// The text without secrets, of the same length.
    pub without_secrets: fn(&str) -> String,
}

/// Every dialect. Which one a text belongs to is what [`recognise`] says.
pub const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "pfsense",
        title: "pfSense",
        file: "Diagnostics > Backup & Restore > Download (config.xml)",
        outer_address: "pfSense shows it in Status > Interfaces",
        is_system: true,
        kinds: &[Kind::PfSense],
        without_secrets: pfsense::secrets::blank,
    },
    Dialect {
        name: "pf",
        title: "pf rules",
        file: "/tmp/rules.debug of pfSense",
        outer_address: "`ifconfig` shows it",
        is_system: false,
        kinds: &[Kind::Pf],
        without_secrets: str::to_owned,
    },
    Dialect {
        name: "nftables",
        title: "nftables",
        file: "`nft list ruleset` or `nft -j list ruleset`",
        outer_address: "`ip addr` shows it",
        is_system: false,
        kinds: &[Kind::NftText, Kind::NftJson],
        without_secrets: str::to_owned,
    },
    Dialect {
        name: "toy",
        title: "toy firewall",
        file: "a text that begins with `toy firewall 1`",
        outer_address: "it is printed on the box",
        is_system: false,
        kinds: &[Kind::Toy],
        without_secrets: str::to_owned,
    },
];

/// The dialect of a text; none for a file that holds no rules, or that is refused.
pub fn of_text(text: &str) -> Option<&'static Dialect> {
    let kind = recognise(SourceId(0), text).ok()?;
    DIALECTS.iter().find(|d| d.kinds.contains(&kind))
}

/// The files that hold rules, for a message that asks for one.
pub fn wanted_files() -> String {
    let real = DIALECTS.iter().filter(|d| d.name != "toy");
    real.map(|d| format!("{}: {}", d.title, d.file)).collect::<Vec<_>>().join("; ")
}

/// A text without the secrets that its kind of file holds. Same length, same lines.
///
/// XML that is none of them may still be a broken or partial backup.
pub fn without_secrets(text: String) -> String {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') || text.contains("<pfsense") {
        return pfsense::secrets::blank(&text);
    }
    match of_text(&text) {
        Some(dialect) => (dialect.without_secrets)(&text),
        None => text,
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
