//! One rule.

use super::net;
use crate::dialect::pf::ast::{
    Action, Direction, Host, Hosts, On, Pool, PoolAddress, PoolPort, Route, Rule, State, Unknown,
};
use crate::model::{Family, Origin};
use std::net::IpAddr;

/// A rule and the list that it belongs to.
pub(super) enum Parsed {
    Filter(Box<Rule>),
    Nat(Box<Rule>),
    Rdr(Box<Rule>),
    Binat(Box<Rule>),
}

/// Reads a rule, macros expanded.
///
/// # Errors
/// Why it is not understood at all.
pub(super) fn parse(words: &[String], origin: Origin) -> Result<Parsed, String> {
    let mut at = Cursor { words, next: 0 };
    let mut first = at.word()?.to_owned();
    let no = first == "no";
    if no {
        first = at.word()?.to_owned();
    }
    let action = match first.as_str() {
        "pass" => Action::Pass,
        "block" => Action::Block { answer: false },
        "match" => Action::Match,
        _ => Action::No,
    };
    let mut rule = Rule::new(action, origin);
    let mut flags = None;
    while let Some(word) = at.peek() {
        if word == "->" {
            at.next += 1;
            rule.action = Action::Translate(pool(&mut at, &mut rule, &mut flags, &first)?);
            continue;
        }
        option(&mut at, &mut rule, &mut flags)?;
    }
    // pf's default for rules that keep state: flags S/SA.
    rule.any_flags = flags.unwrap_or(rule.action != Action::Pass || rule.state == State::None);
    let rule = Box::new(rule);
    if !no && matches!((&*first, &rule.action), ("nat" | "rdr" | "binat", Action::No)) {
        return Err("a translation without a target".into());
    }
    match first.as_str() {
        "pass" | "block" | "match" => Ok(Parsed::Filter(rule)),
        "nat" => Ok(Parsed::Nat(rule)),
        "rdr" => Ok(Parsed::Rdr(rule)),
        "binat" => Ok(Parsed::Binat(rule)),
        other => Err(format!("`{other}` is not read")),
    }
}

/// One option of a rule; `flags`: whether any TCP flags do, when the rule says.
fn option(at: &mut Cursor<'_>, rule: &mut Rule, flags: &mut Option<bool>) -> Result<(), String> {
    let word = at.word()?.to_owned();
    match word.as_str() {
        "in" => rule.direction = Some(Direction::In),
        "out" => rule.direction = Some(Direction::Out),
        "quick" => rule.quick = true,
        "log" => at.skip_group(),
        "pass" => rule.pass = true,
        "drop" => rule.action = Action::Block { answer: false },
        "return" | "return-rst" | "return-icmp" | "return-icmp6" => {
            rule.action = Action::Block { answer: true };
            at.skip_group();
        }
        "on" => rule.on = Some(interfaces(at)?),
        "inet" => rule.family = Some(Family::V4),
        "inet6" => rule.family = Some(Family::V6),
        "proto" => {
            for name in at.list()? {
                match protocol(&name) {
                    Some(n) => rule.protocols.push(n),
                    None => return Err(format!("the protocol `{name}` is not known")),
                }
            }
        }
        "all" | "allow-opts" | "keepcounters" | "nopfsync" | "no-sync" => {}
        "from" => {
            rule.from = hosts(at)?;
            rule.source_ports = ports(at)?;
        }
        "to" => {
            rule.to = hosts(at)?;
            rule.ports = ports(at)?;
        }
        "route-to" | "reply-to" => rule.route = Some(route(at, word == "reply-to")?),
        "flags" => match at.word()? {
            "any" => *flags = Some(true),
            "S/SA" => *flags = Some(false),
            other => doubt(rule, &format!("`flags {other}` is not read")),
        },
        "keep" | "modulate" | "synproxy" | "no" => {
            if at.word()? != "state" {
                return Err(format!("`{word}` without `state`"));
            }
            rule.state = if word == "no" { State::None } else { State::Keep };
            state_options(at, rule);
        }
        "icmp-type" | "icmp6-type" => {
            at.list()?;
            rule.never = true;
        }
        "ridentifier" => rule.origin.handle = at.word()?.parse().ok().or(rule.origin.handle),
        "label" => {
            let label = at.word()?.to_owned();
            if let Some(text) = label.strip_prefix("descr=").or_else(|| label.strip_prefix("USER_RULE: ")) {
                rule.origin.comment = Some(text.trim().into());
            } else if rule.origin.comment.is_none() && !label.contains('=') && !label.starts_with("id:") {
                rule.origin.comment = Some(label.trim().into());
            }
        }
        "tag" => rule.tag = Some(at.word()?.into()),
        "tagged" => rule.tagged = Some((true, at.word()?.into())),
        "!" => {
            if at.word()? != "tagged" {
                return Err("`!` is not read here".into());
            }
            rule.tagged = Some((false, at.word()?.into()));
        }
        // Queues, priorities and lifetimes change no fate.
        "queue" | "dnpipe" | "dnqueue" | "prio" => at.skip_value(),
        "set" => {
            at.word()?;
            at.skip_value();
        }
        other => {
            let text = format!("`{other}` is not read");
            doubt(rule, &text);
            at.next = at.words.len();
        }
    }
    Ok(())
}

