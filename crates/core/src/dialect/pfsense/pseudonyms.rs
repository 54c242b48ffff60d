//! Pseudonyms in backups, by the elements and texts of the parsed tree.

use super::xml;
use crate::redact::{Edits, Redactor, length};
use roxmltree::Node;
use std::net::IpAddr;
use std::ops::Range;

/// An address and the length of its network, each in an element of its own.
const PAIRS: &[(&str, &str)] = &[
    ("ipaddr", "subnet"),
    ("ipaddrv6", "subnetv6"),
    ("subnet", "subnet_bits"),
    ("alias-address", "alias-subnet"),
    ("target", "target_subnet"),
    ("address", "mask"),
    ("address", "netbits"),
];

impl Redactor {
    /// The text with pseudonyms and without comments; nothing when it is no XML.
    pub fn backup(&mut self, text: &str) -> Option<String> {
        let tree = xml::parse(text).ok()?;
        let mut edits = Edits::default();
        for node in tree.descendants() {
            if node.is_element() {
                self.element(text, node, &mut edits);
            } else if node.is_text() {
                let said = node.text().unwrap_or_default();
                if said.chars().any(|c| c != '*' && !c.is_whitespace()) {
                    let new = escaped(&self.leaf(node, said));
                    let part = whole_text(text, node);
                    edits.put(part.clone(), in_lines(&text[part], &new));
                }
            } else if node.is_comment() || node.is_pi() {
                edits.put(node.range(), newlines(&text[node.range()]));
            }
        }
        Some(edits.apply(text))
    }

    fn element(&mut self, text: &str, node: Node<'_, '_>, edits: &mut Edits) {
        let whole = node.range();
        let name = |from: usize| -> Range<usize> {
            let ends = |c: char| c.is_whitespace() || "/>".contains(c);
            from..text[from..whole.end].find(ends).map_or(whole.end, |i| from + i)
        };
        let start = name(whole.start + 1);
        let new = self.tag(&text[start.clone()]);
        if let Some(at) = text[whole.clone()].rfind("</").filter(|_| !text[..whole.end].ends_with("/>")) {
            edits.put(name(whole.start + at + 2), new.clone());
        }
        edits.put(start, new);
        for attribute in node.attributes() {
            let qname = attribute.range_qname();
            let new = self.tag(&text[qname.clone()]);
            edits.put(qname, new);
            // Behind as many blanks as there may be, which the parser does not count beyond 255.
            let whole = attribute.range();
            let quote = text[whole.clone()].find(['"', '\'']).unwrap_or(0);
            let value = whole.start + quote + 1..whole.end - 1;
            let new = escaped(&self.scan(attribute.value()));
            edits.put(value.clone(), in_lines(&text[value], &new));
        }
    }

    /// A name of an element or attribute.
    fn tag(&mut self, name: &str) -> String {
        name.split(':').map(|part| self.name(part)).collect::<Vec<_>>().join(":")
    }

    fn leaf(&mut self, node: Node<'_, '_>, text: &str) -> String {
        let parent = node.parent();
        let of = parent.map_or("", |p| p.tag_name().name());
        match of {
            "descr" if node.ancestors().any(|a| a.has_tag_name("interfaces")) => self.whole(text),
            "descr" | "description" | "rangedescr" | "text" => self.text(text),
            // One for each entry of an alias.
            "detail" => text.split("||").map(|part| self.text(part)).collect::<Vec<_>>().join("||"),
            _ => {
                let value = |name: &str| {
                    let child = parent?.parent()?.children().find(|n| n.has_tag_name(name))?;
                    child.text()?.trim().parse::<u8>().ok()
                };
                let bits = PAIRS.iter().filter(|(a, _)| *a == of).find_map(|(_, bits)| value(bits));
                match (text.trim().parse::<IpAddr>(), bits) {
                    (Ok(ip), Some(bits)) if bits <= length(ip) => self.address(ip, Some(bits), None),
                    _ => self.scan(text),
                }
            }
        }
    }
}

/// Where a text stands. The parser joins pieces that stand side by side (CDATA sections), and tells where the first does.
fn whole_text(text: &str, node: Node<'_, '_>) -> Range<usize> {
    let end = match (node.next_sibling(), node.parent_element()) {
        (Some(next), _) => next.range().start,
        (None, Some(parent)) => parent.range().start + text[parent.range()].rfind("</").unwrap_or(0),
        (None, None) => node.range().end,
    };
    node.range().start..end.max(node.range().end)
}

/// A text with as many line ends as stand in the part that it replaces. A parser makes more of them, of references and of
/// carriage returns (XML 1.0, 2.11), and fewer in attributes (3.3.3).
fn in_lines(part: &str, new: &str) -> String {
    let mut left = part.matches('\n').count();
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
    out + &"\n".repeat(left)
}

/// Line ends of a part that goes: lines stay where they are.
fn newlines(text: &str) -> String {
    "\n".repeat(text.matches('\n').count())
}

fn escaped(text: &str) -> String {
    let signs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")];
    let one = |c: char| signs.iter().find(|(s, _)| *s == c).map_or_else(|| c.to_string(), |(_, e)| (*e).to_owned());
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Key;

    #[test]
    fn no_piece_of_a_text_and_no_distant_value_stays() {
        let blanks = " ".repeat(300);
        let text = format!(
            "<pfsense><descr>canary <![CDATA[canary]]> canary<!-- x --> canary <![CDATA[canary]]></descr>\
             <b a{blanks}={blanks}'canary' c=\"canary\">canary<c/><![CDATA[canary]]></b></pfsense>"
        );
        let hidden = Redactor::new(Key::new(*b"a key for a test")).backup(&text).expect("XML");
        assert!(!hidden.contains("canary"), "{hidden}");
        roxmltree::Document::parse(&hidden).unwrap_or_else(|e| panic!("{e}: {hidden}"));
    }

    #[test]
    fn lines_stay_where_they_are() {
        for (part, new, wanted) in [
            ("a\rb", "x\ny", "x&#10;y"),
            ("a&#10;b\n", "x\ny\n", "x\ny&#10;"),
            ("a\r\nb", "x", "x\n"),
            ("a&#13;", "x\r", "x&#13;"),
        ] {
            assert_eq!(in_lines(part, new), wanted, "{part:?}");
        }
    }
}
