//! Who calls, and whether the call gets through.

use super::{Notes, meaning, sign};
use crate::page::{self, escape, prose};
use crate::report::text::story::show_runs;
use crate::report::text::table::{state, verdict};
use crate::report::{Alternative, Path, Report};
use std::fmt::Write;

/// One row for each path of an instance; what is no call follows in a table of its own.
pub(super) fn tables(out: &mut String, report: &Report, instance: &str, notes: &Notes<'_>) {
    let paths = report.paths.iter().filter(|p| p.instance == instance);
    let (calls, others): (Vec<&Path>, Vec<&Path>) = paths.partition(|p| p.is_call());
    let mut columns: Vec<&str> = Vec::new();
    for a in alternatives(&calls) {
        if !columns.contains(&&*a.what) {
            columns.push(&a.what);
        }
    }
    let names: Vec<String> = columns.iter().map(|c| escape(c)).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.insert(0, "who calls");
    names.push("the call");
    let row = |path: &&Path| {
        let mut cells = vec![who(path)];
        for what in &columns {
            let found = path.legs.iter().flat_map(|l| &l.any_of).find(|a| a.what == **what);
            cells.push(found.map_or_else(|| "-".into(), |a| cell(path, a, notes)));
        }
        cells.push(fate(path));
        cells
    };
    if !calls.is_empty() {
        page::table(out, &names, calls.iter().map(row));
    }
    if !others.is_empty() {
        let row = |(path, a): (&&Path, &Alternative)| {
            vec![who(path), escape(&a.what), prose(&a.purpose), cell(path, a, notes), fate(path)]
        };
        let rows = others.iter().flat_map(|p| p.legs.iter().flat_map(|l| &l.any_of).map(move |a| (p, a)));
        let _ = writeln!(out, "<h3>besides calls</h3>");
        page::table(out, &["who", "by", "for", "that is", "in all"], rows.map(row));
    }
}

fn alternatives<'r>(paths: &[&'r Path]) -> impl Iterator<Item = &'r Alternative> {
    paths.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of)
}

fn who(path: &Path) -> String {
    prose(&path.people_by_family())
}

fn fate(path: &Path) -> String {
    format!("<span class=\"{}\">{} {}</span>", path.verdict.word(), sign(path.verdict), escape(&verdict(path)))
}

/// The fate with links to the pictures that show it.
fn cell(path: &Path, a: &Alternative, notes: &Notes<'_>) -> String {
    let verdict = meaning(a.reach);
    let links = show_runs(&notes.of(a), |n| format!("<a href=\"#picture{n}\">[{n}]</a>"));
    let gap = if links.is_empty() { "" } else { " " };
    format!("<span class=\"{}\">{} {}</span>{gap}{links}", verdict.word(), sign(verdict), escape(&state(path, a)))
}
