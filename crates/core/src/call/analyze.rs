//! The whole analysis: from texts to a report.

use super::address::{is_public, is_shared};
use super::diagnose::{self, Gate, Proposals};
use super::learned::{Seen, Stray};
use super::reach::Region;
use super::site::{self, Case, LastRead, Parts, Site};
use super::summary::finish;
use crate::cube::Set;
use crate::dialect::Patch;
use crate::finding::Gap;
use crate::manifest::{Manifest, Place, Proto, parse};
use crate::model::{Family, Part, SourceId};
use crate::profile::{Instance, instance, overlap};
use crate::report::{
    Closed, DoubtLine, Elsewhere, Exposure, Fact, InstanceLine, Path, Piece, Reach, Reason, Report, SCHEMA, Searched,
    Tool, Verdict,
};
use crate::requirement::{Level, Party, Requirement};
use crate::snapshot::{InputError, Places, Snapshot};
use crate::trace::{Budget, RoundTrip};
use crate::vocabulary::{PortSet, port_ranges, port_set};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;
use std::rc::Rc;

/// A sentence names as many ranges of lines.
const MOST_LINES: usize = 8;

/// Ports that callers send from.
pub(super) const CLIENT_PORTS: (u128, u128) = (1024, 65535);

/// Judges a site.
///
/// # Errors
/// Input from which no answer follows.
pub fn analyze(snapshot: &Snapshot) -> Result<Report, InputError> {
    changes(snapshot).map(|(_, report)| report)
}

/// The report, and every change that it proposes.
///
/// # Errors
/// Input from which no answer follows.
pub fn changes(snapshot: &Snapshot) -> Result<(Vec<(SourceId, Patch)>, Report), InputError> {
    proposals(snapshot, Gate::On).map(|(proposals, report)| (proposals.changes, report))
}

/// The same with what stands apart because it takes something; without the gate nothing stands apart.
///
/// # Errors
/// Input from which no answer follows.
pub fn proposals(snapshot: &Snapshot, gate: Gate) -> Result<(Proposals, Report), InputError> {
    let mut analysis = run(snapshot, false, &Budget::of_a_run(), &Rc::default())?;
    let (findings, proposals) = diagnose::findings(snapshot, &analysis, gate);
    analysis.report.findings = findings;
    crate::report::lines(&mut analysis.report);
    Ok((proposals, analysis.report))
}

/// A report with what it was made from.
#[derive(Debug, Clone)]
pub(super) struct Analysis {
    pub report: Report,
    /// What the configuration would do, where the rules in force are given beside it.
    pub intended: Option<Report>,
    pub failures: Vec<Failure>,
    pub reached: Vec<Reached>,
    pub misled: Vec<Misled>,
    pub strayed: Vec<Strayed>,
    pub site: Site,
    pub manifest: Manifest,
    pub instances: Vec<Instance>,
    /// What is missing, once it was looked for.
    pub gaps: OnceCell<Vec<Gap>>,
    /// What was read last of the sites of this run.
    pub read: Rc<LastRead>,
}

/// The network of a site, which is to be judged next.
///
/// # Errors
/// Input from which none follows.
pub(super) fn network(
    snapshot: &Snapshot,
    intended: bool,
    budget: &Budget,
    read: &Rc<LastRead>,
) -> Result<Site, InputError> {
    let manifest = parse(snapshot.manifest())?;
    let instances = manifest.deploys.iter().map(instance).collect::<Result<Vec<_>, _>>()?;
    let parts = Parts::read(snapshot, &manifest, &instances)?;
    let site = site::build(snapshot, &manifest, &parts, (Case::OnGateway, intended), budget);
    read.keep(snapshot, parts);
    site
}

