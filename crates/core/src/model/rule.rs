//! Rules: what they match and what they do.

use super::{ChainId, DoubtId, OriginId, Side};
use crate::cube::{Part, Set};
use std::sync::Arc;

/// A rule: steps in order. A match that answers no ends the rule; an action may end it, the chain or the packet.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Matches and actions, interleaved as written: an action before a match takes effect even if the match fails.
    pub steps: Box<[Step]>,
    /// Where it comes from.
    pub origin: OriginId,
}

impl Rule {
    /// It accepts packets, and names their port first.
    pub fn accepts_port(&self) -> bool {
        let port = Key::of(KeyField::Header(Part::DstPort));
        let asks = self.steps.iter().map_while(|s| if let Step::Match(m) = s { Some(m) } else { None });
        let last = self.steps.iter().rev().find_map(|s| if let Step::Act(a) = s { Some(a) } else { None });
        matches!(last, Some(Action::Accept)) && asks.into_iter().any(|m| m.keys[..] == [port])
    }
}

/// One step of a rule.
#[derive(Debug, Clone)]
pub enum Step {
    /// A condition.
    Match(Match),
    /// An effect.
    Act(Action),
}

impl Step {
    /// The condition that one field is among these values.
    pub fn is(field: KeyField, set: Set) -> Self {
        Self::Match(Match { keys: [Key::of(field)].into(), test: Test::In(set), negate: false })
    }
}

/// A condition: the keys' values, taken together, lie in `test` (or, with `negate`, do not).
///
/// A key that has no value for this packet (a conntrack field without session, a port of a protocol without ports)
/// ends the rule, negated or not.
#[derive(Debug, Clone)]
pub struct Match {
    /// One key, or several for a concatenation.
    pub keys: Box<[Key]>,
    /// The values.
    pub test: Test,
    /// `!=`.
    pub negate: bool,
}

/// Sets of values of one or several keys.
#[derive(Debug, Clone)]
pub enum Test {
    /// For one key.
    In(Set),
    /// For several keys, or one with a long list: a union of boxes, each with one set per key. Shared, because named sets
    /// are used often.
    Boxes(Arc<[Box<[Set]>]>),
}

/// A value read from the packet or its state: `(field & mask)`; no mask reads all bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which value.
    pub field: KeyField,
    /// Bits that are compared.
    pub mask: Option<u128>,
}

impl Key {
    /// All bits of a field.
    pub fn of(field: KeyField) -> Self {
        Self { field, mask: None }
    }
}

/// Which tuple of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TupleDir {
    /// As the first packet arrived, before any translation.
    Original,
    /// As a reply must arrive: the inverse of the first packet after translation, as far as it has happened yet.
    Reply,
}

/// Values that rules can read. All are unsigned integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyField {
    /// The packet's header as it is now. Ports have no value unless the protocol is TCP, UDP, SCTP, DCCP or UDP-Lite.
    Header(Part),
    /// Address family: see [`nfproto`].
    Family,
    /// Name of the interface it came by ([`iface_value`]); the empty name (0) in the output hook.
    InIface,
    /// Name of the interface it leaves by; the empty name (0) where it is not known yet (prerouting, input).
    /// In the output hook: as routed before that hook's translation.
    OutIface,
    /// Group number of the interface it came by; no value without one.
    InGroup,
    /// Group number of the interface it leaves by; no value without one.
    OutGroup,
    /// Packet mark (32 bits), 0 at first on every device.
    Mark,
    /// Connection state, one bit of [`ct_state`]. Without a session: invalid, or untracked if marked so.
    CtState,
    /// Status bits of [`ct_status`]; no value without a session.
    CtStatus,
    /// 0 original, 1 reply; no value without a session.
    CtDirection,
    /// The session's mark; no value without a session.
    CtMark,
    /// The session's addressing; no value without a session.
    CtTuple(TupleDir, Part),
    /// Kind of the source or destination address as the device's routing sees it: numbers of `RTN_*` in
    /// `linux/rtnetlink.h` (1 unicast, 2 local, 3 broadcast, 5 multicast, 6 blackhole, 7 unreachable, 8 prohibit).
    /// `on`: only addresses of the interface by which the packet came (`In`) or leaves (`Out`) count as local.
    AddressKind {
        /// Which address: `Src` or `Dst`.
        of: Part,
        /// Restrict to one interface.
        on: Option<TupleIface>,
    },
    /// Name of the interface by which the device would send to this address, 0 when there is no route; with `on`, 0
    /// also when it would be another interface than that one.
    RouteIface {
        /// Which address: `Src` or `Dst`.
        of: Part,
        /// Restrict to one interface.
        on: Option<TupleIface>,
        /// Routing rules see the packet's mark, else none.
        marked: bool,
        /// What is not known where the device has routing rules of its own; absent: they are passed by.
        rules: Option<DoubtId>,
    },
    /// TCP flags (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECN 64, CWR 128); no value unless TCP.
    /// A first packet has SYN, its reply SYN and ACK, later ones ACK.
    TcpFlags,
    /// The same known value for every packet that the trace follows (an unfragmented packet's fragment offset …).
    Constant(u32),
    /// A value that the configuration cannot tell, of this many bits (packet length, time of day, random numbers).
    Unknown(DoubtId, u8),
    /// 1 while a rate limit is not exceeded, 0 beyond: 1 for the first packets of a session, else not known.
    WithinRate(DoubtId),
    /// A field that packets of this trace never have (an ICMP type, an extension header): ends the rule.
    Absent,
}

