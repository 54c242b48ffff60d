//! What a server tells whom: the address that media goes to. It is a fact of its own, and nobody's public address by
//! itself.

use super::address::is_public;
use super::analyze::{CLIENT_PORTS, Judge};
use super::site::Vantage;
use crate::cube::{Cube, Set};
use crate::manifest::{At, Place, Proto, Told};
use crate::model::{Device, Family, Part, address_value, prefix_range};
use crate::profile::Instance;
use crate::report::DoubtLine;
use crate::trace::{Disposition, Question, Val, ask_requests};
use std::net::IpAddr;

/// Port of STUN servers (RFC 8489 9).
const STUN: u128 = 3478;

/// What callers at a place are told about media, in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Telling {
    /// These addresses; several are tried one beside the other.
    These(Vec<IpAddr>),
    /// None of this family.
    Nothing,
    /// It is not known.
    Unknown(DoubtLine),
}

/// The device by which packets come to the internet, and its interface.
type Exit = (usize, Option<usize>);

/// A server whose packets come to the internet with another address than the one by which it is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stray {
    /// Number of the instance.
    pub instance: usize,
    /// Its own address.
    pub own: IpAddr,
    /// The address that the internet sees.
    pub seen: IpAddr,
    /// The address by which it is called.
    pub public: IpAddr,
    /// The router that has that address, by which the packets leave.
    pub router: usize,
}

