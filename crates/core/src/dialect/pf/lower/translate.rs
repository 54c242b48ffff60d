//! Translation rules.

use super::hosts::first_address;
use super::{Lowering, is, marks, matches};
use crate::cube::Set;
use crate::dialect::pf::ast::{Action as Does, Direction, Pool, PoolAddress, PoolPort, Rule, Unknown};
use crate::model::{
    Action, ChainId, Family, Key, KeyField, Lookup, NatTarget, Part, Rule as ModelRule, Side, Step, Translate,
    address_value, prefix_range,
};
use std::sync::Arc;

impl<'a> Lowering<'a> {
    /// Chains of one family: forwards, 1:1 inwards, 1:1 outwards, translation of what leaves. Of two translations that
    /// match, pf takes the one of the more special kind: forwards before 1:1, 1:1 before the rest (`pf_get_translation`).
    pub(super) fn translations(&mut self, family: Family) -> [ChainId; 4] {
        let rules = self.rules;
        let mut rdr = Vec::new();
        for rule in &rules.rdr {
            self.translation(rule, family, Side::Destination, &mut rdr);
        }
        let mut nat = Vec::new();
        for rule in &rules.nat {
            self.translation(rule, family, Side::Source, &mut nat);
        }
        let (mut inwards, mut outwards) = (Vec::new(), Vec::new());
        for rule in &rules.binat {
            self.both_ways(rule, family, &mut inwards, &mut outwards);
        }
        [
            self.chain("forwards", rdr),
            self.chain("1:1 in", inwards),
            self.chain("1:1 out", outwards),
            self.chain("outbound", nat),
        ]
    }

    pub(super) fn translation(&mut self, rule: &'a Rule, family: Family, side: Side, out: &mut Vec<ModelRule>) {
        let direction = if side == Side::Destination { Direction::In } else { Direction::Out };
        let Some(starts) = self.matches(rule, family, direction) else { return };
        let origin = self.pipeline.add_origin(rule.origin.clone());
        if let (Does::Translate(pool), Side::Destination) = (&rule.action, side) {
            self.relayed(rule, pool);
        }
        let targets = match &rule.action {
            Does::Translate(pool) => self.targets(rule, pool, family, side),
            _ => vec![(None, Vec::new())],
        };
        for start in starts {
            for (ports, actions) in &targets {
                let mut steps = start.clone();
                if let Some((lo, hi)) = ports {
                    steps.push(is(KeyField::Header(Part::DstPort), Set::range(u128::from(*lo), u128::from(*hi))));
                }
                if let Some(unknown) = &rule.doubt {
                    let doubt = self.doubt(&rule.origin, unknown, true);
                    steps.push(Step::Act(Action::Unmodelled(crate::model::Ways::Anything, doubt)));
                }
                if let Some(tag) = &rule.tag {
                    let number = self.tag(tag);
                    steps.push(marks::set_mark(marks::TAG, number << 16));
                }
                if rule.pass {
                    steps.push(marks::set_mark(marks::PASSED, marks::PASSED));
                }
                if actions.is_empty() {
                    // `no nat`, `no rdr`: this kind of translation is over for the packet.
                    steps.push(Step::Act(Action::Accept));
                }
                steps.extend(actions.iter().cloned());
                out.push(ModelRule { steps: steps.into(), origin });
            }
        }
    }

    /// Connections that are handed to a program on the device itself, such as pfSense's reflection proxies.
    fn relayed(&mut self, rule: &Rule, pool: &Pool) {
        let local = |a: &PoolAddress| matches!(a, PoolAddress::Net(n) if n.addr().is_loopback());
        if !pool.addresses.iter().all(local) || !(rule.protocols.is_empty() || rule.protocols.contains(&6)) {
            return;
        }
        for (lo, hi) in rule.ports.iter().flatten() {
            let ports = match pool.port {
                PoolPort::One(to) => (to, to),
                PoolPort::From(to) => (to, to.saturating_add(hi - lo)),
                PoolPort::Same | PoolPort::Random(..) => (*lo, *hi),
            };
            if !self.relays.contains(&ports) {
                self.relays.push(ports);
            }
        }
    }

