//! Comparisons that nftables joins into one of another meaning.

use super::Lowering;
use super::matching::step;
use super::sets::Row;
use crate::cube::Set;
use crate::dialect::nft::ast::{Cmp, Expr, Field, Stmt};
use crate::dialect::nft::print;
use crate::model::{Key, KeyField, Step, Test};

/// A comparison `sport != value` or `dport != value` with a plain value.
fn unequal_port(stmt: &Stmt) -> Option<(&Expr, &str, &Expr)> {
    match stmt {
        Stmt::Match { left, op: Cmp::Ne, right: right @ (Expr::Num(_) | Expr::Word(_)) } => match left {
            Expr::Field(Field::Payload(_, name)) if matches!(&**name, "sport" | "dport") => Some((left, name, right)),
            _ => None,
        },
        _ => None,
    }
}

/// Two comparisons of a rule, by index, that nft may merge into one of another meaning: `udp sport != 1 udp dport != 2`
/// becomes one comparison of four bytes (`payload_try_merge`, src/payload.c of nftables 1.0.6; `nft --debug=netlink`
/// shows it), and the listing shows the two again.
pub(super) fn merged_ports(stmts: &[Stmt]) -> Option<(usize, usize)> {
    let mut found = stmts.iter().enumerate().filter_map(|(i, s)| unequal_port(s).map(|(_, name, _)| (i, name)));
    let ((first, one), (second, other)) = (found.next()?, found.next()?);
    (one != other).then_some((first, second))
}

impl Lowering<'_> {
    /// Two `!=` on the ports of one rule, which nft merges: see [`merged_ports`].
    pub(super) fn merged_ports(&mut self, first: &Stmt, second: &Stmt, steps: &mut Vec<Step>) {
        let (Some(a), Some(b)) = (unequal_port(first), unequal_port(second)) else { return };
        let (mut keys, mut sets) = (Vec::new(), Vec::new());
        for (left, _, right) in [a, b] {
            let found = self.keys(left);
            self.needs(&found.needs, steps);
            let known = match (&found.read[..], &found.columns[..]) {
                ([key], [column]) => column.values(right).ok().map(|set| (*key, set)),
                _ => None,
            };
            let Some((key, set)) = known else {
                let what = format!("whether `{}` and `{}` hold", print::stmt(first), print::stmt(second));
                steps.push(self.undecided(what, ""));
                return;
            };
            keys.push(key);
            sets.push(set);
        }
        let what = format!(
            "whether `{} {}` asks for both: nft 1.0.6 loads the two as one comparison, which holds unless both ports \
             are equal",
            print::stmt(first),
            print::stmt(second)
        );
        let doubt = self.doubt(what, "the rule written with sets: `sport != { … } dport != { … }`", false);
        keys.push(Key::of(KeyField::Unknown(doubt, 1)));
        let (is_x, is_y) = (sets[0].clone(), sets[1].clone());
        let (not_x, not_y) = (is_x.complement(), is_y.complement());
        let boxes: Vec<Row> = vec![
            Box::new([not_x.clone(), not_y.clone(), Set::range(0, 1)]),
            Box::new([is_x, not_y, Set::one(1)]),
            Box::new([not_x, is_y, Set::one(1)]),
        ];
        steps.push(step(&keys, Test::Boxes(boxes.into()), false));
    }
}
