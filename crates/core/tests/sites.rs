//! Whole sites of other shapes than the example: what is derived, and what the paths' verdicts are.

use callpath_core::check::analyze;
use callpath_core::model::Family;
use callpath_core::report::{Report, StopKind, Verdict};
use callpath_core::snapshot::{InputError, Snapshot, Source};

fn judge(files: &[(&str, &str)]) -> Result<Report, InputError> {
    let sources =
        files.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() }).collect();
    analyze(&Snapshot { sources, directory: String::new() })
}

fn report(files: &[(&str, &str)]) -> Report {
    judge(files).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

/// `place/family: verdict` of every path, in order; kinds of callers with the same verdict once, else with their names.
fn verdicts(report: &Report) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for p in &report.paths {
        let here = || {
            report.paths.iter().filter(|q| (&q.instance, &q.vantage, q.family) == (&p.instance, &p.vantage, p.family))
        };
        let alike = here().all(|q| q.verdict == p.verdict);
        let kind = p.kind.filter(|_| alike).map(|kind| format!(":{kind}"));
        let id = kind.map_or_else(|| p.id.clone(), |kind| p.id.replace(&kind, ""));
        let line = format!("{id} {}", p.verdict.word());
        if !out.contains(&line) {
            out.push(line);
        }
    }
    out
}

/// A router that forwards what a media server needs, from everywhere, and lets everything through.
const OPEN: &str = "table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		fib daddr type local tcp dport { 443, 7881 } dnat to 192.168.1.50
		fib daddr type local udp dport 50000-60000 dnat to 192.168.1.50
	}
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
		ct status dnat masquerade
	}
}
";

const DEPLOY: &str = "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";

#[test]
fn a_server_on_the_internet_itself_needs_no_gateway() {
    let manifest = "[[deploy]]\nsystem = \"livekit\"\nhost = \"203.0.113.5\"\nfirewall = \"fw.nft\"\n";
    let open = "table inet f {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state established accept\n\t\tiif lo accept\n\t\ttcp dport { 443, 7881 } accept\n\t\tudp dport 50000-60000 accept\n\t}\n}\n";
    let good = report(&[("callpath.toml", manifest), ("fw.nft", open)]);
    assert_eq!(verdicts(&good), ["livekit/internet works", "livekit/self works", "livekit/server works"]);
    assert!(good.exposures.is_empty(), "{:?}", good.exposures);
    let closed = open.replace("udp dport 50000-60000 accept", "");
    let bad = report(&[("callpath.toml", manifest), ("fw.nft", &closed)]);
    assert_eq!(
        verdicts(&bad)[..4],
        [
            "livekit/internet:public works",
            "livekit/internet:home degraded",
            "livekit/internet:symmetric degraded",
            "livekit/internet:udp-blocked works"
        ],
        "the server's own checks open its firewall: to a public address at once, to a home router's by a hole"
    );
    // 7880 must not be reached, and 22 is nobody's need.
    let wide = open.replace("{ 443, 7881 }", "{ 22, 443, 7880, 7881 }");
    let wide = report(&[("callpath.toml", manifest), ("fw.nft", &wide)]);
    assert_eq!(wide.verdict, Verdict::Fails);
    let sockets: Vec<(String, bool)> =
        wide.exposures.iter().map(|e| (e.socket.to_string(), e.forbidden.is_some())).collect();
    assert_eq!(sockets, [("tcp 7880".to_owned(), true), ("tcp 22".to_owned(), false)]);
}

