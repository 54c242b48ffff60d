//! Containers: a server whose own rules forward to addresses on networks of its own.

use callpath_core::check::analyze;
use callpath_core::report::{Reach, Report, Style, Verdict, text};
use callpath_core::snapshot::{Snapshot, Source};
use callpath_core::vocabulary::CallerKind;
use std::fmt::Write as _;

fn report(manifest: &str, files: &[(&str, &str)]) -> Report {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let sources = [&[("callpath.toml", manifest)], files].concat().iter().map(source).collect();
    analyze(&Snapshot { sources, directory: String::new() })
        .unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn flat(report: &Report) -> String {
    text(report, Style { colour: false }).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A host with a firewall that lets nothing in but what a program publishes for its containers, past that firewall.
/// `%NAT`, `%DOCKER` and `%USER` are where its rules go.
const HOST: &str = "table ip nat {
	chain DOCKER {
		iifname \"br-1\" return
		%NAT
	}
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local jump DOCKER
	}
	chain OUTPUT {
		type nat hook output priority -100; policy accept;
		ip daddr != 127.0.0.0/8 fib daddr type local jump DOCKER
	}
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		oifname != \"br-1\" ip saddr 172.18.0.0/16 masquerade
	}
}
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname \"lo\" accept
	}
	chain DOCKER {
		%DOCKER
	}
	chain DOCKER-USER {
		%USER
		return
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		jump DOCKER-USER
		oifname \"br-1\" ct state related,established accept
		oifname \"br-1\" jump DOCKER
		iifname \"br-1\" oifname != \"br-1\" accept
	}
}
";

/// Ports outside, of the container, and its address; for one address of the host, if it is named.
fn host(published: &[(&str, &str, &str, &str, Option<&str>)], user: &str) -> String {
    let (mut nat, mut docker) = (String::new(), String::new());
    for (proto, outside, inside, to, only) in published {
        let only = only.map_or_else(String::new, |a| format!("ip daddr {a} "));
        let target = if outside == inside { (*to).to_owned() } else { format!("{to}:{inside}") };
        let _ = write!(nat, "iifname != \"br-1\" {only}{proto} dport {outside} dnat to {target}\n\t\t");
        let _ =
            write!(docker, "iifname != \"br-1\" oifname \"br-1\" ip daddr {to} {proto} dport {inside} accept\n\t\t");
    }
    HOST.replace("%NAT", &nat).replace("%DOCKER", &docker).replace("%USER", user)
}

const ADDRESSES: &str = r#"[
{"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
{"ifname": "eth0", "addr_info": [{"local": "203.0.113.5", "prefixlen": 24}]},
{"ifname": "br-1", "addr_info": [{"local": "172.18.0.1", "prefixlen": 16}]}]"#;

fn site(firewall: &str) -> String {
    format!(
        "address = \"203.0.113.5\"\n[[deploy]]\nsystem = \"livekit\"\nhost = \"203.0.113.5\"\nwith = {{ udp = \"50000-50009\" }}\n{firewall}\n"
    )
}

const DUMPED: &str = "firewall = [\"s.nft\", \"a.json\"]";
const NAMED: &str = "firewall = \"s.nft\"\ninterface = \"eth0\"";

const CALLS: [(&str, &str, &str, &str, Option<&str>); 3] = [
    ("tcp", "443", "8443", "172.18.0.3", None),
    ("tcp", "7881", "7881", "172.18.0.2", None),
    ("udp", "50000-50009", "50000-50009", "172.18.0.2", None),
];

fn judged(rules: &str) -> [Report; 2] {
    let files = [("s.nft", rules), ("a.json", ADDRESSES)];
    [report(&site(DUMPED), &files), report(&site(NAMED), &files[..1])]
}

