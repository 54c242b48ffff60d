//! The model as text: what a ruleset was understood to do. Stable, without places, so that two sources of the same
//! ruleset print alike.

mod value;

use super::{
    Action, ChainId, Family, Hook, Key, KeyField, Lookup, MarkFrom, MarkValue, Match, NatTarget, Pipeline, Policy,
    Rule, Side, Stage, StageKind, Step, Test, Verdicted, Ways, nfproto,
};
use crate::cube::Set;
use crate::visible::line;
use std::collections::HashSet;
use std::fmt::Write;
use value::{addresses, key, ports, values};

/// A whole pipeline: stages by hook, then the chains.
pub fn pipeline(p: &Pipeline) -> String {
    let mut out = String::new();
    for hook in Hook::ALL {
        for stage in &p.hooks[hook as usize] {
            let _ = writeln!(out, "{}", line(format!("{}{}", hook.name(), self::stage(p, stage))));
        }
    }
    let v6 = chains_of_v6(p);
    for (i, chain) in p.chains.iter().enumerate() {
        let _ = writeln!(out, "\n{}", line(format!("chain {i} {}", chain.name)));
        let family = if v6.contains(&i) { Family::V6 } else { Family::V4 };
        for rule in &chain.rules {
            let _ = writeln!(out, "  {}", line(in_family(p, rule, family)));
        }
    }
    out
}

fn stage(p: &Pipeline, stage: &Stage) -> String {
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
    format!("{families}{on}: {what}")
}

/// Chains that only IPv6 packets reach: there, small numbers are IPv6 addresses too.
fn chains_of_v6(p: &Pipeline) -> HashSet<usize> {
    let reached = |family: Family| {
        let mut open: Vec<ChainId> = Vec::new();
        for stage in p.hooks.iter().flatten().filter(|s| s.families.has(family)) {
            match &stage.kind {
                StageKind::Track => {}
                StageKind::Filter { chain, .. } => open.push(*chain),
                StageKind::Translate { chains, .. } => open.extend(chains.iter().map(|c| c.0)),
            }
        }
        let mut seen = HashSet::new();
        while let Some(chain) = open.pop() {
            if seen.insert(chain.0 as usize) {
                open.extend(p.chain(chain).rules.iter().flat_map(|r| &r.steps).flat_map(jumps));
            }
        }
        seen
    };
    &reached(Family::V6) - &reached(Family::V4)
}

fn jumps(step: &Step) -> Vec<ChainId> {
    let of = |v: &Verdicted| match v {
        Verdicted::Jump(to) | Verdicted::Goto(to) => Some(*to),
        _ => None,
    };
    match step {
        Step::Act(Action::Jump(to) | Action::Goto(to)) => vec![*to],
        Step::Act(Action::Verdict(l)) => l.entries.iter().map(|e| &e.1).chain(&l.default).filter_map(of).collect(),
        _ => Vec::new(),
    }
}

fn name(p: &Pipeline, id: ChainId) -> String {
    format!("chain {} {}", id.0, p.chain(id).name)
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
    in_family(p, rule, Family::V4)
}

/// A rule; `family` tells how addresses are shown that could be of either.
fn in_family(p: &Pipeline, rule: &Rule, mut family: Family) -> String {
    let mut steps = Vec::with_capacity(rule.steps.len());
    for step in &rule.steps {
        if let Step::Match(Match { keys, test: Test::In(set), negate: false }) = step
            && keys[0] == Key::of(KeyField::Family)
        {
            family = if set.single() == Some(nfproto::IPV6) { Family::V6 } else { Family::V4 };
        }
        steps.push(self::step(p, step, family));
    }
    if steps.is_empty() { "(nothing)".into() } else { steps.join(", ") }
}

fn step(p: &Pipeline, step: &Step, family: Family) -> String {
    match step {
        Step::Match(m) => {
            let not = if m.negate { "not " } else { "" };
            match &m.test {
                Test::In(set) => format!("{} {not}in {{{}}}", key(p, m.keys[0]), values(m.keys[0], set, family)),
                Test::Boxes(rows) => {
                    let mut shown: Vec<String> = rows.iter().map(|r| row(&m.keys, r, family)).collect();
                    shown.sort();
                    format!("{} {not}in {{{}}}", names(p, &m.keys), shown.join("; "))
                }
            }
        }
        Step::Act(a) => action(p, a, family),
    }
}

fn names(p: &Pipeline, keys: &[Key]) -> String {
    let keys: Vec<String> = keys.iter().map(|k| key(p, *k)).collect();
    format!("({})", keys.join(", "))
}

fn row(keys: &[Key], sets: &[Set], family: Family) -> String {
    let parts: Vec<String> = keys.iter().zip(sets).map(|(k, s)| values(*k, s, family)).collect();
    parts.join(" . ")
}

