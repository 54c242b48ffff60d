//! `callpath check --format …`: every scenario's report in every format.

use crate::schema;
use crate::sites;

use callpath_core::check::analyze;
use callpath_core::report::{self, FORMATS, Report, Style};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// The reports of all scenarios whose input is not refused, by name. Tests run at once: each has a folder of its own.
fn reports(of: &str) -> Vec<(String, Report)> {
    let work = std::env::temp_dir().join(format!("callpath-formats-{of}-{}", std::process::id()));
    let mut out = Vec::new();
    for path in sites::scenarios() {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("scenario");
        let dir = work.join(&name);
        sites::lay_out(&name, &text, &sites::blocks(&text), &dir);
        if !text.contains("```report exit 2") {
            out.push((name, analyze(&sites::snapshot(&dir)).expect("an answer")));
        }
    }
    fs::remove_dir_all(&work).expect("clean up");
    assert!(out.len() >= 50, "most scenarios have reports");
    out
}

/// The table of formats: each scenario's report in each of them.
#[test]
fn every_scenario_in_every_format() {
    let schema: Value = serde_json::from_str(&report::schema()).expect("JSON");
    for ((name, report), (_, again)) in reports("once").into_iter().zip(reports("again")) {
        for format in FORMATS {
            let shown = print(format.name, &report);
            let what = format!("{name} as {}", format.name);
            assert!(shown.ends_with('\n'), "{what}: ends with a line");
            assert_eq!(shown, print(format.name, &again), "{what}: each run says the same");
            let words: Vec<&str> = report.headline.split(' ').take(2).collect();
            assert!(shown.contains(&words.join(" ")), "{what}: it says the headline\n{shown}");
            let faults = match format.name {
                "json" => schema::faults(&schema, &serde_json::from_str(&shown).expect("JSON")),
                "markdown" => markdown_faults(&shown),
                "sarif" => sarif_faults(&shown, &report),
                "github" => github_faults(&shown, &report),
                _ => Vec::new(),
            };
            assert_eq!(faults, Vec::<String>::new(), "{what}\n{shown}");
        }
    }
}

fn print(format: &str, report: &Report) -> String {
    let format = FORMATS.iter().find(|f| f.name == format).expect("a format");
    (format.print)(report, Style { colour: false })
}

/// Markup that is not ours, and blocks that do not end.
fn markdown_faults(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let start = line.trim_start();
        match fence {
            Some(f) if start == f => fence = None,
            Some(_) => {}
            None if start.starts_with("```") => fence = Some(start),
            None => {
                let prose: String = line.split('`').step_by(2).collect();
                if prose.replace("<br>", "").replace("<!-- -->", "").contains('<') {
                    out.push(format!("HTML: {line}"));
                }
            }
        }
    }
    out.extend(fence.map(|f| format!("a block is not closed: {f}")));
    out
}

/// What code scanning needs of each result.
fn sarif_faults(text: &str, report: &Report) -> Vec<String> {
    let log: Value = serde_json::from_str(text).expect("JSON");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    let mut out = Vec::new();
    if log["version"] != "2.1.0" || results.len() != report.findings.len() {
        out.push("one result for each finding".to_owned());
    }
    for (result, finding) in results.iter().zip(&report.findings) {
        let rule = result["ruleIndex"].as_u64().and_then(|n| rules.get(usize::try_from(n).ok()?));
        if rule.is_none_or(|r| r["id"] != finding.code) {
            out.push(format!("{}: the rule is another one", finding.code));
        }
        let place = &result["locations"][0]["physicalLocation"];
        if let Some(mark) = finding.at.first().filter(|m| m.line.is_some()) {
            let region = &place["region"];
            if region["startLine"] != json!(mark.line) || region["startColumn"] != json!(mark.column) {
                out.push(format!("{}: another place: {place}", finding.code));
            }
        }
    }
    out
}

/// Each line is a command, with what it is about.
fn github_faults(text: &str, report: &Report) -> Vec<String> {
    let command = |l: &&str| ["::error ", "::warning ", "::notice "].iter().all(|c| !l.starts_with(c));
    let mut out: Vec<String> = text.lines().filter(command).map(|l| format!("no command: {l}")).collect();
    let own = text.lines().filter(|l| l.contains("title=callpath::")).count();
    let verdict = text.lines().last().is_some_and(|l| l.contains(report.verdict.word()));
    if text.lines().count() - own != report.findings.len() || !verdict {
        out.push("a line for each finding, and one for the verdict at the end".to_owned());
    }
    out
}

/// What somebody might write into a description.
const NASTY: &str =
    "</title><img src=x onerror=alert(1)> ``` ~~~ | [a](http://b.example) **c** @d #1 %0A::error::x ` \u{202e}";

#[test]
fn texts_of_a_configuration_are_no_markup() {
    let mut site = sites::snapshot(&sites::root().join("examples/linux-router"));
    let rules = site.sources.iter_mut().find(|s| s.name == "ruleset.nft").expect("rules");
    let drop = format!("\tchain forward {{\n\t\tudp dport 50000-50100 drop comment \"{NASTY}\"");
    rules.text = rules.text.replacen("\tchain forward {", &drop, 1);
    let report = analyze(&site).expect("an answer");
    assert!(report.json().contains("onerror"), "the rule that decides is shown");
    let shown = print("markdown", &report);
    assert!(shown.contains("onerror"), "here too");
    assert_eq!(markdown_faults(&shown), Vec::<String>::new(), "{shown}");
    assert!(!shown.contains('\u{202e}'), "it does not turn the direction of reading");
    let shown = print("github", &report);
    assert_eq!(github_faults(&shown, &report), Vec::<String>::new(), "{shown}");
    assert!(!shown.contains("%0A::error"), "escapes are escaped: {shown}");
    assert_eq!(sarif_faults(&print("sarif", &report), &report), Vec::<String>::new());
}

#[test]
fn the_program_offers_every_format() {
    let site = sites::root().join("examples/linux-router");
    for format in FORMATS {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath"))
            .args(["check", "--format", format.name])
            .current_dir(&site)
            .output()
            .expect("callpath runs");
        assert_eq!(output.status.code(), Some(0), "{}", format.name);
        let report = analyze(&sites::snapshot(&site)).expect("an answer");
        assert_eq!(String::from_utf8(output.stdout).expect("text"), print(format.name, &report));
    }
}

#[test]
fn other_reports_are_not_valid() {
    let schema: Value = serde_json::from_str(&report::schema()).expect("JSON");
    let (_, report) = reports("other").swap_remove(0);
    let good: Value = serde_json::from_str(&report.json()).expect("JSON");
    for (pointer, value) in [
        ("/schema", json!("callpath.report/2")),
        ("/verdict", json!("perhaps")),
        ("/headline", json!(1)),
        ("/paths/0", json!({ "id": "x" })),
        ("/paths/0/legs/0/kind", json!(null)),
        ("/tool", json!({ "name": "callpath", "version": "1", "more": true })),
        ("/rulesets/0/statements", json!(-1)),
    ] {
        let mut other = good.clone();
        *other.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        assert_ne!(schema::faults(&schema, &other), Vec::<String>::new(), "{pointer}");
    }
}
