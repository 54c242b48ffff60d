//! Address translation statements.

use super::Lowering;
use super::selector::Needs;
use super::value::{addresses, ports};
use crate::dialect::nft::ast::{ElemData, Expr, NatKind, Stmt, TableFamily};
use crate::dialect::nft::print;
use crate::model::{Action, Lookup, NatTarget, Side, Step, Translate, nfproto};
use std::sync::Arc;

type Ports = Option<(u16, u16)>;

/// A statement's parts, beside what its maps say.
#[derive(Clone, Copy)]
struct Shape {
    kind: NatKind,
    prefix: bool,
}

impl Shape {
    fn target(self, addr: Option<((u128, u128), bool)>, port: Ports, is_prefix: bool) -> NatTarget {
        match self.kind {
            NatKind::Masquerade => NatTarget::OutgoingAddress { port },
            NatKind::Redirect => NatTarget::IncomingAddress { port },
            NatKind::Snat | NatKind::Dnat => NatTarget::To {
                addr: addr.map(|(range, _)| range),
                v6: addr.is_some_and(|(_, v6)| v6),
                port,
                keep_host_bits: self.prefix && is_prefix,
            },
        }
    }

    /// `addr`, or `addr . port`, as an element of a map has it.
    fn data(self, e: &Expr, with_port: Ports) -> Result<NatTarget, String> {
        match e {
            Expr::Concat(parts) => match &parts[..] {
                [addr, port] => Ok(self.target(Some(addresses(addr)?), Some(ports(port)?), false)),
                _ => Err("an element is no address and port".into()),
            },
            addr => Ok(self.target(Some(addresses(addr)?), with_port, matches!(addr, Expr::Prefix(..)))),
        }
    }
}

impl Lowering<'_> {
    /// `snat`, `dnat`, `masquerade`, `redirect`.
    pub(super) fn nat(&mut self, stmt: &Stmt, steps: &mut Vec<Step>) {
        let Stmt::Nat { kind, family, addr, port, prefix, flags } = stmt else { return };
        let side = match kind {
            NatKind::Snat | NatKind::Masquerade => Side::Source,
            NatKind::Dnat | NatKind::Redirect => Side::Destination,
        };
        let shape = Shape { kind: *kind, prefix: *prefix };
        match self.target(shape, addr.as_ref(), port.as_ref(), steps) {
            Ok(target) => {
                self.nat_family(*family, &target, steps);
                let random = flags.iter().any(|f| matches!(&**f, "random" | "fully-random"));
                let translate = Translate { side, target: Arc::new(target), random };
                steps.push(Step::Act(Action::Translate(translate)));
            }
            Err(why) => {
                let what = format!("where `{}` sends packets: {why}", print::stmt(stmt));
                self.anything(what, "", false, steps);
            }
        }
    }

    /// In tables of both families a translation with an address applies to that address's family only.
    fn nat_family(&self, family: Option<TableFamily>, target: &Lookup<NatTarget>, steps: &mut Vec<Step>) {
        let of = |t: &NatTarget| match t {
            NatTarget::To { addr: Some(_), v6, .. } => Some(*v6),
            _ => None,
        };
        let v6 = match family {
            Some(TableFamily::Ip) => Some(false),
            Some(TableFamily::Ip6) => Some(true),
            _ => target.default.as_ref().and_then(of).or_else(|| target.entries.first().and_then(|(_, t)| of(t))),
        };
        if let Some(v6) = v6 {
            let family = if v6 { nfproto::IPV6 } else { nfproto::IPV4 };
            self.needs(&[Needs { protocol: None, family: Some(family) }], steps);
        }
    }

    fn target(
        &mut self,
        shape: Shape,
        addr: Option<&Expr>,
        port: Option<&Expr>,
        steps: &mut Vec<Step>,
    ) -> Result<Lookup<NatTarget>, String> {
        match (addr, port) {
            (Some(Expr::Map(_)), Some(Expr::Map(_))) => Err("address and port come from two maps".into()),
            (Some(Expr::Map(sides)), port) => {
                let port = port.map(ports).transpose()?;
                self.lookup(&sides.0, &sides.1, steps, |_, data| match data {
                    ElemData::Value(e) => shape.data(e, port),
                    ElemData::Verdict(_) => Err("an element is a verdict".into()),
                })
            }
            (addr, Some(Expr::Map(sides))) => {
                let is_prefix = matches!(addr, Some(Expr::Prefix(..)));
                let addr = addr.map(addresses).transpose()?;
                self.lookup(&sides.0, &sides.1, steps, |_, data| match data {
                    ElemData::Value(e) => Ok(shape.target(addr, Some(ports(e)?), is_prefix)),
                    ElemData::Verdict(_) => Err("an element is a verdict".into()),
                })
            }
            (Some(addr @ Expr::Concat(_)), None) => Ok(Lookup::fixed(shape.data(addr, None)?)),
            (addr, port) => {
                let is_prefix = matches!(addr, Some(Expr::Prefix(..)));
                let addr = addr.map(addresses).transpose()?;
                let port = port.map(ports).transpose()?;
                Ok(Lookup::fixed(shape.target(addr, port, is_prefix)))
            }
        }
    }
}