fn doubt(rule: &mut Rule, what: &str) {
    rule.doubt.get_or_insert_with(|| Unknown { what: what.into(), ..Unknown::default() });
}

fn state_options(at: &mut Cursor<'_>, rule: &mut Rule) {
    if at.peek() != Some("(") {
        return;
    }
    let options = at.group();
    let mut words = options.iter().map(String::as_str).filter(|w| *w != ",");
    while let Some(word) = words.next() {
        match word {
            "sloppy" => rule.state = State::Sloppy,
            "max" | "max-src-nodes" | "max-src-states" | "max-src-conn" | "max-src-conn-rate" => {
                let n = words.next().unwrap_or_default();
                rule.limited = Some(format!("{word} {n}").into());
            }
            // Which interface a state belongs to, timeouts and synchronisation change no fate of a first round trip.
            _ => {}
        }
    }
}

fn interfaces(at: &mut Cursor<'_>) -> Result<On, String> {
    let negate = at.accept("!");
    let names = at.list()?.into_iter().map(Into::into).collect();
    Ok(On { negate, names })
}

fn route(at: &mut Cursor<'_>, reply: bool) -> Result<Route, String> {
    let braces = at.accept("{");
    let mut hops = Vec::new();
    while at.peek() == Some("(") {
        let inside = at.group();
        let device = inside.first().ok_or("an empty route")?.as_str().into();
        let hop = match &inside[1..] {
            [] => None,
            [hop] => Some(next_hop(hop)?),
            more => return Err(format!("`{}` is no next hop", more.join(" "))),
        };
        hops.push((device, hop));
        at.accept(",");
    }
    if braces && !at.accept("}") {
        return Err("a list of routes has no end".into());
    }
    for how in ["round-robin", "random", "source-hash", "sticky-address"] {
        at.accept(how);
    }
    if hops.is_empty() {
        return Err("a route without an interface".into());
    }
    Ok(Route { reply, hops })
}

/// An address, perhaps with the interface that it is on.
fn next_hop(word: &str) -> Result<IpAddr, String> {
    let plain = word.split('%').next().unwrap_or(word);
    plain.parse().map_err(|_| format!("`{word}` is no next hop"))
}

fn hosts(at: &mut Cursor<'_>) -> Result<Hosts, String> {
    let negate = at.accept("!");
    if at.accept("any") {
        return Ok(Hosts::default());
    }
    if at.accept("{") {
        let mut list = Vec::new();
        while !at.accept("}") {
            if at.accept(",") {
                continue;
            }
            if at.peek() == Some("!") {
                return Err("a negated address in a list is not read".into());
            }
            if at.accept("any") {
                list.push(Host::Net(net("0.0.0.0/0").ok_or("")?));
                list.push(Host::Net(net("::/0").ok_or("")?));
            } else {
                list.push(host(at)?);
            }
        }
        return Ok(Hosts { negate, list });
    }
    Ok(Hosts { negate, list: vec![host(at)?] })
}

fn host(at: &mut Cursor<'_>) -> Result<Host, String> {
    if at.peek() == Some("(") {
        let inside = at.group();
        return of_interface(inside.first().map(String::as_str).unwrap_or_default());
    }
    let word = at.word()?.to_owned();
    if let Some(table) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
        return Ok(Host::Table(table.into()));
    }
    if word == "self" {
        return Ok(Host::Own);
    }
    if let Some(net) = net(&word) {
        return Ok(Host::Net(net));
    }
    // Without brackets it is the same, as long as the interface keeps its addresses.
    let device = word.split(':').next().unwrap_or_default();
    let name = !device.is_empty() && device.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if name && device.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return of_interface(&word);
    }
    Err(format!("`{word}` is no address"))
}

