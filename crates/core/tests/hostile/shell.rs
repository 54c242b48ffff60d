//! Real programs as judges of what is printed for pasting: `sh -n`, a shell whose commands only write down that they ran,
//! and nft with the kernel behind it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of its own, which goes when the test is over.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-hostile-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a folder");
        Self(dir)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
        file
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Commands that printed lines may run.
const ALLOWED: [&str; 3] = ["nft", "grep", "sed"];

/// Lines to paste: each block once, with one of the inputs that gave it.
pub type Blocks = BTreeMap<String, String>;

/// Runs every block as a person would paste it, all from one shell. What ran must be what `ALLOWED` holds, and each line
/// that begins with `nft '` must have given nft exactly one word.
pub fn record(name: &str, blocks: &Blocks) {
    if blocks.is_empty() {
        return;
    }
    let folder = Folder::new(name);
    for command in ALLOWED {
        let recorder = format!("#!/bin/sh\necho \"{command} $#\" >> \"$RAN\"\n[ {command} = nft ] || exec /bin/cat\n");
        let file = folder.file(&format!("bin/{command}"), &recorder);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
    }
    fs::create_dir_all(folder.0.join("here")).expect("a folder");
    fs::create_dir_all(folder.0.join("said")).expect("a folder");
    for (n, block) in blocks.keys().enumerate() {
        folder.file(&format!("blocks/{n}"), block);
    }
    let driver = "for f in ../blocks/*; do n=${f##*/}; /bin/sh -n \"$f\" 2>../said/$n.syntax\n\
                  export RAN=../said/$n.ran; ( . \"$f\" ) </dev/null >/dev/null 2>../said/$n; done";
    let status = Command::new("/bin/sh")
        .args(["-c", driver])
        .env_clear()
        .env("PATH", folder.0.join("bin"))
        .current_dir(folder.0.join("here"))
        .stdin(Stdio::null())
        .status()
        .expect("a shell");
    assert!(status.success(), "{name}: {status}");
    let left: Vec<_> = fs::read_dir(folder.0.join("here")).expect("list").collect();
    assert!(left.is_empty(), "{name}: something else ran: {left:?}");
    for (n, (block, about)) in blocks.iter().enumerate() {
        let (syntax, said) = (folder.read(&format!("said/{n}.syntax")), folder.read(&format!("said/{n}")));
        assert!(syntax.is_empty() && said.is_empty(), "{about}: {syntax}{said}\n{block}");
        let ran = folder.read(&format!("said/{n}.ran"));
        let commands = block.lines().filter(|l| l.starts_with("nft '")).count();
        let one_word = ran.lines().filter(|l| *l == "nft 1").count();
        assert_eq!(commands, one_word, "{about}: {ran}\n{block}");
    }
}

/// A change of rules: the text before and after it, the lines that make it, and those that take it back.
#[derive(Debug, Clone)]
pub struct Change {
    pub about: String,
    pub before: String,
    pub after: String,
    pub lines: String,
    pub undo: String,
}

/// How many rules carry our tag in a listing, and the listing without them and without the chains and tables that only we
/// have.
fn tagged(listing: &str) -> (usize, Vec<&str>) {
    let ours = |l: &&str| l.contains("comment \"callpath: ");
    (listing.lines().filter(ours).count(), listing.lines().filter(|l| !ours(l)).collect())
}

/// Whether this machine has a namespace and nft to try rules in.
fn kernel() -> Option<Vec<&'static str>> {
    let ways: [&[&str]; 2] = [&["-n"], &["-Urn"]];
    ways.into_iter().map(<[&str]>::to_vec).find(|way| {
        let tried = Command::new("unshare").args(way).args(["nft", "list", "ruleset"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|s| s.success())
    })
}

/// Gives every change to the kernel: the lines must add exactly the rules that the changed text holds, and taking them back
/// must leave what was there before. How many texts the kernel took.
pub fn load(name: &str, changes: &[Change]) -> usize {
    if changes.is_empty() {
        return 0;
    }
    let Some(way) = kernel() else {
        assert!(std::env::var_os("CI").is_none(), "no network namespace with nft on this machine");
        println!("{name}: no network namespace with nft on this machine: the kernel judged nothing");
        return 0;
    };
    let folder = Folder::new(name);
    fs::create_dir_all(folder.0.join("here")).expect("a folder");
    for (n, change) in changes.iter().enumerate() {
        folder.file(&format!("{n}/before.nft"), &change.before);
        folder.file(&format!("{n}/after.nft"), &change.after);
        folder.file(&format!("{n}/lines"), &change.lines);
        folder.file(&format!("{n}/undo"), &change.undo);
    }
    let driver = "for d in ../[0-9]*; do nft flush ruleset; nft -f $d/before.nft 2>$d/refused || continue\n\
                  nft list ruleset >$d/0; ( . $d/lines ) >$d/said 2>&1; nft list ruleset >$d/1\n\
                  ( . $d/undo ) >>$d/said 2>&1; nft list ruleset >$d/2\n\
                  nft flush ruleset; nft -f $d/after.nft 2>>$d/said; nft list ruleset >$d/3; echo >$d/loaded; done";
    let status = Command::new("unshare")
        .args(way)
        .args(["/bin/sh", "-c", driver])
        .current_dir(folder.0.join("here"))
        .stdin(Stdio::null())
        .status()
        .expect("a namespace");
    assert!(status.success(), "{name}: {status}");
    assert_eq!(fs::read_dir(folder.0.join("here")).expect("list").count(), 0, "{name}: something else ran");
    let mut loaded = 0;
    for (n, change) in changes.iter().enumerate() {
        let listing = |step: u8| folder.read(&format!("{n}/{step}"));
        if !Path::new(&folder.0.join(format!("{n}/loaded"))).exists() {
            continue;
        }
        loaded += 1;
        let said = folder.read(&format!("{n}/said"));
        let Change { about, lines, undo, .. } = change;
        assert!(said.is_empty(), "{about}: {said}\n{lines}{undo}");
        let (before, with, back, whole) = (listing(0), listing(1), listing(2), listing(3));
        let rules =
            lines.lines().filter(|l| l.starts_with("nft 'add rule ") || l.starts_with("nft 'insert rule ")).count();
        let ((none, old), (more, rest)) = (tagged(&before), tagged(&with));
        assert_eq!(more, none + rules, "{about}: {lines}{with}");
        if !lines.contains("nft 'add chain") {
            assert_eq!(old, rest, "{about}: {lines}{with}");
        }
        assert_eq!(with, whole, "{about}: the lines and the text differ\n{lines}");
        assert_eq!(before, back, "{about}: it is not taken back\n{undo}");
    }
    loaded
}
