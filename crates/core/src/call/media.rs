//! Media by UDP: what both sides' packets achieve, where the caller's own network or program has a say.

use super::analyze::Judge;
use super::callers::Kind;
use super::ice::{Meeting, Offer};
use super::paths::Caller;
use super::reach::{Goal, Host, Region, ending, regions, regions_by};
use crate::manifest::Proto;
use crate::model::{Family, address_value};
use crate::profile::{Answers, Ice, Instance};
use crate::requirement::Requirement;
use crate::trace::{Answer, Disposition, Network, Question, Val, ask, ask_requests};

impl Judge<'_> {
    /// The fate of media between this caller and the server. Absent where what the caller opens itself says it all.
    pub(super) fn media(
        &self,
        caller: &Caller<'_>,
        r: &Requirement,
        goal: Goal,
        question: &Question,
    ) -> Option<(Answer, Vec<Region>)> {
        if r.leg != "media" || r.proto != Proto::Udp || caller.opener != "caller" {
            return None;
        }
        let instance = &self.instances[caller.n];
        let network = caller.network;
        let (goal, inside) = in_container(network, goal, question);
        if instance.answers() == Some(Answers::Source) {
            // The answer goes back the way that the caller's packet came, through the caller's router too.
            caller.kind?;
            let answer = ask(network, question);
            let found = regions(&answer, network, |t| ending(t, goal, caller.vantage.device));
            return Some((answer, found));
        }
        let host = instance.deploy.host.iter().map(|h| h.value).find(|a| Family::of(*a) == caller.family)?;
        let base = inside.unwrap_or_else(|| address_value(host));
        let full = instance.ice() == Some(Ice::Full);
        let meeting = |offers| Meeting { network, question, goal, base, full, offers };
        let (answer, endings) = if instance.answers() == Some(Answers::Sdp) {
            meeting(Vec::new()).by_sdp(self.named(caller, instance))
        } else {
            meeting(caller.kind?.offers(self.site, caller.family, instance.stun())).hold()
        };
        let found = regions_by(&answer, network, &endings);
        Some((answer, found))
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

/// The program that takes media is where its packets arrive: in one container of the host, with the container's address, if
/// that is where all of them are sent on to.
fn in_container(network: &Network, goal: Goal, question: &Question) -> (Goal, Option<u128>) {
    if goal.host.containers.is_none() {
        return (goal, None);
    }
    let answer = ask_requests(network, question);
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
