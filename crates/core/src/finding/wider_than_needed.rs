//! `wider-than-needed`: the internet reaches ports that no call needs.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "wider-than-needed",
    severity: Severity::Note,
    title: "the internet reaches ports that no call needs",
    explain: Explain {
        happens: "a forward or a rule opens more ports of the server than its calls use. Nothing may listen there \
            today; what is installed tomorrow will be open.",
        who: "nobody.",
        recognised: "a packet from the internet reaches the server at a port that no installed product asks for, and none \
            forbids.",
        todo: "make the forward as wide as the product's own list (callpath ports), or say in callpath.toml what \
            else runs there.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Wider
}

fn message(gap: &Gap) -> String {
    format!("the internet reaches {} on the server, which no call needs", gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
