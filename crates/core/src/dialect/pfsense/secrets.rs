//! Secrets are blanked before anything else looks at the text.
//!
//! Only texts that decide about packets, or that name what does, are kept: an allow-list of sections and of elements in
//! them. All others, comments and attributes too, become `*` of the same length, so that positions stay true.

/// Sections and the elements whose texts are kept in them. A section is an element right below the root.
const KEPT: &[(&str, &[&str])] = &[
    ("version", &["version"]),
    (
        "system",
        &[
            "hostname",
            "domain",
            "optimization",
            "disablenatreflection",
            "enablenatreflectionpurenat",
            "enablenatreflectionhelper",
            "enablebinatreflection",
            "reflectiontimeout",
            "disablereplyto",
            "statepolicy",
            "ipv6allow",
            "disablefilter",
            "no_apipa_block",
            "skip_rules_gw_down",
            "bypassstaticroutes",
            "maximumtableentries",
            "aliasesresolveinterval",
            "noantilockout",
            "protocol",
            "port",
            "enable",
            "enablesshd",
        ],
    ),
    (
        "interfaces",
        &[
            "if",
            "descr",
            "enable",
            "ipaddr",
            "subnet",
            "ipaddrv6",
            "subnetv6",
            "gateway",
            "gatewayv6",
            "blockpriv",
            "blockbogons",
            "track6-interface",
            "track6-prefix-id",
            "alias-address",
            "alias-subnet",
            "mtu",
            "mss",
        ],
    ),
    (
        "gateways",
        &[
            "interface",
            "gateway",
            "name",
            "weight",
            "ipprotocol",
            "descr",
            "defaultgw",
            "defaultgw4",
            "defaultgw6",
            "item",
            "trigger",
            "disabled",
            "force_down",
            "monitor_disable",
            "nonlocalgateway",
        ],
    ),
    ("staticroutes", &["network", "gateway", "descr", "disabled"]),
    ("nat", RULES),
    ("filter", RULES),
    ("aliases", &["name", "type", "address", "descr", "detail", "url", "aliasurl", "updatefreq"]),
    ("virtualip", &["mode", "interface", "subnet", "subnet_bits", "type", "descr", "vhid"]),
    ("ifgroups", &["ifname", "members", "descr"]),
    ("schedules", &["name", "descr", "position", "month", "day", "hour", "rangedescr", "schedlabel"]),
    ("vlans", &["if", "tag", "vlanif", "descr"]),
    ("ppps", &["type", "if", "ports", "ptpid"]),
    ("bridges", &["members", "bridgeif", "descr"]),
    (
        "openvpn",
        &[
            "disable",
            "mode",
            "protocol",
            "interface",
            "local_port",
            "tunnel_network",
            "remote_network",
            "vpnid",
            "description",
        ],
    ),
    (
        "ipsec",
        &["enable", "disabled", "mode", "type", "address", "netbits", "remote-gateway", "interface", "ikeid", "descr"],
    ),
    ("dhcpd", &["enable", "from", "to"]),
    ("dhcpdv6", &["enable", "from", "to"]),
    ("installedpackages", &["listenport", "enabled", "name", "address", "mask"]),
];

/// Elements of rules.
const RULES: &[&str] = &[
    "disabled",
    "nordr",
    "nosync",
    "interface",
    "ipprotocol",
    "protocol",
    "any",
    "network",
    "address",
    "not",
    "port",
    "target",
    "local-port",
    "descr",
    "associated-rule-id",
    "natreflection",
    "id",
    "tracker",
    "type",
    "floating",
    "quick",
    "direction",
    "statetype",
    "statepolicy",
    "statetimeout",
    "gateway",
    "disablereplyto",
    "log",
    "sched",
    "max",
    "max-src-nodes",
    "max-src-conn",
    "max-src-states",
    "max-src-conn-rate",
    "max-src-conn-rates",
    "os",
    "tag",
    "tagged",
    "mode",
    "external",
    "nobinat",
    "sourceport",
    "dstport",
    "target_subnet",
    "natport",
    "staticnatport",
    "eimnat",
    "nonat",
    "poolopts",
    "source_hash_key",
    "icmptype",
    "icmp6-type",
    "tcpflags1",
    "tcpflags2",
    "tcpflags_any",
    "allowopts",
    "nopfsync",
    "dscp",
    "vlanprio",
    "vlanprioset",
    "dnpipe",
    "pdnpipe",
    "ackqueue",
    "defaultqueue",
    "time",
    "row",
    "text",
    "color",
    "if",
    "bridgeto",
    "nat64",
    "nottagged",
    "srcmac",
    "dstmac",
];

