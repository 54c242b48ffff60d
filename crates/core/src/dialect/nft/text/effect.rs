//! Statements that send a packet elsewhere: translation, queues, proxies, copies.

use super::cursor::{Parser, Read, family};
use crate::dialect::nft::ast::{NatKind, Stmt, TableFamily};
use crate::dialect::nft::normal::{self, Nat};

impl Parser<'_, '_, '_> {
    /// `ip` or `ip6` before `to` and its like, not as the head of a selector.
    fn family_word(&mut self) -> Option<TableFamily> {
        let found = family(self.str(self.peek()))
            .filter(|_| matches!(self.str(self.peek_at(1)), "to" | "addr" | "prefix" | "interval"));
        if found.is_some() {
            self.next();
        }
        found
    }

    /// `dnat [ip] [prefix|interval|addr . port] to address[:port] [flags]` in all its forms (nft(8), "NAT statements").
    pub fn nat(&mut self) -> Read<Stmt> {
        let kind = match &*self.name()? {
            "snat" => NatKind::Snat,
            "dnat" => NatKind::Dnat,
            "masquerade" => NatKind::Masquerade,
            _ => NatKind::Redirect,
        };
        let mut nat =
            Nat { kind, family: self.family_word(), addr: None, port: None, prefix: false, flags: Vec::new() };
        if self.eat("prefix") {
            nat.prefix = true;
        } else if self.eat("addr") {
            self.need(".")?;
            self.need("port")?;
        } else {
            self.eat("interval");
        }
        let told = self.eat("to");
        // Old files write `dnat 10.0.0.1` without `to`.
        let bare = matches!(kind, NatKind::Snat | NatKind::Dnat);
        if told || bare {
            if !self.is(":") {
                nat.addr = Some(self.assigned()?);
            }
            if self.eat(":") {
                nat.port = Some(self.assigned()?);
            }
        }
        if matches!(kind, NatKind::Redirect | NatKind::Masquerade) && nat.port.is_none() {
            // `redirect to 8080` names a port without its colon.
            nat.port = nat.addr.take();
        }
        while matches!(self.str(self.peek()), "random" | "fully-random" | "persistent") {
            nat.flags.push(self.name()?);
            self.eat(",");
        }
        Ok(normal::nat(self.family, nat))
    }

    /// `tproxy [ip] to [address][:port]`
    pub fn tproxy(&mut self) -> Read<Stmt> {
        self.next();
        let family = self.family_word();
        self.need("to")?;
        let addr = if self.is(":") { None } else { Some(self.assigned()?) };
        let port = if self.eat(":") { Some(self.assigned()?) } else { None };
        Ok(normal::tproxy(self.family, family, addr.as_ref(), port.as_ref()))
    }

    /// `queue [flags …] [num n] [to n-m] [bypass,fanout]`
    pub fn queue(&mut self) -> Read<Stmt> {
        self.next();
        let (mut number, mut flags) = (None, Vec::new());
        loop {
            match self.str(self.peek()) {
                "num" | "to" => {
                    self.next();
                    number = Some(self.assigned()?);
                }
                "flags" | "," => {
                    self.next();
                }
                "bypass" | "fanout" => flags.push(self.name()?),
                _ => return Ok(normal::queue(number.as_ref(), &flags)),
            }
        }
    }

    /// `fwd to device`, `fwd ip to address device device`
    pub fn fwd(&mut self) -> Read<Stmt> {
        self.next();
        let family = self.family_word();
        self.need("to")?;
        let first = self.assigned()?;
        if self.eat("device") {
            let device = self.assigned()?;
            return Ok(normal::fwd(family, Some(&first), &device));
        }
        Ok(normal::fwd(None, None, &first))
    }

    /// `dup to address [device device]`
    pub fn dup(&mut self) -> Read<Stmt> {
        self.next();
        self.need("to")?;
        let addr = self.assigned()?;
        let device = if self.eat("device") { Some(self.assigned()?) } else { None };
        Ok(normal::dup(Some(addr), device))
    }

    /// `flow add @table`, `flow offload @table`
    pub fn flow(&mut self) -> Read<Stmt> {
        self.next();
        if !self.eat("offload") {
            self.need("add")?;
        }
        self.need("@")?;
        let name = self.name()?;
        Ok(Stmt::Effect("flow".into(), format!("add @{name}").into()))
    }

    /// `synproxy [mss n] [wscale n] [timestamp] [sack-perm]`, `synproxy name x`
    pub fn synproxy(&mut self) -> Read<Stmt> {
        self.next();
        if self.eat("name") {
            let name = self.assigned()?;
            return Ok(Stmt::Effect("synproxy".into(), format!("name {}", normal::expr_text(&name)).into()));
        }
        let (mut mss, mut wscale, mut flags) = (None, None, Vec::new());
        loop {
            match self.str(self.peek()) {
                "mss" | "maxseg" => {
                    self.next();
                    mss = Some(self.number()?);
                }
                "wscale" => {
                    self.next();
                    wscale = Some(self.number()?);
                }
                "timestamp" => flags.push(self.name()?),
                "sack-perm" | "sack-permitted" => {
                    self.next();
                    flags.push("sack-perm".into());
                }
                _ => return Ok(normal::synproxy(mss, wscale, &flags)),
            }
        }
    }
}
