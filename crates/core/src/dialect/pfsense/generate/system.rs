//! Rules that pfSense adds of its own.

use super::forward::system_origin;
use super::{Generator, Hop};
use crate::dialect::pf::ast::{Action, Direction, Host, Hosts, On, Route, Rule, State};
use crate::dialect::pf::text::antispoof;
use crate::dialect::pfsense::config::Addressing;
use crate::model::{Family, Origin};
use ipnet::IpNet;

/// Room for tables from which on the list of IPv6 bogons is loaded (`minimumtableentries_bogonsv6`).
const BOGONS_V6: u64 = 400_000;

const BLOCK: Action = Action::Block { answer: false };

impl Generator<'_> {
    /// Everything before the rules of the user.
    pub(super) fn system_rules(&mut self) {
        // The pass rule for reflection proxies was made with the forwards, but stands behind these.
        let later = std::mem::take(&mut self.out.rules.filter);
        let config = self.config;
        self.package_rules();
        self.bridges();
        self.relays();
        if !config.system.ipv6 {
            self.add("loopback", Action::Pass, |r| {
                (r.quick, r.family) = (true, Some(Family::V6));
                r.on = Some(On { negate: false, names: vec!["lo0".into()] });
            });
            for direction in [Direction::In, Direction::Out] {
                self.add("IPv6 is not allowed", BLOCK, |r| {
                    (r.quick, r.direction, r.family) = (true, Some(direction), Some(Family::V6));
                });
            }
        }
        if !config.system.link_local {
            let link_local = Hosts::one(Host::Net(net("169.254.0.0/16")));
            for (from, to) in [(link_local.clone(), Hosts::default()), (Hosts::default(), link_local)] {
                self.add("no link-local packets", BLOCK, |r| {
                    (r.quick, r.direction, r.from, r.to) = (true, Some(Direction::In), from, to);
                });
            }
        }
        for family in [Family::V4, Family::V6] {
            for direction in [Direction::In, Direction::Out] {
                self.add("default deny", BLOCK, |r| (r.direction, r.family) = (Some(direction), Some(family)));
            }
            self.add("no port 0", BLOCK, |r| {
                (r.quick, r.family, r.protocols) = (true, Some(family), vec![6, 17]);
                r.source_ports = Some(vec![(0, 0)]);
            });
            self.add("no port 0", BLOCK, |r| {
                (r.quick, r.family, r.protocols) = (true, Some(family), vec![6, 17]);
                r.ports = Some(vec![(0, 0)]);
            });
        }
        self.detection();
        // From 2.8 on answers of one line's DHCP server do not leave by another.
        if self.since_2_8() {
            self.add("no DHCP answers from one line to another", BLOCK, |r| {
                (r.quick, r.direction, r.protocols) = (true, Some(Direction::Out), vec![17]);
                (r.source_ports, r.ports) = (Some(vec![(67, 67)]), Some(vec![(68, 68)]));
                r.tagged = Some((true, "dhcpin".into()));
            });
        }
        let interfaces: Vec<_> = self.enabled().collect();
        for iface in interfaces {
            self.of_interface(iface);
        }
        self.add("loopback", Action::Pass, |r| {
            r.on = Some(On { negate: false, names: vec!["lo0".into()] });
            r.any_flags = false;
        });
        for family in [Family::V4, Family::V6] {
            self.add("what leaves", Action::Pass, |r| (r.direction, r.family) = (Some(Direction::Out), Some(family)));
        }
        self.own_lines();
        self.lockout();
        self.out.rules.filter.extend(later);
        self.portals();
    }

    fn add(&mut self, what: &str, action: Action, set: impl FnOnce(&mut Rule)) {
        let mut rule = Rule::new(action, system_origin(what));
        rule.any_flags = rule.action != Action::Pass;
        set(&mut rule);
        self.out.rules.filter.push(rule);
    }

    fn of_interface(&mut self, iface: &super::Interface) {
        let on = Some(On { negate: false, names: vec![iface.device.as_str().into()] });
        let origin_at = |what: &str| Origin {
            at: iface.at,
            has_lines: true,
            object: format!("interface {}", iface.descr).into(),
            text: what.into(),
            setting: true,
            ..Origin::default()
        };
        let by_dhcp =
            |a: &Addressing, how: &str| matches!(a, Addressing::Line(l) if l == how || how == "dhcp6" && l == "slaac");
        if by_dhcp(&iface.v4, "dhcp") {
            self.dhcp(on.clone(), Direction::In, (67, 68), [None, None], true);
            self.dhcp(on.clone(), Direction::Out, (68, 67), [None, None], true);
        }
        let locals = Some(net("fe80::/10"));
        if by_dhcp(&iface.v6, "dhcp6") && self.config.system.ipv6 {
            self.dhcp(on.clone(), Direction::In, (546, 546), [locals, locals], false);
            self.dhcp(on.clone(), Direction::In, (547, 546), [None, None], false);
            self.dhcp(on.clone(), Direction::Out, (546, 547), [None, None], false);
        }
        if iface.block_bogons {
            let mut rule = Rule::new(BLOCK, origin_at("block bogon networks"));
            (rule.quick, rule.direction, rule.on) = (true, Some(Direction::In), on.clone());
            rule.from = Hosts::one(Host::Table("bogons".into()));
            self.out.rules.filter.push(rule.clone());
            if self.config.system.ipv6 && self.config.system.table_entries.is_some_and(|n| n >= BOGONS_V6) {
                rule.from = Hosts::one(Host::Table("bogonsv6".into()));
                self.out.rules.filter.push(rule);
            }
        }
        // By parts of names, as the generator looks (`stristr`).
        let bridged = self.config.bridges.iter().flat_map(|b| &b.members).any(|m| m.contains(&iface.name));
        let has = !self.addresses(iface, Family::V4).is_empty() || self.address_untold(iface, Family::V4);
        if has && !bridged {
            let rules = antispoof(&iface.device, &system_origin("no packets from outside with inner addresses"));
            self.out.rules.filter.extend(rules);
        }
        if iface.block_private && !bridged {
            for private in ["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"] {
                let mut rule = Rule::new(BLOCK, origin_at("block private networks"));
                (rule.quick, rule.direction, rule.on) = (true, Some(Direction::In), on.clone());
                rule.from = Hosts::one(Host::Net(net(private)));
                self.out.rules.filter.push(rule);
            }
        }
        if self.config.dhcp.contains(&iface.name)
            && let Some(own) = self.address(iface, Family::V4)
        {
            let own: IpNet = own.addr().into();
            for to in [net("255.255.255.255/32"), own] {
                self.dhcp(on.clone(), Direction::In, (68, 67), [None, Some(to)], false);
            }
            self.dhcp(on.clone(), Direction::Out, (67, 68), [Some(own), None], false);
        }
        if by_dhcp(&iface.v6, "track6")
            && self.config.system.ipv6
            && let Some(own) = self.address(iface, Family::V6)
        {
            let own: IpNet = own.addr().into();
            self.dhcp(on.clone(), Direction::In, (0, 546), [locals, Some(own)], false);
            self.dhcp(on, Direction::Out, (547, 0), [Some(own), locals], false);
        }
    }

    /// Packets of DHCP; port 0 stands for all.
    fn dhcp(
        &mut self,
        on: Option<On>,
        direction: Direction,
        ports: (u16, u16),
        ends: [Option<IpNet>; 2],
        client: bool,
    ) {
        let port = |p: u16| (p != 0).then(|| vec![(p, p)]);
        let tagged = self.since_2_8();
        let host = |net: Option<IpNet>| net.map(|n| Hosts::one(Host::Net(n))).unwrap_or_default();
        self.add("DHCP", Action::Pass, |r| {
            (r.quick, r.direction, r.on, r.protocols) = (true, Some(direction), on, vec![17]);
            (r.source_ports, r.ports) = (port(ports.0), port(ports.1));
            (r.from, r.to) = (host(ends[0]), host(ends[1]));
            if client && tagged {
                (r.state, r.any_flags) = (State::None, true);
            }
            if client && tagged && direction == Direction::In {
                r.tag = Some("dhcpin".into());
            }
        });
    }

    /// What the firewall itself sends from the address of a line leaves by that line.
    fn own_lines(&mut self) {
        for iface in self.enabled().collect::<Vec<_>>() {
            for family in [Family::V4, Family::V6] {
                let Some(Hop(hop)) = self.hop(iface, family) else { continue };
                for own in self.addresses(iface, family) {
                    let route = Route { reply: false, hops: vec![(iface.device.as_str().into(), hop)] };
                    self.add("what the firewall itself sends", Action::Pass, |r| {
                        (r.direction, r.route) = (Some(Direction::Out), Some(route));
                        r.from = Hosts::one(Host::Net(own.addr().into()));
                        r.to = Hosts { negate: true, list: vec![Host::Net(own.trunc())] };
                    });
                }
            }
        }
    }

    fn lockout(&mut self) {
        // Where there is but one interface, it is the WAN's.
        let name = if self.config.interfaces.len() == 1 { "wan" } else { "lan" };
        let Some(lan) = self.interface(name) else { return };
        if self.config.system.no_lockout_rule {
            return;
        }
        let ports = self.config.system.admin_ports.iter().map(|p| (*p, *p)).collect();
        let device = lan.device.clone();
        self.add("the administrator is not locked out", Action::Pass, |r| {
            (r.quick, r.direction, r.protocols) = (true, Some(Direction::In), vec![6]);
            r.on = Some(On { negate: false, names: vec![device.as_str().into()] });
            r.to = Hosts::one(Host::Address(device.as_str().into()));
            r.ports = Some(ports);
        });
    }

    /// Everything behind the rules of the user.
    pub(super) fn last_rules(&mut self) {
        if self.config.system.bypass_static_routes {
            self.bypass();
        }
        if self.config.ipsec.is_some() {
            self.add("IPsec", Action::Pass, |r| {
                r.direction = Some(Direction::Out);
                r.on = Some(On { negate: false, names: vec!["enc0".into()] });
            });
            let peers = self.config.ipsec.iter().flat_map(|i| &i.peers).filter(|_| !self.config.system.no_vpn_rules);
            for peer in peers {
                self.peer(&peer.interface, peer.address);
            }
        }
    }

    /// Key exchange with the other end of a tunnel; with any address where the export names none.
    fn peer(&mut self, interface: &str, peer: Option<std::net::IpAddr>) {
        let Some(iface) = self.interface(interface) else { return };
        let family = peer.map_or(Family::V4, Family::of);
        let near = |g: &Self, peer| g.address(iface, family).is_some_and(|own| own.contains(&peer));
        let route = |g: &Self, reply| {
            if peer.is_some_and(|p| near(g, p)) {
                return None;
            }
            let hop = g.hop(iface, family)?.0;
            Some(Route { reply, hops: vec![(iface.device.as_str().into(), hop)] })
        };
        let (out, back) = (route(self, false), route(self, true));
        let other = peer.map(|p| Hosts::one(Host::Net(p.into()))).unwrap_or_default();
        for port in [500, 4500] {
            // To anybody the firewall may send anyway.
            if peer.is_some() {
                let (out, to) = (out.clone(), other.clone());
                self.add("IPsec", Action::Pass, |r| {
                    (r.direction, r.route, r.protocols) = (Some(Direction::Out), out, vec![17]);
                    (r.from, r.to) = (Hosts::one(Host::Own), to);
                    r.ports = Some(vec![(port, port)]);
                });
            }
            let (back, from) = (back.clone(), other.clone());
            self.add("IPsec", Action::Pass, |r| {
                (r.direction, r.route, r.protocols) = (Some(Direction::In), back, vec![17]);
                r.on = Some(On { negate: false, names: vec![iface.device.as_str().into()] });
                (r.from, r.to) = (from, Hosts::one(Host::Own));
                r.ports = Some(vec![(port, port)]);
            });
        }
    }

    /// "Bypass firewall rules for traffic on the same interface": between an interface's network and what is routed
    /// behind it.
    fn bypass(&mut self) {
        for (to, gateway) in &self.config.routes {
            let gateway = self.config.gateways.iter().find(|g| g.name == *gateway);
            let (Ok(to), Some(iface)) = (to.parse::<IpNet>(), gateway.and_then(|g| self.interface(&g.interface)))
            else {
                continue;
            };
            let family = Family::of(to.addr());
            let Some(own) = self.address(iface, family) else { continue };
            let on = Some(On { negate: false, names: vec![iface.device.as_str().into()] });
            for (from, to) in [(own.trunc(), to), (to, own.trunc())] {
                self.add("traffic on the same interface", Action::Pass, |r| {
                    (r.quick, r.on, r.family) = (true, on.clone(), Some(family));
                    (r.from, r.to) = (Hosts::one(Host::Net(from)), Hosts::one(Host::Net(to)));
                    (r.state, r.any_flags) = (State::Sloppy, true);
                });
            }
        }
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap_or_else(|_| unreachable!("a network written here"))
}
