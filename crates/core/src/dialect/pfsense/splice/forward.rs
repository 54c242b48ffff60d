//! Port forwards and the filter rules that belong to them.

use super::entry::{Forward, What, descr, range};
use super::field::{self, FORWARD, RULE};
use super::rule::{Placed, Tab, tracker};
use super::sections::{El, Splice, Tree, child, text};
use super::{Refused, Work, in_section, writable};
use crate::dialect::pfsense::edit::{Destination, ForwardField, NewForward, Reflection};
use crate::xml::Item;

/// The forward that is equal to a new one in everything but its description, reflection and state.
pub(super) fn find<'t>(tree: &'t Tree, new: &NewForward) -> Option<El<'t>> {
    let wanted = Forward::of(new);
    let same = |rule: &El| child(*rule, "nordr").is_none() && Forward::read(*rule) == wanted;
    tree.entries("nat", "rule").into_iter().find(same)
}

/// The number of that forward among all.
pub(in crate::dialect::pfsense) fn known(tree: &Tree, new: &NewForward) -> Option<usize> {
    let found = find(tree, new)?;
    tree.entries("nat", "rule").iter().position(|r| *r == found)
}

/// Fields to set of a new forward that is there already: those that do not make it another one.
pub(in crate::dialect::pfsense) fn what_is_left(new: &NewForward) -> [ForwardField; 2] {
    [ForwardField::Reflection(new.reflection), ForwardField::Disabled(false)]
}

/// Name of the link to a filter rule; "pass" is no link but `rdr pass`.
fn link(forward: El) -> Option<String> {
    Some(text(forward, "associated-rule-id")).filter(|id| !id.is_empty() && id != "pass")
}

/// The filter rule that belongs to a forward.
pub(super) fn linked<'t>(tree: &'t Tree, forward: El) -> Option<El<'t>> {
    let id = link(forward)?;
    tree.entries("filter", "rule").into_iter().find(|r| text(*r, "associated-rule-id") == id)
}

/// Whether these fields give a forward its filter rule.
pub(super) fn associates(set: &[ForwardField]) -> bool {
    set.contains(&ForwardField::Associated(true))
}

fn too_many() -> Refused {
    Refused("the redirect target ports would go beyond 65535".into())
}

fn entry<'t>(tree: &'t Tree, number: usize) -> Result<El<'t>, Refused> {
    tree.section("nat")?;
    let entries = tree.entries("nat", "rule");
    let missing = || Refused(format!("there is no port forward number {number}: the file has {}", entries.len()));
    entries.get(number).copied().ok_or_else(missing)
}

/// Word of a reflection in `<natreflection>`.
fn reflection_word(reflection: Reflection) -> Option<&'static str> {
    match reflection {
        Reflection::Default => None,
        Reflection::Proxy => Some("enable"),
        Reflection::PureNat => Some("purenat"),
        Reflection::Disable => Some("disable"),
    }
}

impl Work {
    pub(super) fn add_forward(&mut self, new: &NewForward) -> Result<(), Refused> {
        let tree = self.read()?;
        if let Some(number) = known(&tree, new) {
            drop(tree);
            return what_is_left(new).iter().try_for_each(|field| self.set_forward(number, field));
        }
        let forward = Forward::of(new);
        for value in [&forward.interface, &forward.target, forward.source.what.word(), forward.destination.what.word()]
        {
            writable(value)?;
        }
        let descr = writable(&new.descr)?;
        let ports = forward.inner_ports().ok_or_else(too_many)?;
        tree.section("filter")?;
        let link = forward.link(descr, |id| tree.has("associated-rule-id", id));
        let rule = forward.filter_rule(&ports, descr, &link, tracker(&tree), false);
        let mut items = vec![
            forward.source.item("source"),
            forward.destination.item("destination"),
            Item::Text("ipprotocol", forward.family.clone()),
            Item::Text("protocol", forward.protocol.clone()),
            Item::Text("target", forward.target.clone()),
            Item::Text("local-port", forward.local_port.clone()),
            Item::Text("interface", forward.interface.clone()),
            Item::Cdata("descr", descr.to_owned()),
            Item::Text("associated-rule-id", link),
        ];
        items.extend(reflection_word(new.reflection).map(|w| Item::Text("natreflection", w.into())));
        tree.section("nat")?;
        let item = Item::Node("rule", items);
        let splice = match tree.entries("nat", "rule").last() {
            Some(last) => tree.after(*last, &item),
            None => in_section(&tree, "nat", item)?,
        };
        let placed = Placed::of(&tree, &rule, &Tab::Interface(forward.interface))?;
        drop(tree);
        self.with_rule(vec![splice], placed, &rule)
    }

    pub(super) fn set_forward(&mut self, number: usize, set: &ForwardField) -> Result<(), Refused> {
        if let ForwardField::Associated(on) = set {
            return if *on { self.associate(number) } else { self.dissociate(number) };
        }
        if let ForwardField::Source(Some(value)) | ForwardField::Target(value) = set {
            writable(value)?;
        }
        self.change(|tree| {
            let forward = entry(tree, number)?;
            let mut splices = own(tree, forward, set);
            // The page toggles the filter rule only together with the forward (`toggle_id` in `saveNATrule`).
            let follows = match set {
                ForwardField::Reflection(_) | ForwardField::Destination(_) => false,
                ForwardField::Disabled(_) => !splices.is_empty(),
                _ => true,
            };
            let after = changed(Forward::read(forward), set);
            let ports = after.inner_ports().ok_or_else(too_many)?;
            if !follows || link(forward).is_none() {
                return Ok(splices);
            }
            match tree.section("filter") {
                Err(refused) if !splices.is_empty() => return Err(refused),
                _ => {}
            }
            if let Some(rule) = linked(tree, forward) {
                splices.extend(followed(tree, rule, set, &after, &ports));
            }
            Ok(splices)
        })
    }

