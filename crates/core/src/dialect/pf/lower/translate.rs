//! Translation rules.

use super::hosts;
use super::{Lowering, marks};
use crate::cube::Set;
use crate::dialect::pf::ast::{Action as Does, Direction, Entry, Host, Pool, PoolAddress, PoolPort, Rule, Unknown};
use crate::model::{
    Action, ChainId, Family, Key, KeyField, Lookup, NatTarget, Part, Rule as ModelRule, Side, Step, Translate, Ways,
    address_value, prefix_range,
};
use ipnet::IpNet;
use std::sync::Arc;

/// More addresses than this are not followed one by one.
const MOST_TARGETS: u128 = 64;

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
            Does::Translate(pool) if self.only_other_family(pool, family) => return,
            Does::Translate(pool) => self.targets(rule, pool, family, side),
            _ => vec![(None, Vec::new())],
        };
        for start in starts {
            for (ports, actions) in &targets {
                let mut steps = start.clone();
                if let Some((lo, hi)) = ports {
                    steps.push(Step::is(KeyField::Header(Part::DstPort), Set::range(u128::from(*lo), u128::from(*hi))));
                }
                if let Some((unknown, unread)) = rule.anything() {
                    let doubt = self.doubt(&rule.origin, unknown, unread);
                    steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
                }
                if let Ok(label) = self.label(rule) {
                    steps.extend(label);
                } else {
                    let doubt = self.doubt(&rule.origin, &marks::too_many("labels"), false);
                    steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
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
        let addresses = match self.pool(pool, family) {
            Ok(addresses) => addresses,
            Err(_) if side == Side::Source && is_masquerade(rule, pool) => Vec::new(),
            Err(unknown) => {
                let doubt = self.doubt(&rule.origin, &unknown, false);
                return vec![(None, vec![Step::Act(Action::Unmodelled(Ways::Anything, doubt))])];
            }
        };
        let random = matches!(pool.port, PoolPort::Random(..));
        let make = |lowering: &mut Self, port: Port| -> Vec<Step> {
            let target = |addr: (u128, u128)| match port {
                Port::Moved(by) => NatTarget::Moved { addr: Some(addr), v6: family == Family::V6, by },
                Port::Kept(port) => {
                    NatTarget::To { addr: Some(addr), v6: family == Family::V6, port, keep_host_bits: pool.bitmask }
                }
            };
            let lookup = match addresses[..] {
                // The interface that it leaves by has an address that nobody told.
                [] => Lookup::fixed(NatTarget::OutgoingAddress {
                    port: match port {
                        Port::Kept(port) => port,
                        Port::Moved(_) => None,
                    },
                }),
                [one] => Lookup::fixed(target(one)),
                _ => {
                    let what = "which of several addresses the firewall takes: it uses them in turn";
                    let unknown = Unknown { what: what.into(), ..Unknown::default() };
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

    /// Addresses of a pool.
    ///
    /// # Errors
    /// What is not known about it: an address too few may be the one that pf takes.
    fn pool(&mut self, pool: &'a Pool, family: Family) -> Result<Vec<(u128, u128)>, Unknown> {
        let mut out = Vec::new();
        for address in &pool.addresses {
            match address {
                PoolAddress::Net(n) if Family::of(n.addr()) == family => {
                    // `10.0.0.1/24` as a target of plain translation is written for the one address.
                    let host = address_value(n.addr());
                    out.push(if pool.bitmask || n.addr() == n.network() { prefix_range(*n) } else { (host, host) });
                }
                PoolAddress::Net(_) => {}
                PoolAddress::Address(device) | PoolAddress::First(device) => {
                    let all = self.usable(device, family, matches!(address, PoolAddress::First(_)));
                    if all.is_empty() {
                        return Err(unknown_address(device));
                    }
                    out.extend(all.into_iter().map(|a| (a, a)));
                }
                PoolAddress::Table(name) => {
                    let table = self.rules.tables.get(name).ok_or_else(|| hosts::no_table(name))?;
                    if let Some(unknown) = &table.unknown {
                        return Err(unknown.clone());
                    }
                    let set = &self.table(name, table, family)[0][0];
                    if set.count() > MOST_TARGETS {
                        let what = format!("which of the {} addresses in <{name}> the firewall takes", set.count());
                        return Err(Unknown { what: what.into(), ..Unknown::default() });
                    }
                    out.extend(set.ranges());
                }
            }
        }
        if out.is_empty() {
            let what = "what the firewall translates to: its target holds no address";
            return Err(Unknown { what: what.into(), ..Unknown::default() });
        }
        Ok(out)
    }

    /// A pool that holds addresses of the other family only makes no rule for this one.
    fn only_other_family(&self, pool: &Pool, family: Family) -> bool {
        let other = |address: &PoolAddress| match address {
            PoolAddress::Net(n) => Family::of(n.addr()) != family,
            PoolAddress::Address(_) | PoolAddress::First(_) => false,
            PoolAddress::Table(name) => self.rules.tables.get(name).is_some_and(|t| {
                let of_other = |e: &Entry| match e {
                    Entry::Net(n) | Entry::Not(n) => Family::of(n.addr()) != family,
                    Entry::Range(..) => family == Family::V6,
                };
                t.unknown.is_none() && !t.entries.is_empty() && t.entries.iter().all(of_other)
            }),
        };
        !pool.addresses.is_empty() && pool.addresses.iter().all(other)
    }

    fn both_ways(
        &mut self,
        rule: &'a Rule,
        family: Family,
        inwards: &mut Vec<ModelRule>,
        outwards: &mut Vec<ModelRule>,
    ) {
        let Some(starts) = self.matches(rule, family, Direction::Out) else { return };
        let origin = self.pipeline.add_origin(rule.origin.clone());
        let Does::Translate(pool) = &rule.action else {
            for steps in starts {
                let steps: Vec<Step> = steps.into_iter().chain([Step::Act(Action::Accept)]).collect();
                outwards.push(ModelRule { steps: steps.into(), origin });
            }
            return;
        };
        if self.only_other_family(pool, family) {
            return;
        }
        let ends = match (&rule.from.list[..], rule.anything()) {
            (_, Some((unknown, _))) => Err(unknown.clone()),
            ([Host::Net(inner)], _) if Family::of(inner.addr()) != family => return,
            ([Host::Net(inner)], _) if !rule.from.negate && rule.tag.is_none() => {
                self.pool(pool, family).map(|all| (*inner, all[0]))
            }
            // "Any" is the network of all addresses: coming in, the destination stays what it is.
            ([], _) if rule.tag.is_none() => {
                self.pool(pool, family).map(|all| (IpNet::new_assert(family.address(0), 0), all[0]))
            }
            _ => Err(Unknown {
                what: "what this 1:1 translation does: it is not for exactly one network".into(),
                ..Unknown::default()
            }),
        };
        let mut inwards_start = Vec::new();
        if let Some(on) = &rule.on {
            inwards_start.push(self.on(KeyField::InIface, &on.names, on.negate, &rule.origin));
        }
        inwards_start.extend(Self::transport(&rule.protocols, None, None).unwrap_or_default());
        let callers = self.hosts(&rule.to, Part::Src, family, &rule.origin);
        let inwards_starts =
            callers.into_iter().map(|caller| inwards_start.iter().cloned().chain(caller).collect::<Vec<Step>>());
        let (inner, outer) = match ends {
            Ok(ends) => ends,
            Err(unknown) => {
                let doubt = self.doubt(&rule.origin, &unknown, rule.doubt.is_some());
                let anything = Step::Act(Action::Unmodelled(Ways::Anything, doubt));
                let made = |steps: Vec<Step>| ModelRule {
                    steps: steps.into_iter().chain([anything.clone()]).collect(),
                    origin,
                };
                outwards.extend(starts.into_iter().map(made));
                inwards.extend(inwards_starts.map(made));
                return;
            }
        };
        let v6 = family == Family::V6;
        let to = |addr, side| {
            let target = NatTarget::To { addr: Some(addr), v6, port: None, keep_host_bits: true };
            Step::Act(Action::Translate(Translate { side, target: Arc::new(Lookup::fixed(target)), random: false }))
        };
        for steps in starts {
            let steps: Vec<Step> = steps.into_iter().chain([to(outer, Side::Source)]).collect();
            outwards.push(ModelRule { steps: steps.into(), origin });
        }
        for mut steps in inwards_starts {
            steps.push(Step::is(KeyField::Header(Part::Dst), Set::range(outer.0, outer.1)));
            steps.push(to(prefix_range(inner), Side::Destination));
            inwards.push(ModelRule { steps: steps.into(), origin });
        }
    }
}

/// Translation to the address of the interface that the packet leaves by.
fn is_masquerade(rule: &Rule, pool: &Pool) -> bool {
    let ([PoolAddress::Address(device) | PoolAddress::First(device)], Some(on)) = (&pool.addresses[..], &rule.on)
    else {
        return false;
    };
    !on.negate && on.names[..] == [device.clone()]
}

fn unknown_address(device: &str) -> Unknown {
    Unknown {
        what: format!("which address `{device}` has, to which the firewall translates").into(),
        supply: format!("the address of `{device}`").into(),
        ..Unknown::default()
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
