//! Calls without ICE: what arrives where the other side's SDP says.

use super::meeting::{Ended, Meeting, arrived, finish, joined, trip, unite};
use super::{BEHIND, Candidate, ORDER, Offer, Side, any_port};
use crate::cube::{Cube, Set};
use crate::trace::{Answer, Branch, Choice, Header, Journey, Phase, Talk, Val};
use crate::verdict::reach::{Ending, ending};
use std::rc::Rc;
use std::sync::Arc;

impl Meeting<'_> {
    /// Without ICE: each side sends to the address in the other one's SDP, and hears what arrives there from wherever.
    /// `named`: what the caller's SDP says.
    pub fn by_sdp(&self, named: Offer) -> (Answer, Vec<Ending>) {
        let (mut talk, branch) = Talk::new(&self.ask);
        let order = talk.choice(Set::range(0, 1), ORDER);
        let named = match named {
            Offer::Elsewhere { device } => {
                Candidate { port: talk.choice(any_port(), Choice::Clash { device }), ..Candidate::CALLER }
            }
            Offer::Behind => Candidate { addr: Val::Const(BEHIND), ..Candidate::CALLER },
            Offer::Own | Offer::Reflexive { .. } => Candidate::CALLER,
        };
        let server = Candidate { addr: Val::Const(self.base), port: Candidate::TOLD.port };
        let there = (self.ask.question.from, Candidate::CALLER.to(Candidate::TOLD));
        let back = (self.goal.host.device, server.to(named));
        let mut ended: Ended = Vec::new();
        let (caller_first, server_first) = branch.map_or((None, None), |b| talk.split(b, order, 0));
        for (branch, first) in [(caller_first, Side::Caller), (server_first, Side::Server)] {
            let Some(branch) = branch else { continue };
            // Media goes on: what the first packets of both sides opened serves the later ones.
            let turns = [first, first.other(), first, first.other()];
            let mut open = vec![Heard { branch, there: Arrivals::default(), back: Arrivals::default() }];
            for side in turns {
                let (from, header) = if side == Side::Caller { there } else { back };
                open = open.into_iter().flat_map(|heard| heard.next(&mut talk, side, from, header)).collect();
            }
            for heard in open {
                self.by_sdp_ended(&mut talk, &heard, &mut ended);
            }
        }
        finish(talk, self.ask.question, ended)
    }

    /// How it ended for the packets of a branch: by the last packet of either side.
    fn by_sdp_ended(&self, talk: &mut Talk<'_>, heard: &Heard, ended: &mut Ended) {
        for (packets, request) in heard.there.iter() {
            let here = talk.within(&heard.branch, packets);
            let Some(cube) = here.cubes().first() else { continue };
            let way = ending(&trip(cube.clone(), &[Arc::clone(request)]), self.goal, self.ask.question.from);
            if !matches!(way, Ending::OtherPort | Ending::Lost(Phase::Reply)) {
                ended.push((here, vec![Arc::clone(request)], way));
                continue;
            }
            // It arrived. Packets to several ports may have come to the same one, for which only one was meant.
            let header = request.last().header;
            let meant = Header { dport: Candidate::TOLD.port, ..header };
            let (here, astray) = if self.goal.same_port { talk.same(here, header, meant) } else { (Some(here), None) };
            ended.extend(astray.map(|branch| (branch, vec![Arc::clone(request)], Ending::OtherPort)));
            let Some(here) = here else { continue };
            // A reply is not looked for: the server's own packets are.
            for (packets, reply) in heard.back.iter() {
                let here = talk.within(&here, packets);
                if !here.cubes().is_empty() {
                    ended.push((here, vec![Arc::clone(request), Arc::clone(reply)], self.heard_back(reply)));
                }
            }
        }
    }

    /// How it ended for the caller, by the last packet of the server.
    fn heard_back(&self, reply: &Journey) -> Ending {
        if arrived(reply, self.ask.question.from) {
            Ending::Works
        } else if reply.end.is_unknown() {
            Ending::Unknown(Phase::Reply)
        } else {
            Ending::Lost(Phase::Reply)
        }
    }
}

/// Packets of both sides that were sent without asking, and how the last one of each fared.
struct Heard {
    branch: Branch,
    there: Arrivals,
    back: Arrivals,
}

/// The journeys of which packets; each is in one of the parts.
type Arrivals = Rc<Vec<(Vec<Cube>, Arc<Journey>)>>;

impl Heard {
    /// One side sends once more. Packets for which the devices on the way hold the same sessions stay together.
    fn next(self, talk: &mut Talk<'_>, side: Side, from: usize, header: Header) -> Vec<Self> {
        let sent = talk.send(self.branch, from, header, Phase::Request).into_iter().map(|(branch, journey)| {
            let arrivals = Rc::new(vec![(branch.cubes().to_vec(), journey)]);
            match side {
                Side::Caller => Self { branch, there: arrivals, back: Rc::clone(&self.back) },
                Side::Server => Self { branch, there: Rc::clone(&self.there), back: arrivals },
            }
        });
        let mut out = joined(sent.collect(), Self::join);
        for heard in &mut out {
            talk.tidy(&mut heard.branch);
        }
        out
    }

    fn join(&mut self, other: Self) -> Option<Self> {
        let Self { branch, there, back } = other;
        if let Some(branch) = self.branch.join(branch) {
            return Some(Self { branch, there, back });
        }
        unite(&mut self.there, &there);
        unite(&mut self.back, &back);
        None
    }
}
