//! Addresses, aliases and ports of rules.

use super::{Generator, network_table};
use crate::dialect::pf::ast::{Entry, Host, Hosts, Table, Unknown};
use crate::dialect::pfsense::config::{Addressing, Alias, End, Interface};
use crate::model::{DoubtKind, Family, Origin};
use crate::vocabulary::port_range;
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Why a rule is left out.
pub(super) type Why = String;

/// Ports of a rule: nothing asked, or these.
pub(super) type Ports = Option<Vec<(u16, u16)>>;

/// Ports that the text of a rule stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// These; all where it is not known which.
    pub ports: Ports,
    /// The firewall loads them from elsewhere.
    pub unknown: Option<Unknown>,
}

impl<'a> Generator<'a> {
    /// Addresses of one end of a rule on an interface.
    pub(super) fn hosts(&mut self, end: &End, interface: &str, family: Family) -> Result<Hosts, Why> {
        if end.any {
            return Ok(Hosts::default());
        }
        let host = match (&end.network, &end.address) {
            (Some(special), _) => self.special(special, family)?,
            (None, Some(address)) => self.address_or_alias(address, interface)?,
            (None, None) => return Err("it names no address".into()),
        };
        if let (Host::Table(name), true) = (&host, end.not)
            && self.loads_nothing(name)
        {
            return Err(format!("the firewall has no list for the alias `{name}`"));
        }
        Ok(Hosts { negate: end.not, list: vec![host] })
    }

    /// `wanip`, `lan`, `(self)` and their like, and interface groups (`filter_generate_address`).
    pub(super) fn special(&mut self, special: &str, family: Family) -> Result<Host, Why> {
        if special == "(self)" {
            return Ok(Host::Own);
        }
        if let Some((name, members)) = self.config.groups.iter().find(|(g, _)| g == special) {
            // A group without an address of a member is as good as no network.
            let some = members.iter().filter_map(|m| self.interface(m)).any(|i| {
                [Family::V4, Family::V6].iter().any(|f| !self.addresses(i, *f).is_empty() || self.address_untold(i, *f))
            });
            return if some {
                Ok(Host::Table(network_table(name).into()))
            } else {
                Err(format!("no member of the group `{name}` has an address"))
            };
        }
        if let Some(iface) = self.interface(special) {
            return Ok(Host::Table(network_table(&iface.name).into()));
        }
        if let Some(iface) = special.strip_suffix("ip").and_then(|name| self.interface(name)) {
            return match self.address(iface, family) {
                Some(net) => Ok(Host::Net(net.addr().into())),
                None if self.address_untold(iface, family) => Ok(Host::Unknown(untold(iface, family))),
                None => Err(no_address(iface, family)),
            };
        }
        // Addresses and aliases are not understood here: they belong into <address>. Nor are tabs of tunnels.
        Err(format!("`{special}` is no interface that is on"))
    }

    fn address_or_alias(&mut self, address: &str, interface: &str) -> Result<Host, Why> {
        if let Some(net) = parse_net(address) {
            return Ok(Host::Net(self.completed(net, interface)));
        }
        self.table(address)
    }

    /// An IPv6 address that begins with `::` gets the prefix of the rule's own interface.
    fn completed(&self, net: IpNet, interface: &str) -> IpNet {
        let IpAddr::V6(host) = net.addr() else { return net };
        if host.segments()[..4] != [0; 4] || host.is_loopback() || host.is_unspecified() || net.prefix_len() != 128 {
            return net;
        }
        let Some(iface) = self.interface(interface) else { return net };
        let from_line = matches!(&iface.v6, Addressing::Line(_));
        match self.address(iface, Family::V6) {
            Some(IpNet::V6(own)) if from_line => {
                let prefix = u128::from(own.addr()) & (u128::MAX << 64);
                IpNet::from(IpAddr::V6((prefix | u128::from(host)).into()))
            }
            _ => net,
        }
    }

