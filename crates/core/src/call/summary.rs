//! What stands around the table: what was taken as given, what was not judged, and the verdict in a sentence.

use super::analyze::Judge;
use super::story::origin;
use crate::manifest::Proto;
use crate::model::{DoubtKind, Family};
use crate::profile::{Answers, Ice, Instance};
use crate::report::{LeftOut, Origin, Path, Report, Ruleset, Unread, Verdict, in_a_sentence};
use crate::requirement::{Level, Party, Requirement};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

impl Judge<'_> {
    pub(super) fn notes(
        &self,
        n: usize,
        instance: &Instance,
        given: &mut Vec<String>,
        not_judged: &mut BTreeSet<String>,
    ) {
        let told = self.line(instance).told.join(" and ");
        let label = instance.label();
        let host = instance.deploy.host.iter().map(|h| h.value.to_string()).collect::<Vec<_>>().join(" and ");
        let checks = match instance.ice() {
            Some(Ice::Full) => ", sends checks itself (full ICE)",
            Some(Ice::Lite) => ", only answers checks (ICE lite)",
            None => "",
        };
        given.push(format!("{}{checks}, and listens on {host}", self.told_notes(n, instance)));
        given.extend(self.told_setting(instance));
        if instance.profile.told.own_inside {
            let local = match &instance.deploy.local {
                None => "its own network".to_owned(),
                Some(list) => list.iter().map(|n| n.value.to_string()).collect::<Vec<_>>().join(", "),
            };
            given.push(format!("{label} counts {local} as local, and tells phones there its own address"));
            given.extend(self.vantages(n, instance).iter().filter_map(|v| self.not_local(n, instance, v)));
        }
        match instance.answers() {
            Some(Answers::Source) => given.push(format!("{label} sends voice back to where it comes from")),
            Some(Answers::Sdp) => given.push(format!(
                "{label} sends voice to the address that the phone names; behind home routers that is one which leads \
                 nowhere, unless the phone knows a STUN server. Let it answer to where voice comes from (Asterisk: \
                 rtp_symmetric = yes), and state it: answers = \"source\""
            )),
            None => {}
        }
        if instance.ice().is_some() {
            let stun = if instance.stun() { "know a STUN server" } else { "know no STUN server" };
            given.push(format!(
                "its clients {stun}; home routers keep source ports and drop what nobody asked for, those of mobile and \
                 corporate networks pick a new port for each conversation"
            ));
        }
        self.firewall(n, instance, given, not_judged);
        self.limits(given);
        self.proxy_notes(n, instance, given, not_judged);
        if let Some(clients) = &instance.deploy.clients {
            let list: Vec<String> = clients.iter().map(|c| c.value.to_string()).collect();
            given.push(format!("people call {label} only from: {}", list.join(", ")));
        }
        if self.told(instance, Family::V4).is_none() {
            not_judged.insert("IPv4: no public IPv4 address is given".into());
        }
        match (&self.site.no_v6, self.told(instance, Family::V6)) {
            (_, None) => {
                not_judged.insert("IPv6: no public IPv6 address is given".into());
            }
            (Some(why), Some(_)) => {
                not_judged.insert(why.clone());
            }
            (None, Some(_)) => {}
        }
        if let Some(name) = &self.manifest.name {
            not_judged.insert(format!("whether {} resolves to {told}", name.value));
        }
        let others = |r: &&Requirement| r.to == Party::Server && r.from == Party::Internet;
        for r in instance.requirements.iter().filter(others) {
            not_judged.insert(format!("{} ({}) of {label}, for {}", r.purpose, r.what(), r.sender()));
        }
        for r in instance.requirements.iter().filter(|r| r.level == Level::Optional && r.from == Party::Callers) {
            not_judged.insert(format!("{} ({}) of {label}: optional", r.purpose, r.what()));
        }
        for proto in [Proto::Tcp, Proto::Udp].into_iter().filter(|_| !instance.opens_itself()) {
            let unstated = instance.requirements.iter().filter(|r| r.example && r.proto == proto);
            let mut keys: Vec<&str> = unstated.map(|r| &*r.parameter).collect();
            keys.dedup();
            if !keys.is_empty() {
                let proto = proto.name();
                not_judged.insert(format!(
                    "which {proto} ports of {label} the internet reaches without need: its own are not all stated ({})",
                    keys.join(", ")
                ));
            }
        }
        if let Some(r) = instance.no_tcp_way() {
            given.push(format!(
                "{} of {label} ({}) has no way by TCP: callers whose network blocks UDP are without it, wherever it runs",
                r.purpose,
                r.what()
            ));
        }
        not_judged.extend(instance.profile.not_judged.iter().cloned());
        if instance.ice().is_none() && instance.answers().is_none() {
            not_judged.insert("callers' own networks: strict NATs, blocked UDP".into());
        }
        not_judged.insert(format!("whether {} is running and configured as stated", instance.profile.title));
    }

    /// Rate limits that are taken as not reached.
    fn limits(&self, given: &mut Vec<String>) {
        for device in self.site.network.devices.iter() {
            for id in &device.pipeline.within {
                let at = origin(&self.places, device, *id);
                let place = at.line.map_or_else(|| at.object.clone(), |line| format!("{}:{line}", at.source));
                let line = format!(
                    "the connections of a call alone do not reach the rate limit of {} at {place}",
                    device.name
                );
                if !given.contains(&line) {
                    given.push(line);
                }
            }
        }
    }

    /// What is given of the firewall of an instance's host.
    fn firewall(&self, n: usize, instance: &Instance, given: &mut Vec<String>, not_judged: &mut BTreeSet<String>) {
        let server = &self.site.network.devices[self.site.server_of[n]];
        if instance.opens_itself() {
            let title = &instance.profile.title;
            given.push(format!(
                "{title} opens the ports that it needs in the firewall of {} by itself, whichever these are ({})",
                server.name,
                instance.mode().map_or("", |m| &m.source)
            ));
            not_judged.insert(format!("what else the internet reaches on {}: its firewall is not given", server.name));
        } else if server.pipeline.chains.is_empty() {
            // The first of the givens: everything that comes as far as the host rests on it.
            let here =
                |i: &&Instance| i.deploy.host.iter().any(|h| instance.deploy.host.iter().any(|o| o.value == h.value));
            let stated = self.instances.iter().filter(here).find_map(|i| i.deploy.own_firewall.as_ref());
            let why = stated.map_or_else(
                || "none is given".to_owned(),
                |f| format!("as you stated ({})", super::gateway::at_line(self.snapshot, f)),
            );
            let line = format!("{} has no firewall of its own: {why}", server.name);
            if !given.contains(&line) {
                given.insert(0, line);
            }
        }
    }

    pub(super) fn unread(&self) -> Vec<Unread> {
        let mut out = Vec::new();
        for device in self.site.network.devices.iter() {
            for doubt in device.pipeline.doubts.iter().filter(|d| d.kind == DoubtKind::Unread) {
                out.push(Unread { origin: origin(&self.places, device, doubt.origin), why: doubt.what.to_string() });
            }
        }
        out
    }

    pub(super) fn left_out(&self) -> Vec<LeftOut> {
        let line = |(device, l): &(usize, crate::dialect::LeftOut)| {
            let source = self.snapshot.source(l.at.source);
            let place = self.places.line_column(l.at.source, l.at.start as usize);
            LeftOut {
                device: self.site.network.devices[*device].name.to_string(),
                origin: Origin {
                    source: source.map_or_else(String::new, |s| s.name.clone()),
                    line: place.map(|p| p.0),
                    column: place.map(|p| p.1),
                    object: String::new(),
                    handle: None,
                    text: String::new(),
                },
                rule: l.rule.clone(),
                why: l.why.clone(),
            }
        };
        self.site.left_out.iter().map(line).collect()
    }

    pub(super) fn rulesets(&self) -> Vec<Ruleset> {
        let line = |(id, counts): &(crate::model::SourceId, crate::dialect::Counts)| Ruleset {
            source: self.snapshot.source(*id).map_or_else(String::new, |s| s.name.clone()),
            statements: counts.statements,
            understood: counts.understood,
            approximated: counts.approximated,
        };
        self.site.rulesets.iter().map(line).collect()
    }
}

