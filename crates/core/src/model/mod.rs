//! The vendor-independent model: devices with hook pipelines, and the network between them.
//!
//! Dialects fill it, the trace walks it, nothing in it names a vendor. Words: Batfish's for traces, RFC 4787's for NAT.

mod chains;
mod device;
mod fuse;
mod leads;
mod origin;
mod pipeline;
pub mod print;
mod rule;
mod scope;

pub use crate::cube::Part;
pub use chains::{Chains, Pass};
pub use device::{
    Bridge, Device, Endpoint, Holds, Interface, Loopback, Route, RouteTarget, RoutingRule, RuleAction, Settings,
    WayBack,
};
pub use fuse::{Fused, Hull, Least, Member, TOLD};
pub use origin::{Doubt, DoubtId, DoubtKind, Origin, OriginId, SourceId, SourceSpan};
pub use pipeline::{Chain, ChainId, Families, Hook, Pipeline, Policy, Side, Stage, StageKind};
pub use rule::{
    Action, Key, KeyField, Lookup, MarkFrom, MarkValue, Match, NatTarget, Rule, Step, Test, Translate, TupleDir,
    TupleIface, Value, Verdicted, Ways, ct_state, ct_status, iface_value, iface_wildcard, nfproto, tcp_flags,
};
pub use scope::{is_public, is_shared};

use std::net::IpAddr;

/// Address family of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Family of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Width of an address in bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The largest address as an integer.
    pub fn max_address(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }

    /// The address with this integer value.
    pub fn address(self, value: u128) -> IpAddr {
        match self {
            #[allow(clippy::cast_possible_truncation)] // IPv4 values are below 2³² by construction
            Self::V4 => IpAddr::V4((value as u32).into()),
            Self::V6 => IpAddr::V6(value.into()),
        }
    }
}

/// An address as the integer that [`crate::cube::Set`] uses.
pub fn address_value(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(a) => u128::from(u32::from(a)),
        IpAddr::V6(a) => u128::from(a),
    }
}

/// The closed interval of addresses that a prefix covers.
pub fn prefix_range(net: ipnet::IpNet) -> (u128, u128) {
    (address_value(net.network()), address_value(net.broadcast()))
}
