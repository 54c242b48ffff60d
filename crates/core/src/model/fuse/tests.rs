//! The fused list decides as the rules do: tried with every packet of a small world.

use super::*;
use crate::model::{ChainId, DoubtId, MarkValue, NatTarget, Side, Translate, Value, Verdicted};

/// Small numbers from a seed (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

const VALUES: u128 = 6;

fn set(dice: &mut Dice) -> Set {
    match dice.roll(3) {
        0 => Set::one(u128::from(dice.roll(6))),
        1 => {
            let lo = u128::from(dice.roll(6));
            Set::range(lo, lo + u128::from(dice.roll(3)))
        }
        _ => Set::from_ranges((0..VALUES).filter(|_| dice.roll(2) == 0).map(|v| (v, v))),
    }
}

fn mark(value: u32) -> Value {
    Arc::new(Lookup::fixed(MarkValue { from: MarkFrom::Zero, and: 0, xor: value }))
}

fn rule(dice: &mut Dice, number: u32, chains: u32, plain: bool) -> Rule {
    let fields =
        [KeyField::Header(Part::DstPort), KeyField::Header(Part::SrcPort), KeyField::Header(Part::Src), KeyField::Mark];
    let mut steps = Vec::new();
    let fields = fields.into_iter().take(if plain { 1 } else { 2 + usize::from(dice.roll(4) == 0) * 2 });
    for field in fields {
        if plain || dice.roll(2) == 0 {
            let m = Match { keys: Box::new([Key::of(field)]), test: Test::In(set(dice)), negate: dice.roll(4) == 0 };
            steps.push(Step::Match(m));
        }
    }
    let to = ChainId(1 + u32::try_from(dice.roll(u64::from(chains))).expect("small"));
    let port = |p: u64| Some((u16::try_from(p).expect("small"), u16::try_from(p).expect("small")));
    let action = match dice.roll(9) {
        0 | 1 => Action::Drop,
        2 | 3 => Action::Accept,
        4 => Action::Return,
        5 => Action::SetMark(mark(u32::try_from(dice.roll(3)).expect("small"))),
        6 => Action::Jump(to),
        7 => Action::Verdict(Arc::new(Lookup {
            keys: Box::new([Key::of(KeyField::Header(Part::DstPort))]),
            entries: (0..VALUES)
                .filter(|_| dice.roll(2) == 0)
                .map(|v| (Box::from([Set::one(v)]), if v % 2 == 0 { Verdicted::Jump(to) } else { Verdicted::Drop }))
                .collect(),
            default: None,
        })),
        _ => Action::Translate(Translate {
            side: Side::Destination,
            target: Arc::new(Lookup::fixed(NatTarget::To {
                addr: Some((9, 9)),
                v6: false,
                port: port(dice.roll(6)),
                keep_host_bits: false,
            })),
            random: false,
        }),
    };
    steps.push(Step::Act(action));
    Rule { steps: steps.into(), origin: OriginId(number) }
}

/// A packet: destination port, source port, source and mark.
type Packet = [u128; 4];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Accepted,
    Dropped,
    To(u128),
    Fell,
}

/// What a list of rules makes of a packet, step by step as a kernel would.
fn walk(rules: &[&Rule], lists: &[Vec<&Rule>], packet: &mut Packet) -> Fate {
    let value = |packet: &Packet, key: Key| match key.field {
        KeyField::Header(Part::DstPort) => packet[0],
        KeyField::Header(Part::SrcPort) => packet[1],
        KeyField::Header(Part::Src) => packet[2],
        _ => packet[3],
    };
    'rules: for rule in rules {
        for step in &rule.steps {
            let action = match step {
                Step::Match(Match { keys, test: Test::In(set), negate }) => {
                    if set.contains(value(packet, keys[0])) == *negate {
                        continue 'rules;
                    }
                    continue;
                }
                Step::Match(_) => unreachable!("no list is asked for"),
                Step::Act(action) => action,
            };
            let verdict = match action {
                Action::Accept => Verdicted::Accept,
                Action::Drop => Verdicted::Drop,
                Action::Return => Verdicted::Return,
                Action::Jump(to) => Verdicted::Jump(*to),
                Action::Verdict(lookup) => {
                    let found = lookup.entries.iter().find(|(sets, _)| sets[0].contains(value(packet, lookup.keys[0])));
                    found.map_or(Verdicted::Continue, |(_, verdict)| *verdict)
                }
                Action::SetMark(lookup) => {
                    let row = lookup.entries.iter().find(|(sets, _)| sets[0].contains(value(packet, lookup.keys[0])));
                    let Some(mark) = row.map(|(_, v)| v).or(lookup.default.as_ref()) else { continue 'rules };
                    packet[3] = u128::from(mark.xor);
                    Verdicted::Continue
                }
                Action::Translate(t) => match t.target.default {
                    Some(NatTarget::To { port: Some((port, _)), .. }) => return Fate::To(u128::from(port)),
                    Some(NatTarget::Moved { by, .. }) => return Fate::To((packet[0] + u128::from(by)) & 0xffff),
                    _ => unreachable!("one of these is made"),
                },
                _ => unreachable!("none of these is made"),
            };
            match verdict {
                Verdicted::Accept => return Fate::Accepted,
                Verdicted::Drop => return Fate::Dropped,
                Verdicted::Return => return Fate::Fell,
                Verdicted::Jump(to) => match walk(&lists[to.0 as usize], lists, packet) {
                    Fate::Fell => continue 'rules,
                    ended => return ended,
                },
                Verdicted::Goto(_) => unreachable!("none is made"),
                Verdicted::Continue => {}
            }
        }
    }
    Fate::Fell
}

