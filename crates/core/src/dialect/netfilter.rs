//! Netfilter, whatever writes its rules: base chains of all documents of a device, in the order in which the kernel runs
//! them.
//!
//! Chains of one hook run by ascending priority. Of equal priority the one that was registered last runs first
//! (`nf_hook_entries_grow`, net/netfilter/core.c: a new entry goes before the first whose priority is not lower; seen so
//! on Linux 6.18). One text tells in which order its own chains are registered, two texts do not: then both
//! orders are followed, by a doubt.

use crate::cube::Set;
use crate::model::{
    Action, ChainId, Doubt, DoubtId, DoubtKind, Families, Hook, Key, KeyField, Match, Pipeline, Policy, Rule, Side,
    Stage, StageKind, Step, Test, Verdicted, Ways,
};

/// Where connection tracking sits (`NF_IP_PRI_CONNTRACK`).
const TRACK: i32 = -200;
/// Where destination and source are translated, whatever priority a nat chain names: nat chains are entries of one
/// hook of the core (`nf_nat_register_fn`, `net/netfilter/nf_nat_core.c`).
const DESTINATION: i32 = -100;
const SOURCE: i32 = 100;

/// As many orders of chains are followed.
const MOST_ORDERS: usize = 24;

/// What a base chain is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BaseKind {
    /// It filters.
    Filter,
    /// In the output hook it has packets routed again.
    Route,
    /// It translates.
    Nat,
}

/// A base chain.
#[derive(Debug, Clone)]
pub(super) struct BaseChain {
    /// Where it is hooked in.
    pub hook: Hook,
    /// Its priority there.
    pub priority: i32,
    /// Whose packets it sees.
    pub families: Families,
    /// Only packets by these interfaces.
    pub interfaces: Option<Vec<Box<str>>>,
    /// Its rules.
    pub chain: ChainId,
    /// What happens at its end.
    pub policy: Policy,
    /// What it is for.
    pub kind: BaseKind,
}

/// Base chains of a device's documents, in the order in which each document registers its own.
#[derive(Debug, Default)]
pub(super) struct Registered {
    /// Names of the documents' files.
    files: Vec<Box<str>>,
    chains: Vec<(usize, BaseChain)>,
    /// Families whose connections some rule makes the kernel track; absent: there are no rulesets.
    tracked: Option<Families>,
    /// What was not understood outside of rules: it may do anything to any packet.
    unread: Vec<Stage>,
}

/// One that is put into order: by its number among the chains, or the stage of the core that lies at this priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Chain(usize),
    Core,
}

/// An order of items: each with the orders in which it runs at this place, where it does not in all.
type Places = Vec<(Item, Option<Set>)>;

impl Registered {
    /// What is registered next is of another document.
    pub fn next(&mut self, file: &str) {
        self.files.push(file.into());
    }

    /// Registers a base chain.
    pub fn add(&mut self, chain: BaseChain) {
        self.chains.push((self.files.len(), chain));
    }

    /// Connections of these families are tracked; of none, where a ruleset asks for none.
    pub fn track(&mut self, families: Families) {
        let before = self.tracked.unwrap_or(Families { v4: false, v6: false });
        self.tracked = Some(Families { v4: before.v4 || families.v4, v6: before.v6 || families.v6 });
    }

    /// Something that was not understood.
    pub fn unread(&mut self, stage: Stage) {
        self.unread.push(stage);
    }

    /// Makes stages of all of it. Without any ruleset there is nothing to make.
    pub fn finish(mut self, pipeline: &mut Pipeline) {
        let Some(tracked) = self.tracked else { return };
        for hook in Hook::ALL {
            let here: Vec<usize> = (0..self.chains.len()).filter(|n| self.chains[*n].1.hook == hook).collect();
            let is_nat = |n: &usize| self.chains[*n].1.kind == BaseKind::Nat;
            let (nat, filters): (Vec<usize>, Vec<usize>) = here.into_iter().partition(is_nat);
            let nat = self.translations(&nat, pipeline);
            let (at, core) = core(hook, &nat);
            let mut stages = Vec::new();
            if matches!(hook, Hook::Prerouting | Hook::Output) && (tracked.v4 || tracked.v6) {
                stages.push((TRACK, Stage { kind: StageKind::Track, families: tracked, interfaces: None }));
            }
            let tracks = !stages.is_empty();
            stages.extend(core.into_iter().map(|stage| (at, stage)));
            self.filters(hook, &filters, stages, tracks, pipeline);
        }
        self.unread.reverse();
        for hook in [Hook::Prerouting, Hook::Output] {
            pipeline.hooks[hook as usize].splice(0..0, self.unread.iter().cloned());
        }
    }

