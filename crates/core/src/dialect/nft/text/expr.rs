//! Selectors and values.

use super::cursor::{Parser, Read, Unclear, family};
use super::lex::Kind;
use crate::dialect::nft::ast::{BinOp, CtDir, Elem, ElemData, Expr, Field, Stmt, Verdict};

/// Protocols whose header fields are selectors.
const PROTOCOLS: &[&str] = &[
    "ether", "vlan", "arp", "ip", "icmp", "igmp", "ip6", "icmpv6", "ah", "esp", "comp", "udp", "udplite", "tcp",
    "dccp", "sctp", "th", "gre", "geneve", "vxlan", "gretap",
];

/// IPv6 extension headers.
const EXTENSIONS: &[&str] = &["hbh", "frag", "dst", "mh", "srh", "rt0", "rt2", "rt4"];

/// Keys of `meta` that may stand without the word.
const META_SHORT: &[&str] = &[
    "iif",
    "iifname",
    "iiftype",
    "iifgroup",
    "oif",
    "oifname",
    "oiftype",
    "oifgroup",
    "mark",
    "skuid",
    "skgid",
    "nftrace",
    "rtclassid",
    "ibriport",
    "ibrname",
    "obriport",
    "obrname",
    "pkttype",
    "cpu",
    "cgroup",
    "secpath",
    "sdif",
    "sdifname",
    "priority",
    "hour",
    "day",
    "time",
    "ibrpvid",
    "ibrvproto",
    "broute",
    "length",
    "protocol",
    "l4proto",
    "nfproto",
    "random",
];

/// Selectors that are recognised but whose value cannot be told: the whole of their text is kept.
const OPAQUE: &[&str] = &["numgen", "jhash", "symhash", "osf"];

