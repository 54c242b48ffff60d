//! A site of a stranger reads no other file of this machine: neither by its path, nor by a link, nor by an include, nor by
//! being something else than a file.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Stands in every file that must not come out.
const CANARY: &str = "canary-4711";

/// A folder with a site in `site/`, and files of somebody else beside it; removed at the end.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-foreign-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("site")).expect("folder");
        let dir = dir.canonicalize().expect("a real path");
        fs::write(dir.join("rules.nft"), ruleset(&format!("ip saddr 192.0.2.1 accept comment \"{CANARY}\"")))
            .expect("write");
        fs::write(dir.join("secret.txt"), format!("password = \"{CANARY}\"\n")).expect("write");
        Self(dir)
    }

    fn site(&self) -> PathBuf {
        self.0.join("site")
    }

    /// The site with a router whose configuration is the file of this name.
    fn manifest(&self, config: &str) {
        fs::write(self.site().join("callpath.toml"), manifest(config, "")).expect("write");
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let start = Instant::now();
        let output =
            Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(self.site()).output().expect("runs");
        assert!(start.elapsed() < Duration::from_mins(1), "{args:?} waits");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("panicked"), "{text}");
        (output.status.code(), text)
    }

    /// Refused by every command, with these words, and nothing of other files in what is printed or written.
    fn refused(&self, words: &[&str]) {
        for args in
            [&["check"][..], &["check", "--format", "json"], &["snapshot", "-o", "out.json"], &["render", "nftables"]]
        {
            let (code, text) = self.run(args);
            assert_eq!(code, Some(2), "{args:?}: {text}");
            assert!(!text.contains(CANARY) && !text.contains("root:"), "{args:?}: {text}");
            for word in words {
                assert!(text.contains(word), "{args:?}: no `{word}` in {text}");
            }
            assert!(!self.site().join("out.json").exists(), "{args:?} wrote a snapshot");
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ruleset(rule: &str) -> String {
    format!(
        "table inet filter {{\n\tchain forward {{\n\t\ttype filter hook forward priority 0; policy accept;\n\t\t{rule}\n\t}}\n}}\n"
    )
}

fn manifest(config: &str, deploy: &str) -> String {
    format!(
        "address = \"203.0.113.9\"\n[[gateway]]\nconfig = \"{config}\"\n\
         interfaces = {{ wan = \"203.0.113.9/24\", lan = \"192.168.1.1/24\" }}\nroutes = [\"default via 203.0.113.1\"]\n\
         [[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n{deploy}"
    )
}

#[test]
fn paths_that_lead_out_are_refused_and_their_folder_can_be_allowed() {
    let m = Machine::new("paths");
    let absolute = m.0.join("rules.nft").display().to_string();
    fs::create_dir(m.site().join("sub")).expect("folder");
    for path in
        ["../rules.nft", "../secret.txt", "../none.nft", "sub/../../rules.nft", &absolute, "/etc/passwd", "/etc/none"]
    {
        m.manifest(path);
        m.refused(&[path, "lies outside of this site's folder", "--also-read"]);
    }
    let here = m.0.display().to_string();
    for path in ["../rules.nft", &absolute] {
        m.manifest(path);
        let (code, text) = m.run(&["check", "--also-read", &here]);
        assert!(matches!(code, Some(0 | 1)), "{text}");
        // The kind of the file still counts.
        m.manifest("../secret.txt");
        let (code, text) = m.run(&["check", "--also-read", &here]);
        assert!(code == Some(2) && !text.contains(CANARY) && text.contains("a kind that is not known"), "{text}");
    }
    let (code, text) = m.run(&["check", "--also-read", "nowhere"]);
    assert!(code == Some(2) && text.contains("`nowhere` cannot be read: there is no such file"), "{text}");
    // A path that stays inside is as good as a shorter one.
    fs::write(m.site().join("rules.nft"), ruleset("accept")).expect("write");
    m.manifest("sub/../rules.nft");
    assert!(matches!(m.run(&["check"]).0, Some(0 | 1)));
}

#[test]
fn other_keys_with_files_are_no_way_out_either() {
    let m = Machine::new("keys");
    fs::write(m.site().join("rules.nft"), ruleset("accept")).expect("write");
    for deploy in ["firewall = \"../rules.nft\"", "firewall = [\"rules.nft\", \"../secret.txt\"]"] {
        fs::write(m.site().join("callpath.toml"), manifest("rules.nft", deploy)).expect("write");
        m.refused(&["lies outside of this site's folder"]);
    }
    let caller = "[[caller]]\nname = \"anna\"\nconfig = \"../rules.nft\"\n";
    fs::write(m.site().join("callpath.toml"), manifest("rules.nft", caller)).expect("write");
    m.refused(&["lies outside of this site's folder"]);
}

#[test]
fn links_that_lead_out_are_refused() {
    let m = Machine::new("links");
    symlink(m.0.join("rules.nft"), m.site().join("linked.nft")).expect("link");
    symlink("/etc/passwd", m.site().join("passwd")).expect("link");
    symlink("/dev/zero", m.site().join("zero")).expect("link");
    symlink("/proc/self/environ", m.site().join("environ")).expect("link");
    symlink(&m.0, m.site().join("up")).expect("link");
    for path in ["linked.nft", "passwd", "zero", "environ", "up/rules.nft", "up/secret.txt"] {
        m.manifest(path);
        m.refused(&[path, "is a link that leads out of this site's folder"]);
    }
    // A link inside is a second name.
    fs::write(m.site().join("rules.nft"), ruleset("accept")).expect("write");
    symlink("rules.nft", m.site().join("second.nft")).expect("link");
    m.manifest("second.nft");
    assert!(matches!(m.run(&["check"]).0, Some(0 | 1)));
    // The manifest itself.
    fs::rename(m.site().join("callpath.toml"), m.0.join("callpath.toml")).expect("moved");
    symlink("../callpath.toml", m.site().join("callpath.toml")).expect("link");
    m.refused(&["callpath.toml` is a link that leads out of its folder"]);
    fs::remove_file(m.site().join("callpath.toml")).expect("removed");
    symlink("../secret.txt", m.site().join("callpath.toml")).expect("link");
    m.refused(&["callpath.toml` is a link that leads out of its folder"]);
}

#[test]
fn commands_that_look_through_a_folder_follow_no_link_out_of_it() {
    let m = Machine::new("looking");
    fs::write(m.site().join("own.nft"), ruleset("accept")).expect("write");
    symlink("own.nft", m.site().join("second.nft")).expect("link");
    for (target, name) in [("../rules.nft", "linked.nft"), ("/etc/passwd", "passwd"), ("/dev/zero", "zero")] {
        symlink(target, m.site().join(name)).expect("link");
    }
    fs::create_dir(m.site().join("deep")).expect("folder");
    symlink("../../rules.nft", m.site().join("deep/linked.nft")).expect("link");
    let (code, text) = m.run(&["import", "--summary", "."]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("2 rulesets, 4 files not read"), "{text}");
    assert_eq!(text.matches("a link that leads out of this directory").count(), 4, "{text}");
    let init = ["init", "--system", "livekit", "--host", "192.168.1.50", "--address", "203.0.113.9"];
    fs::remove_file(m.site().join("own.nft")).expect("removed");
    fs::remove_file(m.site().join("second.nft")).expect("removed");
    let (code, text) = m.run(&init);
    assert!(code == Some(0) && !text.contains("found"), "{text}");
}

#[test]
fn what_is_no_regular_file_or_of_no_known_kind_is_refused_and_not_quoted() {
    let m = Machine::new("kinds");
    let made = Command::new("mkfifo").arg(m.site().join("fifo")).status().expect("mkfifo runs");
    assert!(made.success());
    m.manifest("fifo");
    m.refused(&["`fifo` is not a regular file"]);
    for (text, words) in [
        (format!("{CANARY}\n"), "a text of a kind that is not known"),
        (format!("#!/bin/sh\n{CANARY}\n"), "a script"),
        (format!("<html>{CANARY}"), "a page of HTML"),
        (format!("-----BEGIN OPENSSH PRIVATE KEY-----{CANARY}\n"), "a key or certificate"),
        (format!("[{CANARY}]\n"), "a file in INI or TOML style"),
    ] {
        fs::write(m.site().join("file"), text).expect("write");
        m.manifest("file");
        m.refused(&["--> file:1:1", words]);
    }
    // Files of the kernel that say they are empty, or wait.
    for file in ["/proc/self/environ", "/proc/kmsg", "/proc/self/mem"] {
        m.manifest(file);
        let (code, text) = m.run(&["check", "--also-read", "/proc"]);
        assert!(code == Some(2) && text.contains("this is an empty file"), "{file}: {text}");
    }
}

#[test]
fn includes_stay_inside_and_each_file_is_read_once() {
    let m = Machine::new("includes");
    let rules = |name: &str, includes: &[String]| {
        let lines: Vec<String> = includes.iter().map(|i| format!("include \"{i}\"\n")).collect();
        fs::write(m.site().join(name), lines.concat() + &ruleset("accept")).expect("write");
    };
    let outside = ["../rules.nft", "../secret.txt", "up/rules.nft", "linked.nft", "/etc/passwd"].map(str::to_owned);
    symlink(&m.0, m.site().join("up")).expect("link");
    symlink("../rules.nft", m.site().join("linked.nft")).expect("link");
    rules("router.nft", &outside);
    m.manifest("router.nft");
    let sources = || {
        let _ = fs::remove_file(m.site().join("out.json"));
        let (code, text) = m.run(&["snapshot", "-o", "out.json"]);
        assert_eq!(code, Some(0), "{text}");
        let text = fs::read_to_string(m.site().join("out.json")).expect("a snapshot");
        assert!(!text.contains(CANARY) && !text.contains("root:"), "{text}");
        text.matches("chain forward").count()
    };
    assert_eq!(sources(), 1);
    let (_, text) = m.run(&["check"]);
    assert!(!text.contains(CANARY), "{text}");
    // A folder that holds itself, and 60 spellings of one file.
    symlink(".", m.site().join("again")).expect("link");
    rules("router.nft", &["again/router.nft".into(), "again/again/part.nft".into()]);
    rules("part.nft", &["again/part.nft".into(), "again/router.nft".into()]);
    assert_eq!(sources(), 2);
    let spellings: Vec<String> = (1..=60).map(|n| format!("{}part.nft", "./".repeat(n))).collect();
    rules("router.nft", &spellings);
    rules("part.nft", &[]);
    assert_eq!(sources(), 2);
    // More files than nft follows.
    for n in 0..40 {
        rules(&format!("deep{n}.nft"), &[format!("deep{}.nft", n + 1)]);
    }
    rules("router.nft", &["deep0.nft".into()]);
    assert_eq!(sources(), 17);
}

#[test]
fn a_copy_is_as_secret_as_the_file_that_it_was_made_of() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes");
    let m = Machine::new("modes");
    let read = |file: &str| fs::read_to_string(example.join(file)).expect("the example");
    let gap = "<disabled></disabled><local-port>50000";
    fs::write(m.site().join("config.xml"), read("pfsense/config.xml").replacen("<local-port>50000", gap, 1))
        .expect("x");
    fs::write(m.site().join("callpath.toml"), read("callpath.toml").replace("pfsense/config.xml", "config.xml"))
        .expect("write");
    let mode = |file: &str| fs::metadata(m.site().join(file)).expect("a file").permissions().mode() & 0o777;
    let set = |file: &str, mode: u32| {
        fs::set_permissions(m.site().join(file), fs::Permissions::from_mode(mode)).expect("mode");
    };
    set("config.xml", 0o600);
    let (code, text) = m.run(&["render", "pfsense", "--out", "new.xml"]);
    assert_eq!((code, mode("new.xml")), (Some(0), 0o600), "{text}");
    // One that others can read is replaced: the copy is no more open than its original.
    set("new.xml", 0o644);
    let (code, text) = m.run(&["render", "pfsense", "--force", "--out", "new.xml"]);
    assert_eq!((code, mode("new.xml")), (Some(0), 0o600), "{text}");
    // And one that is more secret than the original stays so.
    set("config.xml", 0o644);
    set("new.xml", 0o600);
    let (code, text) = m.run(&["render", "pfsense", "--force", "--out", "new.xml"]);
    assert_eq!((code, mode("new.xml")), (Some(0), 0o600), "{text}");
    // A snapshot holds whole configurations, and so does one that was made of another.
    set("config.xml", 0o600);
    let (code, text) = m.run(&["snapshot", "-o", "out.json"]);
    assert_eq!((code, mode("out.json")), (Some(0), 0o600), "{text}");
    assert_eq!(mode("new.xml.undo.txt"), 0o600, "how to take it back holds what stood there");
    set("config.xml", 0o644);
    let (code, text) = m.run(&["snapshot", "--redact", "-o", "again.json", "out.json"]);
    assert_eq!((code, mode("again.json")), (Some(0), 0o600), "{text}");
    // The manifest is one of the texts.
    set("callpath.toml", 0o600);
    let (code, text) = m.run(&["snapshot", "-o", "third.json"]);
    assert_eq!((code, mode("third.json")), (Some(0), 0o600), "{text}");
    // A mask that hides new files from others hides these too.
    set("callpath.toml", 0o644);
    let command = format!("umask 077; exec {} snapshot -o fourth.json", env!("CARGO_BIN_EXE_callpath"));
    let status = Command::new("/bin/sh").args(["-c", &command]).current_dir(m.site()).status().expect("a shell");
    assert!(status.success());
    assert_eq!(mode("fourth.json"), 0o600);
}
