//! Causes with their places, and what to change.

use super::story::{Notes, Run, show_runs};
use super::{Writer, columns, wrap};
use crate::change::{Step, StepKind};
use crate::report::plans::{merged, page, plans};
use crate::report::{Finding, Mark, Reach, Report, Severity};
use crate::visible::{item, named};

/// Lines wider than this are shown around the words that matter.
const LINE: usize = 70;

/// All findings, then what to change.
pub(super) fn findings(out: &mut Writer, report: &Report, notes: &Notes<'_>) {
    for (n, finding) in report.findings.iter().enumerate() {
        out.blank();
        one(out, finding, notes.told_by(n).as_ref());
    }
    changes(out, report);
}

/// How many causes there are, where, and whether something repairs them: the second line of a report.
pub(in crate::report) fn count(report: &Report) -> Option<String> {
    let errors: Vec<&Finding> = report.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    let causes = if errors.len() == 1 { "1 cause".to_owned() } else { format!("{} causes", errors.len()) };
    let mut devices: Vec<&str> = Vec::new();
    let changes = || errors.iter().filter_map(|f| f.change.as_ref());
    for change in changes() {
        if !devices.contains(&change.device.as_str()) {
            devices.push(&change.device);
        }
    }
    let steps: usize =
        devices.iter().map(|d| merged(changes().filter(|c| c.device == *d).map(|c| &c.steps)).len()).sum();
    let steps_word = if steps == 1 { "step" } else { "steps" };
    let (it, verb) = if errors.len() == 1 { ("it", "repair") } else { ("them", "repair") };
    let s = if steps == 1 { "s" } else { "" };
    Some(match (errors.len(), steps) {
        (0, _) => return missing(report),
        (_, 0) => format!("{causes}; what to do stands below"),
        _ if errors.iter().all(|f| f.verified) => {
            format!("{causes}, on {}; {steps} {steps_word} {verb}{s} {it} (below)", devices.join(" and "))
        }
        _ => format!("{causes}; {steps} {steps_word} on {} (below), but more is needed", devices.join(" and ")),
    })
}

/// What would settle what is unknown, where nothing is known to be wrong.
fn missing(report: &Report) -> Option<String> {
    let pieces = report.paths.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of).flat_map(|a| &a.pieces);
    let doubts = pieces.filter(|p| p.reach == Reach::Unknown).flat_map(|p| &p.doubts);
    let mut facts: Vec<&str> = doubts.filter(|d| !d.supply.is_empty()).map(|d| d.what.as_str()).collect();
    facts.sort_unstable();
    facts.dedup();
    let count = |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
    let unread =
        report.findings.iter().filter(|f| f.code == crate::finding::NOT_UNDERSTOOD).flat_map(|f| &f.at).count();
    let parts = [
        count(unread, "statement was not understood", "statements were not understood"),
        count(facts.len(), "fact is missing", "facts are missing"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{}; what to do stands below", parts.join(" and ")))
}

/// Where to read on.
pub(super) fn explain(out: &mut Writer, report: &Report) {
    for (n, code) in codes(report).iter().enumerate() {
        if n == 0 {
            out.blank();
        }
        out.line(&format!("why this breaks calls: callpath explain {code}"));
    }
}

/// Codes of the errors.
pub(in crate::report) fn codes(report: &Report) -> Vec<&'static str> {
    let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
    let mut codes: Vec<&str> = errors.map(|f| f.code).collect();
    codes.dedup();
    codes
}

fn one(out: &mut Writer, f: &Finding, told: Option<&(Vec<Run>, String)>) {
    let head = format!("{}[{}]", f.severity.word(), f.code);
    let painted = match f.severity {
        Severity::Error => out.style.paint("1;31", &head),
        Severity::Warning => out.style.paint("33", &head),
        Severity::Note => out.style.paint("36", &head),
    };
    let width = columns(&head) + 2;
    let lines = wrap(&item(&f.message), super::WIDTH - width.min(30));
    for (n, line) in lines.iter().enumerate() {
        if n == 0 && width + columns(line) <= super::WIDTH {
            out.line(&format!("{painted}: {}", out.style.bold(line)));
        } else if n == 0 {
            out.line(&format!("{painted}:"));
            out.line(&format!("  {line}"));
        } else {
            out.line(&format!("{}{line}", " ".repeat(2)));
        }
    }
    let number = f.at.iter().filter_map(|m| m.line).max().unwrap_or(1).to_string().len();
    let gutter = " ".repeat(number.max(2) + 1);
    for (n, mark) in f.at.iter().enumerate() {
        place(out, mark, &gutter, n == 0);
    }
    if !f.at.is_empty() {
        out.line(&format!("{gutter}|"));
    }
    match told {
        Some((numbers, concerned)) => {
            let numbers = show_runs(numbers, |n| format!("[{n}]"));
            note(out, &gutter, &format!("what happens {numbers}"), &f.because);
            note(out, &gutter, "who notices", concerned);
        }
        None => note(out, &gutter, "what happens", &f.because),
    }
    if let Some(refused) = &f.refused {
        note(out, &gutter, "no change is printed", refused);
    }
    if f.change.is_none() && f.apart.is_none() {
        note(out, &gutter, "what to do", &what_to_do(f.code));
    }
}

/// The advice of `callpath explain`, for causes that no change of a file cures.
pub(in crate::report) fn what_to_do(code: &str) -> String {
    crate::finding::find(code).map_or("", |c| c.explain.todo).trim_end_matches('.').to_owned()
}

