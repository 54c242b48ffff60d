//! Several packets of two parties over the same sessions: what one leaves in the filters and translations on the way is
//! there for the next.

use super::Ask;
use super::answer::{Answer, Detail, Header, Journey, Phase, Val, Variable};
use super::condition::on_value;
use super::flow::{Flow, Session};
use super::tracer::Tracer;
use super::{hops, restart, start};
use crate::cube::{Cube, Set};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

/// A conversation that is being followed.
///
/// Unlike [`super::ask`], it takes for granted that nobody hits a port that a device has picked at random from many, and
/// that the caller's port is not by chance the server's: such luck is no way of a call (one in some 64,000).
pub struct Talk<'n> {
    tracer: Tracer<'n>,
}

/// Packets, in terms of what was asked, for which everything has happened alike so far.
#[derive(Debug, Clone)]
pub struct Branch {
    flow: Flow,
}

impl Branch {
    /// The packets and the values of variables.
    pub fn cubes(&self) -> &[Cube] {
        &self.flow.cubes
    }

    /// Takes the packets of another branch in, if the devices on the way hold the same sessions for both: whatever is
    /// sent next fares alike. Else hands it back.
    pub fn join(&mut self, other: Self) -> Option<Self> {
        if !self.confirmed().eq(other.confirmed()) {
            return Some(other);
        }
        self.flow.cubes.extend(other.flow.cubes);
        None
    }

    /// The same packets in a network that has seen none yet.
    #[must_use]
    pub fn fresh(&self) -> Self {
        let mut flow = self.flow.clone();
        flow.state_mut().sessions.clear();
        Self { flow }
    }

    /// Sessions that the devices on the way hold.
    pub fn sessions(&self) -> usize {
        self.confirmed().count()
    }

    fn confirmed(&self) -> impl Iterator<Item = &Session> {
        self.flow.state.sessions.iter().filter(|s| s.confirmed)
    }
}

impl<'n> Talk<'n> {
    /// Begins a conversation: nothing has been sent yet. Absent if the question holds no packets.
    ///
    /// # Panics
    /// If `question.from` is not a device of the network.
    pub fn new(ask: &Ask<'n>) -> (Self, Option<Branch>) {
        let mut tracer = Tracer::new(ask);
        tracer.two_sided = true;
        let flow = start(ask.question, ask.detail);
        let branch = (!flow.cubes.is_empty()).then_some(Branch { flow });
        (Self { tracer }, branch)
    }

    /// Sends one packet from a device, and tells for each part of the branch how its journey ended.
    /// [`super::Disposition::Delivered`] says whether a socket of the device's endpoints takes it.
    pub fn send(&mut self, branch: Branch, from: usize, header: Header, phase: Phase) -> Vec<(Branch, Arc<Journey>)> {
        let mut flow = restart(branch.flow, phase, header, Some(from));
        if flow.state.sessions.iter().any(|s| !s.confirmed) {
            // What was dropped on its way leaves nothing behind.
            flow.state_mut().sessions.retain(|s| s.confirmed);
        }
        let ended = super::journey(&mut self.tracer, flow, phase);
        let mut out: Vec<(Branch, Arc<Journey>)> = Vec::with_capacity(ended.len());
        let mut known: FxHashMap<(Rc<Journey>, Vec<Session>), usize> = FxHashMap::default();
        for (flow, end) in ended {
            let journey = Journey { hops: hops(&flow.state), end };
            let mut branch = Branch { flow };
            if self.tracer.detail < Detail::Rules {
                let sessions: Vec<Session> = branch.confirmed().cloned().collect();
                match known.entry((Rc::new(journey.clone()), sessions)) {
                    Entry::Occupied(at) => {
                        out[*at.get()].0.flow.cubes.append(&mut branch.flow.cubes);
                        continue;
                    }
                    Entry::Vacant(free) => {
                        free.insert(out.len());
                    }
                }
            }
            out.push((branch, Arc::new(journey)));
        }
        if self.tracer.detail < Detail::Rules {
            for (branch, _) in &mut out {
                self.tidy(branch);
            }
        }
        out
    }

    /// The same packets in as few cubes as are found.
    pub fn tidy(&self, branch: &mut Branch) {
        self.tracer.merge(&mut branch.flow.cubes);
    }

    /// Those of the branch's packets that lie in these cubes too.
    #[must_use]
    pub fn within(&self, branch: &Branch, cubes: &[Cube]) -> Branch {
        let mine = &branch.flow.cubes;
        self.tracer.net.budget.take(mine.len() * cubes.len());
        let both = mine.iter().flat_map(|a| cubes.iter().filter_map(|b| a.and(b))).collect();
        Branch { flow: branch.flow.with(both) }
    }

    /// Splits a branch by whether two headers are the same: those for which they are, and the others.
    pub fn same(&mut self, branch: Branch, a: Header, b: Header) -> (Option<Branch>, Option<Branch>) {
        let (same, other) = self.tracer.equal_headers(branch.flow, a, b);
        (same.map(|flow| Branch { flow }), other.map(|flow| Branch { flow }))
    }

    /// Splits a branch by whether a variable has a value. Whoever asks knows the value: it is no matter of luck.
    pub fn split(&mut self, branch: Branch, variable: Val, value: u128) -> (Option<Branch>, Option<Branch>) {
        let (yes, no) = self.tracer.apply(branch.flow, &on_value(variable, &Set::one(value)));
        (yes.map(|flow| Branch { flow }), no.map(|flow| Branch { flow }))
    }

    /// A value that some device of this conversation would pick: `rule` and `part` say who and what.
    pub fn choice(&mut self, domain: Set, choice: super::Choice) -> Val {
        Val::Var(self.tracer.new_variable(domain, choice))
    }

    /// What a value stands for, if some device picks it or nobody knows it.
    pub fn variable(&self, value: Val) -> Option<&Variable> {
        match value {
            Val::Var(var) => self.tracer.variables.get(var.0 as usize),
            _ => None,
        }
    }

    /// The answer: one round trip for each cube of each branch, in this order, with the journeys that tell its story.
    pub fn finish(self, ended: Vec<(Branch, Vec<Arc<Journey>>)>) -> Answer {
        let mut trips = Vec::new();
        for (branch, journeys) in ended {
            trips.extend(branch.flow.cubes.into_iter().map(|cube| super::trip(cube, &journeys)));
        }
        self.tracer.finish(trips)
    }
}
