//! The repository's examples, with what can be wrong in them.

use crate::oracle::generate::Random;
use crate::planted::{FAULTS, Fault};
use callpath_core::snapshot::{Snapshot, Source};

macro_rules! file {
    ($example:literal, $name:literal) => {
        ($name, include_str!(concat!("../../../../../examples/", $example, "/", $name)))
    };
}

/// A folder under `examples/`: its name, its files and their texts.
type Example = (&'static str, &'static [(&'static str, &'static str)]);

const EXAMPLES: [Example; 3] = [
    ("spokes", &[file!("spokes", "callpath.toml"), file!("spokes", "pfsense/config.xml")]),
    ("reflector", &[file!("reflector", "callpath.toml"), file!("reflector", "pfsense/config.xml")]),
    (
        "linux-router",
        &[
            file!("linux-router", "callpath.toml"),
            file!("linux-router", "ruleset.nft"),
            file!("linux-router", "ip-addr.json"),
            file!("linux-router", "ip-route.json"),
            file!("linux-router", "ip-6-route.json"),
        ],
    ),
];

/// An example with up to three faults in it.
pub fn faulty(random: &mut Random) -> Snapshot {
    let (name, files) = random.pick(&EXAMPLES);
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let mut site = Snapshot { sources: files.iter().map(source).collect(), directory: String::new() };
    let faults: Vec<&Fault> = FAULTS.iter().filter(|f| f.example == name).collect();
    for _ in 0..random.below(4) {
        let fault = random.pick(&faults);
        for (file, from, to) in fault.edits {
            let source = site.sources.iter_mut().find(|s| s.name == *file);
            let source = source.unwrap_or_else(|| panic!("{}: {file} is not there", fault.cause));
            source.text = source.text.replacen(from, to, 1);
        }
    }
    site
}
