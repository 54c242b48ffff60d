//! Calls: who calls whom, by what, and whether it gets through.

mod address;
mod gateway;
mod reach;
mod server;
mod site;
mod source;
mod stated;

pub use source::{Counts, Kind, recognise};
