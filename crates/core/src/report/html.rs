//! The report as one page that needs nothing else: the answer first, then causes and changes, then a picture of each way.
//!
//! Made from the report alone, like the text for a terminal, and with the same sentences.

mod arrow;
mod canvas;
mod causes;
mod lanes;
mod pictures;
mod tables;
mod way;

use super::text::finding::count;
use super::text::story::{Notes, reason};
use super::text::{closing, depends, perhaps_nobody, word};
use super::{Reach, Report, Verdict};
use crate::page::{escape, list, page, prose};
use crate::visible::named;
use std::fmt::Write;

const STYLE: &str = include_str!("html/style.css");

/// The report as a page.
pub fn html(report: &Report) -> String {
    let report = &super::merged(report);
    let notes = Notes::collect(report);
    let word = word(report.verdict);
    let mut out = format!(
        "<h1><span class=\"word {}\">{} {word}</span> {}</h1>\n",
        report.verdict.word(),
        sign(report.verdict),
        prose(&report.headline)
    );
    if let Some(line) = count(report) {
        let _ = writeln!(out, "<p>{}</p>", prose(&line));
    }
    for instance in &report.instances {
        let told = instance.told.join(", ");
        let by = match &instance.name {
            Some(name) => format!("{name} ({told})"),
            None => told,
        };
        let title = format!("{} on {}, reached as {by}", named(&instance.label), instance.host.join(", "));
        let _ = writeln!(out, "<h2>{}</h2>", prose(&title));
        tables::tables(&mut out, report, &instance.label, &notes);
    }
    for line in depends(report) {
        let _ = writeln!(out, "<p>{}</p>", prose(&line));
    }
    if let Some((text, line)) = perhaps_nobody(report) {
        let _ = writeln!(out, "<p>{}</p>\n<pre>{}</pre>", escape(&text), prose(&line));
    }
    causes::causes(&mut out, report, &notes);
    pictures::pictures(&mut out, report, &notes);
    for (title, lines) in closing(report) {
        section(&mut out, &title, &lines);
    }
    let made = format!("{} {}", report.tool.name, report.tool.version);
    let _ = writeln!(out, "<footer>{}</footer>", escape(&made));
    page(&format!("{word}: {}", report.headline), STYLE, &out)
}

/// A list of texts under a heading.
fn section(out: &mut String, title: &str, lines: &[String]) {
    list(out, &escape(title), &lines.iter().map(|l| prose(l)).collect::<Vec<_>>());
}

/// What the fate of ports means for whoever calls by them.
fn meaning(reach: Reach) -> Verdict {
    match reach {
        Reach::Open => Verdict::Works,
        Reach::Partly | Reach::Punched | Reach::Chance => Verdict::Degraded,
        Reach::Unknown => Verdict::Unknown,
        Reach::Closed => Verdict::Fails,
    }
}

/// A sign beside every coloured word: colours alone say nothing to some readers.
fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Works => "✓",
        Verdict::Degraded => "~",
        Verdict::Unknown => "?",
        Verdict::Fails => "✕",
    }
}
