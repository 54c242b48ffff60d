//! Address translation.

use super::answer::{Choice, Disposition, Header, Val};
use super::chain::Place;
use super::condition::on_value;
use super::flow::{Allowed, Flow, LOOPBACK, Track};
use super::tracer::Tracer;
use crate::cube::{Dim, Set};
use crate::model::{ChainId, Family, Hook, NatTarget, OriginId, Part, Policy, Side, Translate};

/// Networks longer than this many blocks are not mapped block by block.
const MAX_BLOCKS: u128 = 256;

/// A port stays in its class, the lowest are for protocols that check them: old ports, and those picked instead
/// (`nf_nat_l4proto_unique_tuple`, `net/netfilter/nf_nat_core.c`).
pub(super) const PORT_CLASSES: [((u16, u16), (u16, u16)); 3] =
    [((0, 511), (1, 511)), ((512, 1023), (600, 1023)), ((1024, 65535), (1024, 65535))];

impl Tracer<'_> {
    /// A translation stage: decides for new sessions, then translates as the session says.
    pub(super) fn translate_stage(
        &mut self,
        flow: Flow,
        hook: Hook,
        side: Side,
        chains: &[(ChainId, Policy)],
    ) -> Vec<Flow> {
        let Track::In { session, .. } = flow.state.track else { return vec![flow] };
        let done = |f: &Flow| match side {
            Side::Source => f.state.sessions[session].source_done,
            Side::Destination => f.state.sessions[session].destination_done,
        };
        let mut decided = Vec::new();
        if flow.state.is_new() && !done(&flow) {
            let mut open = vec![flow];
            for (chain, policy) in chains {
                let mut next = Vec::new();
                for flow in open {
                    let place = Place { hook, side: Some(side), depth: 0 };
                    let passed = self.run_chain(*chain, flow, place);
                    decided.extend(passed.translated);
                    next.extend(passed.accepted);
                    next.extend(self.at_policy(passed.fell, hook, *chain, *policy));
                }
                open = next;
            }
            decided.append(&mut open);
            if self.two_sided || others_there(&decided, session) {
                let free = |f: Flow| match side {
                    Side::Source => self.free_source(f, session),
                    Side::Destination => self.free_destination(f, session),
                };
                decided = decided.into_iter().flat_map(free).collect();
            }
            for flow in &mut decided {
                let session = &mut flow.state_mut().sessions[session];
                session.allowed = Allowed::default();
                match side {
                    Side::Source => session.source_done = true,
                    Side::Destination => session.destination_done = true,
                }
            }
        } else if hook == Hook::Postrouting && left_its_interface(&flow, session) {
            // The session ends here (`nf_nat_oif_changed`, net/netfilter/nf_nat_core.c).
            self.end(flow, Disposition::Dropped);
        } else {
            decided.push(flow);
        }
        for flow in &mut decided {
            rewrite(flow, side, session);
        }
        decided
    }

    /// Sets what the first packet of a session becomes (`nf_nat_setup_info`, `net/netfilter/nf_nat_core.c`).
    pub(super) fn translate(
        &mut self,
        mut flow: Flow,
        translate: &Translate,
        target: &NatTarget,
        rule: OriginId,
        out: &mut Vec<Flow>,
    ) {
        let side = translate.side;
        if let Track::In { session, .. } = flow.state.track {
            flow.state_mut().sessions[session].allowed = allowed(translate, target);
        }
        let (address, port_part) = match side {
            Side::Destination => (Part::Dst, Part::DstPort),
            Side::Source => (Part::Src, Part::SrcPort),
        };
        let (addressed, ports) = match target {
            NatTarget::Moved { addr, by, .. } => {
                let new_address = match addr {
                    None => flow.state.header.get(address),
                    Some((lo, hi)) => self.choose(&flow, address, Set::range(*lo, *hi), rule),
                };
                for (new_port, flow) in self.moved(flow, port_part, *by, rule) {
                    self.set_mapping(flow, side, new_address, new_port, out);
                }
                return;
            }
            NatTarget::To { addr, port, keep_host_bits, .. } => match addr {
                None => (vec![(flow.state.header.get(address), flow)], *port),
                Some(range) if *keep_host_bits => (self.mapped(flow, address, *range, rule), *port),
                Some((lo, hi)) if lo == hi => (vec![(Val::Const(*lo), flow)], *port),
                Some(range) => {
                    let mut found = Vec::new();
                    let mut rest = Some(flow);
                    if side == Side::Source && !translate.random {
                        // A source that is in the range already stays, port and all (`nf_in_range`).
                        rest = self.keep_in_range(rest, *range, *port, out, side);
                    }
                    if let Some(flow) = rest {
                        let value = self.choose(&flow, address, Set::range(range.0, range.1), rule);
                        found.push((value, flow));
                    }
                    (found, *port)
                }
            },
            NatTarget::OutgoingAddress { port } => {
                let mut found = self.outgoing(flow);
                for (_, flow) in &mut found {
                    let out = flow.state.out_iface;
                    if let Track::In { session, .. } = flow.state.track {
                        flow.state_mut().sessions[session].bound_to = out;
                    }
                }
                (found, *port)
            }
            NatTarget::IncomingAddress { port } => (self.incoming(flow), *port),
        };
        for (new_address, flow) in addressed {
            for (new_port, flow) in self.new_port(flow, port_part, ports, translate.random, rule) {
                self.set_mapping(flow, side, new_address, new_port, out);
            }
        }
    }

    /// Writes the new mapping into the session; its status bit only if something changed. A value that the device
    /// chooses counts as a change.
    fn set_mapping(&mut self, flow: Flow, side: Side, address: Val, port: Val, out: &mut Vec<Flow>) {
        let Track::In { session, .. } = flow.state.track else { return };
        let header = flow.state.header;
        let (old_address, old_port) = match side {
            Side::Destination => (header.dst, header.dport),
            Side::Source => (header.src, header.sport),
        };
        let (same, changed) = self.equal(flow, old_address, address);
        let (same, port_changed) = match same {
            Some(flow) => self.equal(flow, old_port, port),
            None => (None, None),
        };
        out.extend(same);
        for mut flow in changed.into_iter().chain(port_changed) {
            let entry = &mut flow.state_mut().sessions[session];
            match side {
                Side::Destination => {
                    (entry.reply.src, entry.reply.sport) = (address, port);
                    entry.dnat = true;
                }
                Side::Source => {
                    (entry.reply.dst, entry.reply.dport) = (address, port);
                    entry.snat = true;
                }
            }
            out.push(flow);
        }
    }

    fn keep_in_range(
        &mut self,
        flow: Option<Flow>,
        range: (u128, u128),
        port: Option<(u16, u16)>,
        out: &mut Vec<Flow>,
        side: Side,
    ) -> Option<Flow> {
        let flow = flow?;
        let header = flow.state.header;
        let (inside, outside) = self.split(flow, &on_value(header.src, &Set::range(range.0, range.1)));
        let Some(inside) = inside else { return outside };
        let (kept, other) = match port {
            None => (Some(inside), None),
            Some((lo, hi)) => self.split(inside, &on_value(header.sport, &Set::range(u128::from(lo), u128::from(hi)))),
        };
        if let Some(kept) = kept {
            self.set_mapping(kept, side, header.src, header.sport, out);
        }
        super::lookup::join(outside, other)
    }

    /// A port moved by a distance, modulo 2¹⁶.
    fn moved(&mut self, flow: Flow, part: Part, by: u16, rule: OriginId) -> Vec<(Val, Flow)> {
        let current = flow.state.header.get(part);
        match current {
            Val::Const(c) => vec![(Val::Const((c + u128::from(by)) & 0xffff), flow)],
            Val::Var(_) => vec![(self.choose(&flow, part, Set::range(0, 65535), rule), flow)],
            Val::Part(p, k) => {
                let (below, above) = self.split(flow, &on_value(current, &Set::range(0, 0xffff - u128::from(by))));
                let up = k.wrapping_add(u128::from(by));
                let moved = |f: Flow, k: u128| (Val::Part(p, k), f);
                let below = below.map(|f| moved(f, up));
                below.into_iter().chain(above.map(|f| moved(f, up.wrapping_sub(0x1_0000)))).collect()
            }
        }
    }

    /// A variable for what the device picks; a range of one value is no choice.
    fn choose(&mut self, flow: &Flow, part: Part, domain: Set, rule: OriginId) -> Val {
        if let Some(only) = domain.single() {
            return Val::Const(only);
        }
        let device = flow.state.device;
        Val::Var(self.new_variable(domain, Choice::Device { device, rule, part }))
    }

    /// Ports as `nf_nat_l4proto_unique_tuple` picks them while they are free.
    fn new_port(
        &mut self,
        flow: Flow,
        part: Part,
        range: Option<(u16, u16)>,
        random: bool,
        rule: OriginId,
    ) -> Vec<(Val, Flow)> {
        let current = flow.state.header.get(part);
        let set = |lo: u16, hi: u16| Set::range(u128::from(lo), u128::from(hi));
        match (range, random) {
            (None, false) => vec![(current, flow)],
            (None, true) if part == Part::DstPort => vec![(current, flow)],
            (None, true) => {
                let mut out = Vec::new();
                let mut rest = Some(flow);
                for ((lo, hi), (new_lo, new_hi)) in PORT_CLASSES {
                    let Some(flow) = rest else { break };
                    let (yes, no) = self.split(flow, &on_value(current, &set(lo, hi)));
                    if let Some(flow) = yes {
                        out.push((self.choose(&flow, part, set(new_lo, new_hi), rule), flow));
                    }
                    rest = no;
                }
                out
            }
            (Some((lo, hi)), _) => {
                let (lo, hi) = (lo.min(hi), lo.max(hi));
                if lo == hi {
                    return vec![(Val::Const(u128::from(lo)), flow)];
                }
                if random {
                    return vec![(self.choose(&flow, part, set(lo, hi), rule), flow)];
                }
                let (inside, outside) = self.split(flow, &on_value(current, &set(lo, hi)));
                let mut out: Vec<(Val, Flow)> = inside.into_iter().map(|f| (current, f)).collect();
                if let Some(flow) = outside {
                    let value = match part {
                        Part::DstPort => Val::Const(u128::from(lo)),
                        _ => self.choose(&flow, part, set(lo, hi), rule),
                    };
                    out.push((value, flow));
                }
                out
            }
        }
    }

    /// A network mapped onto another of the same size, host bits kept (`nft_nat_setup_netmap`).
    fn mapped(&mut self, flow: Flow, part: Part, (lo, hi): (u128, u128), rule: OriginId) -> Vec<(Val, Flow)> {
        let host = lo ^ hi;
        let current = flow.state.header.get(part);
        let (dim, shift) = match current {
            Val::Const(c) => return vec![(Val::Const((c & host) | (lo & !host)), flow)],
            Val::Part(p, k) => (Dim::Part(p), k),
            Val::Var(v) => (Dim::Var(v), 0),
        };
        let values = self.values(&flow.cubes, dim).shifted(shift);
        let size = host.saturating_add(1);
        let blocks = values
            .ranges()
            .iter()
            .fold(0u128, |n, (a, b)| n.saturating_add((b & !host) / size - (a & !host) / size + 1));
        if blocks > MAX_BLOCKS || matches!(dim, Dim::Var(_)) {
            let value = self.choose(&flow, part, Set::range(lo, hi), rule);
            return vec![(value, flow)];
        }
        let Val::Part(field, shift) = current else { return Vec::new() };
        let mut out = Vec::new();
        let mut rest = Some(flow);
        for &(first, last) in values.ranges() {
            let mut block = first & !host;
            loop {
                let Some(flow) = rest.take() else { return out };
                let (yes, no) = self.split(flow, &on_value(current, &Set::range(block, block | host)));
                let moved = (lo & !host).wrapping_sub(block).wrapping_add(shift);
                out.extend(yes.map(|f| (Val::Part(field, moved), f)));
                rest = no;
                if block | host >= last {
                    break;
                }
                block = (block | host) + 1;
            }
        }
        out
    }

    /// Masquerading.
    fn outgoing(&mut self, flow: Flow) -> Vec<(Val, Flow)> {
        if (flow.state.family, flow.state.out_iface) == (Family::V6, Some(LOOPBACK)) {
            // To an own address the best source is that address itself (RFC 6724 section 5, rule 1).
            return vec![(flow.state.header.dst, flow)];
        }
        let addresses = self.outgoing_addresses(&flow.state);
        let next_hop = flow.state.next_hop;
        let mut out = Vec::new();
        let mut rest = Some(flow);
        for (hops, address) in addresses {
            let Some(flow) = rest else { break };
            let (yes, no) = self.split(flow, &on_value(next_hop, &hops));
            out.extend(yes.map(|f| (Val::Const(address), f)));
            rest = no;
        }
        // "ate my IP address": without an address the packet is dropped (nf_nat_masquerade_ipv4).
        if let Some(flow) = rest {
            self.end(flow, Disposition::Dropped);
        }
        out
    }

    /// Redirecting to the device itself (`net/netfilter/nf_nat_redirect.c`).
    fn incoming(&mut self, flow: Flow) -> Vec<(Val, Flow)> {
        let loopback = if flow.state.family == Family::V4 { 0x7f00_0001 } else { 1 };
        let address = match flow.state.in_iface {
            None | Some(LOOPBACK) => Some(loopback),
            Some(i) => {
                let iface = &self.net.devices[flow.state.device].interfaces[i];
                let mut own = iface.addresses.iter().map(ipnet::IpNet::addr);
                own.find(|a| Family::of(*a) == flow.state.family).map(crate::model::address_value)
            }
        };
        if let Some(address) = address {
            vec![(Val::Const(address), flow)]
        } else {
            self.end(flow, Disposition::Dropped);
            Vec::new()
        }
    }
}

