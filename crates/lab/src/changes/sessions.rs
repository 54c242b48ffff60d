//! What a person pastes line by line: sessions that are there stay, and what was open before is open after each line.

use crate::namespace::{Failure, Namespace};
use callpath_core::check::analyze;
use callpath_core::report::{Style, text};
use callpath_core::snapshot::{Snapshot, Source};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// Where everybody outside is, and where the administrator is.
const ANYBODY: &str = "203.0.113.3";
const ADMIN: &str = "203.0.113.77";
/// What is changed: a router with a server behind it, or a server that has the address itself.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);

/// How long an answer may take; a lost packet of TCP is sent again within it.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A port that is asked by the public address.
#[derive(Debug, Clone, Copy)]
struct Port {
    udp: bool,
    number: u16,
}

const fn tcp(number: u16) -> Port {
    Port { udp: false, number }
}

const fn udp(number: u16) -> Port {
    Port { udp: true, number }
}

/// A site of which the report prints lines that open and lines that close.
#[derive(Debug)]
pub struct Site {
    /// For a person.
    pub name: &'static str,
    manifest: &'static str,
    rules: &'static str,
    /// The device has the server behind it.
    routes: bool,
    /// Open before, and not to be closed.
    kept: &'static [Port],
    /// Open before, closed to new connections by the lines.
    closed: &'static [Port],
    /// Open before, closed by the lines that stand apart, for they take something: the report says so.
    taken: &'static [Port],
    /// Of these, still open to the administrator.
    admins: &'static [Port],
    /// Closed before, opened by the lines.
    opened: &'static [Port],
}

const ROUTER: &str = "table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname \"lan\" accept
		tcp dport 22 accept
		udp dport 1194 accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname \"lan\" accept
		tcp dport { 22, 443, 7880, 7881 } accept
		counter drop
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname \"wan\" tcp dport 2222 dnat to 192.168.1.50:22
		iifname \"wan\" tcp dport { 443, 7880, 7881 } dnat to 192.168.1.50
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname \"wan\" masquerade
	}
}
";

const HOST: &str = "table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		iifname \"lo\" accept
		ct state established,related accept
		tcp dport { 22, 80, 443, 5432, 6379 } accept
		udp dport 51820 accept
	}
}
";

/// Every site.
pub const SITES: &[Site] = &[
    Site {
        name: "a router: media opened, plain signalling closed",
        manifest: "address = \"203.0.113.5\"\n[[gateway]]\nconfig = \"rules.nft\"\nlabel = \"router\"\n\
                   interfaces = { wan = \"203.0.113.5/24\", lan = \"192.168.1.1/24\" }\n\
                   [[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nclients = [\"internet\"]\n",
        rules: ROUTER,
        routes: true,
        kept: &[tcp(22), tcp(443), udp(1194)],
        closed: &[tcp(7880)],
        taken: &[tcp(2222)],
        admins: &[],
        opened: &[udp(50123)],
    },
    Site {
        name: "a server of its own: media opened, databases and ssh closed",
        manifest: "address = \"203.0.113.5\"\n[[deploy]]\nsystem = \"reflector\"\nmode = \"caddy\"\n\
                   host = \"203.0.113.5\"\nadmin = \"203.0.113.77\"\nfirewall = \"rules.nft\"\n",
        rules: HOST,
        routes: false,
        kept: &[tcp(80), tcp(443)],
        closed: &[tcp(5432), tcp(6379)],
        taken: &[tcp(22), udp(51820)],
        admins: &[tcp(22)],
        opened: &[tcp(7881), udp(44250)],
    },
];

/// Namespaces of a site.
struct Lab {
    outside: Namespace,
    device: Namespace,
    _server: Namespace,
}

fn build(site: &Site) -> Result<Lab, Failure> {
    let (outside, device, server) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
    let mut batch = String::from("link set lo up\n");
    let _ = writeln!(batch, "link add wan type veth peer name far\nlink set far netns {} name eth0", outside.path());
    let _ = writeln!(batch, "link add lan type veth peer name far\nlink set far netns {} name eth0", server.path());
    let _ = writeln!(batch, "addr add {PUBLIC}/24 dev wan\naddr add 192.168.1.1/24 dev lan");
    batch.push_str("link set wan up\nlink set lan up\n");
    device.command("ip", &["-batch", "-"], &batch)?;
    let forward = || std::fs::write("/proc/sys/net/ipv4/ip_forward", "1");
    device.inside(forward)?.map_err(|e| format!("ip_forward cannot be set: {e}"))?;
    let addresses =
        format!("link set lo up\naddr add {ANYBODY}/24 dev eth0\naddr add {ADMIN}/24 dev eth0\nlink set eth0 up\n");
    outside.command("ip", &["-batch", "-"], &addresses)?;
    let addresses =
        format!("link set lo up\naddr add {SERVER}/24 dev eth0\nlink set eth0 up\nroute add default via 192.168.1.1\n");
    server.command("ip", &["-batch", "-"], &addresses)?;
    let all = || [site.kept, site.closed, site.taken, site.opened].into_iter().flatten();
    for port in all() {
        let own = !site.routes || matches!(port.number, 22 | 1194);
        let place = if own { &device } else { &server };
        // The forward of 2222 leads to the server's own ssh.
        let number = if port.number == 2222 { 22 } else { port.number };
        place.inside(|| listen(Port { number, ..*port }))??;
    }
    device.command("nft", &["-f", "-"], site.rules)?;
    Ok(Lab { outside, device, _server: server })
}

