//! Links in Markdown files: where they lead, and what is wrong with them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The file that it stands in.
    pub file: PathBuf,
    /// Its line.
    pub line: usize,
    /// Where it leads.
    pub target: String,
}

/// Every Markdown file, from the root; not those of build directories and hidden ones.
///
/// # Errors
/// A directory that cannot be read.
pub fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = directory.join(&name);
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "md") {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

/// Every link of a text.
pub fn links(file: &Path, text: &str) -> Vec<Link> {
    let mut out = Vec::new();
    for (line, prose) in prose(text) {
        let mut add = |target: &str| out.push(Link { file: file.to_owned(), line, target: target.to_owned() });
        prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()).for_each(&mut add);
        let angled = |rest: &str| rest.split_once('>').map(|(address, _)| address.to_owned());
        prose.split('<').skip(1).filter_map(angled).filter(|a| a.contains("://")).for_each(|a| add(&a));
        if let Some((_, target)) = prose.strip_prefix('[').and_then(|l| l.split_once("]: ")) {
            add(target.trim());
        }
    }
    out
}

/// What is wrong with the links of every Markdown file.
///
/// # Errors
/// A file that cannot be read.
pub fn faults(root: &Path) -> io::Result<Vec<String>> {
    let mut texts = BTreeMap::new();
    for file in files(root)? {
        texts.insert(file.clone(), fs::read_to_string(root.join(&file))?);
    }
    let mut out = Vec::new();
    for (file, text) in &texts {
        for link in links(file, text) {
            if let Err(why) = follow(root, &link, &texts) {
                out.push(format!("{}:{}: {}: {why}", file.display(), link.line, link.target));
            }
        }
    }
    Ok(out)
}

/// Addresses outside of the repository, each with a place where it stands.
///
/// # Errors
/// A file that cannot be read.
pub fn external(root: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    for file in files(root)? {
        for link in links(&file, &fs::read_to_string(root.join(&file))?) {
            if link.target.contains("://") {
                out.entry(link.target).or_insert_with(|| format!("{}:{}", file.display(), link.line));
            }
        }
    }
    Ok(out)
}

fn follow(root: &Path, link: &Link, texts: &BTreeMap<PathBuf, String>) -> Result<(), String> {
    if link.target.contains(':') {
        return address(&link.target);
    }
    let (path, anchor) = link.target.split_once('#').map_or((&*link.target, None), |(path, a)| (path, Some(a)));
    let target = if path.is_empty() { link.file.clone() } else { join(&link.file, path)? };
    if !root.join(&target).exists() {
        return Err("there is no such file".into());
    }
    let Some(anchor) = anchor else { return Ok(()) };
    let text = texts.get(&target).ok_or("only Markdown files have anchors")?;
    let known = anchors(text);
    if known.iter().any(|a| a == anchor) {
        return Ok(());
    }
    Err(format!("no heading makes this anchor; there are {}", known.join(", ")))
}

/// Is it an address as we write them? Whether something answers there is not looked at.
fn address(target: &str) -> Result<(), String> {
    let rest = target.strip_prefix("https://").ok_or("addresses begin with https://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if host.split('.').count() < 2 || !host.split('.').all(label) {
        return Err(format!("`{host}` is no host name"));
    }
    if rest.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"`{}\\".contains(c)) {
        return Err("it has a character that must be escaped".into());
    }
    Ok(())
}

/// The path of a link, from the root.
fn join(file: &Path, path: &str) -> Result<PathBuf, String> {
    let mut out = file.parent().map(Path::to_path_buf).unwrap_or_default();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if out.pop() => {}
            ".." => return Err("it leads out of the repository".into()),
            part => out.push(part),
        }
    }
    Ok(out)
}

/// The anchors that headings make, as GitHub and GitLab derive them.
pub fn anchors(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (_, line) in outside_fences(text) {
        let Some((_, title)) = line.split_once(' ').filter(|(marks, _)| (1..=6).contains(&marks.len())) else {
            continue;
        };
        if !line.starts_with('#') || line.split(' ').next().is_some_and(|m| m.chars().any(|c| c != '#')) {
            continue;
        }
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug: String = kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let again =
            out.iter().filter(|a| **a == slug || a.strip_prefix(&format!("{slug}-")).is_some_and(number)).count();
        out.push(if again == 0 { slug } else { format!("{slug}-{again}") });
    }
    out
}

fn number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// Lines without fenced blocks, with their numbers.
fn outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<String> = None;
    text.lines().enumerate().filter_map(move |(n, line)| {
        let start = line.trim_start();
        let marks: String = start.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if start == *open => fence = None,
            None if marks.len() >= 3 => fence = Some(marks),
            None => return Some((n + 1, line)),
            Some(_) => {}
        }
        None
    })
}

/// Lines without fenced blocks and without code in them.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    outside_fences(text).map(|(n, line)| (n, line.split('`').step_by(2).collect::<Vec<_>>().join("`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_none() {
        let text = "[a](b.md) `[c](d.md)` <https://e.example/f>\n```\n[g](h.md)\n```\n[i]: j.md\n";
        let targets: Vec<String> = links(Path::new("x.md"), text).into_iter().map(|l| l.target).collect();
        assert_eq!(targets, ["b.md", "https://e.example/f", "j.md"]);
    }

    #[test]
    fn headings_make_anchors() {
        let text = "# What people add, and where\n## `callpath.toml`: a_b\n```\n# no\n```\n## Same\n## Same\n#no\n";
        assert_eq!(anchors(text), ["what-people-add-and-where", "callpathtoml-a_b", "same", "same-1"]);
    }

    #[test]
    fn wrong_links_are_found() {
        let texts: BTreeMap<PathBuf, String> = [(PathBuf::from("README.md"), "# A\n".to_owned())].into();
        let ask = |target: &str| {
            let link = Link { file: "docs/x.md".into(), line: 1, target: target.to_owned() };
            follow(&crate::root(), &link, &texts)
        };
        for good in ["../README.md", "../README.md#a", "../crates/", "https://example.org/a#b"] {
            assert_eq!(ask(good), Ok(()), "{good}");
        }
        for bad in ["README", "../README.md#b", "../../README.md", "http://example.org", "https://example", "ftp:x"] {
            assert!(ask(bad).is_err(), "{bad}");
        }
    }
}
