//! Readers of native firewall configurations, one folder per dialect.

pub mod nft;
