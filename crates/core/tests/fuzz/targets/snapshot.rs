//! `callpath.snapshot/1`, and pseudonyms.

use super::{printed, sound};
use callpath_core::redact::{Key, redact};
use callpath_core::snapshot::Snapshot;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A snapshot that a stranger sent: read, written again, judged, judged with pseudonyms.
pub fn snapshot(text: &str) {
    match Snapshot::from_json("bug.json", text) {
        Ok(snapshot) => {
            let again = Snapshot::from_json("bug.json", &snapshot.json()).expect("what was written can be read");
            assert_eq!(again.sources, snapshot.sources, "written and read, it is the same");
            sound::judged(&snapshot);
            redacted(&snapshot);
        }
        Err(e) => sound::error(&e, &Snapshot::default()),
    }
}

/// With pseudonyms it is judged as the same site, and its addresses are gone.
pub fn redacted(snapshot: &Snapshot) {
    let under = |key: u8| redact(snapshot, &Key::new([key; 16]));
    let hidden = under(1);
    assert_eq!(under(1).sources, hidden.sources, "another result the second time");
    let lines = |s: &Snapshot| s.sources.iter().map(|s| s.text.lines().count()).collect::<Vec<_>>();
    assert_eq!(lines(&hidden), lines(snapshot), "lines stay where they are");
    let all = |s: &Snapshot| s.sources.iter().flat_map(|s| addresses(&s.text)).collect::<BTreeSet<IpAddr>>();
    let old = all(snapshot);
    // Ends of ranges may stay. By chance an address is the pseudonym of another, but not under several keys.
    if !snapshot.sources.iter().any(|s| has_range(&s.text)) {
        let mut left = old;
        for key in 1..5 {
            left = all(&under(key)).intersection(&left).copied().collect();
        }
        assert!(left.is_empty(), "still there: {left:?}");
    }
    match callpath_core::check::analyze(&hidden) {
        Ok(report) => printed::report(&report),
        Err(e) => sound::error(&e, &hidden),
    }
}

/// Addresses of a text that tell something, cut out otherwise than the program does it. Those of the unspecified,
/// private and special blocks may stay, or become another of their block.
fn addresses(text: &str) -> BTreeSet<IpAddr> {
    let parts = text.split(|c: char| !(c.is_alphanumeric() || ".:_-@$%".contains(c)));
    let ips = parts.filter_map(|p| p.parse::<IpAddr>().ok());
    ips.filter(|ip| match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            // A network beside one that keeps its meaning: only its last bit tells them apart (`LIMITATIONS.md`).
            let beside = [(1, 0), (11, 0), (100, 0), (126, 0), (169, 255), (172, 0), (192, 169), (198, 16)]
                .contains(&(a, b))
                && (c, d) == (0, 0);
            // A network's first address, and what the documentation of addresses uses.
            let kept = [0, 10, 127].contains(&a)
                || a >= 224
                || [(100, 64), (169, 254), (172, 16), (192, 168)].contains(&(a, b));
            !kept && !beside && !matches!((a, b), (192, 0 | 88) | (198, 18 | 19 | 51) | (203, 0))
        }
        IpAddr::V6(ip) => matches!(ip.segments()[0], 0x2003..=0x2fff),
    })
    .collect()
}

fn has_range(text: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_hexdigit() || c == ':');
    text.contains("\"range\"")
        || text.match_indices('-').any(|(at, _)| {
            digit(text[..at].trim_end().chars().next_back()) && digit(text[at + 1..].trim_start().chars().next())
        })
}
