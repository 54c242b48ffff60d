//! Further lines whose routers are read, tunnels over IPv6, and rows for described callers alone.

use callpath_core::check::analyze;
use callpath_core::model::Family;
use callpath_core::report::{Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};

fn report(manifest: &str, files: &[(&str, &str)]) -> Report {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let sources = [&[("callpath.toml", manifest)], files].concat().iter().map(source).collect();
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})\n{manifest}", e.message, e.help, e.at))
}

fn shown(report: &Report) -> String {
    text(report, Style { colour: false })
}

/// The worst verdict of a place in a family.
fn of(report: &Report, place: &str, family: Family) -> Verdict {
    let paths = report.paths.iter().filter(|p| p.vantage == place && p.family == family);
    paths.map(|p| p.verdict).max().unwrap_or_else(|| {
        let ids: Vec<_> = report.paths.iter().map(|p| (&p.id, &p.vantage, p.family)).collect();
        panic!("no path from {place} by {family:?}: {ids:?}\n{}", shown(report))
    })
}

const SERVER_ADDR: &str = r#"[
{"ifname":"eth0","flags":["BROADCAST","UP"],"addr_info":[{"family":"inet","local":"192.168.1.50","prefixlen":24},{"family":"inet6","local":"2001:db8:a::50","prefixlen":64}]},
{"ifname":"wg0","flags":["POINTOPOINT","NOARP","UP"],"addr_info":[{"family":"inet","local":"10.66.0.2","prefixlen":24},{"family":"inet6","local":"fd66::2","prefixlen":64}]}]"#;
const SERVER_ROUTE: &str = r#"[{"dst":"default","gateway":"192.168.1.1","dev":"eth0"},{"dst":"10.66.0.0/24","dev":"wg0"},{"dst":"192.168.1.0/24","dev":"eth0"}]"#;
const SERVER_ROUTE_6: &str = r#"[{"dst":"fd66::/64","dev":"wg0"},{"dst":"2001:db8:a::/64","dev":"eth0"},{"dst":"default","gateway":"2001:db8:a::1","dev":"eth0"}]"#;
const SERVER: &str = "table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
	}
}
";
const VPS: &str = "table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat;
		iifname \"ens3\" tcp dport { 443, 7881 } dnat to 10.66.0.2
		iifname \"ens3\" udp dport 50000-50100 dnat to 10.66.0.2
	}
	chain post {
		type nat hook postrouting priority srcnat;
		oifname \"wg0\" masquerade
	}
}
table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname \"ens3\" oifname \"wg0\" ct status dnat accept
		iifname \"wg0\" oifname \"ens3\" accept
	}
}
";
/// The home line's router: what comes from inside may leave, but for what stands at the place of the comment.
const HOME: &str = "table ip nat {
	chain post {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
	}
}
table ip filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established accept
		# here
		iifname \"lan0\" accept
	}
}
";

