//! Configurations of firewalls that lie in a directory.

use crate::gather::{MAX_BYTES, read};
use callpath_core::dialect::{Dialect, Engine, Standing, certain};
use std::path::Path;

/// Configurations in a directory, by name. Links that lead out of it are none: `check` would not read them.
pub fn configurations(directory: &Path) -> Vec<(String, &'static dyn Dialect)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let real = directory.canonicalize().ok();
    let inside =
        |file: &Path| file.canonicalize().ok().zip(real.as_ref()).is_some_and(|(file, dir)| file.starts_with(dir));
    let mut out: Vec<(String, &'static dyn Dialect)> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| inside(&directory.join(name)))
        .filter_map(|name| Some((name.clone(), dialect(&directory.join(&name))?)))
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
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
