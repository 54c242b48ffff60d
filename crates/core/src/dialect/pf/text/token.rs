//! Words of a line.

use std::ops::Range;

/// The words of a line with their places, whether each is in quotes (the place is with them), and where its comment begins.
pub(crate) struct Pieces {
    pub words: Vec<(Range<usize>, bool)>,
    pub comment: Option<usize>,
}

/// Splits a line into words; a comment ends it. Quoted texts are words without their quotes.
///
/// # Errors
/// A quotation without an end.
pub(super) fn tokens(line: &str) -> Result<Vec<String>, String> {
    let word = |(at, quoted): (Range<usize>, bool)| {
        if quoted { line[at.start + 1..at.end - 1].replace("\\\"", "\"") } else { line[at].to_owned() }
    };
    Ok(pieces(line)?.words.into_iter().map(word).collect())
}

/// Where the words of a line stand.
///
/// # Errors
/// A quotation without an end.
pub(crate) fn pieces(line: &str) -> Result<Pieces, String> {
    let mut words = Vec::new();
    // Where the word begins that is not at its end.
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let next = at + c.len_utf8();
        let follows = line[next..].chars().next();
        let word = open.map_or("", |start| &line[start..at]);
        let flush = |open: &mut Option<usize>, words: &mut Vec<_>, end: usize| {
            words.extend(open.take().map(|start| (start..end, false)));
        };
        let mut end = next;
        match c {
            '#' => {
                flush(&mut open, &mut words, at);
                return Ok(Pieces { words, comment: Some(at) });
            }
            c if c.is_whitespace() => flush(&mut open, &mut words, at),
            '"' => {
                flush(&mut open, &mut words, at);
                end = next + closing(&line[next..]).ok_or("a quotation has no end")? + 1;
                words.push((at..end, true));
            }
            '{' | '}' | '(' | ')' | ',' => {
                flush(&mut open, &mut words, at);
                words.push((at..end, false));
            }
            '!' | '=' | '>' | '<' if !(c == '<' && follows.is_some_and(|n| n.is_alphanumeric() || n == '_')) => {
                // The end of a table's name, and `->`.
                if c == '>' && (word.starts_with('<') || word == "-") {
                    flush(&mut open, &mut words, end);
                } else {
                    flush(&mut open, &mut words, at);
                    // Operators: `><`, `<>`, `>=`, `<=`, `!=`, `=`, `!`.
                    if let Some(n) = follows
                        && matches!((c, n), ('>', '<' | '=') | ('<', '>' | '=') | ('!', '='))
                    {
                        end += n.len_utf8();
                    }
                    words.push((at..end, false));
                }
            }
            _ => {
                open.get_or_insert(at);
            }
        }
        at = end;
    }
    words.extend(open.map(|start| (start..line.len(), false)));
    Ok(Pieces { words, comment: None })
}

/// Where a quotation ends; `\"` is part of it.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at),
            b'\\' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            _ => at += 1,
        }
    }
    None
}
