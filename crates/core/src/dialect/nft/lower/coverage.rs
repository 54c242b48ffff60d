//! How much of a ruleset was understood.

use crate::dialect::nft::ast::{Ruleset, Stmt, TableFamily};
use crate::dialect::nft::print;

/// Kinds of statements, as summaries group them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// Comparisons.
    Match,
    /// Verdicts, rejects and verdict maps.
    Verdict,
    /// Address translation.
    Nat,
    /// Statements that set marks or header fields, and `notrack`.
    Change,
    /// Limits, quotas, connection counts.
    Limit,
    /// Statements that change sets.
    Set,
    /// Statements without effect on a packet's fate.
    NoEffect,
    /// Queues, offloading, proxies.
    Effect,
    /// Extensions of xtables.
    Xtables,
    /// What was not understood.
    Unread,
}

impl StatementKind {
    /// All kinds, in the order of [`Coverage::kinds`].
    pub const ALL: [Self; 10] = [
        Self::Match,
        Self::Verdict,
        Self::Nat,
        Self::Change,
        Self::Limit,
        Self::Set,
        Self::NoEffect,
        Self::Effect,
        Self::Xtables,
        Self::Unread,
    ];

    /// Its name in summaries.
    pub fn name(self) -> &'static str {
        ["match", "verdict", "nat", "change", "limit", "set", "no effect", "effect", "xtables", "unread"][self as usize]
    }

    fn of(stmt: &Stmt) -> Self {
        match stmt {
            Stmt::Match { .. } => Self::Match,
            Stmt::Verdict(_) | Stmt::Vmap(..) | Stmt::Reject(_) => Self::Verdict,
            Stmt::Nat { .. } => Self::Nat,
            Stmt::Mangle(..) | Stmt::Notrack => Self::Change,
            Stmt::Limit(_) | Stmt::Quota | Stmt::CtCount => Self::Limit,
            Stmt::SetUpdate { .. } | Stmt::Meter { .. } => Self::Set,
            Stmt::NoEffect(_) => Self::NoEffect,
            Stmt::Effect(..) => Self::Effect,
            Stmt::Xt(_) | Stmt::Lost(_) => Self::Xtables,
            Stmt::Unread(_) => Self::Unread,
        }
    }
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Understood,
    Approximated,
    Unread,
    Irrelevant,
}

/// How much of a ruleset was understood, in statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Statements in rules, and pieces of text outside of rules that were not understood.
    pub statements: usize,
    /// Of these, modelled exactly, or known not to change any fate.
    pub understood: usize,
    /// Approximated soundly: known to nftables, left open in the model.
    pub approximated: usize,
    /// Not understood: they taint the packets that may meet them.
    pub unread: usize,
    /// Of the understood ones, those in tables that no routed packet meets: bridge, arp, dormant. See [`ignored`].
    pub irrelevant: usize,
    /// Statements by kind, and how many of them are approximated; indexed by `StatementKind as usize`.
    pub kinds: [(usize, usize); StatementKind::ALL.len()],
}

impl Coverage {
    /// The figures that every dialect has.
    pub fn total(&self) -> crate::dialect::Counts {
        crate::dialect::Counts {
            statements: self.statements,
            understood: self.understood,
            approximated: self.approximated,
            unread: self.unread,
        }
    }

    /// Adds another ruleset's figures.
    pub fn add(&mut self, other: Self) {
        self.statements += other.statements;
        self.understood += other.understood;
        self.approximated += other.approximated;
        self.unread += other.unread;
        self.irrelevant += other.irrelevant;
        for (mine, others) in self.kinds.iter_mut().zip(other.kinds) {
            mine.0 += others.0;
            mine.1 += others.1;
        }
    }

    pub(super) fn count(&mut self, stmt: &Stmt, outcome: Outcome) {
        self.tally(StatementKind::of(stmt), outcome);
    }

    /// A piece of text outside of rules.
    pub(super) fn count_unread(&mut self) {
        self.tally(StatementKind::Unread, Outcome::Unread);
    }

    fn tally(&mut self, kind: StatementKind, outcome: Outcome) {
        self.statements += 1;
        let kind = &mut self.kinds[kind as usize];
        kind.0 += 1;
        match outcome {
            Outcome::Understood => self.understood += 1,
            Outcome::Approximated => {
                self.approximated += 1;
                kind.1 += 1;
            }
            Outcome::Unread => self.unread += 1,
            Outcome::Irrelevant => {
                self.understood += 1;
                self.irrelevant += 1;
            }
        }
    }
}

/// Chains that no routed packet meets, as `table bridge filter, chain forward`.
pub fn ignored(ruleset: &Ruleset) -> Vec<String> {
    let tables = ruleset.tables.iter().filter(|t| !is_on_the_way(t));
    tables.flat_map(|t| t.chains.iter().map(|c| object(t, c))).collect()
}

/// Tables that a routed packet meets.
pub(super) fn is_on_the_way(table: &crate::dialect::nft::ast::Table) -> bool {
    !table.dormant && !matches!(table.family, TableFamily::Arp | TableFamily::Bridge)
}

/// How reports name a chain.
pub(super) fn object(table: &crate::dialect::nft::ast::Table, chain: &crate::dialect::nft::ast::Chain) -> String {
    format!("table {} {}, chain {}", print::family(table.family), table.name, chain.name)
}
