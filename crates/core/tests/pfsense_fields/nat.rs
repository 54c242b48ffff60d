//! Pairs of `<nat>`.

use super::{Pair, pair};

const ONE_TO_ONE: &str = "9.9.9.9:3478 from 203.0.113.9:40000";
const KEPT: &str = "9.9.9.9:3478 from 203.0.113.5:40000";
const MOVED: &str = "9.9.9.9:3478 from 203.0.113.5:chosen";
const ARRIVES: &str = "192.168.1.50:50000 from 9.9.9.9:40000";
/// From the internet, to a forwarded port.
const CALL: &str = "udp 9.9.9.9:40000 > 203.0.113.5:50000";
/// From another inner network, to the same port.
const INSIDE: &str = "udp 192.168.20.7:40000 > 203.0.113.5:50000";
/// From inside to the internet.
const OUT: &str = "udp 192.168.1.50:40000 > 9.9.9.9:3478";
const HYBRID: (&str, &str) = ("<mode>automatic", "<mode>hybrid");
const BY_HAND: (&str, &str) = ("<mode>automatic", "<mode>advanced");
/// A rule of outbound translation that keeps ports.
const STATIC: (&str, &str) = (
    "<!--outbound-->",
    "<rule><interface>wan</interface><source><network>192.168.1.0/24</network></source><destination><any></any></destination><staticnatport></staticnatport><!--out--></rule>",
);
/// 1:1 for the server.
const ONE: (&str, &str) = (
    "<!--nat-->",
    "<onetoone><interface>wan</interface><external>203.0.113.9</external><source><address>192.168.1.50</address></source><destination><any></any></destination><!--one--></onetoone>",
);
const OPEN: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>pass</type><interface>wan</interface><ipprotocol>inet46</ipprotocol><source><any></any></source><destination><any></any></destination></rule>",
);
const VIP: (&str, &str) = (
    "<!--virtualip-->",
    "<vip><mode>ipalias</mode><interface>wan</interface><subnet>203.0.113.9</subnet><subnet_bits>32</subnet_bits></vip>",
);
const NPT: (&str, &str) = (
    "<!--nat-->",
    "<npt><interface>wan</interface><source><address>2001:db8:ab00:1::/64</address></source><destination><address>2001:db8:77:1::/64</address></destination><!--npt--></npt>",
);
const OUT6: &str = "udp [2001:db8:ab00:1::50]:40000 > [2a00:1450::5]:3478";

