//! Nothing gets lost: no command writes over somebody's file unasked, and what is written is whole or not there.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of the Spokes example in which a forward is missing, removed at the end.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-save-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes");
        let read = |file: &str| fs::read_to_string(example.join(file)).expect("the example");
        let gap = "<disabled></disabled><local-port>50000";
        fs::write(dir.join("config.xml"), read("pfsense/config.xml").replacen("<local-port>50000", gap, 1)).expect("x");
        fs::write(dir.join("callpath.toml"), read("callpath.toml").replace("pfsense/config.xml", "config.xml"))
            .expect("write");
        Self(dir)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(&self.0).output().expect("callpath runs")
    }

    fn refused(&self, args: &[&str], wanted: &[&str]) {
        let output = self.run(args);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty() && !stderr.contains("panicked"), "{args:?}: {stderr}");
        for wanted in wanted {
            assert!(stderr.contains(wanted), "{args:?}: no `{wanted}` in\n{stderr}");
        }
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = fs::read_dir(&self.0)
            .expect("list")
            .map(|e| e.expect("entry").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        files
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const OUT: [&str; 4] = ["render", "pfsense", "--out", "new.xml"];
const FORCE: [&str; 5] = ["render", "pfsense", "--force", "--out", "new.xml"];

#[test]
fn render_writes_the_undo_and_replaces_only_when_asked() {
    let site = Site::new("render");
    let before = site.read("config.xml");
    let output = site.run(&OUT);
    let stdout = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.starts_with("wrote new.xml.undo.txt, how to take it back\nwrote new.xml, "), "{stdout}");
    let undo = String::from_utf8(site.run(&["render", "pfsense", "--undo"]).stdout).expect("text");
    assert_eq!(site.read("new.xml.undo.txt"), undo);
    let new = site.read("new.xml");
    assert!(new != before && new.ends_with("</pfsense>\n"), "{new}");
    assert_eq!(site.files(), ["callpath.toml", "config.xml", "new.xml", "new.xml.undo.txt"]);

    // Either of both is kept.
    fs::write(site.0.join("new.xml"), "mine").expect("write");
    site.refused(&OUT, &["`new.xml.undo.txt` is there already", "--force"]);
    fs::remove_file(site.0.join("new.xml.undo.txt")).expect("remove");
    site.refused(&OUT, &["`new.xml` is there already", "--force"]);
    assert_eq!(site.files(), ["callpath.toml", "config.xml", "new.xml"]);
    assert_eq!(site.read("new.xml"), "mine");
    assert_eq!(site.run(&FORCE).status.code(), Some(0));
    assert_eq!((site.read("new.xml"), site.read("new.xml.undo.txt")), (new, undo));
    assert_eq!(site.read("config.xml"), before);
}

#[test]
fn what_callpath_reads_is_never_overwritten() {
    let site = Site::new("own");
    let (manifest, config) = (site.read("callpath.toml"), site.read("config.xml"));
    std::os::unix::fs::symlink("config.xml", site.0.join("link.xml")).expect("link");
    for out in ["config.xml", "./config.xml", "link.xml", "callpath.toml"] {
        let args = ["render", "pfsense", "--force", "--out", out];
        site.refused(&args, &["is a file of the site itself", "choose another name"]);
    }
    site.refused(&["render", "pfsense", "--force", "--out", "."], &["error: "]);
    site.refused(&["render", "pfsense", "--out", "nowhere/new.xml"], &["there is no such file", "another place"]);
    site.refused(&["init", "--system", "spokes", "--host", "192.168.1.50"], &["it is not overwritten"]);
    assert_eq!((site.read("callpath.toml"), site.read("config.xml")), (manifest, config));
}

#[test]
fn an_interrupted_write_leaves_the_old_file() {
    let site = Site::new("interrupted");
    let before = site.read("config.xml");
    // Room for the undo, but not for the copy: the system ends the program in the middle, or says that it is full.
    for (signal, code) in [("-", None), ("''", Some(2))] {
        fs::write(site.0.join("new.xml"), "mine").expect("write");
        let script = format!("trap {signal} XFSZ; ulimit -f 8; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_callpath")])
            .args(FORCE)
            .current_dir(&site.0)
            .output()
            .expect("sh runs");
        assert_eq!(output.status.code(), code, "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(site.read("new.xml"), "mine");
        assert!(site.read("new.xml.undo.txt").starts_with("1. "), "the undo is written first");
        if code.is_some() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(stderr.contains("`new.xml` cannot be written"), "{stderr}");
        }
        let parts: Vec<String> = site.files().into_iter().filter(|f| f.contains(".part")).collect();
        assert_eq!(parts.len(), 1, "what the killed run left, under a name of its own: {parts:?}");
        assert!(parts[0].starts_with(".new.xml."), "{parts:?}");
    }
    assert_eq!(site.read("config.xml"), before);
}

#[test]
fn a_copy_is_as_readable_as_the_original() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new("mode");
    let mode = |file: &str| fs::metadata(site.0.join(file)).expect("file").permissions().mode() & 0o777;
    fs::set_permissions(site.0.join("config.xml"), fs::Permissions::from_mode(0o600)).expect("mode");
    assert_eq!(site.run(&OUT).status.code(), Some(0));
    assert_eq!(mode("new.xml"), 0o600, "it holds the same passwords");
}

#[test]
fn without_arguments_the_site_here_is_checked() {
    let site = Site::new("bare");
    let (bare, check) = (site.run(&[]), site.run(&["check"]));
    assert!(!bare.stdout.is_empty() && matches!(bare.status.code(), Some(0 | 1)));
    assert_eq!((bare.status.code(), bare.stdout), (check.status.code(), check.stdout));
    // A manifest that cannot be followed is still one.
    fs::remove_file(site.0.join("callpath.toml")).expect("remove");
    std::os::unix::fs::symlink("callpath.toml", site.0.join("callpath.toml")).expect("link");
    site.refused(&[], &["error: `callpath.toml` cannot be read"]);
    // Without one, four lines say what to do.
    fs::remove_file(site.0.join("callpath.toml")).expect("remove");
    site.refused(&[], &["callpath init", "callpath check DIR", "examples/", "--help"]);
    assert_eq!(String::from_utf8_lossy(&site.run(&[]).stderr).lines().count(), 4);
}
