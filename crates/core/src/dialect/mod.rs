//! Native firewall configurations, one folder per dialect. `interface` is what a dialect is to all others, `document` what
//! was read of a file.

mod builder;
mod document;
mod editor;
mod files;
pub mod includes;
mod interface;
pub mod iproute;
pub mod kernel;
mod kind;
mod netfilter;
pub mod nft;
pub mod pf;
pub mod pfsense;
mod recognise;
#[cfg(test)]
mod standard;
#[cfg(test)]
mod toy;
#[cfg(test)]
mod toy_wire;

pub use crate::change::{Patch, apply, steps};
pub use builder::DeviceBuilder;
pub use document::{
    Contradiction, Counts, Coverage, Document, Engine, Entry, Facts, Known, LeftOut, Made, Standing, WIRE,
};
pub use editor::{Editor, On, Opened, Recipe, plan};
pub use files::ruleset;
pub(crate) use files::{Files, Readings, expand, is_wire};
pub use interface::{About, Claim, Dialect, Export, Limits, Sniff, Words};
pub use kind::{Kind, Sign, Unit, of_bytes};
use recognise::instead;
pub use recognise::{Found, certain, found, of_text, recognise, without_secrets};

/// Every dialect. Which one a text belongs to is what [`recognise`] says; the order is that of messages.
pub const DIALECTS: &[&dyn Dialect] = &[
    &pfsense::PfSense,
    &pf::Pf,
    &nft::Text,
    &nft::Json,
    &iproute::IpRoute,
    &kernel::Sysctl,
    #[cfg(test)]
    &toy::Toy,
    #[cfg(test)]
    &toy_wire::ToyWire,
];

/// Of an object with many lines, the part of the text by which its owner knows it.
pub(crate) fn telling(text: &str, start: usize, end: usize) -> (usize, usize) {
    of_text(text).map_or((start, end), |d| d.telling(text, start, end))
}

/// Where an object ends that begins here.
pub(crate) fn end_of_object(text: &str, start: usize) -> usize {
    of_text(text).map_or_else(|| interface::end_of_line(text, start), |d| d.end_of_object(text, start))
}

/// Dialects that messages ask for.
fn offered(table: &[&'static dyn Dialect]) -> impl Iterator<Item = &'static About> {
    table.iter().map(|d| d.about()).filter(|a| a.offered)
}

/// The files that hold rules, for a message that asks for one.
pub fn wanted_files() -> String {
    offered(DIALECTS).map(|a| format!("{}: {}", a.title, a.export.file)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_named_once_and_says_what_it_is() {
        for (n, dialect) in DIALECTS.iter().enumerate() {
            let about = dialect.about();
            assert!(DIALECTS.iter().skip(n + 1).all(|d| d.about().name != about.name), "{}", about.name);
            let texts = [about.title, about.what, about.export.file, about.words.outer_address, about.limits.called];
            for text in texts {
                let unfinished = text.is_empty() || about.offered && text.contains("TODO");
                assert!(!unfinished, "{}: {text}", about.name);
            }
            assert_eq!(dialect.claims(&Sniff::new("")), Claim::No, "{}: an empty text is none of its", about.name);
            assert_eq!(about.engine.is_none(), about.standing == Standing::Facts, "{}", about.name);
            assert_eq!(about.engine.is_none(), about.export.second.0.is_empty(), "{}", about.name);
        }
        assert!(wanted_files().starts_with("pfSense: ") && !wanted_files().contains("toy"));
    }
}
