//! Filter rules.

use super::{Lowering, in_deciding_order, known_state, marks};
use crate::cube::Set;
use crate::dialect::pf::ast::{Action as Does, Direction, Rule, State, Unknown};
use crate::model::{
    Action, ChainId, Family, Key, KeyField, Match, Part, Rule as ModelRule, Step, Test, Ways, ct_state, iface_value,
};

impl<'a> Lowering<'a> {
    /// The chain of one pass in one family.
    pub(super) fn filter(&mut self, family: Family, direction: Direction) -> ChainId {
        let mut out = Vec::new();
        let ordered = in_deciding_order(&self.rules.filter, direction);
        let mut rules = Vec::with_capacity(ordered.len());
        for rule in ordered {
            self.filter_rule(rule, family, direction, &mut rules);
        }
        if direction == Direction::Out {
            out.append(&mut self.bound());
        }
        let origin = self.generated("packets of a known state pass");
        out.push(ModelRule { steps: known_state().into(), origin });
        if !self.rules.skip.is_empty() {
            let field = if direction == Direction::In { KeyField::InIface } else { KeyField::OutIface };
            let origin = self.generated("interfaces without filtering");
            let place = self.pipeline.origin(origin).clone();
            let on = self.on(field, &self.rules.skip, false, &place);
            out.push(ModelRule { steps: [on, Step::Act(Action::Accept)].into(), origin });
        }
        out.append(&mut self.open_bridges(direction));
        for rule in in_deciding_order(&self.rules.first, direction) {
            self.filter_rule(rule, family, direction, &mut out);
        }
        if direction == Direction::In && self.rules.rdr.iter().any(|r| r.pass) {
            let origin = self.generated("the forward itself lets it pass");
            let passed = marks::marked(marks::PASSED, marks::PASSED, false);
            out.push(ModelRule { steps: [passed, Step::Act(Action::Accept)].into(), origin });
        }
        for unread in &self.rules.unread {
            let unknown = Unknown { what: unread.why.clone(), ..Unknown::default() };
            let doubt = self.doubt(&unread.origin, &unknown, true);
            let origin = self.pipeline.add_origin(unread.origin.clone());
            out.push(ModelRule { steps: [Step::Act(Action::Unmodelled(Ways::Anything, doubt))].into(), origin });
        }
        out.append(&mut rules);
        self.chain(if direction == Direction::In { "in" } else { "out" }, out)
    }

    pub(super) fn filter_rule(
        &mut self,
        rule: &'a Rule,
        family: Family,
        direction: Direction,
        out: &mut Vec<ModelRule>,
    ) {
        let Some(matches) = self.matches(rule, family, direction) else { return };
        let origin = self.pipeline.add_origin(rule.origin.clone());
        for start in matches {
            for steps in self.effects(rule, direction, start) {
                out.push(ModelRule { steps: steps.into(), origin });
            }
        }
    }

    /// Everything that a rule asks, as alternatives.
    pub(super) fn matches(&mut self, rule: &'a Rule, family: Family, direction: Direction) -> Option<Vec<Vec<Step>>> {
        if rule.family.is_some_and(|f| f != family) || rule.never {
            return None;
        }
        let mut start = Vec::new();
        if let Some(on) = &rule.on {
            let field = if direction == Direction::In { KeyField::InIface } else { KeyField::OutIface };
            start.push(self.on(field, &on.names, on.negate, &rule.origin));
        }
        start.extend(Self::transport(&rule.protocols, rule.source_ports.as_deref(), rule.ports.as_deref())?);
        if let Some((with, tag)) = &rule.tagged {
            if let Some(number) = self.tag(tag) {
                start.push(marks::marked(marks::TAG, number << 16, !with));
            } else {
                let doubt = self.doubt(&rule.origin, &marks::too_many("labels"), false);
                start.push(Step::is(KeyField::Unknown(doubt, 1), Set::one(1)));
            }
        }
        if !rule.any_flags && rule.action == Does::Pass {
            // flags S/SA: what is in the middle of a handshake begins no state.
            let new =
                Set::from_ranges([(ct_state::NEW, ct_state::NEW), (ct_state::ESTABLISHED, ct_state::ESTABLISHED)]);
            start.push(Step::is(KeyField::CtState, new));
        }
        if let Some(unknown) = &rule.when {
            let doubt = self.doubt(&rule.origin, unknown, false);
            start.push(Step::is(KeyField::Unknown(doubt, 1), Set::one(1)));
        }
        let from = self.hosts(&rule.from, Part::Src, family, &rule.origin);
        let to = self.hosts(&rule.to, Part::Dst, family, &rule.origin);
        let mut out = Vec::new();
        for a in &from {
            for b in &to {
                out.push(start.iter().chain(a).chain(b).cloned().collect());
            }
        }
        Some(out)
    }

