//! One way to do a part of a call: what is asked, and what becomes of the packets.

use super::media::Media;
use super::told::Telling;
use super::{CLIENT_PORTS, Judge};
use crate::cube::{Cube, Set};
use crate::manifest::{PortRanges, Proto};
use crate::model::{Family, Part, TOLD, address_value};
use crate::profile::Instance;
use crate::requirement::Requirement;
use crate::site::Vantage;
use crate::trace::{Answer, Ask, Choice, Detail, Network, Phase, Question, RoundTrip};
use crate::verdict::reach::{Certainty, Ending, Goal, Region, ending, regions};
use crate::verdict::replay::{Replay, judged};
use crate::verdict::{Alternative, Failure, Fate, Followed, Leg, Path, Piece, Reach, Share, algebra, path_id};
use crate::vocabulary::{CallerKind as Kind, LegKind, Opener, Undecided, Where, port_ranges, port_set};
use crate::way::DoubtLine;
use std::net::IpAddr;

/// A way, and what fails by it.
pub(super) struct Way {
    /// The way.
    pub way: Alternative,
    /// What fails.
    pub failures: Vec<Failure>,
}

impl From<Alternative> for Way {
    /// Nothing is known to fail.
    fn from(way: Alternative) -> Self {
        Self { way, failures: Vec::new() }
    }
}

/// All ways to do a part of a call, and what fails by them.
#[derive(Default)]
pub(super) struct Asked {
    /// The preferred one first.
    pub ways: Vec<Alternative>,
    /// What fails.
    pub failures: Vec<Failure>,
}

impl FromIterator<Way> for Asked {
    fn from_iter<T: IntoIterator<Item = Way>>(all: T) -> Self {
        let mut out = Self::default();
        for Way { way, failures } in all {
            out.ways.push(way);
            out.failures.extend(failures);
        }
        out
    }
}

