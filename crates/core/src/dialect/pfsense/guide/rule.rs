//! Firewall > Rules.

use super::Step;
use super::words::{self, description, end, interface, invert, name, old, ports, tick};
use crate::dialect::pfsense::edit::{Edit, NewPass, RuleField};
use crate::dialect::pfsense::splice::sections::{El, Tree};
use crate::dialect::pfsense::splice::{End, Tab, What, Work};
use std::collections::HashSet;

fn page(tree: &Tree, tab: &Tab) -> String {
    match tab {
        Tab::Floating => "Firewall > Rules > Floating".into(),
        Tab::Interface(name) => format!("Firewall > Rules > {}", interface(tree, name)),
    }
}

/// The rules of a tab, and the place there of a rule of the whole list.
fn on_tab<'t>(tree: &'t Tree, tab: &Tab, rule: usize) -> (Vec<El<'t>>, usize) {
    let rules = tree.entries("filter", "rule");
    let place = rules.iter().take(rule).filter(|r| Tab::of(**r) == *tab).count();
    (rules.into_iter().filter(|r| Tab::of(*r) == *tab).collect(), place)
}

pub(super) fn add(tree: &Tree, new: &NewPass, before: Option<usize>) -> Vec<Step> {
    let tab = Tab::of_pass(new);
    let page = page(tree, &tab);
    let mut lines = vec!["Action: Pass".to_owned()];
    if new.floating {
        lines.push(tick(true, "Quick: Apply the action immediately on match."));
    }
    lines.push(format!("Interface: {}", interface(tree, &new.interface)));
    if new.floating {
        lines.push("Direction: in".into());
    }
    if new.v6 {
        lines.push("Address Family: IPv6".into());
    }
    lines.push(format!("Protocol: {}", words::protocol(new.protocol)));
    if let Some(source) = &new.source {
        lines.push(format!("Source: {}", end(tree, &What::source(Some(source)))));
    }
    lines.extend([
        format!("Destination: {}", end(tree, &What::Address(new.destination.trim().to_owned()))),
        format!("Destination port range: {} to {}", new.ports.0, new.ports.1),
    ]);
    lines.extend(description(&new.descr));
    let place = before.map(|b| on_tab(tree, &tab, b));
    let button = if place.as_ref().is_some_and(|(_, at)| *at == 0) { "top" } else { "end" };
    let mut steps = vec![Step { page: format!("{page}, Add (to the {button} of the list)"), lines, save: true }];
    if let Some((rules, at)) = place.filter(|(_, at)| *at > 0) {
        let above = format!("{page}, drag the new rule above {}", name(&rules, at));
        steps.push(Step { page: above, lines: Vec::new(), save: true });
    }
    steps
}

/// What tells the rules of a file apart.
pub(super) fn keys(tree: &Tree) -> HashSet<String> {
    tree.entries("filter", "rule").iter().map(key).collect()
}

/// Takes the rule away that was not there before.
pub(super) fn delete(known: &HashSet<String>, new: &Tree, pass: &NewPass) -> Step {
    let tab = Tab::of_pass(pass);
    let added = new.entries("filter", "rule").iter().position(|r| !known.contains(&key(r)));
    let name = match added {
        Some(rule) => {
            let (rules, at) = on_tab(new, &tab, rule);
            name(&rules, at)
        }
        None => format!("\"{}\"", pass.descr.trim()),
    };
    Step { page: format!("{}, delete {name}", page(new, &tab)), lines: Vec::new(), save: false }
}

fn key(rule: &El) -> String {
    old(Some(*rule), "tracker")
}

/// The step that sets the fields which change, and the one that sets them back.
pub(super) fn set(before: &Work, rule: usize, set: &[RuleField]) -> (Step, Step) {
    let mut work = before.clone();
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let now = before.rule_now(rule).unwrap_or(rule);
    let mut title = format!("Firewall > Rules, edit number {} of all rules", rule + 1);
    for field in set {
        let xml = work.xml.clone();
        if matches!(work.edit(&Edit::SetRule { rule, set: vec![field.clone()] }), Ok(false)) {
            continue;
        }
        let Ok(tree) = Tree::read(&xml) else { continue };
        let entry = tree.entries("filter", "rule").get(now).copied();
        if let Some(entry) = entry {
            let tab = Tab::of(entry);
            let (rules, at) = on_tab(&tree, &tab, now);
            title = format!("{}, edit {}", page(&tree, &tab), name(&rules, at));
        }
        there.extend(to(&tree, entry, field));
        back.extend(from(&tree, entry, field));
    }
    (Step { page: title.clone(), lines: there, save: true }, Step { page: title, lines: back, save: true })
}

fn to(tree: &Tree, entry: Option<El>, field: &RuleField) -> Vec<String> {
    let address = |which: &str, what: &What| {
        let mut lines = vec![format!("{which}: {}", end(tree, what))];
        lines.extend(invert(entry, which, false));
        lines
    };
    vec![match field {
        RuleField::Destination(d) => return address("Destination", &What::Address(d.trim().to_owned())),
        RuleField::Source(s) => return address("Source", &What::source(s.as_deref())),
        RuleField::Protocol(p) => format!("Protocol: {}", words::protocol(p)),
        RuleField::Ports(from, to) => format!("Destination port range: {from} to {to}"),
        RuleField::Disabled(on) => tick(*on, "Disable this rule"),
        RuleField::NoReplyTo(on) => tick(*on, "Disable reply-to"),
        RuleField::Action(action) => format!("Action: {}", capital(action)),
        RuleField::Gateway(gateway) => format!("Gateway: {}", gateway.as_deref().unwrap_or("Default").trim()),
    }]
}

fn from(tree: &Tree, entry: Option<El>, field: &RuleField) -> Vec<String> {
    let Some(rule) = entry else { return Vec::new() };
    let or = |name, other: &str| Some(old(entry, name)).filter(|t| !t.is_empty()).unwrap_or(other.into());
    let address = |which: &str| {
        let at = End::read(rule, &which.to_lowercase());
        let mut lines = vec![format!("{which}: {}", end(tree, &at.what))];
        lines.extend(invert(entry, which, true));
        lines
    };
    vec![match field {
        RuleField::Destination(_) => return address("Destination"),
        RuleField::Source(_) => return address("Source"),
        RuleField::Protocol(_) => format!("Protocol: {}", words::protocol(&old(entry, "protocol"))),
        RuleField::Ports(..) => {
            format!("Destination port range: {}", ports(End::read(rule, "destination").port.as_deref()))
        }
        RuleField::Disabled(on) => tick(!on, "Disable this rule"),
        RuleField::NoReplyTo(on) => tick(!on, "Disable reply-to"),
        RuleField::Action(_) => format!("Action: {}", capital(&or("type", "pass"))),
        RuleField::Gateway(_) => format!("Gateway: {}", or("gateway", "Default")),
    }]
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
