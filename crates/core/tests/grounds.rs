//! Nothing is green, and nothing certain, without ground: what contradicts itself is refused, and what is not known is said.

use callpath_core::check::analyze;
use callpath_core::model::Family;
use callpath_core::report::{Path, Report, Style, Verdict, text};
use callpath_core::snapshot::{InputError, Snapshot, Source};

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    Snapshot { sources: files.iter().map(source).collect(), directory: String::new() }
}

fn judge(manifest: &str, files: &[(&str, &str)]) -> Result<Report, InputError> {
    analyze(&snapshot(&[&[("callpath.toml", manifest)], files].concat()))
}

fn report(manifest: &str, files: &[(&str, &str)]) -> Report {
    judge(manifest, files).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn refused(manifest: &str, files: &[(&str, &str)]) -> String {
    let error = judge(manifest, files).expect_err("it is refused");
    assert!(!error.help.is_empty(), "{}", error.message);
    error.message
}

fn terminal(report: &Report) -> String {
    text(report, Style { colour: false })
}

fn path<'r>(report: &'r Report, id: &str) -> &'r Path {
    let ids: Vec<&str> = report.paths.iter().map(|p| &*p.id).collect();
    report.paths.iter().find(|p| p.id == id).unwrap_or_else(|| panic!("no {id} among {ids:?}"))
}

/// A router that forwards what a media server needs, from everywhere, and lets everything through.
const OPEN: &str = "table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		fib daddr type local tcp dport { 443, 7881 } dnat to 192.168.1.50
		fib daddr type local udp dport 50000-60000 dnat to 192.168.1.50
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to 192.168.1.50
		ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
	}
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
		ct status dnat masquerade
	}
}
";

/// The same for a router with the addresses of a dump.
const ADDRESSES: &str = r#"[
{"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
{"ifname": "wan0", "addr_info": [{"local": "203.0.113.5", "prefixlen": 24}, {"local": "2001:db8:f::5", "prefixlen": 64}]},
{"ifname": "lan0", "addr_info": [{"local": "192.168.1.1", "prefixlen": 24}, {"local": "2001:db8:1::1", "prefixlen": 64}]}]"#;

const DEPLOY: &str = "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";

/// A router whose addresses are stated.
const GATEWAY: &str = "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }\n";

#[test]
fn a_stated_box_does_not_overrule_what_the_next_router_says_of_its_address() {
    let site = |forwards: &str, wan: &str| {
        format!(
            "address = \"203.0.113.5\"\n[[gateway]]\nlabel = \"the box\"\ninside = \"192.168.0.1/24\"\nforwards = \"{forwards}\"\nhairpin = true\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ wan0 = {wan}, lan0 = \"192.168.1.1/24\" }}\nroutes = [\"default dev wan0\"]\n{DEPLOY}"
        )
    };
    let files = [("r.nft", OPEN)];
    let known = "\"192.168.0.2/24\"";
    assert_eq!(
        refused(&site("all to 192.168.0.3", known), &files),
        "the box forwards to 192.168.0.3, and the next router has 192.168.0.2"
    );
    assert_eq!(
        path(&report(&site("all to 192.168.0.2", known), &files), "livekit/internet:home").verdict,
        Verdict::Works
    );
    let two = "[\"192.168.0.2/24\", \"192.168.0.3/24\"]";
    assert_eq!(
        path(&report(&site("all to 192.168.0.3", two), &files), "livekit/internet:home").verdict,
        Verdict::Works
    );
    // Where nothing else says it, it is the address that the box forwards to.
    assert_eq!(
        path(&report(&site("all to 192.168.0.3", "[]"), &files), "livekit/internet:home").verdict,
        Verdict::Works
    );
}

