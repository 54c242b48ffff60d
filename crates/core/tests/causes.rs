//! Causes that no example of the repository can hold, in sites of their own: which is named, where, and what is printed.

use callpath_core::check::{analyze, changes};
use callpath_core::dialect::{apply, without_secrets};
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
    // The comment of a rule that is written anew held a credential: it is neither printed nor lost.
    for (comment, printed) in [("trunk, password=hunter22x", false), ("trunk of the office", true)] {
        let rules = without_secrets(helped(&format!("{GIVES} accept comment \"{comment}\"")));
        let report = answer(&rules);
        let found = finding(&report, "sip-helper");
        assert_eq!(found.change.is_some(), printed, "{comment}: {:?}", found.change);
        let refused = found.refused.as_deref().unwrap_or_default();
        assert_eq!(refused.contains("by hand"), !printed, "{comment}: {refused}");
        let all = serde_json::to_string(&report).expect("a report");
        assert!(!all.contains("hunter22x") && (printed || !all.contains("nft 'replace")), "{comment}");
    }
    // Before connections are tracked there is none to give away, and no later packet of one is given.
    for hook in ["priority raw; policy accept;", "priority filter; policy accept; ct state established,related accept"]
    {
        let rules =
            HELPED.replace("hook prerouting priority filter; policy accept;", &format!("hook prerouting {hook}"));
        let verdict = answer(&rules).verdict;
        assert_eq!(verdict == Verdict::Works, hook.contains("raw"), "{hook}");
    }
    // A kernel that gives connections to helpers without a rule says so; where nothing tells, it is a given that it does not.
    let plain = HELPED.replace(GIVES, "");
    let with = |kernel: &str| {
        let manifest = PHONES.replace("[[deploy]]", &format!("kernel = {{ {kernel} }}\n[[deploy]]"));
        judge(&[("callpath.toml", &manifest), ("router.nft", &plain)])
    };
    let by_itself = with("nf_conntrack_helper = 1");
    assert_eq!(by_itself.verdict, Verdict::Unknown, "{}", by_itself.headline);
    let found = finding(&by_itself, "sip-helper");
    assert!(
        found.because.contains("nf_conntrack_helper = 1; set it to 0") && found.change.is_none(),
        "{}",
        found.because
    );
    let given = |r: &Report| r.assumptions.iter().any(|a| a.contains("nf_conntrack_helper = 0"));
    let off = with("nf_conntrack_helper = 0");
    assert_eq!((off.verdict, given(&off)), (Verdict::Works, true), "stated");
    let silent = answer(&plain);
    assert_eq!((silent.verdict, given(&silent)), (Verdict::Works, true), "taken as given");
    // What nft 1.0.6 lists of `-j CT --helper sip` is no more than its name.
    let target = answer(&helped("udp dport 5060 counter packets 0 bytes 0 xt target \"CT\""));
    assert_eq!(target.verdict, Verdict::Unknown, "{}", target.headline);
    let doubts = serde_json::to_string(&target).expect("a report");
    assert!(doubts.contains("gives packets to a helper (SIP ALG)"), "{doubts}");
    // Who says nothing about helpers, and sends nothing that one reads, is not concerned.
    let livekit = PHONES.replace("nethvoice", "livekit");
    let livekit = livekit.split("with =").next().unwrap_or_default();
    let media = HELPED.replace("5061, 20092", "7881").replace("10000-20000", "50000-60000").replace("5060", "50000");
    let report = judge(&[("callpath.toml", livekit), ("router.nft", &media)]);
    assert!(report.findings.iter().all(|f| f.code != "sip-helper"));
    assert_eq!(report.verdict, Verdict::Works, "{}", report.headline);
}

