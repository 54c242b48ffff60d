//! Words for a fuzzer: what its seeds are made of.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// More words make each one rarer.
const MOST: usize = 400;

/// Writes the most common words of the seeds.
pub fn write(seeds: &Path, into: &Path, target: &str) -> Result<(), String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fs::read_dir(seeds).map_err(|e| format!("{}: {e}", seeds.display()))?.flatten() {
        // Choices are no text.
        let Ok(text) = fs::read_to_string(entry.path()) else { continue };
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
        for word in text.split(|c| !plain(c)).filter(|w| (2..=32).contains(&w.len())) {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    let mut words: Vec<(&String, &usize)> = counts.iter().collect();
    words.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), *word));
    let mut out = String::new();
    for (word, _) in words.into_iter().take(MOST) {
        let word = word.trim_matches(['.', ':', '-']);
        let elements = target == "config_xml" && word.starts_with(|c: char| c.is_ascii_alphabetic());
        let forms = if elements { vec![format!("<{word}>"), format!("</{word}>")] } else { vec![word.to_owned()] };
        for form in forms.iter().filter(|f| !f.is_empty()) {
            let _ = writeln!(out, "\"{form}\"");
        }
    }
    fs::write(into, out).map_err(|e| format!("{}: {e}", into.display()))
}
