//! The sheet as Markdown.

use super::{Line, Sheet};
use std::fmt::Write;

pub(super) fn markdown(sheet: &Sheet) -> String {
    let mut out = format!("# {}: ports\n\n{}.\n\n", cell(&sheet.title), cell(&sheet.about));
    let _ = writeln!(out, "Mode `{}`: {}.", sheet.mode, cell(&sheet.mode_about));
    if let Some(why) = &sheet.plain_http {
        let _ = writeln!(out, "\n> **Without TLS:** {}.", cell(why));
    }
    out += "\n## Must be reachable\n\n";
    out += "| Port | Protocol | Who | Purpose | Required? |\n|---|---|---|---|---|\n";
    for l in &sheet.open {
        let label = l.label.as_ref().map_or_else(String::new, |n| format!(" (“{}”)", cell(n)));
        let _ = writeln!(
            out,
            "| {}{} | {} | {} | {}{label} | {} |",
            l.ports,
            if l.example { " (example, yours differs)" } else { "" },
            l.proto.to_uppercase(),
            cell(&l.who),
            cell(&l.purpose),
            cell(&l.required)
        );
    }
    if !sheet.closed.is_empty() {
        out += "\n## Must not be reached\n\n";
        for l in &sheet.closed {
            let _ = writeln!(out, "- {} {}: {}", l.ports, l.proto.to_uppercase(), cell(&l.purpose));
        }
    }
    for (title, list) in sections(sheet) {
        let _ = writeln!(out, "\n## {title}\n");
        for item in list {
            let _ = writeln!(out, "- {}", cell(&item));
        }
    }
    out += "\n## Documents\n\n";
    for (name, url) in &sheet.documents {
        let _ = writeln!(out, "- {name}: <{url}>");
    }
    out
}

/// What is said below the tables, by title; empty lists are left out.
pub(super) fn sections(sheet: &Sheet) -> Vec<(&'static str, Vec<String>)> {
    let single = |o: &Option<String>| o.iter().cloned().collect::<Vec<_>>();
    let all = vec![
        ("Capacity", sheet.capacity.clone()),
        ("Ranges", sheet.ranges.clone()),
        ("What clients are told", sheet.told.clone()),
        ("Hairpin", single(&sheet.hairpin)),
        ("Helper (ALG)", single(&sheet.helper)),
        ("Also", sheet.advice.clone()),
        ("Where the product's own texts differ", differences(sheet)),
        ("Not judged", sheet.not_judged.clone()),
    ];
    all.into_iter().filter(|(_, list)| !list.is_empty()).collect()
}

/// Notes on rows, then those that belong to none.
fn differences(sheet: &Sheet) -> Vec<String> {
    let on_row = |l: &Line| l.note.as_ref().map(|n| format!("{} {}: {n}", l.proto, l.ports));
    sheet.open.iter().chain(&sheet.closed).filter_map(on_row).chain(sheet.notes.iter().cloned()).collect()
}

/// Text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
