//! `filter-missing`: a firewall does not let these packets pass.

use crate::change::Intent;

use super::{Cause, Explain, Gap, Lack, Severity, Stands};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "filter-missing",
    severity: Severity::Error,
    title: "a firewall does not let these packets pass",
    explain: Explain {
        happens: "the packets are sent on to the server, but the filter on the way has no rule for them, and what no \
            rule lets pass is dropped.",
        who: "everybody whose calls go this way.",
        recognised: "the packet ends in a filter, at its last rule or at its end, already with the server as its target.",
        todo: "a rule that lets the packets to the server pass. On pfSense a forward has such a rule when it was \
            made with \"Add associated filter rule\"; when it was deleted or switched off, the forward alone \
            does nothing.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Filter { stands: Stands::Nothing | Stands::Disabled | Stands::Block, .. })
}

fn message(gap: &Gap) -> String {
    match gap.lack {
        Lack::Filter { answers: true, .. } => format!("{} does not let answers back in", gap.name),
        _ if matches!(gap.wanted.as_ref().map(|w| &w.intent), Some(Intent::Allow { input: true, .. })) => {
            format!("no rule of {} lets {} in", gap.name, gap.what())
        }
        Lack::Filter { stands: Stands::Disabled, .. } => {
            format!("the rule of {} that lets {} pass is switched off", gap.name, gap.what())
        }
        _ => format!("no rule of {} lets {} pass to the server", gap.name, gap.what()),
    }
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
