//! The pieces of a text that is XML, or was to be: tags, texts, comments.
//!
//! Blanking cannot rely on a parser. A backup that was cut off, or in which a tag is mistyped, is exactly what people
//! send to ask about, and its passwords must go as well; `roxmltree` reads nothing of it. So the scanner takes every text: it
//! never fails, each byte belongs to one piece, and it says of a piece whether its end is there. Where a text is well-formed
//! it cuts at the same places as `roxmltree` does; a test compares the two.

use std::ops::Range;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `<!-- -->`.
    Comment,
    /// `<![CDATA[ ]]>`.
    Cdata,
    /// `<? ?>`, the declaration of XML among them.
    Instruction,
    /// `<! >`: a document type, an entity.
    Declaration,
    /// `</name>`.
    End,
    /// `<name attribute="value">`.
    Start,
    /// What stands between the others.
    Text,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// What it is.
    pub kind: Kind,
    /// All of it.
    pub all: Range<usize>,
    /// What stands between the signs that begin and end it.
    pub inside: Range<usize>,
    /// Whether the sign that ends it is there.
    pub closed: bool,
}

/// The pieces of a text in their order. A mark of the byte order before them is none.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece> {
    pieces_from(text, text.len() - text.trim_start_matches('\u{feff}').len())
}

fn pieces_from(text: &str, mut at: usize) -> impl Iterator<Item = Piece> {
    std::iter::from_fn(move || {
        let piece = piece(text, at)?;
        at = piece.all.end;
        Some(piece)
    })
}

/// Signs that begin and end a piece, the longest first.
const SIGNS: &[(Kind, &str, &str)] = &[
    (Kind::Comment, "<!--", "-->"),
    (Kind::Cdata, "<![CDATA[", "]]>"),
    (Kind::Instruction, "<?", "?>"),
    (Kind::Declaration, "<!", ">"),
    (Kind::End, "</", ">"),
];

/// The piece that begins at a byte; none at the end of the text.
fn piece(text: &str, at: usize) -> Option<Piece> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    for (kind, begin, end) in SIGNS {
        let Some(inside) = rest.strip_prefix(begin) else { continue };
        let from = at + begin.len();
        let (inside, after) = match inside.find(end) {
            Some(length) => (from..from + length, from + length + end.len()),
            None => (from..text.len(), text.len()),
        };
        return Some(Piece { kind: *kind, closed: after > inside.end, all: at..after, inside });
    }
    if let Some(tag) = rest.strip_prefix('<') {
        let end = Parts { text, at: at + 1 + name_length(tag) }.last_end();
        let closed = end < text.len();
        return Some(Piece { kind: Kind::Start, closed, all: at..end + usize::from(closed), inside: at + 1..end });
    }
    let end = at + rest.find('<').unwrap_or(rest.len());
    Some(Piece { kind: Kind::Text, closed: true, all: at..end, inside: at..end })
}

/// Length of the name that a text begins with.
pub(crate) fn name_length(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || "/>=<\"'".contains(c)).unwrap_or(text.len())
}

/// What can stand behind the name of a start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// An attribute with a value in quotes.
    Attribute {
        /// Its name.
        name: Range<usize>,
        /// What stands between the quotes; up to the end of the text where the second one is missing.
        value: Range<usize>,
    },
    /// The `/` of an element without content.
    Slash,
    /// Anything else.
    Other(Range<usize>),
}

/// A start tag.
pub(crate) struct Tag<'a> {
    text: &'a str,
    /// Its name.
    pub name: Range<usize>,
}

impl<'a> Tag<'a> {
    /// The tag whose `<` is at a byte.
    pub fn at(text: &'a str, at: usize) -> Self {
        let name = at + 1..at + 1 + name_length(text.get(at + 1..).unwrap_or_default());
        Self { text, name }
    }

