//! Port forwards with their reflections, and 1:1 translation.

use super::names::{Ports, Wanted, no_address, parse_net, untold};
use super::{Generator, LAST_PROXY_PORT};
use crate::dialect::pf::ast::{Action, Host, Hosts, On, Pool, PoolAddress, PoolPort, Rule, Unknown};
use crate::dialect::pf::text::rule::protocol;
use crate::dialect::pfsense::config::{Forward, Interface, Reflects};
use crate::model::{Family, Origin};
use ipnet::IpNet;

/// Reflections of more ports are not made with proxies.
const MAX_PROXY_PORTS: u32 = 500;

/// What a forward translates, before interfaces are known.
struct Parts {
    protocols: Vec<u8>,
    source: Hosts,
    source_ports: Ports,
    destination: Hosts,
    ports: Ports,
    target: PoolAddress,
    port: PoolPort,
    /// The target is written as an address, without a port.
    bare: bool,
    /// The target is written as the name of an interface's address: helpers and proxies do not understand it.
    by_name: bool,
    /// What is not known about its ports.
    when: Option<Unknown>,
    /// What is not known about its target.
    doubt: Option<Unknown>,
    origin: Origin,
}

impl Generator<'_> {
    pub(super) fn forwards(&mut self) {
        let config = self.config;
        let off = config.system.reflection_off;
        for forward in config.forwards.iter().filter(|f| !f.disabled) {
            match self.parts(forward) {
                Ok(parts) => self.forward(forward, &parts),
                Err(why) => self.leave_out(forward.at, &forward.descr, why),
            }
        }
        for forward in config.forwards.iter().filter(|f| f.disabled) {
            if let (Ok(parts), Some(on)) = (self.parts(forward), self.on(&forward.interface)) {
                self.out.rules.dormant_rdr.push(rdr(&parts, forward, on));
            }
        }
        // What reflection proxies take is let in, when one of the forwards, whether on or not, has such a reflection.
        let asks = |f: &Forward| f.reflection != Reflects::Off && (!off || f.reflection == Reflects::Proxy);
        if config.forwards.iter().any(asks) {
            let mut rule = Rule::new(Action::Pass, system_origin("what reflection proxies take"));
            rule.direction = Some(crate::dialect::pf::ast::Direction::In);
            rule.family = Some(Family::V4);
            rule.tagged = Some((true, "PFREFLECT".into()));
            self.out.rules.filter.push(rule);
        }
    }

    fn parts(&mut self, forward: &Forward) -> Result<Parts, String> {
        let with_ports = forward.has_ports();
        let source = self.hosts(&forward.source, &forward.interface, forward.family)?;
        let destination = self.hosts(&forward.destination, &forward.interface, forward.family)?;
        let port_text = forward.destination.port.as_deref().filter(|_| with_ports);
        let wanted = self.forward_ports(port_text)?;
        let from = self.forward_ports(forward.source.port.as_deref().filter(|_| with_ports))?;
        let local = forward.local_port.as_deref().filter(|_| with_ports);
        let (port, unknown_port) = self.local_port(port_text, &wanted.ports, local);
        let ports = wanted.ports;
        if let (PoolPort::From(to), Some(ports)) = (port, &ports)
            && ports.iter().any(|(lo, hi)| to.checked_add(hi - lo).is_none())
        {
            return Err("its ports go beyond 65535".into());
        }
        let plain_target = forward.target.as_deref().unwrap_or_default();
        let target = if forward.nordr {
            Target {
                address: PoolAddress::Net(parse_net("0.0.0.0/32").ok_or("")?),
                written: Written::Alias,
                doubt: None,
            }
        } else {
            self.target(plain_target, forward.family)?
        };
        let single = ports.as_ref().is_some_and(|p| p.len() == 1 && p[0].0 == p[0].1);
        let bare = target.written != Written::Alias && port == PoolPort::Same && !single;
        Ok(Parts {
            protocols: protocols(forward.protocol.as_deref())?,
            source,
            source_ports: from.ports,
            destination,
            ports,
            target: target.address,
            port,
            bare,
            by_name: target.written == Written::Name,
            when: wanted.unknown.or(from.unknown),
            doubt: target.doubt.or(unknown_port),
            origin: self.forward_origin(forward),
        })
    }

    /// A port that is none, and no alias either, is left out of the rule, which then is for all ports
    /// (`filter_generate_port`).
    fn forward_ports(&self, text: Option<&str>) -> Result<Wanted, String> {
        let none =
            |why: String| if text.is_some_and(|t| self.alias(t).is_none()) { Ok(Wanted::default()) } else { Err(why) };
        self.ports(text).or_else(none)
    }

    fn forward_origin(&self, forward: &Forward) -> Origin {
        let f = forward;
        let end = |e: &crate::dialect::pfsense::config::End| {
            let what = e.network.as_deref().or(e.address.as_deref()).unwrap_or("any");
            match &e.port {
                Some(port) => format!("{what} port {port}"),
                None => what.to_owned(),
            }
        };
        let text = format!(
            "{} {}: {} -> {}{}",
            self.interface(&f.interface).map_or(&*f.interface, |i| &*i.descr),
            f.protocol.as_deref().unwrap_or("any"),
            end(&f.destination),
            f.target.as_deref().unwrap_or("nothing"),
            f.local_port.as_ref().map(|p| format!(":{p}")).unwrap_or_default()
        );
        Origin {
            at: f.at,
            has_lines: true,
            object: format!("port forward \"{}\"", f.descr).into(),
            text: text.into(),
            comment: (!f.descr.is_empty()).then(|| f.descr.as_str().into()),
            ..Origin::default()
        }
    }

    /// What becomes of the port: unchanged when the page's two fields begin alike. And what is not known about it.
    fn local_port(&self, written: Option<&str>, ports: &Ports, local: Option<&str>) -> (PoolPort, Option<Unknown>) {
        let Some(local) = local.filter(|l| written != Some(*l)) else { return (PoolPort::Same, None) };
        let Ok(to) = local.parse::<u16>() else {
            // Of an alias only the first port counts; what is none leaves the port as it is.
            return match self.ports(Some(local)) {
                Ok(wanted) => match (wanted.ports.and_then(|p| p.first().copied()), wanted.unknown) {
                    (Some(first), _) => (PoolPort::One(first.0), None),
                    (None, unknown) => (PoolPort::Same, unknown),
                },
                Err(_) => (PoolPort::Same, None),
            };
        };
        // Only a range written with a hyphen is one here.
        let range = written.filter(|w| !w.contains(':')).and_then(crate::vocabulary::port_range);
        let port = match (range, ports) {
            (Some((lo, hi)), _) if lo == to && (hi > lo || ports.as_ref().is_some_and(|p| p.len() == 1)) => {
                PoolPort::Same
            }
            (Some((lo, hi)), _) if hi > lo => PoolPort::From(to),
            // Without any port at all there is nothing to move.
            (None, None) if written.is_none() => PoolPort::Same,
            _ => PoolPort::One(to),
        };
        (port, None)
    }

    /// Where a forward leads.
    fn target(&mut self, target: &str, family: Family) -> Result<Target, String> {
        if let Ok(ip) = target.parse::<std::net::IpAddr>() {
            return Ok(Target { address: PoolAddress::Net(ip.into()), written: Written::Address, doubt: None });
        }
        if target.is_empty() {
            return Err("it has no target".into());
        }
        if self.alias(target).is_some() || self.is_reserved(target) {
            self.table(target)?;
            return Ok(Target { address: PoolAddress::Table(target.into()), written: Written::Alias, doubt: None });
        }
        let iface = target.strip_suffix("ip").and_then(|name| self.interface(name));
        let (address, doubt) = match (self.special(target, family), iface) {
            (Ok(Host::Net(net)), _) => (PoolAddress::Net(net), None),
            (Ok(Host::Table(name)), _) => (PoolAddress::Table(name), None),
            (_, Some(iface)) if self.address_untold(iface, family) => {
                (PoolAddress::Address(iface.device.as_str().into()), Some(untold(iface, family)))
            }
            (_, Some(iface)) => return Err(no_address(iface, family)),
            _ => return Err(format!("its target `{target}` is neither an address nor an alias")),
        };
        Ok(Target { address, written: Written::Name, doubt })
    }

    fn forward(&mut self, forward: &Forward, parts: &Parts) {
        let Some(on) = self.on(&forward.interface) else {
            let why = format!("the interface `{}` is not on", forward.interface);
            return self.leave_out(forward.at, &forward.descr, why);
        };
        let inner = self.reflecting(&forward.interface);
        let mut mode = self.reflection(forward);
        let nowhere = matches!(&parts.destination.list[..], [Host::Net(n)] if n.addr().is_unspecified());
        // Without an interface to reflect on, or for no address, there is no reflection.
        if inner.is_empty() || nowhere {
            mode = Reflects::Off;
        }
        // A forward to any address is reflected for the network of its own interface, and left out without one, whether
        // there is anybody to reflect to or not.
        let reflected = self.reflected_destination(forward, parts);
        if reflected.is_none() && self.reflection(forward) != Reflects::Off {
            let why = "it is for any address, and its interface has none of its own to reflect";
            return self.leave_out(forward.at, &forward.descr, why);
        }
        let base = rdr(parts, forward, on.clone());
        self.out.rules.rdr.push(base.clone());
        if !self.config.system.reflection_helper && forward.destination.any && !forward.nordr {
            self.own_subnet(forward, parts);
        }
        if mode == Reflects::Proxy && !forward.nordr {
            self.proxies(forward, parts, &base, &inner);
        }
        if let (Some(to), true) = (reflected, mode == Reflects::Pure || mode == Reflects::Proxy && forward.nordr) {
            let mut rule = base.clone();
            rule.on = Some(On { negate: false, names: inner.clone() });
            rule.to = to;
            rule.origin.object = format!("port forward \"{}\", reflection", forward.descr).into();
            self.out.rules.rdr.push(rule);
        }
        if self.config.system.reflection_helper && !forward.nordr {
            let devices = if mode == Reflects::Pure { inner } else { Vec::new() };
            self.helper(forward, parts, &on, &devices);
        }
    }

    fn reflection(&self, forward: &Forward) -> Reflects {
        match forward.reflection {
            Reflects::Default if self.config.system.reflection_off => Reflects::Off,
            Reflects::Default if self.config.system.reflection_pure => Reflects::Pure,
            Reflects::Default => Reflects::Proxy,
            own => own,
        }
    }

    /// Devices and groups that calls from inside come by (`filter_get_reflection_interfaces`).
    pub(super) fn reflecting(&self, own: &str) -> Vec<Box<str>> {
        let inside = self.enabled().filter(|i| i.name != own && !self.outside(i, Family::V4));
        let untold = |i: &Interface| self.address_untold(i, Family::V4);
        let with_address =
            inside.filter(|i| untold(i) || [Family::V4, Family::V6].iter().any(|f| !self.addresses(i, *f).is_empty()));
        let mut all: Vec<Box<str>> = with_address.map(|i| i.device.as_str().into()).collect();
        all.extend(self.config.groups.iter().filter(|(g, _)| g != own).map(|(g, _)| g.as_str().into()));
        // Servers of PPPoE have no entry of their own there.
        all.extend(self.tabs().into_iter().filter(|t| *t != own && *t != "pppoe").map(Into::into));
        all
    }

    /// A forward to any address is reflected only for the network of its own interface.
    fn reflected_destination(&self, forward: &Forward, parts: &Parts) -> Option<Hosts> {
        if !forward.destination.any {
            return Some(parts.destination.clone());
        }
        // Always by its IPv4 address.
        let iface = self.interface(&forward.interface)?;
        match self.address(iface, Family::V4) {
            Some(net) => Some(Hosts::one(Host::Net(net.trunc()))),
            None if self.address_untold(iface, Family::V4) => {
                Some(Hosts::one(Host::Unknown(untold(iface, Family::V4))))
            }
            None => None,
        }
    }

    /// "Enable automatic outbound NAT for Reflection": callers in the target's own network get answers by way of the
    /// firewall.
    fn helper(&mut self, forward: &Forward, parts: &Parts, own: &On, devices: &[Box<str>]) {
        let Some(host) = self.single_target(&parts.target, forward.family).filter(|_| !parts.by_name) else { return };
        let written_port = match (parts.port, parts.ports.as_deref()) {
            (PoolPort::Same, Some([(lo, hi)]))
                if lo == hi && forward.destination.port.as_deref().is_some_and(|p| p.parse::<u16>().is_ok()) =>
            {
                Some(vec![(*lo, *hi)])
            }
            (PoolPort::From(to), Some([(lo, hi)])) => Some(vec![(to, to.saturating_add(hi - lo))]),
            (PoolPort::One(to), _) => Some(vec![(to, to)]),
            _ => None,
        };
        let names = own.names.iter().chain(devices);
        let mut done: Vec<Box<str>> = Vec::new();
        for name in names.cloned().collect::<Vec<_>>() {
            let members: Vec<Box<str>> =
                self.out.rules.groups.get(&name).cloned().unwrap_or_else(|| vec![name.clone()]);
            for device in members {
                if done.contains(&device) {
                    continue;
                }
                if self.helper_on(&device, parts, host, &written_port, forward.family) {
                    done.push(device);
                }
            }
        }
    }

    fn helper_on(&mut self, device: &str, parts: &Parts, host: IpNet, port: &Ports, family: Family) -> bool {
        let Some(iface) = self.enabled().find(|i| i.device == device) else { return false };
        let nets = self.addresses(iface, family);
        let routed = self.routed_by(iface, host);
        let direct = nets.iter().find(|n| n.contains(&host.addr())).copied();
        let (address, mut sources) = match (direct, &routed[..]) {
            (Some(net), _) => (net.addr(), vec![net.trunc()]),
            (None, [_, ..]) => match nets.first() {
                Some(net) => (net.addr(), vec![net.trunc()]),
                None => return false,
            },
            (None, []) => return false,
        };
        sources.extend(routed);
        let target = match &parts.target {
            PoolAddress::Table(name) => Host::Table(name.clone()),
            _ => Host::Net(host),
        };
        self.pair(
            device,
            &parts.protocols,
            &parts.origin,
            (sources, target),
            port.clone(),
            address.into(),
            parts.bare,
            Some((1024, 65535)),
        );
        true
    }

    /// `no nat` for the firewall itself and `nat` for everybody else in the network.
    #[allow(clippy::too_many_arguments)] // the parts of two rules
    pub(super) fn pair(
        &mut self,
        device: &str,
        protocols: &[u8],
        origin: &Origin,
        (sources, target): (Vec<IpNet>, Host),
        port: Ports,
        address: IpNet,
        exempt: bool,
        range: Option<(u16, u16)>,
    ) {
        let mut origin = origin.clone();
        origin.object = format!("{}, outbound NAT for reflection", origin.object).into();
        let on = Some(On { negate: false, names: vec![device.into()] });
        if exempt {
            let mut no = Rule::new(Action::No, origin.clone());
            no.on.clone_from(&on);
            no.protocols = protocols.to_vec();
            no.from = Hosts::one(Host::Address(device.into()));
            no.to = Hosts::one(target.clone());
            self.out.rules.nat.push(no);
        }
        let (lo, hi) = range.unwrap_or((50001, 65535));
        let pool = Pool { addresses: vec![PoolAddress::Net(address)], port: PoolPort::Random(lo, hi), bitmask: false };
        let mut nat = Rule::new(Action::Translate(pool), origin);
        nat.on = on;
        nat.protocols = protocols.to_vec();
        nat.from = Hosts { negate: false, list: sources.into_iter().map(Host::Net).collect() };
        nat.to = Hosts::one(target);
        nat.ports = port;
        self.out.rules.nat.push(nat);
    }

    /// A forward to any address on an inner interface: TCP of its own network, whatever the forward's protocol.
    fn own_subnet(&mut self, forward: &Forward, parts: &Parts) {
        let Some(iface) = self.interface(&forward.interface).filter(|i| !self.outside(i, Family::V4)) else { return };
        let (Some(net), Some(host)) =
            (self.address(iface, forward.family), self.single_target(&parts.target, forward.family))
        else {
            return;
        };
        // Of a range only the first port is written.
        let ranged = forward.destination.port.as_deref().is_some_and(|p| p.contains('-'));
        let port = parts.ports.clone().map(|p| if ranged { p.iter().map(|(lo, _)| (*lo, *lo)).collect() } else { p });
        let device = iface.device.clone();
        let mut no = Rule::new(Action::No, parts.origin.clone());
        no.on = Some(On { negate: false, names: vec![device.as_str().into()] });
        no.family = Some(forward.family);
        no.protocols = vec![6];
        no.from = Hosts::one(Host::Address(device.as_str().into()));
        no.to = Hosts::one(Host::Net(net.trunc()));
        self.out.rules.nat.push(no);
        self.pair(
            &device,
            &[6],
            &parts.origin,
            (vec![net.trunc()], Host::Net(host)),
            port,
            net.addr().into(),
            false,
            None,
        );
    }

    /// The one host that a forward leads to; none when there are several.
    fn single_target(&self, target: &PoolAddress, family: Family) -> Option<IpNet> {
        match target {
            PoolAddress::Net(net) => Some(*net).filter(|n| Family::of(n.addr()) == family),
            PoolAddress::Table(name) => {
                let table = self.out.rules.tables.get(name)?;
                match (&table.entries[..], &table.unknown) {
                    ([crate::dialect::pf::ast::Entry::Net(net)], None) if net.prefix_len() == net.max_prefix_len() => {
                        Some(*net)
                    }
                    _ => None,
                }
            }
            PoolAddress::Address(_) | PoolAddress::First(_) => None,
        }
    }

    /// Networks with this host behind a gateway on an interface.
    fn routed_by(&self, iface: &Interface, host: IpNet) -> Vec<IpNet> {
        let routes = self.config.routes.iter().filter_map(|(to, gateway)| {
            let gateway = self.config.gateways.iter().find(|g| g.name == *gateway)?;
            let to: IpNet = to.parse().ok()?;
            (gateway.interface == iface.name && to.contains(&host.addr())).then_some(to)
        });
        routes.collect()
    }

    /// NAT + Proxy: each port goes to a program on the firewall, on a port of its own.
    fn proxies(&mut self, forward: &Forward, parts: &Parts, base: &Rule, inner: &[Box<str>]) {
        if inner.is_empty() || forward.family == Family::V6 || parts.by_name {
            return;
        }
        let Some(ports) = &parts.ports else { return };
        let mut count = 0;
        for (lo, hi) in ports {
            count += u32::from(hi - lo) + 1;
            if count > MAX_PROXY_PORTS {
                return;
            }
            if self.proxy_port > LAST_PROXY_PORT {
                return;
            }
            let room = LAST_PROXY_PORT - self.proxy_port;
            let hi = (*hi).min(lo.saturating_add(room));
            let mut rule = base.clone();
            rule.on = Some(On { negate: false, names: inner.to_vec() });
            rule.family = None;
            rule.ports = Some(vec![(*lo, hi)]);
            rule.tag = Some("PFREFLECT".into());
            rule.pass = false;
            rule.origin.object = format!("port forward \"{}\", NAT + Proxy", forward.descr).into();
            let localhost = PoolAddress::Net(IpNet::from(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)));
            let port = if *lo == hi { PoolPort::One(self.proxy_port) } else { PoolPort::From(self.proxy_port) };
            rule.action = Action::Translate(Pool { addresses: vec![localhost], port, bitmask: false });
            self.out.rules.rdr.push(rule);
            self.proxy_port += hi - lo + 1;
        }
    }
}

