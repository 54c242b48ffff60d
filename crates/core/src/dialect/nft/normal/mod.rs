//! One form for what nftables writes in several ways. Both readers build their trees through these functions, so that
//! the text and the JSON listing of a ruleset give the same tree.

mod finish;
mod names;
mod types;

pub(super) use super::print::expr as expr_text;
pub(super) use finish::finish;
pub(super) use names::{family, hook, number, priority};
pub(super) use types::{Writing, names_of, writing};

use super::ast::{BinOp, Cmp, DataType, Elem, Expr, Field, KeyType, NatKind, Rate, Stmt, TableFamily};
use super::print;
use types::is_flags;

/// A match. nft leaves out `==` where it is the only meaning, and writes a set of one element as that element
/// (`optimize_singleton_set` in its src/evaluate.c).
pub(super) fn relation(left: Expr, op: Cmp, right: Expr) -> Stmt {
    let right = single(&left, typed(&left, right));
    // `tcp flags & (fin|syn) != 0` asks what `tcp flags fin,syn` asks, `… == 0` what `tcp flags ! fin,syn` asks.
    if let (Expr::Bin(BinOp::And, sides), Expr::Num(0)) = (&left, &right)
        && is_flags(&sides.0)
        && matches!(sides.1, Expr::Word(_) | Expr::Flags(_))
        && let op @ (Cmp::Implicit | Cmp::NoneOf) = match op {
            Cmp::Ne => Cmp::Implicit,
            Cmp::Eq | Cmp::Implicit => Cmp::NoneOf,
            other => other,
        }
        && let Expr::Bin(_, sides) = left
    {
        let (left, right) = *sides;
        return Stmt::Match { left, op, right };
    }
    let (left, right) = existence(left, right);
    let in_set = matches!(right, Expr::Set(_) | Expr::SetRef(_));
    let masked = matches!(left, Expr::Bin(..));
    let op = match op {
        Cmp::Eq if in_set || !(masked || is_flags(&left)) => Cmp::Implicit,
        Cmp::Implicit if masked && !in_set => Cmp::Eq,
        other => other,
    };
    Stmt::Match { left, op, right }
}

/// `{ 22 }` is 22. Not for flags: there `tcp flags { syn }` means exactly syn, `tcp flags syn` any value with it;
/// the bits of `ct state` exclude each other, so it makes no difference there.
fn single(left: &Expr, right: Expr) -> Expr {
    let Expr::Set(mut elems) = right else { return right };
    let ct_state = matches!(left, Expr::Field(Field::Ct { key, .. }) if &**key == "state");
    let plain = elems.len() == 1
        && (ct_state || !is_flags(left))
        && elems[0].data.is_none()
        && !elems[0].timeout
        && elems[0].stmts.is_empty()
        && matches!(elems[0].key, Expr::Word(_) | Expr::Num(_) | Expr::Range(_) | Expr::Prefix(..));
    match elems.pop() {
        Some(only) if plain => only.key,
        other => {
            elems.extend(other);
            Expr::Set(elems)
        }
    }
}

/// `fib saddr . iif oif missing`, `… check missing` of newer versions, and `… oif 0` as iptables-nft writes it, are the
/// same question.
fn existence(left: Expr, right: Expr) -> (Expr, Expr) {
    let (Expr::Field(Field::Fib(flags, result)), answer) = (&left, &right) else { return (left, right) };
    let answer = match answer {
        Expr::Word(word) if matches!(&**word, "exists" | "missing") => word.clone(),
        Expr::Num(0) if &**result == "oif" => "missing".into(),
        _ => return (left, right),
    };
    (Expr::Field(Field::Fib(flags.clone(), "check".into())), Expr::Word(answer))
}

/// Values of a match, set or map in the writing that goes with their selector.
pub(super) fn typed(left: &Expr, right: Expr) -> Expr {
    let writings: Vec<Writing> = match left {
        Expr::Concat(parts) => parts.iter().map(writing).collect(),
        single => vec![writing(single)],
    };
    if writings.iter().all(|w| *w == Writing::Plain) { right } else { rewrite(&writings, right) }
}

