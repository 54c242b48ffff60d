//! What stands in a value of any language: addresses in any notation, numbers, names.

use super::Redactor;
use super::address::is_network;
use super::key::Use;
use super::name::letters;
use super::words::{UNITS, is_known};
use crate::snapshot::floor_boundary;
use std::net::IpAddr;

impl Redactor {
    /// The text with pseudonyms for all that is no word of a language, no number, and no sign.
    pub(crate) fn scan(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        // The last address and where it ended: another behind a hyphen makes a range.
        let mut last: Option<(IpAddr, usize)> = None;
        while let Some(c) = text[at..].chars().next() {
            let sign = c == '-' && address_at(&text[at + 1..]).is_some();
            if sign || !is_word(c) && c != ':' {
                out.push(c);
                at += c.len_utf8();
            } else if let Some(len) = hardware_at(&text[at..]) {
                out += &self.hardware(&text[at..at + len]);
                at += len;
            } else if let Some((ip, len)) = address_at(&text[at..]) {
                let end = at + len;
                let rest = &text[end..];
                let bits = rest.strip_prefix('/').and_then(|r| r[..run(r, |b| b.is_ascii_digit())].parse().ok());
                let from = last.filter(|(_, until)| ["-", " - "].contains(&&text[*until..at])).map(|(from, _)| from);
                out += &self.address(ip, bits, from);
                last = Some((ip, end));
                at = end;
            } else if c == ':' {
                out.push(c);
                at += 1;
            } else {
                let end = at + text[at..].find(|c| !is_word(c)).unwrap_or(text.len() - at);
                let whole = &text[at..end];
                let body = whole.trim_end_matches(['.', '-']);
                if text[end..].starts_with('*') && !text[end + 1..].starts_with(|c| is_word(c) || c == '*') {
                    // Every name that begins so.
                    out += &self.wildcard(whole);
                    at = end;
                } else if body.is_empty() {
                    out += whole;
                    at = end;
                } else {
                    out += &self.word(body);
                    at += body.len();
                }
            }
        }
        out
    }

    /// An address, perhaps with the length of its network, perhaps as the end of a range that begins there.
    pub(crate) fn address(&mut self, ip: IpAddr, bits: Option<u8>, from: Option<IpAddr>) -> String {
        if self.looking {
            self.addresses.see(ip);
            if let Some(from) = from {
                self.addresses.range(from, ip);
            }
            if let Some(bits) = bits.filter(|bits| !is_network(ip, *bits)) {
                self.addresses.edges(ip, bits);
            }
            return String::new();
        }
        match bits.filter(|bits| is_network(ip, *bits)) {
            Some(bits) => self.addresses.network(ip, bits).to_string(),
            None => self.addresses.address(ip).to_string(),
        }
    }

    /// A word without signs: a number, a name, several of them with hyphens between them.
    pub(crate) fn word(&mut self, word: &str) -> String {
        if is_known(word) || is_duration(word) || word.bytes().all(|b| b"._-".contains(&b)) {
            return word.to_owned();
        }
        if let Some(number) = self.number(word) {
            return number;
        }
        if word.contains('-') {
            let parts: Vec<&str> = word.split('-').collect();
            let digits = |p: &&str| p.len() < 8 && p.bytes().all(|b| b.is_ascii_digit());
            // A range, or a date.
            let shape = parts.len() == 2 || parts.iter().map(|p| p.len()).eq([4, 2, 2]);
            if shape && parts.iter().all(|p| digits(p) || is_address(p)) {
                let mut out = Vec::new();
                let mut last = None;
                for part in parts {
                    out.push(match part.parse::<IpAddr>() {
                        Ok(ip) => {
                            let new = self.address(ip, None, last);
                            last = Some(ip);
                            new
                        }
                        Err(_) => part.to_owned(),
                    });
                }
                return out.join("-");
            }
        }
        if self.looking {
            return String::new();
        }
        if is_host(word) { self.host(word) } else { self.name(word) }
    }

