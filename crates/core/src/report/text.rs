//! The report for a terminal: 80 columns, the verdict first.

pub(super) mod finding;
pub(super) mod story;
pub(super) mod table;

use super::{Exposure, Piece, Reach, Report, Ruleset, Stop, Verdict};
use crate::visible::hidden;
use story::Notes;

/// Columns of a line.
const WIDTH: usize = 80;

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
    out.wrapped_after(&style.verdict(report.verdict, word), word.chars().count() + 2, &report.headline);
    if let Some(line) = finding::count(report) {
        let margin = " ".repeat(word.chars().count() + 2);
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
        out.wrapped(0, &format!("{} on {host}, reached as {by}", instance.label));
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
    let left = |code: &'static str| {
        let told = told(code);
        report.exposures.iter().filter(move |e| e.unknown || !told)
    };
    let forbidden: Vec<String> = left("forbidden-open")
        .filter_map(|e| {
            let why = e.forbidden.as_ref()?;
            let may = if e.unknown { "may be reached" } else { "can be reached" };
            let rules = e.steps.iter().filter(|s| s.action == "rule");
            let rules: Vec<String> =
                rules.filter_map(|s| Some(format!("{} {}", s.hook?, s.origin.as_ref()?.place()))).collect();
            let by = if rules.is_empty() { String::new() } else { format!("; let in by {}", rules.join(", ")) };
            Some(format!("{}{} {may} from the internet by {} ({why}){by}", e.socket, family(e), e.outside))
        })
        .collect();
    let others: Vec<String> = left("wider-than-needed")
        .filter(|e| e.forbidden.is_none())
        .map(|e| {
            let may = if e.unknown { "perhaps " } else { "" };
            let by = if e.socket == e.outside { String::new() } else { format!(" by {}", e.outside) };
            format!("{may}{}{by}{}, on the host of {}", e.socket, family(e), e.instance)
        })
        .collect();
    vec![("must not be reached", forbidden), ("the internet reaches, though no call needs it", others)]
}

/// What the internet does not reach.
pub(super) fn closed(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if report.exposures.is_empty() {
        // By the address that was asked, where there may be others.
        let mut asked: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
        for s in &report.searched {
            match asked.iter_mut().find(|(by, _)| *by == s.by.as_deref()) {
                Some((_, hosts)) if hosts.contains(&&*s.host) => {}
                Some((_, hosts)) => hosts.push(&s.host),
                None => asked.push((s.by.as_deref(), vec![&s.host])),
            }
        }
        for (by, hosts) in asked {
            let by = by.map_or_else(String::new, |by| format!(" by {by}"));
            lines.push(format!("nothing else on {} can be reached from the internet{by}", hosts.join(", ")));
        }
    }
    // Ports that must stay closed, by protocol.
    let ports = report.closed.iter().filter_map(|c| c.split(" (").next()?.split_once(' '));
    let mut list: Vec<(&str, Vec<&str>)> = Vec::new();
    for (proto, port) in ports {
        match list.iter_mut().find(|(p, _)| *p == proto) {
            Some((_, ports)) => ports.push(port),
            None => list.push((proto, vec![port])),
        }
    }
    for (_, ports) in &mut list {
        ports.sort_by_key(|p| p.split('-').next().and_then(|p| p.parse::<u16>().ok()));
        ports.dedup();
    }
    let words: Vec<String> = list.iter().map(|(proto, ports)| format!("{proto} {}", ports.join(", "))).collect();
    if !words.is_empty() && report.exposures.iter().all(|e| e.forbidden.is_none()) {
        // Only of the families that were asked.
        let asked = |family: &str| report.searched.iter().any(|s| s.family == family);
        let six = report.instances.iter().flat_map(|i| &i.host).any(|h| h.contains(':'));
        let by = match (asked("ipv4"), asked("ipv6")) {
            (true, false) if six => " by IPv4",
            (false, true) => " by IPv6",
            _ => "",
        };
        lines.push(format!("what must stay closed is closed{by}: {}", words.join("; ")));
    }
    lines
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
    if bad().next().is_none() || !bad().all(|p| p.vantage.starts_with("net:")) {
        return None;
    }
    let mut names: Vec<&str> = bad().filter_map(|p| p.vantage.strip_prefix("net:")).collect();
    names.sort_unstable();
    names.dedup();
    let mut others: Vec<String> = Vec::new();
    for path in report.paths.iter().filter(|p| p.verdict == Verdict::Works) {
        let place = format!("\"{}\"", path.vantage);
        let calls = matches!(path.vantage.as_str(), "internet" | "lan" | "self") || path.vantage.starts_with("net:");
        if calls && !others.contains(&place) {
            others.push(place);
        }
    }
    let text = format!("if nobody calls from {}, say so in its [[deploy]] table:", names.join(" and "));
    Some((text, format!("clients = [{}]", others.join(", "))))
}

fn family(e: &Exposure) -> &'static str {
    if e.family == "ipv6" { " by IPv6" } else { "" }
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
        for line in wrap(text, WIDTH - margin - 2) {
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

/// Words in lines of at most `width` columns; longer words stand alone.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// A text shortened to a width.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let head: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{head}…")
}

/// The fate of a piece in few words.
pub(super) fn fate(reach: Reach, stop: Option<&Stop>) -> &'static str {
    match (reach, stop) {
        (Reach::Open, _) => "open",
        (Reach::Unknown, _) => "unknown",
        (Reach::Punched, _) => "hole punching",
        (Reach::Chance, _) => "by chance",
        (_, Some(s)) if s.kind == "wrong-source" => "wrong answer",
        (_, Some(s)) if s.packet == "reply" => "no answer",
        (_, Some(s)) if s.kind == "rejected" => "rejected",
        (_, Some(s)) if s.kind == "other-host" || s.kind == "other-port" => "goes astray",
        _ => "never arrives",
    }
}

/// Two pieces stop for the same reason.
fn same_reason(a: &Piece, b: &Piece) -> bool {
    let key = |p: &Piece| p.stop.as_ref().map(|s| (s.kind, s.packet, s.device.clone(), s.hook, s.origin.clone()));
    a.reach == b.reach && key(a) == key(b) && a.doubts == b.doubts
}
