//! Kinds of callers: what their own network and their program do to a call.
//!
//! On the internet a caller's router is a device like any other, with one short cut: the caller has the address that
//! the world sees, because the one behind it matters to nobody. The router keeps sessions, drops what nobody asked for,
//! and picks the source port.

use super::ice::Offer;
use crate::cube::Set;
use crate::manifest::Place;
use crate::model::{
    Action, Device, Families, Family, Hook, KeyField, Lookup, NatTarget, Origin, Policy, Rule, Side, Stage, StageKind,
    Step, Translate, ct_state,
};
use crate::site::Site;
use crate::trace::Network;
use crate::vocabulary::CallerKind as Kind;
use std::sync::Arc;

impl Kind {
    /// Kinds of callers at a place; the server itself is none. Without ICE nobody hides an address inside, and no other
    /// way than UDP is there.
    pub(super) fn at(place: &Place, ice: bool) -> &'static [Self] {
        match place {
            Place::Internet if ice => &[Self::Public, Self::Home, Self::Symmetric, Self::UdpBlocked],
            Place::Internet => &[Self::Public, Self::Home, Self::Symmetric],
            Place::Lan | Place::Net(_) | Place::Caller(_) if ice => &[Self::App, Self::Listening],
            Place::Lan | Place::Net(_) | Place::Caller(_) | Place::Own | Place::Admin | Place::Peer(_) => &[],
        }
    }

    /// What the caller can offer an ICE server. `stun`: clients know a STUN server.
    pub(super) fn offers(self, site: &Site, family: Family, stun: bool) -> Vec<Offer> {
        let device = site.internet;
        let reflexive = || {
            let address = site.vantages[0].sources(family).min();
            address.filter(|_| stun).map(|address| Offer::Reflexive { device, address })
        };
        match self {
            Self::Public => vec![Offer::Own],
            // IPv6 needs no translation: the address inside is the one outside.
            Self::Home | Self::Symmetric if family == Family::V6 => vec![Offer::Own],
            // The address behind the router leads nowhere; what a STUN server sees is the outer one, same port.
            Self::Home if stun => vec![Offer::Own],
            Self::Symmetric if stun => vec![Offer::Elsewhere { device }],
            Self::Home | Self::Symmetric | Self::UdpBlocked => Vec::new(),
            Self::App => [Offer::Own].into_iter().chain(reflexive()).collect(),
            Self::Listening => reflexive().into_iter().collect(),
        }
    }

    /// The network as it is for this kind of caller.
    pub(crate) fn network(self, site: &Site) -> Option<Network> {
        if !matches!(self, Self::Home | Self::Symmetric) {
            return None;
        }
        let mut network = site.network.clone();
        let caller = &mut network.devices[site.internet];
        caller.name = "the caller's own router".into();
        router(caller, self == Self::Symmetric);
        Some(network)
    }
}

/// A router that keeps sessions and drops what nobody asked for. `random`: each session gets a source port of its own.
fn router(device: &mut Device, random: bool) {
    let pipeline = &mut device.pipeline;
    let mut chain = |name: &str, text: &str, steps: Vec<Step>| {
        let origin = Origin { object: name.into(), text: text.into(), ..Origin::default() };
        let origin = pipeline.add_origin(origin);
        pipeline.add_chain(name, origin, vec![Rule { steps: steps.into(), origin }])
    };
    let known = Step::is(KeyField::CtState, Set::one(ct_state::ESTABLISHED));
    let input = chain("unasked", "only answers come in", vec![known, Step::Act(Action::Accept)]);
    let port = NatTarget::To { addr: None, v6: false, port: Some((1024, 65535)), keep_host_bits: false };
    let translate = Translate { side: Side::Source, target: Arc::new(Lookup::fixed(port)), random: true };
    let ports = random.then(|| chain("ports", "a new port for each", vec![Step::Act(Action::Translate(translate))]));
    let mut add = |hook: Hook, kind| {
        // What translates has nothing to do for IPv6.
        let v6 = !matches!(kind, StageKind::Translate { .. });
        pipeline.hooks[hook as usize].push(Stage { kind, families: Families { v4: true, v6 }, interfaces: None });
    };
    let source = ports.map(|c| (c, Policy::Accept)).into_iter().collect();
    for hook in [Hook::Prerouting, Hook::Output] {
        add(hook, StageKind::Track);
        add(hook, StageKind::Translate { side: Side::Destination, chains: Vec::new() });
    }
    add(Hook::Input, StageKind::Filter { chain: input, policy: Policy::Drop, reroute: false });
    add(Hook::Input, StageKind::Translate { side: Side::Source, chains: Vec::new() });
    add(Hook::Postrouting, StageKind::Translate { side: Side::Source, chains: source });
}
