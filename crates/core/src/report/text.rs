//! The report for a terminal: 80 columns, the verdict first.

pub(super) mod finding;
pub(super) mod story;
pub(super) mod table;
mod trace;

use super::{Action, DoubtLine, Elsewhere, Exposure, Path, Piece, Reach, Report, Ruleset, Stop, StopKind, Verdict};
use crate::finding::Cause;
use crate::manifest::{Place, Proto, show_ranges};
use crate::model::Family;
use crate::trace::Phase;
use crate::visible::{GOES_ON, begins_an_item, hidden, item, named};
use crate::vocabulary::{PortSet, Where};
use story::Notes;
pub use trace::{expected, trace};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a line.
const WIDTH: usize = 80;

/// Characters of a list of ports that people can read.
const MOST: usize = 40;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With colours (ANSI escape sequences).
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn verdict(self, verdict: Verdict, text: &str) -> String {
        let code = match verdict {
            Verdict::Works => "32",
            Verdict::Degraded | Verdict::Unknown => "33",
            Verdict::Fails => "1;31",
        };
        self.paint(code, text)
    }

    fn reach(self, reach: Reach, text: &str) -> String {
        let code = match reach {
            Reach::Open => "32",
            Reach::Closed => "1;31",
            Reach::Punched | Reach::Chance | Reach::Partly | Reach::Unknown => "33",
        };
        self.paint(code, text)
    }
}

/// The report as text. What could not be seen in a comment or description is shown as replaced.
pub fn text(report: &Report, style: Style) -> String {
    let shown = |text: &str, own: bool| -> String {
        text.chars().map(|c| if hidden(c) && c != '\n' && !(own && c == '\u{1b}') { '\u{fffd}' } else { c }).collect()
    };
    let plain = written(report, Style { colour: false });
    // Colours only where every escape is ours.
    if style.colour && !plain.contains('\u{1b}') { shown(&written(report, style), true) } else { shown(&plain, false) }
}

fn written(report: &Report, style: Style) -> String {
    let report = &super::merged(report);
    let mut out = Writer { text: String::new(), style };
    let word = word(report.verdict);
    out.wrapped_after(&style.verdict(report.verdict, word), columns(word) + 2, &report.headline);
    if let Some(line) = finding::count(report) {
        let margin = " ".repeat(columns(word) + 2);
        for line in wrap(&line, WIDTH - margin.len()) {
            out.line(&format!("{margin}{line}"));
        }
    }
    let notes = Notes::collect(report);
    for instance in &report.instances {
        out.blank();
        let host = instance.host.join(", ");
        let told = instance.told.join(", ");
        let by = match &instance.name {
            Some(name) => format!("{name} ({told})"),
            None => told,
        };
        out.wrapped(0, &format!("{} on {host}, reached as {by}", named(&instance.label)));
        out.blank();
        out.text += &table::table(report, &instance.label, &notes, style);
    }
    for line in depends(report) {
        out.blank();
        out.wrapped(2, &line);
    }
    if let Some((text, line)) = perhaps_nobody(report) {
        out.blank();
        out.wrapped(2, &text);
        out.line(&format!("    {line}"));
    }
    finding::findings(&mut out, report, &notes);
    for (number, note) in notes.list.iter().enumerate().filter(|(_, n)| n.finding.is_none()) {
        out.blank();
        story::note(&mut out, number + 1, note);
    }
    if report.verdict == Verdict::Works && report.findings.is_empty() {
        out.section("let in by", &story::carried(report));
    }
    out.section("taken as given", &report.assumptions);
    out.section("not judged", &report.not_judged);
    for (title, lines) in exposures(report) {
        out.section(title, &lines);
    }
    out.paragraph(&closed(report));
    for (title, lines) in left_out(report) {
        out.section(&title, &lines);
    }
    out.paragraph(&rulesets(report));
    for line in unread(report) {
        out.wrapped(4, &line);
    }
    finding::explain(&mut out, report);
    out.text
}

/// The verdict as the report's first word.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fails => "FAILS",
        Verdict::Works => "WORKS",
        Verdict::Degraded => "DEGRADED",
        Verdict::Unknown => "UNKNOWN",
    }
}

