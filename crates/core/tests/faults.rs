//! Every fault of the table, and pairs of faults, planted into examples that work: the planted causes are named, each
//! once, nothing else is an error, with all changes every path works, and without any one of them something fails again.
//!
//! Left out are: of pairs, those of [`HIDING`] and [`HIDDEN_BY`] and those about the same words; of causes of [`INCURABLE`],
//! the cure; and causes of [`ELSEWHERE`], which no edit of an example makes.

use crate::planted::{FAULTS, Fault};
use callpath_core::check::{Gate, analyze, proposals};
use callpath_core::dialect::{Patch, apply};
use callpath_core::finding::{CAUSES, Cause, Severity, find};
use callpath_core::model::SourceId;
use callpath_core::report::{Report, Verdict};
use callpath_core::snapshot::{Snapshot, Source};
use std::path::PathBuf;

fn example(name: &str) -> Snapshot {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let read = |file: &str| std::fs::read_to_string(dir.join(file)).unwrap_or_else(|e| panic!("{name}/{file}: {e}"));
    let manifest = read("callpath.toml");
    let parsed = callpath_core::manifest::parse(&manifest).expect("manifest");
    let files: Vec<String> = parsed.files().into_iter().map(|f| f.value.clone()).collect();
    let mut sources = vec![Source { name: "callpath.toml".into(), text: manifest }];
    sources.extend(files.into_iter().map(|name| Source { text: read(&name), name }));
    Snapshot { sources, directory: String::new() }
}

/// The example with a fault in it; nothing when its text is not there (any more).
fn planted(snapshot: &Snapshot, fault: &Fault) -> Option<Snapshot> {
    let mut out = snapshot.clone();
    for (file, from, to) in fault.edits {
        let source = out.sources.iter_mut().find(|s| s.name == *file)?;
        if !source.text.contains(from) {
            return None;
        }
        source.text = source.text.replacen(from, to, 1);
    }
    Some(out)
}

fn errors(report: &Report) -> Vec<&str> {
    report.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect()
}

fn with(snapshot: &Snapshot, patches: &[(SourceId, Patch)]) -> Snapshot {
    let mut out = snapshot.clone();
    for index in 0..out.sources.len() {
        let here: Vec<&Patch> = patches.iter().filter(|(id, _)| usize::from(id.0) == index).map(|(_, p)| p).collect();
        if !here.is_empty() {
            out.sources[index].text = apply(&out.sources[index].text, &here).expect("the changes can be made together");
        }
    }
    out
}

/// What is wrong with the answer for a site with these causes in it.
fn wrong(site: &Snapshot, causes: &[&Cause]) -> Vec<String> {
    let mut out = Vec::new();
    let (proposals, report) = proposals(site, Gate::On).expect("an answer");
    let (mut patches, taking) = (proposals.changes, proposals.apart);
    let may = causes.iter().any(|c| reason(TAKING, c).is_some()) || causes.len() > 1 && may_take_together(causes);
    let must = may && causes.len() == 1;
    if !may && !taking.is_empty() || must && taking.is_empty() {
        let takes: Vec<_> = report.findings.iter().filter_map(|f| f.apart.as_ref()).flat_map(|c| &c.takes).collect();
        out.push(format!("{} changes take something: {takes:?}", taking.len()));
    }
    // Together with what stands apart they cure.
    patches.extend(taking);
    let wanted: Vec<&str> = causes.iter().filter(|c| c.severity == Severity::Error).map(|c| c.code).collect();
    let mut got = errors(&report);
    let all: Vec<&str> = report.findings.iter().map(|f| f.code).collect();
    for cause in causes {
        // A port that another fault keeps shut, or in doubt, cannot be seen to be open.
        let open = |forbidden: bool| report.exposures.iter().any(|e| e.forbidden.is_some() == forbidden && !e.unknown);
        let shut =
            (cause.code == "forbidden-open" && !open(true)) || (cause.severity == Severity::Note && !open(false));
        if shut && causes.len() > 1 {
            continue;
        }
        let times = all.iter().filter(|c| **c == cause.code).count();
        if times != 1 {
            out.push(format!("{} is named {times} times; named are {all:?}", cause.code));
        }
    }
    got.retain(|c| !wanted.contains(c));
    if !got.is_empty() {
        out.push(format!("not planted, but named: {got:?}"));
    }
    if causes.iter().any(|c| reason(INCURABLE, c).is_some()) {
        return out;
    }
    let cured = analyze(&with(site, &patches)).expect("an answer");
    if cured.verdict != Verdict::Works {
        out.push(format!("with all changes: {}", cured.headline));
    }
    for n in 0..patches.len() {
        let some: Vec<(SourceId, Patch)> =
            patches.iter().enumerate().filter(|(i, _)| *i != n).map(|(_, p)| p.clone()).collect();
        let report = analyze(&with(site, &some)).expect("an answer");
        let note = report.findings.iter().any(|f| f.severity == Severity::Note);
        if report.verdict == Verdict::Works && !note {
            out.push(format!("change {n} ({:?}) is not needed", patches[n].1));
        }
    }
    out
}

