//! What moves through the network: packets that have had the same fate so far.

use super::answer::{Did, Header, Hop, Phase, TraceStep, Val};
use crate::cube::Cube;
use crate::model::{Family, Hook, Part, ct_status};
use std::rc::Rc;
use std::sync::Arc;

/// Index that stands for a device's loopback interface, which configurations do not list.
pub(super) const LOOPBACK: usize = usize::MAX;

/// Packets that have seen the same rules and have the same state.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    /// What is the same for all of them; shared while nothing changes it.
    pub state: Rc<State>,
    /// Which packets, in terms of what was asked. Disjoint.
    pub cubes: Vec<Cube>,
}

impl Flow {
    /// The same packets, state open to change.
    pub fn state_mut(&mut self) -> &mut State {
        Rc::make_mut(&mut self.state)
    }

    /// Other packets in the same state.
    pub fn with(&self, cubes: Vec<Cube>) -> Self {
        Self { state: Rc::clone(&self.state), cubes }
    }

    /// Notes what happened.
    pub fn note(&mut self, hook: Hook, did: Did) {
        let state = self.state_mut();
        state.steps = state.steps.push(TraceStep { hook, did });
    }
}

/// Everything about a packet that is not in its cube.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub family: Family,
    pub phase: Phase,
    pub header: Header,
    /// Device that has it.
    pub device: usize,
    pub in_iface: Option<usize>,
    /// Where routing sends it.
    pub out_iface: Option<usize>,
    /// What rules of the current hook see as outgoing interface.
    pub seen_out: Option<usize>,
    /// Address of the next hop; the destination itself where it is on the segment.
    pub next_hop: Val,
    /// How the device's bridge has it.
    pub bridged: Bridged,
    pub mark: Val,
    pub track: Track,
    /// The socket that took it answers by UDP from the address that routing picks.
    pub answers_as_routed: bool,
    /// It is no packet of the conversation but tells the sender of one that it was rejected.
    pub refusal: Option<Refusal>,
    /// Sessions of all devices.
    pub sessions: Vec<Session>,
    /// Steps at this device.
    pub steps: Trail,
    /// Devices visited before, with header and interface on arrival (to find loops).
    pub hops: Vec<Arc<Hop>>,
    pub arrivals: Vec<(usize, Option<usize>, Header)>,
}

/// How a packet stands to the bridge of the device that has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Bridged {
    /// The device has it as a router or host.
    #[default]
    No,
    /// It is on its way through the bridge, to this address on the segment.
    Through(Val),
    /// The bridge sends it out: after the forward hook no interface of arrival is seen.
    Leaving,
}

impl State {
    /// The session that the packet belongs to at this device.
    pub fn session(&self) -> Option<&Session> {
        match self.track {
            Track::In { session, .. } => Some(&self.sessions[session]),
            _ => None,
        }
    }

    /// The packet travels in reply direction of its session.
    pub fn is_reply(&self) -> bool {
        matches!(self.track, Track::In { reply: true, .. })
    }

    /// The packet's session has seen no answer yet.
    pub fn is_new(&self) -> bool {
        matches!(self.track, Track::In { reply: false, .. }) && self.session().is_some_and(|s| !s.seen_reply)
    }

    /// Closes the visit to this device.
    pub fn end_hop(&mut self) {
        let hop = Hop {
            device: self.device,
            in_iface: self.in_iface,
            out_iface: self.out_iface,
            steps: std::mem::take(&mut self.steps).into_vec(),
            header: self.header,
        };
        self.hops.push(Arc::new(hop));
    }
}

/// How a sender is told that its packet was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// By TCP's own reset.
    Reset,
    /// By ICMP.
    Unreachable,
}

/// What connection tracking made of a packet at this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// Not looked at yet.
    No,
    /// Exempt on purpose.
    Untracked,
    /// Fits nothing.
    Invalid,
    /// Belongs to a session.
    In { session: usize, reply: bool },
}

/// What a translation may pick from (`struct nf_nat_range2`). Without a rule: the packet's own address, any port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    pub addresses: Option<(u128, u128)>,
    pub ports: Option<(u16, u16)>,
    pub random: bool,
}

/// A connection as one device knows it.
#[allow(clippy::struct_excessive_bools)] // each is one status bit of the kernel's session
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub device: usize,
    /// As its first packet arrived.
    pub original: Header,
    /// As its answer must arrive.
    pub reply: Header,
    pub mark: Val,
    pub snat: bool,
    pub dnat: bool,
    /// What the rule that is deciding allows; nothing is asked for before and after.
    pub allowed: Allowed,
    /// Masquerading bound it to the interface by which its first packet left.
    pub bound_to: Option<usize>,
    /// The source (destination) side has been decided, with or without translation.
    pub source_done: bool,
    pub destination_done: bool,
    pub seen_reply: bool,
    pub assured: bool,
    pub confirmed: bool,
}

impl Session {
    /// A session begun by this packet.
    pub fn begin(device: usize, header: Header) -> Self {
        Self {
            device,
            original: header,
            reply: header.inverse(),
            mark: Val::Const(0),
            snat: false,
            dnat: false,
            allowed: Allowed::default(),
            bound_to: None,
            source_done: false,
            destination_done: false,
            seen_reply: false,
            assured: false,
            confirmed: false,
        }
    }

    /// Status bits as rules read them.
    pub fn status(&self) -> u128 {
        let bit = |on: bool, b: u128| if on { b } else { 0 };
        bit(self.seen_reply, ct_status::SEEN_REPLY)
            | bit(self.assured, ct_status::ASSURED)
            | bit(self.confirmed, ct_status::CONFIRMED)
            | bit(self.snat, ct_status::SNAT)
            | bit(self.dnat, ct_status::DNAT)
    }
}

impl Header {
    /// The header of an answer.
    pub(super) fn inverse(self) -> Self {
        Self { src: self.dst, dst: self.src, sport: self.dport, dport: self.sport }
    }

    /// The value of one field.
    pub fn get(&self, part: Part) -> Val {
        match part {
            Part::Src => self.src,
            Part::Dst => self.dst,
            Part::SrcPort => self.sport,
            Part::DstPort => self.dport,
            Part::Proto => Val::Part(Part::Proto, 0),
        }
    }
}

/// Steps as a list that shares its beginning: flows split often and steps are only added at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail(Option<Rc<(Trail, TraceStep)>>);

impl Trail {
    fn push(&self, step: TraceStep) -> Self {
        Self(Some(Rc::new((self.clone(), step))))
    }

    fn into_vec(self) -> Vec<TraceStep> {
        let mut out = Vec::new();
        let mut at = self;
        while let Some(node) = at.0 {
            out.push(node.1.clone());
            at = node.0.clone();
        }
        out.reverse();
        out
    }
}
