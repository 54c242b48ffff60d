//! Values: words and numbers as sets of integers.

use super::names;
use super::selector::Type;
use crate::cube::Set;
use crate::dialect::nft::ast::{BinOp, Expr};
use crate::model::{iface_value, iface_wildcard, prefix_range};
use ipnet::IpNet;
use std::net::IpAddr;

/// A value that cannot be told from the ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclear {
    /// Why, for a person.
    pub why: String,
    /// What to supply so that it can; empty when nothing can.
    pub supply: &'static str,
}

impl From<String> for Unclear {
    fn from(why: String) -> Self {
        Self { why, supply: "" }
    }
}

impl From<&str> for Unclear {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// The values that an expression stands for beside a selector of this type; named sets are resolved elsewhere.
pub(super) fn values(e: &Expr, kind: Type) -> Result<Set, Unclear> {
    match e {
        Expr::Any => Ok(Set::range(0, u128::MAX)),
        Expr::Range(ends) => {
            let (lo, hi) = (values(&ends.0, kind)?, values(&ends.1, kind)?);
            match (lo.min(), hi.max()) {
                (Some(lo), Some(hi)) if lo <= hi => Ok(Set::range(lo, hi)),
                _ => Err("its range ends before it begins".into()),
            }
        }
        Expr::Prefix(address, length) => {
            let base = values(address, kind)?;
            let width = match kind {
                Type::Address4 | Type::Mark => 32,
                Type::Address6 => 128,
                _ => return Err("a prefix stands where no address is expected".into()),
            };
            let base = base.single().ok_or("a prefix of a range means nothing")?;
            if u32::from(*length) > width {
                return Err(format!("/{length} is longer than the address").into());
            }
            let host = width - u32::from(*length);
            let rest = if host >= 128 { u128::MAX } else { (1u128 << host) - 1 };
            Ok(Set::range(base & !rest, base | rest))
        }
        Expr::Set(elems) => {
            let mut all = Vec::new();
            for elem in elems {
                all.extend_from_slice(values(&elem.key, kind)?.ranges());
            }
            Ok(Set::from_ranges(all))
        }
        Expr::Flags(parts) if kind.is_bits() => bits(parts, kind).map(Set::one),
        Expr::Flags(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend_from_slice(values(part, kind)?.ranges());
            }
            Ok(Set::from_ranges(all))
        }
        Expr::Num(n) => number(u128::from(*n), kind),
        Expr::Word(word) => self::word(word, kind),
        Expr::Bin(..) => constant(e, kind).map(Set::one),
        _ => Err("it is compared with something that is no plain value".into()),
    }
}

fn number(n: u128, kind: Type) -> Result<Set, Unclear> {
    match kind {
        Type::Interface if n != 0 => Err(Unclear {
            why: format!("interface number {n} is known only on the device itself"),
            supply: "the interface's name instead of its number",
        }),
        Type::Family => Ok(Set::one(match n {
            0x0800 => 2,
            0x86dd => 10,
            n => n,
        })),
        Type::Presence if n == 0 => Ok(Set::one(0)),
        Type::Presence => Ok(Set::range(1, u128::MAX)),
        _ => Ok(Set::one(n)),
    }
}

