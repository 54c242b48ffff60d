//! Base chains as stages, in the order in which the kernel runs them.

use super::coverage::is_on_the_way;
use super::matching::is;
use super::{Lowering, families};
use crate::cube::Set;
use crate::dialect::nft::ast::{self, Base, ChainKind, HookName, TableFamily};
use crate::model::{
    Action, Chain, ChainId, Doubt, DoubtKind, Families, Hook, Key, KeyField, Match, Origin, OriginId, Policy, Rule,
    Side, Stage, StageKind, Step, Test, Ways, iface_value, iface_wildcard,
};

/// Where connection tracking sits (`NF_IP_PRI_CONNTRACK`).
const TRACK: i32 = -200;
/// Where destination and source are translated, whatever priority a nat chain names: nat chains are entries of one
/// hook of the core (`nf_nat_register_fn`, `net/netfilter/nf_nat_core.c`).
const DESTINATION: i32 = -100;
const SOURCE: i32 = 100;

fn hook_of(hook: HookName) -> Hook {
    match hook {
        HookName::Ingress => Hook::Ingress,
        HookName::Prerouting => Hook::Prerouting,
        HookName::Input => Hook::Input,
        HookName::Forward => Hook::Forward,
        HookName::Output => Hook::Output,
        HookName::Postrouting => Hook::Postrouting,
        HookName::Egress => Hook::Egress,
    }
}

/// A nat chain: its priority among the others, its table's family.
type NatChain = (i32, TableFamily, (ChainId, Policy));

