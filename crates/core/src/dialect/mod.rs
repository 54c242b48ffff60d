//! Readers of native firewall configurations, one folder per dialect.

pub mod iproute;
pub mod nft;
pub mod pf;
pub mod pfsense;

/// How much of a configuration was understood, in statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that may decide about packets.
    pub statements: usize,
    /// Modelled exactly, or known not to change any fate.
    pub understood: usize,
    /// Followed both ways, because the text does not decide them.
    pub approximated: usize,
    /// Not understood: they taint the packets that may meet them.
    pub unread: usize,
}