    /// Chains of translation of one hook in the order in which they are asked.
    fn translations(&self, nat: &[usize], pipeline: &mut Pipeline) -> Vec<(Families, (ChainId, Policy))> {
        let mut out = Vec::new();
        for group in self.by_priority(nat) {
            let places = self.order(&group, None, pipeline);
            let doubt = self.doubt(&group, &places, pipeline);
            for (item, orders) in places {
                let Item::Chain(n) = item else { continue };
                let base = &self.chains[n].1;
                let chain = only_in(base.chain, orders.zip(doubt), pipeline);
                out.push((base.families, (chain, base.policy)));
            }
        }
        out
    }

    /// Stages of one hook, with those of the core.
    fn filters(
        &self,
        hook: Hook,
        filters: &[usize],
        mut core: Vec<(i32, Stage)>,
        tracks: bool,
        pipeline: &mut Pipeline,
    ) {
        let mut out = Vec::new();
        for group in self.by_priority(filters) {
            let priority = self.chains[group[0]].1.priority;
            while core.first().is_some_and(|(at, _)| *at < priority) {
                out.push(core.remove(0).1);
            }
            let same = core.iter().take_while(|(at, _)| *at == priority).count();
            let translates = same > 0 && !(tracks && priority == TRACK);
            let places = self.order(&group, Some((same > 0, translates)), pipeline);
            let doubt = self.doubt(&group, &places, pipeline);
            for (item, orders) in places {
                let Item::Chain(n) = item else {
                    out.extend(core.drain(..same).map(|(_, stage)| stage));
                    continue;
                };
                let base = self.chains[n].1.clone();
                let chain = only_in(base.chain, orders.zip(doubt), pipeline);
                let kind = StageKind::Filter { chain, policy: base.policy, reroute: base.kind == BaseKind::Route };
                out.push(Stage { kind, families: base.families, interfaces: base.interfaces });
            }
        }
        out.extend(core.into_iter().map(|(_, stage)| stage));
        pipeline.hooks[hook as usize].extend(out);
    }

    /// Chains of equal priority together, by ascending priority.
    fn by_priority(&self, chains: &[usize]) -> Vec<Vec<usize>> {
        let mut all = chains.to_vec();
        all.sort_by_key(|n| self.chains[*n].1.priority);
        all.chunk_by(|a, b| self.chains[*a].1.priority == self.chains[*b].1.priority).map(<[usize]>::to_vec).collect()
    }

    /// The order of chains of equal priority. `core`: whether a stage of the core lies there too, and whether it is that
    /// of translation.
    fn order(&self, group: &[usize], core: Option<(bool, bool)>, pipeline: &Pipeline) -> Places {
        let (has_core, translates) = core.unwrap_or_default();
        let always = |items: Vec<Item>| items.into_iter().map(|i| (i, None)).collect();
        // Registered last, run first.
        let mut one: Vec<Item> = group.iter().rev().map(|n| Item::Chain(*n)).collect();
        let place = self.registration(translates);
        if has_core {
            let behind = place.unwrap_or(usize::MAX);
            let at = one.iter().take_while(|i| matches!(i, Item::Chain(n) if *n >= behind || !translates)).count();
            one.insert(at, Item::Core);
        }
        let of = |item: &Item| match item {
            Item::Chain(n) => Some(self.chains[*n].0),
            // Of one document alone it is known.
            Item::Core => place.map(|n| self.chains[n].0).filter(|_| translates && self.is_registered_by_one()),
        };
        let known = |a: &Item, b: &Item| of(a).is_some() && of(a) == of(b);
        let alone = self.files.len() < 2 || one.iter().all(|i| known(i, &one[0]));
        // Without a chain it translates nothing.
        let idle = |i: &Item| *i == Item::Core && translates && place.is_none();
        let commutes = |a: &Item, b: &Item| known(a, b) || idle(a) || idle(b) || self.commute(*a, *b, pipeline);
        if alone || one.iter().enumerate().all(|(n, a)| one[n + 1..].iter().all(|b| commutes(a, b))) {
            return always(one);
        }
        let mut orders = Vec::new();
        interleave(&mut Vec::new(), &one, &known, &mut orders);
        if orders.len() > MOST_ORDERS {
            // Too many to follow: none of them is taken.
            return one.into_iter().map(|i| (i, Some(Set::empty()))).collect();
        }
        let at = |o: &Vec<Item>| o.iter().position(|i| *i == Item::Core);
        let part = |o: &Vec<Item>, behind: bool| match (at(o), behind) {
            (Some(core), false) => o[..core].to_vec(),
            (Some(core), true) => o[core + 1..].to_vec(),
            (None, false) => o.clone(),
            (None, true) => Vec::new(),
        };
        let mut out = common(&orders.iter().map(|o| part(o, false)).collect::<Vec<_>>());
        if has_core {
            out.push((Item::Core, None));
            out.extend(common(&orders.iter().map(|o| part(o, true)).collect::<Vec<_>>()));
        }
        out
    }

