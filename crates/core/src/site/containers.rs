//! Containers on a server: addresses that its own rules forward to, on networks of its own. Their rules are followed like
//! any others; which service listens in them, no input tells.

use super::address::prefix_set;
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::model::{
    Action, Device, Doubt, DoubtKind, Endpoint, Families, Family, Hook, Interface, KeyField, Lookup, NatTarget, Origin,
    Part, Pipeline, Policy, Route, RouteTarget, Rule, Side, Stage, StageKind, Step, Test, Ways, address_value,
    iface_value,
};
use ipnet::IpNet;
use std::net::IpAddr;

/// How to settle where a container is.
const SUPPLY: &str = "add what `ip -j addr` and `ip -j route` print on the server to `firewall`";

/// More addresses than this are a network, and no list of containers.
const MOST: u128 = 4096;

/// Addresses other than the device's own to which its rules send packets.
fn targets(device: &Device, family: Family) -> Set {
    let loopback = match family {
        Family::V4 => prefix_set(IpNet::new_assert(std::net::Ipv4Addr::LOCALHOST.into(), 8)),
        Family::V6 => Set::one(address_value(std::net::Ipv6Addr::LOCALHOST.into())),
    };
    let mut out = Set::empty();
    let rules = device.pipeline.chains.iter().flat_map(|c| &c.rules);
    for step in rules.flat_map(|r| &r.steps) {
        let Step::Act(Action::Translate(t)) = step else { continue };
        if t.side != Side::Destination {
            continue;
        }
        let lookup: &Lookup<NatTarget> = &t.target;
        for target in lookup.default.iter().chain(lookup.entries.iter().map(|(_, t)| t)) {
            if let NatTarget::To { addr: Some((lo, hi)), v6, .. } | NatTarget::Moved { addr: Some((lo, hi)), v6, .. } =
                target
                && *v6 == (family == Family::V6)
            {
                out = out.or(&Set::range(*lo, *hi));
            }
        }
    }
    out.minus(&device.own_addresses(family)).minus(&loopback)
}

/// Interfaces that no dump of addresses names, but that rules name together with an address that they forward to.
/// `outer`: the interface with the server's own address.
pub(super) fn infer(device: &mut Device, outer: usize) {
    for family in [Family::V4, Family::V6] {
        for lo in each(&targets(device, family)) {
            if way(device, family.address(lo)).is_some() {
                continue;
            }
            let mut named: Vec<u128> = names(&device.pipeline, lo);
            named.retain(|n| *n != iface_value(&device.interfaces[outer].name));
            let [name] = named[..] else { continue };
            let Some(name) = iface_name(name) else { continue };
            let index = device.interface(&name).unwrap_or_else(|| {
                // Its own address there is not known; any neighbour's does for a next hop.
                let beside = IpNet::from(family.address(if lo & 0xff == 1 { lo + 1 } else { lo & !0xff | 1 }));
                let addresses = vec![beside];
                device.interfaces.push(Interface { name: name.as_str().into(), addresses, ..Interface::default() });
                device.interfaces.len() - 1
            });
            let to = family.address(lo).into();
            device.routes.push(Route { to, target: RouteTarget::Via(index, None), table: MAIN, metric: 0 });
        }
    }
}

/// The addresses of a set, as far as they can be listed.
fn each(set: &Set) -> Vec<u128> {
    let short = set.ranges().iter().filter(|(lo, hi)| hi - lo < MOST);
    short.flat_map(|(lo, hi)| *lo..=*hi).take(usize::try_from(MOST).unwrap_or(usize::MAX)).collect()
}

/// The interface by which an address is reached without a default route.
fn way(device: &Device, address: IpAddr) -> Option<usize> {
    let holds = |i: &Interface| i.addresses.iter().any(|n| n.prefix_len() < n.max_prefix_len() && n.contains(&address));
    let routed = device.routes.iter().filter(|r| r.to.prefix_len() > 0 && r.to.contains(&address));
    let routed = routed.max_by_key(|r| r.to.prefix_len()).and_then(|r| r.target.ways().first().map(|(i, _)| *i));
    device.interfaces.iter().position(holds).or(routed)
}

/// Interfaces that one rule names together with this address: as the way out to it, else as what is no way out from it.
fn names(pipeline: &Pipeline, address: u128) -> Vec<u128> {
    let (mut out, mut behind) = (Vec::new(), Vec::new());
    for rule in pipeline.chains.iter().flat_map(|c| &c.rules) {
        let (mut to, mut from, mut leaves, mut not) = (false, false, None, None);
        for m in rule.steps.iter().filter_map(|s| if let Step::Match(m) = s { Some(m) } else { None }) {
            let ([key], Test::In(set)) = (&m.keys[..], &m.test) else { continue };
            match (key.field, key.mask.is_none(), m.negate) {
                (KeyField::Header(Part::Dst), true, false) => to = set.contains(address) && set.count() <= MOST,
                (KeyField::Header(Part::Src), true, false) => from = set.contains(address) && set.count() <= 1 << 16,
                (KeyField::OutIface, true, false) => leaves = set.single(),
                (KeyField::OutIface, true, true) => not = set.single(),
                _ => {}
            }
        }
        let add = |list: &mut Vec<u128>, name: Option<u128>| list.extend(name.filter(|n| !list.contains(n)));
        if to {
            add(&mut out, leaves);
        }
        if from {
            add(&mut behind, not);
        }
    }
    if out.is_empty() { behind } else { out }
}