/// Judges a site, without looking for causes. `intended`: by what configurations ask for, not by the rules in force.
///
/// # Errors
/// Input from which no answer follows.
pub(super) fn run(
    snapshot: &Snapshot,
    intended: bool,
    budget: &Budget,
    read: &Rc<LastRead>,
) -> Result<Analysis, InputError> {
    let manifest = parse(snapshot.manifest())?;
    let instances = manifest.deploys.iter().map(instance).collect::<Result<Vec<_>, _>>()?;
    overlap::check(&instances)?;
    let parts = match read.take(snapshot) {
        Some(parts) => parts,
        None => Parts::read(snapshot, &manifest, &instances)?,
    };
    let judged = |case, intended| -> Result<Analysis, InputError> {
        let site = site::build(snapshot, &manifest, &parts, (case, intended), budget)?;
        #[cfg(test)]
        let site = super::codes::of_site(site);
        check_clients(&instances, &site)?;
        check_modes(&instances)?;
        check_peers(&manifest, &instances)?;
        let judge = Judge::new(snapshot, &manifest, &instances, &site);
        let report = judge.report();
        let (mut failures, reached) = (judge.failures.into_inner(), judge.reached.into_inner());
        let (misled, strayed) = (judge.misled.into_inner(), judge.strayed.into_inner());
        let report = super::later::apply(snapshot, &manifest, report, &mut failures);
        #[cfg(test)]
        let report = super::codes::of_report(report);
        other_ways(&report, &mut failures);
        let (manifest, instances) = (manifest.clone(), instances.clone());
        let (gaps, read) = (OnceCell::new(), Rc::clone(read));
        let intended = None;
        Ok(Analysis { report, intended, failures, reached, misled, strayed, site, manifest, instances, gaps, read })
    };
    let mut analysis = judged(Case::OnGateway, intended)?;
    if parts.has_both() && !intended {
        analysis.intended = Some(judged(Case::OnGateway, true)?.report);
    }
    if !parts.outer_address_unknown(&manifest) {
        return Ok(analysis);
    }
    let other = judged(Case::BoxInFront, intended)?;
    analysis.report = either(analysis.report, &other.report, (parts.outer_name(), parts.outer_address_shown()));
    let same = |a: &Reached, b: &Reached| {
        (a.instance, a.proto, a.family, &a.inside, &a.outside) == (b.instance, b.proto, b.family, &b.inside, &b.outside)
    };
    for r in &mut analysis.reached {
        r.unknown |= !other.reached.iter().any(|o| same(o, r) && !o.unknown);
    }
    // Only what fails in both cases has a cause that is certain.
    let verdict = |id: &str| analysis.report.paths.iter().find(|p| p.id == id).map(|p| p.verdict);
    let certain: Vec<Failure> =
        analysis.failures.iter().filter(|f| verdict(&f.path) != Some(Verdict::Unknown)).cloned().collect();
    analysis.failures = certain;
    Ok(analysis)
}

/// Notes for each failure whether the same part of the call gets through in another way.
fn other_ways(report: &Report, failures: &mut [Failure]) {
    for failure in failures {
        let path = report.paths.iter().find(|p| p.id == failure.path);
        let leg =
            path.and_then(|p| p.legs.iter().find(|l| l.any_of.iter().any(|a| a.requirement == failure.requirement.id)));
        failure.other_way = leg.is_some_and(|l| l.any_of.iter().any(|a| a.reach == Reach::Open));
    }
}

impl Analysis {
    /// One packet of a failure in words, and what they tell. Callers who get through by hole punching have nothing to tell:
    /// others at their place do.
    pub fn story_of(&self, failure: &Failure) -> (String, Option<Reason>) {
        let own = || self.report.paths.iter().filter(|p| p.id == failure.path);
        let alike =
            |p: &&Path| own().any(|o| (&o.instance, &o.vantage, o.family) == (&p.instance, &p.vantage, p.family));
        let alternatives =
            own().chain(self.report.paths.iter().filter(alike)).flat_map(|p| &p.legs).flat_map(|l| &l.any_of);
        let ports = port_ranges(&failure.region.part(Part::DstPort));
        let here = alternatives.filter(|a| a.requirement == failure.requirement.id).flat_map(|a| &a.pieces);
        let mut pieces = here.filter(|p| p.reach != Reach::Open && p.ports() == ports);
        let told = |p: &Piece| {
            let stop = p.stop.as_ref().filter(|_| p.reach != Reach::Unknown && p.reach != Reach::Chance);
            let stop = stop.map(|s| (s.what.clone(), p.reason()));
            let doubt = || p.doubts.first().filter(|_| p.reach == Reach::Unknown);
            stop.or_else(|| doubt().map(|d| (d.what.clone(), p.reason())))
        };
        pieces.find_map(told).unwrap_or_default()
    }

