//! No decision on a sentence: where calls are judged and causes are found, no text is compared with words of a source, taken
//! apart or searched.

use crate::sources::{rust_files, without_tests};
use std::fs;
use std::path::Path;

/// Folders in which something is decided. In `report/`, texts are made to fit a page: that is told apart below.
const ROOMS: [&str; 10] =
    ["site", "call", "verdict", "diagnose", "explain", "check", "finding", "trace", "way", "report"];

/// What takes a text apart or searches it, before a literal.
const CALLS: [&str; 20] = [
    "starts_with(",
    "ends_with(",
    "contains(",
    "split(",
    "split_once(",
    "rsplit(",
    "rsplit_once(",
    "splitn(",
    "split_terminator(",
    "strip_prefix(",
    "strip_suffix(",
    "trim_start_matches(",
    "trim_end_matches(",
    "trim_matches(",
    "find(",
    "rfind(",
    "replace(",
    "matches(",
    "eq(",
    "eq_ignore_ascii_case(",
];

/// Lines that hold such a comparison and may: the file, a part of the line, and the reason.
const MAY: &[(&str, &str, &str)] = &[
    ("check/findings.rs", "name.replace('\"', \"'\")", "quotation marks of a name inside quotation marks of ours"),
    ("check/diff.rs", "starts_with(['{', '['])", "a text of the input: a listing in JSON has no lines of its own"),
    ("check/diff.rs", "starts_with('#')", "a line of the input: a comment"),
    ("site/gateway.rs", "&*i.name != \"lo\"", "the loopback interface, by its name in the input"),
    ("site/server.rs", "&*i.name != \"lo\"", "the loopback interface, by its name in the input"),
    ("site/gateway.rs", "name.rsplit('/')", "the last part of a file's name"),
    ("trace/refuse.rs", "kind == \"tcp reset\"", "a name of the input: how nftables rejects"),
    ("trace/route.rs", "name == \"lo\"", "the loopback interface, by its name in the input"),
    ("report/github.rs", "replace(", "signs that mean something to the runner"),
    ("report/sarif.rs", "starts_with('/')", "a file's name as an address"),
    ("report/sarif.rs", "replace(", "signs that mean something to its readers"),
    ("report/markdown.rs", "'`'", "signs that are markup"),
    ("report/markdown.rs", "contains(['|', '\\\\', '\\n'])", "signs that are markup"),
    ("report/markdown.rs", "\"://\"", "signs that are markup"),
    ("report/markdown.rs", "\"www.\"", "signs that are markup"),
    ("report/html/lanes.rs", "replace(\" -> \", \" → \")", "an arrow as in the picture"),
    ("report/text.rs", "'\\u{1b}'", "signs that a terminal obeys"),
    ("report/text.rs", "rfind(' ')", "words of a line"),
    ("report/text.rs", "list.split(',')", "a list of ports that is too long for a line"),
    ("report/text/finding.rs", "trim_end_matches('.')", "the stop at the end of a sentence"),
    ("report/text/finding.rs", "replace('\\t', \"    \")", "tabs of a line"),
    ("report/text/finding.rs", "trim_start_matches([',', ' ', ':'])", "signs between a page and a button"),
];

/// The line compares a text with a literal, or takes it apart.
fn decides(line: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with("//") {
        return false;
    }
    let literal = |rest: &str| {
        let rest = rest.trim_start_matches(['&', '*', '[', '(', ' ']);
        rest.starts_with(['"', '\'']) && !rest.starts_with("'_") && !rest.starts_with("'static")
    };
    let equal = ["== ", "!= "]
        .iter()
        .any(|op| code.split(op).skip(1).any(|rest| rest.starts_with('"') || rest.starts_with("&\"")))
        || ["\" ==", "\" !="].iter().any(|op| code.contains(op));
    let called = CALLS.iter().any(|call| {
        let dotted = format!(".{call}");
        code.split(&dotted).skip(1).any(literal)
    });
    // An arm of a `match` on a text.
    let arm = code.split_once(" =>").is_some_and(|(pattern, _)| pattern.contains('"'));
    let matched = code.contains("matches!(") && code.split("matches!(").skip(1).any(|rest| rest.contains(", \""));
    equal || called || arm || matched
}

#[test]
fn nothing_is_decided_on_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut used = vec![false; MAY.len()];
    let mut wrong = Vec::new();
    for room in ROOMS {
        let files = rust_files(&root.join(room));
        assert!(files.len() > 1, "{room} has {} files", files.len());
        for path in files.iter().filter(|p| !p.ends_with("codes.rs") && !p.to_string_lossy().ends_with("tests.rs")) {
            let text = fs::read_to_string(path).expect("a source");
            let name = path.strip_prefix(&root).expect("inside").to_string_lossy().replace('\\', "/");
            for (number, line) in without_tests(&text).lines().enumerate().filter(|(_, l)| decides(l)) {
                let may = MAY.iter().position(|(file, part, _)| *file == name && line.contains(part));
                match may {
                    Some(n) => used[n] = true,
                    None => wrong.push(format!("{name}:{}: {}", number + 1, line.trim())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "a decision on words:\n{}", wrong.join("\n"));
    let unused: Vec<_> =
        MAY.iter().zip(used).filter(|(_, used)| !used).map(|((file, part, _), _)| (file, part)).collect();
    assert!(unused.is_empty(), "not needed any more: {unused:?}");
}

#[test]
fn decisions_on_words_are_seen() {
    for line in [
        "if place == \"Apply Changes\" {",
        "what if what.starts_with(\"block \") => true,",
        "let (proto, ports) = t.split_once(' ')?;",
        "(\"decides\", Lack::Alias) => \"asks for an alias\",",
        "doubt.what.contains(\"alias\")",
        "matches!(path.vantage.as_str(), \"internet\" | \"lan\")",
        "text.strip_prefix(\"arrives by \")",
        "\"udp\" == proto",
    ] {
        assert!(decides(line), "{line}");
    }
    for line in ["format!(\"{a} == {b}\")", "// it == \"this\"", "Some(x) => \"open\".to_owned(),"] {
        assert!(!decides(line), "{line}");
    }
}
