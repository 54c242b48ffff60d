//! The firewall of a host of which nothing is given: it keeps sessions, and what it lets in or out is not known.

use crate::cube::Set;
use crate::model::{
    Action, ChainId, Doubt, DoubtId, DoubtKind, Families, Hook, KeyField, Origin, OriginId, Pipeline, Policy, Rule,
    Stage, StageKind, Step, ct_state,
};

/// What settles it.
const SUPPLY: &str = "save what `nft list ruleset` prints there, and name it in its [[deploy]] table, `firewall = \
     \"server.nft\"`; if it has none: `firewall = \"none\"`";

/// The firewall of the host with this name.
pub(super) fn firewall(name: &str) -> Pipeline {
    let mut pipeline = Pipeline::default();
    let origin = pipeline.add_origin(Origin { object: "its firewall (not given)".into(), ..Origin::default() });
    for hook in [Hook::Prerouting, Hook::Output] {
        stage(&mut pipeline, hook, StageKind::Track);
    }
    let what = format!("what the firewall of {name} lets through: it is not given");
    let doubt = Doubt { origin, what: what.into(), supply: SUPPLY.into(), fixed: true, kind: DoubtKind::Fact };
    let doubt = pipeline.add_doubt(doubt);
    for hook in [Hook::Input, Hook::Output] {
        let chain = filter(&mut pipeline, origin, doubt);
        stage(&mut pipeline, hook, StageKind::Filter { chain, policy: Policy::Accept, reroute: false });
    }
    pipeline
}

/// Answers pass; what becomes of the rest is not known.
fn filter(pipeline: &mut Pipeline, origin: OriginId, doubt: DoubtId) -> ChainId {
    let known = Step::is(KeyField::CtState, Set::one(ct_state::ESTABLISHED));
    let perhaps = Step::is(KeyField::Unknown(doubt, 1), Set::one(1));
    let rule = |steps: [Step; 2]| Rule { steps: steps.into(), origin };
    let rules = vec![rule([known, Step::Act(Action::Accept)]), rule([perhaps, Step::Act(Action::Drop)])];
    pipeline.add_chain("firewall", origin, rules)
}

fn stage(pipeline: &mut Pipeline, hook: Hook, kind: StageKind) {
    pipeline.hooks[hook as usize].push(Stage { kind, families: Families::BOTH, interfaces: None });
}
