//! `callpath ports` and `callpath init` through the real program: output, exit codes, and files that are left alone.

use callpath_core::ports::Choice;
use callpath_core::profile::PROFILES;
use callpath_core::requirement::Level;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An empty directory, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-ports-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        Self(dir)
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_callpath"))
            .args(args)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("callpath runs");
        // Who asks nothing closes its input early.
        let _ = child.stdin.take().expect("input").write_all(input.as_bytes());
        child.wait_with_output().expect("callpath ends")
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.0.join("callpath.toml")).expect("callpath.toml")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn ports_are_printed_in_every_format() {
    let folder = Folder::new("formats");
    for (format, part) in [
        ("text", "udp 44200-44300"),
        ("markdown", "| 44200-44300 | UDP | everyone who calls |"),
        ("json", "\"schema\": \"callpath.ports/1\""),
        ("html", "<!DOCTYPE html>"),
    ] {
        let args = ["ports", "reflector", "--mode", "caddy", "--format", format];
        let output = folder.run(&args, "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains(part), "{format}: {text}");
    }
}

#[test]
fn choices_change_what_is_printed() {
    let folder = Folder::new("choices");
    let args = ["ports", "reflector", "--mode", "direct", "--with", "udp=45000-45100"];
    let output = folder.run(&[&args[..], &["--off", "garage", "--with", "tcp=7882"]].concat(), "");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("udp 45000-45100") && text.contains("tcp 7882"), "{text}");
    assert!(!text.contains("tcp 3900"), "{text}");
}

#[test]
fn wrong_choices_give_no_answer() {
    let folder = Folder::new("wrong");
    for (args, message, help) in [
        (vec!["spoks"], "no product is called `spoks`", "did you mean `spokes`?"),
        (vec!["reflector", "--mode", "cady"], "no mode `cady`", "did you mean `caddy`?"),
        (vec!["reflector", "--off", "garag"], "no feature `garag`", "did you mean `garage`?"),
        (vec!["reflector", "--with", "recordin=1"], "no parameter `recordin`", "did you mean `recording`?"),
        (vec!["reflector", "--with", "udp=x"], "`x` is not a port", "50000-60000"),
        (vec!["reflector", "--format", "pdf"], "invalid value 'pdf'", "markdown"),
    ] {
        let output = folder.run(&[&["ports"], &args[..]].concat(), "");
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(text.contains(message) && text.contains(help), "{args:?}: {text}");
    }
}

#[test]
fn without_a_product_all_are_listed() {
    let folder = Folder::new("list");
    let output = folder.run(&["ports"], "");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.lines().count(), callpath_core::profile::PROFILES.len(), "{text}");
    assert!(text.lines().all(|l| l.split_whitespace().count() > 2), "each with what it is: {text}");
}

