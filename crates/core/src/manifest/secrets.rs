//! What is kept of a manifest: the values of its own keys. Comments go, and the values of keys that it does not have.
//!
//! It works on any text, also on one that is no TOML (toml.io/en/v1.0.0): messages about broken manifests show lines.

use crate::dialect::kernel::setting;
use crate::secrets::{Decoded, backslash_escape, finish, hide, in_code, in_text, settled};
use std::ops::Range;

/// Every key by its way down; `*` is any name, `@` a place, `%` the name of a kernel's setting, with its dots.
const KEYS: &[&str] = &[
    "name",
    "address",
    "admin",
    "dns/@",
    "gateway/label",
    "gateway/line",
    "gateway/config",
    "gateway/boot",
    "gateway/wan",
    "gateway/interfaces/*",
    "gateway/routes",
    "gateway/aliases/*",
    "gateway/kernel/%",
    "gateway/inside",
    "gateway/forwards",
    "gateway/hairpin",
    "gateway/model",
    "gateway/passes",
    "gateway/out",
    "gateway/tracks",
    "gateway/guards",
    "net/name",
    "net/prefix",
    "net/behind",
    "net/tunnel",
    "peer/name",
    "peer/address",
    "peer/uses",
    "caller/name",
    "caller/config",
    "caller/wan",
    "caller/interfaces/*",
    "caller/routes",
    "deploy/system",
    "deploy/host",
    "deploy/address",
    "deploy/mode",
    "deploy/label",
    "deploy/with/*",
    "deploy/on",
    "deploy/off",
    "deploy/clients",
    "deploy/admin",
    "deploy/config",
    "deploy/firewall",
    "deploy/boot",
    "deploy/kernel/%",
    "deploy/interface",
    "deploy/ice",
    "deploy/stun",
    "deploy/answers",
    "deploy/proxy",
    "deploy/proxy/at",
    "deploy/proxy/outer",
    "deploy/told/@",
    "deploy/local",
];

/// Is a way down one of the manifest's keys?
fn is_known(way: &[String]) -> bool {
    KEYS.iter().any(|key| fits(key, way))
}

fn fits(key: &str, way: &[String]) -> bool {
    let parts: Vec<&str> = key.split('/').collect();
    if way.len() < parts.len() {
        return false;
    }
    let rest = &way[parts.len() - 1..];
    let last = match parts.last() {
        Some(&"%") => return way.starts_with(&own(&parts)) && setting(&rest.join(".")).is_some(),
        Some(&"*") => true,
        Some(&"@") => ["internet", "lan", "self", "admin"].contains(&&*rest[0]) || rest[0].contains(':'),
        last => last.is_some_and(|l| **l == *rest[0]),
    };
    last && rest.len() == 1 && way.starts_with(&own(&parts))
}

/// The parts before the last.
fn own(parts: &[&str]) -> Vec<String> {
    parts[..parts.len() - 1].iter().map(|p| (*p).to_owned()).collect()
}

/// A manifest without its comments, without the values of keys that it does not have, and without credentials in the
/// others. Same length, same lines.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    settled(text, once)
}

fn once(text: &str) -> String {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut reader = Reader { text, out: text.as_bytes().to_vec(), at: start, depth: 0 };
    let mut table = Vec::new();
    while reader.at < text.len() {
        reader.line(&mut table);
    }
    finish(reader.out)
}

struct Reader<'t> {
    text: &'t str,
    out: Vec<u8>,
    at: usize,
    /// Lists and tables that are open.
    depth: usize,
}

