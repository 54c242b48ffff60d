//! The ways of a call: who opens what, from where, and what becomes of it.

use super::analyze::{CLIENT_PORTS, Failure, Judge, Misled, Strayed};
use super::judge;
use super::media::Media;
use super::proxy::by_proxy;
use super::reach::{Certainty, Ending, Goal, Host, Region, ending, regions};
use super::replay::{Replay, judged};
use super::site::Vantage;
use super::story::Story;
use super::told::Telling;
use crate::cube::{Cube, Set};
use crate::manifest::{Place, PortRanges, Proto};
use crate::model::{Family, Part, TOLD, address_value};
use crate::profile::Instance;
use crate::report::{Alternative, DoubtLine, How, Leg, Packets, Path, Piece, Reach, Share, Verdict};
use crate::requirement::{Level, Party, Requirement};
use crate::trace::{Answer, Ask, Choice, Detail, Network, Phase, Question, RoundTrip};
use crate::vocabulary::{CallerKind as Kind, LegKind, Opener, PortSet, Undecided, Where, port_ranges, port_set};
use std::collections::BTreeSet;
use std::net::IpAddr;

impl Judge<'_> {
    pub(super) fn vantages(&self, n: usize, instance: &Instance) -> Vec<Vantage> {
        let server = self.site.server_of[n];
        let mut all = self.site.vantages_of(server);
        let own = |family| {
            let host = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family);
            host.map(|h| self.site.source_of(server, h))
        };
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
        let callers = |r: &&Requirement| matches!(r.from, Party::Callers | Party::Phones);
        let wanted = |r: &&Requirement| callers(r) && r.to == Party::Server && r.level != Level::Forbidden;
        // Whichever ports these are: a product that opens them all by itself has them open.
        let known = |r: &&Requirement| !(r.example && instance.opens_itself() && self.manifest.gateways.is_empty());
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).filter(known).collect();
        for family in [Family::V4, Family::V6] {
            let Some(told) = self.told(instance, family) else { continue };
            // Behind a box that is stated for IPv4 alone, the server's IPv6 address is on no network that is known.
            let host = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family);
            let held = self.site.network.devices[self.site.server_of[n]].own_addresses(family);
            if host.is_some_and(|a| !held.contains(address_value(a))) {
                continue;
            }
            let rows = by_proxy(instance, &rows, family);
            let rows: Vec<&Requirement> = rows.iter().collect();
            for vantage in self.vantages(n, instance) {
                if vantage.sources(family).is_empty()
                    || family == Family::V6 && vantage.place == Place::Internet && self.site.no_v6.is_some()
                {
                    continue;
                }
                // Phones in local networks are told the server's own address.
                let beside = matches!(vantage.place, Place::Lan | Place::Own);
                let inside = beside || matches!(vantage.place, Place::Net(_));
                let own = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family);
                let local = inside && instance.is_local(vantage.sources(family), family, beside);
                // Where media goes is a fact of its own.
                let telling = self.tells(n, &vantage.place, family, local);
                if telling == Telling::Nothing {
                    continue;
                }
                let told = (own.filter(|_| local).unwrap_or(told), &telling);
                // What only phones need is asked where phones are: in networks of the site.
                let phones = matches!(vantage.place, Place::Lan | Place::Net(_));
                let rows: Vec<&Requirement> =
                    rows.iter().copied().filter(|r| phones || r.from != Party::Phones).collect();
                for kind in kinds(instance, &vantage, &rows) {
                    paths.push(self.caller_path((n, instance), &vantage, kind, &rows, told));
                }
            }
        }
    }

    fn caller_path(
        &self,
        (n, instance): (usize, &Instance),
        vantage: &Vantage,
        kind: Option<Kind>,
        rows: &[&Requirement],
        (told, telling): (IpAddr, &Telling),
    ) -> Path {
        let place = Where::At(vantage.place.clone());
        let family = Family::of(told);
        let network = kind.and_then(|k| k.network(self.site));
        let caller = Caller {
            n,
            vantage,
            kind,
            network: network.as_ref().unwrap_or(&self.site.network),
            from: vantage.sources(family),
            to: Set::one(address_value(told)),
            family,
            opener: Opener::Caller,
            at: place.clone(),
            which: None,
        };
        let by_tcp = rows.iter().any(|r| r.leg == LegKind::Media && r.proto == Proto::Tcp);
        let mut legs = Vec::new();
        let mut notes = Vec::new();
        for (leg, rows) in grouped(rows, &place) {
            let (rows, not_for_them): (Vec<&Requirement>, Vec<&Requirement>) =
                rows.into_iter().partition(|r| kind != Some(Kind::UdpBlocked) || r.proto != Proto::Udp);
            // Media that has no way by TCP where other media has one: those whose network blocks UDP are without it wherever
            // the product runs. That is said once, and blamed on no site.
            if rows.is_empty() && (leg != LegKind::Media || by_tcp) {
                continue;
            }
            let failures = self.failures.borrow().len();
            let media = leg == LegKind::Media;
            let ask = |r: &&Requirement| {
                if media { self.by_telling(&caller, r, telling) } else { self.alternative(&caller, r, self.goal(n, r)) }
            };
            let asked: Vec<Alternative> = rows.iter().map(ask).collect();
            let to = match telling {
                Telling::These(all) if media => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                _ => self.leg_to(&leg, told),
            };
            let (verdict, note) = if media && kind == Some(Kind::UdpBlocked) {
                // What is a second way for others is the only one for them.
                let levels: Vec<(Level, &Alternative)> = asked.iter().map(|a| (Level::Required, a)).collect();
                (judge::only_way(&levels), judge::by(&levels))
            } else {
                // TCP is for those who have no UDP: they are judged apart.
                let spare = |r: &Requirement| kind.is_some() && media && r.proto == Proto::Tcp;
                let level = |r: &&Requirement| if spare(r) { Level::Optional } else { r.level_at(&place) };
                let levels: Vec<(Level, &Alternative)> = rows.iter().map(level).zip(&asked).collect();
                judge::leg(&levels)
            };
            if kind.is_some() && verdict == Verdict::Works {
                self.failures.borrow_mut().truncate(failures);
            }
            if media && verdict != Verdict::Works {
                self.told_wrongly((n, instance), vantage, kind, telling, failures);
            }
            notes.push(note);
            let how = media.then(|| judge::how(&asked, &place)).flatten();
            let not_for_them = not_for_them.into_iter().map(|r| r.id.clone()).collect();
            legs.push(Leg { kind: leg, to, verdict, how, any_of: asked, not_for_them });
        }
        if kind.is_some() {
            by_relay(&mut legs, &mut notes);
        }
        path(instance, (&place, None, kind), vantage.name.clone(), family, legs, &notes)
    }

    /// Media fails for callers by the address that they are told: no rule of the site is to blame for what leads nowhere,
    /// nor where the forwards are right for the address that is meant, and the server learned another one. `from`: where
    /// their failures begin.
    fn told_wrongly(
        &self,
        (n, instance): (usize, &Instance),
        vantage: &Vantage,
        kind: Option<Kind>,
        telling: &Telling,
        from: usize,
    ) {
        let Telling::These(all) = telling else { return };
        let family = all.first().map_or(Family::V4, |a| Family::of(*a));
        if let Some(stray) = self.learned_another(n, &vantage.place).filter(|_| family == Family::V4) {
            let certain = |f: &mut Failure| f.region.certainty == Certainty::Closed;
            for failure in self.failures.borrow_mut().extract_if(from.., certain) {
                let ports = PortSet { proto: failure.requirement.proto, ports: failure.requirement.ports };
                let strayed = Strayed { stray, ports, place: vantage.place.clone(), path: failure.path };
                self.strayed.borrow_mut().push(strayed);
            }
            return;
        }
        let outside = matches!(vantage.place, Place::Internet | Place::Caller(_));
        if outside && !all.iter().any(|a| self.may_lead_here(*a)) {
            self.failures.borrow_mut().truncate(from);
            let path = path_id(instance, (&Where::At(vantage.place.clone()), None, kind), family);
            let (place, told) = (vantage.place.clone(), all.clone());
            self.misled.borrow_mut().push(Misled { instance: n, place, told, path });
        }
    }

    /// Signalling goes to the site's name, media to the address that clients are told.
    pub(super) fn leg_to(&self, leg: &LegKind, told: IpAddr) -> String {
        match &self.manifest.name {
            Some(name) if !leg.carries_media() => name.value.clone(),
            _ => told.to_string(),
        }
    }

    /// Media goes to what is told: to the best of several addresses.
    pub(super) fn by_telling(&self, caller: &Caller<'_>, r: &Requirement, telling: &Telling) -> Alternative {
        let all = match telling {
            Telling::These(all) if !r.example => &all[..],
            Telling::Unknown(doubt) if !r.example => return unknown(caller, r, r.ports.clone(), doubt.clone()),
            _ => &[],
        };
        let mut best: Option<Alternative> = None;
        for told in all {
            let before = self.failures.borrow().len();
            let there = Caller {
                to: Set::one(address_value(*told)),
                at: caller.at.clone(),
                which: caller.which.clone(),
                ..*caller
            };
            let found = self.alternative(&there, r, self.goal(caller.n, r));
            match &best {
                Some(known) if judge::rank(known.reach) <= judge::rank(found.reach) => {
                    self.failures.borrow_mut().truncate(before);
                }
                _ => best = Some(found),
            }
        }
        best.unwrap_or_else(|| self.not_stated(caller, r))
    }

    /// The router on which programs relay connections.
    pub(super) fn relay(&self) -> Option<usize> {
        self.site.network.devices.iter().position(|d| d.is_router() && !d.endpoints.is_empty())
    }

    pub(super) fn goal(&self, n: usize, r: &Requirement) -> Goal {
        if r.proxied.is_some() {
            return self.proxy_goal(n);
        }
        // A reverse proxy may listen on any port inside; media clients are told the server's own ports.
        let media = r.leg.carries_media();
        let host = self.site.host_of(self.site.server_of[n]);
        Goal {
            host,
            listening: true,
            same_port: media || !r.shared,
            relay: self.relay(),
            no_helper: self.instances[n].profile.helper.is_some(),
            internet: Some(self.site.internet),
        }
    }

    pub(super) fn outbound_path(
        &self,
        n: usize,
        instance: &Instance,
        paths: &mut Vec<Path>,
        not_judged: &mut BTreeSet<String>,
    ) {
        let wanted = |r: &&Requirement| r.from == Party::Server && r.to == Party::Internet;
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).collect();
        if rows.is_empty() {
            return;
        }
        let label = instance.label();
        let host = instance.deploy.host.iter().map(|h| h.value).find(IpAddr::is_ipv4);
        let (Some(host), Some(_)) = (host, self.site.public) else {
            let why = if host.is_none() { "its host has no IPv4 address" } else { "no public IPv4 address is given" };
            for r in rows {
                not_judged.insert(format!(
                    "{} ({}) of {label}, outwards: judged by IPv4 only, and {why}",
                    r.purpose,
                    r.what()
                ));
            }
            return;
        };
        if instance.deploy.host.iter().any(|h| h.value.is_ipv6()) {
            not_judged.insert(format!("{label}'s own way out by IPv6: outwards only IPv4 is judged"));
        }
        let vantages = self.site.vantages_of(self.site.server_of[n]);
        let everybody = vantages[0].v4.clone();
        let own = Set::one(address_value(self.site.source_of(self.site.server_of[n], host)));
        let vantage = Vantage {
            place: Place::Own,
            name: "the server, outwards".into(),
            device: self.site.server_of[n],
            ..vantages[0].clone()
        };
        let caller = Caller {
            n,
            vantage: &vantage,
            kind: None,
            network: &self.site.network,
            from: &own,
            to: everybody,
            family: Family::V4,
            opener: Opener::Server,
            at: Where::Outwards,
            which: None,
        };
        let mut legs = Vec::new();
        let mut notes = Vec::new();
        for (kind, rows) in grouped(&rows, &Where::Outwards) {
            let host = Host::alone(self.site.internet);
            let goal =
                Goal { host, listening: false, same_port: true, relay: self.relay(), no_helper: false, internet: None };
            let asked: Vec<Alternative> = rows.iter().map(|r| self.alternative(&caller, r, goal)).collect();
            let levels: Vec<(Level, &Alternative)> = rows.iter().map(|r| r.level).zip(&asked).collect();
            let (verdict, note) = judge::leg(&levels);
            notes.push(note);
            let to = "the internet".into();
            legs.push(Leg { kind, to, verdict, how: None, any_of: asked, not_for_them: Vec::new() });
        }
        if !legs.is_empty() {
            let outwards = (&Where::Outwards, None, None);
            paths.push(path(instance, outwards, vantage.name.clone(), Family::V4, legs, &notes));
        }
    }

    /// What it asks of ports that every installation has others for, and nobody stated: unknown, and no cause.
    fn not_stated(&self, caller: &Caller<'_>, r: &Requirement) -> Alternative {
        let label = self.instances[caller.n].label();
        let what =
            format!("which {} ports {label} has for \"{}\": every installation has others", r.proto.name(), r.purpose);
        unknown(caller, r, Vec::new(), DoubtLine::of_site(what, r.state_ports()))
    }

    pub(super) fn alternative(&self, caller: &Caller<'_>, r: &Requirement, goal: Goal) -> Alternative {
        if r.example {
            return self.not_stated(caller, r);
        }
        let ports = port_set(&r.ports);
        let question = caller.question(r.proto, ports.clone());
        // Causes are looked for in the site's own network.
        let network = &self.site.network;
        let judge = |t: &RoundTrip| ending(t, goal, caller.vantage.device);
        let (answer, endings) = judged(Ask::new(network, &question, Detail::Ends), Phase::Next, judge);
        let found = regions(&answer, network, &endings);
        let again = |question: &Question, world: &[(Choice, u128)]| {
            judged(Ask { world, ..Ask::new(network, question, Detail::Rules) }, Phase::Next, judge)
        };
        let replay = Replay { from: question.from, family: question.family, again: &again };
        if found.iter().any(|f| f.certainty != Certainty::Open)
            && let Some(doubt) = self.perhaps_elsewhere(caller, r)
        {
            return unknown(caller, r, port_ranges(&ports), doubt);
        }
        // Many rules that each stop a few packets are told apart once, and not again for all that two sides send.
        let detail = if answer.trips.len() > TOLD { Detail::Fate } else { Detail::Ends };
        let by_ice = self.media(caller, r, goal, (&question, detail));
        let (pieces, last) = match &by_ice {
            Some(Media { found, pieces, .. }) => (pieces.clone(), found),
            None => (self.pieces(caller, &answer, &found, &replay), &found),
        };
        if !r.level_at(&caller.at).is_optional() {
            // What ICE finds another way for has not failed.
            let bad = |region: &&Region| {
                region.certainty != Certainty::Open
                    && last.iter().any(|l| {
                        piece_reach(l) != Reach::Open
                            && l.part(Part::DstPort).intersects(&region.part(Part::DstPort))
                            && l.part(Part::Src).intersects(&region.part(Part::Src))
                    })
            };
            for region in found.iter().filter(bad) {
                self.failures.borrow_mut().push(Failure {
                    path: path_id(&self.instances[caller.n], caller.which(), caller.family),
                    instance: caller.n,
                    requirement: r.clone(),
                    place: caller.vantage.place.clone(),
                    same_port: goal.same_port,
                    goal: goal.host.device,
                    family: caller.family,
                    region: region.clone(),
                    trip: region.told(&answer, &replay).clone(),
                    other_way: false,
                    not_local: self.not_local(caller.n, &self.instances[caller.n], caller.vantage),
                });
            }
        }
        let reach = judge::reach(&pieces.iter().map(|p| p.reach).collect::<Vec<_>>());
        let share = share(reach, last, &ports, question.packets.part(Part::SrcPort));
        Alternative {
            requirement: r.id.clone(),
            what: r.what(),
            proto: r.proto,
            ports: r.ports.clone(),
            purpose: r.purpose.clone(),
            opener: match &by_ice {
                Some(Media { answer, found, .. }) if found.iter().any(|r| goal.host.has(opened_by(answer, r))) => {
                    Opener::Server
                }
                _ => caller.opener,
            },
            reach,
            share,
            pieces,
        }
    }

    pub(super) fn pieces(
        &self,
        caller: &Caller<'_>,
        answer: &Answer,
        found: &[Region],
        replay: &Replay<'_>,
    ) -> Vec<Piece> {
        let story = Story { network: caller.network, ..self.story(caller.family, caller.from) };
        let piece = |region: &Region| piece(&story, (answer, region, region.told(answer, replay)), caller);
        found.iter().map(piece).collect()
    }

    pub(super) fn story<'s>(&'s self, family: Family, senders: &'s Set) -> Story<'s> {
        Story { places: &self.places, network: &self.site.network, family, senders }
    }
}

