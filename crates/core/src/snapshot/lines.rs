//! Lines and columns of many places in one text, without reading for each of them what stands before it.

use super::{Snapshot, floor_boundary};
use crate::model::SourceId;
use std::cell::OnceCell;

/// So many bytes are read at most to count the characters before a place.
const STEP: usize = 512;
/// A line that is longer is shown from the place on, and cut.
const LONGEST: usize = 400;

/// What is known of a text's lines.
#[derive(Debug, Clone)]
struct Lines {
    /// First bytes of lines.
    starts: Vec<usize>,
    /// Characters that begin before each [`STEP`]th byte.
    counts: Vec<usize>,
}

fn characters(bytes: &[u8]) -> usize {
    // All but the bytes that continue one (RFC 3629 3).
    bytes.iter().filter(|b| **b & 0xc0 != 0x80).count()
}

impl Lines {
    fn of(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let mut counts = vec![0];
        for piece in text.as_bytes().chunks(STEP) {
            before += characters(piece);
            counts.push(before);
        }
        Self { starts, counts }
    }

    /// Characters between two bytes.
    fn between(&self, text: &str, from: usize, to: usize) -> usize {
        if to - from <= STEP {
            return characters(&text.as_bytes()[from..to]);
        }
        self.before(text, to) - self.before(text, from)
    }

    /// Characters before a byte.
    fn before(&self, text: &str, at: usize) -> usize {
        let step = at / STEP;
        self.counts[step] + characters(&text.as_bytes()[step * STEP..at])
    }
}

/// Places in the texts of a snapshot. A text is read through when it is asked about for the first time.
#[derive(Debug, Clone)]
pub struct Places<'a> {
    /// The texts.
    pub snapshot: &'a Snapshot,
    lines: Vec<OnceCell<Lines>>,
}

impl<'a> Places<'a> {
    /// Places of a snapshot.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, lines: vec![OnceCell::new(); snapshot.sources.len()] }
    }

    fn text(&self, id: SourceId) -> Option<(&'a str, &Lines)> {
        let text = &*self.snapshot.source(id)?.text;
        self.lines.get(usize::from(id.0)).map(|lines| (text, lines.get_or_init(|| Lines::of(text))))
    }

    /// Line and column, both from 1, of a byte in a source.
    pub fn line_column(&self, id: SourceId, at: usize) -> Option<(usize, usize)> {
        let (text, lines) = self.text(id)?;
        let at = floor_boundary(text, at.min(text.len()));
        let line = lines.starts.partition_point(|start| *start <= at);
        let first = lines.starts[line - 1];
        Some((line, lines.between(text, first, at) + 1))
    }

    /// The line of a byte without space around it; of a very long one what begins there.
    pub fn line(&self, id: SourceId, at: usize) -> Option<String> {
        let (text, lines) = self.text(id)?;
        let at = floor_boundary(text, at.min(text.len()));
        let line = lines.starts.partition_point(|start| *start <= at);
        let end = lines.starts.get(line).map_or(text.len(), |next| next - 1);
        let whole = &text[lines.starts[line - 1]..end];
        if whole.len() <= LONGEST {
            return Some(whole.trim().to_owned());
        }
        let rest = &text[at..end];
        let shown = &rest[..floor_boundary(rest, rest.len().min(LONGEST))];
        Some(format!("{}{}", shown.trim(), if shown.len() < rest.len() { " …" } else { "" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Source, line_column};

    fn snapshot(text: &str) -> Snapshot {
        Snapshot { sources: vec![Source { name: "a".into(), text: text.into() }], directory: String::new() }
    }

    #[test]
    fn every_place_is_where_counting_finds_it() {
        let long = "ü".repeat(700) + "x\n" + &"a€".repeat(400);
        for text in ["", "\n", "a\r\nb", "é\n\nü€ x\n", &*long] {
            let snapshot = snapshot(text);
            let places = Places::of(&snapshot);
            for at in 0..text.len() + 2 {
                let got = places.line_column(SourceId(0), at).expect("a source");
                assert_eq!(got, line_column(text, at), "byte {at} of {} bytes", text.len());
            }
        }
    }

    #[test]
    fn a_line_is_shown_whole_unless_it_is_very_long() {
        let line = |text: &str, at| Places::of(&snapshot(text)).line(SourceId(0), at).expect("a source");
        let short = [0, 3, 5, 11, 16].map(|at| line("one\n\ttwo \r\nthree", at));
        assert_eq!(short, ["one", "one", "two", "three", "three"]);
        let long = format!("{} here {}", "x".repeat(500), "ü".repeat(500));
        let shown = line(&long, 501);
        assert!(shown.starts_with("here ü") && shown.ends_with("ü …") && shown.len() < 410, "{shown}");
    }
}
