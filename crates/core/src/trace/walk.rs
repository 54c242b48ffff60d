//! One packet's way: through the hooks of a device, over a segment, to the next.

use super::answer::{Detail, Did, Disposition, Val};
use super::chain::{Place, Rules};
use super::condition::{Condition, on_value};
use super::flow::{Bridged, Flow, LOOPBACK, Track};
use super::mark::Mark;
use super::route::Way;
use super::tracer::Tracer;
use crate::cube::{Dim, Set};
use crate::model::{
    Bridge, ChainId, Family, Hook, Loopback, Pass, Policy, RouteTarget, Side, Stage, StageKind, WayBack, address_value,
};
use std::rc::Rc;

/// A packet that visits more devices than this is taken to go in circles.
const MAX_HOPS: usize = 16;

/// Packets that arrived where they were going.
pub(super) type Delivered = Vec<Flow>;

impl Tracer<'_> {
    /// Sends packets from the device that their state names. Delivered ones come back; all others are done.
    pub(super) fn send(&mut self, flow: Flow) -> Delivered {
        let mut delivered = Vec::new();
        let mut moving = Vec::new();
        for (way, flow) in self.route(flow) {
            if let Some(flow) = self.take(&way, flow) {
                moving.extend(self.output(flow));
            }
        }
        while let Some(last) = moving.pop() {
            // Where only fates are told, all go one device further, so that those that meet go on together.
            let step = if self.detail < Detail::Rules {
                let mut step = std::mem::take(&mut moving);
                step.push(last);
                for flow in step.iter_mut().filter(|f| f.state.out_iface != Some(LOOPBACK)) {
                    self.leftovers(flow);
                }
                self.settle(&mut step);
                step
            } else {
                vec![last]
            };
            for flow in step {
                if flow.state.out_iface == Some(LOOPBACK) {
                    self.loop_back(flow, &mut delivered);
                    continue;
                }
                for flow in self.transmit(flow) {
                    moving.extend(self.receive(flow, &mut delivered));
                }
            }
        }
        delivered
    }

    /// Notes the way that routing chose; packets without one end.
    pub(super) fn take(&mut self, way: &Way, mut flow: Flow) -> Option<Flow> {
        let dst = flow.state.header.dst;
        let state = flow.state_mut();
        match *way {
            Way::Local => (state.out_iface, state.next_hop) = (Some(LOOPBACK), dst),
            Way::Target(RouteTarget::Via(iface, next_hop)) => {
                state.out_iface = Some(iface);
                state.next_hop = next_hop.map_or(dst, |a| Val::Const(address_value(a)));
            }
            Way::NotUnicast => {
                self.end(flow, Disposition::NotUnicast);
                return None;
            }
            // Of several ways one was taken, and what the device keeps is `Local`.
            Way::Target(_) | Way::None => {
                self.end(flow, Disposition::NoRoute);
                return None;
            }
        }
        Some(flow)
    }

    /// From the device itself: output, postrouting, egress.
    fn output(&mut self, mut flow: Flow) -> Vec<Flow> {
        let out = flow.state.out_iface;
        flow.state_mut().seen_out = out;
        let passed = self.hook(vec![flow], Hook::Output);
        self.leave(passed)
    }

    fn leave(&mut self, mut flows: Vec<Flow>) -> Vec<Flow> {
        for flow in &mut flows {
            let out = flow.state.out_iface;
            flow.state_mut().seen_out = out;
        }
        let mut flows = self.hook(flows, Hook::Postrouting);
        flows.iter_mut().for_each(confirm);
        self.hook(flows, Hook::Egress)
    }

    /// A packet that the device sent to itself: prerouting and input see it by the loopback interface.
    fn loop_back(&mut self, mut flow: Flow, delivered: &mut Delivered) {
        let state = flow.state_mut();
        state.in_iface = Some(LOOPBACK);
        state.seen_out = None;
        let flows = self.hook(vec![flow], Hook::Ingress);
        let flows = self.hook(flows, Hook::Prerouting);
        self.input(flows, delivered);
    }

    fn input(&mut self, mut flows: Vec<Flow>, delivered: &mut Delivered) {
        for flow in &mut flows {
            let state = flow.state_mut();
            state.seen_out = None;
            state.out_iface = None;
        }
        let mut flows = self.hook(flows, Hook::Input);
        flows.iter_mut().for_each(confirm);
        delivered.extend(flows);
    }

    /// Arrived at a device: delivered there, ended there, or on its way out again.
    fn receive(&mut self, flow: Flow, delivered: &mut Delivered) -> Vec<Flow> {
        let asked = flow.state.header.dst;
        let bridged = flow.state.bridged;
        // A bridge's own ingress sees what is for the device alone.
        let flows = if bridged == Bridged::No { self.hook(vec![flow], Hook::Ingress) } else { vec![flow] };
        let flows = self.hook(flows, Hook::Prerouting);
        let mut moving = Vec::new();
        for mut flow in flows {
            if let Bridged::Through(next_hop) = bridged {
                flow.state_mut().bridged = Bridged::No;
                if flow.state.header.dst == asked {
                    let index = flow.state.in_iface;
                    let state = flow.state_mut();
                    (state.out_iface, state.next_hop) = (index, next_hop);
                    moving.extend(self.bridge_out(flow));
                    continue;
                }
            }
            let Some(flow) = self.not_martian(flow) else { continue };
            for (way, flow) in self.route(flow) {
                for flow in self.way_back(flow, &way) {
                    moving.extend(self.pass_on(flow, &way, asked, delivered));
                }
            }
        }
        moving
    }

    /// What becomes of a packet that has a way; `asked` is where it was going when it came.
    fn pass_on(&mut self, flow: Flow, way: &Way, asked: Val, delivered: &mut Delivered) -> Vec<Flow> {
        let mut moving = Vec::new();
        let device = &self.net.devices[flow.state.device];
        let arrived = flow.state.in_iface.and_then(|i| device.interfaces.get(i));
        let forwards = device.forwards && arrived.is_none_or(|i| i.passes_on(flow.state.family));
        let back = matches!(way, Way::Target(RouteTarget::Via(out, _)) if Some(*out) == flow.state.in_iface);
        let turned = back && flow.state.header.dst != asked;
        let (turned, plain) = match arrived.and_then(|i| i.bridge(flow.state.family)).filter(|_| turned) {
            Some(bridge) => self.turned_back(flow, bridge),
            None => (None, Some(flow)),
        };
        if let Some(flow) = turned.and_then(|f| self.take(way, f)) {
            moving.extend(self.bridge_out(flow));
        }
        let Some(flow) = plain else { return moving };
        if *way == Way::Local {
            self.input(vec![flow], delivered);
        } else if !forwards {
            self.end(flow, Disposition::NotForwarding);
        } else if let Some(mut flow) = self.take(way, flow) {
            let out = flow.state.out_iface;
            flow.state_mut().seen_out = out;
            let flows = self.hook(vec![flow], Hook::Forward);
            moving.extend(self.leave(flows));
        }
        moving
    }

    /// Packets that a translation turns back into the bridge that they came by: those that the bridge itself sends on,
    /// and those that the device routes because it is no bridge. By the same port nothing goes back
    /// (`br_nf_pre_routing_finish`, `net/bridge/br_netfilter_hooks.c`; `should_deliver`, `net/bridge/br_forward.c`).
    fn turned_back(&mut self, flow: Flow, bridge: Bridge) -> (Option<Flow>, Option<Flow>) {
        let (other, rest) = self.by_other_port(flow, bridge);
        let (plain, same) = match (bridge.ports, rest) {
            (None, Some(flow)) => {
                let var = self.doubt_variable(flow.state.device, bridge.joined, 2);
                self.split(flow, &Condition::On(Dim::Var(var), Set::one(0)))
            }
            (_, rest) => (None, rest),
        };
        if let Some(flow) = same {
            self.end(flow, Disposition::SamePort);
        }
        (other, plain)
    }

    /// Splits packets by whether those who talk are joined to a bridge by different ports.
    fn by_other_port(&mut self, flow: Flow, bridge: Bridge) -> (Option<Flow>, Option<Flow>) {
        if bridge.ports.is_some_and(|n| n < 2) {
            return (None, Some(flow));
        }
        let var = self.doubt_variable(flow.state.device, bridge.joined, 2);
        self.split(flow, &Condition::On(Dim::Var(var), Set::range(2, 3)))
    }

    /// Out by another port of the bridge: rules of the forward hook see it on both sides, those behind on one.
    fn bridge_out(&mut self, mut flow: Flow) -> Vec<Flow> {
        let out = flow.state.out_iface;
        flow.state_mut().seen_out = out;
        let mut flows = self.hook(vec![flow], Hook::Forward);
        for flow in &mut flows {
            flow.state_mut().bridged = Bridged::Leaving;
        }
        self.leave(flows)
    }

    /// Ends packets whose addresses cannot come from outside (`ip_route_input_slow`, `ip6_rcv_core`).
    fn not_martian(&mut self, flow: Flow) -> Option<Flow> {
        let routing = self.routing(flow.state.device, flow.state.family);
        let header = flow.state.header;
        let (bad, good) = self.split(flow, &on_value(header.src, &routing.no_source));
        if let Some(flow) = bad {
            self.end(flow, Disposition::MartianSource);
        }
        let device = &self.net.devices[good.as_ref()?.state.device];
        if device.loopback_by_translation {
            return good;
        }
        let arrived = good.as_ref()?.state.in_iface.and_then(|i| device.interfaces.get(i));
        let loopback = arrived.map_or(Loopback::Refused, |i| i.settings.loopback);
        // IPv6 has no such setting.
        let loopback = if good.as_ref()?.state.family == Family::V6 { Loopback::Refused } else { loopback };
        let (inside, good) = match loopback {
            Loopback::Accepted => return good,
            Loopback::Refused | Loopback::Unknown(_) => self.split(good?, &on_value(header.dst, &routing.loopback)),
        };
        let Some(flow) = inside else { return good };
        let (taken, refused) = match loopback {
            Loopback::Unknown(doubt) => {
                let var = self.doubt_variable(flow.state.device, doubt, 1);
                self.split(flow, &Condition::On(Dim::Var(var), Set::one(1)))
            }
            _ => (None, Some(flow)),
        };
        if let Some(flow) = refused {
            self.end(flow, Disposition::MartianDestination);
        }
        super::lookup::join(good, taken)
    }

    /// Ends packets to whose source no route leads, or none by the interface of arrival, where that is checked
    /// (`fib_validate_source`, `net/ipv4/fib_frontend.c`). An interface without an address has no second chance there.
    /// A source that a table delivers to the device is refused even where nothing is checked.
    /// The answer is asked about as if it came in by the interface by which the packet is to leave.
    fn way_back(&mut self, flow: Flow, way: &Way) -> Vec<Flow> {
        let state = Rc::clone(&flow.state);
        let device = &self.net.devices[state.device];
        let Some((index, arrived)) = state.in_iface.and_then(|i| Some((i, device.interfaces.get(i)?))) else {
            return vec![flow];
        };
        let delivers = || device.routes.iter().any(|r| r.target == RouteTarget::Own);
        let (checked, strict, marked) = match arrived.settings.way_back {
            _ if state.family == Family::V6 => return vec![flow],
            WayBack::Unchecked if !delivers() => return vec![flow],
            WayBack::Unchecked => (false, false, false),
            WayBack::Any { marked } => (true, false, marked),
            WayBack::Same { marked } => (true, true, marked),
        };
        let strict = strict || !arrived.addresses.iter().any(|n| n.addr().is_ipv4());
        let mut back = flow;
        let asked = back.state_mut();
        asked.header = state.header.inverse();
        asked.in_iface = match way {
            Way::Target(RouteTarget::Via(out, _)) => Some(*out),
            _ => None,
        };
        if !marked {
            asked.mark = Mark::ZERO;
        }
        let mut passed = Vec::new();
        for (way, mut flow) in self.route(back) {
            let restored = flow.state_mut();
            (restored.header, restored.in_iface, restored.mark) = (state.header, state.in_iface, state.mark);
            match way {
                Way::Local if device.drops_own_source => self.end(flow, Disposition::MartianSource),
                Way::Target(RouteTarget::Via(out, _)) if !strict || out == index => passed.push(flow),
                _ if !checked => passed.push(flow),
                Way::Local => passed.push(flow),
                _ => self.end(flow, Disposition::ReversePath),
            }
        }
        passed
    }

    /// Over the segment to whoever has the next hop's address.
    fn transmit(&mut self, mut flow: Flow) -> Vec<Flow> {
        let (from, family) = (flow.state.device, flow.state.family);
        let Some(out) = flow.state.out_iface else { return Vec::new() };
        let segment = self.net.devices[from].interfaces[out].segment;
        let bridged = std::mem::take(&mut flow.state_mut().bridged);
        flow.state_mut().end_hop();
        let next_hop = flow.state.next_hop;
        let mut arrived = Vec::new();
        let mut rest = Some(flow);
        if bridged == Bridged::No {
            let (through, direct) = rest.map_or((None, None), |f| self.by_bridge(f, segment));
            arrived.extend(through);
            rest = direct;
        }
        let net = self.net;
        for neighbour in net.devices.on_segment(segment) {
            let (device, index) = (neighbour.device, neighbour.interface);
            if (device, index) == (from, out) {
                continue;
            }
            let Some(flow) = rest else { return arrived };
            let (here, other) = self.split(flow, &on_value(next_hop, neighbour.owned(family)));
            rest = other;
            let Some(mut flow) = here else { continue };
            let arrival = (device, Some(index), flow.state.header);
            let circle = flow.state.arrivals.contains(&arrival) || flow.state.hops.len() >= MAX_HOPS;
            let state = flow.state_mut();
            (state.device, state.in_iface, state.out_iface, state.seen_out) = (device, Some(index), None, None);
            (state.mark, state.track) = (Mark::ZERO, Track::No);
            state.arrivals.push(arrival);
            if circle {
                self.end(flow, Disposition::Loop);
            } else {
                arrived.push(flow);
            }
        }
        if let Some(flow) = rest {
            // The hop is closed already: nobody answered on the segment it leads to.
            self.done.push((flow, Disposition::NeighborUnreachable));
        }
        arrived
    }

    /// Packets between two others of a segment that pass the bridge of a device on it, at that device; and those that do
    /// not.
    fn by_bridge(&mut self, flow: Flow, segment: usize) -> (Option<Flow>, Option<Flow>) {
        let (from, family) = (flow.state.device, flow.state.family);
        let net = self.net;
        // What a device itself sends does not pass its own bridge.
        let others = net.devices.on_segment(segment).iter().filter(|n| n.device != from);
        let found = others.into_iter().find_map(|n| {
            let bridge = net.devices[n.device].interfaces[n.interface].bridge(family)?;
            Some((n.device, n.interface, n.owned(family), bridge))
        });
        let Some((device, index, owned, bridge)) = found else { return (None, Some(flow)) };
        // What is for the device itself only arrives.
        let next_hop = flow.state.next_hop;
        let (own, others) = self.split(flow, &on_value(next_hop, owned));
        let Some(mut flow) = others else { return (None, own) };
        let arrival = (device, Some(index), flow.state.header);
        flow.state_mut().device = device;
        let (through, mut direct) = self.by_other_port(flow, bridge);
        if let Some(flow) = &mut direct {
            flow.state_mut().device = from;
        }
        let direct = super::lookup::join(own, direct);
        let Some(mut flow) = through else { return (None, direct) };
        let circle = flow.state.arrivals.contains(&arrival) || flow.state.hops.len() >= MAX_HOPS;
        let state = flow.state_mut();
        (state.in_iface, state.out_iface, state.seen_out) = (Some(index), None, None);
        (state.mark, state.track) = (Mark::ZERO, Track::No);
        state.bridged = Bridged::Through(next_hop);
        state.arrivals.push(arrival);
        if circle {
            self.end(flow, Disposition::Loop);
            return (None, direct);
        }
        (Some(flow), direct)
    }

    /// Runs the stages of a hook.
    pub(super) fn hook(&mut self, mut flows: Vec<Flow>, hook: Hook) -> Vec<Flow> {
        let Some(first) = flows.first() else { return flows };
        let device = &self.net.devices[first.state.device];
        let stages = &device.pipeline.hooks[hook as usize];
        match self.fuses().and_then(|least| device.pipeline.passes(hook, least)) {
            None => {
                for stage in stages {
                    flows = self.each(stage, flows, hook, |tracer, flow| tracer.stage(stage, flow, hook));
                }
            }
            Some(passes) => {
                for pass in passes {
                    flows = match pass {
                        Pass::One(n) => {
                            self.each(&stages[*n], flows, hook, |tracer, flow| tracer.stage(&stages[*n], flow, hook))
                        }
                        Pass::Joined { first, chain, rules } => {
                            self.each(&stages[*first], flows, hook, |tracer, flow| {
                                let place = Place { hook, side: None, depth: 0 };
                                let passed = tracer.run_rules(*chain, Rules::Fused(rules), flow, place);
                                tracer.at_policy(passed.fell, hook, *chain, Policy::Accept)
                            })
                        }
                    };
                }
            }
        }
        flows
    }

    /// Runs a stage for the packets that it sees; others pass.
    fn each(
        &mut self,
        stage: &Stage,
        flows: Vec<Flow>,
        hook: Hook,
        mut run: impl FnMut(&mut Self, Flow) -> Vec<Flow>,
    ) -> Vec<Flow> {
        let mut passed = Vec::with_capacity(flows.len());
        for flow in flows {
            if self.sees(stage, &flow, hook) {
                passed.extend(run(self, flow));
            } else {
                passed.push(flow);
            }
        }
        self.settle(&mut passed);
        passed
    }

    fn sees(&self, stage: &Stage, flow: &Flow, hook: Hook) -> bool {
        let iface = if hook == Hook::Egress { flow.state.out_iface } else { flow.state.in_iface };
        let name = match iface {
            Some(LOOPBACK) => "lo",
            Some(i) => &self.net.devices[flow.state.device].interfaces[i].name,
            None => "",
        };
        stage.families.has(flow.state.family)
            && stage.interfaces.as_ref().is_none_or(|list| list.iter().any(|i| &**i == name))
    }

    fn stage(&mut self, stage: &Stage, flow: Flow, hook: Hook) -> Vec<Flow> {
        match &stage.kind {
            StageKind::Track => self.track(flow, hook),
            StageKind::Filter { chain, policy, reroute } => {
                let mark = flow.state.mark;
                let passed = self.run_chain(*chain, flow, Place { hook, side: None, depth: 0 });
                let mut out = passed.accepted;
                out.extend(passed.translated);
                out.extend(self.at_policy(passed.fell, hook, *chain, *policy));
                if *reroute && hook == Hook::Output {
                    return out.into_iter().flat_map(|f| self.reroute(f, |old| old.mark != mark)).collect();
                }
                out
            }
            // What refuses a packet of a session is translated with it, after all filters.
            StageKind::Translate { .. } if flow.state.refusal.is_some() => vec![flow],
            StageKind::Translate { side, chains } => {
                let dst = flow.state.header.dst;
                let out = self.translate_stage(flow, hook, *side, chains);
                if hook == Hook::Output && *side == Side::Destination {
                    return out.into_iter().flat_map(|f| self.reroute(f, |old| old.header.dst != dst)).collect();
                }
                out
            }
        }
    }

    /// Routes a packet of the device itself again when something that routing reads has changed. Rules of the same
    /// hook still see the first interface.
    fn reroute(&mut self, flow: Flow, changed: impl Fn(&super::flow::State) -> bool) -> Vec<Flow> {
        if !changed(&flow.state) {
            return vec![flow];
        }
        self.route(flow).into_iter().filter_map(|(way, flow)| self.take(&way, flow)).collect()
    }

    /// What the end of an entry chain does.
    pub(super) fn at_policy(&mut self, flows: Vec<Flow>, hook: Hook, chain: ChainId, policy: Policy) -> Vec<Flow> {
        let mut out = Vec::new();
        for mut flow in flows {
            match policy {
                Policy::Accept => {
                    flow.note(hook, Did::PolicyAccept(chain));
                    out.push(flow);
                }
                Policy::Drop => {
                    flow.note(hook, Did::PolicyDrop(chain));
                    self.end(flow, Disposition::Dropped);
                }
            }
        }
        out
    }

    /// Splits delivered packets by whether a socket takes them.
    pub(super) fn listening(&mut self, flow: Flow) -> Vec<(bool, Flow)> {
        let net = self.net;
        let mut out = Vec::new();
        let mut rest = Some(flow);
        for endpoint in &net.devices[rest.as_ref().map_or(0, |f| f.state.device)].endpoints {
            let Some(flow) = rest else { return out };
            let header = flow.state.header;
            let mut taken = Some(flow);
            let mut others = None;
            let (lo, hi) = endpoint.ports;
            let bound = endpoint.bind.map(|a| on_value(header.dst, &Set::one(address_value(a))));
            let conditions = [
                on_value(header.get(crate::model::Part::Proto), &Set::one(u128::from(endpoint.proto))),
                on_value(header.dport, &Set::range(u128::from(lo), u128::from(hi))),
            ];
            let family_fits = |f: &Flow| endpoint.bind.is_none_or(|a| crate::model::Family::of(a) == f.state.family);
            if !taken.as_ref().is_some_and(family_fits) {
                rest = taken;
                continue;
            }
            for condition in conditions.iter().chain(&bound) {
                let Some(flow) = taken else { break };
                let (yes, no) = self.split(flow, condition);
                taken = yes;
                others = super::lookup::join(others, no);
            }
            out.extend(taken.map(|mut f| {
                if endpoint.answers_as_routed && endpoint.proto == 17 {
                    f.state_mut().answers_as_routed = true;
                }
                (true, f)
            }));
            rest = others;
        }
        out.extend(rest.map(|f| (false, f)));
        out
    }
}

/// The session is kept from now on: its first packet left the device or arrived.
fn confirm(flow: &mut Flow) {
    if let Track::In { session, reply: false } = flow.state.track
        && !flow.state.sessions[session].confirmed
    {
        flow.state_mut().sessions[session].confirmed = true;
    }
}