    /// A number: a long one is a name too, and one that an address can be written as is an address.
    fn number(&mut self, word: &str) -> Option<String> {
        if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            let value = u128::from_str_radix(digits, 16).ok()?;
            let (mark, width) = (&word[..2], digits.len());
            let Ok(n) = u32::try_from(value) else {
                let low = self.key.number(Use::Number, word.to_lowercase().as_bytes()) >> 32;
                return Some(format!("{mark}1{low:0width$x}", width = (width - 1).min(31)));
            };
            let new = self.addresses.written_as_number(n);
            return Some(new.map_or_else(|| word.to_owned(), |new| format!("{mark}{new:0width$x}")));
        }
        let digits = word.strip_prefix('-').unwrap_or(word);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None;
        }
        if digits.contains('.') {
            // A version, part of a second.
            return (digits.len() <= 6 && digits.matches('.').count() <= 2).then(|| word.to_owned());
        }
        if let Ok(n) = digits.parse::<u32>()
            && let Some(new) = self.addresses.written_as_number(n)
        {
            return Some(new.to_string());
        }
        if digits.len() < 10 {
            return Some(word.to_owned());
        }
        // The same number of digits, and no more than fits where it did.
        let new = self.key.number(Use::Number, digits.as_bytes()) % 1_000_000_000;
        let sign = &word[..word.len() - digits.len()];
        Some(format!("{sign}1{new:0width$}", width = digits.len() - 1))
    }

    /// A number where an address stands.
    pub(crate) fn address_number(&mut self, word: &str) -> String {
        let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        let number = hex.map_or_else(|| word.parse(), |digits| u32::from_str_radix(digits, 16)).ok();
        match number.filter(|n| *n > 0xff_ffff) {
            Some(n) if hex.is_some() => format!("0x{:08x}", self.addresses.number(n)),
            Some(n) => self.addresses.number(n).to_string(),
            None => self.word(word),
        }
    }

    /// A hardware address's pseudonym: locally administered. Those that mean nobody or everybody stay.
    pub(crate) fn hardware(&mut self, text: &str) -> String {
        let sign = if text.contains('-') { '-' } else { ':' };
        let bytes: Vec<u8> = text.split(sign).filter_map(|p| u8::from_str_radix(p, 16).ok()).collect();
        if bytes.iter().all(|b| *b == 0) || bytes.iter().all(|b| *b == 0xff) {
            return text.to_owned();
        }
        let number = self.key.number(Use::Hardware, &bytes).to_be_bytes();
        let group = bytes.first().map_or(0, |b| b & 1);
        let new = number.iter().cycle().take(bytes.len()).enumerate();
        let new = new.map(|(n, b)| format!("{:02x}", if n == 0 { 2 | group } else { *b }));
        new.collect::<Vec<_>>().join(&sign.to_string())
    }

    /// A path: its folders and files by their names. What stands before a `*` begins the names that it means.
    pub(crate) fn path(&mut self, path: &str) -> String {
        let parts: Vec<String> = path.split('/').map(|part| self.file(part)).collect();
        parts.join("/")
    }

    fn file(&mut self, part: &str) -> String {
        let (stem, ending) = match part.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() && ENDINGS.contains(&ending) => (stem, &part[stem.len()..]),
            _ => (part, ""),
        };
        if stem.is_empty() || stem.bytes().all(|b| b".*".contains(&b)) || is_known(stem) {
            return part.to_owned();
        }
        if self.looking {
            match stem.strip_suffix('*') {
                Some(stem) => self.file_stems.insert(stem.to_owned()),
                None => self.files.insert(stem.to_owned()),
            };
            return String::new();
        }
        if let Some(stem) = stem.strip_suffix('*') {
            return format!("f{}*{ending}", self.file_stem(stem));
        }
        // Files that a pattern means are read by name, so their order stays.
        let rank = u64::try_from(self.files.range(..stem.to_owned()).count()).unwrap_or(0);
        let begins = self.file_stems.iter().filter(|s| stem.starts_with(s.as_str())).max_by_key(|s| s.len()).cloned();
        let begins = begins.map_or_else(String::new, |s| self.file_stem(&s));
        let name = letters(self.key.number(Use::Text, format!("file {stem}").as_bytes()), 5);
        format!("f{begins}{rank:04}{name}{ending}")
    }

    fn file_stem(&self, stem: &str) -> String {
        letters(self.key.number(Use::Text, format!("files {stem}").as_bytes()), 5)
    }
}

