//! Expressions.

use crate::dialect::nft::ast::{BinOp, CtDir, Elem, ElemData, Expr, Field, Verdict};
use crate::dialect::nft::normal;
use serde_json::{Map, Value};

/// More than nft prints: flags have 32 bits.
const MOST_OPERANDS: usize = 64;

/// Result of decoding; the error says what was not understood.
pub(super) type Read<T> = Result<T, String>;

/// An object of one member, as nearly everything here is one.
pub(super) fn only(value: &Value) -> Read<(&str, &Value)> {
    let mut members = value.as_object().ok_or("an object was expected")?.iter();
    match (members.next(), members.next()) {
        (Some((key, inner)), None) => Ok((key, inner)),
        _ => Err("an object with one member was expected".into()),
    }
}

/// A member that is text.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Read<&'v str> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is missing"))
}

fn count(value: &Value, key: &str) -> Read<u64> {
    value.get(key).and_then(Value::as_u64).ok_or_else(|| format!("`{key}` is missing"))
}

/// One word or a list of words.
pub(super) fn words(value: Option<&Value>) -> Read<Vec<Box<str>>> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(word)) => Ok(vec![word.as_str().into()]),
        Some(Value::Array(list)) => list
            .iter()
            .map(|w| w.as_str().map(Into::into).ok_or_else(|| "a list of words was expected".into()))
            .collect(),
        Some(_) => Err("a word or a list of words was expected".into()),
    }
}

/// Any expression.
pub(super) fn expr(value: &Value) -> Read<Expr> {
    Ok(match value {
        Value::String(word) => match word.strip_prefix('@') {
            Some(set) => Expr::SetRef(set.into()),
            // nft 1.0.6 lists ports of `ct` in sets like this.
            None => match word.strip_suffix(" [invalid type]").and_then(normal::number) {
                Some(number) => Expr::Num(number),
                None => Expr::Word(word.as_str().into()),
            },
        },
        Value::Number(number) => number.as_u64().map_or_else(|| Expr::Word(number.to_string().into()), Expr::Num),
        Value::Bool(true) => Expr::Word("exists".into()),
        Value::Bool(false) => Expr::Word("missing".into()),
        Value::Array(list) => normal::flags(list.iter().map(expr).collect::<Read<_>>()?),
        Value::Object(_) => {
            let (key, inner) = only(value)?;
            return object(key, inner);
        }
        Value::Null => return Err("an expression was expected".into()),
    })
}

fn object(key: &str, inner: &Value) -> Read<Expr> {
    let pair = || match inner.as_array().map(Vec::as_slice) {
        Some([a, b]) => Ok((expr(a)?, expr(b)?)),
        _ => Err(format!("`{key}` needs two values")),
    };
    Ok(match key {
        "concat" => Expr::Concat(parts(inner)?),
        "set" => Expr::Set(elems(inner, false)?),
        "map" => {
            let map = inner.as_object().ok_or("a map was expected")?;
            normal::map(member(map, "key")?, mapping(map.get("data"))?)
        }
        "prefix" => {
            let length = count(inner, "len").and_then(|n| u8::try_from(n).map_err(|e| e.to_string()))?;
            Expr::Prefix(Box::new(expr(&inner["addr"])?), length)
        }
        "range" => Expr::Range(Box::new(pair()?)),
        "elem" => expr(&inner["val"])?,
        "|" | "^" | "&" | "<<" | ">>" => operation(key, parts(inner)?)?,
        "numgen" => {
            let head = format!("numgen {}", text(inner, "mode")?);
            normal::generator(&head, count(inner, "mod")?, None, inner["offset"].as_u64())
        }
        "jhash" => {
            let head = format!("jhash {}", normal::expr_text(&expr(&inner["expr"])?));
            normal::generator(&head, count(inner, "mod")?, inner["seed"].as_u64(), inner["offset"].as_u64())
        }
        "symhash" => normal::generator("symhash", count(inner, "mod")?, None, inner["offset"].as_u64()),
        "osf" => {
            let ttl = inner["ttl"].as_str().map_or(String::new(), |t| format!("ttl {t} "));
            Expr::Opaque(format!("osf {ttl}{}", text(inner, "key")?).into())
        }
        _ => Expr::Field(field(key, inner)?),
    })
}

fn parts(value: &Value) -> Read<Vec<Expr>> {
    value.as_array().ok_or("a list was expected")?.iter().map(expr).collect()
}

/// nft 1.0.6 nests operations of two operands, newer versions list all operands of one operator.
fn operation(sign: &str, operands: Vec<Expr>) -> Read<Expr> {
    let op = match sign {
        "|" => BinOp::Or,
        "^" => BinOp::Xor,
        "&" => BinOp::And,
        "<<" => BinOp::Shl,
        _ => BinOp::Shr,
    };
    if operands.len() < 2 {
        return Err(format!("`{sign}` needs two values"));
    }
    // Each becomes a layer around those before it.
    if operands.len() > MOST_OPERANDS {
        return Err(format!("`{sign}` has {} values, and {MOST_OPERANDS} are the most", operands.len()));
    }
    let joined = operands.into_iter().reduce(|left, right| match op {
        BinOp::Or => normal::either(left, right),
        op => Expr::Bin(op, Box::new((left, right))),
    });
    joined.ok_or_else(|| format!("`{sign}` needs two values"))
}

fn member(map: &Map<String, Value>, key: &str) -> Read<Expr> {
    expr(map.get(key).ok_or_else(|| format!("`{key}` is missing"))?)
}

