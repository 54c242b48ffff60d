//! Rules that decide alike, as one rule: ten thousand ports that are dropped one by one are one set of ports.
//!
//! A packet's fate under the fused list is its fate under the rules as given. Which rule decided is another question:
//! a fused rule keeps its members.

mod form;
mod rows;

pub(super) use form::only_stops;

use super::{
    Action, Chain, Doubt, Key, KeyField, Lookup, MarkFrom, MarkValue, Match, OriginId, Part, Rule, Step, Test,
};
use crate::cube::{Set, first_come};
use form::{Act, ActKey, Form, Kind, form};
use rows::{grouped, slim};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Which neighbours become one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Least {
    /// All that decide alike.
    Two,
    /// Only those that are too many to be told one by one.
    Many,
}

/// So many rules that decide alike are told one by one, and so many fates that differ in a rule or a doubt alone.
pub const TOLD: usize = 24;

impl Least {
    fn takes(self, rules: usize) -> bool {
        match self {
            Self::Two => rules > 1,
            Self::Many => rules > TOLD,
        }
    }
}

/// One rule, or several that decide alike.
#[derive(Debug, Clone)]
pub struct Fused {
    /// What they do together; its origin is that of the first.
    pub rule: Rule,
    /// The rules that it stands for, if it stands for several.
    pub members: Vec<Member>,
    /// Bounds of the packets that it may match.
    pub hull: Hull,
}

impl Fused {
    fn new(rule: Rule, members: Vec<Member>) -> Self {
        Self { hull: Hull::of(&rule), rule, members }
    }
}

/// Bounds of what a rule asks of each header field, by [`Part`]: packets beyond one of them do not match it.
#[derive(Debug, Clone, Copy)]
pub struct Hull(pub [(u128, u128); 5]);

impl Hull {
    /// All packets.
    pub const ALL: Self = Self([(0, u128::MAX); 5]);

    /// Bounds of a rule.
    pub fn of(rule: &Rule) -> Self {
        let mut out = Self::ALL;
        for step in &rule.steps {
            let Step::Match(m) = step else { break };
            let (Test::In(set), [Key { field: KeyField::Header(part), mask: None }], false) =
                (&m.test, &m.keys[..], m.negate)
            else {
                continue;
            };
            let bounds = &mut out.0[*part as usize];
            let (lo, hi) = (set.min().unwrap_or(u128::MAX), set.max().unwrap_or(0));
            *bounds = (bounds.0.max(lo), bounds.1.min(hi));
        }
        out
    }

    /// May packets within these bounds match?
    #[inline]
    pub fn meets(&self, other: &Self) -> bool {
        (0..self.0.len()).all(|part| self.0[part].0 <= other.0[part].1 && other.0[part].0 <= self.0[part].1)
    }
}

/// A rule that another one stands for.
#[derive(Debug, Clone)]
pub struct Member {
    /// Where it comes from.
    pub origin: OriginId,
    /// The values for which it decides, before the others of its run: by key.
    pub asks: Box<[(Key, Set)]>,
    /// Its place in the run.
    index: usize,
}

/// Rules, neighbours that decide alike as one.
pub(super) fn fuse<'r>(
    rules: impl Iterator<Item = &'r Rule>,
    chains: &[Chain],
    least: Least,
    doubts: &[Doubt],
) -> Vec<Fused> {
    let mut out = Vec::new();
    let mut run: Vec<Form> = Vec::new();
    let mut given: Vec<&Rule> = Vec::new();
    for rule in rules {
        if let Some(form) = form(rule, chains, doubts) {
            run.push(Form { index: run.len(), ..form });
            given.push(rule);
            continue;
        }
        flush(&mut run, &mut given, least, &mut out);
        out.push(Fused::new(slim(rule, chains, least), Vec::new()));
    }
    flush(&mut run, &mut given, least, &mut out);
    out
}

