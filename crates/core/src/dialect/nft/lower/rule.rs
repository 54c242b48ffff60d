//! Statements as steps.

use super::Lowering;
use super::selector::Type;
use super::sets::{entries, may_fail};
use super::value::constant;
use crate::cube::Set;
use crate::dialect::nft::ast::{self, BinOp, ElemData, Expr, Field, Stmt};
use crate::dialect::nft::print;
use crate::model::{Action, Key, KeyField, Lookup, MarkFrom, MarkValue, Step, Value, Verdicted, Ways};
use std::sync::Arc;

/// Header fields and packet properties whose change cannot alter where the packet goes.
#[rustfmt::skip]
const HARMLESS: &[(&str, &str)] = &[
    ("ip", "dscp"), ("ip", "ecn"), ("ip", "ttl"), ("ip", "id"), ("ip", "checksum"), ("ip", "frag-off"),
    ("ip6", "dscp"), ("ip6", "ecn"), ("ip6", "hoplimit"), ("ip6", "flowlabel"), ("tcp", "window"),
    ("udp", "checksum"), ("tcp", "checksum"), ("vlan", "pcp"), ("vlan", "dei"),
];

/// Keys of `meta … set` that cannot alter it.
const HARMLESS_META: &[&str] = &["priority", "nftrace", "secmark", "rtclassid", "cpu"];

/// Keys of `ct … set` that cannot alter it.
const HARMLESS_CT: &[&str] = &["label", "secmark", "event", "helper", "timeout", "expectation"];

/// Targets of xtables that cannot alter it.
const HARMLESS_XT: &[&str] = &[
    "target \"LOG\"",
    "target \"NFLOG\"",
    "target \"TRACE\"",
    "target \"AUDIT\"",
    "target \"CHECKSUM\"",
    "target \"TCPMSS\"",
    "target \"CLASSIFY\"",
    "target \"DSCP\"",
];