/// What a program publishes arrives in its containers, whether the addresses of the host are given or follow from its rules.
#[test]
fn published_ports_arrive_in_containers() {
    for found in judged(&host(&CALLS, "")) {
        for path in found.paths.iter().filter(|p| p.vantage == "internet") {
            assert_eq!(path.verdict, Verdict::Works, "{}: {}", path.id, flat(&found));
        }
        assert_eq!(found.verdict, Verdict::Works, "{}", flat(&found));
        let given = "passes on what its rules forward to its containers (172.18.0.2, 172.18.0.3); what arrives there is \
                     taken: which service listens there is not given";
        assert!(found.assumptions.iter().any(|a| a.contains(given)), "{:?}", found.assumptions);
        let mut ends = found.paths.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of).flat_map(|a| &a.pieces);
        assert!(ends.any(|p| p.ends_at == "a container of server 203.0.113.5, 172.18.0.3:8443"), "{}", flat(&found));
        assert!(found.exposures.is_empty(), "{:?}", found.exposures);
        assert!(flat(&found).contains("what must stay closed is closed by IPv4: tcp 7880"));
    }
}

/// Ports that must stay closed are found open where they are published, past the rules of the input chain: blamed on the
/// rule that forwards them, and closed in the chain that the program leaves to its user.
#[test]
fn forbidden_ports_that_are_published_are_found() {
    for (outside, inside, only, open) in [
        ("7880", "7880", None, true),
        ("17880", "7880", None, true),
        ("7880", "9000", None, true),
        ("7880", "7880", Some("203.0.113.5"), true),
        // For the host itself alone.
        ("7880", "7880", Some("127.0.0.1"), false),
        ("9000", "9001", None, false),
    ] {
        let mut published = CALLS.to_vec();
        published.push(("tcp", outside, inside, "172.18.0.2", only));
        for found in judged(&host(&published, "")) {
            let codes: Vec<&str> = found.findings.iter().map(|f| f.code).collect();
            assert_eq!(codes.contains(&"forbidden-open"), open, "{outside}:{inside} {}", flat(&found));
            assert_eq!(found.closed.is_empty(), open, "{outside}:{inside} {:?}", found.closed);
            assert_eq!(found.verdict == Verdict::Fails, open, "{}", flat(&found));
            let Some(finding) = found.findings.iter().find(|f| f.code == "forbidden-open") else { continue };
            assert!(finding.at[0].text.contains(&format!("dport {outside} dnat to 172.18.0.2")), "{:?}", finding.at);
            assert!(finding.verified, "{}", flat(&found));
            let change = finding.change.as_ref().expect("a change");
            let lines = change.steps[0].lines.join("\n");
            let rule =
                format!("insert rule ip filter DOCKER-USER iifname \"eth0\" ip daddr 172.18.0.2 tcp dport {inside}");
            assert!(lines.contains(&rule), "{lines}");
        }
    }
}

/// Blamed statements and the first command of the one finding with this code.
fn blamed(found: &Report, code: &str) -> (Vec<String>, String) {
    let finding = found.findings.iter().find(|f| f.code == code).unwrap_or_else(|| panic!("{}", flat(found)));
    assert!(finding.verified, "{}", flat(found));
    let change = finding.change.as_ref().expect("a change");
    (finding.at.iter().map(|m| m.text.trim().to_owned()).collect(), change.steps[0].lines.join("\n"))
}

/// What the rules for the containers drop does not arrive. To blame is the rule that drops, in a chain that lets the rest
/// go on; where everything is refused, the rule that leads there. The accept goes where it stays when Docker starts again:
/// into its user's chain, which comes before all others then.
#[test]
fn rules_before_containers_are_followed() {
    let range = "iifname \"eth0\" udp dport 50000-50009 drop";
    let all = "iifname \"eth0\" drop";
    let jump = "jump DOCKER-USER";
    let stated = "ct state established,related return\n\t\tiifname \"eth0\" ip saddr != 10.0.0.0/8 drop";
    let only = "iifname \"eth0\" ip saddr != 10.0.0.0/8 drop";
    let no_return = |rules: &str| host(&CALLS, rules).replacen("\n\t\treturn\n", "\n", 1);
    for (rules, decides) in [
        (host(&CALLS, range), range),
        (no_return(range), range),
        (host(&CALLS, all), all),
        (no_return(all), all),
        (host(&CALLS, stated), only),
        (host(&CALLS, "reject"), jump),
        (host(&CALLS, "meta l4proto tcp reject with tcp reset\n\t\treject"), jump),
    ] {
        let found = report(&site(DUMPED), &[("s.nft", &rules), ("a.json", ADDRESSES)]);
        let home = found.paths.iter().filter(|p| p.kind == Some(CallerKind::Home));
        let mut ways = home.flat_map(|p| &p.legs).flat_map(|l| &l.any_of).filter(|a| a.what.starts_with("udp"));
        assert!(ways.all(|a| a.reach == Reach::Punched), "{rules}: {}", flat(&found));
        let (at, lines) = blamed(&found, "blocked-earlier");
        assert_eq!(at, [decides], "{rules}");
        let lines: Vec<&str> = lines.lines().filter(|l| l.contains("50000-50009")).collect();
        assert!(!lines.is_empty() && lines.iter().all(|l| l.contains("rule ip filter DOCKER-USER")), "{lines:?}");
    }
}

