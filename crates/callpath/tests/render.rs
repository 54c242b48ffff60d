//! `callpath render` says that nothing is missing only where everything works, and what its copy does not hold.

use crate::sites::{blocks, lay_out, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of a scenario.
fn scenario(name: &str) -> PathBuf {
    let text = fs::read_to_string(root().join(format!("scenarios/{name}.md"))).expect("a scenario");
    let dir = std::env::temp_dir().join(format!("callpath-render-{name}-{}", std::process::id()));
    lay_out(name, &text, &blocks(&text), &dir);
    dir
}

fn render(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
    let output = command.arg("render").args(args).current_dir(dir).output().expect("callpath runs");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("text"))
}

#[test]
fn nothing_is_missing_only_where_everything_works() {
    for (name, said) in [
        ("masquerade-on-wrong-interface", "masquerade comment \"callpath: outbound\""),
        ("rate-limit", "no change is known that would help"),
        ("outer-address-unknown", "no change is known that would help"),
        ("stated-home-router-silent", "port forwards (port sharing) of home router: add"),
    ] {
        let dir = scenario(name);
        let (_, text) = render(&dir, &["nftables"]);
        assert!(text.contains(said), "{name}: {text}");
        assert!(!text.contains("nothing is missing") && !text.contains("already"), "{name}: {text}");
        fs::remove_dir_all(&dir).expect("clean up");
    }
    let example = root().join("examples/linux-router");
    assert!(render(&example, &["nftables"]).1.contains("nothing is missing"));
}

#[test]
fn a_copy_without_changes_is_not_written() {
    let dir = scenario("rate-limit");
    let (code, text) = render(&dir, &["nftables", "--out", "new.nft"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("nothing would be changed in ruleset.nft"), "{text}");
    assert!(!dir.join("new.nft").exists());
    fs::remove_dir_all(&dir).expect("clean up");
}

#[test]
fn changes_planned_for_a_snapshot_are_not_put_into_another_file() {
    let dir = scenario("udp-forward-missing");
    let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
    let output = command.args(["snapshot", "-o", "then.json"]).current_dir(&dir).output().expect("callpath runs");
    assert!(output.status.success());
    let rules = fs::read_to_string(dir.join("ruleset.nft")).expect("rules");
    fs::write(dir.join("ruleset.nft"), format!("{rules}# changed since\n")).expect("write");
    let (code, text) = render(&dir, &["nftables", "then.json", "--out", "new.nft"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("a snapshot holds no configuration as it was"), "{text}");
    // Nor is anything opened that a stranger's snapshot calls its files.
    let stranger = fs::read_to_string(dir.join("then.json")).expect("a snapshot").replace("ruleset.nft", "/proc/kcore");
    fs::write(dir.join("stranger.json"), stranger).expect("write");
    let (code, text) = render(&dir, &["nftables", "stranger.json", "--out", "new.nft"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("a snapshot holds no configuration as it was"), "{text}");
    let (code, text) = render(&dir, &["nftables", ".", "--out", "new.nft"]);
    assert_eq!(code, Some(0), "{text}");
    fs::remove_dir_all(&dir).expect("clean up");
}
