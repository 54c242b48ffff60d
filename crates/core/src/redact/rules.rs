//! Rules as text: nftables, pf, and whatever else is written in lines with `#` before comments.

use super::Redactor;
use super::words::is_host;

impl Redactor {
    /// The text with pseudonyms and without comments.
    pub fn rules(&mut self, text: &str, pf: bool) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            self.line(body, pf, &mut out);
            out += &line[body.len()..];
        }
        out
    }

    fn line(&mut self, line: &str, pf: bool, out: &mut String) {
        let mut rest = line;
        // The word before a quote says what the quote is.
        let mut word = String::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('"') {
                let end = after.find('"');
                let body = &after[..end.unwrap_or(after.len())];
                *out += "\"";
                *out += &self.quoted(&word, body, pf);
                if end.is_some() {
                    *out += "\"";
                }
                rest = end.map_or("", |end| &after[end + 1..]);
                word.clear();
            } else if let Some(after) = rest.strip_prefix("# xt_")
                && !out.trim_end_matches([' ', '\t']).ends_with('\n')
            {
                // An xtables extension, and more of the rule behind it.
                *out += "# xt_";
                rest = after;
            } else if rest.starts_with('#') {
                *out += &comment(rest);
                return;
            } else {
                let end = rest.find(['"', '#']).unwrap_or(rest.len());
                let plain = &rest[..end];
                plain.split_whitespace().next_back().unwrap_or_default().clone_into(&mut word);
                let plain = if pf { self.macros(plain) } else { self.unquoted(plain) };
                *out += &self.scan(&plain, true);
                rest = &rest[end..];
            }
        }
    }

    fn quoted(&mut self, word: &str, body: &str, pf: bool) -> String {
        match word {
            "label" => {
                let split = ["USER_RULE: ", "descr="].iter().find_map(|p| body.strip_prefix(p).map(|rest| (*p, rest)));
                match split {
                    Some((prefix, rest)) => prefix.to_owned() + &self.description(rest),
                    None if body.contains('=') || body.starts_with("id:") => self.scan(body, true),
                    None => self.description(body),
                }
            }
            "comment" | "prefix" => self.description(body),
            // Macros of pf hold rules' parts.
            "=" if pf => {
                let body = self.macros(body);
                self.scan(&body, true)
            }
            _ => self.scan(body, !word.contains("if") && !word.starts_with("include") && is_host(body)),
        }
    }

    /// nftables: a comment of one word needs no quotes, and users are called by name.
    fn unquoted(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut before = "";
        for piece in text.split_inclusive([' ', '\t']) {
            let word = piece.trim_end_matches([' ', '\t']);
            let name = word.starts_with(|c: char| c.is_ascii_alphabetic()) && !word.contains(['{', '}', ';']);
            match before {
                "comment" if name => out += &self.description(word),
                "skuid" | "skgid" if name && word != "root" => out += &self.name("user", word),
                _ => out += word,
            }
            out += &piece[word.len()..];
            if !word.is_empty() {
                before = word;
            }
        }
        out
    }

    /// pf: what pfSense calls an interface is a macro's name.
    fn macros(&mut self, text: &str) -> String {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = text.find(|c| !name(c)).unwrap_or(text.len());
        let mut out = String::new();
        let mut rest = text;
        // An interface's macro is written in capitals and begins a line; gateways begin with GW.
        if end > 0 && text[end..].trim_start().starts_with('=') {
            out += &self.macro_name(&text[..end]);
            rest = &text[end..];
        }
        while let Some(at) = rest.find('$') {
            out += &rest[..=at];
            rest = &rest[at + 1..];
            let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
            out += &self.macro_name(&rest[..end]);
            rest = &rest[end..];
        }
        out + rest
    }

    fn macro_name(&self, name: &str) -> String {
        match self.names.get(&("NET", name.to_owned())) {
            Some(number) => format!("NET{number}"),
            None => name.to_owned(),
        }
    }
}

/// What of a comment means something to a reader: handles, and where to find nft.
fn comment(text: &str) -> String {
    let handle = text[1..].trim().strip_prefix("handle ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if handle || text.starts_with("#!") && text.contains("nft") { text.to_owned() } else { "#".into() }
}
