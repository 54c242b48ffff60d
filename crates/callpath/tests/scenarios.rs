//! Runs every scenario through the real program and compares the report, the exit code and the verdicts that differ from
//! the example's. `CALLPATH_BLESS=1` writes the reports anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A fenced block: what stands after the fence, and the lines in it.
struct Block {
    info: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(info), false) => {
                out.push(Block { info: info.trim().to_owned(), lines: Vec::new() });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => out.last_mut().expect("a block is open").lines.push(line.to_owned()),
            (None, false) => {}
        }
    }
    assert!(!open, "a block is not closed");
    out
}

/// Replaces the old lines of a block, which must occur once, by the new ones.
fn edit(text: &str, block: &Block, what: &str) -> String {
    let side = |skip: char| -> String {
        let lines = block.lines.iter().filter(|l| !l.starts_with(skip));
        lines.map(|l| l.get(1..).unwrap_or("").to_owned() + "\n").collect()
    };
    let (old, new) = (side('+'), side('-'));
    assert!(!old.is_empty(), "{what}: a change needs a line to hold on to");
    assert_eq!(text.matches(&old).count(), 1, "{what}: these lines must occur once:\n{old}");
    text.replacen(&old, &new, 1)
}

struct Outcome {
    report: String,
    exit: i32,
    verdicts: BTreeMap<String, String>,
}

fn run(dir: &Path) -> Outcome {
    let call = |format: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath"))
            .args(["check", "--format", format])
            .current_dir(dir)
            .output()
            .expect("callpath runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.is_empty(), "{}: {errors}", dir.display());
        (String::from_utf8(output.stdout).expect("text"), output.status.code().expect("an exit code"))
    };
    let (report, exit) = call("text");
    let json: serde_json::Value = serde_json::from_str(&call("json").0).expect("JSON");
    let paths = json["paths"].as_array().expect("paths");
    let word = |v: &serde_json::Value| v.as_str().expect("a word").to_owned();
    let verdicts = paths.iter().map(|p| (word(&p["id"]), word(&p["verdict"]))).collect();
    Outcome { report, exit, verdicts }
}

/// Paths whose verdict is not the example's; a path that the example does not have must work.
fn differing(base: &Outcome, here: &Outcome) -> Vec<String> {
    let usual = |id: &str| base.verdicts.get(id).map_or("works", |v| v);
    here.verdicts.iter().filter(|(id, v)| usual(id) != **v).map(|(id, _)| id.clone()).collect()
}

fn scenarios() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("scenarios"))
        .expect("scenarios")
        .map(|e| e.expect("entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "md") && !p.ends_with("README.md"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "there are scenarios");
    files
}

#[test]
fn every_scenario_gives_its_report() {
    let example = root().join("examples/linux-router");
    let base = run(&example);
    assert_eq!(base.exit, 0, "the example passes:\n{}", base.report);
    let bless = std::env::var_os("CALLPATH_BLESS").is_some();
    let work = std::env::temp_dir().join(format!("callpath-scenarios-{}", std::process::id()));
    let mut wrong = Vec::new();
    for path in scenarios() {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("scenario");
        let dir = work.join(&name);
        fs::create_dir_all(&dir).expect("directory");
        for entry in fs::read_dir(&example).expect("example") {
            let entry = entry.expect("entry");
            fs::copy(entry.path(), dir.join(entry.file_name())).expect("copy");
        }
        let blocks = blocks(&text);
        for block in &blocks {
            let Some((kind, file)) = block.info.split_once(' ') else { continue };
            let file = dir.join(file);
            match kind {
                "report" => {}
                "diff" => {
                    let old = fs::read_to_string(&file).expect("a file of the example");
                    fs::write(&file, edit(&old, block, &name)).expect("write");
                }
                _ => fs::write(&file, block.lines.join("\n") + "\n").expect("write"),
            }
        }
        let outcome = run(&dir);
        let differs = differing(&base, &outcome);
        let info = format!("report exit {}, differs: {}", outcome.exit, differs.join(" "));
        let info = info.trim_end().to_owned();
        let expected = blocks.iter().find(|b| b.info.starts_with("report")).expect("a report block");
        let start = text.find("```report").expect("a report block");
        if bless {
            fs::write(&path, format!("{}```{info}\n{}```\n", &text[..start], outcome.report)).expect("write");
        } else if expected.info != info || expected.lines.join("\n") != outcome.report.trim_end() {
            wrong.push(format!("{name}: now ```{info}\n{}", outcome.report));
        }
        assert!(outcome.report.lines().all(|l| l.chars().count() <= 80), "{name}: 80 columns\n{}", outcome.report);
    }
    fs::remove_dir_all(&work).expect("clean up");
    assert!(wrong.is_empty(), "{}\nCALLPATH_BLESS=1 writes the reports anew", wrong.join("\n\n"));
}

#[test]
fn each_vantage_has_a_scenario_in_which_only_its_verdict_differs() {
    let mut places: Vec<String> = Vec::new();
    for path in scenarios() {
        let text = fs::read_to_string(&path).expect("scenario");
        let blocks = blocks(&text);
        let info = &blocks.iter().find(|b| b.info.starts_with("report")).expect("a report block").info;
        let mut here: Vec<&str> = info
            .split_once("differs: ")
            .map_or("", |(_, list)| list)
            .split_whitespace()
            .filter_map(|id| id.split('/').nth(1))
            .collect();
        here.dedup();
        if let [only] = here[..] {
            places.push(only.to_owned());
        }
    }
    for place in ["internet", "lan", "net:guest0", "self", "admin"] {
        assert!(places.iter().any(|p| p == place), "{place}: no scenario in which only it differs; have {places:?}");
    }
}
