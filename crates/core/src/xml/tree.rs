//! A text that is well-formed, as a tree of elements that know where they stand.

use super::item::Style;
use super::scan::{Kind, Part, Tag, pieces};
use roxmltree::{Document, Error, Node, ParsingOptions};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

/// More elements and texts than any backup has: each costs 72 bytes.
const MOST_NODES: u32 = 2_500_000;

/// More signs `=` than any backup has. The parser makes room for an attribute for each, wherever it stands.
const MOST_EQUALS: usize = 1_000_000;

/// So many attributes are let through unseen. The parser compares all of one element with each other.
const FEW_ATTRIBUTES: usize = 10_000;

/// More attributes than one element has, and than all have.
const MOST_ATTRIBUTES: (usize, usize) = (256, 200_000);

/// More namespaces than a file declares: the parser keeps a list of those that hold for each element that declares one.
const MOST_NAMESPACES: usize = 100;

/// An element or a text of a [`Tree`].
pub(crate) type El<'t> = Node<'t, 't>;

/// A text and its elements.
pub(crate) struct Tree<'a> {
    /// The text.
    pub text: &'a str,
    document: Document<'a>,
    style: OnceCell<Style>,
}

/// Why a text is not well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The byte at which that shows.
    pub at: usize,
    /// The reason.
    pub why: String,
}

impl<'a> Tree<'a> {
    /// Reads a text. A document type is refused, so no entity is there to grow.
    ///
    /// # Errors
    /// The text is not well-formed, or larger than any configuration.
    pub fn read(text: &'a str) -> Result<Self, Broken> {
        if let Some(broken) = too_many(text) {
            return Err(broken);
        }
        let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).map_err(|e| broken(text, &e))?;
        Ok(Self { text, document, style: OnceCell::new() })
    }

    /// The element around all others.
    pub fn root(&self) -> El<'_> {
        self.document.root_element()
    }

    /// All elements, texts, comments and instructions in their order.
    pub fn nodes(&self) -> impl Iterator<Item = El<'_>> {
        self.document.descendants()
    }

    /// How the text is written.
    pub(super) fn style(&self) -> &Style {
        self.style.get_or_init(|| Style::of(self))
    }

    /// The start tag of an element.
    pub fn tag(&self, element: El) -> Tag<'a> {
        Tag::at(self.text, element.range().start)
    }

    /// Where the end tag of an element begins; none where its start tag is all of it.
    fn end_tag(&self, element: El) -> Option<usize> {
        let range = element.range();
        let all = &self.text[range.clone()];
        // Neither names nor values hold `<`, so the last one begins the end tag.
        all.rfind('<').filter(|at| all[*at..].starts_with("</")).map(|at| range.start + at)
    }

    /// The name in the end tag of an element, with its prefix.
    pub(super) fn end_name(&self, element: El) -> Option<Range<usize>> {
        let start = self.end_tag(element)? + 2;
        Some(start..start + super::scan::name_length(&self.text[start..]))
    }

    /// The bytes between the tags of an element; none where its start tag is all of it.
    pub fn content(&self, element: El) -> Option<Range<usize>> {
        let end = self.end_tag(element)?;
        let start = match element.first_child() {
            Some(first) => first.range().start,
            None => self.tag(element).content()?,
        };
        Some(start..end)
    }

    /// Where a text stands. `roxmltree` joins the pieces that stand side by side, CDATA among them, and tells where the first
    /// one does.
    pub(super) fn text_range(&self, text: El) -> Range<usize> {
        let range = text.range();
        let end = match text.next_sibling() {
            Some(next) => Some(next.range().start),
            None => text.parent_element().and_then(|parent| self.end_tag(parent)),
        };
        range.start..end.unwrap_or(range.end)
    }
}

fn too_many_nodes() -> String {
    format!("it has more than {MOST_NODES} elements, far more than a firewall's own")
}