    /// The chain with which translation was registered: the first nat chain of all hooks (`nf_nat_register_fn` registers
    /// those of all hooks with the first; seen so on Linux 6.18).
    fn registration(&self, translates: bool) -> Option<usize> {
        self.chains.iter().position(|(_, c)| c.kind == BaseKind::Nat).filter(|_| translates)
    }

    fn is_registered_by_one(&self) -> bool {
        let mut nat = self.chains.iter().filter(|(_, c)| c.kind == BaseKind::Nat).map(|(by, _)| by);
        let first = nat.next();
        nat.all(|by| Some(by) == first)
    }

    /// Packets fare the same whichever of the two runs first.
    fn commute(&self, a: Item, b: Item, pipeline: &Pipeline) -> bool {
        let (Item::Chain(a), Item::Chain(b)) = (a, b) else {
            return false;
        };
        let (a, b) = (&self.chains[a].1, &self.chains[b].1);
        let families = (a.families.v4 && b.families.v4) || (a.families.v6 && b.families.v6);
        let apart = |x: &Vec<Box<str>>, y: &Vec<Box<str>>| !x.iter().any(|name| y.contains(name));
        let interfaces = a.interfaces.as_ref().zip(b.interfaces.as_ref()).is_some_and(|(x, y)| apart(x, y));
        let idle = |c: &BaseChain| pipeline.chain(c.chain).rules.is_empty();
        let decide = || only_decides(a.chain, pipeline) && only_decides(b.chain, pipeline);
        !families || interfaces || idle(a) || idle(b) || decide()
    }

    /// The doubt which of these chains was registered last, where it can matter.
    fn doubt(&self, group: &[usize], places: &Places, pipeline: &mut Pipeline) -> Option<DoubtId> {
        places.iter().find(|(_, orders)| orders.is_some())?;
        let first = &self.chains[group[0]].1;
        let name = |n: &usize| {
            let (by, base) = &self.chains[*n];
            let object = &pipeline.origin(pipeline.chain(base.chain).origin).object;
            format!("{object} ({})", self.files.get(by.wrapping_sub(1)).map_or("", |f| f))
        };
        let names: Vec<String> = group.iter().map(name).collect();
        let what = format!(
            "in which order these run, which have the same priority {} at {}: {}; the one that was made last runs first, \
             and no file says which that was",
            first.priority,
            first.hook.name(),
            names.join(", ")
        );
        let origin = pipeline.chain(first.chain).origin;
        let supply = "what `nft list ruleset` prints, in place of these files: it lists tables in the order in which they \
                      were made";
        let doubt = Doubt { origin, what: what.into(), supply: supply.into(), fixed: true, kind: DoubtKind::Fact };
        Some(pipeline.add_doubt(doubt))
    }
}

/// The priority at which a hook translates, and what it does there.
fn core(hook: Hook, nat: &[(Families, (ChainId, Policy))]) -> (i32, Vec<Stage>) {
    let (at, side) = match hook {
        Hook::Prerouting | Hook::Output => (DESTINATION, Side::Destination),
        Hook::Input | Hook::Postrouting => (SOURCE, Side::Source),
        _ => return (0, Vec::new()),
    };
    let one = |families: Families| {
        let sees = |f: &Families| (families.v4 && f.v4) || (families.v6 && f.v6);
        let chains = nat.iter().filter(|(f, _)| sees(f)).map(|(_, chain)| *chain).collect();
        Stage { kind: StageKind::Translate { side, chains }, families, interfaces: None }
    };
    (at, [Families { v4: true, v6: false }, Families { v4: false, v6: true }].map(one).into())
}

