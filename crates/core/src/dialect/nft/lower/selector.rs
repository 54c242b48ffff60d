//! Selectors: which value of the model a rule reads, and what must hold before it can be read.

use super::value::{Unclear, constant};
use crate::dialect::nft::ast::{BinOp, CtDir, Expr, Field, TableFamily};
use crate::model::{Key, KeyField, Part, TupleDir, TupleIface, nfproto};

/// How words and numbers beside a selector are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Address4,
    Address6,
    Port,
    Protocol,
    Interface,
    Group,
    Mark,
    CtState,
    CtStatus,
    CtDirection,
    Family,
    AddressKind,
    TcpFlags,
    Addressee,
    /// `exists` and `missing`: is the value other than 0?
    Presence,
    Number,
}

impl Type {
    /// A comparison without operator asks for any of the bits.
    pub fn is_bits(self) -> bool {
        matches!(self, Self::CtState | Self::CtStatus | Self::TcpFlags)
    }
}

/// What a selector depends on: the rule ends for packets without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Needs {
    /// Transport protocol number.
    pub protocol: Option<u8>,
    /// [`nfproto`] number.
    pub family: Option<u128>,
    /// A conntrack entry.
    pub session: bool,
}

impl Needs {
    /// Packets of this transport protocol.
    pub fn protocol(number: u8) -> Self {
        Self { protocol: Some(number), ..Self::default() }
    }

    /// Packets of this family.
    pub fn family(number: u128) -> Self {
        Self { family: Some(number), ..Self::default() }
    }
}

/// What a selector reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// This value.
    Key(Key, Type),
    /// A value that configuration cannot tell; why, for a person. Every packet has one.
    Varies(&'static str),
    /// The same, but some packets have none: there the rule ends.
    MayLack(&'static str),
    /// Something that media and signalling packets never have.
    Absent,
}

/// A selector, understood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selector {
    pub needs: Needs,
    pub reads: Reads,
}

/// Values of a column: how they are understood, and how far the selector shifts them to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Column {
    pub kind: Type,
    pub shift: u32,
}

fn key(field: KeyField, kind: Type) -> Reads {
    Reads::Key(Key::of(field), kind)
}

fn plain(reads: Reads) -> Selector {
    Selector { needs: Needs::default(), reads }
}

/// Protocols above IP whose packets are never media or signalling: their header fields are never there.
const OTHER_PROTOCOLS: &[&str] = &["icmp", "icmpv6", "igmp", "ah", "esp", "comp", "arp"];

/// Understands one selector in a table of this family.
pub(super) fn selector(field: &Field, table: TableFamily) -> Selector {
    match field {
        Field::Payload(protocol, name) => payload(protocol, name),
        Field::Raw(base, offset, length) => raw(base, *offset, *length, table),
        Field::Meta(name) => plain(meta(name)),
        Field::Ct { key: name, dir, family } => ct(name, *dir, *family, table),
        Field::Fib(flags, result) => plain(fib(flags, result)),
        // `nft_exthdr_ipv6_eval` (net/netfilter/nft_exthdr.c): other families end the rule, also for `missing`.
        Field::Exthdr(_, part) => Selector { needs: Needs::family(nfproto::IPV6), reads: never_there(part.is_some()) },
        Field::Option(kind, _, part) => option(kind, part.is_some()),
        Field::Rt(_) => plain(Reads::MayLack("it depends on the route's own attributes")),
        Field::Socket(_) => plain(Reads::MayLack("it depends on which sockets are open")),
        Field::Ipsec(_) => plain(Reads::MayLack("it depends on IPsec policies that are not in the ruleset")),
        Field::Other(_) => plain(Reads::MayLack("callpath does not know this selector")),
    }
}

/// A header or option that packets of a call do not carry: its fields end the rule, its presence is 0.
fn never_there(is_field: bool) -> Reads {
    if is_field { Reads::Absent } else { key(KeyField::Constant(0), Type::Presence) }
}

fn option(kind: &str, is_field: bool) -> Selector {
    let varies = "header options differ from packet to packet";
    match kind {
        "ip" => Selector { needs: Needs::family(nfproto::IPV4), reads: never_there(is_field) },
        "sctp" => Selector { needs: Needs::protocol(132), reads: Reads::MayLack(varies) },
        "dccp" => Selector { needs: Needs::protocol(33), reads: Reads::MayLack(varies) },
        "tcp" if is_field => Selector { needs: Needs::protocol(6), reads: Reads::MayLack(varies) },
        // For other protocols `missing` holds (`nft_exthdr_tcp_eval`), so that nothing is required here.
        _ => plain(Reads::MayLack(varies)),
    }
}

fn transport(protocol: &str) -> Option<u8> {
    Some(match protocol {
        "tcp" => 6,
        "udp" => 17,
        "dccp" => 33,
        "sctp" => 132,
        "udplite" => 136,
        _ => return None,
    })
}