    /// Adds the filter rule that a forward lacks; a name that leads nowhere leads to it then.
    fn associate(&mut self, number: usize) -> Result<(), Refused> {
        let tree = self.read()?;
        let at = entry(&tree, number)?;
        tree.section("filter")?;
        if linked(&tree, at).is_some() {
            return Ok(());
        }
        let forward = Forward::read(at);
        let ports = forward.inner_ports().ok_or_else(too_many)?;
        let descr = descr(at);
        let link = link(at).unwrap_or_else(|| forward.link(&descr, |id| tree.has("associated-rule-id", id)));
        let disabled = child(at, "disabled").is_some();
        let rule = forward.filter_rule(&ports, &descr, &link, tracker(&tree), disabled);
        let splices = field::leaf(&tree, at, &FORWARD, "associated-rule-id", &link);
        let placed = Placed::of(&tree, &rule, &Tab::Interface(forward.interface))?;
        drop(tree);
        self.with_rule(splices, placed, &rule)
    }

    /// "None": the filter rule goes (`delete_id` in `saveNATrule`).
    fn dissociate(&mut self, number: usize) -> Result<(), Refused> {
        let tree = self.read()?;
        let at = entry(&tree, number)?;
        tree.section("filter")?;
        let rule = linked(&tree, at).and_then(|r| tree.entries("filter", "rule").iter().position(|x| *x == r));
        let mut splices = Vec::new();
        if !text(at, "associated-rule-id").is_empty() {
            splices = field::leaf(&tree, at, &FORWARD, "associated-rule-id", "");
        }
        splices.extend(rule.map(|rule| tree.remove(tree.entries("filter", "rule")[rule])));
        drop(tree);
        self.splice(splices);
        if let Some(rule) = rule {
            self.rule_went(rule);
        }
        Ok(())
    }
}

/// The forward with a field changed, as far as its filter rule follows.
fn changed(mut forward: Forward, set: &ForwardField) -> Forward {
    match set {
        ForwardField::Protocol(p) => (*p).clone_into(&mut forward.protocol),
        ForwardField::Ports(from, to) => forward.destination.port = Some(range((*from, *to))),
        ForwardField::Target(t) => t.trim().clone_into(&mut forward.target),
        ForwardField::LocalPort(p) => forward.local_port = p.to_string(),
        ForwardField::Source(s) => forward.source.what = What::source(s.as_deref()),
        _ => {}
    }
    forward
}

fn own(tree: &Tree, forward: El, set: &ForwardField) -> Vec<Splice> {
    let leaf = |name, value: &str| field::leaf(tree, forward, &FORWARD, name, value);
    match set {
        ForwardField::Protocol(p) if text(forward, "protocol").eq_ignore_ascii_case(p) => Vec::new(),
        ForwardField::Protocol(p) => leaf("protocol", p),
        ForwardField::Destination(d) => destination(tree, forward, d),
        ForwardField::Ports(from, to) => field::ports(tree, forward, &FORWARD, &range((*from, *to))),
        ForwardField::Target(t) => leaf("target", t.trim()),
        ForwardField::LocalPort(p) => leaf("local-port", &p.to_string()),
        ForwardField::Reflection(r) => match reflection_word(*r) {
            Some(word) => leaf("natreflection", word),
            None => field::presence(tree, forward, &FORWARD, &Item::Empty("natreflection"), false),
        },
        ForwardField::Disabled(on) => field::presence(tree, forward, &FORWARD, &Item::Empty("disabled"), *on),
        ForwardField::Source(s) => field::end(tree, forward, &FORWARD, "source", &What::source(s.as_deref())),
        ForwardField::Associated(_) => Vec::new(),
    }
}

fn destination(tree: &Tree, forward: El, to: &Destination) -> Vec<Splice> {
    field::end(tree, forward, &FORWARD, "destination", &What::destination(to))
}

/// What the filter rule takes over, as `saveNATrule` writes it.
fn followed(tree: &Tree, rule: El, set: &ForwardField, after: &Forward, ports: &str) -> Vec<Splice> {
    match set {
        ForwardField::Protocol(p) if text(rule, "protocol").eq_ignore_ascii_case(p) => Vec::new(),
        ForwardField::Protocol(p) => field::leaf(tree, rule, &RULE, "protocol", p),
        ForwardField::Target(_) => field::end(tree, rule, &RULE, "destination", &after.target_end()),
        ForwardField::Ports(..) | ForwardField::LocalPort(_) => field::ports(tree, rule, &RULE, ports),
        ForwardField::Source(_) => field::end(tree, rule, &RULE, "source", &after.source.what),
        ForwardField::Disabled(on) => field::presence(tree, rule, &RULE, &Item::Empty("disabled"), *on),
        _ => Vec::new(),
    }
}
