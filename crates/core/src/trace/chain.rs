//! Rules: a chain applied to packets.

use super::answer::{Choice, Did, Disposition, Val};
use super::condition::Condition;
use super::flow::{Flow, Track};
use super::tracer::{MERGE_FROM, Restriction, Tracer, hull, merge_when_grown};
use crate::cube::{Cube, Set};
use crate::model::{
    Action, ChainId, DoubtId, Hook, KeyField, MarkFrom, MarkValue, Match, OriginId, Rule, Side, Step, Test, Value,
    Verdicted, Ways,
};

/// Chains jump at most this deep (`NFT_JUMP_STACK_SIZE` in `include/net/netfilter/nf_tables.h`).
const MAX_DEPTH: usize = 16;

/// What a chain did with packets that it did not end.
#[derive(Default)]
pub(super) struct Passed {
    /// Accepted by a rule: this stage is over for them.
    pub accepted: Vec<Flow>,
    /// Translated by a rule: this stage's consultation is over for them.
    pub translated: Vec<Flow>,
    /// The chain ended without a decision.
    pub fell: Vec<Flow>,
}

/// Where a rule is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub hook: Hook,
    /// In a translation stage: the side that it decides.
    pub side: Option<Side>,
    pub depth: usize,
}

impl Tracer<'_> {
    /// Applies a chain. Packets that end inside it are already done.
    pub(super) fn run_chain(&mut self, id: ChainId, flow: Flow, place: Place) -> Passed {
        let mut passed = Passed::default();
        if place.depth > MAX_DEPTH {
            self.end(flow, Disposition::Loop);
            return passed;
        }
        let chain = self.net.devices[flow.state.device].pipeline.chain(id);
        let bounds = hull(&flow.cubes);
        let mut live = vec![flow];
        let mut limits = vec![MERGE_FROM];
        for rule in &chain.rules {
            if live.is_empty() {
                break;
            }
            let mut next = Vec::with_capacity(live.len());
            for flow in live {
                self.run_rule(rule, flow, &bounds, place, &mut passed, &mut next);
            }
            live = next;
            limits.resize(live.len(), MERGE_FROM);
            for (flow, limit) in live.iter_mut().zip(&mut limits) {
                merge_when_grown(&mut flow.cubes, limit);
            }
        }
        passed.fell.append(&mut live);
        passed
    }

    fn run_rule(
        &mut self,
        rule: &Rule,
        flow: Flow,
        bounds: &Cube,
        place: Place,
        passed: &mut Passed,
        next: &mut Vec<Flow>,
    ) {
        let first_action = rule.steps.iter().position(|s| matches!(s, Step::Act(_)));
        let Some(first_action) = first_action else {
            next.push(flow);
            return;
        };
        let (matches, rest) = rule.steps.split_at(first_action);
        let Some((yes, no)) = self.conjunction(matches, flow, bounds, place.hook) else { return };
        next.extend(no);
        let mut live: Vec<(Flow, bool)> = yes.into_iter().map(|f| (f, false)).collect();
        for step in rest {
            let mut after = Vec::new();
            for (flow, noted) in live {
                match step {
                    Step::Match(m) => {
                        let (yes, no) = self.matches(flow, place.hook, m);
                        after.extend(yes.map(|f| (f, noted)));
                        next.extend(no);
                    }
                    Step::Act(action) => {
                        let mut run = Run { origin: rule.origin, noted, place, passed, next, after: &mut after };
                        self.act(action, flow, &mut run);
                    }
                }
            }
            live = after;
        }
        next.extend(live.into_iter().map(|(f, _)| f));
    }

    /// Applies the leading matches of a rule together, so that packets that fail any of them stay in one piece.
    /// Absent when the packets were ended here.
    fn conjunction(
        &mut self,
        steps: &[Step],
        flow: Flow,
        bounds: &Cube,
        hook: Hook,
    ) -> Option<(Option<Flow>, Option<Flow>)> {
        let mut restriction = Restriction::default();
        let mut later: Vec<&Match> = Vec::new();
        for step in steps {
            let Step::Match(m) = step else { continue };
            let (Test::In(set), false) = (&m.test, matches!(m.keys[0].field, KeyField::Unknown(..))) else {
                later.push(m);
                continue;
            };
            let condition = if m.negate {
                self.condition_of(&flow, hook, m.keys[0], &set.complement())
            } else {
                self.condition_of(&flow, hook, m.keys[0], set)
            };
            match condition {
                Condition::Yes => {}
                Condition::No => return Some((None, Some(flow))),
                Condition::TooComplex | Condition::Masked(..) => {
                    self.end(flow, Disposition::TooScattered);
                    return None;
                }
                Condition::On(dim, set) => restriction.add(dim, set),
            }
        }
        if !restriction.meets(bounds) {
            return Some((None, Some(flow)));
        }
        let (mut yes, mut no) = self.cut(flow, &restriction);
        // Doubts are asked last: a packet that fails a known match never bears them.
        later.sort_by_key(|m| m.keys.iter().any(|k| matches!(k.field, KeyField::Unknown(..))));
        for m in later {
            let Some(flow) = yes else { break };
            let (y, n) = self.matches(flow, hook, m);
            yes = y;
            no = super::lookup::join(no, n);
        }
        Some((yes, no))
    }

    fn act(&mut self, action: &Action, mut flow: Flow, run: &mut Run<'_>) {
        run.note(&mut flow);
        match action {
            Action::Accept => self.verdict(Verdicted::Accept, flow, run),
            Action::Drop => self.verdict(Verdicted::Drop, flow, run),
            Action::Return => self.verdict(Verdicted::Return, flow, run),
            Action::Jump(to) => self.verdict(Verdicted::Jump(*to), flow, run),
            Action::Goto(to) => self.verdict(Verdicted::Goto(*to), flow, run),
            Action::Reject(kind) => self.reject(&flow, kind),
            Action::Verdict(lookup) => {
                let (found, none) = self.look_up(flow, run.place.hook, lookup);
                run.after.extend(none.map(|f| (f, true)));
                for (verdict, flow) in found {
                    self.verdict(verdict, flow, run);
                }
            }
            Action::Translate(translate) => {
                let (found, none) = self.look_up(flow, run.place.hook, &translate.target);
                run.next.extend(none);
                for (target, flow) in found {
                    if run.place.side != Some(translate.side) || !matches!(flow.state.track, Track::In { .. }) {
                        // Outside of its own stage, or untracked, a translation is an accept without effect.
                        run.passed.accepted.push(flow);
                        continue;
                    }
                    let mut out = Vec::new();
                    self.translate(flow, translate, &target, run.origin, &mut out);
                    run.passed.translated.append(&mut out);
                }
            }
            Action::SetMark(value) => {
                for (mark, mut flow) in self.marks(flow, value, run) {
                    flow.state_mut().mark = mark;
                    run.after.push((flow, true));
                }
            }
            Action::SetCtMark(value) => {
                let Track::In { session, .. } = flow.state.track else {
                    run.after.push((flow, true));
                    return;
                };
                for (mark, mut flow) in self.marks(flow, value, run) {
                    flow.state_mut().sessions[session].mark = mark;
                    run.after.push((flow, true));
                }
            }
            Action::Untrack => {
                if flow.state.track == Track::No {
                    flow.state_mut().track = Track::Untracked;
                }
                run.after.push((flow, true));
            }
            Action::Helper(doubt) => {
                // A connection that is confirmed keeps what it has (nft_ct_helper_obj_eval, net/netfilter/nft_ct.c).
                if flow.state.is_new() {
                    flow.note(run.place.hook, Did::Helper(*doubt));
                }
                run.after.push((flow, true));
            }
            Action::Unmodelled(ways, doubt) => self.unmodelled(*ways, *doubt, flow, run),
        }
    }

    fn verdict(&mut self, verdict: Verdicted, flow: Flow, run: &mut Run<'_>) {
        let inner = Place { depth: run.place.depth + 1, ..run.place };
        match verdict {
            Verdicted::Accept => run.passed.accepted.push(flow),
            Verdicted::Drop => self.end(flow, Disposition::Dropped),
            Verdicted::Return => run.passed.fell.push(flow),
            Verdicted::Jump(to) => {
                let inside = self.run_chain(to, flow, inner);
                run.passed.accepted.extend(inside.accepted);
                run.passed.translated.extend(inside.translated);
                // Back behind the rule that jumped.
                run.next.extend(inside.fell);
            }
            Verdicted::Goto(to) => {
                let inside = self.run_chain(to, flow, inner);
                run.passed.accepted.extend(inside.accepted);
                run.passed.translated.extend(inside.translated);
                run.passed.fell.extend(inside.fell);
            }
            Verdicted::Continue => run.after.push((flow, true)),
        }
    }

    /// The marks that a value gives; packets for which it has none leave the rule.
    fn marks(&mut self, flow: Flow, value: &Value, run: &mut Run<'_>) -> Vec<(Val, Flow)> {
        let (found, none) = self.look_up(flow, run.place.hook, value);
        run.next.extend(none);
        let mut out = Vec::new();
        for (value, flow) in found {
            match self.mark(value, &flow) {
                Some(mark) => out.push((mark, flow)),
                None => run.next.push(flow),
            }
        }
        out
    }

    fn mark(&mut self, value: MarkValue, flow: &Flow) -> Option<Val> {
        let start = match value.from {
            MarkFrom::Zero => Val::Const(0),
            MarkFrom::Mark => flow.state.mark,
            MarkFrom::CtMark => flow.state.session()?.mark,
            MarkFrom::Unknown(doubt) => Val::Var(self.doubt_variable(flow.state.device, doubt, 32)),
        };
        Some(match start {
            Val::Const(c) => Val::Const((c & u128::from(value.and)) ^ u128::from(value.xor)),
            other if value.and == u32::MAX && value.xor == 0 => other,
            Val::Var(var) => {
                // Bits of an unknown value are again unknown; that they hang together is not followed.
                let choice = self.variables[var.0 as usize].choice;
                Val::Var(self.new_variable(Set::range(0, u128::from(u32::MAX)), choice))
            }
            Val::Part(..) => unreachable!("marks are never header fields"),
        })
    }

    fn unmodelled(&mut self, ways: Ways, doubt: DoubtId, flow: Flow, run: &mut Run<'_>) {
        if ways == Ways::Anything {
            self.end(flow, Disposition::Unknown(doubt));
            return;
        }
        if ways == Ways::Offloaded && !flow.state.session().is_some_and(|s| s.confirmed) {
            run.next.push(flow);
            return;
        }
        let device = flow.state.device;
        let var = self.new_variable(Set::range(0, 1), Choice::Doubt { device, doubt });
        let first = Condition::On(crate::cube::Dim::Var(var), Set::one(0));
        let (one, other) = self.split(flow, &first);
        if let Some(flow) = one {
            match ways {
                Ways::AcceptOrDrop => run.passed.accepted.push(flow),
                _ => run.after.push((flow, true)),
            }
        }
        if let Some(flow) = other {
            match ways {
                Ways::ContinueOrAccept | Ways::Offloaded => run.passed.accepted.push(flow),
                _ => self.end(flow, Disposition::Dropped),
            }
        }
    }
}

/// One rule at work on packets that matched it.
struct Run<'a> {
    origin: OriginId,
    /// The rule stands in the packets' steps already.
    noted: bool,
    place: Place,
    passed: &'a mut Passed,
    /// Packets that go on with the next rule.
    next: &'a mut Vec<Flow>,
    /// Packets that go on with this rule's next step.
    after: &'a mut Vec<(Flow, bool)>,
}

impl Run<'_> {
    fn note(&self, flow: &mut Flow) {
        if !self.noted {
            flow.note(self.place.hook, Did::Rule(self.origin));
        }
    }
}
