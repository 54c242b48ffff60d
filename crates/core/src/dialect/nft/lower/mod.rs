//! From the syntax tree to the model: tables and chains become stages, rules become steps.

mod matching;
mod names;
mod nat;
mod rule;
mod selector;
mod sets;
#[cfg(test)]
mod tests;
mod tracking;
mod value;

use super::ast::{self, ChainKind, HookName, Ruleset, Stmt, Table, TableFamily};
use super::print;
use crate::cube::Set;
use crate::model::{
    Action, Chain, ChainId, Doubt, DoubtId, Families, Hook, Key, KeyField, Origin, OriginId, Pipeline, Policy, Rule,
    Side, SourceSpan, Stage, StageKind, Step, Ways,
};
use std::collections::{HashMap, HashSet};

/// How much of a ruleset was understood, in statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Statements in rules.
    pub statements: usize,
    /// Of these, modelled exactly, or known not to change any fate.
    pub understood: usize,
    /// Approximated soundly: known to nftables, left open in the model.
    pub approximated: usize,
    /// Not understood: they taint the packets that may meet them.
    pub unread: usize,
}

impl Coverage {
    /// Adds another ruleset's figures.
    pub fn add(&mut self, other: Self) {
        self.statements += other.statements;
        self.understood += other.understood;
        self.approximated += other.approximated;
        self.unread += other.unread;
    }
}

/// Where connection tracking sits (`NF_IP_PRI_CONNTRACK`).
const TRACK: i32 = -200;
/// Where destination and source are translated, whatever priority a nat chain names: nat chains are entries of one
/// hook of the core (`nf_nat_register_fn`, `net/netfilter/nf_nat_core.c`).
const DESTINATION: i32 = -100;
const SOURCE: i32 = 100;

/// Fills a device's pipeline from a ruleset. `has_lines`: its spans are worth showing.
pub fn lower(ruleset: &Ruleset, has_lines: bool, into: &mut Pipeline) -> Coverage {
    let mut lowering = Lowering {
        pipeline: into,
        has_lines,
        coverage: Coverage::default(),
        table: 0,
        tables: &ruleset.tables,
        chains: HashMap::new(),
        updated: updated_sets(&ruleset.tables),
        cache: HashMap::new(),
        origin: OriginId(0),
        doubted: false,
    };
    lowering.declare();
    lowering.rules();
    lowering.stages();
    for unread in &ruleset.unread {
        lowering.taint_all(unread);
    }
    lowering.coverage
}

/// Sets that rules add to or remove from, as (table, set).
fn updated_sets(tables: &[Table]) -> HashSet<(usize, Box<str>)> {
    let mut out = HashSet::new();
    for (i, table) in tables.iter().enumerate() {
        for stmt in table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.stmts) {
            if let Stmt::SetUpdate { set, .. } = stmt {
                out.insert((i, set.clone()));
            }
        }
    }
    out
}

struct Lowering<'a> {
    pipeline: &'a mut Pipeline,
    has_lines: bool,
    coverage: Coverage,
    /// The table whose rules are being lowered.
    table: usize,
    tables: &'a [Table],
    chains: HashMap<(usize, &'a str), ChainId>,
    updated: HashSet<(usize, Box<str>)>,
    /// Named sets that were lowered already: many rules refer to the same one.
    cache: HashMap<(usize, Box<str>, Vec<selector::Type>), sets::Elements>,
    /// The rule being lowered.
    origin: OriginId,
    /// The statement being lowered left something open.
    doubted: bool,
}

/// Tables that a routed packet meets.
fn is_on_the_way(table: &Table) -> bool {
    !table.dormant && !matches!(table.family, TableFamily::Arp | TableFamily::Bridge)
}

fn families(family: TableFamily) -> Families {
    Families {
        v4: !matches!(family, TableFamily::Ip6 | TableFamily::Arp),
        v6: !matches!(family, TableFamily::Ip | TableFamily::Arp),
    }
}

fn hook_of(hook: HookName) -> Hook {
    match hook {
        HookName::Ingress => Hook::Ingress,
        HookName::Prerouting => Hook::Prerouting,
        HookName::Input => Hook::Input,
        HookName::Forward => Hook::Forward,
        HookName::Output => Hook::Output,
        HookName::Postrouting => Hook::Postrouting,
        HookName::Egress => Hook::Egress,
    }
}

