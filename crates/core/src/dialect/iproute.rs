//! What `ip -j addr`, `ip -j route` and `ip -j rule` print (iproute2, `man 8 ip`): addresses, routes, routing rules.

mod add;
mod dialect;
mod rule;
mod signs;
mod vocabulary;

pub use add::{add_route, add_rules};
pub use dialect::IpRoute;
pub use rule::{DumpedRule, Open};

use crate::model::{Interface, SourceId};
use crate::secrets::json::{self, Keep};
use crate::snapshot::{InputError, floor_boundary};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::IpAddr;

/// The main table's number.
pub const MAIN: u32 = 254;
/// The local table's number; its content follows from the addresses.
const LOCAL: u32 = 255;
/// The default table's number.
const DEFAULT: u32 = 253;

/// One dump.
#[derive(Debug, Clone)]
pub enum Dump {
    /// `ip -j addr`.
    Addresses(Vec<Interface>),
    /// `ip -j route`, of one or both families.
    Routes(Vec<DumpedRoute>),
    /// `ip -j rule`. When nothing in it tells its family, it holds every rule for both.
    Rules(Vec<DumpedRule>),
    /// `[]`.
    Empty,
}

/// A route with its interface by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpedRoute {
    /// Destination.
    pub to: IpNet,
    /// Where it leads: several ways where nobody knows which one a packet takes.
    pub leads: Leads,
    /// Table number.
    pub table: u32,
    /// Metric.
    pub metric: u32,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// Out by one of these interfaces, each with a next hop.
    Out(Vec<DumpedHop>),
    /// Nowhere, silently (`blackhole`).
    Nowhere,
    /// Nowhere, with an answer (`unreachable`, `prohibit`).
    Refused,
    /// To the device itself (`local`).
    Here,
    /// To what the next routing rule says (`throw`).
    Next,
}

/// One way of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpedHop {
    /// Interface.
    pub dev: Box<str>,
    /// Next hop.
    pub via: Option<IpAddr>,
}

#[derive(Deserialize)]
struct Link {
    ifname: Box<str>,
    #[serde(default)]
    flags: Vec<Box<str>>,
    #[serde(default)]
    master: Option<Box<str>>,
    #[serde(default)]
    group: Option<Box<str>>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    local: Option<IpAddr>,
    #[serde(default)]
    prefixlen: Option<u8>,
}

#[derive(Deserialize)]
struct RouteLine {
    dst: Box<str>,
    #[serde(default)]
    gateway: Option<IpAddr>,
    #[serde(default)]
    via: Option<Via>,
    #[serde(default)]
    dev: Option<Box<str>>,
    #[serde(default)]
    metric: u32,
    #[serde(default)]
    table: Option<Box<str>>,
    #[serde(default, rename = "type")]
    kind: Option<Box<str>>,
    #[serde(default)]
    flags: Vec<Box<str>>,
    #[serde(default)]
    pref: Option<Box<str>>,
    #[serde(default)]
    prefsrc: Option<IpAddr>,
    #[serde(default)]
    nexthops: Vec<NextHop>,
}

#[derive(Deserialize)]
struct NextHop {
    #[serde(default)]
    gateway: Option<IpAddr>,
    #[serde(default)]
    via: Option<Via>,
    #[serde(default)]
    dev: Option<Box<str>>,
    #[serde(default)]
    flags: Vec<Box<str>>,
}

#[derive(Deserialize)]
struct Via {
    host: IpAddr,
}

/// What is kept of a dump: addresses, routes, rules, and by which interface. Names that an administrator gave, hardware
/// addresses and counters are not.
const KEEP: Keep = Keep {
    keys: &[
        "action",
        "addr_info",
        "dev",
        "dport",
        "dport_end",
        "dport_start",
        "dsfield",
        "dst",
        "dstlen",
        "family",
        "flags",
        "from",
        "fwmark",
        "fwmask",
        "gateway",
        "goto",
        "group",
        "host",
        "ifname",
        "iif",
        "iif_detached",
        "ipproto",
        "l3mdev",
        "local",
        "master",
        "metric",
        "nexthops",
        "nop",
        "not",
        "oif",
        "oif_detached",
        "pref",
        "prefixlen",
        "prefsrc",
        "priority",
        "protocol",
        "scope",
        "sport",
        "sport_end",
        "sport_start",
        "src",
        "srclen",
        "suppress_ifgroup",
        "suppress_prefixlen",
        "suppress_prefixlength",
        "table",
        "tos",
        "type",
        "uid_end",
        "uid_start",
        "unresolved",
        "via",
        "weight",
        "broadcast",
        "address",
    ],
    texts: &[],
    inner: &[],
};

