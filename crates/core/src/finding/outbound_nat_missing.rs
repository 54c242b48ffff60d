//! `outbound-nat-missing`: what the server sends out keeps its private address.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "outbound-nat-missing",
    severity: Severity::Error,
    title: "what the server sends out leaves with an address that is not the one it is called by",
    explain: Explain {
        happens: "the server asks a host on the internet, a STUN server or a caller's candidate. The router sends the \
            packet out as it is, with the server's private address as its source. No answer to such an address \
            comes back. Or a rule gives it another public address than the one that callers use.",
        who: "the server when it looks for its public address (it then tells callers the wrong one), registers at \
            a trunk, or sends media first; often nothing else inside has internet either.",
        recognised: "the packet arrives with the server's own address, and no rule of the router translated it. Where a \
            rule translates other packets it is shown: one for another interface, or for another network.",
        todo: "let the router translate what leaves by the outer interface (nftables: oifname \"...\" masquerade). \
            pfSense does so by itself for networks of interfaces without a gateway (Firewall > NAT > Outbound: \
            Automatic): look at the mode, at rules for the wrong interface, and whether the server's own \
            interface has a gateway set, which makes pfSense take it for a line. Or give the product the address \
            by which it is called, where it asks outside for it, and state it in callpath.toml: told = { \
            internet = \"public\" }.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::OutboundNat { .. } | Lack::OutboundAs(_))
}

fn message(gap: &Gap) -> String {
    let host = gap.host.map_or_else(|| "the server".to_owned(), |h| h.to_string());
    match gap.lack {
        Lack::OutboundAs(seen) => {
            let public = gap.asked.map_or_else(|| "the public address".to_owned(), |a| a.to_string());
            let seen = seen.map_or_else(|| "the address of another line".to_owned(), |s| s.to_string());
            format!("what {host} sends to the internet leaves as {seen}, and not as {public}")
        }
        Lack::OutboundNat { other: true } => {
            format!("{} translates other packets than those of {host} that leave for the internet", gap.name)
        }
        _ => format!("{} sends packets of {host} to the internet without translating their source", gap.name),
    }
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
