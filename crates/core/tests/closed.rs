//! "Closed" means: by no way through any doubt, by every address and family that is known, at the outermost device that
//! is known. Each row is a site and what its report may claim.

use callpath_core::check::analyze;
use callpath_core::report::{FORMATS, Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};

fn report(manifest: &str, files: &[(&str, &str)]) -> Report {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let sources = [&[("callpath.toml", manifest)], files].concat().iter().map(source).collect();
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

/// The text without its line breaks.
fn flat(report: &Report) -> String {
    text(report, Style { colour: false }).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sockets that must be closed and may be reached.
fn may(report: &Report) -> Vec<String> {
    let list = report.exposures.iter().filter(|e| e.forbidden.is_some() && e.unknown);
    list.map(|e| e.socket.to_string()).collect()
}

/// The number of a port that must stay closed is among those that are.
fn is_closed(report: &Report, port: &str) -> bool {
    report.closed.iter().any(|c| c.ports == port)
}

/// A router that forwards what the server needs and lets nothing else in; `%` is where more rules go.
const ROUTER: &str = "table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat;
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to 192.168.1.50
		ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		%NAT
	}
	chain post {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
		ct status dnat masquerade
	}
}
table inet filter {
	chain fwd {
		type filter hook forward priority 0; policy drop;
		ct state established accept
		%FWD
		ct status dnat accept
		iifname \"lan0\" accept
	}
}
";

fn router(nat: &str, fwd: &str) -> String {
    ROUTER.replace("%NAT", nat).replace("%FWD", fwd)
}

const SITE: &str = "address = \"203.0.113.5\"
[[gateway]]
config = \"r.nft\"
interfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }
[[deploy]]
system = \"livekit\"
host = \"192.168.1.50\"
";

/// What is not understood, by chance, or led elsewhere is not called closed.
#[test]
fn closed_holds_for_every_way_through_every_doubt() {
    for (nat, fwd, closed, may_be) in [
        ("", "", true, &[][..]),
        // A statement that nobody understood may forward anything.
        ("tcp dport 7880 frobnicate 7 dnat to 192.168.1.50", "", false, &["tcp 7880"][..]),
        // By chance.
        ("tcp dport 7880 limit rate 1/second dnat to 192.168.1.50", "", false, &["tcp 7880"]),
        // Under another number.
        ("tcp dport 17880 numgen random mod 2 0 dnat to 192.168.1.50:7880", "", false, &["tcp 7880"]),
        // What cannot concern the port leaves it closed.
        ("udp dport 9 frobnicate 7 dnat to 192.168.1.50", "", true, &[]),
    ] {
        let found = report(SITE, &[("r.nft", &router(nat, fwd))]);
        assert_eq!(is_closed(&found, "tcp 7880"), closed, "{nat}: {:?}", found.closed);
        assert_eq!(may(&found), may_be, "{nat}");
        let shown = flat(&found);
        assert_eq!(shown.contains("what must stay closed is closed"), closed, "{nat}\n{shown}");
        assert_eq!(shown.contains("nothing else on"), found.exposures.is_empty(), "{nat}\n{shown}");
        assert_eq!(found.verdict == Verdict::Works, closed, "{nat}: what may be open is no pass");
    }
}

/// A forward that leads to a host of which nothing is described is named, and its port is not called closed.
#[test]
fn a_forward_to_another_host_is_named() {
    let found = report(SITE, &[("r.nft", &router("ip daddr 203.0.113.5 tcp dport 7880 dnat to 192.168.1.77", ""))]);
    assert!(!is_closed(&found, "tcp 7880"), "{:?}", found.closed);
    let shown = flat(&found);
    assert!(
        shown.contains("the internet is led to hosts that are not described 192.168.1.77, by tcp 7880: not judged"),
        "{shown}"
    );
    // Nor where the address leads out of every network that is known.
    let found = report(SITE, &[("r.nft", &router("ip daddr 203.0.113.5 tcp dport 7880 dnat to 10.9.9.9", ""))]);
    assert!(!is_closed(&found, "tcp 7880"), "{:?}", found.closed);
    assert_eq!(found.elsewhere.len(), 1, "{:?}", found.elsewhere);
    assert_eq!(found.elsewhere[0].host, "10.9.9.9");
}