/// Ports that the internet reaches though no call needs them, under their headings.
pub(super) fn exposures(report: &Report) -> Vec<(&'static str, Vec<String>)> {
    // What a finding tells is not told again; it tells only what is certain.
    let told = |code: &str| report.findings.iter().any(|f| f.code == code);
    let certain = |code: &'static str| {
        let told = told(code);
        report.exposures.iter().filter(move |e| !e.unknown && !told)
    };
    let forbidden: Vec<String> = certain("forbidden-open")
        .filter_map(|e| {
            let why = e.forbidden.as_ref()?;
            let rules = e.steps.iter().filter(|s| s.action == Action::Rule);
            let rules: Vec<String> =
                rules.filter_map(|s| Some(format!("{} {}", s.hook?, s.origin.as_ref()?.place()))).collect();
            let by = if rules.is_empty() { String::new() } else { format!("; let in by {}", rules.join(", ")) };
            let outside = way(&e.outside, e.by.as_deref());
            let at = e.at.as_ref().map_or_else(String::new, |at| format!(" of the container {at}"));
            Some(format!("{}{at}{} can be reached from the internet by {outside} ({why}){by}", e.socket, family(e)))
        })
        .collect();
    let others: Vec<String> = certain("wider-than-needed")
        .filter(|e| e.forbidden.is_none())
        .map(|e| {
            let by = match &e.by {
                None if e.socket == e.outside => String::new(),
                by => format!(" by {}", way(&e.outside, by.as_deref())),
            };
            let at = e.at.as_ref().map_or_else(String::new, |at| format!(" of the container {at}"));
            format!("{}{at}{by}{}, on the host of {}", e.socket, family(e), e.instance)
        })
        .collect();
    vec![
        ("must not be reached", forbidden),
        ("not known to be closed", unsure(report)),
        ("the internet reaches, though no call needs it", others),
        ("the internet is led to hosts that are not described", elsewhere(report)),
    ]
}

/// Ports of which nothing says that they are closed, by what is not known: those that must be, and all others.
fn unsure(report: &Report) -> Vec<String> {
    let mut groups: Vec<(Vec<&DoubtLine>, Vec<&Exposure>)> = Vec::new();
    for e in report.exposures.iter().filter(|e| e.unknown) {
        let doubts: Vec<&DoubtLine> = e.doubts.iter().collect();
        match groups.iter_mut().find(|(known, _)| *known == doubts) {
            Some((_, list)) => list.push(e),
            None => groups.push((doubts, vec![e])),
        }
    }
    let mut out = Vec::new();
    for (doubts, list) in groups {
        // Both families, or the one that alone is meant.
        let both = list.iter().any(|e| e.family == Family::V4);
        let by = if both || report.searched.iter().all(|s| s.family == Family::V6) { "" } else { " by IPv6" };
        let ports = by_protocol(list.iter().filter(|e| e.forbidden.is_some()).map(|e| &e.socket));
        let others = by_protocol(list.iter().filter(|e| e.forbidden.is_none()).map(|e| &e.socket));
        let others = match others.len() {
            0 => None,
            1..=MOST => Some(format!("{others}, which no call needs")),
            _ => Some("ports that no call needs".to_owned()),
        };
        let words: Vec<String> = Some(ports).filter(|p| !p.is_empty()).into_iter().chain(others).collect();
        let mut why: Vec<&str> = Vec::new();
        for doubt in &doubts {
            for text in [&*doubt.what, &*doubt.supply] {
                if !text.is_empty() && !why.contains(&text) {
                    why.push(text);
                }
            }
        }
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        out.push(format!("{}{by}{why}", words.join(", and ")));
    }
    out
}

/// Hosts that are not described, with the ports by which the internet is led there.
fn elsewhere(report: &Report) -> Vec<String> {
    let mut hosts: Vec<(&Elsewhere, Vec<String>)> = Vec::new();
    for e in &report.elsewhere {
        let ports = format!("{}{}", if e.unknown { "perhaps " } else { "" }, way(&e.outside, e.by.as_deref()));
        match hosts.iter_mut().find(|(known, _)| known.host == e.host) {
            Some((_, list)) => list.push(ports),
            None => hosts.push((e, vec![ports])),
        }
    }
    hosts.into_iter().map(|(e, ports)| format!("{}, by {}: not judged", e.host, ports.join(", "))).collect()
}

