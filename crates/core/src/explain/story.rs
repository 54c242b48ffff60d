//! One packet's way in words: what each device did to it, and what stopped it.

use crate::cube::{Cube, Set};
use crate::model::{Device, DoubtId, Family, Hook, Interface, OriginId, Part, SourceId, address_value};
use crate::report::{Packets, Piece};
use crate::site::is_invented;
use crate::snapshot::Places;
use crate::trace::{Did, Disposition, Header, Journey, Network, Phase, RoundTrip, Val};
use crate::verdict::reach::{Certainty, Ending, Region, journey};
use crate::verdict::replay::example;
use crate::verdict::{self, Doubt, Fate, Followed};
use crate::vocabulary::Undecided;
use crate::way::{Action, DoubtKey, DoubtLine, End, EndForm, Ends, Origin, Rules, Step, Stop, StopKind};
use rustc_hash::FxHashSet;

/// What the words are about.
pub(crate) struct Story<'a> {
    pub places: &'a Places<'a>,
    pub network: &'a Network,
    pub family: Family,
    /// Everybody who could have sent it: when a region holds all of them, the sender is just "caller".
    pub senders: &'a Set,
    /// Of packets that get through, the one after the answer is told too.
    pub whole: bool,
}

/// A packet that stands for a region.
struct Example {
    cube: Cube,
    /// It may be any sender's.
    everybody: bool,
}

impl Example {
    /// A field's value: the lowest, but not an address that ends in zeros.
    fn value(&self, part: Part) -> u128 {
        example(&self.cube, part)
    }

    /// A value in terms of it, unless a device picked it.
    fn of(&self, value: Val) -> Option<u128> {
        match value {
            Val::Part(p, k) => Some(self.value(p).wrapping_add(k)),
            Val::Const(c) => Some(c),
            Val::Var(_) => None,
        }
    }
}

