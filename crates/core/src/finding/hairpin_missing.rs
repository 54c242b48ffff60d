//! `hairpin-missing`: calls from inside to the public address are not turned back in.

use super::{Cause, Explain, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "hairpin-missing",
    severity: Severity::Error,
    title: "calls from inside to the public address are not turned back in",
    explain: Explain {
        happens: "at home too, calls go to the public address, because that is what the server tells its clients. The \
            forward acts only on what comes from outside, so from inside the packets end at the router. Names \
            for this: NAT reflection, hairpin NAT, NAT loopback.",
        who: "people in your own network. From outside everything works, which makes it hard to find. A local DNS \
            entry does not help media: clients are told an address, not a name.",
        recognised: "a forward is right but for the interface.",
        todo: "switch reflection on for the forwards; callers in the server's own network also need its source part \
            (hairpin-no-source-nat).",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Interface, inside: true })
}

fn message(gap: &Gap) -> String {
    let asked = gap.asked.map_or_else(|| "the public address".to_owned(), |a| a.to_string());
    format!("{} does not turn calls to {asked} back inside", gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