/// Who asks, from where, whom.
pub(super) struct Caller<'a> {
    /// Number of the instance.
    pub n: usize,
    /// Where they are.
    pub vantage: &'a Vantage,
    /// Kind of caller, where that makes a difference.
    pub kind: Option<Kind>,
    /// The network as it is for this kind.
    pub network: &'a Network,
    /// Their addresses.
    pub from: &'a Set,
    /// Whom they ask.
    pub to: Set,
    /// Family.
    pub family: Family,
    /// Who sends first.
    pub opener: Opener,
    /// Where they are.
    pub at: Where,
    /// Their address, where the path of each of several has its own.
    pub which: Option<String>,
}

impl Caller<'_> {
    /// What a path's id holds of them.
    pub fn which(&self) -> (&Where, Option<&str>, Option<Kind>) {
        (&self.at, self.which.as_deref(), self.kind)
    }

    fn question(&self, proto: Proto, ports: Set) -> Question {
        let client = Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let parts = [self.from.clone(), self.to.clone(), client, ports, Set::one(u128::from(proto.number()))];
        Question { from: self.vantage.device, family: self.family, packets: Cube { parts, vars: Vec::new() } }
    }
}

/// How much of a row is open, or, where few of the callers' ports are in the way, how many these are.
fn share(reach: Reach, regions: &[Region], ports: &Set, sources: &Set) -> Option<Share> {
    let bad = || regions.iter().filter(|r| piece_reach(r) != Reach::Open);
    let open = bad().fold(ports.clone(), |left, r| left.minus(&r.part(Part::DstPort)));
    let theirs = Set::union(bad().map(|r| r.part(Part::SrcPort)));
    let number = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    match (reach, open.count(), ports.count()) {
        (Reach::Partly, n, all) if n > 0 && n < all => Some(Share::Ports { open: number(n), of: number(all) }),
        (Reach::Partly | Reach::Punched | Reach::Chance, 0, _) if theirs.count() * 2 < sources.count() => {
            Some(Share::SourcePorts { worse: number(theirs.count()), of: number(sources.count()) })
        }
        _ => None,
    }
}

