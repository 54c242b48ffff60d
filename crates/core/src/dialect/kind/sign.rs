//! Signs of a kind of file, and what of a text is compared with them.

use crate::snapshot::floor_boundary;
use std::collections::HashMap;
use std::ops::Range;

/// What speaks for a kind of file, or against it. A sign that a text shows often counts more than one that it shows once,
/// but no more than its logarithm: a thousand rules in a document do not make it a ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// What is looked for.
    pub unit: Unit,
    /// How much it says: 1 fits several kinds, 3 belongs to this one, 6 is enough alone; below 0 it speaks against it.
    pub weight: i8,
}

/// A part of a text that a sign can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A line without indentation, blanks as one. `%` stands for any letters.
    Line(&'static str),
    /// A key of JSON.
    Key(&'static str),
    /// An element of XML or HTML.
    Tag(&'static str),
}

/// A line is a sign: see [`Unit::Line`].
pub const fn line(weight: i8, pattern: &'static str) -> Sign {
    Sign { unit: Unit::Line(pattern), weight }
}

/// A key of JSON is a sign.
pub const fn key(weight: i8, name: &'static str) -> Sign {
    Sign { unit: Unit::Key(name), weight }
}

/// An element is a sign.
pub const fn tag(weight: i8, name: &'static str) -> Sign {
    Sign { unit: Unit::Tag(name), weight }
}

/// A sign of this weight is enough alone.
const ALONE: i8 = 5;
/// As much as one sign of less weight can say, in tenths.
const LITTLE: i32 = 40;
/// As much of a text is looked at: its size decides no more about the time than this.
const LOOKED_AT: usize = 512 << 10;
/// Of larger texts so many parts, from the first to the last byte.
const PARTS: usize = 8;
/// Of a longer line, its beginning.
const LONGEST_LINE: usize = 400;
/// Longer words are neither keys nor elements.
const LONGEST_WORD: usize = 64;

/// What is looked at of a text.
#[derive(Debug)]
pub struct Sample {
    /// All lines, each with a line feed behind it.
    text: String,
    /// Where lines begin and end there, by their first byte.
    lines: [Vec<Range<usize>>; 256],
    keys: HashMap<String, u32>,
    tags: HashMap<String, u32>,
}

impl Sample {
    /// Looks at a text.
    pub fn new(text: &str) -> Self {
        let lines = std::array::from_fn(|_| Vec::new());
        let mut out = Self { text: String::new(), lines, keys: HashMap::new(), tags: HashMap::new() };
        for part in parts(text) {
            for line in part.lines() {
                out.line(&line[..floor_boundary(line, line.len().min(LONGEST_LINE))]);
            }
            keys(part, &mut out.keys);
            tags(part, &mut out.tags);
        }
        out
    }

    /// Adds a line, with one blank for any blanks.
    fn line(&mut self, line: &str) {
        let begin = self.text.len();
        for (n, word) in line.split_whitespace().enumerate() {
            let word = if n == 0 { word.trim_start_matches('\u{feff}') } else { word };
            if n > 0 {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
        let end = self.text.len();
        // An entry of a list in YAML is also looked at without its dash.
        let dash = if self.text[begin..].starts_with("- ") { 2 } else { 0 };
        for begin in [Some(begin), (dash > 0).then_some(begin + dash)].into_iter().flatten() {
            if let Some(first) = self.text.as_bytes().get(begin) {
                self.lines[usize::from(*first)].push(begin..end);
            }
        }
        self.text.push('\n');
    }

    /// How often the text shows a part.
    fn count(&self, unit: Unit) -> u32 {
        match unit {
            Unit::Line(pattern) => {
                let first = pattern.as_bytes().first().copied().unwrap_or(ANY);
                let may = match first {
                    // One look through the whole text spares a look at each line.
                    ANY if !self.text.contains(longest_piece(pattern)) => return 0,
                    ANY => &self.lines[..],
                    first => std::slice::from_ref(&self.lines[usize::from(first)]),
                };
                let start = pattern.split('%').next().unwrap_or_default().as_bytes();
                // Most lines begin otherwise.
                let lines = may.iter().flatten().filter(|line| self.text.as_bytes()[line.start..].starts_with(start));
                let fits = lines.filter(|line| matches(pattern, &self.text[(*line).clone()])).count();
                u32::try_from(fits).unwrap_or(u32::MAX)
            }
            Unit::Key(name) => self.keys.get(name).copied().unwrap_or(0),
            Unit::Tag(name) => self.tags.get(name).copied().unwrap_or(0),
        }
    }

    /// How much the signs of a kind say about this text, in tenths. One sign that fits several kinds says little, however
    /// often it stands there.
    pub fn weigh(&self, signs: &[Sign]) -> i32 {
        let (mut all, mut shown, mut best) = (0, 0, 0);
        for sign in signs {
            let count = self.count(sign.unit);
            all += i32::from(sign.weight) * tenths_of_log2(count);
            if count > 0 && sign.weight > 0 {
                shown += 1;
                best = best.max(sign.weight);
            }
        }
        if shown < 2 && best < ALONE { all.min(LITTLE) } else { all }
    }
}

/// Stands for any letters in a pattern.
const ANY: u8 = b'%';

/// 10·log2(1 + n), rounded down to half a bit: whole numbers are the same on every machine.
fn tenths_of_log2(n: u32) -> i32 {
    let n = u64::from(n) + 1;
    let whole = n.ilog2();
    // The square of the rest tells whether half a bit is left.
    let half = n * n >= 1 << (2 * whole + 1);
    i32::try_from(whole).unwrap_or(0) * 10 + i32::from(half) * 5
}

/// The parts of a text that are looked at, cut where lines begin if there are lines.
fn parts(text: &str) -> Vec<&str> {
    if text.len() <= LOOKED_AT {
        return vec![text];
    }
    let size = LOOKED_AT / PARTS;
    let step = (text.len() - size) / (PARTS - 1);
    let part = |n: usize| {
        let from = floor_boundary(text, n * step);
        let to = floor_boundary(text, (n * step + size).min(text.len()));
        let part = text.get(from..to).unwrap_or_default();
        // What a cut left of a line says nothing.
        let cut = if n == 0 { 0 } else { part.find('\n').map_or(0, |at| at + 1) };
        &part[cut..]
    };
    (0..PARTS).map(part).collect()
}

/// Does a line fit a pattern? Each piece between two `%` is looked for behind the one before it.
fn matches(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split('%');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            let Some(at) = find(rest, before) else { return false };
            rest = &rest[at + before.len()..];
        }
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

/// What each line that fits a pattern holds.
fn longest_piece(pattern: &str) -> &str {
    pattern.split('%').max_by_key(|piece| piece.len()).unwrap_or_default()
}

fn find(text: &str, piece: &str) -> Option<usize> {
    if piece.is_empty() { Some(0) } else { text.find(piece) }
}

fn add(to: &mut HashMap<String, u32>, name: &str) {
    if let Some(count) = to.get_mut(name) {
        *count += 1;
    } else {
        to.insert(name.to_owned(), 1);
    }
}

/// Counts words in quotation marks before a colon.
fn keys(text: &str, into: &mut HashMap<String, u32>) {
    let mut begin = 0;
    for (at, _) in text.match_indices('"') {
        let word = &text[begin..at];
        begin = at + 1;
        if word.len() <= LONGEST_WORD && text[begin..].trim_start().starts_with(':') {
            add(into, word);
        }
    }
}

/// Counts elements where they begin.
fn tags(text: &str, into: &mut HashMap<String, u32>) {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let word = rest[at + 1..].trim_start_matches('/');
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && !"_.:-".contains(c)).unwrap_or(word.len());
        let closed = word[end..].starts_with(['>', '/', ' ', '\t', '\r', '\n']);
        if closed && end > 0 && end <= LONGEST_WORD && word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            add(into, &word[..end]);
        }
        rest = &rest[at + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_lines() {
        for (pattern, line, fits) in [
            ("COMMIT", "COMMIT", true),
            ("COMMIT", "COMMIT all", false),
            ("-A % -j %", "-A INPUT -p udp -j ACCEPT", true),
            ("-A % -j %", "-A INPUT", false),
            ("%.rules", "user.rules", true),
            ("% %", "a b", true),
            ("a%a", "a", false),
            ("%x%", "axb", true),
            ("%", "", true),
        ] {
            assert_eq!(matches(pattern, line), fits, "{pattern}: {line}");
        }
    }

    #[test]
    fn parts_of_a_text_are_counted() {
        let sample =
            Sample::new("\u{feff}a  b\r\n- c: d\n{\"key\" : 1, \"other\": \"key\"}\n<tag x=\"1\"><tag/></tag>\n< no>");
        assert_eq!(sample.count(Unit::Line("a b")), 1);
        assert_eq!((sample.count(Unit::Line("c: %")), sample.count(Unit::Line("- c: %"))), (1, 1));
        assert_eq!((sample.count(Unit::Key("key")), sample.count(Unit::Key("other"))), (1, 1));
        assert_eq!((sample.count(Unit::Tag("tag")), sample.count(Unit::Tag("no"))), (3, 0));
        assert_eq!((0..9).map(tenths_of_log2).collect::<Vec<_>>(), [0, 10, 15, 20, 20, 25, 25, 30, 30]);
    }

    #[test]
    fn as_much_of_a_large_text_is_looked_at() {
        let large = "first\n".to_owned() + &"é middle\n".repeat(1 << 20) + "last\n";
        let parts = parts(&large);
        assert_eq!(parts.len(), PARTS);
        assert!(parts.iter().map(|p| p.len()).sum::<usize>() <= LOOKED_AT);
        assert!(parts[0].starts_with("first") && parts[PARTS - 1].ends_with("last\n"));
    }
}
