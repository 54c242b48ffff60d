//! How chains lead to each other: which of them only refuse, and which serve several callers.

use super::{Action, ChainId, Key, KeyField, Match, Part, Pipeline, Rule, Step, Test, Verdicted, Ways, ct_state};
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

    /// The rule is about some hosts, ports or senders, not about everything that comes by an interface or of a protocol.
    pub fn singles_out(&self) -> bool {
        let general = |key: &Key| {
            key.mask.is_none()
                && matches!(
                    key.field,
                    KeyField::Header(Part::Proto)
                        | KeyField::InIface
                        | KeyField::OutIface
                        | KeyField::Family
                        | KeyField::CtState
                )
        };
        let mut matches = self.steps.iter().map_while(|s| if let Step::Match(m) = s { Some(m) } else { None });
        matches.any(|m| !matches!(&m.keys[..], [key] if general(key)))
    }

    /// The rule ends a list without a verdict.
    pub fn leaves(&self) -> bool {
        let out = |v: &Verdicted| matches!(v, Verdicted::Return | Verdicted::Goto(_));
        self.steps.iter().any(|s| match s {
            Step::Act(Action::Return | Action::Goto(_)) => true,
            Step::Act(Action::Verdict(map)) => {
                map.entries.iter().any(|(_, v)| out(v)) || map.default.as_ref().is_some_and(out)
            }
            _ => false,
        })
    }

    /// It sends first packets back to the rule that called.
    fn returns(&self) -> bool {
        let back = |v: &Verdicted| *v == Verdicted::Return;
        for step in &self.steps {
            match step {
                Step::Match(m) if never_first(m) => return false,
                Step::Act(Action::Return) => return true,
                Step::Act(Action::Verdict(map))
                    if map.entries.iter().any(|(_, v)| back(v)) || map.default.as_ref().is_some_and(back) =>
                {
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// It asks nothing of a packet.
    fn is_for_all(&self) -> bool {
        self.steps
            .iter()
            .all(|s| matches!(s, Step::Act(a) if !matches!(a, Action::Verdict(_) | Action::Unmodelled(..))))
    }
}

fn called(verdict: Verdicted) -> Option<ChainId> {
    match verdict {
        Verdicted::Jump(to) | Verdicted::Goto(to) => Some(to),
        Verdicted::Accept | Verdicted::Drop | Verdicted::Return | Verdicted::Continue => None,
    }
}

impl Pipeline {
    /// A chain that only refuses what is sent there, or one that rules of several chains use: what concerns one of its
    /// callers has its place at that caller.
    pub fn is_for_all_callers(&self, id: ChainId) -> bool {
        self.callers(id).count() > 1 || self.only_refuses(id, 0) && !self.chooses(id)
    }

    /// To blame for what such a chain ends is the rule that leads there, not one of its own: it refuses all of it, or it is
    /// a list of its own that several chains use. A chain that refuses some packets and nothing more says itself which.
    pub fn blames_callers(&self, id: ChainId) -> bool {
        self.is_for_all_callers(id) && !(self.only_refuses(id, 0) && self.chooses(id))
    }

    /// Rules that lead to a chain, each with its place.
    fn callers(&self, id: ChainId) -> impl Iterator<Item = (&[Rule], usize)> {
        let rules = self.chains.iter().flat_map(|c| (0..c.rules.len()).map(move |n| (&c.rules[..], n)));
        rules.filter(move |(rules, n)| rules[*n].calls().contains(&id))
    }

    /// The chain picks some of the packets that come: it singles out senders, hosts or ports, sends packets back, or
    /// everything of its caller goes through it and on.
    fn chooses(&self, id: ChainId) -> bool {
        if self.refuses_all(id, 0) {
            return false;
        }
        let rules = &self.chain(id).rules;
        let passes_on = |(rules, n): (&[Rule], usize)| rules[n].is_for_all() && n + 1 < rules.len();
        rules.iter().any(|r| r.singles_out() || r.returns()) || self.callers(id).any(passes_on)
    }

    /// Nothing that comes here goes back.
    fn refuses_all(&self, id: ChainId, depth: usize) -> bool {
        for rule in self.chain(id).rules.iter().take_while(|_| depth <= DEEPEST) {
            if rule.returns() {
                return false;
            }
            let ends = |s: &Step| match s {
                Step::Act(Action::Drop | Action::Reject(_)) => true,
                Step::Act(Action::Jump(to) | Action::Goto(to)) => self.refuses_all(*to, depth + 1),
                _ => false,
            };
            if rule.is_for_all() && rule.steps.iter().any(ends) {
                return true;
            }
        }
        false
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