/// Deeper lists and tables are none of a manifest: nothing is kept from there on.
const MAX_DEPTH: usize = 16;

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn starts(&self, with: &str) -> bool {
        self.rest().starts_with(with)
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\r']).len();
    }

    /// Where the line ends.
    fn end(&self) -> usize {
        self.rest().find('\n').map_or(self.text.len(), |i| self.at + i)
    }

    /// One line, or as many as its value has.
    fn line(&mut self, table: &mut Vec<String>) {
        self.blanks();
        if self.starts("[") {
            self.at += self.rest().len() - self.rest().trim_start_matches('[').len();
            self.blanks();
            *table = self.key();
            self.at += self.rest().len() - self.rest().trim_start_matches([']', ' ', '\t']).len();
        } else if !self.starts("#") && !self.starts("\n") && self.at < self.text.len() {
            self.pair(table);
        }
        self.finish_line();
    }

    /// Nothing but a comment may stand here, and of neither is anything kept.
    fn finish_line(&mut self) {
        self.blanks();
        let end = self.end();
        // What begins a line tells another kind of file.
        let start = self.text[..self.at].ends_with('\n') || self.at == 0;
        let from = self.at + usize::from(self.starts("#") || start && self.rest().starts_with(['{', '<']));
        hide(&mut self.out[from.min(end)..end]);
        self.at = (end + 1).min(self.text.len());
    }

    /// A key with its value.
    fn pair(&mut self, table: &[String]) {
        let from = self.at;
        let mut way = table.to_vec();
        way.extend(self.key());
        let known = is_known(&way);
        self.blanks();
        if self.starts("=") {
            self.at += 1;
            self.value(&way, known);
        } else if known && way.len() > table.len() {
            // `host "192.168.1.50"`: a sign is missing.
            self.value(&way, known);
        } else {
            hide(&mut self.out[from..self.at]);
        }
    }

    /// A key with dots. Names that no key has are left only if they look like one.
    fn key(&mut self) -> Vec<String> {
        let mut way = Vec::new();
        loop {
            self.blanks();
            let from = self.at;
            let quote = self.rest().chars().next().filter(|c| ['"', '\''].contains(c));
            let name = if let Some(quote) = quote {
                let end = closing(&self.text[from..self.end()], quote);
                let inside = from + 1..end.map_or(self.end(), |i| from + i);
                self.at = end.map_or(self.end(), |i| from + i + 1);
                self.cut(inside.clone(), quote == '"', in_code);
                self.text[inside].to_owned()
            } else {
                let plain = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-';
                let end = self.rest().find(plain).map_or(self.text.len(), |i| from + i);
                self.at = end;
                if end - from > 40 {
                    hide(&mut self.out[from..end]);
                }
                self.text[from..end].to_owned()
            };
            if self.at == from {
                return way;
            }
            way.push(name);
            self.blanks();
            if !self.starts(".") {
                return way;
            }
            self.at += 1;
        }
    }

    fn value(&mut self, way: &[String], known: bool) {
        if self.depth == MAX_DEPTH {
            hide(&mut self.out[self.at..]);
            self.at = self.text.len();
            return;
        }
        self.depth += 1;
        self.inner_value(way, known);
        self.depth -= 1;
    }

    fn inner_value(&mut self, way: &[String], known: bool) {
        self.blanks();
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.string(quote, known),
            Some('[') => {
                self.at += 1;
                while self.goes_on() && !self.starts("]") {
                    self.value(way, known);
                }
                self.at += usize::from(self.starts("]"));
            }
            Some('{') => {
                self.at += 1;
                while self.goes_on() && !self.starts("}") {
                    let from = self.at;
                    self.pair(way);
                    if self.at == from {
                        self.junk();
                    }
                }
                self.at += usize::from(self.starts("}"));
            }
            Some('#' | '\n') | None => {}
            Some(_) => self.bare(known),
        }
    }

    /// On to what follows in a list or table, over ends of lines and comments. False where a new line looks like one of
    /// the manifest: a bracket is missing before it.
    fn goes_on(&mut self) -> bool {
        loop {
            self.blanks();
            if self.starts("#") {
                let end = self.end();
                hide(&mut self.out[self.at + 1..end]);
                self.at = end;
            } else if self.starts(",") {
                self.at += 1;
            } else if self.starts("\n") {
                let line = self.rest()[1..].lines().next().unwrap_or_default().trim_start();
                let named = line.split_once('=').is_some_and(|(key, _)| !key.contains(['"', '\'', '{', '[', '#']));
                if line.starts_with('[') || named {
                    return false;
                }
                self.at += 1;
            } else {
                return self.at < self.text.len();
            }
        }
    }

    fn junk(&mut self) {
        let end = self.rest().find([',', '}', '\n', '#']).map_or(self.text.len(), |i| self.at + i);
        let end = end.max(self.at + self.rest().chars().next().map_or(0, char::len_utf8));
        hide(&mut self.out[self.at..end]);
        self.at = end;
    }

    fn string(&mut self, quote: char, known: bool) {
        let long = [quote; 3].iter().collect::<String>();
        if self.starts(&long) {
            let from = self.at + 3;
            let end = self.text[from..].find(&long).map_or(self.text.len(), |i| from + i);
            if !known || self.text[from..end].contains('\n') || end == self.text.len() {
                hide(&mut self.out[from..end]);
            } else {
                self.cut(from..end, quote == '"', in_text);
            }
            self.at = (end + 3).min(self.text.len());
            return;
        }
        let line = self.end();
        let end = closing(&self.text[self.at..line], quote).map(|i| self.at + i);
        let inside = self.at + 1..end.unwrap_or(line);
        if known {
            self.cut(inside.clone(), quote == '"', in_text);
            // Without its end, a comment is a part of it.
            let comment = self.text[inside.clone()].find('#').filter(|_| end.is_none());
            if let Some(i) = comment {
                hide(&mut self.out[inside.start + i + 1..inside.end]);
            }
        } else {
            hide(&mut self.out[inside]);
        }
        self.at = end.map_or(line, |i| i + 1);
    }

    /// A number, a date, `true`; or what is none of these.
    fn bare(&mut self, known: bool) {
        let from = self.at;
        let ends = |c: char| c.is_whitespace() || ",]}#\"'".contains(c);
        let end = self.rest().find(ends).map_or(self.text.len(), |i| from + i);
        let end = end.max(from + self.rest().chars().next().map_or(0, char::len_utf8));
        let word = &self.text[from..end];
        let number = word.bytes().all(|b| b.is_ascii_digit() || b"+-._:TZeE".contains(&b));
        if known {
            self.cut(from..end, false, in_text);
        } else if number {
            self.out[from..end].iter_mut().filter(|b| b.is_ascii_digit()).for_each(|b| *b = b'1');
        } else if !["true", "false", "inf", "nan"].contains(&word) {
            hide(&mut self.out[from..end]);
        }
        self.at = end;
    }

    fn cut(&mut self, part: Range<usize>, escapes: bool, find: fn(&str) -> Vec<Range<usize>>) {
        let mut decoded = Decoded::default();
        decoded.add(self.text, part, if escapes { '\\' } else { '\0' }, backslash_escape);
        decoded.hide_in(&mut self.out, find);
    }
}

