//! An address that a provider shares between customers by ports: a port set of MAP-E (RFC 7597 5.1), or a block of a carrier
//! NAT. A router shows it by using only some ports of the address for what leaves; packets to all others go to other
//! customers, and no forward of the router sees them.

use super::Builder;
use crate::cube::Set;
use crate::model::{
    Action, Device, Doubt, DoubtKind, Families, Hook, KeyField, NatTarget, Origin, OriginId, Part, Policy, Rule, Side,
    Stage, StageKind, Step, Test, address_value, iface_value,
};
use crate::site::address::one;
use crate::vocabulary::show_set;
use std::net::IpAddr;

/// A share holds at most half of all ports; more than that is only a choice of source ports.
const LARGEST: u128 = 32_768;

impl Builder<'_> {
    /// Ends packets to ports that are not among those of the outermost router: the rule that does, if it is certain.
    pub(super) fn share_ports(&mut self, internet: usize) -> Option<OriginId> {
        let (index, iface) = self.entries.iter().copied().next().filter(|(d, _)| self.router_at.contains(d))?;
        let public = self.public?;
        let device = &self.devices[index];
        let outer = &device.interfaces[iface];
        if !outer.addresses.iter().any(|n| n.addr() == public) {
            return None;
        }
        let ports = used(device, &outer.name, public)?;
        let name = device.name.to_string();
        let shown = show_set(&ports);
        // Several ranges are dealt out by a provider; one alone may be its owner's own choice.
        let certain = ports.ranges().len() > 1;
        if certain {
            self.assumptions.push(format!(
                "{public} is shared by ports, for {name} uses only {shown} of it: nothing else comes here"
            ));
        }
        let pipeline = &mut self.devices[internet].pipeline;
        let object = format!("the provider sends only ports {shown} of {public} to {name}");
        let origin = pipeline.add_origin(Origin {
            object: object.as_str().into(),
            text: object.as_str().into(),
            ..Origin::default()
        });
        let transport = Set::from_ranges([(6, 6), (17, 17)]);
        let mut steps = vec![
            Step::is(KeyField::Header(Part::Dst), one(public)),
            Step::is(KeyField::Header(Part::Proto), transport),
            Step::is(KeyField::Header(Part::DstPort), Set::range(0, 65535).minus(&ports)),
        ];
        if !certain {
            let doubt = pipeline.add_doubt(Doubt {
                origin,
                what: format!("whether only ports {shown} of {public} come to {name}: it uses no others for what leaves").into(),
                supply: "if a provider shares the address, forward ports of that block; if it is yours alone, let source NAT use all ports".into(),
                fixed: true,
                kind: DoubtKind::Fact,
            });
            steps.push(Step::is(KeyField::Unknown(doubt, 1), Set::one(1)));
        }
        steps.push(Step::Act(Action::Drop));
        let chain = pipeline.add_chain("share", origin, vec![Rule { steps: steps.into(), origin }]);
        let kind = StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
        pipeline.hooks[Hook::Egress as usize].push(Stage {
            kind,
            families: Families { v4: true, v6: false },
            interfaces: None,
        });
        certain.then_some(origin)
    }
}

/// The ports of an address that a device uses for whatever leaves by this interface; absent where it may use most of them.
fn used(device: &Device, outer: &str, public: IpAddr) -> Option<Set> {
    let mut all = Set::empty();
    for rule in device.pipeline.chains.iter().flat_map(|c| &c.rules) {
        let Some(t) = rule.steps.iter().find_map(|s| match s {
            Step::Act(Action::Translate(t)) if t.side == Side::Source => Some(t),
            _ => None,
        }) else {
            continue;
        };
        if !leaves(&rule.steps, outer) {
            continue;
        }
        for target in t.target.default.iter().chain(t.target.entries.iter().map(|(_, t)| t)) {
            let port = match target {
                NatTarget::To { addr: Some((lo, hi)), port, .. }
                    if *lo <= address_value(public) && address_value(public) <= *hi =>
                {
                    port
                }
                NatTarget::OutgoingAddress { port } => port,
                _ => continue,
            };
            let (lo, hi) = (*port)?;
            all = all.or(&Set::range(u128::from(lo), u128::from(hi)));
        }
    }
    (!all.is_empty() && all.count() <= LARGEST).then_some(all)
}

/// The rule is about TCP or UDP that leaves by this interface for anywhere, not about what was forwarded.
fn leaves(steps: &[Step], outer: &str) -> bool {
    steps.iter().all(|step| {
        let Step::Match(m) = step else { return true };
        let ([key], Test::In(set)) = (&m.keys[..], &m.test) else { return true };
        let has = |value: u128| set.contains(value) != m.negate;
        match key.field {
            KeyField::OutIface => has(iface_value(outer)),
            KeyField::Header(Part::Proto) => has(6) || has(17),
            KeyField::Header(Part::Dst) => set.count() > u128::from(u32::MAX) / 2 || m.negate,
            KeyField::CtStatus => false,
            _ => true,
        }
    })
}
