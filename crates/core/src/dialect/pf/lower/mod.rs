//! From pf's rules to the model.
//!
//! pf judges a packet twice: as it comes in (translate the destination, then filter) and as it leaves (translate the
//! source, then filter). A packet of a known state is not judged. Of the rules of one pass the first quick one that
//! matches decides, else the last one, else the packet passes: quick rules in order, then the others in reverse, is
//! the same as first match.
//!
//! What states remember beyond a translation stands in the session's mark: which way answers go (`reply-to`), which way
//! later packets go (`route-to`), and the outer interface where the state began.

mod bridges;
mod devices;
mod hosts;
mod marks;
mod rules;
#[cfg(test)]
mod tests;
mod translate;

use super::ast::{Direction, Rule, Ruleset, Unknown};
use crate::cube::Set;
use crate::dialect::Counts;
use crate::model::{
    Action, ChainId, Device, Doubt, DoubtId, DoubtKind, Endpoint, Families, Family, Hook, Interface, Key, KeyField,
    Match, Origin, OriginId, Part, Pipeline, Policy, Side, SourceSpan, Stage, StageKind, Step, Test, ct_state,
};
use std::collections::{HashMap, HashSet};

/// Fills a device's pipeline and its routing by mark from rules. Interfaces and their addresses must be known; one
/// without an address matches nothing that asks for it.
pub fn lower(rules: &Ruleset, device: &mut Device) -> Counts {
    let interfaces = device.interfaces.clone();
    let mut lowering = Lowering {
        rules,
        interfaces: &interfaces,
        pipeline: Pipeline::default(),
        tables: HashMap::new(),
        table_doubts: HashMap::new(),
        doubts: HashMap::new(),
        tags: Vec::new(),
        ways: Vec::new(),
        relays: Vec::new(),
        doubted: HashSet::new(),
        bridges: Vec::new(),
    };
    if !rules.off {
        lowering.bridges();
        lowering.stages();
    }
    let counts = lowering.counts();
    let ways = std::mem::take(&mut lowering.ways);
    let relay = |ports: &(u16, u16)| Endpoint {
        answers_as_routed: false,
        proto: 6,
        ports: *ports,
        bind: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)),
        name: "relays connections".into(),
    };
    device.endpoints.extend(lowering.relays.iter().map(relay));
    let bridges = std::mem::take(&mut lowering.bridges);
    device.pipeline = lowering.pipeline;
    bridges::ports(rules, &bridges, device);
    marks::routes(&ways, device);
    counts
}

