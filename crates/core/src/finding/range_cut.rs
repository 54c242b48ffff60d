//! `range-cut`: the forward covers only a part of the range.

use super::{Cause, Explain, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "range-cut",
    severity: Severity::Error,
    title: "the forward covers only a part of the range",
    explain: Explain {
        happens: "a media server picks any port of its range for each participant. Those inside of the forward work, \
            the others never arrive: some calls have sound, some have none, and it changes from call to call.",
        who: "everybody, now and then. With many participants, always somebody.",
        recognised: "a forward has the right protocol and target, but its ports are not all that the server uses.",
        todo: "make the forward's range the server's range, at both ends; or make the server's range smaller, in \
            its own configuration and in callpath.toml.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Ports, .. })
}

fn message(gap: &Gap) -> String {
    format!("{} forwards only a part of the range: {} {} missing", gap.name, gap.what(), gap.are())
}

fn because(gap: &Gap) -> String {
    format!("{}; the server may pick any port of its range for a call", gap.story)
}