fn flush(run: &mut Vec<Form>, given: &mut Vec<&Rule>, least: Least, out: &mut Vec<Fused>) {
    if !least.takes(run.len()) {
        out.extend(given.drain(..).map(|rule| Fused::new(rule.clone(), Vec::new())));
        run.clear();
        return;
    }
    let rules = std::mem::take(given);
    let alike = runs(std::mem::take(run), alike);
    let united = alike.into_iter().flat_map(|forms| unite(forms, least)).collect();
    let by_one_key = runs_by_key(united);
    for form in by_one_key.into_iter().flat_map(|(forms, key)| paint(forms, key, least)) {
        let as_given = form.weight == 1 && !form.painted;
        out.push(if as_given { Fused::new(rules[form.index].clone(), Vec::new()) } else { fused(form) });
    }
}

fn fused(form: Form) -> Fused {
    let real = |key: Key| form.real.iter().find(|(k, _)| *k == key).map_or(key, |(_, real)| *real);
    let asks = form.asks.iter().map(|(key, set)| {
        Step::Match(Match { keys: Box::new([real(*key)]), test: Test::In(set.clone()), negate: false })
    });
    let steps = asks.chain(form.acts.iter().map(|a| Step::Act(a.action.clone()))).collect();
    Fused::new(Rule { steps, origin: form.origin }, form.members)
}

/// Splits a list into runs of neighbours of which each is like the first.
fn runs(forms: Vec<Form>, like: impl Fn(&Form, &Form) -> bool) -> Vec<Vec<Form>> {
    let mut out: Vec<Vec<Form>> = Vec::new();
    for form in forms {
        match out.last_mut() {
            Some(run) if like(&run[0], &form) => run.push(form),
            _ => out.push(vec![form]),
        }
    }
    out
}

/// They do the same.
fn alike(a: &Form, b: &Form) -> bool {
    a.kind == b.kind && a.acts.iter().map(|a| &a.same_as).eq(b.acts.iter().map(|a| &a.same_as))
}

