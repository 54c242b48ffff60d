//! `define`, `redefine`, `undefine` and `include`, which may stand at any place.

use super::cursor::{MAX_INCLUDES, Parser, Place};
use super::lex::Kind;
use crate::dialect::includes::{EmptyInclude, fits};
use crate::dialect::nft::ast::Expr;
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::ReadError;

/// As many includes are followed in all, and as many bytes of files are read by them. A file can be included again and again.
const MOST_INCLUDES: usize = 10_000;
const MOST_BYTES: usize = 32 << 20;

impl Parser<'_, '_, '_> {
    /// The next statement is one of these. `define` and its like are followed by a name, so that they cannot be values.
    pub fn at_definition(&self) -> bool {
        match self.str(self.peek()) {
            "include" => self.peek().kind == Kind::Word && self.peek_at(1).kind == Kind::Quoted,
            "define" | "redefine" => self.peek().kind == Kind::Word && self.is_at(2, "="),
            "undefine" => self.peek().kind == Kind::Word,
            _ => false,
        }
    }

    /// `define x = …`, `redefine`, `undefine`, `include "…"`.
    pub fn definition(&mut self, place: Place) -> Result<(), ReadError> {
        self.env.understood = true;
        let token = self.next();
        let word = self.str(token);
        if word == "include" {
            return self.include(token.start, place);
        }
        let name_at = self.peek();
        let name = self.name().map_err(|u| self.fatal(&u))?;
        let name_at = self.span(name_at.start, name_at.end);
        if word == "undefine" {
            if self.env.variables.undefine(&name) {
                return Ok(());
            }
            return Err(ReadError::new(name_at, format!("${name} is not defined, so it cannot be undefined")));
        }
        self.need("=").map_err(|u| self.fatal(&u))?;
        let value = self.initializer().map_err(|u| self.fatal(&u))?;
        if !self.at_end_of_statement() {
            return Err(self.error("the value of the definition goes on in a way that is not understood"));
        }
        if word == "redefine" {
            self.env.variables.redefine(name, value);
        } else if !self.env.variables.define(name.clone(), value) {
            return Err(ReadError::new(name_at, format!("${name} is defined twice"))
                .help("use `redefine` where a second value is meant"));
        }
        Ok(())
    }

    fn initializer(&mut self) -> super::cursor::Read<Expr> {
        let token = self.peek();
        let word = self.str(token);
        // `define policy = drop`, `define priority = -5`
        if token.kind == Kind::Word && matches!(word, "accept" | "drop") {
            self.next();
            return Ok(Expr::Word(word.into()));
        }
        if self.is("-") && self.peek_at(1).kind == Kind::Number {
            self.next();
            let number = self.next();
            return Ok(Expr::Word(format!("-{}", self.str(number)).into()));
        }
        self.comparand()
    }

    fn include(&mut self, start: u32, place: Place) -> Result<(), ReadError> {
        let path = self.name().map_err(|u| self.fatal(&u))?;
        let at = self.span(start, self.last_end());
        let wild = path.contains(['*', '?']);
        let mut found: Vec<usize> =
            (0..self.env.sources.len()).filter(|i| names_file(&self.env.sources[*i].name, &path)).collect();
        if wild {
            // nft reads what a wildcard finds in the order of names.
            found.sort_by(|a, b| self.env.sources[*a].name.cmp(&self.env.sources[*b].name));
            // Files that are named without a folder may be meant, if none is named with it and nothing else read them.
            let whole = |i: &usize| self.env.sources[*i].name.matches('/').count() >= path_folders(&path);
            if found.iter().any(whole) {
                found.retain(whole);
            } else {
                found.retain(|i| !self.env.read.iter().any(|id| usize::from(id.0) == *i));
            }
            found.retain(|i| *i != usize::from(self.source.0));
        } else if let Some(best) = best(&found, |i| &self.env.sources[i].name, &path) {
            found = vec![best];
        }
        if found.is_empty() {
            self.measured(at, 0)?;
        }
        if found.is_empty() && wild {
            // What fits nothing is no mistake for nft: the folder is empty.
            self.env.build.ruleset.empty.push(EmptyInclude { at, path });
        } else if found.is_empty() {
            let why = format!("`{path}` was not given: name it among the files of this device, for it may hold rules");
            self.unread(start, self.last_end(), why);
        }
        for index in found {
            let id = SourceId(u16::try_from(index).unwrap_or(u16::MAX));
            self.enter(id, at, place)?;
        }
        Ok(())
    }

    fn enter(&mut self, id: SourceId, at: SourceSpan, place: Place) -> Result<(), ReadError> {
        let name = self.env.sources.get(usize::from(id.0)).map_or("", |s| s.name.as_str());
        if self.env.including.contains(&id) {
            return Err(ReadError::new(
                at,
                format!("`{name}` is included while it is being read: includes go in a circle"),
            )
            .help("remove this include, or the one that leads here"));
        }
        if self.env.including.len() >= MAX_INCLUDES {
            return Err(ReadError::new(at, format!("`{name}` is the {MAX_INCLUDES}th file in a row of includes"))
                .help("nft reads no more than that either"));
        }
        self.measured(at, self.env.sources.get(usize::from(id.0)).map_or(0, |s| s.text.len()))?;
        super::parse_file(id, self.env, place)
    }

    /// Counts an include of so many bytes, and refuses more than anybody writes, whatever they find.
    fn measured(&mut self, at: SourceSpan, bytes: usize) -> Result<(), ReadError> {
        self.env.included += 1;
        self.env.included_bytes += bytes;
        if self.env.included <= MOST_INCLUDES && self.env.included_bytes <= MOST_BYTES {
            return Ok(());
        }
        Err(ReadError::new(at, "the includes here multiply beyond all measure")
            .help("include each file once, or give what `nft list ruleset` prints"))
    }
}