fn faults(example: &str) -> Vec<(&'static Cause, &'static Fault)> {
    let cause = |f: &Fault| find(f.cause).unwrap_or_else(|| panic!("{} is no cause", f.cause));
    FAULTS.iter().filter(|f| f.example == example).map(|f| (cause(f), f)).collect()
}

const EXAMPLES: &[&str] = &["reflector", "spokes", "linux-router"];

/// Causes without a fault to plant, and where they are tried instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("apply-forgotten", "needs the rules in force beside a backup: scenarios/apply-forgotten.md"),
    ("hole-punching-only", "stands beside the finding that names the missing rule: scenarios/hole-punching-only.md"),
    ("answer-by-another-line", "needs two lines: tests/causes.rs, scenarios/answer-by-another-line.md"),
    ("sip-helper", "needs a product whose document wants no helpers: tests/causes.rs, scenarios/sip-helper.md"),
    ("port-overlap", "needs a second product: scenarios/port-overlap.md"),
];

/// Causes that no change of a file here cures, and who has to do something.
const INCURABLE: &[(&str, &str)] = &[
    ("cgnat", "the provider"),
    ("port-set", "the provider, or the product's own configuration"),
    ("not-understood", "whoever wrote the statement knows what it does"),
    ("alias-unresolved", "what fills the alias"),
    ("udp-closed-tcp-open", "whoever runs the box in front"),
    ("range-too-small", "the product's own configuration"),
    ("plain-http", "whoever installs a reverse proxy"),
    ("told-leads-nowhere", "the product's own configuration"),
    ("outbound-nat-missing", "which networks go out by the router's address is a matter of the whole site"),
];

/// Causes whose change takes something from somebody: it stands apart.
const TAKING: &[(&str, &str)] = &[("wrong-target", "another host is reached by the forward now")];

/// Causes of which the change takes something only where both are.
const TAKING_TOGETHER: &[(&str, &str, &str)] =
    &[("range-shifted", "range-too-small", "the forward carries more than the range, to other ports of the server")];

fn may_take_together(causes: &[&Cause]) -> bool {
    let has = |code: &str| causes.iter().any(|c| c.code == code);
    TAKING_TOGETHER.iter().any(|(a, b, _)| has(a) && has(b))
}

/// Causes beside which a second one cannot be asked for exactly.
const HIDING: &[(&str, &str)] = &[
    ("cgnat", "nothing comes from outside: what stops it further in has no effect"),
    ("port-set", "none of these ports comes from outside: what stops it further in has no effect"),
    ("udp-closed-tcp-open", "adds a router in front that lets no media in: faults behind it have no effect"),
];

/// Causes that one other cause keeps from being named.
const HIDDEN_BY: &[(&str, &str, &str)] = &[
    ("blocked-earlier", "told-leads-nowhere", "media is sent elsewhere, and meets no rule"),
    ("hairpin-missing", "wan-address-behind-nat", "from inside no forward applies, so none that fails to turn back"),
    (
        "filter-missing",
        "wan-address-behind-nat",
        "its change adds forwards, whose rules let pass what the filter lacks",
    ),
    ("range-cut", "range-too-small", "the small range lies beside the cut"),
];

