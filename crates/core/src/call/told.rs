//! What a server tells whom: the address that media goes to. It is a fact of its own, and nobody's public address by
//! itself.

use super::Judge;
use super::learned::Learns;
use crate::cube::Set;
use crate::manifest::{At, Place, Told};
use crate::model::{Device, Family, address_value, prefix_range};
use crate::profile::Instance;
use crate::site::Vantage;
use crate::site::address::is_public;
use crate::verdict::Seen;
use crate::way::DoubtLine;
use std::net::IpAddr;

/// Why it is open what a server hears that asks outside for its address.
const NOT_CLEAR: &str = "which address a STUN server sees is not clear from the rules";

/// What callers at a place are told about media, in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Telling {
    /// These addresses; several are tried one beside the other.
    These(Vec<IpAddr>),
    /// None of this family.
    Nothing,
    /// It is not known.
    Unknown(DoubtLine),
}

impl Judge<'_> {
    /// What those at a place are told. `local`: the server counts them as local.
    pub(crate) fn tells(&self, n: usize, place: &Place, family: Family, local: bool) -> Telling {
        let instance = &self.instances[n];
        let own = instance.deploy.own(family);
        let Some(stated) = stated(instance, place) else {
            return self.usual(n, place, family, own.filter(|_| local));
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
                Told::Stun => match self.seen_by_stun(n, family) {
                    Seen::As(seen, _) => Some(seen),
                    Seen::Nothing => None,
                    Seen::Open => return not_told(instance, place, NOT_CLEAR),
                    Seen::Unanswered => {
                        return not_told(instance, place, "not every packet of the server reaches a STUN server");
                    }
                },
                Told::Unknown => {
                    let at = crate::site::gateway::at_line(self.snapshot, stated);
                    return not_told(instance, place, &format!("it is stated as unknown ({at})"));
                }
            };
            all.extend(found.filter(|a| !all.contains(a)));
        }
        if all.is_empty() { Telling::Nothing } else { Telling::These(all) }
    }

    /// What the profile says: the public IPv4 address, and the server's own IPv6 address; inside, where the product tells
    /// it there, its own. A product that asks outside for its IPv4 address tells what it hears.
    fn usual(&self, n: usize, place: &Place, family: Family, local: Option<IpAddr>) -> Telling {
        let instance = &self.instances[n];
        let Some(public) = self.told(instance, family) else { return Telling::Nothing };
        if let Some(own) = local {
            return Telling::These(vec![own]);
        }
        match self.learns(n, family) {
            Some(Learns::Open) => return not_learned(instance, NOT_CLEAR),
            Some(Learns::OtherLine(stray)) => {
                let line = self.site.network.devices[stray.router].interfaces[stray.leaves].shown();
                let seen = stray.named().map_or_else(String::new, |a| format!(" as {a}"));
                let why =
                    format!("it asks a STUN server by another line, {line}{seen}, and people reach it by {public}");
                return not_learned(instance, &why);
            }
            Some(Learns::Another(stray)) => return Telling::These(vec![stray.seen]),
            Some(Learns::Public) | None => {}
        }
        let own = instance.deploy.own(family);
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

    /// Phones of an inner network that are told the outer address, for the server does not count their network as
    /// local: what to set, where the product has such a list and nothing else is stated.
    pub(crate) fn not_local(&self, n: usize, instance: &Instance, vantage: &Vantage) -> Option<String> {
        let beside = matches!(vantage.place, Place::Lan);
        let inside = beside || matches!(vantage.place, Place::Net(_));
        let told = &instance.profile.told;
        if !inside || !told.own_inside || stated(instance, &vantage.place).is_some() {
            return None;
        }
        let family = Family::V4;
        let sources = vantage.sources(family);
        let public = self.told(instance, family)?;
        let own = instance.deploy.own(family)?;
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
pub(super) fn stated<'a>(instance: &'a Instance, place: &Place) -> Option<&'a At<Vec<Told>>> {
    let of = |wanted: &Place| instance.deploy.told.iter().find(|(p, _)| p.value == *wanted).map(|(_, list)| list);
    of(place).or_else(|| match place {
        Place::Caller(_) | Place::Peer(_) => of(&Place::Internet),
        Place::Own => of(&Place::Lan),
        _ => None,
    })
}

/// What the server learns is not known: the same for everybody.
fn not_learned(instance: &Instance, why: &str) -> Telling {
    untold(instance, "callers", &Place::Internet, why)
}

/// Nothing tells it, or not enough.
fn not_told(instance: &Instance, place: &Place, why: &str) -> Telling {
    untold(instance, &audience(place), place, why)
}

fn untold(instance: &Instance, audience: &str, place: &Place, why: &str) -> Telling {
    let (label, key) = (instance.label(), key(place));
    let setting = instance.profile.told.setting.as_ref().map_or_else(String::new, |s| format!(" ({s})"));
    Telling::Unknown(DoubtLine::of_site(
        format!("which address {label} tells {audience}: {why}"),
        format!(
            "state what it is set to{setting} in its [[deploy]] table: `told = {{ {key} = \"<address>\" }}`, or \"public\", \"own\", \"stun\""
        ),
    ))
}

/// The place as a key of `told`.
fn key(place: &Place) -> String {
    match place {
        Place::Internet => "internet".into(),
        Place::Lan | Place::Own => "lan".into(),
        other => format!("\"{other}\""),
    }
}

pub(crate) fn audience(place: &Place) -> String {
    match place {
        Place::Internet => "callers on the internet".into(),
        Place::Lan | Place::Own => "callers in its own network".into(),
        Place::Net(name) | Place::Caller(name) => format!("callers of {name}"),
        Place::Peer(name) => name.clone(),
        Place::Admin => "the administrator".into(),
    }
}