/// Which interface a lookup is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TupleIface {
    /// The one it came by.
    In,
    /// The one it leaves by.
    Out,
}

/// Effects.
#[derive(Debug, Clone)]
pub enum Action {
    /// Ends the stage; in a translation chain it leaves the packet untranslated by that chain.
    Accept,
    /// Ends the packet, silently.
    Drop,
    /// Ends the packet with an answer to the sender (`tcp reset`, `icmp port-unreachable` …).
    Reject(Box<str>),
    /// Back to the calling chain, after the rule that jumped; in an entry chain its policy decides.
    Return,
    /// Goes on in another chain, and comes back after this rule when that chain ends without a decision.
    Jump(ChainId),
    /// Goes on in another chain; when that ends without a decision, it is as if this chain had ended.
    Goto(ChainId),
    /// A verdict looked up: no entry means that the rule goes on with its next step.
    Verdict(Arc<Lookup<Verdicted>>),
    /// Translates the first packet of a session and ends the stage's consultation.
    Translate(Translate),
    /// Sets the packet mark.
    SetMark(Value),
    /// Sets the session's mark; nothing without a session.
    SetCtMark(Value),
    /// The packet is not tracked: [`super::StageKind::Track`] lets it pass.
    Untrack,
    /// Gives the session of a first packet to a helper of connection tracking, which reads, and with translation rewrites,
    /// what later packets say (`nf_conntrack_sip`, `nf_nat_sip`). The packet's own fate stays; the doubt says what is open.
    Helper(DoubtId),
    /// An effect that is known to exist but not modelled: the packet goes on in each of these ways.
    Unmodelled(Ways, DoubtId),
}

/// A verdict as data of a lookup: one of the actions accept, drop, return, jump, goto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdicted {
    /// See [`Action::Accept`].
    Accept,
    /// See [`Action::Drop`].
    Drop,
    /// See [`Action::Return`].
    Return,
    /// See [`Action::Jump`].
    Jump(ChainId),
    /// See [`Action::Goto`].
    Goto(ChainId),
    /// Goes on with the rule's next step.
    Continue,
}

/// What may become of a packet at an effect that is not modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    /// Anything at all: its fate is unknown from here on.
    Anything,
    /// It goes on with the next step, or is accepted by this stage.
    ContinueOrAccept,
    /// It is accepted by this stage or dropped.
    AcceptOrDrop,
    /// It goes on with the next step, or is dropped.
    ContinueOrDrop,
    /// A packet of a session that has begun goes on with the next step, or passes by the rest of the stage; the first
    /// packets of a session leave the rule (`nft_flow_offload_eval`, `net/netfilter/nft_flow_offload.c`).
    Offloaded,
}

/// Entries looked up by keys. Entries never overlap, except that a catch-all counts only where no other matches.
#[derive(Debug, Clone)]
pub struct Lookup<T> {
    /// Keys, one or several. Empty when there is only a `default`: a fixed value.
    pub keys: Box<[Key]>,
    /// One set per key, and the value.
    pub entries: Vec<(Box<[Set]>, T)>,
    /// Value where no entry matches.
    pub default: Option<T>,
}

impl<T> Lookup<T> {
    /// A value that does not depend on the packet.
    pub fn fixed(value: T) -> Self {
        Self { keys: Box::new([]), entries: Vec::new(), default: Some(value) }
    }
}

