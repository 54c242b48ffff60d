//! What the words of a question mean at a site: who sends from where, and which address is asked.

use super::{Question, Word, Wrong};
use crate::call::Judge;
use crate::cube::Set;
use crate::manifest::{Admin, Place, known_names};
use crate::model::{Family, address_value};
use crate::site::Vantage;
use crate::site::address::prefix_set;
use ipnet::IpNet;
use std::net::IpAddr;

/// The packets of one sender to one address.
pub(super) struct Asked {
    /// Who sends, for people.
    pub who: String,
    /// Where they are.
    pub vantage: Vantage,
    /// Their addresses.
    pub from: Set,
    /// The address that they ask.
    pub to: IpAddr,
    /// Instances that have it.
    pub whom: Vec<usize>,
    /// The host of one of these is meant.
    pub meant: bool,
    /// They ask by the site's name.
    pub by_name: bool,
}

/// A sender.
struct Sender {
    who: String,
    vantage: Vantage,
    v4: Set,
    v6: Set,
}

/// Whom they ask.
enum Target {
    /// An address.
    Address(IpAddr),
    /// The site's name.
    Name,
    /// An instance.
    Instance(usize),
}

/// Every sender with every address that it asks, and what is not traced.
pub(super) fn flows(judge: &Judge<'_>, question: &Question) -> Result<(Vec<Asked>, Vec<String>), Vec<Wrong>> {
    let target = target(judge, &question.to).map_err(|wrong| {
        let from = senders(judge, None, &question.from).err();
        from.into_iter().chain([wrong]).collect::<Vec<_>>()
    })?;
    let of = match target {
        Target::Instance(n) => Some(n),
        Target::Address(ip) => holders(judge, ip).first().copied(),
        Target::Name => None,
    };
    let senders = senders(judge, of, &question.from).map_err(|wrong| vec![wrong])?;
    let (mut out, mut not_traced) = (Vec::new(), Vec::new());
    for sender in &senders {
        for family in [Family::V4, Family::V6] {
            let addresses = addresses(judge, &target, sender, family);
            let from = if family == Family::V4 { &sender.v4 } else { &sender.v6 };
            if addresses.is_empty() || from.is_empty() {
                continue;
            }
            let outside = sender.vantage.device == judge.site.internet;
            if let Some(why) = judge.site.no_v6.as_ref().filter(|_| family == Family::V6 && outside) {
                not_traced.push(why.clone());
                continue;
            }
            for (to, whom) in addresses {
                let held = |n: &usize| {
                    let held = judge.site.network.devices[judge.site.server_of[*n]].own_addresses(family);
                    judge.instances[*n].deploy.own(family).is_none_or(|own| held.contains(address_value(own)))
                };
                if !whom.is_empty() && !whom.iter().any(held) {
                    not_traced.push(format!("{to}: its server's own address is in no network that is known"));
                    continue;
                }
                out.push(Asked {
                    who: sender.who.clone(),
                    vantage: sender.vantage.clone(),
                    from: from.clone(),
                    to,
                    whom,
                    meant: !matches!(target, Target::Address(_)),
                    by_name: matches!(target, Target::Name),
                });
            }
        }
    }
    if out.is_empty() && not_traced.is_empty() {
        return Err(vec![Wrong {
            word: Word::To,
            message: format!("`{}` and `{}` have no addresses of one family", question.from, question.to),
            help: "name an address, and state the addresses of the server and its networks".into(),
        }]);
    }
    not_traced.dedup();
    Ok((out, not_traced))
}

/// Instances that have an address: of their own, or as the one by which they are reached.
fn holders(judge: &Judge<'_>, ip: IpAddr) -> Vec<usize> {
    let family = Family::of(ip);
    let outer = judge.site.outer_addresses(family);
    let has = |n: &usize| {
        let instance = &judge.instances[*n];
        judge.told(instance, family) == Some(ip)
            || instance.deploy.host.iter().any(|h| h.value == ip)
            || outer.contains(&ip)
    };
    (0..judge.instances.len()).filter(has).collect()
}