const TWO_LINES: &str = "address = \"203.0.113.20\"
[[gateway]]
label = \"VPS\"
config = \"vps.nft\"
interfaces = { ens3 = \"203.0.113.20/24\", wg0 = \"10.66.0.1/24\" }
routes = [\"default via 203.0.113.1\"]
[[deploy]]
system = \"livekit\"
host = \"10.66.0.2\"
clients = [\"internet\"]
with = { udp = \"50000-50100\" }
firewall = [\"server.nft\", \"addr.json\", \"route.json\"]
";

const VPS: &str = "table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		iifname \"ens3\" tcp dport { 443, 7881 } dnat to 10.66.0.2
		iifname \"ens3\" udp dport 50000-50100 dnat to 10.66.0.2
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname \"ens3\" masquerade
	}
}
";

const SERVER: &str =
    "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n}\n";

const ADDRESSES: &str = r#"[{"ifindex":2,"ifname":"eth0","flags":["BROADCAST","UP","LOWER_UP"],"addr_info":[{"family":"inet","local":"192.168.1.50","prefixlen":24,"scope":"global"}]},
{"ifindex":3,"ifname":"wg0","flags":["POINTOPOINT","UP","LOWER_UP"],"addr_info":[{"family":"inet","local":"10.66.0.2","prefixlen":24,"scope":"global"}]}]"#;

fn routes(default: &str) -> String {
    format!(
        r#"[{{"dst":"default",{default},"flags":[]}},
{{"dst":"10.66.0.0/24","dev":"wg0","scope":"link","prefsrc":"10.66.0.2","flags":[]}},
{{"dst":"192.168.1.0/24","dev":"eth0","scope":"link","prefsrc":"192.168.1.50","flags":[]}}]"#
    )
}

/// A server with two uplinks gets calls by one of them, and its default route is the other.
#[test]
fn answers_of_a_server_leave_by_another_line() {
    let home = routes("\"gateway\":\"192.168.1.1\",\"dev\":\"eth0\"");
    let tunnel = routes("\"gateway\":\"10.66.0.1\",\"dev\":\"wg0\"");
    let answer = |vps: &str, route: &str| {
        judge(&[
            ("callpath.toml", TWO_LINES),
            ("vps.nft", vps),
            ("server.nft", SERVER),
            ("addr.json", ADDRESSES),
            ("route.json", route),
        ])
    };
    let calls = |report: &Report| {
        let outside = report.paths.iter().filter(|p| p.vantage == "internet");
        outside.map(|p| p.verdict).max().expect("calls from outside")
    };
    let fails = answer(VPS, &home);
    assert_eq!(calls(&fails), Verdict::Fails);
    let found = finding(&fails, "answer-by-another-line");
    assert_eq!(found.message, "server 10.66.0.2 answers by eth0, though calls come by wg0");
    // The router in front puts its own address into what it forwards: that has a price, and another way is named.
    assert!(found.verified, "{:?}", found.refused);
    let change = found.change.as_ref().expect("a change");
    assert_eq!(change.device, "VPS");
    let cures: Vec<&str> = change.steps.iter().flat_map(|s| &s.lines).map(String::as_str).collect();
    for part in
        ["oifname \"wg0\" ip daddr 10.66.0.2 ct status dnat masquerade", "the price", "ip rule add from 10.66.0.2"]
    {
        assert!(cures.iter().any(|c| c.contains(part)), "{part}: {cures:?}");
    }
    assert!(fails.findings.iter().all(|f| !f.code.contains("hairpin") && f.code != "filter-missing"));
    // The cures: source NAT towards the server, or its answers by the tunnel.
    let nat = VPS.replace("oifname \"ens3\" masquerade", "oifname { \"ens3\", \"wg0\" } masquerade");
    for report in [answer(&nat, &home), answer(VPS, &tunnel)] {
        assert_eq!(calls(&report), Verdict::Works, "{}", report.headline);
        assert!(report.findings.iter().all(|f| f.code != "answer-by-another-line"));
    }
}

/// The example with a second line, by whose address calls come.
fn two_wans(more: &str) -> Snapshot {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/spokes");
    let read = |name: &str| std::fs::read_to_string(format!("{dir}/{name}")).expect("the example");
    let line = "\t\t\t<ipaddr>203.0.113.5</ipaddr>\n\t\t\t<subnet>24</subnet>\n\t\t\t<gateway>WANGW</gateway>";
    let second = "\t\t<opt1><enable></enable><if>igc2</if><descr>WAN2</descr><ipaddr>198.51.100.10</ipaddr><subnet>24</subnet><gateway>WAN2GW</gateway></opt1>\n\t</interfaces>";
    let gateway = |of: &str, address: &str, name: &str| {
        format!(
            "<gateway_item><interface>{of}</interface><gateway>{address}</gateway><name>{name}</name><weight>1</weight><ipprotocol>inet</ipprotocol></gateway_item>"
        )
    };
    let gateways =
        format!("<gateways>{}{}", gateway("opt1", "198.51.100.1", "WAN2GW"), gateway("wan", "203.0.113.1", "WANGW"));
    let mut config = read("pfsense/config.xml")
        .replace("\t\t\t<ipaddr>dhcp</ipaddr>\n\t\t\t<blockpriv></blockpriv>\n\t\t\t<blockbogons></blockbogons>", line)
        .replace("\t</interfaces>", second)
        .replace("<gateways>", &gateways)
        .replace("<defaultgw4>WAN_DHCP</defaultgw4>", "<defaultgw4>WANGW</defaultgw4>")
        .replace("<system>", &format!("<system>{more}"));
    for part in ["nat", "filter"] {
        let (open, close) = (format!("<{part}>"), format!("</{part}>"));
        let (from, to) = (config.find(&open).expect("a part"), config.find(&close).expect("its end"));
        let there = config[from..to]
            .replace("<interface>wan</interface>", "<interface>opt1</interface>")
            .replace("wanip", "opt1ip");
        config.replace_range(from..to, &there);
    }
    let manifest = read("callpath.toml")
        .replace("address = \"203.0.113.5\"", "address = \"198.51.100.10\"")
        .replace("wan    = \"203.0.113.5\"", "# ");
    site(&[("callpath.toml", &manifest), ("pfsense/config.xml", &config)])
}

/// pfSense answers by the line of the question, as long as nobody switches that off.
#[test]
fn answers_of_a_firewall_leave_by_another_line() {
    let good = analyze(&two_wans("")).expect("an answer");
    assert_eq!(good.verdict, Verdict::Works, "{}", good.headline);
    let bad = analyze(&two_wans("<disablereplyto></disablereplyto>")).expect("an answer");
    assert_eq!(bad.verdict, Verdict::Fails);
    let found = finding(&bad, "answer-by-another-line");
    assert_eq!(found.message, "pfSense answers by WAN, though calls come by WAN2");
    let steps = |f: &Finding| {
        f.change
            .iter()
            .flat_map(|c| &c.steps)
            .map(|s| format!("{} {:?}", s.place, s.lines))
            .collect::<Vec<_>>()
            .concat()
    };
    assert!(found.verified && steps(found).contains("[ ] Disable reply-to on WAN rules"), "{}", steps(found));
    // The same by one rule's own switch; both at once need both.
    let rule = |more: &str| {
        let mut all = two_wans(more);
        let config = &mut all.sources[1].text;
        let filter = config.find("<filter>").expect("rules");
        let tracker = filter + config[filter..].find("<tracker>").expect("a rule");
        config.insert_str(tracker, "<disablereplyto></disablereplyto>");
        analyze(&all).expect("an answer")
    };
    for (report, both) in [(rule(""), false), (rule("<disablereplyto></disablereplyto>"), true)] {
        assert_ne!(report.verdict, Verdict::Works, "{}", report.headline);
        let found = finding(&report, "answer-by-another-line");
        let steps = steps(found);
        assert!(found.verified, "{steps} {:?}", found.refused);
        assert!(steps.contains("\"[ ] Disable reply-to\""), "{steps}");
        assert_eq!(steps.contains("on WAN rules"), both, "{steps}");
    }
    // A line without a gateway of its own has no way to answer by: that is a setting, and no change is printed.
    let mut bare = two_wans("");
    bare.sources[1].text = bare.sources[1].text.replace("<gateway>WAN2GW</gateway>", "");
    let bare = analyze(&bare).expect("an answer");
    let refused =
        bare.findings.iter().find_map(|f| f.refused.as_deref().filter(|_| f.code == "answer-by-another-line"));
    assert!(refused.is_none_or(|r| r.contains("IPv4 Upstream Gateway")), "{refused:?}");
    let errors: Vec<&str> = bad.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
    assert_eq!(errors, ["answer-by-another-line"]);
}

/// A range that a firewall takes from other ports outside: the same cause as one port, whatever says it.
#[test]
fn a_range_is_forwarded_from_other_ports() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/reflector");
    let read = |name: &str| std::fs::read_to_string(format!("{dir}/{name}")).expect("the example");
    let config = read("pfsense/config.xml").replacen("<port>44200-44300</port>", "<port>45200-45300</port>", 1);
    let files = site(&[("callpath.toml", &read("callpath.toml")), ("pfsense/config.xml", &config)]);
    let report = analyze(&files).expect("an answer");
    let found = finding(&report, "range-shifted");
    let told = "udp 45200-45300 outside leads to udp 44200-44300 of the server, and callers are told udp 44200-44300";
    assert_eq!(found.message, told);
    assert!(found.verified, "{:?} {:?} {:?}", found.change, found.refused, found.apart);
    let lines: Vec<&String> = found.change.iter().flat_map(|c| &c.steps).flat_map(|s| &s.lines).collect();
    assert!(lines.iter().any(|l| l.contains("44200")), "{lines:?}");
    let errors: Vec<&str> = report.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
    assert_eq!(errors, ["range-shifted"]);
}

