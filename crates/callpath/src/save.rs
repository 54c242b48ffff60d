//! Writes a file whole or not at all, and never over another one unasked.

use crate::gather;
use callpath_core::snapshot::InputError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// Writes `text` as `path`: into a file beside it, which gets the name once it is complete. Whatever interrupts this,
/// `path` is what it was or what it should be.
///
/// A file that is there is kept unless `replace` is set. The new file is readable for those only who can read the one that
/// it replaces, each of `like`, and new files at all: a copy of a configuration holds the same passwords.
pub fn save(path: &Path, text: &str, replace: bool, like: &[PathBuf]) -> Result<()> {
    let old = fs::symlink_metadata(path).ok();
    if old.is_some() && !replace {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // A rename would put a file where a link, a device or a pipe was.
    if old.as_ref().is_some_and(|o| !o.is_file()) {
        return Err(Error::other("it is not a regular file"));
    }
    let (part, file) = beside(path)?;
    let models = old.into_iter().chain(like.iter().filter_map(|l| fs::metadata(l).ok())).chain(file.metadata().ok());
    let permissions = models.map(|m| m.permissions()).reduce(|a, b| stricter(&a, &b));
    let done = fill(file, text, permissions).and_then(|()| name(&part, path, replace));
    if done.is_err() || !replace {
        let _ = fs::remove_file(&part);
    }
    done
}

/// Why a file could not be written, and what to do.
pub fn failed(file: &Path, e: &Error) -> InputError {
    let name = gather::shown(file);
    let (why, help) = match e.kind() {
        ErrorKind::AlreadyExists => {
            ("there is such a file already; it is not overwritten".into(), "choose another name")
        }
        ErrorKind::StorageFull => (gather::reason(e), "make room, or choose another place"),
        _ => (gather::reason(e), "choose another place, in which you may write"),
    };
    InputError::about(name.as_str(), format!("`{name}` cannot be written: {why}")).help(help)
}

/// A new file in the same directory: names change at once only within a file system.
fn beside(path: &Path) -> Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| Error::other("it names no file"))?;
    let mut n = 0;
    loop {
        let mut own = OsString::from(".");
        own.push(name);
        own.push(format!(".{}-{n}.part", std::process::id()));
        let part = path.with_file_name(own);
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((part, file)),
            // Left behind by a run that was killed.
            Err(e) if e.kind() == ErrorKind::AlreadyExists && n < 100 => n += 1,
            Err(e) => return Err(e),
        }
    }
}

/// What both allow.
#[cfg(unix)]
fn stricter(a: &Permissions, b: &Permissions) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(a.mode() & b.mode() & 0o777)
}

/// What both allow.
#[cfg(not(unix))]
fn stricter(a: &Permissions, b: &Permissions) -> Permissions {
    if a.readonly() { a.clone() } else { b.clone() }
}

fn fill(mut file: File, text: &str, permissions: Option<Permissions>) -> Result<()> {
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn name(part: &Path, path: &Path, replace: bool) -> Result<()> {
    if replace {
        return fs::rename(part, path);
    }
    // Unlike a rename, a second name for the complete file fails where somebody was faster.
    match fs::hard_link(part, path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            // Some file systems know no second names: the name is taken first, and is empty for a moment.
            OpenOptions::new().write(true).create_new(true).open(path)?;
            fs::rename(part, path)
        }
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_asked_and_nothing_is_left_beside_it() {
        let dir = std::env::temp_dir().join(format!("callpath-save-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        let file = dir.join("a.txt");
        save(&file, "one", false, &[]).expect("a new file");
        assert_eq!(save(&file, "two", false, &[]).map_err(|e| e.kind()), Err(ErrorKind::AlreadyExists));
        assert_eq!(fs::read_to_string(&file).expect("read"), "one");
        save(&file, "two", true, &[]).expect("replaced");
        assert_eq!(fs::read_to_string(&file).expect("read"), "two");
        assert!(save(&dir, "three", true, &[]).is_err() && dir.is_dir());
        assert!(save(&dir.join("no/a.txt"), "three", true, &[]).is_err());
        assert_eq!(fs::read_dir(&dir).expect("list").count(), 1);
        fs::remove_dir_all(&dir).expect("remove");
    }
}
