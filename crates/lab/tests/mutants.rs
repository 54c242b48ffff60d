//! Planted bugs: each is still one line of the program away.

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_planted_bug_can_be_planted() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut patches: Vec<PathBuf> = ["crates/lab/mutants", "crates/lab/mutants/pairs"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(workspace.join(dir)).expect(dir))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "patch"))
        .collect();
    patches.sort();
    assert!(patches.len() >= 20, "{} bugs", patches.len());
    let plants = |patch: &PathBuf| {
        let mut git = Command::new("git");
        git.args(["apply", "--check"]).arg(patch).current_dir(&workspace);
        git.output().expect("git").status.success()
    };
    let stale: Vec<&PathBuf> = patches.iter().filter(|p| !plants(p)).collect();
    assert!(stale.is_empty(), "these bugs do not fit the program any more: {stale:#?}");
}
