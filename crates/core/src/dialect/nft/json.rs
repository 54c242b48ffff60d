//! `nft -j list ruleset` (libnftables-json(5)).
//!
//! The list is read object by object, and rules statement by statement, so that one unknown statement taints its rule
//! and nothing else, and so that a ruleset of 100,000 rules is never held as a tree.

mod expr;
mod stmt;

use super::ast::{
    Base, Chain, ChainKind, DataType, Elem, Expr, HookName, KeyType, Object, Rule, Ruleset, Set, Stmt, Table,
    TableFamily, Unread,
};
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::ReadError;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Reads a JSON listing.
///
/// # Errors
/// When the text is not JSON, or JSON of something else.
pub fn parse(source: SourceId, text: &str) -> Result<Ruleset, ReadError> {
    let whole = SourceSpan { source, start: 0, end: 0 };
    let mut reader = Reader { at: whole, ruleset: Ruleset::default(), found: false };
    let mut json = serde_json::Deserializer::from_str(text);
    let result = Document(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    if let Err(error) = result {
        let start = offset(text, error.line(), error.column());
        return Err(ReadError::new(
            SourceSpan { source, start, end: start + 1 },
            format!("this is not valid JSON: {error}"),
        )
        .help("save the output of `nft -j list ruleset` again; was the file cut off?"));
    }
    if !reader.found {
        return Err(ReadError::new(whole, "this JSON holds no list `nftables`")
            .help("give the output of `nft -j list ruleset`"));
    }
    Ok(reader.ruleset)
}

fn offset(text: &str, line: usize, column: usize) -> u32 {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = (before + column.saturating_sub(1)).min(text.len());
    u32::try_from(at).unwrap_or(u32::MAX - 1)
}

/// A part of a rule that was not understood.
type Read<T> = Result<T, ()>;

struct Reader {
    at: SourceSpan,
    ruleset: Ruleset,
    found: bool,
}

struct Document<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object that `nft -j list ruleset` prints")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "nftables" {
                self.0.found = true;
                map.next_value_seed(Objects(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Objects<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Objects<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tables, chains and rules")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(object) = seq.next_element::<Value>()? {
            self.0.object(&object);
        }
        Ok(())
    }
}

/// A string member.
fn text<'v>(v: &'v Value, key: &str) -> Option<&'v str> {
    v.get(key).and_then(Value::as_str)
}