impl<'a> Lowering<'a> {
    /// Gives every chain its number, so that jumps can name chains further down.
    fn declare(&mut self) {
        let tables = self.tables;
        for (i, table) in tables.iter().enumerate().filter(|(_, t)| is_on_the_way(t)) {
            for chain in &table.chains {
                let object = object(table, chain);
                let origin = self.add_origin(chain.at, &object, None, String::new(), None);
                let id = ChainId(u32::try_from(self.pipeline.chains.len()).expect("fewer than 2³² chains"));
                self.pipeline.chains.push(Chain { name: chain.name.clone(), origin, rules: Vec::new() });
                self.chains.insert((i, &chain.name), id);
            }
        }
    }

    fn add_origin(
        &mut self,
        at: SourceSpan,
        object: &str,
        handle: Option<u64>,
        text: String,
        comment: Option<Box<str>>,
    ) -> OriginId {
        self.pipeline.add_origin(Origin {
            at,
            has_lines: self.has_lines,
            object: object.into(),
            handle,
            text: text.into(),
            comment,
        })
    }

    fn rules(&mut self) {
        let tables = self.tables;
        for (i, table) in tables.iter().enumerate() {
            self.table = i;
            for chain in &table.chains {
                if !is_on_the_way(table) {
                    self.count_irrelevant(chain);
                    continue;
                }
                let object = object(table, chain);
                let mut rules = Vec::with_capacity(chain.rules.len());
                for rule in &chain.rules {
                    let text = if self.has_lines { String::new() } else { print::rule(rule) };
                    self.origin = self.add_origin(rule.at, &object, rule.handle, text, rule.comment.clone());
                    let steps = self.steps(rule);
                    rules.push(Rule { steps: steps.into(), origin: self.origin });
                }
                let id = self.chains[&(i, &*chain.name)];
                self.pipeline.chains[id.0 as usize].rules = rules;
            }
        }
    }

    fn count_irrelevant(&mut self, chain: &ast::Chain) {
        for stmt in chain.rules.iter().flat_map(|r| &r.stmts) {
            self.coverage.statements += 1;
            if matches!(stmt, Stmt::Unread(_)) { self.coverage.unread += 1 } else { self.coverage.understood += 1 }
        }
    }

    /// Base chains of all tables, by hook and priority.
    fn stages(&mut self) {
        let tracked = tracking::tracked(self.tables.iter().filter(|t| is_on_the_way(t)));
        for hook in Hook::ALL {
            let mut filters: Vec<(i32, Stage)> = Vec::new();
            let mut nat: Vec<(i32, TableFamily, (ChainId, Policy))> = Vec::new();
            for (i, table) in self.tables.iter().enumerate().filter(|(_, t)| is_on_the_way(t)) {
                for chain in &table.chains {
                    let Some(base) = chain.base.as_ref().filter(|b| hook_of(b.hook) == hook) else { continue };
                    let named = self.chains[&(i, &*chain.name)];
                    let without_device = hook == Hook::Ingress && base.devices.is_empty();
                    let id = if without_device { self.on_some_device(named) } else { named };
                    let policy = if base.policy_drop { Policy::Drop } else { Policy::Accept };
                    if base.kind == ChainKind::Nat {
                        nat.push((base.priority, table.family, (id, policy)));
                        continue;
                    }
                    let reroute = base.kind == ChainKind::Route;
                    let interfaces = (!base.devices.is_empty()).then(|| base.devices.clone());
                    let kind = StageKind::Filter { chain: id, policy, reroute };
                    filters.push((base.priority, Stage { kind, families: families(table.family), interfaces }));
                }
            }
            // Of equal priority, the chain registered last runs first (`nf_hook_entries_grow`, net/netfilter/core.c).
            nat.reverse();
            nat.sort_by_key(|(priority, ..)| *priority);
            filters.reverse();
            filters.extend(fixed_stages(hook, &nat, tracked));
            filters.sort_by_key(|(priority, ..)| *priority);
            self.pipeline.hooks[hook as usize].extend(filters.into_iter().map(|(_, stage)| stage));
        }
    }

