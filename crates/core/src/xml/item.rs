//! New elements, written as the file around them is.

use super::splice::indent;
use super::tree::{El, Tree};
use roxmltree::Node;

/// How a file is written.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// Line end.
    pub newline: &'static str,
    /// What a level of nesting adds to the white space before an element.
    pub unit: String,
    /// How an element without content ends: `/>`, ` />`, or nothing for a pair of tags.
    empty: &'static str,
}

impl Style {
    /// The habits of the first lines and of the first empty element; tabs and pairs of tags where there are none.
    pub fn of(tree: &Tree) -> Self {
        let text = tree.text;
        let newline = match text.find('\n') {
            Some(i) if text[..i].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let elements = || tree.root().descendants().filter(Node::is_element);
        let deeper = |element: El| {
            let own = indent(text, element.range().start)?;
            let outer = indent(text, element.parent_element()?.range().start)?;
            own.strip_prefix(outer).filter(|u| !u.is_empty()).map(str::to_owned)
        };
        let unit = elements().find_map(deeper).unwrap_or_else(|| "\t".to_owned());
        let empty = elements().find(|n| !n.has_children()).map_or("", |n| match &text[n.range()] {
            t if t.ends_with(" />") => " />",
            t if t.ends_with("/>") => "/>",
            _ => "",
        });
        Self { newline, unit, empty }
    }
}

/// A new element.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// Text.
    Text(&'static str, String),
    /// Text in a CDATA section.
    Cdata(&'static str, String),
    /// Nothing: it counts by presence.
    Empty(&'static str),
    /// Other elements.
    Node(&'static str, Vec<Item>),
}

impl Item {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(name, _) | Self::Cdata(name, _) | Self::Empty(name) | Self::Node(name, _) => name,
        }
    }

    /// Appends the element; `indent` is what stands before it on its line, absent when it shares a line with others.
    pub(super) fn render(&self, out: &mut String, style: &Style, indent: Option<&str>) {
        let name = self.name();
        let content = match self {
            Self::Text(_, value) => escape(value),
            Self::Cdata(_, value) => cdata(value),
            Self::Empty(_) => {
                match style.empty {
                    "" => out.extend(["<", name, "></", name, ">"]),
                    end => out.extend(["<", name, end]),
                }
                return;
            }
            Self::Node(_, items) => {
                let inner = indent.map(|i| format!("{i}{}", style.unit));
                let mut content = String::new();
                for item in items {
                    if let Some(inner) = &inner {
                        content.extend([style.newline, inner]);
                    }
                    item.render(&mut content, style, inner.as_deref());
                }
                if let Some(indent) = indent {
                    content.extend([style.newline, indent]);
                }
                content
            }
        };
        out.extend(["<", name, ">", &content, "</", name, ">"]);
    }
}

/// Text between tags.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text as a CDATA section; `]]>` would end it, so it is split there.
pub(super) fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}
