//! What was found wrong: packets that do not get through, ports that are reached, addresses that lead nowhere.

use super::reach::Region;
use super::{Doubt, Followed};
use crate::cube::Set;
use crate::manifest::{Place, Proto};
use crate::model::Family;
use crate::requirement::Requirement;
use crate::site::{Case, is_invented};
use crate::trace::RoundTrip;
use crate::vocabulary::PortSet;
use std::net::IpAddr;

/// Packets of a call that do not get through, or perhaps not.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Path of the report.
    pub path: String,
    /// Number of the instance.
    pub instance: usize,
    /// What is asked.
    pub requirement: Requirement,
    /// From where.
    pub place: Place,
    /// The server answers only on the port that was asked.
    pub same_port: bool,
    /// Device that should be reached.
    pub goal: usize,
    /// Family.
    pub family: Family,
    /// The packets.
    pub region: Region,
    /// A round trip that shows it.
    pub trip: RoundTrip,
    /// Another alternative of the same part of the call gets through.
    pub other_way: bool,
    /// What to set so that these callers need no way by the outer address.
    pub not_local: Option<String>,
}

/// Ports of a server that the internet reaches, though no call needs them.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    /// Number of the instance.
    pub instance: usize,
    /// Protocol.
    pub proto: Proto,
    /// Family.
    pub family: Family,
    /// Ports on the server.
    pub inside: Set,
    /// Ports outside.
    pub outside: Set,
    /// Why they must not be reached, if so.
    pub forbidden: Option<String>,
    /// Address of the container where they arrive, if it is one.
    pub at: Option<IpAddr>,
    /// The administrator needs them.
    pub admins: bool,
    /// Perhaps.
    pub unknown: bool,
    /// A way of one such packet.
    pub trip: RoundTrip,
}

/// The same as it is told: what is reached in one way is one line.
#[derive(Debug, Clone)]
pub(crate) struct Exposure {
    /// Number of the instance on whose host it is.
    pub instance: usize,
    /// The port on the host.
    pub socket: PortSet,
    /// The ports by which the internet gets there.
    pub outside: PortSet,
    /// Family.
    pub family: Family,
    /// The address by which the internet gets there, where it is not the one that callers are told.
    pub by: Option<IpAddr>,
    /// The address of the container on the host where it arrives, if it is one.
    pub at: Option<IpAddr>,
    /// Why it must not be reached, if so.
    pub forbidden: Option<String>,
    /// It may be reached or not: something is not known.
    pub unknown: bool,
    /// What is not known and decides.
    pub doubts: Vec<Doubt>,
    /// Everybody who may send.
    pub from: Set,
    /// Such packets.
    pub packets: Box<Followed>,
    /// The site in which they were followed.
    pub case: Case,
}

/// Callers who are told an address for media that leads nowhere from where they are.
#[derive(Debug, Clone)]
pub(crate) struct Misled {
    /// Number of the instance.
    pub instance: usize,
    /// From where they call.
    pub place: Place,
    /// What they are told.
    pub told: Vec<IpAddr>,
    /// Path of the report.
    pub path: String,
}

/// Callers who are told an address for media that the server learned outside, and by which media does not come.
#[derive(Debug, Clone)]
pub(crate) struct Strayed {
    /// The server, and both addresses.
    pub stray: Stray,
    /// Protocol and ports of the media.
    pub ports: PortSet,
    /// From where they call.
    pub place: Place,
    /// Path of the report.
    pub path: String,
}

/// The device by which packets come to the internet, and its interface.
pub(crate) type Exit = (usize, Option<usize>);

/// What a STUN server sees of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// This address, by this device.
    As(IpAddr, Exit),
    /// Several, or one that no input tells.
    Open,
    /// Not every packet arrives.
    Unanswered,
    /// The server has no address of the family.
    Nothing,
}

/// A server whose packets come to the internet with another address than the one by which it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stray {
    /// Number of the instance.
    pub instance: usize,
    /// Its own address.
    pub own: IpAddr,
    /// The address that the internet sees.
    pub seen: IpAddr,
    /// The address by which it is called.
    pub public: IpAddr,
    /// The device by which the packets leave.
    pub router: usize,
    /// The interface by which they leave.
    pub leaves: usize,
    /// Whether calls come in there.
    pub line: Line,
}

/// Where packets leave, seen from where calls come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// There.
    Same,
    /// By another interface of that router.
    Other,
    /// By another router: calls come through a tunnel, say.
    Elsewhere,
}

impl Stray {
    /// The address that the internet sees, where an input tells it.
    pub fn named(&self) -> Option<IpAddr> {
        Some(self.seen).filter(|a| !is_invented(*a))
    }
}
