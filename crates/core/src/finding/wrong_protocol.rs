//! `wrong-protocol`: the forward is for the other protocol.

use super::{Cause, Explain, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "wrong-protocol",
    severity: Severity::Error,
    title: "the forward is for the other protocol",
    explain: Explain {
        happens: "TCP and UDP are different things with the same port numbers. Media goes by UDP; a forward for TCP of \
            the same ports does nothing for it.",
        who: "everybody who calls from outside. Where the product has a way by TCP, calls work in spite of it, \
            with more delay.",
        recognised: "a forward has the right ports and target, and the protocol that nothing needs there.",
        todo: "change the protocol of that forward. \"TCP/UDP\" works too, but opens more than calls need.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Protocol, .. })
}

fn message(gap: &Gap) -> String {
    format!("the forward on {} is for the wrong protocol: {} {} needed", gap.name, gap.what(), gap.are())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
