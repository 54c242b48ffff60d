//! The syntax tree as text, as `nft list` prints it: for reports about sources without lines, and for doubts.

use super::ast::{
    BinOp, Cmp, CtDir, Elem, ElemData, Expr, Field, Lost, NatKind, Rate, Rule, Stmt, TableFamily, Verdict,
};

/// A set is cut after this many elements: reports need to recognise it, not to repeat it.
const SHOWN: usize = 8;

/// A rule on one line.
pub fn rule(rule: &Rule) -> String {
    let mut words: Vec<String> = rule.stmts.iter().map(stmt).collect();
    if let Some(comment) = &rule.comment {
        words.push(format!("comment \"{comment}\""));
    }
    words.join(" ")
}

/// The keyword of a table family.
pub fn family(family: TableFamily) -> &'static str {
    match family {
        TableFamily::Ip => "ip",
        TableFamily::Ip6 => "ip6",
        TableFamily::Inet => "inet",
        TableFamily::Arp => "arp",
        TableFamily::Bridge => "bridge",
        TableFamily::Netdev => "netdev",
    }
}

/// A table by its family and name: `inet filter`.
pub fn table(table_family: TableFamily, name: &str) -> String {
    format!("{} {name}", family(table_family))
}

/// A statement.
pub fn stmt(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Match { left, op, right } => relation(left, *op, right),
        Stmt::Verdict(v) => verdict(v),
        Stmt::Vmap(key, map) => format!("{} vmap {}", expr(key), value(map, &writings(key))),
        Stmt::Nat { .. } => nat(stmt),
        Stmt::Mangle(left, to) => mangle(left, to),
        Stmt::Limit(rate) => limit(*rate),
        Stmt::Quota => "quota …".into(),
        Stmt::CtCount => "ct count …".into(),
        Stmt::NoEffect(word) => word.to_string(),
        Stmt::Reject(kind) if kind.is_empty() => "reject".into(),
        Stmt::Reject(kind) => reject(kind),
        Stmt::Notrack => "notrack".into(),
        Stmt::SetUpdate { op, set, key, data, stmts } => {
            let data = data.as_ref().map(|d| format!(" : {}", expr(d))).unwrap_or_default();
            format!("{op} @{set} {{ {}{}{data} }}", expr(key), suffixes(stmts))
        }
        Stmt::Meter { key, stmts } => format!("meter {{ {}{} }}", expr(key), suffixes(stmts)),
        Stmt::Effect(word, text) if text.starts_with(&**word) => text.to_string(),
        Stmt::Effect(word, text) => format!("{word} {text}"),
        Stmt::Xt(text) => format!("xt {text}"),
        Stmt::Lost(Lost::Target) => "(a target that nft does not list)".into(),
        Stmt::Lost(Lost::Condition(text)) | Stmt::Unread(text) => text.to_string(),
    }
}

fn limit(rate: Option<Rate>) -> String {
    let Some(Rate { count, seconds, burst, over }) = rate else { return "limit rate …".into() };
    let over = if over { "over " } else { "" };
    let unit = match seconds {
        1 => "second",
        60 => "minute",
        3600 => "hour",
        86400 => "day",
        _ => "week",
    };
    format!("limit rate {over}{count}/{unit} burst {burst} packets")
}

fn suffixes(stmts: &[Stmt]) -> String {
    stmts.iter().flat_map(|s| [" ".to_owned(), stmt(s)]).collect()
}

/// A comparison. Beside plain values no operator is needed for equality; beside masks and flags it is.
fn relation(left: &Expr, op: Cmp, right: &Expr) -> String {
    if let Some(text) = masked_flags(left, op, right) {
        return text;
    }
    let op = match op {
        Cmp::Eq => "== ",
        Cmp::Implicit => "",
        Cmp::Ne => "!= ",
        Cmp::NoneOf => "! ",
        Cmp::Lt => "< ",
        Cmp::Gt => "> ",
        Cmp::Le => "<= ",
        Cmp::Ge => ">= ",
    };
    format!("{} {op}{}", expr(left), value(right, &writings(left)))
}

/// `tcp flags syn / fin,syn,rst,ack`.
fn masked_flags(left: &Expr, op: Cmp, right: &Expr) -> Option<String> {
    let Expr::Bin(BinOp::And, sides) = left else { return None };
    if !matches!(&sides.0, Expr::Field(Field::Payload(_, name)) if &**name == "flags") {
        return None;
    }
    let (selector, mask) = (expr(&sides.0), expr(&sides.1));
    match (op, right) {
        (Cmp::Eq, Expr::Word(_) | Expr::Flags(_)) => Some(format!("{selector} {} / {mask}", expr(right))),
        (Cmp::Ne, Expr::Word(_) | Expr::Flags(_)) => Some(format!("{selector} != {} / {mask}", expr(right))),
        _ => None,
    }
}

