//! The ruleset as it grows while it is read, and the changes that commands make to it.

use super::ast::{Chain, Rule, Ruleset, Set, Table, TableFamily};
use super::normal;
use crate::model::SourceSpan;
use std::collections::{HashMap, HashSet};

/// Indexes by name.
type Names = HashMap<Box<str>, usize>;

/// A ruleset that is being read.
#[derive(Default)]
pub(super) struct Build {
    pub ruleset: Ruleset,
    /// Chains without a name so far.
    pub anonymous: usize,
    /// Those chains and the index of their table: they come behind the named ones.
    pub chains_to_add: Vec<(usize, Chain)>,
    /// Index of each table, by family and name.
    tables: HashMap<TableFamily, Names>,
    /// Index of each chain, by table and name.
    chains: Vec<Names>,
    /// Index of each set, by table and name.
    sets: Vec<Names>,
    /// Tables, chains and sets that were removed. They keep their places until all was read, so that indexes stay true and
    /// thousands of removals take no longer than as many additions.
    gone_tables: HashSet<usize>,
    gone_chains: HashSet<(usize, usize)>,
    gone_sets: HashSet<(usize, usize)>,
    /// Rules inserted at the head of a chain, the last one first in evaluation.
    heads: HashMap<(usize, usize), Vec<Rule>>,
}

impl Build {
    /// A ruleset that was read, to be changed.
    pub fn of(ruleset: Ruleset) -> Self {
        let mut out = Self::default();
        for (n, table) in ruleset.tables.iter().enumerate() {
            let chains = table.chains.iter().enumerate().map(|(i, c)| (c.name.clone(), i));
            let sets = table.sets.iter().enumerate().map(|(i, s)| (s.name.clone(), i));
            out.chains.push(chains.collect());
            out.sets.push(sets.collect());
            out.tables.entry(table.family).or_default().insert(table.name.clone(), n);
        }
        Self { ruleset, ..out }
    }

    /// The table of this name, if there is one.
    pub fn find_table(&self, family: TableFamily, name: &str) -> Option<usize> {
        self.tables.get(&family)?.get(name).copied()
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
        self.chains.push(Names::new());
        self.sets.push(Names::new());
        let index = self.ruleset.tables.len() - 1;
        self.tables.entry(family).or_default().insert(name.into(), index);
        index
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

    /// The set of this name, if there is one.
    pub fn set(&mut self, table: usize, name: &str) -> Option<&mut Set> {
        let index = *self.sets.get(table)?.get(name)?;
        self.ruleset.tables[table].sets.get_mut(index)
    }

    /// Adds a set, or its elements to the one of this name.
    pub fn add_set(&mut self, table: usize, mut set: Set) {
        if let Some(known) = self.set(table, &set.name) {
            known.elems.append(&mut set.elems);
            return;
        }
        let sets = &mut self.ruleset.tables[table].sets;
        self.sets[table].insert(set.name.clone(), sets.len());
        sets.push(set);
    }

    /// Removes a set.
    pub fn remove_set(&mut self, table: usize, name: &str) {
        self.gone_sets.extend(self.sets[table].remove(name).map(|set| (table, set)));
    }

    /// Removes the tables of a family, or all.
    pub fn remove_tables(&mut self, only: Option<TableFamily>) {
        for (_, names) in self.tables.iter_mut().filter(|(family, _)| only.is_none_or(|f| f == **family)) {
            self.gone_tables.extend(names.drain().map(|(_, table)| table));
        }
    }

    /// Removes a table.
    pub fn remove_table(&mut self, family: TableFamily, name: &str) {
        self.gone_tables.extend(self.tables.get_mut(&family).and_then(|names| names.remove(name)));
    }

    /// Removes a chain.
    pub fn remove_chain(&mut self, table: usize, name: &str) {
        self.gone_chains.extend(self.chains[table].remove(name).map(|chain| (table, chain)));
    }

    /// Gives a chain another name.
    pub fn rename_chain(&mut self, table: usize, old: &str, new: &str) {
        if let Some(chain) = self.chains[table].remove(old) {
            self.ruleset.tables[table].chains[chain].name = new.into();
            self.chains[table].insert(new.into(), chain);
        }
    }

    /// Takes out what was removed.
    fn sweep(&mut self) {
        let (tables, chains, sets) = (&self.gone_tables, &self.gone_chains, &self.gone_sets);
        let touched: HashSet<usize> = chains.iter().chain(sets).map(|(table, _)| *table).collect();
        for n in touched {
            let table = &mut self.ruleset.tables[n];
            keep(&mut table.chains, |i| !chains.contains(&(n, i)));
            keep(&mut table.sets, |i| !sets.contains(&(n, i)));
        }
        keep(&mut self.ruleset.tables, |i| !tables.contains(&i));
    }

    /// The ruleset when all was read.
    pub fn finish(mut self) -> Ruleset {
        self.settle();
        self.sweep();
        normal::finish(&mut self.ruleset);
        self.ruleset
    }
}

/// Keeps what has one of these indexes.
fn keep<T>(list: &mut Vec<T>, kept: impl Fn(usize) -> bool) {
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        kept(at - 1)
    });
}
