//! Networks in which one session wants what another one has.
#![allow(dead_code)] // not every test that includes this makes them

use super::{Maker, addresses};
use callpath_core::cube::Set;
use callpath_core::model::{
    Action, ChainId, Families, Family, Hook, Key, KeyField, Lookup, Match, NatTarget, Origin, Pipeline, Policy, Rule,
    Side, Stage, StageKind, Step, Test, Translate, iface_value,
};
use callpath_core::trace::Network;
use std::sync::Arc;

impl Maker {
    /// A router and one behind it that translate sources to few addresses and do not track every answer: packets of one
    /// conversation begin sessions of their own, and these want what the earlier ones have.
    pub fn crowded(&mut self) -> Network {
        let mut net = self.network();
        while !net.devices[1].forwards {
            net = self.network();
        }
        for device in 0..2 {
            let mut p = std::mem::take(&mut net.devices[device].pipeline);
            if self.random.chance(70) {
                p = Pipeline::default();
            }
            let (field, values) = match self.random.below(4) {
                0 => (KeyField::TcpFlags, Set::one(18)),
                1 => (KeyField::InIface, Set::one(iface_value("wan"))),
                _ => (KeyField::InIface, Set::one(iface_value("lan")).or(&Set::one(iface_value("mid")))),
            };
            let key = Key { field, mask: None };
            let answers = Step::Match(Match { keys: [key].into(), test: Test::In(values), negate: false });
            let chain = Self::chain_of(&mut p, vec![vec![answers, Step::Act(Action::Untrack)]]);
            let untrack = StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
            let mut rules = Vec::new();
            for _ in 0..=self.random.below(2) {
                let some = usize::from(self.random.chance(30));
                let mut steps: Vec<Step> = (0..some).map(|_| self.a_match(&mut p)).collect();
                steps.push(Step::Act(self.few_sources(device)));
                rules.push(steps);
            }
            let chains = vec![(Self::chain_of(&mut p, rules), Policy::Accept)];
            for (hook, kind) in [
                (Hook::Prerouting, StageKind::Track),
                (Hook::Prerouting, untrack),
                (Hook::Output, StageKind::Track),
                (Hook::Input, StageKind::Translate { side: Side::Source, chains: Vec::new() }),
                (Hook::Postrouting, StageKind::Translate { side: Side::Source, chains }),
            ] {
                p.hooks[hook as usize].insert(0, Stage { kind, families: Families::BOTH, interfaces: None });
            }
            net.devices[device].pipeline = p;
        }
        net
    }

    fn chain_of(p: &mut Pipeline, rules: Vec<Vec<Step>>) -> ChainId {
        let rules =
            rules.into_iter().map(|steps| Rule { steps: steps.into(), origin: p.add_origin(Origin::default()) });
        let rules = rules.collect();
        let origin = p.add_origin(Origin::default());
        p.add_chain("c", origin, rules)
    }

    /// A translation of sources: mostly to the router's own address, on the one behind mostly to those of the first.
    fn few_sources(&mut self, device: usize) -> Action {
        let v6 = self.family == Family::V6;
        let pool = addresses(self.family);
        let [wan, mid] = if v6 { [pool[6], pool[4]] } else { [pool[7], pool[5]] };
        let first = self.random.pick(&[wan, wan, mid, wan - 1]);
        let last = first + self.random.pick(&[0, 1, 3]);
        let port = match self.random.below(6) {
            0 => Some((5004, 50000)),
            1 => Some((1024, 65535)),
            2 => Some((5000, 5000)),
            _ => None,
        };
        let target = match self.random.below(if device == 0 { 16 } else { 8 }) {
            0 | 8.. => NatTarget::OutgoingAddress { port },
            1 => NatTarget::To { addr: None, v6, port: Some((5004, 50000)), keep_host_bits: false },
            2 => NatTarget::To { addr: Some((first & !3, first | 3)), v6, port, keep_host_bits: true },
            _ => NatTarget::To { addr: Some((first, last)), v6, port, keep_host_bits: false },
        };
        let random = self.random.chance(15);
        Action::Translate(Translate { side: Side::Source, target: Arc::new(Lookup::fixed(target)), random })
    }
}
