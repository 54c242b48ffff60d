//! Expressions as text, for statements that keep their text only.

use crate::dialect::nft::ast::{BinOp, CtDir, Elem, ElemData, Expr, Field, TableFamily, Verdict};

/// The keyword of a family.
pub(in crate::dialect::nft) fn family_word(family: TableFamily) -> &'static str {
    match family {
        TableFamily::Ip => "ip",
        TableFamily::Ip6 => "ip6",
        TableFamily::Inet => "inet",
        TableFamily::Arp => "arp",
        TableFamily::Bridge => "bridge",
        TableFamily::Netdev => "netdev",
    }
}

fn list<T>(items: &[T], separator: &str, show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(separator)
}

/// An expression as nft would write it, numbers in decimal.
pub(in crate::dialect::nft) fn expr(value: &Expr) -> String {
    match value {
        Expr::Word(word) | Expr::Opaque(word) => word.to_string(),
        Expr::Num(number) => number.to_string(),
        Expr::Range(ends) => format!("{}-{}", expr(&ends.0), expr(&ends.1)),
        Expr::Prefix(address, length) => format!("{}/{length}", expr(address)),
        Expr::Set(elems) => format!("{{ {} }}", list(elems, ", ", elem)),
        Expr::SetRef(name) => format!("@{name}"),
        Expr::Concat(parts) => list(parts, " . ", expr),
        Expr::Flags(flags) => list(flags, ",", expr),
        Expr::Bin(op, sides) => {
            let sign = match op {
                BinOp::And => "&",
                BinOp::Or => "|",
                BinOp::Xor => "^",
                BinOp::Shl => "<<",
                BinOp::Shr => ">>",
            };
            format!("({} {sign} {})", expr(&sides.0), expr(&sides.1))
        }
        Expr::Map(map) => format!("{} map {}", expr(&map.0), expr(&map.1)),
        Expr::Any => "*".into(),
        Expr::Field(selector) => field(selector),
    }
}

fn elem(elem: &Elem) -> String {
    match &elem.data {
        None => expr(&elem.key),
        Some(ElemData::Value(data)) => format!("{} : {}", expr(&elem.key), expr(data)),
        Some(ElemData::Verdict(verdict)) => {
            let verdict = match verdict {
                Verdict::Accept => "accept".into(),
                Verdict::Drop => "drop".into(),
                Verdict::Continue => "continue".into(),
                Verdict::Return => "return".into(),
                Verdict::Jump(chain) => format!("jump {chain}"),
                Verdict::Goto(chain) => format!("goto {chain}"),
            };
            format!("{} : {verdict}", expr(&elem.key))
        }
    }
}

fn field(selector: &Field) -> String {
    match selector {
        Field::Payload(protocol, name) => format!("{protocol} {name}"),
        Field::Raw(base, offset, length) => format!("@{base},{offset},{length}"),
        Field::Meta(key) => format!("meta {key}"),
        Field::Ct { key, dir, family } => {
            let dir = match dir {
                Some(CtDir::Original) => "original ",
                Some(CtDir::Reply) => "reply ",
                None => "",
            };
            let family = family.map_or(String::new(), |f| format!("{} ", family_word(f)));
            format!("ct {dir}{family}{key}")
        }
        Field::Fib(flags, result) => format!("fib {} {result}", flags.join(" . ")),
        Field::Rt(key) => format!("rt {key}"),
        Field::Socket(key) => format!("socket {key}"),
        Field::Exthdr(header, Some(name)) => format!("{header} {name}"),
        Field::Exthdr(header, None) => format!("exthdr {header}"),
        Field::Option(kind, name, part) => {
            let word = if &**kind == "sctp" { "chunk" } else { "option" };
            let part = part.as_deref().map_or(String::new(), |p| format!(" {p}"));
            format!("{kind} {word} {name}{part}")
        }
        Field::Ipsec(key) => format!("ipsec {key}"),
        Field::Other(text) => text.to_string(),
    }
}
