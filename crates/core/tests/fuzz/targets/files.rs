//! All files of a Linux router together: rules that include others, addresses, routes, routing rules, settings.

use super::{snapshot, sound};
use callpath_core::dialect::{Standing, recognise, ruleset};
use callpath_core::model::{Pipeline, SourceId};
use callpath_core::snapshot::{Snapshot, Source};

/// What begins a file, before its name.
const MARK: &str = "=== ";

const MANIFEST: &str = "address = \"203.0.113.5\"\n\n[[gateway]]\nconfig = \"router\"\nouter = \"wan\"\n\n[[deploy]]\n\
    system = \"livekit\"\nhost = \"192.168.1.50\"\n";

/// Each line `=== NAME` begins a file of the router.
pub fn files(text: &str) {
    let mut sources = vec![Source { name: "callpath.toml".into(), text: MANIFEST.into() }];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix(MARK) {
            // More files than anybody has, each once.
            Some(name) if sources.len() < 64 => {
                let name = format!("router/{}", name.trim());
                if sources.iter().any(|s| s.name == name) {
                    return;
                }
                sources.push(Source { name, text: String::new() });
            }
            _ => match sources.last_mut() {
                Some(last) if last.name.starts_with("router/") => last.text.push_str(line),
                _ => {}
            },
        }
    }
    let site = Snapshot { sources, directory: String::new() };
    for n in 1..site.sources.len() {
        one(&site, SourceId(u16::try_from(n).expect("a few files")));
    }
    // One in eight: readers are to see as many texts as they can.
    if text.bytes().fold(0u8, |sum, b| sum.wrapping_mul(31).wrapping_add(b)).is_multiple_of(8) {
        sound::judged(&site);
        snapshot::redacted(&site);
    }
}

/// A file by itself, as `callpath import` reads it.
fn one(site: &Snapshot, id: SourceId) {
    let text = &site.source(id).expect("a file of the site").text;
    let failed = match recognise(id, text) {
        Ok(dialect) if dialect.about().standing == Standing::Facts => dialect.read(site, id).err(),
        Ok(dialect) => {
            let mut pipeline = Pipeline::default();
            let read = ruleset(site, id, dialect, &mut pipeline);
            sound::places(&pipeline, site);
            read.err()
        }
        Err(e) => Some(e),
    };
    if let Some(e) = failed {
        sound::error(&e, site);
    }
}
