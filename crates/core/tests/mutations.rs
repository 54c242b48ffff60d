//! Whatever happens to the files of a site, there is a report or an error with a place, never a panic.

use callpath_core::check::analyze;
use callpath_core::report::{Style, text};
use callpath_core::snapshot::{Snapshot, Source};
use std::path::Path;

/// Mutations per file. Each takes about a millisecond.
const ROUNDS: u64 = 600;

/// A small generator of numbers (Knuth's MMIX constants): the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

fn mutate(text: &str, numbers: &mut Numbers) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (from, length) = (numbers.below(chars.len()), 1 + numbers.below(12));
    let to = (from + length).min(chars.len());
    let mut out: Vec<char> = chars[..from].to_vec();
    match numbers.below(4) {
        // Something is missing, doubled, replaced, or comes from elsewhere in the file.
        0 => {}
        1 => out.extend(chars[from..to].iter().chain(&chars[from..to])),
        2 => out.extend("0\"{}[]=,-/é;:\n9".chars().skip(numbers.below(14)).take(1)),
        _ => {
            let other = numbers.below(chars.len());
            out.extend(&chars[other..(other + length).min(chars.len())]);
        }
    }
    out.extend(&chars[to..]);
    out.into_iter().collect()
}

#[test]
fn mutated_sites_give_a_report_or_an_error() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/linux-router");
    let names = ["callpath.toml", "ruleset.nft", "ip-addr.json", "ip-route.json", "ip-6-route.json"];
    let read = |name: &&str| Source {
        name: (*name).to_owned(),
        text: std::fs::read_to_string(dir.join(name)).expect("a file of the example"),
    };
    let sources: Vec<Source> = names.iter().map(read).collect();
    let mut numbers = Numbers(7);
    let (mut judged, mut refused) = (0, 0);
    for index in 0..sources.len() {
        for _ in 0..ROUNDS {
            let mut snapshot = Snapshot { sources: sources.clone(), directory: String::new() };
            snapshot.sources[index].text = mutate(&sources[index].text, &mut numbers);
            match analyze(&snapshot) {
                Ok(report) => {
                    judged += 1;
                    assert!(!text(&report, Style { colour: false }).is_empty());
                }
                Err(error) => {
                    refused += 1;
                    assert!(error.at.is_some() || error.file.is_some(), "no place: {error}");
                    assert!(!error.help.is_empty(), "no help: {error}");
                    assert!(error.render(&snapshot, false).contains("-->"), "{error}");
                }
            }
        }
    }
    assert!(judged > 500 && refused > 500, "both ways are met: {judged} judged, {refused} refused");
}
