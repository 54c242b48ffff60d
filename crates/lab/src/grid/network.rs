//! The network of one call.
//!
//! ```text
//!   server .50 ──┐ 192.168.1.0/24          203.0.113.0/24 ┌── public caller .20
//!                ├── switch ── gateway .10 ── internet ───┤
//! LAN client .60 ┘                          (STUN at .3)  └── router .30 ── home caller 192.168.178.20
//! ```

use crate::grid::cell::{Caller, Cell};
use crate::grid::rules::{caller_rules, gateway_rules, router_rules, server_rules};
use crate::namespace::{Failure, Namespace};
use std::fmt::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// The gateway as the internet sees it.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The server itself.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);
/// The STUN server.
pub const STUN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 3);

/// How long a network may take to come up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Namespaces of one call. Each place is one of its own: a bridge inside a router would pass its packets through the
/// router's rules where the kernel is set to do so.
#[derive(Debug)]
pub struct Network {
    /// The internet's switch, and the STUN server.
    pub internet: Namespace,
    /// The server.
    pub server: Namespace,
    /// The caller.
    pub caller: Namespace,
    // Held because a namespace lasts as long as somebody holds it.
    _between: Vec<Namespace>,
}

impl Caller {
    /// The caller's own address.
    pub fn address(self) -> Ipv4Addr {
        match self {
            Self::Public | Self::UdpBlocked => Ipv4Addr::new(203, 0, 113, 20),
            Self::Home | Self::Symmetric => Ipv4Addr::new(192, 168, 178, 20),
            Self::LanApp | Self::LanListening => Ipv4Addr::new(192, 168, 1, 60),
        }
    }

    fn inside(self) -> bool {
        matches!(self, Self::LanApp | Self::LanListening)
    }
}

/// A namespace, as a host or a router.
fn place(router: bool) -> Result<Namespace, Failure> {
    let space = Namespace::new()?;
    space.inside(|| settings(router))??;
    Ok(space)
}

fn load(space: &Namespace, rules: &str) -> Result<(), Failure> {
    if rules.is_empty() { Ok(()) } else { space.command("nft", &["-f", "-"], rules).map(|_| ()) }
}

/// Waits until a neighbour is there: the kernel lets a new cable carry packets up to a second after it is plugged in.
/// Nothing of it is left behind, as long as no rules are loaded that would make the kernel track connections.
fn meet(space: &Namespace, neighbour: &str) -> Result<(), Failure> {
    let known = || -> std::io::Result<bool> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            // Port 9 takes everything and says nothing; here nobody is even there. A missing route is no answer yet.
            let _ = socket.send_to(&[0], (neighbour, 9));
            std::thread::sleep(Duration::from_millis(5));
            // Fields: address, type, flags (0x2: complete), ...
            let table = std::fs::read_to_string("/proc/thread-self/net/arp")?;
            let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            if lines.any(|line| line.first() == Some(&neighbour) && line.get(2) == Some(&"0x2")) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match space.inside(known)? {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{neighbour} does not show up on a network of the lab")),
        Err(e) => Err(format!("a network of the lab cannot be tried: {e}")),
    }
}

fn settings(router: bool) -> Result<(), Failure> {
    let forward = if router { "1" } else { "0" };
    let values = [
        ("ipv6/conf/all/disable_ipv6", "1"),
        ("ipv6/conf/default/disable_ipv6", "1"),
        ("ipv4/ip_forward", forward),
        // A hint that the server is on the same network would be a second way around a missing hairpin.
        ("ipv4/conf/all/send_redirects", "0"),
        ("ipv4/conf/default/send_redirects", "0"),
    ];
    for (key, value) in values {
        let path = format!("/proc/sys/net/{key}");
        std::fs::write(&path, value).map_err(|e| format!("{path} cannot be set: {e}"))?;
    }
    // Where bridges are not filtered at all there is no such file.
    let _ = std::fs::write("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
    Ok(())
}

/// A switch with cables to others: interface there, namespace.
fn switch(space: &Namespace, addresses: &[&str], cables: &[(&str, &Namespace)]) -> Result<(), Failure> {
    let mut batch = String::from("link set lo up\nlink add switch type bridge\nlink set switch up\n");
    for address in addresses {
        let _ = writeln!(batch, "addr add {address} dev switch");
    }
    for (n, (name, other)) in cables.iter().enumerate() {
        let _ = writeln!(batch, "link add port{n} type veth peer name far{n}");
        let _ = writeln!(batch, "link set port{n} master switch up");
        let _ = writeln!(batch, "link set far{n} netns {} name {name}", other.path());
    }
    space.command("ip", &["-batch", "-"], &batch).map(|_| ())
}

/// Addresses of a host or router, and its way out.
fn addresses(space: &Namespace, list: &[(&str, &str)], way_out: &str) -> Result<(), Failure> {
    let mut batch = String::from("link set lo up\n");
    for (name, address) in list {
        let _ = writeln!(batch, "addr add {address} dev {name}\nlink set {name} up");
    }
    let _ = writeln!(batch, "route add default via {way_out}");
    space.command("ip", &["-batch", "-"], &batch).map(|_| ())
}

/// Builds it.
///
/// # Errors
/// When a program or the kernel refuses.
pub fn build(cell: Cell) -> Result<Network, Failure> {
    let (internet, gateway, lan) = (place(false)?, place(true)?, place(false)?);
    let (server, caller) = (place(false)?, place(false)?);
    let mut outside = vec![("wan", &gateway)];
    let mut inside = vec![("lan", &gateway), ("eth0", &server)];
    let home = router_rules(cell.caller);
    let router = home.map(|_| place(true)).transpose()?;
    if let Some(router) = &router {
        outside.push(("wan", router));
    } else if cell.caller.inside() {
        inside.push(("eth0", &caller));
    } else {
        outside.push(("eth0", &caller));
    }
    switch(&internet, &["203.0.113.1/24", "203.0.113.3/24"], &outside)?;
    switch(&lan, &[], &inside)?;
    addresses(&gateway, &[("wan", "203.0.113.10/24"), ("lan", "192.168.1.1/24")], "203.0.113.1")?;
    addresses(&server, &[("eth0", "192.168.1.50/24")], "192.168.1.1")?;
    meet(&gateway, "203.0.113.3")?;
    meet(&server, "192.168.1.1")?;
    let own = format!("{}/24", cell.caller.address());
    if let Some(router) = &router {
        let cable = format!(
            "link add lan type veth peer name far\nlink set far netns {} name eth0\n\
             addr add 192.168.178.1/24 dev lan\nlink set lan up\n",
            caller.path()
        );
        router.command("ip", &["-batch", "-"], &cable)?;
        addresses(router, &[("wan", "203.0.113.30/24")], "203.0.113.1")?;
        meet(router, "203.0.113.3")?;
    }
    let way_out = match cell.caller {
        Caller::Public | Caller::UdpBlocked => "203.0.113.1",
        Caller::Home | Caller::Symmetric => "192.168.178.1",
        Caller::LanApp | Caller::LanListening => "192.168.1.1",
    };
    addresses(&caller, &[("eth0", &own)], way_out)?;
    meet(&caller, way_out)?;

    load(&gateway, gateway_rules(cell.gateway))?;
    load(&server, server_rules(cell.firewall))?;
    load(&caller, caller_rules(cell.caller))?;
    if let (Some(router), Some(rules)) = (&router, home) {
        load(router, rules)?;
    }
    let between = [Some(gateway), Some(lan), router].into_iter().flatten().collect();
    Ok(Network { internet, server, caller, _between: between })
}
