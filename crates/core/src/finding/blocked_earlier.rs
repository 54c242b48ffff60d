//! `blocked-earlier`: a rule blocks these packets before the one that would let them pass.

use super::{Cause, Explain, Fault, Gap, Lack, Severity, Stands};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "blocked-earlier",
    severity: Severity::Error,
    title: "a rule blocks these packets before the one that would let them pass",
    explain: Explain {
        happens: "rules are asked in order, and the first that fits decides. A rule that blocks stands before the rule \
            that was made for these packets.",
        who: "everybody whom the blocking rule is about.",
        recognised: "the packet ends at a rule that blocks, and a later rule of the same list would let it pass.",
        todo: "put a rule for these packets before the one that blocks, or make the blocking rule narrower.",
    },
    matches,
    message,
    because,
    faults: &[
        Fault {
            example: "linux-router",
            edits: &[(
                "ruleset.nft",
                "\t\tct status dnat accept comment",
                "\t\tiifname \"wan0\" ip daddr 192.168.1.50 tcp dport 7000-8000 drop\n\t\tct status dnat accept comment",
            )],
        },
        Fault {
            example: "reflector",
            edits: &[(
                "pfsense/config.xml",
                "\t<filter>\n",
                "\t<filter>\n\t\t<rule>\n\t\t\t<type>block</type>\n\t\t\t<interface>wan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<source>\n\t\t\t\t<any></any>\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t<address>192.168.1.60</address>\n\t\t\t</destination>\n\t\t\t<descr><![CDATA[no UDP from outside]]></descr>\n\t\t\t<tracker>1756500900</tracker>\n\t\t</rule>\n",
            )],
        },
    ],
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Filter { stands: Stands::BlockFirst, .. })
}

fn message(gap: &Gap) -> String {
    format!("{} blocks {} before the rule that would let such packets pass", gap.name, gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
