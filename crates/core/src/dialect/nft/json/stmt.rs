//! Statements.

use super::expr::{Read, elems, expr, mapping, only, text, verdict, words};
use crate::dialect::nft::ast::{Cmp, Expr, NatKind, Stmt, TableFamily};
use crate::dialect::nft::normal::{self, Nat};
use serde_json::Value;

/// One statement of a rule in a table of this family.
pub(super) fn stmt(family: TableFamily, value: &Value) -> Read<Stmt> {
    if let Some(verdict) = verdict(value)? {
        return Ok(Stmt::Verdict(verdict));
    }
    let (key, inner) = only(value)?;
    Ok(match key {
        "match" => relation(inner)?,
        "vmap" => normal::vmap(expr(&inner["key"])?, mapping(inner.get("data"))?),
        "counter" => match inner {
            Value::Null => Stmt::NoEffect("counter".into()),
            Value::Object(o) if o.contains_key("packets") || o.contains_key("bytes") => {
                Stmt::NoEffect("counter".into())
            }
            name => normal::object("counter", expr(name)?),
        },
        "log" => Stmt::NoEffect("log".into()),
        "limit" | "quota" | "ct count" | "last" => stateful(key, inner).ok_or("no such statement")?,
        "mangle" => normal::mangle(expr(&inner["key"])?, expr(&inner["value"])?),
        "ct helper" => normal::helper(expr(inner)?),
        "ct timeout" | "ct expectation" | "secmark" | "tunnel" => normal::object(key, expr(inner)?),
        "reject" => match inner["type"].as_str() {
            None => Stmt::Reject("".into()),
            Some("tcp reset") => Stmt::Reject("tcp reset".into()),
            Some(protocol) => normal::reject(family, protocol, &expr(&inner["expr"])?),
        },
        "notrack" => Stmt::Notrack,
        "snat" => nat(family, NatKind::Snat, inner)?,
        "dnat" => nat(family, NatKind::Dnat, inner)?,
        "masquerade" => nat(family, NatKind::Masquerade, inner)?,
        "redirect" => nat(family, NatKind::Redirect, inner)?,
        "set" | "map" => set_update(family, key, inner)?,
        "meter" => Stmt::Meter { key: expr(&inner["key"])?, stmts: vec![stmt(family, &inner["stmt"])?] },
        "flow" => {
            let table = text(inner, "flowtable")?;
            Stmt::Effect("flow".into(), format!("add @{}", table.trim_start_matches('@')).into())
        }
        "queue" => normal::queue(optional(inner, "num")?.as_ref(), &words(inner.get("flags"))?),
        "tproxy" => {
            let (addr, port) = (optional(inner, "addr")?, optional(inner, "port")?);
            normal::tproxy(family, family_of(inner)?, addr.as_ref(), port.as_ref())
        }
        "fwd" => normal::fwd(family_of(inner)?, optional(inner, "addr")?.as_ref(), &expr(&inner["dev"])?),
        "dup" => normal::dup(optional(inner, "addr")?, optional(inner, "dev")?),
        "synproxy" => match inner {
            Value::String(name) => Stmt::Effect("synproxy".into(), format!("name {name}").into()),
            Value::Object(o) if o.contains_key("map") => {
                Stmt::Effect("synproxy".into(), format!("name {}", normal::expr_text(&expr(inner)?)).into())
            }
            _ => normal::synproxy(inner["mss"].as_u64(), inner["wscale"].as_u64(), &words(inner.get("flags"))?),
        },
        "reset" => Stmt::Mangle(expr(inner)?, Expr::Word("reset".into())),
        "xt" => match (inner["type"].as_str(), inner["name"].as_str()) {
            (Some(kind), Some(name)) => Stmt::Xt(format!("{kind} \"{name}\"").into()),
            _ => Stmt::Xt(inner.to_string().into()),
        },
        other => return Err(format!("`{other}` is no statement that is known")),
    })
}

/// Statements that keep a state and may or may not match, or only count. Their operands do not matter, not even a map
/// in place of a name: undecided is undecided.
pub(super) fn stateful(key: &str, inner: &Value) -> Option<Stmt> {
    let packets = |amount: &str, unit: &str| {
        let counted = inner[unit].as_str().is_none_or(|u| u == "packets");
        inner[amount].as_u64().filter(|_| counted)
    };
    Some(match key {
        "limit" => {
            let unit = inner["per"].as_str().unwrap_or_default();
            let over = inner["inv"].as_bool().unwrap_or_default();
            normal::limit(packets("rate", "rate_unit"), unit, packets("burst", "burst_unit"), over)
        }
        "quota" => Stmt::Quota,
        "ct count" => Stmt::CtCount,
        "last" => Stmt::NoEffect("last".into()),
        _ => return None,
    })
}

fn relation(inner: &Value) -> Read<Stmt> {
    let op = match text(inner, "op")? {
        "in" => Cmp::Implicit,
        "==" => Cmp::Eq,
        "!=" => Cmp::Ne,
        "<" => Cmp::Lt,
        ">" => Cmp::Gt,
        "<=" => Cmp::Le,
        ">=" => Cmp::Ge,
        "!" => Cmp::NoneOf,
        other => return Err(format!("`{other}` is no operator that is known")),
    };
    let left = expr(&inner["left"])?;
    let right = match only(&inner["right"]) {
        Ok(("set", list)) => Expr::Set(elems(list, false)?),
        _ => expr(&inner["right"])?,
    };
    Ok(normal::relation(left, op, right))
}

fn optional(inner: &Value, key: &str) -> Read<Option<Expr>> {
    match inner.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => Ok(Some(expr(value)?)),
    }
}

fn family_of(inner: &Value) -> Read<Option<TableFamily>> {
    match inner["family"].as_str() {
        None => Ok(None),
        Some(word) => Ok(Some(normal::family(word).ok_or_else(|| format!("`{word}` is no family"))?)),
    }
}

fn nat(table: TableFamily, kind: NatKind, inner: &Value) -> Read<Stmt> {
    const KNOWN: [&str; 5] = ["family", "addr", "port", "flags", "type_flags"];
    if let Some(other) = inner.as_object().into_iter().flatten().map(|(k, _)| k).find(|k| !KNOWN.contains(&k.as_str()))
    {
        return Err(format!("`{other}` is nothing that is known of an address translation"));
    }
    let kinds = words(inner.get("type_flags"))?;
    Ok(normal::nat(
        table,
        Nat {
            kind,
            family: family_of(inner)?,
            addr: optional(inner, "addr")?,
            port: optional(inner, "port")?,
            prefix: kinds.iter().any(|k| &**k == "prefix"),
            flags: words(inner.get("flags"))?,
        },
    ))
}

fn set_update(family: TableFamily, kind: &str, inner: &Value) -> Read<Stmt> {
    let set = text(inner, kind)?.trim_start_matches('@').into();
    let stmts = match inner.get("stmt") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().map(|s| stmt(family, s)).collect::<Read<_>>()?,
        Some(single) => vec![stmt(family, single)?],
    };
    let data = optional(inner, "data")?.map(Box::new);
    Ok(Stmt::SetUpdate { op: text(inner, "op")?.into(), set, key: Box::new(expr(&inner["elem"])?), data, stmts })
}
