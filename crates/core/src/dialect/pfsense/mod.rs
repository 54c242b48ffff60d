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

use crate::xml::root_name;

pub use change::BackupChange;
pub use dialect::PfSense;

/// Is this an export, whole or an area of it, of this product or of its relative?
pub fn looks_like(text: &str) -> bool {
    let roots = ["pfsense", "opnsense", "nat", "filter", "aliases", "interfaces", "system"];
    root_name(text).is_some_and(|name| roots.contains(&name))
}
