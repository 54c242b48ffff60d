//! What `ip -j addr`, `ip -j route` and `ip -j rule` print (iproute2, `man 8 ip`): addresses, routes, routing rules.

use crate::model::{Family, Interface, RoutingRule, SourceId};
use crate::snapshot::{InputError, floor_boundary};
use ipnet::IpNet;
use serde::Deserialize;
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
    Rules(Vec<RoutingRule>),
    /// `[]`.
    Empty,
}

/// A route with its interface by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpedRoute {
    /// Destination.
    pub to: IpNet,
    /// Next hop.
    pub via: Option<IpAddr>,
    /// Interface.
    pub dev: Option<Box<str>>,
    /// Discards silently (`blackhole`), or with an answer (`unreachable`, `prohibit`).
    pub discards: Option<Discards>,
    /// Table number.
    pub table: u32,
    /// Metric.
    pub metric: u32,
}

/// Kinds of routes that lead nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discards {
    /// Silently.
    Silently,
    /// With an answer.
    Answering,
}

#[derive(Deserialize)]
struct Link {
    ifname: Box<str>,
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
    nexthops: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Via {
    host: IpAddr,
}

/// Keys of a rule that are understood; any other changes what the rule matches.
const RULE_KEYS: [&str; 12] = [
    "priority",
    "src",
    "srclen",
    "dst",
    "dstlen",
    "iif",
    "iif_detached",
    "fwmark",
    "fwmask",
    "table",
    "protocol",
    "action",
];

/// Reads a dump, recognised by its keys.
///
/// # Errors
/// Not JSON, not one of these dumps, or a routing rule or multipath route that the model cannot hold.
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
        return links.into_iter().map(|l| interface(&l, source, text)).collect::<Result<_, _>>().map(Dump::Addresses);
    }
    if has("priority") && has("table") {
        return rules(&items, source, text).map(Dump::Rules);
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
    Ok(Interface { name: link.ifname.clone(), group, addresses, ..Interface::default() })
}