fn word(word: &str, kind: Type) -> Result<Set, Unclear> {
    let unknown = || Unclear::from(format!("`{word}` is no value that is known here"));
    let plain = word.parse::<u64>().ok();
    let hex = word.strip_prefix("0x").and_then(|h| u64::from_str_radix(h, 16).ok());
    let number_word = plain.or(hex).map(u128::from);
    let named = |found: Option<u128>| found.or(number_word).map(Set::one).ok_or_else(unknown);
    let not_here = |word: &str| -> Unclear { format!("`{word}` is not an address of this family").into() };
    match kind {
        Type::Address4 | Type::Address6 => match (word.parse::<IpAddr>().map(IpNet::from).ok(), word.parse()) {
            (Some(net), _) | (None, Ok(net)) if net.addr().is_ipv4() == (kind == Type::Address4) => {
                let (lo, hi) = prefix_range(net);
                Ok(Set::range(lo, hi))
            }
            (None, Err(_)) => Err(host_name(word)),
            _ => Err(not_here(word)),
        },
        Type::Port => named(names::service(word)),
        Type::Protocol => named(names::protocol(word)),
        Type::Interface => match word {
            "missing" => Ok(Set::one(0)),
            "exists" => Ok(Set::range(1, u128::MAX)),
            _ => match word.strip_suffix('*').filter(|_| !word.ends_with("\\*")) {
                Some(stem) => Ok(iface_wildcard(stem)),
                None => Ok(Set::one(iface_value(&word.replace("\\*", "*")))),
            },
        },
        Type::Group => named((word == "default").then_some(0)),
        Type::CtState => named(names::ct_state(word)),
        Type::CtStatus => named(names::ct_status(word)),
        Type::CtDirection => named(match word {
            "original" => Some(0),
            "reply" => Some(1),
            _ => None,
        }),
        Type::Family => named(names::family(word)),
        Type::AddressKind => named(names::address_kind(word)),
        Type::TcpFlags => named(names::tcp_flag(word)),
        Type::Addressee => named(names::packet_type(word)),
        Type::Presence => match word {
            "exists" | "true" => Ok(Set::range(1, u128::MAX)),
            "missing" | "false" => Ok(Set::one(0)),
            _ => Err(unknown()),
        },
        Type::Mark | Type::Number => named(None),
    }
}

fn host_name(word: &str) -> Unclear {
    Unclear {
        why: format!("the host name `{word}` stands for an address that the ruleset does not say"),
        supply: "the address instead of the name",
    }
}

/// The union of flag words.
pub(super) fn bits(parts: &[Expr], kind: Type) -> Result<u128, Unclear> {
    parts.iter().try_fold(0, |all, part| Ok(all | constant(part, kind)?))
}

/// A single number, computed where it is an expression of constants.
pub(super) fn constant(e: &Expr, kind: Type) -> Result<u128, Unclear> {
    match e {
        Expr::Flags(parts) => bits(parts, kind),
        Expr::Bin(op, sides) => {
            let (a, b) = (constant(&sides.0, kind)?, constant(&sides.1, kind)?);
            Ok(match op {
                BinOp::And => a & b,
                BinOp::Or => a | b,
                BinOp::Xor => a ^ b,
                BinOp::Shl => u32::try_from(b).ok().and_then(|b| a.checked_shl(b)).unwrap_or(0),
                BinOp::Shr => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)).unwrap_or(0),
            })
        }
        _ => values(e, kind)?.single().ok_or_else(|| "several values stand where one is expected".into()),
    }
}

/// An address range, and whether it is IPv6.
pub(super) fn addresses(e: &Expr) -> Result<((u128, u128), bool), Unclear> {
    let six = is_v6(e);
    let set = values(e, if six { Type::Address6 } else { Type::Address4 })?;
    match set.ranges() {
        [range] => Ok((*range, six)),
        _ => Err("several addresses stand where one range is expected".into()),
    }
}

fn is_v6(e: &Expr) -> bool {
    match e {
        Expr::Word(word) => {
            let address = word.split('/').next().unwrap_or(word);
            address.parse::<IpAddr>().is_ok_and(|a| a.is_ipv6())
        }
        Expr::Range(ends) => is_v6(&ends.0),
        Expr::Prefix(address, _) => is_v6(address),
        _ => false,
    }
}

/// A port range.
pub(super) fn ports(e: &Expr) -> Result<(u16, u16), Unclear> {
    let set = values(e, Type::Port)?;
    let wide = || Unclear::from("a port is at most 65535");
    match set.ranges() {
        [(lo, hi)] => Ok((u16::try_from(*lo).map_err(|_| wide())?, u16::try_from(*hi).map_err(|_| wide())?)),
        _ => Err("several port ranges stand where one is expected".into()),
    }
}