fn rewrite(writings: &[Writing], value: Expr) -> Expr {
    let first = writings.first().copied().unwrap_or(Writing::Plain);
    match value {
        Expr::Set(elems) => Expr::Set(elems.into_iter().map(|e| Elem { key: rewrite(writings, e.key), ..e }).collect()),
        Expr::Concat(parts) => Expr::Concat(
            parts.into_iter().enumerate().map(|(i, p)| rewrite(writings.get(i..=i).unwrap_or_default(), p)).collect(),
        ),
        Expr::Range(ends) => Expr::Range(Box::new((rewrite(writings, ends.0), rewrite(writings, ends.1)))),
        Expr::Word(word) => match first {
            Writing::Plain => Expr::Word(word),
            Writing::Named => word.parse().map_or(Expr::Word(word), Expr::Num),
            Writing::Seconds => seconds(&word).map_or(Expr::Word(word), Expr::Num),
        },
        other => other,
    }
}

/// `1d2h3m4s` in seconds (`time_parse` in nftables' src/datatype.c); parts of a second are dropped as JSON drops them.
fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, tail) = if let Some(tail) = rest.strip_prefix("ms") {
            (0, tail)
        } else {
            let unit = match rest.as_bytes()[0] {
                b'd' => 86_400,
                b'h' => 3_600,
                b'm' => 60,
                b's' => 1,
                _ => return None,
            };
            (unit, &rest[1..])
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = tail;
    }
    Some(total)
}

/// `a | b`: flag words join to a list, other values stay an operation.
pub(super) fn either(left: Expr, right: Expr) -> Expr {
    let flags = |e: &Expr| matches!(e, Expr::Word(_) | Expr::Flags(_));
    if !(flags(&left) && flags(&right)) {
        return Expr::Bin(BinOp::Or, Box::new((left, right)));
    }
    let mut list = Vec::new();
    for side in [left, right] {
        match side {
            Expr::Flags(more) => list.extend(more),
            single => list.push(single),
        }
    }
    Expr::Flags(list)
}

/// A list of flags; one alone is itself.
pub(super) fn flags(mut list: Vec<Expr>) -> Expr {
    match list.pop() {
        Some(only) if list.is_empty() => only,
        other => {
            list.extend(other);
            Expr::Flags(list)
        }
    }
}

/// `key vmap data`.
pub(super) fn vmap(key: Expr, data: Expr) -> Stmt {
    let data = typed(&key, data);
    Stmt::Vmap(key, data)
}

/// `key map data`.
pub(super) fn map(key: Expr, data: Expr) -> Expr {
    let data = typed(&key, data);
    Expr::Map(Box::new((key, data)))
}

/// `meta key`, in its present name.
pub(super) fn meta(key: &str) -> Field {
    Field::Meta(
        match key {
            "ibriport" | "ibridgename" => "ibrname",
            "obriport" | "obridgename" => "obrname",
            "secpath" => "ipsec",
            other => other,
        }
        .into(),
    )
}

/// The name of a TCP option, in the writing of listings.
pub(super) fn tcp_option(name: &str) -> &str {
    match name {
        "mss" => "maxseg",
        "sack0" => "sack",
        "sack-permitted" => "sack-perm",
        other => other,
    }
}

/// Name of a TCP option by its number. Its first byte is its kind, which is how its presence is asked for.
pub(super) fn raw_option(kind: u64, offset: u64, length: u64) -> Box<str> {
    if offset == 0 && matches!(length, 0 | 8) {
        return kind.to_string().into();
    }
    format!("@{kind},{offset},{length}").into()
}

/// `… set value`.
pub(super) fn mangle(left: Expr, value: Expr) -> Stmt {
    match &left {
        Expr::Field(Field::Meta(key)) if &**key == "nftrace" => return object("nftrace", value),
        Expr::Field(Field::Meta(key)) if &**key == "secmark" => {
            // Whether a rule reads conntrack matters: it makes the kernel track connections.
            let keyword = if matches!(value, Expr::Field(Field::Ct { .. })) { "ct secmark" } else { "secmark" };
            return object(keyword, value);
        }
        Expr::Field(Field::Ct { key, .. }) => match &**key {
            "secmark" => return object("ct secmark", value),
            "helper" => return helper(value),
            "timeout" => return object("ct timeout", value),
            "expectation" => return object("ct expectation", value),
            "event" => return object("ct event", value),
            _ => {}
        },
        _ => {}
    }
    let value = typed(&left, value);
    Stmt::Mangle(left, value)
}

