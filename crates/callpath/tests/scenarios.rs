//! Runs every scenario through the real program and compares the report, the exit code, the causes and the verdicts that
//! differ from the example's; then makes the printed changes and compares what comes of them. `CALLPATH_BLESS=1` writes
//! the reports anew, `CALLPATH_BLESS=<names>` those of some scenarios.

use crate::page;

use crate::sites::{blocks, example, lay_out, root, scenarios, snapshot};
use callpath_core::check::{analyze, changes};
use callpath_core::dialect::{Patch, apply};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

struct Outcome {
    /// What is printed; the message, when the input is refused.
    report: String,
    exit: i32,
    verdicts: BTreeMap<String, String>,
    /// Codes of findings, the worst first.
    codes: Vec<String>,
    /// Codes of errors.
    errors: Vec<String>,
}

fn run(dir: &Path) -> Outcome {
    let call = |format: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath"))
            .args(["check", "--format", format])
            .current_dir(dir)
            .output()
            .expect("callpath runs");
        let exit = output.status.code().expect("an exit code");
        let errors = String::from_utf8(output.stderr).expect("text");
        assert_eq!(errors.is_empty(), exit < 2, "{}: {errors}", dir.display());
        (String::from_utf8(output.stdout).expect("text"), exit, errors)
    };
    let (report, exit, refused) = call("text");
    if exit >= 2 {
        return Outcome { report: refused, exit, verdicts: BTreeMap::new(), codes: Vec::new(), errors: Vec::new() };
    }
    let json: serde_json::Value = serde_json::from_str(&call("json").0).expect("JSON");
    let paths = json["paths"].as_array().expect("paths");
    assert_eq!(page::faults(&call("html").0, &json), Vec::<String>::new(), "the page of {}", dir.display());
    let word = |v: &serde_json::Value| v.as_str().expect("a word").to_owned();
    let verdicts = paths.iter().map(|p| (word(&p["id"]), word(&p["verdict"]))).collect();
    let findings = json["findings"].as_array().expect("findings");
    let codes = findings.iter().map(|f| word(&f["code"])).collect();
    let errors = findings.iter().filter(|f| f["severity"] == "error").map(|f| word(&f["code"])).collect();
    Outcome { report, exit, verdicts, codes, errors }
}

/// Makes the changes that the report prints, and says how many and what the verdict is then. Nothing when there are none.
fn cure(dir: &Path) -> Option<(String, String)> {
    let mut site = snapshot(dir);
    let (patches, _) = changes(&site).expect("an answer");
    let mut lines = String::new();
    for (index, source) in site.sources.iter_mut().enumerate() {
        let here: Vec<&Patch> = patches.iter().filter(|(id, _)| usize::from(id.0) == index).map(|(_, p)| p).collect();
        if !here.is_empty() {
            source.text = apply(&source.text, &here).expect("the changes can be made together");
            let many = if here.len() == 1 { "change" } else { "changes" };
            writeln!(lines, "{} {many} in {}", here.len(), source.name).expect("a string");
        }
    }
    let verdict = || analyze(&site).expect("an answer").verdict.word().to_owned();
    if lines.is_empty() { None } else { Some((verdict(), lines)) }
}

