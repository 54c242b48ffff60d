//! Words and signs of ruleset text, as nftables' own scanner (src/scanner.l of nftables 1.0.6) cuts it.

use crate::model::{SourceId, SourceSpan};
use crate::snapshot::ReadError;

/// Kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::nft) enum Kind {
    /// A name, keyword, service, unit.
    Word,
    /// A decimal or hexadecimal number.
    Number,
    /// An IPv4, IPv6 or hardware address.
    Address,
    /// A quoted string with its quotes.
    Quoted,
    /// `$name`.
    Variable,
    /// A sign: one of `{ } ( ) [ ] ; , = : . / - + & | ^ ! < > @` or a two-character operator.
    Sign,
    /// A character that has no place in a ruleset.
    Junk,
    /// End of a line.
    Newline,
    /// `# handle N`; the span is the number.
    Handle,
    /// `# xt_name` behind statements: how nft without libxtables lists an extension. The span is the name, and the
    /// statements go on behind it.
    Xt,
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

/// Kinds by their number, for [`Tokens`].
const KINDS: [Kind; 11] = [
    Kind::Word,
    Kind::Number,
    Kind::Address,
    Kind::Quoted,
    Kind::Variable,
    Kind::Sign,
    Kind::Junk,
    Kind::Newline,
    Kind::Handle,
    Kind::Xt,
    Kind::End,
];

/// The tokens of a text, eight bytes each: large rulesets have millions of them.
#[derive(Debug)]
pub(super) struct Tokens(Vec<(u32, u32)>);

impl Tokens {
    /// How many there are; at least one, the end.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The token at a place.
    pub fn get(&self, i: usize) -> Token {
        let (start, packed) = self.0[i];
        Token { kind: KINDS[(packed & 0xff) as usize], start, end: start + (packed >> 8) }
    }

    /// Puts others in the place of one.
    pub fn replace(&mut self, i: usize, others: impl Iterator<Item = Token>) {
        self.0.splice(i..=i, others.map(pack));
    }
}

fn pack(token: Token) -> (u32, u32) {
    (token.start, (token.end - token.start) << 8 | token.kind as u32)
}

/// Longest token: longer ones have no place beside their kind.
const MAX_TOKEN: u32 = (1 << 24) - 1;

/// Largest text that is read, in bytes: spans are 32 bits wide.
const MAX_TEXT: usize = 1 << 30;

/// Cuts a text into tokens.
pub(super) fn tokens(source: SourceId, text: &str) -> Result<Tokens, ReadError> {
    tokens_from(source, text, 0)
}

/// Cuts what stands behind this byte of a text into tokens.
pub(super) fn tokens_from(source: SourceId, text: &str, from: usize) -> Result<Tokens, ReadError> {
    if text.len() > MAX_TEXT {
        return Err(ReadError::new(
            SourceSpan { source, start: 0, end: 0 },
            "the file is larger than 1 GiB, which no ruleset is",
        ));
    }
    let mut lexer = Lexer {
        source,
        text,
        bytes: text.as_bytes(),
        at: from,
        out: Vec::with_capacity((text.len() - from) / 4),
        last: Kind::Newline,
        too_long: None,
    };
    if from == 0 && text.starts_with('\u{feff}') {
        lexer.at = 3;
    }
    while lexer.at < lexer.bytes.len() {
        lexer.token()?;
    }
    lexer.push(Kind::End, lexer.at, lexer.at);
    match lexer.too_long {
        Some(start) => Err(lexer.error(start, start + 1, "what begins here is too long for a ruleset")),
        None => Ok(Tokens(lexer.out)),
    }
}

struct Lexer<'t> {
    source: SourceId,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    out: Vec<(u32, u32)>,
    /// Kind of the last token.
    last: Kind,
    /// Where a token begins that is too long.
    too_long: Option<usize>,
}

#[allow(clippy::cast_possible_truncation)] // texts are at most MAX_TEXT long
fn offset(n: usize) -> u32 {
    n as u32
}

