//! Named and anonymous sets and maps as rows of sets, one per key.

use super::selector::Type;
use super::value::{Unclear, values};
use crate::cube::Set;
use crate::dialect::nft::ast::{self, Elem, ElemData, Expr, Stmt};

/// One element: a set of values per key.
pub(super) type Row = Box<[Set]>;

/// The elements of a set.
#[derive(Debug, Clone, Default)]
pub(super) struct Elements {
    /// Surely in the set.
    pub sure: Vec<Row>,
    /// In the set unless they have expired, or while a limit is not reached.
    pub doubtful: Vec<Row>,
    /// Others may have been added since.
    pub open: bool,
}

/// The keys of one element.
pub(super) fn row(key: &Expr, types: &[Type]) -> Result<Row, Unclear> {
    if *key == Expr::Any {
        return Ok(types.iter().map(|_| Set::range(0, u128::MAX)).collect());
    }
    match (key, types) {
        (_, [only]) => Ok(Box::new([values(key, *only)?])),
        (Expr::Concat(parts), _) if parts.len() == types.len() => {
            parts.iter().zip(types).map(|(part, kind)| values(part, *kind)).collect()
        }
        _ => Err("its elements have another number of parts than the selector".into()),
    }
}

/// An element may be gone, or may not match, when the packet comes.
fn is_doubtful(elem: &Elem) -> bool {
    elem.timeout || elem.stmts.iter().any(may_fail)
}

/// A statement that lets some packets pass and others not.
pub(super) fn may_fail(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Limit | Stmt::Quota | Stmt::CtCount)
}

/// Elements of an anonymous set, or of a named one.
pub(super) fn elements(elems: &[Elem], types: &[Type]) -> Result<Elements, Unclear> {
    let mut out = Elements::default();
    for elem in elems {
        let row = row(&elem.key, types)?;
        if is_doubtful(elem) { out.doubtful.push(row) } else { out.sure.push(row) }
    }
    if types.len() == 1 {
        // Thousands of addresses are one set.
        for rows in [&mut out.sure, &mut out.doubtful] {
            if rows.len() > 1 {
                let all = rows.iter().flat_map(|r| r[0].ranges().iter().copied());
                *rows = vec![Box::new([Set::from_ranges(all)])];
            }
        }
    }
    Ok(out)
}

/// A named set's elements; `updated`: some rule adds to it.
pub(super) fn named(set: &ast::Set, types: &[Type], updated: bool) -> Result<Elements, Unclear> {
    let mut out = elements(&set.elems, types)?;
    if set.stmts.iter().any(may_fail) {
        out.doubtful.append(&mut out.sure);
    }
    out.open = updated || set.flags.iter().any(|f| &**f == "dynamic");
    if out.open && set.timeout {
        out.doubtful.append(&mut out.sure);
    }
    Ok(out)
}

/// Entries of a map with plain data or verdicts.
pub(super) struct Entries<'a> {
    pub sure: Vec<(Row, &'a ElemData)>,
    /// The value of `*`.
    pub default: Option<&'a ElemData>,
    /// Entries may be missing or others present.
    pub open: bool,
}

/// Entries of a map.
pub(super) fn entries<'a>(elems: &'a [Elem], types: &[Type], open: bool) -> Result<Entries<'a>, Unclear> {
    let mut out = Entries { sure: Vec::new(), default: None, open };
    for elem in elems {
        let Some(data) = &elem.data else { return Err("an element of the map has no value".into()) };
        out.open |= is_doubtful(elem);
        if elem.key == Expr::Any {
            out.default = Some(data);
        } else {
            out.sure.push((row(&elem.key, types)?, data));
        }
    }
    Ok(out)
}