/// The addresses of a family that a sender asks, each with the instances that have it.
fn addresses(judge: &Judge<'_>, target: &Target, sender: &Sender, family: Family) -> Vec<(IpAddr, Vec<usize>)> {
    match target {
        Target::Address(ip) if Family::of(*ip) == family => vec![(*ip, holders(judge, *ip))],
        Target::Address(_) => Vec::new(),
        Target::Name => {
            let mut out: Vec<(IpAddr, Vec<usize>)> = Vec::new();
            for (n, instance) in judge.instances.iter().enumerate() {
                let Some(told) = judge.told(instance, family) else { continue };
                match out.iter_mut().find(|(known, _)| *known == told) {
                    Some((_, list)) => list.push(n),
                    None => out.push((told, vec![n])),
                }
            }
            out
        }
        Target::Instance(n) => {
            let instance = &judge.instances[*n];
            // Inside, a server is asked by its own address; its name leads to the outer one.
            let inside = inside(judge, &sender.vantage);
            let own = instance.deploy.own(family);
            let told = if inside { own } else { judge.told(instance, family) };
            told.into_iter().map(|ip| (ip, vec![*n])).collect()
        }
    }
}

/// In a network of the site.
fn inside(judge: &Judge<'_>, vantage: &Vantage) -> bool {
    let places = judge.site.vantages.iter().filter(|v| !matches!(v.place, Place::Internet | Place::Caller(_)));
    let servers = &judge.site.server_of;
    servers.contains(&vantage.device) || places.map(|v| v.device).any(|d| d == vantage.device)
}

fn target(judge: &Judge<'_>, word: &str) -> Result<Target, Wrong> {
    if let Ok(ip) = word.parse::<IpAddr>() {
        return Ok(Target::Address(ip));
    }
    let name = judge.manifest.name.as_ref().map(|n| &*n.value);
    if name.is_some_and(|n| n.eq_ignore_ascii_case(word)) {
        return Ok(Target::Name);
    }
    if let Some(n) = judge.instances.iter().position(|i| i.label() == word) {
        return Ok(Target::Instance(n));
    }
    if is_server(word) {
        return only_server(judge, Word::To).map(Target::Instance);
    }
    let labels = judge.instances.iter().map(crate::profile::Instance::label);
    let known: Vec<&str> = name.into_iter().chain(["server"]).chain(labels).collect();
    let (message, mut help) = (
        format!("`{word}` is no name of this site and no address"),
        known_names(word, "names", known) + "; or an address",
    );
    if word.parse::<IpNet>().is_ok() {
        help = "name one address".into();
    } else if word.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ':') {
        help = "an IPv4 address has four numbers from 0 to 255, an IPv6 address eight groups or `::`".into();
    }
    Err(Wrong { word: Word::To, message, help })
}

fn is_server(word: &str) -> bool {
    ["server", "self"].contains(&word)
}

/// The first instance of the only server.
fn only_server(judge: &Judge<'_>, word: Word) -> Result<usize, Wrong> {
    let servers = &judge.site.server_of;
    if servers.iter().all(|s| *s == servers[0]) {
        return Ok(0);
    }
    let labels: Vec<&str> = judge.instances.iter().map(crate::profile::Instance::label).collect();
    Err(Wrong {
        word,
        message: "this site has several servers".into(),
        help: format!("name the instance that is meant: {}", labels.join(", ")),
    })
}

/// `of`: the instance that is asked, if it is one.
fn senders(judge: &Judge<'_>, of: Option<usize>, word: &str) -> Result<Vec<Sender>, Wrong> {
    let n = of.unwrap_or(0);
    if let Ok(net) = word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)) {
        return address(judge, n, word, net).map(|s| vec![s]);
    }
    let vantages = judge.site.vantages_of(judge.site.server_of[n]);
    let place = |v: &&Vantage| v.place.to_string() == word;
    let named = |v: &&Vantage| matches!(&v.place, Place::Net(name) | Place::Caller(name) if name == word);
    if let Some(v) = vantages.iter().find(place).or_else(|| vantages.iter().find(named)) {
        return Ok(vec![Sender { who: v.name.clone(), v4: v.v4.clone(), v6: v.v6.clone(), vantage: v.clone() }]);
    }
    if let Some(n) = judge.instances.iter().position(|i| i.label() == word) {
        return Ok(vec![server(judge, n)]);
    }
    if is_server(word) {
        let n = of.map_or_else(|| only_server(judge, Word::From), Ok)?;
        return Ok(vec![server(judge, n)]);
    }
    if word == Place::Admin.to_string() {
        return administrators(judge, n);
    }
    let peer =
        |p: &&crate::manifest::Peer| p.name.value == word || Place::Peer(p.name.value.clone()).to_string() == word;
    if let Some(peer) = judge.manifest.peers.iter().find(peer) {
        return peer.address.iter().map(|a| address(judge, n, word, a.value)).collect();
    }
    let known: Vec<String> = places(judge, &vantages);
    let mut candidates: Vec<&str> = known.iter().map(String::as_str).collect();
    // A word may be like a name without what stands before it.
    let bare = known.iter().filter_map(|k| k.split_once(':')).map(|(_, name)| name);
    candidates.extend(bare);
    let list = format!("places: {}", known.join(", "));
    let help = match crate::manifest::did_you_mean(word, candidates) {
        Some(like) => format!("did you mean `{like}`? {list}; or an address"),
        None => format!("{list}; or an address"),
    };
    Err(Wrong { word: Word::From, message: format!("there is no place `{word}` here"), help })
}