/// An answer that a fact is missing for.
fn unknown(caller: &Caller<'_>, r: &Requirement, ports: PortRanges, doubt: DoubtLine) -> Alternative {
    let piece = Piece::unknown(ports.clone(), vec![doubt]);
    Alternative {
        requirement: r.id.clone(),
        what: r.what(),
        proto: r.proto,
        ports,
        purpose: r.purpose.clone(),
        opener: caller.opener,
        reach: Reach::Unknown,
        share: None,
        pieces: vec![piece],
    }
}

/// Kinds of callers that are told apart: with ICE, their own networks and what they show decide.
fn kinds(instance: &Instance, vantage: &Vantage, rows: &[&Requirement]) -> Vec<Option<Kind>> {
    let kinds = Kind::at(&vantage.place, instance.ice().is_some());
    if instance.ice().is_none() && instance.answers().is_none() || kinds.is_empty() {
        return vec![None];
    }
    // Who has no UDP and no other way is not called at all.
    let by_tcp = rows.iter().any(|r| r.leg.carries_media() && r.proto == Proto::Tcp);
    kinds.iter().copied().filter(|k| by_tcp || *k != Kind::UdpBlocked).map(Some).collect()
}

/// Device that sent the packets by which a region is open.
fn opened_by(answer: &Answer, region: &Region) -> usize {
    let sender = answer.trips[region.trip].request.hops[0].device;
    if region.certainty == Certainty::Open && region.ending == Ending::Works { sender } else { usize::MAX }
}

