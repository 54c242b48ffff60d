//! Changes as steps in the words of pfSense's menus and fields.

mod forward;
mod outbound;
mod rule;
mod words;

use super::edit::{Edit, ForwardField};
use super::splice::sections::Tree;
use super::splice::{Work, alias, done, known, what_is_left};

/// One page of pfSense, and what to do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Menus down to the page and the button, or only the button when the page is open.
    pub page: String,
    /// Fields that get a value, as the page labels them.
    pub lines: Vec<String>,
    /// "Save" ends it.
    pub save: bool,
}

/// Column of "Save": report lines stay below 76 columns with their margin of four.
const SAVE: usize = 67;

/// The steps, each numbered, its fields on lines of their own.
///
/// `config_xml` gives the names of interfaces and entries; a file that does not hold them only makes names plainer.
pub fn guide(edits: &[Edit], config_xml: &str) -> Vec<String> {
    numbered(&steps(edits, config_xml))
}

/// The way back, in the same form.
pub fn undo_guide(edits: &[Edit], config_xml: &str) -> Vec<String> {
    numbered(&undo_steps(edits, config_xml))
}

/// Steps as text.
pub fn numbered(steps: &[Step]) -> Vec<String> {
    steps.iter().zip(1..).map(|(step, n)| step.text(n)).collect()
}

/// The button that makes what was saved take effect.
const APPLY: &str = "Apply Changes";

impl Step {
    /// It makes what was saved take effect.
    pub fn applies(&self) -> bool {
        self.page == APPLY
    }

    /// Menus down to the page.
    pub fn menus(&self) -> &str {
        self.page.split_once(',').map_or(&self.page, |(menus, _)| menus)
    }

    /// The step as text with its number.
    pub fn text(&self, number: usize) -> String {
        let mut lines = vec![format!("{number}. {}", self.page)];
        lines.extend(self.lines.iter().map(|l| format!("     {l}")));
        if let (true, Some(last)) = (self.save, lines.last_mut()) {
            let gap = SAVE.saturating_sub(last.chars().count()).max(2);
            last.push_str(&" ".repeat(gap));
            last.push_str("Save");
        }
        lines.join("\n")
    }
}

/// The steps of the edits in their order; "Apply Changes" ends each group on one page. What the configuration has
/// already makes no step.
pub fn steps(edits: &[Edit], config_xml: &str) -> Vec<Step> {
    both_ways(edits, config_xml).0
}

/// The steps that take the edits back, the last first.
pub fn undo_steps(edits: &[Edit], config_xml: &str) -> Vec<Step> {
    both_ways(edits, config_xml).1
}

/// The steps there and back, for the price of one.
pub fn both_ways(edits: &[Edit], config_xml: &str) -> (Vec<Step>, Vec<Step>) {
    let walked = walk(edits, config_xml);
    let there = walked.iter().map(|done| (done.area, done.there.clone())).collect();
    let back = walked.into_iter().rev().map(|done| (done.area, done.back)).collect();
    (grouped(there), grouped(back))
}

/// Pages that one "Apply Changes" serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Area {
    Nat,
    Aliases,
    Rules,
    /// Its "Save" applies at once (`system_advanced_firewall.php`).
    System,
}

/// One edit's steps there and back.
struct Walked {
    area: Area,
    there: Vec<Step>,
    back: Vec<Step>,
}

fn grouped(walked: Vec<(Area, Vec<Step>)>) -> Vec<Step> {
    let mut all = Vec::new();
    let mut open = None;
    let apply = |all: &mut Vec<Step>, open: Option<Area>| {
        if open.is_some_and(|a| a != Area::System) {
            all.push(Step { page: APPLY.into(), lines: Vec::new(), save: false });
        }
    };
    for (area, steps) in walked {
        if open != Some(area) {
            apply(&mut all, open);
        }
        open = Some(area);
        all.extend(steps);
    }
    apply(&mut all, open);
    all
}

/// Makes the edits one after the other, so that each step names entries as its page shows them at that moment.
fn walk(edits: &[Edit], xml: &str) -> Vec<Walked> {
    let mut walked = Vec::new();
    if done(xml, edits) {
        return walked;
    }
    let Ok(mut work) = Work::new(xml).or_else(|_| Work::new("<pfsense/>")) else { return walked };
    for edit in edits {
        let before = work.clone();
        match work.edit(edit) {
            Ok(false) => continue,
            Ok(true) => {}
            // The file lacks the section, but a person at the pages does not.
            Err(_) => work = before.clone(),
        }
        walked.extend(one(edit, &before, &work));
    }
    walked
}