    /// The other rules that end a failure's packets, by file and line.
    pub fn others_of(&self, failure: &Failure) -> String {
        let own = self.report.paths.iter().filter(|p| p.id == failure.path).flat_map(|p| &p.legs);
        let here = own.flat_map(|l| &l.any_of).filter(|a| a.requirement == failure.requirement.id);
        let ports = port_ranges(&failure.region.part(Part::DstPort));
        let mut pieces = here.flat_map(|a| &a.pieces).filter(|p| p.reach != Reach::Open && p.ports() == ports);
        // Of several that differ by their senders, none is picked.
        let (Some(piece), None) = (pieces.next(), pieces.next()) else { return String::new() };
        let rules = piece.stop.as_ref().map_or(&[][..], |s| &s.others);
        let shown = rules.iter().filter_map(|r| r.first(MOST_LINES));
        shown.collect::<Vec<_>>().join("; ")
    }

    /// The outermost gateway's address, when it is one that providers share between customers (RFC 6598).
    pub fn shared_outer_address(&self) -> Option<(usize, IpAddr)> {
        let (device, outer) = self.site.outermost?;
        let addresses = &self.site.network.devices[device].interfaces[outer].addresses;
        addresses.iter().map(ipnet::IpNet::addr).find(|a| is_shared(*a)).map(|a| (device, a))
    }
}

/// Two reports for one site of which a fact is not known: where they differ, it is unknown.
fn either(mut report: Report, other: &Report, (gateway, shown): (&str, &str)) -> Report {
    let doubt = || {
        DoubtLine::of_site(
            format!(
                "which address the outer interface of {gateway} has: if it is not the public one, another router is in front"
            ),
            format!(
                "add `wan = \"<address>\"` to its [[gateway]] table ({shown}), or what `ip -j addr` prints to `config`"
            ),
        )
    };
    for path in &mut report.paths {
        let Some(twin) = other.paths.iter().find(|p| p.id == path.id) else { continue };
        for (leg, twin) in path.legs.iter_mut().zip(&twin.legs) {
            for (a, b) in leg.any_of.iter_mut().zip(&twin.any_of) {
                if a.reach != b.reach {
                    a.doubt(vec![doubt()]);
                }
            }
            if leg.verdict != twin.verdict {
                leg.verdict = Verdict::Unknown;
            }
            if leg.how != twin.how || leg.verdict == Verdict::Unknown {
                leg.how = None;
            }
        }
        if path.verdict != twin.verdict {
            path.verdict = Verdict::Unknown;
            path.note = String::new();
        }
    }
    // What is reached in one case only may be reached.
    let same = |a: &Exposure, b: &Exposure| {
        (&a.instance, &a.socket, &a.outside, a.family) == (&b.instance, &b.socket, &b.outside, b.family)
    };
    let may = |e: &Exposure| {
        let mut doubts = e.doubts.clone();
        doubts.push(doubt());
        Exposure { unknown: true, doubts, ..e.clone() }
    };
    for e in &mut report.exposures {
        if !other.exposures.iter().any(|o| same(o, e) && !o.unknown) {
            *e = may(e);
        }
    }
    let more = other.exposures.iter().filter(|o| !report.exposures.iter().any(|e| same(e, o)));
    let more: Vec<Exposure> = more.map(may).collect();
    report.exposures.extend(more);
    let led = |a: &Elsewhere, b: &Elsewhere| Elsewhere { unknown: b.unknown, ..a.clone() } == *b;
    for e in &mut report.elsewhere {
        e.unknown |= !other.elsewhere.iter().any(|o| led(o, e) && !o.unknown);
    }
    let more = other.elsewhere.iter().filter(|o| !report.elsewhere.iter().any(|e| led(e, o)));
    let more: Vec<Elsewhere> = more.map(|o| Elsewhere { unknown: true, ..o.clone() }).collect();
    report.elsewhere.extend(more);
    report.closed.retain(|c| other.closed.contains(c));
    report.searched.retain(|s| other.searched.contains(s));
    finish(report)
}

