//! Results for people.

use crate::grid::cell::{Caller, Cell, Media};
use crate::grid::run::Outcome;
use std::fmt::Write;

const COLUMN: usize = 14;

/// A line for each server, a column for each caller. `UDP` is what happened; `UDP (none)`: callpath said none.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut out = format!("{:<26}{:<9}{:<6}{:<9}", "gateway", "server", "ICE", "STUN");
    let mut last: Option<Cell> = None;
    for caller in Caller::ALL {
        let _ = write!(out, "{caller:<COLUMN$}");
    }
    let mut rows: Vec<Cell> = Vec::new();
    for outcome in outcomes {
        let row = row(&outcome.cell);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    for row_cell in rows {
        let Cell { gateway, firewall, ice, stun, .. } = row_cell;
        if last.is_none_or(|last| last.gateway != gateway) {
            out.push('\n');
        }
        last = Some(row_cell);
        let _ = write!(out, "\n{gateway:<26}{firewall:<9}{ice:<6}{stun:<9}");
        for &caller in Caller::ALL {
            let cell = Cell { caller, ..row_cell };
            let found = outcomes.iter().find(|o| o.cell == cell);
            let _ = write!(out, "{:<COLUMN$}", found.map_or_else(|| "-".into(), entry));
        }
    }
    out.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn row(cell: &Cell) -> Cell {
    Cell { caller: Caller::Public, ..*cell }
}

fn entry(outcome: &Outcome) -> String {
    match outcome.expected {
        Some(expected) if outcome.differs() => format!("{} ({expected})", outcome.real),
        _ => outcome.real.to_string(),
    }
}

/// How many calls went how, and how many of them as predicted.
pub fn figures(outcomes: &[Outcome]) -> String {
    let count = |media| outcomes.iter().filter(|o| o.real == media).count();
    let told = outcomes.iter().filter(|o| o.expected.is_some()).count();
    let differ = outcomes.iter().filter(|o| o.differs()).count();
    format!(
        "{} calls: {} over UDP, {} over TCP, {} without media; {told} predicted, {differ} of them otherwise",
        outcomes.len(),
        count(Media::Udp),
        count(Media::Tcp),
        count(Media::None),
    )
}
