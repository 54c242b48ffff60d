//! Kinds of callers in words, and rows that say the same as one.

use super::{Path, Piece, Report};

/// A kind's name in ids, as a row of a table, and in a sentence.
const KINDS: [(&str, &str, &str); 6] = [
    ("public", "with a public address", "with a public address"),
    ("home", "behind a home router", "behind home routers"),
    ("symmetric", "on a mobile or corporate network", "on mobile or corporate networks"),
    ("udp-blocked", "whose network blocks UDP", "where UDP is blocked"),
    ("app", "app, or microphone allowed", "apps, and browsers that may use the microphone"),
    ("listening", "browser, listening", "browsers until the microphone is allowed"),
];

/// Several kinds in a sentence: `behind home routers, on mobile or corporate networks`.
pub(crate) fn in_a_sentence(kinds: &[&str]) -> String {
    let words = KINDS.iter().filter(|(name, ..)| kinds.contains(name)).map(|(_, _, words)| *words);
    words.collect::<Vec<_>>().join(", ")
}

fn in_a_row(kinds: &[&str]) -> String {
    let words = KINDS.iter().filter(|(name, ..)| kinds.contains(name)).map(|(_, words, _)| *words);
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
        if first.kind.is_empty() {
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
        let usual = |g: &Vec<&Path>| g.iter().any(|p| p.kind == "home" || p.kind == "app");
        groups.sort_by_key(|g| !usual(g));
        let alone = groups.len() == 1;
        for (n, group) in groups.iter().enumerate() {
            let kinds: Vec<&str> = group.iter().map(|p| p.kind).collect();
            let mut path = group[0].clone();
            if !alone && (n > 0 || kinds.len() == 1) {
                path.who = format!("{}: {}", path.who, in_a_row(&kinds));
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
        (&x.ports, &x.from, x.reach, stop(x), &x.doubts, &x.except)
            == (&y.ports, &y.from, y.reach, stop(y), &y.doubts, &y.except)
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
