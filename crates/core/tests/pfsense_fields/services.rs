//! Services that make interfaces, networks or rules of their own: bridges, tunnels, captive portals, packages.

use super::{Pair, pair};

const MAYBE: &str = "blocked | 192.168.1.50:50000 from 9.9.9.9:40000";
const ARRIVES: &str = "192.168.1.50:50000 from 9.9.9.9:40000";
const MOVED: &str = "9.9.9.9:3478 from 203.0.113.5:chosen";
const CALL: &str = "udp 9.9.9.9:40000 > 203.0.113.5:50000";
const OUT: &str = "udp 192.168.1.50:40000 > 9.9.9.9:3478";
const INSIDE: &str = "udp 192.168.20.7:40000 > 203.0.113.5:50000";
const REFLECTED: &str = "192.168.1.50:50000 from 192.168.20.7:40000";
const PRIVATE: &str = "udp 172.16.5.5:40000 > 203.0.113.5:50000";
/// It leaves by a tunnel, untranslated: where that leads is not known.
const BY_TUNNEL: &str = "9.9.9.9:3478 from 192.168.1.50:40000, no answer";
/// The server's network to that of a caller.
const IPSEC: (&str, &str) = (
    "<!--root-->",
    "<ipsec><phase1><ikeid>1</ikeid><interface>wan</interface><remote-gateway>198.18.0.1</remote-gateway><!--phase1--></phase1><phase2><ikeid>1</ikeid><mode>tunnel</mode><localid><type>lan</type></localid><remoteid><type>network</type><address>9.9.9.0</address><netbits>24</netbits></remoteid><!--phase2--></phase2><!--ipsec--></ipsec>",
);
/// A bridge that has one network: that of the phones.
const BRIDGE: (&str, &str) =
    ("<!--root-->", "<bridges><bridged><members>opt1,opt9</members><bridgeif>bridge0</bridgeif></bridged></bridges>");

const HAPROXY: (&str, &str) = (
    "<!--root-->",
    "<installedpackages><haproxy><enable>no</enable><ha_backends><item><status>active</status><a_extaddr><item><extaddr>wan_ipv4</extaddr><extaddr_port>8443</extaddr_port></item></a_extaddr></item></ha_backends></haproxy></installedpackages>",
);
const SIPROXD: (&str, &str) = (
    "<!--root-->",
    "<installedpackages><siproxdsettings><config><sipenable>on</sipenable><port>5061</port><rtplower>7070</rtplower><rtpupper>7079</rtpupper></config></siproxdsettings></installedpackages>",
);
const PAGES: &str = "tcp 9.9.9.9:40000 > 203.0.113.5:443";
const RELAYED: &str = "unknown 203.0.113.5:443 from 9.9.9.9:40000, no answer";

