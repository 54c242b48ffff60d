//! pfSense: `config.xml` read and changed.

pub mod edit;
pub mod guide;
pub mod splice;
