//! Expectations about flows, one a line: `open internet -> voice.example.org udp/50000-50499`.

use super::{Question, Reader, Word, Wrong, parse_flow_ports};
use crate::model::SourceId;
use crate::report::{Reach, Stop, Trace, TracedPiece};
use crate::snapshot::InputError;
use crate::visible::line;
use crate::vocabulary::{PortSet, show_ranges};
use serde::Serialize;
use std::fmt::{self, Write as _};
use std::ops::Range;

/// What is expected of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// All of it gets through.
    Open,
    /// No part of it gets through.
    Closed,
}

impl Expected {
    /// By its word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|e| e.name() == word)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A line of a file of expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The line, from 1.
    pub line: usize,
    /// What is expected.
    pub expected: Expected,
    /// Of which flow.
    pub question: Question,
    /// Bytes of the words: who, and whom.
    words: [Range<usize>; 2],
}

/// A file of expectations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suite {
    /// In the order of the file.
    pub list: Vec<Expectation>,
}

/// Whether a flow is as it was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// It is.
    pub holds: bool,
    /// Whether it is, is not known.
    pub unknown: bool,
    /// What it is instead, and why.
    pub why: String,
}

/// So many bad lines are told; a file of something else has thousands.
const MOST_ERRORS: usize = 20;

impl Suite {
    /// Reads a file of expectations, which is the source with this number.
    ///
    /// # Errors
    /// Every line that cannot be read, up to twenty; a file without an expectation.
    pub fn parse(source: SourceId, text: &str) -> Result<Self, Vec<InputError>> {
        let (mut list, mut errors) = (Vec::new(), Vec::new());
        let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
        for (number, full) in text[start..].split_inclusive('\n').enumerate() {
            let said = without_comment(full);
            if !said.trim().is_empty() {
                match one(number + 1, said, start) {
                    Ok(expectation) => list.push(expectation),
                    Err((span, message, help)) => errors.push(InputError::at(source, span, message).help(help)),
                }
            }
            start += full.len();
            if errors.len() == MOST_ERRORS {
                break;
            }
        }
        if errors.is_empty() && list.is_empty() {
            let error = InputError::at(source, 0..0, "there is no expectation in this file");
            errors.push(error.help(format!("write one a line: {EXAMPLE}")));
        }
        if errors.is_empty() { Ok(Self { list }) } else { Err(errors) }
    }

    /// What each comes to.
    ///
    /// # Errors
    /// Every line with a word that means nothing at this site, up to twenty.
    pub fn run(&self, source: SourceId, file: &str, reader: &mut Reader<'_>) -> Result<Results, Vec<InputError>> {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for e in &self.list {
            match reader.trace(&e.question) {
                Ok(trace) => {
                    let Outcome { holds, unknown, why } = judge(&trace, e.expected);
                    results.push(Line {
                        line: e.line,
                        expected: e.expected,
                        from: trace.from,
                        to: trace.to,
                        ports: trace.ports,
                        reach: trace.reach,
                        holds,
                        unknown,
                        why,
                    });
                }
                Err(wrong) => errors.extend(wrong.into_iter().map(|Wrong { word, message, help }| {
                    InputError::at(source, e.words[word_index(word)].clone(), message).help(help)
                })),
            }
            if errors.len() >= MOST_ERRORS {
                break;
            }
        }
        let holds = results.iter().all(|l| l.holds);
        let results = Results { schema: SCHEMA, file: line(file.to_owned()), holds, results };
        if errors.is_empty() { Ok(results) } else { Err(errors) }
    }
}

/// The format's name and version.
pub const SCHEMA: &str = "callpath.expectations/1";

/// What a file of expectations comes to: what `callpath trace --expectations FILE --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Results {
    /// Always `callpath.expectations/1`.
    pub schema: &'static str,
    /// The file.
    pub file: String,
    /// All of them hold.
    pub holds: bool,
    /// In the order of the file.
    pub results: Vec<Line>,
}

