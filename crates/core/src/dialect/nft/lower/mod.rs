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
use crate::dialect::netfilter::Registered;
use crate::dialect::{DeviceBuilder, Made};
use crate::model::{ChainId, Doubt, DoubtId, DoubtKind, Families, Origin, OriginId, Pipeline, Rule, SourceSpan};
use coverage::{Outcome, is_on_the_way, object};
use sets::Updates;
use std::collections::HashMap;
use std::sync::Arc;

/// Fills a device's pipeline from a ruleset that is its only one. `has_lines`: its spans are worth showing.
pub fn lower(ruleset: &Ruleset, has_lines: bool, into: &mut Pipeline) -> Coverage {
    let mut registered = Registered::default();
    let coverage = fill((&ruleset.tables, &ruleset.unread), has_lines, &[], (into, &mut registered));
    registered.finish(into);
    coverage
}

/// Adds a ruleset to a device that may have several.
pub(in crate::dialect::nft) fn add(ruleset: &Ruleset, has_lines: bool, into: &mut DeviceBuilder<'_>) -> Coverage {
    let after = |table: &Table| match into.later(&print::table(table.family, &table.name)) {
        None | Some((.., Made::Left)) => Some(After::Stays),
        Some((.., Made::Own)) => None,
        Some((by, file, Made::Removed)) => Some(After::Removed(by, file.into())),
        Some((_, file, Made::Changed)) => Some(After::Changed(file.into())),
    };
    let fates: Vec<Option<After>> = ruleset.tables.iter().map(after).collect();
    let pipeline = &mut into.device.pipeline;
    if fates.iter().all(Option::is_some) {
        let after: Vec<After> = fates.into_iter().flatten().collect();
        return fill((&ruleset.tables, &ruleset.unread), has_lines, &after, (pipeline, &mut into.netfilter));
    }
    let stays = ruleset.tables.iter().zip(fates).filter_map(|(table, after)| Some((table.clone(), after?)));
    let (tables, after): (Vec<Table>, Vec<After>) = stays.unzip();
    fill((&tables, &ruleset.unread), has_lines, &after, (pipeline, &mut into.netfilter))
}

/// What other documents leave of a table.
#[derive(Debug, Clone, Default)]
enum After {
    /// All of it.
    #[default]
    Stays,
    /// The document of this number and name removes it; the program that made it may make it again.
    Removed(usize, Box<str>),
    /// The document of this name changes it.
    Changed(Box<str>),
}

fn fill(
    (tables, unread): (&[Table], &[ast::Unread]),
    has_lines: bool,
    after: &[After],
    (pipeline, registered): (&mut Pipeline, &mut Registered),
) -> Coverage {
    let mut lowering = Lowering {
        pipeline,
        registered,
        after,
        has_lines,
        coverage: Coverage::default(),
        table: 0,
        tables,
        chains: HashMap::new(),
        sets: sets_by_name(tables),
        updated: updated_sets(tables),
        cache: HashMap::new(),
        origin: OriginId(0),
        doubted: false,
        more: false,
    };
    lowering.declare();
    lowering.rules();
    lowering.stages();
    lowering.taint_all(unread);
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
    registered: &'a mut Registered,
    /// What other documents leave of each table; none: all of it.
    after: &'a [After],
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
                let id = self.pipeline.add_chain(&chain.name, origin, Vec::new());
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
