//! Bad input that shows beside the files of a site, and a row of every message about one.

#[path = "../../core/tests/messages.rs"]
mod messages;

use crate::bad_input::{GOOD, MANIFESTS, Site};
use std::fs;
use std::path::Path;

/// Whole manifests, the place in the message, the message, what to do. `READ` stands for the gateway of [`GOOD`], `HERE`
/// for its [[deploy]] table.
const SITES: &[(&str, &str, &str, &str)] = &[
    (
        "READ\nHERE\nwith = { https = \"443-444\" }",
        "callpath.toml:7:18",
        "`https` is one port, not a range",
        "own is 443",
    ),
    ("READ\nHERE\nmode = \"x\"", "callpath.toml:7:8", "no mode `x`", "proxy"),
    (
        "address = \"203.0.113.9\"\n[[deploy]]\nsystem = \"nethvoice\"\nmode = \"node\"\nhost = \"192.168.1.50\"",
        "callpath.toml:4:8",
        "means that the server holds the public address, and 192.168.1.50 is private",
        "behind a router it is",
    ),
    (
        "READ\n[[peer]]\nname = \"trunk\"\naddress = \"192.0.2.1\"\nuses = \"sip-udp\"\nHERE",
        "callpath.toml:7:8",
        "nothing that is installed has a row `sip-udp`",
        "rows: ",
    ),
    (
        "READ\nHERE\n[[caller]]\nname = \"a\"\nconfig = [\"ruleset.nft\"]\ninterfaces = { lan = \"192.168.9.1/24\", wan = \"10.0.0.2/24\" }\nroutes = [\"default via 10.0.0.1\"]",
        "callpath.toml:7:1",
        "the public address of the router of a is not known",
        "add `wan =",
    ),
    (
        "READ\nHERE\n[[caller]]\nname = \"a\"\nconfig = [\"ruleset.nft\"]\ninterfaces = { wan = \"198.51.100.2/24\" }",
        "callpath.toml:7:1",
        "the router of a has no network behind it",
        "inner interface",
    ),
    (
        "READ\nHERE\n[[caller]]\nname = \"a\"\nconfig = [\"ruleset.nft\"]\ninterfaces = { lan = \"192.168.9.1/24\", wan = \"203.0.113.5/24\" }\nroutes = [\"default dev wan\"]",
        "callpath.toml:7:1",
        "203.0.113.5 of the router of a is an address of the site itself",
        "has another one",
    ),
    (
        "address = \"203.0.113.9\"\n[[gateway]]\ninside = \"192.168.1.1/24\"\nforwards = \"all\"\n[[deploy]]\nsystem = \"livekit\"\nhost = \"2001:db8::50\"",
        "callpath.toml:3:10",
        "no server behind the box in front has an IPv4 address",
        "add the server's IPv4 address",
    ),
    (
        "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"",
        "callpath.toml:1:1",
        "nothing says by which address the internet reaches the server",
        "address = \"203.0.113.5\"",
    ),
    (
        "address = \"198.51.100.9\"\n[[gateway]]\ninside = \"192.168.0.1/24\"\nforwards = \"all\"\n[[gateway]]\nconfig = [\"ruleset.nft\", \"leased.json\"]\nHERE",
        "callpath.toml:3:10",
        "which address of 192.168.0.1/24 does the box in front forward to?",
        "in the next [[gateway]] table",
    ),
    (
        "address = \"198.51.100.9\"\n[[gateway]]\ninside = \"192.168.9.1/24\"\nforwards = \"all\"\nHERE",
        "callpath.toml:3:10",
        "would forward to 192.168.1.50, which is not in its network",
        "check `inside`",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"leased.xml\"\nHERE",
        "callpath.toml:1:11",
        "has 203.0.113.5: WAN (em0) or LINE2 (em2)?",
        "interfaces = { em0",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"ruleset.nft\"\ninterfaces = { lan0 = \"192.168.1.1/24\" }\nHERE",
        "callpath.toml:2:1",
        "leads to a server; none leads to the internet",
        "wan =",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"ruleset.nft\"\ninterfaces = { lan0 = \"192.168.1.1/24\", a = \"10.1.0.1/24\", b = \"10.2.0.1/24\" }\nHERE",
        "callpath.toml:2:1",
        "leads to the internet: a or b?",
        "wan =",
    ),
    (
        "READ\ninterfaces = { wan0 = \"203.0.113.5/24\" }\nHERE",
        "callpath.toml:4:16",
        "the address dump names `wan0` too",
        "leave it out here",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = [\"ruleset.nft\", \"leased.xml\"]\nHERE",
        "callpath.toml:3:11",
        "has rules of pf and of nftables",
        "its own [[gateway]]",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"leased.xml\"\nkernel = { ip_forward = 1 }\nHERE",
        "callpath.toml:4:12",
        "is read from rules of pf, not of Linux",
        "leave `kernel` out",
    ),
    (
        "READ\nroutes = [\"default dev wan0\", \"10.5.0.0/16 dev lan0\", \"10.6.0.0/16 dev wan0\"]\n[[net]]\nname = \"a\"\nprefix = [\"10.5.0.0/16\", \"10.6.0.0/16\"]\nHERE",
        "callpath.toml:7:26",
        "lie behind different interfaces",
        "its own [[net]] table",
    ),
    (
        "READ\nroutes = [\"default dev wan0\", \"10.5.0.0/16 dev lan0\"]\n[[net]]\nname = \"a\"\nprefix = \"10.5.0.0/16\"\nbehind = \"wan0\"\nHERE",
        "callpath.toml:7:10",
        "route to 10.5.0.0/16 leads out by lan0",
        "",
    ),
    (
        "READ\nHERE\nfirewall = \"ruleset.nft\"\n[[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\nfirewall = \"named.nft\"",
        "callpath.toml:11:12",
        "`livekit` runs on the same host with other firewall files",
        "one of the [[deploy]] tables only",
    ),
    (
        "READ\nHERE\nfirewall = \"none\"\n[[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\nfirewall = \"unknown\"",
        "callpath.toml:11:12",
        "runs on the same host, and says another thing of its firewall",
        "one of the [[deploy]] tables only",
    ),
    (
        "READ\nHERE\nfirewall = \"none\"\n[[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\nfirewall = \"ruleset.nft\"",
        "callpath.toml:11:12",
        "says that its firewall is none or unknown",
        "leave `firewall` out there",
    ),
    (
        "READ\nHERE\ninterface = \"eth0\"\n[[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\ninterface = \"eth1\"",
        "callpath.toml:11:13",
        "another [[deploy]] table of this host names the interface eth0",
        "one of its tables only",
    ),
    (
        "READ\nHERE\nfirewall = [\"ruleset.nft\", \"ip-addr.json\"]",
        "callpath.toml:6:8",
        "the server's address dump does not hold 192.168.1.50",
        "check `host`",
    ),
    (
        "READ\nHERE\nfirewall = \"named.nft\"",
        "callpath.toml:7:12",
        "these rules name interfaces; which one holds the server's address?",
        "interface =",
    ),
    (
        "READ\n[[deploy]]\nsystem = \"livekit\"\nhost = [\"192.168.1.50\", \"2001:db8:9::50\"]",
        "callpath.toml:6:25",
        "no gateway has an interface in the network of 2001:db8:9::50",
        "none of that family",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"ruleset.nft\"\ninterfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\", dmz = \"2001:db8:2::1/64\" }\n[[deploy]]\nsystem = \"livekit\"\nhost = [\"192.168.1.50\", \"2001:db8:2::50\"]",
        "callpath.toml:7:25",
        "2001:db8:2::50 and the server's other address lie in different networks",
        "one interface of the server",
    ),
    (
        "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"ruleset.nft\"\ninterfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\", dmz = \"192.168.1.2/24\" }\nHERE",
        "callpath.toml:7:8",
        "192.168.1.50 lies in the networks of several interfaces: lan0 of router (192.168.1.1/24), dmz",
        "only one interface holds it",
    ),
];

/// Files of these manifests: a router whose address comes from the line, a pfSense with two such lines, and rules that
/// name an interface.
const MORE: &[(&str, &str)] = &[
    (
        "leased.json",
        r#"[{"ifname":"wan0","addr_info":[]},{"ifname":"lan0","addr_info":[{"family":"inet","local":"192.168.1.1","prefixlen":24}]}]"#,
    ),
    (
        "leased.xml",
        "<?xml version=\"1.0\"?><pfsense><version>24.0</version><interfaces><wan><enable></enable><if>em0</if><descr>WAN</descr><ipaddr>dhcp</ipaddr></wan><lan><enable></enable><if>em1</if><descr>LAN</descr><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan><opt1><enable></enable><if>em2</if><descr>LINE2</descr><ipaddr>dhcp</ipaddr></opt1></interfaces><filter></filter></pfsense>",
    ),
    (
        "named.nft",
        "table ip f { chain input { type filter hook input priority 0; policy drop; iifname \"eth0\" accept\n } }\n",
    ),
];

fn whole(manifest: &str) -> String {
    manifest
        .replace("READ", "address = \"203.0.113.5\"\n[[gateway]]\nconfig = [\"ruleset.nft\", \"ip-addr.json\"]")
        .replace("HERE", "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"")
}

#[test]
fn every_mistake_about_a_site_is_named_at_its_place() {
    let site = Site::new("sites");
    for (file, content) in MORE {
        site.write(file, content.as_bytes());
    }
    let mut wrong = Vec::new();
    for (manifest, place, message, help) in SITES {
        site.write("callpath.toml", whole(manifest).as_bytes());
        let (output, _) = site.run(&["check"]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(2) || [place, message, help].iter().any(|w| !stderr.contains(**w)) {
            wrong.push(format!("{manifest}\n{stderr}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Messages that another file's tests show, or that no input of today's readers leads to, each with where or why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("this gateway is no filter", "chain.rs asks for what it was told"),
    ("this gateway is read, not stated", "chain.rs asks for what it was told"),
    (", and the next router has ", "what a router's files say of its address is what is forwarded to"),
];

/// A message about a site without a row in a table was never read.
#[test]
fn every_message_about_a_site_has_its_row() {
    let site = Site::new("messages");
    let shown: Vec<String> = MANIFESTS
        .iter()
        .map(|(from, to, ..)| {
            site.write("callpath.toml", GOOD.replacen(from, to, 1).as_bytes());
            site.refused(&["check"])
        })
        .collect();
    for (file, content) in MORE {
        site.write(file, content.as_bytes());
    }
    let sites = SITES.iter().map(|(manifest, ..)| {
        site.write("callpath.toml", whole(manifest).as_bytes());
        site.refused(&["check"])
    });
    let shown: Vec<String> = shown.into_iter().chain(sites).collect();
    let mut sources = Vec::new();
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut folders = vec![core.join("call"), core.join("profile")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder").flatten() {
            let path = entry.path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(e) if e == "rs" => sources.push(path),
                _ => {}
            }
        }
    }
    let mut without = Vec::new();
    for path in sources {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        for message in messages::in_source(&fs::read_to_string(&path).expect("the source")) {
            let words = message.join("…");
            let elsewhere = ELSEWHERE.iter().any(|(m, _)| words.contains(m));
            if !elsewhere && !shown.iter().any(|text| messages::fits(&message, text)) {
                without.push(format!("{name}: {words}"));
            }
        }
    }
    without.sort();
    assert!(without.is_empty(), "no row shows\n{}", without.join("\n"));
}
