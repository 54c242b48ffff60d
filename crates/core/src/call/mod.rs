//! Calls: who calls whom, by what, and whether it gets through.

mod address;
mod analyze;
mod callers;
#[cfg(test)]
mod codes;
mod containers;
mod diagnose;
mod exposure;
mod filter;
mod gateway;
mod guess;
mod ice;
mod judge;
mod kernel;
mod later;
mod learned;
mod media;
mod parties;
mod paths;
mod proxy;
mod reach;
mod replay;
mod server;
mod site;
mod stated;
mod story;
mod summary;
mod told;

pub use crate::dialect::{recognise, ruleset};
pub use analyze::{analyze, changes, proposals};
pub use diagnose::{Gate, Proposals};
