//! JSON: what is kept is a list of keys.

use super::{Decoded, backslash_escape, finish, hide, in_code, in_text};
use std::ops::Range;

/// What is kept of a kind of file in JSON.
#[derive(Debug)]
pub(crate) struct Keep {
    /// Keys of which all that stands below them is looked at, and whose own texts are kept.
    pub keys: &'static [&'static str],
    /// Keys of texts for people.
    pub texts: &'static [&'static str],
    /// Keys below which all is looked at, but whose own texts are hidden.
    pub inner: &'static [&'static str],
}

/// The text with nothing in it but what stands under the keys of the list. All others keep their kind: a text becomes
/// `***`, a number `111`. What stands outside of texts stays only if it is a word of JSON or a number; behind anything else
/// no text and no number is kept, for what belongs to which key is not known there.
pub(crate) fn blank(text: &str, keep: &Keep) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut walk = Walk { text, keep, open: Vec::new(), key: Key::Kept, broken: false };
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    while let Some(byte) = text.as_bytes().get(at) {
        at = match byte {
            b'"' => walk.string(&mut out, at),
            b'{' | b'[' => {
                walk.open.push((*byte == b'{', walk.key));
                at + 1
            }
            b'}' | b']' => {
                walk.key = walk.open.pop().map_or(Key::Kept, |(_, key)| key);
                at + 1
            }
            b':' | b' ' | b'\t' | b'\n' | b'\r' => at + 1,
            b',' => {
                // The next member of an object has a key of its own; that of a list has the list's.
                if let Some((true, key)) = walk.open.last() {
                    walk.key = *key;
                }
                at + 1
            }
            _ => walk.bare(&mut out, at),
        };
    }
    finish(out)
}

/// What is known of a value by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Kept,
    Text,
    Inner,
    Hidden,
}

struct Walk<'t> {
    text: &'t str,
    keep: &'t Keep,
    /// What is open: is it an object, and what is it a value of?
    open: Vec<(bool, Key)>,
    key: Key,
    /// What came so far is no JSON.
    broken: bool,
}

impl Walk<'_> {
    /// A text or a key; where it ends.
    fn string(&mut self, out: &mut [u8], start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let closed = end < bytes.len();
        let body = start + 1..end.min(bytes.len());
        let after = (end + 1).min(bytes.len());
        let is_key = closed && self.text[after..].trim_start_matches([' ', '\t', '\n', '\r']).starts_with(':');
        let outer = self.open.last().map_or(Key::Kept, |(_, key)| *key);
        if is_key {
            let name = &self.text[body.clone()];
            self.key = match outer {
                Key::Kept | Key::Inner if self.keep.texts.contains(&name) => Key::Text,
                Key::Kept | Key::Inner if self.keep.keys.contains(&name) => Key::Kept,
                Key::Kept | Key::Inner if self.keep.inner.contains(&name) => Key::Inner,
                _ => Key::Hidden,
            };
            // A key that is not known is named in messages; a long or strange one may be anything.
            if self.broken || self.key == Key::Hidden && !is_word(name) {
                hide(&mut out[body]);
            }
            return after;
        }
        match (closed && !self.broken, self.key) {
            (false, _) | (true, Key::Hidden | Key::Inner) => hide(&mut out[body]),
            (true, Key::Text) => self.cut(out, body, in_text),
            (true, Key::Kept) => self.cut(out, body, in_code),
        }
        after
    }

    fn cut(&self, out: &mut [u8], body: Range<usize>, find: fn(&str) -> Vec<Range<usize>>) {
        let mut decoded = Decoded::default();
        decoded.add(self.text, body, '\\', backslash_escape);
        decoded.hide_in(out, find);
    }

    /// A number or a word; where it ends.
    fn bare(&mut self, out: &mut [u8], start: usize) -> usize {
        let ends = |c: char| c.is_whitespace() || "\"{}[]:,".contains(c);
        let end = self.text[start..].find(ends).map_or(self.text.len(), |i| start + i);
        // A blank that JSON does not have, such as a form feed, is a word of its own.
        let end = end.max(start + self.text[start..].chars().next().map_or(1, char::len_utf8));
        let word = &self.text[start..end];
        let number = word.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        if !number && !["true", "false", "null"].contains(&word) {
            hide(&mut out[start..end]);
            self.broken = true;
        } else if number && (self.broken || self.key == Key::Hidden) {
            out[start..end].iter_mut().filter(|b| b.is_ascii_digit()).for_each(|b| *b = b'1');
        }
        end
    }
}

/// A name as programs give them: small letters with `_`, `-` or blanks between them.
fn is_word(name: &str) -> bool {
    name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b"_- ".contains(&b))
}
