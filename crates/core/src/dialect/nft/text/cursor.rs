//! A cursor over the tokens of one text.

use super::env::Env;
use super::lex::{Kind, Token, Tokens};
use crate::dialect::nft::ast::{TableFamily, Unread};
pub(super) use crate::dialect::nft::normal::family;
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::ReadError;

/// Includes may nest this deep (`MAX_INCLUDE_DEPTH` in nftables' scanner).
pub(super) const MAX_INCLUDES: usize = 16;

/// Expressions, sets and blocks may nest this deep: real ones need four.
pub(super) const MAX_NESTING: usize = 64;

/// What a text or a block stands in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The outermost level.
    File,
    /// A table, by index.
    Table(usize),
    /// A chain, by indexes of table and chain.
    Chain(usize, usize),
}

/// Why a statement could not be read. It taints its rule, not the whole text.
#[derive(Debug)]
pub(super) struct Unclear {
    pub at: u32,
    pub to: u32,
    pub why: Box<str>,
    /// What to do about it.
    pub help: Option<Box<str>>,
    /// Nothing after it can be trusted either: an error for the whole text.
    pub fatal: bool,
}

impl From<ReadError> for Unclear {
    fn from(error: ReadError) -> Self {
        let help = error.help.map(Into::into);
        Self { at: error.at.start, to: error.at.end, why: error.message.into(), help, fatal: true }
    }
}

/// Result of reading a part of a statement.
pub(super) type Read<T> = Result<T, Unclear>;

/// Reads one text.
pub(super) struct Parser<'t, 'e, 's> {
    pub source: SourceId,
    pub text: &'t str,
    tokens: Tokens,
    at: usize,
    pub env: &'e mut Env<'s>,
    /// The table that is being read, an index into the ruleset.
    pub table: usize,
    /// Its family.
    pub family: TableFamily,
    /// Newlines mean nothing inside braces of sets and round brackets.
    pub joined: usize,
    pub nesting: usize,
    /// Values are traffic classes: `1:2` is one of them.
    pub classes: bool,
}

impl<'t, 'e, 's> Parser<'t, 'e, 's> {
    pub fn new(source: SourceId, text: &'t str, tokens: Tokens, env: &'e mut Env<'s>) -> Self {
        Self {
            source,
            text,
            tokens,
            at: 0,
            env,
            table: 0,
            family: TableFamily::Ip,
            joined: 0,
            nesting: 0,
            classes: false,
        }
    }

    fn index(&self, ahead: usize) -> usize {
        let mut i = self.at;
        let mut left = ahead;
        loop {
            let token = self.tokens.get(i.min(self.tokens.len() - 1));
            let skip = self.joined > 0 && matches!(token.kind, Kind::Handle | Kind::Newline);
            if !skip {
                if left == 0 {
                    return i.min(self.tokens.len() - 1);
                }
                left -= 1;
            }
            if i >= self.tokens.len() {
                return self.tokens.len() - 1;
            }
            i += 1;
        }
    }

    /// The next token.
    pub fn peek(&self) -> Token {
        self.tokens.get(self.index(0))
    }

    /// The token after `ahead` others.
    pub fn peek_at(&self, ahead: usize) -> Token {
        self.tokens.get(self.index(ahead))
    }