/// A translation rule's effect. Where the lookup has no value, the rule ends.
#[derive(Debug, Clone)]
pub struct Translate {
    /// Which half it sets.
    pub side: Side,
    /// What to.
    pub target: Arc<Lookup<NatTarget>>,
    /// Ports are drawn at random instead of kept.
    pub random: bool,
}

/// New address and port. Ranges are closed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NatTarget {
    /// A given address, range of addresses, port, or range of ports; what is absent stays as it is.
    To {
        /// Addresses (one family).
        addr: Option<(u128, u128)>,
        /// The address range is IPv6.
        v6: bool,
        /// Ports.
        port: Option<(u16, u16)>,
        /// `addr` is a prefix and the host bits are kept (RFC 6296-like, NETMAP).
        keep_host_bits: bool,
    },
    /// A given address, and a port moved by this much (modulo 2¹⁶): a range of ports onto another of the same length.
    Moved {
        /// Addresses (one family); absent: kept.
        addr: Option<(u128, u128)>,
        /// The address range is IPv6.
        v6: bool,
        /// How far.
        by: u16,
    },
    /// Source becomes the address of the interface by which the packet leaves. The session is bound to it: a later packet
    /// that routing sends by another one is dropped.
    OutgoingAddress {
        /// Ports to choose from, when the rule names them.
        port: Option<(u16, u16)>,
    },
    /// Destination becomes the address of the interface by which the packet came (loopback in the output hook).
    IncomingAddress {
        /// New port, when the rule names one.
        port: Option<(u16, u16)>,
    },
}

/// A mark that a rule sets, looked up or fixed. Where the lookup has no value, the rule ends.
pub type Value = Arc<Lookup<MarkValue>>;

/// `(from & and) ^ xor`: every way in which nftables and iptables compute marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkValue {
    /// Starting value.
    pub from: MarkFrom,
    /// Bits kept.
    pub and: u32,
    /// Bits flipped.
    pub xor: u32,
}

/// Where a mark's value starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkFrom {
    /// 0, so that `xor` is the value.
    Zero,
    /// The packet mark.
    Mark,
    /// The session's mark; without a session the rule ends.
    CtMark,
    /// Not known.
    Unknown(DoubtId),
}

/// Connection states, the bits of nftables' `ct state` (`NF_CT_STATE_*`).
pub mod ct_state {
    /// No valid session.
    pub const INVALID: u128 = 1;
    /// A packet of a session that has seen both directions.
    pub const ESTABLISHED: u128 = 2;
    /// A new session that belongs to another.
    pub const RELATED: u128 = 4;
    /// The first packets of a session, until a reply was seen.
    pub const NEW: u128 = 8;
    /// Not tracked on purpose.
    pub const UNTRACKED: u128 = 64;
}

/// Session status bits (`IPS_*` in `nf_conntrack_common.h`).
pub mod ct_status {
    /// The session was expected by a helper.
    pub const EXPECTED: u128 = 1;
    /// A reply was seen.
    pub const SEEN_REPLY: u128 = 2;
    /// Never expired early.
    pub const ASSURED: u128 = 4;
    /// Its first packet left the device.
    pub const CONFIRMED: u128 = 8;
    /// Its source is translated.
    pub const SNAT: u128 = 16;
    /// Its destination is translated.
    pub const DNAT: u128 = 32;
    /// It is being removed.
    pub const DYING: u128 = 512;
}

/// Family numbers (`NFPROTO_*`).
pub mod nfproto {
    /// IPv4.
    pub const IPV4: u128 = 2;
    /// IPv6.
    pub const IPV6: u128 = 10;
}

/// TCP flags of the packets that the trace follows.
pub mod tcp_flags {
    /// First packet.
    pub const SYN: u128 = 2;
    /// Its answer.
    pub const SYN_ACK: u128 = 18;
    /// Every later packet.
    pub const ACK: u128 = 16;
    /// What refuses a first packet.
    pub const RST_ACK: u128 = 20;
}

/// An interface name as an integer: its bytes in the upper end of 16, so that names that begin alike are neighbours.
pub fn iface_value(name: &str) -> u128 {
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

/// All interface names that begin with `stem`, as an interval of [`iface_value`]s.
pub fn iface_wildcard(stem: &str) -> Set {
    let lo = iface_value(stem);
    let used = stem.len().min(16) * 8;
    let free = if used >= 128 { 0 } else { u128::MAX >> used };
    Set::range(lo, lo | free)
}