impl Lexer<'_> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.last = kind;
        let token = Token { kind, start: offset(start), end: offset(end) };
        if token.end - token.start > MAX_TOKEN {
            self.too_long = self.too_long.or(Some(start));
            return;
        }
        self.out.push(pack(token));
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
            b'\\' if self.bytes.get(start + 1) == Some(&b'*') => {
                self.push(Kind::Word, start, start + 2);
                self.at += 2;
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
                let mut end = self.run(start + 1, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
                while end > start + 1 && matches!(self.bytes[end - 1], b'-' | b'.') {
                    end -= 1;
                }
                if end == start + 1 {
                    return Err(self.error(start, start + 1, "a name must follow `$`"));
                }
                self.push(Kind::Variable, start, end);
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
        let text = &self.text[start..end];
        if let Some(name) = text.strip_prefix("# xt_")
            && self.last != Kind::Newline
        {
            let len = name.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            self.push(Kind::Xt, start + 5, start + 5 + len);
            self.at = start + 5 + len;
            return;
        }
        if let Some(number) = text[1..].trim().strip_prefix("handle ")
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            let from = start + text.rfind(number).unwrap_or(0);
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
        self.push(Kind::Quoted, start - 1, end + 1);
        self.at = end + 1;
        Ok(())
    }

    /// An IPv6 or hardware address: hexadecimal digits and colons that parse as one.
    fn address(&mut self, start: usize) -> bool {
        let mut end = self.short_run(start, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
        if self.text[start..end].matches(':').nth(1).is_none() {
            return false;
        }
        // The longest part that is an address: a colon behind it belongs to a map (`fe80::1:accept`).
        while end > start + 1 {
            let part = &self.text[start..end];
            let whole = !self.bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
            if whole && (hardware(part) || part.parse::<std::net::Ipv6Addr>().is_ok()) {
                self.push(Kind::Address, start, end);
                self.at = end;
                return true;
            }
            let separators = [':', '.'];
            let cut =
                if part.ends_with(separators) { part.len() - 1 } else { part.rfind(separators).map_or(0, |i| i + 1) };
            end = start + cut;
        }
        false
    }

    /// As [`Self::run`], but no longer than any address is.
    fn short_run(&self, from: usize, take: impl Fn(u8) -> bool) -> usize {
        from + self.bytes[from..].iter().take(64).take_while(|b| take(**b)).count()
    }

    fn number(&mut self, start: usize) {
        let mut dotted = self.short_run(start, |b| b.is_ascii_digit() || b == b'.');
        while self.bytes[dotted - 1] == b'.' {
            dotted -= 1;
        }
        if dotted - start >= 7 && self.text[start..dotted].parse::<std::net::Ipv4Addr>().is_ok() {
            self.push(Kind::Address, start, dotted);
            self.at = dotted;
            return;
        }
        if self.address(start) {
            return;
        }
        let hex = self.bytes[start] == b'0' && matches!(self.bytes.get(start + 1), Some(b'x' | b'X'));
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
            if shown == '\0' {
                return Err(self
                    .error(start, end, "this is not a text file: it holds a zero byte")
                    .help("give the output of `nft list ruleset` or a file that `nft -f` loads"));
            }
            self.push(Kind::Junk, start, end);
            self.at = end;
            return Ok(());
        }
        self.push(Kind::Sign, start, start + len);
        self.at = start + len;
        Ok(())
    }
}

/// `00:11:22:33:44:55`
fn hardware(text: &str) -> bool {
    let mut parts = 0;
    let digits = |p: &str| matches!(p.len(), 1 | 2) && p.bytes().all(|b| b.is_ascii_hexdigit());
    text.split(':').all(|p| {
        parts += 1;
        digits(p)
    }) && parts == 6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(Kind, String)> {
        let list = tokens(SourceId(0), text).expect("cuts");
        (0..list.len())
            .map(|i| list.get(i))
            .filter(|t| t.kind != Kind::End)
            .map(|t| (t.kind, text[t.start as usize..t.end as usize].to_owned()))
            .collect()
    }

    #[test]
    fn kinds_are_found_by_their_number() {
        for (i, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, i);
        }
    }

    #[test]
    fn the_longest_address_is_cut_and_what_follows_belongs_to_a_map() {
        let words = |t: &str| cut(t).into_iter().map(|(_, s)| s).collect::<Vec<_>>();
        assert_eq!(words("2001:db8::1:accept"), ["2001:db8::1", ":", "accept"]);
        assert_eq!(words("aaaa:::accept ::1:drop"), ["aaaa::", ":", "accept", "::1", ":", "drop"]);
        assert_eq!(words("1:2:3:4:5:6:7:::accept"), ["1:2:3:4:5:6:7::", ":", "accept"]);
        assert_eq!(words("established:accept 22:accept"), ["established", ":", "accept", "22", ":", "accept"]);
        assert_eq!(words("0:1:2:3:4:5 ::ffff:10.0.0.1"), ["0:1:2:3:4:5", "::ffff:10.0.0.1"]);
        assert_eq!(words("10.0.0.1:80 $a-$b"), ["10.0.0.1", ":", "80", "$a", "-", "$b"]);
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
            ["iifname", "\"eth*\"", "eth1.7", "wg*", "0xff", "1h30m"]
        );
        assert_eq!(cut("accept # handle 12"), [(Kind::Word, "accept".into()), (Kind::Handle, "12".into())]);
        assert_eq!(cut("00:11:22:33:44:55"), [(Kind::Address, "00:11:22:33:44:55".into())]);
    }
}
