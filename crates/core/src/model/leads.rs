//! How chains lead to each other: which of them only refuse, and which serve several callers.

use super::{Action, ChainId, KeyField, Match, Part, Pipeline, Rule, Step, Test, Verdicted, Ways, ct_state};
use crate::cube::Set;

/// Jumps go no deeper in the kernel (`NFT_JUMP_STACK_SIZE`, `include/net/netfilter/nf_tables.h`).
const DEEPEST: usize = 16;

impl Rule {
    /// Chains in which this rule goes on, by itself or by a map.
    pub fn calls(&self) -> Vec<ChainId> {
        let mut out = Vec::new();
        for step in &self.steps {
            match step {
                Step::Act(Action::Jump(to) | Action::Goto(to)) => out.push(*to),
                Step::Act(Action::Verdict(map)) => {
                    out.extend(map.entries.iter().map(|(_, v)| *v).chain(map.default).filter_map(called));
                }
                _ => {}
            }
        }
        out
    }
}

fn called(verdict: Verdicted) -> Option<ChainId> {
    match verdict {
        Verdicted::Jump(to) | Verdicted::Goto(to) => Some(to),
        Verdicted::Accept | Verdicted::Drop | Verdicted::Return | Verdicted::Continue => None,
    }
}

impl Pipeline {
    /// A chain that only refuses, or one that rules of several chains use: what concerns one of its callers has its place
    /// at that caller.
    pub fn is_for_all_callers(&self, id: ChainId) -> bool {
        self.only_refuses(id, 0)
            || self.chains.iter().filter(|c| c.rules.iter().any(|r| r.calls().contains(&id))).count() > 1
    }

    /// Nothing in here, nor where it leads, accepts a first packet of TCP or UDP.
    fn only_refuses(&self, id: ChainId, depth: usize) -> bool {
        depth <= DEEPEST
            && self
                .chain(id)
                .rules
                .iter()
                .all(|rule| !accepts(rule) && rule.calls().into_iter().all(|to| self.only_refuses(to, depth + 1)))
    }
}

/// Does the rule accept first packets of TCP or UDP, or perhaps?
fn accepts(rule: &Rule) -> bool {
    for step in &rule.steps {
        match step {
            Step::Match(m) if never_first(m) => return false,
            Step::Act(
                Action::Accept | Action::Unmodelled(Ways::Anything | Ways::AcceptOrDrop | Ways::ContinueOrAccept, _),
            ) => {
                return true;
            }
            Step::Act(Action::Verdict(map)) => {
                let lets = |v: Verdicted| v == Verdicted::Accept;
                let asks = map.keys.iter().position(|k| k.field == KeyField::CtState && k.mask.is_none());
                let new = |sets: &[Set]| asks.is_none_or(|n| sets[n].contains(ct_state::NEW));
                if map.entries.iter().any(|(sets, v)| lets(*v) && new(sets)) || map.default.is_some_and(lets) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// The condition holds for no first packet of TCP or UDP.
fn never_first(m: &Match) -> bool {
    let [key] = &m.keys[..] else { return false };
    let values: &[u128] = match key.field {
        KeyField::CtState => &[ct_state::NEW],
        KeyField::Header(Part::Proto) => &[6, 17],
        KeyField::Absent => return true,
        _ => return false,
    };
    let holds = |v: u128| {
        let v = key.mask.map_or(v, |mask| v & mask);
        match &m.test {
            Test::In(set) => set.contains(v),
            Test::Boxes(rows) => rows.iter().any(|row| row[0].contains(v)),
        }
    };
    values.iter().all(|v| holds(*v) == m.negate)
}
