//! Two agents, and what becomes of their checks.

use super::{Candidate, ORDER, Offer, STUN, Side, any_port};
use crate::cube::{Cube, Set, VarId};
use crate::trace::{Answer, Ask, Branch, Choice, Disposition, Header, Journey, Phase, Question, RoundTrip, Talk, Val};
use crate::verdict::reach::{Ending, Goal, ending};
use std::rc::Rc;
use std::sync::Arc;

/// Each side sends to every candidate that it knows this many times.
const ROUNDS: usize = 3;

/// Two agents that want to talk.
#[derive(Debug, Clone)]
pub(in crate::call) struct Meeting<'a> {
    /// The network, and the caller's checks to the address that it was told.
    pub ask: Ask<'a>,
    /// Device of the server, where sockets must listen.
    pub goal: Goal,
    /// The server's own address.
    pub base: u128,
    /// The server sends checks too.
    pub full: bool,
    /// The caller's candidates that the server can use.
    pub offers: Vec<Offer>,
}

/// Packets for which everything has happened alike, and what is to be sent next.
struct Task {
    branch: Branch,
    /// What each side knows of the other.
    caller_knows: Vec<Candidate>,
    server_knows: Vec<Candidate>,
    /// Checks of the current turn, the next one last.
    queue: Vec<Candidate>,
    /// Turns begun.
    turn: usize,
    /// Sessions and candidates known when the round began.
    before: usize,
    /// Which sides have sent checks.
    sent: [bool; 2],
    /// The caller's first check, and how it failed: nothing, or something for each packet.
    failed: Fates,
    /// A check of which it cannot be said whether it arrived: nothing, or something for each packet.
    unsure: Fates,
}

/// What became of which packets; each is in one of the parts.
type Fates = Rc<Vec<Fate>>;

/// Packets, and how an attempt of theirs ended.
#[derive(Clone)]
struct Fate {
    packets: Vec<Cube>,
    journeys: Vec<Arc<Journey>>,
    ending: Ending,
}

/// What has ended, and how.
pub(super) type Ended = Vec<(Branch, Vec<Arc<Journey>>, Ending)>;

