//! What is written into marks: ways, labels, and where a state began.

use super::devices::strange_device;
use super::{Lowering, matches};
use crate::cube::Set;
use crate::dialect::pf::ast::{Route as Named, Rule as AstRule, Unknown};
use crate::model::{
    Action, ChainId, Device, Family, Key, KeyField, Lookup, MarkFrom, MarkValue, Origin, RouteTarget, RoutingRule,
    Rule, Step, Ways, ct_state, iface_value,
};
use std::net::IpAddr;
use std::sync::Arc;

/// Packet mark and session mark: number of the way that packets in the state's own direction take.
pub(super) const WAY: u32 = 0xff;
/// Session mark: number of the way that answers take, shifted by 8.
pub(super) const REPLY_WAY: u32 = 0xff00;
/// Packet mark: number of the label. Session mark: number of the outer interface where the state began. Shifted by 16.
pub(super) const TAG: u32 = 0x00ff_0000;
/// Session mark: answers are judged by rules.
pub(super) const STATELESS: u32 = 0x8000_0000;
/// Packet mark: translated by `rdr pass`, no filter rule is asked.
pub(super) const PASSED: u32 = 0x4000_0000;

/// As many ways, labels and outer interfaces can be told apart: each has eight bits, and 0 is none.
pub(super) const MOST: usize = 255;

/// First routing table for ways; higher than any that systems name.
const TABLES: u32 = 0x7000_0000;

/// An interface with a next hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// Device name.
    pub device: Box<str>,
    /// Next hop; absent: the line has only one other end.
    pub hop: Option<IpAddr>,
}

/// A step that sets some bits of the packet mark.
pub(super) fn set_mark(bits: u32, value: u32) -> Step {
    let value = MarkValue { from: MarkFrom::Mark, and: !bits, xor: value };
    Step::Act(Action::SetMark(Arc::new(Lookup::fixed(value))))
}

/// A step that sets some bits of the session's mark.
pub(super) fn set_state(bits: u32, value: u32) -> Step {
    let value = MarkValue { from: MarkFrom::CtMark, and: !bits, xor: value };
    Step::Act(Action::SetCtMark(Arc::new(Lookup::fixed(value))))
}

/// A match on some bits of the packet mark.
pub(super) fn marked(bits: u32, value: u32, negate: bool) -> Step {
    matches(Key { field: KeyField::Mark, mask: Some(u128::from(bits)) }, Set::one(u128::from(value)), negate)
}

/// A match on some bits of the session's mark.
fn remembered(bits: u32, value: u32) -> Step {
    matches(Key { field: KeyField::CtMark, mask: Some(u128::from(bits)) }, Set::one(u128::from(value)), false)
}

/// What cannot be told once all numbers are used up.
pub(super) fn too_many(what: &str) -> Unknown {
    let what = format!("which of its {what} the firewall means: of more than {MOST} callpath loses count");
    Unknown { what: what.into(), ..Unknown::default() }
}

impl<'a> Lowering<'a> {
    /// The step that puts a rule's label on packets, if it has one.
    ///
    /// # Errors
    /// There is no number left for it.
    pub(super) fn label(&mut self, rule: &'a AstRule) -> Result<Option<Step>, ()> {
        let Some(tag) = &rule.tag else { return Ok(None) };
        let number = self.tag(tag).ok_or(())?;
        Ok(Some(set_mark(TAG, number << 16)))
    }

    /// Number of a way, from 1.
    fn way(&mut self, device: &str, hop: Option<IpAddr>) -> Result<u32, Unknown> {
        // A way by a device that is not there leads nowhere that anybody knows.
        if !self.interfaces.is_empty() && !self.interfaces.iter().any(|i| &*i.name == device) {
            return Err(strange_device(device));
        }
        let way = Way { device: device.into(), hop };
        let index = self.ways.iter().position(|w| *w == way).unwrap_or(self.ways.len());
        if index >= MOST {
            return Err(too_many("ways"));
        }
        if index == self.ways.len() {
            self.ways.push(way);
        }
        u32::try_from(index + 1).map_err(|_| too_many("ways"))
    }

    /// Steps that send what a rule passes, or its answers, another way.
    ///
    /// # Errors
    /// What is not known about the way.
    pub(super) fn way_steps(&mut self, route: &Named, origin: &Origin) -> Result<Vec<Step>, Unknown> {
        let numbers: Vec<u32> =
            route.hops.iter().map(|(device, hop)| self.way(device, *hop)).collect::<Result<_, _>>()?;
        let shift = if route.reply { 8 } else { 0 };
        let value = |n: u32, from, bits: u32| MarkValue { from, and: !bits, xor: n << shift };
        let bits = if route.reply { REPLY_WAY } else { WAY };
        let lookup = |lowering: &mut Self, from: MarkFrom, bits: u32| {
            if let [one] = numbers[..] {
                Lookup::fixed(value(one, from, bits))
            } else {
                let what = "which of its gateways the firewall takes: it uses them in turn";
                let unknown = Unknown { what: what.into(), ..Unknown::default() };
                let doubt = lowering.doubt(origin, &unknown, false);
                let entry =
                    |(i, n): (usize, &u32)| (vec![Set::one(i as u128)].into_boxed_slice(), value(*n, from, bits));
                Lookup {
                    keys: [Key::of(KeyField::Unknown(doubt, 8))].into(),
                    entries: numbers.iter().enumerate().map(entry).collect(),
                    default: numbers.first().map(|n| value(*n, from, bits)),
                }
            }
        };
        let state = Step::Act(Action::SetCtMark(Arc::new(lookup(self, MarkFrom::CtMark, bits))));
        if route.reply {
            return Ok(vec![state]);
        }
        let packet = Step::Act(Action::SetMark(Arc::new(lookup(self, MarkFrom::Mark, bits))));
        Ok(vec![state, packet])
    }

