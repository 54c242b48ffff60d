//! What a device does to a packet: hooks, stages, chains.

use super::chains::Pass;
use super::fuse::{Fused, Least};
use super::{Chains, Doubt, DoubtId, Family, Origin, OriginId, Rule};

/// Points on a packet's way through a device.
///
/// Forwarded: ingress, prerouting, route, forward, postrouting, egress. To the device: ingress, prerouting, route,
/// input. From the device: route, output, route again when a header or the mark changed, postrouting, egress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// As it arrives by an interface.
    Ingress,
    /// Before routing.
    Prerouting,
    /// To the device itself.
    Input,
    /// Through the device.
    Forward,
    /// From the device itself.
    Output,
    /// After routing.
    Postrouting,
    /// As it leaves by an interface.
    Egress,
}

impl Hook {
    /// All hooks, in the order of [`Pipeline::hooks`].
    pub const ALL: [Self; 7] =
        [Self::Ingress, Self::Prerouting, Self::Input, Self::Forward, Self::Output, Self::Postrouting, Self::Egress];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        ["ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"][self as usize]
    }
}

/// Index into [`Pipeline::chains`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainId(pub u32);

/// Everything that a device's configuration does to packets.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    /// Stages of each hook in the order in which they run; index by `Hook as usize`.
    pub hooks: [Vec<Stage>; 7],
    /// All chains; stages and jumps name them by index.
    pub chains: Chains,
    /// Origins of rules, chains and doubts.
    pub origins: Vec<Origin>,
    /// What the configuration leaves open.
    pub doubts: Vec<Doubt>,
    /// Doubts about whether an address is on a list of others' addresses that is kept elsewhere, with the list's name;
    /// the answer 1 is yes.
    pub lists: std::collections::BTreeMap<DoubtId, Box<str>>,
    /// Rules that are switched off, with the hook where they would stand: no packet meets them, but they tell what
    /// somebody wanted.
    pub dormant: Vec<(Hook, Rule)>,
    /// Rules with a rate limit that is taken as not reached by the first packets of sessions.
    pub within: Vec<OriginId>,
}

impl Pipeline {
    /// Stores an origin.
    pub fn add_origin(&mut self, origin: Origin) -> OriginId {
        self.origins.push(origin);
        OriginId(u32::try_from(self.origins.len() - 1).expect("fewer than 2³² origins"))
    }

    /// Stores a doubt.
    pub fn add_doubt(&mut self, doubt: Doubt) -> DoubtId {
        self.doubts.push(doubt);
        DoubtId(u32::try_from(self.doubts.len() - 1).expect("fewer than 2³² doubts"))
    }

    /// Stores a chain.
    pub fn add_chain(&mut self, name: &str, origin: OriginId, rules: Vec<Rule>) -> ChainId {
        self.chains.push(Chain { name: name.into(), origin, rules });
        ChainId(u32::try_from(self.chains.len() - 1).expect("fewer than 2³² chains"))
    }

    /// Origin by index.
    pub fn origin(&self, id: OriginId) -> &Origin {
        &self.origins[id.0 as usize]
    }

    /// Chain by index.
    pub fn chain(&self, id: ChainId) -> &Chain {
        &self.chains[id.0 as usize]
    }

    /// The stages of a hook, neighbours that only stop packets together. Absent if stages have been added since this was
    /// first asked.
    pub fn passes(&self, hook: Hook, least: Least) -> Option<&[Pass]> {
        self.chains.passes(&self.hooks, hook as usize, least, &self.doubts)
    }

    /// The rules of a chain, neighbours that decide alike as one.
    pub fn fused(&self, id: ChainId, least: Least) -> &[Fused] {
        self.chains.fused(id.0 as usize, least, &self.doubts)
    }
}

/// Which families a stage sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// IPv4 packets.
    pub v4: bool,
    /// IPv6 packets.
    pub v6: bool,
}

impl Families {
    /// Both.
    pub const BOTH: Self = Self { v4: true, v6: true };

    /// Does the stage see this family?
    pub fn has(self, family: Family) -> bool {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        }
    }
}

/// What happens at the end of a base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The packet goes on to the next stage.
    Accept,
    /// It ends here.
    Drop,
}

/// Which half of a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Destination address and port.
    Destination,
    /// Source address and port.
    Source,
}

/// One stage of a hook.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// Which families it sees; others pass untouched.
    pub families: Families,
    /// Only packets by these interfaces (ingress and egress); absent: all.
    pub interfaces: Option<Vec<Box<str>>>,
}

/// Kinds of stages.
#[derive(Debug, Clone)]
pub enum StageKind {
    /// Connection tracking: finds the session of a packet or makes a new one, kept once the packet leaves the device
    /// or is delivered. From here on a packet has a state. Packets marked untracked pass.
    Track,
    /// A chain of rules. Accept ends this stage only; drop is final.
    Filter {
        /// Entry chain.
        chain: ChainId,
        /// What happens at its end.
        policy: Policy,
        /// In the output hook: when a rule here changed the mark, the packet is routed again after the stage.
        reroute: bool,
    },
    /// Address translation. Only the first packet of a session consults the chains, in order, until one of them
    /// translates; later packets of the session, and replies in reverse, are translated as the session says, at the
    /// stages of the matching side. Packets without a session pass untouched.
    Translate {
        /// Which half of the translation is decided and applied here.
        side: Side,
        /// Entry chains with their policies, in order. May be empty: known sessions are still translated here.
        chains: Vec<(ChainId, Policy)>,
    },
}

/// A list of rules.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Name for reports.
    pub name: Box<str>,
    /// Where it stands; named when its policy decides.
    pub origin: OriginId,
    /// Rules in order.
    pub rules: Vec<Rule>,
}
