//! Bridges of a firewall: what members send to each other meets rules of members, of the bridge, or none, and who is on
//! which member stands in no file. Facts: `bridge_forward` and `bridge_pfil` of FreeBSD's `sys/net/if_bridge.c`; what
//! pfSense sets by itself is in `globals.inc` (2.9.0-DEVELOPMENT: `pfil_member` 1, `pfil_bridge` 0).

use crate::pfsense_fields::base::edited;
use callpath_core::check::analyze;
use callpath_core::report::{Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};

/// A firewall with three ports: a line, and two that a bridge joins; the bridge has the inner network.
const BASE: &str = "<?xml version='1.0'?>
<pfsense><version>24.0</version>
<system><disablenatreflection>yes</disablenatreflection></system>
<interfaces>
  <wan><enable></enable><if>em0</if><descr>WAN</descr><ipaddr>203.0.113.5</ipaddr><subnet>24</subnet><gateway>WANGW</gateway></wan>
  <lan><enable></enable><if>bridge0</if><descr>LAN</descr><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan>
  <opt1><enable></enable><if>em1</if><descr>WIRED</descr><!--opt1--></opt1>
  <opt2><enable></enable><if>em2</if><descr>RADIO</descr><!--opt2--></opt2>
</interfaces>
<bridges><bridged><members>opt1,opt2</members><bridgeif>bridge0</bridgeif><!--bridge--></bridged></bridges>
<gateways><gateway_item><interface>wan</interface><gateway>203.0.113.1</gateway><name>WANGW</name></gateway_item>
  <defaultgw4>WANGW</defaultgw4></gateways>
<nat>
  <rule><interface>wan</interface><protocol>tcp</protocol><source><any></any></source>
    <destination><network>wanip</network><port>443</port></destination><target>192.168.1.50</target>
    <local-port>443</local-port><associated-rule-id>pass</associated-rule-id><natreflection>purenat</natreflection></rule>
  <rule><interface>wan</interface><protocol>tcp</protocol><source><any></any></source>
    <destination><network>wanip</network><port>7881</port></destination><target>192.168.1.50</target>
    <local-port>7881</local-port><associated-rule-id>pass</associated-rule-id><natreflection>purenat</natreflection></rule>
  <rule><interface>wan</interface><protocol>udp</protocol><source><any></any></source>
    <destination><network>wanip</network><port>50000-60000</port></destination><target>192.168.1.50</target>
    <local-port>50000</local-port><associated-rule-id>pass</associated-rule-id><natreflection>purenat</natreflection></rule>
  <outbound><mode>hybrid</mode>
    <rule><interface>lan</interface><source><network>192.168.1.0/24</network></source>
      <destination><address>192.168.1.50</address></destination></rule></outbound>
</nat>
<filter>
  <rule><type>pass</type><interface>lan</interface><ipprotocol>inet</ipprotocol><source><network>lan</network></source>
    <destination><any></any></destination></rule><!--rules-->
</filter>
<!--sysctl--></pfsense>
";

const SITE: &str = "name = \"call.example.org\"
address = \"203.0.113.5\"
[[gateway]]
config = \"config.xml\"
[[deploy]]
system = \"livekit\"
host = \"192.168.1.50\"
";

/// Clients hear the server's own address, too.
const OWN: &str = "told = { lan = \"own\" }\n";

/// Tunables with their values.
type Tunables = &'static [(&'static str, &'static str)];

fn tunable(name: &str, value: &str) -> String {
    format!("<item><tunable>net.link.bridge.{name}</tunable><value>{value}</value></item>")
}

fn tunables(list: &[(&str, &str)]) -> String {
    let items: String = list.iter().map(|(n, v)| tunable(n, v)).collect();
    format!("<sysctl>{items}</sysctl><!--sysctl-->")
}

/// Everything may come in here.
fn open(interface: &str) -> String {
    format!(
        "<rule><type>pass</type><interface>{interface}</interface><ipprotocol>inet</ipprotocol>\
         <source><any></any></source><destination><any></any></destination></rule>"
    )
}

