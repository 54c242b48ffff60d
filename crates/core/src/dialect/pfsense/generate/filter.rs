//! Rules of the user, in the order in which pf gets them.

use super::forward::protocols;
use super::names::family_name;
use super::{Generator, there};
use crate::dialect::pf::ast::{Action, Direction, Host, Hosts, On, Route, Rule as Pf, State, Unknown};
use crate::dialect::pfsense::config::{Addressing, Gateway, Holds, Rule, has_ports};
use crate::model::{Family, Origin};

impl Generator<'_> {
    pub(super) fn user_rules(&mut self) {
        let config = self.config;
        let live = || config.rules.iter().filter(|r| !r.disabled);
        let floats = |r: &Rule| r.floats;
        for rule in live().filter(|r| floats(r)) {
            self.user_rule(rule);
        }
        for rule in config.rules.iter().filter(|r| r.disabled) {
            for family in rule.families.clone() {
                let made = self.one_rule(rule, family).unwrap_or_default();
                self.out.rules.dormant_filter.extend(made);
            }
        }
        let is_group = |name: &str| config.groups.iter().any(|(g, _)| g == name);
        let is_tab = |name: &str| ["openvpn", "enc0", "l2tp", "pppoe"].contains(&name);
        let rest = || live().filter(|r| !floats(r));
        let first = |r: &Rule| r.interfaces.first().cloned().unwrap_or_default();
        for rule in rest().filter(|r| is_group(&first(r))) {
            self.user_rule(rule);
        }
        for rule in rest().filter(|r| is_tab(&first(r))) {
            self.user_rule(rule);
        }
        for rule in rest().filter(|r| !is_group(&first(r)) && !is_tab(&first(r))) {
            self.user_rule(rule);
        }
    }

    fn user_rule(&mut self, rule: &Rule) {
        if rule.schedule.as_deref().is_some_and(|s| self.holds(s) == Holds::Never) {
            return self.leave_out(rule.at, &rule.descr, "its schedule never holds");
        }
        for family in rule.families.clone() {
            match self.one_rule(rule, family) {
                Ok(made) => self.out.rules.filter.extend(made),
                Err(why) => return self.leave_out(rule.at, &rule.descr, why),
            }
        }
    }

    fn holds(&self, schedule: &str) -> Holds {
        // A rule with a schedule that is gone holds always.
        self.config.schedules.iter().find(|(n, _)| n == schedule).map_or(Holds::Always, |(_, h)| *h)
    }

    fn one_rule(&mut self, rule: &Rule, family: Family) -> Result<Vec<Pf>, String> {
        let origin = self.rule_origin(rule);
        let action = match rule.action.as_str() {
            "block" => Action::Block { answer: false },
            "reject" => Action::Block { answer: true },
            "match" => Action::Match,
            // What the page does not know lets pass.
            _ => Action::Pass,
        };
        let mut made = Pf::new(action, origin);
        made.direction = match rule.direction.as_str() {
            "in" => Some(Direction::In),
            "out" => Some(Direction::Out),
            _ => None,
        };
        made.quick = rule.quick;
        made.family = Some(family);
        made.on = self.rule_interfaces(rule)?;
        let interface = rule.interfaces.first().cloned().unwrap_or_default();
        made.from = self.hosts(&rule.source, &interface, family)?;
        made.to = self.hosts(&rule.destination, &interface, family)?;
        let unknown_ports = self.transport(rule, &mut made)?;
        made.never = rule.never;
        if let Some(limit) = &rule.limited {
            made.limited = Some(limit.as_str().into());
        }
        made.state = match rule.state.as_deref() {
            Some("none") => State::None,
            Some(s) if s.starts_with("sloppy") => State::Sloppy,
            _ => State::Keep,
        };
        // Rules for TCP alone say S/SA themselves; without states there is no such default.
        made.any_flags = rule.any_flags || made.action != Action::Pass || made.state == State::None;
        made.tag = rule.tag.as_deref().map(Into::into);
        made.tagged = rule.tagged.as_ref().map(|(with, tag)| (*with, tag.as_str().into()));
        let open = match (&rule.schedule, &rule.narrowed) {
            (Some(s), _) if self.holds(s) == Holds::Sometimes => Some(format!("whether the schedule {s} holds now")),
            (_, Some(what)) => Some(format!("whether a rule applies: {what}")),
            _ => None,
        };
        made.when = open.map(|what| Unknown { what: what.into(), ..Unknown::default() });
        // Of two doubts about whether it applies, one is enough.
        made.when = made.when.or(unknown_ports);
        let mut out = Vec::new();
        if made.action == Action::Pass {
            if rule.gateway.is_some() {
                return self.with_gateway(rule, made, family);
            }
            made.route = self.reply_to(rule, family);
        }
        out.push(made);
        Ok(out)
    }

    fn rule_origin(&self, rule: &Rule) -> Origin {
        let end = |e: &crate::dialect::pfsense::config::End| {
            let what = e.network.as_deref().or(e.address.as_deref()).unwrap_or("any");
            let not = if e.not { "not " } else { "" };
            match &e.port {
                Some(port) => format!("{not}{what} port {port}"),
                None => format!("{not}{what}"),
            }
        };
        let on = rule.interfaces.iter().map(|i| self.interface(i).map_or(i.as_str(), |f| &f.descr)).collect::<Vec<_>>();
        let text = format!(
            "{} on {}: {} from {} to {}",
            rule.action,
            if on.is_empty() { "all interfaces".to_owned() } else { on.join(", ") },
            rule.protocol.as_deref().unwrap_or("any"),
            end(&rule.source),
            end(&rule.destination)
        );
        let kind = if rule.floating { "floating rule" } else { "firewall rule" };
        Origin {
            at: rule.at,
            has_lines: true,
            object: format!("{kind} \"{}\"", rule.descr).into(),
            handle: rule.tracker,
            text: text.into(),
            comment: (!rule.descr.is_empty()).then(|| rule.descr.as_str().into()),
            setting: false,
        }
    }

    fn rule_interfaces(&self, rule: &Rule) -> Result<Option<On>, String> {
        if rule.floats && (rule.interfaces.is_empty() || rule.interfaces.iter().any(|i| i == "any")) {
            return Ok(None);
        }
        if rule.interfaces.is_empty() {
            return Err("it names no interface".into());
        }
        // Only a floating rule has several.
        let all = if rule.floats { rule.interfaces.clone() } else { vec![rule.interfaces.join(",")] };
        let names: Vec<Box<str>> = all.iter().filter_map(|i| self.on(i)).flat_map(|on| on.names).collect();
        if names.is_empty() {
            return Err(format!("the interface `{}` is not on", rule.interfaces.join(",")));
        }
        Ok(Some(On { negate: false, names }))
    }

    /// Protocol and ports; what is not known about the ports.
    fn transport(&self, rule: &Rule, made: &mut Pf) -> Result<Option<Unknown>, String> {
        let Some(protocol) = &rule.protocol else { return Ok(None) };
        let lower = protocol.to_ascii_lowercase();
        made.protocols = protocols(Some(&lower))?;
        if !has_ports(&lower) {
            return Ok(None);
        }
        let source = self.ports(rule.source.port.as_deref())?;
        let destination = self.ports(rule.destination.port.as_deref())?;
        (made.source_ports, made.ports) = (source.ports, destination.ports);
        Ok(destination.unknown.or(source.unknown))
    }

    /// Answers leave by the line on which the call came.
    fn reply_to(&self, rule: &Rule, family: Family) -> Option<Route> {
        let one = (rule.interfaces.len() == 1 && ["in", "out"].contains(&rule.direction.as_str()))
            .then(|| &rule.interfaces[0]);
        let iface = self.interface(one?)?;
        if self.config.system.no_reply_to || rule.no_reply_to {
            return None;
        }
        let hop = self.hop(iface, family)?.0;
        Some(Route { reply: true, hops: vec![(iface.device.as_str().into(), hop)] })
    }

    /// Policy routing: by a gateway, or by the members of a group that come first.
    fn with_gateway(&mut self, rule: &Rule, mut made: Pf, family: Family) -> Result<Vec<Pf>, String> {
        let name = rule.gateway.as_deref().unwrap_or_default();
        let of_name = |name: &str| self.config.gateways.iter().find(|g| g.name == name && there(self.config, g));
        let gateway = |name: &str| of_name(name).filter(|g| !g.down && self.answers(g) && g.family == family);
        if let Some(other) = of_name(name).filter(|g| g.family != family) {
            let what = format!("what pf makes of a rule with {} and the gateway {name}", family_name(family));
            let supply = format!("a gateway of the rule's own family: {name} is one for {}", family_name(other.family));
            made.open = Some(Unknown { what: what.into(), supply: supply.into(), ..Unknown::default() });
            return Ok(vec![made]);
        }
        let group = self.config.gateway_groups.iter().find(|(g, _)| g == name).filter(|_| of_name(name).is_none());
        let members: Vec<&str> = match group {
            Some((_, list)) => {
                let tier = list.iter().filter(|m| gateway(&m.0).is_some()).map(|m| m.1).min();
                list.iter().filter(|m| Some(m.1) == tier).map(|m| m.0.as_str()).collect()
            }
            None => vec![name],
        };
        let hops: Vec<_> = members
            .into_iter()
            .filter_map(gateway)
            .filter_map(|g| self.interface(&g.interface).map(|i| (i.device.as_str().into(), g.address)))
            .collect();
        if hops.is_empty() {
            if self.config.system.skip_down {
                return Err(format!("its gateway {name} is down"));
            }
            // Its gateway is down or gone: the rule stays and routing decides.
            return Ok(vec![made]);
        }
        let mut out = Vec::new();
        let tunnels = !self.config.system.no_negation && !self.vpn_networks().is_empty();
        if tunnels && names_any(rule, &made) {
            // What is for a tunnel does not obey the gateway.
            let mut exempt = made.clone();
            exempt.to = Hosts { negate: false, list: self.vpn_networks().into_iter().map(Host::Net).collect() };
            out.push(exempt);
        }
        made.route = Some(Route { reply: false, hops });
        out.push(made);
        Ok(out)
    }

    /// A gateway whose address the line tells is one only while there is such a line.
    fn answers(&self, gateway: &Gateway) -> bool {
        let Some(iface) = self.interface(&gateway.interface) else { return false };
        let set = if gateway.family == Family::V4 { &iface.v4 } else { &iface.v6 };
        gateway.address.is_some() || !matches!(set, Addressing::Static(_)) && self.has_lease(iface, gateway.family)
    }
}

/// The generator looks for the word `any` in what it wrote: aliases with it in their names have it too.
fn names_any(rule: &Rule, made: &Pf) -> bool {
    made.to.is_any() || rule.destination.address.as_deref().is_some_and(|a| a.contains("any"))
}