fn nat(stmt: &Stmt) -> String {
    let Stmt::Nat { kind, family: f, addr, port, prefix, flags } = stmt else { return String::new() };
    let mut out = match kind {
        NatKind::Snat => "snat",
        NatKind::Dnat => "dnat",
        NatKind::Masquerade => "masquerade",
        NatKind::Redirect => "redirect",
    }
    .to_owned();
    if let Some(f) = f {
        out = format!("{out} {}", family(*f));
    }
    if *prefix {
        out += " prefix";
    }
    let bracketed = |a: &Expr| port.is_some() && matches!(a, Expr::Word(w) if w.contains(':'));
    let addr = addr.as_ref().map(|a| if bracketed(a) { format!("[{}]", expr(a)) } else { expr(a) });
    let port = port.as_ref().map(|p| format!(":{}", expr(p)));
    if addr.is_some() || port.is_some() {
        out = format!("{out} to {}{}", addr.unwrap_or_default(), port.unwrap_or_default());
    }
    for (i, flag) in flags.iter().enumerate() {
        out = format!("{out}{}{flag}", if i == 0 { " " } else { "," });
    }
    out
}

fn mangle(left: &Expr, to: &Expr) -> String {
    match (left, to) {
        (Expr::Field(Field::Option(..)), Expr::Word(word)) if &**word == "reset" => format!("reset {}", expr(left)),
        (Expr::Field(Field::Other(object)), _) if matches!(&**object, "counter" | "tunnel") => {
            format!("{object} name {}", expr(to))
        }
        (_, Expr::Bin(..)) => format!("{} set {}", expr(left), combined(to)),
        _ => format!("{} set {}", expr(left), value(to, &writings(left))),
    }
}

/// A computed mark. nft writes operators of statements as words.
fn combined(e: &Expr) -> String {
    match e {
        Expr::Bin(op, sides) => {
            let op = match op {
                BinOp::And => "and",
                BinOp::Or => "or",
                BinOp::Xor => "xor",
                BinOp::Shl => "lshift",
                BinOp::Shr => "rshift",
            };
            format!("{} {op} {}", combined(&sides.0), combined(&sides.1))
        }
        Expr::Num(number) => format!("{number:#x}"),
        other => expr(other),
    }
}

fn reject(kind: &str) -> String {
    match kind.split_once(' ') {
        Some((protocol, code)) if protocol.starts_with("icmp") => format!("reject with {protocol} type {code}"),
        _ => format!("reject with {kind}"),
    }
}

/// A verdict.
pub fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept => "accept".into(),
        Verdict::Drop => "drop".into(),
        Verdict::Continue => "continue".into(),
        Verdict::Return => "return".into(),
        Verdict::Jump(chain) => format!("jump {chain}"),
        Verdict::Goto(chain) => format!("goto {chain}"),
    }
}

/// How the values beside a selector are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Plain,
    /// In quotes: names of interfaces and helpers.
    Quoted,
    /// As `0x` and eight digits: marks.
    Hex,
}

/// One entry for each selector of a concatenation.
fn writings(key: &Expr) -> Vec<Writing> {
    match key {
        Expr::Concat(parts) => parts.iter().flat_map(writings).collect(),
        Expr::Bin(_, sides) => writings(&sides.0),
        Expr::Field(Field::Meta(key)) => vec![match &**key {
            "iif" | "oif" | "iifname" | "oifname" | "ibrname" | "obrname" | "sdifname" => Writing::Quoted,
            "mark" => Writing::Hex,
            _ => Writing::Plain,
        }],
        Expr::Field(Field::Ct { key, .. }) => vec![match &**key {
            "helper" => Writing::Quoted,
            "mark" => Writing::Hex,
            _ => Writing::Plain,
        }],
        Expr::Field(Field::Fib(_, result)) if &**result == "oifname" => vec![Writing::Quoted],
        Expr::Field(Field::Other(object)) if object.starts_with("ct ") => vec![Writing::Quoted],
        _ => vec![Writing::Plain],
    }
}

/// A value or selector.
pub fn expr(e: &Expr) -> String {
    value(e, &[])
}