impl Meeting<'_> {
    /// Every round trip that matters, and how the attempt ended of which it is part.
    pub fn hold(&self) -> (Answer, Vec<Ending>) {
        let (mut talk, branch) = Talk::new(&self.ask);
        let mut ended = Vec::new();
        let begun = branch.map(|b| self.gather(&mut talk, b)).unwrap_or_default();
        let order = talk.choice(Set::range(0, 1), ORDER);
        for (branch, server_knows) in begun {
            if !self.full {
                self.run(&mut talk, task(branch, server_knows), Side::Caller, &mut ended);
                continue;
            }
            let (caller_first, server_first) = talk.split(branch, order, 0);
            for (branch, side) in [(caller_first, Side::Caller), (server_first, Side::Server)] {
                if let Some(branch) = branch {
                    self.run(&mut talk, task(branch, server_knows.clone()), side, &mut ended);
                }
            }
        }
        finish(talk, self.ask.question, ended)
    }

    /// What the caller offers. A STUN server's answer leaves sessions too.
    fn gather(&self, talk: &mut Talk<'_>, branch: Branch) -> Vec<(Branch, Vec<Candidate>)> {
        let mut open = vec![(branch, Vec::new())];
        for offer in &self.offers {
            let mut next = Vec::new();
            for (branch, mut known) in open {
                match *offer {
                    Offer::Own => known.push(Candidate::CALLER),
                    // The server's own network is another one: nobody is there.
                    Offer::Behind => {}
                    Offer::Elsewhere { device } => {
                        let port = talk.choice(any_port(), Choice::Clash { device });
                        known.push(Candidate { port, ..Candidate::CALLER });
                    }
                    Offer::Reflexive { device, address } => {
                        let server = Candidate { addr: Val::Const(address), port: Val::Const(STUN) };
                        next.extend(self.reflexive(talk, (branch, known), device, server));
                        continue;
                    }
                }
                next.push((branch, known));
            }
            open = next;
        }
        open
    }

    fn reflexive(
        &self,
        talk: &mut Talk<'_>,
        (branch, known): (Branch, Vec<Candidate>),
        device: usize,
        server: Candidate,
    ) -> Vec<(Branch, Vec<Candidate>)> {
        let mut out = Vec::new();
        for (branch, request) in talk.send(branch, self.ask.question.from, Candidate::CALLER.to(server), Phase::Request)
        {
            let seen = request.last();
            if !arrived(&request, device) {
                out.push((branch, known.clone()));
                continue;
            }
            for (branch, reply) in talk.send(branch, device, inverse(seen.header), Phase::Reply) {
                let mut known = known.clone();
                let candidate = source(seen.header);
                if arrived(&reply, self.ask.question.from) && !known.contains(&candidate) {
                    known.push(candidate);
                }
                out.push((branch, known));
            }
        }
        out
    }

    fn run(&self, talk: &mut Talk<'_>, task: Task, first: Side, ended: &mut Ended) {
        let mut open = vec![task];
        while let Some(mut task) = open.pop() {
            let index = if task.queue.is_empty() { task.turn } else { task.turn - 1 };
            let side = if index % 2 == 0 { first } else { first.other() };
            if let Some(candidate) = task.queue.pop() {
                task.sent[side as usize] = true;
                let mut next = joined(self.check(talk, &task, side, candidate, ended), Task::join);
                for task in &mut next {
                    talk.tidy(&mut task.branch);
                }
                open.append(&mut next);
                continue;
            }
            if index % 2 == 0 {
                let (round, now) = (index / 2, task.size());
                if round == ROUNDS || round > 1 && now == task.before {
                    let fates = if task.unsure.is_empty() { &task.failed } else { &task.unsure };
                    if fates.is_empty() {
                        let (journeys, ending) = nothing(self.ask.question.from);
                        ended.push((task.branch, journeys, ending));
                        continue;
                    }
                    let of = |f: &Fate| (talk.within(&task.branch, &f.packets), f.journeys.clone(), f.ending);
                    ended.extend(fates.iter().map(of).filter(|(branch, ..)| !branch.cubes().is_empty()));
                    continue;
                }
                task.before = now;
            }
            task.turn += 1;
            let list = match side {
                Side::Caller => &task.caller_knows,
                Side::Server if self.full => &task.server_knows,
                Side::Server => &Vec::new(),
            };
            task.queue = list.iter().rev().copied().collect();
            open.push(task);
        }
    }

    /// One check: request, and the answer to it. What goes on afterwards.
    fn check(&self, talk: &mut Talk<'_>, task: &Task, side: Side, to: Candidate, ended: &mut Ended) -> Vec<Task> {
        let mut open = Vec::new();
        let server = Candidate { addr: Val::Const(self.base), port: Candidate::TOLD.port };
        let (from, own, peer, peer_base) = match side {
            Side::Caller => (self.ask.question.from, Candidate::CALLER, self.goal.host.device, server),
            Side::Server => (self.goal.host.device, server, self.ask.question.from, Candidate::CALLER),
        };
        let asked = own.to(to);
        for (branch, request) in talk.send(task.branch.clone(), from, asked, Phase::Request) {
            let here = task.with(branch);
            if !self.reached(&request, peer, side) {
                open.push(here.lost(side, vec![request], self));
                continue;
            }
            let header = request.last().header;
            let wanted = Header { dst: peer_base.addr, dport: peer_base.port, ..header };
            let (hit, missed) = talk.same(here.branch.clone(), header, wanted);
            if let Some(branch) = missed {
                open.push(here.with(branch).lost(side, vec![Arc::clone(&request)], self));
            }
            let Some(branch) = hit else { continue };
            let mut heard = here.with(branch);
            heard.learn(side, source(header));
            for (branch, reply) in talk.send(heard.branch.clone(), peer, inverse(header), Phase::Reply) {
                let here = heard.with(branch);
                let journeys = vec![Arc::clone(&request), Arc::clone(&reply)];
                if !arrived(&reply, from) {
                    open.push(here.lost(side, journeys, self));
                    continue;
                }
                let (good, bad) = talk.same(here.branch.clone(), reply.last().header, inverse(asked));
                if let Some(branch) = bad {
                    open.push(here.with(branch).lost(side, journeys.clone(), self));
                }
                if let Some(branch) = good {
                    let helped = task.sent[side.other() as usize];
                    let alone = !helped || stands_alone(talk, branch.fresh(), (from, peer), asked);
                    ended.push((branch, journeys, if alone { Ending::Works } else { Ending::Punched }));
                }
            }
        }
        open
    }

    /// A check arrived at the other agent's device, at a socket.
    fn reached(&self, request: &Journey, peer: usize, side: Side) -> bool {
        let Disposition::Delivered { listening } = request.end else { return false };
        request.last().device == peer && (listening || side == Side::Server || !self.goal.listening)
    }
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Server,
            Self::Server => Self::Caller,
        }
    }
}

