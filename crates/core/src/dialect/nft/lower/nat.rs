//! Address translation statements.

use super::Lowering;
use super::selector::Needs;
use super::value::{Unclear, addresses, ports};
use crate::cube::Set;
use crate::dialect::nft::ast::{ElemData, Expr, NatKind, Stmt, TableFamily};
use crate::dialect::nft::print;
use crate::model::{Action, Lookup, NatTarget, Side, Step, Translate, nfproto};
use std::sync::Arc;

type Ports = Option<(u16, u16)>;
/// A range of addresses, and whether they are IPv6.
type Addresses = Option<((u128, u128), bool)>;

/// Two maps in one statement give at most this many pairs.
const MOST_PAIRS: usize = 1 << 16;

/// A statement's parts, beside what its maps say.
#[derive(Clone, Copy)]
struct Shape {
    kind: NatKind,
    prefix: bool,
}

impl Shape {
    fn target(self, addr: Addresses, port: Ports) -> NatTarget {
        match self.kind {
            NatKind::Masquerade => NatTarget::OutgoingAddress { port },
            NatKind::Redirect => NatTarget::IncomingAddress { port },
            NatKind::Snat | NatKind::Dnat => NatTarget::To {
                addr: addr.map(|(range, _)| range),
                v6: addr.is_some_and(|(_, v6)| v6),
                port,
                // One address leaves no host bits (`nft_nat_setup_netmap`, `net/netfilter/nft_nat.c`).
                keep_host_bits: self.prefix && addr.is_some_and(|((lo, hi), _)| lo != hi),
            },
        }
    }
}

/// `addr`, or `addr . port`, as an element of a map has it.
fn data(data: &ElemData, with_port: Ports) -> Result<(Addresses, Ports), Unclear> {
    match data {
        ElemData::Verdict(_) => Err("an element is a verdict".into()),
        ElemData::Value(Expr::Concat(parts)) => match &parts[..] {
            [addr, port] => Ok((Some(addresses(addr)?), Some(ports(port)?))),
            _ => Err("an element is no address and port".into()),
        },
        ElemData::Value(addr) => Ok((Some(addresses(addr)?), with_port)),
    }
}

fn port_data(data: &ElemData) -> Result<Ports, Unclear> {
    match data {
        ElemData::Value(e) => Ok(Some(ports(e)?)),
        ElemData::Verdict(_) => Err("an element is a verdict".into()),
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
            Err(Unclear { why, supply }) => {
                let what = format!("where `{}` sends packets: {why}", print::stmt(stmt));
                self.anything(what, supply, false, steps);
            }
        }
    }

    /// In tables of both families a translation with an address applies to that address's family only
    /// (`nft_nat_inet_eval`, `net/netfilter/nft_nat.c`).
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
            self.needs(&[Needs::family(if v6 { nfproto::IPV6 } else { nfproto::IPV4 })], steps);
        }
    }

    fn target(
        &mut self,
        shape: Shape,
        addr: Option<&Expr>,
        port: Option<&Expr>,
        steps: &mut Vec<Step>,
    ) -> Result<Lookup<NatTarget>, Unclear> {
        match (addr, port) {
            (Some(Expr::Map(addr)), Some(Expr::Map(port))) => {
                let addr = self.lookup(&addr.0, &addr.1, steps, |_, d| data(d, None))?;
                let port = self.lookup(&port.0, &port.1, steps, |_, d| port_data(d))?;
                pairs(&addr, &port, |(addr, _), port| shape.target(*addr, *port))
            }
            (Some(Expr::Map(sides)), port) => {
                let port = port.map(ports).transpose()?;
                self.lookup(&sides.0, &sides.1, steps, |_, d| {
                    let (addr, port) = data(d, port)?;
                    Ok(shape.target(addr, port))
                })
            }
            (addr, Some(Expr::Map(sides))) => {
                let addr = addr.map(addresses).transpose()?;
                self.lookup(&sides.0, &sides.1, steps, |_, d| Ok(shape.target(addr, port_data(d)?)))
            }
            (Some(addr @ Expr::Concat(_)), None) => {
                let (addr, port) = data(&ElemData::Value(addr.clone()), None)?;
                Ok(Lookup::fixed(shape.target(addr, port)))
            }
            (addr, port) => {
                let addr = addr.map(addresses).transpose()?;
                let port = port.map(ports).transpose()?;
                Ok(Lookup::fixed(shape.target(addr, port)))
            }
        }
    }
}

/// Two look-ups as one: both must have a value.
fn pairs<A, B, T>(one: &Lookup<A>, other: &Lookup<B>, join: impl Fn(&A, &B) -> T) -> Result<Lookup<T>, Unclear> {
    if one.default.is_some() || other.default.is_some() {
        return Err("two maps with elements for all other packets are not followed together".into());
    }
    if one.entries.len().saturating_mul(other.entries.len()) > MOST_PAIRS {
        return Err("its two maps have too many elements to follow each pair".into());
    }
    let mut entries: Vec<(Box<[Set]>, T)> = Vec::new();
    for (row, a) in &one.entries {
        for (more, b) in &other.entries {
            entries.push((row.iter().chain(more).cloned().collect(), join(a, b)));
        }
    }
    let keys = one.keys.iter().chain(&other.keys).copied().collect();
    Ok(Lookup { keys, entries, default: None })
}
