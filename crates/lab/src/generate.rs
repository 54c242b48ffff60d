//! Random rulesets over the language that the trace supports.
//!
//! Values come from small pools, so that rules overlap and boundaries matter. Every rule carries its number as comment
//! and a counter before its action; the names of the constructs in it say what its decisions are counted for.

mod actions;
mod matches;

use crate::random::Random;
use std::fmt::Write;

/// A ruleset whose rules can be taken out one by one.
#[derive(Debug, Clone, Default)]
pub struct Ruleset {
    /// Tables in order.
    pub tables: Vec<Table>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// `ip`, `ip6` or `inet`, `netdev`.
    pub family: &'static str,
    /// Name.
    pub name: String,
    /// Set and map declarations, each a block.
    pub sets: Vec<String>,
    /// Chains.
    pub chains: Vec<Chain>,
}

/// A chain.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Name.
    pub name: String,
    /// `type … hook … priority …; policy …;` of a base chain.
    pub base: Option<String>,
    /// Rules.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Number, unique in the ruleset; its comment is `rN`.
    pub number: u32,
    /// Matches before the counter.
    pub matches: String,
    /// Action behind it.
    pub action: String,
    /// Constructs in it.
    pub constructs: Vec<&'static str>,
}

impl Ruleset {
    /// As `nft -f` takes it. nft 1.0.6 wants every statement and brace on a line of its own.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for table in &self.tables {
            let _ = writeln!(out, "table {} {} {{", table.family, table.name);
            for set in &table.sets {
                let _ = writeln!(out, "{set}");
            }
            for chain in &table.chains {
                let _ = writeln!(out, "chain {} {{", chain.name);
                if let Some(base) = &chain.base {
                    let _ = writeln!(out, "{base}");
                }
                for rule in &chain.rules {
                    let Rule { number, matches, action, .. } = rule;
                    let _ = writeln!(out, "{matches} counter {action} comment \"r{number}\"");
                }
                out.push_str("}\n");
            }
            out.push_str("}\n");
        }
        out
    }

    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules)
    }

    /// The ruleset without one rule.
    #[must_use]
    pub fn without(&self, number: u32) -> Self {
        let mut out = self.clone();
        for chain in out.tables.iter_mut().flat_map(|t| &mut t.chains) {
            chain.rules.retain(|r| r.number != number);
        }
        out
    }

    /// The ruleset without one table.
    #[must_use]
    pub fn without_table(&self, index: usize) -> Self {
        let mut out = self.clone();
        out.tables.remove(index);
        out
    }
}

/// What a rule stands in.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub family: &'static str,
    pub hook: Hook,
    pub kind: Kind,
    /// Priority of the base chain; decides whether connections are known yet.
    pub priority: i32,
    /// Chains that may be jumped to.
    pub targets: Vec<String>,
}

/// Hooks; regular chains are called from many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
    Any,
    Ingress,
}

/// Kinds of chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Filter,
    Nat,
    Route,
}

/// Names and addresses of one router, from which values are drawn.
#[derive(Debug, Clone)]
pub struct Names {
    /// Interfaces; the first leads outwards.
    pub interfaces: Vec<&'static str>,
    /// IPv4 addresses of interest, sorted.
    pub v4: Vec<&'static str>,
    /// IPv6 addresses of interest, sorted.
    pub v6: Vec<&'static str>,
    /// Own outer addresses: IPv4, IPv6.
    pub outer: [&'static str; 2],
    /// Inner servers: IPv4, IPv6.
    pub servers: [&'static [&'static str]; 2],
    /// Networks: IPv4, IPv6.
    pub nets: [&'static [&'static str]; 2],
}

impl Names {
    /// The router of [`crate::topology::single`].
    pub fn single() -> Self {
        Self {
            interfaces: vec!["wan0", "lan0", "dmz0"],
            v4: vec![
                "8.8.4.4",
                "10.9.0.1",
                "10.9.0.5",
                "10.9.0.6",
                "10.77.1.1",
                "192.168.1.1",
                "192.168.1.50",
                "192.168.1.51",
                "192.168.1.60",
                "192.168.1.61",
                "198.51.100.7",
                "203.0.113.1",
                "203.0.113.5",
                "203.0.113.6",
            ],
            v6: vec![
                "2001:4860::8",
                "2001:db8:1::1",
                "2001:db8:1::50",
                "2001:db8:1::51",
                "2001:db8:1::60",
                "2001:db8:1::61",
                "2001:db8:9::1",
                "2001:db8:9::5",
                "2001:db8:ffff::1",
                "2001:db8:ffff::5",
            ],
            outer: ["203.0.113.5", "2001:db8:ffff::5"],
            servers: [
                &["192.168.1.50", "192.168.1.51", "10.9.0.5"],
                &["2001:db8:1::50", "2001:db8:1::51", "2001:db8:9::5"],
            ],
            nets: [
                &["192.168.1.0/24", "10.9.0.0/24", "203.0.113.0/24", "198.51.100.0/24", "192.168.1.48/28", "8.0.0.0/7"],
                &["2001:db8:1::/64", "2001:db8:9::/64", "2001:db8::/32", "2001:4860::/32", "2001:db8:1::40/122"],
            ],
        }
    }

