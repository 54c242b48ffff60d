//! `forward-missing`: no forward sends these packets on to the server.

use super::{Cause, Explain, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "forward-missing",
    severity: Severity::Error,
    title: "no forward sends these packets on to the server",
    explain: Explain {
        happens: "your router gets the packets, because they are sent to its public address. No forward names these \
            ports, so it takes them for itself, and nothing there answers.",
        who: "everybody who calls from outside; inside too, when calls go to the public address.",
        recognised: "the packet ends at the router, and no forward there has the same protocol, ports and target, \
            switched on.",
        todo: "add the forward, or switch it on. Inside and outside ports are the same: a media server tells its \
            clients the ports that it has itself.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Nothing | Near::Disabled | Near::Address, .. })
}

fn message(gap: &Gap) -> String {
    let off = matches!(gap.lack, Lack::Forward { near: Near::Disabled, .. });
    if off {
        format!("the forward of {} on {} is switched off", gap.what(), gap.name)
    } else {
        format!("{} {} not forwarded to the server by {}", gap.what(), gap.are(), gap.name)
    }
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
