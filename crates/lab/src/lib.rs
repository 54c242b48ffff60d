//! The kernel as judge: builds routers in network namespaces, loads rulesets, sends packets and compares what becomes
//! of them with what the trace says.
//!
//! Everything happens inside namespaces that this process makes itself. Needed there: `CAP_SYS_ADMIN` to create them,
//! `CAP_NET_ADMIN` for interfaces, routes and rules, `CAP_NET_RAW` for packets with chosen headers. Root has these; an
//! ordinary user gets them inside a user namespace of their own, where the system allows that.

pub mod campaign;
pub mod changes;
pub mod compare;
pub mod figures;
pub mod filters;
pub mod fixtures;
pub mod generate;
pub mod grid;
pub mod monitor;
pub mod mutants;
pub mod namespace;
pub mod packet;
pub mod pairs;
pub mod random;
pub mod topology;
pub mod wire;
