//! Routing: which addresses are the device's own, and which way the others go.

use super::answer::Val;
use super::condition::{Condition, on_value};
use super::flow::{Flow, LOOPBACK, State};
use super::tracer::Tracer;
use crate::cube::{Dim, Set, first_come, united};
use crate::model::{
    Device, Family, Holds, Hook, Part, Route, RouteTarget, RoutingRule, RuleAction, address_value, iface_value,
    prefix_range,
};
use ipnet::IpNet;
use std::rc::Rc;
use std::sync::Arc;

/// The main routing table's number on Linux.
pub(super) const MAIN_TABLE: u32 = 254;

/// Address kinds (`RTN_*` in linux/rtnetlink.h).
mod kind {
    pub const UNICAST: u128 = 1;
    pub const LOCAL: u128 = 2;
    pub const BROADCAST: u128 = 3;
    pub const ANYCAST: u128 = 4;
    pub const MULTICAST: u128 = 5;
    pub const UNREACHABLE: u128 = 7;
}

/// A device's addresses and routes, prepared for look-ups. One per device and family.
#[derive(Debug)]
pub(super) struct Routing {
    /// Own addresses and loopback.
    pub local: Set,
    /// No packet from outside comes from these.
    pub no_source: Set,
    /// Broadcast and multicast.
    not_unicast: Set,
    pub loopback: Set,
    pub broadcast: Set,
    pub multicast: Set,
    /// Tables by number.
    tables: Vec<(u32, Table)>,
    rules: Vec<RoutingRule>,
}

/// A routing table: destinations are disjoint, in the order of preference they had.
#[derive(Debug, Default)]
struct Table {
    entries: Vec<Entry>,
    /// Stretches of addresses, in ascending order, each with its entry.
    index: Vec<(u128, u128, usize)>,
}

impl Table {
    /// Destinations that lead to one place are one entry.
    fn new(all: Vec<Entry>) -> Self {
        let to_one = united(all.into_iter().map(|e| ((e.length, e.target), e.set))).into_iter();
        let entries: Vec<Entry> = to_one.map(|((length, target), set)| Entry { set, length, target }).collect();
        let stretches =
            entries.iter().enumerate().flat_map(|(n, e)| e.set.ranges().iter().map(move |(a, b)| (*a, *b, n)));
        let mut index: Vec<_> = stretches.collect();
        index.sort_unstable();
        Self { entries, index }
    }

    /// Entries for some of these addresses, in the order of preference.
    fn of(&self, addresses: &Set) -> Vec<&Entry> {
        let mut found = Vec::new();
        for (lo, hi) in addresses.ranges() {
            let first = self.index.partition_point(|(_, end, _)| end < lo);
            found.extend(self.index[first..].iter().take_while(|(start, ..)| start <= hi).map(|(.., n)| *n));
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|n| &self.entries[n]).collect()
    }
}

/// A destination of a table: addresses that no longer prefix takes, the length of theirs, and where they go.
#[derive(Debug)]
struct Entry {
    set: Set,
    length: u8,
    target: RouteTarget,
}

/// Restricts a look-up to one interface; `Some(None)`: to an interface that the packet does not have.
pub(super) type Only = Option<Option<usize>>;

/// Where a packet goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    Local,
    NotUnicast,
    Target(RouteTarget),
    None,
}

