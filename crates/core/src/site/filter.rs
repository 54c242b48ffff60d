//! A filter that translates nothing, built from what its owner states: a provider's firewall, a security group.
//!
//! It passes packets on between two segments. The addresses that it has for that are nobody's (RFC 7335), so that no
//! configuration can name them.

use super::address::prefix_set;
use super::stated::{self, INSIDE, OUTSIDE, of_entry};
use crate::cube::Set;
use crate::dialect::iproute::MAIN;
use crate::dialect::{Counts, Files, WIRE, is_wire};
use crate::manifest::{At, Filter, Gateway, GatewayKind, Passes, Source, Traffic};
use crate::model::{
    Action, Device, Family, Hook, Interface, KeyField, Match, Part, Pipeline, Policy, Route, RouteTarget, SourceId,
    StageKind, Step, ct_state, iface_value,
};
use crate::snapshot::{InputError, Snapshot};
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
    let mut rules = spared(s.guards);
    if s.tracks {
        rules.push(("answers pass", vec![Step::is(KeyField::CtState, Set::one(ct_state::ESTABLISHED)), accept()]));
    }
    for (name, traffic, what) in [(WIRE[0], s.passes, "lets in"), (WIRE[1], s.out, "lets out")] {
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
                let may = Step::is(KeyField::Unknown(doubt, 1), Set::one(1));
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
    on_a_wire(s, b.pipeline)
}

/// The device with the rules of its configuration, and how much of that was understood.
pub(super) fn read(s: &Stated<'_>, files: &Files) -> (Device, Vec<(SourceId, Counts)>) {
    let mut device = on_a_wire(s, Pipeline::default());
    let counts = files.lower(&mut device);
    // What it does not stand before meets none of its lists.
    let mut b = stated::Builder::new(s.at.clone(), true);
    b.pipeline = device.pipeline;
    let rules = b.rules(spared(s.guards));
    let chains = b.pipeline.hooks[Hook::Forward as usize].iter().filter_map(|stage| match stage.kind {
        StageKind::Filter { chain, .. } => Some(chain.0 as usize),
        _ => None,
    });
    for chain in chains.collect::<Vec<_>>() {
        b.pipeline.chains[chain].rules.splice(0..0, rules.iter().cloned());
    }
    device.pipeline = b.pipeline;
    (device, counts)
}

/// A gateway of which nothing is said but its configuration, where that is one of a filter on a wire.
///
/// # Errors
/// Keys that such a filter has no use for.
pub(super) fn of_files(snapshot: &Snapshot, gateway: &Gateway) -> Result<Option<Filter>, InputError> {
    let wire = |files: &[At<String>]| is_wire(snapshot, files);
    match &gateway.kind {
        GatewayKind::Read { files, boot, wan, interfaces, routes, aliases, kernel } if wire(files) => {
            let of_routers = [
                ("boot", boot.first().map(|b| &b.span)),
                ("wan", wan.as_ref().map(|w| &w.span)),
                ("interfaces", interfaces.first().map(|(name, _)| &name.span)),
                ("routes", routes.first().map(|r| &r.span)),
                ("aliases", aliases.first().map(|(name, _)| &name.span)),
                ("kernel", kernel.list.first().map(|k| &k.at)),
                ("line", gateway.line.as_ref().map(|l| &l.span)),
            ];
            if let Some((key, at)) = of_routers.into_iter().find_map(|(key, at)| Some((key, at?))) {
                let message = format!("`{key}` is for a router, and this is the configuration of a filter");
                return Err(InputError::in_manifest(at.clone(), message)
                    .help("leave it out: a filter without NAT has neither addresses nor routes"));
            }
            let first = files.first().map_or(0..0, |f| f.span.clone());
            let passes = Passes::Files(files.clone());
            let out = At { value: Traffic::All(None), span: first };
            Ok(Some(Filter { passes, out, tracks: true, guards: None, beside: None }))
        }
        GatewayKind::Filter(Filter { passes: Passes::Files(files), beside: Some(key), .. }) if wire(files) => {
            let message = format!("`{}` is stated beside a configuration that says it", key.value);
            Err(key.error(message).help("leave it out: what the configuration says decides"))
        }
        _ => Ok(None),
    }
}

/// Rules for addresses that it does not stand before.
fn spared(guards: Option<&[IpNet]>) -> Vec<(&'static str, Vec<Step>)> {
    let mut rules: Vec<(&str, Vec<Step>)> = Vec::new();
    if let Some(guards) = guards {
        let guarded = Set::union(guards.iter().map(|n| prefix_set(*n)));
        // Addresses of both families are one kind of number: each family is asked apart.
        for (family, text) in [(Family::V4, "other IPv4 addresses"), (Family::V6, "other IPv6 addresses")] {
            let here = guards.iter().any(|n| Family::of(n.addr()) == family);
            let number = if family == Family::V4 { crate::model::nfproto::IPV4 } else { crate::model::nfproto::IPV6 };
            let of_family = || Step::is(KeyField::Family, Set::one(number));
            let other = |part: Part| match Step::is(KeyField::Header(part), guarded.clone()) {
                Step::Match(m) => Step::Match(Match { negate: true, ..m }),
                act @ Step::Act(_) => act,
            };
            let mut passes = |iface: &str, part: Part| {
                let mut steps = vec![side(iface), of_family()];
                steps.extend(here.then(|| other(part)));
                steps.push(accept());
                rules.push((text, steps));
            };
            passes(WIRE[0], Part::Dst);
            passes(WIRE[1], Part::Src);
        }
    }
    rules
}

fn side(name: &str) -> Step {
    Step::is(KeyField::InIface, Set::one(iface_value(name)))
}

fn accept() -> Step {
    Step::Act(Action::Accept)
}

/// A device that passes on what its pipeline lets through, between two segments.
fn on_a_wire(s: &Stated<'_>, pipeline: Pipeline) -> Device {
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
    interfaces[OUTSIDE] = iface(WIRE[0], 0);
    interfaces[INSIDE] = iface(WIRE[1], 1);
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
        pipeline,
        forwards: true,
        ..Device::default()
    }
}
