//! The manifest: strings by their key, comments not at all.

use super::Redactor;
use crate::manifest::closing;

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
        // A place keeps its kind, and its name is that of its table.
        let mut place = |text: &str| {
            let (kind, name) = text.split_once(':').filter(|(kind, _)| ["net", "caller", "peer"].contains(kind))?;
            Some(format!("{kind}:{}", self.name("place", name)))
        };
        if let ("clients" | "admin" | "told" | "dns", _) | (_, "deploy.told" | "dns") = (key, table)
            && let Some(place) = place(body)
        {
            return place;
        }
        if ["forwards", "passes", "out"].contains(&key)
            && let Some((what, from)) = body.split_once(" from ")
            && let Some(place) = place(from.trim())
        {
            return format!("{} from {place}", self.scan(what, true));
        }
        match (table, key) {
            ("", "name") => self.host(body),
            ("gateway" | "deploy", "label") => self.name("box", body),
            ("gateway", "line") => self.name("line", body),
            ("net" | "caller" | "peer", "name") => self.name("place", body),
            // Names of the kernel's settings look like those of hosts.
            ("gateway.kernel" | "deploy.kernel", _)
            | ("deploy", "clients")
            | (_, "config" | "firewall" | "kernel" | "uses" | "system" | "mode" | "on" | "off" | "ice" | "answers") => {
                body.to_owned()
            }
            (_, "behind" | "interface") if self.names.contains_key(&("NET", body.to_ascii_uppercase())) => {
                self.name("NET", &body.to_ascii_uppercase())
            }
            _ => self.scan(body, true),
        }
    }
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
            Place::Admin | Place::Peer(_) => None,
        };
        let all = [
            Place::Internet,
            Place::Lan,
            Place::Own,
            Place::Net(String::new()),
            Place::Caller(String::new()),
            Place::Admin,
            Place::Peer(String::new()),
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

    #[test]
    fn names_of_places_go_wherever_a_key_names_one() {
        let text = "name = \"voice.annas.example\"\naddress = \"198.18.7.20\"\ndns = { \"net:Annas office\" = \"192.168.9.50\" }\n\
            admin = [\"198.18.9.77\", \"net:Annas office\"]\n\
            [[gateway]]\nlabel = \"Annas filter\"\npasses = [\"tcp/22 from net:Annas office\", \"udp/1-2 from 198.18.9.0/24\"]\n\
            [[gateway]]\nlabel = \"Annas box\"\nline = \"Annas home\"\nwan = \"198.18.7.7\"\ninside = [\"192.168.1.1/24\"]\n\
            forwards = [\"udp/24680 to 192.168.1.50:7882 from peer:Annas trunk\"]\n\
            [[net]]\nname = \"Annas office\"\nprefix = \"192.168.9.0/24\"\n\
            [[peer]]\nname = \"Annas trunk\"\naddress = \"198.18.3.0/24\"\nuses = [\"sip-udp\"]\n\
            [[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\naddress = \"198.18.7.20\"\n\
            proxy = { at = \"192.168.1.3:443\", outer = 8443 }\n\
            told = { internet = [\"public\", \"node.annas.example\"], \"peer:Annas trunk\" = \"198.18.7.21\" }\n\
            [deploy.with]\nudp = \"50000-50100\"\n";
        parse(text).unwrap_or_else(|e| panic!("{}: {text}", e.message));
        let mut redactor = Redactor::default();
        let _ = redactor.manifest(text);
        redactor.addresses.settle(7);
        let redacted = redactor.manifest(text);
        for original in ["Anna", "annas", "198.18.7", "198.18.9", "198.18.3"] {
            assert!(!redacted.contains(original), "{original} in {redacted}");
        }
        let read = parse(&redacted).unwrap_or_else(|e| panic!("{}: {redacted}", e.message));
        assert_eq!(read.deploys[0].told.len(), 2);
        assert_eq!(read.deploys[0].proxy.as_ref().and_then(|p| p.value.outer.as_ref()).map(|o| o.value), Some(8443));
    }
}
