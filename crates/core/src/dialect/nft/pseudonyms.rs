//! Pseudonyms in rules as text, by the tokens of their reader.

use super::text::{Kind, pieces};
use crate::redact::Redactor;
use std::net::IpAddr;
use std::ops::Range;

impl Redactor {
    /// The text with pseudonyms and without comments; nothing when it cannot be cut into tokens.
    pub fn nft(&mut self, text: &str) -> Option<String> {
        let tokens = pieces(text)?;
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        // The word before, the last address, and whether a number is one here.
        let mut before = "";
        let mut from: Option<IpAddr> = None;
        let mut addressed = false;
        for (n, (kind, part)) in tokens.iter().enumerate() {
            let between = &text[at..part.start];
            match kind {
                Kind::Handle => gap(between, false, " handle ", &mut out),
                Kind::Xt => gap(between, false, " xt_", &mut out),
                _ => gap(between, at == 0, "", &mut out),
            }
            let word = &text[part.clone()];
            let next = |k: usize| tokens.get(n + k).map_or("", |(_, part)| &text[part.clone()]);
            match kind {
                Kind::Address => match word.parse::<IpAddr>() {
                    Ok(ip) => {
                        let bits = if next(1) == "/" { next(2).parse().ok() } else { None };
                        out += &self.address(ip, bits, from.filter(|_| before == "-"));
                        from = Some(ip);
                    }
                    Err(_) => out += &self.hardware(word),
                },
                Kind::Quoted => {
                    let body = &word[1..word.len() - 1];
                    let new = match before {
                        "comment" | "prefix" => self.text(body),
                        "include" => self.path(body),
                        _ => self.scan(body),
                    };
                    out.push('"');
                    out += &new;
                    out.push('"');
                }
                Kind::Word if before == "comment" => out += &self.text(word),
                // A class of traffic: two hexadecimal numbers.
                Kind::Word if is_class(text, &tokens, n) => out += word,
                Kind::Number if addressed => out += &self.address_number(word),
                Kind::Word | Kind::Number | Kind::Xt => out += &self.of_word(word),
                Kind::Variable => {
                    out.push('$');
                    out += &self.word(&word[1..]);
                }
                Kind::Sign | Kind::Newline | Kind::Handle | Kind::End => out += word,
                Kind::Junk => out.push('?'),
            }
            addressed = match word {
                "saddr" | "daddr" | "nexthop" => true,
                "nh" | "ih" | "ll" => addressed || before == "@",
                "\n" | ";" | "accept" | "drop" | "mark" | "dport" | "sport" => false,
                _ => addressed,
            };
            before = word;
            at = part.end;
        }
        gap(&text[at..], at == 0, "", &mut out);
        Some(out)
    }

    /// A word of a rule; one may end in `*`.
    fn of_word(&mut self, word: &str) -> String {
        match word.strip_suffix('*').filter(|stem| !stem.is_empty() && *stem != "\\") {
            Some(stem) => self.wildcard(stem) + "*",
            None if word.contains('/') => self.scan(word),
            None if word.contains('*') => word.to_owned(),
            None => self.word(word),
        }
    }
}

/// Is this piece half of a class such as `bcad:dada`?
fn is_class(text: &str, pieces: &[(Kind, Range<usize>)], n: usize) -> bool {
    let short = |k: usize| {
        let half = pieces.get(k).map_or("", |(_, part)| &text[part.clone()]);
        // With a range of classes, the scanner's word goes on over the hyphen.
        half.split('-').all(|h| (1..=4).contains(&h.len()) && h.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let pair = |k: usize| match (pieces.get(k), pieces.get(k + 1), pieces.get(k + 2)) {
        (Some((_, a)), Some((_, sign)), Some((_, b))) => {
            &text[sign.clone()] == ":" && a.end == sign.start && sign.end == b.start && short(k) && short(k + 2)
        }
        _ => false,
    };
    pair(n) || n >= 2 && pair(n - 2)
}

/// What stands between two tokens: blanks, ends of lines, and comments, of which the sign alone stays, or `kept` behind it.
fn gap(text: &str, first: bool, kept: &str, out: &mut String) {
    for line in text.split_inclusive('\n') {
        match line.find('#') {
            Some(at) => {
                let end = line.trim_end_matches(['\n', '\r']);
                // Where to find nft.
                let nft = first && end.starts_with("#!") && end.contains("nft");
                *out += if nft { "#!/usr/sbin/nft -f" } else { &line[..=at] };
                *out += if line.len() == end.len() { kept } else { "" };
                *out += &line[end.len()..];
            }
            None => *out += line,
        }
    }
}