/// `clients` may only name places that exist.
fn check_clients(instances: &[Instance], site: &Site) -> Result<(), InputError> {
    for (n, instance) in instances.iter().enumerate() {
        let places: Vec<Place> = site.vantages_of(site.server_of[n]).into_iter().map(|v| v.place).collect();
        for client in instance.deploy.clients.iter().flatten() {
            if client.value == Place::Own || places.contains(&client.value) {
                continue;
            }
            let known: Vec<String> = places.iter().chain([&Place::Own]).map(ToString::to_string).collect();
            let help =
                crate::manifest::known_names(&client.value.to_string(), "places", known.iter().map(String::as_str));
            return Err(client.error(format!("there is no place `{}` here", client.value)).help(help));
        }
    }
    Ok(())
}

/// `uses` may only name rows of what is installed.
fn check_peers(manifest: &Manifest, instances: &[Instance]) -> Result<(), InputError> {
    let rows = || {
        instances.iter().flat_map(|i| &i.requirements).filter(|r| r.to == Party::Server && r.level != Level::Forbidden)
    };
    for used in manifest.peers.iter().flat_map(|p| &p.uses) {
        if rows().any(|r| r.id == used.value) {
            continue;
        }
        let mut known: Vec<&str> = rows().map(|r| &*r.id).collect();
        known.dedup();
        let help = crate::manifest::known_names(&used.value, "rows", known);
        return Err(used.error(format!("nothing that is installed has a row `{}`", used.value)).help(help));
    }
    Ok(())
}

/// A mode in which the server holds the public address asks for a server that does.
fn check_modes(instances: &[Instance]) -> Result<(), InputError> {
    for instance in instances.iter().filter(|i| i.mode().is_some_and(|m| m.holds_address.is_some())) {
        let Some(mode) = &instance.deploy.mode else { continue };
        let Some(host) = instance.deploy.host.iter().find(|h| !is_public(h.value)) else { continue };
        let other = instance.profile.mode.iter().find(|m| m.holds_address.is_none());
        let other = other.map_or_else(String::new, |m| format!("; behind a router it is `mode = \"{}\"`", m.name));
        return Err(mode
            .error(format!(
                "mode `{}` means that the server holds the public address, and {} is private",
                mode.value, host.value
            ))
            .help(format!("write the public address as `host`{other}")));
    }
    Ok(())
}

pub(super) struct Judge<'a> {
    pub snapshot: &'a Snapshot,
    pub places: Places<'a>,
    pub manifest: &'a Manifest,
    pub instances: &'a [Instance],
    pub site: &'a Site,
    /// What does not get through, as it is found.
    pub failures: RefCell<Vec<Failure>>,
    /// What the internet reaches, as it is found.
    pub reached: RefCell<Vec<Reached>>,
    /// Ports outside that lead to hosts that the manifest does not describe.
    pub led: RefCell<Vec<(Proto, Set)>>,
    /// Who is told an address that leads nowhere, as it is found.
    pub misled: RefCell<Vec<Misled>>,
    /// Who is told an address that the server learned outside, and by which media does not come, as it is found.
    pub strayed: RefCell<Vec<Strayed>>,
    /// What a STUN server sees of the servers, by instance and family, as it is asked.
    pub seen: RefCell<Vec<(usize, Family, Seen)>>,
}

