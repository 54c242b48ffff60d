//! `udp-closed-tcp-open`: UDP does not get through, TCP does.

use super::{Cause, Explain, Gap, Lack, Severity};

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
