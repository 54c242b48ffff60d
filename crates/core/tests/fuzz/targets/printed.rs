//! What holds for everything that is printed, also with hostile names in it.

use callpath_core::change::Step;
use callpath_core::report::{FORMATS, Report, Style};
use callpath_core::visible;
use std::collections::BTreeSet;

/// Elements of a page that load or run something, or lead elsewhere. The page has none of them.
const FOREIGN: &[&str] = &["script", "img", "iframe", "object", "embed", "link", "form", "base", "use"];

/// A report in every format.
pub fn report(report: &Report) {
    for format in FORMATS {
        let text = (format.print)(report, Style { colour: false });
        assert!(!text.is_empty(), "{} prints nothing", format.name);
        seen(&text, format.name);
        match format.name {
            "github" => annotations(&text),
            "json" => drop(json(&text, format.name)),
            "sarif" => places(&json(&text, format.name)),
            "html" => page(&text),
            _ => {}
        }
    }
    for finding in &report.findings {
        for change in finding.change.iter().chain(&finding.apart) {
            steps(&change.steps);
            steps(&change.undo);
        }
    }
}

/// Every character is one that a reader sees. Each is asked about once, and plain ones not at all: a report has thousands.
pub fn seen(text: &str, about: &str) {
    let strange: BTreeSet<char> = text.chars().filter(|c| !(' '..='~').contains(c) && *c != '\n').collect();
    let hidden = strange.into_iter().find(|c| visible::line(c.to_string()) != c.to_string());
    assert!(hidden.is_none(), "{about} shows {hidden:?}: {text:?}");
}

/// A runner takes no other line than ours for a command.
fn annotations(text: &str) {
    let ours = |l: &str| ["::error ", "::warning ", "::notice "].iter().any(|c| l.starts_with(c));
    let other = text.lines().find(|l| !ours(l) || l.contains("##["));
    assert!(other.is_none(), "a line of the log: {other:?}");
}

fn json(text: &str, about: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{about}: {e}\n{text}"))
}

/// Places of SARIF lead out of no folder.
fn places(log: &serde_json::Value) {
    for uri in results(log).into_iter().filter_map(|o| o.get("uri")?.as_str()) {
        assert!(is_place(uri), "the place {uri:?}");
    }
}

/// Every object below the results of a SARIF log.
pub fn results(log: &serde_json::Value) -> Vec<&serde_json::Map<String, serde_json::Value>> {
    let mut out = Vec::new();
    let mut open = vec![&log["runs"][0]["results"]];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Array(list) => open.extend(list),
            serde_json::Value::Object(map) => {
                out.push(map);
                open.extend(map.values());
            }
            _ => {}
        }
    }
    out
}

/// A relative reference whose first segment holds no colon (RFC 3986, 4.2).
pub fn is_place(uri: &str) -> bool {
    let first = uri.split('/').next().unwrap_or_default();
    !uri.starts_with('/') && !first.contains(':') && uri.bytes().all(|b| b.is_ascii_graphic())
}

/// The page is well-formed, and no value became an element that does something.
fn page(text: &str) {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = match roxmltree::Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(e) => panic!("the page: {e}\n{text}"),
    };
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(!FOREIGN.contains(&name), "the page holds <{name}>");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "the page runs {}", attribute.value());
            let leads = matches!(attribute.name(), "href" | "src" | "action");
            let good = attribute.value().starts_with(['#']) || attribute.value().starts_with("https://");
            assert!(!leads || good, "the page leads to {}", attribute.value());
        }
    }
}

/// Steps: each line is one, and a command for a shell is that command alone.
pub fn steps(steps: &[Step]) {
    for step in steps {
        for line in step.lines.iter().chain([&step.place]) {
            assert!(!line.contains('\n'), "one line of steps: {line:?}");
            seen(line, "a step");
        }
        step.lines.iter().filter(|l| l.starts_with("nft ")).for_each(|line| commands(line));
    }
}

/// Lines of more than one command: how they end, and what stands between their words.
const JOINED: [(&str, &[&str]); 2] = [
    // Looks up a rule's handle, and takes the rule back.
    (
        "; done",
        &[" | grep -F ", " | sed 's/.* # handle //' | while read -r h; do nft delete rule ", " handle \"$h\"; done"],
    ),
    // Takes a table back that holds nothing else of ours.
    ("", &[" | grep -q 'comment \"' || nft delete table "]),
];

/// A command with nothing behind it, or one of the lines that are made of several.
fn commands(line: &str) {
    let fits = |(end, pieces): &&(&str, &[&str])| line.ends_with(end) && pieces.iter().all(|p| line.contains(p));
    let mut rest = line;
    for piece in JOINED.iter().find(fits).map_or(&[][..], |(_, pieces)| pieces) {
        let Some((before, behind)) = rest.split_once(piece) else { panic!("a line without `{piece}`: {line:?}") };
        alone(before);
        rest = behind;
    }
    alone(rest);
}

/// Words of a command: outside of quotation marks no character means something to a shell (POSIX, Shell
/// Command Language, 2.2 and 2.3).
fn alone(line: &str) {
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => assert!(chars.any(|c| c == '\''), "an open quotation mark: {line:?}"),
            '\\' => assert!(chars.next().is_some_and(|c| c != '\n'), "an open end: {line:?}"),
            c => {
                let plain = c.is_ascii_alphanumeric() || " _-./:,=@%+".contains(c);
                assert!(plain, "{c:?} means something to a shell: {line:?}");
            }
        }
    }
}