/// Endings of files that stay.
const ENDINGS: &[&str] = &["conf", "xml", "json", "nft", "toml", "txt", "debug", "rules", "yaml", "yml"];

/// Signs of names. All that is not ASCII is one.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c) || !c.is_ascii()
}

/// How many bytes at the start are such.
fn run(text: &str, such: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| such(*b)).count()
}

fn is_address(word: &str) -> bool {
    word.parse::<IpAddr>().is_ok()
}

/// Not more bytes of a text than these.
fn start(text: &str, most: usize) -> &str {
    &text[..floor_boundary(text, text.len().min(most))]
}

/// Characters of the longest hardware address, of twenty bytes (InfiniBand), and some more.
const LONGEST_HARDWARE: usize = 64;

/// The length of a hardware address that begins here: six bytes or more.
fn hardware_at(text: &str) -> Option<usize> {
    let near = start(text, LONGEST_HARDWARE);
    let sign = match near.as_bytes().iter().find(|b| !b.is_ascii_hexdigit()) {
        Some(b':') => b':',
        Some(b'-') => b'-',
        _ => return None,
    };
    let end = run(near, |b| b.is_ascii_hexdigit() || b == sign);
    let whole = !text[end..].starts_with(|c| is_word(c) || c == ':');
    let mut count = 0;
    let bytes = text[..end].split(char::from(sign)).all(|part| {
        count += 1;
        matches!(part.len(), 1 | 2)
    });
    // Eight parts with colons between them are an IPv6 address.
    let length = (6..=20).contains(&count) && !(count == 8 && is_address(&text[..end]));
    (whole && bytes && length).then_some(end)
}

/// Bytes of the longest address, one of IPv6 that ends in one of IPv4.
const LONGEST_ADDRESS: usize = 45;

/// The longest address that begins here.
fn address_at(text: &str) -> Option<(IpAddr, usize)> {
    let near = start(text, LONGEST_ADDRESS);
    let number = run(near, |b| b.is_ascii_digit() || b == b'.');
    let number = text[..number].trim_end_matches('.');
    if let Ok(ip) = number.parse()
        && !text[number.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    {
        return Some((IpAddr::V4(ip), number.len()));
    }
    let mut end = run(near, |b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
    while end > 1 && text[..end].matches(':').count() >= 2 {
        let part = &text[..end];
        if !text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && let Ok(ip) = part.parse()
        {
            return Some((IpAddr::V6(ip), end));
        }
        let separators = [':', '.'];
        end = if part.ends_with(separators) { end - 1 } else { part.rfind(separators).map_or(0, |i| i + 1) };
    }
    None
}

/// Numbers with units: `1h30m`, `10mbytes`.
fn is_duration(word: &str) -> bool {
    let mut rest = word;
    while !rest.is_empty() {
        let digits = run(rest, |b| b.is_ascii_digit());
        let unit = run(&rest[digits..], |b| b.is_ascii_alphabetic());
        if digits == 0 || digits > 9 || !UNITS.contains(&&rest[digits..digits + unit]) {
            return false;
        }
        rest = &rest[digits + unit..];
    }
    true
}

/// Is this a host's name: labels with dots between them, the last of letters? Whether it is one of a file, only its place
/// tells.
fn is_host(word: &str) -> bool {
    let good = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    word.rsplit_once('.').is_some_and(|(rest, top)| {
        let letters = top.chars().count() > 1 && top.chars().all(char::is_alphabetic) || top.starts_with("xn--");
        letters && rest.split('.').all(good)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_looked_at_as_far_as_an_address_reaches() {
        let long = format!("{}é", "aa:".repeat(21));
        assert_eq!(hardware_at(&long), None);
        assert_eq!(hardware_at("52:54:00:12:34:56 é"), Some(17));
        assert_eq!(address_at(&format!("{}é", "1.".repeat(22))), None);
        assert_eq!(address_at("2001:db8:ffff:ffff:ffff:ffff:255.255.255.255é").map(|(_, len)| len), None);
        assert_eq!(address_at("2001:db8:ffff:ffff:ffff:ffff:255.255.255.255/128").map(|(_, len)| len), Some(44));
    }
}
