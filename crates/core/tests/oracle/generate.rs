//! Random networks and pipelines over the whole model, with small pools of values so that rules overlap.
#![allow(clippy::many_single_char_names)]

mod crowded;
mod wide;

use callpath_core::cube::Set;
use callpath_core::model::{
    Action, ChainId, Device, Doubt, DoubtId, DoubtKind, Families, Family, Hook, Interface, Key, KeyField, Lookup,
    MarkFrom, MarkValue, Match, NatTarget, Origin, Part, Pipeline, Policy, Route, RouteTarget, Rule, Side, Stage,
    StageKind, Step, Test, Translate, TupleDir, TupleIface, Verdicted, Ways, address_value, iface_value,
    iface_wildcard,
};
use callpath_core::trace::Network;
use std::collections::VecDeque;
use std::sync::Arc;

/// Choices: those that a tape of bytes holds, and behind its end those of xorshift64*, so that a failure can be brought
/// back by its bytes or by its seed.
pub struct Random {
    state: u64,
    tape: VecDeque<u8>,
}

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, tape: VecDeque::new() }
    }
    /// A byte for each choice: then one that changes is one decision that changes.
    #[allow(dead_code)] // not every test that includes this has bytes
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { tape: bytes.iter().copied().collect(), ..Self::seeded(bytes.len() as u64) }
    }
    pub fn bits(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    pub fn below(&mut self, n: usize) -> usize {
        match self.tape.pop_front() {
            Some(byte) => usize::from(byte) % n,
            None => usize::try_from(self.bits() >> 33).expect("31 bits") % n,
        }
    }
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

pub const PORTS: &[u128] = &[1, 53, 80, 511, 512, 1023, 1024, 5000, 5004, 5009, 50000, 50499, 65535];

pub fn addresses(family: Family) -> Vec<u128> {
    let list: &[&str] = match family {
        Family::V4 => &[
            "192.168.1.1",
            "192.168.1.50",
            "192.168.1.60",
            "192.168.1.63",
            "192.168.1.255",
            "10.0.0.1",
            "10.0.0.2",
            "203.0.113.5",
            "203.0.113.1",
            "8.8.8.8",
            "8.8.9.0",
            "127.0.0.1",
            "224.0.0.9",
        ],
        Family::V6 => &[
            "2001:db8:1::",
            "2001:db8:1::1",
            "2001:db8:1::50",
            "2001:db8:1::60",
            "fd00::1",
            "fd00::2",
            "2001:db8::5",
            "2001:db8::1",
            "2a00::8",
            "2a00::9",
            "::1",
            "ff02::9",
        ],
    };
    list.iter().map(|s| address_value(s.parse().expect("literal"))).collect()
}

pub struct Maker {
    pub random: Random,
    pub family: Family,
    /// Rules may leave something open.
    pub doubts: bool,
}

impl Maker {
    fn set(&mut self, pool: &[u128], widest: u128) -> Set {
        let ranges: Vec<(u128, u128)> = (0..=self.random.below(3))
            .map(|_| {
                let (a, b) = (self.random.pick(pool), self.random.pick(pool));
                let (lo, hi) = if self.random.chance(40) { (a, a) } else { (a.min(b), a.max(b)) };
                (lo, hi.min(widest))
            })
            .collect();
        Set::from_ranges(ranges)
    }

    fn part(&mut self) -> Part {
        self.random.pick(&[Part::Src, Part::Dst, Part::SrcPort, Part::DstPort, Part::DstPort, Part::Proto])
    }

    fn part_set(&mut self, part: Part) -> Set {
        match part {
            Part::Src | Part::Dst => {
                let pool = addresses(self.family);
                self.set(&pool, u128::MAX)
            }
            Part::SrcPort | Part::DstPort => self.set(PORTS, 65535),
            Part::Proto => Set::one(self.random.pick(&[6, 17])),
        }
    }

    fn names(&mut self) -> Set {
        match self.random.below(4) {
            0 => iface_wildcard("la"),
            1 => Set::one(0),
            2 => Set::one(iface_value("wan")).or(&Set::one(iface_value("lo"))),
            _ => Set::one(iface_value(self.random.pick(&["wan", "lan", "mid"]))),
        }
    }

    /// A key and values for it.
    fn key(&mut self, p: &mut Pipeline) -> (Key, Set) {
        let side = self.random.pick(&[None, Some(TupleIface::In), Some(TupleIface::Out)]);
        let end = self.random.pick(&[Part::Src, Part::Dst]);
        let small = |r: &mut Random| Set::range(0, r.pick(&[0, 1, 2, 3, 6]));
        let (field, set) = match self.random.below(if self.doubts { 24 } else { 22 }) {
            0..=8 => {
                let part = self.part();
                (KeyField::Header(part), self.part_set(part))
            }
            9 => (KeyField::Family, Set::one(self.random.pick(&[2, 10]))),
            10 => (KeyField::InIface, self.names()),
            11 => (KeyField::OutIface, self.names()),
            12 => (KeyField::InGroup, small(&mut self.random)),
            13 => (KeyField::Mark, small(&mut self.random)),
            14 => (KeyField::CtState, Set::one(self.random.pick(&[1, 2, 8, 64])).or(&Set::one(8))),
            15 => (KeyField::CtStatus, Set::from_ranges([(8, 40)])),
            16 => (KeyField::CtDirection, Set::one(self.random.pick(&[0, 1]))),
            17 => (KeyField::CtMark, small(&mut self.random)),
            18 => {
                let part = self.part();
                let dir = self.random.pick(&[TupleDir::Original, TupleDir::Reply]);
                (KeyField::CtTuple(dir, part), self.part_set(part))
            }
            19 => (KeyField::AddressKind { of: end, on: side }, Set::range(self.random.pick(&[1, 2, 3]), 4)),
            20 => (KeyField::RouteIface { of: end, on: side, marked: false, rules: None }, self.names()),
            21 => (KeyField::TcpFlags, Set::one(self.random.pick(&[2, 18, 16]))),
            _ => {
                let origin = p.add_origin(Origin::default());
                let fixed = Doubt { origin, what: "x".into(), supply: "".into(), fixed: true, kind: DoubtKind::Fact };
                (KeyField::Unknown(p.add_doubt(fixed), 2), small(&mut self.random))
            }
        };
        let mask = match field {
            KeyField::Header(Part::SrcPort | Part::DstPort) if self.random.chance(10) => Some(0xff00),
            KeyField::Mark | KeyField::CtMark | KeyField::CtStatus if self.random.chance(40) => Some(0x2b),
            _ => None,
        };
        (Key { field, mask }, set)
    }

    fn a_match(&mut self, p: &mut Pipeline) -> Step {
        let negate = self.random.chance(20);
        if self.random.chance(80) {
            let (key, set) = self.key(p);
            return Step::Match(Match { keys: [key].into(), test: Test::In(set), negate });
        }
        let (a, x) = self.key(p);
        let (b, y) = self.key(p);
        let again = |m: &mut Self, key: Key, set: &Set| match key.field {
            KeyField::Header(part) => m.part_set(part),
            _ => set.clone(),
        };
        let rows: Vec<Box<[Set]>> = (0..2)
            .map(|_| -> Box<[Set]> { Box::new([again(self, a, &x), again(self, b, &y)]) })
            .chain([Box::new([x.clone(), y.clone()]) as Box<[Set]>])
            .collect();
        Step::Match(Match { keys: [a, b].into(), test: Test::Boxes(rows.into()), negate })
    }

    fn lookup<T: Clone>(&mut self, p: &mut Pipeline, values: &[T]) -> Lookup<T> {
        if self.random.chance(50) {
            return Lookup::fixed(values[self.random.below(values.len())].clone());
        }
        let (key, set) = self.key(p);
        let mut entries = vec![(Box::new([set.clone()]) as Box<[Set]>, values[0].clone())];
        if let KeyField::Header(part) = key.field {
            let other = self.part_set(part).minus(&set);
            entries.push((Box::new([other]), values[self.random.below(values.len())].clone()));
        }
        let default = self.random.chance(30).then(|| values[values.len() - 1].clone());
        Lookup { keys: [key].into(), entries, default }
    }

    fn action(&mut self, p: &mut Pipeline, side: Option<Side>, deeper: &[ChainId]) -> Action {
        let target = deeper.first().copied();
        let marks = [
            MarkValue { from: MarkFrom::Zero, and: 0, xor: 3 },
            MarkValue { from: MarkFrom::Mark, and: 1, xor: 2 },
            MarkValue { from: MarkFrom::CtMark, and: u32::MAX, xor: 0 },
        ];
        loop {
            return match self.random.below(14) {
                0..=2 => Action::Accept,
                3 => Action::Drop,
                4 => Action::Reject("x".into()),
                5 => Action::Return,
                6 if target.is_some() => Action::Jump(self.random.pick(deeper)),
                7 if target.is_some() => Action::Goto(self.random.pick(deeper)),
                8 => {
                    let mut values = vec![Verdicted::Accept, Verdicted::Drop, Verdicted::Continue, Verdicted::Return];
                    values.extend(target.map(Verdicted::Jump));
                    Action::Verdict(Arc::new(self.lookup(p, &values)))
                }
                9 => Action::SetMark(Arc::new(self.lookup(p, &marks))),
                10 => Action::SetCtMark(Arc::new(self.lookup(p, &marks))),
                11 => Action::Untrack,
                _ => match side {
                    None => continue,
                    Some(side) => self.translate(p, side),
                },
            };
        }
    }

    fn translate(&mut self, p: &mut Pipeline, side: Side) -> Action {
        let v6 = self.family == Family::V6;
        let pool = addresses(self.family);
        let port = match self.random.below(4) {
            0 => Some((5004, 50000)),
            1 => Some((5004, 5004)),
            _ => None,
        };
        let (x, y) = (pool[self.random.below(4)], pool[1]);
        let net = if v6 { (pool[0], pool[0] | 0xff) } else { (pool[0] & !0xff, pool[0] | 0xff) };
        let to = |addr, port, keep_host_bits| NatTarget::To { addr, v6, port, keep_host_bits };
        let ranged = if self.doubts { (y, y + 3) } else { (y, y) };
        let values = [
            to(Some((x, x)), port, false),
            to(Some(ranged), None, false),
            to(None, Some((5000, 5000)), false),
            to(Some(net), None, true),
            if side == Side::Source {
                NatTarget::OutgoingAddress { port: None }
            } else {
                NatTarget::IncomingAddress { port }
            },
            to(Some((y, y)), None, false),
            NatTarget::Moved { addr: Some((y, y)), v6, by: if self.random.chance(50) { 1000 } else { 60000 } },
        ];
        let mut values = values.to_vec();
        if !self.doubts && side == Side::Source {
            // A range of source ports is a choice.
            values.remove(0);
        }
        let target = Arc::new(self.lookup(p, &values));
        Action::Translate(Translate { side, target, random: self.doubts && self.random.chance(20) })
    }

    fn chain(&mut self, p: &mut Pipeline, side: Option<Side>, deeper: &[ChainId]) -> ChainId {
        let count = 1 + self.random.below(4);
        let mut rules = Vec::new();
        for _ in 0..count {
            let origin = p.add_origin(Origin::default());
            let mut steps = Vec::new();
            for _ in 0..self.random.below(3) {
                steps.push(self.a_match(p));
            }
            steps.push(Step::Act(self.action(p, side, deeper)));
            if self.random.chance(15) {
                steps.push(self.a_match(p));
                steps.push(Step::Act(self.action(p, side, deeper)));
            }
            rules.push(Rule { steps: steps.into(), origin });
        }
        let origin = p.add_origin(Origin::default());
        p.add_chain("c", origin, rules)
    }

    fn pipeline(&mut self) -> Pipeline {
        let mut p = Pipeline::default();
        let leaf = self.chain(&mut p, None, &[]);
        let branch = self.chain(&mut p, None, &[leaf]);
        let deeper = [branch, leaf];
        for hook in Hook::ALL {
            let mut stages = Vec::new();
            if matches!(hook, Hook::Prerouting | Hook::Output) {
                if self.random.chance(25) {
                    stages.push(self.filter(&mut p, &deeper, hook));
                }
                if self.random.chance(92) {
                    stages.push(StageKind::Track);
                }
            }
            let side = match hook {
                Hook::Prerouting | Hook::Output => Some(Side::Destination),
                Hook::Input | Hook::Postrouting => Some(Side::Source),
                _ => None,
            };
            if hook == Hook::Forward || self.random.chance(35) {
                stages.push(self.filter(&mut p, &deeper, hook));
            }
            if let Some(side) = side {
                let count = if self.random.chance(55) { 1 + self.random.below(2) } else { 0 };
                let chains = (0..count).map(|_| (self.chain(&mut p, Some(side), &[]), Policy::Accept)).collect();
                stages.push(StageKind::Translate { side, chains });
            }
            if self.random.chance(15) {
                stages.push(self.filter(&mut p, &deeper, hook));
            }
            for kind in stages {
                let families = if self.random.chance(95) { Families::BOTH } else { Families { v4: false, v6: true } };
                let interfaces =
                    (hook == Hook::Ingress && self.random.chance(50)).then(|| vec!["wan".into(), "lo".into()]);
                p.hooks[hook as usize].push(Stage { kind, families, interfaces });
            }
        }
        p
    }

    fn filter(&mut self, p: &mut Pipeline, deeper: &[ChainId], hook: Hook) -> StageKind {
        let chain = self.chain(p, None, deeper);
        let policy = if self.random.chance(15) { Policy::Drop } else { Policy::Accept };
        StageKind::Filter { chain, policy, reroute: hook == Hook::Output && self.random.chance(50) }
    }

    /// The internet, one or two routers, a server and other hosts.
    pub fn network(&mut self) -> Network {
        let iface = |name: &str, nets: [&str; 2], segment| Interface {
            name: name.into(),
            addresses: nets.iter().map(|n| n.parse().expect("net")).collect(),
            segment,
            group: u32::from(name == "lan"),
            ..Interface::default()
        };
        let routes = |hops: [&str; 2], iface| {
            let all = ["0.0.0.0/0", "::/0"].iter().zip(hops);
            all.map(|(to, hop)| Route {
                to: to.parse().expect("net"),
                target: RouteTarget::Via(iface, Some(hop.parse().expect("ip"))),
                table: 254,
                metric: 0,
            })
            .collect::<Vec<_>>()
        };
        let double = self.random.chance(40);
        let host_routes = routes(["192.168.1.1", "2001:db8:1::1"], 0);
        let mut devices = Vec::new();
        let lan = iface("lan", ["192.168.1.1/24", "2001:db8:1::1/64"], 1);
        if double {
            devices.push(Device {
                interfaces: vec![
                    iface("wan", ["203.0.113.5/24", "2001:db8::5/64"], 0),
                    iface("mid", ["10.0.0.1/24", "fd00::1/64"], 2),
                ],
                routes: routes(["203.0.113.1", "2001:db8::1"], 0),
                pipeline: self.pipeline(),
                forwards: true,
                drops_own_source: true,
                ..Device::default()
            });
            devices[0].routes.extend(["192.168.1.0/24", "2001:db8:1::/64"].iter().zip(["10.0.0.2", "fd00::2"]).map(
                |(to, hop)| Route {
                    to: to.parse().expect("net"),
                    target: RouteTarget::Via(1, Some(hop.parse().expect("ip"))),
                    table: 254,
                    metric: 5,
                },
            ));
            devices.push(Device {
                interfaces: vec![iface("wan", ["10.0.0.2/24", "fd00::2/64"], 2), lan],
                routes: routes(["10.0.0.1", "fd00::1"], 0),
                pipeline: self.pipeline(),
                forwards: true,
                drops_own_source: true,
                ..Device::default()
            });
        } else {
            devices.push(Device {
                interfaces: vec![iface("wan", ["203.0.113.5/24", "2001:db8::5/64"], 0), lan],
                routes: routes(["203.0.113.1", "2001:db8::1"], 0),
                pipeline: self.pipeline(),
                forwards: true,
                drops_own_source: self.random.chance(80),
                ..Device::default()
            });
        }
        devices.push(Device {
            interfaces: vec![iface("eth0", ["192.168.1.50/24", "2001:db8:1::50/64"], 1)],
            routes: host_routes.clone(),
            pipeline: if self.random.chance(40) { self.pipeline() } else { Pipeline::default() },
            drops_own_source: true,
            ..Device::default()
        });
        let range = |lo: &str, hi: &str| {
            let value = |s: &str| address_value(s.parse().expect("ip"));
            Set::range(value(lo), value(hi))
        };
        devices.push(Device {
            interfaces: vec![Interface {
                hosts_v4: range("192.168.1.60", "192.168.1.63"),
                hosts_v6: range("2001:db8:1::60", "2001:db8:1::63"),
                ..iface("eth0", ["192.168.1.60/24", "2001:db8:1::60/64"], 1)
            }],
            routes: host_routes,
            ..Device::default()
        });
        devices.push(Device {
            interfaces: vec![Interface {
                hosts_v4: range("8.8.8.0", "8.8.9.255"),
                hosts_v6: range("2a00::", "2a00::ff"),
                ..iface("eth0", ["203.0.113.1/24", "2001:db8::1/64"], 0)
            }],
            routes: ["2001:db8:1::/64", "fd00::/64"]
                .iter()
                .map(|to| Route {
                    to: to.parse().expect("net"),
                    target: RouteTarget::Via(0, Some("2001:db8::5".parse().expect("ip"))),
                    table: 254,
                    metric: 0,
                })
                .collect(),
            ..Device::default()
        });
        Network { devices: devices.into(), ..Network::default() }
    }
}

/// Plants an effect that nobody understands in front of a rule's action.
pub fn plant(p: &mut Pipeline, random: &mut Random) -> Option<DoubtId> {
    let origin = p.add_origin(Origin::default());
    let doubt =
        p.add_doubt(Doubt { origin, what: "y".into(), supply: "".into(), fixed: false, kind: DoubtKind::Unread });
    let chain = random.below(p.chains.len().max(1));
    let rules = &mut p.chains.get_mut(chain)?.rules;
    let at = random.below(rules.len());
    let rule = &mut rules[at];
    let mut steps = rule.steps.to_vec();
    let place = steps.iter().position(|s| matches!(s, Step::Act(_)))?;
    steps.insert(place, Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
    rule.steps = steps.into();
    Some(doubt)
}
