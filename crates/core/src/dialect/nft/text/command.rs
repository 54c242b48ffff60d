//! Commands of a ruleset file, carried out in order on the ruleset so far.

use super::block::OBJECTS;
use super::cursor::{Parser, Place, Read, Unclear, family, words};
use super::lex::Kind;
use crate::dialect::nft;
use crate::dialect::nft::ast::{Rule, Stmt, TableFamily};
use crate::dialect::{Dialect, Sniff, recognise};
use crate::snapshot::ReadError;

/// What can be added.
const KINDS: &[&str] = &["table", "chain", "rule", "set", "map", "element"];

impl Parser<'_, '_, '_> {
    /// The whole text.
    pub fn file(&mut self) -> Result<(), ReadError> {
        self.other_kind()?;
        self.commands()
    }

    /// Commands up to the end.
    pub fn commands(&mut self) -> Result<(), ReadError> {
        loop {
            self.skip_separators();
            if self.peek().kind == Kind::End {
                return Ok(());
            }
            let start = self.peek().start;
            self.command()?;
            if !self.at_end_of_statement() {
                let rest = self.peek().start;
                self.skip_unread(rest, "this does not belong to the command before it");
            }
            if self.peek().start == start {
                self.next();
            }
        }
    }

    /// Files that are not for nftables at all, in the words in which such a file is refused elsewhere. An included one
    /// may be empty, or hold comments only.
    fn other_kind(&self) -> Result<(), ReadError> {
        let text = self.text.trim_start_matches('\u{feff}').trim_start();
        if Sniff::new(self.text).is_empty() {
            return Ok(());
        }
        let start = u32::try_from(self.text.len() - text.len()).unwrap_or(0);
        let end = start + text.chars().next().map_or(0, |c| u32::try_from(c.len_utf8()).unwrap_or(0));
        let refused = |message: String, help: &str| ReadError::new(self.span(start, end), message).help(help);
        match recognise(self.source, self.text) {
            Ok(dialect) if dialect.about().name == nft::Text.about().name => Ok(()),
            Ok(dialect) => Err(refused(
                format!("this is {}, not ruleset text", dialect.about().what),
                "rulesets include texts of rules only; give any other file in `config`",
            )),
            Err(error) => Err(refused(error.message, &error.help)),
        }
    }

    fn command(&mut self) -> Result<(), ReadError> {
        let token = self.peek();
        let (start, word) = (token.start, self.str(token));
        match word {
            _ if token.kind != Kind::Word => {}
            _ if self.at_definition() => return self.definition(Place::File),
            _ if KINDS.contains(&word) || OBJECTS.contains(&word) => return self.add("add", start),
            "add" | "create" | "insert" | "replace" => {
                self.next();
                return self.add(word, start);
            }
            "delete" | "destroy" | "flush" | "rename" => {
                self.next();
                self.env.understood = true;
                let done = if word == "rename" { self.rename() } else { self.remove(word) };
                return done.or_else(|unclear| self.command_unread(start, &unclear));
            }
            // They print, and change nothing but counters.
            "list" | "reset" | "monitor" | "describe" | "export" | "get" => {
                self.env.understood = true;
                self.skip_statement();
                return Ok(());
            }
            _ => {}
        }
        self.skip_unread(start, format!("`{word}` is no command that is known"));
        Ok(())
    }

    /// Notes a command that was not understood.
    pub fn command_unread(&mut self, start: u32, unclear: &Unclear) -> Result<(), ReadError> {
        if unclear.fatal {
            return Err(self.fatal(unclear));
        }
        self.joined = 0;
        self.nesting = 0;
        let end = self.skip_statement().max(self.last_end());
        self.unread(start, end, unclear.why.clone());
        Ok(())
    }

    /// `[family] table`
    pub fn family_and_table(&mut self) -> Read<(TableFamily, Box<str>)> {
        let found = family(self.str(self.peek())).filter(|_| {
            self.peek().kind == Kind::Word && matches!(self.peek_at(1).kind, Kind::Word | Kind::Number | Kind::Quoted)
        });
        if found.is_some() {
            self.next();
        }
        Ok((found.unwrap_or(TableFamily::Ip), self.name()?))
    }

    fn add(&mut self, how: &str, start: u32) -> Result<(), ReadError> {
        let token = self.peek();
        let mut kind = self.str(token).to_owned();
        if KINDS.contains(&&*kind) || OBJECTS.contains(&&*kind) {
            self.next();
            if kind == "ct" {
                let second = self.next();
                kind = format!("ct {}", self.str(second));
            }
        } else if how == "add" || how == "insert" {
            // `add filter input accept`
            "rule".clone_into(&mut kind);
        } else {
            self.skip_unread(start, format!("`{kind}` is nothing that can be made"));
            return Ok(());
        }
        let (family, name) = match self.family_and_table() {
            Ok(found) => found,
            Err(unclear) => return self.command_unread(start, &unclear),
        };
        self.env.understood = true;
        let at = self.span(start, self.last_end());
        let table = self.env.build.table(family, &name, at);
        self.enter_table(table);
        match &*kind {
            "table" => {
                if self.is("{") {
                    self.table_block(table)?;
                }
            }
            "chain" => self.chain(table, start)?,
            "set" | "map" => self.set_or_map(table, start)?,
            "element" => {
                if let Err(unclear) = self.elements(table, true) {
                    return self.command_unread(start, &unclear);
                }
            }
            "rule" => self.add_rule(table, how, start)?,
            object => match self.name() {
                Ok(name) => self.object_body(table, object, name),
                Err(unclear) => return self.command_unread(start, &unclear),
            },
        }
        Ok(())
    }

    fn add_rule(&mut self, table: usize, how: &str, start: u32) -> Result<(), ReadError> {
        let chain = match self.name() {
            Ok(name) => name,
            Err(unclear) => return self.command_unread(start, &unclear),
        };
        let at = self.span(start, self.last_end());
        let index = self.env.build.chain(table, &chain, at);
        let mut place = None;
        if let word @ ("position" | "handle" | "index") = self.str(self.peek()) {
            self.next();
            match self.number() {
                Ok(number) => place = Some((word, number)),
                Err(unclear) => return self.command_unread(start, &unclear),
            }
        }
        let rule = self.rule()?;
        let Some((word, number)) = place else {
            match how {
                "insert" => self.env.build.prepend(table, index, rule),
                "replace" => self.misplaced(table, index, start, &rule),
                _ => self.env.build.append(table, index, rule),
            }
            return Ok(());
        };
        let rules = self.env.build.rules(table, index);
        let found = match word {
            "index" => usize::try_from(number).ok().filter(|i| *i < rules.len()),
            _ => rules.iter().position(|r| r.handle == Some(number)),
        };
        match (how, found) {
            ("replace", Some(i)) => rules[i] = rule,
            ("insert", Some(i)) => rules.insert(i, rule),
            (_, Some(i)) => rules.insert(i + 1, rule),
            _ => self.misplaced(table, index, start, &rule),
        }
        Ok(())
    }

    /// A rule that goes where this text has no rule: it may stand before any other.
    fn misplaced(&mut self, table: usize, chain: usize, start: u32, rule: &Rule) {
        let (from, to) = (rule.at.start as usize, rule.at.end as usize);
        let text = words(self.text.get(from..to).unwrap_or_default());
        let rule = Rule { stmts: vec![Stmt::Unread(text)], comment: None, handle: None, at: rule.at };
        self.env.build.prepend(table, chain, rule);
        self.unread(start, self.last_end(), "the rule that it refers to is not in this text");
    }

    /// `add element ip filter set { … }`, `delete element …`, behind the table.
    pub fn elements(&mut self, table: usize, add: bool) -> Read<()> {
        let missing = self.unclear("there is no such set in this text");
        let name = self.name()?;
        let elems = self.elements_operand()?;
        let set = self.env.build.set(table, &name).ok_or(missing)?;
        if add {
            set.elems.extend(elems);
            return Ok(());
        }
        let before = set.elems.len();
        set.elems.retain(|e| !elems.iter().any(|gone| gone.key == e.key));
        if before - set.elems.len() >= elems.len() {
            Ok(())
        } else {
            Err(self.unclear("some of these elements are not in the set, at least not written like this"))
        }
    }
}
