//! `hole-punching-only`: media gets through only because both sides send at once.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module. It is never planted alone: whatever keeps media out is a cause of its own, and mends this too.
pub static CAUSE: Cause = Cause {
    code: "hole-punching-only",
    severity: Severity::Warning,
    title: "some callers get through by hole punching only",
    explain: Explain {
        happens: "no rule lets media in, but both sides send. The server's packet makes its router expect an answer \
            from the caller, the caller's packet makes the other router expect one from the server: each passes \
            as the answer to the other.",
        who: "nobody behind an ordinary home router. It fails where a router picks a new port for each \
            conversation (mobile and corporate networks, pfSense unless an outbound rule keeps ports), where one \
            takes a stranger's packet for itself, and where callers are not told their public address (STUN).",
        recognised: "both sides' packets are followed through every session that they leave behind, in both orders; \
            without these none gets through.",
        todo: "let media in for good: the forward or rule that the report prints makes it firm for everybody.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::HolePunching
}

fn message(gap: &Gap) -> String {
    format!("{} get through by hole punching only, which fails on many mobile networks", gap.who)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