/// Whether a text has more of anything than the parser can be let to make room for, or to compare.
fn too_many(text: &str) -> Option<Broken> {
    let count = |sign: u8| text.bytes().filter(|b| *b == sign).count();
    let (tags, equals) = (count(b'<'), count(b'='));
    // An element has two tags at most.
    if tags / 2 > MOST_NODES as usize {
        return Some(Broken { at: 0, why: too_many_nodes() });
    }
    if equals > MOST_EQUALS {
        let why = format!("it has more than {MOST_EQUALS} signs `=`, far more than a firewall's own");
        return Some(Broken { at: 0, why });
    }
    if equals <= FEW_ATTRIBUTES && text.matches("xmlns").nth(MOST_NAMESPACES).is_none() {
        return None;
    }
    let (mut all, mut namespaces) = (0, 0);
    for piece in pieces(text).filter(|piece| piece.kind == Kind::Start) {
        let mut own = 0;
        for part in Tag::at(text, piece.all.start).parts() {
            if let Part::Attribute { name, .. } = part {
                own += 1;
                namespaces += usize::from(text[name].starts_with("xmlns"));
            }
        }
        all += own;
        let (most_own, most) = MOST_ATTRIBUTES;
        let what = match () {
            () if own > most_own => format!("an element has more than {most_own} attributes"),
            () if all > most => format!("it has more than {most} attributes"),
            () if namespaces > MOST_NAMESPACES => format!("it declares more than {MOST_NAMESPACES} namespaces"),
            () => continue,
        };
        return Some(Broken { at: piece.all.start, why: format!("{what}, far more than a firewall's own") });
    }
    None
}

/// The byte and the reason of an error.
fn broken(text: &str, error: &Error) -> Broken {
    let (at, why) = match error {
        Error::NodesLimitReached => (0, too_many_nodes()),
        Error::UnexpectedEndOfStream | Error::UnclosedRootNode => {
            let last = text.trim_end().char_indices().next_back().map_or(0, |(i, _)| i);
            (last, "it ends before its last element does".to_owned())
        }
        other => {
            let pos = other.pos();
            let lines = text.split_inclusive('\n').take(pos.row.saturating_sub(1) as usize);
            let start = lines.map(str::len).sum::<usize>();
            let line = text.get(start..).unwrap_or_default();
            let column = (pos.col as usize).saturating_sub(1);
            let column = line.char_indices().nth(column).map_or(line.len(), |(i, _)| i);
            let message = other.to_string();
            // The place is told by the byte.
            let why = message.rsplit_once(" at ").map_or(message.as_str(), |(why, _)| why).to_owned();
            (start + column, why)
        }
    };
    Broken { at, why }
}

/// The first child element of a name.
pub(crate) fn child<'t>(element: El<'t>, name: &str) -> Option<El<'t>> {
    element.children().find(|n| n.has_tag_name(name))
}

/// The child elements of a name.
pub(crate) fn children<'t>(element: El<'t>, name: &str) -> impl Iterator<Item = El<'t>> {
    element.children().filter(move |n| n.has_tag_name(name))
}

/// All child elements.
pub(crate) fn elements(element: El<'_>) -> impl DoubleEndedIterator<Item = El<'_>> {
    element.children().filter(Node::is_element)
}

/// Whether a child of a name is there, whatever it holds.
pub(crate) fn has(element: El, name: &str) -> bool {
    child(element, name).is_some()
}

/// The text of a child, without white space around it; none where it says nothing or is not there.
pub(crate) fn text<'t>(element: El<'t>, name: &str) -> Option<Cow<'t, str>> {
    child(element, name).and_then(own_text)
}

/// Whether the text of a child is this one.
pub(crate) fn says(element: El, name: &str, wanted: &str) -> bool {
    text(element, name).is_some_and(|said| said == wanted)
}

/// The text directly in an element, without white space around it; none where it says nothing. A comment or an instruction
/// in its middle does not end it.
pub(crate) fn own_text(element: El<'_>) -> Option<Cow<'_, str>> {
    let mut texts = element.children().filter(Node::is_text).filter_map(|n| n.text());
    let first = texts.next()?;
    let said = match texts.next() {
        None => Cow::Borrowed(first.trim()),
        Some(second) => {
            let all: String = [first, second].into_iter().chain(texts).collect();
            Cow::Owned(all.trim().to_owned())
        }
    };
    Some(said).filter(|said| !said.is_empty())
}