/// Where a string that begins a text ends on its line, its quotation marks being these (toml.io/en/v1.0.0, String).
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Keys of a table of the schema, and of the tables in it.
    fn keys(schema: &serde_json::Value, of: &serde_json::Value, way: &str, out: &mut BTreeSet<String>) {
        let of = match of["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            Some(name) => &schema["$defs"][name],
            None => of,
        };
        for (name, property) in of["properties"].as_object().into_iter().flatten() {
            let way = if way.is_empty() { name.clone() } else { format!("{way}/{name}") };
            let inner = if property["items"]["$ref"].is_string() { &property["items"] } else { property };
            let before = out.len();
            keys(schema, inner, &way, out);
            if property["additionalProperties"].is_object() {
                out.insert(format!("{way}/*"));
            } else if out.len() == before {
                out.insert(way);
            }
        }
    }

    #[test]
    fn every_key_of_the_schema_is_kept() {
        let schema: serde_json::Value = serde_json::from_str(&crate::manifest::schema()).expect("a schema");
        let mut found = BTreeSet::new();
        keys(&schema, &schema, "", &mut found);
        assert!(found.len() > 45, "{found:?}");
        for key in &found {
            let some = |part: &str| {
                if key.contains("/kernel/") { part.replace('*', "ip_forward") } else { part.replace('*', "net:a") }
            };
            let way: Vec<String> = key.split('/').map(some).collect();
            assert!(is_known(&way), "{key}");
        }
        for key in KEYS.iter().filter(|k| !k.contains("proxy/")) {
            assert!(found.contains(&key.replace(['@', '%'], "*")), "{key} is no key");
        }
    }

    #[test]
    fn own_keys_stay_and_all_else_goes() {
        let text = "name = \"voice.example\" # secret\n# secret\ndns = { lan = \"192.168.1.50\", \"net:a\" = [\"10.0.0.1\"] }\n\
                    password = \"secret\"\npin = 1234\nwhen = 1979-05-27\n[[gateway]]\nlabel = 'https://a:secret@h.example/secret'\n\
                    kernel = { net.ipv4.ip_forward = 1, secret = \"secret\" }\nroutes = [ # secret\n  \"10.0.0.0/8 via 10.1.1.1\",\n]\n\
                    token = [\"secret\", { a = \"secret\" }]\nlong = \"\"\"secret\nsecret\"\"\"\n[secrets]\nname = \"secret\"\n";
        let got = without_secrets(text);
        assert_eq!(got.len(), text.len());
        assert!(
            !got.replace("kernel = { net.ipv4.ip_forward = 1, secret", "").replace("[secrets]", "").contains("secret"),
            "{got}"
        );
        for there in [
            "name = \"voice.example\" # ******\n",
            "dns = { lan = \"192.168.1.50\", \"net:a\" = [\"10.0.0.1\"] }",
            "'https://********@h.example/******'",
            "net.ipv4.ip_forward = 1,",
            "\"10.0.0.0/8 via 10.1.1.1\",\n]",
            "pin = 1111\nwhen = 1111-11-11\n",
        ] {
            assert!(got.contains(there), "{there}: {got}");
        }
        assert_eq!(without_secrets(&got), got, "nothing is left to be hidden");
    }

    #[test]
    fn broken_manifests_are_blanked_too() {
        for text in [
            "password secret",
            "secretless = \"secret",
            "x = [\"secret\"\ny = \"secret\"\n",
            "name = \"a # secret\n",
            "dns = { password = \"secret\"\npassword = \"secret\"\n",
            "[gateway\npassword = 'secret'",
            "[gateway] secret\n",
            "= secret",
            "x = secret",
            "x = {{ secret }}",
            "x = \"\"\"secret",
            "name = \"\"\"a\nsecret",
            "name = \"a\" secret",
            "forwards = [\"a\"\npassword = \"secret\"",
        ] {
            let got = without_secrets(text);
            assert_eq!(got.len(), text.len(), "{text}: {got}");
            assert!(!got.replace("secretless", "").contains("secret"), "{text}: {got}");
        }
    }
}