fn payload(protocol: &str, name: &str) -> Selector {
    let header = |part, kind| key(KeyField::Header(part), kind);
    let v4 = |reads| Selector { needs: Needs::family(nfproto::IPV4), reads };
    let v6 = |reads| Selector { needs: Needs::family(nfproto::IPV6), reads };
    let constant = |c| key(KeyField::Constant(c), Type::Number);
    let varies = Reads::Varies("it differs from packet to packet");
    match (protocol, name) {
        ("ip", "saddr") => v4(header(Part::Src, Type::Address4)),
        ("ip", "daddr") => v4(header(Part::Dst, Type::Address4)),
        ("ip", "protocol") => v4(header(Part::Proto, Type::Protocol)),
        ("ip", "version") => v4(constant(4)),
        ("ip", "hdrlength") => v4(constant(5)),
        ("ip", _) => v4(varies),
        ("ip6", "saddr") => v6(header(Part::Src, Type::Address6)),
        ("ip6", "daddr") => v6(header(Part::Dst, Type::Address6)),
        // Media packets have no extension headers, so the next header is the transport protocol.
        ("ip6", "nexthdr") => v6(header(Part::Proto, Type::Protocol)),
        ("ip6", "version") => v6(constant(6)),
        ("ip6", _) => v6(varies),
        ("th", "sport") => plain(header(Part::SrcPort, Type::Port)),
        ("th", "dport") => plain(header(Part::DstPort, Type::Port)),
        ("th", _) => plain(varies),
        ("ether", _) => plain(Reads::MayLack("hardware addresses and link types are not part of the configuration")),
        ("vlan", _) => plain(Reads::MayLack("VLAN tags are not part of the configuration")),
        _ => match transport(protocol) {
            Some(number) => Selector {
                needs: Needs::protocol(number),
                reads: match name {
                    "sport" => header(Part::SrcPort, Type::Port),
                    "dport" => header(Part::DstPort, Type::Port),
                    "flags" if number == 6 => key(KeyField::TcpFlags, Type::TcpFlags),
                    _ => varies,
                },
            },
            None if OTHER_PROTOCOLS.contains(&protocol) => plain(Reads::Absent),
            None => plain(Reads::MayLack("callpath does not know this header")),
        },
    }
}

/// Raw header bits, where they are one of the fields above.
fn raw(base: &str, offset: u32, length: u32, table: TableFamily) -> Selector {
    match (base, offset, length, table) {
        ("th", 0, 16, _) => payload("th", "sport"),
        ("th", 16, 16, _) => payload("th", "dport"),
        ("nh", 72, 8, TableFamily::Ip) => payload("ip", "protocol"),
        ("nh", 96, 32, TableFamily::Ip) => payload("ip", "saddr"),
        ("nh", 128, 32, TableFamily::Ip) => payload("ip", "daddr"),
        ("nh", 48, 8, TableFamily::Ip6) => payload("ip6", "nexthdr"),
        ("nh", 64, 128, TableFamily::Ip6) => payload("ip6", "saddr"),
        ("nh", 192, 128, TableFamily::Ip6) => payload("ip6", "daddr"),
        _ => plain(Reads::MayLack("raw header bits differ from packet to packet")),
    }
}

fn meta(name: &str) -> Reads {
    match name {
        "iif" | "iifname" => key(KeyField::InIface, Type::Interface),
        "oif" | "oifname" => key(KeyField::OutIface, Type::Interface),
        "iifgroup" => key(KeyField::InGroup, Type::Group),
        "oifgroup" => key(KeyField::OutGroup, Type::Group),
        "mark" => key(KeyField::Mark, Type::Mark),
        "l4proto" => key(KeyField::Header(Part::Proto), Type::Protocol),
        "nfproto" | "protocol" => key(KeyField::Family, Type::Family),
        // Packets of a call are addressed to one host.
        "pkttype" => key(KeyField::Constant(0), Type::Addressee),
        "secpath" | "ipsec" => Reads::MayLack("it depends on IPsec policies that are not in the ruleset"),
        "length" => Reads::Varies("packets have different lengths"),
        "hour" | "day" | "time" => Reads::Varies("it depends on the time of day"),
        "random" => Reads::Varies("it is drawn at random"),
        "cpu" | "priority" => Reads::Varies("the ruleset does not tell it"),
        "skuid" | "skgid" | "cgroup" => Reads::MayLack("it depends on which program sends"),
        "iiftype" | "oiftype" | "iifkind" | "oifkind" => Reads::MayLack("the kinds of interfaces are not known"),
        _ => Reads::MayLack("the ruleset does not tell it"),
    }
}

