//! Rejected packets: their senders are told so only if the device's own rules let the answer out.

use super::answer::Disposition;
use super::flow::{Flow, Refusal, Track};
use super::tracer::Tracer;
use crate::cube::Cube;
use crate::model::Hook;

impl Tracer<'_> {
    /// Ends packets with an answer to their sender, which the rules for the device's own packets may drop.
    pub(super) fn reject(&mut self, flow: &Flow, kind: &str) {
        let unheard = self.unheard(flow, kind);
        let (silent, heard): (Vec<Cube>, Vec<Cube>) = flow.cubes.iter().cloned().partition(|c| unheard.contains(c));
        self.end(flow.with(silent), Disposition::Unheard(kind.into()));
        self.end(flow.with(heard), Disposition::Rejected(kind.into()));
    }

    /// Packets whose answer is dropped for certain. Where only some of the packets of a cube are concerned, or doubts, or
    /// what is not known of ICMP packets, none: to be heard is what the rule says.
    fn unheard(&mut self, flow: &Flow, kind: &str) -> Vec<Cube> {
        let state = &flow.state;
        // To itself, and answers to answers.
        let own_rules = !self.net.devices[state.device].pipeline.hooks[Hook::Output as usize].is_empty();
        if state.in_iface.is_none() || state.refusal.is_some() || !own_rules {
            return Vec::new();
        }
        let (variables, ended) = (self.variables.len(), self.done.len());
        self.unsure_refusal = false;
        let mut answer = flow.clone();
        let own = answer.state_mut();
        own.refusal = Some(if kind == "tcp reset" { Refusal::Reset } else { Refusal::Unreachable });
        own.header = own.header.inverse();
        (own.in_iface, own.out_iface, own.seen_out) = (None, None, None);
        own.next_hop = own.header.dst;
        if let Track::In { session, .. } = own.track {
            own.track = Track::In { session, reply: true };
        }
        for (way, flow) in self.route(answer) {
            if let Some(mut flow) = self.take(&way, flow) {
                let out = flow.state.out_iface;
                flow.state_mut().seen_out = out;
                self.hook(vec![flow], Hook::Output);
            }
        }
        let dropped: Vec<Cube> = self
            .done
            .split_off(ended)
            .into_iter()
            .filter(|(_, end)| *end == Disposition::Dropped)
            .flat_map(|(flow, _)| flow.cubes)
            .collect();
        let certain = self.variables.len() == variables && !self.unsure_refusal;
        if certain { dropped } else { Vec::new() }
    }
}
