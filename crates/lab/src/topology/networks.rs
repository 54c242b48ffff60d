//! The networks themselves.

use super::{Hosts, Port, Router, Topology};
use callpath_core::cube::Set;
use callpath_core::model::{address_value, prefix_range};
use ipnet::IpNet;
use std::net::IpAddr;

pub(super) fn net(s: &str) -> IpNet {
    s.parse().expect("a network literal")
}

fn ip(s: &str) -> IpAddr {
    s.parse().expect("an address literal")
}

fn set(list: &[&str]) -> Set {
    Set::from_ranges(list.iter().map(|s| match s.split_once('-') {
        Some((lo, hi)) => (address_value(ip(lo)), address_value(ip(hi))),
        None if s.contains('/') => prefix_range(net(s)),
        None => (address_value(ip(s)), address_value(ip(s))),
    }))
}

/// The internet: all but the site's networks and what is not routed at all.
fn internet(segment: usize) -> Hosts {
    #[rustfmt::skip]
    let special = set(&[
        "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "224.0.0.0/3", "203.0.113.0/24",
    ]);
    let global = set(&["2000::/3"]).minus(&set(&["2001:db8::/32"]));
    Hosts {
        name: "the internet",
        segment,
        nets: vec![net("203.0.113.1/24"), net("2001:db8:ffff::1/64")],
        own_v4: Set::range(0, u128::from(u32::MAX)).minus(&special).or(&set(&["203.0.113.1"])),
        own_v6: global.or(&set(&["2001:db8:ffff::1"])),
        defaults: Vec::new(),
        // What a provider routes to the site; IPv4 is translated there.
        routes: ["2001:db8:1::/64", "2001:db8:9::/64"].map(|to| (net(to), ip("2001:db8:ffff::5"))).to_vec(),
    }
}

fn hosts(name: &'static str, segment: usize, nets: [&str; 2], v4: &[&str], v6: &[&str], router: [&str; 2]) -> Hosts {
    Hosts {
        name,
        segment,
        nets: nets.iter().map(|s| net(s)).collect(),
        own_v4: set(v4),
        own_v6: set(v6),
        defaults: router.iter().map(|s| ip(s)).collect(),
        routes: Vec::new(),
    }
}

fn port(name: &'static str, addresses: &[&str], segment: usize, group: u32) -> Port {
    Port { name, addresses: addresses.iter().map(|s| net(s)).collect(), segment, group }
}

const LAN_ROUTER: [&str; 2] = ["192.168.1.1", "2001:db8:1::1"];

fn lan_server() -> Hosts {
    hosts(
        "lan server",
        1,
        ["192.168.1.50/24", "2001:db8:1::50/64"],
        &["192.168.1.50-192.168.1.51"],
        &["2001:db8:1::50-2001:db8:1::51"],
        LAN_ROUTER,
    )
}

fn lan_client() -> Hosts {
    hosts(
        "lan client",
        1,
        ["192.168.1.60/24", "2001:db8:1::60/64"],
        &["192.168.1.60-192.168.1.63"],
        &["2001:db8:1::60-2001:db8:1::63"],
        LAN_ROUTER,
    )
}

/// One router with three networks.
pub fn single() -> Topology {
    let router = Router {
        name: "router",
        ports: vec![
            port("wan0", &["203.0.113.5/24", "203.0.113.6/24", "2001:db8:ffff::5/64"], 0, 0),
            port("lan0", &["192.168.1.1/24", "2001:db8:1::1/64"], 1, 7),
            port("dmz0", &["10.9.0.1/24", "2001:db8:9::1/64"], 2, 9),
        ],
        defaults: vec![ip("203.0.113.1"), ip("2001:db8:ffff::1")],
        routes: vec![(net("10.77.0.0/16"), ip("10.9.0.5"))],
        marked: vec![(0x1, 0x3, ip("10.9.0.6")), (0x1, 0x3, ip("2001:db8:9::6"))],
    };
    Topology {
        name: "one router",
        routers: vec![router],
        hosts: vec![
            internet(0),
            lan_server(),
            lan_client(),
            hosts(
                "dmz",
                2,
                ["10.9.0.5/24", "2001:db8:9::5/64"],
                &["10.9.0.5-10.9.0.6", "10.77.0.0/16"],
                &["2001:db8:9::5-2001:db8:9::6"],
                ["10.9.0.1", "2001:db8:9::1"],
            ),
        ],
        segments: 3,
        wire: "wa",
    }
}

