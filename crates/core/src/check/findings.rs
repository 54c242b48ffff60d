//! Findings for the report.

use super::judged::Analysis;
use super::{Found, Proven};
use crate::change::{MarkRole, Planned, Step};
use crate::diagnose::blocks;
use crate::dialect;
use crate::explain::Teller;
use crate::explain::story::origin;
use crate::finding::{Gap, Lack, Near, Stands, find};
use crate::manifest::{Place, Proto};
use crate::model::{SourceId, SourceSpan};
use crate::report::{Action, Change, Finding, Mark, Origin};
use crate::site::Load;
use crate::snapshot::{Places, Snapshot, line_column};
use crate::verdict::{Judged, Path, Reach, Verdict};
use crate::vocabulary::{CallerKind, LegKind, PortSet, Where, list};

/// Everything that was found, each cause once.
pub(super) fn findings(snapshot: &Snapshot, found: &[Found], proven: &Proven) -> Vec<Finding> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (n, f) in found.iter().enumerate() {
        let same = |g: &&mut Vec<usize>| {
            let first: &Found = &found[g[0]];
            first.cause.code == f.cause.code && first.gap.device == f.gap.device
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(n),
            None => groups.push(vec![n]),
        }
    }
    groups.iter().map(|group| finding(snapshot, found, group, proven)).collect()
}

