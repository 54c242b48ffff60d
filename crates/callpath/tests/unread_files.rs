//! Files that are recognised and not read: every command says what they are, and what to do, and none of them is quoted.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Stands in every file, and must not come out.
const CANARY: &str = "canary-4711";

/// A file, what it is, and what helps.
fn files() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let text = |lines: &str| lines.replace("CANARY", CANARY).into_bytes();
    vec![
        (
            "rules.v4",
            text("*filter\n:INPUT DROP [0:0]\n-A INPUT -p udp -m comment --comment CANARY -j ACCEPT\nCOMMIT\n"),
            "this is what `iptables-save` prints, which callpath does not read yet",
            "where `iptables -V` says nf_tables, `nft list ruleset`",
        ),
        (
            "hq.conf",
            text(
                "config firewall vip\n    edit \"CANARY\"\n        set extip 203.0.113.9\n        set mappedip \"192.168.1.50\"\n    next\nend\n",
            ),
            "this is a configuration of a FortiGate, which callpath does not read yet",
            "state the box: a [[gateway]] table with `inside",
        ),
        (
            "export.rsc",
            text(
                "# 2024-05-01 10:00:00 by RouterOS 7.14\n/ip firewall nat\nadd action=dst-nat chain=dstnat comment=CANARY dst-port=50000-50499 protocol=udp\n",
            ),
            "this is an export of RouterOS (MikroTik), which callpath does not read yet",
            "state the box",
        ),
        (
            "sg.json",
            text("{\"SecurityGroups\": [{\"GroupName\": \"CANARY\", \"IpPermissions\": [{\"IpProtocol\": \"udp\"}]}]}"),
            "this is what `aws ec2 describe-security-groups` prints, which callpath does not read yet",
            "`passes = [",
        ),
        (
            "livekit.yaml",
            text("port: 7880\nrtc:\n  port_range_start: 50000\n  port_range_end: 50499\nkeys:\n  CANARY: x\n"),
            "this is a configuration of LiveKit (livekit.yaml)",
            "a service's configuration, not a firewall's",
        ),
        (
            "page.html",
            text("<!DOCTYPE html>\n<html><body><form><table><tr><td>CANARY</td></tr></table></form></body></html>\n"),
            "this is a page of HTML, saved from a browser",
            "export the configuration itself",
        ),
        (
            "backup.zip",
            [b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), text("CANARY")].concat(),
            "this is an archive (zip)",
            "unpack it",
        ),
        (
            "router.backup",
            [b"\x88\xac\xa1\xb1\xf1\x41".to_vec(), text("CANARY")].concat(),
            "a binary backup of RouterOS",
            "/export",
        ),
        (
            "rules.txt",
            b"\xff\xfet\0a\0b\0l\0e\0".to_vec(),
            "a text in UTF-16, as PowerShell's `>` writes it",
            "save it as UTF-8",
        ),
        (
            "latin.xml",
            [
                &b"<?xml version=\"1.0\"?>\n<opnsense>\n<descr>M\xfcller "[..],
                CANARY.as_bytes(),
                b"</descr>\n</opnsense>\n",
            ]
            .concat(),
            "a configuration of OPNsense, which callpath does not read yet",
            "/tmp/rules.debug",
        ),
    ]
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-unread-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("folder");
        Self(dir)
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
        let output = command.args(args).current_dir(&self.0).stdin(Stdio::null()).output().expect("runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("panicked") && !text.contains(CANARY), "{args:?}: {text}");
        (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn manifest(&self, config: &str) {
        let text = format!(
            "address = \"203.0.113.9\"\n[[gateway]]\n{config}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n"
        );
        fs::write(self.0.join("callpath.toml"), text).expect("write");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_command_says_what_a_file_is_and_what_to_do() {
    let folder = Folder::new("named");
    for (file, content, what, help) in files() {
        fs::write(folder.0.join(file), content).expect("write");
        folder.manifest(&format!("config = [\"{file}\"]"));
        for args in [&["check"][..], &["import", file], &["snapshot", "-o", "out.json"]] {
            let (code, text) = folder.run(args);
            assert_eq!(code, Some(2), "{args:?} {file}: {text}");
            assert!(text.contains(what) && text.contains(help), "{args:?} {file}: {text}");
        }
        folder.manifest(&format!("config = [\"x.nft\"]\nboot = [\"{file}\"]"));
        fs::write(folder.0.join("x.nft"), "table ip x {\n}\n").expect("write");
        let (code, text) = folder.run(&["check"]);
        assert!(code == Some(2) && text.contains(what), "{file}: {text}");
        let (_, text) = folder.run(&["import", "--summary", "."]);
        assert!(text.contains(&format!("{file}: not read: ")) && text.contains(what), "{file}: {text}");
    }
}

#[test]
fn a_file_in_place_of_the_manifest_is_named() {
    let folder = Folder::new("check");
    for (file, content, what, _) in files().into_iter().filter(|(_, content, ..)| std::str::from_utf8(content).is_ok())
    {
        fs::write(folder.0.join(file), content).expect("write");
        let (code, text) = folder.run(&["check", file]);
        let what = what.trim_end_matches(", which callpath does not read yet");
        assert!(code == Some(2) && text.contains(what) && text.contains("not a callpath.toml"), "{file}: {text}");
    }
}

#[test]
fn init_names_what_it_finds_and_does_not_read() {
    let folder = Folder::new("init");
    for (file, content, ..) in files() {
        fs::write(folder.0.join(file), content).expect("write");
    }
    let flags = ["init", "--system", "livekit", "--host", "192.168.1.50", "--address", "203.0.113.5"];
    let (code, text) = folder.run(&flags);
    assert_eq!(code, Some(0), "{text}");
    for (file, _, what, help) in files().into_iter().filter(|(_, _, what, _)| what.contains("does not read yet")) {
        assert!(
            text.contains(&format!("found {file}: ")) && text.contains(what) && text.contains(help),
            "{file}: {text}"
        );
    }
    assert!(!text.contains("livekit.yaml:") && !text.contains("page.html"), "{text}");
    let manifest = fs::read_to_string(folder.0.join("callpath.toml")).expect("a manifest");
    assert!(!manifest.contains("rules.v4"), "what is not read is not named: {manifest}");
}

#[test]
fn rules_of_which_nothing_is_understood_are_no_answer() {
    let folder = Folder::new("nothing");
    fs::write(folder.0.join("x.nft"), "table ip x {\n foo bar\n baz\n}\n").expect("write");
    let (code, text) = folder.run(&["import", "x.nft"]);
    assert!(code == Some(2) && text.contains("none of its 2 statements is understood"), "{text}");
    let (code, text) = folder.run(&["import", "--unread", "x.nft"]);
    assert!(code == Some(0) && text.contains("x.nft:2:"), "{text}");
}