/// A pfSense that forwards what a PBX needs, with these packages.
fn pbx_behind_pfsense(packages: &str) -> String {
    let forward = |proto: &str, ports: &str| {
        let first = ports.split('-').next().unwrap_or_default();
        format!(
            "<rule><source><any></any></source><destination><network>wanip</network><port>{ports}</port></destination><protocol>{proto}</protocol><target>192.168.1.50</target><local-port>{first}</local-port><interface>wan</interface><descr>a</descr><associated-rule-id>pass</associated-rule-id><natreflection>purenat</natreflection></rule>"
        )
    };
    let tcp = ["443", "5060-5061", "20092"].map(|p| forward("tcp", p)).concat();
    let udp = ["5060-5061", "10000-20000", "21000-21999"].map(|p| forward("udp", p)).concat();
    format!(
        "<?xml version=\"1.0\"?><pfsense><version>24.0</version><system><enablenatreflectionhelper>yes</enablenatreflectionhelper></system>\
         <interfaces><wan><enable></enable><if>igc0</if><descr>WAN</descr><ipaddr>203.0.113.10</ipaddr><subnet>24</subnet><gateway>GW</gateway></wan>\
         <lan><enable></enable><if>igc1</if><descr>LAN</descr><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan></interfaces>\
         <gateways><gateway_item><interface>wan</interface><gateway>203.0.113.1</gateway><name>GW</name><ipprotocol>inet</ipprotocol></gateway_item><defaultgw4>GW</defaultgw4></gateways>\
         <nat><outbound><mode>automatic</mode></outbound>{tcp}{udp}</nat>\
         <filter><rule><type>pass</type><interface>lan</interface><ipprotocol>inet</ipprotocol><source><network>lan</network></source><destination><any></any></destination></rule></filter>\
         <installedpackages>{packages}</installedpackages></pfsense>"
    )
}

