//! The scenarios: documents whose fenced blocks turn an example into a site of their own.

#[path = "../../../docs/src/blocks.rs"]
mod fences;

use callpath_core::snapshot::{Snapshot, Source};
pub use fences::{Block, example};
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The fenced blocks of a document.
pub fn blocks(text: &str) -> Vec<Block> {
    fences::blocks(text).expect("every block is closed")
}

/// The pieces between the lines that hold nothing but dots stand in the text, one after the other.
pub fn shows(shown: &[String], text: &str) -> Result<(), String> {
    let mut rest = text;
    for piece in shown.split(|l| l == "…").filter(|p| !p.is_empty()) {
        let piece = piece.join("\n");
        let at = rest.find(&piece).ok_or_else(|| format!("this is not in it:\n{piece}\nbut this is:\n{text}"))?;
        rest = &rest[at + piece.len()..];
    }
    Ok(())
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

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("directory");
    for entry in fs::read_dir(from).expect("example") {
        let (path, to) = entry.map(|e| (e.path(), to.join(e.file_name()))).expect("entry");
        if path.is_dir() { copy(&path, &to) } else { fs::copy(&path, &to).map(|_| ()).expect("copy") }
    }
}

/// A scenario's folder: the example with the scenario's changes.
pub fn lay_out(name: &str, text: &str, blocks: &[Block], dir: &Path) {
    copy(&root().join("examples").join(example(text)), dir);
    for block in blocks {
        let Some((kind, file)) = block.info.split_once(' ') else { continue };
        let file = dir.join(file);
        match kind {
            "report" | "cure" | "trace" => {}
            "diff" => {
                let old = fs::read_to_string(&file).expect("a file of the example");
                fs::write(&file, edit(&old, block, name)).expect("write");
            }
            _ => fs::write(&file, block.lines.join("\n") + "\n").expect("write"),
        }
    }
}

/// Every scenario.
pub fn scenarios() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("scenarios"))
        .expect("scenarios")
        .map(|e| e.expect("entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "md") && !p.ends_with("README.md"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "there are scenarios");
    files
}

/// The folder as the library reads it.
pub fn snapshot(dir: &Path) -> Snapshot {
    let read = |file: &str| fs::read_to_string(dir.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let manifest = read("callpath.toml");
    let parsed = callpath_core::manifest::parse(&manifest).expect("manifest");
    let files: Vec<String> = parsed.files().into_iter().map(|f| f.value.clone()).collect();
    let mut sources = vec![Source { name: "callpath.toml".into(), text: manifest }];
    sources.extend(files.into_iter().map(|name| Source { text: read(&name), name }));
    Snapshot { sources, directory: String::new() }
}

/// Every example and every scenario as a directory below `work`.
pub fn sites(work: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(root().join("examples")).expect("examples") {
        let from = entry.expect("entry").path();
        let to = work.join("example").join(from.file_name().expect("a name"));
        copy(&from, &to);
        out.push(to);
    }
    for path in scenarios() {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("scenario");
        let dir = work.join(&name);
        lay_out(&name, &text, &blocks(&text), &dir);
        out.push(dir);
    }
    out
}