/// What one expectation comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The line, from 1.
    pub line: usize,
    /// What is expected.
    pub expected: Expected,
    /// Who sends.
    pub from: String,
    /// Whom they ask.
    pub to: String,
    /// Protocol and ports.
    pub ports: PortSet,
    /// What it is.
    pub reach: Reach,
    /// It is as expected.
    pub holds: bool,
    /// Whether it is, is not known.
    pub unknown: bool,
    /// Why it is not as expected.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Results {
    /// It as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// A line for each, and one for all.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for l in &self.results {
            let word = match (l.holds, l.unknown) {
                (true, _) => "ok",
                (false, true) => "UNKNOWN",
                (false, false) => "FAILS",
            };
            let why = if l.why.is_empty() { String::new() } else { format!(": {}", l.why) };
            let ports = format!("{}/{}", l.ports.proto.name(), show_ranges(&l.ports.ports));
            let flow = format!("{} {} -> {} {ports}", l.expected, written(&l.from), written(&l.to));
            let _ = writeln!(out, "{word:<7}  {}:{}  {flow}{why}", self.file, l.line);
        }
        let (good, all) = (self.results.iter().filter(|l| l.holds).count(), self.results.len());
        let many = if all == 1 { "expectation" } else { "expectations" };
        let _ = writeln!(out, "\n{good} of {all} {many} hold{}", if good == 1 && all == 1 { "s" } else { "" });
        out
    }
}

/// A word as it stands in a line.
fn written(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() }
}

/// A line up to its comment, which begins with `#` at the beginning of a word.
fn without_comment(line: &str) -> &str {
    let begins = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices('#').map(|(at, _)| at).find(begins);
    comment.map_or(line, |at| &line[..at])
}

fn word_index(word: Word) -> usize {
    match word {
        Word::From => 0,
        Word::To => 1,
    }
}

const EXAMPLE: &str = "open internet -> voice.example.org udp/50000-50499";

/// A line: bytes, message and help where it is wrong.
type BadLine = (Range<usize>, String, String);

fn one(number: usize, text: &str, start: usize) -> Result<Expectation, BadLine> {
    let words: Vec<(Range<usize>, &str)> = split(text).collect();
    let at = |range: &Range<usize>| start + range.start..start + range.end;
    let [(first, word), rest @ ..] = &words[..] else {
        return Err((start..start, "this line is empty".into(), format!("write {EXAMPLE}")));
    };
    let Some(expected) = Expected::of(word) else {
        let help = format!("a line begins with `open` or `closed`: {EXAMPLE}");
        return Err((at(first), format!("`{word}` is neither `open` nor `closed`"), help));
    };
    let shape = || format!("write who, an arrow, whom, and the ports: {EXAMPLE}");
    let last = words.last().map_or(first.clone(), |(range, _)| range.clone());
    let Some(arrow) = rest.iter().position(|(_, w)| *w == "->") else {
        return Err((at(first), "there is no ` -> ` in this line".into(), shape()));
    };
    let (from, to) = (&rest[..arrow], &rest[arrow + 1..]);
    let (Some(from), Some(to), Some(ports)) = (from.first(), to.first(), to.get(1)) else {
        return Err((at(&last), "a word is missing in this line".into(), shape()));
    };
    if let Some((more, _)) = rest[..arrow].get(1).or(rest[arrow + 1..].get(2)) {
        return Err((at(more), "this is a word too many".into(), shape()));
    }
    let parsed = parse_flow_ports(ports.1).map_err(|(message, help)| (at(&ports.0), message, help))?;
    Ok(Expectation {
        line: number,
        expected,
        question: Question { from: from.1.into(), to: to.1.into(), ports: parsed, source_ports: Vec::new() },
        words: [at(&from.0), at(&to.0)],
    })
}

