//! Firewall > NAT > Outbound.

use super::Step;
use super::words::{description, interface, name};
use crate::dialect::pfsense::edit::NewOutbound;
use crate::dialect::pfsense::splice::outbound::{rules, section, shown};
use crate::dialect::pfsense::splice::sections::{Tree, text};

const PAGE: &str = "Firewall > NAT > Outbound";

pub(super) fn mode(mode: &str) -> Step {
    Step { page: PAGE.into(), lines: vec![format!("Mode: {}", shown(mode))], save: true }
}

/// The mode as it was; automatic where the configuration names none.
pub(super) fn mode_back(old: &Tree) -> Step {
    mode(&section(old).map(|s| text(s, "mode")).unwrap_or_default())
}

pub(super) fn add(tree: &Tree, new: &NewOutbound) -> Step {
    let mut lines = vec![format!("Interface: {}", interface(tree, &new.interface))];
    lines.push(format!("Address Family: {}", if new.v6 { "IPv6" } else { "IPv4" }));
    lines.push("Protocol: any".into());
    lines.push(format!("Source: Network or Alias: {}", new.source));
    lines.push("Destination: Any".into());
    lines.push(match &new.target {
        Some(address) => format!("Translation address: {address}"),
        None => format!("Translation address: {} address", interface(tree, &new.interface)),
    });
    lines.extend(description(&new.descr));
    Step { page: format!("{PAGE}, Add (to the top of the list)"), lines, save: true }
}

/// The new rule is the first one.
pub(super) fn delete(new: &Tree) -> Step {
    Step { page: format!("{PAGE}, delete {}", name(&rules(new), 0)), lines: Vec::new(), save: false }
}
