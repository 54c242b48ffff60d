//! Words and signs of ruleset text, as nftables' own scanner (src/scanner.l of nftables 1.0.6) cuts it.

use crate::model::{SourceId, SourceSpan};
use crate::snapshot::ReadError;

/// Kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, keyword, service, unit.
    Word,
    /// A decimal or hexadecimal number.
    Number,
    /// An IPv4, IPv6 or hardware address.
    Address,
    /// A quoted string; the span is without the quotes.
    Quoted,
    /// `$name`; the span is the name.
    Variable,
    /// A sign: one of `{ } ( ) [ ] ; , = : . / - + & | ^ ! < > @` or a two-character operator.
    Sign,
    /// End of a line.
    Newline,
    /// `# handle N`; the span is the number.
    Handle,
    /// End of the text.
    End,
}

/// A token and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: u32,
    pub end: u32,
}

/// Largest text that is read, in bytes: spans are 32 bits wide.
const MAX_TEXT: usize = 1 << 30;

/// Cuts a text into tokens.
pub(super) fn tokens(source: SourceId, text: &str) -> Result<Vec<Token>, ReadError> {
    if text.len() > MAX_TEXT {
        return Err(ReadError::new(
            SourceSpan { source, start: 0, end: 0 },
            "the file is larger than 1 GiB, which no ruleset is",
        ));
    }
    let mut lexer = Lexer { source, text, bytes: text.as_bytes(), at: 0, out: Vec::with_capacity(text.len() / 5) };
    if text.starts_with('\u{feff}') {
        lexer.at = 3;
    }
    while lexer.at < lexer.bytes.len() {
        lexer.token()?;
    }
    lexer.push(Kind::End, lexer.at, lexer.at);
    Ok(lexer.out)
}

struct Lexer<'t> {
    source: SourceId,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    out: Vec<Token>,
}

#[allow(clippy::cast_possible_truncation)] // texts are at most MAX_TEXT long
fn offset(n: usize) -> u32 {
    n as u32
}