/// Whole verdict and headline, from the paths and exposures.
pub(super) fn finish(mut report: Report) -> Report {
    let forbidden = |unknown: bool| report.exposures.iter().any(|e| e.forbidden.is_some() && e.unknown == unknown);
    // Callers' own strict networks are to blame too, and the server is no caller: that they hear nothing does not fail the
    // whole.
    let counted = |p: &Path| match (p.kind, p.vantage.as_str(), p.verdict) {
        ("symmetric" | "udp-blocked", _, Verdict::Fails) | (_, "self", Verdict::Fails) => Verdict::Degraded,
        (_, _, verdict) => verdict,
    };
    let mut worst = report.paths.iter().map(counted).max().unwrap_or(Verdict::Unknown);
    // Who was not asked for does not get through for that.
    if report.instances.iter().any(|i| !has_calls(&report, &i.label)) {
        worst = worst.max(Verdict::Unknown);
    }
    if forbidden(false) {
        worst = Verdict::Fails;
    } else if forbidden(true) {
        worst = worst.max(Verdict::Unknown);
    }
    report.verdict = worst;
    report.headline = headline(&report);
    let lists = lists(&report);
    if !lists.is_empty() {
        report.headline = format!("{}, except for addresses on {}", report.headline, and(&lists));
        report.assumptions.push(format!(
            "nobody who takes part has an address on {}: what {} is kept elsewhere",
            and(&lists),
            if lists.len() == 1 { "it holds" } else { "they hold" }
        ));
    }
    report
}

