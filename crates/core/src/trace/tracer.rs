//! The tracer's own state, and how packets are split by conditions.

use super::Ask;
use super::answer::{Answer, Choice, Detail, Disposition, Network, Variable};
use super::condition::Condition;
use super::flow::{Flow, State, Track};
use super::mark::{Mark, Tables};
use crate::cube::{Cube, Dim, Set, VarId, merge};
use crate::model::{DoubtId, OriginId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;
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
    /// Both parties send: see [`super::Talk`].
    pub two_sided: bool,
    pub detail: Detail,
    /// What was asked, to decide what is luck for all packets alike.
    pub asked: Cube,
    /// Marks that are looked up.
    pub tables: Tables,
    /// Runs of chains that had no effect.
    pub idle: super::chain::Idle,
    /// See [`Ask::named`].
    pub named: bool,
    /// Rules that are taken as absent.
    pub without: FxHashSet<(usize, OriginId)>,
    /// Values that are left for variables to come; absent where every value is followed.
    world: Option<Vec<(Choice, u128)>>,
    /// A match was met that depends on what the trace does not know of an answer to a rejected packet.
    pub unsure_refusal: bool,
    /// Rules that some packets meet, by device and the rule that stands for them.
    pub stands_for: FxHashMap<(usize, OriginId), FxHashSet<OriginId>>,
    /// Packets whose journey has ended.
    pub done: Vec<(Flow, Disposition)>,
}

impl<'n> Tracer<'n> {
    pub fn new(ask: &Ask<'n>) -> Self {
        ask.network.budget.ask();
        Self {
            net: ask.network,
            detail: ask.detail,
            named: ask.named,
            asked: ask.question.packets.clone(),
            tables: Tables::default(),
            idle: super::chain::Idle::default(),
            without: ask.without.iter().copied().collect(),
            world: (!ask.world.is_empty()).then(|| ask.world.to_vec()),
            variables: Vec::new(),
            fixed: FxHashMap::default(),
            two_sided: false,
            unsure_refusal: false,
            stands_for: FxHashMap::default(),
            done: Vec::new(),
        }
    }

    /// Adds a dimension.
    pub fn new_variable(&mut self, domain: Set, choice: Choice) -> VarId {
        let domain = match self.in_this_world(choice) {
            Some(value) if domain.contains(value) => Set::one(value),
            _ => domain,
        };
        self.variables.push(Variable { domain, choice });
        VarId(u32::try_from(self.variables.len() - 1).expect("fewer than 2³² variables"))
    }

    /// The value that the next variable of this kind has, where only one world is followed.
    fn in_this_world(&mut self, choice: Choice) -> Option<u128> {
        let world = self.world.as_mut()?;
        let at = world.iter().position(|(c, _)| *c == choice);
        // The rule that stands for others is not the one that this packet meets.
        let at = at.or_else(|| world.iter().position(|(c, _)| c.is_like(choice)))?;
        Some(world.remove(at).1)
    }

    /// Makes one flow of those whose packets are in equal state, where only fates are told: which rules they met does not
    /// matter to what comes next.
    pub fn settle(&self, flows: &mut Vec<Flow>) {
        if self.detail == Detail::Rules {
            return;
        }
        for flow in flows.iter_mut() {
            if flow.state.decided.is_some() {
                flow.state_mut().decided = None;
            }
        }
        if flows.len() < 2 {
            return;
        }
        let mut known: FxHashMap<Rc<State>, usize> = FxHashMap::default();
        let mut out: Vec<Flow> = Vec::with_capacity(flows.len());
        let mut grown: Vec<bool> = Vec::with_capacity(flows.len());
        for mut flow in flows.drain(..) {
            match known.entry(Rc::clone(&flow.state)) {
                Entry::Occupied(at) => {
                    out[*at.get()].cubes.append(&mut flow.cubes);
                    grown[*at.get()] = true;
                }
                Entry::Vacant(free) => {
                    free.insert(out.len());
                    out.push(flow);
                    grown.push(false);
                }
            }
        }
        for (flow, _) in out.iter_mut().zip(grown).filter(|(_, grown)| *grown) {
            self.merge(&mut flow.cubes);
        }
        *flows = out;
    }

    /// Unites cubes, which is work too.
    pub fn merge(&self, cubes: &mut Vec<Cube>) {
        self.net.budget.take(cubes.iter().map(|c| 1 + c.vars.len()).sum());
        merge(cubes);
    }

    /// Forgets what no later step reads of a packet that leaves a device or has arrived.
    pub fn leftovers(&self, flow: &mut Flow) {
        if self.detail < Detail::Rules {
            let state = flow.state_mut();
            state.decided = None;
            (state.mark, state.track) = (Mark::ZERO, Track::No);
        }
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
        let sorted = |list: FxHashSet<OriginId>| {
            let mut list: Vec<OriginId> = list.into_iter().collect();
            list.sort_unstable();
            list
        };
        let stands_for = self.stands_for.into_iter().map(|(rule, list)| (rule, sorted(list))).collect();
        Answer { trips, variables: self.variables, stands_for }
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
            self.net.budget.write(inside.ranges().len() + outside.ranges().len());
            no.push(cube.with(dim, outside));
            yes.push(cube.with(dim, inside));
        }
    }

    /// No configuration decides its value: a device picks it, or a clash of ports, or who sends first.
    pub fn is_chosen(&self, var: VarId) -> bool {
        matches!(self.variables[var.0 as usize].choice, Choice::Device { .. } | Choice::Clash { .. } | Choice::Order)
    }

    /// Takes out of cubes what is inside a restriction. Of thousands, a rule concerns few: the others are not moved but to
    /// fill gaps, so their order may change.
    pub fn cut_cubes(&self, restriction: &Restriction, cubes: &mut Vec<Cube>) -> Vec<Cube> {
        let mut inside = Vec::new();
        if restriction.0.iter().any(|(_, set)| set.is_empty()) {
            return inside;
        }
        let (mut gone, mut more) = (Vec::new(), Vec::new());
        for (at, place) in cubes.iter_mut().enumerate().filter(|(_, cube)| restriction.meets(cube)) {
            let mut current = vec![std::mem::take(place)];
            let mut outside = Vec::new();
            for (dim, set) in &restriction.0 {
                let mut next = Vec::new();
                for cube in current {
                    self.split_cube(cube, *dim, set, &mut next, &mut outside);
                }
                current = next;
            }
            inside.append(&mut current);
            match outside.pop() {
                Some(one) => *place = one,
                None => gone.push(at),
            }
            more.append(&mut outside);
        }
        for at in gone.into_iter().rev() {
            cubes.swap_remove(at);
        }
        cubes.append(&mut more);
        inside
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