impl Task {
    fn with(&self, branch: Branch) -> Self {
        Self {
            branch,
            caller_knows: self.caller_knows.clone(),
            server_knows: self.server_knows.clone(),
            queue: self.queue.clone(),
            failed: Rc::clone(&self.failed),
            unsure: Rc::clone(&self.unsure),
            ..*self
        }
    }

    /// Sessions and candidates: when a round adds none, the next one will not either.
    fn size(&self) -> usize {
        self.branch.sessions() + self.caller_knows.len() + self.server_knows.len()
    }

    /// Whoever gets a check learns where it came from.
    fn learn(&mut self, sender: Side, from: Candidate) {
        let list = match sender {
            Side::Caller => &mut self.server_knows,
            Side::Server => &mut self.caller_knows,
        };
        if !list.contains(&from) {
            list.push(from);
        }
    }

    /// Notes a check that came to nothing.
    fn lost(mut self, side: Side, journeys: Vec<Arc<Journey>>, meeting: &Meeting<'_>) -> Self {
        let unsure = journeys.last().is_some_and(|j| j.end.is_unknown());
        let packets = || self.branch.cubes().to_vec();
        if unsure && self.unsure.is_empty() {
            let phase = if journeys.len() == 1 { Phase::Request } else { Phase::Reply };
            self.unsure = Rc::new(vec![Fate { packets: packets(), journeys, ending: Ending::Unknown(phase) }]);
            return self;
        }
        if side == Side::Caller && self.failed.is_empty() {
            let cube = self.branch.cubes()[0].clone();
            let ending = ending(&trip(cube, &journeys), meeting.goal, meeting.ask.question.from);
            self.failed = Rc::new(vec![Fate { packets: packets(), journeys, ending }]);
        }
        self
    }

    /// Takes the packets of another task in, if all that comes next is the same for both: which rule stopped a packet
    /// does not matter to the next one. Else hands it back.
    fn join(&mut self, other: Self) -> Option<Self> {
        let alike = self.caller_knows == other.caller_knows
            && self.server_knows == other.server_knows
            && self.queue == other.queue
            && (self.turn, self.before, self.sent) == (other.turn, other.before, other.sent)
            && self.failed.is_empty() == other.failed.is_empty()
            && self.unsure.is_empty() == other.unsure.is_empty();
        if !alike {
            return Some(other);
        }
        let Self { branch, failed, unsure, .. } = other;
        if let Some(branch) = self.branch.join(branch) {
            return Some(Self { branch, failed, unsure, ..other });
        }
        unite(&mut self.failed, &failed);
        unite(&mut self.unsure, &unsure);
        None
    }
}

