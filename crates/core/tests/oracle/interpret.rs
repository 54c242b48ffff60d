//! One packet at a time, with plain numbers: written against the model's documentation, without the trace's code.
#![allow(clippy::struct_excessive_bools, clippy::many_single_char_names, clippy::option_option, clippy::unused_self)]

use super::values::has;
use callpath_core::model::{
    Action, ChainId, Device, DoubtId, Family, Hook, OriginId, Part, Policy, RouteTarget, Rule, Side, StageKind, Step,
    Test, Verdicted, Ways, address_value, prefix_range,
};
use callpath_core::trace::{Choice, Did, Disposition, Network, Phase};

/// Source, destination, source port, destination port.
pub type Tuple = [u128; 4];

/// What nobody but the world decides, fixed for one run.
pub struct World {
    /// Answer to a doubt of a device.
    pub doubt: fn(usize, DoubtId) -> u128,
    /// The value that a device picks from a range, by rule.
    pub pick: fn(OriginId, Part, u128, u128) -> u128,
    /// The value that a device picks instead of one that is taken, after so many choices.
    pub evade: fn(usize, usize, u128, u128) -> u128,
}

#[derive(Clone)]
pub struct Session {
    pub device: usize,
    pub original: Tuple,
    pub reply: Tuple,
    pub mark: u128,
    pub snat: bool,
    pub dnat: bool,
    pub source_done: bool,
    pub destination_done: bool,
    pub seen_reply: bool,
    pub assured: bool,
    pub confirmed: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Tracked {
    No,
    Untracked,
    Invalid,
    In(usize, bool),
}

/// Loopback's place among interfaces.
pub const LO: usize = usize::MAX;

/// What became of one packet.
pub struct Walk {
    pub end: Disposition,
    pub device: usize,
    pub header: Tuple,
    /// Device and step, in order.
    pub steps: Vec<(usize, Hook, Did)>,
}

/// What happened to a conversation.
pub struct Talk {
    /// All packets, as far as it gets.
    pub walks: Vec<Walk>,
    /// What devices chose, in order.
    pub choices: Vec<(Choice, u128)>,
    /// So many chains deep some packet got.
    #[allow(dead_code)] // the fuzz targets share this file and do not read it
    pub deepest: usize,
}

/// The tuple of an answer.
pub fn inverse([src, dst, sport, dport]: Tuple) -> Tuple {
    [dst, src, dport, sport]
}

/// A request, its answer and the next packet, as far as it gets.
pub fn converse(net: &Network, from: usize, family: Family, asked: Tuple, proto: u128, world: &World) -> Talk {
    let mut run = Interpreter { net, family, proto, world, sessions: Vec::new(), choices: Vec::new(), deepest: 0 };
    let delivered = |w: &Walk| matches!(w.end, Disposition::Delivered { .. });
    let mut walks = vec![run.send(from, asked, Phase::Request)];
    if delivered(&walks[0]) {
        let (device, header) = (walks[0].device, walks[0].header);
        walks.push(run.send(device, inverse(header), Phase::Reply));
        if delivered(&walks[1]) && walks[1].device == from && walks[1].header == inverse(asked) {
            walks.push(run.send(from, asked, Phase::Next));
        }
    }
    Talk { walks, choices: run.choices, deepest: run.deepest }
}

pub struct Interpreter<'a> {
    pub net: &'a Network,
    pub family: Family,
    pub proto: u128,
    pub world: &'a World,
    pub sessions: Vec<Session>,
    pub choices: Vec<(Choice, u128)>,
    pub deepest: usize,
}

/// A packet at a device.
pub struct Packet {
    pub phase: Phase,
    pub header: Tuple,
    pub device: usize,
    pub in_iface: Option<usize>,
    pub out_iface: Option<usize>,
    pub seen_out: Option<usize>,
    pub next_hop: u128,
    pub mark: u128,
    pub tracked: Tracked,
    pub steps: Vec<(usize, Hook, Did)>,
    pub end: Option<Disposition>,
}

pub enum Outcome {
    Accepted,
    Translated,
    Fell,
    Ended,
}

