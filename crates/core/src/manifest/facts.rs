//! Facts of an installation that no file of a firewall holds: who administers it, what it tells, where its proxy is.

use super::raw::{self, OneOrMany};
use super::traffic::{Source, source, target};
use super::value::{at, parse_ports, place, strings};
use super::{At, Place};
use crate::snapshot::InputError;
use std::collections::BTreeMap;
use std::net::IpAddr;
use toml::Spanned;

/// From where something is administered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admin {
    /// From everywhere.
    Anywhere,
    /// From these addresses and places.
    From(Vec<At<Source>>),
}

/// What is known of a server's own firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnFirewall {
    /// Nothing.
    Unknown,
    /// It has none.
    None,
}

/// Where pages and signalling are answered, when another program than the product does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is; absent: on the server's own host.
    pub at: Option<At<ProxyAt>>,
    /// The port by which people reach it, where that is not the usual one.
    pub outer: Option<At<u16>>,
}

/// Where a proxy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyAt {
    /// On this host, on this port where it is named.
    Host(IpAddr, Option<u16>),
    /// On the outermost gateway itself.
    Gateway,
    /// Somewhere on the internet.
    Outside,
}

/// An address that a product tells to those at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The public address.
    Public,
    /// The server's own address.
    Own,
    /// What a STUN server says.
    Stun,
    /// Not known.
    Unknown,
    /// This address.
    Address(IpAddr),
    /// This name.
    Name(String),
}

/// A place, and what those there are told.
pub type ToldTo = (At<Place>, At<Vec<Told>>);

/// A place, and where the name leads there.
pub type NameAt = (At<Place>, Vec<At<IpAddr>>);

const ADMIN: &str =
    "write addresses, networks and places: admin = [\"198.51.100.77\", \"net:phones\"], or \"anywhere\"";

pub(super) fn admin(v: &Spanned<OneOrMany>) -> Result<At<Admin>, InputError> {
    let whole = At { value: (), span: v.span() };
    let list = strings(v);
    if let [one] = &list[..]
        && one.value == "anywhere"
    {
        return Ok(whole.with(Admin::Anywhere));
    }
    let mut from = Vec::new();
    for item in &list {
        if item.value == "anywhere" {
            return Err(item.error("`anywhere` beside other places").help(ADMIN));
        }
        let read = source(item).map_err(|e| if e.help.is_empty() { e.help(ADMIN) } else { e })?;
        if read == Source::Place(Place::Admin) {
            return Err(item.error("`admin` is what this key says: it cannot stand in it").help(ADMIN));
        }
        from.push(item.with(read));
    }
    Ok(whole.with(Admin::From(from)))
}

pub(super) fn proxy(v: &Spanned<raw::Proxy>) -> Result<At<Proxy>, InputError> {
    let (text, outer) = match v.get_ref() {
        raw::Proxy::At(text) => (Some(At { value: text.clone(), span: v.span() }), None),
        raw::Proxy::Table(table) => (table.at.as_ref().map(at), table.outer.as_ref()),
    };
    if text.is_none() && outer.is_none() {
        return Err(InputError::in_manifest(v.span(), "nothing is said about the proxy")
            .help("say where it is, `at = \"192.168.1.60:443\"`, or by which port people reach it, `outer = 8443`"));
    }
    let place = text.as_ref().map(proxy_at).transpose()?;
    let outer = outer.map(port).transpose()?;
    Ok(At { value: Proxy { at: place, outer }, span: v.span() })
}

