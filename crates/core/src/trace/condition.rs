//! Conditions: what a key's value must be, turned into a restriction of the packets that were asked.

use super::answer::{Phase, Val};
use super::flow::{Bridged, Flow, LOOPBACK, Refusal, State, Track};
use super::tracer::Tracer;
use crate::cube::{Dim, Set};
use crate::model::{
    DoubtId, Family, Hook, Key, KeyField, Part, TupleDir, TupleIface, ct_state, iface_value, nfproto, tcp_flags,
};

/// More pieces than this for one masked comparison are not worth following.
const MASK_PIECES: u128 = 1 << 16;

/// What must hold so that a key's value lies in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// It does, for all packets.
    Yes,
    /// It does not, or the key has no value.
    No,
    /// It does for packets with this dimension in this set.
    On(Dim, Set),
    /// It does for packets whose bits of a field, moved by this much, lie in the set: too many pieces of the field as a
    /// whole, so the packets at hand decide ([`Tracer::condition_of`]).
    Masked(Part, u128, u128, u32, Set),
    /// The comparison falls into more pieces than are worth following.
    TooComplex,
}

/// Turns "this value lies in this set" into a condition.
pub(super) fn on_value(value: Val, set: &Set) -> Condition {
    match value {
        Val::Const(c) if set.contains(c) => Condition::Yes,
        Val::Const(_) => Condition::No,
        Val::Part(part, shift) => Condition::On(Dim::Part(part), set.shifted(shift.wrapping_neg())),
        Val::Var(var) => Condition::On(Dim::Var(var), set.clone()),
    }
}

/// Turns "these bits of this value lie in this set" into a condition; `bits` is the value's width.
pub(super) fn on_masked(value: Val, mask: Option<u128>, bits: u32, set: &Set) -> Condition {
    match (value, mask) {
        (_, None) => on_value(value, set),
        (Val::Const(c), Some(mask)) if set.contains(c & mask) => Condition::Yes,
        (Val::Const(_), _) => Condition::No,
        (_, Some(mask)) => match (unmask(set, mask, bits), value) {
            (Some(s), _) => on_value(value, &s),
            (None, Val::Part(part, shift)) => Condition::Masked(part, shift, mask, bits, set.clone()),
            (None, _) => Condition::TooComplex,
        },
    }
}

/// Values of `bits` width whose masked bits lie in `set`; absent when that takes too many intervals.
fn unmask(set: &Set, mask: u128, bits: u32) -> Option<Set> {
    let all = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
    let mask = mask & all;
    if mask == all {
        return Some(set.clone());
    }
    if mask == 0 {
        return Some(if set.contains(0) { Set::range(0, all) } else { Set::empty() });
    }
    // Free bits below the mask make blocks; free bits above or inside it repeat the pattern.
    let low = mask.trailing_zeros();
    let block = 1u128 << low;
    let high_free = !mask & all & !(block - 1);
    let mut out = Vec::new();
    let repeats = 1u128.checked_shl(high_free.count_ones()).filter(|n| *n <= MASK_PIECES)?;
    let contiguous = high_free == 0;
    for &(lo, hi) in set.ranges() {
        let (lo, hi) = (lo, hi.min(all));
        if lo > hi {
            continue;
        }
        let first = lo.div_ceil(block).checked_mul(block)?;
        let last = hi / block * block;
        if first > last {
            continue;
        }
        if contiguous {
            out.push((first, last | (block - 1)));
            continue;
        }
        let steps = (last - first) / block + 1;
        if steps.saturating_mul(repeats) > MASK_PIECES {
            return None;
        }
        for n in 0..steps {
            let value = first + n * block;
            if value & high_free != 0 {
                continue;
            }
            let mut extra = 0u128;
            loop {
                let base = value | extra;
                out.push((base, base | (block - 1)));
                extra = extra.wrapping_sub(high_free) & high_free;
                if extra == 0 {
                    break;
                }
            }
        }
        if out.len() as u128 > MASK_PIECES {
            return None;
        }
    }
    Some(Set::from_ranges(out))
}

/// Values of `have` whose masked bits lie in `set`.
fn unmask_within(have: &Set, set: &Set, mask: u128, bits: u32) -> Option<Set> {
    pieces_within(have, set, mask, bits)
        .or_else(|| Some(have.minus(&pieces_within(have, &set.complement(), mask, bits)?)))
}

