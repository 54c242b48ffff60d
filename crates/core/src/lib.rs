//! callpath-core: from configuration texts to a verdict on every call, without any I/O.
//!
//! Data flows one way: texts → [`dialect`] → [`model`] → [`trace`] → report. See `ARCHITECTURE.md`.

mod call;
pub mod change;
pub mod check;
pub mod counters;
pub mod cube;
mod diagnose;
pub mod dialect;
mod explain;
pub mod finding;
pub mod manifest;
pub mod model;
mod page;
#[cfg(test)]
#[path = "../tests/planted.rs"]
mod planted;
pub mod ports;
pub mod profile;
pub mod query;
pub mod redact;
pub mod render;
pub mod report;
pub mod requirement;
mod secrets;
mod site;
pub mod snapshot;
pub mod trace;
mod verdict;
pub mod visible;
pub mod vocabulary;
mod way;
mod xml;
