//! Rules: a chain applied to packets.

use super::answer::{Choice, Detail, Did, Disposition, Val};
use super::condition::Condition;
use super::flow::{Flow, State, Track, Trail};
use super::mark::Mark;
use super::tracer::{MERGE_FROM, Restriction, Tracer, hull, merge_when_grown};
use crate::cube::{Cube, Dim, Set};
use crate::model::{
    Action, ChainId, DoubtId, Fused, Hook, Hull, KeyField, Least, MarkFrom, MarkValue, Match, Member, OriginId, Part,
    Rule, Side, Step, Test, Value, Verdicted, Ways,
};
use rustc_hash::FxHashSet;
use std::rc::Rc;

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

/// Chains that did nothing to packets: they need not be run again for the same ones.
#[derive(Default)]
pub(super) struct Idle {
    known: FxHashSet<(ChainId, Place, Rc<State>, Vec<Cube>)>,
}

/// Where every rule is told, a chain that does nothing is told again as long as a packet has met fewer rules of a device.
const TOLD_STEPS: usize = 1000;

impl Idle {
    fn holds(&self, chain: ChainId, place: Place, flow: &Flow) -> bool {
        !self.known.is_empty() && self.known.contains(&key(chain, place, flow))
    }

    fn add(&mut self, chain: ChainId, place: Place, flow: &Flow) {
        self.known.insert(key(chain, place, flow));
    }
}

fn key(chain: ChainId, place: Place, flow: &Flow) -> (ChainId, Place, Rc<State>, Vec<Cube>) {
    let mut flow = flow.clone();
    if !flow.state.is_plain() {
        let state = flow.state_mut();
        (state.steps, state.decided) = (Trail::default(), None);
    }
    (chain, place, flow.state, flow.cubes)
}

/// Where a rule is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub hook: Hook,
    /// In a translation stage: the side that it decides.
    pub side: Option<Side>,
    pub depth: usize,
}

/// The rules of a chain.
#[derive(Clone, Copy)]
pub(super) enum Rules<'r> {
    /// As given.
    Given(&'r [Rule], &'r [Hull]),
    /// Neighbours that decide alike are one.
    Fused(&'r [Fused]),
}

impl<'r> Rules<'r> {
    #[inline]
    fn len(self) -> usize {
        match self {
            Self::Given(rules, _) => rules.len(),
            Self::Fused(rules) => rules.len(),
        }
    }

    #[inline]
    fn hull(self, n: usize) -> &'r Hull {
        match self {
            Self::Given(_, hulls) => &hulls[n],
            Self::Fused(rules) => &rules[n].hull,
        }
    }

    /// A rule, and those for which it stands.
    fn get(self, n: usize) -> (&'r Rule, &'r [Member]) {
        match self {
            Self::Given(rules, _) => (&rules[n], &[]),
            Self::Fused(rules) => (&rules[n].rule, &rules[n].members),
        }
    }
}

