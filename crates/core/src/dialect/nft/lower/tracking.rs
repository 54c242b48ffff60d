//! Whether connections are tracked at all.
//!
//! Linux tracks the connections of a family once some expression asks for it (`nf_ct_netns_get`, called when a ct, nat,
//! masquerade, redirect … expression is set up); a chain of type nat alone does not. Without tracking, chains of type
//! nat are never consulted.

use crate::dialect::nft::ast::{Elem, Expr, Field, Stmt, Table};
use crate::model::Families;

/// Families whose connections some rule of these tables makes the kernel track.
pub(super) fn tracked<'a>(tables: impl Iterator<Item = &'a Table>) -> Families {
    let mut out = Families { v4: false, v6: false };
    for table in tables {
        let mut stmts = table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.stmts);
        if stmts.any(stmt) || table.objects.iter().any(|o| o.kind.starts_with("ct ") || &*o.kind == "synproxy") {
            let has = super::families(table.family);
            out.v4 |= has.v4;
            out.v6 |= has.v6;
        }
    }
    out
}

fn stmt(s: &Stmt) -> bool {
    match s {
        Stmt::Match { left, right, .. } | Stmt::Vmap(left, right) | Stmt::Mangle(left, right) => {
            expr(left) || expr(right)
        }
        // What nobody can read may well ask for it, as may the extensions of xtables.
        Stmt::Nat { .. } | Stmt::CtCount | Stmt::Xt(_) | Stmt::Lost(_) | Stmt::Unread(_) => true,
        Stmt::NoEffect(word) => word.starts_with("ct "),
        Stmt::Effect(word, _) => matches!(&**word, "flow" | "synproxy"),
        Stmt::SetUpdate { key, data, stmts, .. } => {
            expr(key) || data.as_deref().is_some_and(expr) || stmts.iter().any(stmt)
        }
        Stmt::Meter { key, stmts } => expr(key) || stmts.iter().any(stmt),
        Stmt::Verdict(_) | Stmt::Limit(_) | Stmt::Quota | Stmt::Reject(_) | Stmt::Notrack => false,
    }
}

fn expr(e: &Expr) -> bool {
    match e {
        Expr::Field(Field::Ct { .. }) => true,
        // `ct helper set … map …`, `jhash ct original saddr …`
        Expr::Field(Field::Other(text)) | Expr::Opaque(text) => text.split(' ').any(|word| word == "ct"),
        Expr::Concat(parts) | Expr::Flags(parts) => parts.iter().any(expr),
        Expr::Bin(_, sides) | Expr::Map(sides) | Expr::Range(sides) => expr(&sides.0) || expr(&sides.1),
        Expr::Prefix(inner, _) => expr(inner),
        Expr::Set(elems) => elems.iter().any(|e: &Elem| e.stmts.iter().any(stmt)),
        _ => false,
    }
}
