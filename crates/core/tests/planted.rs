//! Faults to plant into the examples of this repository, which work as they stand: the same for all tests.

/// A fault that can be planted.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Code of the cause that it must be named as.
    pub cause: &'static str,
    /// Folder under `examples/`.
    pub example: &'static str,
    /// File in it, what stands there, and what stands there instead.
    pub edits: &'static [(&'static str, &'static str, &'static str)],
}

/// All of them, in the order of the causes.
pub const FAULTS: &[Fault] = &[
    Fault {
        cause: "not-understood",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "\t\tct status dnat accept comment",
            "\t\tfrobnicate 7 drop\n\t\tct status dnat accept comment",
        )],
    },
    Fault {
        cause: "alias-unresolved",
        example: "spokes",
        edits: &[
            (
                "callpath.toml",
                "[[gateway]]                            # from the internet inwards\n",
                "[[gateway]]\nlabel = \"provider's box\"\ninside = \"192.168.0.1/24\"\nforwards = \"all to 192.168.0.2\"\nhairpin = false\n\n[[gateway]]\naliases = { public_ip = \"198.51.100.4\" }\n",
            ),
            ("callpath.toml", "wan    = \"203.0.113.5\"", "wan    = \"192.168.0.2\""),
        ],
    },
    Fault {
        cause: "cgnat",
        example: "reflector",
        edits: &[("callpath.toml", "wan    = \"203.0.113.5\"", "wan    = \"100.72.13.5\"")],
    },
    Fault {
        cause: "port-set",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "\t\toifname \"wan0\" masquerade\n",
            "\t\toifname \"wan0\" udp sport 0-32767 snat ip to 203.0.113.5:5136-5151\n\t\toifname \"wan0\" snat ip to 203.0.113.5:9232-9247\n",
        )],
    },
    Fault {
        cause: "udp-closed-tcp-open",
        example: "reflector",
        edits: &[
            (
                "callpath.toml",
                "[[gateway]]                            # from the internet inwards\n",
                "[[gateway]]\nlabel = \"provider's box\"\ninside = \"192.168.0.1/24\"\nforwards = [\"tcp/80\", \"tcp/443\", \"tcp/7881\"]\nhairpin = false\n\n[[gateway]]\n",
            ),
            ("callpath.toml", "wan    = \"203.0.113.5\"", "wan    = \"192.168.0.2\""),
            ("callpath.toml", "mode   = \"caddy\"", "mode   = \"caddy\"\nclients = [\"internet\"]"),
        ],
    },
    Fault {
        cause: "wan-address-behind-nat",
        example: "reflector",
        edits: &[
            (
                "callpath.toml",
                "[[gateway]]                            # from the internet inwards\n",
                "[[gateway]]\nlabel = \"provider's box\"\ninside = \"192.168.0.1/24\"\nforwards = \"all to 192.168.0.2\"\nhairpin = false\n\n[[gateway]]\n",
            ),
            ("callpath.toml", "wan    = \"203.0.113.5\"", "wan    = \"192.168.0.2\""),
        ],
    },
    Fault {
        cause: "hairpin-no-source-nat",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "\t\tiifname \"lan0\" oifname \"lan0\" ct status dnat masquerade comment \"hairpin: answers come back through here\"\n",
            "",
        )],
    },
    Fault {
        cause: "hairpin-no-source-nat",
        example: "reflector",
        edits: &[("pfsense/config.xml", "\t\t<enablenatreflectionhelper>yes</enablenatreflectionhelper>\n", "")],
    },
    Fault {
        cause: "hairpin-missing",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "\t\tip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to $server",
            "\t\tiifname \"wan0\" ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to $server",
        )],
    },
    Fault {
        cause: "hairpin-missing",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<associated-rule-id>nat_68b2d1ef01c1d1e</associated-rule-id>\n\t\t\t<natreflection>purenat</natreflection>",
            "<associated-rule-id>nat_68b2d1ef01c1d1e</associated-rule-id>",
        )],
    },
    Fault {
        cause: "range-cut",
        example: "linux-router",
        edits: &[("ruleset.nft", "udp dport 50000-60000 dnat to $server", "udp dport 50000-55000 dnat to $server")],
    },
    Fault {
        cause: "range-cut",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>44200</local-port>\n\t\t\t<interface>wan</interface>",
            "<port>44200-44250</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>44200</local-port>\n\t\t\t<interface>wan</interface>",
        )],
    },
    Fault {
        cause: "wrong-protocol",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "ip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server",
            "ip daddr 203.0.113.5 tcp dport 50000-60000 dnat to $server",
        )],
    },
    Fault {
        cause: "wrong-protocol",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>44200</local-port>\n\t\t\t<interface>wan</interface>",
            "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>44200</local-port>\n\t\t\t<interface>wan</interface>",
        )],
    },
    Fault {
        cause: "wrong-target",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "udp dport 50000-60000 dnat to $server",
            "udp dport 50000-60000 dnat to 192.168.1.51",
        )],
    },
    Fault {
        cause: "wrong-target",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<port>443</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>443</local-port>\n\t\t\t<interface>wan</interface>",
            "<port>443</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.61</target>\n\t\t\t<local-port>443</local-port>\n\t\t\t<interface>wan</interface>",
        )],
    },
    Fault {
        cause: "range-shifted",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "ip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server",
            "ip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server:30000-40000",
        )],
    },
    Fault {
        cause: "range-shifted",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>44200</local-port>\n\t\t\t<interface>wan</interface>",
            "<port>44200-44300</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>45200</local-port>\n\t\t\t<interface>wan</interface>",
        )],
    },
    Fault {
        cause: "forward-missing",
        example: "linux-router",
        edits: &[("ruleset.nft", "\t\tip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server\n", "")],
    },
    Fault {
        cause: "forward-missing",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<port>7881</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>7881</local-port>\n\t\t\t<interface>wan</interface>",
            "<port>7881</port>\n\t\t\t</destination>\n\t\t\t<disabled></disabled>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>7881</local-port>\n\t\t\t<interface>wan</interface>",
        )],
    },
    Fault {
        cause: "outbound-nat-missing",
        example: "linux-router",
        edits: &[("ruleset.nft", "\t\toifname \"wan0\" masquerade\n", "")],
    },
    Fault {
        cause: "outbound-nat-missing",
        example: "linux-router",
        edits: &[("ruleset.nft", "oifname \"wan0\" masquerade", "oifname \"guest0\" masquerade")],
    },
    Fault {
        cause: "blocked-earlier",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "\t\tct status dnat accept comment",
            "\t\tiifname \"wan0\" ip daddr 192.168.1.50 tcp dport 7000-8000 drop\n\t\tct status dnat accept comment",
        )],
    },
    Fault {
        cause: "blocked-earlier",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "\t<filter>\n",
            "\t<filter>\n\t\t<rule>\n\t\t\t<type>block</type>\n\t\t\t<interface>wan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<source>\n\t\t\t\t<any></any>\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t<address>192.168.1.60</address>\n\t\t\t</destination>\n\t\t\t<descr><![CDATA[no UDP from outside]]></descr>\n\t\t\t<tracker>1756500900</tracker>\n\t\t</rule>\n",
        )],
    },
    Fault {
        cause: "filter-missing",
        example: "linux-router",
        edits: &[("ruleset.nft", "\t\tct status dnat accept comment \"whatever a forward below names\"\n", "")],
    },
    Fault {
        cause: "filter-missing",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "<descr><![CDATA[NAT Reflector HTTP]]></descr>",
            "<descr><![CDATA[NAT Reflector HTTP]]></descr>\n\t\t\t<disabled></disabled>",
        )],
    },
    Fault {
        cause: "forbidden-open",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "\t\tip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server\n",
            "\t\tip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server\n\t\tip daddr 203.0.113.5 tcp dport 17880 dnat to $server:7880\n",
        )],
    },
    Fault {
        cause: "forbidden-open",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "\t\t</outbound>\n",
            "\t\t</outbound>\n\t\t<rule>\n\t\t\t<source>\n\t\t\t\t<any></any>\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t<network>wanip</network>\n\t\t\t\t<port>16379</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>6379</local-port>\n\t\t\t<interface>wan</interface>\n\t\t\t<descr><![CDATA[Redis, for a moment]]></descr>\n\t\t\t<associated-rule-id>pass</associated-rule-id>\n\t\t</rule>\n",
        )],
    },
    Fault {
        cause: "wider-than-needed",
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
    },
    Fault {
        cause: "administration-open",
        example: "reflector",
        edits: &[(
            "pfsense/config.xml",
            "\t\t</outbound>\n",
            "\t\t</outbound>\n\t\t<rule>\n\t\t\t<source>\n\t\t\t\t<any></any>\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t<network>wanip</network>\n\t\t\t\t<port>22</port>\n\t\t\t</destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n\t\t\t<target>192.168.1.60</target>\n\t\t\t<local-port>22</local-port>\n\t\t\t<interface>wan</interface>\n\t\t\t<descr><![CDATA[SSH of the server]]></descr>\n\t\t\t<associated-rule-id>pass</associated-rule-id>\n\t\t</rule>\n",
        )],
    },
    Fault {
        cause: "told-leads-nowhere",
        example: "linux-router",
        edits: &[(
            "callpath.toml",
            "system = \"livekit\"",
            "system = \"livekit\"\nice    = \"lite\"\ntold    = { internet = \"192.168.1.50\" }",
        )],
    },
    Fault {
        cause: "plain-http",
        example: "linux-router",
        edits: &[
            ("callpath.toml", "system = \"livekit\"", "system = \"livekit\"\nmode   = \"direct\""),
            (
                "ruleset.nft",
                "ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to $server",
                "ip daddr 203.0.113.5 tcp dport { 7880, 7881 } dnat to $server",
            ),
            ("ruleset.nft", "tcp dport { 443, 7881 } accept", "tcp dport { 7880, 7881 } accept"),
        ],
    },
    Fault {
        cause: "range-too-small",
        example: "reflector",
        edits: &[("callpath.toml", "mode   = \"caddy\"", "mode   = \"caddy\"\nwith   = { udp = \"44200-44202\" }")],
    },
];
