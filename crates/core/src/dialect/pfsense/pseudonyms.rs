//! Pseudonyms in backups, by the elements and texts of the parsed tree.

use crate::redact::{Redactor, length};
use crate::xml::{El, own_text};
use std::net::IpAddr;

/// An address and the length of its network, each in an element of its own.
const PAIRS: &[(&str, &str)] = &[
    ("ipaddr", "subnet"),
    ("ipaddrv6", "subnetv6"),
    ("subnet", "subnet_bits"),
    ("alias-address", "alias-subnet"),
    ("target", "target_subnet"),
    ("address", "mask"),
    ("address", "netbits"),
];

/// So many elements and texts are looked through for the other one of a pair: an entry has fewer.
const NEAR: usize = 200;

/// So many levels are looked at for the section of interfaces: it stands two above a description.
const ABOVE: usize = 8;

/// The text with pseudonyms and without comments; nothing when it is not well-formed.
pub(super) fn redacted(text: &str, with: &mut Redactor) -> Option<String> {
    with.xml(text, said)
}

/// The pseudonym of what an element says.
fn said(with: &mut Redactor, node: El, text: &str) -> String {
    let parent = node.parent();
    let of = parent.map_or("", |p| p.tag_name().name());
    match of {
        "descr" if node.ancestors().take(ABOVE).any(|a| a.has_tag_name("interfaces")) => with.whole(text),
        "descr" | "description" | "rangedescr" | "text" => with.text(text),
        // One for each entry of an alias.
        "detail" => text.split("||").map(|part| with.text(part)).collect::<Vec<_>>().join("||"),
        _ => {
            let value = |name: &str| {
                let near = parent?.parent()?.children().take(NEAR).find(|n| n.has_tag_name(name))?;
                own_text(near)?.parse::<u8>().ok()
            };
            let bits = PAIRS.iter().filter(|(a, _)| *a == of).find_map(|(_, bits)| value(bits));
            match (text.trim().parse::<IpAddr>(), bits) {
                (Ok(ip), Some(bits)) if bits <= length(ip) => with.address(ip, Some(bits), None),
                _ => with.scan(text),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Key, redact};
    use crate::snapshot::{Snapshot, Source};

    #[test]
    fn no_piece_of_a_text_and_no_distant_value_stays() {
        let blanks = " ".repeat(300);
        let text = format!(
            "<pfsense><descr>canary <![CDATA[canary]]> canary<!-- x --> canary <![CDATA[canary]]></descr>\
             <b a{blanks}={blanks}'canary' c=\"canary\">canary<c/><![CDATA[canary]]></b></pfsense>"
        );
        let hidden = redacted(&text, &mut Redactor::new(Key::new(*b"a key for a test"))).expect("XML");
        assert!(!hidden.contains("canary"), "{hidden}");
        roxmltree::Document::parse(&hidden).unwrap_or_else(|e| panic!("{e}: {hidden}"));
    }
    #[test]
    fn no_name_of_a_namespace_stays() {
        let text =
            "<pfsense xmlns:canary='canary>' xmlns='canary'><canary:b canary:c='canary' xml:lang='canary'/></pfsense>";
        let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        let sources = vec![source("callpath.toml", ""), source("config.xml", text)];
        let hidden = redact(&Snapshot { sources, directory: String::new() }, &Key::new(*b"a key for a test"));
        let hidden = &hidden.sources[1].text;
        assert!(!hidden.contains("canary") && hidden.contains(" xml:"), "{hidden}");
        roxmltree::Document::parse(hidden).unwrap_or_else(|e| panic!("{e}: {hidden}"));
    }
}