impl Judge<'_> {
    /// What those at a place are told. `local`: the server counts them as local.
    pub(super) fn tells(&self, n: usize, place: &Place, family: Family, local: bool) -> Telling {
        let instance = &self.instances[n];
        let own = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family);
        let Some(stated) = stated(instance, place) else {
            return self.usual(instance, place, family, own.filter(|_| local));
        };
        let mut all = Vec::new();
        for told in &stated.value {
            let found = match told {
                Told::Public => self.told(instance, family),
                Told::Own => own,
                Told::Address(ip) => Some(*ip).filter(|ip| Family::of(*ip) == family),
                Told::Name(name) if self.manifest.name.as_ref().is_some_and(|n| n.value == *name) => {
                    self.told(instance, family)
                }
                Told::Name(name) => {
                    return not_told(instance, place, &format!("which address {name} has"));
                }
                Told::Stun => match self.seen_by_stun(n, family, own) {
                    Ok(found) => found.map(|(seen, _)| seen),
                    Err(why) => return not_told(instance, place, &why),
                },
                Told::Unknown => {
                    let at = super::gateway::at_line(self.snapshot, stated);
                    return not_told(instance, place, &format!("it is stated as unknown ({at})"));
                }
            };
            all.extend(found.filter(|a| !all.contains(a)));
        }
        if all.is_empty() { Telling::Nothing } else { Telling::These(all) }
    }

    /// What the profile says: the public IPv4 address, and the server's own IPv6 address; inside, where the product tells
    /// it there, its own.
    fn usual(&self, instance: &Instance, place: &Place, family: Family, local: Option<IpAddr>) -> Telling {
        let Some(public) = self.told(instance, family) else { return Telling::Nothing };
        if let Some(own) = local {
            return Telling::These(vec![own]);
        }
        let own = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family);
        match own {
            Some(own) if family == Family::V6 && own != public => {
                not_told(instance, place, &format!("it holds {own}, and people reach it by {public}"))
            }
            _ => Telling::These(vec![public]),
        }
    }

    /// From the internet packets for this address may come to the site.
    pub(super) fn may_lead_here(&self, address: IpAddr) -> bool {
        let family = Family::of(address);
        let ours = |(d, device): (usize, &Device)| {
            d != self.site.internet && device.own_addresses(family).contains(address_value(address))
        };
        is_public(address)
            && (self.site.public == Some(address) || self.site.network.devices.iter().enumerate().any(ours))
    }

    /// Servers whose packets come to the internet with another address than the site's, in IPv4.
    pub(super) fn strays(&self) -> Vec<Stray> {
        (0..self.instances.len()).filter_map(|n| self.stray(n, Family::V4)).collect()
    }

    /// The same for one server. What leaves by another line has that line's address, and is judged elsewhere.
    fn stray(&self, n: usize, family: Family) -> Option<Stray> {
        let instance = &self.instances[n];
        let own = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family)?;
        let public = self.told(instance, family).filter(|_| self.site.public.is_some())?;
        let (seen, (router, iface)) = self.seen_by_stun(n, family, Some(own)).ok()??;
        let by = self.site.network.devices[router].interfaces.get(iface?)?;
        let holds = by.addresses.iter().any(|a| a.addr() == public);
        (seen != public && holds).then_some(Stray { instance: n, own, seen, public, router })
    }

    /// The address with which the server's packets come to the internet, and by which device they do.
    fn seen_by_stun(&self, n: usize, family: Family, own: Option<IpAddr>) -> Result<Option<(IpAddr, Exit)>, String> {
        let Some(own) = own else { return Ok(None) };
        let unknown = || "which address a STUN server sees is not clear from the rules".to_owned();
        let parts = [
            Set::one(address_value(own)),
            self.site.vantages[0].sources(family).clone(),
            Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1),
            Set::one(STUN),
            Set::one(u128::from(Proto::Udp.number())),
        ];
        let packets = Cube { parts, vars: Vec::new() };
        let answer = ask_requests(&self.site.network, &Question { from: self.site.server_of[n], family, packets });
        let mut seen = None;
        for trip in &answer.trips {
            let there = trip.request.last();
            if !matches!(trip.request.end, Disposition::Delivered { .. }) || there.device != self.site.internet {
                return Err("not every packet of the server reaches a STUN server".into());
            }
            let source = match there.header.src {
                Val::Const(c) => c,
                Val::Part(Part::Src, 0) => address_value(own),
                Val::Part(..) | Val::Var(_) => return Err(unknown()),
            };
            let by = trip.request.hops.iter().rev().nth(1).map_or((there.device, None), |h| (h.device, h.out_iface));
            if *seen.get_or_insert((source, by)) != (source, by) {
                return Err(unknown());
            }
        }
        seen.map(|(s, by)| Some((family.address(s), by))).ok_or_else(unknown)
    }

    /// What the report says about it as given.
    pub(super) fn told_notes(&self, n: usize, instance: &Instance) -> String {
        let label = instance.label();
        let mut parts = Vec::new();
        for (place, list) in &instance.deploy.told {
            let at = super::gateway::at_line(self.snapshot, list);
            for family in [Family::V4, Family::V6] {
                match self.tells(n, &place.value, family, false) {
                    Telling::These(all) => {
                        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                        parts.push(format!("{} {} ({at})", audience(&place.value), all.join(" and ")));
                    }
                    Telling::Unknown(_) if family == Family::V4 => {
                        parts.push(format!("{} what is not known ({at})", audience(&place.value)));
                    }
                    Telling::Unknown(_) | Telling::Nothing => {}
                }
            }
        }
        let usual = self.line(instance).told.join(" and ");
        let internet = instance.deploy.told.iter().any(|(place, _)| place.value == Place::Internet);
        match (parts.is_empty(), internet) {
            (true, _) => format!("{label} tells clients {usual}"),
            (_, true) => format!("{label} tells {}", parts.join(", and ")),
            (_, false) => format!("{label} tells {}, and callers on the internet {usual}", parts.join(", and ")),
        }
    }

    /// The product's own setting, where its document names it and nothing is stated.
    pub(super) fn told_setting(&self, instance: &Instance) -> Option<String> {
        let setting = instance.profile.told.setting.as_ref().filter(|_| instance.deploy.told.is_empty())?;
        let told = self.line(instance).told.join(" and ");
        Some(format!("{setting} of {} is taken to be {told}, or a name that resolves to it", instance.label()))
    }
}

