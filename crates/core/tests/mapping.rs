//! A list of mappings in braces, one for each flow: as much of YAML as files of fates need.

use std::collections::BTreeMap;

/// The mappings of a text, comments left out.
pub fn mappings(text: &str) -> Vec<BTreeMap<String, String>> {
    let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.split("- {").skip(1).map(mapping).collect()
}

/// `key: value, key: 'value', key: [list]` up to the closing brace.
fn mapping(item: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut rest = item;
    while let Some((key, after)) = rest.split_once(':') {
        let after = after.trim_start();
        let (value, next) = match after.as_bytes().first() {
            Some(b'\'') => {
                let end = quoted(after);
                (after[1..end].replace("''", "'"), &after[end + 1..])
            }
            Some(b'[') => {
                let mut end = 1;
                while !after[end..].starts_with(']') {
                    end += if after[end..].starts_with('\'') { quoted(&after[end..]) + 1 } else { 1 };
                }
                (after[1..end].to_owned(), &after[end + 1..])
            }
            Some(b'"') => {
                let end = after[1..].find('"').map_or(after.len() - 1, |i| i + 1);
                (after[1..end].to_owned(), &after[end + 1..])
            }
            _ => {
                let end = after.find([',', '}']).unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        out.insert(key.trim_matches([' ', ',', '{']).to_owned(), value);
        rest = next.trim_start_matches(',');
        if rest.trim_start().starts_with('}') {
            break;
        }
    }
    out
}

/// Where the quote that begins a text is closed.
fn quoted(text: &str) -> usize {
    let mut end = 1;
    loop {
        end += text[end..].find('\'').expect("a closing quote");
        if !text[end + 1..].starts_with('\'') {
            return end;
        }
        end += 2;
    }
}
