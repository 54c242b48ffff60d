//! Saved mismatches, one file each: a campaign writes them, and tries them again before anything else.

use crate::namespace::Failure;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where they are.
#[derive(Debug, Clone)]
pub struct Fixtures {
    dir: PathBuf,
    /// The folder is there when something was saved, and not before.
    may_be_missing: bool,
}

impl Fixtures {
    /// The repository's own, wherever the program is started. A campaign that does not find them has tried nothing again,
    /// so a missing folder is an error.
    pub fn of_repository(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        Self { dir: root.join(name), may_be_missing: false }
    }

    /// A folder that somebody named; it need not be there yet.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, may_be_missing: true }
    }

    /// Writes a mismatch down.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, seed: u64, text: &str) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.dir).map_err(|e| format!("{} cannot be made: {e}", self.dir.display()))?;
        let path = self.dir.join(format!("seed-{seed}.md"));
        std::fs::write(&path, text).map_err(|e| format!("{} cannot be written: {e}", path.display()))
    }

    /// Tries each again. Returns how many there are, and what differs still.
    ///
    /// # Errors
    /// When they cannot be read, or one cannot be tried.
    pub fn again(
        &self,
        mut attempt: impl FnMut(&str) -> Result<Option<String>, Failure>,
    ) -> Result<(usize, Vec<String>), Failure> {
        let paths = self.paths()?;
        let mut differ = Vec::new();
        for path in &paths {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
            let found = attempt(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            differ.extend(found.map(|what| format!("{}: {what}", path.display())));
        }
        Ok((paths.len(), differ))
    }

    fn paths(&self) -> Result<Vec<PathBuf>, Failure> {
        let failed = |e| format!("saved mismatches cannot be listed in {}: {e}", self.dir.display());
        let entries = match std::fs::read_dir(&self.dir) {
            Err(e) if self.may_be_missing && e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        paths.retain(|p| p.extension().is_some_and(|e| e == "md") && !p.ends_with("README.md"));
        paths.sort();
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(fixtures: &Fixtures) -> Result<(usize, Vec<String>), Failure> {
        fixtures.again(|text| Ok(text.contains("differs").then(|| "it differs".to_owned())))
    }

    #[test]
    fn the_repository_has_some_of_both_kinds() {
        for kind in ["differential", "pairs"] {
            let (count, differ) = tried(&Fixtures::of_repository(kind)).expect("they are found from everywhere");
            assert!(count > 5 && differ.len() < count, "{kind}: {count}");
        }
    }

    #[test]
    fn only_a_folder_that_somebody_named_may_be_missing() {
        let dir = std::env::temp_dir().join(format!("callpath-fixtures-{}", std::process::id()));
        let given = Fixtures::at(dir.clone());
        assert_eq!(tried(&given), Ok((0, Vec::new())));
        assert!(tried(&Fixtures::of_repository("no such kind")).is_err());
        given.save(7, "this differs").expect("saved");
        let (count, differ) = tried(&given).expect("read");
        std::fs::remove_dir_all(&dir).expect("removed");
        assert!(count == 1 && differ[0].ends_with("seed-7.md: it differs"), "{differ:?}");
        std::fs::write(&dir, "a file").expect("written");
        let refused = tried(&given).is_err();
        std::fs::remove_file(&dir).expect("removed");
        assert!(refused, "a file is no folder");
    }
}
