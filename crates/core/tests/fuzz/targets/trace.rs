//! Where packets end, and changes that are said to repair it.

use super::{changed, example};
use crate::oracle::generate::{Random, plant};
use crate::oracle::{assert_agreed, assert_whole, draw, maker, question};
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

/// An example with faults and edits in it: changes that the report calls checked do what it says.
fn site(mut random: Random) {
    let mut site = example::faulty(&mut random);
    for _ in 0..random.below(5) {
        // The router's rules, or another file.
        let index = if random.chance(75) { 1 } else { random.below(site.sources.len()) };
        site.sources[index].text = edited(&site.sources[index].text, &mut random);
    }
    changed::kept(&site);
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
