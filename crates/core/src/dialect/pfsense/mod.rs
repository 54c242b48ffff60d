//! pfSense: `config.xml` read and changed.

pub mod edit;