/// Elements whose texts are kept in a section.
pub fn kept_in(section: &str) -> &'static [&'static str] {
    KEPT.iter().find(|(name, _)| *name == section).map_or(&[], |(_, elements)| elements)
}

/// The text without what is not needed to judge packets. Same length, same lines.
pub fn blank(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let bytes = text.as_bytes();
    let mut stack: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        if rest.starts_with("<!--") {
            let end = rest.find("-->").map_or(text.len(), |i| at + i);
            hide(&mut out[at + 4..end.max(at + 4)]);
            at = (end + 3).min(text.len());
        } else if let Some(inside) = rest.strip_prefix("<![CDATA[") {
            let length = inside.find("]]>").unwrap_or(inside.len());
            let start = at + "<![CDATA[".len();
            if !kept(&stack) {
                hide(&mut out[start..start + length]);
            }
            at = (start + length + 3).min(text.len());
        } else if bytes[at] == b'<' {
            let end = rest.find('>').map_or(text.len(), |i| at + i);
            let tag = &text[at + 1..end];
            let name_end = tag.find(|c: char| c.is_whitespace() || c == '/').filter(|i| *i > 0).unwrap_or(tag.len());
            if let Some(name) = tag.strip_prefix('/') {
                if stack.last().is_some_and(|open| *open == name.trim()) {
                    stack.pop();
                }
            } else if !tag.starts_with(['?', '!']) {
                // Values of attributes: pfSense writes none.
                let attributes = at + 1 + name_end..end.saturating_sub(usize::from(tag.ends_with('/')));
                quoted(&mut out, text, attributes);
                if !tag.ends_with('/') {
                    stack.push(&tag[..name_end]);
                }
            }
            at = (end + 1).min(text.len());
        } else {
            let end = rest.find('<').map_or(text.len(), |i| at + i);
            if !kept(&stack) && !stack.is_empty() {
                hide(&mut out[at..end]);
            }
            at = end;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

fn kept(stack: &[&str]) -> bool {
    let [_, section, .., leaf] = stack else { return stack.len() == 2 && stack[1] == "version" };
    KEPT.iter().any(|(name, elements)| name == section && elements.contains(leaf)) && !secret_below(stack)
}

/// Inside of kept sections there are elements that hold secrets under harmless names.
fn secret_below(stack: &[&str]) -> bool {
    let bad = [
        "user",
        "group",
        "password",
        "ca",
        "cert",
        "custom_options",
        "shared_key",
        "tls",
        "pre-shared-key",
        "mobilekey",
        "peers",
        "wireless",
    ];
    stack.iter().skip(2).any(|name| bad.contains(name))
}

fn quoted(out: &mut [u8], text: &str, within: std::ops::Range<usize>) {
    let mut quote: Option<(u8, usize)> = None;
    for i in within {
        match (quote, text.as_bytes()[i]) {
            (None, q @ (b'"' | b'\'')) => quote = Some((q, i + 1)),
            (Some((q, start)), c) if c == q => {
                hide(&mut out[start..i]);
                quote = None;
            }
            _ => {}
        }
    }
}

fn hide(bytes: &mut [u8]) {
    for b in bytes.iter_mut().filter(|b| !b.is_ascii_whitespace()) {
        *b = b'*';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_decides_is_kept_and_nothing_moves() {
        let text = "<?xml version=\"1.0\"?>\n<pfsense>\n<version>23.3</version>\n<system><user><name>admin</name><bcrypt-hash>$2y$10$ä</bcrypt-hash></user>\
                    <hostname>fw</hostname></system><!-- key: hunter2 --><interfaces><wan><if>em0</if><password>hunter2</password></wan></interfaces>\
                    <nat><rule x=\"hunter2\"><descr><![CDATA[Spokes & co]]></descr></rule></nat><cert><prv>LS0t</prv></cert></pfsense>\n";
        let got = blank(text);
        assert_eq!(got.len(), text.len());
        for gone in ["hunter2", "$2y", "LS0t", "ä"] {
            assert!(!got.contains(gone), "{got}");
        }
        for there in ["<hostname>fw</hostname>", "<if>em0</if>", "<![CDATA[Spokes & co]]>", "<version>23.3</version>"] {
            assert!(got.contains(there), "{got}");
        }
        assert_eq!(got.find("<nat>"), text.find("<nat>"));
    }

    #[test]
    fn broken_texts_are_blanked_too() {
        for text in
            ["<pfsense><cert>secret", "<a", "<a><!-- secret", "<a><b><![CDATA[secret", "</x>secret<y/>", "<a b='secret"]
        {
            let got = blank(text);
            assert_eq!(got.len(), text.len());
            assert!(!got.contains("secret") || !text.starts_with("<pf"), "{got}");
        }
    }
}
