//! Where bytes go when a text is changed: splices that leave everything around them as it is.

use super::item::{Item, cdata, escape};
use super::tree::{El, Tree, elements};
use std::ops::Range;

/// Bytes that take the place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    /// The bytes that go.
    pub at: Range<usize>,
    /// What comes instead.
    pub text: String,
}

/// A text with splices in it. They do not overlap; of two that do, the later one is left out.
pub(crate) fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.at.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for splice in splices {
        if splice.at.start >= at {
            out += &text[at..splice.at.start];
            out += &splice.text;
            at = splice.at.end;
        }
    }
    out + &text[at..]
}

impl<'a> Tree<'a> {
    /// White space before an element that is the first thing on its line, or whose end tag is.
    fn indent(&self, element: El) -> Option<&'a str> {
        let range = element.range();
        let end = || {
            let start = range.start + self.text[range.clone()].rfind("</")?;
            self.text[range.start..start].contains('\n').then_some(start)
        };
        indent(self.text, range.start).or_else(|| indent(self.text, end()?))
    }

    /// Directly behind an element, on a line of its own if that element has one.
    pub fn after(&self, element: El, item: &Item) -> Splice {
        let mut text = String::new();
        let indent = self.indent(element);
        if let Some(indent) = indent {
            text.push_str(self.style().newline);
            text.push_str(indent);
        }
        item.render(&mut text, self.style(), indent);
        let at = element.range().end;
        Splice { at: at..at, text }
    }

    /// Directly before an element.
    pub fn before(&self, element: El, item: &Item) -> Splice {
        let mut text = String::new();
        let indent = self.indent(element);
        item.render(&mut text, self.style(), indent);
        if let Some(indent) = indent {
            text.push_str(self.style().newline);
            text.push_str(indent);
        }
        let at = element.range().start;
        Splice { at: at..at, text }
    }

    /// At the end of an element, which may be empty or a start tag alone.
    pub fn append(&self, parent: El, item: &Item) -> Splice {
        let style = self.style();
        let outer = self.indent(parent);
        let content = self.content(parent);
        let mut text = String::new();
        if content.is_none() {
            text.push('>');
        }
        // A sibling knows better than the unit how deep its neighbours stand.
        let inner = match elements(parent).next_back() {
            Some(last) => self.indent(last).map(str::to_owned),
            None => outer.map(|o| format!("{o}{}", style.unit)),
        };
        if let Some(inner) = &inner {
            text.push_str(style.newline);
            text.push_str(inner);
        }
        item.render(&mut text, style, inner.as_deref());
        let close = |text: &mut String| {
            if let (Some(outer), true) = (outer, inner.is_some()) {
                text.push_str(style.newline);
                text.push_str(outer);
            }
        };
        if let Some(content) = content {
            let at = content.start + self.text[content.clone()].trim_end().len();
            if !self.text[at..content.end].contains('\n') {
                close(&mut text);
            }
            return Splice { at: at..at, text };
        }
        close(&mut text);
        text.extend(["</", self.name(parent), ">"]);
        Splice { at: self.slash(parent), text }
    }

    /// A new child at the place that `order` gives it.
    pub fn put(&self, parent: El, order: &[&str], item: &Item) -> Splice {
        let rank = order.iter().position(|n| *n == item.name()).unwrap_or(order.len());
        let earlier = elements(parent).rfind(|n| order[..rank].contains(&n.tag_name().name()));
        match (earlier, elements(parent).next()) {
            (Some(earlier), _) => self.after(earlier, item),
            (None, Some(first)) if rank < order.len() => self.before(first, item),
            _ => self.append(parent, item),
        }
    }

    /// An element in place of another.
    pub fn replace(&self, element: El, item: &Item) -> Splice {
        let mut text = String::new();
        item.render(&mut text, self.style(), self.indent(element));
        Splice { at: element.range(), text }
    }

    /// Takes an element away, with its line if it has one to itself.
    pub fn remove(&self, element: El) -> Splice {
        let mut at = element.range();
        let alone = self.text[at.end..].trim_start_matches([' ', '\t', '\r']).starts_with('\n');
        if let (Some(indent), true) = (indent(self.text, at.start), alone) {
            // The line end before goes, not the one behind: exactly what `after` put there.
            let line = &self.text[..at.start - indent.len()];
            let before = line.strip_suffix('\n').unwrap_or(line);
            at.start = before.strip_suffix('\r').unwrap_or(before).len();
        }
        Splice { at, text: String::new() }
    }

    /// Other text in an element.
    pub fn set_text(&self, element: El, value: &str, in_cdata: bool) -> Splice {
        let value = if in_cdata && !value.is_empty() { cdata(value) } else { escape(value) };
        match self.content(element) {
            Some(at) => Splice { at, text: value },
            None => Splice { at: self.slash(element), text: format!(">{value}</{}>", self.name(element)) },
        }
    }

    /// The name of an element as it is written.
    fn name(&self, element: El) -> &'a str {
        &self.text[self.tag(element).name]
    }

    /// The end of an element that is a start tag alone: ` />`.
    fn slash(&self, element: El) -> Range<usize> {
        let range = element.range();
        let text = &self.text[range.clone()];
        range.start + text.trim_end_matches("/>").trim_end().len()..range.end
    }
}

/// White space between the start of the line and `at`, if nothing else is there.
pub(super) fn indent(text: &str, at: usize) -> Option<&str> {
    // Looking for the line's start would read the whole file for each element of one that has no line ends.
    let before = text[..at].trim_end_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n')).then_some(&text[before.len()..at])
}
