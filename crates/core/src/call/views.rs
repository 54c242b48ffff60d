//! Rules as simple statements: what they ask of a packet, as far as each field stands alone.

use crate::cube::Set;
use crate::model::{
    Action, Chain, ChainId, Device, Family, Hook, Key, KeyField, Match, NatTarget, OriginId, Part, Rule, Side,
    StageKind, Step, Test, Verdicted, nfproto,
};

/// The last port.
const PORTS: u128 = 65535;

/// What a rule asks. A field that it does not ask for is absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asks {
    pub iface: Option<Set>,
    pub out_iface: Option<Set>,
    pub proto: Option<Set>,
    pub src: Option<Set>,
    pub dst: Option<Set>,
    pub ports: Option<Set>,
    pub family: Option<Set>,
    pub state: Option<Set>,
    /// It asks for something else too.
    pub more: bool,
}

/// A rule with what it asks and its effect.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub origin: OriginId,
    pub asks: Asks,
    pub does: Does,
    /// It is switched off.
    pub dormant: bool,
}

/// A rule's effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Does {
    Accept,
    Drop,
    /// New destination, and what becomes of the port.
    Forward {
        to: Option<(u128, u128)>,
        ports: PortChange,
    },
    Other,
}

/// What becomes of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortChange {
    Same,
    /// All ports become one of these.
    To(u16, u16),
    /// Each moves by this much, modulo 2¹⁶.
    Moved(u16),
}

/// Packets to compare with.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub iface: u128,
    pub proto: u8,
    pub dst: u128,
    pub ports: Set,
}

impl Asks {
    pub fn of(rule: &Rule) -> Self {
        let mut out = Self::default();
        let matches = rule.steps.iter().map_while(|s| match s {
            Step::Match(m) => Some(m),
            Step::Act(_) => None,
        });
        for m in matches {
            out.add(m);
        }
        out
    }

    fn add(&mut self, m: &Match) {
        let ([key], false) = (&m.keys[..], m.keys.is_empty()) else {
            self.more = true;
            return;
        };
        let set = match &m.test {
            Test::In(set) => set.clone(),
            Test::Boxes(rows) => rows.iter().fold(Set::empty(), |all, row| all.or(&row[0])),
        };
        self.ask(*key, if m.negate { set.complement() } else { set });
    }

    /// One more condition on one field.
    fn ask(&mut self, key: Key, set: Set) {
        let field = match key.field {
            _ if key.mask.is_some() => {
                self.more = true;
                return;
            }
            KeyField::Header(Part::Src) => &mut self.src,
            KeyField::Header(Part::Dst) => &mut self.dst,
            KeyField::Header(Part::DstPort) => &mut self.ports,
            KeyField::Header(Part::Proto) => &mut self.proto,
            KeyField::InIface => &mut self.iface,
            KeyField::OutIface => &mut self.out_iface,
            KeyField::Family => &mut self.family,
            KeyField::CtState => &mut self.state,
            _ => {
                self.more = true;
                return;
            }
        };
        *field = Some(match field.take() {
            Some(have) => have.and(&set),
            None => set,
        });
    }

    /// What packets fulfil that fulfil both.
    fn and(&self, other: &Self) -> Self {
        let both = |a: &Option<Set>, b: &Option<Set>| match (a, b) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (one, None) | (None, one) => one.clone(),
        };
        Self {
            iface: both(&self.iface, &other.iface),
            out_iface: both(&self.out_iface, &other.out_iface),
            proto: both(&self.proto, &other.proto),
            src: both(&self.src, &other.src),
            dst: both(&self.dst, &other.dst),
            ports: both(&self.ports, &other.ports),
            family: both(&self.family, &other.family),
            state: both(&self.state, &other.state),
            more: self.more || other.more,
        }
    }

    pub fn iface_fits(&self, value: u128) -> bool {
        self.iface.as_ref().is_none_or(|s| s.contains(value))
    }

    pub fn proto_fits(&self, proto: u8) -> bool {
        self.proto.as_ref().is_none_or(|s| s.contains(u128::from(proto)))
    }

    pub fn dst_fits(&self, dst: u128) -> bool {
        self.dst.as_ref().is_none_or(|s| s.contains(dst))
    }

    pub fn ports_fit(&self, ports: &Set) -> bool {
        self.ports.as_ref().is_none_or(|s| ports.is_subset(s))
    }

    pub fn family_fits(&self, family: Family) -> bool {
        let number = if family == Family::V4 { nfproto::IPV4 } else { nfproto::IPV6 };
        self.family.as_ref().is_none_or(|s| s.contains(number))
    }
}

