//! What each intent asks of the chains.

use super::owners::{USER_CHAIN, owner};
use super::way::{Outcome, Point, Seen, passes_behind, through};
use super::write::{Conditions, header, list, seen_by};
use super::{At, Found, Plan};
use crate::change::{Intent, Packets, Refused, network};
use crate::cube::Set;
use crate::dialect::nft::ast::{Stmt, TableFamily};
use crate::model::{
    Action, ChainId, Family, Hook, KeyField, Lookup, Part, Policy, Rule, StageKind, Step, Verdicted, address_value,
    prefix_range,
};
use crate::visible::hidden;
use ipnet::IpNet;
use std::net::IpAddr;

/// More rules than this for one intent: the chains send packets in circles that are not seen through.
const MOST: usize = 24;

/// The longest name of an interface (`IFNAMSIZ` with its final zero, `linux/if.h`).
const LONGEST_IFACE: usize = 15;

/// Closed ranges.
type Ports<'a> = &'a [(u16, u16)];

/// Packets on their way through the filters of a device.
struct Way<'a> {
    packets: &'a Packets,
    /// Before and after translation.
    ports: (Ports<'a>, Ports<'a>),
    /// As it is asked, where it differs.
    asked: Option<IpAddr>,
    to: IpAddr,
    hooks: &'a [Hook],
}

impl Plan {
    pub(super) fn intent(&mut self, intent: &Intent, deciding: Option<Found>) -> Result<(), Refused> {
        match intent {
            Intent::Forward { packets, address, to, port, hairpin } => {
                names(packets)?;
                self.translate(packets, *address, (*to, *port), *hairpin)?;
                let one = port.map(|p| [(p, p)]);
                let inside = one.as_ref().map_or(&packets.ports[..], |p| &p[..]);
                let hooks = [Hook::Ingress, Hook::Prerouting, Hook::Forward, Hook::Postrouting];
                let ports = (&packets.ports[..], inside);
                let way = Way { packets, ports, asked: Some(*address), to: *to, hooks: &hooks };
                self.pass(&way, deciding)
            }
            Intent::Allow { packets, to, input } => {
                names(packets)?;
                let translated = !self.nat_chains(Hook::Prerouting, packets.family).is_empty();
                let hooks: &[Hook] = match (input, translated) {
                    (true, _) => &[Hook::Ingress, Hook::Prerouting, Hook::Input],
                    // Before translation the packet asks for an address that is not known here.
                    (false, true) => &[Hook::Forward, Hook::Postrouting],
                    (false, false) => &[Hook::Ingress, Hook::Prerouting, Hook::Forward, Hook::Postrouting],
                };
                let ports = (&packets.ports[..], &packets.ports[..]);
                self.pass(&Way { packets, ports, asked: None, to: *to, hooks }, deciding)
            }
            Intent::AllowAnswers { family, input } => self.answers(*family, *input, deciding),
            Intent::AnswersBack { family, came, own } => {
                command_word(came)?;
                Err(by_routing(*family, came, *own))
            }
            Intent::Masked { to, out } => self.masked(*to, out),
            Intent::Outbound { from, out, to } => self.outbound(from, out, *to),
            // It is taken out of the text, and nothing is added: see `helper`.
            Intent::NoHelper { .. } => Err(Refused("a statement is to be taken out".into())),
            Intent::SourceNat { packets, to } => {
                names(packets)?;
                self.masquerade(packets, *to)
            }
            Intent::Close { packets, address, to, inside, except } => {
                names(packets)?;
                self.close(packets, (*address, *to), inside, except, deciding)
            }
        }
    }

    fn translate(
        &mut self,
        packets: &Packets,
        address: IpAddr,
        (to, port): (IpAddr, Option<u16>),
        hairpin: bool,
    ) -> Result<(), Refused> {
        let family = packets.family;
        if Family::of(to) != family || Family::of(address) != family {
            return Err(Refused(format!(
                "{address} and {to} are of different families: nothing translates between them"
            )));
        }
        let chains = self.nat_chains(Hook::Prerouting, family);
        // Where the rules name addresses there are several, or it never changes. A host with a public address has
        // neighbours with such addresses, and their packets come by the same interface.
        let by_address = hairpin || packets.in_ifaces.is_empty() || !is_private(to) || self.names_addresses(&chains);
        let chain = match chains.first() {
            Some(id) => *id,
            None => self.make_chain(own(family), "prerouting", "type nat hook prerouting priority dstnat")?,
        };
        let both = self.chain_name(chain)?.family == TableFamily::Inet;
        let to_address = Some(address).filter(|_| by_address);
        let mut rule =
            Conditions { packets, ports: &packets.ports, to: to_address, in_iface: true, out_iface: false }.to_string();
        if both && !by_address && packets.from.is_empty() {
            rule = format!("meta nfproto {} {rule}", if family == Family::V4 { "ipv4" } else { "ipv6" });
        }
        let word = if both { format!("{} ", header(family)) } else { String::new() };
        let target = port.map_or_else(|| to.to_string(), |p| std::net::SocketAddr::new(to, p).to_string());
        self.rule(At::Start(chain), &format!("{rule} dnat {word}to {target}"))
    }

