//! Settings of the kernel that decide beside the rules: stated, read from a file, or taken as given and said so.

use callpath_core::check::analyze;
use callpath_core::report::{Report, Verdict};
use callpath_core::snapshot::{InputError, Snapshot, Source};

fn judged(files: &[(&str, &str)]) -> Result<Report, InputError> {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    analyze(&Snapshot { sources: files.iter().map(source).collect(), directory: String::new() })
}

fn report(files: &[(&str, &str)]) -> Report {
    judged(files).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn verdict(report: &Report, id: &str) -> Verdict {
    let ids: Vec<&str> = report.paths.iter().map(|p| &*p.id).collect();
    report.paths.iter().find(|p| p.id == id).unwrap_or_else(|| panic!("no {id} among {ids:?}")).verdict
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

/// The site, with a line for the gateway's table.
fn site(line: &str) -> String {
    format!(
        "address = [\"203.0.113.5\", \"2001:db8:1::50\"]
[[gateway]]
config = \"r.nft\"
interfaces = {{ wan0 = [\"203.0.113.5/24\", \"2001:db8::2/64\"], lan0 = [\"192.168.1.1/24\", \"2001:db8:1::1/64\"] }}
routes = [\"default via 203.0.113.1\", \"default via 2001:db8::1\"]
{line}
[[deploy]]
system = \"livekit\"
host = [\"192.168.1.50\", \"2001:db8:1::50\"]
"
    )
}

#[test]
fn packets_of_a_family_are_passed_on_or_not() {
    for (line, v4, v6) in [
        ("", Verdict::Works, Verdict::Works),
        ("kernel = { net.ipv6.conf.all.forwarding = 0 }", Verdict::Works, Verdict::Fails),
        ("kernel = { \"net/ipv6/conf/all/forwarding\" = 1, ip_forward = 0 }", Verdict::Fails, Verdict::Works),
        // IPv4 asks the interface of arrival, IPv6 the whole device unless the interface says "whatever".
        ("kernel = { ip_forward = 1, net.ipv4.conf.wan0.forwarding = 0 }", Verdict::Fails, Verdict::Works),
        ("kernel = { net.ipv6.conf.wan0.forwarding = 0 }", Verdict::Works, Verdict::Works),
        (
            "kernel = { net.ipv6.conf.all.forwarding = 0, net.ipv6.conf.wan0.force_forwarding = 1, net.ipv6.conf.lan0.force_forwarding = 1 }",
            Verdict::Works,
            Verdict::Works,
        ),
    ] {
        let found = report(&[("callpath.toml", &site(line)), ("r.nft", OPEN)]);
        let is = |family| verdict(&found, &format!("livekit/internet:public{family}"));
        assert_eq!((is(""), is("/v6")), (v4, v6), "{line}");
    }
}

#[test]
fn a_file_of_settings_is_recognised_and_contradicts_what_is_stated() {
    let manifest = site("").replace("\"r.nft\"", "[\"r.nft\", \"sysctl.txt\"]");
    let dump = "kernel.hostname = r\nnet.ipv4.ip_forward = 0\nnet.ipv6.conf.all.forwarding = 1\n";
    let found = report(&[("callpath.toml", &manifest), ("r.nft", OPEN), ("sysctl.txt", dump)]);
    assert_eq!(verdict(&found, "livekit/internet:public"), Verdict::Fails);
    let given = "router: the settings of its kernel are those of sysctl.txt";
    assert!(found.assumptions.iter().any(|a| a == given), "{:?}", found.assumptions);
    let both = manifest.replace("[[deploy]]", "kernel = { ip_forward = 1 }\n[[deploy]]");
    let error = judged(&[("callpath.toml", &both), ("r.nft", OPEN), ("sysctl.txt", dump)]).expect_err("two values");
    assert_eq!(error.message, "`sysctl.txt` says that ip_forward is 0");
    let twice = manifest.replace("\"sysctl.txt\"", "\"sysctl.txt\", \"more.txt\"");
    let more = "net.ipv4.ip_forward = 1\n";
    let files = [("callpath.toml", &*twice), ("r.nft", OPEN), ("sysctl.txt", dump), ("more.txt", more)];
    assert_eq!(judged(&files).expect_err("two values").message, "`more.txt` says otherwise about ip_forward");
}

#[test]
fn a_loopback_destination_is_taken_from_outside_where_the_kernel_is_told_to() {
    // The server has the public address itself; its web port is that of a program that listens on loopback.
    let manifest = |line: &str| {
        format!("[[deploy]]\nsystem = \"livekit\"\nhost = \"203.0.113.5\"\nfirewall = \"fw.nft\"\n{line}\n")
    };
    let rules = "table ip nat {\n\tchain p {\n\t\ttype nat hook prerouting priority dstnat;\n\t\ttcp dport 443 dnat to 127.0.0.1\n\t}\n}\n";
    for (line, wanted) in [
        ("", Verdict::Unknown),
        ("kernel = { route_localnet = 0 }", Verdict::Fails),
        ("kernel = { route_localnet = 1 }", Verdict::Works),
        ("kernel = { net.ipv4.conf.eth0.route_localnet = 1 }", Verdict::Works),
    ] {
        let found = report(&[("callpath.toml", &manifest(line)), ("fw.nft", rules)]);
        assert_eq!(verdict(&found, "livekit/internet:public"), wanted, "{line}: {}", found.headline);
        if line.is_empty() {
            let asked: Vec<&str> = found
                .paths
                .iter()
                .flat_map(|p| &p.legs)
                .flat_map(|l| &l.any_of)
                .flat_map(|r| &r.pieces)
                .flat_map(|p| &p.doubts)
                .map(|d| &*d.supply)
                .collect();
            assert!(asked.iter().any(|s| s.contains("route_localnet = 0")), "{asked:?}");
        }
    }
}

/// A home router whose default route is its own line; calls come by a tunnel, and answers go back there by their mark.
#[test]
fn the_way_back_is_checked_where_the_kernel_is_told_to() {
    let manifest = |line: &str| {
        format!(
            "address = \"203.0.113.20\"
[[gateway]]
label = \"VPS\"
config = \"vps.nft\"
interfaces = {{ ens3 = \"203.0.113.20/24\", wg0 = \"10.66.0.1/24\" }}
routes = [\"default via 203.0.113.1\"]
[[gateway]]
label = \"home\"
config = [\"home.nft\", \"rules.json\", \"routes.json\"]
wan = \"10.66.0.2\"
interfaces = {{ wan0 = \"198.51.100.7/24\", wg0 = \"10.66.0.2/24\", eth0 = \"192.168.1.1/24\" }}
{line}
[[deploy]]
system = \"livekit\"
host = \"192.168.1.50\"
clients = [\"internet\"]
"
        )
    };
    let vps = "table ip nat {\n\tchain p {\n\t\ttype nat hook prerouting priority dstnat;\n\t\tiifname \"ens3\" dnat to 10.66.0.2\n\t}\n}\n";
    let home = "table ip m {\n\tchain m {\n\t\ttype filter hook prerouting priority mangle;\n\t\tiifname \"wg0\" meta mark set 0x1 ct mark set 0x1\n\t\tct mark 0x1 meta mark set ct mark\n\t}\n\tchain p {\n\t\ttype nat hook prerouting priority dstnat;\n\t\tiifname \"wg0\" dnat to 192.168.1.50\n\t}\n}\n";
    let routes = r#"[{"dst":"default","gateway":"198.51.100.1","dev":"wan0","flags":[]},
        {"dst":"default","dev":"wg0","table":"123","flags":[]},{"dst":"192.168.1.0/24","dev":"eth0","table":"123","flags":[]},
        {"dst":"10.66.0.0/24","dev":"wg0","flags":[]},{"dst":"192.168.1.0/24","dev":"eth0","flags":[]}]"#;
    let rules = r#"[{"priority":0,"src":"all","table":"local"},{"priority":1000,"src":"all","fwmark":"0x1","table":"123"},
        {"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]"#;
    for (line, wanted) in [
        ("", Verdict::Works),
        ("kernel = { rp_filter = 0 }", Verdict::Works),
        // Loose: some route leads to the caller.
        ("kernel = { net.ipv4.conf.wg0.rp_filter = 2 }", Verdict::Works),
        // Strict: without its mark the answer would leave by the home line.
        ("kernel = { rp_filter = 1 }", Verdict::Fails),
        ("kernel = { net.ipv4.conf.wan0.rp_filter = 1 }", Verdict::Works),
        ("kernel = { rp_filter = 1, src_valid_mark = 1 }", Verdict::Works),
    ] {
        let files = [
            ("callpath.toml", &*manifest(line)),
            ("vps.nft", vps),
            ("home.nft", home),
            ("rules.json", rules),
            ("routes.json", routes),
        ];
        let found = report(&files);
        assert_eq!(verdict(&found, "livekit/internet:public"), wanted, "{line}: {}", found.headline);
    }
}

/// As real bridges did it, with a client and a server on two ports, and on one port behind a switch.
#[test]
fn a_bridge_shows_its_packets_to_the_rules_where_the_kernel_is_told_to() {
    // Without a rule of its own for what stays inside, and with the address of the server as the name's answer there.
    let turned = "table inet f {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname \"br0\" oifname \"wan0\" accept
		ct status dnat accept
	}
	chain pre {
		type nat hook prerouting priority dstnat;
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat ip to 192.168.1.50
		ip daddr 203.0.113.5 udp dport 50000-60000 dnat ip to 192.168.1.50
	}
	chain post {
		type nat hook postrouting priority srcnat;
		oifname \"wan0\" masquerade
		MASQUERADE
	}
}
";
    let with = |line: &str| turned.replace("MASQUERADE", line);
    let plain = with("");
    let seen = with("iifname \"br0\" oifname \"br0\" ct status dnat masquerade");
    let blind = with("oifname \"br0\" ct status dnat masquerade");
    let dump = |ports: usize| {
        let port = |n| format!(r#",{{"ifname":"p{n}","master":"br0","addr_info":[]}}"#);
        format!(
            r#"[{{"ifname":"wan0","addr_info":[{{"local":"203.0.113.5","prefixlen":24}}]}},
            {{"ifname":"br0","addr_info":[{{"local":"192.168.1.1","prefixlen":24}}]}}{}]"#,
            (0..ports).map(port).collect::<String>()
        )
    };
    for (rules, ports, value, wanted) in [
        // Nothing meets rules: the answer comes from the server's own address.
        (&plain, 2, 0, Verdict::Fails),
        (&seen, 2, 0, Verdict::Works),
        // By one port nothing comes back; by two the answers pass the bridge's sessions.
        (&plain, 1, 1, Verdict::Fails),
        (&seen, 1, 1, Verdict::Fails),
        (&plain, 2, 1, Verdict::Unknown),
        (&seen, 2, 1, Verdict::Unknown),
        (&blind, 2, 1, Verdict::Unknown),
        // No bridge at all.
        (&seen, 0, 1, Verdict::Works),
    ] {
        let manifest = format!(
            "address = \"203.0.113.5\"\n[[gateway]]\nconfig = [\"r.nft\", \"addr.json\"]\nroutes = [\"default via 203.0.113.1\"]\n\
             kernel = {{ bridge-nf-call-iptables = {value} }}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n"
        );
        let found = report(&[("callpath.toml", &manifest), ("r.nft", rules), ("addr.json", &dump(ports))]);
        assert_eq!(verdict(&found, "livekit/lan:app"), wanted, "{ports} ports, {value}: {}\n{rules}", found.headline);
        assert_eq!(verdict(&found, "livekit/internet:public"), Verdict::Works, "{ports} ports, {value}");
    }
}
