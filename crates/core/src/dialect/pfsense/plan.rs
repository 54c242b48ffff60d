//! From what is wanted to edits: the smallest change of what stands there, else something new.

mod narrow;
#[cfg(test)]
mod tests;

pub use narrow::{Narrow, narrow};

use super::change::BackupChange;
use super::config::{Config, End, Forward, OneToOne, Reflects};
use super::edit::{Destination, Edit, ForwardField, NewForward, NewOutbound, NewPass, Reflection, RuleField};
use super::read::read;
use crate::change::{Context, Intent, Manner, MarkRole, Packets, Refused, Wanted, network};
use crate::model::{Device, Family, OriginId, SourceId, SourceSpan};
use crate::vocabulary::port_range;
use ipnet::IpNet;
use std::net::IpAddr;

/// What is changed for one wanted thing, and the places that it is about, each with a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The change.
    pub change: BackupChange,
    /// Places in the file.
    pub marks: Vec<(SourceSpan, MarkRole)>,
}

/// The change for one wanted thing on a configuration.
///
/// # Errors
/// Why it cannot be done on this firewall.
pub fn plan(config: &Config, device: &Device, wanted: &Wanted, context: &Context) -> Result<Plan, Refused> {
    let mut planner = Planner { config, device, wanted, context, marks: Vec::new() };
    let edits = match &wanted.intent {
        Intent::Forward { packets, address, to, port, hairpin } => {
            planner.forward(packets, *address, (*to, *port), *hairpin)?
        }
        Intent::Allow { packets, to, input: false } => planner.allow(packets, *to)?,
        Intent::SourceNat { .. } => vec![Edit::ReflectionHelper(true)],
        Intent::Close { packets, except, .. } => match planner.narrower(packets, except)? {
            Some(less) => return Ok(Plan { change: BackupChange::Narrow(vec![less]), marks: planner.marks }),
            None => planner.close(except)?,
        },
        Intent::AnswersBack { came, .. } if !planner.answers_back().is_empty() => planner.answers_back(),
        Intent::AnswersBack { came, .. } => {
            let name = planner.interface(Some(came)).unwrap_or(came).to_uppercase();
            return Err(Refused(format!(
                "settings decide it: System > Advanced > Firewall & NAT, untick \"Disable reply-to on WAN rules\"; Interfaces > \
                 {name}, choose its gateway (IPv4 Upstream Gateway); and have the rule that lets them in on the tab {name}, \
                 not on a floating or group tab, without \"Disable reply-to\" in its advanced options"
            )));
        }
        Intent::Outbound { from, out, to } => planner.outbound(*from, out, *to)?,
        Intent::Masked { to, out } => {
            let name = planner.interface(Some(out)).unwrap_or(out).to_uppercase();
            return Err(Refused(format!(
                "it has a price: Firewall > NAT > Outbound, a rule on {name} with the destination {to} and the translation \
                 address \"{name} address\" makes answers return here, and {to} then sees all callers with that address; or, on \
                 {to}, a routing rule by source address (`ip rule add from {to} lookup 102`, with a table whose default leads \
                 back here)"
            )));
        }
        Intent::NoHelper { .. } => {
            return Err(Refused(
                "pf has no helpers of its own, and a package is one: Services > siproxd, untick \"Enable siproxd\", Save; or \
                 remove it in System > Package Manager"
                    .into(),
            ));
        }
        Intent::Allow { .. } | Intent::AllowAnswers { .. } => {
            return Err(Refused("what the firewall itself receives is not changed from here".into()));
        }
    };
    Ok(Plan { change: BackupChange::Edits(edits), marks: planner.marks })
}

struct Planner<'a> {
    config: &'a Config,
    device: &'a Device,
    wanted: &'a Wanted,
    context: &'a Context,
    marks: Vec<(SourceSpan, MarkRole)>,
}

