//! Secrets of an XML text: all but what a dialect keeps becomes `*`, in a broken text as well.

use super::scan::{Kind, Part, Piece, Tag, name_length, pieces, reference};
use crate::secrets::{Decoded, finish, hide, settled};
use std::ops::Range;

/// Finds credentials in what an element says.
pub(crate) type Find = fn(&str) -> Vec<Range<usize>>;

/// The text without what a dialect does not keep. Same length, same lines.
///
/// `kept` gets the names of the elements down to a text, the root first. It says how credentials are found in the text, or
/// that nothing of it is kept. Names of elements and of attributes stay where they can be names; values of attributes,
/// comments and instructions go. Where tags do not fit together, nothing is kept any more: what stands where is not known
/// there.
pub(crate) fn blanked(text: &str, kept: fn(&[&str]) -> Option<Find>) -> String {
    settled(text, |text| Blanker::new(text, kept).run())
}

/// One pass over a text.
struct Blanker<'a> {
    text: &'a str,
    out: Vec<u8>,
    kept: fn(&[&str]) -> Option<Find>,
    /// Names of the elements that are open.
    open: Vec<&'a str>,
    /// What the element says so far: comments and references may stand in its middle.
    said: Decoded,
    /// How credentials are found in it, once it says something.
    find: Option<Find>,
    /// Some tags did not fit together.
    broken: bool,
}

impl<'a> Blanker<'a> {
    fn new(text: &'a str, kept: fn(&[&str]) -> Option<Find>) -> Self {
        let out = text.as_bytes().to_vec();
        Self { text, out, kept, open: Vec::new(), said: Decoded::default(), find: None, broken: false }
    }

    fn run(mut self) -> String {
        for piece in pieces(self.text) {
            self.piece(&piece);
        }
        self.credentials();
        finish(self.out)
    }

    fn piece(&mut self, piece: &Piece) {
        let Piece { kind, all, inside, closed } = piece.clone();
        match kind {
            Kind::Comment => self.hide(inside),
            Kind::Text => self.says(inside, true, '&'),
            // Nothing is a reference in it.
            Kind::Cdata => self.says(inside, closed, '\0'),
            Kind::Instruction => {
                if !closed || !is_declaration(&self.text[all.start..inside.end]) {
                    // The name of `<?a?>` ends where its instruction does; without one it is no XML.
                    self.hide(inside.start + kept_name(&self.text[inside.clone()])..inside.end);
                }
            }
            Kind::Declaration => {
                let declared = &self.text[inside.clone()];
                let word = DECLARED.iter().find(|word| declared.starts_with(**word)).map_or(0, |word| word.len());
                self.hide(inside.start + word..inside.end);
            }
            Kind::End => {
                let tag = &self.text[inside.clone()];
                self.hide(inside.start + kept_name(tag)..inside.end);
                self.credentials();
                self.broken |= self.open.pop() != Some(&tag[..name_length(tag)]);
            }
            Kind::Start => self.start(&all, closed),
        }
    }

    fn start(&mut self, all: &Range<usize>, closed: bool) {
        self.credentials();
        let tag = Tag::at(self.text, all.start);
        let name = &self.text[tag.name.clone()];
        if kept_name(name) == 0 {
            self.hide(tag.name.clone());
            self.broken = true;
        }
        let (mut empty, mut whole) = (false, true);
        for part in tag.parts() {
            empty = part == Part::Slash;
            match part {
                Part::Attribute { name, value } => {
                    self.hide(value);
                    if kept_name(&self.text[name.clone()]) == 0 {
                        self.hide(name);
                    }
                }
                Part::Slash => {}
                Part::Other(part) => {
                    self.hide(part);
                    whole = false;
                }
            }
        }
        // `*` is what was hidden of a name before: it ends with no tag.
        let known = whole && !name.contains('*');
        self.broken |= !known || name.is_empty() || !closed;
        if !empty {
            self.open.push(if known { name } else { "" });
        }
    }

    /// A part of what an element says; `mark` begins a reference in it.
    fn says(&mut self, part: Range<usize>, whole: bool, mark: char) {
        // Blanks between tags, most of all texts, are nothing to hide and nothing to look at.
        let blank = || self.text.as_bytes()[part.clone()].iter().all(u8::is_ascii_whitespace);
        let ends = || {
            let behind = &self.text[part.end..];
            behind.starts_with('<') && !behind.starts_with("<!") && !behind.starts_with("<?")
        };
        if self.find.is_none() && blank() && ends() {
            return;
        }
        match (self.kept)(&self.open) {
            Some(find) if whole && !self.broken => {
                self.find = Some(find);
                self.said.add(self.text, part, mark, reference);
            }
            _ => self.hide(part),
        }
    }

    /// Hides the credentials in what the element has said.
    fn credentials(&mut self) {
        if let Some(find) = self.find.take() {
            self.said.hide_in(&mut self.out, find);
            self.said.clear();
        }
    }

    fn hide(&mut self, part: Range<usize>) {
        hide(&mut self.out[part]);
    }
}

/// What can be declared before an XML text (XML 1.0, 2.8); everything else behind the word is hidden.
const DECLARED: &[&str] = &["DOCTYPE", "ENTITY", "ELEMENT", "ATTLIST", "NOTATION"];

/// The beginning of an XML text, with nothing in it that such a one does not have.
fn is_declaration(text: &str) -> bool {
    let known = |word: &str| {
        let Some((name, value)) = word.split_once('=') else { return false };
        let value = value.trim_matches(['"', '\'']);
        let known: &[&str] = match name {
            "version" => &["1.0", "1.1"],
            "standalone" => &["yes", "no"],
            "encoding" => &["utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"],
            _ => &[],
        };
        known.contains(&&*value.to_ascii_lowercase())
    };
    text.strip_prefix("<?xml ").is_some_and(|rest| rest.split_whitespace().all(known))
}

/// Length of the name that a tag begins with, if an element can have it (XML 1.0, 2.3) and it is no address; nothing is kept
/// of another.
fn kept_name(tag: &str) -> usize {
    let length = name_length(tag);
    let name = &tag[..length];
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    // `*` is what was hidden of it before.
    let goes_on = name.chars().all(|c| c.is_alphanumeric() || "_-.:*".contains(c));
    // An address with something before it, too.
    let is_ip = |part: &str| part.parse::<std::net::IpAddr>().is_ok();
    let ends_in_ip = |part: &str| part.char_indices().any(|(i, _)| is_ip(&part[i..]));
    let address =
        name.split(['_', '-', '*']).any(|part| part.len() >= 3 && part.contains(['.', ':']) && ends_in_ip(part));
    if begins && goes_on && !address { length } else { 0 }
}