/// Lists of addresses that are kept elsewhere and make a difference for paths that work otherwise.
fn lists(report: &Report) -> Vec<String> {
    let works = report.paths.iter().filter(|p| matches!(p.verdict, Verdict::Works | Verdict::Degraded));
    let pieces = works.flat_map(|p| &p.legs).flat_map(|l| &l.any_of).flat_map(|a| &a.pieces);
    let all: BTreeSet<&String> = pieces.flat_map(|p| &p.except).collect();
    all.into_iter().cloned().collect()
}

/// Calls to this instance were judged, from anywhere.
fn has_calls(report: &Report, instance: &str) -> bool {
    report.paths.iter().any(|p| p.instance == instance && p.is_call())
}

/// A headline names as many places.
const MOST_PLACES: usize = 8;

/// Marks a place from which not everybody gets through.
const OTHERWISE: &str = " otherwise";

/// Calls to one instance from one place by one family: those of all kinds of callers.
type Together<'r> = FxHashMap<(&'r str, &'r str, &'r str), Vec<&'r Path>>;

/// From where calls fare like this, in the order of the paths.
fn places(report: &Report, together: &Together<'_>, verdict: Verdict) -> Vec<String> {
    let many = report.instances.len() > 1;
    let mut list: Vec<(String, &str)> = Vec::new();
    let calls = || report.paths.iter().filter(|p| p.is_call());
    // The server is no caller: what it does not reach is said apart.
    let told = |p: &&Path| p.verdict == verdict && (p.vantage != "self" || verdict == Verdict::Works);
    for p in calls().filter(told) {
        let here = &together[&(&*p.instance, &*p.vantage, p.family)];
        let kinds: Vec<&str> = here.iter().filter(|q| q.verdict == verdict).map(|q| q.kind).collect();
        if kinds.first() != Some(&p.kind) {
            continue;
        }
        // Who fares otherwise is named; who is well off needs no name.
        let all = here.len() == kinds.len();
        let who = match verdict {
            _ if all => String::new(),
            Verdict::Works => OTHERWISE.to_owned(),
            _ => format!(" ({})", in_a_sentence(&kinds)),
        };
        let place = match &*p.vantage {
            "internet" => "from the internet".to_owned(),
            "lan" => "from your own network".to_owned(),
            "self" => "from the server itself".to_owned(),
            net => format!("from {}", net.trim_start_matches("net:").trim_start_matches("caller:")),
        };
        let family = if p.family == "ipv6" { " by IPv6" } else { "" };
        let what = if many { format!(" to {}", p.instance) } else { String::new() };
        list.push((format!("{place}{family}{what}{who}"), &p.vantage));
    }
    // Both families of a place are said once; that IPv6 works where IPv4 does not is left to the table.
    let both: FxHashSet<String> = list.iter().map(|(l, _)| l.clone()).collect();
    let worse: FxHashSet<&str> = report.paths.iter().filter(|p| p.verdict > verdict).map(|p| &*p.vantage).collect();
    list.retain(|(l, place)| {
        let v6 = l.contains(" by IPv6");
        !v6 || !both.contains(&l.replace(" by IPv6", "")) && (verdict != Verdict::Works || !worse.contains(place))
    });
    list.into_iter().map(|(l, _)| l).collect()
}