impl Routing {
    pub fn new(device: &Device, family: Family) -> Self {
        let own = device.own_addresses(family);
        let addresses =
            || device.interfaces.iter().flat_map(|i| &i.addresses).filter(|n| Family::of(n.addr()) == family);
        let (loopback, multicast, mut broadcast) = match family {
            Family::V4 => (
                Set::range(0x7f00_0000, 0x7fff_ffff),
                Set::range(0xe000_0000, 0xefff_ffff),
                vec![(0xffff_ffff, 0xffff_ffff), (0, 0x00ff_ffff)],
            ),
            Family::V6 => (Set::one(1), Set::range(0xff << 120, u128::MAX), vec![(0, 0)]),
        };
        match family {
            // The lowest address of a network is an ordinary one since Linux 5.14 (`net/ipv4/fib_frontend.c`,
            // fib_add_ifaddr).
            Family::V4 => broadcast
                .extend(addresses().filter(|n| n.prefix_len() < 31).map(|n| (prefix_range(*n).1, prefix_range(*n).1))),
            // A forwarding device owns the subnet-router anycast address (RFC 4291 2.6.1).
            Family::V6 if device.forwards => broadcast
                .extend(addresses().filter(|n| n.prefix_len() < 127).map(|n| (prefix_range(*n).0, prefix_range(*n).0))),
            Family::V6 => {}
        }
        let connected = device.interfaces.iter().enumerate().flat_map(|(index, iface)| {
            iface.addresses.iter().map(move |n| Route {
                to: n.trunc(),
                target: RouteTarget::Via(index, None),
                table: MAIN_TABLE,
                metric: 0,
            })
        });
        let routes: Vec<Route> =
            connected.chain(device.routes.iter().cloned()).filter(|r| Family::of(r.to.addr()) == family).collect();
        let mut numbers: Vec<u32> = routes.iter().map(|r| r.table).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let tables = numbers.into_iter().map(|t| (t, table(&routes, t))).collect();
        let mut rules: Vec<RoutingRule> = device.routing_rules.iter().filter(|r| r.family == family).cloned().collect();
        rules.sort_by_key(|r| r.priority);
        let broadcast = Set::from_ranges(broadcast);
        let mut no_source = loopback.or(&multicast);
        if family == Family::V4 {
            no_source = no_source.or(&broadcast);
            if device.drops_own_source {
                no_source = no_source.or(&own);
            }
        }
        Self {
            local: own.or(&loopback),
            not_unicast: broadcast.or(&multicast),
            no_source,
            loopback,
            broadcast,
            multicast,
            tables,
            rules,
        }
    }
}

impl Routing {
    /// Addresses that the main table has a way to.
    fn reached(&self) -> Set {
        let main = self.tables.iter().filter(|(t, _)| *t == MAIN_TABLE).flat_map(|(_, t)| &t.entries);
        let sets = main.filter(|e| !e.target.ways().is_empty()).map(|e| &e.set);
        Set::from_ranges(sets.flat_map(|s| s.ranges().iter().copied()))
    }
}

/// One table's destinations, most specific first, each without those before it.
fn table(routes: &[Route], number: u32) -> Table {
    let mut routes: Vec<&Route> = routes.iter().filter(|r| r.table == number).collect();
    routes.sort_by_key(|r| (std::cmp::Reverse(r.to.prefix_len()), r.metric));
    let asked: Vec<Set> = routes.iter().map(|r| prefix_set(r.to)).collect();
    let own = first_come(&asked);
    let entry =
        |(route, set): (&Route, Set)| Entry { set, length: route.to.prefix_len(), target: route.target.clone() };
    Table::new(routes.into_iter().zip(own).filter(|(_, set)| !set.is_empty()).map(entry).collect())
}

fn prefix_set(net: IpNet) -> Set {
    let (lo, hi) = prefix_range(net);
    Set::range(lo, hi)
}

