//! `--redact` and its key: new for each run, or that of a file which nobody else can read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn callpath(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(dir).output().expect("callpath runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The example of a Linux router with canaries in its names, in a directory of its own.
fn site(name: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/linux-router");
    let dir = std::env::temp_dir().join(format!("callpath-pseudonyms-{}-{name}-canary", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a directory");
    for entry in fs::read_dir(from).expect("the example").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a text");
        let text =
            text.replace("guest0", "canary0").replace("livekit {", "canary {").replace("jump livekit", "jump canary");
        fs::write(dir.join(entry.file_name()), text).expect("written");
    }
    dir
}

fn snapshot(dir: &Path, file: &str, key: &[&str]) -> String {
    let args = [&["snapshot", "--redact", "-o", file], key].concat();
    let output = callpath(dir, &args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    fs::read_to_string(dir.join(file)).expect("a snapshot")
}

#[test]
fn each_run_has_its_own_key_and_a_file_keeps_one() {
    let dir = site("key");
    let one = snapshot(&dir, "1.json", &[]);
    let two = snapshot(&dir, "2.json", &[]);
    assert_ne!(one, two, "a key for each run");
    assert!(one.contains("\"pseudonyms\": \"Pseudonyms keep "), "the file says what is kept");
    assert!(!snapshot(&dir, "3.json", &["--redact-key", "k"]).contains("canary"));
    let key = fs::read_to_string(dir.join("k")).expect("a key was made");
    let four = snapshot(&dir, "4.json", &["--redact-key", "k"]);
    assert_eq!(four, fs::read_to_string(dir.join("3.json")).expect("a snapshot"));
    assert_eq!(fs::read_to_string(dir.join("k")).ok().as_deref(), Some(&*key), "it stays as it is");
    assert!(!four.contains(key.trim().rsplit(' ').next().expect("digits")), "no snapshot holds the key");
    // What `check` says has the same pseudonyms.
    let report = callpath(&dir, &["check", "--redact-key", "k"]);
    assert_eq!(said(&report), said(&callpath(&dir, &["check", "4.json"])));
    assert!(!said(&report).contains("canary"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(dir.join("k")).expect("a file").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(dir.join("k"), fs::Permissions::from_mode(0o644)).expect("set");
        let output = callpath(&dir, &["check", "--redact-key", "k"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("others can read the key"), "{}", said(&output));
    }
    fs::remove_dir_all(&dir).expect("removed");
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_stays() {
    let dir = site("bad");
    fs::create_dir(dir.join("folder")).expect("a folder");
    for (name, text) in
        [("empty", ""), ("short", "callpath.redact-key/1 00"), ("other", "canary\n"), ("binary", "\u{0}")]
    {
        fs::write(dir.join(name), text).expect("written");
        for way in [&["check"][..], &["snapshot", "-o", "out.json"]] {
            let output = callpath(&dir, &[way, &["--redact-key", name]].concat());
            assert_eq!(output.status.code(), Some(2), "{name}");
            assert!(said(&output).contains("holds no key") && !said(&output).contains("canary"), "{}", said(&output));
        }
        assert_eq!(fs::read_to_string(dir.join(name)).ok().as_deref(), Some(text));
    }
    for (name, why) in [("folder", "is a directory"), ("no/k", "cannot be written")] {
        let output = callpath(&dir, &["check", "--redact-key", name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    assert!(!dir.join("out.json").exists());
    fs::remove_dir_all(&dir).expect("removed");
}

#[test]
fn what_is_wrong_with_a_site_is_said_under_pseudonyms() {
    let good = fs::read_to_string(site("good").join("callpath.toml")).expect("a manifest");
    for (n, (manifest, told)) in [
        (good.replace("[[deploy]]", "canary = \"81.2.69.160\"\n[[deploy]]"), "unknown key"),
        (format!("canary 81.2.69.160\n{good}"), "callpath.toml:1:"),
        (format!("# one\nname = voice.canary.sh\n{good}"), ".toml:2:"),
        (good.replace("ruleset.nft", "canary/rules.canary.sh"), "cannot be read"),
        (good.replace("livekit", "canary"), "no"),
        (good.replace("192.168.1.50", "81.2.69.160, canary"), "is not an"),
    ]
    .iter()
    .enumerate()
    {
        let dir = site(&format!("wrong{n}"));
        fs::write(dir.join("callpath.toml"), manifest).expect("written");
        for args in [
            &["check", "--redact"][..],
            &["check", "--redact", "--format", "json"],
            &["snapshot", "--redact", "-o", "o.json"],
        ] {
            let output = callpath(&dir, args);
            let text = said(&output) + &fs::read_to_string(dir.join("o.json")).unwrap_or_default();
            assert!(!text.contains("canary") && !text.contains("81.2.69"), "{manifest}\n{text}");
            assert!(args[0] == "snapshot" || text.contains(told), "{told}: {text}");
        }
        fs::remove_dir_all(&dir).expect("removed");
    }
    let _ = fs::remove_dir_all(site("good"));
}