/// Words of a line, with their bytes. A name with blanks stands in quotation marks.
fn split(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.find('"'));
        let bare = || rest.find(char::is_whitespace).unwrap_or(rest.len()).max(first.len_utf8());
        let (range, next) =
            quoted.map_or_else(|| (at..at + bare(), at + bare()), |length| (at + 1..at + 1 + length, at + length + 2));
        at = next;
        Some((range.clone(), &text[range]))
    })
}

/// Whether a flow is as it was expected.
pub fn judge(trace: &Trace, expected: Expected) -> Outcome {
    let wanted = match expected {
        Expected::Open => Reach::Open,
        Expected::Closed => Reach::Closed,
    };
    let ports = |p: &TracedPiece| format!("{} {}", trace.ports.proto.name(), p.piece.ports_shown());
    let other = trace.pieces().find(|p| p.piece.reach != wanted && p.piece.reach != Reach::Unknown);
    let taken = trace.pieces().find(|p| p.taken_by.is_some()).filter(|_| expected == Expected::Closed);
    let doubtful = trace.pieces().find(|p| p.piece.reach == Reach::Unknown);
    // What is certain comes first: it fails, whatever is not known beside it.
    let (unknown, why) = if let Some(p) = other {
        let why = match &p.piece.stop {
            Some(stop) => format!("{} is closed: {}{}", ports(p), stop.what, at(stop)),
            None => format!("{} is open: {}", ports(p), p.ends()),
        };
        (false, why)
    } else if let Some(p) = taken {
        let by = p.taken_by.as_deref().unwrap_or_default();
        (false, format!("{} does not get through, and {by} takes the first packet nevertheless", ports(p)))
    } else if let Some(p) = doubtful {
        let doubts: Vec<&str> = p.piece.doubts.iter().map(|d| &*d.what).collect();
        (true, format!("{} is unknown: {}", ports(p), doubts.join("; ")))
    } else if !trace.not_traced.is_empty() {
        (true, format!("not all of it was traced: {}", trace.not_traced.join("; ")))
    } else {
        (false, String::new())
    };
    Outcome { holds: why.is_empty(), unknown, why: line(why) }
}

/// The rule that decides.
fn at(stop: &Stop) -> String {
    stop.origin.as_ref().map_or_else(String::new, |o| format!(" ({})", o.place()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Vec<(String, usize)> {
        let errors = Suite::parse(SourceId::MANIFEST, text).expect_err("bad lines");
        errors.into_iter().map(|e| (e.message, e.at.map_or(0, |(_, span)| span.start))).collect()
    }

    #[test]
    fn a_file_is_read_with_comments_blanks_and_names_in_quotation_marks() {
        let text =
            "\u{feff}# tests\r\n\r\n  open internet -> a#b tcp/443 # why\r\nclosed \"your net\" -> x udp/1-2,7\r\n";
        let suite = Suite::parse(SourceId::MANIFEST, text).expect("it is read");
        let shown = |e: &Expectation| {
            let Question { from, to, ports, .. } = &e.question;
            format!("{} {} {from} {to} {ports}", e.line, e.expected)
        };
        let shown: Vec<String> = suite.list.iter().map(shown).collect();
        assert_eq!(shown, ["3 open internet a#b tcp 443", "4 closed your net x udp 1-2,7"]);
    }

    #[test]
    fn every_bad_line_is_told_with_its_place() {
        let text = "opn a -> b tcp/1\nopen a b tcp/1\nopen a -> b\nopen a -> b tcp/1 c\nopen a -> b icmp\nopen a -> b tcp/0\n->\n";
        let places: Vec<usize> = refused(text).into_iter().map(|(_, at)| at).collect();
        assert_eq!(places, [0, 17, 42, 62, 76, 93, 99]);
        assert_eq!(refused("# nothing\n"), [("there is no expectation in this file".to_owned(), 0)]);
        assert_eq!(refused(&"x\n".repeat(1000)).len(), MOST_ERRORS);
    }
}