impl Judge<'_> {
    /// Signalling goes to the site's name, media to the address that clients are told.
    pub(super) fn leg_to(&self, leg: &LegKind, told: IpAddr) -> String {
        match &self.manifest.name {
            Some(name) if !leg.carries_media() => name.value.clone(),
            _ => told.to_string(),
        }
    }

    /// Media goes to the address that clients are told; of several, to the best.
    pub(super) fn by_telling(&self, caller: &Caller<'_>, r: &Requirement, telling: &Telling) -> Way {
        let all = match telling {
            Telling::These(all) if !r.example => &all[..],
            Telling::Unknown(doubt) if !r.example => {
                return Way::from(unknown(caller, r, r.ports.clone(), doubt.clone()));
            }
            _ => &[],
        };
        let mut best: Option<Way> = None;
        for told in all {
            let there = Caller {
                to: Set::one(address_value(*told)),
                at: caller.at.clone(),
                which: caller.which.clone(),
                ..*caller
            };
            let found = self.alternative(&there, r, self.goal(caller.n, r));
            best = Some(match best {
                Some(known) if algebra::rank(known.way.reach) <= algebra::rank(found.way.reach) => known,
                // What is better is not for everybody: it still fails by the others.
                Some(known) => Way { failures: [known.failures, found.failures].concat(), ..found },
                None => found,
            });
        }
        best.unwrap_or_else(|| self.not_stated(caller, r).into())
    }

    /// The router on which programs relay connections.
    pub(super) fn relay(&self) -> Option<usize> {
        self.site.network.devices.iter().position(|d| d.is_router() && !d.endpoints.is_empty())
    }

    pub(super) fn goal(&self, n: usize, r: &Requirement) -> Goal {
        if r.proxied.is_some() {
            return self.proxy_goal(n);
        }
        // A reverse proxy may listen on any port inside; media clients are told the server's own ports.
        let media = r.leg.carries_media();
        let host = self.site.host_of(self.site.server_of[n]);
        Goal {
            host,
            listening: true,
            same_port: media || !r.shared,
            relay: self.relay(),
            no_helper: self.instances[n].profile.helper.is_some(),
            internet: Some(self.site.internet),
        }
    }

    /// Ports that differ between installations and are not stated: unknown, and no cause.
    fn not_stated(&self, caller: &Caller<'_>, r: &Requirement) -> Alternative {
        let label = self.instances[caller.n].label();
        let what =
            format!("which {} ports {label} has for \"{}\": every installation has others", r.proto.name(), r.purpose);
        unknown(caller, r, Vec::new(), DoubtLine::of_site(what, r.state_ports()))
    }

    pub(super) fn alternative(&self, caller: &Caller<'_>, r: &Requirement, goal: Goal) -> Way {
        if r.example {
            return self.not_stated(caller, r).into();
        }
        let ports = port_set(&r.ports);
        let question = caller.question(r.proto, ports.clone());
        // Causes are looked for in the site's own network.
        let network = &self.site.network;
        let judge = |t: &RoundTrip| ending(t, goal, caller.vantage.device);
        let (answer, endings) = judged(Ask::new(network, &question, Detail::Ends), Phase::Next, judge);
        let found = regions(&answer, network, &endings);
        let again = |question: &Question, world: &[(Choice, u128)]| {
            judged(Ask { world, ..Ask::new(network, question, Detail::Rules) }, Phase::Next, judge)
        };
        let replay = Replay { from: question.from, family: question.family, again: &again };
        if found.iter().any(|f| f.certainty != Certainty::Open)
            && let Some(doubt) = self.perhaps_elsewhere(caller, r)
        {
            return unknown(caller, r, port_ranges(&ports), doubt).into();
        }
        // Many rules that each stop a few packets are told apart once, and not again for all that two sides send.
        let detail = if answer.trips.len() > TOLD { Detail::Fate } else { Detail::Ends };
        let by_ice = self.media(caller, r, goal, (&question, detail));
        let (pieces, last) = match &by_ice {
            Some(Media { found, pieces, .. }) => (pieces.clone(), found),
            None => (pieces(&answer, &found, &replay), &found),
        };
        let mut failures = Vec::new();
        if !r.level_at(&caller.at).is_optional() {
            // What ICE finds another way for has not failed.
            let bad = |region: &&Region| {
                region.certainty != Certainty::Open
                    && last.iter().any(|l| {
                        piece_reach(l) != Reach::Open
                            && l.part(Part::DstPort).intersects(&region.part(Part::DstPort))
                            && l.part(Part::Src).intersects(&region.part(Part::Src))
                    })
            };
            for region in found.iter().filter(bad) {
                failures.push(Failure {
                    path: path_id(&self.instances[caller.n], caller.which(), caller.family),
                    instance: caller.n,
                    requirement: r.clone(),
                    place: caller.vantage.place.clone(),
                    same_port: goal.same_port,
                    goal: goal.host.device,
                    family: caller.family,
                    region: region.clone(),
                    trip: region.told(&answer, &replay).clone(),
                    other_way: false,
                    not_local: self.not_local(caller.n, &self.instances[caller.n], caller.vantage),
                });
            }
        }
        let reach = algebra::reach(&pieces.iter().map(|p| p.reach).collect::<Vec<_>>());
        let share = share(reach, last, &ports, question.packets.part(Part::SrcPort));
        let opener = match &by_ice {
            Some(Media { answer, found, .. }) if found.iter().any(|r| goal.host.has(opened_by(answer, r))) => {
                Opener::Server
            }
            _ => caller.opener,
        };
        let ports = r.ports.clone();
        Way { way: Alternative { requirement: r.clone(), ports, opener, reach, share, pieces }, failures }
    }
}

