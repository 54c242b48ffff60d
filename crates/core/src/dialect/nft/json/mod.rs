//! JSON rulesets: the output of `nft -j list ruleset` (libnftables-json(5)).
//!
//! The text may be one line of many megabytes, so its objects are decoded one by one. A rule that holds something
//! unknown keeps the statements before it; the rest becomes one [`Stmt::Unread`](super::ast::Stmt::Unread).

mod expr;
mod object;
mod stmt;
#[cfg(test)]
mod tests;

use super::ast::{Ruleset, Unread};
use super::build::Build;
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::{ReadError, floor_boundary};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Reads the output of `nft -j list ruleset`. Rules have no spans, but handles.
///
/// # Errors
/// When the text is not JSON, or not of nftables, or describes a hook that is not known.
pub fn parse(source: SourceId, text: &str) -> Result<Ruleset, ReadError> {
    let body = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - body.len();
    if body.trim_start().is_empty() {
        return Err(ReadError::new(SourceSpan { source, start: 0, end: 0 }, "the file is empty")
            .help("give the output of `nft -j list ruleset`"));
    }
    let mut reader = Reader { source, build: Build::default(), seen: false, error: None };
    let mut json = serde_json::Deserializer::from_str(body);
    let result = json.deserialize_map(Document(&mut reader)).and_then(|()| json.end());
    if let Some(error) = reader.error {
        return Err(error);
    }
    if let Err(error) = result {
        let at = skipped + offset(body, error.line(), error.column());
        // Columns count bytes: the last one read may be in the middle of a character.
        let start = u32::try_from(floor_boundary(text, at.min(text.len()))).unwrap_or(u32::MAX);
        // serde_json ends its messages with the position, which the span shows better.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        return Err(ReadError::new(
            SourceSpan { source, start, end: start },
            format!("this is no valid JSON: {message}"),
        )
        .help("give the whole output of `nft -j list ruleset`; was the file cut off while it was copied?"));
    }
    if !reader.seen {
        return Err(ReadError::new(SourceSpan { source, start: 0, end: 0 }, "this JSON is not of nftables")
            .help("give the output of `nft -j list ruleset`: it begins with `{\"nftables\":`"));
    }
    Ok(reader.build.finish())
}

/// Byte offset of a line and column, both counted from one.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(newlines) => text.bytes().enumerate().filter(|(_, b)| *b == b'\n').nth(newlines).map_or(0, |(i, _)| i + 1),
    };
    start + column.saturating_sub(1)
}

/// What is read so far.
struct Reader {
    source: SourceId,
    build: Build,
    /// There was a list called `nftables`.
    seen: bool,
    /// Why the rest was not read.
    error: Option<ReadError>,
}

impl Reader {
    fn nowhere(&self) -> SourceSpan {
        SourceSpan { source: self.source, start: 0, end: 0 }
    }

    /// Notes what was not understood outside of rules.
    fn unread(&mut self, text: &str, why: impl Into<Box<str>>) {
        let shown = match text.char_indices().nth(120) {
            Some((i, _)) => format!("{} …", &text[..i]),
            None => text.into(),
        };
        let at = self.nowhere();
        self.build.ruleset.unread.push(Unread { at, text: shown.into(), why: why.into() });
    }
}

/// The outermost object.
struct Document<'r>(&'r mut Reader);

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list called `nftables`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == "nftables" {
                self.0.seen = true;
                map.next_value_seed(List(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The list of objects.
struct List<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nftables objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            if let Err(error) = self.0.object(raw.get()) {
                self.0.error = Some(error);
                return Err(serde::de::Error::custom("see the error above"));
            }
        }
        Ok(())
    }
}