    /// Rules that come before all others: what a state remembers is written on its packets. None where no rule names a
    /// way.
    pub(super) fn states(&mut self) -> Option<ChainId> {
        let outer = self.outer_devices();
        if self.ways.is_empty() && outer.is_empty() {
            return None;
        }
        let mut rules = Vec::new();
        let origin = self.generated("states");
        let mut add = |steps: Vec<Step>| rules.push(Rule { steps: steps.into(), origin });
        for (device, number) in outer.iter().zip(1..) {
            add(vec![
                Step::is(KeyField::CtState, Set::one(ct_state::NEW)),
                Step::is(KeyField::InIface, Set::one(iface_value(device))),
                set_state(TAG, number << 16),
            ]);
        }
        for (_, n) in self.ways.iter().zip(1..) {
            add(vec![Step::is(KeyField::CtDirection, Set::one(0)), remembered(WAY, n), set_mark(WAY, n)]);
            add(vec![Step::is(KeyField::CtDirection, Set::one(1)), remembered(REPLY_WAY, n << 8), set_mark(WAY, n)]);
        }
        Some(self.chain("states", rules))
    }

    /// Interfaces that rules name ways out by, when there are several. There is no way by those beyond the first 255:
    /// their rules are doubts.
    fn outer_devices(&self) -> Vec<Box<str>> {
        let mut all: Vec<Box<str>> = Vec::new();
        let hops = self.rules.filter.iter().filter_map(|r| r.route.as_ref()).flat_map(|r| &r.hops);
        for (device, _) in hops {
            if !all.contains(device) {
                all.push(device.clone());
            }
        }
        all.truncate(MOST);
        if all.len() > 1 { all } else { Vec::new() }
    }

    /// The first rule that names a way by an interface.
    fn first_way_by(&self, device: &str) -> Option<&'a Origin> {
        let named = |r: &&AstRule| r.route.as_ref().is_some_and(|w| w.hops.iter().any(|(d, _)| **d == *device));
        self.rules.filter.iter().find(named).map(|r| &r.origin)
    }

    /// Rules before the filter of what leaves: an answer that leaves by another outer interface than the one where its
    /// state began.
    pub(super) fn bound(&mut self) -> Vec<Rule> {
        let devices = self.outer_devices();
        let mut rules = Vec::new();
        for (device, number) in devices.iter().zip(1..) {
            let others = devices.iter().filter(|d| *d != device).map(|d| (iface_value(d), iface_value(d)));
            let matches = [
                Step::is(KeyField::CtDirection, Set::one(1)),
                remembered(TAG, number << 16),
                Step::is(KeyField::OutIface, Set::from_ranges(others)),
            ];
            let object = format!("the state began on {device}; this answer leaves by another line");
            let origin = self.generated(&object);
            let act = if self.rules.if_bound {
                Action::Drop
            } else {
                let unknown = Unknown {
                    what: format!("whether the other provider passes on packets that bear an address of {device}")
                        .into(),
                    ..Unknown::default()
                };
                let place = self.first_way_by(device).cloned().unwrap_or_default();
                Action::Unmodelled(Ways::ContinueOrDrop, self.doubt(&place, &unknown, false))
            };
            let steps: Vec<Step> = matches.into_iter().chain([Step::Act(act)]).collect();
            rules.push(Rule { steps: steps.into(), origin });
        }
        rules
    }
}

/// Routing tables for the ways that rules name. `route-to` also takes packets that are for the device itself.
pub(super) fn routes(ways: &[Way], device: &mut Device) {
    for (way, number) in ways.iter().zip(1..) {
        let Some(index) = device.interface(&way.device) else { continue };
        let table = TABLES + number;
        for family in [Family::V4, Family::V6] {
            if way.hop.is_some_and(|h| Family::of(h) != family) {
                continue;
            }
            let to = ipnet::IpNet::new_assert(family.address(0), 0);
            // A line that tells its gateway only when it comes up: the default route knows it.
            let hop = way.hop.or_else(|| default_hop(device, index, family));
            device.routes.push(crate::model::Route { to, target: RouteTarget::Via(index, hop), table, metric: 0 });
            let mark = Some((number, WAY));
            let rule = RoutingRule { mark, even_own: true, ..RoutingRule::every(number, family, table) };
            device.routing_rules.push(rule);
        }
    }
    if !ways.is_empty() {
        for family in [Family::V4, Family::V6] {
            let main = RoutingRule::every(u32::MAX, family, crate::dialect::iproute::MAIN);
            device.routing_rules.push(main);
        }
    }
}

fn default_hop(device: &Device, index: usize, family: Family) -> Option<IpAddr> {
    let main = |r: &&crate::model::Route| {
        r.table == crate::dialect::iproute::MAIN && r.to.prefix_len() == 0 && Family::of(r.to.addr()) == family
    };
    device.routes.iter().filter(main).find_map(|r| match r.target {
        RouteTarget::Via(i, hop) if i == index => hop,
        _ => None,
    })
}
