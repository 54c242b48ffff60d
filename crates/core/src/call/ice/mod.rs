//! ICE: whether two agents find a way for media by UDP (RFC 8445).
//!
//! Both send connectivity checks to what the other one has told, and to what they learn from checks that arrive
//! (peer-reflexive candidates, 7.3.1.3). A lite server only answers. Checks share the sessions that earlier ones left
//! in every filter and translation on the way; who sends first is nobody's choice, so both orders are followed.

mod meeting;
mod sdp;

pub(super) use meeting::Meeting;

use crate::cube::Set;
use crate::model::Part;
use crate::trace::{Choice, Header, Val};

/// An address and port as one agent sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Address.
    pub addr: Val,
    /// Port.
    pub port: Val,
}

impl Candidate {
    /// The socket from which callers are asked to send.
    pub const CALLER: Self = Self { addr: Val::Part(Part::Src, 0), port: Val::Part(Part::SrcPort, 0) };

    /// What callers are told.
    pub const TOLD: Self = Self { addr: Val::Part(Part::Dst, 0), port: Val::Part(Part::DstPort, 0) };

    /// A packet from here to there.
    pub fn to(self, other: Self) -> Header {
        Header { src: self.addr, sport: self.port, dst: other.addr, dport: other.port }
    }
}

/// A candidate that a caller offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// The socket's own address and port, or a reflexive one that is the same.
    Own,
    /// The public address with a port that its router picked for a STUN server alone: nobody else gets in by it.
    Elsewhere {
        /// The router.
        device: usize,
    },
    /// The address that the caller has behind its router.
    Behind,
    /// What a STUN server sees (RFC 8445 5.1.1.2).
    Reflexive {
        /// Device of the STUN server.
        device: usize,
        /// Its address.
        address: u128,
    },
}

/// Which side sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Caller,
    Server,
}

/// An address that many home routers give: 192.168.178.20.
const BEHIND: u128 = 0xc0a8_b214;

/// Port of STUN servers (RFC 8489 9).
const STUN: u128 = 3478;

/// Ports that routers pick from.
fn any_port() -> Set {
    Set::range(1024, 65535)
}

/// Who sends first.
const ORDER: Choice = Choice::Order;
