//! All chains of a device, and the shorter lists of rules that decide alike.

use super::fuse::{Fused, Hull, Least, fuse, only_stops};
use super::{Chain, ChainId, Doubt, OriginId, Policy, Rule, Stage, StageKind};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

/// How the stages of a hook are gone through.
#[derive(Debug)]
pub enum Pass {
    /// One stage, by index.
    One(usize),
    /// Several neighbouring ones that only stop packets, as one list of rules: `first` tells whom they see.
    Joined {
        /// The first of them, by index.
        first: usize,
        /// Its chain.
        chain: ChainId,
        /// The rules of all.
        rules: Vec<Fused>,
    },
}

/// Passes for each hook, and how many stages each had when they were made.
type Joined = ([Vec<Pass>; 7], [usize; 7]);

/// The chains of a pipeline. Copies share them until one is changed.
#[derive(Debug, Clone, Default)]
pub struct Chains(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    all: Vec<Chain>,
    fused: [OnceLock<Vec<Vec<Fused>>>; 2],
    joined: [OnceLock<Joined>; 2],
    hulls: OnceLock<Vec<Vec<Hull>>>,
    /// Places of all rules, by origin.
    places: OnceLock<Vec<(OriginId, u32, u32)>>,
}

impl Clone for Shared {
    /// For a change: what was derived goes.
    fn clone(&self) -> Self {
        Self { all: self.all.clone(), ..Self::default() }
    }
}

impl Chains {
    /// The chain's rules, neighbours that decide alike as one.
    pub fn fused(&self, chain: usize, least: Least, doubts: &[Doubt]) -> &[Fused] {
        let lists = self.0.fused[least as usize]
            .get_or_init(|| self.0.all.iter().map(|c| fuse(c.rules.iter(), &self.0.all, least, doubts)).collect());
        &lists[chain]
    }

    /// Bounds of what the rules of a chain match.
    pub fn hulls(&self, chain: usize) -> &[Hull] {
        let of = |chain: &Chain| chain.rules.iter().map(Hull::of).collect();
        &self.0.hulls.get_or_init(|| self.0.all.iter().map(of).collect())[chain]
    }

    /// The stages of a hook, neighbours that only stop packets together. Absent if stages have been added since this was
    /// first asked.
    pub fn passes(&self, hooks: &[Vec<Stage>; 7], hook: usize, least: Least, doubts: &[Doubt]) -> Option<&[Pass]> {
        let lengths = hooks.each_ref().map(Vec::len);
        let (passes, had) = self.0.joined[least as usize]
            .get_or_init(|| (hooks.each_ref().map(|stages| joined(stages, &self.0.all, least, doubts)), lengths));
        (*had == lengths).then(|| &passes[hook][..])
    }

    /// Rules with this origin, each with its chain, in order.
    pub fn with_origin(&self, origin: OriginId) -> impl Iterator<Item = (ChainId, &Rule)> {
        let all = &self.0.all;
        let places = self.0.places.get_or_init(|| {
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let rules = |(c, chain): (usize, &Chain)| {
                let places = chain.rules.iter().enumerate().map(|(r, rule)| (rule.origin, number(c), number(r)));
                places.collect::<Vec<_>>()
            };
            let mut out: Vec<_> = all.iter().enumerate().flat_map(rules).collect();
            out.sort_unstable();
            out
        });
        let first = places.partition_point(|(o, ..)| *o < origin);
        let here = places[first..].iter().take_while(move |(o, ..)| *o == origin);
        here.map(|(_, c, r)| (ChainId(*c), &all[*c as usize].rules[*r as usize]))
    }
}

impl Deref for Chains {
    type Target = Vec<Chain>;

    fn deref(&self) -> &Vec<Chain> {
        &self.0.all
    }
}

impl DerefMut for Chains {
    fn deref_mut(&mut self) -> &mut Vec<Chain> {
        let shared = Arc::make_mut(&mut self.0);
        *shared = Shared { all: std::mem::take(&mut shared.all), ..Shared::default() };
        &mut shared.all
    }
}

fn joined(stages: &[Stage], chains: &[Chain], least: Least, doubts: &[Doubt]) -> Vec<Pass> {
    let stops = |stage: &Stage| match stage.kind {
        StageKind::Filter { chain, policy: Policy::Accept, reroute: false } => {
            let rules = chains.get(chain.0 as usize)?;
            only_stops(rules, chains, doubts).then_some(chain)
        }
        _ => None,
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < stages.len() {
        let first = &stages[at];
        let alike =
            stages[at..].iter().take_while(|s| (s.families, &s.interfaces) == (first.families, &first.interfaces));
        let run: Vec<ChainId> = alike.map_while(stops).collect();
        let Some(chain) = run.first().copied().filter(|_| run.len() > 1) else {
            out.push(Pass::One(at));
            at += 1;
            continue;
        };
        let rules = run.iter().flat_map(|c| &chains[c.0 as usize].rules);
        out.push(Pass::Joined { first: at, chain, rules: fuse(rules, chains, least, doubts) });
        at += run.len();
    }
    out
}
