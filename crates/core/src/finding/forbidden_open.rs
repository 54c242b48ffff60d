//! `forbidden-open`: the internet reaches a port that nobody outside may reach.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "forbidden-open",
    severity: Severity::Error,
    title: "the internet reaches a port that nobody outside may reach",
    explain: Explain {
        happens: "a port on the server that is meant for the server alone, such as a database, can be reached from the \
            internet: by a forward, perhaps under another number, or by a rule that is too wide.",
        who: "nobody, until somebody misuses it. Such ports are found within hours.",
        recognised: "a packet from the internet ends at a port that the product must keep closed.",
        todo: "take the forward away or make it narrower; do it now, then look into the logs of that service.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Exposed
}

fn message(gap: &Gap) -> String {
    format!("the internet reaches {} on the server", gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
