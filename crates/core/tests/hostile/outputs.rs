//! Every kind of output, and what must be true of it.

use super::judges::{json, markdown, terminal, xml};
use crate::fuzz::targets::printed::{is_place, results};
use callpath_core::change::Step;
use callpath_core::ports;
use callpath_core::profile::Instance;
use callpath_core::query::{Question, Reader, parse_flow_ports};
use callpath_core::report::{self, Format, Report, Style};
use callpath_core::snapshot::{InputError, Snapshot};
use std::cell::RefCell;
use std::fmt::Write as _;

/// What was put in, and what was wrong with what came out.
pub struct Shown<'a> {
    /// The names.
    pub names: &'a [&'a str],
    /// All of it, for messages.
    pub about: &'a str,
    /// Faults, one a line.
    pub faults: RefCell<Vec<String>>,
}

impl<'a> Shown<'a> {
    pub fn new(names: &'a [&'a str], about: &'a str) -> Self {
        Self { names, about, faults: RefCell::default() }
    }

    /// Holds a fault against what was put in, with the text where it shows.
    fn fault(&self, what: impl std::fmt::Display, text: &str) {
        let whole = std::env::var_os("HOSTILE_TEXT").map_or_else(String::new, |_| format!("\n{text}"));
        self.faults.borrow_mut().push(format!("{}: {what}{whole}", self.about));
    }

    fn any(&self, what: impl Fn(&str) -> bool) -> bool {
        self.names.iter().any(|n| what(n))
    }
}

/// What begins an item, a step or a finding of ours, with a name directly behind it.
fn forged(line: &str) -> bool {
    let Some((mark, rest)) = line.trim_start().split_once(' ') else { return false };
    let number = mark.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = mark.len() > number.len() && matches!(number, "." | ")" | ":");
    // What arrows of ours point at is a file; pages of a guide stand behind `>`.
    let sign = !mark.is_empty() && ![">", "-->", ":::"].contains(&mark) && mark.chars().all(|c| "-+*#=>|:".contains(c));
    // Findings, notes and verdicts begin at the margin.
    let head = ["[1]", "error[x]:", "FAILS", "WORKS"].contains(&mark) && line.starts_with(mark);
    (item || sign || head) && rest.trim_start().starts_with("FORGED")
}

/// No line of a text for people begins as ours do and goes on with a name.
pub fn no_mark(text: &str, shown: &Shown<'_>) {
    let breaks = shown.any(|n| n.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}'));
    for line in text.lines() {
        // A line that is quoted with its number stands behind a bar.
        let quoted = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(" | ");
        if !quoted && forged(line) || breaks && line.starts_with("FORGED") {
            shown.fault(format_args!("the line {line:?}"), text);
        }
    }
}

/// What a terminal shows of a text.
fn screen(text: &str, shown: &Shown<'_>) -> String {
    terminal(text).unwrap_or_else(|e| {
        shown.fault(e, text);
        String::new()
    })
}

fn on_a_terminal(text: &str, shown: &Shown<'_>) {
    no_mark(&screen(text, shown), shown);
}

/// The same text with colours.
fn coloured(text: &str, plain: &str, shown: &Shown<'_>) {
    let seen = screen(text, shown);
    if seen != plain {
        let other = seen.lines().zip(plain.lines()).find(|(a, b)| a != b);
        shown.fault(format_args!("colours change the text: {other:?}"), text);
    }
}

/// A message of an error.
pub fn judge_error(error: &InputError, snapshot: &Snapshot, shown: &Shown<'_>) {
    let plain = error.render(snapshot, false);
    on_a_terminal(&plain, shown);
    coloured(&error.render(snapshot, true), &plain, shown);
}

