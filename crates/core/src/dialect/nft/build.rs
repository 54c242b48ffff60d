//! The ruleset as it grows while it is read, and the changes that commands make to it.

use super::ast::{Chain, Rule, Ruleset, Table, TableFamily};
use super::normal;
use crate::model::SourceSpan;
use std::collections::HashMap;

/// A ruleset that is being read.
#[derive(Default)]
pub(super) struct Build {
    pub ruleset: Ruleset,
    /// Chains without a name so far.
    pub anonymous: usize,
    /// Those chains and the index of their table: they come behind the named ones.
    pub chains_to_add: Vec<(usize, Chain)>,
    /// Index of each chain, by table and name.
    chains: Vec<HashMap<Box<str>, usize>>,
    /// Rules inserted at the head of a chain, the last one first in evaluation.
    heads: HashMap<(usize, usize), Vec<Rule>>,
}

impl Build {
    /// The table of this name, if there is one.
    pub fn find_table(&self, family: TableFamily, name: &str) -> Option<usize> {
        self.ruleset.tables.iter().position(|t| t.family == family && &*t.name == name)
    }

    /// The table of this name, made if it is new.
    pub fn table(&mut self, family: TableFamily, name: &str, at: SourceSpan) -> usize {
        if let Some(i) = self.find_table(family, name) {
            return i;
        }
        self.ruleset.tables.push(Table {
            family,
            name: name.into(),
            dormant: false,
            chains: Vec::new(),
            sets: Vec::new(),
            objects: Vec::new(),
            at,
        });
        self.chains.push(HashMap::new());
        self.ruleset.tables.len() - 1
    }

    /// The chain of this name, if there is one.
    pub fn find_chain(&self, table: usize, name: &str) -> Option<usize> {
        self.chains.get(table)?.get(name).copied()
    }

    /// The chain of this name, made if it is new.
    pub fn chain(&mut self, table: usize, name: &str, at: SourceSpan) -> usize {
        if let Some(i) = self.find_chain(table, name) {
            return i;
        }
        let chains = &mut self.ruleset.tables[table].chains;
        chains.push(Chain { name: name.into(), base: None, rules: Vec::new(), at });
        self.chains[table].insert(name.into(), chains.len() - 1);
        chains.len() - 1
    }

    /// Adds a rule at the end of a chain.
    pub fn append(&mut self, table: usize, chain: usize, rule: Rule) {
        self.ruleset.tables[table].chains[chain].rules.push(rule);
    }

    /// Adds a rule at the head of a chain.
    pub fn prepend(&mut self, table: usize, chain: usize, rule: Rule) {
        self.heads.entry((table, chain)).or_default().push(rule);
    }

    /// The rules of a chain, to change them by place.
    pub fn rules(&mut self, table: usize, chain: usize) -> &mut Vec<Rule> {
        if let Some(mut head) = self.heads.remove(&(table, chain)) {
            let rules = &mut self.ruleset.tables[table].chains[chain].rules;
            head.reverse();
            head.append(rules);
            *rules = head;
        }
        &mut self.ruleset.tables[table].chains[chain].rules
    }

    fn settle(&mut self) {
        let open: Vec<(usize, usize)> = self.heads.keys().copied().collect();
        for (table, chain) in open {
            self.rules(table, chain);
        }
        for (table, chain) in std::mem::take(&mut self.chains_to_add) {
            if let Some(table) = self.ruleset.tables.get_mut(table) {
                table.chains.push(chain);
            }
        }
    }

    /// Removes tables. Indexes that were handed out are void then.
    pub fn remove_tables(&mut self, gone: impl Fn(&Table) -> bool) {
        self.settle();
        self.ruleset.tables.retain(|t| !gone(t));
        self.index();
    }

    /// Changes chains as such. Indexes that were handed out are void then.
    pub fn change_chains(&mut self, table: usize, change: impl FnOnce(&mut Vec<Chain>)) {
        self.settle();
        change(&mut self.ruleset.tables[table].chains);
        self.index();
    }

    fn index(&mut self) {
        let names = |t: &Table| t.chains.iter().enumerate().map(|(i, c)| (c.name.clone(), i)).collect();
        self.chains = self.ruleset.tables.iter().map(names).collect();
    }

    /// The ruleset when all was read.
    pub fn finish(mut self) -> Ruleset {
        self.settle();
        normal::finish(&mut self.ruleset);
        self.ruleset
    }
}
