//! Tables and what stands in them.

use super::cursor::{Parser, Read, Unclear, one_line};
use super::expr::word_of;
use super::lex::Kind;
use crate::dialect::nft::ast::{
    Base, Chain, ChainKind, DataType, Elem, Expr, HookName, KeyType, Object, Set, Table, TableFamily,
};
use crate::snapshot::ReadError;

impl Parser<'_, '_, '_> {
    /// The table of this name, made if it is new. Returns its index.
    pub fn table(&mut self, family: TableFamily, name: &str, start: u32) -> usize {
        let tables = &self.env.ruleset.tables;
        if let Some(i) = tables.iter().position(|t| t.family == family && &*t.name == name) {
            return i;
        }
        let at = self.span(start, self.last_end());
        self.env.ruleset.tables.push(Table {
            family,
            name: name.into(),
            dormant: false,
            chains: Vec::new(),
            sets: Vec::new(),
            objects: Vec::new(),
            at,
        });
        self.env.ruleset.tables.len() - 1
    }

    /// `{ … }` of a table.
    pub fn table_block(&mut self, table: usize) -> Result<(), ReadError> {
        self.next();
        loop {
            self.skip_separators();
            if self.eat("}") {
                return Ok(());
            }
            let start = self.peek().start;
            let word = self.str(self.peek());
            match word {
                "" => return Err(self.error("the table ends before its closing `}`")),
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
                        self.env.ruleset.tables[table].dormant |= self.str(token) == "dormant";
                    }
                }
                "comment" => {
                    self.skip_statement();
                }
                "define" | "redefine" | "undefine" | "include" => self.definition()?,
                "counter" | "quota" | "limit" | "flowtable" | "synproxy" | "secmark" | "ct" | "tunnel" => {
                    self.object(table);
                }
                _ => {
                    let end = self.skip_statement();
                    self.unread(start, end, "this is nothing that can stand in a table");
                    if self.peek().start == start {
                        self.next();
                    }
                }
            }
        }
    }

    /// `counter name { … }`, `ct helper name { … }`, `flowtable name { … }`.
    pub fn object(&mut self, table: usize) {
        let first = self.next();
        let mut kind = self.str(first).to_owned();
        if kind == "ct" {
            let second = self.next();
            kind = format!("ct {}", self.str(second));
        }
        let name = self.name().unwrap_or_default();
        let start = self.peek().start;
        let end = self.skip_statement();
        let body = self.text.get(start as usize..end as usize).unwrap_or_default().into();
        self.env.ruleset.tables[table].objects.push(Object { kind: kind.into(), name, body });
    }

    /// A chain's name and block, behind the word `chain`.
    pub fn chain(&mut self, table: usize, start: u32) -> Result<(), ReadError> {
        let name = self.name().map_err(|u| self.fatal(&u))?;
        let index = self.chain_index(table, &name, start);
        if !self.is("{") {
            return Ok(());
        }
        self.next();
        loop {
            self.skip_separators();
            if self.eat("}") {
                break;
            }
            if self.peek().kind == Kind::End {
                return Err(self.error("the chain ends before its closing `}`"));
            }
            self.chain_line(table, index)?;
        }
        let at = self.span(start, self.last_end());
        self.env.ruleset.tables[table].chains[index].at = at;
        Ok(())
    }

    /// The chain of this name, made if it is new.
    pub fn chain_index(&mut self, table: usize, name: &str, start: u32) -> usize {
        let at = self.span(start, self.last_end());
        let chains = &mut self.env.ruleset.tables[table].chains;
        chains.iter().position(|c| &*c.name == name).unwrap_or_else(|| {
            chains.push(Chain { name: name.into(), base: None, rules: Vec::new(), at });
            chains.len() - 1
        })
    }

    fn chain_line(&mut self, table: usize, index: usize) -> Result<(), ReadError> {
        let start = self.peek().start;
        match self.str(self.peek()) {
            "type" if !self.is_at(1, "{") => {
                let family = self.env.ruleset.tables[table].family;
                let base = self.base(family).map_err(|u| self.fatal(&u))?;
                let chain = &mut self.env.ruleset.tables[table].chains[index];
                let policy = chain.base.as_ref().is_some_and(|b| b.policy_drop);
                chain.base = Some(Base { policy_drop: policy, ..base });
            }
            "policy" => {
                self.next();
                let policy = if self.peek().kind == Kind::Variable {
                    let value = self.variable().map_err(|u| self.fatal(&u))?;
                    word_of(&value)
                } else {
                    self.name().map_err(|u| self.fatal(&u))?
                };
                if let Some(base) = &mut self.env.ruleset.tables[table].chains[index].base {
                    base.policy_drop = &*policy == "drop";
                }
            }
            "comment" | "devices" | "flags" if !self.is_at(1, ".") => {
                self.skip_statement();
            }
            "define" | "redefine" | "undefine" | "include" => self.definition()?,
            _ => {
                let rule = self.rule()?;
                if rule.stmts.is_empty() && self.peek().start == start {
                    return Err(self.error("a rule was expected here"));
                }
                self.env.ruleset.tables[table].chains[index].rules.push(rule);
            }
        }
        Ok(())
    }

    /// `type filter hook input [device x | devices = { … }] priority filter - 5`
    pub fn base(&mut self, family: TableFamily) -> Read<Base> {
        self.need("type")?;
        let kind = match &*self.name()? {
            "filter" => ChainKind::Filter,
            "nat" => ChainKind::Nat,
            "route" => ChainKind::Route,
            other => return Err(Unclear { fatal: true, ..self.unclear(format!("there is no chain type `{other}`")) }),
        };
        self.need("hook")?;
        let hook = hook(&self.name()?).ok_or_else(|| self.unclear("there is no such hook"))?;
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
        let priority = self.priority(family, hook)?;
        Ok(Base { kind, hook, priority, devices, policy_drop: false })
    }

    fn priority(&mut self, family: TableFamily, hook: HookName) -> Read<i32> {
        let token = self.peek();
        let text = if token.kind == Kind::Variable {
            let value = self.variable()?;
            word_of(&value)
        } else {
            let sign = if self.eat("-") { "-" } else { "" };
            format!("{sign}{}", self.name()?).into()
        };
        let base = match text.parse::<i32>() {
            Ok(number) => number,
            Err(_) => priority_of(&text, family, hook)
                .ok_or_else(|| self.unclear(format!("there is no priority `{text}` here")))?,
        };
        let sign = match self.str(self.peek()) {
            "+" => 1,
            "-" => -1,
            _ => return Ok(base),
        };
        self.next();
        let token = self.next();
        let offset: i32 = self.str(token).parse().map_err(|_| self.unclear("a number was expected here"))?;
        Ok(base + sign * offset)
    }

    /// A set or map, behind the word.
    pub fn set_or_map(&mut self, table: usize, start: u32) -> Result<(), ReadError> {
        let name = self.name().map_err(|u| self.fatal(&u))?;
        let mut set = Set {
            name,
            key: KeyType::Names(Vec::new()),
            data: None,
            flags: Vec::new(),
            timeout: false,
            elems: Vec::new(),
            stmts: Vec::new(),
            at: self.span(start, start),
        };
        if self.eat("{") {
            loop {
                self.skip_separators();
                if self.eat("}") {
                    break;
                }
                if self.peek().kind == Kind::End {
                    return Err(self.error("the set ends before its closing `}`"));
                }
                let (line, joined, nesting) = (self.peek().start, self.joined, self.nesting);
                if let Err(unclear) = self.set_line(&mut set) {
                    if unclear.fatal {
                        return Err(self.fatal(&unclear));
                    }
                    (self.joined, self.nesting) = (joined, nesting);
                    let end = self.skip_statement();
                    self.unread(line, end.max(line), unclear.why);
                    if self.peek().start == line {
                        self.next();
                    }
                }
            }
        }
        set.at = self.span(start, self.last_end());
        let sets = &mut self.env.ruleset.tables[table].sets;
        match sets.iter_mut().find(|s| s.name == set.name) {
            Some(known) => known.elems.append(&mut set.elems),
            None => sets.push(set),
        }
        Ok(())
    }

    fn set_line(&mut self, set: &mut Set) -> Read<()> {
        let word = self.str(self.peek());
        match word {
            "type" => {
                self.next();
                set.key = KeyType::Names(self.type_names()?);
                if self.eat(":") {
                    set.data = Some(self.data_type()?);
                }
            }
            "typeof" => {
                self.next();
                set.key = KeyType::Typeof(self.selector()?);
                if self.eat(":") {
                    self.eat("interval");
                    set.data = Some(match self.str(self.peek()) {
                        "verdict" => {
                            self.next();
                            DataType::Verdict
                        }
                        _ if self.at_selector() => DataType::Typeof(self.selector()?),
                        _ => self.data_type()?,
                    });
                }
            }
            "flags" => {
                self.next();
                set.flags.push(self.name()?);
                while self.eat(",") {
                    set.flags.push(self.name()?);
                }
            }
            "timeout" => {
                self.next();
                self.name()?;
                set.timeout = true;
            }
            "gc-interval" | "size" | "policy" | "comment" => {
                self.next();
                self.name()?;
            }
            "auto-merge" => {
                self.next();
            }
            "elements" => {
                self.next();
                self.need("=")?;
                let value = if self.peek().kind == Kind::Variable { self.variable()? } else { self.set()? };
                match value {
                    Expr::Set(elems) => set.elems.extend(elems),
                    key => set.elems.push(Elem { key, data: None, timeout: false, stmts: Vec::new() }),
                }
            }
            _ => {
                let stmt = self.statement()?;
                set.stmts.push(stmt);
            }
        }
        if self.at_end_of_statement() { Ok(()) } else { Err(self.unclear("this line of the set was not understood")) }
    }

    fn type_names(&mut self) -> Read<Vec<Box<str>>> {
        let mut names = vec![self.name()?];
        while self.eat(".") {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn data_type(&mut self) -> Read<DataType> {
        self.eat("interval");
        let names = self.type_names()?;
        Ok(match &*names[0] {
            "verdict" => DataType::Verdict,
            "counter" | "quota" | "limit" | "secmark" | "synproxy" => DataType::Object(names[0].clone()),
            "ct" => DataType::Object(format!("ct {}", self.name()?).into()),
            _ => DataType::Names(names),
        })
    }

    /// An error for the whole text out of something that was not understood.
    pub fn fatal(&self, unclear: &Unclear) -> ReadError {
        let line = self.text[unclear.at as usize..].lines().next().unwrap_or_default();
        let end = unclear.at + u32::try_from(one_line(line).len().max(1)).unwrap_or(1);
        let end = end.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        ReadError::new(self.span(unclear.at, end), unclear.why.to_string())
            .help("`nft -c -f FILE` refuses it as well; correct it there first")
    }
}

fn names(value: &Expr, out: &mut Vec<Box<str>>) {
    match value {
        Expr::Set(elems) => elems.iter().for_each(|e| names(&e.key, out)),
        Expr::Flags(list) => list.iter().for_each(|e| names(e, out)),
        other => out.push(word_of(other)),
    }
}

pub(in crate::dialect::nft) fn hook(word: &str) -> Option<HookName> {
    Some(match word {
        "ingress" => HookName::Ingress,
        "prerouting" => HookName::Prerouting,
        "input" => HookName::Input,
        "forward" => HookName::Forward,
        "output" => HookName::Output,
        "postrouting" => HookName::Postrouting,
        "egress" => HookName::Egress,
        _ => return None,
    })
}

/// Priority names (nft(8), "standard priority names"; `std_prios` in src/rule.c of nftables 1.0.6).
pub(in crate::dialect::nft) fn priority_of(name: &str, family: TableFamily, hook: HookName) -> Option<i32> {
    if family == TableFamily::Bridge {
        return Some(match (name, hook) {
            ("filter", _) => -200,
            ("dstnat", HookName::Prerouting) => -300,
            ("out", HookName::Output) => 100,
            ("srcnat", HookName::Postrouting) => 300,
            _ => return None,
        });
    }
    Some(match (name, hook) {
        ("raw", _) => -300,
        ("mangle", _) => -150,
        ("dstnat", HookName::Prerouting | HookName::Output) => -100,
        ("filter", _) => 0,
        ("security", _) => 50,
        ("srcnat", HookName::Postrouting | HookName::Input) => 100,
        _ => return None,
    })
}
