//! What moves through the network: packets that have had the same fate so far.

use super::answer::{Detail, Did, Header, Hop, Phase, TraceStep, Val};
use super::mark::Mark;
use crate::cube::Cube;
use crate::model::{Family, Hook, Part, ct_status};
use std::rc::Rc;
use std::sync::Arc;

/// Index that stands for a device's loopback interface, which configurations do not list.
pub(super) const LOOPBACK: usize = usize::MAX;

/// Packets in the same state: all that comes next is the same for them, and, where rules are told, so is all that was.
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

    /// Notes what happened: all of it where rules are told, else the last thing, which may decide.
    pub fn note(&mut self, hook: Hook, did: Did) {
        let state = self.state_mut();
        let did = match did {
            Did::Rule(_) if state.detail == Detail::Fate => Did::SomeRule,
            did => did,
        };
        let step = TraceStep { hook, did };
        if state.detail == Detail::Rules || matches!(step.did, Did::Helper(_)) {
            state.steps = state.steps.push(step);
        } else {
            state.decided = Some(step);
        }
    }
}

/// Everything about a packet that is not in its cube.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub detail: Detail,
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
    pub mark: Mark,
    pub track: Track,
    /// A rule of this device that names the packet's port accepted it; only where that is asked for.
    pub named: bool,
    /// The socket that took it answers by UDP from the address that routing picks.
    pub answers_as_routed: bool,
    /// It is no packet of the conversation but tells the sender of one that it was rejected.
    pub refusal: Option<Refusal>,
    /// Sessions of all devices.
    pub sessions: Vec<Session>,
    /// Steps at this device.
    pub steps: Trail,
    /// Where only fates are told: the last step, until the stage is over.
    pub decided: Option<TraceStep>,
    /// Devices visited before, with header and interface on arrival (to find loops).
    pub hops: Vec<Arc<Hop>>,
    pub arrivals: Vec<(usize, Option<usize>, Header)>,
}

/// How a packet stands to the bridge of the device that has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
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

    /// Nothing is noted at this device.
    pub fn is_plain(&self) -> bool {
        self.steps.last.is_none() && self.decided.is_none()
    }

    /// The same state but for what is noted of the way.
    pub fn without_steps(&self, other: &Self) -> bool {
        let plain = |state: &Self| Self { steps: Trail::default(), decided: None, ..state.clone() };
        plain(self) == plain(other)
    }

    /// Closes the visit to this device.
    pub fn end_hop(&mut self) {
        let hop = Hop {
            device: self.device,
            in_iface: self.in_iface,
            out_iface: self.out_iface,
            steps: std::mem::take(&mut self.steps).into_vec(self.decided.take()),
            header: self.header,
            named: std::mem::take(&mut self.named),
        };
        self.hops.push(Arc::new(hop));
    }
}

/// How a sender is told that its packet was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Refusal {
    /// By TCP's own reset.
    Reset,
    /// By ICMP.
    Unreachable,
}

/// What connection tracking made of a packet at this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Allowed {
    pub addresses: Option<(u128, u128)>,
    pub ports: Option<(u16, u16)>,
    /// The port is drawn at random, or moved: what the same sender had before does not matter.
    pub random: bool,
}

/// A connection as one device knows it.
#[allow(clippy::struct_excessive_bools)] // each is one status bit of the kernel's session
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Session {
    pub device: usize,
    /// As its first packet arrived.
    pub original: Header,
    /// As its answer must arrive.
    pub reply: Header,
    pub mark: Mark,
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
            mark: Mark::ZERO,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Trail {
    last: Option<Rc<(Self, TraceStep)>>,
    /// How many steps.
    pub len: usize,
}

impl Trail {
    fn push(&self, step: TraceStep) -> Self {
        Self { last: Some(Rc::new((self.clone(), step))), len: self.len + 1 }
    }

    fn into_vec(mut self, decided: Option<TraceStep>) -> Vec<TraceStep> {
        let mut out: Vec<TraceStep> = decided.into_iter().collect();
        let last = self.last.take();
        let mut at = last.as_ref();
        while let Some(node) = at {
            out.push(node.1.clone());
            at = node.0.last.as_ref();
        }
        drop(Self { last, len: self.len });
        out.reverse();
        out
    }
}

impl Drop for Trail {
    /// One after the other: a long trail would not fit the stack.
    fn drop(&mut self) {
        let mut at = self.last.take();
        while let Some(mut node) = at.and_then(Rc::into_inner) {
            at = node.0.last.take();
        }
    }
}
