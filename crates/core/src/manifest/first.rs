//! A first manifest, from what cannot be found out: what `callpath init` writes.

use std::fmt::Write;

/// What it is made of.
#[derive(Debug, Clone, Default)]
pub struct First {
    /// The name that people type.
    pub name: Option<String>,
    /// The public address.
    pub address: Option<String>,
    /// The product.
    pub system: String,
    /// The server's own address.
    pub host: String,
    /// Ports of this installation, by the key of `with`.
    pub with: Vec<(String, String)>,
    /// Keys of `with` without which calls cannot be judged, and where the product shows their ports.
    pub missing: Vec<(String, Option<String>)>,
    /// Files of the router.
    pub config: Vec<String>,
    /// Outer address of the router, where its configuration does not tell it.
    pub wan: Option<String>,
    /// Configurations that lie there, of which nobody knows whose they are.
    pub others: Vec<String>,
}

impl First {
    /// The text.
    pub fn text(&self) -> String {
        let mut out = String::from("# what stands between the internet and your server; `callpath check` reads this\n");
        for (key, value, about) in [
            ("name    = ", &self.name, "what people type, at home too"),
            ("address = ", &self.address, "what the internet sees"),
        ] {
            if let Some(value) = value {
                let _ = writeln!(out, "{key}{:<27} # {about}", quoted(value));
            }
        }
        if self.address.is_none() {
            out += "# address = \"203.0.113.5\"             # what the internet sees\n";
        }
        out += "\n";
        if self.config.is_empty() {
            out += "# Routers and firewalls, from the internet inwards. One whose configuration is read:\n\
                    # [[gateway]]\n\
                    # config = \"config.xml\"  # or [\"ruleset.nft\", \"ip-addr.json\"], what `nft list ruleset` and `ip -j addr` print\n\
                    # One that has no configuration to read, as you know it:\n\
                    # [[gateway]]\n\
                    # inside   = \"192.168.1.1/24\"\n\
                    # forwards = [\"udp/50000-50499\", \"tcp/7881\"]  # or \"none\", \"unknown\"\n\
                    # hairpin  = false  # true: it turns calls from inside to your public address back in\n\
                    # A filter that translates nothing, such as a provider's firewall before a rented server:\n\
                    # [[gateway]]\n\
                    # passes = [\"udp/50000-50499\", \"tcp/22 from 198.51.100.77\"]\n";
        } else {
            let _ = writeln!(out, "[[gateway]]\nconfig = {}", list(&self.config));
            match &self.wan {
                Some(wan) => {
                    let _ = writeln!(out, "wan    = {:<28} # its outer address", quoted(wan));
                }
                None => {
                    out +=
                        "# wan = \"203.0.113.5\"                # its outer address, where `config` does not hold it\n";
                }
            }
        }
        if !self.others.is_empty() {
            let _ = writeln!(out, "# found here: {}", list(&self.others));
        }
        let _ = writeln!(out, "\n[[deploy]]\nsystem = {}\nhost   = {}", quoted(&self.system), quoted(&self.host));
        if !self.with.is_empty() {
            let with: Vec<String> = self.with.iter().map(|(key, ports)| format!("{key} = {}", quoted(ports))).collect();
            let _ = writeln!(out, "with   = {{ {} }}", with.join(", "));
        }
        if !self.missing.is_empty() {
            let keys: Vec<String> = self.missing.iter().map(|(key, _)| format!("{key} = \"…\"")).collect();
            let shown = self.missing.iter().find_map(|(_, shown)| shown.as_ref());
            let shown = shown.map_or_else(String::new, |s| format!(": {s} shows them"));
            let _ = writeln!(out, "# with = {{ {} }}  # the ports of your installation{shown}", keys.join(", "));
        }
        out
    }
}

/// Strings as TOML has them: one alone, several as a list.
fn list(texts: &[String]) -> String {
    match texts {
        [one] => quoted(one),
        all => format!("[{}]", all.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", ")),
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_answered_ends_up_as_one_string() {
        let odd = "a\"b\\c\n[[deploy]]\u{7f}ü";
        let first = First {
            name: Some(odd.into()),
            address: Some("203.0.113.5".into()),
            system: "spokes".into(),
            host: "192.168.1.50".into(),
            config: vec![odd.into()],
            others: vec![odd.into()],
            ..First::default()
        };
        // A name with such letters is refused, and nothing else is wrong.
        let error = crate::manifest::parse(&first.text()).expect_err("a name");
        assert!(error.message.contains("not a host's name"), "{}", error.message);
        let manifest = crate::manifest::parse(&First { name: None, ..first }.text()).expect("reads");
        assert_eq!((manifest.deploys.len(), manifest.gateways.len()), (1, 1));
    }
}
