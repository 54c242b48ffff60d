//! Base chains as stages, in the order in which the kernel runs them.

use super::coverage::is_on_the_way;
use super::matching::is;
use super::{After, Lowering, families};
use crate::cube::Set;
use crate::dialect::netfilter::{self, BaseChain, BaseKind};
use crate::dialect::nft::ast::{self, Base, ChainKind, HookName};
use crate::dialect::nft::print;
use crate::model::{
    Action, ChainId, Doubt, DoubtId, DoubtKind, Families, Hook, Key, KeyField, Match, Origin, Policy, Rule, Stage,
    StageKind, Step, Test, Ways, iface_value, iface_wildcard,
};
use std::collections::HashMap;

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

impl Lowering<'_> {
    /// Registers base chains of all tables.
    pub(super) fn stages(&mut self) {
        let tables = self.tables;
        self.registered.track(super::tracking::tracked(tables.iter().filter(|t| is_on_the_way(t))));
        let mut removed = HashMap::new();
        for (i, table) in tables.iter().enumerate().filter(|(_, t)| is_on_the_way(t)) {
            for declared in &table.chains {
                let Some(base) = &declared.base else { continue };
                let hook = hook_of(base.hook);
                let (id, interfaces) = self.on_devices(self.chains[&(i, &*declared.name)], base, hook);
                let chain = self.afterwards(i, table, id, &mut removed);
                self.registered.add(BaseChain {
                    hook,
                    priority: base.priority,
                    families: families(table.family),
                    interfaces,
                    chain,
                    policy: if base.policy_drop { Policy::Drop } else { Policy::Accept },
                    kind: match base.kind {
                        ChainKind::Nat => BaseKind::Nat,
                        ChainKind::Route => BaseKind::Route,
                        ChainKind::Filter => BaseKind::Filter,
                    },
                });
            }
        }
    }

    /// A base chain as other documents leave it. Tables that one of them removes are there again, or are not, together.
    fn afterwards(
        &mut self,
        n: usize,
        table: &ast::Table,
        id: ChainId,
        removed: &mut HashMap<usize, DoubtId>,
    ) -> ChainId {
        let name = print::table(table.family, &table.name);
        match self.after.get(n).cloned().unwrap_or_default() {
            After::Stays => id,
            After::Removed(by, file) => {
                let doubt = *removed.entry(by).or_insert_with(|| {
                    let what = format!("whether table {name} is there: {file} removes it, and does not make it again");
                    let supply = "what `nft list ruleset` prints after everything was started";
                    self.of_chain(id, what, supply)
                });
                netfilter::skipping(id, Key::of(KeyField::Unknown(doubt, 1)), Set::one(1), self.pipeline)
            }
            After::Changed(file) => {
                let what =
                    format!("what {file} leaves of table {name}: it changes it, and the two files are read apart");
                let doubt = self.of_chain(id, what, "one file that holds both, or what `nft list ruleset` prints");
                let unknown = Step::Act(Action::Unmodelled(Ways::Anything, doubt));
                netfilter::before(id, vec![unknown], self.pipeline)
            }
        }
    }

    fn of_chain(&mut self, chain: ChainId, what: String, supply: &str) -> DoubtId {
        let origin = self.pipeline.chain(chain).origin;
        let doubt = Doubt { origin, what: what.into(), supply: supply.into(), fixed: true, kind: DoubtKind::Fact };
        self.pipeline.add_doubt(doubt)
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
        netfilter::before_as("on some device", chain, vec![elsewhere, Step::Act(Action::Accept)], self.pipeline)
    }

    /// Devices with a wildcard (nft 1.1 and later).
    fn on_named_devices(&mut self, chain: ChainId, devices: &[Box<str>], hook: Hook) -> ChainId {
        let named = devices.iter().fold(Set::empty(), |all, name| {
            all.or(&name.strip_suffix('*').map_or_else(|| Set::one(iface_value(name)), iface_wildcard))
        });
        let field = if hook == Hook::Ingress { KeyField::InIface } else { KeyField::OutIface };
        let elsewhere = Step::Match(Match { keys: [Key::of(field)].into(), test: Test::In(named), negate: true });
        netfilter::before_as("on some devices", chain, vec![elsewhere, Step::Act(Action::Accept)], self.pipeline)
    }

    /// What is unknown outside of rules: it may do anything to any packet.
    pub(super) fn taint_all(&mut self, unread: &[ast::Unread]) {
        for one in unread {
            let stage = self.taint(one);
            self.registered.unread(stage);
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
        let chain = self.pipeline.add_chain("what was not understood", origin, vec![rule]);
        let kind = StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
        Stage { kind, families: Families::BOTH, interfaces: None }
    }
}
