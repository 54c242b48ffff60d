//! What `nft list` does not say of the rules of iptables.
//!
//! nft prints extensions of xtables in its own words as far as libxtables translates them, and some translations leave
//! things out. Seen with nft 1.0.6 and iptables 1.8.9, by comparing `iptables-save` with `nft list ruleset`:
//!
//! - A listing of both families shows DNAT, SNAT, MASQUERADE, REDIRECT, TCPMSS, DSCP, TOS and TEE of the family that
//!   comes second as nothing at all: the rule ends with its counter, and with a blank behind it (libxtables loads the
//!   library of both families once, for the first). Others have a library for each family, or one for all.
//! - `--ctstate` with DNAT or SNAT becomes `ct status dnat`: other states beside it and a negation are lost
//!   (`conntrack3_mt_xlate` in iptables' `extensions/libxt_conntrack.c`).
//! - `--src-type` hides `--dst-type`, and shows its negation as its own (`addrtype_v1_xlate`, `libxt_addrtype.c`).
//! - `! --ports` loses its negation (`multiport_xlate_v1`, `libxt_multiport.c`).
//!
//! JSON names these extensions and no more, so nothing is wrong there.

use crate::dialect::nft::ast::{Chain, Expr, Field, HookName, Lost, Rule, Stmt, Table, TableFamily};
use crate::dialect::nft::ast::{Cmp, Ruleset};
use crate::dialect::nft::print;
use crate::snapshot::Source;
use std::cell::OnceCell;

/// Tables that iptables has.
const TABLES: &[&str] = &["filter", "nat", "mangle", "raw", "security"];

/// Chains of iptables with the hooks that they sit on.
const CHAINS: &[(&str, HookName)] = &[
    ("PREROUTING", HookName::Prerouting),
    ("INPUT", HookName::Input),
    ("FORWARD", HookName::Forward),
    ("OUTPUT", HookName::Output),
    ("POSTROUTING", HookName::Postrouting),
];

/// Marks in the tables of iptables what their listing may have lost.
pub(super) fn mark(ruleset: &mut Ruleset, sources: &[Source]) {
    let mut families: Vec<TableFamily> =
        ruleset.tables.iter().filter(|t| is_of_iptables(t)).map(|t| t.family).collect();
    families.dedup();
    // Before another family nothing is lost. A part of a listing does not tell which family was first.
    let whole = families.first().copied().filter(|_| families.len() > 1);
    let texts: Vec<Text<'_>> = sources.iter().map(|s| Text { text: &s.text, kept: OnceCell::new() }).collect();
    for table in ruleset.tables.iter_mut().filter(|t| is_of_iptables(t)) {
        let targets = match &*table.name {
            // Those that only rewrite headers other than addresses and ports, or send copies.
            "mangle" => Targets::Shown,
            "nat" if Some(table.family) != whole => Targets::MayBeLost,
            _ => Targets::LostWithBlank,
        };
        table.chains.iter_mut().for_each(|c| mark_chain(c, targets, &texts));
    }
}

/// What a rule without a target means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Targets {
    /// It has none that matters.
    Shown,
    /// It has one where a blank stands behind the counter.
    LostWithBlank,
    /// It may have one, unless the text tells that it has none.
    MayBeLost,
}

/// iptables makes these tables with these chains only; people who write for nft may do the same, but seldom do.
fn is_of_iptables(table: &Table) -> bool {
    let mut bases = table.chains.iter().filter_map(|c| c.base.as_ref().map(|b| (&*c.name, b.hook))).peekable();
    matches!(table.family, TableFamily::Ip | TableFamily::Ip6)
        && TABLES.contains(&&*table.name)
        && bases.peek().is_some()
        && bases.all(|base| CHAINS.contains(&base))
}

fn mark_chain(chain: &mut Chain, targets: Targets, texts: &[Text<'_>]) {
    for rule in &mut chain.rules {
        // iptables gives each of its rules a counter.
        if !rule.stmts.iter().any(is_counter) {
            continue;
        }
        if rule.stmts.last().is_some_and(is_counter) && lost_its_target(rule, targets, texts) {
            rule.stmts.push(Stmt::Lost(Lost::Target));
        }
        for i in (0..rule.stmts.len()).rev() {
            match misread(&rule.stmts[i]) {
                Misread::No => {}
                Misread::Whole => {
                    let shown = print::stmt(&rule.stmts[i]).into();
                    rule.stmts[i] = Stmt::Lost(Lost::Condition(shown));
                }
                Misread::More => {
                    let shown = print::stmt(&rule.stmts[i]).into();
                    rule.stmts.insert(i + 1, Stmt::Lost(Lost::Condition(shown)));
                }
            }
        }
    }
}

fn is_counter(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::NoEffect(word) if &**word == "counter")
}

/// A lost target leaves a blank behind the counter. Copying often takes such blanks away: only a text that still has
/// some tells that a rule without one has no target.
fn lost_its_target(rule: &Rule, targets: Targets, texts: &[Text<'_>]) -> bool {
    let Some(text) = texts.get(usize::from(rule.at.source.0)) else { return targets == Targets::MayBeLost };
    let rest = text.text.get(rule.at.end as usize..).unwrap_or_default();
    let here = rest.split('\n').next().is_some_and(blank);
    match targets {
        Targets::Shown => false,
        Targets::LostWithBlank => here,
        Targets::MayBeLost => here || !text.keeps_blanks(),
    }
}

fn blank(line: &str) -> bool {
    line.strip_suffix('\r').unwrap_or(line).ends_with(' ')
}

/// A text, and whether it has such blanks.
struct Text<'s> {
    text: &'s str,
    kept: OnceCell<bool>,
}

impl Text<'_> {
    fn keeps_blanks(&self) -> bool {
        *self.kept.get_or_init(|| self.text.lines().any(|line| line.contains("counter ") && blank(line)))
    }
}

enum Misread {
    No,
    /// It may be another condition.
    Whole,
    /// It holds, and another one may have to hold as well.
    More,
}

fn misread(stmt: &Stmt) -> Misread {
    let Stmt::Match { left, op, right } = stmt else { return Misread::No };
    let plain = matches!(op, Cmp::Implicit | Cmp::Eq);
    match left {
        Expr::Field(Field::Ct { key, .. }) if &**key == "status" => {
            let translated = matches!(right, Expr::Word(w) if matches!(&**w, "dnat" | "snat"));
            if translated { Misread::Whole } else { Misread::No }
        }
        Expr::Field(Field::Fib(flags, result)) if &**result == "type" && flags.iter().any(|f| &**f == "saddr") => {
            if plain {
                Misread::More
            } else {
                Misread::Whole
            }
        }
        Expr::Concat(parts) if plain => {
            let port = |e: &Expr, end: &str| matches!(e, Expr::Field(Field::Payload(_, name)) if &**name == end);
            let both = matches!(&parts[..], [a, b] if port(a, "sport") && port(b, "dport"));
            let any = |e: &Expr| matches!(e, Expr::Range(r) if matches!(**r, (Expr::Num(0), Expr::Num(65535))));
            let either = |e: &Expr| matches!(e, Expr::Concat(sides) if sides.iter().any(any));
            let of_either = matches!(right, Expr::Set(elems) if elems.iter().all(|e| either(&e.key)));
            if both && of_either { Misread::Whole } else { Misread::No }
        }
        _ => Misread::No,
    }
}
