//! What a server sends out: with which address it comes to the internet, and where that matters.

use callpath_core::check::analyze;
use callpath_core::finding::Severity;
use callpath_core::report::{Finding, Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};

const ROUTER: &str = "table inet f {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 203.0.113.9 tcp dport { 443, 7881 } dnat ip to 192.168.1.50
		ip daddr 203.0.113.9 udp dport 50000-60000 dnat ip to 192.168.1.50
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		%OUT
	}
}
";

fn report(system: &str, out: &str, more: &str) -> Report {
    with(system, out, more, "", |text| text)
}

/// The same with more lines in the `[[deploy]]` table, and with another manifest.
fn with(system: &str, out: &str, more: &str, deploy: &str, change: impl Fn(String) -> String) -> Report {
    let manifest = format!(
        "address = \"203.0.113.9\"\n{more}\n[[gateway]]\nlabel = \"router\"\nconfig = \"router.nft\"\n\
         interfaces = {{ wan = [\"203.0.113.9/24\", \"203.0.113.10/24\"], lan = \"192.168.1.1/24\" }}\n\
         routes = [\"default via 203.0.113.1\"]\n[[deploy]]\nsystem = \"{system}\"\nhost = \"192.168.1.50\"\n\
         clients = [\"internet\"]\n{deploy}\n"
    );
    let manifest = change(manifest);
    let source = |name: &str, text: String| Source { name: name.to_owned(), text };
    let sources = vec![source("callpath.toml", manifest), source("router.nft", ROUTER.replace("%OUT", out))];
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn shown(report: &Report) -> String {
    text(report, Style { colour: false }).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn missing(report: &Report) -> Option<&Finding> {
    report.findings.iter().find(|f| f.code == "outbound-nat-missing")
}

const RIGHT: &str = "oifname \"wan\" snat ip to 203.0.113.9";
const OTHER: &str = "oifname \"wan\" snat ip to 203.0.113.10";
const ELSEWHERE: &str = "oifname \"vpn\" snat ip to 203.0.113.9";
const TRUNK: &str = "[[peer]]\nname = \"trunk\"\naddress = \"192.0.2.7\"\nuses = [\"sip-udp\"]";

/// Callers from the internet whose media does not come in firmly, and all verdicts of the place.
fn internet(report: &Report) -> Vec<Verdict> {
    report.paths.iter().filter(|p| p.vantage == "internet").map(|p| p.verdict).collect()
}

/// A product that learns its address by asking outside tells callers what the internet sees, where no forward stands:
/// that is one cause, with a change that translates to the address that is meant. What it tells may be stated.
#[test]
fn a_product_that_learns_another_address_tells_that_one() {
    let right = report("livekit", RIGHT, "");
    assert!(missing(&right).is_none() && right.verdict == Verdict::Works, "{}", shown(&right));
    let other = report("livekit", OTHER, "");
    assert_ne!(other.verdict, Verdict::Works, "{}", shown(&other));
    assert!(shown(&other).contains("tells clients 203.0.113.10, which a STUN server sees"), "{}", shown(&other));
    assert!(internet(&other).contains(&Verdict::Fails), "{}", shown(&other));
    let codes: Vec<&str> = other.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
    assert_eq!(codes, ["outbound-nat-missing"], "{}", shown(&other));
    let finding = missing(&other).unwrap_or_else(|| panic!("{}", shown(&other)));
    assert!(finding.message.contains("leaves as 203.0.113.10, and not as 203.0.113.9"), "{}", finding.message);
    assert!(finding.because.contains("tells callers that address"), "{}", finding.because);
    assert!(finding.verified, "{}", shown(&other));
    let line = "oifname \"wan\" ip saddr 192.168.1.50 snat ip to 203.0.113.9";
    assert!(shown(&other).contains(line), "{}", shown(&other));
    // Without a setting that asks outside, or with the address stated, the forwards are where media goes.
    for fixed in
        ["off = [\"external-ip\"]", "told = { internet = \"public\" }", "told = { internet = \"203.0.113.9\" }"]
    {
        let set = with("livekit", OTHER, "", fixed, |t| t);
        assert_eq!(set.verdict, Verdict::Works, "{fixed}: {}", shown(&set));
    }
    // The wrong address, stated, is no fault of the translation.
    let wrong = with("livekit", RIGHT, "", "told = { internet = \"203.0.113.10\" }", |t| t);
    assert!(wrong.verdict == Verdict::Fails && missing(&wrong).is_none(), "{}", shown(&wrong));
    // Stated as learned, whatever the product.
    let stun = with("reflector", OTHER, "", "told = { internet = \"stun\" }", |t| t);
    assert!(internet(&stun).iter().any(|v| *v != Verdict::Works), "{}", shown(&stun));
    assert!(missing(&stun).is_some(), "{}", shown(&stun));
}

/// One of several addresses, drawn for each connection, is no answer to rely on.
#[test]
fn a_pool_of_addresses_leaves_open_what_is_told() {
    let pool = "oifname \"wan\" snat ip to 203.0.113.9-203.0.113.10";
    let open = report("livekit", pool, "");
    assert_eq!(open.verdict, Verdict::Unknown, "{}", shown(&open));
    assert!(shown(&open).contains("which address a STUN server sees"), "{}", shown(&open));
    assert_eq!(with("livekit", pool, "", "told = { internet = \"public\" }", |t| t).verdict, Verdict::Works);
}

/// A second line of the same router by which the server leaves: by a policy route, or because it holds the default
/// route.
#[test]
fn a_server_that_leaves_by_another_line_learns_that_one() {
    let both = |out: &str| format!("oifname {{ \"wan\", \"wan2\" }} {out}");
    let lines = |t: String, routes: &str| {
        t.replace("lan = ", "wan2 = \"198.51.100.2/24\", lan = ")
            .replace("routes = [\"default via 203.0.113.1\"]", &format!("wan = \"203.0.113.9\"\nroutes = {routes}"))
    };
    // Answers go back by the line of the question.
    let routes = "[\"default via 198.51.100.1\"]";
    let default = with("livekit", &both("masquerade"), "", "", |t| lines(t, routes));
    assert!(internet(&default).iter().all(|v| *v != Verdict::Works), "{}", shown(&default));
    let only_out = with("livekit", &both("masquerade"), "", "told = { internet = \"stun\" }", |t| lines(t, routes));
    assert!(internet(&only_out).iter().all(|v| *v != Verdict::Works), "{}", shown(&only_out));
}

/// Nothing translates what leaves: found for products that ask nothing outside too, with what comes of it.
#[test]
fn a_private_source_is_found_for_every_product() {
    for system in ["livekit", "spokes", "reflector", "plugnmeet", "nethvoice"] {
        let found = report(system, ELSEWHERE, "");
        let finding = missing(&found).unwrap_or_else(|| panic!("{system}: {}", shown(&found)));
        assert!(matches!(finding.severity, Severity::Error | Severity::Warning));
        assert!(missing(&report(system, RIGHT, "")).is_none(), "{system}");
    }
}

/// Another public address does not matter to callers with ICE, and does to phones and trunks.
#[test]
fn another_public_address_is_found_where_it_matters() {
    assert!(missing(&report("reflector", OTHER, "")).is_none());
    for peers in ["", TRUNK] {
        let found = report("nethvoice", OTHER, peers);
        let finding = missing(&found).unwrap_or_else(|| panic!("{}", shown(&found)));
        let who = if peers.is_empty() { "phones get media" } else { "trunk gets what" };
        assert!(finding.because.contains(who), "{}", finding.because);
    }
}

/// A pfSense that forwards what a media server needs, with outbound translation by hand.
fn by_hand(outbound: &str) -> Report {
    let forward = |proto: &str, ports: &str| {
        let first = ports.split('-').next().unwrap_or_default();
        format!(
            "<rule><source><any></any></source><destination><network>wanip</network><port>{ports}</port></destination><protocol>{proto}</protocol><target>192.168.1.50</target><local-port>{first}</local-port><interface>wan</interface><descr>a</descr><associated-rule-id>pass</associated-rule-id></rule>"
        )
    };
    let forwards = [("tcp", "443"), ("tcp", "7881"), ("udp", "50000-60000")].map(|(p, n)| forward(p, n)).concat();
    let backup = format!(
        "<?xml version=\"1.0\"?><pfsense><version>24.0</version><system></system>\
         <interfaces><wan><enable></enable><if>igc0</if><descr>WAN</descr><ipaddr>203.0.113.9</ipaddr><subnet>24</subnet><gateway>GW</gateway></wan>\
         <lan><enable></enable><if>igc1</if><descr>LAN</descr><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan></interfaces>\
         <gateways><gateway_item><interface>wan</interface><gateway>203.0.113.1</gateway><name>GW</name><ipprotocol>inet</ipprotocol></gateway_item><defaultgw4>GW</defaultgw4></gateways>\
         <virtualip><vip><mode>ipalias</mode><interface>wan</interface><type>single</type><subnet>203.0.113.10</subnet><subnet_bits>24</subnet_bits></vip></virtualip>\
         <nat><outbound>{outbound}</outbound>{forwards}</nat>\
         <filter><rule><type>pass</type><interface>lan</interface><ipprotocol>inet</ipprotocol><source><network>lan</network></source><destination><any></any></destination></rule></filter></pfsense>"
    );
    let manifest = "address = \"203.0.113.9\"\n[[gateway]]\nconfig = \"config.xml\"\n[[deploy]]\nsystem = \"livekit\"\n\
         host = \"192.168.1.50\"\nclients = [\"internet\"]\n";
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let sources = vec![source("callpath.toml", manifest), source("config.xml", &backup)];
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn rule(interface: &str, source: &str, more: &str) -> String {
    format!(
        "<rule><interface>{interface}</interface><ipprotocol>inet</ipprotocol><source><network>{source}</network></source><destination><any></any></destination>{more}<descr>by hand</descr></rule>"
    )
}

/// Each mode and rule of pfSense's outbound page that leaves the server's source as it is, or gives it another address;
/// and the nearest that does not.
#[test]
fn pfsense_by_hand() {
    let manual = |rules: &str| format!("<mode>advanced</mode>{rules}");
    let (lan, other) = ("192.168.1.0/24", "<target>203.0.113.10</target><target_subnet>32</target_subnet>");
    let right = [
        "<mode>automatic</mode>".to_owned(),
        manual(&rule("wan", lan, "")),
        manual(&rule("wan", "any", "")),
        manual(&(rule("wan", "192.168.1.60/32", other) + &rule("wan", lan, ""))),
        format!("<mode>hybrid</mode>{}", rule("wan", "192.168.1.60/32", other)),
        format!("<mode>automatic</mode>{}", rule("wan", lan, other)),
    ];
    for outbound in right {
        let found = by_hand(&outbound);
        assert_eq!(found.verdict, Verdict::Works, "{outbound}: {}", shown(&found));
        assert!(missing(&found).is_none(), "{outbound}");
    }
    let wrong = [
        "<mode>disabled</mode>".to_owned(),
        manual(""),
        manual(&rule("lan", lan, "")),
        manual(&rule("wan", "192.168.20.0/24", "")),
        manual(&rule("wan", lan, "<nonat></nonat>")),
        manual(&rule("wan", lan, "<disabled></disabled>")),
        manual(&rule("wan", lan, other)),
        format!("<mode>hybrid</mode>{}", rule("wan", "192.168.1.50/32", other)),
    ];
    for outbound in wrong {
        let found = by_hand(&outbound);
        assert_ne!(found.verdict, Verdict::Works, "{outbound}: {}", shown(&found));
        let finding = missing(&found).unwrap_or_else(|| panic!("{outbound}: {}", shown(&found)));
        assert!(finding.verified, "{outbound}: {:?} {}", finding.refused, shown(&found));
        assert!(shown(&found).contains("Firewall > NAT > Outbound, Add (to the top of the list)"), "{outbound}");
    }
}