impl Interpreter<'_> {
    pub fn device(&self, p: &Packet) -> &Device {
        &self.net.devices[p.device]
    }

    fn send(&mut self, from: usize, header: Tuple, phase: Phase) -> Walk {
        let mut p = Packet {
            phase,
            header,
            device: from,
            in_iface: None,
            out_iface: None,
            seen_out: None,
            next_hop: header[1],
            mark: 0,
            tracked: Tracked::No,
            steps: Vec::new(),
            end: None,
        };
        if self.take_route(&mut p) {
            p.seen_out = p.out_iface;
            self.hook(&mut p, Hook::Output);
            self.leave(&mut p);
        }
        let mut arrivals: Vec<(usize, usize, Tuple)> = Vec::new();
        while p.end.is_none() {
            if p.out_iface == Some(LO) {
                (p.in_iface, p.seen_out) = (Some(LO), None);
                self.hook(&mut p, Hook::Ingress);
                self.hook(&mut p, Hook::Prerouting);
                self.deliver(&mut p);
                continue;
            }
            self.cross(&mut p, &mut arrivals);
            if p.end.is_none() {
                self.receive(&mut p);
            }
        }
        let end = p.end.unwrap_or(Disposition::Loop);
        Walk { end, device: p.device, header: p.header, steps: p.steps }
    }

    fn cross(&self, p: &mut Packet, arrivals: &mut Vec<(usize, usize, Tuple)>) {
        let out = p.out_iface.expect("routed");
        let segment = self.net.devices[p.device].interfaces[out].segment;
        for (d, device) in self.net.devices.iter().enumerate() {
            for (i, iface) in device.interfaces.iter().enumerate() {
                let own = iface
                    .addresses
                    .iter()
                    .any(|n| address_value(n.addr()) == p.next_hop && Family::of(n.addr()) == self.family);
                let hosts = if self.family == Family::V4 { &iface.hosts_v4 } else { &iface.hosts_v6 };
                let stands = hosts.ranges().iter().any(|(lo, hi)| *lo <= p.next_hop && p.next_hop <= *hi);
                if iface.segment != segment || (d, i) == (p.device, out) || !(own || stands) {
                    continue;
                }
                (p.device, p.in_iface, p.out_iface, p.seen_out) = (d, Some(i), None, None);
                (p.mark, p.tracked) = (0, Tracked::No);
                if arrivals.contains(&(d, i, p.header)) || arrivals.len() >= 15 {
                    p.end = Some(Disposition::Loop);
                }
                arrivals.push((d, i, p.header));
                return;
            }
        }
        p.end = Some(Disposition::NeighborUnreachable);
    }

    pub fn own(&self, d: usize, address: u128) -> bool {
        self.net.devices[d].interfaces.iter().any(|iface| {
            let own = iface
                .addresses
                .iter()
                .any(|n| Family::of(n.addr()) == self.family && address_value(n.addr()) == address);
            let hosts = if self.family == Family::V4 { &iface.hosts_v4 } else { &iface.hosts_v6 };
            own || hosts.ranges().iter().any(|(lo, hi)| *lo <= address && address <= *hi)
        })
    }

    pub fn loopback(&self, address: u128) -> bool {
        if self.family == Family::V4 { address >> 24 == 127 } else { address == 1 }
    }

    pub fn multicast(&self, address: u128) -> bool {
        if self.family == Family::V4 { address >> 28 == 0xe } else { address >> 120 == 0xff }
    }

    pub fn broadcast(&self, d: usize, address: u128) -> bool {
        let device = &self.net.devices[d];
        let nets = device.interfaces.iter().flat_map(|i| &i.addresses).filter(|n| Family::of(n.addr()) == self.family);
        match self.family {
            Family::V4 => {
                address == 0xffff_ffff
                    || address < 1 << 24
                    || nets.filter(|n| n.prefix_len() < 31).any(|n| prefix_range(*n).1 == address)
            }
            Family::V6 => {
                address == 0
                    || device.forwards && nets.filter(|n| n.prefix_len() < 127).any(|n| prefix_range(*n).0 == address)
            }
        }
    }

    /// The main table's best route: interface and next hop.
    pub fn best(&self, d: usize, address: u128) -> Option<(usize, u128)> {
        let device = &self.net.devices[d];
        let mut best: Option<(u8, u32, RouteTarget)> = None;
        let mut consider = |net: ipnet::IpNet, metric: u32, target: RouteTarget| {
            let (lo, hi) = prefix_range(net);
            if Family::of(net.addr()) != self.family || address < lo || address > hi {
                return;
            }
            let better = best
                .as_ref()
                .is_none_or(|(len, m, _)| net.prefix_len() > *len || net.prefix_len() == *len && metric < *m);
            if better {
                best = Some((net.prefix_len(), metric, target));
            }
        };
        for (i, iface) in device.interfaces.iter().enumerate() {
            for net in &iface.addresses {
                consider(*net, 0, RouteTarget::Via(i, None));
            }
        }
        for route in &device.routes {
            consider(route.to, route.metric, route.target.clone());
        }
        match best?.2 {
            RouteTarget::Via(i, hop) => Some((i, hop.map_or(address, address_value))),
            _ => None,
        }
    }

    fn take_route(&self, p: &mut Packet) -> bool {
        let dst = p.header[1];
        if self.own(p.device, dst) || self.loopback(dst) {
            (p.out_iface, p.next_hop) = (Some(LO), dst);
        } else if self.broadcast(p.device, dst) || self.multicast(dst) {
            p.end = Some(Disposition::NotUnicast);
        } else if let Some((iface, hop)) = self.best(p.device, dst) {
            (p.out_iface, p.next_hop) = (Some(iface), hop);
        } else {
            p.end = Some(Disposition::NoRoute);
        }
        p.end.is_none()
    }

    fn receive(&mut self, p: &mut Packet) {
        self.hook(p, Hook::Ingress);
        self.hook(p, Hook::Prerouting);
        if p.end.is_some() {
            return;
        }
        let (src, dst) = (p.header[0], p.header[1]);
        let v4 = self.family == Family::V4;
        let own_source = v4 && self.device(p).drops_own_source && self.own(p.device, src);
        if self.loopback(src) || self.multicast(src) || own_source || v4 && self.broadcast(p.device, src) {
            p.end = Some(Disposition::MartianSource);
        } else if self.loopback(dst) {
            p.end = Some(Disposition::MartianDestination);
        } else if self.own(p.device, dst) {
            self.deliver(p);
        } else if !self.device(p).forwards {
            p.end = Some(Disposition::NotForwarding);
        } else if self.take_route(p) {
            p.seen_out = p.out_iface;
            self.hook(p, Hook::Forward);
            self.leave(p);
        }
    }

    fn leave(&mut self, p: &mut Packet) {
        p.seen_out = p.out_iface;
        self.hook(p, Hook::Postrouting);
        self.confirm(p);
        self.hook(p, Hook::Egress);
    }

    fn deliver(&mut self, p: &mut Packet) {
        (p.seen_out, p.out_iface) = (None, None);
        self.hook(p, Hook::Input);
        self.confirm(p);
        if p.end.is_none() {
            p.end = Some(Disposition::Delivered { listening: p.phase == Phase::Reply });
        }
    }

    /// The session is kept, unless its answers could not be told from another one's (`__nf_conntrack_confirm`).
    fn confirm(&mut self, p: &mut Packet) {
        let (None, Tracked::In(s, false)) = (&p.end, p.tracked) else { return };
        if !self.sessions[s].confirmed && self.taken(s, inverse(self.sessions[s].reply)) {
            p.end = Some(Disposition::Dropped);
        } else {
            self.sessions[s].confirmed = true;
        }
    }

    fn hook(&mut self, p: &mut Packet, hook: Hook) {
        let net = self.net;
        for stage in &net.devices[p.device].pipeline.hooks[hook as usize] {
            if p.end.is_some() {
                return;
            }
            let iface = if hook == Hook::Egress { p.out_iface } else { p.in_iface };
            let name = iface.map_or("", |i| if i == LO { "lo" } else { &net.devices[p.device].interfaces[i].name });
            if !stage.families.has(self.family)
                || stage.interfaces.as_ref().is_some_and(|l| l.iter().all(|n| &**n != name))
            {
                continue;
            }
            match &stage.kind {
                StageKind::Track => self.track(p, hook),
                StageKind::Filter { chain, policy, reroute } => {
                    let mark = p.mark;
                    if let Outcome::Fell = self.chain(p, hook, *chain, None, 0) {
                        self.policy(p, hook, *chain, *policy);
                    }
                    if *reroute && p.end.is_none() && hook == Hook::Output && p.mark != mark {
                        self.take_route(p);
                    }
                }
                StageKind::Translate { side, chains } => {
                    let dst = p.header[1];
                    self.translate_stage(p, hook, *side, chains);
                    let moved = p.end.is_none() && p.header[1] != dst;
                    if hook == Hook::Output && *side == Side::Destination && moved {
                        self.take_route(p);
                    }
                }
            }
        }
    }

    fn policy(&self, p: &mut Packet, hook: Hook, chain: ChainId, policy: Policy) {
        let did = if policy == Policy::Accept { Did::PolicyAccept(chain) } else { Did::PolicyDrop(chain) };
        p.steps.push((p.device, hook, did));
        if policy == Policy::Drop {
            p.end = Some(Disposition::Dropped);
        }
    }

    fn track(&mut self, p: &mut Packet, hook: Hook) {
        if p.tracked != Tracked::No {
            return;
        }
        let tcp = self.proto == 6;
        for s in (0..self.sessions.len()).rev() {
            if self.sessions[s].device != p.device || !self.sessions[s].confirmed {
                continue;
            }
            let reply = if self.sessions[s].reply == p.header {
                true
            } else if self.sessions[s].original == p.header {
                false
            } else {
                continue;
            };
            let third = p.phase == Phase::Next;
            if tcp && third && (reply || !self.sessions[s].seen_reply) {
                p.tracked = Tracked::Invalid;
                p.steps.push((p.device, hook, Did::SessionInvalid));
                return;
            }
            self.sessions[s].seen_reply |= reply;
            self.sessions[s].assured |= tcp && third;
            p.tracked = Tracked::In(s, reply);
            p.steps.push((p.device, hook, Did::SessionFound { reply }));
            return;
        }
        if tcp && p.phase == Phase::Reply {
            p.tracked = Tracked::Invalid;
            p.steps.push((p.device, hook, Did::SessionInvalid));
            return;
        }
        self.sessions.push(Session {
            device: p.device,
            original: p.header,
            reply: inverse(p.header),
            mark: 0,
            snat: false,
            dnat: false,
            source_done: false,
            destination_done: false,
            seen_reply: false,
            assured: false,
            confirmed: false,
        });
        p.tracked = Tracked::In(self.sessions.len() - 1, false);
        p.steps.push((p.device, hook, Did::SessionNew));
    }

    fn translate_stage(&mut self, p: &mut Packet, hook: Hook, side: Side, chains: &[(ChainId, Policy)]) {
        let Tracked::In(s, reply) = p.tracked else { return };
        let done = if side == Side::Source { self.sessions[s].source_done } else { self.sessions[s].destination_done };
        if !reply && !self.sessions[s].seen_reply && !done {
            let mut ruled = false;
            for (chain, policy) in chains {
                match self.chain(p, hook, *chain, Some(side), 0) {
                    Outcome::Translated => {
                        ruled = true;
                        break;
                    }
                    Outcome::Fell => self.policy(p, hook, *chain, *policy),
                    Outcome::Accepted | Outcome::Ended => {}
                }
                if p.end.is_some() {
                    return;
                }
            }
            if !ruled {
                self.keep(s, side);
            }
            match side {
                Side::Source => self.sessions[s].source_done = true,
                Side::Destination => self.sessions[s].destination_done = true,
            }
        }
        let session = &self.sessions[s];
        match (side, reply) {
            (Side::Destination, false) if session.dnat => {
                (p.header[1], p.header[3]) = (session.reply[0], session.reply[2]);
            }
            (Side::Source, false) if session.snat => (p.header[0], p.header[2]) = (session.reply[1], session.reply[3]),
            (Side::Destination, true) if session.snat => {
                (p.header[1], p.header[3]) = (session.original[0], session.original[2]);
            }
            (Side::Source, true) if session.dnat => {
                (p.header[0], p.header[2]) = (session.original[1], session.original[3]);
            }
            _ => {}
        }
    }

    fn chain(&mut self, p: &mut Packet, hook: Hook, id: ChainId, side: Option<Side>, depth: usize) -> Outcome {
        self.deepest = self.deepest.max(depth);
        if depth > 16 {
            p.end = Some(Disposition::Loop);
            return Outcome::Ended;
        }
        let net = self.net;
        for rule in &net.devices[p.device].pipeline.chain(id).rules {
            match self.rule(p, hook, rule, side, depth) {
                None => {}
                Some(outcome) => return outcome,
            }
        }
        Outcome::Fell
    }

    /// Absent: go on with the next rule.
    fn rule(&mut self, p: &mut Packet, hook: Hook, rule: &Rule, side: Option<Side>, depth: usize) -> Option<Outcome> {
        let mut noted = false;
        for step in &rule.steps {
            let action = match step {
                Step::Match(m) => {
                    let values: Option<Vec<u128>> = m.keys.iter().map(|k| self.value(p, hook, *k)).collect();
                    let inside = |rows: &[&[callpath_core::cube::Set]], v: &[u128]| {
                        rows.iter().any(|row| row.iter().zip(v).all(|(set, v)| has(set, *v)))
                    };
                    let values = values?;
                    let holds = match &m.test {
                        Test::In(set) => has(set, values[0]),
                        Test::Boxes(rows) => inside(&rows.iter().map(|r| &**r).collect::<Vec<_>>(), &values),
                    };
                    if holds == m.negate {
                        return None;
                    }
                    continue;
                }
                Step::Act(action) => action,
            };
            if !noted {
                p.steps.push((p.device, hook, Did::Rule(rule.origin)));
                noted = true;
            }
            let verdict = match action {
                Action::Accept => Verdicted::Accept,
                Action::Drop => Verdicted::Drop,
                Action::Return => Verdicted::Return,
                Action::Jump(to) => Verdicted::Jump(*to),
                Action::Goto(to) => Verdicted::Goto(*to),
                Action::Verdict(lookup) => match self.look_up(p, hook, lookup) {
                    Some(v) => v,
                    None => continue,
                },
                Action::Reject(kind) => {
                    p.end = Some(Disposition::Rejected(kind.clone()));
                    return Some(Outcome::Ended);
                }
                Action::Translate(t) => {
                    let target = self.look_up(p, hook, &t.target)?;
                    let Tracked::In(s, _) = p.tracked else { return Some(Outcome::Accepted) };
                    if side != Some(t.side) {
                        return Some(Outcome::Accepted);
                    }
                    return Some(self.set_up(p, s, t, &target, rule.origin));
                }
                Action::SetMark(value) => {
                    let value = self.look_up(p, hook, value)?;
                    p.mark = self.mark(p, value)?;
                    continue;
                }
                Action::SetCtMark(value) => {
                    let Tracked::In(s, _) = p.tracked else { continue };
                    let value = self.look_up(p, hook, value)?;
                    self.sessions[s].mark = self.mark(p, value)?;
                    continue;
                }
                // It changes no fate; what it makes of the words in packets is not asked here.
                Action::Helper(_) => continue,
                Action::Untrack => {
                    if p.tracked == Tracked::No {
                        p.tracked = Tracked::Untracked;
                    }
                    continue;
                }
                Action::Unmodelled(Ways::Anything, doubt) => {
                    p.end = Some(Disposition::Unknown(*doubt));
                    return Some(Outcome::Ended);
                }
                Action::Unmodelled(..) => unreachable!("not generated"),
            };
            match verdict {
                Verdicted::Accept => return Some(Outcome::Accepted),
                Verdicted::Return => return Some(Outcome::Fell),
                Verdicted::Continue => {}
                Verdicted::Drop => {
                    p.end = Some(Disposition::Dropped);
                    return Some(Outcome::Ended);
                }
                Verdicted::Jump(to) => {
                    return match self.chain(p, hook, to, side, depth + 1) {
                        Outcome::Fell => None,
                        other => Some(other),
                    };
                }
                Verdicted::Goto(to) => return Some(self.chain(p, hook, to, side, depth + 1)),
            }
        }
        None
    }
}
