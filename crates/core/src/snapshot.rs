//! What an analysis starts from: texts with their names, and errors that point into them.

mod file;
mod lines;

use crate::model::{SourceId, SourceSpan};
use crate::visible::line;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

pub use file::{MOST_TEXTS, SCHEMA, is_snapshot};
pub use lines::Places;

/// A named input text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Its name as the user gave it: a path relative to the manifest.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Why a text cannot be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// Where; an empty span at the start when it concerns the whole text.
    pub at: SourceSpan,
    /// What is wrong, for a person.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ReadError {
    /// An error at a place.
    pub fn new(at: SourceSpan, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything an analysis needs: the manifest first, then every file that it names, includes too.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The texts; [`SourceId`] is the index, the manifest is number 0. Names are relative to the manifest's directory.
    pub sources: Vec<Source>,
    /// That directory as the user named it, with a slash at its end, or nothing: error messages begin with it.
    pub directory: String,
}

impl Snapshot {
    /// The manifest's text; empty when there is none.
    pub fn manifest(&self) -> &str {
        self.text(SourceId::MANIFEST)
    }

    /// The source that the manifest calls `path`.
    pub fn find(&self, path: &str) -> Option<SourceId> {
        let index = self.sources.iter().skip(1).position(|s| s.name == path)?;
        u16::try_from(index + 1).ok().map(SourceId)
    }

    /// A source's text; empty when there is none.
    pub fn text(&self, id: SourceId) -> &str {
        self.source(id).map_or("", |s| &s.text)
    }

    /// A source by number.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(usize::from(id.0))
    }
}

/// Input from which no answer follows: one message, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// Where: source number and bytes.
    pub at: Option<(SourceId, Range<usize>)>,
    /// Name of the file when it has no text to point into (missing, too large …).
    pub file: Option<Box<str>>,
    /// What is wrong at that place, if the message alone does not say it.
    pub label: Box<str>,
    /// What to do.
    pub help: Box<str>,
}

impl InputError {
    /// An error at a place in a source.
    pub fn at(source: SourceId, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: Some((source, span)),
            file: None,
            label: Box::default(),
            help: Box::default(),
        }
    }

    /// An error at a place in the manifest.
    pub fn in_manifest(span: Range<usize>, message: impl Into<String>) -> Self {
        Self::at(SourceId::MANIFEST, span, message)
    }

    /// An error about a file as a whole.
    pub fn about(file: impl Into<Box<str>>, message: impl Into<String>) -> Self {
        Self { message: message.into(), at: None, file: Some(file.into()), label: Box::default(), help: Box::default() }
    }

    /// Adds what is wrong at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<Box<str>>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Self {
        self.help = help.into();
        self
    }

    /// The message for a terminal: the place underlined, and what to do.
    pub fn render(&self, snapshot: &Snapshot, colour: bool) -> String {
        let title = Level::ERROR.primary_title(line(self.message.clone()));
        let mut group = Group::with_title(title);
        match &self.at {
            Some((id, span)) => {
                if let Some(source) = snapshot.source(*id) {
                    let excerpt = excerpt(&source.text, span);
                    let mark = AnnotationKind::Primary.span(excerpt.span).label(line(self.label.to_string()));
                    let (row, column) = line_column(&source.text, span.start);
                    let name = line(format!("{}{}", snapshot.directory, source.name));
                    let snippet = Snippet::source(excerpt.text).line_start(row).annotation(mark);
                    group = if excerpt.cut {
                        // Counted from the cut, the column would be wrong.
                        group.element(Origin::path(name).line(row).char_column(column)).element(snippet)
                    } else {
                        group.element(snippet.path(name))
                    };
                }
            }
            None => group = group.elements(self.file.as_deref().map(|file| Origin::path(line(file.to_owned())))),
        }
        if !self.help.is_empty() {
            group = group.element(Level::HELP.message(line(self.help.to_string())));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let shown = renderer.render(&[group]).clone();
        // Without lines of a file the arrow would stand left of everything else.
        match shown.split_once('\n') {
            Some((title, rest)) if self.at.is_none() && self.file.is_some() => format!("{title}\n {rest}"),
            _ => shown,
        }
    }
}

