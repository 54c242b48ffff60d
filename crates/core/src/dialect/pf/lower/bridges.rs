//! Bridges: what they pass on meets the rules as it comes in by one member and as it goes out by another.
//!
//! The ports of a bridge are one interface more of the device, on the segment of the one that has the addresses. By which
//! member a packet comes in and goes out is written in no file: a doubt for each way.

use super::Lowering;
use crate::cube::Set;
use crate::dialect::pf::ast::{Asks, Bridge, Direction, Ruleset, Unknown};
use crate::model::{
    self, Action, Device, DoubtId, Interface, Key, KeyField, Rule, Settings, Step, address_value, iface_value,
};

/// A bridge whose packets meet rules.
pub(super) struct Asked {
    /// Number among the bridges of the rules.
    number: usize,
    /// By which member a packet comes in, and goes out; absent where rules of the bridge itself are asked.
    members: Option<[DoubtId; 2]>,
    /// Whether those who talk are joined to it by different members.
    joined: DoubtId,
}

/// Name of the interface that stands for the ports of a bridge.
fn ports_of(bridge: &Bridge) -> String {
    format!("{}:ports", bridge.device)
}

/// Bits for the number of a member.
fn bits(bridge: &Bridge) -> u8 {
    u8::try_from(usize::BITS - bridge.members.len().saturating_sub(1).leading_zeros()).unwrap_or(u8::MAX).max(1)
}

/// Numbers of the members that are among these interfaces. Numbers that no member has mean the last one.
fn numbers(bridge: &Bridge, among: &Set) -> Set {
    let last = bridge.members.len().saturating_sub(1);
    let most = (1_u128 << bits(bridge)) - 1;
    let here = bridge.members.iter().enumerate().filter(|(_, m)| among.contains(iface_value(m)));
    Set::from_ranges(here.map(|(i, _)| (i as u128, if i == last { most } else { i as u128 })))
}

impl Lowering<'_> {
    /// Doubts of the bridges whose packets meet rules.
    pub(super) fn bridges(&mut self) {
        let rules = self.rules;
        for (number, bridge) in rules.bridges.iter().enumerate() {
            if bridge.asks == Asks::Nobody {
                continue;
            }
            let name = &bridge.device;
            let supply = "net.link.bridge.pfil_member = 0 in System > Advanced > System Tunables: then nothing is filtered \
                          between members; or one rule for all members, in a group of interfaces";
            let mut doubt = |what: String| {
                let unknown = Unknown { what: what.into(), supply: supply.into(), ..Unknown::default() };
                self.doubt(&bridge.origin, &unknown, false)
            };
            let joined = doubt(format!("whether those who talk are joined to different members of {name}"));
            let members = (bridge.asks == Asks::Members).then(|| {
                ["comes in", "goes out"].map(|w| doubt(format!("by which member of {name} what it passes on {w}")))
            });
            self.bridges.push(Asked { number, members, joined });
        }
    }

    /// Beside the interfaces of a rule: what stands for ports of bridges, as values of which the rule means all packets,
    /// and those of which it means only the packets of some members.
    pub(super) fn ports(&self, field: KeyField, sure: &Set) -> (Set, Vec<(u128, KeyField, Set)>) {
        let (mut all, mut some) = (Vec::new(), Vec::new());
        for asked in &self.bridges {
            let bridge = &self.rules.bridges[asked.number];
            let value = iface_value(&ports_of(bridge));
            let Some(members) = asked.members else {
                all.extend(sure.contains(iface_value(&bridge.device)).then_some((value, value)));
                continue;
            };
            let here = numbers(bridge, sure);
            if here.contains(0) && bridge.members.iter().all(|m| sure.contains(iface_value(m))) {
                all.push((value, value));
            } else if !here.is_empty() {
                let doubt = members[usize::from(field == KeyField::OutIface)];
                some.push((value, KeyField::Unknown(doubt, bits(bridge)), here));
            }
        }
        (Set::from_ranges(all), some)
    }

    /// Before all rules: what bridges pass on, where that is not followed.
    pub(super) fn open_bridges(&mut self, direction: Direction) -> Vec<Rule> {
        let rules = self.rules;
        let mut out = Vec::new();
        for bridge in &rules.bridges {
            let Asks::Open(unknown) = &bridge.asks else { continue };
            let doubt = self.doubt(&bridge.origin, unknown, false);
            let origin = self.pipeline.add_origin(bridge.origin.clone());
            let field = if direction == Direction::In { KeyField::InIface } else { KeyField::OutIface };
            let on = super::matches(Key::of(field), Set::one(iface_value(&ports_of(bridge))), false);
            let act = Step::Act(Action::Unmodelled(model::Ways::Anything, doubt));
            out.push(Rule { steps: [on, act].into(), origin });
        }
        out
    }
}

/// Puts the ports of bridges beside the interfaces that have the addresses.
pub(super) fn ports(rules: &Ruleset, asked: &[Asked], device: &mut Device) {
    for (number, bridge) in rules.bridges.iter().enumerate() {
        let Some(holder) = device.interface(&bridge.holder).map(|i| &device.interfaces[i]) else { continue };
        let shows = asked
            .iter()
            .find(|a| a.number == number)
            .map(|a| model::Bridge { ports: u16::try_from(bridge.members.len()).ok(), joined: a.joined });
        let own = |family| {
            let own = holder.addresses.iter().map(ipnet::IpNet::addr).filter(|a| model::Family::of(*a) == family);
            Set::from_ranges(own.map(|a| (address_value(a), address_value(a))))
        };
        let made = Interface {
            name: ports_of(bridge).into(),
            label: format!("the members of {}", bridge.device).into(),
            hosts_v4: own(model::Family::V4),
            hosts_v6: own(model::Family::V6),
            stands_for_ports: true,
            settings: Settings { bridge_v4: shows, bridge_v6: shows, ..Settings::default() },
            segment: holder.segment,
            ..Interface::default()
        };
        device.interfaces.push(made);
    }
}
