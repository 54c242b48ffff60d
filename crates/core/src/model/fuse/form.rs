//! What a rule asks and does, in a form that can be compared with its neighbours.

use super::Member;
use crate::cube::Set;
use crate::model::{
    Action, Chain, ChainId, Doubt, DoubtId, Key, KeyField, Lookup, MarkFrom, MarkValue, NatTarget, OriginId, Part,
    Rule, Side, Step, Test, Translate, Ways,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A rule that may be fused: what all of its keys must be, and what it does then.
#[derive(Clone)]
pub(super) struct Form {
    /// Sorted by key, each key once. The doubts of keys that are asked anew each time are left out.
    pub asks: BTreeMap<Key, Set>,
    /// The key as the first rule has it, for those whose doubt is left out.
    pub real: Vec<(Key, Key)>,
    pub acts: Vec<Act>,
    pub kind: Kind,
    pub origin: OriginId,
    /// Place in the run of rules that it is part of.
    pub index: usize,
    /// The values that it asks for are fewer than the rule's: earlier ones decide the others.
    pub painted: bool,
    pub members: Vec<Member>,
    /// How many rules it stands for.
    pub weight: usize,
}

/// What becomes of a packet that meets a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No later rule of the chain sees it.
    Ends,
    /// Later rules see it; meeting the rule twice is as good as once.
    GoesOn,
}