/// A value beside selectors with these writings.
fn value(e: &Expr, writings: &[Writing]) -> String {
    let first = writings.first().copied().unwrap_or(Writing::Plain);
    match (e, first) {
        (Expr::Word(word), Writing::Quoted) if !matches!(&**word, "exists" | "missing") => format!("\"{word}\""),
        (Expr::Word(word) | Expr::Opaque(word), _) => word.to_string(),
        (Expr::Num(number), Writing::Hex) => format!("0x{number:08x}"),
        (Expr::Num(number), _) => number.to_string(),
        (Expr::Range(ends), _) => format!("{}-{}", value(&ends.0, writings), value(&ends.1, writings)),
        (Expr::Prefix(address, length), _) => format!("{}/{length}", value(address, writings)),
        (Expr::Set(elems), _) => set(elems, writings),
        (Expr::SetRef(name), _) => format!("@{name}"),
        (Expr::Concat(parts), _) => {
            let part = |(i, p): (usize, &Expr)| value(p, writings.get(i..=i).unwrap_or_default());
            parts.iter().enumerate().map(part).collect::<Vec<_>>().join(" . ")
        }
        (Expr::Flags(parts), _) => parts.iter().map(|p| value(p, writings)).collect::<Vec<_>>().join(","),
        (Expr::Bin(op, sides), _) => arithmetic(*op, &sides.0, &sides.1, writings),
        (Expr::Map(sides), _) => format!("{} map {}", expr(&sides.0), map_data(&sides.0, &sides.1, writings)),
        (Expr::Any, _) => "*".into(),
        (Expr::Field(f), _) => field(f),
    }
}

fn arithmetic(op: BinOp, left: &Expr, right: &Expr, writings: &[Writing]) -> String {
    let op = match op {
        BinOp::And => "&",
        BinOp::Or => "|",
        BinOp::Xor => "^",
        BinOp::Shl => "<<",
        BinOp::Shr => ">>",
    };
    let inner = self::writings(left);
    let of = if writings.is_empty() { &inner } else { writings };
    let nested = |e: &Expr, text: String| if matches!(e, Expr::Flags(_)) { format!("({text})") } else { text };
    let right_text = nested(right, value(right, of).replace(',', " | "));
    format!("{} {op} {right_text}", value(left, of))
}

/// The map of a `map` expression: keys are written as their selectors ask, data as the place where they go.
fn map_data(key: &Expr, map: &Expr, data: &[Writing]) -> String {
    let Expr::Set(elems) = map else { return expr(map) };
    let keys = writings(key);
    let shown = |e: &Elem| match &e.data {
        Some(ElemData::Value(v)) => format!("{} : {}", value(&e.key, &keys), value(v, data)),
        _ => elem(e, &keys),
    };
    braces(elems, shown)
}

fn set(elems: &[Elem], writings: &[Writing]) -> String {
    braces(elems, |e| elem(e, writings))
}

fn braces(elems: &[Elem], show: impl Fn(&Elem) -> String) -> String {
    let shown: Vec<String> = elems.iter().take(SHOWN).map(show).collect();
    let more = if elems.len() > SHOWN { ", …" } else { "" };
    format!("{{ {}{more} }}", shown.join(", "))
}

fn elem(elem: &Elem, writings: &[Writing]) -> String {
    let key = format!("{}{}", value(&elem.key, writings), suffixes(&elem.stmts));
    match &elem.data {
        None => key,
        Some(ElemData::Value(v)) => format!("{key} : {}", expr(v)),
        Some(ElemData::Verdict(v)) => format!("{key} : {}", verdict(v)),
    }
}

/// A selector.
pub fn field(f: &Field) -> String {
    match f {
        Field::Payload(protocol, name) => format!("{protocol} {name}"),
        Field::Raw(base, offset, length) => format!("@{base},{offset},{length}"),
        Field::Meta(key) => meta(key),
        Field::Ct { key, dir, family: f } => {
            let dir = match dir {
                None => "",
                Some(CtDir::Original) => "original ",
                Some(CtDir::Reply) => "reply ",
            };
            let f = f.map(|f| format!("{} ", family(f))).unwrap_or_default();
            format!("ct {dir}{f}{key}")
        }
        // "check" is how the presence of a route is asked for; nft writes it as a comparison of `oif`.
        Field::Fib(flags, result) => {
            format!("fib {} {}", flags.join(" . "), if &**result == "check" { "oif" } else { result })
        }
        Field::Rt(key) => format!("rt {key}"),
        Field::Socket(key) => format!("socket {key}"),
        Field::Exthdr(name, None) => format!("exthdr {name}"),
        Field::Exthdr(name, Some(part)) => format!("{name} {part}"),
        Field::Option(kind, name, part) => {
            let word = if &**kind == "sctp" { "chunk" } else { "option" };
            format!("{kind} {word} {name}{}", part.as_ref().map(|p| format!(" {p}")).unwrap_or_default())
        }
        Field::Ipsec(text) => format!("ipsec {text}"),
        Field::Other(text) => text.to_string(),
    }
}

/// Keys that nft prints without `meta` (`meta_key_is_unqualified` in nftables' src/meta.c).
fn meta(key: &str) -> String {
    match key {
        "iif" | "oif" | "iifname" | "oifname" | "iifgroup" | "oifgroup" => key.to_owned(),
        key => format!("meta {key}"),
    }
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
