//! Where a filter chain ends packets of one kind: the place before which they have to be let in.

use crate::cube::Set;
use crate::model::{
    Action, ChainId, DoubtId, Family, Key, KeyField, Lookup, Match, Part, Pipeline, Policy, Rule, Step, Test, TupleDir,
    Verdicted, Ways, ct_state, ct_status, iface_value, nfproto, tcp_flags,
};

/// Jumps go no deeper in the kernel (`NFT_JUMP_STACK_SIZE`, `include/net/netfilter/nf_tables.h`).
const DEEPEST: usize = 16;

/// So many rules that block one after the other are looked behind.
const MOST_BLOCKS: usize = 256;

/// A place in a chain: before the rule of this number, or behind the last one.
pub(super) type Point = (ChainId, usize);

/// Packets as one chain sees them.
pub(super) struct Seen {
    pub family: Family,
    /// Protocol and destination ports; absent: any.
    pub transport: Option<(u8, Set)>,
    /// Source addresses.
    pub from: Set,
    /// Destination; absent: any.
    pub to: Option<u128>,
    /// The destination that the sender asked, where it was translated.
    pub asked: Option<u128>,
    /// Names; none: any.
    pub in_ifaces: Vec<Box<str>>,
    /// Name, or any; `routed` is false where routing has not happened yet or the device is meant.
    pub out_iface: Option<Box<str>>,
    pub routed: bool,
    /// First packets, not answers.
    pub first: bool,
}

/// What becomes of them in a chain.
pub(super) enum Outcome {
    /// The chain accepts all of them.
    Accepted,
    /// Some of them end here.
    Dies(Point),
    /// The chain does not decide; their way through it ends here.
    Through(Point),
    /// A statement that is not understood or not modelled has them.
    Open(DoubtId),
    /// Some of them are not tracked, though they have to be translated.
    Untracked,
}

/// How a condition answers.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Yes,
    No,
    /// Yes for some of the packets that are meant.
    Part,
    /// It depends on what the wanted change does not speak of: the sender, a rate.
    Maybe,
}

enum Value {
    /// All of these occur, and each of them is meant.
    Each(Set),
    /// These may occur.
    Among(Set),
    Unknown,
    Absent,
}

impl Seen {
    fn value(&self, field: KeyField) -> Value {
        let one = |v: u128| Value::Each(Set::one(v));
        let iface = |names: &[Box<str>]| match names {
            // Where only answers are meant, an interface says nothing about them.
            [] if self.first => Value::Each(Set::range(0, u128::MAX)),
            [] => Value::Unknown,
            names => Value::Each(Set::from_ranges(names.iter().map(|n| (iface_value(n), iface_value(n))))),
        };
        match field {
            KeyField::Header(Part::Src) => Value::Among(self.from.clone()),
            KeyField::Header(Part::Dst) => self.to.map_or(Value::Unknown, one),
            KeyField::Header(Part::SrcPort) => Value::Among(Set::range(0, 65535)),
            KeyField::Header(Part::DstPort) => {
                self.transport.as_ref().map_or(Value::Unknown, |(_, ports)| Value::Each(ports.clone()))
            }
            KeyField::Header(Part::Proto) => {
                self.transport.as_ref().map_or(Value::Unknown, |(proto, _)| one(u128::from(*proto)))
            }
            KeyField::Family => one(if self.family == Family::V4 { nfproto::IPV4 } else { nfproto::IPV6 }),
            KeyField::InIface => iface(&self.in_ifaces),
            KeyField::OutIface if !self.routed => one(0),
            KeyField::OutIface => iface(self.out_iface.as_slice()),
            KeyField::CtState => one(if self.first { ct_state::NEW } else { ct_state::ESTABLISHED }),
            KeyField::CtStatus if self.asked.is_some() && self.asked != self.to => one(ct_status::DNAT),
            KeyField::CtDirection if self.first => one(0),
            KeyField::CtTuple(TupleDir::Original, Part::Dst) => self.asked.map_or(Value::Unknown, one),
            KeyField::TcpFlags => match &self.transport {
                Some((6, _)) if self.first => one(tcp_flags::SYN),
                Some((17, _)) => Value::Absent,
                _ => Value::Unknown,
            },
            KeyField::Constant(c) => one(u128::from(c)),
            KeyField::Absent => Value::Absent,
            _ => Value::Unknown,
        }
    }

