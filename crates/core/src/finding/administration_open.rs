//! `administration-open`: everybody reaches a port by which the server is administered, as its document allows.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "administration-open",
    severity: Severity::Note,
    title: "everybody on the internet reaches a port by which the server is administered",
    explain: Explain {
        happens: "SSH, or another way to administer the server, can be reached from the whole internet. The product's \
            document allows it, and no call is worse for it; but such ports are tried with stolen passwords all \
            day.",
        who: "the logs of that service.",
        recognised: "a packet from the internet ends at a port that the document names for the administrator.",
        todo: "log in with keys only, and let in your own address alone: ufw allow from <your address> to any port \
            22 proto tcp, then ufw delete allow 22/tcp; or the same in the firewall before it. With `admin` in \
            callpath.toml the next check prints the lines. Keep a session open until a new one gets in.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Administration
}

fn message(gap: &Gap) -> String {
    format!("everybody on the internet reaches {} on the server, by which it is administered", gap.what())
}

fn because(gap: &Gap) -> String {
    format!("{}; its document allows that", gap.story)
}
