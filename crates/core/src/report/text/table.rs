//! The table of call paths.

use super::story::{Notes, show_runs};
use super::{Style, WIDTH, columns, fate, wrap};
use crate::manifest::Place;
use crate::report::callers::in_a_row;
use crate::report::{Alternative, Path, Reach, Report, Share, Verdict};
use crate::visible::item;
use crate::vocabulary::{Opener, Where};

/// One line for each path, one column for each way to reach the server.
pub(super) fn table(report: &Report, instance: &str, notes: &Notes<'_>, style: Style) -> String {
    let paths: Vec<&Path> = report.paths.iter().filter(|p| p.instance == instance).collect();
    let mut out = String::new();
    let (calls, others): (Vec<&Path>, Vec<&Path>) = paths.into_iter().partition(|p| p.is_call());
    let mut ways: Vec<&str> = Vec::new();
    for a in calls.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of) {
        if !ways.contains(&&*a.what) {
            ways.push(&a.what);
        }
    }
    let lasts: &[usize] = if calls.iter().all(|p| p.note.is_empty()) { &[9] } else { &[14, 10] };
    // No word of the first column runs into the second.
    let people = calls.iter().map(|p| longest_word(&p.people()) + 3).max().unwrap_or(0);
    let least = people.clamp(12, 40);
    // At most four ways side by side, fewer when they are wide; further ones follow in lines of their own.
    let widths = |shown: &[&str]| -> Vec<usize> {
        let width = |what: &&str| {
            let all = calls.iter().flat_map(|p| p.legs.iter().flat_map(|l| &l.any_of).map(move |a| (p, a)));
            let cells = all.filter(|(_, a)| a.what == **what);
            let widest = cells.map(|(p, a)| columns(&words(p, a, notes))).max().unwrap_or(0);
            (widest.max(columns(what)) + 1).clamp(9, if shown.len() > 2 { 16 } else { 19 })
        };
        shown.iter().map(width).collect()
    };
    let fits = |(n, last): &(usize, usize)| widths(&ways[..*n]).iter().sum::<usize>() + last + least <= WIDTH - 2;
    let layouts = (1..=ways.len().min(4)).rev().flat_map(|n| lasts.iter().map(move |last| (n, *last)));
    let (count, last) = layouts.into_iter().find(fits).unwrap_or((ways.len().min(1), lasts[0]));
    let shown = &ways[..count];
    let widths = widths(shown);
    let first = (WIDTH - 2).saturating_sub(widths.iter().sum::<usize>() + last).clamp(least, 40);
    let head: String = shown.iter().zip(&widths).map(|(c, w)| pad(&super::shortened(c, w - 1), *w)).collect();
    out += &line(&format!("  {}{head}{}", pad("who calls", first), "the call"));
    out += &line(&format!("  {}", "-".repeat(WIDTH - 2)));
    let mut before: Option<&Path> = None;
    for path in calls {
        // Another kind of callers at the same place.
        let again = before.is_some_and(|b| (&b.vantage, b.family) == (&path.vantage, path.family));
        let who = if again && !path.kinds.is_empty() {
            format!("... {}", in_a_row(&path.kinds))
        } else {
            path.people_by_family()
        };
        before = Some(path);
        let mut cells: Vec<Vec<String>> = vec![hanging(&who, first - 1)];
        for (what, width) in shown.iter().zip(&widths) {
            let found = path.legs.iter().flat_map(|l| &l.any_of).find(|a| a.what == *what);
            cells.push(wrap(&found.map_or("-".into(), |a| words(path, a, notes)), width - 1));
        }
        let verdict = verdict(path);
        cells.push(wrap(&verdict, last));
        let height = cells.iter().map(Vec::len).max().unwrap_or(1);
        for row in 0..height {
            let mut text = String::from("  ");
            for (i, lines) in cells.iter().enumerate() {
                let content = lines.get(row).map_or("", |s| s);
                let width = if i == 0 { first } else { widths.get(i - 1).copied().unwrap_or(last) };
                let padded = if i + 1 == cells.len() { content.to_owned() } else { pad(content, width) };
                let colour = i > 0 && !content.is_empty();
                text += &if colour && i + 1 == cells.len() { style.verdict(path.verdict, &padded) } else { padded };
            }
            out += &line(&text);
        }
        for a in path.legs.iter().flat_map(|l| &l.any_of).filter(|a| !shown.contains(&&*a.what)) {
            out += &line(&format!("    {}: {}", a.what, words(path, a, notes)));
        }
    }
    for path in others {
        for (leg, a) in path.legs.iter().flat_map(|l| l.any_of.iter().map(move |a| (l, a))) {
            // What is closed and costs nothing was optional.
            let optional = leg.verdict == Verdict::Works && a.reach != Reach::Open;
            let fate = if optional { "optional".to_owned() } else { verdict(path) };
            let text = format!("{}: {}, {}", path.people(), a.what, a.purpose);
            let mut found = words(path, a, notes);
            let mut below = Vec::new();
            if columns(&found) + 3 > WIDTH - 2 - last - least {
                // So many notes leave no room for what they are about: they stand below it.
                let all = found.clone();
                found = state(path, a);
                below = wrap(all.get(found.len()..).unwrap_or_default(), WIDTH - 6);
            }
            let cell = columns(&found) + 3;
            let width = (WIDTH - 2).saturating_sub(last + cell).max(least);
            for (i, l) in hanging(&text, width - 1).iter().enumerate() {
                let rest = if i == 0 {
                    format!("{}{}", pad(&found, cell), style.verdict(path.verdict, &fate))
                } else {
                    String::new()
                };
                out += &line(&format!("  {}{rest}", pad(l, width)));
            }
            for l in below {
                out += &line(&format!("      {l}"));
            }
        }
    }
    out
}

