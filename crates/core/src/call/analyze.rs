//! The whole analysis: from texts to a report.

use super::address::{is_public, prefix_set};
use super::judge;
use super::reach::{Certainty, Ending, Goal, Region, ending, exposed, regions};
use super::site::{self, Case, Parts, Site, Vantage};
use super::story::{Story, origin};
use crate::cube::{Cube, Set};
use crate::manifest::{Manifest, Place, Proto, parse, show_ports};
use crate::model::{Family, Part, address_value};
use crate::profile::{Instance, instance};
use crate::report::{
    Alternative, DoubtLine, Exposure, Fact, InstanceLine, Leg, Path, Piece, Reach, Report, Ruleset, SCHEMA, Tool,
    Unread, Verdict,
};
use crate::requirement::{Level, Party, Requirement};
use crate::snapshot::{InputError, Snapshot};
use crate::trace::{Answer, Question, Val, ask, ask_requests};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Ports that callers send from.
const CLIENT_PORTS: (u128, u128) = (1024, 65535);

/// Judges a site.
///
/// # Errors
/// Input from which no answer follows.
pub fn analyze(snapshot: &Snapshot) -> Result<Report, InputError> {
    let manifest = parse(snapshot.manifest())?;
    let instances = manifest.deploys.iter().map(instance).collect::<Result<Vec<_>, _>>()?;
    let parts = Parts::read(snapshot, &manifest, &instances)?;
    let judged = |case| -> Result<Report, InputError> {
        let site = site::build(snapshot, &manifest, &parts, case)?;
        check_clients(&manifest, &instances, &site)?;
        Ok(Judge { snapshot, manifest: &manifest, instances: &instances, site: &site }.report())
    };
    let report = judged(Case::OnGateway)?;
    if !parts.outer_address_unknown(&manifest) {
        return Ok(report);
    }
    let other = judged(Case::BoxInFront)?;
    Ok(either(report, &other, parts.outer_name()))
}

/// Two reports for one site of which a fact is not known: where they differ, it is unknown.
fn either(mut report: Report, other: &Report, gateway: &str) -> Report {
    let doubt = || DoubtLine {
        what: format!(
            "which address the outer interface of {gateway} has: if it is not the public one, another router is in front"
        ),
        supply: "add `wan = \"<address>\"` to its [[gateway]] table, or what `ip -j addr` prints to `config`".into(),
        origin: None,
    };
    for path in &mut report.paths {
        let Some(twin) = other.paths.iter().find(|p| p.id == path.id) else { continue };
        for (leg, twin) in path.legs.iter_mut().zip(&twin.legs) {
            for (a, b) in leg.any_of.iter_mut().zip(&twin.any_of) {
                if a.reach != b.reach {
                    let ports = a.what.split(' ').nth(1).unwrap_or_default().to_owned();
                    a.pieces = vec![Piece {
                        ports,
                        from: String::new(),
                        reach: Reach::Unknown,
                        ends_at: String::new(),
                        stop: None,
                        doubts: vec![doubt()],
                        steps: Vec::new(),
                    }];
                    a.reach = Reach::Unknown;
                    a.share = String::new();
                }
            }
            if leg.verdict != twin.verdict {
                leg.verdict = Verdict::Unknown;
            }
        }
        if path.verdict != twin.verdict {
            path.verdict = Verdict::Unknown;
            path.note = String::new();
        }
    }
    finish(report)
}

/// `clients` may only name places that exist.
fn check_clients(manifest: &Manifest, instances: &[Instance], site: &Site) -> Result<(), InputError> {
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
    debug_assert_eq!(manifest.deploys.len(), instances.len());
    Ok(())
}

struct Judge<'a> {
    snapshot: &'a Snapshot,
    manifest: &'a Manifest,
    instances: &'a [Instance],
    site: &'a Site,
}

