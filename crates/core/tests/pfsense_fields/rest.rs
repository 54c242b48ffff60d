//! Pairs of the other sections.

use super::{Pair, pair};

const MAYBE: &str = "blocked | 192.168.1.50:50000 from 9.9.9.9:40000";
const BY_LINE2: &str = "9.9.9.9:3478 from 198.51.100.5:chosen";
const REFLECTED: &str = "192.168.1.50:50000 from 192.168.20.7:40000";
const MOVED: &str = "9.9.9.9:3478 from 203.0.113.5:chosen";
const ARRIVES: &str = "192.168.1.50:50000 from 9.9.9.9:40000";
const CALL: &str = "udp 9.9.9.9:40000 > 203.0.113.5:50000";
const INSIDE: &str = "udp 192.168.20.7:40000 > 203.0.113.5:50000";
const OUT: &str = "udp 192.168.1.50:40000 > 9.9.9.9:3478";
const OUT6: &str = "udp [2001:db8:ab00:1::50]:40000 > [2a00:1450::5]:3478";
const ADMIN: &str = "tcp 192.168.1.50:40000 > 192.168.1.1:443";
/// Nothing is passed from LAN.
const STRICT: (&str, &str) = ("<type>pass</type><interface>lan", "<type>block</type><interface>lan");
const BY_DEFAULT: (&str, &str) = ("<natreflection>purenat</natreflection>", "");
const REFLECTION_ON: (&str, &str) = ("<disablenatreflection>yes</disablenatreflection>", "");
/// The forward takes the alias as its target.
const TO_ALIAS: (&str, &str) = ("<target>192.168.1.50", "<target>server");
const OFFICE: (&str, &str) = (
    "<!--schedules-->",
    "<schedule><name>office</name><timerange><position>1,2,3,4,5,6,7</position><hour>0:00-23:59</hour><!--range--></timerange></schedule>",
);
const IN_OFFICE: (&str, &str) = ("<!--rule-->", "<sched>office</sched>");
/// The forward and its rule on the second line.
const LINE2: [(&str, &str); 3] = [
    (
        "<rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp",
        "<rule><interface>opt2</interface><ipprotocol>inet</ipprotocol><protocol>udp",
    ),
    ("<network>wanip", "<network>opt2ip"),
    ("<type>pass</type><interface>wan", "<type>pass</type><interface>opt2"),
];
const CALL2: &str = "udp 9.9.9.9:40000 > 198.51.100.5:50000";
const VIP: (&str, &str) = (
    "<!--virtualip-->",
    "<vip><mode>ipalias</mode><interface>wan</interface><subnet>203.0.113.9</subnet><subnet_bits>32</subnet_bits></vip>",
);
const TO_VIP: (&str, &str) = ("<network>wanip</network>", "<address>203.0.113.9</address>");
const CALL_VIP: &str = "udp 9.9.9.9:40000 > 203.0.113.9:50000";
const FAR: &str = "udp 10.50.0.9:40000 > 9.9.9.9:3478";
const ROUTE: (&str, &str) =
    ("<!--staticroutes-->", "<route><network>10.50.0.0/24</network><gateway>INNER</gateway><!--route--></route>");
const OPEN: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>pass</type><interface>wan</interface><ipprotocol>inet46</ipprotocol><source><any></any></source><destination><any></any></destination></rule>",
);
const GROUP: (&str, &str) = (
    "<!--gateways-->",
    "<gateway_group><name>BOTH</name><item>WANGW|2|address</item><item>LINE2GW|1|address</item></gateway_group>",
);