/// The same, one aligned block of values after the other: bits above a block are the same for all of it.
fn pieces_within(have: &Set, set: &Set, mask: u128, bits: u32) -> Option<Set> {
    let mut out: Vec<(u128, u128)> = Vec::new();
    for &(lo, hi) in have.ranges() {
        let mut at = lo;
        loop {
            let free = at.trailing_zeros().min(bits);
            let room = u128::BITS - 1 - (hi - at).saturating_add(1).leading_zeros();
            let size = free.min(room);
            let inside = if size >= 128 { u128::MAX } else { (1 << size) - 1 };
            let above = at & mask & !inside;
            let wanted = set.and(&Set::range(above, above | inside)).shifted(above.wrapping_neg());
            if !wanted.is_empty() {
                let found = unmask(&wanted, mask & inside, size)?;
                out.extend(found.ranges().iter().map(|(a, b)| (at + a, at + b)));
            }
            if out.len() as u128 > MASK_PIECES {
                return None;
            }
            match at.checked_add(inside).and_then(|last| last.checked_add(1)) {
                Some(next) if next <= hi => at = next,
                _ => break,
            }
        }
    }
    Some(Set::from_ranges(out))
}

impl Tracer<'_> {
    /// What must hold so that `key` lies in `set`, for these packets in this hook.
    pub(super) fn condition_of(&mut self, flow: &Flow, hook: Hook, key: Key, set: &Set) -> Condition {
        match self.condition(&flow.state, hook, key, set) {
            Condition::Masked(part, shift, mask, bits, set) => {
                let have = self.values(&flow.cubes, Dim::Part(part)).shifted(shift);
                match unmask_within(&have, &set, mask, bits) {
                    Some(found) => Condition::On(Dim::Part(part), found.shifted(shift.wrapping_neg())),
                    None => Condition::TooComplex,
                }
            }
            other => other,
        }
    }

    /// What must hold so that `key` lies in `set`, for packets in this state in this hook.
    fn condition(&mut self, state: &State, hook: Hook, key: Key, set: &Set) -> Condition {
        let value = |value: Val, bits: u32| on_masked(value, key.mask, bits, set);
        let constant = |c: u128| value(Val::Const(c), 128);
        let device = &self.net.devices[state.device];
        let name = |index: Option<usize>| match index {
            None => 0,
            Some(LOOPBACK) => iface_value("lo"),
            Some(i) => iface_value(&device.interfaces[i].name),
        };
        let group = |index: Option<usize>| match index {
            None => Condition::No,
            Some(LOOPBACK) => constant(0),
            Some(i) => constant(u128::from(device.interfaces[i].group)),
        };
        match key.field {
            KeyField::Header(part) => match (part, state.refusal) {
                (Part::Proto, Some(Refusal::Unreachable)) => constant(match state.family {
                    Family::V4 => 1,
                    Family::V6 => 58,
                }),
                (Part::SrcPort | Part::DstPort, Some(Refusal::Unreachable)) => Condition::No,
                _ => value(state.header.get(part), width(part, state.family)),
            },
            KeyField::Family => constant(match state.family {
                Family::V4 => nfproto::IPV4,
                Family::V6 => nfproto::IPV6,
            }),
            KeyField::InIface => constant(name(seen_in(state, hook))),
            KeyField::OutIface => constant(name(state.seen_out)),
            KeyField::InGroup => group(seen_in(state, hook)),
            KeyField::OutGroup => group(state.seen_out),
            KeyField::Mark => self.on_mark(state.mark, key.mask, set),
            KeyField::CtState => constant(ct_state_of(state)),
            KeyField::CtStatus => state.session().map_or(Condition::No, |s| constant(s.status())),
            KeyField::CtDirection => state.session().map_or(Condition::No, |_| constant(u128::from(state.is_reply()))),
            KeyField::CtMark => state.session().map_or(Condition::No, |s| self.on_mark(s.mark, key.mask, set)),
            KeyField::CtTuple(dir, part) => state.session().map_or(Condition::No, |s| {
                let header = match dir {
                    TupleDir::Original => s.original,
                    TupleDir::Reply => s.reply,
                };
                value(header.get(part), width(part, state.family))
            }),
            KeyField::AddressKind { of, on } => {
                let only = on.map(|side| iface_of(state, hook, side));
                let set = self.addresses_of_kind(state, set, only);
                on_value(state.header.get(of), &set)
            }
            KeyField::RouteIface { of, on, marked, rules } => {
                let only = on.map(|side| iface_of(state, hook, side));
                if let (Hook::Prerouting, Some(Some(LOOPBACK))) = (hook, only) {
                    return constant(iface_value("lo"));
                }
                if let Some(doubt) = rules.filter(|_| self.rules_decide(state, marked)) {
                    let var = self.doubt_variable(state.device, doubt, 128);
                    return value(Val::Var(var), 128);
                }
                let set = self.addresses_routed_by(state, set, only);
                on_value(state.header.get(of), &set)
            }
            KeyField::TcpFlags if state.refusal == Some(Refusal::Unreachable) => Condition::No,
            KeyField::TcpFlags => match constant(match state.phase {
                _ if state.refusal.is_some() => tcp_flags::RST_ACK,
                Phase::Request => tcp_flags::SYN,
                Phase::Reply => tcp_flags::SYN_ACK,
                Phase::Next => tcp_flags::ACK,
            }) {
                Condition::Yes => Condition::On(Dim::Part(Part::Proto), Set::one(6)),
                no => no,
            },
            KeyField::Constant(c) => constant(u128::from(c)),
            KeyField::Unknown(doubt, bits) => {
                let var = self.doubt_variable(state.device, doubt, bits);
                value(Val::Var(var), u32::from(bits))
            }
            KeyField::WithinRate(_) if state.is_new() => constant(1),
            KeyField::WithinRate(doubt) => value(Val::Var(self.doubt_variable(state.device, doubt, 1)), 1),
            KeyField::Absent => {
                self.unsure_refusal |= state.refusal.is_some();
                Condition::No
            }
        }
    }

    /// The variable that stands for a doubt: the same one each time if its answer is fixed, else a new one.
    pub(super) fn doubt_variable(&mut self, device: usize, doubt: DoubtId, bits: u8) -> crate::cube::VarId {
        let fixed = self.net.devices[device].pipeline.doubts[doubt.0 as usize].fixed;
        if fixed && let Some(var) = self.fixed.get(&(device, doubt)) {
            return *var;
        }
        let all = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
        let var = self.new_variable(Set::range(0, all), super::answer::Choice::Doubt { device, doubt });
        if fixed {
            self.fixed.insert((device, doubt), var);
        }
        var
    }
}

