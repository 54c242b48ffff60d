//! pf, the packet filter of FreeBSD and OpenBSD, as pfSense and `OPNsense` generate it.

pub mod ast;
pub mod lower;
pub mod text;