/// A dump without what decides nothing.
pub(super) fn without_secrets(text: &str) -> String {
    json::blank(text, &KEEP)
}

/// Reads a dump, recognised by its keys.
///
/// # Errors
/// Not JSON, not one of these dumps, or a value that such a dump never has.
pub fn parse(source: SourceId, text: &str) -> Result<Dump, InputError> {
    // A byte order mark is no JSON; blanks in its place keep every position.
    let unmarked = text.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"));
    let text = unmarked.as_deref().unwrap_or(text);
    let items: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|e| json_error(source, text, &e))?;
    // `ip -j` prints an empty object for a line that a filter left out.
    let items: Vec<_> = items.into_iter().filter(|i| i.as_object().is_none_or(|o| !o.is_empty())).collect();
    let Some(first) = items.first() else { return Ok(Dump::Empty) };
    let has = |key: &str| first.get(key).is_some();
    let whole = |what: &str| InputError::at(source, 0..0, what);
    if has("ifname") {
        let links: Vec<Link> = from(items, source, "ip -j addr")?;
        let mut ports: HashMap<&str, u16> = HashMap::new();
        for master in links.iter().filter_map(|l| l.master.as_deref()) {
            let count = ports.entry(master).or_default();
            *count = count.saturating_add(1);
        }
        let one = |l: &Link| {
            let ports = Some(ports.get(&*l.ifname).copied().unwrap_or(0));
            interface(l, source, text).map(|i| Interface { ports, ..i })
        };
        return links.iter().map(one).collect::<Result<_, _>>().map(Dump::Addresses);
    }
    if has("priority") {
        return rule::rules(&items, source, text).map(Dump::Rules);
    }
    if has("dst") {
        return routes(&from(items, source, "ip -j route")?, source).map(Dump::Routes);
    }
    Err(whole("a JSON list, but not one that `ip -j addr`, `ip -j route` or `ip -j rule` prints")
        .help("run `ip -j addr` on the router and save what it prints"))
}

/// A JSON error with its place as bytes.
pub fn json_error(source: SourceId, text: &str, e: &serde_json::Error) -> InputError {
    let line_start = text.split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum::<usize>();
    // Columns count bytes: the last one read may be in the middle of a character.
    let at = floor_boundary(text, (line_start + e.column().saturating_sub(1)).min(text.len()));
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let message = e.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    InputError::at(source, at..end, format!("broken JSON: {message}"))
        .help("save the command's whole output; a file that was cut off or edited by hand often looks like this")
}

fn from<T: for<'de> Deserialize<'de>>(
    items: Vec<serde_json::Value>,
    source: SourceId,
    what: &str,
) -> Result<Vec<T>, InputError> {
    serde_json::from_value(serde_json::Value::Array(items)).map_err(|e| {
        InputError::at(source, 0..0, format!("not what `{what}` prints: {e}"))
            .help(format!("run `{what}` again and save what it prints"))
    })
}

fn interface(link: &Link, source: SourceId, text: &str) -> Result<Interface, InputError> {
    let mut addresses = Vec::with_capacity(link.addr_info.len());
    for address in &link.addr_info {
        // Entries without an address (`{}`) are what a filter of `ip` left out.
        let Some(local) = address.local else { continue };
        let length = address.prefixlen.unwrap_or(if local.is_ipv4() { 32 } else { 128 });
        addresses.push(IpNet::new(local, length).map_err(|_| {
            let at = text.find(&local.to_string()).unwrap_or(0);
            let message = format!("{local}/{length} is not an address with its network");
            InputError::at(source, at..at + local.to_string().len(), message)
                .help("save what `ip -j addr` prints, unchanged")
        })?);
    }
    let group = match link.group.as_deref() {
        None | Some("default") => 0,
        Some(name) => name.parse().map_err(|_| {
            let at = text.find(&format!("\"{name}\"")).unwrap_or(0);
            InputError::at(source, at..at + name.len() + 2, format!("the interface group `{name}` has no number here"))
                .help("replace the name by its number from /etc/iproute2/group")
        })?,
    };
    // A line by PPP is point to point too, and leads to a provider.
    let tunnel = link.flags.iter().any(|f| &**f == "POINTOPOINT") && !link.ifname.starts_with("ppp");
    Ok(Interface { name: link.ifname.clone(), group, addresses, tunnel, ..Interface::default() })
}