/// Who reaches the relay (TURN) has media, if in no other way.
fn by_relay(legs: &mut [Leg], notes: &mut [String]) {
    let open = |l: &&Leg| l.kind == LegKind::Relay && l.any_of.iter().any(|a| a.reach == Reach::Open);
    if legs.iter().find(open).is_none() {
        return;
    }
    for (leg, note) in legs.iter_mut().zip(notes) {
        if leg.kind == LegKind::Media && leg.verdict == Verdict::Fails {
            leg.verdict = Verdict::Degraded;
            leg.how = Some(How::Relay);
            "only by relay".clone_into(note);
        }
    }
}

fn piece_reach(region: &Region) -> Reach {
    match (region.certainty, region.ending) {
        (Certainty::Open, Ending::Punched) => Reach::Punched,
        (Certainty::Open, _) => Reach::Open,
        (Certainty::Closed, _) => Reach::Closed,
        (Certainty::Unknown, _) if region.doubts.is_empty() && region.also == [Undecided::WhoFirst] => Reach::Chance,
        (Certainty::Unknown, _) => Reach::Unknown,
    }
}

fn piece(story: &Story<'_>, (answer, region, told): (&Answer, &Region, &RoundTrip), caller: &Caller<'_>) -> Piece {
    let (steps, stop, ends_at) = story.of(answer, region, told);
    let clients = Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
    Piece {
        packets: Packets::of(&region.cubes, caller.family, caller.from, &clients),
        reach: piece_reach(region),
        ends_at,
        stop,
        doubts: story.doubts(region),
        except: story.lists(region),
        steps,
    }
}

