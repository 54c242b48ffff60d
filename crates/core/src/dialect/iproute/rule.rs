//! Routing rules: what `ip -j rule` prints. Keys as in iproute2 6.1, `print_rule` in ip/iprule.c.
//!
//! A rule with a condition that is not followed stays in its place: whether it holds is open for the packets concerned.

use super::{LOCAL, table};
use crate::model::{Family, Holds, RoutingRule, RuleAction, SourceId};
use crate::snapshot::InputError;
use ipnet::IpNet;
use std::net::IpAddr;

/// A rule, with what of it is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpedRule {
    /// The rule; conditions that are not followed are taken to hold.
    pub rule: RoutingRule,
    /// What is not followed.
    pub open: Option<Open>,
}

/// A condition that is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// It, as `ip rule` prints it: `uidrange 1000-1005`.
    pub what: Box<str>,
    /// It is open for packets that are passed on too, not only for those that the device itself sends.
    pub passing: bool,
}

/// Keys of a rule that are read, or that decide nothing.
const KEYS: [&str; 26] = [
    "priority",
    "not",
    "src",
    "srclen",
    "dst",
    "dstlen",
    "iif",
    "iif_detached",
    "oif",
    "oif_detached",
    "fwmark",
    "fwmask",
    "ipproto",
    "sport",
    "sport_start",
    "sport_end",
    "dport",
    "dport_start",
    "dport_end",
    "uid_start",
    "uid_end",
    "table",
    "protocol",
    "action",
    "goto",
    "nop",
];

/// The keys of a suppressed look-up: iproute2 prints the short ones, and people write the long ones.
const LENGTH: [&str; 2] = ["suppress_prefixlen", "suppress_prefixlength"];
const GROUP: &str = "suppress_ifgroup";

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

/// A number, or text with one.
fn text_of(item: &serde_json::Value, key: &str) -> Option<String> {
    item.get(key).and_then(|v| v.as_str()).map(str::to_owned)
}

/// A key's value as `ip rule` shows it.
fn shown(item: &serde_json::Value, key: &str) -> String {
    match item.get(key) {
        None | Some(serde_json::Value::Null) => key.to_owned(),
        Some(serde_json::Value::String(s)) => format!("{key} {s}"),
        Some(other) => format!("{key} {other}"),
    }
}

/// Ports: one, or a first and a last.
fn ports(item: &serde_json::Value, key: &str) -> Result<Option<(u16, u16)>, String> {
    let port = |key: &str| match number(item, key, 10) {
        Ok(None) => Ok(None),
        Ok(Some(n)) => u16::try_from(n).map(Some).map_err(|_| key.to_owned()),
        Err(()) => Err(key.to_owned()),
    };
    let (from, to) = (format!("{key}_start"), format!("{key}_end"));
    Ok(match (port(key)?, port(&from)?, port(&to)?) {
        (Some(one), ..) => Some((one, one)),
        (None, Some(lo), Some(hi)) if lo <= hi => Some((lo, hi)),
        (None, None, None) => None,
        _ => return Err(from),
    })
}

/// The number of a transport protocol; other protocols are none of the packets that are followed.
fn protocol(item: &serde_json::Value) -> Result<Option<u8>, &'static str> {
    match item.get("ipproto") {
        None => Ok(None),
        Some(serde_json::Value::String(s)) => Ok(Some(match &**s {
            "tcp" => 6,
            "udp" => 17,
            other => other.trim_start_matches("ipproto-").parse().unwrap_or(255),
        })),
        Some(other) => other.as_u64().and_then(|n| u8::try_from(n).ok()).map(Some).ok_or("ipproto"),
    }
}

/// The families that a dump of rules is about.
fn families(items: &[serde_json::Value]) -> &'static [Family] {
    let addresses = || items.iter().flat_map(|i| [text_of(i, "src"), text_of(i, "dst")]).flatten();
    // Only IPv4 has a rule for the default table (fib_default_rules_init, net/ipv4/fib_rules.c).
    let v4 = items.iter().any(|i| text_of(i, "table").as_deref() == Some("default"))
        || addresses().any(|a| a.parse::<std::net::Ipv4Addr>().is_ok());
    let v6 = addresses().any(|a| a.contains(':'));
    match (v4, v6) {
        (true, false) => &[Family::V4],
        (false, true) => &[Family::V6],
        _ => &[Family::V4, Family::V6],
    }
}

