//! Addresses of rules.

use super::{Lowering, matches};
use crate::cube::Set;
use crate::dialect::pf::ast::{Entry, Host, Hosts, Table, Unknown};
use crate::model::{Family, Interface, Key, KeyField, Match, Origin, Part, Step, Test, address_value, prefix_range};
use ipnet::IpNet;
use std::sync::Arc;

/// Sets with more intervals than this are shared between rules instead of copied.
const SHARED_FROM: usize = 16;

/// A set in the form in which a match can share it.
pub(super) type Shared = Arc<[Box<[Set]>]>;

impl<'a> Lowering<'a> {
    /// Ways to match these addresses, each a list of steps: a rule for each is the same as one rule. None: no packet of
    /// this family matches.
    pub(super) fn hosts(&mut self, hosts: &'a Hosts, part: Part, family: Family, origin: &Origin) -> Vec<Vec<Step>> {
        if hosts.is_any() {
            return vec![Vec::new()];
        }
        let key = Key::of(KeyField::Header(part));
        let mut set = Set::empty();
        let mut shared = None;
        let mut doubts = Vec::new();
        for host in &hosts.list {
            match host {
                Host::Net(n) if Family::of(n.addr()) == family => set = set.or(&range(*n)),
                Host::Net(_) => {}
                Host::Address(device) | Host::First(device) | Host::Network(device) | Host::FirstNetwork(device) => {
                    let of = match host {
                        Host::Address(_) => addresses,
                        Host::First(_) => first,
                        Host::Network(_) => networks,
                        _ => first_network,
                    };
                    set = set.or(&self.of_interfaces(device, family, of));
                    if let Some(unknown) = self.strange(device) {
                        doubts.push(self.doubt(origin, &unknown, false));
                    }
                }
                Host::Own => {
                    let loopback =
                        if family == Family::V4 { Set::range(0x7f00_0000, 0x7fff_ffff) } else { Set::one(1) };
                    let own = self.interfaces.iter().fold(loopback, |all, i| all.or(&i.owned(family)));
                    set = set.or(&own);
                }
                Host::Table(name) => {
                    if let Some(table) = self.rules.tables.get(name) {
                        let entries = self.table(name, table, family);
                        if hosts.list.len() == 1 && entries[0][0].ranges().len() > SHARED_FROM {
                            shared = Some(entries);
                        } else {
                            set = set.or(&entries[0][0]);
                        }
                        if let Some(unknown) = table.unknown.as_ref().filter(|_| table.only.is_none_or(|f| f == family))
                        {
                            doubts.push(self.table_doubt(name, table, unknown, part));
                        }
                    } else {
                        doubts.push(self.doubt(origin, &no_table(name), true));
                    }
                }
                Host::Unknown(unknown) => doubts.push(self.doubt(origin, unknown, false)),
            }
        }
        let mut known: Vec<Step> = Vec::new();
        if let Some(boxes) = shared {
            known.push(Step::Match(Match { keys: [key].into(), test: Test::Boxes(boxes), negate: hosts.negate }));
        } else if !set.is_empty() {
            known.push(matches(key, set, hosts.negate));
        }
        let unknown = |d| matches(Key::of(KeyField::Unknown(d, 1)), Set::one(1), hosts.negate);
        if hosts.negate {
            return vec![known.into_iter().chain(doubts.into_iter().map(unknown)).collect()];
        }
        let first = if known.is_empty() { None } else { Some(known) };
        first.into_iter().chain(doubts.into_iter().map(|d| vec![unknown(d)])).collect()
    }

    /// Whether an address is in a table. Of a list of others' addresses it is one question for senders and another for
    /// receivers.
    fn table_doubt(&mut self, name: &'a str, table: &Table, unknown: &Unknown, part: Part) -> crate::model::DoubtId {
        let part = if table.listed { part } else { Part::Src };
        if let Some(id) = self.table_doubts.get(&(name, part)) {
            return *id;
        }
        let id = if table.listed {
            let id = self.new_doubt(&table.origin, unknown, false);
            self.pipeline.lists.insert(id, name.into());
            id
        } else {
            self.doubt(&table.origin, unknown, false)
        };
        self.table_doubts.insert((name, part), id);
        id
    }

