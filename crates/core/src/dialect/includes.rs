//! Which texts an `include` of a device's ruleset may mean: the files that the manifest names for that device, and what
//! these include by paths of their own folder. Another device's rules never answer.

use crate::manifest;
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::{Snapshot, Source};

/// A pattern of an `include` that no file of the device fits: `nft` takes that for an empty folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyInclude {
    /// Where it stands.
    pub at: SourceSpan,
    /// The pattern.
    pub path: Box<str>,
}

/// The targets of `include "…"` lines.
pub fn targets(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter_map(|l| l.trim_start().strip_prefix("include"));
    lines.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
}

/// The texts of a snapshot with those alone that the device of this one has; the others have no name and are empty, so
/// that each keeps its number.
pub(super) fn of_device(snapshot: &Snapshot, main: SourceId) -> Vec<Source> {
    let own = own(snapshot, main);
    let one = |(n, s): (usize, &Source)| if own[n] { s.clone() } else { Source::default() };
    snapshot.sources.iter().enumerate().map(one).collect()
}

fn own(snapshot: &Snapshot, main: SourceId) -> Vec<bool> {
    let name = |n: usize| &*snapshot.sources[n].name;
    let main = usize::from(main.0);
    let Ok(manifest) = manifest::parse(snapshot.manifest()) else {
        // Files that are looked at without a site belong together.
        return vec![true; snapshot.sources.len()];
    };
    let gateways = manifest.gateways.iter().chain(&manifest.callers).map(|g| g.files().collect());
    let hosts = manifest.deploys.iter().map(|d| d.files().collect::<Vec<_>>());
    let listed = |wanted: &str, source: &str| {
        source == wanted || source.strip_prefix(wanted.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    let mut own = vec![false; snapshot.sources.len()];
    for files in gateways.chain(hosts) {
        let has = |n: usize| files.iter().any(|f| listed(&f.value, name(n)));
        if has(main) {
            (0..own.len()).filter(|n| has(*n)).for_each(|n| own[n] = true);
        }
    }
    // The manifest is no file of a device.
    if let Some(first) = own.first_mut() {
        *first = false;
    }
    own[main] = true;
    let mut looked_at = vec![false; own.len()];
    while let Some(n) = (0..own.len()).find(|n| own[*n] && !looked_at[*n]) {
        looked_at[n] = true;
        let folder = name(n).rfind('/').map_or("", |i| &name(n)[..i]);
        for path in targets(&snapshot.sources[n].text).filter(|p| !p.starts_with('/')) {
            let whole = format!("{folder}/{path}");
            let wanted = parts(&whole);
            for found in (1..own.len()).filter(|m| matches(&parts(name(*m)), &wanted)) {
                own[found] = true;
            }
        }
    }
    own
}

/// The parts of a path, without `.` and with `..` resolved.
fn parts(path: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for part in path.split('/').filter(|p| !matches!(*p, "" | ".")) {
        if part == ".." && out.last().is_some_and(|p| *p != "..") {
            out.pop();
        } else {
            out.push(part);
        }
    }
    out
}

fn matches(name: &[&str], pattern: &[&str]) -> bool {
    name.len() == pattern.len() && name.iter().zip(pattern).all(|(n, p)| fits(n, p))
}

/// A name fits a pattern with the wildcards `*` and `?`.
pub fn fits(name: &str, pattern: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return name == pattern;
    }
    let (name, pattern): (Vec<char>, Vec<char>) = (name.chars().collect(), pattern.chars().collect());
    // States of the pattern that the name so far can have reached.
    let mut states = vec![false; pattern.len() + 1];
    states[0] = true;
    let spread = |states: &mut Vec<bool>| {
        for i in 0..pattern.len() {
            states[i + 1] |= states[i] && pattern[i] == '*';
        }
    };
    spread(&mut states);
    for c in name {
        let mut next = vec![false; pattern.len() + 1];
        for i in 0..pattern.len() {
            if states[i] {
                match pattern[i] {
                    '*' => next[i] = true,
                    '?' => next[i + 1] = true,
                    p => next[i + 1] |= p == c,
                }
            }
        }
        states = next;
        spread(&mut states);
    }
    states[pattern.len()]
}
