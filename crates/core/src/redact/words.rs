//! Addresses and names in any text, wherever they stand.

use super::Redactor;
use super::address::is_network;
use std::fmt::Write;
use std::net::IpAddr;

/// Endings of files, not of host names.
const FILES: &[&str] = &[
    "conf", "xml", "json", "nft", "toml", "txt", "inc", "php", "sh", "so", "ko", "gz", "html", "debug", "md", "log",
    "rules",
];

/// Longer words are no names of hosts or of their users (RFC 1035, 2.3.4; RFC 5321, 4.5.3.1).
const LONGEST: usize = 64 + 1 + 255;

impl Redactor {
    /// The text with pseudonyms for all addresses, and, if wanted, for host names and mail addresses.
    pub fn scan(&mut self, text: &str, names: bool) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        // The last address and where it ended: another behind a hyphen makes a range.
        let mut last: Option<(IpAddr, usize)> = None;
        // Where the word ends in which we are: it is not measured anew from each of its parts.
        let mut word_end = 0;
        while at < text.len() {
            let inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
            if let Some(len) = hardware_at(text, at).filter(|_| !inside) {
                out += &self.hardware.address(&text[at..at + len]);
                at += len;
            } else if let Some((ip, len)) = address_at(text, at) {
                let end = at + len;
                if let Some((from, until)) = last
                    && ["-", " - "].contains(&&text[until..at])
                {
                    self.addresses.range(from, ip);
                }
                let digits = text[end..].strip_prefix('/').map_or("", |r| &r[..run(r, |b| b.is_ascii_digit())]);
                let bits = digits.parse().ok().filter(|bits| is_network(ip, *bits));
                let new = match bits {
                    Some(bits) => self.addresses.network(ip, bits),
                    None => self.addresses.address(ip),
                };
                let _ = write!(out, "{new}");
                last = Some((ip, end));
                at = end;
            } else {
                if at >= word_end {
                    word_end = at + run(&text[at..], |b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
                }
                let long = word_end - at > LONGEST;
                let body = if long { "" } else { text[at..word_end].trim_end_matches(['.', '-']) };
                let path = text[..at].ends_with('/') && !text[..at].ends_with("//") || text[..at].ends_with('$');
                if names && !inside && !path && is_mail(body) {
                    out += &self.name("user", body);
                    at += body.len();
                } else if names && !inside && !path && is_host(body) {
                    out += &self.host(body);
                    at += body.len();
                } else {
                    // On to the next place at which something can begin.
                    let one = text[at..].chars().next().map_or(1, char::len_utf8);
                    let plain = run(&text[at..], |b| b.is_ascii_alphanumeric()).max(one);
                    // A run with colons that is no address must not be taken for one further on.
                    let colons = run(&text[at..], |b| b.is_ascii_hexdigit() || b == b':').max(one);
                    let skip = text[at..at + colons].matches(':').count() > 2;
                    let end = at + if skip { colons } else { plain };
                    out += &text[at..end];
                    at = end;
                }
            }
        }
        out
    }
}

/// How many bytes at the start are such.
fn run(text: &str, such: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| such(*b)).count()
}

/// The length of a hardware address that begins here.
fn hardware_at(text: &str, at: usize) -> Option<usize> {
    let part = text.get(at..at + 17)?;
    let pairs = part.bytes().enumerate().all(|(i, b)| if i % 3 == 2 { b == b':' } else { b.is_ascii_hexdigit() });
    let ends = !text[at + 17..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
    (pairs && ends).then_some(17)
}

/// The longest address that begins here.
fn address_at(text: &str, at: usize) -> Option<(IpAddr, usize)> {
    let before = text[..at].bytes().last();
    let rest = &text[at..];
    if !before.is_some_and(|b| b.is_ascii_digit() || b == b'.' || b == b':') {
        let number = run(rest, |b| b.is_ascii_digit() || b == b'.');
        let number = rest[..number].trim_end_matches('.');
        if let Ok(ip) = number.parse() {
            return Some((IpAddr::V4(ip), number.len()));
        }
    }
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b':' || b == b'.') {
        return None;
    }
    let mut end = run(rest, |b| b.is_ascii_hexdigit() || b == b':' || b == b'.').min(45);
    while end > 2 && rest[..end].matches(':').count() >= 2 {
        let part = &rest[..end];
        if !rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric())
            && let Ok(ip) = part.parse()
        {
            return Some((IpAddr::V6(ip), end));
        }
        let separators = [':', '.'];
        end = if part.ends_with(separators) { end - 1 } else { part.rfind(separators).map_or(0, |i| i + 1) };
    }
    None
}

/// Is this a user at a host? nftables writes sets' names with an `@` before them.
fn is_mail(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && (is_host(host) || host.parse::<IpAddr>().is_ok()))
}

/// Is this a host name: labels with dots between them, the last of letters, and not a file's name?
pub(super) fn is_host(word: &str) -> bool {
    let good = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    word.rsplit_once('.').is_some_and(|(rest, top)| {
        let letters = top.len() > 1 && top.bytes().all(|b| b.is_ascii_alphabetic()) || top.starts_with("xn--");
        letters && !FILES.contains(&top.to_ascii_lowercase().as_str()) && rest.split('.').all(good)
    })
}