fn proxy_at(text: &At<String>) -> Result<At<ProxyAt>, InputError> {
    let place = match text.value.as_str() {
        "gateway" => ProxyAt::Gateway,
        "outside" => ProxyAt::Outside,
        other if !other.contains(':') && !other.starts_with(|c: char| c.is_ascii_digit()) => {
            return Err(text.error(format!("`{other}` does not say where the proxy is")).help(
                "write its address and port, `at = \"192.168.1.60:443\"`, \"gateway\" (the firewall itself) or \
                 \"outside\" (a CDN)",
            ));
        }
        _ => match target(text)? {
            (ip, None) => ProxyAt::Host(ip, None),
            (ip, Some((lo, hi))) if lo == hi => ProxyAt::Host(ip, Some(lo)),
            (ip, Some(_)) => {
                return Err(text
                    .error("a proxy answers on one port, not on a range")
                    .help(format!("write one port: \"{ip}:443\"")));
            }
        },
    };
    Ok(text.with(place))
}

fn port(v: &Spanned<raw::Ports>) -> Result<At<u16>, InputError> {
    let text = match v.get_ref() {
        raw::Ports::Number(n) => n.to_string(),
        raw::Ports::Text(t) => t.clone(),
    };
    let place = At { value: text, span: v.span() };
    match parse_ports(&place.value).map_err(|(message, help)| place.error(message).help(help))?[..] {
        [(lo, hi)] if lo == hi => Ok(place.with(lo)),
        _ => Err(place.error("one port is wanted here, not several").help("write one number, such as 8443")),
    }
}

pub(super) fn told(stated: &BTreeMap<Spanned<String>, Spanned<OneOrMany>>) -> Result<Vec<ToldTo>, InputError> {
    let mut out = Vec::new();
    for (key, value) in stated {
        let audience = place(&at(key))?;
        let list = strings(value);
        let whole = At { value: (), span: value.span() };
        if list.is_empty() {
            return Err(whole
                .error(format!("`{}` is told nothing", key.get_ref()))
                .help("name what is told, or write \"unknown\""));
        }
        let items = list.iter().map(told_item).collect::<Result<Vec<_>, _>>()?;
        if items.len() > 1 && items.contains(&Told::Unknown) {
            return Err(whole
                .error("`unknown` beside what is known")
                .help("name all that is told, or write \"unknown\" alone"));
        }
        out.push((audience, whole.with(items)));
    }
    out.sort_by_key(|(place, _)| place.span.start);
    Ok(out)
}

fn told_item(s: &At<String>) -> Result<Told, InputError> {
    Ok(match s.value.as_str() {
        "public" => Told::Public,
        "own" => Told::Own,
        "stun" => Told::Stun,
        "unknown" => Told::Unknown,
        text => match text.parse::<IpAddr>() {
            Ok(ip) => Told::Address(ip),
            Err(_) if text.contains('.') && super::read::host_name(s).is_ok() && !numeric(text) => {
                Told::Name(text.to_owned())
            }
            Err(_) => {
                return Err(s.error(format!("`{text}` is nothing that can be told")).help(
                    "write \"public\", \"own\", \"stun\", an address, a name such as \"voice.example.org\", a list of \
                     these, or \"unknown\"",
                ));
            }
        },
    })
}

/// What was meant as an address.
fn numeric(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || ".:/".contains(c))
}

/// Places where the name leads elsewhere than to the public address.
pub(super) fn dns(stated: &BTreeMap<Spanned<String>, Spanned<OneOrMany>>) -> Result<Vec<NameAt>, InputError> {
    let mut out = Vec::new();
    for (key, value) in stated {
        let name = at(key);
        let asker = place(&name)?;
        if !matches!(asker.value, Place::Internet | Place::Lan | Place::Net(_) | Place::Caller(_) | Place::Own) {
            return Err(name
                .error(format!("`{}` is not a place from which people call", name.value))
                .help("places: internet, lan, net:<name>, caller:<name>, self"));
        }
        let list = super::value::address_pair(&strings(value), "where a name leads")?;
        if list.is_empty() {
            return Err(InputError::in_manifest(value.span(), "the name leads nowhere")
                .help("write the address that the name has there: `dns = { lan = \"192.168.1.50\" }`"));
        }
        out.push((asker, list));
    }
    out.sort_by_key(|(place, _)| place.span.start);
    Ok(out)
}
