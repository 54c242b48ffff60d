//! Lines as stages and rules of the model.

use super::{Line, Says};
use crate::cube::Set;
use crate::dialect::Counts;
use crate::model::{
    Action, Doubt, DoubtKind, Families, Hook, KeyField, Lookup, NatTarget, Origin, Part, Pipeline, Policy, Rule, Side,
    Stage, StageKind, Step, Translate, Ways, address_value, ct_state, iface_value,
};
use std::sync::Arc;

/// Fills a device's pipeline.
pub fn lower(lines: &[Line], into: &mut Pipeline) -> Counts {
    let mut counts = Counts { statements: lines.len(), ..Counts::default() };
    let whole = into.add_origin(Origin { object: "what the toy does by itself".into(), ..Origin::default() });
    let outside = lines.iter().find_map(|l| if let Says::Outside(name) = &l.says { Some(name) } else { None });
    let outside = outside.map_or(Set::empty(), |name| Set::one(iface_value(name)));
    let from_outside = Step::is(KeyField::InIface, outside.clone());
    let own = Arc::new(Lookup::fixed(NatTarget::OutgoingAddress { port: None }));
    let mask = Action::Translate(Translate { side: Side::Source, target: own, random: false });
    let leaving = vec![Rule { steps: [Step::is(KeyField::OutIface, outside), Step::Act(mask)].into(), origin: whole }];
    let known = Set::from_ranges([ct_state::ESTABLISHED, ct_state::RELATED].map(|s| (s, s)));
    let answers = vec![Step::is(KeyField::CtState, known), Step::Act(Action::Accept)];
    let (mut unread, mut forwards) = (Vec::new(), Vec::new());
    let mut filter = vec![Rule { steps: answers.into(), origin: whole }];
    for line in lines {
        let at = Origin { at: line.at, has_lines: true, object: "the rules".into(), ..Origin::default() };
        let origin = into.add_origin(at);
        match &line.says {
            Says::Outside(_) => {}
            Says::Pass(forward, proto, ports, to) => {
                let to = address_value((*to).into());
                let proto = Step::is(KeyField::Header(Part::Proto), Set::one(proto.number().into()));
                let ports = Step::is(KeyField::Header(Part::DstPort), Set::range(ports.0.into(), ports.1.into()));
                let pass = [Step::is(KeyField::Header(Part::Dst), Set::one(to)), Step::Act(Action::Accept)];
                let steps = [proto.clone(), ports.clone()].into_iter().chain(pass).collect();
                filter.push(Rule { steps, origin });
                if *forward {
                    let target = NatTarget::To { addr: Some((to, to)), v6: false, port: None, keep_host_bits: false };
                    let target = Arc::new(Lookup::fixed(target));
                    let translate = Action::Translate(Translate { side: Side::Destination, target, random: false });
                    let steps = [from_outside.clone(), proto, ports, Step::Act(translate)].into();
                    forwards.push(Rule { steps, origin });
                }
            }
            Says::Unread => {
                counts.unread += 1;
                let what = "this line was not understood".into();
                let doubt =
                    into.add_doubt(Doubt { origin, what, supply: "".into(), fixed: true, kind: DoubtKind::Unread });
                unread.push(Rule { steps: [Step::Act(Action::Unmodelled(Ways::Anything, doubt))].into(), origin });
            }
        }
    }
    counts.understood = counts.statements - counts.unread;
    filter.push(Rule { steps: [from_outside, Step::Act(Action::Drop)].into(), origin: whole });
    let mut chain = |name: &str, rules: Vec<Rule>| (into.add_chain(name, whole, rules), Policy::Accept);
    let unread = chain("lines not understood", unread);
    let (forwards, filter) = (chain("forwards", forwards), chain("filter", filter));
    let leaving = chain("what leaves", leaving);
    let pass = |(chain, policy)| StageKind::Filter { chain, policy, reroute: false };
    let nat = |side, chains| StageKind::Translate { side, chains };
    // Packets meet what was not understood before all else. Without a chain, translation still turns answers back.
    for (hook, kinds) in [
        (Hook::Prerouting, vec![pass(unread), StageKind::Track, nat(Side::Destination, vec![forwards])]),
        (Hook::Input, vec![pass(filter), nat(Side::Source, Vec::new())]),
        (Hook::Forward, vec![pass(filter)]),
        (Hook::Output, vec![pass(unread), StageKind::Track, nat(Side::Destination, Vec::new())]),
        (Hook::Postrouting, vec![nat(Side::Source, vec![leaving])]),
    ] {
        let stage = |kind| Stage { kind, families: Families { v4: true, v6: false }, interfaces: None };
        into.hooks[hook as usize].extend(kinds.into_iter().map(stage));
    }
    counts
}