#[test]
fn rules_of_pf_on_a_server_decide() {
    let manifest =
        "[[deploy]]\nsystem = \"livekit\"\nhost = \"203.0.113.5\"\ninterface = \"igc0\"\nfirewall = \"rules.debug\"\n";
    let open = "set skip on lo0\nblock in log inet all label \"deny\"\n\
        pass in quick on igc0 inet proto tcp from any to 203.0.113.5 port 443 keep state label \"pages\"\n\
        pass in quick on igc0 inet proto tcp from any to 203.0.113.5 port 7881 keep state label \"calls\"\n\
        pass in quick on igc0 inet proto udp from any to 203.0.113.5 port 50000:60000 keep state label \"media\"\n\
        pass out inet all keep state label \"out\"\n";
    let good = report(&[("callpath.toml", manifest), ("rules.debug", open)]);
    assert_eq!(verdicts(&good), ["livekit/internet works", "livekit/self works", "livekit/server works"]);
    assert!(good.exposures.is_empty(), "{:?}", good.exposures);
    assert_eq!(good.rulesets.len(), 1);
    let closed = open.replace("port 50000:60000", "port 50000:50001");
    let bad = report(&[("callpath.toml", manifest), ("rules.debug", &closed)]);
    assert_eq!(bad.verdict, Verdict::Degraded, "{}", bad.headline);
}

