//! Filters of thousands of rules.
#![allow(dead_code)] // not every test that includes this makes them

use super::{Maker, addresses};
use callpath_core::cube::Set;
use callpath_core::model::{
    Action, ChainId, Families, Hook, Key, KeyField, Lookup, Match, Origin, Part, Pipeline, Policy, Rule, Side, Stage,
    StageKind, Step, Test, Verdicted,
};
use std::sync::Arc;

impl Maker {
    /// A filter of so many rules, some of them in chains that jump to each other this deep.
    pub fn large(&mut self, rules: usize, depth: usize) -> Pipeline {
        let mut p = Pipeline::default();
        let mut deeper: Vec<ChainId> = Vec::new();
        // In some of them every packet goes all the way.
        let through = self.random.chance(20);
        for _ in 0..depth {
            // Mostly to the one before: that makes it deep.
            let below: Vec<ChainId> = deeper.last().into_iter().chain(deeper.first()).copied().collect();
            let id = self.long_chain(&mut p, (rules / 2 / depth).max(1), &below, through);
            deeper.push(id);
        }
        let count = rules.saturating_sub(p.chains.iter().map(|c| c.rules.len()).sum()).max(1);
        deeper.reverse();
        let chain = self.long_chain(&mut p, count, &deeper, through);
        let translate = self.chain(&mut p, Some(Side::Destination), &[]);
        let policy = if self.random.chance(50) { Policy::Drop } else { Policy::Accept };
        let chains = vec![(translate, Policy::Accept)];
        for (hook, kind) in [
            (Hook::Prerouting, StageKind::Track),
            (Hook::Output, StageKind::Track),
            (Hook::Prerouting, StageKind::Translate { side: Side::Destination, chains }),
            (Hook::Forward, StageKind::Filter { chain, policy, reroute: false }),
        ] {
            p.hooks[hook as usize].push(Stage { kind, families: Families::BOTH, interfaces: None });
        }
        p
    }

    fn long_chain(&mut self, p: &mut Pipeline, count: usize, deeper: &[ChainId], through: bool) -> ChainId {
        let established = Match {
            keys: [Key { field: KeyField::CtState, mask: None }].into(),
            test: Test::In(Set::one(2)),
            negate: false,
        };
        let first =
            (count > 1 && self.random.chance(50)).then(|| vec![Step::Match(established), Step::Act(Action::Accept)]);
        // One rule leads on: with it chains nest as deep as they are many.
        let on = if through || self.random.chance(70) { usize::from(first.is_some()) } else { count - 1 };
        let mut rules = Vec::new();
        for n in 0..count {
            let origin = p.add_origin(Origin::default());
            let steps = if let Some(steps) = first.clone().filter(|_| n == 0) {
                steps
            } else if let Some(to) = deeper.first().filter(|_| n == on) {
                let conditions = if through { 0 } else { self.random.below(2) };
                let all: Vec<Step> = (0..conditions).map(|_| self.wide_match()).collect();
                all.into_iter().chain([Step::Act(Action::Jump(*to))]).collect()
            } else {
                let mut steps: Vec<Step> = (0..=self.random.below(2)).map(|_| self.wide_match()).collect();
                let action = match self.random.below(12) {
                    0..=3 => Action::Accept,
                    4..=7 => Action::Drop,
                    8 => Action::Return,
                    9..=10 if !deeper.is_empty() => Action::Jump(self.random.pick(deeper)),
                    11 if !deeper.is_empty() => self.verdicts(deeper),
                    _ => Action::Reject("x".into()),
                };
                steps.push(Step::Act(action));
                steps
            };
            rules.push(Rule { steps: steps.into(), origin });
        }
        let origin = p.add_origin(Origin::default());
        p.add_chain("c", origin, rules)
    }

    /// A map from ports to chains and verdicts.
    fn verdicts(&mut self, deeper: &[ChainId]) -> Action {
        let mut left = Set::range(0, 65535);
        let mut entries: Vec<(Box<[Set]>, Verdicted)> = Vec::new();
        for _ in 0..=self.random.below(20) {
            let set = self.wide_set(Part::DstPort).and(&left);
            left = left.minus(&set);
            let to = self.random.pick(deeper);
            let verdict =
                self.random.pick(&[Verdicted::Accept, Verdicted::Drop, Verdicted::Return, Verdicted::Jump(to)]);
            if !set.is_empty() {
                entries.push((Box::new([set]), verdict));
            }
        }
        let keys = [Key { field: KeyField::Header(Part::DstPort), mask: None }].into();
        Action::Verdict(Arc::new(Lookup { keys, entries, default: None }))
    }

    /// A condition on one field or two: one value, a range, a set, rows of a set.
    fn wide_match(&mut self) -> Step {
        let header = |part| Key { field: KeyField::Header(part), mask: None };
        let negate = self.random.chance(5);
        let part = self.part();
        if self.random.chance(85) {
            let set = self.wide_set(part);
            return Step::Match(Match { keys: [header(part)].into(), test: Test::In(set), negate });
        }
        let rows = (0..=self.random.below(30))
            .map(|_| -> Box<[Set]> { Box::new([self.wide_set(Part::Dst), self.wide_set(Part::DstPort)]) })
            .collect::<Vec<_>>();
        let keys = [header(Part::Dst), header(Part::DstPort)].into();
        Step::Match(Match { keys, test: Test::Boxes(rows.into()), negate })
    }

    fn wide_set(&mut self, part: Part) -> Set {
        let many = if self.random.chance(10) { self.random.below(50) } else { 0 };
        let pool = addresses(self.family);
        let one = |m: &mut Self| match part {
            Part::Proto => (m.random.pick(&[6, 17]), 17),
            Part::SrcPort | Part::DstPort => {
                let low = 1 + u128::from(m.random.bits() % 65_000);
                (low, low + if m.random.chance(60) { 0 } else { u128::from(m.random.bits() % 500) })
            }
            // Networks around the hosts that there are.
            Part::Src | Part::Dst => {
                let bits = m.random.pick(&[0, 0, 1, 3, 6, 8]);
                let base = m.random.pick(&pool) ^ (u128::from(m.random.bits() % 64)) & !((1 << bits) - 1);
                (base >> bits << bits, base | ((1 << bits) - 1))
            }
        };
        Set::from_ranges((0..=many).map(|_| one(self)).collect::<Vec<_>>())
    }
}
