//! Selectors: which value of the model a rule reads, and what must hold before it can be read.

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
}

/// What a selector reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reads {
    /// This value.
    Key(Key, Type),
    /// A value that configuration cannot tell; why, for a person.
    Unknown(&'static str),
    /// Something that media and signalling packets never have.
    Absent,
}

/// A selector, understood.
pub(super) struct Selector {
    pub needs: Needs,
    pub reads: Reads,
}

fn key(field: KeyField, kind: Type) -> Reads {
    Reads::Key(Key::of(field), kind)
}

fn plain(reads: Reads) -> Selector {
    Selector { needs: Needs::default(), reads }
}

/// Understands one selector in a table of this family.
pub(super) fn selector(field: &Field, table: TableFamily) -> Selector {
    match field {
        Field::Payload(protocol, name) => payload(protocol, name),
        Field::Raw(base, offset, length) => raw(base, *offset, *length, table),
        Field::Meta(name) => plain(meta(name)),
        Field::Ct { key: name, dir, family } => ct(name, *dir, *family, table),
        Field::Fib(flags, result) => plain(fib(flags, result)),
        Field::Exthdr(_, None) => plain(key(KeyField::Constant(0), Type::Presence)),
        Field::Exthdr(_, Some(_)) => plain(Reads::Absent),
        Field::Option(kind, _, _) => {
            let protocol = (&**kind == "tcp").then_some(6);
            let needs = Needs { protocol, family: None };
            Selector { needs, reads: Reads::Unknown("header options differ from packet to packet") }
        }
        Field::Rt(_) => plain(Reads::Unknown("it depends on the route's own attributes")),
        Field::Socket(_) => plain(Reads::Unknown("it depends on which sockets are open")),
        Field::Ipsec(_) => plain(Reads::Unknown("it depends on IPsec policies that are not in the ruleset")),
        Field::Other(_) => plain(Reads::Unknown("callpath does not know this selector")),
    }
}

fn payload(protocol: &str, name: &str) -> Selector {
    let header = |part, kind| key(KeyField::Header(part), kind);
    let of_family = |family, reads| Selector { needs: Needs { protocol: None, family: Some(family) }, reads };
    let of_protocol = |number, reads| Selector { needs: Needs { protocol: Some(number), family: None }, reads };
    let constant = |c| key(KeyField::Constant(c), Type::Number);
    let transport = match protocol {
        "tcp" => Some(6),
        "udp" => Some(17),
        "dccp" => Some(33),
        "sctp" => Some(132),
        "udplite" => Some(136),
        _ => None,
    };
    let varies = "it differs from packet to packet";
    match (protocol, name) {
        ("ip", "saddr") => of_family(nfproto::IPV4, header(Part::Src, Type::Address4)),
        ("ip", "daddr") => of_family(nfproto::IPV4, header(Part::Dst, Type::Address4)),
        ("ip", "protocol") => of_family(nfproto::IPV4, header(Part::Proto, Type::Protocol)),
        ("ip", "version") => of_family(nfproto::IPV4, constant(4)),
        ("ip", "hdrlength") => of_family(nfproto::IPV4, constant(5)),
        ("ip", _) => of_family(nfproto::IPV4, Reads::Unknown(varies)),
        ("ip6", "saddr") => of_family(nfproto::IPV6, header(Part::Src, Type::Address6)),
        ("ip6", "daddr") => of_family(nfproto::IPV6, header(Part::Dst, Type::Address6)),
        // Media packets have no extension headers, so the next header is the transport protocol.
        ("ip6", "nexthdr") => of_family(nfproto::IPV6, header(Part::Proto, Type::Protocol)),
        ("ip6", "version") => of_family(nfproto::IPV6, constant(6)),
        ("ip6", _) => of_family(nfproto::IPV6, Reads::Unknown(varies)),
        ("tcp", "flags") => of_protocol(6, key(KeyField::TcpFlags, Type::TcpFlags)),
        ("th", "sport") => plain(header(Part::SrcPort, Type::Port)),
        ("th", "dport") => plain(header(Part::DstPort, Type::Port)),
        ("th", _) => plain(Reads::Unknown(varies)),
        ("ether", "type") => plain(key(KeyField::Family, Type::Family)),
        ("ether", _) => plain(Reads::Unknown("hardware addresses are not part of the configuration")),
        ("vlan", _) => plain(Reads::Unknown("VLAN tags are not part of the configuration")),
        (_, "sport") if transport.is_some() => of_protocol(transport.unwrap_or(0), header(Part::SrcPort, Type::Port)),
        (_, "dport") if transport.is_some() => of_protocol(transport.unwrap_or(0), header(Part::DstPort, Type::Port)),
        _ => match transport {
            Some(number) => of_protocol(number, Reads::Unknown(varies)),
            None => plain(Reads::Absent),
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
        _ => plain(Reads::Unknown("raw header bits differ from packet to packet")),
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
        "secpath" | "ipsec" => key(KeyField::Constant(0), Type::Presence),
        "length" => Reads::Unknown("packets have different lengths"),
        "hour" | "day" | "time" => Reads::Unknown("it depends on the time of day"),
        "random" => Reads::Unknown("it is drawn at random"),
        "skuid" | "skgid" | "cgroup" => Reads::Unknown("it depends on which program sends"),
        "iiftype" | "oiftype" => Reads::Unknown("the kinds of interfaces are not known"),
        _ => Reads::Unknown("the ruleset does not tell it"),
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
    let needs = Needs { protocol: None, family: Some(if six { nfproto::IPV6 } else { nfproto::IPV4 }) };
    match name {
        "state" => plain(key(KeyField::CtState, Type::CtState)),
        "status" => plain(key(KeyField::CtStatus, Type::CtStatus)),
        "direction" => plain(key(KeyField::CtDirection, Type::CtDirection)),
        "mark" => plain(key(KeyField::CtMark, Type::Mark)),
        "l3proto" => plain(key(KeyField::Family, Type::Family)),
        "protocol" => plain(tuple(Part::Proto, Type::Protocol)),
        "saddr" => Selector { needs, reads: tuple(Part::Src, address) },
        "daddr" => Selector { needs, reads: tuple(Part::Dst, address) },
        "proto-src" => plain(tuple(Part::SrcPort, Type::Port)),
        "proto-dst" => plain(tuple(Part::DstPort, Type::Port)),
        "helper" => plain(Reads::Unknown("it depends on connection helpers")),
        "zone" | "label" => plain(Reads::Unknown("connection zones and labels are not followed")),
        _ => plain(Reads::Unknown("it depends on how long the connection has lasted")),
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
    if has("mark") {
        return Reads::Unknown("routing by mark is not followed in `fib`");
    }
    match result {
        "type" => key(KeyField::AddressKind { of, on }, Type::AddressKind),
        "check" => key(KeyField::RouteIface { of, on }, Type::Presence),
        _ => key(KeyField::RouteIface { of, on }, Type::Interface),
    }
}

/// A bitwise expression over one selector: the selector and the mask, where it is no more than a mask.
pub(super) fn masked(e: &Expr) -> Option<(&Field, &Expr)> {
    match e {
        Expr::Bin(BinOp::And, sides) => match (&sides.0, &sides.1) {
            (Expr::Field(f), mask) if !matches!(mask, Expr::Field(_)) => Some((f, mask)),
            _ => None,
        },
        _ => None,
    }
}