impl Judge<'_> {
    fn report(&self) -> Report {
        let mut paths = Vec::new();
        let mut exposures = Vec::new();
        let mut assumptions = self.site.assumptions.clone();
        let mut not_judged = BTreeSet::new();
        for (n, instance) in self.instances.iter().enumerate() {
            self.caller_paths(n, instance, &mut paths);
            self.outbound_path(n, instance, &mut paths);
            self.admin_paths(n, instance, &mut paths, &mut not_judged);
            self.exposures(n, instance, &mut exposures);
            self.notes(n, instance, &mut assumptions, &mut not_judged);
        }
        let report = Report {
            schema: SCHEMA,
            tool: Tool { name: "callpath", version: env!("CARGO_PKG_VERSION") },
            taken_at: None,
            verdict: Verdict::Works,
            headline: String::new(),
            instances: self.instances.iter().map(|i| self.line(i)).collect(),
            facts: self.facts(),
            paths,
            exposures,
            findings: Vec::new(),
            assumptions,
            not_judged: not_judged.into_iter().collect(),
            unread: self.unread(),
            rulesets: self.rulesets(),
        };
        finish(report)
    }

    /// The address that callers of a family use: the public one, or the server's own public IPv6 address.
    fn told(&self, instance: &Instance, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.site.public.filter(|_| instance.deploy.host.iter().any(|h| h.value.is_ipv4())),
            Family::V6 => {
                let stated = self.manifest.address.iter().map(|a| a.value).find(IpAddr::is_ipv6);
                let own = instance.deploy.host.iter().map(|h| h.value).find(|a| a.is_ipv6() && is_public(*a));
                stated.filter(|_| instance.deploy.host.iter().any(|h| h.value.is_ipv6())).or(own)
            }
        }
    }

    fn line(&self, instance: &Instance) -> InstanceLine {
        let told = [Family::V4, Family::V6].into_iter().filter_map(|f| self.told(instance, f));
        InstanceLine {
            label: instance.label().to_owned(),
            system: instance.profile.title.clone(),
            host: instance.deploy.host.iter().map(|h| h.value.to_string()).collect(),
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

    fn vantages(&self, n: usize, instance: &Instance) -> Vec<Vantage> {
        let server = self.site.server_of[n];
        let mut all = self.site.vantages_of(server);
        let own = |family| instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family);
        let set = |ip: Option<IpAddr>| ip.map_or_else(Set::empty, |a| Set::one(address_value(a)));
        let template = all[0].clone();
        all.push(Vantage {
            place: Place::Own,
            name: "the server itself, by its name".into(),
            device: server,
            v4: set(own(Family::V4)),
            v6: set(own(Family::V6)),
            ..template
        });
        all.retain(|v| {
            let clients = &instance.deploy.clients;
            clients.as_ref().is_none_or(|list| list.iter().any(|c| c.value == v.place))
        });
        all
    }

    fn caller_paths(&self, n: usize, instance: &Instance, paths: &mut Vec<Path>) {
        let wanted =
            |r: &&Requirement| r.from == Party::Callers && r.to == Party::Server && r.level != Level::Forbidden;
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).collect();
        for family in [Family::V4, Family::V6] {
            let Some(told) = self.told(instance, family) else { continue };
            for vantage in self.vantages(n, instance) {
                if vantage.sources(family).is_empty()
                    || family == Family::V6 && vantage.place == Place::Internet && self.site.no_v6.is_some()
                {
                    continue;
                }
                let place = vantage.place.to_string();
                let mut legs = Vec::new();
                let mut notes = Vec::new();
                for (kind, rows) in grouped(&rows, &place) {
                    let asked: Vec<Alternative> = rows
                        .iter()
                        .map(|r| {
                            let goal = self.goal(n, r);
                            let to = Set::one(address_value(told));
                            self.alternative(r, &vantage, vantage.sources(family), to, family, goal, "caller")
                        })
                        .collect();
                    let levels: Vec<(Level, &Alternative)> =
                        rows.iter().map(|r| r.level_at(&place)).zip(&asked).collect();
                    let (verdict, note) = judge::leg(&levels);
                    notes.push(note);
                    legs.push(Leg { kind, to: self.leg_to(&rows[0].leg, told), verdict, any_of: asked });
                }
                paths.push(path(instance, &place, vantage.name.clone(), family, legs, &notes));
            }
        }
    }

    /// Signalling goes to the site's name, media to the address that clients are told.
    fn leg_to(&self, leg: &str, told: IpAddr) -> String {
        match &self.manifest.name {
            Some(name) if leg != "media" && leg != "relay" => name.value.clone(),
            _ => told.to_string(),
        }
    }

    fn goal(&self, n: usize, r: &Requirement) -> Goal {
        // A reverse proxy may listen on any port inside; media clients are told the server's own ports.
        Goal { device: self.site.server_of[n], listening: true, same_port: !r.shared }
    }

    fn outbound_path(&self, n: usize, instance: &Instance, paths: &mut Vec<Path>) {
        let wanted = |r: &&Requirement| r.from == Party::Server && r.to == Party::Internet;
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).collect();
        let Some(host) = instance.deploy.host.iter().map(|h| h.value).find(IpAddr::is_ipv4) else { return };
        if rows.is_empty() || self.site.public.is_none() {
            return;
        }
        let vantages = self.site.vantages_of(self.site.server_of[n]);
        let everybody = vantages[0].v4.clone();
        let own = Set::one(address_value(host));
        let vantage = Vantage {
            place: Place::Own,
            name: "the server, outwards".into(),
            device: self.site.server_of[n],
            ..vantages[0].clone()
        };
        let mut legs = Vec::new();
        let mut notes = Vec::new();
        for (kind, rows) in grouped(&rows, "server") {
            let goal = Goal { device: self.site.internet, listening: false, same_port: true };
            let asked: Vec<Alternative> = rows
                .iter()
                .map(|r| self.alternative(r, &vantage, &own, everybody.clone(), Family::V4, goal, "server"))
                .collect();
            let levels: Vec<(Level, &Alternative)> = rows.iter().map(|r| r.level).zip(&asked).collect();
            let (verdict, note) = judge::leg(&levels);
            notes.push(note);
            legs.push(Leg { kind, to: "the internet".into(), verdict, any_of: asked });
        }
        paths.push(path(instance, "server", vantage.name.clone(), Family::V4, legs, &notes));
    }

    fn admin_paths(&self, n: usize, instance: &Instance, paths: &mut Vec<Path>, not_judged: &mut BTreeSet<String>) {
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(|r| r.level == Level::Admin).collect();
        if rows.is_empty() {
            return;
        }
        if instance.deploy.admin.is_empty() {
            for r in rows {
                not_judged.insert(format!(
                    "{} ({}) for the administrator: no `admin` address is given",
                    r.purpose,
                    r.what()
                ));
            }
            return;
        }
        for family in [Family::V4, Family::V6] {
            let Some(told) = self.told(instance, family) else { continue };
            let admins = instance.deploy.admin.iter().map(|a| a.value).filter(|a| Family::of(a.addr()) == family);
            for admin in admins {
                let Some(vantage) = self.admin_vantage(n, admin) else {
                    not_judged.insert(format!(
                        "the administrator at {admin}: not an address of the internet or of a known network"
                    ));
                    continue;
                };
                let from = prefix_set(admin);
                let mut legs = Vec::new();
                let mut notes = Vec::new();
                for (kind, rows) in grouped(&rows, "admin") {
                    let to = Set::one(address_value(told));
                    let asked: Vec<Alternative> = rows
                        .iter()
                        .map(|r| self.alternative(r, &vantage, &from, to.clone(), family, self.goal(n, r), "admin"))
                        .collect();
                    let levels: Vec<(Level, &Alternative)> = rows.iter().map(|r| r.level).zip(&asked).collect();
                    let (verdict, note) = judge::leg(&levels);
                    notes.push(note);
                    legs.push(Leg { kind, to: self.leg_to(&rows[0].leg, told), verdict, any_of: asked });
                }
                let who = if admin.prefix_len() == admin.max_prefix_len() {
                    admin.addr().to_string()
                } else {
                    admin.to_string()
                };
                paths.push(path(instance, "admin", format!("the administrator, {who}"), family, legs, &notes));
            }
        }
    }

    fn admin_vantage(&self, n: usize, admin: ipnet::IpNet) -> Option<Vantage> {
        let family = Family::of(admin.addr());
        let inside = self.site.vantages_of(self.site.server_of[n]).into_iter().skip(1);
        let held = |v: &Vantage| prefix_set(admin).is_subset(v.sources(family));
        inside.into_iter().find(held).or_else(|| {
            let owned = self.site.network.devices[self.site.internet].own_addresses(family);
            prefix_set(admin).is_subset(&owned).then(|| self.site.vantages[0].clone())
        })
    }

    #[allow(clippy::too_many_arguments)] // a question has that many sides
    fn alternative(
        &self,
        r: &Requirement,
        vantage: &Vantage,
        from: &Set,
        to: Set,
        family: Family,
        goal: Goal,
        opener: &'static str,
    ) -> Alternative {
        let ports = Set::from_ranges(r.ports.iter().map(|(lo, hi)| (u128::from(*lo), u128::from(*hi))));
        let answer = self.ask(vantage.device, family, from, to, r.proto, ports.clone());
        let found = regions(&answer, &self.site.network, |t| ending(t, goal, vantage.device));
        let story = self.story(family, from);
        let pieces: Vec<Piece> = found.iter().map(|region| piece(&story, &answer, region, from, family)).collect();
        let reach = judge::reach(pieces.iter().map(|p| p.reach));
        let bad = found.iter().filter(|r| r.certainty != Certainty::Open);
        let open = bad.fold(ports.clone(), |left, r| left.minus(&r.part(Part::DstPort)));
        let share = match (reach, open.count(), ports.count()) {
            (Reach::Partly, n, all) if n > 0 && n < all => format!("{n} of {all} ports"),
            _ => String::new(),
        };
        Alternative {
            requirement: r.id.clone(),
            what: r.what(),
            purpose: r.purpose.clone(),
            opener,
            reach,
            share,
            pieces,
        }
    }

    fn ask(&self, device: usize, family: Family, from: &Set, to: Set, proto: Proto, ports: Set) -> Answer {
        let client = Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let parts = [from.clone(), to, client, ports, Set::one(u128::from(proto.number()))];
        let packets = Cube { parts, vars: Vec::new() };
        ask(&self.site.network, &Question { from: device, family, packets })
    }

    fn story<'s>(&'s self, family: Family, senders: &'s Set) -> Story<'s> {
        Story {
            snapshot: self.snapshot,
            network: &self.site.network,
            family,
            senders,
            sender: "caller",
            addressee: "anybody",
        }
    }

    /// What else of the server the internet reaches.
    fn exposures(&self, n: usize, instance: &Instance, out: &mut Vec<Exposure>) {
        let server = self.site.server_of[n];
        let everybody = &self.site.vantages[0];
        for family in [Family::V4, Family::V6] {
            let Some(told) = self.told(instance, family) else { continue };
            if family == Family::V6 && self.site.no_v6.is_some() {
                continue;
            }
            let admins = instance.deploy.admin.iter().filter(|a| Family::of(a.value.addr()) == family);
            let from = admins.fold(everybody.sources(family).clone(), |s, a| s.minus(&prefix_set(a.value)));
            for proto in [Proto::Tcp, Proto::Udp] {
                let parts = [
                    from.clone(),
                    Set::one(address_value(told)),
                    Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1),
                    Set::range(1, 65535),
                    Set::one(u128::from(proto.number())),
                ];
                let packets = Cube { parts, vars: Vec::new() };
                let question = Question { from: self.site.internet, family, packets };
                let answer = ask_requests(&self.site.network, &question);
                self.exposed_by(n, instance, server, &answer, proto, family, &from, out);
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // one answer and what it was about
    fn exposed_by(
        &self,
        n: usize,
        instance: &Instance,
        server: usize,
        answer: &Answer,
        proto: Proto,
        family: Family,
        from: &Set,
        out: &mut Vec<Exposure>,
    ) {
        let story = self.story(family, from);
        // Ports of the host as (inside, outside) sets, by what they are for.
        let found = regions(answer, &self.site.network, |t| {
            if exposed(t, server) {
                Ending::Works
            } else {
                ending(t, Goal { device: server, listening: false, same_port: false }, usize::MAX)
            }
        });
        for region in found.iter().filter(|r| r.certainty != Certainty::Closed) {
            // All trips of the region that arrive, with their own inside ports.
            for trip in answer.trips.iter().filter(|t| exposed(t, server)) {
                let ports = region.cubes.iter().fold(Set::empty(), |all, c| {
                    let meets = c.parts.iter().zip(&trip.asked.parts).all(|(a, b)| a.intersects(b));
                    if meets { all.or(&c.part(Part::DstPort).and(trip.asked.part(Part::DstPort))) } else { all }
                });
                if ports.is_empty() {
                    continue;
                }
                let (inside, shift) = match trip.request.last().header.dport {
                    Val::Part(Part::DstPort, k) => (ports.shifted(k), Some(k)),
                    Val::Const(c) => (Set::one(c), None),
                    Val::Part(..) | Val::Var(_) => (Set::range(1, 65535), None),
                };
                for (socket, forbidden) in self.unwanted(n, instance, proto, &inside) {
                    let outside = match shift {
                        Some(k) => socket.shifted(0u128.wrapping_sub(k)),
                        None => ports.clone(),
                    };
                    let unknown = region.certainty == Certainty::Unknown;
                    let shown = |s: &Set| format!("{} {}", proto.name(), show_set(s));
                    let (steps, _, _) = story.of(answer, region);
                    let line = Exposure {
                        instance: instance.label().to_owned(),
                        socket: shown(&socket),
                        outside: shown(&outside),
                        family: family_name(family),
                        forbidden,
                        unknown,
                        steps,
                    };
                    let same = |e: &Exposure| {
                        e.socket == line.socket
                            && e.outside == line.outside
                            && e.family == line.family
                            && e.instance == line.instance
                    };
                    if !out.iter().any(same) {
                        out.push(line);
                    }
                }
            }
        }
    }

    /// Parts of these ports of a host that nothing on it wants to be reached by: the ports and why they must not be.
    fn unwanted(&self, n: usize, instance: &Instance, proto: Proto, inside: &Set) -> Vec<(Set, Option<String>)> {
        let server = self.site.server_of[n];
        let same_host =
            || self.instances.iter().zip(&self.site.server_of).filter(|(_, s)| **s == server).map(|(i, _)| i);
        let set = |r: &Requirement| Set::from_ranges(r.ports.iter().map(|(lo, hi)| (u128::from(*lo), u128::from(*hi))));
        let here = |r: &&Requirement| r.proto == proto && r.to == Party::Server;
        let wanted = same_host().flat_map(|i| &i.requirements).filter(here);
        let wanted = wanted
            .filter(|r| !matches!(r.level, Level::Forbidden | Level::Admin))
            .fold(Set::empty(), |all, r| all.or(&set(r)));
        let mut rest = inside.minus(&wanted);
        let mut out = Vec::new();
        for r in
            instance.requirements.iter().filter(here).filter(|r| matches!(r.level, Level::Forbidden | Level::Admin))
        {
            let hit = set(r).and(&rest);
            if !hit.is_empty() {
                rest = rest.minus(&hit);
                let why = if r.level == Level::Admin {
                    format!("{}: only for the administrator", r.purpose)
                } else {
                    r.purpose.clone()
                };
                out.push((hit, Some(why)));
            }
        }
        if !rest.is_empty() {
            out.push((rest, None));
        }
        out
    }

    fn notes(&self, n: usize, instance: &Instance, given: &mut Vec<String>, not_judged: &mut BTreeSet<String>) {
        let told = self.line(instance).told.join(" and ");
        let label = instance.label();
        let host = instance.deploy.host.iter().map(|h| h.value.to_string()).collect::<Vec<_>>().join(" and ");
        given.push(format!("{label} tells clients {told}, and listens on {host}"));
        let server = &self.site.network.devices[self.site.server_of[n]];
        if instance.deploy.firewall.is_empty() && server.pipeline.chains.is_empty() {
            let line = format!("{} has no firewall of its own: none is given", server.name);
            if !given.contains(&line) {
                given.push(line);
            }
        }
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
        not_judged.insert("callers' own networks: strict NATs, blocked UDP".into());
        not_judged.insert(format!("whether {} is running and configured as stated", instance.profile.title));
    }

    fn unread(&self) -> Vec<Unread> {
        let mut out = Vec::new();
        for device in &self.site.network.devices {
            for doubt in device.pipeline.doubts.iter().filter(|d| d.unread) {
                out.push(Unread { origin: origin(self.snapshot, device, doubt.origin), why: doubt.what.to_string() });
            }
        }
        out
    }

    fn rulesets(&self) -> Vec<Ruleset> {
        let line = |(id, counts): &(crate::model::SourceId, crate::dialect::nft::lower::Coverage)| Ruleset {
            source: self.snapshot.source(*id).map_or_else(String::new, |s| s.name.clone()),
            statements: counts.statements,
            understood: counts.understood,
            approximated: counts.approximated,
        };
        self.site.rulesets.iter().map(line).collect()
    }
}

fn piece(story: &Story<'_>, answer: &Answer, region: &Region, from: &Set, family: Family) -> Piece {
    let (steps, stop, ends_at) = story.of(answer, region);
    let reach = match region.certainty {
        Certainty::Open => Reach::Open,
        Certainty::Closed => Reach::Closed,
        Certainty::Unknown => Reach::Unknown,
    };
    let sources = region.part(Part::Src);
    Piece {
        ports: show_set(&region.part(Part::DstPort)),
        from: if sources == *from { String::new() } else { show_addresses(&sources, family) },
        reach,
        ends_at,
        stop,
        doubts: story.doubts(region),
        steps,
    }
}

/// Rows by leg, then by group of alternatives, in the profile's order; legs that matter to nobody here are left out.
fn grouped<'r>(rows: &[&'r Requirement], place: &str) -> Vec<(String, Vec<&'r Requirement>)> {
    let mut out: Vec<(String, Option<&str>, Vec<&Requirement>)> = Vec::new();
    for row in rows {
        let group = row.any_of.as_deref();
        match out.iter_mut().find(|(kind, any_of, _)| *kind == row.leg && group.is_some() && *any_of == group) {
            Some((_, _, list)) => list.push(row),
            None => out.push((row.leg.clone(), group, vec![row])),
        }
    }
    out.retain(|(_, _, list)| list.iter().any(|r| r.level_at(place) != Level::Optional));
    out.into_iter().map(|(kind, _, list)| (kind, list)).collect()
}

