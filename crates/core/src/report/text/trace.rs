//! One flow for a terminal: whether it is open, and the way of one packet of each fate.

use super::{Style, Writer, columns, story};
use crate::report::{Reach, Trace, TracedPiece};
use crate::visible::{named, terminal};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;

/// The flow as text. What could not be seen in a comment or description is shown as replaced.
pub fn trace(trace: &Trace, style: Style) -> String {
    // No text of a trace holds a sign that cannot be seen: every escape is ours.
    terminal(&written(trace, style), style.colour).into_owned()
}

/// Whether a flow is as it was expected, as the last lines of it. `why`: what it is instead.
#[must_use]
pub fn expected(expected: &str, why: Option<&str>) -> String {
    let text = match why {
        None => format!("as expected: {expected}"),
        Some(why) => format!("not as expected ({expected}): {why}"),
    };
    let mut out = Writer { text: "\n".into(), style: Style { colour: false } };
    out.wrapped(0, &text);
    out.text
}

fn written(trace: &Trace, style: Style) -> String {
    let mut out = Writer { text: String::new(), style };
    let word = word(trace.reach);
    out.wrapped_after(&style.reach(trace.reach, word), columns(word) + 2, &headline(trace));
    for flow in &trace.flows {
        out.blank();
        let by = if flow.who == trace.from { String::new() } else { format!(" ({})", typed(&trace.from)) };
        let asked = if flow.asked == trace.to { String::new() } else { format!(" ({})", typed(&trace.to)) };
        out.wrapped(2, &format!("{}{by} -> {}{asked}", named(&flow.who), flow.asked));
        for piece in &flow.pieces {
            one(&mut out, trace, piece);
        }
    }
    out.section("not traced", &trace.not_traced);
    let given = trace.assumptions.len();
    if given > 0 {
        let many = if given == 1 { "1 fact is".to_owned() } else { format!("{given} facts are") };
        out.paragraph(&[format!("{many} taken as given; `callpath check` and `--format json` list them")]);
    }
    out.text
}

/// It in a word.
fn word(reach: Reach) -> &'static str {
    match reach {
        Reach::Open | Reach::Punched | Reach::Chance => "OPEN",
        Reach::Closed => "CLOSED",
        Reach::Partly => "PARTLY",
        Reach::Unknown => "UNKNOWN",
    }
}

/// It in a sentence.
fn headline(trace: &Trace) -> String {
    let fate = match trace.reach {
        Reach::Open | Reach::Punched | Reach::Chance => "gets there, and its answers get back",
        Reach::Closed => "does not get through",
        Reach::Partly => "gets through in part",
        Reach::Unknown => "may get through or not: something is not known",
    };
    format!("{} from {} to {} {fate}", trace.ports, typed(&trace.from), typed(&trace.to))
}

fn one(out: &mut Writer, trace: &Trace, traced: &TracedPiece) {
    let piece = &traced.piece;
    let told = piece.told().into_iter().map(|(ports, from)| {
        let from = if from.is_empty() { String::new() } else { format!(" from {from}") };
        format!("{} {ports}{from}", trace.ports.proto.name())
    });
    let told: Vec<String> = told.collect();
    out.blank();
    let sources = piece.packets.iter().find(|p| !p.source_ports.is_empty());
    let sources = sources
        .map_or_else(String::new, |p| format!(", sent from port {}", crate::manifest::show_ranges(&p.source_ports)));
    let mark = word(piece.reach);
    let text = format!("{}{sources}: {}", told.join("; "), traced.ends());
    out.wrapped_after(&format!("  {}", out.style.reach(piece.reach, mark)), columns(mark) + 4, &text);
    if let Some(stop) = piece.stop.as_ref().filter(|_| piece.reach != Reach::Unknown) {
        out.wrapped(5, &stop.what);
        if let Some(o) = &stop.origin {
            story::rule(out, o);
        }
    }
    for doubt in &piece.doubts {
        out.wrapped(5, &format!("it depends on what is not known: {}", doubt.what));
        if let Some(o) = &doubt.origin {
            story::rule(out, o);
        }
        if !doubt.supply.is_empty() {
            out.wrapped(5, &format!("to know it: {}", doubt.supply));
        }
    }
    for list in &piece.except {
        out.wrapped(5, &format!("this holds for addresses that are not on the list {}", named(list)));
    }
    if let Some(device) = &traced.taken_by {
        out.wrapped(5, &format!("{} takes the first packet nevertheless", named(device)));
    }
    story::way(out, &piece.steps, true);
}

/// A word as it was typed: an address, or a name.
fn typed(word: &str) -> Cow<'_, str> {
    if word.parse::<IpNet>().is_ok() || word.parse::<IpAddr>().is_ok() { word.into() } else { named(word) }
}