    /// What a rule does to what matched, as one rule or two.
    fn effects(&mut self, rule: &'a Rule, direction: Direction, start: Vec<Step>) -> Vec<Vec<Step>> {
        let mut steps = start;
        if let Some((unknown, unread)) = rule.anything() {
            let doubt = self.doubt(&rule.origin, unknown, unread);
            if rule.helper {
                steps.push(Step::Act(Action::Helper(doubt)));
            }
            steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
            return vec![steps];
        }
        let Ok(label) = self.label(rule) else {
            let doubt = self.doubt(&rule.origin, &marks::too_many("labels"), false);
            steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
            return vec![steps];
        };
        steps.extend(label);
        match &rule.action {
            Does::Match => return vec![steps],
            Does::Block { answer } => {
                steps.push(Step::Act(if *answer {
                    Action::Reject("reset or unreachable".into())
                } else {
                    Action::Drop
                }));
                return vec![steps];
            }
            Does::Pass | Does::No | Does::Translate(_) => {}
        }
        if let Some(limit) = &rule.limited {
            let what = format!("whether the limit of this rule is reached ({limit})");
            let doubt = self.doubt(&rule.origin, &Unknown { what: what.into(), ..Unknown::default() }, false);
            steps.push(Step::Act(Action::Unmodelled(Ways::ContinueOrDrop, doubt)));
        }
        if rule.state == State::None {
            steps.push(marks::set_state(marks::STATELESS, marks::STATELESS));
        }
        if let Some(route) = &rule.route {
            if direction == Direction::Out && !route.reply {
                return self.sent_elsewhere(rule, route, &steps);
            }
            match self.way_steps(route, &rule.origin) {
                Ok(way) => steps.extend(way),
                Err(unknown) => {
                    let doubt = self.doubt(&rule.origin, &unknown, false);
                    steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
                    return vec![steps];
                }
            }
        }
        steps.push(Step::Act(Action::Accept));
        vec![steps]
    }

    /// `route-to` on the way out: nothing changes for what leaves by that interface anyway.
    fn sent_elsewhere(
        &mut self,
        rule: &Rule,
        route: &crate::dialect::pf::ast::Route,
        steps: &[Step],
    ) -> Vec<Vec<Step>> {
        let devices = Set::from_ranges(route.hops.iter().map(|(d, _)| (iface_value(d), iface_value(d))));
        let here = |negate| {
            Step::Match(Match { keys: [Key::of(KeyField::OutIface)].into(), test: Test::In(devices.clone()), negate })
        };
        let unknown = Unknown {
            what: "what becomes of a packet of the firewall's own address that leaves by another interface".into(),
            ..Unknown::default()
        };
        let doubt = self.doubt(&rule.origin, &unknown, false);
        let with = |negate, act: Action| {
            let mut list = steps.to_vec();
            let at = list.iter().position(|s| matches!(s, Step::Act(_))).unwrap_or(list.len());
            list.insert(at, here(negate));
            list.push(Step::Act(act));
            list
        };
        vec![with(false, Action::Accept), with(true, Action::Unmodelled(Ways::Anything, doubt))]
    }
}
