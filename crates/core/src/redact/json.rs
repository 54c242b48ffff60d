//! JSON: what `nft -j` and `ip -j` print, value by value where it stands.

use super::address::length;
use super::{Edits, Redactor};
use serde::de::IgnoredAny;
use std::net::IpAddr;
use std::ops::Range;

/// A value and its place.
#[derive(Debug)]
enum Node {
    /// A text, decoded.
    Text(String, Range<usize>),
    /// A number.
    Number(u64, Range<usize>),
    List(Vec<Node>),
    Object(Vec<(String, Range<usize>, Node)>),
    /// `true`, `null`, a fraction.
    Other,
}

impl Node {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text, _) = self { Some(text) } else { None }
    }

    fn ip(&self) -> Option<IpAddr> {
        self.text()?.parse().ok()
    }
}

impl Redactor {
    /// The text with pseudonyms; nothing when it is no JSON.
    pub(crate) fn json(&mut self, text: &str) -> Option<String> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        let tree = Reader { text, at: 0 }.value()?;
        let mut edits = Edits::default();
        self.node("", &tree, &mut edits);
        Some(edits.apply(text))
    }

    fn node(&mut self, key: &str, node: &Node, edits: &mut Edits) {
        match node {
            Node::Text(text, at) => {
                let new = match key {
                    "comment" | "ifalias" | "prefix" => self.text(text),
                    _ => self.scan(text),
                };
                edits.put(at.clone(), quoted(&new));
            }
            Node::Number(number, at) => edits.put(at.clone(), self.word(&number.to_string())),
            Node::List(list) => {
                if let ("range", [from, to]) = (key, &**list)
                    && let (Some(from), Some(to)) = (from.ip(), to.ip())
                {
                    self.address(to, None, Some(from));
                }
                for node in list {
                    self.node(key, node, edits);
                }
            }
            Node::Object(members) => {
                let member = |name: &str| members.iter().find(|(key, ..)| key == name).map(|(.., value)| value);
                let bits = |name: &str| match member(name) {
                    Some(Node::Number(bits, _)) => u8::try_from(*bits).ok(),
                    _ => None,
                };
                for (name, at, value) in members {
                    edits.put(at.clone(), quoted(&self.member_name(name)));
                    // A network in two fields.
                    let bits = match &**name {
                        "addr" => bits("len"),
                        "local" => bits("prefixlen"),
                        "dst" => bits("dstlen"),
                        "src" => bits("srclen"),
                        _ => None,
                    };
                    match (value, value.ip(), bits) {
                        (Node::Text(_, at), Some(ip), Some(bits)) if bits <= length(ip) => {
                            let new = self.address(ip, Some(bits), None);
                            edits.put(at.clone(), quoted(&new));
                        }
                        _ => self.node(name, value, edits),
                    }
                }
            }
            Node::Other => {}
        }
    }

    /// A key: names of nftables' own fields have blanks in them.
    fn member_name(&mut self, key: &str) -> String {
        if key.bytes().all(|b| b.is_ascii_punctuation()) { key.to_owned() } else { self.scan(key) }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads JSON of which it is known that it is.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self) -> Option<Node> {
        match self.blanks()? {
            b'"' => self.string().map(|(text, at)| Node::Text(text, at)),
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                while self.blanks()? != b']' {
                    list.push(self.value()?);
                    self.at += usize::from(self.blanks()? == b',');
                }
                self.at += 1;
                Some(Node::List(list))
            }
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                while self.blanks()? != b'}' {
                    let (key, at) = self.string()?;
                    self.blanks()?;
                    self.at += 1;
                    members.push((key, at, self.value()?));
                    self.at += usize::from(self.blanks()? == b',');
                }
                self.at += 1;
                Some(Node::Object(members))
            }
            _ => {
                let rest = &self.text[self.at..];
                let length = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                let at = self.at..self.at + length;
                self.at = at.end;
                Some(self.text[at.clone()].parse().map_or(Node::Other, |number| Node::Number(number, at)))
            }
        }
    }

    fn string(&mut self) -> Option<(String, Range<usize>)> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        Some((serde_json::from_str(&self.text[start..=end]).ok()?, start..end + 1))
    }
}
