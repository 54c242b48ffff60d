//! Bridges: which interface has the addresses, and what is not followed.

use super::Generator;
use crate::dialect::pf::ast::{self, Action, Asks, Direction, On, Rule, Unknown};
use crate::dialect::pfsense::config::{Addressing, Bridge, Bridging, Interface};
use crate::model::{Family, Origin};

impl<'a> Generator<'a> {
    /// Tells the rules which bridges there are, and doubts what joins networks in ways that are not followed.
    pub(super) fn bridges(&mut self) {
        let config = self.config;
        for bridge in &config.bridges {
            let members: Vec<&Interface> = bridge.members.iter().filter_map(|m| self.interface(m)).collect();
            if members.is_empty() {
                continue;
            }
            let itself = self.enabled().find(|i| i.device == bridge.device);
            let all = members.iter().copied().chain(itself);
            let holders: Vec<&Interface> = all.filter(|i| self.has_network(i)).collect();
            // What is for the firewall, or comes from it, meets the rules of the interface whose address it is.
            match holders[..] {
                [] => {}
                [holder] => {
                    if config.bridging.local {
                        let what = format!("which members of {} let in what is for the firewall", bridge.device);
                        self.doubt_bridge(bridge, &[holder], what, "net.link.bridge.pfil_local_phys = 0");
                    }
                    self.out.rules.bridges.push(ast::Bridge {
                        device: bridge.device.as_str().into(),
                        members: members.iter().map(|i| i.device.as_str().into()).collect(),
                        holder: holder.device.as_str().into(),
                        asks: asks(bridge, config.bridging),
                        origin: origin(bridge),
                    });
                }
                _ => {
                    let names: Vec<&str> = holders.iter().map(|i| i.descr.as_str()).collect();
                    let what =
                        format!("what {} joins: {} have networks of their own on it", bridge.device, names.join(", "));
                    let supply = "give only one of them, or the bridge itself, an address";
                    self.doubt_bridge(bridge, &holders, what, supply);
                }
            }
        }
    }

    fn has_network(&self, iface: &Interface) -> bool {
        [Family::V4, Family::V6].iter().any(|f| !self.addresses(iface, *f).is_empty())
            || [&iface.v4, &iface.v6].iter().any(|a| **a != Addressing::None)
    }

    /// What comes in by these interfaces may fare in any way.
    fn doubt_bridge(&mut self, bridge: &'a Bridge, on: &[&Interface], what: String, supply: &str) {
        let mut rule = Rule::new(Action::Pass, origin(bridge));
        (rule.quick, rule.any_flags, rule.direction) = (true, true, Some(Direction::In));
        rule.on = Some(On { negate: false, names: on.iter().map(|i| i.device.as_str().into()).collect() });
        rule.open = Some(Unknown { what: what.into(), supply: supply.into(), ..Unknown::default() });
        self.out.rules.first.push(rule);
    }
}

/// Whose rules are asked about what a bridge passes on.
fn asks(bridge: &Bridge, tunables: Bridging) -> Asks {
    let device = &bridge.device;
    let open = |what: String, supply: &str| {
        Asks::Open(Unknown { what: what.into(), supply: supply.into(), ..Unknown::default() })
    };
    match (tunables.by_member, tunables.by_bridge) {
        _ if bridge.secluded => {
            open(format!("which members of {device} are private and do not talk to each other"), "no private ports")
        }
        (true, true) => open(
            format!("what {device} passes on: its own rules and those of its members are asked"),
            "net.link.bridge.pfil_member = 0 leaves only the rules of the bridge",
        ),
        (true, false) => Asks::Members,
        (false, true) => Asks::Itself,
        (false, false) => Asks::Nobody,
    }
}

fn origin(bridge: &Bridge) -> Origin {
    Origin {
        at: bridge.at,
        has_lines: true,
        object: format!("bridge {}", bridge.device).into(),
        text: format!("joins {}", bridge.members.join(", ")).into(),
        ..Origin::default()
    }
}