/// The data of a map: a reference, or a set of pairs.
pub(super) fn mapping(value: Option<&Value>) -> Read<Expr> {
    let value = value.ok_or("`data` is missing")?;
    match only(value) {
        Ok(("set", inner)) => Ok(Expr::Set(elems(inner, true)?)),
        _ => expr(value),
    }
}

/// The elements of a set or map.
pub(super) fn elems(value: &Value, map: bool) -> Read<Vec<Elem>> {
    match value {
        Value::Array(list) => list.iter().map(|e| elem(e, map)).collect(),
        // A set of one element may stand without its list.
        single => Ok(vec![elem(single, map)?]),
    }
}

fn elem(value: &Value, map: bool) -> Read<Elem> {
    if map {
        let Some([key, data]) = value.as_array().map(Vec::as_slice) else {
            return Err("a key and its data were expected".into());
        };
        let data = match verdict(data)? {
            Some(verdict) => ElemData::Verdict(verdict),
            None => ElemData::Value(expr(data)?),
        };
        return Ok(Elem { data: Some(data), ..elem(key, false)? });
    }
    let mut elem = Elem { key: Expr::Any, data: None, timeout: false, stmts: Vec::new() };
    let mut key = value;
    if let Ok(("elem", inner)) = only(value) {
        key = &inner["val"];
        for (name, part) in inner.as_object().into_iter().flatten() {
            match name.as_str() {
                "val" | "comment" | "counter" | "last" => {}
                "timeout" | "expires" => elem.timeout |= !part.is_null(),
                "limit" | "quota" | "ct count" => {
                    elem.stmts.push(super::stmt::stateful(name, part).ok_or("no such statement")?);
                }
                other => return Err(format!("`{other}` is nothing that is known of an element")),
            }
        }
    }
    if key.as_str() != Some("*") {
        elem.key = expr(key)?;
    }
    Ok(elem)
}

/// A verdict, if it is one.
pub(super) fn verdict(value: &Value) -> Read<Option<Verdict>> {
    let Ok((key, inner)) = only(value) else { return Ok(None) };
    Ok(Some(match key {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" => Verdict::Jump(text(inner, "target")?.into()),
        "goto" => Verdict::Goto(text(inner, "target")?.into()),
        _ => return Ok(None),
    }))
}

fn field(key: &str, inner: &Value) -> Read<Field> {
    let part = |name| inner.get(name).and_then(Value::as_str).map(Into::into);
    Ok(match key {
        "payload" => payload(inner)?,
        "meta" => normal::meta(text(inner, "key")?),
        "ct" => ct(inner)?,
        "fib" => Field::Fib(words(inner.get("flags"))?, text(inner, "result")?.into()),
        "rt" => {
            let family = inner["family"].as_str().map_or(String::new(), |f| format!("{f} "));
            Field::Rt(format!("{family}{}", text(inner, "key")?).into())
        }
        "socket" => Field::Socket(text(inner, "key")?.into()),
        "exthdr" => Field::Exthdr(text(inner, "name")?.into(), part("field")),
        "tcp option" if inner.get("base").is_some() => {
            let name = normal::raw_option(count(inner, "base")?, count(inner, "offset")?, count(inner, "len")?);
            Field::Option("tcp".into(), name, None)
        }
        "tcp option" => Field::Option("tcp".into(), normal::tcp_option(text(inner, "name")?).into(), part("field")),
        "ip option" => Field::Option("ip".into(), text(inner, "name")?.into(), part("field")),
        "sctp chunk" => Field::Option("sctp".into(), text(inner, "name")?.into(), part("field")),
        "dccp option" => Field::Option("dccp".into(), count(inner, "type")?.to_string().into(), None),
        "ipsec" => {
            let number = inner["spnum"].as_u64().filter(|n| *n != 0).map_or(String::new(), |n| format!("spnum {n} "));
            let family = inner["family"].as_str().map_or(String::new(), |f| format!("{f} "));
            Field::Ipsec(format!("{} {number}{family}{}", text(inner, "dir")?, text(inner, "key")?).into())
        }
        "tunnel" => Field::Other(format!("tunnel {}", text(inner, "key")?).into()),
        other => return Err(format!("`{other}` is no expression that is known")),
    })
}

fn payload(inner: &Value) -> Read<Field> {
    if let Some(base) = inner["base"].as_str() {
        let bits = |key| count(inner, key).and_then(|n| u32::try_from(n).map_err(|e| e.to_string()));
        return Ok(Field::Raw(base.into(), bits("offset")?, bits("len")?));
    }
    let (protocol, name) = (text(inner, "protocol")?, text(inner, "field")?);
    Ok(match inner["tunnel"].as_str() {
        None => Field::Payload(protocol.into(), name.into()),
        Some(tunnel) if tunnel == protocol => Field::Payload(protocol.into(), name.into()),
        Some(tunnel) => Field::Other(format!("{tunnel} {protocol} {name}").into()),
    })
}

fn ct(inner: &Value) -> Read<Field> {
    let dir = match inner["dir"].as_str() {
        None => None,
        Some("original") => Some(CtDir::Original),
        Some("reply") => Some(CtDir::Reply),
        Some(other) => return Err(format!("`{other}` is no direction")),
    };
    let key = text(inner, "key")?;
    // Newer versions write `ip saddr` as one key, older ones the family beside it.
    let (family, key) = match key.split_once(' ') {
        Some((family, key)) => (Some(family), key),
        None => (inner["family"].as_str(), key),
    };
    let family = match family {
        None => None,
        Some(word) => Some(normal::family(word).ok_or_else(|| format!("`{word}` is no family"))?),
    };
    Ok(Field::Ct { key: key.into(), dir, family })
}