/// Packets of a call that do not get through, or perhaps not.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// Path of the report.
    pub path: String,
    /// Number of the instance.
    pub instance: usize,
    /// What is asked.
    pub requirement: Requirement,
    /// From where.
    pub place: Place,
    /// The server answers only on the port that was asked.
    pub same_port: bool,
    /// Device that should be reached.
    pub goal: usize,
    /// Family.
    pub family: Family,
    /// The packets.
    pub region: Region,
    /// A round trip that shows it.
    pub trip: RoundTrip,
    /// Another alternative of the same part of the call gets through.
    pub other_way: bool,
    /// What to set so that these callers need no way by the outer address.
    pub not_local: Option<String>,
}

/// Callers who are told an address for media that leads nowhere from where they are.
#[derive(Debug, Clone)]
pub(super) struct Misled {
    /// Number of the instance.
    pub instance: usize,
    /// From where they call.
    pub place: Place,
    /// What they are told.
    pub told: Vec<IpAddr>,
    /// Path of the report.
    pub path: String,
}

/// Callers who are told an address for media that the server learned outside, and by which media does not come.
#[derive(Debug, Clone)]
pub(super) struct Strayed {
    /// The server, and both addresses.
    pub stray: Stray,
    /// Protocol and ports of the media.
    pub ports: PortSet,
    /// From where they call.
    pub place: Place,
    /// Path of the report.
    pub path: String,
}

/// Ports of a server that the internet reaches, though no call needs them.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    /// Number of the instance.
    pub instance: usize,
    /// Protocol.
    pub proto: Proto,
    /// Family.
    pub family: Family,
    /// Ports on the server.
    pub inside: Set,
    /// Ports outside.
    pub outside: Set,
    /// Why they must not be reached, if so.
    pub forbidden: Option<String>,
    /// Address of the container where they arrive, if it is one.
    pub at: Option<IpAddr>,
    /// The administrator needs them.
    pub admins: bool,
    /// Perhaps.
    pub unknown: bool,
    /// A way of one such packet.
    pub trip: RoundTrip,
}

impl<'a> Judge<'a> {
    /// Nothing is judged yet.
    pub fn new(snapshot: &'a Snapshot, manifest: &'a Manifest, instances: &'a [Instance], site: &'a Site) -> Self {
        Self {
            snapshot,
            places: Places::of(snapshot),
            manifest,
            instances,
            site,
            failures: RefCell::default(),
            reached: RefCell::default(),
            led: RefCell::default(),
            misled: RefCell::default(),
            strayed: RefCell::default(),
            seen: RefCell::default(),
        }
    }
}

