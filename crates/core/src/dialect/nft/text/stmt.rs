//! Statements of a rule.

use super::cursor::{Parser, Read, words};
use super::expr::Operand;
use super::lex::Kind;
use crate::dialect::nft::ast::{BinOp, Chain, Cmp, Expr, Field, Rule, Stmt};
use crate::dialect::nft::normal;
use crate::snapshot::ReadError;

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
                    if unclear.fatal {
                        return Err(self.fatal(&unclear));
                    }
                    (self.joined, self.nesting, self.classes) = (joined, nesting, false);
                    self.reset(mark);
                    let end = self.skip_statement();
                    rule.stmts.push(Stmt::Unread(words(&self.text[begun as usize..end as usize])));
                    break;
                }
            }
        }
        rule.stmts.shrink_to_fit();
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
        if token.kind == Kind::Xt {
            self.next();
            return Ok(Stmt::Xt(format!("\"{}\"", self.str(token)).into()));
        }
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
                self.number()?;
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
            "flow" if self.is_at(1, "table") => {
                self.next();
                self.meter()
            }
            "flow" => self.flow(),
            "queue" => self.queue(),
            "tproxy" => self.tproxy(),
            "fwd" => self.fwd(),
            "dup" => self.dup(),
            "synproxy" => self.synproxy(),
            "tunnel" if self.is_at(1, "name") => {
                self.next();
                self.next();
                let operand = self.assigned()?;
                Ok(normal::object("tunnel", operand))
            }
            "reset" => {
                self.next();
                let option = self.field()?;
                Ok(Stmt::Mangle(option, Expr::Word("reset".into())))
            }
            "xt" => {
                self.next();
                let kind = self.name()?;
                let name = self.name()?;
                Ok(Stmt::Xt(format!("{kind} \"{name}\"").into()))
            }
            _ => self.relation(),
        }
    }

    /// A comparison, verdict map, or assignment.
    fn relation(&mut self) -> Read<Stmt> {
        let mut left = self.selector()?;
        let token = self.peek();
        let word = if matches!(token.kind, Kind::Word | Kind::Sign) { self.str(token) } else { "" };
        match word {
            "vmap" => {
                self.next();
                let data = self.values_of(&left, Self::map_operand)?;
                return Ok(normal::vmap(left, data));
            }
            "set" => {
                self.next();
                let value = self.values_of(&left, Self::assigned_list)?;
                return Ok(normal::mangle(left, value));
            }
            "map" => {
                self.next();
                let data = self.map_operand()?;
                left = normal::map(left, data);
            }
            _ => {}
        }
        let op = self.operator();
        let right = self.values_of(&left, Self::comparand)?;
        // `tcp flags syn / syn,ack`: value and mask, as nft lists a masked comparison of flags.
        if self.eat("/") {
            let mask = self.comparand()?;
            left = Expr::Bin(BinOp::And, Box::new((left, mask)));
        }
        Ok(normal::relation(left, op, right))
    }

    fn operator(&mut self) -> Cmp {
        let token = self.peek();
        if !matches!(token.kind, Kind::Word | Kind::Sign) {
            return Cmp::Implicit;
        }
        let op = match self.str(token) {
            "==" | "eq" => Cmp::Eq,
            "!=" | "ne" => Cmp::Ne,
            "<" | "lt" => Cmp::Lt,
            ">" | "gt" => Cmp::Gt,
            "<=" | "le" => Cmp::Le,
            ">=" | "ge" => Cmp::Ge,
            "!" | "not" => Cmp::NoneOf,
            _ => return Cmp::Implicit,
        };
        self.next();
        op
    }

    /// Reads the values that belong to a selector.
    fn values_of(&mut self, left: &Expr, read: impl FnOnce(&mut Self) -> Read<Expr>) -> Read<Expr> {
        let outer = std::mem::replace(&mut self.classes, holds_class(left));
        let values = read(self);
        self.classes = outer;
        values
    }

    /// `1:2`, where a colon can mean nothing else.
    pub fn class(&mut self) -> Option<Expr> {
        let (first, colon) = (self.peek(), self.peek_at(1));
        if self.str(colon) == ":" {
            self.split_at_dash(2);
        }
        let second = self.peek_at(2);
        let joined = first.end == colon.start && colon.end == second.start && self.str(colon) == ":";
        let part = |kind| matches!(kind, Kind::Number | Kind::Word);
        if !(joined && part(first.kind) && part(second.kind)) {
            return None;
        }
        for _ in 0..3 {
            self.next();
        }
        Some(Expr::Word(self.text[first.start as usize..second.end as usize].into()))
    }

    /// A number.
    pub fn number(&mut self) -> Read<u64> {
        let token = self.peek();
        let value = match token.kind {
            Kind::Number => normal::number(self.str(token)),
            Kind::Variable => match self.variable()? {
                Expr::Num(number) => return Ok(number),
                _ => None,
            },
            _ => None,
        };
        let value = value.ok_or_else(|| self.unclear("a number was expected here"))?;
        self.next();
        Ok(value)
    }

    fn counter(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("name") {
            let operand = self.assigned()?;
            return Ok(normal::object("counter", operand));
        }
        while self.eat("packets") || self.eat("bytes") {
            self.number()?;
        }
        Ok(Stmt::NoEffect("counter".into()))
    }

    fn log(&mut self) -> Read<Stmt> {
        self.next();
        loop {
            match self.str(self.peek()) {
                "prefix" | "level" => {
                    self.next();
                    match self.peek().kind {
                        Kind::Variable => drop(self.variable()?),
                        _ => drop(self.name()?),
                    }
                }
                "group" | "snaplen" | "queue-threshold" => {
                    self.next();
                    self.number()?;
                }
                "flags" => {
                    self.next();
                    self.log_flags()?;
                }
                _ => return Ok(Stmt::NoEffect("log".into())),
            }
        }
    }

    /// `tcp sequence,options`, `ip options`, `skuid`, `ether`, `all`.
    fn log_flags(&mut self) -> Read<()> {
        match &*self.name()? {
            "tcp" => {
                self.name()?;
                while self.eat(",") {
                    self.name()?;
                }
            }
            "ip" => self.need("options")?,
            "skuid" | "ether" | "all" => {}
            other => return Err(self.unclear(format!("`{other}` is no flag of `log`"))),
        }
        Ok(())
    }

    /// `limit rate [over] 3/minute [burst 5 packets]`, `limit name "x"`.
    fn limit(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("name") {
            self.assigned()?;
            return Ok(Stmt::Limit(None));
        }
        self.need("rate")?;
        let over = self.eat("over");
        if !over {
            self.eat("until");
        }
        let count = self.amount()?;
        let unit = if self.eat("/") { self.name()? } else { "".into() };
        let burst = if self.eat("burst") { self.amount()? } else { None };
        Ok(normal::limit(count, &unit, burst, over))
    }

    /// A number with its unit: `3`, `10 mbytes/second`, `5 packets`; the cutter takes `mbytes/second` as one word.
    /// Packets; absent when it counts bytes.
    fn amount(&mut self) -> Read<Option<u64>> {
        if self.peek().kind == Kind::Word {
            // `10mbytes/second`
            self.name()?;
            return Ok(None);
        }
        let number = self.number()?;
        let unit = self.str(self.peek());
        let unit = unit.split('/').next().unwrap_or(unit);
        if unit == "packets" {
            self.next();
        } else if matches!(unit, "bytes" | "kbytes" | "mbytes" | "gbytes") {
            self.next();
            return Ok(None);
        }
        Ok(Some(number))
    }

    fn quota(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("name") {
            self.assigned()?;
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
        match &*protocol {
            "tcp" => {
                self.need("reset")?;
                return Ok(Stmt::Reject("tcp reset".into()));
            }
            "icmp" | "icmpv6" | "icmpx" => {}
            other => return Err(self.unclear(format!("nothing is rejected with `{other}`"))),
        }
        self.eat("type");
        let code = self.value(Operand::Value)?;
        Ok(normal::reject(self.family, &protocol, &code))
    }

    /// `add @set { ip saddr timeout 1m limit rate 3/minute : 5 }`
    fn set_update(&mut self) -> Read<Stmt> {
        let op = self.name()?;
        self.need("@")?;
        let set = self.name()?;
        let (key, data, stmts) = self.update_body()?;
        Ok(Stmt::SetUpdate { op, set, key: Box::new(key), data: data.map(Box::new), stmts })
    }

    /// `set add ip saddr @set`, as older versions wrote it.
    fn old_set_update(&mut self) -> Read<Stmt> {
        self.next();
        let op = self.name()?;
        let key = Box::new(self.selector()?);
        while self.eat("timeout") || self.eat("expires") {
            self.name()?;
        }
        self.need("@")?;
        Ok(Stmt::SetUpdate { op, set: self.name()?, key, data: None, stmts: Vec::new() })
    }

    fn update_body(&mut self) -> Read<(Expr, Option<Expr>, Vec<Stmt>)> {
        self.need("{")?;
        self.over_lines(|p| {
            let key = p.value(Operand::Any)?;
            let (mut data, mut stmts) = (None, Vec::new());
            loop {
                match p.str(p.peek()) {
                    "timeout" | "expires" | "comment" => {
                        p.next();
                        p.name()?;
                    }
                    ":" => {
                        p.next();
                        data = Some(p.value(Operand::Any)?);
                    }
                    "}" => break,
                    _ => stmts.push(p.statement()?),
                }
            }
            p.need("}")?;
            Ok((key, data, stmts))
        })
    }

    /// `meter name [size n] { key stmt }`, behind what comes before the word.
    fn meter(&mut self) -> Read<Stmt> {
        self.next();
        self.name()?;
        if self.eat("size") {
            self.number()?;
        }
        let (key, _, stmts) = self.update_body()?;
        Ok(Stmt::Meter { key, stmts })
    }

    /// `jump { … }`: a chain without a name gets one, as in the kernel (`__chain0`).
    pub fn anonymous_chain(&mut self) -> Read<Box<str>> {
        let start = self.peek().start;
        self.need("{")?;
        let name: Box<str> = format!("__chain{}", self.env.build.anonymous).into();
        self.env.build.anonymous += 1;
        let joined = std::mem::take(&mut self.joined);
        let rules = self.deeper(|p| {
            let mut rules = Vec::new();
            loop {
                p.skip_separators();
                if p.eat("}") {
                    return Ok(rules);
                }
                if p.peek().kind == Kind::End {
                    return Err(p.unclear("the chain ends before its closing `}`"));
                }
                let at = p.peek().start;
                rules.push(p.rule()?);
                if p.peek().start == at {
                    return Err(p.unclear("a rule was expected here"));
                }
            }
        });
        self.joined = joined;
        let chain = Chain { name: name.clone(), base: None, rules: rules?, at: self.span(start, self.last_end()) };
        self.env.build.chains_to_add.push((self.table, chain));
        Ok(name)
    }
}

/// Its values are traffic classes, `1:2`.
fn holds_class(left: &Expr) -> bool {
    match left {
        Expr::Field(Field::Meta(key)) => matches!(&**key, "priority" | "rtclassid"),
        Expr::Field(Field::Rt(key)) => &**key == "classid",
        _ => false,
    }
}
