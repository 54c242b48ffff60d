//! Rules and shell lines as text.

use super::way::Seen;
use crate::change::{Packets, network, shell_word};
use crate::dialect::nft::ast::TableFamily;
use crate::dialect::nft::print;
use crate::model::Family;
use crate::visible::hidden;
use std::net::IpAddr;

/// `NFTNL_UDATA_COMMENT_MAXLEN` (libnftnl's udata.h) is 128 with the final zero.
const LONGEST_TAG: usize = 120;

/// The comment of every rule that a change adds. Nothing in it ends a quotation of nft or of a shell.
pub(super) fn tag(name: &str) -> String {
    let mut tag = String::from("callpath: ");
    for c in name.chars().filter(|c| !hidden(*c) && !"\"'\\$`".contains(*c)) {
        if tag.len() + c.len_utf8() > LONGEST_TAG {
            break;
        }
        tag.push(c);
    }
    tag.trim_end().to_owned()
}

/// One item, or a set of several.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}

/// `udp dport 50000-60000`
fn ports(packets: &Packets, ports: &[(u16, u16)]) -> String {
    let shown: Vec<String> =
        ports.iter().map(|(lo, hi)| if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") }).collect();
    match &shown[..] {
        [] => format!("meta l4proto {}", packets.proto.name()),
        shown => format!("{} dport {}", packets.proto.name(), list(shown)),
    }
}

/// The header word of a family: `ip`, `ip6`.
pub(super) fn header(family: Family) -> &'static str {
    if family == Family::V4 { "ip" } else { "ip6" }
}

/// The conditions of a rule.
pub(super) struct Conditions<'a> {
    pub packets: &'a Packets,
    pub ports: &'a [(u16, u16)],
    pub to: Option<IpAddr>,
    /// Interfaces that can be asked for where the rule stands.
    pub in_iface: bool,
    pub out_iface: bool,
}

impl std::fmt::Display for Conditions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Packets { family, from, in_ifaces, out_iface, .. } = self.packets;
        for (word, names, seen) in
            [("iifname", &in_ifaces[..], self.in_iface), ("oifname", out_iface.as_slice(), self.out_iface)]
        {
            if seen && !names.is_empty() {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                write!(f, "{word} {} ", list(&names))?;
            }
        }
        if !from.is_empty() {
            let shown: Vec<String> = from.iter().map(network).collect();
            write!(f, "{} saddr {} ", header(*family), list(&shown))?;
        }
        if let Some(to) = self.to {
            write!(f, "{} daddr {to} ", header(*family))?;
        }
        f.write_str(&ports(self.packets, self.ports))
    }
}

/// Conditions that hold in a filter chain: the interface of departure is known only once the packet is routed.
pub(super) fn seen_by<'a>(packets: &'a Packets, ports: &'a [(u16, u16)], to: IpAddr, seen: &Seen) -> Conditions<'a> {
    Conditions { packets, ports, to: Some(to), in_iface: true, out_iface: seen.routed }
}

/// A chain as commands name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChainName {
    pub family: TableFamily,
    pub table: Box<str>,
    pub chain: Box<str>,
}

impl std::fmt::Display for ChainName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", print::family(self.family), self.table, self.chain)
    }
}

/// A command for a shell.
pub(super) fn shell(command: &str) -> String {
    format!("nft {}", shell_word(command))
}

/// Deletes the rules of a chain that carry a comment, whatever handles they have got.
pub(super) fn remove(chain: &ChainName, tag: &str) -> String {
    let rule = shell_word(&format!("comment \"{tag}\" # handle"));
    format!(
        "nft -a list chain {chain} | grep -F {rule} | sed 's/.* # handle //' | \
         while read -r h; do nft delete rule {chain} handle \"$h\"; done"
    )
}

/// Deletes a table, unless another change has rules in it.
pub(super) fn remove_table(family: TableFamily, table: &str) -> String {
    let of = format!("{} {table}", print::family(family));
    format!("nft list table {of} | grep -q 'comment \"' || nft delete table {of}")
}
