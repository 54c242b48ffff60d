//! `udp-closed-tcp-open`: UDP does not get through, TCP does.

use super::{Cause, Explain, Fault, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "udp-closed-tcp-open",
    severity: Severity::Warning,
    title: "media gets through by TCP, but not by UDP",
    explain: Explain {
        happens: "calls work, because the server also takes media over TCP. TCP waits for lost packets: on a bad line \
            sound stutters, and delay grows.",
        who: "everybody whose line loses packets; mobile phones first.",
        recognised: "the same callers reach the TCP port but not the UDP range, and the reason lies in a box that cannot \
            be changed from here.",
        todo: "forward the UDP range on that box too, or ask whoever runs it.",
    },
    matches,
    message,
    because,
    faults: &[Fault {
        example: "reflector",
        edits: &[
            (
                "callpath.toml",
                "[[gateway]]                            # from the internet inwards\n",
                "[[gateway]]\nlabel = \"provider's box\"\ninside = \"192.168.0.1/24\"\nforwards = [\"tcp/80\", \"tcp/443\", \"tcp/7881\"]\nhairpin = false\n\n[[gateway]]\n",
            ),
            ("callpath.toml", "wan    = \"203.0.113.5\"", "wan    = \"192.168.0.2\""),
            ("callpath.toml", "mode   = \"caddy\"", "mode   = \"caddy\"\nclients = [\"internet\"]"),
        ],
    }],
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::OnlyTcp
}

fn message(gap: &Gap) -> String {
    format!("media passes {} by TCP only: {} {} not forwarded there", gap.name, gap.what(), gap.are())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
