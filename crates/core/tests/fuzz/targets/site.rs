//! A small site around a text.

use callpath_core::snapshot::{Snapshot, Source};

/// Rules that let a call in, for what is not under test.
const RULES: &str = "table ip t {
	chain pre {
		type nat hook prerouting priority dstnat;
		ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to 192.168.1.50
	}
	chain post {
		type nat hook postrouting priority srcnat;
		oifname \"wan\" masquerade
		ip saddr 192.168.1.0/24 ct status dnat masquerade
	}
	chain fwd {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct status dnat accept
		iifname \"lan\" accept
	}
}
";

const ADDRESSES: &str = r#"[{"ifname":"lo","addr_info":[{"local":"127.0.0.1","prefixlen":8}]},
{"ifname":"wan","addr_info":[{"local":"203.0.113.5","prefixlen":24},{"local":"2001:db8::5","prefixlen":64}]},
{"ifname":"lan","addr_info":[{"local":"192.168.1.1","prefixlen":24},{"local":"2001:db8:1::1","prefixlen":64}]}]
"#;

const ROUTES: &str = r#"[{"dst":"default","gateway":"203.0.113.1","dev":"wan"}]
"#;

const CONFIG: &str = "<?xml version=\"1.0\"?>
<pfsense><version>23.3</version>
<system><hostname>fw</hostname></system>
<interfaces>
<wan><enable/><if>wan</if><ipaddr>dhcp</ipaddr></wan>
<lan><enable/><if>lan</if><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan>
</interfaces>
<nat><outbound><mode>automatic</mode></outbound></nat>
<filter><rule><type>pass</type><interface>lan</interface><source><network>lan</network></source><destination><any/></destination></rule></filter>
</pfsense>
";

const PF: &str = "set skip on lo0
nat on wan inet from 192.168.1.0/24 to any -> (wan)
block in all
pass in quick on lan from 192.168.1.0/24 to any keep state
pass out all keep state
";

/// Files that a manifest can name.
pub fn files() -> Vec<Source> {
    let file = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    vec![
        file("ruleset.nft", RULES),
        file("ip-addr.json", ADDRESSES),
        file("ip-route.json", ROUTES),
        file("config.xml", CONFIG),
        file("rules.debug", PF),
    ]
}

/// The site of a manifest.
pub fn of_manifest(text: &str) -> Snapshot {
    let mut sources = vec![Source { name: "callpath.toml".into(), text: text.into() }];
    sources.extend(files());
    Snapshot { sources, directory: String::new() }
}

/// The site of a router's file, which is number 1.
pub fn of_file(name: &str, text: &str) -> Snapshot {
    let (files, wan) = match name {
        "config.xml" => (format!("\"{name}\""), "wan = \"203.0.113.5\"\n"),
        _ => (format!("\"{name}\", \"ip-addr.json\", \"ip-route.json\""), ""),
    };
    let manifest = format!(
        "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n\n[[gateway]]\nconfig = [{files}]\n{wan}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n"
    );
    let file = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let sources = vec![
        file("callpath.toml", &manifest),
        file(name, text),
        file("ip-addr.json", ADDRESSES),
        file("ip-route.json", ROUTES),
    ];
    Snapshot { sources, directory: String::new() }
}
