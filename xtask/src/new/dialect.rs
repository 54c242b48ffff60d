//! `cargo xtask new dialect`: the pattern `toy` under another name.

use super::{MARK, Name, Plan, before, read, with_module};
use std::path::Path;

const FOLDER: &str = "crates/core/src/dialect";

/// What the first paragraph of the pattern's documentation becomes.
fn about(name: &str) -> String {
    format!(
        "//! {name}. {MARK}: what it is, and which documentation or source says in which order its steps run.\n\
         //!\n\
         //! So far this is the pattern, a firewall of no device, under another name: nothing here is true of {name}.\n"
    )
}

/// Files and lines of a dialect.
pub fn plan(root: &Path, name: &Name) -> Result<Plan, String> {
    let list = format!("{FOLDER}/mod.rs");
    let text = with_module(&list, &read(root, &list)?, "pub ", name)?;
    let line = format!("    &{}::{},", name.snake(), name.camel());
    let text = before(&list, &text, "    &iproute::IpRoute,", &line)?;
    let mut plan = Plan { edited: vec![(list, text)], ..Plan::default() };
    let folder = format!("{FOLDER}/{}", name.snake());
    for file in ["mod.rs", "lower.rs", "change.rs", "standard.rs", "tests.rs"] {
        let pattern = read(root, &format!("{FOLDER}/toy/{file}"))?;
        let mut text = pattern.replace("toy", name.kebab()).replace("Toy", &name.camel());
        if file == "mod.rs" {
            let start = text.find("//!\n").ok_or("the pattern has no documentation")?;
            text = about(name.kebab()) + &text[start..];
            let marked = format!("outer_address: \"{MARK}: where its user sees the address of the outer interface\"");
            text = text.replace("outer_address: \"it is printed on a label, on the side of the box\"", &marked);
        }
        plan.fresh.push((format!("{folder}/{file}"), text));
    }
    plan.next = vec![
        "collect three real configurations without secrets, and the documentation (CONTRIBUTING.md: Adding a dialect)"
            .into(),
        format!("{folder}/mod.rs: ABOUT and `claims`, then `says` and `parse`"),
        format!("{folder}/lower.rs: what lines do to packets, in the order in which the device does it"),
        format!("{folder}/standard.rs: the standard situations, the same for every dialect"),
        format!("{folder}/tests.rs: a packet that passes, one that does not, a line that is not understood"),
        format!("{folder}/change.rs: what repairs it, in the device's own words, or `Refused`"),
        "`offered: true` in ABOUT, a line in README.md, LIMITATIONS.md and CHANGELOG.md".into(),
    ];
    Ok(plan)
}
