//! Readers of what is printed that are not ours: parsers that others wrote for others.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use unicode_width::UnicodeWidthChar;

/// A terminal: what it would do besides showing characters.
#[derive(Default)]
struct Screen {
    shown: String,
    faults: Vec<String>,
}

impl vte::Perform for Screen {
    fn print(&mut self, c: char) {
        // Marks that stand on the letter before them, as in é, are seen.
        let mark = ('\u{300}'..='\u{36f}').contains(&c) && c != '\u{34f}';
        if c.width().unwrap_or(0) == 0 && !mark {
            self.faults.push(format!("a character without width: {c:?}"));
        }
        self.shown.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\t' => self.shown.push(char::from(byte)),
            other => self.faults.push(format!("a control: {other:#x}")),
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], ignored: bool, action: char) {
        // Select Graphic Rendition (ECMA-48, 8.3.117): colours and weight.
        if action != 'm' || !intermediates.is_empty() || ignored {
            self.faults.push(format!("a control sequence: {params:?} {action}"));
        }
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.faults.push(format!("an escape sequence: {:?}", char::from(byte)));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.faults.push(format!("a command of the operating system: {params:?}"));
    }

    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.faults.push(format!("a device control string: {action}"));
    }
}

/// What a terminal shows of a text.
///
/// # Errors
/// What else it does.
pub fn terminal(text: &str) -> Result<String, String> {
    let mut screen = Screen::default();
    let mut parser = vte::Parser::new();
    parser.advance(&mut screen, text.as_bytes());
    if screen.faults.is_empty() { Ok(screen.shown) } else { Err(screen.faults.join(", ")) }
}

/// What Markdown makes of a text.
#[derive(Debug, Default)]
pub struct Page {
    /// Headings with their text.
    pub headings: Vec<String>,
    /// First words of items.
    pub items: Vec<String>,
    /// Targets of links and pictures.
    pub links: Vec<String>,
    /// HTML.
    pub html: BTreeSet<String>,
    /// What is text, or code in a line.
    pub text: String,
}

/// Reads Markdown: with what tickets add to it, or as `CommonMark` has it.
pub fn markdown(text: &str, extended: bool) -> Page {
    let more = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    let options = if extended { more } else { Options::empty() };
    let mut page = Page::default();
    let (mut heading, mut item): (Option<HeadingLevel>, bool) = (None, false);
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                heading = Some(level);
                page.headings.push(String::new());
            }
            Event::End(TagEnd::Heading(_)) => heading = None,
            Event::Start(Tag::Item) => {
                item = true;
                page.items.push(String::new());
            }
            Event::End(TagEnd::Item | TagEnd::Paragraph) => item = false,
            // Messages of SARIF have links with brackets, and no other (SARIF 2.1.0, 3.11.6).
            Event::Start(Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. }) if !extended => {}
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.to_string());
            }
            Event::Start(Tag::FootnoteDefinition(name)) | Event::FootnoteReference(name) => {
                page.links.push(name.to_string());
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                page.html.insert(html.to_string());
            }
            Event::InlineMath(math) | Event::DisplayMath(math) => page.links.push(math.to_string()),
            Event::Text(text) | Event::Code(text) => {
                if let (Some(_), Some(last)) = (heading, page.headings.last_mut()) {
                    *last += &text;
                } else if let (true, Some(last)) = (item, page.items.last_mut()) {
                    *last += &text;
                }
                page.text += &text;
            }
            _ => {}
        }
    }
    page
}

/// JSON in which no object names a key twice.
struct Once(serde_json::Value);

impl<'de> de::Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Once;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, v: bool) -> Result<Once, E> {
                Ok(Once(v.into()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Once, E> {
                Ok(Once(v.into()))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Once, E> {
                Ok(Once(v.into()))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Once, E> {
                Ok(Once(v.into()))
            }
            fn visit_str<E>(self, v: &str) -> Result<Once, E> {
                Ok(Once(v.into()))
            }
            fn visit_unit<E>(self) -> Result<Once, E> {
                Ok(Once(serde_json::Value::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Once, A::Error> {
                let mut out = Vec::new();
                while let Some(Once(value)) = seq.next_element()? {
                    out.push(value);
                }
                Ok(Once(out.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
                let mut out = serde_json::Map::new();
                while let Some((key, Once(value))) = map.next_entry::<String, Once>()? {
                    if out.insert(key.clone(), value).is_some() {
                        return Err(de::Error::custom(format!("`{key}` stands there twice")));
                    }
                }
                Ok(Once(out.into()))
            }
        }
        d.deserialize_any(V)
    }
}

/// Reads JSON.
///
/// # Errors
/// No JSON, or a key that stands there twice.
pub fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str::<Once>(text).map(|o| o.0).map_err(|e| e.to_string())
}

/// A page as XML: its elements with their attributes, and its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Names of elements and attributes.
    pub names: BTreeSet<String>,
    /// Values of attributes that load or lead somewhere.
    pub targets: Vec<String>,
    /// All of its text, in order.
    pub text: String,
}

/// Reads XML.
///
/// # Errors
/// It is not well-formed.
pub fn xml(text: &str) -> Result<Tree, String> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(|e| e.to_string())?;
    let mut tree = Tree::default();
    for node in document.descendants() {
        if node.is_text() {
            tree.text.push_str(node.text().unwrap_or_default());
        }
        if node.is_pi() || node.is_comment() {
            tree.names.insert(format!("{:?}", node.node_type()));
        }
        if !node.is_element() {
            continue;
        }
        tree.names.insert(node.tag_name().name().to_owned());
        for attribute in node.attributes() {
            tree.names.insert(format!("@{}", attribute.name()));
            if matches!(attribute.name(), "href" | "src" | "action" | "style") {
                tree.targets.push(attribute.value().to_owned());
            }
        }
    }
    Ok(tree)
}
