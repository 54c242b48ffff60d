//! The trace: where every packet of a set ends, exactly, with the rules that decide.
//!
//! A question is a set of first packets leaving one device. The answer is a list of round trips; their `asked` cubes
//! partition the question (times the variables that devices and the world add).

mod answer;
mod chain;
mod clash;
mod condition;
mod devices;
mod flow;
mod lookup;
mod mark;
mod nat;
mod refuse;
mod route;
mod session;
mod talk;
#[cfg(test)]
mod tests;
mod tracer;
mod walk;

pub use answer::{
    Answer, Budget, Choice, Detail, Did, Disposition, Header, Hop, Journey, Network, Phase, Question, RoundTrip,
    TraceStep, Val, Variable,
};

pub use devices::Devices;
pub use talk::{Branch, Talk};

use crate::cube::{Cube, Set, merge};
use crate::model::{OriginId, Part};
use flow::{Flow, State, Track, Trail};
use mark::Mark;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;
use tracer::Tracer;

/// Follows first packets, their answers and the third packets.
///
/// # Panics
/// If `question.from` is not a device of the network.
pub fn ask(network: &Network, question: &Question) -> Answer {
    Ask::new(network, question, Detail::Rules).answer(Phase::Next)
}

/// Follows first packets only; `reply` and `next` of every trip are absent.
///
/// # Panics
/// If `question.from` is not a device of the network.
pub fn ask_requests(network: &Network, question: &Question) -> Answer {
    Ask::new(network, question, Detail::Rules).answer(Phase::Request)
}

/// Something to ask of the trace.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'n> {
    /// The network.
    pub network: &'n Network,
    /// The packets.
    pub question: &'n Question,
    /// What is to be told.
    pub detail: Detail,
    /// Values of variables, in the order in which a packet meets them: others are not followed. A packet's way in one
    /// such world is one trip. Empty: every value is followed.
    pub world: &'n [(Choice, u128)],
    /// Rules that are taken as absent, each with its device.
    pub without: &'n [(usize, OriginId)],
    /// Whether a rule that let packets in named their port is told ([`Hop::named`]).
    pub named: bool,
}

impl<'n> Ask<'n> {
    /// Every value of every variable is followed.
    pub fn new(network: &'n Network, question: &'n Question, detail: Detail) -> Self {
        Self { network, question, detail, world: &[], without: &[], named: false }
    }

    /// Follows packets up to this one of a conversation.
    ///
    /// # Panics
    /// If `question.from` is not a device of the network.
    pub fn answer(self, until: Phase) -> Answer {
        run(self, until)
    }
}

/// Packets that are still under way between two phases.
struct Underway {
    flow: Flow,
    journeys: Vec<Arc<Journey>>,
}

fn run(ask: Ask<'_>, until: Phase) -> Answer {
    let question = ask.question;
    let mut tracer = Tracer::new(&ask);
    let mut trips = Trips::new(ask.detail);
    let start = start(question, ask.detail);
    if start.cubes.is_empty() {
        return tracer.finish(Vec::new());
    }
    let mut underway = vec![Underway { flow: start, journeys: Vec::new() }];
    for phase in [Phase::Request, Phase::Reply, Phase::Next] {
        let mut next = Vec::new();
        for Underway { flow, journeys } in underway {
            for (flow, end) in journey(&mut tracer, flow, phase) {
                let mut so_far = journeys.clone();
                so_far.push(Arc::new(Journey { hops: hops(&flow.state), end: end.clone() }));
                let go_on = phase < until && matches!(end, Disposition::Delivered { .. });
                let (on, ended) =
                    if go_on { proceed(&mut tracer, flow, phase, question.from) } else { (Vec::new(), Some(flow)) };
                next.extend(on.into_iter().map(|flow| Underway { flow, journeys: so_far.clone() }));
                trips.add(ended.map_or_else(Vec::new, |f| f.cubes), so_far);
            }
        }
        underway = together(next, ask.detail);
    }
    tracer.finish(trips.into_vec())
}

/// What ended, in the order in which it did; where only fates are told, packets that ended alike are together.
struct Trips {
    detail: Detail,
    ended: Vec<(Vec<Cube>, Vec<Arc<Journey>>)>,
    known: FxHashMap<Vec<Arc<Journey>>, usize>,
}

impl Trips {
    fn new(detail: Detail) -> Self {
        Self { detail, ended: Vec::new(), known: FxHashMap::default() }
    }

    fn add(&mut self, mut cubes: Vec<Cube>, journeys: Vec<Arc<Journey>>) {
        if self.detail < Detail::Rules {
            if let Some(at) = self.known.get(&journeys) {
                self.ended[*at].0.append(&mut cubes);
                return;
            }
            self.known.insert(journeys.clone(), self.ended.len());
        }
        self.ended.push((cubes, journeys));
    }

    fn into_vec(self) -> Vec<RoundTrip> {
        let mut out = Vec::new();
        for (mut cubes, journeys) in self.ended {
            if self.detail < Detail::Rules {
                merge(&mut cubes);
            }
            out.extend(cubes.into_iter().map(|cube| trip(cube, &journeys)));
        }
        out
    }
}

