//! pf's firewalls: several addresses and lines, what leaves, lists and portals.

use super::{as_given, errors, finding, folder, judged, report, shown, snapshot, works};
use callpath_core::check::analyze;
use callpath_core::report::{Report, Verdict};
use std::path::Path;

/// The answer for a site with other words in its backup.
fn edited(site: &Path, edits: &[(&str, &str)]) -> Report {
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let mut all = snapshot(site, &manifest);
    let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
    for (from, to) in edits {
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replace(from, to);
    }
    analyze(&all).unwrap_or_else(|e| panic!("{}", e.message))
}

/// Several addresses of one network on one interface are usual: the second router of a pair, an address for a service.
#[test]
fn site_20_an_interface_has_two_addresses_of_one_network() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    works(&report(&site, "linux.toml", as_given));
    works(&report(&site, "callpath.toml", as_given));
    // The same with a wider network on the second, and with one on another interface that holds the host as well.
    works(&report(&site, "linux.toml", |t| t.replace("192.168.1.254/24", "192.168.0.254/16")));
    works(&report(&site, "linux.toml", |t| {
        t.replace("\"203.0.113.9/24\",", "\"203.0.113.9/24\", vpn = \"192.168.2.9/16\",")
    }));
    let twice = judged(&site, "linux.toml", |t| {
        t.replace("\"203.0.113.9/24\",", "\"203.0.113.9/24\", other = \"192.168.1.9/24\",")
    });
    let error = twice.expect_err("two interfaces with one network");
    assert!(error.message.contains("several interfaces"), "{}", error.message);
}

/// `(igb0:0)` is the first address of an interface: with and without it, and with a second address on the interface, of
/// which translation to `(igb0)` takes either.
#[test]
fn site_15_the_first_address_of_an_interface() {
    let Some(site) = folder("15-pf-interface-colon-zero") else { return };
    works(&report(&site, "callpath.toml", as_given));
    works(&report(&site, "callpath.toml", |t| {
        t.replace("\"203.0.113.4/24\"", "[\"203.0.113.4/24\", \"203.0.113.9/24\"]")
    }));
}

/// The pfSense of site 20 with its outbound translation missing, for the wrong interface, or not made for a LAN that has
/// a gateway, which pfSense takes for a line.
#[test]
fn site_20_without_outbound_translation() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let with = |edits: &[(&str, &str)]| edited(&site, edits);
    let missing = with(&[("<mode>automatic", "<mode>disabled")]);
    assert!(shown(finding(&missing, "outbound-nat-missing")).is_empty(), "no rule translates anything");
    assert!(finding(&missing, "outbound-nat-missing").verified, "a rule by hand cures it");
    let rule = "<mode>advanced</mode><rule><interface>lan</interface><source><network>192.168.1.0/24</network></source><destination><any></any></destination><descr>out</descr></rule>";
    let reversed = with(&[("<mode>automatic</mode>", rule)]);
    assert!(shown(finding(&reversed, "outbound-nat-missing"))[0].contains("<interface>lan</interface>"));
    assert!(finding(&reversed, "outbound-nat-missing").verified);
    let lan = with(&[
        (
            "<ipaddr>192.168.1.1</ipaddr><subnet>24</subnet>",
            "<ipaddr>192.168.1.1</ipaddr><subnet>24</subnet><gateway>LANGW</gateway>",
        ),
        (
            "<defaultgw4>",
            "<gateway_item><interface>lan</interface><gateway>192.168.1.2</gateway><name>LANGW</name><ipprotocol>inet</ipprotocol></gateway_item><defaultgw4>",
        ),
    ]);
    finding(&lan, "outbound-nat-missing");
    let refused = finding(&lan, "hairpin-missing").refused.as_deref().unwrap_or_default().to_owned();
    assert!(refused.contains("LAN has the gateway LANGW"), "{refused}");
    assert!(finding(&lan, "hairpin-missing").change.is_none() || !refused.is_empty());
}