impl Lowering<'_> {
    /// Base chains of all tables, by hook and priority.
    pub(super) fn stages(&mut self) {
        let tables = self.tables;
        let tracked = super::tracking::tracked(tables.iter().filter(|t| is_on_the_way(t)));
        for hook in Hook::ALL {
            let mut filters: Vec<(i32, Stage)> = Vec::new();
            let mut nat: Vec<NatChain> = Vec::new();
            for (i, table) in tables.iter().enumerate().filter(|(_, t)| is_on_the_way(t)) {
                for chain in &table.chains {
                    let Some(base) = chain.base.as_ref().filter(|b| hook_of(b.hook) == hook) else { continue };
                    let (id, interfaces) = self.on_devices(self.chains[&(i, &*chain.name)], base, hook);
                    let policy = if base.policy_drop { Policy::Drop } else { Policy::Accept };
                    if base.kind == ChainKind::Nat {
                        nat.push((base.priority, table.family, (id, policy)));
                        continue;
                    }
                    let reroute = base.kind == ChainKind::Route;
                    let kind = StageKind::Filter { chain: id, policy, reroute };
                    filters.push((base.priority, Stage { kind, families: families(table.family), interfaces }));
                }
            }
            // Of equal priority, the chain registered last runs first (`nf_hook_entries_grow`, net/netfilter/core.c).
            nat.reverse();
            nat.sort_by_key(|(priority, ..)| *priority);
            filters.reverse();
            filters.extend(fixed_stages(hook, &nat, tracked));
            filters.sort_by_key(|(priority, _)| *priority);
            self.pipeline.hooks[hook as usize].extend(filters.into_iter().map(|(_, stage)| stage));
        }
    }

    /// The entry chain and the interfaces of an ingress or egress chain.
    fn on_devices(&mut self, chain: ChainId, base: &Base, hook: Hook) -> (ChainId, Option<Vec<Box<str>>>) {
        if !matches!(hook, Hook::Ingress | Hook::Egress) {
            return (chain, None);
        }
        if base.devices.is_empty() {
            return (self.on_some_device(chain), None);
        }
        if base.devices.iter().any(|d| d.contains('*')) {
            return (self.on_named_devices(chain, &base.devices, hook), None);
        }
        (chain, Some(base.devices.clone()))
    }

    /// nft 1.0.6 leaves the device of an ingress chain out of its JSON: then it is open which packets meet the chain.
    fn on_some_device(&mut self, chain: ChainId) -> ChainId {
        let origin = self.pipeline.chain(chain).origin;
        // Not fixed: request and reply come by different interfaces.
        let doubt = self.pipeline.add_doubt(Doubt {
            origin,
            what: "on which device this chain sits: the JSON listing does not say".into(),
            supply: "the text that `nft list ruleset` prints".into(),
            fixed: false,
            kind: DoubtKind::Fact,
        });
        let elsewhere = is(Key::of(KeyField::Unknown(doubt, 1)), Set::one(0));
        self.skipping(elsewhere, chain, "on some device")
    }

    /// Devices with a wildcard (nft 1.1 and later).
    fn on_named_devices(&mut self, chain: ChainId, devices: &[Box<str>], hook: Hook) -> ChainId {
        let named = devices.iter().fold(Set::empty(), |all, name| {
            all.or(&name.strip_suffix('*').map_or_else(|| Set::one(iface_value(name)), iface_wildcard))
        });
        let field = if hook == Hook::Ingress { KeyField::InIface } else { KeyField::OutIface };
        let elsewhere = Step::Match(Match { keys: [Key::of(field)].into(), test: Test::In(named), negate: true });
        self.skipping(elsewhere, chain, "on some devices")
    }

    /// A chain in front of another, for the packets that do not meet a condition.
    fn skipping(&mut self, unless: Step, chain: ChainId, name: &str) -> ChainId {
        let origin = self.pipeline.chain(chain).origin;
        let rule = |steps: Vec<Step>| Rule { steps: steps.into(), origin };
        let rules = vec![rule(vec![unless, Step::Act(Action::Accept)]), rule(vec![Step::Act(Action::Goto(chain))])];
        self.add_chain(name, origin, rules)
    }

    pub(super) fn add_chain(&mut self, name: &str, origin: OriginId, rules: Vec<Rule>) -> ChainId {
        let id = ChainId(u32::try_from(self.pipeline.chains.len()).expect("fewer than 2³² chains"));
        self.pipeline.chains.push(Chain { name: name.into(), origin, rules });
        id
    }

    /// What is unknown outside of rules: it may do anything to any packet.
    pub(super) fn taint_all(&mut self, unread: &[ast::Unread]) {
        let mut stages: Vec<Stage> = unread.iter().map(|u| self.taint(u)).collect();
        stages.reverse();
        for hook in [Hook::Prerouting, Hook::Output] {
            self.pipeline.hooks[hook as usize].splice(0..0, stages.iter().cloned());
        }
    }

    fn taint(&mut self, unread: &ast::Unread) -> Stage {
        self.coverage.count_unread();
        let origin = self.pipeline.add_origin(Origin {
            at: unread.at,
            has_lines: self.has_lines,
            object: "the ruleset".into(),
            text: unread.text.clone(),
            ..Origin::default()
        });
        let doubt = self.pipeline.add_doubt(Doubt {
            origin,
            what: format!("`{}` was not understood: {}", unread.text, unread.why).into(),
            supply: "the output of `nft list ruleset`, which has no includes and no commands".into(),
            fixed: true,
            kind: DoubtKind::Unread,
        });
        let rule = Rule { steps: Box::new([Step::Act(Action::Unmodelled(Ways::Anything, doubt))]), origin };
        let chain = self.add_chain("what was not understood", origin, vec![rule]);
        let kind = StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
        Stage { kind, families: Families::BOTH, interfaces: None }
    }
}

/// Tracking, if something asks for it, and translation.
fn fixed_stages(hook: Hook, nat: &[NatChain], tracked: Families) -> Vec<(i32, Stage)> {
    let mut out = Vec::new();
    if matches!(hook, Hook::Prerouting | Hook::Output) && (tracked.v4 || tracked.v6) {
        out.push((TRACK, Stage { kind: StageKind::Track, families: tracked, interfaces: None }));
    }
    let (priority, side) = match hook {
        Hook::Prerouting | Hook::Output => (DESTINATION, Side::Destination),
        Hook::Input | Hook::Postrouting => (SOURCE, Side::Source),
        _ => return out,
    };
    for one in [Families { v4: true, v6: false }, Families { v4: false, v6: true }] {
        let sees = |family: TableFamily| {
            let has = families(family);
            (one.v4 && has.v4) || (one.v6 && has.v6)
        };
        let chains = nat.iter().filter(|(_, f, _)| sees(*f)).map(|(.., chain)| *chain).collect();
        let kind = StageKind::Translate { side, chains };
        out.push((priority, Stage { kind, families: one, interfaces: None }));
    }
    out
}
