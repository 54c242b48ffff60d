//! Matches and look-ups over one key or several.

use super::answer::{Disposition, Val};
use super::condition::Condition;
use super::flow::Flow;
use super::tracer::{Restriction, Tracer, flow_of};
use crate::cube::Set;
use crate::model::{Hook, Key, KeyField, Lookup, Match, Test};

/// What one row of sets asks of packets.
enum Row {
    /// Nobody can satisfy it.
    Never,
    /// These restrictions.
    On(Restriction),
    TooComplex,
}

/// Keys of one evaluation: a key whose value is unknown has one value for all rows.
struct Pinned<'k> {
    keys: &'k [Key],
    unknown: Vec<Option<(Val, Option<u128>)>>,
}

impl Tracer<'_> {
    fn pin<'k>(&mut self, flow: &Flow, keys: &'k [Key]) -> Pinned<'k> {
        let device = flow.state.device;
        let unknown = keys
            .iter()
            .map(|key| match key.field {
                KeyField::Unknown(doubt, bits) => Some((Val::Var(self.doubt_variable(device, doubt, bits)), key.mask)),
                _ => None,
            })
            .collect();
        Pinned { keys, unknown }
    }

    fn row(&mut self, flow: &Flow, hook: Hook, pinned: &Pinned<'_>, sets: &[Set]) -> Row {
        let mut out = Restriction::default();
        for ((key, pin), set) in pinned.keys.iter().zip(&pinned.unknown).zip(sets) {
            let condition = match pin {
                Some((value, mask)) => super::condition::on_masked(*value, *mask, 128, set),
                None => self.condition_of(flow, hook, *key, set),
            };
            match condition {
                Condition::Yes => {}
                Condition::No => return Row::Never,
                Condition::TooComplex | Condition::Masked(..) => return Row::TooComplex,
                Condition::On(dim, set) => out.add(dim, set),
            }
        }
        Row::On(out)
    }

    /// Splits packets by a match.
    pub(super) fn matches(&mut self, flow: Flow, hook: Hook, m: &Match) -> (Option<Flow>, Option<Flow>) {
        let boxes = match &m.test {
            Test::In(set) => {
                let set = if m.negate { set.complement() } else { set.clone() };
                let condition = self.condition_of(&flow, hook, m.keys[0], &set);
                return self.split(flow, &condition);
            }
            Test::Boxes(boxes) => boxes,
        };
        let pinned = self.pin(&flow, &m.keys);
        let (valued, without) = self.in_row(flow, hook, &pinned, &everything(&m.keys));
        let (mut inside, mut rest) = (None, valued);
        for row in boxes.iter() {
            let Some(flow) = rest else { break };
            let (yes, no) = self.in_row(flow, hook, &pinned, row);
            inside = join(inside, yes);
            rest = no;
        }
        if m.negate { (rest, join(inside, without)) } else { (inside, join(rest, without)) }
    }

    fn in_row(&mut self, flow: Flow, hook: Hook, pinned: &Pinned<'_>, sets: &[Set]) -> (Option<Flow>, Option<Flow>) {
        match self.row(&flow, hook, pinned, sets) {
            Row::Never => (None, Some(flow)),
            Row::TooComplex => {
                self.end(flow, Disposition::TooScattered);
                (None, None)
            }
            Row::On(restriction) => self.cut(flow, &restriction),
        }
    }

    /// Splits packets by a conjunction.
    pub(super) fn cut(&mut self, flow: Flow, restriction: &Restriction) -> (Option<Flow>, Option<Flow>) {
        if restriction.is_empty() {
            return (Some(flow), None);
        }
        let Flow { state, cubes: mut outside } = flow;
        let inside = self.cut_cubes(restriction, &mut outside);
        let (yes, no) = (flow_of(&state, inside), flow_of(&state, outside));
        if restriction.has_variable() { (self.limit_doubts(yes), self.limit_doubts(no)) } else { (yes, no) }
    }

    /// Splits packets by the value that a look-up gives them; second: packets for which it has none.
    pub(super) fn look_up<T: Clone + PartialEq>(
        &mut self,
        flow: Flow,
        hook: Hook,
        lookup: &Lookup<T>,
    ) -> (Vec<(T, Flow)>, Option<Flow>) {
        let mut found: Vec<(T, Flow)> = Vec::new();
        let mut add = |value: &T, flow: Flow| match found.iter_mut().find(|(v, _)| v == value) {
            Some((_, known)) => known.cubes.extend(flow.cubes),
            None => found.push((value.clone(), flow)),
        };
        let pinned = self.pin(&flow, &lookup.keys);
        let (valued, without) = self.in_row(flow, hook, &pinned, &everything(&lookup.keys));
        let mut rest = valued;
        for (sets, value) in &lookup.entries {
            let Some(flow) = rest else { break };
            let (yes, no) = self.in_row(flow, hook, &pinned, sets);
            if let Some(yes) = yes {
                add(value, yes);
            }
            rest = no;
        }
        match (&lookup.default, rest) {
            (Some(value), Some(flow)) => {
                add(value, flow);
                (found, without)
            }
            (_, rest) => (found, join(rest, without)),
        }
    }
}

/// A row that only asks each key to have a value.
fn everything(keys: &[Key]) -> Vec<Set> {
    vec![Set::range(0, u128::MAX); keys.len()]
}

/// Packets of either; both are in the same state.
pub(super) fn join(a: Option<Flow>, b: Option<Flow>) -> Option<Flow> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            a.cubes.extend(b.cubes);
            Some(a)
        }
        (a, b) => a.or(b),
    }
}
