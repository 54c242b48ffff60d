//! Random rulesets for pairs: translation and filters as they meet two parties that open towards each other.

use crate::generate::{Chain, Rule, Ruleset, Table};
use crate::random::Random;
use std::fmt::Write;

/// Where port ranges of rules begin and end.
const EDGES: [u16; 12] = [1, 400, 512, 700, 1024, 5000, 20000, 32768, 40000, 50000, 60000, 65535];

/// What a router's rules may name.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// Outer interface; a server's only one.
    pub wan: &'static str,
    /// Inner interface.
    pub lan: &'static str,
    /// Own outer address, and the last of those that rules translate to.
    pub outer: [&'static str; 2],
    /// Servers inside; the last one need not exist.
    pub servers: [&'static str; 2],
    /// What is at the other end.
    pub far: [&'static str; 2],
}

struct Maker<'a> {
    random: &'a mut Random,
    site: &'a Site,
    number: u32,
}

/// A router's ruleset.
pub fn router(random: &mut Random, site: &Site) -> Ruleset {
    let mut maker = Maker { random, site, number: 0 };
    let family = if maker.random.chance(70) { "inet" } else { "ip" };
    let mut chains = vec![maker.forward(), maker.input()];
    if maker.random.chance(70) {
        chains.push(maker.destination(family));
    }
    if maker.random.chance(92) {
        chains.push(maker.source(family));
    }
    maker.rare(&mut chains);
    Ruleset { tables: vec![Table { family, name: "t0".into(), sets: Vec::new(), chains }] }
}

/// A server's own firewall.
pub fn server(random: &mut Random, site: &Site) -> Ruleset {
    let mut maker = Maker { random, site, number: 0 };
    let mut chains = vec![maker.input()];
    if maker.random.chance(30) {
        let mut rules = Vec::new();
        if maker.random.chance(50) {
            rules.push(maker.rule("ct state established", "accept"));
        }
        rules.extend(maker.some_ports("sport", "accept"));
        chains.push(maker.chain("out", "filter", "output", "filter", 60, rules));
    }
    if maker.random.chance(12) {
        chains.push(maker.source("inet"));
    }
    if maker.random.chance(12) {
        chains.push(maker.destination("inet"));
    }
    maker.rare(&mut chains);
    Ruleset { tables: vec![Table { family: "inet", name: "t0".into(), sets: Vec::new(), chains }] }
}

impl Maker<'_> {
    fn rule(&mut self, matches: &str, action: &str) -> Rule {
        self.number += 1;
        Rule { number: self.number, matches: matches.into(), action: action.into(), constructs: Vec::new() }
    }

    /// `drop`: how many of 100 have the policy drop.
    fn chain(&mut self, name: &str, kind: &str, hook: &str, priority: &str, drop: usize, rules: Vec<Rule>) -> Chain {
        let policy = if self.random.chance(drop) { "drop" } else { "accept" };
        let base = format!("type {kind} hook {hook} priority {priority}; policy {policy};");
        Chain { name: name.into(), base: Some(base), rules }
    }

    fn range(&mut self) -> (u16, u16) {
        let (a, b) = (*self.random.pick(&EDGES), *self.random.pick(&EDGES));
        if a == b { (a, 65535) } else { (a.min(b), a.max(b)) }
    }

    /// A rule for some ports.
    fn some_ports(&mut self, which: &str, action: &str) -> Option<Rule> {
        let (lo, hi) = self.range();
        self.random.chance(60).then(|| self.rule(&format!("udp {which} {lo}-{hi}"), action))
    }

    fn refusal(&mut self) -> &'static str {
        self.random.pick::<&'static str>(&["drop", "drop", "reject", "reject with icmp type admin-prohibited"])
    }

    fn input(&mut self) -> Chain {
        let wan = self.site.wan;
        let mut rules = Vec::new();
        if self.random.chance(60) {
            rules.push(self.rule("ct state established,related", "accept"));
        }
        rules.extend(self.some_ports("dport", "accept"));
        if self.random.chance(45) {
            let action = self.refusal();
            let new = if self.random.chance(50) { "ct state new " } else { "" };
            rules.push(self.rule(&format!("{new}iifname \"{wan}\""), action));
        }
        self.chain("in", "filter", "input", "filter", 50, rules)
    }

    fn forward(&mut self) -> Chain {
        let Site { wan, lan, .. } = *self.site;
        let mut rules = Vec::new();
        if self.random.chance(75) {
            rules.push(self.rule("ct state established,related", "accept"));
        }
        if self.random.chance(70) {
            rules.push(self.rule(&format!("iifname \"{lan}\""), "accept"));
        }
        if self.random.chance(40) {
            rules.push(self.rule("ct status dnat", "accept"));
        }
        rules.extend(self.some_ports("dport", "accept"));
        if self.random.chance(30) {
            let action = self.refusal();
            let matches =
                *self.random.pick(&["ct state new", "ct state invalid", "ct status snat", "ct direction reply"]);
            rules.push(self.rule(&format!("iifname \"{wan}\" {matches}"), action));
        }
        self.chain("forw", "filter", "forward", "filter", 50, rules)
    }

    fn destination(&mut self, family: &str) -> Chain {
        let Site { wan, outer, .. } = *self.site;
        let mut rules = Vec::new();
        for _ in 0..=self.random.below(2) {
            let server = *self.random.pick(&self.site.servers);
            let (lo, hi) = self.range();
            let port = self.random.pick(&EDGES).saturating_add(7);
            let to = if family == "inet" { "ip " } else { "" };
            let on = match self.random.below(4) {
                0 => format!("iifname \"{wan}\" "),
                1 => String::new(),
                _ => format!("ip daddr {} ", outer[0]),
            };
            let ports =
                if self.random.chance(70) { format!("udp dport {lo}-{hi} ") } else { "meta l4proto udp ".into() };
            let action = match self.random.below(10) {
                0..=4 => format!("dnat {to}to {server}"),
                5 => format!("dnat {to}to {server}:{port}"),
                6 => format!("dnat {to}to {server}:{lo}-{hi}"),
                7 => "redirect".into(),
                8 => format!("redirect to :{port}"),
                _ => "accept".into(),
            };
            let four =
                if family == "inet" && on.is_empty() && action.starts_with("dnat") { "meta nfproto ipv4 " } else { "" };
            rules.push(self.rule(&format!("{four}{on}{ports}"), &action));
        }
        self.chain("pre", "nat", "prerouting", "dstnat", 0, rules)
    }

    fn source(&mut self, family: &str) -> Chain {
        let Site { wan, outer: [own, last], far, .. } = *self.site;
        let mut rules = Vec::new();
        for _ in 0..=self.random.below(2) {
            let (lo, hi) = self.range();
            let port = self.random.pick(&EDGES).saturating_add(7);
            let to = if family == "inet" { "ip " } else { "" };
            let mut matches = if self.random.chance(80) { format!("oifname \"{wan}\" ") } else { String::new() };
            if self.random.chance(15) {
                let _ = write!(matches, "ip daddr {} ", self.random.pick(&far));
            }
            if self.random.chance(20) {
                let (lo, hi) = self.range();
                let _ = write!(matches, "udp sport {lo}-{hi} ");
            }
            let udp = "meta l4proto udp ";
            let (more, action) = match self.random.below(14) {
                0..=4 => ("", "masquerade".into()),
                5 => ("", "masquerade random".into()),
                6 => ("", "masquerade fully-random".into()),
                7 => (udp, format!("masquerade to :{lo}-{hi}")),
                8 => (udp, format!("masquerade to :{lo}-{hi} random")),
                9 => ("", format!("snat {to}to {own}")),
                10 => ("", format!("snat {to}to {own}-{last}")),
                11 => (udp, format!("snat {to}to {own}:{lo}-{hi}")),
                12 => (udp, format!("snat {to}to {own}:{port}")),
                _ => ("", format!("snat {to}to {own} random")),
            };
            rules.push(self.rule(&format!("{matches}{more}"), &action));
        }
        self.chain("post", "nat", "postrouting", "srcnat", 0, rules)
    }

    /// Rules that are seldom, and stop packets where their session is not kept yet.
    fn rare(&mut self, chains: &mut Vec<Chain>) {
        let (lo, hi) = self.range();
        let which = *self.random.pick(&["sport", "dport"]);
        if self.random.chance(8) {
            let matches = format!("udp {which} {lo}-{hi}");
            let rules = vec![self.rule(&matches, "notrack")];
            let hook = *self.random.pick(&["prerouting", "output"]);
            chains.push(self.chain("raw", "filter", hook, "raw", 0, rules));
        }
        if self.random.chance(15) {
            let priority = *self.random.pick(&["mangle", "srcnat - 1", "150", "300"]);
            let state = *self.random.pick(&["", "", "ct state new ", "ct status snat "]);
            let rules = vec![self.rule(&format!("{state}udp {which} {lo}-{hi}"), "drop")];
            chains.push(self.chain("late", "filter", "postrouting", priority, 0, rules));
        }
        if self.random.chance(8) {
            let rules = vec![self.rule(&format!("ct state new udp {which} {lo}-{hi}"), "drop")];
            chains.push(self.chain("early", "filter", "prerouting", "mangle", 0, rules));
        }
    }
}
