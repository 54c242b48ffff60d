//! Values, bitwise operations, sets and maps.

use super::cursor::{MAX_NESTING, Parser, Read, Unclear};
use super::lex::Kind;
use super::variables::deeper_than;
use crate::dialect::nft::ast::{BinOp, Elem, ElemData, Expr, Verdict};
use crate::dialect::nft::normal;

/// Words that begin a statement: as a value they mean that the value is missing.
const NO_VALUES: &[&str] = &[
    "*",
    "accept",
    "drop",
    "continue",
    "jump",
    "goto",
    "return",
    "reject",
    "counter",
    "log",
    "limit",
    "quota",
    "queue",
    "meter",
    "notrack",
    "masquerade",
    "tproxy",
    "synproxy",
    "dup",
    "fwd",
    "vmap",
    "map",
    "set",
    "add",
    "update",
    "meta",
    "ct",
    "fib",
    "numgen",
    "jhash",
    "symhash",
];

const TOO_DEEP: &str = "this is nested too deeply to be a real ruleset";

/// What may stand as an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// Selectors only: left of a match.
    Selector,
    /// Values only: right of a match, set elements.
    Value,
    /// Both: behind `set`, behind `to`, right of a bitwise operator.
    Any,
}

impl Parser<'_, '_, '_> {
    /// Left of a match: a selector, or selectors and values joined by `.`.
    pub fn selector(&mut self) -> Read<Expr> {
        let alone = !(self.is_at(1, ".") || self.is("("));
        let first = if alone || self.at_selector() { Operand::Selector } else { Operand::Any };
        let first = self.bits(first)?;
        self.concat(first, |p| p.bits(Operand::Any))
    }

    fn concat(&mut self, first: Expr, part: impl Fn(&mut Self) -> Read<Expr>) -> Read<Expr> {
        if !self.is(".") {
            return Ok(first);
        }
        let mut parts = Vec::new();
        let mut next = first;
        loop {
            match next {
                Expr::Concat(inner) => parts.extend(inner),
                single => parts.push(single),
            }
            if !self.eat(".") {
                return Ok(Expr::Concat(parts));
            }
            next = part(self)?;
        }
    }

    /// `|` binds weaker than `^`, that weaker than `&`, that weaker than shifts (`src/parser_bison.y` of nftables).
    fn bits(&mut self, operand: Operand) -> Read<Expr> {
        self.bits_at(operand, 0)
    }

    fn bits_at(&mut self, operand: Operand, level: u8) -> Read<Expr> {
        if level == 4 {
            return self.primary(operand);
        }
        let mut left = self.bits_at(operand, level + 1)?;
        while let Some(op) = self.bit_op(level) {
            self.next();
            let right = self.bits_at(Operand::Any, level + 1)?;
            left = match op {
                BinOp::Or => normal::either(left, right),
                op => Expr::Bin(op, Box::new((left, right))),
            };
            // A long row of operators nests as deeply as brackets do.
            if deeper_than(&left, MAX_NESTING) {
                return Err(self.unclear(TOO_DEEP));
            }
        }
        Ok(left)
    }

    fn bit_op(&self, level: u8) -> Option<BinOp> {
        let token = self.peek();
        if !matches!(token.kind, Kind::Sign | Kind::Word) {
            return None;
        }
        Some(match (level, self.str(token)) {
            (0, "|" | "or") => BinOp::Or,
            (1, "^" | "xor") => BinOp::Xor,
            (2, "&" | "and") => BinOp::And,
            (3, "<<" | "lshift") => BinOp::Shl,
            (3, ">>" | "rshift") => BinOp::Shr,
            _ => return None,
        })
    }

    fn primary(&mut self, operand: Operand) -> Read<Expr> {
        if self.is("(") {
            self.next();
            return self.over_lines(|p| {
                let inner = p.bits(operand)?;
                p.need(")")?;
                Ok(inner)
            });
        }
        if operand == Operand::Selector || (operand == Operand::Any && self.at_selector()) {
            return self.field();
        }
        self.literal()
    }

    fn literal(&mut self) -> Read<Expr> {
        if self.classes
            && let Some(class) = self.class()
        {
            return Ok(class);
        }
        let token = self.peek();
        let text = self.str(token);
        match token.kind {
            Kind::Number => {
                self.next();
                // nft 1.0.6 lists ports of `ct` in sets like this.
                if self.is("[") && self.is_at(1, "invalid") && self.is_at(2, "type") && self.is_at(3, "]") {
                    for _ in 0..4 {
                        self.next();
                    }
                }
                // A number of more than 64 bits stays text, as in JSON.
                Ok(normal::number(text).map_or_else(|| Expr::Word(text.into()), Expr::Num))
            }
            Kind::Word if NO_VALUES.contains(&text) => {
                Err(self.unclear(format!("a value was expected here, not `{text}`")))
            }
            Kind::Word | Kind::Address | Kind::Quoted => {
                self.next();
                Ok(Expr::Word(text.into()))
            }
            Kind::Variable => self.variable(),
            Kind::Sign if text == "[" => {
                self.next();
                let inner = self.literal()?;
                self.need("]")?;
                Ok(inner)
            }
            _ => Err(self.unclear("a value was expected here")),
        }
    }

    /// Right of a match: a set, a reference, or values with ranges and prefixes; a list of flags.
    pub fn comparand(&mut self) -> Read<Expr> {
        if self.is("{") {
            return self.set();
        }
        if self.eat("@") {
            return Ok(Expr::SetRef(self.name()?));
        }
        let first = self.value(Operand::Value)?;
        self.listed(first)
    }

    /// `a, b, c` behind the first.
    fn listed(&mut self, first: Expr) -> Read<Expr> {
        if !self.is(",") {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.eat(",") {
            list.push(self.bits(Operand::Value)?);
        }
        Ok(normal::flags(list))
    }

    /// A value: single, prefix, range, or a concatenation of these.
    pub fn value(&mut self, operand: Operand) -> Read<Expr> {
        let first = self.range(operand)?;
        self.concat(first, |p| p.range(operand))
    }

    fn range(&mut self, operand: Operand) -> Read<Expr> {
        let low = self.bits(operand)?;
        if self.is("/") && self.peek_at(1).kind == Kind::Number {
            self.next();
            let token = self.peek();
            let length = self.str(token).parse::<u8>().ok().filter(|n| *n <= 128);
            let length = length.ok_or_else(|| self.unclear("a prefix length was expected here"))?;
            if !matches!(low, Expr::Word(_) | Expr::Num(_)) {
                return Err(self.unclear("a prefix length cannot stand behind this"));
            }
            self.next();
            return Ok(Expr::Prefix(Box::new(low), length));
        }
        if self.eat("-") {
            let high = self.bits(operand)?;
            return Ok(Expr::Range(Box::new((low, high))));
        }
        Ok(low)
    }

    /// A value that may be computed from the packet or looked up: behind `set`, behind `to`.
    pub fn assigned(&mut self) -> Read<Expr> {
        let value = self.value(Operand::Any)?;
        if self.eat("map") {
            let data = self.map_operand()?;
            return Ok(normal::map(value, data));
        }
        Ok(value)
    }

    /// As [`Self::assigned`], or a list of flags.
    pub fn assigned_list(&mut self) -> Read<Expr> {
        let value = self.assigned()?;
        self.listed(value)
    }

    /// A set literal, a reference or a variable that holds one.
    pub fn map_operand(&mut self) -> Read<Expr> {
        let value = match self.peek().kind {
            Kind::Variable => self.variable()?,
            _ if self.is("{") => self.set()?,
            _ => {
                self.need("@")?;
                Expr::SetRef(self.name()?)
            }
        };
        match value {
            Expr::Set(_) | Expr::SetRef(_) => Ok(value),
            _ => Err(self.unclear("a map was expected here")),
        }
    }

    /// The value of `$name`.
    pub fn variable(&mut self) -> Read<Expr> {
        let name = self.str(self.peek());
        if let Some(value) = self.env.variables.get(name) {
            if !self.env.variables.afford(&value) {
                return Err(Unclear { fatal: true, ..self.unclear("the variables here multiply beyond all measure") });
            }
            // Each definition may put another layer around the one before.
            if deeper_than(&value, MAX_NESTING) {
                return Err(self.unclear(TOO_DEEP));
            }
            self.next();
            return Ok(value);
        }
        let mut why = format!("the variable ${name} is not defined");
        if let Some(near) = self.env.variables.near(name) {
            why = format!("{why}; did you mean ${near}?");
        }
        let help = Some("define it above its first use".into());
        Err(Unclear { fatal: true, help, ..self.unclear(why) })
    }

    /// `{ … }`: elements of a set, map or verdict map; sets inside it (from variables) are spliced in.
    pub fn set(&mut self) -> Read<Expr> {
        self.need("{")?;
        let elems = self.over_lines(|p| {
            let mut elems = Vec::new();
            while !p.is("}") {
                p.elem(&mut elems)?;
                if !p.eat(",") {
                    break;
                }
            }
            p.need("}")?;
            elems.shrink_to_fit();
            Ok(elems)
        })?;
        Ok(Expr::Set(elems))
    }

    fn elem(&mut self, elems: &mut Vec<Elem>) -> Read<()> {
        let key = if self.is("{") {
            self.set()?
        } else if self.is("*") {
            self.next();
            Expr::Any
        } else {
            self.value(Operand::Value)?
        };
        let mut elem = Elem { key, data: None, timeout: false, stmts: Vec::new() };
        self.elem_options(&mut elem)?;
        if self.eat(":") {
            elem.data = Some(match self.verdict()? {
                Some(verdict) => ElemData::Verdict(verdict),
                None => ElemData::Value(match self.class() {
                    Some(class) => class,
                    None => self.value(Operand::Value)?,
                }),
            });
            self.elem_options(&mut elem)?;
        }
        match elem {
            Elem { key: Expr::Set(inner), data: None, .. } => elems.extend(inner),
            Elem { key: Expr::Set(_), .. } => return Err(self.unclear("a set cannot be a key")),
            // `{ $flags }`, where the variable is a list.
            Elem { key: Expr::Flags(list), data: None, timeout: false, .. } if self.last_was_variable() => {
                let elem = |key| Elem { key, data: None, timeout: false, stmts: Vec::new() };
                elems.extend(list.into_iter().map(elem));
            }
            elem => elems.push(elem),
        }
        Ok(())
    }

    fn elem_options(&mut self, elem: &mut Elem) -> Read<()> {
        loop {
            match self.str(self.peek()) {
                "timeout" | "expires" => {
                    self.next();
                    elem.timeout |= &*self.name()? != "never";
                }
                "comment" => {
                    self.next();
                    self.name()?;
                }
                "counter" | "limit" | "quota" | "ct" | "last" => {
                    let stmt = self.statement()?;
                    if normal::deciding(&stmt) {
                        elem.stmts.push(stmt);
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// A verdict, if one stands here.
    pub fn verdict(&mut self) -> Read<Option<Verdict>> {
        let token = self.peek();
        if token.kind != Kind::Word {
            return Ok(None);
        }
        let word = self.str(token);
        let verdict = match word {
            "accept" => Verdict::Accept,
            "drop" => Verdict::Drop,
            "continue" => Verdict::Continue,
            "return" => Verdict::Return,
            "jump" | "goto" => {
                self.next();
                let chain = match self.peek().kind {
                    Kind::Variable => match word_of(&self.variable()?) {
                        Some(name) => name,
                        None => return Err(self.unclear("the variable holds no chain name")),
                    },
                    _ if self.is("{") => self.anonymous_chain()?,
                    _ => self.chain_name()?,
                };
                return Ok(Some(if word == "jump" { Verdict::Jump(chain) } else { Verdict::Goto(chain) }));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(verdict))
    }
}

/// The text of a word or number.
pub(super) fn word_of(expr: &Expr) -> Option<Box<str>> {
    match expr {
        Expr::Word(word) => Some(word.clone()),
        Expr::Num(number) => Some(number.to_string().into()),
        _ => None,
    }
}
