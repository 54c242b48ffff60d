//! A filter that translates nothing, built from what its owner states: a provider's firewall, a security group.
//!
//! It passes packets on between two segments. The addresses that it has for that are nobody's (RFC 7335), so that no
//! configuration can name them.

use super::address::prefix_set;
use super::stated::{self, INSIDE, OUTSIDE, is, of_entry};
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::manifest::{Source, Traffic};
use crate::model::{
    Action, Device, Family, Hook, Interface, KeyField, Match, Part, Policy, Route, RouteTarget, StageKind, Step,
    ct_state, iface_value,
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// What is stated.
pub(super) struct Stated<'a> {
    /// Name for reports.
    pub name: &'a str,
    /// Which of the site's filters it is.
    pub number: usize,
    /// What it lets in.
    pub passes: &'a Traffic,
    /// What it lets out.
    pub out: &'a Traffic,
    /// It lets answers pass by themselves.
    pub tracks: bool,
    /// What it stands before; absent: everything.
    pub guards: Option<&'a [IpNet]>,
    /// Addresses at a place, where they are known.
    pub sources: &'a dyn Fn(&Source) -> Option<Set>,
    /// It has a configuration that is not read.
    pub read: bool,
    /// Where in the manifest this is stated.
    pub at: Range<usize>,
    /// Next hops outwards, by family (IPv4, IPv6); absent: the internet itself.
    pub hops: [Option<IpAddr>; 2],
}

/// The device; what it leads to inside is not known yet.
pub(super) fn device(s: &Stated<'_>) -> Device {
    let mut b = stated::Builder::new(s.at.clone(), true);
    let side = |name: &str| is(KeyField::InIface, Set::one(iface_value(name)));
    let accept = || Step::Act(Action::Accept);
    let mut rules: Vec<(&str, Vec<Step>)> = Vec::new();
    if let Some(guards) = s.guards {
        let guarded = Set::union(guards.iter().map(|n| prefix_set(*n)));
        // Addresses of both families are one kind of number: each family is asked apart.
        for (family, text) in [(Family::V4, "other IPv4 addresses"), (Family::V6, "other IPv6 addresses")] {
            let here = guards.iter().any(|n| Family::of(n.addr()) == family);
            let number = if family == Family::V4 { crate::model::nfproto::IPV4 } else { crate::model::nfproto::IPV6 };
            let of_family = || is(KeyField::Family, Set::one(number));
            let other = |part: Part| match is(KeyField::Header(part), guarded.clone()) {
                Step::Match(m) => Step::Match(Match { negate: true, ..m }),
                act @ Step::Act(_) => act,
            };
            let mut passes = |iface: &str, part: Part| {
                let mut steps = vec![side(iface), of_family()];
                steps.extend(here.then(|| other(part)));
                steps.push(accept());
                rules.push((text, steps));
            };
            passes("outside", Part::Dst);
            passes("inside", Part::Src);
        }
    }
    if s.tracks {
        rules.push(("answers pass", vec![is(KeyField::CtState, Set::one(ct_state::ESTABLISHED)), accept()]));
    }
    for (name, traffic, what) in [("outside", s.passes, "lets in"), ("inside", s.out, "lets out")] {
        match traffic {
            Traffic::None => {}
            Traffic::All(_) => rules.push(("everything passes", vec![side(name), accept()])),
            Traffic::Some(list) => rules.extend(list.iter().map(|entry| {
                let mut steps = vec![side(name)];
                steps.extend(of_entry(entry));
                steps.extend(stated::from(entry, s.sources));
                steps.push(accept());
                ("these ports pass", steps)
            })),
            Traffic::Unknown => {
                let supply = if s.read {
                    "its configuration is not read yet: say what it passes, `passes = [\"udp/…\", \"tcp/…\"]`, in place of \
                     `config`"
                } else {
                    "say what it passes: `passes = [\"udp/…\", \"tcp/…\"]` in its [[gateway]] table"
                };
                let doubt = b.doubt(format!("what {} {what}", s.name), supply);
                let may = is(KeyField::Unknown(doubt, 1), Set::one(1));
                rules.push(("may pass", vec![side(name), may, accept()]));
            }
        }
    }
    let rules = b.rules(rules);
    let chain = b.chain("what it passes", rules);
    if s.tracks {
        b.stage(Hook::Prerouting, StageKind::Track);
    }
    b.stage(Hook::Forward, StageKind::Filter { chain, policy: Policy::Drop, reroute: false });
    let number = u8::try_from(s.number % 64).unwrap_or_default();
    let addresses = |side: u8| -> Vec<IpNet> {
        let v4 = Ipv4Addr::new(192, 0, 0, 128 + 2 * number + side);
        let v6 = Ipv6Addr::new(0xfe80, 0, 0, 0, 0xf117, 0, 0, u16::from(1 + 2 * number + side));
        vec![IpAddr::from(v4).into(), IpAddr::from(v6).into()]
    };
    let iface = |name: &str, side: u8| Interface {
        name: name.into(),
        addresses: addresses(side),
        placeholder: true,
        ..Interface::default()
    };
    let mut interfaces = vec![Interface::default(), Interface::default()];
    interfaces[OUTSIDE] = iface("outside", 0);
    interfaces[INSIDE] = iface("inside", 1);
    let everything = |family: Family, hop: Option<IpAddr>| Route {
        to: IpNet::new_assert(family.address(0), 0),
        target: RouteTarget::Via(OUTSIDE, hop),
        table: MAIN,
        metric: 0,
    };
    Device {
        name: s.name.into(),
        interfaces,
        routes: vec![everything(Family::V4, s.hops[0]), everything(Family::V6, s.hops[1])],
        pipeline: b.pipeline,
        forwards: true,
        ..Device::default()
    }
}
