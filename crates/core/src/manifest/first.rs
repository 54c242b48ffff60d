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
    /// Files of the router.
    pub config: Vec<String>,
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
            out += "# Routers and firewalls, from the internet inwards; without one the server stands on the internet itself.\n\
                    # [[gateway]]\n\
                    # config = [\"ruleset.nft\", \"ip-addr.json\"]  # what `nft list ruleset` and `ip -j addr` print\n";
        } else {
            let files: Vec<String> = self.config.iter().map(|f| quoted(f)).collect();
            let _ = writeln!(out, "[[gateway]]\nconfig = [{}]", files.join(", "));
        }
        let _ = writeln!(out, "\n[[deploy]]\nsystem = {}\nhost   = {}", quoted(&self.system), quoted(&self.host));
        out
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
        };
        let manifest = crate::manifest::parse(&first.text()).expect("reads");
        assert_eq!(manifest.name.expect("name").value, odd);
        assert_eq!((manifest.deploys.len(), manifest.gateways.len()), (1, 1));
    }
}
