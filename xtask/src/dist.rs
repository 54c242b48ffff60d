//! `cargo xtask dist`: what is given to people who have no Rust. A static program with what belongs to it, as a folder
//! and as an archive whose bytes depend on the sources alone.

use crate::task::{cargo, output, run};
use crate::{elf, licences};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs on every Linux of this architecture, whatever its C library.
const TARGET: &str = "x86_64-unknown-linux-musl";
/// The largest program that is still handed around without thinking.
const MOST_BYTES: usize = 15_000_000;
/// Files that go along.
const TEXTS: [&str; 5] = ["README.md", "LIMITATIONS.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds the distribution for a target.
pub fn dist(args: &[String]) -> Result<(), String> {
    let target = match args {
        [] => TARGET,
        [flag, target] if flag == "--target" => target,
        _ => return Err("cargo xtask dist [--target TRIPLE]".into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    let build = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let time = time(&root)?;
    let program = program(&root, &build, target)?;
    let name = format!("callpath-{}-{target}", env!("CARGO_PKG_VERSION"));
    let all = build.join("dist");
    let folder = all.join(&name);
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    for (from, to) in TEXTS.map(|t| (root.join(t), t)).into_iter().chain([(program, "callpath")]) {
        fs::copy(&from, folder.join(to)).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    let folder_name = folder.display().to_string();
    let day = output("date", &["-u", "-d", &format!("@{time}"), "+%F"])?;
    cargo(&["run", "--quiet", "--locked", "--package", "callpath-docs", "--", "--install", &folder_name, day.trim()])?;
    fs::write(folder.join("THIRD-PARTY.txt"), licences::third_party(target)?).map_err(failed)?;
    archive(&all, &name, &time)?;
    eprintln!("{0}\n{0}.tar.gz", folder.display());
    Ok(())
}

/// The time of all files: that of the last commit, unless the environment says another (reproducible-builds.org).
fn time(root: &Path) -> Result<String, String> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(time) => Ok(time),
        Err(_) => output("git", &["-C", &root.display().to_string(), "log", "-1", "--format=%ct"])
            .map(|t| t.trim().to_owned())
            .map_err(|e| format!("{e}\nwithout git, set SOURCE_DATE_EPOCH")),
    }
}

/// Builds the program and looks at what came out.
fn program(root: &Path, build: &Path, target: &str) -> Result<PathBuf, String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    // Messages of panics name source files: as they are called in the repository, not on this machine.
    let flags = format!(
        "-C\x1ftarget-feature=+crt-static\x1f--remap-path-prefix={}=\x1f--remap-path-prefix={}=cargo",
        with_slash(root),
        home.display()
    );
    let how = ["build", "--locked", "--profile", "dist", "--package", "callpath", "--target", target];
    run_with("CARGO_ENCODED_RUSTFLAGS", &flags, &how)?;
    let program = build.join(target).join("dist/callpath");
    let bytes = fs::read(&program).map_err(|e| format!("{}: {e}", program.display()))?;
    elf::is_static(&bytes).map_err(|why| format!("{}: {why}", program.display()))?;
    if bytes.len() > MOST_BYTES {
        return Err(format!("{}: {} bytes; more than {MOST_BYTES}", program.display(), bytes.len()));
    }
    eprintln!("{}: {} bytes, static", program.display(), bytes.len());
    Ok(program)
}

fn with_slash(path: &Path) -> String {
    format!("{}/", path.display())
}

fn run_with(key: &str, value: &str, args: &[&str]) -> Result<(), String> {
    let pair = format!("{key}={value}");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    run("env", &[&[pair.as_str(), cargo.as_str()], args].concat())
}

/// Names in order, one time, one owner, and a compression that keeps no time: two runs give the same bytes.
fn archive(all: &Path, name: &str, time: &str) -> Result<(), String> {
    let (all, tar) = (all.display().to_string(), all.join(format!("{name}.tar")).display().to_string());
    let (time, who) = (format!("--mtime=@{time}"), ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]);
    let how = ["--create", "--format=ustar", "--sort=name", &time];
    run("tar", &[&how[..], &who, &["--file", &tar, "--directory", &all, name]].concat())?;
    run("gzip", &["--no-name", "--best", "--force", &tar])
}
