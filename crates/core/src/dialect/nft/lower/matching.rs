//! Comparisons as steps.

use super::Lowering;
use super::selector::{Needs, Reads, Selector, Type, masked, selector};
use super::sets::{Elements, Row, elements, named, row};
use super::value::{Unclear, constant, values};
use crate::cube::Set;
use crate::dialect::nft::ast::{Cmp, Expr, TableFamily};
use crate::dialect::nft::print;
use crate::model::{Key, KeyField, Match, Part, Step, Test, nfproto};

/// Selectors of one comparison, or why they cannot be told.
pub(super) struct Keys {
    pub needs: Vec<Needs>,
    pub read: Vec<(Key, Type)>,
    /// Some selector's value is unknown; why.
    pub unknown: Option<String>,
    /// Some selector reads what packets of a call never have.
    pub absent: bool,
}

impl Lowering<'_> {
    /// A comparison.
    pub(super) fn relation(&mut self, left: &Expr, op: Cmp, right: &Expr, steps: &mut Vec<Step>) {
        let keys = self.keys(left);
        self.needs(&keys.needs, steps);
        if keys.absent {
            steps.push(never());
            return;
        }
        let found = match keys.unknown {
            Some(why) => Err(why),
            None => self.tests(&keys.read, op, right),
        };
        match found {
            Ok(step) => steps.push(step),
            Err(why) => {
                let what = format!("whether `{}` holds: {why}", print::stmt(&statement(left, op, right)));
                steps.push(self.undecided(what));
            }
        }
    }

    /// A match that may go either way.
    pub(super) fn undecided(&mut self, what: String) -> Step {
        let supply = if what.contains("host name") { "the address instead of the name" } else { "" };
        let doubt = self.doubt(what, supply, false);
        is(Key::of(KeyField::Unknown(doubt, 1)), Set::one(1))
    }

    /// Matches for what selectors depend on.
    pub(super) fn needs(&self, needs: &[Needs], steps: &mut Vec<Step>) {
        let table = self.tables[self.table].family;
        for need in needs {
            let implied = match need.family {
                Some(nfproto::IPV4) => table == TableFamily::Ip,
                Some(_) => table == TableFamily::Ip6,
                None => true,
            };
            if let Some(family) = need.family.filter(|_| !implied) {
                push_once(steps, is(Key::of(KeyField::Family), Set::one(family)));
            }
            if let Some(protocol) = need.protocol {
                let set = Set::one(u128::from(protocol));
                push_once(steps, is(Key::of(KeyField::Header(Part::Proto)), set));
            }
        }
    }

    /// The selectors on the left of a comparison or look-up.
    pub(super) fn keys(&mut self, left: &Expr) -> Keys {
        let parts = match left {
            Expr::Concat(parts) => &parts[..],
            other => std::slice::from_ref(other),
        };
        let mut out = Keys { needs: Vec::new(), read: Vec::new(), unknown: None, absent: false };
        let table = self.tables[self.table].family;
        for part in parts {
            let Selector { needs, reads } = match (part, masked(part)) {
                (Expr::Field(field), _) => selector(field, table),
                (_, Some((field, mask))) => masked_selector(selector(field, table), field, mask),
                _ => Selector { needs: Needs::default(), reads: Reads::Unknown("nobody can predict it") },
            };
            out.needs.push(needs);
            match reads {
                Reads::Key(key, kind) => out.read.push((key, kind)),
                Reads::Unknown(why) => out.unknown = Some(why.to_owned()),
                Reads::Absent => out.absent = true,
            }
        }
        out
    }

    fn tests(&mut self, keys: &[(Key, Type)], op: Cmp, right: &Expr) -> Result<Step, Unclear> {
        if let [(key, kind)] = keys {
            let masked = key.mask.is_some();
            match (op, right) {
                (Cmp::Implicit, Expr::Word(_) | Expr::Num(_) | Expr::Flags(_)) if kind.is_bits() && !masked => {
                    let mask = constant(right, *kind)?;
                    let key = Key { mask: Some(mask), ..*key };
                    return Ok(step(&[key], Test::In(Set::one(0)), true));
                }
                (Cmp::Lt | Cmp::Gt | Cmp::Le | Cmp::Ge, _) => {
                    let bound = constant(right, *kind)?;
                    let set = match op {
                        Cmp::Lt => bound.checked_sub(1).map_or_else(Set::empty, |hi| Set::range(0, hi)),
                        Cmp::Le => Set::range(0, bound),
                        Cmp::Gt => bound.checked_add(1).map_or_else(Set::empty, |lo| Set::range(lo, u128::MAX)),
                        _ => Set::range(bound, u128::MAX),
                    };
                    return Ok(is(*key, set));
                }
                (_, Expr::SetRef(_) | Expr::Set(_)) => {}
                _ => return Ok(step(&[*key], Test::In(values(right, *kind)?), op == Cmp::Ne)),
            }
        }
        let types: Vec<Type> = keys.iter().map(|k| k.1).collect();
        let found = match right {
            Expr::SetRef(name) => self.set_elements(name, &types)?,
            Expr::Set(elems) => elements(elems, &types)?,
            other => Elements { sure: vec![row(other, &types)?], ..Elements::default() },
        };
        let keys: Vec<Key> = keys.iter().map(|k| k.0).collect();
        Ok(self.member(&keys, found, op == Cmp::Ne))
    }

    /// Membership in a set, part of which may be open.
    fn member(&mut self, keys: &[Key], elements: Elements, negate: bool) -> Step {
        let Elements { sure, doubtful, open } = elements;
        if doubtful.is_empty() && !open {
            return match (&sure[..], keys) {
                ([], _) => step(&keys[..1], Test::In(Set::empty()), negate),
                ([only], [_]) => step(keys, Test::In(only[0].clone()), negate),
                _ => step(keys, Test::Boxes(sure.into()), negate),
            };
        }
        let what = "whether a set has this element when the packet comes: elements are added and removed at run time";
        let doubt = self.doubt(what.into(), "", false);
        let mut all: Vec<Key> = keys.to_vec();
        all.push(Key::of(KeyField::Unknown(doubt, 1)));
        let with = |row: &Row, answer: Set| row.iter().cloned().chain([answer]).collect::<Row>();
        let either = Set::range(0, 1);
        let mut boxes: Vec<Row> = sure.iter().map(|r| with(r, either.clone())).collect();
        boxes.extend(doubtful.iter().map(|r| with(r, Set::one(1))));
        if open {
            let any: Row = keys.iter().map(|_| Set::range(0, u128::MAX)).collect();
            boxes.push(with(&any, Set::one(1)));
        }
        step(&all, Test::Boxes(boxes.into()), negate)
    }

    /// The elements of a named set for selectors of these types.
    pub(super) fn set_elements(&mut self, name: &str, types: &[Type]) -> Result<Elements, Unclear> {
        let id = (self.table, Box::from(name), types.to_vec());
        if let Some(known) = self.cache.get(&id) {
            return Ok(known.clone());
        }
        let set = self.named_set(name).ok_or_else(|| format!("there is no set `{name}` in this table"))?;
        let updated = self.updated.contains(&(self.table, Box::from(name)));
        let found = named(set, types, updated)?;
        self.cache.insert(id, found.clone());
        Ok(found)
    }
}