    fn names_addresses(&self, chains: &[ChainId]) -> bool {
        let asks = |step: &Step| match step {
            Step::Match(m) => m.keys.iter().any(|k| k.field == KeyField::Header(Part::Dst)),
            Step::Act(_) => false,
        };
        self.reached(chains).iter().any(|id| self.pipeline.chain(*id).rules.iter().any(|r| r.steps.iter().any(asks)))
    }

    /// These chains and those to which they lead.
    fn reached(&self, from: &[ChainId]) -> Vec<ChainId> {
        let mut out = from.to_vec();
        let mut next = 0;
        while let Some(id) = out.get(next).copied() {
            next += 1;
            for step in self.pipeline.chain(id).rules.iter().flat_map(|r| &r.steps) {
                let found = match step {
                    Step::Act(Action::Jump(to) | Action::Goto(to)) => vec![*to],
                    Step::Act(Action::Verdict(map)) => targets(map),
                    _ => Vec::new(),
                };
                out.extend(found.into_iter().filter(|id| !out.contains(id)).collect::<Vec<_>>());
            }
        }
        out
    }

    /// Base chains of a hook that filter a family and what comes by one of these interfaces; for each whether the
    /// destination was translated before.
    fn filters(&self, hook: Hook, packets_in: &[Box<str>], family: Family) -> Vec<(ChainId, Policy, bool)> {
        let mut translated = !matches!(hook, Hook::Ingress | Hook::Prerouting);
        let mut out = Vec::new();
        for stage in self.pipeline.hooks[hook as usize].iter().filter(|s| s.families.has(family)) {
            let elsewhere =
                |on: &Vec<Box<str>>| !packets_in.is_empty() && !packets_in.iter().any(|name| on.contains(name));
            match &stage.kind {
                StageKind::Translate { .. } => translated = true,
                StageKind::Filter { chain, policy, .. } if !stage.interfaces.as_ref().is_some_and(elsewhere) => {
                    out.push((*chain, *policy, translated));
                }
                _ => {}
            }
        }
        out
    }

