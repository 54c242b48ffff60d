//! A reverse proxy before a product's pages: the forward that is missing before it, by another port outside, and
//! programs of the firewall itself that take what is meant for it.

use callpath_core::check::changes;
use callpath_core::report::{Finding, Report, Severity, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};
use std::path::Path;

/// The patches as text, and the report.
fn judge(manifest: &str, files: &[(&str, &str)]) -> (String, Report) {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let sources = [&[("callpath.toml", manifest)], files].concat().iter().map(source).collect();
    let (patches, report) = changes(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})\n{manifest}", e.message, e.help, e.at));
    (format!("{patches:?}"), report)
}

fn shown(report: &Report) -> String {
    text(report, Style { colour: false }).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn only_error(report: &Report) -> &Finding {
    let errors: Vec<&Finding> = report.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{}", shown(report));
    errors[0]
}

const RULES: &str = "table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		ip daddr 203.0.113.5 tcp dport 7881 dnat to 192.168.1.50
		# here
	}
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
		ct status dnat masquerade
	}
}
table ip filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established accept
		iifname \"lan0\" accept
		ip daddr 192.168.1.50 udp dport 50000-60000 accept
		ip daddr 192.168.1.50 tcp dport 7881 accept
	}
}
";

const READ: &str = "config = \"r.nft\"\ninterfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }\nroutes = [\"default dev wan0\"]";
const STATED: &str =
    "label = \"box\"\ninside = \"192.168.1.1/24\"\nhairpin = true\nforwards = [\"udp/50000-60000\", \"tcp/7881\"]";

fn site(gateway: &str, proxy: &str) -> String {
    format!(
        "address = \"203.0.113.5\"\n[[gateway]]\n{gateway}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n\
         proxy = {proxy}\n"
    )
}

/// Where the proxy is, and what is changed for it: outside another port than inside.
const PROXIES: [(&str, &str, &str); 3] = [
    ("{ at = \"192.168.1.60:443\", outer = 8443 }", "192.168.1.60:443", "192.168.1.60 tcp dport 443"),
    ("{ at = \"192.168.1.50:4443\", outer = 8443 }", "192.168.1.50:4443", "192.168.1.50 tcp dport 4443"),
    ("{ outer = 8443 }", "192.168.1.50:443", "192.168.1.50 tcp dport 443"),
];

#[test]
fn a_missing_forward_of_another_outer_port_is_printed() {
    for (proxy, to, passes) in PROXIES {
        let (patches, found) = judge(&site(READ, proxy), &[("r.nft", RULES)]);
        assert_eq!(found.verdict, Verdict::Fails, "{proxy}: {}", shown(&found));
        assert!(only_error(&found).verified, "{proxy}: {}", shown(&found));
        assert!(patches.contains(&format!("tcp dport 8443 dnat to {to}")), "{proxy}: {patches}");
        assert!(patches.contains(&format!("ip daddr {passes} accept")), "{proxy}: {patches}");
        // The one that is there leads to another port: it is ours, and changed.
        let near = RULES.replace("# here", "ip daddr 203.0.113.5 tcp dport 8443 dnat to 192.168.1.70:8443");
        let (_, other) = judge(&site(READ, proxy), &[("r.nft", &near)]);
        assert_ne!(other.verdict, Verdict::Works, "{proxy}: {}", shown(&other));
        // A box that is stated gets it as a line of `forwards`.
        let (patches, stated) = judge(&site(STATED, proxy), &[]);
        assert!(only_error(&stated).verified, "{proxy}: {}", shown(&stated));
        assert!(patches.contains(&format!("tcp/8443 to {to}")), "{proxy}: {patches}");
        assert!(shown(&stated).contains(&format!("port {} inside", to.split_once(':').expect("a port").1)));
    }
    // The proxy's own port is not stated: what would be forwarded is not known.
    let (patches, open) = judge(&site(READ, "{ at = \"192.168.1.60\", outer = 8443 }"), &[("r.nft", RULES)]);
    assert!(!patches.contains("8443"), "{patches}");
    assert!(only_error(&open).change.is_none(), "{}", shown(&open));
}

/// A forward of pages from the port that people type to another one of the server is needed, whatever says which it is.
#[test]
fn pages_by_another_port_are_no_more_than_needed() {
    let rules = RULES
        .replace("# here", "ip daddr 203.0.113.5 tcp dport 8443 dnat to 192.168.1.50:443")
        .replace("tcp dport 7881 accept", "tcp dport { 443, 7881 } accept");
    for stated in ["with = { https = 8443 }", "proxy = { at = \"192.168.1.50:443\", outer = 8443 }"] {
        let manifest = site(READ, "1").replace("proxy = 1", stated);
        let (_, found) = judge(&manifest, &[("r.nft", &rules)]);
        assert_eq!(found.verdict, Verdict::Works, "{stated}: {}", shown(&found));
        assert!(found.exposures.is_empty() && found.findings.is_empty(), "{stated}: {}", shown(&found));
    }
    // A port outside that no page has is not needed.
    let manifest = site(READ, "1").replace("proxy = 1", "with = { https = 8443 }");
    let (_, wide) = judge(&manifest, &[("r.nft", &rules.replace("dport 8443", "dport 8443-8444"))]);
    let shown_of: Vec<String> = wide.exposures.iter().map(|e| e.outside.to_string()).collect();
    assert_eq!(shown_of, ["tcp 8444"], "{}", shown(&wide));
}

fn pfsense() -> String {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/reflector/pfsense/config.xml");
    std::fs::read_to_string(example).expect("the example")
}

