//! From the syntax tree to the model: tables and chains become stages, rules become steps.

mod clock;
mod coverage;
mod lookup;
mod mangle;
mod matching;
mod merged;
mod names;
mod nat;
mod rule;
mod selector;
mod sets;
mod stage;
#[cfg(test)]
mod tests;
mod tracking;
mod value;

pub use coverage::{Coverage, StatementKind, ignored};

use super::ast::{self, Ruleset, Stmt, Table, TableFamily};
use super::print;
use crate::model::{Chain, ChainId, Doubt, DoubtId, DoubtKind, Families, Origin, OriginId, Pipeline, Rule, SourceSpan};
use coverage::{Outcome, is_on_the_way, object};
use sets::Updates;
use std::collections::HashMap;
use std::sync::Arc;

/// Fills a device's pipeline from a ruleset. `has_lines`: its spans are worth showing.
pub fn lower(ruleset: &Ruleset, has_lines: bool, into: &mut Pipeline) -> Coverage {
    let mut lowering = Lowering {
        pipeline: into,
        has_lines,
        coverage: Coverage::default(),
        table: 0,
        tables: &ruleset.tables,
        chains: HashMap::new(),
        sets: sets_by_name(&ruleset.tables),
        updated: updated_sets(&ruleset.tables),
        cache: HashMap::new(),
        origin: OriginId(0),
        doubted: false,
        more: false,
    };
    lowering.declare();
    lowering.rules();
    lowering.stages();
    lowering.taint_all(&ruleset.unread);
    lowering.coverage
}

fn sets_by_name(tables: &[Table]) -> HashMap<(usize, &str), &ast::Set> {
    let all = tables.iter().enumerate().flat_map(|(i, t)| t.sets.iter().map(move |s| ((i, &*s.name), s)));
    all.collect()
}

/// Sets that rules add to or remove from.
fn updated_sets(tables: &[Table]) -> HashMap<(usize, &str), Updates> {
    let mut out: HashMap<(usize, &str), Updates> = HashMap::new();
    for (i, table) in tables.iter().enumerate() {
        for stmt in table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.stmts) {
            if let Stmt::SetUpdate { op, set, .. } = stmt {
                let entry = out.entry((i, set)).or_default();
                if &**op == "delete" { entry.deletes = true } else { entry.adds = true }
            }
        }
    }
    out
}

/// A ruleset on its way into a pipeline.
struct Lowering<'a> {
    pipeline: &'a mut Pipeline,
    has_lines: bool,
    coverage: Coverage,
    /// The table whose rules are being lowered.
    table: usize,
    tables: &'a [Table],
    chains: HashMap<(usize, &'a str), ChainId>,
    sets: HashMap<(usize, &'a str), &'a ast::Set>,
    updated: HashMap<(usize, &'a str), Updates>,
    /// Named sets that were lowered already: many rules refer to the same one.
    cache: HashMap<(usize, Box<str>, Vec<selector::Column>), sets::Elements>,
    /// The rule being lowered.
    origin: OriginId,
    /// The statement being lowered left something open.
    doubted: bool,
    /// Statements follow it in its rule.
    more: bool,
}

fn families(family: TableFamily) -> Families {
    Families {
        v4: !matches!(family, TableFamily::Ip6 | TableFamily::Arp),
        v6: !matches!(family, TableFamily::Ip | TableFamily::Arp),
    }
}

impl<'a> Lowering<'a> {
    /// Gives every chain its number, so that jumps can name chains further down.
    fn declare(&mut self) {
        let tables = self.tables;
        for (i, table) in tables.iter().enumerate().filter(|(_, t)| is_on_the_way(t)) {
            for chain in &table.chains {
                let origin = self.add_origin(chain.at, &object(table, chain).into());
                let id = ChainId(u32::try_from(self.pipeline.chains.len()).expect("fewer than 2³² chains"));
                self.pipeline.chains.push(Chain { name: chain.name.clone(), origin, rules: Vec::new() });
                self.chains.insert((i, &chain.name), id);
            }
        }
    }

    fn add_origin(&mut self, at: SourceSpan, object: &Arc<str>) -> OriginId {
        let object = Arc::clone(object);
        self.pipeline.add_origin(Origin { at, has_lines: self.has_lines, object, ..Origin::default() })
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
                let id = self.chains[&(i, &*chain.name)];
                let object = Arc::clone(&self.pipeline.origin(self.pipeline.chain(id).origin).object);
                let mut rules = Vec::with_capacity(chain.rules.len());
                for rule in &chain.rules {
                    self.origin = self.pipeline.add_origin(Origin {
                        at: rule.at,
                        has_lines: self.has_lines,
                        object: Arc::clone(&object),
                        handle: rule.handle,
                        text: if self.has_lines { "".into() } else { print::rule(rule).into() },
                        comment: rule.comment.clone(),
                        setting: false,
                    });
                    let steps = self.steps(rule);
                    rules.push(Rule { steps: steps.into(), origin: self.origin });
                }
                self.pipeline.chains[id.0 as usize].rules = rules;
            }
        }
    }

    fn count_irrelevant(&mut self, chain: &ast::Chain) {
        for stmt in chain.rules.iter().flat_map(|r| &r.stmts) {
            let unread = matches!(stmt, Stmt::Unread(_));
            self.coverage.count(stmt, if unread { Outcome::Unread } else { Outcome::Irrelevant });
        }
    }

    /// Something that is left open at this rule. Drawn anew each time it is asked, because request and reply may
    /// differ in it.
    fn doubt(&mut self, what: String, supply: &str, unread: bool) -> DoubtId {
        self.doubted = true;
        let kind = if unread { DoubtKind::Unread } else { DoubtKind::Fact };
        let doubt = Doubt { origin: self.origin, what: what.into(), supply: supply.into(), fixed: false, kind };
        self.pipeline.add_doubt(doubt)
    }

    fn named_set(&self, name: &str) -> Option<&'a ast::Set> {
        self.sets.get(&(self.table, name)).copied()
    }

    fn updates_of(&self, name: &str) -> Updates {
        self.updated.get(&(self.table, name)).copied().unwrap_or_default()
    }

    fn chain_named(&self, name: &str) -> Option<ChainId> {
        self.chains.get(&(self.table, name)).copied()
    }
}
