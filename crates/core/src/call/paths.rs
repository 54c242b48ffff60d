//! The ways of a call: who opens what, from where, and what becomes of it.

use super::address::prefix_set;
use super::analyze::{CLIENT_PORTS, Failure, Judge, family_name, show_addresses, show_set};
use super::judge;
use super::reach::{Certainty, Goal, Region, ending, regions};
use super::site::Vantage;
use super::story::Story;
use crate::cube::{Cube, Set};
use crate::manifest::{Place, Proto};
use crate::model::{Family, Part, address_value};
use crate::profile::Instance;
use crate::report::{Alternative, Leg, Path, Piece, Reach};
use crate::requirement::{Level, Party, Requirement};
use crate::trace::{Answer, Question, ask};
use std::collections::BTreeSet;
use std::net::IpAddr;

impl Judge<'_> {
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

    pub(super) fn caller_paths(&self, n: usize, instance: &Instance, paths: &mut Vec<Path>) {
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
                            self.alternative(n, r, &vantage, vantage.sources(family), to, family, goal, "caller")
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

    /// The router on which programs relay connections.
    pub(super) fn relay(&self) -> Option<usize> {
        self.site.network.devices.iter().position(|d| d.forwards && !d.endpoints.is_empty())
    }

    fn goal(&self, n: usize, r: &Requirement) -> Goal {
        // A reverse proxy may listen on any port inside; media clients are told the server's own ports.
        let media = r.leg == "media" || r.leg == "relay";
        Goal { device: self.site.server_of[n], listening: true, same_port: media || !r.shared, relay: self.relay() }
    }

    pub(super) fn outbound_path(&self, n: usize, instance: &Instance, paths: &mut Vec<Path>) {
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
            let goal = Goal { device: self.site.internet, listening: false, same_port: true, relay: self.relay() };
            let asked: Vec<Alternative> = rows
                .iter()
                .map(|r| self.alternative(n, r, &vantage, &own, everybody.clone(), Family::V4, goal, "server"))
                .collect();
            let levels: Vec<(Level, &Alternative)> = rows.iter().map(|r| r.level).zip(&asked).collect();
            let (verdict, note) = judge::leg(&levels);
            notes.push(note);
            legs.push(Leg { kind, to: "the internet".into(), verdict, any_of: asked });
        }
        paths.push(path(instance, "server", vantage.name.clone(), Family::V4, legs, &notes));
    }

    pub(super) fn admin_paths(
        &self,
        n: usize,
        instance: &Instance,
        paths: &mut Vec<Path>,
        not_judged: &mut BTreeSet<String>,
    ) {
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
                        .map(|r| self.alternative(n, r, &vantage, &from, to.clone(), family, self.goal(n, r), "admin"))
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
        n: usize,
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
        let place = if opener == "caller" { vantage.place.to_string() } else { opener.to_owned() };
        if r.level_at(&place) != Level::Optional {
            let v6 = if family == Family::V6 { "/v6" } else { "" };
            let path = format!("{}/{place}{v6}", self.instances[n].label());
            for region in found.iter().filter(|region| region.certainty != Certainty::Open) {
                self.failures.borrow_mut().push(Failure {
                    path: path.clone(),
                    instance: n,
                    requirement: r.clone(),
                    place: vantage.place.clone(),
                    same_port: goal.same_port,
                    goal: goal.device,
                    family,
                    region: region.clone(),
                    trip: answer.trips[region.trip].clone(),
                    other_way: false,
                });
            }
        }
        let reach = judge::reach(&pieces.iter().map(|p| p.reach).collect::<Vec<_>>());
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

    pub(super) fn story<'s>(&'s self, family: Family, senders: &'s Set) -> Story<'s> {
        Story {
            snapshot: self.snapshot,
            network: &self.site.network,
            family,
            senders,
            sender: "caller",
            addressee: "anybody",
        }
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