    pub(super) fn alias(&self, name: &str) -> Option<&'a Alias> {
        // A name that is a number is dropped with a notice.
        self.config.aliases.iter().find(|a| a.name == name && a.name.parse::<u64>().is_err())
    }

    /// A list that the firewall loads, and has not: rules that name it are left out (`alias_expand`).
    fn loads_nothing(&self, name: &str) -> bool {
        let listed = self.alias(name).is_some_and(|a| a.kind == "urltable");
        listed && self.known.tables.get(name).is_some_and(Vec::is_empty)
    }

    /// A table for an alias.
    pub(super) fn table(&mut self, name: &str) -> Result<Host, Why> {
        // Names of the firewall's own tables come before those of aliases.
        if self.is_reserved(name) {
            return Ok(Host::Table(name.into()));
        }
        let Some(alias) = self.alias(name) else {
            return Err(format!("the alias `{name}` does not exist"));
        };
        if !self.out.rules.tables.contains_key(name) {
            if alias.kind.contains("port") {
                return Err(format!("the alias `{name}` holds ports, not addresses"));
            }
            let origin = Origin {
                at: alias.at,
                has_lines: true,
                object: format!("alias {name}").into(),
                text: format!("alias {name}: {}", alias.members.join(" ")).into(),
                ..Origin::default()
            };
            let (entries, unknown) = match self.known.tables.get(name) {
                Some(entries) => (entries.clone(), None),
                None => self.members(alias, &mut HashSet::new()),
            };
            let listed = unknown.is_some() && alias.kind == "urltable";
            let table = Table { entries: Arc::new(entries), unknown, listed, origin, only: None };
            self.out.rules.tables.insert(name.into(), table);
        }
        Ok(Host::Table(name.into()))
    }

    /// What an alias holds, with what others hold that it names. `done`: those that were looked through; what they hold is
    /// there already.
    fn members(&mut self, alias: &'a Alias, done: &mut HashSet<&'a str>) -> (Vec<Entry>, Option<Unknown>) {
        let supply = |name: &str| {
            format!("add `aliases = {{ {name} = [\"…\"] }}` to its [[gateway]] table: Diagnostics > Tables shows it")
        };
        if self.loading.first() == Some(&alias.name) {
            // The outermost one is not put into itself (`filter_generate_nested_alias_recurse`).
            return (Vec::new(), None);
        }
        if self.loading.contains(&alias.name) {
            let what = format!("what the alias {} holds: it contains itself", alias.name);
            return (
                Vec::new(),
                Some(Unknown {
                    what: what.into(),
                    supply: "take it out of its own members".into(),
                    kind: DoubtKind::Alias,
                }),
            );
        }
        // What an alias of the kind `url` held when it was last loaded stands in the export.
        if alias.kind == "urltable" || alias.kind.starts_with("url") && alias.members.is_empty() {
            let what = format!("what the alias {} holds: the firewall loads it from a URL", alias.name);
            return (
                Vec::new(),
                Some(Unknown { what: what.into(), supply: supply(&alias.name).into(), kind: DoubtKind::Alias }),
            );
        }
        if !done.insert(&alias.name) {
            return (Vec::new(), None);
        }
        self.loading.push(alias.name.clone());
        let mut entries = Vec::new();
        let mut unknown = None;
        for member in &alias.members {
            if let Some(entry) = entry(member) {
                entries.push(entry);
            } else if let Some(inner) = self.alias(member) {
                if let Some(given) = self.known.tables.get(member) {
                    entries.extend(given);
                } else {
                    let (more, open) = self.members(inner, done);
                    entries.extend(more);
                    unknown = unknown.or(open);
                }
            } else if let Some(addresses) = self.known.names.get(member) {
                entries.extend(addresses.iter().map(|a| Entry::Net((*a).into())));
            } else {
                let what = format!("which addresses {member} has, in the alias {}", alias.name);
                unknown.get_or_insert(Unknown {
                    what: what.into(),
                    supply: supply(&alias.name).into(),
                    kind: DoubtKind::Alias,
                });
            }
        }
        self.loading.pop();
        (entries, unknown)
    }

    /// Ports of a rule: numbers, a range, or an alias.
    pub(super) fn ports(&self, text: Option<&str>) -> Result<Wanted, Why> {
        let Some(text) = text else { return Ok(Wanted::default()) };
        if let Some(range) = port_range(text) {
            return Ok(Wanted { ports: Some(vec![range]), unknown: None });
        }
        let alias = self.alias(text).filter(|a| a.kind.contains("port"));
        let Some(alias) = alias else { return Err(format!("the alias `{text}` does not exist, or holds no ports")) };
        if alias.kind == "urltable_ports" || alias.kind == "url_ports" && alias.members.is_empty() {
            return Ok(Wanted { ports: None, unknown: Some(loaded_ports(text)) });
        }
        let mut out = Vec::new();
        self.port_members(alias, &mut out, &mut Vec::new(), &mut HashSet::new())?;
        if out.is_empty() {
            return Err(format!("the alias `{text}` is empty"));
        }
        Ok(Wanted { ports: Some(out), unknown: None })
    }

    fn port_members<'n>(
        &self,
        alias: &'n Alias,
        out: &mut Vec<(u16, u16)>,
        seen: &mut Vec<&'n str>,
        done: &mut HashSet<&'n str>,
    ) -> Result<(), Why>
    where
        'a: 'n,
    {
        if seen.first() == Some(&alias.name.as_str()) {
            return Ok(());
        }
        if seen.contains(&alias.name.as_str()) {
            return Err(format!("the alias `{}` contains itself", alias.name));
        }
        if !done.insert(&alias.name) {
            return Ok(());
        }
        seen.push(&alias.name);
        for member in &alias.members {
            match port_range(member) {
                Some(range) => out.push(range),
                // Of a list that is loaded nothing gets into another alias.
                None => match self.alias(member).filter(|a| a.kind.contains("port")) {
                    Some(inner) => self.port_members(inner, out, seen, done)?,
                    None => return Err(format!("the alias `{member}` does not exist, or holds no ports")),
                },
            }
        }
        seen.pop();
        Ok(())
    }
}

