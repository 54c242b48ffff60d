//! A snapshot as a file: `callpath.snapshot/1`.

use super::{InputError, Snapshot, Source};
use crate::dialect::without_secrets;
use crate::manifest;
use crate::redact::KEPT;
use serde::{Deserialize, Serialize};

/// The schema that a snapshot's file names.
pub const SCHEMA: &str = "callpath.snapshot/1";

/// A site has as many texts at most: each has a number, and a look-up by name goes through all.
pub const MOST_TEXTS: usize = 2_000;

/// The file, as JSON has it. No parsed type of ours is in it: a later version reads the same texts anew.
#[derive(Serialize, Deserialize)]
struct File {
    schema: String,
    /// Which callpath wrote it.
    callpath: String,
    /// What its pseudonyms keep; nothing where these are the originals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pseudonyms: Option<String>,
    /// The manifest first.
    sources: Vec<Text>,
}

/// A source.
#[derive(Serialize, Deserialize)]
struct Text {
    name: String,
    text: String,
}

/// Whether a text is meant to be a snapshot: JSON that names the schema.
pub fn is_snapshot(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.starts_with('{') && start.contains("\"callpath.snapshot/")
}

impl Snapshot {
    /// The snapshot as a file; the directory in which the site was found is not in it.
    pub fn json(&self) -> String {
        self.written(None)
    }

    /// The same of one with pseudonyms: the file says what they keep.
    pub fn redacted_json(&self) -> String {
        self.written(Some(KEPT.to_owned()))
    }

    fn written(&self, pseudonyms: Option<String>) -> String {
        let text = |s: &Source| Text { name: s.name.clone(), text: s.text.clone() };
        let file = File {
            schema: SCHEMA.into(),
            callpath: env!("CARGO_PKG_VERSION").into(),
            pseudonyms,
            sources: self.sources.iter().map(text).collect(),
        };
        // Strings only: this cannot fail.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Reads such a file; `name` is what messages call it.
    ///
    /// # Errors
    /// No JSON, another schema, or no texts.
    pub fn from_json(name: &str, text: &str) -> Result<Self, InputError> {
        let refuse = |message: String, help: &str| Err(InputError::about(name, message).help(help));
        let write = "write it again: `callpath snapshot -o bug.json`";
        let value: serde_json::Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(value) => value,
            Err(e) => return refuse(broken(&e), write),
        };
        match value["schema"].as_str() {
            Some(SCHEMA) => {}
            Some(other) if is_schema(other) => {
                return refuse(
                    format!("`{other}` is not read here, only `{SCHEMA}`"),
                    "use the callpath that wrote it",
                );
            }
            _ => {
                let help = "give a directory with a callpath.toml, such a file, or what `callpath snapshot` wrote";
                return refuse("this JSON is no snapshot".into(), help);
            }
        }
        let file: File = match serde_json::from_value(value) {
            Ok(file) => file,
            Err(_) => return refuse("this snapshot is broken: its texts have no names, or are none".into(), write),
        };
        if file.sources.is_empty() {
            return refuse("this snapshot holds no texts".into(), write);
        }
        if file.sources.len() > MOST_TEXTS {
            let message =
                format!("this snapshot holds too many texts: {}, and {MOST_TEXTS} are the most", file.sources.len());
            return refuse(message, write);
        }
        // Whoever wrote it may have put anything into it.
        let source = |(n, t): (usize, Text)| {
            let text = if n == 0 { manifest::without_secrets(&t.text) } else { without_secrets(t.text) };
            Source { name: t.name, text }
        };
        let sources = file.sources.into_iter().enumerate().map(source).collect();
        Ok(Self { sources, directory: String::new() })
    }
}

/// A schema of another version: a number is all that is shown of it.
fn is_schema(name: &str) -> bool {
    let version = name.strip_prefix("callpath.snapshot/");
    version.is_some_and(|v| v.len() <= 3 && v.bytes().all(|b| b.is_ascii_digit()))
}

/// Where JSON ends to be JSON, without a word of it.
fn broken(e: &serde_json::Error) -> String {
    format!("this snapshot is broken: it is no JSON at line {} column {}", e.line(), e.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_it_was_written() {
        let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        let sources = vec![source("callpath.toml", "name = \"ü\"\n"), source("r/a.nft", "flush ruleset\u{1}\\\r\n")];
        let written = Snapshot { sources, directory: "somewhere/".into() };
        let read = Snapshot::from_json("bug.json", &written.json()).expect("reads");
        assert!(is_snapshot(&written.json()));
        assert_eq!((read.sources, read.directory), (written.sources, String::new()));
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for (text, why) in [
            ("{", "broken"),
            ("{}", "no snapshot"),
            (r#"{"schema":"callpath.report/1"}"#, "no snapshot"),
            (r#"{"schema":"callpath.snapshot/9"}"#, "not read here"),
            (r#"{"schema":"callpath.snapshot/1"}"#, "broken"),
            (r#"{"schema":"callpath.snapshot/1","callpath":"1","sources":[]}"#, "no texts"),
            (r#"{"schema":"callpath.snapshot/1","callpath":"1","sources":[{"name":1}]}"#, "broken"),
        ] {
            let error = Snapshot::from_json("bug.json", text).expect_err(text);
            assert!(error.message.contains(why) && !error.help.is_empty(), "{text}: {error:?}");
        }
        for (count, refused) in [(MOST_TEXTS, false), (MOST_TEXTS + 1, true)] {
            let sources = (0..count).map(|n| Source { name: format!("f{n}"), text: String::new() }).collect();
            let read = Snapshot::from_json("bug.json", &Snapshot { sources, directory: String::new() }.json());
            assert_eq!(read.is_err_and(|e| e.message.contains("too many texts")), refused, "{count}");
        }
    }
}