impl View {
    fn of(rule: &Rule, dormant: bool) -> Option<Self> {
        let act = rule.steps.iter().rev().find_map(|s| match s {
            Step::Act(a) => Some(a),
            Step::Match(_) => None,
        })?;
        let does = match act {
            Action::Accept => Does::Accept,
            Action::Drop | Action::Reject(_) => Does::Drop,
            Action::Translate(t) if t.side == Side::Destination => {
                let target = t.target.default.as_ref().or_else(|| t.target.entries.first().map(|e| &e.1));
                match target {
                    Some(NatTarget::To { addr, port, .. }) => {
                        let ports = port.map_or(PortChange::Same, |(lo, hi)| PortChange::To(lo, hi));
                        Does::Forward { to: *addr, ports }
                    }
                    Some(NatTarget::Moved { addr, by, .. }) => {
                        Does::Forward { to: *addr, ports: PortChange::Moved(*by) }
                    }
                    _ => Does::Other,
                }
            }
            _ => Does::Other,
        };
        Some(Self { origin: rule.origin, asks: Asks::of(rule), does, dormant })
    }

    /// Ports of the host to which a forward of some ports leads, where these are others.
    pub fn shifted(&self) -> Option<Set> {
        let (Does::Forward { ports, .. }, Some(asked)) = (&self.does, &self.asks.ports) else { return None };
        let inside = match *ports {
            PortChange::Same => return None,
            PortChange::To(lo, hi) => Set::range(u128::from(lo), u128::from(hi)),
            PortChange::Moved(by) => {
                // Both parts of a range that goes beyond the last port.
                let by = u128::from(by);
                let parts = asked.ranges().iter().flat_map(|(lo, hi)| {
                    let (lo, hi) = (lo + by, hi + by);
                    [(lo.min(PORTS), hi.min(PORTS), 0), (lo.max(PORTS + 1), hi.max(PORTS + 1), PORTS + 1)]
                        .into_iter()
                        .filter(move |(a, b, _)| (lo..=hi).contains(a) && (lo..=hi).contains(b))
                        .map(|(a, b, less)| (a - less, b - less))
                });
                Set::from_ranges(parts)
            }
        };
        (inside != *asked).then_some(inside)
    }

    /// Fields in which packets differ from what this rule asks.
    pub fn differs(&self, p: &Packet) -> Vec<Field> {
        let mut out = Vec::new();
        let checks = [
            (Field::Interface, self.asks.iface_fits(p.iface)),
            (Field::Protocol, self.asks.proto_fits(p.proto)),
            (Field::Address, self.asks.dst_fits(p.dst)),
            (Field::Ports, self.asks.ports_fit(&p.ports)),
        ];
        out.extend(checks.into_iter().filter(|(_, fits)| !fits).map(|(f, _)| f));
        out
    }
}

/// A field of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Interface,
    Protocol,
    Address,
    Ports,
}

