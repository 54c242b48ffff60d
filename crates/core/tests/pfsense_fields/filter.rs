//! Pairs of `<filter>`.

use super::{Pair, pair};

const TCP_MAYBE: &str = "blocked | 192.168.1.50:7881 from 9.9.9.9:40000";
const MAYBE: &str = "blocked | 192.168.1.50:50000 from 9.9.9.9:40000";
const TCP_ARRIVES: &str = "192.168.1.50:7881 from 9.9.9.9:40000";
const MOVED: &str = "9.9.9.9:3478 from 203.0.113.5:chosen";
const ARRIVES: &str = "192.168.1.50:50000 from 9.9.9.9:40000";
const CALL: &str = "udp 9.9.9.9:40000 > 203.0.113.5:50000";
const TCP: &str = "tcp 9.9.9.9:40000 > 203.0.113.5:7881";
const OUT: &str = "udp 192.168.1.50:40000 > 9.9.9.9:3478";
const TO_SERVER: &str = "<destination><address>192.168.1.50</address><port>50000-50499";
/// A floating rule that is not quick blocks; the pass rule of the interface wins.
const FLOATING: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>block</type><floating>yes</floating><direction>in</direction><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp</protocol><source><any></any></source><destination><any></any></destination><!--floating--></rule>",
);
const BLOCK: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>block</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp</protocol><source><any></any></source><destination><any></any></destination><!--block--></rule>",
);
/// A floating rule that puts a label on packets.
const TAGS: (&str, &str) = (
    "<!--first rule-->",
    "<rule><type>match</type><floating>yes</floating><direction>in</direction><interface>wan</interface><ipprotocol>inet</ipprotocol><source><any></any></source><destination><any></any></destination><!--tags--></rule>",
);