/// A provider's router before one's own: double NAT.
pub fn double() -> Topology {
    let outer = Router {
        name: "outer",
        ports: vec![
            port("wan0", &["203.0.113.5/24", "2001:db8:ffff::5/64"], 0, 0),
            port("lan0", &["10.9.0.1/24", "2001:db8:9::1/64"], 2, 7),
        ],
        defaults: vec![ip("203.0.113.1"), ip("2001:db8:ffff::1")],
        routes: vec![(net("192.168.1.0/24"), ip("10.9.0.2")), (net("2001:db8:1::/64"), ip("2001:db8:9::2"))],
        marked: Vec::new(),
    };
    let inner = Router {
        name: "inner",
        ports: vec![
            port("wan0", &["10.9.0.2/24", "2001:db8:9::2/64"], 2, 0),
            port("lan0", &["192.168.1.1/24", "2001:db8:1::1/64"], 1, 7),
        ],
        defaults: vec![ip("10.9.0.1"), ip("2001:db8:9::1")],
        routes: Vec::new(),
        marked: Vec::new(),
    };
    Topology {
        name: "two routers",
        routers: vec![outer, inner],
        hosts: vec![internet(0), lan_server(), lan_client()],
        segments: 2,
        wire: "wb",
    }
}

/// A router, and a server with a firewall of its own behind it.
pub fn guarded() -> Topology {
    let router = Router {
        name: "router",
        ports: vec![
            port("wan0", &["203.0.113.5/24", "203.0.113.6/24", "2001:db8:ffff::5/64"], 0, 0),
            port("lan0", &["192.168.1.1/24", "2001:db8:1::1/64"], 1, 7),
        ],
        defaults: vec![ip("203.0.113.1"), ip("2001:db8:ffff::1")],
        routes: Vec::new(),
        marked: Vec::new(),
    };
    let server = Router {
        name: "server",
        ports: vec![port("eth0", &["192.168.1.50/24", "2001:db8:1::50/64"], 1, 0)],
        defaults: LAN_ROUTER.iter().map(|s| ip(s)).collect(),
        routes: Vec::new(),
        marked: Vec::new(),
    };
    Topology {
        name: "router and server",
        routers: vec![router, server],
        hosts: vec![internet(0)],
        segments: 1,
        wire: "wc",
    }
}

/// Two sites behind routers of their own, and a provider between them that has no rules. IPv4 only.
pub fn facing() -> Topology {
    let site = |name, wan: &str, lan: &str, gateway: &str, segments: [usize; 2]| Router {
        name,
        ports: vec![port("wan0", &[wan], segments[0], 0), port("lan0", &[lan], segments[1], 7)],
        defaults: vec![ip(gateway)],
        routes: Vec::new(),
        marked: Vec::new(),
    };
    let provider = Router {
        name: "provider",
        ports: vec![
            port("wan0", &["198.51.100.254/24"], 0, 0),
            port("lan0", &["203.0.113.1/24"], 3, 0),
            port("dmz0", &["192.0.2.1/24"], 4, 0),
        ],
        defaults: vec![ip("198.51.100.1")],
        routes: Vec::new(),
        marked: Vec::new(),
    };
    let far = internet(0);
    let own_v4 = far.own_v4.minus(&set(&["192.0.2.0/24", "198.51.100.2-198.51.100.255", "203.0.113.0/24"]));
    let nets = vec![net("198.51.100.1/24")];
    Topology {
        name: "two sites",
        routers: vec![
            site("router", "203.0.113.5/24", "192.168.1.1/24", "203.0.113.1", [3, 1]),
            site("home router", "192.0.2.20/24", "10.44.0.1/24", "192.0.2.1", [4, 2]),
            provider,
        ],
        hosts: vec![
            Hosts {
                nets,
                own_v4,
                own_v6: Set::empty(),
                defaults: vec![ip("198.51.100.254")],
                routes: Vec::new(),
                ..far
            },
            Hosts {
                nets: vec![net("192.168.1.50/24")],
                own_v6: Set::empty(),
                defaults: vec![ip(LAN_ROUTER[0])],
                ..lan_server()
            },
            Hosts {
                name: "home client",
                segment: 2,
                nets: vec![net("10.44.0.50/24")],
                own_v4: set(&["10.44.0.50-10.44.0.51"]),
                own_v6: Set::empty(),
                defaults: vec![ip("10.44.0.1")],
                routes: Vec::new(),
            },
        ],
        segments: 3,
        wire: "wd",
    }
}