    /// nft 1.0.6 leaves the device of an ingress chain out of its JSON: then it is open which packets meet the chain.
    fn on_some_device(&mut self, chain: ChainId) -> ChainId {
        let origin = self.pipeline.chain(chain).origin;
        let doubt = self.pipeline.add_doubt(Doubt {
            origin,
            what: "on which device this ingress chain sits: the JSON listing does not say".into(),
            supply: "the text that `nft list ruleset` prints".into(),
            // Packets of one call come by several devices.
            fixed: false,
            unread: false,
        });
        let elsewhere = matching::is(Key::of(KeyField::Unknown(doubt, 1)), Set::one(0));
        let rule = |steps: Vec<Step>| Rule { steps: steps.into(), origin };
        let rules = vec![rule(vec![elsewhere, Step::Act(Action::Accept)]), rule(vec![Step::Act(Action::Goto(chain))])];
        let id = ChainId(u32::try_from(self.pipeline.chains.len()).expect("fewer than 2³² chains"));
        self.pipeline.chains.push(Chain { name: "on some device".into(), origin, rules });
        id
    }

    /// Something unknown outside of rules: it may do anything to any packet.
    fn taint_all(&mut self, unread: &ast::Unread) {
        self.coverage.statements += 1;
        self.coverage.unread += 1;
        let origin = self.add_origin(unread.at, "the ruleset", None, unread.text.to_string(), None);
        let doubt = self.pipeline.add_doubt(Doubt {
            origin,
            what: format!("`{}` was not understood: {}", unread.text, unread.why).into(),
            supply: "the output of `nft list ruleset`, which has no includes and no commands".into(),
            fixed: true,
            unread: true,
        });
        let rule = Rule { steps: Box::new([Step::Act(Action::Unmodelled(Ways::Anything, doubt))]), origin };
        let id = ChainId(u32::try_from(self.pipeline.chains.len()).expect("fewer than 2³² chains"));
        self.pipeline.chains.push(Chain { name: "what was not understood".into(), origin, rules: vec![rule] });
        for hook in [Hook::Prerouting, Hook::Output] {
            let kind = StageKind::Filter { chain: id, policy: Policy::Accept, reroute: false };
            let stage = Stage { kind, families: Families::BOTH, interfaces: None };
            self.pipeline.hooks[hook as usize].insert(0, stage);
        }
    }

    /// Something that is left open at this rule.
    fn doubt(&mut self, what: String, supply: &str, unread: bool) -> DoubtId {
        self.doubted = true;
        let doubt = Doubt { origin: self.origin, what: what.into(), supply: supply.into(), fixed: false, unread };
        self.pipeline.add_doubt(doubt)
    }

    fn named_set(&self, name: &str) -> Option<&'a ast::Set> {
        self.tables[self.table].sets.iter().find(|s| &*s.name == name)
    }

    fn chain_named(&self, name: &str) -> Option<ChainId> {
        self.chains.get(&(self.table, name)).copied()
    }
}

/// Tracking and translation.
fn fixed_stages(hook: Hook, nat: &[(i32, TableFamily, (ChainId, Policy))], tracked: Families) -> Vec<(i32, Stage)> {
    let mut out = Vec::new();
    if matches!(hook, Hook::Prerouting | Hook::Output) && (tracked.v4 || tracked.v6) {
        out.push((TRACK, Stage { kind: StageKind::Track, families: tracked, interfaces: None }));
    }
    let (priority, side) = match hook {
        Hook::Prerouting | Hook::Output => (DESTINATION, Side::Destination),
        Hook::Input | Hook::Postrouting => (SOURCE, Side::Source),
        _ => return out,
    };
    for one in [Families { v4: true, v6: false }, Families { v4: false, v6: true }] {
        let sees = |family: TableFamily| {
            let has = families(family);
            (one.v4 && has.v4) || (one.v6 && has.v6)
        };
        let chains = nat.iter().filter(|(_, f, _)| sees(*f)).map(|(.., chain)| *chain).collect();
        let kind = StageKind::Translate { side, chains };
        out.push((priority, Stage { kind, families: one, interfaces: None }));
    }
    out
}

fn object(table: &Table, chain: &ast::Chain) -> String {
    format!("table {} {}, chain {}", print::family(table.family), table.name, chain.name)
}
