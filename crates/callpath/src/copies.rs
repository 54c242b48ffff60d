//! Copies of the user's own files with changes in them. No file that callpath reads is written.

use crate::gather::{self, Gathered};
use crate::save;
use callpath_core::change::Step;
use callpath_core::dialect::{self, Patch};
use callpath_core::manifest;
use callpath_core::report::columns;
use callpath_core::snapshot::{InputError, Snapshot, Source};
use std::path::{Path, PathBuf};

/// Steps as a numbered list.
pub fn numbered(steps: &[Step]) -> String {
    let mut out = String::new();
    for (n, step) in steps.iter().enumerate() {
        let mut lines = vec![format!("{}. {}", n + 1, step.place)];
        lines.extend(step.lines.iter().map(|l| format!("     {l}")));
        if let (true, Some(last)) = (step.save, lines.last_mut()) {
            let gap = 67usize.saturating_sub(columns(last)).max(2);
            last.push_str(&" ".repeat(gap));
            last.push_str("Save");
        }
        for line in lines {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// Where copies come from, and what must stay as it is.
pub struct Copies<'a> {
    /// The folder of the site.
    folder: &'a Path,
    /// The site as it was named.
    named: &'a Path,
    snapshot: &'a Snapshot,
    /// Files of an earlier run may be replaced.
    force: bool,
}

impl<'a> Copies<'a> {
    /// Of a site that was read, and how it was named.
    pub fn new(gathered: &'a Gathered, named: &'a Path, force: bool) -> Self {
        Self { folder: &gathered.folder, named, snapshot: &gathered.snapshot, force }
    }

    /// The user's own file of a text that was read.
    pub fn own(&self, source: &Source) -> PathBuf {
        self.folder.join(&source.name)
    }

    /// The user's own text, not the one without secrets, with changes in it.
    pub fn changed(&self, source: &Source, patches: &[&Patch]) -> Result<String, InputError> {
        let name = source.name.as_str();
        let original = gather::read(&self.own(source), name, gather::MAX_BYTES)
            .map_err(|(message, help)| InputError::about(name, message).help(help))?;
        let is_manifest = self.snapshot.sources.first().is_some_and(|first| first.name == source.name);
        let blanked =
            if is_manifest { manifest::without_secrets(&original) } else { dialect::without_secrets(original.clone()) };
        // What was planned for one text is not put into another.
        if blanked != source.text {
            return Err(InputError::about(name, format!("`{name}` is not the file that was read"))
                .help("if the file changes now, try again"));
        }
        dialect::apply(&original, patches)
            .map_err(|e| InputError::about(name, e.0).help("follow the printed steps instead"))
    }

    /// Nothing is lost when this file is written.
    pub fn free(&self, file: &Path) -> Result<(), InputError> {
        if file.symlink_metadata().is_err() {
            return Ok(());
        }
        let name = gather::shown(file);
        if !self.force {
            return Err(InputError::about(name.as_str(), format!("`{name}` is there already"))
                .help("choose another name, or replace it with --force"));
        }
        let real = file.canonicalize().ok();
        let own = |source: &Source| real.is_some() && self.own(source).canonicalize().ok() == real;
        let read = real.is_some() && self.named.canonicalize().ok() == real;
        if read || self.snapshot.sources.iter().any(own) {
            return Err(InputError::about(name.as_str(), format!("`{name}` is a file of the site itself"))
                .help("choose another name: what callpath reads is never overwritten"));
        }
        Ok(())
    }

    /// Writes a file, readable for those only who can read each of `like`.
    pub fn put(&self, file: &Path, text: &str, like: &[PathBuf]) -> Result<(), InputError> {
        save::save(file, text, self.force, like).map_err(|e| save::failed(file, &e))
    }
}