fn routes(lines: &[RouteLine], source: SourceId) -> Result<Vec<DumpedRoute>, InputError> {
    // A default route without next hop does not name its family; only IPv6 routes have a preference.
    let is_v6 = |r: &RouteLine| {
        r.pref.is_some() || [r.gateway, r.prefsrc].into_iter().flatten().any(|a| a.is_ipv6()) || r.dst.contains(':')
    };
    let mut out = Vec::new();
    for line in lines {
        // What the local table holds follows from the addresses.
        let skip = matches!(line.kind.as_deref(), Some("broadcast" | "multicast" | "anycast"));
        if skip || line.flags.iter().any(|f| &**f == "dead") {
            continue;
        }
        let to = match &*line.dst {
            "default" if is_v6(line) => "::/0".parse().ok(),
            "default" => "0.0.0.0/0".parse().ok(),
            dst => dst.parse().ok().or_else(|| dst.parse::<IpAddr>().ok().map(IpNet::from)),
        };
        let Some(to) = to else {
            return Err(InputError::at(source, 0..0, format!("`{}` is not a destination", line.dst))
                .help("save what `ip -j route` prints, unchanged"));
        };
        let alive = |h: &&NextHop| h.flags.iter().all(|f| &**f != "dead");
        let hop = |dev: &Option<Box<str>>, gateway: Option<IpAddr>, via: &Option<Via>| {
            dev.clone().map(|dev| DumpedHop { dev, via: gateway.or(via.as_ref().map(|v| v.host)) })
        };
        let leads = match line.kind.as_deref() {
            Some("blackhole") => Leads::Nowhere,
            Some("unreachable" | "prohibit") => Leads::Refused,
            Some("throw") => Leads::Next,
            Some("local") => Leads::Here,
            _ if line.nexthops.is_empty() => match hop(&line.dev, line.gateway, &line.via) {
                Some(one) => Leads::Out(vec![one]),
                None => Leads::Refused,
            },
            _ => {
                let hops = line.nexthops.iter().filter(alive).filter_map(|h| hop(&h.dev, h.gateway, &h.via));
                let mut list: Vec<DumpedHop> = Vec::new();
                for one in hops {
                    if !list.contains(&one) {
                        list.push(one);
                    }
                }
                if list.is_empty() { Leads::Refused } else { Leads::Out(list) }
            }
        };
        out.push(DumpedRoute { to, leads, table: table(line.table.as_deref()), metric: line.metric });
    }
    out.retain(|r| r.table != LOCAL);
    Ok(out)
}

/// Number of a table. Names from `/etc/iproute2/rt_tables` get numbers of their own, the same in routes and rules.
fn table(name: Option<&str>) -> u32 {
    match name {
        None | Some("main") => MAIN,
        Some("local") => LOCAL,
        Some("default") => DEFAULT,
        Some(other) => other.parse().unwrap_or_else(|_| {
            other.bytes().fold(0x8000_0000, |n: u32, b| n.wrapping_mul(31).wrapping_add(u32::from(b))) | 0x8000_0000
        }),
    }
}

/// How names of interfaces begin that tools give to tunnels: `WireGuard` and tun(4), the kinds of `ip tunnel` and `ip
/// link`, `IPsec`, `OpenVPN` and mesh networks.
const TUNNELS: &[&str] = &[
    "wg",
    "tun",
    "gre",
    "ipip",
    "sit",
    "vti",
    "xfrm",
    "ipsec",
    "gif",
    "ovpn",
    "ovpns",
    "ovpnc",
    "tailscale",
    "nebula",
    "wt",
];