/// `ct helper set …`: which helper it is matters to what the packets say.
pub(super) fn helper(operand: Expr) -> Stmt {
    if has_map(&operand) {
        return object("ct helper", operand);
    }
    Stmt::Mangle(Expr::Field(Field::Ct { key: "helper".into(), dir: None, family: None }), operand)
}

/// A statement that changes no fate, unless it looks its operand up: a missing key ends the rule.
pub(super) fn object(keyword: &str, operand: Expr) -> Stmt {
    if has_map(&operand) {
        Stmt::Mangle(Expr::Field(Field::Other(keyword.into())), operand)
    } else {
        Stmt::NoEffect(keyword.into())
    }
}

/// `dup to address [device device]`.
pub(super) fn dup(addr: Option<Expr>, device: Option<Expr>) -> Stmt {
    let operand = [addr, device].into_iter().flatten().max_by_key(has_map);
    object("dup", operand.unwrap_or(Expr::Any))
}

fn has_map(value: &Expr) -> bool {
    match value {
        Expr::Map(_) => true,
        Expr::Bin(_, sides) | Expr::Range(sides) => has_map(&sides.0) || has_map(&sides.1),
        Expr::Concat(parts) | Expr::Flags(parts) => parts.iter().any(has_map),
        Expr::Prefix(inner, _) => has_map(inner),
        _ => false,
    }
}

/// What an address translation is written with.
#[derive(Debug)]
pub(super) struct Nat {
    pub kind: NatKind,
    pub family: Option<TableFamily>,
    pub addr: Option<Expr>,
    pub port: Option<Expr>,
    pub prefix: bool,
    pub flags: Vec<Box<str>>,
}

/// Address translation. In tables of one family the family is left out, as most listings do.
pub(super) fn nat(table: TableFamily, mut nat: Nat) -> Stmt {
    let family = nat.family.filter(|f| *f != table);
    // `netmap` is how JSON shows the kernel's flag for `prefix`.
    nat.prefix |= nat.flags.iter().any(|f| &**f == "netmap");
    let flags = ["random", "fully-random", "persistent"];
    let flags = flags.into_iter().filter(|known| nat.flags.iter().any(|f| &**f == *known)).map(Into::into).collect();
    Stmt::Nat { kind: nat.kind, family, addr: nat.addr, port: nat.port, prefix: nat.prefix, flags }
}

/// `reject with …`. The default answer of a family is written as no answer, as the text listing does.
pub(super) fn reject(table: TableFamily, protocol: &str, code: &Expr) -> Stmt {
    let code = match code {
        Expr::Num(number) => reject_code(protocol, *number).map_or_else(|| number.to_string(), Into::into),
        other => expr_text(other),
    };
    let default = match table {
        TableFamily::Ip => "icmp",
        TableFamily::Ip6 => "icmpv6",
        _ => "icmpx",
    };
    if protocol == default && code == "port-unreachable" {
        return Stmt::Reject("".into());
    }
    Stmt::Reject(format!("{protocol} {code}").into())
}

/// Names of the codes (`icmp_code_type`, `icmpv6_code_type`, `icmpx_code_type` in nftables' src/datatype.c).
fn reject_code(protocol: &str, number: u64) -> Option<&'static str> {
    Some(match (protocol, number) {
        ("icmp", 0) => "net-unreachable",
        ("icmp", 1) | ("icmpx", 2) => "host-unreachable",
        ("icmp", 2) => "prot-unreachable",
        ("icmp", 3) | ("icmpv6", 4) | ("icmpx", 1) => "port-unreachable",
        ("icmp", 9) => "net-prohibited",
        ("icmp", 10) => "host-prohibited",
        ("icmp", 13) | ("icmpv6", 1) | ("icmpx", 3) => "admin-prohibited",
        ("icmpv6" | "icmpx", 0) => "no-route",
        ("icmpv6", 3) => "addr-unreachable",
        ("icmpv6", 5) => "policy-fail",
        ("icmpv6", 6) => "reject-route",
        _ => return None,
    })
}

/// `tproxy [family] to [addr][:port]`.
pub(super) fn tproxy(
    table: TableFamily,
    family: Option<TableFamily>,
    addr: Option<&Expr>,
    port: Option<&Expr>,
) -> Stmt {
    let family = family.filter(|f| *f != table).map_or(String::new(), |f| format!("{} ", print::family(f)));
    let addr = addr.map_or(String::new(), expr_text);
    let port = port.map_or(String::new(), |p| format!(":{}", expr_text(p)));
    Stmt::Effect("tproxy".into(), format!("{family}to {addr}{port}").into())
}

