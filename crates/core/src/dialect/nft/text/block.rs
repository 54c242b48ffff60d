//! Tables, and chains with what hooks them in.

use super::cursor::{Parser, Place, Read, Unclear};
use super::expr::word_of;
use super::lex::Kind;
use crate::dialect::nft::ast::{Base, ChainKind, Expr, Object, TableFamily};
use crate::dialect::nft::normal;
use crate::snapshot::ReadError;

/// Words that begin a named object of a table.
pub(super) const OBJECTS: &[&str] = &["counter", "quota", "limit", "flowtable", "synproxy", "secmark", "ct", "tunnel"];

impl Parser<'_, '_, '_> {
    /// Reads the whole text as what stands at a place.
    pub fn at_place(&mut self, place: Place) -> Result<(), ReadError> {
        match place {
            Place::File => return self.file(),
            Place::Table(table) => {
                self.enter_table(table);
                self.table_items(table)?;
            }
            Place::Chain(table, chain) => {
                self.enter_table(table);
                self.chain_items(table, chain)?;
            }
        }
        if self.peek().kind == Kind::End { Ok(()) } else { Err(self.error("this closes nothing in this file")) }
    }

    /// What follows is read for this table.
    pub fn enter_table(&mut self, table: usize) {
        self.table = table;
        self.family = self.env.build.ruleset.tables[table].family;
    }

    /// `{ … }` of a table.
    pub fn table_block(&mut self, table: usize) -> Result<(), ReadError> {
        self.next();
        self.enter_table(table);
        self.env.variables.open();
        self.table_items(table)?;
        self.env.variables.close();
        self.close_block("table")
    }

    fn close_block(&mut self, what: &str) -> Result<(), ReadError> {
        if self.eat("}") { Ok(()) } else { Err(self.error(format!("the {what} ends before its closing `}}`"))) }
    }

    fn table_items(&mut self, table: usize) -> Result<(), ReadError> {
        loop {
            self.skip_separators();
            let token = self.peek();
            if self.is("}") || token.kind == Kind::End {
                return Ok(());
            }
            let start = token.start;
            match self.str(token) {
                "chain" => {
                    self.next();
                    self.chain(table, start)?;
                }
                "set" | "map" => {
                    self.next();
                    self.set_or_map(table, start)?;
                }
                "flags" => {
                    self.next();
                    while !self.at_end_of_statement() {
                        let token = self.next();
                        self.env.build.ruleset.tables[table].dormant |= self.str(token) == "dormant";
                    }
                }
                "comment" if matches!(self.peek_at(1).kind, Kind::Quoted | Kind::Word) => {
                    self.next();
                    self.next();
                }
                _ if self.at_definition() => self.definition(Place::Table(table))?,
                word if OBJECTS.contains(&word) => self.object(table),
                word => {
                    let why = format!("`{word}` is nothing that is known in a table");
                    self.skip_unread(start, why);
                    continue;
                }
            }
            self.expect_end(start)?;
        }
    }

    /// What follows on the line was not expected.
    fn expect_end(&mut self, start: u32) -> Result<(), ReadError> {
        if !self.at_end_of_statement() {
            let at = self.peek().start;
            self.skip_unread(at, "this does not belong to what stands before it");
        }
        if self.peek().start == start { Err(self.error("nothing known stands here")) } else { Ok(()) }
    }

    /// Passes over a statement and notes it.
    pub fn skip_unread(&mut self, start: u32, why: impl Into<Box<str>>) {
        let end = self.skip_statement();
        if self.peek().start == start {
            self.next();
        }
        self.unread(start, end.max(start), why);
    }

    /// `counter name { … }`, `ct helper name { … }`, `flowtable name { … }`, and the same on one line.
    pub fn object(&mut self, table: usize) {
        let first = self.next();
        let mut kind = self.str(first).to_owned();
        if kind == "ct" {
            let second = self.next();
            kind = format!("ct {}", self.str(second));
        }
        let name = self.name().unwrap_or_default();
        self.object_body(table, &kind, name);
    }

    /// The rest of an object.
    pub fn object_body(&mut self, table: usize, kind: &str, name: Box<str>) {
        let start = self.peek().start;
        let end = self.skip_statement();
        let body = self.text.get(start as usize..end as usize).unwrap_or_default().into();
        self.env.build.ruleset.tables[table].objects.push(Object { kind: kind.into(), name, body });
    }

    /// A chain's name and block, behind the word `chain`.
    pub fn chain(&mut self, table: usize, start: u32) -> Result<(), ReadError> {
        let name = self.chain_name().map_err(|u| self.fatal(&u))?;
        let at = self.span(start, self.last_end());
        let index = self.env.build.chain(table, &name, at);
        if !self.is("{") {
            return Ok(());
        }
        self.next();
        self.env.variables.open();
        self.chain_items(table, index)?;
        self.env.variables.close();
        self.close_block("chain")
    }

    fn chain_items(&mut self, table: usize, index: usize) -> Result<(), ReadError> {
        let mut policy = None;
        loop {
            self.skip_separators();
            let token = self.peek();
            if self.is("}") || token.kind == Kind::End {
                break;
            }
            match self.str(token) {
                "type" => {
                    let base = self.base().map_err(|u| self.fatal(&u))?;
                    let chain = &mut self.env.build.ruleset.tables[table].chains[index];
                    let (drop, devices) = chain.base.take().map_or((false, Vec::new()), |b| (b.policy_drop, b.devices));
                    let devices = if base.devices.is_empty() { devices } else { base.devices };
                    chain.base = Some(Base { policy_drop: drop, devices, ..base });
                }
                "policy" => policy = Some(self.policy().map_err(|u| self.fatal(&u))?),
                "comment" if matches!(self.peek_at(1).kind, Kind::Quoted | Kind::Word) && self.ends_at(2) => {
                    self.next();
                    self.next();
                }
                "flags" if self.is_at(1, "offload") => {
                    self.next();
                    self.next();
                }
                "devices" if self.is_at(1, "=") => {
                    self.next();
                    self.next();
                    let value = self.comparand().map_err(|u| self.fatal(&u))?;
                    if let Some(base) = &mut self.env.build.ruleset.tables[table].chains[index].base {
                        names(&value, &mut base.devices);
                    }
                }
                _ if self.at_definition() => self.definition(Place::Chain(table, index))?,
                _ => {
                    let rule = self.rule()?;
                    if self.peek().start == token.start {
                        return Err(self.error("a rule was expected here"));
                    }
                    self.env.build.append(table, index, rule);
                    continue;
                }
            }
            self.expect_end(token.start)?;
        }
        if let (Some(drop), Some(base)) = (policy, &mut self.env.build.ruleset.tables[table].chains[index].base) {
            base.policy_drop = drop;
        }
        Ok(())
    }

    /// The token after `ahead` others ends a statement.
    fn ends_at(&self, ahead: usize) -> bool {
        let token = self.peek_at(ahead);
        matches!(token.kind, Kind::Newline | Kind::End | Kind::Handle) || matches!(self.str(token), ";" | "}")
    }

    /// `policy drop`
    fn policy(&mut self) -> Read<bool> {
        self.next();
        let at = self.unclear("the policy of a chain is `accept` or `drop`");
        let word = if self.peek().kind == Kind::Variable { word_of(&self.variable()?) } else { self.name().ok() };
        match word.as_deref() {
            Some("accept") => Ok(false),
            Some("drop") => Ok(true),
            _ => Err(at),
        }
    }

    /// `type filter hook input [device x | devices = { … }] priority filter - 5`
    fn base(&mut self) -> Read<Base> {
        self.need("type")?;
        let at = self.unclear("a chain is of type `filter`, `nat` or `route`");
        let kind = match &*self.name()? {
            "filter" => ChainKind::Filter,
            "nat" => ChainKind::Nat,
            "route" => ChainKind::Route,
            _ => return Err(at),
        };
        self.need("hook")?;
        let at = self.unclear("there is no such hook");
        let hook = normal::hook(&self.name()?).ok_or(at)?;
        let mut devices = Vec::new();
        loop {
            if self.eat("device") {
                let device =
                    if self.peek().kind == Kind::Variable { self.variable()? } else { Expr::Word(self.name()?) };
                names(&device, &mut devices);
            } else if self.eat("devices") {
                self.need("=")?;
                let value = self.comparand()?;
                names(&value, &mut devices);
            } else {
                break;
            }
        }
        self.need("priority")?;
        let priority = self.priority()?;
        Ok(Base { kind, hook, priority, devices, policy_drop: false })
    }

    /// `0`, `-150`, `filter`, `srcnat + 5`, or a variable with one of these.
    fn priority(&mut self) -> Read<i32> {
        let start = self.peek().start;
        let mut text = String::new();
        if self.peek().kind == Kind::Variable {
            text = normal::expr_text(&self.variable()?);
        } else if self.eat("-") {
            text.push('-');
        }
        if text.len() < 2 {
            text.push_str(&self.name()?);
        }
        if self.is("+") || self.is("-") {
            let sign = self.next();
            text.push_str(self.str(sign));
            text.push_str(&self.name()?);
        }
        let value = priority(&text, self.family);
        value.ok_or_else(|| Unclear { at: start, ..self.unclear(format!("there is no priority `{text}` here")) })
    }
}

/// A priority from its text.
fn priority(text: &str, family: TableFamily) -> Option<i32> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let count = |digits: &str| normal::number(digits).and_then(|n| i32::try_from(n).ok());
    let split = text.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-'));
    let (head, offset) = match split {
        Some((i, sign)) => {
            let offset = count(&text[i + 1..])?;
            (&text[..i], if sign == '-' { -offset } else { offset })
        }
        None => (text.as_str(), 0),
    };
    let base = match head.strip_prefix('-') {
        Some(digits) => -count(digits)?,
        None if head.starts_with(|c: char| c.is_ascii_digit()) => count(head)?,
        None => normal::priority(head, family)?,
    };
    base.checked_add(offset)
}

/// Device names in a value.
fn names(value: &Expr, out: &mut Vec<Box<str>>) {
    match value {
        Expr::Set(elems) => elems.iter().for_each(|e| names(&e.key, out)),
        Expr::Flags(list) => list.iter().for_each(|e| names(e, out)),
        other => out.extend(word_of(other)),
    }
}