fn action(p: &Pipeline, action: &Action, family: Family) -> String {
    match action {
        Action::Accept => "accept".into(),
        Action::Drop => "drop".into(),
        Action::Reject(kind) => format!("reject with {kind}"),
        Action::Return => "return".into(),
        Action::Jump(to) => format!("jump to {}", name(p, *to)),
        Action::Goto(to) => format!("go to {}", name(p, *to)),
        Action::Verdict(l) => lookup(p, l, family, |v| verdicted(p, *v)),
        Action::Translate(t) => {
            let random = if t.random { ", random port" } else { "" };
            format!("translate {} to {}{random}", side_name(t.side), lookup(p, &t.target, family, target))
        }
        Action::SetMark(v) => format!("mark {}", lookup(p, v, family, |m| mark(p, *m))),
        Action::SetCtMark(v) => format!("connection mark {}", lookup(p, v, family, |m| mark(p, *m))),
        Action::Untrack => "do not track".into(),
        Action::Helper(_) => "give the session to a helper".into(),
        Action::Unmodelled(ways, doubt) => {
            let ways = match ways {
                Ways::Anything => "anything may happen",
                Ways::ContinueOrAccept => "goes on or is accepted",
                Ways::AcceptOrDrop => "is accepted or dropped",
                Ways::ContinueOrDrop => "goes on or is dropped",
                Ways::Offloaded => "passes by the rules once its session has begun",
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

fn lookup<T>(p: &Pipeline, l: &Lookup<T>, family: Family, show: impl Fn(&T) -> String) -> String {
    if let (true, Some(value)) = (l.keys.is_empty(), &l.default) {
        return show(value);
    }
    let mut shown: Vec<String> =
        l.entries.iter().map(|(sets, value)| format!("{}: {}", row(&l.keys, sets, family), show(value))).collect();
    shown.sort();
    shown.extend(l.default.as_ref().map(|v| format!("else: {}", show(v))));
    format!("by {} {{{}}}", names(p, &l.keys), shown.join("; "))
}

fn target(t: &NatTarget) -> String {
    match t {
        NatTarget::To { addr, v6, port, keep_host_bits } => {
            let family = if *v6 { Family::V6 } else { Family::V4 };
            let addr = addr.map(|(lo, hi)| addresses(family, lo, hi)).unwrap_or_default();
            let addr = if *v6 && port.is_some() { format!("[{addr}]") } else { addr };
            let keep = if *keep_host_bits { " keeping host bits" } else { "" };
            format!("{addr}{}{keep}", ports(*port))
        }
        NatTarget::Moved { addr, v6, by } => {
            let family = if *v6 { Family::V6 } else { Family::V4 };
            let addr = addr.map(|(lo, hi)| addresses(family, lo, hi)).unwrap_or_default();
            format!("{addr}, port moved by {}", by.cast_signed())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Chain, Families, Origin, Part};

    fn one_rule(families: Families, steps: Vec<Step>) -> String {
        let mut p = Pipeline::default();
        let origin = p.add_origin(Origin::default());
        p.chains.push(Chain { name: "c".into(), origin, rules: vec![Rule { steps: steps.into(), origin }] });
        let kind = StageKind::Filter { chain: ChainId(0), policy: Policy::Drop, reroute: false };
        p.hooks[Hook::Forward as usize].push(Stage { kind, families, interfaces: None });
        pipeline(&p).lines().last().unwrap_or_default().trim().to_owned()
    }

    #[test]
    fn small_addresses_are_shown_in_the_family_of_their_rule() {
        let src = || Step::is(KeyField::Header(Part::Src), Set::one(1));
        let v6 = Families { v4: false, v6: true };
        assert_eq!(one_rule(Families::BOTH, vec![src()]), "source in {0.0.0.1}");
        assert_eq!(one_rule(v6, vec![src()]), "source in {::1}");
        let family = Step::is(KeyField::Family, Set::one(nfproto::IPV6));
        assert_eq!(one_rule(Families::BOTH, vec![family, src()]), "family in {ipv6}, source in {::1}");
    }

    #[test]
    fn names_stand_for_numbers_that_have_them() {
        let steps = vec![
            Step::is(KeyField::Header(Part::Proto), Set::from_ranges([(6, 6), (17, 18)])),
            Step::is(KeyField::CtState, Set::one(2)),
            Step::is(KeyField::InIface, crate::model::iface_wildcard("wg")),
            Step::Act(Action::Drop),
        ];
        let shown = "protocol in {tcp, 17-18}, state in {established}, incoming interface in {\"wg*\"}, drop";
        assert_eq!(one_rule(Families::BOTH, steps), shown);
    }
}
