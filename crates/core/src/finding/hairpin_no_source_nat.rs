//! `hairpin-no-source-nat`: answers to callers in the server's own network come from the wrong address.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "hairpin-no-source-nat",
    severity: Severity::Error,
    title: "answers to callers in the server's own network come from the wrong address",
    explain: Explain {
        happens: "a caller in the server's own network asks the public address. The router sends the packet to the \
            server, with the caller's address as its source. The server answers the caller directly, past the \
            router, from its own address. The caller waits for an answer from the public address and drops this \
            one.",
        who: "people in the same network as the server; other networks do not.",
        recognised: "the answer arrives from another address than was asked.",
        todo: "let the router put its own address into packets that it turns back into the network they came from \
            (pfSense: automatic outbound NAT for Reflection; nftables: masquerade).",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::SourceNat
}

fn message(gap: &Gap) -> String {
    format!("answers to callers in the server's own network go past {}", gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