/// A path's verdict, and how it works or why not quite.
pub(in crate::report) fn verdict(path: &Path) -> String {
    let word = match path.verdict {
        Verdict::Fails => "FAILS",
        other => other.word(),
    };
    if path.note.is_empty() { word.to_owned() } else { format!("{word}, {}", path.note) }
}

/// A cell: the fate, or the share, and the notes that explain it.
fn words(path: &Path, a: &Alternative, notes: &Notes<'_>) -> String {
    let numbers = show_runs(&notes.of(a), |n| format!("[{n}]"));
    if numbers.is_empty() { state(path, a) } else { format!("{} {numbers}", state(path, a)) }
}

/// The fate, or the share.
pub(in crate::report) fn state(path: &Path, a: &Alternative) -> String {
    let bad = a.pieces.iter().find(|p| p.reach != Reach::Open);
    match (a.reach, a.share) {
        (Reach::Open, _) if a.opener == Opener::Server && path.vantage == Where::At(Place::Internet) => {
            "server opens".to_owned()
        }
        (Reach::Open, _) if a.opener == Opener::Server && path.vantage != Where::Outwards => "direct".to_owned(),
        (Reach::Open, _) => "open".to_owned(),
        (Reach::Punched, None) => "hole punching".to_owned(),
        (Reach::Punched, Some(share)) => format!("hole punching for {share}"),
        (Reach::Chance, None) => "by chance".to_owned(),
        (Reach::Chance, Some(share)) => format!("by chance for {share}"),
        (Reach::Partly, Some(share @ Share::SourcePorts { .. })) => format!("not for {share}"),
        (Reach::Partly, Some(Share::Ports { open, of })) => format!("{open} of {of}"),
        (Reach::Partly, None) => "not for all".to_owned(),
        (Reach::Unknown, _) => "unknown".to_owned(),
        (Reach::Closed, _) => fate(a.reach, bad.and_then(|p| p.stop.as_ref())).to_owned(),
    }
}

fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(columns).max().unwrap_or(0)
}

fn hanging(text: &str, width: usize) -> Vec<String> {
    let lines = wrap(&item(text), width - 2);
    lines.into_iter().enumerate().map(|(i, l)| if i == 0 { l } else { format!("  {l}") }).collect()
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

fn line(text: &str) -> String {
    format!("{}\n", text.trim_end())
}
