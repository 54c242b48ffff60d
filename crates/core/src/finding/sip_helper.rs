//! `sip-helper`: a helper of connection tracking rewrites what the packets say.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module. No example runs a product whose document speaks of helpers: `scenarios/sip-helper.md` plants it.
pub static CAUSE: Cause = Cause {
    code: "sip-helper",
    severity: Severity::Warning,
    title: "a helper of the firewall rewrites what the packets say",
    explain: Explain {
        happens: "a rule gives these connections to a helper of connection tracking (SIP ALG, conntrack helper). It \
            reads what the packets say, and where addresses are translated it rewrites them, the addresses for \
            voice included, and lets in what was announced; so does a program of the firewall that takes SIP \
            (siproxd of pfSense). What comes of that depends on every word of both sides: the product's document \
            wants helpers off.",
        who: "people whose calls ring without voice, or with voice one way, now and then, and not with every \
            phone.",
        recognised: "the first packet meets a statement that gives its session to a helper (nftables: `ct helper set`), \
            or the kernel, before Linux 6.0, gives one to port 5060 without a rule (nf_conntrack_helper = 1); or \
            the backup says that such a program is on.",
        todo: "take that statement out, set nf_conntrack_helper to 0, or switch the program off. The product tells \
            its callers the public address by itself, and its ports for voice are forwarded anyway. Connections \
            that exist keep their helper until they end.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Helper
}

fn message(gap: &Gap) -> String {
    format!("{} gives {} to a helper, which rewrites what the packets say", gap.name, gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
