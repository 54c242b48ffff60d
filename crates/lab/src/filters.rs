//! Filters on a wire, with the kernel's bridge as judge. A list that does not follow sessions is made of rules of the bridge
//! itself, one that does of rules for IP, which bridged packets meet where `bridge-nf-call-iptables` is set
//! (`net/bridge/br_netfilter_hooks.c`).

use crate::namespace::{Failure, Namespace, command};
use crate::random::Random;
use callpath_core::check::analyze;
use callpath_core::manifest::{Place, Proto};
use callpath_core::report::{Packets, Path, Reach, Report};
use callpath_core::snapshot::{Snapshot, Source};
use callpath_core::vocabulary::{CallerKind, Where};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

const SERVER: &str = "203.0.113.5";
const CALLER: &str = "203.0.113.9";

/// What is asked of each list: ports of `livekit`.
const PROBES: [(Proto, u16); 6] = [
    (Proto::Udp, 50000),
    (Proto::Udp, 50077),
    (Proto::Udp, 55000),
    (Proto::Udp, 60000),
    (Proto::Tcp, 443),
    (Proto::Tcp, 7881),
];

/// Ports that a list may name.
const ENTRIES: [(Proto, u16, u16); 8] = [
    (Proto::Udp, 50000, 50099),
    (Proto::Udp, 50050, 60000),
    (Proto::Udp, 50000, 60000),
    (Proto::Udp, 1, 65535),
    (Proto::Tcp, 443, 443),
    (Proto::Tcp, 7881, 7881),
    (Proto::Tcp, 1, 65535),
    (Proto::Udp, 60000, 60000),
];

/// So many lists at once.
const MOST: u16 = 80;

/// How long a packet is waited for that should come, and one that should not.
const WAITS: [Duration; 2] = [Duration::from_secs(5), Duration::from_millis(60)];

/// What a filter passes.
struct List {
    tracks: bool,
    /// Inwards, outwards.
    passes: [Vec<(Proto, u16, u16)>; 2],
}

impl List {
    fn draw(random: &mut Random) -> Self {
        let mut some = |chance| ENTRIES.into_iter().filter(|_| random.chance(chance)).collect::<Vec<_>>();
        let passes = [some(35), some(45)];
        Self { tracks: random.chance(50), passes }
    }

    /// As the manifest states it.
    fn stated(&self) -> Snapshot {
        let list = |entries: &[(Proto, u16, u16)]| {
            let entries: Vec<String> =
                entries.iter().map(|(proto, lo, hi)| format!("\"{}/{lo}-{hi}\"", proto.name())).collect();
            if entries.is_empty() { "\"none\"".to_owned() } else { format!("[{}]", entries.join(", ")) }
        };
        let text = format!(
            "name = \"voice.example.org\"\naddress = \"{SERVER}\"\n[[gateway]]\nlabel = \"the filter\"\npasses = {}\n\
             out = {}\ntracks = {}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"{SERVER}\"\nclients = [\"internet\"]\n\
             firewall = \"host.nft\"\n",
            list(&self.passes[0]),
            list(&self.passes[1]),
            self.tracks
        );
        let host = "table inet filter { chain input { type filter hook input priority 0; policy accept; } }\n";
        let file = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        Snapshot { sources: vec![file("callpath.toml", &text), file("host.nft", host)], directory: String::new() }
    }

    /// As the kernel gets it.
    fn rules(&self) -> String {
        let (family, first) =
            if self.tracks { ("ip", "ct state established accept") } else { ("bridge", "ether type arp accept") };
        let mut out = format!(
            "flush ruleset\ntable {family} filter {{\n\tchain forward {{\n\t\ttype filter hook forward priority 0; policy \
             drop;\n\t\t{first}\n"
        );
        let from = if self.tracks {
            [format!("ip daddr {SERVER}"), format!("ip saddr {SERVER}")]
        } else {
            ["iifname \"outside\"".to_owned(), "iifname \"inside\"".to_owned()]
        };
        for (from, entries) in from.iter().zip(&self.passes) {
            for (proto, lo, hi) in entries {
                let _ = writeln!(out, "\t\t{from} {} dport {lo}-{hi} accept", proto.name());
            }
        }
        out + "\t}\n}\n"
    }
}

/// Two hosts and the bridge between them.
struct Lab {
    bridge: Namespace,
    caller: Namespace,
    listeners: Vec<Listener>,
}

enum Listener {
    Udp(UdpSocket),
    /// It accepts by itself.
    Tcp {
        _there: TcpListener,
    },
}

impl Lab {
    fn new() -> Result<Self, Failure> {
        let (bridge, caller, server) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
        bridge.command("ip", &["link", "add", "br0", "type", "bridge"], "")?;
        for (host, address, port) in [(&caller, CALLER, "outside"), (&server, SERVER, "inside")] {
            let batch = format!(
                "link add tmpa type veth peer name tmpb\nlink set tmpa netns {} name eth0\nlink set tmpb netns {} name {port}\n",
                host.path(),
                bridge.path()
            );
            command("ip", &["-batch", "-"], &batch)?;
            host.command("ip", &["-batch", "-"], &format!("addr add {address}/24 dev eth0\nlink set eth0 up\n"))?;
            bridge.command("ip", &["-batch", "-"], &format!("link set {port} master br0\nlink set {port} up\n"))?;
        }
        bridge.command("ip", &["link", "set", "br0", "up"], "")?;
        let listen = |(proto, port): (Proto, u16)| -> std::io::Result<Listener> {
            let at = address(SERVER, port);
            Ok(match proto {
                Proto::Udp => Listener::Udp(UdpSocket::bind(at)?),
                Proto::Tcp => Listener::Tcp { _there: TcpListener::bind(at)? },
            })
        };
        let listeners = server.inside(|| PROBES.into_iter().map(listen).collect::<std::io::Result<Vec<_>>>())?;
        let listeners = listeners.map_err(|e| format!("the server cannot listen: {e}"))?;
        Ok(Self { bridge, caller, listeners })
    }