    fn within(&self, key: Key, test: &Set) -> Option<Says> {
        let masked = |set: Set| match (key.mask, set.single()) {
            (None, _) => Some(set),
            (Some(mask), Some(v)) => Some(Set::one(v & mask)),
            _ => None,
        };
        let (set, meant) = match self.value(key.field) {
            Value::Absent => return None,
            Value::Unknown => return Some(Says::Maybe),
            Value::Each(set) => (masked(set), true),
            Value::Among(set) => (masked(set), false),
        };
        Some(match set {
            Some(set) if set.is_subset(test) => Says::Yes,
            Some(set) if !set.intersects(test) => Says::No,
            Some(_) if meant => Says::Part,
            _ => Says::Maybe,
        })
    }

    /// `None`: a key has no value, so the rule ends whatever it compares.
    fn within_box(&self, keys: &[Key], sets: &[Set]) -> Option<Says> {
        let mut all = Says::Yes;
        for (key, set) in keys.iter().zip(sets) {
            all = match (all, self.within(*key, set)?) {
                (Says::No, _) | (_, Says::No) => Says::No,
                (Says::Maybe, _) | (_, Says::Maybe) => Says::Maybe,
                (Says::Part, _) | (_, Says::Part) => Says::Part,
                _ => Says::Yes,
            };
        }
        Some(all)
    }

    fn says(&self, m: &Match) -> Says {
        let answer = match &m.test {
            Test::In(set) => self.within(m.keys[0], set),
            Test::Boxes(boxes) if m.keys.len() == 1 => {
                let all = boxes.iter().fold(Set::empty(), |all, b| all.or(&b[0]));
                self.within(m.keys[0], &all)
            }
            Test::Boxes(boxes) => {
                let each: Option<Vec<Says>> = boxes.iter().map(|b| self.within_box(&m.keys, b)).collect();
                each.map(|each| {
                    let has = |s: Says| each.contains(&s);
                    [Says::Yes, Says::Part, Says::Maybe].into_iter().find(|s| has(*s)).unwrap_or(Says::No)
                })
            }
        };
        match (answer, m.negate) {
            (None, _) | (Some(Says::No), false) | (Some(Says::Yes), true) => Says::No,
            (Some(Says::No), true) | (Some(Says::Yes), false) => Says::Yes,
            (Some(other), _) => other,
        }
    }

    /// The verdicts of a map that these packets meet.
    fn verdicts(&self, map: &Lookup<Verdicted>) -> Vec<(Says, Verdicted)> {
        let mut out = Vec::new();
        for (sets, verdict) in &map.entries {
            match self.within_box(&map.keys, sets) {
                None => return Vec::new(),
                Some(Says::No) => {}
                Some(Says::Yes) => return vec![(Says::Yes, *verdict)],
                Some(some) => out.push((some, *verdict)),
            }
        }
        let rest = if out.is_empty() { Says::Yes } else { Says::Part };
        out.extend(map.default.map(|v| (rest, v)));
        out
    }
}

/// What becomes of packets in a base chain.
pub(super) fn through(pipeline: &Pipeline, chain: ChainId, policy: Policy, seen: &Seen) -> Outcome {
    without(pipeline, chain, policy, seen, &[])
}

/// The same, with some rules left out.
fn without(pipeline: &Pipeline, chain: ChainId, policy: Policy, seen: &Seen, left_out: &[Point]) -> Outcome {
    let walk = Walk { pipeline, seen, drops: policy == Policy::Drop, left_out };
    match walk.chain(chain, 0) {
        Outcome::Through(at) if walk.drops => Outcome::Dies(at),
        other => other,
    }
}

/// Behind the rules that end these packets one stands that lets them pass, or the chain lets pass what none is about, and
/// they are about these packets: a rule for everything at such a chain's end is its policy.
pub(super) fn passes_behind(pipeline: &Pipeline, chain: ChainId, policy: Policy, seen: &Seen) -> bool {
    let mut left_out: Vec<Point> = Vec::new();
    for _ in 0..MOST_BLOCKS {
        let rule = |(id, n): Point| pipeline.chain(id).rules.get(n);
        match without(pipeline, chain, policy, seen, &left_out) {
            Outcome::Dies(at) if rule(at).is_some() && !left_out.contains(&at) => left_out.push(at),
            Outcome::Accepted => return !left_out.is_empty(),
            Outcome::Through(_) => return left_out.iter().filter_map(|at| rule(*at)).any(Rule::singles_out),
            Outcome::Dies(_) | Outcome::Open(_) | Outcome::Untracked => return false,
        }
    }
    false
}

