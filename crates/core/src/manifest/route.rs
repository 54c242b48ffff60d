//! Routes as stated in the manifest, in the words of `ip route`.

use super::At;
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

/// `default via 203.0.113.1 dev wan0`, `10.0.0.0/8 via 192.168.1.2`, `blackhole 10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedRoute {
    /// Destination; absent: the default route of the next hop's family, or of both families without a next hop.
    pub to: Option<IpNet>,
    /// Next hop.
    pub via: Option<IpAddr>,
    /// Interface.
    pub dev: Option<String>,
    /// Discards what it matches.
    pub blackhole: bool,
}

const HELP: &str = "write it as `ip route` does: \"10.0.0.0/8 via 192.168.1.2\", \"default dev wan0\"";

pub(super) fn route(s: &At<String>) -> Result<At<StatedRoute>, InputError> {
    let bad = |what: String| s.error(what).help(HELP);
    let mut words = s.value.split_whitespace().peekable();
    let blackhole = words.next_if_eq(&"blackhole").is_some();
    let to = match words.next() {
        None => return Err(bad("an empty route".into())),
        Some("default") => None,
        Some(word) => match (word.parse::<IpNet>(), word.parse::<IpAddr>()) {
            (Ok(net), _) if net.trunc() == net => Some(net),
            (_, Ok(ip)) => Some(IpNet::from(ip)),
            _ => return Err(bad(format!("`{word}` is not a network"))),
        },
    };
    let mut route = StatedRoute { to, via: None, dev: None, blackhole };
    while let Some(word) = words.next() {
        match (word, words.next()) {
            ("via", Some(hop)) => match hop.parse::<IpAddr>() {
                Ok(ip) if route.to.is_none_or(|n| n.addr().is_ipv4() == ip.is_ipv4()) => route.via = Some(ip),
                Ok(_) => return Err(bad(format!("the next hop `{hop}` is of another address family"))),
                Err(_) => return Err(bad(format!("the next hop `{hop}` is not an IP address"))),
            },
            ("dev", Some(dev)) => route.dev = Some(dev.to_owned()),
            _ => return Err(bad(format!("`{word}` is not understood in a route"))),
        }
    }
    if route.via.is_none() && route.dev.is_none() && !blackhole {
        return Err(bad("the route leads nowhere".into()));
    }
    Ok(s.with(route))
}
