//! What is judged of a site: every path, and everything that does not get through or should not.

use super::found::{Exposure, Failure, Misled, Reached, Seen, Strayed};
use super::reach::Region;
use super::{Closed, Elsewhere, How, Reach, Searched, Share, Verdict, algebra};
use crate::cube::{Cube, Set};
use crate::manifest::{Manifest, PortRanges, Proto};
use crate::model::{DoubtId, Family, Part, is_shared};
use crate::profile::Instance;
use crate::requirement::Requirement;
use crate::site::Site;
use crate::trace::{Answer, RoundTrip};
use crate::vocabulary::{CallerKind, LegKind, Opener, Undecided, Where, port_ranges, port_set};
use crate::way::DoubtLine;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A site, what is wanted of it, and what is judged of it.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// The site.
    pub site: Site,
    /// The same in the other case, where it is not known whether another box stands in front of it.
    pub other: Option<Site>,
    /// What is stated.
    pub manifest: Manifest,
    /// What is installed.
    pub instances: Vec<Instance>,
    /// What is judged.
    pub judgement: Judgement,
}

impl Judged {
    /// The whole's verdict.
    pub fn verdict(&self) -> Verdict {
        algebra::whole(&self.judgement, self.instances.len())
    }

    /// The outermost gateway's address, when it is one that providers share between customers (RFC 6598).
    pub fn shared_outer_address(&self) -> Option<(usize, IpAddr)> {
        let (device, outer) = self.site.outermost?;
        let addresses = &self.site.network.devices[device].interfaces[outer].addresses;
        addresses.iter().map(ipnet::IpNet::addr).find(|a| is_shared(*a)).map(|a| (device, a))
    }
}

/// What is judged of a site.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judgement {
    /// Every call path, in the order of the instances.
    pub paths: Vec<Path>,
    /// Ports that the internet reaches though no call needs them.
    pub exposures: Vec<Exposure>,
    /// Ports by which the internet is led to hosts that the manifest does not describe.
    pub elsewhere: Vec<Elsewhere>,
    /// Hosts of which every port was asked from the internet.
    pub searched: Vec<Searched>,
    /// Ports that must stay closed, and do.
    pub closed: Vec<Closed>,
    /// What does not get through, or perhaps not.
    pub failures: Vec<Failure>,
    /// What the internet reaches.
    pub reached: Vec<Reached>,
    /// Ports outside that lead to hosts that the manifest does not describe.
    pub led: Vec<(Proto, Set)>,
    /// Who is told an address that leads nowhere.
    pub misled: Vec<Misled>,
    /// Who is told an address that the server learned outside, and by which media does not come.
    pub strayed: Vec<Strayed>,
    /// What a STUN server sees of the servers, by instance and family, where that was asked.
    pub seen: Vec<(usize, Family, Seen)>,
    /// What was not judged, and why.
    pub not_judged: BTreeSet<String>,
}

/// Calls of one instance, from one place, by one family.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// As in a report.
    pub id: String,
    /// Number of the instance.
    pub instance: usize,
    /// From where.
    pub vantage: Where,
    /// Kind of caller, where that makes a difference.
    pub kind: Option<CallerKind>,
    /// The name of those who are there.
    pub who: String,
    /// The address of one who is no caller.
    pub address: Option<String>,
    /// Everybody who may send.
    pub from: Set,
    /// Family.
    pub family: Family,
    /// Verdict.
    pub verdict: Verdict,
    /// How it works, or why not quite.
    pub note: Option<Note>,
    /// The parts of a call.
    pub legs: Vec<Leg>,
}

/// A part of a call.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    /// Which.
    pub kind: LegKind,
    /// Whom it goes to: the site's name or the address that clients are told.
    pub to: String,
    /// Verdict.
    pub verdict: Verdict,
    /// How it works, or why not quite.
    pub note: Option<Note>,
    /// How media gets through; absent for other parts, and where it is not known.
    pub how: Option<How>,
    /// Ways to do it, the preferred one first.
    pub any_of: Vec<Alternative>,
    /// Ways that do not apply to these callers, by the requirement's name.
    pub not_for_them: Vec<String>,
}

