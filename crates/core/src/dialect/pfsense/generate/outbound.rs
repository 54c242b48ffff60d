//! Outbound translation: rules by hand, then automatic ones.

use super::forward::{protocols, system_origin};
use super::names::parse_net;
use super::{Generator, network_table, outside};
use crate::dialect::pf::ast::{Action, Host, Hosts, Pool, PoolAddress, PoolPort, Rule};
use crate::dialect::pfsense::config::{OutboundRule, has_ports};
use crate::model::{Family, Origin};
use ipnet::IpNet;
use std::net::IpAddr;

impl Generator<'_> {
    pub(super) fn outbound(&mut self) {
        let config = self.config;
        let mode = if config.outbound.mode.is_empty() { "automatic" } else { &config.outbound.mode };
        if ["hybrid", "advanced"].contains(&mode) {
            for rule in config.outbound.rules.iter().filter(|r| !r.disabled) {
                match self.manual(rule) {
                    Ok(rules) => self.out.rules.nat.extend(rules),
                    Err(why) => self.leave_out(rule.at, &rule.descr, why),
                }
            }
        }
        if ["automatic", "hybrid"].contains(&mode) {
            self.automatic();
        }
    }

    fn manual(&mut self, rule: &OutboundRule) -> Result<Vec<Rule>, String> {
        let on = self.on(&rule.interface).ok_or_else(|| format!("the interface `{}` is not on", rule.interface))?;
        let families: Vec<Family> = match rule.family {
            Some(f) => vec![f],
            None => vec![Family::V4, Family::V6],
        };
        let source = rule.source.as_deref().ok_or("its source is invalid")?;
        if !rule.destination.present {
            return Err("its destination is invalid".into());
        }
        let origin = Origin {
            at: rule.at,
            has_lines: true,
            object: format!("outbound NAT \"{}\"", rule.descr).into(),
            text: format!("{} from {source}", rule.interface).into(),
            ..Origin::default()
        };
        let with_ports = rule.protocol.as_deref().is_some_and(has_ports);
        let mut out = Vec::new();
        for family in families {
            let from = match source {
                "any" => Hosts::default(),
                "(self)" => Hosts::one(Host::Own),
                name if self.interface(name).is_some() => Hosts::one(Host::Table(network_table(name).into())),
                other => match parse_net(other) {
                    Some(net) if Family::of(net.addr()) == family => Hosts::one(Host::Net(net)),
                    Some(_) => continue,
                    None => Hosts::one(self.table(other)?),
                },
            };
            // `<destination>` holds networks and aliases in <network> or <address>.
            let mut destination = rule.destination.clone();
            if let Some(name) = destination.network.clone().filter(|n| self.interface(n).is_none() && n != "(self)") {
                destination.network = None;
                destination.address = Some(name);
            }
            let to = self.hosts(&destination, &rule.interface, family)?;
            let port = match (&rule.nat_port, rule.static_port) {
                (_, true) => PoolPort::Same,
                (Some(text), false) => {
                    let list = self.ports(Some(text))?.unwrap_or_default();
                    let (lo, hi) = list.first().copied().unwrap_or((1024, 65535));
                    PoolPort::Random(lo, hi)
                }
                (None, false) => PoolPort::Random(1024, 65535),
            };
            let action = if rule.no_nat {
                Action::No
            } else {
                Action::Translate(Pool { addresses: self.outbound_target(rule, family)?, port, bitmask: false })
            };
            let mut made = Rule::new(action, origin.clone());
            made.on = Some(on.clone());
            made.family = Some(family);
            made.protocols = protocols(rule.protocol.as_deref())?;
            made.from = from;
            made.source_ports = self.ports(rule.source_port.as_deref().filter(|_| with_ports))?;
            made.to = to;
            let port = rule.port.as_deref().or(rule.destination.port.as_deref());
            made.ports = self.ports(port.filter(|_| with_ports))?;
            out.push(made);
        }
        Ok(out)
    }

    fn outbound_target(&mut self, rule: &OutboundRule, family: Family) -> Result<Vec<PoolAddress>, String> {
        Ok(match rule.target.as_deref() {
            None => match self.interface(&rule.interface).map(|i| (i, self.address(i, family))) {
                Some((_, Some(net))) => vec![PoolAddress::Net(net.addr().into())],
                Some((iface, None)) => vec![PoolAddress::Address(iface.device.as_str().into())],
                None => Vec::new(),
            },
            Some(target) => {
                let bits = rule.target_bits.as_deref().and_then(|b| b.parse().ok());
                let address = target.parse::<IpAddr>().ok();
                match (address, bits) {
                    (Some(ip), Some(bits)) if bits < 32 => {
                        vec![PoolAddress::Net(IpNet::new(ip, bits).map_err(|_| "its target is invalid")?.trunc())]
                    }
                    (Some(ip), _) => vec![PoolAddress::Net(ip.into())],
                    (None, _) => {
                        if let Some(net) = parse_net(target) {
                            vec![PoolAddress::Net(net)]
                        } else {
                            self.table(target)?;
                            vec![PoolAddress::Table(target.into())]
                        }
                    }
                }
            }
        })
    }

    /// Per interface that leads outside: port 500 keeps its source port, all else is drawn at random.
    fn automatic(&mut self) {
        let sources = self.translated_networks();
        let outer: Vec<_> = self
            .enabled()
            .filter(|i| outside(i, Family::V4) && !["ovpn", "ipsec"].iter().any(|t| i.device.starts_with(t)))
            .collect();
        for iface in outer {
            let line = matches!(iface.v4, super::Addressing::Line(_));
            let address = match self.address(iface, Family::V4) {
                Some(net) => PoolAddress::Net(net.addr().into()),
                // No lease yet: nothing is translated.
                None if line => continue,
                None => PoolAddress::Address(iface.device.as_str().into()),
            };
            for (port, after) in [(Some(500), PoolPort::Same), (None, PoolPort::Random(1024, 65535))] {
                let pool = Pool { addresses: vec![address.clone()], port: after, bitmask: false };
                let mut rule = Rule::new(Action::Translate(pool), system_origin("automatic outbound NAT"));
                rule.on = Some(super::On { negate: false, names: vec![iface.device.as_str().into()] });
                rule.family = Some(Family::V4);
                rule.from = Hosts { negate: false, list: sources.iter().map(|n| Host::Net(*n)).collect() };
                rule.ports = port.map(|p| vec![(p, p)]);
                self.out.rules.nat.push(rule);
            }
        }
    }

    /// Networks that are translated: loopback, inner interfaces with their virtual addresses, private networks behind
    /// them, tunnels (`filter_nat_rules_automatic_tonathosts`).
    fn translated_networks(&self) -> Vec<IpNet> {
        let mut out: Vec<IpNet> = vec![IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8)];
        for iface in self.enabled().filter(|i| !outside(i, Family::V4)) {
            out.extend(self.addresses(iface, Family::V4).into_iter().map(|n| n.trunc()));
            for (to, gateway) in &self.config.routes {
                let here = self.config.gateways.iter().any(|g| g.name == *gateway && g.interface == iface.name);
                if let (true, Ok(net @ IpNet::V4(v4))) = (here, to.parse::<IpNet>())
                    && v4.addr().is_private()
                {
                    out.push(net);
                }
            }
        }
        out.extend(self.config.openvpn.iter().flatten().filter(|n| n.addr().is_ipv4()));
        out
    }
}
