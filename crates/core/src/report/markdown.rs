//! The report as GitHub-flavoured Markdown, for tickets.
//!
//! Texts of a configuration are text here too: no markup of theirs takes effect, and no block of code ends early.

use super::plans::{merged as merged_steps, plans};
use super::text::finding::{count, what_to_do};
use super::text::story::{Note, Notes, concerned, reason};
use super::text::table::{state, verdict};
use super::text::{closing, depends, perhaps_nobody, word};
use super::{Mark, Reach, Report, Verdict};
use crate::change::Step;
use crate::visible::{hidden, named};
use std::fmt::Write;

/// The report as Markdown.
pub fn markdown(report: &Report) -> String {
    let report = &super::merged(report);
    let notes = Notes::collect(report);
    let mut out = format!("# {}: {}\n", word(report.verdict), prose(&report.headline));
    paragraphs(&mut out, count(report));
    for instance in &report.instances {
        let told = instance.told.join(", ");
        let by = match &instance.name {
            Some(name) => format!("{name} ({told})"),
            None => told,
        };
        let title = format!("{} on {}, reached as {by}", named(&instance.label), instance.host.join(", "));
        let _ = writeln!(out, "\n## {}\n", prose(&title));
        table(&mut out, report, &instance.label);
    }
    paragraphs(&mut out, depends(report));
    if let Some((text, line)) = perhaps_nobody(report) {
        let _ = writeln!(out, "\n{}\n", prose(&text));
        fenced(&mut out, "", &line);
    }
    causes(&mut out, report, &notes);
    changes(&mut out, report);
    let others: Vec<String> = notes.list.iter().filter(|n| n.finding.is_none()).map(other).collect();
    section(&mut out, "what else stops packets", &others);
    for (title, lines) in closing(report) {
        section(&mut out, &title, &lines);
    }
    let _ = writeln!(out, "\n{} {}", report.tool.name, report.tool.version);
    out
}

/// A reason that no finding tells: why, whom it concerns, by which rule, and what would have to be known.
fn other(note: &Note<'_>) -> String {
    let piece = note.piece;
    let mut out = format!("{}; concerns {}", reason(piece), concerned(&note.whom));
    let stop = piece.stop.as_ref().filter(|_| piece.reach != Reach::Unknown);
    let origins = stop.and_then(|s| s.origin.as_ref()).into_iter();
    for origin in origins.chain(piece.doubts.iter().filter_map(|d| d.origin.as_ref())) {
        let _ = write!(out, "; {}", origin.place());
    }
    for doubt in piece.doubts.iter().filter(|d| !d.supply.is_empty()) {
        let _ = write!(out, "; to know it: {}", doubt.supply);
    }
    out
}

/// Who calls by what, and whether the call gets through. What is no call has rows of the same table.
fn table(out: &mut String, report: &Report, instance: &str) {
    *out += "| who | by what | the call |\n|---|---|---|\n";
    for path in report.paths.iter().filter(|p| p.instance == instance) {
        let ways = path.legs.iter().flat_map(|l| &l.any_of);
        let ways: Vec<String> = ways.map(|a| prose(&format!("{}: {}", a.what, state(path, a)))).collect();
        let verdict = prose(&verdict(path));
        let verdict = if path.verdict == Verdict::Works { verdict } else { format!("**{verdict}**") };
        let _ = writeln!(out, "| {} | {} | {verdict} |", prose(&path.people_by_family()), ways.join("<br>"));
    }
}

/// Each cause with its places.
fn causes(out: &mut String, report: &Report, notes: &Notes<'_>) {
    for (n, f) in report.findings.iter().enumerate() {
        let _ = writeln!(out, "\n## {}\n", prose(&format!("{}: {} (`{}`)", f.severity.word(), f.message, f.code)));
        for mark in &f.at {
            place(out, mark);
        }
        let (_, concerned) = notes.told_by(n).unwrap_or_default();
        let advice = if f.change.is_none() && f.apart.is_none() { what_to_do(f.code) } else { String::new() };
        let facts = [
            ("what happens", &*f.because),
            ("who notices", &*concerned),
            ("no change is printed", f.refused.as_deref().unwrap_or_default()),
            ("what to do", &*advice),
        ];
        for (title, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
            let _ = writeln!(out, "- **{title}:** {}", prose(text));
        }
    }
}

/// `file:line` and the line, the words that matter marked below it.
fn place(out: &mut String, mark: &Mark) {
    let at = mark.line.map_or_else(String::new, |line| format!(":{line}:{}", mark.column));
    let _ = writeln!(out, "{}\n", code(&format!("{}{at}", mark.source)));
    let chars: Vec<char> = mark.text.chars().collect();
    let from = mark.column.saturating_sub(1).min(chars.len());
    let margin = chars.iter().take_while(|c| c.is_whitespace()).count().min(from);
    let mut quoted: String = chars[margin..].iter().collect();
    if mark.line.is_some() && from < chars.len() {
        // Tabs stay tabs, so that the marks stand below their words however wide a tab is.
        let pad: String = chars[margin..from].iter().map(|c| if *c == '\t' { '\t' } else { ' ' }).collect();
        let carets = "^".repeat(mark.length.min(chars.len() - from).max(1));
        let _ = write!(quoted, "\n{pad}{carets} {}", mark.label);
    } else if !mark.label.is_empty() {
        let _ = write!(quoted, "\n^ {}", mark.label);
    }
    fenced(out, "", &quoted);
    *out += "\n";
}

