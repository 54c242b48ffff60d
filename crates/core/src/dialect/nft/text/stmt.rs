//! Statements of a rule.

use super::cursor::{Parser, Read, family, one_line};
use super::lex::Kind;
use crate::dialect::nft::ast::{BinOp, Cmp, Expr, Field, NatKind, Rule, Stmt};
use crate::snapshot::ReadError;

/// Words that may follow `log`.
const LOG_OPTIONS: &[&str] = &["prefix", "level", "group", "snaplen", "queue-threshold", "flags"];

impl Parser<'_, '_, '_> {
    /// A rule, up to the end of its line. What was not understood becomes its last statement.
    pub fn rule(&mut self) -> Result<Rule, ReadError> {
        let start = self.peek().start;
        let mut rule = Rule { stmts: Vec::new(), comment: None, handle: None, at: self.span(start, start) };
        while !self.at_end_of_statement() {
            let begun = self.peek().start;
            let mark = self.mark();
            let (joined, nesting) = (self.joined, self.nesting);
            if self.is("comment") && matches!(self.peek_at(1).kind, Kind::Quoted | Kind::Word) {
                self.next();
                let token = self.next();
                rule.comment = Some(self.str(token).into());
                continue;
            }
            match self.statement() {
                Ok(stmt) => rule.stmts.push(stmt),
                Err(unclear) => {
                    (self.joined, self.nesting) = (joined, nesting);
                    if unclear.fatal {
                        let at = self.span(unclear.at, unclear.at + 1);
                        return Err(ReadError::new(at, unclear.why).help("define it above its first use"));
                    }
                    self.reset(mark);
                    let end = self.skip_statement();
                    let text = &self.text[begun as usize..end as usize];
                    rule.stmts.push(Stmt::Unread(one_line(text)));
                }
            }
        }
        rule.at = self.span(start, self.last_end());
        if self.peek().kind == Kind::Handle {
            let token = self.next();
            rule.handle = self.str(token).parse().ok();
        }
        Ok(rule)
    }

    /// One statement.
    pub fn statement(&mut self) -> Read<Stmt> {
        if let Some(verdict) = self.verdict()? {
            return Ok(Stmt::Verdict(verdict));
        }
        let token = self.peek();
        let word = self.str(token);
        match word {
            "counter" => self.counter(),
            "log" => self.log(),
            "last" => {
                self.next();
                if self.eat("used") {
                    self.name()?;
                }
                Ok(Stmt::NoEffect("last".into()))
            }
            "limit" => self.limit(),
            "quota" => self.quota(),
            "ct" if self.is_at(1, "count") => {
                self.next();
                self.next();
                self.eat("over");
                self.name()?;
                Ok(Stmt::CtCount)
            }
            "reject" => self.reject(),
            "notrack" => {
                self.next();
                Ok(Stmt::Notrack)
            }
            "snat" | "dnat" | "masquerade" | "redirect" => self.nat(),
            "add" | "update" | "delete" if self.is_at(1, "@") => self.set_update(),
            "set" if matches!(self.str(self.peek_at(1)), "add" | "update" | "delete") => self.old_set_update(),
            "meter" => self.meter(),
            "flow" | "queue" | "tproxy" | "fwd" | "synproxy" => self.effect(word),
            "dup" => {
                self.effect(word)?;
                Ok(Stmt::NoEffect("dup".into()))
            }
            "xt" => {
                self.next();
                let kind = self.name()?;
                let name = self.name()?;
                Ok(Stmt::Xt(format!("{kind} \"{name}\"").into()))
            }
            _ if token.kind == Kind::Sign && word == "{" => Err(self.unclear("a statement was expected here")),
            _ => self.relation(),
        }
    }

    /// A comparison, verdict map, or assignment.
    fn relation(&mut self) -> Read<Stmt> {
        let left = self.selector()?;
        let word = self.str(self.peek());
        match word {
            "vmap" => {
                self.next();
                let map = self.map_operand()?;
                return Ok(Stmt::Vmap(left, map));
            }
            "set" => {
                self.next();
                let value = self.assigned()?;
                return Ok(assignment(left, value));
            }
            _ => {}
        }
        let op = match word {
            "==" | "eq" => Cmp::Eq,
            "!=" | "ne" => Cmp::Ne,
            "!" => Cmp::NoneOf,
            "<" | "lt" => Cmp::Lt,
            ">" | "gt" => Cmp::Gt,
            "<=" | "le" => Cmp::Le,
            ">=" | "ge" => Cmp::Ge,
            _ => Cmp::Implicit,
        };
        if op != Cmp::Implicit {
            self.next();
        }
        let right = self.comparand()?;
        // `tcp flags syn / syn,ack`: value and mask, as newer versions print it.
        if self.eat("/") {
            let mask = self.comparand()?;
            let left = Expr::Bin(BinOp::And, Box::new((left, mask)));
            return Ok(Stmt::Match { left, op: if op == Cmp::Ne { Cmp::Ne } else { Cmp::Eq }, right });
        }
        Ok(Stmt::Match { left, op, right })
    }

    /// A set literal, a reference or a variable.
    fn map_operand(&mut self) -> Read<Expr> {
        match self.peek().kind {
            Kind::Variable => self.variable(),
            _ if self.is("{") => self.set(),
            _ => {
                self.need("@")?;
                Ok(Expr::SetRef(self.name()?))
            }
        }
    }

    /// A value that may be computed: a selector (with bitwise operators), a map, or a plain value.
    fn assigned(&mut self) -> Read<Expr> {
        let value = if self.at_selector() || self.is("(") { self.selector()? } else { self.value()? };
        if self.eat("map") {
            let map = self.map_operand()?;
            return Ok(Expr::Map(Box::new((value, map))));
        }
        // `mark or 0x1`, `1 | 2`
        if matches!(self.str(self.peek()), "&" | "|" | "^" | "and" | "or" | "xor") && !matches!(value, Expr::Field(_)) {
            return self.more_bits(value);
        }
        Ok(value)
    }

    fn more_bits(&mut self, mut left: Expr) -> Read<Expr> {
        loop {
            let op = match self.str(self.peek()) {
                "&" | "and" => BinOp::And,
                "|" | "or" => BinOp::Or,
                "^" | "xor" => BinOp::Xor,
                _ => return Ok(left),
            };
            self.next();
            let right = if self.at_selector() { self.field()? } else { self.value()? };
            left = Expr::Bin(op, Box::new((left, right)));
        }
    }

    fn counter(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("packets") {
            self.name()?;
            if self.eat("bytes") {
                self.name()?;
            }
        } else if self.eat("name") {
            if self.at_selector() {
                self.selector()?;
                self.need("map")?;
                self.map_operand()?;
            } else {
                self.name()?;
            }
        } else if self.peek().kind == Kind::Quoted {
            self.next();
        }
        Ok(Stmt::NoEffect("counter".into()))
    }

    fn log(&mut self) -> Read<Stmt> {
        self.next();
        while LOG_OPTIONS.contains(&self.str(self.peek())) {
            let option = self.name()?;
            if &*option == "flags" {
                self.name()?;
                while self.eat(",") {
                    self.name()?;
                }
                // `tcp sequence,options`, `ip options`
                while matches!(self.str(self.peek()), "sequence" | "options") {
                    self.next();
                    self.eat(",");
                }
                continue;
            }
            if self.peek().kind == Kind::Variable {
                self.variable()?;
            } else {
                self.name()?;
            }
        }
        Ok(Stmt::NoEffect("log".into()))
    }

    /// `limit rate [over] 3/minute [burst 5 packets]`, `limit name "x"`.
    fn limit(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("name") {
            if self.at_selector() {
                self.selector()?;
                self.need("map")?;
                self.map_operand()?;
            } else {
                self.name()?;
            }
            return Ok(Stmt::Limit);
        }
        self.need("rate")?;
        if !self.eat("over") {
            self.eat("until");
        }
        self.amount()?;
        if self.eat("/") {
            self.name()?;
        }
        if self.eat("burst") {
            self.amount()?;
        }
        Ok(Stmt::Limit)
    }

    /// A number with its unit: `3`, `10 mbytes/second`, `10mbytes`, `5 packets`.
    fn amount(&mut self) -> Read<()> {
        self.name()?;
        let unit = self.str(self.peek());
        let unit = unit.split('/').next().unwrap_or(unit);
        if matches!(unit, "packets" | "bytes" | "kbytes" | "mbytes" | "gbytes") {
            self.next();
        }
        Ok(())
    }

    fn quota(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("name") {
            self.name()?;
            return Ok(Stmt::Quota);
        }
        if !self.eat("over") {
            self.eat("until");
        }
        self.amount()?;
        if self.eat("used") {
            self.amount()?;
        }
        Ok(Stmt::Quota)
    }

    fn reject(&mut self) -> Read<Stmt> {
        self.next();
        if !self.eat("with") {
            return Ok(Stmt::Reject("".into()));
        }
        let protocol = self.name()?;
        self.eat("type");
        let kind = self.name()?;
        Ok(Stmt::Reject(format!("{protocol} {kind}").into()))
    }

    fn nat(&mut self) -> Read<Stmt> {
        let kind = match &*self.name()? {
            "snat" => NatKind::Snat,
            "dnat" => NatKind::Dnat,
            "masquerade" => NatKind::Masquerade,
            _ => NatKind::Redirect,
        };
        let mut nat = (None, None, None, false);
        let (nat_family, addr, port, prefix) = (&mut nat.0, &mut nat.1, &mut nat.2, &mut nat.3);
        if let Some(f) = family(self.str(self.peek())).filter(|_| !self.is_at(1, "saddr") && !self.is_at(1, "daddr")) {
            self.next();
            *nat_family = Some(f);
        }
        loop {
            match self.str(self.peek()) {
                "prefix" => *prefix = true,
                "addr" | "port" | "interval" | "." => {}
                _ => break,
            }
            self.next();
        }
        if self.eat("to") {
            if !self.is(":") {
                *addr = Some(self.nat_operand()?);
            }
            if self.eat(":") {
                *port = Some(self.nat_operand()?);
            }
            if kind == NatKind::Redirect && port.is_none() {
                // `redirect to 8080` names a port without its colon.
                *port = addr.take();
            }
        }
        let mut flags = Vec::new();
        while matches!(self.str(self.peek()), "random" | "fully-random" | "persistent") {
            flags.push(self.name()?);
            self.eat(",");
        }
        Ok(Stmt::Nat { kind, family: nat.0, addr: nat.1, port: nat.2, prefix: nat.3, flags })
    }

    fn nat_operand(&mut self) -> Read<Expr> {
        let value = if self.at_selector() { self.selector()? } else { self.value()? };
        if self.eat("map") {
            let map = self.map_operand()?;
            return Ok(Expr::Map(Box::new((value, map))));
        }
        Ok(value)
    }

    /// `add @set { ip saddr timeout 1m limit rate 3/minute : 5 }`
    fn set_update(&mut self) -> Read<Stmt> {
        let op = self.name()?;
        self.need("@")?;
        let set = self.name()?;
        let stmts = self.update_body()?;
        Ok(Stmt::SetUpdate { op, set, stmts })
    }

    /// `set add ip saddr @set`, as older versions wrote it.
    fn old_set_update(&mut self) -> Read<Stmt> {
        self.next();
        let op = self.name()?;
        self.selector()?;
        if self.eat("timeout") {
            self.name()?;
        }
        self.need("@")?;
        Ok(Stmt::SetUpdate { op, set: self.name()?, stmts: Vec::new() })
    }

    fn update_body(&mut self) -> Read<Vec<Stmt>> {
        self.need("{")?;
        self.over_lines(|p| {
            let mut stmts = Vec::new();
            p.assigned()?;
            loop {
                match p.str(p.peek()) {
                    "timeout" | "expires" | "comment" => {
                        p.next();
                        p.name()?;
                    }
                    ":" => {
                        p.next();
                        if p.verdict()?.is_none() {
                            p.assigned()?;
                        }
                    }
                    "}" => break,
                    _ => stmts.push(p.statement()?),
                }
            }
            p.need("}")?;
            Ok(stmts)
        })
    }

    /// `meter name [size n] { key stmt }`
    fn meter(&mut self) -> Read<Stmt> {
        self.next();
        self.name()?;
        if self.eat("size") {
            self.name()?;
        }
        Ok(Stmt::Meter(self.update_body()?))
    }

    /// Statements whose effect is not modelled: the keyword and all that belongs to it.
    fn effect(&mut self, word: &str) -> Read<Stmt> {
        let start = self.peek().start;
        self.next();
        match word {
            "flow" => {
                if !self.eat("offload") {
                    self.need("add")?;
                }
                self.need("@")?;
                self.name()?;
            }
            "queue" => loop {
                let token = self.peek();
                match self.str(token) {
                    "num" | "to" | "flags" | "bypass" | "fanout" | "," | "-" => {
                        self.next();
                    }
                    _ if token.kind == Kind::Number => {
                        self.next();
                    }
                    _ if self.at_selector() => {
                        self.selector()?;
                        if self.eat("map") {
                            self.map_operand()?;
                        }
                    }
                    _ => break,
                }
            },
            "synproxy" => {
                while matches!(self.str(self.peek()), "mss" | "wscale" | "timestamp" | "sack-perm" | "name") {
                    let option = self.name()?;
                    if matches!(&*option, "mss" | "wscale" | "name") {
                        self.name()?;
                    }
                }
            }
            _ => {
                // `tproxy [ip] to addr:port`, `fwd [ip] to [addr device] eth0`, `dup to addr [device eth0]`
                if family(self.str(self.peek())).is_some() {
                    self.next();
                }
                self.need("to")?;
                if !self.is(":") {
                    self.nat_operand()?;
                }
                if self.eat(":") {
                    self.nat_operand()?;
                }
                if self.eat("device") {
                    self.nat_operand()?;
                }
            }
        }
        let text = one_line(&self.text[start as usize..self.last_end() as usize]);
        Ok(Stmt::Effect(word.into(), text))
    }
}

/// An assignment; conntrack objects cannot change where this packet goes.
fn assignment(left: Expr, value: Expr) -> Stmt {
    match &left {
        Expr::Field(Field::Ct { key, .. }) if matches!(&**key, "helper" | "timeout" | "expectation") => {
            Stmt::NoEffect(format!("ct {key} set").into())
        }
        _ => Stmt::Mangle(left, value),
    }
}
