//! The verdict in a sentence.

use crate::manifest::Place;
use crate::model::Family;
use crate::report::{Path, Report, Verdict, in_a_sentence};
use crate::vocabulary::{CallerKind, PortSet, Where, list};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// Adds the headline, and what it takes as given.
pub(super) fn add(report: &mut Report) {
    report.headline = headline(report);
    let lists = lists(report);
    if !lists.is_empty() {
        report.headline = format!("{}, except for addresses on {}", report.headline, list(&lists));
        report.assumptions.push(format!(
            "nobody who takes part has an address on {}: what {} is kept elsewhere",
            list(&lists),
            if lists.len() == 1 { "it holds" } else { "they hold" }
        ));
    }
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
