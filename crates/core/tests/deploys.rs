//! What an installation says of itself: its mode, ports that only it has, whom it tells what, and who uses it.

use callpath_core::check::{analyze, changes};
use callpath_core::model::Family;
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
        assert!(found.closed.iter().any(|c| c.ports == "tcp 7880"), "{word}: {:?}", found.closed);
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

/// Rules that forward media of a media server, and these ports besides.
fn media(more: &str) -> String {
    let lines = [
        "ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50",
        "ip daddr 203.0.113.5 tcp dport 7881 dnat to 192.168.1.50",
        more,
    ];
    router(&lines.join("\n\t\t"))
}

const LIVEKIT: &str = "system = \"livekit\"\nhost = \"192.168.1.50\"";

fn supplies(report: &Report) -> Vec<String> {
    let alternatives = report.paths.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of);
    let mut all: Vec<String> =
        alternatives.flat_map(|a| &a.pieces).flat_map(|p| &p.doubts).map(|d| d.supply.clone()).collect();
    all.sort();
    all.dedup();
    all
}

/// What is forwarded or let in, what `proxy` then says, and what is asked for without it.
const PROXIES: &[(&str, &str, &str, &str)] = &[
    // Another host.
    ("ip daddr 203.0.113.5 tcp dport 443 dnat to 192.168.1.60", "", "proxy = \"192.168.1.60:443\"", "192.168.1.60:443"),
    // Another host, with another port there.
    (
        "ip daddr 203.0.113.5 tcp dport 443 dnat to 192.168.1.60:8443",
        "",
        "proxy = \"192.168.1.60:8443\"",
        "192.168.1.60",
    ),
    // The server's own host, by another outer port.
    ("ip daddr 203.0.113.5 tcp dport 8443 dnat to 192.168.1.50:443", "", "proxy = { outer = 8443 }", "outer = 8443"),
    // Another host by another outer port.
    (
        "ip daddr 203.0.113.5 tcp dport 8443 dnat to 192.168.1.60:443",
        "",
        "proxy = { at = \"192.168.1.60:443\", outer = 8443 }",
        "at = \"192.168.1.60:443\", outer = 8443",
    ),
    // The firewall itself.
    ("", "tcp dport 443 accept", "proxy = \"gateway\"", "proxy = \"gateway\""),
];

#[test]
fn pages_may_be_answered_elsewhere_and_are_asked_about_before_anything_is_changed() {
    let from_home = "ct state established accept\n\t\tiifname \"lan0\" accept\n\t\t";
    for (forward, input, stated, asked) in PROXIES {
        let rules = media(forward).replace("ct state established accept", &format!("{from_home}{input}"));
        let as_given = report(&site(LIVEKIT), &[("r.nft", &rules)]);
        assert_eq!(as_given.verdict, Verdict::Unknown, "{stated}: {}", as_given.headline);
        assert!(as_given.findings.is_empty(), "{stated}: {:?}", as_given.findings);
        let all = supplies(&as_given);
        assert!(all.iter().any(|s| s.contains(asked)), "{asked}: {all:?}");
        let known = report(&site(&format!("{LIVEKIT}\n{stated}")), &[("r.nft", &rules)]);
        assert_eq!(known.verdict, Verdict::Works, "{stated}: {}", known.headline);
        // Where the rule is not there, its lack is a cause, and what is changed leads to the proxy.
        let without = media("").replace("ct state established accept", from_home);
        let files = snapshot(&[("callpath.toml", &site(&format!("{LIVEKIT}\n{stated}"))), ("r.nft", &without)]);
        let (patches, found) = changes(&files).expect("an answer");
        assert_eq!(found.verdict, Verdict::Fails, "{stated}: {}", found.headline);
        assert!(!found.findings.is_empty(), "{stated}");
        let told = format!("{patches:?}");
        assert!(!told.contains("tcp dport 443 dnat to 192.168.1.50"), "{stated}: {told}");
    }
    // From outside: the site answers no pages, and nothing is asked of it.
    let outside = report(&site(&format!("{LIVEKIT}\nproxy = \"outside\"")), &[("r.nft", &media(""))]);
    assert_eq!(outside.verdict, Verdict::Works, "{}", outside.headline);
    // Media is never the proxy's.
    let at_us = "udp dport 50000-60000 dnat to 192.168.1.50";
    let elsewhere = media("").replace(at_us, "udp dport 50000-60000 dnat to 192.168.1.60");
    for stated in ["proxy = \"192.168.1.60:443\"", "proxy = \"outside\""] {
        let found = report(&site(&format!("{LIVEKIT}\n{stated}")), &[("r.nft", &elsewhere)]);
        assert_ne!(found.verdict, Verdict::Works, "{stated}");
        assert!(found.findings.iter().any(|f| f.code == "wrong-target"), "{stated}: {:?}", found.findings);
    }
    // Where the whole server is another host, no proxy is meant.
    let moved =
        media("ip daddr 203.0.113.5 tcp dport 443 dnat to 192.168.1.50").replace("192.168.1.50", "192.168.1.60");
    let found = report(&site(LIVEKIT), &[("r.nft", &moved)]);
    assert_eq!(found.verdict, Verdict::Fails, "{}", found.headline);
}