/// Steps for a person, as `render` prints them.
pub fn judge_steps(steps: &[Step], notes: &[String], shown: &Shown<'_>) {
    let mut out = String::new();
    for (n, step) in steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", n + 1, step.place);
        for line in &step.lines {
            let _ = writeln!(out, "     {line}");
        }
    }
    for note in notes {
        let _ = writeln!(out, "  {note}");
    }
    let lines = steps.iter().map(|s| 1 + s.lines.len()).sum::<usize>() + notes.len();
    if out.lines().count() != lines {
        shown.fault("a step has a line more", &out);
    }
    on_a_terminal(&out, shown);
}

/// A report in one format. A new format has to be given a judge here.
pub fn judge_report(format: &Format, report: &Report, shown: &Shown<'_>) {
    let plain = (format.print)(report, Style { colour: false });
    match format.name {
        "text" => {
            on_a_terminal(&plain, shown);
            coloured(&(format.print)(report, Style { colour: true }), &plain, shown);
        }
        "json" => match (screen(&plain, shown), json(&plain)) {
            (_, Err(e)) => shown.fault(e, &plain),
            (_, Ok(read)) if read != serde_json::to_value(report).expect("a value") => {
                shown.fault("JSON says something else", &plain);
            }
            _ => {}
        },
        "html" => {
            if let Some(text) = judge_page(&plain, shown) {
                judge_values(&text, report, shown);
            }
        }
        "markdown" => judge_markdown(&plain, report, shown),
        "sarif" => judge_sarif(&plain, shown),
        "github" => {
            screen(&plain, shown);
            let ours = |l: &str| ["::error ", "::warning ", "::notice "].iter().any(|c| l.starts_with(c));
            if let Some(bad) = plain.lines().find(|l| !ours(l) || l.contains("##[")) {
                shown.fault(format_args!("the line {bad:?} of a log"), &plain);
            }
        }
        other => panic!("no judge for the format {other}"),
    }
}

/// Flows of a site: one that gets through, as far as it does, and one that does not.
pub fn judge_trace(snapshot: &Snapshot, shown: &Shown<'_>) {
    let mut reader = Reader::new(snapshot).expect("a report was made of it");
    for (from, to, ports) in [("internet", "203.0.113.9", "udp/50000-60001"), ("server", "192.0.2.1", "tcp/22")] {
        let ports = parse_flow_ports(ports).expect("ports");
        let question = Question { from: from.into(), to: to.into(), ports, source_ports: Vec::new() };
        match reader.trace(&question) {
            Ok(trace) => {
                let plain = report::trace(&trace, Style { colour: false });
                on_a_terminal(&plain, shown);
                coloured(&report::trace(&trace, Style { colour: true }), &plain, shown);
                if let Err(e) = json(&trace.json()) {
                    shown.fault(e, &plain);
                }
            }
            // A site with several servers asks which.
            Err(wrong) => assert!(wrong.iter().all(|w| !w.help.is_empty()), "{wrong:?}"),
        }
    }
}

/// A page for a browser; its text.
fn judge_page(text: &str, shown: &Shown<'_>) -> Option<String> {
    const RUN: &[&str] =
        &["script", "img", "iframe", "object", "embed", "link", "form", "base", "use", "FORGED", "PI", "Comment"];
    screen(text, shown);
    let tree = match xml(text) {
        Ok(tree) => tree,
        Err(e) => {
            shown.fault(e, text);
            return None;
        }
    };
    for name in tree.names.iter().filter(|n| RUN.contains(&n.as_str()) || n.starts_with("@on")) {
        shown.fault(format_args!("<{name}> on the page"), text);
    }
    for target in tree.targets.iter().filter(|t| !t.starts_with('#') && !t.starts_with("https://")) {
        shown.fault(format_args!("a link to {target:?}"), text);
    }
    Some(tree.text)
}