impl Judge<'_> {
    /// Phones of an inner network that are told the outer address, for the server does not count their network as
    /// local: what to set, where the product has such a list and nothing else is stated.
    pub(super) fn not_local(&self, n: usize, instance: &Instance, vantage: &Vantage) -> Option<String> {
        let beside = matches!(vantage.place, Place::Lan);
        let inside = beside || matches!(vantage.place, Place::Net(_));
        let told = &instance.profile.told;
        if !inside || !told.own_inside || stated(instance, &vantage.place).is_some() {
            return None;
        }
        let family = Family::V4;
        let sources = vantage.sources(family);
        let public = self.told(instance, family)?;
        let own = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == family)?;
        let out = self.site.network.devices[self.site.server_of[n]].own_addresses(family);
        let held = out.contains(address_value(public));
        if sources.is_empty() || held || own == public || instance.is_local(sources, family, beside) {
            return None;
        }
        let nets: Vec<String> = self.nets_of(vantage, family).iter().map(ToString::to_string).collect();
        let list = told.local_setting.as_deref().unwrap_or("its list of local networks");
        Some(format!(
            "{} tells phones in {} {public}, for it does not count their network as local. Add {} to {list}, and to \
             `local` in its [[deploy]] table: these phones are told {own} then, and need no hairpin",
            instance.label(),
            vantage.name,
            if nets.is_empty() { "that network".to_owned() } else { nets.join(" and ") }
        ))
    }

    /// Networks of a device's interfaces that hold people of a place.
    fn nets_of(&self, vantage: &Vantage, family: Family) -> Vec<ipnet::IpNet> {
        let sources = vantage.sources(family);
        let here = |n: &ipnet::IpNet| {
            let (lo, hi) = prefix_range(*n);
            n.prefix_len() < n.max_prefix_len()
                && Family::of(n.addr()) == family
                && Set::range(lo, hi).intersects(sources)
        };
        let devices = self.site.network.devices.iter().take(self.site.internet);
        let all = devices.flat_map(|d| &d.interfaces).filter(|i| i.segment == vantage.segment);
        let mut out: Vec<ipnet::IpNet> = all.flat_map(|i| &i.addresses).map(ipnet::IpNet::trunc).filter(here).collect();
        out.sort();
        out.dedup();
        out
    }
}

/// What is stated for a place, or for one that holds it.
fn stated<'a>(instance: &'a Instance, place: &Place) -> Option<&'a At<Vec<Told>>> {
    let of = |wanted: &Place| instance.deploy.told.iter().find(|(p, _)| p.value == *wanted).map(|(_, list)| list);
    of(place).or_else(|| match place {
        Place::Caller(_) | Place::Peer(_) => of(&Place::Internet),
        Place::Own => of(&Place::Lan),
        _ => None,
    })
}

/// Nothing tells it, or not enough.
fn not_told(instance: &Instance, place: &Place, why: &str) -> Telling {
    let (label, key) = (instance.label(), key(place));
    let setting = instance.profile.told.setting.as_ref().map_or_else(String::new, |s| format!(" ({s})"));
    Telling::Unknown(DoubtLine {
        what: format!("which address {label} tells {}: {why}", audience(place)),
        supply: format!(
            "state what it is set to{setting} in its [[deploy]] table: `told = {{ {key} = \"<address>\" }}`, or \"public\", \"own\", \"stun\""
        ),
        origin: None,
    })
}

/// The place as a key of `told`.
fn key(place: &Place) -> String {
    match place {
        Place::Internet => "internet".into(),
        Place::Lan | Place::Own => "lan".into(),
        other => format!("\"{other}\""),
    }
}

pub(super) fn audience(place: &Place) -> String {
    match place {
        Place::Internet => "callers on the internet".into(),
        Place::Lan | Place::Own => "callers in its own network".into(),
        Place::Net(name) | Place::Caller(name) => format!("callers of {name}"),
        Place::Peer(name) => name.clone(),
        Place::Admin => "the administrator".into(),
    }
}
