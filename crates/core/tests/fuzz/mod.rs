//! The fuzz targets on stable: every committed file through the body that `cargo xtask fuzz` runs on random bytes.
//!
//! `corpus/<target>/` is what campaigns kept because it leads somewhere new, `regressions/<target>/` what once failed.

pub mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use targets::{TARGETS, Target};

fn folder(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(kind).join(target)
}

fn committed(kind: &str, target: &str) -> Vec<PathBuf> {
    let Ok(list) = fs::read_dir(folder(kind, target)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = list.map(|e| e.expect("entry").path()).collect();
    files.sort();
    files
}

fn replay(kind: &str, target: &Target) -> usize {
    let files = committed(kind, target.name);
    for path in &files {
        let bytes = fs::read(path).expect("a file");
        // The name of the file, should it panic.
        println!("{}", path.display());
        (target.run)(&bytes);
    }
    files.len()
}

macro_rules! replayed {
    ($($name:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                let target = TARGETS.iter().find(|t| t.name == stringify!($name)).expect("a target");
                replay("regressions", target);
                assert!(replay("corpus", target) > 0, "no files in corpus/{}", target.name);
            }
        )*
    };
}

replayed!(manifest profile nft_text nft_json config_xml rules_debug files snapshot printing trace);

#[test]
fn every_target_is_replayed_and_fuzzed() {
    let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
    assert_eq!(names, REPLAYED);
    for kind in ["corpus", "regressions"] {
        let Ok(list) = fs::read_dir(folder(kind, "")) else { continue };
        for entry in list {
            let name = entry.expect("entry").file_name().to_string_lossy().into_owned();
            assert!(names.contains(&&*name), "{kind}/{name} belongs to no target");
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).expect("fuzz/Cargo.toml");
    let task = fs::read_to_string(root.join("xtask/src/fuzz/mod.rs")).expect("the task");
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
        assert!(task.contains(&format!("\"{name}\"")), "`cargo xtask fuzz` does not run {name}");
    }
}