/// Folders that an include path names.
fn path_folders(path: &str) -> usize {
    path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).count().saturating_sub(1)
}

/// Of several files that fit, the one whose name fits best: the same, else the longest common end.
fn best<'n>(found: &[usize], name: impl Fn(usize) -> &'n str, path: &str) -> Option<usize> {
    let common = |i: usize| {
        let parts = name(i).rsplit('/').zip(path.rsplit('/'));
        (parts.take_while(|(a, b)| a == b).count(), name(i) == path)
    };
    // The first of equals.
    found.iter().copied().rev().max_by_key(|i| {
        let (parts, same) = common(*i);
        (same, parts)
    })
}

/// Does a source's name fit an include path? The shorter of the two must be the end of the other, because a manifest
/// names files relative to itself; `*` and `?` stand for any part of a name.
fn names_file(source: &str, path: &str) -> bool {
    fn parts(path: &str) -> impl Iterator<Item = &str> {
        path.rsplit('/').filter(|part| !matches!(*part, "" | "." | ".."))
    }
    let both = parts(source).next().is_some() && parts(path).next().is_some();
    both && parts(source).zip(parts(path)).all(|(name, pattern)| fits(name, pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_finds_its_file_by_the_end_of_its_path() {
        assert!(names_file("conf/vars.nft", "/etc/nftables/conf/vars.nft"));
        assert!(names_file("vars.nft", "./vars.nft"));
        assert!(names_file("/etc/nftables.d/10-a.nft", "nftables.d/*.nft"));
        assert!(names_file("b.nft", "/etc/nftables.d/?.nft"));
        assert!(!names_file("other/vars.nft", "/etc/conf/vars.nft"));
        assert!(!names_file("vars.nft.bak", "*.nft"));
        assert_eq!(best(&[0, 1], |i| ["a/x.nft", "b/x.nft"][i], "/etc/b/x.nft"), Some(1));
    }
}
