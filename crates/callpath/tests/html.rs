//! `callpath check --format html`: texts of a configuration are texts on the page, whatever they hold.

use crate::page::{faults, text};
use roxmltree::{Document, ParsingOptions};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What somebody might write into a description.
const NASTY: &str = "</title></svg><img src=x onerror=alert(1)><script>alert(2)</script> & \" ' \u{202e}";

/// Files of the examples.
const FILES: [&str; 6] =
    ["callpath.toml", "ruleset.nft", "ip-addr.json", "ip-route.json", "ip-6-route.json", "pfsense/config.xml"];

/// An example with other texts in one of its files, or in all; the folder.
fn site(example: &str, name: &str, edits: &[(&str, &str, &str)]) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
    let to = std::env::temp_dir().join(format!("callpath-html-{name}-{}", std::process::id()));
    fs::create_dir_all(to.join("pfsense")).expect("a folder");
    for file in FILES {
        let Ok(mut content) = fs::read_to_string(from.join(file)) else { continue };
        for (place, old, new) in edits.iter().filter(|e| e.0 == file || e.0 == "all") {
            assert!(content.contains(old) || *place == "all", "{file} holds {old}");
            content = content.replace(old, new);
        }
        fs::write(to.join(file), content).expect("write");
    }
    to
}

/// The page and the report of a folder, which is removed.
fn run(dir: &Path) -> (String, Value) {
    let call = |format: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath"))
            .args(["check", "--format", format])
            .current_dir(dir)
            .output()
            .expect("callpath runs");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let both = (call("html"), serde_json::from_str(&call("json")).expect("JSON"));
    fs::remove_dir_all(dir).expect("clean up");
    both
}

fn said(page: &str) -> String {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    text(Document::parse_with_options(page, options).expect("well-formed").root_element())
}

#[test]
fn a_description_is_no_markup() {
    let off = ("pfsense/config.xml", "<natreflection>purenat", "<natreflection>disable");
    let name = ("pfsense/config.xml", "Spokes LiveKit UDP", NASTY);
    let (page, report) = run(&site("spokes", "description", &[off, name]));
    assert_eq!(report["verdict"], "fails");
    assert_eq!(faults(&page, &report), Vec::<String>::new());
    assert!(said(&page).contains("<img src=x onerror=alert(1)><script>"), "it is shown as it stands there");
    assert!(!page.contains('\u{202e}'), "it does not turn the direction of reading");
}

#[test]
fn a_comment_of_a_rule_is_no_markup() {
    let nasty = NASTY.replace('"', "").repeat(4);
    let drop = format!("\tchain forward {{\n\t\tudp dport 50000-50100 drop comment \"{nasty}\"");
    let (page, report) = run(&site("linux-router", "comment", &[("ruleset.nft", "\tchain forward {", &drop)]));
    assert_ne!(report["verdict"], "works");
    assert_eq!(faults(&page, &report), Vec::<String>::new());
    assert!(said(&page).contains("onerror=alert(1)"), "the rule that decides is shown");
}

#[test]
fn long_addresses_stay_inside_the_picture() {
    let long = "2001:db8:1111:2222:3333:4444:5555:6666";
    let edits = [("all", "2001:db8:1::50", long), ("all", "2001:db8:1::", "2001:db8:1111:2222::")];
    let (page, report) = run(&site("linux-router", "addresses", &edits));
    assert_eq!(faults(&page, &report), Vec::<String>::new());
    assert!(page.contains(&format!("[{long}]")), "the address is drawn");
}

#[test]
fn faults_are_found() {
    let report: Value = serde_json::from_str(
        r#"{"headline": "calls work", "findings": [], "paths": [], "assumptions": [], "not_judged": []}"#,
    )
    .expect("JSON");
    let page = |body: &str| format!("<!DOCTYPE html><html><body>{body} calls work</body></html>");
    assert_eq!(faults(&page(""), &report), Vec::<String>::new());
    for body in [
        "<br>",
        "<script/>",
        "<b onclick=\"x()\"/>",
        "<a href=\"http://example.org\"/>",
        "<a href=\"#nowhere\"/>",
        "<svg viewBox=\"0 0 340 50\"/>",
        "<svg viewBox=\"0 0 340 50\" role=\"img\"><title>a</title><desc>b</desc><text x=\"330\" y=\"9\">long</text></svg>",
    ] {
        assert_eq!(faults(&page(body), &report).len(), 1, "{body}");
    }
    assert_eq!(faults("<html/>", &report).len(), 1, "it says nothing");
}