/// Why two causes cannot both be seen.
fn why_not_both(a: &Cause, b: &Cause) -> Option<&'static str> {
    let pair =
        |(one, by, _): &&(&str, &str, &str)| [(a, b), (b, a)].iter().any(|(x, y)| x.code == *one && y.code == *by);
    reason(HIDING, a).or(reason(HIDING, b)).or(HIDDEN_BY.iter().find(pair).map(|(.., why)| *why))
}

fn reason(list: &[(&'static str, &'static str)], cause: &Cause) -> Option<&'static str> {
    list.iter().find(|(code, _)| *code == cause.code).map(|(_, why)| *why)
}

#[test]
fn every_cause_is_tried_or_has_a_reason() {
    for cause in CAUSES {
        let elsewhere = reason(ELSEWHERE, cause);
        let planted = FAULTS.iter().any(|f| f.cause == cause.code);
        assert_eq!(!planted, elsewhere.is_some(), "{}: a fault, or a reason why not", cause.code);
    }
    for (code, why) in ELSEWHERE.iter().chain(INCURABLE).chain(HIDING) {
        assert!(CAUSES.iter().any(|c| c.code == *code), "{code} is no cause ({why})");
    }
}

#[test]
fn every_fault_is_named_and_cured() {
    let mut bad = Vec::new();
    let mut count = 0;
    for name in EXAMPLES {
        let works = example(name);
        assert_eq!(analyze(&works).expect("an answer").verdict, Verdict::Works, "{name} works as it stands");
        for (cause, fault) in faults(name) {
            let site = planted(&works, fault).unwrap_or_else(|| panic!("{}: its text is not in {name}", cause.code));
            count += 1;
            bad.extend(wrong(&site, &[cause]).into_iter().map(|w| format!("{name}, {}: {w}", cause.code)));
        }
    }
    println!("{count} faults");
    assert_eq!(count, FAULTS.len(), "a fault's example is not one of {EXAMPLES:?}");
    assert!(bad.is_empty(), "{} wrong:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn pairs_of_faults_are_named_and_cured() {
    let mut bad = Vec::new();
    let (mut count, mut hidden, mut same) = (0, 0, 0);
    for name in EXAMPLES {
        let works = example(name);
        let list = faults(name);
        for (i, (a, first)) in list.iter().enumerate() {
            for (b, second) in &list[i + 1..] {
                if why_not_both(a, b).is_some() {
                    hidden += 1;
                    continue;
                }
                if same_words(&works, first, second) {
                    same += 1;
                    continue;
                }
                let site = planted(&works, first).and_then(|s| planted(&s, second));
                let site = site.or_else(|| planted(&works, second).and_then(|s| planted(&s, first)));
                let site = site.unwrap_or_else(|| panic!("{name}: {} and {} not planted", a.code, b.code));
                count += 1;
                bad.extend(
                    wrong(&site, &[a, b]).into_iter().map(|w| format!("{name}, {} and {}: {w}", a.code, b.code)),
                );
            }
        }
    }
    println!("{count} pairs; {hidden} more with a cause that hides others, {same} more about the same words");
    assert!(count > 40 && bad.is_empty(), "{} wrong of {count}:\n{}", bad.len(), bad.join("\n"));
}

/// Both faults are about the same words of a file.
fn same_words(snapshot: &Snapshot, a: &Fault, b: &Fault) -> bool {
    let place = |file: &str, from: &str| {
        let text = &snapshot.sources.iter().find(|s| s.name == file)?.text;
        text.find(from).map(|at| at..at + from.len())
    };
    a.edits.iter().any(|(file, from, _)| {
        b.edits.iter().any(|(other, from_b, _)| {
            let (Some(x), Some(y)) = (place(file, from), place(other, from_b)) else { return true };
            file == other && x.start < y.end && y.start < x.end
        })
    })
}