/// Ports outside, with the address where it is not the one that callers are told.
fn way(outside: &PortSet, by: Option<&str>) -> String {
    by.map_or_else(|| outside.to_string(), |by| format!("{outside} of {by}"))
}

/// What the internet does not reach, by the addresses and families that were asked.
pub(super) fn closed(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if report.exposures.is_empty() {
        let mut asked: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
        for s in &report.searched {
            match asked.iter_mut().find(|(by, _)| *by == s.by.as_deref()) {
                Some((_, hosts)) if hosts.contains(&&*s.host) => {}
                Some((_, hosts)) => hosts.push(&s.host),
                None => asked.push((s.by.as_deref(), vec![&s.host])),
            }
        }
        for (by, hosts) in asked {
            let by = by.map_or_else(|| asked_family(report).to_owned(), |by| format!(" by {by}"));
            lines.push(format!("nothing else on {} can be reached from the internet{by}", hosts.join(", ")));
        }
    }
    let words = by_protocol(report.closed.iter().map(|c| &c.ports));
    if !words.is_empty() {
        // What must stay closed, and of which more is said above.
        let open = report.exposures.iter().any(|e| e.forbidden.is_some());
        let rest = if open { "what else must stay closed" } else { "what must stay closed" };
        lines.push(format!("{rest} is closed{}: {words}", asked_family(report)));
    }
    lines
}

/// Protocols with their ports in order: `tcp 5432, 6379; udp 1900`.
fn by_protocol<'a>(sockets: impl Iterator<Item = &'a PortSet>) -> String {
    let mut list: Vec<(Proto, Vec<&PortSet>)> = Vec::new();
    for set in sockets {
        match list.iter_mut().find(|(proto, _)| *proto == set.proto) {
            Some((_, known)) => known.push(set),
            None => list.push((set.proto, vec![set])),
        }
    }
    for (_, sets) in &mut list {
        sets.sort_by_key(|s| s.ports.first().map(|(lo, _)| *lo));
        sets.dedup();
    }
    let shown = |(proto, sets): &(Proto, Vec<&PortSet>)| {
        let ports: Vec<String> = sets.iter().map(|s| show_ranges(&s.ports)).collect();
        format!("{} {}", proto.name(), ports.join(", "))
    };
    list.iter().map(shown).collect::<Vec<_>>().join("; ")
}

/// The family that alone was asked.
fn asked_family(report: &Report) -> &'static str {
    let asked = |family: Family| report.searched.iter().any(|s| s.family == family);
    match (asked(Family::V4), asked(Family::V6)) {
        (true, false) => " by IPv4",
        (false, true) => " by IPv6",
        _ => "",
    }
}

/// What stands below causes and changes, by title: the facts on which all of it rests.
pub(super) fn closing(report: &Report) -> Vec<(String, Vec<String>)> {
    let works = report.verdict == Verdict::Works && report.findings.is_empty();
    let mut out = vec![
        ("let in by".to_owned(), if works { story::carried(report) } else { Vec::new() }),
        ("taken as given".to_owned(), report.assumptions.clone()),
        ("not judged".to_owned(), report.not_judged.clone()),
    ];
    out.extend(exposures(report).into_iter().map(|(title, lines)| (title.to_owned(), lines)));
    out.push(("what is closed".to_owned(), closed(report)));
    out.extend(left_out(report));
    out.push(("what was understood".to_owned(), [rulesets(report), unread(report)].concat()));
    out
}

/// What hangs on the server reaching itself, where it does not.
pub(super) fn depends(report: &Report) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for path in report.paths.iter().filter(|p| p.verdict > Verdict::Works && !p.depends.is_empty()) {
        let line = format!("what depends on the server reaching its own name: {}", path.depends);
        if !out.contains(&line) {
            out.push(line);
        }
    }
    out
}

