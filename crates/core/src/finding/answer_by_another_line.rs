//! `answer-by-another-line`: answers leave by another line than the one by which the calls came.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module. No example has two lines: `scenarios/answer-by-another-line.md` plants it.
pub static CAUSE: Cause = Cause {
    code: "answer-by-another-line",
    severity: Severity::Error,
    title: "answers leave by another line than the one by which the calls came",
    explain: Explain {
        happens: "calls come in by one line, or through a tunnel. The device answers by its default route, which is \
            another line. There the answer gets another address, or comes from one that does not belong to the \
            line, and is dropped: the caller waits for an answer from the address that was asked.",
        who: "everybody who calls by that line. What goes outwards works, so the server seems to be online.",
        recognised: "on the way back a device sends the answer by another interface than the one by which the question \
            came.",
        todo: "send the answers back by the line of the question (pfSense: the rule on that interface's own tab, \
            with \"reply-to\" on; Linux: a routing rule by source address on the server, connection marks on a \
            router). Or let the router in front put its own address into what it sends on (source NAT): then the \
            server sees all callers with that one address, in its logs and wherever it limits or bans. Or let \
            the name lead to the line by which the answers leave.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::AnotherLine
}

fn message(gap: &Gap) -> String {
    let (came, leaves) = gap.lines.as_ref().map_or(("", ""), |(a, b)| (a, b));
    format!("{} answers by {leaves}, though calls come by {came}", gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
