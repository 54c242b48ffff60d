//! nftables: `nft -j list ruleset`, `nft list ruleset`, and ruleset files as people write them.
//!
//! Both readers produce the same syntax tree ([`ast`]); lowering turns it into the [model](crate::model).

pub mod ast;
mod build;
pub mod change;
mod dialect;
pub mod json;
pub mod lower;
mod normal;
pub mod print;
mod pseudonyms;
pub(in crate::dialect) mod secrets;
mod signs;
#[cfg(test)]
mod standard;
pub mod text;
mod vocabulary;

pub use dialect::{Json, Text};
