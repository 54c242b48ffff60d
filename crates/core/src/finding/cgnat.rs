//! `cgnat`: your provider gives you an address that it shares between customers.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "cgnat",
    severity: Severity::Error,
    title: "your provider gives you an address that it shares between customers",
    explain: Explain {
        happens: "the address outside of your router is one of 100.64.0.0/10 (RFC 6598). It is not on the internet: \
            your provider translates many customers to one public address, and forwards nothing to you.",
        who: "everybody who calls from outside.",
        recognised: "the outer address lies in 100.64.0.0/10.",
        todo: "no setting of your router helps. Ask your provider for a public IPv4 address (some give one for the \
            asking), or use IPv6, or a relay (TURN) or a tunnel that ends at a server with a public address.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::SharedAddress
}

fn message(gap: &Gap) -> String {
    let outer = gap.outer.map_or_else(String::new, |a| format!(" ({a})"));
    format!(
        "your provider shares your public address with other customers: {}'s outer address{outer} is not on the internet",
        gap.name
    )
}

fn because(gap: &Gap) -> String {
    format!(
        "what comes from the internet ends at your provider, not at {}, and no router of yours can change that",
        gap.name
    )
}