/// Packets under way whose next steps are the same, together.
fn together(all: Vec<Underway>, detail: Detail) -> Vec<Underway> {
    if detail == Detail::Rules || all.len() < 2 {
        return all;
    }
    let mut out: Vec<Underway> = Vec::new();
    let mut known: FxHashMap<(Rc<State>, Vec<Arc<Journey>>), usize> = FxHashMap::default();
    for mut one in all {
        match known.entry((Rc::clone(&one.flow.state), one.journeys.clone())) {
            Entry::Occupied(at) => out[*at.get()].flow.cubes.append(&mut one.flow.cubes),
            Entry::Vacant(free) => {
                free.insert(out.len());
                out.push(one);
            }
        }
    }
    for one in &mut out {
        merge(&mut one.flow.cubes);
    }
    out
}

fn start(question: &Question, detail: Detail) -> Flow {
    let mut cube = question.packets.clone();
    let both = Set::from_ranges([(6, 6), (17, 17)]);
    cube.parts[Part::Proto as usize] = cube.part(Part::Proto).and(&both);
    let header = as_asked();
    let state = State {
        detail,
        family: question.family,
        phase: Phase::Request,
        header,
        device: question.from,
        in_iface: None,
        out_iface: None,
        seen_out: None,
        next_hop: header.dst,
        bridged: flow::Bridged::No,
        named: false,
        mark: Mark::ZERO,
        track: Track::No,
        answers_as_routed: false,
        refusal: None,
        sessions: Vec::new(),
        steps: Trail::default(),
        decided: None,
        hops: Vec::new(),
        arrivals: Vec::new(),
    };
    let cubes: Vec<Cube> = Some(cube).into_iter().filter(|c| !c.is_empty()).collect();
    Flow { state: Rc::new(state), cubes }
}

/// The header of first packets.
fn as_asked() -> Header {
    let part = |p| Val::Part(p, 0);
    Header { src: part(Part::Src), dst: part(Part::Dst), sport: part(Part::SrcPort), dport: part(Part::DstPort) }
}

/// Sends packets and tells how each ended.
fn journey(tracer: &mut Tracer<'_>, flow: Flow, phase: Phase) -> Vec<(Flow, Disposition)> {
    debug_assert!(tracer.done.is_empty(), "packets that ended between two journeys would be taken for others");
    let mut delivered = tracer.send(flow);
    if tracer.detail < Detail::Rules {
        for flow in &mut delivered {
            tracer.leftovers(flow);
            flow.state_mut().next_hop = flow.state.header.dst;
        }
    }
    tracer.settle(&mut delivered);
    let mut out = std::mem::take(&mut tracer.done);
    for flow in delivered {
        // Whoever asked is listening for the answer.
        let parts = if phase == Phase::Reply { vec![(true, flow)] } else { tracer.listening(flow) };
        for (listening, mut flow) in parts {
            flow.state_mut().end_hop();
            out.push((flow, Disposition::Delivered { listening }));
        }
    }
    out.append(&mut tracer.done);
    out
}

/// The next packet of a conversation: the answer, or, if the answer came back to the sender from the address that it
/// had asked, the third packet. Second: packets for which the conversation ends here.
fn proceed(tracer: &mut Tracer<'_>, flow: Flow, phase: Phase, asker: usize) -> (Vec<Flow>, Option<Flow>) {
    let header = flow.state.header;
    if phase == Phase::Request {
        let as_routed = flow.state.answers_as_routed;
        let answer = restart(flow, Phase::Reply, header.inverse(), None);
        return (if as_routed { tracer.sent_from_routed_address(answer) } else { vec![answer] }, None);
    }
    if flow.state.device != asker {
        return (Vec::new(), Some(flow));
    }
    let wanted = as_asked().inverse();
    let expected = [
        (header.src, wanted.src),
        (header.sport, wanted.sport),
        (header.dst, wanted.dst),
        (header.dport, wanted.dport),
    ];
    let mut good = Some(flow);
    let mut bad = None;
    for (is, must_be) in expected {
        let Some(flow) = good else { break };
        let (yes, no) = tracer.equal(flow, is, must_be);
        good = yes;
        bad = lookup::join(bad, no);
    }
    (good.into_iter().map(|f| restart(f, Phase::Next, as_asked(), Some(asker))).collect(), bad)
}

/// A new packet from the device where the last one arrived, with all sessions kept.
fn restart(mut flow: Flow, phase: Phase, header: Header, from: Option<usize>) -> Flow {
    let state = flow.state_mut();
    state.device = from.unwrap_or(state.device);
    state.phase = phase;
    state.header = header;
    (state.in_iface, state.out_iface, state.seen_out) = (None, None, None);
    state.next_hop = header.dst;
    (state.mark, state.track) = (Mark::ZERO, Track::No);
    (state.answers_as_routed, state.named) = (false, false);
    (state.steps, state.decided) = (Trail::default(), None);
    state.hops.clear();
    state.arrivals.clear();
    flow
}

fn hops(state: &State) -> Vec<Hop> {
    state.hops.iter().map(|h| Hop::clone(h)).collect()
}

fn trip(asked: Cube, journeys: &[Arc<Journey>]) -> RoundTrip {
    let get = |i: usize| journeys.get(i).map(Arc::clone);
    RoundTrip { asked, request: Arc::clone(&journeys[0]), reply: get(1), next: get(2) }
}