impl Parser<'_, '_, '_> {
    /// The next token begins a selector.
    pub fn at_selector(&self) -> bool {
        let token = self.peek();
        if token.kind == Kind::Sign {
            return self.str(token) == "@"
                && matches!(self.str(self.peek_at(1)), "ll" | "nh" | "th" | "ih")
                && self.is_at(2, ",");
        }
        if token.kind != Kind::Word {
            return false;
        }
        let word = self.str(token);
        PROTOCOLS.contains(&word)
            || EXTENSIONS.contains(&word)
            || META_SHORT.contains(&word)
            || OPAQUE.contains(&word)
            || matches!(word, "meta" | "ct" | "fib" | "rt" | "socket" | "exthdr" | "ipsec" | "tunnel")
    }

    /// `a . b`, a bitwise expression, or a single selector.
    pub fn selector(&mut self) -> Read<Expr> {
        let first = self.bitwise_selector()?;
        if !self.is(".") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat(".") {
            parts.push(self.bitwise_selector()?);
        }
        Ok(Expr::Concat(parts))
    }

    fn bitwise_selector(&mut self) -> Read<Expr> {
        if self.eat("(") {
            let inner = self.over_lines(Self::selector)?;
            self.need(")")?;
            return self.bit_tail(inner);
        }
        let field = self.field()?;
        self.bit_tail(field)
    }

    fn bit_op(&self) -> Option<BinOp> {
        let token = self.peek();
        Some(match self.str(token) {
            "&" | "and" => BinOp::And,
            "|" | "or" => BinOp::Or,
            "^" | "xor" => BinOp::Xor,
            "<<" | "lshift" => BinOp::Shl,
            ">>" | "rshift" => BinOp::Shr,
            _ => return None,
        })
    }

    fn bit_tail(&mut self, mut left: Expr) -> Read<Expr> {
        while let Some(op) = self.bit_op() {
            self.next();
            let right = if self.at_selector() { self.field()? } else { self.bit_operand()? };
            left = Expr::Bin(op, Box::new((left, right)));
        }
        Ok(left)
    }

    /// An operand of a bitwise operator: a value, or flag words joined by `|` in brackets.
    fn bit_operand(&mut self) -> Read<Expr> {
        if self.eat("(") {
            let flags = self.over_lines(|p| {
                let mut flags = vec![p.primary()?];
                while p.eat("|") || p.eat(",") || p.eat("or") {
                    flags.push(p.primary()?);
                }
                Ok(flags)
            })?;
            self.need(")")?;
            return Ok(Expr::Flags(flags));
        }
        self.primary()
    }

    /// A single selector.
    pub fn field(&mut self) -> Read<Expr> {
        let token = self.peek();
        let word = self.str(token);
        if token.kind == Kind::Sign && word == "@" {
            return self.raw();
        }
        if token.kind != Kind::Word {
            return Err(self.unclear("a selector was expected here"));
        }
        if OPAQUE.contains(&word) {
            return self.opaque();
        }
        self.next();
        let field = match word {
            "meta" => Field::Meta(self.name()?),
            "ct" => self.ct()?,
            "fib" => self.fib()?,
            "socket" => {
                let key = self.name()?;
                if self.eat("level") {
                    self.name()?;
                }
                Field::Socket(key)
            }
            "exthdr" => {
                let name = self.name()?;
                Field::Exthdr(name, None)
            }
            "ipsec" => {
                let direction = self.name()?;
                if self.eat("spnum") {
                    self.name()?;
                }
                let key = self.name()?;
                let inner = if matches!(&*key, "ip" | "ip6") { format!(" {}", self.name()?) } else { String::new() };
                Field::Ipsec(format!("{direction} {key}{inner}").into())
            }
            "tunnel" => Field::Other(format!("tunnel {}", self.name()?).into()),
            "rt" => self.rt()?,
            _ if META_SHORT.contains(&word) && !(word == "time" && self.is("set")) => Field::Meta(word.into()),
            "tcp" | "ip" if self.is("option") => self.option(word)?,
            "sctp" if self.is("chunk") => self.option(word)?,
            _ if EXTENSIONS.contains(&word) => {
                if self.eat("exists") || self.is("missing") {
                    Field::Exthdr(word.into(), None)
                } else {
                    Field::Exthdr(word.into(), Some(self.name()?))
                }
            }
            _ if PROTOCOLS.contains(&word) => Field::Payload(word.into(), self.name()?),
            _ => return Err(self.unclear(format!("`{word}` is no selector that is known"))),
        };
        Ok(Expr::Field(field))
    }

    fn ct(&mut self) -> Read<Field> {
        let dir = match self.str(self.peek()) {
            "original" => Some(CtDir::Original),
            "reply" => Some(CtDir::Reply),
            _ => None,
        };
        if dir.is_some() {
            self.next();
        }
        let family = family(self.str(self.peek())).filter(|_| dir.is_some());
        if family.is_some() {
            self.next();
        }
        let key = self.name()?;
        Ok(Field::Ct { key, dir, family })
    }

    fn fib(&mut self) -> Read<Field> {
        let mut flags = vec![self.name()?];
        while self.eat(".") {
            flags.push(self.name()?);
        }
        let result = match self.str(self.peek()) {
            word @ ("type" | "oif" | "oifname") => {
                self.next();
                word.into()
            }
            "check" | "present" => {
                self.next();
                "check".into()
            }
            _ => return Err(self.unclear("`type`, `oif` or `oifname` was expected behind `fib`")),
        };
        Ok(Field::Fib(flags, result))
    }

    fn rt(&mut self) -> Read<Field> {
        if matches!(self.str(self.peek()), "ip" | "ip6") {
            self.next();
        }
        let key = self.name()?;
        Ok(match &*key {
            "classid" | "nexthop" | "mtu" | "ipsec" => Field::Rt(key),
            _ => Field::Exthdr("rt".into(), Some(key)),
        })
    }

    fn option(&mut self, kind: &str) -> Read<Field> {
        self.next();
        let name = self.name()?;
        if self.is("exists") || self.is("missing") {
            return Ok(Field::Option(kind.into(), name, None));
        }
        let field = self.name()?;
        Ok(Field::Option(kind.into(), name, Some(field)))
    }

    fn raw(&mut self) -> Read<Expr> {
        self.next();
        let base = self.name()?;
        let mut numbers = [0u32; 2];
        for number in &mut numbers {
            self.need(",")?;
            let token = self.next();
            *number = self.str(token).parse().map_err(|_| self.unclear("a number of bits was expected here"))?;
        }
        Ok(Expr::Field(Field::Raw(base, numbers[0], numbers[1])))
    }

    /// `numgen inc mod 2 offset 1`, `jhash ip saddr . tcp dport mod 2 seed 0x1`, `symhash mod 2`, `osf name`.
    fn opaque(&mut self) -> Read<Expr> {
        let start = self.peek().start;
        let word = self.name()?;
        match &*word {
            "jhash" => {
                self.selector()?;
            }
            "numgen" => {
                self.name()?;
            }
            _ => {}
        }
        if &*word == "osf" {
            if self.eat("ttl") {
                self.name()?;
            }
            self.name()?;
        }
        while matches!(self.str(self.peek()), "mod" | "seed" | "offset") {
            self.next();
            self.name()?;
        }
        let text = &self.text[start as usize..self.last_end() as usize];
        Ok(Expr::Opaque(super::cursor::one_line(text)))
    }

    /// The right side of a comparison: a value, range, set, reference, or a list of flags.
    pub fn comparand(&mut self) -> Read<Expr> {
        if self.is("{") {
            return self.set();
        }
        let first = self.value()?;
        if !(self.is(",") || self.is("|")) {
            return Ok(first);
        }
        let mut flags = vec![first];
        while self.eat(",") || self.eat("|") {
            flags.push(self.value()?);
        }
        Ok(Expr::Flags(flags))
    }

    /// A value: primary, prefix, range, or a concatenation of these.
    pub fn value(&mut self) -> Read<Expr> {
        let first = self.range()?;
        if !self.is(".") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat(".") {
            parts.push(self.range()?);
        }
        Ok(Expr::Concat(parts))
    }

    fn range(&mut self) -> Read<Expr> {
        let low = self.prefix()?;
        if !self.eat("-") {
            return Ok(low);
        }
        let high = self.prefix()?;
        Ok(Expr::Range(Box::new((low, high))))
    }

    fn prefix(&mut self) -> Read<Expr> {
        let value = self.primary()?;
        // `syn / fin,syn`: a mask of flags, not a prefix.
        if !(self.is("/") && self.peek_at(1).kind == Kind::Number) {
            return Ok(value);
        }
        self.next();
        let token = self.peek();
        let length = self.str(token).parse::<u8>().map_err(|_| self.unclear("a prefix length was expected here"))?;
        self.next();
        if let Expr::Prefix(..) | Expr::Set(_) | Expr::Range(_) = value {
            return Err(self.unclear("a prefix length cannot stand behind this"));
        }
        Ok(Expr::Prefix(Box::new(value), length))
    }

    fn primary(&mut self) -> Read<Expr> {
        let token = self.peek();
        let text = self.str(token);
        match token.kind {
            Kind::Number => {
                let number = match text.strip_prefix("0x") {
                    Some(hex) => u64::from_str_radix(hex, 16),
                    None => text.parse(),
                };
                let number = number.map_err(|_| self.unclear("this number is too large"))?;
                self.next();
                Ok(Expr::Num(number))
            }
            Kind::Word if text == "*" => {
                self.next();
                Ok(Expr::Any)
            }
            Kind::Word | Kind::Address | Kind::Quoted => {
                self.next();
                Ok(Expr::Word(text.into()))
            }
            Kind::Variable => self.variable(),
            Kind::Sign if text == "@" => {
                self.next();
                Ok(Expr::SetRef(self.name()?))
            }
            Kind::Sign if text == "[" => {
                self.next();
                let inner = self.primary()?;
                self.need("]")?;
                Ok(inner)
            }
            Kind::Sign if text == "{" => self.deeper(Self::set),
            Kind::Sign if text == "-" && self.peek_at(1).kind == Kind::Number => {
                self.next();
                let number = self.next();
                Ok(Expr::Word(format!("-{}", self.str(number)).into()))
            }
            _ => Err(self.unclear("a value was expected here")),
        }
    }

    /// The value of `$name`.
    pub fn variable(&mut self) -> Read<Expr> {
        let token = self.peek();
        let name = self.str(token);
        if let Some(value) = self.env.variables.get(name) {
            let value = value.clone();
            self.next();
            Ok(value)
        } else {
            let why = format!("the variable ${name} is not defined");
            Err(Unclear { fatal: true, ..self.unclear(why) })
        }
    }

    /// `{ … }`: elements of a set, map or verdict map; sets inside it (from variables) are spliced in.
    pub fn set(&mut self) -> Read<Expr> {
        self.need("{")?;
        let elems = self.over_lines(|p| {
            let mut elems = Vec::new();
            while !p.is("}") {
                let elem = p.elem()?;
                match elem {
                    Elem { key: Expr::Set(inner), data: None, .. } => elems.extend(inner),
                    elem => elems.push(elem),
                }
                if !p.eat(",") {
                    break;
                }
            }
            p.need("}")?;
            Ok(elems)
        })?;
        Ok(Expr::Set(elems))
    }

    fn elem(&mut self) -> Read<Elem> {
        let key = self.value()?;
        let mut elem = Elem { key, data: None, timeout: false, stmts: Vec::new() };
        loop {
            match self.str(self.peek()) {
                "timeout" | "expires" => {
                    self.next();
                    self.name()?;
                    elem.timeout = true;
                }
                "comment" => {
                    self.next();
                    self.name()?;
                }
                "counter" | "limit" | "quota" | "ct" | "last" => {
                    let stmt = self.statement()?;
                    if !matches!(stmt, Stmt::NoEffect(_)) {
                        elem.stmts.push(stmt);
                    }
                }
                _ => break,
            }
        }
        if self.eat(":") {
            elem.data = Some(match self.verdict()? {
                Some(verdict) => ElemData::Verdict(verdict),
                None => ElemData::Value(self.value()?),
            });
            while self.is("comment") {
                self.next();
                self.name()?;
            }
        }
        Ok(elem)
    }

    /// A verdict, if one stands here.
    pub fn verdict(&mut self) -> Read<Option<Verdict>> {
        let token = self.peek();
        if token.kind != Kind::Word {
            return Ok(None);
        }
        let verdict = match self.str(token) {
            "accept" => Verdict::Accept,
            "drop" => Verdict::Drop,
            "continue" => Verdict::Continue,
            "return" => Verdict::Return,
            word @ ("jump" | "goto") => {
                self.next();
                let chain = if self.peek().kind == Kind::Variable { word_of(&self.variable()?) } else { self.name()? };
                return Ok(Some(if word == "jump" { Verdict::Jump(chain) } else { Verdict::Goto(chain) }));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(verdict))
    }
}

/// The text of a word or number.
pub(super) fn word_of(expr: &Expr) -> Box<str> {
    match expr {
        Expr::Word(word) => word.clone(),
        Expr::Num(number) => number.to_string().into(),
        _ => "".into(),
    }
}