#[test]
fn a_default_route_is_assumed_only_where_no_table_was_given_and_said() {
    let v4 = r#"[{"dst": "default", "gateway": "203.0.113.1", "dev": "wan0", "flags": []}, {"dst": "192.168.1.0/24", "dev": "lan0", "flags": []}]"#;
    let v4_without = r#"[{"dst": "192.168.1.0/24", "dev": "lan0", "flags": []}]"#;
    let v6 = r#"[{"dst": "2001:db8:1::/64", "dev": "lan0", "flags": [], "pref": "medium"}, {"dst": "default", "gateway": "fe80::1", "dev": "wan0", "flags": [], "pref": "medium"}]"#;
    let v6_without = r#"[{"dst": "2001:db8:1::/64", "dev": "lan0", "flags": [], "pref": "medium"}]"#;
    let site = |routes: &str| {
        format!(
            "address = \"203.0.113.5\"\n[[gateway]]\nconfig = [\"r.nft\", \"a.json\"{routes}]\nwan = \"203.0.113.5\"\n[[deploy]]\nsystem = \"livekit\"\nhost = [\"192.168.1.50\", \"2001:db8:1::50\"]\n"
        )
    };
    let judged = |four: Option<&str>, six: Option<&str>| {
        let mut files = vec![("r.nft", OPEN), ("a.json", ADDRESSES)];
        let mut names = String::new();
        for (name, table) in [("4.json", four), ("6.json", six)] {
            if let Some(table) = table {
                files.push((name, table));
                names.extend([", \"", name, "\""]);
            }
        }
        let found = report(&site(&names), &files);
        let said: Vec<String> =
            found.assumptions.iter().filter(|a| a.starts_with("router's default")).cloned().collect();
        let by = |id: &str| path(&found, id).verdict;
        (by("livekit/internet:home"), by("livekit/internet:home/v6"), said)
    };
    let line = |name: &str| format!("router's default {name} route leads out by wan0: no {name} routes are given");
    assert_eq!(judged(Some(v4), Some(v6)), (Verdict::Works, Verdict::Works, vec![]));
    assert_eq!(judged(Some(v4), Some(v6_without)), (Verdict::Works, Verdict::Fails, vec![]));
    assert_eq!(judged(Some(v4_without), Some(v6)), (Verdict::Fails, Verdict::Works, vec![]));
    assert_eq!(judged(None, Some(v6)), (Verdict::Works, Verdict::Works, vec![line("IPv4")]));
    assert_eq!(judged(Some(v4), None), (Verdict::Works, Verdict::Works, vec![line("IPv6")]));
    assert_eq!(judged(None, None), (Verdict::Works, Verdict::Works, vec![line("IPv4"), line("IPv6")]));
}

#[test]
fn a_server_has_the_routes_that_it_was_said_to_have() {
    let site = format!("{GATEWAY}{DEPLOY}firewall = [\"s.nft\", \"a.json\", \"routes.json\"]\n");
    let site = site.replace("host = \"192.168.1.50\"", "host = [\"192.168.1.50\", \"2001:db8:1::50\"]");
    let site = site.replace("\"203.0.113.5/24\"", "[\"203.0.113.5/24\", \"2001:db8:f::5/64\"]");
    let site = site.replace("\"192.168.1.1/24\"", "[\"192.168.1.1/24\", \"2001:db8:1::1/64\"]");
    let addresses = r#"[{"ifname": "eth0", "addr_info": [{"local": "192.168.1.50", "prefixlen": 24}, {"local": "2001:db8:1::50", "prefixlen": 64}]}]"#;
    let fw = "table inet f {\n\tchain in {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n";
    // The server sees who calls.
    let open = OPEN.replace("\t\tct status dnat masquerade\n", "");
    let judged = |routes: &str| {
        let found = report(&site, &[("r.nft", &open), ("s.nft", fw), ("a.json", addresses), ("routes.json", routes)]);
        let said = found.assumptions.iter().find(|a| a.contains("sends what is not for its own network"));
        let said = said.map(|a| a.rsplit(' ').next().unwrap_or_default().to_owned()).unwrap_or_default();
        (path(&found, "livekit/internet:home").verdict, path(&found, "livekit/internet:home/v6").verdict, said)
    };
    let v6 = r#"[{"dst": "2001:db8:1::/64", "dev": "eth0", "flags": [], "pref": "medium"}]"#;
    assert_eq!(judged(v6), (Verdict::Works, Verdict::Fails, "192.168.1.1".to_owned()));
    let v4 = r#"[{"dst": "192.168.1.0/24", "dev": "eth0", "flags": []}]"#;
    assert_eq!(judged(v4), (Verdict::Fails, Verdict::Works, "2001:db8:1::1".to_owned()));
}

