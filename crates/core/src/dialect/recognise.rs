//! Which dialect a text belongs to, and what is kept of it.

use super::interface::{Claim, Dialect, Sniff, Wrong};
use super::{DIALECTS, offered};
use crate::model::SourceId;
use crate::secrets;
use crate::snapshot::{InputError, floor_boundary};

/// Recognises a configuration file by its content.
///
/// # Errors
/// Empty, or a kind of file that is not read: what it looks like and what to give instead.
pub fn recognise(source: SourceId, text: &str) -> Result<&'static dyn Dialect, InputError> {
    recognise_among(DIALECTS, source, text)
}

/// The dialect of a text that can be nothing else.
pub fn certain(text: &str) -> Option<&'static dyn Dialect> {
    let dialect = recognise(SourceId(0), text).ok()?;
    (dialect.claims(&Sniff::new(text)) == Claim::Sure).then_some(dialect)
}

/// The same for a table of dialects.
fn recognise_among(
    table: &[&'static dyn Dialect],
    source: SourceId,
    text: &str,
) -> Result<&'static dyn Dialect, InputError> {
    let sniff = Sniff::new(text);
    let at = text.len() - sniff.start.len();
    // As much of the first line as a message shows.
    let shown = at..at + floor_boundary(sniff.first, sniff.first.len().min(60));
    let refuse =
        |what: &str, help: &str| Err(InputError::at(source, shown.clone(), format!("this is {what}")).help(help));
    if sniff.start.is_empty() {
        let again: Vec<&str> = offered(table).map(|a| a.export.again).filter(|t| !t.is_empty()).collect();
        return refuse("an empty file", &again.join(", or "));
    }
    let mut claims: Vec<(Claim, &'static dyn Dialect)> = table.iter().map(|d| (d.claims(&sniff), *d)).collect();
    claims.sort_by_key(|(claim, d)| (std::cmp::Reverse(*claim), d.about().name));
    let zero = text.as_bytes().iter().take(4096).any(|b| *b == 0);
    let sure = |(claim, d): &(Claim, &'static dyn Dialect)| *claim == Claim::Sure && d.about().limits.zero_bytes;
    if zero && !claims.iter().any(sure) {
        return refuse("not a text file", &instead_of(table));
    }
    let dialect = match claims[..] {
        [(Claim::Sure, a), (Claim::Sure, b), ..] | [(Claim::Weak, a), (Claim::Weak, b), ..] => {
            return refuse(
                &format!("either {} or {}", a.about().what, b.about().what),
                "give the file as the system itself prints it",
            );
        }
        [(Claim::Wrong(Wrong { what, instead }), _), ..] => return refuse(what, instead),
        [(Claim::Sure | Claim::Weak, dialect), ..] => dialect,
        _ => return refuse(other(&sniff), &instead_of(table)),
    };
    let limits = &dialect.about().limits;
    if text.len() > limits.bytes {
        let (size, most) = (text.len().div_ceil(1 << 20), limits.bytes >> 20);
        let message = format!("this is too large: {size} MB, and {most} MB are the most for {}", limits.called);
        return Err(InputError::at(source, shown, message)
            .help("a configuration is much smaller; check that it is the right file"));
    }
    Ok(dialect)
}

/// What a text is that belongs to no dialect.
fn other(text: &Sniff<'_>) -> &'static str {
    match text.start.as_bytes()[0] {
        b'{' => "JSON of a kind that is not known",
        b'<' => "XML or HTML",
        b'[' => "a file in INI or TOML style",
        _ if text.first.starts_with("-----BEGIN ") => "a key or certificate",
        _ if text.first.starts_with("#!") => "a script",
        _ => "a text of a kind that is not known",
    }
}

/// What to give in place of a file that is not read.
pub(super) fn instead() -> String {
    instead_of(DIALECTS)
}

fn instead_of(table: &[&'static dyn Dialect]) -> String {
    let given: Vec<&str> = offered(table).map(|a| a.export.instead).filter(|t| !t.is_empty()).collect();
    format!("give {}", given.join(", or "))
}

/// The dialect of a text; none for a file that is refused.
pub fn of_text(text: &str) -> Option<&'static dyn Dialect> {
    recognise(SourceId(0), text).ok()
}

/// A text without the secrets that its kind of file holds. Same length, same lines.
///
/// What no dialect claims may still be a broken or partial file of one. Of a text of another kind nothing is left.
#[must_use]
#[allow(clippy::needless_pass_by_value)] // the original is gone then
pub fn without_secrets(text: String) -> String {
    let dialect = whose_secrets(&text);
    let less = dialect.map_or_else(|| secrets::all(&text), |d| d.without_secrets(&text));
    // Without them it may be a text of no kind any more: then nothing of it is kept.
    if whose_secrets(&less) == dialect { less } else { secrets::all(&less) }
}

/// The dialect by whose list of what is kept a text is read; none, where nothing is kept.
fn whose_secrets(text: &str) -> Option<&'static dyn Dialect> {
    let sniff = Sniff::new(text);
    let parts: Vec<_> = DIALECTS.iter().filter(|d| d.may_be_part(&sniff)).collect();
    match parts[..] {
        [] => of_text(text),
        [one] => Some(*one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, Option<&str>); 12] = [
        ("destroy table inet x\ntable inet x {\n}\n", Some("nftables")),
        ("# made by hand\ntable inet x {\n}\n", Some("nftables")),
        ("\u{feff}{\"nftables\": []}", Some("nftables-json")),
        ("{ \"nftables\": []}", Some("nftables-json")),
        ("set skip on lo0\n", Some("pf")),
        ("set limit states 100000\n", Some("pf")),
        ("table ip x {\n\tset limit {\n\t\ttype ipv4_addr\n\t}\n}\n", Some("nftables")),
        ("<?xml version=\"1.0\"?>\n<pfsense>\n</pfsense>\n", Some("pfsense")),
        ("toy firewall 1\n", Some("toy")),
        ("[{\"ifname\": \"lo\"}]", Some("iproute")),
        ("net.ipv4.ip_forward = 1\n", Some("sysctl")),
        ("", None),
    ];

    #[test]
    fn the_dialect_of_a_text_is_that_of_the_file_that_is_read() {
        for (text, dialect) in TEXTS {
            assert_eq!(of_text(text).map(|d| d.about().name), dialect, "{text}");
        }
    }

    #[test]
    fn the_order_of_the_table_decides_nothing() {
        let refused = [
            "*filter\n-A INPUT -j DROP\nCOMMIT\n",
            "default via 192.0.2.1 dev eth0\n",
            "{\"a\": 1}",
            "[{\"a\": 1}]",
            "<html></html>",
            "---- BEGIN config.xml ----\nTable ip\n",
            "#!/bin/sh\ntable ip x {\n}\n",
            "net.ipv4.ip_forward = 1\nset skip on lo0\n",
        ];
        let mut table: Vec<&'static dyn Dialect> = DIALECTS.to_vec();
        for turn in 0..2 * table.len() {
            if turn == table.len() {
                table.reverse();
            }
            table.rotate_left(1);
            for text in TEXTS.iter().map(|(text, _)| *text).filter(|t| !t.is_empty()).chain(refused) {
                let said = |r: Result<&'static dyn Dialect, InputError>| r.map_err(|e| e.message);
                let here = said(recognise_among(&table, SourceId(0), text));
                assert_eq!(here, said(recognise(SourceId(0), text)), "{text}");
            }
        }
        for text in refused {
            assert!(recognise(SourceId(0), text).is_err(), "{text}");
        }
    }
}
