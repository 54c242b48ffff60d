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
            "disablenegate",
            "disablevpnrules",
            "skip_rules_gw_down",
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
    ("virtualip", &["mode", "interface", "uniqid", "subnet", "subnet_bits", "type", "descr", "vhid"]),
    ("ifgroups", &["ifname", "members", "descr"]),
    ("schedules", &["name", "descr", "position", "month", "day", "hour", "rangedescr", "schedlabel"]),
    ("vlans", &["if", "tag", "vlanif", "descr"]),
    ("ppps", &["type", "if", "ports", "ptpid"]),
    ("bridges", &["members", "bridgeif", "descr", "private"]),
    ("sysctl", &["tunable", "value"]),
    ("load_balancer", &["ipaddr", "port", "mode"]),
    (
        "openvpn",
        &[
            "disable",
            "mode",
            "protocol",
            "interface",
            "local_port",
            "tunnel_network",
            "tunnel_networkv6",
            "remote_network",
            "vpnid",
            "description",
            "dev_mode",
            "create_gw",
        ],
    ),
    (
        "ipsec",
        &[
            "enable",
            "disabled",
            "mobile",
            "mode",
            "type",
            "address",
            "netbits",
            "remote-gateway",
            "interface",
            "ikeid",
            "descr",
            "pool_address",
            "pool_netbits",
            "pool_address_v6",
            "pool_netbits_v6",
        ],
    ),
    ("l2tp", &["mode", "remoteip", "l2tp_subnet"]),
    ("pppoes", &["mode", "remoteip", "pppoe_subnet"]),
    ("gifs", &["gifif", "tunnel-local-addr", "tunnel-remote-net"]),
    ("gres", &["greif", "tunnel-local-addr", "tunnel-remote-net", "tunnel-local-addr6", "tunnel-remote-net6"]),
    ("captiveportal", &["enable", "interface"]),
    ("dhcpd", &["enable", "from", "to"]),
    ("dhcpdv6", &["enable", "from", "to"]),
    (
        "installedpackages",
        &[
            "listenport",
            "enabled",
            "enable",
            "name",
            "internal_name",
            "filter_rule_function",
            "transparent_proxy",
            "sipenable",
            "transparent_clientip",
            "extaddr_port",
            "port",
            "localport",
            "rtplower",
            "rtpupper",
            "reverse_http",
            "reverse_http_port",
            "reverse_https",
            "reverse_https_port",
            "address",
            "mask",
        ],
    ),
];

