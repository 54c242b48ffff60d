//! `not-understood`: a statement that was not understood stands in the way.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "not-understood",
    severity: Severity::Warning,
    title: "a statement that was not understood stands in the way",
    explain: Explain {
        happens: "callpath follows packets through your configuration. Here they meet a statement that it does not \
            know, and what comes of them is open: it says \"unknown\" rather than guess.",
        who: "nobody, perhaps. The statement may be harmless.",
        recognised: "the report names the statement with file and line.",
        todo: "look at the statement. If it cannot concern these packets, try the check without it. And tell us, so \
            that it is understood in future: what `callpath snapshot --redact -o bug.json` writes shows it, \
            without your names and addresses.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::NotUnderstood
}

fn message(gap: &Gap) -> String {
    format!("what {} does to {} depends on a statement that was not understood", gap.name, gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
