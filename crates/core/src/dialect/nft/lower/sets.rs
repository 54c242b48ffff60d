//! Named and anonymous sets and maps as rows of sets, one per key.

use super::selector::Column;
use super::value::{Unclear, values};
use crate::cube::Set;
use crate::dialect::nft::ast::{self, Elem, ElemData, Expr, Stmt};
use std::collections::HashMap;
use std::sync::Arc;

/// One element: a set of values per key.
pub(super) type Row = Box<[Set]>;

/// The elements of a set.
#[derive(Debug, Clone, Default)]
pub(super) struct Elements {
    /// Surely in the set.
    pub sure: Arc<[Row]>,
    /// In the set unless they have expired, or while a limit is not reached.
    pub doubtful: Arc<[Row]>,
    /// Others may have been added since.
    pub open: bool,
}

/// How rules change a set while the device runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Updates {
    pub adds: bool,
    pub deletes: bool,
}

impl Updates {
    /// Some rule changes it.
    pub fn any(self) -> bool {
        self.adds || self.deletes
    }
}

impl Column {
    /// The values that an expression stands for in this column.
    pub fn values(self, e: &Expr) -> Result<Set, Unclear> {
        Ok(self.unshifted(values(e, self.kind)?))
    }

    /// What the selector's value is before it is shifted right.
    pub fn unshifted(self, set: Set) -> Set {
        if self.shift == 0 {
            return set;
        }
        let low = (1u128 << self.shift) - 1;
        let up = |v: u128| if v.leading_zeros() < self.shift { !low } else { v << self.shift };
        Set::from_ranges(set.ranges().iter().map(|(lo, hi)| (up(*lo), up(*hi) | low)))
    }
}

/// The keys of one element.
pub(super) fn row(key: &Expr, columns: &[Column]) -> Result<Row, Unclear> {
    if *key == Expr::Any {
        return Ok(columns.iter().map(|_| everything()).collect());
    }
    match (key, columns) {
        (_, [only]) => Ok(Box::new([only.values(key)?])),
        (Expr::Concat(parts), _) if parts.len() == columns.len() => {
            parts.iter().zip(columns).map(|(part, column)| column.values(part)).collect()
        }
        _ => Err("its elements have another number of parts than the selector".into()),
    }
}

/// Every value.
pub(super) fn everything() -> Set {
    Set::range(0, u128::MAX)
}

/// An element may be gone, or may not match, when the packet comes.
fn is_doubtful(elem: &Elem) -> bool {
    elem.timeout || elem.stmts.iter().any(may_fail)
}

/// Refuses an element of a map that may be gone, or may not match, when the packet comes.
pub(super) fn steady(elem: &Elem) -> Result<(), Unclear> {
    if is_doubtful(elem) { Err("its elements are added and removed at run time".into()) } else { Ok(()) }
}

/// A statement that lets some packets pass and others not.
pub(super) fn may_fail(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Limit(_) | Stmt::Quota | Stmt::CtCount)
}

/// Elements of an anonymous set.
pub(super) fn elements(elems: &[Elem], columns: &[Column]) -> Result<Elements, Unclear> {
    gather(elems, columns, false, false)
}

/// A named set's elements (`nft_set_elem_expired`, `nft_dynset_eval` in net/netfilter say when they come and go).
pub(super) fn named(set: &ast::Set, columns: &[Column], updates: Updates) -> Result<Elements, Unclear> {
    let has = |flag: &str| set.flags.iter().any(|f| &**f == flag);
    let all_doubtful = set.timeout || updates.deletes || set.stmts.iter().any(may_fail);
    gather(&set.elems, columns, all_doubtful, set.timeout || updates.adds || has("dynamic") || has("timeout"))
}

fn gather(elems: &[Elem], columns: &[Column], all_doubtful: bool, open: bool) -> Result<Elements, Unclear> {
    let (mut sure, mut doubtful) = (Vec::new(), Vec::new());
    for elem in elems {
        let row = row(&elem.key, columns)?;
        if all_doubtful || is_doubtful(elem) { doubtful.push(row) } else { sure.push(row) }
    }
    Ok(Elements { sure: merged(sure).into(), doubtful: merged(doubtful).into(), open })
}

/// Joins rows that differ in one column only: thousands of addresses are one row, a port range per host one per host.
fn merged(mut rows: Vec<Row>) -> Vec<Row> {
    let columns = rows.first().map_or(0, |r| r.len());
    for column in (0..columns).rev() {
        if rows.len() < 2 {
            break;
        }
        let mut known: HashMap<Row, usize> = HashMap::with_capacity(rows.len());
        let mut groups: Vec<(Row, Vec<(u128, u128)>)> = Vec::new();
        for mut row in rows {
            let values = std::mem::take(&mut row[column]);
            let group = *known.entry(row.clone()).or_insert(groups.len());
            if group == groups.len() {
                groups.push((row, Vec::new()));
            }
            groups[group].1.extend_from_slice(values.ranges());
        }
        rows = groups
            .into_iter()
            .map(|(mut row, ranges)| {
                row[column] = Set::from_ranges(ranges);
                row
            })
            .collect();
    }
    rows
}