/// A selector under a mask.
fn masked_selector(inner: Selector, field: &crate::dialect::nft::ast::Field, mask: &Expr) -> Selector {
    use crate::dialect::nft::ast::Field;
    let Selector { needs, reads } = inner;
    let reads = match reads {
        Reads::Key(key, kind) => match constant(mask, kind) {
            Ok(mask) => Reads::Key(Key { mask: Some(mask), ..key }, kind),
            Err(_) => Reads::Unknown("its mask is no plain number"),
        },
        // Packets of a call are not fragmented: offset and "more fragments" are 0; the rest of the field varies.
        Reads::Unknown(why) => match field {
            Field::Payload(p, f) if (&**p, &**f) == ("ip", "frag-off") => match constant(mask, Type::Number) {
                Ok(mask) if mask & !0x3fff == 0 => {
                    Reads::Key(Key { field: KeyField::Constant(0), mask: Some(mask) }, Type::Number)
                }
                _ => Reads::Unknown(why),
            },
            _ => Reads::Unknown(why),
        },
        Reads::Absent => Reads::Absent,
    };
    Selector { needs, reads }
}

fn statement(left: &Expr, op: Cmp, right: &Expr) -> crate::dialect::nft::ast::Stmt {
    crate::dialect::nft::ast::Stmt::Match { left: left.clone(), op, right: right.clone() }
}

fn step(keys: &[Key], test: Test, negate: bool) -> Step {
    Step::Match(Match { keys: keys.into(), test, negate })
}

/// A key in a set.
pub(super) fn is(key: Key, set: Set) -> Step {
    step(&[key], Test::In(set), false)
}

/// A match that no packet passes.
pub(super) fn never() -> Step {
    is(Key::of(KeyField::Absent), Set::empty())
}

/// Dependencies are stated once a rule.
fn push_once(steps: &mut Vec<Step>, new: Step) {
    let same = |old: &Step| match (old, &new) {
        (Step::Match(a), Step::Match(b)) => match (&a.test, &b.test) {
            (Test::In(x), Test::In(y)) => a.keys == b.keys && x == y && a.negate == b.negate,
            _ => false,
        },
        _ => false,
    };
    if !steps.iter().any(same) {
        steps.push(new);
    }
}
