//! Names of a stranger, wherever a file of a site holds a value.

use super::{changed, example, printed, sound};
use crate::oracle::generate::Random;
use callpath_core::render::{render, targets};
use callpath_core::snapshot::Snapshot;
use std::ops::Range;

/// Bytes that choose: the site, its faults, and the places of names.
const CHOICES: usize = 24;

/// The first bytes choose, the others are names with 0xFF between them. The site with these names is judged, or
/// its changes are made, or its recipes are printed.
pub fn printing(data: &[u8]) {
    let (choices, names) = data.split_at(data.len().min(CHOICES));
    let mut random = Random::of_bytes(choices);
    let mut site = example::faulty(&mut random);
    for name in names.split(|b| *b == 0xff).take(3) {
        let name = String::from_utf8_lossy(&name[..name.len().min(512)]);
        let file = random.below(site.sources.len());
        let source = &site.sources[file];
        let all = values(&source.name, &source.text);
        let nth = random.below(256) * 256 + random.below(256);
        let Some(old) = all.get(nth % all.len().max(1)).map(|at| source.text[at.clone()].to_owned()) else { continue };
        // Beside the place that was drawn, all that say the same: names are referred to, in other files too.
        let everywhere = random.chance(75);
        let drawn = all[nth % all.len()].start;
        for (n, source) in site.sources.iter_mut().enumerate() {
            let value =
                |at: &Range<usize>| source.text[at.clone()] == old && (everywhere || n == file && at.start == drawn);
            let here: Vec<Range<usize>> = values(&source.name, &source.text).into_iter().filter(value).collect();
            for at in here.into_iter().rev() {
                source.text.replace_range(at, &written(&source.name, &name));
            }
        }
    }
    // What takes longest is done less often.
    match random.below(4) {
        0 => changed::kept(&site),
        1 => recipes(&site),
        _ => sound::judged(&site),
    }
}

/// What `callpath render` prints.
fn recipes(site: &Snapshot) {
    for target in targets() {
        match render(target, site) {
            Ok(rendered) => {
                for steps in [&rendered.guide, &rendered.undo, &rendered.elsewhere] {
                    printed::steps(steps);
                }
                rendered.notes.iter().for_each(|note| printed::seen(note, "a note"));
            }
            Err(e) => sound::error(&e, site),
        }
    }
}

/// Where values of a file stand: between quotation marks, between tags, or as words.
fn values(name: &str, text: &str) -> Vec<Range<usize>> {
    let between = |open: char, close: char| {
        let (mut out, mut from) = (Vec::new(), 0);
        while let Some(start) = text[from..].find(open).map(|i| from + i + 1) {
            let Some(end) = text[start..].find(close).map(|i| start + i) else { break };
            out.push(start..end);
            // What ends an element's text begins a tag; what ends a string is used up.
            from = end + usize::from(open == close);
        }
        out
    };
    match name.rsplit('.').next() {
        Some("json" | "toml") => between('"', '"'),
        Some("xml") => between('>', '<').into_iter().filter(|at| !text[at.clone()].trim().is_empty()).collect(),
        _ => {
            let (mut out, mut at) = (Vec::new(), 0);
            for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"{};,".contains(c)) {
                let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"{};,".contains(c));
                if !word.is_empty() {
                    out.push(at..at + word.len());
                }
                at += piece.len();
            }
            out
        }
    }
}

/// A value as its file holds it.
fn written(file: &str, value: &str) -> String {
    match file.rsplit('.').next() {
        // What JSON escapes, a basic string of TOML reads the same way (RFC 8259, 7; TOML 1.0, basic strings).
        Some("json" | "toml") => {
            let quoted = serde_json::to_string(value).expect("a string").replace('\u{7f}', "\\u007f");
            quoted[1..quoted.len() - 1].to_owned()
        }
        Some("xml") => value.replace('&', "&amp;").replace('<', "&lt;").replace("]]>", "]]&gt;"),
        _ => value.to_owned(),
    }
}