/// The SIP proxy of pfSense reads and rewrites what phones say, as a helper does: of the interfaces that it is set to.
#[test]
fn a_sip_proxy_of_the_firewall_is_a_helper() {
    let package = |settings: &str| {
        format!(
            "<package><name>siproxd</name><internal_name>siproxd</internal_name><filter_rule_function>siproxd_generate_rules</filter_rule_function></package><siproxdsettings><config>{settings}</config></siproxdsettings>"
        )
    };
    let manifest = |clients: &str| {
        PHONES.replace("label = \"router\"\nconfig = \"router.nft\"\ninterfaces = { wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]", "config = \"config.xml\"").replace("[\"internet\"]", clients)
    };
    let answer = |clients: &str, settings: &str| {
        let backup = pbx_behind_pfsense(&package(settings));
        judge(&[("callpath.toml", &manifest(clients)), ("config.xml", &backup)])
    };
    let off = answer("[\"internet\", \"lan\"]", "<sipenable></sipenable>");
    assert_eq!(off.verdict, Verdict::Works, "{}", off.headline);
    let inside = "<sipenable>on</sipenable><if_inbound>lan</if_inbound><if_outbound>wan</if_outbound>";
    let at_home = answer("[\"lan\"]", inside);
    assert_eq!(at_home.verdict, Verdict::Unknown, "{}", at_home.headline);
    let found = finding(&at_home, "sip-helper");
    assert!(found.because.contains("siproxd") && found.because.contains("SIP ALG"), "{}", found.because);
    assert!(found.refused.as_deref().is_some_and(|r| r.contains("Services > siproxd")), "{:?}", found.refused);
    assert!(found.at.iter().any(|m| m.text.contains("siproxd")), "{:?}", found.at);
    // It takes nothing of those outside, whose packets are forwarded.
    let outside = answer("[\"internet\"]", inside);
    assert_eq!(outside.verdict, Verdict::Works, "{}", outside.headline);
    // Which interfaces it takes from is not told: perhaps all.
    let anywhere = answer("[\"internet\"]", "<sipenable>on</sipenable>");
    assert_eq!(anywhere.verdict, Verdict::Unknown, "{}", anywhere.headline);
    finding(&anywhere, "sip-helper");
}