fn reflector(proxy: &str) -> String {
    format!(
        "name = \"reflector.example.org\"\naddress = \"203.0.113.5\"\n[[gateway]]\nconfig = \"config.xml\"\nwan = \"203.0.113.5\"\n\
         [[deploy]]\nsystem = \"reflector\"\nmode = \"caddy\"\nhost = \"192.168.1.60\"\n{proxy}\n"
    )
}

#[test]
fn pfsense_gets_a_forward_of_another_outer_port() {
    let (_, found) = judge(&reflector("proxy = { outer = 8443 }"), &[("config.xml", &pfsense())]);
    let finding = only_error(&found);
    assert!(finding.verified, "{}", shown(&found));
    let text = shown(&found);
    assert!(text.contains("Destination port range: 8443 to 8443"), "{text}");
    assert!(text.contains("Redirect target port: 443"), "{text}");
    // A forward that keeps the port is made to change it.
    let kept = pfsense().replacen("<port>443</port>", "<port>8443</port>", 1).replacen(
        "<local-port>443</local-port>",
        "<local-port>8443</local-port>",
        1,
    );
    let (_, found) = judge(&reflector("proxy = { at = \"192.168.1.60:443\", outer = 8443 }"), &[("config.xml", &kept)]);
    let finding = only_error(&found);
    assert_eq!(finding.code, "range-shifted");
    // What answered there, for people at home, is taken from them: that is said.
    assert!(finding.apart.as_ref().is_some_and(|c| !c.takes.is_empty()), "{}", shown(&found));
    assert!(shown(&found).contains("Redirect target port: 443"), "{}", shown(&found));
}

/// `HAProxy` of the firewall itself, with frontends on these ports.
fn haproxy(enable: &str, ports: &[&str], text: &str) -> String {
    let items = ports
        .iter()
        .map(|p| format!("<item><status>active</status><a_extaddr><item><extaddr>wan_ipv4</extaddr><extaddr_port>{p}</extaddr_port></item></a_extaddr></item>"))
        .collect::<Vec<_>>()
        .concat();
    let package = "<package><name>haproxy</name><internal_name>haproxy</internal_name></package>";
    let settings = format!("<haproxy><enable>{enable}</enable><ha_backends>{items}</ha_backends></haproxy>");
    text.replacen("</pfsense>", &format!("<installedpackages>{package}{settings}</installedpackages></pfsense>"), 1)
}

/// The example without its forwards of pages, with a rule that lets pages in to the firewall itself.
fn at_the_gateway(let_in: bool) -> String {
    let mut text = pfsense();
    for port in ["443", "80"] {
        let at = text.find(&format!("<port>{port}</port>")).expect("the forward");
        let start = text[..at].rfind("<rule>").expect("its start");
        let end = start + text[start..].find("</rule>").expect("its end") + "</rule>".len();
        text.replace_range(start..end, "");
    }
    let pass = "<filter><rule><type>pass</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><any></any></source><destination><network>wanip</network><port>443</port></destination></rule><rule><type>pass</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><any></any></source><destination><network>wanip</network><port>80</port></destination></rule>";
    if let_in { text.replacen("<filter>", pass, 1) } else { text }
}

#[test]
fn a_proxy_on_the_firewall_that_is_stated_is_followed_and_one_that_is_not_is_asked_about() {
    let rules = haproxy("yes", &["443", "80"], &at_the_gateway(true));
    let (_, stated) = judge(&reflector("proxy = \"gateway\""), &[("config.xml", &rules)]);
    assert_eq!(stated.verdict, Verdict::Works, "{}", shown(&stated));
    assert!(shown(&stated).contains("answered by a proxy on pfSense itself"), "{}", shown(&stated));
    assert!(stated.not_judged.iter().any(|n| n.contains("how pfSense passes pages and signalling on")));
    // Not stated: it is asked about, by name.
    let (_, asked) = judge(&reflector(""), &[("config.xml", &rules)]);
    assert_eq!(asked.verdict, Verdict::Unknown, "{}", shown(&asked));
    assert!(
        shown(&asked).contains("where haproxy passes on what it takes on the firewall itself"),
        "{}",
        shown(&asked)
    );
    assert!(shown(&asked).contains("proxy = \"gateway\""), "{}", shown(&asked));
    // Stated, but the firewall lets nothing in to itself: that is the cause, whatever listens there.
    let closed = haproxy("yes", &["443", "80"], &at_the_gateway(false));
    let (_, found) = judge(&reflector("proxy = \"gateway\""), &[("config.xml", &closed)]);
    assert_eq!(found.verdict, Verdict::Fails, "{}", shown(&found));
    assert_eq!(only_error(&found).code, "filter-missing", "{}", shown(&found));
    // What it takes on other ports is no page: it may lead to what must stay closed.
    let redis =
        at_the_gateway(true).replace("<port>80</port></destination></rule>", "<port>6379</port></destination></rule>");
    let redis = haproxy("yes", &["443", "6379"], &redis);
    let (_, open) = judge(&reflector("proxy = \"gateway\""), &[("config.xml", &redis)]);
    assert!(!open.closed.iter().any(|c| c.ports == "tcp 6379"), "{}", shown(&open));
    // Switched off, it takes nothing.
    let off = haproxy("no", &["443", "80"], &pfsense());
    let (_, off) = judge(&reflector(""), &[("config.xml", &off)]);
    assert_eq!(off.verdict, Verdict::Works, "{}", shown(&off));
}
