//! The messages of bad input as the source writes them, for tests that ask for a row of each.

/// Calls that begin a message.
const BEGINS: [&str; 7] =
    [".error(", "in_manifest(", "InputError::at(", "InputError::about(", "Err((", "bad(", "let message = "];

/// How far behind the call its text may begin: further on another statement has begun.
const REACH: usize = 120;

/// Every message of a source: the words between what is filled in.
pub fn in_source(source: &str) -> Vec<Vec<String>> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut out: Vec<Vec<String>> = Vec::new();
    for begin in BEGINS {
        for (at, _) in source.match_indices(begin) {
            let rest = &source[at + begin.len()..];
            let near = &rest[..rest.char_indices().map(|(n, _)| n).find(|n| *n > REACH).unwrap_or(rest.len())];
            // What is done with the error begins after its text.
            let end = near.find(".help(").or(near.find(';')).unwrap_or(near.len());
            let Some(start) = near[..end].find('"') else { continue };
            // Before it may stand a place, and that it is filled in.
            let before = near[..start].trim().trim_end_matches("format!(");
            let place = begin.starts_with("in") || begin.starts_with("In");
            if !(before.is_empty() || place && before.trim_end().ends_with(',')) {
                continue;
            }
            let words = words(&rest[start + 1..]);
            if words.iter().map(String::len).sum::<usize>() > 3 && !out.contains(&words) {
                out.push(words);
            }
        }
    }
    out
}

/// A literal up to its end, cut at what is filled in.
fn words(literal: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some(other) => out.last_mut().expect("one").push(other),
                None => break,
            },
            '{' if chars.next_if_eq(&'{').is_some() => out.last_mut().expect("one").push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => out.last_mut().expect("one").push('}'),
            '{' => {
                while chars.next().is_some_and(|c| c != '}') {}
                out.push(String::new());
            }
            other => out.last_mut().expect("one").push(other),
        }
    }
    out
}

/// A text holds a message: its words, in their order.
pub fn fits(message: &[String], text: &str) -> bool {
    let mut rest = text;
    message.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}