    /// The routers of [`crate::topology::double`].
    pub fn double(router: usize) -> Self {
        let single = Self::single();
        let outer = if router == 0 { ["203.0.113.5", "2001:db8:ffff::5"] } else { ["10.9.0.2", "2001:db8:9::2"] };
        let servers: [&'static [&'static str]; 2] = if router == 0 {
            [&["10.9.0.2", "192.168.1.50"], &["2001:db8:9::2", "2001:db8:1::50"]]
        } else {
            [&["192.168.1.50", "192.168.1.51"], &["2001:db8:1::50", "2001:db8:1::51"]]
        };
        Self { interfaces: vec!["wan0", "lan0"], outer, servers, ..single }
    }
}

/// Makes one router's ruleset.
pub fn ruleset(random: &mut Random, names: &Names) -> Ruleset {
    let mut maker =
        Maker { random, names, number: 0, sets: Vec::new(), constructs: Vec::new(), transport: None, six: None };
    maker.ruleset()
}

pub(crate) struct Maker<'a> {
    pub random: &'a mut Random,
    pub names: &'a Names,
    pub number: u32,
    /// Declarations for the table that is being made.
    pub sets: Vec<String>,
    /// Constructs of the rule that is being made.
    pub constructs: Vec<&'static str>,
    /// Transport protocol and family of the rule that is being made: nft refuses rules that name two.
    pub transport: Option<&'static str>,
    pub six: Option<bool>,
}

