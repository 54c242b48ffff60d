//! `define`, `redefine`, `undefine`: values by name, in scopes that tables and chains open.

use crate::dialect::nft::ast::{Elem, ElemData, Expr};
use std::collections::HashMap;

/// As many parts of expressions may come out of variables: `define b = { $a, $a }` doubles, and so on.
const MAX_PARTS: usize = 1_000_000;

/// Variables that are visible at a place.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: HashMap<Box<str>, Vec<(usize, Expr)>>,
    scope: usize,
    parts: usize,
}

impl Variables {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<Expr> {
        self.values.get(name)?.last().map(|(_, value)| value.clone())
    }

    /// Gives a name a value. False if it has one in this scope already.
    pub fn define(&mut self, name: Box<str>, value: Expr) -> bool {
        let values = self.values.entry(name).or_default();
        let new = values.last().is_none_or(|(scope, _)| *scope != self.scope);
        if new {
            values.push((self.scope, value));
        }
        new
    }

    /// Gives a name a value, whether it has one or not.
    pub fn redefine(&mut self, name: Box<str>, value: Expr) {
        let values = self.values.entry(name).or_default();
        match values.last_mut() {
            Some((scope, old)) if *scope == self.scope => *old = value,
            _ => values.push((self.scope, value)),
        }
    }

    /// Takes a name's value away. False if it has none.
    pub fn undefine(&mut self, name: &str) -> bool {
        self.values.get_mut(name).and_then(Vec::pop).is_some()
    }

    /// A table or chain begins.
    pub fn open(&mut self) {
        self.scope += 1;
    }

    /// It ends, and its variables with it.
    pub fn close(&mut self) {
        self.scope = self.scope.saturating_sub(1);
        let scope = self.scope;
        for values in self.values.values_mut() {
            while values.last().is_some_and(|(of, _)| *of > scope) {
                values.pop();
            }
        }
    }

    /// The known name that is most like this one.
    pub fn near(&self, name: &str) -> Option<&str> {
        let known = self.values.iter().filter(|(_, values)| !values.is_empty());
        let like = known.map(|(known, _)| (strsim::jaro_winkler(known, name), &**known));
        like.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
    }

    /// Counts what a use of a variable costs. False when it is too much.
    pub fn afford(&mut self, value: &Expr) -> bool {
        self.parts = self.parts.saturating_add(parts(value));
        self.parts <= MAX_PARTS
    }
}

/// Do values stand in values in more than so many layers?
pub(super) fn deeper_than(value: &Expr, layers: usize) -> bool {
    let Some(layers) = layers.checked_sub(1) else { return true };
    match value {
        Expr::Set(elems) => elems.iter().any(|e| {
            let data = matches!(&e.data, Some(ElemData::Value(value)) if deeper_than(value, layers));
            data || deeper_than(&e.key, layers)
        }),
        Expr::Concat(list) | Expr::Flags(list) => list.iter().any(|e| deeper_than(e, layers)),
        Expr::Range(sides) | Expr::Bin(_, sides) | Expr::Map(sides) => {
            deeper_than(&sides.0, layers) || deeper_than(&sides.1, layers)
        }
        Expr::Prefix(inner, _) => deeper_than(inner, layers),
        _ => false,
    }
}

fn parts(value: &Expr) -> usize {
    1 + match value {
        Expr::Set(elems) => elems.iter().map(elem_parts).sum(),
        Expr::Concat(list) | Expr::Flags(list) => list.iter().map(parts).sum(),
        Expr::Range(sides) | Expr::Bin(_, sides) | Expr::Map(sides) => parts(&sides.0) + parts(&sides.1),
        Expr::Prefix(inner, _) => parts(inner),
        _ => 0,
    }
}

fn elem_parts(elem: &Elem) -> usize {
    let data = match &elem.data {
        Some(ElemData::Value(value)) => parts(value),
        _ => 0,
    };
    parts(&elem.key) + data
}
