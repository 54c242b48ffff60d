//! Connection tracking.

use super::answer::{Choice, Did, Header, Phase, Val};
use super::condition::{Condition, on_value};
use super::flow::{Flow, Session, Track};
use super::tracer::Tracer;
use crate::cube::{Dim, Set};
use crate::model::{Hook, Part};

/// Two values that may be equal are compared one by one up to this many.
const MAX_COMPARED: u128 = 64;

impl Tracer<'_> {
    /// Finds or begins the packet's session (`nf_conntrack_in`, `net/netfilter/nf_conntrack_core.c`).
    pub(super) fn track(&mut self, flow: Flow, hook: Hook) -> Vec<Flow> {
        if flow.state.track != Track::No {
            return vec![flow];
        }
        let device = flow.state.device;
        let known: Vec<usize> = (0..flow.state.sessions.len())
            .rev()
            .filter(|i| flow.state.sessions[*i].device == device && flow.state.sessions[*i].confirmed)
            .collect();
        let mut out = Vec::new();
        let mut rest = Some(flow);
        for session in known {
            // Of a packet that fits both ways (from an address and port to itself) the reply is found first, because
            // its hash entry is added last.
            for reply in [true, false] {
                let Some(flow) = rest else { return out };
                let tuple =
                    if reply { flow.state.sessions[session].reply } else { flow.state.sessions[session].original };
                let (same, other) = self.same_header(flow, tuple);
                if let Some(flow) = same {
                    self.found(flow, hook, session, reply, &mut out);
                }
                rest = other;
            }
        }
        if let Some(flow) = rest {
            self.unknown_session(flow, hook, &mut out);
        }
        out
    }

    fn found(&self, flow: Flow, hook: Hook, session: usize, reply: bool, out: &mut Vec<Flow>) {
        let third = flow.state.phase == Phase::Next;
        // A handshake of which this device saw the first packet but not the answer: the third is out of place
        // (tcp_conntracks[ORIGINAL][ACK][SYN_SENT] is invalid, net/netfilter/nf_conntrack_proto_tcp.c).
        let half_seen = third && !reply && !flow.state.sessions[session].seen_reply;
        // Source and destination are one socket after translation: taken for an answer, its numbers are out of window.
        let own_answer = third && reply;
        let (tcp, other) = self.split_tcp(flow);
        if let Some(mut flow) = tcp {
            if half_seen || own_answer {
                invalid(flow, hook, out);
            } else {
                let entry = &mut flow.state_mut().sessions[session];
                entry.seen_reply |= reply;
                flow.state_mut().sessions[session].assured |= flow.state.phase == Phase::Next;
                joined(flow, hook, session, reply, out);
            }
        }
        if let Some(mut flow) = other {
            flow.state_mut().sessions[session].seen_reply |= reply;
            joined(flow, hook, session, reply, out);
        }
    }

    fn unknown_session(&self, flow: Flow, hook: Hook, out: &mut Vec<Flow>) {
        let begin = |mut flow: Flow, out: &mut Vec<Flow>| {
            let (device, header) = (flow.state.device, flow.state.header);
            let state = flow.state_mut();
            state.sessions.push(Session::begin(device, header));
            state.track = Track::In { session: state.sessions.len() - 1, reply: false };
            flow.note(hook, Did::SessionNew);
            out.push(flow);
        };
        if flow.state.phase != Phase::Reply {
            // A first packet, or TCP picked up in the middle (nf_conntrack_tcp_loose is on by default).
            begin(flow, out);
            return;
        }
        let (tcp, other) = self.split_tcp(flow);
        if let Some(flow) = tcp {
            invalid(flow, hook, out);
        }
        if let Some(flow) = other {
            begin(flow, out);
        }
    }

    /// Splits packets by whether their header is this one. Where that depends on values that the question leaves open
    /// and no single field decides, both ways are followed.
    fn same_header(&mut self, flow: Flow, tuple: Header) -> (Option<Flow>, Option<Flow>) {
        let mut same = Some(flow);
        let mut other = None;
        let mut open = false;
        for part in [Part::Dst, Part::Src, Part::SrcPort, Part::DstPort] {
            let Some(flow) = same else { return (None, other) };
            let (a, b) = (flow.state.header.get(part), tuple.get(part));
            let (yes, no, unsure) = self.compare(flow, a, b);
            open |= unsure.is_some();
            let (yes, no) = (super::lookup::join(yes, unsure), no);
            same = yes;
            other = super::lookup::join(other, no);
        }
        let Some(flow) = same else { return (None, other) };
        if !open {
            return (Some(flow), other);
        }
        let device = flow.state.device;
        let var = self.new_variable(Set::range(0, 1), Choice::SameSession { device });
        let (yes, no) = self.split(flow, &Condition::On(Dim::Var(var), Set::one(1)));
        (yes, super::lookup::join(other, no))
    }

    /// TCP packets, and the others.
    fn split_tcp(&self, flow: Flow) -> (Option<Flow>, Option<Flow>) {
        self.apply(flow, &Condition::On(Dim::Part(Part::Proto), Set::one(6)))
    }

    /// Splits packets by whether two values are equal; third: those for which the question leaves it open. None of them
    /// ends here, however many doubts they bear: whoever compares may be between two journeys.
    fn compare(&mut self, flow: Flow, a: Val, b: Val) -> (Option<Flow>, Option<Flow>, Option<Flow>) {
        let (yes, no) = match (a, b) {
            _ if a == b => (Some(flow), None),
            _ if self.two_sided && (self.by_luck(a) || self.by_luck(b)) => (None, Some(flow)),
            (Val::Const(x), Val::Const(y)) => self.apply(flow, if x == y { &Condition::Yes } else { &Condition::No }),
            (Val::Const(c), v) | (v, Val::Const(c)) => self.apply(flow, &on_value(v, &Set::one(c))),
            (Val::Part(p, _), Val::Part(q, _)) if p == q => (None, Some(flow)),
            _ => match (self.value_set(&flow, a), self.value_set(&flow, b)) {
                (x, y) if !x.intersects(&y) => (None, Some(flow)),
                (x, _) if x.single().is_some() => self.apply(flow, &on_value(b, &x)),
                (_, y) if y.single().is_some() => self.apply(flow, &on_value(a, &y)),
                (x, y) => return self.compare_each(flow, (a, b), &x.and(&y)),
            },
        };
        (yes, no, None)
    }

    /// Compares value by value where only few can be equal.
    fn compare_each(
        &mut self,
        flow: Flow,
        (a, b): (Val, Val),
        common: &Set,
    ) -> (Option<Flow>, Option<Flow>, Option<Flow>) {
        if common.count() > MAX_COMPARED {
            return if self.two_sided { (None, Some(flow), None) } else { (None, None, Some(flow)) };
        }
        let (mut same, mut different, mut rest) = (None, None, Some(flow));
        for value in common.ranges().iter().flat_map(|(lo, hi)| *lo..=*hi) {
            let Some(flow) = rest else { break };
            let (here, other) = self.apply(flow, &on_value(a, &Set::one(value)));
            rest = other;
            if let Some(here) = here {
                let (yes, no) = self.apply(here, &on_value(b, &Set::one(value)));
                same = super::lookup::join(same, yes);
                different = super::lookup::join(different, no);
            }
        }
        (same, super::lookup::join(different, rest), None)
    }

    /// Splits packets by whether two headers are the same; what the question leaves open counts as different.
    pub(super) fn equal_headers(&mut self, flow: Flow, a: Header, b: Header) -> (Option<Flow>, Option<Flow>) {
        self.all_equal(flow, &[(a.src, b.src), (a.dst, b.dst), (a.sport, b.sport), (a.dport, b.dport)])
    }

    /// Splits packets by whether the values of every pair are equal; what the question leaves open counts as different.
    pub(super) fn all_equal(&mut self, flow: Flow, pairs: &[(Val, Val)]) -> (Option<Flow>, Option<Flow>) {
        let mut same = Some(flow);
        let mut other = None;
        for (x, y) in pairs {
            let Some(flow) = same else { break };
            let (yes, no) = self.equal(flow, *x, *y);
            same = yes;
            other = super::lookup::join(other, no);
        }
        (same, other)
    }

    /// Splits packets by whether two values are equal; what the question leaves open counts as different.
    pub(super) fn equal(&mut self, flow: Flow, a: Val, b: Val) -> (Option<Flow>, Option<Flow>) {
        let (yes, no, unsure) = self.compare(flow, a, b);
        (yes, super::lookup::join(no, unsure))
    }

    /// A value that a device has picked from so many that another one equals it by luck only.
    fn by_luck(&self, value: Val) -> bool {
        matches!(value, Val::Var(var) if self.is_chosen(var)
            && self.variables[var.0 as usize].domain.count() > MAX_COMPARED)
    }

    /// Values that a term may have. What is luck must not depend on which packets happen to be together: where both
    /// parties send, all that was asked counts.
    fn value_set(&self, flow: &Flow, value: Val) -> Set {
        match value {
            Val::Const(c) => Set::one(c),
            Val::Part(p, k) if self.two_sided => self.asked.part(p).shifted(k),
            Val::Var(v) if self.two_sided => self.variables[v.0 as usize].domain.clone(),
            Val::Part(p, k) => self.values(&flow.cubes, Dim::Part(p)).shifted(k),
            Val::Var(v) => self.values(&flow.cubes, Dim::Var(v)),
        }
    }
}

fn joined(mut flow: Flow, hook: Hook, session: usize, reply: bool, out: &mut Vec<Flow>) {
    flow.state_mut().track = Track::In { session, reply };
    flow.note(hook, Did::SessionFound { reply });
    out.push(flow);
}

fn invalid(mut flow: Flow, hook: Hook, out: &mut Vec<Flow>) {
    flow.state_mut().track = Track::Invalid;
    flow.note(hook, Did::SessionInvalid);
    out.push(flow);
}