    /// What stands behind its name.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<'a> {
        Parts { text: self.text, at: self.name.end }
    }

    /// Where its content begins, behind `>`; none where there is none.
    pub fn content(&self) -> Option<usize> {
        let end = Parts { text: self.text, at: self.name.end }.last_end();
        (end < self.text.len() && !self.text[..end].ends_with('/')).then_some(end + 1)
    }
}

/// Goes through a start tag, up to its `>`: one in quotes does not end it.
struct Parts<'a> {
    text: &'a str,
    at: usize,
}

impl Parts<'_> {
    /// Where the tag ends: at its `>`, or with the text.
    fn last_end(mut self) -> usize {
        while self.next().is_some() {}
        self.at
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        self.at += bytes[self.at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let at = self.at;
        if at == bytes.len() || bytes[at] == b'>' {
            return None;
        }
        let word = name_length(&text[at..]);
        let value = text[at + word..].trim_start().strip_prefix('=').map(str::trim_start);
        let quoted = value.and_then(|v| Some((v, v.chars().next().filter(|c| ['"', '\''].contains(c))?)));
        if let Some((value, quote)) = quoted.filter(|_| word > 0) {
            let start = text.len() - value.len() + 1;
            let end = text[start..].find(quote).map_or(text.len(), |i| start + i);
            self.at = (end + 1).min(text.len());
            return Some(Part::Attribute { name: at..at + word, value: start..end });
        }
        self.at += text[at..].chars().next().map_or(1, char::len_utf8).max(word);
        let slash = bytes[at] == b'/' && bytes.get(at + 1) == Some(&b'>');
        Some(if slash { Part::Slash } else { Part::Other(at..self.at) })
    }
}

/// The name of the first element, where nothing but comments and instructions stands before it. Only the beginning of the
/// text may be there.
pub(crate) fn root_name(text: &str) -> Option<&str> {
    let blank = |piece: &Piece| match piece.kind {
        Kind::Comment | Kind::Instruction => piece.closed,
        Kind::Text => text[piece.all.clone()].trim_start_matches('\u{feff}').trim().is_empty(),
        _ => false,
    };
    let first = pieces(text).find(|piece| !blank(piece)).filter(|piece| piece.kind == Kind::Start)?;
    let rest = &text[first.inside.start..];
    let (name, behind) = rest.split_at(name_length(rest));
    behind.starts_with(|c: char| c == '>' || c == '/' || c.is_ascii_whitespace()).then_some(name)
}

/// Where the element ends that begins at a byte; none where no element does, or where its end is missing.
pub(crate) fn element_end(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for piece in pieces_from(text, start) {
        match piece.kind {
            Kind::Start if !text[..piece.inside.end].ends_with('/') => depth += 1,
            Kind::Start => {}
            Kind::End => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth == 0 {
            return piece.closed.then_some(piece.all.end);
        }
    }
    None
}

/// Where the first element of a name says something, below the element that begins at a byte; without the signs around a
/// CDATA section. None where there is no such element.
pub(crate) fn said_at(text: &str, start: usize, name: &str) -> Option<Range<usize>> {
    let end = element_end(text, start)?;
    let named = |piece: &Piece| piece.kind == Kind::Start && text[Tag::at(text, piece.all.start).name] == *name;
    let mut pieces = pieces_from(text, start).skip(1).take_while(|p| p.all.end <= end).skip_while(|p| !named(p));
    let open = pieces.next().filter(|open| !text[..open.inside.end].ends_with('/'))?;
    let said: Vec<Piece> = pieces.take_while(|p| p.kind != Kind::End).collect();
    Some(match &said[..] {
        [one] if one.kind == Kind::Cdata && !one.inside.is_empty() => one.inside.clone(),
        all => open.all.end..all.last().map_or(open.all.end, |last| last.all.end),
    })
}

/// The character that a reference at the start of a text stands for, and the length of the reference (XML 1.0, 4.1).
pub(crate) fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let c = match text.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => {
            let digits = number.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, end + 1))
}
