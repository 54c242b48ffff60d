//! A box that nobody can export, built from what its owner states about it.

use super::address::one;
use crate::cube::Set;
use crate::manifest::{Entry, Model, Source, Traffic};
use crate::model::{
    Action, ChainId, Device, Doubt, DoubtId, DoubtKind, Families, Hook, Interface, Key, KeyField, Lookup, Match,
    NatTarget, Origin, Part, Pipeline, Policy, Route, RouteTarget, Rule, Side, SourceId, SourceSpan, Stage, StageKind,
    Step, Test, Translate, address_value, ct_state, ct_status, iface_value,
};
use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// Index of the outer interface of a stated box.
pub(super) const OUTSIDE: usize = 0;
/// Index of its inner interface.
pub(super) const INSIDE: usize = 1;

/// How to settle what a stated box forwards.
const SAY_FORWARDS: &str = "say what it forwards: `forwards = [\"udp/…\", \"tcp/…\"]` in its [[gateway]] table";

/// The same, where its own pages are known.
fn say_forwards(words: &Model) -> String {
    if words.sources.is_empty() {
        return SAY_FORWARDS.to_owned();
    }
    let all = words.exposed.map_or_else(String::new, |page| format!("; {page} is `forwards = \"all to <address>\"`"));
    format!("{SAY_FORWARDS}, as its pages show it: {}{all}", words.forward)
}

/// How to settle what a box forwards that nobody described.
const DESCRIBE_BOX: &str = "describe it in a [[gateway]] table: by its configuration, `config = \"config.xml\"`, or by \
     its address and what it forwards, `inside = \"<address>/24\"` and `forwards = [\"udp/…\", \"tcp/…\"]`";

/// What is stated.
pub(super) struct Stated<'a> {
    /// Name for reports.
    pub name: &'a str,
    /// Outer addresses, the first one its own for what it translates.
    pub outside: &'a [IpNet],
    /// Next hop outwards; absent: the internet itself.
    pub hop: Option<IpAddr>,
    /// Inner addresses, one for each network behind it; at least one.
    pub inside: &'a [IpNet],
    /// Device that it forwards to.
    pub next: IpAddr,
    /// Servers behind it to which it may forward too, if nobody knows what it forwards.
    pub servers: &'a [IpAddr],
    /// What it forwards.
    pub forwards: &'a Traffic,
    /// How its own pages call all this.
    pub words: &'a Model,
    /// Turns calls from inside back in; absent: not known.
    pub hairpin: Option<bool>,
    /// Addresses at a place, where they are known.
    pub sources: &'a dyn Fn(&Source) -> Option<Set>,
    /// Where in the manifest this is stated; absent: it is assumed.
    pub at: Option<Range<usize>>,
}

