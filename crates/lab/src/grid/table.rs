//! Results for people.

use crate::grid::call::Program;
use crate::grid::cell::{Caller, Cell, Media};
use crate::grid::run::Outcome;
use std::fmt::Write;

const COLUMN: usize = 14;

/// A line for each server, a column for each caller, a part for each program. `UDP` is what happened; `UDP (none)`:
/// callpath said none.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for (program, title) in [(Program::App, "apps"), (Program::Chromium, "\nChromium")] {
        let of = outcomes.iter().filter(|o| o.call.program == program).collect::<Vec<_>>();
        if !of.is_empty() {
            let _ = writeln!(out, "{title}\n{}", part(&of));
        }
    }
    out.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn part(outcomes: &[&Outcome]) -> String {
    let callers = Caller::ALL.iter().filter(|&&caller| outcomes.iter().any(|o| o.call.cell.caller == caller));
    let mut out = format!("{:<26}{:<9}{:<6}{:<9}", "gateway", "server", "ICE", "STUN");
    for caller in callers.clone() {
        let _ = write!(out, "{caller:<COLUMN$}");
    }
    let mut rows: Vec<Cell> = Vec::new();
    for outcome in outcomes {
        // One caller stands for the row.
        let row = Cell { caller: Caller::Public, ..outcome.call.cell };
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| row.place());
    let mut last = None;
    for row in rows {
        let Cell { gateway, firewall, ice, stun, .. } = row;
        if last.replace(gateway).is_some_and(|last| last != gateway) {
            out.push('\n');
        }
        let _ = write!(out, "\n{gateway:<26}{firewall:<9}{ice:<6}{stun:<9}");
        for &caller in callers.clone() {
            let found = outcomes.iter().find(|o| o.call.cell == Cell { caller, ..row });
            let _ = write!(out, "{:<COLUMN$}", found.map_or_else(|| "-".into(), |o| entry(**o)));
        }
    }
    out
}

fn entry(outcome: Outcome) -> String {
    if outcome.differs() { format!("{} ({})", outcome.real, outcome.expected) } else { outcome.real.to_string() }
}

/// Calls that went one way with one program and another way with the other, and calls that went otherwise than
/// predicted: a line for each.
pub fn disagreements(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for one in outcomes {
        if one.differs() {
            let _ = writeln!(out, "{}: {}, callpath says {}", one.call, one.real, one.expected);
        }
        let same = |o: &&Outcome| o.call.cell == one.call.cell && o.call.program == Program::App;
        if let Some(other) = outcomes.iter().find(same).filter(|o| o.real != one.real) {
            let _ = writeln!(out, "{}: {}, but an app has {}", one.call, one.real, other.real);
        }
    }
    out
}

/// How many calls went how, and how many of them otherwise than predicted.
pub fn figures(outcomes: &[Outcome]) -> String {
    let count = |media| outcomes.iter().filter(|o| o.real == media).count();
    let differ = outcomes.iter().filter(|o| o.differs()).count();
    format!(
        "{} calls: {} over UDP, {} over TCP, {} without media; {differ} of them otherwise than predicted",
        outcomes.len(),
        count(Media::Udp),
        count(Media::Tcp),
        count(Media::None),
    )
}
