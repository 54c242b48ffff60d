//! Traffic as the manifest states it: one grammar for what a box forwards and for what a filter passes.
//!
//! `PROTO/PORTS [to ADDRESS[:PORTS]] [from ADDRESS|NET|PLACE]`, or `all`, `none`, `unknown`.

use super::raw::OneOrMany;
use super::value::{address, parse_ports, place, prefix, strings};
use super::{At, Place, Proto};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;
use toml::Spanned;

/// What a stated box forwards inwards, or what a filter passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traffic {
    /// Everything, to this address or to the next device inwards.
    All(Option<IpAddr>),
    /// These packets.
    Some(Vec<Entry>),
    /// Nothing.
    None,
    /// Nobody knows.
    Unknown,
}

/// One kind of packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Protocol and range of ports outside; absent: every packet.
    pub what: Option<(Proto, u16, u16)>,
    /// Where it goes; absent: to the next device inwards.
    pub target: Option<IpAddr>,
    /// First port inside, where it differs from the one outside; the range keeps its size.
    pub inner: Option<u16>,
    /// Who sends it; absent: anyone.
    pub from: Option<Source>,
}

/// Who sends, or who administers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// These addresses.
    Net(IpNet),
    /// Everybody at a place.
    Place(Place),
}

const FORWARDS: &str = "write \"all\", \"all to 192.168.0.2\", \"none\", \"unknown\", or a list such as \
     [\"udp/50000-50499\", \"tcp/7881 to 192.168.1.50\", \"udp/24680 to 192.168.1.50:7882\", \"tcp/22 from 198.51.100.7\"]";
const PASSES: &str = "write \"all\", \"none\", \"unknown\", or a list such as [\"udp/50000-50499\", \
     \"tcp/22 from 198.51.100.7\"]";

/// A key whose value is traffic, and what its entries may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// `forwards` of a stated box.
    Forwards,
    /// `passes` and `out` of a filter: it translates nothing.
    Passes,
}

impl Key {
    fn help(self) -> &'static str {
        match self {
            Self::Forwards => FORWARDS,
            Self::Passes => PASSES,
        }
    }

    fn unclear(self) -> &'static str {
        match self {
            Self::Forwards => "does not say what is forwarded",
            Self::Passes => "does not say what passes",
        }
    }
}

/// Reads the value of a key.
pub(super) fn traffic(v: &Spanned<OneOrMany>, key: Key) -> Result<At<Traffic>, InputError> {
    let whole = At { value: (), span: v.span() };
    let OneOrMany::One(text) = v.get_ref() else {
        let lists = strings(v).iter().map(|i| entries(i, key)).collect::<Result<Vec<_>, _>>()?;
        return Ok(whole.with(Traffic::Some(lists.concat())));
    };
    let said = match text.trim() {
        "all" => Traffic::All(None),
        "none" => Traffic::None,
        "unknown" => Traffic::Unknown,
        other => match entries(&whole.with(other.to_owned()), key)?.as_slice() {
            [Entry { what: None, target, inner: None, from: None }] => Traffic::All(*target),
            list => Traffic::Some(list.to_vec()),
        },
    };
    Ok(whole.with(said))
}

