//! Readers of native firewall configurations, one folder per dialect.

pub mod iproute;
pub mod nft;
pub mod pfsense;