impl Story<'_> {
    /// The rule or chain with this origin.
    pub fn origin(&self, device: usize, id: OriginId) -> Origin {
        origin(self.places, &self.network.devices[device], id)
    }

    /// Packets with one fate, and the way of one of them. `source_ports`: every port that they may be sent from.
    pub fn piece(&self, piece: &verdict::Piece, source_ports: &Set) -> Piece {
        let followed = match &piece.fate {
            Fate::Missing(ports, doubts) => return Piece::unknown(ports.clone(), doubts.clone()),
            Fate::Followed(followed) => followed,
        };
        let region = &followed.region;
        let (steps, stop, ends_at) = self.of(followed);
        Piece {
            packets: Packets::of(&region.cubes, self.family, self.senders, source_ports),
            reach: piece.reach,
            ends_at,
            stop,
            doubts: self.doubts(&Doubt::of(region)),
            except: self.lists(region),
            steps,
        }
    }

    /// One packet of the region, in words, and what stops it: the way that it was seen to take.
    pub fn of(&self, followed: &Followed) -> (Vec<Step>, Option<Stop>, String) {
        let Followed { region, shown: here, trip } = followed;
        let everybody = region.part(Part::Src) == *self.senders && self.senders.count() > 65536;
        let asked = &Example { cube: here.clone(), everybody };
        let shown = match region.ending {
            Ending::Works if self.whole => Phase::Next,
            Ending::Works | Ending::Punched | Ending::WrongSource => Phase::Reply,
            Ending::Lost(phase) | Ending::Unknown(phase) => phase,
            Ending::OtherPort => Phase::Request,
        };
        let mut steps = Vec::new();
        for phase in [Phase::Request, Phase::Reply, Phase::Next] {
            if let Some(j) = trip.journey(phase).filter(|_| phase <= shown) {
                self.journey(j, phase, asked, &mut steps);
            }
        }
        let stop = (region.certainty != Certainty::Open).then(|| self.stop(trip, region, asked)).flatten();
        let last = journey(trip, region.ending).map(|j| (j.last().device, j.last().header));
        let last =
            if region.ending.is_good() { Some((trip.request.last().device, trip.request.last().header)) } else { last };
        let ends_at = last.map_or_else(String::new, |(device, header)| {
            format!("{}, {}", self.network.devices[device].name, self.to(header, asked))
        });
        (steps, stop, ends_at)
    }

    fn journey(&self, j: &Journey, phase: Phase, asked: &Example, steps: &mut Vec<Step>) {
        for (n, hop) in j.hops.iter().enumerate() {
            let device = &self.network.devices[hop.device];
            let iface = |i: usize| device.interfaces.get(i).map_or("lo", Interface::shown);
            let mut push = |hook: Option<Hook>, action, by: Option<&str>, header, origin| {
                steps.push(Step {
                    packet: phase,
                    device: device.name.to_string(),
                    hook: hook.map(|h| hook_word(device, h)),
                    outwards: hook.is_some_and(|h| is_outwards(device, h)),
                    action,
                    by: by.map(str::to_owned),
                    header,
                    origin,
                });
            };
            let arrived = if n == 0 { None } else { Some(self.header(j.hops[n - 1].header, asked)) };
            match (n, hop.in_iface) {
                (0, _) => {
                    let sent = match phase {
                        Phase::Request | Phase::Next if hop.header.src == as_asked().src => as_asked(),
                        Phase::Next => as_asked(),
                        Phase::Request | Phase::Reply => hop.header,
                    };
                    push(None, Action::Sends, None, self.header(sent, asked), None);
                }
                (_, Some(i)) => push(None, Action::Arrives, Some(iface(i)), arrived.unwrap_or_default(), None),
                (_, None) => {}
            }
            for step in &hop.steps {
                let (action, origin) = match &step.did {
                    Did::Rule(id) => (Action::Rule, Some(self.origin(hop.device, *id))),
                    Did::PolicyAccept(c) => {
                        (Action::PolicyAccept, Some(self.origin(hop.device, device.pipeline.chain(*c).origin)))
                    }
                    Did::PolicyDrop(c) => {
                        (Action::PolicyDrop, Some(self.origin(hop.device, device.pipeline.chain(*c).origin)))
                    }
                    Did::SessionNew => (Action::NewSession, None),
                    Did::SessionFound { reply: false } => (Action::KnownSession, None),
                    Did::SessionFound { reply: true } => (Action::KnownAnswer, None),
                    Did::SessionInvalid => (Action::FitsNoSession, None),
                    // The rule that gives it away stands before it.
                    Did::Helper(_) | Did::SomeRule => continue,
                };
                push(Some(step.hook), action, None, Ends::default(), origin);
            }
            let header = self.header(hop.header, asked);
            match hop.out_iface {
                Some(i) if n + 1 < j.hops.len() || j.end == Disposition::NeighborUnreachable => {
                    push(None, Action::Leaves, Some(iface(i)), header, None);
                }
                _ if n + 1 == j.hops.len() => push(None, end_of(&j.end), None, header, None),
                _ => {}
            }
        }
    }

    #[allow(clippy::too_many_lines)] // one arm for each way to end
    fn stop(&self, trip: &RoundTrip, region: &Region, asked: &Example) -> Option<Stop> {
        let j = journey(trip, region.ending)?;
        let hop = j.last();
        let device = &self.network.devices[hop.device];
        let phase = match region.ending {
            Ending::Lost(p) | Ending::Unknown(p) => p,
            Ending::WrongSource => Phase::Reply,
            Ending::Works | Ending::Punched | Ending::OtherPort => Phase::Request,
        };
        let name = &device.name;
        let (to, from) = (self.to(hop.header, asked), self.from(hop.header, asked));
        let it = match phase {
            Phase::Request => "it",
            Phase::Reply => "the answer",
            Phase::Next => "the next packet",
        };
        let last = hop.steps.last();
        let decider = |want_hook: bool| {
            let step = last.filter(|_| want_hook)?;
            match &step.did {
                Did::Rule(id) => Some((step.hook, *id, false)),
                Did::PolicyDrop(c) | Did::PolicyAccept(c) => Some((step.hook, device.pipeline.chain(*c).origin, true)),
                _ => None,
            }
        };
        let (kind, what, at_rule): (StopKind, String, bool) = match (&region.ending, &j.end) {
            (Ending::WrongSource, _) => (
                StopKind::WrongSource,
                format!(
                    "the answer comes from {from}, but {} was asked: the caller drops it",
                    self.to(as_asked(), asked)
                ),
                false,
            ),
            (Ending::OtherPort, _) => (
                StopKind::OtherPort,
                format!("it reaches {name} at {to}, but clients were told port {}", asked.value(Part::DstPort)),
                false,
            ),
            (_, Disposition::Dropped) => match decider(true) {
                Some((hook, id, true)) => {
                    let chain = &device.pipeline.origin(id).object;
                    (
                        StopKind::Dropped,
                        format!(
                            "{name} drops {it} in {}: no rule accepts {from} -> {to}, and the policy of {chain} is drop",
                            hook.name()
                        ),
                        true,
                    )
                }
                // What was assumed of others, and no rule in a file.
                Some((Hook::Egress, id, false)) if !device.pipeline.origin(id).has_lines => (
                    StopKind::Dropped,
                    format!("{}, and {to} is not among them", device.pipeline.origin(id).object),
                    true,
                ),
                Some((_, id, false)) if device.loopback_by_translation => {
                    (StopKind::Dropped, self.dropped_by_pf(device, id, hop.header, it, asked), true)
                }
                Some((hook, _, false)) => {
                    (StopKind::Dropped, format!("{name} drops {it} in {} on its way to {to}", hook.name()), true)
                }
                None => (StopKind::Dropped, format!("{name} drops {it}"), false),
            },
            (_, Disposition::Rejected(how) | Disposition::Unheard(how)) => {
                (StopKind::Rejected, format!("{name} rejects {it} ({how}) on its way to {to}{}", heard(&j.end)), true)
            }
            (_, Disposition::Delivered { listening }) => {
                let looped = asked.of(hop.header.dst).is_some_and(|a| self.family.address(a).is_loopback());
                let own = if looped {
                    Own::Loopback
                } else if self.stand_in(hop.header.dst, asked).is_some() {
                    Own::Untold
                } else {
                    Own::Told
                };
                delivered(device, *listening, region, &to, own)
            }
            (_, Disposition::NoRoute) => (StopKind::NoRoute, format!("{name} has no route to {to}"), false),
            (_, Disposition::MartianSource) if self.is_own(device, hop.header.src, asked) => (
                StopKind::MartianSource,
                format!("{name} drops {it}: it comes back with {name}'s own address as its source"),
                false,
            ),
            (_, Disposition::MartianSource) => (
                StopKind::MartianSource,
                format!("{name} drops {it}: the source {from} cannot come from outside"),
                false,
            ),
            (_, Disposition::MartianDestination) => {
                (StopKind::MartianDestination, format!("{name} drops {it}: {to} does not leave a host"), false)
            }
            (_, Disposition::SamePort) => (
                StopKind::SamePort,
                format!(
                    "{name}'s bridge does not send {it} back out by the port that it came in by, on its way to {to}"
                ),
                false,
            ),
            (_, Disposition::ReversePath) => (
                StopKind::ReversePath,
                format!("{name} drops {it}: an answer to {from} would not leave by the interface it came in by"),
                false,
            ),
            (_, Disposition::NotUnicast) => {
                (StopKind::NotUnicast, format!("{to} is a broadcast or multicast address"), false)
            }
            (_, Disposition::NotForwarding) => (
                StopKind::NotForwarding,
                format!("{it} reaches {name}, which does not pass packets on, on its way to {to}"),
                false,
            ),
            (_, Disposition::NeighborUnreachable) => (
                StopKind::NoNeighbour,
                format!("{name} looks for {to} in its own network, and nobody there has that address"),
                false,
            ),
            (_, Disposition::Loop) => {
                (StopKind::Loop, format!("{it} goes in circles at {name}, on its way to {to}"), false)
            }
            (
                _,
                Disposition::Unknown(_)
                | Disposition::TooManyDoubts
                | Disposition::TooScattered
                | Disposition::TooMuch(_),
            ) => (StopKind::Unknown, format!("what {name} does to {it} is not known"), false),
        };
        let decider = decider(at_rule);
        Some(Stop {
            kind,
            packet: phase,
            device: name.to_string(),
            hook: decider.map(|(hook, ..)| hook_word(device, hook)),
            what,
            ends: self.header(hop.header, asked),
            origin: decider.map(|(_, id, _)| self.origin(hop.device, id)),
            others: self.others(region, decider.map(|(_, id, _)| (hop.device, id))),
        })
    }

    /// Rules that end packets of a region, apart from the one that is told.
    fn others(&self, region: &Region, told: Option<(usize, OriginId)>) -> Vec<Rules> {
        let mut files: Vec<(SourceId, Vec<u64>, Vec<u64>)> = Vec::new();
        let mut known = FxHashSet::default();
        for (device, id) in region.rules.iter().filter(|rule| Some(**rule) != told) {
            let origin = self.network.devices[*device].pipeline.origin(*id);
            // A file of several devices holds the rule once.
            if !known.insert((origin.at.source, origin.at.start, origin.handle)) {
                continue;
            }
            let at = files.iter().position(|(source, ..)| *source == origin.at.source).unwrap_or_else(|| {
                files.push((origin.at.source, Vec::new(), Vec::new()));
                files.len() - 1
            });
            let line = self.places.line_column(origin.at.source, origin.at.start as usize).filter(|_| origin.has_lines);
            match (line, origin.handle) {
                (Some((line, _)), _) => files[at].1.push(line as u64),
                (None, Some(handle)) => files[at].2.push(handle),
                (None, None) => {}
            }
        }
        let name = |id: SourceId| self.places.snapshot.source(id).map_or_else(String::new, |s| s.name.clone());
        let rules = |(source, lines, handles): (SourceId, Vec<u64>, Vec<u64>)| Rules {
            source: name(source),
            count: lines.len() + handles.len(),
            lines: ranges(lines),
            handles: ranges(handles),
        };
        files.into_iter().map(rules).filter(|r| r.count > 0).collect()
    }

    /// pf knows only in and out, and its own last word is no rule that anybody wrote.
    fn dropped_by_pf(&self, device: &Device, id: OriginId, header: Header, it: &str, asked: &Example) -> String {
        let (name, to) = (&device.name, self.to(header, asked));
        if device.pipeline.origin(id).has_lines {
            let from = self.end(header.src, Val::Part(Part::SrcPort, 0), asked);
            format!("{name} drops {it} on its way from {from} to {to}")
        } else if self.is_own(device, header.dst, asked) {
            format!("{name} drops {it}: no forward applies to {to}, its own address")
        } else {
            format!("{name} drops {it} on its way to {to}: no rule lets it pass")
        }
    }

    /// Names of the lists that a region's addresses are not on.
    pub fn lists(&self, region: &Region) -> Vec<String> {
        let name = |(device, id): &(usize, DoubtId)| self.network.devices[*device].pipeline.lists.get(id);
        let mut out: Vec<String> = region.except.iter().filter_map(name).map(ToString::to_string).collect();
        out.sort();
        out.dedup();
        out
    }

    /// Doubts in words.
    pub fn doubts(&self, doubts: &[Doubt]) -> Vec<DoubtLine> {
        let line = |doubt: &Doubt| match doubt {
            Doubt::Of(device, id) => {
                let pipeline = &self.network.devices[*device].pipeline;
                let doubt = &pipeline.doubts[id.0 as usize];
                DoubtLine {
                    what: doubt.what.to_string(),
                    supply: doubt.supply.to_string(),
                    origin: Some(self.origin(*device, doubt.origin)).filter(|o| !o.source.is_empty()),
                    key: DoubtKey::Of(*device, *id),
                }
            }
            Doubt::Undecided(open) => DoubtLine {
                what: self.undecided(*open),
                supply: String::new(),
                origin: None,
                key: DoubtKey::Undecided(*open),
            },
            Doubt::Missing(line) => line.clone(),
        };
        doubts.iter().map(line).collect()
    }

    /// What is open, beside doubts, in words.
    fn undecided(&self, open: Undecided) -> String {
        let name = |device: usize| &self.network.devices[device].name;
        match open {
            Undecided::Port(device) => format!("which port {} chooses", name(device)),
            Undecided::Address(device) => format!("which address {} chooses", name(device)),
            Undecided::WhoFirst => "which side sends first".to_owned(),
            Undecided::Session(device) => format!("which packets {} takes for one session", name(device)),
            Undecided::Provider { device, came, leaves } => {
                let iface = |i: usize| self.network.devices[device].interfaces.get(i).map_or("", |i| i.shown());
                format!(
                    "whether the provider of {} passes on what {} sends from an address of {}",
                    iface(leaves),
                    name(device),
                    iface(came)
                )
            }
            Undecided::Program(device) => format!(
                "where the program on {} that takes these connections sends them (NAT + Proxy relays TCP, not UDP)",
                name(device)
            ),
            Undecided::TooManyDoubts(device) => format!("too many unknown statements of {} at once", name(device)),
            Undecided::TooMuch(device, chain) => {
                let pipeline = &self.network.devices[device].pipeline;
                format!(
                    "the rules of {} fall into too many cases to be followed to the end: it stopped at {}",
                    name(device),
                    pipeline.origin(pipeline.chain(chain).origin).object
                )
            }
            Undecided::TooScattered(device) => format!(
                "a rule of {} asks for bits of addresses that callers may have in too many places",
                name(device)
            ),
        }
    }

    fn is_own(&self, device: &Device, source: Val, asked: &Example) -> bool {
        asked.of(source).is_some_and(|v| device.own_addresses(self.family).contains(v))
    }

    fn header(&self, h: Header, asked: &Example) -> Ends {
        Ends { from: self.from(h, asked), to: self.to(h, asked) }
    }

    fn from(&self, h: Header, asked: &Example) -> End {
        self.end(h.src, h.sport, asked)
    }

    fn to(&self, h: Header, asked: &Example) -> End {
        self.end(h.dst, h.dport, asked)
    }

    fn end(&self, address: Val, port: Val, asked: &Example) -> End {
        let (host, word) = match address {
            Val::Part(Part::Src, 0) if asked.everybody => ("caller".to_owned(), true),
            Val::Part(Part::Dst, 0) if asked.cube.part(Part::Dst).count() > 65536 => ("anybody".to_owned(), true),
            Val::Part(p, k) => self.host(asked.value(p).wrapping_add(k)),
            Val::Const(c) => self.host(c),
            Val::Var(_) => ("an address of its choice".to_owned(), true),
        };
        // The sender's own port says nothing; a service's port does.
        let port = match port {
            Val::Part(Part::SrcPort, _) => None,
            Val::Part(p, k) => Some((asked.value(p).wrapping_add(k) & 0xffff).to_string()),
            Val::Const(c) => Some(c.to_string()),
            Val::Var(_) => Some("(its choice)".to_owned()),
        };
        let form = if self.stand_in(address, asked).is_some() {
            EndForm::Words
        } else if self.family == Family::V6 && !word {
            EndForm::Brackets
        } else {
            EndForm::Plain
        };
        End { host, port, form }
    }

    /// An address, or what it stands for where no file says it, and whether these are words.
    fn host(&self, value: u128) -> (String, bool) {
        match self.placeholder(value) {
            Some(device) => (format!("the outer address of {}", device.name), true),
            None => (self.family.address(value).to_string(), false),
        }
    }

    /// The device whose address, which no file says, this one stands for.
    fn placeholder(&self, value: u128) -> Option<&Device> {
        if !is_invented(self.family.address(value)) {
            return None;
        }
        let own = |i: &Interface| {
            let mut all = i.addresses.iter().map(ipnet::IpNet::addr);
            i.placeholder && all.any(|a| Family::of(a) == self.family && address_value(a) == value)
        };
        self.network.devices.iter().find(|d| d.interfaces.iter().any(own))
    }

    fn stand_in(&self, address: Val, asked: &Example) -> Option<&Device> {
        match address {
            Val::Part(p, k) => self.placeholder(asked.value(p).wrapping_add(k)),
            Val::Const(c) => self.placeholder(c),
            Val::Var(_) => None,
        }
    }
}

