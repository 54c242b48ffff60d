//! The standard situations in a backup.

use crate::dialect::standard::Situation::{
    BlockedFirst, NoForward, NoHairpin, NoSourceNat, RangeCut, Unread, WrongTarget,
};
use crate::dialect::standard::Standard;

/// A backup with one forward for each row, reflected.
fn backup() -> String {
    let forward = |proto: &str, ports: &str, id: &str| {
        let local = ports.split('-').next().unwrap_or(ports);
        format!(
            "\t\t<rule>\n\t\t\t<source><any></any></source>\n\t\t\t<destination><network>wanip</network><port>{ports}</port></destination>\n\
             \t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>{proto}</protocol>\n\t\t\t<target>192.168.1.50</target>\n\
             \t\t\t<local-port>{local}</local-port>\n\t\t\t<interface>wan</interface>\n\t\t\t<descr><![CDATA[{id}]]></descr>\n\
             \t\t\t<natreflection>purenat</natreflection>\n\t\t\t<associated-rule-id>nat_{id}</associated-rule-id>\n\t\t</rule>\n"
        )
    };
    let pass = |proto: &str, ports: &str, id: &str, n: usize| {
        format!(
            "\t\t<rule>\n\t\t\t<type>pass</type>\n\t\t\t<interface>wan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\
             \t\t\t<protocol>{proto}</protocol>\n\t\t\t<source><any></any></source>\n\
             \t\t\t<destination><address>192.168.1.50</address><port>{ports}</port></destination>\n\
             \t\t\t<associated-rule-id>nat_{id}</associated-rule-id>\n\t\t\t<descr><![CDATA[NAT {id}]]></descr>\n\
             \t\t\t<tracker>175650000{n}</tracker>\n\t\t</rule>\n"
        )
    };
    let rows = [("udp", "50000-60000", "media"), ("tcp", "443", "pages"), ("tcp", "7881", "fallback")];
    let forwards: String = rows.iter().map(|(proto, ports, id)| forward(proto, ports, id)).collect();
    let passes: String = rows.iter().enumerate().map(|(n, (proto, ports, id))| pass(proto, ports, id, n)).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<pfsense>\n\t<version>24.0</version>\n\t<system>\n\t\t<enablenatreflectionhelper>yes</enablenatreflectionhelper>\n\
         \t</system>\n\t<interfaces>\n\t\t<wan>\n\t\t\t<enable></enable>\n\t\t\t<if>wan</if>\n\t\t\t<descr><![CDATA[WAN]]></descr>\n\
         \t\t\t<ipaddr>203.0.113.5</ipaddr>\n\t\t\t<subnet>24</subnet>\n\t\t\t<gateway>WANGW</gateway>\n\t\t</wan>\n\
         \t\t<lan>\n\t\t\t<enable></enable>\n\t\t\t<if>lan</if>\n\t\t\t<descr><![CDATA[LAN]]></descr>\n\
         \t\t\t<ipaddr>192.168.1.1</ipaddr>\n\t\t\t<subnet>24</subnet>\n\t\t</lan>\n\t</interfaces>\n\
         \t<gateways>\n\t\t<gateway_item>\n\t\t\t<interface>wan</interface>\n\t\t\t<gateway>203.0.113.1</gateway>\n\t\t\t<name>WANGW</name>\n\
         \t\t\t<ipprotocol>inet</ipprotocol>\n\t\t</gateway_item>\n\t\t<defaultgw4>WANGW</defaultgw4>\n\t</gateways>\n\
         \t<nat>\n\t\t<outbound>\n\t\t\t<mode>automatic</mode>\n\t\t</outbound>\n{forwards}\t</nat>\n\t<filter>\n{passes}\
         \t\t<rule>\n\t\t\t<type>pass</type>\n\t\t\t<interface>lan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\
         \t\t\t<source><network>lan</network></source>\n\t\t\t<destination><any></any></destination>\n\
         \t\t\t<descr><![CDATA[lan]]></descr>\n\t\t\t<tracker>1756500009</tracker>\n\t\t</rule>\n\t</filter>\n</pfsense>\n"
    )
}

/// A router in which everything works, and what may be wrong with it.
pub(super) fn standard() -> Standard {
    Standard {
        gateway: "",
        open: backup(),
        situations: vec![
            (
                NoForward,
                "<descr><![CDATA[media]]></descr>\n",
                "<descr><![CDATA[media]]></descr>\n\t\t\t<disabled></disabled>\n",
            ),
            (
                WrongTarget,
                "<target>192.168.1.50</target>\n\t\t\t<local-port>50000",
                "<target>192.168.1.51</target>\n\t\t\t<local-port>50000",
            ),
            (
                BlockedFirst,
                "\t<filter>\n",
                "\t<filter>\n\t\t<rule>\n\t\t\t<type>block</type>\n\t\t\t<interface>wan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<source><any></any></source>\n\t\t\t<destination><any></any></destination>\n\t\t\t<descr><![CDATA[no UDP]]></descr>\n\t\t\t<tracker>1756500010</tracker>\n\t\t</rule>\n",
            ),
            (
                NoHairpin,
                "<descr><![CDATA[media]]></descr>\n\t\t\t<natreflection>purenat</natreflection>\n",
                "<descr><![CDATA[media]]></descr>\n\t\t\t<natreflection>disable</natreflection>\n",
            ),
            (NoSourceNat, "\t\t<enablenatreflectionhelper>yes</enablenatreflectionhelper>\n", ""),
            (
                RangeCut,
                "<network>wanip</network><port>50000-60000</port>",
                "<network>wanip</network><port>50000-55000</port>",
            ),
            (Unread, "\t<nat>\n", "\t<aliases><alias><type>host</type></alias></aliases>\n\t<nat>\n"),
        ],
        // Another target takes from the host that has it now: that change stands apart.
        cures: &[NoForward, BlockedFirst, NoHairpin, NoSourceNat, RangeCut],
    }
}
