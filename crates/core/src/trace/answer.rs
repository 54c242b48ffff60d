//! What is asked of the trace and what it answers.

use super::devices::Devices;
use crate::cube::{Cube, Set, VarId};
use crate::model::{ChainId, DoubtId, Family, Hook, OriginId, Part};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Devices and how they are joined: interfaces with the same segment number reach each other directly.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// All devices; others refer to them by index.
    pub devices: Devices,
    /// Work that is left for all questions about this network together; copies share it.
    pub budget: Budget,
}

/// Work that may be done: rules tried on pieces, intervals written, and bytes read again. It is counted, not timed, so that
/// the same input has the same answer everywhere.
#[derive(Debug, Clone)]
pub struct Budget {
    /// For all that is asked about one site.
    site: Arc<AtomicU64>,
    /// For the whole run, with every change that is tried.
    run: Arc<AtomicU64>,
}

/// About a second's work, or 600 MB.
const WORK: u64 = 20_000_000;

/// So many intervals are written in the time in which a rule is tried on a piece: the price of one for the run.
const WRITTEN: u64 = 16;

/// A question that meets no rule.
const QUESTION: u64 = 1000;

/// A run is a first judgement, and changes that are tried for five seconds or so.
const RUN: u64 = 5 * WORK;

impl Default for Budget {
    /// Without a limit for what is asked of this network.
    fn default() -> Self {
        Self::new(u64::MAX, u64::MAX)
    }
}

impl Budget {
    fn new(site: u64, run: u64) -> Self {
        Self { site: Arc::new(AtomicU64::new(site)), run: Arc::new(AtomicU64::new(run)) }
    }

    /// For a run.
    pub fn of_a_run() -> Self {
        Self::new(WORK, RUN)
    }

    /// For another site of the same run: with the changes that are tried.
    #[must_use]
    pub fn for_another_site(&self) -> Self {
        Self { site: Arc::new(AtomicU64::new(WORK)), run: self.run.clone() }
    }

    /// Work that is left.
    pub fn left(&self) -> u64 {
        self.site.load(Ordering::Relaxed).min(self.run.load(Ordering::Relaxed))
    }

    /// Work that is left for the whole run.
    pub fn left_for_run(&self) -> u64 {
        self.run.load(Ordering::Relaxed)
    }

    /// Takes some for rules tried on pieces, and for unions of pieces; false when none is left.
    pub(super) fn take(&self, work: usize) -> bool {
        let left = self.left();
        self.spend(work as u64, work as u64);
        left > 0
    }

    /// Takes what writing so many intervals costs: memory rather than time.
    pub(super) fn write(&self, intervals: usize) {
        self.spend(intervals as u64, intervals as u64 / WRITTEN);
    }

    fn spend(&self, of_site: u64, of_run: u64) {
        crate::counters::count(|c| c.work += of_run);
        for (all, work) in [(&self.site, of_site), (&self.run, of_run)] {
            all.store(all.load(Ordering::Relaxed).saturating_sub(work), Ordering::Relaxed);
        }
    }

    /// Takes what a question costs by itself from the run.
    pub(super) fn ask(&self) {
        crate::counters::count(|c| c.asks += 1);
        self.run.store(self.left_for_run().saturating_sub(QUESTION), Ordering::Relaxed);
    }

    /// Takes what reading this many bytes costs from the run; false when none is left.
    pub fn read(&self, bytes: usize) -> bool {
        let left = self.left_for_run();
        self.run.store(left.saturating_sub(bytes as u64), Ordering::Relaxed);
        left > 0
    }
}

/// What an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detail {
    /// Where packets end and how: packets in equal state go on together, whichever rules they met, and those that end at
    /// one device in one way are together.
    Fate,
    /// The same, and which rule ended them; where many neighbours decide alike, the first of them is told for all.
    Ends,
    /// Every rule that packets met: those that met others are apart.
    Rules,
}

/// A set of first packets that one device sends.
#[derive(Debug, Clone)]
pub struct Question {
    /// Index of the sending device.
    pub from: usize,
    /// Address family.
    pub family: Family,
    /// The packets; without variables. Protocols other than TCP and UDP are not followed.
    pub packets: Cube,
}

/// The answer to a question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Round trips; their `asked` cubes are disjoint and together are the question (over all variables' values).
    pub trips: Vec<RoundTrip>,
    /// What the variables in the cubes stand for; [`VarId`] is the index.
    pub variables: Vec<Variable>,
    /// Where a rule is told that stands for many ([`Detail::Ends`]): those of them that some of the packets meet, by device
    /// and told rule.
    pub stands_for: FxHashMap<(usize, OriginId), Vec<OriginId>>,
}

/// A dimension that was added on the way.
#[derive(Debug, Clone)]
pub struct Variable {
    /// All values it can take.
    pub domain: Set,
    /// What it stands for.
    pub choice: Choice,
}

/// Who decides a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A device picks an address or port from a range, by the rule with this origin.
    Device {
        /// Device index.
        device: usize,
        /// The translating rule.
        rule: OriginId,
        /// What it picks.
        part: Part,
    },
    /// Nobody knows: a doubt of that device's configuration.
    Doubt {
        /// Device index.
        device: usize,
        /// The doubt.
        doubt: DoubtId,
    },
    /// A device picks another source port or address, because what it would have used is taken by another session.
    Clash {
        /// Device index.
        device: usize,
    },
    /// Which of two parties sends first: nobody's choice. 0: the one that asks.
    Order,
    /// Whether two packets belong to one session depends on values that the question leaves open.
    SameSession {
        /// Device index.
        device: usize,
    },
}