/// Numbers as ranges.
fn ranges(numbers: Vec<u64>) -> Vec<(u128, u128)> {
    let numbers = numbers.into_iter().map(u128::from);
    Set::from_ranges(numbers.map(|n| (n, n))).ranges().to_vec()
}

/// An origin with its file, line and text.
pub(crate) fn origin(places: &Places<'_>, device: &Device, id: OriginId) -> Origin {
    let o = device.pipeline.origin(id);
    let source = places.snapshot.source(o.at.source);
    let start = o.at.start as usize;
    let place = if o.has_lines { places.line_column(o.at.source, start) } else { None };
    let text = match place.filter(|_| o.text.is_empty()).and_then(|_| places.line(o.at.source, start)) {
        Some(line) => line,
        None => o.text.lines().next().unwrap_or_default().to_owned(),
    };
    Origin {
        // What is assumed stands in no file.
        source: source.filter(|_| o.has_lines || o.at.source.0 != 0).map_or_else(String::new, |s| s.name.clone()),
        line: place.map(|p| p.0),
        column: place.map(|p| p.1),
        object: o.object.to_string(),
        handle: o.handle,
        text,
    }
}

/// Whether the sender of a rejected packet is told.
fn heard(end: &Disposition) -> &'static str {
    if matches!(end, Disposition::Unheard(_)) { ", and drops its own answer: the caller hears nothing" } else { "" }
}

