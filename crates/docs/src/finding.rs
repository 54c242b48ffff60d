//! A page for each cause that reports name.

use crate::scenario::Scenario;
use crate::{Page, head, list, page, plain, sentence};
use callpath_core::finding::{CAUSES, Cause, Severity};
use std::fmt::Write;

/// Headings of the parts of an explanation, in their order.
const HEADINGS: [&str; 4] = ["What happens", "Who notices", "How callpath recognises it", "What to do"];

/// The index and a page for each cause.
pub fn pages(scenarios: &[Scenario]) -> Vec<Page> {
    let mut pages = vec![page("docs/findings/README.md", index())];
    let one = |c: &&Cause| page(format!("docs/findings/{}.md", c.code), finding(c, scenarios));
    pages.extend(CAUSES.iter().map(one));
    pages
}

fn index() -> String {
    let mut out = head("`CAUSES` in `crates/core/src/finding/`", "Findings");
    out += "A report names what is wrong by one of these codes: `error[hairpin-missing]`. Each page says what happens, \
            who notices, and what to do; `callpath explain <code>` says the same in a terminal.\n";
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let causes: Vec<_> = CAUSES.iter().filter(|c| c.severity == severity).collect();
        if causes.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {}\n\n{}\n\n", plural(severity), means(severity));
        for c in causes {
            let _ = writeln!(out, "- [{}]({}.md): {}", c.code, c.code, plain(c.title));
        }
    }
    out
}

fn plural(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Errors",
        Severity::Warning => "Warnings",
        Severity::Note => "Notes",
    }
}

fn means(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Calls fail, or something is open that must not be.",
        Severity::Warning => "Something is worse than it could be, or is not known.",
        Severity::Note => "Good to know; calls do not depend on it.",
    }
}

fn finding(cause: &Cause, scenarios: &[Scenario]) -> String {
    let code = cause.code;
    let mut out = head(&format!("`crates/core/src/finding/{}.rs`", code.replace('-', "_")), code);
    let _ = writeln!(out, "**{}**", sentence(&plain(cause.title)));
    let _ = writeln!(out, "\nSeverity: {}. {}", cause.severity.word(), means(cause.severity));
    for (heading, (_, text)) in HEADINGS.iter().zip(cause.explain.parts()) {
        let _ = writeln!(out, "\n## {heading}\n\n{}", linked(&sentence(&plain(text)), code));
    }
    let shown: Vec<&Scenario> = scenarios.iter().filter(|s| s.shows(code)).collect();
    // A test sees to it that each cause has a scenario of its name.
    if let Some(scenario) = shown.iter().find(|s| s.name == code) {
        let link = format!("[{}](../../scenarios/{}.md)", scenario.title, scenario.name);
        let (finding, change) = scenario.excerpt(code);
        let _ = write!(
            out,
            "\n## In a report\n\nFrom {link}, where the whole report stands. {}\n\n```text\n{finding}```\n",
            scenario.story
        );
        if !change.trim().is_empty() {
            out += "\nAnd what it says to change; *checked* means that callpath made the change in the files and judged \
                    every call path again:\n\n";
            let _ = write!(out, "```text\n{change}```\n");
        }
    }
    let _ = writeln!(out, "\n## Stories that show it\n\n{}", list(shown.into_iter(), "../../", code));
    let _ = writeln!(out, "In a terminal: `callpath explain {code}`. [All findings](README.md)");
    out
}

/// Names of other findings as links.
fn linked(text: &str, own: &str) -> String {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(part_of_name) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !part_of_name(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        out += before;
        if word != own && CAUSES.iter().any(|c| c.code == word) {
            let _ = write!(out, "[{word}]({word}.md)");
        } else {
            out += word;
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_others_are_links() {
        let text = linked("see cgnat (hairpin-missing), not my-cgnat.", "hairpin-missing");
        assert_eq!(text, "see [cgnat](cgnat.md) (hairpin-missing), not my-cgnat.");
    }
}
