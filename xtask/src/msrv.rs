//! `cargo xtask ci`: is `rust-version` true?
//!
//! It is what the dependencies ask for at least, and what this workspace was compiled with. clippy's `incompatible_msrv`
//! looks after functions of the standard library that are newer.

use crate::packages;
use crate::task::root;
use std::process::Command;

/// A version of the compiler, without what comes behind the second number.
type Version = (u32, u32);

/// Compares the promise with the dependencies' and with the compiler at hand.
pub fn check() -> Result<(), String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).map_err(|e| format!("Cargo.toml: {e}"))?;
    let promised = promise(&manifest).ok_or("Cargo.toml: no `rust-version`")?;
    let list = packages::all()?;
    let newer: Vec<String> = list
        .iter()
        .filter_map(|p| Some((p, p.rust.as_deref()?)))
        .filter(|(_, rust)| version(rust).is_none_or(|v| v > promised))
        .map(|(p, rust)| format!("{} {} asks for Rust {rust}", p.name, p.version))
        .collect();
    if !newer.is_empty() {
        return Err(format!("rust-version is {}.{}, but {}", promised.0, promised.1, newer.join(", ")));
    }
    let most = list.iter().filter_map(|p| p.rust.as_deref().and_then(version)).filter(|v| *v != promised).max();
    let (major, minor) = most.unwrap_or_default();
    eprintln!("rust-version {}.{}; the dependencies ask for {major}.{minor} at most", promised.0, promised.1);
    let output = Command::new("rustc").arg("--version").current_dir(root()).output();
    let said = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).map_err(|e| format!("rustc: {e}"))?;
    let here = said.split_whitespace().nth(1).and_then(version).ok_or_else(|| format!("rustc says {said}"))?;
    if here != promised {
        eprintln!("this compiler is {}.{}: with rust-version itself, nothing is tried here", here.0, here.1);
    }
    Ok(())
}

fn promise(manifest: &str) -> Option<Version> {
    let line = manifest.lines().find_map(|l| l.strip_prefix("rust-version = "))?;
    version(line.trim_matches('"'))
}

fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split(['.', '-']).map(|n| n.parse().ok());
    Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_numbers() {
        assert_eq!(promise("[workspace.package]\nrust-version = \"1.95\"\n"), Some((1, 95)));
        assert_eq!(version("1.97.0-nightly"), Some((1, 97)));
        assert!(version("1.100") > version("1.95.2") && version("2") > version("1.95"));
        assert_eq!(version("new"), None);
    }
}