    /// Lets packets through every filter that ends them.
    fn pass(&mut self, way: &Way<'_>, mut deciding: Option<Found>) -> Result<(), Refused> {
        let mut kept = None;
        'rules: for _ in 0..MOST {
            for hook in way.hooks {
                let filters = self.filters(*hook, &way.packets.in_ifaces, way.packets.family);
                for (chain, policy, translated) in filters {
                    let seen = way.seen(*hook, translated);
                    // A rule that blocks before one that would let these packets pass is a cause of its own, with its own cure;
                    // before translation that cure would not know the address.
                    if way.asked.is_some() && translated && passes_behind(&self.pipeline, chain, policy, &seen) {
                        continue;
                    }
                    let named = self.names(deciding, chain, way.asked.is_none());
                    let at = match (named, through(&self.pipeline, chain, policy, &seen)) {
                        (Some(point), _) | (None, Outcome::Dies(point)) => point,
                        (None, Outcome::Open(doubt)) => {
                            let doubt = &self.pipeline.doubts[doubt.0 as usize];
                            return Err(Refused(doubt.what.to_string()));
                        }
                        (None, Outcome::Untracked) => {
                            return Err(Refused("`notrack` takes these packets: they cannot be translated".into()));
                        }
                        _ => continue,
                    };
                    if named.is_some() {
                        deciding = None;
                    }
                    let to = if translated { way.to } else { way.asked.unwrap_or(way.to) };
                    let rule = format!("{} accept", seen_by(way.packets, way.ports(translated), to, &seen));
                    let mut place = self.lasting(at, chain);
                    // Where a rule there did not do it, its packets do not come by.
                    if matches!(place, At::Start(_)) && kept.replace(place) == Some(place) {
                        place = At::Before(at);
                    }
                    self.rule(place, &rule)?;
                    continue 'rules;
                }
            }
            return Ok(());
        }
        Err(Refused("the chains of these rules are too involved: let the packets in by hand".into()))
    }

    /// Where a rule before this place goes so that it stays: not into chains that a program writes anew, and not before
    /// what Docker moves to the head.
    fn lasting(&self, place: Point, base: ChainId) -> At {
        let mut at = place;
        let chains = self.reached(&[base]);
        let rules = || {
            let count = |id: &ChainId| (0..self.pipeline.chain(*id).rules.len()).map(|n| (*id, n)).collect::<Vec<_>>();
            chains.iter().flat_map(count)
        };
        let calls = |(id, n): Point| self.pipeline.chain(id).rules.get(n).map_or_else(Vec::new, Rule::calls);
        while owner(&self.pipeline.chain(at.0).name).is_some_and(|o| o.anew) {
            match rules().find(|from| calls(*from).contains(&at.0)).filter(|(id, _)| *id != at.0) {
                Some(from) if from != place => at = from,
                _ => return At::Before(place),
            }
        }
        let dockers = |id: &ChainId| self.pipeline.chain(*id).name.starts_with("DOCKER");
        match chains.iter().find(|id| &*self.pipeline.chain(**id).name == USER_CHAIN) {
            Some(kept) if calls(at).iter().any(dockers) => At::Start(*kept),
            _ => At::Before(at),
        }
    }

    /// The deciding rule, if this base chain leads to it and it ends packets, itself or (where it is known to decide in a
    /// filter) by sending them elsewhere.
    fn names(&self, deciding: Option<Found>, base: ChainId, in_filter: bool) -> Option<Point> {
        let Some(Found::Rule((chain, i))) = deciding else { return None };
        let ends = |step: &Step| match step {
            Step::Act(Action::Drop | Action::Reject(_) | Action::Verdict(_) | Action::Unmodelled(..)) => true,
            Step::Act(Action::Jump(_) | Action::Goto(_) | Action::Return) => in_filter,
            _ => false,
        };
        let rule = self.pipeline.chain(chain).rules.get(i)?;
        (rule.steps.iter().any(ends) && self.reached(&[base]).contains(&chain)).then_some((chain, i))
    }

    fn answers(&mut self, family: Family, input: bool, deciding: Option<Found>) -> Result<(), Refused> {
        let seen = Seen {
            family,
            transport: None,
            from: Set::range(0, u128::MAX),
            to: None,
            asked: None,
            in_ifaces: Vec::new(),
            out_iface: None,
            routed: !input,
            first: false,
        };
        let hook = if input { Hook::Input } else { Hook::Forward };
        for (chain, policy, _) in self.filters(hook, &[], family) {
            let decides = match deciding {
                Some(Found::Rule((id, _)) | Found::End(id)) => self.reached(&[chain]).contains(&id),
                None => false,
            };
            if decides || matches!(through(&self.pipeline, chain, policy, &seen), Outcome::Dies(_)) {
                self.rule(At::Start(chain), "ct state established,related accept")?;
            }
        }
        Ok(())
    }

    fn masquerade(&mut self, packets: &Packets, to: IpAddr) -> Result<(), Refused> {
        if packets.from.is_empty() && packets.in_ifaces.is_empty() {
            return Err(Refused("which packets come from inside is not known: name their networks".into()));
        }
        let chain = self.postrouting(packets.family)?;
        let ports = &packets.ports;
        let rule = Conditions { packets, ports, to: Some(to), in_iface: true, out_iface: true }.to_string();
        self.rule(At::Start(chain), &format!("{rule} masquerade"))
    }

    /// What these hosts send out by an interface gets this address, or that of the interface, before other rules see it.
    fn outbound(&mut self, from: &IpNet, out: &str, to: Option<IpAddr>) -> Result<(), Refused> {
        interface(out)?;
        let family = Family::of(from.addr());
        let chain = self.postrouting(family)?;
        let both = self.chain_name(chain)?.family == TableFamily::Inet;
        let word = header(family);
        let target = match to {
            Some(address) if both => format!("snat {word} to {address}"),
            Some(address) => format!("snat to {address}"),
            None => "masquerade".to_owned(),
        };
        self.rule(At::Start(chain), &format!("oifname \"{out}\" {word} saddr {} {target}", network(from)))
    }

    /// What was forwarded to a host leaves with the device's own address, whatever other rules say.
    fn masked(&mut self, to: IpAddr, out: &str) -> Result<(), Refused> {
        interface(out)?;
        let family = Family::of(to);
        let chain = self.postrouting(family)?;
        let rule = format!("oifname \"{out}\" {} daddr {to} ct status dnat masquerade", header(family));
        self.rule(At::Start(chain), &rule)?;
        self.notes.push(format!(
            "the price: {to} sees all callers with the address of {out}, in its logs and wherever it limits or bans; a routing \
             rule on {to} does without (`ip rule add from {to} lookup 102`, with a table whose default leads back by the tunnel)"
        ));
        Ok(())
    }

    /// The first chain that translates sources; it is made where there is none.
    fn postrouting(&mut self, family: Family) -> Result<ChainId, Refused> {
        match self.nat_chains(Hook::Postrouting, family).first() {
            Some(id) => Ok(*id),
            None => self.make_chain(own(family), "postrouting", "type nat hook postrouting priority srcnat"),
        }
    }

    fn close(
        &mut self,
        packets: &Packets,
        (address, to): (IpAddr, IpAddr),
        inside: &[(u16, u16)],
        except: &[IpNet],
        deciding: Option<Found>,
    ) -> Result<(), Refused> {
        if self.offloads() {
            self.notes.push("connections that are offloaded now pass by the rules until they end".into());
        }
        let family = packets.family;
        let holds = |plan: &Self, hook: Hook| {
            let Some(Found::Rule((id, _)) | Found::End(id)) = deciding else { return false };
            let bases: Vec<ChainId> = plan.filters(hook, &[], family).iter().map(|(id, ..)| *id).collect();
            plan.reached(&bases).contains(&id)
        };
        let hooks: &[(Hook, &str)] = match (holds(self, Hook::Input), holds(self, Hook::Forward)) {
            (true, false) => &[(Hook::Input, "input")],
            // Only the device itself is meant.
            (false, false) if address == to && packets.in_ifaces.is_empty() => &[(Hook::Input, "input")],
            (false, false) if address == to && packets.out_iface.is_none() => {
                &[(Hook::Forward, "forward"), (Hook::Input, "input")]
            }
            _ => &[(Hook::Forward, "forward")],
        };
        let any = packets.in_ifaces.is_empty() && packets.from.is_empty();
        if any && hooks.iter().any(|(hook, _)| *hook == Hook::Forward) && address != to {
            return Err(Refused("by which interface packets from outside come is not known: name it".into()));
        }
        for (hook, name) in hooks {
            // Behind another chain's accept a drop still counts: it is final in every chain of a hook.
            let chain = if let Some((id, ..)) = self.filters(*hook, &[], family).first() {
                let kept = self.kept_chain(*hook, family).filter(|_| address != to);
                if let (Some(_), Some((outside, _)), Some((there, _))) = (kept, packets.ports.first(), inside.first()) {
                    let port = format!("or publish it for the host alone: -p 127.0.0.1:{outside}:{there}");
                    self.notes.push(port);
                }
                kept.unwrap_or(*id)
            } else {
                let base = format!("type filter hook {name} priority filter");
                self.make_chain(TableFamily::Inet, name, &base)?
            };
            let rule =
                Conditions { packets, ports: inside, to: Some(to), in_iface: true, out_iface: *hook == Hook::Forward };
            // What runs goes on: answers to what the host itself asked outside may come to these ports too.
            let new = if self.untracks() { "ct state { new, untracked }" } else { "ct state new" };
            let others = match except {
                [] => String::new(),
                nets => {
                    let nets: Vec<String> = nets.iter().map(network).collect();
                    format!("{} saddr != {} ", header(family), list(&nets))
                }
            };
            // What the host asks of itself goes by its loopback interface.
            let from_others = if any { "iifname != \"lo\" " } else { "" };
            let rule = format!("{from_others}{others}{rule} {new} drop");
            self.rule(At::Start(chain), &rule)?;
        }
        Ok(())
    }

    /// A chain of the hook that a program which writes rules leaves to its user. Docker puts its own rules before all that
    /// it finds in `FORWARD` whenever it starts, and the jump to `DOCKER-USER` before those (moby, `iptables/iptables.go`).
    fn kept_chain(&self, hook: Hook, family: Family) -> Option<ChainId> {
        let bases: Vec<ChainId> = self.filters(hook, &[], family).iter().map(|(id, ..)| *id).collect();
        self.reached(&bases).into_iter().find(|id| &*self.pipeline.chain(*id).name == USER_CHAIN)
    }

    /// Some connections go into a flowtable.
    fn offloads(&self) -> bool {
        let stmts = self.ast.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules).flat_map(|r| &r.stmts);
        stmts.into_iter().any(|s| matches!(s, Stmt::Effect(word, _) if &**word == "flow"))
    }

    /// Some packets have no connection that a rule could ask about.
    fn untracks(&self) -> bool {
        let steps = self.pipeline.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.steps);
        steps.into_iter().any(|s| matches!(s, Step::Act(Action::Untrack)))
    }
}