/// Rules that do the same, as few as they are told by: those that differ in one key become one.
fn unite(mut forms: Vec<Form>, least: Least) -> Vec<Form> {
    if !least.takes(forms.len()) {
        return forms;
    }
    let alone = if least == Least::Many { forms.clone() } else { Vec::new() };
    let mut keys: Vec<Key> = forms.iter().flat_map(|f| f.asks.keys().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    // Ports first: they are many more than addresses.
    keys.sort_by_key(|k| !matches!(k.field, KeyField::Header(Part::SrcPort | Part::DstPort)));
    for key in keys {
        let mut groups: FxHashMap<Vec<(Key, Set)>, usize> = FxHashMap::default();
        let mut out: Vec<Vec<Form>> = Vec::new();
        for form in forms {
            let known = form.asks.contains_key(&key).then(|| {
                let others: Vec<(Key, Set)> =
                    form.asks.iter().filter(|(k, _)| **k != key).map(|(k, s)| (*k, s.clone())).collect();
                *groups.entry(others).or_insert(out.len())
            });
            match known {
                Some(at) if at < out.len() => out[at].push(form),
                _ => out.push(vec![form]),
            }
        }
        forms = out.into_iter().map(|group| one_of(group, key)).collect();
    }
    let begins = alone.first().map_or(0, |f| f.index);
    // Few that decide alike are told one by one.
    let apart = |form: Form| {
        if alone.is_empty() || least.takes(form.weight) {
            return vec![form];
        }
        let mut rules: Vec<usize> = form.members.iter().map(|m| m.index).collect();
        if rules.is_empty() {
            rules.push(form.index);
        }
        rules.into_iter().map(|index| alone[index - begins].clone()).collect()
    };
    forms.into_iter().flat_map(apart).collect()
}

/// One form for several that differ in one key.
fn one_of(mut group: Vec<Form>, key: Key) -> Form {
    if group.len() == 1 {
        return group.pop().expect("one");
    }
    let all = group.iter().filter_map(|f| f.asks.get(&key)).flat_map(|s| s.ranges().iter().copied());
    let whole = Set::from_ranges(all);
    let members = group.iter_mut().flat_map(take_members).collect();
    let weight = group.iter().map(|f| f.weight).sum();
    let mut first = group.swap_remove(0);
    first.asks.insert(key, whole);
    Form { members, weight, ..first }
}

fn take_members(form: &mut Form) -> Vec<Member> {
    if form.members.is_empty() {
        let asks = form.asks.iter().map(|(k, s)| (*k, s.clone())).collect();
        return vec![Member { origin: form.origin, asks, index: form.index }];
    }
    std::mem::take(&mut form.members)
}

/// Splits a list into runs of neighbours that ask the same but for one key, with that key.
fn runs_by_key(forms: Vec<Form>) -> Vec<(Vec<Form>, Option<Key>)> {
    let mut out: Vec<(Vec<Form>, Option<Key>)> = Vec::new();
    for form in forms {
        if let Some((run, key)) = out.last_mut()
            && let Some(varies) = one_key(&run[0], &form, *key)
        {
            run.push(form);
            *key = Some(varies);
            continue;
        }
        out.push((vec![form], None));
    }
    out
}

/// The key in which two rules differ, if it is one, and `key` where that is given.
fn one_key(a: &Form, b: &Form, key: Option<Key>) -> Option<Key> {
    if a.kind != b.kind || !a.asks.keys().eq(b.asks.keys()) {
        return None;
    }
    let mut differing = a.asks.iter().zip(&b.asks).filter(|((k, x), (_, y))| Some(**k) != key && x != y);
    match (key, differing.next(), differing.next()) {
        (Some(key), None, _) => Some(key),
        (None, Some(((k, _), _)), None) => Some(*k),
        _ => None,
    }
}

/// Rules that differ in one key and in what they do: the first that asks for a value decides it.
fn paint(forms: Vec<Form>, key: Option<Key>, least: Least) -> Vec<Form> {
    let Some(key) = key.filter(|_| least.takes(forms.iter().map(|f| f.weight).sum())) else { return forms };
    let own = first_come(forms.iter().map(|f| &f.asks[&key]));
    if forms[0].kind == Kind::GoesOn {
        // Later rules see the packet too: only where none asks for another's values, the order does not matter.
        let apart = own.iter().zip(&forms).all(|(own, f)| *own == f.asks[&key]);
        return if apart { marks(forms, &own, key) } else { forms };
    }
    let mut groups: FxHashMap<Vec<ActKey>, usize> = FxHashMap::default();
    let mut out: Vec<Vec<Form>> = Vec::new();
    for (mut form, own) in forms.into_iter().zip(own) {
        if own.is_empty() {
            continue;
        }
        for (_, set) in form.members.iter_mut().flat_map(|m| m.asks.iter_mut().filter(|(k, _)| *k == key)) {
            *set = set.and(&own);
        }
        form.asks.insert(key, own);
        form.painted = true;
        let acts: Vec<ActKey> = form.acts.iter().map(|a| a.same_as.clone()).collect();
        let at = *groups.entry(acts).or_insert(out.len());
        if at < out.len() { out[at].push(form) } else { out.push(vec![form]) }
    }
    out.into_iter().map(|group| one_of(group, key)).collect()
}

/// Rules that each set another mark: one rule that looks the mark up.
fn marks(forms: Vec<Form>, own: &[Set], key: Key) -> Vec<Form> {
    let value = |form: &Form| match &form.acts[..] {
        [Act { same_as: ActKey::SetMark(v), .. }] => Some((false, *v)),
        [Act { same_as: ActKey::SetCtMark(v), .. }] => Some((true, *v)),
        _ => None,
    };
    let Some((of_session, _)) = value(&forms[0]) else { return forms };
    if key.mask.is_some() || !forms.iter().all(|f| value(f).is_some_and(|(s, _)| s == of_session)) {
        return forms;
    }
    let entries = forms.iter().zip(own).filter_map(|(form, own)| {
        let (_, xor) = value(form)?;
        Some((Box::from([own.clone()]), MarkValue { from: MarkFrom::Zero, and: 0, xor }))
    });
    let lookup = Arc::new(grouped(Lookup { keys: Box::new([key]), entries: entries.collect(), default: None }));
    let action = if of_session { Action::SetCtMark(lookup) } else { Action::SetMark(lookup) };
    let mut form = one_of(forms, key);
    form.acts = vec![Act { action, same_as: ActKey::LookUp }];
    form.painted = true;
    vec![form]
}

#[cfg(test)]
mod tests;
