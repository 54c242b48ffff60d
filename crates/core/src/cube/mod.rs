//! Packet sets: interval sets and cubes of them.

mod first;
mod merge;
mod overlay;
mod part;
mod set;

pub use first::first_come;
pub use merge::{merge, united};
pub use overlay::overlay;
pub use part::Part;
pub use set::Set;

/// A dimension that a device or the world adds to a question: a port that a NAT chooses, an answer nobody knows.
/// Index into [`crate::trace::Answer::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// A dimension of a cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dim {
    /// A header field.
    Part(Part),
    /// A variable.
    Var(VarId),
}

/// A set of packets of one address family: the product of one [`Set`] per header field, and one per variable.
///
/// Fields are those of the packet *as its sender sent it*, whatever translation does to it later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
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

    /// The set of one dimension; absent for a variable that is not restricted.
    pub fn get(&self, dim: Dim) -> Option<&Set> {
        match dim {
            Dim::Part(p) => Some(self.part(p)),
            Dim::Var(v) => self.vars.binary_search_by_key(&v, |(id, _)| *id).ok().map(|i| &self.vars[i].1),
        }
    }

    /// The same cube with another set in one dimension.
    #[must_use]
    pub fn with(&self, dim: Dim, set: Set) -> Self {
        let mut out = self.clone();
        out.put(dim, set);
        out
    }

    /// Replaces the set of one dimension.
    pub fn put(&mut self, dim: Dim, set: Set) {
        match dim {
            Dim::Part(p) => self.parts[p as usize] = set,
            Dim::Var(v) => match self.vars.binary_search_by_key(&v, |(id, _)| *id) {
                Ok(i) => self.vars[i].1 = set,
                Err(i) => self.vars.insert(i, (v, set)),
            },
        }
    }

    /// Takes a dimension out: what is left is equal for cubes that differ in it alone. Every value, where a variable is not
    /// restricted.
    fn take(&mut self, dim: Dim) -> Set {
        match dim {
            Dim::Part(part) => std::mem::take(&mut self.parts[part as usize]),
            Dim::Var(var) => match self.vars.binary_search_by_key(&var, |(id, _)| *id) {
                Ok(i) => self.vars.remove(i).1,
                Err(_) => Set::range(0, u128::MAX),
            },
        }
    }

    /// Packets in both; absent if there are none.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        if !self.meets(other) {
            return None;
        }
        let mut out =
            Self { parts: std::array::from_fn(|i| self.parts[i].and(&other.parts[i])), vars: self.vars.clone() };
        for (var, set) in &other.vars {
            let dim = Dim::Var(*var);
            let both = out.get(dim).map_or_else(|| set.clone(), |have| have.and(set));
            out.put(dim, both);
        }
        (!out.is_empty()).then_some(out)
    }

    /// Do the two share a packet, for some values of the variables?
    fn meets(&self, other: &Self) -> bool {
        let shared = |(var, set): &(VarId, Set)| other.get(Dim::Var(*var)).is_none_or(|theirs| theirs.intersects(set));
        // Protocols and ports first: their sets are short, those of addresses can be long.
        self.parts.iter().zip(&other.parts).rev().all(|(a, b)| a.intersects(b)) && self.vars.iter().all(shared)
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