/// As few as there are ways to go on: each is joined to the first that takes it. `join` hands back what it does not take.
pub(super) fn joined<T>(all: Vec<T>, join: impl Fn(&mut T, T) -> Option<T>) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for one in all {
        let left = out.iter_mut().try_fold(one, |one, into| join(into, one));
        out.extend(left);
    }
    out
}

/// Adds what another list holds, unless it is the same list.
pub(super) fn unite<T: Clone>(list: &mut Rc<Vec<T>>, more: &Rc<Vec<T>>) {
    if !Rc::ptr_eq(list, more) {
        Rc::make_mut(list).extend(more.iter().cloned());
    }
}

/// A check needs nobody's earlier packets, only what it was told.
fn stands_alone(talk: &mut Talk<'_>, branch: Branch, (from, peer): (usize, usize), asked: Header) -> bool {
    let requests = talk.send(branch, from, asked, Phase::Request);
    requests.into_iter().all(|(branch, request)| {
        let header = request.last().header;
        arrived(&request, peer)
            && talk.send(branch, peer, inverse(header), Phase::Reply).into_iter().all(|(branch, reply)| {
                arrived(&reply, from) && talk.same(branch, reply.last().header, inverse(asked)).1.is_none()
            })
    })
}

pub(super) fn finish(talk: Talk<'_>, question: &Question, ended: Ended) -> (Answer, Vec<Ending>) {
    let endings: Vec<Vec<Ending>> = ended.iter().map(|(b, _, e)| vec![*e; b.cubes().len()]).collect();
    let answer = talk.finish(ended.into_iter().map(|(b, j, _)| (b, j)).collect());
    debug_assert!(is_whole(&answer, question), "the trips are not what was asked, each packet once");
    (answer, endings.into_iter().flatten().collect())
}

/// The trips together weigh as much as the question: nothing was lost when packets went on together, nothing doubled.
fn is_whole(answer: &Answer, question: &Question) -> bool {
    #[allow(clippy::cast_precision_loss)] // a lost piece shows long before the last bits do
    let size = |set: &Set| set.count() as f64;
    let packets = |cube: &Cube| cube.parts.iter().map(size).product::<f64>();
    let share = |(var, set): &(VarId, Set)| size(set) / size(&answer.variables[var.0 as usize].domain);
    let weight = |cube: &Cube| packets(cube) * cube.vars.iter().map(share).product::<f64>();
    let (asked, told) = (packets(&question.packets), answer.trips.iter().map(|t| weight(&t.asked)).sum::<f64>());
    (told - asked).abs() <= asked * 1e-9
}

pub(super) fn trip(asked: Cube, journeys: &[Arc<Journey>]) -> RoundTrip {
    RoundTrip { asked, request: Arc::clone(&journeys[0]), reply: journeys.get(1).cloned(), next: None }
}

fn task(branch: Branch, server_knows: Vec<Candidate>) -> Task {
    Task {
        branch,
        caller_knows: vec![Candidate::TOLD],
        server_knows,
        queue: Vec::new(),
        turn: 0,
        before: 0,
        sent: [false; 2],
        failed: Fates::default(),
        unsure: Fates::default(),
    }
}

/// Nobody has sent anything.
fn nothing(device: usize) -> (Vec<Arc<Journey>>, Ending) {
    let header = Candidate::CALLER.to(Candidate::TOLD);
    let hop = crate::trace::Hop { device, in_iface: None, out_iface: None, steps: Vec::new(), header, named: false };
    let journey = Journey { hops: vec![hop], end: Disposition::NoRoute };
    (vec![Arc::new(journey)], Ending::Lost(Phase::Request))
}

pub(super) fn arrived(journey: &Journey, device: usize) -> bool {
    matches!(journey.end, Disposition::Delivered { .. }) && journey.last().device == device
}

fn source(h: Header) -> Candidate {
    Candidate { addr: h.src, port: h.sport }
}

fn inverse(h: Header) -> Header {
    Header { src: h.dst, sport: h.dport, dst: h.src, dport: h.sport }
}
