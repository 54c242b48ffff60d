//! Bad input: one message with its place and what to do, exit code 2, no panic, quickly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

pub const GOOD: &str = r#"address = "203.0.113.5"

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
pub struct Site(PathBuf);

impl Site {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-bad-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        let site = Self(dir);
        site.write("callpath.toml", GOOD.as_bytes());
        site.write("ruleset.nft", RULESET.as_bytes());
        site.write("ip-addr.json", ADDRESSES.as_bytes());
        site
    }

    pub fn write(&self, file: &str, content: &[u8]) {
        fs::write(self.0.join(file), content).expect("write");
    }

    pub fn run(&self, args: &[&str]) -> (Output, Duration) {
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(&self.0).output();
        (output.expect("callpath runs"), start.elapsed())
    }

    /// The message of a run that must give no answer.
    pub fn refused(&self, args: &[&str]) -> String {
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
/// rows in `crates/core/src/manifest/tests.rs`; here and in `bad_sites.rs` stands what shows beside the files.
pub const MANIFESTS: &[(&str, &str, &str, &str, &str)] = &[
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
    ("ruleset.nft", b"[Interface]\nPrivateKey = x\n", "ruleset.nft:1:1", "WireGuard", "nft list ruleset"),
    ("ruleset.nft", b"\x7fELF\x02\x01\x01\x00\x00\x00", "ruleset.nft:1:1", "not a text file", "nft list ruleset"),
    ("ruleset.nft", b"table ip \xff\xfe", "callpath.toml:4:11", "not a text file", "as text"),
    ("ruleset.nft", b"dear diary, today it rained", "ruleset.nft:1:1", "error: ", "nft list ruleset"),
    ("ruleset.nft", b"{\"nftables\": [{\"metainfo\": {}}, {]}", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"{\"a\": 1}", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"{", "ruleset.nft:1:", "error: ", "help: "),
    ("ruleset.nft", b"# only a comment\n", "ruleset.nft:1:1", "nothing in it but comments", "nft list ruleset"),
    ("ip-addr.json", b"[{\"ifname\":\"wan0\"", "ip-addr.json:1:", "broken JSON", "whole output"),
    ("ip-addr.json", b"[{\"a\":1}]", "ip-addr.json:1:1", "JSON of a kind that is not known", "nft list ruleset"),
    ("ip-addr.json", b"1: lo: <LOOPBACK,UP> mtu 65536\n", "ip-addr.json:1:1", "for people", "run `ip -j addr`"),
    ("ip-addr.json", b"[{\"ifname\":7}]", "ip-addr.json:1:1", "not what `ip -j addr` prints", "run `ip -j addr` again"),
    ("ip-addr.json", b"[]", "callpath.toml:3:1", "nothing says which addresses router has", "ip -j addr"),
    ("callpath.toml", b"{\"name\": 1}", "callpath.toml:1:", "error: ", "another kind of file"),
    ("callpath.toml", b"\x00\x01\x02", "callpath.toml:1:", "error: ", "help: "),
    ("callpath.toml", b"\xff\xfe", "callpath.toml", "not a text file", "save it as UTF-8"),
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