#[test]
fn a_stated_box_alone_leaves_ipv6_unjudged() {
    let site = |host: &str, address: &str| {
        format!(
            "address = {address}\n[[gateway]]\nlabel = \"box\"\ninside = \"192.168.1.1/24\"\nforwards = [\"udp/50000-60000\", \"tcp/443,7881\"]\nhairpin = true\n[[deploy]]\nsystem = \"livekit\"\nhost = {host}\n"
        )
    };
    let both = "[\"192.168.1.50\", \"2001:db8:1::50\"]";
    let found = report(&site(both, "\"203.0.113.5\""), &[]);
    assert_eq!(path(&found, "livekit/internet:home").verdict, Verdict::Works);
    assert!(found.not_judged.contains(&"IPv6: what box does to it is not stated".to_owned()), "{:?}", found.not_judged);
    assert!(!found.paths.iter().any(|p| p.family == Family::V6 && p.vantage == "internet"));
    // Without IPv4 nothing at all could be judged.
    let six = "\"2001:db8:1::50\"";
    assert!(refused(&site(six, "\"2001:db8:1::50\""), &[]).contains("what box does to IPv6"));
    assert!(refused(&site(six, "[\"203.0.113.5\", \"2001:db8:1::50\"]"), &[]).contains("IPv6 cannot be stated"));
    // A second server that has no address in the box's network stands in the list at its own place.
    let more = format!(
        "{}[[deploy]]\nsystem = \"livekit\"\nlabel = \"six\"\nhost = {six}\n[[deploy]]\nsystem = \"livekit\"\nlabel = \"third\"\nhost = \"192.168.1.51\"\n",
        site("\"192.168.1.50\"", "\"203.0.113.5\"")
    );
    let found = report(&more, &[]);
    assert_eq!(path(&found, "livekit/internet:home").verdict, Verdict::Works);
    assert_eq!(path(&found, "third/server").verdict, Verdict::Works);
    assert_eq!(path(&found, "third/internet:udp-blocked").verdict, Verdict::Fails);
}

#[test]
fn a_row_with_many_notes_is_no_panic() {
    // Few enough to be told one by one.
    let drops: Vec<String> = (0..20).map(|n| format!("\t\tudp sport {} drop\n", 20_000 + n)).collect();
    let drops = drops.concat();
    let filter =
        format!("table inet f {{\n\tchain fwd {{\n\t\ttype filter hook forward priority 0;\n{drops}\t}}\n}}\n");
    let found = report(&format!("{GATEWAY}{DEPLOY}"), &[("r.nft", &format!("{OPEN}{filter}"))]);
    let shown = terminal(&found);
    assert!(shown.contains("[20]"), "{shown}");
    // Commands must be fit to paste; everything else fits a terminal.
    let fits = |l: &str| l.chars().count() <= 80 || l.trim_start().starts_with("nft ");
    assert!(shown.lines().all(fits), "{shown}");
    for (name, format) in callpath_core::report::FORMATS.iter().map(|f| (f.name, f.print)) {
        assert!(!format(&found, Style { colour: false }).is_empty(), "{name}");
    }
}

#[test]
fn only_the_line_to_the_internet_is_the_providers() {
    let with = |addresses: &str| {
        let site = GATEWAY.replace("lan0 =", &format!("{addresses}, lan0 ="));
        report(
            &format!("{site}routes = [\"default via 203.0.113.1\"]\n{DEPLOY}"),
            &[("r.nft", &OPEN.replace("udp dport 50000-60000", "udp dport 1"))],
        )
    };
    let codes = |r: &Report| r.findings.iter().map(|f| f.code).collect::<Vec<_>>();
    let vpn = with("tailscale0 = \"100.101.102.103/32\"");
    assert!(!codes(&vpn).contains(&"cgnat"), "{:?}", codes(&vpn));
    assert!(!codes(&vpn).is_empty());
}

