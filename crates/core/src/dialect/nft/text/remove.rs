//! Commands that take away: `delete`, `destroy`, `flush`, `rename`.

use super::cursor::{Parser, Read, family};
use super::lex::Kind;
use crate::dialect::nft::ast::Removal;

impl Parser<'_, '_, '_> {
    /// `flush ruleset`, `delete table …`, and their like, behind the verb.
    pub fn remove(&mut self, how: &str) -> Read<()> {
        let flush = how == "flush";
        let what = self.name()?;
        if &*what == "ruleset" {
            let only = family(self.str(self.peek()));
            if only.is_some() {
                self.next();
            }
            self.env.build.remove_tables(only);
            self.env.removes.push(Removal::Tables(only));
            return Ok(());
        }
        let what = match &*what {
            "ct" => format!("ct {}", self.name()?).into(),
            _ => what,
        };
        // `delete table handle 3`, `delete chain ip t handle 4`
        let by_handle = "what has a handle is not known here; name it";
        let (family, name) = self.family_and_table()?;
        if &*name == "handle" && self.peek().kind == Kind::Number {
            return Err(self.unclear(by_handle));
        }
        if &*what == "table" && !flush {
            self.env.removes.push(Removal::Table(family, name.clone()));
        }
        // Deleting what an empty ruleset does not hold: people write it so that a second load works.
        let Some(table) = self.env.build.find_table(family, &name) else {
            self.env.removes.push(Removal::Part(family, name));
            self.skip_statement();
            return Ok(());
        };
        self.enter_table(table);
        match &*what {
            "table" if flush => {
                for chain in 0..self.env.build.ruleset.tables[table].chains.len() {
                    self.env.build.rules(table, chain).clear();
                }
                return Ok(());
            }
            "table" => {
                self.env.build.remove_table(family, &name);
                if self.is("{") {
                    self.skip_statement();
                }
                return Ok(());
            }
            "element" => return self.elements(table, false),
            "rule" => return self.remove_rule(table),
            _ => {}
        }
        let name = self.name()?;
        if &*name == "handle" && self.peek().kind == Kind::Number {
            return Err(self.unclear(by_handle));
        }
        match &*what {
            "chain" if flush => {
                if let Some(chain) = self.env.build.find_chain(table, &name) {
                    self.env.build.rules(table, chain).clear();
                }
            }
            "chain" => self.env.build.remove_chain(table, &name),
            "set" | "map" | "meter" => {
                if flush {
                    self.env.build.set(table, &name).into_iter().for_each(|s| s.elems.clear());
                } else {
                    self.env.build.remove_set(table, &name);
                }
            }
            kind => self.env.build.ruleset.tables[table].objects.retain(|o| &*o.kind != kind || o.name != name),
        }
        if self.is("{") {
            self.skip_statement();
        }
        Ok(())
    }

    /// `delete rule ip filter input handle 5`, behind the table.
    fn remove_rule(&mut self, table: usize) -> Read<()> {
        let chain = self.name()?;
        let by_index = self.eat("index");
        if !by_index {
            self.need("handle")?;
        }
        let number = self.number()?;
        let gone = self.unclear("the rule that it refers to is not in this text");
        let Some(chain) = self.env.build.find_chain(table, &chain) else { return Err(gone) };
        let rules = self.env.build.rules(table, chain);
        let found = if by_index {
            usize::try_from(number).ok().filter(|i| *i < rules.len())
        } else {
            rules.iter().position(|r| r.handle == Some(number))
        };
        match found {
            Some(i) => {
                rules.remove(i);
                Ok(())
            }
            None => Err(gone),
        }
    }

    /// `rename chain ip filter old new`, behind the verb.
    pub fn rename(&mut self) -> Read<()> {
        self.need("chain")?;
        let (family, name) = self.family_and_table()?;
        let gone = self.unclear("the chain that it refers to is not in this text");
        let Some(table) = self.env.build.find_table(family, &name) else { return Err(gone) };
        let old = self.name()?;
        let new = self.name()?;
        if self.env.build.find_chain(table, &old).is_none() {
            return Err(gone);
        }
        self.env.build.rename_chain(table, &old, &new);
        Ok(())
    }
}
