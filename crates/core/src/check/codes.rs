//! Sentences taken away, in tests: what is decided stays the same.
//!
//! Every text for people is replaced by one code at the borders that it crosses: where a site is made, where a judge hands
//! over what it judged, where gaps are found, and where a report is told. Names stay: of devices, files, instances, paths
//! and rows.

use super::{Gate, proposals};
use crate::cube::Set;
use crate::dialect::Patch;
use crate::finding::{Gap, Severity};
use crate::manifest::PortRanges;
use crate::model::SourceId;
use crate::planted::FAULTS;
use crate::report::{Alternative, DoubtLine, Exposure, How, Leg, Packets, Piece, Reach, Report, Verdict};
use crate::site::Site;
use crate::snapshot::{Snapshot, Source};
use crate::verdict::{Doubt, Fate, Judgement, Note};
use crate::vocabulary::{LegKind, PortSet, port_ranges};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What stands for every sentence.
const CODE: &str = "§";

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Does something without sentences.
fn without_sentences<T>(f: impl FnOnce() -> T) -> T {
    ON.set(true);
    let out = f();
    ON.set(false);
    out
}

/// What a site says of its doubts, and takes as given.
pub(super) fn of_site(mut site: Site) -> Site {
    if !ON.get() {
        return site;
    }
    for device in site.network.devices.iter_mut() {
        for doubt in &mut device.pipeline.doubts {
            doubt.what = CODE.into();
            doubt.supply = CODE.into();
        }
    }
    site.assumptions.iter_mut().for_each(code);
    site
}

/// What a judge hands over.
pub(super) fn of_judgement(mut judgement: Judgement) -> Judgement {
    if !ON.get() {
        return judgement;
    }
    for path in &mut judgement.paths {
        code(&mut path.who);
        if let Some(Note::Without(what)) = &mut path.note {
            code(what);
        }
        for leg in &mut path.legs {
            code(&mut leg.to);
            for a in &mut leg.any_of {
                code(&mut a.requirement.purpose);
                for piece in &mut a.pieces {
                    if let Fate::Missing(_, doubts) = &mut piece.fate {
                        of_doubts(doubts);
                    }
                }
            }
        }
    }
    for exposure in &mut judgement.exposures {
        exposure.forbidden.iter_mut().for_each(code);
        for doubt in &mut exposure.doubts {
            if let Doubt::Missing(line) = doubt {
                of_doubts(std::slice::from_mut(line));
            }
        }
    }
    for closed in &mut judgement.closed {
        code(&mut closed.purpose);
    }
    judgement.not_judged = judgement.not_judged.iter().map(|_| CODE.to_owned()).collect();
    judgement
}

/// Gaps, with a code for the story of a packet.
pub(super) fn of_gaps(mut gaps: Vec<Gap>) -> Vec<Gap> {
    if ON.get() {
        for gap in &mut gaps {
            code(&mut gap.story);
        }
    }
    gaps
}

/// What a report says before anything is found.
pub(super) fn of_report(report: &mut Report) {
    if !ON.get() {
        return;
    }
    code(&mut report.headline);
    for list in [&mut report.assumptions, &mut report.not_judged] {
        list.iter_mut().for_each(code);
    }
    for path in &mut report.paths {
        [&mut path.who, &mut path.depends, &mut path.note].into_iter().for_each(code);
        for leg in &mut path.legs {
            code(&mut leg.to);
            leg.any_of.iter_mut().for_each(of_alternative);
        }
    }
    for Exposure { forbidden, doubts, .. } in &mut report.exposures {
        forbidden.iter_mut().for_each(code);
        of_doubts(doubts);
    }
    report.left_out.iter_mut().for_each(|l| code(&mut l.why));
    report.unread.iter_mut().for_each(|u| code(&mut u.why));
}

fn of_alternative(a: &mut Alternative) {
    code(&mut a.what);
    for piece in &mut a.pieces {
        code(&mut piece.ends_at);
        piece.stop.iter_mut().for_each(|s| code(&mut s.what));
        of_doubts(&mut piece.doubts);
    }
}

fn of_doubts(doubts: &mut [DoubtLine]) {
    for doubt in doubts {
        code(&mut doubt.what);
        code(&mut doubt.supply);
    }
}

fn code(text: &mut String) {
    CODE.clone_into(text);
}

/// A verdict, and how far each way of a part of a call reaches.
type DecidedLeg = (Verdict, Vec<Reach>);