/// A member that is one string or a list of strings.
fn words(v: Option<&Value>) -> Vec<Box<str>> {
    match v {
        Some(Value::String(s)) => vec![s.as_str().into()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(Into::into).collect(),
        _ => Vec::new(),
    }
}

fn shorten(v: &Value) -> Box<str> {
    let text = v.to_string();
    match text.char_indices().nth(120) {
        Some((i, _)) => format!("{} …", &text[..i]).into(),
        None => text.into(),
    }
}

impl Reader {
    fn object(&mut self, object: &Value) {
        let Some((kind, body)) = object.as_object().and_then(|o| o.iter().next()) else {
            return self.unread(object, "an object was expected here");
        };
        // Commands, as `nft -j -f` takes them: only additions make sense in a listing.
        let (kind, body) = match (kind.as_str(), body.as_object().and_then(|o| o.iter().next())) {
            ("add" | "create" | "insert", Some((inner, body))) => (inner.as_str(), body),
            _ => (kind.as_str(), body),
        };
        let done = match kind {
            "metainfo" => Some(()),
            "table" => self.table(body),
            "chain" => self.chain(body),
            "rule" => self.rule(body),
            "set" | "map" => self.set(body),
            "element" => self.elements(body),
            "counter" | "quota" | "limit" | "ct helper" | "ct timeout" | "ct expectation" | "synproxy" | "secmark"
            | "flowtable" => self.named_object(kind, body),
            _ => None,
        };
        if done.is_none() {
            self.unread(object, "it is no object that is known, or it lacks something");
        }
    }

    fn unread(&mut self, v: &Value, why: &str) {
        self.ruleset.unread.push(Unread { at: self.at, text: shorten(v), why: why.into() });
    }

    fn table(&mut self, v: &Value) -> Option<()> {
        let family = super::text::family(text(v, "family")?)?;
        let name = text(v, "name")?.into();
        let dormant = words(v.get("flags")).iter().any(|f| &**f == "dormant");
        let (chains, sets, objects) = (Vec::new(), Vec::new(), Vec::new());
        self.ruleset.tables.push(Table { family, name, dormant, chains, sets, objects, at: self.at });
        Some(())
    }

    fn table_of(&mut self, v: &Value) -> Option<&mut Table> {
        let family = super::text::family(text(v, "family")?)?;
        let name = text(v, "table")?;
        self.ruleset.tables.iter_mut().find(|t| t.family == family && &*t.name == name)
    }

    fn chain(&mut self, v: &Value) -> Option<()> {
        let at = self.at;
        let table = self.table_of(v)?;
        let base = match text(v, "hook") {
            Some(hook) => Some(base(v, hook, table.family)?),
            None => None,
        };
        table.chains.push(Chain { name: text(v, "name")?.into(), base, rules: Vec::new(), at });
        Some(())
    }

    fn rule(&mut self, v: &Value) -> Option<()> {
        let mut rule = Rule {
            stmts: Vec::new(),
            comment: text(v, "comment").map(Into::into),
            handle: v.get("handle").and_then(Value::as_u64),
            at: self.at,
        };
        let list = v.get("expr")?.as_array()?;
        for (i, item) in list.iter().enumerate() {
            if let Ok(stmt) = stmt::statement(item) {
                rule.stmts.push(stmt);
            } else {
                let rest: Vec<String> = list[i..].iter().map(|v| shorten(v).into()).collect();
                rule.stmts.push(Stmt::Unread(super::text::one_line(&rest.join(" "))));
                break;
            }
        }
        let chain = text(v, "chain")?;
        let table = self.table_of(v)?;
        table.chains.iter_mut().find(|c| &*c.name == chain)?.rules.push(rule);
        Some(())
    }

    fn set(&mut self, v: &Value) -> Option<()> {
        let at = self.at;
        let set = Set {
            name: text(v, "name")?.into(),
            key: key_type(v.get("type")?),
            data: v.get("map").map(data_type),
            flags: words(v.get("flags")),
            timeout: v.get("timeout").is_some(),
            elems: list(v.get("elem"))?,
            stmts: v
                .get("stmt")
                .and_then(Value::as_array)
                .map(|l| l.iter().filter_map(|s| stmt::statement(s).ok()).collect())
                .unwrap_or_default(),
            at,
        };
        self.table_of(v)?.sets.push(set);
        Some(())
    }

    fn elements(&mut self, v: &Value) -> Option<()> {
        let elems = list(v.get("elem"))?;
        let name = text(v, "name")?;
        let table = self.table_of(v)?;
        table.sets.iter_mut().find(|s| &*s.name == name)?.elems.extend(elems);
        Some(())
    }

    fn named_object(&mut self, kind: &str, v: &Value) -> Option<()> {
        let name = text(v, "name")?.into();
        let body = shorten(v);
        self.table_of(v)?.objects.push(Object { kind: kind.into(), name, body });
        Some(())
    }
}

fn list(v: Option<&Value>) -> Option<Vec<Elem>> {
    match v {
        None => Some(Vec::new()),
        Some(v) => expr::elems(v).ok(),
    }
}

fn base(v: &Value, hook: &str, family: TableFamily) -> Option<Base> {
    let kind = match text(v, "type")? {
        "filter" => ChainKind::Filter,
        "nat" => ChainKind::Nat,
        "route" => ChainKind::Route,
        _ => return None,
    };
    let hook: HookName = super::text::hook(hook)?;
    let priority = match v.get("prio")? {
        Value::String(name) => super::text::priority_of(name, family, hook)?,
        number => i32::try_from(number.as_i64()?).ok()?,
    };
    Some(Base { kind, hook, priority, devices: words(v.get("dev")), policy_drop: text(v, "policy") == Some("drop") })
}

fn key_type(v: &Value) -> KeyType {
    match expr::expr(v) {
        Ok(typeof_expr) if v.is_object() => KeyType::Typeof(typeof_expr),
        _ => KeyType::Names(words(Some(v))),
    }
}

fn data_type(v: &Value) -> DataType {
    match v {
        Value::String(s) if s == "verdict" => DataType::Verdict,
        Value::String(s) if matches!(s.as_str(), "counter" | "quota" | "limit" | "secmark" | "ct helper") => {
            DataType::Object(s.as_str().into())
        }
        Value::Object(_) => expr::expr(v).map_or_else(|()| DataType::Names(Vec::new()), DataType::Typeof),
        other => DataType::Names(words(Some(other))),
    }
}

/// `true`, `false` beside a selector that is there or not.
fn presence(b: bool) -> Expr {
    Expr::Word(if b { "exists" } else { "missing" }.into())
}
