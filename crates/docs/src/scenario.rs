//! The scenarios: what each is about, and what it shows.

use crate::blocks::{Block, blocks, example};
use std::fs;
use std::io;
use std::path::Path;

/// A file of `scenarios/`.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name: `hairpin-missing`.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// What is told before the first block.
    pub story: String,
    /// Products on the site.
    pub systems: Vec<String>,
    /// Exit code of `callpath check`.
    pub exit: u8,
    /// Codes that its report names.
    pub codes: Vec<String>,
    /// The report, or the message about the input.
    pub report: String,
}

impl Scenario {
    /// What comes of it, in a few words; the code that the reader knows already is left out.
    pub fn outcome(&self, known: &str) -> String {
        let words = match (self.exit, self.report.split_whitespace().next()) {
            (2, _) => "no answer".to_owned(),
            (_, word) => word.unwrap_or_default().to_lowercase(),
        };
        let codes: Vec<String> = self.codes.iter().filter(|c| *c != known).map(|c| format!("`{c}`")).collect();
        if codes.is_empty() { words } else { format!("{words}; {}", codes.join(", ")) }
    }

    /// Does it show a finding?
    pub fn shows(&self, code: &str) -> bool {
        self.codes.iter().any(|c| c == code)
    }

    /// The part of the report about a finding, and the changes that are printed.
    pub fn excerpt(&self, code: &str) -> (String, String) {
        if self.exit == 2 {
            return (self.report.clone(), String::new());
        }
        let starts = |l: &str| ["error[", "warning[", "note["].iter().any(|w| l.starts_with(w));
        let (mut finding, mut change) = (String::new(), String::new());
        let mut part = None;
        for line in self.report.lines() {
            if starts(line) {
                part = line.contains(&format!("[{code}]")).then_some(&mut finding);
            } else if line.starts_with("  change on ") {
                part = Some(&mut change);
            } else if line.starts_with("  taken as given") {
                break;
            }
            if let Some(part) = &mut part {
                **part += line;
                part.push('\n');
            }
        }
        (trimmed(&finding), trimmed(&change))
    }
}

fn trimmed(text: &str) -> String {
    text.trim_end().to_owned() + "\n"
}

/// Every scenario, by name.
///
/// # Errors
/// One that cannot be read.
pub fn all(root: &Path) -> io::Result<Vec<Scenario>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(root.join("scenarios"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|e| e == "md") && name != "README" {
            out.push(read(root, name, &fs::read_to_string(&path)?)?);
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

fn read(root: &Path, name: String, text: &str) -> io::Result<Scenario> {
    let unclosed = || io::Error::other(format!("scenarios/{name}.md: a block is not closed"));
    let blocks = blocks(text).ok_or_else(unclosed)?;
    let mut manifest = fs::read_to_string(root.join("examples").join(example(text)).join("callpath.toml"))?;
    let mut scenario = Scenario {
        name,
        title: text.lines().find_map(|l| l.strip_prefix("# ")).unwrap_or_default().to_owned(),
        story: String::new(),
        systems: Vec::new(),
        exit: 0,
        codes: Vec::new(),
        report: String::new(),
    };
    let told = text.split_once(&format!("# {}\n", scenario.title)).map_or("", |(_, rest)| rest);
    let told = told.split_once("```").map_or(told, |(told, _)| told);
    scenario.story = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for Block { info, lines } in blocks {
        if info == "toml callpath.toml" {
            manifest = lines.join("\n");
        } else if info == "diff callpath.toml" {
            // For names of products it is enough which lines come and go.
            for line in &lines {
                match line.split_at_checked(1) {
                    Some(("-", old)) => manifest = manifest.replacen(old, "", 1),
                    Some(("+", new)) => manifest.extend(["\n", new]),
                    _ => {}
                }
            }
        } else if let Some(rest) = info.strip_prefix("report exit ") {
            let mut parts = rest.split(", ");
            scenario.exit = parts.next().and_then(|n| n.parse().ok()).unwrap_or(2);
            let names = parts.find_map(|p| p.strip_prefix("names: ")).unwrap_or_default();
            scenario.codes = names.split_whitespace().map(str::to_owned).collect();
            scenario.report = lines.join("\n") + "\n";
        }
    }
    if let (2, Some((_, rest))) = (scenario.exit, scenario.report.split_once("callpath explain ")) {
        scenario.codes.extend(rest.split_whitespace().next().map(str::to_owned));
    }
    let named = |l: &str| Some(l.trim().strip_prefix("system")?.split('"').nth(1)?.to_owned());
    scenario.systems = manifest.lines().filter_map(named).collect();
    Ok(scenario)
}