impl Way<'_> {
    fn ports(&self, translated: bool) -> Ports<'_> {
        if translated { self.ports.1 } else { self.ports.0 }
    }

    fn seen(&self, hook: Hook, translated: bool) -> Seen {
        let packets = self.packets;
        let to = if translated { self.to } else { self.asked.unwrap_or(self.to) };
        let from = if packets.from.is_empty() {
            Set::range(0, packets.family.max_address())
        } else {
            Set::from_ranges(packets.from.iter().map(|n| prefix_range(*n)))
        };
        let wide = |(lo, hi): &(u16, u16)| (u128::from(*lo), u128::from(*hi));
        let ports = self.ports(translated);
        let ports = if ports.is_empty() { Set::range(0, 65535) } else { Set::from_ranges(ports.iter().map(wide)) };
        Seen {
            family: packets.family,
            transport: Some((packets.proto.number(), ports)),
            from,
            to: Some(address_value(to)),
            asked: self.asked.map(address_value),
            in_ifaces: packets.in_ifaces.clone(),
            out_iface: packets.out_iface.clone(),
            routed: matches!(hook, Hook::Forward | Hook::Postrouting),
            first: true,
        }
    }
}

/// A name that stands in a command without quotation marks.
fn command_word(name: &str) -> Result<(), Refused> {
    interface(name)?;
    if name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:@+".contains(c)) && !name.starts_with('-') {
        return Ok(());
    }
    Err(Refused(format!(
        "routing does it, and no command for it is printed: `{name}` is no plain name of an interface"
    )))
}

