//! Fields of an entry: splices that give one a value, none when it has that value.

use super::entry::{End, What};
use super::sections::{El, Splice, Tree, child, children, own_text};
use crate::xml::Item;

/// Order of the elements of a port forward (`saveNATrule` of pfSense's `firewall_nat.inc`).
pub(in crate::dialect::pfsense) const FORWARD: [&str; 12] = [
    "disabled",
    "nordr",
    "source",
    "destination",
    "ipprotocol",
    "protocol",
    "target",
    "local-port",
    "interface",
    "descr",
    "associated-rule-id",
    "natreflection",
];

/// Order of the elements of a filter rule (pfSense's `firewall_rules_edit.php`, as its exports show it).
pub(in crate::dialect::pfsense) const RULE: [&str; 11] = [
    "id",
    "tracker",
    "type",
    "disabled",
    "interface",
    "ipprotocol",
    "protocol",
    "source",
    "destination",
    "descr",
    "gateway",
];

/// Text of a child.
pub(in crate::dialect::pfsense) fn leaf(
    tree: &Tree,
    entry: El,
    order: &[&str],
    name: &'static str,
    value: &str,
) -> Vec<Splice> {
    match child(entry, name) {
        Some(old) if own_text(old) == value => Vec::new(),
        Some(old) => vec![tree.set_text(old, value, false)],
        None => vec![tree.put(entry, order, &Item::Text(name, value.to_owned()))],
    }
}

/// A child that counts by presence, or that is there only with a value.
pub(in crate::dialect::pfsense) fn presence(
    tree: &Tree,
    entry: El,
    order: &[&str],
    item: &Item,
    on: bool,
) -> Vec<Splice> {
    let old: Vec<El> = children(entry, item.name()).collect();
    match (on, old.is_empty()) {
        (true, true) => vec![tree.put(entry, order, item)],
        (false, false) => old.into_iter().map(|o| tree.remove(o)).collect(),
        _ => Vec::new(),
    }
}

/// Address of `<source>` or `<destination>`; its port stays, "Invert match" goes.
pub(in crate::dialect::pfsense) fn end(
    tree: &Tree,
    entry: El,
    order: &[&str],
    name: &'static str,
    what: &What,
) -> Vec<Splice> {
    let Some(at) = child(entry, name) else {
        return vec![tree.put(entry, order, &End::of(what.clone(), None).item(name))];
    };
    let now = End::read(entry, name);
    let mut kinds = at.children().filter(|n| n.is_element() && !n.has_tag_name("port") && !n.has_tag_name("not"));
    let mut splices: Vec<Splice> = children(at, "not").map(|n| tree.remove(n)).collect();
    match kinds.next() {
        Some(_) if now.what == *what => {}
        Some(first) => {
            splices.push(tree.replace(first, &what.item()));
            splices.extend(kinds.map(|k| tree.remove(k)));
        }
        None => splices.push(tree.put(at, &["any", "network", "address", "not", "port"], &what.item())),
    }
    splices
}

/// Destination ports.
pub(in crate::dialect::pfsense) fn ports(tree: &Tree, entry: El, order: &[&str], value: &str) -> Vec<Splice> {
    let Some(at) = child(entry, "destination") else {
        return vec![tree.put(entry, order, &End::of(What::Any, Some(value.to_owned())).item("destination"))];
    };
    if End::read(entry, "destination").port.as_deref() == Some(value) {
        return Vec::new();
    }
    leaf(tree, at, &["any", "network", "address", "not", "port"], "port", value)
}
