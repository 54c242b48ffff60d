//! `callpath check --format …`: every scenario's report in every format.

mod schema;
mod sites;

use callpath_core::call::analyze;
use callpath_core::report::{self, Report};
use serde_json::{Value, json};
use std::fs;

/// The reports of all scenarios whose input is not refused, by name.
fn reports() -> Vec<(String, Report)> {
    let work = std::env::temp_dir().join(format!("callpath-formats-{}", std::process::id()));
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
    for (name, report) in reports() {
        let value: Value = serde_json::from_str(&report.json()).expect("JSON");
        assert_eq!(schema::faults(&schema, &value), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_committed_schema_is_current() {
    let path = sites::root().join("docs/callpath.report.schema.json");
    let committed = fs::read_to_string(path).expect("the schema is committed");
    assert!(committed == report::schema(), "run `cargo run -- schema --report > docs/callpath.report.schema.json`");
}

#[test]
fn other_reports_are_not_valid() {
    let schema: Value = serde_json::from_str(&report::schema()).expect("JSON");
    let (_, report) = reports().swap_remove(0);
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
