//! pfSense: `config.xml` read and changed.

pub mod config;
pub mod edit;
pub mod generate;
pub mod read;
pub mod secrets;
mod xml;
