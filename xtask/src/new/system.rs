//! `cargo xtask new system`: the profile of a product.

use super::{MARK, Name, Plan, read};
use std::path::Path;

const TEMPLATE: &str = include_str!("../../templates/system.toml");
const PROFILES: &str = "crates/core/src/profile/mod.rs";
const DOCUMENTS: &str = "crates/core/src/profile/documents.rs";

/// Files and lines of a product.
pub fn plan(root: &Path, name: &Name) -> Result<Plan, String> {
    let (kebab, file) = (name.kebab(), format!("profiles/{}.toml", name.kebab()));
    if root.join(&file).exists() {
        return Err(format!("{file} exists; nothing was written"));
    }
    let list = read(root, PROFILES)?;
    let line = format!("    (\"{kebab}\", include_str!(\"../../../../{file}\")),");
    let list = at_end(PROFILES, &list, "pub const PROFILES: ", &line)?;
    let documents = read(root, DOCUMENTS)?;
    // The same ports as in the template, written a second time as for every product.
    let line = format!(
        "    // {MARK}: by hand, from the document.\n    (\"{kebab}\", \"docker\", \"443/tcp 45000-45099/udp\", \"\"),"
    );
    let documents = at_end(DOCUMENTS, &documents, "const DOCUMENTS: ", &line)?;
    let text = TEMPLATE.replace("{{name}}", kebab).replace("{{title}}", &name.title()).replace("{{mark}}", MARK);
    Ok(Plan {
        next: vec![
            format!("{file}: `documents` first, then what they say: modes, parameters, rows, `told`"),
            format!("{DOCUMENTS}: the ports once more, by hand"),
            format!("callpath ports {kebab}, and read it beside the document"),
            format!("callpath init --system {kebab} beside a router's files: an example in examples/ if it is special"),
            "a line in README.md and CHANGELOG.md".into(),
        ],
        fresh: vec![(file, text)],
        edited: vec![(PROFILES.to_owned(), list), (DOCUMENTS.to_owned(), documents)],
    })
}

/// The text with a line at the end of a table.
fn at_end(file: &str, text: &str, table: &str, line: &str) -> Result<String, String> {
    let end = text.split_once(table).and_then(|(head, rest)| Some(head.len() + table.len() + rest.find("\n];\n")?));
    let end = end.ok_or_else(|| format!("{file}: no `{table}`; nothing was written"))?;
    Ok(format!("{}\n{line}{}", &text[..end], &text[end..]))
}
