//! `plain-http`: browsers refuse the microphone on plain HTTP.

use super::{Cause, Explain, Fault, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "plain-http",
    severity: Severity::Warning,
    title: "browsers refuse the microphone on plain HTTP",
    explain: Explain {
        happens: "the product is reached over plain HTTP. Browsers give microphone and camera only to pages that came \
            by HTTPS (or from the same machine, localhost).",
        who: "everybody who calls with a browser.",
        recognised: "the mode of installation says that nothing in front of the product speaks TLS.",
        todo: "put a reverse proxy with a certificate in front of it; the product's other mode does that.",
    },
    matches,
    message,
    because,
    faults: &[Fault {
        example: "linux-router",
        edits: &[
            ("callpath.toml", "system = \"livekit\"", "system = \"livekit\"\nmode   = \"direct\""),
            (
                "ruleset.nft",
                "ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to $server",
                "ip daddr 203.0.113.5 tcp dport { 7880, 7881 } dnat to $server",
            ),
            ("ruleset.nft", "tcp dport { 443, 7881 } accept", "tcp dport { 7880, 7881 } accept"),
        ],
    }],
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::PlainHttp
}

fn message(gap: &Gap) -> String {
    format!("{} is reached over plain HTTP: browsers refuse the microphone", gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
