//! Pseudonyms in an XML text that is well-formed.

use super::item::escape;
use super::scan::{Part, Tag, reference};
use super::splice::{Splice, spliced};
use super::tree::{El, Tree};
use std::ops::Range;

/// Gives what stands in a text another form.
pub(crate) trait Rename {
    /// The name of an element or attribute, or a prefix.
    fn name(&mut self, name: &str) -> String;
    /// The value of an attribute.
    fn value(&mut self, value: &str) -> String;
    /// A text in an element; one that is hidden does not come here.
    fn said(&mut self, node: El, text: &str) -> String;
}

/// The text in which every name, value and text has another form, and comments and instructions are gone. Lines stay where
/// they are. None where it is not well-formed.
pub(crate) fn renamed(text: &str, with: &mut impl Rename) -> Option<String> {
    let tree = Tree::read(text).ok()?;
    let mut splices = Vec::new();
    for node in tree.nodes() {
        if node.is_element() {
            element(&tree, node, with, &mut splices);
        } else if node.is_text() {
            let said = node.text().unwrap_or_default();
            if said.chars().any(|c| c != '*' && !c.is_whitespace()) {
                let new = with.said(node, said);
                splices.push(in_lines(text, tree.text_range(node), &escape(&new)));
            }
        } else if node.is_comment() || node.is_pi() {
            splices.push(in_lines(text, node.range(), ""));
        }
    }
    Some(spliced(text, splices))
}

fn element(tree: &Tree, element: El, with: &mut impl Rename, splices: &mut Vec<Splice>) {
    let text = tree.text;
    let tag = Tag::at(text, element.range().start);
    let new = qualified(&text[tag.name.clone()], with);
    if let Some(at) = tree.end_name(element) {
        splices.push(Splice { at, text: new.clone() });
    }
    splices.push(Splice { at: tag.name.clone(), text: new });
    // `roxmltree` counts no more than 255 blanks before a value, and no attribute that declares a namespace.
    for part in tag.parts() {
        if let Part::Attribute { name, value } = part {
            let new = with.value(&decoded(&text[value.clone()]));
            splices.push(in_lines(text, value, &quoted(&new)));
            splices.push(Splice { text: qualified(&text[name.clone()], with), at: name });
        }
    }
}

/// Prefixes that the language itself defines (Namespaces in XML 1.0, 3).
const RESERVED: &[&str] = &["xml", "xmlns"];

/// Another name with another prefix.
fn qualified(name: &str, with: &mut impl Rename) -> String {
    let part = |part: &str| if RESERVED.contains(&part) { part.to_owned() } else { with.name(part) };
    name.split(':').map(part).collect::<Vec<_>>().join(":")
}

/// The value of an attribute as it is meant (XML 1.0, 3.3.3).
fn decoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        let (c, length) = match c {
            '&' => reference(rest).unwrap_or((c, 1)),
            '\r' if rest.starts_with("\r\n") => (' ', 2),
            '\t' | '\n' | '\r' => (' ', 1),
            _ => (c, c.len_utf8()),
        };
        out.push(c);
        rest = &rest[length..];
    }
    out
}

/// The value of an attribute, in whichever quotes.
fn quoted(value: &str) -> String {
    escape(value).replace('"', "&quot;").replace('\'', "&apos;")
}

/// A text in the place of another, with as many line ends as stand there. A parser makes more of them, of references and of
/// carriage returns (XML 1.0, 2.11), and fewer in attributes (3.3.3).
fn in_lines(text: &str, at: Range<usize>, new: &str) -> Splice {
    let mut left = text[at.clone()].matches('\n').count();
    let mut out = String::with_capacity(new.len());
    for c in new.chars() {
        match c {
            '\n' if left == 0 => out += "&#10;",
            '\r' => out += "&#13;",
            c => {
                left -= usize::from(c == '\n');
                out.push(c);
            }
        }
    }
    out += &"\n".repeat(left);
    Splice { at, text: out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_where_they_are() {
        for (part, new, wanted) in [
            ("a\rb", "x\ny", "x&#10;y"),
            ("a&#10;b\n", "x\ny\n", "x\ny&#10;"),
            ("a\r\nb", "x", "x\n"),
            ("a&#13;", "x\r", "x&#13;"),
            ("<!-- a\n\nb -->", "", "\n\n"),
        ] {
            assert_eq!(in_lines(part, 0..part.len(), new).text, wanted, "{part:?}");
        }
    }
}