impl Lexer<'_> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.out.push(Token { kind, start: offset(start), end: offset(end) });
    }

    fn error(&self, start: usize, end: usize, message: impl Into<String>) -> ReadError {
        ReadError::new(SourceSpan { source: self.source, start: offset(start), end: offset(end) }, message)
    }

    fn run(&self, from: usize, take: impl Fn(u8) -> bool) -> usize {
        from + self.bytes[from..].iter().take_while(|b| take(**b)).count()
    }

    fn token(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        let byte = self.bytes[start];
        match byte {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' => {
                self.push(Kind::Newline, start, start + 1);
                self.at += 1;
            }
            b'\\' => {
                let next = self.run(start + 1, |b| matches!(b, b' ' | b'\t' | b'\r'));
                if self.bytes.get(next).is_some_and(|b| *b != b'\n') {
                    return Err(self.error(start, start + 1, "a backslash may stand only at the end of a line"));
                }
                self.at = (next + 1).min(self.bytes.len());
            }
            b'#' => self.comment(),
            b'"' => return self.quoted(),
            b'$' => {
                let end = self.run(start + 1, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
                if end == start + 1 {
                    return Err(self.error(start, start + 1, "a name must follow `$`"));
                }
                self.push(Kind::Variable, start + 1, end);
                self.at = end;
            }
            b':' if self.address(start) => {}
            b'0'..=b'9' => self.number(start),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                if !self.address(start) {
                    self.word(start);
                }
            }
            b'*' => {
                self.push(Kind::Word, start, start + 1);
                self.at += 1;
            }
            _ => return self.sign(start),
        }
        Ok(())
    }

    fn comment(&mut self) {
        let start = self.at;
        let end = self.run(start, |b| b != b'\n');
        let body = self.text[start + 1..end].trim();
        if let Some(number) = body.strip_prefix("handle ")
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            let from = start + self.text[start..end].rfind(number).unwrap_or(0);
            self.push(Kind::Handle, from, from + number.len());
        }
        self.at = end;
    }

    fn quoted(&mut self) -> Result<(), ReadError> {
        let start = self.at + 1;
        let end = self.run(start, |b| b != b'"' && b != b'\n');
        if self.bytes.get(end) != Some(&b'"') {
            return Err(self
                .error(start - 1, end, "this quote is not closed on its line")
                .help("add the missing `\"`; nft refuses the file as well"));
        }
        self.push(Kind::Quoted, start, end);
        self.at = end + 1;
        Ok(())
    }

    /// An IPv6 or hardware address: hexadecimal digits and colons that parse as one.
    fn address(&mut self, start: usize) -> bool {
        let mut end = self.run(start, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
        let colons = self.text[start..end].matches(':').count();
        if colons < 2 {
            return false;
        }
        // A colon behind the address belongs to a map (`fe80::1: accept`).
        while end > start {
            let text = &self.text[start..end];
            let hardware = text.len() == 17
                && text.split(':').count() == 6
                && text.split(':').all(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            if hardware || text.parse::<std::net::Ipv6Addr>().is_ok() {
                self.push(Kind::Address, start, end);
                self.at = end;
                return true;
            }
            if !matches!(self.bytes[end - 1], b':' | b'.') {
                return false;
            }
            end -= 1;
        }
        false
    }

    fn number(&mut self, start: usize) {
        let mut dotted = self.run(start, |b| b.is_ascii_digit() || b == b'.');
        while self.bytes[dotted - 1] == b'.' {
            dotted -= 1;
        }
        if self.text[start..dotted].parse::<std::net::Ipv4Addr>().is_ok() {
            self.push(Kind::Address, start, dotted);
            self.at = dotted;
            return;
        }
        if self.address(start) {
            return;
        }
        let hex = self.text[start..].starts_with("0x");
        let digits =
            if hex { self.run(start + 2, |b| b.is_ascii_hexdigit()) } else { self.run(start, |b| b.is_ascii_digit()) };
        let end = self.run(digits, |b| b.is_ascii_alphanumeric() || b == b'_');
        // `1h30m`, `10mbytes`: a number with a unit is one word.
        self.push(if end == digits { Kind::Number } else { Kind::Word }, start, end);
        self.at = end;
    }

    fn word(&mut self, start: usize) {
        let mut end = self.run(start, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
        while end > start + 1 && matches!(self.bytes[end - 1], b'.' | b'-' | b'/') {
            end -= 1;
        }
        if self.bytes.get(end) == Some(&b'*') {
            end += 1;
        }
        self.push(Kind::Word, start, end);
        self.at = end;
    }

    fn sign(&mut self, start: usize) -> Result<(), ReadError> {
        const PAIRS: [&str; 7] = ["!=", "==", "<=", ">=", "<<", ">>", "&&"];
        let rest = &self.text[start..];
        let len = if PAIRS.iter().any(|p| rest.starts_with(p)) { 2 } else { 1 };
        if len == 1
            && !rest.starts_with([
                '{', '}', '(', ')', '[', ']', ';', ',', '=', ':', '.', '/', '-', '+', '&', '|', '^', '!', '<', '>', '@',
            ])
        {
            let shown = rest.chars().next().unwrap_or(' ');
            let end = start + shown.len_utf8();
            let message = if shown == '\0' {
                "this is not a text file: it holds a zero byte".to_owned()
            } else {
                format!("the character {shown:?} has no place in a ruleset")
            };
            return Err(self
                .error(start, end, message)
                .help("give the output of `nft list ruleset` or a file that `nft -f` loads"));
        }
        self.push(Kind::Sign, start, start + len);
        self.at = start + len;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(Kind, String)> {
        let list = tokens(SourceId(0), text).expect("cuts");
        list.iter()
            .filter(|t| t.kind != Kind::End)
            .map(|t| (t.kind, text[t.start as usize..t.end as usize].to_owned()))
            .collect()
    }

    #[test]
    fn addresses_ranges_and_maps_are_cut_as_nft_cuts_them() {
        let words = |t: &str| cut(t).into_iter().map(|(_, s)| s).collect::<Vec<_>>();
        assert_eq!(words("10.0.0.1-10.0.0.9"), ["10.0.0.1", "-", "10.0.0.9"]);
        assert_eq!(words("dnat to 10.0.0.1:80-90"), ["dnat", "to", "10.0.0.1", ":", "80", "-", "90"]);
        assert_eq!(words("[2001:db8::1]:80"), ["[", "2001:db8::1", "]", ":", "80"]);
        assert_eq!(words("fe80::/10 established:accept"), ["fe80::", "/", "10", "established", ":", "accept"]);
        assert_eq!(words("tcp . 22 : jump a-b"), ["tcp", ".", "22", ":", "jump", "a-b"]);
        assert_eq!(
            words("iifname \"eth*\" eth1.7 wg* 0xff 1h30m"),
            ["iifname", "eth*", "eth1.7", "wg*", "0xff", "1h30m"]
        );
        assert_eq!(cut("accept # handle 12"), [(Kind::Word, "accept".into()), (Kind::Handle, "12".into())]);
        assert_eq!(cut("00:11:22:33:44:55"), [(Kind::Address, "00:11:22:33:44:55".into())]);
    }
}
