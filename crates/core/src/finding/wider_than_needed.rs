//! `wider-than-needed`: the internet reaches ports that no call needs.

use super::{Cause, Explain, Fault, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "wider-than-needed",
    severity: Severity::Note,
    title: "the internet reaches ports that no call needs",
    explain: Explain {
        happens: "a forward or a rule opens more ports of the server than its calls use. Nothing may listen there \
            today; what is installed tomorrow will be open.",
        who: "nobody.",
        recognised: "a packet from the internet reaches the server at a port that no installed product asks for, and none \
            forbids.",
        todo: "make the forward as wide as the product's own list (callpath ports), or say in callpath.toml what \
            else runs there.",
    },
    matches,
    message,
    because,
    faults: &[Fault {
        example: "reflector",
        edits: &[
            (
                "pfsense/config.xml",
                "<port>7881</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>7881</local-port>\n\t\t\t<interface>wan</interface>",
                "<port>7881-7890</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>7881</local-port>\n\t\t\t<interface>wan</interface>",
            ),
            (
                "pfsense/config.xml",
                "<address>192.168.1.60</address>\n\t\t\t\t<port>7881</port>",
                "<address>192.168.1.60</address>\n\t\t\t\t<port>7881-7890</port>",
            ),
        ],
    }],
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Wider
}

fn message(gap: &Gap) -> String {
    format!("the internet reaches {} on the server, which no call needs", gap.what())
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
