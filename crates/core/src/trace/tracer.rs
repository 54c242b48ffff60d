//! The tracer's own state, and how packets are split by conditions.

use super::answer::{Answer, Choice, Disposition, Network, Variable};
use super::condition::Condition;
use super::flow::{Flow, State};
use super::route::Routing;
use crate::cube::{Cube, Dim, Set, VarId, merge};
use crate::model::{DoubtId, Family};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// More doubts than this on one packet: its fate is unknown at once.
const MAX_DOUBTS: usize = 8;

/// Lists of cubes are united when they have grown to this many, and again each time they have doubled.
pub(super) const MERGE_FROM: usize = 48;

/// Walks questions through a network.
pub(super) struct Tracer<'n> {
    pub net: &'n Network,
    pub variables: Vec<Variable>,
    /// Variables of doubts whose answer is always the same.
    pub fixed: FxHashMap<(usize, DoubtId), VarId>,
    pub routings: FxHashMap<(usize, Family), Rc<Routing>>,
    /// Both parties send: see [`super::Talk`].
    pub two_sided: bool,
    /// A match was met that depends on what the trace does not know of an answer to a rejected packet.
    pub unsure_refusal: bool,
    /// Packets whose journey has ended.
    pub done: Vec<(Flow, Disposition)>,
}

impl<'n> Tracer<'n> {
    pub fn new(net: &'n Network) -> Self {
        Self {
            net,
            variables: Vec::new(),
            fixed: FxHashMap::default(),
            routings: FxHashMap::default(),
            two_sided: false,
            unsure_refusal: false,
            done: Vec::new(),
        }
    }

    /// Adds a dimension.
    pub fn new_variable(&mut self, domain: Set, choice: Choice) -> VarId {
        self.variables.push(Variable { domain, choice });
        VarId(u32::try_from(self.variables.len() - 1).expect("fewer than 2³² variables"))
    }

    /// Ends the packets' journey here.
    pub fn end(&mut self, mut flow: Flow, end: Disposition) {
        if flow.cubes.is_empty() {
            return;
        }
        flow.state_mut().end_hop();
        self.done.push((flow, end));
    }

    /// Hands the answer over.
    pub fn finish(self, trips: Vec<super::answer::RoundTrip>) -> Answer {
        Answer { trips, variables: self.variables }
    }

    /// Splits packets by a condition, and ends those that bear too many doubts or fall into too many pieces.
    pub fn split(&mut self, flow: Flow, condition: &Condition) -> (Option<Flow>, Option<Flow>) {
        if *condition == Condition::TooComplex {
            self.end(flow, Disposition::TooScattered);
            return (None, None);
        }
        let (yes, no) = self.apply(flow, condition);
        if !matches!(condition, Condition::On(Dim::Var(_), _)) {
            return (yes, no);
        }
        (self.limit_doubts(yes), self.limit_doubts(no))
    }

    /// Splits packets by a condition, except [`Condition::TooComplex`], which splits nothing.
    pub fn apply(&self, flow: Flow, condition: &Condition) -> (Option<Flow>, Option<Flow>) {
        match condition {
            Condition::Yes => (Some(flow), None),
            Condition::No | Condition::TooComplex | Condition::Masked(..) => (None, Some(flow)),
            Condition::On(dim, set) => {
                let (mut yes, mut no) = (Vec::new(), Vec::new());
                for cube in flow.cubes {
                    self.split_cube(cube, *dim, set, &mut yes, &mut no);
                }
                let state = flow.state;
                (flow_of(&state, yes), flow_of(&state, no))
            }
        }
    }

    fn split_cube(&self, cube: Cube, dim: Dim, set: &Set, yes: &mut Vec<Cube>, no: &mut Vec<Cube>) {
        let have = match (cube.get(dim), dim) {
            (Some(have), _) => have,
            (None, Dim::Var(var)) => &self.variables[var.0 as usize].domain,
            (None, Dim::Part(_)) => unreachable!("every cube has all header fields"),
        };
        if !have.intersects(set) {
            no.push(cube);
        } else if have.is_subset(set) {
            yes.push(cube);
        } else {
            let (inside, outside) = (have.and(set), have.minus(set));
            no.push(cube.with(dim, outside));
            yes.push(cube.with(dim, inside));
        }
    }