/// Entries of a map with plain data or verdicts.
pub(super) struct Entries<'a> {
    pub sure: Vec<(Row, &'a ElemData)>,
    /// The value of `*`.
    pub default: Option<&'a ElemData>,
}

/// Entries of a map whose elements stay as they are.
pub(super) fn entries<'a>(elems: &'a [Elem], columns: &[Column]) -> Result<Entries<'a>, Unclear> {
    let mut out = Entries { sure: Vec::new(), default: None };
    for elem in elems {
        let Some(data) = &elem.data else { return Err("an element of the map has no value".into()) };
        steady(elem)?;
        if elem.key == Expr::Any {
            out.default = Some(data);
        } else {
            out.sure.push((row(&elem.key, columns)?, data));
        }
    }
    out.sure = disjoint(out.sure);
    Ok(out)
}

/// Takes out of each entry what an earlier one has: ranges in concatenations may cross, and the first element that was
/// added is found (`nft_pipapo_lookup`, `net/netfilter/nft_set_pipapo.c`).
pub(super) fn disjoint<T: Copy>(entries: Vec<(Row, T)>) -> Vec<(Row, T)> {
    let earlier = overlaps(&entries);
    if earlier.is_empty() {
        return entries;
    }
    let mut out = Vec::with_capacity(entries.len());
    for (i, (row, value)) in entries.iter().enumerate() {
        let mut pieces = vec![row.clone()];
        for j in earlier.get(&i).into_iter().flatten() {
            pieces = pieces.iter().flat_map(|p| minus(p, &entries[*j].0)).collect();
        }
        out.extend(pieces.into_iter().map(|p| (p, *value)));
    }
    out
}

/// For each entry, the earlier ones that share a value with it.
fn overlaps<T>(entries: &[(Row, T)]) -> HashMap<usize, Vec<usize>> {
    let mut found: HashMap<usize, Vec<usize>> = HashMap::new();
    // The column that tells most entries apart is swept.
    let columns = entries.first().map_or(0, |e| e.0.len());
    let distinct = |c: &usize| {
        let mut least: Vec<_> = entries.iter().map(|e| e.0[*c].min()).collect();
        least.sort_unstable();
        least.dedup();
        least.len()
    };
    let Some(column) = (0..columns).max_by_key(distinct) else { return found };
    let mut spans: Vec<(u128, u128, usize)> = Vec::new();
    for (i, (row, _)) in entries.iter().enumerate() {
        spans.extend(row[column].ranges().iter().map(|(lo, hi)| (*lo, *hi, i)));
    }
    spans.sort_unstable();
    let mut open: Vec<(u128, usize)> = Vec::new();
    for (lo, hi, i) in spans {
        open.retain(|(end, _)| *end >= lo);
        for &(_, j) in open.iter().filter(|(_, j)| *j != i) {
            if entries[i].0.iter().zip(&entries[j].0).all(|(a, b)| a.intersects(b)) {
                let list = found.entry(i.max(j)).or_default();
                if !list.contains(&i.min(j)) {
                    list.push(i.min(j));
                }
            }
        }
        open.push((hi, i));
    }
    found
}

/// The values of `row` that are not in `other`, as disjoint rows.
fn minus(row: &Row, other: &Row) -> Vec<Row> {
    if !row.iter().zip(other).all(|(a, b)| a.intersects(b)) {
        return vec![row.clone()];
    }
    let mut out = Vec::new();
    let mut inside = row.clone();
    for column in 0..row.len() {
        let outside = row[column].minus(&other[column]);
        if !outside.is_empty() {
            let mut piece = inside.clone();
            piece[column] = outside;
            out.push(piece);
        }
        inside[column] = row[column].and(&other[column]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(a: (u128, u128), b: (u128, u128)) -> Row {
        Box::new([Set::range(a.0, a.1), Set::range(b.0, b.1)])
    }

    fn covers(rows: &[(Row, u8)], a: u128, b: u128) -> Vec<u8> {
        rows.iter().filter(|(r, _)| r[0].contains(a) && r[1].contains(b)).map(|(_, v)| *v).collect()
    }

    #[test]
    fn the_first_of_crossing_ranges_counts_and_no_value_is_found_twice() {
        let rows = vec![(entry((2, 5), (0, 9)), 1u8), (entry((0, 9), (3, 4)), 2), (entry((4, 7), (4, 6)), 3)];
        let got = disjoint(rows.clone());
        for a in 0..11 {
            for b in 0..11 {
                let first: Vec<u8> = covers(&rows, a, b).into_iter().take(1).collect();
                assert_eq!(covers(&got, a, b), first, "{a} . {b}");
            }
        }
    }

    #[test]
    fn rows_that_differ_in_one_column_are_one() {
        let rows = vec![entry((1, 1), (5, 6)), entry((2, 2), (5, 6)), entry((1, 2), (7, 7)), entry((9, 9), (7, 7))];
        let got = merged(rows);
        let nine: Row = Box::new([Set::from_ranges([(1, 2), (9, 9)]), Set::one(7)]);
        assert_eq!(got, [entry((1, 2), (5, 6)), nine]);
    }
}