fn headline(report: &Report) -> String {
    let mut together: Together<'_> = FxHashMap::default();
    for p in report.paths.iter().filter(|p| p.is_call()) {
        together.entry((&p.instance, &p.vantage, p.family)).or_default().push(p);
    }
    let mut parts = Vec::new();
    for (verdict, words) in [
        (Verdict::Fails, "calls fail"),
        (Verdict::Unknown, "it is unknown whether calls work"),
        (Verdict::Degraded, "calls are degraded"),
        (Verdict::Works, "calls work"),
    ] {
        let list = places(report, &together, verdict);
        if verdict == Verdict::Works && !parts.is_empty() && list.iter().any(|l| l.ends_with(OTHERWISE)) {
            parts.push("everybody else gets through".to_owned());
        } else if !list.is_empty() {
            let words = if parts.is_empty() || verdict != Verdict::Works { words } else { "they work" };
            parts.push(format!("{words} {}", and(&some(list))));
        }
    }
    let silent: Vec<String> =
        report.instances.iter().filter(|i| !has_calls(report, &i.label)).map(|i| i.label.clone()).collect();
    if !silent.is_empty() {
        parts.push(format!("no call to {} could be judged", and(&silent)));
    }
    for p in report.paths.iter().filter(|p| p.verdict > Verdict::Works) {
        match &*p.vantage {
            "server" => {
                let bad = p.legs.iter().filter(|l| l.verdict > Verdict::Works).flat_map(|l| &l.any_of);
                let what = bad.map(|a| a.what.clone()).collect::<Vec<_>>().join(", ");
                let line = format!("the server's own way out {} ({what})", fate(p.verdict));
                if !parts.contains(&line) {
                    parts.insert(0, line);
                }
            }
            "admin" => {
                let line = administrator(report, p);
                if !parts.contains(&line) {
                    parts.push(line);
                }
            }
            place if place.starts_with("peer:") => {
                let family = if p.family == "ipv6" { " by IPv6" } else { "" };
                let words = match p.verdict {
                    Verdict::Fails => format!("{} does not get through{family}", p.who),
                    Verdict::Unknown => format!("it is unknown whether {} gets through{family}", p.who),
                    _ => format!("{} gets through only in part{family}", p.who),
                };
                if !parts.contains(&words) {
                    parts.push(words);
                }
            }
            "self" => {
                let words = match p.verdict {
                    Verdict::Fails => "the server does not reach its own name",
                    Verdict::Unknown => "it is unknown whether the server reaches its own name",
                    _ => "the server reaches its own name only in part",
                };
                let family = if p.family == "ipv6" { " by IPv6" } else { "" };
                let line = format!("{words}{family}");
                if !parts.iter().any(|known| line.starts_with(known.as_str())) {
                    parts.push(line);
                }
            }
            _ => {}
        }
    }
    open_ports(report, &mut parts);
    parts.join("; ")
}

/// Ports that must be closed and are not, or perhaps not.
fn open_ports(report: &Report, parts: &mut Vec<String>) {
    let open = |unknown: bool| {
        let mut open: Vec<String> = Vec::new();
        for e in report.exposures.iter().filter(|e| e.forbidden.is_some() && e.unknown == unknown) {
            if !open.contains(&e.socket) {
                open.push(e.socket.clone());
            }
        }
        open
    };
    let (certain, unknown) = (open(false), open(true));
    if !certain.is_empty() {
        parts.insert(0, format!("the internet reaches {}", and(&certain)));
    }
    match unknown.len() {
        0 => {}
        1..=3 => parts.push(format!("it is unknown whether {} {} closed", and(&unknown), are(&unknown))),
        n => parts.push(format!("it is unknown whether {n} ports are closed that must be")),
    }
}

/// What an administrator who does not get in everywhere is told.
fn administrator(report: &Report, path: &Path) -> String {
    let closed = path.legs.iter().any(|l| l.verdict == Verdict::Fails);
    let words = match path.verdict {
        Verdict::Unknown => "it is unknown whether the administrator gets in",
        _ if closed => "the administrator cannot get in",
        _ => "the administrator gets in only in part",
    };
    let all = || report.paths.iter().filter(|p| p.vantage == "admin");
    let many = report.instances.len() > 1 && all().any(|p| p.instance != path.instance && p.verdict != path.verdict);
    let what = if many { format!(" to {}", path.instance) } else { String::new() };
    // Where the others get in, it is said from where this one does not.
    let here = || all().filter(|p| p.instance == path.instance);
    let from = if here().any(|p| p.verdict != path.verdict && p.who != path.who) {
        path.who.strip_prefix("the administrator, ").map_or_else(String::new, |who| format!(" from {who}"))
    } else {
        String::new()
    };
    format!("{words}{what}{from}")
}

fn fate(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Works => "works",
        Verdict::Degraded => "is degraded",
        Verdict::Unknown => "is unknown",
        Verdict::Fails => "fails",
    }
}

fn are(list: &[String]) -> &'static str {
    if list.len() == 1 { "is" } else { "are" }
}

/// More places than a sentence holds are counted.
fn some(mut places: Vec<String>) -> Vec<String> {
    if places.len() > MOST_PLACES {
        let more = places.split_off(MOST_PLACES - 2).len();
        places.push(format!("{more} more"));
    }
    places
}

fn and(list: &[String]) -> String {
    match list {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
