//! Comparisons that nftables joins into one of another meaning.
//!
//! nft 1.0.6 loads `!=` on header fields that lie side by side as one comparison of all their bytes, which holds unless
//! all values are equal (`payload_try_merge` in src/rule.c; `nft --debug=netlink` shows it). The listing shows them apart.

use super::Lowering;
use super::matching::step;
use super::sets::Row;
use crate::cube::Set;
use crate::dialect::nft::ast::{Cmp, Expr, Field, Stmt};
use crate::dialect::nft::print;
use crate::model::{Key, KeyField, Step, Test};

/// Bits of a header: which header, where they begin, and how many.
type Place = (&'static str, u32, u32);

/// Where a field lies, if it is whole bytes.
fn place(field: &Field) -> Option<Place> {
    let bytes = match field {
        Field::Payload(header, name) => known_place(header, name)?,
        Field::Raw(base, offset, length) => {
            (["ll", "nh", "th", "ih"].into_iter().find(|b| *b == &**base)?, *offset, *length)
        }
        _ => return None,
    };
    (bytes.1.is_multiple_of(8) && bytes.2.is_multiple_of(8)).then_some(bytes)
}

/// Fields of the headers that packets of calls have (RFC 768, 791, 8200, 9293; IEEE 802.3).
#[allow(clippy::match_same_arms)] // one line for each field, as the documents have them
fn known_place(header: &str, name: &str) -> Option<Place> {
    let (base, offset, length) = match (header, name) {
        ("ether", "daddr") => ("ll", 0, 48),
        ("ether", "saddr") => ("ll", 48, 48),
        ("ether", "type") => ("ll", 96, 16),
        ("ip", "length") => ("nh", 16, 16),
        ("ip", "id") => ("nh", 32, 16),
        ("ip", "frag-off") => ("nh", 48, 16),
        ("ip", "ttl") => ("nh", 64, 8),
        ("ip", "protocol") => ("nh", 72, 8),
        ("ip", "checksum") => ("nh", 80, 16),
        ("ip", "saddr") => ("nh", 96, 32),
        ("ip", "daddr") => ("nh", 128, 32),
        ("ip6", "length") => ("nh", 32, 16),
        ("ip6", "nexthdr") => ("nh", 48, 8),
        ("ip6", "hoplimit") => ("nh", 56, 8),
        ("ip6", "saddr") => ("nh", 64, 128),
        ("ip6", "daddr") => ("nh", 192, 128),
        (_, "sport") => ("th", 0, 16),
        (_, "dport") => ("th", 16, 16),
        ("udp" | "udplite", "length" | "csumcov") => ("th", 32, 16),
        ("udp" | "udplite", "checksum") => ("th", 48, 16),
        ("tcp", "sequence") => ("th", 32, 32),
        ("tcp", "ackseq") => ("th", 64, 32),
        ("tcp", "flags") => ("th", 104, 8),
        ("tcp", "window") => ("th", 112, 16),
        ("tcp", "checksum") => ("th", 128, 16),
        ("tcp", "urgptr") => ("th", 144, 16),
        _ => return None,
    };
    Some((base, offset, length))
}

/// A comparison `field != value` with a plain value.
fn unequal(stmt: &Stmt) -> Option<(&Expr, Place, &Expr)> {
    match stmt {
        Stmt::Match { left: left @ Expr::Field(field), op: Cmp::Ne, right: right @ (Expr::Num(_) | Expr::Word(_)) } => {
            Some((left, place(field)?, right))
        }
        _ => None,
    }
}

/// May nft join these two? Of the headers behind the link's, only what fits into four bytes.
fn side_by_side(a: Place, b: Place) -> bool {
    let most = if a.0 == "ll" { 128 } else { 32 };
    a.0 == b.0 && (a.1 + a.2 == b.1 || b.1 + b.2 == a.1) && a.2 + b.2 <= most
}

/// Groups of a rule's comparisons, by index, that nft may merge.
pub(super) fn merged(stmts: &[Stmt]) -> Vec<Vec<usize>> {
    let found: Vec<(usize, Place)> = stmts.iter().enumerate().filter_map(|(i, s)| Some((i, unequal(s)?.1))).collect();
    let mut groups: Vec<Vec<(usize, Place)>> = Vec::new();
    for one in found {
        let (near, far): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.iter().any(|other| side_by_side(one.1, other.1)));
        groups = far;
        groups.push(near.into_iter().flatten().chain([one]).collect());
    }
    let several = groups.into_iter().filter(|group| group.len() > 1);
    several
        .map(|group| {
            let mut at: Vec<usize> = group.into_iter().map(|(i, _)| i).collect();
            at.sort_unstable();
            at
        })
        .collect()
}

