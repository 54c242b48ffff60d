//! Pseudonyms in backups, by the elements and texts of the parsed tree.

use crate::redact::{Redactor, length};
use crate::xml::{self, El};
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

/// The text with pseudonyms and without comments; nothing when it is not well-formed.
pub(super) fn redacted(text: &str, with: &mut Redactor) -> Option<String> {
    with.xml(text, said)
}

/// The pseudonym of what an element says.
fn said(with: &mut Redactor, node: El, text: &str) -> String {
    let parent = node.parent();
    let of = parent.map_or("", |p| p.tag_name().name());
    match of {
        "descr" if node.ancestors().any(|a| a.has_tag_name("interfaces")) => with.whole(text),
        "descr" | "description" | "rangedescr" | "text" => with.text(text),
        // One for each entry of an alias.
        "detail" => text.split("||").map(|part| with.text(part)).collect::<Vec<_>>().join("||"),
        _ => {
            let value = |name: &str| xml::text(parent?.parent()?, name)?.parse::<u8>().ok();
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
    use crate::redact::Key;

    #[test]
    fn no_piece_of_a_text_and_no_distant_value_stays() {
        let blanks = " ".repeat(300);
        let text = format!(
            "<pfsense><descr>canary <![CDATA[canary]]> canary<!-- x --> canary <![CDATA[canary]]></descr>\
             <b a{blanks}={blanks}'canary' c=\"canary\">canary<c/><![CDATA[canary]]></b>\
             <canary:b xmlns:canary='canary' canary:c='canary' xml:lang='canary' xmlns='canary>'/></pfsense>"
        );
        let hidden = redacted(&text, &mut Redactor::new(Key::new(*b"a key for a test"))).expect("XML");
        assert!(!hidden.contains("canary"), "{hidden}");
        roxmltree::Document::parse(&hidden).unwrap_or_else(|e| panic!("{e}: {hidden}"));
    }
}