/// An action, for comparison: doubts that are asked anew each time are left out.
#[derive(Clone)]
pub(super) struct Act {
    pub action: Action,
    pub same_as: ActKey,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ActKey {
    Accept,
    Drop,
    Return,
    Reject(Box<str>),
    Jump(ChainId),
    Goto(ChainId),
    Unmodelled(u8),
    Untrack,
    SetMark(u32),
    SetCtMark(u32),
    Translate(Side, bool, NatTarget),
    /// A look-up, which is like no other.
    LookUp,
}

/// The chain does nothing but stop packets: who passes it has met none of its rules.
pub(in crate::model) fn only_stops(chain: &Chain, chains: &[Chain], doubts: &[Doubt]) -> bool {
    let stops = |form: Form| {
        form.kind == Kind::Ends
            && form
                .acts
                .iter()
                .all(|a| matches!(a.same_as, ActKey::Drop | ActKey::Reject(_)) && !matches!(a.action, Action::Jump(_)))
    };
    chain.rules.iter().all(|rule| form(rule, chains, doubts).is_some_and(stops))
}

/// What a rule asks and does, if it may be fused with its neighbours.
pub(super) fn form(rule: &Rule, chains: &[Chain], doubts: &[Doubt]) -> Option<Form> {
    let anew = |doubt: DoubtId| !doubts.get(doubt.0 as usize).is_some_and(|d| d.fixed);
    let mut out = Form {
        asks: BTreeMap::new(),
        real: Vec::new(),
        acts: Vec::new(),
        kind: Kind::GoesOn,
        origin: rule.origin,
        index: 0,
        painted: false,
        members: Vec::new(),
        weight: 1,
    };
    for step in &rule.steps {
        match step {
            Step::Match(m) => {
                let (Test::In(set), [key], true) = (&m.test, &m.keys[..], out.acts.is_empty()) else { return None };
                let set = if m.negate { set.complement() } else { set.clone() };
                let (key, is_doubt) = match key.field {
                    KeyField::Unknown(doubt, bits) if anew(doubt) => {
                        (Key { field: KeyField::Unknown(DoubtId(u32::MAX), bits), ..*key }, true)
                    }
                    KeyField::WithinRate(doubt) if anew(doubt) => {
                        (Key { field: KeyField::WithinRate(DoubtId(u32::MAX)), ..*key }, true)
                    }
                    KeyField::Unknown(..) | KeyField::WithinRate(_) | KeyField::Absent => return None,
                    _ => (*key, false),
                };
                if is_doubt {
                    if out.asks.contains_key(&key) {
                        return None;
                    }
                    out.real.push((key, m.keys[0]));
                }
                let all = match out.asks.get(&key) {
                    Some(known) => known.and(&set),
                    None => set,
                };
                out.asks.insert(key, all);
            }
            Step::Act(action) => {
                if out.kind == Kind::Ends && !out.acts.is_empty() {
                    return None;
                }
                let (act, ends) = act(action, &out.asks, chains)?;
                out.acts.push(act);
                if ends {
                    out.kind = Kind::Ends;
                }
            }
        }
    }
    // A mark that the rule itself reads is not the same the second time.
    let reads = |field: KeyField| out.asks.keys().any(|k| k.field == field);
    let sets_read = out.acts.iter().any(|a| match a.same_as {
        ActKey::SetMark(_) => reads(KeyField::Mark),
        ActKey::SetCtMark(_) => reads(KeyField::CtMark),
        ActKey::Untrack => reads(KeyField::CtState),
        _ => false,
    });
    let alone = out.kind == Kind::Ends || out.acts.len() == 1;
    (!out.acts.is_empty() && alone && !sets_read).then_some(out)
}

/// The action for comparison, and whether no later rule sees the packet.
fn act(action: &Action, asks: &BTreeMap<Key, Set>, chains: &[Chain]) -> Option<(Act, bool)> {
    let of = |action: Action, same_as: ActKey| Act { action, same_as };
    Some(match action {
        Action::Accept => (of(Action::Accept, ActKey::Accept), true),
        Action::Drop => (of(Action::Drop, ActKey::Drop), true),
        Action::Return => (of(Action::Return, ActKey::Return), true),
        Action::Reject(kind) => (of(action.clone(), ActKey::Reject(kind.clone())), true),
        Action::Goto(to) => (of(action.clone(), ActKey::Goto(*to)), true),
        Action::Jump(to) => match ends_at_once(chains, *to)? {
            Action::Drop => (of(Action::Drop, ActKey::Drop), true),
            // The rule that accepts is not this one.
            _ => (of(action.clone(), ActKey::Jump(*to)), true),
        },
        // Its doubt is a new one each time.
        Action::Unmodelled(ways, _) if *ways != Ways::Offloaded => {
            (of(action.clone(), ActKey::Unmodelled(*ways as u8)), matches!(ways, Ways::Anything | Ways::AcceptOrDrop))
        }
        Action::Untrack => (of(Action::Untrack, ActKey::Untrack), false),
        Action::SetMark(value) => (of(action.clone(), ActKey::SetMark(constant(value)?)), false),
        Action::SetCtMark(value) => (of(action.clone(), ActKey::SetCtMark(constant(value)?)), false),
        Action::Translate(translate) => {
            let target = fixed(&translate.target)?;
            let moved = (translate.side == Side::Destination).then(|| moved(target, asks)).flatten();
            let same_as = moved.as_ref().unwrap_or(target).clone();
            let target = moved.map_or_else(|| Arc::clone(&translate.target), |t| Arc::new(Lookup::fixed(t)));
            let same_as = ActKey::Translate(translate.side, translate.random, same_as);
            (of(Action::Translate(Translate { target, ..translate.clone() }), same_as), true)
        }
        Action::Verdict(_) | Action::Helper(_) | Action::Unmodelled(..) => return None,
    })
}

/// A forward of one port to one port, as a port that is moved: the same for all that are moved as far.
fn moved(target: &NatTarget, asks: &BTreeMap<Key, Set>) -> Option<NatTarget> {
    let NatTarget::To { addr: addr @ Some((lo, hi)), v6, port: Some((port, last)), keep_host_bits: false } = *target
    else {
        return None;
    };
    if port != last || lo != hi {
        return None;
    }
    let asked = asks.get(&Key::of(KeyField::Header(Part::DstPort)))?.single()?;
    let by = u128::from(port).wrapping_sub(asked) & 0xffff;
    Some(NatTarget::Moved { addr, v6, by: u16::try_from(by).ok()? })
}

fn fixed<T>(lookup: &Lookup<T>) -> Option<&T> {
    lookup.default.as_ref().filter(|_| lookup.keys.is_empty())
}

fn constant(lookup: &Lookup<MarkValue>) -> Option<u32> {
    fixed(lookup).filter(|v| v.from == MarkFrom::Zero).map(|v| v.xor)
}

/// What a chain does to every packet, if its first rule does so.
pub(super) fn ends_at_once(chains: &[Chain], chain: ChainId) -> Option<&Action> {
    match &chains.get(chain.0 as usize)?.rules.first()?.steps[..] {
        [Step::Act(action @ (Action::Accept | Action::Drop))] => Some(action),
        _ => None,
    }
}