/// The chain, for the packets of these orders alone.
fn only_in(chain: ChainId, orders: Option<(Set, DoubtId)>, pipeline: &mut Pipeline) -> ChainId {
    let Some((orders, doubt)) = orders else { return chain };
    if orders.is_empty() {
        let unknown = Step::Act(Action::Unmodelled(Ways::Anything, doubt));
        return before(chain, vec![unknown], pipeline);
    }
    skipping(chain, Key::of(KeyField::Unknown(doubt, BITS)), orders, pipeline)
}

/// Bits that tell one of [`MOST_ORDERS`].
const BITS: u8 = 5;

/// All orders that keep what is known.
fn interleave(so_far: &mut Vec<Item>, left: &[Item], known: &impl Fn(&Item, &Item) -> bool, out: &mut Vec<Vec<Item>>) {
    if out.len() > MOST_ORDERS {
        return;
    }
    if left.is_empty() {
        out.push(so_far.clone());
    }
    for (n, item) in left.iter().enumerate() {
        if left[..n].iter().any(|before| known(before, item)) {
            continue;
        }
        so_far.push(*item);
        let rest: Vec<Item> = left.iter().filter(|i| *i != item).copied().collect();
        interleave(so_far, &rest, known, out);
        so_far.pop();
    }
}

/// One sequence that holds all of these, each item with the sequences that use it there.
fn common(orders: &[Vec<Item>]) -> Places {
    let mut all: Vec<(Item, Vec<usize>)> = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        let mut from = 0;
        for item in order {
            let found = all[from..].iter().position(|(i, _)| i == item).map(|at| from + at);
            let at = found.unwrap_or_else(|| {
                all.push((*item, Vec::new()));
                all.len() - 1
            });
            all[at].1.push(n);
            from = at + 1;
        }
    }
    let values = |used: &[usize]| Set::union(used.iter().map(|n| Set::one(*n as u128)));
    // Every value of the doubt is one of the orders: those that are left over are the first.
    let spare = |used: &[usize]| {
        let first = used.first() == Some(&0);
        let beyond = Set::range(orders.len() as u128, (1 << BITS) - 1);
        if first { values(used).or(&beyond) } else { values(used) }
    };
    all.into_iter().map(|(i, used)| (i, Some(spare(&used)).filter(|_| used.len() < orders.len()))).collect()
}

/// A chain of which nothing is left behind but whether packets go on: no other chain sees that it ran.
fn only_decides(from: ChainId, pipeline: &Pipeline) -> bool {
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(id) = reached.get(next).copied() {
        next += 1;
        for step in pipeline.chain(id).rules.iter().flat_map(|r| &r.steps) {
            let to = match step {
                Step::Match(_) | Step::Act(Action::Accept | Action::Drop | Action::Reject(_) | Action::Return) => {
                    Vec::new()
                }
                Step::Act(Action::Jump(to) | Action::Goto(to)) => vec![*to],
                Step::Act(Action::Verdict(map)) => {
                    let verdicts = map.entries.iter().map(|(_, v)| v).chain(&map.default);
                    let chain = |v: &Verdicted| match v {
                        Verdicted::Jump(to) | Verdicted::Goto(to) => Some(*to),
                        _ => None,
                    };
                    verdicts.filter_map(chain).collect()
                }
                Step::Act(_) => return false,
            };
            reached.extend(to.into_iter().filter(|id| !reached.contains(id)).collect::<Vec<_>>());
        }
    }
    true
}

/// A chain in front of another: packets go on to that one only with these values of a key.
pub(super) fn skipping(chain: ChainId, key: Key, only: Set, pipeline: &mut Pipeline) -> ChainId {
    let others = Step::Match(Match { keys: [key].into(), test: Test::In(only), negate: true });
    before(chain, vec![others, Step::Act(Action::Accept)], pipeline)
}

/// A chain of the same name in front of another: packets meet one rule before they go on to that one.
pub(super) fn before(chain: ChainId, steps: Vec<Step>, pipeline: &mut Pipeline) -> ChainId {
    let name = pipeline.chain(chain).name.clone();
    before_as(&name, chain, steps, pipeline)
}

/// The same, with a name of its own.
pub(super) fn before_as(name: &str, chain: ChainId, steps: Vec<Step>, pipeline: &mut Pipeline) -> ChainId {
    let origin = pipeline.chain(chain).origin;
    let rule = |steps: Vec<Step>| Rule { steps: steps.into(), origin };
    let rules = vec![rule(steps), rule(vec![Step::Act(Action::Goto(chain))])];
    pipeline.add_chain(name, origin, rules)
}