/// Switches of packages, below the section of packages.
const SWITCHES: &[&[&str]] = &[
    &["miniupnpd", "config", "enable"],
    &["squid", "config", "transparent_proxy"],
    &["siproxdsettings", "config", "sipenable"],
    &["haproxy", "ha_pools", "item", "transparent_clientip"],
    // Of those that take connections on the firewall: where they do.
    &["haproxy", "enable"],
    &["haproxy", "ha_backends", "item", "a_extaddr", "item", "extaddr_port"],
    &["haproxy", "ha_backends", "item", "extaddr_port"],
    &["haproxy", "ha_backends", "item", "port"],
    &["squidreversegeneral", "config", "reverse_http"],
    &["squidreversegeneral", "config", "reverse_http_port"],
    &["squidreversegeneral", "config", "reverse_https"],
    &["squidreversegeneral", "config", "reverse_https_port"],
    &["stunnel", "config", "localport"],
    &["siproxdsettings", "config", "port"],
    &["siproxdsettings", "config", "rtplower"],
    &["siproxdsettings", "config", "rtpupper"],
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
///
/// Where tags do not fit together, nothing is kept any more: what stands where is not known there.
pub fn blank(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut stack: Vec<&str> = Vec::new();
    let mut broken = false;
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    while at < text.len() {
        let rest = &text[at..];
        // Where the piece that starts here ends, or the text.
        let until = |mark: &str, from: usize| rest[from..].find(mark).map_or(text.len(), |i| at + from + i);
        if rest.starts_with("<!--") {
            let end = until("-->", 4);
            hide(&mut out[at + 4..end]);
            at = (end + 3).min(text.len());
        } else if rest.starts_with("<![CDATA[") {
            let end = until("]]>", 9);
            if broken || !kept(&stack) {
                hide(&mut out[at + 9..end]);
            }
            at = (end + 3).min(text.len());
        } else if let Some(inside) = rest.strip_prefix("<?") {
            let end = until("?>", 2);
            if !rest.starts_with("<?xml ") || end == text.len() {
                // The name of `<?a?>` ends where its instruction does.
                hide(&mut out[at + 2 + name_length(inside).min(end - at - 2)..end]);
            }
            at = (end + 2).min(text.len());
        } else if let Some(inside) = rest.strip_prefix("<!") {
            let end = until(">", 2);
            hide(&mut out[at + 2 + name_length(inside).min(end - at - 2)..end]);
            at = end.max(at + 2);
        } else if let Some(tag) = rest.strip_prefix("</") {
            let name = &tag[..name_length(tag)];
            let end = until(">", 2);
            hide(&mut out[at + 2 + name.len()..end]);
            broken |= stack.pop() != Some(name);
            at = (end + 1).min(text.len());
        } else if let Some(tag) = rest.strip_prefix('<') {
            let name = &tag[..name_length(tag)];
            let end = attributes(&mut out, text, at + 1 + name.len());
            broken |= name.is_empty() || end == text.len();
            if !text[..end].ends_with('/') {
                stack.push(name);
            }
            at = (end + 1).min(text.len());
        } else {
            let end = until("<", 0);
            if broken || !kept(&stack) {
                hide(&mut out[at..end]);
            }
            at = end;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Length of the name that a tag begins with.
fn name_length(tag: &str) -> usize {
    tag.find(|c: char| c.is_whitespace() || "/>=<\"'".contains(c)).unwrap_or(tag.len())
}

fn kept(stack: &[&str]) -> bool {
    let [_, section, .., leaf] = stack else { return stack.len() == 2 && stack[1] == "version" };
    KEPT.iter().any(|(name, elements)| name == section && elements.contains(leaf)) && !secret_below(stack)
}

/// Inside of kept sections there are elements that hold secrets under harmless names.
fn secret_below(stack: &[&str]) -> bool {
    // Of the packages only tunnels matter, and what is installed.
    if stack[1] == "installedpackages" {
        let kept = match stack.get(2) {
            Some(&"wireguard") => stack.get(3) == Some(&"tunnels"),
            Some(&"package") => {
                matches!(stack.get(3), Some(&("name" | "internal_name" | "filter_rule_function")))
            }
            // Switches by which packages write rules.
            Some(_) => SWITCHES.contains(&&stack[2..]),
            None => false,
        };
        if !kept {
            return true;
        }
    }
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

/// Hides everything behind the name of a tag but names of attributes that have a value in quotes; where the tag ends.
fn attributes(out: &mut [u8], text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() && bytes[at] != b'>' {
        let word = name_length(&text[at..]);
        let value = text[at + word..].trim_start().strip_prefix('=').map(str::trim_start);
        match value.and_then(|v| Some((v, v.chars().next().filter(|c| ['"', '\''].contains(c))?))) {
            Some((value, quote)) if word > 0 => {
                let start = text.len() - value.len() + 1;
                let end = text[start..].find(quote).map_or(text.len(), |i| start + i);
                hide(&mut out[start..end]);
                at = (end + 1).min(text.len());
            }
            _ => {
                let word = text[at..].chars().next().map_or(1, char::len_utf8).max(word);
                // The end of an empty element stays, as do the ends of lines.
                if !(bytes[at] == b'/' && bytes.get(at + 1) == Some(&b'>')) {
                    hide(&mut out[at..at + word]);
                }
                at += word;
            }
        }
    }
    at
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
        for text in [
            "<pfsense><cert>secret",
            "<a><!-- secret",
            "<a><b><![CDATA[secret",
            "</x>secret<y/>",
            "<a b='secret",
            "<a b=secret>",
            "<a secret>",
            "<a b='x>secret'>y</a>",
            "<!DOCTYPE a [<!ENTITY b 'secret'>]>secret<a/>",
            "<?a secret?><b/>",
            "<?a secret",
            "<?a?>secret",
            "secret<a/>secret",
            "<pfsense><nat><rule></nat><descr>secret",
            "<pfsense><nat><rule><descr x=\"a>b\" secret>",
            "<pfsense><nat><rule><descr></rule>secret</descr>",
            "<nat><rule><descr>secret",
            "\u{feff}<a>secret</a>",
            "< secret>",
            "<!secret",
            "<!",
            "<",
        ] {
            let got = blank(text);
            assert_eq!(got.len(), text.len(), "{text}: {got}");
            assert!(!got.contains("secret") || text == "<!secret", "{text}: {got}");
        }
        assert!(
            blank("\u{feff}<pfsense><version>24.0</version></pfsense>").starts_with("\u{feff}<pfsense><version>24.0<")
        );
        assert_eq!(blank("<a b = 'x' c='y'/>"), "<a b = '*' c='*'/>");
    }
}
