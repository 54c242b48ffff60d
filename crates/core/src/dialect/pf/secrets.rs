//! What is kept of pf's rules: statements. Comments go; texts in quotes stay where a name, a file or a value stands.

use super::text::HARMLESS_OPTIONS;
use crate::secrets::{finish, hide, hide_in, in_code, in_text};

/// Words before a text in quotes that is a name, a file or a value (pf.conf(5)).
const BEFORE: &[&str] = &[
    "=",
    "!=",
    "!",
    "anchor",
    "binat-anchor",
    "file",
    "from",
    "hostid",
    "load",
    "loginterface",
    "nat-anchor",
    "on",
    "os",
    "rdr-anchor",
    "skip",
    "table",
    "tag",
    "tagged",
    "to",
    "(",
    "{",
    ",",
    "queue",
    "on {",
];

/// Options of pf that change what becomes of packets (pf.conf(5), OPTIONS). In other languages `set` begins lines with
/// passwords.
const OPTIONS: &[&str] = &["block-policy", "skip", "state-defaults", "state-policy"];

/// Words that begin a statement. Of other lines is kept the word alone that messages name.
const STATEMENTS: &[&str] = &[
    "altq",
    "anchor",
    "antispoof",
    "binat",
    "binat-anchor",
    "block",
    "load",
    "match",
    "nat",
    "nat-anchor",
    "no",
    "pass",
    "queue",
    "rdr",
    "rdr-anchor",
    "scrub",
    "set",
    "table",
];

/// Whether a line begins with these words of pf.
pub(super) fn begins(word: &str, line: &str) -> bool {
    let second = line.split_whitespace().nth(1).unwrap_or_default();
    match word {
        "set" => OPTIONS.contains(&second) || HARMLESS_OPTIONS.contains(&second),
        "no" => ["nat", "rdr", "binat", "scrub"].contains(&second),
        "table" => second.starts_with(['<', '$']),
        _ => STATEMENTS.contains(&word),
    }
}

/// Rules without secrets.
pub(in crate::dialect) fn blank(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let (mut start, mut goes_on, mut quoted) = (0, false, false);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = start + body.len();
        let mut from = start;
        if !goes_on {
            quoted = false;
            from = statement(&mut out, text, start, end);
        }
        goes_on = body.ends_with('\\');
        hide_in(&mut out, text, from..end, in_code);
        quoted = rest(&mut out, text, from..end, quoted);
        start += line.len();
    }
    finish(out)
}

/// Hides a line that is no statement; where its rest begins, of which something is kept.
fn statement(out: &mut [u8], text: &str, start: usize, end: usize) -> usize {
    let line = &text[start..end];
    let lead = line.len() - line.trim_start_matches(['\u{feff}', ' ', '\t']).len();
    let body = &line[lead..];
    let length = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(body.len());
    let word = &body[..length];
    let defines = body[length..].trim_start().starts_with('=');
    if body.is_empty() || body.starts_with(['#', '"', '$', '<', '{', '}']) || begins(word, body) {
        return start;
    }
    // The value of a macro is in quotes, or a word.
    if defines && in_text(body).is_empty() {
        return start;
    }
    let kept = if word.len() <= 32 { length } else { 0 };
    hide(&mut out[start + lead + kept..end]);
    end
}

/// The rest of a line; whether it ends inside of quotes.
fn rest(out: &mut [u8], text: &str, part: std::ops::Range<usize>, mut quoted: bool) -> bool {
    let (mut at, end) = (part.start, part.end);
    let mut word = "=";
    while at < end {
        let line = &text[at..end];
        if quoted {
            let close = closing(line);
            let inside = at..close.map_or(end, |i| at + i);
            match word {
                "label" => hide_in(out, text, inside, in_text),
                _ if BEFORE.contains(&word) => hide_in(out, text, inside, in_code),
                _ => hide(&mut out[inside]),
            }
            quoted = close.is_none();
            at = close.map_or(end, |i| at + i + 1);
            word = "";
            continue;
        }
        let Some(next) = line.find(['"', '#']) else { return false };
        let plain = line[..next].trim_end();
        if !plain.is_empty() {
            word = plain.rsplit([' ', '\t']).next().unwrap_or_default();
        }
        at += next;
        if text[at..].starts_with('#') {
            hide(&mut out[at + 1..end]);
            return false;
        }
        quoted = true;
        at += 1;
    }
    quoted
}

/// Where a quotation ends; `\"` is part of it.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate() {
        match b {
            b'"' if !escaped => return Some(i),
            _ => escaped = b == b'\\' && !escaped,
        }
    }
    None
}
