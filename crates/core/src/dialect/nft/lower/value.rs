//! Values: words and numbers as sets of integers.

use super::names;
use super::selector::Type;
use crate::cube::Set;
use crate::dialect::nft::ast::{BinOp, Expr};
use crate::model::{iface_value, iface_wildcard};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A value that cannot be told from the ruleset: the reason, for a person.
pub(super) type Unclear = String;

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
                return Err(format!("/{length} is longer than the address"));
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
        Type::Interface if n != 0 => Err(format!("interface number {n} is known only on the device itself")),
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
    let unknown = || format!("`{word}` is no value that is known here");
    let plain = word.parse::<u64>().ok();
    let hex = word.strip_prefix("0x").and_then(|h| u64::from_str_radix(h, 16).ok());
    let number_word = plain.or(hex).map(u128::from);
    let named = |found: Option<u128>| found.or(number_word).map(Set::one).ok_or_else(unknown);
    match kind {
        Type::Address4 => match word.parse::<Ipv4Addr>() {
            Ok(a) => Ok(Set::one(u128::from(u32::from(a)))),
            Err(_) => cidr(word).unwrap_or_else(|| Err(host_name(word))),
        },
        Type::Address6 => match word.parse::<Ipv6Addr>() {
            Ok(a) => Ok(Set::one(u128::from(a))),
            Err(_) => cidr(word).unwrap_or_else(|| Err(host_name(word))),
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

/// `10.0.0.0/8` in one word, as a quoted value may be written.
fn cidr(word: &str) -> Option<Result<Set, Unclear>> {
    let net: ipnet::IpNet = word.parse().ok()?;
    let (lo, hi) = crate::model::prefix_range(net);
    Some(Ok(Set::range(lo, hi)))
}

fn host_name(word: &str) -> Unclear {
    format!("the host name `{word}` stands for an address that the ruleset does not say")
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
    let wide = || "a port is at most 65535".to_owned();
    match set.ranges() {
        [(lo, hi)] => Ok((u16::try_from(*lo).map_err(|_| wide())?, u16::try_from(*hi).map_err(|_| wide())?)),
        _ => Err("several port ranges stand where one is expected".into()),
    }
}