fn routes(lines: &[RouteLine], source: SourceId) -> Result<Vec<DumpedRoute>, InputError> {
    // A default route without next hop does not name its family; only IPv6 routes have a preference.
    let is_v6 = |r: &RouteLine| {
        r.pref.is_some() || [r.gateway, r.prefsrc].into_iter().flatten().any(|a| a.is_ipv6()) || r.dst.contains(':')
    };
    let mut out = Vec::new();
    for line in lines {
        let skip = matches!(line.kind.as_deref(), Some("local" | "broadcast" | "multicast" | "anycast"));
        if skip || line.flags.iter().any(|f| &**f == "dead") {
            continue;
        }
        if !line.nexthops.is_empty() {
            return Err(InputError::at(source, 0..0, format!("the route to {} has several next hops", line.dst))
                .help("which of them a packet takes cannot be told: keep the one in use and remove the others"));
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
        let discards = match line.kind.as_deref() {
            Some("blackhole") => Some(Discards::Silently),
            Some("unreachable" | "prohibit") => Some(Discards::Answering),
            Some("throw") => {
                return Err(InputError::at(source, 0..0, format!("the route to {} is of kind `throw`", line.dst))
                    .help("such routes are not followed; if calls do not depend on it, remove it from this file"));
            }
            _ => None,
        };
        out.push(DumpedRoute {
            to,
            via: line.gateway.or(line.via.as_ref().map(|v| v.host)),
            dev: line.dev.clone(),
            discards,
            table: table(line.table.as_deref()),
            metric: line.metric,
        });
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

/// A value of a routing rule that is not read: what stands there and where.
fn unreadable(source: SourceId, whole: &str, key: &str, value: &serde_json::Value) -> InputError {
    let shown = value.to_string();
    // `ip` prints neither blanks nor escapes that this library would print differently, but people may.
    let place = whole.match_indices(&format!("\"{key}\"")).map(|(at, _)| at).find_map(|at| {
        let rest = &whole[at + key.len() + 2..];
        let value_at = whole.len() - rest.trim_start_matches([' ', ':', '\n', '\t', '\r']).len();
        whole[value_at..].starts_with(&shown).then(|| value_at..value_at + shown.len())
    });
    InputError::at(source, place.unwrap_or(0..1), format!("`{key}` of a routing rule is not understood: {shown}"))
        .help("save what `ip -j rule` prints, unchanged; which packets the rule is for cannot be guessed")
}

/// A number from 0 to 2³² - 1, as `ip` prints it: decimal, or text with or without `0x`. None: the rule has no such key.
fn number(item: &serde_json::Value, key: &str, radix: u32) -> Result<Option<u32>, ()> {
    let Some(value) = item.get(key) else { return Ok(None) };
    let found = match value {
        serde_json::Value::String(s) => match s.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => u32::from_str_radix(s, radix).ok(),
        },
        other => other.as_u64().and_then(|n| u32::try_from(n).ok()),
    };
    found.map(Some).ok_or(())
}

/// A rule's source or destination; `all` and no key at all ask for nothing.
fn prefix(item: &serde_json::Value, key: &'static str, length: &'static str) -> Result<Option<IpNet>, &'static str> {
    let length_of = |full: u8| match number(item, length, 10) {
        Ok(None) => Ok(full),
        Ok(Some(n)) => u8::try_from(n).map_err(|_| length),
        Err(()) => Err(length),
    };
    match item.get(key) {
        None => {
            number(item, length, 10).ok().flatten().map_or(Ok(None), |n| if n == 0 { Ok(None) } else { Err(length) })
        }
        Some(serde_json::Value::String(s)) if s == "all" || s == "any" || s == "default" => Ok(None),
        Some(serde_json::Value::String(s)) => {
            let address: IpAddr = s.parse().map_err(|_| key)?;
            let full = if address.is_ipv4() { 32 } else { 128 };
            IpNet::new(address, length_of(full)?).map(Some).map_err(|_| length)
        }
        Some(_) => Err(key),
    }
}

fn rules(items: &[serde_json::Value], source: SourceId, whole: &str) -> Result<Vec<RoutingRule>, InputError> {
    let mut out = Vec::new();
    let text = |item: &serde_json::Value, key: &str| item.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let addresses = || items.iter().flat_map(|i| [text(i, "src"), text(i, "dst")]).flatten();
    // Only IPv4 has a rule for the default table (fib_default_rules_init, net/ipv4/fib_rules.c).
    let v4 = items.iter().any(|i| text(i, "table").as_deref() == Some("default"))
        || addresses().any(|a| a.parse::<std::net::Ipv4Addr>().is_ok());
    let v6 = addresses().any(|a| a.contains(':'));
    let families: &[Family] = match (v4, v6) {
        (true, false) => &[Family::V4],
        (false, true) => &[Family::V6],
        _ => &[Family::V4, Family::V6],
    };
    for item in items {
        let unknown = item.as_object().and_then(|o| o.keys().find(|k| !RULE_KEYS.contains(&&***k)));
        let action = text(item, "action").filter(|a| a != "to_tbl" && a != "lookup");
        if let Some(what) = unknown.cloned().or(action) {
            return Err(InputError::at(source, 0..0, format!("a routing rule with `{what}` cannot be followed"))
                .help("which table such packets use is not known; if calls do not depend on the rule, remove it from this file"));
        }
        let table = table(text(item, "table").as_deref());
        if table == LOCAL {
            continue;
        }
        let bad = |key: &str| unreadable(source, whole, key, item.get(key).unwrap_or(&serde_json::Value::Null));
        let value = |key: &str, radix: u32| number(item, key, radix).map_err(|()| bad(key));
        let priority = value("priority", 10)?.ok_or_else(|| bad("priority"))?;
        let from = prefix(item, "src", "srclen").map_err(bad)?;
        let to = prefix(item, "dst", "dstlen").map_err(bad)?;
        let mask = value("fwmask", 16)?.unwrap_or(u32::MAX);
        let mark = value("fwmark", 16)?.map(|v| (v, mask));
        let iif: Option<Box<str>> = match item.get("iif") {
            None => None,
            Some(serde_json::Value::String(name)) => Some(name.as_str().into()),
            Some(_) => return Err(bad("iif")),
        };
        if item.get("table").is_none_or(|t| !t.is_string()) {
            return Err(bad("table"));
        }
        for family in families {
            out.push(RoutingRule {
                priority,
                family: *family,
                from,
                to,
                iif: iif.clone(),
                mark,
                table,
                even_own: false,
            });
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(list[1].discards, Some(Discards::Silently));
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
        assert_eq!(list[0].from, "192.168.1.0/24".parse().ok());
        assert_eq!(list[0].mark, Some((1, 255)));
        assert!(list.iter().all(|r| r.family == Family::V4));
        let odd = r#"[{"priority":5,"src":"all","table":"main","suppress_prefixlen":0}]"#;
        assert!(parse(SourceId(1), odd).expect_err("refused").message.contains("suppress_prefixlen"));
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
        assert_eq!((list[0].mark, list[0].from), (Some((16, u32::MAX)), None));
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
}
