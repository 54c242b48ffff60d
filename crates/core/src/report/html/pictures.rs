//! The pictures: one for each fate, first what fails or is not known, then, folded, what works.

use super::lanes::{Picture, words};
use super::way::{Way, packet, ways};
use super::{Notes, meaning, sign};
use crate::model::Family;
use crate::page::prose;
use crate::report::text::fate;
use crate::report::text::story::{Whom, concerned};
use crate::report::{Piece, Reach, Report, Verdict};
use crate::vocabulary::Where;
use std::fmt::Write;
use std::net::IpAddr;

/// All pictures of a report.
pub(super) fn pictures(out: &mut String, report: &Report, notes: &Notes<'_>) {
    let works = working(report);
    if notes.list.is_empty() && works.is_empty() {
        return;
    }
    *out += "<h2>the way of the packets</h2>\n";
    if !notes.list.is_empty() {
        *out += "<div class=\"pictures\">\n";
        for (n, note) in notes.list.iter().enumerate() {
            let cause = note.finding.map(|f| (f + 1, report.findings[f].code));
            figure(out, report, n + 1, &note.whom, cause);
        }
        *out += "</div>\n";
    }
    if !works.is_empty() {
        let count = if works.len() == 1 { "1 way".to_owned() } else { format!("{} ways", works.len()) };
        let _ = writeln!(
            out,
            "<details><summary>{} what works: {count}</summary>\n<div class=\"pictures\">",
            sign(Verdict::Works)
        );
        for (n, whom) in works.iter().enumerate() {
            figure(out, report, notes.list.len() + n + 1, whom, None);
        }
        *out += "</div>\n</details>\n";
    }
}

/// What gets through, by the devices and addresses on its way; ports do not make a way of their own.
fn working(report: &Report) -> Vec<Vec<Whom<'_>>> {
    let mut out: Vec<(Vec<String>, Vec<Whom<'_>>)> = Vec::new();
    for path in &report.paths {
        for a in path.legs.iter().flat_map(|l| &l.any_of) {
            for piece in a.pieces.iter().filter(|p| p.reach == Reach::Open) {
                let key = shape(&ways(piece));
                match out.iter_mut().find(|(k, _)| *k == key) {
                    Some((_, list)) => list.push((path, a, piece)),
                    None => out.push((key, vec![(path, a, piece)])),
                }
            }
        }
    }
    out.into_iter().map(|(_, whom)| whom).collect()
}

/// Devices, interfaces and addresses without ports.
fn shape(ways: &[Way<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    for way in ways {
        for hop in &way.hops {
            out.extend(
                [packet(way.packet), hop.device, hop.by.unwrap_or(""), hop.out.unwrap_or("")].map(str::to_owned),
            );
            out.extend([hop.left.from.host.clone(), hop.left.to.host.clone()]);
        }
    }
    out
}

fn figure(out: &mut String, report: &Report, number: usize, whom: &[Whom<'_>], cause: Option<(usize, &str)>) {
    let Some((path, a, piece)) = whom.first().copied() else { return };
    let verdict = meaning(piece.reach);
    let word = if verdict == Verdict::Works { "works" } else { fate(piece.reach, piece.stop.as_ref()) };
    let drawn = format!("{} {} from {}", a.proto.name(), piece.ports_shown(), path.people());
    let _ = writeln!(
        out,
        "<figure id=\"picture{number}\">\n<figcaption><strong>[{number}]</strong> \
         <span class=\"{}\">{} {word}</span>: {}</figcaption>",
        verdict.word(),
        sign(verdict),
        prose(&concerned(whom))
    );
    let ways = ways(piece);
    if ways.is_empty() {
        // No packet can be followed: something about the site itself is not known.
        let _ = writeln!(out, "<p>{}</p>", prose(&super::reason(piece)));
    } else {
        let server = missed(report, path, &ways);
        let picture = Picture { piece, ways: &ways, server };
        *out += &picture.svg(number, &format!("{drawn}: {word}"));
    }
    for doubt in piece.doubts.iter().filter(|d| !d.supply.is_empty()) {
        let _ = writeln!(out, "<p>to know it: {}</p>", prose(&doubt.supply));
    }
    if let Some((n, code)) = cause {
        let _ = writeln!(out, "<p>cause: <a href=\"#cause{n}\">{code}</a></p>");
    }
    if !ways.is_empty() {
        let several = if whom.len() > 1 { format!(" (drawn: {drawn})") } else { String::new() };
        in_words(out, &prose(&several), &ways, piece);
    }
    *out += "</figure>\n";
}

/// The same without a picture: rules in full, also where a picture cuts them.
fn in_words(out: &mut String, several: &str, ways: &[Way<'_>], piece: &Piece) {
    let _ = writeln!(out, "<details><summary>in words{several}</summary>\n<ol>");
    for line in words(ways, piece) {
        let _ = writeln!(out, "<li>{}</li>", prose(&line));
    }
    *out += "</ol></details>\n";
}

/// The server, where the packet does not come to it.
fn missed(report: &Report, path: &crate::report::Path, ways: &[Way<'_>]) -> Option<String> {
    let instance = report.instances.iter().find(|i| i.label == path.instance)?;
    let devices = || ways.iter().flat_map(|w| &w.hops).map(|h| h.device);
    let of_family = |h: &&String| h.parse().is_ok_and(|a: IpAddr| Family::of(a) == path.family);
    let host = instance.host.iter().find(of_family)?;
    (path.vantage != Where::Outwards && !devices().any(|d| d == instance.device)).then(|| format!("server {host}"))
}
