//! Where packets end, and changes that are said to repair it.

use crate::oracle::generate::{Random, plant};
use crate::oracle::{assert_agreed, assert_whole, draw, maker, question};
use callpath_core::call::{analyze, changes};
use callpath_core::dialect::{Patch, apply};
use callpath_core::finding::{CAUSES, Fault, Severity};
use callpath_core::report::Verdict;
use callpath_core::snapshot::{Snapshot, Source};
use callpath_core::trace::ask;

/// The first byte says which of the two; the others are choices.
pub fn trace(data: &[u8]) {
    let [first, rest @ ..] = data else { return };
    let random = Random::of_bytes(&rest[..rest.len().min(4096)]);
    match first % 4 {
        0 => model(random, false),
        1 => model(random, true),
        _ => site(random),
    }
}

/// A random network: the answer's pieces are the question, and the interpreter agrees at their edges.
fn model(random: Random, doubts: bool) {
    let mut maker = maker(random, doubts);
    let mut net = maker.network();
    // What nobody understands may go anywhere: then only the trace's own promises can be tested.
    let planted = maker.random.chance(10) && plant(&mut net.devices[0].pipeline, &mut maker.random).is_some();
    let q = question(&net, &mut maker.random, maker.family);
    if q.packets.is_empty() {
        return;
    }
    let answer = ask(&net, &q);
    if planted {
        return;
    }
    if !doubts {
        assert_whole(&answer, &q, "of these bytes");
    }
    for _ in 0..20 {
        let packet = draw(&mut maker.random, &answer, &q);
        if packet[2] != packet[3] {
            assert_agreed(&net, &q, &answer, &packet, "of these bytes");
        }
    }
}

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

/// An example with faults and edits in it: changes that the report calls checked do what it says.
fn site(mut random: Random) {
    let (name, files) = random.pick(&EXAMPLES);
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    let mut site = Snapshot { sources: files.iter().map(source).collect(), directory: String::new() };
    let faults: Vec<&Fault> = CAUSES.iter().flat_map(|c| c.faults).filter(|f| f.example == name).collect();
    for _ in 0..random.below(4) {
        let fault = random.pick(&faults);
        for (file, from, to) in fault.edits {
            let source = site.sources.iter_mut().find(|s| s.name == *file).expect("faults name files that there are");
            source.text = source.text.replacen(from, to, 1);
        }
    }
    for _ in 0..random.below(5) {
        // The router's rules, or another file.
        let index = if random.chance(75) { 1 } else { random.below(site.sources.len()) };
        site.sources[index].text = edited(&site.sources[index].text, &mut random);
    }
    let Ok((patches, report)) = changes(&site) else { return };
    let promised = |f: &&callpath_core::report::Finding| {
        f.verified && f.severity != Severity::Note && f.change.as_ref().is_some_and(|c| c.applicability != "by hand")
    };
    let Some(finding) = report.findings.iter().find(promised) else { return };
    let mut cured = site.clone();
    for (index, source) in cured.sources.iter_mut().enumerate() {
        let here: Vec<&Patch> = patches.iter().filter(|(id, _)| usize::from(id.0) == index).map(|(_, p)| p).collect();
        if !here.is_empty() {
            source.text = apply(&source.text, &here).expect("the changes can be made together");
        }
    }
    let after = analyze(&cured).expect("what was printed can be read");
    assert_eq!(after.verdict, Verdict::Works, "{} is called checked, and then: {}", finding.code, after.headline);
}

/// The text with a line taken out, doubled or moved, or with one of its words in another's place.
fn edited(text: &str, random: &mut Random) -> String {
    // Two bytes: texts have more than 256 lines or words.
    fn place(random: &mut Random, n: usize) -> usize {
        (random.below(256) * 256 + random.below(256)) % n.max(1)
    }
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = place(random, lines.len());
    match random.below(5) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at]),
        2 => {
            let line = lines.remove(at);
            lines.insert(place(random, lines.len() + 1), line);
        }
        _ => {
            let words: Vec<(usize, &str)> = text
                .match_indices(|c: char| c.is_ascii_alphanumeric())
                .map(|(at, _)| at)
                .filter(|at| !text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric()))
                .map(|at| (at, text[at..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()))
                .collect();
            let (at, old) = words[place(random, words.len())];
            let (_, new) = words[place(random, words.len())];
            return [&text[..at], new, &text[at + old.len()..]].concat();
        }
    }
    lines.concat()
}