/// A consumer router: translates what leaves, forwards what it is told to, lets answers in and nothing else.
pub(super) fn device(stated: &Stated<'_>) -> Device {
    let mut b = Builder::new(stated.at.clone().unwrap_or_default(), stated.at.is_some());
    let forward = b.forwards(stated);
    let prerouting = b.chain("forwards", forward);
    let inner = (0..stated.inside.len()).map(|n| iface_value(&inner_name(n)));
    let inner = Set::from_ranges(inner.map(|v| (v, v)));
    let from_inside = Step::is(KeyField::InIface, inner.clone());
    let to_outside = Step::is(KeyField::OutIface, Set::one(iface_value("outside")));
    let outgoing = || translate(Side::Source, NatTarget::OutgoingAddress { port: None });
    // What stays inside without having been forwarded keeps its address.
    let back_in = vec![from_inside.clone(), Step::is(KeyField::OutIface, inner), was_forwarded(), outgoing()];
    let postrouting = b.rules(vec![("translates what leaves", vec![to_outside, outgoing()]), ("hairpin", back_in)]);
    let postrouting = b.chain("leaving", postrouting);
    let known = Step::is(KeyField::CtState, Set::one(ct_state::ESTABLISHED));
    let accept = || Step::Act(Action::Accept);
    let filter = b.rules(vec![
        ("answers pass", vec![known, accept()]),
        ("what comes from inside passes", vec![from_inside, accept()]),
        ("forwarded ports pass", vec![was_forwarded(), accept()]),
    ]);
    let filter = b.chain("what comes from outside", filter);
    b.stage(Hook::Prerouting, StageKind::Track);
    b.stage(
        Hook::Prerouting,
        StageKind::Translate { side: Side::Destination, chains: vec![(prerouting, Policy::Accept)] },
    );
    b.stage(Hook::Output, StageKind::Track);
    b.stage(Hook::Forward, StageKind::Filter { chain: filter, policy: Policy::Drop, reroute: false });
    b.stage(
        Hook::Postrouting,
        StageKind::Translate { side: Side::Source, chains: vec![(postrouting, Policy::Accept)] },
    );
    let iface =
        |name: &str, nets: &[IpNet]| Interface { name: name.into(), addresses: nets.to_vec(), ..Interface::default() };
    let default = Route {
        to: IpNet::new_assert(std::net::Ipv4Addr::UNSPECIFIED.into(), 0),
        target: RouteTarget::Via(OUTSIDE, stated.hop),
        table: crate::dialect::iproute::MAIN,
        metric: 0,
    };
    Device {
        name: stated.name.into(),
        interfaces: std::iter::once(iface("outside", stated.outside))
            .chain(stated.inside.iter().enumerate().map(|(n, net)| iface(&inner_name(n), &[*net])))
            .collect(),
        routes: vec![default],
        pipeline: b.pipeline,
        forwards: true,
        drops_own_source: true,
        ..Device::default()
    }
}

/// What makes the pipeline of something that is stated.
pub(super) struct Builder {
    /// The pipeline.
    pub pipeline: Pipeline,
    at: Range<usize>,
    stated: bool,
    /// What it forwards is not known: one doubt for all that goes to one address.
    unknown: Vec<(IpAddr, DoubtId)>,
}

impl Builder {
    /// `at`: where in the manifest; `stated`: it is there, and not assumed.
    pub fn new(at: Range<usize>, stated: bool) -> Self {
        Self { pipeline: Pipeline::default(), at, stated, unknown: Vec::new() }
    }

    fn origin(&mut self, text: &str) -> crate::model::OriginId {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let at = SourceSpan { source: SourceId::MANIFEST, start: place(self.at.start), end: place(self.at.end) };
        let object = format!("{} ({})", text, if self.stated { "as you stated" } else { "assumed" });
        let text = if self.stated { object.as_str().into() } else { Box::default() };
        self.pipeline.add_origin(Origin {
            at,
            has_lines: self.stated,
            object: object.into(),
            text,
            ..Origin::default()
        })
    }

    /// See the model.
    pub fn rules(&mut self, list: Vec<(&str, Vec<Step>)>) -> Vec<Rule> {
        list.into_iter().map(|(text, steps)| Rule { steps: steps.into(), origin: self.origin(text) }).collect()
    }

    /// See the model.
    pub fn chain(&mut self, name: &str, rules: Vec<Rule>) -> ChainId {
        let origin = self.origin(name);
        self.pipeline.add_chain(name, origin, rules)
    }

    /// See the model.
    pub fn stage(&mut self, hook: Hook, kind: StageKind) {
        self.pipeline.hooks[hook as usize].push(Stage { kind, families: Families::BOTH, interfaces: None });
    }

    /// See the model.
    pub fn doubt(&mut self, what: String, supply: &str) -> DoubtId {
        let origin = self.origin("stated");
        self.pipeline.add_doubt(Doubt {
            origin,
            what: what.into(),
            supply: supply.into(),
            fixed: true,
            kind: DoubtKind::Fact,
        })
    }

