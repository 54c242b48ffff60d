//! Kinds of callers in words, and rows that say the same as one.

use super::{Path, Piece, Report};
use crate::vocabulary::CallerKind;

/// A kind as a row of a table, and in a sentence, in this order.
const KINDS: [(CallerKind, &str, &str); 6] = [
    (CallerKind::Public, "with a public address", "with a public address"),
    (CallerKind::Home, "behind a home router", "behind home routers"),
    (CallerKind::Symmetric, "on a mobile or corporate network", "on mobile or corporate networks"),
    (CallerKind::UdpBlocked, "whose network blocks UDP", "where UDP is blocked"),
    (CallerKind::App, "app, or microphone allowed", "apps, and browsers that may use the microphone"),
    (CallerKind::Listening, "browser, listening", "browsers until the microphone is allowed"),
];

/// Several kinds in a sentence: `behind home routers, on mobile or corporate networks`.
pub(crate) fn in_a_sentence(kinds: &[CallerKind]) -> String {
    let words = KINDS.iter().filter(|(kind, ..)| kinds.contains(kind)).map(|(_, _, words)| *words);
    words.collect::<Vec<_>>().join(", ")
}

/// Several kinds as a row of a table.
pub(super) fn in_a_row(kinds: &[CallerKind]) -> String {
    let words = KINDS.iter().filter(|(kind, ..)| kinds.contains(kind)).map(|(_, words, _)| *words);
    words.collect::<Vec<_>>().join("; ")
}

/// The report with one path for all kinds of callers of a place that fare alike. Whoever differs from the most usual
/// kind (home routers outside, apps inside) is named: `anyone on the internet: whose network blocks UDP`.
pub fn merged(report: &Report) -> Report {
    let mut out: Vec<Path> = Vec::new();
    let mut rest: &[Path] = &report.paths;
    while let Some(first) = rest.first() {
        let place = |p: &Path| (p.instance.clone(), p.vantage.clone(), p.family, p.who.clone());
        let here = rest.iter().take_while(|p| place(p) == place(first)).count().max(1);
        let (paths, later) = rest.split_at(here);
        rest = later;
        if first.kind.is_none() {
            out.extend(paths.iter().cloned());
            continue;
        }
        let mut groups: Vec<Vec<&Path>> = Vec::new();
        for path in paths {
            match groups.iter_mut().find(|g| alike(g[0], path)) {
                Some(group) => group.push(path),
                None => groups.push(vec![path]),
            }
        }
        let usual = |g: &Vec<&Path>| g.iter().any(|p| matches!(p.kind, Some(CallerKind::Home | CallerKind::App)));
        groups.sort_by_key(|g| !usual(g));
        let alone = groups.len() == 1;
        for (n, group) in groups.iter().enumerate() {
            let kinds: Vec<CallerKind> = group.iter().filter_map(|p| p.kind).collect();
            let mut path = group[0].clone();
            if !alone && (n > 0 || kinds.len() == 1) {
                path.kinds = kinds;
            }
            out.push(path);
        }
    }
    Report { paths: out, ..report.clone() }
}

/// Two kinds of callers fare alike: what their packets meet on the way may differ, what becomes of them does not.
fn alike(a: &Path, b: &Path) -> bool {
    let piece = |x: &Piece, y: &Piece| {
        let stop = |p: &Piece| p.stop.as_ref().map(|s| (s.kind, s.packet, s.hook, s.origin.clone()));
        (x.told(), x.reach, stop(x), &x.doubts, &x.except) == (y.told(), y.reach, stop(y), &y.doubts, &y.except)
    };
    let same = a.legs.iter().zip(&b.legs).all(|(x, y)| {
        (&x.kind, &x.to, x.verdict, x.any_of.len()) == (&y.kind, &y.to, y.verdict, y.any_of.len())
            && x.any_of.iter().zip(&y.any_of).all(|(p, q)| {
                (&p.what, p.opener, p.reach, &p.share, p.pieces.len())
                    == (&q.what, q.opener, q.reach, &q.share, q.pieces.len())
                    && p.pieces.iter().zip(&q.pieces).all(|(i, j)| piece(i, j))
            })
    });
    same && a.legs.len() == b.legs.len() && a.verdict == b.verdict && a.note == b.note
}
