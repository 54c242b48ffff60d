//! The syntax tree as text, close to what `nft list` prints: for reports about sources without lines, and for doubts.

use std::fmt::Write;

use super::ast::{BinOp, Cmp, CtDir, Elem, ElemData, Expr, Field, NatKind, Rule, Stmt, TableFamily, Verdict};

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

/// A statement.
pub fn stmt(stmt: &Stmt) -> String {
    match stmt {
        Stmt::Match { left, op, right } => {
            let op = match op {
                // JSON says `==` where the text needs no operator; beside flags and masks it means something else.
                Cmp::Eq if is_bits(left) => "== ",
                Cmp::Implicit | Cmp::Eq => "",
                Cmp::Ne => "!= ",
                Cmp::Lt => "< ",
                Cmp::Gt => "> ",
                Cmp::Le => "<= ",
                Cmp::Ge => ">= ",
            };
            format!("{} {op}{}", expr(left), expr(right))
        }
        Stmt::Verdict(v) => verdict(v),
        Stmt::Vmap(key, map) => format!("{} vmap {}", expr(key), expr(map)),
        Stmt::Nat { kind, family: f, addr, port, prefix, flags } => {
            let mut out = match kind {
                NatKind::Snat => "snat",
                NatKind::Dnat => "dnat",
                NatKind::Masquerade => "masquerade",
                NatKind::Redirect => "redirect",
            }
            .to_owned();
            if let Some(f) = f {
                let _ = write!(out, " {}", family(*f));
            }
            out += if *prefix { " prefix" } else { "" };
            if addr.is_some() || port.is_some() {
                out += " to ";
            }
            out += &addr.as_ref().map(expr).unwrap_or_default();
            out += &port.as_ref().map(|p| format!(":{}", expr(p))).unwrap_or_default();
            for flag in flags {
                let _ = write!(out, " {flag}");
            }
            out
        }
        Stmt::Mangle(left, value) => format!("{} set {}", expr(left), expr(value)),
        Stmt::Limit => "limit rate …".into(),
        Stmt::Quota => "quota …".into(),
        Stmt::CtCount => "ct count …".into(),
        Stmt::NoEffect(word) => word.to_string(),
        Stmt::Reject(kind) if kind.is_empty() => "reject".into(),
        Stmt::Reject(kind) => format!("reject with {kind}"),
        Stmt::Notrack => "notrack".into(),
        Stmt::SetUpdate { op, set, .. } => format!("{op} @{set} {{ … }}"),
        Stmt::Meter { .. } => "meter …".into(),
        Stmt::Effect(_, text) | Stmt::Unread(text) => text.to_string(),
        Stmt::Xt(text) => format!("xt {text}"),
    }
}

fn is_bits(left: &Expr) -> bool {
    match left {
        Expr::Bin(..) => true,
        Expr::Field(Field::Payload(_, name)) => &**name == "flags",
        _ => false,
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

fn join(list: &[Expr], between: &str) -> String {
    list.iter().map(expr).collect::<Vec<_>>().join(between)
}

/// A value or selector.
pub fn expr(e: &Expr) -> String {
    match e {
        Expr::Word(word) => word.to_string(),
        Expr::Num(number) => number.to_string(),
        Expr::Range(ends) => format!("{}-{}", expr(&ends.0), expr(&ends.1)),
        Expr::Prefix(address, length) => format!("{}/{length}", expr(address)),
        Expr::Set(elems) => {
            let shown: Vec<String> = elems.iter().take(8).map(elem).collect();
            let more = if elems.len() > 8 { ", …" } else { "" };
            format!("{{ {}{more} }}", shown.join(", "))
        }
        Expr::SetRef(name) => format!("@{name}"),
        Expr::Concat(parts) => join(parts, " . "),
        Expr::Flags(parts) => join(parts, ","),
        Expr::Bin(op, sides) => {
            let op = match op {
                BinOp::And => "&",
                BinOp::Or => "|",
                BinOp::Xor => "^",
                BinOp::Shl => "<<",
                BinOp::Shr => ">>",
            };
            format!("{} {op} {}", expr(&sides.0), expr(&sides.1))
        }
        Expr::Map(sides) => format!("{} map {}", expr(&sides.0), expr(&sides.1)),
        Expr::Any => "*".into(),
        Expr::Field(f) => field(f),
        Expr::Opaque(text) => text.to_string(),
    }
}

fn elem(elem: &Elem) -> String {
    match &elem.data {
        None => expr(&elem.key),
        Some(ElemData::Value(v)) => format!("{} : {}", expr(&elem.key), expr(v)),
        Some(ElemData::Verdict(v)) => format!("{} : {}", expr(&elem.key), verdict(v)),
    }
}

/// A selector.
pub fn field(f: &Field) -> String {
    match f {
        Field::Payload(protocol, name) => format!("{protocol} {name}"),
        Field::Raw(base, offset, length) => format!("@{base},{offset},{length}"),
        Field::Meta(key) => match &**key {
            "l4proto" | "nfproto" | "protocol" | "length" | "priority" | "random" => format!("meta {key}"),
            key => key.to_owned(),
        },
        Field::Ct { key, dir, family: f } => {
            let dir = match dir {
                None => "",
                Some(CtDir::Original) => "original ",
                Some(CtDir::Reply) => "reply ",
            };
            let f = f.map(|f| format!("{} ", family(f))).unwrap_or_default();
            format!("ct {dir}{f}{key}")
        }
        Field::Fib(flags, result) => format!("fib {} {result}", flags.join(" . ")),
        Field::Rt(key) => format!("rt {key}"),
        Field::Socket(key) => format!("socket {key}"),
        Field::Exthdr(name, None) => format!("exthdr {name}"),
        Field::Exthdr(name, Some(part)) => format!("{name} {part}"),
        Field::Option(kind, name, part) => {
            format!("{kind} option {name}{}", part.as_ref().map(|p| format!(" {p}")).unwrap_or_default())
        }
        Field::Ipsec(text) => format!("ipsec {text}"),
        Field::Other(text) => text.to_string(),
    }
}
