//! Outbound translation: rules by hand, then automatic ones.

use super::Generator;
use super::forward::{protocols, system_origin};
use super::names::{parse_net, untold};
use crate::dialect::pf::ast::{Action, Host, Hosts, Pool, PoolAddress, PoolPort, Rule};
use crate::dialect::pfsense::config::{OutboundRule, has_ports};
use crate::dialect::pfsense::lines::is_tunnel;
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
        let source_ports = self.ports(rule.source_port.as_deref().filter(|_| with_ports))?;
        let port = rule.port.as_deref().or(rule.destination.port.as_deref());
        let ports = self.ports(port.filter(|_| with_ports))?;
        let mut out = Vec::new();
        for family in families {
            let from = match source {
                "any" => Hosts::default(),
                other => match parse_net(other) {
                    Some(net) if Family::of(net.addr()) == family => Hosts::one(Host::Net(net)),
                    Some(_) => continue,
                    None => Hosts::one(self.end(other, family)?),
                },
            };
            let from = Hosts { negate: rule.source_not && !from.is_any(), ..from };
            // `<destination>` holds networks and aliases in <network> or <address>.
            let destination = &rule.destination;
            let to = match destination.network.as_deref().or(destination.address.as_deref()) {
                _ if destination.any || destination.network.as_deref() == Some("any") => Hosts::default(),
                None => return Err("its destination is invalid".into()),
                Some(other) => match parse_net(other) {
                    Some(net) if Family::of(net.addr()) == family => {
                        Hosts { negate: destination.not, list: vec![Host::Net(net)] }
                    }
                    Some(_) => continue,
                    None => Hosts { negate: destination.not, list: vec![self.end(other, family)?] },
                },
            };
            let port = match (&rule.nat_port, rule.static_port) {
                (_, true) => PoolPort::Same,
                (Some(text), false) => {
                    let list = self.ports(Some(text))?.ports.unwrap_or_default();
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
            made.source_ports.clone_from(&source_ports.ports);
            made.to = to;
            made.ports.clone_from(&ports.ports);
            let own = self.interface(&rule.interface).filter(|i| self.address_untold(i, family) && !rule.no_nat);
            if let (Some(iface), Action::Translate(pool)) = (own, &made.action)
                && matches!(pool.addresses[..], [PoolAddress::Address(_)])
            {
                made.open = Some(untold(iface, family));
            }
            made.when = ports.unknown.clone().or_else(|| source_ports.unknown.clone());
            out.push(made);
        }
        Ok(out)
    }

    /// An end of a rule by name: an interface's network or address, the firewall itself, an alias.
    fn end(&mut self, name: &str, family: Family) -> Result<Host, String> {
        if self.alias(name).is_some() || self.is_reserved(name) {
            return self.table(name);
        }
        let known = name == "(self)"
            || self.interface(name.strip_suffix("ip").unwrap_or(name)).is_some()
            || self.config.groups.iter().any(|(g, _)| g == name);
        if known { self.special(name, family) } else { self.table(name) }
    }

    fn outbound_target(&mut self, rule: &OutboundRule, family: Family) -> Result<Vec<PoolAddress>, String> {
        let target = rule.target.as_deref().unwrap_or_default();
        if self.alias(target).is_some() || self.is_reserved(target) {
            self.table(target)?;
            return Ok(vec![PoolAddress::Table(target.into())]);
        }
        let bits = rule.target_bits.as_deref().and_then(|b| b.parse::<u8>().ok());
        if let Ok(ip) = target.parse::<IpAddr>() {
            let net = bits.and_then(|b| IpNet::new(ip, b).ok()).map_or_else(|| ip.into(), |n| n.trunc());
            return Ok(vec![PoolAddress::Net(net)]);
        }
        if let Some(net) = parse_net(target) {
            return Ok(vec![PoolAddress::Net(net)]);
        }
        // Everything else, names of other interfaces' addresses too, is the address of the rule's own interface.
        let Some(iface) = self.interface(&rule.interface) else {
            let members = self.out.rules.groups.get(rule.interface.as_str());
            return Ok(members.into_iter().flatten().cloned().map(PoolAddress::Address).collect());
        };
        Ok(vec![match self.address(iface, family) {
            Some(net) => PoolAddress::Net(net.addr().into()),
            None => PoolAddress::Address(iface.device.as_str().into()),
        }])
    }

    /// Per interface that leads outside: port 500 keeps its source port, all else is drawn at random.
    fn automatic(&mut self) {
        let sources = self.translated_networks();
        let outer: Vec<_> = self.enabled().filter(|i| self.outside(i, Family::V4) && !is_tunnel(&i.device)).collect();
        for iface in outer {
            let line = matches!(iface.v4, super::Addressing::Line(_));
            let address = match self.address(iface, Family::V4) {
                Some(net) => PoolAddress::Net(net.addr().into()),
                // No lease yet: nothing is translated.
                None if line && !self.has_lease(iface, Family::V4) => continue,
                None => PoolAddress::Address(iface.device.as_str().into()),
            };
            for (port, after) in [(Some(500), PoolPort::Same), (None, PoolPort::Random(1024, 65535))] {
                let pool = Pool { addresses: vec![address.clone()], port: after, bitmask: false };
                let mut rule = Rule::new(Action::Translate(pool), system_origin("automatic outbound NAT"));
                rule.on = Some(super::On { negate: false, names: vec![iface.device.as_str().into()] });
                rule.family = Some(Family::V4);
                rule.from = Hosts { negate: false, list: sources.iter().map(|n| Host::Net(*n)).collect() };
                rule.ports = port.map(|p| vec![(p, p)]);
                rule.open = self.address_untold(iface, Family::V4).then(|| untold(iface, Family::V4));
                if iface.no_nat && port.is_none() {
                    rule.action = Action::No;
                }
                self.out.rules.nat.push(rule);
            }
        }
    }
}
