//! Values in strings: ports, addresses, prefixes, places.

use super::raw::{OneOrMany, Ports};
use super::{At, Place, PortRanges};
use crate::model::{is_public, is_shared};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;
use toml::Spanned;

pub(super) fn at<T: Clone>(s: &Spanned<T>) -> At<T> {
    At { value: s.get_ref().clone(), span: s.span() }
}

/// The strings of a value that may be one or several.
pub(super) fn strings(v: &Spanned<OneOrMany>) -> Vec<At<String>> {
    match v.get_ref() {
        OneOrMany::One(s) => vec![At { value: s.clone(), span: v.span() }],
        OneOrMany::Many(list) => list.iter().map(at).collect(),
    }
}

pub(super) fn address(s: &At<String>) -> Result<At<IpAddr>, InputError> {
    if let Ok(ip) = s.value.parse::<IpAddr>() {
        return Ok(s.with(ip));
    }
    let help = if s.value.parse::<IpNet>().is_ok() {
        "leave the prefix length out: a single address is wanted here"
    } else if s.value.chars().any(char::is_alphabetic) && !s.value.contains(':') {
        "names are not looked up here: write the address"
    } else {
        "an IPv4 address has four numbers from 0 to 255, an IPv6 address eight groups or `::`"
    };
    Err(s.error(format!("`{}` is not an IP address", s.value)).help(help))
}

/// Addresses of which each family may occur once.
pub(super) fn address_pair(list: &[At<String>], what: &str) -> Result<Vec<At<IpAddr>>, InputError> {
    let mut out: Vec<At<IpAddr>> = Vec::new();
    for item in list {
        let ip = address(item)?;
        if ip.value.is_unspecified() || ip.value.is_multicast() || ip.value.is_loopback() {
            return Err(item
                .error(format!("`{}` cannot be {what}", item.value))
                .help("write an address of one of its interfaces"));
        }
        if out.iter().any(|o| o.value.is_ipv4() == ip.value.is_ipv4()) {
            let family = if ip.value.is_ipv4() { "IPv4" } else { "IPv6" };
            return Err(item
                .error(format!("two {family} addresses for {what}"))
                .help(format!("give one {family} address; further addresses of the same family are not followed")));
        }
        out.push(ip);
    }
    Ok(out)
}

/// An address with its prefix length.
pub(super) fn net(s: &At<String>) -> Result<At<IpNet>, InputError> {
    if let Ok(net) = s.value.parse::<IpNet>() {
        return Ok(s.with(net));
    }
    let help = match s.value.parse::<IpAddr>() {
        Ok(IpAddr::V4(a)) => format!("add the prefix length: \"{a}/24\""),
        Ok(IpAddr::V6(a)) => format!("add the prefix length: \"{a}/64\""),
        Err(_) => "write address/length, such as \"192.168.1.1/24\" or \"2001:db8:1::1/64\"".into(),
    };
    Err(s.error(format!("`{}` is not an address with a prefix length", s.value)).help(help))
}

/// A prefix, or an address as the prefix that holds it alone.
pub(super) fn prefix(s: &At<String>) -> Result<At<IpNet>, InputError> {
    if let Ok(ip) = s.value.parse::<IpAddr>() {
        return Ok(s.with(IpNet::from(ip)));
    }
    let net = net(s)?;
    if net.value.trunc() != net.value {
        return Err(s
            .error(format!("`{}` has bits set after its prefix length", s.value))
            .help(format!("the network is \"{}\"", net.value.trunc())));
    }
    Ok(net)
}

pub(super) fn place(s: &At<String>) -> Result<At<Place>, InputError> {
    const KNOWN: [&str; 7] = ["internet", "lan", "self", "admin", "net:<name>", "caller:<name>", "peer:<name>"];
    let called = s.value.split_once(':').filter(|(_, name)| !name.trim().is_empty());
    let place = match (s.value.as_str(), called) {
        ("internet", _) => Place::Internet,
        ("lan", _) => Place::Lan,
        ("self", _) => Place::Own,
        ("admin", _) => Place::Admin,
        (_, Some(("net", name))) => Place::Net(name.to_owned()),
        (_, Some(("caller", name))) => Place::Caller(name.to_owned()),
        (_, Some(("peer", name))) => Place::Peer(name.to_owned()),
        _ => {
            let error = s.error(format!("`{}` is not a place", s.value));
            return Err(error.help(super::known_names(&s.value, "places", KNOWN)));
        }
    };
    Ok(s.with(place))
}

