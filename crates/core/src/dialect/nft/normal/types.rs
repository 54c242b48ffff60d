//! What kind of value a selector reads, by the data type names of nft(8).

use crate::dialect::nft::ast::{Expr, Field, KeyType, TableFamily};

/// How the values of a type are written in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::nft) enum Writing {
    /// In one way.
    Plain,
    /// A name, or a number where there is no name for it (a gone interface). JSON writes that number as a string.
    Named,
    /// A time span: `1h30m` in text, seconds in JSON.
    Seconds,
}

/// Bit fields: without an operator, a match asks for any of the bits (`expr_evaluate_relational` in nftables'
/// src/evaluate.c: the data types whose base is `bitmask`).
pub(in crate::dialect::nft) fn is_flags(expr: &Expr) -> bool {
    match expr {
        Expr::Field(Field::Ct { key, .. }) => matches!(&**key, "state" | "status" | "event" | "label"),
        Expr::Field(Field::Payload(protocol, field)) => &**protocol == "tcp" && &**field == "flags",
        _ => false,
    }
}

/// How the values of a selector are written.
pub(in crate::dialect::nft) fn writing(expr: &Expr) -> Writing {
    match expr {
        Expr::Field(Field::Meta(key)) if matches!(&**key, "iif" | "oif" | "sdif" | "rtclassid") => Writing::Named,
        Expr::Field(Field::Rt(key)) if &**key == "classid" => Writing::Named,
        Expr::Field(Field::Fib(_, result)) if &**result == "oif" => Writing::Named,
        Expr::Field(Field::Ct { key, .. }) if &**key == "expiration" => Writing::Seconds,
        _ => Writing::Plain,
    }
}

/// How the values of a named set's keys are written, one entry for each component.
pub(in crate::dialect::nft) fn key_writing(key: &KeyType) -> Vec<Writing> {
    match key {
        KeyType::Names(names) => names
            .iter()
            .map(|n| if matches!(&**n, "iface_index" | "realm") { Writing::Named } else { Writing::Plain })
            .collect(),
        KeyType::Typeof(Expr::Concat(parts)) => parts.iter().map(writing).collect(),
        KeyType::Typeof(expr) => vec![writing(expr)],
    }
}

/// The data type names behind `typeof`, if all of them have one. Integers of any width share a name, so they have none
/// here. JSON of nft 1.0.6 shows names where the text shows `typeof`.
pub(in crate::dialect::nft) fn names_of(expr: &Expr) -> Option<Vec<Box<str>>> {
    match expr {
        Expr::Concat(parts) => parts.iter().map(|p| name_of(p).map(Into::into)).collect(),
        single => Some(vec![name_of(single)?.into()]),
    }
}

fn name_of(expr: &Expr) -> Option<&'static str> {
    let Expr::Field(field) = expr else { return None };
    Some(match field {
        Field::Payload(protocol, field) => return payload(protocol, field),
        Field::Meta(key) => return meta(key),
        Field::Ct { key, family, .. } => match (&**key, family) {
            ("state", _) => "ct_state",
            ("status", _) => "ct_status",
            ("direction", _) => "ct_dir",
            ("mark", _) => "mark",
            ("label", _) => "ct_label",
            ("l3proto", _) => "nf_proto",
            ("protocol", _) => "inet_proto",
            ("proto-src" | "proto-dst", _) => "inet_service",
            ("saddr" | "daddr", Some(TableFamily::Ip)) => "ipv4_addr",
            ("saddr" | "daddr", Some(TableFamily::Ip6)) => "ipv6_addr",
            _ => return None,
        },
        Field::Fib(_, result) => match &**result {
            "type" => "fib_addrtype",
            "oif" => "iface_index",
            "oifname" => "ifname",
            _ => return None,
        },
        Field::Rt(key) => match &**key {
            "classid" => "realm",
            "ip nexthop" => "ipv4_addr",
            "ip6 nexthop" => "ipv6_addr",
            _ => return None,
        },
        Field::Socket(key) if &**key == "mark" => "mark",
        _ => return None,
    })
}

fn payload(protocol: &str, field: &str) -> Option<&'static str> {
    Some(match (protocol, field) {
        ("ip", "saddr" | "daddr") | ("arp", "saddr ip" | "daddr ip") => "ipv4_addr",
        ("ip6", "saddr" | "daddr") => "ipv6_addr",
        ("ip", "protocol") | ("ip6" | "ah" | "comp", "nexthdr") => "inet_proto",
        ("tcp" | "udp" | "udplite" | "sctp" | "dccp" | "th", "sport" | "dport") => "inet_service",
        ("ether", "saddr" | "daddr") | ("arp", "saddr ether" | "daddr ether") => "ether_addr",
        ("ether" | "vlan", "type") | ("arp", "ptype") => "ether_type",
        ("arp", "operation") => "arp_op",
        ("ip" | "ip6", "dscp") => "dscp",
        ("ip" | "ip6", "ecn") => "ecn",
        ("tcp", "flags") => "tcp_flag",
        ("icmp", "type") => "icmp_type",
        ("icmp", "code") => "icmp_code",
        ("icmpv6", "type") => "icmpv6_type",
        ("icmpv6", "code") => "icmpv6_code",
        ("igmp", "type") => "igmp_type",
        ("dccp", "type") => "dccp_pkttype",
        _ => return None,
    })
}

fn meta(key: &str) -> Option<&'static str> {
    Some(match key {
        "iif" | "oif" | "sdif" => "iface_index",
        "iifname" | "oifname" | "ibrname" | "obrname" | "sdifname" | "iifkind" | "oifkind" => "ifname",
        "iiftype" | "oiftype" => "iface_type",
        "iifgroup" | "oifgroup" => "devgroup",
        "mark" => "mark",
        "nfproto" => "nf_proto",
        "l4proto" => "inet_proto",
        "protocol" | "ibrvproto" => "ether_type",
        "pkttype" => "pkt_type",
        "skuid" => "uid",
        "skgid" => "gid",
        "priority" => "classid",
        "rtclassid" => "realm",
        "day" => "day",
        "hour" => "hour",
        _ => return None,
    })
}