/// Where only one family was asked, only that one is called closed.
#[test]
fn a_family_that_was_not_asked_is_not_called_closed() {
    let found = report(SITE, &[("r.nft", &router("", ""))]);
    let shown = flat(&found);
    assert!(shown.contains("nothing else on 192.168.1.50 can be reached from the internet by IPv4"), "{shown}");
    assert!(shown.contains("what must stay closed is closed by IPv4: tcp 7880"), "{shown}");
}

/// Nothing protects a host before which no router is described but its own firewall: until that is given, it is not known
/// what is open, and the report says which line settles it. Behind a described router it is taken to be open.
#[test]
fn a_firewall_that_is_not_given_is_unknown_on_a_host_that_nothing_else_protects() {
    let public =
        "address = \"203.0.113.5\"\n[[deploy]]\nsystem = \"reflector\"\nmode = \"caddy\"\nhost = \"203.0.113.5\"\n";
    let private = "address = \"203.0.113.5\"\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";
    for manifest in [public, private] {
        let found = report(manifest, &[]);
        assert_eq!(found.verdict, Verdict::Unknown, "{}", found.headline);
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        assert!(found.closed.is_empty(), "{:?}", found.closed);
        assert!(!may(&found).is_empty());
        let shown = flat(&found);
        for line in ["`firewall = \"server.nft\"`", "`firewall = \"none\"`"] {
            assert!(shown.contains(line), "{shown}");
        }
        for path in found.paths.iter().filter(|p| p.vantage == "internet") {
            assert_eq!(path.verdict, Verdict::Unknown, "{}", path.id);
        }
    }
    let behind = report(SITE, &[("r.nft", &router("", ""))]);
    assert_eq!(behind.verdict, Verdict::Works, "{}", behind.headline);
    assert_eq!(behind.assumptions[0], "server 192.168.1.50 has no firewall of its own: none is given");
    assert!(!flat(&behind).contains("`firewall ="), "what cannot matter is not asked for");
}

/// Every format says the same about what is closed and what is not known to be.
#[test]
fn all_formats_agree_about_what_is_closed() {
    let doubted = router("tcp dport 7880 frobnicate 7 dnat to 192.168.1.50", "");
    for (rules, closed) in [(router("", ""), true), (doubted, false)] {
        let found = report(SITE, &[("r.nft", &rules)]);
        for format in FORMATS {
            let shown = (format.print)(&found, Style { colour: false });
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            let said = match format.name {
                "json" => shown.contains("\"closed\": [ { \"ports\": \"tcp 7880\""),
                _ => shown.contains("what must stay closed is closed by IPv4: tcp 7880"),
            };
            assert_eq!(said, closed, "{}: {shown}", format.name);
            let unsure = match format.name {
                "json" => shown.contains("\"unknown\": true"),
                _ => shown.contains("not known to be closed"),
            };
            assert_eq!(unsure, !closed, "{}: {shown}", format.name);
        }
    }
}

/// The words of `firewall`: none is stated to be open, unknown is asked for wherever the host stands.
#[test]
fn the_words_of_a_firewall_mean_what_they_say() {
    let public =
        "address = \"203.0.113.5\"\n[[deploy]]\nsystem = \"reflector\"\nmode = \"caddy\"\nhost = \"203.0.113.5\"\n";
    let none = report(&format!("{public}firewall = \"none\"\n"), &[]);
    assert_eq!(none.verdict, Verdict::Fails, "{}", none.headline);
    assert!(none.exposures.iter().any(|e| e.socket == "tcp 5432" && e.forbidden.is_some() && !e.unknown));
    assert_eq!(none.assumptions[0], "server 203.0.113.5 has no firewall of its own: as you stated (callpath.toml:6)");
    let rules = router("", "");
    let behind = report(&format!("{SITE}firewall = \"unknown\"\n"), &[("r.nft", &rules)]);
    assert_eq!(behind.verdict, Verdict::Unknown, "{}", behind.headline);
    assert!(flat(&behind).contains("what the firewall of server 192.168.1.50 lets through: it is not given"));
    // What the router keeps out is closed, whatever the host does.
    assert!(is_closed(&behind, "tcp 7880"), "{:?}", behind.closed);
    // Files without rules are no firewall that is given.
    let addresses = r#"[{"ifname": "eth0", "addr_info": [{"local": "203.0.113.5", "prefixlen": 24}]}]"#;
    let half = report(&format!("{public}firewall = \"a.json\"\n"), &[("a.json", addresses)]);
    assert_eq!(half.verdict, Verdict::Unknown, "{}", half.headline);
}
