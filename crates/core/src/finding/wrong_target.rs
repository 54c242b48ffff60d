//! `wrong-target`: the forward leads to another host.

use super::{Cause, Explain, Fault, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "wrong-target",
    severity: Severity::Error,
    title: "the forward leads to another host",
    explain: Explain {
        happens: "the router sends the packets on, but not to the server. Often the server got another address from \
            DHCP after the forward was made.",
        who: "everybody whose calls use this forward.",
        recognised: "the packet ends at an address that is not the server's.",
        todo: "change the target of the forward to the server's address, and give the server a fixed address (a \
            static mapping of the DHCP server).",
    },
    matches,
    message,
    because,
    faults: &[
        Fault {
            example: "linux-router",
            edits: &[(
                "ruleset.nft",
                "udp dport 50000-60000 dnat to $server",
                "udp dport 50000-60000 dnat to 192.168.1.51",
            )],
        },
        Fault {
            example: "reflector",
            edits: &[(
                "pfsense/config.xml",
                "<port>443</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>443</local-port>\n\t\t\t<interface>wan</interface>",
                "<port>443</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.61</target>\n\t\t\t<local-port>443</local-port>\n\t\t\t<interface>wan</interface>",
            )],
        },
    ],
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Target, .. })
}

fn message(gap: &Gap) -> String {
    format!("the forward of {} on {} leads to another host", gap.what(), gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
