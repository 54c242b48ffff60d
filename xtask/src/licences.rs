//! Licences of what is part of the program.

use crate::task::output;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The licences of everything that is part of the program: they ask to be handed on.
pub fn third_party(target: &str) -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let how = ["metadata", "--locked", "--format-version", "1", "--filter-platform", target];
    // Of this JSON only the places of manifests are needed.
    let metadata = output(&cargo, &how)?;
    let manifests: Vec<&str> =
        metadata.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let how = ["tree", "--locked", "--package", "callpath", "--edges", "normal,no-proc-macro"];
    let tree = output(&cargo, &[&how[..], &["--target", target, "--prefix", "none", "--format", "{p}\t{l}"]].concat())?;
    let mut packages: Vec<&str> =
        tree.lines().filter(|l| !l.contains('(')).map(|l| l.trim_end_matches(" (*)")).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut out = String::from(
        "callpath is made with the packages below. It also holds parts of Rust's standard library (MIT or Apache-2.0,\n\
         https://www.rust-lang.org) and, when built for musl, of musl libc (MIT, https://musl.libc.org).\n",
    );
    for package in packages {
        let (name, licence) = package.split_once('\t').unwrap_or((package, ""));
        let _ = write!(out, "\n{}\n{}: {licence}\n", "=".repeat(80), name.replace(" v", " "));
        let folder = format!("/{}/Cargo.toml", name.replace(" v", "-"));
        let manifest = manifests.iter().find(|m| m.ends_with(&folder)).ok_or(format!("{name}: no such folder"))?;
        for text in texts(Path::new(manifest).parent().unwrap_or(Path::new("")))? {
            let _ = write!(out, "\n{}\n", text.trim_end());
        }
    }
    Ok(out)
}

/// The texts of a package's licences.
fn texts(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let names = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
        if path.is_file() && names.iter().any(|n| name.starts_with(n)) {
            files.push(path);
        }
    }
    files.sort();
    files.iter().map(|f| fs::read_to_string(f).map_err(|e| format!("{}: {e}", f.display()))).collect()
}