struct Walk<'a> {
    pipeline: &'a Pipeline,
    seen: &'a Seen,
    drops: bool,
    left_out: &'a [Point],
}

impl Walk<'_> {
    fn chain(&self, id: ChainId, depth: usize) -> Outcome {
        let rules = &self.pipeline.chain(id).rules;
        let end = (id, rules.len());
        if depth > DEEPEST {
            return Outcome::Through(end);
        }
        for (i, rule) in rules.iter().enumerate().filter(|(i, _)| !self.left_out.contains(&(id, *i))) {
            let mut so_far = Says::Yes;
            for step in &rule.steps {
                let decided = match step {
                    Step::Match(m) => {
                        so_far = worse(so_far, self.seen.says(m));
                        None
                    }
                    Step::Act(Action::Verdict(map)) => {
                        let found = self.seen.verdicts(map);
                        found.into_iter().find_map(|(says, v)| self.verdict(v, worse(so_far, says), (id, i), depth))
                    }
                    Step::Act(action) => self.action(action, so_far, (id, i), depth),
                };
                if decided.is_some() {
                    return decided.unwrap_or(Outcome::Accepted);
                }
                if so_far == Says::No {
                    break;
                }
            }
        }
        Outcome::Through(end)
    }

    fn action(&self, action: &Action, says: Says, at: Point, depth: usize) -> Option<Outcome> {
        let verdict = match action {
            Action::Accept => Verdicted::Accept,
            Action::Drop | Action::Reject(_) => Verdicted::Drop,
            Action::Return => Verdicted::Return,
            Action::Jump(to) => Verdicted::Jump(*to),
            Action::Goto(to) => Verdicted::Goto(*to),
            Action::Unmodelled(Ways::Anything | Ways::AcceptOrDrop, doubt) => {
                return (says != Says::Maybe).then_some(Outcome::Open(*doubt));
            }
            // Without a connection there is no translation (`nf_nat_inet_fn`, net/netfilter/nf_nat_core.c).
            Action::Untrack if self.seen.asked.is_some() => {
                return matches!(says, Says::Yes | Says::Part).then_some(Outcome::Untracked);
            }
            _ => return None,
        };
        self.verdict(verdict, says, at, depth)
    }

    /// Of a chain that only refuses, or that others use too, the place is before the rule that leads there.
    fn placed(&self, inner: Outcome, called: ChainId, at: Point) -> Outcome {
        match inner {
            Outcome::Dies(_) if self.pipeline.is_for_all_callers(called) => Outcome::Dies(at),
            other => other,
        }
    }

    /// What a verdict decides, if anything, for packets that meet it like this.
    fn verdict(&self, verdict: Verdicted, says: Says, at: Point, depth: usize) -> Option<Outcome> {
        let ends = |inner: Outcome| match (inner, says) {
            (inner, Says::Yes) | (inner @ (Outcome::Dies(_) | Outcome::Open(_) | Outcome::Untracked), Says::Part) => {
                Some(inner)
            }
            _ => None,
        };
        match verdict {
            Verdicted::Accept => ends(Outcome::Accepted),
            Verdicted::Drop => ends(Outcome::Dies(at)),
            Verdicted::Return => ends(Outcome::Through(at)),
            Verdicted::Continue => None,
            Verdicted::Jump(to) => match self.chain(to, depth + 1) {
                Outcome::Through(_) => None,
                inner => ends(self.placed(inner, to, at)),
            },
            Verdicted::Goto(to) => match self.chain(to, depth + 1) {
                // In a called chain it goes on at the caller; only the base chain ends by its policy.
                Outcome::Through(end) if self.drops && depth == 0 => ends(self.placed(Outcome::Dies(end), to, at)),
                inner => ends(self.placed(inner, to, at)),
            },
        }
    }
}

fn worse(a: Says, b: Says) -> Says {
    match (a, b) {
        (Says::No, _) | (_, Says::No) => Says::No,
        (Says::Maybe, _) | (_, Says::Maybe) => Says::Maybe,
        (Says::Part, _) | (_, Says::Part) => Says::Part,
        _ => Says::Yes,
    }
}
