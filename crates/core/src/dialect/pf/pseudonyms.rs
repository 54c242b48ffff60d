//! Pseudonyms in rules, by the tokens of their reader.

use super::text::{Pieces, pieces};
use crate::redact::Redactor;

impl Redactor {
    /// The text with pseudonyms and without comments; nothing when a quotation has no end.
    pub fn pf(&mut self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = logical_end(rest);
            self.statement(&rest[..end], &mut out)?;
            rest = &rest[end..];
        }
        Some(out)
    }

    fn statement(&mut self, line: &str, out: &mut String) -> Option<()> {
        // A backslash joins two lines.
        let joined: String = line.replace("\\\r\n", "   ").replace("\\\n", "  ");
        let Pieces { words, comment } = pieces(&joined).ok()?;
        let mut at = 0;
        let mut before = "";
        for (part, quoted) in words {
            *out += &line[at..part.start];
            let word = &joined[part.clone()];
            if quoted {
                let new = self.quoted(before, &word[1..word.len() - 1])?;
                out.push('"');
                *out += &new;
                out.push('"');
            } else if before == "flags" {
                *out += if word.bytes().all(|b| b"FSRPAUEWC/".contains(&b)) { word } else { "any" };
            } else {
                *out += &self.scan(word);
            }
            before = word;
            at = part.end;
        }
        match comment {
            Some(start) => {
                *out += &line[at..=start];
                *out += &line[line.trim_end_matches(['\n', '\r']).len()..];
            }
            None => *out += &line[at..],
        }
        Some(())
    }

    fn quoted(&mut self, before: &str, body: &str) -> Option<String> {
        Some(match before {
            "label" => {
                let known = ["USER_RULE: ", "descr="].iter().find_map(|p| Some((*p, body.strip_prefix(p)?)));
                match known {
                    Some((known, rest)) => known.to_owned() + &self.text(rest),
                    None if body.contains('=') || body.starts_with("id:") => self.scan(body),
                    None => self.text(body),
                }
            }
            "file" | "load" => self.path(body),
            // A macro holds parts of rules.
            "=" if !body.contains('\\') => {
                let mut out = String::new();
                self.statement(body, &mut out)?;
                out
            }
            _ => self.scan(body),
        })
    }
}

/// Where a line ends, with those that a backslash joins to it.
fn logical_end(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') {
            break;
        }
    }
    at
}