fn finding(snapshot: &Snapshot, found: &[Found], group: &[usize], proven: &Proven) -> Finding {
    let first = &found[group[0]];
    let mut gap = first.gap.clone();
    let mut paths: Vec<String> = Vec::new();
    gap.ports = Vec::new();
    for f in group.iter().map(|n| &found[*n]) {
        for path in &f.gap.paths {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        for ports in &f.gap.ports {
            if !gap.ports.contains(ports) {
                gap.ports.push(ports.clone());
            }
        }
    }
    gap.leads = group.iter().flat_map(|n| found[*n].gap.leads.clone()).collect();
    if gap.leads.len() != gap.ports.len() {
        gap.leads = Vec::new();
    }
    gap.signalling = group.iter().all(|n| found[*n].gap.signalling);
    let mut at: Vec<Mark> = Vec::new();
    // What shows behind a change is told by its place only where nothing else is.
    let given = group.iter().any(|n| found[*n].round == 0 && !found[*n].at.is_empty());
    let told = group.iter().map(|n| &found[*n]).filter(|f| f.round == 0 || !given);
    for mark in told.flat_map(|f| &f.at) {
        if !at.contains(mark) {
            at.push(mark.clone());
        }
    }
    let change = change(snapshot, found, group, &gap, |f| f.takes.is_empty());
    let apart = change_apart(snapshot, found, group, &gap);
    let refused = group.iter().find_map(|n| found[*n].change.as_ref().err()).filter(|r| !r.is_empty()).cloned();
    let repairs = paths.iter().filter(|p| proven.all || proven.paths.contains(p)).cloned().collect();
    Finding {
        code: first.cause.code,
        severity: first.cause.severity,
        message: (first.cause.message)(&gap),
        at,
        because: (first.cause.because)(&gap),
        reason: gap.reason.clone(),
        paths,
        verified: change.is_some()
            && (proven.all || !first.cures())
            && group.iter().all(|n| found[*n].change.is_err() || proven.each[*n]),
        change,
        apart,
        refused,
        repairs,
    }
}

/// The changes of some findings as one.
fn change(
    snapshot: &Snapshot,
    found: &[Found],
    group: &[usize],
    gap: &Gap,
    of: impl Fn(&Found) -> bool,
) -> Option<Change> {
    let here = group.iter().map(|n| &found[*n]).filter(|f| of(f));
    let changes: Vec<(SourceId, &Planned)> =
        here.filter_map(|f| f.change.as_ref().ok().map(|(id, p)| (*id, p))).collect();
    let (file, _) = changes.first()?;
    let patches: Vec<_> = changes.iter().filter(|(id, _)| id == file).map(|(_, p)| &p.patch).collect();
    let source = snapshot.source(*file);
    let (steps, undo) = dialect::steps(source.map_or("", |s| &s.text), &patches);
    Some(Change {
        device: gap.place().1.to_owned(),
        file: source.map(|s| s.name.clone()).unwrap_or_default(),
        steps,
        undo,
        applicability: "printed, read again and judged",
        takes: Vec::new(),
    })
}

/// Seconds after which a change that may end its own session is taken back, unless that is called off.
const PATIENCE: u32 = 300;

/// What takes something, with what it takes, and a way back that needs no session.
fn change_apart(snapshot: &Snapshot, found: &[Found], group: &[usize], gap: &Gap) -> Option<Change> {
    let mut out = change(snapshot, found, group, gap, |f| !f.takes.is_empty())?;
    for loss in group.iter().flat_map(|n| &found[*n].takes) {
        if !out.takes.contains(loss) {
            out.takes.push(loss.clone());
        }
    }
    // The person who types these lines may have come by what they end.
    let lines: Vec<String> = out.undo.iter().filter(|s| s.shell().is_some()).flat_map(|s| s.lines.clone()).collect();
    let shell = out.steps.iter().position(|s| s.shell().is_some());
    let cuts = out.takes.iter().any(|l| l.own && l.ports.iter().any(|p| p.proto == Proto::Tcp));
    if cuts && shell.is_none() {
        let place = format!("first: it may cut your session; have another way to {} at hand, its console", out.device);
        out.steps.insert(0, Step::by_hand(place, Vec::new()));
    }
    if let (Some(at), true, false) = (shell, cuts, lines.is_empty()) {
        let mut script = vec!["cat > /run/callpath-undo <<'END'".to_owned()];
        script.extend(lines);
        script.push("END".into());
        script.push(format!("(sleep {PATIENCE}; sh /run/callpath-undo) > /dev/null 2>&1 &"));
        script.push("echo $! > /run/callpath-undo.pid".into());
        let first = format!("first: it may cut your session, so it takes itself back after {PATIENCE} seconds");
        let last = "once a new session still gets in: keep it".to_owned();
        out.steps.insert(at + 1, Step::by_hand(last, vec!["kill $(cat /run/callpath-undo.pid)".into()]));
        out.steps.insert(at, Step::by_hand(first, script));
    }
    Some(out)
}

/// Places in the user's files that a gap is about.
pub(super) fn marks(snapshot: &Snapshot, now: &Judged, gap: &Gap, change: Option<&(SourceId, Planned)>) -> Vec<Mark> {
    let mut out: Vec<Mark> = Vec::new();
    let places = Places::of(snapshot);
    // Of several rules that block one after the other each is shown, not only the one before which a rule goes.
    let several = matches!(gap.lack, Lack::Filter { stands: Stands::BlockFirst, .. }) && gap.at.len() > 1;
    // Nor the rule that sends packets into a list that others use too, where a rule of that list blocks.
    let place = gap.wanted.as_ref().and_then(|w| w.deciding);
    let blocks = matches!(gap.lack, Lack::Filter { stands: Stands::BlockFirst | Stands::Block, .. });
    let elsewhere = blocks && place.is_some_and(|id| !gap.at.is_empty() && !gap.at.contains(&id));
    let one = !several && !elsewhere;
    for (span, role) in change.iter().filter(|_| one).flat_map(|(_, p)| &p.marks) {
        out.extend(mark(snapshot, *span, gap, role));
    }
    if out.is_empty() {
        let device = &now.site.network.devices[gap.device];
        for id in &gap.at {
            let at = device.pipeline.origin(*id);
            if at.has_lines {
                let role = if at.at.source == SourceId::MANIFEST {
                    MarkRole::Stated
                } else if at.setting {
                    MarkRole::Setting(at.text.to_string())
                } else if blocks::ends_list(&device.pipeline, *id) {
                    MarkRole::LeadsPast
                } else {
                    MarkRole::Decides
                };
                out.extend(mark(snapshot, at.at, gap, &role));
            } else {
                let o = origin(&places, device, *id);
                if o.source.is_empty() {
                    continue;
                }
                out.push(Mark {
                    source: o.place(),
                    line: None,
                    column: 1,
                    length: 0,
                    text: o.text,
                    label: "decides".into(),
                });
            }
        }
    }
    out
}

/// A place in files with changes as the place in the files as given: the same line, or the only one of these words.
pub(super) fn as_given(original: &Snapshot, mark: Mark) -> Option<Mark> {
    let Some(now) = mark.line else { return Some(mark) };
    let text = &original.sources.iter().find(|s| s.name == mark.source)?.text;
    let mut same = text.lines().enumerate().filter(|(_, l)| *l == mark.text).map(|(n, _)| n + 1);
    let first = same.next()?;
    let line = if text.lines().nth(now - 1) == Some(&mark.text) {
        now
    } else if same.next().is_none() {
        first
    } else {
        return None;
    };
    Some(Mark { line: Some(line), ..mark })
}

/// What is said of a marked statement, whose words stand above.
fn label(gap: &Gap, role: &MarkRole, words: &str) -> String {
    let told = match (role, &gap.lack) {
        (MarkRole::Stated, _) => "stated here",
        // Its place is the whole object.
        (MarkRole::Setting(name), _) => return format!("\"{name}\" is on here"),
        (MarkRole::LeadsPast, _) => "leads past the rule that would let them pass",
        (_, Lack::OutboundNat { .. }) => "translates other packets",
        (_, Lack::Helper) => "gives them to a helper",
        // What is underlined need not be named again.
        (MarkRole::Named(name, says), _) if name == words => says,
        (MarkRole::Named(name, says), _) if name.is_empty() => return format!("this entry {says}"),
        (MarkRole::Named(name, says), _) => return format!("\"{}\" {says}", name.replace('"', "'")),
        (MarkRole::Told(text), _) => text,
        (MarkRole::Nearest, Lack::OwnAddress) => "asks for the router's own outer address",
        (MarkRole::Nearest, Lack::Forward { near, .. }) => match near {
            Near::Interface => "acts only on what comes by another interface",
            Near::Ports => "covers only a part of the range",
            Near::Protocol => "is for the other protocol",
            Near::Target => "leads to another host",
            Near::Shift => "changes the ports",
            Near::Nothing | Near::Disabled | Near::Address => "this is nearly it",
        },
        (MarkRole::Nearest, _) => "this is nearly it",
        (_, Lack::Filter { stands: Stands::BlockFirst, .. }) => "blocks them first",
        (_, Lack::Filter { stands: Stands::Nothing, .. }) => "nothing in here lets them pass",
        (MarkRole::Place, _) => "this decides",
        (MarkRole::Decides, Lack::NotUnderstood) => "not understood",
        (MarkRole::Decides, Lack::Alias) => "asks for an alias",
        (MarkRole::Decides, _) => "decides",
    };
    told.to_owned()
}

/// A span as the line that it begins on, with what is said of it; a whole element is shown by the words in it that matter.
fn mark(snapshot: &Snapshot, span: SourceSpan, gap: &Gap, role: &MarkRole) -> Option<Mark> {
    let mut mark = place(snapshot, span)?;
    let words = mark.text.chars().skip(mark.column - 1).take(mark.length).collect::<String>();
    mark.label = label(gap, role, &words);
    Some(mark)
}

/// The words of a span that matter, on the line that they begin on.
fn place(snapshot: &Snapshot, span: SourceSpan) -> Option<Mark> {
    let source = snapshot.source(span.source)?;
    let (start, end) = dialect::telling(&source.text, span.start as usize, span.end as usize);
    let (line, column) = line_column(&source.text, start);
    let text = source.text.lines().nth(line - 1).unwrap_or_default().to_owned();
    let rest = text.chars().count().saturating_sub(column - 1);
    let length = source
        .text
        .get(start..end)
        .map_or(1, |t| t.lines().next().unwrap_or_default().chars().count())
        .clamp(1, rest.max(1));
    Some(Mark { source: source.name.clone(), line: Some(line), column, length, text, label: String::new() })
}

/// What the product itself says, whatever the network does.
pub(super) fn notes(a: &Judged) -> Vec<Finding> {
    let mut out = Vec::new();
    for instance in &a.instances {
        let mode = instance.mode();
        let base = |lack: Lack, ports, story: String| Gap::bare(lack, instance.label().to_owned(), ports, story);
        if let Some(why) = mode.and_then(|m| m.plain_http.clone()) {
            out.extend(plain(&base(Lack::PlainHttp, Vec::new(), why)));
        }
        for r in &instance.requirements {
            if r.too_small() {
                let story = format!(
                    "{} holds {} ports, and each participant takes {}",
                    r.what(),
                    r.count(),
                    r.per_participant.unwrap_or(1)
                );
                out.extend(plain(&base(
                    Lack::TooSmall,
                    vec![PortSet { proto: r.proto, ports: r.ports.clone() }],
                    story,
                )));
            }
        }
    }
    out
}

/// Callers who are told an address that leads nowhere, by instance and place.
pub(super) fn misled(a: &Judged) -> Vec<Finding> {
    let mut out: Vec<(usize, String, Vec<std::net::IpAddr>, Finding)> = Vec::new();
    for m in &a.judgement.misled {
        let instance = &a.instances[m.instance];
        let who = crate::call::told::audience(&m.place);
        let same = |(i, w, t, _): &&mut (usize, String, Vec<std::net::IpAddr>, Finding)| {
            *i == m.instance && *w == who && *t == m.told
        };
        if let Some((.., finding)) = out.iter_mut().find(same) {
            finding.paths.push(m.path.clone());
            continue;
        }
        let setting = instance.profile.told.setting.as_deref().unwrap_or("its address for media");
        let private = !m.told.iter().any(|a| crate::site::address::is_public(*a));
        let why = if private { "is private, and media for it goes nowhere" } else { "is on no device of the site" };
        let story = format!("{} {why}; set {setting} to the public address", list(&m.told));
        let gap = Gap {
            who: who.clone(),
            ..Gap::bare(Lack::Told(m.told.clone()), instance.label().to_owned(), Vec::new(), story)
        };
        if let Some(mut finding) = plain(&gap) {
            finding.paths.push(m.path.clone());
            out.push((m.instance, who, m.told.clone(), finding));
        }
    }
    out.into_iter().map(|(.., finding)| finding).collect()
}

/// Callers who get through by hole punching, and what would make it firm.
pub(super) fn hole_punching(a: &Judged, found: &[Found]) -> Option<Finding> {
    let fragile = |p: &&Path| {
        let mut ways = p.legs.iter().filter(|l| l.kind == LegKind::Media).filter_map(|l| l.any_of.first());
        ways.any(|w| matches!(w.reach, Reach::Punched | Reach::Chance))
    };
    let paths: Vec<&Path> = a.judgement.paths.iter().filter(fragile).collect();
    let first = paths.first()?;
    // No rule is what keeps answers on their line, or makes the address right that callers are told.
    let rule = |f: &&Found| f.gap.wanted.is_some() && !matches!(f.gap.lack, Lack::AnotherLine | Lack::OutboundAs(_));
    let udp = |f: &&Found| f.gap.ports.iter().any(|p| p.proto == Proto::Udp) && rule(f);
    let closing = found.iter().filter(udp).find(|f| f.gap.paths.contains(&first.id));
    let firm = closing.map_or_else(String::new, |f| {
        let does = match &f.gap.lack {
            Lack::Forward { .. } => format!("a forward of {} on {}", f.gap.what(), f.gap.name),
            _ => format!("a rule of {} that lets {} pass", f.gap.name, f.gap.what()),
        };
        format!("; {does} makes it firm ({})", f.cause.code)
    });
    let internet = |p: &&&Path| p.vantage == Where::At(Place::Internet);
    let outside: Vec<CallerKind> = paths.iter().filter(internet).filter_map(|p| p.kind).collect();
    let called = paths.iter().any(|p| internet(&p));
    let mut who: Vec<String> =
        called.then(|| format!("callers {}", crate::report::in_a_sentence(&outside))).into_iter().collect();
    for path in paths.iter().filter(|p| !internet(p)) {
        if !who.contains(&path.who) {
            who.push(path.who.clone());
        }
    }
    let who = list(&who);
    let story = format!("nothing lets media in; it passes only while both sides send, as answers to each other{firm}");
    let name = closing.map_or_else(String::new, |f| f.gap.name.clone());
    let gap = Gap { who, ..Gap::bare(Lack::HolePunching, name, Vec::new(), story) };
    let mut finding = plain(&gap)?;
    finding.paths = paths.iter().map(|p| p.id.clone()).collect();
    Some(finding)
}

pub(super) fn plain(gap: &Gap) -> Option<Finding> {
    let cause = crate::finding::cause(gap)?;
    Some(Finding {
        code: cause.code,
        severity: cause.severity,
        message: (cause.message)(gap),
        at: Vec::new(),
        because: (cause.because)(gap),
        reason: gap.reason.clone(),
        paths: Vec::new(),
        change: None,
        apart: None,
        refused: None,
        repairs: Vec::new(),
        verified: false,
    })
}

/// The rules in force have other fates than the configuration that they should come from.
pub(super) fn apply_forgotten(snapshot: &Snapshot, first: &Analysis) -> Option<Finding> {
    let (judged, intended) = (&first.judged, first.intended.as_ref()?);
    let cause = find("apply-forgotten")?;
    let all = || judged.judgement.paths.iter().zip(&intended.judgement.paths);
    let alternatives = all().flat_map(|(a, b)| {
        let legs = a.legs.iter().zip(&b.legs).flat_map(|(x, y)| x.any_of.iter().zip(&y.any_of));
        legs.map(move |(x, y)| ((a, b), (x, y)))
    });
    // What is not known by one of the two may well be what the other says.
    let known = |r| r != Reach::Unknown;
    let mut pairs = alternatives.filter(|(_, (a, b))| known(a.reach) && known(b.reach));
    let (differs, (now, then)) = pairs.find(|(_, (a, b))| a.reach != b.reach)?;
    let words = |r| match r {
        Reach::Open => "open",
        Reach::Closed => "closed",
        Reach::Punched | Reach::Chance => "open only by hole punching",
        Reach::Partly => "partly open",
        Reach::Unknown => "unknown",
    };
    // The first object that the two do not share: where the configuration lets packets in, or what stops them now.
    let told = [
        Teller::new(snapshot, intended).alternative(differs.1, then),
        Teller::new(snapshot, judged).alternative(differs.0, now),
    ];
    let object = told.iter().flat_map(|a| &a.pieces).find_map(|p| {
        let step =
            p.steps.iter().find_map(|s| s.origin.clone().filter(|o| o.line.is_some() && s.action == Action::Rule));
        p.stop.as_ref().and_then(|s| s.origin.clone()).filter(|o| o.line.is_some()).or(step)
    });
    let at = object.iter().filter_map(|o| object_mark(snapshot, o));
    let what = object.as_ref().map_or_else(String::new, |o| format!(": {}", o.object));
    let source = object.as_ref().and_then(|o| snapshot.find(&o.source));
    let of_object = |l: &&Load| judged.site.texts(l.device).any(|text| Some(text) == source);
    let load = judged.site.loads.iter().find(of_object).or(judged.site.loads.first())?;
    let name = &judged.site.network.devices[load.device].name;
    let worse = |(a, b): &(&Path, &Path)| a.verdict == Verdict::Works && b.verdict != Verdict::Works;
    let loses: Vec<&str> = all().filter(worse).map(|(a, _)| &*a.id).collect();
    let change = Change {
        device: name.to_string(),
        file: String::new(),
        steps: load.steps.clone(),
        undo: load.undo.clone(),
        applicability: "by hand",
        takes: Vec::new(),
    };
    let not_now = || format!("it would take from {} what works now: change it first", loses.join(", "));
    Some(Finding {
        code: cause.code,
        severity: cause.severity,
        message: format!("{name} does not yet do what its configuration says{what}"),
        at: at.collect(),
        because: format!(
            "{} from {} is {} by the rules in force, and would be {} by the configuration",
            now.requirement.what(),
            differs.0.vantage,
            words(now.reach),
            words(then.reach)
        ),
        reason: None,
        paths: all().filter(|(a, b)| a.verdict != b.verdict).map(|(a, _)| a.id.clone()).collect(),
        change: loses.is_empty().then_some(change),
        apart: None,
        refused: (!loses.is_empty()).then(not_now),
        repairs: all()
            .filter(|(a, b)| a.verdict != b.verdict && b.verdict == Verdict::Works)
            .map(|(a, _)| a.id.clone())
            .collect(),
        verified: loses.is_empty() && intended.verdict() == Verdict::Works,
    })
}

/// An object of the configuration that is not in force.
fn object_mark(snapshot: &Snapshot, o: &Origin) -> Option<Mark> {
    let (number, source) = snapshot.sources.iter().enumerate().find(|(_, s)| s.name == o.source)?;
    let line: usize = source.text.split_inclusive('\n').take(o.line?.saturating_sub(1)).map(str::len).sum();
    let start = line + source.text[line..].chars().take(o.column?.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    let end = dialect::end_of_object(&source.text, start);
    let place_of = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let source = SourceId(u16::try_from(number).ok()?);
    let mark = place(snapshot, SourceSpan { source, start: place_of(start), end: place_of(end) })?;
    Some(Mark { label: "not in force yet".into(), ..mark })
}