fn report(manifest: &str, xml: &str) -> Report {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let sources = [("callpath.toml", manifest), ("config.xml", xml)].iter().map(source).collect();
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

/// The verdict of a place: the worst of its paths.
fn of(report: &Report, place: &str) -> Verdict {
    let paths =
        report.paths.iter().filter(|p| p.vantage == place || p.vantage.to_string().starts_with(&format!("{place}:")));
    paths.map(|p| p.verdict).max().unwrap_or_else(|| panic!("no path from {place}: {:#?}", report.paths))
}

fn flat(report: &Report) -> String {
    text(report, Style { colour: false }).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Paths from inside, straight to the server: by whose rules they are decided.
#[test]
fn what_a_bridge_passes_on_meets_the_rules_that_the_tunables_name() {
    let both = open("opt1") + &open("opt2");
    let by_bridge: Tunables = &[("pfil_member", "0"), ("pfil_bridge", "1")];
    let nobody: Tunables = &[("pfil_member", "0")];
    // (rules, tunables, what comes of it, what the report says)
    let rows: &[(&str, Tunables, Verdict, &str)] = &[
        // Who is on which member is not known, nor whether both are on one.
        ("", &[], Verdict::Unknown, "whether those who talk are joined to different members of bridge0"),
        (&open("opt1"), &[], Verdict::Unknown, "by which member of bridge0 what it passes on comes in"),
        // All members let everything in: it does not matter.
        (&both, &[], Verdict::Works, ""),
        (&both, &[("pfil_member", "default")], Verdict::Works, ""),
        // No interface filters.
        ("", nobody, Verdict::Works, ""),
        // The bridge's own rules let its network do everything.
        ("", by_bridge, Verdict::Works, ""),
        (
            &both,
            &[("pfil_bridge", "1")],
            Verdict::Unknown,
            "what bridge0 passes on: its own rules and those of its members are asked",
        ),
        (
            &both,
            &[("pfil_local_phys", "1")],
            Verdict::Unknown,
            "which members of bridge0 let in what is for the firewall",
        ),
    ];
    for (rules, set, expected, says) in rows {
        let tunables = tunables(set);
        let xml = BASE.replace("<!--rules-->", rules).replace("<!--sysctl-->", &tunables);
        let report = report(&(SITE.to_owned() + OWN), &xml);
        assert_eq!(of(&report, "lan"), *expected, "{rules} {set:?}\n{}", text(&report, Style { colour: false }));
        assert!(flat(&report).contains(says), "{rules} {set:?}: {says}\n{}", text(&report, Style { colour: false }));
    }
}

/// Rules of the bridge that keep its members from each other are blamed.
#[test]
fn rules_of_the_bridge_itself_are_followed() {
    let block = "<rule><type>block</type><interface>lan</interface><ipprotocol>inet</ipprotocol><protocol>tcp/udp</protocol>\
                 <source><any></any></source><destination><address>192.168.1.50</address></destination></rule>";
    let first = "<filter>\n";
    let xml = BASE
        .replace(first, &format!("{first}{block}"))
        .replace("<!--sysctl-->", &tunables(&[("pfil_member", "0"), ("pfil_bridge", "1")]));
    let report = report(&(SITE.to_owned() + OWN), &xml);
    assert_ne!(of(&report, "lan"), Verdict::Works, "{}", flat(&report));
}

/// What goes by the firewall's own address meets the rules of the interface that has it, as ever: members are not asked.
#[test]
fn what_the_firewall_routes_does_not_meet_the_members() {
    let report = report(
        &(SITE.to_owned() + "told = { lan = \"public\", internet = \"public\" }\nclients = [\"internet\"]\n"),
        BASE,
    );
    assert_eq!(of(&report, "internet"), Verdict::Works, "{}", text(&report, Style { colour: false }));
}

/// Members that do not talk to each other.
#[test]
fn private_members_are_a_doubt() {
    let xml = edited(
        &BASE.replace("<!--rules-->", &(open("opt1") + &open("opt2"))),
        &[("<!--bridge-->", "<private>opt1,opt2</private>")],
    );
    let report = report(&(SITE.to_owned() + OWN), &xml);
    assert_eq!(of(&report, "lan"), Verdict::Unknown, "{}", flat(&report));
    assert!(flat(&report).contains("which members of bridge0 are private"), "{}", flat(&report));
}

/// Two networks on one bridge: nothing that comes in by either is known.
#[test]
fn two_networks_on_one_bridge_are_a_doubt() {
    for members in ["wan,lan", "lan,wan,opt1"] {
        let xml = BASE
            .replace("<if>bridge0</if>", "<if>em3</if>")
            .replace("<members>opt1,opt2", &format!("<members>{members}"));
        let report = report(&(SITE.to_owned() + "clients = [\"internet\"]\n"), &xml);
        assert_eq!(of(&report, "internet"), Verdict::Unknown, "{members}: {}", flat(&report));
        assert!(
            flat(&report).contains("WAN, LAN have networks of their own on it")
                || flat(&report).contains("LAN, WAN have networks of their own on it"),
            "{}",
            flat(&report)
        );
        assert!(!report.closed.iter().any(|c| c.ports == "tcp 7880"), "{members}: {:?}", report.closed);
    }
}

/// A filter between the provider's network and a server that has a public address: the bridge holds the line.
#[test]
fn a_server_behind_the_bridged_line_is_judged_by_the_rules() {
    let site = "name = \"call.example.org\"
address = \"203.0.113.20\"
[[gateway]]
config = \"config.xml\"
[[deploy]]
system = \"livekit\"
host = \"203.0.113.20\"
firewall = \"none\"
clients = [\"internet\"]
";
    let bridged = BASE.replace("<if>bridge0</if>", "<if>em3</if>").replace("<members>opt1,opt2", "<members>wan,opt1");
    // The outer member lets nothing in; callers come in by it, but no file says so.
    let closed = report(site, &bridged);
    assert_ne!(of(&closed, "internet"), Verdict::Works, "{}", flat(&closed));
    let opened = report(site, &bridged.replace("<!--rules-->", &(open("wan") + &open("opt1"))));
    assert_eq!(of(&opened, "internet"), Verdict::Works, "{}", text(&opened, Style { colour: false }));
    let half = report(site, &bridged.replace("<!--rules-->", &open("opt1")));
    assert_eq!(of(&half, "internet"), Verdict::Unknown, "{}", flat(&half));
}
