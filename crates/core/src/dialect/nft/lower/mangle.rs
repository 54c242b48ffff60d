//! Statements that set something: marks are followed, harmless changes are listed, others may do anything.

use super::Lowering;
use super::lookup::fixed_number;
use super::selector::{Needs, selector};
use crate::dialect::nft::ast::{BinOp, ElemData, Expr, Field};
use crate::dialect::nft::print;
use crate::model::{Action, Lookup, MarkFrom, MarkValue, Step, Value, Ways};
use std::sync::Arc;

/// Header fields whose change cannot alter where the packet goes, nor whether it is taken there.
#[rustfmt::skip]
const HARMLESS: &[(&str, &str)] = &[
    ("ip", "dscp"), ("ip", "ecn"), ("ip", "id"), ("ip6", "dscp"), ("ip6", "ecn"), ("ip6", "flowlabel"),
    ("vlan", "pcp"), ("vlan", "dei"),
];

/// Keys of `meta … set` that cannot alter it.
const HARMLESS_META: &[&str] = &["priority", "nftrace", "secmark"];

/// Keys of `ct … set` that cannot alter it. Labels are left open where they are read.
const HARMLESS_CT: &[&str] = &["label", "secmark", "event", "timeout", "expectation"];

/// Statements that refer to an object through a map: the object alters nothing, a missing entry ends the rule.
const HARMLESS_OBJECTS: &[&str] =
    &["nftrace", "secmark", "ct timeout", "ct expectation", "ct event", "counter", "dup", "tunnel"];

/// Hops that are enough for any way: the recommended start of IP implementations is 64 (RFC 1700, RFC 4861).
const ENOUGH_HOPS: u32 = 32;

/// What a change means for a packet's fate.
enum Change {
    Mark,
    CtMark,
    /// The packet's session goes to a helper.
    Helper,
    /// Nothing.
    None,
    /// The packet may end on its way.
    Hops,
    Anything,
}

fn change(field: &Field, value: &Expr) -> Change {
    match field {
        Field::Meta(key) if &**key == "mark" => Change::Mark,
        Field::Ct { key, .. } if &**key == "mark" => Change::CtMark,
        Field::Meta(key) if HARMLESS_META.contains(&&**key) => Change::None,
        Field::Ct { key, .. } if &**key == "helper" => Change::Helper,
        Field::Other(key) if &**key == "ct helper" => Change::Helper,
        Field::Ct { key, .. } if HARMLESS_CT.contains(&&**key) => Change::None,
        Field::Other(key) if HARMLESS_OBJECTS.contains(&&**key) => Change::None,
        Field::Payload(protocol, name) => match (&**protocol, &**name) {
            ("ip", "ttl") | ("ip6", "hoplimit") => match fixed_number(value) {
                Some(hops) if hops >= ENOUGH_HOPS => Change::None,
                _ => Change::Hops,
            },
            // Only "don't fragment", 0x4000: other bits would make a fragment of it.
            ("ip", "frag-off") if fixed_number(value).is_some_and(|v| v & !0x4000 == 0) => Change::None,
            pair if HARMLESS.contains(&pair) => Change::None,
            _ => Change::Anything,
        },
        // Segment sizes and the like; `reset tcp option` blanks one.
        Field::Option(kind, ..) if &**kind == "tcp" => Change::None,
        _ => Change::Anything,
    }
}

