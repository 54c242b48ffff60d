//! `hole-punching-only`: media gets through only because both sides send at once.

use super::{Cause, Gap, Lack, Severity};

/// See the module. It is never planted alone: whatever keeps media out is a cause of its own, and mends this too.
pub static CAUSE: Cause = Cause {
    code: "hole-punching-only",
    severity: Severity::Warning,
    title: "some callers get through by hole punching only",
    explain: "\
what happens: nothing lets media in, but both sides send. The server's packet
makes its router expect an answer from the caller; the caller's packet makes the
caller's router expect one from the server. Each then passes as the answer to
the other.
who notices: it works for callers behind ordinary home routers, and fails on
mobile and corporate networks, whose routers pick a new port for each
conversation. It also breaks when the server's router picks source ports at
random, when it answers strangers instead of dropping their packets silently, or
when nobody tells callers their public address (STUN).
how it is recognised: the packets of both sides are followed through all
sessions that they leave behind, in both orders; none gets through without them.
what to do: let media in for good: the forward or rule that the report prints
makes it firm for everybody.
",
    matches,
    message,
    because,
    faults: &[],
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::HolePunching
}

fn message(gap: &Gap) -> String {
    format!("{} get through by hole punching only: not from mobile networks", gap.who)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
