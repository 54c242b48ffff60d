//! Named sets and maps.

use super::cursor::{Parser, Read};
use super::lex::Kind;
use crate::dialect::nft::ast::{DataType, Elem, Expr, KeyType, Set};
use crate::dialect::nft::normal;
use crate::snapshot::ReadError;

impl Parser<'_, '_, '_> {
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
            at: self.span(start, self.last_end()),
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
                let mark = self.mark();
                if let Err(unclear) = self.set_line(&mut set) {
                    if unclear.fatal {
                        return Err(self.fatal(&unclear));
                    }
                    (self.joined, self.nesting) = (joined, nesting);
                    self.reset(mark);
                    self.skip_unread(line, unclear.why);
                }
            }
        }
        if set.data.is_none() && set.elems.iter().any(|e| e.data.is_some()) {
            self.unread(start, self.last_end(), "a set without data has elements with data");
        }
        self.env.build.add_set(table, set);
        Ok(())
    }

    fn set_line(&mut self, set: &mut Set) -> Read<()> {
        let token = self.next();
        match self.str(token) {
            "type" => {
                set.key = KeyType::Names(self.type_names()?);
                if self.eat(":") {
                    set.data = Some(self.data_type()?);
                }
            }
            "typeof" => {
                set.key = normal::key_type(self.selector()?);
                if self.eat(":") {
                    self.eat("interval");
                    set.data = Some(if self.at_selector() {
                        normal::data_typeof(self.selector()?)
                    } else {
                        self.data_type()?
                    });
                }
            }
            "flags" => {
                set.flags.push(self.name()?);
                while self.eat(",") {
                    set.flags.push(self.name()?);
                }
            }
            "timeout" => {
                self.name()?;
                set.timeout = true;
            }
            "gc-interval" | "policy" | "comment" => {
                self.name()?;
            }
            "size" => {
                self.number()?;
            }
            "auto-merge" => {}
            "elements" => {
                self.need("=")?;
                self.classes = matches!(&set.key, KeyType::Names(names) if names.iter().any(|n| &**n == "classid"));
                let elems = self.elements_operand();
                self.classes = false;
                set.elems.extend(elems?);
            }
            "counter" | "limit" | "quota" | "ct" | "last" => {
                self.back();
                while !self.at_end_of_statement() {
                    let stmt = self.statement()?;
                    set.stmts.push(stmt);
                }
            }
            other => return Err(self.unclear(format!("`{other}` is nothing that is known in a set"))),
        }
        // nft lets these two stand without an end.
        if self.at_end_of_statement() || matches!(self.str(token), "elements" | "auto-merge") {
            return Ok(());
        }
        Err(self.unclear("this line of the set was not understood"))
    }

    /// `{ … }`, or a variable with elements.
    pub fn elements_operand(&mut self) -> Read<Vec<Elem>> {
        let value = if self.peek().kind == Kind::Variable { self.variable()? } else { self.set()? };
        let elem = |key| Elem { key, data: None, timeout: false, stmts: Vec::new() };
        Ok(match value {
            Expr::Set(elems) => elems,
            Expr::Flags(list) => list.into_iter().map(elem).collect(),
            key => vec![elem(key)],
        })
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
        let mut names = self.type_names()?;
        if &*names[0] == "ct" {
            names = vec![format!("ct {}", self.name()?).into()];
        }
        Ok(normal::data_names(names))
    }
}
