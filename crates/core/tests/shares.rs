//! An address that a provider shares by ports: forwards of other ports never see a packet.

use callpath_core::check::analyze;
use callpath_core::report::{Reach, Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};
use callpath_core::vocabulary::CallerKind;

fn judged(snat: &str, ports: &str) -> Report {
    let rules = format!(
        "table ip nat {{
	chain pre {{
		type nat hook prerouting priority dstnat;
		ip daddr 203.0.113.5 tcp dport {{ 443, 7881 }} dnat to 192.168.1.50
		ip daddr 203.0.113.5 udp dport {ports} dnat to 192.168.1.50
	}}
	chain post {{
		type nat hook postrouting priority srcnat;
		ct status dnat masquerade
		{snat}
	}}
}}
"
    );
    let manifest = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ map0 = \"203.0.113.5/32\", lan0 = \"192.168.1.1/24\" }}\nroutes = [\"default dev map0\"]\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nwith = {{ udp = \"{ports}\", tcp = 7881, https = 443 }}\n"
    );
    let source = |name: &str, text: String| Source { name: name.to_owned(), text };
    let sources = vec![source("callpath.toml", manifest), source("r.nft", rules)];
    analyze(&Snapshot { sources, directory: String::new() }).unwrap_or_else(|e| panic!("{}: {}", e.message, e.help))
}

/// What becomes of these ports for callers behind a home router.
fn reach(report: &Report, what: &str) -> Reach {
    let path =
        report.paths.iter().find(|p| p.vantage == "internet" && p.kind == Some(CallerKind::Home)).expect("a path");
    let mut ways = path.legs.iter().flat_map(|l| &l.any_of);
    ways.find(|a| a.what == what).unwrap_or_else(|| panic!("no {what}")).reach
}

/// Rulesets that show a share, whichever way.
#[test]
fn forwards_outside_of_a_port_set_never_see_a_packet() {
    let marks = "oifname \"map0\" meta l4proto { tcp, udp } meta mark set numgen inc mod 2 offset 17
		oifname \"map0\" meta l4proto { tcp, udp } meta mark 17 snat to 203.0.113.5:5136-5151
		oifname \"map0\" meta l4proto { tcp, udp } meta mark 18 snat to 203.0.113.5:6160-6175";
    for (snat, ports, udp, tcp) in [
        // Port sets of MAP-E, by marks, one rule for each, and by a map.
        (marks, "50000-50009", Reach::Closed, Reach::Closed),
        (
            "oifname \"map0\" udp sport 0-32767 snat to 203.0.113.5:5136-5151\n\t\toifname \"map0\" snat to 203.0.113.5:6160-6175",
            "50000-50009",
            Reach::Closed,
            Reach::Closed,
        ),
        (marks, "5140-5149", Reach::Open, Reach::Closed),
        // One block of a carrier, or the owner's choice: nothing tells.
        ("oifname \"map0\" snat to 203.0.113.5:20480-21503", "50000-50009", Reach::Unknown, Reach::Unknown),
        ("oifname \"map0\" masquerade to :20480-21503", "20500-20509", Reach::Open, Reach::Unknown),
        // All ports, or nearly.
        ("oifname \"map0\" masquerade", "50000-50009", Reach::Open, Reach::Open),
        ("oifname \"map0\" masquerade to :1024-65535", "50000-50009", Reach::Open, Reach::Open),
        // Another address has the share.
        (
            "oifname \"map0\" ip daddr 198.51.100.0/24 snat to 203.0.113.5:20480-21503",
            "50000-50009",
            Reach::Open,
            Reach::Open,
        ),
    ] {
        let found = judged(snat, ports);
        let shown = text(&found, Style { colour: false });
        let udp_now = reach(&found, &format!("udp {ports}"));
        let let_in = |r: Reach| if matches!(r, Reach::Punched | Reach::Chance) { Reach::Closed } else { r };
        assert_eq!(reach(&found, "tcp 443"), tcp, "{snat}\n{shown}");
        if tcp == Reach::Closed || tcp == Reach::Unknown {
            assert_ne!(found.verdict, Verdict::Works, "{shown}");
        }
        match udp {
            Reach::Open => assert_eq!(let_in(udp_now), udp, "{snat}\n{shown}"),
            _ => assert_ne!(udp_now, Reach::Open, "{snat}\n{shown}"),
        }
    }
}