/// How a part of a call works, or why not quite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// These ports are closed, and only good to have.
    Without(String),
    /// Only by hole punching, for a share.
    Punched(Option<Share>),
    /// Only when the right side sends first, for a share.
    Chance(Option<Share>),
    /// At least by this.
    AtLeastBy(Proto),
    /// Only by this.
    OnlyBy(Proto),
    /// Not by this.
    NotBy(Proto),
    /// By this.
    By(Proto),
    /// Only by a relay.
    ByRelay,
}

/// A way to do a part of a call.
#[derive(Debug, Clone)]
pub(crate) struct Alternative {
    /// What is asked.
    pub requirement: Requirement,
    /// Its ports; empty where they are not stated.
    pub ports: PortRanges,
    /// Who sends first.
    pub opener: Opener,
    /// All pieces together.
    pub reach: Reach,
    /// Share of the ports that get through, when it is neither all nor none.
    pub share: Option<Share>,
    /// Packets by fate.
    pub pieces: Vec<Piece>,
}

/// Packets with one fate.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Whether they get through.
    pub reach: Reach,
    /// Where that comes from.
    pub fate: Fate,
}

/// Where a fate comes from.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// The packets were followed.
    Followed(Box<Followed>),
    /// Facts that are not stated decide about these ports.
    Missing(PortRanges, Vec<DoubtLine>),
}

/// Packets that were followed.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    /// The packets.
    pub region: Region,
    /// Those that stand for them.
    pub shown: Cube,
    /// The way of one of these, with every rule that it met.
    pub trip: RoundTrip,
}

impl Followed {
    /// Packets of a region, and the way of one of them.
    pub fn new(answer: &Answer, region: &Region, trip: RoundTrip) -> Self {
        Self { region: region.clone(), shown: region.shown(answer), trip }
    }
}

/// Something that is not known and decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A doubt of a device.
    Of(usize, DoubtId),
    /// The choice of a device, and what like that is open.
    Undecided(Undecided),
    /// A fact of the site that is not stated.
    Missing(DoubtLine),
}

impl Doubt {
    /// Those that decide about packets.
    pub fn of(region: &Region) -> Vec<Self> {
        let named = region.doubts.iter().map(|(device, id)| Self::Of(*device, *id));
        named.chain(region.also.iter().copied().map(Self::Undecided)).collect()
    }
}

impl Piece {
    /// Ports about which facts are missing.
    pub fn unknown(ports: PortRanges, doubts: Vec<DoubtLine>) -> Self {
        Self { reach: Reach::Unknown, fate: Fate::Missing(ports, doubts) }
    }

    /// All of its ports.
    pub fn ports(&self) -> PortRanges {
        match &self.fate {
            Fate::Followed(f) => port_ranges(&f.region.part(Part::DstPort)),
            Fate::Missing(ports, _) => port_ranges(&port_set(ports)),
        }
    }
}

impl Alternative {
    /// Makes all of its ports unknown, because a fact is missing that decides about them.
    pub fn doubt(&mut self, doubts: Vec<DoubtLine>) {
        self.pieces = vec![Piece::unknown(self.ports.clone(), doubts)];
        self.reach = Reach::Unknown;
        self.share = None;
    }
}

impl Path {
    /// These are calls; else it is the administrator, a machine, or the server on its own way out.
    pub fn is_call(&self) -> bool {
        self.vantage.calls()
    }
}

/// What a path is called: the instance, where those are who ask, which of several they are, and their kind.
pub(crate) fn path_id(
    instance: &Instance,
    (at, which, kind): (&Where, Option<&str>, Option<CallerKind>),
    family: Family,
) -> String {
    let which = which.map_or_else(String::new, |which| format!(":{which}"));
    let kind = kind.map_or_else(String::new, |k| format!(":{}", k.name()));
    let v6 = if family == Family::V6 { "/v6" } else { "" };
    format!("{}/{at}{which}{kind}{v6}", instance.label())
}
