//! One flow: the packets of one sender to some ports of one address, needed or not. Ports that a product has are judged
//! by its row, as calls are; of all others it counts whether they get to the host that is meant.

use super::ask::{Caller, piece_reach};
use super::proxy::by_proxy;
use super::{Judge, later};
use crate::cube::{Cube, Set};
use crate::manifest::{Place, Proto};
use crate::model::{Family, Part, SourceId, address_value};
use crate::profile::Proxied;
use crate::requirement::{Level, Party, Requirement};
use crate::site::{Host, Vantage};
use crate::trace::{Answer, Ask, Choice, Detail, Disposition, Phase, Question, RoundTrip};
use crate::verdict::reach::{Certainty, Ending, Goal, Region, ending, regions};
use crate::verdict::replay::{Replay, judged};
use crate::verdict::{Fate, Followed, Piece};
use crate::vocabulary::{Opener, Where, port_ranges, port_set};
use crate::way::DoubtLine;
use std::net::IpAddr;

/// Packets of one sender to one address.
pub(crate) struct Flow<'a> {
    /// Who sends.
    pub vantage: &'a Vantage,
    /// From which addresses.
    pub from: &'a Set,
    /// Whom they ask.
    pub to: IpAddr,
    /// Protocol.
    pub proto: Proto,
    /// Ports that are asked.
    pub ports: &'a Set,
    /// Ports that they are sent from.
    pub source_ports: &'a Set,
    /// Instances that have the address.
    pub whom: &'a [usize],
    /// The host of one of these is meant; else any host that takes the packets.
    pub meant: bool,
    /// Where the sender is, if it asks by the site's name.
    pub named_at: Option<&'a Place>,
}

/// Packets of a flow with one fate.
pub(crate) struct FlowPiece {
    /// The packets, and whether they get through.
    pub piece: Piece,
    /// They do not get through, and a device takes the first of some of them nevertheless.
    pub taken: Option<usize>,
}

/// Ports that are judged alike.
struct Class {
    ports: Set,
    /// Rows that have them, each with its instance and what counts as reaching it.
    rows: Vec<(usize, Requirement, Goal)>,
}

impl Class {
    /// The same rows, in one order.
    fn same(&self, other: &Self) -> bool {
        let ids = |c: &Self| c.rows.iter().map(|(n, r, _)| (*n, r.id.clone())).collect::<Vec<_>>();
        let pages = |c: &Self| c.rows.iter().any(|(_, r, _)| r.proxied == Some(Proxied::Pages));
        let goals = |c: &Self| c.rows.iter().map(|(.., goal)| *goal).collect::<Vec<_>>();
        goals(self) == goals(other) && (ids(self) == ids(other) || !pages(self) && !pages(other))
    }
}