/// Rows by leg, then by group of alternatives, in the profile's order; legs that matter to nobody here are left out.
fn grouped<'r>(rows: &[&'r Requirement], place: &Where) -> Vec<(LegKind, Vec<&'r Requirement>)> {
    let mut out = legs_of(rows);
    out.retain(|(_, list)| list.iter().any(|r| !r.level_at(place).is_optional()));
    out
}

/// Rows by leg, then by group of alternatives, in the profile's order.
pub(super) fn legs_of<'r>(rows: &[&'r Requirement]) -> Vec<(LegKind, Vec<&'r Requirement>)> {
    let mut out: Vec<(LegKind, Option<&str>, Vec<&Requirement>)> = Vec::new();
    for row in rows {
        let group = row.any_of.as_deref();
        match out.iter_mut().find(|(kind, any_of, _)| *kind == row.leg && group.is_some() && *any_of == group) {
            Some((_, _, list)) => list.push(row),
            None => out.push((row.leg.clone(), group, vec![row])),
        }
    }
    out.into_iter().map(|(kind, _, list)| (kind, list)).collect()
}

/// What depends on the server reaching its own name.
fn depends(instance: &Instance) -> String {
    let known = instance.profile.itself.as_ref().map(|a| a.about.clone());
    known.unwrap_or_else(|| format!("nothing of {} is known to depend on it", instance.profile.title))
}

/// What a path is called: the instance, where those are who ask, which of several they are, and their kind.
pub(super) fn path_id(
    instance: &Instance,
    (at, which, kind): (&Where, Option<&str>, Option<Kind>),
    family: Family,
) -> String {
    let which = which.map_or_else(String::new, |which| format!(":{which}"));
    let kind = kind.map_or_else(String::new, |k| format!(":{}", k.name()));
    let v6 = if family == Family::V6 { "/v6" } else { "" };
    format!("{}/{at}{which}{kind}{v6}", instance.label())
}

pub(super) fn path(
    instance: &Instance,
    (at, which, kind): (&Where, Option<&str>, Option<Kind>),
    who: String,
    family: Family,
    legs: Vec<Leg>,
    notes: &[String],
) -> Path {
    let (verdict, note) = judge::path(at, &legs, notes);
    Path {
        id: path_id(instance, (at, which, kind), family),
        instance: instance.label().to_owned(),
        vantage: at.clone(),
        kind,
        who,
        kinds: Vec::new(),
        address: None,
        family,
        verdict,
        depends: if *at == Where::At(Place::Own) { depends(instance) } else { String::new() },
        note,
        legs,
    }
}
