//! `cargo xtask gen`: what is generated out of tables.

use crate::task::cargo;

/// Writes the pages; with `--check`, says which differ; with `--links`, lists addresses outside of the repository.
pub fn run(args: &[String]) -> Result<(), String> {
    let mut all = vec!["run", "--quiet", "--locked", "--package", "callpath-docs", "--"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all)
}