impl Tracer<'_> {
    /// A device's routing.
    pub(super) fn routing(&self, device: usize, family: Family) -> Arc<Routing> {
        self.net.devices.routing(device, family)
    }

    /// Splits packets by where routing sends them.
    pub(super) fn route(&mut self, flow: Flow) -> Vec<(Way, Flow)> {
        let routing = self.routing(flow.state.device, flow.state.family);
        let mut out = Vec::new();
        let dst = flow.state.header.dst;
        let (early, later): (Vec<&RoutingRule>, Vec<&RoutingRule>) = routing.rules.iter().partition(|r| r.even_own);
        let rest = self.by_rules(vec![flow], &early, &routing, &mut out);
        let Some(flow) = rest.into_iter().reduce(|mut all, more| {
            all.cubes.extend(more.cubes);
            all
        }) else {
            return out;
        };
        let (local, rest) = self.apply(flow, &on_value(dst, &routing.local));
        out.extend(local.map(|f| (Way::Local, f)));
        let Some(rest) = rest else { return out };
        let (other, rest) = self.apply(rest, &on_value(dst, &routing.not_unicast));
        out.extend(other.map(|f| (Way::NotUnicast, f)));
        let rest: Vec<Flow> = rest.into_iter().collect();
        let main = [RoutingRule::every(0, Family::V4, MAIN_TABLE)];
        let rules = if later.is_empty() { main.iter().collect() } else { later };
        let rest = self.by_rules(rest, &rules, &routing, &mut out);
        out.extend(rest.into_iter().map(|f| (Way::None, f)));
        out
    }

    /// Packets that one of these rules has a way for; the others come back.
    fn by_rules(
        &mut self,
        flows: Vec<Flow>,
        rules: &[&RoutingRule],
        routing: &Routing,
        out: &mut Vec<(Way, Flow)>,
    ) -> Vec<Flow> {
        let mut rest = flows;
        // What jumps waits at the rule that it jumps to; nothing jumps back (`fib_nl_newrule`, `net/core/fib_rules.c`).
        let mut waiting: Vec<(usize, Flow)> = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let (here, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(to, _)| *to == at);
            waiting = later;
            rest.extend(here.into_iter().map(|(_, flow)| flow));
            let mut unmatched = Vec::new();
            for flow in rest {
                let (yes, no) = self.rule_applies(flow, rule);
                unmatched.extend(no);
                for flow in yes {
                    match &rule.action {
                        RuleAction::Nothing => unmatched.push(flow),
                        RuleAction::Discard => out.push((Way::Target(RouteTarget::Unreachable), flow)),
                        RuleAction::GoTo(to) => match rules.iter().skip(at).position(|r| r.priority == *to) {
                            Some(after) if after > 0 => waiting.push((at + after, flow)),
                            _ => unmatched.push(flow),
                        },
                        RuleAction::LookUp { longer_than, not_group } => {
                            let table = routing.tables.iter().find(|(t, _)| *t == rule.table);
                            match table {
                                Some((_, t)) => unmatched.extend(self.in_table(flow, t, *longer_than, *not_group, out)),
                                None => unmatched.push(flow),
                            }
                        }
                    }
                }
            }
            rest = unmatched;
        }
        rest.extend(waiting.into_iter().map(|(_, flow)| flow));
        rest
    }

    /// Packets that a table has a way for; the others come back (`fib4_rule_suppress`, `net/ipv4/fib_rules.c`).
    fn in_table(
        &mut self,
        flow: Flow,
        table: &Table,
        longer_than: Option<u8>,
        not_group: Option<u32>,
        out: &mut Vec<(Way, Flow)>,
    ) -> Vec<Flow> {
        let device = &self.net.devices[flow.state.device];
        let dst = flow.state.header.dst;
        let mut unmatched = Vec::new();
        let asked = match dst {
            Val::Const(c) => Set::one(c),
            Val::Part(part, shift) => self.values(&flow.cubes, Dim::Part(part)).shifted(shift),
            Val::Var(var) => self.values(&flow.cubes, Dim::Var(var)),
        };
        let mut rest = Some(flow);
        for entry in table.of(&asked) {
            let Some(flow) = rest else { break };
            let (found, remaining) = self.apply(flow, &on_value(dst, &entry.set));
            rest = remaining;
            let Some(found) = found else { continue };
            // Routes that discard are an answer, and never suppressed (`fib_rules_lookup`, `net/core/fib_rules.c`).
            let discards = matches!(entry.target, RouteTarget::Blackhole | RouteTarget::Unreachable);
            if !discards && longer_than.is_some_and(|most| entry.length <= most) {
                unmatched.push(found);
                continue;
            }
            for (target, flow) in self.one_way(found, &entry.target) {
                let grouped = |way: &(usize, _)| device.interfaces.get(way.0).map(|i| i.group) == not_group;
                if target == RouteTarget::Next || not_group.is_some() && target.ways().iter().any(grouped) {
                    unmatched.push(flow);
                } else if target == RouteTarget::Own {
                    out.push((Way::Local, flow));
                } else {
                    out.push((Way::Target(target), flow));
                }
            }
        }
        unmatched.extend(rest);
        unmatched
    }

    /// Of several ways each in turn, split by the doubt which it is.
    fn one_way(&mut self, flow: Flow, target: &RouteTarget) -> Vec<(RouteTarget, Flow)> {
        let RouteTarget::OneOf(list, doubt) = target else { return vec![(target.clone(), flow)] };
        let var = self.doubt_variable(flow.state.device, *doubt, 8);
        let mut out = Vec::new();
        let mut rest = Some(flow);
        for (n, (iface, hop)) in (0_u128..).zip(list) {
            let last = n + 1 == list.len() as u128;
            let Some(flow) = rest else { break };
            let values = if last { Set::range(n, 255) } else { Set::one(n) };
            let (here, others) = self.split(flow, &Condition::On(Dim::Var(var), values));
            out.extend(here.map(|f| (RouteTarget::Via(*iface, *hop), f)));
            rest = others;
        }
        out
    }

    /// Packets that a rule is for, and the others.
    fn rule_applies(&mut self, flow: Flow, rule: &RoutingRule) -> (Vec<Flow>, Vec<Flow>) {
        let state = Rc::clone(&flow.state);
        let mut conditions = Vec::new();
        if let Some(from) = rule.from {
            conditions.push(on_value(state.header.src, &prefix_set(from)));
        }
        if let Some(to) = rule.to {
            conditions.push(on_value(state.header.dst, &prefix_set(to)));
        }
        if let Some(iif) = &rule.iif {
            let name = match state.in_iface {
                None | Some(LOOPBACK) => "lo",
                Some(i) => &self.net.devices[state.device].interfaces[i].name,
            };
            conditions.push(if name == &**iif { Condition::Yes } else { Condition::No });
        }
        if let Some((value, mask)) = rule.mark {
            let key = crate::model::Key { field: crate::model::KeyField::Mark, mask: Some(u128::from(mask)) };
            conditions.push(self.condition_of(&flow, Hook::Prerouting, key, &Set::one(u128::from(value & mask))));
        }
        if let Some(proto) = rule.proto {
            conditions.push(on_value(state.header.get(Part::Proto), &Set::one(u128::from(proto))));
        }
        for (ports, value) in [(rule.sports, state.header.sport), (rule.dports, state.header.dport)] {
            conditions.extend(ports.map(|(lo, hi)| on_value(value, &Set::range(lo.into(), hi.into()))));
        }
        conditions.push(match if state.in_iface.is_none() { rule.own } else { rule.passing } {
            Holds::Yes => Condition::Yes,
            Holds::No => Condition::No,
            Holds::Unknown(doubt) => Condition::On(Dim::Var(self.doubt_variable(state.device, doubt, 1)), Set::one(1)),
        });
        let mut yes = Some(flow);
        let mut no = Vec::new();
        for condition in &conditions {
            let Some(flow) = yes else { break };
            let (y, n) = self.split(flow, condition);
            yes = y;
            no.extend(n);
        }
        let yes: Vec<Flow> = yes.into_iter().collect();
        if rule.inverted { (no, yes) } else { (yes, no) }
    }

    /// Addresses whose kind is in `kinds`. `only`: local means local to this interface.
    ///
    /// IPv4: `inet_dev_addr_type` (`net/ipv4/fib_frontend.c`) looks in the local table alone, so all else is unicast.
    /// IPv6: `__nft_fib6_eval_type` (`net/ipv6/netfilter/nft_fib_ipv6.c`) asks for a route; without one: unreachable.
    pub(super) fn addresses_of_kind(&mut self, state: &State, kinds: &Set, only: Only) -> Set {
        let routing = self.routing(state.device, state.family);
        let local = match only {
            Some(Some(LOOPBACK)) => routing.loopback.clone(),
            Some(Some(i)) => self.net.devices[state.device].interfaces[i].owned(state.family),
            Some(None) | None => routing.local.clone(),
        };
        let own_kind = if state.family == Family::V4 { kind::BROADCAST } else { kind::ANYCAST };
        let mut left = Set::range(0, state.family.max_address());
        let mut out = Set::empty();
        let mut unroutable = Set::empty();
        if state.family == Family::V6 {
            unroutable = left.minus(&routing.reached()).minus(&routing.local);
        }
        let sorted = [
            (kind::LOCAL, &local),
            (own_kind, &routing.broadcast),
            (kind::MULTICAST, &routing.multicast),
            (kind::UNREACHABLE, &unroutable),
        ];
        for (number, set) in sorted {
            if kinds.contains(number) {
                out = out.or(&left.and(set));
            }
            left = left.minus(set);
        }
        if kinds.contains(kind::UNICAST) { out.or(&left) } else { out }
    }

    /// A `fib` look-up from this state may be decided by a rule of its own and not by the main table. Such a look-up is
    /// of no interface (`nft_fib4_eval`, `net/ipv4/netfilter/nft_fib_ipv4.c`), and has a mark only where it asks for it.
    pub(super) fn rules_decide(&self, state: &State, marked: bool) -> bool {
        let device = &self.net.devices[state.device];
        let may_hold = |rule: &RoutingRule| {
            let by_mark = rule.mark.is_none_or(|(value, mask)| match (marked, state.mark) {
                (false, _) => value & mask == 0,
                (true, super::mark::Mark::Known(Val::Const(c))) => c & u128::from(mask) == u128::from(value & mask),
                (true, _) => true,
            });
            rule.inverted || (by_mark && rule.iif.as_deref().is_none_or(|name| name == "lo"))
        };
        let finds = |rule: &RoutingRule| match rule.action {
            RuleAction::LookUp { longer_than: None, not_group: None } => {
                rule.table != MAIN_TABLE && device.routes.iter().any(|route| route.table == rule.table)
            }
            _ => true,
        };
        let mut rules = device.routing_rules.iter().filter(|r| r.family == state.family && !r.even_own);
        rules.any(|r| finds(r) && may_hold(r))
    }

    /// Addresses that the main table sends out by an interface whose name value is in `names` (0: not at all).
    ///
    /// Policy routing rules are left out: a fib expression follows them only with its mark flag.
    pub(super) fn addresses_routed_by(&mut self, state: &State, names: &Set, only: Only) -> Set {
        let routing = self.routing(state.device, state.family);
        let device = &self.net.devices[state.device];
        let unroutable = routing.local.or(&routing.multicast);
        let (mut reached, mut out) = (Vec::new(), Vec::new());
        for entry in routing.tables.iter().filter(|(t, _)| *t == MAIN_TABLE).flat_map(|(_, t)| &t.entries) {
            // Of several ways each counts (`fib_info_nh_uses_dev`).
            for (index, _) in entry.target.ways() {
                if only.is_some_and(|wanted| wanted != Some(index)) {
                    continue;
                }
                let set = entry.set.minus(&unroutable);
                reached.extend_from_slice(set.ranges());
                if names.contains(iface_value(&device.interfaces[index].name)) {
                    out.extend_from_slice(set.ranges());
                }
            }
        }
        let (reached, out) = (Set::from_ranges(reached), Set::from_ranges(out));
        if names.contains(0) { out.or(&reached.complement()) } else { out }
    }

    /// Gives packets that a device sends itself the source address that routing picks (`fib_select_default` and
    /// `inet_select_addr`, net/ipv4; preferred sources of routes are not known).
    pub(super) fn sent_from_routed_address(&mut self, flow: Flow) -> Vec<Flow> {
        let dst = flow.state.header.dst;
        let mut out = Vec::new();
        for (way, mut flow) in self.route(flow) {
            let Way::Target(RouteTarget::Via(iface, hop)) = way else {
                // To itself, or to nobody: the address that was called is as good as any.
                out.push(flow);
                continue;
            };
            let next_hop = hop.map_or(dst, |a| Val::Const(address_value(a)));
            flow.state_mut().out_iface = Some(iface);
            let addresses = self.outgoing_addresses(&flow.state);
            flow.state_mut().out_iface = None;
            let mut rest = Some(flow);
            for (set, address) in addresses {
                let Some(flow) = rest else { break };
                let (here, other) = self.apply(flow, &on_value(next_hop, &set));
                out.extend(here.map(|mut f| {
                    f.state_mut().header.src = Val::Const(address);
                    f
                }));
                rest = other;
            }
            out.extend(rest);
        }
        out
    }

    /// The address that masquerading on an interface uses, as sets of next hops with the address for each.
    ///
    /// IPv4: `inet_select_addr` takes the first address whose network holds the next hop, else the first
    /// (`net/ipv4/devinet.c`).
    pub(super) fn outgoing_addresses(&self, state: &State) -> Vec<(Set, u128)> {
        let Some(index) = state.out_iface else { return Vec::new() };
        let device = &self.net.devices[state.device];
        if index == LOOPBACK {
            // Loopback's own address has host scope, so the first interface's is taken.
            let mut all = device.interfaces.iter().flat_map(|i| &i.addresses);
            let first = all.find(|n| Family::of(n.addr()) == state.family);
            return first.map(|n| (Set::range(0, u128::MAX), address_value(n.addr()))).into_iter().collect();
        }
        let iface = &device.interfaces[index];
        let nets: Vec<IpNet> =
            iface.addresses.iter().copied().filter(|n| Family::of(n.addr()) == state.family).collect();
        let mut taken = Set::empty();
        let mut out = Vec::new();
        for net in &nets {
            let set = prefix_set(*net).minus(&taken);
            taken = taken.or(&set);
            out.push((set, address_value(net.addr())));
        }
        if let Some(first) = nets.first() {
            out.push((taken.complement(), address_value(first.addr())));
        }
        out
    }
}