fn note(out: &mut Writer, gutter: &str, title: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let indent = gutter.len() + 2;
    for (n, line) in wrap(&format!("{title}: {text}"), super::WIDTH - indent).iter().enumerate() {
        let lead = if n == 0 { format!("{gutter}= ") } else { " ".repeat(indent) };
        out.line(&format!("{lead}{line}"));
    }
}

fn place(out: &mut Writer, mark: &Mark, gutter: &str, first: bool) {
    let arrow = if first { "-->" } else { ":::" };
    let Some(line) = mark.line else {
        out.line(&format!("{gutter}{arrow} {}", mark.source));
        out.line(&format!("{gutter}|  {}", mark.text));
        return;
    };
    if !first {
        out.line(&format!("{gutter}|"));
    }
    out.line(&format!("{}{arrow} {}:{line}:{}", &gutter[..gutter.len() - 1], mark.source, mark.column));
    let (text, column) = shown(mark);
    let number = line.to_string();
    out.line(&format!("{gutter}|"));
    out.line(&format!("{number:>width$} | {text}", width = gutter.len() - 1));
    let part = |from, length| columns(&text.chars().skip(from).take(length).collect::<String>());
    let carets = "^".repeat(part(column, mark.length).max(1));
    let pad = " ".repeat(part(0, column));
    let head = format!("{gutter}| {pad}{carets} ");
    let room = super::WIDTH.saturating_sub(columns(&head));
    let under = out.style.paint("1;31", &carets);
    if columns(&mark.label) <= room {
        out.line(&format!("{gutter}| {pad}{under} {}", mark.label));
    } else {
        out.line(&format!("{gutter}| {pad}{under}"));
        for line in wrap(&mark.label, super::WIDTH - gutter.len() - 6) {
            out.line(&format!("{gutter}|   {line}"));
        }
    }
}

/// The line, tabs as four columns, its margin cut, and the column of the words in it.
fn shown(mark: &Mark) -> (String, usize) {
    let expand = |t: &str| t.replace('\t', "    ");
    let before: String = mark.text.chars().take(mark.column.saturating_sub(1)).collect();
    let column = expand(&before).chars().count();
    let text = expand(&mark.text);
    let margin = text.chars().take_while(|c| *c == ' ').count();
    let cut = margin.saturating_sub(4).min(column);
    let mut text: String = text.chars().skip(cut).collect();
    let mut column = column - cut;
    if text.chars().count() > LINE {
        let from = (column + mark.length).saturating_sub(LINE).min(column);
        let mut piece: String = text.chars().skip(from).take(LINE).collect();
        if text.chars().count() > from + LINE {
            piece.push('…');
        }
        column -= from;
        text = piece;
    }
    (text.trim_end().to_owned(), column)
}

/// The changes numbered through, with the way back.
fn changes(out: &mut Writer, report: &Report) {
    for plan in plans(report) {
        out.blank();
        out.line(&format!(
            "  {}{}",
            out.style.bold(&format!("change on {}", named(plan.device))),
            plan.effect.remark()
        ));
        out.blank();
        for line in &plan.takes {
            out.wrapped(4, line);
        }
        if !plan.takes.is_empty() {
            out.blank();
        }
        numbered(out, &plan.steps);
        if plan.takes.is_empty() || plan.undo.iter().all(|s| s.shell().is_none()) {
            back(out, &plan.undo);
            continue;
        }
        // `render` prints only what is proposed.
        out.blank();
        out.line("    to take it back:");
        plan.undo.iter().flat_map(|s| &s.lines).for_each(|line| out.line(&format!("      {line}")));
    }
}

pub(super) fn numbered(out: &mut Writer, steps: &[Step]) {
    for (n, step) in steps.iter().enumerate() {
        let mut lines: Vec<String> = wrap(&step.place, super::WIDTH - 8)
            .into_iter()
            .enumerate()
            .map(|(i, l)| if i == 0 { format!("    {}. {l}", n + 1) } else { format!("       {l}") })
            .collect();
        lines.extend(step.lines.iter().map(|l| format!("         {l}")));
        if let (true, Some(last)) = (step.save, lines.last_mut()) {
            let gap = 71usize.saturating_sub(columns(last)).max(2);
            last.push_str(&" ".repeat(gap));
            last.push_str("Save");
        }
        for line in lines {
            out.line(&line);
        }
    }
}

fn back(out: &mut Writer, undo: &[Step]) {
    let words: Vec<String> = undo
        .iter()
        .filter(|s| s.kind != StepKind::Apply)
        .map(|s| if s.lines.is_empty() { s.place.clone() } else { format!("{}: {}", s.place, s.lines.join(", ")) })
        .collect();
    if words.is_empty() {
        return;
    }
    out.blank();
    if let Some(command) = undo.iter().find_map(Step::shell) {
        // Lines that look handles up are long: they are printed on demand.
        let hint = format!("to take it back: {command} prints the lines; paste them before anything else is changed");
        out.wrapped(4, &hint);
        return;
    }
    if words.len() > 1 {
        out.line("    to take it back:");
        // The page is said once.
        let mut before = None;
        for (word, step) in words.iter().zip(undo.iter().filter(|s| s.kind != StepKind::Apply)) {
            let here = page(step);
            let shown = match here {
                Some(menus) if here == before => word[menus.len()..].trim_start_matches([',', ' ', ':']),
                _ => word,
            };
            before = here;
            out.wrapped(6, shown);
        }
        return;
    }
    out.wrapped(4, &format!("to take it back: {}", words.join("; ")));
}
