//! Which dialect a text belongs to, and what is kept of it.

use super::interface::{Claim, Dialect, Sniff};
use super::kind::{self, Candidate, Kind, of_bytes};
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

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A file that is read.
    Read(&'static dyn Dialect),
    /// A part of one, or one with something in front of it: it does not begin like it.
    Part(&'static dyn Dialect),
    /// One that is not read.
    Unread(&'static Kind),
    /// One of two, by their words.
    Either(&'static str, &'static str),
    /// None that is known.
    Unknown,
}

impl Found {
    /// The short name of its kind; none where that is open.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Read(dialect) | Self::Part(dialect) => Some(dialect.about().name),
            Self::Unread(kind) => Some(kind.name),
            Self::Either(..) | Self::Unknown => None,
        }
    }
}

/// What a text is, by its content alone.
pub fn found(text: &str) -> Found {
    found_among(DIALECTS, &Sniff::new(text))
}

/// How a text begins says what it is, unless much of what stands in it says otherwise. No order of the table decides: the
/// surest wins, and of two that are equally sure neither does.
fn found_among(table: &[&'static dyn Dialect], sniff: &Sniff<'_>) -> Found {
    if sniff.is_binary() {
        // A reader names the byte at its place.
        let named = table.iter().find(|d| d.about().limits.zero_bytes && d.claims(sniff) == Claim::Sure);
        let other = || of_bytes(sniff.whole.as_bytes()).map_or(Found::Unknown, Found::Unread);
        return named.map_or_else(other, |d| Found::Read(*d));
    }
    let weighed = kind::weighed(table, sniff.start);
    let weight = |d: &'static dyn Dialect| {
        weighed.iter().find(|(_, c)| *c == Candidate::Read(d)).map_or(0, |(weight, _)| *weight)
    };
    let claiming = |claim: Claim| table.iter().copied().filter(move |d| d.claims(sniff) == claim);
    let surest = |claim: Claim| {
        let mut all: Vec<&'static dyn Dialect> = claiming(claim).collect();
        all.sort_by_key(|d| (std::cmp::Reverse(weight(*d)), d.about().name));
        all
    };
    let first = weighed.first().copied().filter(|(weight, _)| *weight >= kind::ENOUGH);
    match surest(Claim::Sure)[..] {
        [one] => match first {
            Some((most, Candidate::Unread(kind))) if most >= kind::MUCH && most > 2 * weight(one) => {
                Found::Unread(kind)
            }
            _ => Found::Read(one),
        },
        // Both begin so: only much more of the one decides.
        [one, other, ..] if weight(one) <= 2 * weight(other) => Found::Either(one.about().what, other.about().what),
        [one, ..] => Found::Read(one),
        [] => {
            let weak = surest(Claim::Weak);
            let close = |(most, _): (i32, Candidate)| {
                weighed.get(1).copied().filter(|(second, _)| kind::is_close(most, *second))
            };
            match (first, weak.as_slice()) {
                (Some((_, Candidate::Read(d))), weak) if weak.contains(&d) => Found::Read(d),
                (Some(first), _) => match (close(first), first.1) {
                    (Some((_, second)), first) => Found::Either(first.what(), second.what()),
                    (None, Candidate::Read(d)) => Found::Part(d),
                    (None, Candidate::Unread(kind)) => Found::Unread(kind),
                },
                (None, _) if sniff.is_empty() => Found::Unknown,
                (None, [one, other, ..]) if kind::is_close(weight(*one), weight(*other)) => {
                    Found::Either(one.about().what, other.about().what)
                }
                (None, [one, ..]) => Found::Read(*one),
                (None, []) => Found::Unknown,
            }
        }
    }
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
    let refuse = |message: String, help: &str| Err(InputError::at(source, shown.clone(), message).help(help));
    if sniff.start.is_empty() {
        let again: Vec<&str> = offered(table).map(|a| a.export.again).filter(|t| !t.is_empty()).collect();
        return refuse("this is an empty file".into(), &again.join(", or "));
    }
    let dialect = match found_among(table, &sniff) {
        Found::Read(dialect) => dialect,
        Found::Part(dialect) => {
            let message = format!("this looks like {}, but does not begin like it", dialect.about().what);
            return refuse(message, "give the whole file, from its first line on, as the system itself prints it");
        }
        Found::Unread(kind) => {
            let (message, help) = kind.message();
            return refuse(message, if help.is_empty() { instead_of(table) } else { help }.as_str());
        }
        Found::Either(a, b) => {
            let message = format!("this is either {a} or {b}");
            return refuse(message, "give the file as the system itself prints it");
        }
        Found::Unknown => {
            let what = if sniff.is_binary() { "not a text file" } else { other(&sniff) };
            return refuse(format!("this is {what}"), &instead_of(table));
        }
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
        b'[' if is_json_list(text.start) => "JSON of a kind that is not known",
        b'<' => "XML or HTML",
        b'[' => "a file in INI or TOML style",
        _ if text.first.starts_with("-----BEGIN ") => "a key or certificate",
        _ if text.first.starts_with("#!") => "a script",
        _ if text.is_empty() => "a text with nothing in it but comments",
        _ => "a text of a kind that is not known",
    }
}

/// It begins as a list in JSON does, not as a section of a file in INI style.
fn is_json_list(start: &str) -> bool {
    let inside = start.get(1..).unwrap_or_default().trim_start();
    inside.starts_with(['{', '[', ']', '"']) || inside.starts_with(|c: char| c.is_ascii_digit())
}

/// What to give in place of a file that is not read.
pub(super) fn instead() -> String {
    instead_of(DIALECTS)
}

fn instead_of(table: &[&'static dyn Dialect]) -> String {
    let given: Vec<&str> = offered(table).map(|a| a.export.instead).filter(|t| !t.is_empty()).collect();
    format!("give {}", given.join(", or "))
}

/// The dialect of a text; none for a file that is refused. What a file includes may be nothing but comments.
pub fn of_text(text: &str) -> Option<&'static dyn Dialect> {
    let sniff = Sniff::new(text);
    let read = || recognise(SourceId(0), text).ok();
    if sniff.is_binary() || !sniff.is_empty() {
        return read();
    }
    let mut may = DIALECTS.iter().copied().filter(|d| d.claims(&sniff) == Claim::Weak);
    may.next().filter(|_| may.next().is_none())
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