impl Judge<'_> {
    /// What becomes of a flow: pieces without a common packet, which together are all of it.
    pub(crate) fn flow(&self, flow: &Flow<'_>) -> Vec<FlowPiece> {
        if flow.ports.is_empty() || flow.from.is_empty() {
            return Vec::new();
        }
        let facts = later::of_flow(self, flow.whom, flow.named_at);
        if !facts.is_empty() {
            return vec![unknown(flow.ports, facts)];
        }
        self.classes(flow).iter().flat_map(|class| self.class(flow, class)).collect()
    }

    /// The ports of a flow by the rows that have them.
    fn classes(&self, flow: &Flow<'_>) -> Vec<Class> {
        let family = Family::of(flow.to);
        let mut out = vec![Class { ports: flow.ports.clone(), rows: Vec::new() }];
        for n in flow.whom {
            let instance = &self.instances[*n];
            let here = |r: &&Requirement| {
                r.to == Party::Server && r.proto == flow.proto && r.level != Level::Forbidden && !r.example
            };
            let rows: Vec<&Requirement> = instance.requirements.iter().filter(here).collect();
            for row in by_proxy(instance, &rows, family) {
                let ports = port_set(&row.ports);
                let goal = self.goal(*n, &row);
                let split = |class: Class| {
                    let mut inside = Class { ports: class.ports.and(&ports), rows: class.rows.clone() };
                    if !inside.rows.iter().any(|(.., known)| *known == goal) {
                        inside.rows.push((*n, row.clone(), goal));
                    }
                    [inside, Class { ports: class.ports.minus(&ports), rows: class.rows }]
                };
                out = out.into_iter().flat_map(split).filter(|c| !c.ports.is_empty()).collect();
            }
        }
        let mut merged: Vec<Class> = Vec::new();
        for class in out {
            match merged.iter_mut().find(|known| known.same(&class)) {
                Some(known) => known.ports = known.ports.or(&class.ports),
                None => merged.push(class),
            }
        }
        merged
    }

    /// What counts as reaching a port that no row has.
    fn other_goals(&self, flow: &Flow<'_>) -> Vec<Goal> {
        let goal = |host, relay| Goal {
            host,
            listening: false,
            same_port: false,
            relay,
            no_helper: false,
            internet: Some(self.site.internet),
        };
        if !flow.meant {
            return vec![goal(Host::any(), None)];
        }
        let hosts = flow.whom.iter().flat_map(|n| {
            let server = Some(self.site.server_of[*n]);
            [server, self.site.proxy_of[*n]].into_iter().flatten()
        });
        hosts.map(|device| goal(self.site.host_of(device), self.relay())).collect()
    }

    fn class(&self, flow: &Flow<'_>, class: &Class) -> Vec<FlowPiece> {
        let (family, asker) = (Family::of(flow.to), flow.vantage.device);
        let parts = [
            flow.from.clone(),
            Set::one(address_value(flow.to)),
            flow.source_ports.clone(),
            class.ports.clone(),
            Set::one(u128::from(flow.proto.number())),
        ];
        let question = Question { from: asker, family, packets: Cube { parts, vars: Vec::new() } };
        let network = &self.site.network;
        let goals = match &class.rows[..] {
            [] => self.other_goals(flow),
            rows => rows.iter().map(|(.., goal)| *goal).collect(),
        };
        let judge = |trip: &RoundTrip| self.best(trip, &goals, asker);
        let (answer, endings) = judged(Ask::new(network, &question, Detail::Ends), Phase::Next, judge);
        let found = regions(&answer, network, &endings);
        if found.iter().any(|r| r.certainty != Certainty::Open)
            && let Some(doubt) = class.rows.iter().find_map(|(n, row, _)| self.elsewhere(flow, *n, row))
        {
            return vec![unknown(&class.ports, vec![doubt])];
        }
        let again = |question: &Question, world: &[(Choice, u128)]| {
            judged(Ask { world, ..Ask::new(network, question, Detail::Rules) }, Phase::Next, judge)
        };
        let replay = Replay { from: asker, family, again: &again };
        let piece = |region: &Region| {
            let taken = self.taken(&answer, region);
            if !flow.meant
                && class.rows.is_empty()
                && let Some(stated) = taken.filter(|device| self.is_stated(*device))
            {
                return unknown(&region.part(Part::DstPort), vec![self.own_services(stated)]);
            }
            let trip = region.told(&answer, &replay).clone();
            let fate = Fate::Followed(Box::new(Followed::new(&answer, region, trip)));
            let taken = taken.filter(|device| !self.is_stated(*device));
            FlowPiece { piece: Piece { reach: piece_reach(region), fate }, taken }
        };
        found.iter().map(piece).collect()
    }

    /// How a trip ended, seen from the goal that is nearest.
    fn best(&self, trip: &RoundTrip, goals: &[Goal], asker: usize) -> Ending {
        let at_box =
            matches!(trip.request.end, Disposition::Delivered { .. }) && self.is_stated(trip.request.last().device);
        let ended = |goal: &Goal| match ending(trip, *goal, asker) {
            // The manifest does not state whether it answers there.
            Ending::Works if at_box && goal.host == Host::any() => Ending::Lost(Phase::Request),
            ended => ended,
        };
        let all = || goals.iter().map(ended);
        let good = all().find(|e| e.is_good());
        let unknown = || all().find(|e| matches!(e, Ending::Unknown(_)));
        good.or_else(unknown).or_else(|| all().next()).unwrap_or(Ending::Lost(Phase::Request))
    }

    /// A device that takes the first packet of some of a region's, if these do not get through.
    fn taken(&self, answer: &Answer, region: &Region) -> Option<usize> {
        let here = |trip: &RoundTrip| {
            let meets = |cube: &Cube| cube.parts.iter().zip(&trip.asked.parts).all(|(a, b)| a.intersects(b));
            region.cubes.iter().any(meets)
        };
        let taken = |trip: &&RoundTrip| matches!(trip.request.end, Disposition::Delivered { .. }) && here(trip);
        let closed = region.certainty == Certainty::Closed;
        let mut all = answer.trips.iter().filter(|_| closed).filter(taken).map(|t| t.request.last().device);
        let first = all.next()?;
        Some(if self.is_stated(first) { all.find(|d| !self.is_stated(*d)).unwrap_or(first) } else { first })
    }

    /// A box between others of which no rules are given: what it answers itself is not known.
    fn is_stated(&self, device: usize) -> bool {
        let router = self.site.network.devices[device].is_router();
        router && device != self.site.internet && self.site.texts(device).all(|text| text == SourceId::MANIFEST)
    }

    fn own_services(&self, device: usize) -> DoubtLine {
        let name = &self.site.network.devices[device].name;
        DoubtLine::of_site(
            format!("whether {name} itself answers there: what it lets in to itself is not stated"),
            "ask for the server by its name, to learn whether the port is forwarded to it".into(),
        )
    }

    /// The manifest does not say where pages are answered: they may be elsewhere.
    fn elsewhere(&self, flow: &Flow<'_>, n: usize, row: &Requirement) -> Option<DoubtLine> {
        let caller = Caller {
            n,
            vantage: flow.vantage,
            kind: None,
            network: &self.site.network,
            from: flow.from,
            to: Set::one(address_value(flow.to)),
            family: Family::of(flow.to),
            opener: Opener::Caller,
            at: Where::At(flow.vantage.place.clone()),
            which: None,
        };
        self.perhaps_elsewhere(&caller, row)
    }
}

fn unknown(ports: &Set, doubts: Vec<DoubtLine>) -> FlowPiece {
    FlowPiece { piece: Piece::unknown(port_ranges(ports), doubts), taken: None }
}