/// Rules on their way into a pipeline.
struct Lowering<'a> {
    rules: &'a Ruleset,
    interfaces: &'a [Interface],
    pipeline: Pipeline,
    /// Tables that were turned into sets already.
    tables: HashMap<(&'a str, Family), hosts::Shared>,
    table_doubts: HashMap<(&'a str, Part), DoubtId>,
    /// Doubts by what they say: the same thing is unknown everywhere.
    doubts: HashMap<String, DoubtId>,
    /// Labels that rules put on packets; the index plus one is written into the mark.
    tags: Vec<&'a str>,
    /// Ways that rules name; the index plus one is written into the mark.
    ways: Vec<marks::Way>,
    /// Ports on which programs of the device itself take connections that rules hand to them.
    relays: Vec<(u16, u16)>,
    /// Bridges whose packets meet rules.
    bridges: Vec<bridges::Asked>,
    /// Statements that leave something open, by their places.
    doubted: HashSet<SourceSpan>,
}

impl<'a> Lowering<'a> {
    fn stages(&mut self) {
        let families = [(Family::V4, Families { v4: true, v6: false }), (Family::V6, Families { v4: false, v6: true })];
        // Filter first: it names all ways and tags.
        let filters: Vec<_> =
            families.iter().map(|(f, _)| (self.filter(*f, Direction::In), self.filter(*f, Direction::Out))).collect();
        let nat: Vec<_> = families.iter().map(|(f, _)| self.translations(*f)).collect();
        let states = self.states();
        self.dormant();
        self.push(Hook::Prerouting, StageKind::Track, Families::BOTH);
        self.push(Hook::Output, StageKind::Track, Families::BOTH);
        if let Some(chain) = states {
            let kind = |reroute| StageKind::Filter { chain, policy: Policy::Accept, reroute };
            self.push(Hook::Prerouting, kind(false), Families::BOTH);
            self.push(Hook::Output, kind(true), Families::BOTH);
        }
        let filter = |chain| StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
        for (i, (_, only)) in families.iter().enumerate() {
            let [rdr, binat_in, binat_out, source] = nat[i];
            let chains = |list: [ChainId; 2]| list.into_iter().map(|c| (c, Policy::Accept)).collect();
            let destination = StageKind::Translate { side: Side::Destination, chains: chains([rdr, binat_in]) };
            self.push(Hook::Prerouting, destination, *only);
            self.push(Hook::Prerouting, filter(filters[i].0), *only);
            let source = StageKind::Translate { side: Side::Source, chains: chains([binat_out, source]) };
            self.push(Hook::Postrouting, source, *only);
            self.push(Hook::Postrouting, filter(filters[i].1), *only);
        }
    }

    fn dormant(&mut self) {
        let rules = self.rules;
        let mut out = Vec::new();
        for family in [Family::V4, Family::V6] {
            for rule in &rules.dormant_rdr {
                self.translation(rule, family, Side::Destination, &mut out);
            }
            for rule in &rules.dormant_filter {
                self.filter_rule(rule, family, rule.direction.unwrap_or(Direction::In), &mut out);
            }
        }
        self.pipeline.dormant = out.into_iter().map(|r| (Hook::Prerouting, r)).collect();
    }

    fn push(&mut self, hook: Hook, kind: StageKind, families: Families) {
        self.pipeline.hooks[hook as usize].push(Stage { kind, families, interfaces: None });
    }

    fn chain(&mut self, name: &str, rules: Vec<crate::model::Rule>) -> ChainId {
        let origin = self.generated(name);
        self.pipeline.add_chain(name, origin, rules)
    }

    /// Something that stands in no file.
    fn generated(&mut self, object: &str) -> OriginId {
        self.pipeline.add_origin(Origin { object: object.into(), ..Origin::default() })
    }

    /// Statements by what became of them. One that could not be read at all is not also a doubtful one.
    fn counts(&self) -> Counts {
        let Ruleset { statements, unread, .. } = self.rules;
        let read = statements.saturating_sub(unread.len());
        let doubted = self.doubted.iter().filter(|at| !unread.iter().any(|u| u.origin.at == **at)).count();
        let approximated = doubted.min(read);
        Counts { statements: *statements, unread: unread.len(), approximated, understood: read - approximated }
    }

    fn doubt(&mut self, origin: &Origin, unknown: &Unknown, unread: bool) -> DoubtId {
        if let Some(id) = self.doubts.get(&*unknown.what).copied() {
            self.note(origin);
            return id;
        }
        let id = self.new_doubt(origin, unknown, unread);
        self.doubts.insert(unknown.what.to_string(), id);
        id
    }

    /// A doubt of its own, also where another one says the same.
    fn new_doubt(&mut self, origin: &Origin, unknown: &Unknown, unread: bool) -> DoubtId {
        self.note(origin);
        let origin = self.pipeline.add_origin(origin.clone());
        let (what, supply) = (unknown.what.clone(), unknown.supply.clone());
        let kind = if unread { DoubtKind::Unread } else { unknown.kind };
        self.pipeline.add_doubt(Doubt { origin, what, supply, fixed: true, kind })
    }

    fn note(&mut self, origin: &Origin) {
        if origin.has_lines {
            self.doubted.insert(origin.at);
        }
    }

    /// Number of a label, from 1; none when the mark has no room for more.
    fn tag(&mut self, name: &'a str) -> Option<u32> {
        let index = self.tags.iter().position(|t| *t == name).unwrap_or(self.tags.len());
        if index >= marks::MOST {
            return None;
        }
        if index == self.tags.len() {
            self.tags.push(name);
        }
        u32::try_from(index + 1).ok()
    }
}

fn matches(key: Key, set: Set, negate: bool) -> Step {
    Step::Match(Match { keys: [key].into(), test: Test::In(set), negate })
}

/// The first rule of every filter: packets of a state pass, unless the state was not to be kept.
fn known_state() -> [Step; 3] {
    [
        Step::is(KeyField::CtState, Set::one(ct_state::ESTABLISHED)),
        matches(Key { field: KeyField::CtMark, mask: Some(u128::from(marks::STATELESS)) }, Set::one(0), false),
        Step::Act(Action::Accept),
    ]
}

/// Rules of a list in the order in which the first match decides.
fn in_deciding_order(rules: &[Rule], direction: Direction) -> Vec<&Rule> {
    let here = |r: &&Rule| r.direction.is_none_or(|d| d == direction) && !r.never;
    let (quick, last): (Vec<&Rule>, Vec<&Rule>) =
        rules.iter().filter(here).partition(|r| r.quick || r.action == super::ast::Action::Match);
    quick.into_iter().chain(last.into_iter().rev()).collect()
}