/// `queue [flags …] [to number]`.
pub(super) fn queue(number: Option<&Expr>, flags: &[Box<str>]) -> Stmt {
    let flags: Vec<&str> =
        ["bypass", "fanout"].into_iter().filter(|known| flags.iter().any(|f| &**f == *known)).collect();
    let flags = if flags.is_empty() { String::new() } else { format!("flags {} ", flags.join(",")) };
    // Without a number it is queue 0.
    let number = number.map_or_else(|| "0".into(), expr_text);
    Stmt::Effect("queue".into(), format!("{flags}to {number}").into())
}

/// `fwd to device`, `fwd ip to addr device device`.
pub(super) fn fwd(family: Option<TableFamily>, addr: Option<&Expr>, device: &Expr) -> Stmt {
    let device = expr_text(device);
    let text = match addr {
        Some(addr) => {
            let family = family.map_or(String::new(), |f| format!("{} ", print::family(f)));
            format!("{family}to {} device {device}", expr_text(addr))
        }
        None => format!("to {device}"),
    };
    Stmt::Effect("fwd".into(), text.into())
}

/// `synproxy mss 1460 wscale 7 timestamp sack-perm`.
pub(super) fn synproxy(mss: Option<u64>, wscale: Option<u64>, flags: &[Box<str>]) -> Stmt {
    let mut words = Vec::new();
    words.extend(mss.map(|n| format!("mss {n}")));
    words.extend(wscale.map(|n| format!("wscale {n}")));
    for known in ["timestamp", "sack-perm"] {
        if flags.iter().any(|f| &**f == known) {
            words.push(known.into());
        }
    }
    Stmt::Effect("synproxy".into(), words.join(" ").into())
}

/// `numgen inc mod 2 offset 1`, `symhash mod 4`, `jhash ip saddr mod 2 seed 7`.
pub(super) fn generator(head: &str, modulus: u64, seed: Option<u64>, offset: Option<u64>) -> Expr {
    let seed = seed.map_or(String::new(), |s| format!(" seed {s}"));
    let offset = offset.filter(|o| *o != 0).map_or(String::new(), |o| format!(" offset {o}"));
    Expr::Opaque(format!("{head} mod {modulus}{seed}{offset}").into())
}

/// `typeof …` of a set's key: type names where they say as much.
pub(super) fn key_type(expr: Expr) -> KeyType {
    match names_of(&expr) {
        Some(names) => KeyType::Names(names),
        None => KeyType::Typeof(expr),
    }
}

/// `typeof … : …` of a map's data.
pub(super) fn data_typeof(expr: Expr) -> DataType {
    if let Expr::Field(Field::Ct { key, .. }) = &expr
        && matches!(&**key, "helper" | "timeout" | "expectation")
    {
        return DataType::Object(format!("ct {key}").into());
    }
    match names_of(&expr) {
        Some(names) => DataType::Names(names),
        None => DataType::Typeof(expr),
    }
}

/// Data of a map by type names.
pub(super) fn data_names(mut names: Vec<Box<str>>) -> DataType {
    let first = names.first().map_or("", |n| &**n);
    match first {
        "verdict" => DataType::Verdict,
        "counter" | "quota" | "limit" | "secmark" | "synproxy" | "ct helper" | "ct timeout" | "ct expectation"
        | "tunnel" => DataType::Object(names.swap_remove(0)),
        _ => DataType::Names(names),
    }
}

/// Statements of a set element that can decide whether it is found.
pub(super) fn deciding(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Limit(_) | Stmt::Quota | Stmt::CtCount)
}

/// A rate limit; without a number of packets it is one of bytes, or a named one.
pub(super) fn limit(count: Option<u64>, unit: &str, burst: Option<u64>, over: bool) -> Stmt {
    let seconds = match unit {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86400,
        "week" => 604_800,
        _ => return Stmt::Limit(None),
    };
    // The default burst (`limit_stmt` in nftables' src/parser_bison.y).
    let burst = burst.unwrap_or(5);
    Stmt::Limit(count.map(|count| Rate { count, seconds, burst, over }))
}
