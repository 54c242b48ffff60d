//! Packet sets: interval sets and cubes of them.

mod set;

pub use set::Set;

use crate::model::Part;

/// A dimension that a device or the world adds to a question: a port that a NAT chooses, an answer nobody knows.
/// Index into [`crate::trace::Answer::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// A set of packets of one address family: the product of one [`Set`] per header field, and one per variable.
///
/// Fields are those of the packet *as its sender sent it*, whatever translation does to it later.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cube {
    /// Indexed by [`Part`]` as usize`: source, destination, source port, destination port, protocol.
    pub parts: [Set; 5],
    /// Variables that are restricted, sorted by id; an absent one may have any value of its domain.
    pub vars: Vec<(VarId, Set)>,
}

impl Cube {
    /// The set of one header field.
    pub fn part(&self, part: Part) -> &Set {
        &self.parts[part as usize]
    }

    /// No packet at all.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().any(Set::is_empty) || self.vars.iter().any(|(_, s)| s.is_empty())
    }

    /// How many packets, variables left aside; saturating.
    pub fn volume(&self) -> u128 {
        self.parts.iter().fold(1u128, |n, s| n.saturating_mul(s.count()))
    }

    /// Is the packet with these header values (in [`Part`] order) in the set, for some values of the variables?
    pub fn contains(&self, header: &[u128; 5]) -> bool {
        self.parts.iter().zip(header).all(|(s, v)| s.contains(*v))
    }
}