/// A place from which people call.
pub(super) fn calling(s: &At<String>) -> Result<At<Place>, InputError> {
    const KNOWN: [&str; 5] = ["internet", "lan", "self", "net:<name>", "caller:<name>"];
    let unclear = || s.error(format!("`{}` is not a place from which people call", s.value));
    match place(s) {
        Ok(At { value: Place::Peer(_) | Place::Admin, .. }) => {
            Err(unclear().help("a [[peer]] and the administrator are no callers: leave them out here"))
        }
        Ok(read) => Ok(read),
        Err(_) => Err(unclear().help(super::known_names(&s.value, "places", KNOWN))),
    }
}

/// Addresses by which the internet reaches something.
pub(super) fn public_addresses(list: &[At<String>], cure: &str) -> Result<Vec<At<IpAddr>>, InputError> {
    let mut out: Vec<At<IpAddr>> = Vec::new();
    for item in list {
        let ip = address(item)?;
        if ip.value.is_unspecified() || ip.value.is_multicast() || ip.value.is_loopback() {
            return Err(item
                .error(format!("`{}` cannot be the public address", item.value))
                .help("write an address of one of its interfaces"));
        }
        if is_shared(ip.value) {
            let message = format!("{} is an address that a provider shares between customers (RFC 6598)", ip.value);
            return Err(item.error(format!("{message}: the internet cannot reach it")).help(cure));
        }
        if !is_public(ip.value) {
            return Err(item
                .error(format!("{} is a private address: the internet cannot reach it", ip.value))
                .help(cure));
        }
        if out.iter().any(|o| o.value == ip.value) {
            return Err(item.error(format!("{} is named twice", ip.value)).help("name each address once"));
        }
        out.push(ip);
    }
    Ok(out)
}

pub(super) fn ports(v: &Spanned<Ports>) -> Result<At<PortRanges>, InputError> {
    let text = match v.get_ref() {
        Ports::Number(n) => n.to_string(),
        Ports::Text(t) => t.clone(),
    };
    let at = At { value: text, span: v.span() };
    // Which protocol a parameter is of, its profile says.
    if let Some((ports, proto @ ("udp" | "tcp"))) = at.value.rsplit_once('/') {
        return Err(at
            .error(format!("`{}` names a protocol", at.value))
            .help(format!("write the ports alone, \"{ports}\": the parameter says already what is {proto}")));
    }
    match parse_ports(&at.value) {
        Ok(ranges) => Ok(at.with(ranges)),
        Err((message, help)) => Err(at.error(message).help(help)),
    }
}

/// Reads `7881`, `50000-60000`, `50000:60000` or several of them with commas; the result is sorted and disjoint.
///
/// # Errors
/// What is wrong, and what to do.
pub fn parse_ports(text: &str) -> Result<PortRanges, (String, String)> {
    let mut out = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (lo, hi) = part.split_once(['-', ':']).filter(|(lo, _)| !lo.is_empty()).unwrap_or((part, part));
        let (lo, hi) = (port(lo.trim())?, port(hi.trim())?);
        if lo > hi {
            return Err((
                format!("the range `{part}` is the wrong way round"),
                format!("write the smaller port first: \"{hi}-{lo}\""),
            ));
        }
        out.push((lo, hi));
    }
    out.sort_unstable();
    if let Some(w) = out.windows(2).find(|w| w[1].0 <= w[0].1) {
        let message = format!("port {} is named twice in `{text}`", w[1].0);
        return Err((message, "name each port once".into()));
    }
    Ok(out)
}

fn port(text: &str) -> Result<u16, (String, String)> {
    match text.parse::<i64>() {
        Ok(n @ 1..=65535) => Ok(u16::try_from(n).unwrap_or_default()),
        Ok(n) => Err((format!("port {n} does not exist"), "ports are 1 to 65535".into())),
        Err(_) => Err((
            format!("`{text}` is not a port"),
            "write a number such as 7881 or a range such as \"50000-60000\"".into(),
        )),
    }
}