impl Planner<'_> {
    /// Something with a description stands there, and this is said about it.
    fn mark(&mut self, at: SourceSpan, name: &str, says: impl Into<String>) {
        self.marks.push((at, MarkRole::Named(name.to_owned(), says.into())));
    }

    fn tell(&mut self, at: SourceSpan, label: impl Into<String>) {
        self.marks.push((at, MarkRole::Told(label.into())));
    }

    fn forward_at(&self, origin: OriginId) -> Option<&Forward> {
        let at = self.device.pipeline.origin(origin).at;
        self.config.forwards.iter().find(|f| f.at.start == at.start)
    }

    /// The interface of an export that a device name belongs to.
    fn interface(&self, device: Option<&str>) -> Option<&str> {
        let device = device?;
        self.config.interfaces.iter().find(|i| i.enabled && i.device == device).map(|i| i.name.as_str())
    }

    fn forward(
        &mut self,
        packets: &Packets,
        address: IpAddr,
        to: (IpAddr, Option<u16>),
        hairpin: bool,
    ) -> Result<Vec<Edit>, Refused> {
        let near = self.wanted.nearest.and_then(|id| self.forward_at(id)).cloned();
        if hairpin {
            for name in &packets.in_ifaces {
                self.not_a_line(Some(name), packets.family == Family::V6)?;
            }
            return Ok(self.reflect(near.as_ref(), packets, address, to));
        }
        match near {
            Some(near) => self.mend(&near, packets, to),
            None => Ok(packets
                .ports
                .iter()
                .map(|p| self.new_forward(packets, *p, to, self.outer_destination(packets)))
                .collect()),
        }
    }

    fn outer(&self, packets: &Packets) -> String {
        match &packets.in_ifaces[..] {
            [name] => self.interface(Some(name)).map_or_else(|| self.outside(), str::to_owned),
            _ => self.outside(),
        }
    }

    fn outer_destination(&self, packets: &Packets) -> Destination {
        Destination::InterfaceAddress(self.outer(packets))
    }

    fn new_forward(
        &self,
        packets: &Packets,
        ports: (u16, u16),
        (to, port): (IpAddr, Option<u16>),
        destination: Destination,
    ) -> Edit {
        Edit::AddForward(NewForward {
            interface: match &destination {
                Destination::InterfaceAddress(name) => name.clone(),
                Destination::Address(_) => self.outside(),
            },
            v6: packets.family == Family::V6,
            protocol: packets.proto.name(),
            destination,
            ports,
            target: to.to_string(),
            local_port: port.unwrap_or(ports.0),
            reflection: if self.reflects_anyway() { Reflection::Default } else { Reflection::PureNat },
            source: only(packets),
            descr: self.wanted.name.clone(),
        })
    }

    /// The system's own setting reflects by Pure NAT.
    fn reflects_anyway(&self) -> bool {
        !self.config.system.reflection_off && self.config.system.reflection_pure
    }

    /// The interface that leads to the internet: the one of the default route.
    fn outside(&self) -> String {
        let default =
            self.device.routes.iter().find(|r| r.to.prefix_len() == 0 && r.table == crate::dialect::iproute::MAIN);
        let index = default.and_then(|r| match r.target {
            crate::model::RouteTarget::Via(i, _) => Some(i),
            _ => None,
        });
        let device = index.and_then(|i| self.device.interfaces.get(i)).map(|i| &*i.name);
        self.interface(device).unwrap_or("wan").to_owned()
    }

    /// Turns a forward that is nearly right into the wanted one.
    fn mend(
        &mut self,
        near: &Forward,
        packets: &Packets,
        (to, inner): (IpAddr, Option<u16>),
    ) -> Result<Vec<Edit>, Refused> {
        let mut set = Vec::new();
        let name = named(&near.descr);
        if near.disabled {
            self.mark(near.at, &near.descr, "is switched off");
            set.push(ForwardField::Disabled(false));
        }
        if near.target.as_deref() != Some(&*to.to_string()) && near.target.is_some() {
            self.mark(near.at, &near.descr, format!("leads to {}", near.target.as_deref().unwrap_or("nothing")));
            set.push(ForwardField::Target(to.to_string()));
        }
        let protocol = packets.proto.name();
        if near.protocol.as_deref().is_some_and(|p| !p.split('/').any(|x| x == protocol)) {
            self.mark(near.at, &near.descr, format!("is for {}", near.protocol.as_deref().unwrap_or_default()));
            // Beside what it carries now, where somebody uses that.
            let both = self.context.manner == Manner::Beside;
            set.push(ForwardField::Protocol(if both { "tcp/udp" } else { protocol }));
        }
        let [ports] = packets.ports[..] else {
            return Err(Refused("the product wants several ranges, and a forward has one".into()));
        };
        let written = near.destination.port.as_deref();
        let asked = written.and_then(port_range);
        // What it carries already stays.
        let ports = match asked {
            Some((lo, hi)) if lo <= ports.1.saturating_add(1) && ports.0 <= hi.saturating_add(1) => {
                (lo.min(ports.0), hi.max(ports.1))
            }
            _ => ports,
        };
        if written.is_some_and(|p| !covers(p, ports)) {
            self.mark(near.at, &near.descr, format!("is for {} only", written.unwrap_or_default()));
            set.push(ForwardField::Ports(ports.0, ports.1));
        }
        let first = near.local_port.as_deref().and_then(|p| p.parse::<u16>().ok());
        let asked = asked.map(|(lo, _)| lo);
        if let Some(port) = inner.filter(|p| first != Some(*p)) {
            let there = first.or(asked).map_or_else(|| "the same port".to_owned(), |p| p.to_string());
            self.mark(near.at, &near.descr, format!("sends them to {there}"));
            set.push(ForwardField::LocalPort(port));
        }
        if inner.is_none()
            && first.is_some_and(|f| f != ports.0)
            && (first != asked || !covers(written.unwrap_or_default(), ports))
        {
            if first != asked {
                self.mark(near.at, &near.descr, format!("sends them to ports from {} on", first.unwrap_or_default()));
            }
            set.push(ForwardField::LocalPort(ports.0));
        }
        if set.is_empty() {
            return Err(Refused(format!("{name} looks right; what keeps it from acting was not found")));
        }
        Ok(vec![Edit::SetForward { forward: near.index, set }])
    }

    /// Calls from inside to the public address: the forwards that exist are reflected; where they ask for another
    /// address, a second set asks for the public one by its name.
    fn reflect(
        &mut self,
        near: Option<&Forward>,
        packets: &Packets,
        address: IpAddr,
        to: (IpAddr, Option<u16>),
    ) -> Vec<Edit> {
        if let Some(near) = near.filter(|f| self.asks_for(&f.destination, address)) {
            if (near.reflection == Reflects::Off || self.config.system.reflection_off)
                && let (Reflects::Default, Some(at)) = (near.reflection, self.config.system.reflection_at)
            {
                self.tell(at, "reflection is off for all forwards, and this one does not turn it on");
            }
            let system = &self.config.system;
            let proxied = near.reflection == Reflects::Proxy
                || near.reflection == Reflects::Default && !system.reflection_off && !system.reflection_pure;
            let how = if proxied {
                "is reflected by NAT + Proxy, which does not carry UDP".to_owned()
            } else {
                format!("acts only on what comes by {}", near.interface.to_uppercase())
            };
            self.mark(near.at, &near.descr, how);
            let set = vec![ForwardField::Reflection(Reflection::PureNat)];
            return vec![Edit::SetForward { forward: near.index, set }];
        }
        let mut edits = Vec::new();
        let member = self.context.name.clone().unwrap_or_else(|| address.to_string());
        let existing = self.config.aliases.iter().find(|a| a.kind == "host" && a.members.contains(&member));
        let alias = if let Some(alias) = existing {
            alias.name.clone()
        } else {
            let name = self.free_alias_name();
            let descr = "the public address, as people outside ask for it".to_owned();
            edits.push(Edit::AddAlias { name: name.clone(), kind: "host", members: vec![member], descr });
            name
        };
        if let Some(near) = near {
            self.mark(near.at, &near.descr, format!("asks for the WAN address, which is not {address}"));
        }
        for ports in &packets.ports {
            let Edit::AddForward(mut new) = self.new_forward(packets, *ports, to, Destination::Address(alias.clone()))
            else {
                continue;
            };
            new.descr = format!("{} (by name)", new.descr);
            edits.push(Edit::AddForward(new));
        }
        edits
    }

    fn free_alias_name(&self) -> String {
        let base = self.context.alias.clone().unwrap_or_else(|| "public_ip".to_owned());
        let taken = |n: &str| self.config.aliases.iter().any(|a| a.name == n);
        if !taken(&base) {
            return base;
        }
        (2..1000).map(|n| format!("{base}{n}")).find(|n| !taken(n)).unwrap_or(base)
    }

    /// Does a forward ask for this address?
    fn asks_for(&self, end: &End, address: IpAddr) -> bool {
        if end.any {
            return true;
        }
        if let Some(name) = end.network.as_deref().and_then(|n| n.strip_suffix("ip")) {
            let device = self.config.interfaces.iter().find(|i| i.name == name).map(|i| i.device.as_str());
            let iface = device.and_then(|d| self.device.interface(d)).map(|i| &self.device.interfaces[i]);
            return iface.is_some_and(|i| i.addresses.iter().any(|n| n.addr() == address));
        }
        let written = end.address.as_deref().unwrap_or_default();
        let holds = |m: &String| m.parse() == Ok(address) || Some(m) == self.context.name.as_ref();
        written.parse() == Ok(address)
            || self.config.aliases.iter().any(|a| a.name == written && a.members.iter().any(holds))
    }

    /// A filter lets the packets pass: the forward's own rule if it has one, else a new rule on the interface.
    fn allow(&mut self, packets: &Packets, to: IpAddr) -> Result<Vec<Edit>, Refused> {
        let interfaces = packets.in_ifaces.iter().map(|name| self.interface(Some(name)).map(str::to_owned));
        let interfaces: Vec<String> = interfaces
            .collect::<Option<_>>()
            .filter(|all: &Vec<String>| !all.is_empty())
            .ok_or_else(|| Refused("the interface by which they come is not in the backup".into()))?;
        // Settings of an interface come before all rules.
        let setting = self.wanted.deciding.map(|id| self.device.pipeline.origin(id));
        if let Some(iface) = setting.and_then(|o| self.config.interfaces.iter().find(|i| i.at.start == o.at.start)) {
            let what = setting.map_or("", |o| &*o.text);
            return Err(Refused(format!(
                "a setting drops them, which comes before all rules: Interfaces > {}, untick \"{}\", Save, Apply Changes",
                crate::visible::named(&iface.descr),
                if what.contains("bogon") {
                    "Block bogon networks"
                } else {
                    "Block private networks and loopback addresses"
                }
            )));
        }
        if let Some(rule) = self.nearest_rule().filter(|r| r.disabled) {
            let (index, at, name) = (rule.index, rule.at, rule.descr.clone());
            self.mark(at, &name, "is switched off");
            return Ok(vec![Edit::SetRule { rule: index, set: vec![RuleField::Disabled(false)] }]);
        }
        let blocker = self.wanted.deciding.and_then(|id| self.rule_at(id)).filter(|r| r.action != "pass");
        if blocker.is_none() {
            let dangling = self.config.forwards.iter().find(|f| {
                !f.disabled
                    && interfaces.contains(&f.interface)
                    && f.target.as_deref() == Some(&*to.to_string())
                    && f.associated.starts_with("nat_")
                    && f.protocol.as_deref().is_none_or(|p| p.split('/').any(|x| x == packets.proto.name()))
                    && f.destination.port.as_deref().is_none_or(|p| packets.ports.iter().all(|r| covers(p, *r)))
                    && !self.config.rules.iter().any(|r| r.associated.as_deref() == Some(&f.associated))
            });
            if let Some(forward) = dangling {
                let (index, at, name) = (forward.index, forward.at, named(&forward.descr));
                self.tell(at, format!("the filter rule of {name} is gone"));
                return Ok(vec![Edit::SetForward { forward: index, set: vec![ForwardField::Associated(true)] }]);
            }
        }
        let (before, floating) = match blocker {
            Some(rule) => (Some(rule.index), rule.floating),
            None => (None, false),
        };
        if let Some(rule) = blocker {
            let (at, name) = (rule.at, rule.descr.clone());
            self.mark(at, &name, "blocks them first");
        }
        let rule = |interface: &String, ports: &(u16, u16)| {
            Edit::AddPass(NewPass {
                interface: interface.clone(),
                v6: packets.family == Family::V6,
                protocol: packets.proto.name(),
                source: only(packets),
                destination: to.to_string(),
                ports: *ports,
                before,
                floating,
                descr: self.wanted.name.clone(),
            })
        };
        Ok(interfaces.iter().flat_map(|i| packets.ports.iter().map(|p| rule(i, p))).collect())
    }

    fn nearest_rule(&self) -> Option<&super::config::Rule> {
        self.wanted.nearest.and_then(|id| self.rule_at(id))
    }

    fn rule_at(&self, origin: OriginId) -> Option<&super::config::Rule> {
        let at = self.device.pipeline.origin(origin).at;
        self.config.rules.iter().find(|r| r.at.start == at.start)
    }

    /// What the forward that lets them in no longer carries.
    fn narrower(&mut self, packets: &Packets, except: &[IpNet]) -> Result<Option<Narrow>, Refused> {
        let Some(forward) = self.wanted.nearest.and_then(|id| self.forward_at(id)) else { return Ok(None) };
        let (forward, name, at) = (forward.index, forward.descr.clone(), forward.at);
        let less = Narrow {
            forward,
            protocol: packets.proto.name(),
            ports: packets.ports.clone(),
            only: one_network(except)?,
        };
        narrow::edits(self.config, std::slice::from_ref(&less))?;
        self.mark(at, &name, "lets them in");
        Ok(Some(less))
    }

    /// What leaves gets the address of the line, or this one, by a rule before all others.
    fn outbound(&mut self, from: IpNet, out: &str, to: Option<IpAddr>) -> Result<Vec<Edit>, Refused> {
        let interface = self.interface(Some(out)).map(str::to_owned);
        let interface =
            interface.ok_or_else(|| Refused("the interface by which they leave is not in the backup".into()))?;
        let v6 = from.addr().is_ipv6();
        let of_these = |e: &End| {
            let written = e.network.as_deref().or(e.address.as_deref()).unwrap_or_default();
            let net = written.parse::<IpNet>().ok().or_else(|| written.parse::<IpAddr>().ok().map(IpNet::from));
            e.any || net.is_some_and(|n| n.contains(&from.addr()))
        };
        let first = |o: &&OneToOne| !o.disabled && !o.nobinat && o.interface == interface && of_these(&o.source);
        if let Some(entry) = self.config.one_to_one.iter().find(first) {
            let (name, external) = (named(&entry.descr), &entry.external);
            return Err(Refused(format!(
                "the 1:1 entry {name} (Firewall > NAT > 1:1) gives it {external} before any outbound rule is asked: let the \
                 name and the forwards lead to {external}, or remove the entry"
            )));
        }
        let mode = match &*self.config.outbound.mode {
            "hybrid" | "advanced" => None,
            "disabled" => Some("advanced"),
            _ => {
                let inner =
                    self.device.interfaces.iter().find(|i| i.addresses.iter().any(|n| n.contains(&from.addr())));
                self.not_a_line(inner.map(|i| &*i.name), v6)?;
                Some("hybrid")
            }
        };
        let new = NewOutbound {
            interface,
            v6,
            source: from.to_string(),
            target: to.map(|a| a.to_string()),
            descr: self.wanted.name.clone(),
        };
        Ok(mode.map(Edit::OutboundMode).into_iter().chain([Edit::AddOutbound(new)]).collect())
    }

    /// What keeps answers from the line by which their questions came, switched back.
    fn answers_back(&self) -> Vec<Edit> {
        let system = self.config.system.no_reply_to.then_some(Edit::NoReplyTo(false));
        let rule = self.nearest_rule().filter(|r| r.no_reply_to);
        let rule = rule.map(|r| Edit::SetRule { rule: r.index, set: vec![RuleField::NoReplyTo(false)] });
        system.into_iter().chain(rule).collect()
    }

    /// An interface towards hosts that has a gateway is taken for a line.
    fn not_a_line(&self, device: Option<&str>, v6: bool) -> Result<(), Refused> {
        let by = self.config.interfaces.iter().find(|i| i.enabled && Some(&*i.device) == device);
        let Some((iface, gateway)) = by.and_then(|i| Some((i, i.gateway[usize::from(v6)].as_ref()?))) else {
            return Ok(());
        };
        let name = crate::visible::named(&iface.descr);
        Err(Refused(format!(
            "{name} has the gateway {gateway}, so pfSense takes it for a line, reflects nothing there and does \
             not translate its network: set the upstream gateway to None in Interfaces > {name} first"
        )))
    }

    /// The rule that lets them in goes, or is for some senders only.
    fn close(&mut self, except: &[IpNet]) -> Result<Vec<Edit>, Refused> {
        match self.nearest_rule() {
            Some(rule) => {
                let (index, at, name) = (rule.index, rule.at, rule.descr.clone());
                self.mark(at, &name, "lets them in");
                let field = match one_network(except)? {
                    Some(net) => RuleField::Source(Some(net)),
                    None => RuleField::Disabled(true),
                };
                Ok(vec![Edit::SetRule { rule: index, set: vec![field] }])
            }
            None => Err(Refused("what lets them in is no forward and no rule of this backup".into())),
        }
    }
}

