//! `range-too-small`: the range is too small for a call of two.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "range-too-small",
    severity: Severity::Warning,
    title: "the range is too small for a call of two",
    explain: Explain {
        happens: "each participant of a call takes some ports of the range. When it is used up, whoever comes next is \
            not heard.",
        who: "the last ones who join.",
        recognised: "the range holds fewer ports than two participants take.",
        todo: "make the range larger, in the product's own configuration, in the forwards and in callpath.toml.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::TooSmall
}

fn message(gap: &Gap) -> String {
    format!("the range {} is too small for a call", gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
