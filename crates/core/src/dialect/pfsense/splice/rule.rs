//! Filter rules.

use super::entry::{End, What, descr, family, range};
use super::field::{self, RULE};
use super::sections::{El, Splice, Tree, child, own_text, text};
use super::{Refused, Work, in_section, writable};
use crate::dialect::pfsense::edit::{NewPass, RuleField};
use crate::xml::Item;
use std::collections::HashSet;

/// The tab of Firewall > Rules that shows a rule; order counts only within one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::pfsense) enum Tab {
    Floating,
    Interface(String),
}

impl Tab {
    pub fn of(rule: El) -> Self {
        if text(rule, "floating") == "yes" { Self::Floating } else { Self::Interface(text(rule, "interface")) }
    }

    pub fn of_pass(new: &NewPass) -> Self {
        if new.floating { Self::Floating } else { Self::Interface(new.interface.clone()) }
    }
}

/// A tracker of ten digits above every one in use. pfSense writes the time of creation; pf keeps it as a 32-bit
/// `ridentifier` (FreeBSD's `pfvar.h`), so when the highest in use is larger than that, the lowest free one is taken.
pub(super) fn tracker(tree: &Tree) -> u64 {
    let nodes = tree.root().descendants().filter(|n| n.has_tag_name("tracker"));
    let used: HashSet<u64> = nodes.filter_map(|n| own_text(n).parse().ok()).collect();
    let next = used.iter().max().map_or(0, |m| m.saturating_add(1)).max(1_000_000_000);
    if u32::try_from(next).is_ok() {
        return next;
    }
    (1_000_000_000..u64::from(u32::MAX)).find(|t| !used.contains(t)).unwrap_or(next)
}

/// A rule that already passes what a new one would, before rule number `before` if given.
pub(super) fn find<'t>(tree: &'t Tree, new: &NewPass, before: Option<usize>) -> Option<El<'t>> {
    let source = End::of(What::source(new.source.as_deref()), None);
    let destination = End::of(What::Address(new.destination.trim().to_owned()), Some(range(new.ports)));
    let same = |rule: &El| {
        let or = |name, other: &'static str| Some(text(*rule, name)).filter(|t| !t.is_empty()).unwrap_or(other.into());
        let absent = |name| child(*rule, name).is_none();
        Tab::of(*rule) == Tab::of_pass(new)
            && text(*rule, "interface") == new.interface
            && or("type", "pass") == "pass"
            && or("ipprotocol", "inet") == family(new.v6)
            && text(*rule, "protocol").eq_ignore_ascii_case(new.protocol)
            && End::read(*rule, "source") == source
            && End::read(*rule, "destination") == destination
            && absent("disabled")
            && text(*rule, "gateway").is_empty()
            && (!new.floating || !absent("quick") && text(*rule, "direction") == "in")
    };
    let rules = tree.entries("filter", "rule");
    let end = before.map_or(rules.len(), |b| b.min(rules.len()));
    rules[..end].iter().copied().find(same)
}

/// Where the rule of a forward goes.
pub(super) enum Placed {
    /// Into this place, and it gets this number.
    At(Splice, usize),
    /// Into a section that is not there yet: it is found once the forward is in the text.
    Later(Tab),
}

impl Placed {
    pub fn of(tree: &Tree, rule: &Item, tab: &Tab) -> Result<Self, Refused> {
        // Two splices that each make a section would be at one place.
        if tree.section("nat")?.is_none() || tree.section("filter")?.is_none() {
            return Ok(Self::Later(tab.clone()));
        }
        place(tree, rule, tab, None).map(|(splice, at)| Self::At(splice, at))
    }
}

/// Where a new rule goes, before another or behind the last one of its tab, and which number it gets.
fn place(tree: &Tree, item: &Item, tab: &Tab, before: Option<usize>) -> Result<(Splice, usize), Refused> {
    tree.section("filter")?;
    let rules = tree.entries("filter", "rule");
    let last = rules.iter().rposition(|r| Tab::of(*r) == *tab).or(rules.len().checked_sub(1));
    Ok(match (before, last) {
        (Some(before), _) => (tree.before(rules[before], item), before),
        (None, Some(last)) => (tree.after(rules[last], item), last + 1),
        (None, None) => (in_section(tree, "filter", item.clone())?, 0),
    })
}

