//! 1:1 translation, and its reflection.

use super::forward::system_origin;
use super::names::untold;
use super::{Generator, local_net};
use crate::dialect::pf::ast::{Action, Host, Hosts, On, Pool, PoolAddress, PoolPort, Rule, Unknown};
use crate::dialect::pfsense::config::{Local, OneToOne};
use crate::model::{Family, Origin};
use ipnet::IpNet;

impl Generator<'_> {
    pub(super) fn one_to_one(&mut self) {
        let config = self.config;
        for entry in config.one_to_one.iter().filter(|e| !e.disabled) {
            if let (Some(unknown), Some(on)) = (self.external_untold(entry), self.on(&entry.interface)) {
                let mut rule = Rule::new(Action::No, entry_origin(entry));
                (rule.on, rule.family, rule.open) = (Some(on), Some(entry.family), Some(unknown));
                let pool = Pool { addresses: Vec::new(), port: PoolPort::Same, bitmask: true };
                rule.action = Action::Translate(pool);
                self.out.rules.binat.push(rule);
                continue;
            }
            match self.both_ways(entry) {
                Ok(rule) => self.out.rules.binat.push(rule),
                Err(why) => self.leave_out(entry.at, &entry.descr, why),
            }
        }
        for entry in config.npt.iter().filter(|e| !e.disabled) {
            let Some(on) = self.on(&entry.interface) else {
                let why = format!("the interface `{}` is not on", entry.interface);
                self.leave_out(entry.at, "prefix translation", why);
                continue;
            };
            let origin =
                Origin { at: entry.at, has_lines: true, object: "prefix translation".into(), ..Origin::default() };
            let doubt = entry.outer.is_none().then(|| Unknown {
                what: "which prefix the line delegates, to which prefix translation translates".into(),
                ..Unknown::default()
            });
            let outer = entry.outer.unwrap_or(entry.inner);
            let rule = |from: Hosts, to: Hosts, target: IpNet| {
                let pool = Pool { addresses: vec![PoolAddress::Net(target)], port: PoolPort::Same, bitmask: true };
                let mut rule = Rule::new(Action::Translate(pool), origin.clone());
                rule.on = Some(on.clone());
                rule.family = Some(Family::V6);
                rule.open.clone_from(&doubt);
                (rule.from, rule.to) = (from, to);
                rule
            };
            let inside = Hosts::one(Host::Net(entry.inner));
            let outside = if doubt.is_some() { Hosts::default() } else { Hosts::one(Host::Net(outer)) };
            // The second is for packets to the outer prefix that leave by the line.
            self.out.rules.binat.push(rule(inside, Hosts::default(), outer));
            self.out.rules.binat.push(rule(Hosts::default(), outside, entry.inner));
        }
        self.tunnel_translations();
    }

    /// What `IPsec` translates before it goes into a tunnel: a host's address for a network, else one for one.
    fn tunnel_translations(&mut self) {
        let config = self.config;
        for policy in config.ipsec.iter().flat_map(|i| &i.policies) {
            let family = Family::of(policy.remote.addr());
            let Some(translated) = &policy.translated else { continue };
            let net = |l: &Local| local_net(config, l, family).filter(|n| n.prefix_len() > 0);
            let (Some(local), Some(to)) = (net(&policy.local), net(translated)) else { continue };
            let mut rule = Rule::new(Action::No, system_origin("translation into a tunnel of IPsec"));
            rule.on = Some(On { negate: false, names: vec!["enc0".into()] });
            rule.from = Hosts::one(Host::Net(local));
            rule.to =
                if policy.remote.prefix_len() == 0 { Hosts::default() } else { Hosts::one(Host::Net(policy.remote)) };
            let both = local.prefix_len() == to.prefix_len();
            let port = if both { PoolPort::Same } else { PoolPort::Random(50001, 65535) };
            rule.action = Action::Translate(Pool { addresses: vec![PoolAddress::Net(to)], port, bitmask: both });
            if both { self.out.rules.binat.push(rule) } else { self.out.rules.nat.push(rule) }
        }
    }

    fn both_ways(&mut self, entry: &OneToOne) -> Result<Rule, String> {
        let on = self.on(&entry.interface).ok_or_else(|| format!("the interface `{}` is not on", entry.interface))?;
        let (external, family) = self.external(entry)?;
        let from = self.hosts(&entry.source, &entry.interface, family)?;
        let to = self.hosts(&entry.destination, &entry.interface, family)?;
        let inner = match &from.list[..] {
            [Host::Net(net)] => *net,
            [Host::Table(name)] => match self.out.rules.tables.get(name).map(|t| t.entries.to_vec()).as_deref() {
                Some([crate::dialect::pf::ast::Entry::Net(net), ..]) => *net,
                _ => return Err("its inner network is not known".into()),
            },
            _ => return Err("it has no inner address".into()),
        };
        // The outer network is as large as the inner one.
        let external = IpNet::new(external.addr(), inner.prefix_len()).unwrap_or(external);
        let pool = Pool { addresses: vec![PoolAddress::Net(external)], port: PoolPort::Same, bitmask: true };
        let action = if entry.nobinat { Action::No } else { Action::Translate(pool) };
        let mut rule = Rule::new(action, entry_origin(entry));
        rule.on = Some(on);
        rule.family = Some(family);
        rule.from = Hosts { negate: from.negate, list: vec![Host::Net(inner)] };
        rule.to = to;
        Ok(rule)
    }

    fn external(&self, entry: &OneToOne) -> Result<(IpNet, Family), String> {
        if let Ok(ip) = entry.external.parse::<std::net::IpAddr>() {
            return Ok((ip.into(), Family::of(ip)));
        }
        let iface = entry.external.strip_suffix("ip").and_then(|name| self.interface(name));
        let family = entry.family;
        let address = iface.and_then(|i| self.address(i, family));
        address.map(|a| (a.addr().into(), family)).ok_or_else(|| format!("`{}` is no address", entry.external))
    }

    /// The outer address of a 1:1 translation, where the line tells it.
    fn external_untold(&self, entry: &OneToOne) -> Option<Unknown> {
        let iface = entry.external.strip_suffix("ip").and_then(|name| self.interface(name))?;
        self.address_untold(iface, entry.family).then(|| untold(iface, entry.family))
    }

    pub(super) fn one_to_one_reflection(&mut self) {
        let config = self.config;
        for entry in config.one_to_one.iter().filter(|e| !e.disabled) {
            let reflects = entry.reflection.unwrap_or(config.system.reflection_one_to_one) && !entry.nobinat;
            let (Ok((external, family)), Ok(rule)) = (self.external(entry), self.both_ways(entry)) else { continue };
            let [Host::Net(target)] = rule.from.list[..] else { continue };
            // Of all but an address nothing is reflected.
            if rule.from.negate && reflects {
                continue;
            }
            let inner = if reflects { self.reflecting(&entry.interface) } else { Vec::new() };
            if !inner.is_empty() {
                let external = IpNet::new(external.addr(), target.prefix_len()).unwrap_or(external);
                let pool = Pool { addresses: vec![PoolAddress::Net(target)], port: PoolPort::Same, bitmask: true };
                let mut rdr = Rule::new(Action::Translate(pool), entry_origin(entry));
                rdr.on = Some(On { negate: false, names: inner.clone() });
                rdr.family = Some(family);
                rdr.from = rule.to.clone();
                rdr.to = Hosts::one(Host::Net(external));
                self.out.rules.rdr.push(rdr);
            }
            if config.system.reflection_helper {
                let own = rule.on.iter().flat_map(|on| on.names.clone()).collect::<Vec<_>>();
                for device in own.into_iter().chain(inner) {
                    let iface = self.enabled().find(|i| *i.device == *device);
                    let nets = iface.map(|i| self.addresses(i, family)).unwrap_or_default();
                    if let Some(net) = nets.iter().find(|n| n.contains(&target.addr())) {
                        let origin = entry_origin(entry);
                        let ends = (vec![net.trunc()], Host::Net(target));
                        self.pair(&device, &[], &origin, ends, None, net.addr().into(), true, Some((1024, 65535)));
                    }
                }
            }
        }
    }
}

fn entry_origin(entry: &OneToOne) -> Origin {
    Origin {
        at: entry.at,
        has_lines: true,
        object: format!("1:1 NAT \"{}\"", entry.descr).into(),
        text: format!("1:1 {} {}", entry.interface, entry.external).into(),
        ..Origin::default()
    }
}
