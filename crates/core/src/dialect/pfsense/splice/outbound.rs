//! Outbound translation: its mode, and rules by hand.

use super::entry::family;
use super::field::leaf;
use super::sections::{El, Splice, Tree, child, children, text};
use super::{Refused, Work, in_section, writable};
use crate::dialect::pfsense::edit::NewOutbound;
use crate::xml::Item;

/// Order of the elements of `<outbound>`.
const OUTBOUND: [&str; 2] = ["mode", "rule"];

/// `<outbound>`, where there is one.
pub(in crate::dialect::pfsense) fn section<'t>(tree: &'t Tree) -> Option<El<'t>> {
    tree.section("nat").ok().flatten().and_then(|nat| child(nat, "outbound"))
}

/// The rules by hand, in their order.
pub(in crate::dialect::pfsense) fn rules<'t>(tree: &'t Tree) -> Vec<El<'t>> {
    section(tree).map_or_else(Vec::new, |outbound| children(outbound, "rule").collect())
}

/// The first rule for packets of a new one does what that would.
fn known(tree: &Tree, new: &NewOutbound) -> bool {
    let absent = |rule: El, name| child(rule, name).is_none();
    let bare = |rule: El, name| text(rule, name).is_empty();
    let of_these = |rule: &El| {
        let source = child(*rule, "source").filter(|s| text(*s, "network") == new.source && absent(*s, "not"));
        text(*rule, "interface") == new.interface && source.is_some() && absent(*rule, "disabled")
    };
    rules(tree).into_iter().find(of_these).is_some_and(|rule| {
        child(rule, "destination").is_some_and(|d| child(d, "any").is_some())
            && text(rule, "ipprotocol") == family(new.v6)
            && text(rule, "target") == new.target.as_deref().unwrap_or_default()
            && absent(rule, "nonat")
            && ["protocol", "sourceport", "dstport"].iter().all(|name| bare(rule, name))
    })
}

/// A new `<outbound>`, before all forwards.
pub(in crate::dialect::pfsense) fn new_section(tree: &Tree, item: Item) -> Result<Splice, Refused> {
    let item = Item::Node("outbound", vec![item]);
    Ok(match tree.section("nat")? {
        Some(nat) => tree.put(nat, &["outbound"], &item),
        None => in_section(tree, "nat", item)?,
    })
}

impl Work {
    pub(super) fn set_outbound_mode(&mut self, mode: &'static str) -> Result<(), Refused> {
        self.change(|tree| {
            tree.section("nat")?;
            let item = Item::Text("mode", mode.to_owned());
            Ok(match section(tree) {
                Some(outbound) => leaf(tree, outbound, &OUTBOUND, "mode", mode),
                None => vec![new_section(tree, item)?],
            })
        })
    }

    /// A new rule before all others.
    pub(super) fn add_outbound(&mut self, new: &NewOutbound) -> Result<(), Refused> {
        let field = |value: &String| writable(value).map(str::to_owned);
        let new = &NewOutbound {
            interface: field(&new.interface)?,
            source: field(&new.source)?,
            target: new.target.as_ref().map(field).transpose()?,
            descr: field(&new.descr)?,
            ..*new
        };
        let item = Item::Node("rule", rule(new, &new.descr));
        self.change(|tree| {
            tree.section("nat")?;
            if known(tree, new) {
                return Ok(Vec::new());
            }
            Ok(vec![match (rules(tree).first(), section(tree)) {
                (Some(first), _) => tree.before(*first, &item),
                (None, Some(outbound)) => tree.put(outbound, &OUTBOUND, &item),
                (None, None) => new_section(tree, item)?,
            }])
        })
    }
}

/// The elements in the order in which pfSense's `firewall_nat_out.inc` (`saveNAToutRule`) sets them.
fn rule(new: &NewOutbound, descr: &str) -> Vec<Item> {
    vec![
        Item::Node("source", vec![Item::Text("network", new.source.clone())]),
        Item::Empty("sourceport"),
        Item::Cdata("descr", descr.to_owned()),
        new.target.as_ref().map_or(Item::Empty("target"), |t| Item::Text("target", t.clone())),
        new.target.as_ref().map_or(Item::Empty("target_subnet"), |_| {
            Item::Text("target_subnet", if new.v6 { "128" } else { "32" }.into())
        }),
        Item::Text("interface", new.interface.clone()),
        Item::Empty("poolopts"),
        Item::Empty("source_hash_key"),
        Item::Text("ipprotocol", family(new.v6).into()),
        Item::Node("destination", vec![Item::Empty("any")]),
    ]
}

/// How the page names a mode (`firewall_nat_out.php`).
pub(in crate::dialect::pfsense) fn shown(mode: &str) -> &'static str {
    match mode {
        "hybrid" => "Hybrid Outbound NAT rule generation",
        "advanced" => "Manual Outbound NAT rule generation",
        "disabled" => "Disable Outbound NAT rule generation",
        _ => "Automatic outbound NAT rule generation",
    }
}
