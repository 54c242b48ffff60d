//! Calls: who calls whom, by what, and whether it gets through.

mod address;
mod analyze;
mod diagnose;
mod exposure;
mod gateway;
mod judge;
mod native;
mod reach;
mod server;
mod site;
mod source;
mod stated;
mod story;
mod summary;

pub use analyze::{analyze, changes};
pub use source::{Kind, left_out, recognise, ruleset};
