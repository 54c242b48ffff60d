//! Marks that rules set by port or address: a thousand rules that each set another one are one look-up, and the packets
//! stay together.

use super::answer::{Detail, Val};
use super::condition::{Condition, on_masked, on_value};
use super::flow::Flow;
use super::tracer::Tracer;
use crate::cube::{Cube, Dim, Set};
use crate::model::{KeyField, MarkFrom, Value};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Width of a mark in bits.
const BITS: u32 = 32;

/// A mark of a packet or a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// This value.
    Known(Val),
    /// The value that a table gives.
    Looked(usize),
}

impl Mark {
    pub const ZERO: Self = Self::Known(Val::Const(0));
}

/// What each value of a dimension of the question gives. Rows do not overlap.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Table {
    dim: Dim,
    rows: Vec<(Set, u128)>,
    /// For values in no row.
    rest: u128,
}

/// All tables of one question; equal ones have one number.
#[derive(Default)]
pub(super) struct Tables {
    all: Vec<Rc<Table>>,
    numbers: FxHashMap<Rc<Table>, usize>,
}

impl Tables {
    fn number(&mut self, table: Table) -> usize {
        let table = Rc::new(table);
        let next = self.all.len();
        let number = *self.numbers.entry(Rc::clone(&table)).or_insert(next);
        if number == next {
            self.all.push(table);
        }
        number
    }
}

impl Tracer<'_> {
    /// What must hold so that the bits of a mark lie in a set.
    pub(super) fn on_mark(&self, mark: Mark, mask: Option<u128>, set: &Set) -> Condition {
        let table = match mark {
            Mark::Known(value) => return on_masked(value, mask, BITS, set),
            Mark::Looked(number) => &self.tables.all[number],
        };
        let fits = |value: u128| set.contains(value & mask.unwrap_or(u128::MAX));
        let by_default = fits(table.rest);
        // The smaller side: rows that make a difference to what is in none.
        let rows = table.rows.iter().filter(|(_, value)| fits(*value) != by_default);
        let rows = Set::from_ranges(rows.flat_map(|(s, _)| s.ranges().iter().copied()));
        match (rows.is_empty(), by_default) {
            (true, true) => Condition::Yes,
            (true, false) => Condition::No,
            (false, true) => Condition::On(table.dim, rows.complement()),
            (false, false) => Condition::On(table.dim, rows),
        }
    }

    /// The values that a looked-up mark has for these packets; absent for any other mark.
    pub(super) fn values_of_mark(&self, mark: Mark, packets: &[Cube]) -> Option<Set> {
        let Mark::Looked(number) = mark else { return None };
        let table = &self.tables.all[number];
        let asked = self.values(packets, table.dim);
        let rows = table.rows.iter().filter(|(set, _)| set.intersects(&asked)).map(|(_, value)| (*value, *value));
        Some(Set::from_ranges(rows.chain([(table.rest, table.rest)])))
    }

    /// The mark that a look-up gives to all of these packets at once: where only fates are told, each has another value by
    /// one header field, and none is left without.
    pub(super) fn looked_up(&mut self, flow: &Flow, value: &Value, old: Mark) -> Option<Mark> {
        let [key] = &value.keys[..] else { return None };
        let KeyField::Header(part) = key.field else { return None };
        let constant = value.entries.iter().all(|(_, v)| v.from == MarkFrom::Zero);
        if self.detail == Detail::Rules || value.entries.len() < 2 || key.mask.is_some() || !constant {
            return None;
        }
        let mut rows = Vec::with_capacity(value.entries.len());
        let mut dim = None;
        for (sets, mark) in &value.entries {
            let Condition::On(here, set) = on_value(flow.state.header.get(part), &sets[0]) else { return None };
            dim = Some(here);
            rows.push((set, u128::from(mark.xor)));
        }
        let dim = dim?;
        let covered = Set::from_ranges(rows.iter().flat_map(|(s, _)| s.ranges().iter().copied()));
        let (rest, before) = match (value.default, old) {
            (Some(v), _) if v.from == MarkFrom::Zero => (u128::from(v.xor), None),
            (None, Mark::Known(Val::Const(c))) if self.values(&flow.cubes, dim).is_subset(&covered) => (c, None),
            (None, Mark::Looked(n)) if self.values(&flow.cubes, dim).is_subset(&covered) => {
                let table = Rc::clone(&self.tables.all[n]);
                (table.rest, Some(table).filter(|t| t.dim == dim))
            }
            _ => return None,
        };
        if let Some(before) = before {
            rows.extend(before.rows.iter().map(|(s, v)| (s.minus(&covered), *v)).filter(|(s, _)| !s.is_empty()));
        }
        rows.sort_unstable_by_key(|(s, _)| s.min());
        Some(Mark::Looked(self.tables.number(Table { dim, rows, rest })))
    }

    /// `(mark & and) ^ xor`, where the mark is looked up.
    pub(super) fn changed_table(&mut self, number: usize, (and, xor): (u32, u32)) -> Mark {
        let table = Rc::clone(&self.tables.all[number]);
        let change = |value: u128| (value & u128::from(and)) ^ u128::from(xor);
        let rows = table.rows.iter().map(|(s, v)| (s.clone(), change(*v))).collect();
        Mark::Looked(self.tables.number(Table { dim: table.dim, rows, rest: change(table.rest) }))
    }
}
