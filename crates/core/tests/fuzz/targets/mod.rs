//! What each fuzz target does with its bytes, and what must hold then. `fuzz/` runs these bodies on random bytes, the test
//! beside this folder on every committed file.

mod changed;
mod example;
mod files;
mod manifest;
pub mod printed;
mod printing;
mod readers;
mod site;
mod snapshot;
mod sound;
mod trace;

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, also that of its folder of files.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "manifest", run: |data| text(data, manifest::manifest) },
    Target { name: "profile", run: |data| text(data, manifest::profile) },
    Target { name: "nft_text", run: |data| text(data, readers::nft_text) },
    Target { name: "nft_json", run: |data| text(data, readers::nft_json) },
    Target { name: "config_xml", run: |data| text(data, readers::config_xml) },
    Target { name: "rules_debug", run: |data| text(data, readers::rules_debug) },
    Target { name: "files", run: |data| text(data, files::files) },
    Target { name: "snapshot", run: |data| text(data, snapshot::snapshot) },
    Target { name: "printing", run: printing::printing },
    Target { name: "trace", run: trace::trace },
];

/// Larger texts only cost time: what they hold fits into small ones.
const MOST_BYTES: usize = 64 << 10;

fn text(data: &[u8], body: fn(&str)) {
    // The command line refuses what is no UTF-8 before any reader sees it.
    if let (true, Ok(text)) = (data.len() <= MOST_BYTES, std::str::from_utf8(data)) {
        body(text);
    }
}