    /// The text of a token, without quotes or `$`.
    pub fn str(&self, token: Token) -> &'t str {
        let (start, end) = (token.start as usize, token.end as usize);
        match token.kind {
            Kind::Quoted => &self.text[start + 1..end - 1],
            Kind::Variable => &self.text[start + 1..end],
            _ => &self.text[start..end],
        }
    }

    /// Takes the next token.
    pub fn next(&mut self) -> Token {
        let i = self.index(0);
        let token = self.tokens.get(i);
        if token.kind != Kind::End {
            self.at = i + 1;
        }
        token
    }

    /// The next token is this word or sign.
    pub fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    /// The token after `ahead` others is this word or sign.
    pub fn is_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        matches!(token.kind, Kind::Word | Kind::Sign | Kind::Number) && self.str(token) == word
    }

    /// Takes the next token if it is this word or sign.
    pub fn eat(&mut self, word: &str) -> bool {
        let yes = self.is(word);
        if yes {
            self.next();
        }
        yes
    }

    /// Takes the next token, which must be this word or sign.
    pub fn need(&mut self, word: &str) -> Read<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unclear(format!("`{word}` was expected here"))) }
    }

    /// Takes a name: a word, a number, or a quoted string.
    pub fn name(&mut self) -> Read<Box<str>> {
        let token = self.peek();
        match token.kind {
            Kind::Word | Kind::Number | Kind::Quoted | Kind::Address => {
                self.next();
                Ok(self.str(token).into())
            }
            _ => Err(self.unclear("a name was expected here")),
        }
    }

    /// The name of a chain. Listings hold names that nft's own scanner refuses, as `~comb0` and `f2b:ssh@x`: iptables
    /// takes any. Such a name goes on up to a blank or a sign that cannot be part of it.
    pub fn chain_name(&mut self) -> Read<Box<str>> {
        let first = self.peek();
        let within = |p: &Self| {
            let token = p.peek();
            match token.kind {
                Kind::Word | Kind::Number | Kind::Address | Kind::Junk | Kind::Variable => true,
                Kind::Sign => !matches!(p.str(token), "{" | "}" | ";" | "," | "(" | ")"),
                _ => false,
            }
        };
        if first.kind == Kind::Quoted || !within(self) {
            return self.name();
        }
        let mut end = self.next().end;
        while self.peek().start == end && within(self) {
            end = self.next().end;
        }
        Ok(self.text[first.start as usize..end as usize].into())
    }

    /// The next token ends a statement.
    pub fn at_end_of_statement(&self) -> bool {
        let token = self.peek();
        match token.kind {
            Kind::Newline | Kind::End | Kind::Handle => true,
            Kind::Sign => matches!(self.str(token), ";" | "}"),
            _ => false,
        }
    }

    /// Passes over newlines and semicolons.
    pub fn skip_separators(&mut self) {
        loop {
            let token = self.peek();
            let skip = matches!(token.kind, Kind::Newline | Kind::Handle)
                || token.kind == Kind::Sign && self.str(token) == ";";
            if !skip {
                return;
            }
            self.next();
        }
    }

    /// Passes over the rest of a statement, whole blocks included. Returns where it ended.
    pub fn skip_statement(&mut self) -> u32 {
        let mut depth = 0usize;
        let mut end = self.peek().start;
        let joined = std::mem::take(&mut self.joined);
        loop {
            let token = self.peek();
            let sign = if token.kind == Kind::Sign { self.str(token) } else { "" };
            let over = depth == 0 && (matches!(token.kind, Kind::Newline | Kind::Handle) || matches!(sign, ";" | "}"));
            if over || token.kind == Kind::End {
                break;
            }
            match sign {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if !matches!(token.kind, Kind::Newline | Kind::Handle) {
                end = token.end;
            }
            self.next();
        }
        self.joined = joined;
        end
    }

    /// The last taken token was a variable.
    pub fn last_was_variable(&self) -> bool {
        self.at.checked_sub(1).is_some_and(|i| self.tokens.get(i).kind == Kind::Variable)
    }

    /// Cuts a word at its first dash, where the dash can only mean a range (`a-b` may also be a name).
    pub fn split_at_dash(&mut self, ahead: usize) {
        let i = self.index(ahead);
        let token = self.tokens.get(i);
        let Some(dash) = self.str(token).find('-').filter(|_| token.kind == Kind::Word) else { return };
        let middle = token.start + u32::try_from(dash).unwrap_or(0);
        let parts = [
            Token { end: middle, ..token },
            Token { kind: Kind::Sign, start: middle, end: middle + 1 },
            Token { start: middle + 1, ..token },
        ];
        let parts = parts.into_iter().filter(|t| t.end > t.start);
        self.tokens.replace(i, parts);
    }

    /// Puts the last taken token back.
    pub fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Position, to come back to.
    pub fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a position.
    pub fn reset(&mut self, mark: usize) {
        self.at = mark;
    }

    /// Where the last taken token ended.
    pub fn last_end(&self) -> u32 {
        self.at.checked_sub(1).map_or(0, |i| self.tokens.get(i).end)
    }

    /// The next token is not what can stand here.
    pub fn unclear(&self, why: impl Into<Box<str>>) -> Unclear {
        let token = self.peek();
        Unclear { at: token.start, to: token.end, why: why.into(), help: None, fatal: false }
    }

    /// A place in this text.
    pub fn span(&self, start: u32, end: u32) -> SourceSpan {
        SourceSpan { source: self.source, start, end: end.max(start) }
    }

    /// An error for the whole text out of something that was not understood.
    pub fn fatal(&self, unclear: &Unclear) -> ReadError {
        let help = unclear.help.as_deref().unwrap_or("`nft -c -f FILE` refuses it as well; correct it there first");
        ReadError::new(self.span(unclear.at, unclear.to), unclear.why.to_string()).help(help)
    }

    /// An error for the whole text at the next token.
    pub fn error(&self, message: impl Into<String>) -> ReadError {
        let token = self.peek();
        ReadError::new(self.span(token.start, token.end), message)
    }

    /// Runs `read` one level deeper, or gives up where nobody nests.
    pub fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.unclear("this is nested too deeply to be a real ruleset"));
        }
        self.nesting += 1;
        let out = read(self);
        self.nesting -= 1;
        out
    }

    /// Runs `read` with newlines meaning nothing.
    pub fn over_lines<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.joined += 1;
        let out = self.deeper(read);
        self.joined -= 1;
        out
    }

    /// Notes text outside of rules that was not understood.
    pub fn unread(&mut self, start: u32, end: u32, why: impl Into<Box<str>>) {
        let shown = self.text.get(start as usize..end as usize).unwrap_or_default();
        let unread = Unread { at: self.span(start, end), text: one_line(shown), why: why.into() };
        self.env.build.ruleset.unread.push(unread);
    }

    /// Every brace, bracket and parenthesis has its partner: else nothing in the text can be trusted.
    pub fn check_braces(&self) -> Result<(), ReadError> {
        let mut open: Vec<Token> = Vec::new();
        let tokens = (0..self.tokens.len()).map(|i| self.tokens.get(i));
        for token in tokens.filter(|t| t.kind == Kind::Sign) {
            let sign = self.str(token);
            match sign {
                "{" | "(" | "[" => open.push(token),
                "}" | ")" | "]" => {
                    let partner = match sign {
                        "}" => "{",
                        ")" => "(",
                        _ => "[",
                    };
                    let fits = open.pop().is_some_and(|t| self.str(t) == partner);
                    if !fits {
                        return Err(ReadError::new(
                            self.span(token.start, token.end),
                            format!("this `{sign}` closes nothing"),
                        )
                        .help("remove it, or add the opening one above; `nft -c -f FILE` shows the same place"));
                    }
                }
                _ => {}
            }
        }
        match open.last() {
            None => Ok(()),
            Some(token) => Err(ReadError::new(
                self.span(token.start, token.end),
                format!("this `{}` is never closed", self.str(*token)),
            )
            .help("close it; was the file cut off while it was copied?")),
        }
    }
}

/// A text on one line.
pub(super) fn words(text: &str) -> Box<str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").into()
}

/// A text shortened to one line of at most 120 characters.
pub(super) fn one_line(text: &str) -> Box<str> {
    let line = words(text);
    match line.char_indices().nth(120) {
        Some((i, _)) => format!("{} …", &line[..i]).into(),
        None => line,
    }
}
