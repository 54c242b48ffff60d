//! Keys and their values as text.

use crate::cube::Set;
use crate::model::{Family, Key, KeyField, Part, Pipeline, TupleDir, TupleIface, ct_state, ct_status, nfproto};

fn part(part: Part) -> &'static str {
    match part {
        Part::Src => "source",
        Part::Dst => "destination",
        Part::SrcPort => "source port",
        Part::DstPort => "destination port",
        Part::Proto => "protocol",
    }
}

/// A key in words.
pub(super) fn key(p: &Pipeline, k: Key) -> String {
    let on = |on: Option<TupleIface>| match on {
        None => "",
        Some(TupleIface::In) => " on the incoming interface",
        Some(TupleIface::Out) => " on the outgoing interface",
    };
    let shown = match k.field {
        KeyField::Header(f) => part(f).to_owned(),
        KeyField::Family => "family".into(),
        KeyField::InIface => "incoming interface".into(),
        KeyField::OutIface => "outgoing interface".into(),
        KeyField::InGroup => "incoming group".into(),
        KeyField::OutGroup => "outgoing group".into(),
        KeyField::Mark => "mark".into(),
        KeyField::CtState => "state".into(),
        KeyField::CtStatus => "status".into(),
        KeyField::CtDirection => "direction".into(),
        KeyField::CtMark => "connection mark".into(),
        KeyField::CtTuple(TupleDir::Original, f) => format!("original {}", part(f)),
        KeyField::CtTuple(TupleDir::Reply, f) => format!("reply {}", part(f)),
        KeyField::AddressKind { of, on: o } => format!("kind of {}{}", part(of), on(o)),
        KeyField::RouteIface { of, on: o, marked, .. } => {
            format!("way to {}{}{}", part(of), on(o), if marked { " with its mark" } else { "" })
        }
        KeyField::TcpFlags => "tcp flags".into(),
        KeyField::Constant(c) => format!("constant {c}"),
        KeyField::Unknown(doubt, _) => format!("unknown [{}]", p.doubts[doubt.0 as usize].what),
        KeyField::WithinRate(_) => "within the rate limit".into(),
        KeyField::Absent => "what such packets lack".into(),
    };
    match k.mask {
        Some(mask) => format!("{shown} & {mask:#x}"),
        None => shown,
    }
}

/// A range of addresses of one family.
pub(super) fn addresses(family: Family, lo: u128, hi: u128) -> String {
    if lo == hi {
        return family.address(lo).to_string();
    }
    format!("{}-{}", family.address(lo), family.address(hi.min(family.max_address())))
}

/// Ports behind an address.
pub(super) fn ports(port: Option<(u16, u16)>) -> String {
    match port {
        None => String::new(),
        Some((lo, hi)) if lo == hi => format!(":{lo}"),
        Some((lo, hi)) => format!(":{lo}-{hi}"),
    }
}

/// The name of one value, where it has one.
fn word(field: KeyField, value: u128) -> Option<&'static str> {
    let names: &[(u128, &'static str)] = match field {
        KeyField::Header(Part::Proto) | KeyField::CtTuple(_, Part::Proto) => {
            &[(1, "icmp"), (6, "tcp"), (17, "udp"), (33, "dccp"), (58, "ipv6-icmp"), (132, "sctp"), (136, "udplite")]
        }
        KeyField::Family => &[(nfproto::IPV4, "ipv4"), (nfproto::IPV6, "ipv6")],
        KeyField::CtState => &[
            (ct_state::INVALID, "invalid"),
            (ct_state::ESTABLISHED, "established"),
            (ct_state::RELATED, "related"),
            (ct_state::NEW, "new"),
            (ct_state::UNTRACKED, "untracked"),
        ],
        KeyField::CtStatus => &[(ct_status::SNAT, "snat"), (ct_status::DNAT, "dnat")],
        KeyField::CtDirection => &[(0, "original"), (1, "reply")],
        KeyField::AddressKind { .. } => {
            &[(1, "unicast"), (2, "local"), (3, "broadcast"), (4, "anycast"), (5, "multicast")]
        }
        _ => return None,
    };
    names.iter().find(|(v, _)| *v == value).map(|(_, name)| *name)
}

/// A key's values as ranges. `family`: how addresses are shown that could be of either.
pub(super) fn values(k: Key, set: &Set, family: Family) -> String {
    let is_address =
        matches!(k.field, KeyField::Header(Part::Src | Part::Dst) | KeyField::CtTuple(_, Part::Src | Part::Dst));
    let is_name = matches!(k.field, KeyField::InIface | KeyField::OutIface | KeyField::RouteIface { .. });
    let large = set.max().is_some_and(|v| v > Family::V4.max_address() && v != u128::MAX);
    let family = if large { Family::V6 } else { family };
    let one = |&(lo, hi): &(u128, u128)| match (lo, hi) {
        (0, u128::MAX) => "any".into(),
        _ if is_name => iface(lo, hi),
        _ if is_address => addresses(family, lo, hi),
        (lo, u128::MAX) => format!("{lo} and above"),
        (lo, hi) if lo == hi => word(k.field, lo).map_or_else(|| lo.to_string(), Into::into),
        // A few neighbours that all have names are shown by them: local, broadcast, multicast.
        (lo, hi) if hi - lo < 4 && (lo..=hi).all(|v| word(k.field, v).is_some()) => {
            (lo..=hi).filter_map(|v| word(k.field, v)).collect::<Vec<_>>().join(", ")
        }
        (lo, hi) => format!("{lo}-{hi}"),
    };
    let shown: Vec<String> = set.ranges().iter().map(one).collect();
    shown.join(", ")
}

fn iface(lo: u128, hi: u128) -> String {
    let text = |v: u128| {
        let bytes = v.to_be_bytes();
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    match (lo, hi) {
        (0, 0) => "none".into(),
        (1, u128::MAX) => "some".into(),
        _ if lo == hi => format!("\"{}\"", text(lo)),
        _ => format!("\"{}*\"", text(lo)),
    }
}