/// What stands for addresses of an interface, with its modifiers (pf.conf(5), "host").
fn of_interface(name: &str) -> Result<Host, String> {
    let mut parts = name.split(':');
    let device = parts.next().unwrap_or_default();
    let mut modifiers: Vec<&str> = parts.collect();
    modifiers.sort_unstable();
    Ok(match modifiers[..] {
        // The firewall itself has one first address on each interface: as far as calls go, all of them.
        [] | ["0"] if device == "self" => Host::Own,
        [] => Host::Address(device.into()),
        ["0"] => Host::First(device.into()),
        ["network"] => Host::Network(device.into()),
        ["0", "network"] => Host::FirstNetwork(device.into()),
        ["peer"] | ["0", "peer"] => Host::Unknown(Unknown {
            what: format!("which address the other end of `{device}` has").into(),
            ..Unknown::default()
        }),
        _ => return Err(format!("`{name}`: `:{}` of an interface is not read", modifiers.join(":"))),
    })
}

/// Ports after an address: `port = 5060`, `port 5060`, `port { 80 443 }`, `port 49999 >< 50500`, `port >= 1024`.
fn ports(at: &mut Cursor<'_>) -> Result<Option<Vec<(u16, u16)>>, String> {
    if !at.accept("port") {
        return Ok(None);
    }
    if at.accept("{") {
        let mut out = Vec::new();
        while !at.accept("}") {
            if !at.accept(",") {
                out.extend(port_expression(at)?);
            }
        }
        return Ok(Some(out));
    }
    port_expression(at).map(Some)
}

fn port_expression(at: &mut Cursor<'_>) -> Result<Vec<(u16, u16)>, String> {
    let number = |w: &str| port(w).ok_or_else(|| format!("`{w}` is no port"));
    let word = at.word()?.to_owned();
    match word.as_str() {
        "=" => {
            let n = number(at.word()?)?;
            return Ok(vec![(n, n)]);
        }
        "!=" => {
            let n = number(at.word()?)?;
            let below = n.checked_sub(1).map(|hi| (0, hi));
            let above = n.checked_add(1).map(|lo| (lo, u16::MAX));
            return Ok(below.into_iter().chain(above).collect());
        }
        ">=" => return Ok(vec![(number(at.word()?)?, u16::MAX)]),
        "<=" => return Ok(vec![(0, number(at.word()?)?)]),
        ">" => {
            let n = number(at.word()?)?;
            return Ok(n.checked_add(1).map(|lo| (lo, u16::MAX)).into_iter().collect());
        }
        "<" => {
            let n = number(at.word()?)?;
            return Ok(n.checked_sub(1).map(|hi| (0, hi)).into_iter().collect());
        }
        _ => {}
    }
    if let Some((lo, hi)) = word.split_once(':') {
        return Ok(vec![in_order(number(lo)?, number(hi)?)?]);
    }
    let lo = number(&word)?;
    match at.peek() {
        // Neither end belongs to it.
        Some("><") => {
            at.next += 1;
            let hi = number(at.word()?)?;
            let inside = lo.checked_add(1).zip(hi.checked_sub(1)).filter(|(a, b)| a <= b);
            Ok(inside.into_iter().collect())
        }
        // Outside of the range, without its ends.
        Some("<>") => {
            at.next += 1;
            let hi = number(at.word()?)?;
            let below = lo.checked_sub(1).map(|b| (0, b));
            let above = hi.checked_add(1).map(|a| (a, u16::MAX));
            Ok(below.into_iter().chain(above).collect())
        }
        _ => Ok(vec![(lo, lo)]),
    }
}

fn in_order(lo: u16, hi: u16) -> Result<(u16, u16), String> {
    if lo <= hi { Ok((lo, hi)) } else { Err(format!("the range {lo}:{hi} ends before it begins")) }
}

fn port(word: &str) -> Option<u16> {
    let named = [("ssh", 22), ("domain", 53), ("http", 80), ("https", 443), ("ntp", 123), ("sip", 5060)];
    word.parse().ok().or_else(|| named.iter().find(|(n, _)| *n == word).map(|(_, p)| *p))
}

