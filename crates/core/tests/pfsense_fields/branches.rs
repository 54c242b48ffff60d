//! Branches of the generator that can leave out or change a rule, a reflection or a source translation: two
//! configurations of which one takes the branch. Elements may have pairs elsewhere too.

use super::{Pair, pair};

const MAYBE: &str = "blocked | 192.168.1.50:50000 from 9.9.9.9:40000";
const ARRIVES: &str = "192.168.1.50:50000 from 9.9.9.9:40000";
const MOVED: &str = "9.9.9.9:3478 from 203.0.113.5:chosen";
const CALL: &str = "udp 9.9.9.9:40000 > 203.0.113.5:50000";
const OUT: &str = "udp 192.168.1.50:40000 > 9.9.9.9:3478";
const OUT6: &str = "udp [2001:db8:ab00:1::50]:40000 > [2a00:1450::5]:3478";
const INSIDE: &str = "udp 192.168.20.7:40000 > 203.0.113.5:50000";
const REFLECTED: &str = "192.168.1.50:50000 from 192.168.20.7:40000";
const TAKEN: &str = "local 203.0.113.5:50000 from 192.168.20.7:40000";
const TO_VOIP: &str = "udp 192.168.1.50:40000 > 192.168.20.7:5060";
const PRIVATE: &str = "udp 172.16.5.5:40000 > 203.0.113.5:50000";
const BLOCK: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>block</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp</protocol><source><any></any></source><destination><any></any></destination><!--block--></rule>",
);
const ANY_TO_ANY: &str = "<source><any></any></source><destination><any></any></destination><!--block-->";
/// LAN and nobody else.
const GROUP: (&str, &str) = (
    "<!--root-->",
    "<ifgroups><ifgroupentry><ifname>INNER_NETS</ifname><members>lan</members></ifgroupentry></ifgroups>",
);
const FROM_GROUP: (&str, &str) = ("<source><network>lan</network>", "<source><network>INNER_NETS</network>");
const TO_GROUP: (&str, &str) = (
    "<destination><any></any></destination><!--lan rule-->",
    "<destination><network>INNER_NETS</network></destination>",
);
const WITH_VOIP: (&str, &str) = ("<members>lan<", "<members>lan opt1<");
/// A list of ports of the firewall's own pages.
const PORTS: (&str, &str) =
    ("<!--aliases-->", "<alias><name>web</name><type>port</type><address>443</address></alias>");
/// The second line by DHCP.
const LEASED: (&str, &str) =
    ("<ipaddr>198.51.100.5</ipaddr><subnet>24</subnet>\n    <gateway>LINE2GW</gateway>", "<ipaddr>dhcp</ipaddr>");
const NO_LINE2GW: (&str, &str) = (
    "<gateway_item><interface>opt2</interface><gateway>198.51.100.1</gateway><name>LINE2GW</name><ipprotocol>inet</ipprotocol><!--line2gw--></gateway_item>",
    "",
);
const BY_LEASE: &str = "unknown 9.9.9.9:3478 from 192.168.1.50:40000, no answer";
/// An interface on a client of `OpenVPN`.
const VPN: [(&str, &str); 2] = [
    ("<!--interfaces-->", "<opt3><enable></enable><if>ovpnc7</if><descr>Mullvad</descr></opt3>"),
    (
        "<!--root-->",
        "<openvpn><openvpn-client><vpnid>7</vpnid><dev_mode>tun</dev_mode><create_gw>both</create_gw></openvpn-client></openvpn>",
    ),
];
const BY_VPN: (&str, &str) = ("<!--lan rule-->", "<gateway>MULLVAD_VPNV4</gateway>");
/// It leaves by a tunnel, untranslated: where that leads is not known.
const BY_TUNNEL: &str = "9.9.9.9:3478 from 192.168.1.50:40000, no answer";
const LOST: &str = "misrouted 9.9.9.9:3478 from 192.168.1.50:40000, no answer";
/// The server's network to that of a caller.
const IPSEC: (&str, &str) = (
    "<!--root-->",
    "<ipsec><phase1><ikeid>1</ikeid><interface>wan</interface><remote-gateway>198.18.0.1</remote-gateway><!--phase1--></phase1><phase2><ikeid>1</ikeid><mode>tunnel</mode><localid><type>lan</type></localid><remoteid><type>network</type><address>9.9.9.0</address><netbits>24</netbits></remoteid><!--phase2--></phase2><!--ipsec--></ipsec>",
);
const HYBRID: (&str, &str) = ("<mode>automatic", "<mode>hybrid");
const STATIC: (&str, &str) = (
    "<!--outbound-->",
    "<rule><interface>wan</interface><source><network>192.168.1.0/24</network></source><destination><any></any></destination><staticnatport></staticnatport><!--out--></rule>",
);
const KEPT: &str = "9.9.9.9:3478 from 203.0.113.5:40000";
const ONE: (&str, &str) = (
    "<!--nat-->",
    "<onetoone><interface>wan</interface><external>203.0.113.9</external><source><address>192.168.1.50</address></source><destination><any></any></destination><!--one--></onetoone>",
);
const ONE_TO_ONE: &str = "9.9.9.9:3478 from 203.0.113.9:40000, no answer";
const BY_LINE2: &str = "9.9.9.9:3478 from 198.51.100.5:chosen";
const NO_REFLECTION: (&str, &str) = ("<natreflection>purenat", "<natreflection>disable");
/// From a network behind an inner router.
const FAR: &str = "udp 10.50.0.9:40000 > 9.9.9.9:3478";