impl Tracer<'_> {
    /// Applies a chain. Packets that end inside it are already done.
    pub(super) fn run_chain(&mut self, id: ChainId, flow: Flow, place: Place) -> Passed {
        let mut passed = Passed::default();
        if place.depth > MAX_DEPTH {
            self.end(flow, Disposition::Loop);
            return passed;
        }
        // What is not known of an answer to a rejected packet is noted each time.
        let retold = self.detail == Detail::Rules && flow.state.steps.len <= TOLD_STEPS;
        let jumped = place.depth > 0 && flow.state.refusal.is_none() && !retold;
        if jumped && self.idle.holds(id, place, &flow) {
            passed.fell.push(flow);
            return passed;
        }
        let before = jumped.then(|| (flow.clone(), self.variables.len(), self.done.len()));
        let device = flow.state.device;
        let pipeline = &self.net.devices[device].pipeline;
        let rules = match self.fuses() {
            Some(least) => Rules::Fused(pipeline.fused(id, least)),
            None => Rules::Given(&pipeline.chain(id).rules, pipeline.chains.hulls(id.0 as usize)),
        };
        let passed = self.run_rules(id, rules, flow, place);
        if let (Some((before, variables, done)), [fell], [], []) =
            (before, &passed.fell[..], &passed.accepted[..], &passed.translated[..])
            && (variables, done) == (self.variables.len(), self.done.len())
            && before.state.without_steps(&fell.state)
            && before.cubes == fell.cubes
        {
            self.idle.add(id, place, &before);
        }
        passed
    }

    /// Which neighbouring rules are one; none where each is told, or where some are left out.
    pub(super) fn fuses(&self) -> Option<Least> {
        match self.detail {
            _ if !self.without.is_empty() => None,
            Detail::Fate => Some(Least::Two),
            Detail::Ends => Some(Least::Many),
            Detail::Rules => None,
        }
    }

    /// Applies rules in order.
    pub(super) fn run_rules(&mut self, id: ChainId, rules: Rules<'_>, flow: Flow, place: Place) -> Passed {
        let mut passed = Passed::default();
        let device = flow.state.device;
        let seen = self.seen(&flow);
        let mut concern = (0..rules.len()).filter(|n| rules.hull(*n).meets(&seen)).peekable();
        // Of a thousand chains most have no rule about these packets.
        if concern.peek().is_none() {
            passed.fell.push(flow);
            self.settle(&mut passed.fell);
            return passed;
        }
        let bounds = hull(&flow.cubes);
        let mut live = vec![flow];
        let mut limits = vec![MERGE_FROM];
        for n in concern {
            if live.is_empty() {
                break;
            }
            let (rule, members) = rules.get(n);
            if self.without.contains(&(device, rule.origin)) {
                continue;
            }
            let work = live.iter().map(|f| f.cubes.len()).sum();
            if !self.net.budget.take(work) {
                for flow in live {
                    self.end(flow, Disposition::TooMuch(id));
                }
                return passed;
            }
            let mut next = Vec::with_capacity(live.len());
            for flow in live {
                self.run_rule((rule, members), flow, &bounds, place, &mut passed, &mut next);
            }
            live = next;
            self.settle(&mut live);
            limits.resize(live.len(), MERGE_FROM);
            for (flow, limit) in live.iter_mut().zip(&mut limits) {
                merge_when_grown(&mut flow.cubes, limit);
            }
        }
        passed.fell.append(&mut live);
        self.settle(&mut passed.fell);
        self.settle(&mut passed.accepted);
        passed
    }

    /// Bounds of the packets as rules see them; no rule of a chain that goes on changes them.
    fn seen(&self, flow: &Flow) -> Hull {
        let mut out = Hull::ALL;
        if flow.state.refusal.is_some() {
            return out;
        }
        let ends = |set: &Set| Some((set.min()?, set.max()?));
        let wider = |a: (u128, u128), b: (u128, u128)| (a.0.min(b.0), a.1.max(b.1));
        for part in [Part::Src, Part::Dst, Part::SrcPort, Part::DstPort, Part::Proto] {
            let ends = match flow.state.header.get(part) {
                Val::Const(c) => Some((c, c)),
                Val::Part(p, 0) => flow.cubes.iter().filter_map(|c| ends(c.part(p))).reduce(wider),
                Val::Part(p, shift) => ends(&self.values(&flow.cubes, Dim::Part(p)).shifted(shift)),
                Val::Var(var) => ends(&self.variables[var.0 as usize].domain),
            };
            out.0[part as usize] = ends.unwrap_or((0, u128::MAX));
        }
        out
    }

    fn run_rule(
        &mut self,
        (rule, members): (&Rule, &[Member]),
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
        let Some((mut yes, no)) = self.conjunction(matches, flow, bounds, place.hook) else { return };
        next.extend(no);
        if let Some(flow) = yes.as_mut().filter(|f| self.named && !f.state.named && rule.accepts_port()) {
            flow.state_mut().named = true;
        }
        if let Some(flow) = yes.as_ref().filter(|_| self.detail == Detail::Ends && !members.is_empty()) {
            self.name_members(flow, rule.origin, members, place.hook);
        }
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

    /// Notes which of the rules that one stands for are met by some of these packets.
    fn name_members(&mut self, flow: &Flow, rule: OriginId, members: &[Member], hook: Hook) {
        let told = (flow.state.device, rule);
        // A table is read once, and not for each of the rules.
        let mark = self.values_of_mark(flow.state.mark, &flow.cubes);
        for member in members {
            if self.stands_for.get(&told).is_some_and(|known| known.contains(&member.origin)) {
                continue;
            }
            let meets = member.asks.iter().all(|(key, set)| {
                // What a doubt may be is no matter of the packet.
                let doubt = matches!(key.field, KeyField::Unknown(..) | KeyField::WithinRate(_));
                if let (Some(values), KeyField::Mark, None) = (&mark, key.field, key.mask) {
                    return values.intersects(set);
                }
                doubt
                    || match self.condition_of(flow, hook, *key, set) {
                        Condition::No => false,
                        Condition::On(dim, set) => {
                            flow.cubes.iter().any(|c| c.get(dim).is_none_or(|have| have.intersects(&set)))
                        }
                        Condition::Yes | Condition::Masked(..) | Condition::TooComplex => true,
                    }
            });
            if meets {
                self.stands_for.entry(told).or_default().insert(member.origin);
            }
        }
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
                let old = flow.state.mark;
                for (mark, mut flow) in self.marks(flow, value, old, run) {
                    flow.state_mut().mark = mark;
                    run.after.push((flow, true));
                }
            }
            Action::SetCtMark(value) => {
                let Track::In { session, .. } = flow.state.track else {
                    run.after.push((flow, true));
                    return;
                };
                let old = flow.state.sessions[session].mark;
                for (mark, mut flow) in self.marks(flow, value, old, run) {
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
    fn marks(&mut self, flow: Flow, value: &Value, old: Mark, run: &mut Run<'_>) -> Vec<(Mark, Flow)> {
        if let Some(mark) = self.looked_up(&flow, value, old) {
            return vec![(mark, flow)];
        }
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

    fn mark(&mut self, value: MarkValue, flow: &Flow) -> Option<Mark> {
        let start = match value.from {
            MarkFrom::Zero => Mark::ZERO,
            MarkFrom::Mark => flow.state.mark,
            MarkFrom::CtMark => flow.state.session()?.mark,
            MarkFrom::Unknown(doubt) => Mark::Known(Val::Var(self.doubt_variable(flow.state.device, doubt, 32))),
        };
        let start = match start {
            Mark::Known(value) => value,
            Mark::Looked(table) => return Some(self.changed_table(table, (value.and, value.xor))),
        };
        Some(Mark::Known(match start {
            Val::Const(c) => Val::Const((c & u128::from(value.and)) ^ u128::from(value.xor)),
            other if value.and == u32::MAX && value.xor == 0 => other,
            Val::Var(var) => {
                // Bits of an unknown value are again unknown; that they hang together is not followed.
                let choice = self.variables[var.0 as usize].choice;
                Val::Var(self.new_variable(Set::range(0, u128::from(u32::MAX)), choice))
            }
            Val::Part(..) => unreachable!("marks are never header fields"),
        }))
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
        let first = Condition::On(Dim::Var(var), Set::one(0));
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