    /// Addresses that a table holds for certain: one row of one set.
    pub(super) fn table(&mut self, name: &'a str, table: &Table, family: Family) -> Shared {
        if let Some(known) = self.tables.get(&(name, family)) {
            return Arc::clone(known);
        }
        let mut yes = Vec::new();
        let mut no = Vec::new();
        for entry in table.entries.iter() {
            match entry {
                Entry::Net(n) if Family::of(n.addr()) == family => yes.push(prefix_range(*n)),
                Entry::Not(n) if Family::of(n.addr()) == family => no.push(prefix_range(*n)),
                Entry::Range(lo, hi) if family == Family::V4 => yes.push((u128::from(*lo), u128::from(*hi))),
                _ => {}
            }
        }
        // pf looks for the most specific entry: a negated one is smaller than what it is cut out of.
        let set: Shared = Arc::new([Box::new([Set::from_ranges(yes).minus(&Set::from_ranges(no))])]);
        self.tables.insert((name, family), Arc::clone(&set));
        set
    }

    fn of_interfaces(&self, device: &str, family: Family, of: impl Fn(&Interface, Family) -> Set) -> Set {
        let names = self.devices(device);
        let named = self.interfaces.iter().filter(|i| names.contains(crate::model::iface_value(&i.name)));
        named.fold(Set::empty(), |all, i| all.or(&of(i, family)))
    }

    /// Steps for protocol and ports; none when no packet that the trace follows matches.
    pub(super) fn transport(
        protocols: &[u8],
        source: Option<&[(u16, u16)]>,
        destination: Option<&[(u16, u16)]>,
    ) -> Option<Vec<Step>> {
        let followed: Vec<u128> = protocols.iter().copied().filter(|p| [6, 17].contains(p)).map(u128::from).collect();
        let mut steps = Vec::new();
        if !protocols.is_empty() {
            if followed.is_empty() {
                return None;
            }
            let set = Set::from_ranges(followed.into_iter().map(|p| (p, p)));
            steps.push(Step::is(KeyField::Header(Part::Proto), set));
        }
        for (ports, part) in [(source, Part::SrcPort), (destination, Part::DstPort)] {
            let Some(ports) = ports else { continue };
            let set = Set::from_ranges(ports.iter().map(|(lo, hi)| (u128::from(*lo), u128::from(*hi))));
            steps.push(Step::is(KeyField::Header(part), set));
        }
        Some(steps)
    }
}

/// A table that rules name and nothing defines.
pub(super) fn no_table(name: &str) -> Unknown {
    let what = format!("what the table <{name}> holds: it stands nowhere in these rules");
    Unknown { what: what.into(), ..Unknown::default() }
}

fn range(net: IpNet) -> Set {
    let (lo, hi) = prefix_range(net);
    Set::range(lo, hi)
}

fn networks(iface: &Interface, family: Family) -> Set {
    let nets = iface.addresses.iter().filter(|n| Family::of(n.addr()) == family);
    Set::from_ranges(nets.map(|n| prefix_range(*n)))
}

/// The interface's own addresses; those that it only answers for are none of its own.
fn addresses(iface: &Interface, family: Family) -> Set {
    let own = iface.addresses.iter().map(IpNet::addr).filter(|a| Family::of(*a) == family).map(address_value);
    Set::from_ranges(own.map(|a| (a, a)))
}

/// The first network of an interface in a family: a routable one if there is one.
fn first_net(iface: &Interface, family: Family) -> Option<IpNet> {
    let mut all = iface.addresses.iter().copied().filter(|n| Family::of(n.addr()) == family);
    let routable = all.clone().find(|n| !is_link_local(n.addr()));
    routable.or_else(|| all.next())
}

fn first(iface: &Interface, family: Family) -> Set {
    first_net(iface, family).map_or_else(Set::empty, |n| Set::one(address_value(n.addr())))
}

fn first_network(iface: &Interface, family: Family) -> Set {
    first_net(iface, family).map_or_else(Set::empty, range)
}

fn is_link_local(ip: std::net::IpAddr) -> bool {
    matches!(ip, std::net::IpAddr::V6(v6) if v6.is_unicast_link_local())
}

impl Lowering<'_> {
    /// Addresses of an interface, or of a group's members, that a translation may take; only the first one of each, or
    /// all. Link-local ones where there is no other.
    pub(super) fn usable(&self, device: &str, family: Family, only_first: bool) -> Vec<u128> {
        let names = self.devices(device);
        let mut out = Vec::new();
        for iface in self.interfaces.iter().filter(|i| names.contains(crate::model::iface_value(&i.name))) {
            let Some(first) = first_net(iface, family) else { continue };
            let others = iface
                .addresses
                .iter()
                .map(IpNet::addr)
                .filter(|a| Family::of(*a) == family && *a != first.addr() && !is_link_local(*a) && !only_first);
            out.extend(std::iter::once(first.addr()).chain(others).map(address_value));
        }
        out
    }
}