/// Places from which can be asked.
fn places(judge: &Judge<'_>, vantages: &[Vantage]) -> Vec<String> {
    let mut known: Vec<String> = vantages.iter().map(|v| v.place.to_string()).collect();
    known.push("server".into());
    if judge.instances.iter().any(|i| i.deploy.admin_from.is_some() || !i.deploy.admin.is_empty()) {
        known.push(Place::Admin.to_string());
    }
    known.extend(judge.manifest.peers.iter().map(|p| Place::Peer(p.name.value.clone()).to_string()));
    known.extend(judge.instances.iter().map(|i| i.label().to_owned()));
    known
}

fn server(judge: &Judge<'_>, n: usize) -> Sender {
    let (device, instance) = (judge.site.server_of[n], &judge.instances[n]);
    let own = |family| {
        let own = instance.deploy.own(family).map(|host| judge.site.source_of(device, host));
        own.map_or_else(Set::empty, |a| Set::one(address_value(a)))
    };
    let (v4, v6) = (own(Family::V4), own(Family::V6));
    sender_on(judge, device, v4, v6)
}

/// Packets that a device of the site sends itself.
fn sender_on(judge: &Judge<'_>, device: usize, v4: Set, v6: Set) -> Sender {
    let who = judge.site.network.devices[device].name.to_string();
    let vantage = Vantage {
        place: Place::Own,
        name: who.clone(),
        device,
        v4: v4.clone(),
        v6: v6.clone(),
        ..judge.site.vantages[0].clone()
    };
    Sender { who, vantage, v4, v6 }
}

/// The senders with an address, or with one of a network.
fn address(judge: &Judge<'_>, n: usize, word: &str, net: IpNet) -> Result<Sender, Wrong> {
    let (family, set) = (Family::of(net.addr()), prefix_set(net));
    let sets = || match family {
        Family::V4 => (set.clone(), Set::empty()),
        Family::V6 => (Set::empty(), set.clone()),
    };
    let (v4, v6) = sets();
    if let Some(vantage) = judge.vantage_of(n, net) {
        let internet = vantage.place == Place::Internet;
        let who = if internet { "somebody on the internet".to_owned() } else { vantage.name.clone() };
        return Ok(Sender { who, vantage, v4, v6 });
    }
    let devices = &judge.site.network.devices;
    let own = devices.iter().position(|d| set.is_subset(&d.own_addresses(family)));
    own.map(|device| sender_on(judge, device, v4, v6)).ok_or_else(|| Wrong {
        word: Word::From,
        message: format!("`{word}` is no address of the internet or of a known network"),
        help: "private addresses and those of documents are not on the internet; state the network in a [[net]] table"
            .into(),
    })
}

fn shown(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

fn administrators(judge: &Judge<'_>, n: usize) -> Result<Vec<Sender>, Wrong> {
    let deploy = &judge.instances[n].deploy;
    if deploy.admin_from.as_ref().is_some_and(|a| a.value == Admin::Anywhere) {
        let v = judge.site.vantages[0].clone();
        let who = "the administrator, from anywhere".to_owned();
        return Ok(vec![Sender { who, v4: v.v4.clone(), v6: v.v6.clone(), vantage: v }]);
    }
    if deploy.admin.is_empty() {
        return Err(Wrong {
            word: Word::From,
            message: "it is not stated from where the site is administered".into(),
            help: "add `admin` to callpath.toml, or name an address".into(),
        });
    }
    let one = |a: &crate::manifest::At<IpNet>| {
        let sender = address(judge, n, &shown(a.value), a.value)?;
        Ok(Sender { who: format!("the administrator, {}", shown(a.value)), ..sender })
    };
    deploy.admin.iter().map(one).collect()
}