/// `told`, and the verdicts of a caller on the internet and of one at home.
const TOLD: &[(&str, Verdict, Verdict)] = &[
    ("", Verdict::Works, Verdict::Works),
    ("told = { internet = \"public\" }", Verdict::Works, Verdict::Works),
    ("told = { internet = \"voice.example.org\" }", Verdict::Works, Verdict::Works),
    ("told = { internet = \"203.0.113.5\", lan = \"own\" }", Verdict::Works, Verdict::Works),
    ("told = { internet = \"stun\" }", Verdict::Works, Verdict::Works),
    ("told = { internet = [\"own\", \"public\"] }", Verdict::Works, Verdict::Works),
    ("told = { internet = \"own\" }", Verdict::Fails, Verdict::Works),
    ("told = { internet = \"192.168.1.50\" }", Verdict::Fails, Verdict::Works),
    ("told = { internet = \"203.0.113.9\" }", Verdict::Fails, Verdict::Works),
    ("told = { internet = \"unknown\" }", Verdict::Unknown, Verdict::Works),
    ("told = { internet = \"other.example.org\" }", Verdict::Unknown, Verdict::Works),
    ("told = { lan = \"unknown\" }", Verdict::Works, Verdict::Unknown),
];

#[test]
fn what_is_told_is_a_fact_of_its_own_by_audience() {
    let rules = media("ip daddr 203.0.113.5 tcp dport 443 dnat to 192.168.1.50");
    for (told, outside, inside) in TOLD {
        let deploy = format!("{LIVEKIT}\nice = \"lite\"\n{told}");
        let found = report(&site(&deploy), &[("r.nft", &rules)]);
        assert_eq!(path(&found, "livekit/internet:home").verdict, *outside, "{told}: {}", found.headline);
        let home = found.paths.iter().find(|p| p.vantage == "lan").expect("a path");
        assert_eq!(home.verdict, *inside, "{told}: {}", found.headline);
        let causes: Vec<&str> = found.findings.iter().map(|f| f.code).collect();
        let wanted: &[&str] = if *outside == Verdict::Fails { &["told-leads-nowhere"] } else { &[] };
        assert_eq!(causes, wanted, "{told}");
    }
    // A full agent opens the way itself, whatever it tells.
    let full = format!("{LIVEKIT}\ntold = {{ internet = \"own\" }}");
    let found = report(&site(&full), &[("r.nft", &rules)]);
    assert_ne!(path(&found, "livekit/internet:public").verdict, Verdict::Fails);
    // The address by which people reach it is not told by a server that holds another one of its own.
    let two = site(LIVEKIT)
        .replace("\"203.0.113.5\"\n[[", "[\"203.0.113.5\", \"2001:db8:f::9\"]\n[[")
        .replace("wan0 = \"203.0.113.5/24\"", "wan0 = [\"203.0.113.5/24\", \"2001:db8:f::9/64\"]")
        .replace("lan0 = \"192.168.1.1/24\"", "lan0 = [\"192.168.1.1/24\", \"fd00:1::1/64\"]")
        .replace("host = \"192.168.1.50\"", "host = [\"192.168.1.50\", \"fd00:1::50\"]");
    let six = "table ip6 nat {
	chain pre {
		type nat hook prerouting priority dstnat;
		ip6 daddr 2001:db8:f::9 tcp dport { 443, 7881 } dnat to fd00:1::50
		ip6 daddr 2001:db8:f::9 udp dport 50000-60000 dnat to fd00:1::50
	}
}
";
    let found = report(&two, &[("r.nft", &(rules + six))]);
    assert_eq!(path(&found, "livekit/internet:home").verdict, Verdict::Works);
    let mut by_six = found.paths.iter().filter(|p| p.family == Family::V6 && p.vantage == "internet").peekable();
    assert!(by_six.peek().is_some() && by_six.all(|p| p.verdict == Verdict::Unknown), "{}", found.headline);
}

const USUAL: &str = "ip daddr 203.0.113.5 tcp dport { 443, 5060-5061 } dnat to 192.168.1.50
		ip daddr 203.0.113.5 udp dport { 5060-5061, 10000-20000, 21000-21999 } dnat to 192.168.1.50
		iifname \"lan0\" ip daddr 203.0.113.5 tcp dport 20092 dnat to 192.168.1.50";

