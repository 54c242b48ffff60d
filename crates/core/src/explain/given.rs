//! What was taken as given, and what was not judged.

use crate::call::Judge;
use crate::call::learned::Learns;
use crate::call::told::{Telling, audience};
use crate::explain::story::origin;
use crate::manifest::{Place, Proto, ProxyAt};
use crate::model::Family;
use crate::profile::{Answers, Ice, Instance};
use crate::requirement::{Level, Party, Requirement};
use crate::site::gateway::at_line;
use crate::snapshot::Places;
use std::collections::BTreeSet;

/// What is known of a site, for sentences about it.
pub(super) struct Given<'a> {
    pub judge: &'a Judge<'a>,
    pub places: &'a Places<'a>,
}

impl Given<'_> {
    /// What holds for an instance.
    pub fn notes(&self, n: usize, instance: &Instance, given: &mut Vec<String>, not_judged: &mut BTreeSet<String>) {
        let told = self.judge.told_by_all(instance).join(" and ");
        let label = instance.label();
        let host = instance.deploy.host.iter().map(|h| h.value.to_string()).collect::<Vec<_>>().join(" and ");
        let checks = match instance.ice() {
            Some(Ice::Full) => ", sends checks itself (full ICE)",
            Some(Ice::Lite) => ", only answers checks (ICE lite)",
            None => "",
        };
        given.push(format!("{}{checks}, and listens on {host}", self.told_notes(n, instance)));
        given.extend(self.told_setting(instance));
        if instance.profile.told.own_inside {
            let local = match &instance.deploy.local {
                None => "its own network".to_owned(),
                Some(list) => list.iter().map(|n| n.value.to_string()).collect::<Vec<_>>().join(", "),
            };
            given.push(format!("{label} counts {local} as local, and tells phones there its own address"));
            given.extend(self.judge.vantages(n, instance).iter().filter_map(|v| self.judge.not_local(n, instance, v)));
        }
        match instance.answers() {
            Some(Answers::Source) => given.push(format!("{label} sends voice back to where it comes from")),
            Some(Answers::Sdp) => given.push(format!(
                "{label} sends voice to the address that the phone names; behind home routers that is one which leads \
                 nowhere, unless the phone knows a STUN server. Let it answer to where voice comes from (Asterisk: \
                 rtp_symmetric = yes), and state it: answers = \"source\""
            )),
            None => {}
        }
        if instance.ice().is_some() {
            let stun = if instance.stun() { "know a STUN server" } else { "know no STUN server" };
            given.push(format!(
                "its clients {stun}; home routers keep source ports and drop what nobody asked for, those of mobile and \
                 corporate networks pick a new port for each conversation"
            ));
        }
        self.firewall(n, instance, given, not_judged);
        self.limits(given);
        self.proxy_notes(n, instance, given, not_judged);
        if let Some(clients) = &instance.deploy.clients {
            let list: Vec<String> = clients.iter().map(|c| c.value.to_string()).collect();
            given.push(format!("people call {label} only from: {}", list.join(", ")));
        }
        if self.judge.told(instance, Family::V4).is_none() {
            not_judged.insert("IPv4: no public IPv4 address is given".into());
        }
        match (&self.judge.site.no_v6, self.judge.told(instance, Family::V6)) {
            (_, None) => {
                not_judged.insert("IPv6: no public IPv6 address is given".into());
            }
            (Some(why), Some(_)) => {
                not_judged.insert(why.clone());
            }
            (None, Some(_)) => {}
        }
        if let Some(name) = &self.judge.manifest.name {
            not_judged.insert(format!("whether {} resolves to {told}", name.value));
        }
        let others = |r: &&Requirement| r.to == Party::Server && r.from == Party::Internet;
        for r in instance.requirements.iter().filter(others) {
            not_judged.insert(format!("{} ({}) of {label}, for {}", r.purpose, r.what(), r.sender()));
        }
        for r in instance.requirements.iter().filter(|r| r.level == Level::Optional && r.from == Party::Callers) {
            not_judged.insert(format!("{} ({}) of {label}: optional", r.purpose, r.what()));
        }
        for proto in [Proto::Tcp, Proto::Udp].into_iter().filter(|_| !instance.opens_itself()) {
            let unstated = instance.requirements.iter().filter(|r| r.example && r.proto == proto);
            let mut keys: Vec<&str> = unstated.map(|r| &*r.parameter).collect();
            keys.dedup();
            if !keys.is_empty() {
                let proto = proto.name();
                not_judged.insert(format!(
                    "which {proto} ports of {label} the internet reaches without need: its own are not all stated ({})",
                    keys.join(", ")
                ));
            }
        }
        if let Some(r) = instance.no_tcp_way() {
            given.push(format!(
                "{} of {label} ({}) has no way by TCP: callers whose network blocks UDP are without it, wherever it runs",
                r.purpose,
                r.what()
            ));
        }
        not_judged.extend(instance.profile.not_judged.iter().cloned());
        if instance.ice().is_none() && instance.answers().is_none() {
            not_judged.insert("callers' own networks: strict NATs, blocked UDP".into());
        }
        not_judged.insert(format!("whether {} is running and configured as stated", instance.profile.title));
    }

    /// Rate limits that are taken as not reached.
    fn limits(&self, given: &mut Vec<String>) {
        for device in self.judge.site.network.devices.iter() {
            for id in &device.pipeline.within {
                let at = origin(self.places, device, *id);
                let place = at.line.map_or_else(|| at.object.clone(), |line| format!("{}:{line}", at.source));
                let line = format!(
                    "the connections of a call alone do not reach the rate limit of {} at {place}",
                    device.name
                );
                if !given.contains(&line) {
                    given.push(line);
                }
            }
        }
    }

    /// What is given of the firewall of an instance's host.
    fn firewall(&self, n: usize, instance: &Instance, given: &mut Vec<String>, not_judged: &mut BTreeSet<String>) {
        let server = &self.judge.site.network.devices[self.judge.site.server_of[n]];
        if instance.opens_itself() {
            let title = &instance.profile.title;
            given.push(format!(
                "{title} opens the ports that it needs in the firewall of {} by itself, whichever these are ({})",
                server.name,
                instance.mode().map_or("", |m| &m.source)
            ));
            not_judged.insert(format!("what else the internet reaches on {}: its firewall is not given", server.name));
        } else if server.pipeline.chains.is_empty() {
            // The first of the givens: everything that comes as far as the host rests on it.
            let here =
                |i: &&Instance| i.deploy.host.iter().any(|h| instance.deploy.host.iter().any(|o| o.value == h.value));
            let stated = self.judge.instances.iter().filter(here).find_map(|i| i.deploy.own_firewall.as_ref());
            let why = stated.map_or_else(
                || "none is given".to_owned(),
                |f| format!("as you stated ({})", at_line(self.judge.snapshot, f)),
            );
            let line = format!("{} has no firewall of its own: {why}", server.name);
            if !given.contains(&line) {
                given.insert(0, line);
            }
        }
    }

    /// What the report says about it as given.
    fn told_notes(&self, n: usize, instance: &Instance) -> String {
        let label = instance.label();
        let mut parts = Vec::new();
        for (place, list) in &instance.deploy.told {
            let at = at_line(self.judge.snapshot, list);
            for family in [Family::V4, Family::V6] {
                match self.judge.tells(n, &place.value, family, false) {
                    Telling::These(all) => {
                        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                        parts.push(format!("{} {} ({at})", audience(&place.value), all.join(" and ")));
                    }
                    Telling::Unknown(_) if family == Family::V4 => {
                        parts.push(format!("{} what is not known ({at})", audience(&place.value)));
                    }
                    Telling::Unknown(_) | Telling::Nothing => {}
                }
            }
        }
        let usual = self.usually_told(n, instance);
        let internet = instance.deploy.told.iter().any(|(place, _)| place.value == Place::Internet);
        match (parts.is_empty(), internet) {
            (true, _) => format!("{label} tells clients {usual}"),
            (_, true) => format!("{label} tells {}", parts.join(", and ")),
            (_, false) => format!("{label} tells {}, and callers on the internet {usual}", parts.join(", and ")),
        }
    }

    /// The addresses that nothing stated tells: the public ones, or what the server learns outside.
    fn usually_told(&self, n: usize, instance: &Instance) -> String {
        let public = self.judge.told_by_all(instance);
        let learned = match self.judge.learns(n, Family::V4) {
            Some(Learns::Another(stray)) => format!("{}, which a STUN server sees", stray.seen),
            Some(Learns::Open | Learns::OtherLine(_)) => "the IPv4 address that a STUN server sees".to_owned(),
            Some(Learns::Public) | None => return public.join(" and "),
        };
        let others = self.judge.told(instance, Family::V6).map(|a| a.to_string());
        [learned].into_iter().chain(others).collect::<Vec<_>>().join(" and ")
    }

    /// The product's own setting, where its document names it and nothing is stated.
    fn told_setting(&self, instance: &Instance) -> Option<String> {
        let setting = instance.profile.told.setting.as_ref().filter(|_| instance.deploy.told.is_empty())?;
        let told = self.judge.told_by_all(instance).join(" and ");
        Some(format!("{setting} of {} is taken to be {told}, or a name that resolves to it", instance.label()))
    }

    /// What stands in the report about it as given.
    fn proxy_notes(&self, n: usize, instance: &Instance, given: &mut Vec<String>, not_judged: &mut BTreeSet<String>) {
        let Some(proxy) = instance.deploy.proxy.as_ref() else { return };
        let label = instance.label();
        let at = at_line(self.judge.snapshot, proxy);
        let outer = proxy.value.outer.as_ref().map_or_else(String::new, |o| format!(", by tcp {} outside", o.value));
        let ways = |who: &str| format!("how {who} passes pages and signalling on to {label}");
        match proxy.value.at.as_ref().map(|a| &a.value) {
            None => given.push(format!("pages and signalling of {label} are answered on its own host{outer} ({at})")),
            Some(ProxyAt::Host(ip, _)) => {
                let own = self.judge.site.proxy_of[n] == Some(self.judge.site.server_of[n]);
                let who = if own { "its own host".to_owned() } else { ip.to_string() };
                given.push(format!("pages and signalling of {label} are answered by a proxy on {who}{outer} ({at})"));
                if !own {
                    not_judged.insert(ways(&who));
                }
                let v6 = instance.deploy.host.iter().any(|h| h.value.is_ipv6());
                if v6 && ip.is_ipv4() {
                    not_judged
                        .insert(format!("pages and signalling of {label} by IPv6: `proxy` names an IPv4 address"));
                }
            }
            Some(ProxyAt::Gateway) => {
                let name = self
                    .judge
                    .outermost_with_public()
                    .map_or("the gateway", |d| &*self.judge.site.network.devices[d].name);
                given.push(format!(
                    "pages and signalling of {label} are answered by a proxy on {name} itself{outer} ({at})"
                ));
                not_judged.insert(ways(name));
            }
            Some(ProxyAt::Outside) => {
                given.push(format!(
                    "pages and signalling of {label} are answered from outside ({at}), and not by the site"
                ));
                not_judged.insert(ways("the proxy outside"));
            }
        }
    }
}
