//! The paths of callers: who calls from where, and what becomes of each part of the call.

use super::Judge;
use super::ask::{Asked, Caller};
use super::proxy::by_proxy;
use super::told::Telling;
use crate::cube::Set;
use crate::manifest::{Place, Proto};
use crate::model::{Family, address_value};
use crate::profile::Instance;
use crate::requirement::{Level, Party, Requirement};
use crate::site::Vantage;
use crate::verdict::reach::Certainty;
use crate::verdict::{
    Alternative, Failure, How, Judgement, Leg, Misled, Note, Reach, Strayed, Verdict, algebra, path_id,
};
use crate::vocabulary::{CallerKind as Kind, LegKind, Opener, PortSet, Where};
use std::net::IpAddr;

impl Judge<'_> {
    pub(crate) fn vantages(&self, n: usize, instance: &Instance) -> Vec<Vantage> {
        let server = self.site.server_of[n];
        let mut all = self.site.vantages_of(server);
        let own = |family| instance.deploy.own(family).map(|h| self.site.source_of(server, h));
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

    pub(super) fn caller_paths(&self, n: usize, instance: &Instance, out: &mut Judgement) {
        let callers = |r: &&Requirement| matches!(r.from, Party::Callers | Party::Phones);
        let wanted = |r: &&Requirement| callers(r) && r.to == Party::Server && r.level != Level::Forbidden;
        // Whichever ports these are: a product that opens them all by itself has them open.
        let known = |r: &&Requirement| !(r.example && instance.opens_itself() && self.manifest.gateways.is_empty());
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).filter(known).collect();
        for family in [Family::V4, Family::V6] {
            let Some(told) = self.told(instance, family) else { continue };
            // Behind a box that is stated for IPv4 alone, the server's IPv6 address is on no network that is known.
            let host = instance.deploy.own(family);
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
                let local = inside && instance.is_local(vantage.sources(family), family, beside);
                // Where media goes is a fact of its own.
                let telling = self.tells(n, &vantage.place, family, local);
                if telling == Telling::Nothing {
                    continue;
                }
                let told = (host.filter(|_| local).unwrap_or(told), &telling);
                // What only phones need is asked where phones are: in networks of the site.
                let phones = matches!(vantage.place, Place::Lan | Place::Net(_));
                let rows: Vec<&Requirement> =
                    rows.iter().copied().filter(|r| phones || r.from != Party::Phones).collect();
                for kind in kinds(instance, &vantage, &rows) {
                    self.caller_path((n, instance), &vantage, kind, &rows, told, out);
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
        out: &mut Judgement,
    ) {
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
        for (leg, rows) in grouped(rows, &place) {
            let (rows, not_for_them): (Vec<&Requirement>, Vec<&Requirement>) =
                rows.into_iter().partition(|r| kind != Some(Kind::UdpBlocked) || r.proto != Proto::Udp);
            // Media that has no way by TCP where other media has one: those whose network blocks UDP are without it wherever
            // the product runs. That is said once, and blamed on no site.
            if rows.is_empty() && (leg != LegKind::Media || by_tcp) {
                continue;
            }
            let media = leg == LegKind::Media;
            let ask = |r: &&Requirement| {
                if media { self.by_telling(&caller, r, telling) } else { self.alternative(&caller, r, self.goal(n, r)) }
            };
            let Asked { ways: asked, mut failures } = rows.iter().map(ask).collect();
            let to = match telling {
                Telling::These(all) if media => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                _ => self.leg_to(&leg, told),
            };
            let (verdict, note) = if media && kind == Some(Kind::UdpBlocked) {
                // What is a second way for others is the only one for them.
                let levels: Vec<(Level, &Alternative)> = asked.iter().map(|a| (Level::Required, a)).collect();
                (algebra::only_way(&levels), algebra::by(&levels))
            } else {
                // TCP is for those who have no UDP: they are judged apart.
                let spare = |r: &Requirement| kind.is_some() && media && r.proto == Proto::Tcp;
                let level = |r: &&Requirement| if spare(r) { Level::Optional } else { r.level_at(&place) };
                let levels: Vec<(Level, &Alternative)> = rows.iter().map(level).zip(&asked).collect();
                algebra::leg(&levels)
            };
            if kind.is_some() && verdict == Verdict::Works {
                failures.clear();
            }
            if media && verdict != Verdict::Works {
                self.told_wrongly((n, instance), vantage, kind, telling, &mut failures, out);
            }
            out.failures.extend(failures);
            let how = media.then(|| algebra::how(&asked, &place)).flatten();
            let not_for_them = not_for_them.into_iter().map(|r| r.id.clone()).collect();
            legs.push(Leg { kind: leg, to, verdict, note, how, any_of: asked, not_for_them });
        }
        if kind.is_some() {
            by_relay(&mut legs);
        }
        out.paths.push(caller.path(instance, vantage.name.clone(), legs));
    }

    /// Media fails for callers by the address that they are told: no rule of the site is to blame for what leads nowhere,
    /// nor where the forwards are right for the address that is meant, and the server learned another one. `failures`:
    /// theirs.
    fn told_wrongly(
        &self,
        (n, instance): (usize, &Instance),
        vantage: &Vantage,
        kind: Option<Kind>,
        telling: &Telling,
        failures: &mut Vec<Failure>,
        out: &mut Judgement,
    ) {
        let Telling::These(all) = telling else { return };
        let family = all.first().map_or(Family::V4, |a| Family::of(*a));
        if let Some(stray) = self.learned_another(n, &vantage.place).filter(|_| family == Family::V4) {
            let certain = |f: &mut Failure| f.region.certainty == Certainty::Closed;
            for failure in failures.extract_if(.., certain) {
                let ports = PortSet { proto: failure.requirement.proto, ports: failure.requirement.ports };
                let strayed = Strayed { stray, ports, place: vantage.place.clone(), path: failure.path };
                out.strayed.push(strayed);
            }
            return;
        }
        let outside = matches!(vantage.place, Place::Internet | Place::Caller(_));
        if outside && !all.iter().any(|a| self.may_lead_here(*a)) {
            failures.clear();
            let path = path_id(instance, (&Where::At(vantage.place.clone()), None, kind), family);
            let (place, told) = (vantage.place.clone(), all.clone());
            out.misled.push(Misled { instance: n, place, told, path });
        }
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

/// Who reaches the relay (TURN) has media, if in no other way.
fn by_relay(legs: &mut [Leg]) {
    let open = |l: &&Leg| l.kind == LegKind::Relay && l.any_of.iter().any(|a| a.reach == Reach::Open);
    if legs.iter().find(open).is_none() {
        return;
    }
    for leg in legs {
        if leg.kind == LegKind::Media && leg.verdict == Verdict::Fails {
            leg.verdict = Verdict::Degraded;
            leg.how = Some(How::Relay);
            leg.note = Some(Note::ByRelay);
        }
    }
}

/// Rows by leg, then by group of alternatives, in the profile's order; legs that matter to nobody here are left out.
pub(super) fn grouped<'r>(rows: &[&'r Requirement], place: &Where) -> Vec<(LegKind, Vec<&'r Requirement>)> {
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