const NETHVOICE: &str = "system = \"nethvoice\"\nhost = \"192.168.1.50\"
with = { janus = \"21000-21999\", ldap = 20092, iax = 20110, sftp = 20149, cti = 20107 }";

#[test]
fn machines_are_judged_from_where_they_are() {
    let rules = router(USUAL);
    // Nobody is named: nothing is judged as from the internet, and all of it is listed.
    let found = report(&site(NETHVOICE), &[("r.nft", &rules)]);
    assert_eq!(found.verdict, Verdict::Works, "{}", found.headline);
    for what in ["udp 55820", "udp 20110", "tcp 20149"] {
        let listed = |l: &String| l.contains(what) && l.contains("no [[peer]] that uses it is given");
        assert!(found.not_judged.iter().any(listed), "{what}: {:?}", found.not_judged);
    }
    for (row, what) in [("wireguard", "udp dport 55820"), ("iax", "udp dport 20110"), ("sftp", "tcp dport 20149")] {
        let peer = format!("[[peer]]\nname = \"there\"\naddress = \"198.51.100.10\"\nuses = [\"{row}\"]\n");
        let manifest = site(NETHVOICE) + &peer;
        let (patches, found) =
            changes(&snapshot(&[("callpath.toml", &manifest), ("r.nft", &rules)])).expect("an answer");
        assert_eq!(path(&found, "nethvoice/peer:there").verdict, Verdict::Fails, "{row}: {}", found.headline);
        assert!(found.headline.contains("there, 198.51.100.10 does not get through"), "{}", found.headline);
        let told = format!("{patches:?}");
        assert!(told.contains("ip saddr 198.51.100.10") && told.contains(what), "for nobody else: {told}");
        // For it alone, and for another alone.
        for (source, verdict) in [("198.51.100.10", Verdict::Works), ("198.51.100.11", Verdict::Fails)] {
            let open = format!("{USUAL}\n\t\tip daddr 203.0.113.5 ip saddr {source} {what} dnat to 192.168.1.50");
            let found = report(&manifest, &[("r.nft", &router(&open))]);
            assert_eq!(path(&found, "nethvoice/peer:there").verdict, verdict, "{row} {source}");
        }
    }
    // A trunk uses what callers use.
    let trunk = "[[peer]]\nname = \"trunk\"\naddress = \"192.0.2.0/24\"\nuses = [\"sip-udp\", \"rtp\"]\n";
    let found = report(&(site(NETHVOICE) + trunk), &[("r.nft", &rules)]);
    assert_eq!(path(&found, "nethvoice/peer:trunk").verdict, Verdict::Works, "{}", found.headline);
    let told = format!("{NETHVOICE}\ntold = {{ \"peer:trunk\" = \"unknown\" }}\n");
    let found = report(&(site(&told) + trunk), &[("r.nft", &rules)]);
    assert_eq!(path(&found, "nethvoice/peer:trunk").verdict, Verdict::Unknown, "{}", found.headline);
    let wrong = site(NETHVOICE) + &trunk.replace("rtp", "rpt");
    let error = judge(&wrong, &[("r.nft", &rules)]).expect_err("no such row");
    assert_eq!(error.message, "nothing that is installed has a row `rpt`");
    assert!(error.help.contains("rtp"), "{}", error.help);
    assert_eq!(&wrong[error.at.expect("a place").1], "\"rpt\"");
}

#[test]
fn the_phonebook_is_for_phones_in_networks_of_the_site() {
    let found = report(&site(NETHVOICE), &[("r.nft", &router(USUAL))]);
    let phones = |p: &Path| p.legs.iter().any(|l| l.kind == "phonebook");
    assert!(found.paths.iter().filter(|p| p.vantage == "lan").all(phones));
    assert!(!found.paths.iter().filter(|p| p.vantage != "lan").any(phones));
    let closed = router(&USUAL.replace("tcp dport 20092", "tcp dport 20093"));
    assert_eq!(report(&site(NETHVOICE), &[("r.nft", &closed)]).verdict, Verdict::Degraded);
    // Nobody at home: no phone is known.
    let away = format!("{NETHVOICE}\nclients = [\"internet\"]");
    let found = report(&site(&away), &[("r.nft", &closed)]);
    assert_eq!(found.verdict, Verdict::Works, "{}", found.headline);
    assert!(found.not_judged.iter().any(|l| l.contains("no network of phones is given")), "{:?}", found.not_judged);
}

#[test]
fn the_administrators_ssh_is_judged_from_where_that_is() {
    let from_one = "ip daddr 203.0.113.5 ip saddr 198.51.100.77 tcp dport 22 dnat to 192.168.1.50";
    let open = format!("{USUAL}\n\t\t{from_one}");
    let legs = |rules: &str, admin: &str| {
        let found = report(&site(&format!("{NETHVOICE}\nadmin = {admin}")), &[("r.nft", &router(rules))]);
        let open = path(&found, "nethvoice/admin").legs[0].any_of[0].reach == callpath_core::report::Reach::Open;
        (found.verdict, open)
    };
    let (one, anywhere) = ("[\"198.51.100.77\"]", "\"anywhere\"");
    assert_eq!(legs(&open, one), (Verdict::Works, true));
    assert_eq!(legs(USUAL, one), (Verdict::Works, false), "optional: told, and no failure");
    assert_eq!(legs(&open, anywhere), (Verdict::Works, false), "from one address is not from anywhere");
    assert_eq!(legs(&open.replace("ip saddr 198.51.100.77 ", ""), anywhere), (Verdict::Works, true));
}