impl Lowering<'_> {
    /// Several `!=` of one rule that nft merges: see [`merged`].
    pub(super) fn merged(&mut self, stmts: &[&Stmt], steps: &mut Vec<Step>) {
        let (mut keys, mut sets) = (Vec::new(), Vec::new());
        for (left, _, right) in stmts.iter().filter_map(|s| unequal(s)) {
            let found = self.keys(left);
            self.needs(&found.needs, steps);
            if let ([key], [column]) = (&found.read[..], &found.columns[..])
                && let Ok(set) = column.values(right)
            {
                keys.push(*key);
                sets.push(set);
            }
        }
        let shown: Vec<String> = stmts.iter().map(|s| print::stmt(s)).collect();
        let what = format!(
            "whether `{}` asks for all of it: nft 1.0.6 loads such comparisons as one, which holds unless all values \
             are equal",
            shown.join(" ")
        );
        let supply = "the rule written with sets: `sport != { … } dport != { … }`";
        // Of three or more it depends on their order which are joined; and some fields differ from packet to packet.
        let ([_, _], [is_x, is_y]) = (stmts, &sets[..]) else {
            steps.push(self.undecided(what, supply));
            return;
        };
        let doubt = self.doubt(what, supply, false);
        keys.push(Key::of(KeyField::Unknown(doubt, 1)));
        let (not_x, not_y) = (is_x.complement(), is_y.complement());
        let boxes: Vec<Row> = vec![
            Box::new([not_x.clone(), not_y.clone(), Set::range(0, 1)]),
            Box::new([is_x.clone(), not_y, Set::one(1)]),
            Box::new([not_x, is_y.clone(), Set::one(1)]),
        ];
        steps.push(step(&keys, Test::Boxes(boxes.into()), false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::nft::text;
    use crate::model::SourceId;
    use crate::snapshot::Source;

    /// What `nft --debug=netlink` of nft 1.0.6 loads as one comparison, and what it does not.
    #[test]
    fn comparisons_side_by_side_are_merged_and_others_are_not() {
        let groups = |rule: &str| {
            let text = format!("table inet t {{ chain c {{ {rule}; }} }}");
            let tree = text::parse(SourceId(0), &[Source { name: "r".into(), text }]).expect("reads");
            let found = merged(&tree.tables[0].chains[0].rules[0].stmts);
            found.iter().map(Vec::len).collect::<Vec<_>>()
        };
        for (rule, sizes) in [
            ("udp dport != 1 udp dport != 2 udp sport != 3", vec![3]),
            ("ip protocol != tcp ip ttl != 64", vec![2]),
            ("udp dport != 2 udp length != 100", vec![2]),
            ("udp sport != 2 udp dport != 3 udp length != 100", vec![3]),
            ("ip6 nexthdr != 6 ip6 hoplimit != 5", vec![2]),
            ("@th,0,16 != 1 @th,16,16 != 2", vec![2]),
            ("udp sport != 1 @th,16,16 != 2", vec![2]),
            ("@th,16,8 != 1 @th,24,8 != 2", vec![2]),
            ("th sport != 1 udp dport != 2", vec![2]),
            ("tcp sport != 1 counter tcp dport != 2", vec![2]),
            ("ip length != 100 ip id != 2 ip protocol != 6 ip ttl != 4", vec![2, 2]),
            ("ether saddr != 00:11:22:33:44:55 ether type != ip", vec![2]),
            ("ip saddr != 192.0.2.1 ip daddr != 192.0.2.2", vec![]),
            ("udp sport != 2 udp length != 100", vec![]),
            ("udp dport != 2 udp dport != 3", vec![]),
            ("udp sport != 1-5 udp dport != 2", vec![]),
            ("udp sport 1 udp dport != 2", vec![]),
            ("@th,32,32 != 1 @th,16,16 != 2", vec![]),
            ("ip dscp != cs1 ip length != 5", vec![]),
        ] {
            assert_eq!(groups(rule), sizes, "{rule}");
        }
    }
}
