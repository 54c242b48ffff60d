//! Secrets are blanked before anything else looks at the text.
//!
//! Only texts that decide about packets, or that name what does, are kept: an allow-list of sections, of the ways down in
//! them and of elements there. All others, comments and attributes too, become `*` of the same length, so that positions
//! stay true. What is kept may hold an address with a key in it, or a password in a description: see [`crate::secrets`].

use crate::secrets::{in_address, in_code, in_text};
use crate::xml::{Find, blanked};
use std::ops::Range;

/// A part of a backup of which something is kept.
struct Section {
    /// An element right below the root.
    name: &'static str,
    /// Where in it texts are kept: the elements on the way down, with `*` for any one. Nothing: right below.
    within: &'static [&'static str],
    /// The elements whose texts are kept there.
    texts: &'static [&'static str],
}

/// Everything that is kept. No section stands here twice.
const KEPT: &[Section] = &[
    Section {
        name: "system",
        within: &["", "webgui", "ssh"],
        texts: &[
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
    },
    Section {
        name: "interfaces",
        within: &["*"],
        texts: &[
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
    },
    Section {
        name: "gateways",
        within: &["", "gateway_item", "gateway_group"],
        texts: &[
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
    },
    Section { name: "staticroutes", within: &["route"], texts: &["network", "gateway", "descr", "disabled"] },
    Section {
        name: "nat",
        within: &[
            "rule",
            "rule/source",
            "rule/destination",
            "outbound",
            "outbound/rule",
            "outbound/rule/source",
            "outbound/rule/destination",
            "onetoone",
            "onetoone/source",
            "onetoone/destination",
            "npt",
            "npt/source",
            "npt/destination",
            "separator/*/*",
            "separator/*",
        ],
        texts: RULES,
    },
    Section { name: "filter", within: &["", "rule", "rule/source", "rule/destination", "separator/*/*"], texts: RULES },
    Section {
        name: "aliases",
        within: &["alias"],
        texts: &["name", "type", "address", "descr", "detail", "url", "aliasurl", "updatefreq"],
    },
    Section {
        name: "virtualip",
        within: &["vip"],
        texts: &["mode", "interface", "uniqid", "subnet", "subnet_bits", "type", "descr", "vhid"],
    },
    Section { name: "ifgroups", within: &["ifgroupentry"], texts: &["ifname", "members", "descr"] },
    Section {
        name: "schedules",
        within: &["schedule", "schedule/timerange"],
        texts: &["name", "descr", "position", "month", "day", "hour", "rangedescr", "schedlabel"],
    },
    Section { name: "vlans", within: &["vlan"], texts: &["if", "tag", "vlanif", "descr"] },
    Section { name: "ppps", within: &["ppp"], texts: &["type", "if", "ports", "ptpid"] },
    Section { name: "bridges", within: &["bridged"], texts: &["members", "bridgeif", "descr", "private"] },
    Section { name: "sysctl", within: &["item"], texts: &["tunable", "value"] },
    Section { name: "load_balancer", within: &["virtual_server", "lbpool"], texts: &["ipaddr", "port", "mode"] },
    Section {
        name: "openvpn",
        within: &["openvpn-server", "openvpn-client"],
        texts: &[
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
    },
    Section {
        name: "ipsec",
        within: &["", "client", "phase1", "phase2", "phase2/localid", "phase2/remoteid", "phase2/natlocalid"],
        texts: &[
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
    },
    Section { name: "l2tp", within: &[""], texts: &["mode", "remoteip", "l2tp_subnet"] },
    Section { name: "pppoes", within: &["pppoe"], texts: &["mode", "remoteip", "pppoe_subnet"] },
    Section { name: "gifs", within: &["gif"], texts: &["gifif", "tunnel-local-addr", "tunnel-remote-net"] },
    Section {
        name: "gres",
        within: &["gre"],
        texts: &["greif", "tunnel-local-addr", "tunnel-remote-net", "tunnel-local-addr6", "tunnel-remote-net6"],
    },
    Section { name: "captiveportal", within: &["*"], texts: &["enable", "interface"] },
    Section { name: "dhcpd", within: &["*", "*/range"], texts: &["enable", "from", "to"] },
    Section { name: "dhcpdv6", within: &["*", "*/range"], texts: &["enable", "from", "to"] },
    Section {
        name: "installedpackages",
        within: &[
            "package",
            "wireguard/tunnels/item",
            "wireguard/tunnels/item/addresses/row",
            // Switches by which packages write rules.
            "miniupnpd/config",
            "squid/config",
            "siproxdsettings/config",
            "haproxy/ha_pools/item",
            // Of those that take connections on the firewall: where they do.
            "haproxy",
            "haproxy/ha_backends/item",
            "haproxy/ha_backends/item/a_extaddr/item",
            "squidreversegeneral/config",
            "stunnel/config",
        ],
        texts: &[
            "listenport",
            "enabled",
            "enable",
            "name",
            "internal_name",
            "filter_rule_function",
            "transparent_proxy",
            "sipenable",
            "if_inbound",
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
    },
];

/// Of these, texts of people: credentials are looked for in them by every sign that there is.
const TEXTS: &[&str] = &["descr", "detail", "description", "rangedescr", "text"];

/// Of these, addresses of lists, with or without a scheme.
const ADDRESSES: &[&str] = &["url", "aliasurl", "address"];

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
    KEPT.iter().find(|s| s.name == section).map_or(&[], |s| s.texts)
}

/// The text without what is not needed to judge packets. Same length, same lines.
///
/// Where tags do not fit together, nothing is kept any more: what stands where is not known there.
pub fn blank(text: &str) -> String {
    blanked(text, kept)
}

/// How credentials are found in what the element at the end of this way says; none where nothing of it is kept.
fn kept(way: &[&str]) -> Option<Find> {
    let kept = match way {
        [_, "version"] => true,
        [_, section, way @ .., leaf] => {
            KEPT.iter().any(|s| s.name == *section && s.texts.contains(leaf) && s.within.iter().any(|w| leads(w, way)))
        }
        _ => false,
    };
    kept.then(|| match way.last() {
        Some(name) if TEXTS.contains(name) => in_text,
        Some(name) if ADDRESSES.contains(name) => in_address,
        // Of a system's settings, those that decide are numbers.
        Some(&"value") => all_but_numbers,
        _ => in_code as Find,
    })
}

/// Is this the way down that a pattern means?
fn leads(pattern: &str, way: &[&str]) -> bool {
    let parts = pattern.split('/').filter(|p| !p.is_empty());
    parts.clone().count() == way.len() && parts.zip(way).all(|(part, name)| part == "*" || part == *name)
}

/// The whole text, unless it is a small number.
#[allow(clippy::single_range_in_vec_init)] // one part of the text
fn all_but_numbers(text: &str) -> Vec<Range<usize>> {
    let number = text.trim();
    let small = number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
    if small { Vec::new() } else { vec![0..text.len()] }
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
            "<pfsense><version<>secret</version></pfsense>",
            "<pfsense><version\">secret</version></pfsense>",
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
            "<?xml version='secret'?><a/>",
            "<a><!secret>secret</a>",
            "<pfsense><interfaces><lan><descr><!x[secret]]></descr><ipaddr>1</ipaddr></lan></interfaces></pfsense>",
            "<?xml secret?>",
            "<?xml version='1.0' secret='x'?>",
            "<?xml version=\"1.0\">secret<a>secret</a><?b ?>",
            "<!",
            "<",
        ] {
            let got = blank(text);
            assert_eq!(got.len(), text.len(), "{text}: {got}");
            assert!(!got.contains("secret"), "{text}: {got}");
            assert_eq!(blank(&got), got, "{text}");
        }
        assert!(
            blank("\u{feff}<pfsense><version>24.0</version></pfsense>").starts_with("\u{feff}<pfsense><version>24.0<")
        );
        assert_eq!(blank("<a b = 'x' c='y'/>"), "<a b = '*' c='*'/>");
        for name in ["b\u{1}8.8.4.4", "8.8.4.4", "b_8.8.4.4", "b.8.8.4.4", "b-2001:db8::5"] {
            for text in [format!("<a><{name}/></a>"), format!("<a></{name}></a>"), format!("<a {name}=''/>")] {
                let got = blank(&text);
                assert!(!got.contains("8.8.4.4") && !got.contains("db8"), "{text}: {got}");
            }
        }
    }
}