impl Work {
    pub(super) fn add_pass(&mut self, new: &NewPass) -> Result<(), Refused> {
        let tree = self.read()?;
        tree.section("filter")?;
        let before = new.before.map(|b| self.rule_now(b)).transpose()?;
        for value in [&new.interface, &new.destination, new.source.as_deref().unwrap_or_default()] {
            writable(value)?;
        }
        let tab = Tab::of_pass(new);
        if let Some(before) = before
            && Tab::of(tree.entries("filter", "rule")[before]) != tab
        {
            return Err(Refused("a rule can stand only before another one of the same tab of Firewall > Rules".into()));
        }
        if find(&tree, new, before).is_some() {
            return Ok(());
        }
        let mut items = vec![
            Item::Empty("id"),
            Item::Text("tracker", tracker(&tree).to_string()),
            Item::Text("type", "pass".into()),
            Item::Text("interface", new.interface.clone()),
            Item::Text("ipprotocol", family(new.v6).into()),
        ];
        if new.floating {
            items.extend(["quick", "floating"].map(|name| Item::Text(name, "yes".into())));
            items.push(Item::Text("direction", "in".into()));
        }
        let destination = End::of(What::Address(new.destination.trim().to_owned()), Some(range(new.ports)));
        items.extend([
            Item::Text("protocol", new.protocol.to_owned()),
            End::of(What::source(new.source.as_deref()), None).item("source"),
            destination.item("destination"),
            Item::Cdata("descr", writable(&new.descr)?.to_owned()),
        ]);
        let (splice, at) = place(&tree, &Item::Node("rule", items), &tab, before)?;
        drop(tree);
        self.put_rule(splice, at);
        Ok(())
    }

    /// Changes of a forward, and its new rule.
    pub(super) fn with_rule(&mut self, splices: Vec<Splice>, placed: Placed, rule: &Item) -> Result<(), Refused> {
        let (splice, at) = match placed {
            Placed::At(Splice { at: place, text }, number) => {
                // What is spliced in before it moves it.
                let before = || splices.iter().filter(|s| s.at.end <= place.start);
                let come: usize = before().map(|s| s.text.len()).sum();
                let gone: usize = before().map(|s| s.at.len()).sum();
                let moved = |byte: usize| byte + come - gone;
                let place = moved(place.start)..moved(place.end);
                self.splice(splices);
                (Splice { at: place, text }, number)
            }
            Placed::Later(tab) => {
                self.splice(splices);
                place(&self.read()?, rule, &tab, None)?
            }
        };
        self.put_rule(splice, at);
        Ok(())
    }

    fn put_rule(&mut self, splice: Splice, at: usize) {
        self.splice(vec![splice]);
        self.rule_came(at);
    }

    fn rule_came(&mut self, at: usize) {
        for number in self.rules.get_mut().into_iter().flatten().flatten().filter(|n| **n >= at) {
            *number += 1;
        }
    }

    pub(super) fn rule_went(&mut self, at: usize) {
        for number in self.rules.get_mut().into_iter().flatten() {
            *number = number.filter(|n| *n != at).map(|n| if n > at { n - 1 } else { n });
        }
    }

    pub(super) fn set_rule(&mut self, number: usize, set: &RuleField) -> Result<(), Refused> {
        if let RuleField::Destination(v) | RuleField::Source(Some(v)) | RuleField::Gateway(Some(v)) = set {
            writable(v)?;
        }
        let tree = self.read()?;
        tree.section("filter")?;
        let now = self.rule_now(number)?;
        let splices = {
            let tree = &tree;
            let rule = tree.entries("filter", "rule")[now];
            let leaf = |name, value: &str| field::leaf(tree, rule, &RULE, name, value);
            let end = |name, what: &What| field::end(tree, rule, &RULE, name, what);
            let presence = |item: &Item, on| field::presence(tree, rule, &RULE, item, on);
            let splices = match set {
                RuleField::Protocol(p) if text(rule, "protocol").eq_ignore_ascii_case(p) => Vec::new(),
                RuleField::Protocol(p) => leaf("protocol", p),
                RuleField::Ports(from, to) => field::ports(tree, rule, &RULE, &range((*from, *to))),
                RuleField::Destination(d) => end("destination", &What::Address(d.trim().to_owned())),
                RuleField::Source(s) => end("source", &What::source(s.as_deref())),
                RuleField::Disabled(on) => presence(&Item::Empty("disabled"), *on),
                RuleField::NoReplyTo(on) => presence(&Item::Empty("disablereplyto"), *on),
                RuleField::Action(action) if text(rule, "type").is_empty() && *action == "pass" => Vec::new(),
                RuleField::Action(action) => leaf("type", action),
                RuleField::Gateway(Some(gateway)) => leaf("gateway", gateway.trim()),
                RuleField::Gateway(None) if text(rule, "gateway").is_empty() => Vec::new(),
                RuleField::Gateway(None) => presence(&Item::Empty("gateway"), false),
            };
            let fixed = matches!(
                set,
                RuleField::Protocol(_) | RuleField::Ports(..) | RuleField::Destination(_) | RuleField::Source(_)
            );
            if fixed && !splices.is_empty() && !text(rule, "associated-rule-id").is_empty() {
                // pfSense's `firewall_rules_edit.php` does not let these fields of an associated rule be edited.
                let name = descr(rule);
                return Err(Refused(format!("the rule \"{name}\" belongs to a port forward: change that instead")));
            }
            splices
        };
        drop(tree);
        self.splice(splices);
        Ok(())
    }
}