/// Where only networks fail from which perhaps nobody calls: how to say so, and the line to write.
pub(super) fn perhaps_nobody(report: &Report) -> Option<(String, String)> {
    let bad = || report.paths.iter().filter(|p| matches!(p.verdict, Verdict::Fails | Verdict::Unknown));
    let net = |p: &Path| match &p.vantage {
        Where::At(Place::Net(name)) => Some(name.clone()),
        _ => None,
    };
    if bad().next().is_none() || bad().any(|p| net(p).is_none()) {
        return None;
    }
    let mut names: Vec<String> = bad().filter_map(net).collect();
    names.sort_unstable();
    names.dedup();
    let mut others: Vec<String> = Vec::new();
    for path in report.paths.iter().filter(|p| p.verdict == Verdict::Works) {
        let place = format!("\"{}\"", path.vantage);
        let calls = matches!(path.vantage, Where::At(Place::Internet | Place::Lan | Place::Own | Place::Net(_)));
        if calls && !others.contains(&place) {
            others.push(place);
        }
    }
    let text = format!("if nobody calls from {}, say so in its [[deploy]] table:", names.join(" and "));
    Some((text, format!("clients = [{}]", others.join(", "))))
}

fn family(e: &Exposure) -> &'static str {
    if e.family == Family::V6 { " by IPv6" } else { "" }
}

/// Rules that are on, but not loaded, by device.
pub(super) fn left_out(report: &Report) -> Vec<(String, Vec<String>)> {
    let mut devices: Vec<&str> = report.left_out.iter().map(|l| &*l.device).collect();
    devices.dedup();
    let section = |device: &str| {
        let here = report.left_out.iter().filter(|l| l.device == device);
        let lines = here.map(|l| {
            let rule = if l.rule.is_empty() { String::new() } else { format!("\"{}\", ", l.rule) };
            format!("{}: {rule}{}", l.origin.place(), l.why)
        });
        (format!("on, but not loaded by {device}"), lines.collect())
    };
    devices.into_iter().map(section).collect()
}

/// How much of each ruleset was understood.
pub(super) fn rulesets(report: &Report) -> Vec<String> {
    let line = |r: &Ruleset| {
        let unread = r.statements.saturating_sub(r.understood + r.approximated);
        match (unread, r.approximated) {
            (0, 0) => format!("every one of {} statements of {} was understood", r.statements, r.source),
            (0, n) => format!("{}: {} statements understood, {n} followed both ways", r.source, r.statements),
            (n, _) => format!("{}: {n} of {} statements not understood", r.source, r.statements),
        }
    };
    report.rulesets.iter().map(line).collect()
}

/// Statements that were not understood.
pub(super) fn unread(report: &Report) -> Vec<String> {
    let shown = report.unread.iter().filter(|_| !report.rulesets.is_empty());
    shown.map(|u| format!("{}: {}", u.origin.place(), u.why)).collect()
}

/// A cause explained, for a terminal.
pub fn explained(cause: &Cause) -> String {
    let part = |(title, text): (&str, &str)| wrap(&format!("{title}: {text}"), WIDTH).join("\n") + "\n";
    cause.explain.parts().into_iter().map(part).collect()
}

/// Text with its margins.
pub(super) struct Writer {
    pub text: String,
    pub style: Style,
}

impl Writer {
    fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn line(&mut self, text: &str) {
        self.text += text.trim_end();
        self.text.push('\n');
    }

    /// A paragraph with a margin; lines after the first stand two columns further in.
    fn wrapped(&mut self, margin: usize, text: &str) {
        let mut first = true;
        for line in wrap(&item(text), WIDTH - margin - 2) {
            let pad = if first { margin } else { margin + 2 };
            self.line(&format!("{}{line}", " ".repeat(pad)));
            first = false;
        }
    }

    /// A paragraph after a word that is already as wide as the margin.
    fn wrapped_after(&mut self, word: &str, margin: usize, text: &str) {
        let mut lines = wrap(text, WIDTH - margin).into_iter();
        self.line(&format!("{word}  {}", lines.next().unwrap_or_default()));
        for line in lines {
            self.line(&format!("{}{line}", " ".repeat(margin)));
        }
    }

    /// Lines of their own, after a blank one.
    fn paragraph(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.blank();
        }
        for line in lines {
            self.wrapped(2, line);
        }
    }

    fn section(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.blank();
        self.line(&format!("  {title}"));
        for line in lines {
            self.wrapped(4, line);
        }
    }
}

