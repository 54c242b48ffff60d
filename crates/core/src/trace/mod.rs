//! The trace: where every packet of a set ends, exactly, with the rules that decide.
//!
//! A question is a set of first packets leaving one device. The answer is a list of round trips; their `asked` cubes
//! partition the question (times the variables that devices and the world add).

mod answer;
mod chain;
mod clash;
mod condition;
mod flow;
mod lookup;
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
    Answer, Choice, Did, Disposition, Header, Hop, Journey, Network, Phase, Question, RoundTrip, TraceStep, Val,
    Variable,
};

pub use talk::{Branch, Talk};

use crate::cube::{Cube, Set};
use crate::model::Part;
use flow::{Flow, State, Track, Trail};
use std::rc::Rc;
use std::sync::Arc;
use tracer::Tracer;

/// Follows first packets, their answers and the third packets.
///
/// # Panics
/// If `question.from` is not a device of the network.
pub fn ask(network: &Network, question: &Question) -> Answer {
    run(network, question, Phase::Next)
}

/// Follows first packets only; `reply` and `next` of every trip are absent.
///
/// # Panics
/// If `question.from` is not a device of the network.
pub fn ask_requests(network: &Network, question: &Question) -> Answer {
    run(network, question, Phase::Request)
}

/// Packets that are still under way between two phases.
struct Underway {
    flow: Flow,
    journeys: Vec<Arc<Journey>>,
}

fn run(network: &Network, question: &Question, until: Phase) -> Answer {
    let mut tracer = Tracer::new(network);
    let mut trips = Vec::new();
    let start = start(question);
    if start.cubes.is_empty() {
        return tracer.finish(trips);
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
                for cube in ended.into_iter().flat_map(|f| f.cubes) {
                    trips.push(trip(cube, &so_far));
                }
            }
        }
        underway = next;
    }
    tracer.finish(trips)
}

fn start(question: &Question) -> Flow {
    let mut cube = question.packets.clone();
    let both = Set::from_ranges([(6, 6), (17, 17)]);
    cube.parts[Part::Proto as usize] = cube.part(Part::Proto).and(&both);
    let header = as_asked();
    let state = State {
        family: question.family,
        phase: Phase::Request,
        header,
        device: question.from,
        in_iface: None,
        out_iface: None,
        seen_out: None,
        next_hop: header.dst,
        bridged: flow::Bridged::No,
        mark: Val::Const(0),
        track: Track::No,
        answers_as_routed: false,
        refusal: None,
        sessions: Vec::new(),
        steps: Trail::default(),
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
    let delivered = tracer.send(flow);
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
    (state.mark, state.track) = (Val::Const(0), Track::No);
    state.answers_as_routed = false;
    state.steps = Trail::default();
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