impl Lowering<'_> {
    /// The steps of a rule.
    pub(super) fn steps(&mut self, rule: &ast::Rule) -> Vec<Step> {
        let mut steps = Vec::new();
        for stmt in &rule.stmts {
            self.doubted = false;
            self.statement(stmt, &mut steps);
            self.coverage.statements += 1;
            match stmt {
                Stmt::Unread(_) => self.coverage.unread += 1,
                _ if self.doubted => self.coverage.approximated += 1,
                _ => self.coverage.understood += 1,
            }
        }
        steps
    }

    fn statement(&mut self, stmt: &Stmt, steps: &mut Vec<Step>) {
        match stmt {
            Stmt::Match { left, op, right } => self.relation(left, *op, right, steps),
            Stmt::Verdict(verdict) => {
                let action = self.verdict(verdict);
                steps.extend(action.map(Step::Act));
            }
            Stmt::Vmap(key, map) => self.verdict_map(key, map, steps),
            Stmt::Nat { .. } => self.nat(stmt, steps),
            Stmt::Mangle(left, value) => self.mangle(left, value, steps),
            Stmt::Limit => {
                steps.push(self.undecided("whether the rate limit is exceeded when the packet comes".into()));
            }
            Stmt::Quota => steps.push(self.undecided("whether the quota is used up when the packet comes".into())),
            Stmt::CtCount => {
                steps.push(self.undecided("how many connections there are when the packet comes".into()));
            }
            Stmt::NoEffect(_) => {}
            Stmt::Reject(kind) => {
                let kind = if kind.is_empty() { "port-unreachable" } else { &**kind };
                if kind == "tcp reset" {
                    let tcp = super::selector::Needs { protocol: Some(6), family: None };
                    self.needs(&[tcp], steps);
                }
                steps.push(Step::Act(Action::Reject(kind.into())));
            }
            Stmt::Notrack => steps.push(Step::Act(Action::Untrack)),
            Stmt::SetUpdate { stmts, .. } | Stmt::Meter { stmts, .. } => {
                if stmts.iter().any(may_fail) {
                    steps.push(self.undecided("whether the limit of a set's element is exceeded".into()));
                }
            }
            Stmt::Effect(word, text) => self.effect(word, text, steps),
            Stmt::Xt(text) if HARMLESS_XT.iter().any(|t| **text == **t) => {}
            Stmt::Xt(text) => {
                let what = format!("`{text}`: nft cannot show what this xtables extension does");
                if text.starts_with("match") {
                    steps.push(self.undecided(what));
                } else {
                    self.anything(what, "the output of `iptables-save`", false, steps);
                }
            }
            Stmt::Unread(text) => {
                let what = format!("`{text}` was not understood");
                self.anything(what, "", true, steps);
            }
        }
    }

    /// From here on, anything may happen to the packet.
    pub(super) fn anything(&mut self, what: String, supply: &str, unread: bool, steps: &mut Vec<Step>) {
        let doubt = self.doubt(what, supply, unread);
        steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
    }

    fn effect(&mut self, word: &str, text: &str, steps: &mut Vec<Step>) {
        let (ways, why) = match word {
            // Later packets of the connection pass by the rules; the first ones are judged as ever.
            "flow" => (Ways::ContinueOrAccept, "offloaded connections pass by the rules"),
            "queue" => (Ways::AcceptOrDrop, "a program decides"),
            "tproxy" => (Ways::Anything, "a transparent proxy takes the packet"),
            "fwd" => (Ways::Anything, "the packet leaves by another interface at once"),
            _ => (Ways::Anything, "callpath does not model it"),
        };
        let doubt = self.doubt(format!("what becomes of packets at `{text}`: {why}"), "", false);
        steps.push(Step::Act(Action::Unmodelled(ways, doubt)));
    }

    fn verdict(&mut self, verdict: &ast::Verdict) -> Option<Action> {
        Some(match self.verdicted(verdict) {
            Ok(Verdicted::Accept) => Action::Accept,
            Ok(Verdicted::Drop) => Action::Drop,
            Ok(Verdicted::Return) => Action::Return,
            Ok(Verdicted::Jump(to)) => Action::Jump(to),
            Ok(Verdicted::Goto(to)) => Action::Goto(to),
            Ok(Verdicted::Continue) => return None,
            Err(chain) => {
                let doubt = self.doubt(format!("chain `{chain}` is not in this ruleset"), "the whole ruleset", true);
                Action::Unmodelled(Ways::Anything, doubt)
            }
        })
    }

    fn verdicted(&self, verdict: &ast::Verdict) -> Result<Verdicted, Box<str>> {
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

    fn verdict_map(&mut self, key: &Expr, map: &Expr, steps: &mut Vec<Step>) {
        let found = self.lookup(key, map, steps, |lowering, data| match data {
            ElemData::Verdict(v) => {
                lowering.verdicted(v).map_err(|chain| format!("chain `{chain}` is not in this ruleset"))
            }
            ElemData::Value(_) => Err("an element of the map has no verdict".into()),
        });
        match found {
            Ok(lookup) => steps.push(Step::Act(Action::Verdict(Arc::new(lookup)))),
            Err(why) => {
                let what = format!("what `{} vmap {}` decides: {why}", print::expr(key), print::expr(map));
                self.anything(what, "", false, steps);
            }
        }
    }

    /// A look-up with its selectors' dependencies; data are understood by `read`.
    pub(super) fn lookup<T: Clone>(
        &mut self,
        key: &Expr,
        map: &Expr,
        steps: &mut Vec<Step>,
        read: impl Fn(&Self, &ElemData) -> Result<T, String>,
    ) -> Result<Lookup<T>, String> {
        let keys = self.keys(key);
        self.needs(&keys.needs, steps);
        if keys.absent {
            return Ok(Lookup { keys: Box::new([]), entries: Vec::new(), default: None });
        }
        let (elems, open) = match map {
            Expr::Set(elems) => (&elems[..], false),
            Expr::SetRef(name) => {
                let set = self.named_set(name).ok_or_else(|| format!("there is no map `{name}` in this table"))?;
                let updated = self.updated.contains(&(self.table, name.clone()));
                (&set.elems[..], updated || set.flags.iter().any(|f| &**f == "dynamic"))
            }
            _ => return Err("its map is no list of elements".into()),
        };
        if let Some(why) = keys.unknown {
            return self.unknown_lookup(&why, elems, read);
        }
        let types: Vec<Type> = keys.read.iter().map(|k| k.1).collect();
        let found = entries(elems, &types, open)?;
        if found.open {
            return Err("its elements are added and removed at run time".into());
        }
        let mut out = Vec::with_capacity(found.sure.len());
        for (row, data) in found.sure {
            out.push((row, read(self, data)?));
        }
        let default = found.default.map(|data| read(self, data)).transpose()?;
        Ok(Lookup { keys: keys.read.iter().map(|k| k.0).collect(), entries: out, default })
    }

    /// A look-up by a value that nobody can predict: any of the elements, or none.
    fn unknown_lookup<T: Clone>(
        &mut self,
        why: &str,
        elems: &[ast::Elem],
        read: impl Fn(&Self, &ElemData) -> Result<T, String>,
    ) -> Result<Lookup<T>, String> {
        let doubt = self.doubt(format!("which entry of a map is taken: {why}"), "", false);
        let mut entries: Vec<(Box<[Set]>, T)> = Vec::new();
        for (i, elem) in elems.iter().enumerate() {
            let Some(data) = &elem.data else { return Err("an element of the map has no value".into()) };
            entries.push((Box::new([Set::one(i as u128)]), read(self, data)?));
        }
        Ok(Lookup { keys: Box::new([Key::of(KeyField::Unknown(doubt, 16))]), entries, default: None })
    }

    fn mangle(&mut self, left: &Expr, value: &Expr, steps: &mut Vec<Step>) {
        let Expr::Field(field) = left else {
            let what = format!("what `{} set …` does", print::expr(left));
            return self.anything(what, "", false, steps);
        };
        match field {
            Field::Meta(key) if &**key == "mark" => {
                let value = self.mark(value, steps);
                steps.push(Step::Act(Action::SetMark(value)));
            }
            Field::Ct { key, .. } if &**key == "mark" => {
                let value = self.mark(value, steps);
                steps.push(Step::Act(Action::SetCtMark(value)));
            }
            Field::Meta(key) if HARMLESS_META.contains(&&**key) => {}
            Field::Ct { key, .. } if HARMLESS_CT.contains(&&**key) => {}
            Field::Payload(protocol, name) if HARMLESS.contains(&(&**protocol, &**name)) => {
                let table = self.tables[self.table].family;
                let needs = super::selector::selector(field, table).needs;
                self.needs(&[needs], steps);
            }
            Field::Option(..) => {
                let tcp = super::selector::Needs { protocol: Some(6), family: None };
                self.needs(&[tcp], steps);
            }
            _ => {
                let what = format!("where packets go after `{} set {}`", print::field(field), print::expr(value));
                self.anything(what, "", false, steps);
            }
        }
    }

    /// The value of a mark.
    fn mark(&mut self, value: &Expr, steps: &mut Vec<Step>) -> Value {
        if let Expr::Map(sides) = value {
            let read = |_: &Self, data: &ElemData| match data {
                ElemData::Value(v) => fixed_mark(v).ok_or_else(|| "an element is no number".to_owned()),
                ElemData::Verdict(_) => Err("an element is a verdict".to_owned()),
            };
            if let Ok(lookup) = self.lookup(&sides.0, &sides.1, steps, read) {
                return Arc::new(lookup);
            }
        } else if let Some(value) = linear(value) {
            return Arc::new(Lookup::fixed(value));
        }
        let doubt = self.doubt(format!("the mark `{}`", print::expr(value)), "", false);
        Arc::new(Lookup::fixed(MarkValue { from: MarkFrom::Unknown(doubt), and: u32::MAX, xor: 0 }))
    }
}