/// An address that the line tells, and the export does not hold.
pub(super) fn untold(iface: &Interface, family: Family) -> Unknown {
    let device = &iface.device;
    Unknown {
        what: format!("which {} address {} has: the line tells it", family_name(family), iface.descr).into(),
        supply: format!(
            "add `interfaces = {{ \"{device}\" = \"…\" }}` to its [[gateway]] table: Status > Interfaces shows it"
        )
        .into(),
        ..Unknown::default()
    }
}

fn loaded_ports(name: &str) -> Unknown {
    Unknown {
        what: format!("which ports the alias {name} holds: the firewall loads them from a URL").into(),
        supply: "make it an alias of the type Port(s), which holds its ports itself".into(),
        kind: DoubtKind::Alias,
    }
}

/// Why an interface's address cannot be used. A backup does not hold what the line tells.
pub(super) fn no_address(iface: &Interface, family: Family) -> String {
    let set = if family == Family::V4 { &iface.v4 } else { &iface.v6 };
    let what = format!("{} has no {} address", iface.descr, family_name(family));
    if matches!(set, Addressing::Line(_)) { format!("{what} that the backup holds: the line tells it") } else { what }
}

pub(super) fn family_name(family: Family) -> &'static str {
    if family == Family::V4 { "IPv4" } else { "IPv6" }
}

/// An address or network as pages write it.
pub(in crate::dialect::pfsense) fn parse_net(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn entry(member: &str) -> Option<Entry> {
    if let Some(net) = member.strip_prefix('!').and_then(parse_net) {
        return Some(Entry::Not(net));
    }
    if let Some((lo, hi)) = member.split_once('-')
        && let (Ok(IpAddr::V4(lo)), Ok(IpAddr::V4(hi))) = (lo.parse(), hi.parse())
    {
        return Some(Entry::Range(lo.into(), hi.into()));
    }
    parse_net(member).map(|n| Entry::Net(n.trunc()))
}