impl Lowering<'_> {
    /// `left set value`.
    pub(super) fn mangle(&mut self, left: &Expr, value: &Expr, steps: &mut Vec<Step>) {
        let Expr::Field(field) = left else {
            let what = format!("what `{} set …` does", print::expr(left));
            return self.anything(what, "", false, steps);
        };
        match field {
            Field::Option(..) => self.needs(&[Needs::protocol(6)], steps),
            // `ct … set` does nothing to packets without a session.
            Field::Ct { .. } => {}
            _ => {
                self.needs(&[selector(field, self.table_family()).needs], steps);
            }
        }
        match change(field, value) {
            Change::Mark => {
                let value = self.mark(value, steps);
                steps.push(Step::Act(Action::SetMark(value)));
            }
            Change::CtMark => {
                let value = self.mark(value, steps);
                steps.push(Step::Act(Action::SetCtMark(value)));
            }
            Change::None => self.evaluates(value, steps),
            Change::Helper => {
                self.evaluates(value, steps);
                let what = self.helper_words(value);
                // Nothing about the packet's own fate is open.
                let doubted = self.doubted;
                let doubt = self.doubt(what, "", false);
                self.doubted = doubted;
                steps.push(Step::Act(Action::Helper(doubt)));
            }
            Change::Hops => {
                self.evaluates(value, steps);
                let what = format!("how far packets come after `{} set {}`", print::field(field), print::expr(value));
                let doubt = self.doubt(what, "", false);
                steps.push(Step::Act(Action::Unmodelled(Ways::ContinueOrDrop, doubt)));
            }
            Change::Anything => {
                self.evaluates(value, steps);
                let what = format!("where packets go after `{} set {}`", print::field(field), print::expr(value));
                self.anything(what, "", false, steps);
            }
        }
    }

    /// What is open about a helper, with its kind where the table says it.
    fn helper_words(&self, value: &Expr) -> String {
        let kind = match value {
            Expr::Word(name) => self.helper_kind(name).unwrap_or_else(|| name.to_string()),
            _ => print::expr(value),
        };
        format!(
            "what the connection helper `{kind}` makes of what the packets say: it may rewrite addresses and ports in them"
        )
    }

    /// The `type` of a helper object of this table.
    fn helper_kind(&self, name: &str) -> Option<String> {
        let object = self.tables[self.table].objects.iter().find(|o| &*o.kind == "ct helper" && &*o.name == name)?;
        let mut words =
            object.body.split(|c: char| !c.is_alphanumeric() && !"-_.".contains(c)).filter(|w| !w.is_empty());
        words.find(|w| *w == "type")?;
        words.next().map(str::to_owned)
    }

    /// The value of a mark.
    fn mark(&mut self, value: &Expr, steps: &mut Vec<Step>) -> Value {
        if let Expr::Map(sides) = value {
            let before = steps.len();
            let doubts = self.pipeline.doubts.len();
            let read = |_: &Self, data: &ElemData| match data {
                ElemData::Value(v) => fixed_mark(v).ok_or_else(|| "an element is no number".into()),
                ElemData::Verdict(_) => Err("an element is a verdict".into()),
            };
            if let Ok(lookup) = self.lookup(&sides.0, &sides.1, steps, read) {
                return Arc::new(lookup);
            }
            steps.truncate(before);
            self.pipeline.doubts.truncate(doubts);
        } else if let Some(value) = linear(value) {
            return Arc::new(Lookup::fixed(value));
        }
        self.value_exists(value, steps);
        let doubt = self.doubt(format!("the mark `{}`", print::expr(value)), "", false);
        Arc::new(Lookup::fixed(MarkValue { from: MarkFrom::Unknown(doubt), and: u32::MAX, xor: 0 }))
    }

    /// A missing value keeps the mark as it was, which counts even at the end of a rule.
    fn value_exists(&mut self, value: &Expr, steps: &mut Vec<Step>) {
        let more = std::mem::replace(&mut self.more, true);
        self.evaluates(value, steps);
        self.more = more;
    }
}

fn fixed_mark(e: &Expr) -> Option<MarkValue> {
    Some(MarkValue { from: MarkFrom::Zero, and: 0, xor: fixed_number(e)? })
}

/// `(mark & a) ^ b`, whatever way it is written.
fn linear(e: &Expr) -> Option<MarkValue> {
    let whole = |from| Some(MarkValue { from, and: u32::MAX, xor: 0 });
    match e {
        Expr::Field(Field::Meta(key)) if &**key == "mark" => whole(MarkFrom::Mark),
        Expr::Field(Field::Ct { key, .. }) if &**key == "mark" => whole(MarkFrom::CtMark),
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