pub const PAIRS: &[Pair] = &[
    // Interface groups as source and as destination.
    pair(
        "ifgroups/ifgroupentry/ifname",
        &[GROUP, FROM_GROUP],
        ("<ifname>INNER_NETS", "<ifname>OTHER"),
        OUT,
        MOVED,
        "blocked",
    ),
    pair(
        "ifgroups/ifgroupentry/members",
        &[GROUP, TO_GROUP],
        WITH_VOIP,
        TO_VOIP,
        "blocked",
        "192.168.20.7:5060 from 192.168.1.50:40000",
    ),
    pair(
        "ifgroups/ifgroupentry/members",
        &[
            GROUP,
            ("<source><network>lan</network>", "<source><not></not><network>INNER_NETS</network>"),
            ("<members>lan<", "<members>opt1<"),
        ],
        ("<members>opt1<", "<members>opt9<"),
        OUT,
        MOVED,
        "blocked",
    ),
    // Lists of ports that are loaded from elsewhere.
    pair(
        "aliases/alias/type",
        &[
            BLOCK,
            PORTS,
            (ANY_TO_ANY, "<source><any></any></source><destination><any></any><port>web</port></destination>"),
        ],
        ("<name>web</name><type>port", "<name>web</name><type>urltable_ports"),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair(
        "aliases/alias/type",
        &[
            ("<port>50000-50499</port></destination>\n    <target>", "<port>media</port></destination>\n    <target>"),
            ("<local-port>50000</local-port>", ""),
        ],
        ("<type>port", "<type>urltable_ports"),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair(
        "aliases/alias/address",
        &[
            BLOCK,
            PORTS,
            ("<name>web</name><type>port", "<name>web</name><type>url_ports"),
            (ANY_TO_ANY, "<source><any></any></source><destination><any></any><port>web</port></destination>"),
        ],
        ("<address>443</address>", ""),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair(
        "aliases/alias/type",
        &[
            BLOCK,
            (ANY_TO_ANY, "<source><address>phones</address></source><destination><any></any></destination>"),
            ("<name>phones</name><type>network", "<name>phones</name><type>url"),
        ],
        ("<name>phones</name><type>url", "<name>phones</name><type>urltable"),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    // An empty list of ports.
    pair(
        "aliases/alias/address",
        &[
            BLOCK,
            PORTS,
            (ANY_TO_ANY, "<source><any></any></source><destination><any></any><port>web</port></destination>"),
            ("<address>443", "<address>50000"),
        ],
        ("<address>50000</address></alias><!--aliases-->", "<address></address></alias><!--aliases-->"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    // The firewall's own tables, which rules may name from 2.8 on.
    pair(
        "version",
        &[BLOCK, (ANY_TO_ANY, "<source><address>_private4_</address></source><destination><any></any></destination>")],
        ("<version>24.0", "<version>23.3"),
        PRIVATE,
        "blocked",
        "192.168.1.50:50000 from 172.16.5.5:40000",
    ),
    pair(
        "filter/rule/source/address",
        &[
            BLOCK,
            (ANY_TO_ANY, "<source><address>_reserved46_</address></source><destination><any></any></destination>"),
        ],
        ("<address>_reserved46_", "<address>snort2c"),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair(
        "staticroutes/route",
        &[("<source><network>lan</network>", "<source><address>tonatsubnets</address>")],
        ("<!--staticroutes-->", "<route><network>10.50.0.0/24</network><gateway>INNER</gateway></route>"),
        OUT,
        "blocked",
        MOVED,
    ),
    pair(
        "ipsec/phase2/remoteid/address",
        &[
            IPSEC,
            BLOCK,
            (ANY_TO_ANY, "<source><address>vpn_networks</address></source><destination><any></any></destination>"),
            ("<address>9.9.9.0", "<address>172.16.5.0"),
        ],
        ("<address>172.16.5.0", "<address>172.16.6.0"),
        PRIVATE,
        "blocked",
        "192.168.1.50:50000 from 172.16.5.5:40000",
    ),
    // Rules of interfaces.
    pair(
        "filter/rule/interface",
        &[],
        ("<type>pass</type><interface>wan", "<type>pass</type><interface>wan,lan"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/quick",
        &[BLOCK, ("<!--block-->", "<floating></floating>")],
        ("<!--block-->", "<quick></quick>"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/protocol",
        &[BLOCK, (ANY_TO_ANY, "<source><any></any></source><destination><any></any><port>1-2</port></destination>")],
        (
            "<protocol>udp</protocol><source><any></any></source><destination><any></any><port>1-2",
            "<protocol></protocol><source><any></any></source><destination><any></any><port>1-2",
        ),
        "tcp 9.9.9.9:40000 > 203.0.113.5:7881",
        "192.168.1.50:7881 from 9.9.9.9:40000",
        "blocked",
    ),
    // Gateways that exist at run time only.
    pair(
        "filter/rule/gateway",
        &[LEASED, NO_LINE2GW, ("<!--lan rule-->", "<gateway>LINE2_PPPOE</gateway>")],
        ("LINE2_PPPOE", "LINE2_DHCP"),
        OUT,
        MOVED,
        BY_LEASE,
    ),
    pair(
        "interfaces/ipaddr",
        &[LEASED, NO_LINE2GW, ("<ipaddr>dhcp", "<ipaddr>pppoe"), ("<!--lan rule-->", "<gateway>LINE2_DHCP</gateway>")],
        ("<ipaddr>pppoe", "<ipaddr>dhcp"),
        OUT,
        MOVED,
        BY_LEASE,
    ),
    pair(
        "interfaces/descr",
        &[LEASED, NO_LINE2GW, ("<!--lan rule-->", "<gateway>LINE2_DHCP</gateway>")],
        ("<descr>LINE2", "<descr>dsl"),
        OUT,
        BY_LEASE,
        MOVED,
    ),
    pair(
        "gateways/gateway_group/item",
        &[
            LEASED,
            NO_LINE2GW,
            ("<!--lan rule-->", "<gateway>BOTH</gateway>"),
            (
                "<!--gateways-->",
                "<gateway_group><name>BOTH</name><item>WANGW|2|address</item><item>LINE2_DHCP|3|address</item></gateway_group>",
            ),
        ],
        ("LINE2_DHCP|3", "LINE2_DHCP|1"),
        OUT,
        MOVED,
        BY_LEASE,
    ),
    pair(
        "gateways/defaultgw4",
        &[LEASED, NO_LINE2GW],
        ("<defaultgw4>WANGW", "<defaultgw4>LINE2_DHCP"),
        OUT,
        MOVED,
        BY_LEASE,
    ),
    pair("gateways/defaultgw4", &[], ("<defaultgw4>WANGW", "<defaultgw4>-"), OUT, MOVED, LOST),
    pair("gateways/defaultgw4", &[], ("<defaultgw4>WANGW", "<defaultgw4>NOBODY"), OUT, MOVED, LOST),
    pair(
        "gateways/gateway_item/action_disable",
        &[("<!--line2gw-->", "<force_down></force_down>"), ("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<!--line2gw-->", "<action_disable></action_disable>"),
        OUT,
        MOVED,
        BY_LINE2,
    ),
    pair("openvpn/openvpn-client/vpnid", &[VPN[0], VPN[1], BY_VPN], ("<vpnid>7", "<vpnid>8"), OUT, BY_TUNNEL, MOVED),
    pair(
        "openvpn/openvpn-client/create_gw",
        &[VPN[0], VPN[1], BY_VPN],
        ("<create_gw>both", "<create_gw>v6only"),
        OUT,
        BY_TUNNEL,
        MOVED,
    ),
    pair(
        "openvpn/openvpn-client/dev_mode",
        &[VPN[0], VPN[1], BY_VPN],
        ("<dev_mode>tun", "<dev_mode>tap"),
        OUT,
        BY_TUNNEL,
        MOVED,
    ),
    // Forwards: ports, targets and interfaces that are none.
    pair(
        "nat/rule/destination/port",
        &[],
        ("<port>50000-50499</port></destination>\n    <target>", "<port>nosuch</port></destination>\n    <target>"),
        "udp 9.9.9.9:40000 > 203.0.113.5:40000",
        "blocked",
        ARRIVES,
    ),
    pair(
        "nat/rule/local-port",
        &[("<local-port>50000", "<local-port>50100")],
        ("<local-port>50100", "<local-port>nosuch"),
        CALL,
        "192.168.1.50:50100 from 9.9.9.9:40000",
        ARRIVES,
    ),
    pair("nat/rule/target", &[], ("<target>192.168.1.50", "<target>192.168.1.50/32"), CALL, ARRIVES, "blocked"),
    pair(
        "nat/rule/target",
        &[
            BLOCK,
            ("<type>block", "<type>pass"),
            ("<ipaddr>192.168.20.1</ipaddr><subnet>24</subnet>", "<ipaddr>dhcp</ipaddr>"),
        ],
        ("<target>192.168.1.50", "<target>opt1ip"),
        CALL,
        ARRIVES,
        "unknown 203.0.113.5:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "nat/rule/target",
        &[BLOCK, ("<type>block", "<type>pass"), ("<ipaddr>192.168.20.1</ipaddr><subnet>24</subnet>", "")],
        ("<target>192.168.1.50", "<target>opt1ip"),
        CALL,
        ARRIVES,
        "local 203.0.113.5:50000 from 9.9.9.9:40000",
    ),
    pair(
        "interfaces/ipaddr",
        &[],
        ("<ipaddr>203.0.113.5</ipaddr><subnet>24</subnet>", "<ipaddr>dhcp</ipaddr>"),
        "udp 192.168.20.7:40000 > 9.9.9.9:50000",
        "9.9.9.9:50000 from 203.0.113.5:chosen",
        "192.168.1.50:50000 from 192.168.20.7:40000 | unknown 9.9.9.9:50000 from 192.168.20.7:40000, no answer",
    ),
    pair(
        "nat/rule/natreflection",
        &[
            GROUP,
            WITH_VOIP,
            (
                "<rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp",
                "<rule><interface>INNER_NETS</interface><ipprotocol>inet</ipprotocol><protocol>udp",
            ),
            ("<network>wanip</network>", "<any></any>"),
        ],
        NO_REFLECTION,
        INSIDE,
        TAKEN,
        REFLECTED,
    ),
    pair(
        "nat/rule/natreflection",
        &[(
            "<!--first forward-->",
            "<rule><interface>wan</interface><protocol>udp</protocol><source><any></any></source><destination><network>wanip</network><port>50000</port></destination><nordr></nordr><natreflection>disable</natreflection></rule>",
        )],
        ("<natreflection>disable", "<natreflection>enable"),
        INSIDE,
        REFLECTED,
        TAKEN,
    ),
    // 1:1 translation.
    pair(
        "nat/onetoone/destination",
        &[ONE],
        ("<destination><any></any></destination><!--one-->", "<!--one-->"),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    pair(
        "nat/onetoone/external",
        &[ONE],
        ("<external>203.0.113.9", "<external>203.0.113.9/32"),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    // Source translation.
    pair(
        "nat/outbound/rule/target",
        &[HYBRID, STATIC, ("<!--out-->", "<target>203.0.113.8</target>")],
        ("<target>203.0.113.8", "<target>lanip"),
        OUT,
        "9.9.9.9:3478 from 203.0.113.8:40000, no answer",
        KEPT,
    ),
    pair(
        "ifgroups/ifgroupentry/members",
        &[HYBRID, STATIC, GROUP, ("<source><network>192.168.1.0/24", "<source><network>INNER_NETS")],
        WITH_VOIP,
        "udp 192.168.20.7:40000 > 9.9.9.9:3478",
        MOVED,
        KEPT,
    ),
    pair(
        "nat/outbound/rule/source/not",
        &[HYBRID, STATIC],
        ("<source><network>192.168.1.0/24", "<source><not></not><network>192.168.1.0/24"),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/mode",
        &[],
        ("<mode>automatic", "<mode>"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 192.168.1.50:40000, no answer",
    ),
    pair(
        "nat/outbound/rule/dstport",
        &[HYBRID, STATIC, PORTS, ("<!--out-->", "<protocol>udp</protocol><dstport>web</dstport>")],
        ("<name>web</name><type>port", "<name>web</name><type>urltable_ports"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 203.0.113.5:40000 | 9.9.9.9:3478 from 203.0.113.5:chosen",
    ),
    pair(
        "interfaces/nonat",
        &[],
        ("<!--wan-->", "<nonat></nonat>"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 192.168.1.50:40000, no answer",
    ),
    pair(
        "staticroutes/route/network",
        &[
            ("<!--staticroutes-->", "<route><network>10.50.0.0/24</network><gateway>INNER</gateway></route>"),
            ("<interface>opt1</interface><gateway>192.168.20.9", "<interface>lan</interface><gateway>192.168.1.9"),
            ("<network>lan</network></source>\n    <destination><any>", "<any></any></source>\n    <destination><any>"),
            ("<network>10.50.0.0/24", "<network>100.99.0.0/24"),
        ],
        ("<network>100.99.0.0/24", "<network>10.50.0.0/24"),
        FAR,
        "9.9.9.9:3478 from 10.50.0.9:40000",
        MOVED,
    ),
    pair(
        "nat/npt/destination/network",
        &[],
        (
            "<!--nat-->",
            "<npt><interface>wan</interface><source><address>2001:db8:ab00:1::/64</address></source><destination><network>wan/1</network></destination></npt>",
        ),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
        "unknown 2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000, no answer",
    ),
    // Tunnels of IPsec: exactly what they name.
    pair("ipsec/phase1/disabled", &[IPSEC], ("<!--phase1-->", "<disabled></disabled>"), OUT, BY_TUNNEL, MOVED),
    pair("ipsec/phase2/disabled", &[IPSEC], ("<!--phase2-->", "<disabled></disabled>"), OUT, BY_TUNNEL, MOVED),
    pair("ipsec/phase2/mode", &[IPSEC], ("<mode>tunnel", "<mode>vti"), OUT, BY_TUNNEL, MOVED),
    pair("ipsec/phase2/ikeid", &[IPSEC], ("<phase2><ikeid>1", "<phase2><ikeid>2"), OUT, BY_TUNNEL, MOVED),
    pair("ipsec/phase2/localid/type", &[IPSEC], ("<type>lan", "<type>opt1"), OUT, BY_TUNNEL, MOVED),
    pair("ipsec/phase2/remoteid/netbits", &[IPSEC], ("<netbits>24", "<netbits>32"), OUT, BY_TUNNEL, MOVED),
    pair(
        "system/disablenegate",
        &[IPSEC, ("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<!--system-->", "<disablenegate></disablenegate>"),
        OUT,
        BY_TUNNEL,
        BY_LINE2,
    ),
    // A virtual address on a virtual address.
    pair(
        "virtualip/vip/uniqid",
        &[
            (
                "<!--virtualip-->",
                "<vip><mode>carp</mode><interface>wan</interface><uniqid>a1</uniqid><subnet>203.0.113.9</subnet><subnet_bits>24</subnet_bits></vip><vip><mode>ipalias</mode><interface>_vipa1</interface><uniqid>a2</uniqid><subnet>203.0.113.8</subnet><subnet_bits>32</subnet_bits></vip>",
            ),
            ("<network>wanip</network>", "<address>203.0.113.8</address>"),
        ],
        ("<uniqid>a1", "<uniqid>b1"),
        "udp 9.9.9.9:40000 > 203.0.113.8:50000",
        ARRIVES,
        "203.0.113.8:50000 from 9.9.9.9:40000",
    ),
    // The gateways that drop.
    pair(
        "staticroutes/route/gateway",
        &[("<!--staticroutes-->", "<route><network>9.9.9.0/24</network><gateway>WANGW</gateway></route>")],
        ("</network><gateway>WANGW", "</network><gateway>Null4"),
        OUT,
        "misrouted 9.9.9.9:3478 from 203.0.113.5:chosen, no answer",
        LOST,
    ),
];
