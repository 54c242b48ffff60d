//! What stands around the table: what was taken as given, what was not judged, and the verdict in a sentence.

use super::analyze::Judge;
use super::story::origin;
use crate::manifest::{Place, Proto};
use crate::model::{DoubtKind, Family};
use crate::profile::{Answers, Ice, Instance};
use crate::report::{LeftOut, Origin, Path, Report, Ruleset, Unread, Verdict, in_a_sentence};
use crate::requirement::{Level, Party, Requirement};
use crate::vocabulary::{CallerKind, PortSet, Where, list};
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
        let told = self.line(n, instance).told.join(" and ");
        let label = instance.label();
        let host = instance.deploy.host.iter().map(|h| h.value.to_string()).collect::<Vec<_>>().join(" and ");
        let checks = match instance.ice() {
            Some(Ice::Full) => ", sends checks itself (full ICE)",
            Some(Ice::Lite) => ", only answers checks (ICE lite)",
            None => "",
        };
        given.push(format!("{}{checks}, and listens on {host}", self.told_notes(n, instance)));
        given.extend(self.told_setting(n, instance));
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
    let counted = |p: &Path| match (p.kind, &p.vantage, p.verdict) {
        (Some(CallerKind::Symmetric | CallerKind::UdpBlocked), _, Verdict::Fails)
        | (_, Where::At(Place::Own), Verdict::Fails) => Verdict::Degraded,
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
        report.headline = format!("{}, except for addresses on {}", report.headline, list(&lists));
        report.assumptions.push(format!(
            "nobody who takes part has an address on {}: what {} is kept elsewhere",
            list(&lists),
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

/// Calls to one instance from one place by one family: those of all kinds of callers.
type Together<'r> = FxHashMap<(&'r str, &'r Where, Family), Vec<&'r Path>>;

/// A place in a headline.
struct PlaceIn<'r> {
    vantage: &'r Where,
    family: Family,
    /// The instance, where there are several.
    instance: Option<&'r str>,
    /// Who is meant there, where others fare otherwise.
    kinds: Vec<CallerKind>,
    /// Others fare otherwise, and those who are meant need no name.
    otherwise: bool,
}

impl<'r> PlaceIn<'r> {
    /// What is the same for both families.
    fn place(&self) -> (&'r Where, Option<&'r str>, Vec<CallerKind>, bool) {
        (self.vantage, self.instance, self.kinds.clone(), self.otherwise)
    }

    fn words(&self) -> String {
        let place = match self.vantage {
            Where::At(Place::Internet) => "from the internet".to_owned(),
            Where::At(Place::Lan) => "from your own network".to_owned(),
            Where::At(Place::Own) => "from the server itself".to_owned(),
            Where::At(Place::Net(name) | Place::Caller(name)) => format!("from {name}"),
            other => format!("from {other}"),
        };
        let what = self.instance.map_or_else(String::new, |i| format!(" to {i}"));
        let who = match (self.otherwise, &self.kinds[..]) {
            (true, _) => " otherwise".to_owned(),
            (false, []) => String::new(),
            (false, kinds) => format!(" ({})", in_a_sentence(kinds)),
        };
        format!("{place}{}{what}{who}", by_family(self.family))
    }
}

/// The family, where it is not the usual one.
fn by_family(family: Family) -> &'static str {
    if family == Family::V6 { " by IPv6" } else { "" }
}

/// From where calls fare like this, in the order of the paths.
fn places<'r>(report: &'r Report, together: &Together<'r>, verdict: Verdict) -> Vec<PlaceIn<'r>> {
    let many = report.instances.len() > 1;
    let mut list: Vec<PlaceIn<'r>> = Vec::new();
    let calls = report.paths.iter().filter(|p| p.is_call());
    // The server is no caller: what it does not reach is said apart.
    let itself = Where::At(Place::Own);
    for p in calls.filter(|p| p.verdict == verdict && (p.vantage != itself || verdict == Verdict::Works)) {
        let here = &together[&(&*p.instance, &p.vantage, p.family)];
        let alike: Vec<&&Path> = here.iter().filter(|q| q.verdict == verdict).collect();
        if alike.first().map(|q| q.kind) != Some(p.kind) {
            continue;
        }
        // Who fares otherwise is named; who is well off needs no name.
        let all = here.len() == alike.len();
        let named = !all && verdict != Verdict::Works;
        list.push(PlaceIn {
            vantage: &p.vantage,
            family: p.family,
            instance: many.then_some(&*p.instance),
            kinds: if named { alike.iter().filter_map(|q| q.kind).collect() } else { Vec::new() },
            otherwise: !all && !named,
        });
    }
    // Both families of a place are said once; that IPv6 works where IPv4 does not is left to the table.
    let worse: FxHashSet<&Where> = report.paths.iter().filter(|p| p.verdict > verdict).map(|p| &p.vantage).collect();
    let by_v4: FxHashSet<_> = list.iter().filter(|l| l.family == Family::V4).map(PlaceIn::place).collect();
    list.retain(|l| {
        let alone = || !by_v4.contains(&l.place()) && (verdict != Verdict::Works || !worse.contains(l.vantage));
        l.family == Family::V4 || alone()
    });
    list
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
        let found = places(report, &together, verdict);
        if verdict == Verdict::Works && !parts.is_empty() && found.iter().any(|l| l.otherwise) {
            parts.push("everybody else gets through".to_owned());
        } else if !found.is_empty() {
            let words = if parts.is_empty() || verdict != Verdict::Works { words } else { "they work" };
            parts.push(format!("{words} {}", list(&some(found.iter().map(PlaceIn::words).collect()))));
        }
    }
    let silent: Vec<String> =
        report.instances.iter().filter(|i| !has_calls(report, &i.label)).map(|i| i.label.clone()).collect();
    if !silent.is_empty() {
        parts.push(format!("no call to {} could be judged", list(&silent)));
    }
    let mut itself: Vec<(Verdict, Family)> = Vec::new();
    for p in report.paths.iter().filter(|p| p.verdict > Verdict::Works) {
        match &p.vantage {
            Where::Outwards => {
                let bad = p.legs.iter().filter(|l| l.verdict > Verdict::Works).flat_map(|l| &l.any_of);
                let what = bad.map(|a| a.what.clone()).collect::<Vec<_>>().join(", ");
                let line = format!("the server's own way out {} ({what})", fate(p.verdict));
                if !parts.contains(&line) {
                    parts.insert(0, line);
                }
            }
            Where::At(Place::Admin) => {
                let line = administrator(report, p);
                if !parts.contains(&line) {
                    parts.push(line);
                }
            }
            Where::At(Place::Peer(_)) => {
                let family = by_family(p.family);
                let words = match p.verdict {
                    Verdict::Fails => format!("{} does not get through{family}", p.who),
                    Verdict::Unknown => format!("it is unknown whether {} gets through{family}", p.who),
                    _ => format!("{} gets through only in part{family}", p.who),
                };
                if !parts.contains(&words) {
                    parts.push(words);
                }
            }
            // Both families are said once, where they fare alike.
            Where::At(Place::Own)
                if !itself.contains(&(p.verdict, Family::V4)) && !itself.contains(&(p.verdict, p.family)) =>
            {
                itself.push((p.verdict, p.family));
                let words = match p.verdict {
                    Verdict::Fails => "the server does not reach its own name",
                    Verdict::Unknown => "it is unknown whether the server reaches its own name",
                    _ => "the server reaches its own name only in part",
                };
                parts.push(format!("{words}{}", by_family(p.family)));
            }
            Where::At(_) => {}
        }
    }
    open_ports(report, &mut parts);
    parts.join("; ")
}