/// An interface is called as tunnels are: `wg0`, `tun_wg0`, `ovpnc1`, `wg-home`.
pub(crate) fn named_as_tunnel(name: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    TUNNELS.iter().any(|t| name.strip_prefix(t).is_some_and(|rest| !goes_on(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, Holds, RuleAction};

    #[test]
    fn addresses_are_read() {
        let text = r#"[{"ifname":"lo","group":"default","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
            {"ifname":"wan0","group":"7","addr_info":[{"family":"inet","local":"203.0.113.5","prefixlen":24,"scope":"global"},
            {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]}]"#;
        let Ok(Dump::Addresses(list)) = parse(SourceId(1), text) else { panic!("addresses") };
        assert_eq!(list.len(), 2);
        assert_eq!((list[1].group, list[1].addresses.len()), (7, 2));
    }

    #[test]
    fn a_default_route_without_next_hop_has_the_family_of_its_dump() {
        let v4 = r#"[{"dst":"default","dev":"ppp0","scope":"link","flags":[]},
            {"type":"blackhole","dst":"10.0.0.0/8","flags":[]},{"dst":"192.0.2.7","dev":"lan0","table":"100","flags":[]}]"#;
        let Ok(Dump::Routes(list)) = parse(SourceId(1), v4) else { panic!("routes") };
        assert_eq!(list[0].to.to_string(), "0.0.0.0/0");
        assert_eq!(list[1].leads, Leads::Nowhere);
        assert_eq!((list[2].to.to_string().as_str(), list[2].table), ("192.0.2.7/32", 100));
        let v6 = r#"[{"dst":"default","dev":"ppp0","metric":1024,"flags":[],"pref":"medium"}]"#;
        let Ok(Dump::Routes(list)) = parse(SourceId(1), v6) else { panic!("routes") };
        assert_eq!((list[0].to.to_string().as_str(), list[0].metric), ("::/0", 1024));
    }

    #[test]
    fn rules_are_read_or_refused() {
        let text = r#"[{"priority":0,"src":"all","table":"local"},
            {"priority":100,"src":"192.168.1.0","srclen":24,"fwmark":"0x1","fwmask":"0xff","table":"vpn"},
            {"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]"#;
        let Ok(Dump::Rules(list)) = parse(SourceId(1), text) else { panic!("rules") };
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].rule.from, "192.168.1.0/24".parse().ok());
        assert_eq!(list[0].rule.mark, Some((1, 255)));
        assert!(list.iter().all(|r| r.rule.family == Family::V4 && r.open.is_none()));
    }

    /// As iproute2 6.1 prints them.
    #[test]
    fn every_kind_of_rule_is_read_and_what_is_not_followed_stays_open() {
        let one = |rest: &str| {
            let text = format!(r#"[{{"priority":10,"src":"all",{rest}}}]"#);
            match parse(SourceId(1), &text) {
                Ok(Dump::Rules(mut list)) => list.remove(0),
                other => panic!("{rest}: {other:?}"),
            }
        };
        let main = |longer_than, not_group| RuleAction::LookUp { longer_than, not_group };
        assert!(one(r#""not":null,"fwmark":"0xca6c","table":"51820""#).rule.inverted);
        assert_eq!(one(r#""table":"main","suppress_prefixlen":0"#).rule.action, main(Some(0), None));
        assert_eq!(one(r#""table":"main","suppress_prefixlength":8"#).rule.action, main(Some(8), None));
        assert_eq!(one(r#""table":"main","suppress_ifgroup":"7""#).rule.action, main(None, Some(7)));
        for action in ["blackhole", "unreachable", "prohibit"] {
            assert_eq!(one(&format!(r#""iif":"a","action":"{action}""#)).rule.action, RuleAction::Discard);
        }
        assert_eq!(one(r#""goto":30"#).rule.action, RuleAction::GoTo(30));
        assert_eq!(one(r#""nop":null"#).rule.action, RuleAction::Nothing);
        let ports = one(r#""ipproto":"udp","sport_start":1000,"sport_end":1010,"table":"5""#).rule;
        assert_eq!((ports.proto, ports.sports, ports.dports), (Some(17), Some((1000, 1010)), None));
        assert_eq!(one(r#""ipproto":"tcp","dport":443,"table":"5""#).rule.dports, Some((443, 443)));
        let open = |rest: &str| {
            let found = one(rest);
            found.open.map(|o| (o.what.to_string(), o.passing, found.rule.passing))
        };
        assert_eq!(open(r#""oif":"a","table":"5""#), Some(("oif a".into(), false, Holds::No)));
        let user = r#""uid_start":1000,"uid_end":1005,"table":"5""#;
        assert_eq!(open(user), Some(("uidrange 1000-1005".into(), false, Holds::No)));
        let root = r#""uid_start":0,"uid_end":1005,"table":"5""#;
        assert_eq!(open(root), Some(("uidrange 0-1005".into(), false, Holds::Yes)));
        assert_eq!(open(r#""tos":"0x10","table":"5""#), Some(("tos 0x10".into(), true, Holds::Yes)));
        assert_eq!(open(r#""l3mdev":null"#), Some(("l3mdev".into(), true, Holds::Yes)));
    }

    #[test]
    fn a_route_may_lead_several_ways_back_to_the_rules_or_to_the_device() {
        let text = r#"[{"dst":"default","flags":[],"nexthops":[{"gateway":"10.0.0.2","dev":"a","weight":1,"flags":[]},
            {"gateway":"10.1.0.2","dev":"b","weight":5,"flags":["dead","linkdown"]},{"dev":"ppp0","weight":1,"flags":[]}]},
            {"type":"throw","dst":"10.9.0.0/16","table":"5","flags":[]},
            {"type":"local","dst":"default","dev":"lo","table":"100","scope":"host","flags":[]}]"#;
        let Ok(Dump::Routes(list)) = parse(SourceId(1), text) else { panic!("routes") };
        let hop = |dev: &str, via: Option<&str>| DumpedHop { dev: dev.into(), via: via.and_then(|v| v.parse().ok()) };
        assert_eq!(list[0].leads, Leads::Out(vec![hop("a", Some("10.0.0.2")), hop("ppp0", None)]));
        assert_eq!((&list[1].leads, &list[2].leads), (&Leads::Next, &Leads::Here));
    }

    #[test]
    fn what_is_not_understood_of_a_rule_does_not_widen_it() {
        let rule = |rest: &str| format!(r#"[{{"priority":100,"table":"vpn",{rest}}}]"#);
        for (rest, place) in [
            (r#""src":"all","fwmark":"0xzz""#, r#""0xzz""#),
            (r#""src":"all","fwmark":true"#, "true"),
            (r#""src":"all","fwmark":"0x1","fwmask":"many""#, r#""many""#),
            (r#""src":"somewhere""#, r#""somewhere""#),
            (r#""src":"192.168.1.0","srclen":33"#, "33"),
            (r#""src":"192.168.1.0","srclen":"half""#, r#""half""#),
            (r#""src":7"#, "7"),
            (r#""src":"all","dst":"10.0.0.0/8""#, r#""10.0.0.0/8""#),
            (r#""src":"all","iif":5"#, "5"),
        ] {
            let text = rule(rest);
            let error = parse(SourceId(1), &text).expect_err(rest);
            let (_, span) = error.at.expect("place");
            assert_eq!(&text[span], place, "{rest}: {}", error.message);
        }
        for bad in
            [r#"[{"priority":"soon","src":"all","table":"vpn"}]"#, r#"[{"priority":-1,"src":"all","table":"vpn"}]"#]
        {
            assert!(parse(SourceId(1), bad).expect_err(bad).message.contains("priority"));
        }
        let Ok(Dump::Rules(list)) = parse(SourceId(1), &rule(r#""src":"all","fwmark":"0x10""#)) else {
            panic!("rules")
        };
        assert_eq!((list[0].rule.mark, list[0].rule.from), (Some((16, u32::MAX)), None));
        let bad = r#"[{"ifname":"wan0","addr_info":[{"local":"203.0.113.5","prefixlen":33}]}]"#;
        assert!(parse(SourceId(1), bad).expect_err("an address").message.contains("203.0.113.5/33"));
    }

    #[test]
    fn broken_and_foreign_json_is_refused_with_a_place() {
        let text = "[{\"ifname\":\"lo\"},\n {\"ifname\":}]";
        let error = parse(SourceId(1), text).expect_err("broken");
        let (_, span) = error.at.expect("place");
        assert_eq!(&text[span], "}", "{}", error.message);
        assert!(parse(SourceId(1), "[1]").is_err());
        assert!(parse(SourceId(1), r#"[{"a":1}]"#).is_err());
        assert!(matches!(parse(SourceId(1), "[]"), Ok(Dump::Empty)));
    }

    #[test]
    fn tunnels_are_known_by_their_names() {
        for (name, tunnel) in [
            ("wg0", true),
            ("wg-home", true),
            ("tun_wg0", true),
            ("ovpnc1", true),
            ("tailscale0", true),
            ("eth0", false),
            ("wan0", false),
            ("tunnelwan", false),
            ("greenlan", false),
            ("ppp0", false),
        ] {
            assert_eq!(named_as_tunnel(name), tunnel, "{name}");
        }
    }
}
