//! A script as the trace tells it, packet by packet beside what was seen: the branches that agree stay.

use super::script::{Event, Script, device};
use crate::compare::{Fate, end_place, ends_open};
use crate::packet::Tuple;
use crate::wire::Place;
use callpath_core::model::Part;
use callpath_core::trace::{Ask, Branch, Choice, Detail, Disposition, Header, Journey, Network, Phase, Talk, Val};
use std::sync::Arc;

/// A port equal to one picked from more than this is no luck.
const MANY: u128 = 64;

/// What a script showed.
#[allow(clippy::struct_excessive_bools)] // each is a kind of pair that is counted
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// The trace leaves it open.
    pub open: bool,
    /// A device picked another port, because the wanted one was taken.
    pub clash: bool,
    /// A device picked a port at random.
    pub random: bool,
    /// A packet arrived that would not have without those before it.
    pub punched: bool,
    /// A packet that nobody had asked for was dropped.
    pub stopped: bool,
}

/// Packets for which all has happened as it was seen.
struct Thread {
    branch: Branch,
    /// What was sent and how it ended, packet by packet, in terms of what was asked.
    past: Vec<Option<Past>>,
    /// Source ports that devices have picked.
    picked: Vec<(usize, u128)>,
    shown: Shown,
}

#[derive(Clone)]
struct Past {
    from: usize,
    sent: Header,
    journey: Arc<Journey>,
}

/// One script beside what was seen of it.
pub struct Follower<'a> {
    network: &'a Network,
    routers: usize,
    script: &'a Script,
    sent: &'a [Option<(Place, Tuple)>],
    fates: &'a [Fate],
}

impl<'a> Follower<'a> {
    /// Beside what was sent and what became of it.
    pub fn new(
        network: &'a Network,
        routers: usize,
        script: &'a Script,
        sent: &'a [Option<(Place, Tuple)>],
        fates: &'a [Fate],
    ) -> Self {
        Self { network, routers, script, sent, fates }
    }

    /// Follows the script, in every detail that the trace has.
    ///
    /// # Errors
    /// What the trace says instead, if it says something else.
    pub fn follow(&self) -> Result<Shown, String> {
        for detail in [Detail::Fate, Detail::Ends] {
            self.follow_in(detail).map_err(|what| format!("in {detail:?}: {what}"))?;
        }
        self.follow_in(Detail::Rules)
    }

    fn follow_in(&self, detail: Detail) -> Result<Shown, String> {
        let question = self.script.question(self.routers);
        let (mut talk, branch) = Talk::new(&Ask::new(self.network, &question, detail));
        let begin = |branch| Thread { branch, past: Vec::new(), picked: Vec::new(), shown: Shown::default() };
        let mut threads: Vec<Thread> = branch.into_iter().map(begin).collect();
        let mut open = false;
        for number in 0..self.script.events.len() {
            let mut next = Vec::new();
            let mut says = Vec::new();
            for thread in threads {
                self.step(&mut talk, thread, number, (&mut next, &mut says, &mut open));
            }
            if next.is_empty() && !open {
                return Err(format!(
                    "packet {number}: the kernel: {:?}\nthe trace: {}",
                    self.fates[number],
                    says.join("\n  or ")
                ));
            }
            threads = next;
        }
        Ok(threads.first().map_or(Shown { open: true, ..Shown::default() }, |t| t.shown))
    }