pub const PAIRS: &[Pair] = &[
    pair(
        "version",
        &[LINE2[0], LINE2[1], LINE2[2], ("<!--system-->", "<disablereplyto>yes</disablereplyto>")],
        ("<version>24.0", "<version>23.3"),
        CALL2,
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer",
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer | 192.168.1.50:50000 from 9.9.9.9:40000",
    ),
    pair(
        "system/disablenatreflection",
        &[BY_DEFAULT, ("<!--system-->", "<enablenatreflectionpurenat>yes</enablenatreflectionpurenat>")],
        REFLECTION_ON,
        INSIDE,
        "local 203.0.113.5:50000 from 192.168.20.7:40000",
        REFLECTED,
    ),
    pair(
        "system/enablenatreflectionpurenat",
        &[BY_DEFAULT, REFLECTION_ON],
        ("<!--system-->", "<enablenatreflectionpurenat>yes</enablenatreflectionpurenat>"),
        INSIDE,
        "local 127.0.0.1:19000 from 192.168.20.7:40000",
        REFLECTED,
    ),
    pair(
        "system/enablenatreflectionhelper",
        &[],
        ("<!--system-->", "<enablenatreflectionhelper>yes</enablenatreflectionhelper>"),
        "udp 192.168.1.7:40000 > 203.0.113.5:50000",
        "192.168.1.50:50000 from 192.168.1.7:40000, no answer",
        "192.168.1.50:50000 from 192.168.1.1:chosen",
    ),
    pair(
        "system/enablebinatreflection",
        &[(
            "<!--nat-->",
            "<onetoone><interface>wan</interface><external>203.0.113.9</external><source><address>192.168.1.50</address></source><destination><any></any></destination></onetoone>",
        )],
        ("<!--system-->", "<enablebinatreflection>yes</enablebinatreflection>"),
        "udp 192.168.20.7:40000 > 203.0.113.9:50000",
        "203.0.113.9:50000 from 203.0.113.5:chosen",
        REFLECTED,
    ),
    pair(
        "system/disablereplyto",
        &LINE2,
        ("<!--system-->", "<disablereplyto>yes</disablereplyto>"),
        CALL2,
        ARRIVES,
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "system/statepolicy",
        &[LINE2[0], LINE2[1], LINE2[2], ("<!--system-->", "<disablereplyto>yes</disablereplyto>")],
        ("<!--system-->", "<statepolicy>floating</statepolicy>"),
        CALL2,
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer",
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer | 192.168.1.50:50000 from 9.9.9.9:40000",
    ),
    pair(
        "system/ipv6allow",
        &[],
        ("<ipv6allow></ipv6allow>", ""),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
        "blocked",
    ),
    pair(
        "system/disablefilter",
        &[],
        ("<!--system-->", "<disablefilter>yes</disablefilter>"),
        "tcp 9.9.9.9:40000 > 203.0.113.5:443",
        "blocked",
        "local 203.0.113.5:443 from 9.9.9.9:40000",
    ),
    pair(
        "system/skip_rules_gw_down",
        &[("<!--line2gw-->", "<force_down></force_down>"), ("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<!--system-->", "<skip_rules_gw_down></skip_rules_gw_down>"),
        OUT,
        MOVED,
        "blocked",
    ),
    pair(
        "filter/bypassstaticroutes",
        &[("<type>pass</type><interface>opt1", "<disabled></disabled><interface>opt1"), ROUTE],
        ("<!--first rule-->", "<bypassstaticroutes>yes</bypassstaticroutes>"),
        "udp 10.50.0.9:40000 > 192.168.20.1:53",
        "blocked",
        "local 192.168.20.1:53 from 10.50.0.9:40000",
    ),
    pair(
        "system/no_apipa_block",
        &[("<ipaddr>192.168.20.1", "<ipaddr>169.254.20.1")],
        ("<!--system-->", "<no_apipa_block></no_apipa_block>"),
        "udp 169.254.20.7:40000 > 192.168.1.50:5060",
        "blocked",
        "192.168.1.50:5060 from 169.254.20.7:40000",
    ),
    pair(
        "system/webgui",
        &[STRICT],
        ("<webgui><protocol>https</protocol><!--webgui--></webgui>", ""),
        ADMIN,
        "local 192.168.1.1:443 from 192.168.1.50:40000",
        "blocked",
    ),
    pair(
        "system/webgui/noantilockout",
        &[STRICT],
        ("<!--webgui-->", "<noantilockout></noantilockout>"),
        ADMIN,
        "local 192.168.1.1:443 from 192.168.1.50:40000",
        "blocked",
    ),
    pair(
        "system/webgui/protocol",
        &[STRICT],
        ("<protocol>https", "<protocol>http"),
        ADMIN,
        "local 192.168.1.1:443 from 192.168.1.50:40000",
        "blocked",
    ),
    pair(
        "system/webgui/port",
        &[STRICT],
        ("<!--webgui-->", "<port>8443</port>"),
        ADMIN,
        "local 192.168.1.1:443 from 192.168.1.50:40000",
        "blocked",
    ),
    pair(
        "system/webgui/disablehttpredirect",
        &[STRICT],
        ("<!--webgui-->", "<disablehttpredirect></disablehttpredirect>"),
        "tcp 192.168.1.50:40000 > 192.168.1.1:80",
        "local 192.168.1.1:80 from 192.168.1.50:40000",
        "blocked",
    ),
    pair(
        "system/ssh",
        &[STRICT, ("<ssh><!--ssh--></ssh>", "")],
        ("<!--system-->", "<ssh><enable>enabled</enable></ssh>"),
        "tcp 192.168.1.50:40000 > 192.168.1.1:22",
        "blocked",
        "local 192.168.1.1:22 from 192.168.1.50:40000",
    ),
    pair(
        "system/ssh/enable",
        &[STRICT],
        ("<!--ssh-->", "<enable>enabled</enable>"),
        "tcp 192.168.1.50:40000 > 192.168.1.1:22",
        "blocked",
        "local 192.168.1.1:22 from 192.168.1.50:40000",
    ),
    pair(
        "system/ssh/port",
        &[STRICT, ("<!--ssh-->", "<enable>enabled</enable>")],
        ("<!--ssh-->", "<port>2222</port>"),
        "tcp 192.168.1.50:40000 > 192.168.1.1:22",
        "local 192.168.1.1:22 from 192.168.1.50:40000",
        "blocked",
    ),
    pair(
        "interfaces/enable",
        &[],
        ("<lan><enable></enable>", "<lan>"),
        CALL,
        ARRIVES,
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "interfaces/if",
        &[],
        ("<if>em1</if>", ""),
        CALL,
        ARRIVES,
        "unknown 192.168.1.50:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "interfaces/ipaddr",
        &[],
        ("<ipaddr>203.0.113.5", "<ipaddr>203.0.113.6"),
        CALL,
        ARRIVES,
        "203.0.113.5:50000 from 9.9.9.9:40000",
    ),
    pair(
        "interfaces/subnet",
        &[],
        ("<ipaddr>192.168.1.1</ipaddr><subnet>24", "<ipaddr>192.168.1.1</ipaddr><subnet>28"),
        CALL,
        ARRIVES,
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "interfaces/ipaddrv6",
        &[OPEN],
        ("<ipaddrv6>2001:db8:ab00:1::1", "<ipaddrv6>2001:db8:ab00:2::1"),
        "udp [2a00:1450::5]:40000 > [2001:db8:ab00:1::50]:5060",
        "2001:db8:ab00:1::50:5060 from 2a00:1450::5:40000",
        "misrouted 2001:db8:ab00:1::50:5060 from 2a00:1450::5:40000, no answer",
    ),
    pair(
        "interfaces/subnetv6",
        &[],
        ("<ipaddrv6>2001:db8:ab00:1::1</ipaddrv6><subnetv6>64", "<ipaddrv6>2001:db8:ab00:1::1</ipaddrv6><subnetv6>124"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
        "no such sender",
    ),
    pair(
        "interfaces/gateway",
        &[],
        ("<gateway>WANGW</gateway><gatewayv6>", "<gatewayv6>"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 192.168.1.50:40000, no answer",
    ),
    pair(
        "interfaces/gatewayv6",
        &[
            ("<!--opt2-->", "<ipaddrv6>2001:db8:2::5</ipaddrv6><subnetv6>64</subnetv6>"),
            (
                "<!--gateways-->",
                "<gateway_item><interface>opt2</interface><gateway>2001:db8:2::1</gateway><name>LINE6</name><ipprotocol>inet6</ipprotocol></gateway_item>",
            ),
            (
                "<rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp",
                "<rule><interface>opt2</interface><ipprotocol>inet6</ipprotocol><protocol>udp",
            ),
            ("<network>wanip", "<network>opt2ip"),
            ("<target>192.168.1.50", "<target>2001:db8:ab00:1::50"),
            (
                "<type>pass</type><interface>wan</interface><ipprotocol>inet<",
                "<type>pass</type><interface>opt2</interface><ipprotocol>inet6<",
            ),
            ("<destination><address>192.168.1.50", "<destination><address>2001:db8:ab00:1::50"),
        ],
        ("<!--opt2-->", "<gatewayv6>LINE6</gatewayv6>"),
        "udp [2a00:1450::5]:40000 > [2001:db8:2::5]:50000",
        "2001:db8:ab00:1::50:50000 from 2a00:1450::5:40000, no answer",
        "2001:db8:ab00:1::50:50000 from 2a00:1450::5:40000",
    ),
    pair(
        "interfaces/blockpriv",
        &[],
        ("<!--wan-->", "<blockpriv></blockpriv>"),
        "udp 172.16.5.5:40000 > 203.0.113.5:50000",
        "192.168.1.50:50000 from 172.16.5.5:40000",
        "blocked",
    ),
    pair(
        "interfaces/blockbogons",
        &[],
        ("<!--wan-->", "<blockbogons></blockbogons>"),
        "udp 192.0.2.9:40000 > 203.0.113.5:50000",
        "192.168.1.50:50000 from 192.0.2.9:40000",
        "blocked",
    ),
    pair(
        "interfaces/alias-address",
        &[
            ("<ipaddr>203.0.113.5</ipaddr><subnet>24</subnet>", "<ipaddr>dhcp</ipaddr>"),
            ("<network>wanip</network>", "<address>10.99.0.5</address>"),
        ],
        ("<!--wan-->", "<alias-address>10.99.0.5</alias-address>"),
        "udp 9.9.9.9:40000 > 10.99.0.5:50000",
        "10.99.0.5:50000 from 9.9.9.9:40000",
        ARRIVES,
    ),
    pair(
        "interfaces/alias-subnet",
        &[
            ("<ipaddr>203.0.113.5</ipaddr><subnet>24</subnet>", "<ipaddr>dhcp</ipaddr>"),
            ("<!--wan-->", "<alias-address>10.99.0.5</alias-address>"),
            (
                "<source><network>lan</network></source>\n    <destination><any></any>",
                "<source><any></any></source><destination><network>wan</network>",
            ),
        ],
        ("<!--wan-->", "<alias-subnet>24</alias-subnet>"),
        "udp 192.168.1.50:40000 > 10.99.0.77:5060",
        "blocked | unknown 10.99.0.77:5060 from 192.168.1.50:40000, no answer",
        "unknown 10.99.0.77:5060 from 192.168.1.50:40000, no answer",
    ),
    pair(
        "gateways/gateway_item/interface",
        &[("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<interface>opt2</interface><gateway>198.51.100.1", "<interface>wan</interface><gateway>198.51.100.1"),
        OUT,
        BY_LINE2,
        MOVED,
    ),
    pair(
        "gateways/gateway_item/name",
        &[("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<name>LINE2GW", "<name>OTHER"),
        OUT,
        BY_LINE2,
        MOVED,
    ),
    pair(
        "gateways/gateway_item/gateway",
        &[],
        ("<gateway>203.0.113.1", "<gateway>192.168.1.99"),
        OUT,
        MOVED,
        "misrouted 9.9.9.9:3478 from 203.0.113.5:chosen, no answer",
    ),
    // Only where the line tells the address: else that says the family.
    pair(
        "gateways/gateway_item/ipprotocol",
        &[
            ("<ipaddrv6>2001:db8:1::5</ipaddrv6><subnetv6>64</subnetv6>", "<ipaddrv6>dhcp6</ipaddrv6>"),
            ("<gateway>2001:db8:1::1", "<gateway>dynamic"),
            ("<gatewayv6>WANGW6</gatewayv6>", ""),
        ],
        ("<name>WANGW6</name><ipprotocol>inet6", "<name>WANGW6</name><ipprotocol>inet"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000, no answer",
        "misrouted 2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000, no answer",
    ),
    pair(
        "gateways/gateway_item/disabled",
        &[("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<!--line2gw-->", "<disabled></disabled>"),
        OUT,
        BY_LINE2,
        MOVED,
    ),
    pair(
        "gateways/gateway_item/force_down",
        &[("<!--lan rule-->", "<gateway>LINE2GW</gateway>")],
        ("<!--line2gw-->", "<force_down></force_down>"),
        OUT,
        BY_LINE2,
        MOVED,
    ),
    pair(
        "gateways/gateway_item/defaultgw",
        &[("<defaultgw4>WANGW</defaultgw4>", "")],
        ("<!--line2gw-->", "<defaultgw></defaultgw>"),
        OUT,
        MOVED,
        BY_LINE2,
    ),
    pair("gateways/defaultgw4", &[], ("<defaultgw4>WANGW", "<defaultgw4>LINE2GW"), OUT, MOVED, BY_LINE2),
    pair(
        "gateways/defaultgw6",
        &[(
            "<!--gateways-->",
            "<gateway_item><interface>opt1</interface><gateway>2001:db8:ab00:20::9</gateway><name>IN6</name><ipprotocol>inet6</ipprotocol></gateway_item>",
        )],
        ("<defaultgw6>WANGW6", "<defaultgw6>IN6"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
        "misrouted 2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000, no answer",
    ),
    pair("gateways/gateway_group", &[("<!--lan rule-->", "<gateway>BOTH</gateway>")], GROUP, OUT, MOVED, BY_LINE2),
    pair(
        "gateways/gateway_group/name",
        &[("<!--lan rule-->", "<gateway>BOTH</gateway>"), GROUP],
        ("<name>BOTH", "<name>ALL"),
        OUT,
        BY_LINE2,
        MOVED,
    ),
    pair(
        "gateways/gateway_group/item",
        &[("<!--lan rule-->", "<gateway>BOTH</gateway>"), GROUP],
        ("WANGW|2", "WANGW|1"),
        OUT,
        BY_LINE2,
        "9.9.9.9:3478 from 198.51.100.5:chosen | 9.9.9.9:3478 from 203.0.113.5:chosen",
    ),
    pair("staticroutes/route", &[], ROUTE, FAR, "9.9.9.9:3478 from 10.50.0.9:40000", MOVED),
    pair(
        "staticroutes/route/network",
        &[
            ROUTE,
            ("<!--aliases-->", "<alias><name>far</name><type>network</type><address>10.50.0.0/24</address></alias>"),
            ("<network>10.50.0.0/24", "<network>10.60.0.0/24"),
        ],
        ("<network>10.60.0.0/24", "<network>far"),
        FAR,
        "9.9.9.9:3478 from 10.50.0.9:40000",
        MOVED,
    ),
    pair(
        "staticroutes/route/gateway",
        &[ROUTE],
        ("<gateway>INNER", "<gateway>NOBODY"),
        FAR,
        MOVED,
        "9.9.9.9:3478 from 10.50.0.9:40000",
    ),
    pair(
        "staticroutes/route/disabled",
        &[ROUTE],
        ("<!--route-->", "<disabled></disabled>"),
        FAR,
        MOVED,
        "9.9.9.9:3478 from 10.50.0.9:40000",
    ),
    pair(
        "aliases/alias",
        &[("<target>192.168.1.50", "<target>box")],
        ("<!--aliases-->", "<alias><name>box</name><type>host</type><address>192.168.1.50</address></alias>"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair("aliases/alias/name", &[TO_ALIAS], ("<name>server", "<name>box"), CALL, ARRIVES, "blocked"),
    pair("aliases/alias/type", &[TO_ALIAS], ("<type>host", "<type>port"), CALL, ARRIVES, "blocked"),
    pair(
        "aliases/alias/address",
        &[TO_ALIAS],
        ("<type>host</type><address>192.168.1.50", "<type>host</type><address>192.168.1.51"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair("virtualip/vip", &[TO_VIP], VIP, CALL_VIP, "203.0.113.9:50000 from 9.9.9.9:40000", ARRIVES),
    pair(
        "virtualip/vip/mode",
        &[
            VIP,
            (
                "<interface>wan</interface><subnet>203.0.113.9</subnet><subnet_bits>32",
                "<interface>lan</interface><subnet>10.77.0.1</subnet><subnet_bits>24",
            ),
        ],
        ("<mode>ipalias", "<mode>proxyarp"),
        "udp 192.168.1.50:40000 > 10.77.0.9:5060",
        "10.77.0.9:5060 from 192.168.1.50:40000",
        "local 10.77.0.9:5060 from 192.168.1.50:40000",
    ),
    pair(
        "virtualip/vip/interface",
        &[VIP, OPEN],
        ("<mode>ipalias</mode><interface>wan", "<mode>ipalias</mode><interface>opt1"),
        CALL_VIP,
        "local 203.0.113.9:50000 from 9.9.9.9:40000",
        "misrouted 203.0.113.9:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "virtualip/vip/subnet",
        &[VIP, TO_VIP],
        ("<subnet>203.0.113.9", "<subnet>203.0.113.10"),
        CALL_VIP,
        ARRIVES,
        "203.0.113.9:50000 from 9.9.9.9:40000",
    ),
    pair(
        "virtualip/vip/subnet_bits",
        &[VIP, ("<network>wanip</network>", "<address>203.0.113.8</address>"), ("<mode>ipalias", "<mode>proxyarp")],
        ("<subnet_bits>32", "<subnet_bits>31"),
        "udp 9.9.9.9:40000 > 203.0.113.8:50000",
        "203.0.113.8:50000 from 9.9.9.9:40000",
        ARRIVES,
    ),
    // A rule whose schedule is gone holds always.
    pair(
        "schedules/schedule",
        &[IN_OFFICE],
        (
            "<!--schedules-->",
            "<schedule><name>office</name><timerange><position>1,2</position><hour>8:00-17:00</hour></timerange></schedule>",
        ),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair(
        "schedules/schedule/name",
        &[OFFICE, IN_OFFICE, ("<hour>0:00-23:59", "<hour>8:00-17:00")],
        ("<schedule><name>office", "<schedule><name>night"),
        CALL,
        MAYBE,
        ARRIVES,
    ),
    pair(
        "schedules/schedule/timerange",
        &[OFFICE, IN_OFFICE],
        (
            "<timerange><position>1,2,3,4,5,6,7</position><hour>0:00-23:59</hour><!--range--></timerange>",
            "<timerange><month>2</month><day>30</day><hour>0:00-23:59</hour></timerange>",
        ),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair("schedules/schedule/timerange/position", &[OFFICE, IN_OFFICE], ("1,2,3,4,5,6,7", "1,2"), CALL, ARRIVES, MAYBE),
    pair("schedules/schedule/timerange/hour", &[OFFICE, IN_OFFICE], ("0:00-23:59", "8:00-17:00"), CALL, ARRIVES, MAYBE),
    pair(
        "schedules/schedule/timerange/month",
        &[OFFICE, IN_OFFICE, ("<position>1,2,3,4,5,6,7</position>", "<month>2</month><day>30</day>")],
        ("<month>2", "<month>3"),
        CALL,
        "blocked",
        MAYBE,
    ),
    pair(
        "schedules/schedule/timerange/day",
        &[OFFICE, IN_OFFICE, ("<position>1,2,3,4,5,6,7</position>", "<month>2</month><day>28</day>")],
        ("<day>28", "<day>30"),
        CALL,
        MAYBE,
        "blocked",
    ),
];