pub(super) fn rules(items: &[serde_json::Value], source: SourceId, whole: &str) -> Result<Vec<DumpedRule>, InputError> {
    let mut out = Vec::new();
    let families = families(items);
    for item in items {
        let bad = |key: &str| unreadable(source, whole, key, item.get(key).unwrap_or(&serde_json::Value::Null));
        let has = |key: &str| item.get(key).is_some();
        let value = |key: &str, radix: u32| number(item, key, radix).map_err(|()| bad(key));
        let mut open: Vec<String> = Vec::new();
        let mut passing = Holds::Yes;
        let known = |key: &&String| KEYS.contains(&&***key) || LENGTH.contains(&&***key) || **key == GROUP;
        for key in item.as_object().into_iter().flat_map(|o| o.keys()).filter(|k| !known(k)) {
            open.push(shown(item, key));
        }
        let all = !open.is_empty();
        // A packet that is passed on belongs to no program: no socket is bound, and its user is root.
        if has("oif") {
            open.push(shown(item, "oif"));
            passing = Holds::No;
        }
        if let Some(first) = value("uid_start", 10)? {
            open.push(format!("uidrange {first}-{}", value("uid_end", 10)?.unwrap_or(first)));
            passing = if first == 0 { passing } else { Holds::No };
        }
        let longer_than = match LENGTH.iter().find(|k| has(k)) {
            Some(key) => value(key, 10)?.and_then(|n| u8::try_from(n).ok()),
            None => None,
        };
        let not_group = match text_of(item, GROUP).as_deref() {
            None => None,
            Some("default") => Some(0),
            Some(name) => match name.parse() {
                Ok(group) => Some(group),
                Err(_) => return Err(bad(GROUP)),
            },
        };
        let action = text_of(item, "action");
        let action = match action.as_deref() {
            None | Some("to_tbl" | "lookup") if has("goto") => match value("goto", 10)? {
                Some(to) => RuleAction::GoTo(to),
                None => return Err(bad("goto")),
            },
            Some("nop") => RuleAction::Nothing,
            None | Some("to_tbl" | "lookup") if has("nop") => RuleAction::Nothing,
            None | Some("to_tbl" | "lookup") => RuleAction::LookUp { longer_than, not_group },
            Some("blackhole" | "unreachable" | "prohibit") => RuleAction::Discard,
            Some(_) => return Err(bad("action")),
        };
        let looks = matches!(action, RuleAction::LookUp { .. });
        if looks && !all && item.get("table").is_none_or(|t| !t.is_string()) {
            return Err(bad("table"));
        }
        let table = table(text_of(item, "table").as_deref());
        if table == LOCAL && looks {
            continue;
        }
        let iif: Option<Box<str>> = match item.get("iif") {
            None => None,
            Some(serde_json::Value::String(name)) => Some(name.as_str().into()),
            Some(_) => return Err(bad("iif")),
        };
        let mask = value("fwmask", 16)?.unwrap_or(u32::MAX);
        for family in families {
            let rule = RoutingRule {
                inverted: has("not"),
                from: prefix(item, "src", "srclen").map_err(bad)?,
                to: prefix(item, "dst", "dstlen").map_err(bad)?,
                iif: iif.clone(),
                mark: value("fwmark", 16)?.map(|v| (v, mask)),
                proto: protocol(item).map_err(bad)?,
                sports: ports(item, "sport").map_err(|key| bad(&key))?,
                dports: ports(item, "dport").map_err(|key| bad(&key))?,
                passing,
                action: action.clone(),
                ..RoutingRule::every(value("priority", 10)?.ok_or_else(|| bad("priority"))?, *family, table)
            };
            let what = open.join(" ").into();
            out.push(DumpedRule { rule, open: (!open.is_empty()).then_some(Open { what, passing: all }) });
        }
    }
    Ok(out)
}
