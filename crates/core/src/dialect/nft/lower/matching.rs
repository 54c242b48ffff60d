//! Comparisons as steps.

use super::Lowering;
use super::selector::{Column, Needs, Reads, Selector, operand};
use super::sets::{Elements, Row, elements, everything, named, row};
use super::value::{Unclear, constant};
use crate::cube::Set;
use crate::dialect::nft::ast::{BinOp, Cmp, Expr, Stmt, TableFamily};
use crate::dialect::nft::print;
use crate::model::{Doubt, DoubtKind, Key, KeyField, Match, Part, Step, Test, nfproto};

/// A set with as many intervals as this is shared between the rules that ask it: a list of ten thousand addresses takes
/// 320 kB.
const SHARED_FROM: usize = 64;

/// Selectors of one comparison or look-up.
#[derive(Default)]
pub(super) struct Keys {
    pub needs: Vec<Needs>,
    pub read: Vec<Key>,
    pub columns: Vec<Column>,
    /// Some selector's value is unknown; why.
    pub unknown: Option<Unclear>,
    /// Some packets may have no value for an unknown selector: the rule ends for them.
    pub may_lack: bool,
    /// Some selector reads what packets of a call never have.
    pub absent: bool,
}

impl Lowering<'_> {
    /// A comparison.
    pub(super) fn relation(&mut self, left: &Expr, op: Cmp, right: &Expr, steps: &mut Vec<Step>) {
        match super::clock::timeless(left, op, right) {
            Some(true) => return,
            Some(false) => return steps.push(never()),
            None => {}
        }
        let keys = self.keys(left);
        self.needs(&keys.needs, steps);
        if keys.absent {
            steps.push(never());
            return;
        }
        let found = match keys.unknown {
            Some(unclear) => Err(unclear),
            None => self.tests(&keys.read, &keys.columns, op, right),
        };
        match found {
            Ok(step) => steps.push(step),
            Err(unclear) => {
                let text = print::stmt(&Stmt::Match { left: left.clone(), op, right: right.clone() });
                let what = format!("whether `{text}` holds: {}", unclear.why);
                steps.push(self.undecided(what, unclear.supply));
            }
        }
    }

    /// A match that may go either way.
    pub(super) fn undecided(&mut self, what: String, supply: &str) -> Step {
        let doubt = self.doubt(what, supply, false);
        is(Key::of(KeyField::Unknown(doubt, 1)), Set::one(1))
    }

    /// Matches for what selectors depend on.
    pub(super) fn needs(&self, needs: &[Needs], steps: &mut Vec<Step>) {
        let table = self.table_family();
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
            if need.session {
                push_once(steps, is(Key::of(KeyField::CtDirection), Set::range(0, 1)));
            }
        }
    }

    /// The selectors on the left of a comparison or look-up.
    pub(super) fn keys(&mut self, left: &Expr) -> Keys {
        let parts = match left {
            Expr::Concat(parts) => &parts[..],
            other => std::slice::from_ref(other),
        };
        let mut out = Keys::default();
        let table = self.table_family();
        for part in parts {
            match operand(part, table) {
                Ok((Selector { needs, reads }, shift)) => {
                    out.needs.push(needs);
                    match reads {
                        Reads::Key(key, kind) => {
                            out.read.push(self.with_doubt(key, part));
                            out.columns.push(Column { kind, shift });
                        }
                        Reads::Varies(why) => out.unknown = Some(why.into()),
                        Reads::MayLack(why) => {
                            out.unknown = Some(why.into());
                            out.may_lack = true;
                        }
                        Reads::Absent => out.absent = true,
                    }
                }
                Err(unclear) => {
                    let (needs, may_lack) = self.inputs(part);
                    out.needs.extend(needs);
                    out.may_lack |= may_lack;
                    out.unknown = Some(unclear);
                }
            }
        }
        out
    }

    /// What is not known of a key on devices with routing rules of their own.
    fn with_doubt(&mut self, key: Key, of: &Expr) -> Key {
        let KeyField::RouteIface { of: end, on, marked, rules: None } = key.field else { return key };
        let rules = self.pipeline.add_doubt(Doubt {
            origin: self.origin,
            what: format!("what `{}` finds: routing rules are not followed in `fib`", print::expr(of)).into(),
            supply: "".into(),
            fixed: false,
            kind: DoubtKind::Fact,
        });
        Key { field: KeyField::RouteIface { of: end, on, marked, rules: Some(rules) }, ..key }
    }

    /// What must hold so that an expression whose value is unknown has one at all, and whether more may be needed.
    fn inputs(&mut self, e: &Expr) -> (Vec<Needs>, bool) {
        match e {
            Expr::Field(_) => {
                let keys = self.keys(e);
                // An absent field ends the rule; to leave it open is sound and rare here.
                (keys.needs, keys.may_lack || keys.absent || keys.read.iter().any(|k| may_lack(k.field)))
            }
            Expr::Bin(_, sides) | Expr::Range(sides) => self.inputs_of([&sides.0, &sides.1]),
            Expr::Concat(parts) | Expr::Flags(parts) => self.inputs_of(parts),
            Expr::Prefix(inner, _) => self.inputs(inner),
            Expr::Map(_) => (Vec::new(), true),
            // A hash reads its fields like any selector; its text tells which.
            Expr::Opaque(text) => match hashed(text) {
                Some(fields) => self.inputs_of(&fields),
                None => (Vec::new(), !(text.starts_with("numgen") || text.starts_with("symhash"))),
            },
            _ => (Vec::new(), false),
        }
    }

    fn inputs_of<'e>(&mut self, parts: impl IntoIterator<Item = &'e Expr>) -> (Vec<Needs>, bool) {
        let (mut needs, mut open) = (Vec::new(), false);
        for part in parts {
            let (more, lacks) = self.inputs(part);
            needs.extend(more);
            open |= lacks;
        }
        (needs, open)
    }

    /// Steps for what an expression needs so that it has a value: where it has none, the rule ends.
    pub(super) fn evaluates(&mut self, e: &Expr, steps: &mut Vec<Step>) {
        if let Expr::Map(sides) = e {
            return self.has_entry(&sides.0, &sides.1, steps);
        }
        if let Expr::Bin(_, sides) = e
            && matches!((&sides.0, &sides.1), (Expr::Map(_), _) | (_, Expr::Map(_)))
        {
            self.evaluates(&sides.0, steps);
            return self.evaluates(&sides.1, steps);
        }
        let (needs, open) = self.inputs(e);
        self.needs(&needs, steps);
        // At the end of a rule it makes no difference.
        if open && self.more {
            steps.push(self.undecided(format!("whether `{}` has a value for the packet", print::expr(e)), ""));
        }
    }

    /// A look-up whose value does not matter, only whether there is one.
    fn has_entry(&mut self, key: &Expr, map: &Expr, steps: &mut Vec<Step>) {
        let keys = self.keys(key);
        self.needs(&keys.needs, steps);
        if keys.absent {
            return steps.push(never());
        }
        let found = match keys.unknown {
            Some(unclear) => Err(unclear),
            None => self.tests(&keys.read, &keys.columns, Cmp::Implicit, map),
        };
        match found {
            Ok(step) => steps.push(step),
            Err(unclear) => {
                let what =
                    format!("whether `{} map {}` has an entry: {}", print::expr(key), print::expr(map), unclear.why);
                steps.push(self.undecided(what, unclear.supply));
            }
        }
    }

    fn tests(&mut self, keys: &[Key], columns: &[Column], op: Cmp, right: &Expr) -> Result<Step, Unclear> {
        if let ([key], [column]) = (keys, columns) {
            let kind = column.kind;
            let is_flags = kind.is_bits() && key.mask.is_none();
            match (op, right) {
                (Cmp::Implicit, Expr::Word(_) | Expr::Num(_) | Expr::Flags(_) | Expr::Bin(BinOp::Or, _))
                    if is_flags =>
                {
                    let key = Key { mask: Some(constant(right, kind)?), ..*key };
                    return Ok(step(&[key], Test::In(Set::one(0)), true));
                }
                (Cmp::NoneOf, _) if is_flags => {
                    return Ok(is(Key { mask: Some(constant(right, kind)?), ..*key }, Set::one(0)));
                }
                (Cmp::Lt | Cmp::Gt | Cmp::Le | Cmp::Ge, _) => {
                    let bound = constant(right, kind)?;
                    let set = match op {
                        Cmp::Lt => bound.checked_sub(1).map_or_else(Set::empty, |hi| Set::range(0, hi)),
                        Cmp::Le => Set::range(0, bound),
                        Cmp::Gt => bound.checked_add(1).map_or_else(Set::empty, |lo| Set::range(lo, u128::MAX)),
                        _ => Set::range(bound, u128::MAX),
                    };
                    return Ok(is(*key, column.unshifted(set)));
                }
                (Cmp::NoneOf, _) => return Err("only flags are asked for none of some".into()),
                (_, Expr::SetRef(_) | Expr::Set(_)) => {}
                _ => return Ok(step(&[*key], Test::In(column.values(right)?), op == Cmp::Ne)),
            }
        }
        if !matches!(op, Cmp::Implicit | Cmp::Eq | Cmp::Ne) {
            return Err("several values are only compared for equality".into());
        }
        let (found, of) = match right {
            Expr::SetRef(name) => (self.set_elements(name, columns)?, format!("`@{name}`")),
            Expr::Set(elems) => (elements(elems, columns)?, "a set".into()),
            other => {
                let sure = [row(other, columns)?].into();
                (Elements { sure, ..Elements::default() }, String::new())
            }
        };
        Ok(self.member(keys, &found, &of, op == Cmp::Ne))
    }

    /// Membership in a set, part of which may be open.
    ///
    /// An open set is asked together with a bit that nobody knows: sure elements are in it whatever the bit is, the
    /// others only if it is 1.
    fn member(&mut self, keys: &[Key], elements: &Elements, of: &str, negate: bool) -> Step {
        let Elements { sure, doubtful, open } = elements;
        if doubtful.is_empty() && !open {
            return match (&sure[..], keys) {
                ([], _) => step(keys, nothing(keys), negate),
                ([only], [_]) if only[0].ranges().len() < SHARED_FROM => step(keys, Test::In(only[0].clone()), negate),
                _ => step(keys, Test::Boxes(sure.clone()), negate),
            };
        }
        let what = format!("whether {of} has this element when the packet comes: its elements come and go at run time");
        let doubt = self.doubt(what, "", false);
        let mut all: Vec<Key> = keys.to_vec();
        all.push(Key::of(KeyField::Unknown(doubt, 1)));
        let with = |row: &Row, answer: Set| row.iter().cloned().chain([answer]).collect::<Row>();
        let mut boxes: Vec<Row> = sure.iter().map(|r| with(r, Set::range(0, 1))).collect();
        if *open {
            let any: Row = keys.iter().map(|_| everything()).collect();
            boxes.push(with(&any, Set::one(1)));
        } else {
            boxes.extend(doubtful.iter().map(|r| with(r, Set::one(1))));
        }
        step(&all, Test::Boxes(boxes.into()), negate)
    }

    /// The elements of a named set for selectors of these types.
    fn set_elements(&mut self, name: &str, columns: &[Column]) -> Result<Elements, Unclear> {
        let id = (self.table, Box::from(name), columns.to_vec());
        if let Some(known) = self.cache.get(&id) {
            return Ok(known.clone());
        }
        let set = self.named_set(name).ok_or_else(|| Unclear {
            why: format!("there is no set `{name}` in this table"),
            supply: "the whole ruleset, as `nft list ruleset` prints it",
        })?;
        let found = named(set, columns, self.updates_of(name))?;
        self.cache.insert(id, found.clone());
        Ok(found)
    }
}

/// The selectors that `jhash a . b mod n` reads.
fn hashed(text: &str) -> Option<Vec<Expr>> {
    use crate::dialect::nft::ast::Field;
    let fields = text.strip_prefix("jhash ")?.split(" mod ").next()?;
    let field = |words: &str| {
        let (first, rest) = words.trim().split_once(' ')?;
        Some(Expr::Field(match first {
            "meta" => Field::Meta(rest.into()),
            "ct" | "fib" | "rt" | "socket" | "exthdr" => return None,
            protocol => Field::Payload(protocol.into(), rest.into()),
        }))
    };
    fields.split(" . ").map(field).collect()
}

/// Values that some packets do not have, whatever their family and protocol.
pub(super) fn may_lack(field: KeyField) -> bool {
    matches!(
        field,
        KeyField::CtStatus
            | KeyField::CtDirection
            | KeyField::CtMark
            | KeyField::CtTuple(..)
            | KeyField::InGroup
            | KeyField::OutGroup
    )
}

fn nothing(keys: &[Key]) -> Test {
    if keys.len() == 1 { Test::In(Set::empty()) } else { Test::Boxes([].into()) }
}

/// A condition.
pub(super) fn step(keys: &[Key], test: Test, negate: bool) -> Step {
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