/// Columns of a terminal that a text takes (Unicode Standard Annex 11).
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A paragraph in lines as wide as a report's.
pub fn paragraph(text: &str) -> String {
    wrap(&item(text), WIDTH).join("\n")
}

/// A paragraph behind a word, as a report begins.
pub(super) fn headed(word: &str, text: &str) -> String {
    let margin = word.len() + 2;
    let lines = wrap(&item(text), WIDTH - margin);
    format!("{word}  {}\n", lines.join(&format!("\n{}", " ".repeat(margin))))
}

/// Words in lines of at most `width` columns; longer words stand alone. No line begins as a step does: what would, takes
/// the word before it along, or a sign that it goes on.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let short = short_list(word);
        let word = short.as_deref().unwrap_or(word);
        let fits = |line: &&mut String| columns(line) + 1 + columns(word) <= width;
        if let Some(line) = lines.last_mut().filter(fits) {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        let mut next = word.to_owned();
        if !lines.is_empty() && begins_an_item(word) {
            let before = lines.last_mut().and_then(|line| {
                let at = line.rfind(' ').filter(|at| !begins_an_item(&line[at + 1..]))?;
                Some(line.split_off(at))
            });
            next = format!("{} {word}", before.as_deref().map_or(GOES_ON, str::trim_start));
        }
        lines.push(next);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// A list of more ports than anybody reads, by its first ones and its last. JSON has all.
fn short_list(word: &str) -> Option<String> {
    const SHOWN: usize = 4;
    const MOST: usize = 16;
    let end = word.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (list, rest) = word.split_at(end);
    let ports = list.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b'-');
    let parts: Vec<&str> = list.split(',').collect();
    (ports && parts.len() > MOST).then(|| {
        let left_out = parts.len() - SHOWN - 1;
        format!("{},…({left_out} more)…,{}{rest}", parts[..SHOWN].join(","), parts[parts.len() - 1])
    })
}

/// A text shortened to a width.
fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| c.width().is_none_or(|w| left.checked_sub(w).inspect(|l| left = *l).is_some());
    let head: String = text.chars().take_while(fits).collect();
    format!("{head}…")
}

/// The fate of a piece in few words.
pub(super) fn fate(reach: Reach, stop: Option<&Stop>) -> &'static str {
    match (reach, stop) {
        (Reach::Open, _) => "open",
        (Reach::Unknown, _) => "unknown",
        (Reach::Punched, _) => "hole punching",
        (Reach::Chance, _) => "by chance",
        (_, Some(s)) if s.kind == StopKind::WrongSource => "wrong answer",
        (_, Some(s)) if s.packet == Phase::Reply => "no answer",
        (_, Some(s)) if s.kind == StopKind::Rejected => "rejected",
        (_, Some(s)) if matches!(s.kind, StopKind::OtherHost | StopKind::OtherPort) => "goes astray",
        _ => "never arrives",
    }
}

/// Two pieces stop for the same reason.
fn same_reason(a: &Piece, b: &Piece) -> bool {
    let key = |p: &Piece| p.stop.as_ref().map(|s| (s.kind, s.packet, s.device.clone(), s.hook, s.origin.clone()));
    a.reach == b.reach && key(a) == key(b) && a.doubts == b.doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_measured_in_columns() {
        assert_eq!(wrap("路由器 e\u{301}e\u{301} x", 9), ["路由器 e\u{301}e\u{301}", "x"]);
        assert_eq!(wrap("路由器 的防", 10), ["路由器", "的防"]);
        assert_eq!(shortened("路由器", 6), "路由器");
        assert_eq!(shortened("路由器的", 6), "路由…");
    }

    #[test]
    fn a_list_of_very_many_ports_is_shortened_and_nothing_else() {
        let ports: Vec<String> = (0..1000).map(|n| (50_000 + 10 * n).to_string()).collect();
        let shown = wrap(&format!("router blocks udp {}) before it", ports.join(",")), 78).join(" ");
        assert_eq!(shown, "router blocks udp 50000,50010,50020,50030,…(995 more)…,59990) before it");
        for kept in [
            "udp 443,3478,5349-5350",
            "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
            "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,1",
        ] {
            assert_eq!(wrap(kept, 78).join(" "), kept);
        }
    }
}
