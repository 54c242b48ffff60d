//! `range-shifted`: the forward changes the ports.

use super::{Cause, Explain, Gap, Lack, Near, Severity};
use crate::vocabulary::list;

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "range-shifted",
    severity: Severity::Error,
    title: "the forward changes the ports",
    explain: Explain {
        happens: "ports outside and inside differ. Either the forward sends packets on to other ports than those that \
            were asked, where nobody answers; or it leads to the server's ports, but from others outside, and \
            callers never ask for those.",
        who: "everybody whose calls use this forward.",
        recognised: "the packet reaches the server at another port; or it ends at the router, and a forward of other \
            ports leads to the very port that it asked for.",
        todo: "for media, make the first port outside the same as the first port inside. A media server tells its \
            clients its own ports; that they are others outside it cannot be told. Pages and signalling are \
            another matter: there the port counts that people type, so another outer port is right where they \
            type it (`proxy = { outer = 8443 }` in callpath.toml says so).",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Shift, .. })
}

fn message(gap: &Gap) -> String {
    if gap.leads.is_empty() {
        return format!("the forward of {} on {} changes the ports", gap.what(), gap.name);
    }
    let outside = list(&gap.leads);
    let lead = if gap.leads.len() > 1 { "lead" } else { "leads" };
    let asked = if gap.signalling { "callers ask for" } else { "callers are told" };
    format!("{outside} outside {lead} to {} of the server, and {asked} {}", gap.what(), gap.what())
}

fn because(gap: &Gap) -> String {
    if gap.signalling && !gap.leads.is_empty() {
        return format!("{}; where people type the port, state it: `proxy = {{ outer = … }}`", gap.story);
    }
    gap.story.clone()
}
