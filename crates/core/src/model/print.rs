//! The model as text: what a ruleset was understood to do. Stable, without places, so that two sources of the same
//! ruleset print alike.

use super::{
    Action, Chain, Family, Hook, Key, KeyField, Lookup, MarkFrom, MarkValue, NatTarget, Part, Pipeline, Policy, Rule,
    Side, StageKind, Step, Test, TupleDir, TupleIface, Verdicted, Ways,
};
use crate::cube::Set;
use std::fmt::Write;

/// A whole pipeline: stages by hook, then the chains.
pub fn pipeline(p: &Pipeline) -> String {
    let mut out = String::new();
    for hook in Hook::ALL {
        for stage in &p.hooks[hook as usize] {
            let families = match (stage.families.v4, stage.families.v6) {
                (true, true) => "",
                (true, false) => " ipv4",
                _ => " ipv6",
            };
            let on = stage.interfaces.as_ref().map(|i| format!(" on {}", i.join(", "))).unwrap_or_default();
            let what = match &stage.kind {
                StageKind::Track => "track connections".to_owned(),
                StageKind::Filter { chain, policy, reroute } => {
                    let again = if *reroute { ", route again" } else { "" };
                    format!("filter by {}, else {}{again}", name(p, *chain), policy_name(*policy))
                }
                StageKind::Translate { side, chains } => {
                    let list: Vec<String> =
                        chains.iter().map(|(c, d)| format!("{}, else {}", name(p, *c), policy_name(*d))).collect();
                    let by = if list.is_empty() { String::new() } else { format!(" by {}", list.join("; ")) };
                    format!("translate {}{by}", side_name(*side))
                }
            };
            let _ = writeln!(out, "{}{families}{on}: {what}", hook.name());
        }
    }
    for (i, chain) in p.chains.iter().enumerate() {
        let _ = writeln!(out, "\n{}", chain_name(i, chain));
        for rule in &chain.rules {
            let _ = writeln!(out, "  {}", self::rule(p, rule));
        }
    }
    out
}

fn chain_name(index: usize, chain: &Chain) -> String {
    format!("chain {index} {}", chain.name)
}

fn name(p: &Pipeline, id: super::ChainId) -> String {
    chain_name(id.0 as usize, p.chain(id))
}

fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::Accept => "accept",
        Policy::Drop => "drop",
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Destination => "destination",
        Side::Source => "source",
    }
}

/// A rule on one line.
pub fn rule(p: &Pipeline, rule: &Rule) -> String {
    let steps: Vec<String> = rule.steps.iter().map(|s| step(p, s)).collect();
    if steps.is_empty() { "(nothing)".into() } else { steps.join(", ") }
}

fn step(p: &Pipeline, step: &Step) -> String {
    match step {
        Step::Match(m) => {
            let not = if m.negate { "not " } else { "" };
            match &m.test {
                Test::In(set) => format!("{} {not}in {}", key(p, m.keys[0]), values(m.keys[0], set)),
                Test::Boxes(rows) => {
                    let keys: Vec<String> = m.keys.iter().map(|k| key(p, *k)).collect();
                    let mut shown: Vec<String> = rows.iter().map(|r| row(&m.keys, r)).collect();
                    shown.sort();
                    format!("({}) {not}in {{{}}}", keys.join(", "), shown.join("; "))
                }
            }
        }
        Step::Act(a) => action(p, a),
    }
}

fn row(keys: &[Key], sets: &[Set]) -> String {
    let parts: Vec<String> = keys.iter().zip(sets).map(|(k, s)| values(*k, s)).collect();
    parts.join(" . ")
}

fn action(p: &Pipeline, action: &Action) -> String {
    match action {
        Action::Accept => "accept".into(),
        Action::Drop => "drop".into(),
        Action::Reject(kind) => format!("reject with {kind}"),
        Action::Return => "return".into(),
        Action::Jump(to) => format!("jump to {}", name(p, *to)),
        Action::Goto(to) => format!("go to {}", name(p, *to)),
        Action::Verdict(l) => lookup(p, l, |v| verdicted(p, *v)),
        Action::Translate(t) => {
            let random = if t.random { ", random port" } else { "" };
            format!("translate {} to {}{random}", side_name(t.side), lookup(p, &t.target, target))
        }
        Action::SetMark(v) => format!("mark {}", lookup(p, v, |m| mark(p, *m))),
        Action::SetCtMark(v) => format!("connection mark {}", lookup(p, v, |m| mark(p, *m))),
        Action::Untrack => "do not track".into(),
        Action::Unmodelled(ways, doubt) => {
            let ways = match ways {
                Ways::Anything => "anything may happen",
                Ways::ContinueOrAccept => "goes on or is accepted",
                Ways::AcceptOrDrop => "is accepted or dropped",
                Ways::ContinueOrDrop => "goes on or is dropped",
            };
            format!("{ways} [{}]", p.doubts[doubt.0 as usize].what)
        }
    }
}