/// A chain that a program empties when it starts is no place for a rule; what stands beside its jumps is.
#[test]
fn rules_stay_when_programs_write_theirs_anew() {
    let drop = "iifname \"eth0\" udp dport 50000-50009 drop";
    // The end of Docker's own chain, and rules of the user's before and behind Docker's.
    let docker = "\tchain DOCKER {\n";
    let own = host(&CALLS, "").replacen(
        "table ip filter {\n",
        "table ip filter {\n\tchain DOCKER-FORWARD {\n\t\tiifname \"eth0\" udp dport 50000-50009 drop\n\t}\n",
        1,
    );
    assert!(own.contains(docker));
    let own = own.replacen("\t\tjump DOCKER-USER\n", "\t\tjump DOCKER-USER\n\t\tjump DOCKER-FORWARD\n", 1);
    let before = host(&CALLS, "").replacen("\t\tjump DOCKER-USER\n", &format!("\t\t{drop}\n\t\tjump DOCKER-USER\n"), 1);
    let behind = host(&CALLS, "").replacen("\t\tjump DOCKER-USER\n", &format!("\t\tjump DOCKER-USER\n\t\t{drop}\n"), 1);
    let fail2ban = host(&CALLS, "")
        .replacen(
            "table ip filter {\n",
            &format!("table ip filter {{\n\tchain f2b-x {{\n\t\t{drop}\n\t\treturn\n\t}}\n"),
            1,
        )
        .replacen("\t\tjump DOCKER-USER\n", "\t\tip protocol udp jump f2b-x\n\t\tjump DOCKER-USER\n", 1);
    for (rules, chain) in [(own, "DOCKER-USER"), (before, "FORWARD"), (behind, "FORWARD"), (fail2ban, "FORWARD")] {
        let found = report(&site(DUMPED), &[("s.nft", &rules), ("a.json", ADDRESSES)]);
        let (at, lines) = blamed(&found, "blocked-earlier");
        assert_eq!(at, [drop], "{rules}");
        assert!(lines.contains(&format!("insert rule ip filter {chain} ")), "{lines}");
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }
}

/// Where nothing tells by which interface a container is reached, nothing is certain about what is sent there.
#[test]
fn a_container_of_which_the_interface_is_not_known_is_a_doubt() {
    let rules = host(&CALLS, "").replace("\"br-1\"", "@bridges").replace(
        "table ip nat {\n",
        "table ip nat {\n\tset bridges {\n\t\ttype ifname\n\t\telements = { \"br-1\", \"br-2\" }\n\t}\n",
    );
    let rules = rules.replace(
        "table ip filter {\n",
        "table ip filter {\n\tset bridges {\n\t\ttype ifname\n\t\telements = { \"br-1\", \"br-2\" }\n\t}\n",
    );
    let found = report(&site(NAMED), &[("s.nft", &rules)]);
    assert_eq!(found.verdict, Verdict::Unknown, "{}", flat(&found));
    assert!(flat(&found).contains("which interface of server 203.0.113.5 leads to 172.18.0.2"), "{}", flat(&found));
    let known = report(&site(DUMPED), &[("s.nft", &rules), ("a.json", ADDRESSES)]);
    assert_eq!(known.verdict, Verdict::Works, "{}", flat(&known));
}

/// A kernel that is said to pass nothing on reaches no container.
#[test]
fn a_kernel_that_forwards_nothing_reaches_no_container() {
    let site = format!("{}kernel = {{ ip_forward = 0 }}\n", site(DUMPED));
    let found = report(&site, &[("s.nft", &host(&CALLS, "")), ("a.json", ADDRESSES)]);
    assert_ne!(found.verdict, Verdict::Works, "{}", flat(&found));
}
