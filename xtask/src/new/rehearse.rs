//! One addition of each kind, made in a copy of the repository and tested there.

use super::files;
use crate::packages;
use crate::task::{cargo_with, root};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Kind, name, what the program is asked about it, and a text of the answer.
const ADDITIONS: [(&str, &str, &[&str], &str); 3] = [
    ("dialect", "specimen-wall", &["import", "specimen.conf"], "1 statements: 1 understood"),
    ("system", "specimen-voice", &["ports", "specimen-voice"], "udp 45000-45099"),
    ("finding", "specimen-cause", &["explain", "specimen-cause"], "begun and is not finished"),
];

/// Makes the copy, the additions, and runs what they could break.
pub fn run() -> Result<(), String> {
    let root = root();
    let copy = root.join("target/additions");
    mirror(&root, &copy)?;
    lend_shared(&root, &copy)?;
    // Under another version the copy's packages are others for cargo, and everything from outside is compiled already.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let shown = target.to_string_lossy().into_owned();
    let cargo = |args: &[&str]| cargo_with(&copy, &[("CARGO_TARGET_DIR", &shown)], args);
    let pairs: Vec<&str> = ADDITIONS.iter().flat_map(|(kind, name, ..)| [*kind, *name]).collect();
    cargo(&[&["xtask", "new"], &pairs[..]].concat())?;
    for (kind, name, ..) in ADDITIONS {
        if cargo(&["xtask", "new", kind, name]).is_ok() {
            return Err(format!("a second {kind} of the name {name} was not refused"));
        }
    }
    cargo(&["fmt", "--all", "--check"])?;
    // The whole workspace each time: cargo would compile dependencies anew for a part of it, with fewer features.
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    cargo(&["test", "--workspace", "--locked", "--lib"])?;
    let touched = ["faults::", "render::", "scenarios::", "ports::", "repository::", "invariants::"];
    cargo(&[&["test", "--workspace", "--locked", "--test", "it", "--"], &touched[..]].concat())?;
    fs::write(copy.join("specimen.conf"), "specimen-wall firewall 1\noutside wan0\n").map_err(|e| e.to_string())?;
    for (kind, name, args, wanted) in ADDITIONS {
        let program = target.join("debug/callpath");
        let output = Command::new(&program).args(args).current_dir(&copy).output();
        let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !said.contains(wanted) {
            return Err(format!("callpath {} does not know the {kind} {name}:\n{said}", args.join(" ")));
        }
    }
    Ok(())
}

/// The version of the copy's packages. With the version of the original, cargo would take one's artifacts for the other's.
const VERSION: &str = "0.0.0-additions";

/// `Cargo.toml` and `Cargo.lock` with the copy's version.
fn versioned(file: &Path, text: Vec<u8>, own: &[packages::Package]) -> Vec<u8> {
    let text = match String::from_utf8(text) {
        Ok(text) => text,
        Err(e) => return e.into_bytes(),
    };
    let version = |v: &str| format!("version = \"{v}\"\n");
    let Some(first) = own.first() else { return text.into_bytes() };
    let changed = match file.to_str() {
        Some("Cargo.toml") => text.replacen(&version(&first.version), &version(VERSION), 1),
        Some("Cargo.lock") => own.iter().fold(text, |text, p| {
            let head = format!("name = \"{}\"\n", p.name);
            text.replacen(&format!("{head}{}", version(&p.version)), &format!("{head}{}", version(VERSION)), 1)
        }),
        _ => text,
    };
    changed.into_bytes()
}

/// Makes `copy` hold the files of the repository and no other. Files that are the same keep their times, so that a second
/// run compiles less.
fn mirror(root: &Path, copy: &Path) -> Result<(), String> {
    let failed = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let wanted: BTreeSet<PathBuf> = files(root)?.into_iter().map(|f| copy.join(f)).collect();
    let mut there = Vec::new();
    collect(copy, &mut there);
    for path in there.iter().filter(|p| !wanted.contains(*p)) {
        fs::remove_file(path).map_err(|e| failed(path, e))?;
    }
    let mut own = packages::all()?;
    own.retain(|p| p.source.is_empty());
    for to in &wanted {
        let file = to.strip_prefix(copy).unwrap_or(to);
        let from = root.join(file);
        let text = versioned(file, fs::read(&from).map_err(|e| failed(&from, e))?, &own);
        if fs::read(to).is_ok_and(|old| old == text) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(copy)).map_err(|e| failed(to, e))?;
        fs::write(to, text).map_err(|e| failed(to, e))?;
    }
    Ok(())
}

/// Puts what lies beside the repository for its tests beside the copy too.
fn lend_shared(root: &Path, copy: &Path) -> Result<(), String> {
    let beside = |path: &Path| path.parent().map(|p| p.join("shared"));
    let (Some(from), Some(to)) = (beside(root), beside(copy)) else { return Ok(()) };
    if !from.is_dir() || to.exists() {
        return Ok(());
    }
    std::os::unix::fs::symlink(&from, &to).map_err(|e| format!("{}: {e}", to.display()))
}

fn collect(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, out) } else { out.push(path) }
    }
}
