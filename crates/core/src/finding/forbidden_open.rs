//! `forbidden-open`: the internet reaches a port that nobody outside may reach.

use super::{Cause, Explain, Fault, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "forbidden-open",
    severity: Severity::Error,
    title: "the internet reaches a port that nobody outside may reach",
    explain: Explain {
        happens: "a port on the server that is meant for the server alone, such as a database, can be reached from the \
            internet: by a forward, perhaps under another number, or by a rule that is too wide.",
        who: "nobody, until somebody misuses it. Such ports are found within hours.",
        recognised: "a packet from the internet ends at a port that the product must keep closed.",
        todo: "take the forward away or make it narrower; do it now, then look into the logs of that service.",
    },
    matches,
    message,
    because,
    faults: &[
        Fault {
            example: "linux-router",
            edits: &[(
                "ruleset.nft",
                "\t\tip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server\n",
                "\t\tip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server\n\t\tip daddr 203.0.113.5 tcp dport 17880 dnat to $server:7880\n",
            )],
        },
        Fault {
            example: "reflector",
            edits: &[(
                "pfsense/config.xml",
                "\t\t</outbound>\n",
                "\t\t</outbound>\n\t\t<rule>\n\t\t\t<source>\n\t\t\t\t<any></any>\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t<network>wanip</network>\n\t\t\t\t<port>16379</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>6379</local-port>\n\t\t\t<interface>wan</interface>\n\t\t\t<descr><![CDATA[Redis, for a moment]]></descr>\n\t\t\t<associated-rule-id>pass</associated-rule-id>\n\t\t</rule>\n",
            )],
        },
    ],
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Exposed
}

fn message(gap: &Gap) -> String {
    format!("the internet reaches {} on the server", gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
