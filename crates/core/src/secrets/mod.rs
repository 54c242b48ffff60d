//! Secrets are blanked before anything else looks at a text.
//!
//! Each kind of file has a list of what is kept of it, beside its reader; all other values become `*`. What is kept can
//! still hold a credential: an address of a list with a key in it, a comment with a password. [`in_text`] and
//! [`in_code`] find these by their shape. Nothing moves: a blanked text has the same length and the same lines.

mod address;
pub(crate) mod json;
mod shape;

use std::ops::Range;

/// Puts `*` in the place of every byte that is not blank. A zero byte stays: it tells that this is no text.
pub(crate) fn hide(bytes: &mut [u8]) {
    for b in bytes.iter_mut().filter(|b| !b.is_ascii_whitespace() && **b != 0) {
        *b = b'*';
    }
}

/// The whole text hidden: a kind of file of which nothing is known.
pub(crate) fn all(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    hide(&mut out);
    finish(out)
}

/// So often a text is read again at most, until nothing more of it is hidden.
const MAX_PASSES: usize = 8;

/// A text after a reader has hidden what it does not keep, and would hide nothing more in what is left: a broken text can
/// read otherwise once a part of it is hidden. One that does not settle is hidden as a whole.
pub(crate) fn settled(text: &str, once: impl Fn(&str) -> String) -> String {
    let mut hidden = once(text);
    for _ in 0..MAX_PASSES {
        let again = once(&hidden);
        if again == hidden {
            return hidden;
        }
        hidden = again;
    }
    all(&hidden)
}

/// The text of bytes in which only whole characters were hidden.
pub(crate) fn finish(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

/// Parts of a text for people that are credentials: a name of a rule, a comment, an address of a list.
pub(crate) fn in_text(text: &str) -> Vec<Range<usize>> {
    let mut out = address::of_text(text);
    out.extend(shape::of_text(text));
    out
}

/// Parts of an address, or of several with blanks between them, with or without a scheme.
pub(crate) fn in_address(text: &str) -> Vec<Range<usize>> {
    let mut out = address::of_text(text);
    out.extend(shape::of_code(text));
    out
}

/// Parts of a piece of configuration that can only be credentials. No name of a table, chain, alias or interface is one:
/// two names that look alike afterwards would be one.
pub(crate) fn in_code(text: &str) -> Vec<Range<usize>> {
    let mut out = address::of_code(text);
    out.extend(shape::of_code(text));
    out
}

/// Whether a name is one of a credential: `PrivateKey`, `rocommunity`.
pub(crate) fn names_credential(word: &str) -> bool {
    shape::names_credential(word)
}

/// Hides credentials in a part of a text.
pub(crate) fn hide_in(out: &mut [u8], text: &str, part: Range<usize>, find: fn(&str) -> Vec<Range<usize>>) {
    for found in find(&text[part.clone()]) {
        hide(&mut out[part.start + found.start..part.start + found.end]);
    }
}

/// A text whose characters are written with escapes, and where each of them stands.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    text: String,
    /// Where a part of the text begins, and where it stands in the original: as it is, or as one escape.
    parts: Vec<(usize, Range<usize>)>,
}

impl Decoded {
    /// Adds a part of the original in which `escape` tells what a sequence that begins with `mark` stands for, and its
    /// length.
    pub(crate) fn add(&mut self, original: &str, part: Range<usize>, mark: char, escape: Escape) {
        let mut at = part.start;
        while at < part.end {
            let rest = &original[at..part.end];
            let from = self.text.len();
            let escaped = if rest.starts_with(mark) { escape(rest) } else { None };
            let length = if let Some((c, length)) = escaped {
                self.text.push(c);
                length
            } else {
                // Up to the next mark; one that begins no escape is a sign like any other.
                let first = rest.chars().next().map_or(1, char::len_utf8);
                let length = rest[first..].find(mark).map_or(rest.len(), |next| first + next);
                self.text.push_str(&rest[..length]);
                length
            };
            self.parts.push((from, at..at + length));
            at += length;
        }
    }

    /// Hides credentials of the text where they stand in the original.
    pub(crate) fn hide_in(&self, out: &mut [u8], find: fn(&str) -> Vec<Range<usize>>) {
        for found in find(&self.text) {
            let first = self.parts.partition_point(|(from, _)| *from <= found.start).saturating_sub(1);
            for (n, (from, original)) in self.parts.iter().enumerate().skip(first) {
                if *from >= found.end {
                    break;
                }
                let end = self.parts.get(n + 1).map_or(self.text.len(), |(next, _)| *next);
                let as_it_is = end - from == original.len();
                let inside = if as_it_is {
                    let start = found.start.max(*from) - from;
                    original.start + start..original.start + found.end.min(end) - from
                } else {
                    original.clone()
                };
                hide(&mut out[inside]);
            }
        }
    }

    /// Forgets the text, and keeps its room for another.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.parts.clear();
    }
}

/// What an escape at the start of a text stands for, and its length.
pub(crate) type Escape = fn(&str) -> Option<(char, usize)>;

/// An escape of JSON or TOML.
pub(crate) fn backslash_escape(text: &str) -> Option<(char, usize)> {
    let c = text.chars().nth(1)?;
    let code = |from: usize, digits: usize| {
        let hex = text.get(from..from + digits)?;
        Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, from + digits))
    };
    match c {
        'n' | 'r' | 't' | 'b' | 'f' => Some((' ', 2)),
        'u' => code(2, 4).or(Some(('\u{fffd}', 2))),
        'U' => code(2, 8).or(Some(('\u{fffd}', 2))),
        c => Some((c, 1 + c.len_utf8())),
    }
}

#[cfg(test)]
mod tests;
