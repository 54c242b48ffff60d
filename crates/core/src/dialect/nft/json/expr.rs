//! Expressions in JSON.

use super::{Read, presence, shorten, text, words};
use crate::dialect::nft::ast::{BinOp, CtDir, Elem, ElemData, Expr, Field, Stmt, Verdict};
use serde_json::Value;

/// Expressions nest at most this deep; `serde_json` itself stops at 128.
pub(super) fn expr(v: &Value) -> Read<Expr> {
    match v {
        Value::Number(n) => n.as_u64().map(Expr::Num).ok_or(()),
        Value::Bool(b) => Ok(presence(*b)),
        Value::String(s) => Ok(match s.strip_prefix('@') {
            Some(name) => Expr::SetRef(name.into()),
            None if s == "*" => Expr::Any,
            None => Expr::Word(s.as_str().into()),
        }),
        // A bare list is a list of flags.
        Value::Array(list) => Ok(Expr::Flags(list.iter().map(expr).collect::<Read<_>>()?)),
        Value::Object(o) => {
            let (kind, body) = o.iter().next().ok_or(())?;
            object(kind, body)
        }
        Value::Null => Err(()),
    }
}

fn object(kind: &str, v: &Value) -> Read<Expr> {
    let pair = || -> Read<(Expr, Expr)> {
        match v.as_array().map(Vec::as_slice) {
            Some([a, b]) => Ok((expr(a)?, expr(b)?)),
            _ => Err(()),
        }
    };
    let bin = |op| -> Read<Expr> {
        let list = v.as_array().ok_or(())?;
        let mut parts = list.iter().map(expr).collect::<Read<Vec<_>>>()?.into_iter();
        let first = parts.next().ok_or(())?;
        Ok(parts.fold(first, |left, right| Expr::Bin(op, Box::new((left, right)))))
    };
    Ok(match kind {
        "range" => Expr::Range(Box::new(pair()?)),
        "prefix" => {
            let length = v.get("len").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok()).ok_or(())?;
            Expr::Prefix(Box::new(expr(v.get("addr").ok_or(())?)?), length)
        }
        "set" => Expr::Set(elems(v)?),
        "concat" => Expr::Concat(v.as_array().ok_or(())?.iter().map(expr).collect::<Read<_>>()?),
        "map" => {
            let (key, data) = (v.get("key").ok_or(())?, v.get("data").ok_or(())?);
            Expr::Map(Box::new((expr(key)?, expr(data)?)))
        }
        // `|` of flag words is their union; of anything else an operator.
        "|" => match pair() {
            Ok((a @ (Expr::Word(_) | Expr::Flags(_)), b @ (Expr::Word(_) | Expr::Flags(_)))) => {
                Expr::Flags([a, b].into_iter().flat_map(flags).collect())
            }
            _ => bin(BinOp::Or)?,
        },
        "&" => bin(BinOp::And)?,
        "^" => bin(BinOp::Xor)?,
        "<<" => bin(BinOp::Shl)?,
        ">>" => bin(BinOp::Shr)?,
        "elem" => expr(v.get("val").ok_or(())?)?,
        "numgen" | "jhash" | "symhash" | "osf" => Expr::Opaque(format!("{kind} {}", shorten(v)).into()),
        _ => Expr::Field(field(kind, v)?),
    })
}

fn flags(e: Expr) -> Vec<Expr> {
    match e {
        Expr::Flags(list) => list,
        other => vec![other],
    }
}

fn boxed(v: &Value, key: &str) -> Read<Box<str>> {
    text(v, key).map(Into::into).ok_or(())
}

fn field(kind: &str, v: &Value) -> Read<Field> {
    Ok(match kind {
        "payload" => {
            if let Some(protocol) = text(v, "protocol") {
                Field::Payload(protocol.into(), boxed(v, "field")?)
            } else {
                let number = |key| v.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).ok_or(());
                Field::Raw(boxed(v, "base")?, number("offset")?, number("len")?)
            }
        }
        "meta" => Field::Meta(boxed(v, "key")?),
        "ct" => {
            let dir = match text(v, "dir") {
                Some("original") => Some(CtDir::Original),
                Some("reply") => Some(CtDir::Reply),
                _ => None,
            };
            let key = text(v, "key").ok_or(())?;
            // Newer versions write `ip saddr` as one key.
            let (family, key) = match key.split_once(' ') {
                Some((family, key)) => (super::super::text::family(family), key),
                None => (text(v, "family").and_then(super::super::text::family), key),
            };
            Field::Ct { key: key.into(), dir, family }
        }
        "fib" => Field::Fib(words(v.get("flags")), boxed(v, "result")?),
        "rt" => Field::Rt(boxed(v, "key")?),
        "socket" => Field::Socket(boxed(v, "key")?),
        "exthdr" => Field::Exthdr(boxed(v, "name")?, text(v, "field").map(Into::into)),
        "tcp option" | "ip option" | "sctp chunk" | "dccp option" => {
            let protocol = kind.split(' ').next().unwrap_or(kind);
            let name = text(v, "name").or(text(v, "base")).unwrap_or("raw");
            Field::Option(protocol.into(), name.into(), text(v, "field").map(Into::into))
        }
        "ipsec" => Field::Ipsec(shorten(v)),
        "tunnel" => Field::Other(shorten(v)),
        _ => return Err(()),
    })
}

/// Elements of a set or map.
pub(super) fn elems(v: &Value) -> Read<Vec<Elem>> {
    match v {
        Value::Array(list) => list.iter().map(elem).collect(),
        single => Ok(vec![elem(single)?]),
    }
}

fn elem(v: &Value) -> Read<Elem> {
    // A map's elements are pairs: key, data.
    if let Value::Array(pair) = v {
        let [key, data] = &pair[..] else { return Err(()) };
        let mut out = elem(key)?;
        out.data = Some(match verdict(data) {
            Some(verdict) => ElemData::Verdict(verdict),
            None => ElemData::Value(expr(data)?),
        });
        return Ok(out);
    }
    let mut out = Elem { key: Expr::Any, data: None, timeout: false, stmts: Vec::new() };
    match v.get("elem") {
        Some(inner) => {
            out.key = expr(inner.get("val").ok_or(())?)?;
            out.timeout = inner.get("timeout").is_some() || inner.get("expires").is_some();
            for (name, stmt) in [("limit", Stmt::Limit), ("quota", Stmt::Quota), ("ct count", Stmt::CtCount)] {
                if inner.get(name).is_some() {
                    out.stmts.push(stmt);
                }
            }
        }
        None => out.key = expr(v)?,
    }
    Ok(out)
}

/// A verdict object.
pub(super) fn verdict(v: &Value) -> Option<Verdict> {
    let (kind, body) = v.as_object()?.iter().next()?;
    let target = || text(body, "target").map(Into::into);
    Some(match kind.as_str() {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" => Verdict::Jump(target()?),
        "goto" => Verdict::Goto(target()?),
        _ => return None,
    })
}