/// Who asks, from where, whom.
pub(super) struct Caller<'a> {
    /// Number of the instance.
    pub n: usize,
    /// Where they are.
    pub vantage: &'a Vantage,
    /// Kind of caller, where that makes a difference.
    pub kind: Option<Kind>,
    /// The network as it is for this kind.
    pub network: &'a Network,
    /// Their addresses.
    pub from: &'a Set,
    /// Whom they ask.
    pub to: Set,
    /// Family.
    pub family: Family,
    /// Who sends first.
    pub opener: Opener,
    /// Where they are.
    pub at: Where,
    /// Their address, where the path of each of several has its own.
    pub which: Option<String>,
}

impl Caller<'_> {
    /// What a path's id holds of them.
    pub fn which(&self) -> (&Where, Option<&str>, Option<Kind>) {
        (&self.at, self.which.as_deref(), self.kind)
    }

    /// A path of theirs.
    pub fn path(&self, instance: &Instance, who: String, legs: Vec<Leg>) -> Path {
        let (verdict, note) = algebra::path(&self.at, &legs);
        Path {
            id: path_id(instance, self.which(), self.family),
            instance: self.n,
            vantage: self.at.clone(),
            kind: self.kind,
            who,
            address: None,
            from: self.from.clone(),
            family: self.family,
            verdict,
            note,
            legs,
        }
    }

    fn question(&self, proto: Proto, ports: Set) -> Question {
        let client = Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let parts = [self.from.clone(), self.to.clone(), client, ports, Set::one(u128::from(proto.number()))];
        Question { from: self.vantage.device, family: self.family, packets: Cube { parts, vars: Vec::new() } }
    }
}

/// Regions of an answer as pieces of a way.
pub(super) fn pieces(answer: &Answer, found: &[Region], replay: &Replay<'_>) -> Vec<Piece> {
    let piece = |region: &Region| {
        let trip = region.told(answer, replay).clone();
        Piece { reach: piece_reach(region), fate: Fate::Followed(Box::new(Followed::new(answer, region, trip))) }
    };
    found.iter().map(piece).collect()
}

/// How much of a row is open, or, where few of the callers' ports are in the way, how many these are.
fn share(reach: Reach, regions: &[Region], ports: &Set, sources: &Set) -> Option<Share> {
    let bad = || regions.iter().filter(|r| piece_reach(r) != Reach::Open);
    let open = bad().fold(ports.clone(), |left, r| left.minus(&r.part(Part::DstPort)));
    let theirs = Set::union(bad().map(|r| r.part(Part::SrcPort)));
    let number = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    match (reach, open.count(), ports.count()) {
        (Reach::Partly, n, all) if n > 0 && n < all => Some(Share::Ports { open: number(n), of: number(all) }),
        (Reach::Partly | Reach::Punched | Reach::Chance, 0, _) if theirs.count() * 2 < sources.count() => {
            Some(Share::SourcePorts { worse: number(theirs.count()), of: number(sources.count()) })
        }
        _ => None,
    }
}

/// An answer that a fact is missing for.
fn unknown(caller: &Caller<'_>, r: &Requirement, ports: PortRanges, doubt: DoubtLine) -> Alternative {
    let piece = Piece::unknown(ports.clone(), vec![doubt]);
    Alternative {
        requirement: r.clone(),
        ports,
        opener: caller.opener,
        reach: Reach::Unknown,
        share: None,
        pieces: vec![piece],
    }
}

/// Device that sent the packets by which a region is open.
fn opened_by(answer: &Answer, region: &Region) -> usize {
    let sender = answer.trips[region.trip].request.hops[0].device;
    if region.certainty == Certainty::Open && region.ending == Ending::Works { sender } else { usize::MAX }
}

pub(super) fn piece_reach(region: &Region) -> Reach {
    match (region.certainty, region.ending) {
        (Certainty::Open, Ending::Punched) => Reach::Punched,
        (Certainty::Open, _) => Reach::Open,
        (Certainty::Closed, _) => Reach::Closed,
        (Certainty::Unknown, _) if region.doubts.is_empty() && region.also == [Undecided::WhoFirst] => Reach::Chance,
        (Certainty::Unknown, _) => Reach::Unknown,
    }
}