/// A server whose packets pfSense gives another address than the one that is called: by a rule by hand, or by a 1:1
/// entry, which comes before all rules.
#[test]
fn site_20_with_another_outbound_address() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let with = |from: &str, to: &str, more: &str| {
        let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
        let mut all = snapshot(&site, &format!("{manifest}{more}"));
        let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
        assert!(file.text.contains(from), "{from}");
        let vip = "<virtualip><vip><mode>ipalias</mode><interface>wan</interface><type>single</type><subnet_bits>24</subnet_bits><subnet>203.0.113.77</subnet></vip>";
        file.text = file.text.replacen(from, to, 1).replacen("<virtualip>", vip, 1);
        analyze(&all).unwrap_or_else(|e| panic!("{}", e.message))
    };
    let rule = "<mode>hybrid</mode><rule><interface>wan</interface><ipprotocol>inet</ipprotocol><source><network>192.168.1.50/32</network></source><destination><any></any></destination><target>203.0.113.77</target><target_subnet>32</target_subnet><descr>out</descr></rule>";
    let (from, told) = ("<mode>automatic</mode>", "told = { internet = \"public\" }\n");
    let other = with(from, rule, "");
    assert_ne!(other.verdict, Verdict::Works, "{}", other.headline);
    assert_eq!(errors(&other), ["outbound-nat-missing"]);
    assert!(finding(&other, "outbound-nat-missing").verified, "{:?}", finding(&other, "outbound-nat-missing"));
    works(&with(from, rule, told));
    let entry = "<nat><onetoone><interface>wan</interface><external>203.0.113.77</external><source><address>192.168.1.50</address></source><destination><any></any></destination><descr>one</descr></onetoone>";
    let one = with("<nat>", entry, "");
    assert_ne!(one.verdict, Verdict::Works, "{}", one.headline);
    let refused = finding(&one, "outbound-nat-missing").refused.as_deref().unwrap_or_default().to_owned();
    assert!(refused.contains("before any outbound rule"), "{refused} {:?}", one.findings);
    works(&with("<nat>", entry, told));
}

/// Of a list that the firewall loads it is an exception that it blocks, and a doubt that it lets in. Who has signed in at
/// a captive portal is not known, which concerns its network alone.
#[test]
fn site_20_with_lists_and_with_a_captive_portal() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let with = |edits: &[(&str, &str)]| edited(&site, edits);
    let list = "<aliases><alias><name>pfB_Europe</name><type>urltable</type><url>https://127.0.0.1/x</url></alias></aliases></pfsense>";
    let block = "<filter><rule><type>block</type><interface>wan</interface><ipprotocol>inet</ipprotocol><source><address>pfB_Europe</address></source><destination><any></any></destination></rule>";
    let blocks = with(&[("</pfsense>", list), ("<filter>", block)]);
    works(&blocks);
    assert!(blocks.headline.ends_with("except for addresses on pfB_Europe"), "{}", blocks.headline);
    let only = "<source><address>pfB_Europe</address></source><interface>wan";
    let lets_in = with(&[("</pfsense>", list), ("<source><any></any></source><interface>wan", only)]);
    assert_eq!(lets_in.verdict, Verdict::Unknown, "{}", lets_in.headline);
    let portal =
        "<captiveportal><guests><enable></enable><interface>opt1</interface></guests></captiveportal></pfsense>";
    let portal = with(&[("</pfsense>", portal)]);
    let unknown: Vec<String> =
        portal.paths.iter().filter(|p| p.verdict == Verdict::Unknown).map(|p| p.vantage.to_string()).collect();
    assert!(!unknown.is_empty() && unknown.iter().all(|p| *p == "net:GUEST"), "{unknown:?}");
}

/// Two lines by DHCP, the name on the second: asked for, and right once it is stated.
#[test]
fn site_20_with_the_name_on_the_second_of_two_leased_lines() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let with = |manifest: &str| {
        let mut all = snapshot(&site, manifest);
        let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
        let gateways = file.text.split_once("<gateways>").and_then(|(_, t)| t.split_once("</gateways>"));
        let gateways = gateways.expect("gateways").0.to_owned();
        file.text = file
            .text
            .replace(&gateways, "")
            .replace("<ipaddr>203.0.113.5</ipaddr><subnet>24</subnet><gateway>WANGW</gateway>", "<ipaddr>dhcp</ipaddr>")
            .replace(
                "</opt1>",
                "</opt1><opt2><enable></enable><if>igc3</if><descr>LINE2</descr><ipaddr>dhcp</ipaddr></opt2>",
            )
            .replace("<network>wanip</network>", "<network>opt2ip</network>")
            .replace("<interface>wan</interface>", "<interface>opt2</interface>");
        analyze(&all)
    };
    let asked = with(&manifest).expect_err("nothing says which line it is");
    assert!(asked.message.contains("WAN (igc0) or LINE2 (igc3)"), "{}", asked.message);
    assert!(asked.help.contains("interfaces = "), "{}", asked.help);
    let both = "interfaces = { igc0 = \"198.51.100.9/24\", igc3 = \"203.0.113.5/24\" }\n[[deploy]]";
    // What the server asks outside leaves by the first line: which address it tells is asked for, too.
    let stated = with(&manifest.replace("[[deploy]]", both)).expect("an answer");
    assert_eq!(stated.verdict, Verdict::Unknown, "{}", stated.headline);
    let told = |manifest: &str| format!("{manifest}\ntold = {{ internet = \"public\" }}\n");
    let stated = with(&told(&manifest.replace("[[deploy]]", both))).expect("an answer");
    works(&stated);
    assert!(
        !stated.assumptions.iter().any(|a| a.contains("LINE2 of pfSense is another line")),
        "{:?}",
        stated.assumptions
    );
}
