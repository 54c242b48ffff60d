//! `wrong-target`: the forward leads to another host.

use super::{Cause, Explain, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "wrong-target",
    severity: Severity::Error,
    title: "the forward leads to another host",
    explain: Explain {
        happens: "the router sends the packets on, but not to the server. Often the server got another address from \
            DHCP after the forward was made.",
        who: "everybody whose calls use this forward.",
        recognised: "the packet ends at an address that is not the server's.",
        todo: "change the target of the forward to the server's address, and give the server a fixed address (a \
            static mapping of the DHCP server).",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Target, .. })
}

fn message(gap: &Gap) -> String {
    format!("the forward of {} on {} leads to another host", gap.what(), gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
