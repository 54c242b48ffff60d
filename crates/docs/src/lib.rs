//! What is generated out of tables: reference pages, the schemas, and what a distribution brings along.
//!
//! A page is a pure function of the tables in `callpath_core`, the commands of `callpath` and the scenarios. Nothing in
//! it is written by hand: who wants another text changes the table.

mod blocks;
mod command;
mod finding;
mod index;
pub mod install;
pub mod links;
mod product;
mod scenario;

use callpath_core::{manifest, report};
use scenario::Scenario;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Directories in which every file is generated.
const WHOLLY: [&str; 2] = ["docs/products", "docs/findings"];

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it is, from the repository's root.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page, as it should be.
///
/// # Errors
/// Scenarios that cannot be read.
pub fn pages(root: &Path) -> io::Result<Vec<Page>> {
    let scenarios = scenario::all(root)?;
    let mut pages = vec![
        page("docs/callpath.schema.json", manifest::schema()),
        page("docs/callpath.report.schema.json", report::schema()),
        page("docs/commands.md", command::page(&callpath::command())),
    ];
    pages.extend(product::pages(&scenarios));
    pages.extend(finding::pages(&scenarios));
    pages.push(page("docs/README.md", index::page(root, &scenarios)));
    Ok(pages)
}

/// What is not as it should be: a line for each page that differs, is missing, or is superfluous.
///
/// # Errors
/// What cannot be read.
pub fn differences(root: &Path) -> io::Result<Vec<String>> {
    let pages = pages(root)?;
    let mut out = Vec::new();
    for page in &pages {
        match fs::read_to_string(root.join(&page.path)) {
            Ok(text) if text == page.text => {}
            Ok(text) => out.push(format!("{} differs{}", page.path, first_difference(&text, &page.text))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => out.push(format!("{} is missing", page.path)),
            Err(e) => return Err(e),
        }
    }
    out.extend(superfluous(root, &pages)?.into_iter().map(|path| format!("{path} is superfluous")));
    Ok(out)
}

/// Writes every page, and removes superfluous ones; the paths of what was changed.
///
/// # Errors
/// What cannot be written.
pub fn write(root: &Path) -> io::Result<Vec<String>> {
    let pages = pages(root)?;
    let mut out = Vec::new();
    for page in &pages {
        let path = root.join(&page.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == page.text) {
            continue;
        }
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(path, &page.text)?;
        out.push(format!("wrote {}", page.path));
    }
    for path in superfluous(root, &pages)? {
        fs::remove_file(root.join(&path))?;
        out.push(format!("removed {path}"));
    }
    Ok(out)
}

/// Files that no table speaks of any more.
fn superfluous(root: &Path, pages: &[Page]) -> io::Result<Vec<String>> {
    let mut out = Vec::new();
    for directory in WHOLLY {
        let entries = match fs::read_dir(root.join(directory)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        for entry in entries {
            let path = format!("{directory}/{}", entry?.file_name().to_string_lossy());
            if pages.iter().all(|p| p.path != path) {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

fn first_difference(is: &str, should: &str) -> String {
    let mut lines = should.lines().enumerate();
    let mut have = is.lines();
    match lines.find(|(_, line)| have.next() != Some(line)) {
        Some((n, line)) => format!(" in line {}, which should be: {line}", n + 1),
        None => ": it should end earlier".to_owned(),
    }
}

fn page(path: impl Into<String>, text: String) -> Page {
    Page { path: path.into(), text }
}

/// The first lines of a Markdown page.
fn head(from: &str, title: &str) -> String {
    format!("<!-- Written by `cargo xtask gen` out of {from}: change that, not this page. -->\n\n# {title}\n\n")
}

/// A list of scenarios with links; `up` leads to the root, `known` is the finding that the page is about.
fn list<'a>(scenarios: impl Iterator<Item = &'a Scenario>, up: &str, known: &str) -> String {
    let line = |s: &Scenario| format!("- [{}]({up}scenarios/{}.md): {}\n", s.title, s.name, s.outcome(known));
    scenarios.map(line).collect()
}

/// Text of a table as Markdown text.
fn plain(text: &str) -> String {
    text.replace('\\', "\\\\").replace('<', "&lt;").replace('*', "\\*").replace('|', "\\|")
}

/// A sentence of a text that starts lower-case and ends without a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    // The program's own name is written small everywhere.
    let first = letters.next().filter(|_| !text.starts_with("callpath ")).map(|c| c.to_uppercase().to_string());
    let first = first.unwrap_or_else(|| text.chars().take(1).collect());
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