pub const PAIRS: &[Pair] = &[
    // Members of a bridge are not checked for private senders.
    pair(
        "bridges/bridged/members",
        &[
            ("<!--wan-->", "<blockpriv></blockpriv>"),
            (
                "<!--root-->",
                "<bridges><bridged><members>opt7,opt8</members><bridgeif>bridge0</bridgeif></bridged></bridges>",
            ),
        ],
        ("<members>opt7,opt8", "<members>wan,opt8"),
        PRIVATE,
        "blocked",
        "192.168.1.50:50000 from 172.16.5.5:40000",
    ),
    // Tunnels: networks that are translated, policies of clients, plain tunnels.
    pair(
        "openvpn/openvpn-server/tunnel_network",
        &[
            (
                "<!--root-->",
                "<openvpn><openvpn-server><vpnid>1</vpnid><tunnel_network>10.8.0.0/24</tunnel_network><!--server--></openvpn-server></openvpn>",
            ),
            VPN_RULE,
        ],
        ("<tunnel_network>10.8.0.0/24", "<tunnel_network>10.9.0.0/24"),
        "udp 10.8.0.7:40000 > 9.9.9.9:3478",
        MOVED,
        UNTRANSLATED,
    ),
    pair(
        "openvpn/openvpn-server/disable",
        &[
            (
                "<!--root-->",
                "<openvpn><openvpn-server><vpnid>1</vpnid><tunnel_network>10.8.0.0/24</tunnel_network><!--server--></openvpn-server></openvpn>",
            ),
            VPN_RULE,
        ],
        ("<!--server-->", "<disable></disable>"),
        "udp 10.8.0.7:40000 > 9.9.9.9:3478",
        MOVED,
        UNTRANSLATED,
    ),
    pair(
        "l2tp/mode",
        &[
            ("<!--root-->", "<l2tp><mode>off</mode><remoteip>10.8.0.0</remoteip><l2tp_subnet>24</l2tp_subnet></l2tp>"),
            VPN_RULE,
            ("<interface>openvpn", "<interface>l2tp"),
        ],
        ("<mode>off", "<mode>server"),
        "udp 10.8.0.7:40000 > 9.9.9.9:3478",
        UNTRANSLATED,
        MOVED,
    ),
    pair(
        "pppoes/pppoe/mode",
        &[
            (
                "<!--root-->",
                "<pppoes><pppoe><mode>off</mode><remoteip>10.8.0.0</remoteip><pppoe_subnet>24</pppoe_subnet></pppoe></pppoes>",
            ),
            VPN_RULE,
            ("<interface>openvpn", "<interface>pppoe"),
        ],
        ("<mode>off", "<mode>server"),
        "udp 10.8.0.7:40000 > 9.9.9.9:3478",
        UNTRANSLATED,
        MOVED,
    ),
    pair("ipsec/client/enable", &[MOBILE], ("<!--client-->", "<enable></enable>"), OUT, MOVED, BY_TUNNEL),
    pair(
        "ipsec/client/pool_netbits",
        &[MOBILE, ("<!--client-->", "<enable></enable>")],
        ("<pool_netbits>24", "<pool_netbits>32"),
        OUT,
        BY_TUNNEL,
        MOVED,
    ),
    pair(
        "ipsec/client/pool_address",
        &[MOBILE, ("<!--client-->", "<enable></enable>")],
        ("<pool_address>9.9.9.0", "<pool_address>9.9.8.0"),
        OUT,
        BY_TUNNEL,
        MOVED,
    ),
    pair(
        "ipsec/phase2/natlocalid",
        &[IPSEC],
        ("<!--phase2-->", "<natlocalid><type>address</type><address>10.200.0.1</address></natlocalid>"),
        OUT,
        BY_TUNNEL,
        "9.9.9.9:3478 from 10.200.0.1:chosen, no answer",
    ),
    pair(
        "ipsec/phase1/remote-gateway",
        &[IPSEC, ("<remote-gateway>198.18.0.1", "<remote-gateway>8.8.8.8")],
        ("<remote-gateway>8.8.8.8", "<remote-gateway>9.9.9.9"),
        "udp 9.9.9.9:40000 > 203.0.113.5:4500",
        "blocked",
        "local 203.0.113.5:4500 from 9.9.9.9:40000",
    ),
    pair(
        "ipsec/phase1/mobile",
        &[IPSEC],
        ("<!--phase1-->", "<mobile></mobile>"),
        "udp 9.9.9.9:40000 > 203.0.113.5:4500",
        "blocked",
        "local 203.0.113.5:4500 from 9.9.9.9:40000",
    ),
    pair(
        "ipsec/phase1/interface",
        &[IPSEC, ("<remote-gateway>198.18.0.1", "<remote-gateway>9.9.9.9")],
        ("<ikeid>1</ikeid><interface>wan", "<ikeid>1</ikeid><interface>lan"),
        "udp 9.9.9.9:40000 > 203.0.113.5:4500",
        "local 203.0.113.5:4500 from 9.9.9.9:40000",
        "blocked",
    ),
    pair(
        "gifs/gif/tunnel-local-addr",
        &[GIF, ("<!--lan rule-->", "<gateway>TUN_TUNNELV4</gateway>")],
        ("<tunnel-local-addr>10.77.0.1", "<tunnel-local-addr>2001:db8:77::1"),
        OUT,
        "9.9.9.9:3478 from 10.77.0.1:chosen",
        MOVED,
    ),
    // Captive portals: who has not signed in gets no further.
    pair(
        "captiveportal/guests/enable",
        &[(
            "<!--root-->",
            "<captiveportal><guests><zoneid>2</zoneid><interface>opt1</interface><!--portal--></guests></captiveportal>",
        )],
        ("<!--portal-->", "<enable></enable>"),
        INSIDE,
        REFLECTED,
        "blocked | 192.168.1.50:50000 from 192.168.20.7:40000",
    ),
    pair(
        "captiveportal/guests/interface",
        &[(
            "<!--root-->",
            "<captiveportal><guests><zoneid>2</zoneid><interface>opt1</interface><enable></enable></guests></captiveportal>",
        )],
        ("<interface>opt1</interface><enable>", "<interface>opt2</interface><enable>"),
        INSIDE,
        "blocked | 192.168.1.50:50000 from 192.168.20.7:40000",
        REFLECTED,
    ),
    // Packages.
    pair("installedpackages/package/name", &[PACKAGE], ("<name>cron", "<name>suricata"), CALL, ARRIVES, MAYBE),
    pair(
        "installedpackages/package/filter_rule_function",
        &[PACKAGE],
        ("<!--package-->", "<filter_rule_function>cron_generate_rules</filter_rule_function>"),
        CALL,
        ARRIVES,
        ANYTHING,
    ),
    pair(
        "installedpackages/package/internal_name",
        &[PACKAGE, ("<!--package-->", "<filter_rule_function>generate_rules</filter_rule_function>")],
        ("<!--package-->", "<internal_name>squid</internal_name>"),
        CALL,
        ANYTHING,
        ARRIVES,
    ),
    pair(
        "installedpackages/siproxdsettings/config/sipenable",
        &[
            PACKAGE,
            ("<name>cron", "<name>siproxd"),
            ("<!--package-->", "<filter_rule_function>x</filter_rule_function>"),
            ("<!--packages-->", "<siproxdsettings><config><sipenable></sipenable></config></siproxdsettings>"),
        ],
        ("<sipenable>", "<sipenable>on"),
        "udp 192.168.1.50:40000 > 9.9.9.9:5060",
        "9.9.9.9:5060 from 203.0.113.5:chosen",
        "unknown 9.9.9.9:5060 from 192.168.1.50:40000, no answer",
    ),
    pair(
        "installedpackages/siproxdsettings/config/if_inbound",
        &[
            PACKAGE,
            ("<name>cron", "<name>siproxd"),
            ("<!--package-->", "<filter_rule_function>x</filter_rule_function>"),
            (
                "<!--packages-->",
                "<siproxdsettings><config><sipenable>on</sipenable><if_inbound>wan</if_inbound></config></siproxdsettings>",
            ),
        ],
        ("<if_inbound>wan", "<if_inbound>lan"),
        "udp 192.168.1.50:40000 > 9.9.9.9:5060",
        "9.9.9.9:5060 from 203.0.113.5:chosen",
        "unknown 9.9.9.9:5060 from 192.168.1.50:40000, no answer",
    ),
    // Programs that take connections on the firewall itself.
    pair(
        "installedpackages/haproxy/ha_backends/item/a_extaddr/item/extaddr_port",
        &[HAPROXY, ("<enable>no<", "<enable>yes<")],
        ("<extaddr_port>8443", "<extaddr_port>443"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    pair(
        "installedpackages/haproxy/ha_backends/item/a_extaddr/item/extaddr_port",
        &[HAPROXY, ("<enable>no<", "<enable>yes<")],
        ("<extaddr_port>8443", "<extaddr_port>web"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    pair(
        "installedpackages/haproxy/enable",
        &[HAPROXY, ("<extaddr_port>8443", "<extaddr_port>443")],
        ("<enable>no<", "<enable>yes<"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    pair(
        "installedpackages/squidreversegeneral/config/reverse_https",
        &[(
            "<!--root-->",
            "<installedpackages><squidreversegeneral><config><reverse_https></reverse_https></config></squidreversegeneral></installedpackages>",
        )],
        ("<reverse_https></", "<reverse_https>on</"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    pair(
        "installedpackages/squidreversegeneral/config/reverse_http_port",
        &[(
            "<!--root-->",
            "<installedpackages><squidreversegeneral><config><reverse_http>on</reverse_http><reverse_http_port>80</reverse_http_port></config></squidreversegeneral></installedpackages>",
        )],
        ("_port>80<", "_port>443<"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    pair(
        "installedpackages/stunnel/config/localport",
        &[(
            "<!--root-->",
            "<installedpackages><stunnel><config><localport>993</localport></config></stunnel></installedpackages>",
        )],
        ("<localport>993", "<localport>443"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    pair(
        "installedpackages/siproxdsettings/config/port",
        &[SIPROXD],
        ("<port>5061", "<port>5060"),
        "udp 9.9.9.9:40000 > 203.0.113.5:5060",
        "blocked",
        "unknown 203.0.113.5:5060 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "installedpackages/siproxdsettings/config/rtpupper",
        &[SIPROXD],
        ("<rtpupper>7079", "<rtpupper>7099"),
        "udp 9.9.9.9:40000 > 203.0.113.5:7090",
        "blocked",
        "unknown 203.0.113.5:7090 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "load_balancer/virtual_server/port",
        &[(
            "<!--root-->",
            "<load_balancer><virtual_server><ipaddr>203.0.113.5</ipaddr><port>80</port></virtual_server></load_balancer>",
        )],
        ("<port>80</port></virtual", "<port>443</port></virtual"),
        PAGES,
        "blocked",
        RELAYED,
    ),
    // Members that are asked about what is for the firewall.
    pair(
        "sysctl/item/value",
        &[
            BRIDGE,
            (
                "<!--root-->",
                "<sysctl><item><tunable>net.link.bridge.pfil_local_phys</tunable><value>0</value></item></sysctl>",
            ),
        ],
        ("<value>0", "<value>1"),
        INSIDE,
        REFLECTED,
        "unknown 192.168.1.50:50000 from 192.168.20.7:40000, no answer",
    ),
    pair(
        "sysctl/item/tunable",
        &[
            BRIDGE,
            (
                "<!--root-->",
                "<sysctl><item><tunable>net.link.bridge.pfil_onlyip</tunable><value>1</value></item></sysctl>",
            ),
        ],
        ("pfil_onlyip", "pfil_local_phys"),
        INSIDE,
        REFLECTED,
        "unknown 192.168.1.50:50000 from 192.168.20.7:40000, no answer",
    ),
];

/// As a host somewhere else sends it: the internet.
const UNTRANSLATED: &str = "9.9.9.9:3478 from 10.8.0.7:40000";
/// What is sent to the firewall's inner side by clients of a tunnel may go anywhere.
const VPN_RULE: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>pass</type><interface>openvpn</interface><ipprotocol>inet</ipprotocol><source><any></any></source><destination><any></any></destination></rule>",
);
/// Clients that dial in by `IPsec`.
const MOBILE: (&str, &str) = (
    "<!--root-->",
    "<ipsec><phase1><ikeid>1</ikeid><interface>wan</interface><mobile></mobile></phase1><phase2><ikeid>1</ikeid><mode>tunnel</mode><localid><type>lan</type></localid><mobile></mobile></phase2><client><pool_address>9.9.9.0</pool_address><pool_netbits>24</pool_netbits><!--client--></client></ipsec>",
);
/// A plain tunnel with an interface.
const GIF: (&str, &str) = (
    "<!--interfaces-->",
    "<opt3><enable></enable><if>gif0</if><descr>TUN</descr></opt3></interfaces><gifs><gif><gifif>gif0</gifif><tunnel-local-addr>10.77.0.1</tunnel-local-addr><tunnel-remote-net>24</tunnel-remote-net></gif></gifs><interfaces>",
);
const PACKAGE: (&str, &str) = (
    "<!--root-->",
    "<installedpackages><package><name>cron</name><!--package--></package><!--packages--></installedpackages>",
);
const ANYTHING: &str = "unknown 192.168.1.50:50000 from 9.9.9.9:40000, no answer";