/// Code, severity, paths, those that are repaired, whether that was shown, whether there is a change, one that stands
/// apart, and a refusal, and how many places it names.
type DecidedFinding = (&'static str, Severity, Vec<String>, Vec<String>, bool, [bool; 3], usize);

/// What is decided about a site: verdicts, codes and edits.
#[derive(Debug, PartialEq, Eq)]
struct Decided {
    verdict: Verdict,
    paths: Vec<(String, Verdict, Vec<DecidedLeg>)>,
    exposed: Vec<(String, String, bool)>,
    findings: Vec<DecidedFinding>,
    changes: Vec<(SourceId, Patch)>,
    apart: Vec<(SourceId, Patch)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn decided(snapshot: &Snapshot) -> Option<Decided> {
    let (proposals, report) = proposals(snapshot, Gate::On).ok()?;
    let leg = |l: &Leg| (l.verdict, l.any_of.iter().map(|a| a.reach).collect());
    Some(Decided {
        verdict: report.verdict,
        paths: report.paths.iter().map(|p| (p.id.clone(), p.verdict, p.legs.iter().map(leg).collect())).collect(),
        exposed: report.exposures.iter().map(|e| (e.socket.to_string(), e.outside.to_string(), e.unknown)).collect(),
        findings: report
            .findings
            .iter()
            .map(|f| {
                let has = [f.change.is_some(), f.apart.is_some(), f.refused.is_some()];
                (f.code, f.severity, f.paths.clone(), f.repairs.clone(), f.verified, has, f.at.len())
            })
            .collect(),
        changes: proposals.changes,
        apart: proposals.apart,
    })
}

/// The files of a folder, the manifest first.
fn folder(dir: &Path) -> Vec<Source> {
    let mut out = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(here) = left.pop() {
        for entry in std::fs::read_dir(&here).expect("a folder").map(|e| e.expect("an entry").path()) {
            if entry.is_dir() {
                left.push(entry);
            } else if let Ok(text) = std::fs::read_to_string(&entry) {
                let name = entry.strip_prefix(dir).expect("inside").to_string_lossy().replace('\\', "/");
                out.push(Source { name, text });
            }
        }
    }
    out.sort_by_key(|s| (s.name != "callpath.toml", s.name.clone()));
    out
}

/// The examples, and every fault that can be planted into them.
fn sites() -> Vec<(String, Snapshot)> {
    let mut out = Vec::new();
    for fault in FAULTS {
        let code = fault.cause;
        let mut sources = folder(&root().join("examples").join(fault.example));
        out.push((fault.example.to_owned(), Snapshot { sources: sources.clone(), directory: String::new() }));
        for (file, from, to) in fault.edits {
            let source = sources.iter_mut().find(|s| s.name == *file).expect("the file of a fault");
            source.text = source.text.replace(from, to);
        }
        out.push((format!("{code} in {}", fault.example), Snapshot { sources, directory: String::new() }));
    }
    let mut known = BTreeSet::new();
    out.retain(|(name, _)| known.insert(name.clone()));
    out
}

#[test]
fn no_decision_rests_on_a_sentence() {
    let sites = sites();
    assert!(sites.len() > 20, "{}", sites.len());
    for (name, snapshot) in &sites {
        let plain = decided(snapshot);
        assert!(plain.is_some(), "{name} is judged");
        assert_eq!(without_sentences(|| decided(snapshot)), plain, "{name}");
    }
}

/// Two boxes have a packet in common.
fn meet(a: &Packets, b: &Packets) -> bool {
    let ports = |x: &[(u16, u16)], y: &[(u16, u16)]| x.iter().any(|(lo, hi)| y.iter().any(|(l, h)| lo <= h && l <= hi));
    // Without a list it is all of them.
    let sources = a.source_ports.is_empty() || b.source_ports.is_empty() || ports(&a.source_ports, &b.source_ports);
    let senders = a.from.is_empty()
        || b.from.is_empty()
        || a.from.iter().any(|(lo, hi)| b.from.iter().any(|(l, h)| lo <= h && l <= hi));
    ports(&a.ports, &b.ports) && sources && senders
}

#[test]
fn pieces_have_no_packet_in_common_and_media_says_how_it_gets_through() {
    for (name, snapshot) in sites() {
        let (_, report) = proposals(&snapshot, Gate::On).unwrap_or_else(|e| panic!("{name}: {}", e.message));
        for path in &report.paths {
            for a in path.legs.iter().flat_map(|l| &l.any_of) {
                let boxes: Vec<&Packets> = a.pieces.iter().flat_map(|p| &p.packets).collect();
                for (n, one) in boxes.iter().enumerate() {
                    let other = boxes[n + 1..].iter().find(|other| meet(one, other));
                    assert!(other.is_none(), "{name}, {} {}: {one:?} and {other:?}", path.id, a.what);
                }
                let told = PortSet { proto: a.proto, ports: packets_of(a) };
                assert!(a.ports.is_empty() || told.ports == a.ports, "{name}, {} {}: {told}", path.id, a.what);
            }
            for leg in &path.legs {
                let fits = match (leg.kind == LegKind::Media, leg.verdict, leg.how) {
                    (false, _, how) => how.is_none(),
                    (true, Verdict::Works, how) => matches!(how, Some(How::Udp | How::Direct | How::Tcp)),
                    (true, Verdict::Degraded, how) => how.is_some_and(|h| h != How::None),
                    (true, Verdict::Fails, how) => how == Some(How::None),
                    (true, Verdict::Unknown, _) => true,
                };
                assert!(fits, "{name}, {}: {} {:?}, {:?}", path.id, leg.kind.name(), leg.verdict, leg.how);
            }
        }
    }
}

/// All ports of an alternative's pieces.
fn packets_of(a: &Alternative) -> PortRanges {
    let ports = a.pieces.iter().flat_map(Piece::ports).map(|(lo, hi)| (u128::from(lo), u128::from(hi)));
    port_ranges(&Set::from_ranges(ports))
}
