//! Firewall > NAT > Port Forward.

use super::Step;
use super::words::{self, description, end, interface, invert, name, old, ports, tick};
use crate::dialect::pfsense::edit::{Edit, ForwardField, NewForward, Reflection};
use crate::dialect::pfsense::splice::sections::{El, Tree, child};
use crate::dialect::pfsense::splice::{End, Forward, What, Work};
use crate::vocabulary::port_range;

const PAGE: &str = "Firewall > NAT > Port Forward";

pub(super) fn add(tree: &Tree, new: &NewForward) -> Step {
    let mut lines = vec![format!("Interface: {}", interface(tree, &new.interface))];
    if new.v6 {
        lines.push("Address Family: IPv6".into());
    }
    lines.push(format!("Protocol: {}", words::protocol(new.protocol)));
    if let Some(source) = &new.source {
        lines.push(format!("Source: {}", end(tree, &What::source(Some(source)))));
    }
    lines.extend([
        format!("Destination: {}", end(tree, &What::destination(&new.destination))),
        format!("Destination port range: {} to {}", new.ports.0, new.ports.1),
        format!("Redirect target IP: {}", new.target.trim()),
        format!("Redirect target port: {}", new.local_port),
    ]);
    lines.extend(description(&new.descr));
    if new.reflection != Reflection::Default {
        lines.push(format!("NAT reflection: {}", words::reflection(new.reflection)));
    }
    lines.push("Filter rule association: Add associated filter rule".into());
    // The page has two buttons; which one matters only where another entry takes the same packets elsewhere.
    let button = if contested(tree, new) { "Add (to the end of the list)" } else { "Add" };
    Step { page: format!("{PAGE}, {button}"), lines, save: true }
}

/// Whether another entry of the interface may take the same packets to another place.
fn contested(tree: &Tree, new: &NewForward) -> bool {
    let wanted = Forward::of(new);
    tree.entries("nat", "rule").into_iter().any(|rule| {
        let other = Forward::read(rule);
        let shares = |p: &str| p == "any" || p.split('/').any(|one| wanted.protocol.split('/').any(|o| o == one));
        let range = other.destination.port.as_deref().and_then(port_range);
        let meets = range.is_none_or(|(from, to)| from <= new.ports.1 && new.ports.0 <= to);
        let elsewhere = other.target != wanted.target
            || child(rule, "nordr").is_some()
            || (other.local_port != wanted.local_port || other.destination.port != wanted.destination.port);
        other.interface == wanted.interface && shares(&other.protocol) && meets && elsewhere
    })
}

pub(super) fn delete(tree: &Tree, new: &NewForward) -> Step {
    let entries = tree.entries("nat", "rule");
    let wanted = Forward::of(new);
    let name = match entries.iter().rposition(|r| Forward::read(*r) == wanted) {
        Some(at) => name(&entries, at),
        None => format!("\"{}\"", new.descr.trim()),
    };
    Step { page: format!("{PAGE}, delete {name}"), lines: Vec::new(), save: false }
}

/// The step that sets the fields which change, and the one that sets them back.
pub(super) fn set(before: &Work, forward: usize, set: &[ForwardField]) -> (Step, Step) {
    let mut work = before.clone();
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let mut page = format!("{PAGE}, edit number {} from the top", forward + 1);
    for field in set {
        let xml = work.xml.clone();
        let one = Edit::SetForward { forward, set: vec![field.clone()] };
        if matches!(work.edit(&one), Ok(false)) {
            continue;
        }
        let Ok(tree) = Tree::read(&xml) else { continue };
        let entries = tree.entries("nat", "rule");
        page = format!("{PAGE}, edit {}", name(&entries, forward));
        let entry = entries.get(forward).copied();
        there.extend(to(&tree, entry, field));
        back.extend(from(&tree, entry, field));
    }
    (Step { page: page.clone(), lines: there, save: true }, Step { page, lines: back, save: true })
}

fn to(tree: &Tree, entry: Option<El>, field: &ForwardField) -> Vec<String> {
    let address = |which: &str, what: &What| {
        let mut lines = vec![format!("{which}: {}", end(tree, what))];
        lines.extend(invert(entry, which, false));
        lines
    };
    vec![match field {
        ForwardField::Destination(d) => return address("Destination", &What::destination(d)),
        ForwardField::Source(s) => return address("Source", &What::source(s.as_deref())),
        ForwardField::Associated(true) => {
            let mut lines = vec!["Filter rule association: Create new associated filter rule".to_owned()];
            // `firewall_nat_edit.php` offers it only for an entry that was saved with an association or "None".
            if entry.is_some_and(|e| child(e, "associated-rule-id").is_none()) {
                lines.push("(not in the list? Save once, then edit the entry again)".into());
            }
            return lines;
        }
        ForwardField::Associated(false) => "Filter rule association: None".into(),
        ForwardField::Protocol(p) => format!("Protocol: {}", words::protocol(p)),
        ForwardField::Ports(from, to) => format!("Destination port range: {from} to {to}"),
        ForwardField::Target(t) => format!("Redirect target IP: {}", t.trim()),
        ForwardField::LocalPort(p) => format!("Redirect target port: {p}"),
        ForwardField::Reflection(r) => format!("NAT reflection: {}", words::reflection(*r)),
        ForwardField::Disabled(on) => tick(*on, "Disable this rule"),
    }]
}

fn from(tree: &Tree, entry: Option<El>, field: &ForwardField) -> Vec<String> {
    let Some(rule) = entry else { return Vec::new() };
    let now = Forward::read(rule);
    let address = |which: &str, at: &End| {
        let mut lines = vec![format!("{which}: {}", end(tree, &at.what))];
        lines.extend(invert(entry, which, true));
        lines
    };
    vec![match field {
        ForwardField::Destination(_) => return address("Destination", &now.destination),
        ForwardField::Source(_) => return address("Source", &now.source),
        ForwardField::Associated(true) if old(entry, "associated-rule-id") == "pass" => {
            "Filter rule association: Pass".into()
        }
        ForwardField::Associated(true) => "Filter rule association: None".into(),
        ForwardField::Associated(false) => "Filter rule association: Create new associated filter rule".into(),
        ForwardField::Protocol(_) => format!("Protocol: {}", words::protocol(&now.protocol)),
        ForwardField::Ports(..) => format!("Destination port range: {}", ports(now.destination.port.as_deref())),
        ForwardField::Target(_) => format!("Redirect target IP: {}", now.target),
        ForwardField::LocalPort(_) => format!("Redirect target port: {}", now.local_port),
        ForwardField::Reflection(_) => {
            let old = match old(entry, "natreflection").as_str() {
                "enable" => Reflection::Proxy,
                "purenat" => Reflection::PureNat,
                "disable" => Reflection::Disable,
                _ => Reflection::Default,
            };
            format!("NAT reflection: {}", words::reflection(old))
        }
        ForwardField::Disabled(on) => tick(!on, "Disable this rule"),
    }]
}
