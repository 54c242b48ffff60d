//! Commands of a ruleset file, carried out in order on the ruleset so far.

use super::cursor::{Parser, Read, Unclear, family};
use super::lex::Kind;
use crate::dialect::nft::ast::{Elem, Expr, TableFamily};
use crate::model::SourceId;
use crate::snapshot::ReadError;

impl Parser<'_, '_, '_> {
    /// The whole text.
    pub fn file(&mut self) -> Result<(), ReadError> {
        loop {
            self.skip_separators();
            if self.peek().kind == Kind::End {
                return Ok(());
            }
            let start = self.peek().start;
            self.command()?;
            if !self.at_end_of_statement() {
                let rest = self.peek().start;
                let end = self.skip_statement();
                self.unread(rest, end, "this does not belong to the command before it");
            }
            if self.peek().start == start {
                self.next();
            }
        }
    }

    fn command(&mut self) -> Result<(), ReadError> {
        let start = self.peek().start;
        let word = self.str(self.peek());
        match word {
            "define" | "redefine" | "undefine" | "include" => return self.definition(),
            "table" | "chain" | "rule" | "set" | "map" | "element" | "flowtable" | "counter" | "quota" | "limit"
            | "ct" | "synproxy" | "secmark" => return self.add("add", start),
            "add" | "create" | "insert" | "replace" => {
                self.next();
                return self.add(word, start);
            }
            "delete" | "destroy" | "flush" => {
                self.next();
                let done = self.remove(word);
                return match done {
                    Ok(()) => Ok(()),
                    Err(unclear) => self.command_unread(start, &unclear),
                };
            }
            // They print, and change nothing.
            "list" | "reset" | "monitor" | "describe" | "export" => {
                self.skip_statement();
                return Ok(());
            }
            _ => {}
        }
        if self.env.ruleset.tables.is_empty() && self.peek().kind != Kind::Word {
            return Err(self.error("this is no nftables ruleset").help(
                "give the output of `nft list ruleset` or `nft -j list ruleset`, or a file that `nft -f` loads",
            ));
        }
        let end = self.skip_statement();
        self.unread(start, end, format!("`{word}` is no command that is known"));
        Ok(())
    }

    fn command_unread(&mut self, start: u32, unclear: &Unclear) -> Result<(), ReadError> {
        if unclear.fatal {
            return Err(self.fatal(unclear));
        }
        let end = self.skip_statement().max(self.last_end());
        self.unread(start, end, unclear.why.clone());
        Ok(())
    }

    /// `define x = …`, `redefine`, `undefine`, `include "…"`.
    pub fn definition(&mut self) -> Result<(), ReadError> {
        let start = self.peek().start;
        let token = self.next();
        let word = self.str(token);
        if word == "include" {
            return self.include(start);
        }
        let name = self.name().map_err(|u| self.fatal(&u))?;
        if word == "undefine" {
            self.env.variables.remove(&name);
            return Ok(());
        }
        if word == "define" && self.env.variables.contains_key(&name) {
            let at = self.span(start, self.last_end());
            return Err(crate::snapshot::ReadError::new(at, format!("${name} is defined twice"))
                .help("use `redefine` where a second value is meant"));
        }
        self.need("=").map_err(|u| self.fatal(&u))?;
        let value = self.comparand().map_err(|u| self.fatal(&u))?;
        self.env.variables.insert(name, value);
        Ok(())
    }

    fn include(&mut self, start: u32) -> Result<(), ReadError> {
        let path = self.name().map_err(|u| self.fatal(&u))?;
        let mut found: Vec<usize> =
            (0..self.env.sources.len()).filter(|i| names_file(&self.env.sources[*i].name, &path)).collect();
        found.sort_by(|a, b| self.env.sources[*a].name.cmp(&self.env.sources[*b].name));
        if found.is_empty() && !path.contains('*') {
            let why = format!("`{path}` was not given, and it may hold rules; add it to `config` in the manifest");
            self.unread(start, self.last_end(), why);
        } else if found.is_empty() {
            let why = format!("no file for `{path}` was given; add those that exist to `config` in the manifest");
            self.unread(start, self.last_end(), why);
        }
        for index in found {
            let id = SourceId(u16::try_from(index).unwrap_or(u16::MAX));
            super::parse_file(id, self.env)?;
        }
        Ok(())
    }

    fn family_and_table(&mut self) -> Read<(TableFamily, Box<str>)> {
        let family = match family(self.str(self.peek())) {
            Some(f) if !matches!(self.str(self.peek_at(1)), "{" | ";" | "") => {
                self.next();
                f
            }
            _ => TableFamily::Ip,
        };
        Ok((family, self.name()?))
    }

    fn add(&mut self, how: &str, start: u32) -> Result<(), ReadError> {
        let word = self.str(self.peek());
        let object = match word {
            "table" | "chain" | "rule" | "set" | "map" | "element" | "flowtable" | "counter" | "quota" | "limit"
            | "ct" | "synproxy" | "secmark" => {
                if matches!(word, "flowtable" | "counter" | "quota" | "limit" | "ct" | "synproxy" | "secmark") {
                    self.skip_statement();
                    return Ok(());
                }
                self.next();
                word
            }
            _ => "rule",
        };
        let (family, name) = match self.family_and_table() {
            Ok(found) => found,
            Err(unclear) => return self.command_unread(start, &unclear),
        };
        let table = self.table(family, &name, start);
        match object {
            "table" => {
                if self.is("{") {
                    self.table_block(table)?;
                }
            }
            "chain" => self.add_chain(table, start)?,
            "set" | "map" => self.set_or_map(table, start)?,
            "element" => {
                if let Err(unclear) = self.elements(table, true) {
                    return self.command_unread(start, &unclear);
                }
            }
            _ => self.add_rule(table, how, start)?,
        }
        Ok(())
    }

    /// `add chain ip filter input { type … ; policy drop ; }`
    fn add_chain(&mut self, table: usize, start: u32) -> Result<(), ReadError> {
        self.chain(table, start)
    }

    fn add_rule(&mut self, table: usize, how: &str, start: u32) -> Result<(), ReadError> {
        let chain = self.name().map_err(|u| self.fatal(&u))?;
        let index = self.chain_index(table, &chain, start);
        let mut place = None;
        if let word @ ("position" | "handle" | "index") = self.str(self.peek()) {
            self.next();
            let number = self.name().map_err(|u| self.fatal(&u))?;
            place = Some((word, number.parse::<u64>().unwrap_or(u64::MAX)));
        }
        let rule = self.rule()?;
        let rules = &mut self.env.ruleset.tables[table].chains[index].rules;
        let found = place.and_then(|(word, number)| match word {
            "index" => usize::try_from(number).ok().filter(|i| *i < rules.len()),
            _ => rules.iter().position(|r| r.handle == Some(number)),
        });
        match (how, place, found) {
            ("replace", _, Some(i)) => rules[i] = rule,
            ("replace", ..) | (_, Some(_), None) => {
                self.unread(start, self.last_end(), "the rule that it refers to is not in this text");
            }
            ("insert", _, Some(i)) => rules.insert(i, rule),
            ("insert", None, None) => rules.insert(0, rule),
            (_, _, Some(i)) => rules.insert(i + 1, rule),
            _ => rules.push(rule),
        }
        Ok(())
    }

    /// `add element ip filter set { … }`
    fn elements(&mut self, table: usize, add: bool) -> Read<()> {
        let name = self.name()?;
        let value = if self.peek().kind == Kind::Variable { self.variable()? } else { self.set()? };
        let elems = match value {
            Expr::Set(elems) => elems,
            key => vec![Elem { key, data: None, timeout: false, stmts: Vec::new() }],
        };
        let missing = self.unclear("there is no such set in this text");
        let sets = &mut self.env.ruleset.tables[table].sets;
        let set = sets.iter_mut().find(|s| s.name == name).ok_or(missing)?;
        if add {
            set.elems.extend(elems);
        } else {
            set.elems.retain(|e| !elems.iter().any(|gone| gone.key == e.key));
        }
        Ok(())
    }

    /// `flush ruleset`, `delete table …`, and their like.
    fn remove(&mut self, how: &str) -> Read<()> {
        let flush = how == "flush";
        let what = self.name()?;
        if &*what == "ruleset" {
            let only = family(self.str(self.peek()));
            if only.is_some() {
                self.next();
            }
            self.env.ruleset.tables.retain(|t| only.is_some_and(|f| f != t.family));
            return Ok(());
        }
        let (family, name) = self.family_and_table()?;
        let found = self.env.ruleset.tables.iter().position(|t| t.family == family && t.name == name);
        let gone = self.unclear("it refers to something that is not in this text");
        if &*what == "table" {
            match found {
                Some(i) if flush => self.env.ruleset.tables[i].chains.iter_mut().for_each(|c| c.rules.clear()),
                Some(i) => {
                    self.env.ruleset.tables.remove(i);
                }
                // Deleting what an empty ruleset does not hold: people write it so that a second load works.
                None => {}
            }
            return Ok(());
        }
        let Some(table) = found else {
            self.skip_statement();
            return Ok(());
        };
        match &*what {
            "element" => return self.elements(table, false),
            "chain" => {
                let name = self.name()?;
                let chains = &mut self.env.ruleset.tables[table].chains;
                if flush {
                    chains.iter_mut().filter(|c| c.name == name).for_each(|c| c.rules.clear());
                } else {
                    chains.retain(|c| c.name != name);
                }
                if self.is("{") {
                    self.skip_statement();
                }
            }
            "set" | "map" => {
                let name = self.name()?;
                let sets = &mut self.env.ruleset.tables[table].sets;
                if flush {
                    sets.iter_mut().filter(|s| s.name == name).for_each(|s| s.elems.clear());
                } else {
                    sets.retain(|s| s.name != name);
                }
            }
            "rule" => {
                let chain = self.name()?;
                self.need("handle")?;
                let handle: Option<u64> = self.name()?.parse().ok();
                let chains = &mut self.env.ruleset.tables[table].chains;
                let chain = chains.iter_mut().find(|c| c.name == chain).ok_or(gone)?;
                chain.rules.retain(|r| r.handle != handle);
            }
            _ => {
                self.skip_statement();
            }
        }
        Ok(())
    }
}

/// Does a source's name fit an include path? Paths are compared from their ends, because a manifest names files
/// relative to itself; `*` stands for any part of a file name.
fn names_file(source: &str, path: &str) -> bool {
    let path = path.trim_start_matches("./");
    let source = source.trim_start_matches("./");
    let file = |p: &str| p.rsplit('/').next().unwrap_or(p).to_owned();
    if let Some((head, tail)) = file(path).split_once('*') {
        let name = file(source);
        return name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail);
    }
    source == path || file(source) == file(path)
}
