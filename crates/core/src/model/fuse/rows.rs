//! Lists of a rule with as few rows as they are told by.

use super::form::ends_at_once;
use super::{Least, TOLD};
use crate::cube::{Set, united};
use crate::model::{Action, Chain, Lookup, Match, Rule, Step, Test, Translate, Verdicted};
use std::sync::Arc;

/// The same rule with as few rows in its lists as they are told by.
pub(super) fn slim(rule: &Rule, chains: &[Chain], least: Least) -> Rule {
    let step = |step: &Step| match step {
        Step::Match(Match { keys, test: Test::Boxes(rows), negate }) => {
            let rows = fewer(rows.iter().map(|row| row.to_vec()).collect());
            let rows = rows.into_iter().map(Vec::into_boxed_slice).collect();
            Step::Match(Match { keys: keys.clone(), test: Test::Boxes(rows), negate: *negate })
        }
        Step::Act(Action::Verdict(lookup)) => {
            let mut lookup = Lookup::clone(lookup);
            let entries = if least.takes(lookup.entries.len()) { &mut lookup.entries[..] } else { &mut [] };
            for (_, verdict) in entries {
                if let Verdicted::Jump(to) | Verdicted::Goto(to) = *verdict {
                    *verdict = match ends_at_once(chains, to) {
                        Some(Action::Accept) => Verdicted::Accept,
                        Some(Action::Drop) => Verdicted::Drop,
                        _ => *verdict,
                    };
                }
            }
            Step::Act(Action::Verdict(Arc::new(grouped(lookup))))
        }
        Step::Act(Action::SetMark(value)) => Step::Act(Action::SetMark(Arc::new(grouped(Lookup::clone(value))))),
        Step::Act(Action::SetCtMark(value)) => Step::Act(Action::SetCtMark(Arc::new(grouped(Lookup::clone(value))))),
        Step::Act(Action::Translate(t)) => {
            let target = Arc::new(grouped(Lookup::clone(&t.target)));
            Step::Act(Action::Translate(Translate { target, ..t.clone() }))
        }
        other => other.clone(),
    };
    Rule { steps: rule.steps.iter().map(step).collect(), origin: rule.origin }
}

/// Entries of equal value as few rows; entries never overlap.
pub(super) fn grouped<T: Clone + PartialEq>(lookup: Lookup<T>) -> Lookup<T> {
    if lookup.entries.len() < 2 {
        return lookup;
    }
    let mut groups: Vec<(T, Vec<Vec<Set>>)> = Vec::new();
    for (row, value) in lookup.entries {
        // Most are alike, or all differ: the last one is the likeliest.
        match groups.iter_mut().rev().take(TOLD).find(|(v, _)| *v == value) {
            Some((_, rows)) => rows.push(row.into_vec()),
            None => groups.push((value, vec![row.into_vec()])),
        }
    }
    let entries = groups
        .into_iter()
        .flat_map(|(value, rows)| fewer(rows).into_iter().map(move |row| (row.into_boxed_slice(), value.clone())));
    Lookup { keys: lookup.keys, entries: entries.collect(), default: lookup.default }
}

/// The same boxes in fewer rows: those that differ in one key become one.
fn fewer(mut rows: Vec<Vec<Set>>) -> Vec<Vec<Set>> {
    let keys = rows.first().map_or(0, Vec::len);
    for key in (0..keys).rev() {
        if rows.len() < 2 {
            break;
        }
        let apart = rows.into_iter().map(|mut row| {
            let set = std::mem::take(&mut row[key]);
            (row, set)
        });
        let back = |(mut row, set): (Vec<Set>, Set)| {
            row[key] = set;
            row
        };
        rows = united(apart).into_iter().map(back).collect();
    }
    rows
}
