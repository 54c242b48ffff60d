//! Credentials in addresses: of an address are kept its scheme, its host and its port (RFC 3986, section 3).

use std::ops::Range;

/// Between a scheme and its host, also as a part of another address.
const MARKS: &[&str] = &["://", ":\\\\", "%3a%2f%2f", ":%2f%2f", "%3a//"];

/// Addresses with a scheme.
pub(super) fn of_code(text: &str) -> Vec<Range<usize>> {
    find(text, false)
}

/// The same, and what may be an address without its scheme.
pub(super) fn of_text(text: &str) -> Vec<Range<usize>> {
    find(text, true)
}

fn find(text: &str, bare: bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    if !bare && !text.contains(['/', '%', '\\']) {
        return out;
    }
    // In a piece of configuration a quote ends what it belongs to, and stays.
    let between = |c: char| c.is_whitespace() || !bare && c == '"';
    let mut at = 0;
    while let Some(start) = text[at..].find(|c: char| !between(c)).map(|i| at + i) {
        let end = text[start..].find(between).map_or(text.len(), |i| start + i);
        at = end;
        let word = &text[start..end];
        let lower = word.to_ascii_lowercase();
        let marks = MARKS.iter().filter_map(|m| lower.find(m).map(|i| (i, i + m.len())));
        let first = marks.min().map(|(_, behind)| behind).or((bare && word.starts_with("//")).then_some(2));
        match first {
            Some(behind) => {
                let plain = with_scheme(&text[..end], start + behind, &mut out);
                if !plain && bare {
                    // A blank in a password: it ends before the host.
                    let line = text[end..].find('\n').map_or(text.len(), |i| end + i);
                    if let Some(i) = text[end..line].rfind('@') {
                        out.push(end..end + i);
                        at = end + i;
                    }
                }
            }
            None if bare => without_scheme(word, start, &mut out),
            None => {}
        }
    }
    out
}

/// What is hidden behind a scheme; whether it was plain where the host stands.
fn with_scheme(text: &str, from: usize, out: &mut Vec<Range<usize>>) -> bool {
    let rest = &text[from..];
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (user, host) = rest[..end].rsplit_once('@').map_or((None, &rest[..end]), |(u, h)| (Some(u), h));
    // Quotes and brackets around an address in a text.
    let host = host.trim_end_matches(['"', '\'', ')', '>', ',', ';', '.', '*']);
    let later = rest[end..].contains('@');
    if !is_host(host) || later && user.is_none() && !host.contains(['.', '[']) {
        out.push(from..text.len());
        return rest.is_empty() || user.is_some();
    }
    out.extend(user.map(|u| from..from + u.len()));
    if end < rest.len() {
        out.push(from + end + 1..text.len());
    }
    true
}

/// `user:password@host/…`, `host/list?key=…`, `host.example/key/list`.
fn without_scheme(word: &str, start: usize, out: &mut Vec<Range<usize>>) {
    let body = word.trim_start_matches(['(', '<', '[', '{', '"', '\'']);
    let from = word.len() - body.len();
    let mut host = from;
    if let Some(i) = body.rfind('@').filter(|i| *i > 0) {
        out.push(start + from..start + from + i);
        host = from + i + 1;
    }
    let rest = &word[host..];
    if let Some(i) = rest.find('?').filter(|i| rest[*i..].contains('=')) {
        out.push(start + host + i + 1..start + word.len());
    }
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    let slash = rest[end..].find('/').map(|i| end + i);
    // Letters behind the last dot: no network, no path of a file.
    let name = rest[..end]
        .rsplit_once('.')
        .is_some_and(|(_, top)| top.len() > 1 && top.bytes().all(|b| b.is_ascii_alphabetic()));
    if let Some(slash) = slash.filter(|_| name || host > from) {
        out.push(start + host + slash + 1..start + word.len());
    }
}

/// A host with or without its port, and nothing else.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", rest),
        Some(_) => return false,
        None => text.find(':').map_or((text, ""), |i| text.split_at(i)),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let name = host.chars().all(|c| c.is_alphanumeric() || ['-', '.', '_'].contains(&c));
    !host.is_empty() && name && (port.is_empty() || digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()))
}