    fn load(&self, list: &List) -> Result<(), Failure> {
        let called = if list.tracks { "1" } else { "0" };
        let path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
        let set = self.bridge.inside(|| std::fs::write(path, called))?;
        set.map_err(|e| format!("{path} cannot be set ({e}): load the module br_netfilter"))?;
        self.bridge.command("nft", &["-f", "-"], &list.rules()).map(|_| ())
    }

    /// Do a packet and its answer arrive, sent by the caller first or by the server first? `expected`: what the trace says.
    fn arrives(&self, probe: usize, from: u16, expected: bool) -> Result<bool, Failure> {
        let (_, port) = PROBES[probe];
        let [long, short] = WAITS;
        let failed = |e: std::io::Error| format!("nothing can be sent: {e}");
        let server = match &self.listeners[probe] {
            Listener::Tcp { .. } => {
                let wait = if expected { long } else { short };
                return self.caller.inside(|| TcpStream::connect_timeout(&address(SERVER, port), wait).is_ok());
            }
            Listener::Udp(server) => server,
        };
        let caller = self.caller.inside(|| UdpSocket::bind(address(CALLER, from)))?.map_err(failed)?;
        let asks = (&caller, address(SERVER, port), server);
        let answers = (server, address(CALLER, from), &caller);
        let round = |packets: [(&UdpSocket, SocketAddr, &UdpSocket); 2], wait: Duration| -> Result<bool, Failure> {
            for (sender, to, receiver) in packets {
                sender.send_to(b"?", to).map_err(failed)?;
                receiver.set_read_timeout(Some(wait)).map_err(failed)?;
                if receiver.recv_from(&mut [0]).is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let mut waits = vec![short];
        waits.extend(expected.then_some(long));
        for wait in waits {
            if round([asks, answers], wait)? || round([answers, asks], wait)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn address(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)), port)
}

/// What a report says of a caller without a router of its own: a packet to or from a port gets through with its answer.
/// `from`: the caller's port.
fn judged(report: &Report, (proto, port): (Proto, u16), from: u16) -> Option<bool> {
    let direct = |p: &&Path| p.vantage == Where::At(Place::Internet) && p.kind.is_none_or(|k| k == CallerKind::Public);
    let all = report.paths.iter().filter(direct).flat_map(|p| &p.legs).flat_map(|l| &l.any_of);
    let pieces = all.filter(|a| a.proto == proto).flat_map(|a| &a.pieces);
    let holds = |ranges: &[(u16, u16)], port: u16| ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&port));
    let caller: IpAddr = CALLER.parse().ok()?;
    let has = |p: &Packets| {
        holds(&p.ports, port)
            && (p.source_ports.is_empty() || holds(&p.source_ports, from))
            && (p.from.is_empty() || p.from.iter().any(|(lo, hi)| (*lo..=*hi).contains(&caller)))
    };
    let piece = pieces.into_iter().find(|piece| piece.packets.iter().any(has))?;
    match piece.reach {
        Reach::Open => Some(true),
        Reach::Closed => Some(false),
        _ => None,
    }
}

/// Judges so many lists, at most eighty: how many ports were asked about, and what differs.
///
/// # Errors
/// When the lab cannot be made.
pub fn campaign(lists: u64, seed: u64) -> Result<(u64, Vec<String>), Failure> {
    let lab = Lab::new()?;
    let (mut asked, mut differ) = (0, Vec::new());
    let mut seen = [[0; 2]; 2];
    for number in 0..u16::try_from(lists).unwrap_or(MOST).min(MOST) {
        let list = List::draw(&mut Random::new(seed.wrapping_mul(1000) + u64::from(number)));
        let site = list.stated();
        let report = analyze(&site).map_err(|e| format!("a site cannot be judged: {e}"))?;
        lab.load(&list)?;
        for (n, probe) in PROBES.into_iter().enumerate() {
            // A port of its own in each list: sessions stay.
            let from = [40_000, 50_010, 55_000][n % 3] + number;
            let Some(expected) = judged(&report, probe, from) else { continue };
            asked += 1;
            seen[usize::from(list.tracks)][usize::from(expected)] += 1;
            if lab.arrives(n, from, expected)? != expected {
                let is = if expected { "should get through" } else { "should not get through" };
                let (proto, port) = (probe.0.name(), probe.1);
                differ.push(format!("{proto} {port} from {from} {is}\n{}\n{}", site.manifest(), list.rules()));
            }
        }
    }
    if lists >= 12 && seen.as_flattened().contains(&0) {
        differ.push(format!("the lists are too much alike: {seen:?}"));
    }
    Ok((asked, differ))
}
