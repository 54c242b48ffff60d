//! What an installation says of itself: its mode, ports that only it has, whom it tells what, and who uses it.

use callpath_core::call::{analyze, changes};
use callpath_core::report::{Path, Report, Verdict};
use callpath_core::snapshot::{InputError, Snapshot, Source};

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    Snapshot { sources: files.iter().map(source).collect(), directory: String::new() }
}

fn judge(manifest: &str, files: &[(&str, &str)]) -> Result<Report, InputError> {
    analyze(&snapshot(&[&[("callpath.toml", manifest)], files].concat()))
}

fn report(manifest: &str, files: &[(&str, &str)]) -> Report {
    judge(manifest, files).unwrap_or_else(|e| panic!("{}: {} ({:?})\n{manifest}", e.message, e.help, e.at))
}

fn path<'r>(report: &'r Report, id: &str) -> &'r Path {
    let ids: Vec<&str> = report.paths.iter().map(|p| &*p.id).collect();
    report.paths.iter().find(|p| p.id == id).unwrap_or_else(|| panic!("no {id} among {ids:?}"))
}

/// A router that forwards nothing, with an input chain that lets nothing in.
const CLOSED: &str = "table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		NAT
	}
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
		ct status dnat masquerade
	}
}
table ip filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established accept
		INPUT
	}
}
";

fn router(nat: &str) -> String {
    CLOSED.replace("NAT", nat).replace("INPUT", "")
}

const GATEWAY: &str = "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }\nroutes = [\"default dev wan0\"]\n";

fn site(deploy: &str) -> String {
    format!("{GATEWAY}[[deploy]]\n{deploy}\n")
}

#[test]
fn ports_that_only_this_installation_has_are_no_cause_and_get_no_change() {
    let deploy = "system = \"nethvoice\"\nhost = \"192.168.1.50\"";
    let nothing = router("");
    let files = snapshot(&[("callpath.toml", &site(deploy)), ("r.nft", &nothing)]);
    let (patches, found) = changes(&files).expect("an answer");
    let invented = ["21000", "21999", "20092", "20107", "20110", "20149"];
    let told = format!("{:?} {patches:?}", found.findings);
    assert!(invented.iter().all(|p| !told.contains(p)), "{told}");
    assert!(!format!("{:?}", found.paths).contains("21000"), "no example is shown as a port");
    // What is stated is judged like anything else.
    let stated = site(&format!("{deploy}\nwith = {{ janus = \"21000-21999\", ldap = 20092 }}"));
    let (_, found) = changes(&snapshot(&[("callpath.toml", &stated), ("r.nft", &nothing)])).expect("an answer");
    assert!(found.findings.iter().any(|f| f.message.contains("21000-21999")), "{:?}", found.findings);
    // Where all that is known gets through, the rest is unknown, and says what to state.
    let open = router(
        "ip daddr 203.0.113.5 tcp dport { 443, 5060-5061 } dnat to 192.168.1.50\n\t\tip daddr 203.0.113.5 udp dport { 5060-5061, 10000-20000 } dnat to 192.168.1.50",
    );
    let found = report(&site(deploy), &[("r.nft", &open)]);
    assert_eq!(found.verdict, Verdict::Unknown, "{}", found.headline);
    let doubts: Vec<&str> = found
        .paths
        .iter()
        .flat_map(|p| &p.legs)
        .flat_map(|l| &l.any_of)
        .flat_map(|a| &a.pieces)
        .flat_map(|p| &p.doubts)
        .map(|d| &*d.supply)
        .collect();
    assert!(doubts.iter().any(|d| d.contains("janus = …") && d.contains("Settings > Firewall")), "{doubts:?}");
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert!(found.searched.is_empty(), "nothing is said about what else is open");
}

#[test]
fn an_installers_own_words_for_a_mode_are_understood() {
    for word in ["caddy", "--caddy", "--ip", "ip", "--domain", "domain"] {
        let deploy = format!("system = \"reflector\"\nhost = \"192.168.1.50\"\nmode = \"{word}\"");
        let found = report(&site(&deploy), &[("r.nft", &router(""))]);
        assert!(found.closed.iter().any(|c| c.starts_with("tcp 7880")), "{word}: {:?}", found.closed);
    }
    let wrong = judge(&site("system = \"reflector\"\nhost = \"192.168.1.50\"\nmode = \"--cady\""), &[("r.nft", "")]);
    assert!(wrong.expect_err("no such mode").help.contains("caddy"));
}

#[test]
fn a_server_that_holds_the_public_address_needs_one() {
    for (system, mode, other) in [("nethvoice", "node", "firewall"), ("difuse", "edge", "nat")] {
        let text = site(&format!("system = \"{system}\"\nmode = \"{mode}\"\nhost = \"192.168.1.50\""));
        let error = judge(&text, &[("r.nft", &router(""))]).expect_err("a private address");
        assert!(error.message.contains("192.168.1.50 is private"), "{}", error.message);
        assert!(error.help.contains(&format!("mode = \"{other}\"")), "{}", error.help);
        assert_eq!(&text[error.at.expect("a place").1], format!("\"{mode}\""));
    }
    let text = "[[deploy]]\nsystem = \"nethvoice\"\nmode = \"node\"\nhost = \"203.0.113.5\"\n";
    let found = report(text, &[]);
    assert_eq!((found.verdict, found.findings.len(), found.exposures.len()), (Verdict::Works, 0, 0));
    assert!(found.searched.is_empty() && found.closed.is_empty(), "what else is open is not known");
    // Its rules, once given, are judged like any others.
    let closed = "table inet f {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\n";
    let given = text.to_owned() + "firewall = \"f.nft\"\n";
    assert_eq!(path(&report(&given, &[("f.nft", closed)]), "nethvoice/internet:home").verdict, Verdict::Fails);
}

#[test]
fn what_is_optional_for_the_administrator_costs_nothing_when_it_is_closed() {
    let open = "ip daddr 203.0.113.5 tcp dport { 80, 443, 7881, 22 } dnat to 192.168.1.50\n\t\tip daddr 203.0.113.5 udp dport 44200-44300 dnat to 192.168.1.50";
    let rules = router(&open.replace(", 22", ""))
        .replace("ct state established", "ip saddr 198.51.100.77 tcp dport 22 accept\n\t\tct state established");
    let deploy = "system = \"reflector\"\nhost = \"192.168.1.50\"\nadmin = [\"198.51.100.77\"]";
    let found = report(&site(deploy), &[("r.nft", &rules)]);
    let legs = &path(&found, "reflector/admin").legs;
    let dashboard = legs.iter().find(|l| l.kind == "dashboard").expect("a leg");
    assert_eq!(dashboard.verdict, Verdict::Works);
    assert!(!found.findings.iter().any(|f| f.message.contains("8888")), "{:?}", found.findings);
}