/// Which of its addresses a device is reached by.
#[derive(Clone, Copy)]
enum Own {
    /// A loopback address.
    Loopback,
    /// One that no file says.
    Untold,
    /// One that a file says.
    Told,
}

/// A packet that was delivered, but not where it should be.
fn delivered(device: &Device, listening: bool, region: &Region, to: &End, own: Own) -> (StopKind, String, bool) {
    let name = &device.name;
    if region.certainty == Certainty::Unknown {
        return (StopKind::Unknown, format!("it may end at {name}, {to}"), false);
    }
    if device.is_router() {
        let what = match own {
            Own::Loopback => format!("{name} hands it to a program of its own ({to}), which passes on TCP at most"),
            Own::Untold => format!("{name} takes it for itself: no forward applies"),
            Own::Told => format!("{name} takes it for itself: no forward applies, and {to} is its own address"),
        };
        (StopKind::OwnAddress, what, false)
    } else if device.endpoints.is_empty() {
        (StopKind::OtherHost, format!("it goes to {to}, which is not the server"), false)
    } else if listening {
        (StopKind::OtherHost, format!("it ends at {name}, which is another server"), false)
    } else {
        (StopKind::NobodyListens, format!("it reaches {name} at {to}, where nothing is known to listen"), false)
    }
}