fn at_home(line: &str) -> String {
    format!(
        "name = \"voice.example.org\"
address = \"203.0.113.20\"
[[gateway]]
label = \"VPS\"
config = \"vps.nft\"
interfaces = {{ ens3 = \"203.0.113.20/24\", wg0 = \"10.66.0.1/24\" }}
routes = [\"default via 203.0.113.1\"]
[[gateway]]
label = \"home router\"
line = \"home\"
{line}[[deploy]]
system = \"livekit\"
host = \"10.66.0.2\"
with = {{ udp = \"50000-50100\" }}
firewall = [\"server.nft\", \"server-addr.json\", \"server-route.json\"]
"
    )
}

/// The router of the server's own line is read: what the server sends out meets its rules, and callers do not.
#[test]
fn the_router_of_a_further_line_is_read() {
    let wan = "config = \"home.nft\"\ninterfaces = { wan0 = \"198.51.100.7/24\", lan0 = \"192.168.1.1/24\" }\nroutes = [\"default via 198.51.100.1\"]\n";
    let leased = "config = \"home.nft\"\ninterfaces = { wan0 = \"10.9.9.9/24\", lan0 = \"192.168.1.1/24\" }\nroutes = [\"default dev wan0\"]\n";
    let rows: &[(&str, &str, Verdict)] = &[
        (wan, "", Verdict::Works),
        (leased, "", Verdict::Works),
        (wan, "ip saddr 192.168.1.50 udp dport 19302 drop", Verdict::Fails),
        // What it does not understand may drop that, too.
        (wan, "udp dport 19302 meta skuid 7 nosuchword drop", Verdict::Unknown),
    ];
    for (line, rule, out) in rows {
        let home = HOME.replace("# here", rule);
        let files = [
            ("vps.nft", VPS),
            ("home.nft", &*home),
            ("server.nft", SERVER),
            ("server-addr.json", SERVER_ADDR),
            ("server-route.json", SERVER_ROUTE),
        ];
        let report = report(&at_home(line), &files);
        assert_eq!(of(&report, "internet", Family::V4), Verdict::Works, "{line}{rule}\n{}", shown(&report));
        let outward = report.paths.iter().find(|p| p.vantage == "server").map(|p| p.verdict);
        assert_eq!(outward, Some(*out), "{line}{rule}\n{}", shown(&report));
        assert!(!shown(&report).contains("192.0.0."), "{}", shown(&report));
        if *out == Verdict::Fails {
            assert!(shown(&report).contains("home.nft:11"), "{}", shown(&report));
            let codes: Vec<&str> = report.findings.iter().map(|f| f.code).collect();
            assert!(!codes.is_empty(), "a cause: {}", shown(&report));
            assert!(report.findings[0].message.contains("home router"), "{}", report.findings[0].message);
        }
    }
}

/// An address that no file says is never shown as that of a host.
#[test]
fn addresses_that_stand_for_unknown_ones_are_shown_in_words() {
    let vps = VPS.replace("oifname \"wg0\" masquerade", "");
    let files = [
        ("vps.nft", &*vps),
        ("server.nft", SERVER),
        ("server-addr.json", SERVER_ADDR),
        ("server-route.json", SERVER_ROUTE),
    ];
    let manifest = at_home("").replace("[[gateway]]\nlabel = \"home router\"\nline = \"home\"\n", "");
    let report = report(&manifest, &files);
    assert_eq!(of(&report, "internet", Family::V4), Verdict::Fails, "{}", shown(&report));
    assert!(!shown(&report).contains("192.0.0."), "{}", shown(&report));
    let json = serde_json::to_string(&report).expect("a report");
    assert!(!json.contains("192.0.0."), "{json}");
    assert!(json.contains("the outer address of the router 192.168.1.1"), "{json}");
}

/// A VPS forwards IPv6 through a tunnel: with its own address put into what it sends on, answers come back; without,
/// they leave by the server's own line with another address.
#[test]
fn a_tunnel_carries_ipv6() {
    let vps = |masquerade: &str| {
        format!(
            "table ip6 nat {{
	chain pre {{
		type nat hook prerouting priority dstnat;
		iifname \"ens3\" tcp dport {{ 443, 7881 }} dnat to fd66::2
		iifname \"ens3\" udp dport 50000-50100 dnat to fd66::2
	}}
	chain post {{
		type nat hook postrouting priority srcnat;
		{masquerade}
	}}
}}
table inet filter {{
	chain forward {{
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname \"ens3\" oifname \"wg0\" ct status dnat accept
		iifname \"wg0\" oifname \"ens3\" accept
	}}
}}
"
        )
    };
    let manifest = "name = \"voice.example.org\"
address = \"2001:db8:f::20\"
[[gateway]]
label = \"VPS\"
config = \"vps.nft\"
interfaces = { ens3 = \"2001:db8:f::20/64\", wg0 = \"fd66::1/64\" }
routes = [\"default via 2001:db8:f::1\"]
[[deploy]]
system = \"livekit\"
host = \"fd66::2\"
with = { udp = \"50000-50100\" }
told = { internet = \"public\" }
clients = [\"internet\"]
firewall = [\"server.nft\", \"server-addr.json\", \"server-route.json\"]
";
    for (masquerade, expected) in [("oifname \"wg0\" masquerade", Verdict::Works), ("", Verdict::Fails)] {
        let vps = vps(masquerade);
        let files = [
            ("vps.nft", &*vps),
            ("server.nft", SERVER),
            ("server-addr.json", SERVER_ADDR),
            ("server-route.json", SERVER_ROUTE_6),
        ];
        let report = report(manifest, &files);
        assert_eq!(of(&report, "internet", Family::V6), expected, "{masquerade}\n{}", shown(&report));
    }
}

/// A row for one described caller lets that one in, and no other.
#[test]
fn rows_for_a_described_caller_are_for_that_caller() {
    let flat = "table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname \"wan\" masquerade
	}
}
";
    let manifest = "name = \"voice.example.org\"
address = \"203.0.113.20\"
[[gateway]]
label = \"box\"
inside = \"192.168.1.1/24\"
wan = \"203.0.113.20\"
forwards = [\"tcp/443 from caller:flat\", \"tcp/7881 from caller:flat\", \"udp/50000-60000 from caller:flat\"]
hairpin = true
[[caller]]
name = \"flat\"
config = \"flat.nft\"
interfaces = { wan = \"198.51.100.30/24\", lan = \"192.168.178.1/24\" }
routes = [\"default via 198.51.100.1\"]
[[deploy]]
system = \"livekit\"
host = \"192.168.1.50\"
clients = [\"internet\", \"caller:flat\"]
";
    let report = report(manifest, &[("flat.nft", flat)]);
    assert_eq!(of(&report, "caller:flat", Family::V4), Verdict::Works, "{}", shown(&report));
    assert_eq!(of(&report, "internet", Family::V4), Verdict::Fails, "{}", shown(&report));
    let other = manifest.replace("from caller:flat", "from 198.51.100.99");
    let report = self::report(&other, &[("flat.nft", flat)]);
    assert_ne!(of(&report, "caller:flat", Family::V4), Verdict::Works, "{}", shown(&report));
}
