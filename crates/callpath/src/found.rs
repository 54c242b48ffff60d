//! Configurations of firewalls that lie in a directory.

use crate::gather::{MAX_BYTES, read};
use callpath_core::dialect::{Kind, recognise};
use callpath_core::model::SourceId;
use std::path::Path;

/// Configurations in a directory, by name. Links that lead out of it are none: `check` would not read them.
pub fn configurations(directory: &Path) -> Vec<(String, Kind)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let real = directory.canonicalize().ok();
    let inside =
        |file: &Path| file.canonicalize().ok().zip(real.as_ref()).is_some_and(|(file, dir)| file.starts_with(dir));
    let mut out: Vec<(String, Kind)> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| inside(&directory.join(name)))
        .filter_map(|name| Some((name.clone(), kind(&directory.join(&name))?)))
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// What kind of configuration a file is; nothing where that is not certain.
pub fn kind(file: &Path) -> Option<Kind> {
    kind_of(&read(file, "", MAX_BYTES).ok()?)
}

/// The same for a text. Any text could be rules of nftables, so only those are that begin as people save them.
pub fn kind_of(text: &str) -> Option<Kind> {
    let kind = recognise(SourceId(0), text).ok()?;
    let first = || text.lines().map(str::trim_start).find(|l| !l.is_empty() && !l.starts_with('#'));
    let certain = match kind {
        Kind::NftText => first().is_some_and(|l| l.starts_with("table ") || l.starts_with("flush ruleset")),
        Kind::NftJson => text.trim_start().starts_with("{\"nftables\""),
        _ => true,
    };
    certain.then_some(kind)
}

/// Can these be files of one device? There is one ruleset of Linux with its dumps, or a backup of pfSense, perhaps with
/// the rules that were made of it.
pub fn of_one_device(found: &[(String, Kind)]) -> bool {
    let count = |kinds: &[Kind]| found.iter().filter(|(_, k)| kinds.contains(k)).count();
    let whole = |k: &Kind| matches!(k, Kind::NftText | Kind::NftJson | Kind::Plain(_));
    let rulesets = found.iter().filter(|(_, k)| whole(k)).count();
    let (backups, rules, dumps) = (count(&[Kind::PfSense]), count(&[Kind::Pf]), count(&[Kind::IpRoute, Kind::Kernel]));
    match rulesets {
        0 => backups <= 1 && rules <= 1 && backups + rules > 0 && dumps == 0,
        1 => backups + rules == 0,
        _ => false,
    }
}