impl Judge<'_> {
    fn report(&self) -> Report {
        let mut paths = Vec::new();
        let mut exposures = Vec::new();
        let mut elsewhere = Vec::new();
        let mut searched = Vec::new();
        let mut assumptions = self.site.assumptions.clone();
        let mut not_judged = BTreeSet::new();
        for (n, instance) in self.instances.iter().enumerate() {
            self.caller_paths(n, instance, &mut paths);
            self.outbound_path(n, instance, &mut paths, &mut not_judged);
            self.admin_paths(n, instance, &mut paths, &mut not_judged);
            self.peer_paths(n, instance, &mut paths, &mut not_judged);
            self.exposures(n, instance, &mut exposures, &mut elsewhere);
            self.searched(instance, &mut searched);
            self.notes(n, instance, &mut assumptions, &mut not_judged);
        }
        // What holds for several products is said once.
        let mut said = BTreeSet::new();
        assumptions.retain(|line| said.insert(line.clone()));
        let report = Report {
            schema: SCHEMA,
            tool: Tool { name: "callpath", version: env!("CARGO_PKG_VERSION") },
            verdict: Verdict::Works,
            headline: String::new(),
            instances: self.instances.iter().enumerate().map(|(n, i)| self.line(n, i)).collect(),
            facts: self.facts(),
            paths,
            closed: self.closed(&searched),
            exposures,
            elsewhere,
            searched,
            findings: Vec::new(),
            assumptions,
            not_judged: not_judged.into_iter().collect(),
            left_out: self.left_out(),
            unread: self.unread(),
            rulesets: self.rulesets(),
        };
        finish(report)
    }

    /// What must stay closed and cannot be reached from the internet, whatever is not known, by any address that is.
    fn closed(&self, searched: &[Searched]) -> Vec<Closed> {
        let mut out = Vec::new();
        let (reached, led) = (self.reached.borrow(), self.led.borrow());
        for (n, instance) in self.instances.iter().enumerate() {
            let host = |s: &Searched| instance.deploy.host.iter().any(|h| h.value.to_string() == s.host);
            if !searched.iter().any(host) {
                continue;
            }
            for r in instance.requirements.iter().filter(|r| r.level == Level::Forbidden) {
                let ports = port_set(&r.ports);
                let open = reached.iter().any(|e| {
                    e.instance == n
                        && e.proto == r.proto
                        && (e.inside.intersects(&ports) || e.at.is_some() && e.outside.intersects(&ports))
                });
                // Whether it is this service that another host serves, no input tells.
                let led = led.iter().any(|(proto, led)| *proto == r.proto && led.intersects(&ports));
                let ports = PortSet { proto: r.proto, ports: r.ports.clone() };
                let line = Closed { ports, purpose: r.purpose.clone() };
                if !open && !led && !out.contains(&line) {
                    out.push(line);
                }
            }
        }
        out
    }

    /// The address that callers of a family use: the public one, or the server's own public IPv6 address.
    pub(super) fn told(&self, instance: &Instance, family: Family) -> Option<IpAddr> {
        let own = instance.deploy.address.iter().map(|a| a.value).find(|a| Family::of(*a) == family);
        if own.is_some() && instance.deploy.host.iter().any(|h| Family::of(h.value) == family) {
            return own;
        }
        match family {
            Family::V4 => self.site.public.filter(|_| instance.deploy.host.iter().any(|h| h.value.is_ipv4())),
            Family::V6 => {
                let stated = self.manifest.address.iter().map(|a| a.value).find(IpAddr::is_ipv6);
                let own = instance.deploy.host.iter().map(|h| h.value).find(|a| a.is_ipv6() && is_public(*a));
                stated.filter(|_| instance.deploy.host.iter().any(|h| h.value.is_ipv6())).or(own)
            }
        }
    }

    pub(super) fn line(&self, n: usize, instance: &Instance) -> InstanceLine {
        let told = [Family::V4, Family::V6].into_iter().filter_map(|f| self.told(instance, f));
        InstanceLine {
            label: instance.label().to_owned(),
            system: instance.profile.title.clone(),
            host: instance.deploy.host.iter().map(|h| h.value.to_string()).collect(),
            device: self.site.network.devices[self.site.server_of[n]].name.to_string(),
            name: self.manifest.name.as_ref().map(|n| n.value.clone()),
            told: told.map(|a| a.to_string()).collect(),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let stated = self.manifest.address.iter().map(|a| Fact {
            name: "public address".into(),
            value: a.value.to_string(),
            from: super::gateway::at_line(self.snapshot, a),
        });
        stated.collect()
    }
}

/// The first few ranges of addresses, as text.
pub(super) fn show_addresses(set: &Set, family: Family) -> String {
    let show = |(lo, hi): &(u128, u128)| {
        let (a, b) = (family.address(*lo), family.address(*hi));
        if lo == hi { a.to_string() } else { format!("{a}-{b}") }
    };
    let ranges = set.ranges();
    let mut text = ranges.iter().take(2).map(show).collect::<Vec<_>>().join(", ");
    if ranges.len() > 2 {
        let _ = write!(text, " and {} more ranges", ranges.len() - 2);
    }
    text
}
