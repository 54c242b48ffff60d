//! `cargo xtask fuzz`: every reader and the trace on random bytes.

mod dictionary;
mod seeds;

use crate::task;
use std::fs;
use std::path::{Path, PathBuf};

/// Targets; a test of the library compares them with its own list.
const TARGETS: [&str; 10] = [
    "manifest",
    "profile",
    "nft_text",
    "nft_json",
    "config_xml",
    "rules_debug",
    "files",
    "snapshot",
    "printing",
    "trace",
];

/// An input that takes longer, in seconds, is a finding like a crash.
const TIMEOUT: u32 = 10;
/// So is one that needs more memory, in megabytes.
const MEMORY: u32 = 2000;
/// Larger inputs are not made: they are slow and show nothing new.
const LARGEST: u32 = 16_384;

/// Runs targets one after the other, each for some minutes. `fuzz/seeds` is written anew from the repository's own files;
/// with `--seeds` that is all, for whoever runs `cargo fuzz` by hand.
pub fn fuzz(args: &[String]) -> Result<(), String> {
    let (mut minutes, mut wanted, mut only_seeds) = (10, Vec::new(), false);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match (arg.as_str(), TARGETS.iter().find(|t| *t == arg)) {
            ("--minutes", _) => {
                let number = rest.next().and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0);
                minutes = number.ok_or("--minutes needs a number: `cargo xtask fuzz --minutes 60`")?;
            }
            ("--seeds", _) => only_seeds = true,
            (_, Some(target)) => wanted.push(*target),
            _ => return Err(format!("there is no fuzz target `{arg}`; there are: {}", TARGETS.join(", "))),
        }
    }
    if wanted.is_empty() {
        wanted.extend(TARGETS);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if only_seeds {
        return wanted.into_iter().try_for_each(|target| prepare(&root, target).map(|_| ()));
    }
    installed()?;
    let mut failed = Vec::new();
    for target in wanted {
        if run(&root, target, minutes).is_err() {
            failed.push(target);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "something was found: {}; copy the inputs from fuzz/artifacts to crates/core/tests/fuzz/regressions/<target>, \
         so that the tests fail, and mend the cause",
        failed.join(", ")
    ))
}

/// Compiles every target without the fuzzer, which is C++: a stable compiler for Rust is enough.
pub fn compiles() -> Result<(), String> {
    let args = ["clippy", "--manifest-path", "fuzz/Cargo.toml", "--target-dir", "target", "--no-default-features"];
    task::cargo(&[&args[..], &["--all-targets", "--locked", "--", "-D", "warnings"]].concat())
}

/// What a campaign starts from: a folder of seeds, and a dictionary of their words.
fn prepare(root: &Path, target: &str) -> Result<(PathBuf, PathBuf), String> {
    let seeds = root.join("fuzz/seeds").join(target);
    let written = seeds::write(root, target, &seeds)?;
    let words = root.join(format!("fuzz/seeds/{target}.dict"));
    dictionary::write(&seeds, &words, target)?;
    eprintln!("{target}: {written} seeds");
    Ok((seeds, words))
}

fn run(root: &Path, target: &str, minutes: u32) -> Result<(), String> {
    let (seeds, words) = prepare(root, target)?;
    let corpus = root.join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus).map_err(|e| format!("{}: {e}", corpus.display()))?;
    let committed = root.join("crates/core/tests/fuzz");
    let mut args: Vec<String> =
        ["run", "nightly", "cargo", "fuzz", "run", "--sanitizer", "none", target].map(str::to_owned).to_vec();
    let folders = [corpus, seeds, committed.join("corpus").join(target), committed.join("regressions").join(target)];
    args.extend(folders.iter().filter(|f| f.is_dir()).map(|f| shown(f)));
    args.push("--".to_owned());
    // The fuzzer refuses an empty list.
    if fs::metadata(&words).is_ok_and(|m| m.len() > 0) {
        args.push(format!("-dict={}", shown(&words)));
    }
    args.push(format!("-max_total_time={}", minutes * 60));
    args.push(format!("-timeout={TIMEOUT}"));
    args.push(format!("-rss_limit_mb={MEMORY}"));
    args.push(format!("-max_len={LARGEST}"));
    args.push("-print_final_stats=1".to_owned());
    task::run_in(root, "rustup", &args.iter().map(String::as_str).collect::<Vec<&str>>())
}

fn shown(path: &Path) -> String {
    // cargo-fuzz starts programs elsewhere.
    fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path)).to_string_lossy().into_owned()
}

/// What is needed beside the tests' programs. No sanitizer: there is no unsafe code here, and without one it is faster.
fn installed() -> Result<(), String> {
    let works = |args: &[&str]| {
        let output = std::process::Command::new("rustup").args(args).output();
        output.is_ok_and(|o| o.status.success())
    };
    if !works(&["run", "nightly", "rustc", "--version"]) {
        return Err("fuzzing needs a nightly compiler: `rustup toolchain install nightly --profile minimal`".to_owned());
    }
    if !works(&["run", "nightly", "cargo", "fuzz", "--version"]) {
        return Err("fuzzing needs cargo-fuzz: `cargo install cargo-fuzz --locked`".to_owned());
    }
    Ok(())
}