impl Maker<'_> {
    fn ruleset(&mut self) -> Ruleset {
        let mut tables = Vec::new();
        let families: &[&str] = match self.random.below(4) {
            0 => &["inet"],
            1 => &["ip", "ip6"],
            2 => &["ip", "ip6", "inet"],
            _ => &["inet", "inet"],
        };
        for (i, family) in families.iter().enumerate() {
            let table = self.table(family, i);
            tables.push(table);
        }
        if self.random.chance(10) {
            let table = self.netdev();
            tables.push(table);
        }
        Ruleset { tables }
    }

    fn table(&mut self, family: &'static str, index: usize) -> Table {
        self.sets.clear();
        let helpers: Vec<String> = (0..self.random.below(4)).map(|i| format!("side{i}")).collect();
        let mut chains = Vec::new();
        for (i, name) in helpers.iter().enumerate() {
            let place =
                Place { family, hook: Hook::Any, kind: Kind::Filter, priority: 0, targets: helpers[..i].to_vec() };
            let count = 1 + self.random.below(3);
            let rules = (0..count).map(|_| self.rule(&place)).collect();
            chains.push(Chain { name: name.clone(), base: None, rules });
        }
        self.base_chains(family, index, &helpers, &mut chains);
        Table { family, name: format!("t{index}"), sets: std::mem::take(&mut self.sets), chains }
    }

    fn base_chains(&mut self, family: &'static str, index: usize, helpers: &[String], chains: &mut Vec<Chain>) {
        use Hook::{Forward, Input, Output, Postrouting, Prerouting};
        let main = index == 0 || self.random.chance(50);
        // (name, hook, kind, priorities, chance)
        #[rustfmt::skip]
        let menu: [(&str, Hook, Kind, &[&str], usize); 11] = [
            ("raw", Prerouting, Kind::Filter, &["raw", "-300", "raw + 10"], 15),
            ("mangle", Prerouting, Kind::Filter, &["mangle", "-150", "-50", "filter"], 30),
            ("pre", Prerouting, Kind::Nat, &["dstnat", "-100", "0", "dstnat - 5"], if main { 95 } else { 25 }),
            ("in", Input, Kind::Filter, &["filter", "0", "-10", "security"], 60),
            ("forw", Forward, Kind::Filter, &["filter", "0", "10", "filter - 5"], if main { 85 } else { 40 }),
            ("forw2", Forward, Kind::Filter, &["20", "security", "mangle"], 25),
            ("out", Output, Kind::Filter, &["filter", "raw", "mangle", "5"], 35),
            ("outroute", Output, Kind::Route, &["mangle", "-140"], 15),
            ("outnat", Output, Kind::Nat, &["-100", "-90"], 30),
            ("innat", Input, Kind::Nat, &["100", "90"], 12),
            ("post", Postrouting, Kind::Nat, &["srcnat", "100", "0"], if main { 90 } else { 25 }),
        ];
        for (name, hook, kind, priorities, percent) in menu {
            if !self.random.chance(percent) {
                continue;
            }
            let priority = *self.random.pick(priorities);
            let place = Place { family, hook, kind, priority: number(priority), targets: helpers.to_vec() };
            chains.push(self.base_chain(name, priority, &place));
        }
        if self.random.chance(20) {
            let place = Place { family, hook: Postrouting, kind: Kind::Filter, priority: 0, targets: helpers.to_vec() };
            chains.push(self.base_chain("postf", "mangle", &place));
        }
    }

    fn base_chain(&mut self, name: &str, priority: &str, place: &Place) -> Chain {
        let hook = match place.hook {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            _ => "postrouting",
        };
        let kind = match place.kind {
            Kind::Filter => "filter",
            Kind::Nat => "nat",
            Kind::Route => "route",
        };
        let strict = place.kind == Kind::Filter && matches!(place.hook, Hook::Forward | Hook::Input);
        let drop = self.random.chance(if strict { 55 } else { 2 });
        let policy = if drop { "drop" } else { "accept" };
        let mut rules = Vec::new();
        if place.kind == Kind::Nat {
            let count = 1 + self.random.below(3);
            rules.extend((0..count).map(|_| self.nat_rule(place)));
            if place.hook == Hook::Prerouting && self.random.chance(40) {
                rules.push(self.forward(place.family));
            }
            if place.hook == Hook::Postrouting && self.random.chance(50) {
                rules.push(self.fixed("oifname \"wan0\"", "masquerade", &["masquerade"]));
            }
        } else {
            if strict && self.random.chance(65) {
                rules.push(self.fixed("ct state established,related", "accept", &["ct state"]));
            }
            if drop && self.random.chance(60) {
                rules.push(self.fixed("ct status dnat", "accept", &["ct status"]));
            }
            let count = 1 + self.random.below(5);
            rules.extend((0..count).map(|_| self.rule(place)));
            if drop && self.random.chance(50) {
                rules.push(self.fixed("iifname \"lan0\"", "accept", &["iifname"]));
            }
        }
        let base = format!("type {kind} hook {hook} priority {priority}; policy {policy};");
        Chain { name: name.into(), base: Some(base), rules }
    }

    /// A forward as people write it, so that enough packets are translated.
    fn forward(&mut self, family: &str) -> Rule {
        let six = family == "ip6" || family == "inet" && self.random.chance(40);
        let (ip, which) = if six { ("ip6", 1) } else { ("ip", 0) };
        let (outer, server) = (self.names.outer[which], self.names.servers[which][0]);
        let number = if six { 6 } else { 4 };
        let (need, to) =
            if family == "inet" { (format!("meta nfproto ipv{number} "), ip) } else { (String::new(), "") };
        self.fixed(&format!("{need}{ip} daddr {outer}"), &format!("dnat {to} to {server}"), &["dnat"])
    }

    fn netdev(&mut self) -> Table {
        let device = *self.random.pick(&self.names.interfaces);
        let place =
            Place { family: "netdev", hook: Hook::Ingress, kind: Kind::Filter, priority: 0, targets: Vec::new() };
        self.sets.clear();
        let rules = (0..2).map(|_| self.rule(&place)).collect();
        let base = format!("type filter hook ingress device \"{device}\" priority 0; policy accept;");
        let chains = vec![Chain { name: "ingr".into(), base: Some(base), rules }];
        Table { family: "netdev", name: "nd".into(), sets: std::mem::take(&mut self.sets), chains }
    }

    pub(crate) fn fixed(&mut self, matches: &str, action: &str, constructs: &[&'static str]) -> Rule {
        self.number += 1;
        Rule { number: self.number, matches: matches.into(), action: action.into(), constructs: constructs.to_vec() }
    }

    fn rule(&mut self, place: &Place) -> Rule {
        self.constructs.clear();
        (self.transport, self.six) = (None, None);
        let mut matches = Vec::new();
        for _ in 0..=self.random.below(3) {
            matches.push(self.a_match(place));
        }
        let action = self.filter_action(place, &mut matches);
        self.number += 1;
        Rule {
            number: self.number,
            matches: matches.join(" "),
            action,
            constructs: std::mem::take(&mut self.constructs),
        }
    }

    fn nat_rule(&mut self, place: &Place) -> Rule {
        self.constructs.clear();
        (self.transport, self.six) = (None, None);
        let mut matches = Vec::new();
        for _ in 0..self.random.below(3) {
            matches.push(self.a_match(place));
        }
        let action = self.nat_action(place, &mut matches);
        self.number += 1;
        Rule {
            number: self.number,
            matches: matches.join(" "),
            action,
            constructs: std::mem::take(&mut self.constructs),
        }
    }

    /// Notes a construct; its name for the table.
    pub(crate) fn uses(&mut self, construct: &'static str) {
        if !self.constructs.contains(&construct) {
            self.constructs.push(construct);
        }
    }
}

fn number(priority: &str) -> i32 {
    let named = [("raw", -300), ("mangle", -150), ("dstnat", -100), ("filter", 0), ("security", 50), ("srcnat", 100)];
    let mut words = priority.split(' ');
    let first = words.next().unwrap_or("0");
    let base = named.iter().find(|(n, _)| *n == first).map_or_else(|| first.parse().unwrap_or(0), |(_, v)| *v);
    let offset: i32 = match (words.next(), words.next().and_then(|n| n.parse::<i32>().ok())) {
        (Some("-"), Some(n)) => -n,
        (_, Some(n)) => n,
        _ => 0,
    };
    base + offset
}
