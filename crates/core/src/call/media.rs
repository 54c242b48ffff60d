//! Media by UDP: what both sides' packets achieve, where the caller's own network or program has a say.

use super::Judge;
use super::ask::{Caller, pieces};
use super::ice::{Meeting, Offer};
use crate::manifest::Proto;
use crate::model::{Family, address_value};
use crate::profile::{Answers, Ice, Instance};
use crate::requirement::Requirement;
use crate::site::Host;
use crate::trace::{Answer, Ask, Choice, Detail, Disposition, Network, Phase, Question, Val};
use crate::verdict::Piece;
use crate::verdict::reach::{Ending, Goal, Region, ending, regions};
use crate::verdict::replay::{Replay, judged};
use crate::vocabulary::{CallerKind as Kind, LegKind, Opener};

/// What becomes of media between two parties.
pub(super) struct Media {
    /// The answer of the trace.
    pub answer: Answer,
    /// The packets by fate.
    pub found: Vec<Region>,
    /// The same as pieces of a way.
    pub pieces: Vec<Piece>,
}

impl Judge<'_> {
    /// The fate of media between this caller and the server. Absent where what the caller opens itself says it all.
    pub(super) fn media(
        &self,
        caller: &Caller<'_>,
        r: &Requirement,
        goal: Goal,
        (question, detail): (&Question, Detail),
    ) -> Option<Media> {
        if r.leg != LegKind::Media || r.proto != Proto::Udp || caller.opener != Opener::Caller {
            return None;
        }
        let instance = &self.instances[caller.n];
        let network = caller.network;
        let (goal, inside) = in_container(network, goal, question);
        if instance.answers() == Some(Answers::Source) {
            // The answer goes back the way that the caller's packet came, through the caller's router too.
            caller.kind?;
            let hold = |ask: Ask<'_>| judged(ask, Phase::Next, |t| ending(t, goal, caller.vantage.device));
            return Some(held(caller, (question, detail), &hold));
        }
        let host = instance.deploy.own(caller.family)?;
        let base = inside.unwrap_or_else(|| address_value(host));
        let full = instance.ice() == Some(Ice::Full);
        if instance.answers() == Some(Answers::Sdp) {
            let named = self.named(caller, instance);
            let hold = |ask: Ask<'_>| Meeting { ask, goal, base, full, offers: Vec::new() }.by_sdp(named);
            return Some(held(caller, (question, detail), &hold));
        }
        let offers = caller.kind?.offers(self.site, caller.family, instance.stun());
        let hold = |ask: Ask<'_>| Meeting { ask, goal, base, full, offers: offers.clone() }.hold();
        Some(held(caller, (question, detail), &hold))
    }

    /// The address that a phone names in its SDP. Behind a home router it is the one that it has there, unless it knows
    /// a STUN server.
    fn named(&self, caller: &Caller<'_>, instance: &Instance) -> Offer {
        let nat = caller.family == Family::V4;
        match caller.kind {
            Some(Kind::Home | Kind::Symmetric) if nat && !instance.stun() => Offer::Behind,
            Some(Kind::Symmetric) if nat => Offer::Elsewhere { device: self.site.internet },
            _ => Offer::Own,
        }
    }
}

/// What comes of a conversation that is held as told.
fn held(
    caller: &Caller<'_>,
    (question, detail): (&Question, Detail),
    hold: &dyn Fn(Ask<'_>) -> (Answer, Vec<Ending>),
) -> Media {
    let (answer, endings) = hold(Ask::new(caller.network, question, detail));
    let found = regions(&answer, caller.network, &endings);
    let again = |question: &Question, world: &[(Choice, u128)]| {
        hold(Ask { world, ..Ask::new(caller.network, question, Detail::Rules) })
    };
    let replay = Replay { from: question.from, family: question.family, again: &again };
    let pieces = pieces(&answer, &found, &replay);
    Media { answer, found, pieces }
}

/// The program that takes media is where its packets arrive: in one container of the host, with the container's address, if
/// that is where all of them are sent on to.
fn in_container(network: &Network, goal: Goal, question: &Question) -> (Goal, Option<u128>) {
    if goal.host.containers.is_none() {
        return (goal, None);
    }
    let answer = Ask::new(network, question, Detail::Fate).answer(Phase::Request);
    let arrived = answer.trips.iter().map(|t| &t.request).filter(|j| matches!(j.end, Disposition::Delivered { .. }));
    let mut ends = arrived.map(|j| (j.last().device, j.last().header.dst)).filter(|(d, _)| goal.host.has(*d));
    match ends.next() {
        Some((device, Val::Const(address)))
            if device != goal.host.device && ends.all(|e| e == (device, Val::Const(address))) =>
        {
            (Goal { host: Host { device, ..goal.host }, ..goal }, Some(address))
        }
        _ => (goal, None),
    }
}
