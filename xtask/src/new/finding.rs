//! `cargo xtask new finding`: a cause with a fault and a scenario.
//!
//! As it comes it names one thing that is true and takes nothing from the causes that are there: that the internet
//! reaches a single port which only its own fault opens. Without it, `wider-than-needed` names that port.

use super::{MARK, Name, Plan, before, read, with_module};
use std::path::Path;

const FOLDER: &str = "crates/core/src/finding";
const CAUSE: &str = include_str!("../../templates/finding.rs.txt");
const PLANTED: &str = "crates/core/tests/planted.rs";
/// A fault, as the table has them.
const FAULT: &str = r#"    Fault {
        cause: "{{code}}",
        example: "linux-router",
        edits: &[(
            "ruleset.nft",
            "priority dstnat; policy accept;\n",
            "priority dstnat; policy accept;\n\t\tip daddr 203.0.113.5 tcp dport {{port}} dnat to $server\n",
        )],
    },
"#;
const SCENARIO: &str = include_str!("../../templates/finding.md");

/// Ports that stand for what a new cause will recognise: assigned to nobody who calls.
const PORTS: std::ops::Range<u16> = 2001..2100;

/// Files and lines of a cause.
pub fn plan(root: &Path, name: &Name) -> Result<Plan, String> {
    let list = format!("{FOLDER}/mod.rs");
    let file = format!("{FOLDER}/{}.rs", name.snake());
    let scenario = format!("scenarios/{}.md", name.kebab());
    if let Some(there) = [&file, &scenario].into_iter().find(|f| root.join(f).exists()) {
        return Err(format!("{there} exists; nothing was written"));
    }
    let text = with_module(&list, &read(root, &list)?, "", name)?;
    // Before the cause that would name the same.
    let text = before(&list, &text, "    &wider_than_needed::CAUSE,", &format!("    &{}::CAUSE,", name.snake()))?;
    let port = free_port(root)?;
    let faults = read(root, PLANTED)?;
    let fault = FAULT.replace("{{code}}", name.kebab()).replace("{{port}}", &port.to_string());
    let faults = before(PLANTED, &faults, "];", fault.trim_end())?;
    let fill = |template: &str| {
        let text = template.replace("{{code}}", name.kebab()).replace("{{title}}", &name.title());
        text.replace("{{port}}", &port.to_string()).replace("{{mark}}", MARK)
    };
    Ok(Plan {
        next: vec![
            format!("{FOLDER}/gap.rs: which `Gap` it is; a new kind of `Lack` is made in crates/core/src/diagnose/"),
            format!("{file}: `matches`, the first line of the finding, the severity"),
            format!("{list}: its place in CAUSES: the first that matches names a gap"),
            format!("{PLANTED}: a fault that plants it into an example"),
            format!("{file}: `explain`, for people who meet it"),
            format!("{scenario}: the story and its configuration; then CALLPATH_BLESS={} cargo test -p callpath --test it scenarios", name.kebab()),
            "cargo test -p callpath-core --test it faults (a cause that no change of a file cures is listed in crates/core/tests/faults.rs)".into(),
            "a line in CHANGELOG.md".into(),
        ],
        fresh: vec![(file, fill(CAUSE)), (scenario, fill(SCENARIO))],
        edited: vec![(list, text), (PLANTED.into(), faults)],
    })
}

/// A port that no other cause stands on.
fn free_port(root: &Path) -> Result<u16, String> {
    let failed = |e: std::io::Error| format!("{FOLDER}: {e}");
    let mut texts = String::new();
    for entry in std::fs::read_dir(root.join(FOLDER)).map_err(failed)? {
        texts += &std::fs::read_to_string(entry.map_err(failed)?.path()).map_err(failed)?;
    }
    PORTS
        .into_iter()
        .find(|p| !texts.contains(&format!("\"tcp {p}\"")))
        .ok_or_else(|| "finish some of them first".into())
}
