//! Where bytes go: elements of a configuration by name, and splices that leave everything around them as it is.

use super::Refused;
use super::item::{Item, Style, escape};
use roxmltree::{Document, Node};
use std::ops::Range;

/// Bytes that take the place of others.
#[derive(Debug, Clone)]
pub(in crate::dialect::pfsense) struct Splice {
    pub at: Range<usize>,
    pub text: String,
}

/// A configuration with its bytes.
pub(in crate::dialect::pfsense) struct Tree<'a> {
    pub xml: &'a str,
    doc: Document<'a>,
    pub style: Style,
}

/// An element of a [`Tree`].
pub(in crate::dialect::pfsense) type El<'t> = Node<'t, 't>;

/// Roots that an export has: the whole configuration, or one area (Diagnostics > Backup & Restore, "Backup area").
const ROOTS: [&str; 5] = ["pfsense", "nat", "filter", "aliases", "system"];

impl<'a> Tree<'a> {
    pub fn read(xml: &'a str) -> Result<Self, Refused> {
        let doc = Document::parse(xml).map_err(|e| Refused(format!("this is not well-formed XML: {e}")))?;
        let root = doc.root_element().tag_name().name();
        if !ROOTS.contains(&root) {
            return Err(Refused(format!("the file begins with <{root}>, a configuration of pfSense with <pfsense>")));
        }
        let style = Style::of(xml, &doc);
        Ok(Self { xml, doc, style })
    }