fn fixed_mark(e: &Expr) -> Option<MarkValue> {
    let number = constant(e, Type::Mark).ok()?;
    Some(MarkValue { from: MarkFrom::Zero, and: 0, xor: u32::try_from(number).ok()? })
}

/// `(mark & a) ^ b`, whatever way it is written.
fn linear(e: &Expr) -> Option<MarkValue> {
    match e {
        Expr::Field(Field::Meta(key)) if &**key == "mark" => {
            Some(MarkValue { from: MarkFrom::Mark, and: u32::MAX, xor: 0 })
        }
        Expr::Field(Field::Ct { key, .. }) if &**key == "mark" => {
            Some(MarkValue { from: MarkFrom::CtMark, and: u32::MAX, xor: 0 })
        }
        Expr::Bin(op, sides) => {
            if let Some(number) = fixed_mark(e) {
                return Some(number);
            }
            let (value, number) = match (fixed_mark(&sides.1), fixed_mark(&sides.0)) {
                (Some(n), _) => (linear(&sides.0)?, n.xor),
                (None, Some(n)) => (linear(&sides.1)?, n.xor),
                (None, None) => return None,
            };
            match op {
                BinOp::And => Some(MarkValue { and: value.and & number, xor: value.xor & number, ..value }),
                BinOp::Or => Some(MarkValue { and: value.and & !number, xor: (value.xor & !number) | number, ..value }),
                BinOp::Xor => Some(MarkValue { xor: value.xor ^ number, ..value }),
                BinOp::Shl | BinOp::Shr => None,
            }
        }
        _ => fixed_mark(e),
    }
}