fn verdicted(p: &Pipeline, v: Verdicted) -> String {
    match v {
        Verdicted::Accept => "accept".into(),
        Verdicted::Drop => "drop".into(),
        Verdicted::Return => "return".into(),
        Verdicted::Jump(to) => format!("jump to {}", name(p, to)),
        Verdicted::Goto(to) => format!("go to {}", name(p, to)),
        Verdicted::Continue => "continue".into(),
    }
}

fn lookup<T>(p: &Pipeline, l: &Lookup<T>, show: impl Fn(&T) -> String) -> String {
    if let (true, Some(value)) = (l.keys.is_empty(), &l.default) {
        return show(value);
    }
    let keys: Vec<String> = l.keys.iter().map(|k| key(p, *k)).collect();
    let mut shown: Vec<String> =
        l.entries.iter().map(|(sets, value)| format!("{}: {}", row(&l.keys, sets), show(value))).collect();
    shown.sort();
    shown.extend(l.default.as_ref().map(|v| format!("else: {}", show(v))));
    format!("by ({}) {{{}}}", keys.join(", "), shown.join("; "))
}

fn ports(port: Option<(u16, u16)>) -> String {
    match port {
        None => String::new(),
        Some((lo, hi)) if lo == hi => format!(":{lo}"),
        Some((lo, hi)) => format!(":{lo}-{hi}"),
    }
}

fn target(t: &NatTarget) -> String {
    match t {
        NatTarget::To { addr, v6, port, keep_host_bits } => {
            let family = if *v6 { Family::V6 } else { Family::V4 };
            let addr = addr.map(|(lo, hi)| addresses(family, lo, hi)).unwrap_or_default();
            let keep = if *keep_host_bits { " keeping host bits" } else { "" };
            format!("{addr}{}{keep}", ports(*port))
        }
        NatTarget::OutgoingAddress { port } => format!("the outgoing interface's address{}", ports(*port)),
        NatTarget::IncomingAddress { port } => format!("the incoming interface's address{}", ports(*port)),
    }
}

fn mark(p: &Pipeline, m: MarkValue) -> String {
    let from = match m.from {
        MarkFrom::Zero => return format!("{:#x}", m.xor),
        MarkFrom::Mark => "mark".to_owned(),
        MarkFrom::CtMark => "connection mark".to_owned(),
        MarkFrom::Unknown(doubt) => format!("unknown [{}]", p.doubts[doubt.0 as usize].what),
    };
    if m.and == u32::MAX && m.xor == 0 { from } else { format!("({from} & {:#x}) ^ {:#x}", m.and, m.xor) }
}

fn part(part: Part) -> &'static str {
    match part {
        Part::Src => "source",
        Part::Dst => "destination",
        Part::SrcPort => "source port",
        Part::DstPort => "destination port",
        Part::Proto => "protocol",
    }
}

fn key(p: &Pipeline, k: Key) -> String {
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
        KeyField::RouteIface { of, on: o } => format!("way to {}{}", part(of), on(o)),
        KeyField::TcpFlags => "tcp flags".into(),
        KeyField::Constant(c) => format!("constant {c}"),
        KeyField::Unknown(doubt, _) => format!("unknown [{}]", p.doubts[doubt.0 as usize].what),
        KeyField::Absent => "what such packets lack".into(),
    };
    match k.mask {
        Some(mask) => format!("{shown} & {mask:#x}"),
        None => shown,
    }
}

fn addresses(family: Family, lo: u128, hi: u128) -> String {
    if lo == hi {
        return family.address(lo).to_string();
    }
    format!("{}-{}", family.address(lo), family.address(hi.min(family.max_address())))
}

fn values(k: Key, set: &Set) -> String {
    let is_address =
        matches!(k.field, KeyField::Header(Part::Src | Part::Dst) | KeyField::CtTuple(_, Part::Src | Part::Dst));
    let is_name = matches!(k.field, KeyField::InIface | KeyField::OutIface | KeyField::RouteIface { .. });
    let shown: Vec<String> = set
        .ranges()
        .iter()
        .map(|&(lo, hi)| match (lo, hi) {
            (0, u128::MAX) => "any".into(),
            (lo, u128::MAX) if !is_name && !is_address => format!("{lo} and above"),
            _ if is_address => {
                let six = hi > u128::from(u32::MAX);
                addresses(if six { Family::V6 } else { Family::V4 }, lo, hi)
            }
            _ if is_name => iface(lo, hi),
            (lo, hi) if lo == hi => lo.to_string(),
            (lo, hi) => format!("{lo}-{hi}"),
        })
        .collect();
    format!("{{{}}}", shown.join(", "))
}

fn iface(lo: u128, hi: u128) -> String {
    let text = |v: u128| {
        let bytes = v.to_be_bytes();
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    if lo == hi { format!("\"{}\"", text(lo)) } else { format!("\"{}*\"", text(lo)) }
}