    fn step(
        &self,
        talk: &mut Talk<'_>,
        mut thread: Thread,
        number: usize,
        (next, says, open): (&mut Vec<Thread>, &mut Vec<String>, &mut bool),
    ) {
        if self.sent[number].is_none() {
            thread.past.push(None);
            next.push(thread);
            return;
        }
        let Some((from, header, phase)) = self.packet(&thread, number) else {
            says.push("what this packet presupposes never arrived".into());
            return;
        };
        for (branch, journey) in talk.send(thread.branch.clone(), from, header, phase) {
            if !self.about_this(&branch) {
                continue;
            }
            if ends_open(&journey) {
                *open = true;
                continue;
            }
            let mut shown = thread.shown;
            let past = Past { from, sent: header, journey };
            says.push(story(&past.journey));
            let mut picked = thread.picked.clone();
            let Some(branch) = self.agrees(talk, branch, &past, number, (&mut shown, &mut picked)) else { continue };
            let journey = &past.journey;
            let unasked = !matches!(self.script.events[number], Event::Answer(_));
            shown.stopped |= unasked
                && matches!(journey.end, Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_));
            if unasked && number > 0 && !shown.punched && delivered(journey) {
                let alone = talk.send(thread.branch.fresh(), from, header, phase);
                let there = |j: &Journey| delivered(j) && j.last().device == journey.last().device;
                shown.punched = !alone.iter().any(|(b, j)| self.about_this(b) && there(j));
            }
            let mut all = thread.past.clone();
            all.push(Some(past));
            next.push(Thread { branch, past: all, picked, shown });
        }
    }

    /// A packet in terms of what was asked: sender, header, and whether it is an answer.
    fn packet(&self, thread: &Thread, number: usize) -> Option<(usize, Header, Phase)> {
        let script = self.script;
        let past = |n: usize| thread.past[n].as_ref();
        let place = |party: usize| device(script.parties[party].place, self.routers);
        match script.events[number] {
            Event::Blind(party, aim) => Some((place(party), script.own(party).to(aim), Phase::Request)),
            Event::Again(n) => past(n).map(|p| (p.from, p.sent, Phase::Request)),
            Event::Answer(n) => past(n).map(|p| {
                let Header { src, dst, sport, dport } = p.journey.last().header;
                let header = Header { src: dst, dst: src, sport: dport, dport: sport };
                (p.journey.last().device, header, Phase::Reply)
            }),
            Event::Seen(party, n) => past(n).map(|p| {
                let Header { src, sport, .. } = p.journey.last().header;
                let own = script.own(party);
                let header = Header { src: own.addr, sport: own.port, dst: src, dport: sport };
                (place(party), header, Phase::Request)
            }),
        }
    }

    fn about_this(&self, branch: &Branch) -> bool {
        let asked = self.script.asked();
        branch.cubes().iter().any(|c| c.contains(&asked))
    }

    /// The part of a branch for which a journey ended as it was seen: what devices picked is known from here on.
    fn agrees(
        &self,
        talk: &mut Talk<'_>,
        branch: Branch,
        past: &Past,
        number: usize,
        (shown, picked): (&mut Shown, &mut Vec<(usize, u128)>),
    ) -> Option<Branch> {
        let tuple = match (end_place(&past.journey, self.routers), self.fates[number]) {
            (None, Fate::Gone) => return Some(branch),
            (Some(place), Fate::Arrived(seen, tuple)) if place == seen => tuple,
            _ => return None,
        };
        let mut branch = branch;
        let header = past.journey.last().header;
        for (value, seen) in [header.src, header.dst, header.sport, header.dport].into_iter().zip(tuple.parts) {
            if let Some(known) = self.script.value(value) {
                if known != seen {
                    return None;
                }
                continue;
            }
            let (same, other) = talk.split(branch, value, seen);
            branch = same?;
            if other.is_some() && !self.is_picked(talk, past, value, seen, (shown, picked)) {
                return None;
            }
        }
        self.about_this(&branch).then_some(branch)
    }

    /// Has a device picked this source port, and not kept the one that it was given, nor one that it picked before?
    fn is_picked(
        &self,
        talk: &Talk<'_>,
        past: &Past,
        value: Val,
        seen: u128,
        (shown, picked): (&mut Shown, &mut Vec<(usize, u128)>),
    ) -> bool {
        let Some(variable) = talk.variable(value) else { return true };
        let many = variable.domain.count() > MANY;
        let (by, clash) = match variable.choice {
            Choice::Clash { device } => (device, true),
            Choice::Device { device, part: Part::SrcPort, .. } => (device, false),
            _ => return true,
        };
        shown.clash |= clash;
        shown.random |= !clash && many;
        let hops = &past.journey.hops;
        let before =
            hops.iter().position(|h| h.device == by).and_then(|at| at.checked_sub(1)).map(|at| hops[at].header);
        let came = self.script.value(before.unwrap_or(past.sent).sport);
        let kept = came == Some(seen) && (clash || many);
        let again = many && picked.contains(&(by, seen));
        picked.push((by, seen));
        !kept && !again
    }
}

fn delivered(journey: &Journey) -> bool {
    matches!(journey.end, Disposition::Delivered { .. })
}

/// A journey on a line.
fn story(journey: &Journey) -> String {
    format!("device {} {:?} {:?}", journey.last().device, journey.end, journey.last().header)
}