#[test]
fn two_routers_in_a_row_are_joined_by_their_common_network() {
    let manifest = format!(
        "address = \"203.0.113.5\"
[[gateway]]
label = \"outer\"
config = \"outer.nft\"
interfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.0.1/24\" }}
routes = [\"default via 203.0.113.1\"]
[[gateway]]
label = \"inner\"
config = \"inner.nft\"
interfaces = {{ wan0 = \"192.168.0.2/24\", lan0 = \"192.168.1.1/24\" }}
routes = [\"default via 192.168.0.1\"]
{DEPLOY}"
    );
    let outer = OPEN.replace("192.168.1.50", "192.168.0.2");
    let good = report(&[("callpath.toml", &manifest), ("outer.nft", &outer), ("inner.nft", OPEN)]);
    assert_eq!(
        verdicts(&good),
        ["livekit/internet works", "livekit/lan works", "livekit/self works", "livekit/server works"]
    );
    let without = outer.replace("udp dport 50000-60000", "udp dport 50000-50001");
    let bad = report(&[("callpath.toml", &manifest), ("outer.nft", &without), ("inner.nft", OPEN)]);
    assert_eq!(bad.verdict, Verdict::Degraded);
    let symmetric = bad.paths.iter().find(|p| p.id == "livekit/internet:symmetric").expect("symmetric");
    let stop = symmetric.legs[1].any_of[0].pieces.iter().find_map(|p| p.stop.as_ref()).expect("a stop");
    assert_eq!((stop.kind, &*stop.device), (StopKind::OwnAddress, "outer"));
}

#[test]
fn the_default_route_is_not_needed_where_one_interface_remains() {
    let manifest = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{DEPLOY}"
    );
    let found = report(&[("callpath.toml", &manifest), ("r.nft", OPEN)]);
    assert_eq!(found.verdict, Verdict::Works, "{}", found.headline);
    let three = manifest.replace("lan0 =", "dmz0 = \"10.0.0.1/24\", lan0 =");
    let error = judge(&[("callpath.toml", &three), ("r.nft", OPEN)]).expect_err("ambiguous");
    assert!(error.message.contains("wan0 or dmz0"), "{}", error.message);
}

#[test]
fn a_network_behind_an_inner_router_is_a_place_of_its_own() {
    let manifest = format!(
        "address = \"203.0.113.5\"
[[gateway]]
config = \"r.nft\"
interfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}
routes = [\"default via 203.0.113.1\", \"10.9.0.0/16 via 192.168.1.2\"]
[[net]]
name = \"workshop\"
prefix = \"10.9.0.0/16\"
{DEPLOY}"
    );
    let found = report(&[("callpath.toml", &manifest), ("r.nft", OPEN)]);
    assert!(verdicts(&found).contains(&"livekit/net:workshop works".to_owned()), "{:?}", verdicts(&found));
    let drop = "table inet f {\n\tchain fwd {\n\t\ttype filter hook forward priority 0;\n\t\tip saddr 10.9.0.0/16 drop\n\t}\n}\n";
    let bad = report(&[("callpath.toml", &manifest), ("r.nft", &format!("{OPEN}{drop}"))]);
    let failing: Vec<&str> = bad.paths.iter().filter(|p| p.verdict != Verdict::Works).map(|p| &*p.id).collect();
    assert_eq!(failing, ["livekit/net:workshop:app", "livekit/net:workshop:listening"]);
}

#[test]
fn a_stated_box_alone_serves_the_server_behind_it() {
    let manifest = |forwards: &str, hairpin: bool| {
        format!(
            "address = \"203.0.113.5\"\n[[gateway]]\nlabel = \"box\"\ninside = \"192.168.1.1/24\"\nforwards = {forwards}\nhairpin = {hairpin}\n{DEPLOY}"
        )
    };
    let all = r#"["udp/50000-60000", "tcp/443,7881"]"#;
    let good = report(&[("callpath.toml", &manifest(all, true))]);
    assert_eq!(good.verdict, Verdict::Works, "{:?}", verdicts(&good));
    let half = report(&[("callpath.toml", &manifest(all, false))]);
    assert_eq!(
        verdicts(&half),
        ["livekit/internet works", "livekit/lan fails", "livekit/self fails", "livekit/server works"]
    );
    let none = report(&[("callpath.toml", &manifest("\"none\"", true))]);
    assert_eq!(verdicts(&none)[0], "livekit/internet fails");
    let unknown = report(&[("callpath.toml", &manifest("\"unknown\"", true))]);
    assert_eq!(verdicts(&unknown)[0], "livekit/internet unknown");
    let everything = report(&[("callpath.toml", &manifest("\"all\"", true))]);
    assert_eq!(everything.verdict, Verdict::Fails, "7880 is open too: {}", everything.headline);
}

#[test]
fn two_instances_on_a_host_have_paths_of_their_own() {
    let manifest = format!(
        "address = \"203.0.113.5\"
[[gateway]]
config = \"r.nft\"
interfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}
{DEPLOY}
[[deploy]]
system = \"livekit\"
label = \"friends\"
host = \"192.168.1.50\"
with = {{ udp = \"40000-40499\", tcp = 7882, http = 7890 }}
clients = [\"internet\"]
off = [\"external-ip\"]
"
    );
    let found = report(&[("callpath.toml", &manifest), ("r.nft", OPEN)]);
    assert_eq!(
        verdicts(&found),
        [
            "livekit/internet works",
            "livekit/lan works",
            "livekit/self works",
            "livekit/server works",
            "friends/internet:public works",
            "friends/internet:home degraded",
            "friends/internet:symmetric fails",
            "friends/internet:udp-blocked fails"
        ]
    );
}

#[test]
fn a_server_firewall_that_names_interfaces_must_know_its_own() {
    let base = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{DEPLOY}firewall = \"s.nft\"\n"
    );
    let server = "table inet f {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state established accept\n\t\tiifname \"ens18\" accept\n\t}\n}\n";
    let error = judge(&[("callpath.toml", &base), ("r.nft", OPEN), ("s.nft", server)]).expect_err("which one?");
    assert!(error.message.contains("name interfaces"), "{}", error.message);
    let named = format!("{base}interface = \"ens18\"\n");
    let found = report(&[("callpath.toml", &named), ("r.nft", OPEN), ("s.nft", server)]);
    assert_eq!(found.verdict, Verdict::Works, "{}", found.headline);
    let other = format!("{base}interface = \"ens19\"\n");
    let found = report(&[("callpath.toml", &other), ("r.nft", OPEN), ("s.nft", server)]);
    assert_eq!(found.verdict, Verdict::Fails);
}

#[test]
fn an_included_file_is_read_where_it_is_included() {
    let manifest = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = [\"r.nft\", \"conf.d/nat.nft\"]\ninterfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{DEPLOY}"
    );
    let main = "include \"/etc/nftables/conf.d/nat*.nft\"\n";
    let found = report(&[("callpath.toml", &manifest), ("r.nft", main), ("conf.d/nat.nft", OPEN)]);
    assert_eq!(found.verdict, Verdict::Works, "{}", found.headline);
    let error = judge(&[("callpath.toml", &manifest), ("r.nft", OPEN), ("conf.d/nat.nft", OPEN)]);
    assert!(error.expect_err("one table twice").message.contains("and so does r.nft"));
    // A pattern of another folder does not read a file of the same ending.
    let manifest = manifest.replace("conf.d/nat.nft", "nftables.d/a.nft\", \"other/block.nft");
    let main = format!("{OPEN}include \"/etc/nftables.d/*.nft\"\n");
    let block = "table inet z {\n\tchain f {\n\t\ttype filter hook forward priority 5; policy drop;\n\t}\n}\n";
    let part = "table inet y {\n}\n";
    let files =
        [("callpath.toml", &*manifest), ("r.nft", &*main), ("nftables.d/a.nft", part), ("other/block.nft", block)];
    // It is a ruleset of its own, read once: its table stands beside the others, and drops.
    assert_eq!(report(&files).verdict, Verdict::Fails);
}

#[test]
fn rules_from_json_are_shown_by_object_and_handle() {
    let manifest = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.json\"\ninterfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{DEPLOY}"
    );
    let json = r#"{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "f", "handle": 1}},
        {"chain": {"family": "inet", "table": "f", "name": "pre", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}},
        {"chain": {"family": "inet", "table": "f", "name": "fwd", "handle": 2, "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}},
        {"rule": {"family": "inet", "table": "f", "chain": "pre", "handle": 4, "expr": [
            {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "wan0"}},
            {"dnat": {"family": "ip", "addr": "192.168.1.50"}}]}},
        {"rule": {"family": "inet", "table": "f", "chain": "fwd", "handle": 7, "expr": [
            {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "udp"}}, {"drop": null}]}}]}"#;
    let found = report(&[("callpath.toml", &manifest), ("r.json", json)]);
    let udp = &found.paths[0].legs[1].any_of[0];
    let origin = udp.pieces[0].stop.as_ref().and_then(|s| s.origin.as_ref()).expect("the dropping rule");
    assert_eq!((origin.line, origin.handle), (None, Some(7)));
    assert!(origin.text.contains("drop") && origin.object.contains("chain fwd"), "{origin:?}");
}

#[test]
fn the_json_report_has_the_fields_of_its_format() {
    let manifest = format!(
        "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{DEPLOY}"
    );
    let found = report(&[("callpath.toml", &manifest), ("r.nft", OPEN)]);
    let json: serde_json::Value = serde_json::from_str(&found.json()).expect("JSON");
    assert_eq!(json["schema"], "callpath.report/1");
    for key in [
        "tool",
        "verdict",
        "headline",
        "facts",
        "paths",
        "exposures",
        "findings",
        "assumptions",
        "not_judged",
        "unread",
    ] {
        assert!(!json[key].is_null(), "no `{key}`");
    }
    let leg = &json["paths"][0]["legs"][1];
    assert_eq!((&leg["kind"], &leg["to"]), (&"media".into(), &"203.0.113.5".into()));
    assert_eq!(json["paths"][0]["legs"][0]["to"], "voice.example.org");
    let piece = &leg["any_of"][0]["pieces"][0];
    assert_eq!(piece["packets"], serde_json::json!([{ "ports": [[50000, 60000]] }]));
    assert_eq!((&piece["reach"], &leg["how"]), (&"open".into(), &"udp".into()));
    let step = piece["steps"].as_array().expect("steps").iter().find(|s| s["action"] == "rule").expect("a rule");
    assert_eq!(step["origin"]["line"], 5);
}

/// A caller's router must have a public address of its own, and a network behind it.
#[test]
fn a_described_caller_is_somewhere_else() {
    let site = |interfaces: &str, route: &str| {
        let manifest = format!(
            "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\ninterfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n[[caller]]\nname = \"her flat\"\nconfig = \"flat.nft\"\ninterfaces = {{ {interfaces} }}\nroutes = [\"default via {route}\"]\n{DEPLOY}"
        );
        let flat = "table ip nat {\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat;\n\t\toifname \"wan\" masquerade\n\t}\n}\n";
        judge(&[("callpath.toml", &manifest), ("r.nft", OPEN), ("flat.nft", flat)])
    };
    let good = site("wan = \"198.51.100.30/24\", lan = \"192.168.178.1/24\"", "198.51.100.1").expect("an answer");
    assert!(verdicts(&good).contains(&"livekit/caller:her flat works".to_owned()), "{:?}", verdicts(&good));
    for (interfaces, route, wanted) in [
        (
            "wan = \"10.0.0.2/24\", lan = \"192.168.178.1/24\"",
            "10.0.0.1",
            "the public address of the router of her flat",
        ),
        ("wan = \"203.0.113.5/24\", lan = \"192.168.178.1/24\"", "203.0.113.1", "an address of the site itself"),
        ("wan = \"198.51.100.30/24\"", "198.51.100.1", "no network behind it"),
    ] {
        let error = site(interfaces, route).expect_err(wanted);
        assert!(error.message.contains(wanted), "{}", error.message);
        assert!(!error.help.is_empty());
    }
}

/// Customers of one provider have neighbouring addresses, each behind a router of its own.
#[test]
fn described_callers_may_be_neighbours() {
    let caller = |name: &str, own: u8| {
        format!(
            "[[caller]]\nname = \"{name}\"\nconfig = \"flat.nft\"\n\
             interfaces = {{ wan = \"198.51.100.{own}/24\", lan = \"192.168.178.1/24\" }}\nroutes = [\"default via 198.51.100.1\"]\n"
        )
    };
    let manifest = format!(
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"r.nft\"\n\
         interfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{}{}{}{DEPLOY}",
        caller("her flat", 30),
        caller("his flat", 31),
        caller("their flat", 32)
    );
    let flat = "table ip nat {\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat;\n\t\toifname \"wan\" masquerade\n\t}\n}\n";
    let found = report(&[("callpath.toml", &manifest), ("r.nft", OPEN), ("flat.nft", flat)]);
    for name in ["her", "his", "their"] {
        let wanted = format!("livekit/caller:{name} flat works");
        assert!(verdicts(&found).contains(&wanted), "{wanted}: {:?}", verdicts(&found));
    }
}

#[test]
fn what_is_stated_and_not_followed_yet_is_unknown_and_says_so() {
    for (site, deploy, place, followed) in [
        ("", "config = \"compose.yaml\"", "livekit/internet", "`config`"),
        ("dns = { lan = \"192.168.1.9\" }", "", "livekit/lan", "`dns`"),
    ] {
        let manifest = format!(
            "address = \"203.0.113.5\"\n{site}\n[[gateway]]\nconfig = \"r.nft\"\n\
             interfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }}\n{DEPLOY}{deploy}\n"
        );
        let r = report(&[("callpath.toml", &manifest), ("r.nft", OPEN), ("compose.yaml", "services: {}\n")]);
        let here: Vec<_> = r.paths.iter().filter(|p| p.id.starts_with(place)).collect();
        assert!(
            !here.is_empty() && here.iter().all(|p| p.verdict == Verdict::Unknown),
            "{followed}: {:?}",
            verdicts(&r)
        );
        let ways = here.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of);
        let mut doubts = ways.flat_map(|a| &a.pieces).flat_map(|p| &p.doubts);
        assert!(doubts.any(|d| d.what.contains(followed) && !d.supply.is_empty()), "{followed}");
    }
}

const LIVE: &str = "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nwith = { udp = \"50000-50100\" }\n";
const NEEDS: &str = "[\"tcp/443\", \"tcp/7881\", \"udp/50000-50100\"]";

/// The worst verdict at a place, and the codes of errors.
fn at(report: &Report, place: &str) -> (Verdict, Vec<&'static str>) {
    let worst = report.paths.iter().filter(|p| p.vantage == place).map(|p| p.verdict).max_by_key(|v| match v {
        Verdict::Works => 0,
        Verdict::Degraded => 1,
        Verdict::Unknown => 2,
        Verdict::Fails => 3,
    });
    let errors = report.findings.iter().filter(|f| f.severity == callpath_core::finding::Severity::Error);
    (worst.expect("a path"), errors.map(|f| f.code).collect())
}

fn stated(label: &str, more: &str) -> String {
    format!("[[gateway]]\nlabel = \"{label}\"\nhairpin = true\n{more}\n")
}

#[test]
fn boxes_that_are_stated_stand_in_a_row() {
    let two = |outer: &str, inner: &str| {
        format!(
            "address = \"203.0.113.5\"\n{}{}{LIVE}",
            stated("outer", &format!("inside = [\"192.168.0.1/24\", \"192.168.7.1/24\"]\nforwards = {outer}")),
            stated(
                "inner",
                &format!(
                    "wan = \"192.168.0.2\"\ninside = [\"192.168.1.1/24\", \"192.168.20.1/24\"]\nforwards = {inner}"
                )
            ),
        )
    };
    let good = report(&[("callpath.toml", &two(NEEDS, NEEDS))]);
    for place in ["internet", "lan", "server"] {
        assert_eq!(at(&good, place), (Verdict::Works, vec![]), "{place}: {:?}", verdicts(&good));
    }
    let nets: Vec<String> =
        good.paths.iter().map(|p| p.vantage.to_string()).filter(|v| v.starts_with("net:")).collect();
    assert!(nets.iter().any(|n| n.contains("inside2")), "the second network of a box: {nets:?}");
    // Either of them may be what stops calls, and each cure stands in its own table.
    for (outer, inner, name) in [("\"none\"", NEEDS, "outer"), (NEEDS, "\"none\"", "inner")] {
        let bad = report(&[("callpath.toml", &two(outer, inner))]);
        assert_eq!(at(&bad, "internet"), (Verdict::Fails, vec!["forward-missing"]), "{name}");
        let found = bad.findings.iter().find(|f| f.code == "forward-missing").expect("the cause");
        assert!(found.verified && found.message.contains(name), "{}: {:?}", found.message, found.change);
    }
    assert_eq!(at(&report(&[("callpath.toml", &two(NEEDS, "\"unknown\""))]), "internet").0, Verdict::Unknown);
    assert_eq!(at(&report(&[("callpath.toml", &two("\"unknown\"", NEEDS))]), "internet").0, Verdict::Unknown);
    // Without its outer address, the inner one is where the outer one leads.
    let led = two(NEEDS, NEEDS).replace("wan = \"192.168.0.2\"\n", "").replace("/443\", ", "/443 to 192.168.0.2\", ");
    assert!(judge(&[("callpath.toml", &led)]).is_ok());
    let nowhere = two(NEEDS, NEEDS).replace("wan = \"192.168.0.2\"\n", "");
    let error = judge(&[("callpath.toml", &nowhere)]).expect_err("where is it?");
    assert!(error.help.contains("wan ="), "{}: {}", error.message, error.help);
    let elsewhere = two(NEEDS, NEEDS).replace("192.168.0.2", "192.168.9.2");
    let error = judge(&[("callpath.toml", &elsewhere)]).expect_err("no network of the outer box");
    assert!(error.message.contains("not in its network"), "{}: {}", error.message, error.help);
}

#[test]
fn a_stated_box_stands_behind_a_router_that_is_read() {
    let manifest = |inner: &str| {
        format!(
            "address = \"203.0.113.5\"\n[[gateway]]\nlabel = \"router\"\nconfig = \"r.nft\"\n\
             interfaces = {{ wan0 = \"203.0.113.5/24\", lan0 = \"192.168.0.1/24\" }}\nwan = \"203.0.113.5\"\n{}{LIVE}",
            stated("inner", &format!("wan = \"192.168.0.2\"\ninside = \"192.168.1.1/24\"\nforwards = {inner}"))
        )
    };
    let rules = OPEN.replace("192.168.1.50", "192.168.0.2");
    let good = report(&[("callpath.toml", &manifest(NEEDS)), ("r.nft", &rules)]);
    for place in ["internet", "lan", "server"] {
        assert_eq!(at(&good, place), (Verdict::Works, vec![]), "{place}: {:?}", verdicts(&good));
    }
    let bad = report(&[("callpath.toml", &manifest("\"none\"")), ("r.nft", &rules)]);
    assert_eq!(at(&bad, "internet"), (Verdict::Fails, vec!["forward-missing"]));
    let missing = rules.replace("fib daddr type local udp dport 50000-60000 dnat to 192.168.0.2", "");
    let outer = report(&[("callpath.toml", &manifest(NEEDS)), ("r.nft", &missing)]);
    let found = outer.findings.iter().find(|f| f.code == "forward-missing").expect("the cause");
    assert!(format!("{:?}", found.change).contains("dnat to 192.168.0.2"), "{:?}", found.change);
}

#[test]
fn the_outer_address_of_a_stated_box_may_be_shared() {
    let manifest = |wan: &str| {
        let more = format!("wan = \"{wan}\"\ninside = \"192.168.1.1/24\"\nforwards = {NEEDS}");
        format!("address = \"203.0.113.5\"\n{}{LIVE}", stated("box", &more))
    };
    assert_eq!(at(&report(&[("callpath.toml", &manifest("203.0.113.5"))]), "internet"), (Verdict::Works, vec![]));
    let shared = report(&[("callpath.toml", &manifest("100.64.12.9"))]);
    assert_eq!(at(&shared, "internet"), (Verdict::Fails, vec!["cgnat"]), "{}", shared.headline);
    // Behind another private address is a box of which nothing is known.
    let private = report(&[("callpath.toml", &manifest("10.7.0.2"))]);
    assert_eq!(at(&private, "internet").0, Verdict::Unknown, "{}", private.headline);
    // No address of the site is needed where the box says its public one.
    let own = manifest("203.0.113.5").replace("address = \"203.0.113.5\"\n", "");
    assert_eq!(at(&report(&[("callpath.toml", &own)]), "internet"), (Verdict::Works, vec![]));
}

fn rented(filter: &str, more: &str) -> String {
    format!(
        "address = [\"203.0.113.20\", \"2001:db8:7::20\"]\n[[gateway]]\nlabel = \"the provider\"\n{filter}\n[[deploy]]\n\
         system = \"livekit\"\nhost = [\"203.0.113.20\", \"2001:db8:7::20\"]\nwith = {{ udp = \"50000-50100\" }}\n\
         firewall = \"none\"\n{more}"
    )
}

#[test]
fn a_filter_stands_before_a_rented_server() {
    let say = |filter: &str| report(&[("callpath.toml", &rented(filter, ""))]);
    let passes = format!("passes = {NEEDS}");
    let good = say(&passes);
    assert!(good.paths.iter().any(|p| p.family == Family::V6 && p.vantage == "internet"), "{:?}", verdicts(&good));
    for place in ["internet", "self", "server"] {
        assert_eq!(at(&good, place), (Verdict::Works, vec![]), "{place}: {:?}", verdicts(&good));
    }
    assert!(good.closed.iter().any(|c| format!("{c:?}").contains("7880")), "{:?}", good.closed);
    // Wide open is open.
    assert_eq!(at(&say("passes = \"all\""), "internet").0, Verdict::Works);
    assert_eq!(at(&say("passes = \"unknown\""), "internet").0, Verdict::Unknown);
    assert_eq!(at(&say("out = \"all\""), "internet").0, Verdict::Unknown, "what it lets in is not stated");
    let none = say("passes = \"none\"");
    assert_eq!(at(&none, "internet"), (Verdict::Fails, vec!["filter-missing"]), "{}", none.headline);
    let found = none.findings.iter().find(|f| f.code == "filter-missing").expect("the cause");
    assert!(found.verified, "{:?}", found.change);
    // For some senders, and for another address only.
    let some = say("passes = [\"tcp/443\", \"tcp/7881\", \"udp/50000-50100 from 198.18.0.0/15\"]");
    assert_eq!(at(&some, "internet").0, Verdict::Degraded, "by TCP, or while the server sends too");
    assert_eq!(at(&say("passes = \"none\"\nguards = \"203.0.113.99\""), "internet").0, Verdict::Works);
    // Answers need rules of their own where it does not track.
    assert_eq!(at(&say(&format!("{passes}\ntracks = false")), "internet").0, Verdict::Works);
    let mute = say(&format!("{passes}\ntracks = false\nout = [\"udp/53\"]"));
    assert_eq!(at(&mute, "internet").0, Verdict::Fails, "{}", mute.headline);
    let stun = say(&format!("{passes}\nout = [\"tcp/443\"]"));
    assert_eq!(at(&stun, "server").0, Verdict::Fails, "{}", stun.headline);
}

#[test]
fn filters_stand_anywhere_on_the_way_in() {
    let passes = format!("passes = {NEEDS}");
    let filter = |label: &str, what: &str| format!("[[gateway]]\nlabel = \"{label}\"\n{what}\n");
    let box_ = stated("box", &format!("inside = \"192.168.0.1/24\"\nforwards = {NEEDS}"));
    let inner = stated("inner", &format!("wan = \"192.168.0.2\"\ninside = \"192.168.1.1/24\"\nforwards = {NEEDS}"));
    for closed in 0..4 {
        let f = |n: usize| filter(&format!("f{n}"), if n == closed { "passes = \"none\"" } else { &passes });
        let manifest = format!("address = \"203.0.113.5\"\n{}{}{box_}{}{inner}{LIVE}", f(0), f(1), f(2));
        let r = report(&[("callpath.toml", &manifest)]);
        if closed == 3 {
            for place in ["internet", "lan", "server"] {
                assert_eq!(at(&r, place), (Verdict::Works, vec![]), "{place}: {:?}", verdicts(&r));
            }
        } else {
            assert_eq!(at(&r, "internet"), (Verdict::Fails, vec!["filter-missing"]), "f{closed}: {}", r.headline);
            let found = r.findings.iter().find(|f| f.code == "filter-missing").expect("the cause");
            assert!(found.message.contains(&format!("f{closed}")) && found.verified, "{}", found.message);
        }
    }
}

#[test]
fn a_server_is_reached_by_its_own_address() {
    let manifest = "address = [\"203.0.113.5\", \"203.0.113.6\"]\n[[gateway]]\nconfig = \"r.nft\"\n\
        interfaces = { wan0 = [\"203.0.113.5/24\", \"203.0.113.6/24\"], lan0 = \"192.168.1.1/24\" }\n\
        [[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\naddress = \"203.0.113.6\"\n";
    let for_second = OPEN.replace("fib daddr type local", "ip daddr 203.0.113.6");
    let as_second = for_second.replace("oifname \"wan0\" masquerade", "oifname \"wan0\" snat to 203.0.113.6");
    let good = report(&[("callpath.toml", manifest), ("r.nft", &as_second)]);
    assert_eq!(at(&good, "internet"), (Verdict::Works, vec![]), "{:?}", verdicts(&good));
    // By its own requests it learns the first address, which leads nowhere; unless it is set to the second.
    let learned = report(&[("callpath.toml", manifest), ("r.nft", &for_second)]);
    assert_eq!(at(&learned, "internet"), (Verdict::Fails, vec!["outbound-nat-missing"]), "{:?}", verdicts(&learned));
    let set = format!("{manifest}told = {{ internet = \"203.0.113.6\" }}\n");
    let set = report(&[("callpath.toml", &set), ("r.nft", &for_second)]);
    assert_eq!(at(&set, "internet"), (Verdict::Works, vec![]), "{:?}", verdicts(&set));
    let first = manifest.replace("address = \"203.0.113.6\"\n", "");
    let bad = report(&[("callpath.toml", &first), ("r.nft", &for_second)]);
    assert_eq!(at(&bad, "internet").0, Verdict::Fails);
}
