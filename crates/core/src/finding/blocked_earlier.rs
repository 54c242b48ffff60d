//! `blocked-earlier`: a rule blocks these packets before the one that would let them pass.

use super::{Cause, Explain, Gap, Lack, Severity, Stands};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "blocked-earlier",
    severity: Severity::Error,
    title: "a rule blocks these packets before the one that would let them pass",
    explain: Explain {
        happens: "rules are asked in order, and the first that fits decides. A rule that blocks stands before the rule \
            that was made for these packets.",
        who: "everybody whom the blocking rule is about.",
        recognised: "the packet ends at a rule that blocks, and a later rule of the same list would let it pass.",
        todo: "put a rule for these packets before the one that blocks, or make the blocking rule narrower.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Filter { stands: Stands::BlockFirst, .. })
}

fn message(gap: &Gap) -> String {
    format!("{} blocks {} before the rule that would let such packets pass", gap.name, gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
