//! Small helpers over the tree of an export.

use roxmltree::{Document, Node, ParsingOptions};

/// More elements and texts than any backup has: each costs memory.
const MOST_NODES: u32 = 1_000_000;

/// The first child with this name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.has_tag_name(name))
}

/// All children with this name.
pub(super) fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'a str) -> impl Iterator<Item = Node<'a, 'i>> + 'a {
    node.children().filter(move |n| n.has_tag_name(name))
}

/// A child's text, trimmed; absent and empty are the same.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name).and_then(|n| own_text(n))
}

/// An element's text, trimmed; absent when empty.
pub(super) fn own_text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.text().map(str::trim).filter(|t| !t.is_empty())
}

/// Is the element there, whatever it holds? pfSense's switches count by presence (`isset`).
pub(super) fn has(node: Node<'_, '_>, name: &str) -> bool {
    child(node, name).is_some()
}

/// Parses an export; a document type is refused, so entities cannot grow.
///
/// # Errors
/// Byte and reason.
pub(super) fn parse(text: &str) -> Result<Document<'_>, (usize, String)> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|e| {
        if matches!(e, roxmltree::Error::NodesLimitReached) {
            return (0, format!("it has more than {MOST_NODES} elements, far more than a firewall's own"));
        }
        if matches!(e, roxmltree::Error::UnexpectedEndOfStream | roxmltree::Error::UnclosedRootNode) {
            let last = text.trim_end().char_indices().next_back().map_or(0, |(i, _)| i);
            return (last, "it ends before its last element does".to_owned());
        }
        let pos = e.pos();
        let line_start =
            text.split_inclusive('\n').take(pos.row.saturating_sub(1) as usize).map(str::len).sum::<usize>();
        let column = (pos.col as usize).saturating_sub(1);
        let line = text.get(line_start..).unwrap_or_default();
        let offset = line.char_indices().nth(column).map_or(line.len(), |(i, _)| i);
        let message = e.to_string();
        let plain = message.rsplit_once(" at ").map_or(message.as_str(), |(m, _)| m).to_owned();
        (line_start + offset, plain)
    })
}
