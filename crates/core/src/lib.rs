//! callpath-core: from configuration texts to a verdict on every call, without any I/O.
//!
//! Data flows one way: texts → [`dialect`] → [`model`] → [`trace`] → report. See `ARCHITECTURE.md`.

pub mod call;
pub mod change;
pub mod counters;
pub mod cube;
pub mod dialect;
pub mod finding;
pub mod manifest;
pub mod model;
mod page;
#[cfg(test)]
#[path = "../tests/planted.rs"]
mod planted;
pub mod ports;
pub mod profile;
pub mod redact;
pub mod render;
pub mod report;
pub mod requirement;
mod secrets;
pub mod snapshot;
pub mod trace;
pub mod visible;
pub mod vocabulary;
