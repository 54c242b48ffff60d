//! Values in strings: ports, addresses, prefixes, places.

use super::raw::{OneOrMany, Ports};
use super::{At, ForwardedPorts, Forwards, Place, Proto};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;
use toml::Spanned;

/// Port ranges, both ends included, sorted and disjoint.
pub type PortRanges = Vec<(u16, u16)>;

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
    const KNOWN: [&str; 5] = ["internet", "lan", "self", "net:<name>", "caller:<name>"];
    let place = match &*s.value {
        "internet" => Place::Internet,
        "lan" => Place::Lan,
        "self" => Place::Own,
        other if other.strip_prefix("caller:").is_some_and(|n| !n.is_empty()) => {
            Place::Caller(other["caller:".len()..].to_owned())
        }
        other => {
            let Some(name) = other.strip_prefix("net:").filter(|n| !n.is_empty()) else {
                let error = s.error(format!("`{}` is not a place from which people call", s.value));
                return Err(error.help(super::known_names(&s.value, "places", KNOWN)));
            };
            Place::Net(name.to_owned())
        }
    };
    Ok(s.with(place))
}

pub(super) fn ports(v: &Spanned<Ports>) -> Result<At<PortRanges>, InputError> {
    let text = match v.get_ref() {
        Ports::Number(n) => n.to_string(),
        Ports::Text(t) => t.clone(),
    };
    let at = At { value: text, span: v.span() };
    match parse_ports(&at.value) {
        Ok(ranges) => Ok(at.with(ranges)),
        Err((message, help)) => Err(at.error(message).help(help)),
    }
}

/// Reads `7881`, `50000-60000` or several of them with commas; the result is sorted and disjoint.
///
/// # Errors
/// What is wrong, and what to do.
pub fn parse_ports(text: &str) -> Result<PortRanges, (String, String)> {
    let mut out = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (lo, hi) = part.split_once('-').filter(|(lo, _)| !lo.is_empty()).unwrap_or((part, part));
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

/// Ports as people write them: `7881`, `50000-60000`.
pub fn show_ports(ranges: &[(u16, u16)]) -> String {
    let show = |(lo, hi): &(u16, u16)| if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") };
    ranges.iter().map(show).collect::<Vec<_>>().join(",")
}

const FORWARDS_HELP: &str = "write \"all\", \"all to 192.168.0.2\", \"none\", \"unknown\", or a list such as [\"udp/50000-50499\", \"tcp/7881 to 192.168.1.50\"]";

pub(super) fn forwards(v: &Spanned<OneOrMany>) -> Result<At<Forwards>, InputError> {
    let whole = At { value: (), span: v.span() };
    let OneOrMany::One(text) = v.get_ref() else {
        let mut list = Vec::new();
        for item in strings(v) {
            let (what, target) = match item.value.split_once(" to ") {
                Some((what, to)) => (what.trim(), Some(address(&item.with(to.trim().to_owned()))?.value)),
                None => (item.value.as_str(), None),
            };
            let (proto, ports) = match what.split_once('/') {
                Some(("udp", p)) => (Proto::Udp, p),
                Some(("tcp", p)) => (Proto::Tcp, p),
                _ => return Err(item.error(format!("`{}` is not protocol/ports", item.value)).help(FORWARDS_HELP)),
            };
            let ranges = parse_ports(ports).map_err(|(message, help)| item.error(message).help(help))?;
            list.extend(ranges.into_iter().map(|(from, to)| ForwardedPorts { proto, from, to, target }));
        }
        return Ok(whole.with(Forwards::Ports(list)));
    };
    let forwards = match &**text {
        "all" => Forwards::All(None),
        "none" => Forwards::None,
        "unknown" => Forwards::Unknown,
        other => match other.strip_prefix("all to ") {
            Some(to) => Forwards::All(Some(address(&At { value: to.trim().to_owned(), span: v.span() })?.value)),
            None => return Err(whole.error(format!("`{other}` does not say what is forwarded")).help(FORWARDS_HELP)),
        },
    };
    Ok(whole.with(forwards))
}
