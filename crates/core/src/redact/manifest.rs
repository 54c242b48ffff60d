//! The manifest: strings by their key, comments not at all.

use super::Redactor;

impl Redactor {
    /// The text with pseudonyms and without comments, also when it is not quite a manifest.
    pub fn manifest(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut table, mut key) = (String::new(), String::new());
        let mut depth = 0_usize;
        for line in text.split_inclusive('\n') {
            let trimmed = line.trim();
            if depth == 0 {
                if trimmed.starts_with('[') {
                    let end = trimmed.find('#').unwrap_or(trimmed.len());
                    trimmed[..end].trim().trim_matches(['[', ']']).trim().clone_into(&mut table);
                    key.clear();
                } else if let Some((name, _)) = trimmed.split_once('=') {
                    name.trim().clone_into(&mut key);
                }
            }
            let header = depth == 0 && trimmed.starts_with('[');
            let mut rest = line;
            while let Some(c) = rest.chars().next() {
                match c {
                    '"' | '\'' => {
                        let end = closing(rest, c);
                        let body = &rest[1..end.unwrap_or(rest.trim_end().len().max(1))];
                        out.push(c);
                        out += &self.string(&table, &key, body);
                        rest = &rest[1 + body.len()..];
                        if end.is_some() {
                            out.push(c);
                            rest = &rest[1..];
                        }
                    }
                    '#' => {
                        out.truncate(out.trim_end_matches([' ', '\t']).len());
                        rest = &rest[rest.trim_end_matches(['\n', '\r']).len()..];
                    }
                    _ => {
                        if !header && "[{".contains(c) {
                            depth += 1;
                        } else if !header && "]}".contains(c) {
                            depth = depth.saturating_sub(1);
                        }
                        out.push(c);
                        rest = &rest[c.len_utf8()..];
                    }
                }
            }
        }
        out
    }

    fn string(&mut self, table: &str, key: &str, body: &str) -> String {
        if body.is_empty() {
            return String::new();
        }
        let called = |place: &str| body.strip_prefix(place).map(str::to_owned);
        match (table, key) {
            ("", "name") => self.host(body),
            ("gateway" | "deploy", "label") => self.name("box", body),
            ("net" | "caller", "name") => self.name("place", body),
            ("deploy", "clients") => match called("net:") {
                Some(net) => format!("net:{}", self.name("place", &net)),
                None => body.to_owned(),
            },
            (_, "config" | "firewall" | "system" | "mode" | "on" | "off" | "ice" | "answers") => body.to_owned(),
            (_, "behind" | "interface") if self.names.contains_key(&("NET", body.to_ascii_uppercase())) => {
                self.name("NET", &body.to_ascii_uppercase())
            }
            _ => self.scan(body, true),
        }
    }
}

/// Where a string ends on its line.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}