fn ct(name: &str, dir: Option<CtDir>, family: Option<TableFamily>, table: TableFamily) -> Selector {
    let side = match dir {
        Some(CtDir::Reply) => TupleDir::Reply,
        _ => TupleDir::Original,
    };
    let tuple = |part, kind| key(KeyField::CtTuple(side, part), kind);
    let six = family == Some(TableFamily::Ip6) || (family.is_none() && table == TableFamily::Ip6);
    let address = if six { Type::Address6 } else { Type::Address4 };
    let of_family = |reads| Selector { needs: Needs::family(if six { nfproto::IPV6 } else { nfproto::IPV4 }), reads };
    match name {
        "state" => plain(key(KeyField::CtState, Type::CtState)),
        "status" => plain(key(KeyField::CtStatus, Type::CtStatus)),
        "direction" => plain(key(KeyField::CtDirection, Type::CtDirection)),
        "mark" => plain(key(KeyField::CtMark, Type::Mark)),
        // A session has the family of its packets, but packets without one end the rule.
        "l3proto" => {
            let needs = Needs { session: true, ..Needs::default() };
            Selector { needs, reads: key(KeyField::Family, Type::Family) }
        }
        "protocol" => plain(tuple(Part::Proto, Type::Protocol)),
        "saddr" => of_family(tuple(Part::Src, address)),
        "daddr" => of_family(tuple(Part::Dst, address)),
        "proto-src" => plain(tuple(Part::SrcPort, Type::Port)),
        "proto-dst" => plain(tuple(Part::DstPort, Type::Port)),
        "helper" => plain(Reads::MayLack("it depends on connection helpers")),
        "zone" | "label" => plain(Reads::MayLack("connection zones and labels are not followed")),
        _ => plain(Reads::MayLack("it depends on how long the connection has lasted")),
    }
}

fn fib(flags: &[Box<str>], result: &str) -> Reads {
    let has = |flag: &str| flags.iter().any(|f| &**f == flag);
    let of = if has("saddr") { Part::Src } else { Part::Dst };
    let on = match (has("iif"), has("oif")) {
        (true, _) => Some(TupleIface::In),
        (_, true) => Some(TupleIface::Out),
        _ => None,
    };
    let way = KeyField::RouteIface { of, on, marked: has("mark"), rules: None };
    match result {
        "type" => key(KeyField::AddressKind { of, on }, Type::AddressKind),
        "check" => key(way, Type::Presence),
        _ => key(way, Type::Interface),
    }
}

/// The selector inside bitwise operations, with the bits that are left of it and how far they are shifted right.
struct Bits<'a> {
    field: &'a Field,
    mask: u128,
    shift: u32,
}

/// Understands `selector & mask`, `selector >> n` and what is built of them; absent for anything else.
fn bits<'e>(e: &'e Expr, number: &impl Fn(&Field, &Expr) -> Option<u128>) -> Option<Bits<'e>> {
    match e {
        Expr::Field(field) => Some(Bits { field, mask: u128::MAX, shift: 0 }),
        Expr::Bin(BinOp::And, sides) => {
            let (inner, other) =
                bits(&sides.0, number).map(|b| (b, &sides.1)).or_else(|| Some((bits(&sides.1, number)?, &sides.0)))?;
            let mask = number(inner.field, other)?.checked_shl(inner.shift)?;
            Some(Bits { mask: inner.mask & mask, ..inner })
        }
        Expr::Bin(BinOp::Shr, sides) => {
            let inner = bits(&sides.0, number)?;
            let by = u32::try_from(constant(&sides.1, Type::Number).ok()?).ok()?;
            let shift = inner.shift.checked_add(by).filter(|s| *s < 32)?;
            Some(Bits { mask: inner.mask & !((1 << shift) - 1), shift, ..inner })
        }
        _ => None,
    }
}

/// Understands what stands left of a comparison or look-up: a selector, or a bitwise expression over one.
pub(super) fn operand(e: &Expr, table: TableFamily) -> Result<(Selector, u32), Unclear> {
    let kind = |field: &Field| match selector(field, table).reads {
        Reads::Key(_, kind) => kind,
        _ => Type::Number,
    };
    let Some(found) = bits(e, &|field, mask| constant(mask, kind(field)).ok()) else {
        return Err(match e {
            Expr::Opaque(text) => format!("nobody can predict `{text}`").into(),
            _ => "callpath does not follow this arithmetic".into(),
        });
    };
    let Selector { needs, reads } = selector(found.field, table);
    let reads = match reads {
        Reads::Key(key, Type::Mark) if found.shift > 0 => {
            let mask = u128::from(u32::MAX) & found.mask;
            Reads::Key(Key { mask: Some(mask), ..key }, Type::Mark)
        }
        _ if found.shift > 0 => Reads::MayLack("shifted values are followed for marks only"),
        Reads::Key(key, kind) if found.mask != u128::MAX => Reads::Key(Key { mask: Some(found.mask), ..key }, kind),
        // Packets of a call are not fragmented: offset and "more fragments" are 0; the rest of the field varies.
        Reads::Varies(_) if is_fragment_part(found.field, found.mask) => {
            Reads::Key(Key { field: KeyField::Constant(0), mask: Some(found.mask) }, Type::Number)
        }
        other => other,
    };
    Ok((Selector { needs, reads }, found.shift))
}

fn is_fragment_part(field: &Field, mask: u128) -> bool {
    matches!(field, Field::Payload(p, f) if (&**p, &**f) == ("ip", "frag-off")) && mask & !0x3fff == 0
}