#[test]
fn where_nobody_calls_nothing_works() {
    let nobody = refused(&format!("{GATEWAY}{DEPLOY}clients = []\n"), &[("r.nft", OPEN)]);
    assert!(nobody.contains("`clients` names no place"), "{nobody}");
    // A server that nobody outside has an address for.
    let site = format!("{GATEWAY}{}", DEPLOY.replace("192.168.1.50", "fd00::50"));
    let site = site.replace("lan0 = \"192.168.1.1/24\"", "lan0 = [\"192.168.1.1/24\", \"fd00::1/64\"]");
    let found = report(&site, &[("r.nft", OPEN)]);
    assert_eq!((found.verdict, &*found.headline), (Verdict::Unknown, "no call to livekit could be judged"));
    // Another that works does not speak for it.
    let found = report(&format!("{site}{DEPLOY}label = \"other\"\n"), &[("r.nft", OPEN)]);
    assert_eq!(found.verdict, Verdict::Unknown);
    assert!(found.headline.ends_with("no call to livekit could be judged"), "{}", found.headline);
}

#[test]
fn what_somebody_certainly_reaches_is_not_in_doubt() {
    let site =
        format!("address = \"203.0.113.5\"\n{}firewall = \"fw.nft\"\n", DEPLOY.replace("192.168.1.50", "203.0.113.5"));
    for (sure, perhaps) in [("8.0.0.0/8", "4.0.0.0/8"), ("4.0.0.0/8", "8.0.0.0/8")] {
        let fw = format!(
            "table inet f {{\n\tchain in {{\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state established accept\n\t\tiif lo accept\n\t\ttcp dport {{ 443, 7881 }} accept\n\t\tudp dport 50000-60000 accept\n\t\tip saddr {perhaps} tcp dport 22 limit rate 1/second accept\n\t\tip saddr {sure} tcp dport 22 accept\n\t}}\n}}\n"
        );
        let found = report(&site, &[("fw.nft", &fw)]);
        let ssh: Vec<bool> = found.exposures.iter().filter(|e| e.socket == "tcp 22").map(|e| e.unknown).collect();
        assert_eq!(ssh, [false], "{sure}");
    }
}

