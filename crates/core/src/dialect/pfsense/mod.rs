//! pfSense: `config.xml` read, turned into the rules that it stands for, and changed.
//!
//! Read: [`secrets::blank`], [`read::read`], [`generate::generate`]. Changed: a list of [`edit::Edit`]s is one thing in
//! two forms, [`guide`] for a person and [`splice`] for the file.

mod change;
pub mod config;
mod dialect;
pub mod edit;
pub mod generate;
pub mod guide;
mod lines;
pub mod plan;
mod pseudonyms;
pub mod read;
pub mod recipe;
pub mod secrets;
mod shown;
mod signs;
pub mod splice;
#[cfg(test)]
mod standard;
mod vocabulary;
mod xml;

pub use change::BackupChange;
pub use dialect::PfSense;

/// Is this an export, whole or an area of it, of this product or of its relative?
pub fn looks_like(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let mut rest = start;
    // Past the declaration and comments.
    while let Some(after) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!--")) {
        let end = if rest.starts_with("<?") { "?>" } else { "-->" };
        let Some((_, behind)) = after.split_once(end) else { return false };
        rest = behind.trim_start();
    }
    ["pfsense", "opnsense", "nat", "filter", "aliases", "interfaces", "system"].iter().any(|root| {
        rest.strip_prefix('<')
            .and_then(|r| r.strip_prefix(root))
            .is_some_and(|r| r.starts_with(['>', ' ', '/', '\n', '\r', '\t']))
    })
}