fn one(edit: &Edit, before: &Work, after: &Work) -> Option<Walked> {
    // Each is read only where a step is about it, and never both at once: they may be large.
    let (old, new) = (|| Tree::read(&before.xml), || Tree::read(&after.xml));
    let set = |forward, set: &[ForwardField]| {
        let (there, back) = forward::set(before, forward, set);
        Walked { area: Area::Nat, there: vec![there], back: vec![back] }
    };
    Some(match edit {
        Edit::AddForward(entry) => {
            let tree = old().ok()?;
            if let Some(number) = known(&tree, entry) {
                drop(tree);
                return Some(set(number, &what_is_left(entry)));
            }
            let there = vec![forward::add(&tree, entry)];
            drop(tree);
            Walked { area: Area::Nat, there, back: vec![forward::delete(&new().ok()?, entry)] }
        }
        Edit::SetForward { forward, set: fields } => set(*forward, fields),
        Edit::AddAlias { name, kind, members, descr } => Walked {
            area: Area::Aliases,
            there: vec![add_alias(name, kind, members, descr)],
            back: vec![Step { page: format!("Firewall > Aliases, delete \"{name}\""), lines: Vec::new(), save: false }],
        },
        Edit::SetAlias { name, members } => {
            let tree = old().ok()?;
            let alias = alias::find(&tree, name);
            let kind = alias.map(|a| super::splice::sections::text(a, "type")).unwrap_or_default();
            let step = |members: &[String]| Step {
                page: format!("Firewall > Aliases, edit \"{}\"", name.replace('"', "'")),
                lines: members.iter().map(|m| member(&kind, m)).collect(),
                save: true,
            };
            let before = alias.map(alias::members).unwrap_or_default();
            Walked { area: Area::Aliases, there: vec![step(members)], back: vec![step(&before)] }
        }
        Edit::AddPass(pass) => {
            let tree = old().ok()?;
            let there = rule::add(&tree, pass, pass.before.and_then(|b| before.rule_now(b).ok()));
            let known = rule::keys(&tree);
            drop(tree);
            Walked { area: Area::Rules, there, back: vec![rule::delete(&known, &new().ok()?, pass)] }
        }
        Edit::SetRule { rule, set } => {
            let (there, back) = rule::set(before, *rule, set);
            Walked { area: Area::Rules, there: vec![there], back: vec![back] }
        }
        Edit::OutboundMode(mode) => {
            Walked { area: Area::Nat, there: vec![outbound::mode(mode)], back: vec![outbound::mode_back(&old().ok()?)] }
        }
        Edit::AddOutbound(entry) => Walked {
            area: Area::Nat,
            there: vec![outbound::add(&old().ok()?, entry)],
            back: vec![outbound::delete(&new().ok()?)],
        },
        Edit::ReflectionHelper(on) => system("Enable automatic outbound NAT for Reflection", *on),
        Edit::NoReplyTo(on) => system("Disable reply-to on WAN rules", *on),
    })
}

/// A switch of the system.
fn system(label: &str, on: bool) -> Walked {
    let step = |on| Step {
        page: "System > Advanced > Firewall & NAT".into(),
        lines: vec![words::tick(on, label)],
        save: true,
    };
    Walked { area: Area::System, there: vec![step(on)], back: vec![step(!on)] }
}

/// Row of a member, labelled by the alias's kind (`firewall_aliases_edit.php`).
fn member(kind: &str, member: &str) -> String {
    let label = match kind {
        "network" => "Network or FQDN",
        "port" => "Port",
        _ => "IP or FQDN",
    };
    format!("{label}: {member}")
}

fn add_alias(name: &str, kind: &str, members: &[String], descr: &str) -> Step {
    let words = match kind {
        "network" => "Network(s)",
        "port" => "Port(s)",
        _ => "Host(s)",
    };
    let mut lines = vec![format!("Name: {}", name.trim())];
    lines.extend(words::description(descr));
    lines.push(format!("Type: {words}"));
    lines.extend(members.iter().map(|m| member(kind, m)));
    Step { page: "Firewall > Aliases, Add".into(), lines, save: true }
}

#[cfg(test)]
mod player;
#[cfg(test)]
mod tests;
