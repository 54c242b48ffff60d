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
        let called = body.split_once(':').filter(|(place, _)| ["net", "caller"].contains(place));
        match (table, key) {
            ("", "name") => self.host(body),
            // Names of settings look like those of hosts.
            ("gateway.kernel" | "deploy.kernel", _) => body.to_owned(),
            ("gateway" | "deploy", "label") => self.name("box", body),
            ("net" | "caller", "name") => self.name("place", body),
            // A place keeps its kind, and its name is that of its table.
            ("deploy", "clients") => match called {
                Some((place, name)) => format!("{place}:{}", self.name("place", name)),
                None => body.to_owned(),
            },
            (_, "config" | "firewall" | "kernel" | "system" | "mode" | "on" | "off" | "ice" | "answers") => {
                body.to_owned()
            }
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

#[cfg(test)]
mod tests {
    use super::Redactor;
    use crate::manifest::{Place, parse};

    #[test]
    fn every_place_is_called_as_its_table() {
        let place = |p: &Place| match p {
            Place::Internet | Place::Lan | Place::Own => Some(p.to_string()),
            Place::Net(_) => Some("net:Annas office".to_owned()),
            Place::Caller(_) => Some("caller:Annas flat".to_owned()),
            // Nobody calls from there.
            Place::Admin => None,
        };
        let all = [
            Place::Internet,
            Place::Lan,
            Place::Own,
            Place::Net(String::new()),
            Place::Caller(String::new()),
            Place::Admin,
        ];
        let clients: Vec<String> = all.iter().filter_map(place).map(|p| format!("\"{p}\"")).collect();
        let text = format!(
            "[[net]]\nname = \"Annas office\"\nprefix = \"192.168.9.0/24\"\n[[caller]]\nname = \"Annas flat\"\n\
             config = \"flat.nft\"\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nclients = [{}]\n",
            clients.join(", ")
        );
        let redacted = Redactor::default().manifest(&text);
        assert!(!redacted.contains("Anna"), "{redacted}");
        let read = parse(&redacted).unwrap_or_else(|e| panic!("{}: {redacted}", e.message));
        let (net, caller) = (&read.nets[0].name.value, &read.callers[0].label.as_ref().expect("a name").value);
        let clients: Vec<Place> = read.deploys[0].clients.iter().flatten().map(|c| c.value.clone()).collect();
        let places = [Place::Internet, Place::Lan, Place::Own, Place::Net(net.clone()), Place::Caller(caller.clone())];
        assert_eq!(clients, places);
    }
}
