//! The networks of the campaign: who is inside, who is outside, and which devices have rules.

use super::draw::Spot;
use super::rules::{self, Site};
use crate::campaign::Bench;
use crate::generate::Ruleset;
use crate::namespace::Failure;
use crate::random::Random;
use crate::topology::{double, facing, guarded, single};
use crate::wire::Place;

/// What rules a device has.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// A router's.
    Router(Site),
    /// A server's own.
    Server(Site),
    /// None.
    Bare,
}

impl Role {
    /// Random rules.
    pub fn ruleset(&self, random: &mut Random) -> Ruleset {
        match self {
            Self::Router(site) => rules::router(random, site),
            Self::Server(site) => rules::server(random, site),
            Self::Bare => Ruleset::default(),
        }
    }
}

/// A network with its parties.
#[derive(Debug)]
pub struct Scene {
    /// The lab's network.
    pub bench: Bench,
    /// Its devices' rules.
    pub roles: Vec<Role>,
    /// Who is inside.
    pub inner: Vec<Spot>,
    /// Who is outside.
    pub outer: Vec<Spot>,
}

const PUBLIC: &str = "203.0.113.5";
const FAR: [&str; 2] = ["8.8.4.4", "8.8.4.0/31"];

const ROUTER: Site = Site {
    wan: "wan0",
    lan: "lan0",
    outer: [PUBLIC, "203.0.113.6"],
    servers: ["192.168.1.50", "192.168.1.51"],
    far: FAR,
};

const INTERNET: Spot = Spot {
    place: Place::Hosts(0),
    v4: &["8.8.4.4", "8.8.4.1", "198.18.0.7"],
    v6: &["2001:4860::8", "2001:4860::9"],
    face: None,
};

fn spot(place: Place, v4: &'static [&'static str], v6: &'static [&'static str]) -> Spot {
    Spot { place, v4, v6, face: Some(PUBLIC) }
}

fn lan_server(group: usize) -> Spot {
    spot(Place::Hosts(group), &["192.168.1.50", "192.168.1.51"], &["2001:db8:1::50"])
}

fn lan_client(group: usize) -> Spot {
    spot(Place::Hosts(group), &["192.168.1.60", "192.168.1.61"], &["2001:db8:1::60"])
}

/// Builds all networks.
///
/// # Errors
/// When the kernel or a program refuses.
pub fn scenes() -> Result<Vec<Scene>, Failure> {
    let one = Scene {
        bench: Bench::new(single())?,
        roles: vec![Role::Router(ROUTER)],
        inner: vec![
            lan_server(1),
            lan_server(1),
            lan_client(2),
            spot(Place::Hosts(3), &["10.9.0.5"], &["2001:db8:9::5"]),
            spot(Place::Router(0), &[PUBLIC], &["2001:db8:ffff::5"]),
        ],
        outer: vec![INTERNET],
    };
    let own = Site { wan: "eth0", lan: "lo", outer: ["192.168.1.50", "192.168.1.50"], ..ROUTER };
    let server = Scene {
        bench: Bench::new(guarded())?,
        roles: vec![Role::Router(ROUTER), Role::Server(own)],
        inner: vec![spot(Place::Router(1), &["192.168.1.50"], &["2001:db8:1::50"])],
        outer: vec![INTERNET],
    };
    let home = Site {
        outer: ["192.0.2.20", "192.0.2.20"],
        servers: ["10.44.0.50", "10.44.0.51"],
        far: [PUBLIC, "198.18.0.0/24"],
        ..ROUTER
    };
    let there = Site { far: ["192.0.2.20", "198.18.0.0/24"], ..ROUTER };
    let homes = Spot { place: Place::Hosts(2), v4: &["10.44.0.50", "10.44.0.51"], v6: &[], face: Some("192.0.2.20") };
    let both = Scene {
        bench: Bench::new(facing())?,
        roles: vec![Role::Router(there), Role::Router(home), Role::Bare],
        inner: vec![Spot { v6: &[], ..lan_server(1) }],
        outer: vec![homes, homes, INTERNET],
    };
    let inner = Site { outer: ["10.9.0.2", "10.9.0.2"], ..ROUTER };
    let outer = Site { servers: ["10.9.0.2", "192.168.1.50"], outer: [PUBLIC, PUBLIC], ..ROUTER };
    let behind = Scene {
        bench: Bench::new(double())?,
        roles: vec![Role::Router(outer), Role::Router(inner)],
        inner: vec![lan_server(1), lan_client(2)],
        outer: vec![INTERNET],
    };
    Ok(vec![one, server, both, behind])
}