/// Width in bits of a header field.
pub(super) fn width(part: Part, family: Family) -> u32 {
    match part {
        Part::Src | Part::Dst => u32::from(family.bits()),
        Part::SrcPort | Part::DstPort => 16,
        Part::Proto => 8,
    }
}

/// The incoming interface as rules see it: none for packets of the device itself.
fn seen_in(state: &State, hook: Hook) -> Option<usize> {
    let hidden = hook == Hook::Output || hook == Hook::Postrouting && state.bridged == Bridged::Leaving;
    if hidden { None } else { state.in_iface }
}

fn iface_of(state: &State, hook: Hook, side: TupleIface) -> Option<usize> {
    match side {
        TupleIface::In => seen_in(state, hook),
        TupleIface::Out => state.seen_out,
    }
}

/// The state bit of a packet (`nft_ct_get_eval`, `NFT_CT_STATE`, in `net/netfilter/nft_ct.c`).
pub(super) fn ct_state_of(state: &State) -> u128 {
    match state.track {
        // It has the session of the packet that it refuses (`nf_ct_attach`); seen so for ICMP and resets.
        Track::In { .. } if state.refusal.is_some() => ct_state::RELATED,
        Track::Untracked => ct_state::UNTRACKED,
        Track::No | Track::Invalid => ct_state::INVALID,
        Track::In { reply, .. } if reply || !state.is_new() => ct_state::ESTABLISHED,
        Track::In { .. } => ct_state::NEW,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_prefix_suffix_and_middle_agree_with_trying_every_value() {
        for mask in [0u128, 0xff, 0xf0, 0x0f, 0x81, 0x3c, 0xaa] {
            for set in [Set::one(0), Set::range(3, 0x5a), Set::from_ranges([(0x10, 0x20), (0x80, 0x81)])] {
                let got = unmask(&set, mask, 8).expect("small");
                for v in 0..256u128 {
                    assert_eq!(got.contains(v), set.contains(v & mask), "{v:#x} & {mask:#x} in {set:?}");
                }
            }
        }
    }

    #[test]
    fn a_mask_over_few_packets_agrees_with_trying_each() {
        for mask in [0u128, 0x0f, 0x81, 0xaa, 0xf0, 0xff] {
            for set in [Set::one(0), Set::one(1), Set::range(3, 0x5a), Set::from_ranges([(0x10, 0x20), (0x80, 0x81)])] {
                for have in [Set::one(7), Set::range(5, 0xf3), Set::from_ranges([(0, 9), (0x7e, 0xff)]), Set::empty()] {
                    let got = unmask_within(&have, &set, mask, 8).expect("small");
                    for v in 0..256u128 {
                        assert_eq!(got.contains(v), have.contains(v) && set.contains(v & mask), "{v:#x} & {mask:#x}");
                    }
                }
            }
        }
        let host = u128::MAX >> 64;
        let net = 0x2001_0db8 << 96;
        let got = unmask_within(&Set::range(net, net | host), &Set::one(0x50), host, 128).expect("one piece");
        assert_eq!(got, Set::one(net | 0x50));
        let all = unmask_within(&Set::range(0, u128::MAX), &Set::one(0x50), host, 128);
        assert_eq!(all, None);
    }

    #[test]
    fn a_mask_that_would_shatter_is_refused() {
        assert_eq!(unmask(&Set::one(1), 1, 128), None);
    }
}
