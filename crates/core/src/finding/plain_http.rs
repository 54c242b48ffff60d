//! `plain-http`: browsers refuse the microphone on plain HTTP.

use super::{Cause, Explain, Gap, Lack, Severity};

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
