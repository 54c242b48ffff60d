//! `port-overlap`: two instances on one host want the same ports.

use super::{Cause, Explain, Gap, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "port-overlap",
    severity: Severity::Error,
    title: "two instances on one host want the same ports",
    explain: Explain {
        happens: "two products on one host, or one product twice, are given the same ports. The second does not start, \
            or takes packets that are for the first.",
        who: "everybody who calls the one that lost.",
        recognised: "ranges of two [[deploy]] tables with the same host overlap. callpath check stops there: no verdict \
            would be true for both.",
        todo: "give one of them the range that the message proposes, in its own configuration, in the forwards and \
            with = { ... } in callpath.toml.",
    },
    // Instances that want the same ports are refused before anything is judged.
    matches: |_| false,
    message,
    because,
};

fn message(gap: &Gap) -> String {
    format!("two instances want {}", gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
