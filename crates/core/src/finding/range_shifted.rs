//! `range-shifted`: the forward changes the ports.

use super::{Cause, Fault, Gap, Lack, Near, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "range-shifted",
    severity: Severity::Error,
    title: "the forward changes the ports",
    explain: "\
what happens: the router sends the packets to the server, but to other ports
than those that were asked. The server listens on the ports that it told its
clients; at the others nobody answers.
who notices: everybody whose calls use this forward.
how it is recognised: the packet reaches the server at another port.
what to do: make the first port inside the same as the first port outside. A
media server cannot be told that its ports are others outside.
",
    matches,
    message,
    because,
    faults: &[
        Fault {
            example: "linux-router",
            edits: &[(
                "ruleset.nft",
                "ip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server",
                "ip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server:30000-40000",
            )],
        },
        Fault {
            example: "reflector",
            edits: &[(
                "pfsense/config.xml",
                "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>44200</local-port>\n\t\t\t<interface>wan</interface>",
                "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>45200</local-port>\n\t\t\t<interface>wan</interface>",
            )],
        },
    ],
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Forward { near: Near::Shift, .. })
}

fn message(gap: &Gap) -> String {
    format!("the forward of {} on {} changes the ports", gap.what, gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
