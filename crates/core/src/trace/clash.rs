//! Ports that other sessions have already: what a device picks instead.
//!
//! Asked where a device has more than one session: where both parties send ([`super::Talk`]), and where a third packet
//! begins a session of its own, because the answer to the first one was not tracked.

use super::answer::{Choice, Disposition, Header, Val};
use super::condition::on_value;
use super::flow::{Allowed, Flow};
use super::lookup::join;
use super::nat::PORT_CLASSES;
use super::tracer::Tracer;
use crate::cube::Set;

/// So many ports are tried one after the other (`NF_NAT_MAX_ATTEMPTS`, `net/netfilter/nf_nat_core.c`).
const MAX_ATTEMPTS: usize = 128;

/// Closed ranges, in ascending order.
fn ports_of(allowed: Allowed) -> Option<(u128, u128)> {
    allowed.ports.map(|(a, b)| (u128::from(a.min(b)), u128::from(a.max(b))))
}

impl Tracer<'_> {
    /// The first source that no other session of the device has with this remote party: one that the same sender has
    /// already (`find_appropriate_src`), the one that was decided, any other port (`get_unique_tuple`,
    /// `net/netfilter/nf_nat_core.c`).
    pub(super) fn free_source(&mut self, flow: Flow, session: usize) -> Vec<Flow> {
        let new = &flow.state.sessions[session];
        let (decided, allowed, translated) = (new.reply, new.allowed, new.snat);
        // A port that another device has picked, or this one for an earlier packet, is the packet's own by now.
        let own = flow.state.header.sport;
        let picked = decided.dport != own && matches!(decided.dport, Val::Var(var) if self.is_chosen(var));
        let mut out = Vec::new();
        let mut rest = Vec::new();
        // A source that the rule would leave as it is needs none of an earlier session; neither does a random one.
        let earlier = if translated && !allowed.random { self.earlier(flow, session) } else { vec![(flow, None)] };
        for (flow, known) in earlier {
            let Some((dst, dport)) = known else {
                rest.push(flow);
                continue;
            };
            let (taken, free) = self.taken(flow, session, Header { dst, dport, ..decided });
            out.extend(free.map(|f| with_source(f, session, dst, dport)));
            rest.extend(taken);
        }
        for flow in rest {
            if picked {
                // It picked a free one.
                out.push(flow);
                continue;
            }
            let (taken, free) = self.taken(flow, session, decided);
            out.extend(free);
            if let Some(flow) = taken.and_then(|f| self.another_address(f, session, &mut out)) {
                self.another_port(flow, session, &mut out);
            }
        }
        out
    }

    /// A source that was left as it is, because it is one of those that the rule names, and turns out to be taken: any
    /// of the rule's addresses, with the same port (`find_best_ips_proto`). Returns packets for which that is taken too.
    fn another_address(&mut self, flow: Flow, session: usize, out: &mut Vec<Flow>) -> Option<Flow> {
        let new = &flow.state.sessions[session];
        let Some((lo, hi)) = new.allowed.addresses.filter(|(lo, hi)| lo != hi && !new.snat) else { return Some(flow) };
        let (device, decided) = (new.device, new.reply);
        let address = Val::Var(self.new_variable(Set::range(lo, hi), Choice::Clash { device }));
        let flow = with_source(flow, session, address, decided.dport);
        let (taken, free) = self.taken(flow, session, Header { dst: address, ..decided });
        out.extend(free);
        taken
    }

    /// What the same sender's latest earlier session was translated to, if the rule allows that
    /// (`find_appropriate_src` and `nf_in_range`).
    fn earlier(&mut self, flow: Flow, session: usize) -> Vec<(Flow, Option<(Val, Val)>)> {
        let new = &flow.state.sessions[session];
        let (device, original, decided, allowed) = (new.device, new.original, new.reply, new.allowed);
        let others = flow.state.sessions.iter().enumerate().rev();
        let others = others.filter(|(n, s)| *n != session && s.device == device && s.confirmed && s.snat);
        let known: Vec<(Header, Header)> = others.map(|(_, s)| (s.original, s.reply)).collect();
        let mut out = Vec::new();
        let mut rest = Some(flow);
        for (from, to) in known {
            let Some(flow) = rest else { return out };
            let (same, other) = self.all_equal(flow, &[(original.src, from.src), (original.sport, from.sport)]);
            rest = other;
            let Some(flow) = same else { continue };
            let (inside, outside) = match allowed.addresses {
                Some((lo, hi)) if lo != hi => self.split(flow, &on_value(to.dst, &Set::range(lo, hi))),
                _ => self.equal(flow, to.dst, decided.dst),
            };
            rest = join(rest, outside);
            let (inside, outside) = match (inside, ports_of(allowed)) {
                (Some(flow), Some((lo, hi))) => self.split(flow, &on_value(to.dport, &Set::range(lo, hi))),
                (inside, _) => (inside, None),
            };
            rest = join(rest, outside);
            out.extend(inside.map(|f| (f, Some((to.dst, to.dport)))));
        }
        out.extend(rest.map(|f| (f, None)));
        out
    }

    /// The port that was decided is taken: another one of those that the rule allows, or of the same class
    /// (`nf_nat_l4proto_unique_tuple`).
    fn another_port(&mut self, flow: Flow, session: usize, out: &mut Vec<Flow>) {
        let device = flow.state.device;
        let choice = Choice::Clash { device };
        let reply = flow.state.sessions[session].reply;
        if let Some((lo, hi)) = ports_of(flow.state.sessions[session].allowed) {
            if lo == hi {
                // There is no other: the taken one is kept, and the packet dropped when its session is to be confirmed
                // (`nf_ct_resolve_clash`, net/netfilter/nf_conntrack_core.c).
                self.end(flow, Disposition::Dropped);
                return;
            }
            let port = Val::Var(self.new_variable(Set::range(lo, hi), choice));
            out.push(with_source(flow, session, reply.dst, port));
            return;
        }
        let mut rest = Some(flow);
        for ((lo, hi), (new_lo, new_hi)) in PORT_CLASSES {
            let Some(flow) = rest else { break };
            let (here, other) = self.split(flow, &on_value(reply.dport, &Set::range(u128::from(lo), u128::from(hi))));
            rest = other;
            if let Some(flow) = here {
                let domain = Set::range(u128::from(new_lo), u128::from(new_hi));
                let port = Val::Var(self.new_variable(domain, choice));
                out.push(with_source(flow, session, reply.dst, port));
            }
        }
    }

    /// The first of the ports that a forward may lead to which no other session has with this remote party: the one that
    /// was decided, else from the lowest on (`get_unique_tuple`, `nf_nat_l4proto_unique_tuple`). A forward to one port, or
    /// one that keeps the port, does not ask.
    pub(super) fn free_destination(&mut self, flow: Flow, session: usize) -> Vec<Flow> {
        let new = &flow.state.sessions[session];
        let (decided, allowed) = (new.reply, new.allowed);
        let Some((lo, hi)) = ports_of(allowed).filter(|(lo, hi)| lo < hi && !allowed.random) else { return vec![flow] };
        let mut out = Vec::new();
        let mut rest = Some(flow);
        let others = (lo..=hi).take(MAX_ATTEMPTS).map(Val::Const);
        for sport in std::iter::once(decided.sport).chain(others) {
            let Some(flow) = rest else { return out };
            let (taken, free) = self.taken(flow, session, Header { sport, ..decided });
            out.extend(free.map(|f| with_destination_port(f, session, sport)));
            rest = taken;
        }
        out.extend(rest);
        out
    }

    /// Splits packets by whether another session of the device has this tuple, in either direction
    /// (`nf_conntrack_tuple_taken`).
    fn taken(&mut self, flow: Flow, session: usize, tuple: Header) -> (Option<Flow>, Option<Flow>) {
        let device = flow.state.device;
        let others = flow.state.sessions.iter().enumerate();
        let others = others.filter(|(n, s)| *n != session && s.device == device && s.confirmed);
        let tuples: Vec<Header> = others.flat_map(|(_, s)| [s.original, s.reply]).collect();
        let mut taken = None;
        let mut free = Some(flow);
        for other in tuples {
            let Some(flow) = free else { break };
            let (yes, no) = self.equal_headers(flow, tuple, other);
            taken = join(taken, yes);
            free = no;
        }
        (taken, free)
    }
}

fn with_source(mut flow: Flow, session: usize, address: Val, port: Val) -> Flow {
    let reply = flow.state.sessions[session].reply;
    if (reply.dst, reply.dport) != (address, port) {
        let entry = &mut flow.state_mut().sessions[session];
        (entry.reply.dst, entry.reply.dport, entry.snat) = (address, port, true);
    }
    flow
}

fn with_destination_port(mut flow: Flow, session: usize, port: Val) -> Flow {
    if flow.state.sessions[session].reply.sport != port {
        let entry = &mut flow.state_mut().sessions[session];
        (entry.reply.sport, entry.dnat) = (port, true);
    }
    flow
}
