//! `port-set`: your provider shares your address by ports, and these are not among yours.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "port-set",
    severity: Severity::Error,
    title: "your provider shares your address by ports, and these are not yours",
    explain: Explain {
        happens: "several customers have one public address, and each of them some of its ports (MAP-E, RFC 7597; \
            blocks of a carrier's NAT). Your router uses its own ports alone for what leaves. Packets from \
            outside for all other ports go to other customers: forwards of these ports are in order, and never \
            see a packet.",
        who: "everybody who calls from outside by IPv4.",
        recognised: "every rule of your router that translates what leaves to this address names ports, in several \
            ranges, and together they are at most half of all.",
        todo: "forward ports of your own share, and tell the product to use them (one UDP port is enough where it \
            can put all media on one); name the port for pages in links, for no customer has 443. Else use IPv6, \
            ask your provider for an address of your own, or use a relay (TURN).",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::PortSet
}

fn message(gap: &Gap) -> String {
    let address = gap.asked.map_or_else(String::new, |a| format!(" of {a}"));
    format!("{} {} not among the ports{address} that your provider gives to {}", gap.what(), gap.are(), gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
