//! Backups of pfSense, of which secrets are blanked already.

use super::Redactor;
use super::words::is_host;

impl Redactor {
    /// The text with pseudonyms; tags stay as they are.
    pub fn xml(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut stack: Vec<&str> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let until = |mark: &str| rest.find(mark).map_or(rest.len(), |i| i + mark.len());
            if let Some(inside) = rest.strip_prefix("<![CDATA[") {
                let end = inside.find("]]>").unwrap_or(inside.len());
                out += "<![CDATA[";
                out += &self.leaf(&stack, &inside[..end]);
                rest = &inside[end..];
                let close = rest.len().min(3);
                out += &rest[..close];
                rest = &rest[close..];
            } else if rest.starts_with("<!--") {
                rest = &rest[until("-->")..];
            } else if rest.starts_with('<') {
                let end = until(">");
                let tag = &rest[..end];
                let name = tag.trim_start_matches(['<', '/']);
                let name = &name[..name.find(|c: char| c.is_whitespace() || "/>".contains(c)).unwrap_or(name.len())];
                if tag.starts_with("</") {
                    stack.pop();
                } else if !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!") {
                    stack.push(name);
                }
                out += tag;
                rest = &rest[end..];
            } else {
                let end = rest.find('<').unwrap_or(rest.len());
                out += &self.leaf(&stack, &rest[..end]);
                rest = &rest[end..];
            }
        }
        out
    }

    fn leaf(&mut self, stack: &[&str], text: &str) -> String {
        if text.trim().trim_matches('*').is_empty() {
            return text.to_owned();
        }
        let section = stack.get(1).copied().unwrap_or_default();
        match stack.last().copied().unwrap_or_default() {
            "descr" if section == "interfaces" => self.interface(&plain(text)),
            "descr" | "description" | "rangedescr" | "text" => self.description(&plain(text)),
            // One for each entry of an alias.
            "detail" => {
                let parts: Vec<String> = text.split("||").map(|part| self.description(&plain(part))).collect();
                parts.join("||")
            }
            "hostname" | "domain" => self.part_of_host(text),
            "gateway" | "defaultgw4" | "defaultgw6" => self.gateway(text),
            "item" | "name" if section == "gateways" => self.gateway(text),
            "url" | "aliasurl" => format!("https://{}/", self.host(text)),
            "if" | "interface" | "name" | "members" => self.scan(text, false),
            _ => self.scan(text, true),
        }
    }

    /// A gateway that the firewall makes has the name of its interface in front (gwlb.inc: `MULLVAD_VPNV4`), and of a group's
    /// entry stands more behind it.
    fn gateway(&mut self, text: &str) -> String {
        let name = text.split('|').next().unwrap_or_default();
        let made = name
            .rsplit_once('_')
            .filter(|(iface, _)| self.names.contains_key(&("NET", iface.trim().to_ascii_uppercase())));
        match made {
            Some((iface, _)) => self.interface(iface) + &text[iface.len()..],
            None => self.scan(text, false),
        }
    }

    /// A host's own name or its domain.
    fn part_of_host(&mut self, text: &str) -> String {
        let name = text.trim();
        if is_host(name) { self.host(name) } else { self.name("host", &name.to_ascii_lowercase()) }
    }
}

/// The text that entities stand for, so that it has one pseudonym wherever it is written.
fn plain(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
