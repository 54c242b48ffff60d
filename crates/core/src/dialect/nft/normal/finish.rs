//! What can be said only when the whole ruleset was read.

use super::types::{Writing, key_writing};
use crate::dialect::nft::ast::{Elem, Ruleset, Set, Stmt, Table};
use std::collections::{HashMap, HashSet};

/// Brings named sets into their one form and gives back unused memory.
pub(in crate::dialect::nft) fn finish(ruleset: &mut Ruleset) {
    for table in &mut ruleset.tables {
        let updated = updated(table);
        for set in &mut table.sets {
            flags(set, updated.contains(&*set.name));
            let writings = key_writing(&set.key);
            if writings.iter().any(|w| *w != Writing::Plain) {
                let elems = std::mem::take(&mut set.elems);
                set.elems = elems.into_iter().map(|e| Elem { key: super::rewrite(&writings, e.key), ..e }).collect();
            }
            // Each element has the set's timeout then; listings say so of each.
            set.elems.iter_mut().for_each(|e| e.timeout |= set.timeout);
            set.elems.shrink_to_fit();
        }
        set_statements(table);
        for chain in &mut table.chains {
            chain.rules.shrink_to_fit();
        }
    }
}

/// An update runs the statements of its set too. nft does not list them with the update when both are the same.
fn set_statements(table: &mut Table) {
    let of_sets: HashMap<&str, &Vec<Stmt>> =
        table.sets.iter().filter(|s| !s.stmts.is_empty()).map(|s| (&*s.name, &s.stmts)).collect();
    if of_sets.is_empty() {
        return;
    }
    for stmt in table.chains.iter_mut().flat_map(|c| &mut c.rules).flat_map(|r| &mut r.stmts) {
        if let Stmt::SetUpdate { set, stmts, .. } = stmt
            && stmts.is_empty()
            && let Some(of_set) = of_sets.get(&**set)
        {
            stmts.extend(of_set.iter().cloned());
        }
    }
}

/// Names of sets whose contents change while packets pass.
fn updated(table: &Table) -> HashSet<Box<str>> {
    let mut names = HashSet::new();
    let stmts = table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.stmts);
    for stmt in stmts {
        match stmt {
            Stmt::SetUpdate { set, .. } => {
                names.insert(set.clone());
            }
            // It may be an update in a writing that is not known.
            Stmt::Unread(text) => {
                let updates = ["add @", "update @", "delete @", "\"op\":\"add", "\"op\":\"update", "\"op\":\"delete"];
                if updates.iter().any(|u| text.contains(u)) {
                    let of_table = table.sets.iter().filter(|s| text.contains(&format!("@{}", s.name)));
                    names.extend(of_table.map(|s| s.name.clone()));
                }
            }
            _ => {}
        }
    }
    names
}

fn flags(set: &mut Set, updated: bool) {
    let has = |word: &str| set.flags.iter().any(|f| &**f == word);
    let keep = [
        ("constant", has("constant")),
        ("interval", has("interval")),
        ("timeout", has("timeout") || set.timeout),
        ("dynamic", updated),
    ];
    set.flags = keep.into_iter().filter(|(_, on)| *on).map(|(word, _)| word.into()).collect();
}