/// What routing has to do, which is in no ruleset.
fn by_routing(family: Family, came: &str, own: Option<IpAddr>) -> Refused {
    let ip = if family == Family::V4 { "ip" } else { "ip -6" };
    let table = format!("`{ip} route add default via <its gateway> dev {came} table 102` (a tunnel needs no `via`)");
    let here = match own {
        Some(address) => format!("`{ip} rule add from {address} lookup 102`"),
        None => format!(
            "`iifname \"{came}\" ct state new ct mark set 102` and, for what comes from inside, `ct mark 102 meta mark set \
             ct mark` in a prerouting chain of priority mangle; `{ip} rule add fwmark 102 lookup 102`"
        ),
    };
    Refused(format!("rules alone do not do it, routing does: {here}, and {table}"))
}

fn own(family: Family) -> TableFamily {
    if family == Family::V4 { TableFamily::Ip } else { TableFamily::Ip6 }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        // Unique local addresses (RFC 4193).
        IpAddr::V6(ip) => ip.segments()[0] & 0xfe00 == 0xfc00,
    }
}

fn targets(map: &Lookup<Verdicted>) -> Vec<ChainId> {
    let all = map.entries.iter().map(|(_, v)| *v).chain(map.default);
    all.filter_map(|v| if let Verdicted::Jump(to) | Verdicted::Goto(to) = v { Some(to) } else { None }).collect()
}

/// Names of interfaces that a rule can hold.
fn names(packets: &Packets) -> Result<(), Refused> {
    packets.in_ifaces.iter().chain(&packets.out_iface).try_for_each(|name| interface(name))
}

/// A name as a rule can hold it between quotation marks, and as a report shows it: signs that cannot be seen would be
/// printed as others, and then mean another interface.
fn interface(name: &str) -> Result<(), Refused> {
    let odd = |c: char| hidden(c) || c.is_whitespace() || "\"'\\*/$`".contains(c);
    if name.is_empty() || name.len() > LONGEST_IFACE || name.contains(odd) {
        return Err(Refused(format!("`{name}` is no interface's name")));
    }
    Ok(())
}