/// What the report says stands on the page as it is, with other signs around words of configurations.
fn judge_values(page: &str, report: &Report, shown: &Shown<'_>) {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '`').collect::<String>();
    let page = plain(page);
    let labels = report.instances.iter().map(|i| &*i.label);
    let findings = report.findings.iter().map(|f| &*f.message);
    for value in labels.chain(findings).chain([&*report.headline]).filter(|v| !page.contains(&plain(v))) {
        shown.fault(format_args!("the page does not hold {value:?}"), &page);
    }
}

/// Letters that a heading of ours has in any case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"`\"'".contains(*c)).collect()
}

fn judge_markdown(text: &str, report: &Report, shown: &Shown<'_>) {
    /// Titles of sections.
    const FIXED: &[&str] = &[
        "to take it back",
        "what else stops packets",
        "let in by",
        "taken as given",
        "not judged",
        "must not be reached",
        "not known to be closed",
        "the internet reaches, though no call needs it",
        "the internet is led to hosts that are not described",
        "what is closed",
        "what was understood",
    ];
    screen(text, shown);
    let page = markdown(text, true);
    let mut begins: Vec<String> = report.instances.iter().map(|i| format!("{}on", letters(&i.label))).collect();
    for finding in &report.findings {
        begins.push(letters(&format!("{}: {}", finding.severity.word(), finding.message)));
        let changes = finding.change.iter().chain(&finding.apart);
        begins.extend(changes.map(|c| letters(&format!("change on {}", c.device))));
    }
    begins.extend(report.left_out.iter().map(|l| letters(&format!("on, but not loaded by {}", l.device))));
    begins.extend(FIXED.iter().map(|t| letters(t)));
    for heading in page.headings.iter().map(|h| letters(h)) {
        if !heading.ends_with(&letters(&report.headline)) && !begins.iter().any(|b| heading.starts_with(&**b)) {
            shown.fault(format_args!("the heading {heading:?}"), text);
        }
    }
    // A name may be the first word of an item that is ours.
    if !shown.any(|n| n.trim_start_matches(|c: char| c == '`' || c.is_whitespace()).starts_with("FORGED")) {
        for item in page.items.iter().filter(|i| i.trim_start().starts_with("FORGED")) {
            shown.fault(format_args!("the item {item:?}"), text);
        }
    }
    for link in &page.links {
        shown.fault(format_args!("a link to {link:?}"), text);
    }
    for html in page.html.iter().filter(|h| !["<br>", "<!-- -->"].contains(&h.as_str())) {
        shown.fault(format_args!("HTML {html:?}"), text);
    }
}

fn judge_sarif(text: &str, shown: &Shown<'_>) {
    screen(text, shown);
    let log = match json(text) {
        Ok(log) => log,
        Err(e) => return shown.fault(e, text),
    };
    for object in results(&log) {
        if let Some(uri) = object.get("uri").and_then(|u| u.as_str()).filter(|uri| !is_place(uri)) {
            shown.fault(format_args!("a link to {uri:?}"), text);
        }
        if let Some(message) = object.get("message") {
            for link in markdown(message["text"].as_str().unwrap_or_default(), false).links {
                shown.fault(format_args!("a link to {link:?}"), text);
            }
        }
    }
}

/// A sheet of ports in each of its formats. A new one has to be given a judge here.
pub fn judge_ports(instance: &Instance, shown: &Shown<'_>) {
    for format in [ports::Format::Text, ports::Format::Markdown, ports::Format::Json, ports::Format::Html] {
        let text = ports::render(instance, format);
        match format {
            ports::Format::Text => on_a_terminal(&text, shown),
            ports::Format::Markdown => {
                screen(&text, shown);
                let page = markdown(&text, true);
                for link in page.links.iter().filter(|l| !l.starts_with("https://")).chain(&page.html) {
                    shown.fault(format_args!("a link or HTML: {link:?}"), &text);
                }
            }
            ports::Format::Json => {
                if let Err(e) = json(&text) {
                    shown.fault(e, &text);
                }
            }
            ports::Format::Html => drop(judge_page(&text, shown)),
        }
    }
}