    /// No configuration decides its value: a device picks it, or a clash of ports, or who sends first.
    pub fn is_chosen(&self, var: VarId) -> bool {
        matches!(self.variables[var.0 as usize].choice, Choice::Device { .. } | Choice::Clash { .. } | Choice::Order)
    }

    /// Splits cubes into those inside a restriction and those outside.
    pub fn cut_cubes(
        &self,
        restriction: &Restriction,
        cubes: Vec<Cube>,
        inside: &mut Vec<Cube>,
        outside: &mut Vec<Cube>,
    ) {
        for cube in cubes {
            if !restriction.meets(&cube) || restriction.0.iter().any(|(_, s)| s.is_empty()) {
                outside.push(cube);
                continue;
            }
            let mut current = vec![cube];
            for (dim, set) in &restriction.0 {
                let mut next = Vec::new();
                for c in current {
                    self.split_cube(c, *dim, set, &mut next, outside);
                }
                current = next;
            }
            inside.append(&mut current);
        }
    }

    pub(super) fn limit_doubts(&mut self, flow: Option<Flow>) -> Option<Flow> {
        let flow = flow?;
        let doubts = |cube: &Cube| {
            let is_doubt = |(var, _): &&(VarId, Set)| !self.is_chosen(*var);
            cube.vars.iter().filter(is_doubt).count()
        };
        let (many, few): (Vec<Cube>, Vec<Cube>) = flow.cubes.iter().cloned().partition(|c| doubts(c) > MAX_DOUBTS);
        if many.is_empty() {
            return Some(flow);
        }
        self.end(flow.with(many), Disposition::TooManyDoubts);
        (!few.is_empty()).then(|| flow.with(few))
    }

    /// The values of one dimension that occur in the packets.
    pub fn values(&self, cubes: &[Cube], dim: Dim) -> Set {
        let mut all = Set::empty();
        for cube in cubes {
            match (cube.get(dim), dim) {
                (Some(set), _) if !set.is_subset(&all) => all = all.or(set),
                (None, Dim::Var(var)) => return self.variables[var.0 as usize].domain.clone(),
                _ => {}
            }
        }
        all
    }
}

/// A flow, if there are packets for it.
pub(super) fn flow_of(state: &Rc<State>, cubes: Vec<Cube>) -> Option<Flow> {
    (!cubes.is_empty()).then(|| Flow { state: Rc::clone(state), cubes })
}

/// A conjunction of restrictions, one set per dimension.
#[derive(Debug, Clone, Default)]
pub(super) struct Restriction(Vec<(Dim, Set)>);

impl Restriction {
    /// Adds one; dimensions of the header come first, variables last, so that doubts split as little as possible.
    pub fn add(&mut self, dim: Dim, set: Set) {
        match self.0.binary_search_by_key(&dim, |(d, _)| *d) {
            Ok(i) => self.0[i].1 = self.0[i].1.and(&set),
            Err(i) => self.0.insert(i, (dim, set)),
        }
    }

    /// Nothing is restricted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Some restriction is on a variable.
    pub fn has_variable(&self) -> bool {
        self.0.iter().any(|(d, _)| matches!(d, Dim::Var(_)))
    }

    /// Can any of the packets whose values are bounded by `hull` satisfy it?
    pub fn meets(&self, hull: &Cube) -> bool {
        self.0.iter().all(|(dim, set)| hull.get(*dim).is_none_or(|have| have.intersects(set)))
    }
}

/// Bounds of all packets: for each header field every value that occurs.
pub(super) fn hull(cubes: &[Cube]) -> Cube {
    let part = |i: usize| {
        let mut all = Set::empty();
        for cube in cubes {
            if !cube.parts[i].is_subset(&all) {
                all = all.or(&cube.parts[i]);
            }
        }
        all
    };
    Cube { parts: std::array::from_fn(part), vars: Vec::new() }
}

/// Unites cubes when there are many more than after the last time.
pub(super) fn merge_when_grown(cubes: &mut Vec<Cube>, limit: &mut usize) {
    if cubes.len() > *limit {
        merge(cubes);
        *limit = (cubes.len() * 2).max(MERGE_FROM);
    }
}
