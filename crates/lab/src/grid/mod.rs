//! Real calls through real rules: ICE agents with DTLS and audio, in namespaces with the gateway, the server's own
//! firewall and the caller's network between them.
//!
//! Signalling goes inside this process, so that media alone is judged. Every call has a network of its own: connection
//! tracking of one call must not help another one.

mod agent;
mod browser;
mod call;
mod cell;
mod framing;
mod http;
mod network;
mod predict;
mod rules;
mod run;
mod stun;
mod table;

pub use call::{First, Program, call};
pub use cell::{Caller, Cell, Firewall, Gateway, Ice, Media, Stun, every, tenth};
pub use predict::predicted;
pub use rules::{caller_rules, gateway_rules, router_rules, server_rules};
pub use run::{Call, Outcome, every_call, run, tenth_of_calls};
pub use table::{disagreements, figures, table};

use std::ops::RangeInclusive;

/// Media ports of the server.
pub const MEDIA_PORTS: RangeInclusive<u16> = 50000..=50499;

/// The server's port for media over TCP.
pub const TCP_PORT: u16 = 7881;
