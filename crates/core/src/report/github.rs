//! Findings as GitHub workflow commands: a run shows them beside the lines that they are about.

use super::formats::told;
use super::text::{closed, exposures};
use super::{Report, Severity};
use crate::visible::hidden;
use std::fmt::Write;

/// One line for each finding at its first place, then what is open and closed besides, and the verdict as the last.
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for f in &report.findings {
        let command = match f.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties: Vec<String> = Vec::new();
        // Only files with lines can be annotated.
        if let Some((mark, line)) = f.at.iter().find_map(|m| Some((m, m.line?))) {
            properties.push(format!("file={}", property(&mark.source)));
            properties.push(format!("line={line}"));
            properties.push(format!("col={}", mark.column));
        }
        properties.push(format!("title={}", property(f.code)));
        let _ = writeln!(out, "::{command} {}::{}", properties.join(","), message(&told(f)));
    }
    for (title, lines) in exposures(report) {
        for line in lines {
            let _ = writeln!(out, "::warning title=callpath::{}", message(&format!("{title}: {line}")));
        }
    }
    for line in closed(report) {
        let _ = writeln!(out, "::notice title=callpath::{}", message(&line));
    }
    // A log may hold no commands but ours: the headline is a command too, so that its words are escaped.
    let _ = writeln!(
        out,
        "::notice title=callpath::{}",
        message(&format!("{}: {}", report.verdict.word(), report.headline))
    );
    out
}

/// A message: the runner ends a command at a line's end, and reads `%` as the start of an escape.
fn message(text: &str) -> String {
    let seen: String = text.chars().map(|c| if hidden(c) && c != '\r' && c != '\n' { '\u{fffd}' } else { c }).collect();
    // The runner's older syntax is found anywhere in a line.
    seen.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "# #[")
}

/// A property: commas and colons divide them.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_end_a_command() {
        assert_eq!(message("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(message("a\u{1b}[1m\u{202e}"), "a\u{fffd}[1m\u{fffd}");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
        assert_eq!(message("##[error]x"), "# #[error]x");
    }
}