/// The name that an interface's value stands for.
fn iface_name(value: u128) -> Option<String> {
    let bytes = value.to_be_bytes();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let name = std::str::from_utf8(&bytes[..end]).ok()?;
    (iface_value(name) == value && !name.is_empty()).then(|| name.to_owned())
}

/// What was found on a server: the devices that stand for its containers, and their addresses.
pub(super) struct Found {
    pub devices: Vec<Device>,
    pub addresses: Vec<IpAddr>,
}

/// The containers on a server that stands on its segments already. It passes packets on to them; of addresses of which
/// nothing tells where they are, it is not known what becomes of their packets.
pub(super) fn on(server: &mut Device, outer: usize) -> Found {
    let mut found = Found { devices: Vec::new(), addresses: Vec::new() };
    let mut lost = [Set::empty(), Set::empty()];
    let mut behind: Vec<(usize, [Set; 2])> = Vec::new();
    for (n, family) in [Family::V4, Family::V6].into_iter().enumerate() {
        let all = targets(server, family);
        if all.is_empty() {
            continue;
        }
        server.forwards = true;
        let listed = each(&all).into_iter().map(|a| (a, a));
        for (lo, hi) in listed.chain(all.ranges().iter().copied().filter(|(lo, hi)| hi - lo >= MOST)) {
            let (first, range) = (family.address(lo), Set::range(lo, hi));
            match way(server, first) {
                // Neighbours of the server are hosts of their own.
                Some(i) if i == outer => {}
                Some(i) => {
                    found.addresses.push(first);
                    let known = behind.iter().position(|(known, _)| *known == i).unwrap_or_else(|| {
                        behind.push((i, [Set::empty(), Set::empty()]));
                        behind.len() - 1
                    });
                    let sets = &mut behind[known].1;
                    sets[n] = sets[n].or(&range);
                }
                // An address of the internet is another host's.
                None if super::address::is_public(first) => {}
                None => lost[n] = lost[n].or(&range),
            }
        }
    }
    let name = format!("a container of {}", server.name);
    for (index, [v4, v6]) in behind {
        let iface = &server.interfaces[index];
        let mut routes = Vec::new();
        for family in [Family::V4, Family::V6] {
            if let Some(hop) = super::address_of(iface, family) {
                for (to, hop) in [(IpNet::from(hop), None), (super::everything(family), Some(hop))] {
                    routes.push(Route { to, target: RouteTarget::Via(0, hop), table: MAIN, metric: 0 });
                }
            }
        }
        let segment = iface.segment;
        let own = Interface { name: "eth0".into(), segment, hosts_v4: v4, hosts_v6: v6, ..Interface::default() };
        found.devices.push(Device {
            name: name.as_str().into(),
            interfaces: vec![own],
            routes,
            is_host: true,
            endpoints: [6, 17].map(anything).into(),
            ..Device::default()
        });
    }
    doubt(server, lost);
    found
}

/// Something listens, whatever it is.
fn anything(proto: u8) -> Endpoint {
    Endpoint { answers_as_routed: false, proto, ports: (1, 65535), bind: None, name: "not given".into() }
}

/// What becomes of packets for these addresses is not known.
fn doubt(server: &mut Device, lost: [Set; 2]) {
    for (set, family) in lost.into_iter().zip([Family::V4, Family::V6]) {
        let Some(first) = set.min() else { continue };
        let origin = server.pipeline.add_origin(Origin::default());
        let what = format!("which interface of {} leads to {}", server.name, family.address(first));
        let doubt = server.pipeline.add_doubt(Doubt {
            origin,
            what: what.into(),
            supply: SUPPLY.into(),
            fixed: true,
            kind: DoubtKind::Fact,
        });
        let steps = [Step::is(KeyField::Header(Part::Dst), set), Step::Act(Action::Unmodelled(Ways::Anything, doubt))];
        let rules = vec![Rule { steps: steps.into(), origin }];
        let chain = server.pipeline.add_chain("containers", origin, rules);
        let kind = StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
        let families = Families { v4: family == Family::V4, v6: family == Family::V6 };
        // Before the rules that name interfaces: none of them can be taken at its word.
        for hook in [Hook::Forward, Hook::Postrouting] {
            let stage = Stage { kind: kind.clone(), families, interfaces: None };
            server.pipeline.hooks[hook as usize].insert(0, stage);
        }
    }
}
