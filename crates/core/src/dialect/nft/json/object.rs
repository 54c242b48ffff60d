//! Tables, chains, rules, sets and other objects.

use super::Reader;
use super::expr::{Read, elems, expr, only, text, words};
use super::stmt::stmt;
use crate::dialect::nft::ast::{Base, ChainKind, KeyType, Object, Rule, Set, Stmt, TableFamily};
use crate::dialect::nft::{normal, text as ruleset_text};
use crate::snapshot::ReadError;
use serde_json::Value;

/// Named objects whose body is kept as text.
const OBJECTS: &[&str] = &[
    "counter",
    "quota",
    "limit",
    "ct helper",
    "ct timeout",
    "ct expectation",
    "synproxy",
    "secmark",
    "flowtable",
    "tunnel",
];

impl Reader {
    /// Reads one object of the list.
    pub fn object(&mut self, raw: &str) -> Result<(), ReadError> {
        let value: Value = match serde_json::from_str(raw) {
            Ok(value) => value,
            // It is well-formed, for the list was read: it can only be nested too deeply.
            Err(error) => {
                self.unread(raw, format!("this object cannot be decoded: {error}"));
                return Ok(());
            }
        };
        self.command(raw, &value)
    }

    fn command(&mut self, raw: &str, value: &Value) -> Result<(), ReadError> {
        let done = match only(value) {
            Ok(("metainfo", _)) => Ok(()),
            // Files for `nft -j -f` wrap what is to be made.
            Ok(("add" | "create", inner)) => return self.command(raw, inner),
            Ok(("flush", inner)) if inner.get("ruleset").is_some() => {
                self.build.remove_tables(None);
                Ok(())
            }
            Ok((kind, inner)) => self.listed(kind, inner)?,
            Err(why) => Err(why),
        };
        if let Err(why) = done {
            self.unread(raw, why);
        }
        Ok(())
    }

    /// The outer result is an error for the whole text, the inner one tells what was not understood.
    fn listed(&mut self, kind: &str, inner: &Value) -> Result<Read<()>, ReadError> {
        Ok(match kind {
            "table" => self.table(inner),
            "chain" => return self.chain(inner),
            "rule" => self.rule(inner),
            "set" | "map" | "meter" => self.set(kind == "map", inner),
            "element" => self.element(inner),
            _ if OBJECTS.contains(&kind) => self.other(kind, inner),
            other => Err(format!("`{other}` is nothing that is known in a ruleset")),
        })
    }

    fn table(&mut self, inner: &Value) -> Read<()> {
        let family = family(inner)?;
        let at = self.nowhere();
        let table = self.build.table(family, text(inner, "name")?, at);
        let dormant = words(inner.get("flags"))?.iter().any(|f| &**f == "dormant");
        self.build.ruleset.tables[table].dormant |= dormant;
        Ok(())
    }

    /// The table that an object belongs to.
    fn table_of(&mut self, inner: &Value) -> Read<(TableFamily, usize)> {
        let family = family(inner)?;
        let at = self.nowhere();
        Ok((family, self.build.table(family, text(inner, "table")?, at)))
    }

    fn chain(&mut self, inner: &Value) -> Result<Read<()>, ReadError> {
        let at = self.nowhere();
        let place = self.table_of(inner).and_then(|place| Ok((place, text(inner, "name")?)));
        let ((family, table), name) = match place {
            Ok(place) => place,
            Err(why) => return Ok(Err(why)),
        };
        let index = self.build.chain(table, name, at);
        if inner.get("hook").is_none() {
            return Ok(Ok(()));
        }
        // Where a chain is hooked in decides about all its rules.
        let base = base(family, inner).map_err(|why| {
            ReadError::new(at, format!("chain `{name}`: {why}")).help("is it newer than this reader?")
        })?;
        self.build.ruleset.tables[table].chains[index].base = Some(base);
        Ok(Ok(()))
    }

    fn rule(&mut self, inner: &Value) -> Read<()> {
        let (family, table) = self.table_of(inner)?;
        let at = self.nowhere();
        let chain = self.build.chain(table, text(inner, "chain")?, at);
        let mut stmts = Vec::new();
        // A rule that does nothing has an empty list; one without a list may do anything.
        let list = inner["expr"].as_array().map_or_else(
            || {
                stmts.push(Stmt::Unread(format!("a rule without a list of expressions: {inner}").into()));
                &[][..]
            },
            Vec::as_slice,
        );
        for (i, value) in list.iter().enumerate() {
            let whole = match value {
                Value::String(printed) => self.printed(family, table, printed, &mut stmts),
                _ => match stmt(family, value) {
                    Ok(stmt) => {
                        stmts.push(stmt);
                        true
                    }
                    Err(_) => false,
                },
            };
            if !whole {
                let rest: Vec<String> = list[i..].iter().map(Value::to_string).collect();
                stmts.push(Stmt::Unread(rest.join(", ").into()));
                break;
            }
        }
        let comment = inner["comment"].as_str().map(Into::into);
        self.build.append(table, chain, Rule { stmts, comment, handle: inner["handle"].as_u64(), at });
        Ok(())
    }