pub const PAIRS: &[Pair] = &[
    pair("filter/rule", &[], BLOCK, CALL, ARRIVES, "blocked"),
    pair("filter/rule/type", &[BLOCK], ("<type>block", "<type>pass"), CALL, "blocked", ARRIVES),
    pair("filter/rule/disabled", &[], ("<!--rule-->", "<disabled></disabled>"), CALL, ARRIVES, "blocked"),
    pair(
        "filter/rule/interface",
        &[],
        ("<type>pass</type><interface>wan", "<type>pass</type><interface>lan"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/ipprotocol",
        &[BLOCK],
        (
            "<type>block</type><interface>wan</interface><ipprotocol>inet",
            "<type>block</type><interface>wan</interface><ipprotocol>inet6",
        ),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "filter/rule/protocol",
        &[BLOCK],
        (
            "<ipprotocol>inet</ipprotocol><protocol>udp</protocol><source><any></any></source><destination><any></any></destination><!--block-->",
            "<ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><any></any></source><destination><any></any></destination><!--block-->",
        ),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "filter/rule/floating",
        &[BLOCK, ("<!--block-->", "<direction>out</direction>")],
        ("<!--block-->", "<floating>yes</floating>"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair("filter/rule/quick", &[FLOATING], ("<!--floating-->", "<quick>yes</quick>"), CALL, ARRIVES, "blocked"),
    pair(
        "filter/rule/direction",
        &[FLOATING, ("<!--floating-->", "<quick>yes</quick>"), ("<direction>in", "<direction>out")],
        ("<direction>out", "<direction>in"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/source",
        &[BLOCK],
        (
            "<source><any></any></source><destination><any></any></destination><!--block-->",
            "<destination><any></any></destination><!--block-->",
        ),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "filter/rule/source/any",
        &[
            BLOCK,
            (
                "<source><any></any></source><destination><any></any></destination><!--block-->",
                "<source><network>lan</network></source><destination><any></any></destination><!--block-->",
            ),
        ],
        (
            "<source><network>lan</network></source><destination><any></any></destination><!--block-->",
            "<source><any></any></source><destination><any></any></destination><!--block-->",
        ),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair("filter/rule/source/network", &[], ("<source><network>lan", "<source><network>opt1"), OUT, MOVED, "blocked"),
    pair(
        "filter/rule/source/address",
        &[("<source><network>lan</network>", "<source><address>server</address>")],
        ("<address>server", "<address>phones"),
        OUT,
        MOVED,
        "blocked",
    ),
    pair(
        "filter/rule/source/not",
        &[],
        ("<source><network>lan", "<source><not></not><network>lan"),
        OUT,
        MOVED,
        "blocked",
    ),
    pair(
        "filter/rule/source/port",
        &[BLOCK],
        (
            "<source><any></any></source><destination><any></any></destination><!--block-->",
            "<source><any></any><port>1-1000</port></source><destination><any></any></destination><!--block-->",
        ),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "filter/rule/destination",
        &[BLOCK],
        ("<destination><any></any></destination><!--block-->", "<!--block-->"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "filter/rule/destination/any",
        &[
            BLOCK,
            (
                "<destination><any></any></destination><!--block-->",
                "<destination><network>opt1</network></destination><!--block-->",
            ),
        ],
        ("<network>opt1</network></destination><!--block-->", "<any></any></destination><!--block-->"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/destination/network",
        &[
            BLOCK,
            (
                "<destination><any></any></destination><!--block-->",
                "<destination><network>opt1</network></destination><!--block-->",
            ),
        ],
        ("<network>opt1</network></destination><!--block-->", "<network>lan</network></destination><!--block-->"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/destination/address",
        &[],
        (TO_SERVER, "<destination><address>192.168.1.51</address><port>50000-50499"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/destination/not",
        &[],
        (TO_SERVER, "<destination><not></not><address>192.168.1.50</address><port>50000-50499"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/destination/port",
        &[],
        (TO_SERVER, "<destination><address>192.168.1.50</address><port>50001-50499"),
        CALL,
        ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/statetype",
        &[("<type>pass</type><interface>opt1", "<type>block</type><interface>opt1")],
        ("<!--lan rule-->", "<statetype>none</statetype>"),
        "udp 192.168.1.50:40000 > 192.168.20.7:5060",
        "192.168.20.7:5060 from 192.168.1.50:40000",
        "192.168.20.7:5060 from 192.168.1.50:40000, no answer",
    ),
    pair(
        "filter/rule/gateway",
        &[],
        ("<!--lan rule-->", "<gateway>LINE2GW</gateway>"),
        OUT,
        MOVED,
        "9.9.9.9:3478 from 198.51.100.5:chosen",
    ),
    pair(
        "filter/rule/disablereplyto",
        &[
            (
                "<rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp",
                "<rule><interface>opt2</interface><ipprotocol>inet</ipprotocol><protocol>udp",
            ),
            ("<network>wanip", "<network>opt2ip"),
            ("<type>pass</type><interface>wan", "<type>pass</type><interface>opt2"),
        ],
        ("<!--rule-->", "<disablereplyto></disablereplyto>"),
        "udp 9.9.9.9:40000 > 198.51.100.5:50000",
        ARRIVES,
        "192.168.1.50:50000 from 9.9.9.9:40000, no answer",
    ),
    pair(
        "filter/rule/sched",
        &[(
            "<!--schedules-->",
            "<schedule><name>office</name><timerange><position>1,2</position><hour>8:00-17:00</hour></timerange></schedule>",
        )],
        ("<!--rule-->", "<sched>office</sched>"),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair("filter/rule/max", &[], ("<!--rule-->", "<max>10</max>"), CALL, ARRIVES, MAYBE),
    pair("filter/rule/max-src-nodes", &[], ("<!--rule-->", "<max-src-nodes>10</max-src-nodes>"), CALL, ARRIVES, MAYBE),
    pair(
        "filter/rule/max-src-states",
        &[],
        ("<!--rule-->", "<max-src-states>10</max-src-states>"),
        CALL,
        ARRIVES,
        MAYBE,
    ),
    pair(
        "filter/rule/max-src-conn",
        &[],
        ("<!--tcp rule-->", "<max-src-conn>10</max-src-conn>"),
        TCP,
        TCP_ARRIVES,
        TCP_MAYBE,
    ),
    pair(
        "filter/rule/max-src-conn-rate",
        &[("<!--tcp rule-->", "<max-src-conn-rates>60</max-src-conn-rates>")],
        ("<!--tcp rule-->", "<max-src-conn-rate>10</max-src-conn-rate>"),
        TCP,
        TCP_ARRIVES,
        TCP_MAYBE,
    ),
    pair(
        "filter/rule/max-src-conn-rates",
        &[("<!--tcp rule-->", "<max-src-conn-rate>10</max-src-conn-rate>")],
        ("<!--tcp rule-->", "<max-src-conn-rates>60</max-src-conn-rates>"),
        TCP,
        TCP_ARRIVES,
        TCP_MAYBE,
    ),
    pair("filter/rule/os", &[], ("<!--tcp rule-->", "<os>Windows</os>"), TCP, TCP_ARRIVES, TCP_MAYBE),
    pair(
        "filter/rule/tag",
        &[TAGS, ("<!--rule-->", "<tagged>x</tagged>")],
        ("<!--tags-->", "<tag>x</tag>"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair("filter/rule/tagged", &[], ("<!--rule-->", "<tagged>x</tagged>"), CALL, ARRIVES, "blocked"),
    pair(
        "filter/rule/nottagged",
        &[("<!--rule-->", "<tagged>x</tagged>")],
        ("<!--rule-->", "<nottagged></nottagged>"),
        CALL,
        "blocked",
        ARRIVES,
    ),
    pair(
        "filter/rule/tcpflags1",
        &[("<!--tcp rule-->", "<tcpflags2>syn,ack</tcpflags2>")],
        ("<!--tcp rule-->", "<tcpflags1>syn</tcpflags1>"),
        TCP,
        "blocked",
        TCP_ARRIVES,
    ),
    pair(
        "filter/rule/tcpflags2",
        &[("<!--tcp rule-->", "<tcpflags1>syn,ack</tcpflags1>")],
        ("<!--tcp rule-->", "<tcpflags2>syn,ack</tcpflags2>"),
        TCP,
        TCP_ARRIVES,
        "blocked",
    ),
    pair(
        "filter/rule/tcpflags_any",
        &[("<!--tcp rule-->", "<tcpflags1>ack</tcpflags1><tcpflags2>syn,ack</tcpflags2>")],
        ("<!--tcp rule-->", "<tcpflags_any></tcpflags_any>"),
        TCP,
        "blocked",
        TCP_ARRIVES,
    ),
    pair("filter/rule/nat64", &[], ("<!--rule-->", "<nat64></nat64>"), CALL, ARRIVES, MAYBE),
    pair("filter/rule/dscp", &[], ("<!--rule-->", "<dscp>ef</dscp>"), CALL, ARRIVES, MAYBE),
    pair("filter/rule/vlanprio", &[], ("<!--rule-->", "<vlanprio>vi</vlanprio>"), CALL, ARRIVES, MAYBE),
    pair("filter/rule/srcmac", &[], ("<!--rule-->", "<srcmac>02:00:00:00:00:01</srcmac>"), CALL, ARRIVES, MAYBE),
    pair("filter/rule/dstmac", &[], ("<!--rule-->", "<dstmac>02:00:00:00:00:01</dstmac>"), CALL, ARRIVES, MAYBE),
];
