//! Causes that no example of the repository can hold, in sites of their own: which is named, where, and what is printed.

use callpath_core::call::{analyze, changes};
use callpath_core::dialect::apply;
use callpath_core::report::{Finding, Report, Severity, Verdict};
use callpath_core::snapshot::{Snapshot, Source};

fn site(files: &[(&str, &str)]) -> Snapshot {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    Snapshot { sources: files.iter().map(source).collect(), directory: String::new() }
}

fn judge(files: &[(&str, &str)]) -> Report {
    analyze(&site(files)).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

#[track_caller]
fn finding<'r>(report: &'r Report, code: &str) -> &'r Finding {
    let all: Vec<&str> = report.findings.iter().map(|f| f.code).collect();
    let named: Vec<&Finding> = report.findings.iter().filter(|f| f.code == code).collect();
    assert_eq!(named.len(), 1, "{code} is named {} times; named are {all:?}", named.len());
    named[0]
}

const PHONES: &str = "address = \"203.0.113.10\"
[[gateway]]
label = \"router\"
config = \"router.nft\"
interfaces = { wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\" }
routes = [\"default via 203.0.113.1\"]
[[deploy]]
system = \"nethvoice\"
host = \"192.168.1.50\"
clients = [\"internet\"]
with = { janus = \"21000-21999\", ldap = \"20092\", iax = \"20110\", cti = \"20107\", sftp = \"20149\" }
";

const HELPED: &str = "table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 203.0.113.10 tcp dport { 443, 5060, 5061, 20092 } dnat to 192.168.1.50
		ip daddr 203.0.113.10 udp dport { 5060, 5061, 10000-20000, 21000-21999 } dnat to 192.168.1.50
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname \"wan\" masquerade
	}
}
table inet filter {
	ct helper sip-5060 {
		type \"sip\" protocol udp
		l3proto inet
	}
	map assigned { type inet_service : ct helper; elements = { 5060 : \"sip-5060\" }
	}
	chain helpers {
		type filter hook prerouting priority filter; policy accept;
		udp dport 5060 ct helper set \"sip-5060\"
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname \"lan\" accept
		ct status dnat accept
	}
}
";

const GIVES: &str = "udp dport 5060 ct helper set \"sip-5060\"";

/// A product whose document wants no helpers is not known to work where a rule gives its packets to one.
#[test]
fn a_helper_leaves_open_what_packets_say() {
    let helped = |line: &str| HELPED.replace(GIVES, line);
    let answer = |rules: &str| judge(&[("callpath.toml", PHONES), ("router.nft", rules)]);
    assert_eq!(answer(&helped("udp dport 5062 ct helper set \"sip-5060\"")).verdict, Verdict::Works, "other packets");
    let named = [
        GIVES,
        "udp dport 5060 ct helper set \"sip-5060\" counter accept",
        "ct helper set udp dport map { 5060 : \"sip-5060\" }",
        "udp dport 5060 ct helper set udp dport map @assigned accept",
        "meta l4proto { tcp, udp } th dport 5060 ct helper set \"sip-5060\"",
    ];
    for line in named {
        let rules = helped(line);
        let report = answer(&rules);
        assert_eq!(report.verdict, Verdict::Unknown, "{line}: {}", report.headline);
        let found = finding(&report, "sip-helper");
        assert_eq!(found.at.iter().map(|m| m.text.trim()).collect::<Vec<_>>(), [line]);
        assert!(found.verified && found.change.is_some(), "{line}: {:?}", found.refused);
        assert!(report.findings.iter().all(|f| f.severity != Severity::Error));
        // The statement goes, and every other byte keeps its place.
        let snapshot = site(&[("callpath.toml", PHONES), ("router.nft", &rules)]);
        let (patches, _) = changes(&snapshot).expect("an answer");
        let list: Vec<_> = patches.iter().map(|(_, p)| p).collect();
        let after = apply(&rules, &list).expect("the change");
        assert_eq!(after.len(), rules.len());
        assert_eq!(answer(&after).verdict, Verdict::Works, "{line}");
    }
    // Before connections are tracked there is none to give away, and no later packet of one is given.
    for hook in ["priority raw; policy accept;", "priority filter; policy accept; ct state established,related accept"]
    {
        let rules =
            HELPED.replace("hook prerouting priority filter; policy accept;", &format!("hook prerouting {hook}"));
        let verdict = answer(&rules).verdict;
        assert_eq!(verdict == Verdict::Works, hook.contains("raw"), "{hook}");
    }
    // Who says nothing about helpers, and sends nothing that one reads, is not concerned.
    let livekit = PHONES.replace("nethvoice", "livekit");
    let livekit = livekit.split("with =").next().unwrap_or_default();
    let media = HELPED.replace("5061, 20092", "7881").replace("10000-20000", "50000-60000").replace("5060", "50000");
    let report = judge(&[("callpath.toml", livekit), ("router.nft", &media)]);
    assert!(report.findings.iter().all(|f| f.code != "sip-helper"));
    assert_eq!(report.verdict, Verdict::Works, "{}", report.headline);
}
