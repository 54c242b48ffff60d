//! pf, the packet filter of FreeBSD and OpenBSD, as pfSense and `OPNsense` generate it.

pub mod ast;
pub mod lower;
pub(in crate::dialect) mod secrets;
pub mod text;
