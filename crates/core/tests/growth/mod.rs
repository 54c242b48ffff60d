//! What a check costs grows with the rules and not with their square: counted at n and at four times n.

mod shapes;

use callpath_core::check::analyze;
use callpath_core::counters::{self, Counters};
use callpath_core::report::{Report, Verdict};
use callpath_core::snapshot::{Snapshot, Source};
use shapes::{MANIFEST, SHAPES};

fn check(text: String) -> (Report, Counters) {
    let sources = [("callpath.toml", MANIFEST.to_owned()), ("router.nft", text)];
    let sources = sources.map(|(name, text)| Source { name: name.into(), text }).into();
    counters::take();
    let report = analyze(&Snapshot { sources, directory: String::new() }).expect("an answer");
    (report, counters::take())
}

#[test]
fn work_grows_no_faster_than_rules() {
    let n = 250;
    let mut bad = Vec::new();
    for (name, shape) in SHAPES {
        let (one, four) = (check(shape(n).text()).1, check(shape(4 * n).text()).1);
        println!("{name:<40} {one:?} {four:?}");
        // A few rules beside those of the shape are told one by one.
        if four.work > 5 * one.work || four.asks > one.asks + one.asks / 4 || four.reads > one.reads + 2 {
            bad.push(format!("{name}: {one:?}, with four times as many rules {four:?}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Rounds of changes, as many as there are at most.
const ROUNDS: u64 = 8;

#[test]
fn what_was_read_to_try_changes_is_judged() {
    let drops = |i: usize| {
        let chain = format!(
            "chain c {{ type filter hook forward priority {i}; policy accept; udp dport {} drop; }}",
            50_000 + i
        );
        format!("table ip f{i} {{\n\t{chain}\n}}\n")
    };
    // One chain stands behind the other, and more of them than rounds.
    let text = (0..12).map(drops).collect::<String>() + &shapes::Parts::default().text();
    let (report, counters) = check(text);
    assert_eq!(report.verdict, Verdict::Fails);
    assert!(counters.reads <= 1 + ROUNDS, "{counters:?}");
}

#[test]
fn what_is_decided_is_told_with_its_ports() {
    let n = 1000;
    for (name, open) in [
        ("drops by port, behind state", 10_001 - n),
        ("drops by address and port", 10_001 - n),
        ("accept and drop in turn", 10_001 - n / 2),
        ("forwards of one port", n),
        ("forwards of one port from everywhere", n),
        ("a verdict map onto chains", 10_001 - n),
        ("a mark for each port", 10_001 - n),
        ("a set of addresses and ports", 10_001 - n),
    ] {
        let shape = SHAPES.iter().find(|(known, _)| *known == name).expect("a shape").1;
        let (report, _) = check(shape(n).text());
        let rows =
            report.paths.iter().filter(|p| p.vantage == "internet").flat_map(|p| &p.legs).flat_map(|l| &l.any_of);
        let shares: Vec<String> =
            rows.filter(|a| a.what.starts_with("udp")).filter_map(|a| a.share).map(|s| s.to_string()).collect();
        let wanted = format!("{open} of 10001 ports");
        assert!(shares.contains(&wanted), "{name}: {shares:?}, not {wanted}");
    }
    for name in ["limits", "rules that are not read"] {
        let shape = SHAPES.iter().find(|(known, _)| *known == name).expect("a shape").1;
        assert_eq!(check(shape(n).text()).0.verdict, Verdict::Unknown, "{name}");
    }
}