#[test]
fn two_instances_with_the_same_ports_are_refused_with_free_ones() {
    let folder = Folder::new("overlap");
    let text = "address = \"203.0.113.5\"\n[[deploy]]\nsystem = \"spokes\"\nhost = \"203.0.113.5\"\n\
                [[deploy]]\nsystem = \"spokes\"\nlabel = \"friends\"\nhost = \"203.0.113.5\"\n";
    fs::write(folder.0.join("callpath.toml"), text).expect("write");
    let output = folder.run(&["check"], "");
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(message.contains("`spokes` and `friends` both listen on udp 50000-50499 of 203.0.113.5"), "{message}");
    assert!(message.contains("with = { udp = \"50500-50999\", tcp = 7882 }"), "{message}");
    assert!(message.contains("callpath.toml:5:1"), "{message}");
    let better = format!("{text}firewall = \"none\"\nwith = {{ udp = \"50500-50999\", tcp = 7882 }}\n");
    fs::write(folder.0.join("callpath.toml"), better).expect("write");
    let output = folder.run(&["check"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(report.contains("sign-in and signalling: the document names no port"), "{report}");
}

#[test]
fn init_asks_three_things_and_writes_what_check_reads() {
    let folder = Folder::new("asks");
    let output = folder.run(&["init"], "203.0.113.5\nspokes\n203.0.113.5\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches(": ").count(), 3, "three questions: {}", stderr(&output));
    let text = folder.manifest();
    assert!(text.contains("address = \"203.0.113.5\"") && text.contains("system = \"spokes\""), "{text}");
    // The firewall of a server with a public address is asked for.
    assert_eq!(folder.run(&["check"], "").status.code(), Some(1));
    fs::write(folder.0.join("callpath.toml"), text + "firewall = \"none\"\n").expect("write");
    assert_eq!(folder.run(&["check"], "").status.code(), Some(0));
}

#[test]
fn init_finds_the_router_s_configuration() {
    let folder = Folder::new("finds");
    let example = |file: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(file);
    fs::copy(example("spokes/pfsense/config.xml"), folder.0.join("config-fw.xml")).expect("a backup");
    fs::write(folder.0.join("notes.txt"), "ring her at nine").expect("write");
    let output = folder.run(&["init"], "yourserver.duckdns.org\n203.0.113.5\n203.0.113.5\nspokes\n192.168.1.50\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("found config-fw.xml: a backup of pfSense\n"), "{}", stderr(&output));
    let text = folder.manifest();
    assert!(text.contains("config = \"config-fw.xml\"\nwan    = \"203.0.113.5\" "), "{text}");
    assert_eq!(folder.run(&["check"], "").status.code(), Some(0), "as the document says, calls work");

    // Whose is whose cannot be seen: nothing is guessed.
    fs::copy(example("linux-router/ruleset.nft"), folder.0.join("ruleset.nft")).expect("a ruleset");
    fs::remove_file(folder.0.join("callpath.toml")).expect("remove");
    let flags = ["init", "--system", "spokes", "--host", "192.168.1.50", "--address", "203.0.113.5"];
    assert_eq!(folder.run(&flags, "").status.code(), Some(0));
    assert!(folder.manifest().contains("# found here: [\"config-fw.xml\", \"ruleset.nft\"]"), "{}", folder.manifest());
}

#[test]
fn a_configuration_that_is_named_instead_of_the_manifest_is_recognised() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes/pfsense/config.xml");
    let folder = Folder::new("instead");
    let output = folder.run(&["check", file.to_str().expect("a path")], "");
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(message.contains("this is a backup of pfSense, not a callpath.toml"), "{message}");
    assert!(message.contains("callpath init"), "{message}");
}

#[test]
fn init_takes_answers_from_the_command_line() {
    let folder = Folder::new("flags");
    let flags = ["--system", "livekit", "--host", "192.168.1.50", "--name", "voice.example.org"];
    let files = ["--config", "ruleset.nft", "--config", "ip-addr.json", "--address", "203.0.113.5"];
    let output = folder.run(&[&["init"], &flags[..], &files[..]].concat(), "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = folder.manifest();
    assert!(text.contains("config = [\"ruleset.nft\", \"ip-addr.json\"]"), "{text}");
    assert!(text.contains("name    = \"voice.example.org\""), "{text}");
}

#[test]
fn init_asks_for_ports_that_only_this_installation_has() {
    let folder = Folder::new("own-ports");
    let flags = ["init", "--system", "nethvoice", "--host", "192.168.1.50"];
    let output = folder.run(&flags, "203.0.113.5\n21000-21999\n\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let asked = stderr(&output);
    assert!(asked.contains("udp ports of this installation for voice in the browser"), "{asked}");
    assert!(asked.contains("Settings > Firewall"), "{asked}");
    assert!(!asked.contains("IAX"), "what no call hangs on is not asked: {asked}");
    let text = folder.manifest();
    assert!(text.contains("with   = { janus = \"21000-21999\" }"), "{text}");
    assert!(text.contains("# with = { ldap = \"…\" }"), "{text}");
    for (with, message) in [
        ("janus", "`janus` names no ports"),
        ("janus=x", "`x` is not a port"),
        ("janos=5", "NethVoice has no parameter `janos`"),
    ] {
        let folder = Folder::new("wrong-ports");
        let output = folder.run(&[&flags[..], &["--address", "203.0.113.5", "--with", with]].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{with}");
        assert!(stderr(&output).contains(message), "{with}: {}", stderr(&output));
        assert!(!folder.0.join("callpath.toml").exists(), "{with}");
    }
}

#[test]
fn init_never_overwrites() {
    let folder = Folder::new("keeps");
    fs::write(folder.0.join("callpath.toml"), "mine").expect("write");
    let flags = ["init", "--system", "livekit", "--host", "192.168.1.50", "--name", "voice.example.org"];
    for args in [&flags[..], &["init"][..]] {
        let output = folder.run(args, "voice.example.org\nlivekit\n192.168.1.50\n");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("not overwritten"), "{}", stderr(&output));
        assert!(!stderr(&output).contains("public name"), "nothing is asked in vain");
        assert_eq!(folder.manifest(), "mine");
    }
}

#[cfg(unix)]
#[test]
fn init_does_not_write_through_a_link() {
    let folder = Folder::new("link");
    std::os::unix::fs::symlink("elsewhere", folder.0.join("callpath.toml")).expect("link");
    let output = folder.run(&["init", "--system", "livekit", "--host", "192.168.1.50", "--name", "a.example"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.0.join("elsewhere").exists());
}

#[test]
fn wrong_answers_write_nothing() {
    let folder = Folder::new("refuses");
    for (input, message) in [
        ("", "no answer: the input ended"),
        ("203.0.113.5\n\n", "an empty answer"),
        ("203.0.113.5\nlivkit\n192.168.1.50\n", "did you mean `livekit`?"),
        ("203.0.113.5\nlivekit\n192.168.1.500\n", "not an IP address"),
        ("https://voice.example.org/\n", "write the name alone: `voice.example.org`"),
    ] {
        let output = folder.run(&["init"], input);
        assert_eq!(output.status.code(), Some(2), "{input:?}");
        assert!(stderr(&output).contains(message), "{input:?}: {}", stderr(&output));
        assert!(!folder.0.join("callpath.toml").exists(), "{input:?}");
    }
    let output = folder.run(&["init", "nowhere"], "");
    assert!(stderr(&output).contains("there is no such directory"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn calls_to_every_product_work_on_the_open_internet() {
    for (system, _) in PROFILES {
        let folder = Folder::new(system);
        let mut answers = vec!["--system", system, "--host", "203.0.113.5", "--address", "203.0.113.5"];
        if *system == "nethvoice" {
            // Every installation has others: without them nothing is known.
            answers.extend(["--with", "janus=21000-21999", "--with", "ldap=20092"]);
        }
        assert_eq!(folder.run(&[&["init"], &answers[..]].concat(), "").status.code(), Some(0));
        let text = folder.manifest() + "firewall = \"none\"\n";
        fs::write(folder.0.join("callpath.toml"), text).expect("write");
        let output = folder.run(&["check"], "");
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        // Without a firewall the internet also reaches what is for the proxy, the administrator or containers alone.
        let usual = Choice { system: (*system).into(), ..Choice::default() }.instance().expect(system);
        let closed = usual.requirements.iter().any(|r| r.level == Level::Forbidden);
        assert_eq!(output.status.code(), Some(i32::from(closed)), "{report}");
        let calls = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(calls.contains("calls work from the internet"), "{system}: {report}");
        let fits = |l: &str| l.chars().count() <= 80 || l.split_whitespace().any(|w| w.len() > 40);
        assert!(report.lines().all(fits), "{report}");
    }
}