/// Protocol numbers by name (`/etc/protocols`).
pub(crate) fn protocol(name: &str) -> Option<u8> {
    let known = [
        ("icmp", 1),
        ("igmp", 2),
        ("ipencap", 4),
        ("tcp", 6),
        ("udp", 17),
        ("ipv6", 41),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("icmp6", 58),
        ("ipv6-icmp", 58),
        ("ospf", 89),
        ("pim", 103),
        ("carp", 112),
        ("vrrp", 112),
        ("sctp", 132),
        ("pfsync", 240),
    ];
    let name = name.to_ascii_lowercase();
    known.iter().find(|(n, _)| *n == name).map(|(_, p)| *p).or_else(|| name.parse().ok())
}

fn pool(at: &mut Cursor<'_>, rule: &mut Rule, flags: &mut Option<bool>, kind: &str) -> Result<Pool, String> {
    let mut addresses = Vec::new();
    let braces = at.accept("{");
    loop {
        match at.peek() {
            Some(",") => {
                at.next += 1;
                continue;
            }
            Some("}") if braces => {
                at.next += 1;
                break;
            }
            None => break,
            _ => {}
        }
        addresses.push(match host(at)? {
            Host::Net(n) => PoolAddress::Net(n),
            Host::Address(device) => PoolAddress::Address(device),
            Host::First(device) => PoolAddress::First(device),
            Host::Table(t) => PoolAddress::Table(t),
            _ => return Err("the target is no address".into()),
        });
        if !braces {
            break;
        }
    }
    // pf draws source ports from 50001 up unless the rule says otherwise (pf.conf(5), "nat").
    let mut port_after = if kind == "nat" { PoolPort::Random(50001, 65535) } else { PoolPort::Same };
    let mut bitmask = kind == "binat";
    while let Some(word) = at.peek() {
        match word {
            "port" => {
                at.next += 1;
                let word = at.word()?.to_owned();
                let (lo, hi) = word.split_once(':').unwrap_or((&word, &word));
                let number = |w: &str| port(w).ok_or_else(|| format!("`{word}` is no port"));
                let lo = number(lo)?;
                port_after = match (kind, hi) {
                    // `port 40000:*`: as many ports as the rule has.
                    (_, "*") => PoolPort::From(lo),
                    ("nat", hi) => {
                        let (lo, hi) = in_order(lo, number(hi)?)?;
                        PoolPort::Random(lo, hi)
                    }
                    (_, hi) if word.contains(':') => PoolPort::From(in_order(lo, number(hi)?)?.0),
                    _ => PoolPort::One(lo),
                };
            }
            "static-port" => {
                at.next += 1;
                port_after = PoolPort::Same;
            }
            "bitmask" => {
                at.next += 1;
                bitmask = true;
            }
            "round-robin" | "random" | "sticky-address" | "source-hash" | "endpoint-independent" => {
                at.next += 1;
                if word == "source-hash" && at.peek().is_some_and(|w| w.starts_with("0x")) {
                    at.next += 1;
                }
            }
            _ => option(at, rule, flags)?,
        }
    }
    Ok(Pool { addresses, port: port_after, bitmask })
}

struct Cursor<'a> {
    words: &'a [String],
    next: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(String::as_str)
    }

    fn word(&mut self) -> Result<&'a str, String> {
        let word = self.peek().ok_or("the rule ends too early")?;
        self.next += 1;
        Ok(word)
    }

    fn accept(&mut self, word: &str) -> bool {
        let yes = self.peek() == Some(word);
        self.next += usize::from(yes);
        yes
    }

    /// One word, or words in braces.
    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.accept("{") {
            return Ok(vec![self.word()?.to_owned()]);
        }
        let mut out = Vec::new();
        loop {
            match self.word()? {
                "}" => return Ok(out),
                "," => {}
                w => out.push(w.to_owned()),
            }
        }
    }

    /// Words in parentheses.
    fn group(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        if !self.accept("(") {
            return out;
        }
        while let Some(word) = self.peek() {
            self.next += 1;
            if word == ")" {
                break;
            }
            out.push(word.to_owned());
        }
        out
    }

    fn skip_group(&mut self) {
        self.group();
    }

    fn skip_value(&mut self) {
        if self.peek() == Some("(") {
            self.group();
        } else {
            self.next += 1;
        }
    }
}