fn path(instance: &Instance, place: &str, who: String, family: Family, legs: Vec<Leg>, notes: &[String]) -> Path {
    let (verdict, note) = judge::path(place, &legs, notes);
    let v6 = if family == Family::V6 { "/v6" } else { "" };
    Path {
        id: format!("{}/{place}{v6}", instance.label()),
        instance: instance.label().to_owned(),
        vantage: place.to_owned(),
        who,
        family: family_name(family),
        verdict,
        note,
        legs,
    }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

/// Ports of a set, as text.
fn show_set(set: &Set) -> String {
    let port = |v: u128| u16::try_from(v).unwrap_or(u16::MAX);
    let ranges: Vec<(u16, u16)> = set.ranges().iter().map(|(lo, hi)| (port(*lo), port(*hi))).collect();
    show_ports(&ranges)
}

/// The first few ranges of addresses, as text.
fn show_addresses(set: &Set, family: Family) -> String {
    let show = |(lo, hi): &(u128, u128)| {
        let (a, b) = (family.address(*lo), family.address(*hi));
        if lo == hi { a.to_string() } else { format!("{a}-{b}") }
    };
    let ranges = set.ranges();
    let mut text = ranges.iter().take(2).map(show).collect::<Vec<_>>().join(", ");
    if ranges.len() > 2 {
        text += &format!(" and {} more ranges", ranges.len() - 2);
    }
    text
}

/// Whole verdict and headline, from the paths and exposures.
fn finish(mut report: Report) -> Report {
    let forbidden = |unknown: bool| report.exposures.iter().any(|e| e.forbidden.is_some() && e.unknown == unknown);
    let mut worst = report.paths.iter().map(|p| p.verdict).max().unwrap_or(Verdict::Unknown);
    if forbidden(false) {
        worst = Verdict::Fails;
    } else if forbidden(true) {
        worst = worst.max(Verdict::Unknown);
    }
    report.verdict = worst;
    report.headline = headline(&report);
    report
}

fn headline(report: &Report) -> String {
    let many = report.instances.len() > 1;
    let places = |verdict: Verdict| {
        let mut list: Vec<String> = Vec::new();
        for p in report.paths.iter().filter(|p| p.verdict == verdict && p.vantage != "server" && p.vantage != "admin") {
            let place = match &*p.vantage {
                "internet" => "from the internet".to_owned(),
                "lan" => "from your own network".to_owned(),
                "self" => "from the server itself".to_owned(),
                net => format!("from {}", net.trim_start_matches("net:")),
            };
            let family = if p.family == "ipv6" { " by IPv6" } else { "" };
            let what = if many { format!(" to {}", p.instance) } else { String::new() };
            list.push(format!("{place}{family}{what}"));
        }
        // Both families of a place are said once.
        let both = list.clone();
        list.retain(|l| !l.contains(" by IPv6") || !both.contains(&l.replace(" by IPv6", "")));
        list
    };
    let mut parts = Vec::new();
    for (verdict, words) in [
        (Verdict::Fails, "calls fail"),
        (Verdict::Unknown, "it is unknown whether calls work"),
        (Verdict::Degraded, "calls are degraded"),
        (Verdict::Works, if report.verdict == Verdict::Works { "calls work" } else { "they work" }),
    ] {
        let list = places(verdict);
        if !list.is_empty() {
            parts.push(format!("{words} {}", and(&list)));
        }
    }
    for p in report.paths.iter().filter(|p| p.verdict > Verdict::Works) {
        match &*p.vantage {
            "server" => parts.insert(
                0,
                format!(
                    "the server cannot {}",
                    p.legs
                        .iter()
                        .find(|l| l.verdict > Verdict::Works)
                        .map_or("reach the internet", |_| "ask for its public address")
                ),
            ),
            "admin" => parts.push("the administrator cannot get in".into()),
            _ => {}
        }
    }
    for e in report.exposures.iter().filter(|e| e.forbidden.is_some()) {
        let may = if e.unknown { "may reach" } else { "reaches" };
        parts.insert(0, format!("the internet {may} {}", e.socket));
    }
    parts.join("; ")
}

fn and(list: &[String]) -> String {
    match list {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