    /// A statement for which nft has no JSON stands there as text. False if it was not understood.
    fn printed(&mut self, family: TableFamily, table: usize, printed: &str, stmts: &mut Vec<Stmt>) -> bool {
        match ruleset_text::rule(family, printed, self.build.anonymous) {
            Ok((read, chains)) if !matches!(read.last(), None | Some(Stmt::Unread(_))) => {
                self.build.anonymous += chains.len();
                self.build.chains_to_add.extend(chains.into_iter().map(|c| (table, c)));
                stmts.extend(read);
                true
            }
            _ => false,
        }
    }

    fn set(&mut self, map: bool, inner: &Value) -> Read<()> {
        let (family, table) = self.table_of(inner)?;
        let data = match inner.get("map") {
            None => None,
            Some(value) => Some(match value.get("typeof") {
                Some(of) => normal::data_typeof(expr(of)?),
                None => normal::data_names(type_names(value)?),
            }),
        };
        let key = match inner["type"].get("typeof") {
            Some(of) => normal::key_type(expr(of)?),
            None => KeyType::Names(type_names(&inner["type"])?),
        };
        let stmts = inner["stmt"].as_array().into_iter().flatten();
        let set = Set {
            name: text(inner, "name")?.into(),
            key,
            flags: words(inner.get("flags"))?,
            timeout: !inner["timeout"].is_null(),
            elems: inner.get("elem").map_or_else(|| Ok(Vec::new()), |list| elems(list, map || data.is_some()))?,
            stmts: stmts.map(|s| stmt(family, s)).collect::<Read<_>>()?,
            data,
            at: self.nowhere(),
        };
        self.build.add_set(table, set);
        Ok(())
    }

    fn element(&mut self, inner: &Value) -> Read<()> {
        let (_, table) = self.table_of(inner)?;
        let name = text(inner, "name")?;
        let set = self.build.set(table, name).ok_or("there is no such set here")?;
        set.elems.extend(elems(&inner["elem"], set.data.is_some())?);
        Ok(())
    }

    fn other(&mut self, kind: &str, inner: &Value) -> Read<()> {
        let (_, table) = self.table_of(inner)?;
        let object = Object { kind: kind.into(), name: text(inner, "name")?.into(), body: inner.to_string().into() };
        self.build.ruleset.tables[table].objects.push(object);
        Ok(())
    }
}

fn family(inner: &Value) -> Read<TableFamily> {
    let word = text(inner, "family")?;
    normal::family(word).ok_or_else(|| format!("`{word}` is no family"))
}

/// Names of types: one, a list, or one text with dots between them.
fn type_names(value: &Value) -> Read<Vec<Box<str>>> {
    let names = words(Some(value))?;
    if names.is_empty() {
        return Err("the type is missing".into());
    }
    Ok(names.iter().flat_map(|n| n.split(" . ")).map(Into::into).collect())
}

fn base(family: TableFamily, inner: &Value) -> Read<Base> {
    let kind = match text(inner, "type")? {
        "filter" => ChainKind::Filter,
        "nat" => ChainKind::Nat,
        "route" => ChainKind::Route,
        other => return Err(format!("there is no chain type `{other}`")),
    };
    let hook = text(inner, "hook")?;
    let hook = normal::hook(hook).ok_or_else(|| format!("there is no hook `{hook}`"))?;
    let priority = match &inner["prio"] {
        Value::String(name) => normal::priority(name, family),
        number => number.as_i64().and_then(|n| i32::try_from(n).ok()),
    };
    let priority = priority.ok_or("its priority is missing")?;
    let policy_drop = match inner["policy"].as_str() {
        None | Some("accept") => false,
        Some("drop") => true,
        Some(other) => return Err(format!("there is no policy `{other}`")),
    };
    let devices = words(inner.get("dev").or_else(|| inner.get("devices")))?;
    Ok(Base { kind, hook, priority, devices, policy_drop })
}
