//! What a server sends out: with which address it comes to the internet, and where that matters.

use callpath_core::call::analyze;
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
    let manifest = format!(
        "address = \"203.0.113.9\"\n{more}\n[[gateway]]\nlabel = \"router\"\nconfig = \"router.nft\"\n\
         interfaces = {{ wan = [\"203.0.113.9/24\", \"203.0.113.10/24\"], lan = \"192.168.1.1/24\" }}\n\
         routes = [\"default via 203.0.113.1\"]\n[[deploy]]\nsystem = \"{system}\"\nhost = \"192.168.1.50\"\n\
         clients = [\"internet\"]\n"
    );
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

/// A product that learns its address by asking outside tells callers what the internet sees, not what is forwarded.
#[test]
fn a_product_that_learns_another_address_tells_that_one() {
    let right = report("livekit", RIGHT, "");
    assert!(missing(&right).is_none() && right.verdict == Verdict::Works, "{}", shown(&right));
    let other = report("livekit", OTHER, "");
    let finding = missing(&other).unwrap_or_else(|| panic!("{}", shown(&other)));
    assert!(finding.message.contains("leaves as 203.0.113.10, and not as 203.0.113.9"), "{}", finding.message);
    assert!(finding.because.contains("it tells callers 203.0.113.10"), "{}", finding.because);
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