/// Forwards of a device in a family, in order; switched off ones last.
pub(crate) fn forwards(device: &Device, family: Family) -> Vec<View> {
    let mut out = Vec::new();
    for stage in &device.pipeline.hooks[Hook::Prerouting as usize] {
        if !stage.families.has(family) {
            continue;
        }
        if let StageKind::Translate { side: Side::Destination, chains } = &stage.kind {
            for (id, _) in chains {
                collect(device, *id, 0, &Asks::default(), &mut out);
            }
        }
    }
    out.extend(device.pipeline.dormant.iter().filter_map(|(_, rule)| View::of(rule, true)));
    out.retain(|v| matches!(v.does, Does::Forward { .. }) && v.asks.family_fits(family) && fits_width(v, family));
    out
}

/// Addresses of the other family are too large, or the target tells.
fn fits_width(view: &View, family: Family) -> bool {
    let Does::Forward { to: Some((_, hi)), .. } = view.does else { return true };
    (hi <= u128::from(u32::MAX)) == (family == Family::V4)
}

/// Rules of a chain and of those to which it leads, each with what the rules on the way there ask.
fn collect(device: &Device, id: ChainId, depth: usize, on_the_way: &Asks, out: &mut Vec<View>) {
    let chain: &Chain = device.pipeline.chain(id);
    for rule in &chain.rules {
        out.extend(View::of(rule, false).map(|v| View { asks: v.asks.and(on_the_way), ..v }));
        if depth >= 4 {
            continue;
        }
        for (to, asks) in calls(rule) {
            collect(device, to, depth + 1, &asks.and(on_the_way), out);
        }
    }
}

/// Where a rule goes on, and what it asks of packets that go there.
fn calls(rule: &Rule) -> Vec<(ChainId, Asks)> {
    let asks = Asks::of(rule);
    let mut out = Vec::new();
    for step in &rule.steps {
        match step {
            Step::Act(Action::Jump(to) | Action::Goto(to)) => out.push((*to, asks.clone())),
            Step::Act(Action::Verdict(map)) => {
                for (sets, verdict) in &map.entries {
                    let (Verdicted::Jump(to) | Verdicted::Goto(to)) = verdict else { continue };
                    let mut here = asks.clone();
                    for (key, set) in map.keys.iter().zip(sets) {
                        here.ask(*key, set.clone());
                    }
                    out.push((*to, here));
                }
                if let Some(Verdicted::Jump(to) | Verdicted::Goto(to)) = map.default {
                    out.push((to, asks.clone()));
                }
            }
            _ => {}
        }
    }
    out
}

/// The rule with this origin.
pub(crate) fn rule(device: &Device, origin: OriginId) -> Option<View> {
    device.pipeline.chains.with_origin(origin).find_map(|(_, rule)| View::of(rule, false))
}

/// Filter rules that are switched off.
pub(crate) fn dormant(device: &Device) -> Vec<View> {
    device.pipeline.dormant.iter().filter_map(|(_, r)| View::of(r, true)).filter(|v| v.does == Does::Accept).collect()
}

/// The first rule in a file that translates sources of what leaves, if it is not for packets that were turned back.
pub(crate) fn source_translation(device: &Device, family: Family) -> Option<OriginId> {
    let stages = device.pipeline.hooks[Hook::Postrouting as usize].iter().filter(|s| s.families.has(family));
    let chains = stages.flat_map(|s| match &s.kind {
        StageKind::Translate { side: Side::Source, chains } => chains.iter().map(|(c, _)| *c).collect(),
        _ => Vec::new(),
    });
    let rules = chains.flat_map(|c| &device.pipeline.chain(c).rules);
    let translates = |r: &&Rule| {
        let asks = Asks::of(r);
        // A rule that names an interface on both sides, or one host to which packets go, turns calls back.
        let back = asks.iface.is_some() && asks.out_iface.is_some() || asks.dst.is_some();
        !back && r.steps.iter().any(|s| matches!(s, Step::Act(Action::Translate(t)) if t.side == Side::Source))
    };
    let mut all = rules.filter(translates).map(|r| r.origin);
    all.find(|id| device.pipeline.origin(*id).has_lines)
}
