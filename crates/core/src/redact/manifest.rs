//! The manifest: keys and values as TOML's own parser cuts them.

use super::{Edits, Redactor};
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::parser::{Event, EventKind, parse_document};
use toml_parser::{ParseError, Source, Span};

/// Tables whose keys the site chooses, or whose keys have parts with dots.
const CHOSEN: &[&str] = &["interfaces", "aliases", "kernel", "with", "told", "dns"];

/// Where a value stands: the names of tables and keys on the way down.
type Way = [String];

impl Redactor {
    /// The text with pseudonyms and without comments; nothing when it is no TOML.
    pub(crate) fn manifest(&mut self, text: &str) -> Option<String> {
        let source = Source::new(text);
        let mut errors: Vec<ParseError> = Vec::new();
        let mut events: Vec<Event> = Vec::new();
        parse_document(&source.lex().into_vec(), &mut |event: Event| events.push(event), &mut errors);
        let mut edits = Edits::default();
        let mut way: Vec<String> = Vec::new();
        // How long the way was where each open table began.
        let mut open = vec![0];
        let mut goes_on = false;
        for event in &events {
            let at = event.span().start()..event.span().end();
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    way.clear();
                    open = vec![0];
                }
                EventKind::StdTableClose | EventKind::ArrayTableClose => open = vec![way.len()],
                EventKind::InlineTableOpen => open.push(way.len()),
                EventKind::InlineTableClose => way.truncate(open.pop().unwrap_or(0)),
                EventKind::SimpleKey => {
                    if !goes_on {
                        way.truncate(open.last().copied().unwrap_or(0));
                    }
                    let key = decoded(&source, event.span(), event.encoding(), true, &mut errors)?.0;
                    let new = self.key_of(&way, &key);
                    let bare = !new.is_empty() && new.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
                    edits.put(at, if bare && event.encoding().is_none() { new } else { basic(&new) });
                    way.push(key);
                }
                EventKind::Scalar => {
                    let (value, kind) = decoded(&source, event.span(), event.encoding(), false, &mut errors)?;
                    if kind == ScalarKind::String {
                        let new = self.value_of(&way, &value);
                        edits.put(at.clone(), lines_kept(&text[at], &new, event.encoding()));
                    } else if !matches!(kind, ScalarKind::Boolean(_)) {
                        let new = self.scan(&text[at.clone()]);
                        edits.put(at, new);
                    }
                }
                EventKind::Comment => edits.put(at, "#".to_owned()),
                EventKind::Error => return None,
                _ => {}
            }
            goes_on = match event.kind() {
                EventKind::KeySep | EventKind::StdTableOpen | EventKind::ArrayTableOpen => true,
                EventKind::Whitespace => goes_on,
                _ => false,
            };
        }
        errors.is_empty().then(|| edits.apply(text))
    }

    /// A key. Those of the manifest itself stay.
    fn key_of(&mut self, way: &Way, key: &str) -> String {
        match way.iter().rev().find(|k| CHOSEN.contains(&k.as_str())).map(String::as_str) {
            Some("told" | "dns") => self.place(key),
            Some("kernel") => self.setting(key),
            Some(_) => self.scan(key),
            None => self.name(key),
        }
    }

    fn value_of(&mut self, way: &Way, value: &str) -> String {
        let table = way.first().map_or("", String::as_str);
        let key = way.iter().rev().find(|k| !k.is_empty()).map_or("", String::as_str);
        match (table, key) {
            ("gateway", "label" | "line") | ("deploy", "label") | ("net" | "caller" | "peer", "name") => {
                self.whole(value)
            }
            ("gateway" | "caller" | "deploy", "config") | ("deploy", "firewall") | ("gateway" | "deploy", "boot") => {
                self.path(value)
            }
            (_, "forwards" | "passes" | "out") => match value.split_once(" from ") {
                Some((what, from)) => format!("{} from {}", self.scan(what), self.place(from)),
                None => self.scan(value),
            },
            _ => self.place(value),
        }
    }

    /// A place that a key names, or any other value.
    fn place(&mut self, text: &str) -> String {
        let known = text.split_once(':').filter(|(kind, _)| ["net", "caller", "peer"].contains(&kind.trim()));
        match known {
            Some((kind, name)) => format!("{kind}:{}", self.whole(name)),
            None => self.scan(text),
        }
    }
}

/// What a key or value stands for.
fn decoded(
    source: &Source<'_>,
    span: Span,
    encoding: Option<Encoding>,
    key: bool,
    errors: &mut Vec<ParseError>,
) -> Option<(String, ScalarKind)> {
    let raw = toml_parser::Raw::new_unchecked(source.get(span)?.as_str(), encoding, span);
    let mut out = std::borrow::Cow::Borrowed("");
    let kind = if key {
        raw.decode_key(&mut out, errors);
        ScalarKind::String
    } else {
        raw.decode_scalar(&mut out, errors)
    };
    Some((out.into_owned(), kind))
}

/// A string with as many ends of lines as the original had.
fn lines_kept(original: &str, new: &str, encoding: Option<Encoding>) -> String {
    let lines = original.matches('\n').count();
    if lines == 0 || !matches!(encoding, Some(Encoding::MlBasicString | Encoding::MlLiteralString)) {
        return basic(new);
    }
    // A backslash joins what follows it to the line.
    let body = basic(new);
    format!("\"\"\"{}\\{}\"\"\"", &body[1..body.len() - 1], "\n".repeat(lines))
}

/// A basic string on one line.
fn basic(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}