fn as_asked() -> Header {
    let part = |p| Val::Part(p, 0);
    Header { src: part(Part::Src), dst: part(Part::Dst), sport: part(Part::SrcPort), dport: part(Part::DstPort) }
}

/// The hook as the firewall's own documents call it: pf has only a way in and a way out.
fn hook_word(device: &Device, hook: Hook) -> &'static str {
    match hook {
        _ if !device.loopback_by_translation => hook.name(),
        Hook::Postrouting | Hook::Output => "out",
        _ => "in",
    }
}

/// It is on the way out of a device.
fn is_outwards(device: &Device, hook: Hook) -> bool {
    hook == Hook::Postrouting || hook == Hook::Output && device.loopback_by_translation
}

fn end_of(end: &Disposition) -> Action {
    match end {
        Disposition::Delivered { .. } => Action::Takes,
        Disposition::Dropped => Action::Drops,
        Disposition::Rejected(_) | Disposition::Unheard(_) => Action::Rejects,
        Disposition::NoRoute => Action::NoRoute,
        Disposition::MartianSource | Disposition::MartianDestination => Action::RefusesAddresses,
        Disposition::ReversePath => Action::AnswerElsewhere,
        Disposition::SamePort => Action::SamePort,
        Disposition::NotUnicast => Action::NotUnicast,
        Disposition::NotForwarding => Action::NotForwarding,
        Disposition::NeighborUnreachable => Action::NoNeighbour,
        Disposition::Loop => Action::Loop,
        Disposition::Unknown(_) | Disposition::TooManyDoubts | Disposition::TooScattered | Disposition::TooMuch(_) => {
            Action::MayDoAnything
        }
    }
}