impl From<ReadError> for InputError {
    fn from(e: ReadError) -> Self {
        let span = e.at.start as usize..e.at.end as usize;
        let help =
            e.help.unwrap_or_else(|| "correct it, or give what the system itself prints for its configuration".into());
        Self::at(e.at.source, span, e.message).help(help)
    }
}

/// The lines around a span: a huge file is not handed to the renderer, nor is a huge line.
struct Excerpt {
    text: String,
    span: Range<usize>,
    /// It begins in the middle of a line.
    cut: bool,
}

/// Bytes of a line that are shown on either side of a mark.
const MARGIN: usize = 160;

fn excerpt(text: &str, span: &Range<usize>) -> Excerpt {
    let start = floor_boundary(text, span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let from = floor_boundary(text, line_start.max(start.saturating_sub(MARGIN)));
    let to = floor_boundary(text, line_end.min(start + MARGIN));
    let end = floor_boundary(text, span.end.clamp(start, to.max(start)));
    let shown = text[from..to.max(from)].trim_end_matches('\r').to_owned();
    // An empty mark (end of file, an empty file) still needs a column to stand in.
    let mark = (start - from).min(shown.len());
    let mut span = mark..(end - from).clamp(mark, shown.len());
    let mut shown = shown;
    if span.is_empty() {
        // An empty mark (end of a line, an empty file) still needs a column to stand in.
        if let Some(c) = shown[span.start..].chars().next() {
            span.end += c.len_utf8();
        } else {
            shown.push(' ');
            span.end += 1;
        }
    }
    // What could not be seen takes as many columns, but perhaps more bytes.
    let [before, marked, after] =
        [&shown[..span.start], &shown[span.clone()], &shown[span.end..]].map(|part| line(part.to_owned()));
    let span = before.len()..before.len() + marked.len();
    Excerpt { text: before + &marked + &after, span, cut: from > line_start }
}

/// The start of the character in whose middle a byte may be.
pub(crate) fn floor_boundary(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Line and column, both from 1, of a byte in a text.
pub fn line_column(text: &str, at: usize) -> (usize, usize) {
    let at = floor_boundary(text, at.min(text.len()));
    let line_start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    (text[..line_start].matches('\n').count() + 1, text[line_start..at].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        let sources = vec![Source { name: "callpath.toml".into(), text: text.into() }];
        Snapshot { sources, directory: "x/".into() }
    }

    #[test]
    fn an_error_shows_file_line_column_mark_and_help() {
        let text = "a = 1\nhots = \"x\"\n";
        let error = InputError::in_manifest(6..10, "unknown key `hots`").help("did you mean `host`?");
        let shown = error.render(&snapshot(text), false);
        assert!(shown.contains("--> x/callpath.toml:2:1"), "{shown}");
        assert!(shown.contains("^^^^"), "{shown}");
        assert!(shown.contains("did you mean"), "{shown}");
        // A place without lines stands below the title too.
        let about = InputError::about("a.txt:1:1", "this is a text").help("give another");
        for colour in [false, true] {
            let shown = about.render(&snapshot(text), colour);
            let second = shown.lines().nth(1).unwrap_or_default();
            assert!(second.starts_with(' ') && second.contains("--> "), "{shown:?}");
        }
    }

    #[test]
    fn places_at_odd_positions_do_not_panic() {
        for (text, span) in [("", 0..0), ("", 5..9), ("é", 1..2), ("xé", 1..1), ("a\n", 2..2), ("a\r\nb", 1..2)] {
            let shown = InputError::in_manifest(span, "x").render(&snapshot(text), false);
            assert!(shown.contains("x/callpath.toml:"), "{shown}");
        }
        let long = "x".repeat(1_000_000);
        let shown = InputError::in_manifest(500_000..500_010, "x").render(&snapshot(&long), false);
        assert!(shown.len() < 2_000, "{}", shown.len());
        assert!(shown.contains("x/callpath.toml:1:500001"), "{shown}");
    }

    #[test]
    fn paths_are_relative_to_the_manifest() {
        let mut s = snapshot("");
        s.sources.push(Source { name: "r/a.nft".into(), text: String::new() });
        assert_eq!(s.find("r/a.nft"), Some(SourceId(1)));
        assert_eq!(s.find("a.nft"), None);
        assert_eq!(line_column("ab\ncd", 4), (2, 2));
    }
}