/// What a rule allows a device to pick from, should the first choice be taken.
fn allowed(translate: &Translate, target: &NatTarget) -> Allowed {
    let (addresses, ports) = match target {
        // Where the host bits are kept there is one address (`nft_nat_setup_netmap`).
        NatTarget::To { port, keep_host_bits: true, .. }
        | NatTarget::OutgoingAddress { port }
        | NatTarget::IncomingAddress { port } => (None, *port),
        NatTarget::To { addr, port, .. } => (*addr, *port),
        NatTarget::Moved { .. } => (None, None),
    };
    Allowed { addresses, ports, random: translate.random || matches!(target, NatTarget::Moved { .. }) }
}

/// The device has other sessions that may hold what one of these packets is to become. Where only one party sends, those
/// of its earlier packets: a third packet begins a session of its own where the answer was not tracked.
fn others_there(decided: &[Flow], session: usize) -> bool {
    decided.iter().any(|flow| {
        let device = flow.state.device;
        flow.state.sessions.iter().enumerate().any(|(n, s)| n != session && s.device == device && s.confirmed)
    })
}

/// A masqueraded session's packet is about to leave by another interface than the first one did.
fn left_its_interface(flow: &Flow, session: usize) -> bool {
    let bound = flow.state.sessions[session].bound_to;
    !flow.state.is_reply() && bound.is_some() && bound != flow.state.out_iface
}

/// Translates a packet as its session says (`nf_nat_packet`).
fn rewrite(flow: &mut Flow, side: Side, session: usize) {
    let s = &flow.state.sessions[session];
    let reply = flow.state.is_reply();
    let (applies, new) = match (side, reply) {
        (Side::Destination, false) => (s.dnat, (s.reply.src, s.reply.sport)),
        (Side::Source, false) => (s.snat, (s.reply.dst, s.reply.dport)),
        (Side::Destination, true) => (s.snat, (s.original.src, s.original.sport)),
        (Side::Source, true) => (s.dnat, (s.original.dst, s.original.dport)),
    };
    if !applies {
        return;
    }
    let header = flow.state.header;
    let header = match side {
        Side::Destination => Header { dst: new.0, dport: new.1, ..header },
        Side::Source => Header { src: new.0, sport: new.1, ..header },
    };
    flow.state_mut().header = header;
}
