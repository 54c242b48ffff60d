//! pf, the packet filter of FreeBSD and OpenBSD, as pfSense and `OPNsense` generate it.

pub mod ast;
mod dialect;
pub mod lower;
mod pseudonyms;
pub(in crate::dialect) mod secrets;
mod signs;
#[cfg(test)]
mod standard;
pub mod text;
mod vocabulary;

use crate::dialect::Known;
use crate::model::Interface;
pub use dialect::Pf;
use std::fmt;

/// A configuration from which a system makes rules of pf. It tells what these leave open.
pub trait MadeFrom: fmt::Debug + Send + Sync {
    /// The rules that it makes on these interfaces.
    fn rules(&self, interfaces: &[Interface], known: &Known) -> ast::Ruleset;

    /// Its aliases with their members.
    fn aliases(&self) -> Vec<(&str, &[String])>;
}