/// Ports that must be closed and are not, or perhaps not.
fn open_ports(report: &Report, parts: &mut Vec<String>) {
    let open = |unknown: bool| {
        let mut open: Vec<PortSet> = Vec::new();
        for e in report.exposures.iter().filter(|e| e.forbidden.is_some() && e.unknown == unknown) {
            if !open.contains(&e.socket) {
                open.push(e.socket.clone());
            }
        }
        open.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (certain, unknown) = (open(false), open(true));
    if !certain.is_empty() {
        parts.insert(0, format!("the internet reaches {}", list(&certain)));
    }
    match unknown.len() {
        0 => {}
        1..=3 => parts.push(format!("it is unknown whether {} {} closed", list(&unknown), are(&unknown))),
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
    let all = || report.paths.iter().filter(|p| p.vantage == path.vantage);
    let many = report.instances.len() > 1 && all().any(|p| p.instance != path.instance && p.verdict != path.verdict);
    let what = if many { format!(" to {}", path.instance) } else { String::new() };
    // Where the others get in, it is said from where this one does not.
    let here = || all().filter(|p| p.instance == path.instance);
    let from = if here().any(|p| p.verdict != path.verdict && p.who != path.who) {
        path.address.as_ref().map_or_else(String::new, |address| format!(" from {address}"))
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