    /// Actions of a translation, by the ports that they are for where a rule names several.
    fn targets(&mut self, rule: &'a Rule, pool: &'a Pool, family: Family, side: Side) -> Vec<Target> {
        let addresses = self.pool(pool, family);
        let random = matches!(pool.port, PoolPort::Random(..));
        let make = |lowering: &mut Self, port: Port| -> Vec<Step> {
            let target = |addr: (u128, u128)| match port {
                Port::Moved(by) => NatTarget::Moved { addr: Some(addr), v6: family == Family::V6, by },
                Port::Kept(port) => {
                    NatTarget::To { addr: Some(addr), v6: family == Family::V6, port, keep_host_bits: pool.bitmask }
                }
            };
            let lookup = match addresses[..] {
                [] => match (side, port) {
                    // The interface that it leaves by has an address that nobody told.
                    (Side::Source, Port::Kept(port)) => Lookup::fixed(NatTarget::OutgoingAddress { port }),
                    _ => return Vec::new(),
                },
                [one] => Lookup::fixed(target(one)),
                _ => {
                    let what = "which of several addresses the firewall takes: it uses them in turn";
                    let unknown = Unknown { what: what.into(), supply: Box::default() };
                    let doubt = lowering.doubt(&rule.origin, &unknown, false);
                    let entry =
                        |(i, a): (usize, &(u128, u128))| (vec![Set::one(i as u128)].into_boxed_slice(), target(*a));
                    Lookup {
                        keys: [Key::of(KeyField::Unknown(doubt, 8))].into(),
                        entries: addresses.iter().enumerate().map(entry).collect(),
                        default: Some(target(addresses[0])),
                    }
                }
            };
            vec![Step::Act(Action::Translate(Translate { side, target: Arc::new(lookup), random }))]
        };
        match (pool.port, rule.ports.as_deref()) {
            (PoolPort::Same, _) => vec![(None, make(self, Port::Kept(None)))],
            (PoolPort::Random(lo, hi), _) => vec![(None, make(self, Port::Kept(Some((lo, hi)))))],
            (PoolPort::From(to), None) | (PoolPort::One(to), _) => vec![(None, make(self, Port::Kept(Some((to, to)))))],
            (PoolPort::From(to), Some(ranges)) => ranges
                .iter()
                .map(|(lo, hi)| {
                    let port = match (lo == hi, *lo == to) {
                        (true, _) => Port::Kept(Some((to, to))),
                        (false, true) => Port::Kept(None),
                        (false, false) => Port::Moved(to.wrapping_sub(*lo)),
                    };
                    (Some((*lo, *hi)), make(self, port))
                })
                .collect(),
        }
    }

    fn pool(&mut self, pool: &'a Pool, family: Family) -> Vec<(u128, u128)> {
        let mut out = Vec::new();
        for address in &pool.addresses {
            match address {
                PoolAddress::Net(n) if Family::of(n.addr()) == family => {
                    // `10.0.0.1/24` as a target of plain translation is written for the one address.
                    let host = address_value(n.addr());
                    out.push(if pool.bitmask || n.addr() == n.network() { prefix_range(*n) } else { (host, host) });
                }
                PoolAddress::Net(_) => {}
                PoolAddress::Address(device) => {
                    out.extend(first_address(self.interfaces, device, family).map(|a| (a, a)));
                }
                PoolAddress::Table(name) => {
                    if let Some(table) = self.rules.tables.get(name) {
                        let set = &self.table(name, table, family)[0][0];
                        out.extend(set.ranges().iter().copied().filter(|_| set.count() <= 64));
                    }
                }
            }
        }
        out
    }

    fn both_ways(
        &mut self,
        rule: &'a Rule,
        family: Family,
        inwards: &mut Vec<ModelRule>,
        outwards: &mut Vec<ModelRule>,
    ) {
        let (Some(starts), [inner]) = (self.matches(rule, family, Direction::Out), &rule.from.list[..]) else { return };
        let crate::dialect::pf::ast::Host::Net(inner) = inner else { return };
        let origin = self.pipeline.add_origin(rule.origin.clone());
        let Does::Translate(pool) = &rule.action else {
            for steps in starts {
                let steps: Vec<Step> = steps.into_iter().chain([Step::Act(Action::Accept)]).collect();
                outwards.push(ModelRule { steps: steps.into(), origin });
            }
            return;
        };
        let Some(&outer) = self.pool(pool, family).first() else { return };
        let v6 = family == Family::V6;
        let to = |addr, side| {
            let target = NatTarget::To { addr: Some(addr), v6, port: None, keep_host_bits: true };
            Step::Act(Action::Translate(Translate { side, target: Arc::new(Lookup::fixed(target)), random: false }))
        };
        for steps in starts {
            let steps: Vec<Step> = steps.into_iter().chain([to(outer, Side::Source)]).collect();
            outwards.push(ModelRule { steps: steps.into(), origin });
        }
        let mut steps = Vec::new();
        if let Some(on) = &rule.on {
            let devices = self.devices(&on.names);
            steps.push(matches(Key::of(KeyField::InIface), devices, on.negate));
        }
        steps.extend(Self::transport(&rule.protocols, None, None).unwrap_or_default());
        for start in self.hosts(&rule.to, Part::Src, family, &rule.origin) {
            let mut steps: Vec<Step> = steps.iter().cloned().chain(start).collect();
            steps.push(is(KeyField::Header(Part::Dst), Set::range(outer.0, outer.1)));
            steps.push(to(prefix_range(*inner), Side::Destination));
            inwards.push(ModelRule { steps: steps.into(), origin });
        }
    }
}

/// Ports that an action is for, where a rule names several ranges, and the action.
type Target = (Option<(u16, u16)>, Vec<Step>);

/// What becomes of the port.
#[derive(Clone, Copy)]
enum Port {
    /// Kept, or one of these.
    Kept(Option<(u16, u16)>),
    /// Moved by this much, modulo 2¹⁶.
    Moved(u16),
}
