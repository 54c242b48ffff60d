//! Configurations of firewalls that lie in a directory.

use crate::gather::{MAX_BYTES, bytes, kind, read};
use callpath_core::dialect::{Dialect, Engine, Found, Kind, Standing, certain};
use std::path::Path;

/// What lies in a directory, by name: configurations, and files with rules that are not read.
#[derive(Default)]
pub struct Here {
    /// Configurations that are read.
    pub read: Vec<(String, &'static dyn Dialect)>,
    /// Those that are not.
    pub unread: Vec<(String, &'static Kind)>,
}

/// Looks through a directory. Links that lead out of it are not followed: `check` would not read them.
pub fn configurations(directory: &Path) -> Here {
    let Ok(entries) = std::fs::read_dir(directory) else { return Here::default() };
    let real = directory.canonicalize().ok();
    let inside =
        |file: &Path| file.canonicalize().ok().zip(real.as_ref()).is_some_and(|(file, dir)| file.starts_with(dir));
    let mut names: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| inside(&directory.join(name)))
        .collect();
    names.sort();
    let mut out = Here::default();
    for name in names {
        let Ok(content) = bytes(&directory.join(&name), "", MAX_BYTES) else { continue };
        let sure = std::str::from_utf8(&content).ok().and_then(certain);
        match (sure, kind(&content)) {
            (Some(dialect), _) => out.read.push((name, dialect)),
            (None, Found::Unread(kind)) if kind.has_rules => out.unread.push((name, kind)),
            _ => {}
        }
    }
    out
}

/// The dialect of a file; nothing where that is not certain.
pub fn dialect(file: &Path) -> Option<&'static dyn Dialect> {
    certain(&read(file, "", MAX_BYTES).ok()?)
}

/// Can these be files of one device? There are rules of one engine, each of its standings once: those in force, a
/// configuration, or both. Dumps belong to Linux.
pub fn of_one_device(found: &[(String, &'static dyn Dialect)]) -> bool {
    let rules: Vec<(Engine, Standing)> =
        found.iter().filter_map(|(_, d)| Some((d.about().engine?, d.about().standing))).collect();
    let Some((engine, _)) = rules.first() else { return false };
    let once = |(n, one): (usize, &(Engine, Standing))| one.0 == *engine && !rules[..n].contains(one);
    let dumps = rules.len() < found.len();
    rules.iter().enumerate().all(once) && (engine.has_linux_settings() || !dumps)
}