/// Paths whose verdict is not the example's; a path that the example does not have must work.
fn differing(base: &Outcome, here: &Outcome) -> Vec<String> {
    let usual = |id: &str| base.verdicts.get(id).map_or("works", |v| v);
    let differ = |id: &&String| here.verdicts.get(*id).is_some_and(|v| usual(id) != v);
    let mut out: Vec<String> = Vec::new();
    for id in here.verdicts.keys().filter(differ) {
        // Where all kinds of callers of a place differ, the place is named.
        let all = here.verdicts.keys().filter(|other| place(other) == place(id)).all(|other| differ(&other));
        let name = if all { place(id) } else { id.clone() };
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// A path's id without the kind of callers.
fn place(id: &str) -> String {
    let kinds = [":public", ":home", ":symmetric", ":udp-blocked", ":app", ":listening"];
    let (path, v6) = id.strip_suffix("/v6").map_or((id, ""), |path| (path, "/v6"));
    let path = kinds.iter().find_map(|k| path.strip_suffix(k)).unwrap_or(path);
    format!("{path}{v6}")
}

/// The blocks that a scenario must end with.
fn outcome_blocks(base: &Outcome, here: &Outcome, cure: Option<&(String, String)>) -> String {
    let mut info = format!("exit {}", here.exit);
    if !here.codes.is_empty() {
        info.extend([", names: ", &here.codes.join(" ")]);
    }
    let differs = differing(base, here);
    if !differs.is_empty() {
        info.extend([", differs: ", &differs.join(" ")]);
    }
    let mut out = format!("```report {info}\n{}```\n", here.report);
    if let Some((verdict, lines)) = cure {
        out.extend(["\n```cure ", verdict, "\n", lines, "```\n"]);
    }
    out
}

#[test]
fn every_scenario_gives_its_report() {
    let bless = std::env::var("CALLPATH_BLESS").ok();
    let work = std::env::temp_dir().join(format!("callpath-scenarios-{}", std::process::id()));
    let mut bases: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut wrong = Vec::new();
    for path in scenarios() {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("scenario");
        let dir = work.join(&name);
        let blocks = blocks(&text);
        lay_out(&name, &text, &blocks, &dir);
        let base = bases.entry(example(&text).to_owned()).or_insert_with_key(|example| {
            let base = run(&root().join("examples").join(example));
            assert_eq!(base.exit, 0, "the example {example} passes:\n{}", base.report);
            base
        });
        let outcome = run(&dir);
        let cure = if outcome.exit < 2 { cure(&dir) } else { None };
        let start = text.find("```report").expect("a report block");
        let now = outcome_blocks(base, &outcome, cure.as_ref());
        if bless.as_ref().is_some_and(|b| b == "1" || b.split(',').any(|n| n == name)) {
            fs::write(&path, format!("{}{now}", &text[..start])).expect("write");
        } else if text[start..] != now {
            wrong.push(format!("{name}: now\n{now}"));
        }
        if outcome.report.contains("(checked") && cure.as_ref().is_some_and(|(verdict, _)| verdict != "works") {
            wrong.push(format!("{name}: a change that is said to be checked does not help\n{now}"));
        }
        let mut errors = outcome.errors.clone();
        errors.dedup();
        if errors.len() != outcome.errors.len() {
            wrong.push(format!("{name}: a cause is named more than once: {:?}", outcome.errors));
        }
        // Commands and lines of files must be fit to paste; everything else fits a terminal.
        let pasted = |l: &str| l.trim_start().starts_with("nft ") || l.contains("= help: ");
        let long = outcome.report.lines().find(|l| l.chars().count() > 80 && !pasted(l));
        if let Some(line) = long {
            wrong.push(format!("{name}: more than 80 columns: {line}"));
        }
    }
    fs::remove_dir_all(&work).expect("clean up");
    assert!(wrong.is_empty(), "{}\nCALLPATH_BLESS=1 writes the reports anew", wrong.join("\n\n"));
}

#[test]
fn every_cause_has_a_scenario_that_names_it() {
    for cause in callpath_core::finding::CAUSES {
        let path = root().join("scenarios").join(format!("{}.md", cause.code));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let blocks = blocks(&text);
        let report = blocks.iter().find(|b| b.info.starts_with("report")).expect("a report block");
        let names = report.info.split_once("names: ").map_or("", |(_, list)| list.split(',').next().unwrap_or(list));
        let times = names.split_whitespace().filter(|c| *c == cause.code).count();
        // Input that is refused has no findings; the message says it.
        let refused = report.info.starts_with("report exit 2") && report.lines.join("\n").contains(cause.code);
        assert!(times == 1 || refused, "{}: its scenario names {names:?}", cause.code);
    }
}

#[test]
fn each_vantage_has_a_scenario_in_which_only_its_verdict_differs() {
    let mut places: Vec<String> = Vec::new();
    for path in scenarios() {
        let text = fs::read_to_string(&path).expect("scenario");
        let blocks = blocks(&text);
        let info = &blocks.iter().find(|b| b.info.starts_with("report")).expect("a report block").info;
        let list = info.split_once("differs: ").map_or("", |(_, list)| list);
        let places_of = list.split_whitespace().map(place);
        let mut here: Vec<String> = places_of.filter_map(|id| id.split('/').nth(1).map(str::to_owned)).collect();
        here.dedup();
        if let [only] = &here[..] {
            places.push(only.clone());
        }
    }
    for place in ["internet", "lan", "net:guest0", "self", "admin"] {
        assert!(places.iter().any(|p| p == place), "{place}: no scenario in which only it differs; have {places:?}");
    }
}