fn changes(out: &mut String, report: &Report) {
    for plan in plans(report) {
        let _ = writeln!(out, "\n## {}\n", prose(&format!("change on {}{}", named(plan.device), plan.effect.remark())));
        for line in &plan.takes {
            let _ = writeln!(out, "{}\n", prose(line));
        }
        steps(out, &plan.steps);
        if !plan.undo.is_empty() {
            *out += "\n### to take it back\n\n";
            steps(out, &merged_steps(std::iter::once(&plan.undo)));
        }
    }
}

fn steps(out: &mut String, steps: &[Step]) {
    for (n, step) in steps.iter().enumerate() {
        let save = if step.save { ", then **Save**" } else { "" };
        let _ = writeln!(out, "{}. {}{save}", n + 1, prose(&step.place));
        if !step.lines.is_empty() {
            *out += "\n";
            fenced(out, "   ", &step.lines.join("\n"));
        }
    }
}

fn paragraphs(out: &mut String, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        let _ = writeln!(out, "\n{}", prose(&line));
    }
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {}\n", prose(title));
    for line in lines {
        let _ = writeln!(out, "- {}", prose(line));
    }
}

/// A block of code whose fence is longer than any in it.
fn fenced(out: &mut String, margin: &str, text: &str) {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    let _ = writeln!(out, "{margin}{fence}");
    for line in text.lines() {
        let line: String = line.chars().filter(|c| *c == '\t' || !hidden(*c)).collect();
        let _ = writeln!(out, "{margin}{}", line.trim_end());
    }
    let _ = writeln!(out, "{margin}{fence}");
}

/// A piece of code in a line; in a table it may hold no `|`.
fn code(text: &str) -> String {
    let text: String = text.chars().filter(|c| !hidden(*c)).collect();
    let fence = "`".repeat(longest_run(&text) + 1);
    // Backticks at an end would lengthen the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A sentence: `code` in it stays code, everything else is text.
pub(super) fn prose(text: &str) -> String {
    // Blanks at the beginning of a line make a block of code of it, or a list in a list.
    let text = text.trim_start();
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(n, part): (usize, &&str)| match n % 2 {
        1 if !part.trim().is_empty() && !part.contains(['|', '\\', '\n']) => code(part),
        1 => escape(&format!("`{part}`")),
        _ => escape(part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Text without markup. `@name` and `#1` would call people and link tickets: an empty comment keeps them apart.
fn escape(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if hidden(c) => {}
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            // Two of these have a formula between them.
            '$' => out += "&#36;",
            '@' | '#' => out.extend([c.to_string().as_str(), "<!-- -->"]),
            // Addresses of pages become links without any markup.
            ':' if before.is_ascii_alphabetic() && text.contains("://") => out += "&#58;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            // At the start these begin a list or underline a heading.
            '-' | '+' | '=' if out.trim_start().is_empty() => out.extend(['\\', c]),
            '.' | ')' if chars.peek() == Some(&' ') && out.trim_start().bytes().all(|b| b.is_ascii_digit()) => {
                out.extend(['\\', c]);
            }
            c => out.push(c),
        }
        before = c;
    }
    out.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_no_markup() {
        assert_eq!(
            escape("<img src=x> **b** [a](b) | @me #1"),
            "&lt;img src=x&gt; \\*\\*b\\*\\* \\[a\\](b) \\| @<!-- -->me #<!-- -->1"
        );
        assert_eq!(escape("http://x.org\n# a"), "http&#58;//x.org #<!-- --> a");
        assert_eq!((escape("1. a"), escape("- a")), ("1\\. a".to_owned(), "\\- a".to_owned()));
        assert_eq!(prose("   - a $x$"), "\\- a &#36;x&#36;");
        assert_eq!(escape("  2. a"), "  2\\. a");
        assert_eq!(escape("a\u{202e}b\u{1b}[1m"), "ab\\[1m");
        assert_eq!(prose("a `b<c` d"), "a `b<c` d");
        assert_eq!(prose("one ` alone <b>"), "one \\` alone &lt;b&gt;");
        assert_eq!(prose("a ``b"), "a \\`\\`b");
    }

    #[test]
    fn code_cannot_end_its_fence() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
        let mut out = String::new();
        fenced(&mut out, "", "a\n```\n<script>");
        assert_eq!(out, "````\na\n```\n<script>\n````\n");
    }
}
