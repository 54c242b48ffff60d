//! The sheet for a terminal: 80 columns.

use super::markdown::sections;
use super::{Line, Sheet};
use crate::report::wrap;
use std::fmt::Write;

const WIDTH: usize = 80;
/// Columns for protocol and ports.
const PORTS: usize = 18;

pub(super) fn text(sheet: &Sheet) -> String {
    let mut out = String::new();
    paragraph(&mut out, 0, &format!("{}: {}", sheet.title, sheet.about));
    paragraph(&mut out, 0, &format!("mode {}: {}", sheet.mode, sheet.mode_about));
    if let Some(why) = &sheet.plain_http {
        paragraph(&mut out, 0, &format!("without TLS: {why}"));
    }
    out += "\nmust be reachable\n";
    sheet.open.iter().for_each(|l| row(&mut out, l, true));
    if !sheet.closed.is_empty() {
        out += "\nmust not be reached\n";
        sheet.closed.iter().for_each(|l| row(&mut out, l, false));
    }
    let documents = sheet.documents.iter().map(|(name, url)| format!("{name}: {url}")).collect::<Vec<_>>();
    let documents = Some(("Documents", documents)).filter(|(_, list)| !list.is_empty());
    for (title, list) in sections(sheet).into_iter().chain(documents) {
        let (first, rest) = title.split_at(1);
        let _ = writeln!(out, "\n{}{rest}", first.to_lowercase());
        for item in &list {
            paragraph(&mut out, 2, item);
        }
    }
    out
}

fn row(out: &mut String, l: &Line, open: bool) {
    let mut ports = format!("{} {}", l.proto, l.ports);
    let mut about = l.purpose.clone();
    if open {
        let _ = write!(about, "; {}; {}", l.who, l.required);
    }
    if l.example {
        about += "; an example, yours differs";
    }
    if let Some(label) = &l.label {
        let _ = write!(about, "; “{label}”");
    }
    if ports.chars().count() >= PORTS {
        let _ = writeln!(out, "  {ports}");
        ports = String::new();
    }
    for line in wrap(&about, WIDTH - PORTS - 2) {
        let _ = writeln!(out, "  {ports:PORTS$}{line}");
        ports = String::new();
    }
}

/// Wrapped text; further lines hang in.
fn paragraph(out: &mut String, margin: usize, text: &str) {
    for (n, line) in wrap(text, WIDTH - margin - 2).into_iter().enumerate() {
        let hang = if n == 0 { 0 } else { 2 };
        let _ = writeln!(out, "{}{line}", " ".repeat(margin + hang));
    }
}
