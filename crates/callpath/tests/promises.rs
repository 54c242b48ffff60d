//! What programs that read the JSON formats rely on: within one version, fields may come, none goes or changes its type.
//!
//! `docs/report-1.fields` lists the promises of `callpath.report/1`, a field a line: its path, its type or its words, and
//! `?` behind the path where it may be absent. Fields that are new are added with `CALLPATH_BLESS=1`; nothing takes lines
//! away. What breaks a promise needs `callpath.report/2`: another `SCHEMA`, and a list `docs/report-2.fields` of its own.

use callpath_core::report::{SCHEMA, schema};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Fields by path: whether one may be absent, and what can stand there.
type Fields = BTreeMap<String, (bool, BTreeSet<String>)>;

/// The fields of a schema. Types that contain themselves would not end; reports have none.
fn fields(root: &Value, schema: &Value, path: &str, out: &mut Fields) {
    let mut add = |word: String| {
        out.entry(path.to_owned()).or_default().1.insert(word);
    };
    if let Some(pointer) = schema["$ref"].as_str() {
        let target = root.pointer(pointer.trim_start_matches('#')).expect("a definition");
        return fields(root, target, path, out);
    }
    // What is one of some words needs no type.
    let words = schema.get("const").map(std::slice::from_ref).or_else(|| schema["enum"].as_array().map(Vec::as_slice));
    for word in words.into_iter().flatten() {
        add(word.to_string());
    }
    let kinds = schema["type"].as_array().map_or(std::slice::from_ref(&schema["type"]), Vec::as_slice);
    for kind in kinds.iter().filter_map(Value::as_str).filter(|_| words.is_none()) {
        add(kind.to_owned());
    }
    for one in ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten() {
        fields(root, one, path, out);
    }
    if schema["items"].is_object() {
        fields(root, &schema["items"], &format!("{path}[]"), out);
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        out.entry(path.clone()).or_default().0 = !required.contains(&&**name);
        fields(root, inner, &path, out);
    }
}

fn of(schema: &Value) -> Fields {
    let mut out = Fields::new();
    fields(schema, schema, "", &mut out);
    out.remove("");
    out
}

fn line(path: &str, (absent, types): &(bool, BTreeSet<String>)) -> String {
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    format!("{path}{}: {}", if *absent { "?" } else { "" }, types.join(" | "))
}

fn parse(list: &str) -> Fields {
    let field = |l: &str| {
        let (path, types) = l.split_once(": ").unwrap_or_else(|| panic!("no field: {l}"));
        let types = types.split(" | ").map(str::to_owned).collect();
        (path.trim_end_matches('?').to_owned(), (path.ends_with('?'), types))
    };
    list.lines().filter(|l| !l.starts_with('#')).map(field).collect()
}

/// Promises that do not hold any more.
fn broken(promised: &Fields, now: &Fields) -> Vec<String> {
    let mut out = Vec::new();
    for (path, was) in promised {
        match now.get(path) {
            None => out.push(format!("{path} is gone")),
            // A reader knows the types, and the words, of its version.
            Some(is) if was.1 != is.1 => out.push(format!("{} was {}", line(path, is), line(path, was))),
            Some((true, _)) if !was.0 => out.push(format!("{path} may be absent now")),
            Some(_) => {}
        }
    }
    out
}

#[test]
fn no_field_of_this_version_goes_or_changes() {
    let (name, version) =
        SCHEMA.split_once('.').and_then(|(_, s)| s.split_once('/')).expect("callpath.<name>/<version>");
    let file = format!("docs/{name}-{version}.fields");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&file);
    let list = fs::read_to_string(&path).unwrap_or_default();
    let promised = parse(&list);
    let now = of(&serde_json::from_str(&schema()).expect("JSON"));
    let broken = broken(&promised, &now);
    assert!(broken.is_empty(), "readers of {SCHEMA} rely on these; see CONTRIBUTING.md:\n{}", broken.join("\n"));
    if promised.len() == now.len() {
        return;
    }
    let fresh: Vec<&String> = now.keys().filter(|k| !promised.contains_key(*k)).collect();
    assert!(std::env::var_os("CALLPATH_BLESS").is_some(), "CALLPATH_BLESS=1 adds what is new to {file}: {fresh:?}");
    let head = format!("# Fields of {SCHEMA} that programs rely on; crates/callpath/tests/promises.rs compares.\n");
    let lines: String = now.iter().map(|(path, field)| line(path, field) + "\n").collect();
    fs::write(&path, head + &lines).expect("written");
}

#[test]
fn each_kind_of_break_is_seen() {
    let good = "/a: string\n/b?: integer | null\n/c: \"fails\" | \"works\"\n";
    assert_eq!(broken(&parse(good), &parse(&format!("{good}/d: string\n"))), Vec::<String>::new());
    for (now, why) in [
        ("/b?: integer | null\n/c: \"fails\" | \"works\"\n", "/a is gone"),
        ("/a: integer\n/b?: integer | null\n/c: \"fails\" | \"works\"\n", "/a: integer was /a: string"),
        ("/a?: string\n/b?: integer | null\n/c: \"fails\" | \"works\"\n", "/a may be absent now"),
        ("/a: string\n/b?: integer | null\n/c: \"fails\" | \"maybe\" | \"works\"\n", "/c: "),
    ] {
        let found = broken(&parse(good), &parse(now));
        assert!(found.len() == 1 && found[0].starts_with(why), "{found:?}");
    }
}

#[test]
fn the_fields_of_a_schema_are_all_there() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["list"],
        "properties": {
            "list": { "type": "array", "items": { "$ref": "#/$defs/One" } },
            "word": { "oneOf": [{ "const": "a" }, { "enum": ["b"] }] },
            "maybe": { "anyOf": [{ "$ref": "#/$defs/One" }, { "type": "null" }] }
        },
        "$defs": { "One": { "type": "object", "required": ["n"], "properties": { "n": { "type": ["integer", "null"] } } } }
    });
    let lines: Vec<String> = of(&schema).iter().map(|(path, field)| line(path, field)).collect();
    let wanted = [
        "/list: array",
        "/list[]: object",
        "/list[]/n: integer | null",
        "/maybe?: null | object",
        "/maybe/n: integer | null",
        "/word?: \"a\" | \"b\"",
    ];
    assert_eq!(lines, wanted);
}
