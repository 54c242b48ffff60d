//! pfSense: `config.xml` read, turned into the rules that it stands for, and changed.
//!
//! Read: [`secrets::blank`], [`read::read`], [`generate::generate`]. Changed: a list of [`edit::Edit`]s is one thing in
//! two forms, [`guide`] for a person and [`splice`] for the file.

pub mod config;
pub mod edit;
pub mod generate;
pub mod guide;
pub mod read;
pub mod secrets;
pub mod splice;
mod xml;
