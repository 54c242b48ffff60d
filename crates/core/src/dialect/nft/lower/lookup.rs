//! Maps: verdict maps, and maps that give addresses, ports and marks.

use super::Lowering;
use super::matching::{is, may_lack, never};
use super::selector::{Column, Type};
use super::sets::{entries, everything, steady};
use super::value::{Unclear, constant};
use crate::cube::Set;
use crate::dialect::nft::ast::{self, Elem, ElemData, Expr};
use crate::dialect::nft::print;
use crate::model::{Action, Key, KeyField, Lookup, Step, Verdicted};
use std::sync::Arc;

/// More entries than this are not followed for a value that nobody knows.
const MOST_CHOICES: usize = 1 << 12;

impl<'a> Lowering<'a> {
    /// `key vmap { … }`.
    pub(super) fn verdict_map(&mut self, key: &Expr, map: &Expr, steps: &mut Vec<Step>) {
        let found = self.lookup(key, map, steps, |lowering, data| match data {
            ElemData::Verdict(v) => {
                lowering.verdicted(v).map_err(|chain| format!("chain `{chain}` is not in this ruleset").into())
            }
            ElemData::Value(_) => Err("an element of the map has no verdict".into()),
        });
        match found {
            Ok(lookup) => {
                // Without an entry the rule goes on, but without a value for a key it ends.
                if self.more {
                    for key in lookup.keys.iter().filter(|k| may_lack(k.field)) {
                        steps.push(is(*key, everything()));
                    }
                }
                if lookup.keys.is_empty() && lookup.default.is_none() {
                    return;
                }
                steps.push(Step::Act(Action::Verdict(Arc::new(lookup))));
            }
            Err(Unclear { why, supply }) => {
                let what = format!("what `{} vmap {}` decides: {why}", print::expr(key), print::expr(map));
                self.anything(what, supply, false, steps);
            }
        }
    }

    pub(super) fn verdicted(&self, verdict: &ast::Verdict) -> Result<Verdicted, Box<str>> {
        let chain = |name: &str| self.chain_named(name).ok_or_else(|| -> Box<str> { name.into() });
        Ok(match verdict {
            ast::Verdict::Accept => Verdicted::Accept,
            ast::Verdict::Drop => Verdicted::Drop,
            ast::Verdict::Continue => Verdicted::Continue,
            ast::Verdict::Return => Verdicted::Return,
            ast::Verdict::Jump(to) => Verdicted::Jump(chain(to)?),
            ast::Verdict::Goto(to) => Verdicted::Goto(chain(to)?),
        })
    }

    /// A look-up with its selectors' dependencies; data are understood by `read`.
    pub(super) fn lookup<T>(
        &mut self,
        key: &Expr,
        map: &Expr,
        steps: &mut Vec<Step>,
        read: impl Fn(&Self, &ElemData) -> Result<T, Unclear>,
    ) -> Result<Lookup<T>, Unclear> {
        let keys = self.keys(key);
        self.needs(&keys.needs, steps);
        if keys.absent {
            steps.push(never());
            return Ok(Lookup { keys: Box::new([]), entries: Vec::new(), default: None });
        }
        let elems = self.map_elements(map)?;
        if let Some(unclear) = keys.unknown {
            if keys.may_lack {
                steps.push(self.undecided(format!("whether `{}` has a value for the packet", print::expr(key)), ""));
            }
            return self.unknown_lookup(key, &unclear, elems, read);
        }
        let found = entries(elems, &keys.columns)?;
        let mut out = Vec::with_capacity(found.sure.len());
        for (row, data) in found.sure {
            out.push((row, read(self, data)?));
        }
        let default = found.default.map(|data| read(self, data)).transpose()?;
        Ok(Lookup { keys: keys.read.into(), entries: out, default })
    }

    /// The elements of a map that stay as they are.
    fn map_elements<'e>(&self, map: &'e Expr) -> Result<&'e [Elem], Unclear>
    where
        'a: 'e,
    {
        match map {
            Expr::Set(elems) => Ok(elems),
            Expr::SetRef(name) => {
                let set = self.named_set(name).ok_or_else(|| Unclear {
                    why: format!("there is no map `{name}` in this table"),
                    supply: "the whole ruleset, as `nft list ruleset` prints it",
                })?;
                let changes = set.flags.iter().any(|f| matches!(&**f, "dynamic" | "timeout"));
                if self.updates_of(name).any() || set.timeout || changes {
                    return Err("its elements are added and removed at run time".into());
                }
                Ok(&set.elems)
            }
            _ => Err("its map is no list of elements".into()),
        }
    }

    /// A look-up by a value that nobody can predict: any of the elements that it can be, or none.
    fn unknown_lookup<T>(
        &mut self,
        key: &Expr,
        unclear: &Unclear,
        elems: &[Elem],
        read: impl Fn(&Self, &ElemData) -> Result<T, Unclear>,
    ) -> Result<Lookup<T>, Unclear> {
        let domain = match key {
            Expr::Opaque(text) => generated(text),
            _ => None,
        };
        let (mut values, mut rest, mut other) = (Vec::new(), domain.clone(), None);
        for elem in elems {
            let Some(data) = &elem.data else { return Err("an element of the map has no value".into()) };
            steady(elem)?;
            if elem.key == Expr::Any {
                other = Some(data);
                continue;
            }
            if let Some(left) = &mut rest {
                let keys = Column { kind: Type::Number, shift: 0 }.values(&elem.key)?;
                if !keys.intersects(left) {
                    continue;
                }
                *left = left.minus(&keys);
            }
            values.push(data);
        }
        let all_known = rest.is_some_and(|left| left.is_empty());
        if !all_known {
            values.extend(other);
        }
        let none = !all_known && other.is_none();
        if values.len() > MOST_CHOICES {
            return Err("it has too many elements to follow each".into());
        }
        let choices = values.len() + usize::from(none);
        let bits = u8::try_from(choices.next_power_of_two().trailing_zeros()).unwrap_or(u8::MAX).max(1);
        let what = match key {
            Expr::Opaque(text) => format!("which target the load balancer `{text}` picks"),
            _ => format!("which entry of the map `{}` finds: {}", print::expr(key), unclear.why),
        };
        let doubt = self.doubt(what, unclear.supply, false);
        let top = (1u128 << bits) - 1;
        let last = values.len().saturating_sub(1);
        let mut entries: Vec<(Box<[Set]>, T)> = Vec::with_capacity(values.len());
        for (i, data) in values.into_iter().enumerate() {
            // Spare answers belong to the last choice.
            let hi = if i == last && !none { top } else { i as u128 };
            entries.push((Box::new([Set::range(i as u128, hi)]), read(self, data)?));
        }
        Ok(Lookup { keys: Box::new([Key::of(KeyField::Unknown(doubt, bits))]), entries, default: None })
    }
}

/// Values of `numgen inc mod n offset k`, `jhash … mod n`, `symhash mod n`.
fn generated(text: &str) -> Option<Set> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().rposition(|w| *w == word)?;
        words.get(at + 1)?.parse::<u32>().ok().map(u128::from)
    };
    let modulus = after("mod").filter(|m| *m > 0)?;
    let offset = if words.contains(&"offset") { after("offset")? } else { 0 };
    Some(Set::range(offset, offset + modulus - 1))
}

/// A plain number of a mark.
pub(super) fn fixed_number(e: &Expr) -> Option<u32> {
    u32::try_from(constant(e, Type::Mark).ok()?).ok()
}
