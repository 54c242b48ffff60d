//! Bad input: one message with its place and what to do, exit code 2, no panic, quickly.

#[path = "../../core/tests/messages.rs"]
mod messages;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const GOOD: &str = r#"address = "203.0.113.5"

[[gateway]]
config = ["ruleset.nft", "ip-addr.json"]

[[deploy]]
system = "livekit"
host   = "192.168.1.50"
"#;

const RULESET: &str =
    "table ip nat {\n\tchain prerouting {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t}\n}\n";

const ADDRESSES: &str = r#"[{"ifname":"wan0","addr_info":[{"family":"inet","local":"203.0.113.5","prefixlen":24}]},
{"ifname":"lan0","addr_info":[{"family":"inet","local":"192.168.1.1","prefixlen":24}]}]"#;

/// A directory with a site that reads well, removed at the end.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-bad-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        let site = Self(dir);
        site.write("callpath.toml", GOOD.as_bytes());
        site.write("ruleset.nft", RULESET.as_bytes());
        site.write("ip-addr.json", ADDRESSES.as_bytes());
        site
    }

    fn write(&self, file: &str, content: &[u8]) {
        fs::write(self.0.join(file), content).expect("write");
    }

    fn run(&self, args: &[&str]) -> (Output, Duration) {
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(&self.0).output();
        (output.expect("callpath runs"), start.elapsed())
    }

    /// The message of a run that must give no answer.
    fn refused(&self, args: &[&str]) -> String {
        let (output, time) = self.run(args);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.stdout.is_empty(), "{args:?}: nothing is judged");
        assert_eq!(stderr.matches("error").count(), 1, "{args:?}: one message\n{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(stderr.len() < 4000, "{args:?}: {} bytes", stderr.len());
        assert!(time < Duration::from_secs(5), "{args:?} took {time:?}");
        stderr
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_site_that_the_other_tests_break_reads_well() {
    let site = Site::new("good");
    let (output, _) = site.run(&["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What is changed in the manifest, the place in the message, the message, what to do. What its text alone shows has its
/// rows in `crates/core/src/manifest/tests.rs`; here stands what shows beside the files, and how the program prints either.
const MANIFESTS: &[(&str, &str, &str, &str, &str)] = &[
    ("[[deploy]]", "[[deploy]", "callpath.toml:6:", "error: ", "TOML"),
    ("host  ", "hots  ", "callpath.toml:8:1", "unknown key `hots`", "did you mean `host`?"),
    ("\"livekit\"", "\"livekid\"", "callpath.toml:7:10", "no product is called `livekid`", "did you mean `livekit`?"),
    ("192.168.1.50\"", "192.168.1.50\"\nwith = { udb = 7 }", "callpath.toml:9:10", "no parameter `udb`", "`udp`"),
    (
        "192.168.1.50\"",
        "192.168.1.50\"\nclients = [\"net:cellar\"]",
        "callpath.toml:9:12",
        "no place `net:cellar`",
        "places: internet",
    ),
    (
        "\"192.168.1.50\"",
        "\"fd00::50\"",
        "callpath.toml:8:10",
        "no gateway has an interface in the network of fd00::50",
        "none of that family",
    ),
    (
        "\"192.168.1.50\"",
        "\"192.168.7.50\"",
        "callpath.toml:8:10",
        "no gateway has an interface",
        "lan0 of router (192.168.1.1/24)",
    ),
    (
        "\"192.168.1.50\"",
        "\"192.168.1.1\"",
        "callpath.toml:8:10",
        "is router's own address on lan0",
        "the server's address",
    ),
    (
        "\"ruleset.nft\"",
        "\"missing.nft\"",
        "callpath.toml:4:11",
        "`missing.nft` cannot be read: there is no such file",
        "relative to callpath.toml",
    ),
    (
        "\"ip-addr.json\"]",
        "\"ip-addr.json\"]\nkernel = { net.ipv4.conf.wan1.rp_filter = 1 }",
        "callpath.toml:5:31",
        "there is no interface `wan1`",
        "did you mean `wan0`?",
    ),
    ("\"ruleset.nft\"", "\".\"", "callpath.toml:4:11", "`.` is a directory", "name a file in it"),
    ("\"ruleset.nft\", ", "", "callpath.toml:4:11", "no firewall rules among the files of router", "nft list ruleset"),
    (", \"ip-addr.json\"", "", "callpath.toml:3:1", "nothing says which addresses router has", "ip -j addr"),
    (
        "\"ip-addr.json\"]",
        "\"ip-addr.json\"]\nwan = \"198.51.100.9\"",
        "callpath.toml:5:7",
        "has 203.0.113.5, not 198.51.100.9",
        "remove `wan`",
    ),
    (
        "\"ip-addr.json\"]",
        "\"ip-addr.json\"]\nroutes = [\"default via 10.9.9.9\"]",
        "callpath.toml:5:11",
        "no interface's network holds",
        "dev",
    ),
    (
        "\"ip-addr.json\"]",
        "\"ip-addr.json\"]\nroutes = [\"default dev wan7\"]",
        "callpath.toml:5:11",
        "there is no interface `wan7`",
        "wan0",
    ),
    (
        "[[deploy]]",
        "[[net]]\nname = \"far\"\nprefix = \"10.9.0.0/16\"\n[[deploy]]",
        "callpath.toml:8:10",
        "nothing says where 10.9.0.0/16 is",
        "behind",
    ),
    (
        "[[deploy]]",
        "[[net]]\nname = \"far\"\nprefix = \"10.9.0.0/16\"\nbehind = \"lan9\"\n[[deploy]]",
        "callpath.toml:9:10",
        "no gateway has an interface `lan9`",
        "lan0",
    ),
    (
        "config = [\"ruleset.nft\", \"ip-addr.json\"]",
        "config = \"nowhere/\"",
        "callpath.toml:4:10",
        "`nowhere/` cannot be read: there is no such file",
        "relative to callpath.toml",
    ),
    ("192.168.1.50\"", "192.168.1.50\"\nconfig = \"compose.yaml\"", "callpath.toml:9:10", "cannot be read", "check"),
    (
        "[[deploy]]",
        "[[net]]\nname = \"wg\"\nprefix = \"10.66.0.0/24\"\ntunnel = true\n[[deploy]]",
        "callpath.toml:8:10",
        "no device has an address in the tunnel 10.66.0.0/24",
        "`interfaces` of the gateway at its end",
    ),
    (
        "[[deploy]]",
        "[[gateway]]\ninside = \"192.168.9.1/24\"\nwan = \"10.1.1.1\"\nforwards = \"none\"\n[[deploy]]",
        "callpath.toml:6:1",
        "nothing says how the box in front is connected to router",
        "192.168.1.0/24",
    ),
    (
        "[[deploy]]",
        "[[gateway]]\nline = \"b\"\nwan = \"203.0.113.5\"\ninside = \"192.168.9.1/24\"\n[[deploy]]",
        "callpath.toml:8:7",
        "203.0.113.5 is an address of the site",
        "leave `line` out",
    ),
    (
        "config = [\"ruleset.nft\", \"ip-addr.json\"]",
        "inside = \"203.0.113.1/24\"\nforwards = [\"tcp/443\"]",
        "callpath.toml:4:10",
        "so the box in front translates nothing",
        "passes = [\"tcp/443\"]",
    ),
    (
        "[[deploy]]",
        "[[deploy]]\nsystem = \"livekit\"\nlabel = \"two\"\nhost = \"192.168.1.50\"\n[[deploy]]",
        "callpath.toml:10:1",
        "both listen on",
        "other ports",
    ),
];

#[test]
fn every_mistake_in_the_manifest_is_named_at_its_place() {
    let site = Site::new("manifest");
    for (from, to, place, message, help) in MANIFESTS {
        assert!(GOOD.contains(from), "{from}");
        site.write("callpath.toml", GOOD.replacen(from, to, 1).as_bytes());
        let stderr = site.refused(&["check"]);
        for wanted in [place, message, help] {
            assert!(stderr.contains(wanted), "{to}: no `{wanted}` in\n{stderr}");
        }
    }
}

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

/// A message about a site without a row in a table is one that nobody has read.
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

/// A file of the site, its content, the place in the message, the message, what to do.
const FILES: &[(&str, &[u8], &str, &str, &str)] = &[
    ("ruleset.nft", b"", "ruleset.nft:1:1", "an empty file", "as root"),
    ("ruleset.nft", b"\n\n", "ruleset.nft:3:1", "an empty file", "as root"),
    ("ruleset.nft", b"table ip nat {\n\tchain a {\n", "ruleset.nft:", "error: ", "help: "),
    ("ruleset.nft", b"table ip nat { chain a { accept } } }", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"table ip t { chain c { ip saddr $nobody accept\n } }", "ruleset.nft:1:", "error: ", "nobody"),
    ("ruleset.nft", b"<?xml version=\"1.0\"?><config/>", "ruleset.nft:1:1", "XML", "nft list ruleset"),
    (
        "ruleset.nft",
        b"<?xml version=\"1.0\"?><pfsense/>",
        "ruleset.nft:1:22",
        "neither interfaces nor rules",
        "Backup area: All",
    ),
    ("ruleset.nft", b"*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "ruleset.nft:1:1", "iptables-save", "nft list ruleset"),
    ("ruleset.nft", b"[Interface]\nPrivateKey = x\n", "ruleset.nft:1:1", "INI", "nft list ruleset"),
    ("ruleset.nft", b"\x7fELF\x02\x01\x01\x00\x00\x00", "ruleset.nft:1:1", "not a text file", "nft list ruleset"),
    ("ruleset.nft", b"table ip \xff\xfe", "callpath.toml:4:11", "not a text file", "as text"),
    ("ruleset.nft", b"dear diary, today it rained", "ruleset.nft:1:1", "error: ", "nft list ruleset"),
    ("ruleset.nft", b"{\"nftables\": [{\"metainfo\": {}}, {]}", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"{\"a\": 1}", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"{", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"# only a comment\n", "ruleset.nft:1:1", "no table", "as root"),
    ("ip-addr.json", b"[{\"ifname\":\"wan0\"", "ip-addr.json:1:", "broken JSON", "whole output"),
    ("ip-addr.json", b"[{\"a\":1}]", "ip-addr.json:1:1", "not one that `ip -j addr`", "run `ip -j addr`"),
    ("ip-addr.json", b"1: lo: <LOOPBACK,UP> mtu 65536\n", "ip-addr.json:1:1", "for people", "run `ip -j addr`"),
    ("ip-addr.json", b"[{\"ifname\":7}]", "ip-addr.json:1:1", "not what `ip -j addr` prints", "run `ip -j addr` again"),
    ("ip-addr.json", b"[]", "callpath.toml:3:1", "nothing says which addresses router has", "ip -j addr"),
    ("callpath.toml", b"{\"name\": 1}", "callpath.toml:1:", "error: ", "another kind of file"),
    ("callpath.toml", b"\x00\x01\x02", "callpath.toml:1:", "error: ", "help: "),
    ("callpath.toml", b"\xff\xfe", "callpath.toml", "not a text file", "as text"),
    ("callpath.toml", b"", "callpath.toml:1:1", "nothing is installed", "add a [[deploy]] table"),
];

#[test]
fn every_broken_or_foreign_file_is_named() {
    for (n, (file, content, place, message, help)) in FILES.iter().enumerate() {
        let site = Site::new(&format!("file{n}"));
        site.write(file, content);
        let stderr = site.refused(&["check"]);
        for wanted in [place, message, help] {
            assert!(stderr.contains(wanted), "{:?}: no `{wanted}` in\n{stderr}", String::from_utf8_lossy(content));
        }
    }
}

#[test]
fn a_folder_stands_for_the_files_in_it() {
    let site = Site::new("folder");
    fs::create_dir(site.0.join("router")).expect("directory");
    for file in ["ruleset.nft", "ip-addr.json"] {
        fs::rename(site.0.join(file), site.0.join("router").join(file)).expect("move");
    }
    let manifest = GOOD.replace("[\"ruleset.nft\", \"ip-addr.json\"]", "\"router\"");
    site.write("callpath.toml", manifest.as_bytes());
    site.write("router/.swap", b"\x00");
    let (output, _) = site.run(&["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    site.write("router/notes.txt", b"dear diary, today it rained");
    let stderr = site.refused(&["check"]);
    assert!(stderr.contains("router/notes.txt:1:1") || stderr.contains("second ruleset"), "{stderr}");
    fs::create_dir(site.0.join("empty")).expect("directory");
    site.write("callpath.toml", manifest.replace("router", "empty/").as_bytes());
    let stderr = site.refused(&["check"]);
    assert!(
        stderr.contains("callpath.toml:4:10") && stderr.contains("`empty/` is a directory without a file"),
        "{stderr}"
    );
}

#[test]
fn huge_files_are_refused_at_once() {
    let site = Site::new("huge");
    for file in ["ruleset.nft", "callpath.toml"] {
        let handle = fs::File::create(site.0.join(file)).expect("create");
        handle.set_len(200 << 20).expect("200 MB");
        let start = Instant::now();
        let stderr = site.refused(&["check"]);
        assert!(stderr.contains("is too large: 200 MB"), "{stderr}");
        assert!(stderr.contains("right file"), "{stderr}");
        assert!(start.elapsed() < Duration::from_secs(1));
        let stderr = site.refused(&["import", file]);
        assert!(stderr.contains("is too large: 200 MB"), "{stderr}");
    }
}

#[test]
fn places_without_a_manifest_say_what_to_do() {
    let site = Site::new("empty");
    fs::create_dir(site.0.join("empty")).expect("directory");
    let stderr = site.refused(&["check", "empty"]);
    assert!(stderr.contains("--> empty") && stderr.contains("there is no callpath.toml"), "{stderr}");
    let stderr = site.refused(&["check", "nowhere"]);
    assert!(stderr.contains("`nowhere` cannot be read: there is no such file"), "{stderr}");
    let stderr = site.refused(&["check", "ruleset.nft"]);
    assert!(stderr.contains("this is rules of nftables, not a callpath.toml"), "{stderr}");
    site.write("notes.txt", b"ring her at nine");
    let stderr = site.refused(&["check", "notes.txt"]);
    assert!(stderr.contains("notes.txt:1:") && stderr.contains("TOML"), "{stderr}");
    let stderr = site.refused(&["import", "empty"]);
    assert!(stderr.contains("`empty` is a directory"), "{stderr}");
    let stderr = site.refused(&["import", "--summary", "nowhere"]);
    assert!(stderr.contains("cannot be read"), "{stderr}");
}

#[test]
fn messages_name_the_file_as_it_was_reached() {
    let site = Site::new("deep");
    fs::create_dir(site.0.join("home")).expect("directory");
    for file in ["ruleset.nft", "ip-addr.json"] {
        fs::rename(site.0.join(file), site.0.join("home").join(file)).expect("move");
    }
    site.write("home/callpath.toml", GOOD.replace("livekit", "livekid").as_bytes());
    for way in ["home", "home/callpath.toml", "./home"] {
        let stderr = site.refused(&["check", way]);
        assert!(stderr.contains("--> home/callpath.toml:7:10"), "{stderr}");
    }
    site.write("home/callpath.toml", GOOD.as_bytes());
    site.write("home/ruleset.nft", b"<x/>");
    let stderr = site.refused(&["check", "home"]);
    assert!(stderr.contains("--> home/ruleset.nft:1:1"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_no_answer() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/linux-router");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
    let output = command.args(["check", "--format", "sarif"]).current_dir(example).stdout(full).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "the report is lost, whatever it said");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be printed"));
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/linux-router");
    let mut child = Command::new(env!("CARGO_BIN_EXE_callpath"))
        .arg("check")
        .arg(example)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("callpath runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