/// Answers with what it hears, for as long as this program runs.
fn listen(port: Port) -> Result<(), Failure> {
    let at = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port.number));
    let said = |e: std::io::Error| format!("port {} cannot be served: {e}", port.number);
    if port.udp {
        let socket = UdpSocket::bind(at).map_err(said)?;
        std::thread::spawn(move || {
            let mut bytes = [0; 16];
            while let Ok((n, from)) = socket.recv_from(&mut bytes) {
                let _ = socket.send_to(&bytes[..n], from);
            }
        });
        return Ok(());
    }
    let socket = TcpListener::bind(at).map_err(said)?;
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 16];
                while let Ok(n @ 1..) = stream.read(&mut bytes) {
                    let _ = stream.write_all(&bytes[..n]);
                }
            });
        }
    });
    Ok(())
}

/// A conversation.
enum Session {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Session {
    /// Begins one from where this thread is; absent where nothing answers.
    fn begin(from: IpAddr, port: Port) -> Option<Self> {
        let to = SocketAddr::from((PUBLIC, port.number));
        let mut session = if port.udp {
            let socket = UdpSocket::bind((from, 0)).ok()?;
            socket.connect(to).ok()?;
            socket.set_read_timeout(Some(PATIENCE)).ok()?;
            Self::Udp(socket)
        } else {
            Self::Tcp(connect(from, to)?)
        };
        session.lives().then_some(session)
    }

    /// What is said comes back.
    fn lives(&mut self) -> bool {
        let mut heard = [0; 4];
        match self {
            Self::Tcp(stream) => stream.write_all(b"here").is_ok() && stream.read_exact(&mut heard).is_ok(),
            Self::Udp(socket) => socket.send(b"here").is_ok() && socket.recv(&mut heard).is_ok(),
        }
    }
}

/// A connection from an address of its own.
fn connect(from: IpAddr, to: SocketAddr) -> Option<TcpStream> {
    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
    };
    let own = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).ok()?;
    bind(std::os::fd::AsRawFd::as_raw_fd(&own), &SockaddrStorage::from(SocketAddr::new(from, 0))).ok()?;
    // It holds for the handshake too (`sock_sndtimeo`, net/ipv4/af_inet.c).
    let time = nix::sys::time::TimeVal::new(1, 500_000);
    setsockopt(&own, sockopt::SendTimeout, &time).ok()?;
    setsockopt(&own, sockopt::ReceiveTimeout, &time).ok()?;
    connect(std::os::fd::AsRawFd::as_raw_fd(&own), &SockaddrStorage::from(to)).ok()?;
    Some(TcpStream::from(own))
}

/// A line for a shell, and whether it takes something.
type Line = (bool, String);

/// The lines that a report prints for a shell, in its order.
fn lines(site: &Site, rules: &str) -> Result<Vec<Line>, Failure> {
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let sources = vec![source("callpath.toml", site.manifest), source("rules.nft", rules)];
    let report = analyze(&Snapshot { sources, directory: String::new() }).map_err(|e| e.message)?;
    let shown = text(&report, Style { colour: false });
    let mut lines: Vec<Line> = Vec::new();
    let mut takes = false;
    for line in shown.lines().map(str::trim) {
        if line.starts_with("change on ") {
            takes = line.contains("takes something");
        }
        if line.starts_with("nft '") {
            lines.push((takes, line.to_owned()));
        }
    }
    let at = |word: &str| (0..lines.len()).filter(|n| lines[*n].1.contains(word)).collect::<Vec<_>>();
    match (at(" accept ").last(), at(" drop ").first()) {
        (Some(accept), Some(drop)) if accept < drop => Ok(lines),
        order => Err(format!("accepts do not stand before drops: {order:?}\n{shown}")),
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Pastes the lines of a site one by one. `listed`: the report reads what the kernel lists, with handles.
///
/// # Errors
/// What is cut, or not as it should be, or what the lab lacks.
pub fn judge(site: &Site, listed: bool) -> Result<(), Failure> {
    let lab = build(site)?;
    let (anybody, admin): (IpAddr, IpAddr) = (ANYBODY.parse().expect("literal"), ADMIN.parse().expect("literal"));
    let begin = |from: IpAddr, port: Port| lab.outside.inside(|| Session::begin(from, port));
    let mut sessions = Vec::new();
    for port in [site.kept, site.closed, site.taken].into_iter().flatten() {
        let session = begin(anybody, *port)?;
        sessions.push((port, session.ok_or_else(|| format!("{port:?} does not answer before the change"))?));
    }
    for port in site.opened {
        ensure(begin(anybody, *port)?.is_none(), || format!("{port:?} answers before the change"))?;
    }
    let given = if listed { lab.device.command("nft", &["-a", "list", "ruleset"], "")? } else { site.rules.to_owned() };
    for (takes, line) in lines(site, &given)? {
        lab.device.command("sh", &["-s"], &format!("set -e\n{line}\n"))?;
        for (port, session) in &mut sessions {
            ensure(session.lives(), || format!("the session on {port:?} ends by: {line}"))?;
        }
        let here: &[Port] = if takes { &[] } else { site.taken };
        for port in site.kept.iter().chain(here) {
            ensure(begin(anybody, *port)?.is_some(), || format!("{port:?} no longer answers after: {line}"))?;
        }
        for port in site.admins {
            ensure(begin(admin, *port)?.is_some(), || {
                format!("{port:?} no longer answers the administrator after: {line}")
            })?;
        }
    }
    for port in site.closed.iter().chain(site.taken) {
        ensure(begin(anybody, *port)?.is_none(), || format!("{port:?} still answers new connections"))?;
    }
    for port in site.opened {
        ensure(begin(anybody, *port)?.is_some(), || format!("{port:?} does not answer after the change"))?;
    }
    Ok(())
}