/// Where a forward leads, and how that is written.
struct Target {
    address: PoolAddress,
    written: Written,
    doubt: Option<Unknown>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Address,
    Alias,
    Name,
}

fn rdr(parts: &Parts, forward: &Forward, on: On) -> Rule {
    let pool = Pool { addresses: vec![parts.target.clone()], port: parts.port, bitmask: false };
    let action = if forward.nordr { Action::No } else { Action::Translate(pool) };
    let mut rule = Rule::new(action, parts.origin.clone());
    rule.on = Some(on);
    rule.family = Some(forward.family);
    rule.protocols.clone_from(&parts.protocols);
    rule.from = parts.source.clone();
    rule.source_ports.clone_from(&parts.source_ports);
    rule.to = parts.destination.clone();
    rule.ports.clone_from(&parts.ports);
    rule.when.clone_from(&parts.when);
    rule.open.clone_from(&parts.doubt);
    rule.pass = forward.associated == "pass" && !forward.nordr;
    rule.any_flags = true;
    rule
}

/// Protocol numbers of a page's choice; none asked: empty.
pub(super) fn protocols(name: Option<&str>) -> Result<Vec<u8>, String> {
    let Some(name) = name else { return Ok(Vec::new()) };
    let parts = name.split('/');
    parts.map(|p| protocol(p).ok_or_else(|| format!("the protocol `{p}` is not known"))).collect()
}

pub(super) fn system_origin(what: &str) -> Origin {
    Origin { object: format!("{what} (pfSense's own rule)").into(), ..Origin::default() }
}