    fn forwards(&mut self, s: &Stated<'_>) -> Vec<Rule> {
        let own = Set::union(s.outside.iter().map(|n| one(n.addr())));
        let mut start = vec![Step::is(KeyField::Header(Part::Dst), own)];
        match s.hairpin {
            Some(true) => {}
            Some(false) => start.push(Step::is(KeyField::InIface, Set::one(iface_value("outside")))),
            None => {
                let doubt = self.doubt(
                    format!("whether {} turns calls from inside to its public address back in", s.name),
                    "state `hairpin = true` or `hairpin = false` in its [[gateway]] table",
                );
                // What comes from outside is forwarded for certain, what comes from inside only perhaps.
                let mut outside = start.clone();
                outside.push(Step::is(KeyField::InIface, Set::one(iface_value("outside"))));
                start.push(Step::is(KeyField::Unknown(doubt, 1), Set::one(1)));
                let certain = self.forward_rules(s, &outside);
                return certain.into_iter().chain(self.forward_rules(s, &start)).collect();
            }
        }
        self.forward_rules(s, &start)
    }

    fn forward_rules(&mut self, s: &Stated<'_>, start: &[Step]) -> Vec<Rule> {
        let mut rules = Vec::new();
        let to = |target: IpAddr, by: Option<u16>, more: Vec<Step>| {
            let mut steps = start.to_vec();
            steps.extend(more);
            let value = address_value(target);
            let addr = Some((value, value));
            let v6 = target.is_ipv6();
            let to = match by {
                Some(by) => NatTarget::Moved { addr, v6, by },
                None => NatTarget::To { addr, v6, port: None, keep_host_bits: false },
            };
            steps.push(translate(Side::Destination, to));
            steps
        };
        match s.forwards {
            Traffic::None => {}
            Traffic::All(target) => {
                rules.push(("forwards everything", to(target.unwrap_or(s.next), None, Vec::new())));
            }
            Traffic::Some(list) => rules.extend(list.iter().map(|f| {
                let mut more = of_entry(f);
                more.extend(self::from(f, s.sources));
                ("forwards these ports", to(f.target.unwrap_or(s.next), moved(f), more))
            })),
            Traffic::Unknown => {
                if self.unknown.is_empty() {
                    let supply = if self.stated { say_forwards(s.words) } else { DESCRIBE_BOX.to_owned() };
                    let targets = std::iter::once(s.next).chain(s.servers.iter().copied().filter(|h| *h != s.next));
                    for target in targets {
                        let doubt = self.doubt(format!("what {} forwards", s.name), &supply);
                        self.unknown.push((target, doubt));
                    }
                }
                let may = |(target, doubt): &(IpAddr, DoubtId)| {
                    ("may forward this", to(*target, None, vec![Step::is(KeyField::Unknown(*doubt, 1), Set::one(1))]))
                };
                rules.extend(self.unknown.iter().map(may));
            }
        }
        self.rules(rules)
    }
}

/// Name of an inner interface.
fn inner_name(n: usize) -> String {
    if n == 0 { "inside".into() } else { format!("inside{}", n + 1) }
}

fn was_forwarded() -> Step {
    Step::Match(Match {
        keys: [Key { field: KeyField::CtStatus, mask: Some(ct_status::DNAT) }].into(),
        test: Test::In(Set::one(ct_status::DNAT)),
        negate: false,
    })
}

/// The packets of an entry, apart from who sends them.
pub(super) fn of_entry(entry: &Entry) -> Vec<Step> {
    let Some((proto, lo, hi)) = entry.what else { return Vec::new() };
    vec![
        Step::is(KeyField::Header(Part::Proto), Set::one(u128::from(proto.number()))),
        Step::is(KeyField::Header(Part::DstPort), Set::range(u128::from(lo), u128::from(hi))),
    ]
}

/// How far an entry moves its ports.
fn moved(entry: &Entry) -> Option<u16> {
    let (_, lo, _) = entry.what?;
    entry.inner.map(|inner| inner.wrapping_sub(lo))
}

/// Who sends the packets of an entry.
pub(super) fn from(entry: &Entry, sources: &dyn Fn(&Source) -> Option<Set>) -> Option<Step> {
    let set = sources(entry.from.as_ref()?)?;
    Some(Step::is(KeyField::Header(Part::Src), set))
}

fn translate(side: Side, target: NatTarget) -> Step {
    Step::Act(Action::Translate(Translate { side, target: Arc::new(Lookup::fixed(target)), random: false }))
}