impl Choice {
    /// Made by the same device for the same purpose, if by another rule.
    pub(super) fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Device { device: a, part: x, .. }, Self::Device { device: b, part: y, .. }) => (a, x) == (b, y),
            (Self::Doubt { device: a, .. }, Self::Doubt { device: b, .. }) => a == b,
            _ => self == other,
        }
    }
}

/// The packets of one conversation, up to the third, or to where it ended.
#[derive(Debug, Clone)]
pub struct RoundTrip {
    /// The first packets, as sent, and the variables' values.
    pub asked: Cube,
    /// The first packet's way.
    pub request: Arc<Journey>,
    /// The answer's way, if the first packet was delivered.
    pub reply: Option<Arc<Journey>>,
    /// The third packet's way, if the answer came back to the sender from the address that it had asked.
    pub next: Option<Arc<Journey>>,
}

impl RoundTrip {
    /// The journey of a packet, if it was sent at all.
    pub fn journey(&self, phase: Phase) -> Option<&Journey> {
        match phase {
            Phase::Request => Some(&self.request),
            Phase::Reply => self.reply.as_deref(),
            Phase::Next => self.next.as_deref(),
        }
    }
}

/// Which of the three packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// First packet (TCP: SYN).
    Request,
    /// Its answer (TCP: SYN and ACK).
    Reply,
    /// The sender's next packet (TCP: ACK).
    Next,
}

/// One packet's way through the network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Journey {
    /// Devices visited, the sender first.
    pub hops: Vec<Hop>,
    /// How it ended, at the last hop.
    pub end: Disposition,
}

impl Journey {
    /// The device where it ended, with the packet's header there.
    pub fn last(&self) -> &Hop {
        self.hops.last().expect("a journey has its sender's hop")
    }
}

/// A visit to one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Device index.
    pub device: usize,
    /// Interface by which it came; absent where it was sent.
    pub in_iface: Option<usize>,
    /// Interface by which it left; absent where it ended.
    pub out_iface: Option<usize>,
    /// What happened to it there, in order. Where not every rule is told ([`Detail`]): helpers, and the step that ended it.
    pub steps: Vec<TraceStep>,
    /// Header when it left or ended.
    pub header: Header,
    /// A rule that names the packet's port accepted it here; told only where it is asked for ([`super::Ask::named`]).
    pub named: bool,
}

impl Hop {
    /// The rules that the packet met here, in order.
    pub fn rules(&self) -> impl DoubleEndedIterator<Item = OriginId> + '_ {
        self.steps.iter().filter_map(|s| if let Did::Rule(rule) = s.did { Some(rule) } else { None })
    }
}

/// Something that happened to a packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceStep {
    /// Hook.
    pub hook: Hook,
    /// What.
    pub did: Did,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Did {
    /// Every match before this rule's first action held, so the action was reached (verdict, translation, mark, jump,
    /// untracked, look-up). A rule is listed once for each time, in order. The last one decided.
    Rule(OriginId),
    /// A rule decided; which one is not told ([`Detail::Fate`]).
    SomeRule,
    /// The end of an entry chain was reached, its policy accepted.
    PolicyAccept(ChainId),
    /// The end of an entry chain was reached, its policy dropped.
    PolicyDrop(ChainId),
    /// A session was begun.
    SessionNew,
    /// The session was given to a helper, of which this is not known.
    Helper(DoubtId),
    /// The packet belongs to a known session, in this direction (`true`: reply).
    SessionFound {
        /// In reply direction.
        reply: bool,
    },
    /// The packet fits no session and cannot begin one (TCP in the middle of a handshake).
    SessionInvalid,
}

/// How a packet's journey ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Delivered to the device itself.
    Delivered {
        /// A socket of its endpoints takes it.
        listening: bool,
    },
    /// Dropped; the last step says by which rule or policy.
    Dropped,
    /// Rejected with this kind of answer; the last step says by which rule.
    Rejected(Box<str>),
    /// Rejected, but rules for what the device itself sends drop its answer: the sender hears nothing.
    Unheard(Box<str>),
    /// The device has no route, or one that discards.
    NoRoute,
    /// Dropped because its source is one of the device's own addresses, or loopback from outside.
    MartianSource,
    /// Dropped because loopback addresses do not travel.
    MartianDestination,
    /// A bridge was to send it out by the port that it came in by.
    SamePort,
    /// Dropped because answers would go another way, or none.
    ReversePath,
    /// Broadcast or multicast: not followed.
    NotUnicast,
    /// The device does not pass packets on.
    NotForwarding,
    /// Nobody on the segment has the next hop's address.
    NeighborUnreachable,
    /// The same packet came to the same device again.
    Loop,
    /// It cannot be said; the variables of the cube name the doubts, and this one ended the trace.
    Unknown(DoubtId),
    /// More doubts than are worth following.
    TooManyDoubts,
    /// A rule asks for bits of an address, and the packets' addresses fall into more pieces than are worth following.
    TooScattered,
    /// The network's budget was used up at this chain ([`Network::budget`]).
    TooMuch(ChainId),
}

impl Disposition {
    /// It cannot be said how the journey ended.
    pub fn is_unknown(&self) -> bool {
        self.gave_up() || matches!(self, Self::Unknown(_))
    }

    /// It was not followed to its end.
    pub fn gave_up(&self) -> bool {
        matches!(self, Self::TooManyDoubts | Self::TooScattered | Self::TooMuch(_))
    }
}

/// A header value: one of the asked packet's fields or a variable, shifted, or a known value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Val {
    /// `asked[part] + shift` (wrapping).
    Part(Part, u128),
    /// The value of a variable.
    Var(VarId),
    /// This value.
    Const(u128),
}

/// A packet's header, in terms of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Source address.
    pub src: Val,
    /// Destination address.
    pub dst: Val,
    /// Source port.
    pub sport: Val,
    /// Destination port.
    pub dport: Val,
}
