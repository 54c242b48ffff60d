//! The sources of the library, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// All files in a folder and below it.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the library") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.push(path);
        }
    }
    out
}

/// Those of Rust.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs")).collect()
}

/// The text of a file without the tests at its end.
pub fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at])
}