pub const PAIRS: &[Pair] = &[
    pair(
        "nat/rule",
        &[("<port>50000-50499</port></destination>\n    <target>", "<port>1-2</port></destination>\n    <target>")],
        (
            "<!--first forward-->",
            "<rule><protocol>udp</protocol><source><any></any></source><destination><network>wanip</network><port>50000</port></destination><target>192.168.1.50</target></rule>",
        ),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair("nat/rule/disabled", &[], ("<!--forward-->", "<disabled></disabled>"), CALL, ARRIVES, "blocked"),
    pair("nat/rule/nordr", &[], ("<!--forward-->", "<nordr></nordr>"), CALL, ARRIVES, "blocked"),
    pair(
        "nat/rule/interface",
        &[],
        (
            "<rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp",
            "<rule><interface>opt1</interface><ipprotocol>inet</ipprotocol><protocol>udp",
        ),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "nat/rule/ipprotocol",
        &[],
        ("<ipprotocol>inet</ipprotocol><protocol>udp", "<ipprotocol>inet6</ipprotocol><protocol>udp"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair("nat/rule/protocol", &[], ("<protocol>udp", "<protocol>tcp"), CALL, ARRIVES, "blocked"),
    pair(
        "nat/rule/source",
        &[],
        ("<source><any></any></source>\n    <destination><network>wanip", "<destination><network>wanip"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "nat/rule/source/any",
        &[(
            "<source><any></any></source>\n    <destination><network>wanip",
            "<source><network>lan</network></source>\n    <destination><network>wanip",
        )],
        (
            "<network>lan</network></source>\n    <destination><network>wanip",
            "<any></any></source>\n    <destination><network>wanip",
        ),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "nat/rule/source/network",
        &[("<source><any></any>", "<source><network>opt1</network>")],
        ("<network>opt1", "<network>lan"),
        INSIDE,
        "192.168.1.50:50000 from 192.168.20.7:40000",
        "local 203.0.113.5:50000 from 192.168.20.7:40000",
    ),
    pair(
        "nat/rule/source/address",
        &[("<source><any></any>", "<source><address>9.9.9.0/24</address>")],
        ("9.9.9.0/24", "8.8.8.0/24"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "nat/rule/source/not",
        &[("<source><any></any>", "<source><address>9.9.9.0/24</address>")],
        ("<address>9.9.9.0/24", "<not></not><address>9.9.9.0/24"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "nat/rule/source/port",
        &[],
        ("<source><any></any>", "<source><any></any><port>1000-2000</port>"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "nat/rule/destination",
        &[],
        ("<destination><network>wanip</network><port>50000-50499</port></destination>", ""),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "nat/rule/destination/any",
        &[VIP],
        ("<network>wanip</network>", "<any></any>"),
        "udp 9.9.9.9:40000 > 203.0.113.9:50000",
        "blocked",
        ARRIVES,
    ),
    pair("nat/rule/destination/network", &[], ("<network>wanip", "<network>lanip"), CALL, ARRIVES, "blocked"),
    pair(
        "nat/rule/destination/address",
        &[("<network>wanip</network>", "<address>203.0.113.5</address>")],
        ("<address>203.0.113.5", "<address>203.0.113.6"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair("nat/rule/destination/not", &[], ("<network>wanip", "<not></not><network>wanip"), CALL, ARRIVES, "blocked"),
    pair("nat/rule/destination/port", &[], ("<port>50000-50499", "<port>50001-50499"), CALL, ARRIVES, "blocked"),
    pair("nat/rule/target", &[], ("<target>192.168.1.50", "<target>192.168.20.50"), CALL, ARRIVES, "blocked"),
    // 500 ports from 65400 on: they end beyond the last one.
    pair("nat/rule/local-port", &[], ("<local-port>50000", "<local-port>65400"), CALL, ARRIVES, "blocked"),
    pair(
        "nat/rule/local-port",
        &[],
        ("<local-port>50000", "<local-port>50100"),
        CALL,
        ARRIVES,
        "192.168.1.50:50100 from 9.9.9.9:40000",
    ),
    pair(
        "nat/rule/associated-rule-id",
        &[(
            "<destination><address>192.168.1.50</address><port>50000-50499",
            "<destination><address>192.168.1.51</address><port>50000-50499",
        )],
        ("nat_1", "pass"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "nat/rule/natreflection",
        &[],
        ("<natreflection>purenat", "<natreflection>disable"),
        INSIDE,
        "192.168.1.50:50000 from 192.168.20.7:40000",
        "local 203.0.113.5:50000 from 192.168.20.7:40000",
    ),
    pair(
        "nat/outbound",
        &[],
        ("<outbound><mode>automatic</mode><!--outbound--></outbound>", "<outbound><mode>disabled</mode></outbound>"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 192.168.1.50:40000, no answer",
    ),
    pair("nat/outbound/mode", &[STATIC], HYBRID, OUT, MOVED, KEPT),
    pair("nat/outbound/rule", &[HYBRID], STATIC, OUT, MOVED, KEPT),
    pair("nat/outbound/rule/disabled", &[HYBRID, STATIC], ("<!--out-->", "<disabled></disabled>"), OUT, KEPT, MOVED),
    pair(
        "nat/outbound/rule/interface",
        &[HYBRID, STATIC],
        (
            "<rule><interface>wan</interface><source><network>192",
            "<rule><interface>opt2</interface><source><network>192",
        ),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/rule/ipprotocol",
        &[HYBRID, STATIC],
        ("<!--out-->", "<ipprotocol>inet6</ipprotocol>"),
        OUT,
        KEPT,
        MOVED,
    ),
    pair("nat/outbound/rule/protocol", &[HYBRID, STATIC], ("<!--out-->", "<protocol>tcp</protocol>"), OUT, KEPT, MOVED),
    pair(
        "nat/outbound/rule/source",
        &[HYBRID, STATIC],
        ("<source><network>192.168.1.0/24</network></source>", ""),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/rule/source/network",
        &[HYBRID, STATIC],
        ("192.168.1.0/24", "192.168.1.64/26"),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/rule/source/any",
        &[HYBRID, STATIC, ("<network>192.168.1.0/24</network>", "<network>(self)</network>")],
        ("<network>(self)</network>", "<any></any>"),
        OUT,
        MOVED,
        KEPT,
    ),
    pair(
        "nat/outbound/rule/sourceport",
        &[HYBRID, STATIC, ("<!--out-->", "<protocol>udp</protocol>")],
        ("<!--out-->", "<sourceport>5060</sourceport>"),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/rule/destination",
        &[HYBRID, STATIC],
        ("<destination><any></any></destination><static", "<static"),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/rule/destination/any",
        &[
            HYBRID,
            STATIC,
            (
                "<destination><any></any></destination><static",
                "<destination><network>8.8.8.8</network></destination><static",
            ),
        ],
        ("<network>8.8.8.8</network>", "<any></any>"),
        OUT,
        MOVED,
        KEPT,
    ),
    pair(
        "nat/outbound/rule/destination/network",
        &[
            HYBRID,
            STATIC,
            (
                "<destination><any></any></destination><static",
                "<destination><network>8.8.8.8</network></destination><static",
            ),
        ],
        ("8.8.8.8", "9.9.9.0/24"),
        OUT,
        MOVED,
        KEPT,
    ),
    pair(
        "nat/outbound/rule/destination/not",
        &[
            HYBRID,
            STATIC,
            (
                "<destination><any></any></destination><static",
                "<destination><network>8.8.8.8</network></destination><static",
            ),
        ],
        ("<network>8.8", "<not></not><network>8.8"),
        OUT,
        MOVED,
        KEPT,
    ),
    pair(
        "nat/outbound/rule/dstport",
        &[HYBRID, STATIC, ("<!--out-->", "<protocol>udp</protocol>")],
        ("<!--out-->", "<dstport>5060</dstport>"),
        OUT,
        KEPT,
        MOVED,
    ),
    pair(
        "nat/outbound/rule/target",
        &[HYBRID, STATIC],
        ("<!--out-->", "<target>203.0.113.8</target>"),
        OUT,
        KEPT,
        "9.9.9.9:3478 from 203.0.113.8:40000, no answer",
    ),
    pair(
        "nat/outbound/rule/target_subnet",
        &[HYBRID, STATIC, ("<!--out-->", "<target>203.0.113.8</target>")],
        ("<!--out-->", "<target_subnet>29</target_subnet>"),
        OUT,
        "9.9.9.9:3478 from 203.0.113.8:40000, no answer",
        "9.9.9.9:3478 from chosen:40000, no answer",
    ),
    pair(
        "nat/outbound/rule/natport",
        &[HYBRID, STATIC, ("<staticnatport></staticnatport>", "")],
        ("<!--out-->", "<natport>6000</natport>"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 203.0.113.5:6000",
    ),
    pair(
        "nat/outbound/rule/staticnatport",
        &[HYBRID, STATIC, ("<staticnatport></staticnatport>", "")],
        ("<!--out-->", "<staticnatport></staticnatport>"),
        OUT,
        MOVED,
        KEPT,
    ),
    pair(
        "nat/outbound/rule/nonat",
        &[BY_HAND, STATIC],
        ("<!--out-->", "<nonat></nonat>"),
        OUT,
        KEPT,
        "9.9.9.9:3478 from 192.168.1.50:40000, no answer",
    ),
    pair("nat/onetoone", &[OPEN, VIP], ONE, OUT, MOVED, ONE_TO_ONE),
    pair("nat/onetoone/disabled", &[OPEN, ONE, VIP], ("<!--one-->", "<disabled></disabled>"), OUT, ONE_TO_ONE, MOVED),
    pair("nat/onetoone/nobinat", &[OPEN, ONE, VIP], ("<!--one-->", "<nobinat></nobinat>"), OUT, ONE_TO_ONE, MOVED),
    pair(
        "nat/onetoone/interface",
        &[OPEN, ONE, VIP],
        ("<onetoone><interface>wan", "<onetoone><interface>opt2"),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    pair(
        "nat/onetoone/external",
        &[OPEN, ONE, VIP],
        ("<external>203.0.113.9", "<external>203.0.113.10"),
        OUT,
        ONE_TO_ONE,
        "9.9.9.9:3478 from 203.0.113.10:40000, no answer",
    ),
    pair(
        "nat/onetoone/source",
        &[OPEN, ONE, VIP],
        ("<source><address>192.168.1.50</address></source>", ""),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    pair(
        "nat/onetoone/source/address",
        &[OPEN, ONE, VIP],
        ("<source><address>192.168.1.50</address>", "<source><address>192.168.1.51</address>"),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    pair(
        "nat/onetoone/destination",
        &[OPEN, ONE, VIP],
        (
            "<destination><any></any></destination><!--one-->",
            "<destination><address>8.8.8.8</address></destination><!--one-->",
        ),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    // One that is limited to what nobody knows is not for everybody.
    pair(
        "nat/onetoone/destination",
        &[OPEN, ONE, VIP],
        (
            "<destination><any></any></destination><!--one-->",
            "<destination><address>nowhere</address></destination><!--one-->",
        ),
        OUT,
        ONE_TO_ONE,
        MOVED,
    ),
    pair(
        "nat/onetoone/natreflection",
        &[OPEN, ONE, VIP],
        ("<!--one-->", "<natreflection>enable</natreflection>"),
        "udp 192.168.20.7:40000 > 203.0.113.9:50000",
        "local 203.0.113.9:50000 from 192.168.20.7:40000",
        "192.168.1.50:50000 from 192.168.20.7:40000",
    ),
    pair(
        "nat/npt",
        &[],
        NPT,
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
        "2a00:1450::5:3478 from 2001:db8:77:1::50:40000, no answer",
    ),
    pair(
        "nat/npt/disabled",
        &[NPT],
        ("<!--npt-->", "<disabled></disabled>"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:77:1::50:40000, no answer",
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
    ),
    pair(
        "nat/npt/interface",
        &[NPT],
        ("<npt><interface>wan", "<npt><interface>opt1"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:77:1::50:40000, no answer",
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
    ),
    pair(
        "nat/npt/source",
        &[NPT],
        ("<address>2001:db8:ab00:1::/64", "<address>2001:db8:ab00:2::/64"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:77:1::50:40000, no answer",
        "2a00:1450::5:3478 from 2001:db8:ab00:1::50:40000",
    ),
    pair(
        "nat/npt/destination",
        &[NPT],
        ("<address>2001:db8:77:1::/64", "<address>2001:db8:77:2::/64"),
        OUT6,
        "2a00:1450::5:3478 from 2001:db8:77:1::50:40000, no answer",
        "2a00:1450::5:3478 from 2001:db8:77:2::50:40000, no answer",
    ),
];