#[test]
fn every_packet_fares_alike_under_the_fused_list() {
    let mut fewer = 0;
    for seed in 1..3000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut number = 0;
        let mut list = |dice: &mut Dice, length: u64, chains: u32| -> Vec<Rule> {
            let plain = dice.roll(2) == 0;
            let one = |dice: &mut Dice, number: u32| loop {
                let rule = rule(dice, number, chains, plain);
                // Inner chains call no others.
                if chains > 1 || !matches!(rule.steps.last(), Some(Step::Act(Action::Jump(_) | Action::Verdict(_)))) {
                    return rule;
                }
            };
            (0..length)
                .map(|_| {
                    number += 1;
                    one(dice, number)
                })
                .collect()
        };
        let length = 2 + dice.roll(if seed % 10 == 0 { 60 } else { 8 });
        let rules = [list(&mut dice, length, 2), list(&mut dice, 1, 1), list(&mut dice, 3, 1)];
        let chains: Vec<Chain> =
            rules.into_iter().map(|rules| Chain { name: "c".into(), origin: OriginId(0), rules }).collect();
        for least in [Least::Two, Least::Many] {
            let given: Vec<Vec<&Rule>> = chains.iter().map(|c| c.rules.iter().collect()).collect();
            let made: Vec<Vec<Fused>> = chains.iter().map(|c| fuse(c.rules.iter(), &chains, least, &[])).collect();
            let fused: Vec<Vec<&Rule>> = made.iter().map(|list| list.iter().map(|f| &f.rule).collect()).collect();
            fewer += given[0].len() - fused[0].len();
            let all = (0..VALUES).flat_map(|a| (0..VALUES).flat_map(move |b| (0..2).map(move |c| [a, b, c, 0])));
            for packet in all {
                let (mut a, mut b) = (packet, packet);
                let (want, got) = (walk(&given[0], &given, &mut a), walk(&fused[0], &fused, &mut b));
                let marks = want == Fate::Dropped || a[3] == b[3];
                assert!(
                    want == got && marks,
                    "seed {seed}, {packet:?}: {want:?} {a:?}, fused {got:?} {b:?}\n{:#?}",
                    fused[0]
                );
                let hull = Hull([
                    (packet[2], packet[2]),
                    (0, u128::MAX),
                    (packet[1], packet[1]),
                    (packet[0], packet[0]),
                    (0, 9),
                ]);
                for f in &made[0] {
                    let alone = std::slice::from_ref(&&f.rule).to_vec();
                    let mut p = packet;
                    let meets = walk(&alone, &fused, &mut p) != Fate::Fell || p != packet;
                    assert!(
                        !meets || f.hull.meets(&hull),
                        "seed {seed}: {packet:?} is beyond the bounds of {:?}",
                        f.rule
                    );
                }
            }
        }
    }
    assert!(fewer > 2000, "hardly a rule was fused: {fewer}");
}

#[test]
fn many_rules_of_one_kind_are_one_with_all_of_them_as_members() {
    let port = |n: u32| Step::is(KeyField::Header(Part::DstPort), Set::one(u128::from(n)));
    let drop = |n: u32| Rule { steps: Box::new([port(n), Step::Act(Action::Drop)]), origin: OriginId(n) };
    let unread = |n: u32| Rule {
        steps: Box::new([port(n), Step::Act(Action::Unmodelled(crate::model::Ways::Anything, DoubtId(n)))]),
        origin: OriginId(n),
    };
    for make in [&drop as &dyn Fn(u32) -> Rule, &unread] {
        let rules: Vec<Rule> = (0..1000).map(|n| make(2 * n)).collect();
        let fused = fuse(rules.iter(), &[], Least::Many, &[]);
        assert_eq!(fused.len(), 1);
        assert_eq!(fused[0].members.len(), 1000);
        assert_eq!(fuse(rules[..TOLD].iter(), &[], Least::Many, &[]).len(), TOLD, "few are told one by one");
        assert_eq!(fuse(rules[..TOLD].iter(), &[], Least::Two, &[]).len(), 1);
    }
}
