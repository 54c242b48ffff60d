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
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub about: String,
    pub before: String,
    pub after: String,
    /// Nothing where the change is made in the file.
    pub lines: String,
    pub undo: String,
    /// The rules before it with plain words for names, and the names: nft's text has no quotation marks for names of tables,
    /// chains and sets, but a kernel can hold such names, and nft's JSON gives them to it.
    pub words: Option<(String, Vec<(String, String)>)>,
}

/// What the kernel said.
#[derive(Debug, Default)]
pub struct Judged {
    /// Changes that it was asked about.
    pub loaded: usize,
    /// Changes of rules that it holds in no way, and what nft said.
    pub refused: Vec<(String, String)>,
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

/// Names in the place of words, in every text of JSON.
fn rename(value: &mut serde_json::Value, words: &[(String, String)]) {
    match value {
        serde_json::Value::String(text) => {
            for (word, name) in words {
                *text = text.replace(word, name);
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|v| rename(v, words)),
        serde_json::Value::Object(object) => object.values_mut().for_each(|v| rename(v, words)),
        _ => {}
    }
}

/// Gives every change to the kernel: the lines must add exactly the rules that the changed text holds, and taking them back
/// must leave what was there before.
pub fn load(name: &str, changes: &[Change]) -> Judged {
    let mut judged = Judged::default();
    if changes.is_empty() {
        return judged;
    }
    let Some(way) = kernel() else {
        assert!(std::env::var_os("CI").is_none(), "no network namespace with nft on this machine");
        println!("{name}: no network namespace with nft on this machine: the kernel judged nothing");
        return judged;
    };
    let folder = Folder::new(name);
    fs::create_dir_all(folder.0.join("here")).expect("a folder");
    for (n, change) in changes.iter().enumerate() {
        folder.file(&format!("{n}/before.nft"), &change.before);
        folder.file(&format!("{n}/after.nft"), &change.after);
        folder.file(&format!("{n}/lines"), &change.lines);
        folder.file(&format!("{n}/undo"), &change.undo);
        if let Some((text, _)) = &change.words {
            folder.file(&format!("{n}/words.nft"), text);
        }
    }
    let run = |driver: &str| {
        let status = Command::new("unshare")
            .args(&way)
            .args(["/bin/sh", "-c", driver])
            .current_dir(folder.0.join("here"))
            .stdin(Stdio::null())
            .status()
            .expect("a namespace");
        assert!(status.success(), "{name}: {status}");
        assert_eq!(fs::read_dir(folder.0.join("here")).expect("list").count(), 0, "{name}: something else ran");
    };
    run("for d in ../[0-9]*; do nft flush ruleset; nft -f $d/before.nft 2>$d/refused && echo >$d/whole && continue\n\
         nft flush ruleset; [ -e $d/words.nft ] || continue\n\
         nft -f $d/words.nft 2>>$d/refused && nft -j list ruleset >$d/words.json; done; true");
    for (n, change) in changes.iter().enumerate() {
        let listed = serde_json::from_str::<serde_json::Value>(&folder.read(&format!("{n}/words.json")));
        if let (Ok(mut listed), Some((_, words))) = (listed, &change.words) {
            rename(&mut listed, words);
            folder.file(&format!("{n}/before.json"), &listed.to_string());
        }
    }
    run("for d in ../[0-9]*; do nft flush ruleset\n\
         if [ -e $d/whole ]; then nft -f $d/before.nft || continue\n\
         else [ -e $d/before.json ] || continue; nft -j -f $d/before.json 2>>$d/refused || continue; fi\n\
         nft list ruleset >$d/0; ( . $d/lines ) >$d/said 2>&1; nft list ruleset >$d/1\n\
         ( . $d/undo ) >>$d/said 2>&1; nft list ruleset >$d/2\n\
         if [ -e $d/whole ]; then nft flush ruleset; nft -f $d/after.nft 2>>$d/said; nft list ruleset >$d/3\n\
         else cp $d/1 $d/3; fi; echo >$d/loaded; done; true");
    for (n, change) in changes.iter().enumerate() {
        let listing = |step: u8| folder.read(&format!("{n}/{step}"));
        if !Path::new(&folder.0.join(format!("{n}/loaded"))).exists() {
            judged.refused.push((change.about.clone(), folder.read(&format!("{n}/refused"))));
            continue;
        }
        judged.loaded += 1;
        let said = folder.read(&format!("{n}/said"));
        let Change { about, lines, undo, .. } = change;
        assert!(said.is_empty(), "{about}: {said}\n{lines}{undo}");
        // What a person does in a file is judged by nft reading the changed text.
        if lines.is_empty() {
            continue;
        }
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
    judged
}

/// Rules that no kernel holds, by what nft says of them.
const NO_RULES: &[(&str, &str)] = &[
    ("String exceeds maximum length of 16", "an interface's name has fifteen bytes at most (IFNAMSIZ)"),
    ("All-wildcard strings are not supported", "no interface is called so (dev_valid_name)"),
];

/// Every change was judged, apart from those of rules that no kernel holds, and of texts that hold none (`or`: what nft says
/// of these).
pub fn all_judged(name: &str, judged: &Judged, or: &[&str]) {
    let known = |said: &str| NO_RULES.iter().map(|(words, _)| words).chain(or).any(|words| said.contains(words));
    for (about, said) in &judged.refused {
        println!("{name}: no kernel holds these rules: {about}: {}", said.lines().next().unwrap_or_default());
    }
    let other: Vec<_> = judged.refused.iter().filter(|(_, said)| !known(said)).collect();
    assert!(other.is_empty(), "{name}: the kernel judged nothing of {}: {other:#?}", other.len());
}
