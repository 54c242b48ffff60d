//! The report for a terminal: 80 columns, the verdict first.

mod finding;
mod story;
mod table;

use super::{Exposure, Piece, Reach, Report, Stop, Verdict};
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

/// The report as text.
pub fn text(report: &Report, style: Style) -> String {
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
    perhaps_nobody(&mut out, report);
    finding::findings(&mut out, report, &notes);
    for (number, note) in notes.list.iter().enumerate().filter(|(_, n)| n.finding.is_none()) {
        out.blank();
        story::note(&mut out, number + 1, note);
    }
    if report.verdict == Verdict::Works && report.findings.is_empty() {
        story::carried(&mut out, report);
    }
    out.section("taken as given", &report.assumptions);
    out.section("not judged", &report.not_judged);
    exposures(&mut out, report);
    left_out(&mut out, report);
    rulesets(&mut out, report);
    finding::explain(&mut out, report);
    out.text
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fails => "FAILS",
        Verdict::Works => "WORKS",
        Verdict::Degraded => "DEGRADED",
        Verdict::Unknown => "UNKNOWN",
    }
}

fn exposures(out: &mut Writer, report: &Report) {
    let list = &report.exposures;
    if list.is_empty() {
        let mut hosts: Vec<&str> = report.instances.iter().flat_map(|i| &i.host).map(String::as_str).collect();
        hosts.dedup();
        out.blank();
        out.wrapped(2, &format!("nothing else on {} can be reached from the internet", hosts.join(", ")));
        closed(out, report);
        return;
    }
    let forbidden: Vec<String> = list
        .iter()
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
    let told = |code| report.findings.iter().any(|f| f.code == code);
    if !told("forbidden-open") {
        out.section("must not be reached", &forbidden);
    }
    let others: Vec<String> = list
        .iter()
        .filter(|e| e.forbidden.is_none())
        .map(|e| {
            let may = if e.unknown { "perhaps " } else { "" };
            let by = if e.socket == e.outside { String::new() } else { format!(" by {}", e.outside) };
            format!("{may}{}{by}{}, on the host of {}", e.socket, family(e), e.instance)
        })
        .collect();
    if !told("wider-than-needed") {
        out.section("the internet reaches, though no call needs it", &others);
    }
    if forbidden.is_empty() {
        out.blank();
        closed(out, report);
    }
}

/// Ports that must stay closed, by protocol.
fn closed(out: &mut Writer, report: &Report) {
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
    if !words.is_empty() {
        out.wrapped(2, &format!("what must stay closed is closed: {}", words.join("; ")));
    }
}

/// Where only networks fail from which perhaps nobody calls: how to say so.
fn perhaps_nobody(out: &mut Writer, report: &Report) {
    let bad = || report.paths.iter().filter(|p| matches!(p.verdict, Verdict::Fails | Verdict::Unknown));
    if bad().next().is_none() || !bad().all(|p| p.vantage.starts_with("net:")) {
        return;
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
    out.blank();
    out.wrapped(2, &format!("if nobody calls from {}, say so in its [[deploy]] table:", names.join(" and ")));
    out.line(&format!("    clients = [{}]", others.join(", ")));
}

fn family(e: &Exposure) -> &'static str {
    if e.family == "ipv6" { " by IPv6" } else { "" }
}

fn left_out(out: &mut Writer, report: &Report) {
    let mut devices: Vec<&str> = report.left_out.iter().map(|l| &*l.device).collect();
    devices.dedup();
    for device in devices {
        let here = report.left_out.iter().filter(|l| l.device == device);
        let lines: Vec<String> = here
            .map(|l| {
                let rule = if l.rule.is_empty() { String::new() } else { format!("\"{}\", ", l.rule) };
                format!("{}: {rule}{}", l.origin.place(), l.why)
            })
            .collect();
        out.section(&format!("on, but not loaded by {device}"), &lines);
    }
}

fn rulesets(out: &mut Writer, report: &Report) {
    if report.rulesets.is_empty() {
        return;
    }
    out.blank();
    for r in &report.rulesets {
        let unread = r.statements - r.understood - r.approximated;
        let left = match (unread, r.approximated) {
            (0, 0) => format!("every one of {} statements of {} was understood", r.statements, r.source),
            (0, n) => format!("{}: {} statements understood, {n} followed both ways", r.source, r.statements),
            (n, _) => format!("{}: {n} of {} statements not understood", r.source, r.statements),
        };
        out.wrapped(2, &left);
    }
    for unread in &report.unread {
        out.wrapped(4, &format!("{}: {}", unread.origin.place(), unread.why));
    }
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
fn fate(reach: Reach, stop: Option<&Stop>) -> &'static str {
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
