//! Phones of inner networks that a PBX does not count as local: they are told the outer address, and the cure of the
//! product's document stands in the report beside the router's.

use callpath_core::check::analyze;
use callpath_core::report::{Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};

fn report(manifest: &str, files: &[(&str, &str)]) -> Report {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let sources = [&[("callpath.toml", manifest)], files].concat().iter().map(source).collect();
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})\n{manifest}", e.message, e.help, e.at))
}

fn flat(report: &Report) -> String {
    text(report, Style { colour: false }).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of(report: &Report, place: &str) -> Verdict {
    let paths = report.paths.iter().filter(|p| p.vantage == place);
    paths.map(|p| p.verdict).max().unwrap_or_else(|| panic!("no path from {place}: {}", flat(report)))
}

/// What comes by the outer line is forwarded; inside everybody reaches everybody.
const ROUTER: &str = "table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat;
		iifname \"wan0\" ip daddr 203.0.113.5 tcp dport { 443, 6069 } dnat to 192.168.1.50
		iifname \"wan0\" ip daddr 203.0.113.5 udp dport 20000-30000 dnat to 192.168.1.50
	}
	chain post {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
	}
}
table inet filter {
	chain fwd {
		type filter hook forward priority 0; policy drop;
		ct state established accept
		ct status dnat accept
		iifname { \"lan0\", \"ph0\" } accept
	}
}
";

const READ: &str = "[[gateway]]
config = \"r.nft\"
wan = \"203.0.113.5\"
interfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\", ph0 = \"192.168.20.1/24\" }
";

const STATED: &str = "[[gateway]]
label = \"box\"
inside = [\"192.168.1.1/24\", \"192.168.20.1/24\"]
forwards = [\"tcp/443,6069\", \"udp/20000-30000\"]
hairpin = false
";

fn site(gateway: &str, deploy: &str) -> String {
    format!(
        "name = \"pbx.example.org\"\naddress = \"203.0.113.5\"\n{gateway}[[net]]\nname = \"phones\"\nprefix = \"192.168.20.0/24\"\n\
         [[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\n{deploy}"
    )
}

#[test]
fn networks_that_are_not_counted_as_local_are_named_with_the_products_own_setting() {
    let files = [("r.nft", ROUTER)];
    let setting = "Add 192.168.20.0/24 to Local IP Subnets (PBX > Settings)";
    for gateway in [READ, STATED] {
        // Told the outer address, which does not come back inside.
        let asked = report(&site(gateway, ""), if gateway == READ { &files } else { &[] });
        assert_eq!(of(&asked, "net:phones"), Verdict::Fails, "{}", flat(&asked));
        assert!(flat(&asked).contains(setting), "{}", flat(&asked));
        let finding = asked.findings.iter().find(|f| f.code == "hairpin-missing").expect("a cause");
        assert!(finding.because.contains(setting), "{}", finding.because);
        // The setting alone repairs it.
        let own = "local = [\"192.168.1.0/24\", \"192.168.20.0/24\"]\n";
        let set = report(&site(gateway, own), if gateway == READ { &files } else { &[] });
        assert_eq!(of(&set, "net:phones"), Verdict::Works, "{}", flat(&set));
        assert!(!flat(&set).contains("to Local IP Subnets"), "{}", flat(&set));
        // A list that forgets the server's own network.
        let other =
            report(&site(gateway, "local = [\"192.168.20.0/24\"]\n"), if gateway == READ { &files } else { &[] });
        assert!(flat(&other).contains("Add 192.168.1.0/24 to Local IP Subnets"), "{}", flat(&other));
    }
    // What is stated is not guessed at.
    let stated = report(&site(READ, "told = { \"net:phones\" = \"own\" }\n"), &files);
    assert!(!flat(&stated).contains("to Local IP Subnets"), "{}", flat(&stated));
}