/// The network that still may; several need an alias.
fn one_network(except: &[IpNet]) -> Result<Option<String>, Refused> {
    match except {
        [] => Ok(None),
        [net] => Ok(Some(network(net))),
        _ => Err(Refused("make an alias of the addresses that may, and give it as source".into())),
    }
}

/// Only these senders, where there is one.
fn only(packets: &Packets) -> Option<String> {
    match packets.from[..] {
        [net] => Some(network(&net)),
        _ => None,
    }
}

fn named(descr: &str) -> String {
    if descr.is_empty() { "this entry".to_owned() } else { format!("\"{}\"", descr.replace('"', "'")) }
}

fn covers(text: &str, wanted: (u16, u16)) -> bool {
    port_range(text).is_none_or(|(lo, hi)| lo <= wanted.0 && wanted.1 <= hi)
}

/// Edits that were planned on a changed file, with the numbers that the rules have in the file as it was.
pub(super) fn rebase((planned_on, now): (&str, &Config), original: &str, edits: &mut [Edit]) {
    if planned_on == original || !edits.iter().any(Edit::counts_rules) {
        return;
    }
    let Ok(before) = read(SourceId(0), original) else { return };
    let number = |index: usize| {
        let rule = now.rules.get(index)?;
        let text = planned_on.get(rule.at.start as usize..rule.at.end as usize);
        let same = |r: &&super::config::Rule| match rule.tracker {
            Some(tracker) => r.tracker == Some(tracker),
            None => original.get(r.at.start as usize..r.at.end as usize) == text,
        };
        before.rules.iter().find(same).map(|r| r.index)
    };
    for edit in edits {
        match edit {
            Edit::SetRule { rule, .. } => *rule = number(*rule).unwrap_or(*rule),
            Edit::AddPass(new) => new.before = new.before.map(|b| number(b).unwrap_or(b)),
            _ => {}
        }
    }
}