#[test]
fn what_was_not_asked_is_not_called_closed() {
    let two = GATEWAY.replace("\"192.168.1.1/24\"", "[\"192.168.1.1/24\", \"2001:db8:1::1/64\"]");
    let both = DEPLOY.replace("\"192.168.1.50\"", "[\"192.168.1.50\", \"2001:db8:1::50\"]");
    let nothing = |report: &Report| {
        let shown = terminal(report).replace("\n    ", " ");
        let lines = shown.lines().map(str::trim).filter(|l| l.starts_with("nothing else on"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let filter = "table ip6 f {\n\tchain fwd {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tct state established accept\n\t\tiifname \"lan0\" accept\n\t\tip6 daddr 2001:db8:1::50 tcp dport { 443, 7881 } accept\n\t\tip6 daddr 2001:db8:1::50 udp dport 50000-60000 accept\n\t}\n}\n";
    let rules = format!("{OPEN}{filter}");
    let judged = report(&format!("{two}{both}"), &[("r.nft", &rules)]);
    assert_eq!(nothing(&judged), ["nothing else on 192.168.1.50, 2001:db8:1::50 can be reached from the internet"]);
    // The box in front is stated for IPv4 alone.
    let stated = "address = \"203.0.113.5\"\n[[gateway]]\ninside = \"192.168.0.1/24\"\nforwards = [\"udp/50000-60000\", \"tcp/443,7881\"]\nhairpin = true\n";
    let behind = two.replace("address = \"203.0.113.5\"\n", stated).replace("203.0.113.5/24", "192.168.0.2/24");
    let judged = report(&format!("{behind}{both}"), &[("r.nft", &rules)]);
    assert_eq!(nothing(&judged), ["nothing else on 192.168.1.50 can be reached from the internet by IPv4"]);
    let shown = terminal(&judged);
    assert!(shown.contains("what must stay closed is closed by IPv4: tcp 7880"), "{shown}");
    // Two products on one host are one host, also with another between them.
    let more = format!(
        "{two}{DEPLOY}{}label = \"b\"\nwith = {{ udp = \"40000-40499\", tcp = 7882, http = 7890 }}\n{DEPLOY}label = \"c\"\nwith = {{ udp = \"41000-41499\", tcp = 7883, http = 7891 }}\n",
        DEPLOY.replace(".50", ".51")
    );
    let judged = report(&more, &[("r.nft", &rules)]);
    assert_eq!(
        nothing(&judged),
        ["nothing else on 192.168.1.50, 192.168.1.51 can be reached from the internet by IPv4"]
    );
}

#[test]
fn a_port_that_is_reached_in_one_case_may_be_reached() {
    let site = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ wan0 = [], lan0 = \"192.168.1.1/24\" }}\nroutes = [\"default dev wan0\"]\n{DEPLOY}"
    );
    let rules = OPEN
        .replace("ip daddr 203.0.113.5 tcp dport { 443, 7881 }", "ip daddr 203.0.113.5 tcp dport { 22, 443, 7881 }");
    let found = report(&site, &[("r.nft", &rules)]);
    let ssh: Vec<bool> = found.exposures.iter().filter(|e| e.socket == "tcp 22").map(|e| e.unknown).collect();
    assert_eq!(ssh, [true]);
    assert!(!found.findings.iter().any(|f| f.code == "wider-than-needed"), "what is not certain is no finding");
}

#[test]
fn no_forward_is_missing_for_the_servers_own_way_out() {
    let site = format!(
        "{GATEWAY}routes = [\"default via 203.0.113.1\", \"blackhole 192.0.0.0/3\", \"blackhole 128.0.0.0/2\", \"blackhole 64.0.0.0/2\"]\n{DEPLOY}"
    );
    let found = report(&site, &[("r.nft", OPEN)]);
    assert_ne!(path(&found, "livekit/server").verdict, Verdict::Works);
    let about: Vec<&str> =
        found.findings.iter().filter(|f| f.paths.iter().any(|p| p == "livekit/server")).map(|f| f.code).collect();
    assert!(!about.iter().any(|c| c.contains("forward") || c.contains("hairpin") || c.contains("wan-")), "{about:?}");
}

#[test]
fn what_is_not_judged_outwards_is_said() {
    let site = format!("address = \"2001:db8:1::50\"\n{}", DEPLOY.replace("192.168.1.50", "2001:db8:1::50"));
    let found = report(&site, &[]);
    let said = |report: &Report, words: &str| report.not_judged.iter().any(|l| l.contains(words));
    assert!(said(&found, "outwards: judged by IPv4 only, and its host has no IPv4 address"), "{:?}", found.not_judged);
    let both = DEPLOY.replace("\"192.168.1.50\"", "[\"203.0.113.5\", \"2001:db8:1::50\"]");
    let found = report(&format!("address = \"203.0.113.5\"\n{both}"), &[]);
    assert!(said(&found, "livekit's own way out by IPv6"), "{:?}", found.not_judged);
}

#[test]
fn a_finding_about_one_port_does_not_hide_that_another_may_be_reached() {
    let site =
        format!("address = \"203.0.113.5\"\n{}firewall = \"fw.nft\"\n", DEPLOY.replace("192.168.1.50", "203.0.113.5"));
    let fw = "table inet f {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state established accept\n\t\tiif lo accept\n\t\ttcp dport { 443, 7881, 22 } accept\n\t\tudp dport 50000-60000 accept\n\t\ttcp dport 23 limit rate 1/second accept\n\t}\n}\n";
    let found = report(&site, &[("fw.nft", fw)]);
    assert!(found.findings.iter().any(|f| f.code == "wider-than-needed"));
    let shown = terminal(&found);
    assert!(shown.contains("tcp 23, which no call needs: whether the rate limit"), "{shown}");
}

#[test]
fn every_address_of_the_administrator_has_its_own_path_and_words() {
    let rules = OPEN.replace(
        "\t\tip daddr 203.0.113.5 tcp",
        "\t\tip daddr 203.0.113.5 ip saddr 198.51.100.7 tcp dport 8443 dnat to 192.168.1.50\n\t\tip daddr 203.0.113.5 tcp",
    );
    let admin = |list: &str| {
        let spokes = "[[deploy]]\nsystem = \"reflector\"\nhost = \"192.168.1.50\"\n";
        report(&format!("{GATEWAY}{spokes}admin = [{list}]\n"), &[("r.nft", &rules)])
    };
    let found = admin("\"198.51.100.7\", \"198.51.100.8\", \"198.51.100.9\"");
    let mut ids: Vec<&str> = found.paths.iter().map(|p| &*p.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
    assert!(ids.iter().filter(|id| id.contains("/admin:198.51.100.")).count() == 3, "{ids:?}");
    assert_eq!(found.headline.matches("the administrator gets in only in part").count(), 1, "{}", found.headline);
    let doubt = rules.replace("ip saddr 198.51.100.7 tcp dport 8443", "tcp dport 1-65535 limit rate 1/second");
    let site =
        format!("{GATEWAY}[[deploy]]\nsystem = \"reflector\"\nhost = \"192.168.1.50\"\nadmin = [\"198.51.100.7\"]\n");
    let found = report(&site, &[("r.nft", &doubt)]);
    assert!(found.headline.contains("it is unknown whether the administrator gets in"), "{}", found.headline);
}

#[test]
fn a_hosts_firewall_may_be_named_in_any_of_its_tables() {
    let second = "label = \"second\"\nwith = { udp = \"40000-40499\", tcp = 7882, http = 7890 }\n";
    let server = "table inet f {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state established accept\n\t\tiifname \"ens18\" tcp dport { 443, 7881 } accept\n\t\tiifname \"ens18\" udp dport 50000-60000 accept\n\t}\n}\n";
    let files = [("r.nft", OPEN), ("s.nft", server)];
    let fw = "firewall = \"s.nft\"\ninterface = \"ens18\"\n";
    let ids = |r: &Report| r.paths.iter().map(|p| (p.id.clone(), p.verdict)).collect::<Vec<_>>();
    let first = report(&format!("{GATEWAY}{DEPLOY}{fw}{DEPLOY}{second}"), &files);
    let later = report(&format!("{GATEWAY}{DEPLOY}{DEPLOY}{second}{fw}"), &files);
    let apart =
        report(&format!("{GATEWAY}{DEPLOY}interface = \"ens18\"\n{DEPLOY}{second}firewall = \"s.nft\"\n"), &files);
    assert_eq!(ids(&first), ids(&later));
    assert_eq!(ids(&first), ids(&apart));
    assert_eq!(path(&first, "second/internet:udp-blocked").verdict, Verdict::Fails);
    let two = format!("{GATEWAY}{DEPLOY}{fw}{DEPLOY}{second}interface = \"ens19\"\n");
    assert!(refused(&two, &files).contains("names the interface ens18"));
}

#[test]
fn nothing_in_a_comment_moves_the_terminal() {
    let rules = OPEN.replace(
        "fib daddr type local tcp dport { 443, 7881 } dnat to 192.168.1.50",
        "tcp dport { 443, 7881 } dnat to 192.168.1.51 comment \"x\u{1b}[2J\u{202e}y\"",
    );
    let found = report(&format!("{GATEWAY}{DEPLOY}"), &[("r.nft", &rules)]);
    for format in callpath_core::report::FORMATS.iter().filter(|f| f.name != "json" && f.name != "sarif") {
        let shown = (format.print)(&found, Style { colour: true });
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains('\u{202e}'), "{}", format.name);
    }
    assert!(terminal(&found).contains("x\u{fffd}[2J\u{fffd}y"), "{}", terminal(&found));
    let plain = report(&format!("{GATEWAY}{DEPLOY}"), &[("r.nft", OPEN)]);
    assert!(text(&plain, Style { colour: true }).starts_with("\u{1b}["), "our own colours stay");
}
