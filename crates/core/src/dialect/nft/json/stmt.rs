//! Statements in JSON.

use super::expr::{expr, verdict};
use super::{Read, shorten, text, words};
use crate::dialect::nft::ast::{Cmp, Expr, Field, NatKind, Stmt};
use serde_json::Value;

/// One statement of a rule.
pub(super) fn statement(v: &Value) -> Read<Stmt> {
    if let Some(verdict) = verdict(v) {
        return Ok(Stmt::Verdict(verdict));
    }
    let (kind, body) = match v {
        Value::Object(o) => o.iter().next().ok_or(())?,
        // `"notrack"` alone, in some versions.
        Value::String(s) if s == "notrack" => return Ok(Stmt::Notrack),
        _ => return Err(()),
    };
    Ok(match kind.as_str() {
        "match" => relation(body)?,
        "vmap" => Stmt::Vmap(expr(body.get("key").ok_or(())?)?, expr(body.get("data").ok_or(())?)?),
        "snat" => nat(NatKind::Snat, body)?,
        "dnat" => nat(NatKind::Dnat, body)?,
        "masquerade" => nat(NatKind::Masquerade, body)?,
        "redirect" => nat(NatKind::Redirect, body)?,
        "mangle" => mangle(body)?,
        "limit" => Stmt::Limit,
        "quota" => Stmt::Quota,
        "ct count" => Stmt::CtCount,
        "counter" | "log" | "last" | "ct helper" | "ct timeout" | "ct expectation" | "dup" | "secmark" => {
            Stmt::NoEffect(kind.as_str().into())
        }
        "reject" => reject(body),
        "notrack" => Stmt::Notrack,
        "set" | "map" => Stmt::SetUpdate {
            op: text(body, "op").unwrap_or("add").into(),
            set: text(body, if kind == "map" { "map" } else { "set" }).ok_or(())?.trim_start_matches('@').into(),
            stmts: inner(body.get("stmt"))?,
        },
        "meter" => Stmt::Meter(inner(body.get("stmt"))?),
        "flow" | "queue" | "tproxy" | "fwd" | "synproxy" => Stmt::Effect(kind.as_str().into(), effect(kind, body)),
        "xt" => {
            let (kind, name) = (text(body, "type").unwrap_or("match"), text(body, "name").unwrap_or("?"));
            Stmt::Xt(format!("{kind} \"{name}\"").into())
        }
        _ => return Err(()),
    })
}

fn inner(v: Option<&Value>) -> Read<Vec<Stmt>> {
    match v {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(statement).collect(),
        Some(one) => Ok(vec![statement(one)?]),
    }
}

fn effect(kind: &str, v: &Value) -> Box<str> {
    match kind {
        "flow" => format!("flow {} {}", text(v, "op").unwrap_or("add"), text(v, "flowtable").unwrap_or("@?")).into(),
        _ => format!("{kind} {}", shorten(v)).into(),
    }
}

fn relation(v: &Value) -> Read<Stmt> {
    let left = expr(v.get("left").ok_or(())?)?;
    let right = expr(v.get("right").ok_or(())?)?;
    let op = match text(v, "op").ok_or(())? {
        "in" => Cmp::Implicit,
        "==" => Cmp::Eq,
        "!=" => Cmp::Ne,
        "!" => Cmp::NoneOf,
        "<" => Cmp::Lt,
        ">" => Cmp::Gt,
        "<=" => Cmp::Le,
        ">=" => Cmp::Ge,
        _ => return Err(()),
    };
    Ok(Stmt::Match { left, op, right })
}

fn nat(kind: NatKind, v: &Value) -> Read<Stmt> {
    let part = |key: &str| v.get(key).map(expr).transpose();
    let prefix = words(v.get("type_flags")).iter().any(|f| &**f == "prefix");
    Ok(Stmt::Nat {
        kind,
        family: text(v, "family").and_then(super::super::text::family),
        addr: part("addr")?,
        port: part("port")?,
        prefix,
        flags: words(v.get("flags")),
    })
}

fn mangle(v: &Value) -> Read<Stmt> {
    let key = expr(v.get("key").ok_or(())?)?;
    let value = expr(v.get("value").ok_or(())?)?;
    Ok(match &key {
        Expr::Field(Field::Ct { key, .. }) if matches!(&**key, "helper" | "timeout" | "expectation") => {
            Stmt::NoEffect(format!("ct {key} set").into())
        }
        _ => Stmt::Mangle(key, value),
    })
}

fn reject(v: &Value) -> Stmt {
    let protocol = text(v, "type").unwrap_or("");
    let kind = text(v, "expr").unwrap_or("");
    Stmt::Reject(match (protocol, kind) {
        ("tcp reset", _) => "tcp reset".into(),
        ("", "") => "".into(),
        _ => format!("{protocol} {kind}").into(),
    })
}
