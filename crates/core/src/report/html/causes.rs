//! Causes with their places, and what to change.

use super::Notes;
use crate::change::Step;
use crate::page::{escape, prose};
use crate::report::plans::{merged, plans};
use crate::report::text::finding::{codes, what_to_do};
use crate::report::text::story::show_runs;
use crate::report::{Mark, Report};
use crate::visible::named;
use std::fmt::Write;

/// Each cause once.
pub(super) fn causes(out: &mut String, report: &Report, notes: &Notes<'_>) {
    for (n, f) in report.findings.iter().enumerate() {
        let _ = writeln!(
            out,
            "<section class=\"{word}\" id=\"cause{}\">\n<h3>{word}: {} <span class=\"code\">[{}]</span></h3>",
            n + 1,
            prose(&f.message),
            f.code,
            word = f.severity.word()
        );
        for mark in &f.at {
            place(out, mark);
        }
        *out += "<dl>\n";
        let (numbers, concerned) = notes.told_by(n).unwrap_or_default();
        let pictures = show_runs(&numbers, |n| format!("<a href=\"#picture{n}\">[{n}]</a>"));
        let gap = if pictures.is_empty() { "" } else { " " };
        fact(out, &format!("what happens{gap}{pictures}"), &f.because);
        fact(out, "who notices", &concerned);
        fact(out, "no change is printed", f.refused.as_deref().unwrap_or_default());
        if f.change.is_none() && f.apart.is_none() {
            fact(out, "what to do", &what_to_do(f.code));
        }
        *out += "</dl>\n";
        if let Some(cause) = crate::finding::find(f.code).filter(|_| codes(report).contains(&f.code)) {
            *out += "<details><summary>why this breaks calls</summary>\n";
            for (title, text) in cause.explain.parts() {
                let _ = writeln!(out, "<p>{}</p>", prose(&format!("{title}: {text}")));
            }
            *out += "</details>\n";
        }
        *out += "</section>\n";
    }
    changes(out, report);
}

/// A line of a description list; the name is HTML already.
fn fact(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", prose(text));
    }
}

/// The line of a file, with the words that matter marked.
fn place(out: &mut String, mark: &Mark) {
    let chars: Vec<char> = mark.text.chars().collect();
    let from = mark.column.saturating_sub(1).min(chars.len());
    let to = (from + mark.length).min(chars.len());
    let part = |chars: &[char]| escape(&chars.iter().collect::<String>());
    let margin = chars.iter().take_while(|c| c.is_whitespace()).count().min(from);
    let at = mark.line.map_or_else(String::new, |line| format!(":{line}:{}", mark.column));
    let text = format!("{}<mark>{}</mark>{}", part(&chars[margin..from]), part(&chars[from..to]), part(&chars[to..]));
    let text = if mark.line.is_some() && from < to { text } else { escape(&mark.text) };
    let _ = writeln!(out, "<p class=\"place\">{}{at}</p>\n<pre>{text}</pre>", escape(&mark.source));
    if !mark.label.is_empty() {
        let _ = writeln!(out, "<p class=\"label\">↑ {}</p>", prose(&mark.label));
    }
}

fn changes(out: &mut String, report: &Report) {
    for plan in plans(report) {
        let title = format!("change on {}{}", named(plan.device), plan.effect.remark());
        let _ = writeln!(out, "<section class=\"change\">\n<h3>{}</h3>", escape(&title));
        for line in &plan.takes {
            let _ = writeln!(out, "<p>{}</p>", prose(line));
        }
        steps(out, &plan.steps);
        if !plan.undo.is_empty() {
            *out += "<details><summary>to take it back</summary>\n";
            steps(out, &merged(std::iter::once(&plan.undo)));
            *out += "</details>\n";
        }
        *out += "</section>\n";
    }
}

fn steps(out: &mut String, steps: &[Step]) {
    *out += "<ol>\n";
    for step in steps {
        let _ = write!(out, "<li>{}", escape(&step.place));
        if !step.lines.is_empty() {
            let _ = write!(out, "<pre>{}</pre>", escape(&step.lines.join("\n")));
        }
        if step.save {
            *out += " <span class=\"save\">Save</span>";
        }
        *out += "</li>\n";
    }
    *out += "</ol>\n";
}