    pub fn root(&self) -> El<'_> {
        self.doc.root_element()
    }

    /// A section; absent when a whole configuration has none.
    pub fn section(&self, name: &str) -> Result<Option<El<'_>>, Refused> {
        let root = self.root();
        match root.tag_name().name() {
            "pfsense" => Ok(child(root, name)),
            here if here == name => Ok(Some(root)),
            here => Err(Refused(format!(
                "the file holds only <{here}>, and this change needs <{name}> too: give the whole configuration \
                 (Diagnostics > Backup & Restore, Backup area: All)"
            ))),
        }
    }

    /// The elements of a section by name; none when the section is elsewhere.
    pub fn entries(&self, section: &str, name: &str) -> Vec<El<'_>> {
        self.section(section).ok().flatten().map_or_else(Vec::new, |s| children(s, name).collect())
    }

    /// Whether any element of this name has this text.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.root().descendants().any(|n| n.has_tag_name(name) && own_text(n) == value)
    }

    /// White space before an element that is the first thing on its line, or whose end tag is.
    fn indent(&self, node: El) -> Option<&'a str> {
        let range = node.range();
        let end = || self.xml[range.clone()].rfind("</").filter(|i| self.xml[range.clone()][..*i].contains('\n'));
        indent(self.xml, range.start).or_else(|| indent(self.xml, range.start + end()?))
    }

    /// Directly behind an element, on a line of its own if that element has one.
    pub fn after(&self, node: El, item: &Item) -> Splice {
        let mut text = String::new();
        let indent = self.indent(node);
        if let Some(indent) = indent {
            text.push_str(self.style.newline);
            text.push_str(indent);
        }
        item.render(&mut text, &self.style, indent);
        let at = node.range().end;
        Splice { at: at..at, text }
    }

    /// Directly before an element.
    pub fn before(&self, node: El, item: &Item) -> Splice {
        let mut text = String::new();
        let indent = self.indent(node);
        item.render(&mut text, &self.style, indent);
        if let Some(indent) = indent {
            text.push_str(self.style.newline);
            text.push_str(indent);
        }
        let at = node.range().start;
        Splice { at: at..at, text }
    }

    /// At the end of an element, which may be empty or self-closed.
    pub fn append(&self, parent: El, item: &Item) -> Splice {
        let outer = self.indent(parent);
        let inner = outer.map(|o| format!("{o}{}", self.style.unit));
        let body = self.body(parent);
        let mut text = String::new();
        if body.is_none() {
            text.push('>');
        }
        // A sibling knows better than the unit how deep its neighbours stand.
        let last = parent.children().rfind(Node::is_element);
        let inner = match last {
            Some(last) => self.indent(last).map(str::to_owned),
            None => inner,
        };
        if let Some(inner) = &inner {
            text.push_str(self.style.newline);
            text.push_str(inner);
        }
        item.render(&mut text, &self.style, inner.as_deref());
        let close = |text: &mut String| {
            if let (Some(outer), true) = (outer, inner.is_some()) {
                text.push_str(self.style.newline);
                text.push_str(outer);
            }
        };
        if let Some(body) = body {
            let content = &self.xml[body.clone()];
            let at = body.start + content.trim_end().len();
            if !self.xml[at..body.end].contains('\n') {
                close(&mut text);
            }
            return Splice { at: at..at, text };
        }
        close(&mut text);
        text.push_str("</");
        text.push_str(parent.tag_name().name());
        text.push('>');
        Splice { at: self.slash(parent), text }
    }

    /// A new child at the place that `order` gives it.
    pub fn put(&self, parent: El, order: &[&str], item: &Item) -> Splice {
        let rank = order.iter().position(|n| *n == item.name()).unwrap_or(order.len());
        let before = |n: &El| n.is_element() && order[..rank].contains(&n.tag_name().name());
        let earlier = parent.children().rfind(before);
        match (earlier, parent.children().find(Node::is_element)) {
            (Some(earlier), _) => self.after(earlier, item),
            (None, Some(first)) if rank < order.len() => self.before(first, item),
            _ => self.append(parent, item),
        }
    }

    /// An element in place of another.
    pub fn replace(&self, node: El, item: &Item) -> Splice {
        let mut text = String::new();
        item.render(&mut text, &self.style, self.indent(node));
        Splice { at: node.range(), text }
    }

    /// Takes an element away, with its line if it has one to itself.
    pub fn remove(&self, node: El) -> Splice {
        let mut at = node.range();
        let alone = self.xml[at.end..].trim_start_matches([' ', '\t', '\r']).starts_with('\n');
        if let (Some(indent), true) = (indent(self.xml, at.start), alone) {
            // The line end before goes, not the one behind: exactly what `after` put there.
            let line = &self.xml[..at.start - indent.len()];
            let before = line.strip_suffix('\n').unwrap_or(line);
            at.start = before.strip_suffix('\r').unwrap_or(before).len();
        }
        Splice { at, text: String::new() }
    }

    /// Other text in an element.
    pub fn set_text(&self, node: El, value: &str, cdata: bool) -> Splice {
        let value = if cdata && !value.is_empty() { super::item::cdata(value) } else { escape(value) };
        match self.body(node) {
            Some(at) => Splice { at, text: value },
            None => Splice { at: self.slash(node), text: format!(">{value}</{}>", node.tag_name().name()) },
        }
    }

    /// Bytes between the tags; absent for a self-closed element.
    fn body(&self, node: El) -> Option<Range<usize>> {
        let range = node.range();
        let text = &self.xml[range.clone()];
        let open = open_tag(text);
        if text[..open].ends_with("/>") {
            return None;
        }
        Some(range.start + open..range.start + text.rfind("</").unwrap_or(text.len()))
    }

    /// The end of a self-closed element: ` />`.
    fn slash(&self, node: El) -> Range<usize> {
        let range = node.range();
        let text = &self.xml[range.clone()];
        range.start + text.trim_end_matches("/>").trim_end().len()..range.end
    }
}

/// Length of the start tag; an attribute may hold `>`.
fn open_tag(text: &str) -> usize {
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return i + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            _ => {}
        }
    }
    text.len()
}

/// White space between the start of the line and `at`, if nothing else is there.
pub(super) fn indent(xml: &str, at: usize) -> Option<&str> {
    // Looking for the line's start would read the whole file for each element of one that has no line ends.
    let before = xml[..at].trim_end_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n')).then_some(&xml[before.len()..at])
}

/// The first child element of a name.
pub(in crate::dialect::pfsense) fn child<'t>(node: El<'t>, name: &str) -> Option<El<'t>> {
    node.children().find(|n| n.is_element() && n.tag_name().name() == name)
}

/// Child elements of a name.
pub(in crate::dialect::pfsense) fn children<'t>(node: El<'t>, name: &str) -> impl Iterator<Item = El<'t>> {
    node.children().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

/// The text directly in an element, without white space around it.
pub(in crate::dialect::pfsense) fn own_text(node: El) -> String {
    let text: String = node.children().filter(Node::is_text).filter_map(|n| n.text()).collect();
    text.trim().to_owned()
}

/// The text of a child; empty when there is none.
pub(in crate::dialect::pfsense) fn text(node: El, name: &str) -> String {
    child(node, name).map(own_text).unwrap_or_default()
}