/// One entry: `udp/50000-50499`, `tcp/7881 to 192.168.1.50:443 from 198.51.100.0/24`. Several ranges of ports give
/// several.
pub(super) fn entries(item: &At<String>, key: Key) -> Result<Vec<Entry>, InputError> {
    let unclear = || item.error(format!("`{}` {}", item.value, key.unclear())).help(key.help());
    let (rest, from) = match item.value.split_once(" from ") {
        Some((rest, from)) => (rest, Some(from.trim())),
        None => (item.value.as_str(), None),
    };
    let (what, to) = match rest.split_once(" to ") {
        Some((what, to)) => (what.trim(), Some(to.trim())),
        None => (rest.trim(), None),
    };
    if what.is_empty() || what.contains(char::is_whitespace) || to.is_some_and(|t| t.contains(char::is_whitespace)) {
        return Err(unclear());
    }
    if to.is_some() && key == Key::Passes {
        return Err(item
            .error("a filter sends nothing elsewhere: `to` is for boxes that translate")
            .help("leave `to` out; a box with NAT is stated by `inside` and `forwards`"));
    }
    let to = to.map(|text| target(&item.with(text.to_owned()))).transpose()?;
    let from = from.map(|text| sender(&item.with(text.to_owned()))).transpose()?;
    let (target, inner) = to.map_or((None, None), |(address, ports)| (Some(address), ports));
    if what == "all" {
        if inner.is_some() {
            return Err(item
                .error("all ports cannot lead to one range")
                .help("name the ports outside: \"udp/24680 to 192.168.1.50:7882\""));
        }
        return Ok(vec![Entry { what: None, target, inner: None, from }]);
    }
    let list = ranges(item, what, key)?;
    if let Some((lo, hi)) = inner {
        let [(_, first, last)] = list[..] else {
            return Err(item
                .error("several ranges cannot lead to one")
                .help("write an entry of its own for each range outside"));
        };
        if last - first != hi - lo {
            let (outside, inside) = (u32::from(last - first) + 1, u32::from(hi - lo) + 1);
            return Err(item.error(format!("{outside} ports outside cannot lead to {inside} inside")).help(format!(
                "write ranges of one size: \"{what} to {}:{lo}-{}\"",
                target.map(|t| t.to_string()).unwrap_or_default(),
                u32::from(lo) + u32::from(last - first)
            )));
        }
    }
    let entry = |(proto, lo, hi): (Proto, u16, u16)| Entry {
        what: Some((proto, lo, hi)),
        target,
        inner: inner.map(|(port, _)| port).filter(|port| *port != lo),
        from: from.clone(),
    };
    Ok(list.into_iter().map(entry).collect())
}

/// Who sends what comes in.
fn sender(s: &At<String>) -> Result<Source, InputError> {
    let read = source(s)?;
    if matches!(read, Source::Place(Place::Lan | Place::Own)) {
        return Err(s
            .error(format!("`{}` is inside: what it sends does not come in", s.value))
            .help("name addresses, a network, `internet`, `admin`, `net:<name>`, `caller:<name>` or `peer:<name>`"));
    }
    Ok(read)
}

/// `udp/50000-50499`, `udp/50000:50499`, `50000-50499/udp`.
fn ranges(item: &At<String>, text: &str, key: Key) -> Result<Vec<(Proto, u16, u16)>, InputError> {
    let proto = |word: &str| match word {
        "udp" => Some(Proto::Udp),
        "tcp" => Some(Proto::Tcp),
        _ => None,
    };
    let (a, b) = text.split_once('/').unwrap_or((text, ""));
    let Some((proto, ports)) = proto(a).map(|p| (p, b)).or_else(|| proto(b).map(|p| (p, a))) else {
        return Err(match text {
            "none" | "unknown" if item.value == text => {
                item.error(format!("`{text}` in a list")).help(format!("write it alone: \"{text}\" without brackets"))
            }
            _ => item.error(format!("`{text}` is not protocol/ports")).help(key.help()),
        });
    };
    let ranges = parse_ports(ports).map_err(|(message, help)| item.error(message).help(help))?;
    Ok(ranges.into_iter().map(|(lo, hi)| (proto, lo, hi)).collect())
}

/// `192.168.1.50`, `192.168.1.50:7882`, `[2001:db8::5]:7882-7890`.
pub(super) fn target(s: &At<String>) -> Result<(IpAddr, Option<(u16, u16)>), InputError> {
    if let Ok(ip) = s.value.parse::<IpAddr>() {
        return Ok((ip, None));
    }
    let split = match s.value.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => s.value.split_once(':').filter(|(_, ports)| !ports.contains("::")),
    };
    let Some((ip, ports)) = split.filter(|(ip, _)| ip.parse::<IpAddr>().is_ok()) else {
        return address(s).map(|ip| (ip.value, None));
    };
    let ip = address(&s.with(ip.to_owned()))?.value;
    match parse_ports(ports).map_err(|(message, help)| s.error(message).help(help))?[..] {
        [range] => Ok((ip, Some(range))),
        _ => Err(s.error(format!("`{ports}` are several ranges")).help("write an entry of its own for each range")),
    }
}

/// `198.51.100.77`, `198.51.100.0/24`, `net:phones`, `internet`.
pub(super) fn source(s: &At<String>) -> Result<Source, InputError> {
    let looks_numeric = s.value.starts_with(|c: char| c.is_ascii_digit() || c == ':') || s.value.contains("::");
    if looks_numeric || s.value.parse::<IpAddr>().is_ok() {
        return prefix(s).map(|net| Source::Net(net.value));
    }
    place(s).map(|p| Source::Place(p.value))
}
