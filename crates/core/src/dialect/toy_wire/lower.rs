//! Lines as stages and rules of the model.

use super::{Line, Says};
use crate::cube::Set;
use crate::dialect::{Counts, WIRE};
use crate::model::{
    Action, Doubt, DoubtKind, Families, Hook, KeyField, Origin, Part, Pipeline, Policy, Rule, Stage, StageKind, Step,
    Ways, ct_state, iface_value,
};

/// Fills a device's pipeline.
pub(super) fn lower(lines: &[Line], into: &mut Pipeline) -> Counts {
    let mut counts = Counts { statements: lines.len(), ..Counts::default() };
    let whole = into.add_origin(Origin { object: "what no line names".into(), ..Origin::default() });
    let mut rules = Vec::new();
    let mut tracks = false;
    for line in lines {
        let at = Origin { at: line.at, has_lines: true, object: "the list".into(), ..Origin::default() };
        let origin = into.add_origin(at);
        let steps = match line.says {
            Says::Tracks => {
                tracks = true;
                let known = Set::one(ct_state::ESTABLISHED);
                let rule =
                    Rule { steps: [Step::is(KeyField::CtState, known), Step::Act(Action::Accept)].into(), origin };
                // Whatever stands before it.
                rules.insert(0, rule);
                continue;
            }
            Says::Rule { passes, inwards, proto, ports } => vec![
                Step::is(KeyField::InIface, Set::one(iface_value(WIRE[usize::from(!inwards)]))),
                Step::is(KeyField::Header(Part::Proto), Set::one(proto.number().into())),
                Step::is(KeyField::Header(Part::DstPort), Set::range(ports.0.into(), ports.1.into())),
                Step::Act(if passes { Action::Accept } else { Action::Drop }),
            ],
            Says::Unread => {
                counts.unread += 1;
                let what = "this line was not understood".into();
                let doubt =
                    into.add_doubt(Doubt { origin, what, supply: "".into(), fixed: true, kind: DoubtKind::Unread });
                vec![Step::Act(Action::Unmodelled(Ways::Anything, doubt))]
            }
        };
        rules.push(Rule { steps: steps.into(), origin });
    }
    counts.understood = counts.statements - counts.unread;
    let chain = into.add_chain("the list", whole, rules);
    let mut stage = |hook: Hook, kind: StageKind| {
        into.hooks[hook as usize].push(Stage { kind, families: Families::BOTH, interfaces: None });
    };
    if tracks {
        stage(Hook::Prerouting, StageKind::Track);
    }
    stage(Hook::Forward, StageKind::Filter { chain, policy: Policy::Drop, reroute: false });
    counts
}
