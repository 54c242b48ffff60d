//! The formats of a report, by name: what `callpath check --format` offers.

use super::text::finding::what_to_do;
use super::{Finding, Report, Style, github, html, markdown, sarif, text};
use crate::change::Step;

/// A way to print a report.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// What people type.
    pub name: &'static str,
    /// For whom it is.
    pub about: &'static str,
    /// Prints; only the text has a style.
    pub print: fn(&Report, Style) -> String,
}

/// Every format, the usual one first.
pub const FORMATS: &[Format] = &[
    Format { name: "text", about: "For people", print: text },
    Format { name: "json", about: "For programs: callpath.report/1", print: |r, _| r.json() },
    Format { name: "html", about: "One page with pictures that needs nothing else", print: |r, _| html(r) },
    Format { name: "markdown", about: "For a ticket or a wiki", print: |r, _| markdown(r) },
    Format { name: "sarif", about: "For code scanning: SARIF 2.1.0", print: |r, _| sarif(r) },
    Format { name: "github", about: "Annotations of a GitHub workflow", print: |r, _| github(r) },
];

/// A finding as plain lines, for formats that have one text for it: what is wrong, why, and what to do.
pub(super) fn told(f: &Finding) -> String {
    let mut lines = vec![f.message.clone()];
    let mut say = |title: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("{title}: {text}"));
        }
    };
    say("what happens", &f.because);
    if let Some(change) = &f.change {
        say(&format!("change on {}", change.device), &steps(&change.steps));
        say("to take it back", &steps(&change.undo));
    } else {
        say("no change is printed", f.refused.as_deref().unwrap_or_default());
        say("what to do", &what_to_do(f.code));
    }
    lines.join("\n")
}

fn steps(steps: &[Step]) -> String {
    let step = |s: &Step| match (s.lines.is_empty(), s.save) {
        (true, _) => s.place.clone(),
        (false, true) => format!("{}: {}, Save", s.place, s.lines.join(", ")),
        // Commands: each on a line of its own, fit to paste.
        (false, false) => format!("{}:\n{}", s.place, s.lines.join("\n")),
    };
    steps.iter().map(step).collect::<Vec<_>>().join("; ")
}
